//! Who may come in to `serve`: tokens, JWTs, first messages, tickets, logins, bans and limits.

mod harness;

use harness::program::wscope;
use harness::raw::{Peer, UPGRADE};
use harness::running::Signal;
use harness::served::{Served, serve};
use serde_json::{Value, json};

const KEY: &str = "a shared secret";

/// A client at a target with more header lines.
#[track_caller]
fn at(server: &Served, target: &str, more: &[&str]) -> Peer {
    let first = format!("GET {target} HTTP/1.1");
    let host = format!("Host: {}", server.address());
    let mut head = vec![first.as_str(), &host];
    head.extend_from_slice(UPGRADE);
    head.extend_from_slice(more);
    Peer::connect(server.address(), &head)
}

/// 101 for a client that may stay, the code that closes one that may not, or the status.
#[track_caller]
fn verdict(mut peer: Peer) -> u16 {
    let status = peer
        .head
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {:?}", peer.head));
    if status != 101 {
        return status;
    }
    peer.send_text("hello");
    let first = peer.frame().expect("a frame");
    match first.opcode {
        8 => u16::from_be_bytes([first.payload[0], first.payload[1]]),
        _ => 101,
    }
}

/// A plain request; its status line and headers, and its body.
fn http(server: &Served, method: &str, path: &str, more: &[&str], body: &str) -> (String, String) {
    let mut peer = Peer::dial(server.address());
    let lines: String = more.iter().map(|line| format!("{line}\r\n")).collect();
    peer.send(format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\n{lines}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        server.address(),
        body.len()
    ));
    peer.read_head();
    let body = peer.rest();
    (peer.head.clone(), String::from_utf8(body).unwrap())
}

/// A token signed with a key.
fn jwt(claims: &Value, key: &str) -> String {
    let key = jsonwebtoken::EncodingKey::from_secret(key.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), claims, &key).unwrap()
}

fn now() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    since.as_secs()
}

#[test]
fn a_token_lets_in_from_wherever_it_is_shown() {
    let server = serve(&["--token=s3cret"]);
    for (target, more) in [
        ("/?token=s3cret", &[][..]),
        ("/", &["Authorization: Bearer s3cret"]),
        ("/", &["Cookie: token=s3cret"]),
        ("/", &["Sec-WebSocket-Protocol: bearer, s3cret"]),
    ] {
        assert_eq!(verdict(at(&server, target, more)), 101, "{target} {more:?}");
    }
    assert_eq!(verdict(at(&server, "/?token=wrong", &[])), 4001);
    assert_eq!(verdict(at(&server, "/", &[])), 4001);
    let output = server
        .stop(Signal::Terminate)
        .code(0)
        .never_says(&["s3cret"]);
    let results: Vec<_> = output
        .events_of("auth")
        .iter()
        .map(|event| event["result"].clone())
        .collect();
    assert_eq!(results.iter().filter(|result| **result == "ok").count(), 4);
    assert_eq!(
        results
            .iter()
            .filter(|result| **result == "unauthorized")
            .count(),
        2
    );
}

/// A page shows its token after `bearer`, and speaks a subprotocol of the server's beside it.
#[test]
fn a_subprotocol_of_ours_is_chosen_before_bearer() {
    let server = serve(&["--token=s3cret", "-s", "chat"]);
    for (offered, chosen) in [
        ("bearer, s3cret, chat", "chat"),
        ("bearer, s3cret, other", "bearer"),
        ("bearer, s3cret", "bearer"),
    ] {
        let line = format!("Sec-WebSocket-Protocol: {offered}");
        let peer = at(&server, "/", &[&line]);
        assert_eq!(peer.header("Sec-WebSocket-Protocol"), [chosen], "{offered}");
        assert_eq!(verdict(peer), 101);
    }
}

#[test]
fn refusals_are_statuses_where_that_was_asked_for() {
    let server = serve(&["--token=s3cret", "--auth-reject=http"]);
    let refused = at(&server, "/", &[]);
    assert_eq!(
        refused.header("WWW-Authenticate"),
        ["Bearer realm=\"wscope\""]
    );
    assert_eq!(verdict(refused), 401);
    assert_eq!(verdict(at(&server, "/?token=s3cret", &[])), 101);
}

#[test]
fn a_jwt_is_judged_by_signature_times_and_ban() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{KEY}\n")).unwrap();
    let path = format!("--jwt-secret-file={}", file.path().display());
    let server = serve(&[&path, "--ban=eve", "--mode=rooms"]);
    let shown = |claims: &Value, key: &str| {
        at(
            &server,
            "/",
            &[&format!("Authorization: Bearer {}", jwt(claims, key))],
        )
    };
    assert_eq!(
        verdict(shown(&json!({"sub": "ann", "exp": now() + 60}), KEY)),
        101
    );
    assert_eq!(
        verdict(shown(&json!({"sub": "ann", "exp": now()}), KEY)),
        4002
    );
    assert_eq!(
        verdict(shown(&json!({"sub": "ann", "nbf": now() + 60}), KEY)),
        4001
    );
    assert_eq!(verdict(shown(&json!({"sub": "eve"}), KEY)), 4003);
    assert_eq!(verdict(shown(&json!({"sub": "ann"}), "another")), 4001);
    let mut ann = shown(&json!({"sub": "ann"}), KEY);
    ann.send_text(r#"{"type":"join","room":"r"}"#);
    let joined: Value = serde_json::from_str(&ann.text()).unwrap();
    assert_eq!(joined["member"]["user"], "ann");
}

#[test]
fn a_first_message_may_show_it() {
    let server = serve(&["--token=s3cret", "--auth-first-message=20s"]);
    let mut client = at(&server, "/", &[]);
    client.send_text(r#"{"type":"auth","token":"s3cret"}"#);
    assert_eq!(
        client.text(),
        r#"{"type":"auth","result":"ok","user":null}"#
    );
    client.send_text("hello");
    assert_eq!(client.text(), "hello");
    let mut client = at(&server, "/", &[]);
    client.send_text(r#"{"type":"auth","token":"guess"}"#);
    assert_eq!(client.close_frame().0, 4001);
    assert_eq!(verdict(at(&server, "/", &[])), 4001, "hello is no token");
    server
        .stop(Signal::Terminate)
        .code(0)
        .never_says(&["s3cret", "guess"]);
    let hasty = serve(&["--token=s3cret", "--auth-first-message=0.2"]);
    assert_eq!(at(&hasty, "/", &[]).close_frame().0, 4001, "nothing came");
}

#[test]
fn who_has_shown_nothing_may_not_send_much() {
    let server = serve(&["--token=s3cret", "--auth-first-message=20s"]);
    let much = "x".repeat(100 << 10);
    let mut client = at(&server, "/", &[]);
    client.send_text(&much);
    assert_eq!(client.close_frame().0, 1009);
    let mut client = at(&server, "/", &[]);
    client.send_text(r#"{"type":"auth","token":"s3cret"}"#);
    assert!(client.text().contains("ok"));
    client.send_text(&much);
    assert_eq!(client.text(), much, "afterwards it may");
}

#[test]
fn a_token_that_is_shown_again_is_for_the_server_alone() {
    let server = serve(&[
        "--mode=rooms",
        "--history=5",
        "--token=s3cret",
        "--auth-first-message=20s",
    ]);
    let join = r#"{"type":"join","room":"r"}"#;
    let proof = r#"{"type":"auth","token":"s3cret"}"#;
    let answer = r#"{"type":"auth","result":"ok","user":null}"#;
    let mut ann = at(&server, "/", &[]);
    ann.send_text(proof);
    assert_eq!(ann.text(), answer);
    let mut bob = at(&server, "/?token=s3cret", &[]);
    for client in [&mut ann, &mut bob] {
        client.send_text(join);
        assert!(client.text().contains("joined"));
    }
    assert!(ann.text().contains("presence"));
    let wrong = r#"{"type":"auth","result":"unauthorized","user":null}"#;
    for (is_ann, proof, expected) in [
        (true, proof, answer),
        (
            false,
            r#"{"type":"\u0061uth","id":"7","payload":{"token":"s3cret"}}"#,
            r#"{"type":"auth","id":"7","meta":{},"payload":{"result":"ok","user":null}}"#,
        ),
        (false, r#"{"type":"auth","token":"guess"}"#, wrong),
        (false, r#"{"type":"auth","pass":"guess"}"#, wrong),
    ] {
        let client = if is_ann { &mut ann } else { &mut bob };
        client.send_text(proof);
        assert_eq!(client.text(), expected);
    }
    // Nothing else came between, and nothing is kept.
    ann.send_text(r#"{"type":"message","text":"hi"}"#);
    assert!(bob.text().contains("hi"));
    let mut eve = at(&server, "/?token=s3cret", &[]);
    eve.send_text(r#"{"type":"join","room":"r","since":0}"#);
    assert!(eve.text().contains("joined"));
    assert!(eve.text().contains("hi"));
    server
        .stop(Signal::Terminate)
        .code(0)
        .never_says(&["s3cret", "guess"]);
}

#[test]
fn a_login_gives_a_token_and_a_token_gives_a_ticket() {
    let server = serve(&["--user=ann:pw:1", "--basic"]);
    let json = "Content-Type: application/json";
    let login = r#"{"user":"ann","password":"pw:1"}"#;
    let (head, body) = http(&server, "POST", "/api/login", &[json], login);
    assert!(
        head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains("httponly"),
        "{head}"
    );
    let granted: Value = serde_json::from_str(&body).unwrap();
    let token = granted["token"].as_str().unwrap();
    assert_eq!(
        (&granted["user"], &granted["expires_in"]),
        (&json!("ann"), &json!(3600))
    );
    let cookie = format!("Cookie: token={token}");
    assert_eq!(verdict(at(&server, "/", &[&cookie])), 101);

    let (_, body) = http(&server, "POST", "/api/ticket", &[&cookie], "");
    let granted: Value = serde_json::from_str(&body).unwrap();
    let target = format!("/?ticket={}", granted["ticket"].as_str().unwrap());
    assert_eq!(verdict(at(&server, &target, &[])), 101);
    assert_eq!(verdict(at(&server, &target, &[])), 4001, "it was good once");
    // ann:pw:1
    assert_eq!(
        verdict(at(&server, "/", &["Authorization: Basic YW5uOnB3OjE="])),
        101
    );

    for (path, more, body, status) in [
        (
            "/api/login",
            &[json][..],
            r#"{"user":"ann","password":"no"}"#,
            "401",
        ),
        ("/api/login", &[], login, "415"),
        ("/api/login", &[json], "{", "400"),
        ("/api/ticket", &[], "", "401"),
        (
            "/api/login",
            &[json, "Origin: https://evil.example"],
            login,
            "403",
        ),
    ] {
        let (head, _) = http(&server, "POST", path, more, body);
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}")),
            "{path} {body}: {head}"
        );
    }
    let (head, _) = http(&server, "GET", "/api/login", &[], "");
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
    let long = "x".repeat(100_000);
    let (head, _) = http(&server, "POST", "/api/login", &[json], &long);
    assert!(head.starts_with("HTTP/1.1 413"), "{head}");
    server
        .stop(Signal::Terminate)
        .code(0)
        .never_says(&["pw:1", token]);
}

#[test]
fn too_many_messages_are_dropped_delayed_or_closed() {
    let server = serve(&["--rate-limit=5/s", "--on-limit=drop"]);
    let mut client = at(&server, "/", &[]);
    for number in 0..50 {
        client.send_text(&number.to_string());
    }
    client.send_close(1000, "");
    let mut echoes = 0;
    while client.frame().is_some_and(|frame| frame.opcode != 8) {
        echoes += 1;
    }
    assert!((5..50).contains(&echoes), "{echoes}");
    let (_, metrics) = http(&server, "GET", "/metrics", &[], "");
    let lost = 50 - echoes;
    let line = format!("wscope_limits_total{{limit=\"rate\",action=\"drop\"}} {lost}");
    assert!(metrics.contains(&line), "{line}\n{metrics}");
    let output = server.stop(Signal::Terminate).code(0);
    let limits = output.events_of("limit");
    assert!(limits.len() < lost, "each burst is told once\n{output}");
    let limit = &limits[0];
    assert_eq!(
        (&limit["limit"], &limit["action"]),
        (&json!("rate"), &json!("drop"))
    );

    let server = serve(&["--rate-limit=5/s", "--on-limit=close"]);
    let mut client = at(&server, "/", &[]);
    for number in 0..50 {
        client.send_text(&number.to_string());
    }
    while client.frame().is_some_and(|frame| frame.opcode != 8) {}
    // It is closed once, whatever comes before that is answered.
    client.send_text("more");
    client.send_close(1008, "");
    client.drain();
    let (_, metrics) = http(&server, "GET", "/metrics", &[], "");
    let line = "wscope_limits_total{limit=\"rate\",action=\"close\"} 1\n";
    assert!(metrics.contains(line), "{metrics}");
    let output = server.stop(Signal::Terminate).code(0);
    assert_eq!(output.events_of("close")[0]["code"], 1008, "{output}");
    assert_eq!(output.events_of("limit").len(), 1, "{output}");

    let server = serve(&["--rate-limit=20/s"]);
    let mut client = at(&server, "/", &[]);
    let start = std::time::Instant::now();
    for number in 0..30 {
        client.send_text(&number.to_string());
    }
    for number in 0..30 {
        assert_eq!(client.text(), number.to_string());
    }
    assert!(start.elapsed().as_millis() >= 450, "{:?}", start.elapsed());
}

#[test]
fn too_many_handshakes_are_429() {
    let server = serve(&["--handshake-limit=2/m"]);
    assert_eq!(verdict(at(&server, "/", &[])), 101);
    let refused = at(&server, "/", &[]);
    assert_eq!(refused.header("Retry-After"), ["30"]);
    assert_eq!(verdict(refused), 429);
}

#[test]
fn flags_that_contradict_are_told_without_their_secrets() {
    for (args, says) in [
        (&["--ban=eve"][..], &["--ban", "--token"][..]),
        (&["--auth-first-message=5s"], &["--auth-first-message"]),
        (&["--user=hunter2"], &["--user takes NAME:PASS"]),
        (&["--token="], &["--token", "empty"]),
        (&["--user=ann:"], &["--user", "no password after ann:"]),
        (
            &["--user=ann:a", "--user=ben:b", "--user=ann:hunter2"],
            &["--user", "ann is given twice"],
        ),
        (&["--token=env:NOT_SET"], &["NOT_SET"]),
        (&["--basic"], &["--basic", "--user"]),
        (&["--on-limit=drop"], &["--on-limit", "--rate-limit"]),
        (
            &["--mode=flood=0/s"],
            &["for '--mode <MODE>'", "not a rate"],
        ),
        (&["--on-limit=dly"], &["'delay'", "similar value"]),
        (&["--heartbeat=standrd"], &["did you mean standard?"]),
        (&["--expect=conections>=1"], &["did you mean connections?"]),
        (&["--fault=lose:evry=2"], &["did you mean every?"]),
        (
            &["--heartbeat=off", "--heartbeat-kind=text"],
            &["--heartbeat-kind", "off"],
        ),
    ] {
        let mut all = vec!["serve", "0"];
        all.extend_from_slice(args);
        wscope(&all)
            .run()
            .code(2)
            .stdout("")
            .says(says)
            .never_says(&["hunter2"]);
    }
}

#[test]
fn heartbeats_may_be_texts() {
    let server = serve(&["--heartbeat=0.1/20", "--heartbeat-kind=text"]);
    let mut client = at(&server, "/", &[]);
    for _ in 0..3 {
        assert_eq!(client.text(), "ping");
        client.send_text("pong");
    }
    client.send_text("last");
    // The answers came back to nobody.
    loop {
        match client.text().as_str() {
            "ping" => client.send_text("pong"),
            text => break assert_eq!(text, "last"),
        }
    }
}
