//! What happened second by second: one row for each, and the columns that it has.

use std::borrow::Cow;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::super::figures::Latency;
use super::super::run::{Finished, Second};
use super::super::shared::Phase;
use super::super::threshold;
use super::sections::{round, time};
use super::{Series, SeriesHistograms, hdr};

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
    let seconds = seconds(&finished.seconds, finished.open_at_end);
    let main = finished.figures.main();
    let histograms = main.map(|latency| SeriesHistograms {
        metric: latency.path(),
        data: seconds
            .iter()
            .map(|second| hdr::encoded(second.figures.latency(latency)))
            .collect(),
    });
    Series {
        interval_s: 1,
        start: time(finished.started_at),
        columns: COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        rows: seconds
            .iter()
            .map(|second| COLUMNS.iter().map(|(_, value)| value(second)).collect())
            .collect(),
        histograms: histograms.into_iter().collect(),
    }
}

/// The seconds until everything was answered. What the threads told of only after that belongs to the
/// last one of them.
fn seconds(all: &[Second], open_at_end: usize) -> Vec<Cow<'_, Second>> {
    let (load, after): (Vec<_>, Vec<_>) =
        all.iter().partition(|second| second.phase <= Phase::Drain);
    let mut seconds: Vec<_> = load.into_iter().map(Cow::Borrowed).collect();
    for second in after {
        match seconds.last_mut() {
            Some(last) if has_messages(second) => {
                let last = last.to_mut();
                last.figures.merge(&second.figures);
                last.at = second.at.min(last.at + Duration::from_secs(1));
            }
            Some(_) => {}
            // The only one was told of when all were closed already.
            None => seconds.push(Cow::Owned(Second {
                open: open_at_end,
                ..second.clone()
            })),
        }
    }
    seconds
}

fn has_messages(second: &Second) -> bool {
    let messages = second.figures.messages;
    messages.sent + messages.received > 0 || second.figures.main().is_some()
}

impl Series {
    /// A latency second by second: when each ended, and what was measured in it.
    pub fn histograms_of(&self, metric: &str) -> impl Iterator<Item = (f64, Histogram<u64>)> {
        let time = self.place("t");
        let data = self.histograms.iter().find(|one| one.metric == metric);
        let data = data.map_or(&[][..], |one| &one.data);
        let rows = self.rows.iter().zip(data);
        rows.filter_map(move |(row, data)| Some((*row.get(time?)?, hdr::decoded(data)?)))
    }

    /// The seconds in which a latency was measured, and a quantile (0 to 1) of each. Results of before
    /// there were histograms have some of them as columns.
    pub fn quantile(&self, metric: &str, quantile: f64) -> Vec<(f64, f64)> {
        if self.histograms.iter().any(|one| one.metric == metric) {
            let seconds = self.histograms_of(metric);
            let measured = seconds.filter(|(_, samples)| !samples.is_empty());
            return measured
                .map(|(at, samples)| (at, samples.value_at_quantile(quantile) as f64))
                .collect();
        }
        let column = if quantile < 1.0 {
            format!("{metric}_p{}", (quantile * 100.0).round())
        } else {
            format!("{metric}_max")
        };
        self.of(&column)
    }

    /// Where a column stands in each row.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The seconds of a column in which it is not zero, and its values.
    pub fn of(&self, column: &str) -> Vec<(f64, f64)> {
        let (Some(time), Some(value)) = (self.place("t"), self.place(column)) else {
            return Vec::new();
        };
        let rows = self.rows.iter();
        rows.filter_map(|row| Some((*row.get(time)?, *row.get(value)?)))
            .filter(|(_, value)| *value > 0.0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::figures::Figures;
    use super::*;
    use crate::bench::run::Generator;

    fn second(at: u64, phase: Phase, sent: u64) -> Second {
        let mut figures = Figures::default();
        figures.messages.sent = sent;
        Second {
            generator: Generator::default(),
            at: Duration::from_millis(at),
            phase,
            open: 1,
            connecting: 0,
            in_flight: 0,
            figures,
            cpu: 0.0,
            took: Duration::from_secs(1),
        }
    }

    #[test]
    fn what_is_told_late_is_not_lost() {
        let rows = |all: &[Second]| -> Vec<(u128, u64)> {
            let seconds = seconds(all, 7);
            let rows = seconds.iter();
            rows.map(|second| (second.at.as_millis(), second.figures.messages.sent))
                .collect()
        };
        let all = [
            second(1_000, Phase::Measure, 10),
            second(2_000, Phase::Drain, 10),
            second(2_300, Phase::Close, 3),
            second(3_300, Phase::Stop, 0),
        ];
        assert_eq!(rows(&all), [(1_000, 10), (2_300, 13)]);
        assert_eq!(rows(&all[2..]), [(2_300, 3)]);
        assert_eq!(rows(&all[3..]), [(3_300, 0)]);
        // In a run of less than a second that was told of when nothing was open any more.
        assert_eq!(seconds(&all[3..], 7)[0].open, 7);
        assert_eq!(seconds(&all, 7)[0].open, 1);
    }
}
