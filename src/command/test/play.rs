//! Plays one file: a player's wishes go to connections, what happens there goes back.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Instant, SystemTime};

use super::bless::Blessing;
use super::files::{Folder, Loaded, is_archive, load};
use super::{Plan, Stop};
use crate::command::at;
use crate::error::{Error, ExitCode};
use crate::model::close::CloseCode;
use crate::model::command::Command;
use crate::model::event::{Close, ClosedBy, Direction, What};
use crate::protocol::deflate;
use crate::protocol::engine::SendError;
use crate::session::client::{self, Client};
use crate::session::stamp::Stamp;
use crate::transcript::load::Wrong;
use crate::transcript::outcome::{FileOutcome, StepResult, Trouble};
use crate::transcript::player::{Failed, Heard, Next, Opening, PeerId, Player, Settings, Start};
use crate::transcript::program::Program;
use crate::transcript::survey::survey;
use crate::transcript::variables::Given;
use crate::view::outcome::code_of;
use crate::wire::target::Target;

/// How a file was played, and what is to be said of it.
pub(super) struct Played {
    pub(super) outcome: FileOutcome,
    pub(super) notes: Vec<String>,
}

/// What the files of a run share.
pub(super) struct Stage {
    client: client::Plan,
    given: Given,
    timeout: std::time::Duration,
    retry: u32,
    bless: bool,
    file_root: Option<PathBuf>,
    stamp: Stamp,
}

impl Stage {
    pub(super) fn new(plan: &Plan, given: Given) -> Self {
        Self {
            client: plan.client.clone(),
            given,
            timeout: plan.timeout,
            retry: plan.retry,
            bless: plan.bless,
            file_root: plan.file_root.clone(),
            stamp: Stamp::start(),
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
        let (program, given) = match self.program(path, &folder) {
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
        let mut play = Play {
            stage: self,
            player: Player::new(program, settings, start),
            clients: Vec::new(),
            waiting: None,
            turn: 0,
        };
        play.run(stop.clone()).await;
        let mut outcome = play.player.outcome(shown, Instant::now());
        if is_archive(path) {
            say_where_lines_are(&mut outcome);
        }
        outcome
    }

    /// A file, checked, and the values that it gets.
    fn program(&self, path: &Path, folder: &Folder) -> Result<(Program, Given), Vec<Trouble>> {
        let Loaded {
            transcript,
            secrets,
        } = load(path, folder).map_err(|wrong| troubles(&wrong))?;
        let given = self.given.with(secrets).map_err(|message| {
            vec![Trouble {
                code: ExitCode::USAGE,
                place: None,
                rendered: format!("   {message}\n"),
                message,
            }]
        })?;
        let survey = survey(&transcript, &given.variables);
        let program = Program::new(transcript, given.names());
        let program = program.map_err(|wrong| troubles(&wrong))?;
        match survey.check(folder) {
            wrong if wrong.is_empty() => Ok((program, given)),
            diagnostics => Err(troubles(&Wrong {
                sources: program.sources,
                diagnostics,
            })),
        }
    }

    /// The flags of the command line, and what a `connect` says itself.
    fn plan(&self, opening: Opening) -> Result<client::Plan, Error> {
        let mut plan = self.client.clone();
        plan.target = Target::parse(&opening.url)?;
        for header in &opening.headers {
            let (name, value) = header
                .split_once(':')
                .ok_or_else(|| Error::usage(format!("the header {header:?} has no colon")))?;
            let header = (name.trim().to_owned(), value.trim().to_owned());
            plan.request.headers.push(header);
        }
        if !opening.subprotocols.is_empty() {
            plan.request.subprotocols = opening.subprotocols;
        }
        plan.request.origin = opening.origin.or(plan.request.origin);
        plan.connect_timeout = opening.timeout.unwrap_or(plan.connect_timeout);
        match opening.compress {
            Some(true) => plan.request.deflate = Some(deflate::Parameters::OFFER),
            Some(false) => plan.request.deflate = None,
            None => {}
        }
        plan.tls.insecure |= opening.insecure;
        Ok(plan)
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

/// What is wrong with a file, for the report.
fn troubles(wrong: &Wrong) -> Vec<Trouble> {
    let wrong_lines = wrong.diagnostics.iter();
    wrong_lines
        .map(|one| Trouble::of(one, ExitCode::USAGE, &wrong.sources))
        .collect()
}

/// One attempt under way.
struct Play<'s> {
    stage: &'s Stage,
    player: Player,
    /// By [`PeerId`].
    clients: Vec<Option<Client>>,
    /// What could not be sent yet because the connection has no room.
    waiting: Option<(PeerId, Command)>,
    /// Whose events are looked at first: each in its turn.
    turn: usize,
}

impl Play<'_> {
    async fn run(&mut self, mut stop: Stop) {
        loop {
            self.send_waiting();
            let deadline = if self.waiting.is_some() {
                None
            } else {
                match self.player.poll(Instant::now()) {
                    Next::Open(id, opening) => {
                        self.open(id, *opening);
                        continue;
                    }
                    Next::Send(id, command) => {
                        self.waiting = Some((id, command));
                        continue;
                    }
                    Next::Wait(deadline) => deadline,
                    Next::Done => return,
                }
            };
            tokio::select! {
                biased;
                (id, what) = poll_fn(|cx| self.poll_clients(cx)) => self.happened(id, what),
                () = at(deadline) => {}
                Ok(()) = stop.changed() => self.interrupt(*stop.borrow()),
            }
        }
    }

    fn open(&mut self, id: PeerId, opening: Opening) {
        let now = Instant::now();
        match self.stage.plan(opening) {
            Ok(plan) => {
                if self.clients.len() <= id {
                    self.clients.resize_with(id + 1, || None);
                }
                self.clients[id] = Some(Client::new(plan, self.stage.stamp.clone()));
            }
            Err(error) => {
                let failed = Failed {
                    code: error.exit_code(),
                    message: error.to_string(),
                    hint: error.hint(),
                };
                self.player.heard(id, Heard::Failed(failed), now);
            }
        }
    }

    fn send_waiting(&mut self) {
        let Some((id, command)) = self.waiting.take() else {
            return;
        };
        let Some(client) = self.clients.get_mut(id).and_then(Option::as_mut) else {
            return;
        };
        if let Err(SendError::Full) = client.send(command.clone()) {
            self.waiting = Some((id, command));
        }
        // One that closes meanwhile says so in its next event.
    }

    /// What happens next to one of them; `None` is the end of it.
    fn poll_clients(&mut self, cx: &mut std::task::Context<'_>) -> Poll<(PeerId, Option<What>)> {
        let count = self.clients.len();
        for offset in 0..count {
            let id = (self.turn + offset) % count;
            let Some(client) = &mut self.clients[id] else {
                continue;
            };
            client.set_reading(self.player.has_room(id));
            if let Poll::Ready(event) = client.poll_next(cx) {
                self.turn = id + 1;
                return Poll::Ready((id, event.map(|event| event.what)));
            }
        }
        Poll::Pending
    }

    fn happened(&mut self, id: PeerId, what: Option<What>) {
        let Some(what) = what else {
            self.clients[id] = None;
            return;
        };
        if let Some(heard) = heard(what) {
            self.player.heard(id, heard, Instant::now());
        }
    }

    fn interrupt(&mut self, code: Option<ExitCode>) {
        let code = code.unwrap_or(ExitCode::INTERNAL);
        let why = match code {
            ExitCode::TIMEOUT => "--max-time has passed",
            _ => "interrupted",
        };
        self.waiting = None;
        self.player.interrupt(code, why);
    }
}

/// What a player is told of.
fn heard(what: What) -> Option<Heard> {
    Some(match what {
        What::Open(_) => Heard::Opened,
        What::Refused(refused) => Heard::Refused {
            status: refused.status,
            reason: refused.reason,
        },
        // The Close that follows says it: 1006.
        What::Error(problem) if problem.kind == "closed" => return None,
        What::Error(problem) => Heard::Failed(Failed {
            code: code_of(problem.kind),
            message: problem.message,
            hint: problem.hint,
        }),
        What::Message {
            dir: Direction::In,
            message,
            ..
        } => Heard::Message(message),
        What::Ping {
            dir: Direction::In,
            payload,
        } => Heard::Ping(payload),
        What::Pong {
            dir: Direction::In,
            payload,
            ..
        } => Heard::Pong(payload),
        What::Close(close) => closed(*close),
        _ => return None,
    })
}

/// The Close that the server sent; 1006 where it sent none.
fn closed(close: Close) -> Heard {
    let came = close.clean || close.by == ClosedBy::Peer;
    Heard::Closed {
        code: if came {
            close.code
        } else {
            CloseCode::ABNORMAL
        },
        reason: if came { close.reason } else { String::new() },
        by_us: close.by == ClosedBy::Us,
    }
}
