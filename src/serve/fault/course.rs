//! What becomes of the faults that concern one connection: events and the time in, what is to be done
//! out. Pure; what is random is drawn from the seed and the number of the attempt to open, so that it
//! is the same each time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::SmallRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

use super::messages::Tampering;
use super::syntax::When;
use super::tamper::{Copy, Held};
use super::{Act, Effect, Fault, Faults, Moment};
use crate::model::command::Command;
use crate::model::event::{Direction, What};
use crate::model::handshake::RequestHead;
use crate::model::message::Message;
use crate::model::state::ReadyState;
use crate::model::units::{Rate, show_duration};
use crate::serve::queue::Order;
use crate::wire::accept::Answer;
use crate::wire::impaired::Strain;

/// A fault has struck. It is told when its acts were carried out.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::serve) struct Hit {
    pub(in crate::serve) acts: Vec<Act>,
    /// `None` where it is part of what was told before.
    pub(in crate::serve) told: Option<What>,
}

impl Hit {
    const fn untold(acts: Vec<Act>) -> Self {
        Self { acts, told: None }
    }
}

/// The faults of one connection.
#[derive(Debug)]
pub(in crate::serve) struct Course {
    faults: Arc<Faults>,
    /// The number of the attempt to open it, from 1.
    number: u64,
    rules: Vec<Rule>,
    random: SmallRng,
    opened: Option<Instant>,
    last_traffic: Instant,
    received: u64,
    sent: u64,
    held: Held,
    /// What was done to messages and is not told yet.
    told: Vec<What>,
}

/// One fault of it.
#[derive(Debug)]
struct Rule {
    /// Among all [`Faults`].
    index: usize,
    state: State,
    /// How often it could have struck, for `every=`.
    occasions: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// It may strike.
    Waiting,
    Flooding {
        rate: Rate,
        since: Instant,
        sent: u64,
    },
    Misanswering,
    Idling(Duration),
    Over,
}

/// What may be the WHEN of a fault.
#[derive(Debug, Clone, Copy)]
enum Occasion<'a> {
    Start,
    Open,
    Close,
    /// The message, and its number.
    Message(&'a Message, u64),
    /// So long after the opening.
    Time(Duration),
}

/// Pings that are sent at once at most; those that are late beyond it are left out.
const MOST_PINGS: u64 = 1000;

impl Course {
    /// `None` where no fault concerns it.
    pub(super) fn new(faults: &Arc<Faults>, number: u64, path: &str, now: Instant) -> Option<Self> {
        let all = faults.faults.iter().enumerate();
        let concern = all.filter(|(_, fault)| fault.concerns(number, path));
        let rules: Vec<Rule> = concern
            .map(|(index, _)| Rule {
                index,
                state: State::Waiting,
                occasions: 0,
            })
            .collect();
        (!rules.is_empty()).then(|| Self {
            faults: Arc::clone(faults),
            number,
            rules,
            // An odd factor, so that no two numbers meet.
            random: SmallRng::seed_from_u64(
                faults.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            ),
            opened: None,
            last_traffic: now,
            received: 0,
            sent: 0,
            held: Held::default(),
            told: Vec::new(),
        })
    }

    // --- the opening handshake ---------------------------------------------------------------

    /// What becomes of an answer that lets the client in, and what is done before it leaves.
    pub(in crate::serve) fn answer(
        &mut self,
        mut answer: Answer,
        request: &RequestHead,
        now: Instant,
    ) -> (Answer, Vec<Hit>) {
        let mut hits = self.take(Occasion::Start, now);
        for at in 0..self.rules.len() {
            let fault = self.fault(at);
            let Effect::Answer(answering) = fault.effect.clone() else {
                continue;
            };
            let lets_in = matches!(answer, Answer::Upgrade { .. } | Answer::Spelled { .. });
            if lets_in && self.strikes(at) {
                answer = answering.change(answer, request);
                let detail = format!("attempt {} was {}", self.number, answering.detail());
                hits.push(self.hit(at, &detail, Vec::new()));
            }
        }
        (answer, hits)
    }

    // --- the connection ----------------------------------------------------------------------

    /// The connection has opened.
    pub(in crate::serve) fn opened(&mut self, now: Instant) -> Vec<Hit> {
        self.opened = Some(now);
        self.last_traffic = now;
        self.take(Occasion::Open, now)
    }

    /// Something has happened on it.
    pub(in crate::serve) fn heard(&mut self, what: &What, now: Instant) -> Vec<Hit> {
        match what {
            What::Message {
                dir: Direction::In,
                message,
                ..
            } => {
                self.last_traffic = now;
                self.received += 1;
                self.take(Occasion::Message(message, self.received), now)
            }
            What::Ping {
                dir: Direction::In,
                payload,
            } => {
                self.last_traffic = now;
                self.misanswer(payload)
            }
            What::Message { .. } | What::Ping { .. } | What::Pong { .. } => {
                self.last_traffic = now;
                Vec::new()
            }
            What::State(ReadyState::Closing) => self.take(Occasion::Close, now),
            _ => Vec::new(),
        }
    }

    /// When [`Self::due`] is to be called, and when held messages are to be sent.
    pub(in crate::serve) fn deadline(&self) -> Option<Instant> {
        let rules = self.rules.iter().filter_map(|rule| match rule.state {
            State::Waiting => match self.faults.faults[rule.index].after()? {
                // Messages that are sent ask for themselves.
                (_, Moment::Message) => None,
                (time, _) => Some(self.opened? + time),
            },
            State::Flooding { rate, since, sent } => Some(since + rate.time_of(sent + 1)),
            State::Idling(time) => Some(self.last_traffic + time),
            State::Misanswering | State::Over => None,
        });
        rules.chain(self.held.deadline()).min()
    }

    /// The time has come for something, maybe.
    pub(in crate::serve) fn due(&mut self, now: Instant) -> Vec<Hit> {
        let elapsed = self.opened.map(|opened| now.duration_since(opened));
        let mut hits =
            elapsed.map_or_else(Vec::new, |elapsed| self.take(Occasion::Time(elapsed), now));
        for at in 0..self.rules.len() {
            match self.rules[at].state {
                State::Flooding { rate, since, sent } => {
                    let due = rate.count_in(now.duration_since(since));
                    let first = sent.max(due.saturating_sub(MOST_PINGS));
                    let pings = (first..due).map(|number| {
                        Act::Command(Command::Ping(Bytes::from(format!("flood {number}"))))
                    });
                    if due > sent {
                        hits.push(Hit::untold(pings.collect()));
                    }
                    self.rules[at].state = State::Flooding {
                        rate,
                        since,
                        sent: due.max(sent),
                    };
                }
                State::Idling(time) if now >= self.last_traffic + time => {
                    self.rules[at].state = State::Over;
                    let acts = vec![Act::Line(Strain::Cut)];
                    hits.push(self.hit(at, "", acts));
                }
                _ => {}
            }
        }
        hits
    }

    fn misanswer(&mut self, payload: &Bytes) -> Vec<Hit> {
        let is_on = |rule: &Rule| rule.state == State::Misanswering;
        let Some(at) = self.rules.iter().position(is_on) else {
            return Vec::new();
        };
        let wrong = match &payload[..] {
            b"wrong" => "not right",
            _ => "wrong",
        };
        let pong = Command::Pong(Bytes::from_static(wrong.as_bytes()));
        vec![self.hit(at, "", vec![Act::Command(pong)])]
    }

    /// What strikes now, apart from what concerns answers and messages that are sent.
    fn take(&mut self, occasion: Occasion<'_>, now: Instant) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in 0..self.rules.len() {
            let fault = self.fault(at);
            let is_other = matches!(fault.entry.moment, Moment::Answer | Moment::Message);
            let waits = self.rules[at].state == State::Waiting;
            if is_other || !waits || !fault.is_due(occasion) {
                continue;
            }
            let effect = fault.effect.clone();
            if !fault.is_due_again() {
                self.rules[at].state = State::Over;
            }
            if !self.strikes(at) {
                continue;
            }
            let acts = match effect {
                Effect::Do(acts) => acts,
                Effect::Garbage(count) => vec![self.garbage(count)],
                Effect::PingFlood(rate) => {
                    let (since, sent) = (now, 0);
                    self.rules[at].state = State::Flooding { rate, since, sent };
                    Vec::new()
                }
                Effect::WrongPong => {
                    self.rules[at].state = State::Misanswering;
                    hits.push(Hit::untold(vec![Act::WithholdPongs]));
                    continue;
                }
                Effect::IdleCut(time) => {
                    self.rules[at].state = State::Idling(time);
                    continue;
                }
                Effect::Answer(_) | Effect::Tamper(_) | Effect::Preset(_) => continue,
            };
            hits.push(self.hit(at, "", acts));
        }
        hits
    }

    /// Random bytes, of which the first cannot begin a frame: RSV2 and RSV3 are set.
    fn garbage(&mut self, count: usize) -> Act {
        let mut bytes = vec![0; count];
        self.random.fill_bytes(&mut bytes);
        bytes[0] |= 0x30;
        Act::Line(Strain::Garbage(bytes))
    }

    // --- messages that are sent --------------------------------------------------------------

    /// Takes what is to be sent; what it comes to is had from [`Self::ready`].
    pub(in crate::serve) fn send(&mut self, order: Order, now: Instant) {
        let Some(message) = order.message() else {
            return self.held.behind(order, now);
        };
        self.last_traffic = now;
        self.sent += 1;
        let mut copies = vec![Copy::new(order, message, now)];
        let mut reorder = None;
        for at in 0..self.rules.len() {
            let fault = self.fault(at);
            let (Effect::Tamper(tampering), Some(copy)) = (&fault.effect, copies.first()) else {
                continue;
            };
            let elapsed = self.opened.map(|opened| now.duration_since(opened));
            let tampering = *tampering;
            if !fault.may_tamper(&copy.message, self.sent, elapsed.unwrap_or_default())
                || !self.strikes(at)
            {
                continue;
            }
            let detail = self.tamper(tampering, &mut copies);
            if let Tampering::Reorder(count) = tampering {
                reorder = Some(count);
            }
            let told = self.event(at, &detail);
            self.told.push(told);
        }
        for copy in copies {
            self.held.take(copy, reorder, now);
        }
    }

    /// What there is to say of it.
    fn tamper(&mut self, tampering: Tampering, copies: &mut Vec<Copy>) -> String {
        match tampering {
            Tampering::Lose => {
                copies.clear();
                format!("message {}", self.sent)
            }
            Tampering::Dup => {
                let twins: Vec<Copy> = copies.clone();
                copies.extend(twins);
                format!("message {}", self.sent)
            }
            Tampering::Delay { by, jitter } => {
                let delay = by + jitter.mul_f64(self.random.random());
                for copy in copies {
                    copy.due += delay;
                }
                format!("message {} by {}", self.sent, show_duration(delay))
            }
            Tampering::Corrupt => {
                for copy in copies {
                    copy.corrupt(&mut self.random);
                }
                format!("message {}", self.sent)
            }
            Tampering::Fragment(most) => {
                for copy in copies {
                    copy.fragments = Some(most);
                }
                format!("message {}", self.sent)
            }
            Tampering::Reorder(_) => format!("message {}", self.sent),
        }
    }

    /// The next order that is to go out now.
    pub(in crate::serve) fn ready(
        &mut self,
        now: Instant,
        takes: impl FnOnce(&Order) -> bool,
    ) -> Option<Order> {
        self.held.ready(now, takes)
    }

    /// Whether more is taken than waits already.
    pub(in crate::serve) fn has_room(&self) -> bool {
        self.held.has_room()
    }

    /// Nobody will hear what waits.
    pub(in crate::serve) fn give_up(&mut self) {
        self.held = Held::default();
    }

    /// The next thing that was done to a message.
    pub(in crate::serve) fn take_told(&mut self) -> Vec<What> {
        std::mem::take(&mut self.told)
    }

    // --- chance ------------------------------------------------------------------------------

    /// Whether a fault strikes where it could.
    fn strikes(&mut self, at: usize) -> bool {
        let index = self.rules[at].index;
        let faults = Arc::clone(&self.faults);
        let keys = &faults.faults[index].spec.keys;
        self.rules[at].occasions += 1;
        let every = keys
            .every
            .filter(|_| faults.faults[index].counts_occasions());
        let is_turn = |every| self.rules[at].occasions.is_multiple_of(every);
        every.is_none_or(is_turn)
            && keys.p.is_none_or(|p| self.random.random_bool(p))
            && faults.take_time(index)
    }

    fn fault(&self, at: usize) -> &Fault {
        &self.faults.faults[self.rules[at].index]
    }

    fn hit(&self, at: usize, detail: &str, acts: Vec<Act>) -> Hit {
        let told = Some(self.event(at, detail));
        Hit { acts, told }
    }

    fn event(&self, at: usize, detail: &str) -> What {
        let fault = self.fault(at);
        let detail = match detail {
            "" => fault.to_string(),
            detail => format!("{fault}: {detail}"),
        };
        What::Fault {
            action: fault.entry.name,
            detail,
        }
    }
}

impl Fault {
    fn concerns(&self, number: u64, path: &str) -> bool {
        let keys = &self.spec.keys;
        let is_turn = |every| self.is_about_messages() || number.is_multiple_of(every);
        keys.conn.as_ref().is_none_or(|conn| conn.contains(&number))
            && keys.path.as_ref().is_none_or(|known| known == path)
            && keys.every.is_none_or(is_turn)
    }

    /// Whether `every=` is about messages, and not about attempts to open.
    fn is_about_messages(&self) -> bool {
        let by_message = matches!(self.spec.when, Some(When::Message(_) | When::Matching(_)));
        by_message || self.entry.moment == Moment::Message
    }

    /// Whether `every=` counts the messages that it could strike. Where WHEN has a number it counts
    /// from there.
    fn counts_occasions(&self) -> bool {
        self.is_about_messages() && !matches!(self.spec.when, Some(When::Message(_)))
    }

    /// Its time, where it has one.
    fn after(&self) -> Option<(Duration, Moment)> {
        match self.spec.when {
            Some(When::After(time)) => Some((time, self.entry.moment)),
            _ => None,
        }
    }

    fn is_due(&self, occasion: Occasion<'_>) -> bool {
        match (&self.spec.when, occasion) {
            (None, Occasion::Start) => self.entry.moment == Moment::Start,
            (None, Occasion::Open) => self.entry.moment == Moment::Open,
            (None, Occasion::Close) => self.entry.moment == Moment::Close,
            (Some(When::Open), Occasion::Open) | (Some(When::Close), Occasion::Close) => true,
            (Some(When::After(time)), Occasion::Time(elapsed)) => elapsed >= *time,
            (Some(When::Message(first)), Occasion::Message(_, number)) => {
                let later = number.checked_sub(*first);
                later.is_some_and(|later| match self.spec.keys.every {
                    Some(every) => later.is_multiple_of(every),
                    None => later == 0,
                })
            }
            (Some(When::Matching(regex)), Occasion::Message(message, _)) => {
                regex.is_match(&message.payload)
            }
            _ => false,
        }
    }

    /// Whether there is another occasion after one.
    fn is_due_again(&self) -> bool {
        let is_state = !matches!(self.effect, Effect::Do(_) | Effect::Garbage(_));
        match self.spec.when {
            Some(When::Message(_)) => self.spec.keys.every.is_some() && !is_state,
            Some(When::Matching(_)) => !is_state,
            _ => false,
        }
    }

    /// Whether a message that is sent is an occasion.
    fn may_tamper(&self, message: &Message, number: u64, elapsed: Duration) -> bool {
        match &self.spec.when {
            None | Some(When::Open) => true,
            Some(When::After(_)) => self.is_due(Occasion::Time(elapsed)),
            Some(_) => self.is_due(Occasion::Message(message, number)),
        }
    }
}
