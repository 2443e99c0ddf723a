//! The body of a refused handshake: as much as fits, for as long as is polite.
//!
//! It is read to be shown, so whatever is wrong with it ends the reading and not the program:
//! at most [`MAX_REFUSAL_BODY`] bytes and one second, and what came until then is the body.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncRead;
use tokio::time::timeout;

use super::head::read_more;
use crate::model::handshake::{MAX_REFUSAL_BODY, ResponseHead, has_token, header};

const BODY_WAIT: Duration = Duration::from_secs(1);

/// The most of a chunk's size line, extensions included.
const MAX_SIZE_LINE: usize = 1024;

/// Reads the body that follows `head`; `buffer` holds what was read with the head.
pub(super) async fn read_body<S: AsyncRead + Unpin>(
    stream: &mut S,
    head: &ResponseHead,
    mut buffer: BytesMut,
) -> Bytes {
    let mut body = Vec::new();
    let mut framing = Framing::of(head);
    let whole = async {
        while !framing.take(&buffer.split(), &mut body) {
            if !matches!(read_more(stream, &mut buffer).await, Ok(1..)) {
                break;
            }
        }
    };
    // Late or not, what came is shown.
    let _ = timeout(BODY_WAIT, whole).await;
    body.into()
}

/// How the end of a body is known (RFC 9112, section 6.3).
#[derive(Debug)]
enum Framing {
    /// So many bytes are to come; without a length it is the end of the stream that ends it.
    Length(u64),
    Chunked(Chunk),
}

/// Where in the chunked coding the next byte stands (RFC 9112, section 7.1).
#[derive(Debug)]
enum Chunk {
    /// In the line before a chunk; the line break after the chunk before it is an empty line.
    Size(Vec<u8>),
    Data(u64),
}

impl Framing {
    fn of(head: &ResponseHead) -> Self {
        if matches!(head.status, 204 | 304) {
            Self::Length(0)
        } else if has_token(&head.headers, "Transfer-Encoding", "chunked") {
            Self::Chunked(Chunk::Size(Vec::new()))
        } else {
            let length = header(&head.headers, "Content-Length");
            Self::Length(length.and_then(|l| l.parse().ok()).unwrap_or(u64::MAX))
        }
    }

    /// Moves what belongs to the body from `bytes` to `body`; true when nothing more is wanted.
    fn take(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> bool {
        match self {
            Self::Length(left) => take_counted(left, bytes, body).is_none() || *left == 0,
            Self::Chunked(chunk) => chunk.take(bytes, body),
        }
    }
}

impl Chunk {
    fn take(&mut self, mut bytes: &[u8], body: &mut Vec<u8>) -> bool {
        while let Some(&byte) = bytes.first() {
            match self {
                Self::Size(line) if byte == b'\n' => {
                    bytes = &bytes[1..];
                    match parse_size(line) {
                        Some(SizeLine::Empty) => line.clear(),
                        Some(SizeLine::Size(size @ 1..)) => *self = Self::Data(size),
                        // The last chunk, or no chunk at all. Trailers are not of interest.
                        Some(SizeLine::Size(0)) | None => return true,
                    }
                }
                Self::Size(line) if line.len() == MAX_SIZE_LINE => return true,
                Self::Size(line) => {
                    line.push(byte);
                    bytes = &bytes[1..];
                }
                Self::Data(left) => {
                    let Some(rest) = take_counted(left, bytes, body) else {
                        return true;
                    };
                    bytes = rest;
                    if *left == 0 {
                        *self = Self::Size(Vec::new());
                    }
                }
            }
        }
        false
    }
}

enum SizeLine {
    Empty,
    Size(u64),
}

/// A chunk's size in hexadecimal; extensions after `;` are ignored.
fn parse_size(line: &[u8]) -> Option<SizeLine> {
    let text = std::str::from_utf8(line).ok()?;
    let digits = text.split(';').next().unwrap_or_default().trim();
    if digits.is_empty() {
        return Some(SizeLine::Empty);
    }
    u64::from_str_radix(digits, 16).ok().map(SizeLine::Size)
}

/// Moves at most `left` bytes, and returns those behind; `None` when the body is as long as it
/// may become.
fn take_counted<'a>(left: &mut u64, bytes: &'a [u8], body: &mut Vec<u8>) -> Option<&'a [u8]> {
    let wanted = usize::try_from(*left)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let room = MAX_REFUSAL_BODY - body.len();
    body.extend_from_slice(&bytes[..wanted.min(room)]);
    *left -= wanted as u64;
    (wanted < room).then(|| &bytes[wanted..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framing(status: u16, headers: &[(&str, &str)]) -> Framing {
        Framing::of(&ResponseHead {
            is_http_1_0: false,
            status,
            reason: String::new(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        })
    }

    fn chunked() -> Framing {
        framing(
            400,
            &[
                ("transfer-encoding", "gzip, Chunked"),
                ("Content-Length", "3"),
            ],
        )
    }

    /// The body of `bytes`, and whether its end was seen.
    fn body(mut framing: Framing, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        let done = framing.take(bytes, &mut body);
        (body, done)
    }

    #[test]
    fn each_framing_knows_its_end() {
        let length = || framing(400, &[("content-length", "3")]);
        assert_eq!(body(length(), b"abcdef"), (b"abc".to_vec(), true));
        assert_eq!(body(length(), b"ab"), (b"ab".to_vec(), false));
        assert_eq!(body(framing(400, &[]), b"ab"), (b"ab".to_vec(), false));
        assert_eq!(body(framing(304, &[]), b""), (Vec::new(), true));
        let odd = framing(400, &[("Content-Length", "-3")]);
        assert_eq!(body(odd, b"ab"), (b"ab".to_vec(), false));
    }

    #[test]
    fn chunks_are_joined() {
        let whole = b"3\r\nabc\r\nA;name=\"v\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
        assert_eq!(body(chunked(), whole), (b"abc0123456789".to_vec(), true));
        assert_eq!(body(chunked(), b"5\r\nab"), (b"ab".to_vec(), false));
    }

    #[test]
    fn broken_chunks_end_the_body() {
        assert_eq!(
            body(chunked(), b"2\r\nab\r\nzz\r\ncd"),
            (b"ab".to_vec(), true)
        );
        assert_eq!(
            body(chunked(), b"ffffffffffffffffff\r\nab"),
            (Vec::new(), true)
        );
        assert_eq!(body(chunked(), &[b'1'; 5000]), (Vec::new(), true));
    }

    #[test]
    fn no_body_grows_past_the_limit() {
        let much = vec![b'x'; 2 * MAX_REFUSAL_BODY];
        for framing in [
            framing(400, &[]),
            framing(400, &[("Content-Length", "18446744073709551615")]),
        ] {
            let (body, done) = body(framing, &much);
            assert_eq!((body.len(), done), (MAX_REFUSAL_BODY, true));
        }
        let mut chunks = b"ffffffff\r\n".to_vec();
        chunks.extend_from_slice(&much);
        assert_eq!(body(chunked(), &chunks).0.len(), MAX_REFUSAL_BODY);
    }

    proptest! {
        #[test]
        fn any_split_of_chunks_gives_the_same_body(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
            step in 1usize..20,
        ) {
            let mut wire = Vec::new();
            for piece in &pieces {
                wire.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                wire.extend_from_slice(piece);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let mut framing = chunked();
            let mut body = Vec::new();
            let done = wire.chunks(step).any(|part| framing.take(part, &mut body));
            prop_assert!(done);
            prop_assert_eq!(body, pieces.concat());
        }
    }
}
