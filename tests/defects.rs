//! What wscat 6.1.0 (W) and websocat 1.14.1 (S) get wrong, each by the number of a list that was
//! made by running them. What TLS and proxies concern is tested where those are.

use std::time::Duration;

mod harness;

use harness::program::wscope;
use harness::raw::{BINARY, CLOSE, PING, Peer, RawServer, TEXT, encode};
use harness::running::Signal;
use harness::served::serve;
use harness::terminal::{CTRL_C, ENTER, Terminal};

const ANSI: &str =
    "\u{1b}[2J\u{1b}]0;PWNED TITLE\u{7}\u{1b}[?25l\u{1b}[31;7m\u{1b}]52;c;cHduZWQ=\u{7}";

// --- wscat ---------------------------------------------------------------------------------------

#[test]
fn w01_lines_that_come_before_the_connection_is_open_are_sent() {
    let server = serve(&[]);
    let output = wscope(&["-c", server.url()]).stdin("hello\nworld\n").run();
    output.code(0).stdout("hello\nworld\n").stderr("");
}

#[test]
fn w02_execute_without_stdin_is_sent_and_failures_are_not_green() {
    let server = serve(&[]);
    let output = wscope(&["-c", server.url(), "-x", "hi"]).run();
    output.code(0).stdout("hi\n").stderr("");
    let refusing = RawServer::answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    wscope(&["-c", &refusing.url(), "-x", "hi"])
        .run()
        .code(5)
        .stdout("")
        .says(&["401"]);
}

#[test]
fn w03_a_close_is_told_with_code_and_reason_and_by_the_status() {
    for (code, reason) in [(1011, "boom"), (4001, "go away")] {
        let server = RawServer::open(move |peer| {
            peer.send_close(code, reason);
            peer.drain();
        });
        let output = wscope(&["-c", &server.url(), "-x", "hi", "-w", "5"]).run();
        output.code(8).stdout("").says(&[&code.to_string(), reason]);
    }
    let server = RawServer::open(Peer::reset);
    wscope(&["-c", &server.url(), "-x", "hi"])
        .run()
        .code(8)
        .stdout("")
        .says(&["1006"]);
}

#[test]
fn w04_escapes_are_not_obeyed() {
    let server = RawServer::open(|peer| {
        peer.send_text(ANSI);
        peer.send_frame(PING, ANSI);
        peer.send_text("the end");
        peer.drain();
    });
    let mut terminal = Terminal::connected(&["-c", &server.url(), "-P"]);
    terminal.shows("the end");
    terminal.keys(CTRL_C);
    let (_, raw) = terminal.exits();
    let raw = String::from_utf8_lossy(&raw).into_owned();
    for escape in [
        "\u{1b}[2J",
        "\u{1b}]0;",
        "\u{1b}[?25l\u{1b}[31",
        "\u{1b}]52;",
    ] {
        assert!(
            !raw.contains(escape),
            "{escape:?} reached the terminal: {raw:?}"
        );
    }
}

#[test]
fn w05_a_long_draft_erases_no_message() {
    let server = RawServer::open(|peer| {
        peer.send_text("first message");
        for number in 0..100 {
            peer.send_text(&format!("tick {number}"));
            // One step with the terminal: a ping that is answered while someone types.
            peer.send_frame(PING, "");
            if peer.frame().is_none_or(|frame| frame.opcode == CLOSE) {
                return;
            }
        }
        peer.drain();
    });
    let mut terminal = Terminal::connected(&["-c", &server.url()]);
    terminal.keys(&"x".repeat(150));
    terminal.shows("tick 99");
    terminal.until("the last messages and the whole draft", |screen| {
        let contents = screen.contents();
        contents.matches('x').count() == 150
            && (90..100).all(|number| contents.contains(&format!("tick {number}")))
    });
    // The first empties the line.
    terminal.keys(CTRL_C);
    terminal.keys(CTRL_C);
    terminal.exits();
}

#[test]
fn w06_a_pasted_json_is_one_message() {
    let server = RawServer::open(|peer| {
        assert_eq!(peer.text(), "{\n  \"a\": 1\n}");
        peer.send_text("one");
        peer.drain();
    });
    let mut terminal = Terminal::connected(&["-c", &server.url()]);
    terminal.paste("{\n  \"a\": 1\n}");
    terminal.keys(ENTER);
    terminal.shows("one");
    terminal.keys(CTRL_C);
    terminal.exits();
}

#[test]
fn w07_a_wrong_close_code_is_a_message_and_not_the_end() {
    let server = serve(&[]);
    for command in ["/close 9", "/close abc"] {
        let output = wscope(&["-c", server.url(), "--slash"])
            .stdin(format!("{command}\nhi\n"))
            .run();
        output.code(0).stdout("hi\n").says(&["/close"]);
    }
}

#[test]
fn w08_a_url_without_a_scheme_is_ws_and_a_wrong_one_is_explained() {
    let server = serve(&[]);
    let output = wscope(&["-c", server.address(), "-x", "hi"]).run();
    output.code(0).stdout("hi\n").stderr("");
    for (url, word) in [("ftp://127.0.0.1/", "ftp"), ("ws://bad host/", "host")] {
        wscope(&["-c", url]).run().code(2).stdout("").says(&[word]);
    }
    wscope(&["-c", server.url(), "-p", "12"])
        .run()
        .code(2)
        .stdout("")
        .says(&["12", "13"]);
}

#[test]
fn w09_headers_are_sent_as_typed_or_refused() {
    let server = RawServer::http(|peer| {
        assert_eq!(peer.header("X-Dup"), ["1", "2"]);
        peer.accept();
        peer.finish_close();
    });
    let args = [
        "-c",
        &server.url(),
        "-H",
        "X-Dup: 1",
        "-H",
        "X-Dup: 2",
        "-x",
        "hi",
        "-w",
        "0",
    ];
    wscope(&args).run().code(0).stdout("");
    let args = ["-c", "127.0.0.1:1", "-H", "nocolon"];
    wscope(&args).run().code(2).stdout("").says(&["nocolon"]);
    // Two that say the same: neither gives way without a word.
    let args = [
        "-c",
        "127.0.0.1:1",
        "-H",
        "Authorization: Bearer x",
        "--auth",
        "u:p",
    ];
    wscope(&args)
        .run()
        .stdout("")
        .says(&["Authorization", "--auth"]);
}

#[test]
fn w10_a_server_that_never_talks_or_never_closes_is_left() {
    let server = RawServer::open(|peer| {
        peer.drain();
    });
    let output = wscope(&["-c", &server.url(), "-x", "hi", "-w", "0.3"]).run();
    output.code(0).stdout("");
}

#[test]
fn w11_binary_is_exact_both_ways() {
    let server = RawServer::open(|peer| {
        let frame = peer.frame().expect("a message");
        assert_eq!(
            (frame.opcode, frame.payload.as_slice()),
            (BINARY, &b"\xff\xfe"[..])
        );
        peer.send_frame(BINARY, b"\xff\xfe");
        peer.finish_close();
    });
    let output = wscope(&["connect", &server.url(), "-b", "hex"])
        .stdin("fffe\n")
        .run();
    output.code(0).stdout(b"\xff\xfe\n").stderr("");
}

#[test]
fn w12_a_reader_that_leaves_is_no_failure() {
    let server = RawServer::open(|peer| {
        let mut number = 0;
        while peer.try_send(&encode(
            0x80 | TEXT,
            None,
            format!("tick {number}").as_bytes(),
        )) {
            number += 1;
        }
    });
    let script = format!("\"$WSCOPE\" -c {} | head -2", server.url());
    let output = harness::program::shell(&script).run();
    output.code(0).stdout("tick 0\ntick 1\n").stderr("");
}

#[test]
fn w13_listening_is_on_loopback_for_everyone_and_says_the_port() {
    let mut running = wscope(&["-l", "0"]).spawn();
    let line = running.stderr.line("ws://127.0.0.1:");
    assert!(!line.contains(":0/"), "{line}");
    let address = line
        .split("ws://")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .expect("an address");
    let mut first = Peer::connect_open(address);
    first.send_text("one");
    running.stdout.line("one");
    let mut second = Peer::connect_open(address);
    second.send_text("two");
    running.stdout.line("two");
    running.send("to both");
    assert_eq!([first.text(), second.text()], ["to both", "to both"]);
    running.signal(Signal::Interrupt);
    drop((first, second));
    running.wait().code(0).stdout("one\ntwo\n");
    // An address is an address, not the name of a socket file.
    let running = wscope(&["-l", "127.0.0.1:0"]).spawn();
    running.stderr.line("ws://127.0.0.1:");
    running.signal(Signal::Interrupt);
    let output = running.wait().code(0).stdout("");
    assert_eq!(
        std::fs::read_dir(output.home.path()).unwrap().count(),
        0,
        "a file was left"
    );
}

#[test]
fn w14_no_color_means_no_colour() {
    let server = serve(&[]);
    let mut terminal = Terminal::connected(&["-c", server.url(), "--no-color"]);
    terminal.line("{\"a\":1}");
    terminal.until("the message and its echo", |screen| {
        screen.contents().matches("{\"a\":1}").count() >= 2
    });
    terminal.keys(CTRL_C);
    let (_, raw) = terminal.exits();
    let raw = String::from_utf8_lossy(&raw).into_owned();
    for colour in ["\u{1b}[3", "\u{1b}[9", "\u{1b}[0;3", "\u{1b}[1;3"] {
        assert!(!raw.contains(colour), "{raw:?}");
    }
}

#[test]
fn w15_the_handshake_is_shown_when_asked_for() {
    let server = RawServer::answering(
        "HTTP/1.1 401 Unauthorized\r\nX-Trace: 17\r\nContent-Length: 8\r\n\r\nno entry",
    );
    let output = wscope(&["-c", &server.url(), "-v"]).run();
    let words = [
        "GET / HTTP/1.1",
        "Sec-WebSocket-Version: 13",
        "401",
        "X-Trace: 17",
        "no entry",
    ];
    output.code(5).stdout("").says(&words);
}

#[test]
fn w16_two_hundred_thousand_messages_are_no_trouble() {
    const MESSAGES: usize = 200_000;
    let server = RawServer::open(|peer| {
        let some = encode(0x81, None, b"tick").repeat(1000);
        for _ in 0..MESSAGES / 1000 {
            peer.send(&some);
        }
        peer.send_close(1000, "");
        peer.drain();
    });
    // wscat would take longer than the test waits.
    let output = wscope(&["-c", &server.url(), "-w", "-1"]).run().code(0);
    assert_eq!(output.stdout, b"tick\n".repeat(MESSAGES));
}

#[test]
fn w17_execute_may_be_a_slash_command() {
    let server = RawServer::open(|peer| {
        let frame = peer.frame().expect("a ping");
        assert_eq!((frame.opcode, frame.text()), (PING, "abc".into()));
        peer.finish_close();
    });
    let args = ["-c", &server.url(), "--slash", "-x", "/ping abc", "-w", "0"];
    wscope(&args).run().code(0).stdout("").stderr("");
}

// --- websocat ------------------------------------------------------------------------------------

#[test]
fn s01_it_ends_with_the_server_though_stdin_is_open() {
    let server = RawServer::open(|peer| {
        peer.send_close(4001, "go-away");
        peer.drain();
    });
    let output = wscope(&[&server.url()]).spawn().wait();
    output.code(8).stdout("").says(&["4001", "go-away"]);
}

#[test]
fn s02_all_replies_are_waited_for() {
    let server = RawServer::open(|peer| {
        let lines = [peer.text(), peer.text()];
        // Longer than the 500 ms of silence that end a session once a reply came.
        peer.hears_nothing_for(Duration::from_millis(700));
        for line in lines {
            peer.send_text(&line);
        }
        peer.finish_close();
    });
    let output = wscope(&[&server.url()]).stdin("one\ntwo\n").run();
    output.code(0).stdout("one\ntwo\n").stderr("");
}

#[test]
fn s03_a_line_is_sent_without_its_newline() {
    let server = RawServer::open(|peer| {
        assert_eq!([peer.text(), peer.text()], ["hello", "world"]);
        peer.finish_close();
    });
    let output = wscope(&[&server.url(), "-w", "0"])
        .stdin("hello\nworld\n")
        .run();
    output.code(0).stdout("").stderr("");
}

#[test]
fn s04_an_empty_message_stops_nothing() {
    let server = RawServer::open(|peer| {
        for text in ["line1\nline2\nline3", "second message", "", "after empty"] {
            peer.send_text(text);
        }
        peer.send_close(1000, "");
        peer.drain();
    });
    let output = wscope(&[&server.url()]).spawn().wait();
    output
        .code(0)
        .stdout("line1\nline2\nline3\nsecond message\n\nafter empty\n")
        .stderr("");
}

#[test]
fn s05_a_large_message_is_one_message_both_ways() {
    let server = RawServer::open(|peer| {
        let text = peer.text();
        assert_eq!(text.len(), 10 << 20);
        peer.send_text(&text);
        peer.finish_close();
    });
    let line = "x".repeat(10 << 20) + "\n";
    let output = wscope(&[&server.url()]).stdin(line.clone()).run();
    output.code(0).stdout(line).stderr("");
}

#[test]
fn s06_a_paste_is_not_cut_at_4096_bytes() {
    let server = RawServer::open(|peer| {
        assert_eq!(peer.text().len(), 5000);
        peer.send_text("whole");
        peer.drain();
    });
    let mut terminal = Terminal::connected(&[&server.url(), "--line"]);
    terminal.keys(&"y".repeat(5000));
    terminal.keys(ENTER);
    terminal.shows("whole");
    terminal.keys(CTRL_C);
    terminal.exits();
}

#[test]
fn s07_a_header_flag_takes_one_value() {
    let server = RawServer::http(|peer| {
        assert_eq!(peer.header("X-A"), ["b"]);
        peer.accept();
        peer.finish_close();
    });
    let output = wscope(&["-H", "X-A: b", &server.url(), "-x", "hi", "-w", "0"]).run();
    output.code(0).stdout("").stderr("");
}

#[test]
fn s08_a_half_typed_line_stays_apart_from_messages() {
    let server = RawServer::open(|peer| {
        peer.send_text("{\"tick\":1}");
        assert_eq!(peer.text(), "go");
        peer.send_text("{\"tick\":2}");
        assert_eq!(peer.text(), "gone");
        peer.drain();
    });
    let mut terminal = Terminal::connected(&[&server.url(), "--line"]);
    terminal.shows("{\"tick\":1}");
    terminal.line("go");
    terminal.keys("this is a half typed li");
    terminal.shows("{\"tick\":2}");
    terminal.until("message and draft on lines of their own", |screen| {
        let contents = screen.contents();
        contents
            .lines()
            .any(|line| line.contains("{\"tick\":2}") && !line.contains("half"))
            && contents
                .lines()
                .any(|line| line.contains("this is a half typed li"))
    });
    // Control-U empties the line; the arrow brings the last one back.
    terminal.keys("\u{15}\u{1b}[Ane");
    terminal.keys(ENTER);
    terminal.keys(CTRL_C);
    terminal.exits();
}

#[test]
fn s09_ctrl_c_is_a_close_and_not_a_drop() {
    let server = RawServer::open(|peer| {
        peer.send_text("ready");
        let (code, _) = peer.close_frame();
        assert!(matches!(code, 1000 | 1001), "{code}");
        peer.send_close(code, "");
    });
    let running = wscope(&[&server.url()]).spawn();
    running.stdout.line("ready");
    running.signal(Signal::Interrupt);
    running.wait().code(130).stdout("ready\n");
}

#[test]
fn s10_a_subprotocol_that_is_ignored_is_an_error() {
    let server = RawServer::http(Peer::accept);
    let output = wscope(&[&server.url(), "-s", "foo"]).run();
    output.code(5).stdout("").says(&["foo"]);
}

#[test]
fn s11_reconnecting_waits_longer_each_time() {
    let server = RawServer::each(3, |_, _| ());
    let url = server.url();
    let args = [
        &url,
        "--json",
        "-r",
        "--backoff",
        "base=50ms,jitter=0",
        "--max-retries",
        "2",
    ];
    let output = wscope(&args).run();
    let delays: Vec<_> = output
        .events_of("retry")
        .iter()
        .map(|retry| retry["delay_ms"].as_f64())
        .collect();
    assert_eq!(delays, [Some(50.0), Some(100.0)], "{output}");
    output.code(3);
}

#[test]
fn s12_an_expectation_that_fails_is_said_without_a_panic() {
    let server = serve(&[]);
    let output = wscope(&[server.url(), "-x", "{}", "--until", "\"never\""]).run();
    output
        .code(4)
        .stdout("{}\n")
        .says(&["never"])
        .never_says(&["panicked", "[123, 125]"]);
}

#[test]
fn s13_a_name_that_does_not_resolve_is_said_to_be_one() {
    let output = wscope(&["ws://no-such-host.invalid/"]).run();
    output
        .code(3)
        .stdout("")
        .says(&["resolve", "no-such-host.invalid"]);
}

#[test]
fn s14_heartbeats_need_no_other_flag() {
    let server = RawServer::open(|peer| {
        for _ in 0..2 {
            let frame = peer.frame().expect("a ping");
            assert_eq!(frame.opcode, PING);
            peer.send_frame(harness::raw::PONG, frame.payload);
        }
        peer.send_close(1000, "");
        peer.drain();
    });
    let output = wscope(&[&server.url(), "--heartbeat", "0.1/5"])
        .spawn()
        .wait();
    output.code(0).stdout("").stderr("");
}

#[test]
fn s15_the_help_is_one_text_with_the_usual_first() {
    let output = wscope(&["connect", "-h"]).run().code(0).stderr("");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let at = |flag: &str| {
        help.find(flag)
            .unwrap_or_else(|| panic!("no {flag}: {help}"))
    };
    assert!(
        at("--header") < at("--resolve") && at("--execute") < at("--backoff"),
        "{help}"
    );
}
