//! Pings one after another, each when the one before was answered or is lost. Pure: time is an
//! argument.
//!
//! Never two at once: a peer may answer only the latest of several pings (RFC 6455, section 5.5.3),
//! and what it left out would look lost.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::model::units::show_duration;

/// How many pings, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub count: u64,
    /// From ping to ping, where the pong was faster.
    pub interval: Duration,
    /// How long a pong may take.
    pub timeout: Duration,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Ping(Bytes),
    /// All pings were answered or are lost.
    Done,
}

#[derive(Debug)]
pub(super) struct Volley {
    plan: Plan,
    /// Pings sent; the payload of the last one is this number.
    sent: u64,
    last_sent: Instant,
    waiting: bool,
    lost: u64,
    due: Instant,
}

impl Volley {
    /// The first ping is due at once.
    pub(super) const fn begin(plan: Plan, now: Instant) -> Self {
        Self {
            plan,
            sent: 0,
            last_sent: now,
            waiting: false,
            lost: 0,
            due: now,
        }
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.due
    }

    /// What to do at `now`; `None` before the deadline.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Next> {
        if now < self.due {
            return None;
        }
        if std::mem::take(&mut self.waiting) {
            self.lost += 1;
        }
        if self.sent == self.plan.count {
            return Some(Next::Done);
        }
        self.sent += 1;
        self.last_sent = now;
        self.waiting = true;
        self.due = now + self.plan.timeout;
        Some(Next::Ping(Bytes::from(self.sent.to_string())))
    }

    pub(super) fn pong(&mut self, payload: &[u8], now: Instant) {
        if !self.waiting || payload != self.sent.to_string().as_bytes() {
            return;
        }
        self.waiting = false;
        self.due = if self.sent == self.plan.count {
            now
        } else {
            now.max(self.last_sent + self.plan.interval)
        };
    }

    /// What is to be said of pings that were lost, when all is done.
    pub(super) fn loss(&self) -> Option<String> {
        (self.lost > 0).then(|| {
            let count = self.plan.count;
            let timeout = show_duration(self.plan.timeout);
            format!(
                "{} of {count} pings had no pong within {timeout}",
                self.lost
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn volley(count: u64) -> (Volley, Instant) {
        let start = Instant::now();
        let plan = Plan {
            count,
            interval: SECOND,
            timeout: 5 * SECOND,
        };
        (Volley::begin(plan, start), start)
    }

    fn ping(payload: &'static str) -> Option<Next> {
        Some(Next::Ping(Bytes::from_static(payload.as_bytes())))
    }

    #[test]
    fn a_ping_follows_the_pong_but_not_too_soon() {
        let (mut volley, start) = volley(2);
        assert_eq!(volley.poll(start), ping("1"));
        assert_eq!(volley.poll(start), None);
        volley.pong(b"1", start + SECOND / 2);
        assert_eq!(volley.poll(start + SECOND / 2), None);
        assert_eq!(volley.deadline(), start + SECOND);
        assert_eq!(volley.poll(start + SECOND), ping("2"));
        // A slow pong: the end does not wait for the interval.
        volley.pong(b"2", start + 3 * SECOND);
        assert_eq!(volley.poll(start + 3 * SECOND), Some(Next::Done));
        assert_eq!(volley.loss(), None);
    }

    #[test]
    fn a_lost_ping_is_waited_for_and_counted_once() {
        let (mut volley, start) = volley(2);
        assert_eq!(volley.poll(start), ping("1"));
        volley.pong(b"7", start);
        assert_eq!(volley.poll(start + 4 * SECOND), None);
        assert_eq!(volley.poll(start + 5 * SECOND), ping("2"));
        // Too late, and no answer to the second.
        volley.pong(b"1", start + 6 * SECOND);
        assert_eq!(volley.deadline(), start + 10 * SECOND);
        assert_eq!(volley.poll(start + 10 * SECOND), Some(Next::Done));
        let loss = volley.loss().unwrap();
        assert_eq!(loss, "2 of 2 pings had no pong within 5.00s");
    }
}
