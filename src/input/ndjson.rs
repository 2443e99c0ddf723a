//! Lines of NDJSON events as commands: what `--json` prints can be played again.
//!
//! Sent are `message` and `ping` that went out, and a `close` by us; a line without `event` is a
//! message, and where the direction is not told it is out. All else is skipped.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::message::{Kind, Message};
use crate::text::command::MAX_CONTROL_PAYLOAD;
use crate::text::hex;

/// What decides whether a line is of interest: other events have other members.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dir: Option<Cow<'a, str>>,
    #[serde(borrow)]
    by: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    base64: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Close<'a> {
    code: Option<u16>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
}

/// The command of a line; `None` for an event that is not ours to send, and for a blank line.
///
/// # Errors
/// A sentence about what is wrong.
pub(super) fn command(line: &str) -> Result<Option<Command>, String> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    if !line.trim_ascii_start().starts_with('{') {
        read::<IgnoredAny>(line)?;
        return Err("an event is a JSON object".into());
    }
    let head: Head<'_> = read(line)?;
    let out = head.dir.as_deref().is_none_or(|dir| dir == "out");
    match head.event.as_deref().unwrap_or("message") {
        "message" if out => read(line).and_then(message).map(Some),
        "ping" if out => read(line).and_then(ping).map(Some),
        "close" if head.by.as_deref().is_none_or(|by| by == "us") => {
            read(line).and_then(close).map(Some)
        }
        _ => Ok(None),
    }
}

fn read<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| {
        // Every line is line 1 to serde: only the column is of use.
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default();
        format!("{what} at column {}", error.column())
    })
}

fn message(payload: Payload<'_>) -> Result<Command, String> {
    let binary = match payload.kind.as_deref() {
        None => payload.base64.is_some(),
        Some("text") => false,
        Some("binary") => true,
        Some(other) => return Err(format!("kind is \"{other}\", not text or binary")),
    };
    let bytes = bytes(payload)?.ok_or("a message needs data or base64")?;
    let kind = if binary { Kind::Binary } else { Kind::Text };
    if kind == Kind::Text && std::str::from_utf8(&bytes).is_err() {
        return Err("base64 of a text message is not UTF-8".into());
    }
    Ok(Command::Send(Message {
        kind,
        payload: bytes,
    }))
}

fn ping(payload: Payload<'_>) -> Result<Command, String> {
    let bytes = bytes(payload)?.unwrap_or_default();
    if bytes.len() > MAX_CONTROL_PAYLOAD {
        return Err(format!(
            "a ping carries at most {MAX_CONTROL_PAYLOAD} bytes, not {}",
            bytes.len()
        ));
    }
    Ok(Command::Ping(bytes))
}

fn close(close: Close<'_>) -> Result<Command, String> {
    let reason = close.reason.unwrap_or_default();
    match close.code.map(CloseCode) {
        // Both stand for a Close frame without a code.
        None | Some(CloseCode::NO_STATUS | CloseCode::ABNORMAL) if reason.is_empty() => {
            Ok(Command::Close(None))
        }
        None => Err("a close with a reason needs a code".into()),
        Some(code) => CloseFrame::new(code, reason)
            .map(|frame| Command::Close(Some(frame)))
            .map_err(|error| error.to_string()),
    }
}

fn bytes(payload: Payload<'_>) -> Result<Option<Bytes>, String> {
    match (payload.data, payload.base64) {
        (Some(_), Some(_)) => Err("data and base64 exclude each other".into()),
        (Some(data), None) => Ok(Some(Bytes::from(data.into_owned()))),
        (None, Some(base64)) => hex::decode_base64(&base64)
            .map(|bytes| Some(Bytes::from(bytes)))
            .map_err(|error| format!("base64: {error}")),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_out_is_sent_again_and_all_else_is_skipped() {
        let text = |text: &str| Some(Command::Send(Message::text(text)));
        let frame = CloseFrame::new(CloseCode(4001), "bye").unwrap();
        for (line, expected) in [
            (
                r#"{"event":"message","dir":"out","kind":"text","size":2,"data":"h\ni","frames":1}"#,
                text("h\ni"),
            ),
            (r#"{"event":"message","dir":"in","data":"hi"}"#, None),
            (r#"{"data":"hi"}"#, text("hi")),
            (r#"{"data":""}"#, text("")),
            (r#"{"data":"é"}"#, text("é")),
            (
                r#"{"kind":"binary","data":"hi"}"#,
                Some(Command::Send(Message::binary("hi"))),
            ),
            (
                r#"{"base64":"AP8="}"#,
                Some(Command::Send(Message::binary(vec![0, 255]))),
            ),
            (
                r#"{"event":"message","dir":"out","kind":"binary","base64":""}"#,
                Some(Command::Send(Message::binary(""))),
            ),
            (
                r#"{"event":"ping","dir":"out","size":0,"data":""}"#,
                Some(Command::Ping(Bytes::new())),
            ),
            (r#"{"event":"ping","dir":"in","data":"x"}"#, None),
            (r#"{"event":"pong","dir":"out","data":"x"}"#, None),
            (
                r#"{"event":"close","code":4001,"reason":"bye","by":"us","clean":true}"#,
                Some(Command::Close(Some(frame))),
            ),
            (
                r#"{"event":"close","code":1005,"reason":"","by":"us","wire_code":null}"#,
                Some(Command::Close(None)),
            ),
            (
                r#"{"event":"close","code":1000,"reason":"","by":"peer"}"#,
                None,
            ),
            (r#"{"event":"error","kind":5,"data":[1]}"#, None),
            (r#"{"event":"from the future"}"#, None),
            ("  \r", None),
        ] {
            assert_eq!(command(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        for (line, part) in [
            ("hello", "column 1"),
            ("[1]", "an event is a JSON object"),
            (r#"{"data":1}"#, "expected a string"),
            ("{}", "needs data or base64"),
            (r#"{"data":"a","base64":""}"#, "exclude each other"),
            (r#"{"base64":"*"}"#, "character 1"),
            (r#"{"kind":"blob","data":""}"#, "blob"),
            (r#"{"kind":"text","base64":"/w=="}"#, "not UTF-8"),
            (r#"{"event":"close","code":999}"#, "may not be sent"),
            (r#"{"event":"close","reason":"x"}"#, "needs a code"),
        ] {
            let problem = command(line).unwrap_err();
            assert!(problem.contains(part), "{line}: {problem}");
        }
        let long = format!(r#"{{"event":"ping","data":"{}"}}"#, "x".repeat(126));
        assert!(command(&long).unwrap_err().contains("125"));
    }
}
