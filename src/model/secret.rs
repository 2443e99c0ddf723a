//! What is never printed: the one list of secret headers and query names, and their redaction.
//!
//! Two more rooms belong to it: [`known`] finds values wherever they stand, and [`stand_in`] has the
//! names that recordings write in the place of secrets.

pub mod known;
pub mod stand_in;

use std::borrow::Cow;
use std::fmt;

use url::Url;

use super::handshake::Headers;

/// What stands in the place of a secret.
pub const REDACTED: &str = "***";

const HEADERS: [&str; 5] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
];

const QUERY_NAMES: [&str; 9] = [
    "token",
    "access_token",
    "key",
    "api_key",
    "jwt",
    "password",
    "secret",
    "sig",
    "ticket",
];

/// A value that shows itself only to those who call [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

pub fn is_secret_header(name: &str) -> bool {
    HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn is_secret_query(name: &str) -> bool {
    QUERY_NAMES
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// The headers with the values of secret ones replaced.
pub fn redact_headers(headers: &Headers) -> Headers {
    headers
        .iter()
        .map(|(name, value)| {
            let shown = if is_secret_header(name) {
                match credentials(name, value) {
                    (_, secret) if is_stand_in(secret) => value.clone(),
                    _ => REDACTED.to_owned(),
                }
            } else if is_url_header(name) {
                redact_target(value)
            } else if let Some((before, token)) = bearer_protocol(name, value) {
                format!("{before}{}", redacted(token))
            } else {
                value.clone()
            };
            (name.clone(), shown)
        })
        .collect()
}

/// Whether a text is no secret, but what stands for one.
fn is_stand_in(text: &str) -> bool {
    stand_in::name_in(text).is_some()
}

fn redacted(value: &str) -> &str {
    if is_stand_in(value) { value } else { REDACTED }
}

/// The scheme of an Authorization header and what is secret in it (RFC 9110, section 11.6.2); of
/// another header, or where there is no scheme, all of it is.
fn credentials<'v>(name: &str, value: &'v str) -> (&'v str, &'v str) {
    let is_authorization = ["authorization", "proxy-authorization"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known));
    match value.split_once(' ') {
        Some((scheme, token))
            if is_authorization
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !token.contains([' ', ',']) =>
        {
            (scheme, token)
        }
        _ => ("", value),
    }
}

/// A page in a browser can send a token as the subprotocol after `bearer` only: what is before the
/// token, and the token.
fn bearer_protocol<'v>(name: &str, value: &'v str) -> Option<(&'v str, &'v str)> {
    if !name.eq_ignore_ascii_case("sec-websocket-protocol") {
        return None;
    }
    let at = value.find("bearer,")? + "bearer,".len();
    let token = value[at..].trim_start();
    Some((&value[..value.len() - token.len()], token))
}

/// A redirect may carry the token on, and a page may have been opened with one.
fn is_url_header(name: &str) -> bool {
    ["location", "referer"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// The URL without its password and with the values of secret query names replaced.
pub fn redact_url(url: &Url) -> String {
    let mut url = url.clone();
    if url.password().is_some() {
        // Only URLs that cannot have a host refuse, and those have no password.
        let _ = url.set_password(Some(REDACTED));
    }
    let query = url.query().map(redact_query);
    url.set_query(query.as_deref());
    url.into()
}

/// A text without the passwords of the URLs in it; what follows them stays where it is.
pub fn mask_passwords(text: &str) -> Cow<'_, str> {
    let mut masked = Cow::Borrowed(text);
    for (at, scheme) in text.match_indices("://") {
        let start = at + scheme.len();
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"');
        let end = text[start..]
            .find(ends)
            .map_or(text.len(), |end| start + end);
        let authority = &text[start..end];
        let Some((user, _)) = authority.rsplit_once('@') else {
            continue;
        };
        // A placeholder says nothing.
        if let Some((name, password)) = user.split_once(':')
            && !password.contains("{{")
        {
            let start = start + name.len() + 1;
            let stars = "*".repeat(password.chars().count());
            // Of the same length in characters; what was masked before it may have had more bytes.
            let shift = text.len() - masked.len();
            let range = start - shift..start - shift + password.len();
            masked.to_mut().replace_range(range, &stars);
        }
    }
    masked
}

/// A request target or a query with the values of secret names replaced; all else byte for byte.
pub fn redact_target(target: &str) -> String {
    match target.split_once('?') {
        Some((path, query)) => format!("{path}?{}", redact_query(query)),
        None => target.to_owned(),
    }
}

fn redact_query(query: &str) -> String {
    query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if is_secret_query(name) => format!("{name}={}", redacted(value)),
            _ => pair.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_urls_are_masked_where_they_stand() {
        for (text, masked) in [
            (
                "connect ws://ann:hunter2@h:1/a:b@c",
                "connect ws://ann:*******@h:1/a:b@c",
            ),
            ("ws://é:ü@h wss://b:p@h", "ws://é:*@h wss://b:*@h"),
            ("ws://h:1/ a@b:c", "ws://h:1/ a@b:c"),
            ("ws://ann:{{secret_p}}@h", "ws://ann:{{secret_p}}@h"),
            ("ws://ann@h", "ws://ann@h"),
        ] {
            assert_eq!(mask_passwords(text), masked);
        }
    }

    #[test]
    fn secrets_leave_urls_and_all_else_stays() {
        let url = Url::parse("ws://ann:pw@h/p%20q?room=a&Token=t%3D1&x").unwrap();
        assert_eq!(redact_url(&url), "ws://ann:***@h/p%20q?room=a&Token=***&x");
        assert_eq!(redact_target("/p?api_key=1&b=2"), "/p?api_key=***&b=2");
        assert_eq!(redact_target("/p"), "/p");
        let headers = [
            ("Location", "/p?ticket=1"),
            ("X-Api-Key", "k"),
            ("A", "?key=v"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let shown = redact_headers(&headers.to_vec());
        let values: Vec<&str> = shown.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["/p?ticket=***", "***", "?key=v"]);
    }

    #[test]
    fn a_stand_in_is_no_secret() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("Cookie", "{{secret_cookie}}"),
            header("Authorization", "Bearer {{secret_authorization}}"),
            header("Sec-WebSocket-Protocol", "bearer, {{secret_bearer}}"),
        ];
        assert_eq!(redact_headers(&headers), headers);
        let target = "/p?token={{secret_token}}";
        assert_eq!(redact_target(target), target);
    }

    #[test]
    fn secrets_leave_headers() {
        let headers = [
            ("Cookie", "token=s3cret", REDACTED),
            (
                "Sec-WebSocket-Protocol",
                "chat, bearer, s3cret",
                "chat, bearer, ***",
            ),
            ("Sec-WebSocket-Protocol", "chat, v2", "chat, v2"),
        ];
        for (name, value, shown) in headers {
            let redacted = redact_headers(&vec![(name.into(), value.into())]);
            assert_eq!(redacted[0].1, shown);
        }
    }

    #[test]
    fn a_secret_never_debugs_itself() {
        assert_eq!(format!("{:?}", Secret::new("pw")), "***");
    }
}
