//! `--auth-first-message`: a client that showed nothing in its handshake says who it is in its
//! first message, `{"type":"auth","token":"..."}`, before anything else happens to it.

use std::future::poll_fn;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio::time::timeout;

use super::auth::{Identity, Rejection};
use super::{Shared, locked};
use crate::model::command::Command;
use crate::model::event::{ConnId, Direction, What};
use crate::model::message::Message;
use crate::model::secret::REDACTED;
use crate::session::connection::Connection;
use crate::wire::stream::Stream;

/// Waits for the first message of a client, and answers one that is right. `None` where the
/// connection ended before.
pub(super) async fn first_message(
    shared: &Shared,
    id: ConnId,
    connection: &mut Connection<Stream>,
    patience: Duration,
) -> Option<Result<Identity, Rejection>> {
    let message = async {
        while let Some(what) = poll_fn(|cx| connection.poll_next(cx)).await {
            match what {
                What::Message {
                    dir: Direction::In,
                    message,
                    frames,
                    wire,
                    json,
                } => {
                    let token = token_of(&message);
                    let shown = What::Message {
                        dir: Direction::In,
                        message: redacted(&message, token.as_deref()),
                        frames,
                        wire,
                        json,
                    };
                    shared.log.tell(Some(id), shown);
                    return Some(token);
                }
                what => shared.log.tell(Some(id), what),
            }
        }
        None
    };
    let Ok(token) = timeout(patience, message).await else {
        return Some(Err(Rejection::Missing));
    };
    let verdict = match token? {
        Some(token) => locked(&shared.keys).judge_token(&token, SystemTime::now()),
        None => Err(Rejection::Missing),
    };
    if let Ok(identity) = &verdict {
        let answer = json!({ "type": "auth", "result": "ok", "user": identity.user.as_deref() });
        // A connection that is closing already has nobody to tell.
        let _ = connection.send(Command::Send(Message::text(answer.to_string())));
    }
    Some(verdict)
}

/// The token in `{"type":"auth","token":T}`, or below `payload`.
fn token_of(message: &Message) -> Option<String> {
    let value: Value = serde_json::from_slice(&message.payload).ok()?;
    if !message.is_text() || value["type"] != "auth" {
        return None;
    }
    let token = value.get("token").or_else(|| value["payload"].get("token"));
    Some(token?.as_str()?.to_owned())
}

/// The message as it may be shown.
fn redacted(message: &Message, token: Option<&str>) -> Message {
    match (message.as_text(), token) {
        // An escaped token is not found as it is, and all of it is hidden.
        (Some(text), Some(token)) if !token.is_empty() && text.contains(token) => {
            Message::text(text.replace(token, REDACTED))
        }
        _ => Message::text(REDACTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_both_shapes_and_hidden() {
        for (text, token, shown) in [
            (
                r#"{"type":"auth","token":"s3cret"}"#,
                Some("s3cret"),
                r#"{"type":"auth","token":"***"}"#,
            ),
            (
                r#"{"type":"auth","payload":{"token":"s3cret"}}"#,
                Some("s3cret"),
                r#"{"type":"auth","payload":{"token":"***"}}"#,
            ),
            (
                r#"{"type":"auth","token":"s\u0033cret"}"#,
                Some("s3cret"),
                "***",
            ),
            (r#"{"type":"join","token":"s3cret"}"#, None, "***"),
            ("s3cret", None, "***"),
        ] {
            let message = Message::text(text);
            let found = token_of(&message);
            assert_eq!(found.as_deref(), token, "{text}");
            assert_eq!(redacted(&message, token), Message::text(shown));
        }
    }
}
