//! What `serve` does about a client that does not read what others send: the four policies of
//! `--overflow`, and memory.

mod harness;

use harness::raw::{BINARY, PING, PONG, Peer, encode};
use harness::running::Signal;
use harness::served::{Served, serve};

const SIZE: usize = 64 << 10;
/// More than the buffers of both systems and the queue hold.
const MESSAGES: u32 = 400;

/// A server with a policy, and a client that is known to it and does not read.
fn with_deaf(policy: &str) -> (Served, Peer) {
    let server = serve(&[
        "--mode=broadcast",
        "--exclude-sender",
        "--queue-bytes=256KiB",
        &format!("--overflow={policy}"),
    ]);
    let mut deaf = Peer::connect_open(server.address());
    deaf.send_frame(PING, "");
    assert_eq!(deaf.frame().expect("a pong").opcode, PONG);
    (server, deaf)
}

/// Sends numbered messages, and waits until all have been taken.
fn flood(server: &Served) {
    let mut sender = Peer::connect_open(server.address());
    for number in 0..MESSAGES {
        let mut payload = number.to_be_bytes().to_vec();
        payload.resize(SIZE, 0);
        sender.send(encode(0x80 | BINARY, Some([0; 4]), &payload));
    }
    sender.send_frame(PING, "all read");
    assert_eq!(sender.frame().expect("the sender is served").opcode, PONG);
}

/// The numbers of the messages that a client gets until `last`, or until it is closed.
fn numbers(client: &mut Peer, last: u32) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        match client.frame() {
            Some(frame) if frame.opcode == BINARY => {
                let number = frame.payload[..4].try_into().unwrap();
                numbers.push(u32::from_be_bytes(number));
            }
            Some(frame) => assert_eq!(frame.opcode, 8),
            None => break,
        }
    }
    numbers
}

#[test]
fn close_ends_it_with_1013() {
    let (server, mut deaf) = with_deaf("close");
    flood(&server);
    let numbers = numbers(&mut deaf, MESSAGES);
    assert!(numbers.len() < MESSAGES as usize);
    let expected: Vec<u32> = (0..numbers.len() as u32).collect();
    assert_eq!(numbers, expected, "what came was whole and in order");
    let output = server.stop(Signal::Terminate).code(0);
    let limits = output.events_of("limit");
    assert_eq!(limits.len(), 1, "{output}");
    assert_eq!(
        (&limits[0]["limit"], &limits[0]["action"]),
        (&"queue".into(), &"close".into())
    );
    assert!(
        output
            .events_of("close")
            .iter()
            .any(|close| close["code"] == 1013),
        "{output}"
    );
}

#[test]
fn drop_newest_keeps_what_came_first() {
    let (server, deaf) = with_deaf("drop-newest");
    flood(&server);
    // A message after the flood finds room again once the client reads.
    let mut reader = deaf.reader();
    let reading = std::thread::spawn(move || numbers(&mut reader, MESSAGES));
    let mut sender = Peer::connect_open(server.address());
    let mut last = MESSAGES.to_be_bytes().to_vec();
    last.resize(5, 0);
    while !reading.is_finished() {
        sender.send_frame(BINARY, &last);
        sender.send_frame(PING, "");
        assert_eq!(sender.frame().expect("a pong").opcode, PONG);
    }
    let numbers = reading.join().unwrap();
    let kept = numbers
        .iter()
        .zip(0..)
        .take_while(|(number, at)| **number == *at)
        .count();
    // The queue alone holds three; what the socket took before it was full comes on top.
    assert!((3..MESSAGES as usize).contains(&kept), "{numbers:?}");
    let output = server.stop(Signal::Terminate).code(0);
    let dropped = output.events_of("dropped");
    assert!(
        dropped
            .iter()
            .any(|one| one["where"] == "queue" && one["conn"] == 1),
        "{output}"
    );
}

#[test]
fn drop_oldest_keeps_what_came_last() {
    let (mut server, mut deaf) = with_deaf("drop-oldest");
    flood(&server);
    // That it lags is told while it does.
    let told = server.running().stdout.line("\"limit\"");
    assert!(told.contains(r#""action":"drop-oldest""#), "{told}");
    let numbers = numbers(&mut deaf, MESSAGES - 1);
    assert_eq!(numbers.last(), Some(&(MESSAGES - 1)));
    assert!(numbers.len() < MESSAGES as usize, "nothing was dropped");
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[test]
fn block_holds_up_the_sender_and_loses_nothing() {
    let (server, mut deaf) = with_deaf("block");
    let sending = std::thread::spawn(move || flood(&server));
    let numbers = numbers(&mut deaf, MESSAGES - 1);
    assert_eq!(numbers, (0..MESSAGES).collect::<Vec<_>>());
    sending.join().unwrap();
}
