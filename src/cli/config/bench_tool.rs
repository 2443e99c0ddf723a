//! The tools of `bench` as plans.

use std::path::{Path, PathBuf};

use super::bench::glyphs;
use super::{Environment, Setup};
use crate::cli::args::{BenchCompare, BenchMerge, BenchReport};
use crate::command::bench::stored::Stored;
use crate::command::bench::tool::Plan;
use crate::command::bench::{compare, merge, report};
use crate::error::Error;

pub(super) fn report(setup: &Setup<'_>) -> Result<Plan, Error> {
    let args: BenchReport = setup.typed.args()?;
    Ok(Plan::Report(report::Plan {
        result: stored(args.result, setup.environment),
        reports: args.report,
        glyphs: glyphs(setup.environment),
    }))
}

pub(super) fn compare(setup: &Setup<'_>) -> Result<Plan, Error> {
    let args: BenchCompare = setup.typed.args()?;
    Ok(Plan::Compare(compare::Plan {
        sides: [
            side(args.baseline, setup.environment)?,
            side(args.result, setup.environment)?,
        ],
        noise: args.noise,
        reports: args.report,
        glyphs: glyphs(setup.environment),
    }))
}

pub(super) fn merge(setup: &Setup<'_>) -> Result<Plan, Error> {
    let args: BenchMerge = setup.typed.args()?;
    let results = args.results.into_iter();
    Ok(Plan::Merge(merge::Plan {
        results: results
            .map(|name| stored(name, setup.environment))
            .collect(),
        thresholds: args.threshold,
        partial: args.partial,
        strict: args.strict,
        reports: args.report,
        glyphs: glyphs(setup.environment),
    }))
}

/// Where baselines are.
pub(super) fn folder(environment: &Environment) -> Option<PathBuf> {
    environment
        .state_folder()
        .map(|folder| folder.join("baselines"))
}

pub(super) fn stored(name: String, environment: &Environment) -> Stored {
    Stored {
        name,
        folder: folder(environment),
    }
}

/// One run, or several with commas between them. A file whose name has commas is one.
fn side(text: String, environment: &Environment) -> Result<compare::Side, Error> {
    let names: Vec<&str> = match Path::new(&text).exists() {
        true => vec![&text],
        false => text.split(',').collect(),
    };
    if names.iter().any(|name| name.is_empty()) {
        return Err(Error::usage_hint(
            format!("\"{text}\" has an empty name in it"),
            "several runs are given as a1.json,a2.json,a3.json",
        ));
    }
    let runs = names
        .into_iter()
        .map(|name| stored(name.to_owned(), environment));
    Ok(compare::Side {
        runs: runs.collect(),
        name: text,
    })
}
