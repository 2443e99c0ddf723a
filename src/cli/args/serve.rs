//! Server flags: who may connect and what becomes of messages.

use std::path::PathBuf;
use std::time::Duration;

use super::value;
use crate::model::units::{Rate, parse_duration, parse_rate};
use crate::serve::expectation::Expectation;
use crate::serve::fault::Fault;
use crate::serve::limits::OnLimit;
use crate::serve::queue::Overflow;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub(in crate::cli) struct Server {
    /// What a message leads to
    #[arg(long, value_name = "MODE", default_value = "echo", value_parser = value::ServeMode)]
    pub mode: value::ModeChoice,

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

    /// Let those who talk in rooms hear themselves
    #[arg(long)]
    pub include_sender: bool,

    /// Keep this many messages of each room, numbered, for those who join
    ///
    /// Who comes back and joins with "since":OFFSET hears what came after that, and "gap":true where some
    /// is not kept any more. All rooms together keep 16 MiB; the path that holds most gives up first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub history: usize,

    /// Serve only this path; may be repeated
    #[arg(long, value_name = "PATH", value_parser = value::path)]
    pub path: Vec<String>,

    /// Choose these subprotocols when a client offers them, in order of preference
    ///
    /// Without any, the first that a client offers is chosen. A client that shows a token after bearer and
    /// offers none of these gets bearer.
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

    /// Take this many messages a second from each client, and a second's worth at once
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub rate_limit: Option<Rate>,

    /// What to do about messages beyond --rate-limit
    ///
    /// delay reads nothing more until they are due; close ends the connection with 1008.
    #[arg(long, value_name = "ACTION", default_value = "delay", value_parser = value::on_limit())]
    pub on_limit: OnLimit,

    /// Answer more requests than this from one address with 429
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub handshake_limit: Option<Rate>,

    /// Send heartbeats as pings, or as the text ping that the text pong answers
    #[arg(long, value_name = "KIND", default_value = "protocol", value_parser = ["protocol", "text"])]
    pub heartbeat_kind: String,

    /// Answer further clients with 503
    #[arg(long, value_name = "N", value_parser = value::count)]
    pub max_connections: Option<usize>,

    /// Store files that clients send in this folder
    ///
    /// A client sends {"type":"file-meta","name":N,"size":S}, then binary messages of S bytes together.
    #[arg(long, value_name = "DIR")]
    pub save_dir: Option<PathBuf>,

    /// Store only files of these types, told by their content: png, application/pdf, image/*
    ///
    /// By the first 8 KiB, or by all of a smaller file. txt is any text, an empty file too.
    #[arg(long, value_name = "TYPE,..", value_delimiter = ',', value_parser = value::save_type)]
    pub save_types: Vec<String>,

    /// Let this go wrong: close=4002@3msg, refuse=503:conn=1-3, delay=200ms; may be repeated
    ///
    /// ACTION[=ARGS][@WHEN][:KEY=VALUE]...: --list-faults tells all of them, and what a correct
    /// client does about each.
    #[arg(long, value_name = "FAULT", value_parser = str::parse::<Fault>)]
    pub fault: Vec<Fault>,

    /// Draw the same faults each time, from this number
    #[arg(long, value_name = "N")]
    pub fault_seed: Option<u64>,

    /// Tell the faults that there are, and end
    #[arg(long)]
    pub list_faults: bool,

    /// Run this command with WSCOPE_URL set, and end with its exit code
    ///
    /// What it starts ends with it, and all of it with the server. Exit code 7 where it still runs when
    /// --duration is over.
    #[arg(long, value_name = "COMMAND", value_parser = value::command)]
    pub exec: Option<String>,

    /// Exit with 4 unless this holds at the end: connections>=3; may be repeated
    ///
    /// What is counted: connections, received and sent (messages).
    #[arg(long, value_name = "EXPECTATION", value_parser = str::parse::<Expectation>)]
    pub expect: Vec<Expectation>,

    /// End after this time
    #[arg(long, value_name = "TIME", value_parser = value::positive_duration)]
    pub duration: Option<Duration>,

    /// Wait this long for closing handshakes at the end
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration)]
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
    /// null is the origin of sandboxed frames, which any site can show, and in some browsers of files.
    #[arg(long, value_name = "ORIGIN", value_parser = value::origin)]
    pub allow_origin: Vec<String>,
}
