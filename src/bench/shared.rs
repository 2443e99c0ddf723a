//! What the threads of a run share: the phase that the run is in, and how many connections are open.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

use super::storm::Storm;

/// The course of a run. Phases only go forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Connections are being opened.
    Ramp,
    /// The load runs; nothing is measured yet.
    WarmUp,
    Measure,
    /// Nothing is sent any more; answers are waited for.
    Drain,
    /// Connections are closed with 1000.
    Close,
    /// Whatever is left is dropped.
    Stop,
}

impl Phase {
    pub(super) const ALL: [Self; 6] = [
        Self::Ramp,
        Self::WarmUp,
        Self::Measure,
        Self::Drain,
        Self::Close,
        Self::Stop,
    ];
}

/// Read by every thread; written by the coordinator, and the counts by the threads.
#[derive(Debug, Default)]
pub struct Shared {
    phase: AtomicU8,
    open: AtomicUsize,
    /// No more connections are opened: too many attempts failed.
    gave_up: AtomicBool,
    pub(super) storm: Storm,
}

impl Shared {
    pub fn phase(&self) -> Phase {
        Phase::ALL[usize::from(self.phase.load(Ordering::Acquire)) % Phase::ALL.len()]
    }

    pub fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn give_up(&self) {
        self.gave_up.store(true, Ordering::Relaxed);
    }

    pub fn gave_up(&self) -> bool {
        self.gave_up.load(Ordering::Relaxed)
    }
}

/// The part of `total` that falls to the `index`th of `count` threads; all parts make the total.
pub const fn part(total: usize, index: usize, count: usize) -> usize {
    total / count + if index < total % count { 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole() {
        for total in [0, 1, 7, 50, 10_001] {
            for count in 1..9 {
                let sum: usize = (0..count).map(|index| part(total, index, count)).sum();
                assert_eq!(sum, total);
            }
        }
    }
}
