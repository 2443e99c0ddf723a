//! One connection's protocol state, in either role.
//!
//! The engine is pulled: the caller reads into a buffer that many connections may share and calls
//! [`Engine::next`] until the input is empty and it answers `None`. Only a partial frame is kept.
//! Replies to earlier messages leave before the Close that ends a violation.

use bytes::Bytes;

use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::frame::FrameInfo;
use crate::model::message::Message;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub role: Role,
    /// The largest message that is accepted, in bytes; larger ones are a violation (1009).
    pub max_message_size: usize,
    /// Answer pings (RFC 6455, section 5.5.2). Answers that wait are coalesced to the last one.
    pub auto_pong: bool,
    /// Yield [`Incoming::Frame`] and [`Sent::frame`] for every frame.
    pub report_frames: bool,
    /// The bound of the out queue in bytes. [`Engine::send`] still takes a message into an empty queue.
    pub max_queued: usize,
}

/// What came from the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A frame header, as it was on the wire; only with [`Config::report_frames`], and before
    /// what the frame completes.
    Frame(FrameInfo),
    Message {
        message: Message,
        frames: u64,
        wire: u64,
    },
    Ping(Bytes),
    Pong(Bytes),
    /// The peer's Close frame, with the true code; `None` for one without a body. The answer to
    /// it has been queued already if we had not sent ours.
    Close(Option<CloseFrame>),
    /// The peer broke a rule. A Close with [`Violation::code`] has been queued; nothing more is
    /// yielded.
    Violation(Violation),
}

/// A rule of the RFC that the peer broke, and the code to close with (section 7.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub code: CloseCode,
    /// A sentence for people: which rule, with the offending value.
    pub rule: String,
}

/// What left whole: made when the last byte of it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    Frame(FrameInfo),
    Message { message: Message, wire: u64 },
    Ping(Bytes),
    Pong(Bytes),
    Close(Option<CloseFrame>),
}

/// Why a command was not queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// A Close was sent or the peer broke the protocol: nothing may follow (section 5.5.1).
    Closing,
    /// The queue is at its bound; try again after bytes were written.
    Full,
    /// More than 125 bytes in a control frame.
    ControlTooLong(usize),
}

pub struct Engine {}

impl Engine {
    /// `seed` feeds the masks of a client (section 10.3: unpredictable); a server ignores it.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        todo!()
    }

    /// Consumes bytes from the front of `input` up to the next thing that happened. `None` means
    /// that all of `input` was consumed. After a peer's Close or a violation the rest is discarded.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Incoming> {
        todo!()
    }

    /// Queues a command.
    ///
    /// # Errors
    /// See [`SendError`]; the engine is unchanged then. A raw frame is queued as it is; a raw
    /// Close frame also moves the state.
    pub fn send(&mut self, command: Command) -> Result<(), SendError> {
        todo!()
    }

    /// Queues a frame that was encoded once for many peers (server role: unmasked).
    pub fn send_encoded(&mut self, frame: Bytes) -> Result<(), SendError> {
        todo!()
    }

    /// Fills `slices` with bytes to write, in order; how many were filled. Control frames
    /// overtake queued data at frame boundaries.
    pub fn to_write<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        todo!()
    }

    /// Says that the first `count` bytes of what [`Engine::to_write`] showed were written.
    pub fn written(&mut self, count: usize) {
        todo!()
    }

    /// What left whole since the last call, oldest first.
    pub fn next_sent(&mut self) -> Option<Sent> {
        todo!()
    }

    pub fn has_to_write(&self) -> bool {
        todo!()
    }
    /// Bytes queued and not yet written.
    pub fn queued(&self) -> usize {
        todo!()
    }
    /// Data messages queued and not yet written whole.
    pub fn unsent(&self) -> u64 {
        todo!()
    }
    /// A Close was queued by us (as the first or as the answer).
    pub fn close_queued(&self) -> bool {
        todo!()
    }
    /// The peer's Close was received.
    pub fn close_received(&self) -> bool {
        todo!()
    }
    /// Our Close left whole; nothing more will be written.
    pub fn close_sent(&self) -> bool {
        todo!()
    }
}
