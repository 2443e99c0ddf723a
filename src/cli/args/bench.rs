//! `bench` as it is typed.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::value;
use crate::bench::distribution::Distribution;
use crate::bench::fanout::AudienceChoice;
use crate::bench::plan::{MODES, Mode};
use crate::bench::reply::Match;
use crate::bench::report::{Entry, Form, REPORTS};
use crate::bench::search::FindMax;
use crate::bench::slow::Slow;
use crate::bench::stages::Stages;
use crate::bench::threshold::{Threshold, known};
use crate::command::bench::Report;
use crate::model::units::parse_duration;
use crate::text::style::ColorChoice;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Load")]
pub(in crate::cli) struct Load {
    /// What each connection does
    #[arg(long, value_name = "MODE", default_value = MODES[0].name, value_parser = value::bench_mode())]
    pub mode: &'static Mode,

    /// Let each connection's user play this transcript instead, again and again (--mode script)
    ///
    /// {{url}}, {{conn}}, the columns of --feed, --var and WSCOPE_VAR_name have values in it. -c is the
    /// number of users, --rate how many begin per second, -n how often it is played in all.
    #[arg(long, value_name = "FILE", conflicts_with_all = SINGLE)]
    pub script: Option<PathBuf>,

    /// Give {{NAME}} a value in the script; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = value::assignment, requires = "script")]
    pub var: Vec<(String, String)>,

    /// Let this many of the connections publish (--mode fanout)
    ///
    /// The others, or all of them, are to get each message. The default is one for each group.
    #[arg(long, value_name = "P", value_parser = value::positive_count)]
    pub publishers: Option<usize>,

    /// Deal the connections into this many groups: {{group}} in the URL, headers and messages
    ///
    /// In --mode fanout a message is for those of its publisher's group.
    #[arg(long, value_name = "N", default_value = "1", value_parser = value::positive_count)]
    pub groups: usize,

    /// Who is to get a message (--mode fanout): auto, subscribers, others (publishers too) or all (its publisher too)
    ///
    /// auto finds it out with two or three connections before the load.
    #[arg(long, value_name = "WHO", value_parser = value::audience())]
    pub audience: Option<AudienceChoice>,

    /// Hold this many connections
    #[arg(short, long, value_name = "N", default_value = "50", value_parser = value::positive_count)]
    pub connections: usize,

    /// Measure for this long, after the ramp and the warm-up
    ///
    /// The default is 10s; with --messages or --stages it is as long as these take.
    #[arg(short, long, short_alias = 'z', value_name = "TIME", value_parser = value::positive_duration)]
    pub duration: Option<Duration>,

    /// End after this many messages
    #[arg(short = 'n', long, value_name = "N", value_parser = value::positive_count)]
    pub messages: Option<usize>,

    /// Send this many messages per second over all connections, whatever the answers do (open loop)
    #[arg(short, long, short_alias = 'q', value_name = "RATE", value_parser = value::load_rate, conflicts_with_all = ["rate_per_conn", "pipeline", "think"])]
    pub rate: Option<f64>,

    /// Send this many messages per second on each connection (open loop)
    #[arg(long, value_name = "RATE", value_parser = value::load_rate, conflicts_with_all = ["pipeline", "think"])]
    pub rate_per_conn: Option<f64>,

    /// How many messages per second at which time, in straight lines from 0: 10s:1k,30s:5k (open loop)
    ///
    /// The measured time is as long as these take, unless --stages or --duration say otherwise.
    #[arg(long, value_name = "STAGES", conflicts_with_all = ["rate", "rate_per_conn", "pipeline", "think"])]
    pub rate_stages: Option<Stages>,

    /// Drop, and count, what would be in flight beyond this (open loop)
    #[arg(long, value_name = "N", default_value = "100k", value_parser = value::positive_count)]
    pub max_inflight: usize,

    /// Keep this many messages in flight on each connection
    #[arg(long, value_name = "N", default_value = "1", value_parser = value::positive_count)]
    pub pipeline: usize,

    /// Pause after each answer: 100ms, 1s-5s (uniform) or exp:2s (exponential)
    #[arg(long, value_name = "DIST")]
    pub think: Option<Distribution>,

    /// Close each connection after so long and open it again
    #[arg(long, value_name = "DIST", value_parser = value::lifetime)]
    pub lifetime: Option<Distribution>,

    /// Open a connection again that was lost
    #[arg(long)]
    pub reconnect: bool,

    /// Drop all connections this often, and open them again at once
    #[arg(long, value_name = "TIME", value_parser = value::positive_duration)]
    pub storm: Option<Duration>,

    /// Let this share of the connections read no faster: 5%:1kB/s
    ///
    /// They are left out of the figures of messages and latencies.
    #[arg(long, value_name = "SHARE:SIZE/s")]
    pub slow: Option<Slow>,

    /// Begin with all connections at once
    #[arg(long)]
    pub sync: bool,

    /// Open this many connections per second; 0 is as fast as it goes
    ///
    /// The default is 1000/s, and as fast as it goes for --mode churn.
    #[arg(long, value_name = "RATE", value_parser = value::rate)]
    pub connect_rate: Option<f64>,

    /// Have at most this many handshakes in flight
    #[arg(long, value_name = "N", default_value = "128", value_parser = value::positive_count)]
    pub connect_concurrency: usize,

    /// How many connections at which time: 30s:1k,2m:10k,30s:0
    #[arg(long, value_name = "STAGES", conflicts_with_all = ["duration", "connections"])]
    pub stages: Option<Stages>,

    /// Find how much holds this, up to -c or --rate: connections:'ping.p99<100ms', rate:'rtt.p99<50ms'
    ///
    /// Loads of --duration (5s) each, doubled and then halved in until it is known to within 5%. A connection that
    /// is refused or lost does not hold it.
    #[arg(long, value_name = "WHAT:CONDITION", conflicts_with_all = ["messages", "stages", "rate_stages", "storm", "lifetime", "baseline", "save_baseline"])]
    pub find_max: Option<FindMax>,

    /// Measure nothing for so long after the ramp
    ///
    /// The default is 1s; 0 with --messages and --stages, and for --mode churn and hold.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub warmup: Option<Duration>,

    /// Wait for the last answers for so long
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration)]
    pub grace: Duration,

    /// Give a message up that is not answered within this time
    ///
    /// The default is 10s, and 2s for the first message of all, which finds out whether there are
    /// answers.
    #[arg(long, value_name = "TIME", value_parser = value::positive_duration)]
    pub timeout: Option<Duration>,

    /// Ping each connection: standard (30/10), mobile (15/5), alb (55/10), INTERVAL/TIMEOUT, or off
    #[arg(long, value_name = "WHEN", value_parser = value::heartbeat)]
    pub heartbeat: Option<value::HeartbeatChoice>,

    /// Connect from this local address; may be repeated, each is used for up to 14,000 connections
    #[arg(long, value_name = "IP")]
    pub source_ip: Vec<IpAddr>,

    /// Use this many threads
    ///
    /// The default is one for each processor, and no more than there are connections.
    #[arg(long, value_name = "N", value_parser = value::positive_count)]
    pub threads: Option<usize>,

    /// Make the run's chances repeatable
    ///
    /// With --shard the default is 0, which all shards share.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Messages")]
pub(in crate::cli) struct Messages {
    /// Send this text; {{seq}}, {{conn}}, {{group}}, {{now}} and the columns of --feed are filled in
    ///
    /// In --mode fanout {{marker}} has to be in it, by which a message is known again.
    #[arg(short, long, value_name = "TEXT", conflicts_with_all = ["message_file", "payload_size"])]
    pub message: Option<String>,

    /// Send what is in this file
    #[arg(long, value_name = "FILE", conflicts_with = "payload_size")]
    pub message_file: Option<PathBuf>,

    /// Send messages of this size, numbered
    #[arg(long, value_name = "SIZE", default_value = "128", value_parser = value::payload_size)]
    pub payload_size: usize,

    /// Send binary messages
    #[arg(long)]
    pub binary: bool,

    /// Know the answer to a message by: echo, fifo, none, a JSON /pointer that both have, or a regex
    #[arg(long = "match", value_name = "HOW", default_value = "echo", value_parser = Match::parse)]
    pub how: Match,

    /// Send this text after each open; may be repeated, and holds variables like --message
    #[arg(short = 'x', long, value_name = "TEXT")]
    pub execute: Vec<String>,

    /// Read values from a CSV file, a row for each connection
    ///
    /// Its first line names the columns: {{token}} in the URL, a header, --bearer or a message. The
    /// connection that looks whether anything works has the first row, which connection 1 has again.
    #[arg(long, value_name = "FILE")]
    pub feed: Option<PathBuf>,

    /// Refuse messages that are larger than this (close code 1009)
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = value::size)]
    pub max_message_size: usize,

    /// Offer compression (permessage-deflate): it costs this machine much more
    #[arg(long)]
    pub compress: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Result")]
pub(in crate::cli) struct Results {
    #[arg(long, value_name = "CONDITION", value_parser = threshold, help = THRESHOLD_HELP, long_help = threshold_long_help())]
    pub threshold: Vec<Threshold>,

    /// Exit with 10 where the result is suspect, because this machine was the limit
    #[arg(long)]
    pub strict: bool,

    #[arg(long, value_name = "NAME=FILE", value_parser = value::bench_report, help = report_help(REPORTS.iter()), long_help = report_long_help(REPORTS.iter()))]
    pub report: Vec<Report>,

    /// Keep the result under this name, to be compared with later ones
    ///
    /// Below $XDG_STATE_HOME/wscope/baselines. Only a result that passes and is valid is kept.
    #[arg(long, value_name = "NAME", value_parser = value::baseline)]
    pub save_baseline: Option<String>,

    /// Compare with an earlier result, and exit with 4 where something is worse
    ///
    /// On the full screen b shows it beside the run.
    #[arg(long, value_name = "NAME|FILE")]
    pub baseline: Option<String>,

    #[arg(long, value_name = "SHARE", value_parser = value::noise, requires = "baseline", help = NOISE_HELP, long_help = NOISE_LONG_HELP)]
    pub noise: Option<f64>,

    /// Show how it goes: on the full screen (tui), a line every second (plain), or not at all (none)
    ///
    /// auto: the full screen on a terminal of 60x15 or more, unless CI is set; lines where only stderr is a
    /// terminal. ? lists its keys; q stops and reports.
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = ["auto", "tui", "plain", "none"])]
    pub live: String,

    /// Start the server with this command, wait until it listens, stop it at the end
    ///
    /// Its CPU and memory are shown too.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["pid", "dry_run"])]
    pub spawn: Option<String>,

    /// Show CPU and memory of this process too: the server, if it runs here
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,

    /// Say what would be done, and whether this machine can do it
    #[arg(long, conflicts_with = "debug")]
    pub dry_run: bool,

    /// Open one connection, send one message, and show what happens
    #[arg(long)]
    pub debug: bool,

    /// Do not ask before a large load on a public address
    #[arg(long)]
    pub yes: bool,

    /// When to use colours
    ///
    /// auto: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_name = "WHEN", value_parser = value::color())]
    pub color: Option<ColorChoice>,
}

/// What `--noise` says of itself.
pub(super) const NOISE_HELP: &str =
    "By how much figures may differ without being worse: 5% (the default)";
pub(super) const NOISE_LONG_HELP: &str = "By how much figures may differ without being worse: 5% (the default)\n\nWhere three or more runs are given on each side, it is how far runs of the same side lie apart, and this the least.";

/// What `--report` says of itself: the names of a registry.
pub(super) fn report_help<T: 'static>(entries: impl Iterator<Item = &'static Entry<T>>) -> String {
    let places = entries.map(|entry| match entry.form {
        Form::File(_) => format!("{}=FILE", entry.name),
        Form::Port => format!("{}=:PORT", entry.name),
    });
    let places: Vec<String> = places.collect();
    format!("Write a report: {}; may be repeated", places.join(", "))
}

/// The same, with what each of them is.
pub(super) fn report_long_help<T: 'static>(
    entries: impl Iterator<Item = &'static Entry<T>> + Clone,
) -> String {
    let mut help = report_help(entries.clone());
    help.push_str("\n\nA file - is stdout; what is for people then goes to stderr.\n");
    for entry in entries {
        help.push_str(&format!("\n{}: {}", entry.name, entry.help));
    }
    help
}

/// What only connections have that are users themselves.
const SINGLE: [&str; 18] = [
    "storm",
    "slow",
    "publishers",
    "groups",
    "audience",
    "message",
    "message_file",
    "payload_size",
    "binary",
    "how",
    "execute",
    "pipeline",
    "max_inflight",
    "lifetime",
    "reconnect",
    "connect_concurrency",
    "source_ip",
    "heartbeat",
];

const THRESHOLD_HELP: &str =
    "Exit with 4 unless this holds: 'rtt.p99<250ms', 'errors.rate<0.5%'; may be repeated";

fn threshold_long_help() -> String {
    format!(
        "{THRESHOLD_HELP}\n\nWith ! at its end the run is aborted as soon as it does not hold.\n\n{}",
        known()
    )
}

pub(super) fn threshold(text: &str) -> Result<Threshold, String> {
    Threshold::parse(text).map_err(|wrong| wrong.show(text))
}
