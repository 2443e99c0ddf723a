//! What left, as the peer will see it.

use bytes::Bytes;

use crate::model::close::{CloseCode, CloseFrame};
use crate::model::frame::{FrameInfo, Opcode, RawFrame};
use crate::model::message::{Kind, Message};

/// What left whole: made when the last byte of it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// Only with `Config::report_frames`, and before what the frame completes.
    Frame(FrameInfo),
    Message {
        message: Message,
        wire: u64,
    },
    Ping(Bytes),
    Pong(Bytes),
    Close(Option<CloseFrame>),
}

/// What a raw frame is to the peer, if it is something by itself. A Close is one, however it is
/// spelled: nothing may follow it.
pub(super) fn of_raw(frame: &RawFrame, wire: u64) -> Option<Sent> {
    let payload = frame.payload.clone();
    if frame.opcode == Opcode::CLOSE {
        let close = payload
            .split_first_chunk()
            .map(|(code, reason)| CloseFrame {
                code: CloseCode(u16::from_be_bytes(*code)),
                reason: String::from_utf8_lossy(reason).into_owned(),
            });
        return Some(Sent::Close(close));
    }
    if !frame.fin || frame.rsv != [false; 3] {
        return None;
    }
    let message = |kind, payload| Sent::Message {
        message: Message { kind, payload },
        wire,
    };
    match frame.opcode {
        Opcode::TEXT if std::str::from_utf8(&payload).is_ok() => Some(message(Kind::Text, payload)),
        Opcode::BINARY => Some(message(Kind::Binary, payload)),
        Opcode::PING => Some(Sent::Ping(payload)),
        Opcode::PONG => Some(Sent::Pong(payload)),
        _ => None,
    }
}
