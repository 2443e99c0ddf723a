use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::model::event::Close;
use crate::model::message::Message;
use crate::model::state::ReadyState;

fn text(payload: &str) -> What {
    message(Direction::In, Message::text(payload))
}

fn message(dir: Direction, message: Message) -> What {
    What::Message {
        dir,
        message,
        frames: 1,
        wire: 0,
        json: None,
    }
}

fn ping(payload: &'static str) -> What {
    What::Ping {
        dir: Direction::In,
        payload: Bytes::from(payload),
    }
}

fn close(code: u16, by: ClosedBy) -> What {
    What::Close(Box::new(Close {
        code: CloseCode(code),
        reason: "hello".into(),
        clean: true,
        by,
        wire_code: None,
        idle: Duration::ZERO,
        unsent: 0,
    }))
}

fn matches(filter: &str, what: &What) -> bool {
    Predicate::parse(filter).unwrap().matches(what)
}

#[test]
fn tests_of_messages() {
    let order = text(r#"{"id":7,"user":{"name":"Ann B"},"tags":["x",null],"n":"7","f":1.0}"#);
    for (filter, expected) in [
        ("Ann", true),
        (r#""Ann B""#, true),
        ("ann", false),
        ("/(?i)ann b/", true),
        (r"/\d,/", true),
        (r#"/^\{.*\}$/"#, true),
        (r"/a\/b/", false),
        ("json:", true),
        ("json:/id", true),
        ("json:/id=7", true),
        (r#"json:/id="7""#, false),
        ("json:/n=7", true),
        (r#"json:/n="7""#, true),
        ("json:/f=1", true),
        ("json:/id=7.0", true),
        ("json:/id=8", false),
        ("json:/user/name=Ann", false),
        (r#"json:/user/name="Ann B""#, true),
        (r#"json:"/user/name"="Ann B""#, true),
        (r#"json:/user={"name": "Ann B"}"#, true),
        (r#"json:/tags=["x",null]"#, true),
        ("json:/tags/1=null", true),
        ("json:/tags/2", false),
        ("json:/nowhere", false),
        ("op:text", true),
        ("op:binary", false),
        ("dir:in", true),
        ("dir:out", false),
        ("size>60", true),
        ("size>1k", false),
        ("size<=1KiB", true),
        ("size=0", false),
        ("code:1000", false),
    ] {
        assert_eq!(matches(filter, &order), expected, "{filter}");
    }
    assert!(matches("size=0", &text("")));
    assert!(matches("size>=1k & size<1.1k", &text(&"x".repeat(1000))));
    assert!(!matches("json:", &text("not json")));
    let binary = message(Direction::Out, Message::binary(&b"\xff\0needle\xfe"[..]));
    assert!(matches("needle & dir:out & op:binary & !json:", &binary));
}

#[test]
fn not_binds_before_and_before_or() {
    for (filter, expected) in [
        ("!b", true),
        ("!a", false),
        ("a & b", false),
        ("a | b & c", true),
        ("(a | b) & c", false),
        ("!b & a", true),
        ("!(b & a)", true),
        ("!!a", true),
        ("a&!b|c", true),
    ] {
        assert_eq!(matches(filter, &text("a")), expected, "{filter}");
    }
}

#[test]
fn text_asks_nothing_about_control_frames_and_codes_nothing_about_messages() {
    for filter in [
        "hello",
        "!hello",
        "/hello/",
        "!/x/",
        "json:",
        "!json:",
        "code:1000",
    ] {
        assert!(!matches(filter, &ping("hello")), "{filter}");
    }
    assert!(!matches("hello", &close(1000, ClosedBy::Peer)));
    assert!(!matches("size>0 | !size>0", &close(1000, ClosedBy::Peer)));
    assert!(!matches("!code:1000", &text("hello")));
    assert!(matches("!code:1000", &close(1006, ClosedBy::Transport)));
    assert!(matches("op:ping | x", &ping("x")));
    assert!(matches("op:ping & size=5", &ping("hello")));
    assert!(!matches("op:ping & hello", &ping("hello")));
    assert!(matches("code:1006 | done", &text("done")));
    assert!(matches("dir:out & op:close", &close(1000, ClosedBy::Us)));
}

#[test]
fn only_traffic_is_matched() {
    let state = What::State(ReadyState::Open);
    assert!(!matches("!op:text", &state));
    assert!(!matches("dir:in | !dir:in", &state));
}

#[test]
fn a_direction_is_found_wherever_it_stands() {
    for (filter, named) in [("a & !(b | dir:out)", true), ("a | /dir:in/", false)] {
        assert_eq!(
            Predicate::parse(filter).unwrap().names_direction(),
            named,
            "{filter}"
        );
    }
}

#[test]
fn words_that_only_look_like_tests_are_text() {
    for (filter, shown) in [
        ("id:7", r#""id:7""#),
        ("size", r#""size""#),
        ("sized>1", r#""sized>1""#),
        ("hello!", r#""hello!""#),
        (r#"{"id":1}"#, r#""{\"id\":1}""#),
        ("a b", ""),
    ] {
        match Predicate::parse(filter) {
            Ok(predicate) => assert_eq!(predicate.to_string(), shown),
            Err(error) => assert!(shown.is_empty(), "{error}"),
        }
    }
}

#[test]
fn an_error_points_at_its_place() {
    for (filter, caret, part) in [
        ("", 0, "empty"),
        ("  ", 2, "empty"),
        ("a |", 3, "a test is expected"),
        ("a | & b", 4, "a test is expected"),
        ("a b", 2, "needs quotes"),
        ("(a | b", 0, "never closed"),
        ("ü)", 1, "never opened"),
        ("a & \"b", 4, "no end"),
        ("a & /b", 4, "no /"),
        ("/a/i", 3, "(?i)"),
        ("/(/", 0, "unclosed group"),
        ("op:foo", 0, "text, binary, ping, pong or close"),
        ("dir:up", 0, "in or out"),
        ("code:x", 0, "close code"),
        ("code:70000", 0, "close code"),
        ("size>big", 0, "not a size"),
        ("json:id=7", 5, "begins with /"),
        ("json:/id=", 9, "a value"),
        ("json:/id=[1", 9, "no end"),
        (r#""\x""#, 0, "not JSON"),
    ] {
        let shown = Predicate::parse(filter).unwrap_err().to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].contains(part), "{filter:?}: {shown}");
        assert_eq!(lines[2], format!("  {}^", " ".repeat(caret)), "{shown}");
        assert!(lines[3].contains("json:/pointer=value"));
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Predicate::parse(&deep(60)).is_ok());
    for filter in [deep(100_000), "!".repeat(100_000)] {
        assert!(Predicate::parse(&filter).is_err());
    }
    // Long is not deep.
    assert!(Predicate::parse(&vec!["op:ping"; 10_000].join("|")).is_ok());
}

/// Any text that a filter can hold. Compiled patterns are compared by their source.
fn any_test() -> impl Strategy<Value = Test> {
    let pattern = |source: String, regex: String| Pattern {
        regex: Regex::new(&regex).unwrap(),
        source,
    };
    prop_oneof![
        any::<String>().prop_map(move |text| {
            let escaped = regex::escape(&text);
            Test::Contains(pattern(text, escaped))
        }),
        r"([a-z. ]|\\/|\\\\|\\\.){0,6}".prop_map(move |source| {
            let regex = source.clone();
            Test::Matches(pattern(source, regex))
        }),
        ("(/[a-z0-9~ =&\"]{0,4}){0,3}", any_wanted())
            .prop_map(|(pointer, value)| Test::Json { pointer, value }),
        proptest::sample::select(&Op::ALL[..]).prop_map(Test::Op),
        prop_oneof![Just(Direction::In), Just(Direction::Out)].prop_map(Test::Dir),
        // Sizes are read as decimal fractions, which are exact up to 2^53.
        (proptest::sample::select(&Compare::ALL[..]), 0..1_u64 << 53)
            .prop_map(|(compare, bound)| Test::Size(compare, bound)),
        any::<u16>().prop_map(|code| Test::Code(CloseCode(code))),
    ]
}

fn any_wanted() -> impl Strategy<Value = Option<Wanted>> {
    prop_oneof![
        Just(None),
        "[a-z0-9!=/:.-]{1,6}".prop_map(|word| Some(Wanted::Bare(word))),
        any::<String>().prop_map(|text| {
            let value = Value::String(text);
            let source = value.to_string();
            Some(Wanted::Exact { source, value })
        }),
        proptest::collection::vec(any::<i32>(), 0..3).prop_map(|numbers| {
            let value = Value::from(numbers);
            let source = value.to_string();
            Some(Wanted::Exact { source, value })
        }),
    ]
}

fn any_node() -> impl Strategy<Value = Node> {
    any_test()
        .prop_map(Node::Test)
        .prop_recursive(4, 24, 4, |node| {
            prop_oneof![
                node.clone().prop_map(|inner| Node::Not(Box::new(inner))),
                proptest::collection::vec(node.clone(), 2..4).prop_map(Node::And),
                proptest::collection::vec(node, 2..4).prop_map(Node::Or),
            ]
        })
}

proptest! {
    #[test]
    fn printing_then_parsing_is_the_identity(root in any_node()) {
        let predicate = Predicate { root };
        let printed = predicate.to_string();
        prop_assert_eq!(Predicate::parse(&printed).unwrap(), predicate, "{}", printed);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text: String, filter in "[a-z!&|()/\"=:\\\\ \\[{]{0,24}") {
        for text in [text, filter] {
            if let Err(error) = Predicate::parse(&text) {
                prop_assert!(error.to_string().contains('^'));
            }
        }
    }
}
