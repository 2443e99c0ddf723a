//! Reads the head of an HTTP answer off a stream (RFC 9112): in pieces of any size, each byte
//! looked at once for the blank line, at most 64 KiB and 256 fields. What is no HTTP at all is
//! known by its first bytes and shown.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use bytes::{BufMut as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use crate::error::Error;
use crate::model::handshake::{Headers, ResponseHead};

/// Bytes of one head, blank line included.
const MAX_HEAD: usize = 64 * 1024;
const MAX_FIELDS: usize = 256;
/// What an [`Error::Dropped`] says was being done when nothing had come yet.
pub(super) const WAITING: &str = "waiting for the answer to the handshake";

/// Bytes asked for at once, so that little is read ahead of the frames.
const READ_SIZE: usize = 4 * 1024;

/// How every answer begins that we can read.
const OPENER: &[u8] = b"HTTP/1.";

/// How much of an answer that is not HTTP is shown, and how long the rest of it is waited for.
const MAX_SHOWN: usize = 64;
const SHOWN_WAIT: Duration = Duration::from_millis(250);

/// The next head; what follows it stays in `buffer`, which holds what was read before.
///
/// # Errors
/// [`Error::Handshake`] for what is not HTTP or too long, [`Error::Dropped`] at the end of stream.
pub(super) async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    address: &str,
) -> Result<ResponseHead, Error> {
    let wrong = |message: String| Error::Handshake {
        address: address.to_owned(),
        message,
        hint: None,
    };
    let mut searched = 0;
    loop {
        if !may_be_http(buffer) {
            return Err(not_http(stream, buffer, address).await);
        }
        if let Some(head) = take_head(buffer, searched).map_err(wrong)? {
            return Ok(head);
        }
        // The longest start of a blank line that may stand at the end is `\n\r`.
        searched = buffer.len().saturating_sub(2);
        let dropped = |cause| Error::Dropped {
            address: address.to_owned(),
            doing: if searched == 0 {
                WAITING
            } else {
                "in the middle of its answer to the handshake"
            },
            cause,
            hint: None,
        };
        match read_more(stream, buffer).await {
            Ok(0) => return Err(dropped(None)),
            Ok(_) => {}
            Err(cause) => return Err(dropped(Some(cause))),
        }
    }
}

/// Takes the next head off the front of `buffer` if all of it is there. `searched` bytes were seen
/// to hold no end of it.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn take_head(
    buffer: &mut BytesMut,
    searched: usize,
) -> Result<Option<ResponseHead>, String> {
    let end = end_of_head(buffer, searched);
    if end.unwrap_or(buffer.len()) > MAX_HEAD || end.is_none() && buffer.len() == MAX_HEAD {
        return Err(format!(
            "the head of the answer is longer than {MAX_HEAD} bytes"
        ));
    }
    end.map(|end| parse(&buffer.split_to(end))).transpose()
}

/// One read of a bounded size; 0 is the end of the stream.
pub(super) async fn read_more<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
) -> io::Result<usize> {
    buffer.reserve(READ_SIZE);
    stream.read_buf(&mut buffer.limit(READ_SIZE)).await
}

/// The value of a header field as text: UTF-8, or else Latin-1, which every byte is.
pub(super) fn value_text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().copied().map(char::from).collect(),
        str::to_owned,
    )
}

/// Where the head ends, blank line included; lines may end in a bare LF (RFC 9112, section 2.2).
pub(super) fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    bytes[from..]
        .iter()
        .enumerate()
        .filter(|&(_, &byte)| byte == b'\n')
        .find_map(|(at, _)| match &bytes[from + at + 1..] {
            [b'\n', ..] => Some(from + at + 2),
            [b'\r', b'\n', ..] => Some(from + at + 3),
            _ => None,
        })
}

/// Control bytes have no place in a head, and a parser that refuses them would hide the status that
/// a hostile or careless server sent: they are read as the text `\xNN`.
fn control_made_visible(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_control = |byte: u8| byte.is_ascii_control() && !b"\t\r\n".contains(&byte);
    if !bytes.iter().copied().any(is_control) {
        return Cow::Borrowed(bytes);
    }
    let visible = bytes
        .iter()
        .copied()
        .flat_map(|byte| match is_control(byte) {
            true => format!("\\x{byte:02x}").into_bytes(),
            false => vec![byte],
        });
    Cow::Owned(visible.collect())
}

/// A whole head, blank line included.
///
/// # Errors
/// A sentence: it is not HTTP, or has too many fields.
pub(super) fn parse(bytes: &[u8]) -> Result<ResponseHead, String> {
    let bytes = &control_made_visible(bytes)[..];
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err("the head of the answer is not whole".into()),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(format!(
                "the answer has more than {MAX_FIELDS} header fields"
            ));
        }
        Err(error) => return Err(format!("the answer is not valid HTTP: {error}")),
    }
    let headers: Headers = response
        .headers
        .iter()
        .map(|field| (field.name.to_owned(), value_text(field.value)))
        .collect();
    Ok(ResponseHead {
        is_http_1_0: response.version == Some(0),
        status: response.code.unwrap_or_default(),
        reason: reason_of(bytes),
        headers,
    })
}

/// The reason phrase as it was sent; httparse drops one that is not ASCII.
fn reason_of(head: &[u8]) -> String {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let reason = line.splitn(3, |byte| *byte == b' ').nth(2);
    value_text(reason.unwrap_or_default().trim_ascii())
}

pub(super) fn may_be_http(bytes: &[u8]) -> bool {
    bytes.iter().zip(OPENER).all(|(byte, want)| byte == want)
}

/// The error for an answer in another protocol: shows its first line, or its first bytes.
async fn not_http<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    address: &str,
) -> Error {
    let rest = async {
        while buffer.len() < MAX_SHOWN && !buffer.contains(&b'\n') {
            if !matches!(read_more(stream, buffer).await, Ok(1..)) {
                break;
            }
        }
    };
    // What came until then is shown, be it the whole or not.
    let _ = timeout(SHOWN_WAIT, rest).await;
    no_http(buffer, address)
}

/// The error for an answer that begins with these bytes.
pub(super) fn no_http(bytes: &[u8], address: &str) -> Error {
    let line = bytes.iter().position(|&byte| byte == b'\n');
    let shown = line.map_or(bytes.len(), |at| at + 1).min(MAX_SHOWN);
    Error::Handshake {
        address: address.to_owned(),
        message: format!("the answer is not HTTP: \"{}\"", escape(&bytes[..shown])),
        hint: Some(guess(bytes, address)),
    }
}

/// What speaks like this.
fn guess(bytes: &[u8], address: &str) -> String {
    match bytes {
        // A TLS record: alert or handshake, version 3.x (RFC 8446, section 5.1).
        [0x15 | 0x16, 0x03, ..] => format!("this looks like a TLS port: try wss://{address}"),
        // An HTTP/2 frame on stream 0: SETTINGS or GOAWAY (RFC 9113, section 4.1).
        [0, _, _, 4 | 7, ..] => "this server speaks only HTTP/2: it needs an HTTP/1.1 port".into(),
        [b'S', b'S', b'H', b'-', ..] => "this is an SSH server: is the port right?".into(),
        _ => "this is no WebSocket server: is the port right?".into(),
    }
}

/// Printable ASCII as it is, all else as `\xNN`.
fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        if matches!(byte, b' '..=b'~') && byte != b'\\' {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_from_anywhere_before_it() {
        for (head, end) in [
            (&b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest"[..], 25),
            (b"HTTP/1.1 200 OK\nA: b\n\nrest", 22),
            (b"HTTP/1.1 200 OK\n\r\nrest", 18),
        ] {
            for seen in 0..end {
                assert_eq!(end_of_head(&head[..seen], 0), None);
                assert_eq!(
                    end_of_head(head, seen.saturating_sub(2)),
                    Some(end),
                    "{seen}"
                );
            }
        }
    }

    #[test]
    fn heads_keep_case_order_and_duplicates() {
        let head = parse(b"HTTP/1.0 299 Odd one\r\nx-A: 1\r\nX-a: \xe9\r\nB: \xc3\xa9\r\n\r\n");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            head,
            Ok(ResponseHead {
                is_http_1_0: true,
                status: 299,
                reason: "Odd one".into(),
                headers: vec![pair("x-A", "1"), pair("X-a", "é"), pair("B", "é")],
            })
        );
    }

    #[test]
    fn bytes_are_shown_safely() {
        assert_eq!(
            escape(b"a\\\x1b[2J\xff\r\n"),
            "a\\x5c\\x1b[2J\\xff\\x0d\\x0a"
        );
    }
}
