//! What people read: a line for each file, and of a failure the line, a caret, and what came.

use std::fmt::Write as _;
use std::time::Duration;

use crate::model::units::show_duration;
use crate::text::sanitize;
use crate::text::style::{Ink, Style};
use crate::transcript::diagnostic::underlined;
use crate::transcript::outcome::{
    Failure, FileOutcome, Outcome, StepKind, StepOutcome, StepResult,
};

/// Characters of a message that are shown, unless everything is.
const SHOWN: usize = 200;
/// Characters of a message in the conversation so far.
const LABEL: usize = 20;
/// How many messages that were sent are recalled.
const RECALLED: usize = 4;
/// Members that say what a message is about.
const TELLING: [&str; 7] = ["type", "event", "op", "action", "method", "cmd", "kind"];

/// How it is written.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// `-v`: the whole conversation.
    pub verbose: bool,
    pub style: Style,
}

impl Text {
    /// One file, when it has ended.
    pub fn file(self, file: &FileOutcome) -> String {
        let mut text = String::new();
        self.headline(&mut text, file);
        if self.verbose {
            self.conversation(&mut text, file);
        }
        for (step, failure) in file.failures() {
            self.failure(&mut text, file, step, failure);
        }
        for trouble in &file.trouble {
            // Made of our words and of the user's own file; what came from a peer is escaped in it.
            text.push_str(&sanitize::block(&trouble.rendered));
        }
        text
    }

    /// The line below several files.
    pub fn summary(self, outcome: &Outcome) -> String {
        let files = outcome.files.len();
        if files < 2 {
            return String::new();
        }
        let passed = outcome.passed();
        let failed = match files - passed {
            0 => String::new(),
            count => format!(
                ", {}",
                self.style.paint(Ink::Error, &format!("{count} failed"))
            ),
        };
        let totals = outcome.totals();
        let steps = totals.passed + totals.failed;
        let elapsed = show_duration(outcome.elapsed);
        format!(
            "{files} files: {passed} passed{failed} ({} in {elapsed})\n",
            count(steps, "step")
        )
    }

    fn headline(self, text: &mut String, file: &FileOutcome) {
        let totals = file.totals();
        let all = totals.passed + totals.failed + totals.skipped;
        let (word, ink) = if file.has_passed() {
            ("ok  ", Ink::Control)
        } else {
            ("FAIL", Ink::Error)
        };
        let steps = match (all, totals.failed) {
            (0, _) if !file.trouble.is_empty() => "nothing was sent".to_owned(),
            (_, 0) if totals.skipped == 0 => {
                format!("{}, {}", count(all, "step"), show_duration(file.elapsed))
            }
            _ => {
                let at = totals.passed + totals.failed;
                format!("step {at} of {all}, {}", show_duration(file.elapsed))
            }
        };
        let attempts = match file.attempts {
            1 => String::new(),
            attempts => format!(", attempt {attempts}"),
        };
        // Writing to a String never fails.
        let _ = writeln!(
            text,
            "{}  {} ({steps}{attempts})",
            self.style.paint(ink, word),
            sanitize::line(&file.path)
        );
    }

    fn conversation(self, text: &mut String, file: &FileOutcome) {
        for step in &file.steps {
            let StepResult::Passed { message } = &step.result else {
                break;
            };
            let (marker, ink) = match step.kind {
                StepKind::Connect => (":", Ink::Control),
                StepKind::Send => (">", Ink::Outgoing),
                StepKind::Expect => ("<", Ink::Incoming),
                StepKind::Wait => ("", Ink::Dim),
            };
            let said = match (step.kind, message) {
                (StepKind::Connect | StepKind::Wait, _) | (_, None) => step.line.as_str(),
                (_, Some(message)) => &format!("{}{marker} {message}", step.peer),
            };
            let at = self
                .style
                .paint(
                    Ink::Dim,
                    &format!("{:>8}", show_duration(step.started + step.latency)),
                )
                .into_owned();
            let said = sanitize::line(said);
            let _ = writeln!(text, "  {at}  {}", self.style.paint(ink, &said));
        }
    }

    fn failure(self, text: &mut String, file: &FileOutcome, step: &StepOutcome, failure: &Failure) {
        let head = format!("{}:{}  ", sanitize::line(&step.path), step.place);
        let (line, caret) = pointed(failure);
        let why = match failure.pointer.as_deref() {
            Some(pointer) if !pointer.is_empty() => format!("{pointer}: "),
            _ => String::new(),
        };
        let why = match failure.expected.as_str() {
            "" => failure.got.clone(),
            expected => format!("{why}expected {expected}, got {}", failure.got),
        };
        let why = sanitize::line(&why);
        let caret = self
            .style
            .paint(Ink::Error, &format!("{caret} {why}"))
            .into_owned();
        if failure.place.line == step.place.line {
            let _ = writeln!(text, "{head}{line}");
            let _ = writeln!(text, "{}{caret}", " ".repeat(head.chars().count()));
        } else {
            let gutter = format!("   {} | ", failure.place.line);
            let _ = writeln!(text, "{head}{}", sanitize::line(&step.line));
            let _ = writeln!(text, "{gutter}{line}");
            let _ = writeln!(text, "{}{caret}", " ".repeat(gutter.len()));
        }
        self.came(text, step, failure);
        if let Some(hint) = &failure.hint {
            let _ = writeln!(
                text,
                "   {} {}",
                self.style.paint(Ink::Hint, "hint:"),
                sanitize::line(hint)
            );
        }
        if !self.verbose {
            recall(text, file);
        }
    }

    /// The message that differs.
    fn came(self, text: &mut String, step: &StepOutcome, failure: &Failure) {
        let Some(received) = &failure.message else {
            return;
        };
        let from = match step.peer.name() {
            Some(name) => format!(" from {name}"),
            None => String::new(),
        };
        let what = match received.ordinal {
            Some(ordinal) => format!(", message {ordinal}{from}"),
            None => from,
        };
        let shown = if self.verbose {
            received.text.clone()
        } else {
            shorten(&received.text, SHOWN)
        };
        let after = after(received.after);
        let _ = writeln!(text, "   after {after}{what}:  {}", sanitize::line(&shown));
    }
}

/// The line that failed without its indentation, and a caret below what differs.
fn pointed(failure: &Failure) -> (String, String) {
    let line = failure.line.trim_start_matches([' ', '\t']);
    let indent = failure.line.chars().count() - line.chars().count();
    let column = failure.place.column.saturating_sub(indent).max(1);
    underlined(line, column, 1)
}

/// Whole milliseconds are exact enough for what waited for a network.
fn after(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{} ms", time.as_millis())
    } else {
        show_duration(time)
    }
}

/// What was sent before the failure, in a few words.
fn recall(text: &mut String, file: &FileOutcome) {
    let sent = file.steps.iter().filter(|step| step.kind == StepKind::Send);
    let sent: Vec<String> = sent
        .filter_map(|step| match &step.result {
            StepResult::Passed {
                message: Some(message),
            } => Some(format!("{}> {}", step.peer, label(message))),
            _ => None,
        })
        .collect();
    if sent.is_empty() {
        return;
    }
    let more = if sent.len() > RECALLED { "… " } else { "" };
    let last = &sent[sent.len().saturating_sub(RECALLED)..];
    let said = last.join(" … ");
    let said = sanitize::line(&said);
    let _ = writeln!(
        text,
        "   conversation so far:  {more}{said} … (run with -v for all of it)"
    );
}

/// What a message is about.
fn label(message: &str) -> String {
    let json = serde_json::from_str::<serde_json::Value>(message).ok();
    let telling = json.as_ref().and_then(|json| {
        let mut members = TELLING.iter().filter_map(|name| json.get(name)?.as_str());
        members.next()
    });
    telling.unwrap_or(message).chars().take(LABEL).collect()
}

fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
