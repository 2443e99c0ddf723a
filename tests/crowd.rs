//! `serve` among many hostile clients: who behaves is served as if it were alone.

mod harness;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use harness::raw::{PING, Peer, UPGRADE};
use harness::served::{Served, serve};
use serde_json::Value;

/// More memory than all of this may take.
const MOST: u64 = 100 << 20;

/// An open connection with as little as possible around it.
fn open(server: &Served) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let host = server.address();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\n{}\r\n\r\n",
        UPGRADE.join("\r\n")
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    stream
}

#[track_caller]
fn is_served(client: &mut Peer) {
    client.send_frame(PING, "still there?");
    while client.frame().expect("it is served").text() != "still there?" {}
}

#[test]
fn half_open_handshakes_and_endless_heads_hold_nobody_up() {
    let mut server = serve(&[]);
    let mut client = Peer::connect_open(server.address());
    let before = server.running().peak_memory();
    let half: Vec<_> = (0..200)
        .map(|number| {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            let start = if number % 2 == 0 {
                "GET / HTTP/1.1\r\nHost: h\r\nX: "
            } else {
                ""
            };
            stream.write_all(start.as_bytes()).unwrap();
            stream
        })
        .collect();
    is_served(&mut client);
    for mut stream in half {
        stream
            .set_write_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        // The server stops reading, or answers 431 and ends it; either way it keeps little.
        let _ended = stream.write_all(&[b'x'; 256 << 10]);
    }
    is_served(&mut client);
    let late = Peer::connect_open(server.address());
    drop(late);
    assert!(server.running().peak_memory() < before + MOST);
}

#[test]
fn a_thousand_clients_that_are_gone_at_once_are_taken_out_of_their_rooms() {
    const CLIENTS: usize = 1000;
    let mut server = serve(&["--mode=rooms"]);
    let mut client = Peer::connect_open(server.address());
    client.send_text(r#"{"type":"join","room":"lobby"}"#);
    client.text();
    let before = server.running().peak_memory();
    let join = harness::raw::encode(0x81, Some([0; 4]), br#"{"type":"join","room":"lobby"}"#);
    let crowd: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut stream = open(&server);
            stream.write_all(&join).unwrap();
            stream
        })
        .collect();
    let mut count = |state: &str| {
        for _ in 0..CLIENTS {
            let presence: Value = serde_json::from_str(&client.text()).unwrap();
            assert_eq!(presence["state"], state, "{presence}");
        }
    };
    count("joined");
    for stream in &crowd {
        let socket = socket2::SockRef::from(stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }
    drop(crowd);
    count("lost");
    client.send_text(r#"{"type":"presence","room":"lobby"}"#);
    let presence: Value = serde_json::from_str(&client.text()).unwrap();
    assert_eq!(presence["members"].as_array().unwrap().len(), 1);
    assert!(server.running().peak_memory() < before + MOST);
}

#[test]
fn pings_whose_pongs_nobody_reads_do_not_grow_it() {
    let mut server = serve(&["--mode=sink"]);
    let mut client = Peer::connect_open(server.address());
    let before = server.running().peak_memory();
    let ping = harness::raw::encode(0x89, Some([0; 4]), &[b'p'; 125]);
    let batch = ping.repeat(1000);
    let mut flood = open(&server);
    flood
        .set_write_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    for _ in 0..500 {
        if flood.write_all(&batch).is_err() {
            break;
        }
    }
    is_served(&mut client);
    assert!(server.running().peak_memory() < before + MOST);
}
