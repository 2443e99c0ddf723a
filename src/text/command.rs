//! Commands for the wire as people write them: `/ping`, `/pong`, `/close`, `/bin` and `/frame`, in a
//! conversation and in a transcript alike.

mod frame;

use bytes::Bytes;

use super::{hex, sanitize};
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::message::Message;

pub use frame::parse as frame;

/// The largest payload of a ping or a pong (RFC 6455, section 5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// `[TEXT]`
///
/// # Errors
/// It is too long for a control frame.
pub fn ping(args: &str) -> Result<Command, String> {
    control_payload("ping", args).map(Command::Ping)
}

/// `[TEXT]`
///
/// # Errors
/// It is too long for a control frame.
pub fn pong(args: &str) -> Result<Command, String> {
    control_payload("pong", args).map(Command::Pong)
}

/// `[CODE [REASON]]`
///
/// # Errors
/// The code may not be sent, or the reason is too long.
pub fn close(args: &str) -> Result<Command, String> {
    if args.is_empty() {
        return Ok(Command::Close(None));
    }
    let (code, reason) = split_word(args);
    let code = code.parse().map_err(|_| {
        format!(
            "\"{}\" is not a close code (try /close 1000 {})",
            sanitize::line(code),
            sanitize::line(args)
        )
    })?;
    let frame = CloseFrame::new(CloseCode(code), reason).map_err(|error| error.to_string())?;
    Ok(Command::Close(Some(frame)))
}

/// `hex:..`, `base64:..`: a binary message.
///
/// # Errors
/// It is neither, or does not decode.
pub fn binary(args: &str) -> Result<Command, String> {
    let Some(payload) = bytes(args)? else {
        return Err("give the bytes as hex:00ff or base64:AP8=".into());
    };
    Ok(Command::Send(Message::binary(payload)))
}

/// The first word, and what follows it without the white space between.
pub fn split_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim()),
        None => (text, ""),
    }
}

fn control_payload(what: &str, args: &str) -> Result<Bytes, String> {
    if args.len() > MAX_CONTROL_PAYLOAD {
        return Err(format!(
            "the payload has {} bytes, at most {MAX_CONTROL_PAYLOAD} fit into a {what}",
            args.len()
        ));
    }
    Ok(Bytes::copy_from_slice(args.as_bytes()))
}

/// What is spelled as `hex:..` or `base64:..`; `None` for anything else.
///
/// # Errors
/// It is spelled so and does not decode.
pub fn bytes(args: &str) -> Result<Option<Vec<u8>>, String> {
    let decoded = if let Some(text) = args.strip_prefix("hex:") {
        hex::decode_hex(text)
    } else if let Some(text) = args.strip_prefix("base64:") {
        hex::decode_base64(text)
    } else {
        return Ok(None);
    };
    decoded.map(Some).map_err(|error| error.to_string())
}
