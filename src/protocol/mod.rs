//! RFC 6455 as a sans-I/O engine: bytes in, happenings out; commands in, bytes out. No socket, no
//! clock, no tokio.
//!
//! [`scan`] reads frame headers from bytes cut anywhere, [`encode`] makes a frame's bytes once,
//! [`engine::Engine`] holds one connection's state, [`outgoing`] its queue of whole frames.

pub mod encode;
pub mod engine;
pub mod mask;
pub mod outgoing;
pub mod scan;
pub mod utf8;
