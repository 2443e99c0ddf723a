//! One load from many processes, as it is typed.

use crate::bench::shard::Choice;
use crate::bench::start::StartAt;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Shards")]
pub(in crate::cli) struct Shards {
    /// Be the part I of N of the load, numbered from 1: 2/4; auto asks the scheduler's variables
    ///
    /// All N are started with the same flags, and `wscope bench merge` makes one result of theirs. auto
    /// reads JOB_COMPLETION_INDEX (Kubernetes), CI_NODE_INDEX (GitLab), BUILDKITE_PARALLEL_JOB,
    /// SLURM_PROCID or PARALLEL_SEQ (GNU parallel); auto/N and WSCOPE_SHARDS say how many there are.
    #[arg(long, value_name = "I/N|auto", conflicts_with = "debug")]
    pub shard: Option<Choice>,

    /// Begin at this time: 2026-11-28T14:30:00Z, +30s, or seconds since 1970
    ///
    /// The first connection is made before, so that what would not work is said at once.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["dry_run", "debug"])]
    pub start_at: Option<StartAt>,
}
