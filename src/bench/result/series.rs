//! What happened second by second: one row for each, and the columns that it has.

use super::super::figures::Latency;
use super::super::run::{Finished, Second};
use super::super::shared::Phase;
use super::super::threshold;
use super::Series;
use super::make::{round, time};

type Column = (&'static str, fn(&Second) -> f64);

/// The columns of a series, and what makes them.
const COLUMNS: &[Column] = &[
    ("t", |second| round(second.at.as_secs_f64(), 1)),
    ("open", |second| second.open as f64),
    ("connecting", |second| second.connecting as f64),
    ("failed", |second| second.figures.connections.failed as f64),
    ("sent", |second| second.figures.messages.sent as f64),
    ("received", |second| second.figures.messages.received as f64),
    ("errors", |second| threshold::errors(&second.figures) as f64),
    ("bytes_in", |second| {
        second.figures.bytes.received_wire as f64
    }),
    ("bytes_out", |second| second.figures.bytes.sent_wire as f64),
    ("rtt_p50", |second| quantile(second, Latency::Rtt, 0.5)),
    ("rtt_p90", |second| quantile(second, Latency::Rtt, 0.9)),
    ("rtt_p99", |second| quantile(second, Latency::Rtt, 0.99)),
    ("rtt_max", |second| {
        second.figures.latency(Latency::Rtt).max() as f64
    }),
    ("session_p99", |second| {
        quantile(second, Latency::Session, 0.99)
    }),
    ("delivery_p50", |second| {
        quantile(second, Latency::Delivery, 0.5)
    }),
    ("delivery_p99", |second| {
        quantile(second, Latency::Delivery, 0.99)
    }),
    ("lag_p99", |second| {
        quantile(second, Latency::SchedLag, 0.99)
    }),
    ("cpu", |second| round(second.cpu * 100.0, 1)),
];

fn quantile(second: &Second, latency: Latency, quantile: f64) -> f64 {
    second.figures.latency(latency).value_at_quantile(quantile) as f64
}

pub(super) fn series(finished: &Finished) -> Series {
    let measured = finished
        .seconds
        .iter()
        .filter(|second| second.phase <= Phase::Drain);
    Series {
        interval_s: 1,
        start: time(finished.started_at),
        columns: COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        rows: measured
            .map(|second| COLUMNS.iter().map(|(_, value)| value(second)).collect())
            .collect(),
    }
}

impl Series {
    /// The seconds of a column in which it is not zero, and its values.
    pub fn of(&self, column: &str) -> Vec<(f64, f64)> {
        let place = |name: &str| self.columns.iter().position(|column| column == name);
        let (Some(time), Some(value)) = (place("t"), place(column)) else {
            return Vec::new();
        };
        let rows = self.rows.iter();
        rows.filter_map(|row| Some((*row.get(time)?, *row.get(value)?)))
            .filter(|(_, value)| *value > 0.0)
            .collect()
    }
}
