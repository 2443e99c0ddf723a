//! The course of a run: when each phase begins, and why the load ends.

use std::time::{Duration, Instant};

use super::super::plan::Workload;
use super::super::shared::Phase;
use super::super::threshold::Measured;
use super::finished::EndReason;
use super::rows::end_of;
use super::{Run, Stop};

/// Ramps that do not come to their end are given up this long after they should have.
const RAMP_GRACE: Duration = Duration::from_secs(5);
/// Seconds in which most connects fail before the run is given up.
const MOST_FAILING: u32 = 5;
/// How long connections are given to close.
const CLOSING: Duration = Duration::from_secs(6);
/// How often the ramp is looked at.
const GLANCE: Duration = Duration::from_millis(20);

impl Run {
    pub(super) fn began(&self, phase: Phase) -> Option<Instant> {
        self.began[phase as usize]
    }

    /// When the present phase ends at the latest, or is to be looked at.
    pub(super) fn deadline(&self) -> Instant {
        let workload = &self.setting.workload;
        let began = self.began(self.phase).unwrap_or_else(Instant::now);
        let far = began + Duration::from_secs(3600 * 24 * 365);
        match self.phase {
            Phase::Ramp => Instant::now() + GLANCE,
            Phase::WarmUp => began + workload.warmup,
            Phase::Measure => workload.end.duration.map_or(far, |duration| {
                began + duration + workload.hold.lost(Instant::now())
            }),
            Phase::Drain => began + workload.grace,
            Phase::Close | Phase::Stop => began + CLOSING,
        }
    }

    /// When something is to be done, apart from what threads report.
    pub(super) fn wake_at(&self) -> Instant {
        let deadline = self.deadline();
        let storm = self.next_storm.filter(|_| self.phase == Phase::Measure);
        storm.map_or(deadline, |storm| storm.min(deadline))
    }

    /// All connections are to be dropped, if it is time.
    fn storm(&mut self, now: Instant) {
        let due = self.next_storm.filter(|due| *due <= now);
        let (Some(due), Some(every)) = (due, self.setting.workload.storm) else {
            return;
        };
        if self.phase == Phase::Measure {
            self.next_storm = Some(due + every);
            self.rows.present(now).storms.begun += 1;
            let start = self.began(Phase::Ramp).unwrap_or(now);
            self.shared.storm.begin(self.threads.len(), now - start);
            self.wake();
        }
    }

    fn wake(&self) {
        for wake in &self.wakers {
            wake();
        }
    }

    pub(super) fn advance(&mut self, now: Instant) {
        self.storm(now);
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
        let is_silent = self.exchange.as_ref().is_some_and(|one| one.is_silent());
        let none_left = (self.shared.open() == 0 || is_silent)
            && self.phase > Phase::Ramp
            && !workload.reconnect
            && workload.lifetime.is_none()
            && workload.storm.is_none()
            && !workload.loads_while_opening();
        if self.stop >= Stop::Gently {
            Some(EndReason::Interrupted)
        } else if self.setting.refusals_end && self.total.connections.failed > 0 {
            Some(EndReason::Refused)
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
            steps: self.setting.workload.steps(),
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
        // Those that were lost again had their time too.
        let seen = self.rows.waiting().chain([&self.total]);
        let opened = seen.map(|figures| figures.connections.opened);
        let opened = opened.sum::<u64>() as usize;
        if open.max(opened) >= workload.connections {
            return true;
        }
        let rate = workload.ramp.rate.unwrap_or(f64::INFINITY);
        let wanted = Duration::from_secs_f64(workload.connections as f64 / rate);
        let timeout = self.setting.connect_timeout;
        self.began(Phase::Ramp)
            .is_some_and(|began| now - began > wanted + timeout + RAMP_GRACE)
    }

    fn end(&mut self, reason: EndReason) {
        if self.phase < Phase::Drain {
            self.end_reason = reason;
        }
        self.open_at_end = self.shared.open();
    }

    pub(super) fn enter(&mut self, phase: Phase, now: Instant) {
        if phase == Phase::Measure {
            let every = self.setting.workload.storm;
            self.next_storm = every.map(|every| now + every);
        }
        match (self.phase, phase) {
            (_, Phase::Measure) => self.usage[0] = Some(self.usage_now()),
            (Phase::Measure, _) => self.usage[1] = Some(self.usage_now()),
            _ => {}
        }
        self.phase = phase;
        self.began[phase as usize] = Some(now);
        self.shared.set_phase(phase);
        self.wake();
    }

    /// When a second ends, from the start of the run, and the phase that it is of. The last one ends
    /// with the load.
    pub(super) fn placed(&self, number: u64, now: Instant) -> (Duration, Phase) {
        let start = self.began(Phase::Ramp).unwrap_or(now);
        let (from, to) = (end_of(number - 1, start), end_of(number, start).min(now));
        let over = [Phase::Close, Phase::Stop].into_iter();
        let over = over.filter_map(|phase| self.began(phase));
        let to = over.filter(|over| *over > from).fold(to, Instant::min);
        // What it was for most of the time.
        let middle = from + to.saturating_duration_since(from) / 2;
        let phases = Phase::ALL.into_iter().rev();
        let mut phases = phases.filter(|phase| self.began(*phase).is_some_and(|at| at <= middle));
        (to.max(from) - start, phases.next().unwrap_or(self.phase))
    }

    /// How long a phase took, or takes by now.
    pub(super) fn time_in(&self, phase: Phase) -> Duration {
        let Some(began) = self.began(phase) else {
            return Duration::ZERO;
        };
        let next = self.began[phase as usize + 1..].iter().flatten().next();
        next.copied().unwrap_or_else(Instant::now) - began
    }
}

/// A load that works while connections are opened has no ramp.
pub(super) const fn first_phase(workload: &Workload) -> Phase {
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
