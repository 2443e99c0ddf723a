//! A client over time: dial, talk, and dial again where that is asked for.
//!
//! A [`Client`] is pulled like the connection below it: [`Client::poll_next`] drives whatever is
//! under way and yields stamped events in order. State runs CONNECTING, OPEN, CLOSING, CLOSED; a
//! reconnect begins anew with the next connection ordinal.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::connection::Connection;
use super::opening::{self, Failure, Opened, Opening};
use super::stamp::Stamp;
use crate::error::Error;
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::event::{Close, ConnId, Event, Problem, What};
use crate::model::state::ReadyState;
use crate::protocol::engine::{Role, SendError};
use crate::wire::stream::Stream;
use crate::wire::target::Target;
use crate::wire::tls::Connector;

pub use super::plan::{Plan, Reconnect};

/// The count of retries begins anew after a connection was open this long.
const STABLE: Duration = Duration::from_secs(10);
/// The longest wait that a server's Retry-After may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// Between two attempts to reach a server that is waited for.
const WAIT_FOR_SERVER_STEP: Duration = Duration::from_millis(250);

/// One target, talked to until there is no reason to go on.
pub struct Client {
    plan: Arc<Plan>,
    /// What was loaded for the plan's TLS before.
    connector: Option<Arc<Connector>>,
    stamp: Stamp,
    step: Step,
    conn: ConnId,
    pending: VecDeque<Event>,
    /// Opening messages that wait for room in the out queue.
    to_send: VecDeque<Command>,
    reading: bool,
    retries: Retries,
    /// Why the last opening failed.
    failure: Option<Error>,
    /// Set by [`Client::finish`]: the end that comes is wanted.
    finishing: bool,
    state: ReadyState,
}

enum Step {
    Dial,
    Opening(Pin<Box<dyn Future<Output = Opening> + Send>>),
    Talking(Box<Connection<Stream>>),
    Waiting(Pin<Box<Sleep>>),
    Ended,
}

/// How often was it tried, and since when.
struct Retries {
    /// Since the last connection that was open for [`STABLE`].
    count: u32,
    /// Since the last open: the exponent of the delay.
    step: u32,
    opened: Option<Instant>,
    /// Until when the first connect is retried.
    wait_until: Option<Instant>,
    /// Why the last connection ended, for the `retry` event; `None` where no retry is due.
    reason: Option<String>,
    retry_after: Option<Duration>,
    /// `/reconnect`: dial again at once when the connection has closed.
    at_once: bool,
}

impl Client {
    pub fn new(plan: Plan, stamp: Stamp) -> Self {
        let wait_until = plan.wait_for_server.map(|wait| Instant::now() + wait);
        Self {
            plan: Arc::new(plan),
            connector: None,
            stamp,
            step: Step::Dial,
            conn: 0,
            pending: VecDeque::new(),
            to_send: VecDeque::new(),
            reading: true,
            retries: Retries {
                count: 0,
                step: 0,
                opened: None,
                wait_until,
                reason: None,
                retry_after: None,
                at_once: false,
            },
            failure: None,
            finishing: false,
            state: ReadyState::Connecting,
        }
    }

    /// Takes what was loaded for the plan's TLS before, for those who open many.
    pub fn with_connector(mut self, connector: Option<Arc<Connector>>) -> Self {
        self.connector = connector;
        self
    }

    /// The next event; `None` when there is nothing left to do.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                if let What::State(state) = event.what {
                    self.state = state;
                }
                return Poll::Ready(Some(event));
            }
            match &mut self.step {
                Step::Dial => self.dial(),
                Step::Opening(opening) => {
                    let opening = ready!(opening.as_mut().poll(cx));
                    self.opened(opening);
                }
                Step::Talking(connection) => {
                    send_as_room_allows(connection, &mut self.to_send);
                    match ready!(connection.poll_next(cx)) {
                        Some(what) => self.talked(what),
                        None => self.after_close(),
                    }
                }
                Step::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    self.step = Step::Dial;
                }
                Step::Ended => return Poll::Ready(None),
            }
        }
    }

    /// Why the last opening failed, as far as its events do not say it.
    pub const fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Hands a command over to the open connection.
    ///
    /// # Errors
    /// [`SendError::Closing`] where there is none.
    pub fn send(&mut self, command: Command) -> Result<(), SendError> {
        match &mut self.step {
            Step::Talking(connection) => {
                if let Command::Close(_) = command {
                    // A person who closes does not want it opened again.
                    self.finishing = true;
                }
                connection.send(command)
            }
            _ => Err(SendError::Closing),
        }
    }

    /// Whether the connection is open and takes more.
    pub fn can_send(&self) -> bool {
        self.to_send.is_empty()
            && matches!(&self.step, Step::Talking(connection) if connection.can_send())
    }

    /// What waits to be written to an open connection, in bytes of memory.
    pub fn held(&self) -> usize {
        match &self.step {
            Step::Talking(connection) => connection.held(),
            _ => 0,
        }
    }

    /// Whether nothing more can be written to the connection that is there: answers will not leave.
    pub fn is_broken(&self) -> bool {
        matches!(&self.step, Step::Talking(connection) if connection.is_broken())
    }

    /// Stops reading from an open connection while answers wait for room, or resumes it.
    pub fn set_waiting(&mut self, waiting: bool) {
        if let Step::Talking(connection) = &mut self.step {
            connection.set_waiting(waiting);
        }
    }

    /// Whether the connection is open and all that was handed over has left.
    pub fn is_idle(&self) -> bool {
        self.to_send.is_empty()
            && matches!(&self.step, Step::Talking(connection) if connection.is_idle())
    }

    /// Whether nothing more will happen.
    pub fn has_ended(&self) -> bool {
        matches!(self.step, Step::Ended) && self.pending.is_empty()
    }

    /// Stops or resumes reading from the peer.
    pub fn set_reading(&mut self, reading: bool) {
        self.reading = reading;
        if let Step::Talking(connection) = &mut self.step {
            connection.set_reading(reading);
        }
    }

    /// Closes with 1000 and does not come back; before it is open, gives up at once.
    pub fn finish(&mut self) {
        self.finishing = true;
        match &mut self.step {
            Step::Talking(connection) => {
                send_as_room_allows(connection, &mut self.to_send);
                // One that is closing already needs no second Close.
                let _ = connection.send(Command::Close(Some(CloseFrame::bare(CloseCode::NORMAL))));
            }
            Step::Ended => {}
            Step::Dial | Step::Opening(_) | Step::Waiting(_) => {
                if self.state != ReadyState::Closed {
                    self.push(What::State(ReadyState::Closed));
                }
                self.step = Step::Ended;
            }
        }
    }

    /// Gives the closing handshake that is under way so long at most.
    pub fn hurry(&mut self, patience: Duration) {
        if let Step::Talking(connection) = &mut self.step {
            connection.hurry(patience);
        }
    }

    /// `/reconnect`: dials again now, after closing what is open.
    pub fn reconnect(&mut self) {
        match &mut self.step {
            Step::Talking(connection) => {
                let _ = connection.send(Command::Close(Some(CloseFrame::bare(CloseCode::NORMAL))));
                self.retries.at_once = true;
            }
            Step::Waiting(_) | Step::Ended => {
                self.finishing = false;
                self.step = Step::Dial;
            }
            Step::Dial | Step::Opening(_) => {}
        }
    }

    pub fn state(&self) -> ReadyState {
        self.state
    }

    pub fn target(&self) -> &Target {
        &self.plan.target
    }

    fn push(&mut self, what: What) {
        let conn = (self.conn > 0).then_some(self.conn);
        self.pending
            .push_back(self.stamp.event(conn, self.plan.name.as_ref(), what));
    }

    fn dial(&mut self) {
        self.conn = self.stamp.connection();
        self.push(What::State(ReadyState::Connecting));
        let (plan, connector) = (Arc::clone(&self.plan), self.connector.clone());
        let opening = async move { opening::open_with(&plan, connector).await };
        self.step = Step::Opening(Box::pin(opening));
    }

    fn opened(&mut self, opening: Opening) {
        for head in opening.heads {
            self.push(head);
        }
        match opening.result {
            Ok(opened) => self.open(opened),
            Err(failure) => self.failed(failure),
        }
    }

    fn open(&mut self, opened: Opened) {
        self.retries.opened = Some(Instant::now());
        self.retries.step = 0;
        self.retries.wait_until = None;
        self.push(What::State(ReadyState::Open));
        self.push(What::Open(Box::new(opened.open)));
        let mut connection = Connection::new(
            opened.stream,
            Role::Client,
            &self.plan.connection,
            opened.deflate,
            &opened.read_ahead,
        );
        connection.set_reading(self.reading);
        self.to_send = self.plan.on_open.iter().cloned().collect();
        self.step = Step::Talking(Box::new(connection));
    }

    fn failed(&mut self, failure: Failure) {
        let waiting = self
            .retries
            .wait_until
            .is_some_and(|until| Instant::now() < until);
        let later = matches!(
            failure.error,
            Error::Connect { .. } | Error::Dropped { .. } | Error::Dns { .. }
        );
        if waiting && later {
            self.step = Step::Waiting(Box::pin(tokio::time::sleep(WAIT_FOR_SERVER_STEP)));
            return;
        }
        self.retries.retry_after = failure.retry_after();
        self.retries.reason = may_retry_failure(&failure).then(|| failure.error.to_string());
        if let Some(refused) = failure.refused {
            self.push(What::Refused(Box::new(refused)));
        }
        self.push(What::Error(Box::new(failure.error.problem())));
        self.push(What::State(ReadyState::Closed));
        self.failure = Some(failure.error);
        self.retry_or_end();
    }

    fn talked(&mut self, what: What) {
        let what = match what {
            What::Close(mut close) => {
                close.unsent += self.to_send.len() as u64;
                self.to_send.clear();
                self.retries.reason = may_retry_close(&close)
                    .then(|| format!("closed {} ({})", close.code, close.code.name()));
                What::Close(close)
            }
            other => other,
        };
        self.push(what);
    }

    fn after_close(&mut self) {
        if self
            .retries
            .opened
            .take()
            .is_some_and(|at| at.elapsed() >= STABLE)
        {
            self.retries.count = 0;
        }
        if std::mem::take(&mut self.retries.at_once) {
            self.step = Step::Dial;
        } else {
            self.retry_or_end();
        }
    }

    fn retry_or_end(&mut self) {
        let retry_after = self.retries.retry_after.take();
        let reason = self.retries.reason.take();
        self.step = Step::Ended;
        let (Some(reconnect), Some(reason)) = (self.plan.reconnect, reason) else {
            return;
        };
        if self.finishing {
            return;
        }
        if self.retries.count >= reconnect.max_retries {
            self.push(What::Error(Box::new(Problem {
                kind: "retries",
                message: format!("gave up after {} retries", self.retries.count),
                hint: Some("--max-retries allows more".into()),
            })));
            return;
        }
        let delay = match retry_after {
            Some(asked) => asked.min(LONGEST_RETRY_AFTER),
            None => reconnect.backoff.delay(self.retries.step, rand::random()),
        };
        self.retries.count += 1;
        self.retries.step += 1;
        self.push(What::Retry {
            attempt: self.retries.count,
            max: reconnect.max_retries,
            delay,
            reason,
        });
        self.step = Step::Waiting(Box::pin(tokio::time::sleep(delay)));
    }
}

fn send_as_room_allows(connection: &mut Connection<Stream>, commands: &mut VecDeque<Command>) {
    while connection.can_send() {
        let Some(command) = commands.pop_front() else {
            return;
        };
        // It can send: nothing is refused but what the command line has checked.
        let _ = connection.send(command);
    }
}

/// These codes say that coming back is useless or unwanted.
fn may_retry_close(close: &Close) -> bool {
    !matches!(close.code.0, 1000 | 1008 | 4001 | 4003)
}

fn may_retry_failure(failure: &Failure) -> bool {
    match &failure.error {
        Error::Refused { status, .. } => !matches!(status, 400 | 401 | 403 | 404 | 426),
        Error::Usage { .. } | Error::Tls { .. } | Error::Internal(_) => false,
        _ => true,
    }
}
