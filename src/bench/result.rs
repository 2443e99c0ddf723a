//! The result of a run as a value: what every report is made from, and what the JSON file is. Names
//! never change their meaning; `docs/bench-result.v1.schema.json` describes them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

use super::failure::Name;
use super::figures::{Close, Closes, Figures, Latency, Seen};
use super::machine;
use super::payload::Content;
use super::plan::{Pace, Workload};
use super::run::{Finished, Second};
use super::shared::Phase;
use super::threshold::{self, Measured, Threshold, Unit};
use super::verdict::{self, Facts, Remark};
use crate::model::frame::Opcode;
use crate::model::message::Kind;
use crate::model::ndjson;

/// The version of the form of a result.
pub const SCHEMA: &str = "bench-result.v1";

/// Percentiles of a result, and from how many samples on each means something.
pub const PERCENTILES: &[(f64, u64)] = &[
    (50.0, 1),
    (75.0, 1),
    (90.0, 1),
    (95.0, 1),
    (99.0, 1),
    (99.9, 1_000),
    (99.99, 10_000),
];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BenchResult {
    pub schema: String,
    pub schema_version: u32,
    pub run: Run,
    pub workload: WorkloadInfo,
    pub environment: Environment,
    pub verdict: Verdict,
    pub connections: Connections,
    pub messages: Messages,
    pub bytes: Bytes,
    pub frames: Frames,
    pub latency: Latencies,
    pub errors: Vec<ErrorCount>,
    pub closes: Vec<CloseCount>,
    pub thresholds: Vec<ThresholdResult>,
    pub generator: Generator,
    /// The server's process, where `--pid` or `--spawn` named it.
    pub target_process: Option<TargetProcess>,
    pub series: Series,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Run {
    pub id: String,
    pub started_at: String,
    pub ended_at: String,
    pub tool: String,
    pub version: String,
    pub seed: String,
    pub exit_code: u8,
    pub end_reason: String,
    /// Seconds of each part of the run.
    pub ramp_s: f64,
    pub measured_s: f64,
    pub drain_s: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WorkloadInfo {
    pub mode: String,
    pub targets: Vec<String>,
    pub connections: usize,
    /// `closed` or `open`.
    #[serde(rename = "loop")]
    pub pace: String,
    /// Messages per second that were asked for, in an open loop.
    pub rate: Option<f64>,
    pub pipeline: Option<usize>,
    pub stages: Vec<StageInfo>,
    pub payload: PayloadInfo,
    pub warmup_s: f64,
    pub duration_s: Option<f64>,
    pub messages: Option<u64>,
    pub timeout_s: f64,
    pub compress: bool,
    pub tls: bool,
    /// `light` or `full`: what read and wrote the frames; see `compress` and `tls` for why.
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StageInfo {
    pub for_s: f64,
    pub connections: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PayloadInfo {
    /// `text` or `binary`.
    pub kind: String,
    /// `null` where it varies.
    pub bytes: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Environment {
    pub host: String,
    pub os: String,
    pub arch: String,
    pub cpus: usize,
    pub memory_bytes: u64,
    /// Soft and hard limit of open files.
    pub nofile: [u64; 2],
    pub ip_local_port_range: [u16; 2],
    pub tcp_rmem: Vec<u64>,
    pub source_ips: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// Every threshold holds.
    pub passed: bool,
    /// The figures may be believed.
    pub valid: bool,
    /// The run was cut short.
    pub partial: bool,
    pub warnings: Vec<RemarkInfo>,
    pub invalid_reasons: Vec<RemarkInfo>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RemarkInfo {
    pub code: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Connections {
    pub target: usize,
    pub attempted: u64,
    pub opened: u64,
    pub failed: u64,
    pub lost: u64,
    pub reconnected: u64,
    pub peak: usize,
    pub open_at_end: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Messages {
    pub sent: u64,
    pub received: u64,
    pub matched: u64,
    pub unanswered: u64,
    pub timed_out: u64,
    pub dropped: u64,
    pub late: u64,
    pub duplicate: u64,
    pub out_of_order: u64,
    pub unexpected: u64,
    /// Per second of the measured time.
    pub sent_rate: f64,
    pub received_rate: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Bytes {
    pub sent_payload: u64,
    pub sent_wire: u64,
    pub received_payload: u64,
    pub received_wire: u64,
}

/// By the opcode's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Frames {
    pub sent: BTreeMap<String, u64>,
    pub received: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latencies {
    /// `us`: microseconds.
    pub unit: String,
    pub rtt: LatencyInfo,
    pub service: LatencyInfo,
    pub first_message: LatencyInfo,
    pub ping: LatencyInfo,
    pub sched_lag: LatencyInfo,
    pub send_stall: LatencyInfo,
    pub handshake: Handshake,
}

/// The whole opening, and its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Handshake {
    #[serde(flatten)]
    pub total: LatencyInfo,
    pub dns: LatencyInfo,
    pub tcp: LatencyInfo,
    pub proxy: LatencyInfo,
    pub tls: LatencyInfo,
    pub upgrade: LatencyInfo,
}

/// Microseconds. A percentile that has not samples enough is `null`, for it would be the maximum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LatencyInfo {
    pub count: u64,
    pub min: Option<u64>,
    pub max: Option<u64>,
    pub mean: Option<f64>,
    pub stdev: Option<f64>,
    pub p50: Option<u64>,
    pub p75: Option<u64>,
    pub p90: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
    pub p99_9: Option<u64>,
    pub p99_99: Option<u64>,
    pub hdr: Hdr,
}

/// The histogram itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hdr {
    /// `v2-deflate-base64`: HdrHistogram V2, compressed, in base64.
    pub encoding: String,
    pub digits: u8,
    pub data: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorCount {
    pub phase: String,
    pub kind: String,
    pub count: u64,
    pub first_at: String,
    pub connection: u64,
    pub sample: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CloseCount {
    pub code: u16,
    /// `us`, `peer` or `transport`.
    pub by: String,
    /// `fin`, `rst` or `timeout`, for 1006.
    pub detail: Option<String>,
    pub count: u64,
    /// The first reason that was given.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ThresholdResult {
    pub expr: String,
    pub metric: String,
    pub op: String,
    pub limit: f64,
    /// `null` where nothing was measured.
    pub value: Option<f64>,
    /// `us`, `ratio`, `count` or `per_second`.
    pub unit: String,
    pub passed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Generator {
    /// 100 is one processor.
    pub cpu_percent: f64,
    pub busiest_thread_percent: f64,
    pub sched_lag_us: Lag,
    pub rss_peak_bytes: u64,
    pub fds_peak: u64,
    pub ports_percent: f64,
    pub threads: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lag {
    pub p50: Option<u64>,
    pub p99: Option<u64>,
    pub max: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetProcess {
    pub pid: u32,
    pub cpu_percent: f64,
    pub rss_peak_bytes: u64,
}

/// What happened second by second; latencies in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Series {
    pub interval_s: u32,
    pub start: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<f64>>,
}

type Column = (&'static str, fn(&Second) -> f64);

/// The columns of a series, and what makes them.
const COLUMNS: &[Column] = &[
    ("t", |second| round(second.at.as_secs_f64(), 1)),
    ("open", |second| second.open as f64),
    ("connecting", |second| second.connecting as f64),
    ("failed", |second| second.figures.connections.failed as f64),
    ("sent", |second| second.figures.messages.sent as f64),
    ("received", |second| second.figures.messages.received as f64),
    ("errors", |second| threshold::errors(&second.figures) as f64),
    ("bytes_in", |second| {
        second.figures.bytes.received_wire as f64
    }),
    ("bytes_out", |second| second.figures.bytes.sent_wire as f64),
    ("rtt_p50", |second| quantile(second, Latency::Rtt, 0.5)),
    ("rtt_p90", |second| quantile(second, Latency::Rtt, 0.9)),
    ("rtt_p99", |second| quantile(second, Latency::Rtt, 0.99)),
    ("rtt_max", |second| {
        second.figures.latency(Latency::Rtt).max() as f64
    }),
    ("lag_p99", |second| {
        quantile(second, Latency::SchedLag, 0.99)
    }),
    ("cpu", |second| round(second.cpu * 100.0, 1)),
];

fn quantile(second: &Second, latency: Latency, quantile: f64) -> f64 {
    second.figures.latency(latency).value_at_quantile(quantile) as f64
}

fn round(value: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (value * factor).round() / factor
}

/// What a result is made from, beside the run itself.
#[derive(Debug)]
pub struct Facets<'a> {
    pub workload: &'a Workload,
    /// Redacted.
    pub target: String,
    pub tls: bool,
    pub compress: bool,
    /// The target is this machine.
    pub local: bool,
    pub thresholds: &'a [Threshold],
}

/// The result of a run; its exit code is not known yet.
pub fn result(finished: &Finished, facets: &Facets<'_>) -> BenchResult {
    let figures = &finished.figures;
    let workload = facets.workload;
    let measured = Measured {
        figures,
        open: finished.open_at_end,
        time: finished.measured,
        opening: if workload.mode.once {
            finished.measured
        } else {
            finished.ramp
        },
    };
    let thresholds: Vec<_> = facets
        .thresholds
        .iter()
        .map(|one| judged(one, &measured))
        .collect();
    let open_loop = matches!(workload.pace, Pace::Open { .. });
    let verdict = verdict::judge(&Facts {
        figures,
        open_loop,
        measured: finished.measured,
        busiest: finished.generator.busiest,
        ports: finished.generator.ports,
        wanted: workload.peak(),
        peak: finished.peak,
        local: facets.local,
        ended: finished.end_reason,
    });
    BenchResult {
        schema: SCHEMA.into(),
        schema_version: 1,
        run: run(finished, workload.seed),
        workload: workload_info(workload, facets),
        environment: environment(workload),
        verdict: Verdict {
            passed: thresholds.iter().all(|threshold| threshold.passed),
            valid: verdict.is_valid(),
            partial: finished.end_reason.is_cut(),
            warnings: remarks(&verdict.warnings),
            invalid_reasons: remarks(&verdict.invalid),
        },
        connections: connections(finished, workload),
        messages: messages(figures, finished.measured),
        bytes: Bytes {
            sent_payload: figures.bytes.sent_payload,
            sent_wire: figures.bytes.sent_wire,
            received_payload: figures.bytes.received_payload,
            received_wire: figures.bytes.received_wire,
        },
        frames: Frames {
            sent: by_opcode(&figures.frames_sent),
            received: by_opcode(&figures.frames_received),
        },
        latency: latencies(figures),
        errors: errors(figures),
        closes: closes(figures),
        thresholds,
        generator: generator(finished, workload.threads),
        target_process: finished.target.map(|target| TargetProcess {
            pid: target.pid,
            cpu_percent: round(target.cpu * 100.0, 1),
            rss_peak_bytes: target.rss_peak,
        }),
        series: series(finished),
    }
}

fn run(finished: &Finished, seed: u64) -> Run {
    Run {
        id: format!("{:04x}", rand::random::<u16>()),
        started_at: time(finished.started_at),
        ended_at: time(finished.ended_at),
        tool: "wscope".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        seed: format!("{seed:x}"),
        exit_code: 0,
        end_reason: finished.end_reason.name().into(),
        ramp_s: seconds(finished.ramp),
        measured_s: seconds(finished.measured),
        drain_s: seconds(finished.drain),
    }
}

fn time(at: SystemTime) -> String {
    ndjson::rfc3339(at)
}

fn seconds(time: Duration) -> f64 {
    round(time.as_secs_f64(), 3)
}

fn workload_info(workload: &Workload, facets: &Facets<'_>) -> WorkloadInfo {
    let (pace, rate, pipeline) = match workload.pace {
        Pace::Closed { pipeline, .. } => ("closed", None, Some(pipeline)),
        Pace::Open { rate, .. } => ("open", Some(rate.of(workload.connections)), None),
    };
    let stages = workload.ramp.stages.iter().flat_map(|stages| &stages.0);
    WorkloadInfo {
        mode: workload.mode.name.into(),
        targets: vec![facets.target.clone()],
        connections: workload.peak(),
        pace: pace.into(),
        rate,
        pipeline,
        stages: stages
            .map(|stage| StageInfo {
                for_s: seconds(stage.time),
                connections: stage.connections,
            })
            .collect(),
        payload: PayloadInfo {
            kind: match workload.payload.kind {
                Kind::Text => "text".into(),
                Kind::Binary => "binary".into(),
            },
            bytes: match &workload.payload.content {
                Content::Varying(_) => None,
                _ => workload.payload.size(),
            },
        },
        warmup_s: seconds(workload.warmup),
        duration_s: workload.end.duration.map(seconds),
        messages: workload.end.messages,
        timeout_s: seconds(workload.timeout),
        compress: facets.compress,
        tls: facets.tls,
        path: if facets.compress {
            "full".into()
        } else {
            "light".into()
        },
    }
}

fn environment(workload: &Workload) -> Environment {
    let (soft, hard) = machine::file_limits();
    let (low, high) = machine::port_range();
    Environment {
        host: machine::host(),
        os: machine::system(),
        arch: std::env::consts::ARCH.into(),
        cpus: machine::cpus(),
        memory_bytes: machine::memory(),
        nofile: [soft, hard],
        ip_local_port_range: [low, high],
        tcp_rmem: machine::tcp_rmem(),
        source_ips: workload.sources.addresses.len().max(1),
    }
}

fn remarks(remarks: &[Remark]) -> Vec<RemarkInfo> {
    let info = |remark: &Remark| RemarkInfo {
        code: remark.code.into(),
        text: remark.text.clone(),
    };
    remarks.iter().map(info).collect()
}

fn connections(finished: &Finished, workload: &Workload) -> Connections {
    let counted = finished.figures.connections;
    Connections {
        target: workload.peak(),
        attempted: counted.attempted,
        opened: counted.opened,
        failed: counted.failed,
        lost: counted.lost,
        reconnected: counted.reconnected,
        peak: finished.peak,
        open_at_end: finished.open_at_end,
    }
}

fn messages(figures: &Figures, measured: Duration) -> Messages {
    let counted = figures.messages;
    let rate = |count: u64| round(count as f64 / measured.as_secs_f64().max(1e-3), 1);
    Messages {
        sent: counted.sent,
        received: counted.received,
        matched: counted.matched,
        unanswered: counted.unanswered,
        timed_out: counted.timed_out,
        dropped: counted.dropped,
        late: counted.late,
        duplicate: counted.duplicate,
        out_of_order: counted.out_of_order,
        unexpected: counted.unexpected,
        sent_rate: rate(counted.sent),
        received_rate: rate(counted.received),
    }
}

fn by_opcode(counts: &[u64; 16]) -> BTreeMap<String, u64> {
    let named = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    named
        .map(|(opcode, count)| (Opcode::new(opcode as u8).name().to_owned(), *count))
        .collect()
}

fn latencies(figures: &Figures) -> Latencies {
    let info = |latency| latency_info(figures.latency(latency));
    Latencies {
        unit: "us".into(),
        rtt: info(Latency::Rtt),
        service: info(Latency::Service),
        first_message: info(Latency::FirstMessage),
        ping: info(Latency::Ping),
        sched_lag: info(Latency::SchedLag),
        send_stall: info(Latency::SendStall),
        handshake: Handshake {
            total: info(Latency::Handshake),
            dns: info(Latency::Dns),
            tcp: info(Latency::Tcp),
            proxy: info(Latency::Proxy),
            tls: info(Latency::Tls),
            upgrade: info(Latency::Upgrade),
        },
    }
}

fn latency_info(histogram: &Histogram<u64>) -> LatencyInfo {
    let count = histogram.len();
    let any = |value: u64| (count > 0).then_some(value);
    let mean = |value: f64| (count > 0).then(|| round(value, 1));
    let percentile = |at: usize| {
        let (percentile, least) = PERCENTILES[at];
        (count >= least).then(|| histogram.value_at_quantile(percentile / 100.0))
    };
    LatencyInfo {
        count,
        min: any(histogram.min()),
        max: any(histogram.max()),
        mean: mean(histogram.mean()),
        stdev: mean(histogram.stdev()),
        p50: percentile(0),
        p75: percentile(1),
        p90: percentile(2),
        p95: percentile(3),
        p99: percentile(4),
        p99_9: percentile(5),
        p99_99: percentile(6),
        hdr: Hdr {
            encoding: "v2-deflate-base64".into(),
            digits: histogram.sigfig(),
            data: encoded(histogram),
        },
    }
}

fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    // Writing to a Vec cannot fail; counts that do not fit the format cannot be reached.
    let _ = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
    BASE64.encode(bytes)
}

fn errors(figures: &Figures) -> Vec<ErrorCount> {
    let count = |(name, seen): (&Name, &Seen)| ErrorCount {
        phase: name.phase.into(),
        kind: name.kind.clone().into_owned(),
        count: seen.count,
        first_at: time(seen.first_at),
        connection: seen.connection,
        sample: seen.sample.clone(),
    };
    figures.errors.iter().map(count).collect()
}

fn closes(figures: &Figures) -> Vec<CloseCount> {
    let count = |(close, closes): (&Close, &Closes)| CloseCount {
        code: close.code,
        by: close.by.name().into(),
        detail: close.detail.map(str::to_owned),
        count: closes.count,
        reason: closes.reason.clone(),
    };
    figures.closes.iter().map(count).collect()
}

fn judged(threshold: &Threshold, measured: &Measured<'_>) -> ThresholdResult {
    let (passed, value) = threshold.judge(measured);
    ThresholdResult {
        expr: threshold.text.clone(),
        metric: threshold.metric.to_string(),
        op: threshold.comparison.sign().into(),
        limit: threshold.limit,
        value,
        unit: match threshold.metric.unit() {
            Unit::Time => "us",
            Unit::Share => "ratio",
            Unit::Count => "count",
            Unit::Rate => "per_second",
        }
        .into(),
        passed,
    }
}

fn generator(finished: &Finished, threads: usize) -> Generator {
    let lag = finished.figures.latency(Latency::SchedLag);
    let any = |value: u64| (!lag.is_empty()).then_some(value);
    let used = finished.generator;
    Generator {
        cpu_percent: round(used.cpu * 100.0, 1),
        busiest_thread_percent: round(used.busiest * 100.0, 1),
        sched_lag_us: Lag {
            p50: any(lag.value_at_quantile(0.5)),
            p99: any(lag.value_at_quantile(0.99)),
            max: any(lag.max()),
        },
        rss_peak_bytes: used.rss_peak,
        fds_peak: used.files_peak,
        ports_percent: round(used.ports * 100.0, 1),
        threads,
    }
}

fn series(finished: &Finished) -> Series {
    let measured = finished
        .seconds
        .iter()
        .filter(|second| second.phase <= Phase::Drain);
    Series {
        interval_s: 1,
        start: time(finished.started_at),
        columns: COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        rows: measured
            .map(|second| COLUMNS.iter().map(|(_, value)| value(second)).collect())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `BLESS=1 cargo test` writes the file anew; a change of it must only add.
    #[test]
    fn the_schema_in_the_repository_is_that_of_the_result() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/docs/bench-result.v1.schema.json"
        );
        let schema =
            serde_json::to_string_pretty(&schemars::schema_for!(BenchResult)).unwrap() + "\n";
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == schema,
            "{path} is not that of the result: BLESS=1 writes it anew"
        );
    }
}
