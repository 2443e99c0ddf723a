//! The opening handshake as curl prints it, and refusals.

use crate::model::event::{Direction, Event, Refused, TlsInfo};
use crate::model::handshake::{Headers, MAX_REFUSAL_BODY, RequestHead, ResponseHead};
use crate::model::ndjson::rfc3339;
use crate::model::secret;
use crate::model::units::show_size;
use crate::text::style::Ink;

use super::Talk;

/// Headers that tell why a handshake was refused, or who refused it.
const USEFUL_HEADERS: [&str; 12] = [
    "server",
    "via",
    "content-type",
    "location",
    "www-authenticate",
    "proxy-authenticate",
    "retry-after",
    "allow",
    "upgrade",
    "sec-websocket-version",
    "x-request-id",
    "cf-ray",
];

/// How much of a refusal's body is shown.
const BODY_LINES: usize = 8;
const BODY_LINE_CHARS: usize = 200;

impl Talk {
    pub(super) fn requested(&mut self, event: &Event, head: &RequestHead, out: &mut Vec<u8>) {
        if self.verbose {
            self.request_head(Some(event), head, out);
        }
        self.request = Some(Box::new(head.clone()));
        self.response = None;
    }

    pub(super) fn responded(&mut self, event: &Event, head: &ResponseHead, out: &mut Vec<u8>) {
        if self.verbose {
            self.response_head(Some(event), head, out);
        }
        self.response = Some(Box::new(head.clone()));
    }

    /// `/headers`.
    pub(in crate::view) fn headers(&self, out: &mut Vec<u8>) {
        if let Some(tls) = &self.tls {
            self.tls(None, tls, out);
        }
        if let Some(head) = &self.request {
            self.request_head(None, head, out);
        }
        if let Some(head) = &self.response {
            self.response_head(None, head, out);
        }
        if self.request.is_none() && self.response.is_none() {
            self.note("there was no handshake yet", out);
        }
    }

    /// What TLS agreed on, with `-v`; that a certificate was not checked is always said.
    pub(super) fn secured(&self, event: &Event, tls: &TlsInfo, out: &mut Vec<u8>) {
        if self.verbose {
            self.tls(Some(event), tls, out);
        }
        if !tls.checked {
            self.say(Some(event), Ink::Hint, "certificate NOT checked", out);
        }
    }

    fn tls(&self, event: Option<&Event>, tls: &TlsInfo, out: &mut Vec<u8>) {
        let mut text = format!("{} with {}", tls.version, tls.cipher);
        if let Some(subject) = &tls.subject {
            text.push_str(&format!(", certificate {subject}"));
        }
        if let Some(expires) = tls.expires {
            let time = rfc3339(expires);
            let day = time.split('T').next().unwrap_or_default();
            text.push_str(&format!(", valid until {day}"));
        }
        self.say(event, Ink::Control, &text, out);
    }

    /// Status, who said so, and what the body begins with: it often says more than the status.
    pub(super) fn refused(&self, event: &Event, refused: &Refused, out: &mut Vec<u8>) {
        let (url, status, reason) = (&refused.url, refused.status, &refused.reason);
        let text = format!("{url} refused the handshake: HTTP {status} {reason}");
        self.say(Some(event), Ink::Error, text.trim_end(), out);
        if !self.verbose {
            for (name, value) in secret::redact_headers(&refused.headers) {
                if USEFUL_HEADERS
                    .iter()
                    .any(|useful| name.eq_ignore_ascii_case(useful))
                {
                    let value = secret::redact_target(&value);
                    self.detail(Ink::Dim, &format!("{name}: {value}"), out);
                }
            }
        }
        self.body(&refused.body, out);
    }

    fn body(&self, body: &[u8], out: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(body);
        let mut lines = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty());
        let mut is_whole = true;
        for line in lines.by_ref().take(BODY_LINES) {
            let end = line.char_indices().nth(BODY_LINE_CHARS).map(|(at, _)| at);
            is_whole &= end.is_none();
            self.detail(
                Ink::Dim,
                &format!("| {}", &line[..end.unwrap_or(line.len())]),
                out,
            );
        }
        if !is_whole || lines.next().is_some() {
            let size = show_size(body.len() as u64);
            let size = if body.len() < MAX_REFUSAL_BODY {
                format!("{size} in all")
            } else {
                format!("{size} or more")
            };
            self.detail(Ink::Dim, &format!("| ... ({size})"), out);
        }
    }

    fn request_head(&self, event: Option<&Event>, head: &RequestHead, out: &mut Vec<u8>) {
        let dir = if self.prefix.is_serving() {
            Direction::In
        } else {
            Direction::Out
        };
        let target = secret::redact_target(&head.target);
        let first = format!("{} {target} HTTP/1.1", head.method);
        self.head(event, dir, &first, &head.headers, out);
    }

    fn response_head(&self, event: Option<&Event>, head: &ResponseHead, out: &mut Vec<u8>) {
        let dir = if self.prefix.is_serving() {
            Direction::Out
        } else {
            Direction::In
        };
        let minor = if head.is_http_1_0 { 0 } else { 1 };
        let first = format!("HTTP/1.{minor} {} {}", head.status, head.reason);
        self.head(event, dir, first.trim_end(), &head.headers, out);
    }

    /// As curl prints it: without the program's name, a sign before each line.
    fn head(
        &self,
        event: Option<&Event>,
        dir: Direction,
        first: &str,
        headers: &Headers,
        out: &mut Vec<u8>,
    ) {
        let (sign, ink) = match dir {
            Direction::In => ("<", Ink::Incoming),
            Direction::Out => (">", Ink::Outgoing),
        };
        let headers = secret::redact_headers(headers);
        let fields = headers
            .iter()
            .map(|(name, value)| format!(" {name}: {value}"));
        let lines = [format!(" {first}")]
            .into_iter()
            .chain(fields)
            .chain([String::new()]);
        for line in lines {
            if let Some(event) = event {
                self.prefix.both(event, out);
            }
            self.line(ink, &format!("{sign}{line}"), out);
        }
    }
}
