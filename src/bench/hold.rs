//! The clock that the course of a run follows, and that a person may stop (`p` of the live view): stages
//! stay where they are meanwhile, and the end comes as much later.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// It is not stopped.
const GOES: u64 = u64::MAX;

/// Read by every thread; written by who holds the course.
#[derive(Debug)]
pub struct Hold {
    started: OnceLock<Instant>,
    /// Where the course was stopped, in microseconds from its start, or [`GOES`].
    at: AtomicU64,
    /// How long it was stopped before, in microseconds.
    lost: AtomicU64,
}

impl Default for Hold {
    fn default() -> Self {
        Self {
            started: OnceLock::new(),
            at: AtomicU64::new(GOES),
            lost: AtomicU64::new(0),
        }
    }
}

impl Hold {
    /// The run begins now.
    pub(super) fn start(&self, now: Instant) {
        // A run begins once.
        let _ = self.started.set(now);
    }

    pub fn is_held(&self) -> bool {
        self.at.load(Ordering::Relaxed) != GOES
    }

    /// How far the course is, so long after the start.
    pub fn course(&self, elapsed: Duration) -> Duration {
        match self.at.load(Ordering::Relaxed) {
            GOES => elapsed.saturating_sub(self.lost_before()),
            at => Duration::from_micros(at),
        }
    }

    /// How long the course has stood still by now.
    pub fn lost(&self, now: Instant) -> Duration {
        let elapsed = self.elapsed(now);
        if self.is_held() {
            elapsed.saturating_sub(self.course(elapsed))
        } else {
            self.lost_before()
        }
    }

    /// Stops the course, or lets it go on; says whether it is held now.
    pub fn toggle(&self, now: Instant) -> bool {
        if self.is_held() {
            let lost = self.lost(now).as_micros();
            self.lost
                .store(u64::try_from(lost).unwrap_or(0), Ordering::Relaxed);
            self.at.store(GOES, Ordering::Relaxed);
        } else {
            let at = self.course(self.elapsed(now)).as_micros();
            // A run that is longer than the clock has microseconds cannot be.
            self.at
                .store(u64::try_from(at).unwrap_or(0), Ordering::Relaxed);
        }
        self.is_held()
    }

    fn elapsed(&self, now: Instant) -> Duration {
        let started = self.started.get();
        started.map_or(Duration::ZERO, |started| {
            now.saturating_duration_since(*started)
        })
    }

    fn lost_before(&self) -> Duration {
        Duration::from_micros(self.lost.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_course_stands_still_and_goes_on_from_there() {
        let start = Instant::now();
        let after = Duration::from_secs;
        let hold = Hold::default();
        assert_eq!(hold.course(after(3)), after(3));
        hold.start(start);
        assert!(hold.toggle(start + after(10)));
        assert_eq!(hold.course(after(12)), after(10));
        assert_eq!(hold.lost(start + after(15)), after(5));
        assert!(!hold.toggle(start + after(15)));
        assert_eq!(hold.course(after(16)), after(11));
        assert!(hold.toggle(start + after(20)));
        assert_eq!(hold.lost(start + after(22)), after(7));
        hold.toggle(start + after(22));
        assert_eq!(hold.course(after(30)), after(23));
        assert_eq!(hold.lost(start + after(30)), after(7));
    }
}
