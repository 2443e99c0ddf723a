//! Frames of one connection, read and written as cheaply as can be: the light path scans headers in
//! the thread's read buffer and keeps only what was cut off. Connections that agreed on compression
//! take the whole [`Engine`] instead, which costs more.

use std::borrow::Cow;
use std::io::IoSlice;
use std::ops::Deref;

use bytes::Bytes;

use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::frame::Opcode;
use crate::model::message::{Kind, Message};
use crate::protocol::deflate::Agreed;
use crate::protocol::encode;
use crate::protocol::engine::{self, Engine, Incoming, Role};
use crate::protocol::header::Header;
use crate::protocol::mask::{self, Keys};
use crate::protocol::scan::Scanner;

/// What a peer sent.
#[derive(Debug)]
pub enum Heard<'a> {
    Message {
        payload: Payload<'a>,
        wire: u64,
        opcode: Opcode,
    },
    /// To be answered: see [`Codec::pong`].
    Ping(Payload<'a>),
    Pong(Payload<'a>),
    /// To be answered: see [`Codec::close`].
    Close(Option<CloseFrame>),
    /// The rule that was broken.
    Violation(Cow<'static, str>),
}

/// Bytes where they lie, or their own.
#[derive(Debug)]
pub enum Payload<'a> {
    Here(&'a [u8]),
    Own(Bytes),
}

impl Deref for Payload<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Here(bytes) => bytes,
            Self::Own(bytes) => bytes,
        }
    }
}

/// One of the two paths.
#[derive(Debug)]
pub enum Codec {
    Light(Light),
    Rich(Box<Engine>),
}

impl Codec {
    pub fn new(deflate: Option<Agreed>, max_message_size: usize) -> Self {
        match deflate {
            None => Self::Light(Light::new(max_message_size)),
            Some(agreed) => {
                let config = engine::Config {
                    role: Role::Client,
                    max_message_size,
                    auto_pong: false,
                    report_frames: false,
                    max_queued: usize::MAX,
                    deflate: Some(agreed),
                };
                Self::Rich(Box::new(Engine::new(config, rand::random())))
            }
        }
    }

    /// The next thing in `input`; `None` means that all of it was taken.
    pub fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Heard<'s>> {
        match self {
            Self::Light(light) => light.next(input),
            Self::Rich(engine) => heard(engine.next(input)?),
        }
    }

    /// Appends the frame of a message to `out`; how many bytes it takes.
    pub fn message(
        &mut self,
        kind: Kind,
        keys: &mut Keys,
        out: &mut Vec<u8>,
        payload: &[u8],
    ) -> usize {
        match self {
            Self::Light(_) => frame(encode::opcode(kind), payload, keys, out),
            Self::Rich(engine) => {
                let payload = Bytes::copy_from_slice(payload);
                rich(engine, Command::Send(Message { kind, payload }), out)
            }
        }
    }

    pub fn ping(&mut self, payload: &[u8], keys: &mut Keys, out: &mut Vec<u8>) -> usize {
        self.control(Opcode::PING, payload, keys, out)
    }

    pub fn pong(&mut self, payload: &[u8], keys: &mut Keys, out: &mut Vec<u8>) -> usize {
        self.control(Opcode::PONG, payload, keys, out)
    }

    /// Answers a peer's Close with its code (section 5.5.1); the engine has done so by itself.
    pub fn answer_close(
        &mut self,
        frame: Option<&CloseFrame>,
        keys: &mut Keys,
        out: &mut Vec<u8>,
    ) -> usize {
        match self {
            Self::Light(_) => self.close(frame.map(|frame| frame.code.0), keys, out),
            Self::Rich(engine) => drain(engine, out),
        }
    }

    pub fn close(&mut self, code: Option<u16>, keys: &mut Keys, out: &mut Vec<u8>) -> usize {
        let payload = code.map(u16::to_be_bytes);
        let payload = payload.as_ref().map_or(&[][..], |code| code);
        self.control(Opcode::CLOSE, payload, keys, out)
    }

    /// Control frames are never compressed, so that both paths write them alike; what the engine
    /// has queued leaves before.
    fn control(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        keys: &mut Keys,
        out: &mut Vec<u8>,
    ) -> usize {
        if let Self::Rich(engine) = self {
            drain(engine, out);
        }
        frame(opcode, payload, keys, out)
    }
}

/// Appends a masked frame; how many bytes it takes.
fn frame(opcode: Opcode, payload: &[u8], keys: &mut Keys, out: &mut Vec<u8>) -> usize {
    let key = keys.draw();
    let head = encode::header(&Header::whole(opcode, payload.len() as u64, Some(key)));
    let start = out.len();
    out.extend_from_slice(head.as_ref());
    out.reserve(payload.len());
    mask::append(out, payload, key, 0);
    out.len() - start
}

fn rich(engine: &mut Engine, command: Command, out: &mut Vec<u8>) -> usize {
    // A message is refused only after a Close, when nothing is sent any more.
    if engine.send(command).is_err() {
        return 0;
    }
    drain(engine, out)
}

/// Moves what the engine has to write to `out`.
fn drain(engine: &mut Engine, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    while engine.has_to_write() {
        let count = {
            let mut slices = [IoSlice::new(&[]); 16];
            let filled = engine.to_write(&mut slices);
            for slice in &slices[..filled] {
                out.extend_from_slice(slice);
            }
            slices[..filled].iter().map(|slice| slice.len()).sum()
        };
        engine.written(count);
        while engine.next_sent().is_some() {}
    }
    out.len() - start
}

fn heard(incoming: Incoming) -> Option<Heard<'static>> {
    Some(match incoming {
        Incoming::Message { message, wire, .. } => Heard::Message {
            opcode: encode::opcode(message.kind),
            payload: Payload::Own(message.payload),
            wire,
        },
        Incoming::Ping(payload) => Heard::Ping(Payload::Own(payload)),
        Incoming::Pong(payload) => Heard::Pong(Payload::Own(payload)),
        Incoming::Close(frame) => Heard::Close(frame),
        Incoming::Violation(violation) => Heard::Violation(violation.rule.into()),
        Incoming::Frame(_) => return None,
    })
}

/// The light path: no compression, no check of UTF-8, no copy of what came whole.
#[derive(Debug)]
pub struct Light {
    scanner: Scanner,
    /// The frame whose payload is coming.
    current: Option<Frame>,
    /// The first frame of a message that is not whole.
    begun: Option<Opcode>,
    /// Payload of a message whose end has not come.
    kept: Vec<u8>,
    /// Payload of a control frame whose end has not come.
    control: Vec<u8>,
    /// What the message took on the wire so far.
    wire: u64,
    max_message_size: usize,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    fin: bool,
    left: u64,
}

/// Memory that a connection keeps for its next cut message.
const KEEP: usize = 4 * 1024;

impl Light {
    fn new(max_message_size: usize) -> Self {
        Self {
            scanner: Scanner::default(),
            current: None,
            begun: None,
            kept: Vec::new(),
            control: Vec::new(),
            wire: 0,
            max_message_size,
        }
    }

    fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Heard<'s>> {
        loop {
            let frame = match self.current {
                Some(frame) => frame,
                None => {
                    let header = self.scanner.next(input)?;
                    match self.check(&header) {
                        Ok(frame) => frame,
                        Err(rule) => return Some(Heard::Violation(rule.into())),
                    }
                }
            };
            let here = (input.len() as u64).min(frame.left) as usize;
            let (piece, rest) = input.split_at(here);
            *input = rest;
            let left = frame.left - here as u64;
            if left > 0 {
                self.current = Some(Frame { left, ..frame });
                self.keep(frame.opcode).extend_from_slice(piece);
                return None;
            }
            self.current = None;
            if frame.opcode.is_control() {
                return Some(self.control_came(frame.opcode, piece));
            }
            if !frame.fin {
                self.kept.extend_from_slice(piece);
                continue;
            }
            return Some(self.message_came(piece));
        }
    }

    fn keep(&mut self, opcode: Opcode) -> &mut Vec<u8> {
        if opcode.is_control() {
            &mut self.control
        } else {
            &mut self.kept
        }
    }

    fn message_came<'a>(&'a mut self, piece: &'a [u8]) -> Heard<'a> {
        let opcode = self.begun.take().unwrap_or(Opcode::TEXT);
        let wire = std::mem::take(&mut self.wire);
        let payload = if self.kept.is_empty() {
            Payload::Here(piece)
        } else {
            self.kept.extend_from_slice(piece);
            let whole = std::mem::take(&mut self.kept);
            let own = Bytes::copy_from_slice(&whole);
            if whole.capacity() <= KEEP {
                self.kept = whole;
                self.kept.clear();
            }
            Payload::Own(own)
        };
        Heard::Message {
            payload,
            wire,
            opcode,
        }
    }

    fn control_came<'a>(&'a mut self, opcode: Opcode, piece: &'a [u8]) -> Heard<'a> {
        let payload = if self.control.is_empty() {
            Payload::Here(piece)
        } else {
            self.control.extend_from_slice(piece);
            Payload::Own(std::mem::take(&mut self.control).into())
        };
        match opcode {
            Opcode::PING => Heard::Ping(payload),
            Opcode::PONG => Heard::Pong(payload),
            _ => close_frame(&payload),
        }
    }

    /// The rules of RFC 6455, sections 5.2, 5.4 and 5.5, that can be seen in a header.
    fn check(&mut self, header: &Header) -> Result<Frame, &'static str> {
        let Header {
            fin,
            opcode,
            payload_len,
            ..
        } = *header;
        if header.rsv != [false; 3] {
            return Err("a reserved bit is set");
        }
        if header.mask.is_some() {
            return Err("a server must not mask");
        }
        match opcode {
            Opcode::PING | Opcode::PONG | Opcode::CLOSE => {
                if !fin {
                    return Err("a fragmented control frame");
                }
                if payload_len > 125 {
                    return Err("a control frame with more than 125 bytes");
                }
            }
            Opcode::TEXT | Opcode::BINARY => {
                if self.begun.is_some() {
                    return Err("a message inside another one");
                }
                self.begun = Some(opcode);
                self.wire = 0;
            }
            Opcode::CONTINUATION if self.begun.is_some() => {}
            Opcode::CONTINUATION => return Err("a continuation of nothing"),
            _ => return Err("a reserved opcode"),
        }
        if !opcode.is_control() {
            if payload_len.saturating_add(self.kept.len() as u64) > self.max_message_size as u64 {
                return Err("a message larger than --max-message-size");
            }
            self.wire += header.info().wire_len;
        }
        Ok(Frame {
            opcode,
            fin,
            left: payload_len,
        })
    }
}

fn close_frame(payload: &[u8]) -> Heard<'static> {
    match payload {
        [] => Heard::Close(None),
        [_] => Heard::Violation("a Close with half a code".into()),
        [high, low, reason @ ..] => {
            let code = CloseCode(u16::from_be_bytes([*high, *low]));
            if !code.may_be_sent() {
                return Heard::Violation(
                    format!("a Close with {code}, which must not be in one").into(),
                );
            }
            Heard::Close(Some(CloseFrame {
                code,
                reason: String::from_utf8_lossy(reason).into_owned(),
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unmasked(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let head = Header::new(fin, [false; 3], opcode, payload.len() as u64, None);
        encode::frame(&head, payload)
    }

    /// What is heard when the bytes come in pieces.
    fn hear(pieces: &[&[u8]]) -> Vec<String> {
        let mut codec = Codec::new(None, 1 << 20);
        let mut all = Vec::new();
        for piece in pieces {
            let mut input = *piece;
            while let Some(heard) = codec.next(&mut input) {
                all.push(match heard {
                    Heard::Message { payload, wire, .. } => {
                        format!("{} ({wire})", String::from_utf8_lossy(&payload))
                    }
                    Heard::Ping(payload) => format!("ping {}", payload.len()),
                    Heard::Pong(payload) => format!("pong {}", payload.len()),
                    Heard::Close(frame) => format!("close {:?}", frame.map(|frame| frame.reason)),
                    Heard::Violation(rule) => format!("wrong: {rule}"),
                });
            }
        }
        all
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same(cuts in prop::collection::vec(0_usize..60, 0..6)) {
            let bytes = [
                unmasked(true, Opcode::TEXT, b"hello"),
                unmasked(false, Opcode::TEXT, b"frag"),
                unmasked(true, Opcode::PING, b"abc"),
                unmasked(true, Opcode::CONTINUATION, b"ment"),
                unmasked(true, Opcode::BINARY, b""),
                unmasked(true, Opcode::CLOSE, b"\x03\xe8bye"),
            ].concat();
            let whole = hear(&[&bytes]);
            prop_assert_eq!(&whole, &["hello (7)", "ping 3", "fragment (12)", " (2)", "close Some(\"bye\")"]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            prop_assert_eq!(hear(&pieces), whole);
        }
    }

    #[test]
    fn broken_rules_are_named() {
        let mut reserved = unmasked(true, Opcode::TEXT, b"x");
        reserved[0] |= 0x40;
        assert_eq!(hear(&[&reserved]), ["wrong: a reserved bit is set"]);
        assert_eq!(
            hear(&[&unmasked(true, Opcode::CONTINUATION, b"x")]),
            ["wrong: a continuation of nothing"]
        );
        let masked = encode::frame(&Header::whole(Opcode::TEXT, 1, Some([1; 4])), b"x");
        assert_eq!(hear(&[&masked]), ["wrong: a server must not mask"]);
        for code in [999_u16, 1005, 1006, 5000] {
            assert_eq!(
                hear(&[&unmasked(true, Opcode::CLOSE, &code.to_be_bytes())]),
                [format!(
                    "wrong: a Close with {code}, which must not be in one"
                )]
            );
        }
        let huge = encode::header(&Header::whole(Opcode::TEXT, 1 << 40, None));
        assert_eq!(
            hear(&[huge.as_ref()]),
            ["wrong: a message larger than --max-message-size"]
        );
    }
}
