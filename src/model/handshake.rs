//! The opening handshake as values: the heads as they were on the wire, how long each step took,
//! and a refusal (RFC 6455, section 4; RFC 9112).

use std::time::Duration;

use bytes::Bytes;

/// Header fields in the order, case and number in which they were on the wire.
pub type Headers = Vec<(String, String)>;

/// The request line and header fields that a client sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestHead {
    pub method: String,
    /// The request target: path and query.
    pub target: String,
    pub headers: Headers,
}

/// The status line and header fields that a server sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseHead {
    /// It said HTTP/1.0, which is how old gateways give themselves away; else it is HTTP/1.1.
    pub is_http_1_0: bool,
    pub status: u16,
    pub reason: String,
    pub headers: Headers,
}

/// The first value of a header, its name compared without case.
pub fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    values(headers, name).next()
}

/// All values of a header, in order.
pub fn values<'a>(headers: &'a Headers, name: &str) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Whether a comma-separated header (such as `Connection`) holds `token`, without case.
pub fn has_token(headers: &Headers, name: &str, token: &str) -> bool {
    values(headers, name)
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// How long each step of one opening took; `None` for a step that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    pub dns: Option<Duration>,
    pub tcp: Option<Duration>,
    pub proxy: Option<Duration>,
    pub tls: Option<Duration>,
    pub upgrade: Option<Duration>,
    pub total: Duration,
    /// Since the last attempt of the same peer, where a server tells.
    pub since: Option<Duration>,
}

impl Timings {
    /// The steps that were taken, in order, without the total.
    pub fn steps(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let steps = [
            ("dns", self.dns),
            ("tcp", self.tcp),
            ("proxy", self.proxy),
            ("tls", self.tls),
            ("upgrade", self.upgrade),
        ];
        let taken = steps.into_iter();
        taken.filter_map(|(name, step)| Some((name, step?)))
    }
}

/// The most of a refused handshake's body that is read, in bytes.
pub const MAX_REFUSAL_BODY: usize = 64 * 1024;

/// An answer to the handshake that was not 101.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub head: ResponseHead,
    /// The first [`MAX_REFUSAL_BODY`] bytes of the body, dechunked.
    pub body: Bytes,
}
