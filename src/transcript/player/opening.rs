//! `connect`: opens a connection, or sees it refused as the next line expects.

use std::time::{Duration, Instant};

use super::failing::{called, simple, unfilled};
use super::participant::State;
use super::{Next, PeerId, Player, Progress};
use crate::transcript::incoming::Incoming;
use crate::transcript::outcome::Failure;
use crate::transcript::program::{Operation, What};
use crate::transcript::syntax::{Connect, Peer, Text};
use crate::transcript::template::{Filling, Template};

/// What a `connect` asks for; what it leaves open is the driver's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub url: String,
    /// `NAME: VALUE` each.
    pub headers: Vec<String>,
    pub subprotocols: Vec<String>,
    pub origin: Option<String>,
    pub timeout: Option<Duration>,
    pub compress: Option<bool>,
    pub insecure: bool,
}

impl Player {
    pub(super) fn connect(
        &mut self,
        operation: &Operation,
        connect: &Connect,
        started: Instant,
        now: Instant,
    ) -> Progress {
        let id = self.participant(&connect.peer);
        match self.participants[id].state {
            State::Connecting => Progress::Do(Next::Wait(None)),
            State::Absent => match self.opening(connect) {
                Ok(opening) => {
                    self.participants[id].state = State::Connecting;
                    Progress::Do(Next::Open(id, Box::new(opening)))
                }
                Err(why) => Progress::Failed(why),
            },
            State::Open | State::Closing if !self.participants[id].fresh => {
                let who = called(&connect.peer);
                let mut failure = simple(
                    format!("{who} to be closed before it connects again"),
                    "an open connection",
                );
                failure.hint = Some(format!(
                    "{}> /close 1000, then {}< /close",
                    connect.peer, connect.peer
                ));
                Progress::Failed(failure)
            }
            State::Open | State::Closing => {
                self.participants[id].fresh = false;
                if self.refusal_follows(&connect.peer) {
                    self.participants[id].push(Incoming::Opened, None, now);
                }
                self.pass(operation, Some("101".into()), now - started, started);
                Progress::Done
            }
            State::Closed if self.participants[id].fresh => {
                self.not_opened(id, operation, connect, started, now)
            }
            State::Closed => {
                self.look_at_end(id);
                if self.trouble.is_empty() {
                    self.participants[id].reset();
                } else {
                    self.stop();
                }
                Progress::Done
            }
        }
    }

    /// The opening failed, which is right where the next line expects a refusal.
    pub(super) fn not_opened(
        &mut self,
        id: PeerId,
        operation: &Operation,
        connect: &Connect,
        started: Instant,
        now: Instant,
    ) -> Progress {
        let participant = &mut self.participants[id];
        participant.fresh = false;
        let refused = participant.refused.take();
        if let Some((status, reason)) = refused
            && self.refusal_follows(&connect.peer)
        {
            let participant = &mut self.participants[id];
            participant.failure = None;
            participant.push(Incoming::Refused { status, reason }, None, now);
            self.pass(operation, Some(status.to_string()), now - started, started);
            return Progress::Done;
        }
        let failed = self.participants[id].failure.take();
        let mut failure = simple("", "there is no connection");
        if let Some(failed) = failed {
            failure.code = failed.code;
            failure.got = failed.message;
            failure.hint = failed.hint;
        }
        Progress::Failed(failure)
    }

    /// Whether the next operation expects the handshake of this peer to be refused.
    pub(super) fn refusal_follows(&self, peer: &Peer) -> bool {
        match self
            .program
            .operations
            .get(self.at + 1)
            .map(|next| &next.what)
        {
            Some(What::Expect(next)) => {
                next.peer == *peer && next.compiled.test.is_about_handshake()
            }
            _ => false,
        }
    }

    pub(super) fn opening(&mut self, connect: &Connect) -> Result<Opening, Box<Failure>> {
        let modifiers = &connect.modifiers;
        Ok(Opening {
            url: self.filled(&connect.url)?,
            headers: self.all_filled(&modifiers.headers)?,
            subprotocols: self.all_filled(&modifiers.subprotocols)?,
            origin: modifiers
                .origin
                .as_ref()
                .map(|text| self.filled(text))
                .transpose()?,
            timeout: modifiers.timeout,
            compress: modifiers.compress,
            insecure: modifiers.insecure,
        })
    }

    pub(super) fn all_filled(&mut self, texts: &[Text]) -> Result<Vec<String>, Box<Failure>> {
        texts.iter().map(|text| self.filled(text)).collect()
    }

    pub(super) fn filled(&mut self, text: &Text) -> Result<String, Box<Failure>> {
        let template = Template::parse(&text.raw).unwrap_or_default();
        let rendered = template.render(Filling::Plain, &mut self.variables);
        rendered.map(|rendered| rendered.text).map_err(unfilled)
    }
}
