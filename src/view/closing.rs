//! Why a connection closed, in words: the code by its name, who closed, how long it had been
//! quiet, the reason that was given, and what all that most likely means.

use std::time::Duration;

use crate::model::close::CloseCode;
use crate::model::event::{Close, ClosedBy, Direction};

/// A silence shorter than this says nothing.
const SILENCE: Duration = Duration::from_secs(1);

/// Proxies and load balancers wait longer than this before they drop a quiet connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// `closed 1011 (internal error) by the peer: "boom": the server failed, its log may say how`.
/// `last` is which way the last traffic of the connection went, if there was any.
pub(super) fn sentence(close: &Close, last: Option<Direction>) -> String {
    let mut text = format!("closed {} ({})", close.code, close.code.name());
    match close.by {
        ClosedBy::Peer => text.push_str(" by the peer"),
        ClosedBy::Us => text.push_str(" by us"),
        ClosedBy::Transport => {}
    }
    if close.code == CloseCode::ABNORMAL && close.idle >= SILENCE {
        let seconds = close.idle.as_secs_f64();
        text.push_str(&format!(" after {seconds:.1} s without traffic"));
    }
    if !close.reason.is_empty() {
        text.push_str(&format!(": \"{}\"", close.reason));
    }
    if let Some(meaning) = meaning(close, last) {
        text.push_str(": ");
        text.push_str(&meaning);
    }
    match close.unsent {
        0 => {}
        1 => text.push_str("; 1 message was not sent"),
        many => text.push_str(&format!("; {many} messages were not sent")),
    }
    text
}

fn meaning(close: &Close, last: Option<Direction>) -> Option<String> {
    let text = match (close.by, close.code.0) {
        (ClosedBy::Us, _) if !close.clean => "the peer did not answer our Close",
        (ClosedBy::Us, 1002) => "the peer broke the protocol",
        (ClosedBy::Us, 1007) => "the peer sent text that is not UTF-8",
        (ClosedBy::Us, 1009) => "a message was larger than --max-message-size",
        (ClosedBy::Us, _) => return None,
        (_, 1006) if close.idle >= IDLE_TIMEOUT => return Some(idle_timeout(close.idle)),
        (_, 1006) => match last {
            None => "the peer ended TCP without a Close frame, before a whole message had come",
            Some(Direction::Out) if close.idle < SILENCE => {
                "the peer ended TCP right after our message: it may have crashed or not liked it"
            }
            Some(_) => "the peer ended TCP without a Close frame",
        },
        (_, 1002) => "the peer says that we broke the protocol",
        (_, 1003) => "the peer does not take this kind of message (text or binary)",
        (_, 1007) => "the peer could not read a message as what it should be",
        (_, 1008) => "the peer refused what was sent or who sent it",
        (_, 1009) => "a message was larger than the peer takes",
        (_, 1010) => "the peer needs an extension that was not agreed on",
        (_, 1011) => "the server failed, its log may say how",
        (_, 1012) => "the server restarts, --reconnect comes back to it",
        (_, 1013) => "the server has too much to do, --reconnect tries again later",
        (_, 1014) => "a gateway got no good answer from the server behind it",
        (_, 3000) => "credentials are missing or wrong, see --auth and --bearer",
        (_, 3003) => "the credentials do not allow this",
        _ => return None,
    };
    Some(text.to_owned())
}

/// Idle timeouts are round numbers, but who cut the connection is only known to itself; a
/// heartbeat that is faster than the silence keeps it open whoever it was.
fn idle_timeout(idle: Duration) -> String {
    let heartbeat = match idle.as_secs() {
        0..32 => "mobile",
        32..57 => "standard",
        _ => "alb",
    };
    format!("looks like an idle timeout, try --heartbeat {heartbeat}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::What;
    use crate::view::sample;

    fn close(code: u16, by: ClosedBy, reason: &str, idle: f64) -> Close {
        let event = sample::close(code, by, reason, Duration::from_secs_f64(idle));
        let What::Close(close) = event.what else {
            panic!("a close");
        };
        *close
    }

    #[test]
    fn sentences() {
        use ClosedBy::{Peer, Transport, Us};
        use Direction::{In, Out};
        for (code, by, reason, idle, last, expected) in [
            (
                1000,
                Peer,
                "",
                90.0,
                Some(In),
                "closed 1000 (normal closure) by the peer",
            ),
            (
                1000,
                Us,
                "",
                0.0,
                Some(In),
                "closed 1000 (normal closure) by us",
            ),
            (
                4001,
                Peer,
                "token expired",
                0.0,
                Some(In),
                "closed 4001 (private use) by the peer: \"token expired\"",
            ),
            (
                1011,
                Peer,
                "boom",
                2.0,
                Some(Out),
                "closed 1011 (internal error) by the peer: \"boom\": the server failed, its log may say how",
            ),
            (
                1009,
                Us,
                "",
                0.0,
                Some(In),
                "closed 1009 (message too big) by us: a message was larger than --max-message-size",
            ),
            (
                1006,
                Transport,
                "",
                60.02,
                Some(In),
                "closed 1006 (abnormal closure) after 60.0 s without traffic: looks like an idle timeout, try --heartbeat alb",
            ),
            (
                1006,
                Transport,
                "",
                30.0,
                None,
                "closed 1006 (abnormal closure) after 30.0 s without traffic: looks like an idle timeout, try --heartbeat mobile",
            ),
            (
                1006,
                Transport,
                "",
                3.2,
                Some(Out),
                "closed 1006 (abnormal closure) after 3.2 s without traffic: the peer ended TCP without a Close frame",
            ),
            (
                1006,
                Transport,
                "",
                0.01,
                Some(Out),
                "closed 1006 (abnormal closure): the peer ended TCP right after our message: it may have crashed or not liked it",
            ),
            (
                1006,
                Transport,
                "",
                0.01,
                None,
                "closed 1006 (abnormal closure): the peer ended TCP without a Close frame, before a whole message had come",
            ),
            (
                1011,
                Us,
                "",
                0.0,
                Some(In),
                "closed 1011 (internal error) by us",
            ),
            (
                1006,
                Us,
                "",
                3.0,
                Some(In),
                "closed 1006 (abnormal closure) by us after 3.0 s without traffic: the peer did not answer our Close",
            ),
        ] {
            assert_eq!(sentence(&close(code, by, reason, idle), last), expected);
        }
    }

    #[test]
    fn a_heartbeat_is_faster_than_the_silence() {
        for (idle, heartbeat) in [(20, "mobile"), (40, "standard"), (60, "alb"), (350, "alb")] {
            assert!(idle_timeout(Duration::from_secs(idle)).ends_with(heartbeat));
        }
    }

    #[test]
    fn what_was_not_sent_is_said() {
        let mut close = close(1008, ClosedBy::Peer, "", 0.0);
        close.unsent = 2;
        assert!(sentence(&close, None).ends_with("; 2 messages were not sent"));
    }
}
