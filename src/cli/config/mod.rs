//! From what was typed to what each command needs to know: the only place that looks at terminals,
//! environment, config file and defaults, and that finds contradictions. Below it no flag is known.

pub(in crate::cli) mod address;
mod auth;
mod bench;
mod bench_tool;
mod connect;
mod connection;
mod environment;
mod file;
mod header;
mod listen;
mod merge;
mod output;
mod ping;
mod reach;
mod screen;
mod server;
mod session;
mod test;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use clap::FromArgMatches;

pub(super) use environment::Environment;

use self::file::{Endpoint, File};
use super::typed::{Kind, Typed};
use crate::command;
use crate::error::{Error, cause_text};
use crate::text::bounded;
use crate::text::nearest::nearest;
use crate::wire::target::Target;

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Plan {
    Connect(Box<command::connect::Plan>),
    Listen(Box<command::listen::Plan>),
    Serve(Box<command::serve::Plan>),
    Test(Box<command::test::Plan>),
    Inspect(Box<command::test::inspect::Plan>),
    Bench(Box<command::bench::Plan>),
    BenchTool(Box<command::bench::tool::Plan>),
    Ping(Box<command::ping::Plan>),
}

/// The word that stands for a server inside the process.
const DEMO: &str = "demo";
/// A target to hold its place: `command` puts the server's address there.
const DEMO_URL: &str = "ws://127.0.0.1/";

/// A flag that refines another, and that other: alone it would do nothing.
const REFINES: [(&str, &str); 12] = [
    ("max_redirects", "location"),
    ("max_retries", "reconnect"),
    ("backoff", "reconnect"),
    ("heartbeat_reply", "heartbeat_message"),
    ("force", "record"),
    ("key", "cert"),
    ("passphrase", "cert"),
    ("tls_key", "tls_cert"),
    ("on_limit", "rate_limit"),
    ("basic", "user"),
    ("save_types", "save_dir"),
    ("fault_seed", "fault"),
];

/// # Errors
/// [`Error::Usage`]: what cannot be, where it was said, and what to try.
pub(super) fn plan(typed: &Typed, environment: &Environment) -> Result<Plan, Error> {
    let setup = Setup {
        typed,
        environment,
        file: config_file(typed, environment)?,
    };
    let tool = |plan| Plan::BenchTool(Box::new(plan));
    match typed.kind {
        Kind::Connect => connect::connect(&setup).map(|plan| Plan::Connect(Box::new(plan))),
        Kind::Listen => listen::listen(&setup),
        Kind::Test => test::test(&setup),
        Kind::Bench => bench::bench(&setup).map(|plan| Plan::Bench(Box::new(plan))),
        Kind::BenchReport => bench_tool::report(&setup).map(tool),
        Kind::BenchCompare => bench_tool::compare(&setup).map(tool),
        Kind::BenchMerge => bench_tool::merge(&setup).map(tool),
        Kind::Ping => ping::ping(&setup).map(|plan| Plan::Ping(Box::new(plan))),
        Kind::Serve => server::serve(&setup).map(|plan| Plan::Serve(Box::new(plan))),
    }
}

/// Where plans come from.
struct Setup<'a> {
    typed: &'a Typed,
    environment: &'a Environment,
    file: Option<File>,
}

impl Setup<'_> {
    /// The arguments of the command: the file's defaults, the endpoint's flags, and what was typed.
    fn args<A: FromArgMatches>(&self, endpoint: Option<&Endpoint>) -> Result<A, Error> {
        let defaults = self.file.as_ref().map_or(&[][..], |file| &file.defaults);
        let endpoint = endpoint.map_or(&[][..], |endpoint| &endpoint.entries);
        let words = merge::words(self.typed, self.environment, &[defaults, endpoint]);
        let merged = self.typed.after(&words)?;
        for (flag, refined) in REFINES {
            if self.typed.has(flag) && !merged.has(refined) {
                let (flag, refined) = (flag.replace('_', "-"), refined.replace('_', "-"));
                return Err(Error::usage(format!(
                    "--{flag} has no effect without --{refined}"
                )));
            }
        }
        merged.args()
    }

    /// The endpoint of a target that is written `@NAME`.
    fn endpoint(&self, target: &str) -> Result<Option<&Endpoint>, Error> {
        let Some(name) = target.strip_prefix('@') else {
            return Ok(None);
        };
        let Some(file) = &self.file else {
            let why = if self.environment.get("CI").is_some() {
                "the config file is ignored because CI is set; --config FILE names one"
            } else {
                "no config file was read; --config FILE names one"
            };
            return Err(Error::usage_hint(
                format!("there is no endpoint {target}"),
                why,
            ));
        };
        if let Some(endpoint) = file.endpoints.get(name) {
            return Ok(Some(endpoint));
        }
        let names = file.endpoints.keys().map(String::as_str);
        let hint = match nearest(name, names.clone()) {
            Some(meant) => format!("did you mean @{meant}?"),
            None if file.endpoints.is_empty() => "the file has no [endpoint.NAME]".to_owned(),
            None => format!("the file has {}", names.collect::<Vec<_>>().join(", ")),
        };
        let message = format!("there is no endpoint {target} in {}", file.path.display());
        Err(Error::usage_hint(message, hint))
    }
}

fn config_file(typed: &Typed, environment: &Environment) -> Result<Option<File>, Error> {
    if typed.has("no_config") || Kind::TOOLS.contains(&typed.kind) {
        return Ok(None);
    }
    if let Some(path) = typed.values::<PathBuf>("config").first() {
        return File::read(path).map(Some);
    }
    let path = environment.config_file().filter(|path| path.exists());
    match path {
        Some(path) if environment.get("CI").is_none() => File::read(&path).map(Some),
        _ => Ok(None),
    }
}

/// The target of a URL or of `demo`.
fn target(url: &str) -> Result<Target, Error> {
    Target::parse(if url == DEMO { DEMO_URL } else { url })
}

/// A file that a flag names, of at most `most` bytes.
fn read(path: &Path, flag: &str, most: u64) -> Result<Vec<u8>, Error> {
    bounded::read(path, most).map_err(|cause| {
        Error::usage(format!(
            "{flag}: could not read {}: {}",
            path.display(),
            cause_text(&cause)
        ))
    })
}
