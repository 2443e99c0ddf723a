use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::model::close::CloseCode;
use crate::view::sample;

fn head(headers: &[(&str, &str)]) -> RequestHead {
    RequestHead {
        method: "GET".into(),
        target: "/".into(),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn shape(name: &str) -> &'static Shape {
    SHAPES.iter().find(|shape| shape.name == name).unwrap()
}

fn text(text: &str) -> What {
    sample::message(Direction::Out, Message::text(text))
}

/// Every shape of a message on a connection that had everything.
#[test]
fn shapes() {
    let request = head(&[
        ("Host", "api.example.com"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Key", "x"),
        ("Sec-WebSocket-Protocol", "json.v2, json.v1"),
        ("Origin", "https://example.com"),
        ("Authorization", "Bearer abc"),
        ("X-Team", "it's us"),
    ]);
    let origin = Origin {
        url: "wss://api.example.com/v1?token=***&room=a",
        request: Some(&request),
    };
    let mut shown = Vec::new();
    for shape in SHAPES {
        for what in [
            text("{\"op\":\"sub\"}"),
            text("two\nlines \u{1b}[2J"),
            sample::message(Direction::In, Message::binary(vec![0, 255])),
        ] {
            let copied = shape.one(origin, &what).unwrap();
            assert!(!copied.text.contains("Bearer abc"));
            shown.push(format!(
                "{}\n[{}] [{}]",
                copied.text,
                copied.secrets.join(", "),
                copied.notes.join("; ")
            ));
        }
    }
    insta::assert_snapshot!(shown.join("\n----\n"));
}

#[test]
fn a_session_is_what_was_sent() {
    let origin = Origin {
        url: sample::URL,
        request: None,
    };
    let events = [
        text("one"),
        sample::received("reply").what,
        sample::ping(Direction::Out, b"p").what,
        text("two"),
    ];
    let copied = shape("command").sent(origin, events.iter()).unwrap();
    assert!(copied.text.contains("\"data\":\"one\"") && copied.text.contains("\"ping\""));
    assert!(!copied.text.contains("reply"));
    let copied = shape("command")
        .sent(origin, [text("one"), text("-x")].iter())
        .unwrap();
    assert_eq!(
        copied.text,
        format!("wscope connect {} -x one -x '-x'", sample::URL)
    );
}

#[test]
fn what_cannot_be_copied_says_why() {
    let origin = |url| Origin { url, request: None };
    let big = text(&"x".repeat(MOST + 1));
    assert!(
        shape("command")
            .one(origin("ws://h/"), &big)
            .unwrap_err()
            .contains("save")
    );
    let unix = shape("browser").one(origin("ws+unix:/s:/"), &text("x"));
    assert!(unix.unwrap_err().contains("unix socket"));
    let curl = shape("curl")
        .one(origin("ws+unix:/run/a.sock:/u"), &text("x"))
        .unwrap();
    assert!(
        curl.text
            .ends_with("--unix-socket '/run/a.sock' \\\n  http://localhost/u")
    );
    let close = sample::close(
        1000,
        crate::model::event::ClosedBy::Us,
        "it's",
        std::time::Duration::ZERO,
    );
    let browser = shape("browser")
        .one(origin("ws://h/"), &close.what)
        .unwrap();
    assert!(browser.text.contains("ws.close(1000, \"it's\");"));
    assert_eq!(CloseCode::NORMAL.0, 1000);
}

/// What a program prints that is given a script.
fn run(program: &str, script: &str) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(script.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    assert!(output.status.success(), "{program}");
    Some(output.stdout)
}

proptest! {
    // Each case is a process that is given many texts.
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_shell_reads_back_what_was_quoted(texts in proptest::collection::vec("[^\0]{0,12}|[ -~]{0,20}", 1..60)) {
        let words: Vec<String> = texts.iter().map(|text| quote::shell(text)).collect();
        let printed = run("sh", &format!("printf '%s\\000' {}\n", words.join(" "))).unwrap();
        let expected: Vec<u8> = texts.iter().flat_map(|text| [text.as_bytes(), b"\0"].concat()).collect();
        prop_assert_eq!(printed, expected);
    }

    #[test]
    fn javascript_reads_back_what_was_quoted(texts in proptest::collection::vec(any::<String>(), 1..60)) {
        let strings: Vec<String> = texts.iter().map(|text| quote::json(text)).collect();
        for string in &strings {
            prop_assert!(!string.chars().any(crate::text::sanitize::is_hostile));
        }
        let script = format!("process.stdout.write([{}].join('\\0'))", strings.join(","));
        if let Some(printed) = run("node", &script) {
            prop_assert_eq!(String::from_utf8(printed).unwrap(), texts.join("\0"));
        }
    }
}
