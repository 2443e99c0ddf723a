//! The WebSockets of a browser's recording (HAR) as events, from which a transcript is made as from
//! those of a session of our own.
//!
//! Chrome and whoever follows it puts the messages of a connection into `_webSocketMessages`; Firefox
//! does too, but its entries do not say that they are WebSockets. Binary data is base64. Everything
//! else of the page is passed over.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::print::is_unwritable;
use super::record::{Recorder, is_reaction};
use crate::model::close::CloseCode;
use crate::model::event::{Close, ClosedBy, ConnId, Direction, Event, Open, Refused, What};
use crate::model::frame::Opcode;
use crate::model::handshake::{Headers, RequestHead, Timings};
use crate::model::message::Message;
use crate::model::secret::stand_in::{StandIns, name_in};
use crate::text::sanitize;

/// The creator of what `--record FILE.har` writes.
const OURS: &str = "wscope";

#[derive(Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    creator: Creator,
    entries: Vec<Entry>,
}

#[derive(Default, Deserialize)]
struct Creator {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    started_date_time: String,
    request: Request,
    response: Response,
    #[serde(default, rename = "_resourceType")]
    resource_type: Option<String>,
    #[serde(default, rename = "_webSocketMessages")]
    messages: Option<Vec<Frame>>,
}

#[derive(Deserialize)]
struct Request {
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status: u16,
    #[serde(default)]
    status_text: String,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: String,
}

/// What went over the wire; who writes these files is not of one mind about names.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    time: f64,
    /// -1 for an error.
    #[serde(default = "text", alias = "opCode")]
    opcode: i8,
    #[serde(default, alias = "payload")]
    data: String,
}

/// The opcode of what has none.
const fn text() -> i8 {
    1
}

/// The transcript of an archive, with names in the place of secrets.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub fn transcript(archive: &[u8], secrets: &mut StandIns) -> Result<String, String> {
    let Archive { log } = serde_json::from_slice(archive)
        .map_err(|error| format!("this is not an HTTP archive: {error}"))?;
    if log.creator.name == OURS {
        // What stands for a secret in a recording of our own goes on to do so.
        for name in stand_ins(&String::from_utf8_lossy(archive)) {
            secrets.keep(name);
        }
    }
    let sockets = sockets(log)?;
    let silent: Vec<Option<ConnId>> = sockets
        .iter()
        .filter(|socket| socket.is_silent())
        .map(|socket| socket.events[0].conn)
        .collect();
    if silent.len() == sockets.len() {
        return Err(
            "the WebSockets in this archive have no messages: there is nothing to play; \
             the network panel has to be open before the page connects"
                .to_owned(),
        );
    }
    let mut events: Vec<Event> = sockets.into_iter().flat_map(|it| it.events).collect();
    // The sort is stable: what has the same time stays in its order.
    events.sort_by_key(|event| event.time);
    let mut recorder = Recorder::of_browser();
    let mut text = Vec::new();
    for event in &events {
        recorder.event(event, secrets, &mut text);
        if matches!(event.what, What::Open(_)) && silent.contains(&event.conn) {
            text.extend_from_slice(b"# No message of this one is in the archive: it only opens.\n");
        }
    }
    // It is made of text only.
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The names of the stand-ins in a text.
fn stand_ins(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("{{secret_").filter_map(|(start, _)| {
        let end = text[start..].find("}}")? + 2;
        name_in(&text[start..start + end])
    })
}

/// What happened on one connection.
struct Socket {
    events: Vec<Event>,
}

impl Socket {
    /// Whether it opened and nothing more is known of it.
    fn is_silent(&self) -> bool {
        matches!(self.events.last(), Some(event) if matches!(event.what, What::Open(_)))
    }
}

fn sockets(log: Log) -> Result<Vec<Socket>, String> {
    let entries: Vec<Entry> = log
        .entries
        .into_iter()
        .filter(Entry::is_web_socket)
        .collect();
    if entries.is_empty() {
        return Err("there is no WebSocket in this archive".to_owned());
    }
    let is_one = entries.len() == 1;
    let sockets = entries.into_iter().enumerate().map(|(at, entry)| {
        entry
            .check()
            .map_err(|what| format!("WebSocket {} in this archive: {what}", at + 1))?;
        let name = (!is_one).then(|| entry.request.url.as_str().into());
        let mut events = entry.events(at as u64 + 1)?;
        for event in &mut events {
            event.name.clone_from(&name);
        }
        Ok(Socket { events })
    });
    sockets.collect()
}

impl Entry {
    fn is_web_socket(&self) -> bool {
        self.messages.is_some()
            || self.resource_type.as_deref() == Some("websocket")
            || self.request.url.starts_with("ws:")
            || self.request.url.starts_with("wss:")
    }

    /// What a line of a transcript cannot hold was in no handshake either: a file that has it was
    /// made by hand, perhaps to slip in lines of its own.
    fn check(&self) -> Result<(), String> {
        let plain = |what: &str, text: &str| match text.chars().find(|c| is_unwritable(*c)) {
            Some(c) => {
                let shown = sanitize::line(text);
                let code = u32::from(c);
                Err(format!(
                    "the {what} has the character U+{code:04X} in it: {shown}"
                ))
            }
            None => Ok(()),
        };
        plain("URL", &self.request.url)?;
        for Pair { name, value } in &self.request.headers {
            plain("name of a header", name)?;
            plain(&format!("header {name}"), value)?;
        }
        Ok(())
    }

    fn events(self, conn: ConnId) -> Result<Vec<Event>, String> {
        let started: jiff::Timestamp = self.started_date_time.parse().unwrap_or_default();
        let started = SystemTime::from(started);
        let event = |time, what| Event {
            time,
            at: Duration::ZERO,
            conn: Some(conn),
            name: None,
            what,
        };
        let url = as_web_socket(&self.request.url);
        let request = RequestHead {
            method: "GET".into(),
            target: target(&url).to_owned(),
            headers: self.request.headers.into_iter().map(pair).collect(),
        };
        let mut events = vec![event(started, What::Request(Box::new(request)))];
        if !matches!(self.response.status, 0 | 101) {
            let refused = Refused {
                url,
                status: self.response.status,
                reason: self.response.status_text,
                headers: Headers::new(),
                body: bytes::Bytes::new(),
                timings: Timings::default(),
            };
            events.push(event(started, What::Refused(Box::new(refused))));
            return Ok(events);
        }
        let open = Open {
            url,
            subprotocol: None,
            extensions: Vec::new(),
            peer: String::new(),
            tls: None,
            timings: Timings::default(),
        };
        events.push(event(started, What::Open(Box::new(open))));
        let mut last = started;
        for frame in self.messages.unwrap_or_default() {
            // No message comes before its connection or before the message in front of it.
            last = frame.time().unwrap_or(last).max(last);
            if let Some(what) = frame.what()? {
                events.push(event(last, what));
            }
        }
        Ok(events)
    }
}

impl Frame {
    fn time(&self) -> Option<SystemTime> {
        let since = Duration::try_from_secs_f64(self.time).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(since)
    }

    /// `None` for what says nothing.
    fn what(self) -> Result<Option<What>, String> {
        let dir = match self.kind.as_str() {
            "send" | "sent" => Direction::Out,
            "receive" | "received" => Direction::In,
            // The browser has failed the connection: the server broke the protocol, or went away.
            "error" => return Ok(Some(ended(ClosedBy::Transport, CloseCode::ABNORMAL, ""))),
            _ => return Ok(None),
        };
        let opcode = u8::try_from(self.opcode).unwrap_or_default();
        Ok(match Opcode::new(opcode) {
            Opcode::TEXT => Some(message(dir, Message::text(self.data))),
            Opcode::BINARY => {
                let bytes = BASE64
                    .decode(&self.data)
                    .map_err(|error| format!("a binary message is not base64: {error}"))?;
                Some(message(dir, Message::binary(bytes)))
            }
            Opcode::PING => Some(What::Ping {
                dir,
                payload: self.data.into(),
            }),
            Opcode::PONG => Some(What::Pong {
                dir,
                payload: self.data.into(),
                rtt: None,
            }),
            Opcode::CLOSE => close(dir, &self.data),
            _ => None,
        })
    }
}

fn message(dir: Direction, message: Message) -> What {
    What::Message {
        dir,
        message,
        frames: 1,
        wire: 0,
        json: None,
    }
}

/// `1000 bye`, as we write it; others write the bytes of the frame, which says nothing here.
fn close(dir: Direction, data: &str) -> Option<What> {
    let (code, reason) = data.split_once(' ').unwrap_or((data, ""));
    let by = match dir {
        Direction::In => ClosedBy::Peer,
        Direction::Out => ClosedBy::Us,
    };
    Some(ended(by, CloseCode(code.parse().ok()?), reason))
}

fn ended(by: ClosedBy, code: CloseCode, reason: &str) -> What {
    What::Close(Box::new(Close {
        code,
        reason: reason.to_owned(),
        // What answers a violation gets no answer.
        clean: by == ClosedBy::Peer || by == ClosedBy::Us && !is_reaction(code),
        by,
        wire_code: code.may_be_sent().then_some(code),
        idle: Duration::ZERO,
        unsent: 0,
    }))
}

fn pair(pair: Pair) -> (String, String) {
    (pair.name, pair.value)
}

fn as_web_socket(url: &str) -> String {
    match url.strip_prefix("http") {
        Some(rest) => format!("ws{rest}"),
        None => url.to_owned(),
    }
}

/// Path and query of a URL.
fn target(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?']).map_or("/", |at| &rest[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Chrome writes them, shortened where it does not matter here.
    const CHROME: &str = r#"{"log":{"version":"1.2","creator":{"name":"WebInspector","version":"537.36"},
      "pages":[{"startedDateTime":"2026-11-27T20:00:00.000Z","id":"page_1","title":"t","pageTimings":{}}],
      "entries":[
      {"_resourceType":"document","startedDateTime":"2026-11-27T20:00:00.000Z","time":1,
       "request":{"method":"GET","url":"http://h/","httpVersion":"h2","headers":[]},
       "response":{"status":200,"statusText":"","headers":[],"content":{"size":0,"mimeType":"text/html"}}},
      {"_initiator":{"type":"script"},"_priority":null,"_resourceType":"websocket","cache":{},"pageref":"page_1",
       "_webSocketMessages":[
        {"type":"send","time":1795809601.5,"opcode":1,"data":"{\"type\":\"join\"}"},
        {"type":"receive","time":1795809601.6,"opcode":1,"data":"{\"type\":\"joined\"}"},
        {"type":"receive","time":1795809601.7,"opcode":2,"data":"AP8="},
        {"type":"error","time":1795809601.8,"opcode":-1,"data":"x"}],
       "request":{"method":"GET","url":"wss://h/chat?token=t1","httpVersion":"HTTP/1.1","headers":[
        {"name":"Host","value":"h"},{"name":"User-Agent","value":"Mozilla/5.0"},{"name":"Origin","value":"https://h"},
        {"name":"Sec-WebSocket-Key","value":"x"},{"name":"Cookie","value":"sid=1"},{"name":"X-Own","value":"{{x}}"},
        {"name":"Sec-WebSocket-Extensions","value":"permessage-deflate; client_max_window_bits"}]},
       "response":{"status":101,"statusText":"Switching Protocols","httpVersion":"HTTP/1.1","headers":[],
        "content":{"size":0,"mimeType":"x-unknown"}},
       "startedDateTime":"2026-11-27T20:00:01.000Z","time":700}]}}"#;

    fn written(archive: &str, secrets: &mut StandIns) -> String {
        transcript(archive.as_bytes(), secrets).unwrap()
    }

    #[test]
    fn a_page_of_chrome_becomes_a_transcript() {
        let text = written(CHROME, &mut StandIns::default());
        let body: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            body,
            [
                "",
                "connect wss://h/chat?token={{secret_token}}",
                "  header Cookie: {{secret_cookie}}",
                "  header X-Own: {{{{x}}",
                "  origin https://h",
                "> {\"type\":\"join\"}",
                "< /json {\"type\":\"joined\"}",
                "< /bin hex:00ff",
                "< /close 1006",
            ]
        );
        assert!(text.contains("--secret token=VALUE"), "{text}");
    }

    #[test]
    fn entries_of_firefox_have_other_names_and_take_turns_by_time() {
        let entry = |url: &str, messages: &str| {
            format!(
                r#"{{"startedDateTime":"2026-11-27T20:00:00.000+00:00","request":{{"url":"{url}","headers":[]}},
                "response":{{"status":101,"statusText":""}},"_webSocketMessages":[{messages}]}}"#
            )
        };
        let frame = |kind: &str, time: &str, data: &str| {
            format!(r#"{{"type":"{kind}","time":{time},"opCode":1,"payload":"{data}"}}"#)
        };
        let archive = format!(
            r#"{{"log":{{"entries":[{},{}]}}}}"#,
            entry(
                "ws://h/a",
                &[
                    frame("sent", "1795809601", "1"),
                    frame("received", "1795809603", "3")
                ]
                .join(",")
            ),
            entry("ws://h/b", &frame("received", "1795809602", "2")),
        );
        let text = written(&archive, &mut StandIns::default());
        let said: Vec<&str> = text
            .lines()
            .filter(|line| line.contains(['<', '>']))
            .collect();
        assert_eq!(said, ["a> 1", "b< 2", "a< 3"]);
    }

    #[test]
    fn a_refused_handshake_is_expected() {
        let archive = CHROME.replace("\"status\":101", "\"status\":403");
        let text = written(&archive, &mut StandIns::default());
        assert!(text.ends_with("< /refused 403\n"), "{text}");
    }

    #[test]
    fn no_line_can_be_slipped_into_the_transcript() {
        for (from, to, said) in [
            (
                "https://h\"",
                r#"https://h\n> /file secret text""#,
                "WebSocket 1 in this archive: the header Origin has the character U+000A in it",
            ),
            ("X-Own", r"X-Own: x\n> x\nY", "the name of a header has"),
            ("/chat?", r"/\r> x?", "the URL has the character U+000D"),
            ("/chat?", r"/\u009b2J", "the URL has the character U+009B"),
            (
                "{{x}}",
                r"\u202e",
                "the header X-Own has the character U+202E",
            ),
        ] {
            let archive = CHROME.replace(from, to);
            let error = transcript(archive.as_bytes(), &mut StandIns::default()).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn what_is_no_archive_is_said() {
        for (text, said) in [
            ("", "not an HTTP archive"),
            ("{}", "missing field `log`"),
            (
                &CHROME
                    .replace("\"send\"", "\"x\"")
                    .replace("\"receive\"", "\"x\"")
                    .replace("\"error\"", "\"x\""),
                "no messages",
            ),
            (r#"{"log":{"entries":[]}}"#, "no WebSocket"),
        ] {
            let error = transcript(text.as_bytes(), &mut StandIns::default()).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
