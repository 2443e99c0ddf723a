//! What reaches a peer of a transcript, and how it is told of.

use bytes::Bytes;

use crate::model::close::CloseCode;
use crate::model::message::{Kind, Message};
use crate::text::hex;

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
    pub fn words(&self) -> String {
        match self {
            Self::Message(message) if message.kind == Kind::Text => "a text message".into(),
            Self::Message(message) => {
                format!(
                    "a binary message: {}",
                    hex::preview(&message.payload, PREVIEW)
                )
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
                    reason => format!("a Close with code {code} ({name}): {reason:?}"),
                }
            }
            Self::Refused { status, reason } => format!("HTTP {status} {reason}").trim_end().into(),
            Self::Opened => "101: the connection is open".into(),
        }
    }

    /// As it would be written after `<`; of a binary message the first `most` bytes.
    pub fn text(&self, most: usize) -> String {
        let word = |name: &str, payload: &[u8]| {
            format!("{name} {}", String::from_utf8_lossy(payload))
                .trim_end()
                .to_owned()
        };
        match self {
            Self::Message(message) => match message.as_text() {
                Some(text) if text.starts_with('/') => format!("/{text}"),
                Some(text) => text.into_owned(),
                None => format!(
                    "/bin hex:{}",
                    hex::preview(&message.payload, most).replace(' ', "")
                ),
            },
            Self::Ping(payload) => word("/ping", payload),
            Self::Pong(payload) => word("/pong", payload),
            Self::Close { code, reason } => word(&format!("/close {code}"), reason.as_bytes()),
            Self::Refused { status, .. } => format!("/refused {status}"),
            Self::Opened => "101".into(),
        }
    }
}
