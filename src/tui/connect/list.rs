//! The list of frames: which entries are shown, which is chosen, and whether it follows.
//!
//! It is anchored by number: what arrives moves nothing unless the list follows. A pause holds a
//! copy of the ring, so that what is looked at stays even where newer messages replace it.

use crate::model::event::What;
use crate::view::ring::{Entry, Ring};

use super::search::Search;

/// Entries that are passed at most on the way to the next one that is shown.
const FARTHEST: usize = Ring::MOST_ENTRIES;

/// What is listed. See the module for the rules.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// The chosen entry; the newest one while the list follows. 0 before the first.
    cursor: u64,
    /// The first row.
    top: u64,
    follows: bool,
    /// The newest entry that was on the screen, or there when the list followed.
    seen: u64,
    /// The chosen entry is to stand in the middle: one wants to see what is around it.
    centres: bool,
    frozen: Option<Box<Ring>>,
    pub(super) mark: Option<u64>,
    pub(super) search: Option<Search>,
    only_hits: bool,
    hides_control: bool,
}

impl Default for List {
    fn default() -> Self {
        Self {
            cursor: 0,
            top: 0,
            follows: true,
            seen: 0,
            centres: false,
            frozen: None,
            mark: None,
            search: None,
            only_hits: false,
            hides_control: false,
        }
    }
}

impl List {
    /// What is listed: the live ring, or the copy of a pause.
    pub(super) fn ring<'a>(&'a self, live: &'a Ring) -> &'a Ring {
        self.frozen.as_deref().unwrap_or(live)
    }

    pub(super) const fn follows(&self) -> bool {
        self.follows
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.frozen.is_some()
    }

    pub(super) const fn hides_control(&self) -> bool {
        self.hides_control
    }

    pub(super) const fn shows_only_hits(&self) -> bool {
        self.only_hits
    }

    /// The chosen entry.
    pub(super) fn chosen<'a>(&'a self, live: &'a Ring) -> Option<&'a Entry> {
        self.ring(live).get(self.cursor)
    }

    /// How many entries are new: they came since the list followed, and were not on the screen yet.
    pub(super) fn unseen(&self, live: &Ring) -> u64 {
        match &self.search {
            // Of a pause the hits of what is new are not known.
            Some(search) if self.only_hits && !self.is_paused() => {
                search.count_after(self.seen) as u64
            }
            _ if self.hides_control => {
                let new = self.seen.saturating_add(1).max(live.first())..=live.last();
                new.filter(|number| self.shows(live, *number)).count() as u64
            }
            _ => live.last().saturating_sub(self.seen),
        }
    }

    /// The entries of the rows, from the top.
    pub(super) fn rows<'a>(&'a self, live: &'a Ring, count: usize) -> Vec<&'a Entry> {
        let ring = self.ring(live);
        let mut rows = Vec::with_capacity(count);
        let mut at = self.top.checked_sub(1);
        while rows.len() < count {
            let Some(number) = at.and_then(|at| self.after(ring, at)) else {
                break;
            };
            rows.extend(ring.get(number));
            at = Some(number);
        }
        rows
    }

    /// Everything that is listed, or where there is a filter everything that it hits and how the
    /// connections opened and ended, on which a recording hangs.
    pub(super) fn listed<'a>(&'a self, live: &'a Ring) -> impl Iterator<Item = &'a Entry> {
        let ring = self.ring(live);
        ring.iter().filter(move |entry| match &self.search {
            Some(search) => search.is_hit(entry.number) || is_milestone(&entry.event.what),
            None => self.shows(ring, entry.number),
        })
    }

    /// Freezes the list, or lets it go on.
    pub(super) fn pause(&mut self, live: &Ring) {
        if self.frozen.take().is_none() {
            self.frozen = Some(Box::new(live.clone()));
        }
    }

    /// Follows the newest; ends a pause.
    pub(super) fn follow(&mut self) {
        self.frozen = None;
        self.follows = true;
    }

    /// Chooses the oldest.
    pub(super) fn oldest(&mut self, live: &Ring) {
        let ring = self.ring(live);
        if let Some(number) = self.after(ring, ring.first() - 1) {
            self.choose(number);
        }
    }

    /// Chooses this entry and stays there.
    pub(super) fn choose(&mut self, number: u64) {
        self.cursor = number;
        self.follows = false;
    }

    /// Moves the choice by so many rows.
    pub(super) fn step(&mut self, live: &Ring, rows: isize) {
        let ring = self.ring(live);
        let mut at = self.cursor;
        for _ in 0..rows.unsigned_abs() {
            let next = if rows < 0 {
                self.before(ring, at)
            } else {
                self.after(ring, at)
            };
            match next {
                Some(number) => at = number,
                None => break,
            }
        }
        if at != self.cursor || rows < 0 {
            self.choose(at);
        }
    }

    /// Chooses the next or the previous hit, around the end; says whether there is one.
    pub(super) fn go_to_hit(&mut self, live: &Ring, forwards: bool) -> bool {
        let Some(search) = &self.search else {
            return false;
        };
        let hit = if forwards {
            search.after(self.cursor).or_else(|| search.after(0))
        } else {
            search
                .before(self.cursor)
                .or_else(|| search.before(u64::MAX))
        };
        match hit.filter(|hit| self.ring(live).get(*hit).is_some()) {
            Some(hit) => {
                self.choose(hit);
                self.centres = true;
                true
            }
            None => false,
        }
    }

    /// Lists hits only, or all again; says whether there is a filter at all.
    pub(super) fn toggle_only_hits(&mut self) -> bool {
        self.only_hits = !self.only_hits && self.search.is_some();
        self.search.is_some()
    }

    pub(super) fn toggle_control(&mut self) {
        self.hides_control = !self.hides_control;
    }

    /// Takes another filter; `None` takes it away.
    pub(super) fn filter(&mut self, search: Option<Search>) {
        self.only_hits &= search.is_some();
        self.search = search;
    }

    /// Looks for hits in some of what is new; says whether there is more.
    pub(super) fn scan(&mut self, live: &Ring) -> bool {
        let Some(search) = &mut self.search else {
            return false;
        };
        search.scan(self.frozen.as_deref().unwrap_or(live))
    }

    /// Brings choice and top row in line with what is there now and with this many rows.
    pub(super) fn settle(&mut self, live: &Ring, rows: usize) {
        let ring = self.ring(live);
        let newest = self.before(ring, ring.last() + 1).unwrap_or(0);
        let cursor = if self.follows {
            newest
        } else {
            self.nearest(ring, self.cursor).unwrap_or(0)
        };
        let (lowest, highest) = (self.back(ring, cursor, rows), self.back(ring, newest, rows));
        let is_away = !(lowest..=cursor).contains(&self.top);
        let top = if self.centres && is_away {
            self.back(ring, cursor, rows.div_ceil(2))
        } else {
            self.top
        };
        let last = ring.last();
        self.centres = false;
        self.cursor = cursor;
        self.top = top.clamp(lowest, cursor.max(lowest)).min(highest);
        let seen = if self.follows {
            last
        } else {
            let lowest = self.rows(live, rows).last().map(|entry| entry.number);
            lowest.unwrap_or(0)
        };
        self.seen = self.seen.max(seen);
    }

    /// The entry that is so many rows above this one, counting it: the top of a list that ends with
    /// it.
    fn back(&self, ring: &Ring, number: u64, rows: usize) -> u64 {
        let mut at = number;
        for _ in 1..rows {
            match self.before(ring, at) {
                Some(before) => at = before,
                None => break,
            }
        }
        at
    }

    /// This one if it is shown, else the next that is, else the last before.
    fn nearest(&self, ring: &Ring, number: u64) -> Option<u64> {
        self.after(ring, number.saturating_sub(1))
            .or_else(|| self.before(ring, number))
    }

    /// The first that is shown after `number`.
    fn after(&self, ring: &Ring, number: u64) -> Option<u64> {
        let start = number.saturating_add(1).max(ring.first());
        if self.only_hits
            && let Some(search) = &self.search
        {
            return search.after(start - 1).filter(|hit| *hit <= ring.last());
        }
        (start..=ring.last())
            .take(FARTHEST)
            .find(|number| self.shows(ring, *number))
    }

    /// The last that is shown before `number`.
    fn before(&self, ring: &Ring, number: u64) -> Option<u64> {
        let end = number.min(ring.last() + 1);
        if self.only_hits
            && let Some(search) = &self.search
        {
            return search.before(end).filter(|hit| *hit >= ring.first());
        }
        (ring.first()..end)
            .rev()
            .take(FARTHEST)
            .find(|number| self.shows(ring, *number))
    }

    fn shows(&self, ring: &Ring, number: u64) -> bool {
        let is_control =
            |entry: &Entry| matches!(entry.event.what, What::Ping { .. } | What::Pong { .. });
        ring.get(number)
            .is_some_and(|entry| !self.hides_control || !is_control(entry))
    }
}

const fn is_milestone(what: &What) -> bool {
    matches!(
        what,
        What::State(_) | What::Open(_) | What::Refused(_) | What::Close(_)
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::event::{Direction, Event};
    use crate::model::message::Message;

    fn push(ring: &mut Ring, text: &str) {
        let what = if text == "ping" {
            What::Ping {
                dir: Direction::In,
                payload: "".into(),
            }
        } else {
            What::Message {
                dir: Direction::In,
                message: Message::text(text),
                frames: 1,
                wire: 0,
                json: None,
            }
        };
        ring.push(Event {
            time: SystemTime::UNIX_EPOCH,
            at: Duration::ZERO,
            conn: Some(1),
            name: None,
            what,
        });
    }

    fn ring(count: usize) -> Ring {
        let mut ring = Ring::default();
        for _ in 0..count {
            push(&mut ring, "x");
        }
        ring
    }

    fn numbers(list: &List, ring: &Ring, rows: usize) -> Vec<u64> {
        let rows = list.rows(ring, rows);
        rows.iter().map(|entry| entry.number).collect()
    }

    #[test]
    fn it_follows_until_one_moves_up() {
        let mut ring = ring(10);
        let mut list = List::default();
        list.settle(&ring, 4);
        assert_eq!(numbers(&list, &ring, 4), [7, 8, 9, 10]);
        list.step(&ring, -1);
        list.settle(&ring, 4);
        push(&mut ring, "new");
        list.settle(&ring, 4);
        assert_eq!(numbers(&list, &ring, 4), [7, 8, 9, 10]);
        assert_eq!(list.chosen(&ring).map(|entry| entry.number), Some(9));
        list.step(&ring, -5);
        list.settle(&ring, 4);
        assert_eq!(numbers(&list, &ring, 4), [4, 5, 6, 7]);
        list.follow();
        list.settle(&ring, 4);
        assert_eq!(numbers(&list, &ring, 4), [8, 9, 10, 11]);
    }

    #[test]
    fn an_empty_list_can_be_moved_in() {
        let ring = Ring::default();
        let mut list = List::default();
        for rows in [0, 1, 5] {
            list.step(&ring, -3);
            list.step(&ring, 3);
            list.oldest(&ring);
            list.settle(&ring, rows);
            assert!(list.rows(&ring, rows).is_empty());
        }
    }

    #[test]
    fn a_pause_keeps_what_is_replaced() {
        let mut live = ring(10);
        let mut list = List::default();
        list.settle(&live, 3);
        list.pause(&live);
        for _ in 0..Ring::MOST_ENTRIES {
            push(&mut live, "x");
        }
        list.settle(&live, 3);
        assert_eq!(numbers(&list, &live, 3), [8, 9, 10]);
        list.pause(&live);
        list.settle(&live, 3);
        assert_eq!(list.ring(&live).last(), live.last());
    }

    #[test]
    fn what_is_evicted_is_left() {
        let mut live = ring(10);
        let mut list = List::default();
        list.choose(3);
        list.settle(&live, 3);
        for _ in 0..Ring::MOST_ENTRIES {
            push(&mut live, "x");
        }
        list.settle(&live, 3);
        assert_eq!(numbers(&list, &live, 3), [11, 12, 13]);
    }

    #[test]
    fn pings_are_hidden_and_hits_are_found() {
        let mut ring = Ring::default();
        for text in ["a", "ping", "b", "ping", "ab", "ping", "c"] {
            push(&mut ring, text);
        }
        let mut list = List::default();
        list.toggle_control();
        list.settle(&ring, 9);
        assert_eq!(numbers(&list, &ring, 9), [1, 3, 5, 7]);
        assert!(!list.toggle_only_hits());
        list.filter(Some(Search::new("b")));
        assert!(!list.scan(&ring));
        assert!(list.go_to_hit(&ring, true));
        assert_eq!(list.chosen(&ring).map(|entry| entry.number), Some(3));
        assert!(list.go_to_hit(&ring, false));
        assert_eq!(list.chosen(&ring).map(|entry| entry.number), Some(5));
        assert!(list.toggle_only_hits());
        list.settle(&ring, 9);
        assert_eq!(numbers(&list, &ring, 9), [3, 5]);
        list.filter(None);
        list.settle(&ring, 9);
        assert_eq!(numbers(&list, &ring, 9), [1, 3, 5, 7]);
    }
}
