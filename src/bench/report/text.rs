//! `text`: the summary for people. The verdict is on its second line, each block has one unit,
//! zeroes are printed, and every rate says over which time.

use crate::bench::result::table::{LATENCIES, STEPS};
use crate::bench::result::{
    BaselineInfo, BenchResult, CloseCount, ErrorCount, LatencyInfo, ThresholdResult,
};
use crate::model::units::{Thousands, show_size};
use crate::text::sanitize;

use super::comparison::text::{counts, row};
use super::found;
use super::plot::{self, Glyphs};
use super::shards;
use super::words::{heading, millis, percent, share, shown, verdict};
use super::{Entry, Form};

pub(super) const ENTRY: Entry = Entry {
    name: "text",
    help: "the summary that is printed after every run",
    form: Form::File(|result, glyphs| summary(result, glyphs).into_bytes()),
};

/// Columns of bars.
const BAR: usize = 20;
/// Characters of a script's line.
const LINE: usize = 48;

/// The whole summary.
pub(super) fn summary(result: &BenchResult, glyphs: Glyphs) -> String {
    let mut text = Text {
        text: String::new(),
        glyphs,
    };
    text.head(result);
    text.find_max(result);
    text.iterations(result);
    text.connections(result);
    text.fanout(result);
    text.disturbances(result);
    text.latencies(result);
    text.steps(result);
    text.handshake(result);
    text.pictures(result);
    text.errors(&result.errors);
    text.closes(&result.closes);
    text.thresholds(&result.thresholds);
    if let Some(baseline) = &result.baseline {
        text.baseline(baseline);
    }
    for line in shards::block(&result.shards) {
        text.line(format_args!("{line}"));
    }
    text.generator(result);
    text.text
}

struct Text {
    text: String,
    glyphs: Glyphs,
}

impl Text {
    /// Adds a line. What a peer or a file says in it is made harmless here, for all lines.
    fn line(&mut self, args: std::fmt::Arguments<'_>) {
        let line = args.to_string();
        self.text.push_str(&sanitize::line(line.trim_end()));
        self.text.push('\n');
    }

    fn head(&mut self, result: &BenchResult) {
        let run = &result.run;
        self.line(format_args!(
            "wscope bench {}   {}   {}   {}   seed {}   run {}{}",
            run.version,
            result.workload.mode,
            result.workload.targets.join(" "),
            run.started_at.get(..19).unwrap_or_default().to_owned() + "Z",
            run.seed,
            run.id,
            shards::name(result),
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
            "Measured      {:.2} s after {:.1} s warm-up, ramp {:.1} s, drain {:.1} s{}",
            result.run.measured_s,
            result.workload.warmup_s,
            result.run.ramp_s,
            result.run.drain_s,
            shards::late(result),
        ));
        self.line(format_args!(""));
    }

    fn latencies(&mut self, result: &BenchResult) {
        self.line(format_args!(
            "Latency (ms)   {:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "count", "min", "p50", "p90", "p99", "p99.9", "p99.99", "max"
        ));
        for row in LATENCIES {
            let info = (row.get)(result);
            if info.count > 0 || row.path == result.usual_latency().path {
                self.latency(row.title, info, row.note);
            }
        }
        self.line(format_args!(""));
    }

    fn latency(&mut self, name: &str, info: &LatencyInfo, note: &str) {
        self.row(name, info.count, info, note);
    }

    fn row(&mut self, name: &str, count: u64, info: &LatencyInfo, note: &str) {
        self.line(format_args!(
            "  {name:<13}{:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}   {note}",
            Thousands(count).to_string(),
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
        for step in STEPS {
            let info = (step.get)(result);
            if info.count > 0 {
                let part = info.p50.unwrap_or(0) as f64 / whole as f64;
                let bar = self.glyphs.bar(part, BAR);
                self.latency(step.title, info, &bar);
            }
        }
        self.latency("total", &handshake.total, "");
        self.line(format_args!(""));
    }

    /// How the main latency is distributed, and how it went from second to second.
    fn pictures(&mut self, result: &BenchResult) {
        let main = result.main_latency();
        let title = heading(main);
        let samples = (main.get)(result).hdr.decoded();
        let Some(samples) = samples.filter(|samples| !samples.is_empty()) else {
            return;
        };
        let mut left = vec![format!("{title} distribution (ms)")];
        left.extend(plot::distribution(&samples, self.glyphs));
        let seconds = result.series.quantile(main.path, 0.99);
        let right = match seconds.len() {
            // Two points are no picture.
            0..=2 => Vec::new(),
            _ => plot::over_time(&title, &seconds, self.glyphs),
        };
        for line in plot::beside(&left, &right) {
            self.line(format_args!("{line}"));
        }
        self.line(format_args!(""));
    }

    /// What was published, and who got it.
    fn fanout(&mut self, result: &BenchResult) {
        let Some(fanout) = &result.fanout else {
            return;
        };
        let reach = match fanout.reach {
            Some(reach) => format!("{:.4}%", reach * 100.0),
            None => "-".to_owned(),
        };
        self.line(format_args!(
            "Fan-out       published {}   reach {reach} ({} of {})   gaps {}   duplicate {}   out of order {}",
            Thousands(fanout.published),
            Thousands(fanout.delivered),
            Thousands(fanout.expected),
            Thousands(fanout.gaps),
            Thousands(fanout.duplicate),
            Thousands(fanout.out_of_order),
        ));
        self.line(format_args!(
            "              {} publishing in {} groups, heard by {}",
            Thousands(fanout.publishers as u64),
            Thousands(fanout.groups as u64),
            sanitize::line(&fanout.audience),
        ));
        self.line(format_args!(""));
    }

    /// The steps of a search; everything else is of the one that was found.
    fn find_max(&mut self, result: &BenchResult) {
        let Some(found) = &result.find_max else {
            return;
        };
        self.line(format_args!("Find max      {}", found::line(found)));
        for [tried, judged, measured, failed, lost, reasons] in found::rows(found) {
            self.line(format_args!(
                "  {tried:>12}   {judged:<10} {measured:<14} failed {failed}   lost {lost}   {reasons}",
            ));
        }
        self.line(format_args!(""));
    }

    /// What was done to the connections on purpose.
    fn disturbances(&mut self, result: &BenchResult) {
        if let Some(storms) = &result.storms {
            self.line(format_args!(
                "Storms        {} every {} s   recovered {}   connections dropped {}   messages cut {}",
                Thousands(storms.begun),
                storms.every_s,
                Thousands(storms.recovered),
                Thousands(storms.dropped),
                Thousands(storms.cut),
            ));
        }
        if let Some(slow) = &result.slow {
            self.line(format_args!(
                "Slow          {} {}/s each ({} in all), left out of messages and latencies   lost {}",
                match slow.connections {
                    1 => "1 connection reads".to_owned(),
                    many => format!("{} connections read", Thousands(many as u64)),
                },
                show_size(slow.rate as u64),
                show_size(slow.received_bytes),
                Thousands(slow.lost),
            ));
        }
        if result.storms.is_some() || result.slow.is_some() {
            self.line(format_args!(""));
        }
    }

    /// How often a script was played.
    fn iterations(&mut self, result: &BenchResult) {
        let Some(played) = &result.iterations else {
            return;
        };
        let path = result.workload.script.as_deref().unwrap_or_default();
        self.line(format_args!(
            "Script        {}   played {} ({:.1}/s)   passed {}   failed {}{}   unfinished {}   dropped {}   users {}",
            path,
            Thousands(played.passed + played.failed),
            played.rate,
            Thousands(played.passed),
            Thousands(played.failed),
            share(played.failed, played.passed + played.failed),
            Thousands(played.unfinished),
            Thousands(played.dropped),
            Thousands(result.workload.connections as u64),
        ));
    }

    /// How long the steps of a script took, and whether they held.
    fn steps(&mut self, result: &BenchResult) {
        if result.steps.is_empty() {
            return;
        }
        self.line(format_args!(
            "Steps (ms)     {:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "count", "min", "p50", "p90", "p99", "p99.9", "p99.99", "max"
        ));
        for step in &result.steps {
            if let Some(info) = result.latency.step.get(&step.name) {
                let ended = step.passed + step.failed;
                self.row(&step.name, ended, info, &first_of(&step.text));
            }
        }
        self.line(format_args!(""));
        let (passed, failed) = result
            .checks
            .iter()
            .fold((0, 0), |(passed, failed), check| {
                (passed + check.passed, failed + check.failed)
            });
        self.line(format_args!(
            "Checks       {} of {} held ({:.2}%)",
            Thousands(passed),
            Thousands(passed + failed),
            percent(passed, passed + failed),
        ));
        for check in result.checks.iter().filter(|check| check.failed > 0) {
            self.line(format_args!(
                "             FAIL  step {:<6} {} of {} held   {}",
                check.name,
                Thousands(check.passed),
                Thousands(check.passed + check.failed),
                first_of(&check.text),
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
                error.sample,
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
                let reason = close
                    .reason
                    .as_ref()
                    .map_or_else(String::new, |reason| format!(" \"{reason}\""));
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
            let (limit, value) = shown(threshold);
            self.line(format_args!(
                "{:<12} {:<4}  {:<22} {} {:<10} {}",
                if at == 0 { "Thresholds" } else { "" },
                match threshold {
                    _ if threshold.left_to_merge => "left",
                    _ if threshold.passed => "ok",
                    _ => "FAIL",
                },
                threshold.metric,
                threshold.op,
                limit,
                value,
            ));
        }
        if !thresholds.is_empty() {
            self.line(format_args!(""));
        }
    }

    /// What changed, and what a run is mainly about.
    fn baseline(&mut self, baseline: &BaselineInfo) {
        self.line(format_args!(
            "Baseline     {}   run {} of {}Z   {}",
            baseline.name,
            baseline.id,
            baseline.started_at.get(..19).unwrap_or_default(),
            counts(&baseline.figures),
        ));
        for note in &baseline.notes {
            self.line(format_args!("             differs: {note}"));
        }
        self.line(format_args!(
            "  {:<24}{:>14}{:>14}{:>10}{:>9}",
            "", "baseline", "this run", "change", "noise"
        ));
        for figure in &baseline.figures {
            self.line(format_args!("  {}", row(figure)));
        }
        self.line(format_args!(""));
    }

    fn generator(&mut self, result: &BenchResult) {
        let (used, environment) = (&result.generator, &result.environment);
        self.line(format_args!(
            "Generator    cpu {:.0}% of {} cores (busiest thread {:.0}%){}   lag p50 {} p99 {} max {} ms   rss {}   fds {}/{}   ports {:.0}%",
            used.cpu_percent / environment.cpus.max(1) as f64,
            environment.cpus,
            used.busiest_thread_percent,
            cost(result),
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
                "Server       pid {}   cpu {:.0}% of one core   rss {}",
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

/// What a message costs this machine, by the path that it takes.
fn cost(result: &BenchResult) -> String {
    let path = match result.workload.path.as_str() {
        "light" => "light path",
        "full" => "compressed",
        _ => "script",
    };
    match result.generator.cpu_per_message_us {
        Some(micros) => format!("   {micros:.1} us per message ({path})"),
        None => String::new(),
    }
}

/// The beginning of a line of a script.
fn first_of(line: &str) -> String {
    let shown = sanitize::line(line);
    match shown.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}...", &shown[..end]),
        None => shown.into_owned(),
    }
}
