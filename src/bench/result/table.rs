//! What a result has, by name: reports and comparisons go through these tables, so that a figure that
//! is added here appears in all of them.

use super::{BenchResult, LatencyInfo};
use crate::bench::threshold::Unit::{self, Count, Rate, Share};
use crate::model::units::Thousands;

use Better::{Less, More, Neither};

/// A latency of a result.
#[derive(Debug)]
pub struct LatencyRow {
    /// Where it stands below `latency`.
    pub path: &'static str,
    /// For people.
    pub title: &'static str,
    /// From when to when, where that is not plain.
    pub note: &'static str,
    pub get: fn(&BenchResult) -> &LatencyInfo,
}

/// What is measured while connections are open. What a run is mainly about is the first that it has.
pub const LATENCIES: &[LatencyRow] = &[
    row(
        "session",
        "session",
        "a whole script, from when it was due",
        |result| &result.latency.session,
    ),
    row("rtt", "rtt", "from intended send", |result| {
        &result.latency.rtt
    }),
    row(
        "delivery",
        "delivery",
        "from intended publish, each receiver",
        |result| &result.latency.delivery,
    ),
    row(
        "last_subscriber",
        "last one",
        "from intended publish, the last receiver",
        |result| &result.latency.last_subscriber,
    ),
    row("service", "service", "from actual write", |result| {
        &result.latency.service
    }),
    row(
        "first_message",
        "first message",
        "from the 101, or our first",
        |result| &result.latency.first_message,
    ),
    row("ping", "ping", "", |result| &result.latency.ping),
    row("send_stall", "send stall", "", |result| {
        &result.latency.send_stall
    }),
    row(
        "storm.recovery",
        "recovery",
        "from a storm until all were back",
        |result| &result.latency.storm.recovery,
    ),
    row(
        "storm.handshake",
        "reopening",
        "openings after a storm",
        |result| &result.latency.storm.handshake,
    ),
];

/// The steps of the opening, in their order.
pub const STEPS: &[LatencyRow] = &[
    row("handshake.dns", "dns", "", |result| {
        &result.latency.handshake.dns
    }),
    row("handshake.tcp", "tcp", "", |result| {
        &result.latency.handshake.tcp
    }),
    row("handshake.proxy", "proxy", "", |result| {
        &result.latency.handshake.proxy
    }),
    row("handshake.tls", "tls", "", |result| {
        &result.latency.handshake.tls
    }),
    row("handshake.upgrade", "upgrade", "", |result| {
        &result.latency.handshake.upgrade
    }),
];

/// The whole opening.
pub const HANDSHAKE: LatencyRow = row("handshake", "total", "", |result| {
    &result.latency.handshake.total
});

const fn row(
    path: &'static str,
    title: &'static str,
    note: &'static str,
    get: fn(&BenchResult) -> &LatencyInfo,
) -> LatencyRow {
    LatencyRow {
        path,
        title,
        note,
        get,
    }
}

/// Whether more of a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    More,
    Less,
    /// It says what was done, not how well.
    Neither,
}

/// A number of a result.
#[derive(Debug)]
pub struct Counter {
    /// Where it stands in the result.
    pub path: &'static str,
    pub unit: Unit,
    pub better: Better,
    /// `None` where such a run has no such thing.
    pub get: fn(&BenchResult) -> Option<f64>,
}

pub const COUNTERS: &[Counter] = &[
    counter("errors.rate", Share, Less, |result| {
        Some(result.error_share())
    }),
    counter("errors.count", Count, Less, |result| {
        Some(result.errors_counted() as f64)
    }),
    counter("connections.target", Count, Neither, |result| {
        Some(result.connections.target as f64)
    }),
    counter("connections.attempted", Count, Neither, |result| {
        Some(result.connections.attempted as f64)
    }),
    counter("connections.opened", Count, Neither, |result| {
        Some(result.connections.opened as f64)
    }),
    counter("connections.failed", Count, Less, |result| {
        Some(result.connections.failed as f64)
    }),
    counter("connections.lost", Count, Less, |result| {
        Some(result.connections.lost as f64)
    }),
    counter("connections.reconnected", Count, Neither, |result| {
        Some(result.connections.reconnected as f64)
    }),
    counter("connections.peak", Count, Neither, |result| {
        Some(result.connections.peak as f64)
    }),
    counter("connections.open_at_end", Count, Neither, |result| {
        Some(result.connections.open_at_end as f64)
    }),
    counter("messages.sent", Count, Neither, |result| {
        Some(result.messages.sent as f64)
    }),
    counter("messages.received", Count, Neither, |result| {
        Some(result.messages.received as f64)
    }),
    counter("messages.sent_rate", Rate, More, |result| {
        Some(result.messages.sent_rate)
    }),
    counter("messages.received_rate", Rate, More, |result| {
        Some(result.messages.received_rate)
    }),
    counter("messages.matched", Count, Neither, |result| {
        Some(result.messages.matched as f64)
    }),
    counter("messages.unanswered", Count, Less, |result| {
        Some(result.messages.unanswered as f64)
    }),
    counter("messages.timed_out", Count, Less, |result| {
        Some(result.messages.timed_out as f64)
    }),
    counter("messages.dropped", Count, Less, |result| {
        Some(result.messages.dropped as f64)
    }),
    counter("messages.late", Count, Less, |result| {
        Some(result.messages.late as f64)
    }),
    counter("messages.duplicate", Count, Less, |result| {
        Some(result.messages.duplicate as f64)
    }),
    counter("messages.out_of_order", Count, Less, |result| {
        Some(result.messages.out_of_order as f64)
    }),
    counter("messages.unexpected", Count, Neither, |result| {
        Some(result.messages.unexpected as f64)
    }),
    counter("iterations.started", Count, Neither, |result| {
        Some(result.iterations.as_ref()?.started as f64)
    }),
    counter("iterations.passed", Count, Neither, |result| {
        Some(result.iterations.as_ref()?.passed as f64)
    }),
    counter("iterations.failed", Count, Less, |result| {
        Some(result.iterations.as_ref()?.failed as f64)
    }),
    counter("iterations.dropped", Count, Less, |result| {
        Some(result.iterations.as_ref()?.dropped as f64)
    }),
    counter("iterations.rate", Rate, More, |result| {
        Some(result.iterations.as_ref()?.rate)
    }),
    counter("fanout.reach", Share, More, |result| {
        result.fanout.as_ref()?.reach
    }),
    counter("fanout.published", Count, Neither, |result| {
        Some(result.fanout.as_ref()?.published as f64)
    }),
    counter("fanout.expected", Count, Neither, |result| {
        Some(result.fanout.as_ref()?.expected as f64)
    }),
    counter("fanout.delivered", Count, Neither, |result| {
        Some(result.fanout.as_ref()?.delivered as f64)
    }),
    counter("fanout.gaps", Count, Less, |result| {
        Some(result.fanout.as_ref()?.gaps as f64)
    }),
    counter("fanout.duplicate", Count, Less, |result| {
        Some(result.fanout.as_ref()?.duplicate as f64)
    }),
    counter("fanout.out_of_order", Count, Less, |result| {
        Some(result.fanout.as_ref()?.out_of_order as f64)
    }),
    counter("storms.begun", Count, Neither, |result| {
        Some(result.storms.as_ref()?.begun as f64)
    }),
    counter("storms.recovered", Count, Neither, |result| {
        Some(result.storms.as_ref()?.recovered as f64)
    }),
    counter("slow.connections", Count, Neither, |result| {
        Some(result.slow.as_ref()?.connections as f64)
    }),
    counter("slow.lost", Count, Neither, |result| {
        Some(result.slow.as_ref()?.lost as f64)
    }),
    counter("find_max.found", Count, More, |result| {
        result.find_max.as_ref()?.found.map(|found| found as f64)
    }),
    counter("bytes.sent_payload", Count, Neither, |result| {
        Some(result.bytes.sent_payload as f64)
    }),
    counter("bytes.sent_wire", Count, Neither, |result| {
        Some(result.bytes.sent_wire as f64)
    }),
    counter("bytes.received_payload", Count, Neither, |result| {
        Some(result.bytes.received_payload as f64)
    }),
    counter("bytes.received_wire", Count, Neither, |result| {
        Some(result.bytes.received_wire as f64)
    }),
];

const fn counter(
    path: &'static str,
    unit: Unit,
    better: Better,
    get: fn(&BenchResult) -> Option<f64>,
) -> Counter {
    Counter {
        path,
        unit,
        better,
        get,
    }
}

impl Counter {
    /// A value as people read it.
    pub fn show(&self, value: f64) -> String {
        match self.unit {
            Count => Thousands(value as u64).to_string(),
            unit => unit.show(value),
        }
    }
}

impl BenchResult {
    /// What went wrong: scripts that failed or were not begun; else connections that were not opened or
    /// were lost, and messages that were not answered or not sent.
    pub fn errors_counted(&self) -> u64 {
        let (connections, messages) = (&self.connections, &self.messages);
        match &self.iterations {
            Some(played) => played.failed.saturating_add(played.dropped),
            None => [
                connections.failed,
                connections.lost,
                messages.unanswered,
                messages.dropped,
            ]
            .into_iter()
            .fold(0, u64::saturating_add),
        }
    }

    /// The part of what was tried that went wrong, from 0 to 1.
    pub fn error_share(&self) -> f64 {
        let tried = match &self.iterations {
            Some(played) => [played.passed, played.failed, played.dropped],
            None => [
                self.connections.attempted,
                self.messages.sent,
                self.messages.dropped,
            ],
        };
        let tried: f64 = tried.into_iter().map(|count| count as f64).sum();
        self.errors_counted() as f64 / tried.max(1.0)
    }

    /// The latency that a run of this kind is about, measured or not.
    pub fn usual_latency(&self) -> &'static LatencyRow {
        let path = match (&self.iterations, &self.fanout) {
            (Some(_), _) => "session",
            (None, Some(_)) => "delivery",
            (None, None) => match self.workload.mode.as_str() {
                "send" => "send_stall",
                "listen" => "first_message",
                "hold" => "ping",
                _ => "rtt",
            },
        };
        latency_at(path).unwrap_or(&HANDSHAKE)
    }

    /// The latency that the run is mainly about: the one that its series has, or the first that was
    /// measured.
    pub fn main_latency(&self) -> &'static LatencyRow {
        let is_measured = |row: &&LatencyRow| (row.get)(self).count > 0;
        let mut series = self.series.histograms.iter();
        series
            .find_map(|one| latency_at(&one.metric).filter(is_measured))
            .or_else(|| LATENCIES.iter().find(is_measured))
            .unwrap_or_else(|| self.usual_latency())
    }
}

/// The latency at a path below `latency`.
pub fn latency_at(path: &str) -> Option<&'static LatencyRow> {
    let all = LATENCIES.iter().chain(STEPS).chain([&HANDSHAKE]);
    all.into_iter().find(|row| row.path == path)
}
