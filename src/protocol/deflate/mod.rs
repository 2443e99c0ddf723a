//! permessage-deflate (RFC 7692): what is negotiated, and the codec for what was agreed.
//!
//! `extensions` reads the header, `parameters` is one offer or answer as a value, and
//! [`accept`] and [`check`] are the two sides of the negotiation: pure functions from header
//! values to [`Agreed`]. `compressor` and `inflater` are the two directions of the codec. Their
//! state is large (about 300 and 50 KiB), so each is made when the first message needs it, and
//! given back after the message where no context takeover was agreed.
//!
//! The codec is zlib-rs itself and not flate2 around it: only zlib's own interface tells whether a
//! message ended at the end of a DEFLATE block, and flate2 panics for a window of 8 bits.

mod compressor;
mod extensions;
mod inflater;
mod negotiation;
mod parameters;

use std::fmt;

pub(super) use self::compressor::Compressor;
pub(super) use self::inflater::Inflater;
pub use self::negotiation::{Accepted, accept, check};
pub use self::parameters::Parameters;

/// The name in Sec-WebSocket-Extensions.
pub const NAME: &str = "permessage-deflate";

/// What a compressed message ends with and what is left out on the wire: the length of the empty
/// block that a flush appends (section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// What both ends agreed on, as one of them sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// How our messages are compressed.
    pub own: Side,
    /// How the peer's are.
    pub peer: Side,
}

/// One end's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// Whether a message may refer to the ones before it (section 7.1.1).
    pub context_takeover: bool,
    /// How far it may refer back: the logarithm of the LZ77 window, 8 to 15 (section 7.1.2).
    pub window_bits: u8,
}

/// What is wrong with an offer or an answer, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong(String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}
