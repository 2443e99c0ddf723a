//! `connect` and `listen URL...`: sessions, what feeds them, and what becomes of their events.
//!
//! One loop, and nothing in it waits alone: events of the sessions go to the audience, commands
//! from a person or a pipe go to the sessions as soon as there is room for them. Where stdout is
//! blocked, sockets are not read; where a socket is blocked, stdin is not read.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::audience::Audience;
use super::demo::Demo;
use super::patience::Patience;
use super::recording;
use super::signals::{Signal, Signals};
use super::source::{Feed, Source};
use crate::error::{Error, ExitCode};
use crate::input::{Batch, Input};
use crate::model::command::Command;
use crate::model::control::Control;
use crate::model::event::{Direction, Event, Problem, What};
use crate::model::message::Message;
use crate::model::secret::declared::Declared;
use crate::model::state::ReadyState;
use crate::model::units::show_duration;
use crate::protocol::engine::SendError;
use crate::session::client::{self, Client};
use crate::session::connection::MOST_UNREAD;
use crate::session::secret_source::{self, NamedSecret};
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::text::predicate::Predicate;
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
    /// `--echo`: return every message as it came.
    pub echo: bool,
    /// `--reply PREDICATE=TEXT`: answer by rule, the first that matches.
    pub replies: Vec<(Predicate, String)>,
    /// Said before anything else: dropped headers, credentials over plain ws.
    pub notes: Vec<String>,
}

/// When a session ends by itself.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// The end of input ends the session, after the replies.
    pub input_end: bool,
    /// `--wait`: how long to wait for a first message after the input's end; `None` is for ever.
    pub wait: Option<Duration>,
    /// `--duration`: so long after the first open close with 1000, exit 0.
    pub duration: Option<Duration>,
    /// `--max-time`: then exit 7.
    pub max_time: Option<Duration>,
}

/// Events that are taken from the sessions in one go, and the bytes of messages in them. Where
/// messages are answered it is one, so that no answer comes after what followed its message.
const BATCH_EVENTS: usize = 512;
const BATCH_BYTES: usize = 1 << 20;

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
    let declared = secret_source::declare(&plan.secrets).await?;
    let mut talk = Talk::begin(plan, declared, &output)?;
    talk.run(&mut signals).await;
    let code = talk.end();
    let output = talk.audience.output.clone();
    drop(talk);
    // A reader that takes nothing more would hold us: a signal ends that wait.
    tokio::select! {
        written = output.finish() => written.map(|()| code),
        signal = signals.next() => Ok(signal.exit_code()),
    }
}

/// A run under way.
struct Talk {
    clients: Vec<Client>,
    audience: Audience,
    feed: Feed,
    /// What was taken from the feed and waits for room.
    inputs: VecDeque<Input>,
    /// Answers of `--echo` and `--reply`, with the client they belong to. While there are some,
    /// nothing is read from the peers.
    answers: VecDeque<(usize, Command)>,
    echo: bool,
    replies: Vec<(Predicate, String)>,
    patience: Option<Patience>,
    limits: Limits,
    started: Instant,
    /// When a session was open for the first time.
    opened: Option<Instant>,
    finishing: bool,
}

/// What the loop waited for.
enum Turn {
    Events(Vec<(usize, Event)>),
    /// All sessions have ended.
    Over,
    Input(Option<Batch>),
    Signal(Signal),
    Deadline,
    ReaderGone,
    Room,
}

impl Talk {
    fn begin(plan: Plan, declared: Declared, output: &Output) -> Result<Self, Error> {
        let stamp = Stamp::start();
        let mut audience = Audience::new(plan.view, plan.conditions, stamp.clone(), output.clone());
        audience.hide(declared);
        if let Some(record) = &plan.record {
            audience.record(record)?;
        }
        for note in &plan.notes {
            audience.note(note);
        }
        audience.flush();
        let goal = audience.outcome.has_goal();
        let clients = plan
            .clients
            .into_iter()
            .map(|plan| Client::new(plan, stamp.clone()))
            .collect();
        Ok(Self {
            clients,
            audience,
            feed: Feed::start(plan.source, output)?,
            inputs: VecDeque::new(),
            answers: VecDeque::new(),
            echo: plan.echo,
            replies: plan.replies,
            patience: plan
                .limits
                .input_end
                .then(|| Patience::new(plan.limits.wait, goal)),
            limits: plan.limits,
            started: Instant::now(),
            opened: None,
            finishing: false,
        })
    }

    async fn run(&mut self, signals: &mut Signals) {
        let output = self.audience.output.clone();
        let reader_gone = output.closed();
        tokio::pin!(reader_gone);
        let mut reader_is_gone = false;
        let answers = self.echo || !self.replies.is_empty();
        let most = if answers { 1 } else { BATCH_EVENTS };
        loop {
            self.pass_on();
            let takes_input = self.takes_input();
            let room = output.has_room();
            let deadline = self.deadline();
            let turn = tokio::select! {
                turn = next_events(&mut self.clients, most) => turn,
                batch = self.feed.next(), if takes_input => Turn::Input(batch),
                signal = signals.next() => Turn::Signal(signal),
                () = at(deadline) => Turn::Deadline,
                () = &mut reader_gone, if !reader_is_gone => Turn::ReaderGone,
                () = output.room(), if !room => Turn::Room,
            };
            match turn {
                Turn::Events(events) => {
                    for (client, event) in events {
                        self.happened(client, event);
                    }
                    if self.audience.outcome.is_reached() {
                        self.finish(Stop::OnPurpose);
                    }
                }
                Turn::Over => return,
                Turn::Input(batch) => self.take(batch),
                Turn::Signal(signal) => {
                    let again = self.finishing;
                    self.finish(Stop::Signal(signal.exit_code()));
                    if again {
                        return;
                    }
                }
                Turn::Deadline => self.deadline_passed(),
                Turn::ReaderGone => {
                    reader_is_gone = true;
                    self.finish(Stop::ReaderGone);
                }
                Turn::Room => {}
            }
            // Before the screen is painted anew, so that it tells how things stand.
            self.feed.set_ready(self.is_open());
            self.audience.flush();
        }
    }

    /// Passes on what waits, as far as there is room for it.
    fn pass_on(&mut self) {
        while let Some((client, _)) = self.answers.front() {
            let client = *client;
            let hearer = &self.clients[client];
            if !hearer.can_send() && !hearer.is_broken() && hearer.state() == ReadyState::Open {
                break;
            }
            if let Some((_, command)) = self.answers.pop_front() {
                // A connection that has closed meanwhile does not want its answer any more.
                let _ = self.clients[client].send(command);
            }
        }
        while !self.finishing
            && (self.can_send()
                || matches!(
                    self.inputs.front(),
                    Some(Input::Control(_) | Input::Wrong(_))
                ))
        {
            match self.inputs.pop_front() {
                Some(Input::Command(command)) => self.send(&command),
                Some(Input::Control(control)) => self.control(control),
                Some(Input::Wrong(sentence)) => self.audience.note(&sentence),
                None => break,
            }
        }
        let reading = self.audience.output.has_room();
        let waiting = !self.answers.is_empty();
        for client in &mut self.clients {
            client.set_reading(reading);
            client.set_waiting(waiting || (self.echo && client.held() > MOST_UNREAD));
        }
        self.watch_input_end();
        self.audience.flush();
    }

    /// Whether every session that is still there is open and takes more.
    fn can_send(&self) -> bool {
        let mut there = self
            .clients
            .iter()
            .filter(|client| !client.has_ended())
            .peekable();
        there.peek().is_some() && there.all(Client::can_send)
    }

    fn is_open(&self) -> bool {
        self.clients
            .iter()
            .any(|client| client.state() == ReadyState::Open)
    }

    fn takes_input(&self) -> bool {
        !self.feed.has_ended()
            && !self.finishing
            && self.inputs.is_empty()
            && (self.feed.is_editor() || self.can_send() && self.audience.output.has_room())
    }

    fn send(&mut self, command: &Command) {
        if let Command::Ping(payload) = command
            && self.feed.is_editor()
        {
            self.audience.ask_for_pong(payload.clone());
        }
        if let Some(patience) = &mut self.patience {
            patience.sent(Instant::now());
        }
        for client in &mut self.clients {
            match client.send(command.clone()) {
                Ok(()) | Err(SendError::Closing | SendError::Full) => {}
                Err(SendError::ControlTooLong(bytes)) => {
                    let text = format!("a control frame carries at most 125 bytes, not {bytes}");
                    self.audience.note(&text);
                }
            }
        }
    }

    fn take(&mut self, batch: Option<Batch>) {
        let Some(batch) = batch else {
            if self.feed.is_editor() {
                self.finish(Stop::OnPurpose);
            }
            return;
        };
        self.inputs.extend(batch.inputs);
        if let Some(error) = batch.error {
            self.pass_on();
            self.audience.tell(What::Error(Box::new(error.problem())));
            self.finish(Stop::OnPurpose);
        }
    }

    fn control(&mut self, control: Control) {
        match self.audience.control(control) {
            Some(Control::Quit) => self.finish(Stop::OnPurpose),
            Some(Control::Reconnect) => self.clients.iter_mut().for_each(Client::reconnect),
            Some(Control::State) => {
                for client in &self.clients {
                    let state = client.state();
                    let target = client.target().redacted();
                    let sentence = format!("readyState {} {state} {target}", u8::from(state));
                    self.audience.note(&sentence);
                }
            }
            Some(Control::To(..)) => self
                .audience
                .note("/to is for listen PORT: there is one peer here"),
            _ => {}
        }
    }

    fn happened(&mut self, client: usize, event: Event) {
        match &event.what {
            What::Message {
                dir: Direction::In,
                message,
                ..
            } => {
                if let Some(patience) = &mut self.patience {
                    patience.received(Instant::now());
                }
                if !self.clients[client].is_broken()
                    && let Some(answer) = self.answer(&event.what, message)
                {
                    self.answers.push_back((client, Command::Send(answer)));
                }
            }
            What::Message { .. } | What::Open(_) => {
                self.opened.get_or_insert_with(Instant::now);
                if let Some(patience) = &mut self.patience {
                    patience.sent(Instant::now());
                }
            }
            What::Retry { .. } => {
                if let Some(patience) = &mut self.patience {
                    patience.unsent();
                }
            }
            _ => {}
        }
        self.audience.hear(event);
    }

    fn answer(&self, what: &What, message: &Message) -> Option<Message> {
        if self.finishing {
            return None;
        }
        if self.echo {
            return Some(message.clone());
        }
        let rule = self
            .replies
            .iter()
            .find(|(predicate, _)| predicate.matches(what));
        rule.map(|(_, text)| Message::text(text.clone()))
    }

    fn watch_input_end(&mut self) {
        let all_sent = self.feed.has_ended()
            && self.inputs.is_empty()
            && self.clients.iter().any(Client::is_idle);
        if let Some(patience) = &mut self.patience
            && all_sent
        {
            patience.all_sent(Instant::now());
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if self.finishing {
            return None;
        }
        [
            self.patience.as_ref().and_then(Patience::deadline),
            self.opened
                .zip(self.limits.duration)
                .map(|(opened, limit)| opened + limit),
            self.limits.max_time.map(|limit| self.started + limit),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn deadline_passed(&mut self) {
        let elapsed = self.started.elapsed();
        if let Some(max_time) = self.limits.max_time.filter(|limit| *limit <= elapsed) {
            self.audience.tell(What::Error(Box::new(Problem {
                kind: "timeout",
                message: format!("not done after {}", show_duration(max_time)),
                hint: Some("--max-time allows more".into()),
            })));
            self.finish(Stop::MaxTime);
        } else {
            self.finish(Stop::OnPurpose);
        }
    }

    /// Closes every session and takes no more input.
    fn finish(&mut self, stop: Stop) {
        self.audience.stop(stop);
        self.finishing = true;
        for client in &mut self.clients {
            client.finish();
        }
    }

    fn end(&mut self) -> ExitCode {
        let unsent = self
            .inputs
            .iter()
            .filter(|input| matches!(input, Input::Command(Command::Send(_))));
        let unsent = unsent.count() as u64;
        self.audience.end(unsent)
    }
}

/// The next events of any of the sessions, `most` at most.
async fn next_events(clients: &mut [Client], most: usize) -> Turn {
    let mut events = Vec::new();
    let mut bytes = 0;
    poll_fn(|cx| {
        let mut alive = false;
        for (at, client) in clients.iter_mut().enumerate() {
            loop {
                if events.len() >= most || bytes >= BATCH_BYTES {
                    return Poll::Ready(Turn::Events(std::mem::take(&mut events)));
                }
                match client.poll_next(cx) {
                    Poll::Ready(Some(event)) => {
                        if let What::Message { message, .. } = &event.what {
                            bytes += message.payload.len();
                        }
                        events.push((at, event));
                    }
                    Poll::Ready(None) => break,
                    Poll::Pending => {
                        alive = true;
                        break;
                    }
                }
            }
        }
        match (events.is_empty(), alive) {
            (false, _) => Poll::Ready(Turn::Events(std::mem::take(&mut events))),
            (true, true) => Poll::Pending,
            (true, false) => Poll::Ready(Turn::Over),
        }
    })
    .await
}

/// Returns when it is time; never where there is no such time.
pub(super) async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
