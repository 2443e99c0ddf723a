//! `connect` in a pipe: what goes in is sent, what comes out is the peer's data and nothing else,
//! and the end of the input never cuts off a reply.

use std::sync::mpsc;
use std::time::{Duration, Instant};

mod harness;

use harness::program::{shell, wscope};
use harness::raw::{BINARY, Frame, PING, Peer, RawServer, TEXT};
use harness::running::Signal;
use harness::served::serve;

#[test]
fn a_line_goes_in_and_its_reply_comes_out() {
    let server = serve(&[]);
    for args in [&["connect", server.url()][..], &[server.url()]] {
        let output = wscope(args).stdin("hi\n").run();
        output.code(0).stdout("hi\n").stderr("");
    }
}

#[test]
fn replies_that_come_after_the_end_of_input_are_printed() {
    let server = RawServer::open(|peer| {
        assert_eq!(peer.text(), "one");
        assert_eq!(peer.text(), "two");
        // Longer than the 500 ms of silence that end a session once a reply came.
        peer.hears_nothing_for(Duration::from_millis(800));
        peer.send_text("first");
        peer.send_text("second");
        peer.finish_close();
    });
    let output = wscope(&["connect", &server.url()])
        .stdin("one\ntwo\n")
        .run();
    output.code(0).stdout("first\nsecond\n").stderr("");
}

#[test]
fn the_end_is_a_close_with_1000_and_the_last_line_needs_no_newline() {
    let server = RawServer::open(|peer| {
        let frame = peer.frame().expect("a message");
        assert!(frame.masked && frame.fin);
        assert_eq!((frame.opcode, frame.text()), (TEXT, "hi".into()));
        peer.send_text("hi");
        assert_eq!(peer.close_frame(), (1000, String::new()));
        peer.send_close(1000, "");
        assert!(peer.drain(), "TCP ends without a reset");
    });
    let output = wscope(&["connect", &server.url()]).stdin("hi").run();
    output.code(0).stdout("hi\n").stderr("");
}

#[test]
fn wait_bounds_the_wait_for_a_first_reply() {
    let server = RawServer::open(Peer::finish_close);
    let output = wscope(&["connect", &server.url(), "-w", "0.2"])
        .stdin("hi\n")
        .run();
    output.code(0).stdout("").stderr("");
}

#[test]
fn wait_for_ever_lasts_until_the_server_closes() {
    let server = RawServer::open(|peer| {
        assert_eq!(peer.text(), "hi");
        // Longer than the usual 5 s would be slow to test; longer than the 500 ms is a test too.
        peer.hears_nothing_for(Duration::from_millis(1200));
        peer.send_text("late");
        peer.send_close(1000, "");
    });
    let output = wscope(&["connect", &server.url(), "--wait", "-1"])
        .stdin("hi\n")
        .run();
    output.code(0).stdout("late\n").stderr("");
}

#[test]
fn with_execute_stdin_is_left_alone() {
    let server = RawServer::open(|peer| {
        assert_eq!(peer.text(), "hi");
        peer.send_text("reply");
        assert_eq!(peer.close_frame().0, 1000, "nothing but the one message");
        peer.send_close(1000, "");
    });
    let output = wscope(&["connect", &server.url(), "-x", "hi"])
        .stdin("not this\n")
        .run();
    output.code(0).stdout("reply\n").stderr("");
}

#[test]
fn with_execute_and_input_both_are_sent() {
    let server = serve(&[]);
    let args = ["connect", server.url(), "-x", "first", "-i", "lines"];
    let output = wscope(&args).stdin("second\n").run();
    output.code(0).stdout("first\nsecond\n").stderr("");
}

#[test]
fn execute_works_without_any_stdin() {
    let server = serve(&[]);
    let output = wscope(&["connect", server.url(), "-x", "one", "-x", "two"]).run();
    output.code(0).stdout("one\ntwo\n").stderr("");
}

#[test]
fn a_server_that_talks_first_is_heard_without_stdin() {
    let server = RawServer::open(|peer| {
        peer.send_text("news");
        peer.send_close(1000, "");
    });
    let output = wscope(&["connect", &server.url()]).run();
    output.code(0).stdout("news\n").stderr("");
}

#[test]
fn it_ends_with_the_server_and_says_the_code() {
    let server = RawServer::open(|peer| {
        peer.send_text("last words");
        peer.send_close(4002, "token expired");
    });
    // Its stdin stays open: the end of the input is not what ends it.
    let running = wscope(&["connect", &server.url()]).spawn();
    let output = running.wait();
    output
        .code(8)
        .stdout("last words\n")
        .says(&["4002", "token expired"]);
}

#[test]
fn a_dropped_connection_says_how_long_it_was_quiet() {
    let server = RawServer::open(|peer| peer.send_text("last words"));
    let output = wscope(&["connect", &server.url()]).spawn().wait();
    output.code(8).stdout("last words\n").says(&["1006"]);
}

#[test]
fn head_ends_it_quietly() {
    let server = RawServer::open(|peer| {
        for number in 0..200_000 {
            peer.send_text(&format!("message {number}"));
        }
        peer.drain();
    });
    let script = format!("\"$WSCOPE\" connect {} | head -1", server.url());
    shell(&script)
        .run()
        .code(0)
        .stdout("message 0\n")
        .stderr("");
}

#[test]
fn messages_are_printed_byte_for_byte() {
    let server = RawServer::open(|peer| {
        for text in ["two\nlines", "", "\u{1b}[31mred\u{1b}[0m \u{202e}", "end"] {
            peer.send_text(text);
        }
        peer.send_frame(BINARY, b"\xff\xfe\x00\n");
        peer.send_close(1000, "");
    });
    let expected = b"two\nlines\n\n\x1b[31mred\x1b[0m \xe2\x80\xae\nend\n\xff\xfe\x00\n\n";
    let output = wscope(&["connect", &server.url()]).run();
    output.code(0).stdout(expected).stderr("");
}

#[test]
fn an_empty_line_is_an_empty_message() {
    let server = RawServer::open(|peer| {
        let texts = [peer.text(), peer.text(), peer.text()];
        assert_eq!(texts, ["a", "", "b"]);
        peer.finish_close();
    });
    let output = wscope(&["connect", &server.url(), "-w", "0"])
        .stdin("a\n\nb\n")
        .run();
    output.code(0).stdout("").stderr("");
}

#[test]
fn a_line_of_ten_megabytes_is_one_message() {
    let server = serve(&["--max-message-size", "64MiB"]);
    let line = "x".repeat(10 << 20) + "\n";
    let output = wscope(&["connect", server.url()]).stdin(line.clone()).run();
    output.code(0).stdout(line).stderr("");
}

#[test]
fn a_fragmented_message_is_one_line_even_with_a_ping_inside() {
    let server = RawServer::open(|peer| {
        peer.send(harness::raw::encode(TEXT, None, "Grü".as_bytes()));
        peer.send_frame(PING, "are you there");
        peer.send(harness::raw::encode(0x80, None, "ße".as_bytes()));
        let pong = peer.frame().expect("a pong");
        assert_eq!(pong.text(), "are you there");
        peer.send_close(1000, "");
    });
    let output = wscope(&["connect", &server.url()]).run();
    output.code(0).stdout("Grüße\n").stderr("");
}

#[test]
fn what_is_not_utf8_names_its_line() {
    let server = RawServer::open(|peer| {
        peer.drain();
    });
    let output = wscope(&["connect", &server.url()])
        .stdin(b"fine\nnot \xff fine\n")
        .run();
    output.code(2).stdout("").says(&["line 2", "UTF-8"]);
}

#[test]
fn json_is_one_event_a_line_in_order() {
    let server = serve(&[]);
    let output = wscope(&["connect", server.url(), "--json"])
        .stdin("hi\n")
        .run();
    let kinds: Vec<String> = output
        .events()
        .iter()
        .map(|event| match event["event"].as_str() {
            Some("state") => event["name"].as_str().unwrap_or("?").to_owned(),
            Some("message") => format!("message {}", event["dir"].as_str().unwrap_or("?")),
            other => other.unwrap_or("?").to_owned(),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "CONNECTING",
            "OPEN",
            "open",
            "message out",
            "message in",
            "CLOSING",
            "CLOSED",
            "close",
            "end"
        ],
        "{output}"
    );
    let message = &output.events_of("message")[1];
    assert_eq!(message["data"], "hi");
    assert_eq!(message["size"], 2);
    assert_eq!(message["kind"], "text");
    assert_eq!(message["conn"], 1);
    assert_eq!(output.events_of("end")[0]["exit"], 0);
    output.code(0).stderr("");
}

#[test]
fn a_refused_connection_goes_from_connecting_to_closed() {
    let server = RawServer::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope");
    let output = wscope(&["connect", &server.url(), "--json"]).run();
    let states: Vec<_> = output
        .events_of("state")
        .iter()
        .map(|event| event["state"].clone())
        .collect();
    assert_eq!(states, [0, 3], "{output}");
    let refused = &output.events_of("refused")[0];
    assert_eq!(refused["status"], 403);
    assert_eq!(refused["body"], "nope");
    output.code(5);
}

#[test]
fn what_json_prints_ndjson_sends_again() {
    let first = serve(&[]);
    let recorded = wscope(&["connect", first.url(), "--json"])
        .stdin("one\n\nthree\n")
        .run();
    let server = RawServer::open(|peer| {
        let texts = [peer.text(), peer.text(), peer.text()];
        assert_eq!(texts, ["one", "", "three"]);
        assert_eq!(peer.close_frame().0, 1000);
        peer.send_close(1000, "");
    });
    let args = ["connect", &server.url(), "-i", "ndjson", "-w", "0"];
    let output = wscope(&args).stdin(recorded.stdout).run();
    output.code(0).stdout("").stderr("");
}

#[test]
fn ndjson_carries_text_binary_and_pings() {
    let server = RawServer::open(|peer| {
        let mut frames: Vec<Frame> = Vec::new();
        while frames.len() < 3 {
            frames.push(peer.frame().expect("a frame"));
        }
        // A control frame may overtake messages that wait.
        frames.sort_by_key(|frame| frame.opcode == PING);
        let seen: Vec<_> = frames
            .iter()
            .map(|frame| (frame.opcode, frame.payload.as_slice()))
            .collect();
        assert_eq!(
            seen,
            [(TEXT, &b"a\nb"[..]), (BINARY, b"\xff\xfe"), (PING, b"p")]
        );
        peer.finish_close();
    });
    let input = concat!(
        r#"{"data":"a\nb"}"#,
        "\n",
        r#"{"event":"message","dir":"in","kind":"text","data":"skipped"}"#,
        "\n",
        r#"{"event":"message","dir":"out","kind":"binary","base64":"//4="}"#,
        "\n",
        r#"{"event":"ping","dir":"out","data":"p"}"#,
        "\n",
    );
    let output = wscope(&["connect", &server.url(), "-i", "ndjson", "-w", "0"])
        .stdin(input)
        .run();
    output.code(0).stdout("").stderr("");
}

#[test]
fn a_signal_closes_and_the_status_tells_which() {
    for (signal, code) in [
        (Signal::Interrupt, 130),
        (Signal::Terminate, 143),
        (Signal::Hangup, 129),
    ] {
        let server = RawServer::open(|peer| {
            peer.send_text("ready");
            let (code, _) = peer.close_frame();
            assert!(matches!(code, 1000 | 1001), "{code}");
            peer.send_close(code, "");
        });
        let running = wscope(&["connect", &server.url()]).spawn();
        running.stdout.line("ready");
        running.signal(signal);
        running.wait().code(code).stdout("ready\n");
    }
}

#[test]
fn a_second_signal_leaves_at_once() {
    let (tell, closing) = mpsc::channel();
    let server = RawServer::open(move |peer| {
        peer.send_text("ready");
        peer.close_frame();
        tell.send(()).expect("the test listens");
        peer.drain();
    });
    let running = wscope(&["connect", &server.url()]).spawn();
    running.stdout.line("ready");
    running.signal(Signal::Interrupt);
    closing
        .recv_timeout(harness::DEADLINE)
        .expect("a Close frame");
    let second = Instant::now();
    running.signal(Signal::Interrupt);
    running.wait().code(130).stdout("ready\n");
    assert!(
        second.elapsed() < Duration::from_millis(2500),
        "it waited for the peer's Close, which takes 3 s"
    );
}

#[test]
fn a_peer_that_never_answers_close_is_left_after_three_seconds() {
    let server = RawServer::open(|peer| {
        peer.send_text("hello");
        peer.close_frame();
        peer.drain();
    });
    let output = wscope(&["connect", &server.url(), "-n", "1"]).run();
    output.code(0).stdout("hello\n");
}

#[test]
fn no_colour_gets_into_a_pipe_even_when_the_terminal_has_it() {
    let server = serve(&[]);
    let output = wscope(&["connect", server.url(), "--output", "pretty"])
        .env("TERM", "xterm-256color")
        .env("COLORTERM", "truecolor")
        .stdin("{\"a\":1}\n")
        .run();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains(r#"{"a":1}"#) && !text.contains('\u{1b}'),
        "{output}"
    );
    output.code(0);
}

#[test]
fn binary_input_and_output_have_their_notations() {
    let server = serve(&[]);
    for (notation, text) in [("hex", "fffe00"), ("base64", "//4A")] {
        let output = wscope(&["connect", server.url(), "-b", notation])
            .stdin(format!("{text}\n"))
            .run();
        output.code(0).stdout(b"\xff\xfe\x00\n").stderr("");
    }
}

#[test]
fn an_engine_io_server_is_recognized() {
    let server = RawServer::open(|peer| {
        peer.send_text(r#"0{"sid":"abc","upgrades":[],"pingInterval":25000}"#);
        peer.send_close(1000, "");
    });
    let output = wscope(&["connect", &server.url()]).run();
    output.code(0).says(&["Engine.IO"]);
}

#[test]
fn a_newline_inside_a_message_stays_on_its_line_for_people() {
    let server = RawServer::open(|peer| {
        peer.send_text("two\nlines");
        peer.send_text("end");
        peer.send_close(1000, "");
        peer.drain();
    });
    let output = wscope(&["connect", &server.url(), "--output", "pretty"]).run();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('<')).collect();
    let [first, second] = lines[..] else {
        panic!("two messages are two lines: {output}");
    };
    assert!(first.contains("two") && first.contains("lines"), "{output}");
    assert!(second.contains("end"), "{output}");
    output.code(0);
}
