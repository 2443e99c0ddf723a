//! A result is made from a run that has ended.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};

use super::super::failure::Name;
use super::super::figures::{self, Close, Closes, Figures, Latency, Seen};
use super::super::machine;
use super::super::payload::Content;
use super::super::plan::{Pace, Workload};
use super::super::run::Finished;
use super::super::script::Step;
use super::super::shard::Shard;
use super::super::threshold::{Measured, Threshold, Unit};
use super::super::verdict::{self, Facts, Remark};
use super::hash::workload_hash;
use super::series::series;
use super::{
    BenchResult, Bytes, Check, CloseCount, Connections, Environment, ErrorCount, Frames, Generator,
    Handshake, Hdr, Iterations, Lag, Latencies, LatencyInfo, Messages, PERCENTILES, PayloadInfo,
    RemarkInfo, Run, SCHEMA, ShardInfo, StageInfo, StepInfo, TargetProcess, ThresholdResult,
    Verdict, WorkloadInfo,
};
use crate::model::frame::Opcode;
use crate::model::message::Kind;
use crate::model::ndjson;
use std::collections::BTreeMap;

/// What a result is made from, beside the run itself.
#[derive(Debug)]
pub struct Facets<'a> {
    /// What this process did of it.
    pub workload: &'a Workload,
    /// The load of all shards together.
    pub whole: &'a Workload,
    /// When it should have begun (`--start-at`).
    pub start_at: Option<SystemTime>,
    /// Redacted.
    pub target: String,
    pub tls: bool,
    pub compress: bool,
    /// The target is this machine.
    pub local: bool,
    /// The server is in this process, and its CPU time not to be told from the load's.
    pub inside: bool,
    pub thresholds: &'a [Threshold],
}

/// The result of a run; its exit code is not known yet.
pub fn result(finished: &Finished, facets: &Facets<'_>) -> BenchResult {
    let figures = &finished.figures;
    let workload = facets.workload;
    let measured = Measured {
        figures,
        steps: workload.steps(),
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
        .map(|one| judged(one, &measured, workload.shard))
        .collect();
    let open_loop = matches!(workload.pace, Pace::Open { .. });
    let verdict = verdict::judge(&Facts {
        figures,
        open_loop,
        measured: finished.measured,
        busiest: finished.generator.busiest,
        ports: finished.generator.ports,
        // Where they come and go, not all are there at once.
        wanted: if workload.mode.once {
            0
        } else {
            workload.peak()
        },
        peak: finished.peak,
        local: facets.local,
        ended: finished.end_reason,
    });
    BenchResult {
        schema: SCHEMA.into(),
        schema_version: 1,
        run: run(finished, workload.seed),
        workload: workload_info(facets.whole, facets),
        environment: environment(workload),
        shard: ShardInfo::new(workload.shard, start_lag(finished, facets.start_at)),
        verdict: Verdict {
            passed: thresholds.iter().all(|threshold| threshold.passed),
            valid: verdict.is_valid(),
            partial: finished.end_reason.is_cut(),
            warnings: remarks(&verdict.warnings),
            invalid_reasons: remarks(&verdict.invalid),
        },
        connections: connections(finished, workload),
        messages: messages(figures, finished.measured),
        bytes: bytes(figures),
        frames: frames(figures),
        latency: latencies(figures, workload.steps()),
        iterations: workload
            .script
            .as_ref()
            .map(|_| iterations(figures, finished.measured)),
        steps: steps(figures, workload.steps()),
        checks: checks(figures, workload.steps()),
        errors: errors(figures),
        closes: closes(figures),
        thresholds,
        generator: generator(finished, workload.threads, facets.inside),
        target_process: finished.target.map(|target| TargetProcess {
            pid: target.pid,
            cpu_percent: round(target.cpu * 100.0, 1),
            rss_peak_bytes: target.rss_peak,
        }),
        series: series(finished),
        shards: Vec::new(),
    }
}

/// In microseconds.
fn start_lag(finished: &Finished, start_at: Option<SystemTime>) -> Option<i64> {
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    Some(match finished.started_at.duration_since(start_at?) {
        Ok(late) => micros(late),
        Err(early) => -micros(early.duration()),
    })
}

pub(super) fn round(value: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (value * factor).round() / factor
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

pub(super) fn time(at: SystemTime) -> String {
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
        hash: workload_hash(workload, facets.compress, facets.tls),
        mode: workload.mode.name.into(),
        targets: vec![facets.target.clone()],
        connections: workload.peak(),
        pace: pace.into(),
        script: workload.script.as_ref().map(|script| script.path.clone()),
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
        path: match (&workload.script, facets.compress) {
            (Some(_), _) => "script".into(),
            (None, true) => "full".into(),
            (None, false) => "light".into(),
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
        target: workload.most_connections(),
        attempted: counted.attempted,
        opened: counted.opened,
        failed: counted.failed,
        lost: counted.lost,
        reconnected: counted.reconnected,
        peak: finished.peak,
        open_at_end: finished.open_at_end,
    }
}

pub(in crate::bench) fn messages(figures: &Figures, measured: Duration) -> Messages {
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

pub(in crate::bench) fn iterations(figures: &Figures, measured: Duration) -> Iterations {
    let counted = figures.iterations;
    let ended = (counted.passed + counted.failed) as f64;
    Iterations {
        started: counted.started,
        passed: counted.passed,
        failed: counted.failed,
        unmet: counted.unmet,
        unfinished: counted
            .started
            .saturating_sub(counted.passed + counted.failed),
        dropped: counted.dropped,
        rate: round(ended / measured.as_secs_f64().max(1e-3), 1),
    }
}

/// Each step with what was counted of it; those that were never reached have nothing.
fn counted<'a>(
    figures: &'a Figures,
    steps: &'a [Step],
) -> impl Iterator<Item = (&'a Step, figures::Step)> {
    let steps = steps.iter().enumerate();
    steps.map(|(place, step)| (step, figures.steps.get(place).cloned().unwrap_or_default()))
}

pub(in crate::bench) fn steps(figures: &Figures, steps: &[Step]) -> Vec<StepInfo> {
    let info = |(step, counted): (&Step, figures::Step)| StepInfo {
        name: step.name.clone(),
        text: step.text.clone(),
        kind: step.kind.name().into(),
        passed: counted.passed,
        failed: counted.failed,
    };
    counted(figures, steps).map(info).collect()
}

pub(in crate::bench) fn checks(figures: &Figures, steps: &[Step]) -> Vec<Check> {
    let checks = counted(figures, steps).filter(|(step, _)| step.is_check());
    let check = |(step, counted): (&Step, figures::Step)| Check {
        name: step.name.clone(),
        text: step.text.clone(),
        passed: counted.passed,
        failed: counted.failed,
    };
    checks.map(check).collect()
}

pub(in crate::bench) fn bytes(figures: &Figures) -> Bytes {
    let counted = figures.bytes;
    Bytes {
        sent_payload: counted.sent_payload,
        sent_wire: counted.sent_wire,
        received_payload: counted.received_payload,
        received_wire: counted.received_wire,
    }
}

pub(in crate::bench) fn frames(figures: &Figures) -> Frames {
    Frames {
        sent: by_opcode(&figures.frames_sent),
        received: by_opcode(&figures.frames_received),
    }
}

fn by_opcode(counts: &[u64; 16]) -> BTreeMap<String, u64> {
    let named = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    named
        .map(|(opcode, count)| (Opcode::new(opcode as u8).name().to_owned(), *count))
        .collect()
}

pub(in crate::bench) fn latencies(figures: &Figures, steps: &[Step]) -> Latencies {
    let info = |latency| latency_info(figures.latency(latency));
    Latencies {
        unit: "us".into(),
        rtt: info(Latency::Rtt),
        service: info(Latency::Service),
        first_message: info(Latency::FirstMessage),
        ping: info(Latency::Ping),
        sched_lag: info(Latency::SchedLag),
        send_stall: info(Latency::SendStall),
        session: info(Latency::Session),
        step: counted(figures, steps)
            .map(|(step, counted)| (step.name.clone(), latency_info(&counted.latency)))
            .collect(),
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

impl Hdr {
    /// The histogram; `None` where a file has something else in its place.
    pub fn decoded(&self) -> Option<Histogram<u64>> {
        let bytes = BASE64.decode(&self.data).ok()?;
        Deserializer::new().deserialize(&mut bytes.as_slice()).ok()
    }
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

/// A threshold and what it comes to. A shard judges only what aborts it: that another one's latencies
/// or counts belong to the same figure, it cannot know.
pub(in crate::bench) fn judged(
    threshold: &Threshold,
    measured: &Measured<'_>,
    shard: Shard,
) -> ThresholdResult {
    let (passed, value) = threshold.judge(measured);
    let left_to_merge = !shard.is_whole() && !threshold.aborts;
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
        passed: passed || left_to_merge,
        left_to_merge,
    }
}

fn generator(finished: &Finished, threads: usize, inside: bool) -> Generator {
    let lag = finished.figures.latency(Latency::SchedLag);
    let any = |value: u64| (!lag.is_empty()).then_some(value);
    let used = finished.generator;
    Generator {
        cpu_percent: round(used.cpu * 100.0, 1),
        cpu_per_message_us: cpu_per_message(finished).filter(|_| !inside),
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

fn cpu_per_message(finished: &Finished) -> Option<f64> {
    let messages = finished.figures.messages;
    let count = messages.sent + messages.received;
    let cpu = finished.generator.cpu * finished.measured.as_secs_f64() * 1e6;
    (count > 0).then(|| round(cpu / count as f64, 2))
}
