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
pub(super) struct Search {
    pub(super) text: String,
    /// What is wrong with the text, if that is so.
    predicate: Result<Predicate, String>,
    /// Numbers, oldest first.
    hits: VecDeque<u64>,
    /// The next number to look at.
    next: u64,
}

impl Search {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            predicate: Predicate::parse(text).map_err(|error| error.sentence()),
            hits: VecDeque::new(),
            next: 1,
        }
    }

    /// What is wrong with the filter.
    pub(super) fn problem(&self) -> Option<&str> {
        self.predicate.as_ref().err().map(String::as_str)
    }

    /// Looks at some of what is new; says whether there is more.
    pub(super) fn scan(&mut self, ring: &Ring) -> bool {
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

    pub(super) fn count(&self) -> usize {
        self.hits.len()
    }

    /// How many were looked at, of those that are here.
    pub(super) fn is_behind(&self, ring: &Ring) -> bool {
        self.predicate.is_ok() && self.next <= ring.last()
    }

    pub(super) fn is_hit(&self, number: u64) -> bool {
        self.hits.binary_search(&number).is_ok()
    }

    /// How many hits there are after `number`.
    pub(super) fn count_after(&self, number: u64) -> usize {
        self.hits.len() - self.hits.partition_point(|hit| *hit <= number)
    }

    /// The first hit after `number`.
    pub(super) fn after(&self, number: u64) -> Option<u64> {
        let at = self.hits.partition_point(|hit| *hit <= number);
        self.hits.get(at).copied()
    }

    /// The last hit before `number`.
    pub(super) fn before(&self, number: u64) -> Option<u64> {
        let at = self.hits.partition_point(|hit| *hit < number);
        self.hits.get(at.checked_sub(1)?).copied()
    }
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
    fn a_wrong_filter_hits_nothing_and_says_why() {
        let mut ring = Ring::default();
        push(&mut ring, "x");
        let mut search = Search::new("size>");
        assert!(!search.scan(&ring));
        assert!(search.problem().is_some());
        assert!(!search.is_behind(&ring));
    }
}
