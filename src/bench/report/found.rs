//! What reports say of a search for the most (`--find-max`). What a file says in it is made harmless by
//! whoever writes it.

use crate::bench::result::{FoundMax, SearchStep};
use crate::bench::threshold::Unit;
use crate::model::units::Thousands;

/// `12 connections hold ping.p99<10ms: more do not`
pub(super) fn line(found: &FoundMax) -> String {
    let (what, condition) = (&found.what, &found.condition);
    let limit = match found.limited_by.as_str() {
        "most" => "as many as were asked for",
        "stopped" => "the search was stopped before more was known",
        "generator" => "then this machine was the limit, and not the server",
        _ => "more do not",
    };
    match (found.found, what.as_str()) {
        (None, "rate") => format!("no rate holds {condition}: {limit}"),
        (None, _) => format!("no {what} hold {condition}: {limit}"),
        (Some(rate), "rate") => {
            format!("{}/s holds {condition}: {limit}", Thousands(rate as u64))
        }
        (Some(many), _) => format!(
            "{} {what} hold {condition}: {limit}",
            Thousands(many as u64)
        ),
    }
}

/// The columns of [`rows`].
pub(super) const HEADS: [&str; 6] = ["tried", "judged", "measured", "failed", "lost", "reasons"];

/// A row for each load that was tried.
pub(super) fn rows(found: &FoundMax) -> impl Iterator<Item = [String; 6]> + '_ {
    found.steps.iter().map(|step: &SearchStep| {
        let measured = step.measured;
        let shown = measured.map(|value| Unit::named(&step.unit).show(value));
        [
            Thousands(step.value as u64).to_string(),
            step.judged.clone(),
            shown.unwrap_or_else(|| "not measured".to_owned()),
            Thousands(step.failed).to_string(),
            Thousands(step.lost).to_string(),
            step.reasons.join(", "),
        ]
    })
}
