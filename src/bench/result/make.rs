//! A result is made from a run that has ended.

use std::time::{Duration, SystemTime};

use super::super::failure::Name;
use super::super::fanout as plan;
use super::super::figures::{Close, Closes, Figures, Seen};
use super::super::machine;
use super::super::payload::Content;
use super::super::plan::{Pace, Workload};
use super::super::run::Finished;
use super::super::shared::Phase;
use super::super::threshold::{Measured, Threshold};
use super::super::verdict::{self, Facts, Over, Remark};
use super::hash::workload_hash;
use super::sections::{
    bytes, checks, few_samples, frames, iterations, judged, lag, latencies, messages,
    micros_per_message, round, steps, time,
};
use super::series::series;
use super::{
    BenchResult, CloseCount, Connections, Environment, ErrorCount, Fanout, Generator, PayloadInfo,
    RateStageInfo, RemarkInfo, Run, SCHEMA, ShardInfo, Slow, StageInfo, Storms, TargetProcess,
    Verdict, WorkloadInfo,
};
use crate::model::message::Kind;

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
    let measured = measured(finished, workload);
    let thresholds: Vec<_> = facets
        .thresholds
        .iter()
        .map(|one| judged(one, &measured, workload.shard))
        .collect();
    let open_loop = matches!(workload.pace, Pace::Open { .. });
    let facts = Facts {
        figures,
        open_loop,
        measured: finished.measured,
        busiest: busiest(finished, workload.threads, facets.inside),
        ports: finished.generator.ports,
        // Where they come and go, not all are there at once.
        wanted: if workload.mode.once {
            0
        } else {
            workload.peak()
        },
        peak: finished.peak,
        local: facets.local,
        sends: workload.mode.sends,
        ended: finished.end_reason,
        held: finished.held,
    };
    let over = Over {
        pause: longest_pause(finished),
        listens: workload.mode.name == "listen",
    };
    let verdict = verdict::judge_over(&facts, over);
    let few = few_samples(facets.thresholds, &measured, workload.shard);
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
            warnings: [remarks(&verdict.warnings), few].concat(),
            invalid_reasons: remarks(&verdict.invalid),
        },
        connections: connections(finished, workload),
        messages: messages(figures, finished.measured),
        bytes: bytes(figures),
        frames: frames(figures),
        latency: latencies(figures, workload.steps()),
        find_max: None,
        iterations: workload
            .script
            .as_ref()
            .map(|_| iterations(figures, finished.measured)),
        fanout: workload.fanout.map(|plan| fanout(figures, plan)),
        storms: workload.storm.map(|every| Storms {
            every_s: seconds(every),
            begun: figures.storms.begun,
            recovered: figures.storms.recovered,
            dropped: figures.storms.dropped,
            cut: figures.storms.cut,
        }),
        slow: workload.slow.map(|slow| Slow {
            share: slow.share,
            connections: workload.slow_connections(),
            rate: slow.rate,
            received_bytes: figures.slow.received,
            lost: figures.slow.lost,
        }),
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
        baseline: None,
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

/// What thresholds on a run are judged by.
pub fn measured<'a>(finished: &'a Finished, workload: &'a Workload) -> Measured<'a> {
    Measured {
        figures: &finished.figures,
        steps: workload.steps(),
        open: finished.open_at_end,
        time: finished.measured,
        opening: if workload.mode.once {
            finished.measured
        } else {
            finished.ramp
        },
    }
}

fn run(finished: &Finished, seed: u64) -> Run {
    Run {
        id: format!("{:04x}", rand::random::<u16>()),
        started_at: time(finished.started_at),
        ended_at: time(ended_at(finished)),
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

/// Told from how long it took: the clock may have been set meanwhile.
fn ended_at(finished: &Finished) -> SystemTime {
    let took = finished.seconds.last().map(|second| second.at);
    took.map_or(finished.ended_at, |took| finished.started_at + took)
}

/// How much too long a second took, of those that were measured.
fn longest_pause(finished: &Finished) -> Duration {
    let measured = finished.seconds.iter();
    let measured = measured.filter(|second| second.phase == Phase::Measure);
    let took = measured.map(|second| second.took).max().unwrap_or_default();
    took.saturating_sub(Duration::from_secs(1))
}

/// The busiest thread's part of its processor. A run that was over before a second was has none; its
/// threads are then as busy as they are on average.
fn busiest(finished: &Finished, threads: usize, inside: bool) -> f64 {
    let used = finished.generator;
    if used.busiest > 0.0 || inside {
        return used.busiest;
    }
    (used.cpu / threads.max(1) as f64).min(1.0)
}

fn seconds(time: Duration) -> f64 {
    round(time.as_secs_f64(), 3)
}

/// What a load asks for.
pub fn workload_info(workload: &Workload, facets: &Facets<'_>) -> WorkloadInfo {
    let (pace, rate, pipeline) = match workload.pace {
        Pace::Closed { pipeline, .. } => ("closed", None, Some(pipeline)),
        Pace::Open { rate, .. } => ("open", Some(rate.of(workload.connections)), None),
    };
    let stages = workload.ramp.stages.iter().flat_map(|stages| &stages.0);
    let rate_stages = workload.rate_stages.iter().flat_map(|stages| &stages.0);
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
                connections: stage.level,
            })
            .collect(),
        rate_stages: rate_stages
            .map(|stage| RateStageInfo {
                for_s: seconds(stage.time),
                rate: stage.level as f64,
            })
            .collect(),
        publishers: workload.fanout.map(|fanout| fanout.publishers),
        groups: Some(workload.feed.groups()).filter(|groups| *groups > 1),
        storm_s: workload.storm.map(seconds),
        slow: workload.slow.map(|slow| [slow.share, slow.rate]),
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

fn fanout(figures: &Figures, plan: plan::Fanout) -> Fanout {
    let counted = figures.fanout;
    Fanout {
        publishers: plan.publishers,
        groups: plan.groups,
        audience: plan.audience.unwrap_or_default().name().into(),
        published: counted.published,
        expected: counted.expected(),
        delivered: counted.delivered,
        reach: counted.reach(),
        duplicate: counted.duplicate,
        gaps: counted.gaps(),
        out_of_order: counted.out_of_order,
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

fn generator(finished: &Finished, threads: usize, inside: bool) -> Generator {
    let used = finished.generator;
    let cpu = used.cpu * finished.measured.as_secs_f64();
    Generator {
        cpu_percent: round(used.cpu * 100.0, 1),
        cpu_per_message_us: micros_per_message(&finished.figures, cpu).filter(|_| !inside),
        busiest_thread_percent: round(busiest(finished, threads, inside) * 100.0, 1),
        sched_lag_us: lag(&finished.figures),
        rss_peak_bytes: used.rss_peak,
        fds_peak: used.files_peak,
        ports_percent: round(used.ports * 100.0, 1),
        threads,
    }
}
