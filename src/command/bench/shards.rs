//! One load from many processes: the part of this one, and that all begin together.

use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::talk;
use crate::bench::plan::Workload;
use crate::bench::shard::{Shard, divide};
use crate::bench::threshold::{Threshold, Unit};
use crate::error::Error;
use crate::model::ndjson::rfc3339;
use crate::model::units::show_duration;
use crate::text::output::Output;

/// A clock that is set while it is waited for is looked at again after so long.
const LOOK: Duration = Duration::from_secs(1);

/// The part of the load that falls to this process.
///
/// # Errors
/// There is too little of something to be divided.
pub(super) fn part(whole: &Workload, shard: Shard) -> Result<Workload, Error> {
    divide(whole, shard).map_err(|wrong| Error::usage(format!("--shard {shard}: {wrong}")))
}

/// A shard can be aborted by what is the same for a part and the whole, but not by a sum.
pub(super) fn check_threshold(threshold: &Threshold, shard: Shard) -> Result<(), Error> {
    let adds_up = matches!(threshold.metric.unit(), Unit::Count | Unit::Rate);
    match threshold.aborts && adds_up && !shard.is_whole() {
        true => Err(Error::usage_hint(
            format!(
                "--threshold {}: a shard has only its part of {}, and cannot tell when to abort",
                threshold.text, threshold.metric
            ),
            "without the ! bench merge judges it on all shards",
        )),
        false => Ok(()),
    }
}

/// Waits for the time of `--start-at`, and says how long that is.
pub(super) async fn wait_until(at: SystemTime, output: &Output) {
    let mut left = at.duration_since(SystemTime::now());
    let note = match &left {
        Ok(wait) => format!("begins at {}, in {}", rfc3339(at), show_duration(*wait)),
        Err(late) => format!(
            "begins {} after the time of --start-at",
            show_duration(late.duration())
        ),
    };
    talk(output, &format!("note: the load {note}"));
    while let Ok(wait) = left
        && !wait.is_zero()
    {
        sleep(wait.min(LOOK)).await;
        left = at.duration_since(SystemTime::now());
    }
}
