//! What to do on the wire: the inward half of the vocabulary.

use bytes::Bytes;

use super::close::CloseFrame;
use super::frame::RawFrame;
use super::message::Message;

/// One thing to put on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Send(Message),
    /// At most 125 bytes (RFC 6455, section 5.5), as for `Pong`.
    Ping(Bytes),
    Pong(Bytes),
    /// Starts the closing handshake. `None` is a Close frame without a body.
    Close(Option<CloseFrame>),
    /// A frame exactly as it is spelled, legal or not.
    Frame(RawFrame),
}
