//! Random messages twice: compressed in every way that RFC 7692 allows, and as they are.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use wscope::model::frame::Opcode;
use wscope::protocol::deflate::{Agreed, Side};
use wscope::protocol::encode;
use wscope::protocol::engine::Role;
use wscope::protocol::header::Header;
use zlib_rs::{Deflate, DeflateFlush};

use super::LIMIT;
use super::case::{cuts, payload};

const PLAIN: [bool; 3] = [false; 3];

/// The same sequence in two forms.
pub(crate) struct Compressed {
    pub(crate) role: Role,
    pub(crate) agreed: Agreed,
    pub(crate) compressed: Vec<u8>,
    pub(crate) plain: Vec<u8>,
    pub(crate) cuts: Vec<usize>,
}

impl Compressed {
    pub(crate) fn random(random: &mut StdRng) -> Self {
        let side = Side {
            context_takeover: random.random(),
            window_bits: random.random_range(9..=15),
        };
        let mut case = Self {
            role: *[Role::Client, Role::Server].choose(random).unwrap(),
            agreed: Agreed {
                own: side,
                peer: side,
            },
            compressed: Vec::new(),
            plain: Vec::new(),
            cuts: cuts(random),
        };
        let mut deflater = Deflater::new(side, random);
        for _ in 0..random.random_range(0..8) {
            case.add_message(&mut deflater, random);
        }
        if random.random_bool(0.3) {
            let body = [&4000_u16.to_be_bytes()[..], b"done"].concat();
            case.add_both(Opcode::CLOSE, &body, random);
        }
        case
    }

    fn add_message(&mut self, deflater: &mut Deflater, random: &mut StdRng) {
        let is_text = random.random_bool(0.6);
        let opcode = if is_text {
            Opcode::TEXT
        } else {
            Opcode::BINARY
        };
        let mut message = payload(is_text, random).repeat(random.random_range(0..4));
        let defect = random.random_range(0..60);
        match defect {
            0 if !message.is_empty() => {
                let at = random.random_range(0..message.len());
                message[at] = 0xFF;
            }
            // Half of a character, if there is one.
            1 => drop(message.pop()),
            2 => message = vec![b'z'; LIMIT + random.random_range(0..=1)],
            _ => {}
        }
        let broken = defect <= 2 || message.len() > LIMIT;
        if random.random_bool(0.2) {
            self.add_both(opcode, &message, random);
            return;
        }
        let mut rest = deflater.message(&message, random);
        let mut rsv = [true, false, false];
        let mut fragment = opcode;
        loop {
            let take = match random.random_range(0..3) {
                0 => random.random_range(0..=rest.len()),
                _ => rest.len(),
            };
            let after = rest.split_off(take);
            let fin = after.is_empty() && random.random_bool(0.9);
            let frame = self.frame(fin, rsv, fragment, &rest, random);
            self.compressed.extend(frame);
            if fin {
                break;
            }
            if !broken && random.random_bool(0.3) {
                // It is told before the message whose frames it stands between; one that is broken
                // may have failed before that.
                self.add_both(Opcode::PING, b"between", random);
            }
            rsv = PLAIN;
            fragment = Opcode::CONTINUATION;
            rest = after;
        }
        let frame = self.frame(true, PLAIN, opcode, &message, random);
        self.plain.extend(frame);
    }

    /// A frame that is the same in both.
    fn add_both(&mut self, opcode: Opcode, payload: &[u8], random: &mut StdRng) {
        let frame = self.frame(true, PLAIN, opcode, payload, random);
        self.compressed.extend(&frame);
        self.plain.extend(frame);
    }

    fn frame(
        &self,
        fin: bool,
        rsv: [bool; 3],
        opcode: Opcode,
        payload: &[u8],
        random: &mut StdRng,
    ) -> Vec<u8> {
        let key = (self.role == Role::Server).then(|| random.random());
        let header = Header::new(fin, rsv, opcode, payload.len() as u64, key);
        encode::frame(&header, payload)
    }
}

/// zlib with any level, flushed in any way.
struct Deflater {
    side: Side,
    level: i32,
    stream: Deflate,
}

impl Deflater {
    fn new(side: Side, random: &mut StdRng) -> Self {
        let level = random.random_range(0..=9);
        Self {
            side,
            level,
            stream: Deflate::new(level, false, side.window_bits),
        }
    }

    fn message(&mut self, message: &[u8], random: &mut StdRng) -> Vec<u8> {
        let cut = random.random_range(0..=message.len());
        let (first, second) = message.split_at(cut);
        let mut bytes = Vec::new();
        if random.random_bool(0.3) {
            // Blocks may end anywhere; an empty one of a flush stays where it is (section 7.2.3.3).
            let flush = *[DeflateFlush::SyncFlush, DeflateFlush::FullFlush]
                .choose(random)
                .unwrap();
            self.add(first, flush, &mut bytes);
        } else {
            self.add(first, DeflateFlush::NoFlush, &mut bytes);
        }
        if random.random_bool(0.1) {
            // A final block, and an empty one in place of the flush (section 7.2.3.4).
            self.add(second, DeflateFlush::Finish, &mut bytes);
            bytes.push(0);
            self.stream.reset();
        } else {
            self.add(second, DeflateFlush::SyncFlush, &mut bytes);
            match bytes.strip_suffix(&[0x00, 0x00, 0xFF, 0xFF]) {
                Some(rest) => bytes.truncate(rest.len()),
                // zlib does not flush twice in a row (section 7.2.3.6).
                None => bytes.push(0),
            }
        }
        if !self.side.context_takeover {
            self.stream = Deflate::new(self.level, false, self.side.window_bits);
        }
        bytes
    }

    /// Compresses all of it.
    fn add(&mut self, input: &[u8], flush: DeflateFlush, bytes: &mut Vec<u8>) {
        let mut space = vec![0; input.len() + LIMIT * 5];
        let before = self.stream.total_out();
        // What has nothing to do says so with an error.
        let _nothing = self.stream.compress(input, &mut space, flush);
        let made = usize::try_from(self.stream.total_out() - before).unwrap();
        bytes.extend(&space[..made]);
    }
}
