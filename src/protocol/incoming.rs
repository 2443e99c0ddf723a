//! The reading half: from bytes to messages, control frames, or the rule that was broken.
//!
//! [`Reader::next`] goes through three steps for each frame. The scanner finds the header; the
//! rules judge it, before a byte of payload is kept; the payload is taken as it arrives. A message
//! that is in the input whole is copied once; one that is compressed is inflated as it arrives.
//! Memory grows with the bytes that came, never with what a header announced, and never past the
//! largest message that is accepted.

use bytes::Bytes;

use super::assembly::Assembly;
use super::deflate::{Inflater, Side};
use super::header::Header;
use super::rules::{self, Role, Violation};
use super::scan::Scanner;
use crate::model::close::CloseFrame;
use crate::model::frame::{FrameInfo, Opcode};
use crate::model::message::Message;

/// What came from the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A frame header, as it was on the wire; only with `Config::report_frames`, and before what
    /// the frame completes or breaks.
    Frame(FrameInfo),
    Message {
        message: Message,
        /// How many frames carried it.
        frames: u64,
        /// Their bytes on the wire, headers included.
        wire: u64,
    },
    Ping(Bytes),
    Pong(Bytes),
    /// The peer's Close frame, with the true code; `None` for one without a body. The answer to
    /// it has been queued already if we had not sent ours.
    Close(Option<CloseFrame>),
    /// The peer broke a rule. A Close with [`Violation::code`] has been queued; nothing more is
    /// yielded.
    Violation(Violation),
}

/// Turns bytes into [`Incoming`].
#[derive(Debug)]
pub(super) struct Reader {
    role: Role,
    report_frames: bool,
    max_message_size: usize,
    scanner: Scanner,
    step: Step,
    /// The payload of a control frame so far: one may stand between the frames of a message.
    control: Vec<u8>,
    message: Assembly,
    /// Where permessage-deflate was negotiated; boxed, so that others do not pay for it.
    inflater: Option<Box<Inflater>>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Waiting for a header, or for the rest of one.
    Scan,
    /// A header is there; no rule has been checked yet.
    Judge(Header),
    /// This many bytes of the payload were taken.
    Payload(Header, u64),
    /// After the peer's Close or a violation: what comes is discarded.
    Over,
}

impl Reader {
    /// `deflate` is how the peer's messages may be compressed.
    pub(super) fn new(
        role: Role,
        report_frames: bool,
        max_message_size: usize,
        deflate: Option<Side>,
    ) -> Self {
        Self {
            role,
            report_frames,
            max_message_size,
            scanner: Scanner::default(),
            step: Step::Scan,
            control: Vec::new(),
            message: Assembly::default(),
            inflater: deflate.map(|peer| Box::new(Inflater::new(peer))),
        }
    }

    pub(super) fn set_max_message_size(&mut self, size: usize) {
        self.max_message_size = size;
    }

    /// Takes bytes from the front of `input` up to the next thing that happened; all of them when
    /// there is none.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Option<Incoming> {
        loop {
            match self.step {
                Step::Scan => {
                    let header = self.scanner.next(input)?;
                    self.step = Step::Judge(header);
                    if self.report_frames {
                        return Some(Incoming::Frame(header.info()));
                    }
                }
                Step::Judge(header) => match self.judge(&header) {
                    Ok(()) => self.step = Step::Payload(header, 0),
                    Err(violation) => return Some(self.fail(violation)),
                },
                Step::Payload(header, taken) => match self.payload(&header, taken, input) {
                    // The frame goes on in the next input.
                    Ok(None) if matches!(self.step, Step::Payload(..)) => return None,
                    Ok(None) => {}
                    Ok(happened) => return happened,
                    Err(violation) => return Some(self.fail(violation)),
                },
                Step::Over => {
                    *input = &[];
                    return None;
                }
            }
        }
    }

    fn judge(&mut self, header: &Header) -> Result<(), Violation> {
        rules::check_header(header, self.role, self.inflater.is_some())?;
        if !header.opcode.is_control() {
            self.message.begin_frame(header, self.max_message_size)?;
        }
        Ok(())
    }

    /// Takes what is there of the payload, and at its end what the frame completes.
    fn payload(
        &mut self,
        header: &Header,
        taken: u64,
        input: &mut &[u8],
    ) -> Result<Option<Incoming>, Violation> {
        let left = header.payload_len - taken;
        let count = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let (piece, rest) = input.split_at(count);
        *input = rest;

        let now_taken = taken + count as u64;
        let whole = now_taken == header.payload_len;
        self.step = if whole {
            Step::Scan
        } else {
            Step::Payload(*header, now_taken)
        };

        if header.opcode.is_control() {
            // At most 125 bytes, so that a header's word can be taken for it.
            self.control.reserve_exact(left as usize);
            append(&mut self.control, piece, header.mask, taken);
            return if whole {
                self.control_frame(header.opcode).map(Some)
            } else {
                Ok(None)
            };
        }
        let ends = whole && header.fin;
        match &mut self.inflater {
            Some(inflater) if self.message.compressed => {
                let limit = self.max_message_size;
                let mut sink = |chunk: &[u8]| self.message.push(chunk, limit);
                unmasked(piece, header.mask, taken, |piece| {
                    inflater.feed(piece, &mut sink)
                })?;
                if ends {
                    inflater.finish(&mut sink)?;
                }
            }
            _ => self.message.append(piece, header, taken)?,
        }
        if ends {
            self.message.finish().map(Some)
        } else {
            Ok(None)
        }
    }

    fn control_frame(&mut self, opcode: Opcode) -> Result<Incoming, Violation> {
        let payload = std::mem::take(&mut self.control);
        match opcode {
            Opcode::PING => Ok(Incoming::Ping(payload.into())),
            Opcode::PONG => Ok(Incoming::Pong(payload.into())),
            // No other control opcode passes the rules.
            _ => {
                let close = rules::close_body(&payload)?;
                self.stop();
                Ok(Incoming::Close(close))
            }
        }
    }

    fn fail(&mut self, violation: Violation) -> Incoming {
        self.stop();
        Incoming::Violation(violation)
    }

    /// Ends reading and gives back the memory of what was not finished.
    fn stop(&mut self) {
        self.step = Step::Over;
        self.control = Vec::new();
        self.message = Assembly::default();
        self.inflater = None;
    }
}

/// Appends a piece of a payload that starts at `position` in its frame, unmasked.
pub(super) fn append(buffer: &mut Vec<u8>, piece: &[u8], key: Option<[u8; 4]>, position: u64) {
    match key {
        Some(key) => super::mask::append(buffer, piece, key, position),
        None => buffer.extend_from_slice(piece),
    }
}

/// Hands on a piece of a payload that starts at `position` in its frame, unmasked in parts on the
/// stack where it is masked.
fn unmasked(
    piece: &[u8],
    key: Option<[u8; 4]>,
    mut position: u64,
    mut take: impl FnMut(&[u8]) -> Result<(), Violation>,
) -> Result<(), Violation> {
    let Some(key) = key else {
        return take(piece);
    };
    let mut space = [0; 4 << 10];
    for part in piece.chunks(space.len()) {
        let space = &mut space[..part.len()];
        space.copy_from_slice(part);
        super::mask::apply(space, key, position);
        take(space)?;
        position += part.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::close::CloseCode;

    const LIMIT: usize = 100 << 10;

    fn client() -> Reader {
        Reader::new(Role::Client, false, LIMIT, None)
    }

    fn read(reader: &mut Reader, mut bytes: &[u8]) -> Vec<Incoming> {
        let happened = std::iter::from_fn(|| reader.next(&mut bytes)).collect();
        assert!(bytes.is_empty(), "everything is consumed");
        happened
    }

    fn message(message: Message, frames: u64, wire: u64) -> Incoming {
        Incoming::Message {
            message,
            frames,
            wire,
        }
    }

    fn only_violation(happened: &[Incoming]) -> &Violation {
        match happened {
            [Incoming::Violation(violation)] => violation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn control_frames_stand_between_the_frames_of_a_message() {
        let bytes = b"\x01\x02ab\x89\x01!\x00\x00\x8A\x00\x80\x01c\x82\x00";
        let happened = read(&mut client(), bytes);
        assert_eq!(
            happened,
            [
                Incoming::Ping(Bytes::from_static(b"!")),
                Incoming::Pong(Bytes::new()),
                message(Message::text("abc"), 3, 9),
                message(Message::binary(Bytes::new()), 1, 2),
            ]
        );
    }

    #[test]
    fn frames_are_reported_before_what_they_complete_or_break() {
        let mut reader = Reader::new(Role::Server, true, LIMIT, None);
        let happened = read(
            &mut reader,
            b"\x82\x81\x01\x02\x03\x04\x00\xC1\x80\x00\x00\x00\x00",
        );
        let [first, whole, second, broken] = &happened[..] else {
            panic!("{happened:?}");
        };
        assert!(matches!(
            first,
            Incoming::Frame(FrameInfo {
                masked: true,
                wire_len: 7,
                ..
            })
        ));
        assert_eq!(*whole, message(Message::binary(vec![1]), 1, 7));
        assert!(matches!(
            second,
            Incoming::Frame(FrameInfo {
                rsv: [true, false, false],
                ..
            })
        ));
        assert!(matches!(broken, Incoming::Violation(_)));
    }

    #[test]
    fn bad_text_fails_inside_the_frame() {
        let mut reader = client();
        // The frame announces 100 bytes; the fourth is already wrong (Autobahn 6.4.3).
        assert_eq!(read(&mut reader, b"\x81\x64abc"), []);
        let happened = read(&mut reader, b"\xFF");
        assert_eq!(only_violation(&happened).code, CloseCode::INVALID_PAYLOAD);
        assert_eq!(
            read(&mut reader, b"\x81\x01a"),
            [],
            "nothing is read after a violation"
        );

        let cut = read(&mut client(), b"\x01\x01\xC3\x80\x00");
        assert_eq!(
            only_violation(&cut).rule,
            "invalid UTF-8 in a text message (RFC 6455, section 8.1)"
        );
        let joined = read(&mut client(), b"\x01\x01\xC3\x80\x01\xA9");
        assert_eq!(joined, [message(Message::text("é"), 2, 6)]);
    }

    #[test]
    fn fragments_come_in_order() {
        let stray = read(&mut client(), b"\x80\x00");
        assert!(
            only_violation(&stray)
                .rule
                .starts_with("a continuation frame without")
        );
        let nested = read(&mut client(), b"\x01\x00\x82\x00");
        assert!(
            only_violation(&nested)
                .rule
                .starts_with("a binary frame inside")
        );
    }

    #[test]
    fn a_message_over_the_limit_is_refused_by_its_header() {
        let mut reader = Reader::new(Role::Client, false, 10, None);
        let happened = read(&mut reader, b"\x02\x0612345\x36\x80\x05");
        assert_eq!(
            *only_violation(&happened),
            Violation {
                code: CloseCode::TOO_BIG,
                rule: "a message of at least 11 bytes, the limit is 10".into(),
                received: None,
            }
        );
        let fits = read(
            &mut Reader::new(Role::Client, false, 10, None),
            b"\x02\x0612345\x36\x80\x047890",
        );
        assert_eq!(fits, [message(Message::binary("1234567890"), 2, 14)]);
    }

    #[test]
    fn memory_follows_the_bytes_that_came() {
        let mut reader = Reader::new(Role::Client, false, usize::MAX, None);
        read(
            &mut reader,
            b"\x82\x7F\x00\x00\x00\xFF\x00\x00\x00\x00hello",
        );
        assert!(
            reader.message.payload.capacity() <= 4 << 10,
            "a claim allocates nothing"
        );

        let mut reader = client();
        read(&mut reader, b"\x01\x00");
        for _ in 0..10_000 {
            read(&mut reader, b"\x00\x00");
        }
        assert_eq!(
            reader.message.payload.capacity(),
            0,
            "empty fragments hold nothing"
        );
    }

    #[test]
    fn a_close_ends_reading() {
        let happened = read(&mut client(), b"\x88\x04\x03\xE9ok\x81\x01a");
        let close = CloseFrame {
            code: CloseCode::GOING_AWAY,
            reason: "ok".into(),
        };
        assert_eq!(happened, [Incoming::Close(Some(close))]);
    }
}
