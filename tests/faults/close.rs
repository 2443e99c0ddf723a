//! Faults of the closing handshake.

use std::time::{Duration, Instant};

use super::{faulty, frame, is_told};
use crate::harness::raw::{CLOSE, Peer, TEXT, close_payload};

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
