//! The heads of a server's opening handshake as they were on the wire.
//!
//! hyper gives header names in lower case, with what is repeated side by side, and adds to answers
//! what the answer does not show. So the stream below it keeps a copy of what passes, at most
//! [`KEPT`] bytes each way, and the heads are read from that once hyper has judged the request. It
//! is for showing only: where the copy does not hold the very fields that hyper found (after a
//! request with a body, say), hyper's account stands.
//!
//! It is also where something can leave in one write with a 101, which hyper sends alone.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::{self, value_text};
use crate::model::handshake::{Headers, ResponseHead};

/// More than the largest head that is taken, and the frames that may ride with it.
const KEPT: usize = 32 * 1024;
const MAX_FIELDS: usize = 100;

/// A stream that is listened in on.
pub(super) struct Heard<S> {
    stream: S,
    kept: Kept,
    /// An answer that waits for what is to leave with it.
    held: Vec<u8>,
}

/// What was kept; clones share it.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Passed>>);

#[derive(Default)]
struct Passed {
    /// Since the end of the last request's head.
    read: Vec<u8>,
    /// Since then.
    written: Vec<u8>,
    /// What is to leave in one write with the next answer.
    behind: Bytes,
}

impl<S> Heard<S> {
    pub(super) fn new(stream: S) -> (Self, Kept) {
        let kept = Kept::default();
        let shared = kept.clone();
        let heard = Self {
            stream,
            kept,
            held: Vec::new(),
        };
        (heard, shared)
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl Kept {
    /// The fields of the request that hyper has just handed over, as they were written.
    pub(super) fn request(&self, headers: Headers) -> Headers {
        let mut bytes = self.lock();
        bytes.written.clear();
        let start = bytes.read.iter().take_while(|byte| b"\r\n".contains(byte));
        let start = start.count();
        let Some(end) = head::end_of_head(&bytes.read, start) else {
            return headers;
        };
        let request: Vec<u8> = bytes.read.drain(..end).skip(start).collect();
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut request_head = httparse::Request::new(&mut fields);
        match request_head.parse(&request) {
            Ok(httparse::Status::Complete(_)) => written(request_head.headers, headers),
            _ => headers,
        }
    }

    /// The answer to that request, once it has left.
    pub(super) fn response(&self, answer: ResponseHead) -> ResponseHead {
        let bytes = self.lock();
        let Some(end) = head::end_of_head(&bytes.written, 0) else {
            return answer;
        };
        let left = head::parse(&bytes.written[..end]);
        left.ok()
            .filter(|left| left.status == answer.status)
            .unwrap_or(answer)
    }

    /// These bytes are to leave in one write with the next answer.
    pub(super) fn leaves_behind(&self, bytes: Bytes) {
        self.lock().behind = bytes;
    }

    fn lock(&self) -> MutexGuard<'_, Passed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `fields`, if they are those that `known` tells of in another order and spelling.
fn written(fields: &[httparse::Header<'_>], known: Headers) -> Headers {
    let written: Headers = fields
        .iter()
        .map(|field| (field.name.to_owned(), value_text(field.value)))
        .collect();
    if sorted(&written) == sorted(&known) {
        written
    } else {
        known
    }
}

/// By name, without case; what is repeated stays in its order.
fn sorted(headers: &Headers) -> Vec<(String, &str)> {
    let mut sorted: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
        .collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    sorted
}

/// Keeps as much as there is room for.
fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = KEPT.saturating_sub(kept.len());
    kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        keep(&mut self.kept.lock().read, &buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let waits = !self.held.is_empty() || !self.kept.lock().behind.is_empty();
        let count = if waits {
            self.held.extend_from_slice(bytes);
            bytes.len()
        } else {
            ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?
        };
        keep(&mut self.kept.lock().written, &bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let behind = std::mem::take(&mut this.kept.lock().behind);
        this.held.extend_from_slice(&behind);
        while !this.held.is_empty() {
            let count = ready!(Pin::new(&mut this.stream).poll_write(cx, &this.held))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.held.drain(..count);
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&str, &str)]) -> Headers {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        fields.iter().map(owned).collect()
    }

    fn heard(read: &str, known: &[(&str, &str)]) -> Headers {
        let kept = Kept::default();
        keep(&mut kept.lock().read, read.as_bytes());
        kept.request(headers(known))
    }

    #[test]
    fn names_and_order_are_those_of_the_wire() {
        let known = [("x-a", "1"), ("x-a", "3"), ("host", "h")];
        assert_eq!(
            heard(
                "\r\nGET / HTTP/1.1\r\nX-A: 1\r\nHost: h\r\nx-a: 3\r\n\r\nrest",
                &known
            ),
            headers(&[("X-A", "1"), ("Host", "h"), ("x-a", "3")])
        );
    }

    #[test]
    fn what_is_not_the_same_request_is_not_shown() {
        let known = [("host", "h")];
        for read in [
            "",
            "GET / HTTP/1.1\r\nHost: h\r\n",
            "GET / HTTP/1.1\r\nHost: other\r\n\r\n",
            "body\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        ] {
            assert_eq!(heard(read, &known), headers(&known), "{read:?}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut kept = Vec::new();
        for _ in 0..3 {
            keep(&mut kept, &[0; KEPT / 2 + 1]);
        }
        assert_eq!(kept.len(), KEPT);
    }
}
