//! One thread of a load: an event loop over the connections that fall to it. A connection stays on
//! its thread; no channel, task or lock is used for a message.
//!
//! Each turn of the loop follows the phase of the run, takes what has been opened, fires timers,
//! sends what the schedule says, dials, and then reads what has come. `slot.rs` holds what is
//! known of one connection, `dialer.rs` decides when one is to be opened.

mod dialer;
mod slot;

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use self::dialer::Dialer;
use self::slot::{Closing, Connecting, Open, Slot, State};
use super::alarm::Alarm;
use super::codec::Codec;
use super::failure::Failure;
use super::figures::{Close, ClosedBy, Figures, Latency};
use super::machine;
use super::opener::{self, Opened, Opener};
use super::pacer::Pacer;
use super::plan::{Pace, Rate, Workload};
use super::request::Request;
use super::shared::{Phase, Shared, part};
use super::timer::{Timer, Timers};
use super::user::{Ended, Received, Scene, User};
use crate::model::close::{CloseCode, CloseFrame};
use crate::protocol::mask::Keys;
use crate::wire::nonblocking::{self, Socket};
use crate::wire::tls::Connector;
use crate::wire::upgrade::{self, Answer, Handshake};

/// What all threads of a run are given.
#[derive(Debug, Clone)]
pub struct Common {
    pub workload: Arc<Workload>,
    pub request: Arc<Request>,
    pub shared: Arc<Shared>,
    pub route: Route,
    pub reports: UnboundedSender<Report>,
    pub started: Instant,
}

/// How connections are opened.
#[derive(Debug, Clone)]
pub enum Route {
    /// TCP to this address, and the handshake by the event loop itself.
    Direct(std::net::SocketAddr),
    /// Everything else, by [`opener`].
    Opener {
        runtime: Handle,
        tls: Option<Arc<Connector>>,
    },
}

/// What a thread tells the coordinator.
#[derive(Debug)]
pub enum Report {
    /// Once a second, and at the end: what was seen since the last time.
    Tick(Box<Tick>),
    /// All its messages were sent and answered (`--messages`).
    Exhausted,
    /// Nothing is in flight any more, in [`Phase::Drain`].
    Drained,
    /// All its connections are closed; the thread ends.
    Gone,
}

#[derive(Debug)]
pub struct Tick {
    pub figures: Figures,
    pub connecting: usize,
    pub in_flight: usize,
    /// CPU time of the thread since the last tick, and how long that is ago.
    pub cpu: Duration,
    pub took: Duration,
}

const WAKER: Token = Token(usize::MAX);
const ALARM: Token = Token(usize::MAX - 1);

/// How often what has to happen some time is looked at: timeouts, pings, closing handshakes.
const SWEEP: Duration = Duration::from_millis(100);
const TICK: Duration = Duration::from_secs(1);
const READ_BUFFER: usize = 64 * 1024;
/// Reads from one connection before the others have their turn.
const READS: usize = 4;
/// Messages written to one connection before the others have their turn (mode `send`).
const WRITES: usize = 16;
/// Bytes that wait for a peer that does not read, before messages for it are dropped.
const MOST_UNWRITTEN: usize = 1 << 20;
/// What is kept of a connection's write buffer once it is empty.
const KEEP: usize = 16 * 1024;
/// How long the peer's Close is waited for after ours.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may take to end TCP after both Closes; who ends first keeps TIME_WAIT.
const LINGER: Duration = Duration::from_secs(1);
/// The first messages of connections that are all there are spread over this long.
const SPREAD: Duration = Duration::from_millis(100);

/// The event loop of one thread.
#[derive(Debug)]
pub struct Worker {
    common: Common,
    index: usize,
    poll: Poll,
    slots: Vec<Slot>,
    /// The slots that may be sent to, in no order.
    open: Vec<usize>,
    cursor: usize,
    dialer: Dialer,
    opener: Option<Opener>,
    opened: Receiver<Opened>,
    schedule: Option<Pacer>,
    max_inflight: usize,
    alarm: Alarm,
    timers: Timers,
    /// Connections that could go on reading or writing at once.
    turns: Vec<usize>,
    /// Connections with messages of the schedule to write.
    dirty: Vec<usize>,
    phase: Phase,
    in_flight: usize,
    /// Messages that may still be sent (`--messages`).
    left: Option<u64>,
    told: bool,
    /// When the last tick was, and the thread's CPU time then.
    last_tick: (Instant, Duration),
    figures: Figures,
    keys: Keys,
    chance: StdRng,
    buffer: Box<[u8]>,
    out: Vec<u8>,
    scratch: Vec<u8>,
}

impl Worker {
    /// Makes the loop for the `index`th thread, and what wakes it.
    ///
    /// # Errors
    /// The system gives no event queue.
    pub fn new(common: Common, index: usize) -> io::Result<(Self, Arc<Waker>)> {
        let workload = Arc::clone(&common.workload);
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let (done, opened) = channel();
        let opener = match &common.route {
            Route::Direct(_) => None,
            Route::Opener { runtime, tls } => Some(Opener {
                runtime: runtime.clone(),
                request: Arc::clone(&common.request),
                tls: tls.clone(),
                done,
                waker: Arc::clone(&waker),
            }),
        };
        let threads = workload.threads;
        let share = part(workload.peak(), index, threads);
        let number = |slot: usize| (slot * threads + index + 1) as u64;
        let mut chance = StdRng::seed_from_u64(workload.seed.wrapping_add(index as u64));
        let max_inflight = match workload.pace {
            Pace::Open { max_inflight, .. } => part(max_inflight, index, threads).max(1),
            Pace::Closed { .. } => usize::MAX,
        };
        let worker = Self {
            index,
            alarm: Alarm::new(poll.registry(), ALARM)?,
            poll,
            slots: (0..share).map(|slot| Slot::new(number(slot))).collect(),
            open: Vec::new(),
            cursor: 0,
            dialer: Dialer::new(&workload, index, share, &mut chance, common.started),
            opener,
            opened,
            schedule: None,
            max_inflight,
            timers: Timers::default(),
            turns: Vec::new(),
            dirty: Vec::new(),
            phase: Phase::Ramp,
            in_flight: 0,
            left: workload
                .end
                .messages
                .map(|all| part(all as usize, index, threads) as u64),
            told: false,
            last_tick: (common.started, Duration::ZERO),
            figures: Figures::default(),
            keys: Keys::new(rand::random()),
            chance,
            buffer: vec![0; READ_BUFFER].into_boxed_slice(),
            out: Vec::new(),
            scratch: Vec::new(),
            common,
        };
        Ok((worker, waker))
    }

    /// Runs until the run is over.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        let mut next_sweep = Instant::now() + SWEEP;
        let mut next_tick = Instant::now() + TICK;
        loop {
            let now = Instant::now();
            self.follow_phase(now);
            if self.phase == Phase::Stop || self.phase == Phase::Close && self.dialer.is_idle() {
                break;
            }
            self.take_opened();
            self.fire_timers(now);
            self.keep_schedule();
            self.dial(now);
            self.take_turns();
            if next_sweep <= now {
                self.sweep(now);
                next_sweep = now + SWEEP;
            }
            if next_tick <= now {
                self.tick();
                // A loop that was held up does not hurry to make up for ticks.
                next_tick = (next_tick + TICK).max(now);
            }
            let wait = self.wait(next_sweep.min(next_tick));
            match self.poll.poll(&mut events, Some(wait)) {
                Ok(()) => {}
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                // Without events nothing can go on; what was seen is still told.
                Err(_) => break,
            }
            for event in &events {
                match event.token() {
                    WAKER | ALARM => {}
                    Token(slot) => {
                        self.ready(slot, event.is_writable(), event.is_read_closed());
                    }
                }
            }
        }
        self.drop_all();
        self.tick();
        let _ = self.common.reports.send(Report::Gone);
    }

    /// How long to wait for events at most.
    fn wait(&mut self, latest: Instant) -> Duration {
        let now = Instant::now();
        if !self.turns.is_empty() {
            return Duration::ZERO;
        }
        let mut due = latest;
        if let Some(dial) = self.dialer.next_due(now) {
            due = due.min(dial);
        }
        let scheduled = self.schedule.as_ref().and_then(Pacer::next_due);
        match scheduled.into_iter().chain(self.timers.next()).min() {
            Some(next) if next <= due => self.alarm.set(next, now),
            _ => due.saturating_duration_since(now),
        }
    }

    // --- phases ----------------------------------------------------------------------------

    fn follow_phase(&mut self, now: Instant) {
        let phase = self.common.shared.phase();
        if phase != self.phase {
            let began = !self.is_loading() && phase < Phase::Drain;
            self.phase = phase;
            if began && self.is_loading() {
                self.begin_load(now);
            }
            if phase >= Phase::Drain {
                self.schedule = None;
            }
            if phase == Phase::Close {
                self.close_all(now);
            }
            self.told &= phase < Phase::Drain;
        }
        let exhausted = self.left == Some(0) && self.in_flight == 0;
        let report = match self.phase {
            Phase::Drain if self.in_flight == 0 => Report::Drained,
            Phase::WarmUp | Phase::Measure if exhausted => Report::Exhausted,
            _ => return,
        };
        if !std::mem::replace(&mut self.told, true) {
            let _ = self.common.reports.send(report);
        }
    }

    /// Whether connections do what their mode says.
    fn is_loading(&self) -> bool {
        let from_the_start = self.common.workload.loads_while_opening();
        match self.phase {
            Phase::Ramp => from_the_start,
            Phase::WarmUp | Phase::Measure => true,
            _ => false,
        }
    }

    fn begin_load(&mut self, now: Instant) {
        for at in 0..self.open.len() {
            let slot = self.open[at];
            let spread = SPREAD.mul_f64(self.chance.random());
            self.begin_user(slot, now, spread);
        }
    }

    /// Lets a connection send its first messages, in a closed loop.
    fn begin_user(&mut self, slot: usize, now: Instant, spread: Duration) {
        let workload = &self.common.workload;
        let Pace::Closed { pipeline, think } = workload.pace else {
            return;
        };
        if !workload.mode.sends {
            return;
        }
        let spread = if workload.sync {
            Duration::ZERO
        } else {
            spread
        };
        for _ in 0..pipeline {
            let pause = think.map_or(Duration::ZERO, |think| think.draw(&mut self.chance));
            let timer = Timer::Send {
                slot,
                generation: self.slots[slot].generation,
            };
            self.timers.set(now + spread + pause, timer);
        }
    }

    fn close_all(&mut self, now: Instant) {
        self.dialer.stop();
        for slot in 0..self.slots.len() {
            match self.slots[slot].state {
                State::Open(_) => self.close(slot, now),
                State::Connecting(_) => self.forget(slot),
                State::Idle | State::Opening => {}
            }
        }
    }

    fn drop_all(&mut self) {
        for slot in 0..self.slots.len() {
            if let State::Open(open) = &mut self.slots[slot].state {
                open.user.end(&mut self.figures);
            }
            self.forget(slot);
        }
    }

    fn tick(&mut self) {
        let (now, cpu) = (Instant::now(), machine::thread_cpu());
        let (at, cpu_before) = std::mem::replace(&mut self.last_tick, (now, cpu));
        let _ = self.common.reports.send(Report::Tick(Box::new(Tick {
            figures: std::mem::take(&mut self.figures),
            connecting: self.dialer.connecting(),
            in_flight: self.in_flight,
            cpu: cpu.saturating_sub(cpu_before),
            took: now - at,
        })));
    }

    // --- opening ---------------------------------------------------------------------------

    fn dial(&mut self, now: Instant) {
        let shared = &self.common.shared;
        if self.phase >= Phase::Drain || shared.gave_up() {
            return;
        }
        let elapsed = now.saturating_duration_since(self.common.started);
        let target = self.common.workload.target(elapsed);
        let target = part(target, self.index, self.common.workload.threads);
        while self.open.len() + self.dialer.connecting() > target
            && let Some(&slot) = self.open.last()
        {
            self.close(slot, now);
        }
        while let Some(slot) = self.dialer.next(target, now) {
            self.begin_opening(slot, now);
        }
    }

    fn begin_opening(&mut self, slot: usize, now: Instant) {
        self.figures.connections.attempted += 1;
        let number = self.slots[slot].number;
        self.slots[slot].generation += 1;
        match (&self.common.route, &self.opener) {
            (Route::Direct(address), _) => {
                let address = *address;
                match self.connect(slot, number, address, now) {
                    Ok(connecting) => {
                        self.slots[slot].state = State::Connecting(Box::new(connecting));
                    }
                    Err(failure) => self.failed(slot, failure, now),
                }
            }
            (_, Some(opener)) => {
                opener.open(slot, number);
                self.slots[slot].state = State::Opening;
            }
            (_, None) => {}
        }
    }

    fn connect(
        &self,
        slot: usize,
        number: u64,
        address: std::net::SocketAddr,
        now: Instant,
    ) -> Result<Connecting, Failure> {
        let plan = self.common.request.of(number);
        let plan = plan.map_err(|error| Failure::opening(&error, b""))?;
        let head = upgrade::request(&plan.target, &plan.request, &upgrade::new_key());
        let handshake = Handshake::new(head);
        let bytes = handshake.bytes();
        let bytes = bytes.map_err(|error| Failure::opening(&error, b""))?;
        let source = self.common.workload.sources.of(number);
        let socket = nonblocking::connect(address, source);
        let mut socket = socket.map_err(|cause| Failure::connect(&cause))?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self
            .poll
            .registry()
            .register(&mut socket, Token(slot), interest);
        registered.map_err(|cause| Failure::connect(&cause))?;
        Ok(Connecting {
            socket,
            begun: now,
            connected: None,
            unsent: bytes,
            handshake,
        })
    }

    fn failed(&mut self, slot: usize, failure: Failure, now: Instant) {
        self.figures.connections.failed += 1;
        let number = self.slots[slot].number;
        self.figures.failed(failure, number);
        self.slots[slot].state = State::Idle;
        self.dialer.failed(slot, now, &mut self.chance);
    }

    /// Goes on with an opening of our own.
    fn go_on_opening(&mut self, slot: usize) {
        let now = Instant::now();
        let State::Connecting(connecting) = &mut self.slots[slot].state else {
            return;
        };
        match connecting.go_on(&mut self.buffer, now) {
            Ok(None) => {}
            Ok(Some(Answer::Upgraded(upgraded))) => {
                let state = std::mem::replace(&mut self.slots[slot].state, State::Idle);
                let State::Connecting(connecting) = state else {
                    return;
                };
                let (tcp, upgrade, total) = connecting.took(now);
                self.figures.record(Latency::Tcp, tcp);
                self.figures.record(Latency::Upgrade, upgrade);
                self.figures.record(Latency::Handshake, total);
                let codec = Codec::new(upgraded.deflate, self.max_message_size());
                self.is_open(slot, connecting.socket, codec, &upgraded.read_ahead, now);
            }
            Ok(Some(Answer::Refused(refusal))) => {
                let sample = if refusal.body.is_empty() {
                    refusal.head.reason
                } else {
                    String::from_utf8_lossy(&refusal.body).trim().to_owned()
                };
                self.failed(slot, Failure::status(refusal.head.status, sample), now);
            }
            Err(failure) => self.failed(slot, failure, now),
        }
    }

    fn take_opened(&mut self) {
        while let Ok(Opened { slot, result }) = self.opened.try_recv() {
            let now = Instant::now();
            if !matches!(self.slots[slot].state, State::Opening) {
                continue;
            }
            self.slots[slot].state = State::Idle;
            match result {
                Err(failure) => self.failed(slot, failure, now),
                Ok(_) if self.phase >= Phase::Close => self.dialer.ended(slot),
                Ok(mut ready) => {
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    let registry = self.poll.registry();
                    if let Err(cause) = registry.register(&mut ready.socket, Token(slot), interest)
                    {
                        self.failed(slot, Failure::connect(&cause), now);
                        continue;
                    }
                    for (step, took) in Latency::STEPS
                        .into_iter()
                        .zip(opener::steps(&ready.timings))
                    {
                        if let Some(took) = took {
                            self.figures.record(step, took);
                        }
                    }
                    self.figures.record(Latency::Handshake, ready.timings.total);
                    let codec = Codec::new(ready.deflate, self.max_message_size());
                    self.is_open(slot, ready.socket, codec, &ready.read_ahead, now);
                }
            }
        }
    }

    fn max_message_size(&self) -> usize {
        self.common.request.base().connection.max_message_size
    }

    fn is_open(&mut self, slot: usize, socket: Socket, codec: Codec, ahead: &[u8], now: Instant) {
        let number = self.slots[slot].number;
        self.figures.connections.opened += 1;
        self.figures.connections.reconnected += u64::from(self.slots[slot].was_lost);
        self.slots[slot].was_lost = false;
        self.common.shared.opened();
        self.dialer.opened();
        let phase = self.chance.random();
        let user = User::new(number, codec, &self.common.workload, phase, now);
        self.slots[slot].state = State::Open(Box::new(Open {
            socket,
            user,
            unwritten: Vec::new(),
            stalled: None,
            closing: None,
            place: self.open.len(),
        }));
        self.open.push(slot);
        if let Some(lifetime) = self.common.workload.lifetime {
            let timer = Timer::Lifetime {
                slot,
                generation: self.slots[slot].generation,
            };
            self.timers
                .set(now + lifetime.draw(&mut self.chance), timer);
        }
        self.with_user(slot, |user, scene| user.open(scene));
        self.write_out(slot);
        if self.is_loading() {
            self.begin_user(slot, now, Duration::ZERO);
        }
        if !ahead.is_empty() {
            self.take_in(slot, ahead);
        }
        // What came meanwhile is told by no event any more.
        self.turns.push(slot);
    }

    // --- sending ---------------------------------------------------------------------------

    fn fire_timers(&mut self, now: Instant) {
        while let Some((due, timer)) = self.timers.take(now) {
            let (slot, generation) = timer.of();
            if self.slots[slot].generation != generation {
                continue;
            }
            match timer {
                Timer::Send { .. } => {
                    if self.send(slot, due) {
                        self.write_out(slot);
                    }
                }
                Timer::Lifetime { .. } => {
                    if self.slots[slot].may_send() {
                        self.close(slot, now);
                    }
                }
            }
        }
    }

    /// Sends a message on a connection of a closed loop; false where nothing is sent any more.
    fn send(&mut self, slot: usize, due: Instant) -> bool {
        if !self.is_loading() || !self.slots[slot].may_send() || self.left == Some(0) {
            return false;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        self.in_flight += usize::from(self.common.workload.expects());
        self.with_user(slot, |user, scene| user.send(due, Instant::now(), scene));
        let workload = &self.common.workload;
        if !workload.expects() {
            if workload.mode.once {
                self.write_out(slot);
                self.close(slot, due);
                return false;
            }
            self.turns.push(slot);
        }
        true
    }

    /// Sends what is due in an open loop.
    fn keep_schedule(&mut self) {
        let Pace::Open { rate, .. } = self.common.workload.pace else {
            return;
        };
        if !self.is_loading() || !self.common.workload.mode.sends {
            return;
        }
        let now = Instant::now();
        let rate = self.share_of(rate);
        match &mut self.schedule {
            Some(schedule) => schedule.set_rate(rate, now),
            None => {
                let phase = self.index as f64 / self.common.workload.threads as f64;
                self.schedule = Some(Pacer::new(rate, phase, now));
            }
        }
        while self.left != Some(0)
            && let Some(due) = self
                .schedule
                .as_mut()
                .and_then(|schedule| schedule.take(now))
        {
            self.send_scheduled(due);
        }
        for at in 0..self.dirty.len() {
            self.write_pending(self.dirty[at]);
        }
        self.dirty.clear();
    }

    fn share_of(&self, rate: Rate) -> f64 {
        match rate {
            Rate::Total(all) => all / self.common.workload.threads as f64,
            Rate::PerConnection(_) => rate.of(self.open.len()),
        }
    }

    fn send_scheduled(&mut self, due: Instant) {
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        let expects = self.common.workload.expects();
        let Some(slot) = self.next_open() else {
            self.figures.messages.dropped += u64::from(self.phase == Phase::Measure);
            return;
        };
        let State::Open(open) = &self.slots[slot].state else {
            return;
        };
        let pending = open.unwritten.len();
        if expects && self.in_flight >= self.max_inflight || pending > MOST_UNWRITTEN {
            self.figures.messages.dropped += u64::from(self.phase == Phase::Measure);
            return;
        }
        if pending == 0 {
            self.dirty.push(slot);
        }
        self.in_flight += usize::from(expects);
        self.with_user(slot, |user, scene| user.send(due, Instant::now(), scene));
        if let State::Open(open) = &mut self.slots[slot].state {
            open.unwritten.append(&mut self.out);
        }
    }

    /// The connections take turns.
    fn next_open(&mut self) -> Option<usize> {
        let count = self.open.len();
        if count == 0 {
            return None;
        }
        self.cursor = (self.cursor + 1) % count;
        Some(self.open[self.cursor])
    }

    /// Lets a user write to the thread's buffer.
    fn with_user<T>(
        &mut self,
        slot: usize,
        act: impl FnOnce(&mut User, &mut Scene<'_>) -> T,
    ) -> Option<T> {
        let State::Open(open) = &mut self.slots[slot].state else {
            return None;
        };
        let mut scene = Scene {
            workload: &self.common.workload,
            figures: &mut self.figures,
            keys: &mut self.keys,
            out: &mut self.out,
            scratch: &mut self.scratch,
            measured: self.phase == Phase::Measure,
        };
        Some(act(&mut open.user, &mut scene))
    }

    /// Writes what users put into the thread's buffer, all in one go; what the socket does not take
    /// stays with the connection.
    fn write_out(&mut self, slot: usize) {
        if self.out.is_empty() {
            return;
        }
        let State::Open(open) = &mut self.slots[slot].state else {
            self.out.clear();
            return;
        };
        if !open.unwritten.is_empty() {
            open.unwritten.append(&mut self.out);
            return;
        }
        let written = match open.socket.write(&self.out) {
            Ok(count) => count,
            Err(cause) if is_later(&cause) => 0,
            // What the peer said before it went is still to be read.
            Err(_) => {
                self.out.clear();
                self.turns.push(slot);
                return;
            }
        };
        if written < self.out.len() {
            open.unwritten.extend_from_slice(&self.out[written..]);
            open.stalled = Some(Instant::now());
        }
        self.out.clear();
    }

    fn write_pending(&mut self, slot: usize) {
        let State::Open(open) = &mut self.slots[slot].state else {
            return;
        };
        match open.write_pending(Instant::now()) {
            Ok(Some(stall)) if self.phase == Phase::Measure => {
                self.figures.record(Latency::SendStall, stall);
            }
            Ok(_) => {}
            Err(_) => self.turns.push(slot),
        }
    }

    // --- receiving -------------------------------------------------------------------------

    /// `ends`: the peer has ended its side, and what it sent before is still to be read.
    fn ready(&mut self, slot: usize, writable: bool, ends: bool) {
        match &self.slots[slot].state {
            State::Connecting(_) => self.go_on_opening(slot),
            State::Open(_) => {
                if writable {
                    self.write_pending(slot);
                }
                self.read(slot, ends);
            }
            State::Idle | State::Opening => {}
        }
    }

    /// Reads until the socket is drained, or others should have their turn.
    fn read(&mut self, slot: usize, ends: bool) {
        for _ in 0..READS {
            let State::Open(open) = &mut self.slots[slot].state else {
                return;
            };
            let mut buffer = std::mem::take(&mut self.buffer);
            let read = open.socket.read(&mut buffer);
            // A short read has drained a plain socket, but for its end.
            let more = match &read {
                Ok(count) => {
                    ends || *count == buffer.len() || matches!(open.socket, Socket::Tls(_))
                }
                Err(_) => false,
            };
            let gone = match read {
                Ok(0) => Some("fin"),
                Ok(count) => {
                    self.take_in(slot, &buffer[..count]);
                    None
                }
                Err(cause) if is_later(&cause) => None,
                Err(_) => Some("rst"),
            };
            self.buffer = buffer;
            if let Some(detail) = gone {
                return self.transport_ended(slot, detail);
            }
            if !more {
                return;
            }
        }
        self.turns.push(slot);
    }

    fn take_turns(&mut self) {
        for slot in std::mem::take(&mut self.turns) {
            if !matches!(self.slots[slot].state, State::Open(_)) {
                continue;
            }
            self.read(slot, true);
            if self.sends_freely() {
                self.send_freely(slot);
            }
        }
    }

    /// Whether a closed loop has no answers to wait for.
    fn sends_freely(&self) -> bool {
        let workload = &self.common.workload;
        workload.mode.sends
            && !workload.mode.once
            && !workload.expects()
            && matches!(workload.pace, Pace::Closed { .. })
            && self.is_loading()
    }

    /// Mode `send`: as fast as the socket takes it, or with a pause after each message.
    fn send_freely(&mut self, slot: usize) {
        let Pace::Closed { think, .. } = self.common.workload.pace else {
            return;
        };
        if let Some(think) = think {
            let timer = Timer::Send {
                slot,
                generation: self.slots[slot].generation,
            };
            self.timers
                .set(Instant::now() + think.draw(&mut self.chance), timer);
            return;
        }
        for _ in 0..WRITES {
            let full = match &self.slots[slot].state {
                State::Open(open) => !open.unwritten.is_empty(),
                _ => return,
            };
            if full {
                // Its event comes when there is room.
                self.write_out(slot);
                return;
            }
            let turns = self.turns.len();
            if !self.send(slot, Instant::now()) {
                break;
            }
            self.turns.truncate(turns);
        }
        self.write_out(slot);
        self.turns.push(slot);
    }

    fn take_in(&mut self, slot: usize, bytes: &[u8]) {
        let now = Instant::now();
        let received = self.with_user(slot, |user, scene| user.receive(bytes, now, scene));
        let Some(Received { answers, end }) = received else {
            return;
        };
        self.in_flight = self.in_flight.saturating_sub(answers);
        if let Some(end) = end {
            self.peer_ended(slot, end, now);
        } else if answers > 0 {
            self.answered(slot, answers, now);
        }
        self.write_out(slot);
    }

    /// A closed loop goes on.
    fn answered(&mut self, slot: usize, answers: usize, now: Instant) {
        if self.common.workload.mode.once {
            return self.close(slot, now);
        }
        let Pace::Closed { think, .. } = self.common.workload.pace else {
            return;
        };
        for _ in 0..answers {
            match think {
                None => {
                    if !self.send(slot, now) {
                        return;
                    }
                }
                Some(think) => {
                    let timer = Timer::Send {
                        slot,
                        generation: self.slots[slot].generation,
                    };
                    self.timers.set(now + think.draw(&mut self.chance), timer);
                }
            }
        }
    }

    // --- the end of a connection -----------------------------------------------------------

    /// Begins our closing handshake.
    fn close(&mut self, slot: usize, now: Instant) {
        self.begin_closing(slot, CloseCode::NORMAL, ClosedBy::Us, now + CLOSE_TIMEOUT);
        self.with_user(slot, |user, scene| user.close(CloseCode::NORMAL.0, scene));
        self.write_out(slot);
    }

    fn begin_closing(&mut self, slot: usize, code: CloseCode, by: ClosedBy, deadline: Instant) {
        self.leave_open(slot);
        if let State::Open(open) = &mut self.slots[slot].state {
            open.closing = Some(Closing {
                by,
                code: code.0,
                reason: None,
                answered: by == ClosedBy::Peer,
                deadline,
            });
        }
    }

    fn peer_ended(&mut self, slot: usize, end: Ended, now: Instant) {
        match end {
            Ended::Close(frame) => self.peer_closed(slot, frame, now),
            Ended::Violation(rule) => {
                let number = self.slots[slot].number;
                let failure = Failure::new("message", "protocol", rule);
                self.figures.failed(failure, number);
                let code = CloseCode::PROTOCOL_ERROR;
                self.with_user(slot, |user, scene| user.close(code.0, scene));
                self.write_out(slot);
                self.leave_open(slot);
                self.ended(
                    slot,
                    Close {
                        code: code.0,
                        by: ClosedBy::Us,
                        detail: None,
                    },
                    None,
                    true,
                );
            }
        }
    }

    fn peer_closed(&mut self, slot: usize, frame: Option<CloseFrame>, now: Instant) {
        let State::Open(open) = &mut self.slots[slot].state else {
            return;
        };
        if let Some(closing) = &mut open.closing {
            closing.answered = true;
            closing.deadline = now + LINGER;
            return;
        }
        self.with_user(slot, |user, scene| user.answer_close(frame.as_ref(), scene));
        let code = frame
            .as_ref()
            .map_or(CloseCode::NO_STATUS, |frame| frame.code);
        self.begin_closing(slot, code, ClosedBy::Peer, now + LINGER);
        if let State::Open(open) = &mut self.slots[slot].state
            && let Some(closing) = &mut open.closing
        {
            closing.reason = frame.map(|frame| frame.reason);
        }
    }

    /// TCP ended, or the time for it is over.
    fn transport_ended(&mut self, slot: usize, detail: &'static str) {
        let State::Open(open) = &mut self.slots[slot].state else {
            return;
        };
        let abnormal = Close {
            code: CloseCode::ABNORMAL.0,
            by: ClosedBy::Transport,
            detail: Some(detail),
        };
        match open.closing.take() {
            Some(closing) if closing.answered => {
                let close = Close {
                    code: closing.code,
                    by: closing.by,
                    detail: None,
                };
                let lost = closing.by == ClosedBy::Peer;
                self.ended(slot, close, closing.reason.as_deref(), lost);
            }
            // We wanted to close anyway.
            Some(_) => self.ended(slot, abnormal, None, false),
            None => {
                self.leave_open(slot);
                self.ended(slot, abnormal, None, true);
            }
        }
    }

    /// The connection is no longer one that is sent to.
    fn leave_open(&mut self, slot: usize) {
        let State::Open(open) = &mut self.slots[slot].state else {
            return;
        };
        if open.closing.is_some() {
            return;
        }
        let place = open.place;
        self.open.swap_remove(place);
        if let Some(&moved) = self.open.get(place)
            && let State::Open(open) = &mut self.slots[moved].state
        {
            open.place = place;
        }
        self.common.shared.closed();
    }

    fn ended(&mut self, slot: usize, close: Close, reason: Option<&str>, lost: bool) {
        self.figures.closed(close, reason);
        let lost = lost && self.phase < Phase::Close;
        if lost {
            self.figures.connections.lost += 1;
        }
        if let State::Open(open) = &mut self.slots[slot].state {
            self.in_flight = self.in_flight.saturating_sub(open.user.in_flight());
            open.user.end(&mut self.figures);
        }
        self.slots[slot].state = State::Idle;
        self.slots[slot].was_lost = lost;
        if !lost {
            self.dialer.ended(slot);
        } else if self.common.workload.reconnect {
            self.dialer.lost(slot, Instant::now(), &mut self.chance);
        } else {
            self.dialer.gone();
        }
    }

    /// Drops whatever there is, uncounted.
    fn forget(&mut self, slot: usize) {
        match self.slots[slot].state {
            State::Idle => return,
            State::Open(_) => self.leave_open(slot),
            State::Connecting(_) | State::Opening => self.dialer.opened(),
        }
        self.slots[slot].state = State::Idle;
        self.dialer.ended(slot);
    }

    // --- what has to happen some time ------------------------------------------------------

    fn sweep(&mut self, now: Instant) {
        let timeout = self.common.request.base().connect_timeout;
        for slot in 0..self.slots.len() {
            match &self.slots[slot].state {
                State::Connecting(connecting) if now - connecting.begun > timeout => {
                    let failure = connecting.timed_out();
                    self.failed(slot, failure, now);
                }
                State::Open(open) => match &open.closing {
                    Some(closing) if closing.deadline <= now => {
                        self.transport_ended(slot, "timeout")
                    }
                    Some(_) => {}
                    None => self.look_after(slot, now),
                },
                _ => {}
            }
        }
    }

    fn look_after(&mut self, slot: usize, now: Instant) {
        let given_up = self.with_user(slot, |user, scene| user.give_up_late(now, scene));
        if let Some(given_up @ 1..) = given_up {
            self.in_flight = self.in_flight.saturating_sub(given_up);
            self.answered(slot, given_up, now);
        }
        let beaten = self.with_user(slot, |user, scene| user.beat(now, scene));
        self.write_out(slot);
        if let Some(Err(_)) = beaten {
            self.transport_ended(slot, "timeout");
        }
    }
}

fn is_later(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
