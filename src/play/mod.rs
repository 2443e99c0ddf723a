//! Plays a transcript on connections: a [`Player`]'s wishes go to one [`Client`] for each peer, and
//! what happens there goes back to it.
//!
//! Pull, like what is below: [`Play::next`] does whatever is to be done and yields what happened, so
//! that whoever plays may watch. What became of the steps is the player's to say.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::error::{Error, ExitCode};
use crate::model::close::CloseCode;
use crate::model::command::Command;
use crate::model::event::{Close, ClosedBy, Direction, What};
use crate::protocol::deflate;
use crate::protocol::engine::SendError;
use crate::session::client::{self, Client};
use crate::session::stamp::Stamp;
use crate::transcript::player::{Failed, Heard, Next, Opening, PeerId, Player};
use crate::view::outcome::code_of;
use crate::wire::target::Target;
use crate::wire::tls::Connector;

/// How peers connect, where their `connect` does not say otherwise.
#[derive(Debug, Clone)]
pub struct Stage {
    pub client: client::Plan,
    pub stamp: Stamp,
    /// What was loaded for the client's TLS before: for those who play often.
    pub connector: Option<Arc<Connector>>,
}

impl Stage {
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

    fn client(&self, opening: Opening) -> Result<Client, Error> {
        let plan = self.plan(opening)?;
        let loaded = plan.tls.insecure == self.client.tls.insecure;
        let connector = self.connector.clone().filter(|_| loaded);
        Ok(Client::new(plan, self.stamp.clone()).with_connector(connector))
    }
}

/// A command that a connection has no room for, until then.
struct Waiting {
    id: PeerId,
    command: Command,
    deadline: Instant,
}

/// One run of a transcript under way.
pub struct Play<'s> {
    stage: &'s Stage,
    player: Player,
    /// By [`PeerId`].
    clients: Vec<Option<Client>>,
    /// What could not be sent yet because the connection has no room.
    waiting: Option<Waiting>,
    /// Whose events are looked at first: each in its turn.
    turn: usize,
}

impl<'s> Play<'s> {
    pub const fn new(stage: &'s Stage, player: Player) -> Self {
        Self {
            stage,
            player,
            clients: Vec::new(),
            waiting: None,
            turn: 0,
        }
    }

    /// Goes on until something has happened to a peer, and says what; `None` when it is over.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<(PeerId, What)> {
        loop {
            self.send_waiting();
            let now = Instant::now();
            let deadline = if let Some(waiting) = &self.waiting {
                if now >= waiting.deadline {
                    self.waiting = None;
                    self.player.not_sent(now);
                    continue;
                }
                Some(waiting.deadline)
            } else {
                match self.player.poll(now) {
                    Next::Open(id, opening) => {
                        self.open(id, *opening);
                        continue;
                    }
                    Next::Send(id, command) => {
                        self.waiting = Some(Waiting {
                            id,
                            command,
                            deadline: now + self.player.timeout(),
                        });
                        continue;
                    }
                    Next::Wait(deadline) => deadline,
                    Next::Done => return None,
                }
            };
            tokio::select! {
                biased;
                (id, what) = poll_fn(|cx| self.poll_clients(cx)) => match what {
                    Some(what) => {
                        if let Some(heard) = heard(&what) {
                            self.player.heard(id, heard, Instant::now());
                        }
                        return Some((id, what));
                    }
                    None => self.clients[id] = None,
                },
                () = at(deadline) => {}
            }
        }
    }

    /// Why a peer's last opening failed; to be asked when its [`What::Error`] has come.
    pub fn failure(&self, id: PeerId) -> Option<&Error> {
        self.clients.get(id)?.as_ref()?.failure()
    }

    /// Ends it from outside: the step that is under way fails, open peers are closed. Whether there
    /// was one.
    pub fn interrupt(&mut self, code: ExitCode, why: &str) -> bool {
        self.waiting = None;
        self.player.interrupt(code, why)
    }

    /// The player, with what became of the steps.
    pub fn into_player(self) -> Player {
        self.player
    }

    fn open(&mut self, id: PeerId, opening: Opening) {
        let now = Instant::now();
        match self.stage.client(opening) {
            Ok(client) => {
                if self.clients.len() <= id {
                    self.clients.resize_with(id + 1, || None);
                }
                self.clients[id] = Some(client);
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
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        let client = self.clients.get_mut(waiting.id);
        let Some(client) = client.and_then(Option::as_mut) else {
            return;
        };
        if let Err(SendError::Full) = client.send(waiting.command.clone()) {
            self.waiting = Some(waiting);
        }
        // One that closes meanwhile says so in its next event.
    }

    /// What happens next to one of them; `None` is the end of it.
    fn poll_clients(&mut self, cx: &mut Context<'_>) -> Poll<(PeerId, Option<What>)> {
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
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => pending().await,
    }
}

/// What a player is told of.
fn heard(what: &What) -> Option<Heard> {
    Some(match what {
        What::Open(_) => Heard::Opened,
        What::Refused(refused) => Heard::Refused {
            status: refused.status,
            reason: refused.reason.clone(),
        },
        // The Close that follows says it: 1006.
        What::Error(problem) if problem.kind == "closed" => return None,
        What::Error(problem) => Heard::Failed(Failed {
            code: code_of(problem.kind),
            message: problem.message.clone(),
            hint: problem.hint.clone(),
        }),
        What::Message {
            dir: Direction::In,
            message,
            ..
        } => Heard::Message(message.clone()),
        What::Ping {
            dir: Direction::In,
            payload,
        } => Heard::Ping(payload.clone()),
        What::Pong {
            dir: Direction::In,
            payload,
            ..
        } => Heard::Pong(payload.clone()),
        What::Close(close) => closed(close),
        _ => return None,
    })
}

/// The Close that the server sent; 1006 where it sent none.
fn closed(close: &Close) -> Heard {
    let came = close.clean || close.by == ClosedBy::Peer;
    Heard::Closed {
        code: if came {
            close.code
        } else {
            CloseCode::ABNORMAL
        },
        reason: if came {
            close.reason.clone()
        } else {
            String::new()
        },
        by_us: close.by == ClosedBy::Us,
    }
}
