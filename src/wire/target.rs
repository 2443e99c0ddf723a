//! Where a connection goes: a URL as people type it, made definite.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use url::{Host, Url};

use super::typed;
use crate::error::Error;
use crate::model::secret::{Secret, redact_target, redact_url};

const UNIX_SCHEME: &str = "ws+unix:";

/// A parsed endpoint. Accepts `ws wss http https` (http means ws), `ws+unix:/path:/uri`, and a
/// bare `host:port/path`, which means ws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Always `ws` or `wss`, without userinfo and fragment.
    url: Url,
    credentials: Option<Secret<(String, String)>>,
    unix: Option<PathBuf>,
    /// On which link an IPv6 address is meant (RFC 4007): an interface's name or number.
    zone: Option<String>,
}

impl Target {
    /// # Errors
    /// [`Error::Usage`] that says what is wrong with the text and what to try.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::usage_hint(
                "the URL is empty",
                "try ws://localhost:8080/, or demo for a server inside wscope",
            ));
        }
        if text.contains(|c: char| c.is_control()) {
            return Err(Error::usage(format!(
                "the URL {:?} holds a control character",
                typed::shown(text)
            )));
        }
        if let Some(rest) = text.strip_prefix(UNIX_SCHEME) {
            return Self::parse_unix(rest);
        }
        let (url, zone) = typed::to_url(text)?;
        Ok(Self {
            zone,
            ..Self::from_url(url)
        })
    }

    /// `/path/to.sock:/uri`, the URI being optional; `ws+unix://` is written too.
    fn parse_unix(rest: &str) -> Result<Self, Error> {
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, uri) = rest.split_once(':').unwrap_or((rest, "/"));
        if path.is_empty() || !(uri.is_empty() || uri.starts_with('/')) {
            return Err(Error::usage_hint(
                format!("{UNIX_SCHEME}{rest} does not name a socket and a path"),
                "try ws+unix:/path/to.sock:/uri",
            ));
        }
        let url = Url::parse(&format!("ws://localhost{uri}"))
            .map_err(|error| Error::usage(format!("{UNIX_SCHEME}{rest}: {error}")))?;
        Ok(Self {
            unix: Some(PathBuf::from(path)),
            ..Self::from_url(url)
        })
    }

    fn from_url(mut url: Url) -> Self {
        let credentials = (!url.username().is_empty() || url.password().is_some()).then(|| {
            Secret::new((
                percent_decode(url.username()),
                percent_decode(url.password().unwrap_or_default()),
            ))
        });
        // These two fail only on URLs without a host, and ws URLs have one.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        Self {
            url,
            credentials,
            unix: None,
            zone: None,
        }
    }

    /// Where a `Location` header leads from here (relative references allowed). The credentials
    /// and the unix socket stay only where scheme, host and port do.
    ///
    /// # Errors
    /// [`Error::Handshake`]: the server sent the text.
    pub fn join(&self, location: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Handshake {
            address: self.authority(),
            message: format!(
                "cannot follow the Location {:?}: {why}",
                redact_target(location)
            ),
            hint: None,
        };
        let mut url = self
            .url
            .join(location)
            .map_err(|error| wrong(&error.to_string()))?;
        let scheme =
            typed::ws_scheme(url.scheme()).ok_or_else(|| wrong("not a WebSocket scheme"))?;
        url.set_scheme(scheme)
            .map_err(|()| wrong("not a WebSocket URL"))?;
        let mut target = Self::from_url(url);
        if target.url.origin() == self.url.origin() {
            target.credentials = target.credentials.or_else(|| self.credentials.clone());
            target.unix.clone_from(&self.unix);
            target.zone.clone_from(&self.zone);
        }
        Ok(target)
    }

    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "wss"
    }

    /// Host without brackets.
    pub fn host(&self) -> &str {
        self.url
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
    }

    /// The host as the resolver of this machine takes it: an IPv6 address with its zone.
    pub fn host_to_dial(&self) -> Cow<'_, str> {
        match &self.zone {
            Some(zone) => format!("{}%{zone}", self.host()).into(),
            None => self.host().into(),
        }
    }

    pub fn port(&self) -> u16 {
        let default = if self.is_tls() { 443 } else { 80 };
        self.url.port().unwrap_or(default)
    }

    pub fn unix(&self) -> Option<&Path> {
        self.unix.as_deref()
    }

    /// The value of the Host header: the port only where it is not the scheme's default.
    pub fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Host and port, as errors name the server.
    pub fn address(&self) -> String {
        format!(
            "{}:{}",
            self.url.host_str().unwrap_or_default(),
            self.port()
        )
    }

    /// Path and query, as the request line carries them.
    pub fn request_target(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// The path alone, as cookies are matched with it.
    pub(super) fn path(&self) -> &str {
        self.url.path()
    }

    /// User and password of the URL (Basic auth).
    pub fn credentials(&self) -> Option<&Secret<(String, String)>> {
        self.credentials.as_ref()
    }

    /// For people and events: secrets replaced.
    pub fn redacted(&self) -> String {
        match &self.unix {
            Some(path) => format!(
                "{UNIX_SCHEME}{}:{}",
                path.display(),
                redact_target(&self.request_target())
            ),
            None => redact_url(&self.url),
        }
    }

    /// Whether what is said here stays on this machine: [`dial`](super::dial) sees to that for the
    /// names below `localhost`.
    pub fn is_loopback(&self) -> bool {
        self.unix.is_some()
            || match self.url.host() {
                Some(Host::Domain(name)) => is_localhost(name),
                Some(Host::Ipv4(ip)) => ip.is_loopback(),
                Some(Host::Ipv6(ip)) => IpAddr::V6(ip).to_canonical().is_loopback(),
                None => false,
            }
    }
}

/// `localhost` and the names below it are this machine (RFC 6761, section 6.3).
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .filter(|digits| first == b'%' && digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_becomes_definite() {
        let rows = [
            ("localhost:9001/echo", "ws://localhost:9001/echo"),
            ("host/path", "ws://host/path"),
            ("ws:9001/x", "ws://ws:9001/x"),
            (" http://h:80/a?b=c#frag ", "ws://h/a?b=c"),
            ("HTTPS://Example.COM", "wss://example.com/"),
            ("wss://h:443", "wss://h/"),
            ("ws://h:443/", "ws://h:443/"),
            ("[::1]:8080", "ws://[::1]:8080/"),
            (
                "host/p?next=http://other/",
                "ws://host/p?next=http://other/",
            ),
            ("ws://ann:pw@h/", "ws://h/"),
            ("ws://h/?token=abc&x=1", "ws://h/?token=***&x=1"),
            ("ws+unix:/run/a.sock:/uri?x", "ws+unix:/run/a.sock:/uri?x"),
            ("ws+unix:///run/a.sock", "ws+unix:/run/a.sock:/"),
        ];
        for (typed, want) in rows {
            assert_eq!(Target::parse(typed).unwrap().redacted(), want, "{typed}");
        }
    }

    #[test]
    fn the_parts_of_a_target() {
        let v6 = Target::parse("wss://[2001:db8::1]/x?y=1").unwrap();
        assert_eq!((v6.host(), v6.port()), ("2001:db8::1", 443));
        assert_eq!(v6.authority(), "[2001:db8::1]");
        assert_eq!(v6.request_target(), "/x?y=1");
        assert!(v6.is_tls() && !v6.is_loopback());

        let other = Target::parse("ws://h:8080").unwrap();
        assert_eq!(other.authority(), "h:8080");
        assert_eq!(other.request_target(), "/");

        let unix = Target::parse("ws+unix:/run/a.sock:/uri").unwrap();
        assert_eq!(unix.unix(), Some(Path::new("/run/a.sock")));
        assert_eq!(unix.authority(), "localhost");
        assert_eq!(unix.request_target(), "/uri");
    }

    #[test]
    fn a_zone_is_for_the_dialer_only() {
        for typed in [
            "ws://a:b@[fe80::1%25eth0]:81/x",
            "ws://a:b@[fe80::1%eth0]:81/x",
        ] {
            let target = Target::parse(typed).unwrap();
            assert_eq!(target.host_to_dial(), "fe80::1%eth0");
            assert_eq!(target.authority(), "[fe80::1]:81");
            assert_eq!(target.redacted(), "ws://[fe80::1]:81/x");
            let next = target.join("/y").unwrap();
            assert_eq!(next.host_to_dial(), "fe80::1%eth0");
            assert_eq!(target.join("//[::1]/").unwrap().host_to_dial(), "::1");
        }
        assert!(Target::parse("ws://[fe80::1%25]/").is_err());
        assert_eq!(
            Target::parse("ws://[::1]/%5D").unwrap().host_to_dial(),
            "::1"
        );
    }

    #[test]
    fn userinfo_is_split_off_and_decoded() {
        let target = Target::parse("ws://an%40n:p%3Aw%@h/").unwrap();
        let (user, password) = target.credentials().unwrap().reveal();
        assert_eq!((user.as_str(), password.as_str()), ("an@n", "p:w%"));
        assert!(Target::parse("ws://h/").unwrap().credentials().is_none());
    }

    #[test]
    fn loopback_is_recognised() {
        for near in [
            "localhost",
            "a.localhost",
            "127.8.0.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "ws+unix:/s",
        ] {
            assert!(Target::parse(near).unwrap().is_loopback(), "{near}");
        }
        for far in ["example.com", "10.0.0.1", "localhost.example.com"] {
            assert!(!Target::parse(far).unwrap().is_loopback(), "{far}");
        }
    }

    #[test]
    fn a_location_leads_on() {
        let from = Target::parse("wss://ann:pw@h/a/b?c").unwrap();
        let rows = [
            ("/x", "wss://h/x", true),
            ("d", "wss://h/a/d", true),
            ("https://h/y#f", "wss://h/y", true),
            ("//other/z", "wss://other/z", false),
            ("http://h/plain", "ws://h/plain", false),
            ("ws://h:8080/", "ws://h:8080/", false),
        ];
        for (location, want, keeps) in rows {
            let to = from.join(location).unwrap();
            assert_eq!(to.redacted(), want);
            assert_eq!(to.credentials().is_some(), keeps, "{location}");
        }
        assert_eq!(from.join("ftp://h/").unwrap_err().kind(), "handshake");
        assert_eq!(from.join("http://h:x/").unwrap_err().kind(), "handshake");

        let unix = Target::parse("ws+unix:/s:/a").unwrap();
        assert_eq!(unix.join("/b").unwrap().redacted(), "ws+unix:/s:/b");
        assert!(unix.join("ws://far/").unwrap().unix().is_none());
    }
}
