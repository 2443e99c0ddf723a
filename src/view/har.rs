//! `.har`: an HTTP archive (HAR 1.2) with the messages where Chrome's network panel looks for them,
//! in `_webSocketMessages` of the connection's entry.
//!
//! The file is an archive after each event: what closes it, [`Har::tail`], stands at its end and is
//! written over by what comes next. Messages can only be added to the last entry, so where several
//! connections talk at once, a connection gets another entry each time it has its turn, and
//! [`Har::order`] tells how the pieces are put together when the recording ends. That costs some tens
//! of bytes of memory for each turn.
//!
//! An archive is written from the client's side: what clients of `listen PORT` send is `send` too.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use url::Url;

use crate::model::event::{ClosedBy, ConnId, Direction, Event, Open, Refused, What};
use crate::model::frame::Opcode;
use crate::model::handshake::{Headers, RequestHead, ResponseHead, Timings, header};
use crate::model::message::Message;
use crate::model::ndjson::rfc3339;
use crate::model::units::millis;

const ARCHIVE_END: &[u8] = b"\n]}}\n";
const ENTRY_END: &[u8] = b"\n]}";
/// Both of them.
const TAIL_IN_ENTRY: &[u8] = b"\n]}\n]}}\n";
const NEXT: &[u8] = b",\n";

/// The archive of a run.
#[derive(Debug, Default)]
pub struct Har {
    /// How long the file is without its tail.
    length: u64,
    /// Connections that are opening or open.
    connections: BTreeMap<ConnId, Connection>,
    /// The connection whose entry is the last, if it can have messages.
    last: Option<ConnId>,
    entries: Vec<Entry>,
}

#[derive(Debug, Default)]
struct Connection {
    request: RequestHead,
    response: ResponseHead,
    /// What each of its entries begins with, up to the messages.
    head: Vec<u8>,
    /// Its place in [`Har::entries`].
    entry: usize,
    /// It came to us.
    is_served: bool,
}

/// Where the pieces of a connection's entry are in the file.
#[derive(Debug)]
struct Entry {
    /// All of it where there can be no messages.
    head: Range<u64>,
    can_have_messages: bool,
    /// Messages and the commas between them, for each turn.
    turns: Vec<Range<u64>>,
}

/// A piece of the archive as it should be in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(&'static [u8]),
    /// Bytes of the file as it was written.
    Written(Range<u64>),
}

impl Har {
    /// Appends what an event adds to the file, before its tail.
    pub fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let mut text = Text {
            start: self.length,
            bytes: Vec::new(),
        };
        if self.length == 0 {
            text.add(beginning().as_bytes());
        }
        if let Some(conn) = event.conn {
            self.happened(conn, event, &mut text);
        }
        self.length = text.position();
        out.append(&mut text.bytes);
    }

    /// What stands at the end of the file.
    pub const fn tail(&self) -> &'static [u8] {
        if self.last.is_some() {
            TAIL_IN_ENTRY
        } else {
            ARCHIVE_END
        }
    }

    /// How the file is to be put together so that a connection has one entry; `None` where it is so.
    pub fn order(&self) -> Option<Vec<Part>> {
        if self.entries.iter().all(|entry| entry.turns.len() < 2) {
            return None;
        }
        let beginning = 0..self.entries.first()?.head.start;
        let mut parts = vec![Part::Written(beginning)];
        for (at, entry) in self.entries.iter().enumerate() {
            if at > 0 {
                parts.push(Part::Text(NEXT));
            }
            parts.push(Part::Written(entry.head.clone()));
            for (at, turn) in entry.turns.iter().enumerate() {
                if at > 0 {
                    parts.push(Part::Text(NEXT));
                }
                parts.push(Part::Written(turn.clone()));
            }
            if entry.can_have_messages {
                parts.push(Part::Text(ENTRY_END));
            }
        }
        parts.push(Part::Text(ARCHIVE_END));
        Some(parts)
    }

    fn happened(&mut self, conn: ConnId, event: &Event, text: &mut Text) {
        match &event.what {
            What::Request(head) => {
                self.connections.entry(conn).or_default().request = (**head).clone();
            }
            What::Response(head) => {
                self.connections.entry(conn).or_default().response = (**head).clone();
            }
            What::Open(open) => {
                let mut connection = self.connections.remove(&conn).unwrap_or_default();
                connection.opened(conn, event.time, open);
                connection.entry = self.entries.len();
                let head = self.begin_entry(&connection.head, text);
                self.entries.push(Entry {
                    head,
                    can_have_messages: true,
                    turns: Vec::new(),
                });
                self.connections.insert(conn, connection);
                self.last = Some(conn);
            }
            What::Refused(refused) => {
                let connection = self.connections.remove(&conn).unwrap_or_default();
                let entry = connection.refused(conn, event.time, refused);
                let head = self.begin_entry(entry.to_string().as_bytes(), text);
                self.entries.push(Entry {
                    head,
                    can_have_messages: false,
                    turns: Vec::new(),
                });
                self.last = None;
            }
            What::Close(close) => {
                if let Some(code) = close.wire_code {
                    let dir = match close.by {
                        ClosedBy::Us => Direction::Out,
                        ClosedBy::Peer | ClosedBy::Transport => Direction::In,
                    };
                    let data = format!("{code} {}", close.reason);
                    let frame = (dir, Opcode::CLOSE, data.trim_end().to_owned());
                    self.frame(conn, event.time, frame, text);
                }
                self.connections.remove(&conn);
            }
            what => {
                if let Some(frame) = frame(what) {
                    self.frame(conn, event.time, frame, text);
                }
            }
        }
    }

    /// Begins an entry after the others; where it stands.
    fn begin_entry(&self, head: &[u8], text: &mut Text) -> Range<u64> {
        if self.last.is_some() {
            text.add(ENTRY_END);
        }
        if !self.entries.is_empty() {
            text.add(NEXT);
        }
        text.add(head)
    }

    fn frame(
        &mut self,
        conn: ConnId,
        time: SystemTime,
        (dir, opcode, data): (Direction, Opcode, String),
        text: &mut Text,
    ) {
        let Some(connection) = self.connections.get(&conn) else {
            return;
        };
        if connection.head.is_empty() {
            return;
        }
        let has_turn = self.last == Some(conn);
        if !has_turn {
            self.begin_entry(&connection.head, text);
        }
        let Some(entry) = self.entries.get_mut(connection.entry) else {
            return;
        };
        let message = json!({
            "type": if (dir == Direction::Out) == connection.is_served { "receive" } else { "send" },
            "time": seconds(time),
            "opcode": opcode.value(),
            "data": data,
        });
        let message = format!("\n{message}");
        match entry.turns.last_mut() {
            Some(turn) if has_turn => {
                text.add(b",");
                turn.end = text.add(message.as_bytes()).end;
            }
            _ => entry.turns.push(text.add(message.as_bytes())),
        }
        self.last = Some(conn);
    }
}

/// What an event adds, and where in the file it begins.
struct Text {
    start: u64,
    bytes: Vec<u8>,
}

impl Text {
    fn position(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Where in the file it stands.
    fn add(&mut self, bytes: &[u8]) -> Range<u64> {
        let start = self.position();
        self.bytes.extend_from_slice(bytes);
        start..self.position()
    }
}

impl Connection {
    fn opened(&mut self, conn: ConnId, time: SystemTime, open: &Open) {
        self.is_served = open.url.starts_with('/');
        let url = if self.is_served {
            let scheme = if open.tls.is_some() { "wss" } else { "ws" };
            let host = header(&self.request.headers, "host").unwrap_or("localhost");
            format!("{scheme}://{host}{}", open.url)
        } else {
            open.url.clone()
        };
        let content = json!({"size": 0, "mimeType": "x-unknown"});
        let mut entry = self.entry(conn, time, &url, &open.timings, &content);
        if let Some(ip) = ip_of(&open.peer).filter(|_| !self.is_served) {
            entry["serverIPAddress"] = ip.into();
        }
        // The last brace is what the messages stand before.
        let mut head = entry.to_string();
        head.pop();
        head.push_str(",\"_webSocketMessages\":[");
        self.head = head.into_bytes();
    }

    fn refused(&self, conn: ConnId, time: SystemTime, refused: &Refused) -> Value {
        let content = json!({
            "size": refused.body.len(),
            "mimeType": header(&refused.headers, "content-type").unwrap_or("x-unknown"),
            "text": String::from_utf8_lossy(&refused.body),
        });
        self.entry(conn, time, &refused.url, &refused.timings, &content)
    }

    /// `time` is that of the answer.
    fn entry(
        &self,
        conn: ConnId,
        time: SystemTime,
        url: &str,
        timings: &Timings,
        content: &Value,
    ) -> Value {
        let step = |step: Option<Duration>| step.map_or(-1.0, millis);
        let connect = timings.tcp.map(|tcp| tcp + timings.tls.unwrap_or_default());
        let started = time.checked_sub(timings.total).unwrap_or(time);
        json!({
            "_initiator": {"type": "other"},
            "_resourceType": "websocket",
            "startedDateTime": rfc3339(started),
            "time": millis(timings.total),
            "request": {
                "method": self.request.method,
                "url": as_uri(url),
                "httpVersion": "HTTP/1.1",
                "headers": headers(&self.request.headers),
                "queryString": query(url),
                "cookies": [],
                "headersSize": -1,
                "bodySize": 0,
            },
            "response": {
                "status": self.response.status,
                "statusText": self.response.reason,
                "httpVersion": "HTTP/1.1",
                "headers": headers(&self.response.headers),
                "cookies": [],
                "content": content,
                "redirectURL": header(&self.response.headers, "location").unwrap_or_default(),
                "headersSize": -1,
                "bodySize": -1,
            },
            "cache": {},
            "timings": {
                "blocked": step(timings.proxy),
                "dns": step(timings.dns),
                "connect": step(connect),
                "ssl": step(timings.tls),
                "send": 0,
                "wait": timings.upgrade.map_or(0.0, millis),
                "receive": 0,
            },
            "connection": conn.to_string(),
        })
    }
}

fn beginning() -> String {
    let creator = json!({"name": "wscope", "version": env!("CARGO_PKG_VERSION")});
    format!("{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"pages\":[],\"entries\":[\n")
}

/// A message, ping or pong as Chrome has them: binary data as base64.
fn frame(what: &What) -> Option<(Direction, Opcode, String)> {
    let text = |payload: &[u8]| String::from_utf8_lossy(payload).into_owned();
    Some(match what {
        What::Message { dir, message, .. } => {
            let (opcode, data) = data(message);
            (*dir, opcode, data)
        }
        What::Ping { dir, payload } => (*dir, Opcode::PING, text(payload)),
        What::Pong { dir, payload, .. } => (*dir, Opcode::PONG, text(payload)),
        _ => return None,
    })
}

fn data(message: &Message) -> (Opcode, String) {
    match message.as_text() {
        Some(text) => (Opcode::TEXT, text.into_owned()),
        None => (Opcode::BINARY, BASE64.encode(&message.payload)),
    }
}

fn headers(headers: &Headers) -> Vec<Value> {
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect()
}

/// What stands for a secret is no part of a URI as it is (RFC 3986, section 2).
fn as_uri(url: &str) -> String {
    url.replace('{', "%7B").replace('}', "%7D")
}

fn query(url: &str) -> Vec<Value> {
    let Ok(url) = Url::parse(url) else {
        return Vec::new();
    };
    let pairs = url.query_pairs();
    pairs
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect()
}

/// `127.0.0.1` of `127.0.0.1:9001`; nothing of a unix socket's path.
fn ip_of(peer: &str) -> Option<String> {
    let address: std::net::SocketAddr = peer.parse().ok()?;
    Some(address.ip().to_string())
}

/// Since the epoch, to the microsecond.
fn seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default();
    (since.as_secs_f64() * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::close::CloseCode;
    use crate::model::event::Close;

    /// What a file holds after some events, checked to be JSON after each of them.
    fn written(events: &[Event]) -> (Har, Vec<u8>) {
        let (mut har, mut file) = (Har::default(), Vec::new());
        for event in events {
            har.event(event, &mut file);
            let whole = [&file[..], har.tail()].concat();
            let parsed: Result<Value, _> = serde_json::from_slice(&whole);
            assert!(parsed.is_ok(), "{}", String::from_utf8_lossy(&whole));
        }
        (har, file)
    }

    fn in_order(har: &Har, file: &[u8]) -> Value {
        let whole = match har.order() {
            None => [file, har.tail()].concat(),
            Some(parts) => parts
                .into_iter()
                .flat_map(|part| match part {
                    Part::Text(text) => text.to_vec(),
                    Part::Written(range) => {
                        let range = usize::try_from(range.start).unwrap()
                            ..usize::try_from(range.end).unwrap();
                        file[range].to_vec()
                    }
                })
                .collect(),
        };
        serde_json::from_slice(&whole).unwrap()
    }

    fn event(conn: ConnId, what: What) -> Event {
        Event {
            time: SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456),
            at: Duration::ZERO,
            conn: Some(conn),
            name: None,
            what,
        }
    }

    fn open(conn: ConnId, url: &str) -> [Event; 3] {
        let request = RequestHead {
            method: "GET".into(),
            target: "/".into(),
            headers: vec![("Host".into(), "h:1".into())],
        };
        let response = ResponseHead {
            status: 101,
            reason: "Switching Protocols".into(),
            ..ResponseHead::default()
        };
        let open = Open {
            url: url.into(),
            subprotocol: None,
            extensions: Vec::new(),
            peer: "127.0.0.1:9001".into(),
            tls: None,
            timings: Timings {
                tcp: Some(Duration::from_millis(1)),
                upgrade: Some(Duration::from_millis(2)),
                total: Duration::from_millis(3),
                ..Timings::default()
            },
        };
        [
            event(conn, What::Request(Box::new(request))),
            event(conn, What::Response(Box::new(response))),
            event(conn, What::Open(Box::new(open))),
        ]
    }

    fn message(conn: ConnId, dir: Direction, message: Message) -> Event {
        let what = What::Message {
            dir,
            message,
            frames: 1,
            wire: 1,
            json: None,
        };
        event(conn, what)
    }

    fn close(conn: ConnId) -> Event {
        let close = Close {
            code: CloseCode::NORMAL,
            reason: "bye".into(),
            clean: true,
            by: ClosedBy::Us,
            wire_code: Some(CloseCode::NORMAL),
            idle: Duration::ZERO,
            unsent: 0,
        };
        event(conn, What::Close(Box::new(close)))
    }

    #[test]
    fn a_conversation_is_an_entry_as_chrome_reads_it() {
        let mut events = open(1, "ws://h:1/p?a=b%20c").to_vec();
        events.extend([
            message(1, Direction::Out, Message::text("<hi>\"\n")),
            message(1, Direction::In, Message::binary(vec![0, 0xff])),
            event(
                1,
                What::Ping {
                    dir: Direction::In,
                    payload: Bytes::from_static(b"p"),
                },
            ),
            close(1),
        ]);
        let (har, file) = written(&events);
        assert_eq!(har.order(), None);
        let archive = in_order(&har, &file);
        assert_eq!(archive["log"]["version"], "1.2");
        let entry = &archive["log"]["entries"][0];
        assert_eq!(entry["_resourceType"], "websocket");
        assert_eq!(entry["request"]["url"], "ws://h:1/p?a=b%20c");
        assert_eq!(
            entry["request"]["queryString"],
            json!([{"name": "a", "value": "b c"}])
        );
        assert_eq!(entry["response"]["status"], 101);
        assert_eq!(entry["startedDateTime"], "2023-11-14T22:13:20.120456Z");
        assert_eq!(entry["serverIPAddress"], "127.0.0.1");
        let time = 1_700_000_000.123_456;
        assert_eq!(
            entry["_webSocketMessages"],
            json!([
                {"type": "send", "time": time, "opcode": 1, "data": "<hi>\"\n"},
                {"type": "receive", "time": time, "opcode": 2, "data": "AP8="},
                {"type": "receive", "time": time, "opcode": 9, "data": "p"},
                {"type": "send", "time": time, "opcode": 8, "data": "1000 bye"},
            ])
        );
    }

    #[test]
    fn connections_that_talk_at_once_have_an_entry_each_in_the_end() {
        let mut events = Vec::new();
        for conn in [1, 2, 3] {
            events.extend(open(conn, &format!("ws://h/{conn}")));
        }
        for round in 0..3 {
            for conn in [1, 2] {
                events.push(message(
                    conn,
                    Direction::In,
                    Message::text(round.to_string()),
                ));
            }
        }
        events.extend([close(1), close(2)]);
        let (har, file) = written(&events);
        let archive = in_order(&har, &file);
        let entries = archive["log"]["entries"].as_array().unwrap();
        assert_eq!(entries.len(), 3);
        for (at, count) in [(0, 4), (1, 4), (2, 0)] {
            let messages = entries[at]["_webSocketMessages"].as_array().unwrap();
            assert_eq!(messages.len(), count);
            let rounds: Vec<&Value> = messages.iter().take(3).map(|one| &one["data"]).collect();
            assert!(rounds.is_empty() || rounds == ["0", "1", "2"], "{rounds:?}");
        }
    }

    #[test]
    fn what_clients_of_a_server_send_is_sent() {
        let mut events = open(1, "/chat").to_vec();
        events.push(message(1, Direction::In, Message::text("from a client")));
        let (har, file) = written(&events);
        let entry = &in_order(&har, &file)["log"]["entries"][0];
        assert_eq!(entry["request"]["url"], "ws://h:1/chat");
        assert_eq!(entry["_webSocketMessages"][0]["type"], "send");
    }

    #[test]
    fn a_refused_handshake_is_an_entry_without_messages() {
        let mut events = open(1, "ws://h/")[..2].to_vec();
        let refused = Refused {
            url: "ws://h/".into(),
            status: 101,
            reason: String::new(),
            headers: vec![("Content-Type".into(), "text/plain".into())],
            body: Bytes::from_static(b"no\xff"),
            timings: Timings::default(),
        };
        events.push(event(1, What::Refused(Box::new(refused))));
        events.extend(open(2, "ws://h/"));
        let (har, file) = written(&events);
        let archive = in_order(&har, &file);
        let content = &archive["log"]["entries"][0]["response"]["content"];
        assert_eq!(content["text"], "no\u{fffd}");
        assert_eq!(archive["log"]["entries"].as_array().unwrap().len(), 2);
    }
}
