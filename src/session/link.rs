//! A stream and what it owes: bytes that it took and holds back, and the end of its writing side.

use std::cell::RefCell;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::protocol::engine::Engine;

/// Parts of large frames that are handed to the system in one call.
const WRITE_SLICES: usize = 32;
/// Bytes of small frames that are handed to the system in one call.
const PIECE: usize = 64 << 10;

thread_local! {
    /// Where small frames are put together: the system takes one piece faster than several.
    static TOGETHER: RefCell<Box<[u8]>> = RefCell::new(vec![0; PIECE].into_boxed_slice());
}

/// The stream of one connection.
pub(super) struct Link<S> {
    stream: S,
    /// The stream may hold back what it took: TLS does so while TCP is full.
    unflushed: bool,
    /// Nothing more is written: it failed, or the stream is being shut down after our last Close.
    write_over: bool,
    /// The stream's writing side is being ended; TLS may have to wait for TCP to take its alert.
    shutting_down: bool,
    /// Since when the stream has taken nothing of what is to be written.
    blocked: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self {
            stream,
            unflushed: false,
            write_over: false,
            shutting_down: false,
            blocked: None,
        }
    }

    /// Since when nothing of what waits could be written; `None` where all goes its way.
    pub(super) const fn blocked(&self) -> Option<Instant> {
        self.blocked
    }

    /// Whether all that was written has left.
    pub(super) const fn is_flushed(&self) -> bool {
        !self.unflushed
    }

    pub(super) const fn is_write_over(&self) -> bool {
        self.write_over
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }

    /// Writes what the engine has to write, or goes on with what is owed.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, engine: &mut Engine) -> Poll<()> {
        if self.shutting_down {
            return self.poll_shutdown(cx);
        }
        if self.write_over {
            return Poll::Pending;
        }
        if !engine.has_to_write() {
            return self.poll_flush(cx);
        }
        let stream = Pin::new(&mut self.stream);
        let written = if engine.is_in_small_parts() {
            TOGETHER.with_borrow_mut(|piece| {
                let count = engine.copy_to(piece);
                stream.poll_write(cx, &piece[..count])
            })
        } else {
            let mut slices = [IoSlice::new(&[]); WRITE_SLICES];
            let count = engine.to_write(&mut slices);
            stream.poll_write_vectored(cx, &slices[..count])
        };
        if written.is_pending() {
            self.blocked.get_or_insert_with(Instant::now);
            return Poll::Pending;
        }
        self.blocked = None;
        match ready!(written) {
            Ok(count) if count > 0 => {
                engine.written(count);
                self.unflushed = true;
                if !engine.has_to_write() {
                    // TCP has nothing to flush, so that this rarely waits.
                    let _ = self.poll_flush(cx);
                }
            }
            // The peer may have said why before it went: what it sent is still read.
            _ => {
                self.write_over = true;
                engine.give_up();
            }
        }
        Poll::Ready(())
    }

    /// Writes those of the frames that fit into one piece, for a caller who is not the task that polls;
    /// how many bytes of them the stream took. What goes wrong is found by the next write.
    pub(super) fn write_together<'a>(&mut self, frames: impl Iterator<Item = &'a Bytes>) -> usize {
        let mut cx = Context::from_waker(Waker::noop());
        let written = TOGETHER.with_borrow_mut(|piece| {
            let mut filled = 0;
            for frame in frames {
                let Some(room) = piece.get_mut(filled..filled + frame.len()) else {
                    break;
                };
                room.copy_from_slice(frame);
                filled += frame.len();
            }
            if filled == 0 {
                return Poll::Pending;
            }
            Pin::new(&mut self.stream).poll_write(&mut cx, &piece[..filled])
        });
        match written {
            Poll::Ready(Ok(count)) if count > 0 => {
                self.blocked = None;
                self.unflushed = true;
                let _ = self.poll_flush(&mut cx);
                count
            }
            _ => 0,
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.unflushed {
            return Poll::Pending;
        }
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        self.unflushed = false;
        self.write_over |= flushed.is_err();
        Poll::Ready(())
    }

    /// Ends the writing side of the stream: for TLS its alert, for TCP its FIN.
    pub(super) fn shut_down(&mut self, cx: &mut Context<'_>) {
        if !self.write_over {
            self.write_over = true;
            self.shutting_down = true;
            // What must wait for TCP is taken up by the next poll.
            let _ = self.poll_shutdown(cx);
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // The connection is over; a failure to end it changes nothing.
        let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
        self.shutting_down = false;
        Poll::Ready(())
    }
}
