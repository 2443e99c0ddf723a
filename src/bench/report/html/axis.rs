//! Axes: where a value stands between two bounds, and which values are named. Pure.

/// From one end of a chart to the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    from: f64,
    to: f64,
    log: bool,
}

/// What a file says may be any number; beyond this it is shown at the edge.
const MOST: f64 = 1e15;
/// How many times the least the greatest is on a logarithmic axis at least.
const WIDE: f64 = 4.0;
/// Names on an axis, about.
const TICKS: usize = 6;

impl Axis {
    /// From 0 to the greatest value, or a little more.
    pub(super) fn linear(values: impl Iterator<Item = f64>) -> Self {
        let most = most(values);
        let step = step(most / (TICKS - 1) as f64);
        Self {
            from: 0.0,
            to: (most / step).ceil().max(1.0) * step,
            log: false,
        }
    }

    /// From 0 to exactly this.
    pub(super) fn until(end: f64) -> Self {
        Self {
            from: 0.0,
            to: most([end].into_iter()),
            log: false,
        }
    }

    /// From the round number below the least to the one above the greatest; values are at least 1. Where
    /// they lie close together it is linear, for then there would be few round numbers between them.
    pub(super) fn log(values: impl Iterator<Item = f64> + Clone) -> Self {
        let most = most(values.clone()).max(1.0);
        let least = values
            .clone()
            .fold(most, |least, value| least.min(value.max(1.0)));
        if most < least * WIDE {
            return Self::linear(values);
        }
        let from = ROUND.map(|factor| factor * decade(least));
        let to = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * decade(most));
        let from = from.into_iter().rev().find(|from| *from <= least);
        let to = to.into_iter().find(|to| *to >= most).unwrap_or(most);
        let from = from.unwrap_or(1.0);
        Self {
            from,
            to: if to > from { to } else { from * 10.0 },
            log: true,
        }
    }

    /// 0 at the beginning, 1 at the end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = if value.is_finite() { value } else { self.to };
        let part = if self.log {
            (value.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        part.clamp(0.0, 1.0)
    }

    /// The values to be named, in rising order.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if !self.log {
            let step = step((self.to - self.from) / (TICKS - 1) as f64);
            let count = ((self.to - self.from) / step + 1e-9).floor() as usize;
            return (0..=count.min(2 * TICKS))
                .map(|at| at as f64 * step)
                .collect();
        }
        let decades = (self.to / self.from).log10();
        // As many round numbers within each power of ten as there is room for.
        let factors: &[f64] = match decades {
            ..=2.1 => &ROUND,
            _ => &ROUND[..1],
        };
        let every = (decades / TICKS as f64).ceil().max(1.0) as usize;
        let first = decade(self.from).log10().round() as i32;
        let last = decade(self.to).log10().round() as i32;
        let powers = (first..=last).step_by(every);
        let all = powers.flat_map(|power| {
            factors
                .iter()
                .map(move |factor| factor * 10_f64.powi(power))
        });
        all.filter(|tick| (self.from * 0.999..=self.to * 1.001).contains(tick))
            .collect()
    }
}

const ROUND: [f64; 3] = [1.0, 2.0, 5.0];

fn most(values: impl Iterator<Item = f64>) -> f64 {
    let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    if most > 0.0 { most.min(MOST) } else { 1.0 }
}

/// The power of ten at or below a value.
fn decade(value: f64) -> f64 {
    // The logarithm of a power of ten may be a little less than its exponent.
    10_f64.powf((value.log10() + 1e-9).floor())
}

/// The round number at or above a distance.
fn step(distance: f64) -> f64 {
    let decade = decade(distance.max(1e-9));
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * decade);
    steps
        .into_iter()
        .find(|step| *step >= distance * 0.999)
        .unwrap_or(distance)
}

/// A number as an axis names it: `0.05`, `20`, `1.5k`, `3M`.
pub(super) fn short(value: f64) -> String {
    let (value, unit) = match value {
        ..1e3 => (value, ""),
        ..1e6 => (value / 1e3, "k"),
        ..1e9 => (value / 1e6, "M"),
        _ => (value / 1e9, "G"),
    };
    let rounded = (value * 1e6).round() / 1e6;
    format!("{rounded}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let axis = Axis::linear([3.0, 47.0].into_iter());
        assert_eq!(axis.ticks(), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(
            (axis.place(0.0), axis.place(25.0), axis.place(99.0)),
            (0.0, 0.5, 1.0)
        );
        let axis = Axis::log([450.0, 7_800.0].into_iter());
        assert_eq!(
            axis.ticks(),
            [200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0]
        );
        assert!((axis.place(2_000_f64.sqrt() * 1_000_f64.sqrt()) - 0.5).abs() < 0.01);
        let axis = Axis::log([1.0, 1e9].into_iter());
        assert!(axis.ticks().len() <= 7, "{axis:?}");
    }

    #[test]
    fn any_number_has_a_place() {
        for values in [
            vec![],
            vec![0.0],
            vec![f64::NAN],
            vec![f64::INFINITY, -5.0],
            vec![1e308, 1e-308],
            vec![7.0],
        ] {
            for axis in [
                Axis::linear(values.iter().copied()),
                Axis::log(values.iter().copied()),
                Axis::until(values.first().copied().unwrap_or(0.0)),
            ] {
                for value in [0.0, -1.0, 1e300, f64::NAN, f64::NEG_INFINITY] {
                    assert!((0.0..=1.0).contains(&axis.place(value)), "{axis:?} {value}");
                }
                let ticks = axis.ticks();
                assert!(
                    ticks.len() <= 2 * TICKS + 1 && ticks.is_sorted(),
                    "{axis:?}"
                );
            }
        }
    }

    #[test]
    fn numbers_on_an_axis_are_short() {
        let shown = [0.0, 0.05, 20.0, 1_500.0, 3e6, 2e9].map(short);
        assert_eq!(shown, ["0", "0.05", "20", "1.5k", "3M", "2G"]);
    }
}
