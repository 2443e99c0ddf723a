//! A key with its modifiers, as it is written: `ctrl+x`, `alt+enter`, `G`, `f2`, `space`.

use std::fmt;
use std::str::FromStr;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key press, without what terminals disagree on: shift is part of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// The letter of what terminals cannot tell apart: Alt with a letter, and Esc with a letter soon
/// after.
pub fn after_escape(key: KeyEvent) -> Option<KeyEvent> {
    let has_alt = key.modifiers.contains(KeyModifiers::ALT);
    let has_control = key.modifiers.contains(KeyModifiers::CONTROL);
    let is_letter = matches!(key.code, KeyCode::Char(_)) && has_alt && !has_control;
    is_letter.then(|| KeyEvent {
        modifiers: key.modifiers - KeyModifiers::ALT,
        ..key
    })
}

/// Keys with a name: as it is typed, as it is shown, what it is.
const NAMED: &[(&str, &str, KeyCode)] = &[
    ("enter", "Enter", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("tab", "Tab", KeyCode::Tab),
    ("backtab", "Shift+Tab", KeyCode::BackTab),
    ("space", "Space", KeyCode::Char(' ')),
    ("backspace", "Backspace", KeyCode::Backspace),
    ("delete", "Delete", KeyCode::Delete),
    ("insert", "Insert", KeyCode::Insert),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
    ("pgup", "PgUp", KeyCode::PageUp),
    ("pgdn", "PgDn", KeyCode::PageDown),
    ("up", "Up", KeyCode::Up),
    ("down", "Down", KeyCode::Down),
    ("left", "Left", KeyCode::Left),
    ("right", "Right", KeyCode::Right),
];

const MODIFIERS: [(&str, &str, KeyModifiers); 3] = [
    ("ctrl+", "Ctrl+", KeyModifiers::CONTROL),
    ("alt+", "Alt+", KeyModifiers::ALT),
    ("shift+", "Shift+", KeyModifiers::SHIFT),
];

impl Chord {
    pub fn of(key: KeyEvent) -> Self {
        Self::new(key.code, key.modifiers)
    }

    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let known = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let mut modifiers = modifiers & known;
        let code = match code {
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::SHIFT) => {
                KeyCode::Char(c.to_ascii_uppercase())
            }
            other => other,
        };
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers -= KeyModifiers::SHIFT;
        }
        Self { code, modifiers }
    }

    /// The character that it types, if it does no more than that.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }
}

impl FromStr for Chord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is not a key (try x, ctrl+x, alt+enter, f2, space)");
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        while let Some((name, _, modifier)) = MODIFIERS
            .iter()
            .find(|(name, ..)| starts_with(rest, name) && rest.len() > name.len())
        {
            modifiers |= *modifier;
            rest = &rest[name.len()..];
        }
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(letter), None) if !letter.is_control() => KeyCode::Char(letter),
            _ => {
                let lower = rest.to_ascii_lowercase();
                let named = NAMED.iter().find(|(name, ..)| *name == lower);
                let function = || lower.strip_prefix('f')?.parse().ok().map(KeyCode::F);
                named
                    .map(|(.., code)| *code)
                    .or_else(function)
                    .filter(
                        |code| !matches!(code, KeyCode::F(number) if !(1..=24).contains(number)),
                    )
                    .ok_or_else(wrong)?
            }
        };
        Ok(Self::new(code, modifiers))
    }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (_, shown, modifier) in MODIFIERS {
            if self.modifiers.contains(modifier) {
                f.write_str(shown)?;
            }
        }
        if let Some((_, shown, _)) = NAMED.iter().find(|(.., code)| *code == self.code) {
            return f.write_str(shown);
        }
        match self.code {
            KeyCode::Char(c) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", c.to_ascii_uppercase())
            }
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_shown() {
        for (typed, shown) in [
            ("x", "x"),
            ("G", "G"),
            ("shift+g", "G"),
            ("?", "?"),
            ("+", "+"),
            ("ctrl++", "Ctrl++"),
            ("ctrl+x", "Ctrl+X"),
            ("Ctrl+X", "Ctrl+X"),
            ("alt+enter", "Alt+Enter"),
            ("shift+tab", "Shift+Tab"),
            ("backtab", "Shift+Tab"),
            ("space", "Space"),
            ("f2", "F2"),
            ("PgUp", "PgUp"),
            ("shift+up", "Shift+Up"),
        ] {
            assert_eq!(typed.parse::<Chord>().unwrap().to_string(), shown);
        }
        for typed in ["", "xx", "ctrl+", "f0", "f99", "hyper+x", "\u{1b}"] {
            assert!(typed.parse::<Chord>().is_err(), "{typed}");
        }
    }

    #[test]
    fn what_terminals_send_is_what_is_written() {
        let sent = |code, modifiers| Chord::of(KeyEvent::new(code, modifiers)).to_string();
        assert_eq!(sent(KeyCode::Char('G'), KeyModifiers::SHIFT), "G");
        assert_eq!(sent(KeyCode::BackTab, KeyModifiers::SHIFT), "Shift+Tab");
        assert_eq!(sent(KeyCode::Tab, KeyModifiers::SHIFT), "Shift+Tab");
        assert_eq!(sent(KeyCode::Char('J'), KeyModifiers::CONTROL), "Ctrl+J");
    }
}
