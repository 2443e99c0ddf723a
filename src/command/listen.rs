//! `listen PORT`: a server whose clients one reads and talks to from a terminal or a pipe.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::audience::Audience;
use super::leaving::{self, Bounds};
use super::recording;
use super::signals::Signals;
use super::source::{Feed, Source, Stage};
use crate::error::{Error, ExitCode};
use crate::input::Input;
use crate::model::command::Command;
use crate::model::control::Control;
use crate::model::event::{ConnId, What};
use crate::serve::hub::Hub;
use crate::serve::log::LogReader;
use crate::serve::{self, Server};
use crate::session::secret_source::{self, NamedSecret};
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::tui::connect::scene::Board;
use crate::view;
use crate::view::outcome::{Conditions, Stop};

/// What `listen PORT` (and `-l PORT`) does.
#[derive(Debug)]
pub struct Plan {
    pub server: serve::Plan,
    /// Lines go to every client, `/to ID text` to one.
    pub source: Source,
    pub view: view::Plan,
    /// `-n`, `--until`.
    pub conditions: Conditions,
    /// `--duration`.
    pub duration: Option<Duration>,
    pub record: Option<recording::Plan>,
    /// `--secret`: values that are never shown.
    pub secrets: Vec<NamedSecret>,
    pub notes: Vec<String>,
}

/// Runs it to its end. The end of input is not the end of listening.
///
/// # Errors
/// It cannot listen, or record.
pub async fn run(plan: Plan, output: Output) -> Result<ExitCode, Error> {
    let mut signals = Signals::listen()?;
    let stamp = Stamp::start();
    let declared = secret_source::declare(&plan.secrets).await?;
    let (server, mut log) = Server::bind(plan.server, stamp.clone()).await?;
    let mut audience = Audience::new(plan.view, plan.conditions, stamp.clone(), output.clone());
    audience.hide(declared);
    if let Some(record) = &plan.record {
        audience.record(record)?;
    }
    for note in &plan.notes {
        audience.note(note);
    }
    audience.tell(What::Listening {
        url: server.url().to_owned(),
    });
    audience.flush();
    let hub = server.hub();
    let stage = Stage {
        board: &Board::default(),
        stamp: &stamp,
        output: &output,
    };
    let mut feed = Feed::start(plan.source, &stage).await?;
    feed.set_ready(true);
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(server.run(async {
        // Dropping the sender is the signal too.
        let _ = ended.await;
    }));
    let stop = talk(
        &mut audience,
        &mut feed,
        &hub,
        &mut log,
        plan.duration,
        &mut signals,
    )
    .await;
    audience.stop(stop);
    drop(feed);
    drop(end);
    tokio::select! {
        _ = server => {}
        _ = signals.next() => {}
        () = super::serve::follow(&mut log, &mut audience) => {}
    }
    while let Some(event) = log.try_next() {
        audience.hear(event);
    }
    audience.end(0);
    let bounds = Bounds {
        max_time: None,
        timed: plan.duration.is_some(),
        ..Bounds::default()
    };
    leaving::leave(&mut audience, &mut signals, bounds).await
}

/// Passes on what is typed and shows what arrives, until there is a reason to stop.
async fn talk(
    audience: &mut Audience,
    feed: &mut Feed,
    hub: &Arc<Hub>,
    log: &mut LogReader,
    duration: Option<Duration>,
    signals: &mut Signals,
) -> Stop {
    let output = audience.output.clone();
    let reader_gone = output.closed();
    tokio::pin!(reader_gone);
    let over = async {
        match duration {
            Some(duration) => sleep(duration).await,
            None => pending().await,
        }
    };
    tokio::pin!(over);
    loop {
        // A pipe waits for somebody to read it; a person is told that nobody does.
        let takes_input = !feed.has_ended() && (feed.is_person() || hub.has_room());
        tokio::select! {
            Some(event) = log.next(), if output.has_room() => {
                audience.hear(event);
                if let Some(dropped) = log.dropped() {
                    audience.tell(dropped);
                }
                if audience.outcome.is_reached() {
                    return Stop::OnPurpose;
                }
            }
            () = output.room(), if !output.has_room() => {}
            batch = feed.next(), if takes_input => match batch {
                Some(batch) => {
                    for input in batch.inputs {
                        if take(audience, hub, input) {
                            return Stop::OnPurpose;
                        }
                    }
                    if let Some(error) = batch.error {
                        audience.tell(What::Error(Box::new(error.problem())));
                        return Stop::OnPurpose;
                    }
                }
                None if feed.is_person() => return Stop::OnPurpose,
                None => {}
            },
            signal = signals.next() => return Stop::Signal(signal.exit_code()),
            () = &mut over => return Stop::OnPurpose,
            () = &mut reader_gone => return Stop::ReaderGone,
        }
        audience.flush();
    }
}

/// Carries out one input; whether it asks to leave.
fn take(audience: &mut Audience, hub: &Arc<Hub>, input: Input) -> bool {
    match input {
        Input::Command(command) => everyone(audience, hub, &command),
        Input::Wrong(sentence) => audience.note(&sentence),
        Input::Control(control) => {
            match audience.control(control) {
                Some(Control::Quit) => return true,
                Some(Control::To(id, command)) => one(audience, hub, id, command),
                Some(Control::State) => {
                    let clients = hub.len();
                    audience.note(&format!("listening, {clients} connected"));
                }
                Some(Control::Reconnect) => {
                    audience.note("/reconnect is for connect: here others connect");
                }
                Some(Control::Screen | Control::Line) => {
                    audience.note("listen PORT is shown in lines: the full screen is for connect and listen URL");
                }
                _ => {}
            }
        }
    }
    false
}

fn one(audience: &mut Audience, hub: &Hub, id: ConnId, command: Command) {
    if !hub.command(id, command) {
        audience.note(&format!("there is no client {id}"));
    }
}

fn everyone(audience: &mut Audience, hub: &Arc<Hub>, command: &Command) {
    if hub.everyone(command) == 0 {
        audience.note("not sent: nobody is connected");
    }
}
