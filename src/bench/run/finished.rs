//! What a run comes to: its seconds, and everything that a report needs.

use std::time::{Duration, SystemTime};

use super::super::figures::Figures;
use super::super::shared::Phase;

/// Why the load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    Duration,
    Messages,
    Interrupted,
    Threshold,
    /// Over half of the connects failed for 5 s.
    ConnectsFailed,
    /// A connection could not be opened, which a search for the most was to find out.
    Refused,
    /// No connection was left.
    AllLost,
    /// There was none at any time.
    NoneOpened,
    /// `--max-time` was over.
    MaxTime,
    /// It has not ended: this is what there is so far.
    Running,
}

impl EndReason {
    /// Whether the load ended before it was over.
    pub const fn is_cut(self) -> bool {
        !matches!(self, Self::Duration | Self::Messages)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Duration => "duration",
            Self::Messages => "messages",
            Self::Interrupted => "interrupted",
            Self::Threshold => "threshold",
            Self::ConnectsFailed => "connects_failed",
            Self::Refused => "refused",
            Self::AllLost => "all_lost",
            Self::NoneOpened => "none_opened",
            Self::MaxTime => "max_time",
            Self::Running => "running",
        }
    }
}

/// What happened within one second.
#[derive(Debug, Clone)]
pub struct Second {
    /// From the start of the run.
    pub at: Duration,
    pub phase: Phase,
    pub open: usize,
    pub connecting: usize,
    pub in_flight: usize,
    pub figures: Figures,
    /// Of all threads, in processors.
    pub cpu: f64,
    pub took: Duration,
    /// What the load takes of this machine by now.
    pub generator: Generator,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Finished {
    pub started_at: SystemTime,
    pub ended_at: SystemTime,
    pub end_reason: EndReason,
    pub figures: Figures,
    pub seconds: Vec<Second>,
    pub peak: usize,
    pub open_at_end: usize,
    /// Until the load began; the time that was measured; until everything was answered.
    pub ramp: Duration,
    pub measured: Duration,
    pub drain: Duration,
    /// How long a person held the course.
    pub held: Duration,
    pub generator: Generator,
    pub target: Option<TargetUsage>,
}

/// What the load took of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Generator {
    /// While it was measured, in processors.
    pub cpu: f64,
    /// The busiest thread, 0 to 1.
    pub busiest: f64,
    pub rss_peak: u64,
    pub files_peak: u64,
    /// The part of one source's ports that was in use at the most, 0 to 1.
    pub ports: f64,
}

/// What the load took of the server's process.
#[derive(Debug, Clone, Copy)]
pub struct TargetUsage {
    pub pid: u32,
    /// While it was measured, in processors.
    pub cpu: f64,
    pub rss_peak: u64,
}
