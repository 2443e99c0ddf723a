//! A WebSocket server to test clients against: a listener, a task for each peer, a hub that knows
//! them all, and the mode that says what a message leads to.

mod admission;
mod attempts;
pub mod auth;
mod bus;
pub mod expectation;
pub mod fault;
pub mod files;
mod http;
pub mod hub;
pub mod limits;
mod listener;
pub mod log;
mod metrics;
pub mod mode;
mod opening;
mod peer;
mod proof;
pub mod queue;
mod roster;
mod seat;
mod shape;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

pub use listener::Server;

use self::attempts::Attempts;
use self::auth::Keys;
use self::fault::Faults;
use self::http::Page;
use self::hub::Hub;
use self::limits::Handshakes;
use self::log::Log;
use crate::session::connection;
use crate::session::keepalive::Heartbeat;
use crate::wire::tls;

/// What a server needs to know.
#[derive(Debug, Clone)]
pub struct Plan {
    pub address: Address,
    /// `--tls-self-signed`, `--tls-cert`: speak TLS.
    pub tls: Option<tls::ServerPlan>,
    pub mode: mode::Plan,
    /// `--path`: the paths that are served; empty for all.
    pub paths: Vec<String>,
    /// `--allow-origin`; `*` allows every origin.
    pub allow_origins: Vec<String>,
    /// `-s`: subprotocols that are chosen when a client offers them, in order of preference; empty
    /// chooses the first that is offered.
    pub subprotocols: Vec<String>,
    /// Take what a client offers for permessage-deflate.
    pub compress: bool,
    pub connection: connection::Plan,
    /// What clients have to show.
    pub auth: auth::Plan,
    pub limits: limits::Plan,
    /// Where files go that clients send; `None` stores none.
    pub files: Option<files::Plan>,
    /// What may wait for one peer, and what happens beyond it.
    pub queue: queue::Plan,
    /// Refuse more with 503.
    pub max_connections: Option<usize>,
    /// How long to wait for the closing handshakes at the end.
    pub drain: Duration,
    /// What is to go wrong.
    pub faults: fault::Plan,
    pub log: log::Plan,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Plan {
    /// A server on a free port of 127.0.0.1, with every default.
    pub fn new(mode: mode::Plan) -> Self {
        Self {
            address: Address::Tcp((Ipv4Addr::LOCALHOST, 0).into()),
            tls: None,
            mode,
            paths: Vec::new(),
            allow_origins: Vec::new(),
            subprotocols: Vec::new(),
            compress: true,
            connection: connection::Plan {
                heartbeat: Some(Heartbeat::STANDARD),
                ..connection::Plan::default()
            },
            auth: auth::Plan::default(),
            limits: limits::Plan::default(),
            files: None,
            queue: queue::Plan::default(),
            max_connections: None,
            drain: Duration::from_secs(5),
            faults: fault::Plan::default(),
            log: log::Plan {
                traffic: false,
                room: log::ROOM,
            },
        }
    }
}

/// What all peers of a server share.
struct Shared {
    plan: Plan,
    acceptor: Option<tls::Acceptor>,
    hub: Arc<Hub>,
    log: Log,
    /// One permit for each connection that may be open (`--max-connections`).
    places: Arc<Semaphore>,
    keys: Mutex<Keys>,
    handshakes: Mutex<Handshakes>,
    attempts: Mutex<Attempts>,
    /// Where the last client came: most come to the same path, and share its name.
    path: Mutex<Arc<str>>,
    page: Page,
    /// What is to go wrong; `None` where nothing is.
    faults: Option<Arc<Faults>>,
    /// The server ends: it answers plain HTTP only.
    is_ending: AtomicBool,
}

impl Shared {
    /// A path's name, which is that of the client before where it came to the same one.
    fn path(&self, path: &str) -> Arc<str> {
        let mut last = locked(&self.path);
        if **last != *path {
            *last = path.into();
        }
        Arc::clone(&last)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left half-done is a client's own.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
