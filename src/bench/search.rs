//! `--find-max connections:'ping.p99<100ms'`: how many connections, or messages per second, a server bears
//! while a condition holds. The number is doubled until it does not, and then halved in. Pure.

use std::str::FromStr;
use std::sync::Arc;

use super::plan::{Pace, Rate, Workload};
use super::result::{BenchResult, FoundMax, SearchStep};
use super::threshold::{Measured, Threshold};
use crate::text::nearest::nearest;

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FindMax {
    pub what: What,
    pub condition: Threshold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Connections,
    /// Messages per second.
    Rate,
}

impl What {
    const ALL: [Self; 2] = [Self::Connections, Self::Rate];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Rate => "rate",
        }
    }

    /// What is counted, for people.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Rate => "messages/s",
        }
    }
}

impl FromStr for FindMax {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, condition) = text.split_once(':').ok_or_else(|| {
            format!("\"{text}\" is not WHAT:CONDITION (try connections:'ping.p99<100ms' or rate:'rtt.p99<50ms')")
        })?;
        let names = What::ALL.map(What::name);
        let found = What::ALL.into_iter().find(|one| one.name() == what);
        let what = found.ok_or_else(|| {
            let meant = nearest(what, names);
            let meant = meant.map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"));
            format!("\"{what}\" is none of {}{meant}", names.join(", "))
        })?;
        let condition = Threshold::parse(condition).map_err(|wrong| wrong.show(condition))?;
        Ok(Self { what, condition })
    }
}

impl Workload {
    /// The smallest load of this mode.
    pub fn least(&self, what: What) -> usize {
        match (what, &self.fanout) {
            (What::Connections, Some(fanout)) => fanout.publishers + fanout.groups,
            _ => 1,
        }
    }

    /// The largest that was asked for.
    pub fn most(&self, what: What) -> usize {
        match (what, self.pace) {
            (What::Rate, Pace::Open { rate, .. }) => rate.of(self.connections) as usize,
            _ => self.connections,
        }
    }

    /// The same load with another number.
    pub fn sized(&self, what: What, number: usize) -> Self {
        let mut sized = Self {
            hold: Arc::default(),
            ..self.clone()
        };
        match (what, &mut sized.pace) {
            (What::Rate, Pace::Open { rate, .. }) => *rate = Rate::Total(number as f64),
            _ => {
                sized.connections = number;
                sized.threads = sized.threads.min(number);
            }
        }
        sized
    }
}

/// What became of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    Held,
    Failed,
    /// This machine was at its limit, so that nothing is known about the server.
    Generator,
}

impl Judgement {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Generator => "generator",
        }
    }
}

/// Reasons against a result that are this machine's own.
const OWN_LIMITS: [&str; 5] = ["lag", "late", "cpu", "ports", "pause"];

/// Judges a step by its result and the condition.
pub fn judge(
    condition: &Threshold,
    result: &BenchResult,
    measured: &Measured<'_>,
) -> (Judgement, Option<f64>) {
    let (holds, value) = condition.judge(measured);
    let verdict = &result.verdict;
    let mut codes = verdict.invalid_reasons.iter();
    let is_own = codes.any(|reason| OWN_LIMITS.contains(&reason.code.as_str()));
    let connections = &result.connections;
    let refused = result.errors.iter().any(|error| error.phase == "handshake");
    let missing = connections.failed + connections.lost > 0;
    let judgement = if refused {
        Judgement::Failed
    } else if is_own {
        Judgement::Generator
    } else if holds && verdict.valid && !missing {
        Judgement::Held
    } else {
        Judgement::Failed
    };
    (judgement, value)
}

/// How near the number that holds and the one that does not come, as a part of the latter.
const NEAR: f64 = 0.05;
/// Doublings from the first number to the highest.
const DOUBLINGS: u32 = 5;

/// Which number is tried next.
#[derive(Debug)]
pub struct Search {
    least: usize,
    most: usize,
    /// The highest number that held.
    held: Option<usize>,
    /// The lowest number that did not, and why.
    bound: Option<(usize, Judgement)>,
    /// It ended before it was known.
    stopped: bool,
}

impl Search {
    /// Between these numbers, both included.
    pub fn new(least: usize, most: usize) -> Self {
        Self {
            least: least.min(most).max(1),
            most,
            held: None,
            bound: None,
            stopped: false,
        }
    }

    /// The number to try; `None` where it is known well enough.
    pub fn next(&self) -> Option<usize> {
        let below = self.least - 1;
        let next = match (self.held, self.bound) {
            (None, None) => (self.most >> DOUBLINGS).max(self.least),
            (Some(held), None) if held < self.most => (held * 2).min(self.most),
            (_, None) => return None,
            (held, Some((bound, _))) => {
                let held = held.unwrap_or(below);
                let near = ((bound as f64 * NEAR) as usize).max(1);
                if bound - held <= near {
                    return None;
                }
                held + (bound - held) / 2
            }
        };
        Some(next)
    }

    pub fn judged(&mut self, number: usize, judgement: Judgement) {
        match judgement {
            Judgement::Held => self.held = self.held.max(Some(number)),
            _ => self.bound = Some((number, judgement)),
        }
    }

    /// It does not go on.
    pub const fn stop(&mut self) {
        self.stopped = true;
    }

    /// The highest number that held.
    pub const fn found(&self) -> Option<usize> {
        self.held
    }

    /// Why it is not more: `condition`, `generator`, `most` where it was not looked for further, or
    /// `stopped`.
    pub const fn limited_by(&self) -> &'static str {
        match self.bound {
            _ if self.stopped => "stopped",
            None => "most",
            Some((_, Judgement::Generator)) => "generator",
            Some(_) => "condition",
        }
    }

    /// As it stands in the result.
    pub fn told(&self, sought: &FindMax, steps: Vec<SearchStep>) -> FoundMax {
        FoundMax {
            what: sought.what.name().into(),
            condition: sought.condition.text.clone(),
            most: self.most,
            found: self.found(),
            limited_by: self.limited_by().into(),
            steps,
        }
    }
}

/// One step as it stands in the result.
pub fn step(
    number: usize,
    (judgement, value): (Judgement, Option<f64>),
    condition: &Threshold,
    result: &BenchResult,
) -> SearchStep {
    let verdict = &result.verdict;
    SearchStep {
        value: number,
        judged: judgement.name().into(),
        measured: value,
        unit: condition.metric.unit().name().into(),
        opened: result.connections.opened,
        failed: result.connections.failed,
        lost: result.connections.lost,
        sent_rate: result.messages.sent_rate,
        reasons: verdict
            .invalid_reasons
            .iter()
            .map(|reason| reason.code.clone())
            .collect(),
    }
}

/// What is said of a step while it goes on.
pub fn line(sought: &FindMax, step: &SearchStep) -> String {
    let unit = sought.condition.metric.unit();
    let shown = step.measured.map(|value| unit.show(value));
    let what = sought.what.unit();
    let verdict = match step.judged.as_str() {
        "held" => "holds".to_owned(),
        "generator" => format!("this machine was the limit ({})", step.reasons.join(", ")),
        _ if step.failed + step.lost > 0 => {
            format!(
                "does not hold: {} refused or failed, {} lost",
                step.failed, step.lost
            )
        }
        _ => "does not hold".to_owned(),
    };
    format!(
        "{} {what}: {} {}: {verdict}",
        step.value,
        sought.condition.metric,
        shown.as_deref().unwrap_or("not measured")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a search comes to where numbers up to `limit` hold, and how many steps it takes.
    fn search(least: usize, most: usize, limit: usize) -> (Option<usize>, usize) {
        let mut search = Search::new(least, most);
        let mut steps = 0;
        while let Some(number) = search.next() {
            steps += 1;
            assert!((least.max(1)..=most).contains(&number) && steps < 40);
            let judgement = if number <= limit {
                Judgement::Held
            } else {
                Judgement::Failed
            };
            search.judged(number, judgement);
        }
        (search.found(), steps)
    }

    #[test]
    fn the_limit_is_found_to_within_a_twentieth() {
        for most in [1, 2, 7, 50, 1000, 60_000] {
            for limit in [1, 2, 3, 10, 37, 640, 12_345, 60_000] {
                let (found, _) = search(1, most, limit);
                let true_limit = limit.min(most);
                let found = found.expect("1 holds");
                assert!(
                    found <= true_limit && (true_limit - found) * 100 <= true_limit * 5,
                    "{found} of {true_limit} up to {most}"
                );
            }
        }
        assert_eq!(search(1, 1000, 0), (None, search(1, 1000, 0).1));
        assert_eq!(search(4, 10, 3).0, None);
        assert_eq!(search(1, 1000, 1000), (Some(1000), 7));
    }

    #[test]
    fn what_holds_it_back_is_told() {
        let mut search = Search::new(1, 64);
        assert_eq!((search.next(), search.limited_by()), (Some(2), "most"));
        search.judged(2, Judgement::Held);
        search.judged(4, Judgement::Generator);
        assert_eq!((search.next(), search.limited_by()), (Some(3), "generator"));
        search.judged(3, Judgement::Failed);
        assert_eq!((search.next(), search.limited_by()), (None, "condition"));
        let mut stopped = Search::new(1, 64);
        stopped.judged(2, Judgement::Held);
        stopped.stop();
        assert_eq!(stopped.limited_by(), "stopped");
        assert_eq!(search.found(), Some(2));
    }

    #[test]
    fn what_is_looked_for_is_read_and_mistakes_are_named() {
        let sought: FindMax = "rate:rtt.p99<50ms".parse().unwrap();
        assert_eq!(
            (sought.what, sought.condition.limit),
            (What::Rate, 50_000.0)
        );
        let wrong = |text: &str| text.parse::<FindMax>().unwrap_err();
        assert!(wrong("rtt.p99<50ms").contains("WHAT:CONDITION"));
        assert!(wrong("connection:rtt.p99<50ms").contains("did you mean connections?"));
        assert!(wrong("rate:rt.p99<50ms").contains("did you mean rtt.p99?"));
    }
}
