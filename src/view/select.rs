//! Which traffic is shown: `--only`, `--filter` and `--exclude`.
//!
//! They choose among messages, pings, pongs and closes. What is said about a connection on stderr
//! is not traffic and always said.

use crate::model::event::What;
use crate::model::message::Kind;
use crate::text::predicate::Predicate;

/// What has to be true of traffic that is shown.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// `--only`; `None` is everything.
    pub only: Option<Only>,
    /// `--filter`: has to match.
    pub filter: Option<Predicate>,
    /// `--exclude`: may not match.
    pub exclude: Option<Predicate>,
}

/// The kinds of traffic that `--only` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Only {
    text: bool,
    binary: bool,
    ping: bool,
    pong: bool,
    close: bool,
}

impl Only {
    /// What may be named.
    pub const NAMES: [&str; 5] = ["text", "binary", "ping", "pong", "close"];

    /// Reads `text,ping`.
    ///
    /// # Errors
    /// A sentence that names the wrong word and lists the right ones.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut only = Self::default();
        for name in list.split(',').map(str::trim) {
            *only
                .kind(name)
                .ok_or_else(|| format!("\"{name}\" is not one of {}", Self::NAMES.join(", ")))? =
                true;
        }
        Ok(only)
    }

    /// What both name together (`--only text --only ping`).
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            text: self.text || other.text,
            binary: self.binary || other.binary,
            ping: self.ping || other.ping,
            pong: self.pong || other.pong,
            close: self.close || other.close,
        }
    }

    /// Whether it names anything that comes as often as peers send: all but closes.
    pub const fn names_messages(&self) -> bool {
        self.text || self.binary || self.ping || self.pong
    }

    fn kind(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "text" => Some(&mut self.text),
            "binary" => Some(&mut self.binary),
            "ping" => Some(&mut self.ping),
            "pong" => Some(&mut self.pong),
            "close" => Some(&mut self.close),
            _ => None,
        }
    }
}

impl Select {
    /// What it comes to as one filter, as one types it; `None` where everything passes.
    pub fn as_filter(&self) -> Option<String> {
        let only = self.only.map(|only| {
            let named = Only::NAMES.iter().filter(|name| {
                let mut only = only;
                only.kind(name).is_some_and(|kind| *kind)
            });
            let kinds: Vec<String> = named.map(|name| format!("op:{name}")).collect();
            format!("({})", kinds.join(" | "))
        });
        let filter = self.filter.iter().map(|filter| format!("({filter})"));
        let exclude = self.exclude.iter().map(|filter| format!("!({filter})"));
        let parts: Vec<String> = only.into_iter().chain(filter).chain(exclude).collect();
        (!parts.is_empty()).then(|| parts.join(" & "))
    }

    /// Whether this traffic is shown; true for what is no traffic.
    pub fn passes(&self, what: &What) -> bool {
        self.only.is_none_or(|only| is_named(only, what))
            && (!is_traffic(what)
                || self
                    .filter
                    .as_ref()
                    .is_none_or(|filter| filter.matches(what))
                    && !self
                        .exclude
                        .as_ref()
                        .is_some_and(|exclude| exclude.matches(what)))
    }

    /// Whether `--only` asks for pings or pongs by name, which says as much as `-P`.
    pub fn asks_for(&self, what: &What) -> bool {
        self.only.is_some_and(|only| is_named(only, what))
    }
}

const fn is_traffic(what: &What) -> bool {
    matches!(
        what,
        What::Message { .. } | What::Ping { .. } | What::Pong { .. } | What::Close(_)
    )
}

fn is_named(only: Only, what: &What) -> bool {
    match what {
        What::Message { message, .. } => match message.kind {
            Kind::Text => only.text,
            Kind::Binary => only.binary,
        },
        What::Ping { .. } => only.ping,
        What::Pong { .. } => only.pong,
        What::Close(_) => only.close,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::event::Direction;
    use crate::model::message::Message;
    use crate::model::state::ReadyState;

    fn select(only: &str, filter: &str, exclude: &str) -> Select {
        let predicate = |text: &str| (!text.is_empty()).then(|| Predicate::parse(text).unwrap());
        Select {
            only: (!only.is_empty()).then(|| Only::parse(only).unwrap()),
            filter: predicate(filter),
            exclude: predicate(exclude),
        }
    }

    #[test]
    fn it_is_one_filter_too() {
        assert_eq!(select("", "", "").as_filter(), None);
        let filter = select("text,ping", "\"a\" | size>1k", "/b/")
            .as_filter()
            .unwrap();
        assert_eq!(filter, "(op:text | op:ping) & (\"a\" | size>1000) & !(/b/)");
        assert!(Predicate::parse(&filter).is_ok());
    }

    fn text(payload: &str) -> What {
        What::Message {
            dir: Direction::In,
            message: Message::text(payload),
            frames: 1,
            wire: 0,
            json: None,
        }
    }

    #[test]
    fn each_of_the_three_has_its_say() {
        let ping = What::Ping {
            dir: Direction::In,
            payload: Bytes::new(),
        };
        for (only, filter, exclude, what, passes) in [
            ("", "", "", &text("a"), true),
            ("text", "", "", &text("a"), true),
            ("binary, ping", "", "", &text("a"), false),
            ("binary,ping", "", "", &ping, true),
            ("", "a", "", &text("a"), true),
            ("", "a", "", &text("b"), false),
            ("", "a", "", &ping, false),
            ("", "", "a", &text("a"), false),
            ("", "", "a", &text("b"), true),
            ("", "", "a", &ping, true),
            ("text", "a", "b", &text("a b"), false),
        ] {
            let select = select(only, filter, exclude);
            assert_eq!(select.passes(what), passes, "{select:?} {what:?}");
        }
    }

    #[test]
    fn what_is_no_traffic_always_passes() {
        let state = What::State(ReadyState::Open);
        assert!(select("text", "a", "").passes(&state));
    }

    #[test]
    fn a_wrong_kind_is_named() {
        for list in ["txt", "text,", ""] {
            assert!(Only::parse(list).unwrap_err().contains("text, binary"));
        }
        for name in Only::NAMES {
            assert!(Only::parse(name).is_ok());
        }
    }
}
