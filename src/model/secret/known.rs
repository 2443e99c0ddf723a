//! Secrets whose values are known, by name: declared by a person (`--secret NAME=VALUE`), or seen in
//! a handshake ([`stand_in`](super::stand_in)). They are found wherever they stand, in payloads,
//! headers, URLs and close reasons.
//!
//! A value is looked for as it is, as JSON writes it inside of a string, and as a URL writes it. A
//! message that holds one is changed, so its size afterwards is that of what is shown.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use bytes::Bytes;
use url::Url;

use super::{REDACTED, Secret};
use crate::model::event::{Event, What};
use crate::model::handshake::Headers;

/// All of them; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Known(Option<Arc<Found>>);

#[derive(Debug)]
struct Found {
    values: Vec<Named>,
    finder: Secret<AhoCorasick>,
    /// Of which value each pattern of the finder is a spelling.
    spells: Vec<usize>,
}

/// A secret and its name.
#[derive(Debug, Clone)]
pub struct Named {
    pub name: String,
    pub value: Secret<String>,
    /// It is looked for everywhere; else it only has a name.
    pub is_sought: bool,
}

impl Named {
    /// As a person declares it: it is looked for everywhere.
    pub const fn declared(name: String, value: Secret<String>) -> Self {
        Self {
            name,
            value,
            is_sought: true,
        }
    }
}

/// A part of something in which secrets were looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    Plain(&'a [u8]),
    /// The name of the secret that stands here.
    Secret(&'a str),
}

/// Whether a secret may have this name: letters, digits, `_` and `-`, a letter or `_` first.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl Known {
    /// Where a value is the same as another's, the first name is told.
    ///
    /// # Errors
    /// All of them together are too long to be looked for.
    pub fn new(values: impl IntoIterator<Item = Named>) -> Result<Self, String> {
        let values: Vec<Named> = values.into_iter().collect();
        if values.is_empty() {
            return Ok(Self::default());
        }
        let mut spellings: Vec<String> = Vec::new();
        let mut spells = Vec::new();
        for (at, named) in values.iter().enumerate().filter(|(_, it)| it.is_sought) {
            for spelling in spelled(named.value.reveal()) {
                if !spelling.is_empty() && !spellings.contains(&spelling) {
                    spellings.push(spelling);
                    spells.push(at);
                }
            }
        }
        // A DFA of a few long values would take hundreds of megabytes.
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&spellings)
            .map_err(|_| "the secrets are too long to be looked for".to_owned())?;
        Ok(Self(Some(Arc::new(Found {
            values,
            finder: Secret::new(finder),
            spells,
        }))))
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// In the order in which they were given.
    pub fn values(&self) -> &[Named] {
        self.0.as_deref().map_or(&[], |found| &found.values)
    }

    /// The name of the secret that `text` is.
    pub fn name_of(&self, text: &str) -> Option<&str> {
        let found = self.0.as_deref()?;
        let named = found.values.iter().find(|it| it.value.reveal() == text);
        if let Some(named) = named {
            return Some(&named.name);
        }
        let at = found.finder.reveal().find(text)?;
        let value = found.spells[at.pattern().as_usize()];
        (at.len() == text.len()).then(|| found.values[value].name.as_str())
    }

    /// `bytes` cut at the secrets in it; `None` where there is none. No piece is empty.
    pub fn pieces<'a>(&'a self, bytes: &'a [u8]) -> Option<Vec<Piece<'a>>> {
        let found = self.0.as_ref()?;
        let mut pieces = Vec::new();
        let mut rest = 0;
        for at in found.finder.reveal().find_iter(bytes) {
            if rest < at.start() {
                pieces.push(Piece::Plain(&bytes[rest..at.start()]));
            }
            let value = found.spells[at.pattern().as_usize()];
            pieces.push(Piece::Secret(&found.values[value].name));
            rest = at.end();
        }
        if pieces.is_empty() {
            return None;
        }
        if rest < bytes.len() {
            pieces.push(Piece::Plain(&bytes[rest..]));
        }
        Some(pieces)
    }

    /// A text with `***` in the place of secrets.
    pub fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.replaced(text.as_bytes(), &mut |_| REDACTED.to_owned()) {
            // Text without some text is text.
            Some(redacted) => Cow::Owned(String::from_utf8_lossy(&redacted).into_owned()),
            None => Cow::Borrowed(text),
        }
    }

    /// The same, and where what stood at byte `at` is then.
    pub fn redacted_at<'t>(&self, text: &'t str, at: usize) -> (Cow<'t, str>, usize) {
        let places = self.places(text.as_bytes());
        if places.is_empty() {
            return (Cow::Borrowed(text), at);
        }
        let (mut redacted, mut rest, mut moved) = (String::new(), 0, None);
        for secret in places {
            redacted.push_str(&text[rest..secret.start]);
            if moved.is_none() && at < secret.end {
                moved = Some(redacted.len() - secret.start.saturating_sub(at));
            }
            redacted.push_str(REDACTED);
            rest = secret.end;
        }
        let moved = moved.unwrap_or(redacted.len() + at.saturating_sub(rest));
        redacted.push_str(&text[rest..]);
        (Cow::Owned(redacted), moved)
    }

    /// Where secrets stand, in order.
    pub fn places(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let found = self.0.iter();
        found
            .flat_map(|found| found.finder.reveal().find_iter(bytes))
            .map(|place| place.range())
            .collect()
    }

    /// The same, in place.
    pub fn redact_text(&self, text: &mut String) {
        self.replace_text(text, &mut |_| REDACTED.to_owned());
    }

    /// A payload with `***` in the place of secrets; whether there were any.
    pub fn redact_payload(&self, payload: &mut Bytes) -> bool {
        self.replace_payload(payload, &mut |_| REDACTED.to_owned())
    }

    /// An event with `***` in the place of secrets.
    pub fn redact(&self, event: &mut Event) {
        self.replace(event, &mut |_| REDACTED.to_owned());
    }

    /// An event with something else in the place of secrets; `stand_in` gets their names.
    pub(super) fn replace(&self, event: &mut Event, stand_in: &mut impl FnMut(&str) -> String) {
        if self.is_empty() {
            return;
        }
        if let Some(name) = &mut event.name {
            let mut text = name.to_string();
            self.replace_text(&mut text, stand_in);
            *name = text.into();
        }
        match &mut event.what {
            What::State(_)
            | What::Frame { .. }
            | What::Dropped { .. }
            | What::Limit { .. }
            | What::End(_) => {}
            What::Request(head) => {
                self.replace_text(&mut head.target, stand_in);
                self.replace_headers(&mut head.headers, stand_in);
            }
            What::Response(head) => {
                self.replace_text(&mut head.reason, stand_in);
                self.replace_headers(&mut head.headers, stand_in);
            }
            What::Open(open) => {
                self.replace_text(&mut open.url, stand_in);
                let agreed = open.subprotocol.iter_mut().chain(&mut open.extensions);
                agreed.for_each(|text| self.replace_text(text, stand_in));
            }
            What::Refused(refused) => {
                self.replace_text(&mut refused.url, stand_in);
                self.replace_text(&mut refused.reason, stand_in);
                self.replace_headers(&mut refused.headers, stand_in);
                self.replace_payload(&mut refused.body, stand_in);
            }
            What::Message { message, json, .. } => {
                let replaced = self.replace_payload(&mut message.payload, stand_in);
                if replaced && json.is_some() {
                    *json = serde_json::from_slice(&message.payload).ok().map(Box::new);
                }
            }
            What::Ping { payload, .. } | What::Pong { payload, .. } => {
                self.replace_payload(payload, stand_in);
            }
            What::Fault { detail, .. } => self.replace_text(detail, stand_in),
            What::Close(close) => self.replace_text(&mut close.reason, stand_in),
            What::Error(problem) => {
                self.replace_text(&mut problem.message, stand_in);
                if let Some(hint) = &mut problem.hint {
                    self.replace_text(hint, stand_in);
                }
            }
            What::Retry { reason, .. } => self.replace_text(reason, stand_in),
            What::Auth { user, .. } => {
                if let Some(user) = user {
                    self.replace_text(user, stand_in);
                }
            }
            What::Room { room, .. } => self.replace_text(room, stand_in),
            What::Presence { room, user, .. } => {
                self.replace_text(room, stand_in);
                self.replace_text(user, stand_in);
            }
            What::Saved { name, .. } => self.replace_text(name, stand_in),
            What::Listening { url } => self.replace_text(url, stand_in),
        }
    }

    fn replace_headers(&self, headers: &mut Headers, stand_in: &mut impl FnMut(&str) -> String) {
        for (_, value) in headers {
            self.replace_text(value, stand_in);
        }
    }

    fn replace_text(&self, text: &mut String, stand_in: &mut impl FnMut(&str) -> String) {
        if let Some(replaced) = self.replaced(text.as_bytes(), stand_in) {
            // Text without some text is text.
            *text = String::from_utf8_lossy(&replaced).into_owned();
        }
    }

    fn replace_payload(
        &self,
        payload: &mut Bytes,
        stand_in: &mut impl FnMut(&str) -> String,
    ) -> bool {
        match self.replaced(payload, stand_in) {
            Some(replaced) => {
                *payload = replaced.into();
                true
            }
            None => false,
        }
    }

    fn replaced(&self, bytes: &[u8], stand_in: &mut impl FnMut(&str) -> String) -> Option<Vec<u8>> {
        let mut replaced = Vec::with_capacity(bytes.len());
        for piece in self.pieces(bytes)? {
            match piece {
                Piece::Plain(plain) => replaced.extend_from_slice(plain),
                Piece::Secret(name) => replaced.extend_from_slice(stand_in(name).as_bytes()),
            }
        }
        Some(replaced)
    }
}

/// The ways in which a value may be written; the same one more than once.
fn spelled(value: &str) -> Vec<String> {
    let mut spellings = vec![value.to_owned()];
    if let Ok(json) = serde_json::to_string(value) {
        let json = &json[1..json.len() - 1];
        spellings.extend([
            json.to_owned(),
            // As PHP and Python write it.
            json.replace('/', "\\/"),
            in_ascii(json),
            in_ascii(&json.replace('/', "\\/")),
        ]);
    }
    if let Ok(mut url) = Url::parse("ws://h/") {
        url.set_query(Some(value));
        spellings.extend(url.query().map(str::to_owned));
    }
    spellings.extend([
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        percent_encoded(value, false),
        percent_encoded(value, true),
    ]);
    spellings
}

/// With escapes of JSON for all that is not ASCII.
fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            text.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// As `encodeURIComponent` writes it, or with small digits.
fn percent_encoded(value: &str, small: bool) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
        b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => {
            char::from(byte).to_string()
        }
        _ if small => format!("%{byte:02x}"),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::close::CloseCode;
    use crate::model::event::{Close, ClosedBy, Direction, Problem};
    use crate::model::handshake::RequestHead;
    use crate::model::message::Message;

    fn declared(values: &[(&str, &str)]) -> Known {
        let values = values.iter();
        Known::new(values.map(|(name, value)| {
            Named::declared((*name).to_owned(), Secret::new((*value).to_owned()))
        }))
        .unwrap()
    }

    fn redacted(declared: &Known, what: What) -> What {
        let mut event = Event {
            time: SystemTime::UNIX_EPOCH,
            at: Duration::ZERO,
            conn: Some(1),
            name: None,
            what,
        };
        declared.redact(&mut event);
        event.what
    }

    #[test]
    fn a_value_is_found_however_it_is_spelled() {
        let declared = declared(&[
            ("pw", "a \"b"),
            ("long", "hunter22"),
            ("short", "hunter2"),
            ("key", "é/="),
        ]);
        for (text, hidden) in [
            (
                r#"["\u00e9/=","é\/=","\u00e9\/="]"#,
                r#"["***","***","***"]"#,
            ),
            ("%C3%A9%2F%3D %c3%a9%2f%3d", "*** ***"),
            ("hunter2 hunter22", "*** ***"),
            (r#"{"p":"a \"b"}"#, r#"{"p":"***"}"#),
            ("/x?p=a%20%22b&q=a+%22b", "/x?p=***&q=***"),
            ("hunter", "hunter"),
        ] {
            let mut shown = text.to_owned();
            declared.redact_text(&mut shown);
            assert_eq!(shown, hidden, "{text}");
        }
        let pieces = declared.pieces(b"<hunter22>").unwrap();
        let expected = [
            Piece::Plain(b"<"),
            Piece::Secret("long"),
            Piece::Plain(b">"),
        ];
        assert_eq!(pieces, expected);
        assert_eq!(declared.name_of("hunter2"), Some("short"));
        assert_eq!(declared.name_of("a%20%22b"), Some("pw"));
        assert_eq!(declared.name_of("hunter2 "), None);
    }

    #[test]
    fn a_place_in_a_text_moves_with_what_is_replaced_before_it() {
        let declared = declared(&[("long", "hunter22"), ("short", "ab")]);
        let text = "x hunter22 ab y hunter22 ab";
        let hidden = "x *** *** y *** ***";
        for (at, moved) in [(0, 0), (2, 2), (7, 2), (10, 5), (12, 6), (14, 10), (27, 19)] {
            let expected = (Cow::Borrowed(hidden), moved);
            assert_eq!(declared.redacted_at(text, at), expected, "{at}");
        }
        assert_eq!(
            declared.redacted_at("plain", 3),
            (Cow::Borrowed("plain"), 3)
        );
    }

    #[test]
    fn nothing_that_an_event_shows_keeps_it() {
        let declared = declared(&[("pw", "hunter2")]);
        let message = What::Message {
            dir: Direction::In,
            message: Message::binary(&b"\0hunter2\xff"[..]),
            frames: 1,
            wire: 11,
            json: None,
        };
        let What::Message { message, .. } = redacted(&declared, message) else {
            panic!("a message stays one");
        };
        assert_eq!(&message.payload[..], b"\0***\xff");
        let text = || "hunter2".to_owned();
        for what in [
            What::Request(Box::new(RequestHead {
                method: "GET".into(),
                target: text(),
                headers: vec![("X".into(), text())],
            })),
            What::Ping {
                dir: Direction::Out,
                payload: text().into(),
            },
            What::Close(Box::new(Close {
                code: CloseCode::NORMAL,
                reason: text(),
                clean: true,
                by: ClosedBy::Peer,
                wire_code: None,
                idle: Duration::ZERO,
                unsent: 0,
            })),
            What::Error(Box::new(Problem {
                kind: "x",
                message: text(),
                hint: Some(text()),
            })),
            What::Listening { url: text() },
        ] {
            let shown = format!("{:?}", redacted(&declared, what));
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        assert!(!format!("{declared:?}").contains("hunter2"));
    }
}
