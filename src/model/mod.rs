//! The vocabulary: what can happen on a WebSocket and what can be asked of one.
//!
//! Pure values without I/O, clock or tokio. Everything above speaks in these words: an
//! [`event::Event`] tells what happened, a [`command::Command`] says what to put on the wire, a
//! [`control::Control`] is what a person asks of the program itself.

pub mod close;
pub mod command;
pub mod control;
pub mod event;
pub mod frame;
pub mod handshake;
pub mod message;
pub mod ndjson;
pub mod secret;
pub mod state;
pub mod units;
