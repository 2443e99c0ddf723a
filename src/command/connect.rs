//! `connect` and `listen URL...`: sessions, what feeds them, and what becomes of their events.
//!
//! One loop, and nothing in it waits alone: events of the sessions go to the audience, commands
//! from a person or a pipe go to the sessions as soon as there is room for them. Where stdout is
//! blocked, sockets are not read; where a socket is blocked, stdin is not read.

mod faces;
mod typed;

use std::time::{Duration, Instant};

use super::answers::{self, Answers};
use super::audience::Audience;
use super::demo::Demo;
use super::inputs::Inputs;
use super::leaving::{self, Bounds};
use super::limits::{Due, Limits, Timer};
use super::recording;
use super::sessions::Sessions;
use super::signals::{Continuations, Signal, Signals};
use super::source::{Face, Feed, Source, Stage};
use crate::error::{Error, ExitCode};
use crate::input::{Batch, Input};
use crate::model::control::Control;
use crate::model::event::{Direction, Event, Problem, What};
use crate::model::secret::known::Known;
use crate::model::units::show_duration;
use crate::session::client;
use crate::session::secret_source::{self, NamedSecret};
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::tui::connect::scene::Board;
use crate::view;
use crate::view::outcome::{Conditions, Stop};

/// What `connect` and `listen URL...` do.
#[derive(Debug)]
pub struct Plan {
    /// One for `connect`, one or more for `listen`.
    pub clients: Vec<client::Plan>,
    /// Talk to an echo server inside the process: its address replaces the target of all clients
    /// whose number is listed here.
    pub demo: Vec<usize>,
    pub source: Source,
    pub view: view::Plan,
    /// What must come true: `-n`, `--until`, `--expect-close`.
    pub conditions: Conditions,
    pub limits: Limits,
    pub record: Option<recording::Plan>,
    /// `--secret`: values that are never shown.
    pub secrets: Vec<NamedSecret>,
    /// `--echo`, `--reply`: messages that are answered by rule.
    pub answers: answers::Plan,
    /// What the command line set up, in a few words each; shown on the screen.
    pub setup: Vec<String>,
    /// Said before anything else: dropped headers, credentials over plain ws.
    pub notes: Vec<String>,
}

/// Events that are taken from the sessions in one go. Where messages are answered it is one, so that
/// no answer comes after what followed its message.
const BATCH_EVENTS: usize = 512;

/// How long a closing handshake may take once `--max-time` has passed or the reader of stdout left.
const LATE_CLOSE: Duration = Duration::from_millis(500);

/// Runs it to its end.
///
/// # Errors
/// What keeps it from beginning. All else is told as events and in the exit code.
pub async fn run(mut plan: Plan, output: Output) -> Result<ExitCode, Error> {
    let demo = match plan.demo.as_slice() {
        [] => None,
        _ => Some(Demo::start().await?),
    };
    for &at in &plan.demo {
        if let (Some(demo), Some(client)) = (&demo, plan.clients.get_mut(at)) {
            client.target = demo.target().clone();
        }
    }
    let mut signals = Signals::listen()?;
    let mut continuations = Continuations::listen()?;
    let declared = secret_source::declare(&plan.secrets).await?;
    let mut talk = Talk::begin(plan, declared, &output).await?;
    talk.run(&mut signals, &mut continuations).await;
    talk.leave_screen();
    talk.end();
    let bounds = Bounds {
        max_time: talk.timer.max_time(),
        timed: talk.timer.has_duration(),
        leaves_screen: talk.stays,
        at_once: talk.at_once,
    };
    // The terminal is restored, and sockets are closed, before anyone is waited for.
    drop(talk.feed);
    drop(talk.sessions);
    leaving::leave(&mut talk.audience, &mut signals, bounds).await
}

/// A run under way.
struct Talk {
    sessions: Sessions,
    audience: Audience,
    feed: Feed,
    inputs: Inputs,
    answers: Answers,
    timer: Timer,
    finishing: bool,
    stamp: Stamp,
    /// What a screen shows.
    board: Board,
    /// Where a person wants to go on.
    switching: Option<Face>,
    /// Whether a connection was ever open.
    was_open: bool,
    /// A screen was there: the end of the connection is not the end of the run, for a person may
    /// want to look at it, or connect again.
    stays: bool,
    /// All sessions have ended, and the run has not.
    is_over: bool,
    /// It was asked to end while it was ending.
    at_once: bool,
}

/// What the loop waited for.
enum Turn {
    /// `None`: all sessions have ended.
    Events(Option<Vec<(usize, Event)>>),
    Input(Option<Batch>),
    Signal(Signal),
    /// The program was stopped, and goes on.
    Continued,
    Due(Due),
    ReaderGone,
    Room,
}

impl Talk {
    async fn begin(plan: Plan, declared: Known, output: &Output) -> Result<Self, Error> {
        let stamp = Stamp::start();
        let board = Board::default();
        let mut audience = Audience::new(plan.view, plan.conditions, stamp.clone(), output.clone());
        audience.hide(declared.clone());
        if let Some(record) = &plan.record {
            audience.record(record)?;
        }
        if let Source::Person(person) = &plan.source {
            audience.set_board(board.clone());
            audience.set_on_screen(person.begins_on_screen);
            let urls = plan.clients.iter().map(|client| client.target.redacted());
            let urls: Vec<String> = urls.collect();
            let mut url = urls.join(" ");
            declared.redact_text(&mut url);
            board.write(|scene| {
                scene.url = url;
                scene.setup = plan.setup;
            });
        }
        for note in &plan.notes {
            audience.note(note);
        }
        audience.flush();
        let goal = audience.outcome.has_goal();
        let stage = Stage {
            board: &board,
            stamp: &stamp,
            output,
        };
        let feed = Feed::start(plan.source, &stage).await?;
        Ok(Self {
            sessions: Sessions::new(plan.clients, &stamp),
            audience,
            stays: feed.face() == Some(Face::Screen),
            feed,
            inputs: Inputs::default(),
            answers: Answers::new(plan.answers),
            timer: Timer::start(plan.limits, goal, Instant::now()),
            finishing: false,
            stamp,
            board,
            switching: None,
            was_open: false,
            is_over: false,
            at_once: false,
        })
    }

    async fn run(&mut self, signals: &mut Signals, continuations: &mut Continuations) {
        let output = self.audience.output.clone();
        let reader_gone = output.closed();
        tokio::pin!(reader_gone);
        let mut reader_is_gone = false;
        let most = if self.answers.are_wanted() {
            1
        } else {
            BATCH_EVENTS
        };
        loop {
            self.pass_on();
            self.switch().await;
            if self.is_over && self.finishing {
                return;
            }
            let takes_input = self.takes_input();
            let room = output.has_room();
            let limit = self.timer.next(self.finishing);
            let turn = tokio::select! {
                events = self.sessions.next(most), if !self.is_over => Turn::Events(events),
                batch = self.feed.next(), if takes_input => Turn::Input(batch),
                signal = signals.next() => Turn::Signal(signal),
                () = continuations.next() => Turn::Continued,
                due = reached(limit) => Turn::Due(due),
                () = &mut reader_gone, if !reader_is_gone => Turn::ReaderGone,
                () = output.room(), if !room => Turn::Room,
            };
            // Before anything is said of it, so that the line below tells how things stand.
            self.feed.set_ready(self.sessions.is_open());
            match turn {
                Turn::Events(Some(events)) => {
                    for (client, event) in events {
                        self.happened(client, event);
                    }
                    if self.audience.outcome.is_reached() {
                        self.finish(Stop::OnPurpose);
                    }
                }
                Turn::Events(None) if self.stays() => self.over(),
                Turn::Events(None) => {
                    self.watch_upload();
                    return;
                }
                // Whoever quits twice does not wait for the peer's Close.
                Turn::Input(Some(batch)) if self.finishing => {
                    if batch.inputs.contains(&Input::Control(Control::Quit)) {
                        self.at_once = true;
                        return;
                    }
                }
                Turn::Input(batch) => self.take(batch),
                Turn::Signal(signal) => {
                    let again = self.finishing;
                    self.finish(Stop::Signal(signal.exit_code()));
                    if again {
                        self.at_once = true;
                        return;
                    }
                }
                Turn::Continued => self.refresh().await,
                Turn::Due(due) => {
                    let again = self.finishing;
                    self.due(due);
                    if again {
                        return;
                    }
                }
                Turn::ReaderGone => {
                    reader_is_gone = true;
                    self.finish(Stop::ReaderGone);
                    self.hurry();
                }
                Turn::Room => {}
            }
            self.audience.flush();
        }
    }

    fn happened(&mut self, client: usize, event: Event) {
        let now = Instant::now();
        if let What::Open(_) = event.what {
            self.was_open = true;
            self.timer.opened(now);
        }
        if let Some(patience) = self.timer.patience() {
            match &event.what {
                What::Message {
                    dir: Direction::In, ..
                } => patience.received(now),
                What::Message { .. } | What::Open(_) => patience.sent(now),
                What::Retry { .. } => patience.unsent(),
                _ => {}
            }
        }
        if let What::Message {
            dir: Direction::Out,
            message,
            ..
        } = &event.what
        {
            self.inputs.wrote(client, message, &mut self.audience);
        }
        if !self.finishing {
            self.answers.consider(client, &event.what, &self.sessions);
        }
        self.audience.hear(event);
    }

    fn due(&mut self, due: Due) {
        match due {
            Due::MaxTime(limit) => {
                self.timer.max_time_passed();
                self.audience.tell(What::Error(Box::new(Problem {
                    kind: "timeout",
                    message: format!("not done after {}", show_duration(limit)),
                    hint: Some("--max-time allows more".into()),
                })));
                self.finish(Stop::MaxTime);
                self.hurry();
            }
            Due::NoPause(limit) => {
                let limit = show_duration(limit);
                self.audience.note(&format!(
                    "messages kept coming for {limit} after the input's end: closing \
                     (-n, --until or --duration say when to end, --wait allows more)"
                ));
                self.finish(Stop::OnPurpose);
            }
            Due::Duration | Due::Quiet => self.finish(Stop::OnPurpose),
        }
    }

    /// Closes every session and takes no more input.
    fn finish(&mut self, stop: Stop) {
        // What has ended already was ended by something else.
        if !self.is_over {
            self.audience.stop(stop);
        }
        self.finishing = true;
        self.sessions.finish();
    }

    /// Nobody waits for the closing handshake any more.
    fn hurry(&mut self) {
        for client in self.sessions.iter_mut() {
            client.hurry(LATE_CLOSE);
        }
    }

    fn end(&mut self) {
        let unsent = self.inputs.cut_off() + self.inputs.messages();
        self.audience.end(unsent);
    }
}

/// Returns when a limit is reached; never where there is none.
async fn reached(limit: Option<(Instant, Due)>) -> Due {
    super::at(limit.map(|(at, _)| at)).await;
    // Without a limit the line above never returns, and nothing is made up.
    match limit {
        Some((_, due)) => due,
        None => std::future::pending().await,
    }
}
