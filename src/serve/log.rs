//! Where the peers' events go: a queue bounded in bytes. A reader that is too slow never slows a
//! peer; what did not fit is counted. A message that is larger than all the room there is never
//! fits: a peer can make one of 64 MiB from 64 KiB, and written as JSON it takes several times that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::expectation::Figures;
use super::metrics::Metrics;
use crate::model::event::{ConnId, Event, What};
use crate::session::stamp::Stamp;

/// Bytes of payload, and of room for the event around it, that wait for the reader at most, unless
/// more is planned.
pub const ROOM: usize = 4 << 20;
const EVENT_COST: usize = 256;

/// What is logged.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Messages, pings and frames too, not only the life of connections.
    pub traffic: bool,
    /// How many bytes wait for the reader at most.
    pub room: usize,
}

/// The writing side; cheap to clone.
#[derive(Debug, Clone)]
pub struct Log {
    plan: Plan,
    metrics: Arc<Metrics>,
    stamp: Stamp,
    events: mpsc::UnboundedSender<Event>,
    shared: Arc<Shared>,
}

/// The reading side.
#[derive(Debug)]
pub struct LogReader {
    metrics: Arc<Metrics>,
    events: mpsc::UnboundedReceiver<Event>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: AtomicUsize,
    dropped: AtomicU64,
    dropped_bytes: AtomicU64,
}

/// A log and its reader; `stamp` says when things happened.
pub fn log(plan: Plan, stamp: Stamp) -> (Log, LogReader) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared::default());
    let log = Log {
        plan,
        metrics: Arc::default(),
        stamp,
        events: sender,
        shared: Arc::clone(&shared),
    };
    let reader = LogReader {
        metrics: Arc::clone(&log.metrics),
        events: receiver,
        shared,
    };
    (log, reader)
}

impl Log {
    /// Something happened now: it is counted, and logged if anyone wants to know.
    pub fn tell(&self, conn: Option<ConnId>, what: What) {
        self.metrics.observe(&what);
        if self.is_logged(&what) {
            self.push(self.stamp.event(conn, None, what));
        }
    }

    /// The same for one who goes on with it: it is copied only where it is logged.
    pub(super) fn tell_of(&self, conn: ConnId, what: &What) {
        self.metrics.observe(what);
        if self.is_logged(what) {
            self.push(self.stamp.event(Some(conn), None, what.clone()));
        }
    }

    /// Whether each message is logged.
    pub(super) const fn has_traffic(&self) -> bool {
        self.plan.traffic
    }

    fn is_logged(&self, what: &What) -> bool {
        self.plan.traffic || !is_traffic(what)
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The ordinal of a new connection.
    pub fn connection(&self) -> ConnId {
        self.stamp.connection()
    }

    fn push(&self, event: Event) {
        let cost = cost(&event);
        let waiting = self.shared.waiting.fetch_add(cost, Ordering::Relaxed);
        if waiting + cost > self.plan.room && is_frequent(&event.what) {
            self.shared.waiting.fetch_sub(cost, Ordering::Relaxed);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            let bytes = (cost - EVENT_COST) as u64;
            self.shared
                .dropped_bytes
                .fetch_add(bytes, Ordering::Relaxed);
            return;
        }
        // The reader is gone when the program ends.
        let _ = self.events.send(event);
    }
}

impl LogReader {
    /// The next event; `None` when all writers are gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Event> {
        let event = self.events.recv().await?;
        self.shared
            .waiting
            .fetch_sub(cost(&event), Ordering::Relaxed);
        Some(event)
    }

    /// The next event, if one is here already.
    pub fn try_next(&mut self) -> Option<Event> {
        let event = self.events.try_recv().ok()?;
        self.shared
            .waiting
            .fetch_sub(cost(&event), Ordering::Relaxed);
        Some(event)
    }

    /// What has been counted so far, whether it was logged or not.
    pub fn figures(&self) -> Figures {
        self.metrics.figures()
    }

    /// What was dropped since the last call.
    pub fn dropped(&mut self) -> Option<What> {
        let count = self.shared.dropped.swap(0, Ordering::Relaxed);
        (count > 0).then(|| What::Dropped {
            count,
            bytes: self.shared.dropped_bytes.swap(0, Ordering::Relaxed),
            place: "log",
        })
    }
}

fn is_traffic(what: &What) -> bool {
    let is_message = matches!(
        what,
        What::Message { .. } | What::Frame { .. } | What::Ping { .. } | What::Pong { .. }
    );
    is_message || what.is_repeated()
}

/// Whether it comes as often as peers send.
fn is_frequent(what: &What) -> bool {
    is_traffic(what) || matches!(what, What::Fault { .. })
}

fn cost(event: &Event) -> usize {
    EVENT_COST
        + match &event.what {
            What::Message { message, .. } => message.payload.len(),
            What::Ping { payload, .. } | What::Pong { payload, .. } => payload.len(),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Direction;
    use crate::model::message::Message;
    use crate::model::state::ReadyState;

    fn message(size: usize) -> What {
        What::Message {
            dir: Direction::In,
            message: Message::binary(vec![0; size]),
            frames: 1,
            wire: size as u64,
            json: None,
        }
    }

    #[tokio::test]
    async fn a_slow_reader_loses_messages_but_no_closes_and_is_told() {
        let plan = Plan {
            traffic: true,
            room: ROOM,
        };
        let (log, mut reader) = log(plan, Stamp::start());
        for _ in 0..10 {
            log.tell(Some(1), message(1 << 20));
        }
        log.tell(Some(1), What::State(ReadyState::Closed));
        let mut messages = 0;
        while let Some(event) = reader.next().await {
            match event.what {
                What::Message { .. } => messages += 1,
                _ => break,
            }
        }
        let Some(What::Dropped { count, bytes, .. }) = reader.dropped() else {
            panic!("nothing was dropped");
        };
        assert_eq!((messages + count, bytes), (10, count << 20));
        assert_eq!(reader.dropped(), None);
    }

    #[test]
    fn a_message_larger_than_the_room_is_dropped_though_nothing_waits() {
        let plan = Plan {
            traffic: true,
            room: ROOM,
        };
        let (log, mut reader) = log(plan, Stamp::start());
        log.tell(Some(1), message(ROOM));
        log.tell(Some(1), message(ROOM / 2));
        assert!(reader.try_next().is_some());
        assert_eq!(reader.try_next(), None);
        let dropped = reader.dropped();
        assert!(
            matches!(dropped, Some(What::Dropped { count: 1, .. })),
            "{dropped:?}"
        );
    }
}
