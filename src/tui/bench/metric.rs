//! What the chart can show: one second of a run as numbers, and the metrics that are made of them.

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
            cpu: second.cpu,
        }
    }
}

/// A line of a chart: its name, how it looks, and where its values come from.
type Line = (
    &'static str,
    fn(&Theme) -> ratatui::style::Style,
    fn(&Point) -> Option<f64>,
);

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
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: None,
        unit: "ms",
        lines: &[
            ("max", |theme| theme.dim, |point| micros(point.main.max)),
            ("p99", |theme| theme.chart, |point| micros(point.main.p99)),
            ("p50", |theme| theme.good, |point| micros(point.main.p50)),
        ],
        show: time,
    },
    Metric {
        name: Some("handshake"),
        unit: "ms",
        lines: &[
            (
                "max",
                |theme| theme.dim,
                |point| micros(point.handshake.max),
            ),
            (
                "p99",
                |theme| theme.chart,
                |point| micros(point.handshake.p99),
            ),
            (
                "p50",
                |theme| theme.good,
                |point| micros(point.handshake.p50),
            ),
        ],
        show: time,
    },
    Metric {
        name: Some("messages"),
        unit: "per second",
        lines: &[
            (
                "received",
                |theme| theme.incoming,
                |point| Some(point.received),
            ),
            ("sent", |theme| theme.outgoing, |point| Some(point.sent)),
        ],
        show: count,
    },
    Metric {
        name: Some("open connections"),
        unit: "",
        lines: &[("open", |theme| theme.chart, |point| Some(point.open as f64))],
        show: count,
    },
    Metric {
        name: Some("opened"),
        unit: "per second",
        lines: &[("opened", |theme| theme.chart, |point| Some(point.opened))],
        show: count,
    },
    Metric {
        name: Some("in flight"),
        unit: "",
        lines: &[(
            "in flight",
            |theme| theme.chart,
            |point| Some(point.in_flight as f64),
        )],
        show: count,
    },
    Metric {
        name: Some("errors"),
        unit: "per second",
        lines: &[("errors", |theme| theme.error, |point| Some(point.errors))],
        show: count,
    },
    Metric {
        name: Some("sched lag"),
        unit: "ms",
        lines: &[("p99", |theme| theme.chart, |point| micros(point.lag))],
        show: time,
    },
    Metric {
        name: Some("cpu of the load"),
        unit: "% of one processor",
        lines: &[("cpu", |theme| theme.chart, |point| Some(point.cpu * 100.0))],
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

    /// Its lines as a graph draws them.
    pub(super) fn series(&self, scene: &Scene, theme: &Theme) -> Vec<Series> {
        let line = |(_, style, value): &Line| Series {
            points: scene
                .points
                .iter()
                .filter_map(|point| Some((point.at, value(point)?)))
                .collect(),
            style: style(theme),
        };
        // The last one lies above.
        self.lines.iter().rev().map(line).collect()
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
