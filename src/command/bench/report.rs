//! `bench report`: a result that was written before, shown again or in another form.

use super::reporting::{Prepared, Report, check};
use super::stored::Stored;
use crate::bench::report::{self as reports, Glyphs};
use crate::error::{Error, ExitCode};
use crate::text::output::Output;

#[derive(Debug)]
pub struct Plan {
    pub result: Stored,
    /// None: the summary is printed.
    pub reports: Vec<Report>,
    pub glyphs: Glyphs,
}

/// # Errors
/// The result cannot be read, or a report cannot be written.
pub(super) fn run(plan: &Plan, output: &Output) -> Result<ExitCode, Error> {
    check(&plan.reports)?;
    let result = plan.result.read()?;
    let prepared = Prepared::new(&plan.reports)?;
    if plan.reports.is_empty() {
        prepared.say(&reports::summary(&result, plan.glyphs), output);
    }
    prepared.write(&result, plan.glyphs, output)?;
    Ok(ExitCode::DONE)
}
