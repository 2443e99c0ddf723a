//! What servers that share rooms tell each other: the one seam between a hub and others like it.
//!
//! Whatever others have to know (who came and left, what is sent to whom) is a [`Notice`] that goes
//! through the [`Bus`] before anything is done about it, and names connections by node as well. On
//! one machine the bus hands every notice straight back; one that leads to other machines hands
//! back what they tell too.

use std::fmt;
use std::sync::Arc;

use crate::model::event::ConnId;
use crate::model::message::Message;

use super::roster::{Channel, Client};

/// One of the servers that share rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// This server, as long as it is the only one.
    pub const LOCAL: Self = Self(1);
}

/// A connection, wherever it is: `m7`, or `m7.2` on the second node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    pub node: NodeId,
    pub conn: ConnId,
}

impl Member {
    pub const fn local(conn: ConnId) -> Self {
        Self {
            node: NodeId::LOCAL,
            conn,
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}", self.conn)?;
        if self.node == NodeId::LOCAL {
            return Ok(());
        }
        write!(f, ".{}", self.node.0)
    }
}

/// Who hears a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    Everyone,
    /// Everyone who connected at a path.
    Path(Arc<str>),
    Members(Vec<Member>),
}

/// What all nodes have to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    Connected(Client),
    Gone(Member),
    Joined(Member, Channel),
    Left(Member, Channel),
    Published {
        /// Whose message it is, where it is somebody's.
        from: Option<Member>,
        to: Audience,
        except: Option<Member>,
        message: Message,
    },
}

/// Takes notices to every node, this one included.
pub(super) trait Bus: Send {
    /// Hands on a notice of this node; `deliver` takes those that have arrived here.
    fn tell(&mut self, notice: Notice, deliver: &mut dyn FnMut(Notice));
}

/// The bus of a server that is alone.
#[derive(Debug)]
pub(super) struct Local;

impl Bus for Local {
    fn tell(&mut self, notice: Notice, deliver: &mut dyn FnMut(Notice)) {
        deliver(notice);
    }
}
