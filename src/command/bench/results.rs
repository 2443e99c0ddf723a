//! Where the result of a load goes: to people, into reports, beside a baseline, and while it runs to
//! whoever asks for metrics.

use super::Plan;
use super::baseline::Ready;
use super::exposition::Exposition;
use super::reporting::{Prepared, check};
use crate::bench::figures::Latency;
use crate::bench::report::{self as reports, Glyphs};
use crate::bench::result::{BenchResult, WorkloadInfo};
use crate::error::{Error, ExitCode};
use crate::text::output::Output;
use crate::tui::bench::past::Past;

/// All of these, ready before the load begins.
pub(super) struct Results {
    reports: Prepared,
    baselines: Ready,
    exposition: Exposition,
}

impl Results {
    /// Opens what is to be opened before anything is connected, so that it is known in time what is
    /// wrong. Where there is no load, nothing is.
    ///
    /// # Errors
    /// A file cannot be written, a baseline not be read, a port not be had.
    pub(super) async fn prepare(plan: &Plan, output: &Output) -> Result<Self, Error> {
        check(&plan.reports)?;
        plan.baselines.check()?;
        let is_load = plan.only.is_none();
        let wanted = if is_load { &plan.reports[..] } else { &[] };
        Ok(Self {
            reports: Prepared::new(wanted)?,
            baselines: plan.baselines.prepare(is_load)?,
            exposition: Exposition::start(wanted, output).await?,
        })
    }

    /// Whether such a load can be compared with the baseline at all.
    ///
    /// # Errors
    /// [`Error::Usage`] with every reason.
    pub(super) fn check(&self, workload: &WorkloadInfo) -> Result<(), Error> {
        self.baselines.check(workload)
    }

    /// The baseline, as the screen shows it beside a run that is mainly about `main`.
    pub(super) fn past(&self, main: Latency) -> Option<Past> {
        self.baselines.past(main)
    }

    /// What is to be told of each second; it ends when it is dropped.
    pub(super) fn exposition(&mut self) -> Exposition {
        std::mem::take(&mut self.exposition)
    }

    /// Puts the comparison with the baseline into the result. Returns whether a result that is not
    /// valid fails the run.
    pub(super) fn compare(&mut self, result: &mut BenchResult, output: &Output) -> bool {
        self.baselines.compare(result, output);
        self.baselines.needs_validity()
    }

    /// Says and writes everything.
    ///
    /// # Errors
    /// [`Error::Io`]: the disk is full, for example.
    pub(super) fn write(
        self,
        result: &BenchResult,
        glyphs: Glyphs,
        output: &Output,
    ) -> Result<(), Error> {
        let summary = reports::summary(result, glyphs);
        self.reports.say(&summary, output);
        let code = ExitCode(result.run.exit_code);
        self.baselines.save(result, code, &self.reports, output)?;
        self.reports.write(result, glyphs, output)
    }
}
