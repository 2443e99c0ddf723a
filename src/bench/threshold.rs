//! `--threshold 'rtt.p99<250ms'`: what a result must be like. Pure.
//!
//! `METRIC OP LIMIT[!]`. A metric is a latency and a statistic (`rtt.p99`, `handshake.tls.max`, and
//! `step.17.p99` for a step of a script) or one of [`SCALARS`]; with `!` the run is aborted as soon as it does not hold.

use std::fmt;
use std::time::Duration;

use super::figures::{Figures, Latency};
use super::script::Step;
use crate::model::units::{parse_count, parse_duration, show_duration};
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
    ("checks.rate", Unit::Share),
    ("iterations.rate", Unit::Rate),
    ("iterations.passed", Unit::Count),
    ("iterations.failed", Unit::Count),
    ("iterations.dropped", Unit::Count),
];

/// Those that only a script has, by how their names begin.
const OF_SCRIPTS: [&str; 3] = ["checks.", "iterations.", STEP];

/// What the names of a script's steps begin with.
const STEP: &str = "step.";

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
}

/// The longer ones first, so that `<=` is not read as `<`.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

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

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// As it was typed, without blanks.
    pub text: String,
    pub metric: Metric,
    pub comparison: Comparison,
    /// In the metric's unit.
    pub limit: f64,
    /// `!`: do not go on once it fails.
    pub aborts: bool,
}

/// What thresholds are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    pub figures: &'a Figures,
    /// Of the script that is played.
    pub steps: &'a [Step],
    pub open: usize,
    /// How long was measured.
    pub time: Duration,
    /// How long connections were opened.
    pub opening: Duration,
}

/// What is wrong with a threshold, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub message: String,
    pub at: usize,
}

impl Wrong {
    /// The text, a caret below the place, and the message.
    pub fn show(&self, text: &str) -> String {
        let before = text.get(..self.at).unwrap_or(text).chars().count();
        format!("{}\n  {text}\n  {:before$}^", self.message, "")
    }
}

impl Threshold {
    /// # Errors
    /// [`Wrong`].
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let (at, sign, comparison) = COMPARISONS
            .iter()
            .filter_map(|&(sign, comparison)| Some((text.find(sign)?, sign, comparison)))
            .min_by_key(|&(at, sign, _)| (at, usize::MAX - sign.len()))
            .ok_or_else(|| Wrong {
                message: "a threshold is METRIC OP LIMIT, such as rtt.p99<250ms".into(),
                at: text.len(),
            })?;
        let metric =
            Metric::parse(text[..at].trim()).map_err(|message| Wrong { message, at: 0 })?;
        let rest = &text[at + sign.len()..];
        let (limit, aborts) = match rest.trim_end().strip_suffix('!') {
            Some(limit) => (limit, true),
            None => (rest, false),
        };
        let blanks = limit.len() - limit.trim_start().len();
        let limit = metric.unit().parse(limit.trim()).map_err(|message| Wrong {
            message,
            at: at + sign.len() + blanks,
        })?;
        Ok(Self {
            text: text.split_whitespace().collect(),
            metric,
            comparison,
            limit,
            aborts,
        })
    }

    /// Whether a run with such steps measures it; `None` is one without a script.
    ///
    /// # Errors
    /// What there is instead.
    pub fn check(&self, steps: Option<&[Step]>) -> Result<(), Wrong> {
        let name = self.metric.to_string();
        let wrong = |message| Err(Wrong { message, at: 0 });
        let Some(steps) = steps else {
            return match OF_SCRIPTS.iter().any(|prefix| name.starts_with(prefix)) {
                true => wrong(format!("only a --script has {name}")),
                false => Ok(()),
            };
        };
        match &self.metric {
            Metric::Step(wanted, _) if steps.iter().all(|step| step.name != *wanted) => {
                let there: Vec<String> = steps.iter().map(|step| step.name.clone()).collect();
                wrong(format!(
                    "the script has no step \"{wanted}\"; they are named by their lines: {}",
                    there.join(", ")
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether it holds, and the value it was judged by; `None` where nothing was measured.
    pub fn judge(&self, measured: &Measured<'_>) -> (bool, Option<f64>) {
        let value = self.metric.value(measured);
        (
            value.is_some_and(|value| self.comparison.holds(value, self.limit)),
            value,
        )
    }
}

impl Comparison {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
            Self::Greater => value > limit,
            Self::AtLeast => value >= limit,
            Self::Equal => value == limit,
        }
    }

    pub const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
        }
    }
}

impl Metric {
    fn parse(text: &str) -> Result<Self, String> {
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
            format!("there is no metric \"{text}\"{meant}; {}", known())
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

    /// The value in the metric's unit.
    fn value(&self, measured: &Measured<'_>) -> Option<f64> {
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

fn known() -> String {
    let latencies: Vec<String> = Latency::ALL.iter().map(|latency| latency.path()).collect();
    let scalars: Vec<&str> = SCALARS.iter().map(|(name, _)| *name).collect();
    format!(
        "there are {} (and step.LINE of a script) with p50, p99.9, min, max, mean, stdev or count, and {}",
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
    fn parse(self, text: &str) -> Result<f64, String> {
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        match self {
            Self::Time => parse_duration(text).map(|limit| limit.as_secs_f64() * 1e6),
            Self::Share => match text.strip_suffix('%') {
                Some(percent) => number(percent).map(|percent| percent / 100.0),
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

    /// A value as people read it.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Time => show_duration(Duration::from_secs_f64(value / 1e6)),
            Self::Share => format!("{:.2}%", value * 100.0),
            Self::Count => format!("{value}"),
            Self::Rate => format!("{value:.1}/s"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::outcome::StepKind;

    fn measured(figures: &Figures) -> Measured<'_> {
        Measured {
            figures,
            steps: &[],
            open: 10,
            time: Duration::from_secs(10),
            opening: Duration::from_secs(2),
        }
    }

    fn judge(text: &str, figures: &Figures) -> (bool, Option<f64>) {
        Threshold::parse(text).unwrap().judge(&measured(figures))
    }

    #[test]
    fn thresholds_are_judged_in_their_unit() {
        let mut figures = Figures::default();
        for millis in 1..=100 {
            figures.record(Latency::Rtt, Duration::from_millis(millis));
        }
        figures.messages.sent = 100;
        figures.messages.unanswered = 1;
        figures.connections.attempted = 100;
        let rows = [
            ("rtt.p50<51ms", true),
            ("rtt.p50 < 10ms", false),
            ("rtt.p99.9 >= 99ms!", true),
            ("rtt.p99_9>=0.2s", false),
            ("rtt.count==100", true),
            ("errors.rate<=0.5%", true),
            ("errors.rate<0.005", false),
            ("messages.rate>=10/s", true),
            ("connections.open>=1k", false),
        ];
        for (text, holds) in rows {
            assert_eq!(judge(text, &figures).0, holds, "{text}");
        }
        assert!(Threshold::parse("rtt.max<1s!").unwrap().aborts);
    }

    #[test]
    fn what_was_not_measured_does_not_hold() {
        assert_eq!(judge("ping.p99<1s", &Figures::default()), (false, None));
        assert_eq!(
            judge("ping.count==0", &Figures::default()),
            (true, Some(0.0))
        );
    }

    #[test]
    fn steps_of_a_script_are_judged_by_their_names() {
        let step = |name: &str, kind| Step {
            name: name.into(),
            text: String::new(),
            kind,
        };
        let steps = [step("1", StepKind::Send), step("a.wst:2", StepKind::Expect)];
        let mut figures = Figures::default();
        for took in 1..=4 {
            figures.step(0).ended(true, None);
            let held = took < 4;
            let took = Duration::from_millis(took);
            figures.step(1).ended(held, held.then_some(took));
        }
        let measured = Measured {
            steps: &steps,
            ..measured(&figures)
        };
        let judge = |text: &str| Threshold::parse(text).unwrap().judge(&measured);
        assert!(judge("step.a.wst:2.p99.9<4ms").0);
        assert_eq!(judge("step.a.wst:2.count==3").1, Some(3.0));
        assert_eq!(judge("step.1.p50<1s"), (false, None));
        // A send is no check.
        assert_eq!(judge("checks.rate>=75%"), (true, Some(0.75)));
        let check = |text: &str, steps| Threshold::parse(text).unwrap().check(steps);
        assert_eq!(check("step.1.p50<1s", Some(&steps[..])), Ok(()));
        let unknown = check("step.3.p50<1s", Some(&steps[..])).unwrap_err();
        assert!(unknown.message.contains("1, a.wst:2"), "{unknown:?}");
        for text in ["step.1.p50<1s", "checks.rate>0", "iterations.failed==0"] {
            assert!(check(text, None).is_err(), "{text}");
        }
        assert_eq!(check("rtt.p50<1s", None), Ok(()));
    }

    #[test]
    fn mistakes_are_pointed_at() {
        let wrong = |text: &str| Threshold::parse(text).unwrap_err().show(text);
        assert!(
            wrong("rtt.p99").ends_with("\n  rtt.p99\n         ^"),
            "{}",
            wrong("rtt.p99")
        );
        assert!(
            wrong("rtt.p99 < fast").ends_with("\n            ^"),
            "{}",
            wrong("rtt.p99 < fast")
        );
        let unknown = wrong("rt.p99<1s");
        assert!(
            unknown.contains("no metric \"rt.p99\" (did you mean rtt.p99?)")
                && unknown.contains("handshake.tcp"),
            "{unknown}"
        );
        assert!(Threshold::parse("rtt.p101<1s").is_err());
    }
}
