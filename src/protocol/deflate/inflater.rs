//! The peer's messages, inflated as their pieces arrive (RFC 7692, section 7.2.2).

use std::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::{Side, TAIL};
use crate::protocol::rules::Violation;

/// The window is always the largest: it reads what was made for every smaller one.
const WINDOW_BITS: u8 = 15;
const CHUNK: usize = 8 << 10;

/// Takes what was inflated, a few KiB at a time; its first error ends the message.
type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Violation> + 'a;

/// Inflates messages that arrive in pieces.
pub(in crate::protocol) struct Inflater {
    context_takeover: bool,
    /// Made with the first compressed piece; between messages it is kept for its window.
    stream: Option<Inflate>,
}

impl Inflater {
    pub(in crate::protocol) fn new(peer: Side) -> Self {
        Self {
            context_takeover: peer.context_takeover,
            stream: None,
        }
    }

    /// Inflates a piece of a message.
    pub(in crate::protocol) fn feed(
        &mut self,
        mut piece: &[u8],
        sink: &mut Sink<'_>,
    ) -> Result<(), Violation> {
        while !piece.is_empty() {
            self.step(&mut piece, InflateFlush::NoFlush, sink)?;
        }
        Ok(())
    }

    /// Ends a message: what was left out on the wire is added, and then a block must end.
    pub(in crate::protocol) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), Violation> {
        // One byte more than the tail: it is not touched where a block ends before it.
        let [a, b, c, d] = TAIL;
        let tail = [a, b, c, d, 0];
        let mut rest = &tail[..];
        while rest.len() > 1 {
            self.step(&mut rest, InflateFlush::Block, sink)?;
        }
        if rest.is_empty() {
            return Err(Violation::corrupt("it ends inside a block"));
        }
        if !self.context_takeover {
            self.stream = None;
        }
        Ok(())
    }

    /// Inflates up to the end of `input`, of the stream, or with [`InflateFlush::Block`] of a
    /// block.
    fn step(
        &mut self,
        input: &mut &[u8],
        flush: InflateFlush,
        sink: &mut Sink<'_>,
    ) -> Result<(), Violation> {
        let stream = self
            .stream
            .get_or_insert_with(|| Inflate::new(false, WINDOW_BITS));
        let mut chunk = [0; CHUNK];
        loop {
            let (before_in, before_out) = (stream.total_in(), stream.total_out());
            let status = stream.decompress(input, &mut chunk, flush);
            // Both are at most the length of a slice.
            *input = &input[(stream.total_in() - before_in) as usize..];
            let made = (stream.total_out() - before_out) as usize;
            sink(&chunk[..made])?;
            let status = status.map_err(|error| {
                // zlib-rs forgets the reason where it broke inside its fast loop.
                let why = stream.error_message();
                let why = why.filter(|why| !why.starts_with("repeated call"));
                Violation::corrupt(why.unwrap_or(error.as_str()))
            })?;
            if status == Status::StreamEnd {
                // A block with BFINAL set (section 7.2.3.4): another stream goes on behind it.
                stream.reset(false);
                return Ok(());
            }
            // Where there is room left, there was nothing more to put out.
            if made < CHUNK {
                return Ok(());
            }
        }
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Inflater");
        let takeover = &self.context_takeover;
        shown
            .field("context_takeover", takeover)
            .finish_non_exhaustive()
    }
}
