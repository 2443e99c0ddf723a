//! What a load is: everything that was decided before it begins.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::distribution::Distribution;
use super::fanout::Fanout;
use super::feed::Feed;
use super::figures::Latency;
use super::hold::Hold;
use super::payload::Payload;
use super::reply::Match;
use super::schedule::Schedule;
use super::script::{Script, Step};
use super::shard::Shard;
use super::shared::Phase;
use super::slow::Slow;
use super::stages::Stages;
use super::template::Template;

/// What the connections do.
#[derive(Debug, Clone)]
pub struct Workload {
    /// An entry of [`MODES`].
    pub mode: &'static Mode,
    pub connections: usize,
    pub pace: Pace,
    /// `--rate-stages`: the rate of an open loop over time; `pace` has the highest.
    pub rate_stages: Option<Stages>,
    pub end: End,
    pub payload: Payload,
    pub how: Match,
    /// Sent after each open.
    pub opening: Vec<Template>,
    pub feed: Feed,
    pub ramp: Ramp,
    /// How long after the ramp nothing is measured.
    pub warmup: Duration,
    /// How long answers are waited for after the last send.
    pub grace: Duration,
    /// How long one answer is waited for.
    pub timeout: Duration,
    /// How long the answer to the first message of all is waited for.
    pub patience: Duration,
    /// How long a connection lives before it is closed and opened anew.
    pub lifetime: Option<Distribution>,
    /// Open a connection again that was lost.
    pub reconnect: bool,
    /// `--storm`: how often all connections are dropped.
    pub storm: Option<Duration>,
    /// `--slow`: those that read at their own pace.
    pub slow: Option<Slow>,
    /// All connections begin at once.
    pub sync: bool,
    pub ping: Option<Ping>,
    /// Who publishes, in mode `fanout`.
    pub fanout: Option<Fanout>,
    /// What each user plays, in mode `script`.
    pub script: Option<Arc<Script>>,
    pub sources: Sources,
    pub threads: usize,
    /// Shared by all shards.
    pub seed: u64,
    /// Which part of the load this is. Everything here is of this part but `ramp.stages` and
    /// `rate_stages`, from which each time's part is taken.
    pub shard: Shard,
    /// The number of its first connection; those of the shards before it have the lower ones.
    pub first: u64,
    /// The clock of the stages.
    pub hold: Arc<Hold>,
}

impl Workload {
    /// The most connections at any time.
    pub fn peak(&self) -> usize {
        let stages = self.ramp.stages.as_ref();
        stages.map_or(self.connections, |stages| self.shard.of(stages.peak()))
    }

    /// How many connections there should be so long after the start.
    pub fn target(&self, elapsed: Duration) -> usize {
        let stages = self.ramp.stages.as_ref();
        stages.map_or(self.connections, |stages| {
            self.shard.of(stages.target(self.hold.course(elapsed)))
        })
    }

    /// The number of the connection in a place of a thread: from 1 over all threads and shards.
    pub const fn number(&self, place: usize, thread: usize) -> u64 {
        self.first + (place * self.threads + thread) as u64
    }

    /// Where in the first interval of a schedule a thread begins, from 0 to 1: the threads of all
    /// shards take turns.
    pub fn phase(&self, thread: usize) -> f64 {
        let of_shard = thread as f64 / self.threads as f64;
        (self.shard.index as f64 + of_shard) / self.shard.count as f64
    }

    /// The schedule of `--rate-stages`, for `share` of the messages of this shard, from `now` on.
    pub fn staged(&self, share: f64, phase: f64, now: Instant) -> Option<Schedule> {
        let stages = self.rate_stages.clone()?;
        let of_all = share / self.shard.count as f64;
        Some(Schedule::staged(stages, of_all, phase, now))
    }

    /// The seed of a thread's chances: each thread of each shard has its own.
    pub const fn seed_of(&self, thread: usize) -> u64 {
        let threads_before = (self.shard.index as u64) << 32;
        self.seed.wrapping_add(threads_before | thread as u64)
    }

    /// Whether the course can be held in this phase.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn may_hold(&self, phase: Phase) -> Result<(), &'static str> {
        let is_staged = self.ramp.stages.is_some();
        match phase {
            _ if self.rate_stages.is_some() => {
                Err("when each message is due was fixed before: --rate-stages cannot be held")
            }
            Phase::Ramp if !is_staged => Err(
                "connections are still being opened: there is nothing to hold before the load runs",
            ),
            Phase::WarmUp if !is_staged => {
                Err("the warm-up is no stage: there is nothing to hold before it is measured")
            }
            Phase::Ramp | Phase::WarmUp | Phase::Measure if self.end.duration.is_none() => {
                Err("this load ends with its messages and not with time: it cannot be held")
            }
            Phase::Ramp | Phase::WarmUp | Phase::Measure => Ok(()),
            Phase::Drain | Phase::Close | Phase::Stop => {
                Err("the load is over: there is nothing left to hold")
            }
        }
    }

    /// Whether connections do their work as soon as they are open, and not only when all are.
    pub const fn loads_while_opening(&self) -> bool {
        self.ramp.stages.is_some() || self.mode.once
    }

    /// Nothing is sent in the warm-up: messages are counted, and subscribers are to be there before
    /// the first one.
    pub const fn settles(&self) -> bool {
        self.fanout.is_some() && (self.end.messages.is_some() || self.rate_stages.is_some())
    }

    /// Whether a connection is one of `--slow`; `ordinal` counts from 0. Those that publish are not.
    pub fn is_slow(&self, ordinal: usize) -> Option<Slow> {
        let publishers = self.fanout.map_or(0, |fanout| fanout.publishers);
        let ordinal = ordinal.checked_sub(publishers)?;
        self.slow.filter(|slow| slow.picks(ordinal))
    }

    /// How many connections are slow.
    pub fn slow_connections(&self) -> usize {
        let publishers = self.fanout.map_or(0, |fanout| fanout.publishers);
        let others = self.peak().saturating_sub(publishers);
        self.slow.map_or(0, |slow| slow.among(others))
    }

    /// Connections that there may be at the most.
    pub fn most_connections(&self) -> usize {
        let each = self.script.as_ref().map_or(1, |script| script.peers);
        self.peak() * each.max(1)
    }

    /// The steps of the script.
    pub fn steps(&self) -> &[Step] {
        self.script.as_ref().map_or(&[], |script| &script.steps)
    }

    /// The latency that such a load is mainly about.
    pub fn main_latency(&self) -> Latency {
        if *self.mode == SCRIPT {
            Latency::Session
        } else if self.fanout.is_some() {
            Latency::Delivery
        } else if self.expects() {
            Latency::Rtt
        } else if self.mode.sends {
            Latency::SendStall
        } else if self.ping.is_some() && self.mode.name == "hold" {
            Latency::Ping
        } else {
            Latency::FirstMessage
        }
    }

    /// Whether what is sent is answered.
    pub const fn expects(&self) -> bool {
        self.mode.answered && self.how.expects()
    }
}

/// When messages are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// The answer leads to the next message: `pipeline` in flight on each connection, and a pause
    /// of `think` after each answer.
    Closed {
        pipeline: usize,
        think: Option<Distribution>,
    },
    /// A schedule that does not wait for answers, in messages per second of the whole run.
    Open { rate: Rate, max_inflight: usize },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// `--rate`.
    Total(f64),
    /// `--rate-per-conn`: times the connections that are open.
    PerConnection(f64),
}

impl Rate {
    /// Messages per second while so many connections are open.
    pub fn of(self, open: usize) -> f64 {
        match self {
            Self::Total(rate) => rate,
            Self::PerConnection(rate) => rate * open as f64,
        }
    }
}

/// When the load is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// So long after the ramp and the warm-up; `None` where only messages count.
    pub duration: Option<Duration>,
    /// After so many messages.
    pub messages: Option<u64>,
}

/// How connections come to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Ramp {
    /// New ones per second, of the whole run; `None` as fast as it goes.
    pub rate: Option<f64>,
    /// Handshakes in flight at once.
    pub concurrency: usize,
    /// `--stages`: how many connections at which time.
    pub stages: Option<Stages>,
}

/// `--heartbeat`: how often each connection is pinged, and how long its pong may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ping {
    pub interval: Duration,
    pub timeout: Duration,
}

/// Local addresses to connect from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// `--source-ip`, in order; empty leaves it to the system.
    pub addresses: Vec<IpAddr>,
    /// How many connections in a row come from one of them, before the next has its turn.
    each: usize,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            each: PER_SOURCE,
        }
    }
}

/// Connections from one source address to one destination at most: past half of the ephemeral
/// ports every connect takes five to ten times as long.
pub const PER_SOURCE: usize = 14_000;

impl Sources {
    /// `ports`: how many an address has towards one destination. Where half of them are fewer than
    /// [`PER_SOURCE`], all addresses take turns, so that none runs out before the others.
    pub fn new(addresses: Vec<IpAddr>, ports: usize) -> Self {
        let each = if ports / 2 < PER_SOURCE {
            1
        } else {
            PER_SOURCE
        };
        Self { addresses, each }
    }

    /// How many addresses with so many ports such a load takes, if it may have them all.
    pub fn wanted(connections: usize, ports: usize) -> usize {
        connections.div_ceil(PER_SOURCE.min(ports / 2).max(1))
    }

    /// The address that a connection comes from.
    pub fn of(&self, connection: u64) -> Option<IpAddr> {
        let block = (connection as usize).wrapping_sub(1) / self.each;
        let count = self.addresses.len();
        (count > 0).then(|| self.addresses[block % count])
    }

    /// The most connections that one address has of so many, from the number `first` on.
    pub fn most_of_one(&self, first: u64, connections: usize) -> usize {
        let count = self.addresses.len().max(1);
        let (from, to) = (first as usize - 1, first as usize - 1 + connections);
        let blocks = from / self.each..to.div_ceil(self.each);
        let mut each = vec![0; count];
        for block in blocks {
            let (begin, end) = (block * self.each, (block + 1) * self.each);
            each[block % count] += end.min(to) - begin.max(from);
        }
        each.into_iter().max().unwrap_or(0)
    }
}

/// What a connection does once it is open.
#[derive(Debug, PartialEq, Eq)]
pub struct Mode {
    pub name: &'static str,
    pub help: &'static str,
    /// It sends messages.
    pub sends: bool,
    /// What it sends is answered.
    pub answered: bool,
    /// It closes after an exchange and opens anew.
    pub once: bool,
}

/// The modes of `--mode`; the first is the default.
pub const MODES: &[Mode] = &[
    Mode {
        name: "echo",
        help: "send, and match the answer (rtt)",
        sends: true,
        answered: true,
        once: false,
    },
    Mode {
        name: "send",
        help: "send and expect nothing (throughput, send_stall)",
        sends: true,
        answered: false,
        once: false,
    },
    Mode {
        name: "listen",
        help: "only receive (rate, first_message)",
        sends: false,
        answered: false,
        once: false,
    },
    FANOUT,
    Mode {
        name: "hold",
        help: "connect, ping and idle (open connections, early closes, ping)",
        sends: false,
        answered: false,
        once: false,
    },
    Mode {
        name: "churn",
        help: "connect, exchange a message, close, again (handshakes per second)",
        sends: true,
        answered: true,
        once: true,
    },
    SCRIPT,
];

/// What `--publishers` belongs to.
pub const FANOUT: Mode = Mode {
    name: "fanout",
    help: "some publish, the others get it (delivery, reach, last_subscriber)",
    sends: true,
    answered: true,
    once: false,
};

/// What `--script` means.
pub const SCRIPT: Mode = Mode {
    name: "script",
    help: "play the transcript of --script, with all its peers (step.LINE, checks)",
    sends: true,
    answered: false,
    once: true,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_few_ports_take_turns_sooner() {
        let two: Vec<IpAddr> = [1, 2].map(|last| [10, 0, 0, last].into()).into();
        let few = Sources::new(two.clone(), 99);
        assert_ne!(few.of(1), few.of(2));
        assert_eq!(few.most_of_one(1, 150), 75);
        let each = |address| (1..=150).filter(|&at| few.of(at) == Some(address)).count();
        assert_eq!([each(two[0]), each(two[1])], [75, 75]);
        assert_eq!([49, 50].map(|many| Sources::wanted(many, 99)), [1, 2]);
        assert_eq!(Sources::wanted(PER_SOURCE, 28_231), 1);
    }
}
