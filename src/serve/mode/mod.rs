//! What a server does about its clients: one file per mode, all in [`MODES`]. Modes are pure: what
//! clients do goes in, with the time and the roster; actions come out.

mod broadcast;
mod echo;
mod flood;
mod listen;
mod rooms;
mod script;
mod sink;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

use super::bus::{Audience, Member};
use super::roster::{Channel, Client, Roster};
use crate::model::close::CloseFrame;
use crate::model::command::Command;
use crate::model::event::{ConnId, What};
use crate::model::message::Message;
use crate::model::units::Rate;
use crate::transcript::mirror::Mirror;

/// The mode and its options.
#[derive(Debug, Clone)]
pub struct Plan {
    /// An entry of [`MODES`].
    pub mode: &'static Entry,
    /// `--echo-prefix`.
    pub prefix: Option<String>,
    /// `--exclude-sender`.
    pub exclude_sender: bool,
    /// `--script`: what [`SCRIPT`] plays.
    pub script: Option<Arc<Mirror>>,
    /// `--include-sender`.
    pub include_sender: bool,
    /// `--history`: messages of each room that are kept.
    pub history: usize,
    /// The rate of `flood=RATE`.
    pub rate: Option<Rate>,
}

/// One mode as help and command line know it.
#[derive(Debug)]
pub struct Entry {
    pub name: &'static str,
    pub help: &'static str,
    /// It takes a rate: `NAME=RATE`.
    pub takes_rate: bool,
    behaviour: Behaviour,
}

impl Entry {
    /// Whether anything but the answer to its own messages may reach a client.
    pub const fn reaches_others(&self) -> bool {
        matches!(self.behaviour, Behaviour::Kept(_))
    }
}

/// What a mode goes by.
#[derive(Debug, Clone, Copy)]
enum Behaviour {
    /// The answer follows from the message alone, so that nobody waits for anybody.
    Answering(Answer),
    /// It keeps something in mind, and is asked by one after the other.
    Kept(fn(&Plan) -> Box<dyn Mode>),
}

/// What a message is answered with.
pub(super) type Answer = fn(&Plan, Message) -> Option<Message>;

/// The modes that `--mode` offers; the first is the default.
pub const MODES: &[Entry] = &[
    echo::ENTRY,
    broadcast::ENTRY,
    rooms::ENTRY,
    sink::ENTRY,
    flood::ENTRY,
];

/// What `listen PORT` serves with: it only hears.
pub const LISTEN: &Entry = &listen::ENTRY;

/// What `--script` serves with: the server's side of a transcript.
pub const SCRIPT: &Entry = &script::ENTRY;

impl Plan {
    pub fn of(mode: &'static Entry) -> Self {
        Self {
            mode,
            prefix: None,
            exclude_sender: false,
            script: None,
            include_sender: false,
            history: 0,
            rate: None,
        }
    }

    /// Whether the mode hears of pings and pongs, and is alone to answer pings.
    pub fn hears_control(&self) -> bool {
        self.script
            .as_ref()
            .is_some_and(|mirror| mirror.hears_control)
    }

    /// What messages are answered with, where they alone decide; the mode is not asked then.
    pub(super) const fn answer(&self) -> Option<Answer> {
        match self.mode.behaviour {
            Behaviour::Answering(answer) => Some(answer),
            Behaviour::Kept(_) => None,
        }
    }

    pub(super) fn make(&self) -> Box<dyn Mode> {
        match self.mode.behaviour {
            Behaviour::Answering(_) => Box::new(Still),
            Behaviour::Kept(make) => make(self),
        }
    }
}

/// What is to be done, in order.
#[derive(Debug, PartialEq)]
pub enum Action {
    /// To one connection of this node. To the one whose message it answers it always gets through:
    /// while answers wait, nothing more is read from it. To others the overflow policy applies.
    Send {
        to: ConnId,
        command: Command,
    },
    /// One message to many, but for one.
    Publish {
        to: Audience,
        except: Option<Member>,
        message: Message,
    },
    Join(Member, Channel),
    Leave(Member, Channel),
    /// For the log.
    Tell(Option<ConnId>, What),
}

impl Action {
    /// A message to one connection.
    pub fn send(to: ConnId, message: Message) -> Self {
        Self::Send {
            to,
            command: Command::Send(message),
        }
    }
}

/// A control frame that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    Ping(Bytes),
    Pong(Bytes),
}

/// How a client left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Departure {
    /// With a Close: the one that decides the code.
    Closed(CloseFrame),
    /// Without a word, or as a ghost.
    Lost,
}

/// What a mode may look at.
#[derive(Debug)]
pub struct Scene<'a> {
    /// Who is here. A client that is gone is here until the mode has been told.
    pub roster: &'a Roster,
    pub now: Instant,
    /// The wall clock, for what is shown to people; asked only by who needs it.
    pub time: fn() -> SystemTime,
    /// The message belongs to a file that the server stores: it has found its place in any case.
    pub is_stored: bool,
}

/// A server's behaviour.
pub trait Mode: Send {
    /// A client has connected; it is in the roster.
    fn connected(&mut self, _client: &Client, _scene: &Scene<'_>) -> Vec<Action> {
        Vec::new()
    }

    /// What a message from a client leads to.
    fn message(&mut self, from: &Client, message: Message, scene: &Scene<'_>) -> Vec<Action>;

    /// What a ping or pong leads to, where [`Plan::hears_control`].
    fn control(&mut self, _from: &Client, _control: Control, _scene: &Scene<'_>) -> Vec<Action> {
        Vec::new()
    }

    /// A client is gone: nothing reaches it any more.
    fn gone(&mut self, _client: &Client, _departure: Departure, _scene: &Scene<'_>) -> Vec<Action> {
        Vec::new()
    }

    /// The [`Self::deadline`] has come.
    fn tick(&mut self, _scene: &Scene<'_>) -> Vec<Action> {
        Vec::new()
    }

    /// When [`Self::tick`] is to be called; asked for after every call.
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

/// The hub's part of a mode that answers messages without it: none.
struct Still;

impl Mode for Still {
    fn message(&mut self, _from: &Client, _message: Message, _scene: &Scene<'_>) -> Vec<Action> {
        Vec::new()
    }
}

#[cfg(test)]
mod sample {
    //! What the tests of modes have in common.

    use super::*;

    pub(super) fn client(conn: ConnId) -> Client {
        Client {
            member: Member::local(conn),
            path: "/".into(),
            user: None,
        }
    }

    /// What a message from client 1 leads to when nobody else is there.
    pub(super) fn answer(mode: &mut dyn Mode, message: Message) -> Vec<Action> {
        let scene = Scene {
            roster: &Roster::default(),
            now: Instant::now(),
            time: || SystemTime::UNIX_EPOCH,
            is_stored: false,
        };
        mode.message(&client(1), message, &scene)
    }
}
