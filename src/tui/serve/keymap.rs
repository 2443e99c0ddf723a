//! The keys: one table, which the help and the footer are made of, and which `[keys.serve]` of the config
//! file changes.

use crate::tui::keymap::{self, Entry, Place, entry};

/// Which key does what.
pub type Keymap = keymap::Keymap<Verb>;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
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

impl keymap::Verb for Verb {
    const TABLE: &'static [Entry<Self>] = TABLE;

    fn is_needed(self) -> bool {
        matches!(self, Self::Quit)
    }
}

/// Every key, in the order of the help and of the footer.
#[rustfmt::skip]
pub const TABLE: &[Entry<Verb>] = &[
    entry(Verb::Quit, "quit", Place::Panes, &["q", "ctrl+c"], "close every connection with 1001 and quit", "quit"),
    entry(Verb::Help, "help", Place::Panes, &["?", "f1"], "this list", "help"),
    entry(Verb::NextPane, "next-pane", Place::Panes, &["tab"], "next pane", "pane"),
    entry(Verb::PreviousPane, "previous-pane", Place::Panes, &["backtab"], "previous pane", ""),
    entry(Verb::Connections, "connections", Place::Panes, &["1"], "the connections", ""),
    entry(Verb::Rooms, "rooms", Place::Panes, &["2"], "the rooms and topics", ""),
    entry(Verb::Log, "log", Place::Panes, &["3"], "the log", ""),
    entry(Verb::Up, "up", Place::Panes, &["k", "up"], "up", ""),
    entry(Verb::Down, "down", Place::Panes, &["j", "down"], "down", ""),
    entry(Verb::PageUp, "page-up", Place::Panes, &["pgup", "ctrl+b"], "a page up", ""),
    entry(Verb::PageDown, "page-down", Place::Panes, &["pgdn", "ctrl+f"], "a page down", ""),
    entry(Verb::First, "first", Place::Panes, &["g", "home"], "the first", ""),
    entry(Verb::Last, "last", Place::Panes, &["G", "end", "f"], "the last; the log follows the newest", ""),
    entry(Verb::Details, "details", Place::Panes, &["enter"], "all about the chosen connection", "details"),
    entry(Verb::Close, "close", Place::Panes, &["c"], "close the chosen connection with a code and a reason", "close"),
    entry(Verb::Sort, "sort", Place::Panes, &["s"], "sort by the next column", "sort"),
    entry(Verb::Reverse, "reverse", Place::Panes, &["S"], "sort the other way round", ""),
    entry(Verb::Filter, "filter", Place::Panes, &["/"], "log only: \"text\", /regex/, json:/id=7, op:ping, size>1k", "filter"),
    entry(Verb::Back, "back", Place::Panes, &["esc"], "no filter any more; back to the connections", ""),
    entry(Verb::Pause, "pause", Place::Panes, &["space"], "freeze the picture, or let it go on", "pause"),
    entry(Verb::Control, "control-frames", Place::Panes, &["z"], "hide pings and pongs in the log, or show them", ""),
    entry(Verb::Theme, "theme", Place::Panes, &["t"], "next theme", ""),
    entry(Verb::Redraw, "redraw", Place::Panes, &["ctrl+l"], "draw everything anew", ""),
    entry(Verb::Suspend, "suspend", Place::Panes, &["ctrl+z"], "to the shell; fg comes back", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_a_key_and_means_one_thing() {
        keymap::every_key_means_one_thing::<Verb>();
    }
}
