//! What is sent: the bytes of each message.

use super::fanout::marker;
use super::feed::Feed;
use super::template::Template;
use crate::model::message::Kind;

/// The messages of a load.
#[derive(Debug, Clone)]
pub struct Payload {
    pub kind: Kind,
    pub content: Content,
}

#[derive(Debug, Clone)]
pub enum Content {
    /// Bytes of our own that begin with the numbers of the connection and of the message, so that an
    /// echo can be told from a duplicate, a message that overtook another, and what others sent.
    Numbered { filler: Vec<u8> },
    /// `--message` without variables, `--message-file`.
    Constant(Vec<u8>),
    /// `--message` with `{{variables}}`.
    Varying(Template),
    /// A marker, and what stands before and after it (mode `fanout`).
    Marked { before: Part, after: Part },
}

/// A part of a message around its marker.
#[derive(Debug, Clone)]
pub enum Part {
    Bytes(Vec<u8>),
    Varying(Template),
}

/// Hexadecimal digits of a connection's number, and of a message's: 16 million and a million million.
const CONNECTION: usize = 6;
const MESSAGE: usize = 10;
const DIGITS: usize = CONNECTION + MESSAGE;

impl Payload {
    /// `size` bytes of our own: printable for text. Sizes that leave no room for a number are
    /// the same each time.
    pub fn generated(kind: Kind, size: usize) -> Self {
        const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
        let filler: Vec<u8> = ALPHABET.iter().copied().cycle().take(size).collect();
        let content = match filler.get(DIGITS..) {
            Some(rest) => Content::Numbered {
                filler: rest.to_vec(),
            },
            None => Content::Constant(filler),
        };
        Self { kind, content }
    }

    /// `size` bytes of our own that begin with a marker; longer where it needs more.
    pub fn marked(kind: Kind, size: usize) -> Self {
        let filler = match Self::generated(kind, size).content {
            Content::Numbered { filler } => filler,
            _ => Vec::new(),
        };
        let taken = marker::LEN - DIGITS;
        Self {
            kind,
            content: Content::Marked {
                before: Part::Bytes(Vec::new()),
                after: Part::Bytes(filler.get(taken..).unwrap_or_default().to_vec()),
            },
        }
    }

    /// Writes the payload of the message `seq` of a connection; only what is marked has a marker.
    pub fn write(&self, feed: &Feed, connection: u64, seq: u64, marker: &[u8], out: &mut Vec<u8>) {
        let varying = |template: &Template, out: &mut Vec<u8>| {
            let mut text = String::new();
            template.render(feed, connection, seq, &mut text);
            out.extend_from_slice(text.as_bytes());
        };
        let part = |part: &Part, out: &mut Vec<u8>| match part {
            Part::Bytes(bytes) => out.extend_from_slice(bytes),
            Part::Varying(template) => varying(template, out),
        };
        match &self.content {
            Content::Numbered { filler } => {
                out.extend_from_slice(&digits::<CONNECTION>(connection));
                out.extend_from_slice(&digits::<MESSAGE>(seq));
                out.extend_from_slice(filler);
            }
            Content::Constant(bytes) => out.extend_from_slice(bytes),
            Content::Varying(template) => varying(template, out),
            Content::Marked { before, after } => {
                part(before, out);
                out.extend_from_slice(marker);
                part(after, out);
            }
        }
    }

    /// How long a message is, where all are of one length.
    pub fn size(&self) -> Option<usize> {
        match &self.content {
            Content::Numbered { filler } => Some(DIGITS + filler.len()),
            Content::Constant(bytes) => Some(bytes.len()),
            Content::Varying(_) => None,
            Content::Marked { before, after } => Some(before.size()? + marker::LEN + after.size()?),
        }
    }
}

impl Part {
    const fn size(&self) -> Option<usize> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len()),
            Self::Varying(_) => None,
        }
    }
}

/// The last `N` hexadecimal digits of a number.
pub(super) fn digits<const N: usize>(number: u64) -> [u8; N] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|at| HEX[(number >> (4 * (N - 1 - at)) & 0xF) as usize])
}

/// The number that was written as hexadecimal digits, at most 16.
pub(super) fn value(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, &digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

/// The number of a payload, if it is one that was written with this filler on this connection.
pub fn number(payload: &[u8], filler: &[u8], connection: u64) -> Option<u64> {
    let (front, rest) = payload.split_at_checked(DIGITS)?;
    let (of, number) = front.split_at(CONNECTION);
    if rest != filler || of != digits::<CONNECTION>(connection) {
        return None;
    }
    value(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_message_carries_its_connection_and_number() {
        let payload = Payload::generated(Kind::Text, 32);
        let mut bytes = Vec::new();
        payload.write(&Feed::default(), 0x2A, 0xBEEF, &[], &mut bytes);
        assert_eq!(bytes, b"00002a000000beefqrstuvwxyzabcdef");
        let Content::Numbered { filler } = &payload.content else {
            panic!("32 bytes have room for a number");
        };
        assert_eq!(number(&bytes, filler, 0x2A), Some(0xBEEF));
        // What another connection sent.
        assert_eq!(number(&bytes, filler, 0x2B), None);
        bytes[31] ^= 1;
        assert_eq!(number(&bytes, filler, 0x2A), None);
        assert_eq!(number(b"short", filler, 0x2A), None);
    }

    #[test]
    fn sizes_are_exact() {
        for size in [0, 1, 15, 16, 17, 1024] {
            let payload = Payload::generated(Kind::Binary, size);
            let mut bytes = Vec::new();
            payload.write(&Feed::default(), 1, 1, &[], &mut bytes);
            assert_eq!((bytes.len(), payload.size()), (size, Some(size)));
        }
        for size in [0, marker::LEN, marker::LEN + 1, 1024] {
            let payload = Payload::marked(Kind::Text, size);
            let mut bytes = Vec::new();
            payload.write(&Feed::default(), 1, 1, &[b'm'; marker::LEN], &mut bytes);
            let size = size.max(marker::LEN);
            assert_eq!((bytes.len(), payload.size()), (size, Some(size)));
        }
    }
}
