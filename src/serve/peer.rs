//! One client of the server: its connection, and what the hub makes of what it does.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::unconstrained;
use tokio::time::{Sleep, sleep};

use super::auth::{Identity, Rejection};
use super::bus::Member;
use super::fault::{Clock, Course, Hit};
use super::files::{Receiver, Taken};
use super::limits::{Bucket, OnLimit};
use super::log::Log;
use super::mode::{Control, Departure};
use super::opening::{Entrant, Pass, open};
use super::proof::{self, Proof};
use super::queue::Order;
use super::roster::Client;
use super::seat::{Delivery, Seat};
use super::{Shared, admission};
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::event::{ConnId, Direction, Open, TlsInfo, What};
use crate::model::handshake::{self, Timings};
use crate::model::message::Message;
use crate::model::secret;
use crate::model::units::Rate;
use crate::protocol::engine::Role;
use crate::session::connection::Connection;
use crate::wire::accept::Accepted;
use crate::wire::impaired::Line;
use crate::wire::stream::{Socket, Stream};

/// Serves one TCP connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, socket: Socket, address: String) {
    // Boxed, so that what only the beginning needs is given back when it is over.
    if let Some(mut peer) = Box::pin(let_in(shared, socket, address)).await {
        peer.run().await;
    }
}

/// The handshakes, and all that comes before the hub knows of a client; `None` where it never does.
async fn let_in(shared: Arc<Shared>, socket: Socket, address: String) -> Option<Peer> {
    let Entrant {
        accepted,
        tls,
        pass:
            Pass {
                verdict,
                place,
                since,
                course,
            },
        line,
    } = open(&shared, socket, &address).await?;
    let target = shared.plan.auth.shown_target(&accepted.request);
    let open = opened(&accepted, &target, tls, since, &address);
    let mut newcomer = Newcomer::new(&shared, accepted, target, open, place);
    newcomer.faults = course.map(|course| (course, line));
    newcomer.enter(shared, verdict).await
}

/// A client whose connection is open and that the hub does not know yet.
struct Newcomer {
    id: ConnId,
    path: Arc<str>,
    connection: Connection<Stream>,
    /// What there is to tell of its opening.
    open: What,
    /// Its place among those of `--max-connections`.
    place: OwnedSemaphorePermit,
    /// What goes wrong with it, and the way to what is below TLS.
    faults: Option<(Box<Course>, Option<Line>)>,
}

impl Newcomer {
    fn new(
        shared: &Shared,
        accepted: Accepted<Stream>,
        target: String,
        open: What,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let id = shared.log.connection();
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
        let path = shared.path(admission::path_of(&accepted.request.target));
        let (mut request, response) = (accepted.request, accepted.response);
        request.target = target;
        shared.log.tell(Some(id), What::Request(Box::new(request)));
        shared
            .log
            .tell(Some(id), What::Response(Box::new(response)));
        Self {
            id,
            path,
            connection,
            open,
            place,
            faults: None,
        }
    }

    /// Lets it in; `None` where it may not come in, or left before it could.
    async fn enter(
        mut self,
        shared: Arc<Shared>,
        verdict: Result<Identity, Rejection>,
    ) -> Option<Peer> {
        let auth = &shared.plan.auth;
        let (identity, told) = match verdict {
            Ok(identity) if !auth.is_on() => (identity, vec![self.open]),
            Ok(identity) => {
                let event = identity.event();
                (identity, vec![self.open, event])
            }
            Err(rejection) => {
                shared.log.tell(Some(self.id), self.open);
                let patience = auth
                    .first_message
                    .filter(|_| rejection == Rejection::Missing);
                let verdict = match patience {
                    Some(patience) => {
                        proof::first_message(&shared, self.id, &mut self.connection, patience)
                            .await?
                    }
                    None => Err(rejection),
                };
                match verdict {
                    Ok(identity) => {
                        let event = identity.event();
                        (identity, vec![event])
                    }
                    Err(rejection) => {
                        turn_away(&shared.log, self.id, self.connection, &rejection).await;
                        return None;
                    }
                }
            }
        };
        let client = Client {
            member: Member::local(self.id),
            path: self.path,
            user: identity.user,
        };
        let mut seat = Seat::new(client, self.connection, shared.plan.queue);
        let clock = self.faults.is_some().then(Box::default);
        if let Some((course, line)) = self.faults {
            seat = seat.with_faults(course, line);
        }
        Some(Peer::enter(shared, Arc::new(seat), self.place, told, clock))
    }
}

/// Closes the connection of a client that may not come in.
async fn turn_away(
    log: &Log,
    id: ConnId,
    mut connection: Connection<Stream>,
    rejection: &Rejection,
) {
    log.tell(Some(id), rejection.event());
    // A connection that is closing already refuses, which is just as well.
    let _ = connection.send(Command::Close(Some(rejection.close())));
    while let Some(what) = poll_fn(|cx| connection.poll_next(cx)).await {
        // What it says before it reads our Close concerns nobody, and may hold a secret.
        if !matches!(what, What::Message { .. }) {
            log.tell(Some(id), what);
        }
    }
}

struct Peer {
    shared: Arc<Shared>,
    seat: Arc<Seat>,
    /// Given back when it is gone.
    _place: OwnedSemaphorePermit,
    /// What its messages left to do.
    delivery: Delivery,
    /// The hub knows of it.
    is_here: bool,
    pace: Option<Box<Pace>>,
    files: Option<Box<Receiver>>,
    /// When faults want to be asked; `None` where there are none.
    clock: Option<Box<Clock>>,
}

/// How far a client is within `--rate-limit`.
struct Pace {
    rate: Rate,
    beyond: OnLimit,
    bucket: Bucket,
    /// Nothing is read until then.
    rest: Option<Pin<Box<Sleep>>>,
    /// It has been told that it is too fast.
    is_told: bool,
}

impl Peer {
    /// The hub learns of it, and the log what there is to tell.
    fn enter(
        shared: Arc<Shared>,
        seat: Arc<Seat>,
        place: OwnedSemaphorePermit,
        told: Vec<What>,
        clock: Option<Box<Clock>>,
    ) -> Self {
        let mut delivery = Delivery::default();
        shared.hub.connected(&seat, told, &mut delivery);
        let pace = shared.plan.limits.messages.map(|(rate, beyond)| {
            Box::new(Pace {
                rate,
                beyond,
                bucket: Bucket::new(Instant::now()),
                rest: None,
                is_told: false,
            })
        });
        let files = shared.plan.files.clone().map(Receiver::new).map(Box::new);
        Self {
            shared,
            seat,
            _place: place,
            delivery,
            is_here: true,
            pace,
            files,
            clock,
        }
    }

    async fn run(&mut self) {
        self.suffer(|course| course.opened(Instant::now()));
        while let Some(what) = poll_fn(|cx| self.poll_next(cx)).await {
            self.happened(what);
        }
    }

    /// The next thing that happened. What several messages that came in one go are for is written
    /// in one go.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<What>> {
        let is_resting = self.pace.as_mut().is_some_and(|pace| pace.poll_rest(cx));
        let blocked = self.delivery.poll_blocked(cx) || is_resting;
        let writes = !self.delivery.is_empty();
        if writes && (blocked || self.delivery.has_much() || !self.seat.has_unread()) {
            self.flush(cx);
        }
        let next = self.seat.poll_next(cx, blocked, &self.shared.log);
        if next.is_pending() && !self.delivery.is_empty() {
            self.flush(cx);
        }
        if self.clock.is_some() {
            self.watch_faults(cx, next.is_pending());
        }
        next
    }

    /// Tells what faults did to messages. Before a wait it also has them do what is due, and be asked
    /// again at their time.
    fn watch_faults(&mut self, cx: &mut Context<'_>, waits: bool) {
        let asked = self
            .seat
            .ask_faults(|course| (course.take_told(), course.deadline()));
        let Some((told, deadline)) = asked else {
            return;
        };
        for what in told {
            self.tell(what);
        }
        let clock = self.clock.as_mut().filter(|_| waits);
        if clock.is_some_and(|clock| clock.poll_due(cx, deadline)) {
            self.suffer(|course| course.due(Instant::now()));
            // Messages that were held may leave now.
            cx.waker().wake_by_ref();
        }
    }

    /// The faults that strike because of this.
    fn faults_at(&self, what: &What) -> Vec<Hit> {
        if self.clock.is_none() {
            return Vec::new();
        }
        let hits = self
            .seat
            .ask_faults(|course| course.heard(what, Instant::now()));
        hits.unwrap_or_default()
    }

    fn suffer(&self, ask: impl FnOnce(&mut Course) -> Vec<Hit>) {
        let hits = self.seat.ask_faults(ask).unwrap_or_default();
        if !hits.is_empty() {
            self.seat.suffer(hits, &self.shared.log);
        }
    }

    /// Faults strike, behind what a message has led to.
    fn strike(&mut self, hits: Vec<Hit>, is_message: bool) {
        let log = &self.shared.log;
        if is_message {
            self.delivery.flush(log);
            self.seat.flush(log);
        }
        self.seat.suffer(hits, log);
    }

    fn flush(&mut self, cx: &mut Context<'_>) {
        let flush = async { self.delivery.flush(&self.shared.log) };
        // Else the runtime would have the socket of the 129th receiver seem full.
        let _ready = pin!(unconstrained(flush)).poll(cx);
    }

    fn happened(&mut self, mut what: What) {
        let proof = self.take_proof(&mut what);
        let hits = self.faults_at(&what);
        let departure = departure(&what);
        self.shared.log.tell_of(self.seat.id(), &what);
        let mut is_message = false;
        match what {
            What::Message {
                dir: Direction::In,
                message,
                ..
            } => {
                is_message = true;
                self.came(message, proof);
            }
            What::Ping {
                dir: Direction::In,
                payload,
            } => self.control_came(Control::Ping(payload)),
            What::Pong {
                dir: Direction::In,
                payload,
                ..
            } => self.control_came(Control::Pong(payload)),
            _ => {}
        }
        if !hits.is_empty() {
            self.strike(hits, is_message);
        }
        if let Some(departure) = departure {
            self.leave(departure);
        }
        if let Some(dropped) = self.seat.take_dropped() {
            self.tell(dropped);
        }
    }

    fn came(&mut self, message: Message, proof: Option<Proof>) {
        if !self.is_here || self.answers_heartbeat(&message) || !self.may_go_on() {
            return;
        }
        if let Some(proof) = proof {
            let answer = proof.answer(&self.shared);
            self.seat.answer(Order::Command(Command::Send(answer)));
        } else {
            self.act_on(message);
        }
    }

    fn control_came(&mut self, control: Control) {
        if self.is_here && self.shared.plan.mode.hears_control() {
            let delivery = &mut self.delivery;
            self.shared.hub.control(&self.seat, control, delivery);
        }
    }

    /// What the mode makes of a message.
    fn act_on(&mut self, message: Message) {
        let is_stored = self.store(&message);
        let mode = &self.shared.plan.mode;
        match mode.answer() {
            Some(answer) => {
                if let Some(reply) = answer(mode, message) {
                    self.seat.answer(Order::Command(Command::Send(reply)));
                }
            }
            None => {
                let (hub, delivery) = (&self.shared.hub, &mut self.delivery);
                hub.message(&self.seat, message, is_stored, delivery);
            }
        }
    }

    /// What a client shows that is in already, where anything has to be shown; it is hidden.
    fn take_proof(&self, what: &mut What) -> Option<Proof> {
        let What::Message {
            dir: Direction::In,
            message,
            ..
        } = what
        else {
            return None;
        };
        if !self.shared.plan.auth.is_on() {
            return None;
        }
        let proof = Proof::of(message)?;
        *message = proof.redacted(message);
        Some(proof)
    }

    /// Stores what belongs to a file, and says what became of one; the mode hears of it too. Whether
    /// it belongs to one.
    fn store(&mut self, message: &Message) -> bool {
        let Some(Taken::Piece(done)) = self.files.as_mut().map(|files| files.take(message)) else {
            return false;
        };
        for done in done {
            self.seat
                .answer(Order::Command(Command::Send(done.answer())));
            self.tell(done.event());
        }
        true
    }

    /// Whether a message is the answer to a heartbeat in text, which no mode has asked for.
    fn answers_heartbeat(&self, message: &Message) -> bool {
        let heartbeat = self.shared.plan.connection.heartbeat.as_ref();
        let reply = heartbeat.and_then(|heartbeat| heartbeat.message.as_ref()?.reply.as_ref());
        reply.is_some_and(|reply| message.is_text() && message.payload == reply.as_bytes())
    }

    /// Whether the mode gets to see one more message.
    fn may_go_on(&mut self) -> bool {
        let Some(pace) = &mut self.pace else {
            return true;
        };
        let (goes_on, is_over, is_news) = pace.step(Instant::now());
        let beyond = pace.beyond;
        if is_over {
            self.tell(What::Limit {
                limit: "rate",
                action: beyond.name(),
                again: !is_news,
            });
        }
        if is_news && beyond == OnLimit::Close {
            self.seat.close(CloseFrame {
                code: CloseCode::POLICY,
                reason: "over the rate limit".to_owned(),
            });
        }
        goes_on
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

impl Pace {
    /// Takes one message; whether it goes on, whether it is beyond the limit, and is the first that is.
    fn step(&mut self, now: Instant) -> (bool, bool, bool) {
        if self.beyond == OnLimit::Close && self.is_told {
            // What comes until the Close is answered.
            return (false, false, false);
        }
        let wait = match self.beyond {
            OnLimit::Delay => self.bucket.spend(self.rate, now),
            OnLimit::Drop | OnLimit::Close => {
                self.bucket.take(self.rate, now).err().unwrap_or_default()
            }
        };
        let is_over = !wait.is_zero();
        if is_over && self.beyond == OnLimit::Delay {
            self.rest = Some(Box::pin(sleep(wait)));
        }
        let is_news = is_over && !self.is_told;
        self.is_told = is_over;
        let goes_on = !is_over || self.beyond == OnLimit::Delay;
        (goes_on, is_over, is_news)
    }

    /// Whether nothing is to be read now.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> bool {
        let rest = self.rest.as_mut();
        let is_resting = rest.is_some_and(|rest| rest.as_mut().poll(cx).is_pending());
        if !is_resting {
            self.rest = None;
        }
        is_resting
    }
}

impl Drop for Peer {
    /// Where the server ends before the peer has answered.
    fn drop(&mut self) {
        self.leave(Departure::Lost);
    }
}

/// Whether somebody leaves by what happened, and how.
fn departure(what: &What) -> Option<Departure> {
    match what {
        What::Close(close) if close.clean => Some(Departure::Closed(CloseFrame {
            code: close.code,
            reason: close.reason.clone(),
        })),
        What::Close(_) => Some(Departure::Lost),
        // A ghost, which is offered a goodbye: for the others it is gone.
        What::Error(problem) if problem.kind == "timeout" => Some(Departure::Lost),
        _ => None,
    }
}

/// What there is to tell of an opening, `since` the last attempt of the same address.
fn opened(
    accepted: &Accepted<Stream>,
    target: &str,
    tls: Option<(TlsInfo, Duration)>,
    since: Option<Duration>,
    address: &str,
) -> What {
    let response = &accepted.response.headers;
    What::Open(Box::new(Open {
        url: secret::redact_target(target),
        subprotocol: handshake::header(response, "sec-websocket-protocol").map(str::to_owned),
        extensions: handshake::values(response, "sec-websocket-extensions")
            .map(str::to_owned)
            .collect(),
        peer: address.to_owned(),
        timings: Timings {
            tls: tls.as_ref().map(|(_, took)| *took),
            since,
            ..Timings::default()
        },
        tls: tls.map(|(info, _)| info),
    }))
}
