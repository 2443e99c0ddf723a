//! A message that is being put together from its frames, with the rules over all of them: their
//! order, the size of the message, and that a text is UTF-8.

use super::header::Header;
use super::incoming::{self, Incoming};
use super::rules::{self, Violation};
use super::utf8::Utf8;
use crate::model::frame::Opcode;
use crate::model::message::{Kind, Message};

/// A message that is being put together from its frames.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    /// `None` between messages.
    kind: Option<Kind>,
    /// RSV1 of the first frame: the whole message is one compressed piece (RFC 7692, section 6.1).
    pub(super) compressed: bool,
    pub(super) payload: Vec<u8>,
    utf8: Utf8,
    frames: u64,
    wire: u64,
}

impl Assembly {
    pub(super) fn begin_frame(&mut self, header: &Header, limit: usize) -> Result<(), Violation> {
        let kind = match (header.opcode, self.kind) {
            (Opcode::TEXT, None) => Kind::Text,
            (Opcode::BINARY, None) => Kind::Binary,
            (Opcode::CONTINUATION, Some(kind)) => kind,
            (opcode, _) => return Err(rules::out_of_sequence(opcode)),
        };
        if self.kind.is_none() {
            [self.compressed, ..] = header.rsv;
        }
        self.kind = Some(kind);
        // What is compressed is counted when it is inflated.
        if !self.compressed {
            self.check_size(header.payload_len, limit)?;
        }
        self.frames += 1;
        self.wire += header.info().wire_len;
        Ok(())
    }

    fn check_size(&self, more: u64, limit: usize) -> Result<(), Violation> {
        let size = (self.payload.len() as u64).saturating_add(more);
        if size > limit as u64 {
            return Err(Violation::too_big(size, limit));
        }
        Ok(())
    }

    /// Adds a piece of a frame's payload as it is.
    pub(super) fn append(
        &mut self,
        piece: &[u8],
        header: &Header,
        taken: u64,
    ) -> Result<(), Violation> {
        let start = self.payload.len();
        // In its last frame the message takes no more than that announced, so that one in one piece
        // is allocated once.
        let left = usize::try_from(header.payload_len - taken).unwrap_or(usize::MAX);
        self.grow_for(piece.len(), if header.fin { left } else { usize::MAX });
        incoming::append(&mut self.payload, piece, header.mask, taken);
        self.check_text(start)
    }

    /// Adds what a piece was inflated to. What is still within the limit is judged before what is
    /// not, so that a message fails with the same rule however it was cut.
    pub(super) fn push(&mut self, chunk: &[u8], limit: usize) -> Result<(), Violation> {
        let start = self.payload.len();
        let (within, beyond) = chunk.split_at(chunk.len().min(limit - start));
        self.grow_for(within.len(), limit - start);
        self.payload.extend_from_slice(within);
        self.check_text(start)?;
        self.check_size(u64::from(!beyond.is_empty()), limit)
    }

    /// Text fails with the first piece that cannot be UTF-8.
    fn check_text(&mut self, start: usize) -> Result<(), Violation> {
        if self.kind == Some(Kind::Text) {
            let text = &self.payload[start..];
            self.utf8
                .feed(text)
                .map_err(|_| Violation::not_utf8("text message"))?;
        }
        Ok(())
    }

    /// Makes room in steps that follow what has arrived: never more than twice that, and never for
    /// more than `most`, which is at least the piece.
    fn grow_for(&mut self, piece: usize, most: usize) {
        const SMALLEST_STEP: usize = 4 << 10;
        const LARGEST_STEP: usize = 1 << 20;
        if self.payload.capacity() - self.payload.len() >= piece {
            return;
        }
        let step = self.payload.len().clamp(SMALLEST_STEP, LARGEST_STEP);
        self.payload.reserve_exact(step.min(most).max(piece));
    }

    pub(super) fn finish(&mut self) -> Result<Incoming, Violation> {
        let mut done = std::mem::take(self);
        // Fragments leave spare room; a message may be kept for long.
        done.payload.shrink_to_fit();
        done.utf8
            .finish()
            .map_err(|_| Violation::not_utf8("text message"))?;
        Ok(Incoming::Message {
            message: Message {
                // A frame that ends a message has begun it or continued it.
                kind: done.kind.unwrap_or(Kind::Binary),
                payload: done.payload.into(),
            },
            frames: done.frames,
            wire: done.wire,
        })
    }
}
