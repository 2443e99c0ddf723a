//! A run: starts the threads, moves the phases along (`course`), merges what the threads saw into the
//! seconds that it is of (`rows`), and ends with everything that a report needs (`finished`).

mod course;
mod finished;
mod rows;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::time::sleep_until;

use self::course::first_phase;
pub use self::finished::{EndReason, Finished, Generator, Second, TargetUsage};
use self::rows::{Row, Rows};
pub(super) use self::rows::{end_of, following};
use super::fanout::Exchange;
use super::figures::{Figures, Latency};
use super::machine::{self, Usage};
use super::plan::{Pace, Workload};
use super::request::Request;
use super::script::Script;
use super::script::crew::crew;
use super::shared::{Phase, Shared};
use super::threshold::Threshold;
use super::worker::{Common, Report, Route, Worker};
use crate::error::Error;

/// What a run needs beside its workload.
#[derive(Debug, Clone)]
pub struct Setting {
    pub workload: Arc<Workload>,
    pub users: Users,
    /// How long an opening may take.
    pub connect_timeout: Duration,
    /// Those with `!` end the run.
    pub thresholds: Vec<Threshold>,
    /// The server's process, where it is known.
    pub watched: Option<Watched>,
    /// How long DNS took, once for all connections.
    pub dns: Option<Duration>,
    /// The run is over when a connection cannot be opened: that was the question.
    pub refusals_end: bool,
    /// What the threads share, for who looks at it meanwhile.
    pub shared: Arc<Shared>,
}

/// Who watches a run.
pub trait Watch: Send {
    /// A second is over.
    fn second(&mut self, second: &Second);

    /// Whether [`Self::so_far`] is to be told.
    fn wants_all(&mut self) -> bool {
        false
    }

    /// The whole run, as if it had ended now. It goes on when this returns.
    fn so_far(&mut self, _all: &Finished) {}
}

impl<F: FnMut(&Second) + Send> Watch for F {
    fn second(&mut self, second: &Second) {
        self(second);
    }
}

/// What the users of a load are.
#[derive(Debug, Clone)]
pub enum Users {
    /// A connection each.
    Connections { request: Arc<Request>, route: Route },
    /// Somebody who plays a script.
    Players(Arc<Script>),
}

/// Whose CPU and memory are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    Process(u32),
    /// All of a process group.
    Group(u32),
}

impl Watched {
    fn usage(self) -> Option<Usage> {
        match self {
            Self::Process(pid) => machine::usage_of(pid),
            Self::Group(group) => machine::usage_of_group(group),
        }
    }

    /// The process, or the one that leads the group.
    const fn pid(self) -> u32 {
        let (Self::Process(pid) | Self::Group(pid)) = self;
        pid
    }
}

/// What a thread does, and what wakes it when the phase has changed.
type Crew = (Box<dyn FnOnce() + Send>, Wake);
type Wake = Box<dyn Fn() + Send>;

impl Users {
    /// Makes what the `index`th thread is to do.
    ///
    /// # Errors
    /// The system gives no event queue.
    fn crew(&self, common: Common, index: usize) -> io::Result<Crew> {
        match self {
            Self::Connections { request, route } => {
                let (request, route) = (Arc::clone(request), route.clone());
                let (worker, waker) = Worker::new(common, request, route, index)?;
                // A thread that has ended is not woken.
                let wake = move || drop(waker.wake());
                Ok((Box::new(move || worker.run()), Box::new(wake)))
            }
            Self::Players(script) => {
                let (play, waker) = crew(common, Arc::clone(script), index)?;
                Ok((Box::new(play), Box::new(move || waker.notify_one())))
            }
        }
    }
}

/// How often the run was asked to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    #[default]
    GoOn,
    /// Stop sending, wait for answers, report.
    Gently,
    /// Report what there is.
    Now,
}

/// Runs a load, which `live` watches.
///
/// # Errors
/// No thread or event queue can be had.
pub async fn run(
    setting: Setting,
    mut stop: watch::Receiver<Stop>,
    live: &mut dyn Watch,
) -> Result<Finished, Error> {
    let mut run = Run::start(setting)?;
    loop {
        let deadline = run.wake_at().min(run.rows.latest()).into();
        tokio::select! {
            report = run.reports.recv() => match report {
                Some(report) => run.take(report),
                None => break,
            },
            () = sleep_until(deadline) => {}
            changed = stop.changed(), if run.stop < Stop::Now => {
                // Nobody is left to ask for anything.
                if changed.is_err() { run.stop = Stop::Now; } else { run.stop = *stop.borrow(); }
            }
        }
        let now = Instant::now();
        while let Some((number, row)) = run.rows.close(now) {
            if let Some(row) = row {
                run.second(number, row, live);
            }
        }
        run.advance(now);
        if run.gone == run.threads.len() {
            break;
        }
    }
    for (number, row) in run.rows.rest() {
        run.second(number, row, live);
    }
    Ok(run.finish())
}

struct Run {
    setting: Setting,
    shared: Arc<Shared>,
    exchange: Option<Arc<Exchange>>,
    reports: UnboundedReceiver<Report>,
    threads: Vec<JoinHandle<()>>,
    wakers: Vec<Wake>,
    stop: Stop,
    phase: Phase,
    next_storm: Option<Instant>,
    /// When each phase began.
    began: [Option<Instant>; 6],
    started_at: SystemTime,
    end_reason: EndReason,
    exhausted: usize,
    drained: usize,
    gone: usize,
    failing: u32,
    total: Figures,
    rows: Rows,
    seconds: Vec<Second>,
    peak: usize,
    open_at_end: usize,
    rss_peak: u64,
    files_peak: u64,
    target_rss: u64,
    /// CPU time of this process and of the server's, at the start and the end of what is measured.
    usage: [Option<(Usage, Option<Usage>)>; 2],
    busiest: f64,
}

impl Run {
    fn start(setting: Setting) -> Result<Self, Error> {
        let shared = Arc::clone(&setting.shared);
        let first = first_phase(&setting.workload);
        shared.set_phase(first);
        let (sender, reports) = unbounded_channel();
        let now = Instant::now();
        setting.workload.hold.start(now);
        let workload = &setting.workload;
        let closed = matches!(workload.pace, Pace::Closed { .. });
        let exchange = workload
            .fanout
            .map(|fanout| Arc::new(Exchange::new(fanout, workload.threads, closed, now)));
        let common = Common {
            workload: Arc::clone(workload),
            shared: Arc::clone(&shared),
            exchange: exchange.clone(),
            reports: sender,
            started: now,
        };
        let failed = |cause| Error::Io {
            doing: "starting the threads of the load".into(),
            cause,
        };
        let mut threads = Vec::new();
        let mut wakers = Vec::new();
        for index in 0..setting.workload.threads {
            let (work, wake) = setting.users.crew(common.clone(), index).map_err(failed)?;
            wakers.push(wake);
            let named = thread::Builder::new().name(format!("bench-{index}"));
            threads.push(named.spawn(work).map_err(failed)?);
        }
        let rows = Rows::new(now, threads.len());
        let mut total = Figures::default();
        if let Some(dns) = setting.dns {
            total.record(Latency::Dns, dns);
        }
        let mut run = Self {
            setting,
            shared,
            exchange,
            reports,
            threads,
            wakers,
            stop: Stop::GoOn,
            phase: Phase::Ramp,
            next_storm: None,
            began: [Some(now), None, None, None, None, None],
            started_at: SystemTime::now(),
            end_reason: EndReason::Duration,
            exhausted: 0,
            drained: 0,
            gone: 0,
            failing: 0,
            total,
            rows,
            seconds: Vec::new(),
            peak: 0,
            open_at_end: 0,
            rss_peak: 0,
            files_peak: 0,
            target_rss: 0,
            usage: [None, None],
            busiest: 0.0,
        };
        if first > Phase::Ramp {
            run.enter(first, now);
        }
        Ok(run)
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Tick(tick) => {
                self.rows.take(&tick);
                if self.phase == Phase::Measure {
                    let part = tick.cpu.as_secs_f64() / tick.took.as_secs_f64().max(1e-3);
                    self.busiest = self.busiest.max(part.min(1.0));
                }
            }
            Report::Exhausted => self.exhausted += 1,
            Report::Drained => self.drained += 1,
            Report::Gone(thread) => {
                self.rows.gone(thread);
                self.gone += 1;
            }
        }
    }

    /// A second is over, and this is what the threads told of it.
    fn second(&mut self, number: u64, row: Row, live: &mut dyn Watch) {
        self.observe_machine();
        let (at, phase) = self.placed(number, Instant::now());
        let figures = row.figures;
        self.total.merge(&figures);
        let connections = figures.connections;
        let failing = connections.failed > 0 && connections.failed * 2 > connections.attempted;
        self.failing = if failing { self.failing + 1 } else { 0 };
        let second = Second {
            at,
            phase,
            // What was open when the load was over is closed by now.
            open: if phase < Phase::Close && self.phase >= Phase::Close {
                self.open_at_end
            } else {
                self.shared.open()
            },
            connecting: row.connecting,
            in_flight: row.in_flight,
            cpu: row.cpu.as_secs_f64() / row.took.as_secs_f64().max(1e-3),
            took: row.took,
            figures,
            generator: self.generator(),
        };
        live.second(&second);
        self.seconds.push(second);
        if live.wants_all() {
            self.open_at_end = self.shared.open();
            let all = self.sum_up(EndReason::Running);
            live.so_far(&all);
            (self.total, self.seconds) = (all.figures, all.seconds);
        }
    }

    fn observe_machine(&mut self) {
        self.rss_peak = self.rss_peak.max(machine::own_usage().rss);
        self.files_peak = self.files_peak.max(machine::open_files());
        if let Some(usage) = self.setting.watched.and_then(Watched::usage) {
            self.target_rss = self.target_rss.max(usage.rss);
        }
    }

    /// What the load takes of this machine by now.
    fn generator(&self) -> Generator {
        let measured = self.time_in(Phase::Measure);
        let cpu = self
            .used()
            .map_or(0.0, |(own, _)| per_second(own, measured));
        let workload = &self.setting.workload;
        let per_source = workload.sources.most_of_one(workload.first, self.peak);
        let (low, high) = machine::port_range();
        Generator {
            cpu,
            busiest: self.busiest,
            rss_peak: self.rss_peak,
            files_peak: self.files_peak,
            ports: per_source as f64 / f64::from(high.saturating_sub(low).max(1)),
        }
    }

    /// CPU time of this process and of the server's while it was measured, until now where that is
    /// not over.
    fn used(&self) -> Option<(Duration, Option<Duration>)> {
        let (before, target_before) = self.usage[0]?;
        let (after, target_after) = self.usage[1].unwrap_or_else(|| self.usage_now());
        let target = target_before.zip(target_after);
        let used = |before: Usage, after: Usage| after.cpu.saturating_sub(before.cpu);
        Some((
            used(before, after),
            target.map(|(before, after)| used(before, after)),
        ))
    }

    fn usage_now(&self) -> (Usage, Option<Usage>) {
        let target = self.setting.watched.and_then(Watched::usage);
        (machine::own_usage(), target)
    }

    fn finish(mut self) -> Finished {
        for thread in std::mem::take(&mut self.threads) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
        let opened = self.total.connections.opened;
        let end_reason = match self.end_reason {
            EndReason::AllLost if opened == 0 => EndReason::NoneOpened,
            reason => reason,
        };
        self.sum_up(end_reason)
    }

    /// Everything that a report needs; figures and seconds are taken along.
    fn sum_up(&mut self, end_reason: EndReason) -> Finished {
        let measured = self.time_in(Phase::Measure);
        let target = self.used().and_then(|(_, target)| target);
        Finished {
            started_at: self.started_at,
            ended_at: SystemTime::now(),
            end_reason,
            peak: self.peak,
            open_at_end: self.open_at_end,
            ramp: self.time_in(Phase::Ramp),
            measured,
            drain: self.time_in(Phase::Drain),
            held: self.setting.workload.hold.lost(Instant::now()),
            generator: self.generator(),
            target: self
                .setting
                .watched
                .zip(target)
                .map(|(watched, used)| TargetUsage {
                    pid: watched.pid(),
                    cpu: per_second(used, measured),
                    rss_peak: self.target_rss,
                }),
            seconds: std::mem::take(&mut self.seconds),
            figures: std::mem::take(&mut self.total),
        }
    }
}

/// Processors that were used, on average.
fn per_second(used: Duration, time: Duration) -> f64 {
    used.as_secs_f64() / time.as_secs_f64().max(1e-3)
}
