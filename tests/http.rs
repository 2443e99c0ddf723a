//! What `serve` answers to plain HTTP on its port.

mod harness;

use harness::raw::{PING, Peer};
use harness::running::Signal;
use harness::served::{Served, serve};

/// A GET with an Accept; the head, and the body.
#[track_caller]
fn get(server: &Served, path: &str, accept: &str) -> (Peer, String) {
    let mut peer = Peer::dial(server.address());
    peer.send(format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n",
        server.address()
    ));
    peer.read_head();
    let body = peer.rest();
    (peer, String::from_utf8(body).unwrap())
}

#[track_caller]
fn status(server: &Served, path: &str, accept: &str) -> String {
    let (peer, _) = get(server, path, accept);
    peer.head.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn health_readiness_and_metrics() {
    let server = serve(&[]);
    let mut client = Peer::connect_open(server.address());
    client.send_text("hello");
    assert_eq!(client.text(), "hello");
    assert_eq!(get(&server, "/healthz", "*/*").1, "ok\n");
    assert_eq!(get(&server, "/readyz", "*/*").1, "ready\n");
    let (peer, metrics) = get(&server, "/metrics", "*/*");
    assert_eq!(
        peer.header("Content-Type"),
        ["text/plain; version=0.0.4; charset=utf-8"]
    );
    for line in [
        "wscope_connections 1",
        "wscope_connections_total 1",
        "wscope_messages_total{dir=\"in\"} 1",
        "wscope_bytes_total{dir=\"in\"} 5",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
}

#[test]
fn a_websocket_path_asks_plain_requests_to_upgrade() {
    let server = serve(&["--path=/chat"]);
    let _client = {
        let mut head = vec!["GET /chat HTTP/1.1", "Host: localhost"];
        head.extend_from_slice(harness::raw::UPGRADE);
        Peer::connect(server.address(), &head)
    };
    let (peer, _) = get(&server, "/chat", "*/*");
    assert!(peer.head.starts_with("HTTP/1.1 426"), "{}", peer.head);
    assert_eq!(peer.header("Upgrade"), ["websocket"]);
    assert_eq!(status(&server, "/nothing", "*/*"), "404");
    assert_eq!(status(&server, "/", "*/*"), "404");
    assert_eq!(status(&server, "/", "text/html,*/*;q=0.8"), "200");
}

#[test]
fn a_browser_gets_a_page_that_runs_its_own_script_only() {
    let server = serve(&[]);
    drop(Peer::connect_open(server.address()));
    let (peer, page) = get(&server, "/", "text/html,application/xhtml+xml,*/*;q=0.8");
    assert!(page.starts_with("<!doctype html>"));
    let policy = peer.header("Content-Security-Policy")[0].to_owned();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(status(&server, "/", "application/json"), "426");
}

#[test]
fn a_server_that_ends_is_not_ready_while_its_clients_leave() {
    let mut server = serve(&["--drain=20s"]);
    let mut client = Peer::connect_open(server.address());
    client.send_frame(PING, "");
    client.frame().expect("a pong");
    server.running().signal(Signal::Terminate);
    assert_eq!(client.close_frame().0, 1001);
    assert_eq!(status(&server, "/readyz", "*/*"), "503");
    assert_eq!(status(&server, "/healthz", "*/*"), "200");
    let late = Peer::connect_with(server.address(), &[]);
    assert!(late.head.starts_with("HTTP/1.1 503"), "{}", late.head);
    client.send_close(1001, "");
    client.drain();
    drop(late);
    server.end().code(0);
}

/// What is answered to bytes that are no request of a client of ours.
#[track_caller]
fn answer_to(server: &Served, bytes: &str) -> (Peer, String) {
    let mut peer = Peer::dial(server.address());
    peer.send(bytes);
    peer.read_head();
    let body = peer.rest();
    (peer, String::from_utf8(body).unwrap())
}

#[test]
fn bodies_that_are_too_large_or_break_off_are_refused_without_being_waited_for() {
    let server = serve(&[]);
    drop(Peer::connect_open(server.address()));
    let post = "POST /api/login HTTP/1.1\r\nHost: localhost\r\n";
    for (rest, status, says) in [
        // Of these no byte of the body comes.
        ("Content-Length: 65537\r\n\r\n", "413", "too large"),
        (
            "Content-Length: 9999999999\r\nExpect: 100-continue\r\n\r\n",
            "413",
            "too large",
        ),
        ("Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "400", "head"),
    ] {
        let (peer, body) = answer_to(&server, &format!("{post}{rest}"));
        let begin = format!("HTTP/1.1 {status} ");
        assert!(peer.head.starts_with(&begin), "{rest}: {}", peer.head);
        assert!(body.contains(says), "{rest}: {body}");
    }
}

#[test]
fn http_2_is_told_to_speak_http_1() {
    let server = serve(&[]);
    drop(Peer::connect_open(server.address()));
    let (peer, body) = answer_to(&server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert!(peer.head.starts_with("HTTP/1.1 505 "), "{}", peer.head);
    assert_eq!(peer.header("Content-Length"), [body.len().to_string()]);
    assert!(body.contains("HTTP/1.1"), "{body}");
}

#[test]
fn what_is_no_request_is_logged_with_its_answer() {
    let server = serve(&[]);
    for (bytes, status) in [
        ("\x16\x03\x01 nonsense\r\n\r\n".to_owned(), 400),
        (
            format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(40 << 10)),
            431,
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 505),
    ] {
        let mut client = Peer::dial(server.address());
        client.send(bytes);
        let answer = String::from_utf8_lossy(&client.rest()).into_owned();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    let output = server.stop(Signal::Terminate).code(0);
    let told = output.events_of("error");
    let told: Vec<_> = told
        .iter()
        .map(|error| error["message"].to_string())
        .collect();
    let times = |status: &str| told.iter().filter(|words| words.contains(status)).count();
    assert_eq!(["400", "431", "505"].map(times), [1, 1, 1], "{output}");
}
