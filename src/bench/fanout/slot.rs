//! A message that is under way: how many have yet to get it, counted by all threads without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// One message at a time: its sequence, whether somebody missed it, and how many have yet to
/// get it, in one word, so that a message that comes late cannot be counted for its successor.
#[derive(Debug, Default)]
pub(super) struct Slot(AtomicU64);

const LEFT_BITS: u32 = 24;
const LEFT: u64 = (1 << LEFT_BITS) - 1;
const LOST: u64 = 1 << LEFT_BITS;
const SEQ_AT: u32 = LEFT_BITS + 1;

/// What became of a message when somebody got it, or left without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Others have yet to get it, or nobody waits for it any more.
    UnderWay,
    /// Nobody has to get it any more; `all` got it, or somebody missed it.
    Over { all: bool },
}

const fn seq_of(state: u64) -> u64 {
    state >> SEQ_AT
}

/// A sequence as far as it is kept.
const fn kept(seq: u64) -> u64 {
    seq << SEQ_AT >> SEQ_AT
}

impl Slot {
    /// A message is published that so many are to get.
    pub(super) fn begin(&self, seq: u64, receivers: usize) {
        let left = (receivers as u64).min(LEFT);
        self.0.store(seq << SEQ_AT | left, Ordering::Release);
    }

    /// Somebody got it, or `missed` it for good.
    pub(super) fn one_less(&self, seq: u64, missed: bool) -> Progress {
        let mut state = self.0.load(Ordering::Acquire);
        loop {
            if seq_of(state) != kept(seq) || state & LEFT == 0 {
                return Progress::UnderWay;
            }
            let lost = if missed { LOST } else { 0 };
            let next = (state - 1) | lost;
            let exchanged =
                self.0
                    .compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Acquire);
            match exchanged {
                Ok(_) if next & LEFT == 0 => {
                    return Progress::Over {
                        all: next & LOST == 0,
                    };
                }
                Ok(_) => return Progress::UnderWay,
                Err(other) => state = other,
            }
        }
    }

    /// How it stands.
    pub(super) fn progress(&self, seq: u64) -> Progress {
        let state = self.0.load(Ordering::Acquire);
        if seq_of(state) == kept(seq) && state & LEFT > 0 {
            Progress::UnderWay
        } else {
            Progress::Over {
                all: state & LOST == 0,
            }
        }
    }

    /// Nobody waits for it any more.
    pub(super) fn retire(&self, seq: u64) {
        self.0.store(seq << SEQ_AT | LOST, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Progress = Progress::Over { all: true };

    #[test]
    fn the_last_one_ends_it_and_late_ones_count_for_no_other() {
        let slot = Slot::default();
        slot.begin(1, 2);
        assert_eq!(slot.one_less(1, false), Progress::UnderWay);
        assert_eq!(slot.one_less(9, false), Progress::UnderWay);
        assert_eq!(slot.progress(1), Progress::UnderWay);
        assert_eq!(slot.one_less(1, false), ALL);
        assert_eq!(slot.progress(1), ALL);
        assert_eq!(slot.one_less(1, false), Progress::UnderWay);

        slot.begin(2, 2);
        assert_eq!(slot.one_less(2, true), Progress::UnderWay);
        assert_eq!(slot.one_less(2, false), Progress::Over { all: false });
        slot.begin(3, 1);
        slot.retire(3);
        assert_eq!(slot.one_less(3, false), Progress::UnderWay);
        assert_eq!(slot.progress(3), Progress::Over { all: false });
    }

    #[test]
    fn threads_agree_on_who_was_the_last() {
        let slot = Slot::default();
        for seq in 1..200 {
            slot.begin(seq, 8);
            let last = std::thread::scope(|scope| {
                let get = || (0..2).filter(|_| slot.one_less(seq, false) == ALL).count();
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(get)).collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap())
                    .sum::<usize>()
            });
            assert_eq!(last, 1);
        }
    }
}
