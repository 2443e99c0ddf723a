//! How much clients may do in a time: messages of a connection, handshakes of an address. Pure.

use std::collections::HashMap;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::model::units::Rate;

/// What is limited; by default nothing is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plan {
    /// `--rate-limit`: messages of one connection, and what to do beyond it.
    pub messages: Option<(Rate, OnLimit)>,
    /// `--handshake-limit`: requests from one address.
    pub handshakes: Option<Rate>,
}

/// `--on-limit`: what to do about messages beyond the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnLimit {
    Drop,
    /// Read nothing more until they are due.
    #[default]
    Delay,
    /// 1008.
    Close,
}

impl OnLimit {
    pub const NAMES: [&str; 3] = ["drop", "delay", "close"];

    /// As it was typed, for the `limit` event.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Delay => "delay",
            Self::Close => "close",
        }
    }
}

impl FromStr for OnLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Drop, Self::Delay, Self::Close];
        let mut known = known.into_iter();
        known
            .find(|one| one.name() == text)
            .ok_or_else(|| format!("takes one of {}", Self::NAMES.join(", ")))
    }
}

/// What may happen at a rate, and a second's worth at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    /// When it will be full: the later, the more was taken.
    full_at: Instant,
}

impl Bucket {
    pub(super) const fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one; the time after which there would have been one, where there is none.
    pub(super) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        let wait = self.wait(rate, now);
        if wait.is_zero() {
            self.spend(rate, now);
            Ok(())
        } else {
            Err(wait)
        }
    }

    /// Takes one whether there is one or not; how long to wait then.
    pub(super) fn spend(&mut self, rate: Rate, now: Instant) -> Duration {
        let wait = self.wait(rate, now);
        self.full_at = self.full_at.max(now) + rate.time_of(1);
        wait
    }

    fn wait(&self, rate: Rate, now: Instant) -> Duration {
        let depth = Duration::from_secs(1).max(rate.time_of(1));
        let after_one = self.full_at.max(now) + rate.time_of(1);
        after_one.saturating_duration_since(now + depth)
    }

    fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

/// `--handshake-limit`: handshakes of each address.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    addresses: HashMap<Option<IpAddr>, Bucket>,
}

impl Handshakes {
    /// Addresses that are remembered; beyond it those that have done nothing lately are forgotten.
    const MOST: usize = 10_000;

    /// Counts one; how long to wait where it is too many. Everyone on a unix socket is one address.
    pub(super) fn take(
        &mut self,
        address: Option<IpAddr>,
        rate: Rate,
        now: Instant,
    ) -> Result<(), Duration> {
        if self.addresses.len() >= Self::MOST {
            self.addresses.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.addresses.len() >= Self::MOST && !self.addresses.contains_key(&address) {
            // Ten thousand addresses at their limits: this is no time to be generous.
            return Err(Duration::from_secs(1));
        }
        let bucket = self.addresses.entry(address).or_insert(Bucket::new(now));
        bucket.take(rate, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_second_at_once_and_then_the_rate() {
        let start = Instant::now();
        let rate = Rate::per_second(10.0);
        let mut bucket = Bucket::new(start);
        let taken = (0..20).filter(|_| bucket.take(rate, start).is_ok()).count();
        assert_eq!(taken, 10);
        assert_eq!(bucket.take(rate, start), Err(ms(100)));
        assert_eq!(bucket.take(rate, start + ms(100)), Ok(()));
        assert_eq!(bucket.spend(rate, start + ms(100)), ms(100));
        assert_eq!(bucket.spend(rate, start + ms(100)), ms(200));
        assert!(bucket.take(rate, start + ms(10_000)).is_ok());
    }

    #[test]
    fn slow_rates_give_one_at_a_time() {
        let start = Instant::now();
        let rate = Rate::per_second(0.5);
        let mut bucket = Bucket::new(start);
        assert!(bucket.take(rate, start).is_ok());
        assert_eq!(bucket.take(rate, start), Err(ms(2000)));
        assert!(bucket.take(rate, start + ms(2000)).is_ok());
    }

    #[test]
    fn each_address_counts_for_itself_and_few_are_remembered() {
        let start = Instant::now();
        let rate = Rate::per_second(1.0);
        let mut handshakes = Handshakes::default();
        let address = |number: u32| Some(IpAddr::V4(number.into()));
        assert!(handshakes.take(address(1), rate, start).is_ok());
        assert!(handshakes.take(address(1), rate, start).is_err());
        assert!(handshakes.take(None, rate, start).is_ok());
        for number in 0..20_000 {
            // Each has done something lately.
            let _ = handshakes.take(address(number), rate, start);
        }
        assert_eq!(handshakes.addresses.len(), Handshakes::MOST);
        assert!(handshakes.take(address(0), rate, start + ms(2000)).is_ok());
        assert_eq!(handshakes.addresses.len(), 1);
    }
}
