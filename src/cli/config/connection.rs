//! Connection flags as the plan of one client.

use crate::cli::args::{Connection, Upkeep};
use crate::error::Error;
use crate::model::command::Command;
use crate::model::handshake::header;
use crate::protocol::deflate;
use crate::session::client;
use crate::session::connection;
use crate::session::keepalive::{Heartbeat, HeartbeatMessage};
use crate::session::secret_source::{Authorization, Secrets};
use crate::wire::cookies::{self, Cookie};
use crate::wire::target::Target;
use crate::wire::{dial, upgrade};

use super::environment::Environment;
use super::{header as headers, reach};

/// The client of one target. `notes` gets what should be said before it connects.
pub(super) fn client(
    target: Target,
    args: &Connection,
    deflate: Option<deflate::Parameters>,
    connection: connection::Plan,
    on_open: Vec<Command>,
    environment: &Environment,
    notes: &mut Vec<String>,
) -> Result<client::Plan, Error> {
    let request = request(args, deflate, notes)?;
    let secrets = secrets(args, environment)?;
    notes.extend(plain_credentials(&target, args, &request));
    Ok(client::Plan {
        target,
        name: None,
        dial: dial::Plan {
            resolve: args.resolve.clone(),
            family: family(args),
            unix_socket: args.unix_socket.clone(),
            source: None,
            receive_buffer: None,
        },
        proxy: reach::proxy(&args.reach, environment)?,
        tls: reach::tls(&args.reach, environment),
        request,
        secrets,
        connect_timeout: args.connect_timeout,
        redirects: args.location.then_some(args.max_redirects),
        wait_for_server: args.wait_for_server,
        connection,
        reconnect: None,
        on_open,
    })
}

fn request(
    args: &Connection,
    deflate: Option<deflate::Parameters>,
    notes: &mut Vec<String>,
) -> Result<upgrade::Plan, Error> {
    let headers = headers::read(&args.header, notes)?;
    let flag = args.auth.as_ref().map(|_| "--auth");
    let flag = flag.or(args.bearer.as_ref().map(|_| "--bearer"));
    if let (Some(flag), Some(_)) = (flag, header(&headers, headers::AUTHORIZATION)) {
        return Err(Error::usage(format!("-H Authorization contradicts {flag}")));
    }
    Ok(upgrade::Plan {
        headers,
        subprotocols: distinct(&args.subprotocol)?,
        deflate,
        origin: args.origin.clone(),
        host: args.host.clone(),
        user_agent: args.user_agent.clone(),
        authorization: None,
        cookies: read_cookies(&args.cookie)?,
        version: match args.protocol.as_deref() {
            Some("8") => Some(8),
            _ => None,
        },
    })
}

/// A subprotocol may not be offered twice (RFC 6455, section 4.1, item 10).
fn distinct(offered: &[String]) -> Result<Vec<String>, Error> {
    for (at, name) in offered.iter().enumerate() {
        if offered[..at].contains(name) {
            return Err(Error::usage(format!("subprotocol {name} is given twice")));
        }
    }
    Ok(offered.to_vec())
}

fn secrets(args: &Connection, environment: &Environment) -> Result<Secrets, Error> {
    let source = |flag, typed: &Option<String>| {
        let typed = typed.as_deref();
        typed
            .map(|typed| reach::secret(flag, typed, environment))
            .transpose()
    };
    let basic = source("--auth", &args.auth)?.map(Authorization::basic);
    let bearer = source("--bearer", &args.bearer)?.map(Authorization::bearer);
    Ok(Secrets {
        authorization: basic.or(bearer).transpose()?,
        passphrase: source("--passphrase", &args.reach.passphrase)?,
    })
}

/// As for curl: a text with `=` is a cookie, another one the name of a file.
fn read_cookies(typed: &[String]) -> Result<Vec<Cookie>, Error> {
    let mut all = Vec::new();
    for text in typed {
        all.extend(if text.contains('=') {
            cookies::parse_words(text)?
        } else {
            cookies::read_file(text.as_ref())?
        });
    }
    Ok(all)
}

const fn family(args: &Connection) -> Option<dial::Family> {
    match (args.ipv4, args.ipv6) {
        (true, _) => Some(dial::Family::V4),
        (_, true) => Some(dial::Family::V6),
        _ => None,
    }
}

/// A note where a credential would be readable on the way.
fn plain_credentials(
    target: &Target,
    args: &Connection,
    request: &upgrade::Plan,
) -> Option<String> {
    let local = target.is_loopback() || target.unix().is_some() || args.unix_socket.is_some();
    let has_credential = args.auth.is_some()
        || args.bearer.is_some()
        || target.credentials().is_some()
        || header(&request.headers, headers::AUTHORIZATION).is_some()
        || header(&request.headers, "X-Api-Key").is_some()
        || header(&request.headers, "Cookie").is_some()
        || request.cookies.iter().any(|cookie| cookie.matches(target));
    (has_credential && !local && !target.is_tls())
        .then(|| format!("credentials go to {} unencrypted (ws://)", target.host()))
}

/// What a client offers for compression.
pub(super) fn offer(args: &Upkeep) -> Option<deflate::Parameters> {
    (!args.no_compress).then_some(deflate::Parameters::OFFER)
}

/// How connections behave, whoever opens them.
pub(super) fn upkeep(
    args: &Upkeep,
    report_frames: bool,
    default: Option<Heartbeat>,
) -> Result<connection::Plan, Error> {
    Ok(connection::Plan {
        max_message_size: args.max_message_size,
        auto_pong: !args.no_pong,
        report_frames,
        heartbeat: heartbeat(args, default)?,
        stall: None,
    })
}

/// `--heartbeat-message` alone asks for the standard times.
fn heartbeat(args: &Upkeep, default: Option<Heartbeat>) -> Result<Option<Heartbeat>, Error> {
    let chosen = args.heartbeat.as_ref().map(|choice| choice.0.clone());
    let Some(text) = &args.heartbeat_message else {
        return Ok(chosen.unwrap_or(default));
    };
    let Some(heartbeat) = chosen.unwrap_or(Some(Heartbeat::STANDARD)) else {
        return Err(Error::usage(
            "--heartbeat-message contradicts --heartbeat off",
        ));
    };
    Ok(Some(Heartbeat {
        message: Some(HeartbeatMessage {
            text: text.clone(),
            reply: args.heartbeat_reply.clone(),
        }),
        ..heartbeat
    }))
}
