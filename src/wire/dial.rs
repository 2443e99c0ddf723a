//! From a target to a connected socket: resolve, connect, and how long each took.
//!
//! Names with several addresses are raced as RFC 8305 ("happy eyeballs") says: families take
//! turns, each attempt has a head start over the next one, a failure starts the next one at once.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::nonblocking::choose_port_late;
use super::stream::Socket;
use super::target::{Target, is_localhost};
use crate::error::Error;

/// RFC 8305, section 8: the recommended Connection Attempt Delay.
const HEAD_START: Duration = Duration::from_millis(250);

/// How to reach an address.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// `--resolve HOST:PORT:IP`: answers that replace DNS.
    pub resolve: Vec<(String, u16, IpAddr)>,
    /// `-4` or `-6`.
    pub family: Option<Family>,
    /// `--unix-socket PATH`: connect here, whatever the URL's host.
    pub unix_socket: Option<PathBuf>,
    /// The local address to connect from; the system's choice where there is none.
    pub source: Option<IpAddr>,
    /// About how many bytes the system keeps of what comes and is not read; its choice where there is none.
    pub receive_buffer: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

#[derive(Debug)]
pub struct Dialed {
    pub socket: Socket,
    /// The address that answered, or the path of the unix socket.
    pub peer: String,
    pub dns: Option<Duration>,
    pub tcp: Duration,
}

/// Resolves and connects; several addresses are raced with a head start (RFC 8305).
/// Bounded by the caller's deadline.
///
/// # Errors
/// [`Error::Dns`] or [`Error::Connect`].
pub async fn dial(target: &Target, plan: &Plan) -> Result<Dialed, Error> {
    match unix_socket(target, plan) {
        Some(path) => dial_unix(path).await,
        None => dial_host(&target.host_to_dial(), target.port(), plan).await,
    }
}

/// The unix socket that leads to `target`, if one does.
pub fn unix_socket<'a>(target: &'a Target, plan: &'a Plan) -> Option<&'a Path> {
    plan.unix_socket.as_deref().or_else(|| target.unix())
}

/// Resolves and connects over TCP, as [`dial`] does.
///
/// # Errors
/// [`Error::Dns`] or [`Error::Connect`].
pub async fn dial_host(host: &str, port: u16, plan: &Plan) -> Result<Dialed, Error> {
    let resolved = resolve(host, port, plan).await?;
    let begun = Instant::now();
    let (address, stream) = race(resolved.addresses, plan.source, plan.receive_buffer).await?;
    // It only costs latency where the system refuses it.
    let _ = stream.set_nodelay(true);
    Ok(Dialed {
        socket: Socket::Tcp(stream),
        peer: address.to_string(),
        dns: resolved.took,
        tcp: begun.elapsed(),
    })
}

#[cfg(unix)]
async fn dial_unix(path: &Path) -> Result<Dialed, Error> {
    let peer = path.display().to_string();
    let begun = Instant::now();
    match tokio::net::UnixStream::connect(path).await {
        Ok(stream) => Ok(Dialed {
            socket: Socket::Unix(stream),
            peer,
            dns: None,
            tcp: begun.elapsed(),
        }),
        Err(cause) => Err(Error::Connect {
            address: peer,
            cause,
        }),
    }
}

#[cfg(not(unix))]
async fn dial_unix(path: &Path) -> Result<Dialed, Error> {
    Err(Error::usage(format!(
        "{}: this system has no unix sockets",
        path.display()
    )))
}

/// The addresses of a name.
#[derive(Debug)]
pub struct Resolved {
    /// In the order in which they are tried; never empty.
    pub addresses: VecDeque<SocketAddr>,
    /// How long DNS took; `None` where it was not asked.
    pub took: Option<Duration>,
}

/// The addresses of a host, as the plan or DNS gives them.
///
/// # Errors
/// [`Error::Dns`].
pub async fn resolve(host: &str, port: u16, plan: &Plan) -> Result<Resolved, Error> {
    let dns_error = |cause: String| Error::Dns {
        host: host.to_owned(),
        cause,
    };
    let given: Vec<SocketAddr> = plan
        .resolve
        .iter()
        .filter(|(name, at, _)| name.eq_ignore_ascii_case(host) && *at == port)
        .map(|(.., ip)| SocketAddr::new(*ip, port))
        .collect();
    let (found, took) = if !given.is_empty() {
        (given, None)
    } else if let Ok(ip) = host.parse() {
        (vec![SocketAddr::new(ip, port)], None)
    } else {
        let begun = Instant::now();
        // Not every resolver knows the names below it, and none may send them elsewhere.
        let name = if is_localhost(host) {
            "localhost"
        } else {
            host
        };
        let found = lookup_host((name, port))
            .await
            .map_err(|cause| dns_error(dns_cause(&cause)))?
            .collect();
        (found, Some(begun.elapsed()))
    };
    let addresses = in_turns(found.into_iter().filter(|address| match plan.family {
        None => true,
        Some(Family::V4) => address.is_ipv4(),
        Some(Family::V6) => address.is_ipv6(),
    }));
    if addresses.is_empty() {
        return Err(dns_error(match plan.family {
            None => "it has no address".into(),
            Some(Family::V4) => "it has no IPv4 address, and -4 was given".into(),
            Some(Family::V6) => "it has no IPv6 address, and -6 was given".into(),
        }));
    }
    Ok(Resolved { addresses, took })
}

/// The resolver's words without Rust's preface.
fn dns_cause(cause: &io::Error) -> String {
    let text = cause.to_string();
    text.strip_prefix("failed to lookup address information: ")
        .unwrap_or(&text)
        .to_owned()
}

/// The families take turns, the one that the resolver put first begins (RFC 8305, section 4).
fn in_turns(addresses: impl Iterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let mut addresses = addresses.peekable();
    let v6_first = addresses.peek().is_some_and(SocketAddr::is_ipv6);
    let (mut turn, mut other): (VecDeque<_>, VecDeque<_>) =
        addresses.partition(|address| address.is_ipv6() == v6_first);
    let mut ordered = VecDeque::with_capacity(turn.len() + other.len());
    while let Some(address) = turn.pop_front() {
        ordered.push_back(address);
        if !other.is_empty() {
            std::mem::swap(&mut turn, &mut other);
        }
    }
    ordered
}

/// The first address that connects; the error is that of the last one that failed.
async fn race(
    mut waiting: VecDeque<SocketAddr>,
    source: Option<IpAddr>,
    receive_buffer: Option<u32>,
) -> Result<(SocketAddr, TcpStream), Error> {
    // Dropping the set ends the attempts that lost.
    let mut attempts = JoinSet::new();
    let mut failure = Error::Internal("no address to connect to".into());
    loop {
        if let Some(address) = waiting.pop_front() {
            attempts.spawn(async move {
                let connected = connect(address, source, receive_buffer).await;
                (address, connected)
            });
        }
        let ended = tokio::select! {
            ended = attempts.join_next() => ended,
            () = sleep(HEAD_START), if !waiting.is_empty() => continue,
        };
        match ended {
            Some(Ok((address, Ok(stream)))) => return Ok((address, stream)),
            Some(Ok((address, Err(cause)))) => {
                failure = Error::Connect {
                    address: address.to_string(),
                    cause,
                };
            }
            Some(Err(error)) => failure = Error::Internal(error.to_string()),
            None => return Err(failure),
        }
    }
}

/// Connects, with a `source` from a port that is chosen when it connects.
async fn connect(
    address: SocketAddr,
    source: Option<IpAddr>,
    receive_buffer: Option<u32>,
) -> io::Result<TcpStream> {
    if source.is_none() && receive_buffer.is_none() {
        return TcpStream::connect(address).await;
    }
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(source) = source {
        let _ = choose_port_late(&socket);
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(address).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> VecDeque<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn plan(family: Option<Family>) -> Plan {
        Plan {
            resolve: vec![
                ("Name".into(), 80, "127.0.0.1".parse().unwrap()),
                ("name".into(), 80, "::1".parse().unwrap()),
                ("name".into(), 81, "127.0.0.2".parse().unwrap()),
            ],
            family,
            unix_socket: None,
            source: None,
            receive_buffer: None,
        }
    }

    #[test]
    fn families_take_turns() {
        let found = addresses(&["[::1]:1", "[::2]:1", "1.1.1.1:1", "2.2.2.2:1", "3.3.3.3:1"]);
        assert_eq!(
            in_turns(found.into_iter()),
            addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "3.3.3.3:1"])
        );
    }

    #[tokio::test]
    async fn given_answers_replace_dns_and_the_family_filters() {
        let rows = [
            (None, addresses(&["127.0.0.1:80", "[::1]:80"])),
            (Some(Family::V4), addresses(&["127.0.0.1:80"])),
            (Some(Family::V6), addresses(&["[::1]:80"])),
        ];
        for (family, want) in rows {
            let resolved = resolve("name", 80, &plan(family)).await.unwrap();
            assert_eq!((resolved.addresses, resolved.took), (want, None));
        }
        let error = resolve("127.0.0.1", 80, &plan(Some(Family::V6)))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("no IPv6 address"), "{error}");
    }

    #[tokio::test]
    async fn names_below_localhost_are_this_machine() {
        for host in ["localhost", "localhost.", "a.localhost", "a.b.localhost."] {
            let resolved = resolve(host, 80, &Plan::default()).await.unwrap();
            let mut addresses = resolved.addresses.iter();
            assert!(
                addresses.all(|address| address.ip().is_loopback()),
                "{host}"
            );
        }
    }

    #[tokio::test]
    async fn a_zone_becomes_a_scope() {
        let resolved = resolve("fe80::1%7", 80, &Plan::default()).await.unwrap();
        let Some(SocketAddr::V6(address)) = resolved.addresses.front() else {
            panic!("{resolved:?}");
        };
        assert_eq!(address.scope_id(), 7);
    }

    #[test]
    fn the_resolver_speaks_plainly() {
        let cause = io::Error::other("failed to lookup address information: Name unknown");
        assert_eq!(dns_cause(&cause), "Name unknown");
    }
}
