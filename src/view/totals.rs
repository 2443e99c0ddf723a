//! What a run amounted to: counters and round trips, in memory that does not grow with it.

use std::time::Duration;

use crate::error::ExitCode;
use crate::model::event::{ClosedBy, Direction, End, Event, RoundTrips, Traffic, What};
use crate::model::message::{Kind, Message};

/// The running totals, made into the `end` event by [`Totals::end`].
#[derive(Debug, Clone, Default)]
pub struct Totals {
    sent: Traffic,
    received: Traffic,
    round_trips: Histogram,
    unsent: u64,
}

impl Totals {
    pub fn observe(&mut self, event: &Event) {
        match &event.what {
            What::Message {
                dir, message, wire, ..
            } => add(self.side(*dir), message, *wire),
            What::Ping { dir, .. } => self.side(*dir).ping += 1,
            What::Pong { dir, rtt, .. } => {
                self.side(*dir).pong += 1;
                if let Some(rtt) = rtt {
                    self.round_trips.record(*rtt);
                }
            }
            What::Close(close) => {
                // A clean close has a Close frame each way; another one only from who began.
                self.unsent += close.unsent;
                self.sent.close += u64::from(close.clean || close.by == ClosedBy::Us);
                self.received.close += u64::from(close.clean || close.by == ClosedBy::Peer);
            }
            _ => {}
        }
    }

    pub fn end(&self, exit: ExitCode) -> End {
        End {
            sent: self.sent.clone(),
            received: self.received.clone(),
            rtt: self.round_trips.summary(),
            unsent: self.unsent,
            exit: exit.0,
        }
    }

    const fn side(&mut self, dir: Direction) -> &mut Traffic {
        match dir {
            Direction::In => &mut self.received,
            Direction::Out => &mut self.sent,
        }
    }
}

/// Bytes are counted for messages only: control frames are counted, not weighed.
fn add(traffic: &mut Traffic, message: &Message, wire: u64) {
    traffic.messages += 1;
    // A payload in memory has a length below 2^64.
    traffic.payload += message.payload.len() as u64;
    traffic.wire += wire;
    match message.kind {
        Kind::Text => traffic.text += 1,
        Kind::Binary => traffic.binary += 1,
    }
}

/// Round trips in microseconds, in buckets that are exact below 64 and at most 1/64 wide above:
/// a power of two is cut into 64 equal parts.
#[derive(Debug, Clone, Default)]
struct Histogram {
    /// As long as the highest bucket in use; a day of microseconds needs 2,000.
    buckets: Vec<u64>,
    count: u64,
    max: Duration,
}

/// Parts of a power of two, and its logarithm.
const PARTS: u64 = 64;
const PART_BITS: u32 = PARTS.ilog2();

impl Histogram {
    /// No round trip is longer than this (12 days), so that the buckets stay few.
    const MOST: u64 = 1 << 40;

    fn record(&mut self, rtt: Duration) {
        let micros = u64::try_from(rtt.as_micros()).map_or(Self::MOST, |us| us.min(Self::MOST));
        let bucket = bucket_of(micros);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
        self.count += 1;
        self.max = self.max.max(rtt);
    }

    fn summary(&self) -> Option<RoundTrips> {
        (self.count > 0).then(|| RoundTrips {
            p50: self.percentile(50),
            p99: self.percentile(99),
            max: self.max,
        })
    }

    /// The upper end of the bucket that holds the round trip of this rank, never above the longest.
    fn percentile(&self, percent: u64) -> Duration {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(highest_in(bucket)).min(self.max);
            }
        }
        self.max
    }
}

/// Values below [`PARTS`] have a bucket each; above, the exponent chooses a group of [`PARTS`]
/// buckets and the bits after the first choose the bucket in it.
fn bucket_of(micros: u64) -> usize {
    if micros < PARTS {
        return micros as usize;
    }
    let shift = micros.ilog2() - PART_BITS;
    (u64::from(shift) * PARTS + (micros >> shift)) as usize
}

/// The highest value in a bucket: the inverse of [`bucket_of`].
fn highest_in(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * PARTS {
        return bucket;
    }
    let shift = bucket / PARTS - 1;
    ((bucket - shift * PARTS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_in_order_and_narrow() {
        let values = (0..4096).chain((12..40).flat_map(|bits| [1 << bits, (1 << bits) + 1]));
        let mut last = 0;
        for micros in values {
            let bucket = bucket_of(micros);
            assert!(bucket >= last, "{micros}");
            last = bucket;
            let highest = highest_in(bucket);
            assert!(highest >= micros, "{micros}");
            assert!(highest - micros <= micros / PARTS, "{micros}: {highest}");
        }
        assert!(bucket_of(Histogram::MOST) < 2300);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.summary(), None);
        for millis in 1..=100 {
            histogram.record(Duration::from_millis(millis));
        }
        let RoundTrips { p50, p99, max } = histogram.summary().unwrap();
        assert_eq!(max, Duration::from_millis(100));
        for (found, exact) in [(p50, 50_000), (p99, 99_000)] {
            let found = u64::try_from(found.as_micros()).unwrap();
            assert!((exact..=exact + exact / PARTS).contains(&found), "{found}");
        }
    }

    #[test]
    fn one_round_trip_is_shown_exactly() {
        let mut histogram = Histogram::default();
        let rtt = Duration::from_micros(23_117);
        histogram.record(rtt);
        let summary = histogram.summary().unwrap();
        assert_eq!((summary.p50, summary.p99, summary.max), (rtt, rtt, rtt));
        histogram.record(Duration::MAX);
        assert_eq!(histogram.summary().unwrap().max, Duration::MAX);
    }
}
