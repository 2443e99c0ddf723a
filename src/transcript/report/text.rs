//! What people read: a line for each file, and of a failure the line, a caret, and what came.

use std::fmt::Write as _;
use std::time::Duration;

use super::{numbered, passed_over, place, sentence, shorten};
use crate::model::units::show_duration;
use crate::text::glyph::width;
use crate::text::sanitize;
use crate::text::style::{Ink, Style};
use crate::transcript::diagnostic::underlined;
use crate::transcript::outcome::{
    Failure, Fate, FileOutcome, Outcome, Sight, StepKind, StepOutcome, StepResult,
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
            self.failure(&mut text, step, failure);
        }
        for trouble in &file.trouble {
            // Made of our words and of the user's own file; what came from a peer is escaped in it.
            text.push_str(&sanitize::block(&trouble.rendered));
        }
        if !self.verbose && !file.has_passed() {
            recall(&mut text, file);
        }
        text
    }

    /// The line below several files.
    pub fn summary(self, outcome: &Outcome) -> String {
        let files = outcome.files.len() + outcome.not_run;
        if files < 2 {
            return String::new();
        }
        let passed = outcome.passed();
        let failed = match outcome.files.len() - passed {
            0 => String::new(),
            count => format!(
                ", {}",
                self.style.paint(Ink::Error, &format!("{count} failed"))
            ),
        };
        let totals = outcome.totals();
        let steps = totals.passed + totals.failed;
        let elapsed = show_duration(outcome.elapsed);
        let not_run = match outcome.not_run {
            0 => String::new(),
            count => format!(", {count} not run"),
        };
        format!(
            "{files} files: {passed} passed{failed}{not_run} ({} in {elapsed})\n",
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
            if step.seen.left_out > 0 {
                let _ = writeln!(
                    text,
                    "  {:>8}  ({} before these are left out)",
                    "...", step.seen.left_out
                );
            }
            for sight in &step.seen.last {
                self.sight(text, step, sight);
            }
            let StepResult::Passed { message } = &step.result else {
                break;
            };
            // What an `/all` has taken was told of one by one.
            if step.seen.last.iter().any(|sight| sight.fate == Fate::Taken) {
                continue;
            }
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
            self.said(text, step.started + step.latency, said, ink);
        }
    }

    /// A message that did not end its step.
    fn sight(self, text: &mut String, step: &StepOutcome, sight: &Sight) {
        let ink = match sight.fate {
            Fate::Taken => Ink::Incoming,
            Fate::Ignored | Fate::Skipped => Ink::Dim,
        };
        self.said(text, sight.at, &seen(step, sight, &sight.text), ink);
    }

    fn said(self, text: &mut String, at: Duration, said: &str, ink: Ink) {
        let at = format!("{:>8}", show_duration(at));
        let at = self.style.paint(Ink::Dim, &at).into_owned();
        let said = sanitize::line(said);
        // Writing to a String never fails.
        let _ = writeln!(text, "  {at}  {}", self.style.paint(ink, &said));
    }

    fn failure(self, text: &mut String, step: &StepOutcome, failure: &Failure) {
        let head = format!("{}  ", place(step));
        let (line, caret) = pointed(failure);
        let caret = format!("{caret} {}", sentence(failure));
        let caret = self.style.paint(Ink::Error, &caret).into_owned();
        if failure.place.line == step.place.line {
            let _ = writeln!(text, "{head}{line}");
            let _ = writeln!(text, "{}{caret}", " ".repeat(width(&head)));
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
    }

    /// The message that differs, and what was passed over before it.
    fn came(self, text: &mut String, step: &StepOutcome, failure: &Failure) {
        let most = if self.verbose { usize::MAX } else { SHOWN };
        if let Some(received) = &failure.message {
            let after = after(received.after);
            let what = numbered(step, received.ordinal);
            let shown = shorten(&received.text, most);
            let _ = writeln!(text, "   after {after}{what}:  {}", sanitize::line(&shown));
        }
        // The whole conversation has them already.
        let told = if self.verbose {
            Vec::new()
        } else {
            passed_over(step, most)
        };
        for line in told {
            let _ = writeln!(text, "   {}", sanitize::line(&line));
        }
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

/// A message that did not end its step, as it would be written, and what became of it.
fn seen(step: &StepOutcome, sight: &Sight, text: &str) -> String {
    let mark = match sight.fate {
        Fate::Taken => String::new(),
        Fate::Ignored | Fate::Skipped => format!("  ({})", sight.fate.name()),
    };
    format!("{}< {text}{mark}", step.peer)
}

/// What was sent, and what was passed over, before the failure: in a few words.
fn recall(text: &mut String, file: &FileOutcome) {
    let mut said = Vec::new();
    for step in &file.steps {
        let StepResult::Passed { message } = &step.result else {
            // What the step that failed has passed over is told of with it.
            break;
        };
        for sight in step.seen.passed_over() {
            said.push(seen(step, sight, &label(&sight.text)).replace("  (", " ("));
        }
        if let (StepKind::Send, Some(message)) = (step.kind, message) {
            said.push(format!("{}> {}", step.peer, label(message)));
        }
    }
    if said.is_empty() {
        return;
    }
    let more = if said.len() > RECALLED { "… " } else { "" };
    let last = &said[said.len().saturating_sub(RECALLED)..];
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

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
