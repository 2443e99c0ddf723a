//! The writing half: a queue of whole frames, in the order in which they leave.
//!
//! The queue is sorted by [`Lane`]: answers to pings and heartbeats overtake what has not begun, our
//! Close is behind everything. A frame that has begun is finished first. Frames
//! are encoded when they are queued; an unmasked payload is written from where it lies.
//!
//! Bounds: commands are refused when the queue is full, and answers to pings, which a peer can
//! provoke, are limited in number.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{BufMut, Bytes, BytesMut};

use super::deflate::{Compressor, Side};
use super::encode::{self, HeaderBytes};
use super::header::Header;
use super::mask::Keys;
use super::rules::MAX_CONTROL;
use super::scan::Scanner;
use super::sent::{self, Sent};
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::frame::{FrameInfo, Opcode, RawFrame};
use crate::model::message::{Kind, Message};

/// Why a command was not queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// A Close was queued, or the peer broke the protocol: nothing may follow (section 5.5.1).
    Closing,
    /// The queue is at its bound; try again after bytes were written.
    Full,
    /// More than 125 bytes in a control frame.
    ControlTooLong(usize),
}

/// How many answers to pings wait at most. Beyond that the newest replaces the one before it: an
/// endpoint may answer the most recent ping only (section 5.5.3).
const MAX_WAITING_PONGS: usize = 16;

/// Frames of at most so many bytes are copied together to be written.
const SMALL: usize = 4 << 10;

/// The queue.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Sorted by lane.
    frames: VecDeque<OutFrame>,
    /// How much of the first frame was written.
    written: usize,
    /// Bytes in `frames` that were not written.
    queued: usize,
    /// What compressed messages take before they are compressed: they are kept until they left.
    kept: usize,
    max_queued: usize,
    /// Data messages that did not leave whole, those included that were given up.
    unsent: u64,
    close: CloseState,
    /// What left whole and was not asked for yet.
    sent: VecDeque<Sent>,
    report_frames: bool,
    /// Only a client masks.
    keys: Option<Keys>,
    /// Where permessage-deflate was negotiated; boxed, so that others do not pay for it.
    compressor: Option<Box<Compressor>>,
}

#[derive(Debug)]
struct OutFrame {
    /// Empty where `body` is the whole frame.
    head: HeaderBytes,
    body: Bytes,
    lane: Lane,
    tells: Tells,
}

/// What is told of a frame when it left.
#[derive(Debug)]
enum Tells {
    /// It is only a part, or not legal.
    Nothing,
    /// A message whose payload is the body.
    Body(Kind),
    /// A message that was encoded for many: the body is the whole frame.
    Encoded,
    This(Sent),
}

/// The order in which frames leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    /// A part of it was written.
    Begun,
    /// Our answer to a ping.
    Pong,
    /// Our heartbeat.
    Control,
    /// Everything that was asked for: it leaves in the order in which it was given.
    Data,
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CloseState {
    None,
    Queued,
    /// A part of our Close was written: not even a pong may follow.
    Begun,
    Sent,
}

impl Outgoing {
    /// `deflate` is how our messages may be compressed.
    pub(super) fn new(
        keys: Option<Keys>,
        max_queued: usize,
        report_frames: bool,
        deflate: Option<Side>,
    ) -> Self {
        Self {
            frames: VecDeque::new(),
            written: 0,
            queued: 0,
            kept: 0,
            max_queued,
            unsent: 0,
            close: CloseState::None,
            sent: VecDeque::new(),
            report_frames,
            keys,
            compressor: deflate.and_then(Compressor::new).map(Box::new),
        }
    }

    pub(super) fn send(&mut self, command: Command) -> Result<(), SendError> {
        self.check_open()?;
        match command {
            Command::Send(message) => {
                self.admit()?;
                self.push_message(message);
            }
            Command::Ping(payload) => {
                self.send_control(Opcode::PING, payload, Lane::Data, Sent::Ping)?;
            }
            Command::Pong(payload) => {
                self.send_control(Opcode::PONG, payload, Lane::Data, Sent::Pong)?;
            }
            Command::Close(close) => {
                check_control(close.as_ref().map_or(0, |close| 2 + close.reason.len()))?;
                self.close(close);
            }
            Command::Frame(frame) => {
                let wire = self.wire_len(&frame);
                let tells = Tells::from(sent::of_raw(&frame, wire));
                if frame.opcode == Opcode::CLOSE {
                    self.push(frame, Lane::Close, tells);
                } else {
                    self.admit()?;
                    self.push(frame, Lane::Data, tells);
                }
            }
        }
        Ok(())
    }

    /// Queues a ping that overtakes data: the silence of a peer is judged by it.
    pub(super) fn heartbeat(&mut self, payload: Bytes) -> Result<(), SendError> {
        self.check_open()?;
        self.send_control(Opcode::PING, payload, Lane::Control, Sent::Ping)
    }

    fn send_control(
        &mut self,
        opcode: Opcode,
        payload: Bytes,
        lane: Lane,
        sent: fn(Bytes) -> Sent,
    ) -> Result<(), SendError> {
        check_control(payload.len())?;
        let frame = whole(opcode, payload.clone());
        self.admit()?;
        self.push(frame, lane, Tells::This(sent(payload)));
        Ok(())
    }

    /// The frame goes out as it is, except where each message is compressed by itself: there it is
    /// compressed like any other. With context takeover every peer would need a compressor, and
    /// time, for what was encoded once for all.
    pub(super) fn send_encoded(&mut self, frame: Bytes) -> Result<(), SendError> {
        self.check_open()?;
        self.admit()?;
        if self.recompresses()
            && let Some(message) = encode::message_of(&frame)
        {
            self.push_message(message);
            return Ok(());
        }
        self.insert(OutFrame {
            head: HeaderBytes::default(),
            body: frame,
            lane: Lane::Data,
            tells: Tells::Encoded,
        });
        Ok(())
    }

    pub(super) fn sends_encoded_as_they_are(&self) -> bool {
        !self.recompresses() && !self.report_frames
    }

    /// Whether what was encoded for many is compressed for this peer.
    fn recompresses(&self) -> bool {
        let compressor = self.compressor.as_ref();
        compressor.is_some_and(|compressor| !compressor.takes_context_over())
    }

    /// A Close takes the place of one that has not begun to leave.
    pub(super) fn send_bytes(&mut self, body: Bytes, sent: Option<Sent>) -> Result<(), SendError> {
        let is_close = matches!(sent, Some(Sent::Close(_)));
        if is_close && self.close == CloseState::Queued {
            if let Some(replaced) = self.frames.pop_back() {
                self.queued -= replaced.len();
            }
        } else {
            self.check_open()?;
        }
        self.insert(OutFrame {
            head: HeaderBytes::default(),
            body,
            lane: if is_close { Lane::Close } else { Lane::Data },
            tells: sent.into(),
        });
        Ok(())
    }

    /// Queues the answer to a ping.
    pub(super) fn answer_ping(&mut self, payload: Bytes) {
        if matches!(self.close, CloseState::Begun | CloseState::Sent) {
            return;
        }
        let first = self.end_of(Lane::Begun);
        let end = self.end_of(Lane::Pong);
        if end - first >= MAX_WAITING_PONGS
            && let Some(replaced) = self.frames.remove(end - 1)
        {
            self.queued -= replaced.len();
        }
        let pong = whole(Opcode::PONG, payload.clone());
        self.push(pong, Lane::Pong, Tells::This(Sent::Pong(payload)));
    }

    /// Queues the answer to the peer's Close, unless ours was on its way before. A client gives up
    /// data that has not begun, since the server will not take it any more; a server's data answers
    /// what came before the Close, and leaves.
    pub(super) fn answer_close(&mut self, code: Option<CloseCode>) {
        if self.close != CloseState::None {
            return;
        }
        if self.keys.is_some() {
            self.give_up_data();
        }
        self.close(code.map(CloseFrame::bare));
    }

    fn give_up_data(&mut self) {
        self.frames.retain(|frame| frame.lane != Lane::Data);
        self.queued = self.frames.iter().map(OutFrame::len).sum::<usize>() - self.written;
        self.kept = self.frames.iter().map(OutFrame::kept).sum();
    }

    /// Gives up what is queued: nothing can be written any more.
    pub(super) fn give_up(&mut self) {
        self.frames.clear();
        self.written = 0;
        self.queued = 0;
        self.kept = 0;
    }

    /// Queues our Close behind everything else, unless there is one.
    pub(super) fn close(&mut self, close: Option<CloseFrame>) {
        if self.close != CloseState::None {
            return;
        }
        let mut body = BytesMut::new();
        if let Some(close) = &close {
            body.put_u16(close.code.0);
            body.put_slice(close.reason.as_bytes());
        }
        let frame = whole(Opcode::CLOSE, body.freeze());
        self.push(frame, Lane::Close, Tells::This(Sent::Close(close)));
    }

    fn check_open(&self) -> Result<(), SendError> {
        match self.close {
            CloseState::None => Ok(()),
            _ => Err(SendError::Closing),
        }
    }

    /// Whether another message is taken: the bound is for what piles up, so one message of any
    /// size may exceed it. What the queue needs for each frame counts too, or many tiny frames
    /// would take a hundred times what they seem to.
    pub(super) fn has_room(&self) -> bool {
        self.held() < self.max_queued
    }

    /// What the queue takes in memory, in bytes.
    pub(super) fn held(&self) -> usize {
        self.queued + self.kept + self.frames.len() * size_of::<OutFrame>()
    }

    fn admit(&self) -> Result<(), SendError> {
        if self.has_room() {
            Ok(())
        } else {
            Err(SendError::Full)
        }
    }

    fn wire_len(&self, frame: &RawFrame) -> u64 {
        let payload_len = frame.payload.len() as u64;
        u64::from(Header::shortest_len(payload_len, self.keys.is_some())) + payload_len
    }

    /// Queues a message as one frame, compressed where that was negotiated and makes it smaller.
    fn push_message(&mut self, message: Message) {
        let Message { kind, .. } = message;
        let compressor = self.compressor.as_mut();
        let compressed = compressor.and_then(|it| it.compress(&message.payload));
        if compressed.is_none() && self.keys.is_none() {
            let frame = whole(encode::opcode(kind), message.payload);
            return self.push(frame, Lane::Data, Tells::Body(kind));
        }
        let frame = RawFrame {
            fin: true,
            rsv: [compressed.is_some(), false, false],
            opcode: encode::opcode(kind),
            payload: compressed.map_or_else(|| message.payload.clone(), Bytes::from),
        };
        let wire = self.wire_len(&frame);
        let sent = Sent::Message { message, wire };
        self.push(frame, Lane::Data, Tells::This(sent));
    }

    fn push(&mut self, frame: RawFrame, lane: Lane, tells: Tells) {
        let mask = self.keys.as_mut().map(Keys::draw);
        let payload_len = frame.payload.len() as u64;
        let header = Header::new(frame.fin, frame.rsv, frame.opcode, payload_len, mask);
        let (head, body) = if mask.is_some() {
            // Masking needs a copy anyway, so header and payload share it.
            (
                HeaderBytes::default(),
                encode::frame(&header, &frame.payload).into(),
            )
        } else {
            (encode::header(&header), frame.payload)
        };
        self.insert(OutFrame {
            head,
            body,
            lane,
            tells,
        });
    }

    fn insert(&mut self, frame: OutFrame) {
        if frame.lane == Lane::Close {
            self.close = CloseState::Queued;
        }
        self.queued += frame.len();
        self.kept += frame.kept();
        self.unsent += u64::from(frame.is_message());
        self.frames.insert(self.end_of(frame.lane), frame);
    }

    /// Where in the queue a lane ends.
    fn end_of(&self, lane: Lane) -> usize {
        self.frames.partition_point(|frame| frame.lane <= lane)
    }

    /// The parts that were not written, in order; none is empty.
    fn unwritten(&self) -> impl Iterator<Item = &[u8]> {
        let mut skip = self.written;
        let parts = self.frames.iter().flat_map(OutFrame::parts);
        parts.filter_map(move |part| {
            let rest = part.get(skip..).unwrap_or(&[]);
            skip -= part.len() - rest.len();
            (!rest.is_empty()).then_some(rest)
        })
    }

    pub(super) fn to_write<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slice, bytes) in slices.iter_mut().zip(self.unwritten()) {
            *slice = IoSlice::new(bytes);
            filled += 1;
        }
        filled
    }

    /// Whether the frames are so small that a copy in one piece costs less than many parts do.
    pub(super) fn is_in_small_parts(&self) -> bool {
        self.queued <= self.frames.len() * SMALL
    }

    /// Copies what comes first into `piece`; how much.
    pub(super) fn copy_to(&self, piece: &mut [u8]) -> usize {
        let mut filled = 0;
        for part in self.unwritten() {
            let rest = &mut piece[filled..];
            let count = part.len().min(rest.len());
            rest[..count].copy_from_slice(&part[..count]);
            filled += count;
            if count < part.len() {
                break;
            }
        }
        filled
    }

    pub(super) fn written(&mut self, count: usize) {
        self.queued = self.queued.saturating_sub(count);
        self.written += count;
        while let Some(first) = self.frames.front_mut() {
            if self.written < first.len() {
                if self.written > 0 {
                    if first.lane == Lane::Close {
                        self.close = CloseState::Begun;
                    }
                    first.lane = Lane::Begun;
                }
                return;
            }
            self.written -= first.len();
            if let Some(frame) = self.frames.pop_front() {
                self.left_whole(frame);
            }
        }
        self.written = 0;
        settle(&mut self.frames);
    }

    fn left_whole(&mut self, frame: OutFrame) {
        self.kept -= frame.kept();
        self.unsent -= u64::from(frame.is_message());
        if self.report_frames
            && let Some(info) = frame.info()
        {
            self.sent.push_back(Sent::Frame(info));
        }
        if let Some(sent) = frame.into_sent() {
            if matches!(sent, Sent::Close(_)) {
                self.close = CloseState::Sent;
            }
            self.sent.push_back(sent);
        }
    }

    pub(super) fn next_sent(&mut self) -> Option<Sent> {
        let sent = self.sent.pop_front();
        settle(&mut self.sent);
        sent
    }

    pub(super) fn has_to_write(&self) -> bool {
        self.queued > 0
    }

    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    pub(super) fn unsent(&self) -> u64 {
        self.unsent
    }

    pub(super) fn close_queued(&self) -> bool {
        self.close != CloseState::None
    }

    pub(super) fn close_sent(&self) -> bool {
        self.close == CloseState::Sent
    }
}

impl OutFrame {
    fn parts(&self) -> [&[u8]; 2] {
        [self.head.as_ref(), &self.body]
    }

    fn len(&self) -> usize {
        self.head.as_ref().len() + self.body.len()
    }

    /// What is kept beside its bytes: the message, where it was compressed.
    fn kept(&self) -> usize {
        match &self.tells {
            Tells::This(Sent::Message { message, .. }) if message.payload.len() > self.len() => {
                message.payload.len()
            }
            _ => 0,
        }
    }

    const fn is_message(&self) -> bool {
        matches!(
            self.tells,
            Tells::Body(_) | Tells::Encoded | Tells::This(Sent::Message { .. })
        )
    }

    fn into_sent(self) -> Option<Sent> {
        let wire = self.len() as u64;
        match self.tells {
            Tells::Nothing => None,
            Tells::Body(kind) => {
                let payload = self.body;
                let message = Message { kind, payload };
                Some(Sent::Message { message, wire })
            }
            Tells::Encoded => {
                let message = encode::message_of(&self.body)?;
                Some(Sent::Message { message, wire })
            }
            Tells::This(sent) => Some(sent),
        }
    }

    /// What its own bytes say of it.
    fn info(&self) -> Option<FrameInfo> {
        let [head, body] = self.parts();
        let mut bytes = if head.is_empty() { body } else { head };
        Some(Scanner::default().next(&mut bytes)?.info())
    }
}

impl From<Option<Sent>> for Tells {
    fn from(sent: Option<Sent>) -> Self {
        sent.map_or(Self::Nothing, Self::This)
    }
}

/// Gives back what an empty queue took, but for one place: an idle connection holds little, and a busy
/// one does not allocate for each message.
fn settle<T>(queue: &mut VecDeque<T>) {
    if queue.is_empty() {
        queue.shrink_to(1);
    }
}

/// An unfragmented frame.
fn whole(opcode: Opcode, payload: Bytes) -> RawFrame {
    RawFrame {
        fin: true,
        rsv: [false; 3],
        opcode,
        payload,
    }
}

fn check_control(len: usize) -> Result<(), SendError> {
    if len > MAX_CONTROL {
        return Err(SendError::ControlTooLong(len));
    }
    Ok(())
}
