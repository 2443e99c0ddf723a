//! `json`: the figures of a comparison. Its names are only added to.

use serde_json::json;

use crate::bench::compare::{Change, Comparison};
use crate::bench::report::{Entry, Form};

pub(super) const ENTRY: Entry<Comparison> = Entry {
    name: "json",
    help: "the figures, as JSON",
    form: Form::File(|comparison, _| write(comparison)),
};

fn write(comparison: &Comparison) -> Vec<u8> {
    let sides = comparison.names.iter().zip(&comparison.sides);
    let sides = sides.map(|(name, runs)| {
        let runs = runs
            .iter()
            .map(|run| json!({"id": run.run.id, "started_at": run.run.started_at}));
        json!({"name": name, "runs": runs.collect::<Vec<_>>()})
    });
    let report = json!({
        "schema": "bench-comparison.v1",
        "worse": comparison.is_worse(),
        "figures_worse": comparison.count(Change::Worse),
        "figures_better": comparison.count(Change::Better),
        "sides": sides.collect::<Vec<_>>(),
        "notes": comparison.notes,
        "figures": comparison.figures,
    });
    format!("{report:#}\n").into_bytes()
}
