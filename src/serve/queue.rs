//! What waits for one peer, and what becomes of it when the peer does not read. Pure.
//!
//! Two kinds of orders wait in one order. Answers to the peer itself always fit: while one waits,
//! nothing more is read from the peer, so that it cannot ask for more. What others send is bounded
//! in bytes, and the [`Overflow`] policy says what happens beyond the bound. One order always
//! fits, however large: the bound is for those that pile up. Commands are never dropped, for a
//! Close that is lost would leave a peer that nobody wants.

use std::collections::VecDeque;
use std::str::FromStr;

use bytes::Bytes;

use crate::model::command::Command;
use crate::model::message::Message;
use crate::protocol::encode;
use crate::protocol::engine::Sent;

/// What an order costs beside its bytes.
const ORDER_COST: usize = 64;

/// What a peer is told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// A message's frame that was encoded once for many.
    Frame(Bytes),
    Command(Command),
    /// Bytes as they are, and what is told when they left: a fault's.
    Bytes {
        bytes: Bytes,
        sent: Option<Sent>,
    },
}

/// `--overflow`: what to do about a peer whose queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// Close it with 1013.
    #[default]
    Close,
    DropOldest,
    DropNewest,
    /// Read nothing more from those who send to it.
    Block,
}

/// The bound of a peer's queue and what happens beyond it.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// `--queue-bytes`.
    pub bytes: usize,
    pub overflow: Overflow,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            overflow: Overflow::default(),
        }
    }
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    Queued,
    /// It, or older ones, were dropped.
    Dropped,
    /// It is queued, and whoever sent it has to wait for room.
    Block,
    /// It is not queued: this peer is to be closed.
    TooSlow,
}

/// The orders of one peer.
#[derive(Debug)]
pub(super) struct Queue {
    plan: Plan,
    orders: VecDeque<Entry>,
    bytes: usize,
    answers: usize,
    dropped: Dropped,
}

#[derive(Debug)]
struct Entry {
    order: Order,
    is_answer: bool,
}

/// What was dropped and not told yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Dropped {
    pub(super) count: u64,
    pub(super) bytes: u64,
}

/// Frames that were written.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Written {
    /// Those that were written whole, and the bytes of their payload.
    pub(super) messages: u64,
    pub(super) bytes: u64,
    /// One that was not, and how much of it was.
    pub(super) begun: Option<(Bytes, usize)>,
}

impl Queue {
    pub(super) fn new(plan: Plan) -> Self {
        Self {
            plan,
            orders: VecDeque::new(),
            bytes: 0,
            answers: 0,
            dropped: Dropped::default(),
        }
    }

    /// Queues an answer to the peer itself.
    pub(super) fn answer(&mut self, order: Order) {
        self.insert(order, true);
    }

    /// Queues what somebody else sends; `sender_waits` says that there is one who can.
    pub(super) fn push(&mut self, order: Order, sender_waits: bool) -> Pushed {
        let size = order.size();
        if matches!(order, Order::Command(Command::Close(_))) || !self.is_over(size) {
            self.insert(order, false);
            return Pushed::Queued;
        }
        match self.plan.overflow {
            Overflow::Close => Pushed::TooSlow,
            Overflow::Block if sender_waits => {
                self.insert(order, false);
                Pushed::Block
            }
            Overflow::DropNewest | Overflow::Block => {
                self.dropped.add(size);
                Pushed::Dropped
            }
            Overflow::DropOldest => {
                self.make_room(size);
                self.insert(order, false);
                Pushed::Dropped
            }
        }
    }

    /// The first order, if `takes` agrees to take it; it is told whether it is an answer.
    pub(super) fn pop_if(&mut self, takes: impl FnOnce(&Order, bool) -> bool) -> Option<Order> {
        let first = self.orders.front()?;
        if !takes(&first.order, first.is_answer) {
            return None;
        }
        self.pop()
    }

    fn pop(&mut self) -> Option<Order> {
        let entry = self.orders.pop_front()?;
        self.bytes -= entry.order.size();
        self.answers -= usize::from(entry.is_answer);
        if self.orders.is_empty() {
            // An idle peer holds room for one.
            self.orders.shrink_to(1);
        }
        Some(entry.order)
    }

    /// The frames ahead of anything else.
    pub(super) fn frames(&self) -> impl Iterator<Item = &Bytes> {
        self.orders.iter().map_while(|entry| match &entry.order {
            Order::Frame(frame) => Some(frame),
            _ => None,
        })
    }

    /// Removes the frames of which the first so many bytes were written.
    pub(super) fn take_written(&mut self, mut written: usize) -> Written {
        let mut taken = Written::default();
        while written > 0
            && let Some(Order::Frame(frame)) = self.pop()
        {
            if written < frame.len() {
                taken.begun = Some((frame, written));
                break;
            }
            written -= frame.len();
            taken.messages += 1;
            taken.bytes += encode::payload_len(&frame) as u64;
        }
        taken
    }

    /// Gives up everything that waits: nobody will hear it.
    pub(super) fn clear(&mut self) {
        self.orders = VecDeque::new();
        self.bytes = 0;
        self.answers = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether answers to the peer wait.
    pub(super) fn has_answers(&self) -> bool {
        self.answers > 0
    }

    /// Whether it is half empty: who was told to wait may go on.
    pub(super) fn has_room(&self) -> bool {
        self.bytes <= self.plan.bytes / 2
    }

    /// What happens to what others send beyond the bound: who cannot wait is not blocked.
    pub(super) const fn action(&self) -> &'static str {
        match self.plan.overflow {
            Overflow::Block => Overflow::DropNewest.name(),
            overflow => overflow.name(),
        }
    }

    /// What was dropped since the last call.
    pub(super) fn take_dropped(&mut self) -> Dropped {
        std::mem::take(&mut self.dropped)
    }

    /// Whether so much more would be beyond the bound.
    pub(super) fn is_over(&self, size: usize) -> bool {
        self.bytes > 0 && self.bytes + size > self.plan.bytes
    }

    /// Drops the oldest messages of others until `size` more bytes fit, or none are left.
    fn make_room(&mut self, size: usize) {
        let mut at = 0;
        while self.is_over(size) && at < self.orders.len() {
            let entry = &self.orders[at];
            if entry.is_answer || matches!(entry.order, Order::Command(_)) {
                at += 1;
                continue;
            }
            let size = entry.order.size();
            self.orders.remove(at);
            self.bytes -= size;
            self.dropped.add(size);
        }
    }

    fn insert(&mut self, order: Order, is_answer: bool) {
        self.bytes += order.size();
        self.answers += usize::from(is_answer);
        self.orders.push_back(Entry { order, is_answer });
    }
}

impl Dropped {
    fn add(&mut self, size: usize) {
        self.count += 1;
        self.bytes += (size - ORDER_COST) as u64;
    }
}

impl Order {
    /// The message that it sends, if it is one.
    pub(super) fn message(&self) -> Option<Message> {
        match self {
            Self::Command(Command::Send(message)) => Some(message.clone()),
            Self::Frame(frame) => encode::message_of(frame),
            _ => None,
        }
    }

    /// What it takes in memory, roughly.
    pub(super) fn size(&self) -> usize {
        ORDER_COST
            + match self {
                Self::Frame(frame) => frame.len(),
                Self::Bytes { bytes, .. } => bytes.len(),
                Self::Command(Command::Send(message)) => message.payload.len(),
                Self::Command(Command::Frame(frame)) => frame.payload.len(),
                Self::Command(Command::Ping(payload) | Command::Pong(payload)) => payload.len(),
                Self::Command(Command::Close(_)) => 0,
            }
    }
}

impl Overflow {
    /// What `--overflow` takes.
    pub const NAMES: [&str; 4] = ["close", "drop-oldest", "drop-newest", "block"];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Close => Self::NAMES[0],
            Self::DropOldest => Self::NAMES[1],
            Self::DropNewest => Self::NAMES[2],
            Self::Block => Self::NAMES[3],
        }
    }
}

impl FromStr for Overflow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "close" => Self::Close,
            "drop-oldest" => Self::DropOldest,
            "drop-newest" => Self::DropNewest,
            "block" => Self::Block,
            _ => return Err(format!("takes one of {}", Self::NAMES.join(", "))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::close::{CloseCode, CloseFrame};

    const SIZE: usize = 1000;

    /// Room for three frames of [`SIZE`] bytes.
    fn queue(overflow: Overflow) -> Queue {
        Queue::new(Plan {
            bytes: 3 * (SIZE + ORDER_COST),
            overflow,
        })
    }

    fn frame(number: u8) -> Order {
        Order::Frame(Bytes::from(vec![number; SIZE]))
    }

    /// The first byte of each frame that waits.
    fn waiting(queue: &mut Queue) -> Vec<u8> {
        let orders = std::iter::from_fn(|| queue.pop_if(|_, _| true));
        orders
            .map(|order| match order {
                Order::Frame(frame) => frame[0],
                _ => 0,
            })
            .collect()
    }

    /// What became of each of five frames, the numbers of those that wait, and what was dropped.
    fn five(overflow: Overflow) -> (Vec<Pushed>, Vec<u8>, u64) {
        let mut queue = queue(overflow);
        let pushed = (1..=5).map(|number| queue.push(frame(number), true));
        let pushed = pushed.collect();
        let dropped = queue.take_dropped();
        assert_eq!(dropped.bytes, dropped.count * SIZE as u64);
        (pushed, waiting(&mut queue), dropped.count)
    }

    #[test]
    fn each_policy_does_what_it_says_beyond_the_bound() {
        use Pushed::{Block, Dropped, Queued, TooSlow};
        for (overflow, beyond, waits, dropped) in [
            (Overflow::Close, TooSlow, vec![1, 2, 3], 0),
            (Overflow::DropOldest, Dropped, vec![3, 4, 5], 2),
            (Overflow::DropNewest, Dropped, vec![1, 2, 3], 2),
            (Overflow::Block, Block, vec![1, 2, 3, 4, 5], 0),
        ] {
            let expected = vec![Queued, Queued, Queued, beyond, beyond];
            assert_eq!(five(overflow), (expected, waits, dropped), "{overflow:?}");
        }
    }

    #[test]
    fn who_cannot_wait_is_not_blocked() {
        let mut queue = queue(Overflow::Block);
        for number in 1..=4 {
            queue.push(frame(number), false);
        }
        assert_eq!(waiting(&mut queue), [1, 2, 3]);
    }

    #[test]
    fn one_order_always_fits_and_neither_answers_nor_closes_are_refused() {
        let mut queue = queue(Overflow::DropOldest);
        let large = Order::Frame(Bytes::from(vec![9; 10 * SIZE]));
        assert_eq!(queue.push(large, true), Pushed::Queued);
        queue.answer(frame(1));
        queue.answer(frame(2));
        let close = Command::Close(Some(CloseFrame::bare(CloseCode::NORMAL)));
        assert_eq!(queue.push(Order::Command(close), true), Pushed::Queued);
        assert!(queue.has_answers() && !queue.has_room());
        queue.push(frame(3), true);
        assert_eq!(waiting(&mut queue), [1, 2, 0, 3], "only 9 could be dropped");
        assert!(!queue.has_answers() && queue.is_empty() && queue.has_room());
    }

    #[test]
    fn frames_that_were_written_are_taken_and_one_that_was_begun_goes_on() {
        let mut queue = queue(Overflow::Close);
        let frames = ["a", "bc", "def"].map(|text| encode::message(&Message::text(text)));
        for frame in &frames[..2] {
            queue.push(Order::Frame(frame.clone()), true);
        }
        queue.answer(Order::Command(Command::Close(None)));
        queue.push(Order::Frame(frames[2].clone()), true);
        assert!(queue.frames().eq(&frames[..2]), "up to the first command");
        let bytes = queue.bytes();
        assert_eq!(queue.take_written(0), Written::default());
        let written = Written {
            messages: 1,
            bytes: 1,
            begun: Some((frames[1].clone(), 2)),
        };
        assert_eq!(queue.take_written(3 + 2), written);
        assert_eq!(queue.frames().count(), 0);
        assert_eq!(queue.bytes(), bytes - 3 - 4 - 2 * ORDER_COST);
    }

    #[test]
    fn an_order_stays_until_it_is_taken() {
        let mut queue = queue(Overflow::Close);
        queue.push(frame(1), true);
        assert_eq!(queue.pop_if(|_, is_answer| is_answer), None);
        assert_eq!(queue.pop_if(|_, is_answer| !is_answer), Some(frame(1)));
    }
}
