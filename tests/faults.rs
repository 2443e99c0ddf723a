//! `serve --fault`: each fault as a client that is nothing but TCP sees it.

mod harness;

use std::time::{Duration, Instant};

use harness::program::{Output, wscope};
use harness::raw::{CLOSE, Frame, PING, PONG, Peer, TEXT, close_payload};
use harness::running::Signal;
use harness::served::{Served, serve};

fn faulty(faults: &[&str]) -> Served {
    let flags: Vec<String> = faults
        .iter()
        .map(|fault| format!("--fault={fault}"))
        .collect();
    let mut args = vec!["--fault-seed=1"];
    args.extend(flags.iter().map(String::as_str));
    serve(&args)
}

/// The server's log, and the `detail` of each `fault` in it.
#[track_caller]
fn hits(server: Served) -> (Output, Vec<String>) {
    let output = server.stop(Signal::Terminate).code(0);
    let details = output.events_of("fault").into_iter().map(|event| {
        let detail = event["detail"].as_str().expect("a detail").to_owned();
        let action = event["action"].as_str().expect("an action");
        assert!(detail.starts_with(action), "{event}");
        detail
    });
    let details = details.collect();
    (output, details)
}

/// What a fault is told as when it has struck once.
#[track_caller]
fn is_told(server: Served, detail: &str) -> Output {
    let (output, hits) = hits(server);
    assert_eq!(hits, [detail], "{output}");
    output
}

#[track_caller]
fn status(peer: &Peer) -> &str {
    peer.head.split(' ').nth(1).unwrap_or("nothing")
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    harness::raw::encode(first, None, payload)
}

// --- the opening handshake -----------------------------------------------------------------------

#[test]
fn attempts_are_refused_and_others_are_not() {
    let server = faulty(&["refuse=503:conn=1-2", "redirect=\"ws://elsewhere/\":conn=3"]);
    let address = server.address().to_owned();
    let refused = Peer::connect_with(&address, &[]);
    assert_eq!(
        (status(&refused), refused.header("Retry-After")),
        ("503", vec!["1"])
    );
    assert_eq!(status(&Peer::connect_with(&address, &[])), "503");
    let moved = Peer::connect_with(&address, &[]);
    assert_eq!(
        (status(&moved), moved.header("Location")),
        ("302", vec!["ws://elsewhere/"])
    );
    // Plain HTTP is no attempt.
    let metrics = Peer::connect(&address, &["GET /metrics HTTP/1.1", "Host: localhost"]);
    assert_eq!(status(&metrics), "200");
    let mut open = Peer::connect_open(&address);
    open.send_text("hello");
    assert_eq!(open.text(), "hello");
    let (_, hits) = hits(server);
    assert_eq!(
        hits,
        [
            "refuse=503:conn=1-2: attempt 1 was refused",
            "refuse=503:conn=1-2: attempt 2 was refused",
            "redirect=\"ws://elsewhere/\":conn=3: attempt 3 was refused",
        ]
    );
}

#[test]
fn hits_are_counted() {
    let server = faulty(&["lose", "dup"]);
    let mut client = Peer::connect_open(server.address());
    client.send_text("one");
    client.send_text("two");
    client.send_frame(PING, "");
    assert_eq!(client.frame().expect("a pong").opcode, PONG);
    let mut metrics = Peer::connect(
        server.address(),
        &[
            "GET /metrics HTTP/1.1",
            "Host: localhost",
            "Connection: close",
        ],
    );
    let page = String::from_utf8(metrics.rest()).unwrap();
    assert!(
        page.contains("wscope_faults_total{action=\"lose\"} 2\n"),
        "{page}"
    );
    assert!(
        !page.contains("action=\"dup\""),
        "what is lost is not sent twice: {page}"
    );
}

#[test]
fn a_hang_lasts_until_the_client_leaves() {
    let server = faulty(&["hang:conn=1"]);
    let output = wscope(&["connect", server.url(), "--connect-timeout", "0.3"]).run();
    output.code(7);
    let _open = Peer::connect_open(server.address());
    is_told(server, "hang:conn=1: attempt 1 was not answered");
}

#[test]
fn the_answer_is_wrong() {
    for (fault, header, values) in [
        (
            "wrong-accept",
            "Sec-WebSocket-Accept",
            &["ACX+Yqv66kxgM0FcWaLWlFLwTAI="][..],
        ),
        ("no-upgrade", "Upgrade", &[]),
        ("add-protocol", "Sec-WebSocket-Protocol", &["unasked"]),
        (
            "add-extension=x-other",
            "Sec-WebSocket-Extensions",
            &["x-other"],
        ),
    ] {
        let server = faulty(&[fault]);
        let host = format!("Host: {}", server.address());
        let head = [
            "GET / HTTP/1.1",
            &host,
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ];
        let client = Peer::connect(server.address(), &head);
        assert_eq!(status(&client), "101");
        assert_eq!(client.header(header), values, "{fault}");
        drop(client);
        is_told(server, &format!("{fault}: attempt 1 was answered"));
    }
}

#[test]
fn something_leaves_with_the_101() {
    for (fault, behind) in [
        ("early-frame", &b"\x81\x05early"[..]),
        ("early-frame=hi", b"\x81\x02hi"),
        ("http-after-101", b"HTTP/1.1 200 OK\r\n"),
    ] {
        let server = faulty(&[fault]);
        let mut client = Peer::dial(server.address());
        let lines = harness::raw::UPGRADE.join("\r\n");
        client.send(format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\n"
        ));
        // One write is one segment, and one read.
        let heard = client.hear();
        let end = heard.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let rest = &heard[end.expect("a head") + 4..];
        assert!(rest.starts_with(behind), "{fault}: {rest:?}");
    }
}

// --- frames --------------------------------------------------------------------------------------

#[test]
fn frames_are_as_wrong_as_they_are_to_be() {
    let masked = harness::raw::encode(0x81, Some([0x37, 0xFA, 0x21, 0x3D]), b"masked");
    let interleaved = [
        frame(TEXT, b"one "),
        frame(0x80 | TEXT, b"other"),
        frame(0x80, b"message"),
    ];
    for (fault, expected) in [
        ("masked", masked),
        ("rsv1", frame(0xC0 | TEXT, b"\xFF\xFFrsv1")),
        ("opcode", frame(0x83, b"")),
        ("opcode=11", frame(0x8B, b"")),
        ("fin0-ping", frame(PING, b"half")),
        ("big-ping", frame(0x80 | PING, &[b'x'; 126])),
        ("interleave", interleaved.concat()),
        ("orphan-cont", frame(0x80, b"orphan")),
        ("bad-utf8", frame(0x80 | TEXT, b"caf\xE9")),
        (
            "split-utf8",
            [frame(TEXT, b"caf\xC3"), frame(0x80, b"\xA9")].concat(),
        ),
        ("len-msb", vec![0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("huge=1MiB", vec![0x81, 127, 0, 0, 0, 0, 0, 0x10, 0, 0]),
    ] {
        let fault = format!("{fault}@1msg");
        let server = faulty(&[&fault]);
        let mut client = Peer::connect_open(server.address());
        client.send_text("hello");
        client.end_sending();
        let expected = [frame(0x80 | TEXT, b"hello"), expected].concat();
        assert_eq!(client.rest(), expected, "{fault}");
        is_told(server, &fault);
    }
}

#[test]
fn messages_go_out_in_fragments() {
    for flags in [&[][..], &["--mode=broadcast"]] {
        let mut args = vec!["--fault=fragment=3", "--no-compress"];
        args.extend(flags);
        let server = serve(&args);
        let mut client = Peer::connect_open(server.address());
        client.send_text("hello!!");
        let pieces = [(); 3].map(|()| client.frame().expect("a piece"));
        let shape = pieces.map(|piece| (piece.fin, piece.opcode, piece.text()));
        let expected = [(false, TEXT, "hel"), (false, 0, "lo!"), (true, 0, "!")];
        assert_eq!(
            shape,
            expected.map(|(fin, opcode, text)| (fin, opcode, text.to_owned()))
        );
        let (output, _) = hits(server);
        let messages = output.events_of("message");
        assert_eq!(
            messages.last().expect("the echo")["wire"],
            7 + 3 * 2,
            "{output}"
        );
    }
}

// --- closing -------------------------------------------------------------------------------------

#[test]
fn the_server_closes_when_it_is_told_to() {
    let server = faulty(&["close=4002,\"that, was it\"@3msg"]);
    let mut client = Peer::connect_open(server.address());
    for text in ["one", "two", "three"] {
        client.send_text(text);
        assert_eq!(client.text(), text, "what a message leads to comes first");
    }
    assert_eq!(client.close_frame(), (4002, "that, was it".to_owned()));
    client.send_close(4002, "");
    assert!(client.drain(), "TCP did not end in order");
    drop(client);
    let output = is_told(server, "close=4002,\"that, was it\"@3msg");
    let close = &output.events_of("close")[0];
    assert_eq!(
        (&close["code"], &close["clean"]),
        (&4002.into(), &true.into()),
        "{output}"
    );
}

#[test]
fn closes_are_wrong() {
    for (fault, payload) in [
        ("bad-close=1006", &[0x03, 0xEE][..]),
        ("bad-close=999", &[0x03, 0xE7]),
        ("close-1byte", &[0x03]),
    ] {
        let server = faulty(&[fault]);
        let mut client = Peer::connect_open(server.address());
        let close = client.frame().expect("a Close");
        assert_eq!(
            (close.opcode, &close.payload[..]),
            (CLOSE, payload),
            "{fault}"
        );
        client.send_close(1002, "");
        assert!(client.drain(), "TCP did not end in order");
        drop(client);
        is_told(server, fault);
    }
}

#[test]
fn a_close_is_not_answered() {
    let server = faulty(&["no-close-reply"]);
    let mut client = Peer::connect_open(server.address());
    client.send_close(1000, "");
    client.end_sending();
    assert_eq!(client.rest(), b"", "neither a Close nor anything else");
    drop(client);
    let output = is_told(server, "no-close-reply");
    assert_eq!(output.events_of("close")[0]["clean"], false, "{output}");
}

#[test]
fn a_text_follows_the_close() {
    let close = |code: u16| frame(0x80 | CLOSE, &close_payload(code, ""));
    let expected = [close(1000), frame(0x80 | TEXT, b"after the Close")].concat();
    for fault in ["data-after-close", "data-after-close@open"] {
        let server = faulty(&[fault]);
        let mut client = Peer::connect_open(server.address());
        client.send_close(1000, "");
        assert_eq!(client.rest(), expected, "{fault}");
        drop(client);
        is_told(server, fault);
    }
}

#[test]
fn tcp_stays_open_after_both_closes() {
    let hold = Duration::from_millis(300);
    let server = faulty(&["slow-close=300ms"]);
    let mut client = Peer::connect_open(server.address());
    client.send_close(1000, "");
    assert_eq!(client.close_frame().0, 1000);
    let start = Instant::now();
    assert!(client.drain(), "TCP did not end in order");
    // It began to wait before its Close was read here.
    assert!(start.elapsed() > hold / 2, "{:?}", start.elapsed());
    drop(client);
    is_told(server, "slow-close=300ms");
}

// --- messages ------------------------------------------------------------------------------------

#[test]
fn messages_are_lost_and_doubled_and_corrupted_and_turned_round() {
    let texts = |fault: &str, count: usize| {
        let server = faulty(&[fault]);
        let mut client = Peer::connect_open(server.address());
        for text in ["one", "two", "three"] {
            client.send_text(text);
        }
        let texts: Vec<String> = (0..count).map(|_| client.text()).collect();
        client.send_close(1000, "");
        assert_eq!(
            client.close_frame().0,
            1000,
            "{fault}: no more than {texts:?}"
        );
        drop(client);
        hits(server);
        texts
    };
    assert_eq!(texts("lose@2msg", 2), ["one", "three"]);
    assert_eq!(texts("dup@/two/", 4), ["one", "two", "two", "three"]);
    assert_eq!(texts("reorder=3", 3), ["three", "two", "one"]);
    assert_eq!(texts("reorder=5", 3), ["three", "two", "one"]);
    assert_eq!(texts("lose:every=2", 2), ["one", "three"]);
    let corrupted = texts("corrupt@1msg", 3);
    assert_eq!(corrupted[1..], ["two", "three"]);
    assert!(
        corrupted[0] != "one" && corrupted[0].len() == 3,
        "{corrupted:?}"
    );
}

#[test]
fn messages_come_later_and_in_order() {
    for mode in ["--mode=echo", "--mode=broadcast"] {
        let server = serve(&["--fault=delay=300ms@1msg", mode]);
        let mut client = Peer::connect_open(server.address());
        let start = Instant::now();
        client.send_text("one");
        client.send_text("two");
        assert_eq!(client.text(), "one");
        assert!(start.elapsed() >= Duration::from_millis(300));
        assert_eq!(client.text(), "two");
        drop(client);
        is_told(server, "delay=300ms@1msg: message 1 by 300ms");
    }
}

#[test]
fn others_are_slow_without_slowing_anybody() {
    let server = serve(&["--fault=delay=1m:conn=1", "--mode=broadcast"]);
    let mut slow = Peer::connect_open(server.address());
    let mut quick = Peer::connect_open(server.address());
    for client in [&mut slow, &mut quick] {
        client.send_frame(PING, "");
        assert_eq!(client.frame().expect("a pong").opcode, PONG);
    }
    quick.send_text("hello");
    assert_eq!(quick.text(), "hello");
    slow.end_sending();
    assert_eq!(slow.rest(), b"", "it would come in a minute");
}

#[test]
fn the_same_seed_draws_the_same() {
    let drawn = |seed: &str| {
        let server = serve(&["--fault=lose:p=0.5", seed]);
        let mut client = Peer::connect_open(server.address());
        for number in 0..30 {
            client.send_text(&number.to_string());
        }
        client.send_close(1000, "");
        let frames = std::iter::from_fn(|| client.frame());
        let texts = frames.filter(|frame| frame.opcode == TEXT);
        let texts: Vec<String> = texts.map(|frame| frame.text()).collect();
        texts
    };
    let first = drawn("--fault-seed=3");
    assert_eq!(first, drawn("--fault-seed=3"));
    assert_ne!(first, drawn("--fault-seed=4"));
}

#[test]
fn a_seed_that_was_drawn_is_told() {
    for (fault, is_drawn) in [("lose:p=0.5", true), ("flaky", true), ("cut", false)] {
        let fault = format!("--fault={fault}");
        let output = wscope(&["serve", "0", &fault, "--duration=0.1"])
            .run()
            .code(0);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said.contains("--fault-seed "), is_drawn, "{output}");
    }
}

// --- heartbeats ----------------------------------------------------------------------------------

#[test]
fn pings_are_not_answered_or_wrongly() {
    let server = faulty(&["no-pong"]);
    let mut client = Peer::connect_open(server.address());
    client.send_frame(PING, "1");
    client.send_text("hello");
    assert_eq!(client.frame().map(|frame| frame.opcode), Some(TEXT));
    drop(client);
    is_told(server, "no-pong");

    let server = faulty(&["wrong-pong"]);
    let mut client = Peer::connect_open(server.address());
    client.send_frame(PING, "1");
    let pong = client.frame().expect("a pong");
    assert_eq!((pong.opcode, pong.text()), (PONG, "wrong".to_owned()));
    drop(client);
    is_told(server, "wrong-pong");
}

#[test]
fn pings_come_at_a_rate_or_not_at_all() {
    let server = serve(&["--fault=ping-flood=200/s", "--heartbeat=off"]);
    let mut client = Peer::connect_open(server.address());
    let is_ping = |frame: &Frame| frame.opcode == PING;
    for _ in 0..50 {
        assert!(client.frame().as_ref().is_some_and(is_ping));
    }
    drop(client);
    is_told(server, "ping-flood=200/s");

    // Two clients: the one without faults is pinged, and by then the other one would have been.
    let server = serve(&["--fault=no-ping:conn=1", "--heartbeat=0.2/10"]);
    let mut quiet = Peer::connect_open(server.address());
    let mut other = Peer::connect_open(server.address());
    for _ in 0..3 {
        let ping = other.frame().expect("a ping");
        assert_eq!(ping.opcode, PING);
        other.send_frame(PONG, ping.payload);
    }
    quiet.end_sending();
    assert_eq!(quiet.rest(), b"");
}

#[test]
fn an_idle_connection_is_cut() {
    let server = faulty(&["idle-cut=2s"]);
    let mut client = Peer::connect_open(server.address());
    client.send_text("hello");
    assert_eq!(client.text(), "hello");
    assert!(client.drain(), "TCP did not end in order");
    drop(client);
    let output = is_told(server, "idle-cut=2s");
    assert_eq!(output.events_of("close")[0]["code"], 1006, "{output}");
}

// --- TCP -----------------------------------------------------------------------------------------

#[test]
fn tcp_ends_without_a_close() {
    for (fault, in_order) in [("cut@1msg", true), ("reset@1msg", false)] {
        let server = faulty(&[fault]);
        let mut client = Peer::connect_open(server.address());
        client.send_text("hello");
        assert_eq!(client.text(), "hello");
        assert_eq!(client.drain(), in_order, "{fault}");
        drop(client);
        let output = is_told(server, fault);
        assert_eq!(output.events_of("close")[0]["code"], 1006, "{output}");
    }
}

#[test]
fn a_cut_takes_the_place_of_the_answer_to_a_close() {
    let server = faulty(&["cut@close"]);
    let mut client = Peer::connect_open(server.address());
    client.send_close(1000, "");
    assert_eq!(client.rest(), b"");
    drop(client);
    is_told(server, "cut@close");
}

#[test]
fn what_came_with_the_last_message_is_not_looked_at() {
    for fault in ["cut@2msg", "reset@2msg", "stall@2msg"] {
        let server = faulty(&[fault]);
        let mut client = Peer::connect_open(server.address());
        let message = harness::raw::encode(0x80 | TEXT, client.key(), b"hello");
        client.send(message.repeat(5));
        assert_eq!(
            (client.text(), client.text()),
            ("hello".into(), "hello".into())
        );
        client.end_sending();
        client.drain();
        drop(client);
        let output = is_told(server, fault);
        let messages = output.events_of("message");
        let count = messages.iter().filter(|event| event["dir"] == "in").count();
        assert_eq!(count, 2, "{output}");
    }
}

#[test]
fn half_of_a_message_comes() {
    let server = faulty(&["truncate"]);
    let mut client = Peer::connect_open(server.address());
    let half = [&[0x81, 100][..], &[b'x'; 50]].concat();
    assert_eq!(client.rest(), half);
    drop(client);
    is_told(server, "truncate");
}

#[test]
fn garbage_is_no_frame() {
    let server = faulty(&["garbage=9@1msg"]);
    let mut client = Peer::connect_open(server.address());
    client.send_text("hello");
    assert_eq!(client.text(), "hello");
    client.end_sending();
    let garbage = client.rest();
    assert_eq!((garbage.len(), garbage[0] & 0x30), (9, 0x30), "{garbage:?}");
    drop(client);
    is_told(server, "garbage=9@1msg");
}

#[test]
fn a_stalled_server_does_nothing_until_the_client_leaves() {
    let server = faulty(&["stall@1msg"]);
    let mut client = Peer::connect_open(server.address());
    client.send_text("hello");
    assert_eq!(client.text(), "hello");
    client.send_text("unheard");
    client.send_frame(PING, "unheard");
    client.end_sending();
    assert_eq!(client.rest(), b"", "neither an echo nor a pong");
    drop(client);
    let (output, hits) = hits(server);
    assert_eq!(hits, ["stall@1msg"], "{output}");
    let received = output
        .events_of("message")
        .iter()
        .filter(|event| event["dir"] == "in")
        .count();
    assert_eq!(received, 1, "{output}");
}

#[test]
fn bytes_come_in_slices_and_at_a_rate() {
    for (fault, least) in [
        ("slice=3,20ms", 20 * 5),
        ("drip=10ms", 10 * 15),
        ("rate=100", 100),
    ] {
        let server = faulty(&[fault]);
        let start = Instant::now();
        let mut client = Peer::connect_open(server.address());
        // The answer to the handshake has more than 100 bytes.
        assert!(start.elapsed() >= Duration::from_millis(300), "{fault}");
        let start = Instant::now();
        client.send_text("sixteen bytes...");
        assert_eq!(client.text(), "sixteen bytes...");
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(least), "{fault}: {took:?}");
        drop(client);
        is_told(server, fault);
    }
    let server = faulty(&["drip=1s@open:conn=2"]);
    let mut client = Peer::connect_open(server.address());
    client.send_text("not concerned");
    assert_eq!(client.text(), "not concerned");
}

#[test]
fn faults_act_below_tls() {
    for (fault, part) in [
        ("garbage", "corrupt message"),
        ("cut", "1006"),
        ("truncate", "1006"),
    ] {
        let server = serve(&["--tls-self-signed", &format!("--fault={fault}@1msg")]);
        let url = server.url().to_owned();
        let output = wscope(&["listen", "-k", &url, "-x", "hello"]).run();
        let said = format!("{output}");
        assert!(
            said.contains("hello") && said.contains(part),
            "{fault}: {said}"
        );
        is_told(server, &format!("{fault}@1msg"));
    }
}

#[cfg(unix)]
#[test]
fn faults_act_on_a_unix_socket_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket").display().to_string();
    let server = wscope(&["serve", &format!("unix:{path}"), "--fault=cut@1msg"]).spawn();
    server.stdout.line("listening on");
    let output = wscope(&["connect", "--unix-socket", &path, "ws://h/", "-x", "hi"]).run();
    output.code(8).stdout("hi\n");
}

// --- every mode, and what is wrong ----------------------------------------------------------------

#[test]
fn faults_go_with_every_mode() {
    for mode in ["echo", "broadcast", "rooms", "sink", "flood=1/m"] {
        let server = serve(&["--mode", mode, "--fault=close=4000@1msg"]);
        let mut client = Peer::connect_open(server.address());
        client.send_text("{\"type\":\"join\",\"room\":\"a\"}");
        assert_eq!(client.close_frame().0, 4000, "{mode}");
        client.send_close(4000, "");
    }
}

#[test]
fn presets_are_what_they_stand_for() {
    let server = faulty(&["alb:path=/other", "deploy"]);
    let mut client = Peer::connect_open(server.address());
    for _ in 0..2 {
        assert_eq!(status(&Peer::connect_with(server.address(), &[])), "503");
    }
    client.send_text("hello");
    assert_eq!(client.text(), "hello");
    drop(client);
    let (_, hits) = hits(server);
    let refused = |number| format!("refuse=503:conn=2-3: attempt {number} was refused");
    assert_eq!(hits, [refused(2), refused(3)]);
}

#[test]
fn what_is_no_fault_is_exit_2_with_the_nearest_name_and_a_caret() {
    for (fault, caret, part) in [
        ("dleay=1s", "  ^", "did you mean delay?"),
        ("delay=soon", "        ^", "is not a duration"),
        ("cut@never", "      ^", "open, close, 3msg, 5s or /regex/"),
    ] {
        let output = wscope(&["serve", "0", "--fault", fault])
            .run()
            .code(2)
            .stdout("");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        let at = lines.iter().position(|line| *line == format!("  {fault}"));
        assert_eq!(
            lines[at.expect("the fault as it was typed") + 1],
            caret,
            "{said}"
        );
        assert!(
            said.contains(part) && said.contains("--list-faults"),
            "{said}"
        );
    }
    wscope(&["serve", "0", "--fault-seed", "1"])
        .run()
        .code(2)
        .says(&["--fault"]);
}

#[test]
fn a_fault_is_a_line_for_people() {
    let running = wscope(&["serve", "0", "--fault=close=4000@open"]).spawn();
    let line = running.stdout.line("listening on");
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("ws://"));
    wscope(&["connect", url.expect("a URL"), "-x", "hi"])
        .run()
        .code(8);
    let line = running.stdout.line("fault");
    assert!(line.ends_with("fault close=4000@open"), "{line}");
    running.signal(Signal::Terminate);
    running.wait().code(0);
}
