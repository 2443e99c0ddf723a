//! `junit`: JUnit's XML as CI systems read it. A file is a test suite, a step is a test case.

use super::{Report, details, place, sentence, title};
use crate::text::junit::{Case, Problem, Result, Suite, document};
use crate::text::sanitize;
use crate::transcript::outcome::{FileOutcome, Outcome, StepOutcome, StepResult, Trouble};

pub(super) const REPORT: Report = Report {
    name: "junit",
    about: "JUnit XML: a file is a suite, a step a case",
    is_whole: true,
    write,
};

fn write(outcome: &Outcome) -> String {
    let suites: Vec<Suite> = outcome.files.iter().map(suite).collect();
    document("wscope test", &suites, outcome.elapsed)
}

fn suite(file: &FileOutcome) -> Suite {
    let steps = file.steps.iter().map(|step| Case {
        name: title(step, &file.path),
        time: step.latency,
        result: result(step),
    });
    let trouble = file.trouble.iter().map(|trouble| Case {
        name: case_of(trouble),
        time: Default::default(),
        result: Result::Error(Problem {
            message: trouble.message.clone(),
            code: trouble.code.0,
            text: sanitize::block(&trouble.rendered).into_owned(),
        }),
    });
    Suite {
        name: file.path.clone(),
        cases: steps.chain(trouble).collect(),
        time: file.elapsed,
    }
}

fn result(step: &StepOutcome) -> Result {
    match &step.result {
        StepResult::Passed { .. } => Result::Passed,
        StepResult::Skipped => Result::Skipped,
        StepResult::Failed(failure) => {
            let mut text = format!("{}  {}\n{}", place(step), step.line, sentence(failure));
            for line in details(step, failure) {
                text.push('\n');
                text.push_str(&line);
            }
            Result::Failed(Problem {
                message: sentence(failure),
                code: failure.code.0,
                text,
            })
        }
    }
}

/// What failed without being a step has no line of its own to be named by.
fn case_of(trouble: &Trouble) -> String {
    match &trouble.place {
        Some((_, place)) => format!("line {}", place.line),
        None => "the whole file".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::report::sample;

    #[test]
    fn a_run_as_xml() {
        insta::assert_snapshot!(write(&sample::outcome()));
    }
}
