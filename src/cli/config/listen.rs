//! `listen` as a plan: a server where the target is an address, subscriptions where it is a URL.

use std::sync::Arc;

use super::output::{Purpose, recording, secrets, view};
use super::{DEMO, Plan, Setup, address, connection, screen, server, session, target};
use crate::cli::args::Listen;
use crate::command::source::Source;
use crate::command::{answers, connect};
use crate::error::Error;
use crate::session::client;
use crate::session::keepalive::Heartbeat;

pub(super) fn listen(setup: &Setup<'_>) -> Result<Plan, Error> {
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
    let on_screen = args.screen.tui;
    let source = if on_screen {
        screen::forced(setup.environment, "--tui")?;
        Source::Person(Box::new(session::person(setup, &args.screen, &view, true)))
    } else if args.stdin {
        let size = args.upkeep.max_message_size;
        let person = session::person(setup, &args.screen, &view, false);
        session::input(setup, &args.session, false, person, size)?
    } else {
        Source::Nothing
    };
    view.echo_sent = session::is_echoed(setup, &source, &view);
    let demo = (0..targets.len())
        .filter(|at| targets[*at] == DEMO)
        .collect();
    Ok(connect::Plan {
        clients,
        demo,
        conditions: session::conditions(setup, &args.session, &view),
        source,
        view,
        limits: session::limits(&args.session, &args.connection),
        record: recording(&args.recording)?,
        secrets: secrets(&args.secrets.secret, setup.environment)?,
        answers: answers::Plan {
            echo: args.session.echo,
            replies: args.session.reply,
        },
        setup: Vec::new(),
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
        connection::offer(&args.upkeep),
        connection::upkeep(
            &args.upkeep,
            args.output.frames || args.screen.tui,
            args.screen.tui.then_some(Heartbeat::STANDARD),
        )?,
        session::opening(&args.session)?,
        setup.environment,
        notes,
    )?;
    Ok(client::Plan {
        reconnect: session::reconnect(&args.session),
        ..client
    })
}

/// What tells a target from the others: the endpoint's name, `demo` or the URL without its secrets,
/// numbered where it comes again.
fn name(text: &str, url: &str, others: &[client::Plan]) -> Arc<str> {
    let base = match text.strip_prefix('@') {
        Some(endpoint) => endpoint,
        None if text == DEMO => DEMO,
        None => url,
    };
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
