//! `bench merge`: the results of the shards of one load become the result of the load. Pure.
//!
//! Counts are added, histograms are decoded, added and encoded again, and whatever follows from them
//! (percentiles, rates, thresholds) is found anew: a percentile is never averaged. What does not add
//! up (who ran where, verdicts, what the generators took) is kept in `shards`, one entry each, and told
//! from there. So a merged result can be merged again, and neither order nor grouping shows:
//! `merge(merge(a, b), c)`, `merge(a, b, c)` and `merge(c, b, a)` are the same bytes.

mod check;
mod counts;
mod figures;
mod series;
mod shards;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::figures::Figures;
use super::plan::{MODES, SCRIPT};
use super::result::sections::{self, judged};
use super::result::{BenchResult, Connections, RemarkInfo, SCHEMA, ThresholdResult, Verdict};
use super::script::Step;
use super::shard::Shard;
use super::threshold::{Measured, Threshold};

/// A result, and what it is called: its file.
#[derive(Debug, Clone)]
pub struct Part {
    pub name: String,
    pub result: BenchResult,
}

/// How results are merged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Judged beside those that the shards have.
    pub thresholds: &'a [Threshold],
    /// Shards may be missing; the result says so.
    pub partial: bool,
}

/// Merges them; the exit code of the run is not known yet.
///
/// # Errors
/// Every reason why they are not the shards of one load, a sentence each.
pub fn merge(parts: &[Part], options: &Options<'_>) -> Result<BenchResult, Vec<String>> {
    let mut reasons = check::reasons(parts, options.partial);
    let mut total = Figures::default();
    for part in parts {
        match figures::of(&part.result) {
            Ok(figures) if reasons.is_empty() => total.merge(&figures),
            Ok(_) => {}
            Err(why) => reasons.push(format!("{}: {why}", part.name)),
        }
    }
    let thresholds = thresholds(parts, options);
    if let Err(why) = &thresholds {
        reasons.push(why.clone());
    }
    let series = series::merged(parts);
    if let Err(why) = &series {
        reasons.extend(why.iter().cloned());
    }
    let first = parts.iter().min_by_key(|part| part.result.shard.index);
    match (first, thresholds, series) {
        (Some(first), Ok(thresholds), Ok(series)) if reasons.is_empty() => {
            let mut merged = assembled(parts, &first.result, &total, &thresholds);
            merged.series = series;
            Ok(merged)
        }
        _ => Err(reasons),
    }
}

/// The thresholds of the shards, and those that are asked for beside them.
fn thresholds(parts: &[Part], options: &Options<'_>) -> Result<Vec<Threshold>, String> {
    let of_shards = parts
        .first()
        .map_or(&[][..], |part| &part.result.thresholds);
    let of_shards = of_shards.iter().map(|one| {
        Threshold::parse(&one.expr)
            .map_err(|wrong| format!("the threshold {}: {}", one.expr, wrong.message))
    });
    let mut all = of_shards.collect::<Result<Vec<_>, _>>()?;
    let first = parts.first().map(|part| &part.result);
    let steps = first.filter(|result| result.iterations.is_some());
    let steps = steps.map(figures::steps);
    for more in options.thresholds {
        let checked = more.check(steps.as_deref());
        // Neither has a result that can be merged.
        let checked = checked.and_then(|()| more.check_flags(false, false));
        checked.map_err(|wrong| format!("--threshold {}: {}", more.text, wrong.message))?;
        if !all.contains(more) {
            all.push(more.clone());
        }
    }
    Ok(all)
}

/// The result, but for its series. `first` has the lowest index.
fn assembled(
    parts: &[Part],
    first: &BenchResult,
    total: &Figures,
    thresholds: &[Threshold],
) -> BenchResult {
    let steps = figures::steps(first);
    let shards = shards::all(parts);
    let run = shards::run(&shards, first);
    let measured = Duration::try_from_secs_f64(run.measured_s).unwrap_or_default();
    let connections = connections(parts, total);
    let (thresholds, few) = judge(first, thresholds, &steps, &connections, total, measured);
    let (invalid_reasons, mut warnings) = shards::remarks(&shards, first);
    warnings.extend(few);
    let is_missing = shards.len() < first.shard.count;
    BenchResult {
        schema: SCHEMA.into(),
        schema_version: 1,
        workload: shards::workload(&shards, first),
        environment: shards::environment(&shards, first),
        shard: shards::info(&shards, first),
        verdict: Verdict {
            passed: thresholds.iter().all(|threshold| threshold.passed),
            valid: invalid_reasons.is_empty(),
            partial: is_missing || shards.iter().any(|shard| shard.verdict.partial),
            warnings,
            invalid_reasons,
        },
        connections,
        messages: sections::messages(total, measured),
        // Results that have any of these are refused.
        fanout: None,
        storms: None,
        slow: None,
        find_max: None,
        iterations: first
            .iterations
            .as_ref()
            .map(|_| sections::iterations(total, measured)),
        bytes: sections::bytes(total),
        frames: sections::frames(total),
        latency: sections::latencies(total, &steps),
        steps: sections::steps(total, &steps),
        checks: sections::checks(total, &steps),
        errors: counts::errors(parts),
        closes: counts::closes(parts),
        thresholds,
        generator: shards::generator(&shards, total),
        target_process: shards.iter().find_map(|shard| shard.target_process.clone()),
        // The caller has it.
        series: first.series.clone(),
        baseline: None,
        run,
        shards,
    }
}

fn connections(parts: &[Part], total: &Figures) -> Connections {
    let sum = |get: fn(&Connections) -> usize| {
        let each = parts.iter().map(|part| get(&part.result.connections));
        each.sum::<usize>()
    };
    let counted = total.connections;
    Connections {
        target: sum(|one| one.target),
        attempted: counted.attempted,
        opened: counted.opened,
        failed: counted.failed,
        lost: counted.lost,
        reconnected: counted.reconnected,
        peak: sum(|one| one.peak),
        open_at_end: sum(|one| one.open_at_end),
    }
}

fn judge(
    first: &BenchResult,
    thresholds: &[Threshold],
    steps: &[Step],
    connections: &Connections,
    total: &Figures,
    measured: Duration,
) -> (Vec<ThresholdResult>, Vec<RemarkInfo>) {
    let mode = &first.workload.mode;
    let mut modes = MODES.iter().chain([&SCRIPT]);
    let comes_and_goes = modes.any(|known| known.name == *mode && known.once);
    let opening = match comes_and_goes {
        true => measured,
        false => Duration::try_from_secs_f64(first.run.ramp_s).unwrap_or_default(),
    };
    let measured = Measured {
        figures: total,
        steps,
        open: connections.open_at_end,
        time: measured,
        opening,
    };
    let judge = |one: &Threshold| judged(one, &measured, Shard::WHOLE);
    (
        thresholds.iter().map(judge).collect(),
        sections::few_samples(thresholds, &measured, Shard::WHOLE),
    )
}
