//! One client of the server: its connection, and what the hub makes of what it does.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::unconstrained;

use super::bus::Member;
use super::mode::Departure;
use super::opening::open;
use super::roster::Client;
use super::seat::{Delivery, Seat};
use super::{Shared, admission};
use crate::model::event::{Direction, Open, TlsInfo, What};
use crate::model::handshake::{self, Timings};
use crate::model::secret;
use crate::protocol::engine::Role;
use crate::session::connection::Connection;
use crate::wire::accept::Accepted;
use crate::wire::stream::{Socket, Stream};

/// Serves one TCP connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, socket: Socket, address: String) {
    // Boxed, so that what the handshakes need is given back when they are over.
    let entrant = Box::pin(open(&shared, socket, &address)).await;
    let Some(entrant) = entrant else {
        return;
    };
    let _place = entrant.place;
    let mut peer = Peer::enter(shared, entrant.accepted, entrant.tls, &address);
    drop(address);
    peer.run().await;
}

struct Peer {
    shared: Arc<Shared>,
    seat: Arc<Seat>,
    /// What its messages left to do.
    delivery: Delivery,
    /// The hub knows of it.
    is_here: bool,
}

impl Peer {
    fn enter(
        shared: Arc<Shared>,
        accepted: Accepted<Stream>,
        tls: Option<(TlsInfo, Duration)>,
        address: &str,
    ) -> Self {
        let log = &shared.log;
        let id = log.connection();
        let open = opened(&accepted, tls, address);
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
        let client = Client {
            member: Member::local(id),
            path: admission::path_of(&accepted.request.target).into(),
            user: None,
        };
        let seat = Arc::new(Seat::new(client, connection, shared.plan.queue));
        log.tell(Some(id), What::Request(Box::new(accepted.request)));
        log.tell(Some(id), What::Response(Box::new(accepted.response)));
        let mut delivery = Delivery::default();
        shared.hub.connected(&seat, open, &mut delivery);
        Self {
            shared,
            seat,
            delivery,
            is_here: true,
        }
    }

    async fn run(&mut self) {
        while let Some(what) = poll_fn(|cx| self.poll_next(cx)).await {
            self.happened(what);
        }
    }

    /// The next thing that happened. What several messages that came in one go are for is written
    /// in one go.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<What>> {
        let blocked = self.delivery.poll_blocked(cx);
        if blocked || self.delivery.has_much() || !self.seat.has_unread() {
            self.flush(cx);
        }
        let next = self.seat.poll_next(cx, blocked);
        if next.is_pending() {
            self.flush(cx);
        }
        next
    }

    fn flush(&mut self, cx: &mut Context<'_>) {
        let flush = async { self.delivery.flush(&self.shared.log) };
        // Else the runtime would have the socket of the 129th receiver seem full.
        let _ready = pin!(unconstrained(flush)).poll(cx);
    }

    fn happened(&mut self, what: What) {
        let message = match &what {
            What::Message { message, dir, .. } if *dir == Direction::In => Some(message.clone()),
            _ => None,
        };
        let departure = match &what {
            What::Close(close) if close.clean => Some(Departure::Closed),
            What::Close(_) => Some(Departure::Lost),
            _ => None,
        };
        self.tell(what);
        if let Some(message) = message {
            let delivery = &mut self.delivery;
            self.shared.hub.message(&self.seat, message, delivery);
        }
        if let Some(departure) = departure {
            self.leave(departure);
        }
        if let Some(dropped) = self.seat.take_dropped() {
            self.tell(dropped);
        }
    }

    fn leave(&mut self, departure: Departure) {
        if std::mem::take(&mut self.is_here) {
            self.shared.hub.gone(&self.seat, departure);
        }
    }

    fn tell(&self, what: What) {
        self.shared.log.tell(Some(self.seat.id()), what);
    }
}

impl Drop for Peer {
    /// Where the server ends before the peer has answered.
    fn drop(&mut self) {
        self.leave(Departure::Lost);
    }
}

fn opened(accepted: &Accepted<Stream>, tls: Option<(TlsInfo, Duration)>, address: &str) -> What {
    let response = &accepted.response.headers;
    What::Open(Box::new(Open {
        url: secret::redact_target(&accepted.request.target),
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
    }))
}
