//! Why results are not the shards of one load: every reason, so that all can be mended at once.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::result::{BenchResult, ShardPart};
use super::Part;
use super::shards::{missing, numbers, of, seconds};

/// Counts that are larger are none, and so many of them that are not add up to more than there are
/// numbers for.
const MOST: u64 = 1 << 50;

pub(super) fn reasons(parts: &[Part], partial: bool) -> Vec<String> {
    let Some(first) = parts.first() else {
        return vec!["there is nothing to merge".to_owned()];
    };
    let mut reasons: Vec<String> = parts.iter().flat_map(own).collect();
    for part in &parts[1..] {
        reasons.extend(differences(first, part));
    }
    reasons.extend(twice(parts));
    let shards: Vec<ShardPart> = parts.iter().flat_map(|part| of(&part.result)).collect();
    let count = first.result.shard.count;
    let missing = missing(&shards, count);
    if !missing.is_empty() && !partial {
        reasons.push(format!(
            "{} of {count} shards are missing: {} (--partial merges what there is)",
            missing.len(),
            numbers(&missing)
        ));
    }
    reasons
}

/// What a result would have to have by itself.
fn own(part: &Part) -> Vec<String> {
    let Part { name, result } = part;
    let mut reasons = Vec::new();
    let mut wrong = |why: String| reasons.push(format!("{name}: {why}"));
    if result.schema_version != 1 {
        wrong(format!(
            "its schema_version is {}, not 1",
            result.schema_version
        ));
    }
    if result.workload.hash.is_empty() {
        wrong("it has no workload.hash, and cannot be known as a part of the same load".into());
    }
    let indivisible = [
        ("--mode fanout", result.fanout.is_some()),
        ("--storm", result.storms.is_some()),
        ("--slow", result.slow.is_some()),
        ("--find-max", result.find_max.is_some()),
    ];
    for (flag, _) in indivisible.iter().filter(|(_, is_there)| *is_there) {
        wrong(format!(
            "it is of {flag}, which one process has to do alone: figures of several cannot be added"
        ));
    }
    for shard in of(result) {
        if shard.index >= result.shard.count {
            wrong(format!(
                "it has a shard {} of {}",
                shard.index.saturating_add(1),
                result.shard.count
            ));
        }
        for time in [&shard.started_at, &shard.ended_at] {
            if seconds(time, 0).is_none() {
                wrong(format!("\"{time}\" is not a time"));
            }
        }
    }
    // What is in the file is looked at, and not each field by its name.
    if serde_json::to_value(result).is_ok_and(|value| !is_plausible(&value)) {
        wrong(format!(
            "it has a number beyond {MOST}, which nothing can have counted"
        ));
    }
    reasons
}

fn is_plausible(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_u64().is_none_or(|number| number <= MOST),
        Value::Array(values) => values.iter().all(is_plausible),
        Value::Object(values) => values.values().all(is_plausible),
        _ => true,
    }
}

/// How a part differs from the first in what all have in common.
fn differences(first: &Part, part: &Part) -> Vec<String> {
    let (one, other) = (&first.result, &part.result);
    let names = format!("{} and {}", first.name, part.name);
    let mut reasons = Vec::new();
    if one.workload.hash != other.workload.hash {
        reasons.push(format!(
            "{names} are of different loads: {}",
            different_load(one, other)
        ));
    }
    if one.shard.count != other.shard.count {
        reasons.push(format!(
            "{names} are of {} and {} shards",
            one.shard.count, other.shard.count
        ));
    }
    if one.run.seed != other.run.seed {
        reasons.push(format!(
            "{names} have different seeds, {} and {}",
            one.run.seed, other.run.seed
        ));
    }
    let thresholds = |result: &BenchResult| {
        let each = result.thresholds.iter().map(|one| one.expr.as_str());
        each.collect::<Vec<_>>().join(" ")
    };
    if thresholds(one) != thresholds(other) {
        reasons.push(format!(
            "{names} have different thresholds: \"{}\" and \"{}\"",
            thresholds(one),
            thresholds(other)
        ));
    }
    let steps = |result: &BenchResult| {
        let each = result.steps.iter();
        each.map(|step| (step.name.clone(), step.text.clone(), step.kind.clone()))
            .collect::<Vec<_>>()
    };
    if steps(one) != steps(other) || one.iterations.is_some() != other.iterations.is_some() {
        reasons.push(format!("{names} have played different scripts"));
    }
    reasons
}

/// The fields in which two loads differ, as far as a result shows them.
fn different_load(one: &BenchResult, other: &BenchResult) -> String {
    let fields = |result: &BenchResult| match serde_json::to_value(&result.workload) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (one, other) = (fields(one), fields(other));
    let differing = one.iter().filter_map(|(name, value)| {
        let theirs = other.get(name)?;
        let is_shown = !matches!(name.as_str(), "hash" | "targets") && value != theirs;
        is_shown.then(|| format!("{name} {value} and {theirs}"))
    });
    let differing: Vec<String> = differing.collect();
    match differing.is_empty() {
        true => "workload.hash differs (the messages, the feed or the times)".to_owned(),
        false => differing.join(", "),
    }
}

/// Shards that are there more than once.
fn twice(parts: &[Part]) -> Vec<String> {
    let mut seen: BTreeMap<usize, (&str, ShardPart)> = BTreeMap::new();
    let mut reasons = Vec::new();
    for part in parts {
        for shard in of(&part.result) {
            let Some((name, other)) = seen.get(&shard.index) else {
                seen.insert(shard.index, (&part.name, shard));
                continue;
            };
            let is_same = (&other.run_id, &other.started_at) == (&shard.run_id, &shard.started_at);
            reasons.push(if is_same {
                format!(
                    "{name} and {} have the same run, {}",
                    part.name, shard.run_id
                )
            } else if part.result.shard.count == 1 {
                format!(
                    "{name} and {} are loads of one process each: bench --shard I/N makes shards",
                    part.name
                )
            } else {
                format!(
                    "{name} and {} are both shard {} of {}",
                    part.name,
                    shard.index.saturating_add(1),
                    part.result.shard.count
                )
            });
        }
    }
    reasons
}
