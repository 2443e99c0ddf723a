//! Results as people and programs read them: one file per report, all in [`REPORTS`].

pub mod comparison;
mod csv;
mod found;
mod hdr;
mod html;
mod json;
mod junit;
mod md;
mod plot;
pub mod prom;
mod shards;
mod text;
mod words;

pub use self::plot::{Bucket, Glyphs, buckets};
pub use self::words::millis;
use super::result::BenchResult;

/// One form of a result, or of something else that is reported.
#[derive(Debug)]
pub struct Entry<T: 'static = BenchResult> {
    /// What `--report` takes before `=`.
    pub name: &'static str,
    pub help: &'static str,
    pub form: Form<T>,
}

/// How a report is had.
#[derive(Debug)]
pub enum Form<T: 'static = BenchResult> {
    /// Written when all is over.
    File(fn(&T, Glyphs) -> Vec<u8>),
    /// Asked for on a port while the load runs ([`prom`]).
    Port,
}

impl<T> Entry<T> {
    /// The report of a thing; nothing where it is none that is written.
    pub fn written(&self, of: &T, glyphs: Glyphs) -> Vec<u8> {
        match self.form {
            Form::File(write) => write(of, glyphs),
            Form::Port => Vec::new(),
        }
    }
}

/// The reports of `--report NAME=FILE`.
pub const REPORTS: &[Entry] = &[
    json::ENTRY,
    text::ENTRY,
    html::ENTRY,
    csv::ENTRY,
    hdr::ENTRY,
    md::ENTRY,
    junit::ENTRY,
    prom::ENTRY,
];

/// The summary that is printed after every run.
pub fn summary(result: &BenchResult, glyphs: Glyphs) -> String {
    text::summary(result, glyphs)
}

/// Whether it passed, and may be believed, in one line.
pub fn verdict(result: &BenchResult) -> String {
    words::verdict(result)
}

#[cfg(test)]
pub(super) mod sample {
    use super::super::figures::histogram;
    use super::super::result::{
        BenchResult, CloseCount, ErrorCount, Hdr, RemarkInfo, SeriesHistograms, ThresholdResult,
        hdr, latency_info, read,
    };

    /// What a peer may say.
    pub(in crate::bench) const HOSTILE: &str = "<script>alert(1)</script> | \u{1b}[2J \u{202e}&\"'";

    /// Three seconds in which most went well. The peer is hostile, the generator was at its limit, and
    /// one of two thresholds does not hold.
    pub(in crate::bench) fn result() -> BenchResult {
        let first = include_bytes!("../../../tests/cases/bench/first.v1.json");
        let mut result = read(first).unwrap();
        result.run.id = "7f3a".into();
        result.run.version = "1.0.0".into();
        result.run.started_at = "2026-11-28T14:03:11.020000Z".into();
        result.series.start = result.run.started_at.clone();
        let mut all = histogram();
        let mut data = Vec::new();
        for second in 1..=3 {
            let mut samples = histogram();
            for micros in 1..=200 * second {
                samples.record(400 + micros * second).unwrap();
            }
            all.add(&samples).unwrap();
            data.push(hdr::encoded(&samples));
        }
        result.latency.rtt = latency_info(&all);
        assert_eq!(result.latency.rtt.hdr, Hdr::new(&all));
        let row = |t: f64| {
            let columns = result.series.columns.iter();
            columns
                .map(|name| if name == "t" { t } else { 100.0 * t })
                .collect()
        };
        result.series.rows = [1.0, 2.0, 3.0].map(row).into();
        result.series.histograms = vec![SeriesHistograms {
            metric: "rtt".into(),
            data,
        }];
        let threshold =
            |expr: &str, metric: &str, limit, value, unit: &str, passed| ThresholdResult {
                expr: expr.into(),
                metric: metric.into(),
                op: "<".into(),
                limit,
                value: Some(value),
                unit: unit.into(),
                passed,
                left_to_merge: false,
            };
        result.thresholds = vec![
            threshold("rtt.p99<50ms", "rtt.p99", 50_000.0, 2_100.0, "us", true),
            threshold(
                "errors.rate<0.5%",
                "errors.rate",
                0.005,
                0.01,
                "ratio",
                false,
            ),
        ];
        result.verdict.passed = false;
        result.verdict.valid = false;
        result.verdict.invalid_reasons = vec![RemarkInfo {
            code: "cpu".into(),
            text: "the busiest thread used 99% of its processor".into(),
        }];
        result.errors = vec![ErrorCount {
            phase: "handshake".into(),
            kind: "503".into(),
            count: 7,
            first_at: result.run.started_at.clone(),
            connection: 4,
            sample: HOSTILE.into(),
        }];
        result.closes = vec![
            CloseCount {
                code: 1000,
                by: "us".into(),
                detail: None,
                count: 3,
                reason: None,
            },
            CloseCount {
                code: 4001,
                by: "peer".into(),
                detail: None,
                count: 1,
                reason: Some(HOSTILE.into()),
            },
        ];
        result
    }

    #[test]
    fn no_report_lets_a_peer_speak_to_the_reader() {
        for entry in super::REPORTS {
            let written = entry.written(&result(), super::Glyphs::Unicode);
            let text = String::from_utf8(written).unwrap();
            if ["html", "md", "junit"].contains(&entry.name) {
                assert!(!text.contains("<script>alert"), "{}", entry.name);
            }
            let unseen = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
            let found = text.find(|c| unseen(c) || c == '\u{202e}');
            // JSON has its own escapes, and is for programs.
            let found = found.filter(|_| entry.name != "json");
            assert_eq!(found, None, "{}: {text}", entry.name);
        }
    }
}
