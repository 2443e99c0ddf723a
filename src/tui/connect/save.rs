//! Saving to files: the exact bytes of one payload, or the list as it is filtered.
//!
//! What is to be written is put together here; who holds the files writes it, on a thread of its own.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bytes::Bytes;

use super::list::List;
use super::scene::Scene;
use crate::model::event::{ConnId, Event, What};
use crate::model::units::{Thousands, show_size};
use crate::text::json;
use crate::view::ring::Entry;

/// Something to be written to a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Save {
    pub path: PathBuf,
    /// Replace a file that is there.
    pub overwrite: bool,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Payload(Bytes),
    /// Oldest first; the path's ending says as what.
    Events(Vec<Event>),
}

/// Why nothing was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSaved {
    /// There is a file of this name, and nobody said to replace it.
    Exists,
    /// A sentence.
    Failed(String),
}

/// Writes it, for its owner only.
pub type Saver = fn(&Save) -> Result<(), NotSaved>;

impl Content {
    /// `61 B`, `37 entries`.
    pub fn size(&self) -> String {
        match self {
            Self::Payload(payload) => show_size(payload.len() as u64),
            Self::Events(events) => {
                let is_head =
                    |event: &&Event| matches!(event.what, What::Request(_) | What::Response(_));
                match events.iter().filter(|event| !is_head(event)).count() {
                    1 => "1 entry".to_owned(),
                    count => format!("{} entries", Thousands(count as u64)),
                }
            }
        }
    }
}

/// The payload of an entry, with a name for its file.
pub(super) fn payload(entry: &Entry) -> Option<(String, Bytes)> {
    let (payload, ending) = match &entry.event.what {
        What::Message { message, .. } => {
            let ending = match message.as_text() {
                None => "bin",
                Some(text) if json::is_valid(&text) => "json",
                Some(_) => "txt",
            };
            (&message.payload, ending)
        }
        What::Ping { payload, .. } | What::Pong { payload, .. } => (payload, "bin"),
        _ => return None,
    };
    Some((
        format!("message-{}.{ending}", entry.number),
        payload.clone(),
    ))
}

/// What the list shows, or where there is a filter what that hits, each connection with how it
/// opened, which is in no list.
pub(super) fn events(list: &List, scene: &Scene) -> Vec<Event> {
    let mut told = BTreeSet::<ConnId>::new();
    let mut events = Vec::new();
    for entry in list.listed(&scene.ring) {
        let is_open = |what: &What| matches!(what, What::Open(_));
        let opens = is_open(&entry.event.what);
        if let Some(conn) = entry.event.conn
            && told.insert(conn)
        {
            let opening = scene.handshakes.events(conn).iter();
            events.extend(
                opening
                    .filter(|event| !opens || !is_open(&event.what))
                    .cloned(),
            );
        }
        events.push(entry.event.clone());
    }
    events
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::event::Direction;
    use crate::model::message::Message;
    use crate::model::state::ReadyState;
    use crate::tui::connect::sample::Told;
    use crate::tui::connect::search::Search;
    use crate::view::ring::Ring;

    fn ring(whats: Vec<What>) -> Ring {
        let mut ring = Ring::default();
        for what in whats {
            ring.push(Event {
                time: SystemTime::UNIX_EPOCH,
                at: Duration::ZERO,
                conn: Some(1),
                name: None,
                what,
            });
        }
        ring
    }

    fn message(message: Message) -> What {
        What::Message {
            dir: Direction::In,
            message,
            frames: 1,
            wire: 0,
            json: None,
        }
    }

    #[test]
    fn a_file_is_named_by_what_is_in_it() {
        let ping = What::Ping {
            dir: Direction::In,
            payload: "x".into(),
        };
        let ring = ring(vec![
            message(Message::text("[1]")),
            message(Message::text("hi")),
            message(Message::binary(vec![0])),
            ping,
            What::State(ReadyState::Open),
        ]);
        let names: Vec<String> = ring
            .iter()
            .filter_map(payload)
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            [
                "message-1.json",
                "message-2.txt",
                "message-3.bin",
                "message-4.bin"
            ]
        );
    }

    #[test]
    fn the_list_is_saved_as_it_is_filtered() {
        let mut told = Told::begin();
        told.opens();
        told.received("one").received("two").received("one more");
        let ring = &told.scene.ring;
        let mut list = List::default();
        let saved = |list: &List| events(list, &told.scene);
        assert_eq!(Content::Events(saved(&list)).size(), "4 entries");
        list.filter(Some(Search::new("one")));
        while list.scan(ring) {}
        // What opened is told whatever the filter: without it a recording would be empty.
        let saved = saved(&list);
        let names: Vec<&str> = saved.iter().map(|event| event.what.name()).collect();
        assert_eq!(names, ["request", "response", "open", "message", "message"]);
        assert_eq!(Content::Events(saved).size(), "3 entries");
    }

    #[test]
    fn how_a_connection_opened_is_saved_though_the_list_has_forgotten_it() {
        let mut told = Told::begin();
        told.opens();
        for _ in 0..Ring::MOST_ENTRIES {
            told.received("x");
        }
        told.drops().opens();
        let saved = events(&List::default(), &told.scene);
        let names: Vec<&str> = saved.iter().map(|event| event.what.name()).collect();
        assert_eq!(names[..4], ["request", "response", "open", "message"]);
        let end = names.len() - 5..;
        assert_eq!(
            names[end],
            ["close", "retry", "request", "response", "open"]
        );
    }
}
