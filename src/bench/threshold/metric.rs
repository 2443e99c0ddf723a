//! The figures of a run by their names, and their units.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use super::super::figures::{Figures, Latency};
use super::super::script::Step;
use super::Measured;
use crate::model::units::{exact_duration, parse_count, parse_duration, show_duration};
use crate::text::nearest::nearest;

/// Figures that are no latencies, and their units.
pub const SCALARS: &[(&str, Unit)] = &[
    ("errors.rate", Unit::Share),
    ("errors.count", Unit::Count),
    ("connections.open", Unit::Count),
    ("connections.opened", Unit::Count),
    ("connections.failed", Unit::Count),
    ("connections.lost", Unit::Count),
    ("connections.rate", Unit::Rate),
    ("messages.rate", Unit::Rate),
    ("messages.sent", Unit::Count),
    ("messages.received", Unit::Count),
    ("messages.unanswered", Unit::Count),
    ("messages.dropped", Unit::Count),
    ("messages.duplicate", Unit::Count),
    ("messages.out_of_order", Unit::Count),
    ("fanout.reach", Unit::Share),
    ("fanout.published", Unit::Count),
    ("fanout.delivered", Unit::Count),
    ("fanout.duplicates", Unit::Count),
    ("fanout.gaps", Unit::Count),
    ("fanout.out_of_order", Unit::Count),
    ("storms.recovered", Unit::Count),
    ("checks.rate", Unit::Share),
    ("iterations.rate", Unit::Rate),
    ("iterations.passed", Unit::Count),
    ("iterations.failed", Unit::Count),
    ("iterations.dropped", Unit::Count),
];

/// What the names of a script's steps begin with.
pub(super) const STEP: &str = "step.";

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Time,
    /// A part of the whole, from 0 to 1; typed with `%`.
    Share,
    Count,
    /// Per second.
    Rate,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    Min,
    Max,
    Mean,
    Stdev,
    Count,
    /// From 0 to 100.
    Percentile(f64),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    Latency(Latency, Statistic),
    /// Of a script, by the step's name.
    Step(String, Statistic),
    Scalar(&'static str),
}

impl Metric {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some((name, _)) = SCALARS.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Scalar(name));
        }
        // Percentiles may have a point of their own: rtt.p99.9.
        let parts = text.match_indices('.').find_map(|(at, _)| {
            let statistic = Statistic::parse(&text[at + 1..])?;
            let name = &text[..at];
            match name.strip_prefix(STEP) {
                Some(step) => Some(Self::Step(step.to_owned(), statistic)),
                None => latency_named(name).map(|latency| Self::Latency(latency, statistic)),
            }
        });
        parts.ok_or_else(|| {
            let names: Vec<String> = Self::names().collect();
            let meant = nearest(text, names.iter().map(String::as_str));
            let meant = meant.map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"));
            format!("there is no metric \"{text}\"{meant}; bench --help lists them")
        })
    }

    /// All that can be named, for finding the nearest.
    pub fn names() -> impl Iterator<Item = String> {
        let latencies = Latency::ALL.into_iter().flat_map(|latency| {
            [
                "p50", "p90", "p95", "p99", "p99.9", "max", "min", "mean", "count",
            ]
            .map(|statistic| format!("{}.{statistic}", latency.path()))
        });
        latencies.chain(SCALARS.iter().map(|(name, _)| (*name).to_owned()))
    }

    pub fn unit(&self) -> Unit {
        match self {
            Self::Latency(_, Statistic::Count) | Self::Step(_, Statistic::Count) => Unit::Count,
            Self::Latency(..) | Self::Step(..) => Unit::Time,
            Self::Scalar(name) => {
                let found = SCALARS.iter().find(|(known, _)| known == name);
                found.map_or(Unit::Count, |(_, unit)| *unit)
            }
        }
    }

    /// Where it is a percentile: which one, and of how many samples.
    pub(super) fn percentile(&self, measured: &Measured<'_>) -> Option<(f64, u64)> {
        match self {
            Self::Latency(latency, Statistic::Percentile(percentile)) => {
                Some((*percentile, measured.figures.latency(*latency).len()))
            }
            Self::Step(name, Statistic::Percentile(percentile)) => {
                let place = measured.steps.iter().position(|step| step.name == *name)?;
                let step = measured.figures.steps.get(place)?;
                Some((*percentile, step.latency.len()))
            }
            _ => None,
        }
    }

    /// The value in the metric's unit.
    pub(super) fn value(&self, measured: &Measured<'_>) -> Option<f64> {
        match self {
            Self::Latency(latency, statistic) => statistic.of(measured.figures.latency(*latency)),
            Self::Step(name, statistic) => {
                let place = measured.steps.iter().position(|step| step.name == *name)?;
                let step = measured.figures.steps.get(place);
                step.map_or(
                    Some(0.0).filter(|_| *statistic == Statistic::Count),
                    |step| statistic.of(&step.latency),
                )
            }
            Self::Scalar(name) => scalar(name, measured),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency(latency, statistic) => write!(f, "{}.{statistic}", latency.path()),
            Self::Step(name, statistic) => write!(f, "{STEP}{name}.{statistic}"),
            Self::Scalar(name) => f.write_str(name),
        }
    }
}

fn latency_named(name: &str) -> Option<Latency> {
    Latency::ALL
        .into_iter()
        .find(|latency| latency.path() == name || latency.name() == name)
}

/// All that can be named, for `--help`.
pub fn known() -> String {
    let latencies: Vec<String> = Latency::ALL.iter().map(|latency| latency.path()).collect();
    let scalars: Vec<&str> = SCALARS.iter().map(|(name, _)| *name).collect();
    format!(
        "Latencies, with .p50, .p99.9, .min, .max, .mean, .stdev or .count: {}, and step.LINE of a script.\n\nOthers: {}.",
        latencies.join(", "),
        scalars.join(", ")
    )
}

impl Statistic {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "min" => Self::Min,
            "max" => Self::Max,
            "mean" => Self::Mean,
            "stdev" => Self::Stdev,
            "count" => Self::Count,
            _ => {
                let percentile = text.strip_prefix('p')?.replace('_', ".");
                let percentile: f64 = percentile.parse().ok()?;
                return (0.0..=100.0)
                    .contains(&percentile)
                    .then_some(Self::Percentile(percentile));
            }
        })
    }

    fn of(self, histogram: &hdrhistogram::Histogram<u64>) -> Option<f64> {
        if self == Self::Count {
            return Some(histogram.len() as f64);
        }
        if histogram.is_empty() {
            return None;
        }
        Some(match self {
            Self::Min => histogram.min() as f64,
            Self::Max => histogram.max() as f64,
            Self::Mean => histogram.mean(),
            Self::Stdev => histogram.stdev(),
            Self::Count => histogram.len() as f64,
            Self::Percentile(percentile) => histogram.value_at_quantile(percentile / 100.0) as f64,
        })
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Mean => f.write_str("mean"),
            Self::Stdev => f.write_str("stdev"),
            Self::Count => f.write_str("count"),
            Self::Percentile(percentile) => write!(f, "p{percentile}"),
        }
    }
}

/// The value of one of [`SCALARS`]; `None` where there was nothing to measure.
fn scalar(name: &str, measured: &Measured<'_>) -> Option<f64> {
    let Figures {
        connections,
        messages,
        iterations,
        fanout,
        storms,
        ..
    } = measured.figures;
    let per_second = |count: u64, time: Duration| count as f64 / time.as_secs_f64().max(1e-9);
    let errors = errors(measured.figures);
    Some(match name {
        "errors.rate" => errors as f64 / (connections.attempted + messages.sent).max(1) as f64,
        "errors.count" => errors as f64,
        "connections.open" => measured.open as f64,
        "connections.opened" => connections.opened as f64,
        "connections.failed" => connections.failed as f64,
        "connections.lost" => connections.lost as f64,
        "connections.rate" => per_second(connections.opened, measured.opening),
        "messages.rate" => per_second(messages.sent.max(messages.received), measured.time),
        "messages.sent" => messages.sent as f64,
        "messages.received" => messages.received as f64,
        "messages.unanswered" => messages.unanswered as f64,
        "messages.dropped" => messages.dropped as f64,
        "messages.duplicate" => messages.duplicate as f64,
        "messages.out_of_order" => messages.out_of_order as f64,
        "fanout.reach" => fanout.reach()?,
        "fanout.published" => fanout.published as f64,
        "fanout.delivered" => fanout.delivered as f64,
        "fanout.duplicates" => fanout.duplicate as f64,
        "fanout.gaps" => fanout.gaps() as f64,
        "fanout.out_of_order" => fanout.out_of_order as f64,
        "storms.recovered" => storms.recovered as f64,
        "checks.rate" => {
            let (passed, failed) = checks(measured.figures, measured.steps);
            if passed + failed == 0 {
                return None;
            }
            passed as f64 / (passed + failed) as f64
        }
        "iterations.rate" => per_second(iterations.passed + iterations.failed, measured.time),
        "iterations.passed" => iterations.passed as f64,
        "iterations.failed" => iterations.failed as f64,
        "iterations.dropped" => iterations.dropped as f64,
        _ => return None,
    })
}

/// Checks of a script that held, and that did not.
pub fn checks(figures: &Figures, steps: &[Step]) -> (u64, u64) {
    let checks = figures.steps.iter().zip(steps);
    let checks = checks.filter(|(_, step)| step.is_check());
    checks.fold((0, 0), |(passed, failed), (counted, _)| {
        (passed + counted.passed, failed + counted.failed)
    })
}

/// Connections that were not opened or were lost, messages that were not answered or not sent, and
/// scripts in which a check did not hold or that were not begun.
pub fn errors(figures: &Figures) -> u64 {
    let Figures {
        connections,
        messages,
        iterations,
        ..
    } = figures;
    connections.failed
        + connections.lost
        + messages.unanswered
        + messages.dropped
        + iterations.unmet
        + iterations.dropped
}

impl Unit {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "us",
            Self::Share => "ratio",
            Self::Count => "count",
            Self::Rate => "per_second",
        }
    }

    /// The unit of a name in a result; an unknown one is a number.
    pub fn named(name: &str) -> Self {
        let units = [Self::Time, Self::Share, Self::Count, Self::Rate];
        let found = units.into_iter().find(|unit| unit.name() == name);
        found.unwrap_or(Self::Count)
    }

    pub(super) fn parse(self, text: &str) -> Result<f64, String> {
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        match self {
            Self::Time if number(text).is_some_and(|number| number != 0.0) => {
                Err(format!("{text} of what? {text}ms, say, or {text}s"))
            }
            Self::Time => parse_duration(text).map(|limit| limit.as_secs_f64() * 1e6),
            Self::Share => match text.strip_suffix('%') {
                Some(percent) => number(percent.trim_end()).map(|percent| percent / 100.0),
                None => number(text),
            }
            .ok_or_else(|| format!("\"{text}\" is not a share (try 0.5% or 0.005)")),
            Self::Count | Self::Rate => {
                let text = text.trim_end_matches("/s");
                let count = parse_count(text).map(|count| count as f64);
                count.or_else(|wrong| number(text).ok_or(wrong))
            }
        }
    }

    /// A value beside a limit, with as many digits as tell on which side of it the value is.
    pub fn show_beside(self, value: f64, limit: f64) -> String {
        let tells = |shown: &String| {
            let seen = self.parse(shown);
            seen.is_ok_and(|seen| order(seen, limit) == order(value, limit))
        };
        let more: Vec<String> = match self {
            Self::Time => Duration::try_from_secs_f64(value / 1e6)
                .map(exact_duration)
                .into_iter()
                .collect(),
            Self::Share => (3..=10)
                .map(|digits| format!("{:.digits$}%", value * 100.0))
                .collect(),
            Self::Rate => (2..=6)
                .map(|digits| format!("{value:.digits$}/s"))
                .collect(),
            Self::Count => Vec::new(),
        };
        let usual = self.show(value);
        if tells(&usual) {
            return usual;
        }
        more.into_iter().find(tells).unwrap_or(usual)
    }

    /// A value as people read it.
    pub fn show(self, value: f64) -> String {
        match self {
            // A limit may come from a file, where it can be any number.
            Self::Time => Duration::try_from_secs_f64(value / 1e6)
                .map_or_else(|_| format!("{value}us"), show_duration),
            Self::Share => format!("{:.2}%", value * 100.0),
            Self::Count => format!("{value}"),
            Self::Rate => format!("{value:.1}/s"),
        }
    }
}

/// Numbers that were written and read again are the same where they differ by next to nothing.
fn order(one: f64, other: f64) -> Ordering {
    if (one - other).abs() <= 1e-9 * one.abs().max(other.abs()) {
        return Ordering::Equal;
    }
    one.total_cmp(&other)
}

impl Latency {
    /// Where it stands in a result, below `latency`.
    pub fn path(self) -> String {
        if Self::STEPS.contains(&self) {
            format!("handshake.{}", self.name())
        } else {
            self.name().to_owned()
        }
    }
}
