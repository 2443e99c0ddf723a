//! What to try after a handshake that failed over HTTP: read from status, headers and body.

use super::head::WAITING;
use super::target::Target;
use crate::error::Error;
use crate::model::handshake::{Refusal, RequestHead, ResponseHead, header, values};

/// What the user can change about `request` so that `target`, which answered `head`, may accept it.
pub fn refusal_hint(head: &ResponseHead, request: &RequestHead, target: &Target) -> Option<String> {
    let path = request.target.split('?').next().unwrap_or_default();
    match head.status {
        200..=299 => Some(format!("an ordinary web page: is the path {path} right?")),
        300..=399 => moved(head, target),
        400 => Some(
            "the server did not take it for a WebSocket handshake: \
             are the scheme, the path and the subprotocol (-s) right?"
                .to_owned(),
        ),
        401 => Some(unauthorized(head, request)),
        403 => Some(forbidden(request, target)),
        404 | 405 | 410 => Some(format!(
            "there is no WebSocket at {path}: is the path right?"
        )),
        407 => Some(
            "a proxy on the way wants credentials: --proxy http://USER:PASS@HOST:PORT gives them"
                .to_owned(),
        ),
        413 | 431 => Some("the headers are too large for the server".to_owned()),
        426 => Some(upgrade_required(head, request)),
        505 => Some(
            "a proxy in front may speak HTTP/1.0 to the server (nginx: proxy_http_version 1.1)"
                .to_owned(),
        ),
        429 | 503 => Some(try_later(head)),
        500 => Some("the server failed, its log may say how".to_owned()),
        502 | 504 => Some("the proxy in front could not reach the server behind it".to_owned()),
        _ => None,
    }
}

/// What servers say to plain HTTP on a TLS port: nginx, Go, Apache, Tomcat, and ours.
const TLS_PORT: [&str; 5] = [
    "sent to HTTPS port",
    "to an HTTPS server",
    "SSL-enabled server port",
    "requires TLS",
    "speaks TLS",
];

/// The hint where a server that was asked over plain HTTP says that its port speaks TLS.
pub fn tls_port_hint(refusal: &Refusal, target: &Target) -> Option<String> {
    let body = String::from_utf8_lossy(&refusal.body);
    (refusal.head.status == 400
        && !target.is_tls()
        && TLS_PORT.iter().any(|phrase| body.contains(phrase)))
    .then(|| format!("this is a TLS port: try wss://{}", target.address()))
}

/// Adds the hint to an error where a server hung up on plain HTTP without a word.
pub fn hint_at_tls(mut error: Error, target: &Target) -> Error {
    if let Error::Dropped {
        doing: WAITING,
        hint: hint @ None,
        ..
    } = &mut error
        && !target.is_tls()
    {
        *hint = Some(format!(
            "it may be a TLS port: try wss://{}",
            target.address()
        ));
    }
    error
}

fn moved(head: &ResponseHead, target: &Target) -> Option<String> {
    let location = header(&head.headers, "Location")?;
    Some(match target.join(location) {
        Ok(next) => format!("-L follows it to {}", next.redacted()),
        Err(error) => error.to_string(),
    })
}

fn unauthorized(head: &ResponseHead, request: &RequestHead) -> String {
    let asks = |scheme: &str| {
        values(&head.headers, "WWW-Authenticate")
            .flat_map(|value| value.split([' ', ',']))
            .any(|word| word.eq_ignore_ascii_case(scheme))
    };
    let flag = match (asks("Basic"), asks("Bearer")) {
        (true, false) => "--auth USER:PASS",
        (false, true) => "--bearer TOKEN",
        _ => "--auth USER:PASS or --bearer TOKEN",
    };
    if header(&request.headers, "Authorization").is_some() {
        format!("the credentials were not accepted; they come from {flag}")
    } else {
        format!("the server wants credentials: {flag}")
    }
}

fn forbidden(request: &RequestHead, target: &Target) -> String {
    match header(&request.headers, "Origin") {
        Some(origin) => {
            format!("the server may not accept the origin {origin} (-o), or it wants credentials")
        }
        None => format!(
            "the server may want -o {}://{}",
            if target.is_tls() { "https" } else { "http" },
            header(&request.headers, "Host").unwrap_or("HOST")
        ),
    }
}

/// Versions that `--protocol` can ask for.
const VERSIONS: [&str; 2] = ["13", "8"];

fn upgrade_required(head: &ResponseHead, request: &RequestHead) -> String {
    const VERSION: &str = "Sec-WebSocket-Version";
    let spoken: Vec<&str> = values(&head.headers, VERSION)
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let asked = header(&request.headers, VERSION).unwrap_or_default();
    if spoken.is_empty() || spoken.contains(&asked) {
        return "a proxy on the way may have removed the Upgrade header".to_owned();
    }
    let mut hint = format!(
        "the server speaks version {} of the protocol",
        spoken.join(", ")
    );
    if let Some(known) = VERSIONS.iter().find(|version| spoken.contains(version)) {
        hint.push_str(&format!(": --protocol {known} asks for it"));
    }
    hint
}

fn try_later(head: &ResponseHead) -> String {
    match header(&head.headers, "Retry-After") {
        Some(after) if after.bytes().all(|b| b.is_ascii_digit()) => {
            format!("the server says: try again after {after} s")
        }
        Some(date) => format!("the server says: try again after {date}"),
        None => "the server is busy: try again later".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::handshake::Headers;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn hint(status: u16, answered: &[(&str, &str)], sent: &[(&str, &str)]) -> Option<String> {
        let head = ResponseHead {
            is_http_1_0: false,
            status,
            reason: String::new(),
            headers: headers(answered),
        };
        let request = RequestHead {
            method: "GET".into(),
            target: "/chat?token=t".into(),
            headers: headers(sent),
        };
        refusal_hint(&head, &request, &Target::parse("ws://h/chat").unwrap())
    }

    #[test]
    fn each_status_has_its_hint() {
        let host = ("Host", "h:8080");
        let authenticate = |scheme| ("www-authenticate", scheme);
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        let rows: &[(u16, Pairs<'_>, Pairs<'_>, &str)] = &[
            (200, &[], &[], "is the path /chat right?"),
            (
                302,
                &[("location", "/in?token=t")],
                &[],
                "-L follows it to ws://h/in?token=***",
            ),
            (
                401,
                &[authenticate("Basic realm=x")],
                &[],
                "credentials: --auth USER:PASS",
            ),
            (
                401,
                &[authenticate("Bearer")],
                &[],
                "credentials: --bearer TOKEN",
            ),
            (
                401,
                &[authenticate("Basic, Bearer")],
                &[],
                "--auth USER:PASS or --bearer TOKEN",
            ),
            (401, &[], &[("authorization", "x")], "were not accepted"),
            (403, &[], &[host], "the server may want -o http://h:8080"),
            (
                403,
                &[],
                &[host, ("Origin", "https://o")],
                "the origin https://o",
            ),
            (404, &[], &[], "no WebSocket at /chat:"),
            (
                426,
                &[("Sec-WebSocket-Version", "8, 7")],
                &[("Sec-WebSocket-Version", "13")],
                "version 8, 7 of the protocol: --protocol 8",
            ),
            (
                426,
                &[("Sec-WebSocket-Version", "13")],
                &[("Sec-WebSocket-Version", "13")],
                "removed the Upgrade header",
            ),
            (426, &[], &[], "removed the Upgrade header"),
            (429, &[("Retry-After", "30")], &[], "after 30 s"),
            (
                503,
                &[("Retry-After", "Fri, 31 Dec")],
                &[],
                "after Fri, 31 Dec",
            ),
            (503, &[], &[], "try again later"),
        ];
        for (status, answered, sent, want) in rows {
            let got = hint(*status, answered, sent).unwrap();
            assert!(got.contains(want), "{status}: {got}");
            assert!(!got.contains("token=t"), "{got}");
        }
        assert_eq!(hint(302, &[], &[]), None);
        assert_eq!(hint(501, &[], &[]), None);
    }
}
