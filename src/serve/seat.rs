//! A peer's place in the hub: its connection, and what others want to send to it.
//!
//! The connection belongs to the peer's own task, which polls it; whoever sends to the peer puts the
//! message into its queue and then tries to write at once, if the task is not at it just now. Only
//! what the socket does not take is left to the task, so that a message for a thousand peers does
//! not wake a thousand tasks. A peer that is idle holds no buffer.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use tokio::task::unconstrained;

use super::fault::{Act, Course, Hit};
use super::log::Log;
use super::queue::{self, Order, Pushed, Queue, Written};
use super::roster::Client;
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::event::{ConnId, What};
use crate::protocol::engine::Sent;
use crate::session::connection::{Connection, MOST_UNREAD};
use crate::wire::impaired::Line;
use crate::wire::stream::Stream;

/// Bytes of others' messages that are handed to the connection beyond what it can write now; the
/// rest stays where it can still be dropped.
const WRITE_AHEAD: usize = 64 << 10;

/// The place of one peer.
pub(super) struct Seat {
    pub(super) client: Client,
    connection: Mutex<Connection<Stream>>,
    waiting: Mutex<Waiting>,
    /// The peer's own task.
    task: AtomicWaker,
    /// Somebody has queued something and is about to write it.
    touched: AtomicBool,
    /// The way to what is below TLS, where faults act there.
    line: Option<Line>,
    has_faults: bool,
    /// Something was queued since the queue was last found empty.
    has_queued: AtomicBool,
    /// Something was dropped that was not told yet.
    has_dropped: AtomicBool,
}

/// What waits for the peer to read.
struct Waiting {
    queue: Queue,
    /// Tasks that read nothing more until there is room.
    senders: Vec<Waker>,
    /// What faults make of it.
    course: Option<Box<Course>>,
    /// How long the closing handshake may take, once it has begun, where that is not as usual.
    patience: Option<Duration>,
    /// It is being closed for what it did, or did not read.
    is_closing: bool,
}

impl Seat {
    pub(super) fn new(client: Client, connection: Connection<Stream>, plan: queue::Plan) -> Self {
        Self {
            client,
            connection: Mutex::new(connection),
            waiting: Mutex::new(Waiting {
                queue: Queue::new(plan),
                senders: Vec::new(),
                course: None,
                patience: None,
                is_closing: false,
            }),
            task: AtomicWaker::new(),
            touched: AtomicBool::new(false),
            line: None,
            has_faults: false,
            has_queued: AtomicBool::new(false),
            has_dropped: AtomicBool::new(false),
        }
    }

    /// The same with faults.
    pub(super) fn with_faults(mut self, course: Box<Course>, line: Option<Line>) -> Self {
        self.line = line;
        self.has_faults = true;
        let waiting = self.waiting.get_mut();
        waiting.unwrap_or_else(PoisonError::into_inner).course = Some(course);
        self
    }

    pub(super) fn id(&self) -> ConnId {
        self.client.member.conn
    }

    // --- for the peer's own task -------------------------------------------------------------

    /// The next thing that happened on the connection, as [`Connection::poll_next`], but for what was
    /// sent: that is told to the log at once. While `blocked` nothing more is read.
    pub(super) fn poll_next(
        &self,
        cx: &mut Context<'_>,
        blocked: bool,
        log: &Log,
    ) -> Poll<Option<What>> {
        self.task.register(cx.waker());
        let mut connection = self.connection();
        loop {
            let answers_wait = self.fill(&mut connection);
            let much_unread = connection.held() > MOST_UNREAD;
            // Nobody waits for room where the end is all that is left to be found.
            let reads = !blocked || connection.is_broken();
            connection.set_reading(reads);
            connection.set_waiting(answers_wait || much_unread);
            match connection.poll_next(cx) {
                Poll::Ready(Some(what)) if what.is_sent() => {
                    self.sent(what, log);
                    while let Some(what) = connection.next_sent() {
                        self.sent(what, log);
                    }
                }
                next => return next,
            }
        }
    }

    /// Whether more is to be told of what was read.
    pub(super) fn has_unread(&self) -> bool {
        self.connection().has_unread()
    }

    /// What was dropped, once the queue is empty again.
    pub(super) fn take_dropped(&self) -> Option<What> {
        if !self.has_dropped.load(Ordering::Acquire) {
            return None;
        }
        let mut waiting = self.waiting();
        if !waiting.queue.is_empty() {
            return None;
        }
        self.has_dropped.store(false, Ordering::Release);
        let dropped = waiting.queue.take_dropped();
        (dropped.count > 0).then_some(What::Dropped {
            count: dropped.count,
            bytes: dropped.bytes,
            place: "queue",
        })
    }

    /// Asks the faults; `None` where there are none.
    pub(super) fn ask_faults<T>(&self, ask: impl FnOnce(&mut Course) -> T) -> Option<T> {
        self.waiting().course.as_deref_mut().map(ask)
    }

    /// Carries out what faults want, and tells of it.
    pub(super) fn suffer(&self, hits: Vec<Hit>, log: &Log) {
        let mut connection = self.connection();
        for Hit { acts, told } in hits {
            let suffered = acts
                .into_iter()
                .all(|act| self.carry_out(act, &mut connection));
            if let Some(told) = told.filter(|_| suffered) {
                log.tell(Some(self.id()), told);
            }
        }
    }

    /// Whether that could be done: a connection that is closing sends nothing more.
    fn carry_out(&self, act: Act, connection: &mut Connection<Stream>) -> bool {
        let done = match act {
            Act::Command(command) => connection.send(command),
            Act::Bytes(bytes) => connection.send_bytes(bytes, None),
            Act::LastBytes { bytes, close } => {
                connection.send_bytes(bytes, Some(Sent::Close(close)))
            }
            Act::Line(strain) => {
                let Some(line) = &self.line else {
                    return false;
                };
                if strain.ends_reading() {
                    connection.forget_unread();
                }
                line.strain(strain);
                return true;
            }
            Act::WithholdPongs => {
                connection.withhold_pongs();
                return true;
            }
            Act::WithholdPings => {
                connection.withhold_pings();
                return true;
            }
            Act::WithholdClose => {
                connection.withhold_close();
                return true;
            }
            Act::HoldEnd(time) => {
                connection.hold_end(time);
                return true;
            }
        };
        // What comes next may be the end of TCP; what does not leave now is the task's to write.
        connection.write_now();
        done.is_ok()
    }

    /// Closes the connection, behind what it has taken; what waits is given up.
    pub(super) fn close(&self, frame: CloseFrame) {
        let mut waiting = self.waiting();
        waiting.is_closing = true;
        waiting.give_up();
        self.queue_answer(&mut waiting, Order::Command(Command::Close(Some(frame))));
    }

    /// The peer is gone: nobody waits for it any more.
    pub(super) fn end(&self) {
        self.waiting().give_up();
    }

    // --- for everyone ------------------------------------------------------------------------

    /// Hands over an answer to the peer itself, which waits in the queue only where the connection
    /// does not take it now, or faults are to see it.
    pub(super) fn answer(&self, order: Order) {
        let has_queued = self.has_queued.load(Ordering::Acquire);
        let order = match order {
            Order::Command(command) if !has_queued && !self.has_faults => {
                let mut connection = self.connection();
                if connection.can_send() {
                    // It can send, and so it does not refuse.
                    let _ = connection.send(command);
                    return;
                }
                Order::Command(command)
            }
            order => order,
        };
        self.queue_answer(&mut self.waiting(), order);
    }

    /// Closes the connection behind all that waits, and gives the peer so long to answer.
    pub(super) fn close_within(&self, frame: CloseFrame, patience: Duration) {
        let mut waiting = self.waiting();
        waiting.patience = Some(patience);
        self.queue_answer(&mut waiting, Order::Command(Command::Close(Some(frame))));
    }

    /// Gives up what waits, tells the peer why, if it listens, and ends the connection without waiting
    /// for its answer.
    pub(super) fn cut_short(&self, frame: CloseFrame) {
        let mut waiting = self.waiting();
        waiting.is_closing = true;
        waiting.give_up();
        drop(waiting);
        let mut connection = self.connection();
        // One that is closing already refuses.
        let _ = connection.send(Command::Close(Some(frame)));
        connection.close_within(Duration::ZERO);
        drop(connection);
        self.task.wake();
    }

    fn queue_answer(&self, waiting: &mut Waiting, order: Order) {
        waiting.queue.answer(order);
        self.has_queued.store(true, Ordering::Release);
    }

    /// Queues what somebody else sends. Before a queue is judged to be full, what it holds is written
    /// as far as the socket takes it: a peer that reads is not too slow because much came at once.
    pub(super) fn push(&self, order: Order, sender_waits: bool, log: &Log) -> Pushed {
        let mut waiting = self.waiting();
        if waiting.queue.is_over(order.size()) {
            drop(waiting);
            let flush = async { self.flush(log) };
            // Else the runtime would have the socket seem full after many writes of one task.
            let mut cx = Context::from_waker(Waker::noop());
            let _ready = pin!(unconstrained(flush)).poll(&mut cx);
            waiting = self.waiting();
        }
        if waiting.is_closing {
            return Pushed::Dropped;
        }
        let pushed = waiting.queue.push(order, sender_waits);
        self.has_queued.store(true, Ordering::Release);
        let action = waiting.queue.action();
        drop(waiting);
        // How much was dropped is told when the peer has caught up; that it lags is told at once.
        let is_news = match pushed {
            Pushed::Queued | Pushed::Block => false,
            Pushed::Dropped => !self.has_dropped.swap(true, Ordering::AcqRel),
            Pushed::TooSlow => {
                self.close(CloseFrame {
                    code: CloseCode::TRY_AGAIN_LATER,
                    reason: "too slow: the queue is full".to_owned(),
                });
                true
            }
        };
        if is_news {
            let limit = What::Limit {
                limit: "queue",
                action,
                again: false,
            };
            log.tell(Some(self.id()), limit);
        }
        pushed
    }

    /// Whether this is the first one to touch the seat since it was flushed.
    pub(super) fn touch(&self) -> bool {
        !self.touched.swap(true, Ordering::AcqRel)
    }

    /// Writes what waits, as far as it goes at once, and tells of it; the peer's task does the rest.
    pub(super) fn flush(&self, log: &Log) {
        self.touched.store(false, Ordering::Release);
        let mut connection = match self.connection.try_lock() {
            Ok(connection) => connection,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return self.task.wake(),
        };
        if !self.has_faults && !log.has_traffic() {
            self.write_through(&mut connection, log);
        }
        self.fill(&mut connection);
        let all_left = connection.write_now();
        while let Some(what) = connection.next_sent() {
            self.sent(what, log);
        }
        let has_queued = self.has_queued.load(Ordering::Acquire);
        if !all_left || (has_queued || self.has_faults) && self.waiting().needs_task() {
            self.task.wake();
        }
    }

    /// Writes frames that wait without the detour through the connection's own queue, as a peer that
    /// keeps up takes them. They are counted, for nobody is told of each.
    fn write_through(&self, connection: &mut Connection<Stream>, log: &Log) {
        let mut waiting = self.waiting();
        let written = connection.write_encoded(waiting.queue.frames());
        let Written {
            messages,
            bytes,
            begun,
        } = waiting.queue.take_written(written);
        log.metrics().sent(messages, bytes);
        if let Some((frame, written)) = begun {
            connection.send_rest(frame, written);
        }
        self.passed_on(&mut waiting, connection);
    }

    /// Whether its queue has room; where it has not, the task is woken when it has.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> bool {
        let mut waiting = self.waiting();
        let has_room = waiting.queue.has_room();
        let known = |sender: &Waker| sender.will_wake(cx.waker());
        if !has_room && !waiting.senders.iter().any(known) {
            waiting.senders.push(cx.waker().clone());
        }
        has_room
    }

    /// Bytes that wait in its queue.
    pub(super) fn queued(&self) -> usize {
        self.waiting().queue.bytes()
    }

    /// Whether its queue is half empty.
    pub(super) fn has_room(&self) -> bool {
        self.waiting().queue.has_room()
    }

    /// Tells what has left.
    fn sent(&self, what: What, log: &Log) {
        if self.has_faults {
            // Nothing strikes because of it; it is traffic all the same.
            let _hits = self.ask_faults(|course| course.heard(&what, Instant::now()));
        }
        log.tell(Some(self.id()), what);
    }

    /// Moves what waits into the connection, as far as that takes it; whether answers are left.
    fn fill(&self, connection: &mut Connection<Stream>) -> bool {
        if !self.has_queued.load(Ordering::Acquire) && !self.has_faults {
            return false;
        }
        let mut waiting = self.waiting();
        while let Some(order) = waiting.next(connection) {
            // It can send, so only a connection that is closing refuses; nobody hears it then.
            let _ = match order {
                Order::Frame(frame) => connection.send_encoded(frame),
                Order::Command(command) => connection.send(command),
                Order::Bytes { bytes, sent } => connection.send_bytes(bytes, sent),
            };
        }
        self.passed_on(&mut waiting, connection);
        waiting.queue.has_answers()
    }

    /// Looks after those who wait for room, once the connection has taken what it could.
    fn passed_on(&self, waiting: &mut Waiting, connection: &mut Connection<Stream>) {
        if !connection.is_open() {
            if let Some(patience) = waiting.patience.take() {
                connection.close_within(patience);
            }
            waiting.give_up();
        } else if waiting.queue.has_room() {
            waiting.wake_senders();
        }
        if waiting.queue.is_empty() {
            // Whoever queues more holds the lock too.
            self.has_queued.store(false, Ordering::Release);
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection<Stream>> {
        // A task that panics takes its own connection down only.
        let connection = self.connection.lock();
        connection.unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // No holder of the lock can panic half-way through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// The next order that the connection takes now.
    fn next(&mut self, connection: &Connection<Stream>) -> Option<Order> {
        let can_send = connection.can_send();
        let held = connection.held();
        let takes = |order: &Order, is_answer: bool| {
            let is_close = matches!(order, Order::Command(Command::Close(_)));
            let takes_more = is_answer || held < WRITE_AHEAD;
            is_close || (takes_more && can_send)
        };
        let Some(course) = &mut self.course else {
            return self.queue.pop_if(takes);
        };
        let now = Instant::now();
        while course.has_room()
            && let Some(order) = self.queue.pop_if(takes)
        {
            course.send(order, now);
        }
        course.ready(now, |order| takes(order, true))
    }

    /// Whether the peer's own task has something to do about what waits, or to tell of it.
    fn needs_task(&self) -> bool {
        !self.queue.is_empty() || self.course.is_some()
    }

    /// Nobody will hear what waits.
    fn give_up(&mut self) {
        self.queue.clear();
        if let Some(course) = &mut self.course {
            course.give_up();
        }
        self.wake_senders();
    }

    fn wake_senders(&mut self) {
        for sender in std::mem::take(&mut self.senders) {
            sender.wake();
        }
    }
}

/// What is left to do after messages were queued: seats to write to, and seats that are full.
#[derive(Default)]
pub(super) struct Delivery {
    touched: Vec<Arc<Seat>>,
    bytes: usize,
    full: Vec<Arc<Seat>>,
}

impl Delivery {
    /// Bytes for one seat after which they are written rather than gathered.
    const MUCH: usize = 64 << 10;

    /// Something of `size` bytes was queued.
    pub(super) fn add(&mut self, seat: &Arc<Seat>, pushed: Pushed) {
        if pushed == Pushed::Block {
            self.full.push(Arc::clone(seat));
        }
        if seat.touch() {
            self.touched.push(Arc::clone(seat));
        }
    }

    /// A message of `size` bytes was queued.
    pub(super) fn count(&mut self, size: usize) {
        self.bytes += size;
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }

    pub(super) fn has_much(&self) -> bool {
        self.bytes >= Self::MUCH
    }

    /// Writes to every seat that was touched.
    pub(super) fn flush(&mut self, log: &Log) {
        self.bytes = 0;
        for seat in std::mem::take(&mut self.touched) {
            seat.flush(log);
        }
    }

    /// Whether a seat is still full; where one is, the task is woken when it is not.
    pub(super) fn poll_blocked(&mut self, cx: &Context<'_>) -> bool {
        self.full.retain(|seat| !seat.poll_room(cx));
        !self.full.is_empty()
    }
}
