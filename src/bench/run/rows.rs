//! What the threads tell, put into the seconds that it is of. The threads and the coordinator count the
//! same seconds, from the start of the run, so that a row holds what happened in its second, however
//! late a thread comes to tell of it. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::super::figures::Figures;
use super::super::worker::Tick;

/// How long a thread is waited for that has not told of a second that is over.
const WAIT: Duration = Duration::from_millis(500);

/// How long the seconds are that a run is told in.
pub(in crate::bench) const SECOND: Duration = Duration::from_secs(1);

/// One second, of those who have told of it.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub figures: Figures,
    pub connecting: usize,
    pub in_flight: usize,
    /// CPU time of all of them.
    pub cpu: Duration,
    /// The longest time that was told of.
    pub took: Duration,
}

/// The seconds that are not closed yet.
#[derive(Debug)]
pub(super) struct Rows {
    started: Instant,
    /// The number of the next row that is closed. The first second has number 1.
    next: u64,
    open: BTreeMap<u64, Row>,
    /// The last second that each thread has told of.
    told: Vec<u64>,
}

/// A second of a run by its number, and the first one that begins after `now`.
pub(in crate::bench) fn following(number: u64, started: Instant, now: Instant) -> u64 {
    let over = now.saturating_duration_since(started).as_secs();
    (number + 1).max(over + 1)
}

/// When a second ends.
pub(in crate::bench) fn end_of(number: u64, started: Instant) -> Instant {
    // Runs do not last for more seconds than there are in 32 bits.
    started + SECOND * u32::try_from(number).unwrap_or(u32::MAX)
}

impl Rows {
    pub(super) fn new(started: Instant, threads: usize) -> Self {
        Self {
            started,
            next: 1,
            open: BTreeMap::new(),
            told: vec![0; threads],
        }
    }

    /// Takes what a thread tells. A second that is closed already takes nothing any more: it goes into
    /// the one after.
    pub(super) fn take(&mut self, tick: &Tick) {
        if let Some(told) = self.told.get_mut(tick.thread) {
            *told = (*told).max(tick.second);
        }
        let row = self.open.entry(tick.second.max(self.next)).or_default();
        row.figures.merge(&tick.figures);
        row.connecting += tick.connecting;
        row.in_flight += tick.in_flight;
        row.cpu += tick.cpu;
        row.took = row.took.max(tick.took);
    }

    /// A thread has told all that it will.
    pub(super) fn gone(&mut self, thread: usize) {
        if let Some(told) = self.told.get_mut(thread) {
            *told = u64::MAX;
        }
    }

    /// What the coordinator itself has seen by `now`.
    pub(super) fn present(&mut self, now: Instant) -> &mut Figures {
        let number = following(0, self.started, now).max(self.next);
        &mut self.open.entry(number).or_default().figures
    }

    /// What is not in a row that is closed.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Figures> {
        self.open.values().map(|row| &row.figures)
    }

    /// When the next row is closed at the latest.
    pub(super) fn latest(&self) -> Instant {
        end_of(self.next, self.started) + WAIT
    }

    /// Closes the next row, if it is time. `Some(None)` is a second of which nobody has told.
    pub(super) fn close(&mut self, now: Instant) -> Option<(u64, Option<Row>)> {
        let all = self.told.iter().all(|told| *told >= self.next);
        let over = end_of(self.next, self.started) <= now;
        if !(over && all || self.latest() <= now) {
            return None;
        }
        let number = self.next;
        self.next += 1;
        Some((number, self.open.remove(&number)))
    }

    /// The rows that are left at the end.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = (u64, Row)> + use<> {
        std::mem::take(&mut self.open).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(thread: usize, second: u64, sent: u64) -> Tick {
        let mut figures = Figures::default();
        figures.messages.sent = sent;
        Tick {
            thread,
            second,
            figures,
            connecting: 0,
            in_flight: 0,
            cpu: Duration::ZERO,
            took: SECOND,
        }
    }

    fn sent((number, row): (u64, Option<Row>)) -> (u64, Option<u64>) {
        (number, row.map(|row| row.figures.messages.sent))
    }

    #[test]
    fn a_row_is_closed_when_all_have_told_of_its_second() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut rows = Rows::new(start, 2);
        rows.take(&tick(0, 1, 10));
        assert!(rows.close(at(1_010)).is_none());
        // The other one is late, and the first already in the next second.
        rows.take(&tick(0, 2, 20));
        rows.take(&tick(1, 1, 5));
        assert_eq!(rows.close(at(1_400)).map(sent), Some((1, Some(15))));
        assert!(rows.close(at(1_400)).is_none());
        // Who is gone is not waited for.
        rows.gone(1);
        assert!(rows.close(at(1_990)).is_none());
        assert_eq!(rows.close(at(2_000)).map(sent), Some((2, Some(20))));
    }

    #[test]
    fn nobody_is_waited_for_forever_and_nothing_is_lost() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut rows = Rows::new(start, 2);
        rows.take(&tick(0, 1, 10));
        assert_eq!(rows.latest(), at(1_500));
        assert!(rows.close(at(1_499)).is_none());
        assert_eq!(rows.close(at(1_500)).map(sent), Some((1, Some(10))));
        // Of the second one nobody tells: that is not the same as nothing.
        assert_eq!(rows.close(at(2_500)).map(sent), Some((2, None)));
        rows.take(&tick(1, 1, 7));
        rows.present(at(3_100)).messages.sent += 1;
        let waiting = rows.waiting().map(|figures| figures.messages.sent);
        assert_eq!(waiting.collect::<Vec<_>>(), [7, 1]);
        let rest = rows.rest().map(|(number, row)| sent((number, Some(row))));
        assert_eq!(rest.collect::<Vec<_>>(), [(3, Some(7)), (4, Some(1))]);
    }

    #[test]
    fn threads_count_seconds_from_the_same_start() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(following(0, start, at(0)), 1);
        assert_eq!(following(1, start, at(1_003)), 2);
        assert_eq!(following(1, start, at(1_990)), 2);
        // A loop that was held up does not tell of what it has missed.
        assert_eq!(following(1, start, at(4_200)), 5);
        assert_eq!(end_of(5, start), at(5_000));
    }
}
