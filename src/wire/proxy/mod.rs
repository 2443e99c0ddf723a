//! Proxies on the way to a server: HTTP CONNECT (RFC 9110, section 9.3.6) and SOCKS5 (RFC 1928).
//!
//! Which proxy a target needs is decided by [`Plan::choose`], which is pure: the one that the user
//! named, or else what the environment says, as curl reads it. [`Proxy::connect`] then asks the
//! proxy, over a socket that [`dial`](super::dial) connected to it, to lead on to the target. A
//! name is resolved by the proxy, except with `socks5:`, which as in curl gets an address.

mod bypass;
mod connect;
mod socks;

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;

use self::bypass::bypasses;
use super::target::{Target, percent_decode};
use crate::error::Error;
use crate::model::event::What;
use crate::model::secret::Secret;

/// Where proxies are looked for. The default uses none.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// `--proxy`: for every target, loopback too.
    explicit: Option<Proxy>,
    environment: Environment,
}

/// The variables, as far as they are set.
#[derive(Debug, Clone, Default)]
struct Environment {
    http: Option<Variable>,
    https: Option<Variable>,
    all: Option<Variable>,
    bypass: String,
}

/// A variable's name, for errors, and its value, which may hold a password.
type Variable = (&'static str, Secret<String>);

/// A proxy that a target is reached through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    credentials: Option<Secret<(String, String)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    /// The target's name is resolved here.
    Socks5,
    /// The target's name is resolved by the proxy.
    Socks5h,
}

/// Where a proxy is asked to lead.
#[derive(Debug, Clone, Copy)]
pub enum Destination<'a> {
    Name(&'a str, u16),
    Address(SocketAddr),
}

impl Plan {
    /// `--proxy URL`.
    ///
    /// # Errors
    /// [`Error::Usage`] for what is not a proxy's URL.
    pub fn explicit(url: &str) -> Result<Self, Error> {
        Ok(Self {
            explicit: Some(Proxy::parse("--proxy", url)?),
            environment: Environment::default(),
        })
    }

    /// What the environment says: `https_proxy` for wss, `http_proxy` for ws, `all_proxy` for
    /// both, `no_proxy` for exceptions. Lower case goes before upper case; `HTTP_PROXY` is not
    /// read, because a CGI server sets it from a header that anyone can send.
    pub fn from_environment(get: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            names
                .iter()
                .find_map(|&name| Some((name, Secret::new(get(name).filter(|v| !v.is_empty())?))))
        };
        Self {
            explicit: None,
            environment: Environment {
                http: first(&["http_proxy"]),
                https: first(&["https_proxy", "HTTPS_PROXY"]),
                all: first(&["all_proxy", "ALL_PROXY"]),
                bypass: ["no_proxy", "NO_PROXY"]
                    .into_iter()
                    .find_map(get)
                    .unwrap_or_default(),
            },
        }
    }

    /// The proxy for `target`; `None` connects directly.
    ///
    /// # Errors
    /// [`Error::Usage`] for the URL of a proxy that cannot be used.
    pub fn choose(&self, target: &Target) -> Result<Option<Proxy>, Error> {
        if target.unix().is_some() {
            return Ok(None);
        }
        if let Some(proxy) = &self.explicit {
            return Ok(Some(proxy.clone()));
        }
        let environment = &self.environment;
        let of_scheme = if target.is_tls() {
            &environment.https
        } else {
            &environment.http
        };
        let Some((name, url)) = of_scheme.as_ref().or(environment.all.as_ref()) else {
            return Ok(None);
        };
        if target.is_loopback() || bypasses(&environment.bypass, target.host(), target.port()) {
            return Ok(None);
        }
        Proxy::parse(name, url.reveal()).map(Some)
    }
}

impl Proxy {
    /// `place` is who named it.
    fn parse(place: &str, text: &str) -> Result<Self, Error> {
        // The text may hold a password, so errors do not show it.
        let wrong = |problem: String| {
            Error::usage_hint(
                format!("{place}: {problem}"),
                "try http://HOST:PORT or socks5h://USER:PASS@HOST:PORT",
            )
        };
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (kind, port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http, 1080),
            "socks5" => (Kind::Socks5, 1080),
            "socks5h" | "socks" => (Kind::Socks5h, 1080),
            "https" => return Err(wrong("TLS to the proxy itself is not supported".into())),
            "socks4" | "socks4a" => return Err(wrong("SOCKS4 is not supported".into())),
            other => return Err(wrong(format!("{other:?} is not a kind of proxy"))),
        };
        // The `url` crate knows the grammar of authorities; only under a scheme of its own does
        // it keep a port that is the default of http.
        let url = Url::parse(&format!("ws://{rest}")).map_err(|error| wrong(error.to_string()))?;
        let typed_port = typed_port(rest);
        let credentials = (!url.username().is_empty() || url.password().is_some()).then(|| {
            Secret::new((
                percent_decode(url.username()),
                percent_decode(url.password().unwrap_or_default()),
            ))
        });
        let host = url
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned();
        Ok(Self {
            kind,
            host,
            port: url.port().or(typed_port).unwrap_or(port),
            credentials,
        })
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port, as errors name the proxy.
    pub fn address(&self) -> String {
        authority(&self.host, self.port)
    }

    /// Whether the target's name is resolved on this machine.
    pub const fn resolves_here(&self) -> bool {
        matches!(self.kind, Kind::Socks5)
    }

    /// Asks the proxy at the other end of `stream` to lead to `destination`; what is written to
    /// the stream afterwards goes there. The heads that an HTTP proxy and we exchange are added to
    /// `heads`. The caller bounds the time.
    ///
    /// # Errors
    /// [`Error::Proxy`] that says what the proxy answered.
    pub async fn connect<S>(
        &self,
        stream: &mut S,
        destination: Destination<'_>,
        heads: &mut Vec<What>,
    ) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let credentials = self.credentials.as_ref();
        let led = match self.kind {
            Kind::Http => connect::connect(stream, destination, credentials, heads).await,
            Kind::Socks5 | Kind::Socks5h => socks::connect(stream, destination, credentials).await,
        };
        led.map_err(|Refused { message, hint }| self.error(message, hint))
    }

    /// The error for a proxy that could not be reached.
    pub fn unreachable(&self, error: Error) -> Error {
        match error {
            Error::Dns { cause, .. } => self.error(
                format!("its name could not be resolved: {cause}"),
                Some(DIRECT.to_owned()),
            ),
            Error::Connect { cause, .. } => {
                self.error(crate::error::cause_text(&cause), Some(DIRECT.to_owned()))
            }
            other => other,
        }
    }

    fn error(&self, message: String, hint: Option<String>) -> Error {
        Error::Proxy {
            address: self.address(),
            message,
            hint,
        }
    }
}

const DIRECT: &str = "is the proxy running? --no-proxy connects without it";

/// What a proxy answered instead of leading on.
#[derive(Debug)]
struct Refused {
    message: String,
    hint: Option<String>,
}

impl Refused {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// The connection to the proxy broke.
    fn broken(cause: &std::io::Error) -> Self {
        let how = match cause.kind() {
            std::io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
            _ => crate::error::cause_text(cause),
        };
        Self::with_hint(
            format!("{how} instead of an answer"),
            "is it a proxy of this kind? http://, socks5:// and socks5h:// are known",
        )
    }

    /// `scheme` is how a proxy of this kind is named.
    fn unauthorized(had_credentials: bool, scheme: &str, answer: &str) -> Self {
        let message = if had_credentials {
            format!("it does not accept the user and password ({answer})")
        } else {
            format!("it wants a user and a password ({answer})")
        };
        Self::with_hint(
            message,
            format!("--proxy {scheme}://USER:PASS@HOST:PORT gives them"),
        )
    }
}

impl Destination<'_> {
    /// `host:port`, an IPv6 address in brackets.
    fn authority(&self) -> String {
        match self {
            Self::Name(host, port) => authority(host, *port),
            Self::Address(address) => address.to_string(),
        }
    }
}

fn authority(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// A port that was written although it is the default of the scheme that stands in.
fn typed_port(rest: &str) -> Option<u16> {
    let authority = rest.split(['/', '?', '#']).next()?;
    authority
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let plan = Plan::from_environment(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let target = Target::parse(url).unwrap();
        plan.choose(&target).unwrap().map(|proxy| proxy.address())
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let (http, https, all) = (
            ("http_proxy", "h:1"),
            ("https_proxy", "s:2"),
            ("ALL_PROXY", "a:3"),
        );
        type Variables<'a> = &'a [(&'a str, &'a str)];
        let rows: &[(&str, Variables<'_>, Option<&str>)] = &[
            ("ws://x/", &[], None),
            ("ws://x/", &[http, https, all], Some("h:1")),
            ("wss://x/", &[http, https, all], Some("s:2")),
            ("wss://x/", &[http, all], Some("a:3")),
            ("wss://x/", &[http], None),
            ("ws://x/", &[("HTTP_PROXY", "evil:1")], None),
            ("wss://x/", &[("HTTPS_PROXY", "up:1")], Some("up:1")),
            ("wss://x/", &[("HTTPS_PROXY", "up:1"), https], Some("s:2")),
            ("wss://x/", &[("https_proxy", ""), all], Some("a:3")),
            ("ws://x/", &[http, ("no_proxy", "y, x")], None),
            ("ws://x/", &[http, ("NO_PROXY", "*")], None),
            ("ws://127.0.0.1/", &[http], None),
            ("ws://localhost/", &[all], None),
            ("ws+unix:/s:/", &[http, all], None),
        ];
        for (url, variables, want) in rows {
            assert_eq!(
                chosen(url, variables).as_deref(),
                *want,
                "{url} {variables:?}"
            );
        }
    }

    #[test]
    fn a_proxy_that_was_named_is_used_for_loopback_too() {
        let plan = Plan::explicit("p").unwrap();
        let target = Target::parse("ws://localhost/").unwrap();
        assert_eq!(plan.choose(&target).unwrap().unwrap().address(), "p:1080");
        assert_eq!(Plan::default().choose(&target).unwrap(), None);
    }

    #[test]
    fn proxies_are_parsed() {
        let parse = |text| Proxy::parse("--proxy", text);
        let rows = [
            ("h", Kind::Http, "h:1080"),
            ("h:80", Kind::Http, "h:80"),
            ("HTTP://h:3128/", Kind::Http, "h:3128"),
            ("socks5://h", Kind::Socks5, "h:1080"),
            ("socks5h://[::1]:9", Kind::Socks5h, "[::1]:9"),
        ];
        for (text, kind, address) in rows {
            let proxy = parse(text).unwrap();
            assert_eq!(
                (proxy.kind, proxy.address().as_str()),
                (kind, address),
                "{text}"
            );
            assert_eq!(proxy.credentials, None);
        }
        let proxy = parse("ann:p%40w@h:1").unwrap();
        assert_eq!(
            proxy.credentials,
            Some(Secret::new(("ann".into(), "p@w".into())))
        );

        for (text, said) in [
            ("https://ann:pw@h", "TLS to the proxy"),
            ("socks4://h", "SOCKS4"),
            ("ftp://ann:pw@h", "\"ftp\" is not a kind of proxy"),
            ("http://ann:pw@h:99999", "invalid port"),
            ("http://", "empty host"),
        ] {
            let error = parse(text).unwrap_err();
            let shown = error.to_string();
            assert!(
                shown.starts_with("--proxy: ") && shown.contains(said),
                "{shown}"
            );
            assert!(!shown.contains("pw"), "{shown}");
        }
    }
}
