//! `json`: the whole result (`docs/bench-result.v1.schema.json`).

use super::{Entry, Form, Glyphs};
use crate::bench::result::BenchResult;

pub(super) const ENTRY: Entry = Entry {
    name: "json",
    help: "the whole result, with its histograms",
    form: Form::File(write),
};

fn write(result: &BenchResult, _: Glyphs) -> Vec<u8> {
    // Its keys are strings and its numbers finite: nothing in it cannot be JSON.
    let mut bytes = serde_json::to_vec_pretty(result).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
