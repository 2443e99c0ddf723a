//! What reaches a peer of a transcript, and how it is told of.

use bytes::Bytes;

use super::excerpt;
use crate::model::close::CloseCode;
use crate::model::message::{Kind, Message};
use crate::model::secret::known::Known;

/// Bytes of a binary message that are told of in words.
const PREVIEW: usize = 16;
/// What a waiting message costs beside its payload.
const OVERHEAD: usize = 64;

/// One thing that came from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    Message(Message),
    Ping(Bytes),
    Pong(Bytes),
    /// The connection ended: with the server's Close, 1005 where that had no code, 1006 where none
    /// came.
    Close {
        code: CloseCode,
        reason: String,
    },
    /// The handshake was answered with another status than 101.
    Refused {
        status: u16,
        reason: String,
    },
    /// The handshake succeeded, though a refusal is expected.
    Opened,
}

impl Incoming {
    /// What it holds in memory, in bytes.
    pub fn size(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Message(message) => message.payload.len(),
                Self::Ping(payload) | Self::Pong(payload) => payload.len(),
                Self::Close { reason, .. } | Self::Refused { reason, .. } => reason.len(),
                Self::Opened => 0,
            }
    }

    /// A data message, the end of a connection, or what came of the handshake: what cannot be
    /// passed over.
    pub const fn is_control(&self) -> bool {
        matches!(self, Self::Ping(_) | Self::Pong(_))
    }

    /// In words, for the end of "expected ..., got ...".
    pub fn words(&self, secrets: &Known) -> String {
        match self {
            Self::Message(message) if message.kind == Kind::Text => "a text message".into(),
            Self::Message(message) => {
                let shown = excerpt::bytes(&message.payload, 0, PREVIEW, secrets);
                format!("a binary message: {shown}")
            }
            Self::Ping(_) => "a ping".into(),
            Self::Pong(_) => "a pong".into(),
            Self::Close { code, .. } if *code == CloseCode::ABNORMAL => {
                "the end of the connection, without a Close".into()
            }
            Self::Close { code, reason } => {
                let name = code.name();
                match reason.as_str() {
                    "" => format!("a Close with code {code} ({name})"),
                    reason => {
                        let reason = excerpt::quoted(reason, secrets);
                        format!("a Close with code {code} ({name}): {reason}")
                    }
                }
            }
            Self::Refused { status, reason } => {
                let reason = secrets.redacted(reason);
                format!("HTTP {status} {reason}").trim_end().into()
            }
            Self::Opened => "101: the connection is open".into(),
        }
    }

    /// As it would be written after `<`, but for secrets; of a binary message the first `most` bytes.
    pub fn text(&self, most: usize, secrets: &Known) -> String {
        let word = |name: &str, payload: &[u8]| {
            let payload = String::from_utf8_lossy(payload);
            let payload = secrets.redacted(&payload);
            format!("{name} {payload}").trim_end().to_owned()
        };
        match self {
            Self::Message(message) => match message.as_text() {
                Some(text) => {
                    let text = secrets.redacted(&text);
                    let slash = if text.starts_with('/') { "/" } else { "" };
                    format!("{slash}{text}")
                }
                None => {
                    let shown = excerpt::bytes(&message.payload, 0, most, secrets);
                    format!("/bin hex:{}", shown.replace(' ', ""))
                }
            },
            Self::Ping(payload) => word("/ping", payload),
            Self::Pong(payload) => word("/pong", payload),
            Self::Close { code, reason } => word(&format!("/close {code}"), reason.as_bytes()),
            Self::Refused { status, .. } => format!("/refused {status}"),
            Self::Opened => "101".into(),
        }
    }
}
