//! UTF-8 that arrives in pieces.
//!
//! The standard library checks each piece; only a character that was cut is kept, at most three
//! bytes. What can no longer become a character fails at once, before the character is whole.

/// A check that goes on from piece to piece.
#[derive(Debug, Clone, Default)]
pub(super) struct Utf8 {
    /// The start of a character whose end has not come yet.
    cut: [u8; 4],
    filled: u8,
}

/// Bytes that are no UTF-8, whatever follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Invalid;

impl Utf8 {
    pub(super) fn feed(&mut self, mut piece: &[u8]) -> Result<(), Invalid> {
        while self.filled > 0 {
            let Some((byte, rest)) = piece.split_first() else {
                return Ok(());
            };
            piece = rest;
            // A cut character has at most three bytes, so this is the fourth at most.
            self.cut[usize::from(self.filled)] = *byte;
            self.filled += 1;
            if incomplete_tail(&self.cut[..usize::from(self.filled)])?.is_empty() {
                self.filled = 0;
            }
        }
        let tail = incomplete_tail(piece)?;
        self.cut[..tail.len()].copy_from_slice(tail);
        self.filled = tail.len() as u8;
        Ok(())
    }

    /// Whether the text may end here.
    pub(super) fn finish(&self) -> Result<(), Invalid> {
        if self.filled == 0 {
            Ok(())
        } else {
            Err(Invalid)
        }
    }
}

/// The bytes at the end that are the start of a character.
fn incomplete_tail(bytes: &[u8]) -> Result<&[u8], Invalid> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(&[]),
        Err(error) if error.error_len().is_none() => Ok(&bytes[error.valid_up_to()..]),
        Err(_) => Err(Invalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&[u8]]) -> Result<(), Invalid> {
        let mut utf8 = Utf8::default();
        for piece in pieces {
            utf8.feed(piece)?;
        }
        utf8.finish()
    }

    #[test]
    fn characters_may_be_cut_anywhere() {
        let text = "aß水🦀\u{10FFFF}z".as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(check(&pieces), Ok(()), "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_lost_character_fails_with_the_byte_that_loses_it() {
        for (start, last) in [
            (&[0xF4][..], 0x90),
            (&[0xED], 0xA0),
            (&[0xE0], 0x80),
            (&[0xF0, 0x9F], 0x41),
            (&[0xF0, 0x9F, 0xA6], 0xC2),
        ] {
            let mut utf8 = Utf8::default();
            for byte in start {
                assert_eq!(utf8.feed(&[*byte]), Ok(()), "{start:x?}");
            }
            assert_eq!(utf8.feed(&[last]), Err(Invalid), "{start:x?} {last:x}");
        }
        assert_eq!(Utf8::default().feed(&[0xC0]), Err(Invalid));
    }

    #[test]
    fn a_text_does_not_end_inside_a_character() {
        assert_eq!(check(&[b"\xF0\x9F", b"\xA6"]), Err(Invalid));
        assert_eq!(check(&[b"\xF0\x9F", b"", b"\xA6\x80"]), Ok(()));
    }
}
