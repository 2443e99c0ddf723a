//! Messages that faults have changed, and those that wait for their time. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::RngExt as _;
use rand::rngs::SmallRng;

use super::frames::frame;
use crate::model::command::Command;
use crate::model::frame::Opcode;
use crate::model::message::Message;
use crate::protocol::encode;
use crate::protocol::engine::Sent;
use crate::serve::queue::Order;

/// Bytes that wait at most before no more are taken from the queue.
const ROOM: usize = 1 << 20;

/// How long messages wait that are too few to be put in another order.
const REORDER_PATIENCE: Duration = Duration::from_secs(1);

/// One message on its way, as faults have it by now.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    /// As it came; `None` once the message is another.
    order: Option<Order>,
    pub(super) message: Message,
    pub(super) due: Instant,
    /// The bytes of a fragment.
    pub(super) fragments: Option<usize>,
}

impl Copy {
    pub(super) const fn new(order: Order, message: Message, now: Instant) -> Self {
        Self {
            order: Some(order),
            message,
            due: now,
            fragments: None,
        }
    }

    /// Changes the lowest bit of one character, so that a text stays UTF-8: of ASCII, or of the last
    /// byte of another one.
    pub(super) fn corrupt(&mut self, random: &mut SmallRng) {
        let payload = &self.message.payload;
        if payload.is_empty() {
            return;
        }
        let mut at = random.random_range(0..payload.len());
        if self.message.is_text() {
            let is_continued =
                |at: usize| payload.get(at + 1).is_some_and(|next| next & 0xC0 == 0x80);
            while is_continued(at) {
                at += 1;
            }
        }
        let mut payload = payload.to_vec();
        payload[at] ^= 1;
        self.message.payload = Bytes::from(payload);
        self.order = None;
    }

    fn into_orders(self) -> Vec<Order> {
        match (self.fragments, self.order) {
            (Some(most), _) => fragments(&self.message, most),
            (None, Some(order)) => vec![order],
            (None, None) => vec![Order::Command(Command::Send(self.message))],
        }
    }
}

/// The message in frames of at most so many bytes, whatever was agreed on for compression.
fn fragments(message: &Message, most: usize) -> Vec<Order> {
    let payload = &message.payload;
    let count = payload.len().div_ceil(most).max(1);
    let mut wire = 0;
    let piece = |number: usize| {
        let start = number * most;
        let end = payload.len().min(start + most);
        let opcode = match number {
            0 => encode::opcode(message.kind),
            _ => Opcode::CONTINUATION,
        };
        let is_last = number + 1 == count;
        let bytes = frame(is_last, [false; 3], opcode, &payload[start..end]);
        wire += bytes.len() as u64;
        Order::Bytes {
            bytes: Bytes::from(bytes),
            sent: is_last.then(|| Sent::Message {
                message: message.clone(),
                wire,
            }),
        }
    };
    (0..count).map(piece).collect()
}

/// Orders that wait for their time, in the order in which they leave.
#[derive(Debug, Default)]
pub(super) struct Held {
    orders: VecDeque<(Instant, Order)>,
    bytes: usize,
    batch: Option<Batch>,
}

/// Messages that are to leave in the reverse order.
#[derive(Debug)]
struct Batch {
    orders: Vec<Vec<Order>>,
    bytes: usize,
    full: usize,
    due: Instant,
}

impl Held {
    /// Holds a message; with `reorder` until so many are there.
    pub(super) fn take(&mut self, copy: Copy, reorder: Option<usize>, now: Instant) {
        let due = copy.due;
        let orders = copy.into_orders();
        let Some(full) = reorder else {
            for order in orders {
                self.hold(due, order);
            }
            return;
        };
        let batch = self.batch.get_or_insert_with(|| Batch {
            orders: Vec::new(),
            bytes: 0,
            full,
            due: due + REORDER_PATIENCE,
        });
        batch.bytes += orders.iter().map(Order::size).sum::<usize>();
        batch.orders.push(orders);
        if batch.orders.len() >= batch.full {
            self.release(now.max(due));
        }
    }

    /// Holds what is no message: it leaves behind all that waits.
    pub(super) fn behind(&mut self, order: Order, now: Instant) {
        self.release(now);
        self.hold(now, order);
    }

    fn release(&mut self, due: Instant) {
        if let Some(batch) = self.batch.take() {
            for order in batch.orders.into_iter().rev().flatten() {
                self.hold(due, order);
            }
        }
    }

    fn hold(&mut self, due: Instant, order: Order) {
        let last = self.orders.back().map_or(due, |(last, _)| *last);
        self.bytes += order.size();
        self.orders.push_back((due.max(last), order));
    }

    pub(super) fn ready(
        &mut self,
        now: Instant,
        takes: impl FnOnce(&Order) -> bool,
    ) -> Option<Order> {
        if self.batch.as_ref().is_some_and(|batch| batch.due <= now) {
            self.release(now);
        }
        let (due, order) = self.orders.front()?;
        if *due > now || !takes(order) {
            return None;
        }
        let (_, order) = self.orders.pop_front()?;
        self.bytes -= order.size();
        Some(order)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let first = self.orders.front().map(|(due, _)| *due);
        let batch = self.batch.as_ref().map(|batch| batch.due);
        first.into_iter().chain(batch).min()
    }

    pub(super) fn has_room(&self) -> bool {
        let batch = self.batch.as_ref().map_or(0, |batch| batch.bytes);
        self.bytes + batch < ROOM
    }
}
