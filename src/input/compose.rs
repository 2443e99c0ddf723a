//! A text that is being written, as what it will be: by a [`Kind`] that says how it is read, with a
//! verdict at each key.

use super::{Input, slash};
use crate::model::command::Command;
use crate::model::message::Message;
use crate::text::{command, hex, json};

/// The largest payload of a control frame, as the counter shows it.
pub const MAX_CONTROL: usize = command::MAX_CONTROL_PAYLOAD;

/// What a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// A text message, or a slash command.
    #[default]
    Text,
    /// A text message that must be JSON, or a slash command.
    Json,
    /// Hex digits (or `base64:..`) of a binary message.
    Binary,
    /// The payload of a ping.
    Ping,
    /// `CODE REASON` of a Close frame.
    Close,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// At which byte of the text, where it can be told.
    pub at: Option<usize>,
    pub message: String,
}

/// What can be said of a text while it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// There is nothing to check.
    Plain,
    /// It is what it should be, in a word or two.
    Good(&'static str),
    /// It is a command: what it takes, and what it does.
    Command { usage: String, about: &'static str },
    /// It looks like JSON and is not, which may be meant.
    Doubtful(Problem),
    /// It cannot be sent.
    Bad(Problem),
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Text,
        Self::Json,
        Self::Binary,
        Self::Ping,
        Self::Close,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Binary => "binary",
            Self::Ping => "ping",
            Self::Close => "close",
        }
    }

    /// Three letters or four, for where there is little room.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Binary => "bin",
            _ => self.name(),
        }
    }

    /// The next one, the first after the last.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|kind| *kind == self);
        Self::ALL[at.map_or(0, |at| (at + 1) % Self::ALL.len())]
    }

    /// What is to be done when the text is sent.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(self, text: &str) -> Result<Input, Problem> {
        let anywhere = |message| Problem { at: None, message };
        if self.obeys_slashes(text) {
            return match slash::parse(text) {
                Input::Wrong(message) => Err(anywhere(message)),
                input => Ok(input),
            };
        }
        match self {
            Self::Text => Ok(Command::Send(Message::text(text)).into()),
            Self::Json => match json::fault(text) {
                Some((at, fault)) => Err(Problem {
                    at: Some(at),
                    message: fault.0.into(),
                }),
                None => Ok(Command::Send(Message::text(text)).into()),
            },
            Self::Binary => bytes(text).map(|bytes| Command::Send(Message::binary(bytes)).into()),
            Self::Ping => command::ping(text).map(Input::from).map_err(anywhere),
            Self::Close => command::close(text.trim())
                .map(Input::from)
                .map_err(anywhere),
        }
    }

    /// What can be said while it is written.
    pub fn check(self, text: &str) -> Verdict {
        if self.obeys_slashes(text) {
            return match slash::named(text) {
                Some(slash) => Verdict::Command {
                    usage: format!("{} {}", slash.name, slash.args),
                    about: slash.about,
                },
                None if text.starts_with("//") => Verdict::Good("sends a slash"),
                None => Verdict::Plain,
            };
        }
        match self {
            Self::Text if !text.trim_start().starts_with(['{', '[']) => Verdict::Plain,
            Self::Text => match Self::Json.read(text) {
                Ok(_) => Verdict::Good("json ok"),
                Err(problem) => Verdict::Doubtful(problem),
            },
            _ if text.is_empty() => Verdict::Plain,
            _ => match self.read(text) {
                Ok(_) => Verdict::Good(match self {
                    Self::Json => "json ok",
                    Self::Binary => "hex ok",
                    _ => "ok",
                }),
                Err(problem) => Verdict::Bad(problem),
            },
        }
    }

    /// Bytes of the payload that the text stands for.
    pub fn size(self, text: &str) -> usize {
        match self {
            Self::Binary if !self.obeys_slashes(text) => {
                bytes(text).map_or(text.len(), |bytes| bytes.len())
            }
            Self::Text | Self::Json if text.starts_with("//") => text.len() - 1,
            _ => text.len(),
        }
    }

    /// A payload of a ping or the body of a Close may begin with a slash.
    fn obeys_slashes(self, text: &str) -> bool {
        text.starts_with('/') && matches!(self, Self::Text | Self::Json | Self::Binary)
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, Problem> {
    let anywhere = |message| Problem { at: None, message };
    if let Some(bytes) = command::bytes(text.trim()).map_err(anywhere)? {
        return Ok(bytes);
    }
    hex::decode_hex(text).map_err(|error| Problem {
        at: Some(error.at),
        message: error.message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::close::{CloseCode, CloseFrame};
    use crate::model::control::Control;

    #[test]
    fn a_kind_says_how_a_text_is_read() {
        let send = |message| Input::from(Command::Send(message));
        for (kind, text, input) in [
            (Kind::Text, "{oops", send(Message::text("{oops"))),
            (Kind::Text, "//x", send(Message::text("/x"))),
            (Kind::Json, "[1]", send(Message::text("[1]"))),
            (Kind::Json, "/stats", Control::Stats.into()),
            (Kind::Binary, "00 ff", send(Message::binary(vec![0, 255]))),
            (
                Kind::Binary,
                "base64:AP8=",
                send(Message::binary(vec![0, 255])),
            ),
            (Kind::Ping, "/x", Command::Ping("/x".into()).into()),
            (Kind::Close, "", Command::Close(None).into()),
            (
                Kind::Close,
                "1000 bye",
                Command::Close(CloseFrame::new(CloseCode(1000), "bye").ok()).into(),
            ),
        ] {
            assert_eq!(kind.read(text), Ok(input), "{kind:?} {text}");
        }
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (kind, text, at, part) in [
            (Kind::Json, "{\"a\":}", Some(5), "expected a value"),
            (Kind::Json, "/pnig", None, "/ping"),
            (Kind::Binary, "00 fx", Some(4), "not a hex digit"),
            (Kind::Ping, &"x".repeat(126), None, "126 bytes"),
            (Kind::Close, "1006", None, "may not be sent"),
        ] {
            let problem = kind.read(text).unwrap_err();
            assert_eq!(problem.at, at, "{text}");
            assert!(problem.message.contains(part), "{}", problem.message);
        }
    }

    #[test]
    fn a_text_that_looks_like_json_is_checked_and_sent_anyway() {
        assert_eq!(Kind::Text.check("hello"), Verdict::Plain);
        assert_eq!(Kind::Text.check("{\"a\":1}"), Verdict::Good("json ok"));
        assert!(matches!(Kind::Text.check("{\"a\""), Verdict::Doubtful(_)));
        assert!(matches!(Kind::Json.check("{\"a\""), Verdict::Bad(_)));
        assert!(matches!(
            Kind::Text.check("/close 1"),
            Verdict::Command { .. }
        ));
        assert_eq!(Kind::Close.check(""), Verdict::Plain);
    }

    #[test]
    fn the_size_is_that_of_what_is_sent() {
        assert_eq!(Kind::Text.size("é"), 2);
        assert_eq!(Kind::Text.size("//x"), 2);
        assert_eq!(Kind::Binary.size("00 ff"), 2);
    }

    #[test]
    fn kinds_go_round() {
        let mut kind = Kind::default();
        for expected in &Kind::ALL[1..] {
            kind = kind.next();
            assert_eq!(kind, *expected);
        }
        assert_eq!(kind.next(), Kind::Text);
    }
}
