//! What goes over the stream of a connection, and what it tells.

use std::cell::RefCell;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::closing::Phase;
use super::super::late_answer::late_answer;
use super::{Connection, READ_BUFFER};
use crate::model::close::CloseCode;
use crate::model::event::{Direction, Problem, What};
use crate::protocol::engine::{Incoming, Role, Sent};

thread_local! {
    /// What all connections of a thread read into: an idle connection holds no buffer.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BUFFER].into_boxed_slice());
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.link.poll_write(cx, &mut self.engine));
        let mut now = None;
        while let Some(sent) = self.engine.next_sent() {
            self.left(sent, *now.get_or_insert_with(Instant::now));
        }
        Poll::Ready(())
    }

    fn left(&mut self, sent: Sent, now: Instant) {
        let dir = Direction::Out;
        let what = match sent {
            Sent::Frame(frame) => {
                self.pending.push_back(What::Frame { dir, frame });
                return;
            }
            Sent::Message { message, wire } => What::Message {
                dir,
                message,
                frames: 1,
                wire,
                json: None,
            },
            Sent::Ping(payload) => What::Ping { dir, payload },
            Sent::Pong(payload) => What::Pong {
                dir,
                payload,
                rtt: None,
            },
            Sent::Close(frame) => return self.our_close_left(frame),
        };
        self.last_traffic = now;
        self.pending.push_back(what);
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let draining = matches!(self.phase, Phase::Draining { .. });
        if (!self.reads() || self.looking) && !draining {
            return Poll::Pending;
        }
        READ.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            let read = ready!(self.link.poll_read(cx, &mut buffer));
            let now = Instant::now();
            match read {
                Ok(()) if buffer.filled().is_empty() => self.ended_by_transport(None, now),
                Ok(()) => self.take_in(buffer.filled(), now),
                Err(cause) => self.ended_by_transport(Some(&cause), now),
            }
            Poll::Ready(())
        })
    }

    /// Whether what comes is looked at. Who waits for room where nothing can be written any more
    /// would wait for ever, and the end is found by reading.
    fn reads(&self) -> bool {
        self.reading && (!self.waiting || self.link.is_write_over())
    }

    /// Takes what was read, up to the next thing that happened; the rest waits.
    fn take_in(&mut self, mut input: &[u8], now: Instant) {
        if let Phase::Draining { .. } = self.phase {
            return self.phase.discard(input.len());
        }
        self.looking = self.look(&mut input, now);
        self.unread = Bytes::copy_from_slice(input);
        if !self.looking {
            // Part of a message came: the peer is no ghost.
            self.last_traffic = now;
            if let Some(keepalive) = &mut self.keepalive {
                keepalive.progress(now);
            }
        }
    }

    /// Goes on with what waits from the last read; whether something happened.
    pub(super) fn take_in_rest(&mut self) -> bool {
        if !self.looking || !self.reads() {
            return false;
        }
        let unread = std::mem::take(&mut self.unread);
        let mut rest = &unread[..];
        self.looking = self.look(&mut rest, Instant::now());
        self.unread = unread.slice(unread.len() - rest.len()..);
        self.looking
    }

    fn look(&mut self, input: &mut &[u8], now: Instant) -> bool {
        let first = std::mem::take(&mut self.fresh).then_some(*input);
        let Some(incoming) = self.engine.next(input) else {
            return false;
        };
        let late = first
            .filter(|_| self.role == Role::Client)
            .and_then(late_answer);
        match (incoming, late) {
            (Incoming::Violation(violation), Some(answer)) => {
                self.violated(&violation, answer, now);
            }
            (incoming, _) => self.came(incoming, now),
        }
        true
    }

    fn came(&mut self, incoming: Incoming, now: Instant) {
        let dir = Direction::In;
        let what = match incoming {
            Incoming::Frame(frame) => {
                self.pending.push_back(What::Frame { dir, frame });
                return;
            }
            Incoming::Close(frame) => return self.peer_closed(frame, now),
            Incoming::Violation(violation) => {
                let rule = &violation.rule;
                let (message, hint) = if violation.code == CloseCode::TOO_BIG {
                    let hint = "--max-message-size allows more".to_owned();
                    (format!("the peer sent {rule}"), Some(hint))
                } else {
                    (format!("the peer broke the protocol: {rule}"), None)
                };
                let problem = Problem {
                    kind: "protocol",
                    message,
                    hint,
                };
                return self.violated(&violation, problem, now);
            }
            Incoming::Message {
                message,
                frames,
                wire,
            } => {
                if let Some(keepalive) = &mut self.keepalive {
                    keepalive.message(&message, now);
                }
                What::Message {
                    dir,
                    message,
                    frames,
                    wire,
                    json: None,
                }
            }
            Incoming::Ping(payload) => What::Ping { dir, payload },
            Incoming::Pong(payload) => {
                if let Some(keepalive) = &mut self.keepalive {
                    keepalive.pong(&payload, now);
                }
                let rtt = self.pings.pong(&payload, now);
                What::Pong { dir, payload, rtt }
            }
        };
        self.last_traffic = now;
        self.pending.push_back(what);
    }
}
