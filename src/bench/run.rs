//! The course of a run: starts the threads, moves the phases along, merges once a second what the
//! threads saw, and ends with everything that a report needs.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use mio::Waker;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::figures::{Figures, Latency};
use super::machine::{self, Usage};
use super::plan::{PER_SOURCE, Workload};
use super::request::Request;
use super::shared::{Phase, Shared};
use super::threshold::{Measured, Threshold};
use super::worker::{Common, Report, Route, Worker};
use crate::error::Error;

/// What a run needs beside its workload.
#[derive(Debug)]
pub struct Setting {
    pub workload: Arc<Workload>,
    pub request: Arc<Request>,
    pub route: Route,
    /// Those with `!` end the run.
    pub thresholds: Vec<Threshold>,
    /// The server's process, where it is known.
    pub pid: Option<u32>,
    /// How long DNS took, once for all connections.
    pub dns: Option<Duration>,
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

/// Why the load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    Duration,
    Messages,
    Interrupted,
    Threshold,
    /// Over half of the connects failed for 5 s.
    ConnectsFailed,
    /// No connection was left.
    AllLost,
}

impl EndReason {
    /// Whether the load ended before it was over.
    pub const fn is_cut(self) -> bool {
        !matches!(self, Self::Duration | Self::Messages)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Duration => "duration",
            Self::Messages => "messages",
            Self::Interrupted => "interrupted",
            Self::Threshold => "threshold",
            Self::ConnectsFailed => "connects_failed",
            Self::AllLost => "all_lost",
        }
    }
}

/// What happened within one second.
#[derive(Debug)]
pub struct Second {
    /// From the start of the run.
    pub at: Duration,
    pub phase: Phase,
    pub open: usize,
    pub connecting: usize,
    pub in_flight: usize,
    pub figures: Figures,
    /// Of all threads, in processors.
    pub cpu: f64,
    pub took: Duration,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Finished {
    pub started_at: SystemTime,
    pub ended_at: SystemTime,
    pub end_reason: EndReason,
    pub figures: Figures,
    pub seconds: Vec<Second>,
    pub peak: usize,
    pub open_at_end: usize,
    /// Until the load began; the time that was measured; until everything was answered.
    pub ramp: Duration,
    pub measured: Duration,
    pub drain: Duration,
    pub generator: Generator,
    pub target: Option<TargetUsage>,
}

/// What the load took of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Generator {
    /// While it was measured, in processors.
    pub cpu: f64,
    /// The busiest thread, 0 to 1.
    pub busiest: f64,
    pub rss_peak: u64,
    pub files_peak: u64,
    /// The part of one source's ports that was in use at the most, 0 to 1.
    pub ports: f64,
}

/// What the load took of the server's process.
#[derive(Debug, Clone, Copy)]
pub struct TargetUsage {
    pub pid: u32,
    /// While it was measured, in processors.
    pub cpu: f64,
    pub rss_peak: u64,
}

/// Ramps that do not come to their end are given up this long after they should have.
const RAMP_GRACE: Duration = Duration::from_secs(5);
/// Seconds in which most connects fail before the run is given up.
const MOST_FAILING: u32 = 5;
/// How long connections are given to close.
const CLOSING: Duration = Duration::from_secs(6);
/// How often the ramp is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// Runs a load. `live` is told of every second.
///
/// # Errors
/// No thread or event queue can be had.
pub async fn run(
    setting: Setting,
    mut stop: watch::Receiver<Stop>,
    live: &mut (dyn FnMut(&Second) + Send),
) -> Result<Finished, Error> {
    let mut run = Run::start(setting)?;
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick.tick().await;
    loop {
        let deadline = run.deadline().into();
        tokio::select! {
            report = run.reports.recv() => match report {
                Some(report) => run.take(report),
                None => break,
            },
            _ = tick.tick() => run.second(live),
            () = sleep_until(deadline) => {}
            changed = stop.changed(), if run.stop < Stop::Now => {
                // Nobody is left to ask for anything.
                if changed.is_err() { run.stop = Stop::Now; } else { run.stop = *stop.borrow(); }
            }
        }
        run.advance(Instant::now());
        if run.gone == run.threads.len() {
            break;
        }
    }
    run.second(live);
    Ok(run.finish())
}

struct Run {
    setting: Setting,
    shared: Arc<Shared>,
    reports: UnboundedReceiver<Report>,
    threads: Vec<JoinHandle<()>>,
    wakers: Vec<Arc<Waker>>,
    stop: Stop,
    phase: Phase,
    /// When each phase began.
    began: [Option<Instant>; 6],
    started_at: SystemTime,
    end_reason: EndReason,
    exhausted: usize,
    drained: usize,
    gone: usize,
    failing: u32,
    total: Figures,
    second: Figures,
    seconds: Vec<Second>,
    last_second: Instant,
    connecting: usize,
    in_flight: usize,
    cpu: Duration,
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
        let shared = Arc::new(Shared::default());
        let first = first_phase(&setting.workload);
        shared.set_phase(first);
        let (sender, reports) = unbounded_channel();
        let now = Instant::now();
        let common = Common {
            workload: Arc::clone(&setting.workload),
            request: Arc::clone(&setting.request),
            shared: Arc::clone(&shared),
            route: setting.route.clone(),
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
            let (worker, waker) = Worker::new(common.clone(), index).map_err(failed)?;
            wakers.push(waker);
            let named = thread::Builder::new().name(format!("bench-{index}"));
            threads.push(named.spawn(|| worker.run()).map_err(failed)?);
        }
        let mut total = Figures::default();
        if let Some(dns) = setting.dns {
            total.record(Latency::Dns, dns);
        }
        let mut run = Self {
            setting,
            shared,
            reports,
            threads,
            wakers,
            stop: Stop::GoOn,
            phase: Phase::Ramp,
            began: [Some(now), None, None, None, None, None],
            started_at: SystemTime::now(),
            end_reason: EndReason::Duration,
            exhausted: 0,
            drained: 0,
            gone: 0,
            failing: 0,
            total,
            second: Figures::default(),
            seconds: Vec::new(),
            last_second: now,
            connecting: 0,
            in_flight: 0,
            cpu: Duration::ZERO,
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
                self.second.merge(&tick.figures);
                self.connecting += tick.connecting;
                self.in_flight += tick.in_flight;
                self.cpu += tick.cpu;
                if self.phase == Phase::Measure {
                    let part = tick.cpu.as_secs_f64() / tick.took.as_secs_f64().max(1e-3);
                    self.busiest = self.busiest.max(part.min(1.0));
                }
            }
            Report::Exhausted => self.exhausted += 1,
            Report::Drained => self.drained += 1,
            Report::Gone => self.gone += 1,
        }
    }

    /// A second is over.
    fn second(&mut self, live: &mut (dyn FnMut(&Second) + Send)) {
        let now = Instant::now();
        let took = now - self.last_second;
        self.last_second = now;
        let figures = std::mem::take(&mut self.second);
        self.total.merge(&figures);
        let connections = figures.connections;
        let failing = connections.failed > 0 && connections.failed * 2 > connections.attempted;
        self.failing = if failing { self.failing + 1 } else { 0 };
        let second = Second {
            at: now - self.began(Phase::Ramp).unwrap_or(now),
            phase: self.phase,
            open: self.shared.open(),
            connecting: std::mem::take(&mut self.connecting),
            in_flight: std::mem::take(&mut self.in_flight),
            cpu: std::mem::take(&mut self.cpu).as_secs_f64() / took.as_secs_f64().max(1e-3),
            took,
            figures,
        };
        live(&second);
        self.seconds.push(second);
        self.observe_machine();
    }

    fn observe_machine(&mut self) {
        self.rss_peak = self.rss_peak.max(machine::own_usage().rss);
        self.files_peak = self.files_peak.max(machine::open_files());
        if let Some(usage) = self.setting.pid.and_then(machine::usage_of) {
            self.target_rss = self.target_rss.max(usage.rss);
        }
    }

    // --- phases ----------------------------------------------------------------------------

    fn began(&self, phase: Phase) -> Option<Instant> {
        self.began[phase as usize]
    }

    /// When the present phase ends at the latest, or is to be looked at.
    fn deadline(&self) -> Instant {
        let workload = &self.setting.workload;
        let began = self.began(self.phase).unwrap_or(self.last_second);
        let far = began + Duration::from_secs(3600 * 24 * 365);
        match self.phase {
            Phase::Ramp => Instant::now() + GLANCE,
            Phase::WarmUp => began + workload.warmup,
            Phase::Measure => workload
                .end
                .duration
                .map_or(far, |duration| began + duration),
            Phase::Drain => began + workload.grace,
            Phase::Close | Phase::Stop => began + CLOSING,
        }
    }

    fn advance(&mut self, now: Instant) {
        let open = self.shared.open();
        self.peak = self.peak.max(open);
        let over = now >= self.deadline();
        if self.stop == Stop::Now && self.phase < Phase::Stop {
            self.end(EndReason::Interrupted);
            return self.enter(Phase::Stop, now);
        }
        match self.phase {
            Phase::Ramp | Phase::WarmUp | Phase::Measure => {
                if let Some(reason) = self.ends(over) {
                    self.end(reason);
                    self.enter(Phase::Drain, now);
                } else if self.phase == Phase::Ramp && self.ramp_is_over(open, now) {
                    let warms_up = !self.setting.workload.warmup.is_zero();
                    self.enter(
                        if warms_up {
                            Phase::WarmUp
                        } else {
                            Phase::Measure
                        },
                        now,
                    );
                } else if self.phase == Phase::WarmUp && over {
                    self.enter(Phase::Measure, now);
                }
            }
            Phase::Drain if over || self.drained == self.threads.len() => {
                self.open_at_end = open;
                self.enter(Phase::Close, now);
            }
            Phase::Close if over => self.enter(Phase::Stop, now),
            _ => {}
        }
    }

    /// Why the load ends now, if it does.
    fn ends(&self, over: bool) -> Option<EndReason> {
        let workload = &self.setting.workload;
        let measures = self.phase == Phase::Measure;
        let none_left = self.shared.open() == 0
            && self.phase > Phase::Ramp
            && !workload.reconnect
            && workload.lifetime.is_none()
            && !workload.loads_while_opening();
        if self.stop >= Stop::Gently {
            Some(EndReason::Interrupted)
        } else if self.failing >= MOST_FAILING {
            Some(EndReason::ConnectsFailed)
        } else if measures && over {
            Some(EndReason::Duration)
        } else if self.exhausted == self.threads.len() {
            Some(EndReason::Messages)
        } else if none_left {
            Some(EndReason::AllLost)
        } else if measures && self.a_threshold_failed() {
            Some(EndReason::Threshold)
        } else {
            None
        }
    }

    /// Whether a threshold with `!` does not hold any more.
    fn a_threshold_failed(&self) -> bool {
        let measured = Measured {
            figures: &self.total,
            open: self.shared.open(),
            time: self.time_in(Phase::Measure),
            opening: self.time_in(Phase::Ramp),
        };
        let mut aborting = self
            .setting
            .thresholds
            .iter()
            .filter(|threshold| threshold.aborts);
        aborting.any(|threshold| matches!(threshold.judge(&measured), (false, Some(_))))
    }

    fn ramp_is_over(&self, open: usize, now: Instant) -> bool {
        let workload = &self.setting.workload;
        if open >= workload.connections {
            return true;
        }
        let rate = workload.ramp.rate.unwrap_or(f64::INFINITY);
        let wanted = Duration::from_secs_f64(workload.connections as f64 / rate);
        let timeout = self.setting.request.base().connect_timeout;
        self.began(Phase::Ramp)
            .is_some_and(|began| now - began > wanted + timeout + RAMP_GRACE)
    }

    fn end(&mut self, reason: EndReason) {
        if self.phase < Phase::Drain {
            self.end_reason = reason;
        }
        self.open_at_end = self.shared.open();
    }

    fn enter(&mut self, phase: Phase, now: Instant) {
        let usage = || {
            let target = self.setting.pid.and_then(machine::usage_of);
            (machine::own_usage(), target)
        };
        match (self.phase, phase) {
            (_, Phase::Measure) => self.usage[0] = Some(usage()),
            (Phase::Measure, _) => self.usage[1] = Some(usage()),
            _ => {}
        }
        self.phase = phase;
        self.began[phase as usize] = Some(now);
        self.shared.set_phase(phase);
        for waker in &self.wakers {
            // A thread that has ended is not woken.
            let _ = waker.wake();
        }
    }

    /// How long a phase took, or takes by now.
    fn time_in(&self, phase: Phase) -> Duration {
        let Some(began) = self.began(phase) else {
            return Duration::ZERO;
        };
        let next = self.began[phase as usize + 1..].iter().flatten().next();
        next.copied().unwrap_or_else(Instant::now) - began
    }

    fn finish(mut self) -> Finished {
        for thread in std::mem::take(&mut self.threads) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
        let measured = self.time_in(Phase::Measure);
        let per_second = |used: Duration| used.as_secs_f64() / measured.as_secs_f64().max(1e-3);
        let (own, target) = match self.usage {
            [Some((before, target_before)), Some((after, target_after))] => {
                let own = per_second(after.cpu.saturating_sub(before.cpu));
                let target = target_before.zip(target_after);
                (
                    own,
                    target.map(|(before, after)| per_second(after.cpu.saturating_sub(before.cpu))),
                )
            }
            _ => (0.0, None),
        };
        let (ramp, drain) = (self.time_in(Phase::Ramp), self.time_in(Phase::Drain));
        let sources = self.setting.workload.sources.addresses.len().max(1);
        let (low, high) = machine::port_range();
        let per_source = (self.peak as f64 / sources as f64).min(PER_SOURCE as f64 * 2.0);
        Finished {
            started_at: self.started_at,
            ended_at: SystemTime::now(),
            end_reason: self.end_reason,
            seconds: self.seconds,
            peak: self.peak,
            open_at_end: self.open_at_end,
            ramp,
            measured,
            drain,
            generator: Generator {
                cpu: own,
                busiest: self.busiest,
                rss_peak: self.rss_peak,
                files_peak: self.files_peak,
                ports: per_source / f64::from(high.saturating_sub(low).max(1)),
            },
            target: self.setting.pid.zip(target).map(|(pid, cpu)| TargetUsage {
                pid,
                cpu,
                rss_peak: self.target_rss,
            }),
            figures: self.total,
        }
    }
}

/// A load that works while connections are opened has no ramp.
const fn first_phase(workload: &Workload) -> Phase {
    if workload.loads_while_opening() {
        after_ramp(workload)
    } else {
        Phase::Ramp
    }
}

const fn after_ramp(workload: &Workload) -> Phase {
    if workload.warmup.is_zero() {
        Phase::Measure
    } else {
        Phase::WarmUp
    }
}
