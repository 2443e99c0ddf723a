//! Whoever watches a load: nobody, who reads lines, or who sits before the full screen.

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::bench::hold::Hold;
use crate::bench::report::{Glyphs, REPORTS};
use crate::bench::result::{self, Facets, SearchStep};
use crate::bench::run::{Finished, Second, Setting, Stop, Watch};
use crate::bench::search::FindMax;
use crate::bench::shared::Shared;
use crate::bench::{live, machine};
use crate::command::signals::{Continuations, Signal, Signals};
use crate::error::{Error, cause_text};
use crate::text::output::Output;
use crate::tui::bench::scene::{About, Board, Glance, Scene};
use crate::tui::bench::screen::{Request, Screen, Setup};

use super::exposition::Exposition;
use super::results::Results;

/// How often it is looked what moves between two seconds.
const GLANCE: Duration = Duration::from_millis(100);

/// `--live`: what is shown while the load goes on.
#[derive(Debug, Clone)]
pub enum Live {
    Nothing,
    /// A line every second.
    Lines,
    Screen(Box<Setup>),
}

/// What a person asks of the run.
pub(super) enum Asked {
    Stop(Stop),
    /// As if the signal had come.
    Signal(Signal),
}

/// The screen, if there is one, and what it is told.
pub(super) struct Viewer {
    screen: Option<(Screen, Board)>,
    stays: bool,
    started: Instant,
    shared: Arc<Shared>,
    hold: Arc<Hold>,
    wants_snapshot: Arc<AtomicBool>,
    tick: Interval,
    continuations: Continuations,
    before: Option<Glance>,
}

impl Viewer {
    /// Takes the terminal over where a screen is asked for.
    ///
    /// # Errors
    /// There is no terminal, or a thread cannot be started.
    pub(super) async fn open(
        live: &Live,
        setting: &Setting,
        facets: &Facets<'_>,
        results: &Results,
        output: &Output,
    ) -> Result<Self, Error> {
        let workload = Arc::clone(&setting.workload);
        let hold = Arc::clone(&workload.hold);
        let (screen, stays) = match live {
            Live::Nothing | Live::Lines => (None, false),
            Live::Screen(setup) => {
                let about = About {
                    url: facets.target.clone(),
                    steps: workload.steps().to_vec(),
                    workload,
                    thresholds: facets.thresholds.to_vec(),
                    past: results.past(setting.workload.main_latency()).map(Arc::new),
                    dns: setting.dns,
                    local: facets.local,
                    cpus: machine::cpus(),
                    files: machine::file_limits().0,
                };
                let board = Board::new(Scene::new(about));
                // What is being written would end up on the screen.
                output.settled().await;
                let screen = Screen::start((**setup).clone(), &board, output)?;
                (Some((screen, board)), setup.stay)
            }
        };
        let mut tick = interval(GLANCE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            screen,
            stays,
            started: Instant::now(),
            shared: Arc::clone(&setting.shared),
            hold,
            wants_snapshot: Arc::default(),
            tick,
            continuations: Continuations::listen()?,
            before: None,
        })
    }

    /// A search begins its next load, which is what there is to see from now on.
    pub(super) fn try_next(&mut self, setting: &Setting, sought: &FindMax, number: usize) {
        self.started = Instant::now();
        self.shared = Arc::clone(&setting.shared);
        self.hold = Arc::clone(&setting.workload.hold);
        self.before = None;
        if let Some((_, board)) = &self.screen {
            let workload = Arc::clone(&setting.workload);
            board.write(|scene| scene.try_next(sought, number, workload));
        }
    }

    /// What became of that.
    pub(super) fn judged(&self, step: &SearchStep) {
        if let Some((_, board)) = &self.screen {
            board.write(|scene| scene.judged(step.clone()));
        }
    }

    /// Who is told of every second.
    pub(super) fn watcher<'a>(
        &self,
        live: &Live,
        facets: &'a Facets<'a>,
        exposition: Exposition,
        output: &Output,
    ) -> Watcher<'a> {
        Watcher {
            lines: matches!(live, Live::Lines),
            facets,
            exposition,
            board: self.screen.as_ref().map(|(_, board)| board.clone()),
            wants_snapshot: Arc::clone(&self.wants_snapshot),
            output: output.clone(),
        }
    }

    /// What is asked for next; for ever where nobody watches. Cancel-safe.
    ///
    /// # Errors
    /// The screen has failed.
    pub(super) async fn next(&mut self) -> Result<Asked, Error> {
        loop {
            let Some((screen, _)) = &mut self.screen else {
                return pending().await;
            };
            let request = tokio::select! {
                request = screen.next() => request,
                _ = self.tick.tick() => {
                    self.glance();
                    continue;
                }
                () = self.continuations.next() => {
                    screen.refresh();
                    continue;
                }
            };
            match request {
                Some(Request::Stop | Request::Leave) => return Ok(Asked::Stop(Stop::Gently)),
                Some(Request::Abort) => return Ok(Asked::Stop(Stop::Now)),
                Some(Request::Interrupt) => return Ok(Asked::Signal(Signal::Interrupt)),
                Some(Request::Gone) | None => {
                    self.screen = None;
                    return Ok(Asked::Signal(Signal::Hangup));
                }
                Some(Request::Failed(error)) => return Err(error),
                Some(Request::Hold) => {
                    self.hold.toggle(Instant::now());
                    self.glance();
                }
                Some(Request::Snapshot) => self.wants_snapshot.store(true, Ordering::Relaxed),
            }
        }
    }

    /// Tells the screen what moves between two seconds, where it has moved.
    fn glance(&mut self) {
        let Some((_, board)) = &self.screen else {
            return;
        };
        let now = Instant::now();
        let glance = Glance {
            at: now - self.started,
            phase: self.shared.phase(),
            open: self.shared.open(),
            lost: self.hold.lost(now),
            held: self.hold.is_held(),
        };
        let seen = |glance: Glance| (glance.at.as_secs(), glance.phase, glance.open, glance.held);
        if self.before.map(seen) != Some(seen(glance)) {
            self.before = Some(glance);
            board.write(|scene| scene.glance(glance));
        }
    }

    /// The run is over: gives the terminal back, unless the screen is to stay.
    pub(super) fn over(&mut self) {
        if !self.stays {
            self.screen = None;
        }
    }

    /// Gives the terminal back; with `--stay` when a person has seen enough.
    pub(super) async fn close(&mut self, verdict: &str, signals: &mut Signals) {
        if let Some((screen, board)) = &mut self.screen
            && self.stays
        {
            board.write(|scene| scene.end(verdict));
            loop {
                tokio::select! {
                    _ = signals.next() => break,
                    () = self.continuations.next() => screen.refresh(),
                    request = screen.next() => match request {
                        // What was asked for while the run ended has nothing to act on.
                        Some(Request::Hold | Request::Snapshot | Request::Stop) => {}
                        _ => break,
                    },
                }
            }
        }
        self.screen = None;
    }
}

/// Tells whoever watches of every second, and saves what there is so far where that is asked for.
pub(super) struct Watcher<'a> {
    lines: bool,
    facets: &'a Facets<'a>,
    exposition: Exposition,
    board: Option<Board>,
    wants_snapshot: Arc<AtomicBool>,
    output: Output,
}

impl Watch for Watcher<'_> {
    fn second(&mut self, second: &Second) {
        self.exposition.observe(second);
        if self.lines {
            self.output.talk(live::line(second).as_bytes());
        }
        if let Some(board) = &self.board {
            board.write(|scene| scene.hear(second));
        }
    }

    fn wants_all(&mut self) -> bool {
        self.wants_snapshot.swap(false, Ordering::Relaxed)
    }

    fn so_far(&mut self, all: &Finished) {
        let (Some(board), Some(json)) = (
            self.board.clone(),
            REPORTS.iter().find(|report| report.name == "json"),
        ) else {
            return;
        };
        let result = result::result(all, self.facets);
        let path = PathBuf::from(snapshot_name(&result.run.ended_at));
        let bytes = json.written(&result, Glyphs::Ascii);
        // A disk may be slow.
        tokio::task::spawn_blocking(move || {
            let said = match save(&path, &bytes) {
                Ok(path) => format!("the result so far is in {}", path.display()),
                Err(cause) => format!(
                    "the result so far could not be saved to {}: {}",
                    path.display(),
                    cause_text(&cause)
                ),
            };
            board.write(|scene| scene.say(&said));
        });
    }
}

/// `wscope-bench-20261128T054336Z.json`, of a time as a result has it.
fn snapshot_name(time: &str) -> String {
    let second = time.split('.').next().unwrap_or(time);
    let digits: String = second.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("wscope-bench-{}Z.json", digits.trim_end_matches('Z'))
}

/// Writes a file that is not there yet; says where it is.
fn save(path: &PathBuf, bytes: &[u8]) -> std::io::Result<PathBuf> {
    use std::io::Write as _;
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(bytes)?;
    Ok(path.canonicalize().unwrap_or_else(|_| path.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_named_by_its_time() {
        for (time, name) in [
            (
                "2026-11-28T05:43:36.020000Z",
                "wscope-bench-20261128T054336Z.json",
            ),
            ("2026-11-28T05:43:36Z", "wscope-bench-20261128T054336Z.json"),
        ] {
            assert_eq!(snapshot_name(time), name);
        }
    }
}
