//! One user plays the script once, and what that came to is counted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use super::super::failure::Failure;
use super::super::figures::{self, Figures, Latency};
use super::super::opener;
use super::super::shared::Shared;
use super::Script;
use crate::error::ExitCode;
use crate::model::event::{Close, ClosedBy, Direction, What};
use crate::model::message::Kind;
use crate::model::state::ReadyState;
use crate::play::Play;
use crate::transcript::outcome::{self, FileOutcome, StepKind, StepOutcome};
use crate::transcript::player::PeerId;

/// What a user needs to play.
pub(super) struct Part {
    pub script: Arc<Script>,
    pub shared: Arc<Shared>,
    /// Of the thread.
    pub figures: Rc<RefCell<Figures>>,
    pub user: u64,
    pub seed: u64,
    /// When it should have begun.
    pub due: Instant,
    /// It belongs to the measured time.
    pub measured: bool,
    /// Set when players are to come to their end.
    pub closing: watch::Receiver<bool>,
}

/// Plays the script once; whether its connections could be opened.
pub(super) async fn play(mut part: Part) -> bool {
    part.begin();
    let script = Arc::clone(&part.script);
    let player = script.player(part.user, part.seed);
    let mut play = Play::new(script.stage(), player);
    let mut watcher = Watcher::new(&part);
    let mut cut = false;
    loop {
        tokio::select! {
            biased;
            happened = play.next() => match happened {
                None => break,
                Some((id, what)) => {
                    if matches!(what, What::Refused(_) | What::Error(_)) {
                        watcher.failed(id, &what, &play);
                    }
                    watcher.saw(id, &what);
                }
            },
            Ok(()) = part.closing.changed(), if !cut => {
                cut = true;
                play.interrupt(ExitCode::DONE, "the load is over");
            }
        }
    }
    let now = Instant::now();
    let outcome = play.into_player().outcome(script.path.clone(), now);
    let failure = watcher.failure.take();
    drop(watcher);
    part.end(&outcome, cut, failure, now)
}

impl Part {
    fn begin(&self) {
        if self.measured {
            let mut figures = self.figures.borrow_mut();
            figures.iterations.started += 1;
            figures.record(Latency::SchedLag, self.due.elapsed());
        }
    }

    /// Counts an outcome; whether all connections could be opened.
    fn end(&self, outcome: &FileOutcome, cut: bool, failed: Option<Failure>, now: Instant) -> bool {
        let mut figures = self.figures.borrow_mut();
        let figures = &mut *figures;
        if self.measured {
            self.count_steps(outcome, figures);
        }
        let failure = outcome.failures().next();
        let trouble = outcome.trouble.first();
        if failure.is_none() && trouble.is_none_or(|_| cut) {
            if self.measured && !cut {
                figures.iterations.passed += 1;
                figures.record(Latency::Session, now.saturating_duration_since(self.due));
            }
            return true;
        }
        let opened = !matches!(failure, Some((step, _)) if step.kind == StepKind::Connect);
        figures.iterations.failed += u64::from(self.measured);
        if let (false, Some(failed)) = (opened, failed) {
            figures.connections.failed += 1;
            figures.failed(failed, self.user);
            return false;
        }
        let (code, failed) = match (failure, trouble) {
            (Some((step, failure)), _) => (failure.code, unmet(step, failure)),
            (None, Some(trouble)) => {
                let sample = trouble.message.as_str();
                (trouble.code, Failure::new("script", "closed", sample))
            }
            (None, None) => return opened,
        };
        let lost = matches!(
            code,
            ExitCode::CLOSED | ExitCode::PROTOCOL | ExitCode::TIMEOUT
        );
        figures.connections.lost += u64::from(lost);
        figures.iterations.unmet += u64::from(!lost && self.measured);
        if lost || self.measured {
            figures.failed(failed, self.user);
        }
        opened
    }

    fn count_steps(&self, outcome: &FileOutcome, figures: &mut Figures) {
        for step in &outcome.steps {
            let held = match step.result {
                outcome::StepResult::Passed { .. } => true,
                outcome::StepResult::Failed(_) => false,
                outcome::StepResult::Skipped => continue,
            };
            // What is sent is handed over, and not waited for.
            let is_timed = held && step.kind != StepKind::Send;
            if let Some(place) = self.script.place(step) {
                figures
                    .step(place)
                    .ended(held, is_timed.then_some(step.latency));
            }
        }
    }
}

/// A step that failed, under a name that stays: `script/differs` where something else came,
/// `script/missing` where nothing did, `script/closed` where the connection was over.
fn unmet(step: &StepOutcome, failure: &outcome::Failure) -> Failure {
    let kind = match (failure.code, &failure.message) {
        (ExitCode::NOT_MET, Some(_)) => "differs",
        (ExitCode::NOT_MET, None) => "missing",
        (ExitCode::CLOSED, _) => "closed",
        (ExitCode::PROTOCOL, _) => "protocol",
        _ => "failed",
    };
    let expected = match failure.expected.as_str() {
        "" => String::new(),
        expected => format!("expected {expected}, got "),
    };
    let line = step.place.line;
    Failure::new(
        "script",
        kind,
        format!("line {line}: {expected}{}", failure.got),
    )
}

/// Counts what happens on the connections of one iteration.
struct Watcher {
    shared: Arc<Shared>,
    figures: Rc<RefCell<Figures>>,
    measured: bool,
    open: HashMap<PeerId, Opened>,
    /// Why the last opening failed.
    failure: Option<Failure>,
}

/// A connection that is open.
struct Opened {
    at: Instant,
    heard_any: bool,
}

impl Watcher {
    fn new(part: &Part) -> Self {
        Self {
            shared: Arc::clone(&part.shared),
            figures: Rc::clone(&part.figures),
            measured: part.measured,
            open: HashMap::new(),
            failure: None,
        }
    }

    /// Keeps why an opening failed; a refusal comes before the error, and has the body.
    fn failed(&mut self, id: PeerId, what: &What, play: &Play<'_>) {
        match (what, play.failure(id)) {
            (What::Refused(refused), _) => {
                let body = String::from_utf8_lossy(&refused.body);
                let sample = match body.trim() {
                    "" => refused.reason.as_str(),
                    body => body,
                };
                self.failure = Some(Failure::status(refused.status, sample));
            }
            (_, Some(error)) if self.failure.is_none() => {
                self.failure = Some(Failure::opening(error, b""));
            }
            _ => {}
        }
    }

    fn saw(&mut self, id: PeerId, what: &What) {
        let mut figures = self.figures.borrow_mut();
        match what {
            What::State(ReadyState::Connecting) => figures.connections.attempted += 1,
            What::Open(open) => {
                figures.connections.opened += 1;
                self.shared.opened();
                let timings = &open.timings;
                for (step, took) in Latency::STEPS.into_iter().zip(opener::steps(timings)) {
                    if let Some(took) = took {
                        figures.record(step, took);
                    }
                }
                figures.record(Latency::Handshake, timings.total);
                let (at, heard_any) = (Instant::now(), false);
                self.open.insert(id, Opened { at, heard_any });
            }
            What::Message {
                dir,
                message,
                frames,
                wire,
                ..
            } => {
                if *dir == Direction::In
                    && let Some(open) = self.open.get_mut(&id)
                    && !std::mem::replace(&mut open.heard_any, true)
                {
                    figures.record(Latency::FirstMessage, open.at.elapsed());
                }
                if self.measured {
                    let opcode = match message.kind {
                        Kind::Text => 1,
                        Kind::Binary => 2,
                    };
                    let size = message.payload.len() as u64;
                    count(&mut figures, *dir, opcode, size, *wire, *frames);
                }
            }
            What::Ping { dir, .. } if self.measured => {
                frames_of(&mut figures, *dir)[9] += 1;
            }
            What::Pong { dir, rtt, .. } => {
                if self.measured {
                    frames_of(&mut figures, *dir)[10] += 1;
                }
                if let Some(rtt) = rtt {
                    figures.record(Latency::Ping, *rtt);
                }
            }
            What::Close(close) => {
                closed(&mut figures, close);
                if self.open.remove(&id).is_some() {
                    self.shared.closed();
                }
            }
            _ => {}
        }
    }
}

impl Drop for Watcher {
    /// Connections of an iteration that is given up are dropped with it.
    fn drop(&mut self) {
        for _ in self.open.drain() {
            self.shared.closed();
        }
    }
}

fn frames_of(figures: &mut Figures, dir: Direction) -> &mut [u64; 16] {
    match dir {
        Direction::In => &mut figures.frames_received,
        Direction::Out => &mut figures.frames_sent,
    }
}

fn count(
    figures: &mut Figures,
    dir: Direction,
    opcode: usize,
    payload: u64,
    wire: u64,
    frames: u64,
) {
    let counts = frames_of(figures, dir);
    counts[opcode] += 1;
    counts[0] += frames.saturating_sub(1);
    let (messages, bytes) = (&mut figures.messages, &mut figures.bytes);
    match dir {
        Direction::In => {
            messages.received += 1;
            bytes.received_payload += payload;
            bytes.received_wire += wire;
        }
        Direction::Out => {
            messages.sent += 1;
            bytes.sent_payload += payload;
            bytes.sent_wire += wire;
        }
    }
}

fn closed(figures: &mut Figures, close: &Close) {
    let by = match close.by {
        ClosedBy::Peer => figures::ClosedBy::Peer,
        ClosedBy::Us => figures::ClosedBy::Us,
        ClosedBy::Transport => figures::ClosedBy::Transport,
    };
    figures.frames_sent[8] += u64::from(close.clean || by == figures::ClosedBy::Us);
    figures.frames_received[8] += u64::from(close.clean || by == figures::ClosedBy::Peer);
    let close_of = figures::Close {
        code: close.code.0,
        by,
        detail: None,
    };
    figures.closed(close_of, Some(&close.reason));
}
