//! Who may come in: path, origin, host and number, answered before the upgrade. Pure.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use url::{Host, Url};

use super::{Address, Plan};
use crate::model::handshake::{self, Headers, RequestHead};
use crate::protocol::deflate::{self, Accepted, Wrong};
use crate::wire::accept::Answer;

/// The answer to a request; `take_place` takes one of the places for connections, if there is one.
pub(super) fn answer(
    plan: &Plan,
    request: &RequestHead,
    upgrade: bool,
    take_place: impl FnOnce() -> bool,
) -> Answer {
    let path = path_of(&request.target);
    if !plan.paths.is_empty() && !plan.paths.iter().any(|served| served == path) {
        let paths = plan.paths.join(", ");
        return refuse(
            404,
            format!("nothing is served at {path} (served: {paths})\n"),
        );
    }
    if let Some(host) = wrong_host(plan, &request.headers) {
        return refuse(403, format!("Host {host} is not this machine\n"));
    }
    if !upgrade {
        let mut answer = refuse(426, "this is a WebSocket endpoint\n".to_owned());
        if let Answer::Http { headers, .. } = &mut answer {
            headers.push(("Upgrade".into(), "websocket".into()));
            headers.push(("Connection".into(), "Upgrade".into()));
            headers.push(("Sec-WebSocket-Version".into(), "13".into()));
        }
        return answer;
    }
    if let Some(origin) = wrong_origin(plan, &request.headers) {
        return refuse(
            403,
            format!("origin {origin} is not allowed (--allow-origin {origin} allows it)\n"),
        );
    }
    let extensions = match deflate(plan, request) {
        Ok(accepted) => accepted.map(|accepted| accepted.answer.to_string()),
        Err(wrong) => return refuse(400, format!("{wrong}\n")),
    };
    if !take_place() {
        return refuse(503, "all places are taken (--max-connections)\n".to_owned());
    }
    Answer::Upgrade {
        subprotocol: subprotocol(&plan.subprotocols, &request.headers),
        headers: extensions
            .map(|value| ("Sec-WebSocket-Extensions".to_owned(), value))
            .into_iter()
            .collect(),
    }
}

/// How messages are compressed on the connection that a request opens.
pub(super) fn deflate(plan: &Plan, request: &RequestHead) -> Result<Option<Accepted>, Wrong> {
    let offers = handshake::values(&request.headers, "sec-websocket-extensions");
    let accepted = deflate::accept(offers)?;
    Ok(accepted.filter(|_| plan.compress))
}

/// The path of a request target: what stands before `?`.
pub(super) fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or(target)
}

fn refuse(status: u16, text: String) -> Answer {
    Answer::Http {
        status,
        headers: vec![("Content-Type".into(), "text/plain; charset=utf-8".into())],
        body: Bytes::from(text),
    }
}

/// The first of ours that the client offers; without any of ours, the first that it offers.
fn subprotocol(ours: &[String], headers: &Headers) -> Option<String> {
    let offered: Vec<&str> = handshake::values(headers, "sec-websocket-protocol")
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    if ours.is_empty() {
        return offered.first().map(|&name| name.to_owned());
    }
    ours.iter()
        .find(|name| offered.contains(&name.as_str()))
        .cloned()
}

/// On a loopback bind the Host header must name this machine, so that a page that rebinds its DNS
/// name to 127.0.0.1 gets nothing. No page gets at a Unix socket, and its clients name any host.
fn wrong_host<'a>(plan: &Plan, headers: &'a Headers) -> Option<&'a str> {
    if !plan.address.is_loopback() || matches!(plan.address, Address::Unix(_)) {
        return None;
    }
    let host = handshake::header(headers, "host")?;
    let url = Url::parse(&format!("ws://{host}/")).ok();
    let local = url
        .as_ref()
        .and_then(Url::host)
        .is_some_and(|host| is_loopback(&host));
    (!local).then_some(host)
}

/// Browsers send Origin; scripts usually do not (RFC 6455, section 10.2).
fn wrong_origin<'a>(plan: &Plan, headers: &'a Headers) -> Option<&'a str> {
    let origin = handshake::header(headers, "origin")?;
    let allowed = plan
        .allow_origins
        .iter()
        .any(|known| known == "*" || known.eq_ignore_ascii_case(origin));
    if allowed {
        return None;
    }
    let url = Url::parse(origin).ok();
    let fine = if plan.address.is_loopback() {
        origin == "null"
            || origin.starts_with("file://")
            || url
                .as_ref()
                .and_then(Url::host)
                .is_some_and(|host| is_loopback(&host))
    } else {
        let host = handshake::header(headers, "host");
        let own = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
        url.as_ref().and_then(Url::host).is_some_and(|origin_host| {
            own.as_ref()
                .and_then(Url::host)
                .is_some_and(|host| host == origin_host)
        })
    };
    (!fine).then_some(origin)
}

fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.as_ref().trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
                // The `ws` scheme is special to the URL standard, so numbers arrive as Ipv4.
                || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        }
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

impl Address {
    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Tcp(address) => match address.ip() {
                IpAddr::V4(ip) => ip.is_loopback(),
                IpAddr::V6(ip) => ip.is_loopback(),
            },
            Self::Unix(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::mode;

    fn plan(address: &str) -> Plan {
        Plan {
            address: Address::Tcp(address.parse().unwrap()),
            paths: vec!["/chat".into()],
            ..Plan::new(mode::Plan::of(&mode::MODES[0]))
        }
    }

    fn status(
        plan: &Plan,
        target: &str,
        headers: &[(&str, &str)],
        upgrade: bool,
        place: bool,
    ) -> u16 {
        let headers = headers
            .iter()
            .map(|&(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        let request = RequestHead {
            method: "GET".into(),
            target: target.into(),
            headers,
        };
        match answer(plan, &request, upgrade, || place) {
            Answer::Upgrade { .. } => 101,
            Answer::Http { status, .. } => status,
        }
    }

    #[test]
    fn paths_and_numbers_are_checked() {
        let plan = plan("127.0.0.1:1");
        assert_eq!(status(&plan, "/chat?room=1", &[], true, true), 101);
        assert_eq!(status(&plan, "/other", &[], true, true), 404);
        assert_eq!(status(&plan, "/chat", &[], false, true), 426);
        assert_eq!(status(&plan, "/chat", &[], true, false), 503);
    }

    #[test]
    fn on_loopback_only_this_machine_and_its_pages_come_in() {
        let plan = plan("127.0.0.1:1");
        for origin in [
            "null",
            "file://",
            "http://localhost:3000",
            "https://127.0.0.1",
            "http://[::1]:5",
            "http://app.localhost",
        ] {
            assert_eq!(
                status(&plan, "/chat", &[("Origin", origin)], true, true),
                101,
                "{origin}"
            );
        }
        for origin in [
            "https://evil.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "",
        ] {
            assert_eq!(
                status(&plan, "/chat", &[("Origin", origin)], true, true),
                403,
                "{origin}"
            );
        }
        for (host, expected) in [
            ("localhost:1", 101),
            ("127.0.0.1", 101),
            ("[::1]:1", 101),
            ("rebound.example", 403),
        ] {
            assert_eq!(
                status(&plan, "/chat", &[("Host", host)], true, true),
                expected,
                "{host}"
            );
        }
    }

    #[test]
    fn elsewhere_the_same_host_comes_in_and_those_that_were_named() {
        let mut plan = plan("0.0.0.0:1");
        plan.allow_origins = vec!["https://app.example".into()];
        let host = ("Host", "ws.example:80");
        for (origin, expected) in [
            ("http://ws.example:8000", 101),
            ("https://App.example", 101),
            ("http://localhost", 403),
            ("null", 403),
        ] {
            assert_eq!(
                status(&plan, "/chat", &[host, ("Origin", origin)], true, true),
                expected,
                "{origin}"
            );
        }
        plan.allow_origins = vec!["*".into()];
        assert_eq!(
            status(&plan, "/chat", &[host, ("Origin", "null")], true, true),
            101
        );
    }

    #[test]
    fn compression_is_taken_where_it_is_offered_and_wanted() {
        let name = "Sec-WebSocket-Extensions";
        let offer = |value: &str| RequestHead {
            headers: vec![(name.to_owned(), value.to_owned())],
            target: "/chat".to_owned(),
            ..RequestHead::default()
        };
        let mut plan = plan("127.0.0.1:1");
        let extensions = |plan: &Plan, value: &str| match answer(plan, &offer(value), true, || true)
        {
            Answer::Upgrade { headers, .. } => headers,
            Answer::Http { status, .. } => vec![("status".to_owned(), status.to_string())],
        };
        let given = extensions(&plan, "x, permessage-deflate; client_max_window_bits");
        assert_eq!(given, [(name.to_owned(), "permessage-deflate".to_owned())]);
        assert_eq!(extensions(&plan, "permessage-deflate; a"), []);
        assert_eq!(
            extensions(&plan, "a b"),
            [("status".to_owned(), "400".to_owned())]
        );
        plan.compress = false;
        assert_eq!(extensions(&plan, "permessage-deflate"), []);
    }

    #[test]
    fn our_order_of_subprotocols_counts() {
        let headers = vec![("Sec-WebSocket-Protocol".to_owned(), "a, b".to_owned())];
        assert_eq!(subprotocol(&[], &headers).as_deref(), Some("a"));
        assert_eq!(
            subprotocol(&["b".into(), "a".into()], &headers).as_deref(),
            Some("b")
        );
        assert_eq!(subprotocol(&["c".into()], &headers), None);
    }
}
