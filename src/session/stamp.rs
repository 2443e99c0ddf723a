//! Stamps what happened with a time, and connections with ordinals. Shared by all sessions of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::model::event::{ConnId, Event, What};

/// One clock and one counter for a run; clones share them.
#[derive(Debug, Clone)]
pub struct Stamp {
    started: Instant,
    started_wall: SystemTime,
    connections: Arc<AtomicU64>,
}

impl Stamp {
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            started_wall: SystemTime::now(),
            connections: Arc::new(AtomicU64::new(0)),
        }
    }

    /// The ordinal of a new connection.
    pub fn connection(&self) -> ConnId {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The time since the start, as `at` of an event has it.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The wall clock time, as `time` of an event has it.
    pub fn time(&self) -> SystemTime {
        self.started_wall + self.now()
    }

    /// `what` happened now. Wall clock time follows the monotonic clock, so that it never runs backwards.
    pub fn event(&self, conn: Option<ConnId>, name: Option<&Arc<str>>, what: What) -> Event {
        let at = self.now();
        Event {
            time: self.started_wall + at,
            at,
            conn,
            name: name.cloned(),
            what,
        }
    }
}
