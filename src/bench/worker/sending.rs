//! What is sent and when: answers lead to the next message in a closed loop, the schedule does in an
//! open one. What a socket does not take stays with its connection.

use std::io::Write as _;
use std::time::Instant;

use super::super::figures::Latency;
use super::super::pacer::Pacer;
use super::super::plan::{Pace, Rate};
use super::super::schedule::Schedule;
use super::super::shared::Phase;
use super::super::timer::Timer;
use super::super::user::{Scene, User};
use super::slot::State;
use super::{Worker, is_later};
use crate::wire::nonblocking::Socket;

/// Messages written to one connection before the others have their turn (mode `send`).
const WRITES: usize = 16;

/// Messages of a schedule that are sent before anything else has its turn: one that cannot be kept has
/// always more.
const MOST_DUE: usize = 10_000;

/// Bytes that wait for a peer that does not read, before messages for it are dropped.
const MOST_UNWRITTEN: usize = 1 << 20;

impl Worker {
    pub(super) fn fire_timers(&mut self, now: Instant) {
        while let Some((due, timer)) = self.timers.take(now) {
            let (slot, generation) = timer.of();
            if self.slots[slot].generation != generation {
                continue;
            }
            match timer {
                Timer::Send { .. } => {
                    if self.send(slot, due) {
                        self.write_out(slot);
                    }
                }
                Timer::Lifetime { .. } => {
                    if self.slots[slot].may_send() {
                        self.close(slot, now);
                    }
                }
                Timer::Read { .. } => self.read_on(slot),
            }
        }
    }

    /// Sends a message on a connection of a closed loop; false where nothing is sent any more.
    pub(super) fn send(&mut self, slot: usize, due: Instant) -> bool {
        if !self.is_loading() || !self.slots[slot].may_send() || self.left == Some(0) {
            return false;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        self.in_flight += usize::from(self.common.workload.expects());
        self.with_user(slot, |user, scene| user.send(due, Instant::now(), scene));
        let workload = &self.common.workload;
        if !workload.expects() {
            if workload.mode.once {
                self.write_out(slot);
                self.close(slot, due);
                return false;
            }
            self.turns.push(slot);
        }
        true
    }

    /// Sends what is due in an open loop.
    pub(super) fn keep_schedule(&mut self) {
        let Pace::Open { rate, .. } = self.common.workload.pace else {
            return;
        };
        if !self.is_loading() || !self.common.workload.mode.sends {
            return;
        }
        let now = Instant::now();
        let share = self.share();
        let rate = match rate {
            Rate::Total(all) => all * share,
            Rate::PerConnection(_) => rate.of(self.speaking.len()),
        };
        let workload = &self.common.workload;
        let phase = workload.phase(self.index);
        match &mut self.schedule {
            Some(schedule) => schedule.set_rate(rate, now),
            none => {
                let staged = workload.staged(share, phase, now);
                let steady = || Schedule::Steady(Pacer::new(rate, phase, now));
                *none = Some(staged.unwrap_or_else(steady));
            }
        }
        for _ in 0..MOST_DUE {
            let schedule = self.schedule.as_mut().filter(|_| self.left != Some(0));
            let Some(due) = schedule.and_then(|schedule| schedule.take(now)) else {
                break;
            };
            self.send_scheduled(due);
        }
        for at in 0..self.dirty.len() {
            self.write_pending(self.dirty[at]);
        }
        self.dirty.clear();
    }

    /// The part of all messages that falls to this thread.
    fn share(&self) -> f64 {
        match &self.common.exchange {
            Some(exchange) => exchange.share_of(self.index),
            None => 1.0 / self.common.workload.threads as f64,
        }
    }

    pub(super) fn send_scheduled(&mut self, due: Instant) {
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        let expects = self.common.workload.expects();
        let Some(slot) = self.next_open() else {
            self.figures.messages.dropped += u64::from(self.phase == Phase::Measure);
            return;
        };
        let State::Open(open) = &self.slots[slot].state else {
            return;
        };
        let pending = open.unwritten.len();
        let has_room = self.with_user(slot, |user, scene| user.has_room(scene));
        if expects && self.in_flight >= self.max_inflight
            || pending > MOST_UNWRITTEN
            || has_room != Some(true)
        {
            self.figures.messages.dropped += u64::from(self.phase == Phase::Measure);
            return;
        }
        if pending == 0 {
            self.dirty.push(slot);
        }
        self.in_flight += usize::from(expects);
        self.with_user(slot, |user, scene| user.send(due, Instant::now(), scene));
        if let State::Open(open) = &mut self.slots[slot].state {
            open.unwritten.append(&mut self.out);
        }
    }

    /// The connections take turns.
    pub(super) fn next_open(&mut self) -> Option<usize> {
        let count = self.speaking.len();
        if count == 0 {
            return None;
        }
        self.cursor = (self.cursor + 1) % count;
        Some(self.speaking[self.cursor])
    }

    /// Whether messages are sent on a connection.
    pub(super) fn speaks(&self, slot: usize) -> bool {
        matches!(&self.slots[slot].state, State::Open(open) if open.speaking.is_some())
    }

    /// Goes on where a message has got to everyone (mode `fanout`).
    pub(super) fn take_over(&mut self, now: Instant) {
        let Some(exchange) = &self.common.exchange else {
            return;
        };
        for slot in exchange.take_over(self.index) {
            let over = self.with_user(slot, |user, scene| user.take_over(scene));
            self.went_on(slot, over.unwrap_or(0), now);
        }
    }

    /// So many messages of a connection wait for nobody any more.
    pub(super) fn went_on(&mut self, slot: usize, over: usize, now: Instant) {
        if over > 0 {
            self.in_flight = self.in_flight.saturating_sub(over);
            self.answered(slot, over, now);
            self.write_out(slot);
        }
    }

    /// Lets a user write to the thread's buffer.
    pub(super) fn with_user<T>(
        &mut self,
        slot: usize,
        act: impl FnOnce(&mut User, &mut Scene<'_>) -> T,
    ) -> Option<T> {
        let State::Open(open) = &mut self.slots[slot].state else {
            return None;
        };
        let mut scene = Scene {
            workload: &self.common.workload,
            figures: &mut self.figures,
            exchange: self.common.exchange.as_deref(),
            keys: &mut self.keys,
            out: &mut self.out,
            scratch: &mut self.scratch,
            measured: self.phase == Phase::Measure && open.trickle.is_none(),
            slow: open.trickle.is_some(),
        };
        Some(act(&mut open.user, &mut scene))
    }

    /// Writes what users put into the thread's buffer, all in one go; what the socket does not take
    /// stays with the connection.
    pub(super) fn write_out(&mut self, slot: usize) {
        if self.out.is_empty() {
            return;
        }
        let State::Open(open) = &mut self.slots[slot].state else {
            self.out.clear();
            return;
        };
        if !open.unwritten.is_empty() {
            open.unwritten.append(&mut self.out);
            return;
        }
        let written = match open.socket.write(&self.out) {
            Ok(count) => count,
            Err(cause) if is_later(&cause) => 0,
            // What the peer said before it went is still to be read.
            Err(_) => {
                self.out.clear();
                self.turns.push(slot);
                return;
            }
        };
        let rest = self.out.len() > written;
        if rest {
            open.unwritten.extend_from_slice(&self.out[written..]);
            open.stalled = Some(Instant::now());
        }
        self.out.clear();
        if rest {
            // Until the system says that it is full it does not say when it is not any more.
            self.write_pending(slot);
        }
    }

    /// Writes what waits; whether something did, and nothing does now.
    pub(super) fn write_pending(&mut self, slot: usize) -> bool {
        let State::Open(open) = &mut self.slots[slot].state else {
            return false;
        };
        let waited = !open.unwritten.is_empty();
        if !waited && matches!(open.socket, Socket::Plain(_)) {
            return false;
        }
        let is_slow = open.trickle.is_some();
        match open.write_pending(Instant::now()) {
            Ok(Some(stall)) if self.phase == Phase::Measure && !is_slow => {
                self.figures.record(Latency::SendStall, stall);
            }
            Ok(_) => {}
            Err(_) => {
                self.turns.push(slot);
                return false;
            }
        }
        waited && matches!(&self.slots[slot].state, State::Open(open) if open.unwritten.is_empty())
    }

    /// Whether a closed loop has no answers to wait for.
    pub(super) fn sends_freely(&self) -> bool {
        let workload = &self.common.workload;
        workload.mode.sends
            && !workload.mode.once
            && !workload.expects()
            && matches!(workload.pace, Pace::Closed { .. })
            && self.is_loading()
    }

    /// Mode `send`: as fast as the socket takes it, or with a pause after each message.
    pub(super) fn send_freely(&mut self, slot: usize) {
        let Pace::Closed { think, .. } = self.common.workload.pace else {
            return;
        };
        if let Some(think) = think {
            let timer = Timer::Send {
                slot,
                generation: self.slots[slot].generation,
            };
            self.timers
                .set(Instant::now() + think.draw(&mut self.chance), timer);
            return;
        }
        for _ in 0..WRITES {
            if self.is_full(slot) {
                break;
            }
            let turns = self.turns.len();
            if !self.send(slot, Instant::now()) {
                break;
            }
            self.turns.truncate(turns);
        }
        self.write_out(slot);
        // Else an event comes when there is room.
        if !self.is_full(slot) {
            self.turns.push(slot);
        }
    }

    /// Whether the socket has not taken everything, or is gone.
    fn is_full(&self, slot: usize) -> bool {
        match &self.slots[slot].state {
            State::Open(open) => !open.unwritten.is_empty(),
            _ => true,
        }
    }
}
