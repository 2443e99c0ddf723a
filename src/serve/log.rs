//! Where the peers' events go: a queue bounded in bytes. A reader that is too slow never slows a
//! peer; what did not fit is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::mpsc;

use crate::model::event::{Event, What};

/// Bytes of payload, and of room for the event around it, that wait for the reader at most.
const BOUND: usize = 4 << 20;
const EVENT_COST: usize = 256;

/// The writing side; cheap to clone.
#[derive(Debug, Clone)]
pub struct Log {
    events: mpsc::UnboundedSender<Event>,
    shared: Arc<Shared>,
}

/// The reading side.
#[derive(Debug)]
pub struct LogReader {
    events: mpsc::UnboundedReceiver<Event>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: AtomicUsize,
    dropped: AtomicU64,
    dropped_bytes: AtomicU64,
    /// Whether messages, pings and frames are wanted, or only what happens to connections.
    traffic: bool,
}

/// A log and its reader. Without `traffic` only the life of connections is told.
pub fn log(traffic: bool) -> (Log, LogReader) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        traffic,
        ..Shared::default()
    });
    let log = Log {
        events: sender,
        shared: Arc::clone(&shared),
    };
    let reader = LogReader {
        events: receiver,
        shared,
    };
    (log, reader)
}

impl Log {
    /// Whether an event like this is wanted.
    pub fn wants(&self, what: &What) -> bool {
        self.shared.traffic || !is_traffic(what)
    }

    pub fn push(&self, event: Event) {
        let cost = cost(&event);
        let waiting = self.shared.waiting.fetch_add(cost, Ordering::Relaxed);
        if waiting > BOUND && is_traffic(&event.what) {
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
    matches!(
        what,
        What::Message { .. } | What::Frame { .. } | What::Ping { .. } | What::Pong { .. }
    )
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
    use crate::session::stamp::Stamp;

    #[tokio::test]
    async fn a_slow_reader_loses_messages_but_no_closes_and_is_told() {
        let stamp = Stamp::start();
        let (log, mut reader) = log(true);
        for _ in 0..10 {
            let what = What::Message {
                dir: Direction::In,
                message: Message::binary(vec![0; 1 << 20]),
                frames: 1,
                wire: 1 << 20,
                json: None,
            };
            log.push(stamp.event(Some(1), None, what));
        }
        log.push(stamp.event(Some(1), None, What::State(ReadyState::Closed)));
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
}
