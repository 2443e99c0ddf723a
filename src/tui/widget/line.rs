//! One line of text that is being edited: a filter, a name, a code.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line as Text;

use crate::text::sanitize;

/// Longer lines take no more.
const LONGEST: usize = 4 * 1024;

/// A text and where the next letter goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// A byte offset, between two characters.
    at: usize,
    /// It was put there as a suggestion, and nobody has touched it.
    is_suggested: bool,
}

impl Line {
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            at: text.len(),
            text,
            is_suggested: false,
        }
    }

    /// A number that is suggested: another one that is typed takes its place, anything else goes on from
    /// it.
    pub fn suggesting(number: &str) -> Self {
        Self {
            is_suggested: true,
            ..Self::new(number)
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds text where the cursor is; line ends become spaces.
    pub fn insert(&mut self, text: &str) {
        if self.is_suggested && text.starts_with(|c: char| c.is_ascii_digit()) {
            self.text.clear();
            self.at = 0;
        }
        self.is_suggested = false;
        for c in text.chars() {
            let c = if matches!(c, '\n' | '\r' | '\t') {
                ' '
            } else {
                c
            };
            if self.text.len() + c.len_utf8() <= LONGEST && !sanitize::is_hostile(c) {
                self.text.insert(self.at, c);
                self.at += c.len_utf8();
            }
        }
    }

    /// Edits; `None` means that the key is none for editing.
    pub fn handle(&mut self, key: KeyEvent) -> Option<()> {
        match (key.code, key.modifiers) {
            (KeyCode::Char('u'), KeyModifiers::CONTROL) => {
                self.text.drain(..self.at);
                self.at = 0;
            }
            (KeyCode::Char('w'), KeyModifiers::CONTROL) => {
                let before = self.text[..self.at].trim_end();
                let start = before.rfind(' ').map_or(0, |space| space + 1);
                self.text.drain(start..self.at);
                self.at = start;
            }
            (KeyCode::Home, _) | (KeyCode::Char('a'), KeyModifiers::CONTROL) => self.at = 0,
            (KeyCode::End, _) | (KeyCode::Char('e'), KeyModifiers::CONTROL) => {
                self.at = self.text.len();
            }
            (KeyCode::Left, _) => self.at = self.before(),
            (KeyCode::Right, _) => self.at = self.after(),
            (KeyCode::Backspace, _) => {
                let start = self.before();
                self.text.drain(start..self.at);
                self.at = start;
            }
            (KeyCode::Delete, _) => {
                self.text.drain(self.at..self.after());
            }
            (KeyCode::Char(c), KeyModifiers::NONE | KeyModifiers::SHIFT) => {
                self.insert(c.encode_utf8(&mut [0; 4]));
            }
            _ => return None,
        }
        self.is_suggested = false;
        Some(())
    }

    fn before(&self) -> usize {
        let last = self.text[..self.at].char_indices().next_back();
        last.map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let next = self.text[self.at..].chars().next();
        self.at + next.map_or(0, char::len_utf8)
    }

    /// Draws the part around the cursor, and says where the cursor is.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, style: Style) -> Option<Position> {
        if area.is_empty() {
            return None;
        }
        let room = usize::from(area.width).saturating_sub(1);
        let mut start = 0;
        while Text::raw(&self.text[start..self.at]).width() > room {
            start += self.text[start..].chars().next().map_or(1, char::len_utf8);
        }
        let left = u16::try_from(Text::raw(&self.text[start..self.at]).width()).unwrap_or(0);
        buffer.set_stringn(
            area.x,
            area.y,
            &self.text[start..],
            usize::from(area.width),
            style,
        );
        Some(Position::new(area.x + left.min(area.width - 1), area.y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[(KeyCode, KeyModifiers)]) -> Line {
        let mut line = Line::new("one two");
        for (code, modifiers) in keys {
            line.handle(KeyEvent::new(*code, *modifiers));
        }
        line
    }

    #[test]
    fn keys_edit() {
        let none = KeyModifiers::NONE;
        let ctrl = KeyModifiers::CONTROL;
        for (keys, text) in [
            (&[(KeyCode::Char('ü'), none)][..], "one twoü"),
            (&[(KeyCode::Backspace, none)], "one tw"),
            (&[(KeyCode::Char('w'), ctrl)], "one "),
            (&[(KeyCode::Char('u'), ctrl)], ""),
            (&[(KeyCode::Home, none), (KeyCode::Delete, none)], "ne two"),
            (
                &[(KeyCode::Left, none), (KeyCode::Char('_'), none)],
                "one tw_o",
            ),
            (
                &[(KeyCode::Home, none), (KeyCode::Backspace, none)],
                "one two",
            ),
        ] {
            assert_eq!(typed(keys).text(), text);
        }
    }

    #[test]
    fn a_number_takes_the_place_of_the_suggested_one() {
        for (keys, text) in [
            ("4001", "4001"),
            (" bye", "1000 bye"),
            ("\x084001", "1004001"),
        ] {
            let mut line = Line::suggesting("1000");
            for key in keys.chars() {
                let code = match key {
                    '\x08' => KeyCode::Backspace,
                    key => KeyCode::Char(key),
                };
                line.handle(KeyEvent::new(code, KeyModifiers::NONE));
            }
            assert_eq!(line.text(), text);
        }
    }

    #[test]
    fn it_is_drawn_around_the_cursor_at_any_width() {
        let line = Line::new("wide 日本語 text");
        for width in 0..20 {
            let area = Rect::new(0, 0, width, 1);
            let mut buffer = Buffer::empty(area);
            let cursor = line.render(area, &mut buffer, Style::new());
            assert_eq!(cursor.is_some(), width > 0);
            assert!(cursor.is_none_or(|cursor| cursor.x < width));
        }
    }

    #[test]
    fn nothing_hostile_gets_in() {
        let mut line = Line::default();
        line.insert("a\x1b[2J\nb\u{202e}");
        assert_eq!(line.text(), "a[2J b");
    }
}
