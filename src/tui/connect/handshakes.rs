//! How connections opened: kept apart from the ring, so that what is saved or copied of a list says
//! it however long ago that was.

use std::collections::VecDeque;

use crate::model::event::{ConnId, Event, Open, What};
use crate::model::handshake::{Headers, RequestHead, ResponseHead};

/// Connections whose openings are remembered.
const MOST: usize = 256;
/// Bytes of their headers, the newest opening aside; a head may have 64 KiB.
const MOST_BYTES: usize = 1 << 20;

/// Openings, oldest first; the oldest leave.
#[derive(Debug, Clone, Default)]
pub struct Handshakes {
    openings: VecDeque<Opening>,
    bytes: usize,
}

#[derive(Debug, Clone)]
struct Opening {
    conn: ConnId,
    /// The request, the response, and what was agreed on, as far as it came.
    events: Vec<Event>,
    bytes: usize,
}

impl Handshakes {
    pub fn observe(&mut self, event: &Event) {
        let Some(conn) = event.conn else {
            return;
        };
        let bytes = match &event.what {
            What::Request(head) => weight(&head.headers),
            What::Response(head) => weight(&head.headers),
            What::Open(_) => 0,
            _ => return,
        };
        // Each redirect has a request of its own: the last one counts.
        if matches!(event.what, What::Request(_)) {
            self.forget(conn);
        }
        let known = self.openings.iter().rposition(|one| one.conn == conn);
        let at = known.unwrap_or_else(|| {
            self.openings.push_back(Opening {
                conn,
                events: Vec::new(),
                bytes: 0,
            });
            self.openings.len() - 1
        });
        let opening = &mut self.openings[at];
        opening.events.push(event.clone());
        opening.bytes += bytes;
        self.bytes += bytes;
        while self.openings.len() > 1
            && (self.openings.len() > MOST || self.bytes > MOST_BYTES)
            && let Some(oldest) = self.openings.pop_front()
        {
            self.bytes -= oldest.bytes;
        }
    }

    /// Request, response and opening of a connection, in order, as far as they are known.
    pub fn events(&self, conn: ConnId) -> &[Event] {
        let known = self.openings.iter().rev().find(|one| one.conn == conn);
        known.map_or(&[], |opening| &opening.events)
    }

    pub fn request(&self, conn: Option<ConnId>) -> Option<&RequestHead> {
        self.find(conn, |what| match what {
            What::Request(head) => Some(&**head),
            _ => None,
        })
    }

    pub fn response(&self, conn: Option<ConnId>) -> Option<&ResponseHead> {
        self.find(conn, |what| match what {
            What::Response(head) => Some(&**head),
            _ => None,
        })
    }

    pub fn open(&self, conn: Option<ConnId>) -> Option<&Open> {
        self.find(conn, |what| match what {
            What::Open(open) => Some(&**open),
            _ => None,
        })
    }

    fn find<'a, T>(
        &'a self,
        conn: Option<ConnId>,
        pick: impl Fn(&'a What) -> Option<&'a T>,
    ) -> Option<&'a T> {
        let mut events = self.events(conn?).iter().rev();
        events.find_map(|event| pick(&event.what))
    }

    fn forget(&mut self, conn: ConnId) {
        if let Some(at) = self.openings.iter().rposition(|one| one.conn == conn)
            && let Some(gone) = self.openings.remove(at)
        {
            self.bytes -= gone.bytes;
        }
    }
}

fn weight(headers: &Headers) -> usize {
    let headers = headers.iter();
    headers.map(|(name, value)| name.len() + value.len()).sum()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn request(conn: ConnId, size: usize) -> Event {
        Event {
            time: SystemTime::UNIX_EPOCH,
            at: Duration::ZERO,
            conn: Some(conn),
            name: None,
            what: What::Request(Box::new(RequestHead {
                method: "GET".into(),
                target: format!("/{conn}"),
                headers: vec![("A".into(), "x".repeat(size))],
            })),
        }
    }

    #[test]
    fn openings_are_bounded_by_number_and_by_weight() {
        let mut handshakes = Handshakes::default();
        for conn in 1..=1000 {
            handshakes.observe(&request(conn, 10));
        }
        assert!(handshakes.request(Some(1000 - MOST as u64)).is_none());
        assert!(handshakes.request(Some(1001 - MOST as u64)).is_some());
        for conn in 2000..2100 {
            handshakes.observe(&request(conn, 64 << 10));
            assert!(handshakes.bytes <= MOST_BYTES);
        }
        handshakes.observe(&request(3000, 2 * MOST_BYTES));
        assert_eq!(handshakes.openings.len(), 1);
        handshakes.observe(&request(3001, 1));
        assert_eq!(handshakes.bytes, 2);
    }

    #[test]
    fn the_last_request_of_a_connection_counts() {
        let mut handshakes = Handshakes::default();
        handshakes.observe(&request(1, 3));
        handshakes.observe(&request(2, 3));
        handshakes.observe(&request(1, 5));
        assert_eq!(handshakes.events(1).len(), 1);
        let head = handshakes.request(Some(1)).unwrap();
        assert_eq!(head.headers[0].1.len(), 5);
        assert!(handshakes.response(Some(1)).is_none() && handshakes.open(None).is_none());
    }
}
