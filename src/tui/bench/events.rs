//! What happened when, in sentences. Bounded: the oldest leave.

use std::collections::VecDeque;
use std::time::Duration;

use crate::text::sanitize;

/// Sentences that are remembered.
const MOST: usize = 300;

/// A sentence, and when it was said from the start, of a search that of the first run. It is safe to be shown, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: Duration,
    pub(super) text: String,
    pub(super) is_bad: bool,
}

/// The sentences, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    all: VecDeque<Event>,
    /// What went before the present run.
    before: Duration,
}

impl Events {
    pub(super) fn push(&mut self, at: Duration, text: &str, is_bad: bool) {
        if self.all.len() == MOST {
            self.all.pop_front();
        }
        self.all.push_back(Event {
            at: self.before + at,
            text: sanitize::line(text).into_owned(),
            is_bad,
        });
    }

    /// The present run, which is so old, is over, and another one begins.
    pub(super) fn begin_anew(&mut self, at: Duration) {
        self.before += at;
    }

    /// The newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Event> {
        self.all.iter().rev()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

/// `00:23`, `1:02:03`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes:02}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
