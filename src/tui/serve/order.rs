//! In which order connections are listed.

use std::cmp::Ordering;

use super::scene::{Connection, Scene};
use crate::model::event::ConnId;

/// By what they are sorted: the columns of the list, from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Number,
    Address,
    Path,
    User,
    Rooms,
    Received,
    Sent,
    Queue,
    RoundTrip,
}

impl Column {
    pub(super) const ALL: [Self; 9] = [
        Self::Number,
        Self::Address,
        Self::Path,
        Self::User,
        Self::Rooms,
        Self::Received,
        Self::Sent,
        Self::Queue,
        Self::RoundTrip,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Number => "#",
            Self::Address => "address",
            Self::Path => "path",
            Self::User => "user",
            Self::Rooms => "rooms",
            Self::Received => "rx",
            Self::Sent => "tx",
            Self::Queue => "queue",
            Self::RoundTrip => "rtt",
        }
    }

    #[must_use]
    pub(super) fn next(self) -> Self {
        let at = Self::ALL.iter().position(|column| *column == self);
        Self::ALL[at.map_or(0, |at| (at + 1) % Self::ALL.len())]
    }

    /// Whether its largest value comes first where nobody asked for the other way round: who is
    /// slow, or says much, is looked for.
    pub(super) const fn is_descending(self) -> bool {
        !matches!(self, Self::Number | Self::Address | Self::Path | Self::User)
    }

    fn compare(self, one: &Connection, other: &Connection) -> Ordering {
        match self {
            Self::Number => Ordering::Equal,
            Self::Address => one.open.peer.cmp(&other.open.peer),
            Self::Path => one.path.cmp(&other.path),
            Self::User => one.user.cmp(&other.user),
            Self::Rooms => one.places.len().cmp(&other.places.len()),
            Self::Received => one.received.messages.cmp(&other.received.messages),
            Self::Sent => one.sent.messages.cmp(&other.sent.messages),
            Self::Queue => one.queued.cmp(&other.queued),
            Self::RoundTrip => one.rtt.cmp(&other.rtt),
        }
    }
}

/// All connections in this order; equal ones by their number.
pub(super) fn ordered(scene: &Scene, column: Column, descending: bool) -> Vec<ConnId> {
    let mut connections: Vec<_> = scene.connections.iter().collect();
    if column != Column::Number {
        connections.sort_by(|(_, one), (_, other)| {
            let order = column.compare(one, other);
            if descending { order.reverse() } else { order }
        });
    } else if descending {
        connections.reverse();
    }
    connections.into_iter().map(|(id, _)| *id).collect()
}
