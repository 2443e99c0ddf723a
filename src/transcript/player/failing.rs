//! How steps are told of: what failed and where, without secrets and within bounds.

use std::time::{Duration, Instant};

use super::participant::Arrived;
use super::{KEPT_OF_FAILURE, PeerId, Player};
use crate::error::ExitCode;
use crate::model::secret::mask_passwords;
use crate::model::units::exact_duration;
use crate::transcript::diagnostic::Diagnostic;
use crate::transcript::excerpt::shortened;
use crate::transcript::incoming::Incoming;
use crate::transcript::matcher::Mismatch;
use crate::transcript::outcome::{Failure, Received, Sights, StepOutcome, StepResult, Trouble};
use crate::transcript::program::{Compiled, Operation, What};
use crate::transcript::syntax::{Peer, Place, Span};
use crate::transcript::variables::Unfilled;

impl Player {
    /// Why nothing can come any more, if so: the time is up, or the connection over.
    pub(super) fn nothing_more(
        &self,
        id: PeerId,
        wanted: &str,
        limit: Duration,
        deadline: Instant,
        now: Instant,
    ) -> Option<Box<Failure>> {
        let participant = &self.participants[id];
        if participant.is_over() {
            let mut failure = simple(wanted, participant.end_in_words());
            failure.code = participant.end_code();
            return Some(failure);
        }
        (now >= deadline).then(|| simple(wanted, format!("none within {}", exact_duration(limit))))
    }

    pub(super) fn differs(
        &self,
        id: PeerId,
        compiled: &Compiled,
        mismatch: Mismatch,
        arrived: &Arrived,
        started: Instant,
    ) -> Box<Failure> {
        let mut failure = simple(mismatch.expected, mismatch.got);
        let ended = matches!(arrived.incoming, Incoming::Close { .. });
        let expected_end = compiled.test.wanted() == "a Close";
        if ended && !expected_end {
            failure.code = self.participants[id].end_code();
            failure.hint = self.participants[id].why();
        }
        failure.pointer = mismatch.pointer;
        failure.message = Some(Received {
            text: arrived
                .incoming
                .text(KEPT_OF_FAILURE, self.variables.secrets()),
            ordinal: arrived.ordinal,
            after: arrived.at.saturating_duration_since(started),
        });
        match mismatch.capture {
            Some(span) => failure.place = self.place(span),
            None => self.point_at(&mut failure, compiled, mismatch.at),
        }
        failure
    }

    /// Where an expectation differs; `at` is in its raw text.
    pub(super) fn point_at(&self, failure: &mut Failure, compiled: &Compiled, at: usize) {
        let text = &compiled.text;
        let start = if text.raw.is_empty() {
            compiled.span.start
        } else {
            text.position(at)
        };
        failure.place = self.place(Span::new(compiled.span.file, start..start));
    }

    pub(super) fn place(&self, span: Span) -> Place {
        self.program.sources[span.file].place(span.start)
    }

    pub(super) fn redacted(&self, operation: &Operation, mut failure: Failure) -> Failure {
        let (place, line) = operation.line(&self.program.sources);
        if failure.place.line == 0 {
            failure.place = place;
            failure.line = self.line(line);
        } else {
            let source = &self.program.sources[operation.span.file];
            failure.line = self.line(source.line(failure.place.line));
        }
        let redact = |text: &str| self.variables.redact(text).into_owned();
        failure.expected = redact(&failure.expected);
        failure.got = redact(&failure.got);
        failure.hint = failure.hint.as_deref().map(redact);
        if let Some(received) = &mut failure.message {
            received.text = shortened(&received.text, KEPT_OF_FAILURE);
        }
        failure
    }

    /// A line as it is written, should a secret be written there.
    fn line(&self, line: &str) -> String {
        let line = mask_passwords(line);
        self.variables.redact(&line).into_owned()
    }

    /// The outcome of an operation, if it is a step.
    pub(super) fn step(
        &self,
        operation: &Operation,
        started: Instant,
        latency: Duration,
        result: StepResult,
    ) -> Option<StepOutcome> {
        let (place, line) = operation.line(&self.program.sources);
        let source = &self.program.sources[operation.span.file];
        let place = match &operation.what {
            What::Expect(expecting) => source.place(expecting.compiled.span.start),
            _ => place,
        };
        Some(StepOutcome {
            path: source.path.clone(),
            place,
            peer: operation.what.peer(),
            line: self.line(line.trim()),
            kind: operation.what.kind()?,
            seen: Sights::default(),
            started: started.saturating_duration_since(self.began),
            latency,
            result,
        })
    }
}

impl Player {
    /// What failed without being a step, at the line where that was.
    pub(super) fn troubled(
        &self,
        code: ExitCode,
        span: Option<Span>,
        message: &str,
        hint: Option<&str>,
    ) -> Trouble {
        let sources = &self.program.sources;
        let redact = |text: &str| self.variables.redact(text).into_owned();
        let nowhere = Span::new(usize::MAX, 0..0);
        let mut diagnostic = Diagnostic::new(span.unwrap_or(nowhere), redact(message));
        diagnostic.hint = hint.map(redact);
        Trouble::of(&diagnostic, code, sources)
    }
}

/// A failure that is about no message. Where it is, is the operation's to say.
pub(super) fn simple(expected: impl Into<String>, got: impl Into<String>) -> Box<Failure> {
    Box::new(Failure {
        code: ExitCode::NOT_MET,
        place: Place { line: 0, column: 0 },
        line: String::new(),
        pointer: None,
        expected: expected.into(),
        got: got.into(),
        message: None,
        hint: None,
    })
}

/// A text that cannot be filled in, or a value that cannot be kept.
pub(super) fn unfilled(why: Unfilled) -> Box<Failure> {
    match why {
        Unfilled::Unknown(name) => simple(format!("a value for {name}"), "none"),
        Unfilled::Large(why) => simple("", why),
    }
}

/// A peer in a sentence.
pub(super) fn called(peer: &Peer) -> &str {
    peer.name().unwrap_or("the client")
}
