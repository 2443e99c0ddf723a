//! `md`: Markdown for the comment on a pull request. The verdict comes first, and what is long is folded.

use std::fmt::Write as _;

use super::comparison::md::table;
use super::comparison::text::counts;
use super::words::{millis, shown, verdict};
use super::{Entry, Form};
use super::{found, shards};
use crate::bench::result::table::{COUNTERS, HANDSHAKE, LATENCIES, STEPS};
use crate::bench::result::{BenchResult, LatencyInfo};
use crate::model::units::{Thousands, show_size};
use crate::text::sanitize;

pub(super) const ENTRY: Entry = Entry {
    name: "md",
    help: "Markdown, for a comment on a pull request",
    form: Form::File(|result, _| write(result).into_bytes()),
};

fn write(result: &BenchResult) -> String {
    let mut page = String::new();
    head(result, &mut page);
    thresholds(result, &mut page);
    if let Some(baseline) = &result.baseline {
        let _ = writeln!(
            page,
            "Baseline {}: {}",
            text(&baseline.name),
            counts(&baseline.figures)
        );
        table(&baseline.figures, ["baseline", "this run"], &mut page);
    }
    if let Some(found) = &result.find_max {
        let _ = writeln!(page, "Find max: {}\n", text(&found::line(found)));
        cells(&found::HEADS, found::rows(found), &mut page);
    }
    latencies(result, &mut page);
    if !result.shards.is_empty() {
        cells(&shards::HEADS, shards::rows(&result.shards), &mut page);
    }
    folded(result, &mut page);
    page
}

// Writing to a String never fails.

fn head(result: &BenchResult, page: &mut String) {
    let workload = &result.workload;
    let _ = writeln!(page, "### wscope bench: {}\n", text(&verdict(result)));
    let _ = writeln!(
        page,
        "{} on {}, {} connections, {} loop{}, {:.1} s measured: sent {} ({}/s), received {} ({}/s), unanswered {}, lost {}\n",
        text(&workload.mode),
        text(&workload.targets.join(" ")),
        Thousands(workload.connections as u64),
        text(&workload.pace),
        workload.rate.map_or_else(String::new, |rate| format!(
            " at {}/s",
            Thousands(rate as u64)
        )),
        result.run.measured_s,
        Thousands(result.messages.sent),
        Thousands(result.messages.sent_rate as u64),
        Thousands(result.messages.received),
        Thousands(result.messages.received_rate as u64),
        Thousands(result.messages.unanswered),
        Thousands(result.connections.lost),
    );
    let reasons = result
        .verdict
        .invalid_reasons
        .iter()
        .map(|reason| ("Suspect", reason));
    let warnings = result
        .verdict
        .warnings
        .iter()
        .map(|warning| ("Warning", warning));
    let mut any = false;
    for (word, remark) in reasons.chain(warnings) {
        let _ = writeln!(page, "- {word}: {}", text(&remark.text));
        any = true;
    }
    if any {
        page.push('\n');
    }
}

fn thresholds(result: &BenchResult, page: &mut String) {
    if result.thresholds.is_empty() {
        return;
    }
    page.push_str("| | threshold | limit | value |\n|---|---|--:|--:|\n");
    for threshold in &result.thresholds {
        let (limit, value) = shown(threshold);
        let _ = writeln!(
            page,
            "| {} | {} | {} {limit} | {value} |",
            match threshold {
                _ if threshold.left_to_merge => "left to the merge",
                _ if threshold.passed => "ok",
                _ => "**FAIL**",
            },
            text(&threshold.metric),
            text(&threshold.op),
        );
    }
    page.push('\n');
}

/// A table of texts.
fn cells<const N: usize>(
    heads: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
    page: &mut String,
) {
    let _ = writeln!(page, "| {} |\n|{}", heads.join(" | "), "--:|".repeat(N));
    for row in rows {
        let row = row.map(|cell| text(&cell));
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
    page.push('\n');
}

fn latencies(result: &BenchResult, page: &mut String) {
    page.push_str(
        "| ms | count | min | p50 | p90 | p99 | p99.9 | p99.99 | max |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let main = result.main_latency();
    for row in LATENCIES {
        let info = (row.get)(result);
        if info.count > 0 || row.path == main.path {
            latency(row.title, info, page);
        }
    }
    if result.latency.handshake.total.count > 0 {
        for step in STEPS.iter().filter(|step| (step.get)(result).count > 0) {
            latency(step.title, (step.get)(result), page);
        }
        latency("handshake", (HANDSHAKE.get)(result), page);
    }
    for step in &result.steps {
        if let Some(info) = result.latency.step.get(&step.name) {
            latency(&format!("step {}: {}", step.name, step.text), info, page);
        }
    }
    page.push('\n');
}

fn latency(name: &str, info: &LatencyInfo, page: &mut String) {
    let _ = writeln!(
        page,
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        text(name),
        Thousands(info.count),
        millis(info.min),
        millis(info.p50),
        millis(info.p90),
        millis(info.p99),
        millis(info.p99_9),
        millis(info.p99_99),
        millis(info.max),
    );
}

fn folded(result: &BenchResult, page: &mut String) {
    let all: u64 = result.errors.iter().map(|error| error.count).sum();
    let _ = writeln!(
        page,
        "<details><summary>errors {}, closes, counters, generator</summary>\n",
        Thousands(all)
    );
    if !result.errors.is_empty() {
        page.push_str("| errors | kind | the first |\n|--:|---|---|\n");
        for error in &result.errors {
            let _ = writeln!(
                page,
                "| {} | {} | {} |",
                Thousands(error.count),
                text(&format!("{}/{}", error.phase, error.kind)),
                text(&error.sample),
            );
        }
        page.push('\n');
    }
    page.push_str("| closes | code | by | reason |\n|--:|--:|---|---|\n");
    for close in &result.closes {
        let by = close.detail.as_ref().map_or_else(
            || close.by.clone(),
            |detail| format!("{} ({detail})", close.by),
        );
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            Thousands(close.count),
            close.code,
            text(&by),
            text(close.reason.as_deref().unwrap_or_default()),
        );
    }
    page.push_str("\n| figure | value |\n|---|--:|\n");
    for counter in COUNTERS {
        if let Some(value) = (counter.get)(result) {
            let _ = writeln!(page, "| {} | {} |", text(counter.path), counter.show(value));
        }
    }
    let (generator, environment) = (&result.generator, &result.environment);
    let _ = writeln!(
        page,
        "\nGenerator: {}, {}, {} processors, cpu {:.0}% (busiest thread {:.0}%), rss {}, lag p99 {} ms, wscope {}\n\n</details>",
        text(&environment.os),
        text(&environment.arch),
        environment.cpus,
        generator.cpu_percent,
        generator.busiest_thread_percent,
        show_size(generator.rss_peak_bytes),
        millis(generator.sched_lag_us.p99),
        text(&result.run.version),
    );
}

/// Text that is only text: nothing in it is markup, a link, or somebody's name.
pub(super) fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut last = ' ';
    for c in sanitize::line(text).chars() {
        let before = std::mem::replace(&mut last, c);
        match c {
            // Addresses would become links.
            '.' if before.eq_ignore_ascii_case(&'w') => safe.push_str("&#46;"),
            '/' if before == ':' => safe.push_str("&#47;"),
            '.' | ',' | '/' | ':' | '-' | '%' | '=' | '(' | ')' | '\'' | ';' | '?' => safe.push(c),
            // Within a word it is no emphasis.
            '_' if before.is_alphanumeric() => safe.push(c),
            c if c.is_ascii_punctuation() => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_comment_for_a_pull_request() {
        insta::assert_snapshot!(write(&sample::result()));
    }

    #[test]
    fn what_a_peer_says_is_no_markup() {
        let hostile = "<img src=x> [a](javascript:1) @all `x` | **b** \\ _i_ #1 \u{1b}[2J\nnew";
        let safe = text(hostile);
        assert!(!text("http://a www.b").contains("://a"));
        for sign in ["<", "[", "@", "`", "|", "*", "\\", " _", "\n", "\u{1b}"] {
            assert!(!safe.contains(sign), "{sign}: {safe}");
        }
    }
}
