//! A WebSocket server to test clients against: a listener, a task for each peer, a hub that knows
//! them all, and the mode that says what a message leads to.

pub mod mode;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::session::connection;

/// What a server needs to know.
#[derive(Debug, Clone)]
pub struct Plan {
    pub address: Address,
    pub mode: mode::Plan,
    /// `--path`: the paths that are served; empty for all.
    pub paths: Vec<String>,
    /// `--allow-origin`, lower case; `*` allows every origin.
    pub allow_origins: Vec<String>,
    /// `-s`: subprotocols that are chosen when a client offers them, in order of preference; empty
    /// chooses the first that is offered.
    pub subprotocols: Vec<String>,
    pub connection: connection::Plan,
    /// Refuse more with 503.
    pub max_connections: Option<usize>,
    /// How long to wait for the closing handshakes at the end.
    pub drain: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}
