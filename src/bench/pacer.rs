//! The schedule of an open loop: when which message is due, whatever the server does. Pure.
//!
//! The times are fixed in advance (message k is due at k / rate), so that a server that stalls does
//! not slow the schedule down: latency runs from when a message was due (coordinated omission).

use std::time::{Duration, Instant};

/// The schedule of one thread.
#[derive(Debug)]
pub struct Pacer {
    /// Messages per second.
    rate: f64,
    /// When the present rate began, and how many were due before.
    since: Instant,
    /// Due since then and taken.
    taken: u64,
}

impl Pacer {
    /// `phase` (0 to 1) is how much of the first interval passes before the first message, so that
    /// threads do not fire together.
    pub fn new(rate: f64, phase: f64, now: Instant) -> Self {
        let offset = if rate > 0.0 { phase / rate } else { 0.0 };
        Self {
            rate,
            since: now + Duration::from_secs_f64(offset),
            taken: 0,
        }
    }

    /// When the next message is due; `None` at a rate of zero.
    pub fn next_due(&self) -> Option<Instant> {
        (self.rate > 0.0)
            .then(|| self.since + Duration::from_secs_f64(self.taken as f64 / self.rate))
    }

    /// Takes the next message if it is due by now, and says when it was.
    pub fn take(&mut self, now: Instant) -> Option<Instant> {
        let due = self.next_due().filter(|due| *due <= now)?;
        self.taken += 1;
        Some(due)
    }

    /// Goes on at another rate; what was due by the old one stays due.
    pub fn set_rate(&mut self, rate: f64, now: Instant) {
        if rate == self.rate {
            return;
        }
        let next = self.next_due().unwrap_or(now);
        // The part of the present interval that has passed counts at the new rate too.
        let left = next.saturating_duration_since(now).as_secs_f64() * self.rate;
        self.since = if next <= now || rate <= 0.0 {
            next
        } else {
            now + Duration::from_secs_f64(left / rate)
        };
        self.taken = 0;
        self.rate = rate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(pacer: &mut Pacer, now: Instant) -> usize {
        std::iter::from_fn(|| pacer.take(now)).count()
    }

    #[test]
    fn everything_that_fell_due_during_a_stall_is_still_due_at_its_own_time() {
        let start = Instant::now();
        let mut pacer = Pacer::new(1000.0, 0.0, start);
        assert_eq!(pacer.take(start), Some(start));
        assert_eq!(pacer.take(start), None);
        let later = start + Duration::from_secs(1);
        assert_eq!(pacer.take(later), Some(start + Duration::from_millis(1)));
        assert_eq!(take_all(&mut pacer, later), 999);
    }

    #[test]
    fn no_rounding_is_carried_along() {
        let start = Instant::now();
        let mut pacer = Pacer::new(3.0, 0.0, start);
        let end = start + Duration::from_secs(10_000) + Duration::from_millis(1);
        assert_eq!(take_all(&mut pacer, end), 30_001);
    }

    #[test]
    fn a_new_rate_goes_on_from_where_the_old_one_was() {
        let start = Instant::now();
        let mut pacer = Pacer::new(1.0, 0.0, start);
        assert!(pacer.take(start).is_some());
        // Half of the second is over; at ten times the rate the other half takes 50 ms.
        let half = start + Duration::from_millis(500);
        pacer.set_rate(10.0, half);
        assert_eq!(pacer.next_due(), Some(half + Duration::from_millis(50)));
        pacer.set_rate(0.0, half);
        assert_eq!(pacer.next_due(), None);
    }

    #[test]
    fn the_phase_delays_the_first_message() {
        let start = Instant::now();
        let pacer = Pacer::new(10.0, 0.5, start);
        assert_eq!(pacer.next_due(), Some(start + Duration::from_millis(50)));
    }
}
