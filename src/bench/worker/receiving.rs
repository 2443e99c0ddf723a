//! What comes: reads until a socket is drained or others should have their turn.

use std::io::Read as _;
use std::time::Instant;

use super::super::plan::Pace;
use super::super::shared::Phase;
use super::super::timer::Timer;
use super::super::user::Received;
use super::slot::State;
use super::{Worker, is_later};
use crate::wire::nonblocking::Socket;

/// Reads from one connection before the others have their turn.
const READS: usize = 4;

impl Worker {
    /// `ends`: the peer has ended its side, and what it sent before is still to be read.
    pub(super) fn ready(&mut self, slot: usize, writable: bool, ends: bool) {
        match &self.slots[slot].state {
            State::Connecting(_) => self.go_on_opening(slot),
            State::Open(_) => {
                if writable && self.write_pending(slot) && self.sends_freely() {
                    // It was full, and had no turn since.
                    self.turns.push(slot);
                }
                self.read(slot, ends);
            }
            State::Idle | State::Opening => {}
        }
    }

    /// Reads until the socket is drained, or others should have their turn.
    pub(super) fn read(&mut self, slot: usize, ends: bool) {
        for _ in 0..READS {
            let State::Open(open) = &mut self.slots[slot].state else {
                return;
            };
            let mut buffer = std::mem::take(&mut self.buffer);
            let mut room = buffer.len();
            if let Some(trickle) = &mut open.trickle
                && self.phase < Phase::Drain
            {
                room = room.min(trickle.allowed(Instant::now()));
                if room == 0 {
                    self.buffer = buffer;
                    return self.read_later(slot);
                }
            }
            let read = open.socket.read(&mut buffer[..room]);
            // A short read has drained a plain socket, but for its end.
            let more = match &read {
                Ok(count) => ends || *count == room || matches!(open.socket, Socket::Tls(_)),
                Err(_) => false,
            };
            if let (Some(trickle), Ok(count)) = (&mut open.trickle, &read) {
                trickle.took(*count);
                if self.phase == Phase::Measure {
                    self.figures.slow.received += *count as u64;
                }
            }
            let gone = match read {
                Ok(0) if open.was_reset => Some("rst"),
                Ok(0) => Some("fin"),
                Ok(count) => {
                    self.take_in(slot, &buffer[..count]);
                    None
                }
                Err(cause) if is_later(&cause) => None,
                Err(_) => Some("rst"),
            };
            self.buffer = buffer;
            if let Some(detail) = gone {
                return self.transport_ended(slot, detail);
            }
            if !more {
                return;
            }
        }
        self.turns.push(slot);
    }

    /// A slow connection goes on when it may.
    fn read_later(&mut self, slot: usize) {
        let generation = self.slots[slot].generation;
        if let State::Open(open) = &mut self.slots[slot].state
            && let Some(trickle) = &mut open.trickle
            && !std::mem::replace(&mut trickle.waits, true)
        {
            self.timers
                .set(trickle.due(), Timer::Read { slot, generation });
        }
    }

    pub(super) fn read_on(&mut self, slot: usize) {
        if let State::Open(open) = &mut self.slots[slot].state
            && let Some(trickle) = &mut open.trickle
        {
            trickle.waits = false;
            self.read(slot, true);
        }
    }

    /// The load is over: slow connections take in what waits for them.
    pub(super) fn let_slow_ones_read(&mut self) {
        for slot in 0..self.slots.len() {
            if matches!(&self.slots[slot].state, State::Open(open) if open.trickle.is_some()) {
                self.turns.push(slot);
            }
        }
    }

    pub(super) fn take_turns(&mut self) {
        let mut turns = std::mem::take(&mut self.turns);
        // A turn each, however often it was asked for.
        turns.sort_unstable();
        turns.dedup();
        for slot in turns {
            if !matches!(self.slots[slot].state, State::Open(_)) {
                continue;
            }
            self.read(slot, true);
            if self.sends_freely() {
                self.send_freely(slot);
            }
        }
    }

    pub(super) fn take_in(&mut self, slot: usize, bytes: &[u8]) {
        let now = Instant::now();
        let received = self.with_user(slot, |user, scene| user.receive(bytes, now, scene));
        let Some(Received { answers, end }) = received else {
            return;
        };
        self.in_flight = self.in_flight.saturating_sub(answers);
        if let Some(end) = end {
            self.peer_ended(slot, end, now);
        } else if answers > 0 {
            self.answered(slot, answers, now);
        }
        self.write_out(slot);
    }

    /// A closed loop goes on.
    pub(super) fn answered(&mut self, slot: usize, answers: usize, now: Instant) {
        if self.common.workload.mode.once {
            return self.close(slot, now);
        }
        let Pace::Closed { think, .. } = self.common.workload.pace else {
            return;
        };
        for _ in 0..answers {
            match think {
                None => {
                    if !self.send(slot, now) {
                        return;
                    }
                }
                Some(think) => {
                    let timer = Timer::Send {
                        slot,
                        generation: self.slots[slot].generation,
                    };
                    self.timers.set(now + think.draw(&mut self.chance), timer);
                }
            }
        }
    }
}
