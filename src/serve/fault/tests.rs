//! The registry, and what becomes of faults on a connection, as scenarios.

use std::fmt::Write as _;

use super::*;
use crate::model::event::{Direction, What};
use crate::model::handshake::RequestHead;
use crate::model::message::Message;
use crate::model::state::ReadyState;
use crate::serve::queue::Order;
use crate::wire::accept::Answer;

fn plan(faults: &[&str]) -> Arc<Faults> {
    let faults = faults.iter().map(|text| text.parse().unwrap()).collect();
    Faults::new(&Plan { faults, seed: 7 }).unwrap()
}

/// A connection to `/`, and when it opened.
fn open(faults: &Arc<Faults>) -> (Course, Instant, Vec<Hit>) {
    let now = Instant::now();
    let mut course = faults.attempt("/", now).expect("a fault concerns it");
    let hits = course.opened(now);
    (course, now, hits)
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn received(text: &str) -> What {
    What::Message {
        dir: Direction::In,
        message: Message::text(text),
        frames: 1,
        wire: 0,
        json: None,
    }
}

fn send(text: &str) -> Order {
    Order::Command(Command::Send(Message::text(text)))
}

/// What leaves by then.
fn leaves(course: &mut Course, now: Instant) -> String {
    let mut text = String::new();
    while let Some(order) = course.ready(now, |_| true) {
        match (order.message(), order) {
            (Some(message), _) => text += &message.as_text().unwrap(),
            (None, Order::Bytes { bytes, sent }) => {
                let _ = write!(text, "{bytes:?}{}", if sent.is_some() { "!" } else { "" });
            }
            (None, order) => text += &format!("{order:?}"),
        }
        text.push(' ');
    }
    text
}

/// What leaves at once of `a b c ...`.
fn sent(course: &mut Course, count: u8, now: Instant) -> String {
    for letter in (b'a'..).take(count.into()) {
        course.send(send(&char::from(letter).to_string()), now);
    }
    leaves(course, now)
}

fn close(code: u16) -> Act {
    use crate::model::close::CloseCode;
    Act::Command(Command::Close(Some(CloseFrame::bare(CloseCode(code)))))
}

fn acts(hits: Vec<Hit>) -> Vec<Act> {
    hits.into_iter().flat_map(|hit| hit.acts).collect()
}

fn detail(told: Option<&What>) -> &str {
    match told {
        Some(What::Fault { detail, .. }) => detail,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fault_has_a_name_of_its_own_and_its_presets_are_faults() {
    let mut names: Vec<_> = entries().map(|entry| entry.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    let list = list();
    for entry in entries() {
        assert!(
            list.contains(&format!("\n  {} ", entry.spelling())),
            "{entry:?}"
        );
    }
    for family in [presets::FAMILY] {
        for entry in family.faults {
            let preset: Fault = format!("{}:path=/a", entry.name).parse().unwrap();
            let Effect::Preset(faults) = preset.effect else {
                panic!("{preset:?}");
            };
            let expanded = preset.expanded();
            assert_eq!(expanded.len(), faults.len(), "one does not parse: {preset}");
            for (fault, text) in expanded.iter().zip(faults) {
                assert_eq!(fault.to_string(), format!("{text}:path=/a"));
            }
        }
    }
}

#[test]
fn what_is_wrong_is_said_with_a_caret() {
    for (text, at, part) in [
        (
            "clse=1000",
            0,
            "there is no fault \"clse\": did you mean close?",
        ),
        ("xyz", 0, "there is no fault \"xyz\"\n"),
        ("close", 5, "close takes CODE[,REASON]: close=CODE[,REASON]"),
        ("close=1005", 6, "bad-close=1005 sends it"),
        ("close=99", 6, "from 1000 to 4999"),
        ("bad-close=1000", 10, "close=1000 does"),
        ("cut=1", 4, "cut takes no argument"),
        ("close=1000,a,b", 13, "close takes 2 arguments"),
        ("delay", 5, "delay takes TIME"),
        ("delay=soon", 6, "is not a duration"),
        ("delay=1s,x", 9, "is not a duration"),
        ("refuse=99", 7, "from 200 to 599"),
        ("refuse=503@3msg", 11, "takes no @WHEN"),
        ("lose@close", 5, "none are sent after a Close"),
        ("wifi@5s", 5, "takes no @WHEN"),
        ("wifi:p=0.1", 4, "no key but path="),
        ("opcode=1", 7, "3 to 7 or 11 to 15"),
        ("reorder=1", 8, "from 2 to 1000"),
        ("slice=0", 6, "from 1"),
        ("redirect=\"a\nb\"", 9, "may not be in a header"),
    ] {
        let wrong = text.parse::<Fault>().unwrap_err();
        assert_eq!(wrong.wrong.at, at, "{wrong}");
        let said = wrong.to_string();
        assert!(said.contains(part) && said.contains('^'), "{text}: {said}");
        assert!(said.ends_with("--list-faults tells them all"), "{said}");
    }
}

#[test]
fn faults_strike_when_they_are_to() {
    let faults = plan(&[
        "close=4000@open",
        "close=4001@2msg",
        "close=4002@5s",
        "close=4003@close",
    ]);
    let (mut course, start, hits) = open(&faults);
    assert_eq!(detail(hits[0].told.as_ref()), "close=4000@open");
    assert_eq!(acts(hits), [close(4000)]);
    assert_eq!(acts(course.heard(&received("one"), start)), []);
    assert_eq!(acts(course.heard(&received("two"), start)), [close(4001)]);
    assert_eq!(acts(course.heard(&received("three"), start)), []);
    assert_eq!(course.deadline(), Some(start + ms(5000)));
    assert_eq!(acts(course.due(start + ms(4999))), []);
    assert_eq!(acts(course.due(start + ms(5000))), [close(4002)]);
    assert_eq!(course.deadline(), None);
    let closing = What::State(ReadyState::Closing);
    assert_eq!(acts(course.heard(&closing, start)), [close(4003)]);
}

#[test]
fn a_regex_strikes_at_each_message_that_matches() {
    let faults = plan(&["bad-utf8@/^b/"]);
    let (mut course, now, _) = open(&faults);
    let hits = ["abc", "bcd", "cb", "b"].map(|text| course.heard(&received(text), now).len());
    assert_eq!(hits, [0, 1, 0, 1]);
}

#[test]
fn every_counts_messages_or_attempts() {
    let faults = plan(&["bad-utf8@2msg:every=3"]);
    let (mut course, now, _) = open(&faults);
    let hits: Vec<usize> = (0..8)
        .map(|_| course.heard(&received("x"), now).len())
        .collect();
    assert_eq!(hits, [0, 1, 0, 0, 1, 0, 0, 1]);

    let (mut course, now, _) = open(&plan(&["lose:every=3"]));
    assert_eq!(sent(&mut course, 7, now), "a b d e g ");

    let faults = plan(&["cut:every=2"]);
    let concerned: Vec<bool> = (0..4).map(|_| faults.attempt("/", now).is_some()).collect();
    assert_eq!(concerned, [false, true, false, true]);
}

#[test]
fn only_the_connections_that_are_named_are_concerned_and_times_counts_for_all() {
    let now = Instant::now();
    let faults = plan(&["cut:conn=2-3:path=/a"]);
    let paths = ["/a", "/a", "/b", "/a"];
    let concerned = paths.map(|path| faults.attempt(path, now).is_some());
    assert_eq!(concerned, [false, true, false, false]);

    let faults = plan(&["cut:times=2"]);
    let struck: Vec<usize> = (0..4).map(|_| open(&faults).2.len()).collect();
    assert_eq!(struck, [1, 1, 0, 0]);
}

#[test]
fn chance_is_the_same_with_the_same_seed() {
    let draw = |seed| {
        let faults = vec![
            "lose:p=0.5".parse().unwrap(),
            "corrupt:p=0.5".parse().unwrap(),
        ];
        let faults = Faults::new(&Plan { faults, seed }).unwrap();
        let (mut course, now, _) = open(&faults);
        sent(&mut course, 20, now)
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let kept = draw(1).len() / 2;
    assert!((1..20).contains(&kept), "{kept} of 20");
    let never = plan(&["lose:p=0"]);
    let (mut course, now, _) = open(&never);
    assert_eq!(sent(&mut course, 3, now), "a b c ");
}

#[test]
fn messages_are_lost_doubled_and_put_in_another_order() {
    let (mut course, now, _) = open(&plan(&["lose@2msg"]));
    assert_eq!(sent(&mut course, 3, now), "a c ");
    let told = course.take_told();
    assert_eq!(detail(told.first()), "lose@2msg: message 2");
    assert_eq!(told.len(), 1);

    let (mut course, now, _) = open(&plan(&["dup@/b/"]));
    assert_eq!(sent(&mut course, 3, now), "a b b c ");

    let (mut course, now, _) = open(&plan(&["reorder=3"]));
    assert_eq!(sent(&mut course, 4, now), "c b a ");
    assert_eq!(course.deadline(), Some(now + ms(1000)));
    assert_eq!(leaves(&mut course, now + ms(1000)), "d ");
    assert_eq!(sent(&mut course, 1, now), "");
    course.send(Order::Command(Command::Close(None)), now);
    assert_eq!(leaves(&mut course, now), "a Command(Close(None)) ");
}

#[test]
fn delays_keep_the_order_and_everything_leaves_behind_them() {
    let (mut course, now, _) = open(&plan(&["delay=200ms@2msg"]));
    assert_eq!(sent(&mut course, 3, now), "a ");
    course.send(Order::Command(Command::Close(None)), now);
    assert_eq!(course.deadline(), Some(now + ms(200)));
    assert_eq!(leaves(&mut course, now + ms(199)), "");
    assert_eq!(
        leaves(&mut course, now + ms(200)),
        "b c Command(Close(None)) "
    );

    let (mut course, now, _) = open(&plan(&["delay=100ms,50ms"]));
    for round in 0..20 {
        let now = now + ms(1000 * round);
        course.send(send("x"), now);
        let due = course.deadline().unwrap() - now;
        assert!((ms(100)..=ms(150)).contains(&due), "{due:?}");
        assert_eq!(leaves(&mut course, now + ms(150)), "x ");
    }
}

#[test]
fn what_waits_is_bounded_and_given_up_with_the_connection() {
    let (mut course, now, _) = open(&plan(&["delay=1m"]));
    let large = Order::Command(Command::Send(Message::binary(vec![0; 600_000])));
    course.send(large.clone(), now);
    assert!(course.has_room());
    course.send(large, now);
    assert!(!course.has_room());
    course.give_up();
    assert!(course.has_room() && course.deadline().is_none());
}

#[test]
fn a_text_that_is_corrupted_is_another_text() {
    let (mut course, now, _) = open(&plan(&["corrupt"]));
    for text in ["a", "naïve café", "日本語", "\u{1F600}"] {
        for _ in 0..50 {
            course.send(send(text), now);
            let order = course.ready(now, |_| true).unwrap();
            let message = order.message().unwrap();
            let changed = std::str::from_utf8(&message.payload).expect("UTF-8");
            assert_ne!(changed, text);
            assert_eq!(changed.len(), text.len());
        }
    }
    course.send(send(""), now);
    assert_eq!(leaves(&mut course, now), " ");
}

#[test]
fn a_message_in_fragments_is_told_with_the_last() {
    let (mut course, now, _) = open(&plan(&["fragment=2"]));
    course.send(send("hello"), now);
    course.send(send(""), now);
    assert_eq!(
        leaves(&mut course, now),
        r#"b"\x01\x02he" b"\0\x02ll" b"\x80\x01o"! b"\x81\0"! "#
    );
}

#[test]
fn a_flood_keeps_its_rate_and_an_idle_connection_is_cut() {
    let (mut course, start, hits) = open(&plan(&["ping-flood=10/s"]));
    assert_eq!(
        (hits.len(), acts(hits).len()),
        (1, 0),
        "it is told when it begins"
    );
    assert_eq!(course.deadline(), Some(start + ms(100)));
    assert_eq!(acts(course.due(start + ms(350))).len(), 3);
    assert_eq!(course.deadline(), Some(start + ms(400)));
    let late = course.due(start + ms(1_000_000));
    assert!(late[0].told.is_none() && acts(late).len() <= 1000);

    let (mut course, start, hits) = open(&plan(&["idle-cut=60s"]));
    assert_eq!(hits, []);
    course.heard(&received("x"), start + ms(30_000));
    assert_eq!(course.deadline(), Some(start + ms(90_000)));
    assert_eq!(course.due(start + ms(60_000)), []);
    course.send(send("y"), start + ms(70_000));
    assert_eq!(course.due(start + ms(90_000)), []);
    let hits = course.due(start + ms(130_000));
    assert_eq!(detail(hits[0].told.as_ref()), "idle-cut=60s");
    assert_eq!(acts(hits), [Act::Line(Strain::Cut)]);
}

#[test]
fn no_heartbeat_of_ours_ends_a_stall() {
    let (_, _, hits) = open(&plan(&["stall"]));
    assert_eq!(acts(hits), [Act::WithholdPings, Act::Line(Strain::Stall)]);
}

#[test]
fn a_wrong_pong_is_never_the_right_one() {
    let (mut course, now, hits) = open(&plan(&["wrong-pong"]));
    assert_eq!(acts(hits), [Act::WithholdPongs]);
    for payload in ["", "1", "wrong"] {
        let ping = What::Ping {
            dir: Direction::In,
            payload: payload.into(),
        };
        let acts = acts(course.heard(&ping, now));
        let [Act::Command(Command::Pong(pong))] = &acts[..] else {
            panic!("{acts:?}");
        };
        assert_ne!(pong, payload);
    }
}

#[test]
fn an_answer_is_changed_and_a_refusal_is_the_last_word() {
    let now = Instant::now();
    let answered = |faults: &[&str]| {
        let mut course = plan(faults).attempt("/", now).unwrap();
        let given = Answer::Upgrade {
            subprotocol: Some("chat".into()),
            headers: Vec::new(),
        };
        let (answer, hits) = course.answer(given, &RequestHead::default(), now);
        (answer, hits.len())
    };
    let (answer, hits) = answered(&["refuse=503", "hang"]);
    assert!(matches!(answer, Answer::Http { status: 503, .. }) && hits == 1);
    assert!(matches!(answered(&["hang"]).0, Answer::Silence));
    let (answer, hits) = answered(&[
        "no-upgrade",
        "add-protocol=other",
        "early-frame=hi",
        "http-after-101",
    ]);
    let Answer::Spelled { headers, behind } = answer else {
        panic!("{answer:?}");
    };
    let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "connection",
            "sec-websocket-accept",
            "sec-websocket-protocol"
        ]
    );
    assert_eq!(headers[2].1, "other");
    assert!(behind.starts_with(b"\x81\x02hiHTTP/1.1 200 OK\r\n") && hits == 4);
    let mut course = plan(&["drip=10ms"]).attempt("/", now).unwrap();
    let given = Answer::Silence;
    let (_, hits) = course.answer(given, &RequestHead::default(), now);
    let pace = Strain::Pace {
        bytes: 1,
        gap: ms(10),
    };
    assert_eq!(acts(hits), [Act::Line(pace)], "it begins before the answer");
}
