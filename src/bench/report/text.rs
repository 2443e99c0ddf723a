//! `text`: the summary for people. The verdict is on its second line, each block has one unit,
//! zeroes are printed, and every rate says over which time.

use std::fmt::Write as _;

use crate::bench::result::{BenchResult, CloseCount, ErrorCount, LatencyInfo, ThresholdResult};
use crate::bench::threshold::Unit;
use crate::model::units::{Thousands, show_size};
use crate::text::sanitize;

use super::Entry;

pub(super) const ENTRY: Entry = Entry {
    name: "text",
    help: "the summary that is printed after every run",
    write: |result| summary(result).into_bytes(),
};

/// Columns of bars.
const BAR: usize = 20;

/// The whole summary.
pub(super) fn summary(result: &BenchResult) -> String {
    let mut text = Text(String::new());
    text.head(result);
    text.connections(result);
    text.latencies(result);
    text.handshake(result);
    text.over_time(result);
    text.errors(&result.errors);
    text.closes(&result.closes);
    text.thresholds(&result.thresholds);
    text.generator(result);
    text.0
}

struct Text(String);

impl Text {
    /// Adds a line. Writing to a String cannot fail.
    fn line(&mut self, args: std::fmt::Arguments<'_>) {
        let start = self.0.len();
        let _ = self.0.write_fmt(args);
        let end = start + self.0[start..].trim_end().len();
        self.0.truncate(end);
        self.0.push('\n');
    }

    fn head(&mut self, result: &BenchResult) {
        let run = &result.run;
        self.line(format_args!(
            "wscope bench {}   {}   {}   {}   seed {}   run {}",
            run.version,
            result.workload.mode,
            sanitize::line(&result.workload.targets.join(" ")),
            run.started_at.get(..19).unwrap_or_default().to_owned() + "Z",
            run.seed,
            run.id,
        ));
        self.line(format_args!(""));
        self.line(format_args!("  {}", verdict(result)));
        self.line(format_args!(""));
    }

    fn connections(&mut self, result: &BenchResult) {
        let (open, messages, bytes) = (&result.connections, &result.messages, &result.bytes);
        self.line(format_args!(
            "Connections   held {} of {}   attempts {}   failed {}{}   lost {}   reconnected {}",
            Thousands(open.peak as u64),
            Thousands(open.target as u64),
            Thousands(open.attempted),
            Thousands(open.failed),
            share(open.failed, open.attempted),
            Thousands(open.lost),
            Thousands(open.reconnected),
        ));
        self.line(format_args!(
            "Messages      sent {} ({}/s)   received {} ({}/s)   unanswered {}   dropped {}   late {:.2}%",
            Thousands(messages.sent),
            Thousands(messages.sent_rate as u64),
            Thousands(messages.received),
            Thousands(messages.received_rate as u64),
            Thousands(messages.unanswered),
            Thousands(messages.dropped),
            percent(messages.late, messages.sent),
        ));
        if messages.duplicate + messages.out_of_order + messages.unexpected > 0 {
            self.line(format_args!(
                "              duplicate {}   out of order {}   unexpected {}",
                Thousands(messages.duplicate),
                Thousands(messages.out_of_order),
                Thousands(messages.unexpected),
            ));
        }
        let per_second =
            |bytes: u64| show_size((bytes as f64 / result.run.measured_s.max(1e-3)) as u64);
        self.line(format_args!(
            "Traffic       out {} payload, {} frames ({}/s)   in {}, {} ({}/s)   deflate {}",
            show_size(bytes.sent_payload),
            show_size(bytes.sent_wire),
            per_second(bytes.sent_wire),
            show_size(bytes.received_payload),
            show_size(bytes.received_wire),
            per_second(bytes.received_wire),
            if result.workload.compress {
                "on"
            } else {
                "off"
            },
        ));
        self.line(format_args!(
            "Measured      {:.2} s after {:.1} s warm-up, ramp {:.1} s, drain {:.1} s",
            result.run.measured_s, result.workload.warmup_s, result.run.ramp_s, result.run.drain_s,
        ));
        self.line(format_args!(""));
    }

    fn latencies(&mut self, result: &BenchResult) {
        let latency = &result.latency;
        self.line(format_args!(
            "Latency (ms)   {:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "count", "min", "p50", "p90", "p99", "p99.9", "p99.99", "max"
        ));
        let rows = [
            ("rtt", &latency.rtt, "from intended send"),
            ("service", &latency.service, "from actual write"),
            ("first message", &latency.first_message, "from the 101"),
            ("ping", &latency.ping, ""),
            ("send stall", &latency.send_stall, ""),
        ];
        for (name, info, note) in rows {
            if info.count > 0 || name == "rtt" {
                self.latency(name, info, note);
            }
        }
        self.line(format_args!(""));
    }

    fn latency(&mut self, name: &str, info: &LatencyInfo, note: &str) {
        self.line(format_args!(
            "  {name:<13}{:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}   {note}",
            Thousands(info.count).to_string(),
            millis(info.min),
            millis(info.p50),
            millis(info.p90),
            millis(info.p99),
            millis(info.p99_9),
            millis(info.p99_99),
            millis(info.max),
        ));
    }

    fn handshake(&mut self, result: &BenchResult) {
        let handshake = &result.latency.handshake;
        if handshake.total.count == 0 {
            return;
        }
        self.line(format_args!(
            "Handshake (ms) {:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}   share of p50",
            "count", "min", "p50", "p90", "p99", "p99.9", "p99.99", "max"
        ));
        let whole = handshake.total.p50.unwrap_or(1).max(1);
        let steps = [
            ("dns", &handshake.dns),
            ("tcp", &handshake.tcp),
            ("proxy", &handshake.proxy),
            ("tls", &handshake.tls),
            ("upgrade", &handshake.upgrade),
        ];
        for (name, info) in steps {
            if info.count > 0 {
                let part = info.p50.unwrap_or(0) as f64 / whole as f64;
                let bar = (part.min(1.0) * BAR as f64).round() as usize;
                self.latency(name, info, &"#".repeat(bar));
            }
        }
        self.latency("total", &handshake.total, "");
        self.line(format_args!(""));
    }

    /// The p99 of each second, as far as there was something to measure.
    fn over_time(&mut self, result: &BenchResult) {
        let columns = &result.series.columns;
        let place = |name: &str| columns.iter().position(|column| column == name);
        let (Some(time), Some(p99)) = (place("t"), place("rtt_p99")) else {
            return;
        };
        let seconds: Vec<(f64, f64)> = result
            .series
            .rows
            .iter()
            .filter_map(|row| Some((*row.get(time)?, *row.get(p99)?)))
            .filter(|(_, p99)| *p99 > 0.0)
            .collect();
        let most = seconds.iter().map(|(_, p99)| *p99).fold(0.0, f64::max);
        if seconds.len() < 3 {
            return;
        }
        self.line(format_args!("RTT p99 per second (ms)"));
        // Longer runs are shown in parts, each by its worst second.
        let each = seconds.len().div_ceil(20);
        for part in seconds.chunks(each) {
            let worst = part.iter().map(|(_, p99)| *p99).fold(0.0, f64::max);
            let bar = "#".repeat((worst / most * 40.0).round().max(1.0) as usize);
            self.line(format_args!(
                "  {:>6.0}s {:>9} |{bar}",
                part[0].0,
                millis(Some(worst as u64))
            ));
        }
        self.line(format_args!(""));
    }

    fn errors(&mut self, errors: &[ErrorCount]) {
        if errors.is_empty() {
            self.line(format_args!("Errors       0"));
        }
        for (at, error) in errors.iter().enumerate() {
            self.line(format_args!(
                "{:<12} {} {}/{}   first {}  connection {}  \"{}\"",
                if at == 0 { "Errors" } else { "" },
                Thousands(error.count),
                error.phase,
                error.kind,
                error.first_at.get(11..23).unwrap_or_default(),
                error.connection,
                sanitize::line(&error.sample),
            ));
        }
    }

    fn closes(&mut self, closes: &[CloseCount]) {
        let shown: Vec<String> = closes
            .iter()
            .map(|close| {
                let detail = close
                    .detail
                    .as_ref()
                    .map_or_else(String::new, |detail| format!(" ({detail})"));
                let reason = close.reason.as_ref().map_or_else(String::new, |reason| {
                    format!(" \"{}\"", sanitize::line(reason))
                });
                format!(
                    "{} x {} by {}{detail}{reason}",
                    Thousands(close.count),
                    close.code,
                    close.by
                )
            })
            .collect();
        let shown = if shown.is_empty() {
            "0".to_owned()
        } else {
            shown.join("   ")
        };
        self.line(format_args!("Closes       {shown}"));
        self.line(format_args!(""));
    }

    fn thresholds(&mut self, thresholds: &[ThresholdResult]) {
        for (at, threshold) in thresholds.iter().enumerate() {
            let unit = match threshold.unit.as_str() {
                "us" => Unit::Time,
                "ratio" => Unit::Share,
                "per_second" => Unit::Rate,
                _ => Unit::Count,
            };
            self.line(format_args!(
                "{:<12} {:<4}  {:<22} {} {:<10} {}",
                if at == 0 { "Thresholds" } else { "" },
                if threshold.passed { "ok" } else { "FAIL" },
                threshold.metric,
                threshold.op,
                unit.show(threshold.limit),
                threshold
                    .value
                    .map_or_else(|| "not measured".to_owned(), |value| unit.show(value)),
            ));
        }
        if !thresholds.is_empty() {
            self.line(format_args!(""));
        }
    }

    fn generator(&mut self, result: &BenchResult) {
        let (used, environment) = (&result.generator, &result.environment);
        self.line(format_args!(
            "Generator    cpu {:.0}% of {} cores (busiest thread {:.0}%)   lag p50 {} p99 {} max {} ms   rss {}   fds {}/{}   ports {:.0}%",
            used.cpu_percent,
            environment.cpus,
            used.busiest_thread_percent,
            millis(used.sched_lag_us.p50),
            millis(used.sched_lag_us.p99),
            millis(used.sched_lag_us.max),
            show_size(used.rss_peak_bytes),
            Thousands(used.fds_peak),
            Thousands(environment.nofile[0]),
            used.ports_percent,
        ));
        if let Some(target) = &result.target_process {
            self.line(format_args!(
                "Server       pid {}   cpu {:.0}%   rss {}",
                target.pid,
                target.cpu_percent,
                show_size(target.rss_peak_bytes)
            ));
        }
        for reason in &result.verdict.invalid_reasons {
            self.line(format_args!("Suspect      {}", reason.text));
        }
        for warning in &result.verdict.warnings {
            self.line(format_args!("Warning      {}", warning.text));
        }
    }
}

/// What a log is searched for: did it pass, and may that be believed.
fn verdict(result: &BenchResult) -> String {
    let (verdict, thresholds) = (&result.verdict, &result.thresholds);
    let held = thresholds
        .iter()
        .filter(|threshold| threshold.passed)
        .count();
    let warnings = verdict.warnings.len();
    let word = match (verdict.passed, verdict.valid) {
        (false, _) => "FAIL",
        (true, false) => "SUSPECT",
        (true, true) if warnings > 0 => "PASS with warnings",
        (true, true) => "PASS",
    };
    let judged = match thresholds.len() {
        0 => "no thresholds".to_owned(),
        all => format!("{held} of {all} thresholds passed"),
    };
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
    format!(
        "{word}   {judged}, {validity}, {warned}, ended by {}",
        result.run.end_reason
    )
}

/// Milliseconds with three digits that mean something; a dash where there are not samples enough.
fn millis(micros: Option<u64>) -> String {
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

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}

fn share(part: u64, whole: u64) -> String {
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
