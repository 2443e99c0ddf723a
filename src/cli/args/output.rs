//! Output flags: what is shown, and how.

use std::path::PathBuf;

use super::value;
use crate::text::predicate::Predicate;
use crate::text::style::ColorChoice;
use crate::view::select::Only;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct Output {
    /// How messages are printed
    ///
    /// The default is pretty on a terminal and raw in a pipe: one message per line, byte for byte.
    #[arg(long, value_name = "FORMAT", value_parser = value::output_format())]
    pub output: Option<String>,

    /// Print every event as a line of JSON (--output ndjson)
    #[arg(long, conflicts_with = "output")]
    pub json: bool,

    /// Add the parsed payload to JSON messages; implies --json
    #[arg(long)]
    pub parse: bool,

    /// Show only these kinds: text, binary, ping, pong, close
    ///
    /// Closes too are shown only where they are named. What else is told, such as states, openings and
    /// errors, is none of these kinds and is told as ever.
    #[arg(long, value_name = "KIND,..", value_parser = Only::parse)]
    pub only: Vec<Only>,

    /// Show only messages that match
    #[arg(long, value_name = "PREDICATE", value_parser = Predicate::parse)]
    pub filter: Option<Predicate>,

    /// Do not show messages that match
    #[arg(long, value_name = "PREDICATE", value_parser = Predicate::parse)]
    pub exclude: Option<Predicate>,

    /// Show pings and pongs, with round trips
    #[arg(short = 'P', long)]
    pub show_ping_pong: bool,

    /// Show every frame as it was on the wire
    #[arg(short = 'F', long)]
    pub frames: bool,

    /// Begin lines with the time
    #[arg(long)]
    pub timestamps: bool,

    /// Show the opening handshake, both ways
    #[arg(short, long)]
    pub verbose: bool,

    /// When to use colours
    ///
    /// auto: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_name = "WHEN", value_parser = value::color())]
    pub color: Option<ColorChoice>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct Recording {
    /// Write what happens to this file, flushed per message
    ///
    /// The name's ending says how. The file is readable by you only (mode 0600) and has
    /// {{secret_NAME}} in the place of secrets. .wst: a transcript that wscope test plays. .ndjson: every event as a line of JSON, as --json
    /// prints them. .har: an HTTP archive, which Chrome's network panel opens. .mmd: a Mermaid
    /// sequence diagram.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// Overwrite the file of --record
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct Secrets {
    /// Never show this value, wherever it comes up: *** stands in its place; may be repeated
    ///
    /// Recordings have {{secret_NAME}} in its place. NAME=@FILE reads the value from a file,
    /// NAME=env:VARIABLE from the environment, NAME=cmd:COMMAND from what a command prints.
    #[arg(long, value_name = "NAME=VALUE")]
    pub secret: Vec<String>,
}
