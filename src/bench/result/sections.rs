//! The parts of a result that follow from what was counted and timed, whoever counted it: a run, or the
//! shards of one together.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;

use super::super::figures::{self, Figures, Latency};
use super::super::script::Step;
use super::super::shard::Shard;
use super::super::threshold::{Measured, Threshold};
use super::{
    Bytes, Check, Frames, Handshake, Hdr, Iterations, Lag, Latencies, LatencyInfo, Messages,
    PERCENTILES, RemarkInfo, StepInfo, StormLatencies, ThresholdResult,
};
use crate::model::frame::Opcode;
use crate::model::ndjson;
use crate::model::units::Thousands;

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
        unit: threshold.metric.unit().name().into(),
        passed: passed || left_to_merge,
        left_to_merge,
    }
}

/// What is said of thresholds on percentiles that were judged by too few samples.
pub(in crate::bench) fn few_samples(
    thresholds: &[Threshold],
    measured: &Measured<'_>,
    shard: Shard,
) -> Vec<RemarkInfo> {
    let judged = thresholds.iter();
    let judged = judged.filter(|threshold| shard.is_whole() || threshold.aborts);
    let few = judged.filter_map(|threshold| {
        let (count, least) = threshold.few_samples(measured)?;
        Some(RemarkInfo {
            code: "few_samples".into(),
            text: format!(
                "{} was judged by {count} samples: such a percentile takes {}",
                threshold.text,
                Thousands(least)
            ),
        })
    });
    few.collect()
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
    let mut named = BTreeMap::new();
    for (opcode, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        // Several are "reserved".
        let name = Opcode::new(opcode as u8).name().to_owned();
        *named.entry(name).or_default() += count;
    }
    named
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
        delivery: info(Latency::Delivery),
        last_subscriber: info(Latency::LastSubscriber),
        storm: StormLatencies {
            recovery: info(Latency::StormRecovery),
            handshake: info(Latency::StormHandshake),
        },
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

/// A latency of a result, with the percentiles that it has samples enough for.
pub fn latency_info(histogram: &Histogram<u64>) -> LatencyInfo {
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
        hdr: Hdr::new(histogram),
    }
}

pub(in crate::bench) fn round(value: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (value * factor).round() / factor
}

pub(in crate::bench) fn time(at: SystemTime) -> String {
    ndjson::rfc3339(at)
}

/// How late messages were begun.
pub(in crate::bench) fn lag(figures: &Figures) -> Lag {
    let lag = figures.latency(Latency::SchedLag);
    let any = |value: u64| (!lag.is_empty()).then_some(value);
    Lag {
        p50: any(lag.value_at_quantile(0.5)),
        p99: any(lag.value_at_quantile(0.99)),
        max: any(lag.max()),
    }
}

/// CPU time for a message, from the seconds of all.
pub(in crate::bench) fn micros_per_message(figures: &Figures, cpu: f64) -> Option<f64> {
    let count = figures.messages.sent + figures.messages.received;
    (count > 0).then(|| round(cpu * 1e6 / count as f64, 2))
}
