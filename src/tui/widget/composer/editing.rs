//! What keys do to the text: editing, the way through the history, completion.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Composer, is_control, layout};
use crate::input::compose::Kind;
use crate::input::slash;
use crate::model::units::show_size;
use crate::text::glyph;
use crate::tui::widget::draft::{MOST, Motion};

impl Composer {
    pub(super) fn edit_by(&mut self, key: KeyEvent) -> bool {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let control = is_control(key);
        let word = alt || control;
        match key.code {
            KeyCode::Left if word => _ = self.draft.go(Motion::WordLeft),
            KeyCode::Right if word => _ = self.draft.go(Motion::WordRight),
            KeyCode::Home if control => _ = self.draft.go(Motion::Start),
            KeyCode::End if control => _ = self.draft.go(Motion::End),
            KeyCode::Left => _ = self.draft.go(Motion::Left),
            KeyCode::Right => self.right(),
            KeyCode::Home => _ = self.draft.go(Motion::LineStart),
            KeyCode::End => _ = self.draft.go(Motion::LineEnd),
            KeyCode::Up => return self.up(),
            KeyCode::Down => return self.down(),
            KeyCode::Backspace if word => self.draft.kill(Motion::WordLeft),
            KeyCode::Backspace => self.draft.delete(Motion::Left),
            KeyCode::Delete if word => self.draft.kill(Motion::WordRight),
            KeyCode::Delete => self.draft.delete(Motion::Right),
            KeyCode::Enter if alt || key.modifiers.contains(KeyModifiers::SHIFT) => self.newline(),
            KeyCode::Char(letter) if control && !alt => return self.control(letter),
            KeyCode::Char('b') if alt => _ = self.draft.go(Motion::WordLeft),
            KeyCode::Char('f') if alt => _ = self.draft.go(Motion::WordRight),
            KeyCode::Char('d') if alt => self.draft.kill(Motion::WordRight),
            // AltGr is Ctrl and Alt on some keyboards: the letter is what was meant.
            KeyCode::Char(letter) if !alt || control => {
                self.type_in(letter.encode_utf8(&mut [0; 4]));
            }
            _ => return false,
        }
        true
    }

    fn control(&mut self, letter: char) -> bool {
        match letter {
            'a' => _ = self.draft.go(Motion::LineStart),
            'e' => _ = self.draft.go(Motion::LineEnd),
            'b' => _ = self.draft.go(Motion::Left),
            'f' => self.right(),
            'p' => return self.up(),
            'n' => return self.down(),
            'h' => self.draft.delete(Motion::Left),
            'd' if !self.draft.is_empty() => self.draft.delete(Motion::Right),
            'w' => self.draft.kill(Motion::WordLeft),
            'k' => self.draft.kill(Motion::LineEnd),
            'u' => self.draft.kill(Motion::LineStart),
            'y' => {
                if !self.draft.yank() {
                    self.too_long();
                }
            }
            'j' => self.newline(),
            'x' => self.is_chord = true,
            // Terminals spell Ctrl+_ in these ways.
            '_' | '7' | '/' | '-' => _ = self.draft.undo(),
            _ => return false,
        }
        true
    }

    /// Right, or at the end takes over what the history suggests.
    fn right(&mut self) {
        if !self.draft.go(Motion::Right)
            && let Some(rest) = self.suggestion().map(str::to_owned)
        {
            self.draft.insert(&rest);
        }
    }

    pub(super) fn type_in(&mut self, text: &str) {
        if !self.draft.insert(text) {
            self.too_long();
        }
    }

    pub(super) fn too_long(&mut self) {
        self.note = Some(format!(
            "more than {} do not fit here: /file PATH sends a file",
            show_size(MOST as u64)
        ));
    }

    /// A line up, and above the first line an entry back in the history.
    fn up(&mut self) -> bool {
        let column = self.column();
        if self
            .draft
            .go_line(false, |line| layout::at_column(line, column))
        {
            return true;
        }
        let at = self
            .recalled
            .as_ref()
            .map_or(self.history.len(), |(at, _)| *at);
        at.checked_sub(1).is_some_and(|at| self.recall(at))
    }

    fn down(&mut self) -> bool {
        let column = self.column();
        if self
            .draft
            .go_line(true, |line| layout::at_column(line, column))
        {
            return true;
        }
        let Some((at, typed)) = self.recalled.clone() else {
            return false;
        };
        if at + 1 < self.history.len() {
            return self.recall(at + 1);
        }
        self.recalled = None;
        self.draft.set(&typed);
        true
    }

    fn recall(&mut self, at: usize) -> bool {
        let Some(line) = self.history.get(at) else {
            return false;
        };
        let typed = match self.recalled.take() {
            Some((_, typed)) => typed,
            None => self.draft.text().to_owned(),
        };
        self.draft.set(line);
        self.recalled = Some((at, typed));
        self.read_as_line();
        true
    }

    /// Lines of the history say themselves what they are.
    pub(super) const fn read_as_line(&mut self) {
        if !matches!(self.kind, Kind::Json) {
            self.kind = Kind::Text;
        }
    }

    fn column(&self) -> usize {
        let (line, at) = self.draft.line();
        glyph::width(&line[..at])
    }

    /// Tab: the next slash command that begins like this. Says whether there is one.
    pub(super) fn complete(&mut self) -> bool {
        let typed = match &self.completing {
            Some((typed, _)) => typed.clone(),
            None if self.draft.cursor() == self.text().len() => self.text().to_owned(),
            None => return false,
        };
        let candidates: Vec<_> = slash::completions(&typed).collect();
        let Some(last) = candidates.len().checked_sub(1) else {
            return false;
        };
        let at = match &self.completing {
            Some((_, at)) if *at < last => at + 1,
            _ => 0,
        };
        self.draft.set(&candidates[at].completed());
        self.completing = Some((typed, at));
        true
    }
}
