//! Why a transcript failed, in the words of each report: one golden file in `tests/snapshots/`, to be
//! read side by side. What each report looks like as a whole is in `transcript.rs`.

mod harness;

use std::fs;

use harness::golden::{Golden, printed, replaced};
use harness::junit;
use harness::program::{Output, wscope};
use harness::raw::{QuietPort, RawServer};
use harness::served::serve;
use serde_json::Value;

/// Plays `chat.wst` with every report.
fn play(text: &str, args: &[&str]) -> Output {
    let mut words = vec![
        "test",
        "chat.wst",
        "--report",
        "junit=out.xml",
        "--report",
        "tap=out.tap",
        "--report",
        "json=out.json",
        "--report",
        "github=out.github",
    ];
    words.extend(args);
    wscope(&words)
        .file("chat.wst", text)
        .file("latin.txt", b"caf\xe9")
        .run()
}

#[test]
fn every_failure_reads_well_in_every_report() {
    let echo = serve(&[]);
    let nobody = QuietPort::reserve();
    let deaf = QuietPort::reserve().listen();
    let deaf = format!("ws://{}", deaf.local_addr().unwrap());
    let answers = |text: &'static [&str]| {
        RawServer::open(move |peer| {
            peer.text();
            for answer in text {
                peer.send_text(answer);
            }
            peer.finish_close();
        })
    };
    let silent = answers(&[]);
    let many = &[
        r#"{"type":"presence"}"#,
        r#"{"type":"tick"}"#,
        r#"{"type":"presence"}"#,
        r#"{"type":"message","text":"hello"}"#,
    ];
    let (several, several_again) = (answers(many), answers(many));
    let closes = |code: u16| {
        RawServer::open(move |peer| {
            peer.text();
            peer.send_close(code, "enough");
            peer.close_frame();
        })
    };
    let (closed, closed_late, closed_other) = (closes(1011), closes(1011), closes(4001));
    let drops = RawServer::open(|peer| {
        peer.text();
    });
    let breaks = RawServer::open(|peer| {
        peer.text();
        peer.send(b"\xf1\x02hi");
        peer.drain();
    });
    let breaks_late = RawServer::open(|peer| {
        peer.text();
        peer.send(b"\xf1\x02hi");
        peer.drain();
    });
    let refuses =
        RawServer::answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nno!\n");
    let refuses_other =
        RawServer::answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nno!\n");
    let plain = RawServer::each(1, |_, peer| {
        peer.hear();
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let url = |text: &str, server: &str| text.replace("URL", server);
    let echo = echo.url();
    let cases = [
        (
            "nobody listens",
            3,
            url("connect URL\n> hi\n", &nobody.url()),
        ),
        (
            "nobody listens, where no line connects",
            3,
            "  > hi\n< hi\n".to_owned(),
        ),
        (
            "no answer to the handshake",
            7,
            url("connect URL\n  timeout 100ms\n", &deaf),
        ),
        (
            "refused",
            5,
            url("bob: connect URL\nbob> hi\n", &refuses.url()),
        ),
        (
            "refused otherwise",
            4,
            url("connect URL\n< /refused 403\n", &refuses_other.url()),
        ),
        ("not refused", 4, url("connect URL\n< /refused\n", echo)),
        (
            "no TLS",
            6,
            url("connect URL\n", &plain.url().replace("ws:", "wss:")),
        ),
        ("no URL", 2, "connect gopher://h/\n> hi\n".to_owned()),
        (
            "another text",
            4,
            url("connect URL\n> hello\n< help\n", echo),
        ),
        (
            "nothing but what is passed over",
            4,
            url(
                "ignore /json {\"type\":\"presence\"}\nbob: connect URL\nbob> hi\n\
                 bob<~ /json {\"type\":\"message\"}\nbob< /any\n  within 100ms\n",
                &several.url(),
            ),
        ),
        (
            "another value",
            4,
            url(
                "ignore /json {\"type\":\"presence\"}\nbob: connect URL\nbob> hi\n\
                 bob<~ /json {\"type\":\"tick\"}\nbob<   /json {\"text\":\"Hello!\"}\n",
                &several_again.url(),
            ),
        ),
        (
            "another value in a block",
            4,
            url(
                "connect URL\n> {\"a\":1}\n< /json \"\"\"\n  {\n    \"a\": 2\n  }\n  \"\"\"\n",
                echo,
            ),
        ),
        (
            "no message",
            4,
            url("connect URL\n> hi\n< hi\n  within 100ms\n", &silent.url()),
        ),
        (
            "not all",
            4,
            url(
                "connect URL\n> b\n> a\n> c\n< /all\n  a\n  b\n  /match ^x\n    let x = whole\nend\n",
                echo,
            ),
        ),
        (
            "nothing to capture",
            4,
            url("connect URL\n> {}\n< /json {}\n  let id = /id\n", echo),
        ),
        (
            "a message for none",
            4,
            url("connect URL\n> hi\n< /none 1s\n", echo),
        ),
        (
            "a Close for a message",
            8,
            url("connect URL\n> hi\n< hi\n", &closed.url()),
        ),
        (
            "another Close",
            4,
            url("connect URL\n> hi\n< /close 4000\n", &closed_other.url()),
        ),
        (
            "a Close that nothing expects",
            8,
            url(
                "bob: connect URL\nbob> hi\nwait 500ms\n",
                &closed_late.url(),
            ),
        ),
        (
            "the end without a Close",
            8,
            url("connect URL\n> hi\n< hi\n", &drops.url()),
        ),
        (
            "a broken protocol",
            9,
            url("connect URL\n> hi\n< hi\n", &breaks.url()),
        ),
        (
            "a broken protocol that nothing looks at",
            9,
            url("connect URL\n> hi\nwait 500ms\n", &breaks_late.url()),
        ),
        (
            "sending after the end",
            4,
            url("connect URL\n> /close 1000\n< /close\n> hi\n", echo),
        ),
        (
            "connecting twice",
            4,
            url("a: connect URL\na: connect URL\n", echo),
        ),
        (
            "the longest time",
            7,
            url("connect URL\n> hi\n< hi\n< /none 1h\n", echo),
        ),
        ("no statement", 2, "hello\n< /jsn {}\n".to_owned()),
        (
            "no file",
            2,
            url(
                "connect URL\n> /file none.bin\n> /file latin.txt text\n",
                echo,
            ),
        ),
        ("no value", 2, url("connect URL\n> {{romo}}\n", echo)),
    ];
    let mut golden = Golden::default();
    for (case, code, text) in cases {
        let args: &[&str] = match case {
            "the longest time" => &["--max-time", "300ms"],
            "nobody listens, where no line connects" => &["--url", &nobody.url()],
            "no value" => &["--var", "room=a"],
            _ => &[],
        };
        let output = play(&text, args);
        assert_eq!(output.exit(), code, "{case}\n{output}");
        junit::is_valid(&output, "out.xml");
        let read = |name: &str| fs::read_to_string(output.home.path().join(name)).unwrap();
        says_what_failed(case, &read("out.json"));
        // What passed is the same everywhere.
        let of_interest = |text: &str, from: &str, to: &str| -> String {
            let begin = text.find(from).unwrap_or(text.len());
            let rest = &text[begin..];
            let end = rest.find(to).map_or(rest.len(), |end| end + to.len());
            rest[..end].to_owned()
        };
        let (xml, tap) = (read("out.xml"), read("out.tap"));
        let failed = [
            of_interest(&xml, "<failure", "</failure>"),
            of_interest(&xml, "<error", "</error>"),
            of_interest(&tap, "    not ok", "      ...\n"),
            read("out.github"),
        ];
        let all = format!("{}\n{}", printed(&output), failed.join("\n"));
        golden.add_text(case, &replaced_all(&all));
    }
    golden.check("transcript_failures");
}

/// Words for what was expected and for what came, never one without the other.
#[track_caller]
fn says_what_failed(case: &str, json: &str) {
    let report: Value = serde_json::from_str(json).unwrap();
    let file = &report["files"][0];
    let steps = file["steps"].as_array().unwrap().iter();
    let failures = steps.map(|step| &step["failure"]);
    for failure in failures.filter(|failure| failure.is_object()) {
        assert!(
            failure["got"].as_str().is_some_and(|got| !got.is_empty()),
            "{case}\n{json}"
        );
    }
    let trouble = file["trouble"].as_array().unwrap().iter();
    for trouble in trouble {
        assert!(trouble["line"].is_number(), "{case}\n{json}");
    }
}

fn replaced_all(text: &str) -> String {
    replaced(
        text,
        &[
            (r"\b\d+(\.\d+)?(us|ms|s)\b", "~"),
            (r#"time=("?)[0-9.]+"#, "time=$1~"),
            (r"after \d+ ms", "after ~"),
            (r"127\.0\.0\.1(:|%3A)\d{4,5}\b", "127.0.0.1${1}PORT"),
        ],
    )
}
