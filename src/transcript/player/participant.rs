//! One peer of a run: how its connection stands, and what it got that nobody looked at yet.

use std::collections::VecDeque;
use std::time::Instant;

use super::failing::called;
use super::{Failed, Heard};
use crate::error::ExitCode;
use crate::model::close::CloseCode;
use crate::model::secret::known::Known;
use crate::transcript::incoming::Incoming;
use crate::transcript::syntax::{Peer, Span};

/// What may wait for one peer, in bytes: then nothing more is read for it.
const MAX_QUEUE: usize = 16 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It was never connected, or is about to be again.
    Absent,
    Connecting,
    Open,
    /// We sent a Close.
    Closing,
    Closed,
}

#[derive(Debug)]
pub(super) struct Participant {
    pub peer: Peer,
    pub state: State,
    /// The `connect` that led here has not looked at it yet.
    pub fresh: bool,
    /// The last line that was about it.
    pub last_step: Option<Span>,
    /// How the handshake was refused.
    pub refused: Option<(u16, String)>,
    /// Why the connection failed: it could not be opened, the protocol was broken.
    pub failure: Option<Failed>,
    /// What may not be in words.
    secrets: Known,
    queue: VecDeque<Arrived>,
    /// Bytes in `queue`.
    held: usize,
    messages: u64,
    end: Option<End>,
}

/// Something that came.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub incoming: Incoming,
    /// The number of a message, from 1.
    pub ordinal: Option<u64>,
    pub at: Instant,
}

/// How a connection ended.
#[derive(Debug, Clone)]
struct End {
    code: CloseCode,
    words: String,
    by_us: bool,
    /// An expectation looked at it.
    seen: bool,
}

impl Participant {
    pub(super) fn new(peer: Peer, secrets: Known) -> Self {
        Self {
            peer,
            state: State::Absent,
            fresh: true,
            last_step: None,
            refused: None,
            failure: None,
            secrets,
            queue: VecDeque::new(),
            held: 0,
            messages: 0,
            end: None,
        }
    }

    /// Makes it ready for another `connect`; messages are still counted on.
    pub(super) fn reset(&mut self) {
        let messages = self.messages;
        *self = Self::new(
            std::mem::take(&mut self.peer),
            std::mem::take(&mut self.secrets),
        );
        self.messages = messages;
    }

    pub(super) fn heard(&mut self, heard: Heard, hears_control: bool, now: Instant) {
        match heard {
            Heard::Opened => self.state = State::Open,
            Heard::Refused { status, reason } => self.refused = Some((status, reason)),
            Heard::Failed(failed) => {
                if self.state == State::Connecting {
                    self.state = State::Closed;
                }
                self.failure.get_or_insert(failed);
            }
            Heard::Message(message) => {
                self.messages += 1;
                self.push(Incoming::Message(message), Some(self.messages), now);
            }
            Heard::Ping(payload) if hears_control => self.push(Incoming::Ping(payload), None, now),
            Heard::Pong(payload) if hears_control => self.push(Incoming::Pong(payload), None, now),
            Heard::Ping(_) | Heard::Pong(_) => {}
            Heard::Closed {
                code,
                reason,
                by_us,
            } => {
                self.state = State::Closed;
                let incoming = Incoming::Close { code, reason };
                self.end = Some(End {
                    code,
                    words: incoming.words(&self.secrets),
                    by_us,
                    seen: false,
                });
                self.push(incoming, None, now);
            }
        }
    }

    pub(super) fn push(&mut self, incoming: Incoming, ordinal: Option<u64>, at: Instant) {
        self.held += incoming.size();
        self.queue.push_back(Arrived {
            incoming,
            ordinal,
            at,
        });
    }

    pub(super) fn next(&mut self) -> Option<Arrived> {
        let arrived = self.queue.pop_front()?;
        self.held -= arrived.incoming.size();
        if let (Incoming::Close { .. }, Some(end)) = (&arrived.incoming, &mut self.end) {
            end.seen = true;
        }
        Some(arrived)
    }

    pub(super) fn put_back(&mut self, arrived: Arrived) {
        self.held += arrived.incoming.size();
        self.queue.push_front(arrived);
    }

    pub(super) const fn has_room(&self) -> bool {
        self.held < MAX_QUEUE
    }

    /// Whether nothing more can come.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Absent | State::Closed)
    }

    /// How it ended, where something else was expected.
    pub(super) fn end_in_words(&self) -> String {
        match (&self.end, &self.failure, self.state) {
            (Some(end), _, _) => format!("there was {}", end.words),
            (None, Some(failure), _) => failure.message.clone(),
            (None, None, State::Closing) => "the connection is being closed".into(),
            (None, None, _) => "there is no connection".into(),
        }
    }

    /// The exit code of an end that nobody expected.
    pub(super) fn end_code(&self) -> ExitCode {
        match (&self.failure, &self.end) {
            (Some(failure), _) => failure.code,
            (None, Some(end)) if !end.code.is_ordinary() && !end.by_us => ExitCode::CLOSED,
            _ => ExitCode::NOT_MET,
        }
    }

    /// What is known of why it ended.
    pub(super) fn why(&self) -> Option<String> {
        self.failure.as_ref().map(|failure| failure.message.clone())
    }

    /// The end of the connection, where it is a failure that no expectation looked at: its exit code,
    /// a sentence, and what to try.
    pub(super) fn unexpected_end(&mut self) -> Option<(ExitCode, String, Option<String>)> {
        let end = self.end.take();
        if end.as_ref().is_some_and(|end| end.seen) {
            return None;
        }
        let end = end.filter(|end| !end.by_us);
        let who = called(&self.peer);
        match (end, self.failure.take()) {
            (_, Some(failure)) => Some((
                failure.code,
                format!("after this {who} has no connection: {}", failure.message),
                failure.hint,
            )),
            (Some(end), None) if !end.code.is_ordinary() => Some((
                ExitCode::CLOSED,
                format!("after this {who} got {}, which nothing expects", end.words),
                Some(format!(
                    "where that is right, the next line says: {}< /close {}",
                    self.peer, end.code
                )),
            )),
            _ => None,
        }
    }
}
