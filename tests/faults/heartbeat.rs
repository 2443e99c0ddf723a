//! Faults of pings and pongs.

use super::{faulty, is_told};
use crate::harness::raw::{Frame, PING, PONG, Peer, TEXT};
use crate::harness::served::serve;

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
