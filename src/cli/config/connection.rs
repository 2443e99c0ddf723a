//! Connection flags as the plan of one client.

use crate::cli::args::{Connection, Upkeep};
use crate::error::Error;
use crate::model::command::Command;
use crate::model::handshake::header;
use crate::model::secret::Secret;
use crate::protocol::deflate;
use crate::session::client;
use crate::session::connection;
use crate::session::keepalive::{Heartbeat, HeartbeatMessage};
use crate::wire::cookies::{self, Cookie};
use crate::wire::target::Target;
use crate::wire::{dial, upgrade};

use super::environment::Environment;
use super::{header as headers, secret};

/// The client of one target. `notes` gets what should be said before it connects.
pub(super) fn client(
    target: Target,
    args: &Connection,
    connection: connection::Plan,
    on_open: Vec<Command>,
    environment: &Environment,
    notes: &mut Vec<String>,
) -> Result<client::Plan, Error> {
    let request = request(args, environment, notes)?;
    if target.is_tls() {
        return Err(Error::usage_hint(
            format!(
                "{}: this version of wscope does not speak TLS",
                target.redacted()
            ),
            "try ws:// instead of wss://",
        ));
    }
    notes.extend(plain_credentials(&target, args, &request));
    Ok(client::Plan {
        target,
        name: None,
        dial: dial::Plan {
            resolve: args.resolve.clone(),
            family: family(args),
            unix_socket: args.unix_socket.clone(),
        },
        request,
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
    environment: &Environment,
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
        deflate: Some(deflate::Parameters::OFFER),
        origin: args.origin.clone(),
        host: args.host.clone(),
        user_agent: args.user_agent.clone(),
        authorization: authorization(args, environment)?,
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

fn authorization(
    args: &Connection,
    environment: &Environment,
) -> Result<Option<Secret<String>>, Error> {
    match (&args.auth, &args.bearer) {
        (Some(pair), _) => secret::basic(pair, environment).map(Some),
        (None, Some(token)) => secret::bearer(token, environment).map(Some),
        (None, None) => Ok(None),
    }
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
    let has_credential = request.authorization.is_some()
        || target.credentials().is_some()
        || header(&request.headers, headers::AUTHORIZATION).is_some()
        || header(&request.headers, "X-Api-Key").is_some()
        || header(&request.headers, "Cookie").is_some()
        || request.cookies.iter().any(|cookie| cookie.matches(target));
    (has_credential && !local && !target.is_tls())
        .then(|| format!("credentials go to {} unencrypted (ws://)", target.host()))
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
