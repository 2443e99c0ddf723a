//! Plays a transcript. Pure: what happened and the time come in, what to do and the next deadline
//! go out.
//!
//! Whoever drives it asks [`Player::poll`] what to do until that is to wait, and tells it of
//! everything that happens to its peers. Steps run one after the other; what comes meanwhile waits
//! in a queue for each peer. The first step that fails ends it. At the end every open peer is
//! closed with 1000.

mod all;
mod expecting;
mod failing;
mod opening;
mod participant;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::excerpt::{bytes, shortened};
use super::incoming::Incoming;
use super::matcher::{Context, Files};
use super::outcome::{Failure, Fate, FileOutcome, Sight, Sights, StepOutcome, StepResult, Trouble};
use super::program::{Compiled, Operation, Program, What};
use super::sending;
use super::syntax::{Peer, Sending, Span, Text};
use super::template::{Filling, Template};
use super::variables::{Given, Value, Variables};
use crate::error::ExitCode;
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::message::Message;
use crate::model::secret::known::Known;
use crate::model::units::exact_duration;

use self::all::Gathering;
use self::failing::{simple, unfilled};
pub use self::opening::Opening;
use self::participant::{Arrived, Participant, State};

/// The most that is kept of a message that was as expected, in characters.
const KEPT: usize = 1000;
/// The most that is kept of one that was not.
const KEPT_OF_FAILURE: usize = 1 << 20;

/// The most that is kept of one that was passed over, in characters.
const KEPT_OF_SIGHT: usize = 200;
/// So many of those are kept for a step, and for a file.
const MOST_SIGHTS: usize = 100;
const MOST_SIGHTS_OF_FILE: usize = 10_000;

/// What a run depends on besides the program.
#[derive(Clone)]
pub struct Settings {
    /// How long an expectation waits that has no `within`.
    pub timeout: Duration,
    pub given: Arc<Given>,
    pub files: Arc<dyn Files>,
}

/// When a run begins, and what is random in it.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub now: Instant,
    pub wall: SystemTime,
    pub seed: u64,
}

/// A peer by its number, from 0 in the order of their first `connect`.
pub type PeerId = usize;

/// What is to be done next.
#[derive(Debug)]
pub enum Next {
    Open(PeerId, Box<Opening>),
    Send(PeerId, Command),
    /// Nothing until something happens, or until then.
    Wait(Option<Instant>),
    Done,
}

/// What happened to a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Opened,
    /// The handshake was answered with another status than 101; a `Failed` follows.
    Refused {
        status: u16,
        reason: String,
    },
    /// The opening failed, or the connection is about to end because of this.
    Failed(Failed),
    Message(Message),
    Ping(bytes::Bytes),
    Pong(bytes::Bytes),
    Closed {
        code: CloseCode,
        reason: String,
        /// We began it.
        by_us: bool,
    },
}

/// Why there is no connection, or none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub code: ExitCode,
    pub message: String,
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Playing,
    /// Every open peer is being closed.
    Closing,
    Ended,
}

/// One run of one file.
pub struct Player {
    program: Arc<Program>,
    settings: Settings,
    variables: Variables,
    began: Instant,
    phase: Phase,
    /// The operation that is under way.
    at: usize,
    /// When it began; `None` before it was looked at.
    started: Option<Instant>,
    /// What it sends, while that is under way: shown once it was taken.
    sent: Option<Option<String>>,
    /// What an `/all` has got so far.
    gathering: Gathering,
    /// What came so far and did not end the step.
    seen: Sights,
    /// The [`Sights`] of all steps.
    sights: usize,
    /// The repeats that are open: where their bodies begin, and how many rounds are left.
    rounds: Vec<(usize, u32)>,
    ignores: Vec<(Option<Peer>, Compiled)>,
    participants: Vec<Participant>,
    done: Vec<StepOutcome>,
    trouble: Vec<Trouble>,
}

/// How far an operation has come.
enum Progress {
    /// It is done; go on.
    Done,
    /// It is done, or under way, and this is to be done.
    Do(Next),
    Failed(Box<Failure>),
}

impl Player {
    pub fn new(program: Arc<Program>, settings: Settings, start: Start) -> Self {
        Self {
            variables: Variables::new(&settings.given, start.seed, start.wall),
            program,
            settings,
            began: start.now,
            phase: Phase::Playing,
            at: 0,
            started: None,
            sent: None,
            gathering: Gathering::default(),
            seen: Sights::default(),
            sights: 0,
            rounds: Vec::new(),
            ignores: Vec::new(),
            participants: Vec::new(),
            done: Vec::new(),
            trouble: Vec::new(),
        }
    }

    /// What to do now. To be asked again after it was done.
    pub fn poll(&mut self, now: Instant) -> Next {
        self.variables.set_elapsed(now - self.began);
        let program = Arc::clone(&self.program);
        while self.phase == Phase::Playing {
            let Some(operation) = program.operations.get(self.at) else {
                self.stop();
                break;
            };
            let started = *self.started.get_or_insert(now);
            match self.operate(operation, started, now) {
                Progress::Done => {}
                Progress::Do(next) => return next,
                Progress::Failed(failure) => self.fail(operation, *failure, now),
            }
        }
        self.close_next()
    }

    /// Something happened to a peer.
    pub fn heard(&mut self, peer: PeerId, heard: Heard, now: Instant) {
        let hears_control = self.program.hears_control;
        if let Some(participant) = self.participants.get_mut(peer) {
            participant.heard(heard, hears_control, now);
        }
    }

    /// Whether what a peer gets can still be kept; while not, nothing should be read for it.
    pub fn has_room(&self, peer: PeerId) -> bool {
        self.participants
            .get(peer)
            .is_none_or(Participant::has_room)
    }

    /// How long a step waits that says nothing itself.
    pub const fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// The last [`Next::Send`] was not taken within [`Player::timeout`].
    pub fn not_sent(&mut self, now: Instant) {
        let program = Arc::clone(&self.program);
        if self.sent.take().is_none() {
            return;
        }
        if let Some(operation) = program.operations.get(self.at) {
            let limit = exact_duration(self.settings.timeout);
            let got = format!("the peer does not read: no room to send this within {limit}");
            let mut failure = simple("", got);
            failure.hint = Some("--timeout waits longer".into());
            self.fail(operation, *failure, now);
        }
    }

    /// Ends it from outside: nothing more is played. Whether a step was under way; else the peers
    /// were being closed.
    pub fn interrupt(&mut self, code: ExitCode, why: &str) -> bool {
        let was_playing = self.phase == Phase::Playing;
        if was_playing {
            let under_way = self.program.operations.get(self.at);
            let span = under_way.map(|operation| operation.span);
            self.trouble.push(self.troubled(code, span, why, None));
            self.sent = None;
            self.stop();
        } else if self.phase == Phase::Closing {
            let why = format!("{why} before the peer answered the Close");
            self.trouble.push(self.troubled(code, None, &why, None));
        }
        was_playing
    }

    pub fn has_failed(&self) -> bool {
        !self.trouble.is_empty()
            || self
                .done
                .iter()
                .any(|step| matches!(step.result, StepResult::Failed(_)))
    }

    /// How it went. `path` is the file as it was named.
    pub fn outcome(mut self, path: String, now: Instant) -> FileOutcome {
        let rest = self.program.operations.iter().skip(self.at);
        let skipped: Vec<StepOutcome> = rest
            .filter_map(|operation| self.step(operation, now, Duration::ZERO, StepResult::Skipped))
            .collect();
        self.done.extend(skipped);
        FileOutcome {
            path,
            steps: self.done,
            trouble: self.trouble,
            elapsed: now - self.began,
            attempts: 1,
        }
    }

    // --- the course of it ------------------------------------------------------------------

    fn operate(&mut self, operation: &Operation, started: Instant, now: Instant) -> Progress {
        match &operation.what {
            What::Connect(connect) => self.connect(operation, connect, started, now),
            What::Send { peer, sending } => {
                if let Some(message) = self.sent.take() {
                    self.pass(operation, message, Duration::ZERO, started);
                    return Progress::Done;
                }
                let id = self.participant(peer);
                match self.send(id, sending, operation.span) {
                    Ok(command) => {
                        self.sent = Some(shown(&command, self.variables.secrets()));
                        Progress::Do(Next::Send(id, command))
                    }
                    Err(why) => Progress::Failed(why),
                }
            }
            What::Expect(expecting) => self.expect(operation, expecting, started, now),
            What::All {
                peer,
                within,
                items,
            } => self.gather(operation, peer, *within, items, started, now),
            What::Wait(time) if now >= started + *time => {
                self.pass(operation, None, now - started, started);
                Progress::Done
            }
            What::Wait(time) => Progress::Do(Next::Wait(Some(started + *time))),
            What::Set { name, value } => self.set(name, value),
            What::Ignore { peer, compiled } => {
                self.ignores.push((peer.clone(), compiled.clone()));
                self.advance()
            }
            What::Repeat(count) => {
                self.rounds.push((self.at + 1, *count));
                self.advance()
            }
            What::Again => self.again(),
        }
    }

    fn advance(&mut self) -> Progress {
        self.at += 1;
        self.started = None;
        Progress::Done
    }

    fn again(&mut self) -> Progress {
        if let Some((body, left)) = self.rounds.last_mut() {
            *left -= 1;
            if *left > 0 {
                self.at = *body;
                self.started = None;
                return Progress::Done;
            }
            self.rounds.pop();
        }
        self.advance()
    }

    fn set(&mut self, name: &str, value: &Text) -> Progress {
        let template = Template::parse(&value.raw).unwrap_or_default();
        let value = match template.whole() {
            // A value on its own stays what it is.
            Some(placeholder) => self.variables.value(placeholder),
            None => template
                .render(Filling::Plain, &mut self.variables)
                .map(|rendered| Value::Text(rendered.text)),
        };
        match value.and_then(|value| self.variables.set_unless_given(name, value)) {
            Ok(()) => self.advance(),
            Err(why) => Progress::Failed(unfilled(why)),
        }
    }

    fn pass(
        &mut self,
        operation: &Operation,
        message: Option<String>,
        latency: Duration,
        started: Instant,
    ) {
        let message = message.map(|message| shortened(&message, KEPT));
        self.finish(operation, started, latency, StepResult::Passed { message });
    }

    /// A step is over.
    fn finish(
        &mut self,
        operation: &Operation,
        started: Instant,
        latency: Duration,
        result: StepResult,
    ) {
        let peer = operation.what.peer();
        let mut participants = self.participants.iter_mut();
        if let Some(participant) = participants.find(|one| one.peer == peer)
            && !matches!(operation.what, What::Wait(_))
        {
            participant.last_step = Some(operation.span);
        }
        if let Some(mut step) = self.step(operation, started, latency, result) {
            step.seen = std::mem::take(&mut self.seen);
            self.done.push(step);
        }
        self.advance();
    }

    fn fail(&mut self, operation: &Operation, failure: Failure, now: Instant) {
        let started = self.started.unwrap_or(now);
        let failure = self.redacted(operation, failure);
        let result = StepResult::Failed(Box::new(failure));
        // What is no step of its own, such as `set`, fails as one.
        let as_step = Operation {
            what: What::Wait(Duration::ZERO),
            ..*operation
        };
        let operation = match operation.what.kind() {
            Some(_) => operation,
            None => &as_step,
        };
        self.finish(operation, started, now - started, result);
        self.stop();
    }

    /// Nothing more is played.
    fn stop(&mut self) {
        self.phase = Phase::Closing;
        // Where a step failed, the rest of the conversation is of no interest.
        if !self.has_failed() {
            for id in 0..self.participants.len() {
                self.look_at_end(id);
            }
        }
    }

    /// Tells of a connection that ended in a way that nothing expects.
    fn look_at_end(&mut self, id: PeerId) {
        let participant = &mut self.participants[id];
        if let Some((code, message, hint)) = participant.unexpected_end() {
            let span = participant.last_step;
            self.trouble
                .push(self.troubled(code, span, &message, hint.as_deref()));
        }
    }

    /// Notes what came and did not end the step that is under way.
    fn saw(&mut self, arrived: &Arrived, fate: Fate) {
        if self.seen.last.len() == MOST_SIGHTS {
            self.seen.last.pop_front();
            self.seen.left_out += 1;
        } else if self.sights == MOST_SIGHTS_OF_FILE {
            self.seen.left_out += 1;
            return;
        } else {
            self.sights += 1;
        }
        self.seen.last.push_back(Sight {
            fate,
            text: shortened(
                &arrived
                    .incoming
                    .text(KEPT_OF_SIGHT, self.variables.secrets()),
                KEPT_OF_SIGHT,
            ),
            ordinal: arrived.ordinal,
            at: arrived.at.saturating_duration_since(self.began),
        });
    }

    /// Closes one peer after the other, and waits for all of them.
    fn close_next(&mut self) -> Next {
        let open = self
            .participants
            .iter()
            .position(|one| one.state == State::Open);
        if let Some(id) = open {
            self.participants[id].state = State::Closing;
            return Next::Send(
                id,
                Command::Close(Some(CloseFrame::bare(CloseCode::NORMAL))),
            );
        }
        if self.participants.iter().all(Participant::is_over) {
            self.phase = Phase::Ended;
            return Next::Done;
        }
        Next::Wait(None)
    }

    fn send(&mut self, id: PeerId, sending: &Sending, span: Span) -> Result<Command, Box<Failure>> {
        let participant = &self.participants[id];
        if participant.state != State::Open {
            let mut failure = simple(
                "",
                format!("nothing can be sent: {}", participant.end_in_words()),
            );
            failure.code = participant.end_code();
            return Err(failure);
        }
        let mut context = self.context(span);
        let command = sending::command(sending, &mut context).map_err(|why| {
            let mut failure = simple("", why);
            failure.code = ExitCode::USAGE;
            failure
        })?;
        if let Command::Close(_) = command {
            self.participants[id].state = State::Closing;
        }
        Ok(command)
    }

    /// What a text that stands there may look at.
    fn context(&mut self, span: Span) -> Context<'_> {
        Context {
            variables: &mut self.variables,
            files: &*self.settings.files,
            from: &self.program.sources[span.file].path,
        }
    }

    fn participant(&mut self, peer: &Peer) -> PeerId {
        let known = self.participants.iter().position(|one| one.peer == *peer);
        known.unwrap_or_else(|| {
            self.participants.push(Participant::new(
                peer.clone(),
                self.variables.secrets().clone(),
            ));
            self.participants.len() - 1
        })
    }
}

/// A command as it would be written after `>`.
fn shown(command: &Command, secrets: &Known) -> Option<String> {
    let incoming = match command {
        Command::Send(message) => Incoming::Message(message.clone()),
        Command::Ping(payload) => Incoming::Ping(payload.clone()),
        Command::Pong(payload) => Incoming::Pong(payload.clone()),
        Command::Close(None) => return Some("/close".into()),
        Command::Close(Some(frame)) => Incoming::Close {
            code: frame.code,
            reason: frame.reason.clone(),
        },
        Command::Frame(frame) => {
            let fin = if frame.fin { "" } else { " fin=0" };
            let bits = frame.rsv.map(|bit| if bit { '1' } else { '0' });
            let rsv = match bits.iter().collect::<String>() {
                none if none == "000" => String::new(),
                some => format!(" rsv={some}"),
            };
            let payload = match std::str::from_utf8(&frame.payload) {
                Ok("") => String::new(),
                Ok(text) if !text.contains(char::is_control) && text.trim() == text => {
                    format!(" {}", secrets.redacted(text))
                }
                _ => {
                    let digits = bytes(&frame.payload, 0, KEPT, secrets).replace(' ', "");
                    format!(" hex:{digits}")
                }
            };
            return Some(format!(
                "/frame op={}{fin}{rsv}{payload}",
                frame.opcode.value()
            ));
        }
    };
    Some(incoming.text(KEPT, secrets))
}

#[cfg(test)]
mod tests;
