//! Everyone who is connected: who gets a message, and what becomes of those who do not read.
//!
//! A message for many is encoded once and shared. Each peer's backlog is bounded in bytes; who
//! exceeds it is told so and closed with 1013, so that a slow peer never grows the server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};

use crate::model::command::Command;
use crate::model::event::ConnId;
use crate::model::message::Message;
use crate::protocol::encode;

/// Bytes that wait for one peer at most, beside its out queue.
const BACKLOG: usize = 1 << 20;
/// What an order costs beside its bytes.
const ORDER_COST: usize = 64;

/// What a peer is told to do.
#[derive(Debug)]
pub enum Order {
    /// A frame that was encoded once for many.
    Frame(Bytes),
    Command(Command),
    /// The backlog is full: this peer does not read fast enough.
    TooSlow,
}

/// All peers of a server.
#[derive(Debug, Default)]
pub struct Hub {
    peers: Mutex<BTreeMap<ConnId, Entry>>,
}

#[derive(Debug)]
struct Entry {
    path: Arc<str>,
    orders: mpsc::UnboundedSender<Order>,
    backlog: Arc<AtomicUsize>,
    too_slow: Arc<Notify>,
}

/// A peer's place in the hub; leaving is dropping it.
#[derive(Debug)]
pub struct Seat {
    hub: Arc<Hub>,
    id: ConnId,
    pub path: Arc<str>,
    orders: mpsc::UnboundedReceiver<Order>,
    backlog: Arc<AtomicUsize>,
    too_slow: Arc<Notify>,
}

impl Hub {
    pub fn join(self: &Arc<Self>, id: ConnId, path: &str) -> Seat {
        let (sender, orders) = mpsc::unbounded_channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let too_slow = Arc::new(Notify::new());
        let path: Arc<str> = Arc::from(path);
        let entry = Entry {
            path: Arc::clone(&path),
            orders: sender,
            backlog: Arc::clone(&backlog),
            too_slow: Arc::clone(&too_slow),
        };
        self.peers().insert(id, entry);
        Seat {
            hub: Arc::clone(self),
            id,
            path,
            orders,
            backlog,
            too_slow,
        }
    }

    pub fn len(&self) -> usize {
        self.peers().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is somebody, and nobody's backlog is more than half full.
    pub fn has_room(&self) -> bool {
        let peers = self.peers();
        let waiting = |entry: &Entry| entry.backlog.load(Ordering::Relaxed);
        !peers.is_empty() && peers.values().all(|entry| waiting(entry) <= BACKLOG / 2)
    }

    /// Sends to everyone on `path` (`None`: on every path) but `except`; how many it was sent to.
    pub fn everyone(&self, path: Option<&str>, except: Option<ConnId>, message: &Message) -> usize {
        let frame = encode::message(message);
        let peers = self.peers();
        let hearers = peers.iter().filter(|(id, entry)| {
            Some(**id) != except && path.is_none_or(|path| *entry.path == *path)
        });
        hearers
            .map(|(_, entry)| entry.order(Order::Frame(frame.clone()), frame.len()))
            .count()
    }

    /// A command for everyone; how many got it.
    pub fn command_everyone(&self, command: &Command) -> usize {
        let peers = self.peers();
        for entry in peers.values() {
            entry.order(Order::Command(command.clone()), size(command));
        }
        peers.len()
    }

    /// A command for one peer; false where there is none of that number.
    pub fn command(&self, id: ConnId, command: Command) -> bool {
        let peers = self.peers();
        let Some(entry) = peers.get(&id) else {
            return false;
        };
        let size = size(&command);
        entry.order(Order::Command(command), size);
        true
    }

    fn peers(&self) -> MutexGuard<'_, BTreeMap<ConnId, Entry>> {
        // No holder of the lock can panic half-way through a change.
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// One order always fits, however large: the bound is for those that pile up.
    fn order(&self, order: Order, size: usize) {
        if self.backlog.load(Ordering::Relaxed) > BACKLOG {
            self.too_slow.notify_one();
            return;
        }
        self.backlog.fetch_add(size + ORDER_COST, Ordering::Relaxed);
        // A peer that is leaving hears nothing more.
        let _ = self.orders.send(order);
    }
}

impl Seat {
    /// The next order; without `room` only that the peer is too slow. Cancel-safe.
    pub async fn next(&mut self, room: bool) -> Order {
        tokio::select! {
            biased;
            () = self.too_slow.notified() => Order::TooSlow,
            Some(order) = self.orders.recv(), if room => {
                let size = match &order {
                    Order::Frame(frame) => frame.len(),
                    Order::Command(command) => size(command),
                    Order::TooSlow => 0,
                };
                self.backlog.fetch_sub(size + ORDER_COST, Ordering::Relaxed);
                order
            }
        }
    }

    pub fn id(&self) -> ConnId {
        self.id
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.peers().remove(&self.id);
    }
}

fn size(command: &Command) -> usize {
    match command {
        Command::Send(message) => message.payload.len(),
        Command::Frame(frame) => frame.payload.len(),
        Command::Ping(payload) | Command::Pong(payload) => payload.len(),
        Command::Close(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_reaches_everyone_on_its_path_but_the_sender() {
        let hub = Arc::new(Hub::default());
        let mut ann = hub.join(1, "/chat");
        let mut bob = hub.join(2, "/chat");
        let _eve = hub.join(3, "/other");
        assert_eq!(
            hub.everyone(Some("/chat"), Some(1), &Message::text("hi")),
            1
        );
        assert!(matches!(bob.next(true).await, Order::Frame(_)));
        assert!(hub.command(1, Command::Send(Message::text("you"))));
        assert!(matches!(ann.next(true).await, Order::Command(_)));
        drop(bob);
        assert_eq!(hub.everyone(Some("/chat"), None, &Message::text("hi")), 1);
        assert!(!hub.command(2, Command::Close(None)));
    }

    #[tokio::test]
    async fn who_does_not_read_is_told_so_and_grows_nothing() {
        let hub = Arc::new(Hub::default());
        let mut slow = hub.join(1, "/");
        let message = Message::binary(vec![0; 100_000]);
        for _ in 0..1000 {
            hub.everyone(None, None, &message);
        }
        assert!(matches!(slow.next(false).await, Order::TooSlow));
        let mut frames = 0;
        while slow.orders.try_recv().is_ok() {
            frames += 1;
        }
        assert_eq!(frames, 11);
    }
}
