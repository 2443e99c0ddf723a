//! Faults of what is below WebSocket.

use std::time::{Duration, Instant};

use super::{faulty, hits, is_told};
use crate::harness::program::wscope;
use crate::harness::raw::{PING, Peer, TEXT};
use crate::harness::served::serve;

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
        let message = crate::harness::raw::encode(0x80 | TEXT, client.key(), b"hello");
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
