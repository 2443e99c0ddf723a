//! How a connection comes to its end: either side's Close, a broken rule, or the end of the stream.

use std::io;
use std::task::Context;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};

use super::super::closing::{self, CLOSE_TIMEOUT, Ending, Phase, WITHHELD_CLOSE_TIMEOUT};
use super::Connection;
use crate::error::cause_text;
use crate::model::close::CloseFrame;
use crate::model::event::{ClosedBy, Problem, What};
use crate::model::state::ReadyState;
use crate::protocol::engine::Violation;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// What a raw Close frame says is known only now; the peer's answer decides where it is there.
    pub(super) fn our_close_left(&mut self, frame: Option<CloseFrame>) {
        if let Phase::Closing { end, .. } = &mut self.phase
            && end.by == ClosedBy::Us
            && end.frame.is_none()
            && !self.engine.close_received()
        {
            end.frame = frame;
        }
    }

    pub(super) fn peer_closed(&mut self, frame: Option<CloseFrame>, now: Instant) {
        match &mut self.phase {
            Phase::Open => {
                let timeout = if self.engine.answers_close() {
                    CLOSE_TIMEOUT
                } else {
                    WITHHELD_CLOSE_TIMEOUT
                };
                self.begin_closing(ClosedBy::Peer, frame, false, now + timeout);
            }
            Phase::Closing { end, .. } => end.answered_with(frame),
            Phase::Draining { .. } | Phase::Ended => {}
        }
    }

    pub(super) fn violated(&mut self, violation: &Violation, problem: Problem, now: Instant) {
        self.pending.push_back(What::Error(Box::new(problem)));
        if self.is_open() {
            self.begin_closing(ClosedBy::Us, None, true, now + CLOSE_TIMEOUT);
        }
        if let Phase::Closing { end, .. } = &mut self.phase {
            end.frame = Some(CloseFrame::bare(violation.code));
            end.illegal = violation.received;
            end.one_sided = true;
        }
    }

    pub(super) fn ended_by_transport(&mut self, cause: Option<&io::Error>, now: Instant) {
        match &self.phase {
            Phase::Open => {
                if let Some(cause) = cause {
                    self.pending.push_back(What::Error(Box::new(Problem {
                        kind: "closed",
                        message: format!("the connection broke: {}", cause_text(cause)),
                        hint: None,
                    })));
                }
                self.tell_end(now, None);
            }
            Phase::Closing { end, .. } => {
                let end = end.clone();
                self.tell_end(now, Some(&end));
            }
            Phase::Draining { .. } | Phase::Ended => {}
        }
        self.phase = Phase::Ended;
    }

    /// Moves on once the Close frames that are waited for have gone.
    pub(super) fn advance_closing(&mut self, cx: &mut Context<'_>) {
        let Phase::Closing { end, .. } = &self.phase else {
            return;
        };
        let ours_went = self.engine.close_sent() || self.link.is_write_over();
        if !ours_went || !(end.one_sided || self.engine.close_received()) {
            return;
        }
        let (end, now) = (end.clone(), Instant::now());
        self.tell_end(now, Some(&end));
        self.phase = end.linger(self.role, now);
        if let (Some(time), Phase::Draining { deadline, .. }) = (self.held_end, &mut self.phase) {
            *deadline = now + time;
        } else if !end.waits_for_server(self.role) {
            self.link.shut_down(cx);
        }
        self.timer = None;
    }

    pub(super) fn tell_end(&mut self, now: Instant, end: Option<&Ending>) {
        let answered = self.engine.close_sent() && self.engine.close_received();
        let idle = now.saturating_duration_since(self.last_traffic);
        let unsent = self.engine.unsent();
        let close = match end {
            Some(end) => end.account(answered, idle, unsent),
            None => closing::dropped(idle, unsent),
        };
        self.pending.push_back(What::State(ReadyState::Closed));
        self.pending.push_back(What::Close(Box::new(close)));
    }
}
