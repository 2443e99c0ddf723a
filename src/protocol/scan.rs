//! Reads frame headers from bytes that are cut anywhere.
//!
//! The scanner judges nothing: reserved opcodes, reserved bits, lengths in a longer form than
//! needed or with the highest bit set come out as they were. It holds sixteen bytes and never the
//! payload: after each header the caller takes `payload_len` bytes from the input itself.

use super::header::Header;
use crate::model::frame::Opcode;

/// An incremental header scanner.
#[derive(Debug, Clone, Default)]
pub struct Scanner {
    /// The start of a header whose end has not come yet.
    partial: [u8; Header::MAX_LEN],
    filled: u8,
}

impl Scanner {
    /// Takes one header from the front of `input`. `None` means that all of `input` was taken and
    /// the header goes on in the next input.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Header> {
        if self.filled == 0
            && let Some(header) = parse(input)
        {
            *input = &input[usize::from(header.header_len)..];
            return Some(header);
        }
        loop {
            let filled = usize::from(self.filled);
            if let Some(header) = parse(&self.partial[..filled]) {
                self.filled = 0;
                return Some(header);
            }
            // The second byte tells how many more there are.
            let wanted = if filled < 2 { 2 } else { len(self.partial[1]) };
            let (taken, rest) = input
                .split_at_checked(wanted - filled)
                .unwrap_or((input, &[]));
            if taken.is_empty() {
                return None;
            }
            self.partial[filled..filled + taken.len()].copy_from_slice(taken);
            self.filled += taken.len() as u8;
            *input = rest;
        }
    }
}

/// The header at the front of `bytes`, if it is there whole.
fn parse(bytes: &[u8]) -> Option<Header> {
    let [first, second, ..] = *bytes else {
        return None;
    };
    let header_len = len(second);
    let extra = bytes.get(2..header_len)?;
    let (length, key) = extra.split_at(extra.len() - if masked(second) { 4 } else { 0 });
    Some(Header {
        fin: first & 0x80 != 0,
        rsv: [first & 0x40 != 0, first & 0x20 != 0, first & 0x10 != 0],
        opcode: Opcode::new(first),
        mask: key.try_into().ok(),
        payload_len: match length {
            [] => u64::from(second & 0x7F),
            bytes => bytes
                .iter()
                .fold(0, |length, byte| length << 8 | u64::from(*byte)),
        },
        header_len: header_len as u8,
    })
}

/// How long a header with this second byte is.
const fn len(second: u8) -> usize {
    let length = match second & 0x7F {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + length + if masked(second) { 4 } else { 0 }
}

const fn masked(second: u8) -> bool {
    second & 0x80 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_illegal_is_reported_and_not_hidden() {
        let bytes = [0x73, 0xFE, 0, 5, 1, 2, 3, 4];
        let header = Scanner::default().next(&mut &bytes[..]).unwrap();
        assert_eq!(header.opcode.value(), 3);
        assert_eq!(header.rsv, [true; 3]);
        assert!(!header.fin && !header.is_minimal());
        assert_eq!(header.payload_len, 5);
        assert_eq!(header.mask, Some([1, 2, 3, 4]));
        assert_eq!(header.info().wire_len, 13);
    }

    #[test]
    fn a_length_with_the_highest_bit_does_not_overflow() {
        let header = Scanner::default()
            .next(&mut &[0x82, 0x7F, 255, 255, 255, 255, 255, 255, 255, 255][..])
            .unwrap();
        assert_eq!(header.payload_len, u64::MAX);
        assert_eq!(header.info().wire_len, u64::MAX);
    }

    #[test]
    fn the_payload_is_left_to_the_caller() {
        let mut scanner = Scanner::default();
        let mut input = &[0x82][..];
        assert_eq!(scanner.next(&mut input), None);
        let mut input = &[0x03, 7, 8, 9, 0x81, 0x00][..];
        assert_eq!(scanner.next(&mut input).unwrap().payload_len, 3);
        assert_eq!(input, [7, 8, 9, 0x81, 0x00]);
    }
}
