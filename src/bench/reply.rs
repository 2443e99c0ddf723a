//! Which message an answer belongs to: `--match`. Pure.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Instant;

use regex::bytes::Regex;
use serde_json::Value;

use super::payload::{Content, Payload, number};

/// How answers are known.
#[derive(Debug, Clone)]
pub enum Match {
    /// The answer is what was sent.
    Echo,
    /// Each message that comes answers the oldest one that waits.
    Fifo,
    /// No answers are expected.
    Nothing,
    /// The value at this JSON pointer (RFC 6901) is the same in both.
    Pointer(String),
    /// A message in which this is found answers the oldest one that waits; others are no answers.
    Regex(Regex),
}

impl Match {
    /// `echo`, `fifo`, `none`, `/json/pointer`, or else a regular expression.
    ///
    /// # Errors
    /// The words of the regular expressions' crate.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "echo" => Ok(Self::Echo),
            "fifo" => Ok(Self::Fifo),
            "none" => Ok(Self::Nothing),
            pointer if pointer.starts_with('/') => Ok(Self::Pointer(pointer.to_owned())),
            regex => Regex::new(regex).map(Self::Regex).map_err(|error| {
                format!("\"{regex}\" is not echo, fifo, none, a /pointer or a regex: {error}")
            }),
        }
    }

    pub const fn expects(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// What the answer to a message will be known by.
    pub fn mark(&self, payload: &Payload, seq: u64, sent: &[u8]) -> u64 {
        match (self, &payload.content) {
            (Self::Echo, Content::Numbered { .. }) => seq,
            (Self::Echo, Content::Varying(_)) => hash(sent),
            (Self::Pointer(pointer), _) => value_at(pointer, sent).unwrap_or_default(),
            _ => 0,
        }
    }

    /// What a message that came is an answer to.
    fn recognize(&self, payload: &Payload, connection: u64, came: &[u8]) -> Answers {
        let to = |mark: Option<u64>| mark.map_or(Answers::Nothing, Answers::Mark);
        match (self, &payload.content) {
            (Self::Echo, Content::Numbered { filler }) => {
                number(came, filler, connection).map_or(Answers::Nothing, Answers::Number)
            }
            (Self::Echo, Content::Constant(sent)) => oldest_if(sent == came),
            (Self::Echo, Content::Varying(_)) => Answers::Mark(hash(came)),
            // The exchange knows it again.
            (Self::Echo, Content::Marked { .. }) => Answers::Nothing,
            (Self::Fifo, _) => Answers::Oldest,
            (Self::Nothing, _) => Answers::Nothing,
            (Self::Pointer(pointer), _) => to(value_at(pointer, came)),
            (Self::Regex(regex), _) => oldest_if(regex.is_match(came)),
        }
    }
}

enum Answers {
    Nothing,
    /// The message with this number; numbers grow by one.
    Number(u64),
    Mark(u64),
    Oldest,
}

const fn oldest_if(answers: bool) -> Answers {
    if answers {
        Answers::Oldest
    } else {
        Answers::Nothing
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn value_at(pointer: &str, bytes: &[u8]) -> Option<u64> {
    let json: Value = serde_json::from_slice(bytes).ok()?;
    json.pointer(pointer)
        .map(|value| hash(value.to_string().as_bytes()))
}

/// A message that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub mark: u64,
    /// When it was due, and when it was written.
    pub due: Instant,
    pub written: Instant,
    /// It belongs to the measured time.
    pub counted: bool,
    /// Nobody waits for it any more; its answer may still come.
    pub given_up: bool,
}

/// Who waits for answers.
#[derive(Debug, Clone, Copy)]
pub struct Sender {
    /// The number of the connection.
    pub connection: u64,
    /// The number of the last message that was sent.
    pub last: u64,
}

/// What a message that came turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The answer to a message; out of order where that to a later message came before it.
    Answer {
        sent: Sent,
        in_order: bool,
    },
    /// The answer to a message that was answered before.
    Duplicate,
    Unexpected,
}

impl Verdict {
    /// Whether the message belongs to the measured time: an answer does if what it answers does.
    pub const fn counts(&self, measured: bool) -> bool {
        match self {
            Self::Answer { sent, .. } => sent.counted,
            Self::Duplicate | Self::Unexpected => measured,
        }
    }
}

/// Messages of one connection that wait for answers, the oldest first.
#[derive(Debug, Default)]
pub struct Ledger {
    waiting: VecDeque<Sent>,
    given_up: usize,
    /// Messages at the front that were sent before one that was answered.
    overtaken: usize,
}

/// Messages that nobody waits for any more are remembered up to this many for a connection.
const MOST_GIVEN_UP: usize = 1024;

impl Ledger {
    pub fn sent(&mut self, sent: Sent) {
        self.waiting.push_back(sent);
    }

    /// How many are waited for.
    pub fn in_flight(&self) -> usize {
        self.waiting.len() - self.given_up
    }

    /// What `came` is.
    pub fn came(&mut self, how: &Match, payload: &Payload, from: Sender, came: &[u8]) -> Verdict {
        let Sender { connection, last } = from;
        let at = match how.recognize(payload, connection, came) {
            Answers::Nothing => None,
            Answers::Oldest => (!self.waiting.is_empty()).then_some(0),
            Answers::Mark(mark) => self.find(mark),
            Answers::Number(seq) => match self.find(seq) {
                None if seq >= 1 && seq <= last => return Verdict::Duplicate,
                found => found,
            },
        };
        let Some(at) = at else {
            return Verdict::Unexpected;
        };
        let in_order = at >= self.overtaken;
        match self.waiting.remove(at) {
            Some(sent) => {
                self.given_up -= usize::from(sent.given_up);
                self.overtaken = if in_order { at } else { self.overtaken - 1 };
                Verdict::Answer { sent, in_order }
            }
            None => Verdict::Unexpected,
        }
    }

    fn find(&self, mark: u64) -> Option<usize> {
        self.waiting.iter().position(|sent| sent.mark == mark)
    }

    /// Gives up the messages that were written before `since`; those that count.
    pub fn give_up_before(&mut self, since: Instant) -> Given {
        let mut given = Given::default();
        for sent in &mut self.waiting {
            if sent.written >= since {
                break;
            }
            if !sent.given_up {
                sent.given_up = true;
                self.given_up += 1;
                given.all += 1;
                given.counted += u64::from(sent.counted);
            }
        }
        while self.given_up > MOST_GIVEN_UP {
            let oldest = self.waiting.pop_front();
            self.overtaken = self.overtaken.saturating_sub(1);
            self.given_up -= usize::from(oldest.is_some_and(|sent| sent.given_up));
        }
        given
    }

    /// Gives up everything, as the connection has ended; how many of those that were waited for
    /// count.
    pub fn give_up(&mut self) -> u64 {
        let waited = self
            .waiting
            .iter()
            .filter(|sent| sent.counted && !sent.given_up);
        let counted = waited.count() as u64;
        *self = Self::default();
        counted
    }
}

/// How many messages were given up.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    pub all: u64,
    /// Those of the measured time.
    pub counted: u64,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::feed::Feed;
    use crate::bench::template::Template;
    use crate::model::message::Kind;

    struct Exchange {
        how: Match,
        payload: Payload,
        ledger: Ledger,
        last: u64,
        now: Instant,
    }

    impl Exchange {
        fn new(how: &str, payload: Payload) -> Self {
            Self {
                how: Match::parse(how).unwrap(),
                payload,
                ledger: Ledger::default(),
                last: 0,
                now: Instant::now(),
            }
        }

        fn send(&mut self) -> Vec<u8> {
            self.last += 1;
            self.now += Duration::from_millis(1);
            let mut bytes = Vec::new();
            self.payload
                .write(&Feed::default(), 1, self.last, &[], &mut bytes);
            self.ledger.sent(Sent {
                mark: self.how.mark(&self.payload, self.last, &bytes),
                due: self.now,
                written: self.now,
                counted: true,
                given_up: false,
            });
            bytes
        }

        fn came(&mut self, bytes: &[u8]) -> &'static str {
            let sender = Sender {
                connection: 1,
                last: self.last,
            };
            match self.ledger.came(&self.how, &self.payload, sender, bytes) {
                Verdict::Answer {
                    sent: Sent { given_up: true, .. },
                    ..
                } => "too late",
                Verdict::Answer { in_order: true, .. } => "answer",
                Verdict::Answer { .. } => "overtaken",
                Verdict::Duplicate => "duplicate",
                Verdict::Unexpected => "unexpected",
            }
        }
    }

    #[test]
    fn numbered_echoes_tell_order_and_duplicates() {
        let mut exchange = Exchange::new("echo", Payload::generated(Kind::Text, 32));
        let (first, second, third) = (exchange.send(), exchange.send(), exchange.send());
        assert_eq!(exchange.came(&second), "answer");
        assert_eq!(exchange.came(&second), "duplicate");
        assert_eq!(exchange.came(&first), "overtaken");
        assert_eq!(exchange.came(b"news"), "unexpected");
        let mut of_another = third.clone();
        of_another[5] = b'2';
        assert_eq!(exchange.came(&of_another), "unexpected");
        exchange
            .ledger
            .give_up_before(exchange.now + Duration::from_millis(1));
        assert_eq!(exchange.ledger.in_flight(), 0);
        assert_eq!(exchange.came(&third), "too late");
        assert_eq!(exchange.came(&third), "duplicate");
    }

    #[test]
    fn behind_a_lost_answer_the_order_is_as_it_was() {
        let mut exchange = Exchange::new("echo", Payload::generated(Kind::Text, 32));
        let sent: Vec<_> = (0..6).map(|_| exchange.send()).collect();
        for (at, was) in [
            (1, "answer"),
            (2, "answer"),
            (4, "answer"),
            (3, "overtaken"),
            (5, "answer"),
            (0, "overtaken"),
        ] {
            assert_eq!(exchange.came(&sent[at]), was, "{at}");
        }
    }

    #[test]
    fn other_ways_to_know_an_answer() {
        let json = Template::parse(r#"{"id":{{seq}}}"#, &Feed::default()).unwrap();
        let varying = Payload {
            kind: Kind::Text,
            content: Content::Varying(json),
        };
        let mut exchange = Exchange::new("/id", varying.clone());
        exchange.send();
        exchange.send();
        assert_eq!(exchange.came(br#"{"ok":true,"id":2}"#), "answer");
        assert_eq!(exchange.came(br#"{"id":9}"#), "unexpected");
        assert_eq!(exchange.came(b"no JSON"), "unexpected");
        assert_eq!(exchange.came(br#"{"id":1}"#), "overtaken");

        let mut exchange = Exchange::new("echo", varying);
        let sent = exchange.send();
        assert_eq!(exchange.came(br#"{"id":7}"#), "unexpected");
        assert_eq!(exchange.came(&sent), "answer");

        let mut exchange = Exchange::new("fifo", Payload::generated(Kind::Text, 4));
        exchange.send();
        assert_eq!(exchange.came(b"anything"), "answer");
        assert_eq!(exchange.came(b"anything"), "unexpected");

        let mut exchange = Exchange::new("^ok", Payload::generated(Kind::Text, 4));
        exchange.send();
        assert_eq!(exchange.came(b"tick"), "unexpected");
        assert_eq!(exchange.came(b"ok 7"), "answer");
        assert!(Match::parse("(").unwrap_err().contains("regex"));
    }

    #[test]
    fn what_is_given_up_is_counted_once_and_forgotten_in_the_end() {
        let mut exchange = Exchange::new("echo", Payload::generated(Kind::Text, 32));
        for _ in 0..3000 {
            exchange.send();
        }
        let given = exchange.ledger.give_up_before(exchange.now);
        assert_eq!(
            given,
            Given {
                all: 2999,
                counted: 2999
            }
        );
        assert_eq!(
            exchange.ledger.give_up_before(exchange.now),
            Given::default()
        );
        assert!(exchange.ledger.waiting.len() <= MOST_GIVEN_UP + 1);
        assert_eq!(exchange.ledger.give_up(), 1);
        assert_eq!(exchange.ledger.in_flight(), 0);
    }
}
