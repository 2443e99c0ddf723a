//! `test` as a plan: a client that `connect` lines point at their targets, and the values that
//! transcripts get.

use std::collections::HashMap;
use std::path::Path;

use super::{DEMO, DEMO_URL, Endpoint, Environment, Plan, Setup, connection, output, read, target};
use crate::cli::args::{Inspection, Test, Tests};
use crate::command::test;
use crate::command::test::inspect::{self, Task};
use crate::error::Error;
use crate::model::secret::Secret;
use crate::model::secret::known::{Known, Named};
use crate::session::secret_source::NamedSecret;
use crate::text::style::Style;
use crate::transcript::template::is_name;
use crate::transcript::variables::Given;

/// Variables of the environment that transcripts see, without these beginnings.
const VARIABLE: &str = "WSCOPE_VAR_";
const SECRET: &str = "WSCOPE_SECRET_";

pub(super) fn test(setup: &Setup<'_>) -> Result<Plan, Error> {
    let args: Test = setup.args(None)?;
    let Some(task) = task(&args, setup.environment)? else {
        return play(setup).map(|plan| Plan::Test(Box::new(plan)));
    };
    let endpoint = endpoint(setup)?;
    let url = endpoint
        .map(|endpoint| endpoint.url.as_str())
        .or(args.tests.url.as_deref());
    Ok(Plan::Inspect(Box::new(inspect::Plan {
        task,
        variables: variables(&args.tests, url, setup.environment)?,
        paths: args.files,
        file_root: args.tests.file_root,
    })))
}

/// The named endpoint that `--url` is.
fn endpoint<'s>(setup: &'s Setup<'_>) -> Result<Option<&'s Endpoint>, Error> {
    let typed = setup.typed.values::<String>("url").into_iter().next();
    match typed {
        Some(url) => setup.endpoint(&url),
        None => Ok(None),
    }
}

/// What is to be done instead of playing.
fn task(args: &Test, environment: &Environment) -> Result<Option<Task>, Error> {
    let Inspection {
        check,
        json,
        convert,
        suggest,
    } = args.inspection;
    Ok(if check {
        Some(Task::Check { json })
    } else if convert {
        Some(Task::Convert {
            secrets: secrets(&args.secret, environment)?,
        })
    } else if suggest {
        Some(Task::Suggest)
    } else {
        None
    })
}

fn play(setup: &Setup<'_>) -> Result<test::Plan, Error> {
    let endpoint = endpoint(setup)?;
    let args: Test = setup.args(endpoint)?;
    let environment = setup.environment;
    let tests = &args.tests;
    if tests.bless && environment.get("CI").is_some() {
        return Err(Error::usage_hint(
            "--bless rewrites transcripts, which is refused where CI is set",
            "bless them at home, look at what changed, and commit that",
        ));
    }
    let url = endpoint
        .map(|endpoint| endpoint.url.as_str())
        .or(tests.url.as_deref());
    let mut notes = Vec::new();
    let client = connection::client(
        // It holds the place of what `connect` says.
        target(url.unwrap_or(DEMO_URL))?,
        &args.connection,
        connection::offer(&args.upkeep),
        connection::upkeep(&args.upkeep, false, None)?,
        Vec::new(),
        environment,
        &mut notes,
    )?;
    let color = args.output.color.unwrap_or_default();
    let style = |is_terminal| Style::decide(color, is_terminal, |name| environment.get(name));
    Ok(test::Plan {
        paths: args.files,
        url: url.map(target).transpose()?,
        client,
        demo: url == Some(DEMO),
        variables: variables(tests, url, environment)?,
        secrets: secrets(&args.secret, environment)?,
        timeout: tests.timeout,
        jobs: tests.jobs,
        retry: tests.retry,
        only: tests.only.clone(),
        bless: tests.bless,
        fail_fast: tests.fail_fast,
        reports: tests.report.clone(),
        spawn: tests.spawn.clone(),
        file_root: tests.file_root.clone(),
        verbose: args.output.verbose,
        style: style(environment.stdout_is_terminal),
        talk_style: style(environment.stderr_is_terminal),
        max_time: args.connection.max_time,
        notes,
    })
}

/// The environment, then files, `--var` and `--url`: what comes later counts.
fn variables(
    args: &Tests,
    url: Option<&str>,
    environment: &Environment,
) -> Result<HashMap<String, String>, Error> {
    let mut variables = environment_variables(environment)?;
    for path in &args.var_file {
        variables.extend(file(path)?);
    }
    variables.extend(args.var.iter().cloned());
    if let Some(url) = url {
        variables.insert(test::URL.into(), base_url(url)?);
    }
    Ok(variables)
}

/// A URL as `{{url}}`, so that `{{url}}/path` is what it looks like, whether or not a slash was typed.
pub(super) fn base_url(url: &str) -> Result<String, Error> {
    let is_root = target(url)?.request_target() == "/";
    let url = if is_root {
        url.strip_suffix('/').unwrap_or(url)
    } else {
        url
    };
    Ok(url.to_owned())
}

/// The values that only the environment gives: what a served transcript has.
///
/// # Errors
/// Secrets that are too long to be looked for.
pub(super) fn surroundings(environment: &Environment) -> Result<Given, Error> {
    Ok(Given {
        variables: environment_variables(environment)?,
        hidden: Vec::new(),
        secrets: Known::new(
            named(environment, SECRET)
                .map(|(name, value)| Named::declared(name, Secret::new(value))),
        )
        .map_err(|problem| Error::usage(format!("{SECRET}*: {problem}")))?,
    })
}

/// `WSCOPE_VAR_name`
fn environment_variables(environment: &Environment) -> Result<HashMap<String, String>, Error> {
    named(environment, VARIABLE)
        .map(|(name, value)| match name.strip_prefix("secret_") {
            Some(secret) => Err(Error::usage_hint(
                format!("{VARIABLE}{name}: a variable is shown, a secret is not"),
                format!("set {SECRET}{secret}, or give --secret {secret}=..."),
            )),
            None => Ok((name, value)),
        })
        .collect()
}

/// The variables whose names begin with `prefix`, without it.
fn named(environment: &Environment, prefix: &str) -> impl Iterator<Item = (String, String)> {
    environment
        .variables
        .iter()
        .filter_map(move |(name, value)| {
            let name = name.to_str()?.strip_prefix(prefix)?;
            let value = value.to_str()?;
            is_name(name).then(|| (name.to_owned(), value.to_owned()))
        })
}

/// `NAME=VALUE` on each line; blank lines and those that begin with `#` are skipped.
fn file(path: &Path) -> Result<Vec<(String, String)>, Error> {
    let shown = path.display();
    let text = String::from_utf8(read(path, "--var-file", 64 << 20)?)
        .map_err(|_| Error::usage(format!("--var-file: {shown} is not UTF-8")))?;
    let lines = text.lines().enumerate();
    let lines = lines.map(|(at, line)| (at + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            crate::cli::args::value::assignment(&format!(
                "{}={}",
                name.trim_end(),
                value.trim_start()
            ))
            .map_err(|problem| Error::usage(format!("{shown}, line {number}: {problem}")))
        })
        .collect()
}

/// `WSCOPE_SECRET_NAME`, then `--secret NAME=VALUE`: what comes later counts.
fn secrets(typed: &[String], environment: &Environment) -> Result<Vec<NamedSecret>, Error> {
    let mut secrets: Vec<NamedSecret> = named(environment, SECRET)
        .map(|(name, value)| NamedSecret::literal(name, Secret::new(value)))
        .collect();
    secrets.extend(output::secrets(typed, environment)?);
    Ok(secrets)
}
