//! What is wrong, on the command line, in the input or on the wire, leads to its exit code, one
//! clear line on stderr and a hint: no hang, no panic, no raw escape (which every run is checked
//! for).

mod harness;

use std::sync::mpsc;

use harness::program::{Output, shell, wscope};
use harness::raw::{
    BINARY, CLOSE, PING, PONG, Peer, QuietPort, RawServer, TEXT, close_payload, encode,
};
use harness::served::serve;

const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;PWNED\u{7}\u{9b}2J\u{202e}evil\u{200b}\u{7f}";

// --- the command line ----------------------------------------------------------------------------

#[test]
fn a_url_that_cannot_be_dialled_is_a_usage_error() {
    for (url, word) in [
        ("ws://", "host"),
        ("ws:///chat", "host"),
        ("ftp://127.0.0.1/", "ftp"),
        ("ws://127.0.0.1:99999/", "port"),
        ("ws://127.0.0.1:http/", "port"),
        ("ws://bad host/", "host"),
        ("ws://[::1/", "address"),
        ("", "URL"),
    ] {
        let output = wscope(&["connect", url]).run();
        output.code(2).stdout("").says(&[word]);
    }
}

#[test]
fn a_url_is_missing_where_nobody_types() {
    let output = wscope(&["connect"]).run();
    output.code(2).stdout("").says(&["URL", "demo"]);
}

#[test]
fn a_header_must_be_a_name_and_a_value() {
    for header in [
        "nocolon",
        "A: b\r\nInjected: yes",
        "A: b\nInjected: yes",
        "bad name: x",
        ": x",
    ] {
        let output = wscope(&["connect", "ws://127.0.0.1:1/", "-H", header]).run();
        output.code(2).stdout("").says(&["-H"]);
    }
}

/// A device that never ends stands for a wrong name; memory is limited, for what would be read is not.
#[cfg(target_os = "linux")]
#[test]
fn a_file_without_an_end_is_refused_with_the_limit() {
    for (command, flags, limit) in [
        ("bench", "--message-file /dev/zero", "64 MiB"),
        ("bench", "--feed /dev/zero", "256 MiB"),
        ("bench", "-H @/dev/zero", "1 MiB"),
        ("connect", "--config /dev/zero", "4 MiB"),
        ("connect", "--execute-file /dev/zero", "64 MiB"),
        ("connect", "--cookie /dev/zero", "16 MiB"),
        ("connect", "--ca /dev/zero", "16 MiB"),
        ("serve 0", "--jwt-secret-file /dev/zero", "1 MiB"),
    ] {
        let url = if command == "serve 0" {
            ""
        } else {
            "wss://127.0.0.1:1/"
        };
        let script = format!("ulimit -v 4000000; exec \"$WSCOPE\" {command} {url} {flags}");
        let said = format!("larger than {limit}");
        shell(&script)
            .run()
            .code(2)
            .stdout("")
            .says(&["/dev/zero", &said]);
    }
}

#[test]
fn a_flag_with_a_wrong_value_names_the_flag() {
    for (flag, value) in [
        ("--subprotocol", "two words"),
        ("--connect-timeout", "soon"),
        ("--max-message-size", "much"),
        ("--expect-close", "70000"),
        ("--until", "/unclosed"),
        ("--binary", "octal"),
        ("--output", "pdf"),
        ("--input", "pdf"),
        ("--backoff", "bse=1s"),
        ("--heartbeat", "sometimes"),
        ("--resolve", "nowhere"),
        ("--execute-file", "no-such-file"),
        ("--color", "maybe"),
    ] {
        let output = wscope(&["connect", "ws://127.0.0.1:1/", flag, value]).run();
        let value = value.split('=').next().unwrap_or(value);
        output.code(2).stdout("").says(&[flag, value]);
    }
}

#[test]
fn a_flag_of_serve_that_could_not_work_is_told() {
    for (args, says) in [
        (&["--path", "/a?b"][..], &["--path", "/a?b", "? and #"][..]),
        (&["--path", "/a#b"], &["--path", "? and #"]),
        (&["--path", "/a b"], &["--path", "/a%20b"]),
        (&["--path", "/é"], &["--path", "/%C3%A9"]),
        (&["--path", "/a/../b"], &["--path", "as /b"]),
        (&["--exec", " "], &["--exec", "no command"]),
        (&["--port", "8080"], &["--port", "wscope serve 8080"]),
        (&["--port=8080"], &["--port", "wscope serve 8080"]),
        (&["-p", "8080"], &["-p", "wscope serve 8080"]),
        (&["--port"], &["--port", "wscope serve PORT"]),
    ] {
        let mut all = vec!["serve"];
        all.extend_from_slice(args);
        let output = wscope(&all).run();
        output.code(2).stdout("").says(says);
    }
}

#[test]
fn words_of_the_code_are_not_said() {
    for line in ["5", "\"text\"", "[1]", "null"] {
        let output = wscope(&["connect", "demo", "-i", "ndjson"]);
        let output = output.stdin(format!("{line}\n")).run();
        let output = output
            .code(2)
            .says(&["line 1 of the input is no event: an event is a JSON object"]);
        output.never_says(&["struct"]);
    }
    let output = wscope(&["connect", "demo", "--on-opn", "hi"]).run();
    output.code(2).never_says(&["--on-open"]);
}

#[test]
fn what_is_not_honoured_is_not_accepted() {
    for flag in ["--no-such-flag", "--no-compression", "--proxy"] {
        let output = wscope(&["connect", "ws://127.0.0.1:1/", flag]).run();
        output.code(2).stdout("").says(&[flag]);
    }
}

// --- what is typed or piped ----------------------------------------------------------------------

/// Runs `connect` with this input against a server that listens on.
#[track_caller]
fn with_input(args: &[&str], input: &str) -> Output {
    let server = RawServer::open(|peer| {
        while let Some(frame) = peer.frame() {
            if frame.opcode == CLOSE {
                peer.send_frame(CLOSE, frame.payload);
                break;
            }
        }
    });
    let url = server.url();
    let mut all = vec!["connect", &url, "-w", "0"];
    all.extend_from_slice(args);
    wscope(&all).stdin(input).run()
}

#[test]
fn input_that_does_not_parse_names_its_line() {
    for (args, input, word) in [
        (&["-b", "hex"][..], "00ff\n0g\n", "hex"),
        (&["-b", "hex"], "00ff\nabc\n", "hex"),
        (&["-b", "base64"], "AAAA\n*\n", "base64"),
        (&["-i", "ndjson"], "{\"data\":\"x\"}\nno json\n", "JSON"),
        (&["-i", "json"], "{\"a\":1}\n{\"a\":}\n", "JSON"),
        (
            &["-i", "ndjson"],
            "{\"data\":\"x\"}\n{\"event\":\"message\",\"dir\":\"out\",\"kind\":\"binary\",\"base64\":\"*\"}\n",
            "base64",
        ),
        (
            &["-i", "ndjson"],
            "{\"data\":\"x\"}\n{\"event\":\"close\",\"by\":\"us\",\"code\":999}\n",
            "999",
        ),
    ] {
        let output = with_input(args, input);
        output.code(2).stdout("").says(&["line 2", word]);
    }
}

#[test]
fn a_directory_is_no_input() {
    shell(r#""$WSCOPE" connect demo < /"#)
        .run()
        .code(2)
        .stdout("")
        .says(&["the input is a directory", "< messages.txt"]);
}

#[test]
fn a_wrong_slash_command_says_so_and_the_session_goes_on() {
    let long = format!("/close 1000 {}", "r".repeat(124));
    for (command, words) in [
        ("/close 9", &["9"][..]),
        ("/close abc", &["abc"]),
        ("/close 1005", &["1005"]),
        ("/close 1006", &["1006"]),
        ("/close 5000", &["5000"]),
        (long.as_str(), &["124", "123"]),
        ("/bin hex:0g", &["hex"]),
        ("/bin base64:*", &["base64"]),
        ("/file no-such-file", &["no-such-file"]),
        ("/json {\"a\":}", &["JSON"]),
        ("/nothing", &["/nothing", "/help"]),
    ] {
        let server = RawServer::open(|peer| {
            assert_eq!(peer.text(), "still here");
            peer.finish_close();
        });
        let output = wscope(&["connect", &server.url(), "--slash", "-w", "0"])
            .stdin(format!("{command}\nstill here\n"))
            .run();
        output.code(0).stdout("").says(words).says(&["line 1"]);
    }
}

#[test]
fn a_wrong_slash_command_on_the_command_line_is_found_before_anything_is_dialled() {
    let args = ["connect", "ws://127.0.0.1:1/", "--slash", "-x", "/close 9"];
    wscope(&args)
        .run()
        .code(2)
        .stdout("")
        .says(&["/close", "9"]);
}

// --- the way to the server -----------------------------------------------------------------------

#[test]
fn a_port_on_which_nothing_listens() {
    let port = QuietPort::reserve();
    let output = wscope(&["connect", &port.url()]).run();
    output
        .code(3)
        .stdout("")
        .says(&[&port.address(), "refused", "--wait-for-server"]);
}

#[test]
fn a_host_that_does_not_exist() {
    let output = wscope(&["connect", "ws://no-such-host.invalid/"]).run();
    output
        .code(3)
        .stdout("")
        .says(&["no-such-host.invalid", "resolve"]);
}

#[test]
fn a_server_that_never_answers() {
    let server = RawServer::http(|peer| {
        peer.drain();
    });
    let output = wscope(&["connect", &server.url(), "--connect-timeout", "0.3"]).run();
    output
        .code(7)
        .stdout("")
        .says(&["timed out", &server.address(), "--connect-timeout"]);
}

#[test]
fn a_server_that_drips_its_answer_for_ever() {
    let server = RawServer::http(|peer| {
        peer.send("HTTP/1.1 101 Switching Protocols\r\n");
        while peer.try_send(b"X-Drip: drop\r\n") {}
    });
    let output = wscope(&["connect", &server.url(), "--connect-timeout", "2"]).run();
    output.code(5).stdout("").says(&[&server.address()]);
}

#[test]
fn a_server_that_leaves_during_the_handshake() {
    for answer in [
        "",
        "HTTP/1.1 101 Switching Pro",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n",
    ] {
        let server = RawServer::answering(answer);
        let output = wscope(&["connect", &server.url()]).run();
        output
            .code(3)
            .stdout("")
            .says(&[&server.address(), "closed"]);
    }
    let server = RawServer::http(Peer::reset);
    let output = wscope(&["connect", &server.url()]).run();
    output
        .code(3)
        .stdout("")
        .says(&[&server.address(), "reset"]);
}

#[test]
fn a_refusal_shows_status_headers_body_and_what_to_try() {
    for (status, header, words) in [
        ("200 OK", "Server: nginx", &["200"][..]),
        (
            "301 Moved Permanently",
            "Location: ws://elsewhere/",
            &["301", "ws://elsewhere/", "-L"],
        ),
        (
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=\"x\"",
            &["401", "Basic", "--auth"],
        ),
        ("403 Forbidden", "X-Why: origin", &["403", "-o"]),
        ("404 Not Found", "Server: x", &["404", "path"]),
        (
            "426 Upgrade Required",
            "Sec-WebSocket-Version: 8",
            &["426", "8"],
        ),
        ("429 Too Many Requests", "Retry-After: 7", &["429", "7"]),
        ("503 Service Unavailable", "Retry-After: 7", &["503", "7"]),
    ] {
        let server = RawServer::answering(format!(
            "HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 20\r\n\r\nthe body says it all"
        ));
        let output = wscope(&["connect", &server.url()]).run();
        output
            .code(5)
            .stdout("")
            .says(words)
            .says(&[&server.address(), "the body says it all"]);
    }
}

#[test]
fn a_hostile_refusal_is_shown_and_not_obeyed() {
    let head = "\u{9b}2J\u{202e}evil\u{200b}";
    let length = HOSTILE.len();
    let server = RawServer::answering(format!(
        "HTTP/1.1 400 {head}\r\nServer: {head}\r\nContent-Length: {length}\r\n\r\n{HOSTILE}"
    ));
    let output = wscope(&["connect", &server.url(), "-v"]).run();
    output
        .code(5)
        .stdout("")
        .says(&["400", "evil"])
        .never_says(&["\u{202e}", "\u{200b}"]);

    let server = RawServer::answering(format!("HTTP/1.1 400 {HOSTILE}\r\n\r\n"));
    let output = wscope(&["connect", &server.url(), "-v"]).run();
    output
        .code(5)
        .stdout("")
        .says(&["400", "\\x1b"])
        .never_says(&["\u{1b}", "\u{202e}"]);
}

#[test]
fn an_answer_that_is_not_http() {
    for answer in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let server = RawServer::answering(answer);
        let output = wscope(&["connect", &server.url()]).run();
        output.code(5).stdout("").says(&[&server.address(), "HTTP"]);
    }
}

/// A 101 with these header lines in place of the right ones.
fn wrong_101(lines: impl Fn(&Peer) -> Vec<String> + Send + 'static) -> RawServer {
    RawServer::http(move |peer| {
        let lines = lines(peer).join("\r\n");
        peer.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n\r\n"
        ));
    })
}

#[test]
fn a_101_that_is_wrong_is_refused() {
    type Lines = fn(&Peer) -> Vec<String>;
    let cases: &[(Lines, &str)] = &[
        (
            |_| right_101("AAAAAAAAAAAAAAAAAAAAAAAAAAA=", ""),
            "Sec-WebSocket-Accept",
        ),
        (
            |peer| right_101(&peer.accept_key(), "").split_off(1),
            "Upgrade",
        ),
        (
            |peer| right_101(&peer.accept_key(), "Sec-WebSocket-Protocol: nobody-asked"),
            "nobody-asked",
        ),
        (
            |peer| {
                right_101(
                    &peer.accept_key(),
                    "Sec-WebSocket-Extensions: x-nobody-asked",
                )
            },
            "x-nobody-asked",
        ),
    ];
    for &(lines, word) in cases {
        let server = wrong_101(lines);
        let output = wscope(&["connect", &server.url()]).run();
        output.code(5).stdout("").says(&[word, &server.address()]);
    }
}

fn right_101(accept: &str, more: &str) -> Vec<String> {
    let mut lines = vec![
        "Upgrade: websocket".to_owned(),
        "Connection: keep-alive, Upgrade".into(),
        format!("Sec-WebSocket-Accept: {accept}"),
    ];
    lines.extend((!more.is_empty()).then(|| more.to_owned()));
    lines
}

#[test]
fn a_subprotocol_that_was_asked_for_must_be_chosen() {
    let server = RawServer::http(Peer::accept);
    let output = wscope(&["connect", &server.url(), "-s", "chat,superchat"]).run();
    output.code(5).stdout("").says(&["subprotocol", "chat"]);
}

// --- on the wire ---------------------------------------------------------------------------------

/// A server that sends a good message and then `bytes`; the program must show the message, end with
/// 9, say `word`, and have closed with `code`.
#[track_caller]
fn breach(bytes: Vec<u8>, code: u16, word: &str) {
    let server = RawServer::open(move |peer| {
        peer.send_text("good");
        peer.send(&bytes);
        assert_eq!(peer.close_frame().0, code);
        assert!(peer.drain(), "the Close was followed by a reset");
    });
    let running = wscope(&["connect", &server.url()]).spawn();
    let output = running.wait();
    output.code(9).stdout("good\n").says(&[word]);
}

#[test]
fn frames_that_break_the_protocol_are_closed_with_1002() {
    let masked = encode(0x80 | TEXT, Some([1, 2, 3, 4]), b"hello");
    breach(masked, 1002, "mask");
    breach(encode(0x83, None, b""), 1002, "opcode");
    breach(encode(0x8b, None, b""), 1002, "opcode");
    breach(encode(0xc1, None, b"x"), 1002, "RSV");
    breach(encode(0x91, None, b"x"), 1002, "RSV");
    breach(encode(PING, None, b"x"), 1002, "fragment");
    breach(encode(0x80 | PING, None, &[0; 126]), 1002, "125");
    breach(encode(0x80, None, b"x"), 1002, "continuation");
    let interleaved = [encode(TEXT, None, b"a"), encode(0x80 | TEXT, None, b"b")].concat();
    breach(interleaved, 1002, "fragmented");
    let most_significant_bit = [&[0x82, 127, 0xff][..], &[0; 7]].concat();
    breach(most_significant_bit, 1002, "length");
}

#[test]
fn text_that_is_not_utf8_is_closed_with_1007() {
    breach(encode(0x80 | TEXT, None, b"\xff"), 1007, "UTF-8");
    breach(encode(0x80 | TEXT, None, b"cut \xe2\x82"), 1007, "UTF-8");
    breach(encode(TEXT, None, b"early \xc0\xaf"), 1007, "UTF-8");
    breach(
        encode(0x80 | CLOSE, None, &[0x03, 0xe8, 0xff]),
        1007,
        "UTF-8",
    );
}

#[test]
fn close_frames_that_may_not_be_are_closed_with_1002() {
    breach(encode(0x80 | CLOSE, None, &[3]), 1002, "close");
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        breach(
            encode(0x80 | CLOSE, None, &close_payload(code, "")),
            1002,
            &code.to_string(),
        );
    }
}

#[test]
fn a_message_over_the_limit_is_closed_with_1009_before_it_is_read() {
    let announced = [&[0x82, 127][..], &(65u64 << 20).to_be_bytes()].concat();
    breach(announced.clone(), 1009, "64");
    breach(announced.clone(), 1009, "the peer sent a message of ");
    breach(announced, 1009, "--max-message-size allows more");
}

#[test]
fn close_codes_decide_the_exit_code() {
    for (code, exit) in [
        (1000, 0),
        (1001, 0),
        (1008, 8),
        (1011, 8),
        (1014, 8),
        (3000, 8),
        (4999, 8),
    ] {
        let server = RawServer::open(move |peer| {
            peer.send_close(code, "because");
            assert_eq!(peer.close_frame().0, code);
        });
        let output = wscope(&["connect", &server.url()])
            .spawn()
            .wait()
            .code(exit)
            .stdout("");
        if exit != 0 {
            output.says(&[&code.to_string(), "because"]);
        }
    }
}

#[test]
fn a_close_without_a_code_is_an_ordinary_end() {
    let server = RawServer::open(|peer| {
        peer.send_frame(CLOSE, "");
        assert_eq!(peer.close_frame().0, 1005);
    });
    let output = wscope(&["connect", &server.url(), "--json"]).spawn().wait();
    let close = &output.events_of("close")[0];
    assert_eq!(close["code"], 1005);
    assert!(close["wire_code"].is_null());
    assert_eq!(close["clean"], true);
    output.code(0).stderr("");
}

#[test]
fn a_reset_in_the_middle_of_a_message_is_1006() {
    let server = RawServer::open(|peer| {
        peer.send_text("good");
        // A reset may overtake what was not read yet: the pong says that all was.
        peer.send_frame(PING, "");
        assert_eq!(peer.frame().expect("a pong").opcode, PONG);
        peer.send([0x82, 100, 1, 2, 3]);
        peer.reset();
    });
    let output = wscope(&["connect", &server.url()]).spawn().wait();
    output.code(8).stdout("good\n").says(&["1006"]);
}

#[test]
fn the_end_of_tcp_in_the_middle_of_a_message_is_1006() {
    let server = RawServer::open(|peer| {
        peer.send_text("good");
        peer.send([0x82, 100, 1, 2, 3]);
    });
    let output = wscope(&["connect", &server.url()]).spawn().wait();
    output.code(8).stdout("good\n").says(&["1006"]);
}

#[test]
fn a_hostile_close_reason_is_shown_and_not_obeyed() {
    let server = RawServer::open(|peer| {
        peer.send_close(4000, HOSTILE);
        peer.drain();
    });
    let output = wscope(&["connect", &server.url()]).spawn().wait();
    output
        .code(8)
        .stdout("")
        .says(&["4000", "evil"])
        .never_says(&["\u{202e}", "\u{200b}"]);
}

#[test]
fn pongs_that_are_never_read_do_not_grow_memory() {
    // The server sends pings as fast as it can and never reads a pong. All of them together would
    // take 20 MB even without any bookkeeping.
    let echo = serve(&[]);
    let mut idle = wscope(&["connect", echo.url()]).spawn();
    idle.send("hi");
    idle.stdout.line("hi");
    let before = idle.peak_memory();
    idle.end_input();
    idle.wait().code(0);
    let (measured, done) = mpsc::channel();
    let server = RawServer::open(move |peer| {
        let batch = encode(0x80 | PING, None, &[b'p'; 125]).repeat(1000);
        for _ in 0..150 {
            peer.send(&batch);
        }
        peer.send_text("done");
        done.recv().expect("the test goes on");
        peer.reset();
    });
    let running = wscope(&["connect", &server.url()]).spawn();
    running.stdout.line("done");
    let peak = running.peak_memory();
    measured.send(()).expect("the server waits");
    running.wait().code(8).stdout("done\n");
    let more = peak.saturating_sub(before);
    assert!(more < 10 << 20, "{} MiB more than idle", more >> 20);
}

#[test]
fn serve_survives_clients_that_break_off() {
    let server = serve(&[]);
    for bytes in [
        &b""[..],
        b"GET",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"\x16\x03\x01",
        b"\0\0\0\r\n\r\n",
    ] {
        let mut peer = Peer::dial(server.address());
        peer.send(bytes);
    }
    let output = wscope(&["connect", server.url(), "-x", "still up"]).run();
    output.code(0).stdout("still up\n").stderr("");
}

#[test]
fn serve_answers_broken_frames_with_their_close_code() {
    let server = serve(&["--max-message-size", "1MiB"]);
    let mask = Some([9, 8, 7, 6]);
    let announced = [&[0x82, 0xff][..], &(2u64 << 20).to_be_bytes(), &[0; 4]].concat();
    for (bytes, code) in [
        (encode(0x80 | TEXT, None, b"unmasked"), 1002),
        (encode(0x83, mask, b""), 1002),
        (encode(0x80 | TEXT, mask, b"\xff"), 1007),
        (announced, 1009),
    ] {
        let mut peer = Peer::connect_open(server.address());
        peer.send_frame(BINARY, "good");
        peer.send(&bytes);
        assert_eq!(peer.frame().expect("the echo").payload, b"good");
        assert_eq!(peer.close_frame().0, code);
        assert!(peer.drain(), "the Close was followed by a reset");
    }
}
