//! The filter of the list: what is typed, and which entries it hits.
//!
//! A hundred thousand messages are not looked at in one go: [`Search::scan`] looks at some and says
//! whether there are more, so that keys are obeyed in between.

use std::collections::VecDeque;

use crate::model::event::What;
use crate::text::predicate::Predicate;
use crate::view::ring::Ring;

/// What one scan looks at, at most.
const ENTRIES: usize = 4_000;
const BYTES: usize = 1 << 20;

/// A filter and its hits so far.
#[derive(Debug, Clone)]
pub(in crate::tui) struct Search {
    pub(in crate::tui) text: String,
    /// What is wrong with the text, if that is so.
    predicate: Result<Predicate, String>,
    /// Numbers, oldest first.
    hits: VecDeque<u64>,
    /// The next number to look at.
    next: u64,
}

impl Search {
    pub(in crate::tui) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            predicate: Predicate::parse(text)
                .or_else(|error| plain(text).ok_or(error))
                .map_err(|error| error.sentence()),
            hits: VecDeque::new(),
            next: 1,
        }
    }

    /// What is wrong with the filter.
    pub(in crate::tui) fn problem(&self) -> Option<&str> {
        self.predicate.as_ref().err().map(String::as_str)
    }

    /// Looks at some of what is new; says whether there is more.
    pub(in crate::tui) fn scan(&mut self, ring: &Ring) -> bool {
        let Ok(predicate) = &self.predicate else {
            return false;
        };
        while self.hits.front().is_some_and(|hit| *hit < ring.first()) {
            self.hits.pop_front();
        }
        self.next = self.next.max(ring.first());
        let mut bytes = 0;
        for _ in 0..ENTRIES {
            let Some(entry) = ring.get(self.next) else {
                return false;
            };
            if predicate.matches(&entry.event.what) {
                self.hits.push_back(entry.number);
            }
            self.next += 1;
            if let What::Message { message, .. } = &entry.event.what {
                bytes += message.payload.len();
            }
            if bytes >= BYTES {
                break;
            }
        }
        self.next <= ring.last()
    }

    pub(in crate::tui) fn count(&self) -> usize {
        self.hits.len()
    }

    /// How many were looked at, of those that are here.
    pub(in crate::tui) fn is_behind(&self, ring: &Ring) -> bool {
        self.predicate.is_ok() && self.next <= ring.last()
    }

    pub(in crate::tui) fn is_hit(&self, number: u64) -> bool {
        self.hits.binary_search(&number).is_ok()
    }

    /// How many hits there are after `number`.
    pub(super) fn count_after(&self, number: u64) -> usize {
        self.hits.len() - self.hits.partition_point(|hit| *hit <= number)
    }

    /// The first hit after `number`.
    pub(in crate::tui) fn after(&self, number: u64) -> Option<u64> {
        let at = self.hits.partition_point(|hit| *hit <= number);
        self.hits.get(at).copied()
    }

    /// The last hit before `number`.
    pub(in crate::tui) fn before(&self, number: u64) -> Option<u64> {
        let at = self.hits.partition_point(|hit| *hit < number);
        self.hits.get(at.checked_sub(1)?).copied()
    }
}

/// What is no filter but reads like a piece of a message, `"id":7` or words, is looked for as it is.
/// What begins as a test does, or joins some, was meant as one.
fn plain(text: &str) -> Option<Predicate> {
    const TESTS: [&str; 8] = ["json:", "op:", "dir:", "size", "code:", "/", "!", "("];
    let text = text.trim();
    let has_test = |word: &str| TESTS.iter().any(|test| word.starts_with(test));
    let meant = text
        .split_whitespace()
        .any(|word| matches!(word, "&" | "|" | "&&" | "||") || has_test(word));
    // A text that is still being typed, and no more.
    let is_open = text.starts_with('"') && !text[1..].contains('"');
    if meant || is_open {
        return None;
    }
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    Predicate::parse(&format!("\"{quoted}\"")).ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::event::{Direction, Event};
    use crate::model::message::Message;

    fn push(ring: &mut Ring, text: &str) {
        ring.push(Event {
            time: SystemTime::UNIX_EPOCH,
            at: Duration::ZERO,
            conn: Some(1),
            name: None,
            what: What::Message {
                dir: Direction::In,
                message: Message::text(text),
                frames: 1,
                wire: 0,
                json: None,
            },
        });
    }

    #[test]
    fn hits_are_found_in_steps_and_leave_with_their_entries() {
        let mut ring = Ring::default();
        let most = Ring::MOST_ENTRIES as u64;
        for number in 1..=most {
            push(&mut ring, if number % 1000 == 0 { "needle" } else { "hay" });
        }
        let mut search = Search::new("needle");
        let mut scans = 1;
        while search.scan(&ring) {
            scans += 1;
        }
        assert!(scans > 10);
        assert_eq!(search.count(), 100);
        assert_eq!(
            (search.after(0), search.after(1000)),
            (Some(1000), Some(2000))
        );
        assert_eq!(
            (search.before(1000), search.before(1001)),
            (None, Some(1000))
        );
        assert_eq!(search.after(most), None);
        for _ in 0..2000 {
            push(&mut ring, "hay");
        }
        assert!(!search.scan(&ring));
        assert_eq!(search.count(), 98);
        assert!(search.is_hit(3000) && !search.is_hit(3001) && !search.is_hit(2000));
    }

    #[test]
    fn large_messages_make_small_steps() {
        let mut ring = Ring::default();
        for _ in 0..4 {
            push(&mut ring, &"x".repeat(1 << 20));
        }
        let mut search = Search::new("x");
        assert!(search.scan(&ring));
        assert_eq!(search.count(), 1);
    }

    #[test]
    fn a_piece_of_a_message_is_looked_for_as_it_is() {
        let mut ring = Ring::default();
        push(&mut ring, r#"{"id":7777,"name":"a b\n"}"#);
        for text in [
            r#""id":7777"#,
            r#""id":7777,"name""#,
            r#""name":"a b\n"#,
            "{\"id\":7777,",
        ] {
            let mut search = Search::new(text);
            search.scan(&ring);
            assert_eq!((search.problem(), search.count()), (None, 1), "{text}");
        }
        for wrong in [
            "op:ping json:/id",
            "\"a\" op:text",
            "\"open",
            "size>",
            "/(/",
            "a & ",
        ] {
            assert!(Search::new(wrong).problem().is_some(), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_filter_hits_nothing_and_says_why() {
        let mut ring = Ring::default();
        push(&mut ring, "x");
        let mut search = Search::new("size>");
        assert!(!search.scan(&ring));
        assert!(search.problem().is_some());
        assert!(!search.is_behind(&ring));
    }
}
