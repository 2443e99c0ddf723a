//! From a target to a connected socket: resolve, connect, and how long each took.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::stream::Stream;
use super::target::Target;
use crate::error::Error;

/// How to reach an address.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// `--resolve HOST:PORT:IP`: answers that replace DNS.
    pub resolve: Vec<(String, u16, IpAddr)>,
    /// `-4` or `-6`.
    pub family: Option<Family>,
    /// `--unix-socket PATH`: connect here, whatever the URL's host.
    pub unix_socket: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

#[derive(Debug)]
pub struct Dialed {
    pub stream: Stream,
    /// The address that answered, or the path of the unix socket.
    pub peer: String,
    pub dns: Option<Duration>,
    pub tcp: Duration,
}

/// Resolves and connects; several addresses are raced with a head start (RFC 8305).
/// Bounded by the caller's deadline.
///
/// # Errors
/// [`Error::Dns`] or [`Error::Connect`].
pub async fn dial(target: &Target, plan: &Plan) -> Result<Dialed, Error> {
    todo!()
}
