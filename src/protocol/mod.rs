//! RFC 6455 and RFC 7692 as a sans-I/O engine: bytes in, happenings out; commands in, bytes out.
//! No socket, no clock, no tokio.
//!
//! [`header::Header`] is what a frame says of itself. [`scan`] reads headers from bytes cut
//! anywhere and [`encode`] writes them; both work without an engine, in a loop that never looks at
//! a payload. [`engine::Engine`] holds one connection's state: `incoming` is its reading half, with
//! the rules that a peer must keep in `rules` (and for whole messages in `assembly`), `outgoing` its
//! queue of whole frames, `sent` what it tells of those that left. [`deflate`] is RFC 7692: the
//! negotiation for the opening handshake, and the codec that both halves use.

mod assembly;
pub mod deflate;
pub mod encode;
pub mod engine;
pub mod header;
mod incoming;
pub mod mask;
mod outgoing;
mod rules;
pub mod scan;
mod sent;
mod utf8;
