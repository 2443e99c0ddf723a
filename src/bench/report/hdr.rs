//! `hdr`: an interval log of HdrHistogram, format 1.3, as HistogramLogAnalyzer, HistogramLogProcessor and
//! the log readers of its libraries take it. Each latency is a tag; the one that the run is mainly about
//! has an interval for each second, the others one for the whole run.
//!
//! Those tools take values for nanoseconds and show milliseconds. A result holds microseconds, so values
//! are multiplied; the exact histograms are in the JSON.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use super::{Entry, Form};
use crate::bench::result::table::{HANDSHAKE, LATENCIES, STEPS};
use crate::bench::result::{BenchResult, hdr};

pub(super) const ENTRY: Entry = Entry {
    name: "hdr",
    help: "an interval log of HdrHistogram (format 1.3), a tag for each latency",
    form: Form::File(|result, _| write(result).into_bytes()),
};

/// Nanoseconds of a microsecond.
const NANOS: u64 = 1_000;
/// Nanoseconds of a millisecond, in which the greatest value of an interval is told.
const MILLIS: f64 = 1e6;

fn write(result: &BenchResult) -> String {
    let start = epoch(&result.series.start);
    let shown = result.run.started_at.get(..19).unwrap_or_default();
    // Writing to a String cannot fail.
    let mut log =
        String::from("#[Logged with wscope bench]\n#[Histogram log format version 1.3]\n");
    let _ = writeln!(
        log,
        "#[StartTime: {start:.3} (seconds since epoch), {shown}Z]"
    );
    log.push_str(
        "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
    );
    let mut intervals = Vec::new();
    let mut has_series = Vec::new();
    for series in &result.series.histograms {
        let Some(tag) = tag(&series.metric) else {
            continue;
        };
        has_series.push(&series.metric);
        let mut from = 0.0;
        for (to, samples) in result.series.histograms_of(&series.metric) {
            intervals.push((from, to, tag.clone(), samples));
            from = to;
        }
    }
    let from = result.run.ramp_s + result.workload.warmup_s;
    let to = from + result.run.measured_s;
    let rows = LATENCIES.iter().chain(STEPS).chain([&HANDSHAKE]);
    let wholes = rows.map(|row| (row.path.to_owned(), (row.get)(result)));
    let steps = result.latency.step.iter();
    let steps = steps.map(|(name, info)| (format!("step.{name}"), info));
    for (path, info) in wholes.chain(steps) {
        let samples = info.hdr.decoded().filter(|samples| !samples.is_empty());
        if let (false, Some(samples), Some(tag)) =
            (has_series.contains(&&path), samples, tag(&path))
        {
            intervals.push((from, to, tag, samples));
        }
    }
    // Readers expect intervals in the order of their beginnings.
    intervals.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    for (from, to, tag, samples) in intervals {
        let nanos = in_nanos(&samples);
        let _ = writeln!(
            log,
            "Tag={tag},{from:.3},{:.3},{:.3},{}",
            to - from,
            nanos.max() as f64 / MILLIS,
            hdr::encoded(&nanos),
        );
    }
    log
}

/// A tag has no comma, blank or control character in it.
fn tag(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_graphic() && c != ',';
    let tag: String = name
        .chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect();
    (!tag.is_empty()).then_some(tag)
}

fn in_nanos(micros: &Histogram<u64>) -> Histogram<u64> {
    let mut nanos = crate::bench::figures::histogram();
    for step in micros.iter_recorded() {
        let value = step.value_iterated_to().saturating_mul(NANOS);
        // A histogram that grows by itself refuses nothing that a clock can show.
        let _ = nanos.record_n(value, step.count_at_value());
    }
    nanos
}

/// A time of a result in seconds since 1970; 0 where a file has something else in its place.
fn epoch(time: &str) -> f64 {
    let time: Result<jiff::Timestamp, _> = time.parse();
    time.map_or(0.0, |time| time.as_millisecond() as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// The fields of the lines that are no comments.
    fn intervals(log: &str) -> Vec<Vec<&str>> {
        let lines = log.lines().filter(|line| !line.starts_with(['#', '"']));
        lines.map(|line| line.split(',').collect()).collect()
    }

    #[test]
    fn each_second_of_the_main_latency_is_an_interval() {
        let result = sample::result();
        let log = write(&result);
        assert!(log.starts_with("#[Logged"), "{log}");
        assert!(
            log.contains(
                "\n#[StartTime: 1795874591.020 (seconds since epoch), 2026-11-28T14:03:11Z]\n"
            ),
            "{log}"
        );
        let intervals = intervals(&log);
        let rtt: Vec<_> = intervals
            .iter()
            .filter(|fields| fields[0] == "Tag=rtt")
            .collect();
        assert_eq!(rtt.len(), result.series.rows.len());
        assert_eq!(rtt[1][1..3], ["1.000", "1.000"]);
        let counts = rtt
            .iter()
            .map(|fields| hdr::decoded(fields[4]).unwrap().len());
        assert_eq!(counts.sum::<u64>(), result.latency.rtt.count);
        // Microseconds have become nanoseconds, within three digits.
        let most = rtt.iter().map(|fields| fields[3].parse::<f64>().unwrap());
        let most = most.fold(0.0, f64::max);
        let expected = result.latency.rtt.max.unwrap() as f64 / 1e3;
        assert!((most / expected - 1.0).abs() < 2e-3, "{most} {expected}");
        let handshakes = intervals
            .iter()
            .filter(|fields| fields[0] == "Tag=handshake");
        assert_eq!(handshakes.count(), 1);
        let starts: Vec<f64> = intervals
            .iter()
            .map(|fields| fields[1].parse().unwrap())
            .collect();
        assert!(starts.is_sorted());
    }

    #[test]
    fn a_name_from_a_file_stays_one_field() {
        assert_eq!(tag("step.a b,c\n"), Some("step.a_b_c_".into()));
        assert_eq!(tag(""), None);
    }
}
