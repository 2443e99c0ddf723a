//! `json`: everything that is known, with the latency of each step, as one JSON object.

use serde_json::{Value, json};

use super::Report;
use crate::model::units::millis;
use crate::transcript::outcome::{
    Failure, FileOutcome, Outcome, Sight, StepOutcome, StepResult, Totals, Trouble,
};
use crate::transcript::syntax::Place;

pub(super) const REPORT: Report = Report {
    name: "json",
    about: "everything, with the latency of each step",
    is_whole: true,
    write,
};

fn write(outcome: &Outcome) -> String {
    let files: Vec<Value> = outcome.files.iter().map(file).collect();
    let report = json!({
        "exit": outcome.code().0,
        "files_passed": outcome.passed(),
        "files_failed": outcome.files.len() - outcome.passed(),
        "steps": totals(outcome.totals()),
        "elapsed_ms": millis(outcome.elapsed),
        "files": files,
    });
    format!("{report:#}\n")
}

fn file(file: &FileOutcome) -> Value {
    let steps: Vec<Value> = file.steps.iter().map(step).collect();
    let trouble: Vec<Value> = file.trouble.iter().map(trouble).collect();
    json!({
        "path": file.path,
        "passed": file.has_passed(),
        "exit": file.code().0,
        "attempts": file.attempts,
        "elapsed_ms": millis(file.elapsed),
        "totals": totals(file.totals()),
        "steps": steps,
        "trouble": trouble,
    })
}

fn totals(totals: Totals) -> Value {
    json!({"passed": totals.passed, "failed": totals.failed, "skipped": totals.skipped})
}

fn step(step: &StepOutcome) -> Value {
    let mut value = json!({
        "path": step.path,
        "line": step.place.line,
        "column": step.place.column,
        "peer": step.peer.name(),
        "kind": step.kind.name(),
        "step": step.line,
        "result": result(&step.result),
    });
    match &step.result {
        StepResult::Skipped => return value,
        StepResult::Passed { message } => value["message"] = message.clone().into(),
        StepResult::Failed(reason) => value["failure"] = failure(reason),
    }
    let seen: Vec<Value> = step.seen.last.iter().map(sight).collect();
    value["seen"] = seen.into();
    value["seen_left_out"] = step.seen.left_out.into();
    value["started_ms"] = millis(step.started).into();
    value["latency_ms"] = millis(step.latency).into();
    value
}

/// A message that did not end its step.
fn sight(sight: &Sight) -> Value {
    json!({
        "fate": sight.fate.name(),
        "text": sight.text,
        "ordinal": sight.ordinal,
        "at_ms": millis(sight.at),
    })
}

const fn result(result: &StepResult) -> &'static str {
    match result {
        StepResult::Passed { .. } => "passed",
        StepResult::Failed(_) => "failed",
        StepResult::Skipped => "skipped",
    }
}

fn failure(failure: &Failure) -> Value {
    let message = failure.message.as_ref().map(|message| {
        json!({
            "text": message.text,
            "ordinal": message.ordinal,
            "after_ms": millis(message.after),
        })
    });
    json!({
        "exit": failure.code.0,
        "line": failure.place.line,
        "column": failure.place.column,
        "pointer": failure.pointer,
        "expected": failure.expected,
        "got": failure.got,
        "message": message,
        "hint": failure.hint,
    })
}

fn trouble(trouble: &Trouble) -> Value {
    let (path, place) = trouble.place.clone().unzip();
    json!({
        "exit": trouble.code.0,
        "path": path,
        "line": place.map(|place: Place| place.line),
        "column": place.map(|place: Place| place.column),
        "message": trouble.message,
        "text": trouble.rendered,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::report::sample;

    #[test]
    fn every_step_has_its_latency() {
        let report: Value = serde_json::from_str(&write(&sample::outcome())).unwrap();
        assert_eq!(report["exit"], 2);
        assert_eq!(
            report["steps"],
            json!({"passed": 3, "failed": 1, "skipped": 1})
        );
        let steps = report["files"][0]["steps"].as_array().unwrap();
        let latencies: Vec<&Value> = steps.iter().map(|step| &step["latency_ms"]).collect();
        assert_eq!(
            latencies,
            [&json!(1.5), &json!(1.5), &json!(1.5), &Value::Null]
        );
        assert_eq!(steps[2]["failure"]["pointer"], "/text");
        assert_eq!(steps[2]["failure"]["message"]["ordinal"], 3);
        assert_eq!(report["files"][2]["trouble"][0]["line"], 1);
    }
}
