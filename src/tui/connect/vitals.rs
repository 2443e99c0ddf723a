//! How the session is: its state over time, what was agreed, rates and round trips. Pure: times are
//! those of the events.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::ExitCode;
use crate::model::close::CloseCode;
use crate::model::event::{ClosedBy, Direction, End, Event, Open, What};
use crate::model::state::ReadyState;
use crate::view::totals::Totals;

/// Changes of state that are remembered; the oldest leave.
const MOST_CHANGES: usize = 2_048;
/// Seconds of rates.
const MOST_SECONDS: usize = 300;
/// Round trips.
const MOST_ROUND_TRIPS: usize = 512;

/// The session's numbers.
#[derive(Debug, Clone, Default)]
pub struct Vitals {
    /// Each target by its name, which only one of several has, and how it is.
    pub targets: Vec<(Option<Arc<str>>, ReadyState)>,
    /// When it became which state, oldest first.
    pub changes: VecDeque<(Duration, ReadyState)>,
    /// What the last opening agreed on.
    pub open: Option<Open>,
    /// When that was.
    pub opened: Option<Duration>,
    /// Retries since the beginning.
    pub retries: u64,
    /// The retry that is waited for.
    pub backoff: Option<Backoff>,
    pub last_close: Option<(SystemTime, CloseCode)>,
    /// It was our Close, and the peer did not answer it.
    pub is_unanswered: bool,
    pub rates: Rates,
    /// When each came, and the round trip; oldest first.
    pub round_trips: VecDeque<(Duration, Duration)>,
    /// Messages of more than one frame.
    pub fragmented: u64,
    /// Messages that were counted as lost somewhere.
    pub dropped: u64,
    totals: Totals,
}

/// A pause between two attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub attempt: u32,
    pub max: u32,
    /// When the next attempt begins.
    pub until: Duration,
    pub delay: Duration,
}

impl Vitals {
    pub fn observe(&mut self, event: &Event) {
        self.totals.observe(event);
        match &event.what {
            What::State(state) => {
                let before = self.targets.first().map(|_| self.state());
                self.become_of(event.name.as_ref(), *state);
                if *state == ReadyState::Connecting {
                    self.backoff = None;
                }
                let now = self.state();
                if before != Some(now) {
                    push(&mut self.changes, (event.at, now), MOST_CHANGES);
                }
            }
            What::Open(open) => {
                self.open = Some((**open).clone());
                self.opened = Some(event.at);
            }
            What::Message {
                dir,
                message,
                frames,
                ..
            } => {
                self.fragmented += u64::from(*frames > 1);
                self.rates.add(event.at, *dir, message.payload.len() as u64);
            }
            What::Pong { rtt: Some(rtt), .. } => {
                push(&mut self.round_trips, (event.at, *rtt), MOST_ROUND_TRIPS);
            }
            What::Close(close) => {
                self.last_close = Some((event.time, close.code));
                self.is_unanswered = close.by == ClosedBy::Us && !close.clean;
            }
            What::Retry {
                attempt,
                max,
                delay,
                ..
            } => {
                self.retries += 1;
                self.backoff = Some(Backoff {
                    attempt: *attempt,
                    max: *max,
                    until: event.at + *delay,
                    delay: *delay,
                });
            }
            What::Dropped { count, .. } => self.dropped += count,
            _ => {}
        }
    }

    /// The readyState; before anything happened it is CONNECTING. Of several targets that of the
    /// one that is best off.
    pub fn state(&self) -> ReadyState {
        let states = self.targets.iter().map(|(_, state)| *state);
        let best = states.min_by_key(|state| match state {
            ReadyState::Open => 0,
            ReadyState::Connecting => 1,
            ReadyState::Closing => 2,
            ReadyState::Closed => 3,
        });
        best.unwrap_or(ReadyState::Connecting)
    }

    /// How many of several targets are open, and of how many.
    pub fn open_of(&self) -> Option<(usize, usize)> {
        let all = self.targets.len();
        let open = self
            .targets
            .iter()
            .filter(|(_, state)| *state == ReadyState::Open);
        (all > 1).then(|| (open.count(), all))
    }

    fn become_of(&mut self, name: Option<&Arc<str>>, state: ReadyState) {
        let known = self
            .targets
            .iter_mut()
            .find(|(known, _)| known.as_ref() == name);
        match known {
            Some((_, was)) => *was = state,
            None => self.targets.push((name.cloned(), state)),
        }
    }

    /// How long it has been open, if it is.
    pub fn uptime(&self, now: Duration) -> Option<Duration> {
        (self.state() == ReadyState::Open)
            .then(|| now.saturating_sub(self.opened.unwrap_or_default()))
    }

    /// Counters and percentiles so far.
    pub fn totals(&self) -> End {
        self.totals.end(ExitCode::DONE)
    }
}

/// Messages and payload bytes, by second and direction.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    /// The second that the last one counts.
    second: u64,
    seconds: VecDeque<[Rate; 2]>,
}

/// What went one way in a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    pub messages: u64,
    pub bytes: u64,
}

impl Rates {
    pub(in crate::tui) fn add(&mut self, at: Duration, dir: Direction, bytes: u64) {
        let now = at.as_secs();
        if self.seconds.is_empty() {
            self.second = now;
            self.seconds.push_back(Default::default());
        }
        let gap = now.saturating_sub(self.second);
        if gap >= MOST_SECONDS as u64 {
            self.seconds.clear();
        }
        for _ in 0..gap.min(MOST_SECONDS as u64) {
            push(&mut self.seconds, Default::default(), MOST_SECONDS);
        }
        self.second = self.second.max(now);
        if let Some(last) = self.seconds.back_mut() {
            let rate = &mut last[side(dir)];
            rate.messages += 1;
            rate.bytes += bytes;
        }
    }

    /// What went that way in the last whole second.
    pub fn current(&self, now: Duration, dir: Direction) -> Rate {
        self.in_second(now.as_secs().checked_sub(1), dir)
    }

    /// Messages of both directions in each of the last whole seconds, oldest first.
    pub fn series(&self, now: Duration, count: usize) -> impl Iterator<Item = u64> {
        let now = now.as_secs();
        (1..=count as u64).rev().map(move |ago| {
            let second = now.checked_sub(ago);
            self.in_second(second, Direction::In).messages
                + self.in_second(second, Direction::Out).messages
        })
    }

    fn in_second(&self, second: Option<u64>, dir: Direction) -> Rate {
        let ago = second.and_then(|second| self.second.checked_sub(second));
        ago.and_then(|ago| {
            let at = self
                .seconds
                .len()
                .checked_sub(1 + usize::try_from(ago).ok()?)?;
            Some(self.seconds.get(at)?[side(dir)])
        })
        .unwrap_or_default()
    }
}

const fn side(dir: Direction) -> usize {
    match dir {
        Direction::In => 0,
        Direction::Out => 1,
    }
}

/// Appends, and drops the oldest where there are more than `most`.
pub(super) fn push<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    if queue.len() >= most {
        queue.pop_front();
    }
    queue.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn rates_are_of_whole_seconds() {
        let mut rates = Rates::default();
        for at in [10, 10, 11, 13] {
            rates.add(seconds(at), Direction::In, 100);
        }
        rates.add(seconds(13), Direction::Out, 7);
        let current = |now, dir| {
            let rate = rates.current(seconds(now), dir);
            (rate.messages, rate.bytes)
        };
        assert_eq!(current(11, Direction::In), (2, 200));
        assert_eq!(current(13, Direction::In), (0, 0));
        assert_eq!(current(14, Direction::In), (1, 100));
        assert_eq!(current(14, Direction::Out), (1, 7));
        assert_eq!(current(15, Direction::In), (0, 0));
        assert_eq!(current(0, Direction::In), (0, 0));
        assert_eq!(
            rates.series(seconds(14), 5).collect::<Vec<_>>(),
            [0, 2, 1, 0, 2]
        );
    }

    #[test]
    fn a_long_silence_costs_nothing_and_is_silence() {
        let mut rates = Rates::default();
        rates.add(seconds(1), Direction::In, 1);
        rates.add(seconds(1_000_000), Direction::In, 1);
        assert!(rates.seconds.len() <= MOST_SECONDS);
        assert_eq!(rates.current(seconds(1_000_001), Direction::In).messages, 1);
        assert_eq!(rates.series(seconds(1_000_001), 299).sum::<u64>(), 1);
    }
}
