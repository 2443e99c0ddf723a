//! Random sequences of frames: mostly what may come next, sometimes with one thing wrong.

use std::fmt;
use std::ops::Range;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use wscope::model::frame::Opcode;
use wscope::protocol::encode;
use wscope::protocol::engine::Role;
use wscope::protocol::header::Header;

use super::LIMIT;

/// A sequence of frames as bytes.
pub(crate) struct Case {
    pub(crate) role: Role,
    pub(crate) bytes: Vec<u8>,
    /// How many bytes at the end are not sent.
    pub(crate) truncated: usize,
    /// Sizes of the reads, over and over.
    pub(crate) cuts: Vec<usize>,
    /// Where the header with a length in the wrong form is.
    pub(crate) bad_header: Option<Range<usize>>,
    /// The only Close frame of the sequence, if it has a code.
    pub(crate) close: Option<(u16, String)>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.sent()[..self.end().min(4_000)];
        write!(f, "{:?} {:?} {shown:02x?}", self.role, self.cuts)
    }
}

/// What is wrong with a frame; at most one thing each.
#[derive(Debug, Clone, Copy)]
enum Defect {
    ReservedBit,
    ReservedOpcode,
    Masking,
    LongerLength,
    HighestBit,
    LongControl,
    FragmentedControl,
    OutOfSequence,
    Oversized,
    BadText,
    /// The last byte is missing, which may have ended a character.
    CutText,
}

const DEFECTS: [Defect; 11] = [
    Defect::ReservedBit,
    Defect::ReservedOpcode,
    Defect::Masking,
    Defect::LongerLength,
    Defect::HighestBit,
    Defect::LongControl,
    Defect::FragmentedControl,
    Defect::OutOfSequence,
    Defect::Oversized,
    Defect::BadText,
    Defect::CutText,
];

/// A message whose frames are being made.
struct Open {
    text: bool,
    rest: Vec<u8>,
}

impl Case {
    pub(crate) fn random(random: &mut StdRng) -> Self {
        let mut case = Self {
            role: *[Role::Client, Role::Server].choose(random).unwrap(),
            bytes: Vec::new(),
            truncated: 0,
            cuts: cuts(random),
            bad_header: None,
            close: None,
        };
        let frames = random.random_range(0..10);
        let broken_at = random.random_bool(0.4).then(|| random.random_range(0..10));
        let close_at = random.random_bool(0.4).then_some(frames);
        let mut open = None;
        for at in 0..frames {
            let defect = (broken_at == Some(at)).then(|| *DEFECTS.choose(random).unwrap());
            case.add_frame(&mut open, defect, random);
        }
        if close_at.is_some() {
            case.add_close(random);
            // What follows a Close is ignored.
            case.add_frame(&mut open, None, random);
        }
        if random.random_bool(0.2) {
            case.truncated = random.random_range(0..=case.bytes.len().min(200));
        }
        case
    }

    pub(crate) fn end(&self) -> usize {
        self.bytes.len() - self.truncated
    }

    pub(crate) fn sent(&self) -> &[u8] {
        &self.bytes[..self.end()]
    }

    fn add_frame(&mut self, open: &mut Option<Open>, defect: Option<Defect>, random: &mut StdRng) {
        if random.random_bool(0.25)
            || matches!(
                defect,
                Some(Defect::LongControl | Defect::FragmentedControl)
            )
        {
            let opcode = *[Opcode::PING, Opcode::PONG].choose(random).unwrap();
            let size = match defect {
                Some(Defect::LongControl) => random.random_range(126..300),
                _ => random.random_range(0..=125),
            };
            self.add(true, opcode, &bytes(size, random), defect, random);
            return;
        }

        let first = open.is_none();
        let mut message = open.take().unwrap_or_else(|| {
            let text = random.random_bool(0.6);
            Open {
                text,
                rest: payload(text, random),
            }
        });
        match defect {
            Some(Defect::BadText) if !message.rest.is_empty() => {
                let at = random.random_range(0..message.rest.len());
                message.rest[at] = *[0x00, 0x80, 0xC0, 0xE0, 0xED, 0xF4, 0xFF]
                    .choose(random)
                    .unwrap();
            }
            Some(Defect::CutText) => drop(message.rest.pop()),
            Some(Defect::Oversized) => message.rest = bytes(LIMIT + 1, random),
            _ => {}
        }
        let whole = random.random_bool(0.5);
        let len = message.rest.len();
        let take = if whole {
            len
        } else {
            random.random_range(0..=len)
        };
        let rest = message.rest.split_off(take);
        let fin = rest.is_empty() && random.random_bool(0.9);
        let opcode = match (first, defect) {
            (true, Some(Defect::OutOfSequence)) => Opcode::CONTINUATION,
            (false, Some(Defect::OutOfSequence)) => Opcode::TEXT,
            (true, _) if message.text => Opcode::TEXT,
            (true, _) => Opcode::BINARY,
            (false, _) => Opcode::CONTINUATION,
        };
        self.add(fin, opcode, &message.rest, defect, random);
        if !fin {
            *open = Some(Open {
                text: message.text,
                rest,
            });
        }
    }

    fn add_close(&mut self, random: &mut StdRng) {
        const CODES: [u16; 22] = [
            0, 1, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1011, 1013, 1014, 1015,
            1016, 2999, 3000, 3999, 4000, 4999, 5000,
        ];
        let code = *CODES.choose(random).unwrap();
        let body = match random.random_range(0..10) {
            0 => Vec::new(),
            1 => vec![3],
            2 => [&1000_u16.to_be_bytes()[..], b"\xC3\x28"].concat(),
            _ => {
                let mut reason = "schade, 水".repeat(random.random_range(0..=10));
                reason.truncate(110);
                self.close = Some((code, reason.clone()));
                [&code.to_be_bytes()[..], reason.as_bytes()].concat()
            }
        };
        self.add(true, Opcode::CLOSE, &body, None, random);
    }

    fn add(
        &mut self,
        fin: bool,
        opcode: Opcode,
        payload: &[u8],
        defect: Option<Defect>,
        random: &mut StdRng,
    ) {
        let is = |wanted: fn(Defect) -> bool| defect.is_some_and(wanted);
        let masked = (self.role == Role::Server) != is(|defect| matches!(defect, Defect::Masking));
        let mut header = Header::whole(
            opcode,
            payload.len() as u64,
            masked.then(|| random.random()),
        );
        header.fin = fin && !is(|defect| matches!(defect, Defect::FragmentedControl));
        match defect {
            Some(Defect::ReservedBit) => header.rsv[random.random_range(0..3)] = true,
            Some(Defect::ReservedOpcode) => {
                header.opcode = Opcode::new(*[3, 7, 11, 15].choose(random).unwrap());
            }
            _ => {}
        }
        let start = self.bytes.len();
        let frame = encode::frame(&header, payload);
        match defect {
            Some(Defect::LongerLength) if payload.len() < 65_536 => {
                let len = payload.len() as u64;
                let wide = payload.len() > 125 || random.random_bool(0.5);
                let (form, length) = if wide {
                    (127, len.to_be_bytes().to_vec())
                } else {
                    (126, (len as u16).to_be_bytes().to_vec())
                };
                let key_and_payload = payload.len() + if masked { 4 } else { 0 };
                self.bytes.extend([frame[0], frame[1] & 0x80 | form]);
                self.bytes.extend(length);
                self.bytes.extend(&frame[frame.len() - key_and_payload..]);
                self.bad_header = Some(start..self.bytes.len() - payload.len());
            }
            Some(Defect::HighestBit) => {
                header.payload_len = random.random_range(1 << 63..=u64::MAX);
                self.bytes.extend(encode::header(&header).as_ref());
                self.bad_header = Some(start..self.bytes.len());
                self.bytes.extend(payload);
            }
            _ => self.bytes.extend(frame),
        }
    }
}

pub(crate) fn cuts(random: &mut StdRng) -> Vec<usize> {
    let largest = *[1, 3, 20, 500, 5_000].choose(random).unwrap();
    (0..5).map(|_| random.random_range(1..=largest)).collect()
}

fn bytes(size: usize, random: &mut StdRng) -> Vec<u8> {
    let mut bytes = vec![0; size];
    random.fill(&mut bytes[..]);
    bytes
}

pub(crate) fn payload(is_text: bool, random: &mut StdRng) -> Vec<u8> {
    if is_text {
        return text(random);
    }
    let size = match random.random_range(0..100) {
        0 => random.random_range(65_530..65_545),
        1..10 => random.random_range(120..2_000),
        _ => random.random_range(0..40),
    };
    bytes(size, random)
}

pub(crate) fn text(random: &mut StdRng) -> Vec<u8> {
    const LETTERS: [char; 9] = [
        'a',
        'ß',
        '\u{7FF}',
        '水',
        '\u{D7FF}',
        '\u{FFFF}',
        '🦀',
        '\u{10FFFF}',
        '\0',
    ];
    let letters = random.random_range(0..60);
    let text: String = (0..letters)
        .map(|_| *LETTERS.choose(random).unwrap())
        .collect();
    text.into_bytes()
}
