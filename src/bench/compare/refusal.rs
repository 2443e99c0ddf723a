//! Why runs cannot be compared, and what else about them differs.

use crate::bench::result::{BenchResult, WorkloadInfo};

/// What may differ, by its name, and as people read it.
type Trait<T> = (&'static str, fn(&T) -> String);

/// What has to be the same.
const SAME: &[Trait<WorkloadInfo>] = &[
    ("mode", |load| load.mode.clone()),
    ("script", |load| optional(load.script.as_ref())),
    ("connections", |load| load.connections.to_string()),
    ("stages", |load| {
        let stages = load.stages.iter();
        let stages = stages.map(|stage| format!("{}s:{}", stage.for_s, stage.connections));
        optional(Some(stages.collect::<Vec<_>>().join(",")).filter(|all| !all.is_empty()))
    }),
    ("loop", |load| load.pace.clone()),
    ("rate", |load| optional(load.rate)),
    ("pipeline", |load| optional(load.pipeline)),
    ("payload", |load| {
        let payload = &load.payload;
        let bytes = payload
            .bytes
            .map_or_else(|| "varying".to_owned(), |bytes| format!("{bytes} bytes"));
        format!("{}, {bytes}", payload.kind)
    }),
    ("TLS", |load| on(load.tls)),
    ("compression", |load| on(load.compress)),
];

/// What should be known when it differs.
const NOTED: &[Trait<BenchResult>] = &[
    ("target", |run| run.workload.targets.join(" ")),
    ("duration", |run| {
        optional(
            run.workload
                .duration_s
                .map(|seconds| format!("{seconds} s")),
        )
    }),
    ("messages", |run| optional(run.workload.messages)),
    ("host", |run| run.environment.host.clone()),
    ("processors", |run| run.environment.cpus.to_string()),
    ("threads", |run| run.generator.threads.to_string()),
    ("version of wscope", |run| run.run.version.clone()),
];

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

fn on(it_is: bool) -> String {
    if it_is { "on" } else { "off" }.to_owned()
}

/// Why two runs cannot be compared; nothing where they can. `names` are those of the runs.
pub fn refusals(runs: [&BenchResult; 2], names: [&str; 2]) -> Vec<String> {
    let mut reasons = differences(SAME, runs.map(|run| &run.workload), names);
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
    let mut reasons = differences(SAME, [&run.workload, workload], names);
    reasons.extend(doubts(run, names[0]));
    reasons
}

/// Why a run is not to be believed.
fn doubts(run: &BenchResult, name: &str) -> Vec<String> {
    let mut doubts = Vec::new();
    if run.verdict.partial {
        doubts.push(format!("{name} was cut short ({})", run.run.end_reason));
    }
    let invalid = run.verdict.invalid_reasons.iter();
    doubts.extend(invalid.map(|reason| format!("{name} is suspect: {}", reason.text)));
    if !run.verdict.valid && run.verdict.invalid_reasons.is_empty() {
        doubts.push(format!("{name} is suspect"));
    }
    doubts
}

/// What differs without forbidding a comparison.
pub(super) fn notes(runs: [&BenchResult; 2], names: [&str; 2]) -> Vec<String> {
    differences(NOTED, runs, names)
}

fn differences<T>(traits: &[Trait<T>], runs: [&T; 2], names: [&str; 2]) -> Vec<String> {
    let mut differences = Vec::new();
    for (what, get) in traits {
        let [one, other] = runs.map(get);
        if one != other {
            let [first, second] = names;
            differences.push(format!("{what}: {one} in {first}, {other} in {second}"));
        }
    }
    differences
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
            "rate: none in a, 50 in b",
            "payload: ",
            "b was cut short",
        ];
        assert_eq!(reasons.len(), begin.len(), "{reasons:?}");
        for (reason, begin) in reasons.iter().zip(begin) {
            assert!(reason.starts_with(begin), "{reason}");
        }
        // Another server is what comparisons are made for.
        other.workload.targets = vec!["ws://other/".into()];
        assert!(notes([&one, &other], names)[0].starts_with("target: "));
    }
}
