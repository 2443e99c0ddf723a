//! `bench compare`: whether a server has become worse, from results that were written before.

use super::reporting::{Prepared, Report, check};
use super::stored::Stored;
use crate::bench::compare::{Comparison, compare, refusals};
use crate::bench::report::Glyphs;
use crate::bench::report::comparison::COMPARISONS;
use crate::bench::result::BenchResult;
use crate::error::{Error, ExitCode};
use crate::text::output::Output;

#[derive(Debug)]
pub struct Plan {
    /// The baseline and what is compared with it, each one run or several.
    pub sides: [Side; 2],
    /// `--noise`, as a part: 0.05 is 5 %.
    pub noise: Option<f64>,
    /// Beside the figures, which are always printed.
    pub reports: Vec<Report<Comparison>>,
    pub glyphs: Glyphs,
}

#[derive(Debug)]
pub struct Side {
    /// As it was typed.
    pub name: String,
    pub runs: Vec<Stored>,
}

/// # Errors
/// A result cannot be read, or not be compared with the others, or a report cannot be written.
pub(super) fn run(plan: &Plan, output: &Output) -> Result<ExitCode, Error> {
    check(&plan.reports)?;
    let sides = [plan.sides[0].read()?, plan.sides[1].read()?];
    check_comparable(plan, &sides)?;
    let prepared = Prepared::new(&plan.reports)?;
    let names = plan.sides.each_ref().map(|side| side.name.clone());
    let comparison = compare(sides.map(typical_first), names, plan.noise);
    for entry in COMPARISONS.iter().filter(|entry| entry.name == "text") {
        let text = entry.written(&comparison, plan.glyphs);
        prepared.say(&String::from_utf8_lossy(&text), output);
    }
    prepared.write(&comparison, plan.glyphs, output)?;
    Ok(if comparison.is_worse() {
        ExitCode::NOT_MET
    } else {
        ExitCode::DONE
    })
}

impl Side {
    fn read(&self) -> Result<Vec<BenchResult>, Error> {
        self.runs.iter().map(Stored::read).collect()
    }
}

/// Every run is held against the first of the baseline.
fn check_comparable(plan: &Plan, sides: &[Vec<BenchResult>; 2]) -> Result<(), Error> {
    let names = plan.sides.iter().flat_map(|side| &side.runs);
    let names: Vec<&str> = names.map(|stored| stored.name.as_str()).collect();
    let runs: Vec<&BenchResult> = sides.iter().flatten().collect();
    let mut reasons: Vec<String> = Vec::new();
    if let (Some(first), Some(name)) = (runs.first(), names.first()) {
        for (other, other_name) in runs.iter().zip(&names).skip(1) {
            for reason in refusals([first, other], [name, other_name]) {
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Error::usage_hint(
        format!("these runs cannot be compared:\n  {}", reasons.join("\n  ")),
        "compare runs that asked for the same and whose result is valid",
    ))
}

/// The run in the middle comes first: it is the one that charts show.
fn typical_first(mut runs: Vec<BenchResult>) -> Vec<BenchResult> {
    let mut order: Vec<(Option<u64>, usize)> = runs
        .iter()
        .enumerate()
        .map(|(at, run)| ((run.main_latency().get)(run).p99, at))
        .collect();
    order.sort_unstable();
    if let Some((_, typical)) = order.get((order.len().max(1) - 1) / 2) {
        runs.swap(0, *typical);
    }
    runs
}
