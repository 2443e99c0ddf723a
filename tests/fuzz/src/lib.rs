//! What the fuzz targets share. Each feeds the same bytes whole and cut, and fails where the two
//! do not come to the same.

use std::io::IoSlice;
use std::iter;

use wscope::protocol::deflate::{Agreed, Side};
use wscope::protocol::engine::{Config, Engine, Incoming, Role};

/// The largest message that [`engine`] takes, small enough to be exceeded.
pub const LIMIT: usize = 4 << 10;

/// How much an engine's queue may hold before it has written anything.
const MOST_QUEUED: usize = 4 << 10;

/// `bytes` in pieces of these sizes, over and over; whole where there are none.
pub fn pieces<'a>(mut bytes: &'a [u8], sizes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().cycle();
    iter::from_fn(move || {
        let size = sizes
            .next()
            .map_or(usize::MAX, |size| 1 + usize::from(*size));
        let (piece, rest) = bytes.split_at(bytes.len().min(size));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Both directions of permessage-deflate alike.
pub fn agreed(side: Side) -> Agreed {
    Agreed {
        own: side,
        peer: side,
    }
}

/// An engine that tells everything.
pub fn engine(role: Role, deflate: Option<Agreed>) -> Engine {
    let config = Config {
        role,
        max_message_size: LIMIT,
        auto_pong: true,
        report_frames: true,
        max_queued: usize::MAX,
        deflate,
    };
    Engine::new(config, [7; 32])
}

/// Everything that an engine makes of these bytes, cut like this.
pub fn read(engine: &mut Engine, bytes: &[u8], sizes: &[u8]) -> Vec<Incoming> {
    let mut happened = Vec::new();
    for mut piece in pieces(bytes, sizes) {
        happened.extend(iter::from_fn(|| engine.next(&mut piece)));
        assert!(piece.is_empty(), "None means that everything was consumed");
    }
    for incoming in &mut happened {
        match incoming {
            Incoming::Message { message, .. } => assert!(message.payload.len() <= LIMIT),
            Incoming::Violation(violation) => forget_why(&mut violation.rule),
            _ => {}
        }
    }
    assert!(
        engine.queued() <= MOST_QUEUED,
        "what a peer can provoke is bounded"
    );
    happened
}

/// That a compressed message is broken is the same in any split; zlib's words for it are not.
fn forget_why(rule: &mut String) {
    const BROKEN: &str = "a compressed message does not inflate";
    if rule.starts_with(BROKEN) {
        rule.truncate(BROKEN.len());
    }
}

/// Everything that an engine has to write.
pub fn write(engine: &mut Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    while engine.has_to_write() {
        let mut slices = [IoSlice::new(&[]); 4];
        let filled = engine.to_write(&mut slices);
        let before = bytes.len();
        for slice in &slices[..filled] {
            bytes.extend_from_slice(slice);
        }
        engine.written(bytes.len() - before);
    }
    bytes
}

pub fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}
