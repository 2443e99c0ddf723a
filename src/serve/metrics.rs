//! What a server counts, as Prometheus reads it. The counters are one more view of the events, so
//! that whatever is told of is counted too.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::expectation::Figures;
use crate::model::event::{Direction, What};
use crate::text::exposition::{Page, label};

/// Counters since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    opened: AtomicU64,
    received: Traffic,
    sent: Traffic,
    /// What is rare, by metric and labels.
    rare: Mutex<BTreeMap<(&'static Metric, String), u64>>,
}

#[derive(Debug, Default)]
struct Traffic {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Traffic {
    fn add(&self, messages: u64, bytes: u64) {
        self.messages.fetch_add(messages, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// How things are now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gauges {
    pub(super) connections: usize,
    /// Rooms and topics that somebody is in.
    pub(super) channels: usize,
    /// Bytes that wait for peers.
    pub(super) queued: usize,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Metric {
    name: &'static str,
    help: &'static str,
}

const CLOSED: Metric = Metric {
    name: "wscope_closed_total",
    help: "Connections that ended, by close code.",
};
const DROPPED: Metric = Metric {
    name: "wscope_dropped_total",
    help: "Messages that were dropped, by place.",
};
const LIMITS: Metric = Metric {
    name: "wscope_limits_total",
    help: "Limits that were reached, by limit and what was done.",
};
const AUTH: Metric = Metric {
    name: "wscope_auth_total",
    help: "Clients that showed who they are, by result.",
};
const FAULTS: Metric = Metric {
    name: "wscope_faults_total",
    help: "Faults that were injected (--fault), by action.",
};
const ERRORS: Metric = Metric {
    name: "wscope_errors_total",
    help: "What went wrong, by kind.",
};

impl Metrics {
    pub(super) fn observe(&self, what: &What) {
        match what {
            What::Message { dir, message, .. } => {
                let traffic = match dir {
                    Direction::In => &self.received,
                    Direction::Out => &self.sent,
                };
                traffic.add(1, message.payload.len() as u64);
            }
            What::Open(_) => {
                self.opened.fetch_add(1, Ordering::Relaxed);
            }
            What::Close(close) => self.count(&CLOSED, format!("code=\"{}\"", close.code.0), 1),
            What::Dropped { count, place, .. } => {
                self.count(&DROPPED, format!("place=\"{place}\""), *count);
            }
            What::Limit { limit, action, .. } => {
                let labels = format!("limit=\"{limit}\",action=\"{action}\"");
                self.count(&LIMITS, labels, 1);
            }
            What::Auth { result, .. } => self.count(&AUTH, format!("result=\"{result}\""), 1),
            What::Fault { action, .. } => self.count(&FAULTS, format!("action=\"{action}\""), 1),
            What::Error(problem) => self.count(&ERRORS, format!("kind=\"{}\"", problem.kind), 1),
            _ => {}
        }
    }

    /// So many messages were sent, with so many bytes of payload in all.
    pub(super) fn sent(&self, messages: u64, bytes: u64) {
        self.sent.add(messages, bytes);
    }

    pub(super) fn figures(&self) -> Figures {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            connections: load(&self.opened),
            received: load(&self.received.messages),
            sent: load(&self.sent.messages),
        }
    }

    fn count(&self, metric: &'static Metric, labels: String, by: u64) {
        // Adding cannot fail half-way.
        let mut rare = self.rare.lock().unwrap_or_else(PoisonError::into_inner);
        *rare.entry((metric, labels)).or_default() += by;
    }

    /// The text exposition format, version 0.0.4.
    pub(super) fn text(&self, gauges: Gauges) -> String {
        let mut page = Page::default();
        let gauge = "gauge";
        page.one(
            "wscope_connections",
            gauge,
            "Open connections.",
            gauges.connections,
        );
        page.one(
            "wscope_channels",
            gauge,
            "Rooms and topics that somebody is in.",
            gauges.channels,
        );
        page.one(
            "wscope_queued_bytes",
            gauge,
            "Bytes that wait for peers to read.",
            gauges.queued,
        );
        page.one(
            "wscope_connections_total",
            "counter",
            "Connections that were opened.",
            self.opened.load(Ordering::Relaxed),
        );
        let of = |traffic: &Traffic| {
            let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            (load(&traffic.messages), load(&traffic.bytes))
        };
        let (received, sent) = (of(&self.received), of(&self.sent));
        for (name, help, received, sent) in [
            (
                "wscope_messages_total",
                "Messages, by direction.",
                received.0,
                sent.0,
            ),
            (
                "wscope_bytes_total",
                "Bytes of messages, by direction.",
                received.1,
                sent.1,
            ),
        ] {
            let samples = [("in", received), ("out", sent)];
            let samples = samples.map(|(dir, count)| (label("dir", dir), count));
            page.each(name, "counter", help, samples);
        }
        let rare = self.rare.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        for ((metric, labels), count) in rare.iter() {
            if last.replace(metric) != Some(metric) {
                page.head(metric.name, "counter", metric.help);
            }
            page.sample(metric.name, labels, *count);
        }
        page.into_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Message;

    #[test]
    fn what_is_told_is_counted() {
        let metrics = Metrics::default();
        for dir in [Direction::In, Direction::In, Direction::Out] {
            metrics.observe(&What::Message {
                dir,
                message: Message::text("hello"),
                frames: 1,
                wire: 7,
                json: None,
            });
        }
        for result in ["ok", "expired", "ok"] {
            metrics.observe(&What::Auth { user: None, result });
        }
        metrics.observe(&What::Dropped {
            count: 7,
            bytes: 70,
            place: "queue",
        });
        let text = metrics.text(Gauges {
            connections: 2,
            channels: 1,
            queued: 0,
        });
        for line in [
            "wscope_connections 2",
            "# TYPE wscope_messages_total counter",
            "wscope_messages_total{dir=\"in\"} 2",
            "wscope_bytes_total{dir=\"out\"} 5",
            "wscope_auth_total{result=\"expired\"} 1",
            "wscope_auth_total{result=\"ok\"} 2",
            "wscope_dropped_total{place=\"queue\"} 7",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert_eq!(text.matches("# TYPE wscope_auth_total").count(), 1);
    }
}
