//! What happened when, in sentences. Bounded: the oldest leave.

use std::collections::VecDeque;
use std::time::Duration;

use crate::text::sanitize;

/// Sentences that are remembered.
const MOST: usize = 300;

/// A sentence, and when it was said from the start of the run. It is safe to be shown, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: Duration,
    pub(super) text: String,
    pub(super) is_bad: bool,
}

/// The sentences, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Events(VecDeque<Event>);

impl Events {
    pub(super) fn push(&mut self, at: Duration, text: &str, is_bad: bool) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(Event {
            at,
            text: sanitize::line(text).into_owned(),
            is_bad,
        });
    }

    /// The newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Event> {
        self.0.iter().rev()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
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
