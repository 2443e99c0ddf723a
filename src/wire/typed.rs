//! A URL as it was typed: what is wrong with it, and what to try instead.
//!
//! The `url` crate follows the WHATWG rules, which forgive much: `ws:///chat` has the host `chat`
//! there, `ws://8080` the host 0.0.31.144. Someone who typed that made a mistake, so these are
//! found before the crate sees the text. Errors show the text without its secrets.

use url::{ParseError, Url};

use crate::error::Error;
use crate::model::secret::{REDACTED, redact_target};

const SCHEMES: [&str; 5] = ["ws", "wss", "http", "https", "ws+unix"];

/// The `ws` or `wss` URL that `text` means, and the zone of its IPv6 address, if it names one;
/// `ws+unix:` is not handled here.
pub(super) fn to_url(text: &str) -> Result<(Url, Option<String>), Error> {
    let (scheme, rest) = split_scheme(text)?;
    check_authority(text, rest)?;
    let (rest, zone) = split_zone(rest);
    let url =
        Url::parse(&format!("{scheme}://{rest}")).map_err(|error| explain(text, &rest, error))?;
    if url.port() == Some(0) {
        return Err(bad_port(text));
    }
    Ok((url, zone))
}

/// `[fe80::1%25eth0]` (RFC 6874), or with a bare `%` as ping takes it, without its zone: that has a
/// meaning on this machine only, and no place in a URL of the WHATWG.
fn split_zone(rest: &str) -> (String, Option<String>) {
    let found = authority_of(rest).rfind(']').and_then(|end| {
        let (before, zone) = rest[..end].split_once('%')?;
        let zone = zone.strip_prefix("25").unwrap_or(zone);
        (before.contains('[') && !zone.is_empty()).then_some((before, zone, &rest[end..]))
    });
    match found {
        Some((before, zone, after)) => (format!("{before}{after}"), Some(zone.to_owned())),
        None => (rest.to_owned(), None),
    }
}

/// `ws` or `wss` for a scheme that means one of them.
pub(super) fn ws_scheme(scheme: &str) -> Option<&'static str> {
    match scheme {
        "ws" | "http" => Some("ws"),
        "wss" | "https" => Some("wss"),
        _ => None,
    }
}

/// The scheme that is meant, and all after `://`. Text without a scheme means ws.
fn split_scheme(text: &str) -> Result<(&'static str, &str), Error> {
    let typed = text.split_once("://").filter(|(scheme, _)| {
        scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if let Some((scheme, rest)) = typed {
        let lower = scheme.to_ascii_lowercase();
        return ws_scheme(&lower)
            .map(|meant| (meant, rest))
            .ok_or_else(|| unknown_scheme(text, &lower, rest));
    }
    // `ws:host` and `http:/host`: a slash is missing. `ws:9001` is a host and a port.
    if let Some((word, rest)) = text.split_once(':')
        && SCHEMES.contains(&word.to_ascii_lowercase().as_str())
        && !rest.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(Error::usage_hint(
            format!("{} has no // after the scheme", shown(text)),
            format!("try {word}://{}", shown(rest.trim_start_matches('/'))),
        ));
    }
    Ok(("ws", text))
}

/// What the `url` crate would forgive: no host at all, a port alone, blanks.
fn check_authority(text: &str, rest: &str) -> Result<(), Error> {
    let authority = authority_of(rest);
    let place = authority.rsplit('@').next().unwrap_or_default();
    let after = &rest[authority.len()..];
    if place.is_empty() || place.starts_with(':') {
        return Err(Error::usage_hint(
            format!("{} has no host", shown(text)),
            format!("try ws://localhost{place}{}", redact_target(after)),
        ));
    }
    if place.chars().all(|c| c.is_ascii_digit()) {
        return Err(Error::usage_hint(
            format!("{} names a port but no host", shown(text)),
            format!("try ws://localhost:{place}{}", redact_target(after)),
        ));
    }
    if place.contains(char::is_whitespace) {
        return Err(Error::usage_hint(
            format!("the host of {} holds a blank", shown(text)),
            "try ws://HOST:PORT/PATH; quote the URL in the shell",
        ));
    }
    Ok(())
}

/// A parse error of the `url` crate in the words of someone who typed a URL.
fn explain(text: &str, rest: &str, error: ParseError) -> Error {
    match error {
        ParseError::InvalidPort if is_bare_ipv6(rest) => bad_address(text),
        ParseError::InvalidPort => bad_port(text),
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => bad_address(text),
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => Error::usage_hint(
            format!(
                "{:?} is not a host name",
                authority_of(rest).rsplit('@').next().unwrap_or_default()
            ),
            "try ws://HOST:PORT/PATH",
        ),
        other => Error::usage_hint(
            format!("{} is not a URL: {other}", shown(text)),
            "try ws://HOST:PORT/PATH",
        ),
    }
}

/// `fe80::1` where `[fe80::1]` is meant.
fn is_bare_ipv6(rest: &str) -> bool {
    let place = authority_of(rest).rsplit('@').next().unwrap_or_default();
    !place.starts_with('[') && place.matches(':').count() > 1
}

fn bad_address(text: &str) -> Error {
    Error::usage_hint(
        format!("{} holds an IP address that is not valid", shown(text)),
        "an IPv6 address stands in brackets: ws://[::1]:8080/",
    )
}

fn bad_port(text: &str) -> Error {
    Error::usage_hint(
        format!(
            "the port of {} is not a number from 1 to 65535",
            shown(text)
        ),
        "try ws://localhost:8080/",
    )
}

fn unknown_scheme(text: &str, scheme: &str, rest: &str) -> Error {
    let meant = SCHEMES
        .into_iter()
        .map(|known| (edit_distance(scheme, known), known))
        .min()
        .filter(|(distance, _)| *distance <= 1)
        .map_or("ws", |(_, known)| known);
    Error::usage_hint(
        format!("unknown scheme {scheme:?} in {}", shown(text)),
        format!(
            "the schemes are {}; try {meant}://{}",
            SCHEMES.join(", "),
            shown(rest)
        ),
    )
}

/// How many letters must be inserted, removed or replaced (Levenshtein).
fn edit_distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

/// Userinfo, host and port: what stands before the path.
fn authority_of(rest: &str) -> &str {
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    &rest[..end]
}

/// A text that does not parse as a URL, fit for an error: without userinfo and secret queries.
pub(super) fn shown(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at(start);
    let authority = authority_of(rest);
    let hidden = match authority.rsplit_once('@') {
        Some((_, place)) => format!("{REDACTED}@{place}"),
        None => authority.to_owned(),
    };
    redact_target(&format!("{scheme}{hidden}{}", &rest[authority.len()..]))
}

#[cfg(test)]
mod tests {
    use crate::wire::target::Target;

    #[test]
    fn bad_text_says_what_is_wrong_and_what_to_try() {
        let rows = [
            ("", "the URL is empty", "ws://localhost:8080/"),
            ("ws://", "ws:// has no host", "ws://localhost"),
            ("ws:///chat", "no host", "ws://localhost/chat"),
            ("ws://:8080/x", "no host", "ws://localhost:8080/x"),
            (":8080", "no host", "ws://localhost:8080"),
            ("8080", "a port but no host", "ws://localhost:8080"),
            (
                "ftp://h/x",
                "unknown scheme \"ftp\"",
                "ws, wss, http, https, ws+unix; try ws://h/x",
            ),
            ("wsss://h", "unknown scheme \"wsss\"", "try wss://h"),
            ("ws:host/x", "no //", "try ws://host/x"),
            ("http:/host", "no //", "try http://host"),
            ("ws://h:70000", "1 to 65535", "ws://localhost:8080/"),
            ("ws://h:0", "1 to 65535", ""),
            ("ws://h:x/", "1 to 65535", ""),
            ("ws://bad host/", "holds a blank", "quote"),
            ("ws://h<>/", "not a host name", "HOST"),
            ("ws://[::g]/", "IP address", "brackets"),
            ("ws://1.2.3.999/", "IP address", ""),
            ("ws://h/a\tb", "control character", ""),
            ("ws+unix:", "socket and a path", "ws+unix:/path"),
            ("ws+unix:/a:b", "socket and a path", "ws+unix:/path"),
        ];
        for (typed, message, hint) in rows {
            let error = Target::parse(typed).unwrap_err();
            assert_eq!(error.kind(), "usage", "{typed}");
            assert!(error.to_string().contains(message), "{typed}: {error}");
            let shown = error.hint().unwrap_or_default();
            assert!(shown.contains(hint), "{typed}: {shown}");
        }
    }

    #[test]
    fn errors_keep_secrets() {
        for typed in [
            "ws://ann:pw@h:70000/?token=pw",
            "ftp://ann:pw@h",
            "ws:ann:pw@h",
            "ws://ann:pw@h/\u{1b}",
        ] {
            let error = Target::parse(typed).unwrap_err();
            let all = format!("{error} {:?}", error.hint());
            assert!(!all.contains("pw"), "{all}");
        }
    }
}
