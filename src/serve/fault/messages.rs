//! Faults of messages to the client: what becomes of each is decided in `tamper`.

use std::time::Duration;

use super::args::{duration, number, time};
use super::{Effect, Entry, Family, Moment};

pub(super) const FAMILY: Family = Family {
    name: "Messages to the client",
    faults: &[LOSE, DUP, REORDER, DELAY, CORRUPT],
};

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tampering {
    Lose,
    Dup,
    /// So many in a row are sent in the reverse order.
    Reorder(usize),
    Delay {
        by: Duration,
        /// Up to so much longer.
        jitter: Duration,
    },
    /// One bit of it is wrong; a text stays UTF-8.
    Corrupt,
    /// It goes out in pieces of so many bytes.
    Fragment(usize),
}

impl Tampering {
    /// Whether a seed makes a difference.
    pub(super) fn is_drawn(&self) -> bool {
        match self {
            Self::Delay { jitter, .. } => !jitter.is_zero(),
            Self::Corrupt => true,
            _ => false,
        }
    }
}

const LOSE: Entry = Entry {
    name: "lose",
    args: "",
    help: "does not send a message",
    client: "has a timeout for each answer that it waits for",
    moment: Moment::Message,
    make: |_| Ok(Effect::Tamper(Tampering::Lose)),
};

const DUP: Entry = Entry {
    name: "dup",
    args: "",
    help: "sends a message twice",
    client: "knows it again by an id, where it would do harm twice",
    moment: Moment::Message,
    make: |_| Ok(Effect::Tamper(Tampering::Dup)),
};

const REORDER: Entry = Entry {
    name: "reorder",
    args: "N",
    help: "sends each N messages in the reverse order; fewer than N wait for 1s",
    client: "matches answers by an id, not by their order",
    moment: Moment::Message,
    make: |args| {
        let count = args.need("N", |text| number(text, "the number of messages", 2, 1000))?;
        Ok(Effect::Tamper(Tampering::Reorder(count.into())))
    },
};

const DELAY: Entry = Entry {
    name: "delay",
    args: "TIME[,JITTER]",
    help: "sends messages later, in their order; JITTER is how much later still, at most",
    client: "waits",
    moment: Moment::Message,
    make: |args| {
        let by = args.need("TIME[,JITTER]", duration)?;
        let jitter = args.or(Duration::ZERO, time)?;
        Ok(Effect::Tamper(Tampering::Delay { by, jitter }))
    },
};

const CORRUPT: Entry = Entry {
    name: "corrupt",
    args: "",
    help: "changes one bit of a message; a text stays UTF-8",
    client: "checks what it gets before it uses it",
    moment: Moment::Message,
    make: |_| Ok(Effect::Tamper(Tampering::Corrupt)),
};
