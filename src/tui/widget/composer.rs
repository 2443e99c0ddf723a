//! Where one types what is sent: text, JSON, hex, pings, closes and slash commands, over as many
//! lines as it takes.
//!
//! Editing is that of a shell: Ctrl+A E B F, Alt+B F, Ctrl+W K U Y, Alt+D, Ctrl+_ (undo), Up and
//! Down through the history, Tab completes a slash command, Ctrl+J and Alt+Enter begin a line,
//! Ctrl+X Ctrl+E asks for an editor. What the screen binds are methods: [`Composer::submit`],
//! [`Composer::next_kind`], [`Composer::search`], [`Composer::clear`].

mod editing;
mod layout;
mod picture;
mod search;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::draft::Draft;
use crate::input::Input;
use crate::input::compose::{Kind, Problem};
use crate::text::{glyph, json};

use self::search::Search;

/// Longer texts get no colours and no suggestions, which cost time at each key.
const LONGEST_HELPED: usize = 4 * 1024;

/// What a key asks the screen to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The composer looks different now; no more.
    Changed,
    /// Carry this out, and remember the line.
    Submit { input: Input, line: String },
    /// Let the person edit the text in `$EDITOR`; [`Composer::replace`] takes the result.
    Edit,
}

/// A text on its way to the wire.
#[derive(Debug, Default)]
pub struct Composer {
    draft: Draft,
    kind: Kind,
    /// Oldest first.
    history: Vec<String>,
    /// The entry that is shown, and what was typed before.
    recalled: Option<(usize, String)>,
    search: Option<Search>,
    /// What Tab completes: the typed part, and which candidate is shown.
    completing: Option<(String, usize)>,
    /// Ctrl+X was typed.
    is_chord: bool,
    /// Why the last key did not do what it should.
    note: Option<String>,
    /// It was not sent because nobody is connected.
    is_held: bool,
}

impl Composer {
    /// With the lines of former sessions, oldest first.
    pub fn new(history: Vec<String>) -> Self {
        Self {
            history,
            ..Self::default()
        }
    }

    pub fn text(&self) -> &str {
        self.draft.text()
    }

    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Another text of a kind, such as a message to be sent again.
    pub fn edit(&mut self, kind: Kind, text: &str) {
        self.kind = kind;
        self.replace(text);
    }

    /// Another text, which an editor returned; the former comes back with undo.
    pub fn replace(&mut self, text: &str) {
        self.settle();
        self.search = None;
        if !self.draft.set(text) {
            self.too_long();
        }
    }

    /// Goes on to the next kind.
    pub fn next_kind(&mut self) {
        self.settle();
        self.kind = self.kind.next();
    }

    /// Empties it, or ends a search; says whether there was anything.
    pub fn clear(&mut self) -> bool {
        self.settle();
        if self.search.is_some() {
            self.cancel_search();
            return true;
        }
        let had_text = !self.draft.is_empty();
        self.draft.set("");
        had_text
    }

    /// Sends the text. JSON that more lines could complete gets a new line instead, and text that
    /// cannot be sent, or not now, stays where it is.
    pub fn submit(&mut self, is_connected: bool) -> Option<Outcome> {
        self.settle();
        if self.search.is_some() {
            self.accept_search();
            return Some(Outcome::Changed);
        }
        let is_prose = matches!(self.kind, Kind::Text | Kind::Json);
        if is_prose && !self.text().ends_with('\n') && !json::is_complete(self.text()) {
            self.newline();
            return Some(Outcome::Changed);
        }
        let text = self.text().trim_end_matches('\n').to_owned();
        if text.is_empty() && matches!(self.kind, Kind::Text | Kind::Json | Kind::Binary) {
            return None;
        }
        match self.kind.read(&text) {
            Err(problem) => {
                if let Some(at) = problem.at {
                    self.draft.place(at);
                }
                self.note = Some(self.sentence(&problem));
                Some(Outcome::Changed)
            }
            Ok(input) if !is_connected && needs_connection(&input) => {
                self.is_held = true;
                Some(Outcome::Changed)
            }
            Ok(input) => {
                self.draft.take();
                let line = self.as_line(&text);
                if self.history.last() != Some(&line) {
                    self.history.push(line.clone());
                }
                Some(Outcome::Submit { input, line })
            }
        }
    }

    /// The line that asks for the same in any kind: what the history keeps.
    fn as_line(&self, text: &str) -> String {
        match self.kind {
            Kind::Binary if text.starts_with('/') || text.contains(':') => format!("/bin {text}"),
            Kind::Binary => format!("/bin hex:{text}"),
            Kind::Ping => format!("/ping {text}"),
            Kind::Close => format!("/close {text}").trim_end().to_owned(),
            Kind::Text | Kind::Json => text.to_owned(),
        }
    }

    /// Begins a line.
    pub fn newline(&mut self) {
        self.type_in("\n");
    }

    /// What a terminal pastes is one text, line ends included.
    pub fn paste(&mut self, text: &str) {
        self.settle();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.accept_search();
        self.type_in(&text);
    }

    /// Takes a key; `None` where it means nothing here.
    pub fn handle(&mut self, key: KeyEvent) -> Option<Outcome> {
        if std::mem::take(&mut self.is_chord)
            && let Some(outcome) = self.chord(key)
        {
            return Some(outcome);
        }
        if key.code == KeyCode::Tab {
            return self.complete().then_some(Outcome::Changed);
        }
        self.settle();
        if self.search.is_some() {
            if self.handle_in_search(key) {
                return Some(Outcome::Changed);
            }
            self.accept_search();
        }
        self.edit_by(key).then_some(Outcome::Changed)
    }

    /// Whether a letter with Alt edits what is typed.
    pub fn takes(&self, key: KeyEvent) -> bool {
        matches!(key.code, KeyCode::Char('b' | 'd' | 'f')) && !self.draft.is_empty()
    }

    /// There is someone to send to: that there was not is no news any more.
    pub const fn connected(&mut self) {
        self.is_held = false;
    }

    /// The key after Ctrl+X.
    fn chord(&mut self, key: KeyEvent) -> Option<Outcome> {
        match (key.code, is_control(key)) {
            (KeyCode::Char('e'), true) => Some(Outcome::Edit),
            (KeyCode::Char('u'), true) => {
                self.draft.undo();
                Some(Outcome::Changed)
            }
            _ => None,
        }
    }

    /// Forgets what only the key before was about.
    fn settle(&mut self) {
        self.note = None;
        self.is_held = false;
        self.completing = None;
        self.is_chord = false;
    }

    /// What the newest line of the history that begins like this has more.
    fn suggestion(&self) -> Option<&str> {
        let text = self.text();
        let is_asked = !text.is_empty()
            && text.len() <= LONGEST_HELPED
            && self.draft.cursor() == text.len()
            && matches!(self.kind, Kind::Text | Kind::Json);
        let mut lines = self.history.iter().rev();
        let rest = lines.find_map(|line| line.strip_prefix(text).filter(|rest| !rest.is_empty()));
        rest.filter(|rest| is_asked && rest.len() <= LONGEST_HELPED)
    }

    fn sentence(&self, problem: &Problem) -> String {
        let Some(at) = problem.at else {
            return problem.message.clone();
        };
        let before = &self.text()[..at.min(self.text().len())];
        let line = before.matches('\n').count() + 1;
        let column = glyph::width(before.rsplit('\n').next().unwrap_or_default()) + 1;
        if line > 1 {
            format!("{} at line {line}, column {column}", problem.message)
        } else {
            format!("{} at column {column}", problem.message)
        }
    }
}

fn is_control(key: KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL)
}

const fn needs_connection(input: &Input) -> bool {
    use crate::model::control::Control;
    matches!(
        input,
        Input::Command(_) | Input::File(_) | Input::Control(Control::To(..))
    )
}

#[cfg(test)]
mod tests;
