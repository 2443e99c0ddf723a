//! Makes the bytes of frames, once for each frame.
//!
//! [`header`] alone is for payloads that are written from where they lie; [`frame`] and
//! [`message`] put header and payload into one piece.

use bytes::Bytes;

use super::header::Header;
use super::mask;
use super::scan::Scanner;
use crate::model::frame::Opcode;
use crate::model::message::{Kind, Message};

/// The bytes of a header, on the stack.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeaderBytes {
    bytes: [u8; Header::MAX_LEN],
    len: u8,
}

impl AsRef<[u8]> for HeaderBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl HeaderBytes {
    fn push(&mut self, bytes: &[u8]) {
        let start = usize::from(self.len);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len() as u8;
    }
}

/// The bytes of a header, its length in the shortest form.
pub fn header(header: &Header) -> HeaderBytes {
    let [rsv1, rsv2, rsv3] = header.rsv.map(u8::from);
    let first =
        u8::from(header.fin) << 7 | rsv1 << 6 | rsv2 << 5 | rsv3 << 4 | header.opcode.value();
    let masked = u8::from(header.mask.is_some()) << 7;
    let length = header.payload_len.to_be_bytes();

    let mut out = HeaderBytes::default();
    match header.payload_len {
        0..=125 => out.push(&[first, masked | length[7]]),
        126..=0xFFFF => out.push(&[first, masked | 126, length[6], length[7]]),
        _ => {
            out.push(&[first, masked | 127]);
            out.push(&length);
        }
    }
    if let Some(key) = header.mask {
        out.push(&key);
    }
    out
}

/// A whole frame. The payload is copied, and masked where the header has a key.
pub fn frame(head: &Header, payload: &[u8]) -> Vec<u8> {
    let head_bytes = header(head);
    let head_bytes = head_bytes.as_ref();
    let mut bytes = Vec::with_capacity(head_bytes.len() + payload.len());
    bytes.extend_from_slice(head_bytes);
    match head.mask {
        Some(key) => mask::append(&mut bytes, payload, key, 0),
        None => bytes.extend_from_slice(payload),
    }
    bytes
}

/// A message as one unmasked frame, for a server that sends it to many peers.
pub fn message(message: &Message) -> Bytes {
    let head = Header::whole(opcode(message.kind), message.payload.len() as u64, None);
    Bytes::from(frame(&head, &message.payload))
}

/// How long the payload is in a frame that [`message`] has made.
pub fn payload_len(frame: &[u8]) -> usize {
    let header = Scanner::default().next(&mut &frame[..]);
    header.map_or(0, |header| header.payload_len as usize)
}

/// The message in a frame that [`message`] has made.
pub fn message_of(frame: &Bytes) -> Option<Message> {
    let header = Scanner::default().next(&mut &frame[..])?;
    if !header.fin || header.mask.is_some() {
        return None;
    }
    let kind = match header.opcode {
        Opcode::TEXT => Kind::Text,
        Opcode::BINARY => Kind::Binary,
        _ => return None,
    };
    let payload = frame.slice(usize::from(header.header_len)..);
    Some(Message { kind, payload })
}

/// The opcode of a message's first frame.
pub const fn opcode(kind: Kind) -> Opcode {
    match kind {
        Kind::Text => Opcode::TEXT,
        Kind::Binary => Opcode::BINARY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6455, section 5.7.
    #[test]
    fn the_frames_of_the_rfc() {
        assert_eq!(
            message(&Message::text("Hello"))[..],
            [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]
        );
        let masked = Header::whole(Opcode::TEXT, 5, Some([0x37, 0xFA, 0x21, 0x3D]));
        assert_eq!(
            frame(&masked, b"Hello"),
            [
                0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58
            ]
        );
        let long = Header::whole(Opcode::BINARY, 256, None);
        assert_eq!(header(&long).as_ref(), [0x82, 0x7E, 0x01, 0x00]);
        let longer = Header::whole(Opcode::BINARY, 65_536, None);
        assert_eq!(
            header(&longer).as_ref(),
            [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]
        );
    }
}
