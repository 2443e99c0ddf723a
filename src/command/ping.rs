//! `ping`: opens a connection, sends pings, closes, and says how all that went.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::at;
use super::audience::Audience;
use super::demo::Demo;
use super::leaving::{self, Bounds};
use super::signals::Signals;
use super::volley::{self, Next, Volley};
use crate::error::{Error, ExitCode};
use crate::model::command::Command;
use crate::model::event::{Direction, Event, Problem, What};
use crate::model::units::show_duration;
use crate::session::client::{self, Client};
use crate::session::reference::Reference;
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::view;
use crate::view::outcome::{Conditions, Stop};

/// What `ping` does.
#[derive(Debug)]
pub struct Plan {
    pub client: client::Plan,
    /// Ping an echo server inside the process: its address replaces the target.
    pub demo: bool,
    pub volley: volley::Plan,
    /// Do the same on the reference implementation.
    pub cross_check: bool,
    pub view: view::Plan,
    pub conditions: Conditions,
    /// `--max-time`: then exit 7.
    pub max_time: Option<Duration>,
    /// Said before anything else: dropped headers, credentials over plain ws.
    pub notes: Vec<String>,
}

/// Runs it to its end.
///
/// # Errors
/// What keeps it from beginning. All else is told as events and in the exit code.
pub async fn run(mut plan: Plan, output: Output) -> Result<ExitCode, Error> {
    let demo = if plan.demo {
        Some(Demo::start().await?)
    } else {
        None
    };
    if let Some(demo) = &demo {
        plan.client.target = demo.target().clone();
    }
    let mut run = Run::begin(plan.view, plan.conditions, output, plan.max_time)?;
    for note in &plan.notes {
        run.audience.note(note);
    }
    let client = Client::new(plan.client.clone(), run.stamp.clone());
    run.converse(client, plan.volley).await;
    if plan.cross_check && !run.stopped {
        let reference = Reference::new(plan.client, run.stamp.clone());
        run.converse(reference, plan.volley).await;
    }
    run.end().await
}

/// Who holds the conversation.
trait Speaker {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>>;
    fn ping(&mut self, payload: Bytes);
    /// Closes with 1000; before it is open, gives up at once.
    fn finish(&mut self);
    fn set_reading(&mut self, reading: bool);
    /// The name in its events.
    fn name(&self) -> Option<&Arc<str>>;
}

impl Speaker for Client {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        Self::poll_next(self, cx)
    }

    fn ping(&mut self, payload: Bytes) {
        // One that closes meanwhile says so in its next event.
        let _ = self.send(Command::Ping(payload));
    }

    fn finish(&mut self) {
        Self::finish(self);
    }

    fn set_reading(&mut self, reading: bool) {
        Self::set_reading(self, reading);
    }

    fn name(&self) -> Option<&Arc<str>> {
        None
    }
}

impl Speaker for Reference {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        Self::poll_next(self, cx)
    }

    fn ping(&mut self, payload: Bytes) {
        Self::ping(self, payload);
    }

    fn finish(&mut self) {
        Self::finish(self);
    }

    fn set_reading(&mut self, reading: bool) {
        Self::set_reading(self, reading);
    }

    fn name(&self) -> Option<&Arc<str>> {
        Some(Self::name(self))
    }
}

/// A run under way.
struct Run {
    stamp: Stamp,
    audience: Audience,
    signals: Signals,
    deadline: Option<(Instant, Duration)>,
    /// Something has ended the run from this side.
    stopped: bool,
}

impl Run {
    fn begin(
        view: view::Plan,
        conditions: Conditions,
        output: Output,
        max_time: Option<Duration>,
    ) -> Result<Self, Error> {
        let stamp = Stamp::start();
        let audience = Audience::new(view, conditions, stamp.clone(), output);
        Ok(Self {
            stamp,
            audience,
            signals: Signals::listen()?,
            deadline: max_time.map(|limit| (Instant::now() + limit, limit)),
            stopped: false,
        })
    }

    /// One conversation, from its opening to its close.
    async fn converse<S: Speaker>(&mut self, mut speaker: S, plan: volley::Plan) {
        let output = self.audience.output.clone();
        let reader_gone = output.closed();
        tokio::pin!(reader_gone);
        let mut volley: Option<Volley> = None;
        loop {
            let room = output.has_room();
            speaker.set_reading(room);
            let ping_due = volley.as_ref().map(Volley::deadline);
            let stop_due = self.deadline.filter(|_| !self.stopped).map(|(due, _)| due);
            tokio::select! {
                event = poll_fn(|cx| speaker.poll_next(cx)) => {
                    let Some(event) = event else { return };
                    self.happened(event, plan, &mut volley);
                }
                () = at(ping_due) => self.ping(&mut speaker, &mut volley),
                signal = self.signals.next() => {
                    let again = self.stopped;
                    self.stop(Stop::Signal(signal.exit_code()), &mut speaker, &mut volley);
                    if again {
                        return;
                    }
                }
                () = at(stop_due) => self.took_too_long(&mut speaker, &mut volley),
                () = &mut reader_gone, if !self.stopped => {
                    self.stop(Stop::ReaderGone, &mut speaker, &mut volley);
                }
                () = output.room(), if !room => {}
            }
            self.audience.flush();
        }
    }

    fn happened(&mut self, event: Event, plan: volley::Plan, volley: &mut Option<Volley>) {
        match &event.what {
            What::Open(_) if !self.stopped => *volley = Some(Volley::begin(plan, Instant::now())),
            What::Pong {
                dir: Direction::In,
                payload,
                ..
            } => {
                if let Some(volley) = volley {
                    volley.pong(payload, Instant::now());
                }
            }
            What::Close(_) => *volley = None,
            _ => {}
        }
        self.audience.hear(event);
    }

    fn ping(&mut self, speaker: &mut impl Speaker, volley: &mut Option<Volley>) {
        let next = volley
            .as_mut()
            .and_then(|volley| volley.poll(Instant::now()));
        match next {
            Some(Next::Ping(payload)) => speaker.ping(payload),
            Some(Next::Done) => {
                if let Some(loss) = volley.take().and_then(|volley| volley.loss()) {
                    self.failed(speaker, loss, "--timeout allows more time");
                }
                speaker.finish();
            }
            None => {}
        }
    }

    fn took_too_long(&mut self, speaker: &mut impl Speaker, volley: &mut Option<Volley>) {
        if let Some((_, limit)) = self.deadline {
            let message = format!("not done after {}", show_duration(limit));
            self.failed(speaker, message, "--max-time allows more");
        }
        self.stop(Stop::MaxTime, speaker, volley);
    }

    fn failed(&mut self, speaker: &impl Speaker, message: String, hint: &str) {
        let what = What::Error(Box::new(Problem {
            kind: "timeout",
            message,
            hint: Some(hint.to_owned()),
        }));
        let event = self.stamp.event(None, speaker.name(), what);
        self.audience.hear(event);
    }

    fn stop(&mut self, stop: Stop, speaker: &mut impl Speaker, volley: &mut Option<Volley>) {
        self.audience.stop(stop);
        self.stopped = true;
        *volley = None;
        speaker.finish();
    }

    async fn end(mut self) -> Result<ExitCode, Error> {
        self.audience.end(0);
        let bounds = Bounds {
            max_time: self.deadline.map(|(at, _)| at),
            timed: false,
            ..Bounds::default()
        };
        leaving::leave(&mut self.audience, &mut self.signals, bounds).await
    }
}
