//! `--storm T`: from time to time all connections are dropped and open again at once, as after a deploy
//! or an outage. Each thread drops its own; the last connection that is back ends the storm.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// What the threads share of the present storm.
#[derive(Debug, Default)]
pub struct Storm {
    number: AtomicU64,
    /// Nanoseconds from the start of the run.
    began: AtomicU64,
    /// Connections that are not back yet, and threads that have not dropped theirs.
    absent: AtomicUsize,
}

impl Storm {
    /// A storm begins, so long after the start of the run.
    pub(super) fn begin(&self, threads: usize, at: Duration) {
        self.absent.store(threads, Ordering::Release);
        self.began.store(at.as_nanos() as u64, Ordering::Release);
        self.number.fetch_add(1, Ordering::AcqRel);
    }

    /// How many there were.
    pub(super) fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    pub(super) fn began(&self) -> Duration {
        Duration::from_nanos(self.began.load(Ordering::Acquire))
    }

    /// A thread has dropped so many; true where nobody has to come back.
    pub(super) fn dropped(&self, count: usize) -> bool {
        self.absent.fetch_add(count, Ordering::AcqRel);
        self.back()
    }

    /// A connection is back; true where it was the last one.
    pub(super) fn back(&self) -> bool {
        self.absent.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_over_when_every_thread_has_its_connections_back() {
        let storm = Storm::default();
        storm.begin(2, Duration::from_secs(3));
        assert_eq!((storm.number(), storm.began()), (1, Duration::from_secs(3)));
        // The first thread is back before the second one has noticed.
        assert!(!storm.dropped(2));
        assert!(!storm.back() && !storm.back());
        assert!(!storm.dropped(1));
        assert!(storm.back());
        // Nobody was there.
        storm.begin(1, Duration::ZERO);
        assert!(storm.dropped(0));
    }
}
