//! `--slow 5%:1kB/s`: a share of the connections reads slower than it is sent to, so that the server has
//! to wait, to drop, or to close. Pure.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::model::units::{parse_size, show_size};

/// Which connections are slow, and how slow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slow {
    /// 0 to 1.
    pub share: f64,
    /// Bytes per second that each of them reads.
    pub rate: f64,
}

impl Slow {
    /// Whether a connection is one of them; `ordinal` counts from 0, and they are spread evenly.
    pub fn picks(&self, ordinal: usize) -> bool {
        self.among(ordinal + 1) > self.among(ordinal)
    }

    /// What the system is to keep of what was not read, about: more would hide for long that nobody reads.
    pub fn receive_buffer(&self) -> u32 {
        (self.rate / 2.0).clamp(8192.0, f64::from(1 << 20)) as u32
    }

    /// How many there are among the first `count`.
    pub fn among(&self, count: usize) -> usize {
        // A share that was typed in percent is not to lose one to its last binary digit.
        (count as f64 * self.share + 1e-9) as usize
    }
}

impl FromStr for Slow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is not SHARE:SIZE/s (try 5%:1kB/s)");
        let (share, rate) = text.split_once(':').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
        let share = match share.trim().strip_suffix('%') {
            Some(percent) => number(percent)? / 100.0,
            None => number(share)?,
        };
        let rate = parse_size(rate.trim().trim_end_matches("/s"))? as f64;
        if !(share > 0.0 && share <= 1.0) {
            return Err(format!(
                "\"{text}\": the share is more than 0 and at most 100%"
            ));
        }
        if rate < 1.0 {
            return Err(format!("\"{text}\": at least 1 byte per second is read"));
        }
        Ok(Self { share, rate })
    }
}

impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = show_size(self.rate as u64);
        write!(f, "{}% at {rate}/s", self.share * 100.0)
    }
}

/// How much at once: what comes in this time.
const SIP: Duration = Duration::from_millis(100);

/// How much a slow connection may read.
#[derive(Debug)]
pub(super) struct Trickle {
    rate: f64,
    credit: f64,
    at: Instant,
    /// It is to go on when its timer says so.
    pub waits: bool,
}

impl Trickle {
    pub(super) const fn new(slow: Slow, now: Instant) -> Self {
        Self {
            rate: slow.rate,
            credit: 0.0,
            at: now,
            waits: false,
        }
    }

    fn sip(&self) -> f64 {
        (self.rate * SIP.as_secs_f64()).max(1.0)
    }

    /// Bytes that may be read now; what is not read is not saved for more than two sips.
    pub(super) fn allowed(&mut self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.credit = (self.credit + passed * self.rate).min(2.0 * self.sip());
        if self.credit + 1e-6 < self.sip() {
            return 0;
        }
        self.credit as usize
    }

    pub(super) fn took(&mut self, bytes: usize) {
        self.credit -= bytes as f64;
    }

    /// When something may be read again.
    pub(super) fn due(&self) -> Instant {
        let missing = (self.sip() - self.credit).max(0.0);
        self.at + Duration::from_secs_f64(missing / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_connections_is_slow() {
        let slow: Slow = "5%:1kB/s".parse().unwrap();
        assert_eq!((slow.share, slow.rate), (0.05, 1000.0));
        let picked: Vec<usize> = (0..60).filter(|at| slow.picks(*at)).collect();
        assert_eq!(picked, [19, 39, 59]);
        assert_eq!((slow.among(19), slow.among(20)), (0, 1));
        let all: Slow = "1:64KiB".parse().unwrap();
        assert!((0..10).all(|at| all.picks(at)));
        assert_eq!(slow.to_string(), "5% at 1.0 kB/s");
        for text in ["", "5%", "0%:1k", "101%:1k", "5%:0", "5%:fast", "x:1k"] {
            assert!(text.parse::<Slow>().is_err(), "{text}");
        }
    }

    #[test]
    fn it_reads_at_its_pace() {
        let slow: Slow = "1:1000".parse().unwrap();
        let start = Instant::now();
        let (mut now, mut read) = (start, 0);
        let mut trickle = Trickle::new(slow, start);
        while now < start + Duration::from_secs(10) {
            let allowed = trickle.allowed(now);
            trickle.took(allowed);
            read += allowed;
            assert!(allowed <= 200);
            now = trickle.due() + Duration::from_micros(1);
        }
        assert!((9_800..=10_000).contains(&read), "{read}");
        // What was not read while nothing came is not saved.
        assert_eq!(trickle.allowed(now + Duration::from_secs(60)), 200);
    }
}
