//! When the messages of an open loop are due: at a steady rate, or at one that goes through stages. Pure.

use std::time::{Duration, Instant};

use super::pacer::Pacer;
use super::stages::Stages;

/// The schedule of one thread.
#[derive(Debug)]
pub enum Schedule {
    Steady(Pacer),
    Staged(Staged),
}

/// `--rate-stages`.
#[derive(Debug)]
pub struct Staged {
    stages: Stages,
    since: Instant,
    /// The part of all messages that falls to this thread.
    share: f64,
    /// What of one message has passed before the first, so that threads do not fire together.
    phase: f64,
    taken: u64,
}

impl Schedule {
    /// `share` of the messages that `stages` ask for, from `now` on.
    pub const fn staged(stages: Stages, share: f64, phase: f64, now: Instant) -> Self {
        Self::Staged(Staged {
            stages,
            since: now,
            share,
            phase,
            taken: 0,
        })
    }

    /// When the next message is due; `None` where there is none.
    pub fn next_due(&self) -> Option<Instant> {
        match self {
            Self::Steady(pacer) => pacer.next_due(),
            Self::Staged(staged) => staged.next_due(),
        }
    }

    /// Takes the next message if it is due by now, and says when it was.
    pub fn take(&mut self, now: Instant) -> Option<Instant> {
        match self {
            Self::Steady(pacer) => pacer.take(now),
            Self::Staged(staged) => {
                let due = staged.next_due().filter(|due| *due <= now)?;
                staged.taken += 1;
                Some(due)
            }
        }
    }

    /// Goes on at another rate, where it is a steady one.
    pub fn set_rate(&mut self, rate: f64, now: Instant) {
        if let Self::Steady(pacer) = self {
            pacer.set_rate(rate, now);
        }
    }
}

impl Staged {
    fn next_due(&self) -> Option<Instant> {
        if self.share <= 0.0 {
            return None;
        }
        let count = (self.taken as f64 + 1.0 - self.phase) / self.share;
        let after: Duration = self.stages.when(count)?;
        Some(self.since + after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threads_together_send_what_the_stages_ask_for() {
        let stages: Stages = "1s:1000,1s:0".parse().unwrap();
        let start = Instant::now();
        for threads in 1..5 {
            let share = 1.0 / threads as f64;
            let all = (0..threads).map(|index| {
                let phase = index as f64 * share;
                let mut schedule = Schedule::staged(stages.clone(), share, phase, start);
                let first = start + Duration::from_secs(1);
                let half = std::iter::from_fn(|| schedule.take(first)).count();
                let end = start + Duration::from_secs(9);
                (
                    half,
                    half + std::iter::from_fn(|| schedule.take(end)).count(),
                )
            });
            let (half, all) = all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            assert!(half.abs_diff(500) <= threads, "{half} of {threads} threads");
            assert!(all.abs_diff(1000) <= threads, "{all} of {threads} threads");
        }
    }

    #[test]
    fn messages_of_a_thread_without_a_share_are_never_due() {
        let stages: Stages = "1s:10".parse().unwrap();
        let schedule = Schedule::staged(stages, 0.0, 0.0, Instant::now());
        assert_eq!(schedule.next_due(), None);
    }
}
