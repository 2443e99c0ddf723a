//! Connection flags: how to reach an endpoint and what the opening handshake says.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{Reach, value};
use crate::model::units::parse_duration;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(in crate::cli) struct Connection {
    /// Send this header with the handshake; may be repeated
    ///
    /// Order, case and duplicates are kept. @FILE reads one header per line. Upgrade, Connection and
    /// Sec-WebSocket-* belong to the handshake itself: they are dropped, with a note.
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    pub header: Vec<String>,

    /// Offer these subprotocols, in order of preference
    ///
    /// May be repeated, or hold several with commas. A server that chooses none of them is an error
    /// (exit code 5).
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', value_parser = value::token)]
    pub subprotocol: Vec<String>,

    /// Send this Origin
    #[arg(short, long, value_name = "ORIGIN", value_parser = value::field)]
    pub origin: Option<String>,

    /// Send this Host instead of the one in the URL
    #[arg(long, value_name = "HOST", value_parser = value::field)]
    pub host: Option<String>,

    /// Send this User-Agent
    #[arg(long, value_name = "TEXT", value_parser = value::field)]
    pub user_agent: Option<String>,

    /// Authenticate with user name and password (Basic)
    ///
    /// @FILE reads them from a file, env:NAME from an environment variable, cmd:COMMAND from what a
    /// command prints, anew at each connect.
    #[arg(long, value_name = "USER:PASS", conflicts_with = "bearer")]
    pub auth: Option<String>,

    /// Authenticate with a token (Bearer)
    ///
    /// @FILE reads it from a file, env:NAME from an environment variable, cmd:COMMAND from what a
    /// command prints, anew at each connect.
    #[arg(long, value_name = "TOKEN")]
    pub bearer: Option<String>,

    /// Send cookies: NAME=VALUE, or the name of a Netscape cookie file; may be repeated
    #[arg(long, value_name = "NAME=VALUE|FILE")]
    pub cookie: Vec<String>,

    /// Follow redirects
    #[arg(short = 'L', long)]
    pub location: bool,

    /// Follow at most this many redirects
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub max_redirects: u32,

    /// Give up when the handshake is not done after this long
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = value::positive_duration)]
    pub connect_timeout: Duration,

    /// End everything after this long, with exit code 7
    #[arg(long, value_name = "TIME", value_parser = value::positive_duration)]
    pub max_time: Option<Duration>,

    /// Retry the first connect for this long: for a server that is still starting
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub wait_for_server: Option<Duration>,

    /// Use this address for HOST:PORT instead of asking DNS; may be repeated
    #[arg(long, value_name = "HOST:PORT:IP", value_parser = value::resolve)]
    pub resolve: Vec<(String, u16, IpAddr)>,

    /// Connect over IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub ipv4: bool,

    /// Connect over IPv6 only
    #[arg(short = '6', long)]
    pub ipv6: bool,

    /// Connect through this Unix socket, whatever the URL's host is
    #[arg(long, value_name = "PATH", conflicts_with_all = ["ipv4", "ipv6", "resolve"])]
    pub unix_socket: Option<PathBuf>,

    /// Ask for this version of the WebSocket protocol (Sec-WebSocket-Version)
    #[arg(long, value_name = "VERSION", value_parser = ["8", "13"])]
    pub protocol: Option<String>,

    #[command(flatten)]
    pub reach: Reach,
}
