//! `serve`: a server to test clients against, here tested by clients that are not ours to trust.

mod harness;

use std::time::Duration;

use harness::program::wscope;
use harness::raw::{BINARY, CLOSE, PING, PONG, Peer, TEXT, UPGRADE, encode};
use harness::running::Signal;
use harness::served::serve;
use serde_json::Value;

#[test]
fn the_first_line_says_where_it_listens() {
    let running = wscope(&["serve", "0"]).spawn();
    let line = running.stdout.line("");
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("ws://127.0.0.1:"));
    let address = url
        .expect("a URL")
        .trim_start_matches("ws://")
        .trim_end_matches(['/', '.', ',']);
    let mut client = Peer::connect_open(address);
    client.send_text("hello");
    assert_eq!(client.text(), "hello");
    running.signal(Signal::Terminate);
    running.wait().code(0).stderr("");
}

#[test]
fn echo_returns_every_message_as_it_came() {
    let server = serve(&[]);
    let mut client = Peer::connect_open(server.address());
    let large = vec![7; 1 << 20];
    for (opcode, payload) in [
        (TEXT, &b"hello"[..]),
        (TEXT, b""),
        (BINARY, b"\x00\xff"),
        (BINARY, b""),
        (BINARY, &large),
    ] {
        client.send_frame(opcode, payload);
        let echo = client.frame().expect("an echo");
        assert_eq!((echo.opcode, echo.masked), (opcode, false));
        assert!(
            echo.payload == payload,
            "{} bytes came back",
            echo.payload.len()
        );
    }
}

#[test]
fn echo_answers_pings_and_reads_fragments_around_them() {
    let server = serve(&[]);
    let mut client = Peer::connect_open(server.address());
    let mask = Some([1, 2, 3, 4]);
    client.send(encode(TEXT, mask, b"one "));
    client.send_frame(PING, "between");
    client.send(encode(0x80, mask, b"message"));
    let pong = client.frame().expect("a pong");
    assert_eq!((pong.opcode, pong.text()), (PONG, "between".into()));
    assert_eq!(client.text(), "one message");
}

#[test]
fn a_close_is_answered_and_tcp_ended_by_the_server() {
    let server = serve(&[]);
    for (payload, answered) in [
        (&b"\x03\xe8bye"[..], 1000),
        (b"\x10\x1e", 4126),
        (b"", 1005),
    ] {
        let mut client = Peer::connect_open(server.address());
        client.send_frame(CLOSE, payload);
        assert_eq!(client.close_frame().0, answered);
        assert!(client.drain(), "TCP did not end in order");
    }
}

#[test]
fn a_prefix_goes_before_text() {
    let server = serve(&["--echo-prefix", "you said: "]);
    let mut client = Peer::connect_open(server.address());
    client.send_text("hello");
    assert_eq!(client.text(), "you said: hello");
}

#[test]
fn broadcast_reaches_everyone() {
    let server = serve(&["--mode", "broadcast"]);
    let mut clients = [(); 3].map(|()| Peer::connect_open(server.address()));
    for client in &mut clients {
        // A pong says that the server has taken the client in.
        client.send_frame(PING, "");
        assert_eq!(client.frame().expect("a pong").opcode, PONG);
    }
    clients[0].send_text("to all");
    for client in &mut clients {
        assert_eq!(client.text(), "to all");
    }
}

#[test]
fn broadcast_may_leave_out_the_sender() {
    let server = serve(&["--mode", "broadcast", "--exclude-sender"]);
    let mut clients = [(); 2].map(|()| Peer::connect_open(server.address()));
    for client in &mut clients {
        client.send_frame(PING, "");
        assert_eq!(client.frame().expect("a pong").opcode, PONG);
    }
    clients[0].send_text("from the first");
    assert_eq!(clients[1].text(), "from the first");
    clients[1].send_text("from the second");
    assert_eq!(
        clients[0].text(),
        "from the second",
        "the sender heard itself"
    );
}

#[test]
fn a_frame_that_rides_with_the_request_is_read() {
    let server = serve(&[]);
    let mut client = Peer::dial(server.address());
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\n{}\r\n\r\n",
        server.address(),
        UPGRADE.join("\r\n")
    );
    let early = encode(0x80 | TEXT, Some([5, 6, 7, 8]), b"early");
    client.send([request.as_bytes(), &early].concat());
    client.read_head();
    assert!(client.head.starts_with("HTTP/1.1 101"), "{}", client.head);
    assert_eq!(
        client.header("Sec-WebSocket-Accept"),
        ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
    );
    assert_eq!(client.text(), "early");
}

/// The status of the answer to a request with these lines after `Host`.
#[track_caller]
fn status(address: &str, first: &str, lines: &[&str]) -> u16 {
    let host = format!("Host: {address}");
    let mut head = vec![first, &host];
    head.extend_from_slice(lines);
    status_of(&Peer::connect(address, &head))
}

#[track_caller]
fn status_of(peer: &Peer) -> u16 {
    let status = peer
        .head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no status: {:?}", peer.head))
}

#[test]
fn a_request_that_is_no_right_handshake_is_refused() {
    let server = serve(&[]);
    let address = server.address();
    let get = "GET / HTTP/1.1";
    let without = |name: &str| -> Vec<&str> {
        let mut lines = UPGRADE.to_vec();
        lines.retain(|line| !line.starts_with(name));
        lines
    };
    let and = |name: &str, line: &'static str| {
        let mut lines = without(name);
        lines.push(line);
        lines
    };
    assert_eq!(status(address, get, UPGRADE), 101);
    assert_eq!(
        status(
            address,
            get,
            &and("Connection", "Connection: keep-alive, upgrade")
        ),
        101
    );
    assert_eq!(
        status(address, get, &and("Upgrade", "Upgrade: WebSocket")),
        101
    );

    assert_eq!(status(address, get, &[]), 426);
    assert_eq!(status(address, "POST / HTTP/1.1", UPGRADE), 405);
    assert_eq!(status(address, get, &without("Sec-WebSocket-Key")), 400);
    assert_eq!(
        status(
            address,
            get,
            &and("Sec-WebSocket-Key", "Sec-WebSocket-Key: short")
        ),
        400
    );
    assert_eq!(
        status(
            address,
            get,
            &and("none", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        ),
        400
    );
    assert_eq!(status(address, get, &and("none", "Host: doubled")), 400);
    let wrong_version = and("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8");
    let mut head = vec![get, "Host: localhost"];
    head.extend(wrong_version);
    let peer = Peer::connect(address, &head);
    assert_eq!(status_of(&peer), 426);
    assert_eq!(peer.header("Sec-WebSocket-Version"), ["13"]);
}

#[test]
fn only_pages_from_this_machine_may_connect() {
    let server = serve(&[]);
    for (origin, allowed) in [
        ("Origin: null", false),
        ("Origin: file://", true),
        ("Origin: http://localhost:5173", true),
        ("Origin: https://127.0.0.1", true),
        ("Origin: http://[::1]:8080", true),
        ("Origin: http://evil.example", false),
        ("Origin: http://localhost.evil.example", false),
        ("Origin: http://127.0.0.1.evil.example", false),
    ] {
        let peer = Peer::connect_with(server.address(), &[origin]);
        assert_eq!(
            status_of(&peer),
            if allowed { 101 } else { 403 },
            "{origin}"
        );
    }
}

#[test]
fn other_origins_must_be_named() {
    let server = serve(&["--allow-origin", "https://app.example"]);
    for (origin, expected) in [
        ("Origin: https://app.example", 101),
        ("Origin: https://other.example", 403),
    ] {
        assert_eq!(
            status_of(&Peer::connect_with(server.address(), &[origin])),
            expected,
            "{origin}"
        );
    }
    let framed = serve(&["--allow-origin", "null"]);
    let peer = Peer::connect_with(framed.address(), &["Origin: null"]);
    assert_eq!(status_of(&peer), 101);
    for (origin, says) in [
        ("foo", "https://app.example:8443"),
        ("app.example", "https://app.example:8443"),
        ("https://app.example/", "https://app.example"),
        ("https://*.example", "*"),
        ("https://a:99999", "port"),
        ("https://", "host"),
    ] {
        let run = wscope(&["serve", "0", "--allow-origin", origin]).run();
        run.code(2)
            .stdout("")
            .says(&["--allow-origin", origin, says]);
    }
    let open = serve(&["--allow-origin", "*"]);
    assert_eq!(
        status_of(&Peer::connect_with(
            open.address(),
            &["Origin: https://any.example"]
        )),
        101
    );
}

/// One could be that of a page, and the other the one that is allowed.
#[test]
fn two_origins_are_none() {
    let server = serve(&[]);
    let local = "Origin: http://localhost";
    for second in [local, "Origin: https://evil.example"] {
        let peer = Peer::connect_with(server.address(), &[local, second]);
        assert_eq!(status_of(&peer), 400, "{second}");
    }
    assert_eq!(
        status_of(&Peer::connect_with(server.address(), &[local])),
        101
    );
}

#[test]
fn a_name_that_was_rebound_to_loopback_is_refused() {
    let server = serve(&[]);
    let mut head = vec!["GET / HTTP/1.1", "Host: rebound.example"];
    head.extend_from_slice(UPGRADE);
    assert_eq!(status_of(&Peer::connect(server.address(), &head)), 403);
    assert_eq!(status_of(&Peer::connect_with(server.address(), &[])), 101);
}

#[cfg(unix)]
#[test]
fn any_host_may_be_named_on_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket").display().to_string();
    let server = wscope(&["serve", &format!("unix:{path}")]).spawn();
    server.stdout.line("listening on");
    let url = "ws://service.example/";
    let output = wscope(&["connect", "--unix-socket", &path, url, "-x", "hi"]).run();
    output.code(0).stdout("hi\n");
}

/// What a server that was killed left behind is replaced; what somebody uses, or is no socket, is not.
#[cfg(unix)]
#[test]
fn a_stale_unix_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket").display().to_string();
    let address = format!("unix:{path}");
    let start = || {
        let server = wscope(&["serve", &address]).spawn();
        server.stdout.line("listening on");
        server
    };
    let killed = start();
    killed.signal(Signal::Kill);
    killed.wait();
    let _server = start();
    let output = wscope(&["serve", &address]).run();
    output
        .code(3)
        .stdout("")
        .says(&[&path, "another program listens there", "another path"])
        .never_says(&["port 0"]);
    let connect = ["connect", "--unix-socket", &path, "ws://a/", "-x", "hi"];
    wscope(&connect).run().code(0).stdout("hi\n");

    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    let address = format!("unix:{}", file.display());
    let output = wscope(&["serve", &address]).run();
    output
        .code(3)
        .says(&["a file that is no socket", "another path"]);
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}

/// A script reads the URL in the first line and no further.
#[cfg(unix)]
#[test]
fn it_goes_on_when_nobody_reads_its_log() {
    for (expect, code) in [("connections>=3", "0"), ("connections>=4", "4")] {
        let script = format!(
            r#"mkfifo log
            "$WSCOPE" serve 0 --json --duration 60 --expect '{expect}' >log & server=$!
            read -r first <log
            url=${{first#*'"url":"'}}
            for text in one two three; do
                "$WSCOPE" connect "${{url%%\"*}}" -x $text || kill -KILL $server
            done
            kill -TERM $server
            wait $server; echo $?"#
        );
        let output = harness::program::shell(&script).run();
        output.code(0).stdout(format!("one\ntwo\nthree\n{code}\n"));
    }
}

#[test]
fn verbose_shows_the_heads_as_they_were_on_the_wire() {
    let server = wscope(&["serve", "0", "-v"]).spawn();
    let url = server.stdout.wait_until("the address", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let rest = text.split_once("ws://")?.1;
        Some(rest.split_once('/')?.0.to_owned())
    });
    let more = ["X-Twice: 1", "x-between: 2", "X-Twice: 3"];
    let peer = Peer::connect_with(&url, &more);
    let date = peer.header("date").concat();
    for line in [
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n",
        &format!("date: {date}\n"),
    ] {
        server.stdout.wait_until(line, |bytes| {
            String::from_utf8_lossy(bytes).contains(line).then_some(())
        });
    }
    let shown = String::from_utf8_lossy(&server.stdout.so_far()).into_owned();
    let lines: Vec<&str> = shown
        .lines()
        .map(|line| line.trim_start_matches([' ', '>', '<', '#', '1']))
        .collect();
    let at = |wanted: &str| lines.iter().position(|line| line.ends_with(wanted));
    let first = at(more[0]).unwrap_or_else(|| panic!("{shown}"));
    assert!(
        lines[first + 1].ends_with(more[1]) && lines[first + 2].ends_with(more[2]),
        "{shown}"
    );
}

#[test]
fn a_path_that_is_not_served_is_404() {
    let server = serve(&["--path", "/chat"]);
    assert_eq!(
        status(server.address(), "GET /chat?room=1 HTTP/1.1", UPGRADE),
        101
    );
    assert_eq!(
        status(server.address(), "GET /other HTTP/1.1", UPGRADE),
        404
    );
}

#[test]
fn a_full_server_says_so() {
    let server = serve(&["--max-connections", "1"]);
    let _first = Peer::connect_open(server.address());
    assert_eq!(status_of(&Peer::connect_with(server.address(), &[])), 503);
}

#[test]
fn the_first_subprotocol_that_it_knows_is_chosen() {
    let server = serve(&["-s", "v2,v1"]);
    let offer = "Sec-WebSocket-Protocol: v1, v2";
    let peer = Peer::connect_with(server.address(), &[offer]);
    assert_eq!(peer.header("Sec-WebSocket-Protocol"), ["v2"]);
}

#[test]
fn a_taken_port_is_named() {
    let server = serve(&[]);
    let output = wscope(&["serve", server.address()]).run();
    output
        .code(3)
        .stdout("")
        .says(&[server.address(), "in use", "port 0"]);
    let _client = Peer::connect_open(server.address());
}

#[test]
fn everyone_is_told_at_the_end_and_it_exits_with_0() {
    for signal in [Signal::Interrupt, Signal::Terminate] {
        let server = serve(&[]);
        let clients = [(); 3].map(|()| {
            let mut client = Peer::connect_open(server.address());
            std::thread::spawn(move || {
                let (code, _) = client.close_frame();
                client.send_close(code, "");
                assert!(client.drain(), "TCP did not end in order");
                code
            })
        });
        let output = server.stop(signal).code(0).stderr("");
        for client in clients {
            assert_eq!(client.join().expect("the client was told"), 1001);
        }
        assert_eq!(output.events_of("close").len(), 3, "{output}");
    }
}

#[test]
fn a_client_that_never_answers_the_close_does_not_hold_it_up() {
    let server = serve(&["--drain", "0.2"]);
    let _client = Peer::connect_open(server.address());
    let output = server.stop(Signal::Terminate).code(0);
    let closes = output.events_of("close");
    assert_eq!(
        closes.len(),
        1,
        "it ended by itself after --drain\n{output}"
    );
}

#[test]
fn who_cannot_be_told_in_time_is_told_at_the_end_of_the_drain() {
    // The Close would stand behind what waits for its time.
    let server = serve(&["--drain=0.2", "--fault=delay=60s"]);
    let mut client = Peer::connect_open(server.address());
    client.send_text("hello");
    client.send_frame(PING, "");
    assert_eq!(client.frame().expect("a pong").opcode, PONG);
    let told = std::thread::spawn(move || client.close_frame().0);
    let output = server.stop(Signal::Terminate).code(0);
    assert_eq!(told.join().expect("it is told"), 1001);
    assert_eq!(output.events_of("close").len(), 1, "{output}");
}

#[test]
fn who_reads_nothing_to_the_end_is_logged_as_gone() {
    let server = serve(&["--drain=0.2", "--no-compress"]);
    let mut deaf = Peer::connect_open(server.address());
    deaf.gives_up_after(Duration::from_millis(500));
    let message = encode(0x80 | BINARY, Some([0; 4]), &[0; 64 << 10]);
    // Until its answers fill all there is, and it is not read any more.
    while deaf.try_send(&message) {}
    let output = server.stop(Signal::Terminate).code(0);
    assert_eq!(output.events_of("close").len(), 1, "{output}");
}

#[test]
fn a_client_that_is_gone_is_found_by_heartbeats() {
    let server = serve(&["--heartbeat", "0.1/0.1", "--mode", "rooms"]);
    let mut ghost = Peer::connect_open(server.address());
    ghost.send_text(r#"{"type":"join","room":"r"}"#);
    // It never answers a ping, so the server ends the connection.
    ghost.drain();
    let output = server.stop(Signal::Terminate).code(0);
    assert_eq!(output.events_of("error")[0]["kind"], "timeout", "{output}");
    let events = output.events();
    let at = |kind: &str, state: &str| {
        let is_it = |event: &Value| {
            event["event"] == kind && event.get("state").is_none_or(|it| it == state)
        };
        events
            .iter()
            .position(is_it)
            .unwrap_or_else(|| panic!("{kind}\n{output}"))
    };
    assert!(
        at("presence", "lost") < at("close", ""),
        "it leaves before its time to answer the Close is over\n{output}"
    );
    let close = &output.events_of("close")[0];
    assert_eq!(
        (&close["by"], &close["clean"]),
        (&"us".into(), &false.into()),
        "{output}"
    );
}

#[test]
fn who_is_not_read_is_no_ghost() {
    // Its answers stand behind messages that wait for their time.
    let server = serve(&["--heartbeat=0.2/0.5", "--rate-limit=1/s"]);
    let mut client = Peer::connect_open(server.address());
    for number in 0..4 {
        client.send_text(&number.to_string());
    }
    let mut echoes = 0;
    while echoes < 4 {
        let frame = client.frame().expect("it stays open");
        match frame.opcode {
            PING => client.send_frame(PONG, &frame.payload),
            opcode => {
                assert_eq!((opcode, frame.text()), (TEXT, echoes.to_string()));
                echoes += 1;
            }
        }
    }
    client.send_close(1000, "");
    client.drain();
    let output = server.stop(Signal::Terminate).code(0);
    assert_eq!(output.events_of("close")[0]["code"], 1000, "{output}");
}

#[test]
fn who_does_not_read_is_a_ghost_though_it_is_not_read_either() {
    // Both talk and do not listen, so that each keeps the other from being read.
    let server = serve(&["--mode=broadcast", "--overflow=block", "--heartbeat=1/1"]);
    let mut deaf = [(); 2].map(|()| Peer::connect_open(server.address()));
    for client in &mut deaf {
        client.send_frame(PING, "");
        assert_eq!(client.frame().expect("a pong").opcode, PONG);
    }
    let talking = deaf.map(|mut client| {
        std::thread::spawn(move || {
            let batch = encode(0x80 | BINARY, Some([0; 4]), &[0; 64 * 1024]);
            while client.try_send(&batch) {}
        })
    });
    for client in talking {
        client.join().expect("it is given up");
    }
    let output = server.stop(Signal::Terminate).code(0);
    let errors = output.events_of("error");
    assert!(
        errors.iter().all(|error| error["kind"] == "timeout"),
        "{output}"
    );
    assert_eq!(errors.len(), 2, "{output}");
}

#[test]
fn a_client_that_never_reads_does_not_grow_the_server() {
    let mut server = serve(&["--mode", "broadcast", "--exclude-sender"]);
    let mut deaf = Peer::connect_open(server.address());
    deaf.send_frame(PING, "");
    assert_eq!(deaf.frame().expect("a pong").opcode, PONG);
    let mut sender = Peer::connect_open(server.address());
    let batch = encode(0x80 | BINARY, Some([0; 4]), &[0; 64 * 1024]);
    for _ in 0..2000 {
        sender.send(&batch);
    }
    sender.send_frame(PING, "all read");
    while sender.frame().expect("the sender is served").opcode != PONG {}
    let peak = server.running().peak_memory();
    assert!(peak < 64 << 20, "{} MiB at the peak", peak >> 20);
    deaf.reset();
    server.stop(Signal::Terminate).code(0);
}

#[test]
fn a_command_is_run_against_it_and_its_code_is_the_exit_code() {
    let client = "\"$WSCOPE\" connect \"$WSCOPE_URL\" -x hello >/dev/null";
    for (after, code) in [("true", 0), ("exit 3", 3), ("kill -9 $$", 137)] {
        let line = format!("{client}; {after}");
        let run = wscope(&[
            "serve",
            "0",
            "--json",
            "--expect",
            "received>=1",
            "--exec",
            &line,
        ]);
        let program = env!("CARGO_BIN_EXE_wscope");
        let output = run.env("WSCOPE", program).run().code(code);
        assert_eq!(output.events_of("end")[0]["exit"], code, "{output}");
    }
    let run = wscope(&[
        "serve",
        "0",
        "--json",
        "--expect",
        "connections>=1",
        "--exec",
        "true",
    ]);
    let output = run.run().code(4);
    let unmet = &output.events_of("error")[0];
    assert_eq!(unmet["kind"], "unmet", "{output}");
    assert_eq!(
        unmet["message"],
        "expected connections>=1, but connections is 0"
    );
}

#[test]
fn what_is_expected_has_a_time() {
    let run = wscope(&["serve", "0", "--duration=0.2", "--expect=connections=0"]).run();
    run.code(0);
    let run = wscope(&["serve", "0", "--duration=0.2", "--expect=connections>=1"]).run();
    let output = run.code(4);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.ends_with("error: expected connections>=1, but connections is 0\n"),
        "{output}"
    );
    let wrong = wscope(&["serve", "0", "--expect=clients>=1"]).run();
    wrong
        .code(2)
        .says(&["clients>=1", "connections, received, sent"]);
}

#[test]
fn a_command_that_still_runs_ends_with_it() {
    let running = wscope(&["serve", "0", "--exec", "echo started >&2; exec sleep 1000"]).spawn();
    running.stderr.line("started");
    running.signal(Signal::Terminate);
    running.wait().code(0);
}

#[test]
fn what_a_command_has_started_ends_with_it() {
    // Whoever is left holds our stderr open, and its end is waited for.
    for (line, flag, code) in [
        ("sleep 1000; true", "--duration=0.5", 7),
        ("sleep 1000 & true", "--duration=60", 0),
    ] {
        let run = wscope(&["serve", "0", "--json", flag, "--exec", line]).spawn();
        let output = run.wait().code(code);
        let errors = output.events_of("error");
        assert_eq!(errors.len(), usize::from(code == 7), "{output}");
        assert!(
            errors.iter().all(|error| error["kind"] == "timeout"),
            "{output}"
        );
    }
    let running = wscope(&["serve", "0", "--exec", "echo started >&2; sleep 1000; true"]).spawn();
    running.stderr.line("started");
    running.signal(Signal::Terminate);
    running.wait().code(0);
}

#[test]
fn an_opening_tells_how_long_ago_its_address_tried_before() {
    let server = serve(&["--fault", "refuse=503:conn=1"]);
    let refused = Peer::connect_with(server.address(), &[]);
    assert!(refused.head.starts_with("HTTP/1.1 503"), "{}", refused.head);
    drop(Peer::connect_open(server.address()));
    let output = server.stop(Signal::Terminate).code(0);
    let opens = output.events_of("open");
    assert!(opens[0]["since_ms"].as_f64() > Some(0.0), "{output}");
}
