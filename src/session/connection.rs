//! Drives one open engine on its stream, in either role: read, write, heartbeat, close.
//!
//! A [`Connection`] is pulled: [`Connection::poll_next`] reads, writes and watches the clock until
//! something happened. Reading and writing share one task, so that two echoing sides cannot
//! deadlock. Bytes are read into a buffer that all connections of a thread share.

mod clock;
mod end;
mod traffic;

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;

use super::closing::{CLOSE_TIMEOUT, Ending, Phase};
use super::keepalive::{Heartbeat, Keepalive, Pings};
use super::link::Link;
use crate::model::close::CloseFrame;
use crate::model::command::Command;
use crate::model::event::{ClosedBy, What};
use crate::model::state::ReadyState;
use crate::protocol::deflate::Agreed;
use crate::protocol::engine::{Config, Engine, Role, SendError, Sent};

/// The largest message that is accepted unless told otherwise.
pub const DEFAULT_MAX_MESSAGE_SIZE: usize = 64 << 20;

/// Bytes of answers that a peer may leave unread before whoever echoes reads nothing more from it.
/// Not less, for a peer may well write several large messages before it reads.
pub const MOST_UNREAD: usize = 16 << 20;

const READ_BUFFER: usize = 64 * 1024;
/// Bytes in the out queue above which no more data messages are taken.
const OUT_QUEUE: usize = 1 << 20;

/// How one connection behaves, in either role.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The largest message that is accepted, in bytes.
    pub max_message_size: usize,
    /// Answer pings.
    pub auto_pong: bool,
    /// Tell of every frame, not only of messages.
    pub report_frames: bool,
    pub heartbeat: Option<Heartbeat>,
    /// How long the peer may take nothing while messages wait for it; then it is given up like a ghost.
    pub stall: Option<Duration>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            auto_pong: true,
            report_frames: false,
            heartbeat: None,
            stall: None,
        }
    }
}

/// One connection that is OPEN, CLOSING or CLOSED.
pub struct Connection<S> {
    link: Link<S>,
    role: Role,
    engine: Engine,
    phase: Phase,
    keepalive: Option<Keepalive>,
    stall: Option<Duration>,
    pings: Pings,
    timer: Option<Pin<Box<Sleep>>>,
    /// What was read and not looked at yet: each thing that happened is told, and can be
    /// answered, before the next one is looked at.
    unread: Bytes,
    /// The engine may have more to tell, from `unread` or from what it consumed.
    looking: bool,
    pending: VecDeque<What>,
    last_traffic: Instant,
    reading: bool,
    /// Nothing is read because answers wait for room.
    waiting: bool,
    /// Whether nothing has come yet since the opening handshake.
    fresh: bool,
    /// How long TCP stays open after both Close frames, where it is not to end at once.
    held_end: Option<Duration>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Takes over a stream after its opening handshake, which agreed on `deflate`; `read_ahead` are
    /// bytes that came behind it.
    pub fn new(
        stream: S,
        role: Role,
        plan: &Plan,
        deflate: Option<Agreed>,
        read_ahead: &[u8],
    ) -> Self {
        let now = Instant::now();
        let config = Config {
            role,
            max_message_size: plan.max_message_size,
            auto_pong: plan.auto_pong,
            report_frames: plan.report_frames,
            max_queued: OUT_QUEUE,
            deflate,
        };
        Self {
            link: Link::new(stream),
            role,
            engine: Engine::new(config, rand::random()),
            phase: Phase::Open,
            keepalive: plan
                .heartbeat
                .clone()
                .map(|heartbeat| Keepalive::new(heartbeat, now)),
            stall: plan.stall,
            pings: Pings::default(),
            timer: None,
            looking: !read_ahead.is_empty(),
            unread: Bytes::copy_from_slice(read_ahead),
            pending: VecDeque::new(),
            last_traffic: now,
            reading: true,
            waiting: false,
            fresh: true,
            held_end: None,
        }
    }

    /// The next thing that happened; `None` after the connection has ended and its socket may be
    /// dropped.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<What>> {
        loop {
            if let Some(what) = self.pending.pop_front() {
                if self.pending.is_empty() {
                    // Who is idle holds room for one thing that happens, and no more.
                    self.pending.shrink_to(1);
                }
                return Poll::Ready(Some(what));
            }
            if matches!(self.phase, Phase::Ended) {
                // Where the peer ended first our side says goodbye too, as far as that goes at once.
                self.link.shut_down(cx);
                return Poll::Ready(None);
            }
            // What a server's peer sent in one go is answered in one go, but for large messages.
            let little_waits = self.engine.held() <= READ_BUFFER;
            if self.role == Role::Server && little_waits && self.take_in_rest() {
                continue;
            }
            let written = self.poll_write(cx).is_ready();
            if written && !self.pending.is_empty() {
                // A message that left is told, and let go, before one that may be as large is read.
                continue;
            }
            let moved = written
                | (self.take_in_rest() || self.poll_read(cx).is_ready())
                | self.poll_timer(cx).is_ready();
            self.advance_closing(cx);
            if !moved && self.pending.is_empty() && !matches!(self.phase, Phase::Ended) {
                return Poll::Pending;
            }
        }
    }

    /// Hands a command over.
    ///
    /// # Errors
    /// [`SendError`]: nothing was queued.
    pub fn send(&mut self, command: Command) -> Result<(), SendError> {
        let now = Instant::now();
        match command {
            Command::Close(frame) => self.close(frame, ClosedBy::Us, CLOSE_TIMEOUT, now),
            Command::Ping(payload) => {
                self.engine.send(Command::Ping(payload.clone()))?;
                self.pings.sent(payload, now);
                Ok(())
            }
            other => {
                self.engine.send(other)?;
                if self.engine.close_queued() && self.is_open() {
                    self.begin_closing(ClosedBy::Us, None, false, now + CLOSE_TIMEOUT);
                }
                Ok(())
            }
        }
    }

    /// Gives the closing handshake that is under way so long at most.
    pub fn hurry(&mut self, patience: Duration) {
        if let Phase::Closing { deadline, .. } | Phase::Draining { deadline, .. } = &mut self.phase
        {
            *deadline = (*deadline).min(Instant::now() + patience);
        }
    }

    /// Gives the closing handshake that is under way exactly so long from now.
    pub fn close_within(&mut self, patience: Duration) {
        if let Phase::Closing { deadline, .. } = &mut self.phase {
            *deadline = Instant::now() + patience;
        }
    }

    /// Queues a frame that was encoded once for many peers.
    ///
    /// # Errors
    /// [`SendError`]: nothing was queued.
    pub fn send_encoded(&mut self, frame: Bytes) -> Result<(), SendError> {
        self.engine.send_encoded(frame)
    }

    /// Writes frames that were encoded for many straight to the stream, which costs less than to queue
    /// them; how many bytes of them it took. It takes none where something is ahead of them, or where
    /// they are not to leave as they are. Nothing is told of them.
    pub fn write_encoded<'a>(&mut self, frames: impl Iterator<Item = &'a Bytes>) -> usize {
        if !self.is_idle() || !self.engine.sends_encoded_as_they_are() {
            return 0;
        }
        let count = self.link.write_together(frames);
        if count > 0 {
            self.last_traffic = Instant::now();
        }
        count
    }

    /// Goes on with a frame of which [`Self::write_encoded`] wrote so many bytes.
    pub fn send_rest(&mut self, frame: Bytes, written: usize) {
        // Nothing was ahead of it, so that it is not refused.
        if self.engine.send_encoded(frame).is_ok() {
            self.engine.written(written);
        }
    }

    /// Queues bytes as they are, in turn with the messages and whatever the bound; `sent` is what is
    /// told when they left. What tells a Close begins the closing handshake, or takes the place of a
    /// Close that has not begun to leave.
    ///
    /// # Errors
    /// [`SendError::Closing`]: nothing was queued.
    pub fn send_bytes(&mut self, bytes: Bytes, sent: Option<Sent>) -> Result<(), SendError> {
        self.engine.send_bytes(bytes, sent)?;
        if self.engine.close_queued() && self.is_open() {
            let deadline = Instant::now() + CLOSE_TIMEOUT;
            self.begin_closing(ClosedBy::Us, None, false, deadline);
        }
        Ok(())
    }

    /// From the next message on, the largest that is accepted, in bytes.
    pub fn set_max_message_size(&mut self, size: usize) {
        self.engine.set_max_message_size(size);
    }

    /// From now on pings are not answered.
    pub fn withhold_pongs(&mut self) {
        self.engine.withhold_pongs();
    }

    /// From now on there is no heartbeat.
    pub fn withhold_pings(&mut self) {
        self.keepalive = None;
    }

    /// From now on a Close of the peer is not answered, and it is for the peer to end TCP.
    pub fn withhold_close(&mut self) {
        self.engine.withhold_close();
    }

    /// What was read and not told yet is not looked at any more.
    pub fn forget_unread(&mut self) {
        self.unread = Bytes::new();
        self.looking = false;
    }

    /// TCP is to stay open so long after both Close frames, unless the peer ends it.
    pub fn hold_end(&mut self, time: Duration) {
        self.held_end = Some(time);
    }

    /// Whether data is taken now: the connection is open and its out queue below its bound.
    pub fn can_send(&self) -> bool {
        self.is_open() && self.engine.has_room()
    }

    /// Writes what can leave at once, for a caller who is not the task that polls; whether nothing
    /// is left for that task to do. Where something is, the task has to be woken.
    pub fn write_now(&mut self) -> bool {
        if !self.is_open() {
            return false;
        }
        let mut cx = Context::from_waker(Waker::noop());
        while self.engine.has_to_write() && self.poll_write(&mut cx).is_ready() {}
        !self.engine.has_to_write() && self.link.is_flushed() && !self.is_broken()
    }

    /// What left whole, where it would be the next thing that [`Self::poll_next`] tells.
    pub fn next_sent(&mut self) -> Option<What> {
        if !self.pending.front()?.is_sent() {
            return None;
        }
        self.pending.pop_front()
    }

    /// Whether neither side has begun to close it.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Whether there may be more to tell of what was read already.
    pub fn has_unread(&self) -> bool {
        self.looking
    }

    /// What waits to be written, in bytes of memory.
    pub fn held(&self) -> usize {
        self.engine.held()
    }

    /// Stops or resumes reading, where what was read cannot be passed on. Writing goes on. Meanwhile
    /// no answer to a heartbeat is missed, but for that of a peer that does not read either.
    pub fn set_reading(&mut self, reading: bool) {
        if reading
            && !self.reading
            && let Some(keepalive) = &mut self.keepalive
        {
            keepalive.resume(Instant::now());
        }
        self.reading = reading;
    }

    /// Stops reading while answers to what was read wait for room, or resumes it. That is for the
    /// peer to end: the time for its answers to heartbeats runs on.
    pub fn set_waiting(&mut self, waiting: bool) {
        self.waiting = waiting;
    }

    /// Whether nothing more can be written: answers will not leave.
    pub fn is_broken(&self) -> bool {
        self.link.is_write_over()
    }

    /// Whether it is open and nothing waits to be written or told.
    pub fn is_idle(&self) -> bool {
        self.is_open()
            && !self.link.is_write_over()
            && !self.engine.has_to_write()
            && self.link.is_flushed()
            && self.pending.is_empty()
    }

    fn close(
        &mut self,
        frame: Option<CloseFrame>,
        by: ClosedBy,
        timeout: Duration,
        now: Instant,
    ) -> Result<(), SendError> {
        self.engine.send(Command::Close(frame.clone()))?;
        self.begin_closing(by, frame, false, now + timeout);
        Ok(())
    }

    fn begin_closing(
        &mut self,
        by: ClosedBy,
        frame: Option<CloseFrame>,
        one_sided: bool,
        deadline: Instant,
    ) {
        let end = Ending {
            by,
            frame,
            illegal: None,
            one_sided,
        };
        self.phase = Phase::Closing { deadline, end };
        self.pending.push_back(What::State(ReadyState::Closing));
    }
}
