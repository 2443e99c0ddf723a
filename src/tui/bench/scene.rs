//! A load as the screen sees it. Pure: it is told of seconds that are over, and of what moves between
//! them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::events::Events;
use super::metric::Point;
use super::past::Past;
use super::seeking::Seeking;
use crate::bench::figures::{ClosedBy, Figures, Latency};
use crate::bench::plan::{Pace, Workload};
use crate::bench::result::SearchStep;
use crate::bench::run::{EndReason, Generator, Second};
use crate::bench::script::Step;
use crate::bench::search::FindMax;
use crate::bench::shared::Phase;
use crate::bench::spread::{Row, table};
use crate::bench::threshold::{Measured, Threshold};
use crate::bench::verdict::{self, Facts, Verdict};
use crate::model::units::Thousands;

/// Seconds of charts: four hours.
pub(super) const MOST_POINTS: usize = 4 * 3600;

/// The scene between the run, which writes it, and the screen, which reads it.
pub type Board = crate::tui::board::Board<Scene>;

/// What a load is, before it begins.
#[derive(Debug, Clone)]
pub struct About {
    /// Redacted.
    pub url: String,
    pub workload: Arc<Workload>,
    /// Of the script that is played.
    pub steps: Vec<Step>,
    pub thresholds: Vec<Threshold>,
    /// An earlier run to be shown beside it (`--baseline`).
    pub past: Option<Arc<Past>>,
    /// How long DNS took, once for all connections.
    pub dns: Option<Duration>,
    /// The target is this machine.
    pub local: bool,
    /// Processors, and files that may be open.
    pub cpus: usize,
    pub files: u64,
}

/// What moves between two seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// From the start of the run.
    pub at: Duration,
    pub phase: Phase,
    pub open: usize,
    /// How long the course has stood still.
    pub lost: Duration,
    pub held: bool,
}

/// The load.
#[derive(Debug, Clone)]
pub struct Scene {
    pub(super) about: About,
    pub(super) now: Glance,
    /// Of the seconds that are over.
    pub(super) total: Figures,
    pub(super) points: VecDeque<Point>,
    pub(super) connecting: usize,
    pub(super) table: Vec<Row>,
    /// For each threshold whether it holds by now, and the value that it is judged by.
    pub(super) judged: Vec<(bool, Option<f64>)>,
    pub(super) verdict: Verdict,
    pub(super) generator: Generator,
    pub(super) events: Events,
    /// What is to be said once, and the number of that.
    pub(super) word: (u64, String),
    /// What a search knows by now, where this is one of its loads.
    pub(super) seeking: Option<Seeking>,
    /// How it ended, in one line.
    pub(super) end: Option<String>,
    /// When it was measured from.
    measured_from: Option<Duration>,
    peak: usize,
}

impl Scene {
    pub fn new(about: About) -> Self {
        let mut total = Figures::default();
        if let Some(dns) = about.dns {
            total.record(Latency::Dns, dns);
        }
        let mut scene = Self {
            now: Glance {
                at: Duration::ZERO,
                phase: Phase::Ramp,
                open: 0,
                lost: Duration::ZERO,
                held: false,
            },
            judged: vec![(false, None); about.thresholds.len()],
            about,
            total,
            points: VecDeque::new(),
            connecting: 0,
            table: Vec::new(),
            verdict: Verdict::default(),
            generator: Generator::default(),
            events: Events::default(),
            word: (0, String::new()),
            seeking: None,
            end: None,
            measured_from: None,
            peak: 0,
        };
        scene.table = scene.rows(&Figures::default());
        scene
    }

    /// A search begins its next load: all but what happened so far is of that one alone.
    pub fn try_next(&mut self, sought: &FindMax, number: usize, workload: Arc<Workload>) {
        let about = About {
            workload,
            ..self.about.clone()
        };
        let before = std::mem::replace(self, Self::new(about));
        self.word = before.word;
        self.events = before.events;
        self.events.begin_anew(before.now.at);
        let seeking = Seeking {
            sought: sought.clone(),
            number,
            steps: before
                .seeking
                .map_or_else(Vec::new, |seeking| seeking.steps),
        };
        self.events
            .push(Duration::ZERO, &seeking.under_way(), false);
        self.seeking = Some(seeking);
    }

    /// What became of a load of a search.
    pub fn judged(&mut self, step: SearchStep) {
        if let Some(seeking) = &mut self.seeking {
            seeking.steps.push(step);
        }
    }

    /// The latency that the load is mainly about.
    pub(super) fn main(&self) -> Latency {
        self.about.workload.main_latency()
    }

    /// Whether it is told who gets what is published.
    pub(super) fn fans_out(&self) -> bool {
        self.about.workload.fanout.is_some()
    }

    /// Why it cannot be compared with an earlier run, as it stands.
    pub(super) fn not_compared(&self) -> Option<String> {
        Past::refusal(&self.verdict)
    }

    /// Takes in what moves between two seconds.
    pub fn glance(&mut self, now: Glance) {
        let before = std::mem::replace(&mut self.now, now);
        self.peak = self.peak.max(now.open);
        if now.phase >= Phase::Measure && self.measured_from.is_none() {
            self.measured_from = Some(now.at);
        }
        if now.phase != before.phase {
            self.entered(now);
        }
        if now.held != before.held {
            let open = Thousands(now.open as u64);
            let text = if now.held {
                format!("held, {open} open")
            } else {
                format!("goes on after {}", super::events::clock(now.lost))
            };
            self.events.push(now.at, &text, false);
        }
        let stage = |glance: Glance| self.stage_at(glance).map(|(at, ..)| at);
        if stage(before) != stage(now)
            && let Some((at, from, to)) = self.stage_at(now)
        {
            let text = format!(
                "stage {}: {} to {} connections",
                at + 1,
                Thousands(from as u64),
                Thousands(to as u64)
            );
            self.events.push(now.at, &text, false);
        }
    }

    fn entered(&mut self, now: Glance) {
        let open = Thousands(now.open as u64);
        let text = match now.phase {
            Phase::Ramp => return,
            Phase::WarmUp => format!("{open} open, the load begins"),
            Phase::Measure => format!("{open} open, measured from here"),
            Phase::Drain => "nothing is sent any more; waiting for answers".to_owned(),
            Phase::Close => "connections are closed".to_owned(),
            Phase::Stop => "the run is over".to_owned(),
        };
        self.events.push(now.at, &text, false);
    }

    /// Takes in a second that is over.
    pub fn hear(&mut self, second: &Second) {
        self.note_first_failures(second);
        self.total.merge(&second.figures);
        self.connecting = second.connecting;
        self.generator = second.generator;
        self.peak = self.peak.max(second.open);
        if self.points.len() == MOST_POINTS {
            self.points.pop_front();
        }
        self.points.push_back(Point::of(second, self.main()));
        self.table = self.rows(&second.figures);
        self.judge();
    }

    fn rows(&self, last: &Figures) -> Vec<Row> {
        table(&self.total, last, &self.about.workload, &self.about.steps)
    }

    /// The first time that something goes wrong is an event.
    fn note_first_failures(&mut self, second: &Second) {
        for (name, seen) in &second.figures.errors {
            if !self.total.errors.contains_key(name) {
                let text = format!("{}x {name}: {}", Thousands(seen.count), seen.sample);
                self.events.push(second.at, &text, true);
            }
        }
        for (close, closes) in &second.figures.closes {
            let is_news = close.by != ClosedBy::Us && !self.total.closes.contains_key(close);
            if is_news {
                let reason = closes.reason.as_deref().unwrap_or_default();
                let text = format!(
                    "{}x close {} by {} {reason}",
                    Thousands(closes.count),
                    close.code,
                    close.by.name()
                );
                self.events.push(second.at, text.trim_end(), true);
            }
        }
    }

    fn judge(&mut self) {
        let workload = &self.about.workload;
        let time = self.measured();
        let measured = Measured {
            figures: &self.total,
            steps: &self.about.steps,
            open: self.now.open,
            time,
            opening: self.measured_from.unwrap_or(self.now.at),
        };
        let thresholds = self.about.thresholds.iter();
        self.judged = thresholds.map(|one| one.judge(&measured)).collect();
        self.verdict = verdict::judge(&Facts {
            figures: &self.total,
            open_loop: matches!(workload.pace, Pace::Open { .. }),
            measured: time,
            busiest: self.generator.busiest,
            ports: self.generator.ports,
            // Those that are not open yet are no reason to doubt.
            wanted: 0,
            peak: self.peak,
            local: self.about.local,
            // That nothing was sent is known at the end.
            sends: false,
            ended: EndReason::Duration,
            held: self.now.lost,
        });
        // It goes on.
        self.verdict
            .warnings
            .retain(|remark| remark.code != "short");
    }

    /// How long it has been measured.
    pub(super) fn measured(&self) -> Duration {
        let from = self.measured_from.unwrap_or(self.now.at);
        self.now.at.saturating_sub(from)
    }

    /// How far the course of the measured time is, without what it stood still.
    pub(super) fn course(&self) -> Duration {
        self.measured().saturating_sub(self.now.lost)
    }

    /// How much of the load is done, 0 to 1, where that is known.
    pub(super) fn progress(&self) -> Option<f64> {
        let workload = &self.about.workload;
        let part = match (self.now.phase, workload.end.duration, workload.end.messages) {
            (Phase::Ramp, ..) => self.now.open as f64 / workload.peak().max(1) as f64,
            (Phase::WarmUp, ..) => return None,
            (Phase::Measure, Some(duration), _) => {
                self.course().as_secs_f64() / duration.as_secs_f64().max(1e-3)
            }
            (Phase::Measure, None, Some(messages)) => {
                let sent = self.total.messages.sent.max(self.total.iterations.started);
                sent as f64 / messages.max(1) as f64
            }
            (Phase::Measure, None, None) => return None,
            (Phase::Drain | Phase::Close | Phase::Stop, ..) => 1.0,
        };
        Some(part.clamp(0.0, 1.0))
    }

    /// Which stage it is, counted from 0, and the connections before and after it.
    pub(super) fn stage(&self) -> Option<(usize, usize, usize)> {
        self.stage_at(self.now)
    }

    fn stage_at(&self, now: Glance) -> Option<(usize, usize, usize)> {
        let stages = self.about.workload.ramp.stages.as_ref()?;
        let (at, before) = stages.stage(now.at.saturating_sub(now.lost))?;
        Some((at, before, stages.0.get(at)?.level))
    }

    /// How many connections there should be.
    pub(super) fn wanted(&self) -> usize {
        self.about.workload.target(self.now.at)
    }

    /// When it was measured from, in seconds from its start.
    pub(super) fn measured_from(&self) -> Option<f64> {
        self.measured_from.map(|from| from.as_secs_f64())
    }

    /// When the run will be over, in seconds from its start, if that is known.
    pub(super) fn end_at(&self) -> Option<f64> {
        let from = self.measured_from?;
        let duration = self.about.workload.end.duration?;
        Some((from + duration + self.now.lost).as_secs_f64())
    }

    /// The last second that is over.
    pub(super) fn last(&self) -> Point {
        self.points.back().copied().unwrap_or_default()
    }

    /// Something that a person is to be told, and that is remembered.
    pub fn say(&mut self, text: &str) {
        self.events.push(self.now.at, text, false);
        self.word = (self.word.0 + 1, text.to_owned());
    }

    /// A sentence that somebody else printed.
    pub fn note(&mut self, text: &str) {
        self.events.push(self.now.at, text, false);
    }

    /// The load is over, and this is what came of it.
    pub fn end(&mut self, verdict: &str) {
        self.now.phase = Phase::Stop;
        self.events.push(self.now.at, verdict, false);
        self.end = Some(verdict.to_owned());
    }
}
