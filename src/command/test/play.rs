//! Plays one file: a player's wishes go to connections, what happens there goes back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::bless::Blessing;
use super::files::{self, Folder, is_archive};
use super::{Plan, Stop};
use crate::command::at;
use crate::error::ExitCode;
use crate::play::{Play, Stage};
use crate::session::stamp::Stamp;
use crate::transcript::outcome::{FileOutcome, StepResult};
use crate::transcript::player::{Player, Settings, Start};
use crate::transcript::variables::Given;

/// How long peers that are open may take to close after a signal or `--max-time`.
const GOODBYE: Duration = Duration::from_millis(500);

/// How a file was played, and what is to be said of it.
pub(super) struct Played {
    pub(super) outcome: FileOutcome,
    pub(super) notes: Vec<String>,
}

/// What the files of a run share.
pub(super) struct Shared {
    stage: Stage,
    given: Given,
    timeout: Duration,
    retry: u32,
    bless: bool,
    file_root: Option<PathBuf>,
}

impl Shared {
    pub(super) fn new(plan: &Plan, given: Given) -> Self {
        Self {
            stage: Stage {
                client: plan.client.clone(),
                stamp: Stamp::start(),
                connector: None,
            },
            given,
            timeout: plan.timeout,
            retry: plan.retry,
            bless: plan.bless,
            file_root: plan.file_root.clone(),
        }
    }

    /// Plays a file, again where that is asked for.
    pub(super) async fn file(&self, path: &Path, stop: Stop) -> Played {
        if self.bless {
            return self.bless(path, stop).await;
        }
        let mut attempts = 1;
        loop {
            let mut outcome = self.attempt(path, &stop).await;
            outcome.attempts = attempts;
            let is_over = outcome.has_passed() || stop.borrow().is_some();
            // What does not parse will not parse the next time.
            if is_over || attempts > self.retry || outcome.code() == ExitCode::USAGE {
                return Played {
                    outcome,
                    notes: Vec::new(),
                };
            }
            attempts += 1;
        }
    }

    /// Plays a file until it passes or a line stays as it is.
    async fn bless(&self, path: &Path, stop: Stop) -> Played {
        let mut blessing = Blessing::default();
        loop {
            let outcome = self.attempt(path, &stop).await;
            let is_over = outcome.has_passed() || stop.borrow().is_some();
            let refused = if is_over {
                None
            } else {
                match blessing.write(&outcome) {
                    Ok(()) => continue,
                    Err(why) => Some(why),
                }
            };
            return Played {
                outcome,
                notes: blessing.told().into_iter().chain(refused).collect(),
            };
        }
    }

    async fn attempt(&self, path: &Path, stop: &Stop) -> FileOutcome {
        let began = Instant::now();
        let shown = path.display().to_string();
        let folder = Folder::of(path, self.file_root.as_deref());
        let (program, given) = match files::program(path, &folder, &self.given) {
            Ok((program, given)) => (Arc::new(program), Arc::new(given)),
            Err(trouble) => {
                return FileOutcome {
                    path: shown,
                    steps: Vec::new(),
                    trouble,
                    elapsed: began.elapsed(),
                    attempts: 1,
                };
            }
        };
        let settings = Settings {
            timeout: self.timeout,
            given,
            files: Arc::new(folder),
        };
        let start = Start {
            now: began,
            wall: SystemTime::now(),
            seed: rand::random(),
        };
        let mut play = Play::new(&self.stage, Player::new(program, settings, start));
        let mut stop = stop.clone();
        let mut end = None;
        loop {
            tokio::select! {
                // First what ends it: a peer may always have more to say.
                biased;
                Ok(()) = stop.changed() => {
                    let was_playing = interrupt(&mut play, *stop.borrow());
                    // Where the peers are being closed already, they had their time.
                    let patience = if was_playing { GOODBYE } else { Duration::ZERO };
                    end = Some(Instant::now() + patience);
                }
                () = at(end) => break,
                happened = play.next() => if happened.is_none() { break },
            }
        }
        let mut outcome = play.into_player().outcome(shown, Instant::now());
        if is_archive(path) {
            say_where_lines_are(&mut outcome);
        }
        outcome
    }
}

/// The lines of an archive that was played are those of the transcript that was made of it.
fn say_where_lines_are(outcome: &mut FileOutcome) {
    let place = format!("wscope test --convert {} shows its lines", outcome.path);
    for step in &mut outcome.steps {
        if let StepResult::Failed(failure) = &mut step.result {
            failure.hint = Some(match failure.hint.take() {
                Some(hint) => format!("{hint}; {place}"),
                None => place.clone(),
            });
        }
    }
}

/// Whether it was still being played.
fn interrupt(play: &mut Play<'_>, code: Option<ExitCode>) -> bool {
    let code = code.unwrap_or(ExitCode::INTERNAL);
    let why = match code {
        ExitCode::TIMEOUT => "--max-time has passed",
        _ => "interrupted",
    };
    play.interrupt(code, why)
}
