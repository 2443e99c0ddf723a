//! Pictures made of letters: how latencies are distributed, and how they went from second to second.
//! Pure.

use hdrhistogram::Histogram;

use super::words::{millis, percent};
use crate::model::units::Thousands;

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// Where the locale is not UTF-8.
    Ascii,
    Unicode,
}

/// Columns of the longest bar.
const BAR: usize = 20;
/// Rows of a distribution at most; the last one has all the rest.
const ROWS: usize = 8;
/// Rows and columns of what happened over time.
const HEIGHT: usize = 4;
const WIDTH: usize = 33;

impl Glyphs {
    /// A bar for a part (0 to 1) of `width` columns. What is there has at least a trace.
    pub fn bar(self, part: f64, width: usize) -> String {
        let part = part.clamp(0.0, 1.0);
        match self {
            Self::Ascii => {
                let full = (part * width as f64).round() as usize;
                match full {
                    0 if part > 0.0 => ".".to_owned(),
                    full => "#".repeat(full),
                }
            }
            Self::Unicode => {
                let eighths = (part * width as f64 * 8.0).round() as usize;
                let eighths = eighths.max(usize::from(part > 0.0));
                let mut bar = "█".repeat(eighths / 8);
                bar.extend(['▏', '▎', '▍', '▌', '▋', '▊', '▉'].get((eighths % 8).wrapping_sub(1)));
                bar
            }
        }
    }

    const fn axis(self) -> char {
        match self {
            Self::Ascii => '|',
            Self::Unicode => '│',
        }
    }
}

/// Samples from one power of two of a millisecond to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// Where it begins, in milliseconds; `<` before where it ends, for the first one of many.
    pub label: String,
    /// It has all that is above, too.
    pub is_open: bool,
    pub count: u64,
    /// Of the highest count, 0 to 1.
    pub part: f64,
}

/// How many samples lie between one power of two of a millisecond and the next.
pub fn buckets(samples: &Histogram<u64>) -> Vec<Bucket> {
    if samples.is_empty() {
        return Vec::new();
    }
    // The exponent of the power of two below a number of microseconds.
    let row_of = |micros: u64| (micros.max(1) as f64 / 1e3).log2().floor() as i32;
    let (least, most) = (row_of(samples.min()), row_of(samples.max()));
    // Where there are more rows than fit, those around the middle say most.
    let median = row_of(samples.value_at_quantile(0.5));
    let first = least.max((median - 2).min(most - ROWS as i32 + 1));
    let last = most.min(first + ROWS as i32 - 1);
    let mut counts = vec![0_u64; (last - first + 1) as usize];
    for step in samples.iter_recorded() {
        let row = row_of(step.value_iterated_to()).clamp(first, last);
        counts[(row - first) as usize] += step.count_at_value();
    }
    let highest = counts.iter().copied().max().unwrap_or(1) as f64;
    let rows = (first..).zip(counts).map(|(row, count)| Bucket {
        label: if row == first && least < first {
            format!("<{}", bound(row + 1))
        } else {
            bound(row)
        },
        is_open: row == last && most > last,
        count,
        part: count as f64 / highest,
    });
    rows.collect()
}

/// The same as a picture, a row for each.
pub(super) fn distribution(samples: &Histogram<u64>, glyphs: Glyphs) -> Vec<String> {
    let row = |bucket: Bucket| {
        format!(
            "{:>8}{}{}{:<BAR$} {:>12} {:>5.1}%",
            bucket.label,
            if bucket.is_open { '+' } else { ' ' },
            glyphs.axis(),
            glyphs.bar(bucket.part, BAR),
            Thousands(bucket.count).to_string(),
            percent(bucket.count, samples.len()),
        )
    };
    buckets(samples).into_iter().map(row).collect()
}

/// A power of two in milliseconds.
fn bound(exponent: i32) -> String {
    let millis = 2_f64.powi(exponent);
    match exponent {
        ..=-4 => format!("{millis:.3}"),
        -3..=3 => format!("{millis:.2}"),
        4..=9 => format!("{millis:.0}"),
        10.. => Thousands(millis as u64).to_string(),
    }
}

/// Seconds and microseconds as a picture on a logarithmic scale; longer runs are shown in parts,
/// each by its worst second. The title says how long a part is.
pub(super) fn over_time(what: &str, seconds: &[(f64, f64)], glyphs: Glyphs) -> Vec<String> {
    let each = seconds.len().div_ceil(WIDTH).max(1);
    let worst = |part: &[(f64, f64)]| part.iter().map(|(_, micros)| *micros).fold(0.0, f64::max);
    let parts: Vec<f64> = seconds.chunks(each).map(worst).collect();
    let high = parts.iter().copied().fold(1.0, f64::max);
    let low = parts.iter().copied().fold(high, f64::min).max(1.0);
    // From 0 at the lowest to 1 at the highest.
    let height = |micros: f64| match (high / low).ln() {
        scale if scale > 0.01 => (micros.max(low) / low).ln() / scale,
        _ => 0.0,
    };
    let of = match each {
        1 => "per second".to_owned(),
        each => format!("worst of each {each} s"),
    };
    let mut lines = vec![format!("{what} p99 {of} (ms)")];
    for row in (0..HEIGHT).rev() {
        let level = low * (high / low).powf(row as f64 / (HEIGHT - 1) as f64);
        let dots: String = parts
            .iter()
            .map(|part| mark(height(*part), row, glyphs))
            .collect();
        let label = millis(Some(level.round() as u64));
        lines.push(format!("{label:>8} {}{dots}", glyphs.axis()));
    }
    let (from, to) = match (seconds.first(), seconds.last()) {
        (Some((from, _)), Some((to, _))) => (format!("{from:.0}s"), format!("{to:.0}s")),
        _ => return Vec::new(),
    };
    let gap = parts.len().saturating_sub(from.len() + to.len()).max(1);
    lines.push(format!("{:>8} +{from}{}{to}", "", "-".repeat(gap)));
    lines
}

/// What stands in a row for a value of this height.
fn mark(height: f64, row: usize, glyphs: Glyphs) -> char {
    match glyphs {
        Glyphs::Ascii => match (height * (HEIGHT - 1) as f64).round() as usize {
            at if at != row => ' ',
            at if at == HEIGHT - 1 => '*',
            _ => '.',
        },
        Glyphs::Unicode => {
            let eighths = (height * (HEIGHT * 8 - 1) as f64).round() as usize + 1;
            let here = eighths.saturating_sub(row * 8).min(8);
            [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][here]
        }
    }
}

/// Two blocks next to each other.
pub(super) fn beside(left: &[String], right: &[String]) -> Vec<String> {
    let width = left.iter().map(|line| line.chars().count()).max();
    let width = width.map_or(0, |width| width + 4);
    let rows = left.len().max(right.len());
    let line = |lines: &[String], row: usize| lines.get(row).cloned().unwrap_or_default();
    (0..rows)
        .map(|row| format!("{:<width$}{}", line(left, row), line(right, row)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::figures::histogram;
    use super::*;

    fn samples(micros: &[(u64, u64)]) -> Histogram<u64> {
        let mut samples = histogram();
        for &(micros, count) in micros {
            samples.record_n(micros, count).unwrap();
        }
        samples
    }

    #[test]
    fn rows_double_and_have_every_sample() {
        let samples = samples(&[(600, 50), (1_500, 100), (3_000, 1), (9_000, 49)]);
        let lines = distribution(&samples, Glyphs::Ascii);
        assert_eq!(
            lines,
            [
                "    0.50 |##########                     50  25.0%",
                "    1.00 |####################          100  50.0%",
                "    2.00 |.                               1   0.5%",
                "    4.00 |                                0   0.0%",
                "    8.00 |##########                     49  24.5%",
            ]
        );
        let unicode = distribution(&samples, Glyphs::Unicode);
        assert!(unicode[0].contains("│██████████  "), "{}", unicode[0]);
        assert!(
            unicode[2].contains("│█ ") || unicode[2].contains("│▏ ") || unicode[2].contains("│▎ ")
        );
    }

    #[test]
    fn what_does_not_fit_is_in_the_outer_rows() {
        let samples = samples(&[(10, 1), (1_500, 10), (2_000_000, 2), (60_000_000, 1)]);
        let lines = distribution(&samples, Glyphs::Ascii);
        assert_eq!(lines.len(), ROWS);
        assert!(lines[0].starts_with("   <0.50 |##"), "{}", lines[0]);
        assert!(lines[7].starts_with("      32+|######"), "{}", lines[7]);
        assert!(lines[7].ends_with("3  21.4%"), "{}", lines[7]);
        assert!(distribution(&histogram(), Glyphs::Ascii).is_empty());
    }

    #[test]
    fn a_stall_stands_out() {
        let mut seconds: Vec<(f64, f64)> = (1..=12).map(|at| (f64::from(at), 1_000.0)).collect();
        seconds[6].1 = 1_000_000.0;
        assert_eq!(
            over_time("RTT", &seconds, Glyphs::Ascii),
            [
                "RTT p99 per second (ms)",
                "   1,000 |      *     ",
                "   100.0 |            ",
                "    10.0 |            ",
                "    1.00 |...... .....",
                "         +1s-------12s",
            ]
        );
        let unicode = over_time("RTT", &seconds, Glyphs::Unicode);
        assert_eq!(unicode[1], "   1,000 │      █     ");
        assert_eq!(unicode[4], "    1.00 │▁▁▁▁▁▁█▁▁▁▁▁");
    }

    #[test]
    fn long_runs_are_shown_by_their_worst_seconds() {
        let mut seconds: Vec<(f64, f64)> = (0..100).map(|at| (f64::from(at), 10.0)).collect();
        seconds[50].1 = 90.0;
        let lines = over_time("RTT", &seconds, Glyphs::Ascii);
        assert_eq!(lines[0], "RTT p99 worst of each 4 s (ms)");
        assert_eq!(lines[1].matches('*').count(), 1, "{}", lines[1]);
        // Always the same: nothing to scale by.
        let flat = over_time("RTT", &seconds[..10], Glyphs::Ascii);
        assert!(flat[4].ends_with(".........."), "{flat:#?}");
    }
}
