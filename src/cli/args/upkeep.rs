//! What holds for every connection, whoever opened it: limits, heartbeat and compression.

use clap::ArgAction;

use super::value;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection upkeep")]
pub(in crate::cli) struct Upkeep {
    /// Refuse messages that are larger than this (close code 1009)
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = value::size)]
    pub max_message_size: usize,

    /// Ping the peer and notice when it is gone
    ///
    /// standard (30/10), mobile (15/5), alb (55/10), INTERVAL/TIMEOUT, or off. The default is standard
    /// in the full screen and for serve, off for connect and listen in lines.
    #[arg(long, value_name = "WHEN", value_parser = value::heartbeat)]
    pub heartbeat: Option<value::HeartbeatChoice>,

    /// Send this text in place of pings
    ///
    /// Any message counts as the answer, or only the one that --heartbeat-reply gives.
    #[arg(long, value_name = "TEXT")]
    pub heartbeat_message: Option<String>,

    /// The text that answers --heartbeat-message
    #[arg(long, value_name = "TEXT")]
    pub heartbeat_reply: Option<String>,

    /// Do not answer pings: see what the peer does then
    #[arg(long)]
    pub no_pong: bool,

    /// Compress messages where the peer does too (permessage-deflate)
    ///
    /// It is the default: clients offer it, serve and listen PORT take what is offered. The flag is
    /// for where the config file says otherwise.
    #[arg(long, conflicts_with = "no_compress", action = ArgAction::SetTrue)]
    pub compress: (),

    /// Neither offer nor accept compression
    #[arg(long)]
    pub no_compress: bool,
}
