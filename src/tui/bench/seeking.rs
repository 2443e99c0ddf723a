//! A search (`--find-max`) as far as it has come: the loads that were tried, and the one under way.

use crate::bench::result::SearchStep;
use crate::bench::search::{FindMax, Judgement};
use crate::model::units::Thousands;

#[derive(Debug, Clone)]
pub(super) struct Seeking {
    pub(super) sought: FindMax,
    /// What is tried just now.
    pub(super) number: usize,
    /// Those that are over, in the order in which they were made.
    pub(super) steps: Vec<SearchStep>,
}

impl Seeking {
    /// `step 4: 640 connections`
    pub(super) fn under_way(&self) -> String {
        let (step, number) = (self.steps.len() + 1, Thousands(self.number as u64));
        format!("step {step}: {number} {}", self.sought.what.unit())
    }

    /// `320 hold, 1,280 do not`: what is known by now.
    pub(super) fn known(&self) -> String {
        let held = Judgement::Held.name();
        let is_held = |step: &&SearchStep| step.judged == held;
        let most = self.steps.iter().filter(is_held).map(|step| step.value);
        let missed = self.steps.iter().filter(|step| !is_held(step));
        let number = |number: usize| Thousands(number as u64);
        let most = most.max().map(|most| format!("{} hold", number(most)));
        let least = missed.min_by_key(|step| step.value).map(|step| {
            let least = number(step.value);
            if step.judged == Judgement::Generator.name() {
                format!("{least} too much for this machine")
            } else {
                format!("{least} do not")
            }
        });
        let parts: Vec<String> = most.into_iter().chain(least).collect();
        parts.join(", ")
    }
}
