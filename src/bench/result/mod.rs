//! The result of a run as a value: what every report is made from, and what the JSON file is. Names
//! never change their meaning; `docs/bench-result.v1.schema.json` describes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::compare::Figure;

mod hash;
pub mod hdr;
mod make;
mod read;
pub(super) mod sections;
mod series;
mod shard;
pub mod table;

pub use self::make::{Facets, measured, result, workload_info};
pub use self::read::{Unreadable, read};
pub use self::sections::latency_info;
pub use self::shard::{ShardInfo, ShardPart};

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
    #[serde(default)]
    pub shard: ShardInfo,
    pub verdict: Verdict,
    pub connections: Connections,
    pub messages: Messages,
    /// How often a script was played; `null` in every other mode.
    pub iterations: Option<Iterations>,
    /// What was published, and who got it; `null` in every mode but `fanout`.
    #[serde(default)]
    pub fanout: Option<Fanout>,
    /// What `--storm` did.
    #[serde(default)]
    pub storms: Option<Storms>,
    /// The connections of `--slow`; they are in no other figures but those of connections.
    #[serde(default)]
    pub slow: Option<Slow>,
    /// What `--find-max` came to; everything else is of the highest number that held.
    #[serde(default)]
    pub find_max: Option<FoundMax>,
    pub bytes: Bytes,
    pub frames: Frames,
    pub latency: Latencies,
    /// The steps of a script, in their order; their latencies are in `latency.step`.
    pub steps: Vec<StepInfo>,
    /// The expectations of a script, and how often each held.
    pub checks: Vec<Check>,
    pub errors: Vec<ErrorCount>,
    pub closes: Vec<CloseCount>,
    pub thresholds: Vec<ThresholdResult>,
    pub generator: Generator,
    /// The server's process, where `--pid` or `--spawn` named it.
    pub target_process: Option<TargetProcess>,
    pub series: Series,
    /// What the run was compared with (`--baseline`); `null` without one.
    #[serde(default)]
    pub baseline: Option<BaselineInfo>,
    /// Those that a merged result is made of, by their index.
    #[serde(default)]
    pub shards: Vec<ShardPart>,
}

/// An earlier run beside this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BaselineInfo {
    /// As it was named: a saved baseline, or a file.
    pub name: String,
    /// Of the run that it is.
    pub id: String,
    pub started_at: String,
    /// A figure is worse by more than the noise.
    pub worse: bool,
    pub figures: Vec<Figure>,
    /// What differs without forbidding a comparison.
    pub notes: Vec<String>,
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

/// The whole load, also in the result of a shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WorkloadInfo {
    /// `sha256:` over all that makes the load, but for its seed and who takes which part of it.
    #[serde(default)]
    pub hash: String,
    pub mode: String,
    pub targets: Vec<String>,
    pub connections: usize,
    /// `closed` or `open`.
    #[serde(rename = "loop")]
    pub pace: String,
    /// The file that is played in mode `script`.
    pub script: Option<String>,
    /// Messages (scripts in mode `script`) per second that were asked for, in an open loop.
    pub rate: Option<f64>,
    pub pipeline: Option<usize>,
    pub stages: Vec<StageInfo>,
    /// Of `--rate-stages`.
    #[serde(default)]
    pub rate_stages: Vec<RateStageInfo>,
    /// How many publish, in mode `fanout`.
    #[serde(default)]
    pub publishers: Option<usize>,
    /// `null` where connections are in one group.
    #[serde(default)]
    pub groups: Option<usize>,
    /// Seconds between storms.
    #[serde(default)]
    pub storm_s: Option<f64>,
    /// The part of the connections that is slow, and bytes per second of each.
    #[serde(default)]
    pub slow: Option<[f64; 2]>,
    pub payload: PayloadInfo,
    pub warmup_s: f64,
    pub duration_s: Option<f64>,
    pub messages: Option<u64>,
    pub timeout_s: f64,
    pub compress: bool,
    pub tls: bool,
    /// What read and wrote the frames: `light`, `full` (compression) or `script` (sessions). What
    /// that costs is in `generator.cpu_per_message_us`.
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
pub struct RateStageInfo {
    pub for_s: f64,
    /// Messages per second at its end.
    pub rate: f64,
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
    /// Every threshold holds that was judged, and nothing is worse than in the baseline.
    pub passed: bool,
    /// The figures may be believed.
    pub valid: bool,
    /// The run was cut short, or shards of it are missing.
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

/// Times that the script was played in the measured time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Iterations {
    pub started: u64,
    pub passed: u64,
    pub failed: u64,
    /// Those of the failed that no connection is to blame for: a check did not hold.
    #[serde(default)]
    pub unmet: u64,
    /// Still under way when the load was over.
    pub unfinished: u64,
    /// Due, but not begun: every user was at it already.
    pub dropped: u64,
    /// Ended per second of the measured time.
    pub rate: f64,
}

/// What was published in the measured time, and who got it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fanout {
    pub publishers: usize,
    pub groups: usize,
    /// Who was to get a message: `subscribers`, `others`, `all`.
    pub audience: String,
    pub published: u64,
    /// For each message those who were there to get it when it was published.
    pub expected: u64,
    /// Those who got it, the first time.
    pub delivered: u64,
    /// `delivered` / `expected`; `null` where nothing was expected.
    pub reach: Option<f64>,
    /// Deliveries beyond the first.
    pub duplicate: u64,
    /// Messages that a receiver never got, although it got a later one of the same publisher.
    pub gaps: u64,
    /// Messages that came after a later one of the same publisher.
    pub out_of_order: u64,
}

/// All connections were dropped from time to time; how long they took to come back is in
/// `latency.storm`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Storms {
    pub every_s: f64,
    pub begun: u64,
    /// Those after which all connections were back.
    pub recovered: u64,
    /// Connections that were dropped.
    pub dropped: u64,
    /// Messages that were in flight on them; they are not among the unanswered.
    pub cut: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Slow {
    /// 0 to 1.
    pub share: f64,
    pub connections: usize,
    /// Bytes per second that each of them read.
    pub rate: f64,
    /// What they read in the measured time.
    pub received_bytes: u64,
    /// Those that the server ended.
    pub lost: u64,
}

/// How much the server bore while a condition held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FoundMax {
    /// `connections` or `rate` (messages per second).
    pub what: String,
    pub condition: String,
    /// The highest number that was asked for.
    pub most: usize,
    /// The highest number that held; `null` where none did.
    pub found: Option<usize>,
    /// Why it is not more: `condition`, `generator` (this machine was at its limit), `most`, or `stopped`.
    pub limited_by: String,
    /// In the order in which they were made.
    pub steps: Vec<SearchStep>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SearchStep {
    pub value: usize,
    /// `held`, `failed`, or `generator` where this machine was at its limit.
    pub judged: String,
    /// The condition's metric; `null` where nothing was measured.
    pub measured: Option<f64>,
    /// `us`, `ratio`, `count` or `per_second`.
    pub unit: String,
    pub opened: u64,
    pub failed: u64,
    pub lost: u64,
    pub sent_rate: f64,
    /// Codes of the reasons against the step's figures.
    pub reasons: Vec<String>,
}

/// A step of the script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepInfo {
    /// Its line, after `FILE:` in an included file.
    pub name: String,
    /// The line itself.
    pub text: String,
    /// `connect`, `send`, `expect` or `wait`.
    pub kind: String,
    pub passed: u64,
    pub failed: u64,
}

/// An expectation of the script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// Of its step.
    pub name: String,
    pub text: String,
    pub passed: u64,
    pub failed: u64,
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
    /// A script that passed, from when it was due to its end.
    pub session: LatencyInfo,
    /// From when a message was to be published to each one that got it.
    #[serde(default)]
    pub delivery: LatencyInfo,
    /// From when a message was to be published to the last one that got it, where all did.
    #[serde(default)]
    pub last_subscriber: LatencyInfo,
    #[serde(default)]
    pub storm: StormLatencies,
    /// The steps of a script that passed, by their names.
    pub step: BTreeMap<String, LatencyInfo>,
    pub handshake: Handshake,
}

/// Of `--storm`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StormLatencies {
    /// From when all connections were dropped until all were back.
    pub recovery: LatencyInfo,
    /// The openings of those that came back.
    pub handshake: LatencyInfo,
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// `fin`, `rst`, `timeout` or `storm`, for 1006.
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
    /// A shard has not judged it: only all of them together can. `passed` is true then.
    #[serde(default)]
    pub left_to_merge: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Generator {
    /// 100 is one processor.
    pub cpu_percent: f64,
    /// Microseconds of CPU for a message that was sent or received; `null` without messages, and where
    /// the server is in the same process.
    pub cpu_per_message_us: Option<f64>,
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
    /// The main latency of the run, each second as a histogram: percentiles over longer times or over
    /// several runs are made from these.
    #[serde(default)]
    pub histograms: Vec<SeriesHistograms>,
}

/// A latency second by second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SeriesHistograms {
    /// Its name below `latency`.
    pub metric: String,
    /// `v2-deflate-base64`, one for each row.
    pub data: Vec<String>,
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
