//! Colours, by meaning: what a text is decides its ink, and one [`Style`] per stream decides
//! whether any colour is shown at all.
//!
//! Colour never carries meaning alone: each ink only repeats what a sign or a word already says.

use std::borrow::Cow;
use std::ffi::OsString;
use std::str::FromStr;

use colored::{Color, Colorize as _};

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// Where the stream is a terminal and the environment does not object.
    #[default]
    Auto,
    Always,
    Never,
}

impl ColorChoice {
    /// What may be typed.
    pub const NAMES: [&str; 3] = ["auto", "always", "never"];
}

impl FromStr for ColorChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(format!("\"{text}\" is not one of auto, always, never")),
        }
    }
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Incoming,
    Outgoing,
    /// Pings, pongs, opens and closes.
    Control,
    Error,
    /// What to try.
    Hint,
    /// Timestamps, sizes, suggestions: what the eye may skip.
    Dim,
    Key,
    String,
    Number,
    /// `true`, `false` and `null`.
    Literal,
}

/// Whether one stream shows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// Without colour or any escape.
    pub const PLAIN: Self = Self { colour: false };

    /// With colour.
    pub fn colourful() -> Self {
        // `colored` looks at stdout alone; this module decides for each stream, so its own switch
        // is always on.
        colored::control::set_override(true);
        Self { colour: true }
    }

    /// Decides for one stream. An explicit choice wins; then `NO_COLOR`, `CLICOLOR_FORCE`,
    /// `TERM=dumb`, and whether the stream is a terminal.
    pub fn decide(
        choice: ColorChoice,
        is_terminal: bool,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let set = |name| env(name).filter(|value| !value.is_empty());
        let colour = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR").is_some() => false,
            ColorChoice::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColorChoice::Auto => is_terminal && set("TERM").is_none_or(|term| term != "dumb"),
        };
        if colour {
            Self::colourful()
        } else {
            Self::PLAIN
        }
    }

    /// Whether colours are shown.
    pub const fn is_colourful(self) -> bool {
        self.colour
    }

    /// The text in its ink; the text itself where there is no colour.
    pub fn paint(self, ink: Ink, text: &str) -> Cow<'_, str> {
        if !self.colour || text.is_empty() {
            return Cow::Borrowed(text);
        }
        let painted = match ink {
            Ink::Incoming => text.color(Color::Cyan),
            Ink::Outgoing => text.color(Color::Blue).bold(),
            Ink::Control => text.color(Color::Green),
            Ink::Error => text.color(Color::Red).bold(),
            Ink::Hint => text.color(Color::Yellow),
            Ink::Dim => text.dimmed(),
            Ink::Key => text.color(Color::BrightBlue),
            Ink::String => text.color(Color::Green),
            Ink::Number => text.color(Color::Cyan),
            Ink::Literal => text.color(Color::Magenta),
        };
        Cow::Owned(painted.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(choice: ColorChoice, terminal: bool, env: &[(&str, &str)]) -> bool {
        let lookup = |name: &str| {
            env.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        };
        Style::decide(choice, terminal, lookup).is_colourful()
    }

    #[test]
    fn each_stream_is_decided_by_choice_then_environment_then_terminal() {
        use ColorChoice::{Always, Auto, Never};
        for (choice, terminal, env, colour) in [
            (Auto, true, &[][..], true),
            (Auto, false, &[], false),
            (Auto, true, &[("NO_COLOR", "1")], false),
            (Auto, true, &[("NO_COLOR", "")], true),
            (Auto, true, &[("TERM", "dumb")], false),
            (Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (
                Auto,
                true,
                &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
                false,
            ),
            (Always, false, &[("NO_COLOR", "1")], true),
            (Never, true, &[("CLICOLOR_FORCE", "1")], false),
        ] {
            assert_eq!(decide(choice, terminal, env), colour, "{choice:?} {env:?}");
        }
    }

    #[test]
    fn plain_text_is_the_text_itself() {
        assert!(matches!(
            Style::PLAIN.paint(Ink::Error, "x"),
            Cow::Borrowed("x")
        ));
        let painted = Style::colourful().paint(Ink::Error, "x");
        assert!(painted.starts_with("\x1b[") && painted.ends_with("x\x1b[0m"));
    }

    #[test]
    fn every_name_is_a_choice() {
        for name in ColorChoice::NAMES {
            assert!(name.parse::<ColorChoice>().is_ok());
        }
        assert!("yes".parse::<ColorChoice>().is_err());
    }
}
