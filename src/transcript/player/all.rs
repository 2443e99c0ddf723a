//! `/all`: which message meets which expectation, in whatever order they come.
//!
//! A message may meet several expectations, so that the first that fits may be the wrong one:
//! messages give way to each other along augmenting paths (Kuhn's algorithm for bipartite
//! matching).

use std::sync::Arc;

use crate::model::secret::known::Known;
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;
use crate::transcript::matcher::{Context, Mismatch, Test};
use crate::transcript::program::Compiled;

/// The messages that an `/all` has got.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// For each message the expectations that it meets, and what they find in it.
    meets: Vec<Vec<(usize, Bound)>>,
    /// For each expectation the message that it was given.
    given: Vec<Option<usize>>,
}

impl Gathering {
    /// Takes one more message. `held` says of each expectation how the message meets it.
    ///
    /// # Errors
    /// There is no expectation left for it: why it does not meet the first of them.
    pub(super) fn take(&mut self, held: &[Result<Bound, Mismatch>]) -> Result<(), Mismatch> {
        self.given.resize(held.len(), None);
        let meets = held.iter().enumerate();
        let meets =
            meets.filter_map(|(at, held)| held.as_ref().ok().map(|bound| (at, bound.clone())));
        self.meets.push(meets.collect());
        let message = self.meets.len() - 1;
        if self.place(message, &mut vec![false; held.len()]) {
            return Ok(());
        }
        self.meets.pop();
        let nothing = Known::default();
        let taken = Mismatch::kind("no more of these", &Incoming::Opened, &nothing);
        Err(held
            .iter()
            .find_map(|held| held.clone().err())
            .unwrap_or(taken))
    }

    /// Finds an expectation for a message, if need be by moving others.
    fn place(&mut self, message: usize, asked: &mut [bool]) -> bool {
        let wishes: Vec<usize> = self.meets[message].iter().map(|(at, _)| *at).collect();
        for wish in wishes {
            if std::mem::replace(&mut asked[wish], true) {
                continue;
            }
            let moves = match self.given[wish] {
                None => true,
                Some(other) => self.place(other, asked),
            };
            if moves {
                self.given[wish] = Some(message);
                return true;
            }
        }
        false
    }

    /// The expectations that have no message yet.
    pub(super) fn left(&self, count: usize) -> Vec<usize> {
        let is_left = |at: &usize| self.given.get(*at).is_none_or(Option::is_none);
        (0..count).filter(is_left).collect()
    }

    /// What all of them found, once each has its message.
    pub(super) fn complete(&self, count: usize) -> Option<Bound> {
        if !self.left(count).is_empty() {
            return None;
        }
        let found = self.given.iter().enumerate().filter_map(|(wish, message)| {
            let meets = &self.meets[(*message)?];
            meets
                .iter()
                .find(|(at, _)| *at == wish)
                .map(|(_, bound)| bound.clone())
        });
        Some(found.flatten().collect())
    }
}

/// Looks at what any of them looks at.
#[derive(Debug)]
pub(super) struct Sees(pub Arc<[Compiled]>);

impl Test for Sees {
    fn hold(&self, _: &Incoming, _: &mut Context<'_>) -> Result<Bound, Mismatch> {
        Ok(Vec::new())
    }

    fn sees(&self, incoming: &Incoming) -> bool {
        self.0.iter().any(|item| item.test.sees(incoming))
    }
}
