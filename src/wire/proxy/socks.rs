//! SOCKS5 (RFC 1928) with user and password (RFC 1929).

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{Destination, Refused};
use crate::model::secret::Secret;

const VERSION: u8 = 5;
const CONNECT: u8 = 1;

const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NOTHING_ACCEPTABLE: u8 = 0xff;

const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    destination: Destination<'_>,
    credentials: Option<&Secret<(String, String)>>,
) -> Result<(), Refused> {
    let request = request(destination)?;
    match greet(stream, credentials.is_some()).await? {
        NO_AUTHENTICATION => {}
        USER_AND_PASSWORD if let Some(credentials) = credentials => {
            authenticate(stream, credentials.reveal()).await?;
        }
        NOTHING_ACCEPTABLE => {
            return Err(Refused::unauthorized(
                credentials.is_some(),
                "socks5h",
                "SOCKS5 method 255",
            ));
        }
        method => {
            return Err(Refused::new(format!(
                "it chose SOCKS5 method {method}, which was not offered"
            )));
        }
    }
    send(stream, &request).await?;
    let [version, reply, _, kind] = read(stream).await?;
    if version != VERSION {
        return Err(not_socks(version));
    }
    if reply != 0 {
        let authority = destination.authority();
        return Err(Refused::new(format!(
            "it could not reach {authority}: {} (SOCKS5 reply {reply})",
            reply_text(reply)
        )));
    }
    skip_address(stream, kind).await
}

/// Offers methods; the one that the proxy chose.
async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    has_credentials: bool,
) -> Result<u8, Refused> {
    let offer: &[u8] = if has_credentials {
        &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD]
    } else {
        &[VERSION, 1, NO_AUTHENTICATION]
    };
    send(stream, offer).await?;
    let [version, method] = read(stream).await?;
    if version == VERSION {
        Ok(method)
    } else {
        Err(not_socks(version))
    }
}

/// RFC 1929, section 2.
async fn authenticate<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    (user, password): &(String, String),
) -> Result<(), Refused> {
    let mut message = vec![1];
    for part in [user, password] {
        let length = u8::try_from(part.len())
            .map_err(|_| Refused::new("SOCKS5 takes at most 255 bytes of user or password"))?;
        message.push(length);
        message.extend_from_slice(part.as_bytes());
    }
    send(stream, &message).await?;
    let [_, status] = read(stream).await?;
    if status == 0 {
        Ok(())
    } else {
        Err(Refused::unauthorized(
            true,
            "socks5h",
            &format!("SOCKS5 status {status}"),
        ))
    }
}

/// RFC 1928, section 4.
fn request(destination: Destination<'_>) -> Result<Vec<u8>, Refused> {
    let mut bytes = vec![VERSION, CONNECT, 0];
    let port = match destination {
        Destination::Name(host, port) => match host.parse() {
            Ok(ip) => push_ip(&mut bytes, SocketAddr::new(ip, port)),
            Err(_) => {
                let length = u8::try_from(host.len())
                    .map_err(|_| Refused::new("SOCKS5 takes names of at most 255 bytes"))?;
                bytes.extend_from_slice(&[NAME, length]);
                bytes.extend_from_slice(host.as_bytes());
                port
            }
        },
        Destination::Address(address) => push_ip(&mut bytes, address),
    };
    bytes.extend_from_slice(&port.to_be_bytes());
    Ok(bytes)
}

fn push_ip(bytes: &mut Vec<u8>, address: SocketAddr) -> u16 {
    match address.ip() {
        IpAddr::V4(ip) => {
            bytes.push(IPV4);
            bytes.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            bytes.push(IPV6);
            bytes.extend_from_slice(&ip.octets());
        }
    }
    address.port()
}

/// The address that the proxy connected from says nothing to us.
async fn skip_address<S: AsyncRead + Unpin>(stream: &mut S, kind: u8) -> Result<(), Refused> {
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => {
            let [length] = read(stream).await?;
            usize::from(length)
        }
        other => {
            return Err(Refused::new(format!(
                "its answer has an address of kind {other}"
            )));
        }
    };
    let mut rest = vec![0; length + 2];
    stream
        .read_exact(&mut rest)
        .await
        .map_err(|cause| Refused::broken(&cause))?;
    Ok(())
}

/// RFC 1928, section 6.
const fn reply_text(reply: u8) -> &'static str {
    match reply {
        1 => "general failure",
        2 => "its rules do not allow it",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        7 => "it does not know CONNECT",
        8 => "it does not know this kind of address",
        _ => "unknown reason",
    }
}

fn not_socks(version: u8) -> Refused {
    Refused::with_hint(
        format!("it does not speak SOCKS5 (its answer begins with byte {version})"),
        "http://HOST:PORT names an HTTP proxy",
    )
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), Refused> {
    let sent: io::Result<()> = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    }
    .await;
    sent.map_err(|cause| Refused::broken(&cause))
}

async fn read<S: AsyncRead + Unpin, const N: usize>(stream: &mut S) -> Result<[u8; N], Refused> {
    let mut bytes = [0; N];
    stream
        .read_exact(&mut bytes)
        .await
        .map_err(|cause| Refused::broken(&cause))?;
    Ok(bytes)
}
