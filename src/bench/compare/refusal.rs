//! Why runs cannot be compared, and what else about them differs.

use serde_json::{Map, Value};

use crate::bench::result::{BenchResult, WorkloadInfo};

/// What a workload may differ in and still be compared; it is noted. Anything else that is asked for, in
/// whatever version, has to be the same.
const NOTED: [&str; 5] = ["targets", "duration_s", "messages", "warmup_s", "timeout_s"];
/// What follows from the rest.
const FOLLOWS: [&str; 2] = ["path", "hash"];

/// Of the machine and the program, by its name, and as people read it.
type Trait = (&'static str, fn(&BenchResult) -> String);

const SURROUNDINGS: &[Trait] = &[
    ("host", |run| run.environment.host.clone()),
    ("processors", |run| run.environment.cpus.to_string()),
    ("threads", |run| run.generator.threads.to_string()),
    ("version of wscope", |run| run.run.version.clone()),
];

/// Why two runs cannot be compared; nothing where they can. `names` are those of the runs.
pub fn refusals(runs: [&BenchResult; 2], names: [&str; 2]) -> Vec<String> {
    let mut reasons = differences(runs.map(|run| &run.workload), names, is_fixed);
    for (run, name) in runs.into_iter().zip(names) {
        reasons.extend(doubts(run, name));
    }
    reasons
}

/// Why a load that has not begun yet could not be compared with a run.
pub fn workload_refusals(
    run: &BenchResult,
    workload: &WorkloadInfo,
    names: [&str; 2],
) -> Vec<String> {
    let mut reasons = differences([&run.workload, workload], names, is_fixed);
    reasons.extend(doubts(run, names[0]));
    reasons
}

/// Why a run is not to be believed, where it says so itself.
pub fn suspect(name: &str, why: &str) -> String {
    format!("{name} is suspect: {why}")
}

/// Why a run is not to be believed.
fn doubts(run: &BenchResult, name: &str) -> Vec<String> {
    let mut doubts = Vec::new();
    if run.verdict.partial {
        doubts.push(format!("{name} was cut short ({})", run.run.end_reason));
    }
    let invalid = run.verdict.invalid_reasons.iter();
    doubts.extend(invalid.map(|reason| suspect(name, &reason.text)));
    if !run.verdict.valid && run.verdict.invalid_reasons.is_empty() {
        doubts.push(format!("{name} is suspect"));
    }
    doubts
}

/// What differs without forbidding a comparison.
pub(super) fn notes(runs: [&BenchResult; 2], names: [&str; 2]) -> Vec<String> {
    let workloads = runs.map(|run| &run.workload);
    let mut notes = differences(workloads, names, |key| NOTED.contains(&key));
    for (what, get) in SURROUNDINGS {
        let values = runs.map(get);
        if values[0] != values[1] {
            notes.push(difference(what, &values, names));
        }
    }
    notes
}

fn is_fixed(key: &str) -> bool {
    !NOTED.contains(&key) && !FOLLOWS.contains(&key)
}

/// The parts of two workloads that differ, of those whose keys count.
fn differences(
    workloads: [&WorkloadInfo; 2],
    names: [&str; 2],
    counts: impl Fn(&str) -> bool,
) -> Vec<String> {
    let parts = workloads.map(|workload| match serde_json::to_value(workload) {
        Ok(Value::Object(parts)) => parts,
        // It is a struct with names.
        _ => Map::new(),
    });
    let [one, other] = &parts;
    let differs = |key: &&String| counts(key) && one.get(*key) != other.get(*key);
    let keys = one.keys().filter(differs);
    keys.map(|key| {
        let values = parts.each_ref().map(|part| shown(part.get(key)));
        difference(key, &values, names)
    })
    .collect()
}

/// `rate: none in a.json, 500 in b.json`
fn difference(what: &str, values: &[String; 2], names: [&str; 2]) -> String {
    let ([one, other], [first, second]) = (values, names);
    format!("{what}: {one} in {first}, {other} in {second}")
}

/// A part of a workload as people read it.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(all)) if all.is_empty() => "none".to_owned(),
        Some(Value::Array(all)) => {
            let all: Vec<String> = all.iter().map(|one| shown(Some(one))).collect();
            all.join(" ")
        }
        Some(Value::Object(parts)) => {
            let parts = parts
                .iter()
                .map(|(key, value)| format!("{key} {}", shown(Some(value))));
            parts.collect::<Vec<_>>().join(" ")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::report::sample;
    use super::*;

    #[test]
    fn every_reason_is_said() {
        let one = sample::result();
        let names = ["a", "b"];
        let mut other = one.clone();
        other.verdict.valid = true;
        other.verdict.invalid_reasons.clear();
        assert_eq!(
            refusals([&other, &one], names),
            ["b is suspect: the busiest thread used 99% of its processor"]
        );
        let mut changed = other.clone();
        changed.workload.mode = "send".into();
        changed.workload.rate = Some(50.0);
        changed.workload.payload.bytes = None;
        changed.verdict.partial = true;
        let reasons = refusals([&other, &changed], names);
        let begin = [
            "mode: echo in a, send in b",
            "rate: none in a, 50",
            "payload: kind text bytes 128 in a, kind text bytes none in b",
            "b was cut short",
        ];
        assert_eq!(reasons.len(), begin.len(), "{reasons:?}");
        for (reason, begin) in reasons.iter().zip(begin) {
            assert!(reason.starts_with(begin), "{reason}");
        }
        // Another server is what comparisons are made for.
        other.workload.targets = vec!["ws://other/".into()];
        assert!(notes([&one, &other], names)[0].starts_with("targets: "));
    }
}
