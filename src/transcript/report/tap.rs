//! `tap`: the Test Anything Protocol, version 14. A file is a test, its steps are a subtest.

use super::{Report, details, place, sentence, title, trouble_line};
use crate::model::units::millis;
use crate::text::sanitize;
use crate::transcript::outcome::{FileOutcome, Outcome, StepResult};

pub(super) const REPORT: Report = Report {
    name: "tap",
    about: "Test Anything Protocol: a file is a test, its steps a subtest",
    is_whole: true,
    write,
};

fn write(outcome: &Outcome) -> String {
    let mut tap = format!("TAP version 14\n1..{}\n", outcome.files.len());
    for (at, file) in outcome.files.iter().enumerate() {
        subtest(file, &mut tap);
        let ok = if file.has_passed() { "ok" } else { "not ok" };
        let name = described(&file.path);
        let time = millis(file.elapsed);
        tap.push_str(&format!("{ok} {} - {name} # time={time}ms\n", at + 1));
    }
    tap
}

fn subtest(file: &FileOutcome, tap: &mut String) {
    tap.push_str(&format!("# Subtest: {}\n", described(&file.path)));
    let count = file.steps.len() + file.trouble.len();
    tap.push_str(&format!("    1..{count}\n"));
    let mut number = 0;
    for step in &file.steps {
        number += 1;
        let title = described(&title(step, &file.path));
        let time = millis(step.latency);
        match &step.result {
            StepResult::Passed { .. } => {
                tap.push_str(&format!("    ok {number} - {title} # time={time}ms\n"));
            }
            StepResult::Skipped => tap.push_str(&format!("    ok {number} - {title} # SKIP\n")),
            StepResult::Failed(failure) => {
                tap.push_str(&format!("    not ok {number} - {title} # time={time}ms\n"));
                let lines = details(step, failure);
                diagnostics(&place(step), &sentence(failure), &lines, tap);
            }
        }
    }
    for trouble in &file.trouble {
        number += 1;
        let line = described(&trouble_line(trouble));
        tap.push_str(&format!("    not ok {number} - {line}\n"));
        let at = match &trouble.place {
            Some((path, place)) => format!("{path}:{place}"),
            None => file.path.clone(),
        };
        let rendered = sanitize::block(&trouble.rendered).into_owned();
        // The first line is the message with its place.
        let lines: Vec<String> = rendered.lines().skip(1).map(str::to_owned).collect();
        let message = sanitize::line(&trouble.message);
        diagnostics(&sanitize::line(&at), &message, &lines, tap);
    }
}

/// A YAML block below a test that failed.
fn diagnostics(at: &str, message: &str, lines: &[String], tap: &mut String) {
    tap.push_str("      ---\n");
    tap.push_str(&format!("      at: {}\n", quoted(at)));
    tap.push_str(&format!("      message: {}\n", quoted(message)));
    if !lines.is_empty() {
        tap.push_str("      details:\n");
        for line in lines {
            tap.push_str(&format!("        - {}\n", quoted(line)));
        }
    }
    tap.push_str("      ...\n");
}

/// A number sign begins a directive, a backslash an escape.
fn described(text: &str) -> String {
    let text = sanitize::line(text);
    text.replace('\\', "\\\\").replace('#', "\\#")
}

/// A JSON string is a YAML string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::report::sample;

    #[test]
    fn a_run_as_tap() {
        insta::assert_snapshot!(write(&sample::outcome()));
    }
}
