//! What a result has counted and timed, as [`Figures`] again. Errors and closes are no part of it: what
//! they are called may be known to a newer version only.

use hdrhistogram::Histogram;

use super::super::figures::{Bytes, Connections, DIGITS, Figures, Iterations, Latency, Messages};
use super::super::result::{BenchResult, Handshake, Latencies, LatencyInfo, StormLatencies};
use super::super::script::Step;
use crate::model::frame::Opcode;
use crate::transcript::outcome::StepKind;

/// The counters of that name in a part of a result; one that is left out does not compile.
macro_rules! counted {
    ($part:expr => $counters:ident: $($counter:ident)+) => {
        $counters { $($counter: $part.$counter),+ }
    };
}

/// # Errors
/// A histogram that is none, or not one of ours.
pub(super) fn of(result: &BenchResult) -> Result<Figures, String> {
    let mut figures = Figures::default();
    for (latency, info) in latencies(&result.latency) {
        figures.add(latency, &histogram(&latency.path(), info)?);
    }
    for (place, step) in result.steps.iter().enumerate() {
        let counted = figures.step(place);
        counted.passed = step.passed;
        counted.failed = step.failed;
        if let Some(info) = result.latency.step.get(&step.name) {
            let samples = histogram(&step.name, info)?;
            // A histogram that grows by itself takes every other one.
            let _ = counted.latency.add(samples);
        }
    }
    figures.connections = counted!(
        result.connections => Connections:
        attempted opened failed lost reconnected
    );
    figures.messages = counted!(
        result.messages => Messages:
        sent received matched unanswered timed_out dropped late duplicate out_of_order
        unexpected
    );
    figures.bytes = counted!(
        result.bytes => Bytes:
        sent_payload sent_wire received_payload received_wire
    );
    if let Some(played) = &result.iterations {
        figures.iterations = counted!(
            played => Iterations:
            started passed failed unmet dropped
        );
    }
    for (name, count) in &result.frames.sent {
        figures.frames_sent[opcode(name)] += count;
    }
    for (name, count) in &result.frames.received {
        figures.frames_received[opcode(name)] += count;
    }
    Ok(figures)
}

/// The steps of its script.
pub(super) fn steps(result: &BenchResult) -> Vec<Step> {
    let step = |info: &super::super::result::StepInfo| Step {
        name: info.name.clone(),
        text: info.text.clone(),
        kind: kind(&info.kind),
    };
    result.steps.iter().map(step).collect()
}

fn kind(name: &str) -> StepKind {
    let all = [StepKind::Connect, StepKind::Send, StepKind::Expect];
    let mut all = all.into_iter();
    all.find(|kind| kind.name() == name)
        .unwrap_or(StepKind::Wait)
}

/// Each latency with its place; without `..`, so that one that is added is not forgotten here.
fn latencies(all: &Latencies) -> Vec<(Latency, &LatencyInfo)> {
    let Latencies {
        unit: _,
        rtt,
        service,
        first_message,
        ping,
        sched_lag,
        send_stall,
        session,
        delivery,
        last_subscriber,
        storm,
        step: _,
        handshake,
    } = all;
    let Handshake {
        total,
        dns,
        tcp,
        proxy,
        tls,
        upgrade,
    } = handshake;
    let StormLatencies {
        recovery,
        handshake: storm_handshake,
    } = storm;
    vec![
        (Latency::Rtt, rtt),
        (Latency::Service, service),
        (Latency::FirstMessage, first_message),
        (Latency::Ping, ping),
        (Latency::SchedLag, sched_lag),
        (Latency::SendStall, send_stall),
        (Latency::Session, session),
        (Latency::Delivery, delivery),
        (Latency::LastSubscriber, last_subscriber),
        (Latency::StormRecovery, recovery),
        (Latency::StormHandshake, storm_handshake),
        (Latency::Handshake, total),
        (Latency::Dns, dns),
        (Latency::Tcp, tcp),
        (Latency::Proxy, proxy),
        (Latency::Tls, tls),
        (Latency::Upgrade, upgrade),
    ]
}

fn histogram(name: &str, info: &LatencyInfo) -> Result<Histogram<u64>, String> {
    let samples = info.hdr.decoded();
    let samples = samples.filter(|samples| samples.sigfig() == DIGITS && samples.low() == 1);
    match samples {
        None => Err(format!("the histogram of {name} cannot be read")),
        Some(samples) if samples.len() != info.count => Err(format!(
            "the histogram of {name} has {} samples, and its count is {}",
            samples.len(),
            info.count
        )),
        Some(samples) => Ok(samples),
    }
}

/// Opcodes that have no name of their own share one.
fn opcode(name: &str) -> usize {
    let mut all = 0..16_u8;
    let found = all.find(|opcode| Opcode::new(*opcode).name() == name);
    usize::from(found.unwrap_or(0xF))
}
