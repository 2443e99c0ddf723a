//! What a load does: who connects, how often each says something, when it ends.

use std::sync::Arc;
use std::time::Duration;

use super::payload::{marked, opening, payload};
use crate::bench::fanout::Fanout;
use crate::bench::feed::Feed;
use crate::bench::machine;
use crate::bench::plan::{End, FANOUT, Mode, Pace, Ping, Ramp, Rate, SCRIPT, Sources, Workload};
use crate::bench::reply::Match;
use crate::bench::shard::Shard;
use crate::bench::stages::Stages;
use crate::cli::args::{Bench, Load};
use crate::error::Error;
use crate::model::units::show_duration;
use crate::session::keepalive::Heartbeat;

/// How connections are pinged in a search, unless told: a step is too short for the usual pings.
const STEP_PING: Ping = Ping {
    interval: Duration::from_secs(1),
    timeout: Duration::from_secs(10),
};
/// Connections per second unless told.
const CONNECT_RATE: f64 = 1_000.0;
const DURATION: Duration = Duration::from_secs(10);
/// Each step of a search.
const STEP: Duration = Duration::from_secs(5);
const WARM_UP: Duration = Duration::from_secs(1);
/// How long an answer is waited for, and the first of all.
const TIMEOUT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(2);

/// The whole load; `command` takes the part of it that falls to this process.
pub(super) fn workload(args: &Bench, feed: Feed, shard: Shard) -> Result<Workload, Error> {
    let Bench { load, messages, .. } = args;
    let mode = if load.script.is_some() {
        &SCRIPT
    } else {
        load.mode
    };
    let connections = load.connections;
    let threads = load.threads.unwrap_or_else(machine::cpus).min(connections);
    let once = mode.once;
    let is_script = load.script.is_some();
    let default_rate = if once && !is_script {
        None
    } else {
        Some(CONNECT_RATE)
    };
    let fanout = fanout(args, mode)?;
    let is_counted = load.messages.is_some() || load.rate_stages.is_some();
    // Subscribers are given time to be known to the server.
    let measures_at_once =
        is_counted && fanout.is_none() || load.stages.is_some() || once || !mode.sends;
    let workload = Workload {
        mode,
        connections,
        pace: pace(load, mode)?,
        rate_stages: load.rate_stages.clone(),
        end: end(load),
        payload: match fanout {
            Some(_) => marked(messages, &feed)?,
            None => payload(messages, &feed)?,
        },
        how: if mode.answered {
            messages.how.clone()
        } else {
            Match::Nothing
        },
        opening: opening(messages, &feed)?,
        feed,
        ramp: Ramp {
            rate: load
                .connect_rate
                .map_or(default_rate, |rate| (rate > 0.0).then_some(rate)),
            concurrency: load.connect_concurrency,
            stages: load.stages.clone(),
        },
        warmup: load.warmup.unwrap_or(if measures_at_once {
            Duration::ZERO
        } else {
            WARM_UP
        }),
        grace: load.grace,
        timeout: load.timeout.unwrap_or(TIMEOUT),
        patience: load.timeout.unwrap_or(PATIENCE),
        lifetime: load.lifetime,
        reconnect: load.reconnect,
        storm: load.storm,
        slow: load.slow,
        sync: load.sync,
        ping: ping(load),
        fanout,
        script: None,
        sources: Sources::new(load.source_ip.clone(), machine::ports()),
        threads,
        // All shards share it.
        seed: match shard.is_whole() {
            true => load.seed.unwrap_or_else(rand::random),
            false => load.seed.unwrap_or(0),
        },
        shard: Shard::WHOLE,
        first: 1,
        hold: Arc::default(),
    };
    check_storm(&workload)?;
    check_slow(&workload)?;
    Ok(workload)
}

fn check_storm(workload: &Workload) -> Result<(), Error> {
    let Some(every) = workload.storm else {
        return Ok(());
    };
    if workload.mode.once {
        return Err(Error::usage(format!(
            "--storm does not belong to --mode {}, which opens connections all the time",
            workload.mode.name
        )));
    }
    match workload.end.duration {
        Some(duration) if every >= duration => Err(Error::usage_hint(
            format!(
                "--storm {}: there is none within the {} that are measured",
                show_duration(every),
                show_duration(duration)
            ),
            "a longer --duration, or a storm more often",
        )),
        _ => Ok(()),
    }
}

fn check_slow(workload: &Workload) -> Result<(), Error> {
    match &workload.slow {
        Some(slow) if workload.slow_connections() == 0 => Err(Error::usage_hint(
            format!(
                "--slow {slow}: that is none of {} connections",
                workload.peak()
            ),
            "a larger share, or more --connections",
        )),
        Some(slow) if workload.mode.once => Err(Error::usage(format!(
            "--slow {slow} does not belong to --mode {}, whose connections end after one message",
            workload.mode.name
        ))),
        _ => Ok(()),
    }
}

/// Who publishes, in mode `fanout`.
fn fanout(args: &Bench, mode: &Mode) -> Result<Option<Fanout>, Error> {
    let Bench { load, messages, .. } = args;
    if *mode != FANOUT {
        let given = [
            ("--publishers", load.publishers.is_some()),
            ("--audience", load.audience.is_some()),
        ];
        return match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Error::usage_hint(
                format!("{flag} is for --mode fanout"),
                format!("in --mode {} all connections do the same", mode.name),
            )),
            None => Ok(None),
        };
    }
    if !matches!(messages.how, Match::Echo) {
        return Err(Error::usage_hint(
            "--match does not belong to --mode fanout: a message is known again by its marker",
            "-m '{\"id\":\"{{marker}}\"}' puts it where the server passes it on",
        ));
    }
    let fanout = Fanout {
        publishers: load.publishers.unwrap_or(load.groups),
        groups: load.groups,
        audience: load.audience.and_then(|choice| choice.0),
    };
    let stages = load.stages.as_ref();
    fanout.check(stages.map_or(load.connections, Stages::peak))?;
    if load.pipeline > fanout.places() {
        return Err(Error::usage(format!(
            "--pipeline {}: with {} publishers up to {} messages of each are kept track of",
            load.pipeline,
            fanout.publishers,
            fanout.places()
        )));
    }
    Ok(Some(fanout))
}

fn pace(load: &Load, mode: &Mode) -> Result<Pace, Error> {
    let rate = match (load.rate, load.rate_per_conn) {
        (Some(rate), _) => Some(Rate::Total(rate)),
        (_, Some(rate)) => Some(Rate::PerConnection(rate)),
        _ => load
            .rate_stages
            .as_ref()
            .map(|stages| Rate::Total(stages.peak() as f64)),
    };
    match rate {
        Some(_) if mode.once && *mode != SCRIPT => Err(Error::usage_hint(
            format!("--mode {} has no rate of messages", mode.name),
            "--connect-rate sets how many connections are opened per second",
        )),
        Some(rate) => Ok(Pace::Open {
            rate,
            max_inflight: load.max_inflight,
        }),
        None => Ok(Pace::Closed {
            pipeline: if mode.once { 1 } else { load.pipeline },
            think: load.think,
        }),
    }
}

fn end(load: &Load) -> End {
    let stages = load.stages.as_ref().or(load.rate_stages.as_ref());
    let stages = stages.map(Stages::total);
    let usual = match load.find_max {
        Some(_) => STEP,
        None => DURATION,
    };
    let default = load.messages.is_none().then_some(usual);
    End {
        duration: load.duration.or(stages).or(default),
        messages: load.messages.map(|count| count as u64),
    }
}

/// Connections are pinged unless that is turned off.
fn ping(load: &Load) -> Option<Ping> {
    if load.find_max.is_some() && load.heartbeat.is_none() {
        return Some(STEP_PING);
    }
    let standard = Some(Heartbeat::STANDARD);
    let chosen = load
        .heartbeat
        .as_ref()
        .map_or(standard, |choice| choice.0.clone());
    chosen.map(|heartbeat| Ping {
        interval: heartbeat.interval,
        timeout: heartbeat.timeout,
    })
}
