//! `POST /api/login` and `POST /api/ticket`: from a password to a session, from a session to a
//! ticket that may stand in a URL.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Request, Scene, content, text, with_header};
use crate::model::handshake::header;
use crate::serve::auth::{Grant, Rejection, random_word};
use crate::wire::accept::Answer;

#[derive(Deserialize)]
struct Login {
    user: String,
    password: String,
}

/// A name and a password, as JSON, for a session's token, which is set as a cookie too.
pub(super) fn login(request: Request<'_>, scene: &mut Scene<'_>) -> Answer {
    if scene.keys.plan().users.is_empty() {
        return text(404, "nobody can log in here (--user NAME:PASS)\n");
    }
    // A page of another origin may not send this type without asking, and it is not told that it may.
    let kind = header(&request.head.headers, "content-type").unwrap_or_default();
    if !kind.trim_start().starts_with("application/json") {
        return text(415, "it takes application/json\n");
    }
    let Ok(login) = serde_json::from_slice::<Login>(request.body) else {
        return text(400, "it takes {\"user\":\"NAME\",\"password\":\"PASS\"}\n");
    };
    let identity = match scene.keys.judge_password(&login.user, &login.password) {
        Ok(identity) => identity,
        Err(rejection) => return rejected(&rejection),
    };
    let user = identity.user.as_ref().map(Arc::clone);
    let grant = scene.keys.grant_session(identity, random_word(), scene.now);
    let cookie = format!(
        "token={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict",
        grant.word.reveal(),
        grant.lasts.as_secs()
    );
    let answer = granted("token", &grant, json!({ "user": user.as_deref() }));
    with_header(answer, "Set-Cookie", &cookie)
}

/// A ticket for whoever may come in.
pub(super) fn ticket(request: Request<'_>, scene: &mut Scene<'_>) -> Answer {
    if !scene.keys.plan().is_on() {
        return text(
            404,
            "nothing has to be shown here, so there are no tickets\n",
        );
    }
    match scene.keys.judge(request.head, scene.now) {
        Ok(identity) => {
            let grant = scene.keys.grant_ticket(identity, random_word(), scene.now);
            granted("ticket", &grant, json!({}))
        }
        Err(rejection) => rejected(&rejection),
    }
}

fn granted(name: &str, grant: &Grant, mut body: Value) -> Answer {
    body[name] = Value::from(grant.word.reveal().as_str());
    body["expires_in"] = Value::from(grant.lasts.as_secs());
    let answer = Answer::Http {
        status: 200,
        headers: content("application/json"),
        body: format!("{body}\n").into(),
    };
    with_header(answer, "Cache-Control", "no-store")
}

/// The status for who may not come in, and what would be taken.
pub(in crate::serve) fn rejected(rejection: &Rejection) -> Answer {
    let answer = text(rejection.status(), format!("{}\n", rejection.name()));
    match rejection.status() {
        401 => with_header(answer, "WWW-Authenticate", "Bearer realm=\"wscope\""),
        _ => answer,
    }
}
