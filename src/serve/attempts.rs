//! When each address tried to connect last: the backoff of a client that reconnects, made visible
//! (`since_ms` of `open` events). Pure: time is an argument.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Addresses that are remembered; of more the one that was quiet longest is forgotten.
const MOST: usize = 10_000;

/// The last attempt of each address; everyone on a unix socket is one.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    last: HashMap<Option<IpAddr>, Instant>,
}

impl Attempts {
    /// Takes an attempt in; how long ago the one before it was.
    pub(super) fn next(&mut self, address: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let before = self.last.insert(address, now);
        if self.last.len() > MOST {
            let oldest = self.last.iter().min_by_key(|(_, at)| **at);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                self.last.remove(&oldest);
            }
        }
        before.map(|before| now.saturating_duration_since(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(number.into()))
    }

    #[test]
    fn each_address_is_measured_against_itself() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut attempts = Attempts::default();
        assert_eq!(attempts.next(address(1), start), None);
        assert_eq!(attempts.next(address(2), start + second), None);
        assert_eq!(
            attempts.next(address(1), start + 3 * second),
            Some(3 * second)
        );
        assert_eq!(attempts.next(address(1), start + 4 * second), Some(second));
        assert_eq!(attempts.next(None, start), None);
    }

    #[test]
    fn the_quietest_are_forgotten() {
        let start = Instant::now();
        let mut attempts = Attempts::default();
        for number in 0..=MOST as u32 {
            let at = start + Duration::from_millis(number.into());
            assert_eq!(attempts.next(address(number), at), None);
        }
        assert_eq!(attempts.last.len(), MOST);
        let later = start + Duration::from_secs(60);
        assert_eq!(attempts.next(address(0), later), None);
        assert!(attempts.next(address(MOST as u32), later).is_some());
    }
}
