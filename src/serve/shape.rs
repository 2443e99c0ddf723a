//! The two shapes of messages in rooms, and what is the same in both. Pure.
//!
//! Flat: `{"type":"message","room":"lobby","text":"hi"}`. Enveloped:
//! `{"type":"message","id":"1","meta":{},"payload":{"roomId":"lobby","text":"hi"}}`. Who sent an
//! object as `payload` speaks enveloped. What the server adds to a message of somebody's (`from`,
//! `user`, `offset`) stands in `meta` there. Values that are passed on are not read, so
//! that numbers arrive as they were written.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::model::message::Message;

/// The largest message that is taken; `serve` keeps copies of them.
const MAX_SIZE: usize = 1 << 20;
/// How deep arrays and objects may be nested, as in most parsers.
const MAX_DEPTH: usize = 128;

/// How a client spells its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Shape {
    #[default]
    Flat,
    Enveloped,
}

/// Members of an object, in order, their values as they were written.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(String, Box<RawValue>)>);

/// A message that came.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) shape: Shape,
    pub(super) kind: String,
    /// What the sender calls it, to be repeated in the answer.
    pub(super) id: Option<Box<RawValue>>,
    /// The rest, without `room` or `roomId`.
    pub(super) body: Fields,
    /// The room, if one is named; whether that is a name is not checked.
    pub(super) room: Option<String>,
}

/// A message that goes out, in either shape.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) kind: String,
    pub(super) id: Option<Box<RawValue>>,
    pub(super) room: Option<String>,
    pub(super) body: Fields,
    /// What the server says about it.
    pub(super) stamp: Fields,
}

/// What only the server may say of a message.
const STAMPS: [&str; 3] = ["from", "user", "offset"];

impl Fields {
    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        let mut fields = self.0.iter();
        fields
            .find(|(key, _)| key == name)
            .map(|(_, value)| &**value)
    }

    /// A member as text or number; `None` where it is missing or something else.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Option<T> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// Adds a member.
    pub(super) fn and(mut self, name: &str, value: impl Serialize) -> Self {
        // What is given here are texts, numbers and lists of them.
        if let Ok(value) = to_raw_value(&value) {
            self.0.push((name.to_owned(), value));
        }
        self
    }

    fn take(&mut self, name: &str) -> Option<Box<RawValue>> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.remove(at).1)
    }

    /// What it takes in memory, roughly.
    fn size(&self) -> usize {
        let one = |(name, value): &(String, Box<RawValue>)| name.len() + value.get().len() + 64;
        self.0.iter().map(one).sum()
    }
}

impl Incoming {
    /// Reads a text message.
    ///
    /// # Errors
    /// A word for programs and a sentence for people.
    pub(super) fn read(text: &str) -> Result<Self, (&'static str, String)> {
        if text.len() > MAX_SIZE {
            let message = format!("a message in a room has at most {MAX_SIZE} bytes");
            return Err(("too_large", message));
        }
        if is_deeper(text, MAX_DEPTH) {
            return Err(("bad_json", format!("nested deeper than {MAX_DEPTH}")));
        }
        let mut fields: Fields = serde_json::from_str(text)
            .map_err(|error| ("bad_json", format!("not a JSON object: {error}")))?;
        let no_type = || {
            (
                "no_type",
                "the object has no \"type\" that is a text".to_owned(),
            )
        };
        let kind: String = fields.read("type").ok_or_else(no_type)?;
        fields.take("type");
        let id = fields.take("id");
        let payload = fields.get("payload").map(RawValue::get);
        let payload = payload.and_then(|payload| serde_json::from_str::<Fields>(payload).ok());
        let (shape, room, mut body) = match payload {
            Some(payload) => (Shape::Enveloped, "roomId", payload),
            None => (Shape::Flat, "room", fields),
        };
        let room = body.take(room);
        let room = room.map(|room| serde_json::from_str(room.get()).unwrap_or_default());
        // A sender does not say who it is.
        body.0.retain(|(name, _)| !STAMPS.contains(&name.as_str()));
        Ok(Self {
            shape,
            kind,
            id,
            body,
            room,
        })
    }
}

impl Outgoing {
    /// Something that the server says by itself.
    pub(super) fn new(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            id: None,
            room: None,
            body: Fields::default(),
            stamp: Fields::default(),
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.body = self.body.and(name, value);
        self
    }

    pub(super) fn in_room(mut self, room: &str) -> Self {
        self.room = Some(room.to_owned());
        self
    }

    pub(super) fn message(&self, shape: Shape) -> Message {
        // Only maps with other keys than texts, and sinks that fail, are errors.
        let text = serde_json::to_string(&Shaped(self, shape)).unwrap_or_default();
        Message::text(text)
    }

    /// What it takes in memory, roughly.
    pub(super) fn size(&self) -> usize {
        self.body.size() + self.stamp.size() + size_of::<Self>()
    }
}

struct Shaped<'a>(&'a Outgoing, Shape);

impl Serialize for Shaped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(outgoing, shape) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &outgoing.kind)?;
        if let Some(id) = &outgoing.id {
            map.serialize_entry("id", id)?;
        }
        match shape {
            Shape::Flat => {
                members(&mut map, "room", outgoing.room.as_ref(), &outgoing.body)?;
                members(&mut map, "", None, &outgoing.stamp)?;
            }
            Shape::Enveloped => {
                map.serialize_entry("meta", &outgoing.stamp)?;
                map.serialize_entry("payload", &Payload(outgoing))?;
            }
        }
        map.end()
    }
}

struct Payload<'a>(&'a Outgoing);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        members(&mut map, "roomId", self.0.room.as_ref(), &self.0.body)?;
        map.end()
    }
}

/// The room, if there is one, and the fields, but for what has a place of its own.
fn members<M: SerializeMap>(
    map: &mut M,
    room_key: &str,
    room: Option<&String>,
    fields: &Fields,
) -> Result<(), M::Error> {
    if let Some(room) = room {
        map.serialize_entry(room_key, room)?;
    }
    for (name, value) in &fields.0 {
        let is_taken = matches!(name.as_str(), "type" | "id") || name == room_key;
        if !is_taken {
            map.serialize_entry(name, value)?;
        }
    }
    Ok(())
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

/// Whether JSON is nested deeper than `most`, told without a stack.
fn is_deeper(text: &str, most: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed_on(text: &str, shape: Shape) -> String {
        let incoming = Incoming::read(text).unwrap();
        let outgoing = Outgoing {
            kind: incoming.kind,
            id: incoming.id,
            room: incoming.room,
            body: incoming.body,
            stamp: Fields::default().and("from", "m1"),
        };
        outgoing.message(shape).as_text().unwrap().into_owned()
    }

    #[test]
    fn each_shape_becomes_the_other_and_itself() {
        let flat = r#"{"type":"move","id":7,"room":"r","x":1.50,"y":12345678901234567890123}"#;
        let enveloped = r#"{"type":"move","id":7,"payload":{"roomId":"r","x":1.50,"y":12345678901234567890123}}"#;
        for text in [flat, enveloped] {
            assert_eq!(
                passed_on(text, Shape::Flat),
                r#"{"type":"move","id":7,"room":"r","x":1.50,"y":12345678901234567890123,"from":"m1"}"#
            );
            assert_eq!(
                passed_on(text, Shape::Enveloped),
                r#"{"type":"move","id":7,"meta":{"from":"m1"},"payload":{"roomId":"r","x":1.50,"y":12345678901234567890123}}"#
            );
        }
        assert_eq!(Incoming::read(flat).unwrap().shape, Shape::Flat);
        assert_eq!(Incoming::read(enveloped).unwrap().shape, Shape::Enveloped);
    }

    #[test]
    fn nobody_says_who_it_is_or_says_a_thing_twice() {
        let text = r#"{"type":"a","from":"m2","user":"root","offset":9,"type":"b","id":1,"id":2}"#;
        assert_eq!(
            passed_on(text, Shape::Flat),
            r#"{"type":"a","id":1,"from":"m1"}"#
        );
    }

    #[test]
    fn what_is_no_message_is_told_why() {
        let deep = format!("{{\"type\":\"a\",\"b\":{}", "[".repeat(100_000));
        let large = format!("\"{}\"", " ".repeat(MAX_SIZE));
        for (text, code) in [
            ("hello", "bad_json"),
            ("[1]", "bad_json"),
            ("", "bad_json"),
            (&deep, "bad_json"),
            (&large, "too_large"),
            (r#"{"type":7}"#, "no_type"),
            (r#"{"room":"a"}"#, "no_type"),
        ] {
            assert_eq!(Incoming::read(text).unwrap_err().0, code);
        }
        let strings = format!(r#"{{"type":"a","b":"\"{}"}}"#, "[".repeat(200));
        assert!(Incoming::read(&strings).is_ok());
    }
}
