//! `<` and `/all`: holds what came against what is expected.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::all::{Gathering, Sees};
use super::failing::unfilled;
use super::participant::Arrived;
use super::{KEPT, Next, PeerId, Player, Progress};
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;
use crate::transcript::matcher::{Mismatch, Test};
use crate::transcript::outcome::{Failure, Fate};
use crate::transcript::program::{Compiled, Expecting, Operation};
use crate::transcript::syntax::{Peer, Span};

impl Player {
    pub(super) fn expect(
        &mut self,
        operation: &Operation,
        expecting: &Expecting,
        started: Instant,
        now: Instant,
    ) -> Progress {
        let id = self.participant(&expecting.peer);
        let compiled = &expecting.compiled;
        let silence = compiled.test.silence();
        let limit = silence
            .or(expecting.within)
            .unwrap_or(self.settings.timeout);
        let deadline = started + limit;
        while let Some(arrived) = self.next_of(id, &expecting.peer, &*compiled.test) {
            if silence.is_some() && arrived.at > deadline {
                self.participants[id].put_back(arrived);
                break;
            }
            match self.hold(compiled, &arrived.incoming) {
                Ok(bound) => {
                    if let Err(failure) = self.bind(bound, compiled.span) {
                        return Progress::Failed(failure);
                    }
                    let latency = arrived.at.saturating_duration_since(started);
                    self.pass(
                        operation,
                        Some(arrived.incoming.text(KEPT, self.variables.secrets())),
                        latency,
                        started,
                    );
                    return Progress::Done;
                }
                Err(_) if expecting.skip && matches!(arrived.incoming, Incoming::Message(_)) => {
                    self.saw(&arrived, Fate::Skipped);
                }
                Err(mismatch) => {
                    return Progress::Failed(
                        self.differs(id, compiled, mismatch, &arrived, started),
                    );
                }
            }
        }
        if now >= deadline && silence.is_some() {
            self.pass(operation, None, now - started, started);
            return Progress::Done;
        }
        if let Some(mut failure) =
            self.nothing_more(id, compiled.test.wanted(), limit, deadline, now)
            && silence.is_none()
        {
            failure.place = self.place(compiled.span);
            let passed_over = self.seen.passed_over().count() + self.seen.left_out;
            if passed_over > 0 {
                failure.got = format!("{} ({passed_over} passed over)", failure.got);
            }
            return Progress::Failed(failure);
        }
        Progress::Do(Next::Wait(Some(deadline)))
    }

    pub(super) fn gather(
        &mut self,
        operation: &Operation,
        peer: &Peer,
        within: Option<Duration>,
        items: &Arc<[Compiled]>,
        started: Instant,
        now: Instant,
    ) -> Progress {
        let id = self.participant(peer);
        let limit = within.unwrap_or(self.settings.timeout);
        let sees = Sees(Arc::clone(items));
        while let Some(arrived) = self.next_of(id, peer, &sees) {
            let held: Vec<Result<Bound, Mismatch>> = items
                .iter()
                .map(|item| self.hold(item, &arrived.incoming))
                .collect();
            let at = arrived.at;
            if let Err(mismatch) = self.gathering.take(&held) {
                let left = self.gathering.left(items.len());
                self.gathering = Gathering::default();
                // Where one is left, the message was meant for that one.
                let (item, mismatch) = match &left[..] {
                    [one] => (&items[*one], held[*one].clone().err().unwrap_or(mismatch)),
                    _ => {
                        let expected = format!("one of the {} that are left", left.len());
                        (
                            &items[left.first().copied().unwrap_or(0)],
                            Mismatch::kind(&expected, &arrived.incoming, self.variables.secrets()),
                        )
                    }
                };
                return Progress::Failed(self.differs(id, item, mismatch, &arrived, started));
            }
            self.saw(&arrived, Fate::Taken);
            if let Some(bound) = self.gathering.complete(items.len()) {
                self.gathering = Gathering::default();
                if let Err(failure) = self.bind(bound, operation.span) {
                    return Progress::Failed(failure);
                }
                let message = format!("all {}", items.len());
                self.pass(
                    operation,
                    Some(message),
                    at.saturating_duration_since(started),
                    started,
                );
                return Progress::Done;
            }
        }
        let left = self.gathering.left(items.len());
        let deadline = started + limit;
        let wanted = left
            .first()
            .map_or("a message", |one| items[*one].test.wanted());
        match self.nothing_more(id, wanted, limit, deadline, now) {
            Some(mut failure) => {
                failure.expected = match (left.len(), items.len()) {
                    (1, 1) => "a message".into(),
                    (left, all) if left == all => format!("{all} messages"),
                    (left, all) => format!("{left} more of {all} messages"),
                };
                if let Some(one) = left.first() {
                    failure.place = self.place(items[*one].span);
                }
                self.gathering = Gathering::default();
                Progress::Failed(failure)
            }
            None => Progress::Do(Next::Wait(Some(deadline))),
        }
    }

    /// The next thing for a peer that a test looks at, and that is not ignored.
    pub(super) fn next_of(&mut self, id: PeerId, peer: &Peer, test: &dyn Test) -> Option<Arrived> {
        loop {
            let arrived = self.participants[id].next()?;
            if !test.sees(&arrived.incoming) {
                self.saw(&arrived, Fate::Skipped);
            } else if self.is_ignored(peer, &arrived.incoming) {
                self.saw(&arrived, Fate::Ignored);
            } else {
                return Some(arrived);
            }
        }
    }

    pub(super) fn is_ignored(&mut self, peer: &Peer, incoming: &Incoming) -> bool {
        if !matches!(incoming, Incoming::Message(_)) {
            return false;
        }
        let ignores = std::mem::take(&mut self.ignores);
        let is_ignored = ignores
            .iter()
            .filter(|(whose, _)| whose.as_ref().is_none_or(|whose| whose == peer))
            .any(|(_, compiled)| self.hold(compiled, incoming).is_ok());
        self.ignores = ignores;
        is_ignored
    }

    /// Holds a message against an expectation; what it gives values to, if it holds.
    pub(super) fn hold(
        &mut self,
        compiled: &Compiled,
        incoming: &Incoming,
    ) -> Result<Bound, Mismatch> {
        let mut context = self.context(compiled.span);
        let mut bound = compiled.test.hold(incoming, &mut context)?;
        if !compiled.captures.is_empty() {
            bound.extend(compiled.capture(incoming, self.variables.secrets())?);
        }
        Ok(bound)
    }

    /// Keeps what was found; `span` says by what.
    fn bind(&mut self, bound: Bound, span: Span) -> Result<(), Box<Failure>> {
        for (name, value) in bound {
            if let Err(why) = self.variables.set(name, value) {
                let mut failure = unfilled(why);
                failure.place = self.place(span);
                return Err(failure);
            }
        }
        Ok(())
    }
}
