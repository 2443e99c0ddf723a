//! What happened over time, in as many slots as a chart has room for. Latencies of a slot are those of
//! its seconds together, not means of percentiles.

use hdrhistogram::Histogram;

use crate::bench::figures::histogram;
use crate::bench::result::BenchResult;

/// Slots at most.
const SLOTS: usize = 240;

/// The quantiles that are drawn over time; 1 is the greatest value.
pub(super) const QUANTILES: [(&str, f64); 4] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)];

/// Some seconds of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Slot {
    /// When it began and ended, in seconds from the start.
    pub(super) from: f64,
    pub(super) to: f64,
    /// Microseconds, for each of [`QUANTILES`]; `None` where nothing was measured.
    pub(super) latency: [Option<f64>; 4],
    /// Per second.
    pub(super) sent: f64,
    pub(super) received: f64,
    /// At its end.
    pub(super) open: f64,
    pub(super) errors: f64,
}

/// The slots of a run. A file may hold any numbers; what is none is 0.
pub(super) fn slots(result: &BenchResult) -> Vec<Slot> {
    let series = &result.series;
    let each = series.rows.len().div_ceil(SLOTS).max(1);
    let metric = result.main_latency().path;
    let mut histograms = series.histograms_of(metric).peekable();
    let columns = QUANTILES.map(|(name, _)| series.place(&format!("{metric}_{name}")));
    let [time, open, sent, received, errors] =
        ["t", "open", "sent", "received", "errors"].map(|name| series.place(name));
    let value = |row: &[f64], column: Option<usize>| {
        let value = column.and_then(|column| row.get(column)).copied();
        value
            .filter(|value| value.is_finite() && *value > 0.0)
            .unwrap_or(0.0)
    };
    let mut slots = Vec::new();
    let mut from = 0.0_f64;
    for rows in series.rows.chunks(each) {
        let Some(last) = rows.last() else { continue };
        let to = value(last, time).max(from);
        let sum = |column| rows.iter().map(|row| value(row, column)).sum::<f64>();
        let seconds = (to - from).max(1e-3);
        let mut together = histogram();
        while let Some((_, samples)) = histograms.next_if(|(at, _)| *at <= to) {
            // A histogram that grows by itself takes every other one.
            let _ = together.add(samples);
        }
        let latency = if series.histograms.is_empty() {
            columns.map(|column| {
                let worst = rows
                    .iter()
                    .map(|row| value(row, column))
                    .fold(0.0, f64::max);
                Some(worst).filter(|worst| *worst > 0.0)
            })
        } else {
            quantiles(&together)
        };
        slots.push(Slot {
            from,
            to,
            latency,
            sent: sum(sent) / seconds,
            received: sum(received) / seconds,
            open: value(last, open),
            errors: sum(errors),
        });
        from = to;
    }
    slots
}

fn quantiles(samples: &Histogram<u64>) -> [Option<f64>; 4] {
    QUANTILES.map(|(_, quantile)| {
        (!samples.is_empty()).then(|| samples.value_at_quantile(quantile) as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    #[test]
    fn a_short_run_has_a_slot_for_each_second() {
        let result = sample::result();
        let slots = slots(&result);
        let times: Vec<_> = slots.iter().map(|slot| (slot.from, slot.to)).collect();
        assert_eq!(times, [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]);
        assert_eq!(slots[1].sent, 200.0);
        assert_eq!(slots[0].latency[3], Some(600.0));
    }

    #[test]
    fn a_long_run_is_put_together() {
        let mut result = sample::result();
        let row = |t: usize| {
            result
                .series
                .columns
                .iter()
                .map(|name| if name == "t" { t as f64 } else { 2.0 })
                .collect()
        };
        result.series.rows = (1..=1000).map(row).collect();
        let data = result.series.histograms[0].data[0].clone();
        result.series.histograms[0].data = vec![data; 1000];
        let slots = slots(&result);
        assert_eq!(slots.len(), 200);
        assert_eq!(
            (slots[0].to, slots[0].errors, slots[0].sent),
            (5.0, 10.0, 2.0)
        );
        assert_eq!(slots[199].latency[3], Some(600.0));
    }

    #[test]
    fn numbers_that_are_none_do_no_harm() {
        let mut result = sample::result();
        result.series.rows = vec![vec![], vec![-5.0, 1e308, 3.0], vec![1e308; 16]];
        assert_eq!(slots(&result).len(), 3);
        result.series.columns.clear();
        assert_eq!(slots(&result).len(), 3);
    }
}
