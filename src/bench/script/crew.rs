//! The users of a script that fall to one thread: when each begins, and what the thread tells the
//! coordinator of the run.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::runtime::Builder;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep_until;

use super::super::failure::Failure;
use super::super::figures::Figures;
use super::super::machine;
use super::super::pacer::Pacer;
use super::super::plan::{Pace, Rate};
use super::super::run::{end_of, following};
use super::super::schedule::Schedule;
use super::super::shared::{Phase, part};
use super::super::worker::{Common, Report, Tick};
use super::Script;
use super::iteration::{Part, play};

/// How often stages are looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// How long a user waits that could not connect, give or take a fifth.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes what plays the users of the `index`th thread, and what wakes it.
///
/// # Errors
/// The system gives no event queue.
pub(in crate::bench) fn crew(
    common: Common,
    script: Arc<Script>,
    index: usize,
) -> io::Result<(impl FnOnce() + Send + 'static, Arc<Notify>)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let wake = Arc::new(Notify::new());
    let woken = Arc::clone(&wake);
    let play = move || {
        let mut crew = Crew::new(common, script, index);
        LocalSet::new().block_on(&runtime, crew.play(&woken));
        // Users that are given up take their connections along.
        drop(runtime);
        crew.tick(0);
        let _ = crew.common.reports.send(Report::Gone(index));
    };
    Ok((play, wake))
}

/// Who plays on one thread.
struct Crew {
    common: Common,
    script: Arc<Script>,
    index: usize,
    /// Users that may begin at any time; the lower ones come first.
    idle: BTreeSet<usize>,
    /// Users of a closed loop that begin again then.
    resting: BinaryHeap<Reverse<(Instant, usize)>>,
    /// How fast idle users begin, in a closed loop.
    ramp: Option<Pacer>,
    /// When a script is due, in an open loop.
    schedule: Option<Schedule>,
    phase: Phase,
    /// How often the script may still be played (`--messages`).
    left: Option<u64>,
    told: bool,
    figures: Rc<RefCell<Figures>>,
    chance: StdRng,
    closing: watch::Sender<bool>,
    /// The number of the second that is told of next.
    second: u64,
    /// When the last tick was, and the thread's CPU time then.
    last_tick: (Instant, Duration),
}

impl Crew {
    fn new(common: Common, script: Arc<Script>, index: usize) -> Self {
        let workload = Arc::clone(&common.workload);
        let threads = workload.threads;
        let mut chance = StdRng::seed_from_u64(workload.seed_of(index));
        let is_open = matches!(workload.pace, Pace::Open { .. });
        let rate = workload.ramp.rate.filter(|_| !workload.sync && !is_open);
        let ramp =
            rate.map(|rate| Pacer::new(rate / threads as f64, chance.random(), common.started));
        let messages = workload.end.messages;
        Self {
            script,
            index,
            idle: (0..part(workload.peak(), index, threads)).collect(),
            resting: BinaryHeap::new(),
            ramp,
            schedule: None,
            phase: Phase::Ramp,
            left: messages.map(|all| part(all as usize, index, threads) as u64),
            told: false,
            figures: Rc::default(),
            chance,
            closing: watch::channel(false).0,
            second: following(0, common.started, Instant::now()),
            last_tick: (common.started, Duration::ZERO),
            common,
        }
    }

    async fn play(&mut self, wake: &Notify) {
        let mut playing: JoinSet<(usize, bool)> = JoinSet::new();
        let started = self.common.started;
        loop {
            let now = Instant::now();
            self.follow_phase(playing.len());
            let is_over = self.phase == Phase::Close && playing.is_empty();
            if is_over || self.phase == Phase::Stop {
                break;
            }
            for (user, due) in self.begin(now) {
                playing.spawn_local(self.one(user, due));
            }
            if end_of(self.second, started) <= now {
                self.tick(playing.len());
                self.second = following(self.second, started, now);
            }
            let next_tick = end_of(self.second, started);
            let due = self
                .next_due(now)
                .map_or(next_tick, |due| due.min(next_tick));
            tokio::select! {
                () = wake.notified() => {}
                Some(ended) = playing.join_next() => {
                    // One that panicked has said so, and its user is not seen again.
                    if let Ok((user, opened)) = ended {
                        self.ended(user, opened, Instant::now());
                    }
                }
                () = sleep_until(due.into()) => {}
            }
        }
        playing.abort_all();
        while playing.join_next().await.is_some() {}
    }

    /// A user plays the script once.
    fn one(&mut self, user: usize, due: Instant) -> impl Future<Output = (usize, bool)> + 'static {
        let part = Part {
            script: Arc::clone(&self.script),
            shared: Arc::clone(&self.common.shared),
            figures: Rc::clone(&self.figures),
            user: self.common.workload.number(user, self.index),
            seed: self.chance.random(),
            due,
            measured: self.phase == Phase::Measure,
            closing: self.closing.subscribe(),
        };
        async move { (user, play(part).await) }
    }

    fn follow_phase(&mut self, playing: usize) {
        let phase = self.common.shared.phase();
        if phase != self.phase {
            self.phase = phase;
            self.told &= phase < Phase::Drain;
            if phase == Phase::Close {
                self.closing.send_replace(true);
            }
        }
        if playing > 0 {
            return;
        }
        let report = match phase {
            Phase::Drain => Report::Drained,
            Phase::WarmUp | Phase::Measure if self.left == Some(0) => Report::Exhausted,
            _ => return,
        };
        if !std::mem::replace(&mut self.told, true) {
            let _ = self.common.reports.send(report);
        }
    }

    const fn is_loading(&self) -> bool {
        matches!(self.phase, Phase::Ramp | Phase::WarmUp | Phase::Measure)
    }

    /// How many of the users should play.
    fn target(&self, now: Instant) -> usize {
        let workload = &self.common.workload;
        let elapsed = now.saturating_duration_since(self.common.started);
        part(workload.target(elapsed), self.index, workload.threads)
    }

    /// Those who begin now, and when they should have begun.
    fn begin(&mut self, now: Instant) -> Vec<(usize, Instant)> {
        if !self.is_loading() || self.common.shared.gave_up() {
            return Vec::new();
        }
        let target = self.target(now);
        match self.common.workload.pace {
            Pace::Open { rate, .. } => self.begin_scheduled(rate, target, now),
            Pace::Closed { .. } => self.begin_again(target, now),
        }
    }

    fn begin_again(&mut self, target: usize, now: Instant) -> Vec<(usize, Instant)> {
        let mut begun = Vec::new();
        while let Some(&Reverse((due, user))) = self.resting.peek()
            && due <= now
        {
            self.resting.pop();
            if user < target && self.take_one() {
                begun.push((user, due));
            } else {
                self.idle.insert(user);
            }
        }
        while let Some(&user) = self.idle.first()
            && user < target
            && self.left != Some(0)
        {
            let due = match &mut self.ramp {
                Some(ramp) => ramp.take(now),
                None => Some(now),
            };
            let Some(due) = due else { break };
            self.take_one();
            self.idle.remove(&user);
            begun.push((user, due));
        }
        begun
    }

    fn begin_scheduled(
        &mut self,
        rate: Rate,
        target: usize,
        now: Instant,
    ) -> Vec<(usize, Instant)> {
        let threads = self.common.workload.threads as f64;
        let rate = match rate {
            Rate::Total(all) => all / threads,
            Rate::PerConnection(_) => rate.of(target),
        };
        let workload = &self.common.workload;
        let phase = workload.phase(self.index);
        let share = 1.0 / threads;
        let schedule = self.schedule.get_or_insert_with(|| {
            let staged = workload.staged(share, phase, now);
            staged.unwrap_or_else(|| Schedule::Steady(Pacer::new(rate, phase, now)))
        });
        schedule.set_rate(rate, now);
        let dues: Vec<Instant> = std::iter::from_fn(|| schedule.take(now)).collect();
        let mut begun = Vec::new();
        for due in dues {
            let free = self.idle.first().copied().filter(|user| *user < target);
            if !self.take_one() {
                break;
            }
            match free {
                Some(user) => {
                    self.idle.remove(&user);
                    begun.push((user, due));
                }
                None if self.phase == Phase::Measure => {
                    let mut figures = self.figures.borrow_mut();
                    figures.iterations.dropped += 1;
                    let failure = Failure::new("script", "dropped", "every user was busy");
                    figures.failed(failure, 0);
                }
                None => {}
            }
        }
        begun
    }

    /// Takes one of what may still be played; false where there is none.
    const fn take_one(&mut self) -> bool {
        match &mut self.left {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    /// When somebody may have to begin, beside when something has happened.
    fn next_due(&self, now: Instant) -> Option<Instant> {
        if !self.is_loading() || self.left == Some(0) {
            return None;
        }
        let workload = &self.common.workload;
        let resting = self.resting.peek().map(|Reverse((due, _))| *due);
        let waits = self
            .idle
            .first()
            .is_some_and(|user| *user < self.target(now));
        let ramp = self.ramp.as_ref().filter(|_| waits);
        let ramp = ramp.and_then(Pacer::next_due);
        let scheduled = self.schedule.as_ref().and_then(Schedule::next_due);
        let stage = workload.ramp.stages.as_ref().map(|_| now + GLANCE);
        [resting, ramp, scheduled, stage]
            .into_iter()
            .flatten()
            .min()
    }

    fn ended(&mut self, user: usize, opened: bool, now: Instant) {
        match self.common.workload.pace {
            Pace::Open { .. } => {
                self.idle.insert(user);
            }
            Pace::Closed { think, .. } => {
                let pause = if opened {
                    think.map_or(Duration::ZERO, |think| think.draw(&mut self.chance))
                } else {
                    PAUSE.mul_f64(self.chance.random_range(0.8..1.2))
                };
                self.resting.push(Reverse((now + pause, user)));
            }
        }
    }

    fn tick(&mut self, playing: usize) {
        let (now, cpu) = (Instant::now(), machine::thread_cpu());
        let (at, before) = std::mem::replace(&mut self.last_tick, (now, cpu));
        let _ = self.common.reports.send(Report::Tick(Box::new(Tick {
            thread: self.index,
            second: self.second,
            figures: self.figures.take(),
            connecting: 0,
            in_flight: playing,
            cpu: cpu.saturating_sub(before),
            took: now - at,
        })));
    }
}
