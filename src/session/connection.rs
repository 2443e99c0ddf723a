//! Drives one open engine on its stream, in either role: read, write, heartbeat, close.
//!
//! A [`Connection`] is pulled: [`Connection::poll_next`] reads, writes and watches the clock until
//! something happened. Reading and writing share one task, so that two echoing sides cannot
//! deadlock. Bytes are read into a buffer that all connections of a thread share.
//!
//! Ending (RFC 6455, section 7): once both Close frames went, or ours after a violation, what
//! happened is told at once; the socket lingers silently so that the peer can read our Close
//! (closing with unread data would turn it into a RST).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::keepalive::{Beat, Heartbeat, Keepalive, Pings};
use super::late_answer::late_answer;
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::event::{Close, ClosedBy, Direction, Problem, What};
use crate::model::state::ReadyState;
use crate::model::units::show_duration;
use crate::protocol::deflate::Agreed;
use crate::protocol::engine::{Config, Engine, Incoming, Role, SendError, Sent, Violation};

/// How long a closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a client waits for the server to end TCP after the closing handshake.
const CLIENT_LINGER: Duration = Duration::from_millis(500);
/// How long and how much is discarded after our last Close before the socket is closed. The bytes
/// are more than the buffers of both systems hold between a peer that writes without looking and
/// us (on Linux up to 4 MiB on its side and 6 MiB on ours), so that it comes to look.
const DRAIN_TIME: Duration = Duration::from_secs(1);
const DRAIN_BYTES: usize = 16 << 20;
/// A closing handshake that a ghost is offered before it is dropped.
const GHOST_TIMEOUT: Duration = Duration::from_millis(500);

/// The largest message that is accepted unless told otherwise.
pub const DEFAULT_MAX_MESSAGE_SIZE: usize = 64 << 20;

/// Bytes of answers that a peer may leave unread before whoever echoes reads nothing more from it.
/// Not less, for a peer may well write several large messages before it reads.
pub const MOST_UNREAD: usize = 16 << 20;

const READ_BUFFER: usize = 64 * 1024;
const WRITE_SLICES: usize = 64;
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
}

/// One connection that is OPEN, CLOSING or CLOSED.
pub struct Connection<S> {
    stream: S,
    role: Role,
    engine: Engine,
    phase: Phase,
    keepalive: Option<Keepalive>,
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
    /// The stream may hold back what it took: TLS does so while TCP is full.
    unflushed: bool,
    /// Nothing more is written: it failed, or the stream is being shut down after our last Close.
    write_over: bool,
    /// The stream's writing side is being ended; TLS may have to wait for TCP to take its alert.
    shutting_down: bool,
    /// Whether nothing has come yet since the opening handshake.
    fresh: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Open,
    Closing {
        deadline: Instant,
        end: Ending,
    },
    /// All is told; bytes are discarded until the peer ends TCP.
    Draining {
        deadline: Instant,
        left: usize,
    },
    Ended,
}

/// How the connection is about to end.
#[derive(Debug, Clone, PartialEq)]
struct Ending {
    by: ClosedBy,
    /// The Close frame that decides the code: the first one, whoever sent it.
    frame: Option<CloseFrame>,
    /// The code in the peer's Close frame where that frame broke the protocol.
    illegal: Option<CloseCode>,
    /// The peer broke the protocol or is a ghost: its answer is not waited for.
    one_sided: bool,
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
            stream,
            role,
            engine: Engine::new(config, rand::random()),
            phase: Phase::Open,
            keepalive: plan
                .heartbeat
                .clone()
                .map(|heartbeat| Keepalive::new(heartbeat, now)),
            pings: Pings::default(),
            timer: None,
            looking: !read_ahead.is_empty(),
            unread: Bytes::copy_from_slice(read_ahead),
            pending: VecDeque::new(),
            last_traffic: now,
            reading: true,
            waiting: false,
            unflushed: false,
            write_over: false,
            shutting_down: false,
            fresh: true,
        }
    }

    /// The next thing that happened; `None` after the connection has ended and its socket may be
    /// dropped.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<What>> {
        loop {
            if let Some(what) = self.pending.pop_front() {
                return Poll::Ready(Some(what));
            }
            if self.phase == Phase::Ended {
                // Where the peer ended first our side says goodbye too, as far as that goes at once.
                self.shut_down(cx);
                return Poll::Ready(None);
            }
            let written = self.poll_write(cx).is_ready();
            if written && !self.pending.is_empty() {
                // A message that left is told, and let go, before one that may be as large is read.
                continue;
            }
            let moved = written
                | (self.take_in_rest() || self.poll_read(cx).is_ready())
                | self.poll_timer(cx).is_ready();
            self.advance_closing(cx, Instant::now());
            if !moved && self.pending.is_empty() && self.phase != Phase::Ended {
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
                if self.engine.close_queued() && self.phase == Phase::Open {
                    self.begin_closing(ClosedBy::Us, None, false, now + CLOSE_TIMEOUT);
                }
                Ok(())
            }
        }
    }

    /// Queues a frame that was encoded once for many peers.
    ///
    /// # Errors
    /// [`SendError`]: nothing was queued.
    pub fn send_encoded(&mut self, frame: Bytes) -> Result<(), SendError> {
        self.engine.send_encoded(frame)
    }

    /// Whether data is taken now: the connection is open and its out queue below its bound.
    pub fn can_send(&self) -> bool {
        self.phase == Phase::Open && self.engine.has_room()
    }

    /// What waits to be written, in bytes of memory.
    pub fn held(&self) -> usize {
        self.engine.held()
    }

    /// Stops or resumes reading, where what was read cannot be passed on. Writing goes on.
    pub fn set_reading(&mut self, reading: bool) {
        self.reading = reading;
    }

    /// Stops reading while answers to what was read wait for room, or resumes it.
    pub fn set_waiting(&mut self, waiting: bool) {
        self.waiting = waiting;
    }

    /// Whether nothing more can be written: answers will not leave.
    pub fn is_broken(&self) -> bool {
        self.write_over
    }

    /// Whether it is open and nothing waits to be written or told.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Open
            && !self.write_over
            && !self.engine.has_to_write()
            && !self.unflushed
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
        if self.shutting_down {
            return self.poll_shutdown(cx);
        }
        if self.write_over {
            return Poll::Pending;
        }
        if !self.engine.has_to_write() {
            return self.poll_flush(cx);
        }
        let written = {
            let mut slices = [IoSlice::new(&[]); WRITE_SLICES];
            let count = self.engine.to_write(&mut slices);
            ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..count]))
        };
        match written {
            Ok(count) if count > 0 => {
                self.engine.written(count);
                while let Some(sent) = self.engine.next_sent() {
                    self.left(sent);
                }
                self.unflushed = true;
                if !self.engine.has_to_write() {
                    // TCP has nothing to flush, so that this rarely waits.
                    let _ = self.poll_flush(cx);
                }
            }
            // The peer may have said why before it went: what it sent is still read.
            _ => {
                self.write_over = true;
                self.engine.give_up();
            }
        }
        Poll::Ready(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.unflushed {
            return Poll::Pending;
        }
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        self.unflushed = false;
        self.write_over |= flushed.is_err();
        Poll::Ready(())
    }

    /// Ends the writing side of the stream: for TLS its alert, for TCP its FIN.
    fn shut_down(&mut self, cx: &mut Context<'_>) {
        if !self.write_over {
            self.write_over = true;
            self.shutting_down = true;
            // What must wait for TCP is taken up by the next poll.
            let _ = self.poll_shutdown(cx);
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // The connection is over; a failure to end it changes nothing.
        let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
        self.shutting_down = false;
        Poll::Ready(())
    }

    fn left(&mut self, sent: Sent) {
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
        self.last_traffic = Instant::now();
        self.pending.push_back(what);
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let draining = matches!(self.phase, Phase::Draining { .. });
        if (!self.reads() || self.looking) && !draining {
            return Poll::Pending;
        }
        READ.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
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
        self.reading && (!self.waiting || self.write_over)
    }

    /// Takes what was read, up to the next thing that happened; the rest waits.
    fn take_in(&mut self, mut input: &[u8], now: Instant) {
        if let Phase::Draining { left, .. } = &mut self.phase {
            *left = left.saturating_sub(input.len());
            if *left == 0 {
                self.phase = Phase::Ended;
            }
            return;
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
                let problem = Problem {
                    kind: "protocol",
                    message: format!("the peer broke the protocol: {}", violation.rule),
                    hint: None,
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
                self.begin_closing(ClosedBy::Peer, frame, false, now + CLOSE_TIMEOUT);
            }
            // Its answer carries the code that both agree on.
            Phase::Closing { end, .. } => end.frame = frame,
            Phase::Draining { .. } | Phase::Ended => {}
        }
    }

    fn violated(&mut self, violation: &Violation, problem: Problem, now: Instant) {
        self.pending.push_back(What::Error(Box::new(problem)));
        if self.phase == Phase::Open {
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
    fn advance_closing(&mut self, cx: &mut Context<'_>, now: Instant) {
        let Phase::Closing { end, .. } = &self.phase else {
            return;
        };
        let ours_went = self.engine.close_sent() || self.write_over;
        if !ours_went || !(end.one_sided || self.engine.close_received()) {
            return;
        }
        let end = end.clone();
        self.tell_end(now, Some(&end));
        // RFC 6455, section 7.1.1: the server ends TCP first; after a violation, who found it does.
        let waits_for_server = self.role == Role::Client && !end.one_sided;
        let linger = if waits_for_server {
            CLIENT_LINGER
        } else {
            self.shut_down(cx);
            DRAIN_TIME
        };
        self.phase = Phase::Draining {
            deadline: now + linger,
            left: DRAIN_BYTES,
        };
        self.timer = None;
    }

    fn tell_end(&mut self, now: Instant, end: Option<&Ending>) {
        let answered = self.engine.close_sent() && self.engine.close_received();
        let close = match end {
            Some(end) => {
                let code = end.frame.as_ref().map(|frame| frame.code);
                Close {
                    code: code.unwrap_or(CloseCode::NO_STATUS),
                    reason: end
                        .frame
                        .as_ref()
                        .map(|frame| frame.reason.clone())
                        .unwrap_or_default(),
                    clean: answered && !end.one_sided,
                    by: end.by,
                    wire_code: end.illegal.or(code),
                    idle: now.saturating_duration_since(self.last_traffic),
                    unsent: self.engine.unsent(),
                }
            }
            None => Close {
                code: CloseCode::ABNORMAL,
                reason: String::new(),
                clean: false,
                by: ClosedBy::Transport,
                wire_code: None,
                idle: now.saturating_duration_since(self.last_traffic),
                unsent: self.engine.unsent(),
            },
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
            Phase::Open => self.keepalive.as_ref().map(Keepalive::deadline),
            Phase::Closing { deadline, .. } | Phase::Draining { deadline, .. } => Some(*deadline),
            Phase::Ended => None,
        }
    }

    fn due(&mut self, now: Instant) {
        match &self.phase {
            Phase::Open => self.beat(now),
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
                self.pending.push_back(What::Error(Box::new(problem)));
                let frame = CloseFrame {
                    code: CloseCode::INTERNAL_ERROR,
                    reason: "keepalive ping timeout".into(),
                };
                // Only a connection that is closing already refuses, and that one has no heartbeat.
                let _ = self.close(Some(frame), ClosedBy::Us, GHOST_TIMEOUT, now);
            }
            None => {}
        }
    }
}
