//! `prom`: how a load goes while it runs, as Prometheus reads it. Pure: seconds in, a page out.

use std::collections::BTreeMap;

use super::{Entry, Form};
use crate::bench::figures::{Figures, Latency};
use crate::bench::run::Second;
use crate::bench::shared::Phase;
use crate::bench::threshold;
use crate::text::exposition::{Page, label};

pub(super) const ENTRY: Entry = Entry {
    name: "prom",
    help: "for Prometheus, on http://127.0.0.1:PORT/metrics while the load runs",
    form: Form::Port,
};

/// Upper ends of the buckets of a histogram, in microseconds.
const BUCKETS: [u64; 18] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

const PHASES: [(Phase, &str); 6] = [
    (Phase::Ramp, "ramp"),
    (Phase::WarmUp, "warm_up"),
    (Phase::Measure, "measure"),
    (Phase::Drain, "drain"),
    (Phase::Close, "close"),
    (Phase::Stop, "stop"),
];

type Count = (&'static str, fn(&Figures) -> u64);

/// Counters with one label each: a name, what it counts, the label, and its values.
const COUNTERS: &[(&str, &str, &str, &[Count])] = &[
    (
        "wscope_bench_connections_total",
        "Connections, by what became of them.",
        "result",
        &[
            ("attempted", |figures| figures.connections.attempted),
            ("opened", |figures| figures.connections.opened),
            ("failed", |figures| figures.connections.failed),
            ("lost", |figures| figures.connections.lost),
            ("reconnected", |figures| figures.connections.reconnected),
        ],
    ),
    (
        "wscope_bench_messages_total",
        "Messages of the measured time, by what became of them.",
        "result",
        &[
            ("sent", |figures| figures.messages.sent),
            ("received", |figures| figures.messages.received),
            ("matched", |figures| figures.messages.matched),
            ("unanswered", |figures| figures.messages.unanswered),
            ("timed_out", |figures| figures.messages.timed_out),
            ("dropped", |figures| figures.messages.dropped),
            ("late", |figures| figures.messages.late),
            ("duplicate", |figures| figures.messages.duplicate),
            ("out_of_order", |figures| figures.messages.out_of_order),
            ("unexpected", |figures| figures.messages.unexpected),
        ],
    ),
    (
        "wscope_bench_bytes_total",
        "Bytes of frames of the measured time, by direction.",
        "dir",
        &[
            ("out", |figures| figures.bytes.sent_wire),
            ("in", |figures| figures.bytes.received_wire),
        ],
    ),
    (
        "wscope_bench_scripts_total",
        "Times that a script was played, by what became of it.",
        "result",
        &[
            ("started", |figures| figures.iterations.started),
            ("passed", |figures| figures.iterations.passed),
            ("failed", |figures| figures.iterations.failed),
            ("dropped", |figures| figures.iterations.dropped),
        ],
    ),
];

/// A load so far.
#[derive(Debug)]
pub struct Live {
    figures: Figures,
    phase: Phase,
    open: usize,
    connecting: usize,
    in_flight: usize,
    cpu: f64,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            figures: Figures::default(),
            phase: Phase::Ramp,
            open: 0,
            connecting: 0,
            in_flight: 0,
            cpu: 0.0,
        }
    }
}

impl Live {
    pub fn observe(&mut self, second: &Second) {
        self.figures.merge(&second.figures);
        self.phase = second.phase;
        self.open = second.open;
        self.connecting = second.connecting;
        self.in_flight = second.in_flight;
        self.cpu = second.cpu;
    }

    /// The page, which is at most a second old.
    pub fn text(&self) -> String {
        let mut page = Page::default();
        page.each(
            "wscope_bench_phase",
            "gauge",
            "1 for the phase that the load is in.",
            PHASES.map(|(phase, word)| (label("phase", word), u8::from(phase == self.phase))),
        );
        for (name, help, value) in [
            ("wscope_bench_connections", "Open connections.", self.open),
            (
                "wscope_bench_connecting",
                "Connections that are being opened.",
                self.connecting,
            ),
            (
                "wscope_bench_in_flight",
                "Messages whose answer is waited for.",
                self.in_flight,
            ),
        ] {
            page.one(name, "gauge", help, value);
        }
        page.one(
            "wscope_bench_cpu",
            "gauge",
            "Processors that the load uses.",
            self.cpu,
        );
        for (name, help, key, counts) in COUNTERS {
            let samples = counts.iter();
            let samples = samples.map(|(word, count)| (label(key, word), count(&self.figures)));
            page.each(name, "counter", help, samples);
        }
        let errors = threshold::errors(&self.figures);
        page.one(
            "wscope_bench_failures_total",
            "counter",
            "All that went wrong.",
            errors,
        );
        page.each(
            "wscope_bench_errors_total",
            "counter",
            "Errors, by phase and kind.",
            self.figures.errors.iter().map(|(error, seen)| {
                let labels = [label("phase", error.phase), label("kind", &error.kind)];
                (labels.join(","), seen.count)
            }),
        );
        page.each(
            "wscope_bench_closes_total",
            "counter",
            "Connections that ended, by close code and by whom.",
            self.closes(),
        );
        self.latencies(&mut page);
        page.into_text()
    }

    /// How a connection without a Close ended is no label.
    fn closes(&self) -> impl Iterator<Item = (String, u64)> {
        let mut counts: BTreeMap<_, u64> = BTreeMap::new();
        for (close, closes) in &self.figures.closes {
            *counts.entry((close.code, close.by)).or_default() += closes.count;
        }
        counts.into_iter().map(|((code, by), count)| {
            let labels = [label("code", &code.to_string()), label("by", by.name())];
            (labels.join(","), count)
        })
    }

    fn latencies(&self, page: &mut Page) {
        let name = "wscope_bench_latency_seconds";
        page.head(name, "histogram", "Latencies, by what was timed.");
        for latency in Latency::ALL {
            let samples = self.figures.latency(latency);
            if samples.is_empty() {
                continue;
            }
            let which = label("latency", &latency.path());
            let mut bucket = |end: &str, count: u64| {
                let labels = [which.clone(), label("le", end)].join(",");
                page.sample(&format!("{name}_bucket"), &labels, count);
            };
            for bound in BUCKETS {
                let end = (bound as f64 / 1e6).to_string();
                bucket(&end, samples.count_between(0, bound));
            }
            bucket("+Inf", samples.len());
            let sum = samples.mean() * samples.len() as f64 / 1e6;
            page.sample(&format!("{name}_sum"), &which, sum);
            page.sample(&format!("{name}_count"), &which, samples.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::run::Generator;

    #[test]
    fn what_was_seen_is_added_up() {
        let mut live = Live::default();
        for (phase, millis) in [(Phase::WarmUp, 3), (Phase::Measure, 30)] {
            let mut figures = Figures::default();
            figures.messages.sent = 5;
            figures.record(Latency::Rtt, Duration::from_millis(millis));
            figures.record(Latency::Tcp, Duration::from_micros(70));
            live.observe(&Second {
                generator: Generator::default(),
                at: Duration::from_secs(1),
                phase,
                open: 2,
                connecting: 0,
                in_flight: 1,
                figures,
                cpu: 0.5,
                took: Duration::from_secs(1),
            });
        }
        let text = live.text();
        for line in [
            "wscope_bench_phase{phase=\"measure\"} 1",
            "wscope_bench_phase{phase=\"warm_up\"} 0",
            "wscope_bench_connections 2",
            "wscope_bench_messages_total{result=\"sent\"} 10",
            "wscope_bench_latency_seconds_bucket{latency=\"rtt\",le=\"0.0025\"} 0",
            "wscope_bench_latency_seconds_bucket{latency=\"rtt\",le=\"0.005\"} 1",
            "wscope_bench_latency_seconds_bucket{latency=\"rtt\",le=\"0.05\"} 2",
            "wscope_bench_latency_seconds_bucket{latency=\"rtt\",le=\"+Inf\"} 2",
            "wscope_bench_latency_seconds_count{latency=\"handshake.tcp\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert_eq!(
            text.matches("# TYPE wscope_bench_latency_seconds histogram")
                .count(),
            1
        );
    }
}
