//! The engine against tungstenite, a second, independent implementation: the same random frame
//! sequences, valid and broken, cut anywhere, must have the same outcome.
//!
//! `WSCOPE_DIFFERENTIAL_CASES` says how many sequences (2,000 by default). A failure names its
//! case; the cases are the same in every run.
//!
//! Known differences are taken out in [`expected`], each by name. Nothing else may differ.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::ops::Range;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio_tungstenite::tungstenite as reference;
use wscope::model::close::{CloseCode, CloseFrame};
use wscope::model::command::Command;
use wscope::model::frame::Opcode;
use wscope::model::message::{Kind, Message};
use wscope::protocol::encode;
use wscope::protocol::engine::{Config, Engine, Incoming, Role};
use wscope::protocol::header::Header;

/// The largest message, for both.
const LIMIT: usize = 70_000;

/// What came out of a byte stream.
#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    happened: Vec<Happened>,
    end: End,
}

#[derive(Debug, Clone, PartialEq)]
enum Happened {
    Text(Bytes),
    Binary(Bytes),
    Ping(Bytes),
    Pong(Bytes),
}

#[derive(Debug, Clone, PartialEq)]
enum End {
    Close(Option<(u16, String)>),
    /// A rule was broken; the code to close with.
    Failed(u16),
    /// The bytes ended.
    Eof,
}

#[test]
fn both_implementations_agree() {
    let cases = std::env::var("WSCOPE_DIFFERENTIAL_CASES")
        .map_or(2_000, |cases| cases.parse().expect("a number of cases"));
    let mut ends = [0_u64; 3];
    for seed in 0..cases {
        let case = Case::random(&mut StdRng::seed_from_u64(seed));
        let ours = ours(&case);
        let expected = expected(&case, &ours);
        assert_eq!(ours, expected, "case {seed}: {case:x?}");
        ends[match ours.end {
            End::Close(_) => 0,
            End::Failed(_) => 1,
            End::Eof => 2,
        }] += 1;
    }
    // The sequences must reach all ends, or the agreement says little.
    assert!(ends.iter().all(|count| *count * 20 > cases), "{ends:?}");
}

#[test]
fn the_reference_reads_what_the_engine_writes() {
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let role = *[Role::Client, Role::Server].choose(&mut random).unwrap();
        let mut engine = engine(role);
        let mut sent = Vec::new();
        for _ in 0..random.random_range(0..10) {
            let payload = Bytes::from(text(&mut random));
            let message = Message::text(String::from_utf8(payload.to_vec()).unwrap());
            engine.send(Command::Send(message)).unwrap();
            sent.push(Happened::Text(payload));
        }
        let close = CloseFrame::new(CloseCode(4000), "done").unwrap();
        engine.send(Command::Close(Some(close))).unwrap();

        let mut bytes = Vec::new();
        while engine.has_to_write() {
            let mut slices = [IoSlice::new(&[]); 3];
            let filled = engine.to_write(&mut slices);
            let count = Write::write_vectored(&mut bytes, &slices[..filled]).unwrap();
            engine.written(count);
        }
        let other = match role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        let read = theirs(other, &bytes, &cuts(&mut random));
        let end = End::Close(Some((4000, "done".into())));
        assert_eq!(
            read,
            Outcome {
                happened: sent,
                end
            },
            "case {seed}"
        );
    }
}

/// What the engine should say: what the reference says, but for the known differences.
fn expected(case: &Case, ours: &Outcome) -> Outcome {
    // Known difference, lengths: the reference accepts lengths that are not in their shortest
    // form, and calls one with the highest bit set too big (1009). Both break section 5.2 (1002).
    // So the reference reads up to that frame, and if it gets there, the engine must fail.
    if let Some(header) = &case.bad_header
        && header.end <= case.end()
    {
        let mut outcome = theirs(case.role, &case.bytes[..header.start], &case.cuts);
        if outcome.end == End::Eof {
            outcome.end = End::Failed(1002);
        }
        return outcome;
    }

    let mut outcome = theirs(case.role, case.sent(), &case.cuts);

    // Known difference, close codes: the reference turns a code that it does not know into a
    // Close with 1002. 1014 is registered and legal; the others may not be on the wire.
    let translated = Some((1002, "Protocol violation".to_owned()));
    if outcome.end == End::Close(translated) {
        outcome.end = match &case.close {
            Some((1014, reason)) => End::Close(Some((1014, reason.clone()))),
            _ => End::Failed(1002),
        };
    }

    // Known difference, speed: the reference judges whole frames, the engine headers and the text
    // that has arrived. When the bytes end inside a frame, it may have failed already, but only
    // with what the reference says when it gets the whole frame.
    if case.truncated > 0 && outcome.end == End::Eof && matches!(ours.end, End::Failed(_)) {
        outcome = theirs(case.role, &case.bytes, &case.cuts);
    }
    outcome
}

/// A sequence of frames as bytes.
struct Case {
    role: Role,
    bytes: Vec<u8>,
    /// How many bytes at the end are not sent.
    truncated: usize,
    /// Sizes of the reads, over and over.
    cuts: Vec<usize>,
    /// Where the header with a length in the wrong form is.
    bad_header: Option<Range<usize>>,
    /// The only Close frame of the sequence, if it has a code.
    close: Option<(u16, String)>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
}

const DEFECTS: [Defect; 10] = [
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
];

/// A message whose frames are being made.
struct Open {
    text: bool,
    rest: Vec<u8>,
}

impl Case {
    fn random(random: &mut StdRng) -> Self {
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

    fn end(&self) -> usize {
        self.bytes.len() - self.truncated
    }

    fn sent(&self) -> &[u8] {
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
            Some(Defect::Oversized) => message.rest = bytes(LIMIT + 1, random),
            _ => {}
        }
        let whole = random.random_bool(0.5) || matches!(defect, Some(Defect::Oversized));
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

fn cuts(random: &mut StdRng) -> Vec<usize> {
    let largest = *[1, 3, 20, 500, 5_000].choose(random).unwrap();
    (0..5).map(|_| random.random_range(1..=largest)).collect()
}

fn bytes(size: usize, random: &mut StdRng) -> Vec<u8> {
    let mut bytes = vec![0; size];
    random.fill(&mut bytes[..]);
    bytes
}

fn payload(is_text: bool, random: &mut StdRng) -> Vec<u8> {
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

fn text(random: &mut StdRng) -> Vec<u8> {
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

fn engine(role: Role) -> Engine {
    let config = Config {
        role,
        max_message_size: LIMIT,
        auto_pong: true,
        report_frames: false,
        max_queued: usize::MAX,
    };
    Engine::new(config, [5; 32])
}

/// What the engine makes of a case.
fn ours(case: &Case) -> Outcome {
    let mut engine = engine(case.role);
    let mut source = Source::new(case.sent(), &case.cuts);
    let mut happened = Vec::new();
    let mut buffer = vec![0; 8 << 10];
    loop {
        let count = source.read(&mut buffer).unwrap();
        if count == 0 {
            return Outcome {
                happened,
                end: End::Eof,
            };
        }
        let mut input = &buffer[..count];
        while let Some(incoming) = engine.next(&mut input) {
            let end = match incoming {
                Incoming::Message {
                    message:
                        Message {
                            kind: Kind::Text,
                            payload,
                        },
                    ..
                } => {
                    happened.push(Happened::Text(payload));
                    continue;
                }
                Incoming::Message { message, .. } => {
                    happened.push(Happened::Binary(message.payload));
                    continue;
                }
                Incoming::Ping(payload) => {
                    happened.push(Happened::Ping(payload));
                    continue;
                }
                Incoming::Pong(payload) => {
                    happened.push(Happened::Pong(payload));
                    continue;
                }
                Incoming::Close(close) => {
                    End::Close(close.map(|close| (close.code.0, close.reason)))
                }
                Incoming::Violation(violation) => End::Failed(violation.code.0),
                Incoming::Frame(_) => panic!("frames were not asked for"),
            };
            return Outcome { happened, end };
        }
    }
}

/// What the reference makes of these bytes.
fn theirs(role: Role, bytes: &[u8], cuts: &[usize]) -> Outcome {
    use reference::error::{Error, ProtocolError};

    let role = match role {
        Role::Client => reference::protocol::Role::Client,
        Role::Server => reference::protocol::Role::Server,
    };
    let config = reference::protocol::WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .max_frame_size(Some(LIMIT))
        .max_message_size(Some(LIMIT));
    let source = Source::new(bytes, cuts);
    let mut socket = reference::WebSocket::from_raw_socket(source, role, Some(config));
    let mut happened = Vec::new();
    let end = loop {
        match socket.read() {
            Ok(reference::Message::Text(text)) => happened.push(Happened::Text(text.into())),
            Ok(reference::Message::Binary(bytes)) => happened.push(Happened::Binary(bytes)),
            Ok(reference::Message::Ping(bytes)) => happened.push(Happened::Ping(bytes)),
            Ok(reference::Message::Pong(bytes)) => happened.push(Happened::Pong(bytes)),
            Ok(reference::Message::Close(close)) => {
                break End::Close(close.map(|close| (close.code.into(), close.reason.to_string())));
            }
            Ok(reference::Message::Frame(_)) => panic!("never read"),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => break End::Eof,
            Err(Error::Protocol(_)) => break End::Failed(1002),
            Err(Error::Utf8(_)) => break End::Failed(1007),
            Err(Error::Capacity(_)) => break End::Failed(1009),
            Err(other) => panic!("{other:?}"),
        }
    };
    Outcome { happened, end }
}

/// A socket in memory: reads in pieces of the given sizes, then the end; writes go nowhere.
struct Source {
    bytes: VecDeque<u8>,
    cuts: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Source {
    fn new(bytes: &[u8], cuts: &[usize]) -> Self {
        Self {
            bytes: bytes.iter().copied().collect(),
            cuts: cuts.to_vec().into_iter().cycle(),
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.cuts.next().unwrap_or(usize::MAX).min(buffer.len());
        self.bytes.read(&mut buffer[..size])
    }
}

impl Write for Source {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
