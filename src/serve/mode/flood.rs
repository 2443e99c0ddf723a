//! `flood`: messages to everyone at a rate, numbered and time-stamped; what clients say is ignored.
//!
//! Each client has its own count from 1. Many small messages that are due together are sent
//! together; what could not be sent in time because the machine was busy is not made up for beyond
//! a second's worth.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Action, Behaviour, Departure, Entry, Mode, Scene};
use crate::model::message::Message;
use crate::model::ndjson::rfc3339;
use crate::model::units::Rate;
use crate::serve::bus::Member;
use crate::serve::roster::Client;

pub(super) const ENTRY: Entry = Entry {
    name: "flood",
    help: "send numbered messages to everyone, as flood=RATE says (flood=1000/s; 10/s unless told)",
    takes_rate: true,
    behaviour: Behaviour::Kept(|plan| {
        Box::new(Flood {
            rate: plan.rate.unwrap_or(Rate::per_second(10.0)),
            clients: BTreeMap::new(),
            resting_until: None,
        })
    }),
};

/// How often it looks for what is due at most.
const REST: Duration = Duration::from_millis(1);

struct Flood {
    rate: Rate,
    clients: BTreeMap<Member, Count>,
    resting_until: Option<Instant>,
}

/// How far a client has been told.
struct Count {
    /// When message 0 would have been due.
    origin: Instant,
    /// Messages sent since then.
    since_origin: u64,
    total: u64,
}

impl Mode for Flood {
    fn connected(&mut self, client: &Client, scene: &Scene<'_>) -> Vec<Action> {
        let count = Count {
            origin: scene.now,
            since_origin: 0,
            total: 0,
        };
        self.clients.insert(client.member, count);
        Vec::new()
    }

    fn message(&mut self, _from: &Client, _message: Message, _scene: &Scene<'_>) -> Vec<Action> {
        Vec::new()
    }

    fn gone(&mut self, client: &Client, _departure: Departure, _scene: &Scene<'_>) -> Vec<Action> {
        self.clients.remove(&client.member);
        Vec::new()
    }

    fn tick(&mut self, scene: &Scene<'_>) -> Vec<Action> {
        self.resting_until = Some(scene.now + REST);
        let time = rfc3339((scene.time)());
        let mut actions = Vec::new();
        for (member, count) in &mut self.clients {
            for number in count.due(self.rate, scene.now) {
                let text = format!(r#"{{"type":"flood","n":{number},"time":"{time}"}}"#);
                actions.push(Action::send(member.conn, Message::text(text)));
            }
        }
        actions
    }

    fn deadline(&self) -> Option<Instant> {
        let next = |count: &Count| count.origin + self.rate.time_of(count.since_origin + 1);
        let next = self.clients.values().map(next).min()?;
        Some(self.resting_until.map_or(next, |until| next.max(until)))
    }
}

impl Count {
    /// The numbers of the messages that are due now.
    fn due(&mut self, rate: Rate, now: Instant) -> std::ops::RangeInclusive<u64> {
        let second = rate.count_in(Duration::from_secs(1)).max(1);
        let due = rate.count_in(now.saturating_duration_since(self.origin));
        let mut count = due.saturating_sub(self.since_origin);
        self.since_origin = due.max(self.since_origin);
        if count > second {
            count = second;
            self.origin = now;
            self.since_origin = 0;
        }
        let first = self.total + 1;
        self.total += count;
        first..=self.total
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::model::command::Command;
    use crate::serve::mode::sample::client;
    use crate::serve::roster::Roster;

    /// How many messages are sent to whom, and the last of them, when `after` has passed.
    fn tick(flood: &mut Flood, start: Instant, after: Duration) -> (usize, Option<String>) {
        let scene = Scene {
            roster: &Roster::default(),
            now: start + after,
            time: || SystemTime::UNIX_EPOCH,
            is_stored: false,
        };
        let actions = flood.tick(&scene);
        let text = match actions.last() {
            Some(Action::Send {
                command: Command::Send(message),
                ..
            }) => message.as_text().map(std::borrow::Cow::into_owned),
            _ => None,
        };
        (actions.len(), text)
    }

    #[test]
    fn messages_are_due_at_the_rate_and_missed_seconds_are_not_made_up_for() {
        let start = Instant::now();
        let mut flood = Flood {
            rate: Rate::per_second(100.0),
            clients: BTreeMap::new(),
            resting_until: None,
        };
        assert_eq!(flood.deadline(), None);
        let scene = Scene {
            roster: &Roster::default(),
            now: start,
            time: || SystemTime::UNIX_EPOCH,
            is_stored: false,
        };
        flood.connected(&client(1), &scene);
        let ms = Duration::from_millis;
        assert_eq!(flood.deadline(), Some(start + ms(10)));
        assert_eq!(tick(&mut flood, start, ms(5)), (0, None));
        let third = r#"{"type":"flood","n":3,"time":"1970-01-01T00:00:00.000000Z"}"#;
        assert_eq!(tick(&mut flood, start, ms(35)), (3, Some(third.to_owned())));
        assert_eq!(flood.deadline(), Some(start + ms(40)));
        assert_eq!(tick(&mut flood, start, ms(10_000)).0, 100);
        assert_eq!(tick(&mut flood, start, ms(10_010)).0, 1);
        flood.gone(&client(1), Departure::Lost, &scene);
        assert_eq!(tick(&mut flood, start, ms(20_000)).0, 0);
    }
}
