//! What the port of a server answers to plain HTTP. Pure: a request and how things are in, an
//! answer out.
//!
//! [`ROUTES`] is the registry. Everything else is a WebSocket path, or nothing.

mod api;
mod page;

use std::time::SystemTime;

use bytes::Bytes;

use super::auth::Keys;
use crate::model::handshake::{Headers, RequestHead, values};
use crate::text::exposition;
use crate::wire::accept::Answer;

pub(super) use self::api::rejected;
pub(super) use self::page::Page;

/// A plain request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) head: &'a RequestHead,
    pub(super) body: &'a [u8],
}

/// How things are, as far as answers depend on it.
pub(super) struct Scene<'a> {
    /// The server takes WebSockets: it does not end.
    pub(super) is_ready: bool,
    pub(super) metrics: &'a dyn Fn() -> String,
    pub(super) page: &'a Page,
    pub(super) keys: &'a mut Keys,
    pub(super) now: SystemTime,
}

/// One path that is not a WebSocket's.
struct Route {
    method: &'static str,
    path: &'static str,
    answer: fn(Request<'_>, &mut Scene<'_>) -> Answer,
}

const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/healthz",
        answer: |_, _| text(200, "ok\n"),
    },
    Route {
        method: "GET",
        path: "/readyz",
        answer: |_, scene| {
            if scene.is_ready {
                text(200, "ready\n")
            } else {
                text(503, "the server is shutting down\n")
            }
        },
    },
    Route {
        method: "GET",
        path: "/metrics",
        answer: |_, scene| Answer::Http {
            status: 200,
            headers: content(exposition::CONTENT_TYPE),
            body: (scene.metrics)().into(),
        },
    },
    Route {
        method: "POST",
        path: "/api/login",
        answer: api::login,
    },
    Route {
        method: "POST",
        path: "/api/ticket",
        answer: api::ticket,
    },
];

/// The answer to a plain request; `None` where its path is left to WebSockets.
pub(super) fn answer(request: Request<'_>, path: &str, scene: &mut Scene<'_>) -> Option<Answer> {
    let method = request.head.method.as_str();
    // A HEAD is answered like a GET; hyper leaves out the body.
    let method = if method == "HEAD" { "GET" } else { method };
    let mut here = ROUTES.iter().filter(|route| route.path == path).peekable();
    if let Some(route) = here.peek() {
        let allowed = route.method;
        let answer = here.find(|route| route.method == method);
        return Some(answer.map_or_else(
            || with_header(text(405, "not that method\n"), "Allow", allowed),
            |route| (route.answer)(request, scene),
        ));
    }
    let is_browser =
        values(&request.head.headers, "accept").any(|value| value.contains("text/html"));
    (path == "/" && method == "GET" && is_browser).then(|| Answer::Http {
        status: 200,
        headers: scene.page.headers.clone(),
        body: scene.page.body.clone(),
    })
}

/// An answer in plain text.
pub(super) fn text(status: u16, text: impl Into<Bytes>) -> Answer {
    Answer::Http {
        status,
        headers: content("text/plain; charset=utf-8"),
        body: text.into(),
    }
}

/// The same answer with one header more.
pub(super) fn with_header(mut answer: Answer, name: &str, value: &str) -> Answer {
    if let Answer::Http { headers, .. } | Answer::Upgrade { headers, .. } = &mut answer {
        headers.push((name.to_owned(), value.to_owned()));
    }
    answer
}

fn content(kind: &str) -> Headers {
    vec![("Content-Type".to_owned(), kind.to_owned())]
}
