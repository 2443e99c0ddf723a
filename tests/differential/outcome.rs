//! What each implementation makes of the same bytes.

use std::io::{self, Read, Write};
use std::iter::Cycle;
use std::slice;

use bytes::Bytes;
use tokio_tungstenite::tungstenite as reference;
use wscope::model::message::{Kind, Message};
use wscope::protocol::deflate::Agreed;
use wscope::protocol::engine::{Config, Engine, Incoming, Role};

use super::LIMIT;

/// What came out of a byte stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) happened: Vec<Happened>,
    pub(crate) end: End,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Happened {
    Text(Bytes),
    Binary(Bytes),
    Ping(Bytes),
    Pong(Bytes),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    Close(Option<(u16, String)>),
    /// A rule was broken; the code to close with.
    Failed(u16),
    /// The bytes ended.
    Eof,
}

/// `deflate` is what was agreed on.
pub(crate) fn engine(role: Role, deflate: Option<Agreed>) -> Engine {
    let config = Config {
        role,
        max_message_size: LIMIT,
        auto_pong: true,
        report_frames: false,
        max_queued: usize::MAX,
        deflate,
    };
    Engine::new(config, [5; 32])
}

/// What an engine makes of these bytes.
pub(crate) fn ours(mut engine: Engine, bytes: &[u8], cuts: &[usize]) -> Outcome {
    let mut source = Source::new(bytes, cuts);
    let mut happened = Vec::new();
    let mut buffer = vec![0; 8 << 10];
    loop {
        let count = source.read(&mut buffer).unwrap();
        if count == 0 {
            return Outcome {
                happened,
                end: End::Eof,
            };
        }
        let mut input = &buffer[..count];
        while let Some(incoming) = engine.next(&mut input) {
            let end = match incoming {
                Incoming::Message {
                    message:
                        Message {
                            kind: Kind::Text,
                            payload,
                        },
                    ..
                } => {
                    happened.push(Happened::Text(payload));
                    continue;
                }
                Incoming::Message { message, .. } => {
                    happened.push(Happened::Binary(message.payload));
                    continue;
                }
                Incoming::Ping(payload) => {
                    happened.push(Happened::Ping(payload));
                    continue;
                }
                Incoming::Pong(payload) => {
                    happened.push(Happened::Pong(payload));
                    continue;
                }
                Incoming::Close(close) => {
                    End::Close(close.map(|close| (close.code.0, close.reason)))
                }
                Incoming::Violation(violation) => End::Failed(violation.code.0),
                Incoming::Frame(_) => panic!("frames were not asked for"),
            };
            return Outcome { happened, end };
        }
    }
}

/// What the reference makes of these bytes.
pub(crate) fn theirs(role: Role, bytes: &[u8], cuts: &[usize]) -> Outcome {
    use reference::error::{Error, ProtocolError};

    let role = match role {
        Role::Client => reference::protocol::Role::Client,
        Role::Server => reference::protocol::Role::Server,
    };
    let config = reference::protocol::WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .max_frame_size(Some(LIMIT))
        .max_message_size(Some(LIMIT));
    let source = Source::new(bytes, cuts);
    let mut socket = reference::WebSocket::from_raw_socket(source, role, Some(config));
    let mut happened = Vec::new();
    let end = loop {
        match socket.read() {
            Ok(reference::Message::Text(text)) => happened.push(Happened::Text(text.into())),
            Ok(reference::Message::Binary(bytes)) => happened.push(Happened::Binary(bytes)),
            Ok(reference::Message::Ping(bytes)) => happened.push(Happened::Ping(bytes)),
            Ok(reference::Message::Pong(bytes)) => happened.push(Happened::Pong(bytes)),
            Ok(reference::Message::Close(close)) => {
                break End::Close(close.map(|close| (close.code.into(), close.reason.to_string())));
            }
            Ok(reference::Message::Frame(_)) => panic!("never read"),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => break End::Eof,
            Err(Error::Protocol(_)) => break End::Failed(1002),
            Err(Error::Utf8(_)) => break End::Failed(1007),
            Err(Error::Capacity(_)) => break End::Failed(1009),
            Err(other) => panic!("{other:?}"),
        }
    };
    Outcome { happened, end }
}

/// A socket in memory: reads in pieces of the given sizes, then the end; writes go nowhere.
struct Source<'a> {
    bytes: &'a [u8],
    cuts: Cycle<slice::Iter<'a, usize>>,
}

impl<'a> Source<'a> {
    fn new(bytes: &'a [u8], cuts: &'a [usize]) -> Self {
        Self {
            bytes,
            cuts: cuts.iter().cycle(),
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self
            .cuts
            .next()
            .map_or(usize::MAX, |size| *size)
            .min(buffer.len());
        self.bytes.read(&mut buffer[..size])
    }
}

impl Write for Source<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
