//! `--script FILE`: a transcript is what a virtual user does, with all its peers, again and again.
//!
//! Scripts are the richest path: each user is a task with a session for each peer, on an event loop
//! of tokio for each thread (the [`crew`]). What a step took and whether it held is counted under
//! the step's name, its line in the file.

pub(super) mod crew;
mod iteration;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::feed::Feed;
use crate::play::Stage;
use crate::transcript::matcher::Files;
use crate::transcript::outcome::{StepKind, StepOutcome};
use crate::transcript::player::{Player, Settings, Start};
use crate::transcript::program::{Program, Written};
use crate::transcript::variables::Given;

/// A transcript that virtual users play.
pub struct Script {
    /// The file as it was named.
    pub path: String,
    pub steps: Vec<Step>,
    /// Connections of one user at most.
    pub peers: usize,
    stage: Stage,
    program: Arc<Program>,
    files: Arc<dyn Files>,
    given: Given,
    feed: Feed,
    /// How long an expectation waits that has no `within`.
    timeout: Duration,
    /// The place of a step by its file, its line and its kind.
    places: HashMap<(String, usize, StepKind), usize>,
}

/// A step that is timed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What thresholds call it: its line, after `FILE:` in an included file; `connect` where no line
    /// says that.
    pub name: String,
    /// The line itself.
    pub text: String,
    pub kind: StepKind,
}

impl Step {
    fn new(written: &Written, main: &str) -> Self {
        let name = if written.is_implied {
            "connect".to_owned()
        } else if written.path == main {
            written.line.to_string()
        } else {
            format!("{}:{}", written.path, written.line)
        };
        Self {
            name,
            text: written.text.clone(),
            kind: written.kind,
        }
    }

    /// Whether it is an expectation, whose result is a check.
    pub const fn is_check(&self) -> bool {
        matches!(self.kind, StepKind::Expect)
    }
}

/// What a script is made of.
pub struct Parts {
    pub path: String,
    pub stage: Stage,
    pub program: Program,
    pub files: Arc<dyn Files>,
    /// The values that are the same for all users; [`values`] adds those of one.
    pub given: Given,
    pub feed: Feed,
    pub timeout: Duration,
}

impl Script {
    pub fn new(parts: Parts) -> Self {
        let mut steps = Vec::new();
        let mut places = HashMap::new();
        for written in parts.program.steps() {
            let step = Step::new(&written, &parts.path);
            places
                .entry((written.path, written.line, written.kind))
                .or_insert(steps.len());
            steps.push(step);
        }
        Self {
            path: parts.path,
            steps,
            peers: parts.program.peers(),
            stage: parts.stage,
            program: Arc::new(parts.program),
            files: parts.files,
            given: parts.given,
            feed: parts.feed,
            timeout: parts.timeout,
            places,
        }
    }

    /// A player for one iteration of a user.
    pub fn player(&self, user: u64, seed: u64) -> Player {
        let settings = Settings {
            timeout: self.timeout,
            given: Arc::new(values(&self.given, &self.feed, user)),
            files: Arc::clone(&self.files),
        };
        let start = Start {
            now: Instant::now(),
            wall: SystemTime::now(),
            seed,
        };
        Player::new(Arc::clone(&self.program), settings, start)
    }

    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Which of the steps an outcome is about.
    fn place(&self, outcome: &StepOutcome) -> Option<usize> {
        let key = (outcome.path.clone(), outcome.place.line, outcome.kind);
        self.places.get(&key).copied()
    }
}

/// The values of a user: those of all, its number as `{{conn}}`, and its row of `--feed`.
pub fn values(given: &Given, feed: &Feed, user: u64) -> Given {
    let mut given = given.clone();
    given.variables.insert("conn".into(), user.to_string());
    for name in feed.columns() {
        if let Some(column) = feed.column(name) {
            let value = feed.value(user, column).to_owned();
            given.variables.insert(name.to_owned(), value);
        }
    }
    given
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("path", &self.path)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}
