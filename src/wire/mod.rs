//! Sockets and the opening handshake: from an address to a stream that speaks frames.

pub mod accept;
pub mod cookies;
pub mod dial;
pub mod stream;
pub mod target;
pub mod upgrade;
