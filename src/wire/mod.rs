//! Sockets and the opening handshake: from an address to a stream that speaks frames.
//!
//! A client parses a [`target`], [`dial`]s it or a [`proxy`] that leads there, speaks [`tls`] where
//! the URL says wss, and runs [`upgrade`] on the stream; a server runs [`accept`] on a stream that
//! it was given. Either way what comes out is the stream, the heads
//! as they were on the wire, and the bytes that were read ahead, which are the first frames.
//! [`reference`] takes the place of all that for a second opinion.

pub mod accept;
mod body;
pub mod cookies;
pub mod dial;
mod head;
mod heard;
pub mod impaired;
mod key;
pub mod nonblocking;
pub mod proxy;
pub mod reference;
pub mod refusal;
mod request;
pub mod stream;
pub mod target;
pub mod tls;
mod typed;
pub mod upgrade;
