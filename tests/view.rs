//! What a run looks like from outside: each event as its NDJSON line, and nothing hostile on a
//! terminal whatever the format.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use wscope::model::close::CloseCode;
use wscope::model::event::{
    Close, ClosedBy, Direction, End, Event, Open, Problem, Refused, RoundTrips, Traffic, What,
};
use wscope::model::frame::{FrameInfo, Opcode};
use wscope::model::handshake::{RequestHead, ResponseHead, Timings};
use wscope::model::message::Message;
use wscope::model::state::ReadyState;
use wscope::text::sanitize::is_hostile;
use wscope::text::style::Style;
use wscope::view::select::{Only, Select};
use wscope::view::{FORMATS, Page, Plan, View};

fn plan(format: &'static str) -> Plan {
    Plan {
        format,
        talk_is_data: false,
        interactive: false,
        data_terminal: false,
        echo_sent: false,
        parse: false,
        ping_pong: false,
        frames: false,
        verbose: false,
        timestamps: false,
        data_style: Style::PLAIN,
        talk_style: Style::PLAIN,
        select: Select::default(),
    }
}

/// A plan that shows all there is.
fn everything(format: &'static str) -> Plan {
    Plan {
        echo_sent: true,
        parse: true,
        ping_pong: true,
        frames: true,
        verbose: true,
        ..plan(format)
    }
}

fn event(what: What) -> Event {
    Event {
        time: SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_000_001),
        at: Duration::from_micros(1_500_002),
        conn: Some(1),
        name: None,
        what,
    }
}

fn message(dir: Direction, message: Message) -> What {
    What::Message {
        dir,
        wire: message.payload.len() as u64 + 2,
        message,
        frames: 1,
        json: None,
    }
}

/// Data and talk of the events.
fn shown(plan: Plan, events: &[Event]) -> (String, String) {
    let mut view = View::new(plan);
    let mut page = Page::default();
    for event in events {
        view.event(event, &mut page);
    }
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(page.data), text(page.talk))
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn timings() -> Timings {
    Timings {
        tcp: Some(Duration::from_micros(1_500)),
        upgrade: Some(Duration::from_millis(2)),
        total: Duration::from_micros(3_500),
        ..Timings::default()
    }
}

/// An event's line, `rest` being what follows the fields that all have in common.
#[track_caller]
fn assert_line(what: What, rest: &str) {
    let name = what.name();
    let (data, talk) = shown(everything("ndjson"), &[event(what)]);
    let expected = format!(
        r#"{{"time":"2023-11-14T22:13:20.000001Z","at":1.500002,"event":"{name}","conn":1,{rest}}}"#
    );
    assert_eq!(data, expected + "\n");
    assert_eq!(talk, "", "NDJSON says it all");
}

#[test]
fn an_opening_as_ndjson() {
    assert_line(
        What::State(ReadyState::Closing),
        r#""state":2,"name":"CLOSING""#,
    );
    assert_line(
        What::Request(Box::new(RequestHead {
            method: "GET".into(),
            target: "/p?token=abc".into(),
            headers: vec![header("Host", "h"), header("Cookie", "a=b")],
        })),
        r#""method":"GET","path":"/p?token=***","headers":[["Host","h"],["Cookie","***"]]"#,
    );
    assert_line(
        What::Response(Box::new(ResponseHead {
            is_http_1_0: false,
            status: 101,
            reason: "Switching Protocols".into(),
            headers: vec![header("Upgrade", "websocket")],
        })),
        r#""status":101,"reason":"Switching Protocols","headers":[["Upgrade","websocket"]]"#,
    );
    assert_line(
        What::Open(Box::new(Open {
            url: "ws://h/p".into(),
            subprotocol: Some("a".into()),
            extensions: vec![],
            peer: "127.0.0.1:80".into(),
            tls: None,
            timings: timings(),
        })),
        concat!(
            r#""url":"ws://h/p","status":101,"subprotocol":"a","extensions":[],"#,
            r#""peer":"127.0.0.1:80","tls":null,"#,
            r#""ms":{"dns":null,"tcp":1.5,"proxy":null,"tls":null,"upgrade":2.0,"total":3.5}"#
        ),
    );
    assert_line(
        What::Refused(Box::new(Refused {
            url: "ws://h/p".into(),
            status: 403,
            reason: "Forbidden".into(),
            headers: vec![header("Set-Cookie", "a=b"), header("Server", "x")],
            body: Bytes::from_static(b"no\xff\n"),
            timings: Timings::default(),
        })),
        concat!(
            r#""url":"ws://h/p","status":403,"headers":[["Set-Cookie","***"],["Server","x"]],"#,
            "\"body\":\"no\u{fffd}\\n\",",
            r#""ms":{"dns":null,"tcp":null,"proxy":null,"tls":null,"upgrade":null,"total":0.0}"#
        ),
    );
    assert_line(
        What::Listening {
            url: "ws://127.0.0.1:1/".into(),
        },
        r#""url":"ws://127.0.0.1:1/""#,
    );
}

#[test]
fn traffic_as_ndjson() {
    assert_line(
        message(Direction::In, Message::text("a\nb")),
        r#""dir":"in","kind":"text","size":3,"data":"a\nb","frames":1,"wire":5"#,
    );
    assert_line(
        message(Direction::Out, Message::binary(&b"\xff\xfe"[..])),
        r#""dir":"out","kind":"binary","size":2,"base64":"//4=","frames":1,"wire":4"#,
    );
    let mut parsed = message(Direction::In, Message::text(r#"{"b":1,"a":[]}"#));
    if let What::Message { message, json, .. } = &mut parsed {
        *json = serde_json::from_slice(&message.payload).ok();
    }
    assert_line(
        parsed,
        concat!(
            r#""dir":"in","kind":"text","size":14,"data":"{\"b\":1,\"a\":[]}","frames":1,"#,
            r#""wire":16,"json":{"b":1,"a":[]}"#
        ),
    );
    assert_line(
        What::Frame {
            dir: Direction::In,
            frame: FrameInfo {
                fin: true,
                rsv: [false, true, false],
                opcode: Opcode::new(3),
                masked: false,
                payload_len: 5,
                wire_len: 7,
            },
        },
        concat!(
            r#""dir":"in","opcode":"reserved","op":3,"fin":true,"rsv":[0,1,0],"masked":false,"#,
            r#""size":5,"wire":7"#
        ),
    );
    assert_line(
        What::Ping {
            dir: Direction::Out,
            payload: Bytes::from_static(b"id"),
        },
        r#""dir":"out","size":2,"data":"id""#,
    );
    assert_line(
        What::Pong {
            dir: Direction::In,
            payload: Bytes::from_static(b"\xff"),
            rtt: Some(Duration::from_micros(1_234)),
        },
        r#""dir":"in","size":1,"base64":"/w==","rtt_ms":1.234"#,
    );
    assert_line(
        What::Dropped {
            count: 3,
            bytes: 40,
            place: "output",
        },
        r#""count":3,"bytes":40,"where":"output""#,
    );
}

#[test]
fn an_ending_as_ndjson() {
    let dropped = Close {
        code: CloseCode(1006),
        reason: String::new(),
        clean: false,
        by: ClosedBy::Transport,
        wire_code: None,
        idle: Duration::from_micros(60_000_250),
        unsent: 2,
    };
    assert_line(
        What::Close(Box::new(dropped)),
        concat!(
            r#""code":1006,"name":"abnormal closure","reason":"","clean":false,"#,
            r#""by":"transport","wire_code":null,"idle_ms":60000.25,"unsent":2"#
        ),
    );
    let ours = Close {
        code: CloseCode(4001),
        reason: "bye \"x\"".into(),
        clean: true,
        by: ClosedBy::Us,
        wire_code: Some(CloseCode(4001)),
        idle: Duration::ZERO,
        unsent: 0,
    };
    assert_line(
        What::Close(Box::new(ours)),
        concat!(
            r#""code":4001,"name":"private use","reason":"bye \"x\"","clean":true,"#,
            r#""by":"us","wire_code":4001,"idle_ms":0.0,"unsent":0"#
        ),
    );
    assert_line(
        What::Error(Box::new(Problem {
            kind: "dns",
            message: "could not resolve h".into(),
            hint: None,
        })),
        r#""kind":"dns","message":"could not resolve h","hint":null"#,
    );
    assert_line(
        What::Retry {
            attempt: 1,
            max: 8,
            delay: Duration::from_micros(1_020_500),
            reason: "closed".into(),
        },
        r#""attempt":1,"max":8,"delay_ms":1020.5,"reason":"closed""#,
    );
    let end = End {
        sent: Traffic {
            messages: 2,
            payload: 10,
            wire: 22,
            text: 2,
            close: 1,
            ..Traffic::default()
        },
        received: Traffic::default(),
        rtt: Some(RoundTrips {
            p50: Duration::from_millis(1),
            p99: Duration::from_millis(2),
            max: Duration::from_millis(3),
        }),
        unsent: 0,
        exit: 8,
    };
    assert_line(
        What::End(Box::new(end)),
        concat!(
            r#""sent":2,"received":0,"bytes":{"sent_payload":10,"sent_wire":22,"#,
            r#""received_payload":0,"received_wire":0},"by_opcode":{"#,
            r#""sent":{"text":2,"binary":0,"ping":0,"pong":0,"close":1},"#,
            r#""received":{"text":0,"binary":0,"ping":0,"pong":0,"close":0}},"#,
            r#""rtt_ms":{"p50":1.0,"p99":2.0,"max":3.0},"unsent":0,"exit":8"#
        ),
    );
}

#[test]
fn a_target_is_named_beside_what_has_a_name_of_its_own() {
    for (what, rest) in [
        (
            What::State(ReadyState::Open),
            r#""target":"eu","state":1,"name":"OPEN"}"#,
        ),
        (
            message(Direction::In, Message::text("")),
            r#""name":"eu","dir":"in","kind":"text","size":0,"data":"","frames":1,"wire":2}"#,
        ),
    ] {
        let mut event = event(what);
        event.name = Some(Arc::from("eu"));
        event.conn = None;
        let (data, _) = shown(plan("ndjson"), &[event]);
        assert!(data.ends_with(&format!("\",{rest}\n")), "{data}");
    }
}

/// One event of each kind that carries what the peer has written.
fn said_by_the_peer(text: &'static str) -> Vec<Event> {
    let bytes = Bytes::from_static(text.as_bytes());
    let head = || vec![header("Server", text), header(text, "x")];
    let open = Open {
        url: format!("ws://h/{text}"),
        subprotocol: Some(text.into()),
        extensions: vec![text.into()],
        peer: text.into(),
        tls: None,
        timings: timings(),
    };
    [
        What::Request(Box::new(RequestHead {
            method: "GET".into(),
            target: text.into(),
            headers: head(),
        })),
        What::Response(Box::new(ResponseHead {
            is_http_1_0: false,
            status: 101,
            reason: text.into(),
            headers: head(),
        })),
        What::Open(Box::new(open)),
        What::Refused(Box::new(Refused {
            url: text.into(),
            status: 403,
            reason: text.into(),
            headers: head(),
            body: bytes.clone(),
            timings: timings(),
        })),
        What::Error(Box::new(Problem {
            kind: "handshake",
            message: text.into(),
            hint: Some(text.into()),
        })),
        message(Direction::In, Message::text(text)),
        message(
            Direction::In,
            Message::text(format!("{{\"{text}\":\"{text}\"}}")),
        ),
        message(Direction::Out, Message::text(text)),
        message(Direction::In, Message::binary(bytes.clone())),
        What::Ping {
            dir: Direction::In,
            payload: bytes.clone(),
        },
        What::Pong {
            dir: Direction::In,
            payload: bytes,
            rtt: None,
        },
        What::Retry {
            attempt: 1,
            max: 2,
            delay: Duration::ZERO,
            reason: text.into(),
        },
        closed(text),
        What::Listening { url: text.into() },
    ]
    .into_iter()
    .map(event)
    .collect()
}

fn closed(reason: &str) -> What {
    What::Close(Box::new(Close {
        code: CloseCode(4000),
        reason: reason.into(),
        clean: true,
        by: ClosedBy::Peer,
        wire_code: Some(CloseCode(4000)),
        idle: Duration::ZERO,
        unsent: 0,
    }))
}

/// The text without the colours that are ours: CSI, numbers and semicolons, `m`.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_digit() && c != ';');
        let end = end.expect("an end of the colour");
        assert_eq!(&after[end..=end], "m", "{text:?}");
        rest = &after[end + 1..];
    }
    plain + rest
}

/// Clear screen, clipboard (OSC 52), a C1 CSI, bidi, zero width, DEL, a title, CR and a tag.
const HOSTILE: &str =
    "A\x1b[2J\x1b]52;c;eA==\x07B\u{9b}2JC\u{202e}D\u{200b}E\x7fF\x1b]0;t\x1b\\G\rH\u{e0041}";

#[test]
fn nothing_that_the_peer_writes_is_obeyed_by_a_terminal() {
    let mut named = said_by_the_peer(HOSTILE);
    for event in &mut named {
        event.name = Some(Arc::from(HOSTILE));
    }
    let events = [said_by_the_peer(HOSTILE), named].concat();
    for format in FORMATS {
        for (interactive, style) in [
            (false, Style::PLAIN),
            (true, Style::PLAIN),
            (true, Style::colourful()),
        ] {
            let mut view = View::new(Plan {
                interactive,
                data_terminal: true,
                data_style: style,
                talk_style: style,
                timestamps: true,
                ..everything(format.name)
            });
            let mut page = Page::default();
            for indented in [true, false] {
                assert_eq!(view.toggle_json(), indented);
                for event in &events {
                    view.event(event, &mut page);
                }
            }
            view.headers(&mut page);
            view.note(HOSTILE, &mut page);
            for bytes in [page.data, page.talk] {
                assert!(!bytes.is_empty(), "{}", format.name);
                let text = String::from_utf8(bytes).unwrap();
                // What the peer wrote comes without the escape, so only our own colours match.
                let text = without_colours(&text);
                let obeyed = text.chars().find(|&c| is_hostile(c) && c != '\n');
                assert_eq!(obeyed, None, "{}: {text:?}", format.name);
            }
        }
    }
}

#[test]
fn a_pipe_gets_messages_byte_for_byte_and_nothing_else() {
    let text = "two\nlines \x1b[31m\u{202e}";
    let events = said_by_the_peer(text);
    let (data, talk) = shown(plan("raw"), &events);
    assert_eq!(data, format!("{text}\n{{\"{text}\":\"{text}\"}}\n{text}\n"));
    assert!(!talk.chars().any(|c| is_hostile(c) && c != '\n'), "{talk}");
    let (with_pings, talk) = shown(everything("raw"), &events);
    assert_eq!(with_pings, data);
    assert!(talk.contains("< ping two\\nlines"), "{talk}");
}

#[test]
fn bytes_that_are_not_text_reach_a_pipe_whole() {
    let mut view = View::new(plan("raw"));
    let mut page = Page::default();
    let payload = &b"\xff\xfe\0\n"[..];
    view.event(
        &event(message(Direction::In, Message::binary(payload))),
        &mut page,
    );
    assert_eq!(page.data, b"\xff\xfe\0\n\n");
}

#[test]
fn pretty_in_a_pipe_is_a_line_a_message_without_colour() {
    let events = [
        event(message(Direction::In, Message::text("a\nb"))),
        event(message(Direction::Out, Message::text("typed"))),
        event(message(Direction::In, Message::text("{\"a\":1}"))),
    ];
    let (data, talk) = shown(plan("pretty"), &events);
    assert_eq!(data, "< a\\nb\n< {\"a\":1}\n");
    assert_eq!(talk, "");
}

#[test]
fn what_was_not_asked_for_is_not_shown() {
    let frame = FrameInfo {
        fin: true,
        rsv: [false; 3],
        opcode: Opcode::TEXT,
        masked: false,
        payload_len: 1,
        wire_len: 3,
    };
    let mut events = said_by_the_peer("x");
    events.push(event(What::Frame {
        dir: Direction::In,
        frame,
    }));
    for format in FORMATS {
        let name = format.name;
        for (plan, is_shown) in [(plan(name), false), (everything(name), true)] {
            let (data, talk) = shown(plan, &events);
            let all = data + &talk;
            for word in ["ping", "pong", "frame"] {
                let found = all.contains(&format!("\"event\":\"{word}\""))
                    || all.contains(&format!("< {word}"));
                assert_eq!(found, is_shown, "{name} {word}: {all}");
            }
            let found = all.contains("\"request\"") || all.contains("> GET x HTTP/1.1");
            assert_eq!(found, is_shown, "{name}: {all}");
        }
    }
}

#[test]
fn only_asks_for_what_it_names() {
    let only = |kinds, format| Plan {
        select: Select {
            only: Some(Only::parse(kinds).unwrap()),
            ..Select::default()
        },
        ..plan(format)
    };
    let events = said_by_the_peer("x");
    assert_eq!(shown(only("ping", "pretty"), &events).0, "< ping x\n");
    // The data is chosen; that a connection ended badly is told in any case.
    let (data, talk) = shown(only("text", "ndjson"), &events);
    assert!(!data.contains("\"event\":\"close\""), "{data}");
    assert_eq!(talk, "");
    let (_, talk) = shown(only("text", "raw"), &events[..13]);
    assert!(talk.contains("closed 4000"), "{talk}");
}

#[test]
fn timestamps_stand_before_each_line() {
    let events = [
        event(message(Direction::In, Message::text("x"))),
        event(closed("")),
    ];
    for format in ["pretty", "raw", "hex"] {
        let plan = Plan {
            timestamps: true,
            interactive: true,
            ..plan(format)
        };
        let (data, talk) = shown(plan, &events);
        for line in [data, talk] {
            // The hour and the minute depend on the time zone.
            let (time, _) = line.split_once(' ').unwrap();
            assert_eq!(time.len(), "14:02:11.340".len(), "{line}");
            assert!(time.ends_with(":20.000"), "{line}");
        }
    }
}
