//! What a connection does because time has passed.

use std::future::Future;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};

use super::super::closing::{GHOST_TIMEOUT, Phase};
use super::super::keepalive::Beat;
use super::Connection;
use crate::model::close::{CloseCode, CloseFrame};
use crate::model::command::Command;
use crate::model::event::{ClosedBy, Problem, What};
use crate::model::units::{show_duration, show_size};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline() else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        if timer.deadline() != deadline.into() {
            timer.as_mut().reset(deadline.into());
        }
        ready!(timer.as_mut().poll(cx));
        self.timer = None;
        self.due(Instant::now());
        Poll::Ready(())
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Open => self.beats_at().into_iter().chain(self.stalls_at()).min(),
            Phase::Closing { deadline, .. } | Phase::Draining { deadline, .. } => Some(*deadline),
            Phase::Ended => None,
        }
    }

    /// When the heartbeat has something to do.
    fn beats_at(&self) -> Option<Instant> {
        let keepalive = self.keepalive.as_ref()?;
        if self.reading {
            Some(keepalive.deadline())
        } else {
            keepalive.deadline_unread(self.link.blocked())
        }
    }

    /// When the peer is given up unless it takes something before. That it does not read the answers
    /// to its pings keeps nobody waiting.
    fn stalls_at(&self) -> Option<Instant> {
        let (since, stall) = self.link.blocked().zip(self.stall)?;
        (self.engine.unsent() > 0).then(|| since + stall)
    }

    fn due(&mut self, now: Instant) {
        match &self.phase {
            Phase::Open if self.stalls_at().is_some_and(|at| at <= now) => self.stalled(now),
            Phase::Open if self.beats_at().is_some_and(|at| at <= now) => self.beat(now),
            Phase::Open => {}
            Phase::Closing { end, .. } => {
                let end = end.clone();
                self.tell_end(now, Some(&end));
                self.phase = Phase::Ended;
            }
            Phase::Draining { .. } => self.phase = Phase::Ended,
            Phase::Ended => {}
        }
    }

    fn beat(&mut self, now: Instant) {
        let Some(keepalive) = &mut self.keepalive else {
            return;
        };
        match keepalive.poll(now) {
            // A full queue means that the peer does not read: its silence will show.
            Some(Beat::Ping(payload)) => {
                self.pings.sent(payload.clone(), now);
                let _ = self.engine.heartbeat(payload);
            }
            Some(Beat::Send(message)) => {
                let _ = self.send(Command::Send(message));
            }
            Some(Beat::Dead) => {
                let problem = Problem {
                    kind: "timeout",
                    message: format!(
                        "no answer to the heartbeat within {}",
                        show_duration(keepalive.timeout())
                    ),
                    hint: None,
                };
                self.give_up(problem, "keepalive ping timeout", now);
            }
            None => {}
        }
    }

    fn stalled(&mut self, now: Instant) {
        let stall = show_duration(self.stall.unwrap_or_default());
        let waiting = show_size(self.engine.held() as u64);
        let problem = Problem {
            kind: "timeout",
            message: format!("the peer has read nothing for {stall}: {waiting} wait for it"),
            hint: Some("--wait gives it more time (-1: for ever)".into()),
        };
        self.give_up(problem, "nothing is read", now);
    }

    /// Says why the peer is a ghost, and offers it a short goodbye.
    fn give_up(&mut self, problem: Problem, reason: &str, now: Instant) {
        self.pending.push_back(What::Error(Box::new(problem)));
        let frame = CloseFrame {
            code: CloseCode::INTERNAL_ERROR,
            reason: reason.into(),
        };
        // Only a connection that is closing already refuses, and that one is not given up.
        let _ = self.close(Some(frame), ClosedBy::Us, GHOST_TIMEOUT, now);
    }
}
