//! `.mmd`: a Mermaid sequence diagram, a line for each thing that went over the wire. It is a diagram
//! after each event.
//!
//! Text of peers is made safe: what Mermaid would read as syntax, markup or the beginning of a
//! directive is written as one of its entities (`#35;`), and long texts are cut, for a diagram of
//! more than 50,000 characters is not drawn.

use std::collections::BTreeMap;

use crate::model::event::{ClosedBy, ConnId, Direction, Event, What};
use crate::model::message::Message;
use crate::model::units::show_size;
use crate::text::hex;
use crate::text::sanitize;

/// The most characters of one text.
const MOST_CHARS: usize = 120;
/// The most bytes that are shown of a binary message.
const MOST_BYTES: usize = 16;

/// We are always the one on the left.
const US: &str = "wscope";

/// The diagram of a run.
#[derive(Debug, Default)]
pub struct Mermaid {
    begun: bool,
    /// Who is at the other end of an open connection, as the diagram knows them.
    peers: BTreeMap<ConnId, String>,
    /// Names of peers that have a place in the diagram, by what is written there.
    places: Vec<String>,
    /// The request target of a connection that is opening.
    targets: BTreeMap<ConnId, String>,
}

impl Mermaid {
    /// Appends the lines of an event.
    pub fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if !self.begun {
            self.begun = true;
            line(out, 0, "sequenceDiagram");
            line(out, 1, &format!("participant {US}"));
        }
        let Some(conn) = event.conn else {
            return;
        };
        match &event.what {
            What::Request(head) => {
                let target = format!("{} {}", head.method, head.target);
                self.targets.insert(conn, target);
            }
            What::Open(open) => {
                // A server is known by its URL, a client by its number.
                let is_served = open.url.starts_with('/');
                let label = if is_served {
                    format!("#{conn} {}", open.peer)
                } else {
                    open.url.clone()
                };
                let peer = self.place(&label, out);
                let asked = self.targets.remove(&conn).unwrap_or_default();
                let (ask, answer) = if is_served {
                    (Direction::In, Direction::Out)
                } else {
                    (Direction::Out, Direction::In)
                };
                arrow(out, &peer, ask, "->>", &asked);
                let agreed = open.subprotocol.as_ref();
                let agreed = agreed.map_or_else(String::new, |name| format!(" ({name})"));
                arrow(
                    out,
                    &peer,
                    answer,
                    "-->>",
                    &format!("101 Switching Protocols{agreed}"),
                );
                self.peers.insert(conn, peer);
            }
            What::Refused(refused) => {
                let peer = self.place(&refused.url, out);
                let asked = self.targets.remove(&conn).unwrap_or_default();
                arrow(out, &peer, Direction::Out, "->>", &asked);
                let status = format!("{} {}", refused.status, refused.reason);
                arrow(out, &peer, Direction::In, "--x", status.trim_end());
            }
            what => self.traffic(conn, what, out),
        }
    }

    fn traffic(&mut self, conn: ConnId, what: &What, out: &mut Vec<u8>) {
        let Some(peer) = self.peers.get(&conn) else {
            return;
        };
        let with =
            |word: &str, payload: &[u8]| format!("{word} {}", String::from_utf8_lossy(payload));
        match what {
            What::Message { dir, message, .. } => arrow(out, peer, *dir, "->>", &shown(message)),
            What::Ping { dir, payload } => arrow(out, peer, *dir, "-->>", &with("ping", payload)),
            What::Pong { dir, payload, .. } => {
                arrow(out, peer, *dir, "-->>", &with("pong", payload));
            }
            What::Close(close) => {
                let text = format!("close {} {}", close.code, close.reason);
                match close.by {
                    ClosedBy::Us => arrow(out, peer, Direction::Out, "-x", &text),
                    ClosedBy::Peer => arrow(out, peer, Direction::In, "-x", &text),
                    ClosedBy::Transport => {
                        let lost = "connection lost without a Close";
                        line(out, 1, &format!("Note over {US},{peer}: {lost}"));
                    }
                }
                self.peers.remove(&conn);
            }
            _ => {}
        }
    }

    /// The name of a participant, who is introduced where it is new.
    fn place(&mut self, label: &str, out: &mut Vec<u8>) -> String {
        let known = self.places.iter().position(|place| place == label);
        let at = known.unwrap_or_else(|| {
            self.places.push(label.to_owned());
            let number = self.places.len();
            line(
                out,
                1,
                &format!("participant peer{number} as {}", safe(label)),
            );
            number - 1
        });
        format!("peer{}", at + 1)
    }
}

fn line(out: &mut Vec<u8>, depth: usize, text: &str) {
    out.extend(std::iter::repeat_n(b' ', 4 * depth));
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
}

fn arrow(out: &mut Vec<u8>, peer: &str, dir: Direction, arrow: &str, text: &str) {
    let (from, to) = match dir {
        Direction::Out => (US, peer),
        Direction::In => (peer, US),
    };
    line(out, 1, &format!("{from}{arrow}{to}: {}", safe(text)));
}

fn shown(message: &Message) -> String {
    match message.as_text() {
        Some(text) if text.is_empty() => "(empty)".to_owned(),
        Some(text) => text.into_owned(),
        None => {
            let size = show_size(message.payload.len() as u64);
            let bytes = hex::preview(&message.payload, MOST_BYTES);
            format!("binary, {size}: {bytes}")
        }
    }
}

/// A text as Mermaid takes it for nothing but text.
fn safe(text: &str) -> String {
    let text = text.trim();
    let end = text.char_indices().nth(MOST_CHARS).map(|(at, _)| at);
    let mut shown = sanitize::line(&text[..end.unwrap_or(text.len())]).into_owned();
    if end.is_some() {
        shown.push('…');
    }
    // At the beginning of a text these words choose how it is laid out.
    let chooses = |word: &str| {
        let begin = shown.get(..word.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word))
    };
    let colon = !chooses("wrap:") && !chooses("nowrap:");
    let mut safe = String::with_capacity(shown.len());
    for c in shown.chars() {
        if c.is_alphanumeric() || " \"'()[]{},./_-+=*!?@|~^…".contains(c) || c == ':' && colon {
            safe.push(c);
        } else {
            safe.push_str(&format!("#{};", u32::from(c)));
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::close::CloseCode;
    use crate::model::event::{Close, Open};
    use crate::model::handshake::{RequestHead, Timings};

    fn event(conn: ConnId, what: What) -> Event {
        Event {
            time: SystemTime::UNIX_EPOCH,
            at: Duration::ZERO,
            conn: Some(conn),
            name: None,
            what,
        }
    }

    fn open(conn: ConnId, url: &str) -> [Event; 2] {
        let request = RequestHead {
            method: "GET".into(),
            target: "/chat".into(),
            headers: Vec::new(),
        };
        let open = Open {
            url: url.into(),
            subprotocol: Some("chat.v2".into()),
            extensions: Vec::new(),
            peer: "127.0.0.1:9001".into(),
            tls: None,
            timings: Timings::default(),
        };
        [
            event(conn, What::Request(Box::new(request))),
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

    fn written(events: &[Event]) -> String {
        let (mut diagram, mut out) = (Mermaid::default(), Vec::new());
        for event in events {
            diagram.event(event, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_conversation_is_a_diagram() {
        let mut events = open(1, "ws://h/chat").to_vec();
        events.extend([
            message(1, Direction::Out, Message::text("{\"a\": 1}")),
            message(1, Direction::In, Message::binary(vec![0, 0xff])),
            message(1, Direction::In, Message::text("")),
            event(
                1,
                What::Close(Box::new(Close {
                    code: CloseCode::NORMAL,
                    reason: "bye".into(),
                    clean: true,
                    by: ClosedBy::Peer,
                    wire_code: Some(CloseCode::NORMAL),
                    idle: Duration::ZERO,
                    unsent: 0,
                })),
            ),
        ]);
        events.extend(open(2, "/chat"));
        assert_eq!(
            written(&events),
            "\
sequenceDiagram
    participant wscope
    participant peer1 as ws://h/chat
    wscope->>peer1: GET /chat
    peer1-->>wscope: 101 Switching Protocols (chat.v2)
    wscope->>peer1: {\"a\": 1}
    peer1->>wscope: binary, 2 B: 00 ff
    peer1->>wscope: (empty)
    peer1-xwscope: close 1000 bye
    participant peer2 as #35;2 127.0.0.1:9001
    peer2->>wscope: GET /chat
    wscope-->>peer2: 101 Switching Protocols (chat.v2)
"
        );
    }

    #[test]
    fn hostile_text_is_nothing_but_text() {
        for (text, shown) in [
            ("a;b\nend", "a#59;b#92;nend"),
            ("%%{init: {}}%%", "#37;#37;{init: {}}#37;#37;"),
            ("<script>&#60;", "#60;script#62;#38;#35;60#59;"),
            ("wrap: x", "wrap#58; x"),
            ("$$\\x$$ `", "#36;#36;#92;x#36;#36; #96;"),
            ("\u{202e}\u{1b}[2J", "#92;u{202e}#92;x1b[2J"),
        ] {
            assert_eq!(safe(text), shown, "{text}");
        }
        assert_eq!(safe(&"x".repeat(500)).chars().count(), MOST_CHARS + 1);
    }
}
