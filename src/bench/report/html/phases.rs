//! What the opening of a connection consists of: its steps one after the other, at three percentiles.

use std::fmt::Write as _;

use super::super::words::millis;
use super::axis::{Axis, short};
use super::text;
use crate::bench::result::table::{LatencyRow, STEPS};
use crate::bench::result::{BenchResult, LatencyInfo};

type Percentile = (&'static str, fn(&LatencyInfo) -> Option<u64>);

const ROWS: [Percentile; 3] = [
    ("p50", |info| info.p50),
    ("p90", |info| info.p90),
    ("p99", |info| info.p99),
];

const WIDTH: f64 = 640.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 14.0;
/// Of a bar, and from one to the next.
const BAR: f64 = 34.0;
const ROW: f64 = 56.0;

/// The figure; `None` where no step was timed.
pub(super) fn phases(result: &BenchResult) -> Option<String> {
    let steps = STEPS.iter().filter(|step| (step.get)(result).count > 0);
    let steps: Vec<&LatencyRow> = steps.collect();
    if steps.is_empty() {
        return None;
    }
    let parts = |of: &Percentile| -> Vec<f64> {
        let values = steps.iter().map(|step| (of.1)((step.get)(result)));
        values.map(|value| value.unwrap_or(0) as f64).collect()
    };
    let axis = Axis::linear(ROWS.iter().map(|of| parts(of).iter().sum()));
    let bottom = TOP + ROW * ROWS.len() as f64 - (ROW - BAR);
    let height = bottom + 36.0;
    let x = |value: f64| LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT);
    // Writing to a String never fails.
    let mut html = format!(
        "<figure><figcaption>Opening by step <small>ms; the steps of a percentile need not be of the same connection</small></figcaption>\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Opening by step\">\n"
    );
    for tick in axis.ticks() {
        let at = x(tick);
        let _ = writeln!(
            html,
            "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/><text class=\"below\" x=\"{at:.1}\" y=\"{}\">{}</text>",
            bottom + 22.0,
            text(&short(tick / 1e3))
        );
    }
    for (place, of) in ROWS.iter().enumerate() {
        let top = TOP + ROW * place as f64;
        let _ = writeln!(
            html,
            "<text class=\"left\" x=\"{}\" y=\"{}\">{}</text>",
            LEFT - 8.0,
            top + BAR / 2.0 + 4.0,
            of.0
        );
        let mut from = 0.0;
        for (step, value) in steps.iter().zip(parts(of)) {
            let _ = writeln!(
                html,
                "<rect class=\"step-{}\" x=\"{:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{BAR}\"><title>{} {}: {} ms</title></rect>",
                step.title,
                x(from),
                (x(from + value) - x(from)).max(1.0),
                step.title,
                of.0,
                millis(Some(value as u64)),
            );
            from += value;
        }
    }
    html.push_str("</svg>\n<ul class=\"legend\">");
    for step in &steps {
        let _ = write!(html, "<li class=\"step-{0}\">{0}</li>", step.title);
    }
    html.push_str("</ul>\n</figure>\n");
    Some(html)
}
