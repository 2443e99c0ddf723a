//! `ping` as a plan: one client that sends nothing but pings.

use super::{DEMO, Setup, connection, target};
use crate::cli::args::{Ping, PingOutput};
use crate::command::{ping, volley};
use crate::error::Error;
use crate::protocol::deflate;
use crate::session::connection::{DEFAULT_MAX_MESSAGE_SIZE, Plan as Upkeep};
use crate::text::style::Style;
use crate::view::outcome::Conditions;
use crate::view::select::Select;
use crate::view::{self, REPORTS};

pub(super) fn ping(setup: &Setup<'_>) -> Result<ping::Plan, Error> {
    let url = setup.typed.values::<String>("url").into_iter().next();
    let url = url.unwrap_or_default();
    let endpoint = setup.endpoint(&url)?;
    let args: Ping = setup.args(endpoint)?;
    let url = endpoint.map_or(url.as_str(), |endpoint| &endpoint.url);

    let mut notes = Vec::new();
    let client = connection::client(
        target(url)?,
        &args.connection,
        // What is offered is what `connect` and browsers offer: a server is asked in their words.
        Some(deflate::Parameters::OFFER),
        Upkeep {
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            auto_pong: true,
            report_frames: false,
            heartbeat: None,
        },
        Vec::new(),
        setup.environment,
        &mut notes,
    )?;
    Ok(ping::Plan {
        client,
        demo: url == DEMO,
        volley: volley::Plan {
            count: args.pings.count,
            interval: args.pings.interval,
            timeout: args.pings.timeout,
        },
        view: view(setup, &args.output),
        conditions: Conditions {
            pongs: Some(args.pings.count),
            interactive: setup.environment.is_conversation(),
            ..Conditions::default()
        },
        max_time: args.connection.max_time,
        notes,
    })
}

fn view(setup: &Setup<'_>, args: &PingOutput) -> view::Plan {
    let environment = setup.environment;
    let color = args.color.unwrap_or_default();
    let style = |is_terminal| Style::decide(color, is_terminal, |name| environment.get(name));
    view::Plan {
        format: match (args.json, args.quiet) {
            (true, _) => "ndjson",
            (false, quiet) => REPORTS[usize::from(quiet)].name,
        },
        // What goes on is the report's to say; stderr is for what goes wrong.
        interactive: false,
        talk_is_data: false,
        data_terminal: environment.stdout_is_terminal,
        echo_sent: false,
        parse: false,
        ping_pong: true,
        frames: false,
        verbose: args.verbose,
        timestamps: false,
        data_style: style(environment.stdout_is_terminal),
        talk_style: style(environment.stderr_is_terminal),
        select: Select::default(),
    }
}
