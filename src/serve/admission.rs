//! Who may come in: path, origin, host, identity and number, answered before the upgrade. Pure.

use std::net::{IpAddr, Ipv4Addr};

use url::{Host, Url};

use super::auth::{self, Identity, Reject, Rejection};
use super::http::{rejected, text, with_header};
use super::{Address, Plan};
use crate::model::handshake::{self, Headers, RequestHead};
use crate::protocol::deflate::{self, Accepted, Wrong};
use crate::wire::accept::Answer;

/// What a handshake's answer depends on beside plan and request.
pub(super) struct Doors<'a> {
    /// The server does not end.
    pub(super) is_open: bool,
    /// Who the client is.
    pub(super) verdict: &'a Result<Identity, Rejection>,
    /// Takes one of the places for connections, if there is one.
    pub(super) take_place: &'a mut dyn FnMut() -> bool,
}

/// The answer to a request for an upgrade.
pub(super) fn upgrade(plan: &Plan, request: &RequestHead, doors: &mut Doors<'_>) -> Answer {
    if let Some(answer) = wrong_path(plan, request) {
        return answer;
    }
    if let Some(answer) = foreign(plan, request) {
        return answer;
    }
    let extensions = match deflate(plan, request) {
        Ok(accepted) => accepted.map(|accepted| accepted.answer.to_string()),
        Err(wrong) => return text(400, format!("{wrong}\n")),
    };
    if let Some(rejection) = refused_by_status(&plan.auth, doors.verdict) {
        return rejected(rejection);
    }
    if !doors.is_open {
        return text(503, "the server is shutting down\n");
    }
    if !(doors.take_place)() {
        return text(503, "all places are taken (--max-connections)\n");
    }
    Answer::Upgrade {
        subprotocol: subprotocol(&plan.subprotocols, &request.headers),
        headers: extensions
            .map(|value| ("Sec-WebSocket-Extensions".to_owned(), value))
            .into_iter()
            .collect(),
    }
}

/// The answer to a page of somebody else's: it may neither connect nor log anybody in.
pub(super) fn foreign(plan: &Plan, request: &RequestHead) -> Option<Answer> {
    // One of two could be allowed, and the other the page's.
    if handshake::values(&request.headers, "origin").count() > 1 {
        return Some(text(400, "more than one Origin\n"));
    }
    let origin = wrong_origin(plan, &request.headers)?;
    let whose = if origin == "null" {
        " is that of any site's sandboxed frame, and"
    } else {
        ""
    };
    let why =
        format!("origin {origin}{whose} is not allowed (--allow-origin {origin} allows it)\n");
    Some(text(403, why))
}

/// The answer to a plain request of a WebSocket's path, or of none.
pub(super) fn plain(plan: &Plan, request: &RequestHead) -> Answer {
    if let Some(answer) = wrong_path(plan, request) {
        return answer;
    }
    let answer = text(426, "this is a WebSocket endpoint\n");
    let answer = with_header(answer, "Upgrade", "websocket");
    let answer = with_header(answer, "Connection", "Upgrade");
    with_header(answer, "Sec-WebSocket-Version", "13")
}

/// What refuses every request, whatever it asks for.
pub(super) fn refusal(plan: &Plan, request: &RequestHead) -> Option<Answer> {
    let host = wrong_host(plan, &request.headers)?;
    Some(text(403, format!("Host {host} is not this machine\n")))
}

fn wrong_path(plan: &Plan, request: &RequestHead) -> Option<Answer> {
    let path = path_of(&request.target);
    if plan.paths.is_empty() || plan.paths.iter().any(|served| served == path) {
        return None;
    }
    let paths = plan.paths.join(", ");
    let why = format!("nothing is served at {path} (served: {paths})\n");
    Some(text(404, why))
}

/// Why a client is refused before the upgrade, where it is; others are told by a close code.
fn refused_by_status<'a>(
    plan: &auth::Plan,
    verdict: &'a Result<Identity, Rejection>,
) -> Option<&'a Rejection> {
    let rejection = verdict.as_ref().err()?;
    let may_follow = *rejection == Rejection::Missing && plan.first_message.is_some();
    (plan.reject == Reject::Http && !may_follow).then_some(rejection)
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

/// The first of ours that the client offers; `bearer` where it shows a token and offers none of ours,
/// since a browser takes no answer without a subprotocol; where we have none, the first that it offers.
fn subprotocol(ours: &[String], headers: &Headers) -> Option<String> {
    let offered = auth::subprotocols(headers);
    let known = ours
        .iter()
        .find(|name| offered.names.contains(&name.as_str()));
    if let Some(known) = known {
        return Some(known.clone());
    }
    if offered.token.is_some() {
        return Some(auth::BEARER.to_owned());
    }
    let first = offered.names.first().filter(|_| ours.is_empty());
    first.map(|&name| name.to_owned())
}

/// On a loopback bind the Host header must name this machine, so that a page that rebinds its DNS
/// name to 127.0.0.1 gets nothing. No page gets at a Unix socket, and its clients name any host.
fn wrong_host<'a>(plan: &Plan, headers: &'a Headers) -> Option<&'a str> {
    if !plan.address.is_loopback() || matches!(plan.address, Address::Unix(_)) {
        return None;
    }
    let host = handshake::header(headers, "host")?;
    // A host and a port, and nothing else that a URL may have (RFC 9110, section 7.2).
    let is_plain = !host.contains(['@', '/', '\\', '?', '#']);
    let url = Url::parse(&format!("ws://{host}/")).ok();
    let local = url
        .as_ref()
        .and_then(Url::host)
        .is_some_and(|host| is_plain && is_loopback(&host));
    (!local).then_some(host)
}

/// Browsers send Origin; scripts usually do not (RFC 6455, section 10.2). `null` is nobody's own: any
/// site can show a sandboxed frame that has it.
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
        origin.starts_with("file://")
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
        let answer = match refusal(plan, &request) {
            Some(answer) => answer,
            None if upgrade => self::upgrade(plan, &request, &mut doors(&mut || place)),
            None => plain(plan, &request),
        };
        match answer {
            Answer::Http { status, .. } => status,
            _ => 101,
        }
    }

    fn doors(take_place: &mut dyn FnMut() -> bool) -> Doors<'_> {
        Doors {
            is_open: true,
            verdict: &Ok(Identity { user: None }),
            take_place,
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
        let mut plan = plan("127.0.0.1:1");
        for origin in [
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
            "null",
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
        plan.allow_origins = vec!["null".into()];
        assert_eq!(
            status(&plan, "/chat", &[("Origin", "null")], true, true),
            101
        );
        for (host, expected) in [
            ("localhost:1", 101),
            ("127.0.0.1", 101),
            ("[::1]:1", 101),
            ("rebound.example", 403),
            ("user@localhost", 403),
            ("localhost/x", 403),
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
    fn who_may_not_come_in_is_told_by_status_where_that_was_asked_for() {
        let mut plan = plan("127.0.0.1:1");
        let request = RequestHead {
            target: "/chat".into(),
            ..RequestHead::default()
        };
        let status = |plan: &Plan, rejection: Rejection, is_open| {
            let mut doors = Doors {
                is_open,
                verdict: &Err(rejection),
                take_place: &mut || true,
            };
            match upgrade(plan, &request, &mut doors) {
                Answer::Http { status, .. } => status,
                _ => 101,
            }
        };
        assert_eq!(
            status(&plan, Rejection::Wrong, true),
            101,
            "the close code tells"
        );
        assert_eq!(status(&plan, Rejection::Wrong, false), 503);
        plan.auth.reject = Reject::Http;
        assert_eq!(status(&plan, Rejection::Missing, true), 401);
        assert_eq!(status(&plan, Rejection::Expired, true), 401);
        assert_eq!(status(&plan, Rejection::Banned("eve".into()), true), 403);
        plan.auth.first_message = Some(std::time::Duration::from_secs(1));
        assert_eq!(status(&plan, Rejection::Missing, true), 101);
        assert_eq!(status(&plan, Rejection::Wrong, true), 401);
    }

    #[test]
    fn a_token_among_the_subprotocols_is_not_repeated() {
        let request = RequestHead {
            target: "/chat".into(),
            headers: vec![("Sec-WebSocket-Protocol".into(), "bearer, s3cret".into())],
            ..RequestHead::default()
        };
        let answer = upgrade(&plan("127.0.0.1:1"), &request, &mut doors(&mut || true));
        assert!(
            matches!(answer, Answer::Upgrade { subprotocol: Some(name), .. } if name == "bearer")
        );
        for (ours, offered, chosen) in [
            ("chat", "bearer, s3cret, chat", "chat"),
            ("chat", "chat, bearer, s3cret", "chat"),
            ("chat", "bearer, s3cret, other", "bearer"),
            ("chat", "bearer, chat", "bearer"),
            ("s3cret", "chat, bearer, s3cret, x", "bearer"),
            ("bearer", "chat, bearer", "bearer"),
        ] {
            let headers = vec![("Sec-WebSocket-Protocol".to_owned(), offered.to_owned())];
            let answer = subprotocol(&[ours.to_owned()], &headers);
            assert_eq!(answer.as_deref(), Some(chosen), "{ours}: {offered}");
        }
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
        let extensions =
            |plan: &Plan, value: &str| match upgrade(plan, &offer(value), &mut doors(&mut || true))
            {
                Answer::Upgrade { headers, .. } => headers,
                Answer::Http { status, .. } => vec![("status".to_owned(), status.to_string())],
                other => panic!("{other:?}"),
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
