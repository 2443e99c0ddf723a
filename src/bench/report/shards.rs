//! What the summary says of a load that is divided: the part that a result is of, and the shards that
//! a merged one is made of.

use super::words::millis;
use crate::bench::result::{BenchResult, ShardPart, ThresholdResult};
use crate::model::units::Thousands;
use crate::text::sanitize;

/// ` shard 2/4`, for the first line; nothing for a load of one process.
pub(super) fn name(result: &BenchResult) -> String {
    let shard = &result.shard;
    match (shard.count, result.shards.len()) {
        (0 | 1, _) => String::new(),
        (count, 0) => format!("   shard {}/{count}", shard.index.saturating_add(1)),
        (count, merged) if merged < count => format!("   {merged} of {count} shards"),
        (count, _) => format!("   {count} shards"),
    }
}

/// How much later than it should the load began; nothing without `--start-at`.
pub(super) fn late(result: &BenchResult) -> String {
    match result.shard.start_lag_us {
        Some(lag) => format!(", began {:.1} ms after --start-at", lag as f64 / 1e3),
        None => String::new(),
    }
}

/// How many thresholds hold, of those that were judged.
pub(super) fn judged(thresholds: &[ThresholdResult]) -> String {
    let (left, judged): (Vec<_>, Vec<_>) = thresholds.iter().partition(|one| one.left_to_merge);
    let held = judged.iter().filter(|threshold| threshold.passed).count();
    let all = judged.len();
    match (all, left.len()) {
        (0, 0) => "no thresholds".to_owned(),
        (0, left) => format!("{left} thresholds left to the merge"),
        (_, 0) => format!("{held} of {all} thresholds passed"),
        (_, left) => format!("{held} of {all} thresholds passed, {left} left to the merge"),
    }
}

/// The block of a merged result: a line for each shard.
pub(super) fn block(shards: &[ShardPart]) -> Vec<String> {
    if shards.is_empty() {
        return Vec::new();
    }
    let host = |shard: &ShardPart| sanitize::line(&shard.host).into_owned();
    let width = shards.iter().map(|shard| host(shard).chars().count());
    let width = width.max().unwrap_or(0).clamp(4, 32);
    let mut lines = vec![format!(
        "Shards         {:width$} {:>9} {:>8} {:>12} {:>12} {:>9} {:>9} {:>6} {:>9}",
        "host", "held", "lost", "sent", "received", "p50 ms", "p99 ms", "cpu %", "rss MiB"
    )];
    lines.extend(shards.iter().map(|shard| {
        let verdict = &shard.verdict;
        let word = match (verdict.valid, verdict.partial) {
            (false, _) => "SUSPECT",
            (true, true) => "cut short",
            (true, false) => "",
        };
        format!(
            "  {:<13}{:width$} {:>9} {:>8} {:>12} {:>12} {:>9} {:>9} {:>6.0} {:>9}   {word}",
            shard.index.saturating_add(1),
            host(shard),
            Thousands(shard.peak as u64).to_string(),
            Thousands(shard.lost).to_string(),
            Thousands(shard.sent).to_string(),
            Thousands(shard.received).to_string(),
            millis(shard.p50),
            millis(shard.p99),
            shard.generator.cpu_percent,
            Thousands(shard.generator.rss_peak_bytes >> 20).to_string(),
        )
    }));
    lines.push(String::new());
    lines
}
