//! The tools of `bench`: what is done with results that there are already. A tool is a variant of
//! [`BenchTool`] with its own arguments, a variant of `typed::Kind`, and a plan in `config`. No config file counts for them: what it says is
//! about loads.

use super::bench::{NOISE_HELP, NOISE_LONG_HELP, report_help, report_long_help, threshold};
use super::value::written;
use super::{exit_codes, value};
use crate::bench::compare::Comparison;
use crate::bench::report::comparison::COMPARISONS;
use crate::bench::threshold::Threshold;
use crate::command::bench::Report;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum BenchTool {
    Report(BenchReport),
    Compare(BenchCompare),
    Merge(BenchMerge),
}

/// Show a result again, or write reports of it
///
/// Reads what `bench --report json=FILE` has written. Without --report the summary is printed.
#[derive(Debug, clap::Parser)]
#[command(name = "report", after_long_help = exit_codes(), max_term_width = 100)]
pub(in crate::cli) struct BenchReport {
    /// A file, the name of a baseline, or - for standard input
    #[arg(value_name = "RESULT")]
    pub result: String,

    #[arg(long, value_name = "NAME=FILE", value_parser = value::written_report, help = report_help(written()), long_help = report_long_help(written()), help_heading = "Result")]
    pub report: Vec<Report>,
}

/// Say whether results are worse than earlier ones
///
/// Rates, the share of errors and the percentiles of each latency are held against each other. Exit
/// code 0 where nothing is worse by more than the noise, 4 where something is, 2 where the runs asked
/// for different loads or are suspect.
#[derive(Debug, clap::Parser)]
#[command(name = "compare", after_long_help = exit_codes(), max_term_width = 100)]
pub(in crate::cli) struct BenchCompare {
    /// The earlier result: a file, or the name of a baseline
    ///
    /// Several runs of the same are given with commas: a1.json,a2.json,a3.json.
    #[arg(value_name = "BASELINE")]
    pub baseline: String,

    /// The result that is compared with it; several with commas too
    #[arg(value_name = "RESULT")]
    pub result: String,

    #[arg(long, value_name = "SHARE", value_parser = value::noise, help = NOISE_HELP, long_help = NOISE_LONG_HELP, help_heading = "Result")]
    pub noise: Option<f64>,

    #[arg(long, value_name = "NAME=FILE", value_parser = value::bench_comparison, help = report_help(COMPARISONS.iter()), long_help = report_long_help(COMPARISONS.iter()), help_heading = "Result")]
    pub report: Vec<Report<Comparison>>,
}

/// Make one result of those of the shards of a load
///
/// Exact: counts and histograms are added, and percentiles, rates and thresholds found anew in them.
/// The shards come from `bench --shard I/N --report json=FILE`; what does not belong together is
/// refused with all reasons. Exit code 4 where a threshold does not hold on the whole.
#[derive(Debug, clap::Parser)]
#[command(name = "merge", after_long_help = exit_codes(), max_term_width = 100)]
pub(in crate::cli) struct BenchMerge {
    /// The results, merged ones too: files, names of baselines, or - for standard input
    #[arg(value_name = "RESULT", required = true)]
    pub results: Vec<String>,

    /// Exit with 4 unless this holds too, beside the thresholds of the shards; may be repeated
    #[arg(long, value_name = "CONDITION", value_parser = threshold, help_heading = "Result")]
    pub threshold: Vec<Threshold>,

    /// Merge what there is where shards are missing
    #[arg(long, help_heading = "Result")]
    pub partial: bool,

    /// Exit with 10 where the result is suspect, because one of the shards is or they did not run together
    #[arg(long, help_heading = "Result")]
    pub strict: bool,

    #[arg(long, value_name = "NAME=FILE", value_parser = value::written_report, help = report_help(written()), long_help = report_long_help(written()), help_heading = "Result")]
    pub report: Vec<Report>,
}
