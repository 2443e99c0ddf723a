//! What happened second by second, joined by the seconds of the wall clock.
//!
//! A row belongs to the second in which the middle of its time lies. Counts and what is open are added;
//! percentiles are found anew in the added histograms of the second. For a latency that has none
//! (`lag`) the worst shard's is taken.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;

use super::super::figures::{DIGITS, histogram};
use super::super::result::hdr::{decoded, encoded};
use super::super::result::sections::{round, time};
use super::super::result::table::latency_at;
use super::super::result::{BenchResult, Series, SeriesHistograms};
use super::Part;
use super::shards::seconds;
use std::time::{Duration, SystemTime};

/// What a column is, and so how it is added.
enum Column {
    /// `t`
    Time,
    /// What there is at a time.
    Level,
    /// How often something happened.
    Count,
    /// A quantile (0 to 1) of a latency.
    Quantile(String, f64),
}

/// Those that are levels.
const LEVELS: [&str; 3] = ["open", "connecting", "cpu"];
/// Digits after the point of a level.
const LEVEL_DIGITS: i32 = 1;

impl Column {
    fn of(name: &str) -> Self {
        if name == "t" {
            return Self::Time;
        }
        if LEVELS.contains(&name) {
            return Self::Level;
        }
        let quantile = name.rsplit_once('_').and_then(|(metric, statistic)| {
            let quantile = match statistic {
                "max" => 1.0,
                _ => statistic.strip_prefix('p')?.parse::<f64>().ok()? / 100.0,
            };
            Some(Self::Quantile(metric.to_owned(), quantile))
        });
        quantile.unwrap_or(Self::Count)
    }

    /// Adds the value of another shard.
    fn add(&self, ours: &mut f64, theirs: f64) {
        match self {
            Self::Time => {}
            Self::Level => *ours = round(*ours + theirs, LEVEL_DIGITS),
            Self::Count => *ours += theirs,
            Self::Quantile(..) => *ours = ours.max(theirs),
        }
    }

    /// Takes in the value of a later row of the same shard and second.
    fn follow(&self, ours: &mut f64, theirs: f64) {
        match self {
            Self::Level => *ours = theirs,
            _ => self.add(ours, theirs),
        }
    }
}

/// A second.
#[derive(Clone)]
struct Row {
    values: Vec<f64>,
    /// Of each metric.
    samples: Vec<Histogram<u64>>,
}

/// # Errors
/// Every reason why there is no common series.
pub(super) fn merged(parts: &[Part]) -> Result<Series, Vec<String>> {
    let Some(first) = parts.first() else {
        return Err(Vec::new());
    };
    let names = &first.result.series.columns;
    let columns: Vec<Column> = names.iter().map(|name| Column::of(name)).collect();
    let mut reasons = Vec::new();
    let metrics = metrics(parts, &columns, &mut reasons);
    let mut all: BTreeMap<i64, Row> = BTreeMap::new();
    for part in parts {
        let rows = match rows(&part.result, names, &columns, &metrics) {
            Ok(rows) => rows,
            Err(why) => {
                reasons.push(format!("{}: {why}", part.name));
                continue;
            }
        };
        for (second, row) in rows {
            all.entry(second)
                .and_modify(|ours| {
                    let values = ours.values.iter_mut().zip(row.values.iter().copied());
                    for ((ours, theirs), column) in values.zip(&columns) {
                        column.add(ours, theirs);
                    }
                    for (ours, theirs) in ours.samples.iter_mut().zip(&row.samples) {
                        // A histogram that grows by itself takes every other one.
                        let _ = ours.add(theirs);
                    }
                })
                .or_insert(row);
        }
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    Ok(written(names, &columns, &metrics, all))
}

/// The latencies whose histograms all parts have that have measured them.
fn metrics(parts: &[Part], columns: &[Column], reasons: &mut Vec<String>) -> Vec<String> {
    let each = parts.iter().flat_map(|part| &part.result.series.histograms);
    let all: BTreeSet<&String> = each.map(|one| &one.metric).collect();
    let lacks = |part: &&Part, metric: &str| {
        let series = &part.result.series;
        let has = series.histograms.iter().any(|one| one.metric == metric);
        let count = latency_at(metric).map_or(0, |row| (row.get)(&part.result).count);
        !has && count > 0
    };
    let mut metrics = Vec::new();
    for metric in all {
        let is_shown = columns
            .iter()
            .any(|column| matches!(column, Column::Quantile(of, _) if of == metric));
        match parts.iter().find(|part| lacks(part, metric)) {
            None => metrics.push(metric.clone()),
            Some(part) if is_shown => reasons.push(format!(
                "{} has no histograms of {metric} second by second, and others have",
                part.name
            )),
            Some(_) => {}
        }
    }
    metrics
}

/// The seconds of a part.
fn rows(
    result: &BenchResult,
    names: &[String],
    columns: &[Column],
    metrics: &[String],
) -> Result<BTreeMap<i64, Row>, String> {
    let series = &result.series;
    if series.columns != names || series.interval_s != 1 {
        return Err("its series has other columns or another interval".to_owned());
    }
    let start = seconds(&series.start, result.shard.clock_offset_us);
    let start = start.ok_or_else(|| format!("\"{}\" is not a time", series.start))?;
    let histograms: Vec<Option<&SeriesHistograms>> = metrics
        .iter()
        .map(|metric| series.histograms.iter().find(|one| one.metric == *metric))
        .collect();
    let place = columns
        .iter()
        .position(|column| matches!(column, Column::Time));
    let mut rows: BTreeMap<i64, Row> = BTreeMap::new();
    for (at, values) in series.rows.iter().enumerate() {
        let t = place.and_then(|place| values.get(place));
        let t = t.filter(|t| values.len() == names.len() && (0.0..1e9).contains(*t));
        let t = t.ok_or_else(|| format!("row {} of its series is not whole", at + 1))?;
        // The middle of the second that ends at `t`.
        let second = (start + t - 0.5).floor() as i64;
        let samples = histograms
            .iter()
            .zip(metrics)
            .map(|(one, metric)| match one {
                None => Ok(histogram()),
                Some(one) => read(one.data.get(at)).ok_or_else(|| {
                    format!(
                        "histogram {} of {metric} in its series cannot be read",
                        at + 1
                    )
                }),
            });
        let row = Row {
            values: values.clone(),
            samples: samples.collect::<Result<_, _>>()?,
        };
        match rows.get_mut(&second) {
            None => {
                rows.insert(second, row);
            }
            Some(ours) => {
                let values = ours.values.iter_mut().zip(&row.values);
                for ((ours, theirs), column) in values.zip(columns) {
                    column.follow(ours, *theirs);
                }
                for (ours, theirs) in ours.samples.iter_mut().zip(&row.samples) {
                    let _ = ours.add(theirs);
                }
            }
        }
    }
    if result.shards.is_empty() {
        fill(&mut rows, columns);
    }
    Ok(rows)
}

/// A histogram that can grow, with what a text holds.
fn read(text: Option<&String>) -> Option<Histogram<u64>> {
    let read = decoded(text?)?;
    let mut samples = histogram();
    if read.sigfig() != DIGITS || read.low() != 1 {
        return None;
    }
    samples.add(read).ok()?;
    Some(samples)
}

/// Rows come a little later than each second, so that now and then one is skipped: what was open before
/// is open then too.
fn fill(rows: &mut BTreeMap<i64, Row>, columns: &[Column]) {
    let seconds: Vec<i64> = rows.keys().copied().collect();
    for pair in seconds.windows(2) {
        if pair[1] != pair[0] + 2 {
            continue;
        }
        let mut row = rows[&pair[0]].clone();
        for (value, column) in row.values.iter_mut().zip(columns) {
            if !matches!(column, Column::Level) {
                *value = 0.0;
            }
        }
        row.samples.fill_with(histogram);
        rows.insert(pair[0] + 1, row);
    }
}

/// The series of all; its first row ends a second after its start.
fn written(
    names: &[String],
    columns: &[Column],
    metrics: &[String],
    mut all: BTreeMap<i64, Row>,
) -> Series {
    let start = all.keys().next().copied().unwrap_or_default();
    for (second, row) in &mut all {
        for (value, column) in row.values.iter_mut().zip(columns) {
            match column {
                Column::Time => *value = (second - start + 1) as f64,
                Column::Quantile(metric, quantile) => {
                    if let Some(place) = metrics.iter().position(|known| known == metric) {
                        *value = row.samples[place].value_at_quantile(*quantile) as f64;
                    }
                }
                Column::Level | Column::Count => {}
            }
        }
    }
    let since = Duration::from_secs(start.unsigned_abs());
    let histograms = metrics
        .iter()
        .enumerate()
        .map(|(place, metric)| SeriesHistograms {
            metric: metric.clone(),
            data: all
                .values()
                .map(|row| encoded(&row.samples[place]))
                .collect(),
        });
    Series {
        interval_s: 1,
        start: time(
            SystemTime::UNIX_EPOCH
                .checked_add(since)
                .unwrap_or(SystemTime::UNIX_EPOCH),
        ),
        columns: names.to_vec(),
        histograms: histograms.collect(),
        rows: all.into_values().map(|row| row.values).collect(),
    }
}
