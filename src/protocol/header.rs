//! A frame header as a value (RFC 6455, section 5.2): what `scan` reads and `encode` writes.

use crate::model::frame::{FrameInfo, Opcode};

/// What a header says, legal or not, and how many bytes it took to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub fin: bool,
    /// RSV1, RSV2, RSV3.
    pub rsv: [bool; 3],
    pub opcode: Opcode,
    /// The masking key of a masked frame.
    pub mask: Option<[u8; 4]>,
    pub payload_len: u64,
    /// Bytes of the header itself, masking key included.
    pub header_len: u8,
}

impl Header {
    /// Two bytes, eight of length, four of masking key.
    pub const MAX_LEN: usize = 14;

    /// A header with the length in its shortest form.
    pub const fn new(
        fin: bool,
        rsv: [bool; 3],
        opcode: Opcode,
        payload_len: u64,
        mask: Option<[u8; 4]>,
    ) -> Self {
        Self {
            fin,
            rsv,
            opcode,
            mask,
            payload_len,
            header_len: Self::shortest_len(payload_len, mask.is_some()),
        }
    }

    /// The header of an unfragmented frame without reserved bits.
    pub const fn whole(opcode: Opcode, payload_len: u64, mask: Option<[u8; 4]>) -> Self {
        Self::new(true, [false; 3], opcode, payload_len, mask)
    }

    /// How many bytes a header takes when its length is in the shortest form.
    pub const fn shortest_len(payload_len: u64, masked: bool) -> u8 {
        let length = match payload_len {
            0..=125 => 0,
            126..=0xFFFF => 2,
            _ => 8,
        };
        2 + length + if masked { 4 } else { 0 }
    }

    /// Whether the length is in the shortest form, as section 5.2 demands.
    pub const fn is_minimal(&self) -> bool {
        self.header_len == Self::shortest_len(self.payload_len, self.mask.is_some())
    }

    pub const fn info(&self) -> FrameInfo {
        FrameInfo {
            fin: self.fin,
            rsv: self.rsv,
            opcode: self.opcode,
            masked: self.mask.is_some(),
            payload_len: self.payload_len,
            // A hostile length may be anything up to u64::MAX.
            wire_len: self.payload_len.saturating_add(self.header_len as u64),
        }
    }
}
