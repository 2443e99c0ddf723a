//! What a server does with a message: one file per mode, all in [`MODES`]. Modes are pure: a
//! message in, actions out.

mod broadcast;
mod echo;
mod listen;

use std::sync::Arc;

use crate::model::event::ConnId;
use crate::model::message::Message;

/// The mode and its options.
#[derive(Debug, Clone)]
pub struct Plan {
    /// An entry of [`MODES`].
    pub mode: &'static Entry,
    /// `--echo-prefix`.
    pub prefix: Option<String>,
    /// `--exclude-sender`.
    pub exclude_sender: bool,
}

/// One mode as help and command line know it.
#[derive(Debug)]
pub struct Entry {
    pub name: &'static str,
    pub help: &'static str,
    make: fn(&Plan) -> Arc<dyn Mode>,
}

/// The modes that `--mode` offers; the first is the default.
pub const MODES: &[Entry] = &[echo::ENTRY, broadcast::ENTRY];

/// What `listen PORT` serves with: it only hears.
pub const LISTEN: &Entry = &listen::ENTRY;

impl Plan {
    pub fn of(mode: &'static Entry) -> Self {
        Self {
            mode,
            prefix: None,
            exclude_sender: false,
        }
    }

    pub(super) fn make(&self) -> Arc<dyn Mode> {
        (self.mode.make)(self)
    }
}

/// What is to be done about a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// To the sender.
    Reply(Message),
    /// To everyone on the sender's path, but for one.
    Everyone {
        message: Message,
        except: Option<ConnId>,
    },
}

/// A server's behaviour.
pub trait Mode: Send + Sync {
    /// What a message from a client leads to.
    fn message(&self, from: ConnId, message: Message) -> Option<Action>;
}
