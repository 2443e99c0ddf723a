//! What the chart can show: one second of a run as numbers, and the metrics that are made of them.

use ratatui::style::Style;

use super::past::{
    Before::{self, Column, Quantile, Unknown},
    Past,
};
use super::scene::Scene;
use crate::bench::figures::Latency;
use crate::bench::report::millis;
use crate::bench::run::Second;
use crate::bench::spread::Spread;
use crate::bench::threshold;
use crate::tui::theme::Theme;
use crate::tui::widget::graph::Series;
use crate::tui::widget::numbers::short;

/// A second, as charts show it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Point {
    /// Seconds from the start to its end.
    pub(super) at: f64,
    main: Spread,
    handshake: Spread,
    lag: Option<u64>,
    open: usize,
    pub(super) in_flight: usize,
    pub(super) sent: f64,
    pub(super) received: f64,
    /// Scripts that ended, per second.
    pub(super) played: f64,
    /// With headers and compression, per second.
    pub(super) bytes_out: f64,
    pub(super) bytes_in: f64,
    pub(super) opened: f64,
    errors: f64,
    /// Messages of a fan-out, and those who were to get one and did, per second.
    pub(super) published: f64,
    pub(super) expected: f64,
    pub(super) delivered: f64,
    /// Of all threads, in processors.
    pub(super) cpu: f64,
}

impl Point {
    pub(super) fn of(second: &Second, main: Latency) -> Self {
        let figures = &second.figures;
        let took = second.took.as_secs_f64().max(1e-3);
        let rate = |count: u64| count as f64 / took;
        let iterations = figures.iterations;
        Self {
            at: second.at.as_secs_f64(),
            main: Spread::of(figures.latency(main)),
            handshake: Spread::of(figures.latency(Latency::Handshake)),
            lag: Spread::of(figures.latency(Latency::SchedLag)).p99,
            open: second.open,
            in_flight: second.in_flight,
            sent: rate(figures.messages.sent),
            received: rate(figures.messages.received),
            played: rate(iterations.passed + iterations.failed),
            bytes_out: rate(figures.bytes.sent_wire),
            bytes_in: rate(figures.bytes.received_wire),
            opened: rate(figures.connections.opened),
            errors: rate(threshold::errors(figures)),
            published: rate(figures.fanout.published),
            expected: rate(figures.fanout.expected()),
            delivered: rate(figures.fanout.delivered),
            cpu: second.cpu,
        }
    }
}

/// A line of a chart: its name, how it looks, where its values come from, and those of an earlier run.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) style: fn(&Theme) -> Style,
    value: fn(&Point) -> Option<f64>,
    pub(super) before: Before,
}

const fn line(
    name: &'static str,
    style: fn(&Theme) -> Style,
    value: fn(&Point) -> Option<f64>,
    before: Before,
) -> Line {
    Line {
        name,
        style,
        value,
        before,
    }
}

/// Something that a chart shows.
#[derive(Debug)]
pub(super) struct Metric {
    /// `None` stands for the latency that the load is mainly about.
    name: Option<&'static str>,
    pub(super) unit: &'static str,
    pub(super) lines: &'static [Line],
    pub(super) show: fn(f64) -> String,
}

/// All of them; the first one is shown first.
#[rustfmt::skip]
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: None,
        unit: "ms",
        lines: &[
            // Of an earlier run it would hide what both have in common.
            line("max", |theme| theme.dim, |point| micros(point.main.max), Unknown),
            line("p99", |theme| theme.chart, |point| micros(point.main.p99), Quantile(0.99)),
            line("p50", |theme| theme.good, |point| micros(point.main.p50), Quantile(0.5)),
        ],
        show: time,
    },
    Metric {
        name: Some("handshake"),
        unit: "ms",
        lines: &[
            line("max", |theme| theme.dim, |point| micros(point.handshake.max), Unknown),
            line("p99", |theme| theme.chart, |point| micros(point.handshake.p99), Unknown),
            line("p50", |theme| theme.good, |point| micros(point.handshake.p50), Unknown),
        ],
        show: time,
    },
    Metric {
        name: Some("messages"),
        unit: "per second",
        lines: &[
            line("received", |theme| theme.incoming, |point| Some(point.received), Column("received")),
            line("sent", |theme| theme.outgoing, |point| Some(point.sent), Column("sent")),
        ],
        show: count,
    },
    Metric {
        name: Some("open connections"),
        unit: "",
        lines: &[line("open", |theme| theme.chart, |point| Some(point.open as f64), Column("open"))],
        show: count,
    },
    Metric {
        name: Some("opened"),
        unit: "per second",
        lines: &[line("opened", |theme| theme.chart, |point| Some(point.opened), Unknown)],
        show: count,
    },
    Metric {
        name: Some("in flight"),
        unit: "",
        lines: &[line("in flight", |theme| theme.chart, |point| Some(point.in_flight as f64), Unknown)],
        show: count,
    },
    Metric {
        name: Some("errors"),
        unit: "per second",
        lines: &[line("errors", |theme| theme.error, |point| Some(point.errors), Column("errors"))],
        show: count,
    },
    Metric {
        name: Some("sched lag"),
        unit: "ms",
        lines: &[line("p99", |theme| theme.chart, |point| micros(point.lag), Column("lag_p99"))],
        show: time,
    },
    Metric {
        name: Some("cpu of the load"),
        unit: "% of one processor",
        lines: &[line("cpu", |theme| theme.chart, |point| Some(point.cpu * 100.0), Column("cpu"))],
        show: count,
    },
];

/// The one of [`METRICS`] that stands beside the chosen one on a large screen.
pub(super) const BESIDE: usize = 2;

impl Metric {
    pub(super) fn name(&self, scene: &Scene) -> String {
        self.name
            .map_or_else(|| scene.main().name().replace('_', " "), ToOwned::to_owned)
    }

    /// Whether its values are times, which a logarithm suits.
    pub(super) fn is_time(&self) -> bool {
        self.unit == "ms"
    }

    /// Its lines as a graph draws them; those of `past` are dotted, in the same colours.
    pub(super) fn series(&self, scene: &Scene, past: Option<&Past>, theme: &Theme) -> Vec<Series> {
        let present = |line: &Line| Series {
            points: scene
                .points
                .iter()
                .filter_map(|point| Some((point.at, (line.value)(point)?)))
                .collect(),
            style: (line.style)(theme),
            dotted: false,
        };
        let from = scene.measured_from();
        let before = |(past, line): (&Past, &Line)| Series {
            points: past.line(line.before, from),
            style: (line.style)(theme),
            dotted: true,
        };
        // The last one lies above, and what is now above what was.
        let lines = || self.lines.iter().rev();
        let pasts = lines().filter_map(|line| Some((past?, line)));
        lines()
            .map(present)
            .chain(pasts.map(before).filter(|one| !one.points.is_empty()))
            .collect()
    }
}

fn micros(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

fn time(value: f64) -> String {
    millis(Some(value.round() as u64))
}

/// `950`, `12.3k`: what fits beside an axis.
fn count(value: f64) -> String {
    match value {
        ..10.0 if value.fract() > 0.0 => format!("{value:.1}"),
        _ => short(value.round() as u64),
    }
}
