//! A message or a session as something to paste elsewhere: a `wscope` command, curl, a snippet for a
//! browser.
//!
//! What is copied may come from the peer and goes into somebody's shell: every piece is quoted, and
//! text that a terminal would obey is never in it raw. Secrets are not in it either: `{{secret_NAME}}`
//! stands in their place, and [`Copied::secrets`] says which.

mod browser;
mod command;
mod curl;
mod quote;

use crate::model::close::CloseFrame;
use crate::model::event::{Direction, What};
use crate::model::handshake::RequestHead;
use crate::model::message::Message;
use crate::model::secret::{self, REDACTED};
use crate::model::units::show_size;

use bytes::Bytes;

/// What is copied holds no more bytes of payload than this.
const MOST: usize = 1 << 20;

/// Where the messages went.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// As events carry it: redacted.
    pub url: &'a str,
    /// The request of the opening handshake, where it is known.
    pub request: Option<&'a RequestHead>,
}

/// What is to be sent by what is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Message(Message),
    Ping(Bytes),
    Close(Option<CloseFrame>),
}

/// Something to paste.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copied {
    pub text: String,
    /// The names that stand for secrets, such as `secret_authorization`.
    pub secrets: Vec<String>,
    /// What could not be said in this shape.
    pub notes: Vec<String>,
}

/// A shape in which one can copy.
pub struct Shape {
    pub name: &'static str,
    pub about: &'static str,
    write: fn(&Handshake, &[Item], &mut Copied) -> Result<(), String>,
}

/// All of them.
pub const SHAPES: &[Shape] = &[command::SHAPE, curl::SHAPE, browser::SHAPE];

impl Shape {
    /// One message, whichever way it went.
    ///
    /// # Errors
    /// A sentence: this cannot be copied in this shape.
    pub fn one(&self, origin: Origin<'_>, what: &What) -> Result<Copied, String> {
        let item = item(what).ok_or("only messages, pings and closes can be copied like this")?;
        self.copy(origin, &[item])
    }

    /// What was sent, in order.
    ///
    /// # Errors
    /// As for one message.
    pub fn sent<'a>(
        &self,
        origin: Origin<'_>,
        events: impl Iterator<Item = &'a What>,
    ) -> Result<Copied, String> {
        let items: Vec<Item> = events
            .filter(|what| is_sent(what))
            .filter_map(item)
            .collect();
        if items.is_empty() {
            return Err("nothing of it was sent".into());
        }
        self.copy(origin, &items)
    }

    fn copy(&self, origin: Origin<'_>, items: &[Item]) -> Result<Copied, String> {
        let bytes: usize = items.iter().map(Item::len).sum();
        if bytes > MOST {
            return Err(format!(
                "{} are too many to copy like this: save them to a file",
                show_size(bytes as u64)
            ));
        }
        let mut copied = Copied::default();
        let handshake = Handshake::of(origin, &mut copied);
        (self.write)(&handshake, items, &mut copied)?;
        Ok(copied)
    }
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Self::Message(message) => message.payload.len(),
            Self::Ping(payload) => payload.len(),
            Self::Close(_) => 0,
        }
    }
}

fn is_sent(what: &What) -> bool {
    matches!(
        what,
        What::Message {
            dir: Direction::Out,
            ..
        } | What::Ping {
            dir: Direction::Out,
            ..
        }
    )
}

fn item(what: &What) -> Option<Item> {
    match what {
        What::Message { message, .. } => Some(Item::Message(message.clone())),
        What::Ping { payload, .. } | What::Pong { payload, .. } => {
            Some(Item::Ping(payload.clone()))
        }
        What::Close(close) => Some(Item::Close(
            CloseFrame::new(close.code, close.reason.clone()).ok(),
        )),
        _ => None,
    }
}

/// The opening handshake, as it is asked for again.
struct Handshake {
    /// With names in the place of secrets.
    url: String,
    subprotocols: Vec<String>,
    origin: Option<String>,
    /// What else was sent and is not ours to make.
    headers: Vec<(String, String)>,
}

/// Headers that every client makes for itself.
const OURS: [&str; 7] = [
    "host",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "user-agent",
];

impl Handshake {
    fn of(origin: Origin<'_>, copied: &mut Copied) -> Self {
        let mut handshake = Self {
            url: with_names(origin.url, copied),
            subprotocols: Vec::new(),
            origin: None,
            headers: Vec::new(),
        };
        for (name, value) in origin.request.map_or(&[][..], |head| &head.headers) {
            if name.eq_ignore_ascii_case("sec-websocket-protocol") {
                let offered = value.split(',').map(|name| name.trim().to_owned());
                handshake.subprotocols.extend(offered);
            } else if name.eq_ignore_ascii_case("origin") {
                handshake.origin = Some(value.clone());
            } else if OURS.iter().all(|ours| !name.eq_ignore_ascii_case(ours)) {
                let value = if secret::is_secret_header(name) {
                    placeholder(name, copied)
                } else {
                    value.clone()
                };
                handshake.headers.push((name.clone(), value));
            }
        }
        handshake
    }
}

/// The URL with a name for each value that was redacted.
fn with_names(url: &str, copied: &mut Copied) -> String {
    let Some((path, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, REDACTED)) => format!("{name}={}", placeholder(name, copied)),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

/// `{{secret_NAME}}`, and tells that it is there.
fn placeholder(name: &str, copied: &mut Copied) -> String {
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    let name = format!("secret_{name}");
    let placeholder = format!("{{{{{name}}}}}");
    if !copied.secrets.contains(&name) {
        copied.secrets.push(name);
    }
    placeholder
}

#[cfg(test)]
mod tests;
