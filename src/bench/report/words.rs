//! Figures, thresholds and the verdict in the words of every report.

use super::shards;
use crate::bench::result::table::LatencyRow;
use crate::bench::result::{BenchResult, ThresholdResult};
use crate::bench::threshold::{Threshold, Unit};
use crate::model::units::Thousands;

/// A latency at the head of a picture.
pub(super) fn heading(row: &LatencyRow) -> String {
    let title = match row.path {
        "rtt" => return "RTT".to_owned(),
        "handshake" => row.path,
        _ => row.title,
    };
    let (first, rest) = title.split_at_checked(1).unwrap_or_default();
    first.to_uppercase() + rest
}

/// The limit of a threshold, and the value that it was judged by.
pub(super) fn shown(threshold: &ThresholdResult) -> (String, String) {
    let unit = Unit::named(&threshold.unit);
    let limit = threshold.limit;
    let value = threshold.value.map(|value| unit.show_beside(value, limit));
    let value = value.unwrap_or_else(|| "not measured".to_owned());
    // What a file says was asked for counts where it is that limit.
    let asked = Threshold::parse(&threshold.expr).ok();
    let asked = asked.filter(|asked| asked.limit == limit);
    let asked = asked.map_or_else(|| unit.show(limit), |asked| asked.asked().to_owned());
    (asked, value)
}

/// The verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Pass,
    Suspect,
    Fail,
}

pub(super) const fn word(result: &BenchResult) -> Word {
    match (result.verdict.passed, result.verdict.valid) {
        (false, _) => Word::Fail,
        (true, false) => Word::Suspect,
        (true, true) => Word::Pass,
    }
}

/// What a log is searched for: did it pass, and may that be believed.
pub(super) fn verdict(result: &BenchResult) -> String {
    let verdict = &result.verdict;
    let warnings = verdict.warnings.len();
    let word = match word(result) {
        Word::Fail => "FAIL",
        Word::Suspect => "SUSPECT",
        Word::Pass if warnings > 0 => "PASS with warnings",
        Word::Pass => "PASS",
    };
    let judged = shards::judged(&result.thresholds);
    let validity = if verdict.valid {
        "result valid"
    } else {
        "result suspect"
    };
    let warned = match warnings {
        0 => "no warnings".to_owned(),
        1 => "1 warning".to_owned(),
        more => format!("{more} warnings"),
    };
    let judged = match &result.baseline {
        None => judged,
        Some(baseline) if baseline.worse => format!("{judged}, worse than the baseline"),
        Some(_) => format!("{judged}, not worse than the baseline"),
    };
    format!(
        "{word}   {judged}, {validity}, {warned}, ended by {}",
        result.run.end_reason
    )
}

/// Milliseconds with three digits that mean something; a dash where there are not samples enough.
pub fn millis(micros: Option<u64>) -> String {
    let Some(micros) = micros else {
        return "-".to_owned();
    };
    let millis = micros as f64 / 1e3;
    match millis {
        ..10.0 => format!("{millis:.2}"),
        ..1000.0 => format!("{millis:.1}"),
        _ => Thousands(millis.round() as u64).to_string(),
    }
}

pub(super) fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}

pub(super) fn share(part: u64, whole: u64) -> String {
    if part == 0 {
        String::new()
    } else {
        format!(" ({:.2}%)", percent(part, whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_gaps_are_dashes() {
        let shown = [Some(7), Some(812), Some(15_840), Some(1_234_567), None].map(millis);
        assert_eq!(shown, ["0.01", "0.81", "15.8", "1,235", "-"]);
    }
}
