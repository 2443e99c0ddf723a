//! What is counted and timed while a load runs. Each thread has its own [`Figures`]; once a second
//! they are merged, which is exact, so that nothing is shared while messages fly.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;

use super::failure::{Failure, Name};

/// Significant digits of every histogram.
pub const DIGITS: u8 = 3;

/// What is timed, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    Dns,
    Tcp,
    Proxy,
    Tls,
    Upgrade,
    /// From the first of these steps to the 101.
    Handshake,
    /// From our first message to the first one that came; from the 101 where we have sent none.
    FirstMessage,
    /// From when a message was due to its answer.
    Rtt,
    /// From when a message was written to its answer.
    Service,
    /// How much later than due a message was written: our own fault.
    SchedLag,
    /// How long a socket that was full took to accept the rest: the peer's fault, or the network's.
    SendStall,
    /// From a ping to its pong.
    Ping,
    /// A script from when it was due to its end, where it passed.
    Session,
    /// From when a message was to be published to each one that got it.
    Delivery,
    /// From when a message was to be published to the last one that got it, where all did.
    LastSubscriber,
    /// From when all connections were dropped until all were back (`--storm`).
    StormRecovery,
    /// The openings of those that came back.
    StormHandshake,
}

impl Latency {
    pub const ALL: [Self; 17] = [
        Self::Dns,
        Self::Tcp,
        Self::Proxy,
        Self::Tls,
        Self::Upgrade,
        Self::Handshake,
        Self::FirstMessage,
        Self::Rtt,
        Self::Service,
        Self::SchedLag,
        Self::SendStall,
        Self::Ping,
        Self::Session,
        Self::Delivery,
        Self::LastSubscriber,
        Self::StormRecovery,
        Self::StormHandshake,
    ];

    /// The steps of an opening, in their order.
    pub const STEPS: [Self; 5] = [Self::Dns, Self::Tcp, Self::Proxy, Self::Tls, Self::Upgrade];

    /// What a run is mainly about, the first that it has: scripts, messages, and where nothing is
    /// said the connections themselves.
    pub const MAIN: [Self; 6] = [
        Self::Session,
        Self::Rtt,
        Self::Delivery,
        Self::Service,
        Self::Ping,
        Self::Handshake,
    ];

    /// The name in results and thresholds.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Upgrade => "upgrade",
            Self::Handshake => "handshake",
            Self::FirstMessage => "first_message",
            Self::Rtt => "rtt",
            Self::Service => "service",
            Self::SchedLag => "sched_lag",
            Self::SendStall => "send_stall",
            Self::Ping => "ping",
            Self::Session => "session",
            Self::Delivery => "delivery",
            Self::LastSubscriber => "last_subscriber",
            Self::StormRecovery => "storm.recovery",
            Self::StormHandshake => "storm.handshake",
        }
    }
}

/// Counters that belong together, and how those of two threads or seconds are added.
macro_rules! counters {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$what:meta])* pub $counter:ident: u64,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$what])* pub $counter: u64,)+
        }

        impl $name {
            fn merge(&mut self, other: &Self) {
                $(self.$counter += other.$counter;)+
            }
        }
    };
}

/// Everything that is measured.
#[derive(Debug, Clone)]
pub struct Figures {
    latencies: Vec<Histogram<u64>>,
    pub connections: Connections,
    pub messages: Messages,
    pub bytes: Bytes,
    /// By opcode.
    pub frames_sent: [u64; 16],
    pub frames_received: [u64; 16],
    pub errors: BTreeMap<Name, Seen>,
    pub closes: BTreeMap<Close, Closes>,
    pub iterations: Iterations,
    pub fanout: Fanout,
    pub storms: Storms,
    pub slow: Slow,
    /// Of a script, by their place in it; those that come last may be missing.
    pub steps: Vec<Step>,
}

counters! {
    /// Times that a script was played in the measured time; one belongs to it if it was due within it.
    pub struct Iterations {
        pub started: u64,
        pub passed: u64,
        pub failed: u64,
        /// Those of the failed that no connection is to blame for: a check did not hold.
        pub unmet: u64,
        /// Due, but not begun: every user was at it already.
        pub dropped: u64,
    }
}

counters! {
    /// What was published in the measured time (mode `fanout`), and who got it.
    pub struct Fanout {
        pub published: u64,
        /// For each message those who were there to get it.
        pub expected: u64,
        /// Those of the expected whose connections we closed before they could get it.
        pub excused: u64,
        /// Those who got a message, the first time.
        pub delivered: u64,
        pub duplicate: u64,
        /// Came after a later one of the same publisher.
        pub out_of_order: u64,
        /// Passed over by a later one, whether they came after it or never.
        pub skipped: u64,
    }
}

impl Fanout {
    pub const fn expected(&self) -> u64 {
        self.expected.saturating_sub(self.excused)
    }

    /// Messages that a receiver never got, although it got a later one.
    pub const fn gaps(&self) -> u64 {
        self.skipped.saturating_sub(self.out_of_order)
    }

    /// The part of the expected that was delivered; `None` where nothing was expected.
    pub fn reach(&self) -> Option<f64> {
        let expected = self.expected();
        (expected > 0).then(|| self.delivered as f64 / expected as f64)
    }
}

counters! {
    /// What `--storm` did.
    pub struct Storms {
        pub begun: u64,
        /// Those after which all connections were back.
        pub recovered: u64,
        /// Connections that were dropped, and messages that were in flight on them.
        pub dropped: u64,
        pub cut: u64,
    }
}

counters! {
    /// What became of the connections of `--slow`, which are in no other figures but those of connections.
    pub struct Slow {
        /// Bytes that they read in the measured time.
        pub received: u64,
        pub lost: u64,
    }
}

/// How long a step of a script took, and how often it held.
#[derive(Debug, Clone)]
pub struct Step {
    pub latency: Histogram<u64>,
    pub passed: u64,
    pub failed: u64,
}

impl Default for Step {
    fn default() -> Self {
        Self {
            latency: histogram(),
            passed: 0,
            failed: 0,
        }
    }
}

impl Step {
    /// Counts it; `took` where it passed and takes time.
    pub fn ended(&mut self, held: bool, took: Option<Duration>) {
        if held {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        if let Some(took) = took {
            record(&mut self.latency, took);
        }
    }

    fn merge(&mut self, other: &Self) {
        // A histogram that grows by itself takes every other one.
        let _ = self.latency.add(&other.latency);
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

counters! {
    /// Openings and ends.
    pub struct Connections {
        pub attempted: u64,
        pub opened: u64,
        pub failed: u64,
        /// Ended although nobody here asked for it.
        pub lost: u64,
        pub reconnected: u64,
    }
}

counters! {
    /// Messages of the measured time; a message belongs to it if it was due within it.
    pub struct Messages {
        pub sent: u64,
        pub received: u64,
        /// Answers that were expected.
        pub matched: u64,
        /// Never answered, whether the time ran out or the connection or the run ended before.
        pub unanswered: u64,
        /// Those of the unanswered that were waited for as long as `--timeout` says.
        pub timed_out: u64,
        /// Due, but not sent: too many were in flight, or no connection was open.
        pub dropped: u64,
        /// Sent more than [`LATE`] after they were due.
        pub late: u64,
        /// Answers to what was answered already.
        pub duplicate: u64,
        pub out_of_order: u64,
        /// Came without being an answer.
        pub unexpected: u64,
    }
}

/// A message that leaves this much after its time is late.
pub const LATE: Duration = Duration::from_millis(1);

counters! {
    /// Bytes of the measured time; `wire` is with headers and compression.
    pub struct Bytes {
        pub sent_payload: u64,
        pub sent_wire: u64,
        pub received_payload: u64,
        pub received_wire: u64,
    }
}

/// How often something went wrong, and the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub count: u64,
    pub first_at: SystemTime,
    /// The number of the connection it first happened to.
    pub connection: u64,
    pub sample: String,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Close {
    /// 1005 stands for no code, 1006 for no Close.
    pub code: u16,
    pub by: ClosedBy,
    /// For 1006: fin, rst, timeout.
    pub detail: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClosedBy {
    Us,
    Peer,
    Transport,
}

impl ClosedBy {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Peer => "peer",
            Self::Transport => "transport",
        }
    }
}

/// How often connections ended in one way, and the first reason that was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closes {
    pub count: u64,
    pub reason: Option<String>,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            latencies: Latency::ALL.iter().map(|_| histogram()).collect(),
            connections: Connections::default(),
            messages: Messages::default(),
            bytes: Bytes::default(),
            frames_sent: [0; 16],
            frames_received: [0; 16],
            errors: BTreeMap::new(),
            closes: BTreeMap::new(),
            iterations: Iterations::default(),
            fanout: Fanout::default(),
            storms: Storms::default(),
            slow: Slow::default(),
            steps: Vec::new(),
        }
    }
}

/// An empty histogram that grows to what is recorded.
pub fn histogram() -> Histogram<u64> {
    // Two to five digits are what the crate takes, and 3 is one of them.
    Histogram::new(DIGITS).unwrap_or_else(|_| unreachable!("{DIGITS} digits are allowed"))
}

fn record(histogram: &mut Histogram<u64>, time: Duration) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    // A histogram that grows by itself refuses nothing that a clock can show.
    let _ = histogram.record(micros);
}

impl Figures {
    pub fn latency(&self, which: Latency) -> &Histogram<u64> {
        &self.latencies[which as usize]
    }

    /// The latency that the run is mainly about; `None` where nothing was measured.
    pub fn main(&self) -> Option<Latency> {
        let mut main = Latency::MAIN.into_iter();
        main.find(|latency| !self.latency(*latency).is_empty())
    }

    pub fn record(&mut self, which: Latency, time: Duration) {
        record(&mut self.latencies[which as usize], time);
    }

    /// Adds what was timed elsewhere.
    pub fn add(&mut self, which: Latency, samples: &Histogram<u64>) {
        // A histogram that grows by itself takes every other one.
        let _ = self.latencies[which as usize].add(samples);
    }

    /// The step at a place of the script.
    pub fn step(&mut self, place: usize) -> &mut Step {
        if self.steps.len() <= place {
            self.steps.resize_with(place + 1, Step::default);
        }
        &mut self.steps[place]
    }

    pub fn failed(&mut self, failure: Failure, connection: u64) {
        self.failed_times(1, failure, connection);
    }

    /// The same failure, so often.
    pub fn failed_times(&mut self, count: u64, failure: Failure, connection: u64) {
        if count == 0 {
            return;
        }
        let seen = self.errors.entry(failure.name).or_insert_with(|| Seen {
            count: 0,
            first_at: SystemTime::now(),
            connection,
            sample: failure.sample,
        });
        seen.count += count;
    }

    pub fn closed(&mut self, close: Close, reason: Option<&str>) {
        let closes = self.closes.entry(close).or_default();
        closes.count += 1;
        if closes.reason.is_none() {
            closes.reason = reason
                .filter(|reason| !reason.is_empty())
                .map(str::to_owned);
        }
    }

    /// Adds what another thread or second saw. Exact, and the order does not matter.
    pub fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.latencies.iter_mut().zip(&other.latencies) {
            // A histogram that grows by itself takes every other one.
            let _ = ours.add(theirs);
        }
        self.connections.merge(&other.connections);
        self.messages.merge(&other.messages);
        self.bytes.merge(&other.bytes);
        self.iterations.merge(&other.iterations);
        self.fanout.merge(&other.fanout);
        self.storms.merge(&other.storms);
        self.slow.merge(&other.slow);
        for (place, theirs) in other.steps.iter().enumerate() {
            self.step(place).merge(theirs);
        }
        for (ours, theirs) in self.frames_sent.iter_mut().zip(other.frames_sent) {
            *ours += theirs;
        }
        for (ours, theirs) in self.frames_received.iter_mut().zip(other.frames_received) {
            *ours += theirs;
        }
        for (name, theirs) in &other.errors {
            match self.errors.get_mut(name) {
                Some(ours) => ours.merge(theirs),
                None => {
                    self.errors.insert(name.clone(), theirs.clone());
                }
            }
        }
        for (close, theirs) in &other.closes {
            let ours = self.closes.entry(*close).or_default();
            ours.count += theirs.count;
            if ours.reason.is_none() {
                ours.reason.clone_from(&theirs.reason);
            }
        }
    }
}

impl Seen {
    /// The earlier first time is the first; of two at the same time the lower connection is.
    fn merge(&mut self, other: &Self) {
        let count = self.count + other.count;
        if (other.first_at, other.connection) < (self.first_at, self.connection) {
            self.clone_from(other);
        }
        self.count = count;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn figures(samples: &[u32]) -> Figures {
        let mut figures = Figures::default();
        for &sample in samples {
            figures.record(Latency::Rtt, Duration::from_micros(sample.into()));
            figures.messages.sent += 1;
            if sample % 7 == 0 {
                figures.failed(Failure::status(503, "busy"), sample.into());
            }
        }
        figures
    }

    proptest! {
        #[test]
        fn parts_merged_in_any_order_are_the_whole(
            samples in prop::collection::vec(any::<u32>(), 0..200),
            cut in any::<prop::sample::Index>(),
        ) {
            let (left, right) = samples.split_at(cut.index(samples.len() + 1));
            let (left, right) = (figures(left), figures(right));
            let mut one_way = left.clone();
            one_way.merge(&right);
            let mut other_way = right;
            other_way.merge(&left);
            let whole = figures(&samples);
            for merged in [&one_way, &other_way] {
                prop_assert_eq!(merged.latency(Latency::Rtt), whole.latency(Latency::Rtt));
                prop_assert_eq!(merged.messages, whole.messages);
                let counts = |figures: &Figures| figures.errors.values().map(|seen| seen.count).sum::<u64>();
                prop_assert_eq!(counts(merged), counts(&whole));
            }
            prop_assert_eq!(one_way.errors, other_way.errors);
        }
    }

    #[test]
    fn the_first_reason_is_kept() {
        let mut figures = Figures::default();
        let close = Close {
            code: 4001,
            by: ClosedBy::Peer,
            detail: None,
        };
        for reason in ["", "bad token", "other"] {
            figures.closed(close, Some(reason));
        }
        assert_eq!(figures.closes[&close].count, 3);
        assert_eq!(figures.closes[&close].reason.as_deref(), Some("bad token"));
    }
}
