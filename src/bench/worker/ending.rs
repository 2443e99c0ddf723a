//! How connections end: our Close or the peer's, the end of TCP, and what is counted then.

use std::time::{Duration, Instant};

use super::super::failure::Failure;
use super::super::figures::{Close, ClosedBy};
use super::super::shared::Phase;
use super::super::user::Ended;
use super::Worker;
use super::slot::{Closing, State};
use crate::model::close::{CloseCode, CloseFrame};

/// How long the peer's Close is waited for after ours.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the server may take to end TCP after both Closes; who ends first keeps TIME_WAIT.
const LINGER: Duration = Duration::from_secs(1);

impl Worker {
    /// Begins our closing handshake.
    pub(super) fn close(&mut self, slot: usize, now: Instant) {
        self.begin_closing(slot, CloseCode::NORMAL, ClosedBy::Us, now + CLOSE_TIMEOUT);
        self.with_user(slot, |user, scene| user.close(CloseCode::NORMAL.0, scene));
        self.write_out(slot);
    }

    pub(super) fn begin_closing(
        &mut self,
        slot: usize,
        code: CloseCode,
        by: ClosedBy,
        deadline: Instant,
    ) {
        self.leave_open(slot, by);
        if let State::Open(open) = &mut self.slots[slot].state {
            open.closing = Some(Closing {
                by,
                code: code.0,
                reason: None,
                answered: by == ClosedBy::Peer,
                deadline,
            });
        }
    }

    pub(super) fn peer_ended(&mut self, slot: usize, end: Ended, now: Instant) {
        match end {
            Ended::Close(frame) => self.peer_closed(slot, frame, now),
            Ended::Violation(code, rule) => {
                let number = self.slots[slot].number;
                let failure = Failure::new("message", "protocol", rule);
                self.figures.failed(failure, number);
                self.with_user(slot, |user, scene| user.close(code.0, scene));
                self.write_out(slot);
                // It is the peer's doing.
                self.leave_open(slot, ClosedBy::Peer);
                self.ended(
                    slot,
                    Close {
                        code: code.0,
                        by: ClosedBy::Us,
                        detail: None,
                    },
                    None,
                    true,
                );
            }
        }
    }

    pub(super) fn peer_closed(&mut self, slot: usize, frame: Option<CloseFrame>, now: Instant) {
        let is_slow = self.is_slow(slot);
        let State::Open(open) = &mut self.slots[slot].state else {
            return;
        };
        if let Some(closing) = &mut open.closing {
            // A slow one hears late that the server had closed it before.
            let ours = frame.as_ref().map(|frame| frame.code.0) == Some(closing.code);
            self.figures.slow.lost += u64::from(is_slow && closing.by == ClosedBy::Us && !ours);
            closing.answered = true;
            closing.deadline = now + LINGER;
            return;
        }
        self.with_user(slot, |user, scene| user.answer_close(frame.as_ref(), scene));
        let code = frame
            .as_ref()
            .map_or(CloseCode::NO_STATUS, |frame| frame.code);
        self.begin_closing(slot, code, ClosedBy::Peer, now + LINGER);
        if let State::Open(open) = &mut self.slots[slot].state
            && let Some(closing) = &mut open.closing
        {
            closing.reason = frame.map(|frame| frame.reason);
        }
    }

    /// TCP ended, or the time for it is over.
    pub(super) fn transport_ended(&mut self, slot: usize, detail: &'static str) {
        let State::Open(open) = &mut self.slots[slot].state else {
            return;
        };
        let abnormal = Close {
            code: CloseCode::ABNORMAL.0,
            by: ClosedBy::Transport,
            detail: Some(detail),
        };
        match open.closing.take() {
            Some(closing) if closing.answered => {
                let close = Close {
                    code: closing.code,
                    by: closing.by,
                    detail: None,
                };
                let lost = closing.by == ClosedBy::Peer;
                self.ended(slot, close, closing.reason.as_deref(), lost);
            }
            // We wanted to close anyway.
            Some(_) => {
                self.figures.slow.lost += u64::from(detail != "timeout" && self.is_slow(slot));
                self.ended(slot, abnormal, None, false);
            }
            None => {
                self.leave_open(slot, ClosedBy::Transport);
                self.ended(slot, abnormal, None, true);
            }
        }
    }

    /// The connection is no longer one that is sent to.
    pub(super) fn leave_open(&mut self, slot: usize, by: ClosedBy) {
        let State::Open(open) = &mut self.slots[slot].state else {
            return;
        };
        if open.closing.is_some() {
            return;
        }
        let (place, speaking) = (open.place, open.speaking);
        self.open.swap_remove(place);
        if let Some(&moved) = self.open.get(place)
            && let State::Open(open) = &mut self.slots[moved].state
        {
            open.place = place;
        }
        if let Some(place) = speaking {
            self.speaking.swap_remove(place);
            if let Some(&moved) = self.speaking.get(place)
                && let State::Open(open) = &mut self.slots[moved].state
            {
                open.speaking = Some(place);
            }
        }
        // At the end of the run what still comes counts.
        if self.phase < Phase::Close {
            let by_us = by == ClosedBy::Us;
            self.with_user(slot, |user, scene| user.leave(by_us, scene));
        }
        self.common.shared.closed();
    }

    pub(super) fn ended(&mut self, slot: usize, close: Close, reason: Option<&str>, lost: bool) {
        self.figures.closed(close, reason);
        let lost = lost && self.phase < Phase::Close;
        if lost {
            self.figures.connections.lost += 1;
            // That of a broken rule is told already.
            if close.by != ClosedBy::Us {
                let failure = lost_by(close, reason);
                self.figures.failed(failure, self.slots[slot].number);
            }
            self.figures.slow.lost += u64::from(self.is_slow(slot));
        }
        if let State::Open(open) = &mut self.slots[slot].state {
            self.in_flight = self.in_flight.saturating_sub(open.user.in_flight());
            open.user
                .end(self.common.exchange.as_deref(), &mut self.figures);
        }
        self.slots[slot].state = State::Idle;
        self.slots[slot].was_lost = lost;
        if !lost {
            self.dialer.ended(slot);
        } else if self.common.workload.reconnect {
            self.dialer.lost(slot, Instant::now(), &mut self.chance);
        } else {
            self.dialer.gone();
        }
    }

    fn is_slow(&self, slot: usize) -> bool {
        matches!(&self.slots[slot].state, State::Open(open) if open.trickle.is_some())
    }

    /// Drops whatever there is, uncounted.
    pub(super) fn forget(&mut self, slot: usize) {
        match self.slots[slot].state {
            State::Idle => return,
            State::Open(_) => self.leave_open(slot, ClosedBy::Us),
            State::Connecting(_) | State::Opening => self.dialer.opened(),
        }
        self.slots[slot].state = State::Idle;
        self.dialer.ended(slot);
    }
}

/// How a connection was lost, as a failure.
fn lost_by(close: Close, reason: Option<&str>) -> Failure {
    let sample = match (close.by, close.detail, reason) {
        (ClosedBy::Peer, _, Some(reason)) if !reason.is_empty() => {
            format!("the server closed it with {}: {reason}", close.code)
        }
        (ClosedBy::Peer, ..) => format!("the server closed it with {}", close.code),
        (_, Some(detail), _) => format!("TCP ended without a Close ({detail})"),
        _ => "TCP ended without a Close".to_owned(),
    };
    Failure::new("connection", "lost", sample)
}
