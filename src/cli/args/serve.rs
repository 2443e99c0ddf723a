//! Server flags: who may connect and what becomes of messages.

use std::path::PathBuf;
use std::time::Duration;

use super::value;
use crate::model::units::parse_duration;
use crate::serve::queue::Overflow;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub(in crate::cli) struct Server {
    /// What a message leads to
    #[arg(long, value_name = "MODE", default_value = "echo", value_parser = value::serve_mode())]
    pub mode: String,

    /// Play the server's side of a transcript to every client
    ///
    /// What the transcript expects (<) is sent, what it sends (>) is expected; a client that says
    /// something else is closed with 1008. Several peers are several clients, in the order of their
    /// connects. Values come from set, WSCOPE_VAR_name and WSCOPE_SECRET_name.
    #[arg(long, value_name = "FILE", conflicts_with = "mode")]
    pub script: Option<PathBuf>,

    /// Put this before every echo
    #[arg(long, value_name = "TEXT")]
    pub echo_prefix: Option<String>,

    /// Do not send a broadcast back to its sender
    #[arg(long)]
    pub exclude_sender: bool,

    /// Serve only this path; may be repeated
    #[arg(long, value_name = "PATH", value_parser = value::path)]
    pub path: Vec<String>,

    /// Choose these subprotocols when a client offers them, in order of preference
    ///
    /// Without any, the first that a client offers is chosen.
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', value_parser = value::token)]
    pub subprotocol: Vec<String>,

    /// Let this much wait for a client that does not read what others send
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = value::size)]
    pub queue_bytes: usize,

    /// What to do about a client whose queue is full
    ///
    /// close ends it with 1013; block reads nothing more from those who send to it.
    #[arg(long, value_name = "POLICY", default_value = "close", value_parser = value::overflow())]
    pub overflow: Overflow,

    /// Answer further clients with 503
    #[arg(long, value_name = "N", value_parser = value::count)]
    pub max_connections: Option<usize>,

    /// Wait this long for closing handshakes at the end
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = parse_duration)]
    pub drain: Duration,

    /// Speak TLS with a certificate made for this run, for localhost
    ///
    /// For localhost, 127.0.0.1 and ::1, and valid for 90 days. Says the --pin that clients use.
    #[arg(long, conflicts_with = "tls_cert")]
    pub tls_self_signed: bool,

    /// Speak TLS with this certificate (PEM, with those that lead to the root)
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert, where it is not in the same file
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// Which web pages may connect: the same rule for `serve` and for `listen PORT`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub(in crate::cli) struct Origins {
    /// Let pages of this origin connect; may be repeated, * allows all
    ///
    /// Without it only pages that come from this machine may connect, and clients that send no Origin.
    #[arg(long, value_name = "ORIGIN", value_parser = value::field)]
    pub allow_origin: Vec<String>,
}
