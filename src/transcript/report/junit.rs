//! `junit`: JUnit's XML as CI systems read it. A file is a test suite, a step is a test case.

use std::time::Duration;

use super::{Report, details, place, sentence, title};
use crate::text::sanitize;
use crate::transcript::outcome::{FileOutcome, Outcome, StepResult, Trouble};

pub(super) const REPORT: Report = Report {
    name: "junit",
    about: "JUnit XML: a file is a suite, a step a case",
    is_whole: true,
    write,
};

fn write(outcome: &Outcome) -> String {
    let totals = outcome.totals();
    let errors: usize = outcome.files.iter().map(|file| file.trouble.len()).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.push_str(&format!(
        "<testsuites name=\"wscope test\" tests=\"{}\" failures=\"{}\" errors=\"{errors}\" time=\"{}\">\n",
        totals.passed + totals.failed + totals.skipped + errors,
        totals.failed,
        seconds(outcome.elapsed),
    ));
    for file in &outcome.files {
        suite(file, &mut xml);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(file: &FileOutcome, xml: &mut String) {
    let totals = file.totals();
    let errors = file.trouble.len();
    let name = attribute(&file.path);
    xml.push_str(&format!(
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{errors}\" skipped=\"{}\" time=\"{}\">\n",
        totals.passed + totals.failed + totals.skipped + errors,
        totals.failed,
        totals.skipped,
        seconds(file.elapsed),
    ));
    for step in &file.steps {
        xml.push_str(&format!(
            "    <testcase name=\"{}\" classname=\"{name}\" time=\"{}\"",
            attribute(&title(step, &file.path)),
            seconds(step.latency),
        ));
        match &step.result {
            StepResult::Passed { .. } => xml.push_str("/>\n"),
            StepResult::Skipped => xml.push_str(">\n      <skipped/>\n    </testcase>\n"),
            StepResult::Failed(failure) => {
                let mut text = format!("{}  {}\n{}", place(step), step.line, sentence(failure));
                for line in details(step, failure) {
                    text.push('\n');
                    text.push_str(&line);
                }
                problem("failure", &sentence(failure), failure.code.0, &text, xml);
            }
        }
    }
    for trouble in &file.trouble {
        xml.push_str(&format!(
            "    <testcase name=\"{}\" classname=\"{name}\" time=\"0\"",
            attribute(&case_of(trouble)),
        ));
        let text = sanitize::block(&trouble.rendered);
        problem("error", &trouble.message, trouble.code.0, &text, xml);
    }
    xml.push_str("  </testsuite>\n");
}

/// What failed without being a step has no line of its own to be named by.
fn case_of(trouble: &Trouble) -> String {
    match &trouble.place {
        Some((_, place)) => format!("line {}", place.line),
        None => "the whole file".to_owned(),
    }
}

fn problem(element: &str, message: &str, code: u8, text: &str, xml: &mut String) {
    xml.push_str(&format!(
        ">\n      <{element} message=\"{}\" type=\"exit {code}\">{}</{element}>\n    </testcase>\n",
        attribute(message),
        escaped(text),
    ));
}

/// The schema knows milliseconds.
fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

fn attribute(text: &str) -> String {
    escaped(&sanitize::line(text))
}

/// Only what XML 1.0 allows as a character, with its own signs escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                escaped.push(c);
            }
            _ => escaped.push('\u{fffd}'),
        }
    }
    escaped
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
