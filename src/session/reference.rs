//! A client on the reference implementation: it gets to the server as ours does (DNS, TCP, proxy,
//! TLS), and from the opening handshake on it is tokio-tungstenite's. It opens once, follows no
//! redirects, and does not come back.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use tokio::time::timeout;

use super::opening::{Attempt, Failure, explained, failure};
use super::plan::Plan;
use super::stamp::Stamp;
use crate::error::Error;
use crate::model::event::{ConnId, Event, Open, What};
use crate::model::state::ReadyState;
use crate::wire::reference::{self, Answer, Connection, NAME};
use crate::wire::stream::Stream;
use crate::wire::{tls, upgrade};

/// One connection, from CONNECTING to CLOSED. Its events bear the name [`NAME`].
pub struct Reference {
    stamp: Stamp,
    name: Arc<str>,
    conn: ConnId,
    step: Step,
    pending: VecDeque<Event>,
}

enum Step {
    Opening(Pin<Box<dyn Future<Output = Result<Opened, Failure>> + Send>>),
    Talking(Box<Connection<Stream>>),
    Ended,
}

struct Opened {
    connection: Connection<Stream>,
    open: Open,
}

impl Reference {
    pub fn new(plan: Plan, stamp: Stamp) -> Self {
        let mut reference = Self {
            name: NAME.into(),
            conn: stamp.connection(),
            stamp,
            step: Step::Opening(Box::pin(async move { open(&plan).await })),
            pending: VecDeque::new(),
        };
        reference.push(What::State(ReadyState::Connecting));
        reference
    }

    /// The next event; `None` when there is nothing left to do.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Poll::Ready(Some(event));
            }
            match &mut self.step {
                Step::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                    Ok(opened) => {
                        self.push(What::State(ReadyState::Open));
                        self.push(What::Open(Box::new(opened.open)));
                        self.step = Step::Talking(Box::new(opened.connection));
                    }
                    Err(failure) => self.failed(failure),
                },
                Step::Talking(connection) => match ready!(connection.poll_next(cx)) {
                    Some(what) => self.push(what),
                    None => self.step = Step::Ended,
                },
                Step::Ended => return Poll::Ready(None),
            }
        }
    }

    pub fn ping(&mut self, payload: Bytes) {
        if let Step::Talking(connection) = &mut self.step {
            connection.ping(payload);
        }
    }

    /// Closes with 1000; before it is open, gives up at once.
    pub fn finish(&mut self) {
        match &mut self.step {
            Step::Talking(connection) => connection.close(),
            Step::Opening(_) => {
                self.push(What::State(ReadyState::Closed));
                self.step = Step::Ended;
            }
            Step::Ended => {}
        }
    }

    /// Stops or resumes reading from the peer.
    pub fn set_reading(&mut self, reading: bool) {
        if let Step::Talking(connection) = &mut self.step {
            connection.set_reading(reading);
        }
    }

    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn failed(&mut self, failure: Failure) {
        if let Some(refused) = failure.refused {
            self.push(What::Refused(Box::new(refused)));
        }
        self.push(What::Error(Box::new(failure.error.problem())));
        self.push(What::State(ReadyState::Closed));
        self.step = Step::Ended;
    }

    fn push(&mut self, what: What) {
        let event = self.stamp.event(Some(self.conn), Some(&self.name), what);
        self.pending.push_back(event);
    }
}

async fn open(plan: &Plan) -> Result<Opened, Failure> {
    let (request, tls) = plan.secrets.fill(&plan.request, &plan.tls).await?;
    let mut attempt = Attempt::begin();
    let opened = timeout(
        plan.connect_timeout,
        exchange(&mut attempt, plan, &request, &tls),
    );
    match opened.await {
        Ok(opened) => opened,
        Err(_) => Err(attempt.timed_out(plan.connect_timeout).into()),
    }
}

async fn exchange(
    attempt: &mut Attempt,
    plan: &Plan,
    request: &upgrade::Plan,
    tls: &tls::Plan,
) -> Result<Opened, Failure> {
    let target = &plan.target;
    let begun = Instant::now();
    let (secured, peer, mut timings) = attempt.secure(target, plan, tls).await?;
    let head = upgrade::request(target, request, &upgrade::new_key());
    let started = Instant::now();
    let limit = plan.connection.max_message_size;
    let answer = reference::upgrade(secured.stream, &head, limit).await;
    let explain = |error: Error| explained(error, target, secured.wanted_identity);
    let answer = answer.map_err(explain)?;
    timings.upgrade = Some(started.elapsed());
    timings.total = begun.elapsed();
    match answer {
        Answer::Refused(refusal) => Err(failure(target, &head, refusal, timings)),
        Answer::Upgraded(upgraded) => Ok(Opened {
            connection: upgraded.connection,
            open: Open {
                url: target.redacted(),
                subprotocol: upgraded.subprotocol,
                extensions: upgraded.extensions,
                peer,
                tls: secured.info,
                timings,
            },
        }),
    }
}
