//! What does not add up is kept of each shard, and what a merged result says of all of them follows
//! from that list alone: the order in which it came together cannot show.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::super::figures::Figures;
use super::super::result::sections::{lag, micros_per_message, round};
use super::super::result::{
    BenchResult, Environment, Generator, RemarkInfo, Run, ShardInfo, ShardPart, WorkloadInfo,
};
use super::Part;

/// Below these shares of the measured time that all shards have in common a result is to be read with
/// care, and is none of one load.
const TOGETHER: f64 = 0.9;
const TOO_LITTLE: f64 = 0.5;

/// Names of hosts that are told.
const HOSTS: usize = 3;

/// The shards of a result, merged or not.
pub(super) fn of(result: &BenchResult) -> Vec<ShardPart> {
    if !result.shards.is_empty() {
        return result.shards.clone();
    }
    let (run, shard) = (&result.run, &result.shard);
    let main = result.main_latency();
    let latency = (main.get)(result);
    vec![ShardPart {
        index: shard.index,
        run_id: run.id.clone(),
        version: run.version.clone(),
        host: result.environment.host.clone(),
        cpus: result.environment.cpus,
        targets: result.workload.targets.clone(),
        started_at: run.started_at.clone(),
        ended_at: run.ended_at.clone(),
        end_reason: run.end_reason.clone(),
        ramp_s: run.ramp_s,
        measured_s: run.measured_s,
        drain_s: run.drain_s,
        clock_offset_us: shard.clock_offset_us,
        clock_error_us: shard.clock_error_us,
        start_lag_us: shard.start_lag_us,
        peak: result.connections.peak,
        opened: result.connections.opened,
        failed: result.connections.failed,
        lost: result.connections.lost,
        sent: result.messages.sent,
        received: result.messages.received,
        latency: main.path.to_owned(),
        p50: latency.p50,
        p99: latency.p99,
        generator: result.generator.clone(),
        target_process: result.target_process.clone(),
        verdict: result.verdict.clone(),
    }]
}

/// All of them, by their index.
pub(super) fn all(parts: &[Part]) -> Vec<ShardPart> {
    let mut all: Vec<_> = parts.iter().flat_map(|part| of(&part.result)).collect();
    all.sort_by_key(|shard| shard.index);
    all
}

pub(super) fn run(shards: &[ShardPart], first: &BenchResult) -> Run {
    let most = |get: fn(&ShardPart) -> f64| shards.iter().map(get).fold(0.0, f64::max);
    let started = shards.iter().map(|shard| &shard.started_at).min();
    let ended = shards.iter().map(|shard| &shard.ended_at).max();
    let is_cut = |shard: &&ShardPart| shard.verdict.partial;
    let reason = shards.iter().find(is_cut).or_else(|| shards.first());
    Run {
        id: id(shards),
        started_at: started.cloned().unwrap_or_default(),
        ended_at: ended.cloned().unwrap_or_default(),
        end_reason: reason
            .map(|shard| shard.end_reason.clone())
            .unwrap_or_default(),
        exit_code: 0,
        ramp_s: most(|shard| shard.ramp_s),
        measured_s: most(|shard| shard.measured_s),
        drain_s: most(|shard| shard.drain_s),
        ..first.run.clone()
    }
}

/// The same shards are the same run, whenever they are merged.
fn id(shards: &[ShardPart]) -> String {
    let mut hash = Sha256::new();
    for shard in shards {
        hash.update(format!("{} {}\n", shard.index, shard.run_id));
    }
    let digits: Vec<String> = hash
        .finalize()
        .iter()
        .take(2)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits.concat()
}

pub(super) fn workload(shards: &[ShardPart], first: &BenchResult) -> WorkloadInfo {
    let targets: BTreeSet<&String> = shards.iter().flat_map(|shard| &shard.targets).collect();
    WorkloadInfo {
        targets: targets.into_iter().cloned().collect(),
        ..first.workload.clone()
    }
}

/// That of the lowest shard, with the names and processors of all.
pub(super) fn environment(shards: &[ShardPart], first: &BenchResult) -> Environment {
    let mut hosts: Vec<(&str, usize)> = Vec::new();
    for shard in shards {
        if hosts.iter().all(|(name, _)| *name != shard.host) {
            hosts.push((&shard.host, shard.cpus));
        }
    }
    let names: Vec<&str> = hosts.iter().take(HOSTS).map(|(name, _)| *name).collect();
    let mut host = names.join(", ");
    if hosts.len() > HOSTS {
        host.push_str(&format!(" and {} more", hosts.len() - HOSTS));
    }
    Environment {
        host,
        cpus: hosts.iter().map(|(_, cpus)| cpus).sum(),
        ..first.environment.clone()
    }
}

pub(super) fn info(shards: &[ShardPart], first: &BenchResult) -> ShardInfo {
    let errors: Option<Vec<u64>> = shards.iter().map(|shard| shard.clock_error_us).collect();
    ShardInfo {
        index: shards.first().map_or(0, |shard| shard.index),
        count: first.shard.count,
        // The times of the series are corrected.
        clock_offset_us: 0,
        clock_error_us: errors.and_then(|errors| errors.into_iter().max()),
        start_lag_us: shards.iter().filter_map(|shard| shard.start_lag_us).max(),
    }
}

/// What is in use once for all processes is added; where each process has a limit of its own the
/// worst is told.
pub(super) fn generator(shards: &[ShardPart], total: &Figures) -> Generator {
    let each = || shards.iter().map(|shard| &shard.generator);
    let worst = |get: fn(&Generator) -> f64| each().map(get).fold(0.0, f64::max);
    // Where the server is in a shard's process, its part of the CPU is not known.
    let is_told = each().any(|one| one.cpu_per_message_us.is_some());
    let cpu = shards
        .iter()
        .map(|shard| shard.generator.cpu_percent / 100.0 * shard.measured_s);
    Generator {
        cpu_percent: round(each().map(|one| one.cpu_percent).sum(), 1),
        cpu_per_message_us: micros_per_message(total, cpu.sum()).filter(|_| is_told),
        busiest_thread_percent: worst(|one| one.busiest_thread_percent),
        sched_lag_us: lag(total),
        rss_peak_bytes: each().map(|one| one.rss_peak_bytes).sum(),
        fds_peak: each().map(|one| one.fds_peak).max().unwrap_or(0),
        ports_percent: worst(|one| one.ports_percent),
        threads: each().map(|one| one.threads).sum(),
    }
}

/// Why the result is not to be believed, and what else should be known.
pub(super) fn remarks(
    shards: &[ShardPart],
    first: &BenchResult,
) -> (Vec<RemarkInfo>, Vec<RemarkInfo>) {
    let mut invalid = gathered(shards, |shard| &shard.verdict.invalid_reasons);
    let mut warnings = Vec::new();
    let remark = |code: &str, text: String| RemarkInfo {
        code: code.into(),
        text,
    };
    let missing = missing(shards, first.shard.count);
    if !missing.is_empty() {
        warnings.push(remark(
            "missing",
            format!(
                "{} of {} shards are missing: {}",
                missing.len(),
                first.shard.count,
                numbers(&missing)
            ),
        ));
    }
    if let Some((together, longest)) = together(shards, first.workload.warmup_s) {
        let text = format!(
            "all shards measured together for {together:.1} of {longest:.1} s: --start-at lets them begin at once"
        );
        if together < longest * TOO_LITTLE {
            invalid.push(remark("skew", text));
        } else if together < longest * TOGETHER {
            warnings.push(remark("skew", text));
        }
    }
    let targets: BTreeSet<&String> = shards.iter().flat_map(|shard| &shard.targets).collect();
    if targets.len() > 1 {
        let targets: Vec<&str> = targets.into_iter().map(String::as_str).collect();
        warnings.push(remark(
            "targets",
            format!("the shards loaded several targets: {}", targets.join(" ")),
        ));
    }
    let versions: BTreeSet<&String> = shards.iter().map(|shard| &shard.version).collect();
    if versions.len() > 1 {
        let versions: Vec<&str> = versions.into_iter().map(String::as_str).collect();
        warnings.push(remark(
            "versions",
            format!(
                "the shards are of several versions: {}",
                versions.join(", ")
            ),
        ));
    }
    warnings.extend(gathered(shards, |shard| &shard.verdict.warnings));
    (invalid, warnings)
}

/// The same words of several shards are said once, with who says them.
fn gathered(shards: &[ShardPart], get: fn(&ShardPart) -> &Vec<RemarkInfo>) -> Vec<RemarkInfo> {
    let mut order: Vec<&RemarkInfo> = Vec::new();
    let mut by: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for shard in shards {
        for remark in get(shard) {
            let said_by = by.entry((&remark.code, &remark.text)).or_default();
            if said_by.is_empty() {
                order.push(remark);
            }
            said_by.push(shard.index);
        }
    }
    let said = |remark: &&RemarkInfo| {
        let by = &by[&(remark.code.as_str(), remark.text.as_str())];
        let who = match by.len() {
            all if all == shards.len() && all > 1 => "every shard".to_owned(),
            _ => format!("shard {}", numbers(by)),
        };
        RemarkInfo {
            code: remark.code.clone(),
            text: format!("{who}: {}", remark.text),
        }
    };
    order.iter().map(said).collect()
}

/// Those of `count` that are not there.
pub(super) fn missing(shards: &[ShardPart], count: usize) -> Vec<usize> {
    let there: BTreeSet<usize> = shards.iter().map(|shard| shard.index).collect();
    (0..count).filter(|index| !there.contains(index)).collect()
}

/// Shards as people number them: `1, 3`.
pub(super) fn numbers(indexes: &[usize]) -> String {
    const MOST: usize = 10;
    let shown = indexes
        .iter()
        .take(MOST)
        .map(|index| (index + 1).to_string());
    let mut shown = shown.collect::<Vec<_>>().join(", ");
    if indexes.len() > MOST {
        shown.push_str(&format!(" and {} more", indexes.len() - MOST));
    }
    shown
}

/// For how many seconds all of them measured, and how long the longest did; `None` for one shard.
fn together(shards: &[ShardPart], warmup_s: f64) -> Option<(f64, f64)> {
    if shards.len() < 2 {
        return None;
    }
    let mut all = (f64::NEG_INFINITY, f64::INFINITY);
    for shard in shards {
        let begin = seconds(&shard.started_at, shard.clock_offset_us)? + shard.ramp_s + warmup_s;
        all = (all.0.max(begin), all.1.min(begin + shard.measured_s));
    }
    let longest = shards
        .iter()
        .map(|shard| shard.measured_s)
        .fold(0.0, f64::max);
    Some(((all.1 - all.0).max(0.0), longest))
}

/// Seconds since 1970 of a time in a result.
pub(super) fn seconds(time: &str, offset_us: i64) -> Option<f64> {
    let stamp: jiff::Timestamp = time.parse().ok()?;
    let since = SystemTime::from(stamp).duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or(Duration::ZERO);
    Some(since.as_secs_f64() + offset_us as f64 / 1e6)
}
