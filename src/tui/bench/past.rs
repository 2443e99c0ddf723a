//! An earlier run beside the present one (`--baseline`): its lines for the charts, and its percentiles.
//! It comes from a file, so that what is kept of it is bounded and safe to be shown.

use super::metric::METRICS;
use super::scene::MOST_POINTS;
use crate::bench::compare::suspect;
use crate::bench::figures::Latency;
use crate::bench::report::millis;
use crate::bench::result::table::{HANDSHAKE, LATENCIES};
use crate::bench::result::{BenchResult, LatencyInfo, Series, SeriesHistograms};
use crate::bench::spread::Spread;
use crate::bench::verdict::Verdict;
use crate::text::{glyph, sanitize};

/// Columns of its name.
const NAME: usize = 24;
/// Histograms that are read: of a run of more than an hour not those of every second, so that the screen
/// does not wait for them.
const MOST_DECODED: usize = 3600;
/// What no chart has room for: a month in microseconds.
const MOST: f64 = 2.6e12;

/// Where a line of a chart has the values of an earlier run from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Before {
    /// A result does not have them second by second.
    Unknown,
    /// A quantile of the latency that the run was mainly about, 0 to 1.
    Quantile(f64),
    /// A column of its series.
    Column(&'static str),
}

/// The earlier run.
#[derive(Debug, Clone)]
pub struct Past {
    name: String,
    main: Latency,
    /// Of the whole run.
    pub(super) spread: Spread,
    /// Seconds from its start to when it was measured from.
    measured_from: f64,
    lines: Vec<(Before, Vec<(f64, f64)>)>,
}

impl Past {
    /// Takes what can be shown beside a load that is mainly about `main`.
    pub fn of(name: &str, run: &BenchResult, main: Latency) -> Self {
        let path = main.path();
        let rows = LATENCIES.iter().chain([&HANDSHAKE]);
        let row = rows.into_iter().find(|row| row.path == path);
        let rows_shown = run.series.rows.len().min(MOST_POINTS);
        let counted = part(&run.series, 1);
        let timed = part(&run.series, rows_shown.div_ceil(MOST_DECODED).max(1));
        let lines = METRICS.iter().flat_map(|metric| metric.lines);
        let lines = lines.filter_map(|line| {
            let points = match line.before {
                Before::Unknown => return None,
                Before::Quantile(quantile) => timed.quantile(&path, quantile),
                // A time of nothing was not measured.
                Before::Column(column) if column.ends_with("_p99") => counted.of(column),
                Before::Column(column) => column_of(&counted, column),
            };
            Some((line.before, points.into_iter().filter(is_sane).collect()))
        });
        Self {
            name: glyph::ends(&sanitize::line(name), NAME, true),
            main,
            spread: row.map_or_else(Spread::default, |row| spread((row.get)(run))),
            measured_from: run.run.ramp_s + run.workload.warmup_s,
            lines: lines.collect(),
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The values of a line, so that both runs are measured from the same place on. Nothing where the
    /// result does not say.
    pub(super) fn line(&self, before: Before, measured_from: Option<f64>) -> Vec<(f64, f64)> {
        let later = measured_from.map_or(0.0, |from| from - self.measured_from);
        let lines = self.lines.iter();
        let found = lines.filter(|(one, _)| *one == before);
        let points = found.flat_map(|(_, points)| points);
        points.map(|(at, value)| (at + later, *value)).collect()
    }

    /// Whether a line has any values.
    pub(super) fn has(&self, before: Before) -> bool {
        let mut lines = self.lines.iter();
        lines.any(|(one, points)| *one == before && !points.is_empty())
    }

    /// Why a run that has come to this so far cannot be compared with it: that the load is another one
    /// was found out before it began.
    pub(super) fn refusal(verdict: &Verdict) -> Option<String> {
        let doubt = verdict.invalid.first()?;
        Some(suspect("this run", &doubt.text))
    }

    /// Its figure and the present one: `main: rtt p99 2.20 ms, now 2.45 ms (+11.4%)`.
    pub(super) fn beside(&self, now: &Spread) -> String {
        let Self {
            name, main, spread, ..
        } = self;
        let main = main.name().replace('_', " ");
        let pairs = [("p99", spread.p99, now.p99), ("p50", spread.p50, now.p50)];
        let mut known = pairs.into_iter().filter(|(_, before, _)| before.is_some());
        let Some((percentile, before, now)) = known.next() else {
            return format!("{name}: no {main} was measured");
        };
        let change = match (before, now) {
            (Some(before @ 1..), Some(now)) => {
                format!(" ({:+.1}%)", (now as f64 / before as f64 - 1.0) * 100.0)
            }
            _ => String::new(),
        };
        let unit = if now.is_some() { " ms" } else { "" };
        format!(
            "{name}: {main} {percentile} {} ms, now {}{unit}{change}",
            millis(before),
            millis(now)
        )
    }
}

/// The part of a series that charts may show: of the first so many seconds every `step`th.
fn part(series: &Series, step: usize) -> Series {
    let histograms = series.histograms.iter().map(|one| SeriesHistograms {
        metric: one.metric.clone(),
        data: shown(&one.data, step),
    });
    Series {
        interval_s: series.interval_s,
        start: String::new(),
        columns: series.columns.clone(),
        rows: shown(&series.rows, step),
        histograms: histograms.take(Latency::ALL.len()).collect(),
    }
}

fn shown<T: Clone>(all: &[T], step: usize) -> Vec<T> {
    let shown = all.iter().take(MOST_POINTS).step_by(step);
    shown.cloned().collect()
}

/// The seconds of a column, and its values.
fn column_of(series: &Series, column: &str) -> Vec<(f64, f64)> {
    let (Some(time), Some(value)) = (series.place("t"), series.place(column)) else {
        return Vec::new();
    };
    let rows = series.rows.iter();
    rows.filter_map(|row| Some((*row.get(time)?, *row.get(value)?)))
        .collect()
}

fn is_sane((at, value): &(f64, f64)) -> bool {
    (0.0..MOST).contains(at) && (0.0..MOST).contains(value)
}

fn spread(info: &LatencyInfo) -> Spread {
    Spread {
        count: info.count,
        min: info.min,
        p50: info.p50,
        p90: info.p90,
        p99: info.p99,
        p99_9: info.p99_9,
        p99_99: info.p99_99,
        max: info.max,
    }
}
