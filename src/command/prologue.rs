//! What a recording must know that begins in the middle of a session (`/record FILE`): where the
//! server listens, and the opening handshakes of the connections that are open.

use std::collections::BTreeMap;

use crate::model::event::{ConnId, Event, What};

/// Connections whose handshakes are kept at most; of more, a recording that begins late knows nothing.
const MOST: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Prologue {
    listening: Option<Event>,
    openings: BTreeMap<ConnId, Vec<Event>>,
}

impl Prologue {
    pub(super) fn event(&mut self, event: &Event) {
        let Some(conn) = event.conn else {
            if matches!(event.what, What::Listening { .. }) {
                self.listening = Some(event.clone());
            }
            return;
        };
        match &event.what {
            // Each redirect has a request of its own: the last one counts.
            What::Request(_) if self.openings.len() < MOST => {
                self.openings.insert(conn, vec![event.clone()]);
            }
            What::Response(_) | What::Open(_) => {
                if let Some(opening) = self.openings.get_mut(&conn) {
                    opening.push(event.clone());
                }
            }
            What::Refused(_) | What::Close(_) | What::Retry { .. } => {
                self.openings.remove(&conn);
            }
            _ => {}
        }
    }

    /// In the order of the connections.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.listening
            .iter()
            .chain(self.openings.values().flatten())
    }
}
