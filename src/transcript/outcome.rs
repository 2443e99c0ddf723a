//! How a run of transcripts went: what the reports are made of. Values only; secrets have been
//! replaced, and text of the peer is as it came: whoever shows it makes it fit for a terminal.

use std::collections::VecDeque;
use std::time::Duration;

use super::diagnostic::Diagnostic;
use super::syntax::{Peer, Place, Source};
use crate::error::ExitCode;

/// A whole run: one outcome for each file, in the order in which they were named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    pub files: Vec<FileOutcome>,
    /// So many more were named and never begun: the run was ended before.
    pub not_run: usize,
    pub elapsed: Duration,
}

/// How one file went; of its last attempt, where it was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOutcome {
    /// As it was named.
    pub path: String,
    /// In the order in which they ran; a step of a `repeat` is here once for each round. The steps
    /// that were not reached follow, skipped.
    pub steps: Vec<StepOutcome>,
    /// What failed without being a step: the file does not parse, a connection was closed that
    /// nobody looked at, the run was interrupted.
    pub trouble: Vec<Trouble>,
    pub elapsed: Duration,
    /// 1 for a file that was not tried again.
    pub attempts: u32,
}

/// How one step went: a `connect`, `>`, `<`, `/all` or `wait`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepOutcome {
    /// The file that it stands in: the one that was named, or one that this includes.
    pub path: String,
    /// Where its first line begins.
    pub place: Place,
    pub peer: Peer,
    /// The first line as it is written, from the peer's name on.
    pub line: String,
    pub kind: StepKind,
    /// What came meanwhile and was passed over, or was taken by an `/all`.
    pub seen: Sights,
    /// When it began, since the file did.
    pub started: Duration,
    /// How long it took: an expectation until its message was there.
    pub latency: Duration,
    pub result: StepResult,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepKind {
    Connect,
    Send,
    Expect,
    Wait,
}

impl StepKind {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Send => "send",
            Self::Expect => "expect",
            Self::Wait => "wait",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    Passed {
        /// What was sent, or what held; nothing for `wait`.
        message: Option<String>,
    },
    Failed(Box<Failure>),
    Skipped,
}

/// What came while a step was under way, in its order: the last of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sights {
    pub last: VecDeque<Sight>,
    /// How much came before that and is not told of.
    pub left_out: usize,
}

/// A message that was not, by itself, what its step waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    pub fate: Fate,
    /// As in [`Received`], shortened.
    pub text: String,
    /// 1 for the first message from that peer; nothing for what is no message.
    pub ordinal: Option<u64>,
    /// When it came, since the file began.
    pub at: Duration,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// An `ignore` is about it.
    Ignored,
    /// `<~` looked for another one, or it is a ping or pong that nobody asked for.
    Skipped,
    /// One of the expectations of an `/all` holds for it.
    Taken,
}

impl Fate {
    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Skipped => "skipped",
            Self::Taken => "taken",
        }
    }
}

impl Sights {
    /// What nobody waited for.
    pub fn passed_over(&self) -> impl DoubleEndedIterator<Item = &Sight> {
        self.last.iter().filter(|sight| sight.fate != Fate::Taken)
    }
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: ExitCode,
    /// Where the difference is: `line` of `place`, in the step's file.
    pub place: Place,
    pub line: String,
    /// The member that differs, as a JSON pointer (RFC 6901); `""` is the whole value. `None` where
    /// the difference is not in JSON.
    pub pointer: Option<String>,
    /// What should have come, in words; empty where `got` says it all.
    pub expected: String,
    /// What came instead, in words.
    pub got: String,
    /// The message that did not hold; none where none came.
    pub message: Option<Received>,
    pub hint: Option<String>,
}

impl Failure {
    /// What should have come and what came instead, in one line.
    pub fn difference(&self) -> String {
        let place = match self.pointer.as_deref() {
            None | Some("") => String::new(),
            Some(pointer) => format!("{pointer}: "),
        };
        match self.expected.as_str() {
            "" => format!("{place}{}", self.got),
            expected => format!("{place}expected {expected}, got {}", self.got),
        }
    }
}

/// A message that a peer got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its text; hex of a binary message; a slash word for anything else (`/close 1011 sorry`).
    pub text: String,
    /// 1 for the first message from that peer; nothing for what is no message.
    pub ordinal: Option<u64>,
    /// How long after the step began; nothing for one that waited already.
    pub after: Duration,
}

/// What failed without being a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub code: ExitCode,
    /// In which file and where, if somewhere.
    pub place: Option<(String, Place)>,
    /// One line that says what is wrong.
    pub message: String,
    /// All of it as people read it: the line, the caret, what is allowed. Lines, the last one ended.
    pub rendered: String,
}

impl Trouble {
    pub fn of(diagnostic: &Diagnostic, code: ExitCode, sources: &[Source]) -> Self {
        let place = diagnostic.place(sources);
        Self {
            code,
            place: place.map(|(source, place)| (source.path.clone(), place)),
            message: diagnostic.message.clone(),
            rendered: diagnostic.render(sources),
        }
    }
}

/// Steps by how they went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Outcome {
    /// The exit code of the run: the first of 2, 1, 3, 5, 6, 7, 8, 9, 4 that a file has; what a
    /// signal left behind goes before all of them.
    pub fn code(&self) -> ExitCode {
        first_of(self.files.iter().map(FileOutcome::code))
    }

    pub fn passed(&self) -> usize {
        self.files.iter().filter(|file| file.has_passed()).count()
    }

    pub fn totals(&self) -> Totals {
        self.files.iter().fold(Totals::default(), |sum, file| {
            let totals = file.totals();
            Totals {
                passed: sum.passed + totals.passed,
                failed: sum.failed + totals.failed,
                skipped: sum.skipped + totals.skipped,
            }
        })
    }
}

impl FileOutcome {
    pub fn has_passed(&self) -> bool {
        self.code() == ExitCode::DONE
    }

    pub fn code(&self) -> ExitCode {
        let steps = self.failures().map(|(_, failure)| failure.code);
        first_of(steps.chain(self.trouble.iter().map(|trouble| trouble.code)))
    }

    /// The steps that failed, and why: one at most, for the rest is skipped.
    pub fn failures(&self) -> impl Iterator<Item = (&StepOutcome, &Failure)> {
        self.steps.iter().filter_map(|step| match &step.result {
            StepResult::Failed(failure) => Some((step, &**failure)),
            StepResult::Passed { .. } | StepResult::Skipped => None,
        })
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for step in &self.steps {
            match step.result {
                StepResult::Passed { .. } => totals.passed += 1,
                StepResult::Failed(_) => totals.failed += 1,
                StepResult::Skipped => totals.skipped += 1,
            }
        }
        totals
    }
}

/// The code that goes before the others.
pub fn first_of(codes: impl Iterator<Item = ExitCode>) -> ExitCode {
    const ORDER: [u8; 9] = [2, 1, 3, 5, 6, 7, 8, 9, 4];
    codes
        .filter(|code| *code != ExitCode::DONE)
        .min_by_key(|code| {
            ORDER
                .iter()
                .position(|known| *known == code.0)
                .map_or(0, |at| at + 1)
        })
        .unwrap_or(ExitCode::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(codes: &[ExitCode]) -> FileOutcome {
        let trouble = codes.iter().map(|code| Trouble {
            code: *code,
            place: None,
            message: String::new(),
            rendered: String::new(),
        });
        FileOutcome {
            path: "a.wst".into(),
            steps: Vec::new(),
            trouble: trouble.collect(),
            elapsed: Duration::ZERO,
            attempts: 1,
        }
    }

    #[test]
    fn over_several_files_one_code_goes_before_the_others() {
        use ExitCode as C;
        for (codes, expected) in [
            (&[][..], C::DONE),
            (&[C::NOT_MET, C::DONE], C::NOT_MET),
            (&[C::NOT_MET, C::CLOSED, C::CONNECT], C::CONNECT),
            (&[C::CONNECT, C::USAGE, C::INTERNAL], C::USAGE),
            (&[C::INTERNAL, C::TLS], C::INTERNAL),
            (&[C::USAGE, C::SIGINT], C::SIGINT),
        ] {
            let files = codes.iter().map(|code| file(&[*code])).collect();
            let outcome = Outcome {
                files,
                not_run: 0,
                elapsed: Duration::ZERO,
            };
            assert_eq!(outcome.code(), expected, "{codes:?}");
        }
    }
}
