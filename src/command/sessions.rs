//! The clients of a run, taken together: what happens to any of them, what is sent to all of them.

use std::future::poll_fn;
use std::task::Poll;

use crate::model::command::Command;
use crate::model::event::{Event, What};
use crate::model::state::ReadyState;
use crate::protocol::engine::SendError;
use crate::session::client::{self, Client};
use crate::session::stamp::Stamp;

/// The bytes of messages that are taken from the clients in one go.
const BATCH_BYTES: usize = 1 << 20;

/// One client for `connect`, one or more for `listen URL...`.
pub(super) struct Sessions {
    clients: Vec<Client>,
}

impl Sessions {
    pub(super) fn new(plans: Vec<client::Plan>, stamp: &Stamp) -> Self {
        let clients = plans
            .into_iter()
            .map(|plan| Client::new(plan, stamp.clone()))
            .collect();
        Self { clients }
    }

    /// The next events, `most` at most, each with the number of its client; `None` when all
    /// clients have ended. Cancel-safe.
    pub(super) async fn next(&mut self, most: usize) -> Option<Vec<(usize, Event)>> {
        let mut events = Vec::new();
        let mut bytes = 0;
        poll_fn(|cx| {
            let mut alive = false;
            for (at, client) in self.clients.iter_mut().enumerate() {
                loop {
                    if events.len() >= most || bytes >= BATCH_BYTES {
                        return Poll::Ready(Some(std::mem::take(&mut events)));
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
                (false, _) => Poll::Ready(Some(std::mem::take(&mut events))),
                (true, true) => Poll::Pending,
                (true, false) => Poll::Ready(None),
            }
        })
        .await
    }

    /// Whether every client that is still there is open and takes more.
    pub(super) fn can_send(&self) -> bool {
        let mut there = self
            .clients
            .iter()
            .filter(|client| !client.has_ended())
            .peekable();
        there.peek().is_some() && there.all(Client::can_send)
    }

    pub(super) fn is_open(&self) -> bool {
        self.clients
            .iter()
            .any(|client| client.state() == ReadyState::Open)
    }

    /// Whether all that was handed over to one of the clients has left, and it is open.
    pub(super) fn is_idle(&self) -> bool {
        self.clients.iter().any(Client::is_idle)
    }

    /// Whether nothing waits to be written to a client that is open.
    pub(super) fn has_written_all(&self) -> bool {
        self.clients
            .iter()
            .all(|client| client.state() != ReadyState::Open || client.is_idle())
    }

    /// Hands a command over to all that are open.
    ///
    /// # Errors
    /// A sentence: the payload of a ping or pong is too long.
    pub(super) fn send(&mut self, command: &Command) -> Result<(), String> {
        for client in &mut self.clients {
            match client.send(command.clone()) {
                Ok(()) | Err(SendError::Closing | SendError::Full) => {}
                Err(SendError::ControlTooLong(bytes)) => {
                    return Err(format!(
                        "a control frame carries at most 125 bytes, not {bytes}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Closes all of them; none comes back.
    pub(super) fn finish(&mut self) {
        self.clients.iter_mut().for_each(Client::finish);
    }

    /// `/reconnect`.
    pub(super) fn reconnect(&mut self) {
        self.clients.iter_mut().for_each(Client::reconnect);
    }

    /// `/state`: a sentence for each.
    pub(super) fn states(&self) -> Vec<String> {
        let sentence = |client: &Client| {
            let state = client.state();
            let target = client.target().redacted();
            format!("readyState {} {state} {target}", u8::from(state))
        };
        self.clients.iter().map(sentence).collect()
    }

    pub(super) fn get(&self, at: usize) -> &Client {
        &self.clients[at]
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.clients.iter_mut()
    }

    pub(super) fn get_mut(&mut self, at: usize) -> &mut Client {
        &mut self.clients[at]
    }
}
