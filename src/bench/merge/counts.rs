//! Errors and closes of several results, added by what they are called.

use std::collections::BTreeMap;

use super::super::result::{CloseCount, ErrorCount};
use super::Part;

/// The earlier first time is the first, as in [`Figures`](super::super::figures::Figures).
pub(super) fn errors(parts: &[Part]) -> Vec<ErrorCount> {
    let mut all: BTreeMap<(&str, &str), ErrorCount> = BTreeMap::new();
    for theirs in parts.iter().flat_map(|part| &part.result.errors) {
        all.entry((&theirs.phase, &theirs.kind))
            .and_modify(|ours| {
                let count = ours.count + theirs.count;
                if first_of(theirs) < first_of(ours) {
                    ours.clone_from(theirs);
                }
                ours.count = count;
            })
            .or_insert_with(|| theirs.clone());
    }
    all.into_values().collect()
}

/// Times are written alike, and so are in the order of their texts.
fn first_of(error: &ErrorCount) -> (&str, u64, &str) {
    (&error.first_at, error.connection, &error.sample)
}

/// Which of several reasons was the first is not known: that of the first place in the alphabet stays.
pub(super) fn closes(parts: &[Part]) -> Vec<CloseCount> {
    let mut all: BTreeMap<(u16, usize, Option<&str>), CloseCount> = BTreeMap::new();
    for theirs in parts.iter().flat_map(|part| &part.result.closes) {
        let key = (theirs.code, rank(&theirs.by), theirs.detail.as_deref());
        all.entry(key)
            .and_modify(|ours| {
                ours.count += theirs.count;
                let reasons = [&ours.reason, &theirs.reason].into_iter().flatten();
                ours.reason = reasons.min().cloned();
            })
            .or_insert_with(|| theirs.clone());
    }
    all.into_values().collect()
}

/// The order of [`ClosedBy`](super::super::figures::ClosedBy).
fn rank(by: &str) -> usize {
    let known = ["us", "peer", "transport"];
    known
        .iter()
        .position(|known| *known == by)
        .unwrap_or(known.len())
}
