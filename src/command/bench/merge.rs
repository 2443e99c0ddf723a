//! `bench merge`: the results of the shards of one load become one.

use super::exit_code;
use super::reporting::{Prepared, Report, check};
use super::stored::Stored;
use crate::bench::merge::{Options, Part, merge};
use crate::bench::report::{self as reports, Glyphs};
use crate::bench::threshold::Threshold;
use crate::error::{Error, ExitCode};
use crate::text::output::Output;
use crate::text::sanitize;

#[derive(Debug)]
pub struct Plan {
    pub results: Vec<Stored>,
    /// `--threshold`: beside those of the shards.
    pub thresholds: Vec<Threshold>,
    /// `--partial`: shards may be missing.
    pub partial: bool,
    /// `--strict`: a result that is not valid ends with exit code 10.
    pub strict: bool,
    pub reports: Vec<Report>,
    /// What the summary may be drawn with.
    pub glyphs: Glyphs,
}

/// # Errors
/// A result cannot be read, they are not the shards of one load, or a report cannot be written.
pub(super) fn run(plan: &Plan, output: &Output) -> Result<ExitCode, Error> {
    check(&plan.reports)?;
    let parts = plan.results.iter().map(|stored| {
        Ok(Part {
            name: stored.name.clone(),
            result: stored.read()?,
        })
    });
    let parts = parts.collect::<Result<Vec<_>, Error>>()?;
    let options = Options {
        thresholds: &plan.thresholds,
        partial: plan.partial,
    };
    let mut merged = merge(&parts, &options).map_err(|reasons| refused(&reasons))?;
    let code = exit_code(&merged, plan.strict);
    merged.run.exit_code = code.0;
    let prepared = Prepared::new(&plan.reports)?;
    prepared.say(&reports::summary(&merged, plan.glyphs), output);
    prepared.write(&merged, plan.glyphs, output)?;
    Ok(code)
}

/// All that is wrong; some of it stands in the files.
fn refused(reasons: &[String]) -> Error {
    let mut message = "these are not the shards of one load, once each:".to_owned();
    for reason in reasons {
        message.push_str("\n  ");
        message.push_str(&sanitize::line(reason));
    }
    Error::usage_hint(
        message,
        "bench --shard I/N --report json=FILE makes the N results that belong together",
    )
}
