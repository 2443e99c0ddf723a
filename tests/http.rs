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
