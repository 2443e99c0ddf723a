//! `test`: plays transcripts against a server and reports how they went.
//!
//! Each file is read and checked, then one task plays it: a [`Player`] says what to do, and this
//! moves it to the connections and back. Several files may run at once; they are reported in the
//! order in which they were named.

mod bless;
pub(super) mod files;
pub mod inspect;
mod mirror;
mod play;
mod reporting;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

pub use self::mirror::mirror;
use self::play::{Played, Shared};
use self::reporting::Prepared;
pub use self::reporting::Reporting;
use super::demo::Demo;
use super::signals::Signals;
use super::spawn::Spawned;
use crate::error::{Error, ExitCode};
use crate::model::secret::known::Named;
use crate::model::secret::stand_in::StandIns;
use crate::session::client;
use crate::session::secret_source::{self, NamedSecret};
use crate::text::output::Output;
use crate::text::sanitize;
use crate::text::style::{Ink, Style};
use crate::transcript::outcome::{FileOutcome, Outcome, first_of};
use crate::transcript::report::text::Text;
use crate::transcript::variables::Given;
use crate::wire::target::Target;
use crate::wire::upgrade;

/// What `test` does.
#[derive(Debug)]
pub struct Plan {
    /// Files and folders, as they were named.
    pub paths: Vec<PathBuf>,
    /// How to connect; `connect` says where to.
    pub client: client::Plan,
    /// `--url`: what `--spawn` waits for. As `{{url}}` it is among the variables.
    pub url: Option<Target>,
    /// `--url demo`: an echo server inside the process.
    pub demo: bool,
    pub variables: HashMap<String, String>,
    pub secrets: Vec<NamedSecret>,
    /// How long an expectation waits that has no `within`.
    pub timeout: Duration,
    /// So many files at once.
    pub jobs: usize,
    /// How often a file that failed is played again.
    pub retry: u32,
    /// Only files with this in their path.
    pub only: Option<String>,
    /// Write what came into the lines that failed.
    pub bless: bool,
    /// Begin no more files after one that failed.
    pub fail_fast: bool,
    /// `--report`
    pub reports: Vec<Reporting>,
    /// `--spawn`: the command that starts the server.
    pub spawn: Option<String>,
    /// Files are read below this folder, not below the transcript's own.
    pub file_root: Option<PathBuf>,
    pub verbose: bool,
    /// Of stdout and of stderr.
    pub style: Style,
    pub talk_style: Style,
    /// `--max-time`: then exit 7.
    pub max_time: Option<Duration>,
    pub notes: Vec<String>,
}

/// The variable that `--url` gives a value.
pub const URL: &str = "url";

/// Why a run is ended from outside; what every file is told.
type Stop = watch::Receiver<Option<ExitCode>>;

/// Runs it to its end.
///
/// # Errors
/// What keeps it from beginning: a path that is not there, a server that does not start.
pub async fn run(mut plan: Plan, output: Output) -> Result<ExitCode, Error> {
    let began = Instant::now();
    let max_time = plan.max_time.map(|limit| began + limit);
    let mark = plan.talk_style.paint(Ink::Dim, "wscope:").into_owned();
    for text in &plan.notes {
        output.talk(format!("{mark} {text}\n").as_bytes());
    }
    let paths = files::find(&plan.paths, plan.only.as_deref())?;
    let demo = if plan.demo {
        Some(Demo::start().await?)
    } else {
        None
    };
    if let Some(demo) = &demo {
        let url = format!("ws://{}", demo.target().address());
        plan.variables.insert(URL.into(), url);
    }
    let mut signals = Signals::listen()?;
    let spawned = match &plan.spawn {
        Some(command) => tokio::select! {
            spawned = Spawned::start(command, plan.url.as_ref(), plan.client.wait_for_server, None) => {
                Some(spawned?)
            }
            signal = signals.next() => return Ok(signal.exit_code()),
            () = super::at(max_time) => {
                let text = "--max-time has passed before the server of --spawn listened";
                output.talk(format!("{mark} {text}\n").as_bytes());
                return Ok(ExitCode::TIMEOUT);
            }
        },
        None => None,
    };
    let reports: Vec<Prepared> = plan
        .reports
        .iter()
        .map(Reporting::prepare)
        .collect::<Result<_, _>>()?;
    // Where a report for programs has stdout, people read stderr.
    let aside = plan.reports.iter().any(Reporting::has_stdout);
    let report = Text {
        verbose: plan.verbose,
        style: if aside { plan.talk_style } else { plan.style },
    };
    let readers = Readers {
        report,
        output: output.clone(),
        mark,
        aside,
    };
    let shared = Arc::new(Shared::new(&plan, given(&plan).await?));
    let (stop, stopped) = watch::channel(None);
    let all = paths.len();
    let running = play_all(&plan, shared, paths, stopped, &readers);
    tokio::pin!(running);
    let files = loop {
        tokio::select! {
            files = &mut running => break files,
            signal = signals.next() => {
                // The first one lets connections close; the second one does not wait for them.
                if stop.send_replace(Some(signal.exit_code())).is_some() {
                    return Ok(signal.exit_code());
                }
            }
            () = super::at(max_time), if stop.borrow().is_none() => {
                stop.send_replace(Some(ExitCode::TIMEOUT));
            }
        }
    };
    if let Some(spawned) = spawned {
        spawned.stop().await;
    }
    let outcome = Outcome {
        not_run: all - files.len(),
        files,
        elapsed: began.elapsed(),
    };
    readers.tell(&report.summary(&outcome));
    // Where the run ended between two files, none of them says so.
    let stopped = stop.borrow().filter(|_| outcome.not_run > 0);
    let mut code = first_of([outcome.code()].into_iter().chain(stopped));
    for report in reports {
        let Err(error) = report.write(&outcome, &output) else {
            continue;
        };
        readers.note(&error.to_string());
        // How the tests went says more than that.
        if code == ExitCode::DONE {
            code = error.exit_code();
        }
    }
    tokio::select! {
        written = output.finish() => written.map(|()| code),
        signal = signals.next() => Ok(signal.exit_code()),
    }
}

/// Those who read along while it runs.
struct Readers {
    report: Text,
    output: Output,
    /// What begins a note.
    mark: String,
    /// On stderr.
    aside: bool,
}

impl Readers {
    /// A sentence about the run itself.
    fn note(&self, text: &str) {
        let text = sanitize::line(text);
        self.output
            .talk(format!("{} {text}\n", self.mark).as_bytes());
    }

    fn tell(&self, text: &str) {
        if self.aside {
            self.output.talk(text.as_bytes());
        } else {
            self.output.data(text.as_bytes());
        }
    }
}

/// The values from outside, the secrets looked up.
async fn given(plan: &Plan) -> Result<Given, Error> {
    Ok(Given {
        variables: plan.variables.clone(),
        secrets: secret_source::declare(&plan.secrets).await?,
        hidden: shown_in_handshake(&plan.client).await?,
    })
}

/// The secrets of `--url`, `--bearer`, `--auth`, `--cookie` and `-H`, as recordings find them. What a
/// command prints anew for each connection is not among them.
async fn shown_in_handshake(client: &client::Plan) -> Result<Vec<Named>, Error> {
    let request = if client.secrets.vary() {
        client.request.clone()
    } else {
        client.secrets.fill(&client.request, &client.tls).await?.0
    };
    let mut found = StandIns::default();
    found.learn_request(&upgrade::request(&client.target, &request, ""));
    Ok(found.values().collect())
}

/// Plays all files, so many at once as the plan says, and reports each in its turn.
async fn play_all(
    plan: &Plan,
    shared: Arc<Shared>,
    paths: Vec<PathBuf>,
    stop: Stop,
    readers: &Readers,
) -> Vec<FileOutcome> {
    let permits = Arc::new(Semaphore::new(plan.jobs));
    let (failed, has_failed) = watch::channel(false);
    let failed = Arc::new(failed);
    let tasks: Vec<JoinHandle<Option<Played>>> = paths
        .into_iter()
        .map(|path| {
            let (shared, permits) = (Arc::clone(&shared), Arc::clone(&permits));
            let (failed, has_failed) = (Arc::clone(&failed), has_failed.clone());
            let (stop, fail_fast) = (stop.clone(), plan.fail_fast);
            tokio::spawn(async move {
                // The semaphore is never closed.
                let _permit = permits.acquire_owned().await.ok()?;
                if stop.borrow().is_some() || fail_fast && *has_failed.borrow() {
                    return None;
                }
                let played = shared.file(&path, stop).await;
                if !played.outcome.has_passed() {
                    failed.send_replace(true);
                }
                Some(played)
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        let played = match task.await {
            Ok(played) => played,
            // Nothing aborts a task. One that panicked has said so, and the run has not passed.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let Some(Played { outcome, notes }) = played else {
            continue;
        };
        readers.tell(&readers.report.file(&outcome));
        for note in notes {
            readers.note(&note);
        }
        outcomes.push(outcome);
    }
    outcomes
}
