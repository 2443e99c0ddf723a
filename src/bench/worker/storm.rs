//! `--storm`: all connections of the thread are dropped, and open again at once.

use std::time::Instant;

use super::super::figures::{Close, ClosedBy, Latency};
use super::Worker;
use super::slot::State;
use crate::model::close::CloseCode;

impl Worker {
    pub(super) fn follow_storm(&mut self, now: Instant) {
        let number = self.common.shared.storm.number();
        if std::mem::replace(&mut self.storm, number) == number {
            return;
        }
        let mut absent = 0;
        for slot in 0..self.slots.len() {
            if self.slots[slot].may_send() {
                self.drop_connection(slot);
            }
            absent += usize::from(self.slots[slot].dropped);
        }
        if self.common.shared.storm.dropped(absent) {
            self.storm_is_over(now);
        }
    }

    /// Ends a connection without a word.
    fn drop_connection(&mut self, slot: usize) {
        self.leave_open(slot, ClosedBy::Us);
        let place = &mut self.slots[slot];
        let State::Open(mut open) = std::mem::replace(&mut place.state, State::Idle) else {
            return;
        };
        place.was_lost = true;
        place.dropped = true;
        self.in_flight = self.in_flight.saturating_sub(open.user.in_flight());
        let exchange = self.common.exchange.as_deref();
        let cut = open.user.cut(exchange, &mut self.figures);
        self.figures.storms.dropped += 1;
        self.figures.storms.cut += cut;
        let close = Close {
            code: CloseCode::ABNORMAL.0,
            by: ClosedBy::Us,
            detail: Some("storm"),
        };
        self.figures.closed(close, None);
        open.socket.abort();
        self.dialer.dropped(slot);
    }

    /// A connection that was dropped is back.
    pub(super) fn is_back(&mut self, now: Instant) {
        if self.common.shared.storm.back() {
            self.storm_is_over(now);
        }
    }

    fn storm_is_over(&mut self, now: Instant) {
        let began = self.common.started + self.common.shared.storm.began();
        let took = now.saturating_duration_since(began);
        self.figures.storms.recovered += 1;
        self.figures.record(Latency::StormRecovery, took);
    }
}
