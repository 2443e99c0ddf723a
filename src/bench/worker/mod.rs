//! One thread of a load: an event loop over the connections that fall to it. A connection stays on
//! its thread; no channel, task or lock is used for a message.
//!
//! Each turn of the loop follows the phase of the run, takes what has been opened, fires timers,
//! sends what the schedule says, dials, and then reads what has come. `slot.rs` holds what is
//! known of one connection, `dialer.rs` decides when one is to be opened.

mod dialer;
mod ending;
mod opening;
mod receiving;
mod sending;
mod slot;
mod storm;
mod sweep;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use self::dialer::Dialer;
use self::slot::{Slot, State};
use super::alarm::Alarm;
use super::fanout::Exchange;
use super::figures::Figures;
use super::machine;
use super::opener::{Opened, Opener};
use super::plan::{Pace, Workload};
use super::request::Request;
use super::run::{end_of, following};
use super::schedule::Schedule;
use super::shared::{Phase, Shared, part};
use super::timer::{Timer, Timers};
use crate::protocol::mask::Keys;
use crate::wire::tls::Connector;

/// What all threads of a run are given.
#[derive(Debug, Clone)]
pub struct Common {
    pub workload: Arc<Workload>,
    pub shared: Arc<Shared>,
    /// In mode `fanout`.
    pub exchange: Option<Arc<Exchange>>,
    pub reports: UnboundedSender<Report>,
    pub started: Instant,
}

/// How connections are opened.
#[derive(Debug, Clone)]
pub enum Route {
    /// TCP to this address, and the handshake by the event loop itself.
    Direct(SocketAddr),
    /// Everything else, by [`opener`].
    Opener {
        runtime: Handle,
        tls: Option<Arc<Connector>>,
    },
}

/// What a thread tells the coordinator.
#[derive(Debug)]
pub enum Report {
    /// At the end of each second of the run, and at the end of it: what was seen since the last time.
    Tick(Box<Tick>),
    /// All its messages were sent (`--messages`).
    Exhausted,
    /// Nothing is in flight any more, in [`Phase::Drain`].
    Drained,
    /// All its connections are closed; the thread with this index ends.
    Gone(usize),
}

#[derive(Debug)]
pub struct Tick {
    /// The index of the thread.
    pub thread: usize,
    /// The number of the second that it is of, from 1.
    pub second: u64,
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
const READ_BUFFER: usize = 64 * 1024;
/// What is kept of a connection's write buffer once it is empty.
const KEEP: usize = 16 * 1024;
/// The first messages of connections that are all there are spread over this long.
const SPREAD: Duration = Duration::from_millis(100);

/// The event loop of one thread.
#[derive(Debug)]
pub struct Worker {
    common: Common,
    request: Arc<Request>,
    route: Route,
    index: usize,
    poll: Poll,
    slots: Vec<Slot>,
    /// The slots that are open, in no order.
    open: Vec<usize>,
    /// Those of them on which messages are sent: all but in mode `fanout`.
    speaking: Vec<usize>,
    cursor: usize,
    dialer: Dialer,
    opener: Option<Opener>,
    opened: Receiver<Opened>,
    schedule: Option<Schedule>,
    max_inflight: usize,
    alarm: Alarm,
    timers: Timers,
    /// Connections that could go on reading or writing at once.
    turns: Vec<usize>,
    /// Connections with messages of the schedule to write.
    dirty: Vec<usize>,
    phase: Phase,
    /// The number of the last storm.
    storm: u64,
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
    pub fn new(
        common: Common,
        request: Arc<Request>,
        route: Route,
        index: usize,
    ) -> io::Result<(Self, Arc<Waker>)> {
        let workload = Arc::clone(&common.workload);
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        if let Some(exchange) = &common.exchange {
            exchange.wakes(index, Arc::clone(&waker));
        }
        let (done, opened) = channel();
        let opener = match &route {
            Route::Direct(_) => None,
            Route::Opener { runtime, tls } => Some(Opener {
                runtime: runtime.clone(),
                request: Arc::clone(&request),
                sources: workload.sources.clone(),
                tls: tls.clone(),
                done,
                waker: Arc::clone(&waker),
            }),
        };
        let threads = workload.threads;
        let share = part(workload.peak(), index, threads);
        let number = |slot| workload.number(slot, index);
        let mut chance = StdRng::seed_from_u64(workload.seed_of(index));
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
            speaking: Vec::new(),
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
            storm: 0,
            in_flight: 0,
            left: workload.end.messages.map(|all| match &common.exchange {
                Some(exchange) => exchange.part_of(all, index),
                None => part(all as usize, index, threads) as u64,
            }),
            told: false,
            last_tick: (common.started, Duration::ZERO),
            figures: Figures::default(),
            keys: Keys::new(rand::random()),
            chance,
            buffer: vec![0; READ_BUFFER].into_boxed_slice(),
            out: Vec::new(),
            scratch: Vec::new(),
            request,
            route,
            common,
        };
        Ok((worker, waker))
    }

    /// Runs until the run is over.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        let mut next_sweep = Instant::now() + SWEEP;
        let started = self.common.started;
        let mut second = following(0, started, Instant::now());
        loop {
            let now = Instant::now();
            self.follow_phase(now);
            if self.phase == Phase::Stop || self.phase == Phase::Close && self.dialer.is_idle() {
                break;
            }
            self.take_opened();
            self.follow_storm(now);
            self.take_over(now);
            self.fire_timers(now);
            self.keep_schedule();
            self.dial(now);
            self.take_turns();
            if next_sweep <= now {
                self.sweep(now);
                next_sweep = now + SWEEP;
            }
            if end_of(second, started) <= now {
                self.tick(second);
                second = following(second, started, now);
            }
            let wait = self.wait(next_sweep.min(end_of(second, started)));
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
        self.tick(second);
        let _ = self.common.reports.send(Report::Gone(self.index));
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
        let scheduled = self.schedule.as_ref().and_then(Schedule::next_due);
        match scheduled.into_iter().chain(self.timers.next()).min() {
            Some(next) if next <= due => self.alarm.set(next, now),
            _ => due.saturating_duration_since(now),
        }
    }

    fn follow_phase(&mut self, now: Instant) {
        let phase = self.common.shared.phase();
        if phase != self.phase {
            if phase >= Phase::Drain {
                // What was due by now is sent, late or not.
                self.keep_schedule();
            }
            let began = !self.is_loading() && phase < Phase::Drain;
            self.phase = phase;
            if began && self.is_loading() {
                self.begin_load(now);
            }
            if phase >= Phase::Drain {
                self.schedule = None;
            }
            if phase == Phase::Drain {
                self.let_slow_ones_read();
            }
            if phase == Phase::Close {
                self.close_all(now);
            }
            self.told &= phase < Phase::Drain;
        }
        let report = match self.phase {
            Phase::Drain if self.in_flight == 0 => Report::Drained,
            Phase::WarmUp | Phase::Measure if self.left == Some(0) => Report::Exhausted,
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
            Phase::WarmUp => !self.common.workload.settles(),
            Phase::Measure => true,
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
        if !workload.mode.sends || !self.speaks(slot) {
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
                open.user
                    .end(self.common.exchange.as_deref(), &mut self.figures);
            }
            self.forget(slot);
        }
    }

    fn tick(&mut self, second: u64) {
        let (now, cpu) = (Instant::now(), machine::thread_cpu());
        let (at, cpu_before) = std::mem::replace(&mut self.last_tick, (now, cpu));
        let _ = self.common.reports.send(Report::Tick(Box::new(Tick {
            thread: self.index,
            second,
            figures: std::mem::take(&mut self.figures),
            connecting: self.dialer.connecting(),
            in_flight: self.in_flight,
            cpu: cpu.saturating_sub(cpu_before),
            took: now - at,
        })));
    }
}

fn is_later(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
