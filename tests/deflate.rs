//! permessage-deflate (RFC 7692) through the engine: what one end compresses the other reads, and
//! what a hostile peer compresses costs nothing.

use std::io::IoSlice;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use wscope::model::close::CloseCode;
use wscope::model::command::Command;
use wscope::model::frame::{FrameInfo, Opcode};
use wscope::model::message::Message;
use wscope::protocol::deflate::{Agreed, Side};
use wscope::protocol::engine::{Config, Engine, Incoming, Role, SendError, Sent};
use wscope::protocol::header::Header;
use wscope::protocol::scan::Scanner;
use wscope::protocol::{encode, mask};

const LIMIT: usize = 1 << 20;
const PLAIN: [bool; 3] = [false; 3];
const RSV1: [bool; 3] = [true, false, false];

/// "Hello" as the RFC compresses it, and once more with the first one in the window.
const HELLO: [u8; 7] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
const HELLO_AGAIN: [u8; 5] = [0xF2, 0x00, 0x11, 0x00, 0x00];

fn side(context_takeover: bool, window_bits: u8) -> Side {
    Side {
        context_takeover,
        window_bits,
    }
}

fn engine(role: Role, own: Side, peer: Side) -> Engine {
    let config = Config {
        role,
        max_message_size: LIMIT,
        auto_pong: true,
        report_frames: true,
        max_queued: 100 << 10,
        deflate: Some(Agreed { own, peer }),
    };
    Engine::new(config, [5; 32])
}

/// A client whose server compresses with the largest window.
fn client(context_takeover: bool) -> Engine {
    let peer = side(context_takeover, 15);
    engine(Role::Client, side(true, 15), peer)
}

/// A frame of a server.
fn frame(fin: bool, rsv: [bool; 3], opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let header = Header::new(fin, rsv, opcode, payload.len() as u64, None);
    encode::frame(&header, payload)
}

/// A compressed message in one frame.
fn text(compressed: &[u8]) -> Vec<u8> {
    frame(true, RSV1, Opcode::TEXT, compressed)
}

fn binary(compressed: &[u8]) -> Vec<u8> {
    frame(true, RSV1, Opcode::BINARY, compressed)
}

/// What is read, without the frames.
fn read(engine: &mut Engine, mut bytes: &[u8]) -> Vec<Incoming> {
    std::iter::from_fn(|| engine.next(&mut bytes))
        .filter(|happened| !matches!(happened, Incoming::Frame(_)))
        .collect()
}

/// The same, from pieces of these sizes.
fn read_split(
    engine: &mut Engine,
    mut bytes: &[u8],
    sizes: &mut impl Iterator<Item = usize>,
) -> Vec<Incoming> {
    let mut happened = Vec::new();
    while !bytes.is_empty() {
        let size = sizes.next().unwrap().min(bytes.len());
        let (piece, rest) = bytes.split_at(size);
        happened.extend(read(engine, piece));
        bytes = rest;
    }
    happened
}

/// The texts of the messages that are read; nothing else may happen.
fn texts(engine: &mut Engine, bytes: &[u8]) -> Vec<String> {
    let texts = read(engine, bytes).into_iter().map(|happened| {
        let Incoming::Message { message, .. } = happened else {
            panic!("{happened:?}");
        };
        message.as_text().unwrap().into_owned()
    });
    texts.collect()
}

/// The code and the rule of the violation that is all that happens.
fn violation(engine: &mut Engine, bytes: &[u8]) -> (CloseCode, String) {
    match &read(engine, bytes)[..] {
        [Incoming::Violation(violation)] => (violation.code, violation.rule.clone()),
        other => panic!("{other:?}"),
    }
}

/// All bytes that wait to be written.
fn write(engine: &mut Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    while engine.has_to_write() {
        let mut slices = [IoSlice::new(&[]); 8];
        let filled = engine.to_write(&mut slices);
        let start = bytes.len();
        bytes.extend(slices[..filled].iter().flat_map(|slice| slice.iter()));
        engine.written(bytes.len() - start);
    }
    bytes
}

fn sent(engine: &mut Engine) -> Vec<Sent> {
    std::iter::from_fn(|| engine.next_sent()).collect()
}

/// The payload of the frame that a server without context takeover makes of a message.
fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut server = engine(Role::Server, side(false, 15), side(false, 15));
    let message = Message::binary(payload.to_vec());
    server.send(Command::Send(message)).unwrap();
    let bytes = write(&mut server);
    let mut rest = &bytes[..];
    let header = Scanner::default().next(&mut rest).unwrap();
    assert_eq!((header.rsv, header.payload_len), (RSV1, rest.len() as u64));
    rest.to_vec()
}

/// RFC 7692, section 7.2.3.
#[test]
fn the_examples_of_the_rfc() {
    let mut client = client(true);
    assert_eq!(texts(&mut client, &text(&HELLO)), ["Hello"]);
    assert_eq!(texts(&mut client, &text(&HELLO_AGAIN)), ["Hello"]);
    assert_eq!(texts(&mut client, &text(&[0x00])), [""]);

    let fragments = [
        frame(false, RSV1, Opcode::TEXT, &HELLO[..3]),
        frame(true, PLAIN, Opcode::PONG, b""),
        frame(false, PLAIN, Opcode::CONTINUATION, b""),
        frame(true, PLAIN, Opcode::CONTINUATION, &HELLO[3..]),
    ];
    let message = Incoming::Message {
        message: Message::text("Hello"),
        frames: 3,
        wire: 5 + 2 + 6,
    };
    let happened = read(&mut client, &fragments.concat());
    assert_eq!(happened, [Incoming::Pong(Bytes::new()), message]);

    let stored = b"\x00\x05\x00\xFA\xFFHello\x00";
    assert_eq!(texts(&mut client, &text(stored)), ["Hello"]);
    let two_blocks = b"\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00";
    assert_eq!(texts(&mut client, &text(two_blocks)), ["Hello"]);
}

/// Section 7.2.3.4.
#[test]
fn a_final_block_ends_neither_the_message_nor_the_connection() {
    let last = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
    let whole = [&last[..], &[0x00]].concat();
    let twice = [&last[..], &whole].concat();
    for context_takeover in [true, false] {
        let mut client = client(context_takeover);
        for _ in 0..3 {
            assert_eq!(texts(&mut client, &text(&whole)), ["Hello"]);
        }
        assert_eq!(texts(&mut client, &text(&twice)), ["HelloHello"]);
        assert_eq!(texts(&mut client, &text(&HELLO)), ["Hello"]);
        // The tail completes a final block just as well.
        assert_eq!(texts(&mut client, &text(&[0x01])), [""]);
        assert_eq!(texts(&mut client, &text(&HELLO)), ["Hello"]);
    }
}

#[test]
fn a_plain_message_stands_between_compressed_ones() {
    let bytes = [
        text(&HELLO),
        frame(true, PLAIN, Opcode::TEXT, b"plain"),
        text(&HELLO_AGAIN),
    ];
    let texts = texts(&mut client(true), &bytes.concat());
    assert_eq!(texts, ["Hello", "plain", "Hello"]);
}

#[test]
fn a_message_that_is_cut_off_is_not_a_message() {
    let sentence = "It was cut, it was cut off, and it was cut off somewhere. ".repeat(20);
    let whole = compressed(sentence.as_bytes());
    for context_takeover in [true, false] {
        for len in 0..whole.len() {
            let mut client = client(context_takeover);
            let (code, _) = violation(&mut client, &text(&whole[..len]));
            assert_eq!(code, CloseCode::INVALID_PAYLOAD, "{len} bytes");
        }
    }
    let (_, rule) = violation(&mut client(true), &text(b""));
    assert_eq!(
        rule,
        "a compressed message does not inflate: it ends inside a block (RFC 7692, section 7.2.2)"
    );
}

#[test]
fn a_message_that_is_broken_is_told_why() {
    for (bytes, why) in [
        (&b"\x07"[..], "invalid block type"),
        (b"\x00\x05\x00\x00\x00", "invalid stored block lengths"),
        // From a server that agreed to begin anew with each message.
        (&HELLO_AGAIN, "invalid distance too far back"),
    ] {
        let mut client = client(false);
        assert_eq!(texts(&mut client, &text(&HELLO)), ["Hello"]);
        let (code, rule) = violation(&mut client, &text(bytes));
        assert_eq!(code, CloseCode::INVALID_PAYLOAD);
        let expected = format!("a compressed message does not inflate: {why} (RFC 7692");
        assert!(rule.starts_with(&expected), "{rule}");
        let close = write(&mut client);
        assert_eq!(close[0], 0x88, "a Close tells the peer");
        assert_eq!(read(&mut client, &text(&HELLO)), []);
    }
}

#[test]
fn text_is_checked_while_it_is_inflated() {
    let bad = [&[b'a'; 50][..], b"\xFF", &[b'b'; 50]].concat();
    let bytes = text(&compressed(&bad));
    // The last byte of the frame does not have to come.
    let (code, rule) = violation(&mut client(true), &bytes[..bytes.len() - 1]);
    assert_eq!(code, CloseCode::INVALID_PAYLOAD);
    assert!(rule.starts_with("invalid UTF-8 in a text"), "{rule}");

    let cut = [&[b'a'; 50][..], &"ß".as_bytes()[..1]].concat();
    let (_, rule) = violation(&mut client(true), &text(&compressed(&cut)));
    assert!(rule.starts_with("invalid UTF-8 in a text"), "{rule}");
}

#[test]
fn a_bomb_is_refused_as_soon_as_it_is_too_large() {
    let bomb = compressed(&vec![0; 64 << 20]);
    assert!((60 << 10..70 << 10).contains(&bomb.len()), "{}", bomb.len());
    let bytes = binary(&bomb);
    let mut client = client(true);
    let mut pieces = bytes.chunks(16);
    let happened = pieces.by_ref().find_map(|piece| {
        let happened = read(&mut client, piece);
        (!happened.is_empty()).then_some(happened)
    });
    let Some([Incoming::Violation(violation)]) = happened.as_deref() else {
        panic!("{happened:?}");
    };
    assert_eq!(violation.code, CloseCode::TOO_BIG);
    assert!(violation.rule.ends_with("the limit is 1048576"));
    // DEFLATE makes at most 1,032 bytes of one, so no more was inflated than the limit.
    let taken = bytes.len() - pieces.map(<[u8]>::len).sum::<usize>();
    assert!(taken < LIMIT / 1032 + 100, "{taken} bytes were taken");
}

#[test]
fn the_limit_is_for_what_was_inflated() {
    let fits = binary(&compressed(&vec![0; LIMIT]));
    let happened = read(&mut client(true), &fits);
    assert!(matches!(&happened[..], [Incoming::Message { .. }]));
    let over = binary(&compressed(&vec![0; LIMIT + 1]));
    let (code, rule) = violation(&mut client(true), &over);
    assert_eq!(code, CloseCode::TOO_BIG);
    assert!(rule.contains("at least 1048577 bytes"), "{rule}");
}

/// What breaks first is told, however much is inflated in one go.
#[test]
fn a_bad_byte_before_the_limit_comes_before_the_limit() {
    let good = vec![b'a'; LIMIT - 4];
    let bytes = text(&compressed(&[&good[..], &[0xFF], &[b'a'; 9]].concat()));
    assert_eq!(violation(&mut client(true), &bytes).0.0, 1007);
    let bytes = text(&compressed(&[&good[..], &[b'a'; 4], &[0xFF; 9]].concat()));
    assert_eq!(violation(&mut client(true), &bytes).0.0, 1009);
}

#[test]
fn messages_that_are_small_only_on_the_wire_fill_the_queue() {
    let all = side(true, 15);
    let mut server = engine(Role::Server, all, all);
    let message = Message::binary(vec![0; 50 << 10]);
    let send = |server: &mut Engine| server.send(Command::Send(message.clone()));
    assert_eq!(send(&mut server), Ok(()));
    assert_eq!(send(&mut server), Ok(()));
    assert!(server.queued() < 1_000);
    assert_eq!(send(&mut server), Err(SendError::Full));
    write(&mut server);
    assert_eq!(send(&mut server), Ok(()));
}

#[test]
fn what_was_encoded_once_is_compressed_only_where_each_message_is_by_itself() {
    let message = Message::text("one sentence for all of them, and one more for all of them");
    let shared = encode::message(&message);
    for (context_takeover, window_bits, compressed) in
        [(true, 15, false), (false, 15, true), (false, 8, false)]
    {
        let own = side(context_takeover, window_bits);
        let mut server = engine(Role::Server, own, own);
        server.send_encoded(shared.clone()).unwrap();
        let bytes = write(&mut server);
        assert_eq!(bytes[0] & 0x40 != 0, compressed, "{own:?}");
        assert_eq!(bytes == shared, !compressed, "{own:?}");

        let mut client = engine(Role::Client, own, own);
        assert_eq!(texts(&mut client, &bytes), [message.as_text().unwrap()]);
        let wire = bytes.len() as u64;
        let message = message.clone();
        assert_eq!(sent(&mut server)[1..], [Sent::Message { message, wire }]);
    }
}

/// A failure prints its smallest input; no files are left behind.
fn settings() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    }
}

fn sides() -> impl Strategy<Value = Side> {
    (any::<bool>(), 8..=15_u8).prop_map(|(takeover, bits)| side(takeover, bits))
}

/// Messages that repeat themselves and each other, near and far; and some that do not.
fn messages() -> impl Strategy<Value = Vec<Message>> {
    let words = vec(
        select(vec!["ß", "deflate ", "水🦀", "{\"id\":1}", "\n"]),
        0..200,
    );
    let blocks = (vec(any::<u8>(), 1..600), 1..80_usize);
    let message = prop_oneof![
        words.prop_map(|words| Message::text(words.concat())),
        vec(any::<u8>(), 0..2_000).prop_map(Message::binary),
        blocks.prop_map(|(block, times)| Message::binary(block.repeat(times))),
    ];
    vec(message, 1..8)
}

/// A message that was compressed, with a byte changed and the end cut off; or anything.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let payload = vec(select(vec![b'a', b'b', b'c', 0]), 64..3_000);
    let bent = (payload, any::<Index>(), any::<u8>(), any::<Index>());
    let bent = bent.prop_map(|(payload, at, change, end)| {
        let mut bytes = compressed(&payload);
        let at = at.index(bytes.len());
        bytes[at] ^= change & 0x11;
        bytes.truncate(bytes.len() - end.index(bytes.len()) / 8);
        bytes
    });
    prop_oneof![bent, vec(any::<u8>(), 0..60)]
}

/// The same message in more frames: only the first has the RSV bits.
fn fragmented(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut rest = bytes;
    let header = Scanner::default().next(&mut rest).unwrap();
    let mut payload = rest.to_vec();
    mask::apply(&mut payload, header.mask.unwrap_or_default(), 0);
    let count = payload.len().div_ceil(size).max(1);
    let frames = (0..count).flat_map(|at| {
        let part = &payload[at * size..payload.len().min((at + 1) * size)];
        let (rsv, opcode) = match at {
            0 => (header.rsv, header.opcode),
            _ => (PLAIN, Opcode::CONTINUATION),
        };
        let key = header.mask.map(|_| [9, 8, 7, at as u8]);
        let header = Header::new(at + 1 == count, rsv, opcode, part.len() as u64, key);
        encode::frame(&header, part)
    });
    frames.collect()
}

/// In which way a stream is broken may depend on the split; that it is and where may not.
fn without_reasons(mut happened: Vec<Incoming>) -> Vec<Incoming> {
    if let Some(Incoming::Violation(violation)) = happened.last_mut() {
        violation.rule.clear();
    }
    happened
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn what_one_end_compresses_the_other_reads(
        own in sides(),
        peer in sides(),
        messages in messages(),
        fragment in 1..3_000_usize,
        sizes in vec(1..5_000_usize, 1..8),
        from_client in any::<bool>(),
    ) {
        let (sends, receives) = if from_client {
            (Role::Client, Role::Server)
        } else {
            (Role::Server, Role::Client)
        };
        let mut sender = engine(sends, own, peer);
        let mut receiver = engine(receives, peer, own);
        let mut sizes = sizes.into_iter().cycle();
        for message in messages {
            sender.send(Command::Send(message.clone())).unwrap();
            let bytes = write(&mut sender);
            let wire = bytes.len() as u64;
            let len = message.payload.len() as u64;
            let plain = len + u64::from(Header::shortest_len(len, from_client));
            prop_assert!(wire <= plain, "compression makes nothing larger");
            let sent = sent(&mut sender);
            let [Sent::Frame(FrameInfo { rsv, wire_len, .. }), told] = &sent[..] else {
                panic!("{sent:?}");
            };
            prop_assert_eq!(*wire_len, wire);
            prop_assert_eq!(told, &Sent::Message { message: message.clone(), wire });
            prop_assert!(own.window_bits > 8 || *rsv == PLAIN);

            let bytes = fragmented(&bytes, fragment);
            let happened = read_split(&mut receiver, &bytes, &mut sizes);
            let [Incoming::Message { message: read, wire, .. }] = &happened[..] else {
                panic!("{happened:?}");
            };
            prop_assert_eq!(read, &message);
            prop_assert_eq!(*wire, bytes.len() as u64);
        }
    }

    #[test]
    fn any_bytes_come_to_the_same_in_any_split(
        payloads in vec(garbage(), 1..4),
        context_takeover in any::<bool>(),
        opcode in select(vec![Opcode::TEXT, Opcode::BINARY]),
        sizes in vec(1..40_usize, 1..8),
    ) {
        let whole = |payload: &Vec<u8>| frame(true, RSV1, opcode, payload);
        let bytes: Vec<u8> = payloads.iter().flat_map(whole).collect();
        let expected = read(&mut client(context_takeover), &bytes);
        let mut sizes = sizes.into_iter().cycle();
        let split = read_split(&mut client(context_takeover), &bytes, &mut sizes);
        prop_assert_eq!(without_reasons(split), without_reasons(expected));
    }
}
