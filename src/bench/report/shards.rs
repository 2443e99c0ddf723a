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

/// The columns of [`rows`].
pub(super) const HEADS: [&str; 11] = [
    "shard", "host", "held", "lost", "sent", "received", "p50 ms", "p99 ms", "cpu %", "rss MiB", "",
];

/// A row for each shard of a merged result.
pub(super) fn rows(shards: &[ShardPart]) -> impl Iterator<Item = [String; 11]> + '_ {
    shards.iter().map(|shard| {
        let verdict = &shard.verdict;
        let word = match (verdict.valid, verdict.partial) {
            (false, _) => "SUSPECT",
            (true, true) => "cut short",
            (true, false) => "",
        };
        [
            shard.index.saturating_add(1).to_string(),
            shard.host.clone(),
            Thousands(shard.peak as u64).to_string(),
            Thousands(shard.lost).to_string(),
            Thousands(shard.sent).to_string(),
            Thousands(shard.received).to_string(),
            millis(shard.p50),
            millis(shard.p99),
            format!("{:.0}", shard.generator.cpu_percent),
            Thousands(shard.generator.rss_peak_bytes >> 20).to_string(),
            word.to_owned(),
        ]
    })
}

/// The block of a merged result: a line for each shard.
pub(super) fn block(shards: &[ShardPart]) -> Vec<String> {
    if shards.is_empty() {
        return Vec::new();
    }
    let host = |shard: &ShardPart| sanitize::line(&shard.host).chars().count();
    let width = shards.iter().map(host).max().unwrap_or(0).clamp(4, 32);
    let line = |first: &str, row: &[String; 11]| {
        let [
            _,
            host,
            held,
            lost,
            sent,
            received,
            p50,
            p99,
            cpu,
            rss,
            word,
        ] = row;
        let host = sanitize::line(host);
        format!(
            "{first:<15}{host:width$} {held:>9} {lost:>8} {sent:>12} {received:>12} {p50:>9} {p99:>9} {cpu:>6} {rss:>9}   {word}"
        )
    };
    let mut lines = vec![line("Shards", &HEADS.map(str::to_owned))];
    lines.extend(rows(shards).map(|row| line(&format!("  {}", row[0]), &row)));
    lines.push(String::new());
    lines
}
