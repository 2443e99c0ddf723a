//! What the threads of a run share: who is there in each group, and the messages that are under way.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mio::Waker;

use super::doorbell::Doorbell;
use super::marker::{Key, Marker};
use super::slot::{Progress, Slot};
use super::window::Window;
use super::{Audience, Fanout};

/// Shared by all threads of a run.
#[derive(Debug)]
pub struct Exchange {
    pub(super) fanout: Fanout,
    pub(super) audience: Audience,
    pub(super) key: Key,
    started: Instant,
    /// A message that is over leads to the next one.
    closed_loop: bool,
    groups: Vec<Mutex<Present>>,
    publishers: Vec<Publisher>,
    /// How many of them are there.
    publishing: AtomicUsize,
    doorbells: Vec<Doorbell>,
}

/// Who of a group is there.
#[derive(Debug, Default)]
struct Present {
    subscribers: usize,
    publishers: usize,
}

#[derive(Debug)]
struct Publisher {
    /// The sequence of the last message.
    published: AtomicU64,
    /// That of the first message that counts.
    counts_from: AtomicU64,
    slots: Box<[Slot]>,
}

/// A message that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) marker: Marker,
    pub(super) receivers: usize,
}

impl Exchange {
    pub fn new(fanout: Fanout, threads: usize, closed_loop: bool, started: Instant) -> Self {
        let slots = || (0..fanout.places()).map(|_| Slot::default()).collect();
        let publisher = |_| Publisher {
            published: AtomicU64::new(0),
            counts_from: AtomicU64::new(u64::MAX),
            slots: slots(),
        };
        Self {
            fanout,
            audience: fanout.audience.unwrap_or_default(),
            key: Key::new(rand::random()),
            started,
            closed_loop,
            groups: (0..fanout.groups).map(|_| Mutex::default()).collect(),
            publishers: (0..fanout.publishers).map(publisher).collect(),
            publishing: AtomicUsize::new(0),
            doorbells: (0..threads).map(|_| Doorbell::default()).collect(),
        }
    }

    /// How a thread is woken when a message of one of its publishers is over.
    pub(in crate::bench) fn wakes(&self, thread: usize, waker: Arc<Waker>) {
        self.doorbells[thread].wakes(waker);
    }

    /// The places of a thread's connections whose messages may be over.
    pub(in crate::bench) fn take_over(&self, thread: usize) -> Vec<usize> {
        self.doorbells[thread].take()
    }

    /// How many publishers fall to a thread.
    pub(in crate::bench) const fn publishers_of(&self, thread: usize) -> usize {
        super::super::shared::part(self.fanout.publishers, thread, self.doorbells.len())
    }

    /// The part of all messages that falls to a thread, 0 to 1.
    pub(in crate::bench) fn share_of(&self, thread: usize) -> f64 {
        self.publishers_of(thread) as f64 / self.fanout.publishers as f64
    }

    /// The part of `count` messages that falls to a thread, by its publishers.
    pub(in crate::bench) fn part_of(&self, count: u64, thread: usize) -> u64 {
        let before: usize = (0..thread).map(|one| self.publishers_of(one)).sum();
        let upto = |publishers: usize| {
            let share = u128::from(count) * publishers as u128 / self.fanout.publishers as u128;
            share as u64
        };
        upto(before + self.publishers_of(thread)) - upto(before)
    }

    /// Whether nobody is there who publishes.
    pub(in crate::bench) fn is_silent(&self) -> bool {
        self.publishing.load(Ordering::Relaxed) == 0
    }

    fn group(&self, group: usize) -> MutexGuard<'_, Present> {
        self.groups[group]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The publishers of a group, in the order of the windows on them.
    fn publishers_in(&self, group: usize) -> impl Iterator<Item = &Publisher> {
        self.publishers
            .iter()
            .skip(group)
            .step_by(self.fanout.groups)
    }

    /// A connection is there; what it sees of each publisher from now on.
    pub(super) fn join(&self, group: usize, publishes: bool) -> Vec<Window> {
        let mut present = self.group(group);
        if publishes {
            present.publishers += 1;
            self.publishing.fetch_add(1, Ordering::Relaxed);
        } else {
            present.subscribers += 1;
        }
        let hears = !publishes || self.audience != Audience::default();
        let publishers = self.publishers_in(group).filter(|_| hears);
        publishers
            .map(|publisher| Window::new(publisher.published.load(Ordering::Acquire)))
            .collect()
    }

    /// A connection is gone. `outstanding` is told of each message that it did not get (publisher and
    /// sequence), and whether that is because later ones came instead.
    pub(super) fn leave(
        &self,
        group: usize,
        publishes: bool,
        windows: &[Window],
        mut outstanding: impl FnMut(usize, u64, bool),
    ) {
        let mut present = self.group(group);
        let count = if publishes {
            self.publishing.fetch_sub(1, Ordering::Relaxed);
            &mut present.publishers
        } else {
            &mut present.subscribers
        };
        *count = count.saturating_sub(1);
        let last: Vec<u64> = self
            .publishers_in(group)
            .map(|publisher| publisher.published.load(Ordering::Acquire))
            .collect();
        drop(present);
        for (place, (window, last)) in windows.iter().zip(last).enumerate() {
            let publisher = place * self.fanout.groups + group;
            for seq in window.outstanding(last) {
                outstanding(publisher, seq, window.passed_over(seq));
            }
        }
    }

    /// A publisher sends its next message, whose place has to be free.
    pub(super) fn publish(&self, publisher: usize, due: Instant, counts: bool) -> Published {
        let one = &self.publishers[publisher];
        let present = self.group(self.fanout.group(publisher));
        let seq = one.published.load(Ordering::Relaxed) + 1;
        let mut receivers = present.subscribers;
        if self.audience.publishers {
            receivers += present.publishers.saturating_sub(1);
        }
        receivers += usize::from(self.audience.sender);
        one.slot(seq).begin(seq, receivers);
        if counts {
            one.counts_from.fetch_min(seq, Ordering::AcqRel);
        }
        one.published.store(seq, Ordering::Release);
        drop(present);
        Published {
            marker: Marker {
                publisher,
                seq,
                due: due.saturating_duration_since(self.started),
                counts,
            },
            receivers,
        }
    }

    /// Whether a publisher has sent a message of this number; there may be no such publisher.
    pub(super) fn has_published(&self, publisher: usize, seq: u64) -> bool {
        let publisher = self.publishers.get(publisher);
        publisher.is_some_and(|one| seq <= one.published.load(Ordering::Acquire))
    }

    /// The sequence from which on messages of a publisher count.
    pub(super) fn counts_from(&self, publisher: usize) -> u64 {
        self.publishers[publisher]
            .counts_from
            .load(Ordering::Acquire)
    }

    /// How long ago a message was due.
    pub(super) fn since(&self, due: Duration, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
            .saturating_sub(due)
    }

    /// Somebody got a message; true where all have it by now.
    pub(super) fn got(&self, publisher: usize, seq: u64) -> bool {
        let progress = self.publishers[publisher].slot(seq).one_less(seq, false);
        self.is_over(publisher, progress);
        progress == Progress::Over { all: true }
    }

    /// Somebody who should have got a message has left; `missed`: and that counts against it.
    pub(super) fn gone_without(&self, publisher: usize, seq: u64, missed: bool) {
        let progress = self.publishers[publisher].slot(seq).one_less(seq, missed);
        self.is_over(publisher, progress);
    }

    fn is_over(&self, publisher: usize, progress: Progress) {
        if self.closed_loop && matches!(progress, Progress::Over { .. }) {
            let threads = self.doorbells.len();
            self.doorbells[publisher % threads].ring(publisher / threads);
        }
    }

    /// How it stands with a message that is under way.
    pub(super) fn progress(&self, publisher: usize, seq: u64) -> Progress {
        self.publishers[publisher].slot(seq).progress(seq)
    }

    /// Nobody waits for a message any more.
    pub(super) fn retire(&self, publisher: usize, seq: u64) {
        self.publishers[publisher].slot(seq).retire(seq);
    }
}

impl Publisher {
    fn slot(&self, seq: u64) -> &Slot {
        // There is a power of two of them.
        &self.slots[seq as usize & (self.slots.len() - 1)]
    }
}
