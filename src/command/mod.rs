//! The subcommands: wiring only. Each takes a plan and runs it to an exit code.

pub mod answers;
mod audience;
pub mod bench;
pub mod connect;
pub mod demo;
mod inputs;
mod leaving;
pub mod limits;
pub mod listen;
mod patience;
pub mod ping;
mod prologue;
pub mod recording;
pub mod saving;
pub mod serve;
mod sessions;
mod signals;
pub mod source;
mod spawn;
pub mod test;
mod upload;
mod viewer;
pub mod volley;

use std::future::pending;
use std::time::Instant;

/// Returns when it is time; never where there is no such time.
async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
