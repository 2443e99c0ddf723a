//! From events to a transcript that plays the same conversation again: `--record FILE.wst`.
//!
//! It is written from the client's side. A server's recording (`listen PORT`) is what its clients
//! said: their messages are sent, ours are expected.
//!
//! Statements are added as things happen and are never changed, so the file parses after each of
//! them. What would be answered or sent by itself when it is played is left out: pongs to the peer's
//! pings, and the Close to a peer that broke the protocol, which is expected as an end without a Close.
//! What the language cannot say (a ping whose payload is not text) is left out as well.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::json::MORE;
use super::parse::is_reserved;
use super::print::{is_unwritable, print};
use super::syntax::{
    Connect, ConnectModifiers, Expect, Expectation, Peer, Send, Sending, Span, Statement, Step,
    Text,
};
use super::template::{escape, is_name};
use crate::model::close::CloseCode;
use crate::model::event::{Close, ClosedBy, ConnId, Direction, Event, Open, What};
use crate::model::handshake::{Headers, RequestHead, values};
use crate::model::message::Message;
use crate::model::secret::stand_in::StandIns;
use crate::text::sanitize;

/// A binary message that is longer is expected by its hash.
const MOST_EXPECTED: usize = 16 << 10;
/// A binary message that is longer is written as base64.
const MOST_HEX: usize = 64;

/// Headers that every opening handshake has, or that a transcript says in other words.
const NOT_RECORDED: [&str; 9] = [
    "host",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-accept",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "origin",
];

/// What browsers add to every request.
const OF_BROWSERS: [&str; 6] = [
    "user-agent",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "pragma",
    "dnt",
];

/// The transcript of a run.
#[derive(Debug, Default)]
pub struct Recorder {
    begun: bool,
    /// The headers are a browser's.
    of_browser: bool,
    /// The URL at which clients come to us.
    serves: Option<String>,
    /// Requests of connections that are opening, with stand-ins for secrets.
    requests: BTreeMap<ConnId, RequestHead>,
    open: BTreeMap<ConnId, Conversation>,
    /// Peers by the name of their target.
    names: BTreeMap<String, Peer>,
    /// The names of peers that closed their connection last.
    closing: BTreeSet<String>,
    /// How many stand-ins have been told of.
    told: usize,
}

#[derive(Debug, Default)]
struct Conversation {
    peer: Peer,
    /// Pings that we sent as statements; their pongs are expected.
    pings: Vec<Bytes>,
}

/// Pings whose pong is awaited at most.
const MOST_PINGS: usize = 16;

impl Recorder {
    /// For what a browser recorded: the headers that it adds to every request are left out.
    pub fn of_browser() -> Self {
        Self {
            of_browser: true,
            ..Self::default()
        }
    }

    /// Appends what is to be written of an event.
    pub fn event(&mut self, event: &Event, secrets: &mut StandIns, out: &mut Vec<u8>) {
        if !self.begun {
            self.begun = true;
            let version = env!("CARGO_PKG_VERSION");
            out.extend_from_slice(format!("# Recorded by wscope {version}.\n").as_bytes());
        }
        if let What::Listening { url } = &event.what {
            self.serves = Some(url.trim_end_matches('/').to_owned());
        }
        let Some(conn) = event.conn else {
            return;
        };
        let steps = self.steps(conn, event, secrets);
        if steps.is_empty() {
            return;
        }
        self.tell_secrets(secrets, out);
        if let Some(remark) = self.remark(event) {
            out.extend_from_slice(format!("# {remark}\n").as_bytes());
        }
        for step in steps {
            if matches!(step, Step::Connect(_)) {
                out.push(b'\n');
            }
            let statement = Statement {
                span: Span::default(),
                step,
            };
            out.extend_from_slice(print(&[statement]).as_bytes());
        }
    }

    fn steps(&mut self, conn: ConnId, event: &Event, secrets: &mut StandIns) -> Vec<Step> {
        match &event.what {
            What::Request(_) => {
                if let What::Request(head) = secrets.replace(event).what {
                    self.requests.insert(conn, *head);
                }
                Vec::new()
            }
            What::Open(_) => {
                let What::Open(open) = secrets.replace(event).what else {
                    return Vec::new();
                };
                let peer = self.peer(conn, event);
                let connect = self.connect(conn, &peer, &open, secrets);
                let conversation = Conversation {
                    peer,
                    pings: Vec::new(),
                };
                let steps = self.again(&conversation.peer, connect);
                self.open.insert(conn, conversation);
                steps
            }
            What::Refused(_) => {
                let What::Refused(refused) = secrets.replace(event).what else {
                    return Vec::new();
                };
                let peer = self.peer(conn, event);
                let status = refused.status.to_string();
                let request = self.requests.remove(&conn).unwrap_or_default();
                let connect = Step::Connect(Connect {
                    peer: peer.clone(),
                    url: known(&encoded_url(&without_userinfo(&refused.url)), secrets),
                    modifiers: modifiers(&request.headers, self.of_browser, secrets),
                });
                let mut steps = self.again(&peer, connect);
                steps.push(expect(&peer, "/refused", Text::new(status)));
                steps
            }
            What::Message { dir, message, .. } => {
                let Some(conversation) = self.open.get(&conn) else {
                    return Vec::new();
                };
                let peer = &conversation.peer;
                vec![if self.is_sent(*dir) {
                    send(peer, sent(message, secrets))
                } else {
                    let (matcher, text) = expected(message, secrets);
                    expect(peer, matcher, text)
                }]
            }
            What::Ping { dir, payload } if self.is_sent(*dir) => self.ping(conn, payload, secrets),
            What::Pong { dir, payload, .. } if !self.is_sent(*dir) => {
                self.pong(conn, payload, secrets)
            }
            What::Close(close) => {
                self.requests.remove(&conn);
                match self.open.remove(&conn) {
                    Some(conversation) => self.close(&conversation.peer, close, secrets),
                    None => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// Whether what goes this way is sent by who plays the transcript.
    fn is_sent(&self, dir: Direction) -> bool {
        (dir == Direction::Out) == self.serves.is_none()
    }

    fn connect(&mut self, conn: ConnId, peer: &Peer, open: &Open, secrets: &StandIns) -> Step {
        let request = self.requests.remove(&conn).unwrap_or_default();
        let url = match &self.serves {
            Some(base) => format!("{base}{}", open.url),
            None => without_userinfo(&open.url),
        };
        let mut modifiers = modifiers(
            &request.headers,
            self.of_browser || self.serves.is_some(),
            secrets,
        );
        let checked = open.tls.as_ref().is_none_or(|tls| tls.checked);
        modifiers.insecure = !checked && self.serves.is_none();
        Step::Connect(Connect {
            peer: peer.clone(),
            url: known(&encoded_url(&url), secrets),
            modifiers,
        })
    }

    fn ping(&mut self, conn: ConnId, payload: &Bytes, secrets: &mut StandIns) -> Vec<Step> {
        let Some((conversation, text)) = self.open.get_mut(&conn).zip(words(payload, secrets))
        else {
            return Vec::new();
        };
        if conversation.pings.len() == MOST_PINGS {
            conversation.pings.remove(0);
        }
        conversation.pings.push(payload.clone());
        let ping = Sending::Wire {
            verb: "/ping",
            args: text,
        };
        vec![send(&conversation.peer, ping)]
    }

    /// A pong that answers a ping of ours; one that nobody asked for is passed over when played.
    fn pong(&mut self, conn: ConnId, payload: &Bytes, secrets: &mut StandIns) -> Vec<Step> {
        let Some(conversation) = self.open.get_mut(&conn) else {
            return Vec::new();
        };
        let asked = conversation.pings.iter().position(|ping| ping == payload);
        let Some((asked, text)) = asked.zip(words(payload, secrets)) else {
            return Vec::new();
        };
        // A pong answers the pings before it too (RFC 6455, section 5.5.3).
        conversation.pings.drain(..=asked);
        vec![expect(&conversation.peer, "/pong", text)]
    }

    /// A connect of a peer; one that closed its connection before has to see the end of it first,
    /// behind messages that are still on their way.
    fn again(&mut self, peer: &Peer, connect: Step) -> Vec<Step> {
        let end = self.closing.remove(&key(peer)).then(|| {
            let mut end = expect(peer, "/close", Text::default());
            if let Step::Expect(expect) = &mut end {
                expect.skip = true;
            }
            end
        });
        end.into_iter().chain([connect]).collect()
    }

    fn close(&mut self, peer: &Peer, close: &Close, secrets: &mut StandIns) -> Vec<Step> {
        let code = close.wire_code.map_or(close.code, |code| code);
        let by_player = match close.by {
            ClosedBy::Us => self.serves.is_none(),
            ClosedBy::Peer => self.serves.is_some(),
            ClosedBy::Transport => return vec![expect(peer, "/close", Text::new("1006"))],
        };
        if !by_player {
            return vec![expect(
                peer,
                "/close",
                closing(code, &close.reason, secrets),
            )];
        }
        if is_reaction(code) && !close.clean {
            // Whoever plays it closes by itself again: for a transcript that is an end without a Close.
            return vec![expect(peer, "/close", Text::new("1006"))];
        }
        let args = match close.wire_code {
            Some(code) if code.may_be_sent() => closing(code, &close.reason, secrets),
            _ => Text::default(),
        };
        let verb = "/close";
        self.closing.insert(key(peer));
        vec![send(peer, Sending::Wire { verb, args })]
    }

    fn peer(&mut self, conn: ConnId, event: &Event) -> Peer {
        let label = match (&self.serves, &event.name) {
            (Some(_), _) => return Peer::named(&format!("client{conn}")),
            (None, None) => return Peer::UNNAMED,
            (None, Some(name)) => name,
        };
        if let Some(peer) = self.names.get(&**label) {
            return peer.clone();
        }
        let taken: Vec<&str> = self.names.values().filter_map(Peer::name).collect();
        let peer = Peer::named(&name(label, &taken));
        self.names.insert(label.to_string(), peer.clone());
        peer
    }

    /// What the language cannot say, in words.
    fn remark(&self, event: &Event) -> Option<String> {
        let What::Close(close) = &event.what else {
            return None;
        };
        let is_ours = close.by == ClosedBy::Us && is_reaction(close.code) && !close.clean;
        let what = if self.serves.is_some() {
            "which is not recorded"
        } else {
            "which is an end without a Close here"
        };
        let code = close.code;
        is_ours.then(|| format!("What came broke the protocol and was closed with {code}, {what}."))
    }

    /// Says once of each stand-in where its value is to come from.
    fn tell_secrets(&mut self, secrets: &StandIns, out: &mut Vec<u8>) {
        for found in secrets.found().skip(self.told) {
            let place = sanitize::line(&found.place);
            let line = format!(
                "# {} stands for a secret ({place}): --secret {}=VALUE\n",
                found.written(),
                found.name
            );
            out.extend_from_slice(line.as_bytes());
        }
        self.told = secrets.found().len();
    }
}

/// Codes with which an endpoint answers a violation by itself.
pub(super) const fn is_reaction(code: CloseCode) -> bool {
    matches!(code.0, 1002 | 1007 | 1009)
}

/// What a peer is known by.
fn key(peer: &Peer) -> String {
    peer.name().unwrap_or_default().to_owned()
}

fn send(peer: &Peer, sending: Sending) -> Step {
    Step::Send(Send {
        peer: peer.clone(),
        sending,
    })
}

fn expect(peer: &Peer, matcher: &'static str, text: Text) -> Step {
    Step::Expect(Expect {
        peer: peer.clone(),
        skip: false,
        expectation: Expectation {
            matcher,
            text,
            span: Span::default(),
        },
        within: None,
        captures: Vec::new(),
    })
}

/// What `> ` is followed by for a message.
fn sent(message: &Message, secrets: &mut StandIns) -> Sending {
    if message.is_text() {
        return Sending::Text(template(&message.payload, secrets));
    }
    let mut payload = message.payload.clone();
    secrets.redact(&mut payload);
    Sending::Wire {
        verb: "/bin",
        args: Text::new(encoded(&payload)),
    }
}

/// The matcher that a message meets, and its text. JSON is expected as JSON, for what differs is
/// told by member then, and what a newer server adds does no harm.
fn expected(message: &Message, secrets: &mut StandIns) -> (&'static str, Text) {
    if message.is_text() {
        return (
            matcher(&message.payload),
            template(&message.payload, secrets),
        );
    }
    let mut payload = message.payload.clone();
    let text = if secrets.redact(&mut payload) {
        // Bytes cannot hold a placeholder, and what they were is not to be known.
        String::new()
    } else if payload.len() > MOST_EXPECTED {
        let digits: Vec<String> = Sha256::digest(&payload)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("sha256:{}", digits.concat())
    } else {
        encoded(&payload)
    };
    ("/bin", Text::new(text))
}

/// The matcher for a text: of JSON objects and arrays one for JSON, as long as it means by them what
/// they are.
fn matcher(payload: &[u8]) -> &'static str {
    let begins = payload.trim_ascii_start().first();
    let json = match begins {
        Some(b'{' | b'[') => serde_json::from_slice::<Value>(payload).ok(),
        _ => None,
    };
    match json {
        None => "",
        // Braces that escapes of JSON spell cannot be escaped once more.
        Some(_) if spells_braces(payload) => "",
        Some(json) if ends_in_dots(&json) => "/exactly",
        Some(_) => "/json",
    }
}

fn spells_braces(payload: &[u8]) -> bool {
    payload
        .windows(6)
        .any(|six| six.eq_ignore_ascii_case(b"\\u007b"))
}

/// Whether an array ends in what means "and more" after `/json`.
fn ends_in_dots(json: &Value) -> bool {
    match json {
        Value::Array(items) => {
            items.last().and_then(Value::as_str) == Some(MORE) || items.iter().any(ends_in_dots)
        }
        Value::Object(members) => members.values().any(ends_in_dots),
        _ => false,
    }
}

fn encoded(payload: &[u8]) -> String {
    if payload.len() <= MOST_HEX {
        let digits: Vec<String> = payload.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("hex:{}", digits.concat())
    } else {
        format!("base64:{}", BASE64.encode(payload))
    }
}

/// Text of a message: what looks like a placeholder is escaped, secrets become placeholders.
fn template(payload: &[u8], secrets: &mut StandIns) -> Text {
    Text::new(secrets.fill(payload, |plain| escape(&String::from_utf8_lossy(plain))))
}

/// The payload of a ping or pong as words; `None` where the language cannot write it.
fn words(payload: &Bytes, secrets: &mut StandIns) -> Option<Text> {
    let text = std::str::from_utf8(payload).ok()?;
    let is_plain = text.trim() == text && !text.contains(is_unwritable) && !text.contains('\t');
    is_plain.then(|| template(payload, secrets))
}

fn closing(code: CloseCode, reason: &str, secrets: &mut StandIns) -> Text {
    let code = code.to_string();
    match words(&Bytes::copy_from_slice(reason.as_bytes()), secrets) {
        Some(reason) if !reason.raw.is_empty() => Text::new(format!("{code} {}", reason.raw)),
        _ => Text::new(code),
    }
}

/// What a handshake says beside what every handshake says.
fn modifiers(headers: &Headers, from_browsers: bool, secrets: &StandIns) -> ConnectModifiers {
    let is = |name: &str, of: &[&str]| of.iter().any(|known| name.eq_ignore_ascii_case(known));
    let noise = |name: &str, value: &str| {
        is(name, &NOT_RECORDED)
            || name.eq_ignore_ascii_case("user-agent") && value.starts_with("wscope/")
            || from_browsers && (is(name, &OF_BROWSERS) || name.to_lowercase().starts_with("sec-"))
    };
    let compresses = values(headers, "sec-websocket-extensions")
        .any(|offer| offer.contains("permessage-deflate"));
    // No line can hold it, and no client should send it.
    let unwritable = |text: &str| text.contains(is_unwritable);
    ConnectModifiers {
        headers: headers
            .iter()
            .filter(|(name, value)| !noise(name, value))
            .filter(|(name, value)| !unwritable(name) && !unwritable(value))
            .map(|(name, value)| known(&format!("{name}: {value}"), secrets))
            .collect(),
        subprotocols: values(headers, "sec-websocket-protocol")
            .flat_map(|names| names.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty() && !unwritable(name))
            .map(|name| known(name, secrets))
            .collect(),
        origin: values(headers, "origin")
            .find(|origin| !origin.trim().is_empty() && !unwritable(origin))
            .map(|origin| known(origin, secrets)),
        timeout: None,
        compress: (!compresses).then_some(false),
        insecure: false,
    }
}

/// A text in which secrets were replaced already: their stand-ins stay, all else is escaped.
fn known(text: &str, secrets: &StandIns) -> Text {
    let mut raw = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{secret_") {
        let mut stand_ins = secrets.found().map(|it| it.written());
        let Some(found) = stand_ins.find(|it| rest[start..].starts_with(it)) else {
            break;
        };
        raw.push_str(&escape(&rest[..start]));
        raw.push_str(&found);
        rest = &rest[start + found.len()..];
    }
    raw.push_str(&escape(rest));
    Text::new(raw)
}

/// A URL on one line: what may not stand there is written as its bytes.
fn encoded_url(url: &str) -> String {
    let mut safe = String::with_capacity(url.len());
    for c in url.chars() {
        if is_unwritable(c) {
            let mut bytes = [0; 4];
            let bytes = c.encode_utf8(&mut bytes).bytes();
            safe.extend(bytes.map(|byte| format!("%{byte:02X}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The credentials of a URL are in the Authorization header.
fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// A peer's name for a target: the target's own where it can be one, else the last name in its URL.
fn name(label: &str, taken: &[&str]) -> String {
    let mut words = label.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    let base = words
        .find(|word| is_name(word) && !is_reserved(word))
        .unwrap_or("peer");
    let numbered = (2..).map(|number| format!("{base}{number}"));
    std::iter::once(base.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(&name.as_str()))
        .unwrap_or_else(|| base.to_owned())
}

#[cfg(test)]
mod tests;
