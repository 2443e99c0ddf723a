//! One client of the server: its handshake, its connection, and what the mode makes of its messages.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::hub::{Order, Seat};
use super::mode::Action;
use super::{Shared, admission};
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::event::{ConnId, Direction, Open, Problem, TlsInfo, What};
use crate::model::handshake::{self, Timings};
use crate::model::message::Message;
use crate::model::secret;
use crate::protocol::engine::Role;
use crate::session::connection::{Connection, MOST_UNREAD};
use crate::wire::accept::{Accepted, Ended, accept};
use crate::wire::stream::{Socket, Stream};
use crate::wire::tls::NotAccepted;

/// A client that takes longer for its handshakes, TLS and HTTP together, is dropped.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves one TCP connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, socket: Socket, address: String) {
    let started = Instant::now();
    let secured = timeout(HANDSHAKE_TIMEOUT, secure(&shared, socket, &address)).await;
    let Ok(Some(secured)) = secured else {
        return;
    };
    let left = HANDSHAKE_TIMEOUT.saturating_sub(started.elapsed());
    let decide = Arc::clone(&shared);
    // Held from the answer to the end, so that no more are let in than there are places.
    let place = Arc::new(OnceLock::new());
    let taken = Arc::clone(&place);
    let accepted = accept(secured.stream, left, move |request, upgrade| {
        admission::answer(&decide.plan, request, upgrade, || {
            let permit = Arc::clone(&decide.places).try_acquire_owned();
            permit.is_ok_and(|permit| taken.set(permit).is_ok())
        })
    });
    match accepted.await {
        Ok(accepted) => {
            let peer = Peer::new(shared, accepted, secured.tls, &address);
            peer.run().await;
        }
        Err(ended) => log_ended(&shared, ended, &address),
    }
    drop(place);
}

/// A stream to read a request from.
struct Secured {
    stream: Stream,
    /// What TLS agreed on, and how long that took.
    tls: Option<(TlsInfo, Duration)>,
}

/// The handshake of TLS where the plan asks for it. A client that complains of it is worth a
/// line; plain HTTP, which was told, and port scans are not.
async fn secure(shared: &Shared, socket: Socket, address: &str) -> Option<Secured> {
    let Some(acceptor) = &shared.acceptor else {
        return Some(Secured {
            stream: Stream::Plain(socket),
            tls: None,
        });
    };
    let started = Instant::now();
    match acceptor.accept(socket).await {
        Ok((stream, info)) => Some(Secured {
            stream,
            tls: Some((info, started.elapsed())),
        }),
        Err(NotAccepted::Tls(words)) => {
            let problem = Problem {
                kind: "tls",
                message: format!("TLS with {address} failed: {words}"),
                hint: None,
            };
            shared.tell(None, What::Error(Box::new(problem)));
            None
        }
        Err(NotAccepted::Plain | NotAccepted::Io(_)) => None,
    }
}

/// An upgrade that was asked for and refused is worth a line; plain HTTP and port scans are not.
fn log_ended(shared: &Shared, ended: Ended, address: &str) {
    if let Ended::Http(Some((request, status))) = ended
        && handshake::header(&request.headers, "upgrade").is_some()
    {
        let target = secret::redact_target(&request.target);
        let problem = Problem {
            kind: "refused",
            message: format!("refused {address} at {target}: HTTP {status}"),
            hint: None,
        };
        shared.tell(None, What::Error(Box::new(problem)));
    }
}

struct Peer {
    shared: Arc<Shared>,
    seat: Seat,
    connection: Connection<Stream>,
    /// Answers that wait for room in the out queue; while there are some, nothing is read.
    replies: VecDeque<Message>,
}

impl Peer {
    fn new(
        shared: Arc<Shared>,
        accepted: Accepted<Stream>,
        tls: Option<(TlsInfo, Duration)>,
        address: &str,
    ) -> Self {
        let id = shared.stamp.connection();
        let target = &accepted.request.target;
        shared.tell(Some(id), What::Request(Box::new(accepted.request.clone())));
        shared.tell(
            Some(id),
            What::Response(Box::new(accepted.response.clone())),
        );
        let response = &accepted.response.headers;
        let open = Open {
            url: secret::redact_target(target),
            subprotocol: handshake::header(response, "sec-websocket-protocol").map(str::to_owned),
            extensions: handshake::values(response, "sec-websocket-extensions")
                .map(str::to_owned)
                .collect(),
            peer: address.to_owned(),
            timings: Timings {
                tls: tls.as_ref().map(|(_, took)| *took),
                ..Timings::default()
            },
            tls: tls.map(|(info, _)| info),
        };
        // Who hears of the connection can send to it.
        let seat = shared
            .hub
            .join(id, admission::path_of(&accepted.request.target));
        shared.tell(Some(id), What::Open(Box::new(open)));
        // The same as was answered; a header that cannot be read was refused.
        let deflate = admission::deflate(&shared.plan, &accepted.request);
        let deflate = deflate.ok().flatten().map(|accepted| accepted.agreed);
        let connection = Connection::new(
            accepted.stream,
            Role::Server,
            &shared.plan.connection,
            deflate,
            &accepted.read_ahead,
        );
        Self {
            shared,
            seat,
            connection,
            replies: VecDeque::new(),
        }
    }

    async fn run(mut self) {
        let mut shutdown = self.shared.shutdown.clone();
        loop {
            self.reply();
            let room = self.connection.can_send();
            tokio::select! {
                biased;
                what = poll_fn(|cx| self.connection.poll_next(cx)) => match what {
                    Some(what) => self.happened(what),
                    None => return,
                },
                order = self.seat.next(room) => self.carry_out(order),
                _ = shutdown.wait_for(|ending| *ending) => {
                    self.close(CloseCode::GOING_AWAY, "the server is shutting down");
                    break;
                }
            }
        }
        while let Some(what) = poll_fn(|cx| self.connection.poll_next(cx)).await {
            self.tell(what);
        }
    }

    fn happened(&mut self, what: What) {
        if let What::Message {
            message,
            dir: Direction::In,
            ..
        } = &what
        {
            let action = self.shared.mode.message(self.seat.id(), message.clone());
            self.tell(what);
            match action {
                Some(Action::Reply(message)) => self.replies.push_back(message),
                Some(Action::Everyone { message, except }) => {
                    self.shared
                        .hub
                        .everyone(Some(&self.seat.path), except, &message);
                }
                None => {}
            }
        } else {
            self.tell(what);
        }
    }

    fn reply(&mut self) {
        if self.connection.is_broken() {
            self.replies.clear();
        }
        while self.connection.can_send() {
            let Some(message) = self.replies.pop_front() else {
                break;
            };
            // It can send, so the queue takes it.
            let _ = self.connection.send(Command::Send(message));
        }
        let waiting = !self.replies.is_empty() || self.connection.held() > MOST_UNREAD;
        self.connection.set_waiting(waiting);
    }

    fn carry_out(&mut self, order: Order) {
        // It can send, so only a connection that is closing refuses; there is nobody to hear it then.
        let _ = match order {
            Order::Frame(frame) => self.connection.send_encoded(frame),
            Order::Command(command) => self.connection.send(command),
            Order::TooSlow => {
                self.close(CloseCode::TRY_AGAIN_LATER, "too slow: the queue is full");
                Ok(())
            }
        };
    }

    fn close(&mut self, code: CloseCode, reason: &str) {
        let reason = reason.to_owned();
        // A connection that is closing already refuses, which is just as well.
        let _ = self
            .connection
            .send(Command::Close(Some(CloseFrame { code, reason })));
    }

    fn tell(&self, what: What) {
        self.shared.tell(Some(self.seat.id()), what);
    }
}

impl Shared {
    fn tell(&self, conn: Option<ConnId>, what: What) {
        if self.log.wants(&what) {
            self.log.push(self.stamp.event(conn, None, what));
        }
    }
}
