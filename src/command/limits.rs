//! When a session ends by itself, whatever its peer does. Pure: time is an argument.

use std::time::{Duration, Instant};

use super::patience::Patience;

/// What bounds a session.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// The end of input ends the session, after the replies.
    pub input_end: bool,
    /// `--wait`: how long to wait for a first message after the input's end; `None` is for ever.
    pub wait: Option<Duration>,
    /// `--duration`: so long after the first open close with 1000, exit 0.
    pub duration: Option<Duration>,
    /// `--max-time`: then exit 7.
    pub max_time: Option<Duration>,
}

/// Limits that run.
#[derive(Debug)]
pub(super) struct Timer {
    limits: Limits,
    started: Instant,
    /// When a session was open for the first time.
    opened: Option<Instant>,
    patience: Option<Patience>,
}

/// Which limit has been reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// `--max-time`, which was this long.
    MaxTime(Duration),
    Duration,
    /// No more replies come.
    Quiet,
    /// Replies still come, after so long that they never may end.
    NoPause(Duration),
}

impl Timer {
    /// With a `goal` (`-n`, `--until`) replies are waited for until it is reached.
    pub(super) fn start(limits: Limits, goal: bool, now: Instant) -> Self {
        Self {
            patience: limits.input_end.then(|| Patience::new(limits.wait, goal)),
            limits,
            started: now,
            opened: None,
        }
    }

    pub(super) fn opened(&mut self, now: Instant) {
        self.opened.get_or_insert(now);
    }

    /// What judges the replies, where the end of input ends the session.
    pub(super) fn patience(&mut self) -> Option<&mut Patience> {
        self.patience.as_mut()
    }

    /// When `--max-time` has passed.
    pub(super) fn max_time(&self) -> Option<Instant> {
        self.limits.max_time.map(|limit| self.started + limit)
    }

    /// `--max-time` was acted on.
    pub(super) const fn max_time_passed(&mut self) {
        self.limits.max_time = None;
    }

    /// `--duration` bounds more than the session: also the wait for whoever reads its output.
    pub(super) const fn has_duration(&self) -> bool {
        self.limits.duration.is_some()
    }

    /// The limit that is reached next. A session that is being closed already has but one.
    pub(super) fn next(&self, closing: bool) -> Option<(Instant, Due)> {
        let max_time = self.limits.max_time.map(Due::MaxTime);
        let max_time = self.max_time().zip(max_time);
        if closing {
            return max_time;
        }
        let duration = self.opened.zip(self.limits.duration);
        let duration = duration.map(|(opened, limit)| (opened + limit, Due::Duration));
        let replies = self.patience.as_ref().and_then(Patience::deadline);
        [max_time, duration, replies]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_limit_counts_and_closing_is_bounded_by_max_time_only() {
        let start = Instant::now();
        let limits = Limits {
            input_end: true,
            wait: Some(SECOND),
            duration: Some(SECOND * 2),
            max_time: Some(SECOND * 4),
        };
        let mut timer = Timer::start(limits, false, start);
        let max_time = Some((start + SECOND * 4, Due::MaxTime(SECOND * 4)));
        assert_eq!(timer.next(false), max_time);
        timer.opened(start + SECOND);
        assert_eq!(timer.next(false), Some((start + SECOND * 3, Due::Duration)));
        if let Some(patience) = timer.patience() {
            patience.all_sent(start + SECOND);
        }
        assert_eq!(timer.next(false), Some((start + SECOND * 2, Due::Quiet)));
        assert_eq!(timer.next(true), max_time);
    }
}
