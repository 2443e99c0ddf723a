//! What only `ping` has: how often, how long, and how much is said.

use std::time::Duration;

use super::value;
use crate::model::units::parse_duration;
use crate::text::style::ColorChoice;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Ping")]
pub(in crate::cli) struct Pings {
    /// Send this many pings
    #[arg(short = 'n', long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,

    /// Time from ping to ping; the next one waits for the pong in any case
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    pub interval: Duration,

    /// How long a pong may take; none within it is exit code 7
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = value::positive_duration)]
    pub timeout: Duration,

    /// Do the same with a second implementation, tokio-tungstenite, and show what differs
    ///
    /// "Is it my server, or this tool?" Compression is not offered, because the second one does not
    /// know it. Exit code 4 where they saw different things.
    #[arg(long, conflicts_with = "location")]
    pub cross_check: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct PingOutput {
    /// Print nothing but errors: the exit code says it all
    #[arg(short, long)]
    pub quiet: bool,

    /// Print every event as a line of JSON
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,

    /// Show the opening handshake, both ways
    #[arg(short, long)]
    pub verbose: bool,

    /// When to use colours
    ///
    /// auto: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_name = "WHEN", value_parser = value::color())]
    pub color: Option<ColorChoice>,
}
