//! What is recorded, parsed and played again.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::error::ExitCode;
use crate::model::event::{Refused, TlsInfo};
use crate::model::handshake::Timings;
use crate::model::secret::Secret;
use crate::model::secret::known::{Known, Named};
use crate::transcript::incoming::Incoming;
use crate::transcript::matcher::{Context, Files, Matcher};
use crate::transcript::parse::parse;
use crate::transcript::player::{Heard, Next, Player, Settings, Start};
use crate::transcript::program::Program;
use crate::transcript::syntax::{Source, Transcript};
use crate::transcript::variables::{Given, Variables};

fn event(conn: Option<ConnId>, name: Option<&str>, what: What) -> Event {
    Event {
        time: SystemTime::UNIX_EPOCH,
        at: Duration::ZERO,
        conn,
        name: name.map(Into::into),
        what,
    }
}

fn request(conn: ConnId, target: &str, headers: &[(&str, &str)]) -> Event {
    let headers = headers.iter();
    let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let head = RequestHead {
        method: "GET".into(),
        target: target.into(),
        headers: headers.collect(),
    };
    event(Some(conn), None, What::Request(Box::new(head)))
}

fn open(conn: ConnId, name: Option<&str>, url: &str) -> Event {
    let open = Open {
        url: url.into(),
        subprotocol: None,
        extensions: Vec::new(),
        peer: String::new(),
        tls: None,
        timings: Timings::default(),
    };
    event(Some(conn), name, What::Open(Box::new(open)))
}

fn message(conn: ConnId, dir: Direction, message: Message) -> Event {
    let what = What::Message {
        dir,
        message,
        frames: 1,
        wire: 1,
        json: None,
    };
    event(Some(conn), None, what)
}

fn close(conn: ConnId, by: ClosedBy, code: u16, reason: &str) -> Event {
    let code = CloseCode(code);
    let close = Close {
        code,
        reason: reason.into(),
        clean: code != CloseCode(1002),
        by,
        wire_code: code.may_be_sent().then_some(code),
        idle: Duration::ZERO,
        unsent: 0,
    };
    event(Some(conn), None, What::Close(Box::new(close)))
}

fn recorded(events: &[Event], secrets: &mut StandIns) -> String {
    let (mut recorder, mut out) = (Recorder::default(), Vec::new());
    for event in events {
        recorder.event(event, secrets, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// The lines that are not comments.
fn body(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_conversation_as_people_would_write_it() {
    let headers = [
        ("Host", "h"),
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
        ("Sec-WebSocket-Protocol", "chat.v2, chat"),
        ("Origin", "https://h"),
        ("User-Agent", "wscope/0.1.0"),
        ("X-Trace", "{{a}}"),
        ("Authorization", "Bearer hunter2"),
    ];
    let tls = TlsInfo {
        version: String::new(),
        cipher: String::new(),
        subject: None,
        expires: None,
        checked: false,
    };
    let mut opened = open(1, None, "wss://ann:***@h/c?token=***");
    if let What::Open(open) = &mut opened.what {
        open.tls = Some(tls);
    }
    let ping = |dir| What::Ping {
        dir,
        payload: "1".into(),
    };
    let pong = |dir, payload: &'static str| What::Pong {
        dir,
        payload: payload.into(),
        rtt: None,
    };
    let events = [
        request(1, "/c?token=hunter3", &headers),
        opened,
        message(1, Direction::Out, Message::text("{\"type\":\"join\"}")),
        message(1, Direction::In, Message::text("{\"type\":\"joined\"}")),
        message(1, Direction::Out, Message::text("/two\n lines ")),
        message(1, Direction::In, Message::text("{{x}} {not json}")),
        message(1, Direction::In, Message::binary(vec![0, 0xff])),
        message(1, Direction::In, Message::binary(vec![7; 20_000])),
        event(Some(1), None, ping(Direction::In)),
        event(Some(1), None, pong(Direction::Out, "1")),
        event(Some(1), None, ping(Direction::Out)),
        event(Some(1), None, pong(Direction::In, "nobody asked")),
        event(Some(1), None, pong(Direction::In, "1")),
        close(1, ClosedBy::Us, 4000, "bye"),
        request(2, "/", &[]),
        open(2, None, "ws://h/"),
        close(2, ClosedBy::Peer, 1001, ""),
    ];
    let text = recorded(&events, &mut StandIns::default());
    assert!(!text.contains("hunter"), "{text}");
    assert!(text.contains("(header Authorization): --secret authorization=VALUE\n"));
    let hash = "72bdc65b14d1d45eb8ab4f2b7f1d3f5cc28ee7dbfb1f4d36a8a4f8c3bd3b6a4d";
    let shown = body(&text);
    let sha = shown.lines().find(|line| line.contains("sha256:"));
    assert_eq!(sha.unwrap().len(), "< /bin sha256:".len() + hash.len());
    insta::assert_snapshot!(shown);
    assert!(parse(&text, 0).is_ok(), "{text}");
}

#[test]
fn several_targets_have_the_names_of_their_paths() {
    let events = [
        open(1, Some("ws://h:1/chat"), "ws://h:1/chat"),
        open(2, Some("ws://h:2/chat"), "ws://h:2/chat"),
        open(3, Some("ws://h:3/"), "ws://h:3/"),
        message(2, Direction::In, Message::text("two")),
        close(1, ClosedBy::Transport, 1006, ""),
        open(4, Some("ws://h:1/chat"), "ws://h:1/chat"),
    ];
    let text = body(&recorded(&events, &mut StandIns::default()));
    for line in [
        "chat: connect ws://h:1/chat",
        "chat2: connect ws://h:2/chat",
        "h: connect ws://h:3/",
        "chat2< two",
        "chat< /close 1006",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
    }
    assert_eq!(text.matches("chat: connect").count(), 2);
}

#[test]
fn a_server_records_what_its_clients_do() {
    let url = "ws://127.0.0.1:8080/".to_owned();
    let events = [
        event(None, None, What::Listening { url }),
        request(
            1,
            "/room",
            &[
                ("User-Agent", "Mozilla/5.0"),
                ("Sec-Fetch-Mode", "websocket"),
            ],
        ),
        open(1, None, "/room"),
        message(1, Direction::In, Message::text("hello")),
        message(1, Direction::Out, Message::text("hi")),
        close(1, ClosedBy::Us, 1000, ""),
    ];
    let text = body(&recorded(&events, &mut StandIns::default()));
    assert_eq!(
        text,
        "\nclient1: connect ws://127.0.0.1:8080/room\n  compress off\n\
         client1> hello\nclient1< hi\nclient1< /close 1000\n"
    );
}

#[test]
fn a_refused_handshake_is_expected_and_what_answers_a_violation_ends_without_a_close() {
    let refused = Refused {
        url: "ws://h/".into(),
        status: 401,
        reason: "Unauthorized".into(),
        headers: Vec::new(),
        body: Bytes::new(),
        timings: Timings::default(),
    };
    let events = [
        request(1, "/", &[]),
        event(Some(1), None, What::Refused(Box::new(refused))),
        open(2, None, "ws://h/"),
        close(2, ClosedBy::Us, 1002, "reserved bits"),
    ];
    let text = body(&recorded(&events, &mut StandIns::default()));
    assert!(text.contains("< /refused 401\n"), "{text}");
    assert!(text.ends_with("< /close 1006\n"), "{text}");
}

#[test]
fn a_declared_secret_is_a_placeholder_and_what_looks_like_one_is_not() {
    let declared = [Named::declared(
        "pw".to_owned(),
        Secret::new("hunter2".to_owned()),
    )];
    let mut secrets = StandIns::new(&Known::new(declared).unwrap());
    let events = [
        open(1, None, "ws://h/"),
        message(
            1,
            Direction::Out,
            Message::text("{\"p\":\"hunter2\",\"q\":\"{{secret_pw}}\"}"),
        ),
        message(1, Direction::In, Message::binary(&b"hunter2"[..])),
    ];
    let text = recorded(&events, &mut secrets);
    assert!(
        text.contains("> {\"p\":\"{{secret_pw}}\",\"q\":\"{{{{secret_pw}}\"}\n"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!text.contains("68756e74657232"), "{text}");
}

/// What goes over the wire in one of the two directions.
#[derive(Debug, Clone)]
enum Said {
    Out(Message),
    In(Message),
    Ping(Bytes),
}

fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        "[a-z/#<>:= \"'{}\t\r\n\\\\]{0,8}",
        Just("{{x}}".to_owned()),
        Just("\"\"\"".to_owned()),
        Just("end".to_owned()),
        Just("\n".to_owned()),
        "\\PC{0,4}",
    ];
    let json = prop_oneof![
        Just(r#"{"a":[1,"..."],"b":"{{*}}"}"#.to_owned()),
        Just("[ 1e2,\r\n null ]".to_owned()),
        "[a-z{}\"]{0,6}"
            .prop_map(|text| serde_json::json!({"k": text, "{{k}}": [text]}).to_string()),
    ];
    prop_oneof![vec(pieces, 0..5).prop_map(|pieces| pieces.concat()), json]
}

fn said() -> impl Strategy<Value = Said> {
    let message = || {
        prop_oneof![
            3 => text().prop_map(Message::text),
            1 => vec(any::<u8>(), 0..80).prop_map(Message::binary),
        ]
    };
    prop_oneof![
        3 => message().prop_map(Said::Out),
        3 => message().prop_map(Said::In),
        1 => vec(any::<u8>(), 0..4).prop_map(|payload| Said::Ping(payload.into())),
    ]
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> Result<Bytes, String> {
        Err(path.into())
    }
}

/// Plays a transcript against a server that says what it said when it was recorded; what was sent.
fn play(text: &str, said: &[Said]) -> Vec<Message> {
    let statements = parse(text, 0).unwrap_or_else(|wrong| panic!("{text}\n{wrong:#?}"));
    let transcript = Transcript {
        sources: vec![Source::new("t.wst", text)],
        statements,
    };
    let program = Program::new(transcript, []).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    let settings = Settings {
        timeout: Duration::from_secs(1),
        given: Arc::new(Given::default()),
        files: Arc::new(NoFiles),
    };
    let now = Instant::now();
    let start = Start {
        now,
        wall: SystemTime::UNIX_EPOCH,
        seed: 1,
    };
    let mut player = Player::new(Arc::new(program), settings, start);
    let mut sent = Vec::new();
    loop {
        match player.poll(now) {
            Next::Open(id, _) => {
                player.heard(id, Heard::Opened, now);
                for one in said {
                    match one {
                        Said::In(message) => {
                            player.heard(id, Heard::Message(message.clone()), now);
                        }
                        // What is not sent is not answered.
                        Said::Ping(payload)
                            if words(payload, &mut StandIns::default()).is_some() =>
                        {
                            player.heard(id, Heard::Pong(payload.clone()), now);
                        }
                        Said::Ping(_) | Said::Out(_) => {}
                    }
                }
            }
            Next::Send(id, command) => match command {
                crate::model::command::Command::Send(message) => sent.push(message),
                crate::model::command::Command::Close(_) => {
                    let closed = Heard::Closed {
                        code: CloseCode::NORMAL,
                        reason: String::new(),
                        by_us: true,
                    };
                    player.heard(id, closed, now);
                }
                _ => {}
            },
            Next::Wait(_) | Next::Done => break,
        }
    }
    let outcome = player.outcome("t.wst".into(), now);
    assert_eq!(outcome.code(), ExitCode::DONE, "{text}\n{outcome:#?}");
    sent
}

/// A value with strings in it that mean something in an expectation.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::from("...")),
        Just(Value::from("{{*}}")),
        Just(Value::from("{{x:=}}")),
        Just(Value::from("{{{{")),
        Just(Value::from("{")),
        "[a-z{}]{0,4}".prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let inner = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec(("[a-z{}]{0,3}", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    vec(inner, 1..3).prop_map(Value::from)
}

/// The value with its leaf of that number changed; whether there is one.
fn change(value: &mut Value, number: &mut usize) -> bool {
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.iter_mut().any(|item| change(item, number))
        }
        Value::Object(members) if !members.is_empty() => {
            members.values_mut().any(|member| change(member, number))
        }
        leaf if *number == 0 => {
            *leaf = Value::from("something else");
            true
        }
        _ => {
            *number -= 1;
            false
        }
    }
}

proptest! {
    #[test]
    fn what_is_expected_of_json_is_that_value_and_no_other(
        value in json_value(),
        number in 0usize..8,
        spelled in any::<bool>(),
    ) {
        let mut text = value.to_string();
        if spelled {
            text = text.replace("\"{{", "\"\\u007b\\u007B");
        }
        let recorded = expected(&Message::text(text.clone()), &mut StandIns::default());
        let test = Matcher::named(recorded.0).unwrap().compile(&recorded.1).unwrap();
        let mut variables = Variables::fixed();
        let mut context = Context { variables: &mut variables, files: &NoFiles, from: "" };
        let mut holds = |text: String| {
            test.hold(&Incoming::Message(Message::text(text)), &mut context).is_ok()
        };
        prop_assert!(holds(text), "{} {}", recorded.0, recorded.1.raw);
        let mut changed = value;
        if change(&mut changed, &mut number.clone()) {
            prop_assert!(!holds(changed.to_string()), "{} {} for {changed}", recorded.0, recorded.1.raw);
        }
    }
}

proptest! {
    #[test]
    fn what_was_recorded_parses_and_passes_against_an_echo_of_itself(said in vec(said(), 0..8)) {
        let mut events = vec![request(1, "/", &[]), open(1, None, "ws://h/")];
        for one in &said {
            match one {
                Said::Out(said) => events.push(message(1, Direction::Out, said.clone())),
                Said::In(said) => events.push(message(1, Direction::In, said.clone())),
                Said::Ping(payload) => {
                    let ping = What::Ping { dir: Direction::Out, payload: payload.clone() };
                    let pong = What::Pong { dir: Direction::In, payload: payload.clone(), rtt: None };
                    events.extend([ping, pong].map(|what| event(Some(1), None, what)));
                }
            }
        }
        let text = recorded(&events, &mut StandIns::default());
        let sent = play(&text, &said);
        let expected: Vec<Message> = said
            .iter()
            .filter_map(|one| match one {
                Said::Out(message) => Some(message.clone()),
                _ => None,
            })
            .collect();
        prop_assert_eq!(sent, expected, "{}", text);
    }

    #[test]
    fn a_recording_parses_whatever_it_is_of(
        target in "/[!-~é]{0,8}",
        name in "\\PC{0,6}",
        value in "\\PC{0,6}",
        reason in "\\PC{0,8}",
        code in 1000u16..1016,
    ) {
        let events = [
            request(1, &target, &[("X-A", value.as_str()), ("Origin", value.as_str())]),
            open(1, Some(&name), &format!("ws://h{target}")),
            close(1, ClosedBy::Us, code, &reason),
            open(2, Some(&name), "ws://h/"),
            close(2, ClosedBy::Peer, code, &reason),
        ];
        let text = recorded(&events, &mut StandIns::default());
        prop_assert!(parse(&text, 0).is_ok(), "{text}\n{:#?}", parse(&text, 0));
    }
}
