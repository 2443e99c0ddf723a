//! What happened, in the order in which it happened: the outward half of the vocabulary.
//!
//! The NDJSON line is the serde form of [`Event`] (written in `model/ndjson.rs`); its fields never
//! change meaning.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::Serialize;

use super::close::CloseCode;
use super::frame::FrameInfo;
use super::handshake::{Headers, RequestHead, ResponseHead, Timings};
use super::message::Message;
use super::state::ReadyState;

/// The ordinal of a connection within one run: 1, 2, ... A reconnect is a new one.
pub type ConnId = u64;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Wall clock time.
    pub time: SystemTime,
    /// Time since the program's first event.
    pub at: Duration,
    /// The connection that it happened to, if to one.
    pub conn: Option<ConnId>,
    /// The target's name where there are several; it stays the same over reconnects.
    pub name: Option<Arc<str>>,
    pub what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    In,
    Out,
}

impl Direction {
    pub const fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// The kinds of events. `serve` and `listen` add theirs here.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    State(ReadyState),
    /// The request of an opening handshake, as it was sent or received (`-v`).
    Request(Box<RequestHead>),
    /// The answer to it, as it was received or sent; 1xx and redirects too (`-v`).
    Response(Box<ResponseHead>),
    Open(Box<Open>),
    Refused(Box<Refused>),
    Message {
        dir: Direction,
        message: Message,
        /// How many frames carried it.
        frames: u64,
        /// Bytes on the wire: headers and compression included.
        wire: u64,
        /// The payload parsed, where it is JSON and `--parse` asked for it.
        json: Option<Box<serde_json::Value>>,
    },
    Frame {
        dir: Direction,
        frame: FrameInfo,
    },
    Ping {
        dir: Direction,
        payload: Bytes,
    },
    Pong {
        dir: Direction,
        payload: Bytes,
        /// The round trip of our ping that it answers.
        rtt: Option<Duration>,
    },
    Close(Box<Close>),
    Error(Box<Problem>),
    Retry {
        /// 1 for the first retry.
        attempt: u32,
        max: u32,
        delay: Duration,
        reason: String,
    },
    Dropped {
        count: u64,
        bytes: u64,
        place: &'static str,
    },
    /// A client showed a server who it is.
    Auth {
        /// Its name, where it has one.
        user: Option<String>,
        /// `ok`, `unauthorized`, `expired` or `banned`.
        result: &'static str,
    },
    /// A client of a server entered or left a room, or a topic, as it asked.
    Room {
        room: String,
        /// `join`, `leave`, `subscribe`, `unsubscribe`.
        action: &'static str,
    },
    /// What the others in a room heard of that.
    Presence {
        room: String,
        /// The user, or the connection where it has no name.
        user: String,
        /// `joined`, `left`, or `lost` where it left without a word.
        state: &'static str,
    },
    /// A server stored a file that a client sent.
    Saved {
        /// The name that it has now.
        name: String,
        size: u64,
    },
    /// A connection reached a bound of the server's.
    Limit {
        /// A stable word: `queue`, ...
        limit: &'static str,
        /// What was done about it: `close`, ...
        action: &'static str,
        /// It is beyond the bound still, which was told: this is for counting only.
        again: bool,
    },
    /// Something went wrong on purpose (`serve --fault`).
    Fault {
        /// A stable word: `cut`, `delay`, ...
        action: &'static str,
        /// The fault as it was asked for, and what there is to say of this time.
        detail: String,
    },
    /// A server accepts connections at this URL.
    Listening {
        url: String,
    },
    End(Box<End>),
}

/// The opening handshake succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// Redacted, as everywhere in events.
    pub url: String,
    pub subprotocol: Option<String>,
    pub extensions: Vec<String>,
    /// The peer's address as text: `127.0.0.1:9001` or the path of a unix socket.
    pub peer: String,
    /// `None` for ws.
    pub tls: Option<TlsInfo>,
    pub timings: Timings,
}

/// What TLS agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TlsInfo {
    /// `TLSv1.3`, as OpenSSL writes it.
    pub version: String,
    /// The name that IANA gave the cipher suite.
    pub cipher: String,
    /// Of the server's certificate, as RFC 4514 writes names; `None` on the server's own side.
    pub subject: Option<String>,
    #[serde(serialize_with = "super::ndjson::optional_time")]
    pub expires: Option<SystemTime>,
    /// Whether the certificate was checked: not so with `-k`.
    pub checked: bool,
}

/// The opening handshake was answered with another status than 101.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    pub url: String,
    pub status: u16,
    pub reason: String,
    pub headers: Headers,
    pub body: Bytes,
    pub timings: Timings,
}

/// Who ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClosedBy {
    Peer,
    Us,
    /// TCP ended without a closing handshake.
    Transport,
}

/// A connection ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Close {
    /// The code of the Close frame; 1005 where it had none, 1006 where none came.
    pub code: CloseCode,
    pub reason: String,
    /// Whether Close frames went both ways.
    pub clean: bool,
    pub by: ClosedBy,
    /// The code as it was on the wire; `None` where 1005 or 1006 stands for no code.
    pub wire_code: Option<CloseCode>,
    /// How long there was no traffic before the end.
    pub idle: Duration,
    /// Messages that were handed over but never written whole.
    pub unsent: u64,
}

/// Something went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A stable word: `dns`, `refused`, `timeout`, `protocol`, ...
    pub kind: &'static str,
    pub message: String,
    pub hint: Option<String>,
}

/// Totals of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct End {
    pub sent: Traffic,
    pub received: Traffic,
    pub rtt: Option<RoundTrips>,
    pub unsent: u64,
    pub exit: u8,
}

/// What went one way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traffic {
    pub messages: u64,
    pub payload: u64,
    pub wire: u64,
    pub text: u64,
    pub binary: u64,
    pub ping: u64,
    pub pong: u64,
    pub close: u64,
}

/// Round trips of matched pings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoundTrips {
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
}

impl What {
    /// Whether it is a frame or a message that has left.
    pub const fn is_sent(&self) -> bool {
        match self {
            Self::Message { dir, .. }
            | Self::Frame { dir, .. }
            | Self::Ping { dir, .. }
            | Self::Pong { dir, .. } => matches!(dir, Direction::Out),
            _ => false,
        }
    }

    /// Whether it only goes on with what was told: it is counted, and not told.
    pub const fn is_repeated(&self) -> bool {
        matches!(self, Self::Limit { again: true, .. })
    }

    /// The word in the `event` field.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::State(_) => "state",
            Self::Request(_) => "request",
            Self::Response(_) => "response",
            Self::Open(_) => "open",
            Self::Refused(_) => "refused",
            Self::Message { .. } => "message",
            Self::Frame { .. } => "frame",
            Self::Ping { .. } => "ping",
            Self::Pong { .. } => "pong",
            Self::Close(_) => "close",
            Self::Error(_) => "error",
            Self::Retry { .. } => "retry",
            Self::Dropped { .. } => "dropped",
            Self::Auth { .. } => "auth",
            Self::Room { .. } => "room",
            Self::Presence { .. } => "presence",
            Self::Saved { .. } => "saved",
            Self::Limit { .. } => "limit",
            Self::Fault { .. } => "fault",
            Self::Listening { .. } => "listening",
            Self::End(_) => "end",
        }
    }
}
