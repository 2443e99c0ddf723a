//! A client over time: dial, talk, and dial again where that is asked for.

use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::connection;
use crate::model::command::Command;
use crate::wire::target::Target;
use crate::wire::{dial, upgrade};

/// Everything that a client needs to know.
#[derive(Debug, Clone)]
pub struct Plan {
    pub target: Target,
    /// Set where several targets are talked to: the `name` of events.
    pub name: Option<Arc<str>>,
    pub dial: dial::Plan,
    pub request: upgrade::Plan,
    /// From DNS to 101.
    pub connect_timeout: Duration,
    /// `-L`: how many redirects to follow; `None` follows none.
    pub redirects: Option<u32>,
    /// `--wait-for-server`: retry the first connect for this long.
    pub wait_for_server: Option<Duration>,
    pub connection: connection::Plan,
    pub reconnect: Option<Reconnect>,
    /// Sent after each open, in order (`-x`, `--execute-file`).
    pub on_open: Vec<Command>,
}

#[derive(Debug, Clone)]
pub struct Reconnect {
    pub max_retries: u32,
    pub backoff: Backoff,
}
