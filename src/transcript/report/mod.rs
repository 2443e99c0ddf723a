//! Outcomes as people and programs read them. What people read is [`text`]; `--report junit=out.xml`
//! asks for the others: one file for each format, all in [`REPORTS`], each a function from an outcome
//! to text.

mod github;
mod json;
mod junit;
mod tap;
pub mod text;

use std::borrow::Cow;

use super::outcome::{Failure, Outcome, StepOutcome, Trouble};
use crate::model::units::show_duration;
use crate::text::sanitize;

/// How many of the messages that a step passed over are told of.
const TOLD: usize = 4;

/// One format.
#[derive(Debug)]
pub struct Report {
    /// What `--report` takes.
    pub name: &'static str,
    pub about: &'static str,
    /// It is a document of its own: where it goes, nothing else may.
    pub is_whole: bool,
    /// The report, its last line ended.
    pub write: fn(&Outcome) -> String,
}

/// Every format of `--report`.
pub const REPORTS: &[Report] = &[json::REPORT, junit::REPORT, tap::REPORT, github::REPORT];

/// `3:1 alice> hello`: where a step stands and what it says, safe to be shown.
fn title(step: &StepOutcome, file: &str) -> String {
    let other = if step.path == file {
        String::new()
    } else {
        format!("{}:", step.path)
    };
    let title = format!("{other}{} {}", step.place.line, step.line);
    sanitize::line(&title).into_owned()
}

/// Where a step stands, as every report says it.
fn place(step: &StepOutcome) -> String {
    sanitize::line(&format!("{}:{}", step.path, step.place)).into_owned()
}

/// What should have come, and what came instead, in one line.
fn sentence(failure: &Failure) -> String {
    sanitize::line(&failure.difference()).into_owned()
}

/// A failure in lines, for people who read the report: what should have come, where that is not said
/// in the step's first line, the message, what was passed over before it, what to try.
fn details(step: &StepOutcome, failure: &Failure) -> Vec<String> {
    let mut lines = Vec::new();
    if failure.place.line != step.place.line {
        lines.push(format!("{} | {}", failure.place.line, failure.line.trim()));
    }
    if let Some(message) = &failure.message {
        let after = show_duration(message.after);
        let what = numbered(step, message.ordinal);
        lines.push(format!("after {after}{what}: {}", message.text));
    }
    lines.extend(passed_over(step, usize::MAX));
    lines.extend(failure.hint.as_ref().map(|hint| format!("hint: {hint}")));
    let lines = lines.iter().map(|line| sanitize::line(line).into_owned());
    lines.collect()
}

/// `, message 3 from bob`
fn numbered(step: &StepOutcome, ordinal: Option<u64>) -> String {
    let from = match step.peer.name() {
        Some(name) => format!(" from {name}"),
        None => String::new(),
    };
    match ordinal {
        Some(ordinal) => format!(", message {ordinal}{from}"),
        None => from,
    }
}

/// The last messages that a step passed over, a line each; of a text so many characters.
fn passed_over(step: &StepOutcome, most: usize) -> Vec<String> {
    let all = step.seen.passed_over().count() + step.seen.left_out;
    let last: Vec<_> = step.seen.passed_over().rev().take(TOLD).collect();
    let mut lines = Vec::new();
    if all > last.len() {
        lines.push(format!("passed over: {} more", all - last.len()));
    }
    for sight in last.into_iter().rev() {
        let number = sight.ordinal.map(|number| format!(", message {number}"));
        let number = number.unwrap_or_default();
        let text = shorten(&sight.text, most);
        lines.push(format!(
            "passed over ({}{number}): {text}",
            sight.fate.name()
        ));
    }
    lines
}

fn shorten(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}...", &text[..end])),
    }
}

/// What is wrong, on one line.
fn trouble_line(trouble: &Trouble) -> String {
    let text = match &trouble.place {
        Some((path, place)) => format!("{path}:{place}: {}", trouble.message),
        None => trouble.message.clone(),
    };
    sanitize::line(&text).into_owned()
}

#[cfg(test)]
pub(super) mod sample {
    use std::time::Duration;

    use super::*;
    use crate::error::ExitCode;
    use crate::transcript::outcome::{
        Fate, FileOutcome, Received, Sight, Sights, StepKind, StepResult,
    };
    use crate::transcript::syntax::{Peer, Place};

    fn step(line: usize, text: &str, kind: StepKind, result: StepResult) -> StepOutcome {
        StepOutcome {
            path: "chat.wst".into(),
            place: Place { line, column: 1 },
            peer: Peer::named("bob"),
            line: text.into(),
            kind,
            seen: Sights::default(),
            started: Duration::from_millis(line as u64),
            latency: Duration::from_micros(1500),
            result,
        }
    }

    /// A file that failed at its third step, one that passed, and one that does not parse. The peer
    /// is hostile.
    pub(in crate::transcript) fn outcome() -> Outcome {
        let passed = |message: &str| StepResult::Passed {
            message: Some(message.into()),
        };
        let failure = Failure {
            code: ExitCode::NOT_MET,
            place: Place {
                line: 5,
                column: 14,
            },
            line: r#"bob<   /json {"text":"Hello!"}"#.into(),
            pointer: Some("/text".into()),
            expected: "\"Hello!\"".into(),
            got: "\"<]]>&\u{1b}[2J\u{1}\u{fffe}#\"".into(),
            message: Some(Received {
                text: "{\"text\":\"<]]>&\u{1b}[2J\u{1}\u{fffe}#\"}".into(),
                ordinal: Some(3),
                after: Duration::from_millis(12),
            }),
            hint: Some("a hint".into()),
        };
        let file = |path: &str, steps, trouble| FileOutcome {
            path: path.into(),
            steps,
            trouble,
            elapsed: Duration::from_millis(20),
            attempts: 1,
        };
        let ignored = Sight {
            fate: Fate::Ignored,
            text: "{\"type\":\"presence\"}".into(),
            ordinal: Some(2),
            at: Duration::from_millis(9),
        };
        let mut chat = vec![
            step(2, "bob: connect ws://h/", StepKind::Connect, passed("")),
            step(4, "bob> join # me \\", StepKind::Send, passed("join")),
            step(
                5,
                r#"bob<   /json {"text":"Hello!"}"#,
                StepKind::Expect,
                StepResult::Failed(Box::new(failure)),
            ),
            step(6, "bob> bye", StepKind::Send, StepResult::Skipped),
        ];
        chat[2].seen.last.push_back(ignored);
        let fine = vec![step(1, "connect ws://h/", StepKind::Connect, passed(""))];
        let trouble = Trouble {
            code: ExitCode::USAGE,
            place: Some(("broken.wst".into(), Place { line: 1, column: 3 })),
            message: "this is no statement".into(),
            rendered: "broken.wst:1:3  conect x\n                ^\n".into(),
        };
        Outcome {
            files: vec![
                file("chat.wst", chat, Vec::new()),
                file("fine.wst", fine, Vec::new()),
                file("broken.wst", Vec::new(), vec![trouble]),
            ],
            not_run: 0,
            elapsed: Duration::from_millis(60),
        }
    }
}
