//! The serde form of an event: one NDJSON line, as the events page of the documentation lists it.

use std::time::SystemTime;

use base64::Engine as _;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::event::{Direction, Event, RoundTrips, Traffic, What};
use super::handshake::Timings;
use super::secret;
use super::units::millis;

/// RFC 3339 in UTC with microseconds, the form of the `time` field.
pub fn rfc3339(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(|_| String::new(), |stamp| format!("{stamp:.6}"))
}

/// A time as [`rfc3339`] writes it, or null.
#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
pub(super) fn optional_time<S: Serializer>(
    time: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(rfc3339).serialize(serializer)
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &rfc3339(self.time))?;
        map.serialize_entry("at", &((self.at.as_secs_f64() * 1e6).round() / 1e6))?;
        map.serialize_entry("event", self.what.name())?;
        if let Some(conn) = self.conn {
            map.serialize_entry("conn", &conn)?;
        }
        if let Some(name) = &self.name {
            // `state` and `close` have a `name` of their own; there the target is `target`.
            let key = match self.what {
                What::State(_) | What::Close(_) => "target",
                _ => "name",
            };
            map.serialize_entry(key, name.as_ref())?;
        }
        self.what.fields(&mut map)?;
        map.end()
    }
}

impl What {
    fn fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::State(state) => {
                map.serialize_entry("state", state)?;
                map.serialize_entry("name", state.name())
            }
            Self::Request(head) => {
                map.serialize_entry("method", &head.method)?;
                map.serialize_entry("path", &secret::redact_target(&head.target))?;
                map.serialize_entry("headers", &secret::redact_headers(&head.headers))
            }
            Self::Response(head) => {
                map.serialize_entry("status", &head.status)?;
                map.serialize_entry("reason", &head.reason)?;
                map.serialize_entry("headers", &secret::redact_headers(&head.headers))
            }
            Self::Open(open) => {
                map.serialize_entry("url", &open.url)?;
                map.serialize_entry("status", &101)?;
                map.serialize_entry("subprotocol", &open.subprotocol)?;
                map.serialize_entry("extensions", &open.extensions)?;
                map.serialize_entry("peer", &open.peer)?;
                map.serialize_entry("tls", &open.tls)?;
                map.serialize_entry("ms", &Steps(&open.timings))?;
                match open.timings.since {
                    Some(since) => map.serialize_entry("since_ms", &millis(since)),
                    None => Ok(()),
                }
            }
            Self::Refused(refused) => {
                map.serialize_entry("url", &refused.url)?;
                map.serialize_entry("status", &refused.status)?;
                map.serialize_entry("headers", &secret::redact_headers(&refused.headers))?;
                map.serialize_entry("body", &String::from_utf8_lossy(&refused.body))?;
                map.serialize_entry("ms", &Steps(&refused.timings))
            }
            Self::Message {
                dir,
                message,
                frames,
                wire,
                json,
            } => {
                map.serialize_entry("dir", dir.name())?;
                map.serialize_entry("kind", &message.kind)?;
                map.serialize_entry("size", &message.payload.len())?;
                match message.as_text() {
                    Some(text) => map.serialize_entry("data", &text)?,
                    None => map.serialize_entry("base64", &Base64(&message.payload))?,
                }
                map.serialize_entry("frames", frames)?;
                map.serialize_entry("wire", wire)?;
                if let Some(ratio) = ratio(message.payload.len() as u64, *wire) {
                    map.serialize_entry("ratio", &ratio)?;
                }
                match json {
                    Some(json) => map.serialize_entry("json", json),
                    None => Ok(()),
                }
            }
            Self::Frame { dir, frame } => {
                map.serialize_entry("dir", dir.name())?;
                map.serialize_entry("opcode", frame.opcode.name())?;
                map.serialize_entry("op", &frame.opcode.value())?;
                map.serialize_entry("fin", &frame.fin)?;
                map.serialize_entry("rsv", &frame.rsv.map(u8::from))?;
                map.serialize_entry("masked", &frame.masked)?;
                map.serialize_entry("size", &frame.payload_len)?;
                map.serialize_entry("wire", &frame.wire_len)
            }
            Self::Ping { dir, payload } => control_fields(map, *dir, payload),
            Self::Pong { dir, payload, rtt } => {
                control_fields(map, *dir, payload)?;
                match rtt {
                    Some(rtt) => map.serialize_entry("rtt_ms", &millis(*rtt)),
                    None => Ok(()),
                }
            }
            Self::Close(close) => {
                map.serialize_entry("code", &close.code)?;
                map.serialize_entry("name", close.code.name())?;
                map.serialize_entry("reason", &close.reason)?;
                map.serialize_entry("clean", &close.clean)?;
                map.serialize_entry("by", &close.by)?;
                map.serialize_entry("wire_code", &close.wire_code)?;
                map.serialize_entry("idle_ms", &millis(close.idle))?;
                map.serialize_entry("unsent", &close.unsent)
            }
            Self::Error(problem) => {
                map.serialize_entry("kind", problem.kind)?;
                map.serialize_entry("message", &problem.message)?;
                map.serialize_entry("hint", &problem.hint)
            }
            Self::Retry {
                attempt,
                max,
                delay,
                reason,
            } => {
                map.serialize_entry("attempt", attempt)?;
                map.serialize_entry("max", max)?;
                map.serialize_entry("delay_ms", &millis(*delay))?;
                map.serialize_entry("reason", reason)
            }
            Self::Dropped {
                count,
                bytes,
                place,
            } => {
                map.serialize_entry("count", count)?;
                map.serialize_entry("bytes", bytes)?;
                map.serialize_entry("where", place)
            }
            Self::Auth { user, result } => {
                map.serialize_entry("user", user)?;
                map.serialize_entry("result", result)
            }
            Self::Room { room, action } => {
                map.serialize_entry("room", room)?;
                map.serialize_entry("action", action)
            }
            Self::Presence { room, user, state } => {
                map.serialize_entry("room", room)?;
                map.serialize_entry("user", user)?;
                map.serialize_entry("state", state)
            }
            Self::Saved { name, size } => {
                map.serialize_entry("file", name)?;
                map.serialize_entry("size", size)
            }
            Self::Limit { limit, action, .. } => {
                map.serialize_entry("limit", limit)?;
                map.serialize_entry("action", action)
            }
            Self::Fault { action, detail } => {
                map.serialize_entry("action", action)?;
                map.serialize_entry("detail", detail)
            }
            Self::Listening { url } => map.serialize_entry("url", url),
            Self::End(end) => {
                map.serialize_entry("sent", &end.sent.messages)?;
                map.serialize_entry("received", &end.received.messages)?;
                map.serialize_entry("bytes", &ByteTotals(&end.sent, &end.received))?;
                map.serialize_entry("by_opcode", &ByOpcode(&end.sent, &end.received))?;
                map.serialize_entry("rtt_ms", &end.rtt.as_ref().map(RttMillis))?;
                map.serialize_entry("unsent", &end.unsent)?;
                map.serialize_entry("exit", &end.exit)
            }
        }
    }
}

fn control_fields<M: SerializeMap>(
    map: &mut M,
    dir: Direction,
    payload: &[u8],
) -> Result<(), M::Error> {
    map.serialize_entry("dir", dir.name())?;
    map.serialize_entry("size", &payload.len())?;
    match std::str::from_utf8(payload) {
        Ok(text) => map.serialize_entry("data", text),
        Err(_) => map.serialize_entry("base64", &BASE64.encode(payload)),
    }
}

/// The `ms` object of `open` and `refused`.
struct Steps<'a>(&'a Timings);

impl Serialize for Steps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        for (name, step) in [
            ("dns", self.0.dns),
            ("tcp", self.0.tcp),
            ("proxy", self.0.proxy),
            ("tls", self.0.tls),
            ("upgrade", self.0.upgrade),
            ("total", Some(self.0.total)),
        ] {
            map.serialize_entry(name, &step.map(millis))?;
        }
        map.end()
    }
}

/// The `bytes` object of `end`.
struct ByteTotals<'a>(&'a Traffic, &'a Traffic);

impl Serialize for ByteTotals<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("sent_payload", &self.0.payload)?;
        map.serialize_entry("sent_wire", &self.0.wire)?;
        map.serialize_entry("received_payload", &self.1.payload)?;
        map.serialize_entry("received_wire", &self.1.wire)?;
        map.end()
    }
}

/// The `by_opcode` object of `end`: frames of a control opcode, messages of a data opcode.
struct ByOpcode<'a>(&'a Traffic, &'a Traffic);

impl Serialize for ByOpcode<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("sent", self.0)?;
        map.serialize_entry("received", self.1)?;
        map.end()
    }
}

impl Serialize for Traffic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        for (opcode, count) in [
            ("text", self.text),
            ("binary", self.binary),
            ("ping", self.ping),
            ("pong", self.pong),
            ("close", self.close),
        ] {
            map.serialize_entry(opcode, &count)?;
        }
        map.end()
    }
}

/// Bytes in base64, which is written as it is made.
struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &BASE64))
    }
}

/// How many times smaller a message was on the wire, to two digits; `None` where it was not.
fn ratio(payload: u64, wire: u64) -> Option<f64> {
    let hundredths = (payload as f64 / wire as f64 * 100.0).round();
    (wire < payload).then_some(hundredths / 100.0)
}

/// The `rtt_ms` object of `end`.
struct RttMillis<'a>(&'a RoundTrips);

impl Serialize for RttMillis<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("p50", &millis(self.0.p50))?;
        map.serialize_entry("p99", &millis(self.0.p99))?;
        map.serialize_entry("max", &millis(self.0.max))?;
        map.end()
    }
}
