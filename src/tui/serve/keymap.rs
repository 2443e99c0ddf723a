//! The keys: one table, which the help and the footer are made of.

use ratatui::crossterm::event::KeyEvent;

use crate::tui::chord::Chord;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    NextPane,
    PreviousPane,
    Connections,
    Rooms,
    Log,
    Details,
    Close,
    Sort,
    Reverse,
    Filter,
    Back,
    Pause,
    Control,
    Theme,
    Redraw,
    Suspend,
    Help,
    Quit,
}

/// An entry of the table.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) verb: Verb,
    /// As [`Chord`] reads them; the first is the one that the footer shows.
    keys: &'static [&'static str],
    pub(super) about: &'static str,
    /// The word in the footer; empty for none.
    pub(super) footer: &'static str,
}

const fn entry(
    verb: Verb,
    keys: &'static [&'static str],
    about: &'static str,
    footer: &'static str,
) -> Entry {
    Entry {
        verb,
        keys,
        about,
        footer,
    }
}

/// Every key, in the order of the help and of the footer.
#[rustfmt::skip]
pub(super) const TABLE: &[Entry] = &[
    entry(Verb::Quit, &["q", "ctrl+c"], "close every connection with 1001 and quit", "quit"),
    entry(Verb::Help, &["?", "f1"], "this list", "help"),
    entry(Verb::NextPane, &["tab"], "next pane", "pane"),
    entry(Verb::PreviousPane, &["backtab"], "previous pane", ""),
    entry(Verb::Connections, &["1"], "the connections", ""),
    entry(Verb::Rooms, &["2"], "the rooms and topics", ""),
    entry(Verb::Log, &["3"], "the log", ""),
    entry(Verb::Up, &["k", "up"], "up", ""),
    entry(Verb::Down, &["j", "down"], "down", ""),
    entry(Verb::PageUp, &["pgup", "ctrl+b"], "a page up", ""),
    entry(Verb::PageDown, &["pgdn", "ctrl+f"], "a page down", ""),
    entry(Verb::First, &["g", "home"], "the first", ""),
    entry(Verb::Last, &["G", "end", "f"], "the last; the log follows the newest", ""),
    entry(Verb::Details, &["enter"], "all about the chosen connection", "details"),
    entry(Verb::Close, &["c"], "close the chosen connection with a code and a reason", "close"),
    entry(Verb::Sort, &["s"], "sort by the next column", "sort"),
    entry(Verb::Reverse, &["S"], "sort the other way round", ""),
    entry(Verb::Filter, &["/"], "log only: \"text\", /regex/, json:/id=7, op:ping, size>1k", "filter"),
    entry(Verb::Back, &["esc"], "no filter any more; back to the connections", ""),
    entry(Verb::Pause, &["space"], "freeze the picture, or let it go on", "pause"),
    entry(Verb::Control, &["z"], "hide pings and pongs in the log, or show them", ""),
    entry(Verb::Theme, &["t"], "next theme", ""),
    entry(Verb::Redraw, &["ctrl+l"], "draw everything anew", ""),
    entry(Verb::Suspend, &["ctrl+z"], "to the shell; fg comes back", ""),
];

/// What a key does, if it does anything.
pub(super) fn find(key: KeyEvent) -> Option<Verb> {
    let pressed = Chord::of(key);
    let is_bound = |entry: &&Entry| entry.chords().any(|chord| chord == pressed);
    TABLE.iter().find(is_bound).map(|entry| entry.verb)
}

/// The first key of a verb, as it is shown.
pub(super) fn key_of(verb: Verb) -> String {
    let entry = TABLE.iter().find(|entry| entry.verb == verb);
    let chord = entry.and_then(|entry| entry.chords().next());
    chord.map(|chord| chord.to_string()).unwrap_or_default()
}

impl Entry {
    fn chords(&self) -> impl Iterator<Item = Chord> {
        self.keys.iter().filter_map(|key| key.parse().ok())
    }

    /// All its keys, as they are shown.
    pub(super) fn shown(&self) -> String {
        let keys: Vec<String> = self.chords().map(|chord| chord.to_string()).collect();
        keys.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_a_key_and_means_one_thing() {
        let mut seen = Vec::new();
        for entry in TABLE {
            assert_eq!(entry.chords().count(), entry.keys.len(), "{entry:?}");
            for chord in entry.chords() {
                assert!(!seen.contains(&chord), "{entry:?}");
                seen.push(chord);
            }
        }
    }
}
