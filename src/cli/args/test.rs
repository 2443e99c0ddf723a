//! What only `test` has: which files, with which values, and how they are played.

use std::path::PathBuf;
use std::time::Duration;

use super::value;
use crate::command::test::Reporting;
use crate::text::style::ColorChoice;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Test")]
pub(in crate::cli) struct Tests {
    /// Where `connect {{url}}` leads, and transcripts that have no connect; demo is an echo server
    /// inside wscope
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// Give {{NAME}} a value; may be repeated
    ///
    /// Values come from --var, then from --var-file, then from WSCOPE_VAR_name in the environment;
    /// they go before what set says in a transcript.
    #[arg(long, value_name = "NAME=VALUE", value_parser = value::assignment)]
    pub var: Vec<(String, String)>,

    /// Read values from a file with NAME=VALUE on each line; may be repeated
    #[arg(long, value_name = "FILE")]
    pub var_file: Vec<PathBuf>,

    /// How long an expectation waits that has no within
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = value::positive_duration)]
    pub timeout: Duration,

    /// Play so many files at once
    #[arg(long, value_name = "N", default_value = "1", value_parser = value::count)]
    pub jobs: usize,

    /// Play a file that failed again, up to N times
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=100))]
    pub retry: u32,

    /// Play only files that have NAME in their path
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,

    /// Write what came into the lines that failed; not where CI is set
    ///
    /// Matchers, let and variables stay. What cannot be said in the same way is left as it is, and so
    /// is what differs each time: why is told, and the exit status is that of the failure.
    #[arg(long)]
    pub bless: bool,

    /// Begin no more files after one that failed
    #[arg(long)]
    pub fail_fast: bool,

    /// Write a report too; may be repeated
    ///
    /// json: everything, with the latency of each step. junit: JUnit XML. tap: Test Anything
    /// Protocol. github: annotations of GitHub Actions. Without a file, or with -, it goes to stdout,
    /// and what people read to stderr.
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = Reporting::parse)]
    pub report: Vec<Reporting>,

    /// Start the server with this command, wait until it listens at --url, stop it at the end
    #[arg(long, value_name = "COMMAND", requires = "url")]
    pub spawn: Option<String>,

    /// Let transcripts read files below this folder, not only below their own
    #[arg(long, value_name = "DIR")]
    pub file_root: Option<PathBuf>,
}

/// What is done with transcripts instead of playing them.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Without playing")]
pub(in crate::cli) struct Inspection {
    /// Say what is wrong with transcripts, and which hosts, values and files they would use
    #[arg(long)]
    pub check: bool,

    /// With --check: an object of JSON on a line for each file
    #[arg(long, requires = "check")]
    pub json: bool,

    /// Print a browser's recording (page.har) as a transcript
    ///
    /// Secrets become {{secret_NAME}}. Without --convert a recording is played with its secrets, which
    /// are not shown.
    #[arg(long, conflicts_with = "check")]
    pub convert: bool,

    /// Print the first of two recordings with captures where the second has other values
    #[arg(long, conflicts_with_all = ["check", "convert"])]
    pub suggest: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct TestOutput {
    /// Show the whole conversation
    #[arg(short, long)]
    pub verbose: bool,

    /// When to use colours
    ///
    /// auto: on a terminal, unless NO_COLOR is set.
    #[arg(long, value_name = "WHEN", value_parser = value::color())]
    pub color: Option<ColorChoice>,
}
