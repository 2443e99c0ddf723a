//! The tables of the page: everything that the charts show, and what they do not.

use std::fmt::Write as _;

use super::super::words::{millis, shown};
use super::super::{found, shards};
use super::text;
use crate::bench::result::table::{COUNTERS, HANDSHAKE, LATENCIES, STEPS};
use crate::bench::result::{BenchResult, LatencyInfo, ThresholdResult};
use crate::model::units::{Thousands, show_size};

/// A cell: its class, where it has one, and its text.
pub(super) type Cell = (&'static str, String);

/// A number, or what is aligned like one.
pub(super) fn number(text: impl Into<String>) -> Cell {
    ("", text.into())
}

/// Words, which may be many.
pub(super) fn words(text: impl Into<String>) -> Cell {
    ("text", text.into())
}

/// A table with a title; nothing where it has no rows. Every cell is text.
pub(super) fn table(title: &str, heads: &[&str], rows: &[Vec<Cell>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    // Writing to a String never fails.
    let mut html = format!(
        "<section><h2>{}</h2>\n<div class=\"scroll\"><table>\n",
        text(title)
    );
    if !heads.is_empty() {
        head(heads, rows, &mut html);
    }
    html.push_str("<tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for (class, value) in row {
            let class = match *class {
                "" => String::new(),
                class => format!(" class=\"{class}\""),
            };
            let _ = write!(html, "<td{class}>{}</td>", text(value));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div></section>\n");
    html
}

/// The names above the columns, aligned as what is below them.
fn head(heads: &[&str], rows: &[Vec<Cell>], html: &mut String) {
    html.push_str("<thead><tr>");
    for (at, head) in heads.iter().enumerate() {
        let is_text = rows
            .iter()
            .all(|row| row.get(at).is_some_and(|(class, _)| *class == "text"));
        let class = if is_text { " class=\"text\"" } else { "" };
        let _ = write!(html, "<th{class}>{}</th>", text(head));
    }
    html.push_str("</tr></thead>\n");
}

pub(super) fn thresholds(result: &BenchResult) -> String {
    let row = |threshold: &ThresholdResult| {
        let (limit, value) = shown(threshold);
        let verdict = match threshold {
            ThresholdResult {
                left_to_merge: true,
                ..
            } => ("text", "left to the merge".to_owned()),
            ThresholdResult { passed: true, .. } => ("ok", "ok".to_owned()),
            _ => ("fail", "FAIL".to_owned()),
        };
        vec![
            number(threshold.metric.clone()),
            number(format!("{} {limit}", threshold.op)),
            number(value),
            verdict,
        ]
    };
    let rows: Vec<_> = result.thresholds.iter().map(row).collect();
    table("Thresholds", &["metric", "limit", "value", ""], &rows)
}

/// The loads that a search tried.
pub(super) fn find_max(result: &BenchResult) -> String {
    let Some(found) = &result.find_max else {
        return String::new();
    };
    let rows: Vec<_> = found::rows(found)
        .map(|[tried, judged, measured, failed, lost, reasons]| {
            vec![
                number(tried),
                words(judged),
                number(measured),
                number(failed),
                number(lost),
                words(reasons),
            ]
        })
        .collect();
    table(
        &format!("Find max: {}", found::line(found)),
        &found::HEADS,
        &rows,
    )
}

/// The processes that a merged result is made of.
pub(super) fn shards(result: &BenchResult) -> String {
    let rows: Vec<_> = shards::rows(&result.shards)
        .map(|[shard, host, rest @ .., word]| {
            let mut row = vec![number(shard), words(host)];
            row.extend(rest.map(number));
            row.push(words(word));
            row
        })
        .collect();
    table("Shards", &shards::HEADS, &rows)
}

const PERCENTILES: [&str; 11] = [
    "", "count", "min", "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "max",
];

pub(super) fn latencies(result: &BenchResult) -> String {
    let mut html = String::new();
    let measured = LATENCIES.iter().filter(|row| (row.get)(result).count > 0);
    let rows: Vec<_> = measured
        .map(|row| {
            let note = if row.note.is_empty() {
                String::new()
            } else {
                format!(" ({})", row.note)
            };
            latency(format!("{}{note}", row.title), (row.get)(result))
        })
        .collect();
    html += &table("Latency (ms)", &PERCENTILES, &rows);
    let openings = STEPS.iter().chain([&HANDSHAKE]);
    let rows: Vec<_> = openings
        .filter(|row| (row.get)(result).count > 0)
        .map(|row| latency(row.title.to_owned(), (row.get)(result)))
        .collect();
    html += &table("Opening (ms)", &PERCENTILES, &rows);
    let steps = result.steps.iter().filter_map(|step| {
        let info = result.latency.step.get(&step.name)?;
        let mut row = latency(format!("{} {}", step.name, step.text), info);
        row.push(number(Thousands(step.failed).to_string()));
        Some(row)
    });
    let steps: Vec<_> = steps.collect();
    let heads: Vec<&str> = PERCENTILES.into_iter().chain(["failed"]).collect();
    html += &table("Steps of the script (ms)", &heads, &steps);
    html
}

fn latency(name: String, info: &LatencyInfo) -> Vec<Cell> {
    let mut row = vec![number(name), number(Thousands(info.count).to_string())];
    let values = [
        info.min,
        info.p50,
        info.p75,
        info.p90,
        info.p95,
        info.p99,
        info.p99_9,
        info.p99_99,
        info.max,
    ];
    row.extend(values.map(|value| number(millis(value))));
    row
}

pub(super) fn troubles(result: &BenchResult) -> String {
    let error = |error: &crate::bench::result::ErrorCount| {
        vec![
            number(format!("{}/{}", error.phase, error.kind)),
            number(Thousands(error.count).to_string()),
            number(error.first_at.get(11..19).unwrap_or_default()),
            number(error.connection.to_string()),
            words(error.sample.clone()),
        ]
    };
    let errors: Vec<_> = result.errors.iter().map(error).collect();
    let close = |close: &crate::bench::result::CloseCount| {
        let by = match &close.detail {
            Some(detail) => format!("{} ({detail})", close.by),
            None => close.by.clone(),
        };
        vec![
            number(close.code.to_string()),
            number(Thousands(close.count).to_string()),
            number(by),
            words(close.reason.clone().unwrap_or_default()),
        ]
    };
    let closes: Vec<_> = result.closes.iter().map(close).collect();
    table(
        "Errors",
        &[
            "kind",
            "count",
            "first (UTC)",
            "connection",
            "the first one",
        ],
        &errors,
    ) + &table(
        "Closes",
        &["code", "count", "by", "the first reason"],
        &closes,
    )
}

/// Names and values side by side: what was counted, what was asked for, and on which machine.
pub(super) fn facts(result: &BenchResult) -> String {
    let (workload, environment) = (&result.workload, &result.environment);
    let (generator, run) = (&result.generator, &result.run);
    let pair = |name: &str, value: String| vec![number(name), number(value)];
    let seconds = |value: f64| format!("{value:.2} s");
    let maybe = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let counters = COUNTERS.iter().filter_map(|counter| {
        let value = (counter.get)(result)?;
        Some(pair(counter.path, counter.show(value)))
    });
    let counters: Vec<_> = counters.collect();
    let mut asked = vec![
        pair("mode", workload.mode.clone()),
        pair(
            "connections",
            Thousands(workload.connections as u64).to_string(),
        ),
        pair("loop", workload.pace.clone()),
        pair("rate", maybe(workload.rate.map(|rate| format!("{rate}/s")))),
        pair(
            "pipeline",
            maybe(workload.pipeline.map(|many| many.to_string())),
        ),
        pair(
            "payload",
            format!(
                "{}, {}",
                workload.payload.kind,
                workload
                    .payload
                    .bytes
                    .map_or_else(|| "varying".to_owned(), |bytes| show_size(bytes as u64))
            ),
        ),
        pair("TLS", yes(workload.tls)),
        pair("compression", yes(workload.compress)),
        pair("ramp", seconds(run.ramp_s)),
        pair("warm-up", seconds(workload.warmup_s)),
        pair("measured", seconds(run.measured_s)),
        pair("drain", seconds(run.drain_s)),
        pair("ended by", run.end_reason.clone()),
        pair("seed", run.seed.clone()),
    ];
    if let Some(script) = &workload.script {
        asked.insert(1, pair("script", script.clone()));
    }
    let mut machine = vec![
        pair("host", environment.host.clone()),
        pair("system", format!("{} {}", environment.os, environment.arch)),
        pair("processors", environment.cpus.to_string()),
        pair("memory", show_size(environment.memory_bytes)),
        pair("threads", generator.threads.to_string()),
        pair("cpu", format!("{:.0}%", generator.cpu_percent)),
        pair(
            "busiest thread",
            format!("{:.0}%", generator.busiest_thread_percent),
        ),
        pair(
            "cpu per message",
            maybe(
                generator
                    .cpu_per_message_us
                    .map(|micros| format!("{micros:.2} us")),
            ),
        ),
        pair("lag p50, p99, max", {
            let lag = &generator.sched_lag_us;
            format!(
                "{}, {}, {} ms",
                millis(lag.p50),
                millis(lag.p99),
                millis(lag.max)
            )
        }),
        pair("memory in use", show_size(generator.rss_peak_bytes)),
        pair(
            "open files",
            format!(
                "{} of {}",
                Thousands(generator.fds_peak),
                Thousands(environment.nofile[0])
            ),
        ),
        pair("ports in use", format!("{:.0}%", generator.ports_percent)),
        pair("source addresses", environment.source_ips.to_string()),
    ];
    if let Some(target) = &result.target_process {
        machine.push(pair("server: process", target.pid.to_string()));
        machine.push(pair("server: cpu", format!("{:.0}%", target.cpu_percent)));
        machine.push(pair("server: memory", show_size(target.rss_peak_bytes)));
    }
    format!(
        "<div class=\"facts\">{}{}{}</div>\n",
        table("Counted", &[], &counters),
        table("Workload", &[], &asked),
        table("Generator and environment", &[], &machine),
    )
}

fn yes(it_is: bool) -> String {
    if it_is { "on" } else { "off" }.to_owned()
}
