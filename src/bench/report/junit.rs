//! `junit`: JUnit's XML. Each threshold is a test case, and so is whether the result may be believed.

use std::time::Duration;

use super::words::shown;
use super::{Entry, Form};
use crate::bench::compare::{Change, Figure};
use crate::bench::result::{BenchResult, ThresholdResult};
use crate::error::ExitCode;
use crate::text::junit::{Case, Problem, Result, Suite, document};
use crate::text::sanitize;

pub(super) const ENTRY: Entry = Entry {
    name: "junit",
    help: "JUnit XML: a case for each threshold, and one for whether the result may be believed",
    form: Form::File(|result, _| write(result).into_bytes()),
};

fn write(result: &BenchResult) -> String {
    let time = Duration::try_from_secs_f64(result.run.measured_s).unwrap_or_default();
    let mut cases: Vec<Case> = result.thresholds.iter().map(threshold).collect();
    cases.push(validity(result));
    let baseline = result
        .baseline
        .iter()
        .flat_map(|baseline| &baseline.figures);
    cases.extend(
        baseline
            .filter(|figure| figure.verdict != Change::Unjudged)
            .map(figure),
    );
    for case in &mut cases {
        case.time = time;
    }
    let suite = Suite {
        name: format!(
            "bench {} {}",
            result.workload.mode,
            result.workload.targets.join(" ")
        ),
        cases,
        time,
    };
    document("wscope bench", &[suite], time)
}

fn threshold(threshold: &ThresholdResult) -> Case {
    let (limit, value) = shown(threshold);
    let message = format!(
        "{} should be {} {limit}, and is {value}",
        threshold.metric, threshold.op
    );
    case(
        format!("threshold {}", threshold.expr),
        if threshold.passed {
            Result::Passed
        } else {
            Result::Failed(problem(ExitCode::NOT_MET, message.clone(), &message))
        },
    )
}

/// A result that is not to be believed is no failure of the server.
fn validity(result: &BenchResult) -> Case {
    let reasons: Vec<String> = result
        .verdict
        .invalid_reasons
        .iter()
        .map(|reason| format!("{}: {}", reason.code, reason.text))
        .collect();
    case(
        "the result is valid".to_owned(),
        if result.verdict.valid {
            Result::Passed
        } else {
            let message = "the result is suspect".to_owned();
            Result::Error(problem(ExitCode::SUSPECT, message, &reasons.join("\n")))
        },
    )
}

/// A figure beside that of the baseline.
fn figure(figure: &Figure) -> Case {
    let message = format!(
        "{} is {}, and was {} ({}, noise {}%)",
        figure.metric,
        figure.show(figure.value),
        figure.show(figure.baseline),
        figure.change(),
        figure.noise_percent
    );
    case(
        format!("baseline {}", figure.metric),
        if figure.verdict == Change::Worse {
            Result::Failed(problem(ExitCode::NOT_MET, message.clone(), &message))
        } else {
            Result::Passed
        },
    )
}

fn case(name: String, result: Result) -> Case {
    Case {
        name,
        time: Duration::ZERO,
        result,
    }
}

fn problem(code: ExitCode, message: String, text: &str) -> Problem {
    Problem {
        message,
        code: code.0,
        text: sanitize::block(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn thresholds_and_the_verdict_are_cases() {
        let result = sample::result();
        let xml = write(&result);
        assert!(
            xml.contains("tests=\"3\" failures=\"1\" errors=\"1\""),
            "{xml}"
        );
        assert!(
            xml.contains("<testcase name=\"threshold rtt.p99&lt;50ms\""),
            "{xml}"
        );
        assert!(
            xml.contains("type=\"exit 4\">errors.rate should be &lt; 0.5%, and is 1.00%<"),
            "{xml}"
        );
        assert!(
            xml.contains("<error message=\"the result is suspect\" type=\"exit 10\">cpu: "),
            "{xml}"
        );
    }
}
