use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::message::Message;
use crate::view::sample::{
    self, URL, close, event, message, on, open, plan, problem, received, refused, sent,
};

/// What is said to a pipe, and to a person.
fn said(events: &[Event]) -> (String, String) {
    let say = |interactive| {
        let mut plan = plan("raw");
        plan.interactive = interactive;
        said_with(&plan, events)
    };
    (say(false), say(true))
}

fn said_with(plan: &Plan, events: &[Event]) -> String {
    let mut talk = Talk::new(plan);
    let mut out = Vec::new();
    for event in events {
        talk.event(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

fn retry(max: u32) -> Event {
    event(What::Retry {
        attempt: 1,
        max,
        delay: Duration::from_millis(1020),
        reason: "could not connect".into(),
    })
}

#[test]
fn a_run_without_trouble_is_silent_in_a_pipe() {
    for (code, by) in [
        (1000, ClosedBy::Peer),
        (1001, ClosedBy::Peer),
        (1005, ClosedBy::Peer),
        (1000, ClosedBy::Us),
        (4001, ClosedBy::Us),
    ] {
        let bye = close(code, by, "", Duration::ZERO);
        let (pipe, person) = said(&[open(), received("x"), sent("y"), bye]);
        assert_eq!(pipe, "");
        assert!(person.starts_with(&format!("connected to {URL} in 3.0ms\nclosed {code} (")));
    }
}

#[test]
fn a_close_that_is_not_ordinary_is_one_line() {
    let idle = Duration::from_millis(60_013);
    let cut = close(1006, ClosedBy::Transport, "", idle);
    let line = "closed 1006 (abnormal closure) after 60.0 s without traffic: \
                looks like an idle timeout, try --heartbeat alb\n";
    let (pipe, person) = said(&[open(), received("x"), cut]);
    assert_eq!(pipe, format!("wscope: {line}"));
    assert!(person.ends_with(&format!("in 3.0ms\n{line}")));
}

#[test]
fn traffic_of_another_connection_explains_nothing() {
    let mut other = sent("x");
    other.conn = Some(2);
    let cut = close(1006, ClosedBy::Transport, "", Duration::ZERO);
    assert!(
        said(&[open(), sent("x"), cut.clone()])
            .0
            .contains("right after our message")
    );
    assert!(
        said(&[open(), other, cut.clone()])
            .0
            .contains("before a whole message")
    );
    assert!(
        said(&[sent("x"), open(), cut])
            .0
            .contains("before a whole message")
    );
}

#[test]
fn what_is_agreed_on_is_told() {
    let mut open = open();
    if let What::Open(open) = &mut open.what {
        open.subprotocol = Some("json.v2".into());
        open.extensions = vec!["permessage-deflate".into()];
    }
    let (_, person) = said(&[open]);
    let expected =
        format!("connected to {URL} (subprotocol json.v2, permessage-deflate) in 3.0ms\n");
    assert_eq!(person, expected);
}

#[test]
fn an_error_has_its_hint_and_explains_the_close() {
    let error = problem(
        "protocol",
        "the peer sent a masked frame",
        Some("read RFC 6455"),
    );
    let bye = close(1002, ClosedBy::Us, "", Duration::ZERO);
    let (pipe, person) = said(&[error, bye]);
    assert_eq!(
        pipe,
        "wscope: the peer sent a masked frame\n  hint: read RFC 6455\n"
    );
    assert_eq!(
        person,
        "error: the peer sent a masked frame\n  hint: read RFC 6455\n\
         closed 1002 (protocol error) by us: the peer broke the protocol\n"
    );
}

#[test]
fn a_broken_connection_is_told_with_its_close() {
    let error = problem("closed", "the connection broke: connection reset", None);
    let cut = close(1006, ClosedBy::Transport, "", Duration::from_secs(60));
    let (pipe, _) = said(&[open(), error, cut]);
    let lines: Vec<&str> = pipe.lines().collect();
    assert_eq!(lines[0], "wscope: the connection broke: connection reset");
    assert!(
        lines[1].contains("closed 1006") && lines[1].contains("60.0 s"),
        "{pipe}"
    );
}

#[test]
fn an_error_of_one_target_explains_nothing_of_another() {
    let named = |name: &str, mut event: Event| {
        event.name = Some(Arc::from(name));
        event
    };
    let error = named("a", problem("protocol", "x", None));
    let cut = |name| named(name, close(1006, ClosedBy::Transport, "", Duration::ZERO));
    assert_eq!(said(&[error.clone(), cut("a")]).0, "wscope: a x\n");
    assert_eq!(said(&[error, cut("b")]).0.lines().count(), 2);
}

#[test]
fn a_retry_gives_its_reason_once() {
    let cut = close(1011, ClosedBy::Peer, "", Duration::ZERO);
    let (pipe, person) = said(&[cut, retry(8), retry(u32::MAX)]);
    let expected = "closed 1011 (internal error) by the peer: the server failed, its log may say how\n\
                    retry 1 of 8 in 1.02s\n\
                    retry 1 in 1.02s: could not connect\n";
    assert_eq!(person, expected);
    assert_eq!(
        pipe.lines()
            .filter(|line| line.starts_with("wscope: "))
            .count(),
        3
    );
}

#[test]
fn a_refusal_shows_what_the_server_said() {
    let headers = [
        ("Server", "nginx"),
        ("Date", "today"),
        ("Location", "/login?token=abc&a=1"),
        ("Set-Cookie", "id=1"),
    ];
    let refusal = refused(403, &headers, b"<h1>no</h1>\r\n\r\n\x1b[31mgo away\n");
    let error = problem(
        "refused",
        "x refused the handshake: HTTP 403",
        Some("try -o"),
    );
    let (pipe, _) = said(&[refusal, error]);
    assert_eq!(
        pipe,
        "wscope: ws://127.0.0.1:9001/chat refused the handshake: HTTP 403 Forbidden\n\
         \x20 Server: nginx\n\
         \x20 Location: /login?token=***&a=1\n\
         \x20 | <h1>no</h1>\n\
         \x20 | \\x1b[31mgo away\n\
         \x20 hint: try -o\n"
    );
}

#[test]
fn only_the_start_of_a_body_is_shown() {
    static LONG: [u8; 4_096] = [b'x'; 4_096];
    static MANY: [u8; 100] = *b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\no\np\nq\nr\ns\nt\nu\nv\nw\nx\ny\nz\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\no\np\nq\nr\ns\nt\nu\nv\nw\nx\n";
    let (pipe, _) = said(&[refused(500, &[], &LONG)]);
    assert!(
        pipe.len() < 400 && pipe.ends_with("  | ... (4.1 kB in all)\n"),
        "{pipe}"
    );
    let (pipe, _) = said(&[refused(500, &[], &MANY)]);
    assert!(pipe.ends_with("  | h\n  | ... (100 B in all)\n"), "{pipe}");
    assert!(!said(&[refused(500, &[], b"short")]).0.contains("..."));
}

#[test]
fn verbose_shows_the_handshake_both_ways_without_secrets() {
    let headers = |list: &[(&str, &str)]| {
        list.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let request = What::Request(Box::new(RequestHead {
        method: "GET".into(),
        target: "/chat?token=abc".into(),
        headers: headers(&[("Host", "h"), ("Authorization", "Basic abc")]),
    }));
    let response = What::Response(Box::new(ResponseHead {
        is_http_1_0: true,
        status: 101,
        reason: "Switching Protocols".into(),
        headers: headers(&[("Set-Cookie", "id=1"), ("X", "a\x1b]0;b")]),
    }));
    let events = [event(request), event(response)];
    let expected = "> GET /chat?token=*** HTTP/1.1\n> Host: h\n> Authorization: ***\n>\n\
                    < HTTP/1.0 101 Switching Protocols\n< Set-Cookie: ***\n< X: a\\x1b]0;b\n<\n";
    assert_eq!(said(&events), (String::new(), String::new()));
    let mut plan = plan("raw");
    plan.verbose = true;
    assert_eq!(said_with(&plan, &events), expected);

    plan.verbose = false;
    let mut talk = Talk::new(&plan);
    let mut out = Vec::new();
    talk.headers(&mut out);
    assert_eq!(out, b"wscope: there was no handshake yet\n");
    out.clear();
    for event in &events {
        talk.event(event, &mut out);
    }
    talk.headers(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn engine_io_is_recognized_in_the_first_message_only() {
    let hello = received(r#"0{"sid":"abc","upgrades":[]}"#);
    let (pipe, _) = said(&[open(), hello.clone(), hello.clone()]);
    assert_eq!(pipe.matches("Engine.IO").count(), 1, "{pipe}");
    assert_eq!(said(&[open(), received("x"), hello]).0, "");
    let out = event(message(Direction::Out, Message::text(r#"0{"sid""#)));
    assert_eq!(said(&[out]).0, "");
}

#[test]
fn a_server_tells_its_url_and_its_clients_apart() {
    let listening = Event {
        conn: None,
        ..event(What::Listening {
            url: "ws://127.0.0.1:1/".into(),
        })
    };
    let mut second = open();
    second.conn = Some(2);
    let bye = close(1000, ClosedBy::Peer, "bye", Duration::ZERO);
    let (pipe, person) = said(&[listening, second, on(2, bye.what)]);
    assert_eq!(pipe, person);
    assert_eq!(
        pipe,
        "listening on ws://127.0.0.1:1/\n\
         #2 connected from 127.0.0.1:9001 at ws://127.0.0.1:9001/chat\n\
         #2 closed 1000 (normal closure) by the peer: \"bye\"\n"
    );
}

#[test]
fn several_targets_are_told_apart_by_name() {
    let mut cut = close(1013, ClosedBy::Peer, "", Duration::ZERO);
    cut.name = Some(Arc::from("eu"));
    let (pipe, _) = said(&[cut]);
    assert!(
        pipe.starts_with("wscope: eu closed 1013 (try again later)"),
        "{pipe}"
    );
}

#[test]
fn what_was_dropped_is_told() {
    let dropped = event(What::Dropped {
        count: 1200,
        bytes: 4_100,
        place: "terminal",
    });
    let (pipe, _) = said(&[dropped]);
    assert_eq!(pipe, "wscope: dropped 1,200 messages (4.1 kB): terminal\n");
}

#[test]
fn stats_are_three_lines() {
    let mut totals = crate::view::totals::Totals::default();
    for event in [
        sent("ab"),
        received("abc"),
        sample::pong(b"", Some(Duration::from_millis(20))),
    ] {
        totals.observe(&event);
    }
    assert_eq!(
        stats(&totals.end(crate::error::ExitCode::DONE)),
        [
            "received 1 message, 3 B (5 B on the wire); 0 pings, 1 pong",
            "sent 1 message, 2 B (4 B on the wire); 0 pings, 0 pongs",
            "round trip p50 20ms, p99 20ms, max 20ms",
        ]
    );
}

#[test]
fn stats_tell_how_well_messages_were_compressed() {
    let mut totals = crate::view::totals::Totals::default();
    let mut compressed = message(Direction::In, Message::text("a".repeat(1000)));
    if let What::Message { wire, .. } = &mut compressed {
        *wire = 80;
    }
    totals.observe(&event(compressed));
    let lines = stats(&totals.end(crate::error::ExitCode::DONE));
    assert_eq!(
        lines[0],
        "received 1 message, 1.0 kB (80 B on the wire, 12.5:1); 0 pings, 0 pongs"
    );
}
