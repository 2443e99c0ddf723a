//! What was said in each room, as far as `--history` goes back. Pure.
//!
//! Messages are numbered from 1 in each room. A room's history outlives its last member, so that
//! who comes back can catch up; all of them together are bounded, and the room in which nothing
//! was said for longest is forgotten first.

use std::collections::{BTreeMap, VecDeque};

use crate::serve::roster::Channel;
use crate::serve::shape::Outgoing;

/// Bytes of all histories together, roughly.
const MAX_BYTES: usize = 16 << 20;

/// The number of a message in its room, from 1.
pub(super) type Offset = u64;

/// The histories of all rooms.
#[derive(Debug)]
pub(super) struct History {
    /// Messages of a room that are kept; 0 keeps and numbers none.
    keep: usize,
    rooms: BTreeMap<Channel, Kept>,
    bytes: usize,
    /// Counts what was said in all rooms.
    clock: u64,
}

#[derive(Debug, Default)]
struct Kept {
    messages: VecDeque<(Offset, Outgoing)>,
    last: Offset,
    bytes: usize,
    touched: u64,
}

/// What somebody who comes is told of a room.
#[derive(Debug)]
pub(super) struct CatchUp<'a> {
    /// The number of the last message; 0 where there was none.
    pub(super) last: Offset,
    pub(super) messages: Vec<&'a Outgoing>,
    /// Some of what was asked for is not known any more.
    pub(super) gap: bool,
}

impl History {
    pub(super) fn new(keep: usize) -> Self {
        Self {
            keep,
            rooms: BTreeMap::new(),
            bytes: 0,
            clock: 0,
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        self.keep > 0
    }

    /// Numbers a message and keeps it with that number in its stamp; returns both.
    pub(super) fn add(&mut self, room: &Channel, mut message: Outgoing) -> (Offset, Outgoing) {
        self.clock += 1;
        let kept = self.rooms.entry(room.clone()).or_default();
        kept.last += 1;
        kept.touched = self.clock;
        let offset = kept.last;
        message.stamp = message.stamp.and("offset", offset);
        let size = message.size();
        kept.bytes += size;
        self.bytes += size;
        kept.messages.push_back((offset, message.clone()));
        while kept.messages.len() > self.keep || kept.bytes > MAX_BYTES {
            self.bytes -= kept.forget_oldest();
        }
        while self.bytes > MAX_BYTES {
            self.forget_a_room();
        }
        (offset, message)
    }

    /// What was said after `since`, or all that is kept.
    pub(super) fn after(&self, room: &Channel, since: Option<Offset>) -> CatchUp<'_> {
        let kept = self.rooms.get(room);
        let last = kept.map_or(0, |kept| kept.last);
        let first = kept.and_then(|kept| kept.messages.front());
        let first = first.map_or(last + 1, |(offset, _)| *offset);
        // Who knows a later message than we do met this room before it was forgotten.
        let from = since.filter(|since| *since <= last).unwrap_or(0);
        let messages = kept.into_iter().flat_map(|kept| &kept.messages);
        CatchUp {
            last,
            messages: messages
                .filter(|(offset, _)| *offset > from)
                .map(|(_, message)| message)
                .collect(),
            gap: since.is_some_and(|since| since > last || since + 1 < first),
        }
    }

    fn forget_a_room(&mut self) {
        let oldest = self.rooms.iter().min_by_key(|(_, kept)| kept.touched);
        if let Some(room) = oldest.map(|(room, _)| room.clone())
            && let Some(kept) = self.rooms.remove(&room)
        {
            self.bytes -= kept.bytes;
        }
    }
}

impl Kept {
    /// The bytes that it gives back.
    fn forget_oldest(&mut self) -> usize {
        let size = self
            .messages
            .pop_front()
            .map_or(0, |(_, message)| message.size());
        self.bytes -= size;
        size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Channel {
        Channel::room("/".into(), name.into())
    }

    fn say(history: &mut History, name: &str, text: &str) -> Offset {
        let message = Outgoing::new("message").with("text", text);
        history.add(&room(name), message).0
    }

    /// The offsets of what somebody who comes hears, the last one, and whether some are missing.
    fn heard(history: &History, since: Option<Offset>) -> (Vec<Offset>, Offset, bool) {
        let room = room("a");
        let catch_up = history.after(&room, since);
        let offsets = catch_up.messages.iter();
        let offsets = offsets.map(|message| message.stamp.read("offset").unwrap());
        (offsets.collect(), catch_up.last, catch_up.gap)
    }

    #[test]
    fn who_returns_hears_what_it_missed() {
        let mut history = History::new(3);
        assert_eq!(heard(&history, None), (vec![], 0, false));
        assert_eq!(heard(&history, Some(0)), (vec![], 0, false));
        for text in ["1", "2", "3", "4", "5"] {
            say(&mut history, "a", text);
        }
        assert_eq!(say(&mut history, "b", "other"), 1, "each room counts");
        assert_eq!(heard(&history, None), (vec![3, 4, 5], 5, false));
        assert_eq!(heard(&history, Some(4)), (vec![5], 5, false));
        assert_eq!(heard(&history, Some(2)), (vec![3, 4, 5], 5, false));
        assert_eq!(heard(&history, Some(1)), (vec![3, 4, 5], 5, true));
        assert_eq!(heard(&history, Some(9)), (vec![3, 4, 5], 5, true));
    }

    #[test]
    fn all_histories_together_are_bounded() {
        let mut history = History::new(1000);
        let text = "x".repeat(1 << 20);
        for number in 0..40 {
            say(&mut history, &format!("r{number}"), &text);
        }
        assert!(history.bytes <= MAX_BYTES && history.rooms.len() < 16);
        for _ in 0..40 {
            say(&mut history, "a", &text);
        }
        assert_eq!(history.rooms.len(), 1);
        assert!(history.bytes <= MAX_BYTES && history.after(&room("a"), None).messages.len() > 10);
    }
}
