//! What went wrong with a connection, under a name that stays the same: `phase/kind`.

use std::borrow::Cow;
use std::fmt;
use std::io;

use crate::error::{Error, cause_text};

/// Why a connection was not opened, or a message not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub name: Name,
    /// The first words about it, such as the system's or the start of a refusal's body.
    pub sample: String,
}

/// `connect/refused`, `handshake/503`, `message/timeout`, ...
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// What was being done: dns, connect, proxy, tls, handshake, message.
    pub phase: &'static str,
    pub kind: Cow<'static, str>,
}

/// A sample is for people, and may come from a hostile peer.
const SAMPLE: usize = 120;

impl Failure {
    pub fn new(
        phase: &'static str,
        kind: impl Into<Cow<'static, str>>,
        sample: impl Into<String>,
    ) -> Self {
        let mut sample: String = sample.into();
        if let Some((end, _)) = sample.char_indices().nth(SAMPLE) {
            sample.truncate(end);
            sample.push_str("...");
        }
        let kind = kind.into();
        Self {
            name: Name { phase, kind },
            sample,
        }
    }

    /// A socket that did not connect.
    pub fn connect(cause: &io::Error) -> Self {
        Self::new("connect", connect_kind(cause), cause_text(cause))
    }

    /// A handshake that the server answered with another status than 101.
    pub fn status(status: u16, sample: impl Into<String>) -> Self {
        Self::new("handshake", status.to_string(), sample)
    }

    /// An opening that failed; `body` is the start of a refusal's body.
    pub fn opening(error: &Error, body: &[u8]) -> Self {
        let text = error.to_string();
        match error {
            Error::Connect { cause, .. } => Self::connect(cause),
            Error::Dns { .. } => Self::new("dns", "failed", text),
            Error::Proxy { .. } => Self::new("proxy", "failed", text),
            Error::Tls { .. } => Self::new("tls", "failed", text),
            Error::Timeout { .. } => Self::new("handshake", "timeout", text),
            Error::Refused { status, .. } if body.is_empty() => Self::status(*status, text),
            Error::Refused { status, .. } => {
                Self::status(*status, String::from_utf8_lossy(body).trim())
            }
            Error::Dropped { .. } => Self::new("handshake", "dropped", text),
            Error::Handshake { .. } => Self::new("handshake", "invalid", text),
            _ => Self::new("handshake", "failed", text),
        }
    }
}

fn connect_kind(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::ConnectionRefused => "refused",
        io::ErrorKind::ConnectionReset => "reset",
        io::ErrorKind::TimedOut => "timeout",
        // All local ports towards this address are in use.
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse => "ports",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "unreachable",
        _ if is_out_of_fds(cause) => "fds",
        _ => "failed",
    }
}

/// EMFILE and ENFILE, which have no kind of their own.
fn is_out_of_fds(cause: &io::Error) -> bool {
    cfg!(unix) && matches!(cause.raw_os_error(), Some(23 | 24))
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.phase, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so() {
        let sample = |length| Failure::status(503, "\u{e9}".repeat(length)).sample;
        assert_eq!(sample(SAMPLE), "\u{e9}".repeat(SAMPLE));
        assert_eq!(sample(SAMPLE + 1), "\u{e9}".repeat(SAMPLE) + "...");
    }

    #[test]
    fn failures_have_names_that_stay() {
        let name = |cause: io::Error| Failure::connect(&cause).name.to_string();
        assert_eq!(
            name(io::ErrorKind::ConnectionRefused.into()),
            "connect/refused"
        );
        assert_eq!(
            name(io::ErrorKind::AddrNotAvailable.into()),
            "connect/ports"
        );
        assert_eq!(name(io::Error::from_raw_os_error(24)), "connect/fds");
        let refused = Error::Refused {
            address: "ws://h/".into(),
            status: 503,
            reason: "Busy".into(),
            hint: None,
        };
        let failure = Failure::opening(&refused, b"overloaded\n");
        assert_eq!(failure.name.to_string(), "handshake/503");
        assert_eq!(failure.sample, "overloaded");
    }
}
