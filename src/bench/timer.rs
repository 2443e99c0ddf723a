//! What is to happen later on one thread, in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// What is to happen to a connection. `generation` tells it from others at the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A message is to be sent.
    Send { slot: usize, generation: u32 },
    /// The connection has lived long enough.
    Lifetime { slot: usize, generation: u32 },
    /// A slow connection may read again.
    Read { slot: usize, generation: u32 },
}

impl Timer {
    /// Place and generation.
    pub(super) const fn of(self) -> (usize, u32) {
        match self {
            Self::Send { slot, generation }
            | Self::Lifetime { slot, generation }
            | Self::Read { slot, generation } => (slot, generation),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Timer)>>,
}

impl Timers {
    pub(super) fn set(&mut self, due: Instant, timer: Timer) {
        self.heap.push(Reverse((due, timer)));
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((due, _))| *due)
    }

    /// Takes the next one that is due by now.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Instant, Timer)> {
        self.next().filter(|due| *due <= now)?;
        self.heap.pop().map(|Reverse(timer)| timer)
    }
}
