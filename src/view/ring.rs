//! What happened, in memory that does not grow with it: the full screen's list.
//!
//! Messages, pings, pongs and happenings (opens, closes, errors, retries) get numbers from 1 on, in
//! order. The ring holds [`Ring::MOST_ENTRIES`] of them and [`Ring::MOST_BYTES`], whichever is
//! reached first; the oldest leave, and that is counted. The newest one stays whatever its size.
//! Frames are no entries: they wait for the message that they carried. A frame that was sent and is
//! no message by itself (`/frame`) is one.

use std::collections::VecDeque;
use std::mem;

use crate::model::event::{Direction, Event, What};
use crate::model::frame::{FrameInfo, Opcode};

/// Fragments that are remembered of one message; `frames` of the message still counts them all.
const MOST_FRAGMENTS: usize = 256;

/// One numbered happening.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// From 1 on, without gaps.
    pub number: u64,
    pub event: Event,
    /// The frames that carried it, as they were on the wire: at most 256, and none where the session
    /// does not report frames.
    pub frames: Vec<FrameInfo>,
}

/// A bounded memory of entries. A clone shares the payloads.
#[derive(Debug, Clone, Default)]
pub struct Ring {
    entries: VecDeque<Entry>,
    /// What the entries weigh.
    bytes: usize,
    /// The number of the newest entry there ever was; 0 before the first.
    last: u64,
    evicted_bytes: u64,
    incoming: Fragments,
    outgoing: Fragments,
    /// A frame that was sent: what comes next of its connection is what it carried, or it is an
    /// entry itself.
    sent: Option<Event>,
}

/// The frames of one direction that belong to no entry yet.
#[derive(Debug, Clone, Default)]
struct Fragments {
    data: Vec<FrameInfo>,
    /// A control frame may stand between the frames of a message.
    control: Option<FrameInfo>,
}

impl Ring {
    pub const MOST_ENTRIES: usize = 100_000;
    /// Payloads and what the entries themselves take.
    pub const MOST_BYTES: usize = 64 << 20;

    /// Takes an event in. Returns its number where it becomes an entry.
    pub fn push(&mut self, event: Event) -> Option<u64> {
        self.judge_sent(&event);
        let frames = match &event.what {
            What::Frame {
                dir: Direction::Out,
                frame,
            } if !may_be_whole(*frame) => vec![*frame],
            What::Frame { dir, frame } => {
                if *dir == Direction::Out && frame.opcode != Opcode::CLOSE {
                    self.sent = Some(event.clone());
                }
                self.fragments(*dir).push(*frame);
                return None;
            }
            What::State(_)
            | What::Request(_)
            | What::Response(_)
            | What::Listening { .. }
            | What::End(_) => return None,
            What::Message { dir, .. } => mem::take(&mut self.fragments(*dir).data),
            What::Ping { dir, .. } | What::Pong { dir, .. } => {
                self.fragments(*dir).control.take().into_iter().collect()
            }
            What::Close(_) => {
                self.incoming = Fragments::default();
                self.outgoing = Fragments::default();
                Vec::new()
            }
            _ => Vec::new(),
        };
        Some(self.add(event, frames))
    }

    /// Makes the frame that was sent an entry where the next event shows that it carried nothing.
    fn judge_sent(&mut self, next: &Event) {
        let is_next = |event: &mut Event| event.conn == next.conn && event.name == next.name;
        let Some(event) = self.sent.take_if(is_next) else {
            return;
        };
        let carried = matches!(
            next.what,
            What::Message {
                dir: Direction::Out,
                ..
            } | What::Ping {
                dir: Direction::Out,
                ..
            } | What::Pong {
                dir: Direction::Out,
                ..
            }
        );
        if let What::Frame { frame, .. } = event.what
            && !carried
        {
            self.outgoing = Fragments::default();
            self.add(event, vec![frame]);
        }
    }

    fn add(&mut self, event: Event, frames: Vec<FrameInfo>) -> u64 {
        self.last += 1;
        let entry = Entry {
            number: self.last,
            event,
            frames,
        };
        self.bytes += weight(&entry);
        self.entries.push_back(entry);
        while self.entries.len() > 1
            && (self.entries.len() > Self::MOST_ENTRIES || self.bytes > Self::MOST_BYTES)
        {
            self.evict();
        }
        self.last
    }

    /// The entry with this number, if it is still here.
    pub fn get(&self, number: u64) -> Option<&Entry> {
        let at = number.checked_sub(self.first())?;
        self.entries.get(usize::try_from(at).ok()?)
    }

    /// The oldest number that is here. One more than [`Self::last`] where there is none.
    pub fn first(&self) -> u64 {
        self.last + 1 - self.entries.len() as u64
    }

    /// The newest number; 0 where nothing happened yet.
    pub const fn last(&self) -> u64 {
        self.last
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries that left to make room.
    pub fn evicted(&self) -> u64 {
        self.first() - 1
    }

    /// What they weighed.
    pub const fn evicted_bytes(&self) -> u64 {
        self.evicted_bytes
    }

    /// What the entries weigh: payloads, and what is around them.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// From the oldest to the newest.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    fn evict(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            let weight = weight(&entry);
            self.bytes -= weight;
            self.evicted_bytes += weight as u64;
        }
    }

    const fn fragments(&mut self, dir: Direction) -> &mut Fragments {
        match dir {
            Direction::In => &mut self.incoming,
            Direction::Out => &mut self.outgoing,
        }
    }
}

impl Fragments {
    fn push(&mut self, frame: FrameInfo) {
        if frame.opcode.is_control() {
            self.control = Some(frame);
        } else if self.data.len() < MOST_FRAGMENTS {
            self.data.push(frame);
        }
    }
}

/// Whether a frame can be a message, a ping, a pong or a Close by itself. The first reserved bit
/// tells that a message is compressed (RFC 7692).
fn may_be_whole(frame: FrameInfo) -> bool {
    let [rsv1, rsv2, rsv3] = frame.rsv;
    let opcode = frame.opcode;
    opcode == Opcode::CLOSE
        || frame.fin
            && !(rsv2 || rsv3 || rsv1 && opcode.is_control())
            && !opcode.is_reserved()
            && opcode != Opcode::CONTINUATION
}

/// Bytes of memory, near enough: what is small and rare is not weighed.
fn weight(entry: &Entry) -> usize {
    let payload = match &entry.event.what {
        What::Message { message, .. } => message.payload.len(),
        What::Ping { payload, .. } | What::Pong { payload, .. } => payload.len(),
        What::Refused(refused) => refused.body.len(),
        _ => 0,
    };
    size_of::<Entry>() + payload + size_of_val(entry.frames.as_slice())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::message::Message;

    fn event(what: What) -> Event {
        Event {
            time: SystemTime::UNIX_EPOCH,
            at: Duration::ZERO,
            conn: Some(1),
            name: None,
            what,
        }
    }

    fn message(payload: Vec<u8>) -> Event {
        event(What::Message {
            dir: Direction::In,
            message: Message::binary(payload),
            frames: 1,
            wire: 0,
            json: None,
        })
    }

    fn frame(opcode: Opcode, fin: bool) -> Event {
        event(What::Frame {
            dir: Direction::In,
            frame: FrameInfo {
                fin,
                rsv: [false; 3],
                opcode,
                masked: false,
                payload_len: 0,
                wire_len: 2,
            },
        })
    }

    #[test]
    fn the_oldest_leave_and_are_counted() {
        let mut ring = Ring::default();
        assert_eq!((ring.first(), ring.last()), (1, 0));
        for _ in 0..Ring::MOST_ENTRIES + 10 {
            ring.push(message(Vec::new()));
        }
        assert_eq!(ring.len(), Ring::MOST_ENTRIES);
        assert_eq!((ring.evicted(), ring.first()), (10, 11));
        assert_eq!(ring.get(10), None);
        assert_eq!(ring.get(11).map(|entry| entry.number), Some(11));
        assert_eq!(ring.get(ring.last() + 1), None);
        assert_eq!(ring.get(0), None);
    }

    #[test]
    fn the_bytes_are_bounded_too_and_the_newest_always_stays() {
        let mut ring = Ring::default();
        for _ in 0..100 {
            ring.push(message(vec![0; 1 << 20]));
            assert!(ring.bytes() <= Ring::MOST_BYTES);
        }
        assert_eq!(ring.last(), 100);
        assert!((60..=64).contains(&ring.len()), "{}", ring.len());
        assert!(ring.evicted_bytes() > 30 << 20);
        ring.push(message(vec![0; Ring::MOST_BYTES]));
        assert_eq!((ring.len(), ring.first()), (1, 101));
        ring.push(message(Vec::new()));
        assert_eq!((ring.len(), ring.first()), (1, 102));
    }

    #[test]
    fn a_sent_frame_that_is_no_message_is_an_entry() {
        let sent = |opcode, fin| {
            let mut event = frame(opcode, fin);
            if let What::Frame { dir, .. } = &mut event.what {
                *dir = Direction::Out;
            }
            event
        };
        let mut ring = Ring::default();
        assert_eq!(ring.push(sent(Opcode::TEXT, false)), Some(1));
        assert_eq!(ring.push(sent(Opcode::new(3), true)), Some(2));
        // Text that is not UTF-8: known as such only by what comes next.
        assert_eq!(ring.push(sent(Opcode::TEXT, true)), None);
        assert_eq!(ring.push(message(Vec::new())), Some(4));
        assert_eq!(ring.get(3).map(|entry| entry.frames.len()), Some(1));
        let mut whole = message(Vec::new());
        if let What::Message { dir, .. } = &mut whole.what {
            *dir = Direction::Out;
        }
        ring.push(sent(Opcode::TEXT, true));
        assert_eq!(ring.push(whole), Some(5));
        assert_eq!(ring.get(5).map(|entry| entry.frames.len()), Some(1));
        // Other connections have nothing to do with it.
        ring.push(sent(Opcode::TEXT, true));
        let mut other = message(Vec::new());
        other.conn = Some(2);
        assert_eq!(ring.push(other), Some(6));
    }

    #[test]
    fn frames_wait_for_what_they_carried() {
        let mut ring = Ring::default();
        assert_eq!(ring.push(frame(Opcode::BINARY, false)), None);
        ring.push(frame(Opcode::PING, true));
        let ping = What::Ping {
            dir: Direction::In,
            payload: "x".into(),
        };
        assert_eq!(ring.push(event(ping)), Some(1));
        ring.push(frame(Opcode::CONTINUATION, true));
        assert_eq!(ring.push(message(Vec::new())), Some(2));
        let opcodes = |number| {
            let entry: &Entry = ring.get(number).unwrap();
            entry.frames.iter().map(|frame| frame.opcode).collect()
        };
        let (ping, message): (Vec<Opcode>, Vec<Opcode>) = (opcodes(1), opcodes(2));
        assert_eq!(ping, [Opcode::PING]);
        assert_eq!(message, [Opcode::BINARY, Opcode::CONTINUATION]);
    }
}
