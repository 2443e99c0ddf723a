//! One virtual user: what an open connection says and hears, whatever carries its bytes. Pure but
//! for chance: times are arguments, and what is to be written is appended to a buffer.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::codec::{Codec, Heard};
use super::failure::Failure;
use super::fanout::{Exchange, Member};
use super::figures::{Figures, LATE, Latency};
use super::plan::Workload;
use super::reply::{Given, Ledger, Sent, Verdict};
use crate::model::close::CloseFrame;
use crate::model::message::Kind;
use crate::model::units::show_duration;
use crate::protocol::encode;
use crate::protocol::mask::Keys;

/// An open connection.
#[derive(Debug)]
pub struct User {
    /// From 1 over the whole run; a connection that is opened again keeps it.
    pub number: u64,
    codec: Codec,
    ledger: Ledger,
    /// Its part in mode `fanout`.
    member: Option<Box<Member>>,
    /// The number of the last message that was sent.
    last: u64,
    opened: Instant,
    /// When it sent its first message.
    spoke: Option<Instant>,
    heard_any: bool,
    /// The ping that waits for its pong.
    ping: Option<Pinged>,
    next_ping: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Pinged {
    id: u64,
    at: Instant,
}

/// What a user works with, shared by all users of a thread.
#[derive(Debug)]
pub struct Scene<'a> {
    pub workload: &'a Workload,
    pub figures: &'a mut Figures,
    /// Where there are those who publish and those who get it.
    pub exchange: Option<&'a Exchange>,
    pub keys: &'a mut Keys,
    /// Where bytes for the peer go.
    pub out: &'a mut Vec<u8>,
    pub scratch: &'a mut Vec<u8>,
    /// What is sent now belongs to the measured time.
    pub measured: bool,
    /// It reads slower than it could: its times say nothing about the server.
    pub slow: bool,
}

/// What came of bytes that were received.
#[derive(Debug, Default, PartialEq)]
pub struct Received {
    /// Messages that were answered, or given up on before: as many may follow.
    pub answers: usize,
    pub end: Option<Ended>,
}

/// How a peer ended a conversation.
#[derive(Debug, PartialEq)]
pub enum Ended {
    /// Its Close; where it is the first one, the answer to it is in the buffer.
    Close(Option<CloseFrame>),
    /// It broke a rule.
    Violation(Cow<'static, str>),
}

impl User {
    /// `phase` (0 to 1) spreads the pings of many users.
    pub fn new(number: u64, codec: Codec, workload: &Workload, phase: f64, now: Instant) -> Self {
        Self {
            number,
            codec,
            ledger: Ledger::default(),
            member: None,
            last: 0,
            opened: now,
            spoke: None,
            heard_any: false,
            ping: None,
            next_ping: workload.ping.map(|ping| now + ping.interval.mul_f64(phase)),
        }
    }

    /// Takes its part in a fan-out; `ordinal` counts connections from 0.
    pub(super) fn join(&mut self, exchange: &Exchange, ordinal: usize) {
        self.member = Some(Box::new(Member::join(exchange, ordinal)));
    }

    /// Nobody waits for it any more, where others did; `by_us`: we closed it.
    pub(super) fn leave(&mut self, by_us: bool, scene: &mut Scene<'_>) {
        if let (Some(member), Some(exchange)) = (&mut self.member, scene.exchange) {
            member.leave(exchange, by_us, scene.figures);
        }
    }

    /// Whether it publishes, in mode `fanout`.
    pub(super) fn publishes(&self) -> bool {
        self.member
            .as_ref()
            .is_some_and(|member| member.publishes())
    }

    /// Whether one more message can be kept track of.
    pub(super) fn has_room(&self, scene: &Scene<'_>) -> bool {
        match (&self.member, scene.exchange) {
            (Some(member), Some(exchange)) => member.may_publish(exchange),
            _ => true,
        }
    }

    /// How many messages wait for an answer, or for somebody to get them.
    pub fn in_flight(&self) -> usize {
        let under_way = self.member.as_ref().map_or(0, |member| member.under_way());
        self.ledger.in_flight() + under_way
    }

    /// Sends what each connection begins with.
    pub fn open(&mut self, scene: &mut Scene<'_>) {
        for template in &scene.workload.opening {
            let mut text = String::new();
            template.render(&scene.workload.feed, self.number, 0, &mut text);
            let kind = scene.workload.payload.kind;
            self.codec
                .message(kind, scene.keys, scene.out, text.as_bytes());
            self.spoke = Some(self.opened);
        }
    }

    /// Sends the next message, which was due at `due`.
    pub fn send(&mut self, due: Instant, now: Instant, scene: &mut Scene<'_>) {
        let Workload {
            payload,
            feed,
            how,
            mode,
            ..
        } = scene.workload;
        self.last += 1;
        self.spoke.get_or_insert(now);
        scene.scratch.clear();
        let marker = match (&mut self.member, scene.exchange) {
            (Some(member), Some(exchange)) => {
                member.publish(exchange, due, now, scene.measured, scene.figures)
            }
            _ => None,
        };
        let marked = marker.as_ref().map_or(&[][..], |marker| marker);
        payload.write(feed, self.number, self.last, marked, scene.scratch);
        let wire = self
            .codec
            .message(payload.kind, scene.keys, scene.out, scene.scratch);
        if scene.measured {
            let lag = now.saturating_duration_since(due);
            let messages = &mut scene.figures.messages;
            messages.sent += 1;
            messages.late += u64::from(lag > LATE);
            scene.figures.record(Latency::SchedLag, lag);
            scene.figures.bytes.sent_payload += scene.scratch.len() as u64;
            scene.figures.bytes.sent_wire += wire as u64;
            scene.figures.frames_sent[opcode_of(payload.kind)] += 1;
        }
        if mode.answered && how.expects() && self.member.is_none() {
            self.ledger.sent(Sent {
                mark: how.mark(payload, self.last, scene.scratch),
                due,
                written: now,
                counted: scene.measured,
                given_up: false,
            });
        }
    }

    /// Takes what was read from the peer.
    pub fn receive(&mut self, mut input: &[u8], now: Instant, scene: &mut Scene<'_>) -> Received {
        let mut received = Received::default();
        let Self {
            codec,
            ledger,
            member,
            ping,
            last,
            heard_any,
            opened,
            spoke,
            ..
        } = self;
        // Control frames are answered after the loop, for what was heard borrows the codec.
        let mut pongs: Vec<Vec<u8>> = Vec::new();
        while let Some(heard) = codec.next(&mut input) {
            match heard {
                Heard::Message {
                    payload,
                    wire,
                    opcode,
                } => {
                    if !std::mem::replace(heard_any, true) && !scene.slow {
                        // Who speaks first is waited for from then on. In a fan-out those who only
                        // listen wait for others of ours.
                        let since = match scene.workload.fanout {
                            Some(_) => *spoke,
                            None => Some(spoke.unwrap_or(*opened)),
                        };
                        if let Some(since) = since {
                            let took = now.saturating_duration_since(since);
                            scene.figures.record(Latency::FirstMessage, took);
                        }
                    }
                    if scene.measured {
                        scene.figures.bytes.received_payload += payload.len() as u64;
                        scene.figures.bytes.received_wire += wire;
                        scene.figures.frames_received[usize::from(opcode.value())] += 1;
                    }
                    let Workload {
                        how,
                        payload: sent,
                        mode,
                        ..
                    } = scene.workload;
                    if let (Some(member), Some(exchange)) = (member.as_mut(), scene.exchange) {
                        member.came(exchange, &payload, now, scene.measured, scene.figures);
                    } else if mode.answered && how.expects() {
                        let verdict = ledger.came(how, sent, *last, &payload);
                        received.answers += judge(verdict, now, scene.measured, scene.figures);
                    } else if scene.measured {
                        scene.figures.messages.received += 1;
                    }
                }
                Heard::Ping(payload) => {
                    scene.figures.frames_received[9] += u64::from(scene.measured);
                    // A peer that floods pings is answered for the newest of them.
                    if pongs.len() == MOST_PONGS {
                        pongs.pop();
                    }
                    pongs.push(payload.to_vec());
                }
                Heard::Pong(payload) => {
                    scene.figures.frames_received[10] += u64::from(scene.measured);
                    if let Some(pinged) = *ping
                        && *payload == pinged.id.to_be_bytes()
                    {
                        scene.figures.record(Latency::Ping, now - pinged.at);
                        *ping = None;
                    }
                }
                Heard::Close(frame) => {
                    scene.figures.frames_received[8] += 1;
                    received.end = Some(Ended::Close(frame));
                    break;
                }
                Heard::Violation(rule) => {
                    received.end = Some(Ended::Violation(rule));
                    break;
                }
            }
        }
        for payload in &pongs {
            codec.pong(payload, scene.keys, scene.out);
            scene.figures.frames_sent[10] += u64::from(scene.measured);
        }
        received
    }

    /// Sends the answer to a peer's Close.
    pub fn answer_close(&mut self, frame: Option<&CloseFrame>, scene: &mut Scene<'_>) {
        self.codec.answer_close(frame, scene.keys, scene.out);
        scene.figures.frames_sent[8] += 1;
    }

    /// Sends our Close.
    pub fn close(&mut self, code: u16, scene: &mut Scene<'_>) {
        self.codec.close(Some(code), scene.keys, scene.out);
        scene.figures.frames_sent[8] += 1;
    }

    /// Does what is due from time to time; `Err` when the peer did not answer a ping.
    pub fn beat(&mut self, now: Instant, scene: &mut Scene<'_>) -> Result<(), Duration> {
        let Some(ping) = scene.workload.ping.filter(|_| !scene.slow) else {
            return Ok(());
        };
        if let Some(pinged) = self.ping {
            let waited = now.saturating_duration_since(pinged.at);
            return if waited > ping.timeout {
                Err(waited)
            } else {
                Ok(())
            };
        }
        if self.next_ping.is_some_and(|due| due <= now) {
            let id = self.last << 20 | u64::from(now.duration_since(self.opened).subsec_micros());
            self.ping = Some(Pinged { id, at: now });
            self.next_ping = Some(now + ping.interval);
            self.codec.ping(&id.to_be_bytes(), scene.keys, scene.out);
            scene.figures.frames_sent[9] += u64::from(scene.measured);
        }
        Ok(())
    }

    /// What it published and nobody waits for any more, because all have it or somebody left; how
    /// many may follow in their place.
    pub(super) fn take_over(&mut self, scene: &mut Scene<'_>) -> usize {
        let (Some(member), Some(exchange)) = (&mut self.member, scene.exchange) else {
            return 0;
        };
        let over = member.take_over(exchange);
        scene.figures.messages.matched += over.reached;
        scene.figures.messages.unanswered += over.unfinished;
        let failure = Failure::new("message", "unanswered", "not everyone heard it");
        let figures = &mut *scene.figures;
        figures.failed_times(over.unfinished, failure, self.number);
        over.all
    }

    /// Gives up messages that were not answered in time, or did not get to everyone; how many may
    /// follow in their place.
    pub fn give_up_late(&mut self, now: Instant, scene: &mut Scene<'_>) -> usize {
        if self.in_flight() == 0 {
            return 0;
        }
        let over = self.take_over(scene);
        let Some(since) = now.checked_sub(scene.workload.timeout) else {
            return over;
        };
        let given = match (&mut self.member, scene.exchange) {
            (Some(member), Some(exchange)) => {
                let given = member.give_up_before(exchange, since);
                Given {
                    all: given.all as u64,
                    counted: given.unfinished,
                }
            }
            _ => self.ledger.give_up_before(since),
        };
        scene.figures.messages.timed_out += given.counted;
        scene.figures.messages.unanswered += given.counted;
        let waited = show_duration(scene.workload.timeout);
        let failure = Failure::new("message", "timeout", format!("no answer within {waited}"));
        let figures = &mut *scene.figures;
        figures.failed_times(given.counted, failure, self.number);
        over + given.all as usize
    }

    /// We end the conversation in the middle: what is under way is not counted. How many there were.
    pub(super) fn cut(&mut self, exchange: Option<&Exchange>, figures: &mut Figures) -> u64 {
        let mut cut = self.ledger.give_up();
        if let (Some(member), Some(exchange)) = (&mut self.member, exchange) {
            let over = member.end(exchange);
            figures.messages.matched += over.reached;
            cut += over.unfinished;
        }
        cut
    }

    /// The conversation is over: what was not answered will not be.
    pub(super) fn end(&mut self, exchange: Option<&Exchange>, figures: &mut Figures) {
        let mut unanswered = self.ledger.give_up();
        if let (Some(member), Some(exchange)) = (&mut self.member, exchange) {
            let over = member.end(exchange);
            figures.messages.matched += over.reached;
            unanswered += over.unfinished;
        }
        figures.messages.unanswered += unanswered;
        let failure = Failure::new("message", "unanswered", "it ended before an answer came");
        figures.failed_times(unanswered, failure, self.number);
    }
}

/// Answers to pings that wait at once.
const MOST_PONGS: usize = 16;

const fn opcode_of(kind: Kind) -> usize {
    encode::opcode(kind).value() as usize
}

/// Counts a message that came; 1 where another may follow it.
fn judge(verdict: Verdict, now: Instant, measured: bool, figures: &mut Figures) -> usize {
    let messages = &mut figures.messages;
    match verdict {
        Verdict::Answer { sent, in_order } => {
            if sent.counted {
                messages.received += 1;
            }
            if sent.given_up {
                return 0;
            }
            if sent.counted {
                messages.matched += 1;
                messages.out_of_order += u64::from(!in_order);
                figures.record(Latency::Rtt, now.saturating_duration_since(sent.due));
                figures.record(
                    Latency::Service,
                    now.saturating_duration_since(sent.written),
                );
            }
            return 1;
        }
        Verdict::Duplicate if measured => {
            messages.received += 1;
            messages.duplicate += 1;
        }
        Verdict::Unexpected if measured => {
            messages.received += 1;
            messages.unexpected += 1;
        }
        Verdict::Duplicate | Verdict::Unexpected => {}
    }
    0
}
