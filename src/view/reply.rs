//! Which message answers which: the same id in both, the other way.
//!
//! Nothing is kept for it: when one looks at a message its id is read, and the messages before it
//! are looked through, newest first, [`MOST_ENTRIES`] of them at most. That is what makes it free
//! while 200,000 messages a second go by.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::value::RawValue;

use super::ring::{Entry, Ring};
use crate::model::event::{Direction, What};
use crate::text::json::members::Level;

/// Members of a message's top level that hold the id of a request, most telling first.
const NAMES: [(&str, &str); 12] = [
    ("id", "/id"),
    ("request_id", "/request_id"),
    ("requestId", "/requestId"),
    ("req_id", "/req_id"),
    ("reqId", "/reqId"),
    ("correlation_id", "/correlation_id"),
    ("correlationId", "/correlationId"),
    ("message_id", "/message_id"),
    ("messageId", "/messageId"),
    ("ref", "/ref"),
    ("seq", "/seq"),
    ("nonce", "/nonce"),
];

/// How far back a request is looked for.
const MOST_ENTRIES: usize = 20_000;

/// Larger messages are not looked into.
const MOST_BYTES: usize = 64 * 1024;

/// A message and what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The number of the message that it answers.
    pub to: u64,
    /// The JSON pointer of the id that is the same in both.
    pub pointer: &'static str,
    pub after: Duration,
}

/// What this entry answers, as far as one can tell.
pub fn reply(ring: &Ring, entry: &Entry) -> Option<Reply> {
    let (dir, text) = message(entry)?;
    let ids = ids(&text);
    // Most messages are passed over by their bytes alone.
    let might_have = |text: &str| ids.iter().any(|(_, id)| text.contains(id.as_str()));
    let not_before = ring.last().saturating_add(1).saturating_sub(entry.number);
    let before = (ring.iter().rev())
        .skip(usize::try_from(not_before).unwrap_or(usize::MAX))
        .take(if ids.is_empty() { 0 } else { MOST_ENTRIES })
        .filter(|other| other.event.conn == entry.event.conn);
    for other in before {
        let Some((other_dir, other_text)) = message(other) else {
            continue;
        };
        if other_dir == dir || !might_have(&other_text) {
            continue;
        }
        let other_ids = self::ids(&other_text);
        let same = ids.iter().find(|id| other_ids.contains(id));
        if let Some((pointer, _)) = same {
            return Some(Reply {
                to: other.number,
                pointer,
                after: entry.event.at.saturating_sub(other.event.at),
            });
        }
    }
    None
}

fn message(entry: &Entry) -> Option<(Direction, Cow<'_, str>)> {
    match &entry.event.what {
        What::Message { dir, message, .. } if message.payload.len() <= MOST_BYTES => {
            message.as_text().map(|text| (*dir, text))
        }
        _ => None,
    }
}

/// The ids of a message, as JSON.
fn ids(text: &str) -> Vec<(&'static str, String)> {
    let Some(Level::Object(members)) = Level::of(text) else {
        return Vec::new();
    };
    let id = |(name, pointer): &(&str, &'static str)| {
        let (_, value) = members.iter().find(|(member, _)| member == name)?;
        is_id(value).then(|| (*pointer, value.get().to_owned()))
    };
    NAMES.iter().filter_map(id).collect()
}

/// A number, or a string that is not empty.
fn is_id(value: &RawValue) -> bool {
    let text = value.get();
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        || text.starts_with('"') && text != "\"\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Message;
    use crate::view::sample;

    fn ring(messages: &[(Direction, &str)]) -> Ring {
        let mut ring = Ring::default();
        for (at, (dir, text)) in messages.iter().enumerate() {
            let mut event = sample::event(sample::message(*dir, Message::text(*text)));
            event.at = Duration::from_millis(at as u64);
            ring.push(event);
        }
        ring
    }

    fn last(messages: &[(Direction, &str)]) -> Option<(u64, &'static str, Duration)> {
        let ring = ring(messages);
        reply(&ring, ring.get(ring.last()).unwrap())
            .map(|reply| (reply.to, reply.pointer, reply.after))
    }

    use Direction::{In, Out};

    #[test]
    fn a_reply_has_the_id_of_what_went_the_other_way() {
        assert_eq!(
            last(&[
                (Out, r#"{"id":7,"op":"sub"}"#),
                (In, r#"{"id":8}"#),
                (Out, r#"{"id":"7"}"#),
                (In, r#"{"ok":true, "id": 7}"#),
            ]),
            Some((1, "/id", Duration::from_millis(3)))
        );
        assert_eq!(
            last(&[(In, r#"{"requestId":"a"}"#), (Out, r#"{"requestId":"a"}"#)]),
            Some((1, "/requestId", Duration::from_millis(1)))
        );
    }

    #[test]
    fn what_has_no_request_is_no_reply() {
        for messages in [
            &[(In, r#"{"id":7}"#), (In, r#"{"id":7}"#)][..],
            &[(Out, r#"{"id":7}"#), (In, r#"{"seq":7}"#)],
            &[(Out, r#"{"id":null}"#), (In, r#"{"id":null}"#)],
            &[(Out, r#"{"x":{"id":7}}"#), (In, r#"{"id":7}"#)],
            &[(Out, "7"), (In, "7")],
            &[(In, r#"{"id":7}"#)],
        ] {
            assert_eq!(last(messages), None, "{messages:?}");
        }
    }

    #[test]
    fn another_connection_asked_nothing() {
        let mut ring = ring(&[(Out, r#"{"id":7}"#)]);
        let answer = sample::message(In, Message::text(r#"{"id":7}"#));
        ring.push(sample::on(2, answer));
        assert_eq!(reply(&ring, ring.get(2).unwrap()), None);
    }
}
