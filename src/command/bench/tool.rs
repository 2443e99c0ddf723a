//! What `bench` does with results that there are already: one file for each tool.

use super::{compare, merge, report};
use crate::error::{Error, ExitCode};
use crate::text::output::Output;

/// One of the tools, and what it is to do.
#[derive(Debug)]
pub enum Plan {
    Report(report::Plan),
    Compare(compare::Plan),
    Merge(merge::Plan),
}

/// Carries it out.
///
/// # Errors
/// A result cannot be read or used, or a report cannot be written.
pub async fn run(plan: Plan, output: Output) -> Result<ExitCode, Error> {
    let code = match plan {
        Plan::Report(plan) => report::run(&plan, &output)?,
        Plan::Compare(plan) => compare::run(&plan, &output)?,
        Plan::Merge(plan) => merge::run(&plan, &output)?,
    };
    output.finish().await?;
    Ok(code)
}
