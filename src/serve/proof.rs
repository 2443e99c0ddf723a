//! `--auth-first-message`: a client that showed nothing in its handshake says who it is in its
//! first message, `{"type":"auth","token":"..."}`, before anything else happens to it.

use std::future::poll_fn;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::time::timeout;

use super::auth::{Identity, Rejection};
use super::shape::{Incoming, Outgoing, Shape};
use super::{Shared, locked};
use crate::model::command::Command;
use crate::model::event::{ConnId, Direction, What};
use crate::model::message::Message;
use crate::model::secret::REDACTED;
use crate::session::connection::Connection;
use crate::wire::stream::Stream;

/// The largest first message, in bytes: who has shown nothing is not worth more memory.
const MAX_PROOF: usize = 64 << 10;

/// Waits for the first message of a client, and answers one that is right. `None` where the
/// connection ended before.
pub(super) async fn first_message(
    shared: &Shared,
    id: ConnId,
    connection: &mut Connection<Stream>,
    patience: Duration,
) -> Option<Result<Identity, Rejection>> {
    let max_message_size = shared.plan.connection.max_message_size;
    connection.set_max_message_size(max_message_size.min(MAX_PROOF));
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
                    let token = proof.as_ref().and_then(|proof| proof.token.as_deref());
                    let shown = What::Message {
                        dir: Direction::In,
                        message: redacted(&message, token),
                        frames,
                        wire,
                        json,
                    };
                    shared.log.tell(Some(id), shown);
                    return Some(proof);
                }
                what => shared.log.tell(Some(id), what),
            }
        }
        None
    };
    let Ok(proof) = timeout(patience, message).await else {
        return Some(Err(Rejection::Missing));
    };
    let Some(proof) = proof? else {
        return Some(Err(Rejection::Missing));
    };
    let verdict = proof.judge(shared);
    if verdict.is_ok() {
        connection.set_max_message_size(max_message_size);
        // A connection that is closing already has nobody to tell.
        let _ = connection.send(Command::Send(proof.answer_with(&verdict)));
    }
    Some(verdict)
}

/// A message that is there to show a token. It is for the server alone, whenever it comes.
#[derive(Debug)]
pub(super) struct Proof {
    token: Option<String>,
    /// The message as one of the two shapes, so that it is answered in its own.
    asked: Option<Incoming>,
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
        let asked = message
            .as_text()
            .and_then(|text| Incoming::read(&text).ok());
        Some(Self { token, asked })
    }

    /// The message as it may be shown.
    pub(super) fn redacted(&self, message: &Message) -> Message {
        redacted(message, self.token.as_deref())
    }

    /// What a client hears that is in already: what its token is worth, which changes nothing.
    pub(super) fn answer(&self, shared: &Shared) -> Message {
        self.answer_with(&self.judge(shared))
    }

    /// Who its token is of.
    fn judge(&self, shared: &Shared) -> Result<Identity, Rejection> {
        match &self.token {
            Some(token) => locked(&shared.keys).judge_token(token, SystemTime::now()),
            None => Err(Rejection::Missing),
        }
    }

    fn answer_with(&self, verdict: &Result<Identity, Rejection>) -> Message {
        let (result, user) = match verdict {
            Ok(identity) => ("ok", identity.user.as_deref()),
            Err(rejection) => (rejection.name(), None),
        };
        let mut answer = Outgoing::new("auth")
            .with("result", result)
            .with("user", user);
        let Some(asked) = &self.asked else {
            return answer.message(Shape::default());
        };
        answer.id.clone_from(&asked.id);
        answer.message(asked.shape)
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

    #[test]
    fn it_is_answered_in_its_shape_and_with_its_id() {
        let nobody = || Ok(Identity { user: None });
        for (text, verdict, answer) in [
            (
                r#"{"type":"auth","token":"t"}"#,
                nobody(),
                r#"{"type":"auth","result":"ok","user":null}"#,
            ),
            (
                r#"{"type":"auth","id":1.50,"token":"t"}"#,
                Err(Rejection::Wrong),
                r#"{"type":"auth","id":1.50,"result":"unauthorized","user":null}"#,
            ),
            (
                r#"{"type":"auth","id":"a","meta":{},"payload":{"token":"t"}}"#,
                nobody(),
                r#"{"type":"auth","id":"a","meta":{},"payload":{"result":"ok","user":null}}"#,
            ),
        ] {
            let proof = Proof::of(&Message::text(text)).unwrap();
            assert_eq!(proof.answer_with(&verdict), Message::text(answer));
        }
    }
}
