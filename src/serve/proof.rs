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
                    let proof = Proof::of(&message);
                    let token = proof.and_then(|proof| proof.token);
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
    if verdict.is_ok() {
        // A connection that is closing already has nobody to tell.
        let _ = connection.send(Command::Send(answer(&verdict)));
    }
    Some(verdict)
}

/// What a client hears that said who it is.
fn answer(verdict: &Result<Identity, Rejection>) -> Message {
    let (result, user) = match verdict {
        Ok(identity) => ("ok", identity.user.as_deref()),
        Err(rejection) => (rejection.name(), None),
    };
    let answer = json!({ "type": "auth", "result": result, "user": user });
    Message::text(answer.to_string())
}

/// A message that is there to show a token. It is for the server alone, whenever it comes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proof {
    token: Option<String>,
}

impl Proof {
    /// What `{"type":"auth","token":T}` shows, there or below `payload`; `None` for any other
    /// message.
    pub(super) fn of(message: &Message) -> Option<Self> {
        if !message.is_text() {
            return None;
        }
        let value: Value = serde_json::from_slice(&message.payload).ok()?;
        if value["type"] != "auth" {
            return None;
        }
        let token = value.get("token").or_else(|| value["payload"].get("token"));
        let token = token.and_then(Value::as_str).map(str::to_owned);
        Some(Self { token })
    }

    /// The message as it may be shown.
    pub(super) fn redacted(&self, message: &Message) -> Message {
        redacted(message, self.token.as_deref())
    }

    /// What a client hears that is in already: what its token is worth, which changes nothing.
    pub(super) fn answer(&self, shared: &Shared) -> Message {
        let verdict = match &self.token {
            Some(token) => locked(&shared.keys).judge_token(token, SystemTime::now()),
            None => Err(Rejection::Missing),
        };
        answer(&verdict)
    }
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
            let found = Proof::of(&message).and_then(|proof| proof.token);
            assert_eq!(found.as_deref(), token, "{text}");
            assert_eq!(redacted(&message, token), Message::text(shown));
        }
    }
}
