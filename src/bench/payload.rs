//! What is sent: the bytes of each message.

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
    /// Bytes of our own that begin with the message's number, so that an echo can be told from a
    /// duplicate or a message that overtook another.
    Numbered { filler: Vec<u8> },
    /// `--message` without variables, `--message-file`.
    Constant(Vec<u8>),
    /// `--message` with `{{variables}}`.
    Varying(Template),
}

/// Hexadecimal digits of a message's number.
const DIGITS: usize = 16;

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

    /// Writes the payload of the message `seq` of a connection.
    pub fn write(&self, feed: &Feed, connection: u64, seq: u64, out: &mut Vec<u8>) {
        match &self.content {
            Content::Numbered { filler } => {
                out.extend_from_slice(&digits(seq));
                out.extend_from_slice(filler);
            }
            Content::Constant(bytes) => out.extend_from_slice(bytes),
            Content::Varying(template) => {
                let mut text = String::new();
                template.render(feed, connection, seq, &mut text);
                out.extend_from_slice(text.as_bytes());
            }
        }
    }

    /// How long a message is, where all are of one length.
    pub fn size(&self) -> Option<usize> {
        match &self.content {
            Content::Numbered { filler } => Some(DIGITS + filler.len()),
            Content::Constant(bytes) => Some(bytes.len()),
            Content::Varying(_) => None,
        }
    }
}

/// The number of a message as it stands at the front of a numbered payload.
fn digits(seq: u64) -> [u8; DIGITS] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|at| HEX[(seq >> (4 * (DIGITS - 1 - at)) & 0xF) as usize])
}

/// The number of a payload, if it is one that was written with this filler.
pub fn number(payload: &[u8], filler: &[u8]) -> Option<u64> {
    let (front, rest) = payload.split_at_checked(DIGITS)?;
    if rest != filler {
        return None;
    }
    front.iter().try_fold(0, |number, &digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_message_carries_its_number() {
        let payload = Payload::generated(Kind::Text, 32);
        let mut bytes = Vec::new();
        payload.write(&Feed::default(), 1, 0xBEEF, &mut bytes);
        assert_eq!(bytes, b"000000000000beefqrstuvwxyzabcdef");
        let Content::Numbered { filler } = &payload.content else {
            panic!("32 bytes have room for a number");
        };
        assert_eq!(number(&bytes, filler), Some(0xBEEF));
        bytes[31] ^= 1;
        assert_eq!(number(&bytes, filler), None);
        assert_eq!(number(b"short", filler), None);
    }

    #[test]
    fn sizes_are_exact() {
        for size in [0, 1, 15, 16, 17, 1024] {
            let payload = Payload::generated(Kind::Binary, size);
            let mut bytes = Vec::new();
            payload.write(&Feed::default(), 1, 1, &mut bytes);
            assert_eq!((bytes.len(), payload.size()), (size, Some(size)));
        }
    }
}
