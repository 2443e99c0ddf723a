//! `serve` and `listen PORT` as plans of a server.

use std::time::Duration;

use clap::Arg;

use super::connection::upkeep;
use super::output::{Purpose, recording, secrets, view};
use super::{Setup, session, test};
use super::{address, auth};
use crate::cli::args::{Listen, Output, Serve, Server};
use crate::command::source::Source;
use crate::command::{listen, serve as serving};
use crate::error::Error;
use crate::serve::{self, Address, fault, files, limits, log, mode, queue};
use crate::session::connection;
use crate::session::keepalive::{Heartbeat, HeartbeatMessage};
use crate::view::outcome::Conditions;
use crate::view::select::Only;
use crate::wire::tls::ServerPlan;

/// How long `listen` waits for closing handshakes at the end.
const DRAIN: Duration = Duration::from_secs(3);

/// Headings whose flags mean for `listen PORT` what they mean elsewhere.
const HEADINGS_FOR_PORT: [&str; 4] = ["Connection upkeep", "Server", "Output", "Config file"];

/// The other arguments that mean something for it; the rest is about connecting.
const FOR_PORT: [&str; 8] = [
    "stdin",
    "input",
    "binary",
    "slash",
    "count",
    "until",
    "duration",
    "subprotocol",
];

pub(super) fn serve(setup: &Setup<'_>) -> Result<serving::Plan, Error> {
    let args: Serve = setup.args(None)?;
    let address = address::parse(&args.address).ok_or_else(|| {
        let message = format!("\"{}\" is not an address to serve on", args.address);
        Error::usage_hint(message, format!("it takes {}", address::SPELLINGS))
    })?;
    let view = view(setup, &args.output, Purpose::Log, false)?;
    let screen = super::screen::of_server(setup, &args.screen, &view)?;
    let server = &args.server;
    let auth = auth::auth(&args.auth, setup.environment)?;
    let mode = mode(setup, &args)?;
    let mut connection = connection(&args)?;
    connection.auto_pong &= !mode.hears_control();
    let faults = fault::Plan {
        faults: server.fault.clone(),
        seed: server.fault_seed.unwrap_or_else(rand::random),
    };
    let drawn = server.fault_seed.is_none() && faults.is_drawn();
    let notes = exposed(&address, auth.is_on()).into_iter();
    let notes = notes.chain(contained(&address, setup.environment.is_container()));
    let notes = notes.chain(drawn.then(|| seed_note(faults.seed))).collect();
    Ok(serving::Plan {
        server: serve::Plan {
            address,
            tls: tls(server),
            mode,
            paths: server.path.clone(),
            allow_origins: args.origins.allow_origin.clone(),
            subprotocols: server.subprotocol.clone(),
            compress: !args.upkeep.no_compress,
            connection,
            auth,
            limits: limits::Plan {
                messages: server.rate_limit.map(|rate| (rate, server.on_limit)),
                handshakes: server.handshake_limit,
            },
            files: files(server)?,
            queue: queue::Plan {
                bytes: server.queue_bytes,
                overflow: server.overflow,
            },
            max_connections: server.max_connections,
            drain: server.drain,
            faults,
            log: log::Plan {
                traffic: setup.environment.stdout_is_terminal || asks_for_traffic(&args.output),
                room: log::ROOM,
            },
        },
        view,
        screen,
        duration: server.duration,
        exec: server.exec.clone(),
        expect: server.expect.clone(),
        notes,
    })
}

/// A note where everyone who can reach the machine may come in.
fn exposed(address: &Address, auth: bool) -> Option<String> {
    (!address.is_loopback() && !auth).then(|| {
        "other machines can connect, and nobody has to show who they are (see --token)".to_owned()
    })
}

/// A note where nobody outside of a container can reach what is served in it. A port that the system
/// picks is not one to be published.
fn contained(address: &Address, in_container: bool) -> Option<String> {
    let Address::Tcp(bound) = address else {
        return None;
    };
    let port = bound.port();
    (in_container && address.is_loopback() && port != 0).then(|| {
        format!(
            "only this container can reach {bound}: wscope serve 0.0.0.0:{port} lets others in \
             (publish the port too, and see --token)"
        )
    })
}

fn seed_note(seed: u64) -> String {
    format!("faults are drawn at random: --fault-seed {seed} draws the same again")
}

fn files(args: &Server) -> Result<Option<files::Plan>, Error> {
    let Some(dir) = &args.save_dir else {
        return Ok(None);
    };
    if !dir.is_dir() {
        let message = format!("--save-dir: {} is not a folder", dir.display());
        return Err(Error::usage(message));
    }
    Ok(Some(files::Plan {
        dir: dir.clone(),
        types: args.save_types.clone(),
    }))
}

/// `--heartbeat-kind text` is the heartbeat of pages, which cannot see pings.
fn connection(args: &Serve) -> Result<connection::Plan, Error> {
    let mut plan = upkeep(&args.upkeep, args.output.frames, Some(Heartbeat::STANDARD))?;
    if args.server.heartbeat_kind == "text" {
        let Some(heartbeat) = &mut plan.heartbeat else {
            let message = "--heartbeat-kind text contradicts --heartbeat off";
            return Err(Error::usage(message));
        };
        heartbeat.message.get_or_insert_with(|| HeartbeatMessage {
            text: "ping".to_owned(),
            reply: Some("pong".to_owned()),
        });
    }
    Ok(plan)
}

fn tls(args: &Server) -> Option<ServerPlan> {
    if args.tls_self_signed {
        return Some(ServerPlan::SelfSigned);
    }
    args.tls_cert.clone().map(|certificate| ServerPlan::Files {
        certificate,
        key: args.tls_key.clone(),
        passphrase: None,
    })
}

fn mode(setup: &Setup<'_>, args: &Serve) -> Result<mode::Plan, Error> {
    let server = &args.server;
    if let Some(path) = &server.script {
        let given = test::surroundings(setup.environment)?;
        return Ok(mode::Plan {
            script: Some(crate::command::test::mirror(path, &given)?),
            ..mode::Plan::of(mode::SCRIPT)
        });
    }
    let mode = server.mode.entry;
    for (is_given, flag, of) in [
        (server.echo_prefix.is_some(), "--echo-prefix", "echo"),
        (server.exclude_sender, "--exclude-sender", "broadcast"),
        (server.include_sender, "--include-sender", "rooms"),
        (server.history > 0, "--history", "rooms"),
    ] {
        if is_given && mode.name != of {
            let message = format!("{flag} has no meaning without --mode {of}");
            return Err(Error::usage(message));
        }
    }
    if setup.typed.has("overflow") && !mode.reaches_others() {
        return Err(Error::usage_hint(
            format!("--overflow has no effect with --mode {}", mode.name),
            "it is about what others send to a client, as with --mode broadcast, rooms or flood",
        ));
    }
    Ok(mode::Plan {
        prefix: server.echo_prefix.clone(),
        exclude_sender: server.exclude_sender,
        include_sender: server.include_sender,
        history: server.history,
        rate: server.mode.rate,
        ..mode::Plan::of(mode)
    })
}

/// Whether messages are logged where nobody reads along on a terminal: they cost a busy server.
fn asks_for_traffic(output: &Output) -> bool {
    if !output.only.is_empty() {
        return output.frames || output.only.iter().any(Only::names_messages);
    }
    let chosen = output.filter.is_some() || output.exclude.is_some();
    let formatted = output.json || output.parse || output.output.is_some();
    output.verbose || output.show_ping_pong || output.frames || chosen || formatted
}

/// `target` is what was typed for `address`.
pub(super) fn listen(
    setup: &Setup<'_>,
    target: &str,
    address: Address,
) -> Result<listen::Plan, Error> {
    let mut given = setup.typed.given();
    if let Some(flag) = given.find(|arg| !is_for_port(arg)).and_then(Arg::get_long) {
        return Err(Error::usage_hint(
            format!("--{flag} has no meaning for listen {target}, which accepts connections"),
            "it goes with URLs: wscope listen ws://HOST:PORT/PATH",
        ));
    }
    let args: Listen = setup.args(None)?;
    let connection = upkeep(&args.upkeep, args.output.frames, None)?;
    let mut view = view(setup, &args.output, Purpose::Messages, false)?;
    let size = connection.max_message_size;
    let person = session::person(setup, &args.screen, &view, false);
    let mut source = session::input(setup, &args.session, false, person, size)?;
    if let Source::Pipe(pipe) = &mut source {
        // `/to ID text` is how one client is told from the others, from a pipe too.
        pipe.slash = true;
    }
    view.echo_sent = session::is_echoed(setup, &source, &view);
    let conditions = Conditions {
        serving: true,
        ..session::conditions(setup, &args.session, &view)
    };
    Ok(listen::Plan {
        server: serve::Plan {
            address,
            tls: None,
            mode: mode::Plan::of(mode::LISTEN),
            paths: Vec::new(),
            allow_origins: args.origins.allow_origin.clone(),
            subprotocols: args.connection.subprotocol.clone(),
            compress: !args.upkeep.no_compress,
            connection,
            auth: serve::auth::Plan::default(),
            limits: limits::Plan::default(),
            files: None,
            queue: queue::Plan::default(),
            max_connections: None,
            drain: DRAIN,
            faults: fault::Plan::default(),
            // What clients send is what it is for: there is room for one message of any size.
            log: log::Plan {
                traffic: true,
                room: log::ROOM + size,
            },
        },
        source,
        view,
        conditions,
        duration: args.session.duration,
        record: recording(&args.recording)?,
        secrets: secrets(&args.secrets.secret, setup.environment)?,
        notes: Vec::new(),
    })
}

fn is_for_port(arg: &Arg) -> bool {
    // The target itself and what only wscat has stand below no heading.
    arg.get_help_heading()
        .is_none_or(|heading| HEADINGS_FOR_PORT.contains(&heading))
        || FOR_PORT.contains(&arg.get_id().as_str())
}
