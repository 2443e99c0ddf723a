//! `connect` as a plan: one client, and a conversation with it.

use super::output::{Purpose, recording, secrets, view};
use super::{DEMO, Setup, connection, screen, session, target};
use crate::cli::args::Connect;
use crate::command::source::Source;
use crate::command::{answers, connect};
use crate::error::Error;
use crate::session::client;
use crate::session::keepalive::Heartbeat;

pub(super) fn connect(setup: &Setup<'_>) -> Result<connect::Plan, Error> {
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
    let on_screen = screen::opens(setup, &args)?;
    let heartbeat = on_screen.then_some(Heartbeat::STANDARD);
    // A person may look at the frames of any message.
    let frames = args.output.frames || setup.environment.is_conversation();
    let upkeep = connection::upkeep(&args.upkeep, frames, heartbeat)?;
    let words = screen::words(&args, &upkeep);
    let mut client = client::Plan {
        reconnect: session::reconnect(&args.session),
        ..connection::client(
            target(url)?,
            &args.connection,
            connection::offer(&args.upkeep),
            upkeep,
            session::opening(&args.session)?,
            setup.environment,
            &mut notes,
        )?
    };
    let plain = args.conversation.plain;
    let mut view = view(setup, &args.output, Purpose::Messages, plain)?;
    let (source, limits) = session::conversation(setup, &args, &view, on_screen)?;
    // A person sees that nothing moves, and whoever is answered decides when to read; where we send
    // of our own, nothing would ever end the wait.
    let is_watched = matches!(source, Source::Person(_));
    let answers = args.session.echo || !args.session.reply.is_empty();
    client.connection.stall = limits.wait.filter(|_| !is_watched && !answers);
    view.echo_sent = session::is_echoed(setup, &source, &view);
    Ok(connect::Plan {
        clients: vec![client],
        demo: if url == DEMO { vec![0] } else { Vec::new() },
        conditions: session::conditions(setup, &args.session, &view),
        source,
        view,
        limits,
        record: recording(&args.recording)?,
        secrets: secrets(&args.secrets.secret, setup.environment)?,
        answers: answers::Plan {
            echo: args.session.echo,
            replies: args.session.reply,
        },
        setup: words,
        notes,
    })
}
