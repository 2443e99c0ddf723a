//! What happens on the server, as the screen sees it. Pure: events go in.
//!
//! It grows with the connections that are open, and no further: what was said is in a bounded ring.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ExitCode;
use crate::model::event::{ConnId, Direction, End, Event, Open, What};
use crate::model::message::Message;
use crate::tui::connect::vitals::Rates;
use crate::view::ring::Ring;
use crate::view::totals::Totals;

/// Sentences that are remembered.
const MOST_NOTES: usize = 20;
/// Larger messages are not looked into for the room that they are for.
const LARGEST: usize = 64 << 10;

/// The scene between the server, which writes it, and the screen, which reads it.
pub type Board = crate::tui::board::Board<Scene>;

/// The server.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    /// Where it listens.
    pub url: String,
    /// The name of its mode.
    pub mode: &'static str,
    /// Sentences of the start: what is exposed, which seed is used.
    pub notes: VecDeque<String>,
    pub connections: BTreeMap<ConnId, Connection>,
    pub rooms: BTreeMap<Place, Room>,
    /// How often each fault has hit, by its name.
    pub faults: BTreeMap<&'static str, u64>,
    /// How often a bound was reached, and what was done.
    pub limits: BTreeMap<(&'static str, &'static str), u64>,
    /// Connections since the beginning.
    pub opened: u64,
    /// Of those that have ended, how many without a closing handshake.
    pub lost: u64,
    /// Handshakes that were refused.
    pub refused: u64,
    /// Messages that clients did not get because they were too slow.
    pub dropped: u64,
    pub rates: Rates,
    pub ring: Ring,
    totals: Totals,
}

/// A connection that is open.
#[derive(Debug, Clone)]
pub struct Connection {
    pub open: Box<Open>,
    pub path: Arc<str>,
    pub user: Option<String>,
    /// When it opened.
    pub since: Duration,
    pub received: Count,
    pub sent: Count,
    /// Bytes that others sent and that wait for it to read.
    pub queued: usize,
    /// Messages that it did not get.
    pub dropped: u64,
    pub rtt: Option<Duration>,
    pub places: BTreeSet<Place>,
    /// Where its last message was heard.
    said_in: Vec<Place>,
}

/// Messages and their payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub messages: u64,
    pub bytes: u64,
}

/// A room or a topic of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub path: Arc<str>,
    pub is_topic: bool,
    pub name: Arc<str>,
}

/// What is known of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    pub members: usize,
    /// What its members said in it, since the first of them came.
    pub messages: u64,
}

impl Scene {
    /// Takes in what happened.
    pub fn hear(&mut self, event: Event) {
        self.totals.observe(&event);
        self.count(&event);
        if let Some(conn) = event.conn {
            self.happened(conn, &event);
        }
        if !event.what.is_repeated() {
            self.ring.push(event);
        }
    }

    /// A sentence about the server.
    pub fn note(&mut self, text: &str) {
        if self.notes.len() == MOST_NOTES {
            self.notes.pop_front();
        }
        self.notes.push_back(text.to_owned());
    }

    /// Takes in how much waits for each connection; none for those that are not named.
    pub fn measure(&mut self, queued: &HashMap<ConnId, usize>) {
        for (id, connection) in &mut self.connections {
            connection.queued = queued.get(id).copied().unwrap_or_default();
        }
    }

    /// Bytes that wait in all queues.
    pub fn queued(&self) -> usize {
        let connections = self.connections.values();
        connections.map(|connection| connection.queued).sum()
    }

    pub fn totals(&self) -> End {
        self.totals.end(ExitCode::DONE)
    }

    fn count(&mut self, event: &Event) {
        match &event.what {
            What::Message { dir, message, .. } => {
                let bytes = message.payload.len() as u64;
                self.rates.add(event.at, *dir, bytes);
            }
            What::Fault { action, .. } => *self.faults.entry(action).or_default() += 1,
            What::Limit { limit, action, .. } => {
                *self.limits.entry((limit, action)).or_default() += 1;
            }
            What::Dropped { count, .. } if event.conn.is_some() => self.dropped += count,
            What::Error(problem) if problem.kind == "refused" => self.refused += 1,
            _ => {}
        }
    }

    fn happened(&mut self, conn: ConnId, event: &Event) {
        if let What::Open(open) = &event.what {
            self.opened += 1;
            let path = open.url.split('?').next().unwrap_or_default().into();
            let connection = Connection {
                open: open.clone(),
                path,
                user: None,
                since: event.at,
                received: Count::default(),
                sent: Count::default(),
                queued: 0,
                dropped: 0,
                rtt: None,
                places: BTreeSet::new(),
                said_in: Vec::new(),
            };
            self.connections.insert(conn, connection);
            return;
        }
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        match &event.what {
            What::Message { dir, message, .. } => {
                let count = match dir {
                    Direction::In => &mut connection.received,
                    Direction::Out => &mut connection.sent,
                };
                count.messages += 1;
                count.bytes += message.payload.len() as u64;
                if *dir == Direction::In && !connection.places.is_empty() {
                    connection.said_in = said_in(connection, message);
                    for place in &connection.said_in {
                        self.rooms.entry(place.clone()).or_default().messages += 1;
                    }
                }
            }
            What::Limit {
                limit: "rate",
                action: "drop" | "close",
                ..
            } => {
                // It is told behind the message, which then was heard by nobody.
                for place in std::mem::take(&mut connection.said_in) {
                    if let Some(room) = self.rooms.get_mut(&place) {
                        room.messages = room.messages.saturating_sub(1);
                    }
                }
            }
            What::Pong { rtt: Some(rtt), .. } => connection.rtt = Some(*rtt),
            What::Auth { user, result: "ok" } => connection.user.clone_from(user),
            What::Dropped { count, .. } => connection.dropped += count,
            What::Room { room, action } => {
                let place = Place {
                    path: Arc::clone(&connection.path),
                    is_topic: action.ends_with("subscribe"),
                    name: room.as_str().into(),
                };
                if matches!(*action, "join" | "subscribe") {
                    if connection.places.insert(place.clone()) {
                        self.rooms.entry(place).or_default().members += 1;
                    }
                } else if connection.places.remove(&place) {
                    self.leave(&place);
                }
            }
            What::Close(close) => {
                self.lost += u64::from(!close.clean);
                if let Some(gone) = self.connections.remove(&conn) {
                    for place in &gone.places {
                        self.leave(place);
                    }
                }
            }
            _ => {}
        }
    }

    fn leave(&mut self, place: &Place) {
        if let Some(room) = self.rooms.get_mut(place) {
            room.members = room.members.saturating_sub(1);
            if room.members == 0 {
                self.rooms.remove(place);
            }
        }
    }
}

/// What a message in one of the two shapes of `--mode rooms` says of where it goes.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    room: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow, rename = "roomId")]
    room: Cow<'a, str>,
}

/// The rooms in which a message is heard: the one that it names, or all that its sender is in.
fn said_in(connection: &Connection, message: &Message) -> Vec<Place> {
    if !message.is_text() || message.payload.len() > LARGEST {
        return Vec::new();
    }
    let Ok(said) = serde_json::from_slice::<Said<'_>>(&message.payload) else {
        return Vec::new();
    };
    let is_for_the_server = matches!(
        &*said.kind,
        "join" | "leave" | "presence" | "direct" | "subscribe" | "unsubscribe" | "publish" | "ping"
    );
    if is_for_the_server {
        return Vec::new();
    }
    let payload = said.payload.map(RawValue::get);
    let payload = payload.and_then(|payload| serde_json::from_str::<Payload<'_>>(payload).ok());
    let named = said.room.or_else(|| payload.map(|payload| payload.room));
    let rooms = connection.places.iter().filter(|place| !place.is_topic);
    rooms
        .filter(|place| named.as_deref().is_none_or(|name| *place.name == *name))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::serve::sample::Told;

    fn rooms(told: &Told) -> Vec<(String, usize, u64)> {
        let rooms = told.scene.rooms.iter();
        rooms
            .map(|(place, room)| (place.name.to_string(), room.members, room.messages))
            .collect()
    }

    #[test]
    fn rooms_have_members_and_what_they_said() {
        let mut told = Told::begin("rooms");
        for conn in 1..=2 {
            told.opens(conn, "/game");
            told.room(conn, "a", "join").room(conn, "b", "join");
        }
        told.room(1, "s.*", "subscribe");
        told.says(1, r#"{"type":"move","x":1}"#);
        told.says(1, r#"{"type":"move","room":"a","payload":7}"#);
        told.says(2, r#"{"type":"move","payload":{"roomId":"a"}}"#);
        told.says(2, r#"{"type":"join","room":"a"}"#);
        told.says(2, "ping").says(2, r#"{"type":"move","room":7}"#);
        assert_eq!(
            rooms(&told),
            [("a".into(), 2, 3), ("b".into(), 2, 1), ("s.*".into(), 1, 0)]
        );
        told.closes(1).room(2, "b", "leave");
        assert_eq!(rooms(&told), [("a".into(), 1, 3)]);
        told.closes(2);
        assert!(told.scene.rooms.is_empty() && told.scene.connections.is_empty());
        assert_eq!((told.scene.opened, told.scene.lost), (2, 0));
    }

    #[test]
    fn what_a_limit_drops_was_not_said_and_all_of_it_counts() {
        let mut told = Told::begin("rooms");
        told.opens(1, "/").room(1, "a", "join");
        told.says(1, r#"{"type":"move"}"#);
        for (action, again) in [("drop", false), ("drop", true), ("delay", false)] {
            let limit = What::Limit {
                limit: "rate",
                action,
                again,
            };
            told.says(1, r#"{"type":"move"}"#).hear(Some(1), limit);
        }
        assert_eq!(rooms(&told), [("a".into(), 1, 2)]);
        let counted: Vec<_> = told
            .scene
            .limits
            .iter()
            .map(|(key, n)| (key.1, *n))
            .collect();
        assert_eq!(counted, [("delay", 1), ("drop", 2)]);
        let entries = told.scene.ring.iter();
        let limits = entries.filter(|entry| matches!(entry.event.what, What::Limit { .. }));
        assert_eq!(limits.count(), 2, "the log has each once");
    }

    #[test]
    fn queues_are_measured() {
        let mut told = Told::begin("echo");
        told.opens(1, "/").opens(2, "/");
        told.scene.measure(&HashMap::from([(1, 100)]));
        assert_eq!(told.scene.queued(), 100);
        told.scene.measure(&HashMap::from([(2, 7)]));
        assert_eq!(told.scene.queued(), 7);
    }
}
