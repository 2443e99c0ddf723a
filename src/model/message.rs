//! A message as an application sees it: text or binary, whole.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;

/// Whether a message was sent as text (opcode 1, UTF-8) or as binary (opcode 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Text,
    Binary,
}

/// One data message. Cloning is cheap: the payload is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: Kind,
    /// The payload. For [`Kind::Text`] it is valid UTF-8; [`Message::text`] and the engine see to that.
    pub payload: Bytes,
}

impl Message {
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            kind: Kind::Text,
            payload: Bytes::from(text.into()),
        }
    }

    pub fn binary(payload: impl Into<Bytes>) -> Self {
        Self {
            kind: Kind::Binary,
            payload: payload.into(),
        }
    }

    pub fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    /// The payload as text; `None` for a binary message.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        self.is_text()
            .then(|| String::from_utf8_lossy(&self.payload))
    }
}
