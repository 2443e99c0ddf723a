//! Our messages, compressed (RFC 7692, section 7.2.1).

use std::fmt;

use zlib_rs::{Deflate, DeflateFlush};

use super::{Side, TAIL};

/// Shorter messages go out plain: they hardly get smaller, and most connections that send only
/// such never need a compressor.
const TINY: usize = 32;
/// zlib's own default, and what other endpoints use.
const LEVEL: i32 = 6;
const CHUNK: usize = 8 << 10;

/// Compresses whole messages.
pub(in crate::protocol) struct Compressor {
    side: Side,
    /// Made for the first message that needs it; between messages it is kept for its window.
    stream: Option<Deflate>,
}

impl Compressor {
    /// `None` where messages have to go out plain: no zlib keeps to a window of 8 bits.
    pub(in crate::protocol) fn new(side: Side) -> Option<Self> {
        let stream = None;
        (side.window_bits > 8).then_some(Self { side, stream })
    }

    /// Whether what a message becomes depends on the ones before it.
    pub(in crate::protocol) fn takes_context_over(&self) -> bool {
        self.side.context_takeover
    }

    /// The compressed message; `None` where it is to go out plain, because it would not get
    /// smaller.
    pub(in crate::protocol) fn compress(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        if payload.len() < TINY {
            return None;
        }
        let mut stream = self
            .stream
            .take()
            .unwrap_or_else(|| Deflate::new(LEVEL, false, self.side.window_bits));
        // A stream that saw a message which then goes out plain knows what the peer does not: it
        // is dropped with this `?`. The next one refers to nothing before it, which is legal.
        let compressed = flush(&mut stream, payload)?;
        if self.side.context_takeover {
            self.stream = Some(stream);
        }
        Some(compressed)
    }
}

/// Compresses up to a flush, and gives up when that gets as large as the payload.
fn flush(stream: &mut Deflate, payload: &[u8]) -> Option<Vec<u8>> {
    let mut compressed = Vec::new();
    let mut chunk = [0; CHUNK];
    let mut rest = payload;
    loop {
        let (before_in, before_out) = (stream.total_in(), stream.total_out());
        stream
            .compress(rest, &mut chunk, DeflateFlush::SyncFlush)
            .ok()?;
        // Both are at most the length of a slice.
        rest = &rest[(stream.total_in() - before_in) as usize..];
        let made = (stream.total_out() - before_out) as usize;
        compressed.extend_from_slice(&chunk[..made]);
        if compressed.len() >= payload.len() + TAIL.len() {
            return None;
        }
        // The flush is complete once it leaves room.
        if made < CHUNK {
            break;
        }
    }
    let len = compressed.strip_suffix(&TAIL)?.len();
    compressed.truncate(len);
    Some(compressed)
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Compressor");
        shown.field("side", &self.side).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn compressor(context_takeover: bool, window_bits: u8) -> Option<Compressor> {
        Compressor::new(Side {
            context_takeover,
            window_bits,
        })
    }

    #[test]
    fn a_window_of_8_bits_is_never_compressed_for() {
        assert!(compressor(true, 8).is_none());
        assert!(compressor(true, 9).is_some());
    }

    #[test]
    fn what_does_not_get_smaller_goes_out_plain() {
        let mut compressor = compressor(true, 15).unwrap();
        assert_eq!(compressor.compress(&[b'a'; TINY - 1]), None);
        assert!(compressor.stream.is_none(), "nothing was needed");
        let mut noise = vec![0; 100_000];
        StdRng::seed_from_u64(1).fill_bytes(&mut noise);
        assert_eq!(compressor.compress(&noise), None);
        assert!(compressor.stream.is_none(), "the peer saw nothing of it");
        assert!(compressor.compress(&[b'a'; TINY]).is_some());
    }

    #[test]
    fn context_is_taken_over_where_that_was_agreed() {
        let text = b"It is the same sentence again, and nothing else but that.";
        let mut with = compressor(true, 15).unwrap();
        let mut without = compressor(false, 15).unwrap();
        let first = with.compress(text).unwrap();
        assert_eq!(without.compress(text).as_ref(), Some(&first));
        assert_eq!(without.compress(text).as_ref(), Some(&first));
        assert!(without.stream.is_none(), "it holds no memory");
        assert!(with.compress(text).unwrap().len() < 10);
    }
}
