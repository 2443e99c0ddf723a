//! `ping` as a plan: one client that sends nothing but pings.

use super::{DEMO, Setup, connection, target};
use crate::cli::args::{Ping, PingOutput};
use crate::command::{ping, volley};
use crate::error::Error;
use crate::protocol::deflate;
use crate::session::connection::{DEFAULT_MAX_MESSAGE_SIZE, Plan as Upkeep};
use crate::text::style::Style;
use crate::view;
use crate::view::outcome::Conditions;
use crate::view::select::Select;

pub(super) fn ping(setup: &Setup<'_>) -> Result<ping::Plan, Error> {
    let url = setup.typed.values::<String>("url").into_iter().next();
    let url = url.unwrap_or_default();
    let endpoint = setup.endpoint(&url)?;
    let args: Ping = setup.args(endpoint)?;
    let url = endpoint.map_or(url.as_str(), |endpoint| &endpoint.url);

    let mut notes = Vec::new();
    // What `connect` and browsers offer, so that a server is asked in their words; but both
    // implementations have to say the same, and the reference knows no compression.
    let deflate = (!args.pings.cross_check).then_some(deflate::Parameters::OFFER);
    let client = connection::client(
        target(url)?,
        &args.connection,
        deflate,
        Upkeep {
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            auto_pong: true,
            report_frames: false,
            heartbeat: None,
            stall: None,
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
        cross_check: args.pings.cross_check,
        view: view(setup, &args),
        conditions: Conditions {
            pongs: Some(args.pings.count),
            cross_check: args.pings.cross_check,
            interactive: setup.environment.is_conversation(),
            ..Conditions::default()
        },
        max_time: args.connection.max_time,
        notes,
    })
}

fn view(setup: &Setup<'_>, args: &Ping) -> view::Plan {
    let environment = setup.environment;
    let Ping {
        pings,
        output: args,
        ..
    } = args;
    let color = args.color.unwrap_or_default();
    let style = |is_terminal| Style::decide(color, is_terminal, |name| environment.get(name));
    view::Plan {
        format: match args {
            PingOutput { json: true, .. } => "ndjson",
            PingOutput { quiet: true, .. } => "quiet",
            _ if pings.cross_check => "cross-check",
            _ => "ping",
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
