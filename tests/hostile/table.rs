//! What a peer can do wrong, as a table that holds for both roles: the same bytes are masked where
//! a client sends them.

use super::compressed::{bomb, compressed};
use super::harness::raw::{BINARY, CLOSE, PING, PONG, Peer, TEXT, close_payload, encode};

/// One thing that a peer does after the opening handshake.
pub(crate) struct Attack {
    pub(crate) name: String,
    /// permessage-deflate was agreed on.
    pub(crate) deflate: bool,
    pub(crate) act: Box<dyn Fn(&mut Peer) + Send + Sync>,
    pub(crate) end: End,
}

/// What has to become of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    /// The program closes with this code, for the protocol was broken.
    Breach(u16),
    /// The same, for what is wrong is the peer's Close, which has this code.
    IllegalClose { sent: u16, code: u16 },
    /// The program answers the peer's Close with its code; 1005 where it has none.
    Answered(u16),
    /// TCP ended without a Close.
    Gone,
}

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
/// What no terminal may be told.
const ESCAPES: &str = "\u{1b}]0;PWNED\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{7f}";

/// Every rule, broken in one frame or a few.
pub(crate) fn breaches() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for opcode in (3..8).chain(11..16) {
        attacks.push(bytes(format!("opcode {opcode}"), 1002, move |key| {
            encode(FIN | opcode, key, b"")
        }));
    }
    for bit in [0x40, 0x20, 0x10] {
        attacks.push(bytes(format!("reserved bit {bit:#x}"), 1002, move |key| {
            encode(FIN | bit | TEXT, key, b"x")
        }));
    }
    for (name, first, payload) in [
        ("a ping in fragments", PING, &b"x"[..]),
        ("a Close in fragments", CLOSE, b""),
        ("a ping of 126 bytes", FIN | PING, &[b'x'; 126]),
        ("a pong of 70,000 bytes", FIN | PONG, &[b'x'; 70_000]),
        ("a Close of 126 bytes", FIN | CLOSE, &[3; 126]),
        ("a continuation of nothing", FIN, b"x"),
        ("a Close of one byte", FIN | CLOSE, &[3]),
    ] {
        attacks.push(bytes(name, 1002, move |key| encode(first, key, payload)));
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        let attack = bytes(format!("close code {code}"), 1002, move |key| {
            encode(FIN | CLOSE, key, &close_payload(code, ESCAPES))
        });
        let end = End::IllegalClose {
            sent: code,
            code: 1002,
        };
        attacks.push(Attack { end, ..attack });
    }
    let reason = bytes("a Close reason that is no text", 1007, |key| {
        encode(FIN | CLOSE, key, b"\x03\xe8\xff")
    });
    let end = End::IllegalClose {
        sent: 1000,
        code: 1007,
    };
    attacks.push(Attack { end, ..reason });
    attacks.push(bytes("masking the wrong way", 1002, |key| {
        let other = key.xor(Some([1, 2, 3, 4]));
        encode(FIN | TEXT, other, b"hello")
    }));
    attacks.push(bytes("a text inside a text", 1002, |key| {
        [encode(TEXT, key, b"a"), encode(FIN | TEXT, key, b"b")].concat()
    }));
    for (name, form, length, code) in [
        (
            "length 2^62",
            127,
            (1_u64 << 62).to_be_bytes().to_vec(),
            1009,
        ),
        (
            "the highest bit",
            127,
            (1_u64 << 63).to_be_bytes().to_vec(),
            1002,
        ),
        ("all bits", 127, u64::MAX.to_be_bytes().to_vec(), 1002),
        (
            "64 MiB and one",
            127,
            ((64_u64 << 20) + 1).to_be_bytes().to_vec(),
            1009,
        ),
        (
            "125 in two bytes",
            126,
            125_u16.to_be_bytes().to_vec(),
            1002,
        ),
        ("0 in eight bytes", 127, 0_u64.to_be_bytes().to_vec(), 1002),
        (
            "65,535 in eight bytes",
            127,
            65_535_u64.to_be_bytes().to_vec(),
            1002,
        ),
    ] {
        attacks.push(bytes(name, code, move |key| {
            header(FIN | BINARY, key, form, &length)
        }));
    }
    for (name, first, payload) in [
        ("a text of one bad byte", FIN | TEXT, &b"\xff"[..]),
        ("a text cut in a character", FIN | TEXT, b"\xe2\x82"),
        ("a surrogate", FIN | TEXT, b"\xed\xa0\x80"),
        ("an overlong slash", FIN | TEXT, b"\xc0\xaf"),
        ("a bad byte in a first fragment", TEXT, b"\xf4\x90"),
    ] {
        attacks.push(bytes(name, 1007, move |key| encode(first, key, payload)));
    }
    attacks.push(bytes(
        "a bad byte in a frame that does not end",
        1007,
        |key| {
            let mut bytes = header(FIN | TEXT, key, 127, &(1_u64 << 20).to_be_bytes());
            bytes.extend(encode(0, key, b"\xff\xff\xff").split_off(if key.is_some() {
                6
            } else {
                2
            }));
            bytes
        },
    ));
    attacks
}

/// What only permessage-deflate makes possible.
pub(crate) fn deflate_breaches() -> Vec<Attack> {
    let mut attacks = Vec::new();
    let text = |key, payload: &[u8]| encode(FIN | RSV1 | TEXT, key, payload);
    for (name, first) in [
        ("RSV1 on a ping", FIN | RSV1 | PING),
        ("RSV1 on a Close", FIN | RSV1 | CLOSE),
        ("RSV2 beside RSV1", FIN | RSV1 | 0x20 | TEXT),
    ] {
        attacks.push(bytes(name, 1002, move |key| encode(first, key, b"")));
    }
    attacks.push(bytes("RSV1 on a continuation", 1002, |key| {
        let first = encode(RSV1 | TEXT, key, b"");
        [first, encode(FIN | RSV1, key, b"")].concat()
    }));
    for (name, payload) in [
        ("an unknown block", &b"\x07"[..]),
        ("a stored block that lies", b"\x00\x05\x00\x00\x00"),
        ("a reference to nothing", b"\xF2\x00\x11\x00\x00"),
        ("nothing at all", b""),
    ] {
        attacks.push(bytes(name, 1007, move |key| text(key, payload)));
    }
    attacks.push(bytes("a truncated stream", 1007, move |key| {
        let whole = compressed(&b"what repeats itself gets small ".repeat(9));
        text(key, &whole[..whole.len() - 4])
    }));
    attacks.push(bytes("bad text inside", 1007, move |key| {
        text(key, &compressed(b"so far so good \xff and after"))
    }));
    attacks.push(bytes("a bomb of 1 GiB", 1009, move |key| {
        text(key, &bomb(1024))
    }));
    attacks.push(bytes("a bomb of 1 GiB in small fragments", 1009, |key| {
        let bomb = bomb(1024);
        let pieces = bomb.chunks(1000).enumerate().map(|(at, piece)| {
            let first = if at == 0 { RSV1 | BINARY } else { 0 };
            encode(first, key, piece)
        });
        pieces.collect::<Vec<_>>().concat()
    }));
    for attack in &mut attacks {
        attack.deflate = true;
    }
    attacks
}

/// Messages that get too large bit by bit, and those that only seem to.
pub(crate) fn endless() -> Vec<Attack> {
    let mut attacks: Vec<Attack> = [
        ("fragments of 64 KiB", 64 << 10),
        ("fragments of 1 MiB", 1 << 20),
    ]
    .map(|(name, size)| {
        act(name, End::Breach(1009), move |peer| {
            let fragment = encode(0, peer.key(), &vec![b'x'; size]);
            peer.send_raw(BINARY, "");
            // Half as much again as is allowed.
            for _ in 0..(96 << 20) / size {
                peer.send(&fragment);
            }
        })
    })
    .into();
    attacks.push(act(
        "a million empty fragments and no last one",
        End::Gone,
        |peer| {
            let fragments = encode(0, peer.key(), b"").repeat(10_000);
            peer.send_raw(TEXT, "");
            for _ in 0..100 {
                peer.send(&fragments);
            }
        },
    ));
    attacks
}

/// What breaks the protocol while megabytes are on their way that nobody will read.
pub(crate) fn in_flight() -> Vec<Attack> {
    let mut attacks: Vec<Attack> = breaches();
    attacks.retain(|attack| {
        let names = ["opcode 3", "a surrogate", "length 2^62", "close code 1006"];
        names.contains(&attack.name.as_str())
    });
    for attack in &mut attacks {
        let act = std::mem::replace(&mut attack.act, Box::new(|_| {}));
        attack.name.push_str(", with 8 MiB behind it");
        attack.act = Box::new(move |peer| {
            act(peer);
            peer.send(vec![0; 8 << 20]);
        });
    }
    attacks
}

/// Every way to end, wrong or right.
pub(crate) fn ends() -> Vec<Attack> {
    let mut attacks = vec![
        act("FIN", End::Gone, |_| {}),
        act("RST", End::Gone, Peer::reset),
        act("RST inside a message", End::Gone, |peer| {
            peer.send_raw(TEXT, "unfinished");
            peer.reset();
        }),
        act("FIN inside a message", End::Gone, |peer| {
            peer.send_raw(TEXT, "unfinished");
        }),
        act("a Close without a code", End::Answered(1005), |peer| {
            peer.send_raw(FIN | CLOSE, "");
        }),
        act("a Close behind escapes", End::Answered(4000), |peer| {
            peer.send_raw(FIN | TEXT, ESCAPES);
            peer.send_raw(FIN | BINARY, ESCAPES);
            peer.send_raw(FIN | PING, ESCAPES);
            peer.send_raw(FIN | PONG, ESCAPES);
            peer.send_close(4000, ESCAPES);
        }),
    ];
    for code in (1000..1004)
        .chain(1007..1015)
        .chain([3000, 3999, 4000, 4999])
    {
        attacks.push(act(
            format!("close code {code}, legal"),
            End::Answered(code),
            move |peer| peer.send_close(code, "because"),
        ));
    }
    let whole = |key| header(FIN | BINARY, key, 126, &200_u16.to_be_bytes());
    for length in 1..whole(None).len() + 5 {
        attacks.push(act(
            format!("a frame of {length} bytes that were 204"),
            End::Gone,
            move |peer| {
                let frame = [whole(peer.key()), vec![0; 9]].concat();
                peer.send(&frame[..length]);
            },
        ));
    }
    attacks
}

/// The same, byte by byte.
pub(crate) fn in_segments(attacks: Vec<Attack>, most: usize) -> Vec<Attack> {
    let attacks = attacks.into_iter().map(|attack| {
        let act = attack.act;
        Attack {
            name: format!("{}, byte by byte", attack.name),
            act: Box::new(move |peer| {
                peer.send_in_segments(most);
                act(peer);
            }),
            ..attack
        }
    });
    attacks.collect()
}

fn act(
    name: impl Into<String>,
    end: End,
    act: impl Fn(&mut Peer) + Send + Sync + 'static,
) -> Attack {
    Attack {
        name: name.into(),
        deflate: false,
        act: Box::new(act),
        end,
    }
}

/// Bytes that have to be closed with this code.
fn bytes(
    name: impl Into<String>,
    code: u16,
    bytes: impl Fn(Option<[u8; 4]>) -> Vec<u8> + Send + Sync + 'static,
) -> Attack {
    act(name, End::Breach(code), move |peer| {
        let bytes = bytes(peer.key());
        peer.send(bytes);
    })
}

/// A header with a length in any form.
fn header(first: u8, key: Option<[u8; 4]>, form: u8, length: &[u8]) -> Vec<u8> {
    let masked = if key.is_some() { 0x80 } else { 0 };
    let key = key.as_ref().map_or(&[][..], |key| key);
    [&[first, masked | form], length, key].concat()
}
