//! permessage-deflate through the binary, in both roles, with every set of parameters: what was
//! agreed is kept to, and what is told of it is what was on the wire.

mod harness;

use harness::program::wscope;
use harness::raw::{Frame, Peer, RawServer, TEXT, encode};
use harness::running::Signal;
use harness::served::serve;
use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush};

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// One end's messages, as agreed on.
#[derive(Debug, Clone, Copy)]
struct Side {
    takeover: bool,
    bits: u8,
}

/// Every window, with and without context takeover.
fn sides() -> impl Iterator<Item = Side> {
    (8..=15).flat_map(|bits| [true, false].map(|takeover| Side { takeover, bits }))
}

impl Side {
    /// The parameters that ask for it.
    fn params(self, who: &str) -> String {
        let takeover = match self.takeover {
            true => String::new(),
            false => format!("; {who}_no_context_takeover"),
        };
        format!("; {who}_max_window_bits={}{takeover}", self.bits)
    }
}

/// Text that repeats what is some and what is 5,600 bytes back.
fn text() -> String {
    let mut seed = 1_u32;
    let mut word = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("{seed:08x}")
    };
    let far: String = (0..600).map(|_| word()).collect();
    let near = word().repeat(100);
    format!("{far}{near}{far}")
}

/// The raw end of a connection: compresses and inflates with zlib, apart from the program's codec.
struct Codec {
    own: Side,
    peer: Side,
    deflate: Deflate,
    inflate: Inflate,
}

impl Codec {
    fn new(own: Side, peer: Side) -> Self {
        Self {
            own,
            peer,
            // No zlib keeps to 8 bits; there what is sent is stored, which refers to nothing.
            deflate: Deflate::new(if own.bits == 8 { 0 } else { 6 }, false, own.bits.max(9)),
            inflate: Inflate::new(false, peer.bits),
        }
    }

    fn compress(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = vec![0; 2 * text.len()];
        let before = self.deflate.total_out();
        let flush = DeflateFlush::SyncFlush;
        self.deflate
            .compress(text.as_bytes(), &mut bytes, flush)
            .unwrap();
        bytes.truncate((self.deflate.total_out() - before) as usize);
        if !self.own.takeover {
            self.deflate.reset();
        }
        bytes.strip_suffix(&TAIL).expect("a flush").to_vec()
    }

    /// Inflates into small pieces, so that nothing farther back than the window is found.
    fn inflate(&mut self, payload: &[u8]) -> String {
        let bytes = [payload, &TAIL].concat();
        let mut rest = &bytes[..];
        let mut text = Vec::new();
        loop {
            let mut piece = [0; 31];
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            self.inflate
                .decompress(rest, &mut piece, InflateFlush::NoFlush)
                .unwrap();
            rest = &rest[(self.inflate.total_in() - before_in) as usize..];
            let made = (self.inflate.total_out() - before_out) as usize;
            text.extend_from_slice(&piece[..made]);
            if made < piece.len() {
                break;
            }
        }
        if !self.peer.takeover {
            self.inflate.reset(false);
        }
        String::from_utf8(text).unwrap()
    }

    /// Sends the text twice, compressed and in fragments with a ping between them, and reads it
    /// back; the frames that came.
    fn echoed(&mut self, peer: &mut Peer, text: &str) -> [Frame; 2] {
        [1, 2].map(|_| {
            let compressed = self.compress(text);
            let (first, rest) = compressed.split_at(compressed.len() / 2);
            peer.send_raw(RSV1 | TEXT, first);
            peer.send_raw(FIN | 9, "between");
            peer.send_raw(FIN, rest);
            let mut next = || peer.frame().expect("a frame");
            let mut frame = next();
            while frame.opcode != TEXT {
                frame = next();
            }
            let read = match frame.compressed {
                true => self.inflate(&frame.payload),
                false => frame.text(),
            };
            assert_eq!(read, text);
            frame
        })
    }
}

/// What the program sends where this is agreed on for it: compressed, unless no zlib can; the
/// second message from the first where that is allowed and near enough.
#[track_caller]
fn judge(side: Side, [first, second]: &[Frame; 2]) {
    assert_eq!(first.compressed, side.bits > 8, "{side:?}");
    let (first, second) = (first.payload.len(), second.payload.len());
    let refers = side.takeover && side.bits >= 13;
    assert_eq!(
        second < first / 10,
        refers,
        "{side:?}: {first}, then {second}"
    );
}

#[test]
fn serve_keeps_to_whatever_a_client_asks_for() {
    let server = serve(&[]);
    let text = text();
    for side in sides() {
        let params = side.params("client") + &side.params("server");
        let offer = format!("Sec-WebSocket-Extensions: permessage-deflate{params}");
        let mut peer = Peer::connect_with(server.address(), &[&offer]);
        let answer = peer.header("Sec-WebSocket-Extensions").concat();
        let asked = side.params("server");
        for param in asked.split("; ") {
            assert!(answer.contains(param), "{answer}");
        }
        let frames = Codec::new(side, side).echoed(&mut peer, &text);
        judge(side, &frames);
        peer.send_close(1000, "");
        assert_eq!(peer.close_frame().0, 1000);
    }
    server.stop(Signal::Terminate).code(0);
}

#[test]
fn connect_keeps_to_whatever_a_server_chooses() {
    for side in sides() {
        let server = RawServer::http(move |peer| {
            let params = side.params("client") + &side.params("server");
            let answer = format!("Sec-WebSocket-Extensions: permessage-deflate{params}");
            peer.accept_with(&[&answer]);
            let frames = Codec::new(side, side).echoed(peer, &text());
            judge(side, &frames);
            peer.send_close(1000, "");
            assert_eq!(peer.close_frame().0, 1000);
        });
        wscope(&["connect", &server.url(), "--echo"]).run().code(0);
    }
}

#[test]
fn what_is_told_is_what_was_on_the_wire() {
    let text = "what repeats itself gets small, ".repeat(100);
    let (sender, receiver) = std::sync::mpsc::channel();
    let sent = text.clone();
    let server = RawServer::http(move |peer| {
        peer.accept_with(&["Sec-WebSocket-Extensions: permessage-deflate"]);
        let side = Side {
            takeover: true,
            bits: 15,
        };
        let compressed = Codec::new(side, side).compress(&sent);
        let frame = encode(FIN | RSV1 | TEXT, None, &compressed);
        peer.send(&frame);
        let answer = peer.frame().expect("the same text");
        // Two bytes of header, four of mask.
        sender
            .send((frame.len(), 6 + answer.payload.len()))
            .unwrap();
        peer.finish_close();
    });
    let url = server.url();
    let args = [
        "connect",
        &url,
        "--json",
        "--frames",
        "--slash",
        "--echo",
        "--duration",
        "0.3",
    ];
    let output = wscope(&args).run().code(0);
    let (received, sent) = receiver.recv().unwrap();

    for (dir, wire) in [("in", received), ("out", sent)] {
        let of = |kind| {
            let mut events = output.events_of(kind).into_iter();
            events.find(|event| event["dir"] == dir).expect("an event")
        };
        let message = of("message");
        assert_eq!(
            (&message["size"], &message["wire"]),
            (&text.len().into(), &wire.into())
        );
        let ratio = (text.len() as f64 / wire as f64 * 100.0).round() / 100.0;
        assert_eq!(message["ratio"], ratio);
        let frame = of("frame");
        assert_eq!(frame["rsv"], serde_json::json!([1, 0, 0]));
        assert_eq!(frame["wire"], wire);
        let header = if dir == "in" { 2 } else { 6 };
        assert_eq!(frame["size"], wire - header);
    }
    let end = &output.events_of("end")[0];
    assert_eq!(end["bytes"]["received_wire"], received);
    assert_eq!(end["bytes"]["sent_wire"], sent);
    assert_eq!(end["bytes"]["sent_payload"], text.len());
}

#[test]
fn stats_tell_the_ratio() {
    let text = "what repeats itself gets small, ".repeat(100);
    let server = serve(&[]);
    let mut running = wscope(&["connect", server.url(), "--slash"]).spawn();
    running.send(&text);
    running.stdout.line(&text);
    running.send("/stats");
    running.stderr.line("received 1 message, 3.2 kB (");
    running.end_input();
    let output = running.wait().code(0);
    let told = String::from_utf8_lossy(&output.stderr);
    let ratios = told
        .lines()
        .filter(|line| line.contains(" on the wire, ") && line.contains(":1);"));
    assert_eq!(ratios.count(), 2, "{told}");
}
