//! Whatever a peer sends, however it is cut: the same happens, no message is larger than allowed,
//! little is queued, and what is answered is legal to an engine at the other end.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use wscope::model::frame::Opcode;
use wscope::protocol::deflate::Side;
use wscope::protocol::encode;
use wscope::protocol::engine::{Incoming, Role};
use wscope::protocol::header::Header;
use wscope_fuzz::{agreed, engine, other, read, write};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    server: bool,
    deflate: bool,
    sizes: &'a [u8],
    frames: Vec<Frame<'a>>,
    noise: &'a [u8],
}

/// Bytes that are frames reach further than bytes that are not.
#[derive(Debug, Arbitrary)]
struct Frame<'a> {
    fin: bool,
    rsv: [bool; 3],
    opcode: u8,
    key: [u8; 4],
    payload: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let role = if input.server {
        Role::Server
    } else {
        Role::Client
    };
    let mut bytes = Vec::new();
    for frame in &input.frames {
        let key = input.server.then_some(frame.key);
        let opcode = Opcode::new(frame.opcode);
        let length = frame.payload.len() as u64;
        let header = Header::new(frame.fin, frame.rsv, opcode, length, key);
        bytes.extend(encode::frame(&header, frame.payload));
    }
    bytes.extend(input.noise);

    let deflate = input.deflate.then(|| {
        agreed(Side {
            context_takeover: true,
            window_bits: 15,
        })
    });
    let mut whole = engine(role, deflate);
    let mut cut = engine(role, deflate);
    let happened = read(&mut whole, &bytes, &[]);
    assert_eq!(read(&mut cut, &bytes, input.sizes), happened);

    let answers = write(&mut whole);
    if !input.deflate {
        assert_eq!(write(&mut cut), answers);
    }
    let heard = read(&mut engine(other(role), None), &answers, input.sizes);
    let broken = |incoming: &Incoming| matches!(incoming, Incoming::Violation(_));
    assert!(!heard.iter().any(broken), "{heard:?}");
    if happened.iter().any(broken) {
        assert!(
            matches!(heard.last(), Some(Incoming::Close(Some(_)))),
            "{heard:?}"
        );
    }
});
