//! What a thread knows of one connection.

use std::io::{self, Read as _, Write as _};
use std::time::{Duration, Instant};

use super::super::failure::Failure;
use super::super::figures::ClosedBy;
use super::super::slow::Trickle;
use super::super::user::User;
use super::{KEEP, is_later};
use crate::wire::nonblocking::Socket;
use crate::wire::upgrade::{Answer, Handshake};

/// A place for one connection at a time.
#[derive(Debug)]
pub(super) struct Slot {
    /// From 1 over all threads.
    pub number: u64,
    /// How many connections were here, so that timers of earlier ones are known.
    pub generation: u32,
    /// The last one was lost: the next is a reconnect.
    pub was_lost: bool,
    /// A storm has dropped it, and it is not back yet.
    pub dropped: bool,
    pub state: State,
}

#[derive(Debug)]
pub(super) enum State {
    Idle,
    /// Being opened by somebody else.
    Opening,
    Connecting(Box<Connecting>),
    Open(Box<Open>),
}

/// An opening under way.
#[derive(Debug)]
pub(super) struct Connecting {
    pub socket: Socket,
    pub begun: Instant,
    /// When TCP was connected.
    pub connected: Option<Instant>,
    /// What is left of the request.
    pub unsent: Vec<u8>,
    pub handshake: Handshake,
}

/// An open connection, or one that is closing.
#[derive(Debug)]
pub(super) struct Open {
    pub socket: Socket,
    pub user: User,
    /// What the socket did not take yet.
    pub unwritten: Vec<u8>,
    /// Since when it takes nothing.
    pub stalled: Option<Instant>,
    pub closing: Option<Closing>,
    /// A write was told that the peer had cut TCP off. The system says so once: what is read after
    /// that looks like its end.
    pub was_reset: bool,
    /// It reads at its own pace.
    pub trickle: Option<Trickle>,
    /// Where it stands among those that are open, and among those on which messages are sent.
    pub place: usize,
    pub speaking: Option<usize>,
}

/// A closing handshake.
#[derive(Debug)]
pub(super) struct Closing {
    pub by: ClosedBy,
    pub code: u16,
    pub reason: Option<String>,
    /// Both Closes are there; the server ends TCP.
    pub answered: bool,
    pub deadline: Instant,
}

impl Slot {
    pub(super) const fn new(number: u64) -> Self {
        Self {
            number,
            generation: 0,
            was_lost: false,
            dropped: false,
            state: State::Idle,
        }
    }

    pub(super) fn may_send(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.closing.is_none())
    }
}

impl Connecting {
    /// Does what can be done now; the server's answer once it is there.
    pub(super) fn go_on(
        &mut self,
        buffer: &mut [u8],
        now: Instant,
    ) -> Result<Option<Answer>, Failure> {
        if self.connected.is_none() {
            match self.socket.connected() {
                Ok(true) => self.connected = Some(now),
                Ok(false) => return Ok(None),
                Err(cause) => return Err(Failure::connect(&cause)),
            }
        }
        let dropped = |cause: &io::Error| Failure::new("handshake", "dropped", cause.to_string());
        if !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(cause) if is_later(&cause) => {}
                Err(cause) => return Err(dropped(&cause)),
            }
        }
        loop {
            let read = match self.socket.read(buffer) {
                Ok(0) => {
                    let sample = "the server closed the connection";
                    return Err(Failure::new("handshake", "dropped", sample));
                }
                Ok(count) => count,
                Err(cause) if is_later(&cause) => return Ok(None),
                Err(cause) => return Err(dropped(&cause)),
            };
            match self.handshake.take(&buffer[..read]) {
                Ok(None) => {}
                Ok(answer) => return Ok(answer),
                Err(error) => return Err(Failure::opening(&error, b"")),
            }
        }
    }

    /// How long TCP, the upgrade and both took.
    pub(super) fn took(&self, now: Instant) -> (Duration, Duration, Duration) {
        let connected = self.connected.unwrap_or(now);
        (connected - self.begun, now - connected, now - self.begun)
    }

    pub(super) fn timed_out(&self) -> Failure {
        let (phase, sample) = match self.connected {
            None => ("connect", "TCP was not connected in time"),
            Some(_) => ("handshake", "the handshake was not answered in time"),
        };
        Failure::new(phase, "timeout", sample)
    }
}

impl Open {
    /// Remembers why nothing can be written any more. EPIPE alone is no reset: the peer's FIN came before.
    pub(super) fn write_failed(&mut self, cause: &io::Error) {
        self.was_reset |= cause.kind() == io::ErrorKind::ConnectionReset;
    }

    /// Writes what waits; how long the socket was full, once it has taken everything.
    pub(super) fn write_pending(&mut self, now: Instant) -> io::Result<Option<Duration>> {
        // TLS may have kept what the socket did not take.
        match self.socket.flush() {
            Err(cause) if !is_later(&cause) => {
                self.write_failed(&cause);
                return Err(cause);
            }
            _ => {}
        }
        while !self.unwritten.is_empty() {
            match self.socket.write(&self.unwritten) {
                Ok(count) => drop(self.unwritten.drain(..count)),
                Err(cause) if is_later(&cause) => {
                    self.stalled.get_or_insert(now);
                    return Ok(None);
                }
                Err(cause) => {
                    self.unwritten.clear();
                    self.write_failed(&cause);
                    return Err(cause);
                }
            }
        }
        self.unwritten.shrink_to(KEEP);
        Ok(self.stalled.take().map(|since| now - since))
    }
}
