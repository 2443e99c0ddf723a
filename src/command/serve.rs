//! `serve`: a test server, its ready line, one line per event, and its end: on a signal, after a
//! time, or with the command that was run against it. It does not end because nobody reads its log any
//! more: a script reads the URL in the first line, and no further.

use std::future::pending;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::time::sleep;

use super::audience::Audience;
use super::leaving::{self, Bounds};
use super::signals::Signals;
use super::spawn::{Group, shell};
use super::viewer::Viewer;
use crate::error::{Error, ExitCode};
use crate::model::event::{Event, Problem, What};
use crate::model::units::exact_duration;
use crate::serve::expectation::Expectation;
use crate::serve::log::LogReader;
use crate::serve::{self, Server};
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::tui::serve::scene::Board;
use crate::tui::serve::screen::Setup;
use crate::view;
use crate::view::outcome::{Conditions, Stop};
use crate::wire::tls::ServerPlan;

/// What `serve` does.
#[derive(Debug)]
pub struct Plan {
    pub server: serve::Plan,
    pub view: view::Plan,
    /// `--tui`.
    pub screen: Option<Setup>,
    /// `--duration`.
    pub duration: Option<Duration>,
    /// `--exec`: run by the shell with WSCOPE_URL set; the end of it is the end of the server.
    pub exec: Option<String>,
    /// `--expect`: what clients have to have done by the end.
    pub expect: Vec<Expectation>,
    pub notes: Vec<String>,
}

/// Events that are told in one go: on a screen they leave nothing to be flushed.
const MOST_AT_ONCE: usize = 1_024;

/// Runs it to its end.
///
/// # Errors
/// It cannot listen, or not run the command.
pub async fn run(plan: Plan, output: Output) -> Result<ExitCode, Error> {
    let mut signals = Signals::listen()?;
    let stamp = Stamp::start();
    let self_signed = matches!(plan.server.tls, Some(ServerPlan::SelfSigned));
    let board = Board::default();
    let mode = plan.server.mode.mode.name;
    let script = plan.server.mode.script.clone();
    let (server, mut log) = Server::bind(plan.server, stamp.clone()).await?;
    let conditions = Conditions {
        serving: true,
        ..Conditions::default()
    };
    let mut audience = Audience::new(plan.view, conditions, stamp.clone(), output.clone());
    if let Some(script) = script {
        audience.hide(script.secrets.clone());
    }
    board.write(|scene| {
        scene.url = server.url().to_owned();
        scene.mode = mode;
        scene.notes.extend(plan.notes.iter().cloned());
    });
    for note in &plan.notes {
        audience.note(note);
    }
    audience.tell(What::Listening {
        url: server.url().to_owned(),
    });
    if let Some(pin) = server.pin().filter(|_| self_signed) {
        let note = format!("clients trust it with --pin {pin}");
        audience.note(&note);
        board.write(|scene| scene.note(&note));
    }
    audience.flush();
    let hub = server.hub();
    let mut viewer = Viewer::open(plan.screen, board, stamp, &output).await?;
    audience.set_on_screen(viewer.is_open());
    let mut exec = plan
        .exec
        .as_deref()
        .map(|line| start(line, server.url()))
        .transpose()?;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(server.run(async {
        // Dropping the sender is the signal too.
        let _ = ended.await;
    }));
    let mut exec_code = None;
    let board = viewer.board();
    tokio::select! {
        signal = signals.next() => audience.stop(Stop::Signal(signal.exit_code())),
        () = follow(&mut log, &mut audience, board.as_ref()) => {}
        () = over(plan.duration) => {
            audience.stop(Stop::OnPurpose);
            if let Some(duration) = plan.duration.filter(|_| exec.is_some()) {
                audience.tell(still_runs(duration));
                exec_code = Some(ExitCode::TIMEOUT);
            }
        }
        status = ended_exec(exec.as_mut()) => {
            exec_code = Some(status?);
            audience.stop(Stop::OnPurpose);
        }
        left = viewer.serve(&hub) => {
            left?;
            audience.stop(Stop::OnPurpose);
        }
    }
    if let Some(exec) = exec {
        // What it has left behind ends too.
        exec.end_all().await;
    }
    drop(end);
    tokio::select! {
        _ = server => {}
        _ = signals.next() => {}
        () = follow(&mut log, &mut audience, board.as_ref()) => {}
    }
    // The terminal is restored before anyone is waited for.
    let farewell = viewer.close();
    audience.set_on_screen(false);
    while let Some(event) = log.try_next() {
        audience.hear(event);
    }
    for line in farewell {
        audience.note(&line);
    }
    judge(&plan.expect, &log, &mut audience, exec_code);
    leaving::leave(&mut audience, &mut signals, Bounds::default()).await
}

/// Says what was expected and did not come, and ends the run. The code of the command counts
/// first, if it is not 0.
fn judge(expect: &[Expectation], log: &LogReader, audience: &mut Audience, exec: Option<ExitCode>) {
    let figures = log.figures();
    let unmet: Vec<_> = expect
        .iter()
        .filter_map(|one| one.unmet(&figures))
        .collect();
    let is_met = unmet.is_empty();
    for message in unmet {
        audience.tell(What::Error(Box::new(Problem {
            kind: "unmet",
            message,
            hint: None,
        })));
    }
    let exec = exec.filter(|code| *code != ExitCode::DONE);
    let unmet = (!is_met).then_some(ExitCode::NOT_MET);
    if let Some(code) = exec.or(unmet) {
        audience.outcome.decide(code);
    }
    audience.end(0);
}

async fn over(duration: Option<Duration>) {
    match duration {
        Some(duration) => sleep(duration).await,
        None => pending().await,
    }
}

/// Starts the command. What it prints goes where our own output goes.
fn start(line: &str, url: &str) -> Result<Group, Error> {
    let mut shell = shell(line);
    shell.env("WSCOPE_URL", url).stdin(Stdio::null());
    Group::start(&mut shell).map_err(exec_failed)
}

/// What there is to tell of a command that was not done in time: a test that hangs has not passed.
fn still_runs(duration: Duration) -> What {
    let duration = exact_duration(duration);
    What::Error(Box::new(Problem {
        kind: "timeout",
        message: format!("--exec still ran when --duration {duration} was over"),
        hint: None,
    }))
}

/// Its exit code once it has ended; never without one.
async fn ended_exec(exec: Option<&mut Group>) -> Result<ExitCode, Error> {
    match exec {
        Some(exec) => exec.wait().await.map(code_of).map_err(exec_failed),
        None => pending().await,
    }
}

/// As a shell tells it: 128 and the number of the signal that ended it.
fn code_of(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    let code = code.and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::INTERNAL, ExitCode)
}

fn exec_failed(cause: std::io::Error) -> Error {
    Error::Io {
        doing: "running --exec".into(),
        cause,
    }
}

/// Tells the audience, and a screen, what is in the log, in batches, as long as there is a server
/// that writes it.
pub(super) async fn follow(log: &mut LogReader, audience: &mut Audience, board: Option<&Board>) {
    let hear = |event: Event, audience: &mut Audience| {
        if let Some(board) = board {
            let mut shown = event.clone();
            audience.declared().redact(&mut shown);
            board.write(|scene| scene.hear(shown));
        }
        audience.hear(event);
    };
    while let Some(event) = log.next().await {
        hear(event, audience);
        // What is not flushed yet is not known to the output.
        let mut heard = 1;
        while heard < MOST_AT_ONCE && !audience.has_much() {
            let Some(event) = log.try_next() else { break };
            hear(event, audience);
            heard += 1;
        }
        if let Some(dropped) = log.dropped() {
            audience.tell(dropped);
        }
        audience.flush();
        audience.output.room().await;
    }
}
