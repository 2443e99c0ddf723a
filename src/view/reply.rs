//! Which message an incoming one answers: the newest one sent before it with the same JSON id.

use std::time::Duration;

use serde_json::Value;

use super::ring::{Entry, Ring};
use crate::model::event::{Direction, What};

/// Where protocols put the id of a request and of its reply, most usual first.
const IDS: [&str; 12] = [
    "/id",
    "/request_id",
    "/requestId",
    "/req_id",
    "/reqId",
    "/correlation_id",
    "/correlationId",
    "/message_id",
    "/messageId",
    "/ref",
    "/seq",
    "/nonce",
];

/// Messages that were sent before it and are looked at.
const MOST_CANDIDATES: usize = 200;
/// Entries that are passed on the way to them.
const MOST_ENTRIES: usize = 20_000;
/// A longer message is not parsed.
const LONGEST: usize = 64 * 1024;

/// What an entry answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The number of the message that was sent.
    pub to: u64,
    /// Where both have the same id.
    pub pointer: &'static str,
    pub after: Duration,
}

/// What this entry answers, as far as one can tell.
pub fn reply(ring: &Ring, entry: &Entry) -> Option<Reply> {
    let answer = json(entry, Direction::In)?;
    let ids: Vec<(&'static str, &Value)> = IDS
        .iter()
        .filter_map(|pointer| Some((*pointer, answer.pointer(pointer)?)))
        .filter(|(_, id)| id.is_string() || id.is_number())
        .collect();
    if ids.is_empty() {
        return None;
    }
    let from = entry.number.saturating_sub(MOST_ENTRIES as u64);
    (from..entry.number)
        .rev()
        .map_while(|number| ring.get(number))
        .filter(|asked| asked.event.conn == entry.event.conn)
        .filter_map(|asked| Some((asked, json(asked, Direction::Out)?)))
        .take(MOST_CANDIDATES)
        .find_map(|(asked, question)| {
            let (pointer, _) = ids
                .iter()
                .find(|(pointer, id)| question.pointer(pointer) == Some(id))?;
            Some(Reply {
                to: asked.number,
                pointer,
                after: entry.event.at.saturating_sub(asked.event.at),
            })
        })
}

/// The JSON object of a text message that went this way.
fn json(entry: &Entry, way: Direction) -> Option<Value> {
    let What::Message { dir, message, .. } = &entry.event.what else {
        return None;
    };
    let fits = *dir == way && message.is_text() && message.payload.len() <= LONGEST;
    let is_object = || message.payload.trim_ascii_start().starts_with(b"{");
    (fits && is_object())
        .then(|| serde_json::from_slice(&message.payload).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample::{received, sent};

    #[test]
    fn the_same_id_makes_a_reply() {
        let mut ring = Ring::default();
        for (at, event) in [
            sent(r#"{"op":"sub","id":7}"#),
            sent(r#"{"op":"sub","id":"8"}"#),
            received(r#"{"id":7,"ok":true}"#),
            received(r#"{"ok":true,"id":8}"#),
            received(r#"{"id":null}"#),
            received("7"),
            sent(r#"{"id":7}"#),
            received(r#"{"id":7,"again":1}"#),
        ]
        .into_iter()
        .enumerate()
        {
            let mut event = event;
            event.at = Duration::from_millis(10 * at as u64);
            ring.push(event);
        }
        let found = |number| {
            let reply = reply(&ring, ring.get(number).unwrap());
            reply.map(|reply| (reply.to, reply.pointer, reply.after.as_millis()))
        };
        assert_eq!(found(3), Some((1, "/id", 20)));
        for number in [1, 4, 5, 6, 7] {
            assert_eq!(found(number), None, "{number}");
        }
        assert_eq!(found(8), Some((7, "/id", 10)));
    }
}
