//! Session flags: what is sent, how replies are made, when it ends.

use std::path::PathBuf;
use std::time::Duration;

use super::value::{self, Wait};
use crate::input::pipe;
use crate::model::close::CloseCode;
use crate::session::backoff::Backoff;
use crate::text::predicate::Predicate;

/// What `connect` and `listen` share.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Session")]
pub(in crate::cli) struct Session {
    /// Send this message when the connection is open; may be repeated
    ///
    /// It is sent as it is, or obeyed as a slash command with --slash, and again after each
    /// reconnect. connect then waits for replies (--wait) and ends; --stay keeps it open.
    #[arg(short = 'x', long, value_name = "TEXT", allow_hyphen_values = true)]
    pub execute: Vec<String>,

    /// Send every line of this file like --execute
    #[arg(long, value_name = "FILE")]
    pub execute_file: Option<PathBuf>,

    /// Like --execute, but does not end the session: `on_open` of an endpoint in the config file
    #[arg(long, value_name = "TEXT", hide = true, allow_hyphen_values = true)]
    pub on_open: Vec<String>,

    /// Obey lines that begin with a slash (/ping, /close ...) from a pipe and in --execute too
    ///
    /// They are always obeyed when you type. // sends a slash.
    #[arg(long)]
    pub slash: bool,

    /// How standard input is cut into messages (default: lines)
    ///
    /// lines: one per line. json: one per JSON value, over as many lines as it has. ndjson: events as
    /// --json prints them; messages, pings and closes with dir out are sent. null: separated by NUL.
    /// raw: all of it is one.
    #[arg(short, long, value_name = "FORMAT", value_parser = value::input_format())]
    pub input: Option<pipe::Format>,

    /// Send input as binary messages, written as hex, base64 or raw bytes
    #[arg(short, long, value_name = "ENCODING", value_parser = value::binary())]
    pub binary: Option<pipe::Binary>,

    /// End after this many messages received; fewer is exit code 4
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// End when a message matches; none is exit code 4
    ///
    /// "text", /regex/, json:/pointer=value, op:text, dir:in, size>1k, code:1006, with ! & | and parentheses.
    #[arg(long, value_name = "PREDICATE", value_parser = Predicate::parse)]
    pub until: Option<Predicate>,

    /// Close after this long
    #[arg(long, value_name = "TIME", value_parser = value::positive_duration)]
    pub duration: Option<Duration>,

    /// Fail with exit code 4 unless the connection closes with this code
    #[arg(long, value_name = "CODE", value_parser = value::close_code)]
    pub expect_close: Option<CloseCode>,

    /// Answer messages that match with a text; may be repeated, the first that matches answers
    ///
    /// PREDICATE is as for --until. The text begins after the first = that ends a whole predicate;
    /// the = of json:/pointer=value belongs to the predicate.
    #[arg(long, value_name = "PREDICATE=TEXT", value_parser = value::reply)]
    pub reply: Vec<(Predicate, String)>,

    /// Return every message as it came
    #[arg(long, conflicts_with = "reply")]
    pub echo: bool,

    /// Connect again when the connection is lost
    ///
    /// Not after close 1000, 1008, 4001 or 4003, nor after HTTP 400, 401, 403, 404 or 426.
    #[arg(short, long)]
    pub reconnect: bool,

    /// Give up after this many retries in a row
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub max_retries: u32,

    /// How the time between retries grows
    #[arg(long, value_name = "SPEC", default_value = "base=1s,factor=2,max=30s,jitter=0.2", value_parser = Backoff::parse)]
    pub backoff: Backoff,
}

/// What only `connect` has: a conversation ends, a subscription does not.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Session")]
pub(in crate::cli) struct Conversation {
    /// Wait this long for a first reply after the input has ended (-1: for ever)
    ///
    /// Once replies come, the session ends when 500 ms pass without one.
    #[arg(short, long, value_name = "TIME", default_value = "5s", allow_negative_numbers = true, value_parser = value::wait)]
    pub wait: Wait,

    /// Keep the session open after the --execute messages
    #[arg(long)]
    pub stay: bool,

    /// Talk in lines, not in the full screen
    #[arg(long, conflicts_with = "tui")]
    pub line: bool,

    /// Lines without colours and without editing
    #[arg(long, conflicts_with_all = ["color", "tui"])]
    pub plain: bool,
}
