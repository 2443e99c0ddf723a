//! An HTTP answer that comes after the 101: some servers accept the upgrade first and judge the
//! request then, Engine.IO with a version that it does not know among them.
//!
//! `HTTP/` is no frame that a server may send (`H` is a Close in pieces), so the engine reports a
//! violation; this says what it was instead.

use crate::model::event::Problem;

const OPENER: &[u8] = b"HTTP/1.";
/// How much of the answer's body is shown.
const MAX_SHOWN: usize = 200;

/// The problem that `first`, the first bytes after the opening handshake, tell of.
pub(super) fn late_answer(first: &[u8]) -> Option<Problem> {
    if !first.starts_with(OPENER) {
        return None;
    }
    let text = String::from_utf8_lossy(first);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    // Behind the version: the status and its reason.
    let status = head.lines().next().and_then(|line| line.split_once(' '));
    let mut message = format!(
        "after the 101 the server answered HTTP {}",
        status.map_or("", |(_, status)| status.trim())
    );
    let body = body.trim();
    if !body.is_empty() {
        let end = body
            .char_indices()
            .nth(MAX_SHOWN)
            .map_or(body.len(), |(at, _)| at);
        message.push_str(": ");
        message.push_str(&body[..end]);
    }
    let hint = if body.contains("protocol version") {
        "this looks like Engine.IO: try ?EIO=4&transport=websocket in the URL"
    } else {
        "the server accepted the upgrade and refused the request: are path and query right?"
    };
    Some(Problem {
        kind: "handshake",
        message,
        hint: Some(hint.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_from_frames() {
        let engine_io = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n\
            {\"code\":5,\"message\":\"Unsupported protocol version\"}";
        let problem = late_answer(engine_io).unwrap();
        assert_eq!(
            (problem.kind, problem.message.as_str()),
            (
                "handshake",
                "after the 101 the server answered HTTP 400 Bad Request: \
                 {\"code\":5,\"message\":\"Unsupported protocol version\"}"
            )
        );
        assert!(problem.hint.unwrap().contains("EIO=4"));

        let bare = late_answer(b"HTTP/1.1 404").unwrap();
        assert_eq!(bare.message, "after the 101 the server answered HTTP 404");
        assert_eq!(late_answer(b"\x81\x02hi"), None);
        assert_eq!(late_answer(b"H"), None);
    }
}
