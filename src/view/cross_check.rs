//! What two implementations saw of one server, side by side: `ping --cross-check`.
//!
//! Only what the server decides is compared: how the handshake ended, what was agreed on, how many
//! pings were answered, which rule was broken, how the connection closed. Times, texts of errors and
//! of messages differ for good reasons; they are shown and not compared.

use crate::model::event::{Close, ClosedBy, Direction, Event, What};
use crate::model::message::Message;
use crate::model::units::show_size;
use crate::text::sanitize;
use crate::text::style::{Ink, Style};
use crate::wire::reference::NAME;

use super::{Format, FormatEntry, Page};

pub(super) const ENTRY: FormatEntry = FormatEntry {
    name: "cross-check",
    help: "what two implementations saw, for people",
    talks: true,
    make: |plan| {
        Box::new(Report {
            style: plan.data_style,
            comparison: Comparison::default(),
        })
    },
};

/// Our name beside [`NAME`].
const OURS: &str = "wscope";
const LABEL_WIDTH: usize = 13;

/// Two accounts of the same server.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    ours: Account,
    theirs: Account,
}

/// What one implementation saw.
#[derive(Debug, Default)]
struct Account {
    handshake: Option<Seen>,
    opened: bool,
    subprotocol: Option<String>,
    extensions: Vec<String>,
    pings: u64,
    pongs: u64,
    message: Option<Seen>,
    error: Option<Seen>,
    close: Option<Seen>,
    /// It did not go as it should.
    failed: bool,
}

/// Something seen: what is compared of it, and what is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    key: String,
    text: String,
}

/// One row of the table.
struct Row {
    name: &'static str,
    ours: Seen,
    theirs: Seen,
}

impl Comparison {
    pub(super) fn observe(&mut self, event: &Event) {
        match event.name.as_deref() {
            Some(NAME) => self.theirs.observe(&event.what),
            _ => self.ours.observe(&event.what),
        }
    }

    /// Whether both have come to an end: else there is nothing to compare.
    fn is_whole(&self) -> bool {
        self.ours.handshake.is_some() && self.theirs.handshake.is_some()
    }

    /// In what they differ; nothing where they agree.
    pub(super) fn differences(&self) -> Vec<&'static str> {
        let rows = self.rows().into_iter();
        rows.filter(Row::differs).map(|row| row.name).collect()
    }

    fn rows(&self) -> Vec<Row> {
        if !self.is_whole() {
            return Vec::new();
        }
        let row = |name, of: fn(&Account) -> Seen| Row {
            name,
            ours: of(&self.ours),
            theirs: of(&self.theirs),
        };
        let mut rows = vec![row("handshake", |account| {
            account.handshake.clone().unwrap_or_default()
        })];
        if self.ours.opened && self.theirs.opened {
            rows.push(row("subprotocol", |account| {
                Seen::plain(account.subprotocol.as_deref().unwrap_or("none"))
            }));
            rows.push(row("extensions", |account| {
                Seen::plain(match account.extensions.join(", ") {
                    none if none.is_empty() => "none".to_owned(),
                    some => some,
                })
            }));
            rows.push(row("pongs", |account| {
                Seen::plain(format!("{} of {}", account.pongs, account.pings))
            }));
            rows.push(row("close", |account| {
                account.close.clone().unwrap_or_default()
            }));
        }
        let none = || Seen::plain("none");
        if self.ours.error.is_some() || self.theirs.error.is_some() {
            rows.push(Row {
                name: "error",
                ours: self.ours.error.clone().unwrap_or_else(none),
                theirs: self.theirs.error.clone().unwrap_or_else(none),
            });
        }
        // Whether one comes in time is chance: only where both got one there is something to compare.
        if let (Some(ours), Some(theirs)) = (&self.ours.message, &self.theirs.message) {
            rows.push(Row {
                name: "message",
                ours: ours.clone(),
                theirs: theirs.clone(),
            });
        }
        rows
    }

    /// "Is it my server, or this tool?"
    fn answer(&self) -> String {
        let differences = self.differences();
        if differences.is_empty() {
            return match (self.ours.failed, self.ours.never_asked()) {
                (false, _) => "same: both saw the same, and all went well".to_owned(),
                (true, true) => {
                    "same: neither got as far as the handshake, and the way there is one for both"
                        .to_owned()
                }
                (true, false) => {
                    "same: both failed in the same way, so it is the server and not wscope"
                        .to_owned()
                }
            };
        }
        let why = match (self.ours.failed, self.theirs.failed) {
            (true, false) => {
                "only wscope failed: the server breaks a rule that not everybody checks, or wscope is wrong"
            }
            (false, true) => {
                "only tokio-tungstenite failed: it is not wscope, but other clients may fail here too"
            }
            _ => "the server does something that the two judge differently",
        };
        format!("different ({}): {why}", differences.join(", "))
    }
}

impl Row {
    fn differs(&self) -> bool {
        self.ours.key != self.theirs.key
    }
}

impl Seen {
    fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            key: text.clone(),
            text,
        }
    }

    fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            text: text.into(),
        }
    }
}

impl Account {
    fn observe(&mut self, what: &What) {
        match what {
            What::Open(open) => {
                self.opened = true;
                self.handshake = Some(Seen::plain("101"));
                self.subprotocol.clone_from(&open.subprotocol);
                self.extensions.clone_from(&open.extensions);
            }
            What::Refused(refused) => {
                self.failed = true;
                self.handshake = Some(Seen::plain(format!("HTTP {}", refused.status)));
            }
            // That the two differ is said of both.
            What::Error(problem) if problem.kind == "unmet" => {}
            What::Error(problem) => {
                self.failed = true;
                let seen = Seen::new(problem.kind, problem.message.clone());
                if self.handshake.is_none() {
                    self.handshake = Some(seen);
                } else if self.opened && problem.kind == "protocol" {
                    self.error.get_or_insert(seen);
                }
            }
            What::Ping {
                dir: Direction::Out,
                ..
            } => self.pings += 1,
            What::Pong { rtt: Some(_), .. } => self.pongs += 1,
            What::Message {
                dir: Direction::In,
                message,
                ..
            } => {
                self.message.get_or_insert_with(|| first_message(message));
            }
            What::Close(close) => {
                self.failed |= close.by != ClosedBy::Us && !close.code.is_ordinary();
                self.failed |= self.pongs < self.pings;
                self.close = Some(ending(close));
            }
            _ => {}
        }
    }

    /// Whether it failed before anything was said to the server.
    fn never_asked(&self) -> bool {
        let kind = self.handshake.as_ref().map(|seen| seen.key.as_str());
        matches!(kind, Some("dns" | "connect" | "proxy" | "tls" | "usage"))
    }
}

fn first_message(message: &Message) -> Seen {
    let kind = if message.is_text() { "text" } else { "binary" };
    let size = show_size(message.payload.len() as u64);
    Seen::new(kind, format!("first one {kind}, {size}"))
}

fn ending(close: &Close) -> Seen {
    let by = match close.by {
        ClosedBy::Peer => " by the peer",
        ClosedBy::Us => " by us",
        ClosedBy::Transport => "",
    };
    let clean = if close.clean { "clean" } else { "not clean" };
    let key = format!("{} ({}){by}, {clean}", close.code, close.code.name());
    let text = match close.reason.as_str() {
        "" => key.clone(),
        reason => format!("{key}: \"{reason}\""),
    };
    Seen::new(key, text)
}

struct Report {
    style: Style,
    comparison: Comparison,
}

impl Report {
    fn row(&self, row: &Row, page: &mut Page) {
        let label = format!("{:LABEL_WIDTH$}", row.name);
        if !row.differs() {
            return self.line(Ink::Dim, &label, &row.ours.text, page);
        }
        let width = NAME.len() + 1;
        for (label, name, seen) in [(label.as_str(), OURS, &row.ours), ("", NAME, &row.theirs)] {
            let text = format!("{:width$} {}", format!("{name}:"), seen.text);
            self.line(Ink::Error, &format!("{label:LABEL_WIDTH$}"), &text, page);
        }
    }

    fn line(&self, ink: Ink, label: &str, text: &str, page: &mut Page) {
        let label = self.style.paint(ink, label);
        let line = format!("{label}{}\n", sanitize::line(text));
        page.data.extend_from_slice(line.as_bytes());
    }
}

impl Format for Report {
    fn event(&mut self, event: &Event, page: &mut Page) {
        if !matches!(event.what, What::End(_)) {
            return self.comparison.observe(event);
        }
        if self.comparison.is_whole() {
            for row in self.comparison.rows() {
                self.row(&row, page);
            }
            self.line(Ink::Control, "", &self.comparison.answer(), page);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::view::sample::{self, open, ping, pong, problem, received, refused};

    fn theirs(mut event: Event) -> Event {
        event.name = Some(NAME.into());
        event
    }

    /// Both accounts, each from its own events.
    fn compared(ours: Vec<Event>, theirs: Vec<Event>) -> Comparison {
        let mut comparison = Comparison::default();
        for event in ours.into_iter().chain(theirs.into_iter().map(self::theirs)) {
            comparison.observe(&event);
        }
        comparison
    }

    fn close(code: u16, by: ClosedBy, reason: &str) -> Event {
        sample::close(code, by, reason, Duration::ZERO)
    }

    /// A conversation that goes well, with a round trip and a first message of its own.
    fn well(millis: u64, text: &str) -> Vec<Event> {
        vec![
            open(),
            received(text),
            ping(Direction::Out, b"1"),
            pong(b"1", Some(Duration::from_millis(millis))),
            close(1000, ClosedBy::Us, text),
        ]
    }

    #[test]
    fn times_and_texts_are_not_compared() {
        let comparison = compared(well(1, "at 12:00:01"), well(90, "at 12:00:02"));
        assert_eq!(comparison.differences(), [""; 0]);
        assert!(comparison.answer().ends_with("all went well"));
        // Whether a message comes in time is chance.
        let mut silent = well(1, "");
        silent.remove(1);
        assert_eq!(compared(well(1, "a"), silent).differences(), [""; 0]);
    }

    #[test]
    fn half_of_it_is_no_difference() {
        assert_eq!(compared(well(1, ""), vec![]).differences(), [""; 0]);
    }

    #[test]
    fn what_the_server_decides_is_compared() {
        let fails = |kind| problem(kind, "in words", None);
        let denied = || vec![refused(403, &[], b""), fails("refused")];
        let violates = || vec![open(), fails("protocol"), close(1002, ClosedBy::Us, "")];
        let leaves = || vec![open(), close(1011, ClosedBy::Peer, "")];
        let unanswered = || {
            let mut events = well(1, "");
            events.remove(3);
            events
        };
        let binary = || {
            let mut events = well(1, "");
            let message = Message::binary(vec![1]);
            events[1] = sample::event(sample::message(Direction::In, message));
            events
        };
        let good = || well(1, "");
        for (ours, theirs, differences, answer) in [
            (denied(), denied(), "", "it is the server and not wscope"),
            (
                vec![fails("tls")],
                vec![fails("tls")],
                "",
                "neither got as far",
            ),
            (violates(), violates(), "", "it is the server"),
            (
                good(),
                denied(),
                "handshake",
                "only tokio-tungstenite failed",
            ),
            (
                vec![fails("handshake")],
                good(),
                "handshake",
                "only wscope failed",
            ),
            (
                denied(),
                vec![fails("timeout")],
                "handshake",
                "the two judge",
            ),
            (
                good(),
                unanswered(),
                "pongs",
                "only tokio-tungstenite failed",
            ),
            (good(), binary(), "message", "the two judge"),
            (violates(), leaves(), "close, error", "the two judge"),
        ] {
            let comparison = compared(ours, theirs);
            assert_eq!(comparison.differences().join(", "), differences);
            assert!(
                comparison.answer().contains(answer),
                "{}",
                comparison.answer()
            );
        }
    }

    #[test]
    fn that_they_differ_is_no_failure_of_either() {
        let mut comparison = compared(well(1, ""), vec![problem("handshake", "", None)]);
        comparison.observe(&problem("unmet", "", None));
        assert!(
            comparison
                .answer()
                .contains("only tokio-tungstenite failed")
        );
    }
}
