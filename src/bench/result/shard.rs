//! What a result says of the processes that made it, where they are several.

use serde::{Deserialize, Serialize};

use super::super::shard::Shard;
use super::{Generator, TargetProcess, Verdict};

/// Which part of a load the result is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShardInfo {
    /// From 0; of a merged result the lowest that is in it.
    pub index: usize,
    /// How many the load was divided among; 1 is a load that was not divided.
    pub count: usize,
    /// What is to be added to this machine's times to have the true ones. 0 where nobody has measured
    /// it, as now always.
    pub clock_offset_us: i64,
    /// How far off the true offset may be; `null` where nobody knows.
    pub clock_error_us: Option<u64>,
    /// How much later than `--start-at` said the load began; `null` without it. Of a merged result the
    /// most.
    pub start_lag_us: Option<i64>,
}

impl ShardInfo {
    pub const fn new(shard: Shard, start_lag_us: Option<i64>) -> Self {
        Self {
            index: shard.index,
            count: shard.count,
            clock_offset_us: 0,
            clock_error_us: None,
            start_lag_us,
        }
    }
}

impl Default for ShardInfo {
    /// A load that was not divided.
    fn default() -> Self {
        Self::new(Shard::WHOLE, None)
    }
}

/// A shard of a merged result: what of it does not add up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShardPart {
    /// From 0.
    pub index: usize,
    pub run_id: String,
    pub version: String,
    pub host: String,
    /// Processors of the host.
    pub cpus: usize,
    pub targets: Vec<String>,
    pub started_at: String,
    pub ended_at: String,
    pub end_reason: String,
    pub ramp_s: f64,
    pub measured_s: f64,
    pub drain_s: f64,
    pub clock_offset_us: i64,
    pub clock_error_us: Option<u64>,
    pub start_lag_us: Option<i64>,
    /// The most connections that it had open.
    pub peak: usize,
    pub opened: u64,
    pub failed: u64,
    pub lost: u64,
    pub sent: u64,
    pub received: u64,
    /// The latency that it is mainly about, by its name below `latency`, and its percentiles in
    /// microseconds.
    pub latency: String,
    pub p50: Option<u64>,
    pub p99: Option<u64>,
    pub generator: Generator,
    pub target_process: Option<TargetProcess>,
    /// Of this shard alone; thresholds are judged on the whole.
    pub verdict: Verdict,
}
