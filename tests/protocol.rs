//! Properties of the protocol engine that hold for any bytes, any cuts and any order of calls.

use std::io::IoSlice;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use wscope::model::command::Command;
use wscope::model::frame::Opcode;
use wscope::model::message::Message;
use wscope::protocol::encode;
use wscope::protocol::engine::{Config, Engine, Incoming, Role, Sent};
use wscope::protocol::header::Header;
use wscope::protocol::scan::Scanner;

fn engine(role: Role) -> Engine {
    let config = Config {
        role,
        max_message_size: 1_000,
        auto_pong: true,
        report_frames: true,
        max_queued: usize::MAX,
        deflate: None,
    };
    Engine::new(config, [3; 32])
}

/// A failure prints its smallest input; no files are left behind.
fn settings() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(512)
    }
}

/// Feeds `bytes` in pieces of these sizes, over and over.
fn read(engine: &mut Engine, mut bytes: &[u8], sizes: &[usize]) -> Vec<Incoming> {
    let mut happened = Vec::new();
    for size in sizes.iter().cycle() {
        let (mut piece, rest) = bytes.split_at(bytes.len().min(*size));
        happened.extend(std::iter::from_fn(|| engine.next(&mut piece)));
        assert!(piece.is_empty(), "None means that everything was consumed");
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    happened
}

/// Writes at most `most` bytes and appends them to `wire`.
fn write(engine: &mut Engine, most: usize, wire: &mut Vec<u8>) {
    let mut slices = [IoSlice::new(&[]); 5];
    let filled = engine.to_write(&mut slices);
    let shown = slices[..filled].iter().flat_map(|slice| slice.iter());
    let start = wire.len();
    wire.extend(shown.take(most));
    engine.written(wire.len() - start);
}

fn headers() -> impl Strategy<Value = Header> {
    let lengths = prop_oneof![0..300_u64, 65_500..65_600_u64, any::<u64>(), Just(u64::MAX)];
    (
        any::<bool>(),
        any::<[bool; 3]>(),
        0..16_u8,
        lengths,
        any::<Option<[u8; 4]>>(),
    )
        .prop_map(|(fin, rsv, opcode, len, key)| {
            Header::new(fin, rsv, Opcode::new(opcode), len, key)
        })
}

/// Frames of a client that are mostly, but not always, what may come next.
fn client_bytes() -> impl Strategy<Value = Vec<u8>> {
    let texts = prop_oneof![
        "[a-zß水🦀]{0,60}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..200),
        Just(vec![0x03, 0xE8]),
    ];
    let frame = (
        prop::bool::weighted(0.6),
        prop::bool::weighted(0.02),
        prop::sample::select(vec![0_u8, 0, 1, 1, 2, 9, 10, 9, 10, 8, 3]),
        texts,
        any::<[u8; 4]>(),
    );
    let frames = vec(frame, 0..12).prop_map(|frames| {
        let mut bytes = Vec::new();
        let mut inside = false;
        for (fin, rsv, opcode, payload, key) in frames {
            // Continue what is open, mostly; begin when nothing is.
            let opcode = match opcode {
                0 | 2 if inside => 0,
                0 => 2,
                opcode => opcode,
            };
            let fin = fin || opcode >= 8;
            inside = if opcode < 3 { !fin } else { inside };
            let rsv = [rsv, false, false];
            let len = payload.len() as u64;
            let header = Header::new(fin, rsv, Opcode::new(opcode), len, Some(key));
            bytes.extend(encode::frame(&header, &payload));
        }
        bytes
    });
    (frames, vec(any::<u8>(), 0..4)).prop_map(|(frames, noise)| [frames, noise].concat())
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn a_header_that_was_encoded_is_scanned_the_same(header in headers(), cut in 0..=14_usize) {
        let bytes = encode::header(&header);
        let bytes = [bytes.as_ref(), b"payload"].concat();
        let (first, second) = bytes.split_at(bytes.len().min(cut));

        let mut scanner = Scanner::default();
        let (mut first, mut second) = (first, second);
        let scanned = match scanner.next(&mut first) {
            Some(header) => header,
            None => scanner.next(&mut second).unwrap(),
        };
        prop_assert_eq!(scanned, header);
        prop_assert!(scanned.is_minimal());
        prop_assert_eq!([first, second].concat(), b"payload");
    }

    #[test]
    fn any_split_of_the_bytes_gives_the_same_events(
        bytes in client_bytes(),
        sizes in vec(1..40_usize, 1..8),
    ) {
        let mut whole = engine(Role::Server);
        let mut split = engine(Role::Server);
        let expected = read(&mut whole, &bytes, &[usize::MAX]);
        prop_assert_eq!(read(&mut split, &bytes, &sizes), expected);
        prop_assert_eq!(split.queued(), whole.queued());
        prop_assert_eq!(split.close_received(), whole.close_received());
    }
}

/// One call from outside.
#[derive(Debug, Clone)]
enum Call {
    Send(usize),
    Ping,
    /// A ping of the peer arrives.
    Answer,
    Write(usize),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        (0..300_usize).prop_map(Call::Send),
        Just(Call::Ping),
        Just(Call::Answer),
        (0..400_usize).prop_map(Call::Write),
    ];
    vec(call, 0..40)
}

/// The opcodes of the frames in `wire` whose first byte is there, with the payloads of those that
/// are there whole.
fn frames(mut wire: &[u8]) -> Vec<(Opcode, Option<&[u8]>)> {
    let mut frames = Vec::new();
    while let Some(first) = wire.first() {
        let opcode = Opcode::new(*first);
        let header = Scanner::default().next(&mut wire);
        let payload = header.and_then(|header| wire.split_at_checked(header.payload_len as usize));
        frames.push((opcode, payload.map(|(payload, _)| payload)));
        wire = payload.map_or(&[], |(_, rest)| rest);
    }
    frames
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn messages_leave_in_order_and_heartbeats_and_answers_before_what_has_not_begun(calls in calls()) {
        let mut engine = engine(Role::Server);
        let mut wire = Vec::new();
        let mut accepted = Vec::new();
        // Payload of each control frame, and how many messages may stand before it.
        let mut controls = Vec::new();
        let key = Some([0; 4]);
        for (at, call) in calls.iter().enumerate() {
            let payload = Bytes::from(format!("{at:>3}"));
            let begun = frames(&wire).iter().filter(|(opcode, _)| !opcode.is_control()).count();
            match call {
                Call::Send(size) => {
                    let message = Message::binary([&payload[..], &vec![b'.'; *size]].concat());
                    accepted.push(message.clone());
                    engine.send(Command::Send(message)).unwrap();
                }
                Call::Ping => {
                    controls.push((payload.clone(), begun));
                    engine.heartbeat(payload).unwrap();
                }
                Call::Answer => {
                    // Beyond sixteen the answers are coalesced; that has a test of its own.
                    if controls.len() < 16 {
                        controls.push((payload.clone(), begun));
                        let ping = encode::frame(&Header::whole(Opcode::PING, 3, key), &payload);
                        read(&mut engine, &ping, &[usize::MAX]);
                    }
                }
                Call::Write(most) => write(&mut engine, *most, &mut wire),
            }
            prop_assert_eq!(engine.has_to_write(), engine.queued() > 0);
        }
        while engine.has_to_write() {
            write(&mut engine, 100, &mut wire);
        }

        let frames = frames(&wire);
        let data = frames.iter().filter(|(opcode, _)| !opcode.is_control());
        let data: Vec<_> = data.map(|(_, payload)| payload.unwrap()).collect();
        let expected: Vec<_> = accepted.iter().map(|message| &message.payload[..]).collect();
        prop_assert_eq!(data, expected);
        prop_assert_eq!(frames.len(), accepted.len() + controls.len());
        for (payload, most) in controls {
            let place = frames.iter().position(|(_, there)| *there == Some(&payload[..])).unwrap();
            let before = frames[..place].iter().filter(|(opcode, _)| !opcode.is_control()).count();
            prop_assert!(before <= most, "{before} messages before a control frame, not {most}");
        }
        prop_assert_eq!(engine.unsent(), 0);
    }

    #[test]
    fn what_a_client_says_it_sent_is_what_a_server_reads(calls in calls(), size in 1..50_usize) {
        let mut client = engine(Role::Client);
        let mut server = engine(Role::Server);
        let mut wire = Vec::new();
        for call in calls {
            match call {
                Call::Send(size) => client.send(Command::Send(Message::text("é".repeat(size)))).unwrap(),
                Call::Ping => client.send(Command::Ping(Bytes::from_static(b"?"))).unwrap(),
                Call::Answer => client.send(Command::Pong(Bytes::new())).unwrap(),
                Call::Write(most) => write(&mut client, most, &mut wire),
            }
        }
        client.send(Command::Close(None)).unwrap();
        while client.has_to_write() {
            write(&mut client, usize::MAX, &mut wire);
        }
        let read = read(&mut server, &wire, &[size]).into_iter().map(|happened| match happened {
            Incoming::Frame(frame) => Sent::Frame(frame),
            Incoming::Message { message, frames: 1, wire } => Sent::Message { message, wire },
            Incoming::Ping(payload) => Sent::Ping(payload),
            Incoming::Pong(payload) => Sent::Pong(payload),
            Incoming::Close(close) => Sent::Close(close),
            other => panic!("{other:?}"),
        });
        let sent: Vec<_> = std::iter::from_fn(|| client.next_sent()).collect();
        prop_assert_eq!(read.collect::<Vec<_>>(), sent);
        prop_assert!(client.close_sent() && server.close_received());
    }
}
