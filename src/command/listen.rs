//! `listen PORT`: a server whose clients one reads and talks to from a terminal or a pipe.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::audience::Audience;
use super::inputs::Inputs;
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
    let mut talk = Talk {
        audience,
        feed,
        hub,
        inputs: Inputs::default(),
    };
    let stop = talk.run(&mut log, plan.duration, &mut signals).await;
    let Talk {
        mut audience,
        feed,
        inputs,
        ..
    } = talk;
    audience.stop(stop);
    drop(feed);
    drop(end);
    tokio::select! {
        _ = server => {}
        _ = signals.next() => {}
        () = super::serve::follow(&mut log, &mut audience, None) => {}
    }
    while let Some(event) = log.try_next() {
        audience.hear(event);
    }
    audience.end(inputs.cut_off());
    let bounds = Bounds {
        max_time: None,
        timed: plan.duration.is_some(),
        ..Bounds::default()
    };
    leaving::leave(&mut audience, &mut signals, bounds).await
}

/// What is typed, and whom it is for.
struct Talk {
    audience: Audience,
    feed: Feed,
    hub: Arc<Hub>,
    inputs: Inputs,
}

impl Talk {
    /// Passes on what is typed and shows what arrives, until there is a reason to stop.
    async fn run(
        &mut self,
        log: &mut LogReader,
        duration: Option<Duration>,
        signals: &mut Signals,
    ) -> Stop {
        let output = self.audience.output.clone();
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
            if self.pass_on() {
                return self.stop(Stop::OnPurpose);
            }
            self.audience.flush();
            tokio::select! {
                Some(event) = log.next(), if output.has_room() => {
                    self.audience.hear(event);
                    if let Some(dropped) = log.dropped() {
                        self.audience.tell(dropped);
                    }
                    if self.audience.outcome.is_reached() {
                        return self.stop(Stop::OnPurpose);
                    }
                }
                () = output.room(), if !output.has_room() => {}
                batch = self.feed.next(), if self.takes_input() => match batch {
                    Some(batch) => {
                        self.inputs.extend(batch.inputs);
                        if let Some(error) = batch.error {
                            self.pass_on();
                            self.audience.tell(What::Error(Box::new(error.problem())));
                            return self.stop(Stop::OnPurpose);
                        }
                    }
                    None if self.feed.is_person() => return self.stop(Stop::OnPurpose),
                    None => {}
                },
                signal = signals.next() => return self.stop(Stop::Signal(signal.exit_code())),
                () = &mut over => return self.stop(Stop::OnPurpose),
                () = &mut reader_gone => return self.stop(Stop::ReaderGone),
            }
        }
    }

    /// A pipe waits for somebody to read it; a person is told that nobody does.
    fn takes_input(&self) -> bool {
        let is_person = self.feed.is_person();
        let waits = match self.inputs.upload() {
            Some(upload) => !is_person || !upload.has_room(),
            None => false,
        };
        !self.feed.has_ended()
            && !waits
            && self.inputs.is_empty()
            && (is_person || self.hub.has_room())
    }

    /// Carries out what was asked for; whether it asks to leave.
    fn pass_on(&mut self) -> bool {
        self.upload();
        // From a pipe everything keeps its place.
        while (self.inputs.upload().is_none() || self.feed.is_person()) && !self.inputs.is_empty() {
            if let Some(input) = self.inputs.take_next()
                && self.take(input)
            {
                return true;
            }
        }
        false
    }

    /// Carries out one input; whether it asks to leave.
    fn take(&mut self, input: Input) -> bool {
        let Self { audience, hub, .. } = self;
        match input {
            Input::Command(command) => {
                if hub.everyone(&command) == 0 {
                    audience.note("not sent: nobody is connected");
                }
            }
            Input::File(path) => self.begin_upload(&path),
            Input::Wrong(sentence) => audience.note(&sentence),
            Input::Control(control) => match audience.control(control) {
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
                    audience
                        .note("listen PORT is in lines: the screen is for connect and listen URL");
                }
                _ => {}
            },
        }
        false
    }

    fn begin_upload(&mut self, path: &Path) {
        if self.hub.is_empty() {
            self.audience.note("not sent: nobody is connected");
            return;
        }
        self.inputs.begin_upload(path, &mut self.audience);
        self.upload();
    }

    /// Sends more of a file, as far as everyone reads it.
    fn upload(&mut self) {
        while self.inputs.upload().is_some() {
            if self.hub.is_empty() {
                return self.inputs.cut(true, &mut self.audience);
            }
            if !self.hub.has_room() {
                return;
            }
            if let Some(piece) = self.inputs.next_piece(&mut self.audience) {
                self.hub.everyone(&piece);
                if let Command::Send(message) = &piece {
                    self.inputs.wrote(0, message, &mut self.audience);
                }
            } else {
                // Nothing is left to do for one that cannot be read any more.
                self.inputs.sent(&mut self.audience);
            }
        }
    }

    fn stop(&mut self, stop: Stop) -> Stop {
        self.inputs.cut(false, &mut self.audience);
        stop
    }
}

fn one(audience: &mut Audience, hub: &Hub, id: ConnId, command: Command) {
    if !hub.command(id, command) {
        audience.note(&format!("there is no client {id}"));
    }
}
