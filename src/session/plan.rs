//! Everything that a client needs to know: where to, how, and what then.

use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::connection;
use super::secret_source::Secrets;
use crate::model::command::Command;
use crate::wire::target::Target;
use crate::wire::{dial, proxy, tls, upgrade};

/// `--connect-timeout` unless told.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The plan of one client.
#[derive(Debug, Clone)]
pub struct Plan {
    pub target: Target,
    /// Set where several targets are talked to: the `name` of events.
    pub name: Option<Arc<str>>,
    pub dial: dial::Plan,
    /// Which proxy, if any, leads to the target and to where it redirects.
    pub proxy: proxy::Plan,
    pub tls: tls::Plan,
    pub request: upgrade::Plan,
    /// What goes into `request` and `tls` anew at each dial.
    pub secrets: Secrets,
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

impl Plan {
    /// A client of `target` with every default.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            name: None,
            dial: dial::Plan::default(),
            proxy: proxy::Plan::default(),
            tls: tls::Plan::default(),
            request: upgrade::Plan::default(),
            secrets: Secrets::default(),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            redirects: None,
            wait_for_server: None,
            connection: connection::Plan::default(),
            reconnect: None,
            on_open: Vec::new(),
        }
    }
}

/// `-r`: dial again after a connection that ended or was not opened.
#[derive(Debug, Clone, Copy)]
pub struct Reconnect {
    /// Retries since a connection was last open for a while.
    pub max_retries: u32,
    pub backoff: Backoff,
}
