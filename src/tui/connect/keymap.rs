//! The keys: one table, which the help, the palette and the footer are made of, and which `[keys]`
//! of the config file changes.

use crate::tui::keymap::{self, entry};

pub use crate::tui::keymap::{Entry, Found, Place};

/// Which key does what.
pub type Keymap = keymap::Keymap<Verb>;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    Send,
    NewLine,
    NextKind,
    SearchHistory,
    OpenEditor,
    Leave,
    Compose,
    NextPane,
    PreviousPane,
    FramesPane,
    InspectPane,
    EventsPane,
    SendPane,
    Up,
    Down,
    PageUp,
    PageDown,
    Oldest,
    Follow,
    Pause,
    Filter,
    NextHit,
    PreviousHit,
    OnlyHits,
    Control,
    Mark,
    Diff,
    Inspect,
    Back,
    NextFrame,
    PreviousFrame,
    Json,
    Raw,
    Hex,
    Headers,
    Wrap,
    Copy,
    CopyAs,
    Save,
    SaveList,
    Resend,
    Ping,
    Reconnect,
    Close,
    Theme,
    Mouse,
    LineMode,
    Help,
    Palette,
    Redraw,
    Suspend,
    Cancel,
    Quit,
    QuitAndKeep,
}

impl keymap::Verb for Verb {
    const TABLE: &'static [Entry<Self>] = TABLE;

    fn is_needed(self) -> bool {
        matches!(self, Self::Send | Self::Leave | Self::Quit)
    }
}

/// Every key, in the order of the help and of the footer.
#[rustfmt::skip]
pub const TABLE: &[Entry<Verb>] = &[
    entry(Verb::Send, "send", Place::Composer, &["enter"], "send the message, or obey a /command", "send"),
    entry(Verb::NewLine, "new-line", Place::Composer, &["alt+enter", "ctrl+j"], "begin a new line", "new line"),
    entry(Verb::NextKind, "kind", Place::Composer, &["ctrl+o"], "next kind: text, JSON, binary, ping, close", "kind"),
    entry(Verb::SearchHistory, "history", Place::Composer, &["ctrl+r"], "search what was sent", "history"),
    entry(Verb::OpenEditor, "editor", Place::Composer, &["ctrl+x ctrl+e"], "write it in $EDITOR", ""),
    entry(Verb::Leave, "leave", Place::Composer, &["esc"], "go to the frames", "frames"),
    entry(Verb::Compose, "compose", Place::Panes, &["i"], "type a message", "type"),
    entry(Verb::Filter, "filter", Place::Panes, &["/"], "find messages: \"text\", /regex/, json:/id=7, op:ping, size>1k", "filter"),
    entry(Verb::NextHit, "next-hit", Place::Panes, &["n"], "next hit", ""),
    entry(Verb::PreviousHit, "previous-hit", Place::Panes, &["N"], "previous hit", ""),
    entry(Verb::OnlyHits, "only-hits", Place::Panes, &["o"], "list hits only, or all again", ""),
    entry(Verb::Follow, "follow", Place::Panes, &["f", "G", "end"], "follow the newest", "follow"),
    entry(Verb::Pause, "pause", Place::Panes, &["space"], "freeze the list, or let it go on", "pause"),
    entry(Verb::Oldest, "oldest", Place::Panes, &["g", "home"], "the oldest message", ""),
    entry(Verb::Up, "up", Place::Panes, &["k", "up"], "up", ""),
    entry(Verb::Down, "down", Place::Panes, &["j", "down"], "down", ""),
    entry(Verb::PageUp, "page-up", Place::Panes, &["pgup", "ctrl+b"], "a page up", ""),
    entry(Verb::PageDown, "page-down", Place::Panes, &["pgdn", "ctrl+f"], "a page down", ""),
    entry(Verb::Inspect, "inspect", Place::Panes, &["enter"], "inspect on the whole screen, or back", ""),
    entry(Verb::Back, "back", Place::Panes, &["esc"], "back from the whole screen; or no filter any more", ""),
    entry(Verb::NextFrame, "next-frame", Place::Panes, &["]"], "the next message, wherever one is", ""),
    entry(Verb::PreviousFrame, "previous-frame", Place::Panes, &["["], "the message before, wherever one is", ""),
    entry(Verb::Hex, "hex", Place::Panes, &["x"], "show it as hex", "hex"),
    entry(Verb::Json, "json", Place::Panes, &["J"], "show it as JSON", "json"),
    entry(Verb::Raw, "raw", Place::Panes, &["R"], "show it as it came", ""),
    entry(Verb::Headers, "headers", Place::Panes, &["H"], "show the opening handshake", ""),
    entry(Verb::Mark, "mark", Place::Panes, &["'"], "mark it, to compare with", ""),
    entry(Verb::Diff, "diff", Place::Panes, &["d"], "compare with the marked one", ""),
    entry(Verb::Wrap, "wrap", Place::Panes, &["w"], "wrap long lines, or cut them", ""),
    entry(Verb::Copy, "copy", Place::Panes, &["y"], "copy the payload", "copy"),
    entry(Verb::CopyAs, "copy-as", Place::Panes, &["Y"], "copy as a command or a snippet", ""),
    entry(Verb::Save, "save", Place::Panes, &["s"], "save the payload to a file", ""),
    entry(Verb::SaveList, "save-list", Place::Panes, &["S"], "save the list, as it is filtered", ""),
    entry(Verb::Resend, "resend", Place::Panes, &["e"], "edit it and send it again", "resend"),
    entry(Verb::Ping, "ping", Place::Panes, &["P"], "send a ping now", ""),
    entry(Verb::Reconnect, "reconnect", Place::Panes, &["r"], "connect again now", "reconnect"),
    entry(Verb::Close, "close", Place::Panes, &["c"], "close with a code and a reason", "close"),
    entry(Verb::Control, "control-frames", Place::Panes, &["z"], "hide pings and pongs, or show them", ""),
    entry(Verb::NextPane, "next-pane", Place::Anywhere, &["tab"], "next pane", "pane"),
    entry(Verb::PreviousPane, "previous-pane", Place::Anywhere, &["backtab"], "previous pane", ""),
    entry(Verb::FramesPane, "frames", Place::Panes, &["1"], "the frames", ""),
    entry(Verb::InspectPane, "inspector", Place::Panes, &["2"], "the inspector", ""),
    entry(Verb::EventsPane, "events", Place::Panes, &["3"], "the events", ""),
    entry(Verb::SendPane, "composer", Place::Panes, &["4"], "the composer", ""),
    entry(Verb::Theme, "theme", Place::Panes, &["t"], "next theme", "theme"),
    entry(Verb::Mouse, "mouse", Place::Panes, &["m"], "let the mouse scroll and choose, or select text", ""),
    entry(Verb::LineMode, "line-mode", Place::Anywhere, &["f2"], "go on in lines (/tui and F2 come back)", ""),
    entry(Verb::Redraw, "redraw", Place::Anywhere, &["ctrl+l"], "draw everything anew", ""),
    entry(Verb::Suspend, "suspend", Place::Anywhere, &["ctrl+z"], "to the shell; fg comes back", ""),
    entry(Verb::Palette, "palette", Place::Panes, &[":"], "find a command by its name", ""),
    entry(Verb::Cancel, "cancel", Place::Anywhere, &["ctrl+c"], "clear what is typed, then quit", "quit"),
    entry(Verb::Quit, "quit", Place::Panes, &["q"], "close the connection and quit", "quit"),
    entry(Verb::QuitAndKeep, "quit-and-keep", Place::Panes, &["Q"], "quit, and leave the screen's text in the terminal", ""),
    entry(Verb::Help, "help", Place::Anywhere, &["?", "f1"], "this list", "help"),
];

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;
    use crate::tui::chord::Chord;
    use crate::tui::keymap::every_key_means_one_thing;

    fn ctrl(letter: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
    }

    fn letter(letter: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)
    }

    #[test]
    fn every_key_of_the_table_is_a_key_and_means_one_thing() {
        every_key_means_one_thing::<Verb>();
    }

    #[test]
    fn where_one_types_letters_are_letters() {
        let keymap = Keymap::default();
        for key in "qfG/?:i1 ".chars() {
            assert_eq!(keymap.find(true, &[], letter(key)), Found::Nothing, "{key}");
            assert!(
                matches!(keymap.find(false, &[], letter(key)), Found::Verb(_)),
                "{key}"
            );
        }
    }

    #[test]
    fn a_sequence_is_begun_and_ended() {
        let keymap = Keymap::default();
        assert_eq!(keymap.find(true, &[], ctrl('x')), Found::Begun);
        let begun = [Chord::of(ctrl('x'))];
        assert_eq!(
            keymap.find(true, &begun, ctrl('e')),
            Found::Verb(Verb::OpenEditor)
        );
        assert_eq!(keymap.find(true, &begun, letter('e')), Found::Nothing);
        assert_eq!(keymap.keys(Verb::OpenEditor), "Ctrl+X Ctrl+E");
    }

    #[test]
    fn keys_can_be_given_to_other_verbs() {
        let mut keymap = Keymap::default();
        assert_eq!(keymap.conflict(), None);
        keymap
            .bind("pause", &["f".into(), "ctrl+p".into()])
            .unwrap();
        let conflict = keymap.conflict().unwrap();
        assert_eq!(
            (conflict.keys.as_str(), conflict.names),
            ("f", ["follow", "pause"])
        );
        keymap.bind("follow", &["G".into(), "end".into()]).unwrap();
        assert_eq!(keymap.conflict(), None);
        assert_eq!(
            keymap.find(false, &[], letter('f')),
            Found::Verb(Verb::Pause)
        );
        assert_eq!(keymap.find(false, &[], letter(' ')), Found::Nothing);
        assert_eq!(keymap.keys(Verb::Follow), "G End");
        assert_eq!(keymap.keys(Verb::Pause), "f Ctrl+P");
        assert!(keymap.bind("pauze", &[]).is_err());
        assert!(keymap.bind("pause", &["ctrl+".into()]).is_err());
        // A key that begins others would keep them from being reached.
        keymap.bind("suspend", &["ctrl+x".into()]).unwrap();
        let conflict = keymap.conflict().unwrap();
        assert_eq!(
            (conflict.keys.as_str(), conflict.names),
            ("Ctrl+X", ["editor", "suspend"])
        );
        assert!(keymap.bind("send", &["x".into()]).is_err());
        assert!(keymap.bind("quit", &[]).is_err());
        keymap.bind("mouse", &[]).unwrap();
        assert_eq!(keymap.key(Verb::Mouse), None);
    }
}
