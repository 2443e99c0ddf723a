//! Drives one open engine on its stream, in either role: read, write, heartbeat, close.
//!
//! A [`Connection`] is pulled: [`Connection::poll_next`] reads, writes and watches the clock until
//! something happened. Reading and writing share one task, so that two echoing sides cannot
//! deadlock. Bytes are read into a buffer that all connections of a thread share.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::closing::{self, CLOSE_TIMEOUT, Ending, GHOST_TIMEOUT, Phase, WITHHELD_CLOSE_TIMEOUT};
use super::keepalive::{Beat, Heartbeat, Keepalive, Pings};
use super::late_answer::late_answer;
use super::link::Link;
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::event::{ClosedBy, Direction, Problem, What};
use crate::model::state::ReadyState;
use crate::model::units::{show_duration, show_size};
use crate::protocol::deflate::Agreed;
use crate::protocol::engine::{Config, Engine, Incoming, Role, SendError, Sent, Violation};

/// The largest message that is accepted unless told otherwise.
pub const DEFAULT_MAX_MESSAGE_SIZE: usize = 64 << 20;

/// Bytes of answers that a peer may leave unread before whoever echoes reads nothing more from it.
/// Not less, for a peer may well write several large messages before it reads.
pub const MOST_UNREAD: usize = 16 << 20;

const READ_BUFFER: usize = 64 * 1024;
/// Bytes in the out queue above which no more data messages are taken.
const OUT_QUEUE: usize = 1 << 20;

thread_local! {
    /// What all connections of a thread read into: an idle connection holds no buffer.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BUFFER].into_boxed_slice());
}

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

    // --- bytes -----------------------------------------------------------------------------

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.link.poll_write(cx, &mut self.engine));
        let mut now = None;
        while let Some(sent) = self.engine.next_sent() {
            self.left(sent, *now.get_or_insert_with(Instant::now));
        }
        Poll::Ready(())
    }

    fn left(&mut self, sent: Sent, now: Instant) {
        let dir = Direction::Out;
        let what = match sent {
            Sent::Frame(frame) => {
                self.pending.push_back(What::Frame { dir, frame });
                return;
            }
            Sent::Message { message, wire } => What::Message {
                dir,
                message,
                frames: 1,
                wire,
                json: None,
            },
            Sent::Ping(payload) => What::Ping { dir, payload },
            Sent::Pong(payload) => What::Pong {
                dir,
                payload,
                rtt: None,
            },
            Sent::Close(frame) => return self.our_close_left(frame),
        };
        self.last_traffic = now;
        self.pending.push_back(what);
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let draining = matches!(self.phase, Phase::Draining { .. });
        if (!self.reads() || self.looking) && !draining {
            return Poll::Pending;
        }
        READ.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            let read = ready!(self.link.poll_read(cx, &mut buffer));
            let now = Instant::now();
            match read {
                Ok(()) if buffer.filled().is_empty() => self.ended_by_transport(None, now),
                Ok(()) => self.take_in(buffer.filled(), now),
                Err(cause) => self.ended_by_transport(Some(&cause), now),
            }
            Poll::Ready(())
        })
    }

    /// Whether what comes is looked at. Who waits for room where nothing can be written any more
    /// would wait for ever, and the end is found by reading.
    fn reads(&self) -> bool {
        self.reading && (!self.waiting || self.link.is_write_over())
    }

    /// Takes what was read, up to the next thing that happened; the rest waits.
    fn take_in(&mut self, mut input: &[u8], now: Instant) {
        if let Phase::Draining { .. } = self.phase {
            return self.phase.discard(input.len());
        }
        self.looking = self.look(&mut input, now);
        self.unread = Bytes::copy_from_slice(input);
        if !self.looking {
            // Part of a message came: the peer is no ghost.
            self.last_traffic = now;
            if let Some(keepalive) = &mut self.keepalive {
                keepalive.progress(now);
            }
        }
    }

    /// Goes on with what waits from the last read; whether something happened.
    fn take_in_rest(&mut self) -> bool {
        if !self.looking || !self.reads() {
            return false;
        }
        let unread = std::mem::take(&mut self.unread);
        let mut rest = &unread[..];
        self.looking = self.look(&mut rest, Instant::now());
        self.unread = unread.slice(unread.len() - rest.len()..);
        self.looking
    }

    fn look(&mut self, input: &mut &[u8], now: Instant) -> bool {
        let first = std::mem::take(&mut self.fresh).then_some(*input);
        let Some(incoming) = self.engine.next(input) else {
            return false;
        };
        let late = first
            .filter(|_| self.role == Role::Client)
            .and_then(late_answer);
        match (incoming, late) {
            (Incoming::Violation(violation), Some(answer)) => {
                self.violated(&violation, answer, now);
            }
            (incoming, _) => self.came(incoming, now),
        }
        true
    }

    fn came(&mut self, incoming: Incoming, now: Instant) {
        let dir = Direction::In;
        let what = match incoming {
            Incoming::Frame(frame) => {
                self.pending.push_back(What::Frame { dir, frame });
                return;
            }
            Incoming::Close(frame) => return self.peer_closed(frame, now),
            Incoming::Violation(violation) => {
                let rule = &violation.rule;
                let (message, hint) = if violation.code == CloseCode::TOO_BIG {
                    let hint = "--max-message-size allows more".to_owned();
                    (format!("the peer sent {rule}"), Some(hint))
                } else {
                    (format!("the peer broke the protocol: {rule}"), None)
                };
                let problem = Problem {
                    kind: "protocol",
                    message,
                    hint,
                };
                return self.violated(&violation, problem, now);
            }
            Incoming::Message {
                message,
                frames,
                wire,
            } => {
                if let Some(keepalive) = &mut self.keepalive {
                    keepalive.message(&message, now);
                }
                What::Message {
                    dir,
                    message,
                    frames,
                    wire,
                    json: None,
                }
            }
            Incoming::Ping(payload) => What::Ping { dir, payload },
            Incoming::Pong(payload) => {
                if let Some(keepalive) = &mut self.keepalive {
                    keepalive.pong(&payload, now);
                }
                let rtt = self.pings.pong(&payload, now);
                What::Pong { dir, payload, rtt }
            }
        };
        self.last_traffic = now;
        self.pending.push_back(what);
    }

    // --- the end ---------------------------------------------------------------------------

    /// What a raw Close frame says is known only now; the peer's answer decides where it is there.
    fn our_close_left(&mut self, frame: Option<CloseFrame>) {
        if let Phase::Closing { end, .. } = &mut self.phase
            && end.by == ClosedBy::Us
            && end.frame.is_none()
            && !self.engine.close_received()
        {
            end.frame = frame;
        }
    }

    fn peer_closed(&mut self, frame: Option<CloseFrame>, now: Instant) {
        match &mut self.phase {
            Phase::Open => {
                let timeout = if self.engine.answers_close() {
                    CLOSE_TIMEOUT
                } else {
                    WITHHELD_CLOSE_TIMEOUT
                };
                self.begin_closing(ClosedBy::Peer, frame, false, now + timeout);
            }
            Phase::Closing { end, .. } => end.answered_with(frame),
            Phase::Draining { .. } | Phase::Ended => {}
        }
    }

    fn violated(&mut self, violation: &Violation, problem: Problem, now: Instant) {
        self.pending.push_back(What::Error(Box::new(problem)));
        if self.is_open() {
            self.begin_closing(ClosedBy::Us, None, true, now + CLOSE_TIMEOUT);
        }
        if let Phase::Closing { end, .. } = &mut self.phase {
            end.frame = Some(CloseFrame::bare(violation.code));
            end.illegal = violation.received;
            end.one_sided = true;
        }
    }

    fn ended_by_transport(&mut self, cause: Option<&io::Error>, now: Instant) {
        match &self.phase {
            Phase::Open => {
                if let Some(cause) = cause {
                    self.pending.push_back(What::Error(Box::new(Problem {
                        kind: "closed",
                        message: format!(
                            "the connection broke: {}",
                            crate::error::cause_text(cause)
                        ),
                        hint: None,
                    })));
                }
                self.tell_end(now, None);
            }
            Phase::Closing { end, .. } => {
                let end = end.clone();
                self.tell_end(now, Some(&end));
            }
            Phase::Draining { .. } | Phase::Ended => {}
        }
        self.phase = Phase::Ended;
    }

    /// Moves on once the Close frames that are waited for have gone.
    fn advance_closing(&mut self, cx: &mut Context<'_>) {
        let Phase::Closing { end, .. } = &self.phase else {
            return;
        };
        let ours_went = self.engine.close_sent() || self.link.is_write_over();
        if !ours_went || !(end.one_sided || self.engine.close_received()) {
            return;
        }
        let (end, now) = (end.clone(), Instant::now());
        self.tell_end(now, Some(&end));
        self.phase = end.linger(self.role, now);
        if let (Some(time), Phase::Draining { deadline, .. }) = (self.held_end, &mut self.phase) {
            *deadline = now + time;
        } else if !end.waits_for_server(self.role) {
            self.link.shut_down(cx);
        }
        self.timer = None;
    }

    fn tell_end(&mut self, now: Instant, end: Option<&Ending>) {
        let answered = self.engine.close_sent() && self.engine.close_received();
        let idle = now.saturating_duration_since(self.last_traffic);
        let unsent = self.engine.unsent();
        let close = match end {
            Some(end) => end.account(answered, idle, unsent),
            None => closing::dropped(idle, unsent),
        };
        self.pending.push_back(What::State(ReadyState::Closed));
        self.pending.push_back(What::Close(Box::new(close)));
    }

    // --- time ------------------------------------------------------------------------------

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline() else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        if timer.deadline() != deadline.into() {
            timer.as_mut().reset(deadline.into());
        }
        ready!(timer.as_mut().poll(cx));
        self.timer = None;
        self.due(Instant::now());
        Poll::Ready(())
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Open => self.beats_at().into_iter().chain(self.stalls_at()).min(),
            Phase::Closing { deadline, .. } | Phase::Draining { deadline, .. } => Some(*deadline),
            Phase::Ended => None,
        }
    }

    /// When the heartbeat has something to do.
    fn beats_at(&self) -> Option<Instant> {
        let keepalive = self.keepalive.as_ref()?;
        if self.reading {
            Some(keepalive.deadline())
        } else {
            keepalive.deadline_unread(self.link.blocked())
        }
    }

    /// When the peer is given up unless it takes something before. That it does not read the answers
    /// to its pings keeps nobody waiting.
    fn stalls_at(&self) -> Option<Instant> {
        let (since, stall) = self.link.blocked().zip(self.stall)?;
        (self.engine.unsent() > 0).then(|| since + stall)
    }

    fn due(&mut self, now: Instant) {
        match &self.phase {
            Phase::Open if self.stalls_at().is_some_and(|at| at <= now) => self.stalled(now),
            Phase::Open if self.beats_at().is_some_and(|at| at <= now) => self.beat(now),
            Phase::Open => {}
            Phase::Closing { end, .. } => {
                let end = end.clone();
                self.tell_end(now, Some(&end));
                self.phase = Phase::Ended;
            }
            Phase::Draining { .. } => self.phase = Phase::Ended,
            Phase::Ended => {}
        }
    }

    fn beat(&mut self, now: Instant) {
        let Some(keepalive) = &mut self.keepalive else {
            return;
        };
        match keepalive.poll(now) {
            // A full queue means that the peer does not read: its silence will show.
            Some(Beat::Ping(payload)) => {
                self.pings.sent(payload.clone(), now);
                let _ = self.engine.heartbeat(payload);
            }
            Some(Beat::Send(message)) => {
                let _ = self.send(Command::Send(message));
            }
            Some(Beat::Dead) => {
                let problem = Problem {
                    kind: "timeout",
                    message: format!(
                        "no answer to the heartbeat within {}",
                        show_duration(keepalive.timeout())
                    ),
                    hint: None,
                };
                self.give_up(problem, "keepalive ping timeout", now);
            }
            None => {}
        }
    }

    fn stalled(&mut self, now: Instant) {
        let stall = show_duration(self.stall.unwrap_or_default());
        let waiting = show_size(self.engine.held() as u64);
        let problem = Problem {
            kind: "timeout",
            message: format!("the peer has read nothing for {stall}: {waiting} wait for it"),
            hint: Some("--wait gives it more time (-1: for ever)".into()),
        };
        self.give_up(problem, "nothing is read", now);
    }

    /// Says why the peer is a ghost, and offers it a short goodbye.
    fn give_up(&mut self, problem: Problem, reason: &str, now: Instant) {
        self.pending.push_back(What::Error(Box::new(problem)));
        let frame = CloseFrame {
            code: CloseCode::INTERNAL_ERROR,
            reason: reason.into(),
        };
        // Only a connection that is closing already refuses, and that one is not given up.
        let _ = self.close(Some(frame), ClosedBy::Us, GHOST_TIMEOUT, now);
    }
}
