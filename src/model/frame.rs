//! A frame as it was on the wire (RFC 6455, section 5.2).

use std::fmt;

/// The four-bit opcode of a frame; reserved values are kept, not hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opcode(u8);

impl Opcode {
    pub const CONTINUATION: Self = Self(0x0);
    pub const TEXT: Self = Self(0x1);
    pub const BINARY: Self = Self(0x2);
    pub const CLOSE: Self = Self(0x8);
    pub const PING: Self = Self(0x9);
    pub const PONG: Self = Self(0xA);

    /// Keeps the low four bits, as the wire does.
    pub const fn new(value: u8) -> Self {
        Self(value & 0x0F)
    }

    pub const fn value(self) -> u8 {
        self.0
    }

    /// Control frames have the highest bit of the opcode set (section 5.5), reserved ones too.
    pub const fn is_control(self) -> bool {
        self.0 & 0x8 != 0
    }

    pub const fn is_reserved(self) -> bool {
        matches!(self.0, 0x3..=0x7 | 0xB..=0xF)
    }

    /// The name of the RFC: `continuation`, `text`, `binary`, `close`, `ping`, `pong` or `reserved`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0x0 => "continuation",
            0x1 => "text",
            0x2 => "binary",
            0x8 => "close",
            0x9 => "ping",
            0xA => "pong",
            _ => "reserved",
        }
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What the header of one frame said, and what it cost on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameInfo {
    pub fin: bool,
    /// RSV1, RSV2, RSV3.
    pub rsv: [bool; 3],
    pub opcode: Opcode,
    pub masked: bool,
    /// Payload length in bytes, as it is on the wire (compressed where compression is on).
    pub payload_len: u64,
    /// Header and payload together, in bytes.
    pub wire_len: u64,
}

/// A frame that a person spelled out (`/frame`), legal or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFrame {
    pub fin: bool,
    pub rsv: [bool; 3],
    pub opcode: Opcode,
    pub payload: bytes::Bytes,
}
