//! Figure by figure: is it worse, and by more than the noise.

use hdrhistogram::Histogram;

use super::super::figures::histogram;
use super::refusal::notes;
use super::{Change, Comparison, Figure};
use crate::bench::result::table::{Better, COUNTERS, Counter, HANDSHAKE, LATENCIES, LatencyRow};
use crate::bench::result::{BenchResult, PERCENTILES};
use crate::bench::threshold::Unit;

/// What single runs may differ by, unless told.
pub const NOISE: f64 = 0.05;
/// Runs of a side from which on their own spread is the noise.
const SPREAD_FROM: usize = 3;
/// Runs that happen to be alike are not that exact.
const LEAST: f64 = 0.01;
/// A share that goes up by less than this is the same.
const LEAST_SHARE: f64 = 0.001;
/// Percentiles that no summary shows either.
const LEFT_OUT: [f64; 2] = [75.0, 95.0];
/// Of the normal distribution: beyond it is one in a hundred, on both sides together.
const SURE: f64 = 2.576;

/// Compares what may be compared. A baseline is the first side.
pub fn compare(sides: [Vec<BenchResult>; 2], names: [String; 2], noise: Option<f64>) -> Comparison {
    let mut figures = Vec::new();
    for counter in COUNTERS {
        figures.extend(counted(counter, &sides, noise));
    }
    for row in LATENCIES.iter().chain([&HANDSHAKE]) {
        figures.extend(percentiles(row, &sides, noise));
    }
    let first = [&sides[0], &sides[1]].map(|side| side.first());
    let notes = match first {
        [Some(one), Some(other)] => notes([one, other], [&names[0], &names[1]]),
        _ => Vec::new(),
    };
    Comparison {
        sides,
        names,
        figures,
        notes,
    }
}

/// Rates and shares do not depend on how long a run was; other counts do.
fn counted(counter: &Counter, sides: &[Vec<BenchResult>; 2], noise: Option<f64>) -> Option<Figure> {
    let is_judged = matches!(counter.unit, Unit::Rate | Unit::Share);
    if !is_judged || counter.better == Better::Neither {
        return None;
    }
    let [before, now] = values(sides, counter.get)?;
    if before.middle == 0.0 && now.middle == 0.0 && counter.unit == Unit::Rate {
        return None;
    }
    let noise = allowed(before, now, noise);
    let verdict = match counter.unit {
        _ if !before.is_apart(now) => Change::Same,
        Unit::Share => share(before.middle, now.middle, counter.better, noise),
        _ => by_ratio(before.middle, now.middle, counter.better, noise),
    };
    Some(figure_of(
        counter.path.to_owned(),
        counter.unit,
        before.middle,
        now.middle,
        noise,
        verdict,
    ))
}

fn percentiles(row: &LatencyRow, sides: &[Vec<BenchResult>; 2], noise: Option<f64>) -> Vec<Figure> {
    let samples = sides.each_ref().map(|side| {
        let samples = side.iter().map(|run| (row.get)(run).hdr.decoded());
        samples.collect::<Option<Vec<_>>>().unwrap_or_default()
    });
    let is_measured =
        |side: &Vec<Histogram<u64>>| !side.is_empty() && side.iter().all(|run| !run.is_empty());
    if !samples.iter().all(is_measured) {
        return Vec::new();
    }
    let together = samples.each_ref().map(|side| {
        let mut all = histogram();
        for run in side {
            // A histogram that grows by itself takes every other one.
            let _ = all.add(run);
        }
        all
    });
    let figure = |&(percentile, least): &(f64, u64)| {
        if samples.iter().flatten().any(|run| run.len() < least) {
            return None;
        }
        let quantile = percentile / 100.0;
        let [before, now] = samples.each_ref().map(|side| {
            Spread::of(
                side.iter()
                    .map(|run| run.value_at_quantile(quantile) as f64),
            )
        });
        let (before, now) = (before?, now?);
        let noise = allowed(before, now, noise);
        let mut verdict = by_ratio(before.middle, now.middle, Better::Less, noise);
        let [one, other] = together.each_ref().map(|side| bounds(side, quantile));
        verdict = match (one, other) {
            (Some((below, above)), Some((other_below, other_above))) => {
                let meet = other_below <= above && below <= other_above;
                if meet || !before.is_apart(now) {
                    Change::Same
                } else {
                    verdict
                }
            }
            _ => Change::Unjudged,
        };
        let metric = format!("{}.p{percentile}", row.path);
        Some(figure_of(
            metric,
            Unit::Time,
            before.middle,
            now.middle,
            noise,
            verdict,
        ))
    };
    let shown = PERCENTILES
        .iter()
        .filter(|(percentile, _)| !LEFT_OUT.contains(percentile));
    shown.filter_map(figure).collect()
}

/// Between which values a percentile lies whatever chance does; `None` where there are too few samples
/// to have one beyond it.
fn bounds(samples: &Histogram<u64>, quantile: f64) -> Option<(u64, u64)> {
    let count = samples.len() as f64;
    let reach = SURE * (quantile * (1.0 - quantile) / count).sqrt();
    let (below, above) = (quantile - reach, quantile + reach);
    let known = below > 0.0 && above < 1.0 - 1.0 / count;
    known.then(|| {
        (
            samples.value_at_quantile(below),
            samples.value_at_quantile(above),
        )
    })
}

/// The values of the runs of one side.
#[derive(Debug, Clone, Copy)]
struct Spread {
    middle: f64,
    least: f64,
    most: f64,
    count: usize,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = (values[(count - 1) / 2] + values[count / 2]) / 2.0;
        Some(Self {
            middle,
            least,
            most,
            count,
        })
    }

    /// From the least to the greatest, as a part of the middle.
    fn part(self) -> f64 {
        if self.middle > 0.0 {
            (self.most - self.least) / self.middle
        } else {
            0.0
        }
    }

    /// No run of one side lies among those of the other.
    fn is_apart(self, other: Self) -> bool {
        self.most < other.least || other.most < self.least
    }
}

fn values(
    sides: &[Vec<BenchResult>; 2],
    get: fn(&BenchResult) -> Option<f64>,
) -> Option<[Spread; 2]> {
    let [before, now] = sides
        .each_ref()
        .map(|side| Spread::of(side.iter().filter_map(get)));
    Some([before?, now?])
}

/// The part by which two middles have to differ.
fn allowed(before: Spread, now: Spread, asked: Option<f64>) -> f64 {
    if before.count.min(now.count) < SPREAD_FROM {
        return asked.unwrap_or(NOISE);
    }
    before.part().max(now.part()).max(asked.unwrap_or(LEAST))
}

fn by_ratio(before: f64, now: f64, better: Better, noise: f64) -> Change {
    let more = now > before * (1.0 + noise);
    // Both ways a change that is shown as less than the noise is none.
    let less = now < before * (1.0 - noise);
    match (better, more, less) {
        (Better::Neither, ..) | (_, false, false) => Change::Same,
        (Better::More, true, _) | (Better::Less, false, true) => Change::Better,
        (Better::More, false, true) | (Better::Less, true, _) => Change::Worse,
    }
}

/// A share is judged by the part that went wrong: from 99.9 % to 99 % is ten times as much.
fn share(before: f64, now: f64, better: Better, noise: f64) -> Change {
    let [before, now] = match better {
        Better::More => [1.0 - before, 1.0 - now],
        _ => [before, now],
    };
    if (now - before).abs() <= LEAST_SHARE {
        return Change::Same;
    }
    by_ratio(before, now, Better::Less, noise)
}

fn figure_of(
    metric: String,
    unit: Unit,
    baseline: f64,
    value: f64,
    noise: f64,
    verdict: Change,
) -> Figure {
    let percent = |part: f64| (part * 1e4).round() / 100.0;
    Figure {
        metric,
        unit: unit.name().into(),
        baseline,
        value,
        change_percent: (baseline > 0.0).then(|| percent(value / baseline - 1.0)),
        noise_percent: percent(noise),
        verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::report::sample;
    use super::*;
    use crate::bench::result::latency_info;

    /// A run whose round trips took `base` to twice as long.
    fn run(base: u64, samples: u64, rate: f64) -> BenchResult {
        let mut result = sample::result();
        let mut times = histogram();
        for at in 0..samples {
            times.record(base + at * base / samples).unwrap();
        }
        result.latency.rtt = latency_info(&times);
        result.messages.received_rate = rate;
        result.connections.attempted = 1_000;
        result.messages.sent = 9_000;
        result.messages.unanswered = 0;
        result
    }

    fn verdict(sides: [Vec<BenchResult>; 2], noise: Option<f64>, metric: &str) -> Change {
        let names = ["a".to_owned(), "b".to_owned()];
        let comparison = compare(sides, names, noise);
        let figure = comparison
            .figures
            .iter()
            .find(|figure| figure.metric == metric);
        figure
            .unwrap_or_else(|| panic!("{metric}: {comparison:#?}"))
            .verdict
    }

    #[test]
    fn only_what_is_more_than_the_noise_counts() {
        let judge = |base, noise, metric| {
            let sides = [
                vec![run(1_000, 20_000, 100.0)],
                vec![run(base, 20_000, 100.0)],
            ];
            verdict(sides, noise, metric)
        };
        for metric in ["rtt.p50", "rtt.p99", "rtt.p99.9"] {
            assert_eq!(judge(1_000, None, metric), Change::Same);
            assert_eq!(judge(1_040, None, metric), Change::Same);
            assert_eq!(judge(1_100, None, metric), Change::Worse);
            assert_eq!(judge(900, None, metric), Change::Better);
            assert_eq!(judge(1_100, Some(0.15), metric), Change::Same);
        }
    }

    #[test]
    fn few_samples_say_little() {
        let judge = |samples, metric| {
            let sides = [
                vec![run(1_000, samples, 100.0)],
                vec![run(1_100, samples, 100.0)],
            ];
            verdict(sides, None, metric)
        };
        assert_eq!(judge(20, "rtt.p99"), Change::Unjudged);
        assert_eq!(judge(50, "rtt.p50"), Change::Same);
        assert_eq!(judge(20_000, "rtt.p50"), Change::Worse);
    }

    #[test]
    fn rates_and_shares_have_their_own_direction() {
        let rate = |now| {
            let sides = [vec![run(1_000, 100, 1_000.0)], vec![run(1_000, 100, now)]];
            verdict(sides, None, "messages.received_rate")
        };
        assert_eq!(
            [rate(940.0), rate(990.0), rate(1_100.0)],
            [Change::Worse, Change::Same, Change::Better]
        );
        let errors = |unanswered| {
            let mut now = run(1_000, 100, 1_000.0);
            now.messages.unanswered = unanswered;
            verdict(
                [vec![run(1_000, 100, 1_000.0)], vec![now]],
                None,
                "errors.rate",
            )
        };
        assert_eq!([errors(5), errors(200)], [Change::Same, Change::Worse]);
    }

    #[test]
    fn three_runs_of_a_side_tell_the_noise_themselves() {
        let side = |rates: [f64; 3]| rates.map(|rate| run(1_000, 100, rate)).to_vec();
        let judge = |before, now, noise| {
            verdict([side(before), side(now)], noise, "messages.received_rate")
        };
        // Runs of the same server differ by a tenth: a fall by a twentieth says nothing.
        assert_eq!(
            judge([950.0, 1_000.0, 1_050.0], [900.0, 940.0, 1_000.0], None),
            Change::Same
        );
        // The middles lie further apart than runs of a side do, but one run is among the others.
        assert_eq!(
            judge([900.0, 1_000.0, 1_001.0], [895.0, 899.5, 905.0], None),
            Change::Same
        );
        // Runs that lie further apart than their middle is high: two thirds less is within that.
        assert_eq!(
            judge([500.0, 1_000.0, 1_600.0], [310.0, 318.0, 320.0], None),
            Change::Same
        );
        // These lie close together, so that less than the usual noise counts.
        assert_eq!(
            judge([998.0, 1_000.0, 1_002.0], [968.0, 970.0, 972.0], None),
            Change::Worse
        );
        assert_eq!(
            judge([998.0, 1_000.0, 1_002.0], [968.0, 970.0, 972.0], Some(0.05)),
            Change::Same
        );
    }
}
