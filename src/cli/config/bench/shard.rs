//! Which part of a load a process is, and when it begins.

use std::time::SystemTime;

use crate::bench::plan::FANOUT;
use crate::bench::shard::{Choice, Shard, detect};
use crate::bench::start::StartAt;
use crate::cli::args::{Load, Shards};
use crate::cli::config::Environment;
use crate::error::Error;

/// Which part of the load this process is.
pub(super) fn shard(
    shards: &Shards,
    environment: &Environment,
    notes: &mut Vec<String>,
) -> Result<Shard, Error> {
    match shards.shard {
        None => Ok(Shard::WHOLE),
        Some(Choice::Given(shard)) => Ok(shard),
        Some(Choice::Auto(count)) => {
            let variable = |name: &str| environment.get(name)?.into_string().ok();
            let found = detect(count, variable).map_err(|wrong| {
                Error::usage_hint(format!("--shard: {wrong}"), "--shard 1/4 says it itself")
            })?;
            notes.push(format!("shard {} ({})", found.shard, found.by));
            Ok(found.shard)
        }
    }
}

/// What one process has to do alone.
pub(super) fn check_shard(load: &Load, shard: Shard) -> Result<(), Error> {
    let indivisible = [
        (
            *load.mode == FANOUT,
            "--mode fanout",
            "who gets a message, and how late, is seen by the one clock of a process that has them all",
        ),
        (
            load.storm.is_some(),
            "--storm",
            "when all connections are back is known only where all of them are",
        ),
        (
            load.slow.is_some(),
            "--slow",
            "which connections are slow is counted within one process",
        ),
        (
            load.find_max.is_some(),
            "--find-max",
            "each step of a search follows from what the whole load came to",
        ),
    ];
    let mut wrong = indivisible.iter().filter(|(given, ..)| *given);
    match wrong.next() {
        Some((_, flag, why)) if !shard.is_whole() => Err(Error::usage_hint(
            format!("{flag} cannot be divided into shards: {why}"),
            format!("leave out --shard, or {flag}"),
        )),
        _ => Ok(()),
    }
}

pub(super) fn start_at(shards: &Shards) -> Result<Option<SystemTime>, Error> {
    let resolve = |at: StartAt| at.resolve(SystemTime::now());
    let at = shards.start_at.map(resolve).transpose();
    at.map_err(|wrong| Error::usage(format!("--start-at: {wrong}")))
}
