//! What has to happen some time: timeouts, pings, closing handshakes that are not answered.

use std::time::Instant;

use super::Worker;
use super::slot::State;

impl Worker {
    pub(super) fn sweep(&mut self, now: Instant) {
        let timeout = self.request.base().connect_timeout;
        for slot in 0..self.slots.len() {
            match &self.slots[slot].state {
                State::Connecting(connecting) if now - connecting.begun > timeout => {
                    let failure = connecting.timed_out();
                    self.failed(slot, failure, now);
                }
                State::Open(open) => match &open.closing {
                    Some(closing) if closing.deadline <= now => {
                        self.transport_ended(slot, "timeout");
                    }
                    Some(_) => {}
                    None => self.look_after(slot, now),
                },
                _ => {}
            }
        }
    }

    pub(super) fn look_after(&mut self, slot: usize, now: Instant) {
        let given_up = self.with_user(slot, |user, scene| user.give_up_late(now, scene));
        self.went_on(slot, given_up.unwrap_or(0), now);
        let beaten = self.with_user(slot, |user, scene| user.beat(now, scene));
        self.write_out(slot);
        if let Some(Err(_)) = beaten {
            self.transport_ended(slot, "timeout");
        }
    }
}
