//! From what was typed to what each command needs to know: the only place that looks at terminals,
//! environment, config file and defaults, and that finds contradictions. Below it no flag is known.

mod address;
mod connection;
mod environment;
mod file;
mod header;
mod merge;
mod output;
mod secret;
mod server;
mod session;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::FromArgMatches;

pub(super) use environment::Environment;

use self::file::{Endpoint, File};
use self::output::{Purpose, recording, view};
use super::args::{Connect, Listen};
use super::nearest::nearest;
use super::typed::{Kind, Typed};
use crate::command::source::Source;
use crate::command::{connect, listen, serve};
use crate::error::{Error, cause_text};
use crate::session::client;
use crate::wire::target::Target;

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Plan {
    Connect(Box<connect::Plan>),
    Listen(Box<listen::Plan>),
    Serve(Box<serve::Plan>),
}

/// The word that stands for a server inside the process.
const DEMO: &str = "demo";
/// A target to hold its place: `command` puts the server's address there.
const DEMO_URL: &str = "ws://demo/";

/// A flag that refines another, and that other: alone it would do nothing.
const REFINES: [(&str, &str); 5] = [
    ("max_redirects", "location"),
    ("max_retries", "reconnect"),
    ("backoff", "reconnect"),
    ("heartbeat_reply", "heartbeat_message"),
    ("force", "record"),
];

/// # Errors
/// [`Error::Usage`]: what cannot be, where it was said, and what to try.
pub(super) fn plan(typed: &Typed, environment: &Environment) -> Result<Plan, Error> {
    let setup = Setup {
        typed,
        environment,
        file: config_file(typed, environment)?,
    };
    match typed.kind {
        Kind::Connect => connect(&setup).map(|plan| Plan::Connect(Box::new(plan))),
        Kind::Listen => listen(&setup),
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
    if typed.has("no_config") {
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

fn connect(setup: &Setup<'_>) -> Result<connect::Plan, Error> {
    let url = setup.typed.values::<String>("url").into_iter().next();
    let url = match url {
        Some(url) => url,
        None if setup.environment.is_conversation() => DEMO.to_owned(),
        None => {
            return Err(Error::usage_hint(
                "no URL was given",
                "try wscope ws://localhost:8080/, or wscope connect demo for a server inside wscope",
            ));
        }
    };
    let endpoint = setup.endpoint(&url)?;
    let args: Connect = setup.args(endpoint)?;
    let url = endpoint.map_or(url.as_str(), |endpoint| &endpoint.url);

    let mut notes = Vec::new();
    let upkeep = connection::upkeep(&args.upkeep, args.output.frames, None)?;
    let size = upkeep.max_message_size;
    let client = client::Plan {
        reconnect: session::reconnect(&args.session),
        ..connection::client(
            target(url)?,
            &args.connection,
            upkeep,
            session::opening(&args.session)?,
            setup.environment,
            &mut notes,
        )?
    };
    let plain = args.conversation.plain;
    let mut view = view(setup, &args.output, Purpose::Messages, plain)?;
    let (source, limits) = session::conversation(setup, &args, view.data_style, size)?;
    view.echo_sent = session::is_echoed(&source, &view);
    Ok(connect::Plan {
        clients: vec![client],
        demo: if url == DEMO { vec![0] } else { Vec::new() },
        conditions: session::conditions(&args.session, &view, &source),
        source,
        view,
        limits,
        record: recording(&args.recording)?,
        echo: args.session.echo,
        replies: args.session.reply,
        notes,
    })
}

fn target(url: &str) -> Result<Target, Error> {
    Target::parse(if url == DEMO { DEMO_URL } else { url })
}

fn listen(setup: &Setup<'_>) -> Result<Plan, Error> {
    let targets: Vec<String> = setup.typed.values("targets");
    if let [target] = targets.as_slice()
        && let Some(address) = address::parse(target)
    {
        let plan = server::listen(setup, target, address)?;
        return Ok(Plan::Listen(Box::new(plan)));
    }
    for target in &targets {
        check_subscribes(target, targets.len())?;
    }
    subscribe(setup, &targets).map(|plan| Plan::Connect(Box::new(plan)))
}

/// Whether `listen` can subscribe to a target: it has to look like a URL, so that `localhost:8080`
/// is not guessed to be one or the other.
fn check_subscribes(target: &str, count: usize) -> Result<(), Error> {
    let is_url = target.contains("://") || target.starts_with("ws+unix:");
    if is_url || target == DEMO || target.starts_with('@') {
        return Ok(());
    }
    if count > 1 && address::parse(target).is_some() {
        return Err(Error::usage_hint(
            format!("listen accepts connections on one address only, not on {target} as well"),
            "several URLs can be subscribed to",
        ));
    }
    Err(Error::usage_hint(
        format!("\"{target}\" is neither a URL nor a port"),
        format!(
            "to subscribe write ws://{target}; to accept connections write {}",
            address::SPELLINGS
        ),
    ))
}

fn subscribe(setup: &Setup<'_>, targets: &[String]) -> Result<connect::Plan, Error> {
    let mut notes = Vec::new();
    let mut clients = Vec::new();
    for text in targets {
        let mut client = subscriber(setup, text, &mut notes)?;
        let url = client.target.redacted();
        client.name = (targets.len() > 1).then(|| name(text, &url, &clients));
        clients.push(client);
    }
    // Where several endpoints speak, none of them speaks for the whole session.
    let endpoint = match targets {
        [only] => setup.endpoint(only)?,
        _ => None,
    };
    let args: Listen = setup.args(endpoint)?;
    if args.session.input.is_some() && !args.stdin {
        return Err(Error::usage("--input has no effect without --stdin"));
    }
    let mut view = view(setup, &args.output, Purpose::Messages, false)?;
    let source = if args.stdin {
        let size = args.upkeep.max_message_size;
        session::input(setup, &args.session, false, view.data_style, size)?
    } else {
        Source::Nothing
    };
    view.echo_sent = session::is_echoed(&source, &view);
    let demo = (0..targets.len())
        .filter(|at| targets[*at] == DEMO)
        .collect();
    Ok(connect::Plan {
        clients,
        demo,
        conditions: session::conditions(&args.session, &view, &source),
        source,
        view,
        limits: session::limits(&args.session, &args.connection),
        record: recording(&args.recording)?,
        echo: args.session.echo,
        replies: args.session.reply,
        notes,
    })
}

/// One of the clients of `listen`, with what the config file says about it alone.
fn subscriber(
    setup: &Setup<'_>,
    text: &str,
    notes: &mut Vec<String>,
) -> Result<client::Plan, Error> {
    let endpoint = setup.endpoint(text)?;
    let args: Listen = setup.args(endpoint)?;
    if setup.typed.has("allow_origin") {
        return Err(Error::usage_hint(
            format!("--allow-origin has no meaning for listen {text}, which connects"),
            "-o/--origin sends an Origin",
        ));
    }
    let url = endpoint.map_or(text, |endpoint| &endpoint.url);
    let client = connection::client(
        target(url)?,
        &args.connection,
        connection::upkeep(&args.upkeep, args.output.frames, None)?,
        session::opening(&args.session)?,
        setup.environment,
        notes,
    )?;
    Ok(client::Plan {
        reconnect: session::reconnect(&args.session),
        ..client
    })
}

/// What tells a target from the others: the endpoint's name or the URL, numbered where it comes again.
fn name(text: &str, url: &str, others: &[client::Plan]) -> Arc<str> {
    let base = text.strip_prefix('@').unwrap_or(url);
    let is_taken = |name: &str| {
        others
            .iter()
            .any(|other| other.name.as_deref() == Some(name))
    };
    let numbered = (2..).map(|number| format!("{base}#{number}"));
    std::iter::once(base.to_owned())
        .chain(numbered)
        .find(|name| !is_taken(name))
        .map_or_else(|| base.into(), Into::into)
}

/// A file that a flag names.
fn read(path: &Path, flag: &str) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|cause| {
        Error::usage(format!(
            "{flag}: could not read {}: {}",
            path.display(),
            cause_text(&cause)
        ))
    })
}
