//! What was said in each room, as far as `--history` goes back. Pure.
//!
//! Messages are numbered from 1 in each room. A room's history outlives its last member, so that
//! who comes back can catch up. All of them together are bounded: the path that holds most gives
//! up its oldest first, of the room in which nothing was said for longest. The number of a room's last
//! message is kept when its messages are given up. Numbers too are bounded, and a room whose number is
//! forgotten goes on above all numbers that were, so that no number is ever given twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::serve::roster::Channel;
use crate::serve::shape::Outgoing;

/// Bytes of all histories together, roughly.
const MAX_BYTES: usize = 16 << 20;

/// Bytes that the names and numbers of all rooms take, roughly; some 20,000 rooms.
const MAX_ROOMS: usize = 4 << 20;

/// The number of a message in its room, from 1.
pub(super) type Offset = u64;

/// The histories of all rooms.
#[derive(Debug)]
pub(super) struct History {
    /// Messages of a room that are kept; 0 keeps and numbers none.
    keep: usize,
    rooms: BTreeMap<Channel, Kept>,
    paths: Paths,
    /// Rooms of which no more than the number is left, the quietest first.
    emptied: BTreeMap<u64, Channel>,
    /// Bytes of the names and numbers of all rooms.
    names: usize,
    /// Counts what was said in all rooms.
    clock: u64,
    /// No room that was forgotten had a higher number.
    forgotten: Offset,
}

#[derive(Debug, Default)]
struct Kept {
    messages: VecDeque<(Offset, Outgoing)>,
    last: Offset,
    bytes: usize,
    touched: u64,
}

/// What the histories of each path hold, and which of its rooms was quiet longest.
#[derive(Debug, Default)]
struct Paths {
    bytes: usize,
    of_path: BTreeMap<Arc<str>, usize>,
    /// The same from the other side.
    by_bytes: BTreeSet<(usize, Arc<str>)>,
    /// Rooms with messages, by path and by when the last one came.
    quiet: BTreeMap<(Arc<str>, u64), Channel>,
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
            paths: Paths::default(),
            emptied: BTreeMap::new(),
            names: 0,
            clock: 0,
            forgotten: 0,
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        self.keep > 0
    }

    /// Numbers a message and keeps it with that number in its stamp; returns both.
    pub(super) fn add(&mut self, room: &Channel, mut message: Outgoing) -> (Offset, Outgoing) {
        self.clock += 1;
        if !self.rooms.contains_key(room) {
            self.names += weight(room);
        }
        let kept = self.rooms.entry(room.clone()).or_insert_with(|| Kept {
            last: self.forgotten,
            ..Kept::default()
        });
        self.emptied.remove(&kept.touched);
        self.paths
            .quiet
            .remove(&(Arc::clone(&room.path), kept.touched));
        kept.last += 1;
        kept.touched = self.clock;
        let offset = kept.last;
        message.stamp = message.stamp.and("offset", offset);
        let before = kept.bytes;
        kept.bytes += message.size();
        kept.messages.push_back((offset, message.clone()));
        while kept.messages.len() > self.keep || kept.bytes > MAX_BYTES {
            kept.forget_oldest();
        }
        self.paths.changed(&room.path, before, kept.bytes);
        let place = (Arc::clone(&room.path), kept.touched);
        self.paths.quiet.insert(place, room.clone());
        while self.paths.bytes > MAX_BYTES && self.forget_a_message() {}
        while self.names > MAX_ROOMS && self.forget_a_room() {}
        (offset, message)
    }

    /// What was said after `since`, or all that is kept.
    pub(super) fn after(&self, room: &Channel, since: Option<Offset>) -> CatchUp<'_> {
        let kept = self.rooms.get(room);
        let last = kept.map_or(self.forgotten, |kept| kept.last);
        let first = kept.and_then(|kept| kept.messages.front());
        let first = first.map_or(last + 1, |(offset, _)| *offset);
        // Who knows a later message than we do met this room in another run of the server.
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

    /// Gives up the oldest message of one room; whether there was one.
    fn forget_a_message(&mut self) -> bool {
        let Some(place) = self.paths.quietest() else {
            return false;
        };
        let Some(room) = self.paths.quiet.get(&place).cloned() else {
            return false;
        };
        let Some(kept) = self.rooms.get_mut(&room) else {
            return false;
        };
        let before = kept.bytes;
        kept.forget_oldest();
        self.paths.changed(&room.path, before, kept.bytes);
        if kept.messages.is_empty() {
            kept.messages = VecDeque::new();
            self.paths.quiet.remove(&place);
            self.emptied.insert(kept.touched, room);
        }
        true
    }

    /// Gives up a room and its number; whether there was one.
    fn forget_a_room(&mut self) -> bool {
        while self.emptied.is_empty() && self.forget_a_message() {}
        let Some((_, room)) = self.emptied.pop_first() else {
            return false;
        };
        if let Some(kept) = self.rooms.remove(&room) {
            self.names -= weight(&room);
            self.forgotten = self.forgotten.max(kept.last);
        }
        true
    }
}

/// What a room takes beside its messages: it stands in three tables.
fn weight(room: &Channel) -> usize {
    room.path.len() + room.name.len() + size_of::<Kept>() + 3 * size_of::<Channel>()
}

impl Kept {
    fn forget_oldest(&mut self) {
        let oldest = self.messages.pop_front();
        self.bytes -= oldest.map_or(0, |(_, message)| message.size());
    }
}

impl Paths {
    /// A room on this path held `before` bytes, and holds `now`.
    fn changed(&mut self, path: &Arc<str>, before: usize, now: usize) {
        self.bytes = self.bytes + now - before;
        let bytes = self.of_path.remove(path).unwrap_or(0);
        self.by_bytes.remove(&(bytes, Arc::clone(path)));
        let bytes = bytes + now - before;
        if bytes > 0 {
            self.of_path.insert(Arc::clone(path), bytes);
            self.by_bytes.insert((bytes, Arc::clone(path)));
        }
    }

    /// Where the room stands in `quiet` that gives up first.
    fn quietest(&self) -> Option<(Arc<str>, u64)> {
        let (_, path) = self.by_bytes.last()?;
        let mut of_path = self.quiet.range((Arc::clone(path), 0)..);
        Some(of_path.next()?.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Channel {
        Channel::room("/".into(), name.into())
    }

    fn say_at(history: &mut History, path: &str, name: &str, text: &str) -> Offset {
        let message = Outgoing::new("message").with("text", text);
        history
            .add(&Channel::room(path.into(), name.into()), message)
            .0
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
        let kept = |history: &History| history.paths.quiet.len();
        for number in 0..40 {
            say(&mut history, &format!("r{number}"), &text);
        }
        assert!(history.paths.bytes <= MAX_BYTES && (10..16).contains(&kept(&history)));
        for _ in 0..40 {
            say(&mut history, "a", &text);
        }
        assert_eq!(kept(&history), 1);
        assert!(history.paths.bytes <= MAX_BYTES);
        assert!(history.after(&room("a"), None).messages.len() > 10);
        assert_eq!(history.paths.of_path.len(), 1);
        assert_eq!(history.paths.by_bytes.len(), 1);
    }

    /// What is given up takes no number with it: who returns learns that it missed something.
    #[test]
    fn numbers_go_on_where_messages_were_given_up() {
        let mut history = History::new(10);
        for _ in 0..3 {
            say(&mut history, "a", "hello");
        }
        let text = "x".repeat(900_000);
        for number in 0..30 {
            say(&mut history, &format!("r{number}"), &text);
        }
        assert_eq!(heard(&history, Some(2)), (vec![], 3, true));
        assert_eq!(heard(&history, Some(3)), (vec![], 3, false));
        assert_eq!(say(&mut history, "a", "again"), 4);
        assert_eq!(heard(&history, Some(3)), (vec![4], 4, false));
        assert_eq!(heard(&history, Some(2)), (vec![4], 4, true));
    }

    #[test]
    fn who_fills_a_path_takes_nothing_from_another() {
        let mut history = History::new(10);
        for _ in 0..3 {
            say(&mut history, "a", "hello");
        }
        let text = "x".repeat(900_000);
        for number in 0..30 {
            say_at(&mut history, "/noisy", &format!("r{number}"), &text);
        }
        assert_eq!(heard(&history, Some(1)), (vec![2, 3], 3, false));
        assert!(history.paths.bytes <= MAX_BYTES);
    }

    #[test]
    fn no_number_is_given_twice_where_there_are_more_rooms_than_are_remembered() {
        let mut history = History::new(1);
        for _ in 0..5 {
            say(&mut history, "a", "hello");
        }
        for number in 0..30_000 {
            say(&mut history, &format!("r{number}"), "x");
        }
        assert!(history.names <= MAX_ROOMS && !history.rooms.contains_key(&room("a")));
        assert_eq!(heard(&history, Some(4)), (vec![], 5, true));
        assert_eq!(heard(&history, Some(5)), (vec![], 5, false));
        assert_eq!(say(&mut history, "a", "again"), 6);
        assert_eq!(heard(&history, Some(4)), (vec![6], 6, true));
        let tables = history.paths.quiet.len() + history.emptied.len();
        assert_eq!(tables, history.rooms.len());
    }
}
