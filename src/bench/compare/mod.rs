//! Whether a run is worse than another: `bench compare`, `--baseline`. Pure.
//!
//! Runs are compared that asked for the same and may be believed ([`refusals`] says why others are
//! not). A difference counts where it is greater than the noise. For a single run on each side that is
//! what was asked for (`--noise`, 5 %), and for a percentile also what chance makes of so many samples;
//! for three or more on each side it is how far runs of the same side lie apart ([`judge`]).

mod judge;
mod refusal;

use serde::{Deserialize, Serialize};

pub use self::judge::{NOISE, compare};
pub use self::refusal::{refusals, suspect, workload_refusals};
use super::report::millis;
use super::result::BenchResult;
use super::threshold::Unit;

/// What became of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Same,
    Better,
    Worse,
    /// Too few samples to tell.
    Unjudged,
}

impl Change {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Better => "better",
            Self::Worse => "WORSE",
            Self::Unjudged => "too few samples",
        }
    }
}

/// A figure of both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Figure {
    /// As thresholds name it: `rtt.p99`.
    pub metric: String,
    /// `us`, `ratio`, `count` or `per_second`.
    pub unit: String,
    pub baseline: f64,
    pub value: f64,
    /// `null` where the baseline is 0.
    pub change_percent: Option<f64>,
    /// What a change has to exceed to count, in percent.
    pub noise_percent: f64,
    pub verdict: Change,
}

impl Figure {
    /// A value of it as people read it.
    pub fn show(&self, value: f64) -> String {
        match Unit::named(&self.unit) {
            Unit::Time => format!("{} ms", millis(Some(value.max(0.0) as u64))),
            unit => unit.show(value),
        }
    }

    /// `+12.3%`
    pub fn change(&self) -> String {
        match self.change_percent {
            Some(percent) => format!("{percent:+.1}%"),
            None if self.value == self.baseline => "+0.0%".to_owned(),
            None => "from 0".to_owned(),
        }
    }
}

/// Both sides, and their figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The runs of each side, one of them for the charts first.
    pub sides: [Vec<BenchResult>; 2],
    /// What each side is called: file names, or a baseline's name.
    pub names: [String; 2],
    pub figures: Vec<Figure>,
    /// What differs without forbidding a comparison.
    pub notes: Vec<String>,
}

impl Comparison {
    pub fn is_worse(&self) -> bool {
        is_worse(&self.figures)
    }

    /// How many figures changed in which way.
    pub fn count(&self, change: Change) -> usize {
        let figures = self.figures.iter();
        figures.filter(|figure| figure.verdict == change).count()
    }
}

pub fn is_worse(figures: &[Figure]) -> bool {
    figures.iter().any(|figure| figure.verdict == Change::Worse)
}
