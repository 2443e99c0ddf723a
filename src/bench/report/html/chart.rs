//! The charts of a run, and of two runs in one picture.

use hdrhistogram::Histogram;

use super::super::words::{heading, millis};
use super::axis::{Axis, short};
use super::svg::{Chart, Line, Scale, Span};
use super::timeline::{QUANTILES, Slot};
use crate::bench::figures::histogram;
use crate::bench::result::BenchResult;
use crate::model::units::Thousands;

/// A run as charts see it.
pub(super) struct Drawn<'a> {
    /// What its lines are called where there are others; empty where it is alone.
    pub(super) name: &'static str,
    pub(super) result: &'a BenchResult,
    pub(super) slots: Vec<Slot>,
}

/// The classes of lines: of one run, and of the second of two.
const LATENCY: [&str; 4] = ["p50", "p90", "p99", "max"];
const PAIR: [[&str; 2]; 2] = [["a-thin", "a"], ["b-thin", "b"]];
/// The quantiles that are drawn of each of two runs: p50 and p99.
const OF_PAIR: [usize; 2] = [0, 2];
/// Steps of the spectrum for each halving of what is left.
const FINE: u32 = 8;

/// The main latency over time; `None` where nothing was measured.
pub(super) fn latency(runs: &[Drawn<'_>]) -> Option<Chart> {
    let main = runs.first()?.result.main_latency();
    let values = |run: &Drawn<'_>| -> Vec<f64> {
        run.slots
            .iter()
            .flat_map(|slot| slot.latency)
            .flatten()
            .collect()
    };
    let all: Vec<f64> = runs.iter().flat_map(values).collect();
    if all.is_empty() {
        return None;
    }
    let mut lines = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        let quantiles: &[usize] = if runs.len() == 1 {
            &[3, 2, 1, 0]
        } else {
            &OF_PAIR
        };
        for (at, &quantile) in quantiles.iter().enumerate() {
            let point = |slot: &Slot| slot.latency[quantile].map(|value| (middle(slot), value));
            lines.push(Line {
                name: named(run, QUANTILES[quantile].0),
                class: match runs.len() {
                    1 => LATENCY[quantile],
                    _ => PAIR[place.min(1)][at],
                },
                points: run.slots.iter().map(point).collect(),
                right: false,
            });
        }
    }
    Some(Chart {
        title: format!("{} over time", heading(main)),
        unit: "ms, by second".into(),
        x: seconds(runs),
        y: Scale::new(Axis::log(all.iter().copied()), |micros| short(micros / 1e3)),
        right: None,
        lines,
        spans: spans(runs, |slot| {
            let shown = slot
                .latency
                .map(|value| millis(value.map(|value| value as u64)));
            let shown = QUANTILES
                .iter()
                .zip(shown)
                .map(|((name, _), value)| format!("{name} {value} ms"));
            shown.collect::<Vec<_>>().join("\n")
        }),
        before: before(runs),
    })
}

/// Messages per second, and how many connections were open.
pub(super) fn throughput(runs: &[Drawn<'_>]) -> Option<Chart> {
    let slots = || runs.iter().flat_map(|run| &run.slots);
    slots().next()?;
    let rates = Axis::linear(slots().flat_map(|slot| [slot.sent, slot.received]));
    let open = Axis::linear(slots().map(|slot| slot.open));
    let line = |run: &Drawn<'_>, name: &str, class, right, value: fn(&Slot) -> f64| Line {
        name: named(run, name),
        class,
        points: run
            .slots
            .iter()
            .map(|slot| Some((middle(slot), value(slot))))
            .collect(),
        right,
    };
    let lines = match runs {
        [run] => vec![
            line(run, "open connections (right)", "open", true, |slot| {
                slot.open
            }),
            line(run, "sent/s", "sent", false, |slot| slot.sent),
            line(run, "received/s", "received", false, |slot| slot.received),
        ],
        runs => runs
            .iter()
            .zip(PAIR)
            .flat_map(|(run, [thin, full])| {
                [
                    line(run, "open (right)", thin, true, |slot| slot.open),
                    line(run, "received/s", full, false, |slot| slot.received),
                ]
            })
            .collect(),
    };
    Some(Chart {
        title: "Throughput and connections".into(),
        unit: "messages per second".into(),
        x: seconds(runs),
        y: Scale::new(rates, short),
        right: Some(Scale::new(open, short)),
        lines,
        spans: spans(runs, |slot| {
            format!(
                "sent {}/s\nreceived {}/s\nopen {}",
                Thousands(slot.sent as u64),
                Thousands(slot.received as u64),
                Thousands(slot.open as u64)
            )
        }),
        before: before(runs),
    })
}

/// The main latency at each percentile, on an axis where each further nine takes as much room.
pub(super) fn spectrum(runs: &[Drawn<'_>]) -> Option<Chart> {
    let main = runs.first()?.result.main_latency();
    let samples = runs.iter().map(|run| (main.get)(run.result).hdr.decoded());
    let samples: Vec<Histogram<u64>> = samples
        .map(|samples| samples.unwrap_or_else(histogram))
        .collect();
    let most = samples
        .iter()
        .map(|samples| samples.len())
        .max()
        .unwrap_or(0);
    if most == 0 {
        return None;
    }
    // One sample in ten is one nine.
    let nines = (most as f64).log10().clamp(1.0, 9.0);
    let curves: Vec<Vec<(f64, f64)>> = samples
        .iter()
        .map(|samples| curve(samples, nines))
        .collect();
    let values = || curves.iter().flatten().map(|(_, value)| *value);
    let lines = runs
        .iter()
        .zip(&curves)
        .enumerate()
        .map(|(place, (run, points))| Line {
            name: named(run, ""),
            class: match runs.len() {
                1 => "p99",
                _ => PAIR[place.min(1)][1],
            },
            points: points.iter().copied().map(Some).collect(),
            right: false,
        });
    let whole = (0..=nines as u32).map(|nines| (f64::from(nines), percent(nines)));
    let mut ticks: Vec<(f64, String)> = whole.collect();
    // Further out there is no room between it and the first.
    if nines <= 3.5 {
        ticks.push((0.5_f64.log10().abs(), "50%".into()));
    }
    let mut spans = Vec::new();
    if let [points] = &curves[..] {
        for pair in points.windows(2) {
            spans.push(Span {
                from: pair[0].0,
                to: pair[1].0,
                title: format!(
                    "{} of all within {} ms",
                    share(pair[1].0),
                    millis(Some(pair[1].1 as u64))
                ),
                bar: None,
            });
        }
    }
    Some(Chart {
        title: format!("{} by percentile", heading(main)),
        unit: "ms".into(),
        x: Scale {
            axis: Axis::until(nines),
            ticks,
        },
        y: Scale::new(
            Axis::log(values().collect::<Vec<_>>().into_iter()),
            |micros| short(micros / 1e3),
        ),
        right: None,
        lines: lines.collect(),
        spans,
        before: 0.0,
    })
}

/// Errors second by second; `None` where there were none.
pub(super) fn errors(runs: &[Drawn<'_>]) -> Option<Chart> {
    let [run] = runs else { return None };
    if run.slots.iter().all(|slot| slot.errors == 0.0) {
        return None;
    }
    let bar = |slot: &Slot| Span {
        from: slot.from,
        to: slot.to,
        title: format!("{}\n{} errors", time(slot), Thousands(slot.errors as u64)),
        bar: Some(slot.errors),
    };
    Some(Chart {
        title: "Errors over time".into(),
        unit: "failed, lost, unanswered, dropped".into(),
        x: seconds(runs),
        y: Scale::new(
            Axis::linear(run.slots.iter().map(|slot| slot.errors)),
            short,
        ),
        right: None,
        lines: Vec::new(),
        spans: run.slots.iter().map(bar).collect(),
        before: before(runs),
    })
}

/// A histogram as nines and microseconds.
fn curve(samples: &Histogram<u64>, nines: f64) -> Vec<(f64, f64)> {
    if samples.is_empty() {
        return Vec::new();
    }
    let first = (0.0, samples.min() as f64);
    let steps = samples.iter_quantiles(FINE).map(|step| {
        let left = 1.0 - step.quantile_iterated_to();
        let at = if left > 0.0 { -left.log10() } else { nines };
        (at.min(nines), step.value_iterated_to() as f64)
    });
    let mut points: Vec<(f64, f64)> = std::iter::once(first).chain(steps).collect();
    points.dedup();
    points
}

/// `0%`, `90%`, `99%`, `99.9%`
fn percent(nines: u32) -> String {
    match nines {
        0 => "0%".into(),
        1 => "90%".into(),
        2 => "99%".into(),
        more => format!("99.{}%", "9".repeat(more as usize - 2)),
    }
}

fn share(nines: f64) -> String {
    let digits = (nines.ceil() as usize).max(1);
    format!("{:.digits$}%", 100.0 - 100.0 * 10_f64.powf(-nines))
}

fn seconds(runs: &[Drawn<'_>]) -> Scale {
    let ends = runs.iter().filter_map(|run| run.slots.last());
    let end = ends.map(|slot| slot.to).fold(0.0, f64::max);
    Scale::new(Axis::until(end), |at| format!("{} s", short(at)))
}

fn spans(runs: &[Drawn<'_>], title: impl Fn(&Slot) -> String) -> Vec<Span> {
    let [run] = runs else { return Vec::new() };
    let span = |slot: &Slot| Span {
        from: slot.from,
        to: slot.to,
        title: format!("{}\n{}", time(slot), title(slot)),
        bar: None,
    };
    run.slots.iter().map(span).collect()
}

fn time(slot: &Slot) -> String {
    format!("{:.0} to {:.0} s", slot.from, slot.to)
}

const fn middle(slot: &Slot) -> f64 {
    (slot.from + slot.to) / 2.0
}

fn before(runs: &[Drawn<'_>]) -> f64 {
    match runs {
        [run] => run.result.run.ramp_s + run.result.workload.warmup_s,
        _ => 0.0,
    }
}

fn named(run: &Drawn<'_>, name: &str) -> String {
    format!("{} {name}", run.name).trim().to_owned()
}
