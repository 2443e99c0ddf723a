//! HTTP CONNECT (RFC 9110, section 9.3.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::{Destination, Refused};
use crate::error::Error;
use crate::model::event::What;
use crate::model::handshake::{RequestHead, ResponseHead, values};
use crate::model::secret::Secret;
use crate::wire::head::read_head;
use crate::wire::request::{USER_AGENT, encode};

pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    destination: Destination<'_>,
    credentials: Option<&Secret<(String, String)>>,
    heads: &mut Vec<What>,
) -> Result<(), Refused> {
    let authority = destination.authority();
    let request = request(&authority, credentials);
    let bytes = encode(&request).map_err(|error| Refused::new(error.to_string()))?;
    let sent = async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    };
    sent.await.map_err(|cause| Refused::broken(&cause))?;
    heads.push(What::Request(Box::new(request)));

    let mut buffer = BytesMut::new();
    let head = read_head(stream, &mut buffer, &authority)
        .await
        .map_err(not_an_answer)?;
    heads.push(What::Response(Box::new(head.clone())));
    if !(200..300).contains(&head.status) {
        return Err(refused(&head, &authority, credentials.is_some()));
    }
    if buffer.is_empty() {
        Ok(())
    } else {
        // Neither TLS nor HTTP servers speak first.
        Err(Refused::new("it sent more than its answer to CONNECT"))
    }
}

fn request(authority: &str, credentials: Option<&Secret<(String, String)>>) -> RequestHead {
    let mut headers = vec![
        ("Host".to_owned(), authority.to_owned()),
        ("User-Agent".to_owned(), USER_AGENT.to_owned()),
    ];
    if let Some(credentials) = credentials {
        let (user, password) = credentials.reveal();
        let pair = BASE64.encode(format!("{user}:{password}"));
        headers.push(("Proxy-Authorization".to_owned(), format!("Basic {pair}")));
    }
    RequestHead {
        method: "CONNECT".to_owned(),
        target: authority.to_owned(),
        headers,
    }
}

fn refused(head: &ResponseHead, authority: &str, had_credentials: bool) -> Refused {
    let answer = format!("{} {}", head.status, head.reason);
    let answer = answer.trim_end();
    match head.status {
        407 => unauthorized(head, had_credentials, answer),
        403 | 405 => Refused::with_hint(
            format!("it does not allow CONNECT to {authority} ({answer})"),
            "proxies often allow port 443 only: is there a wss:// URL?",
        ),
        502..=504 => Refused::new(format!("it could not reach {authority} ({answer})")),
        _ => Refused::new(format!("it answered CONNECT {authority} with {answer}")),
    }
}

/// Basic is what user and password are for; corporate proxies may know other ways only.
fn unauthorized(head: &ResponseHead, had_credentials: bool, answer: &str) -> Refused {
    let schemes: Vec<&str> = values(&head.headers, "Proxy-Authenticate")
        .filter_map(|challenge| challenge.split_whitespace().next())
        .collect();
    let knows_basic = schemes
        .iter()
        .any(|scheme| scheme.eq_ignore_ascii_case("Basic"));
    if schemes.is_empty() || knows_basic {
        return Refused::unauthorized(had_credentials, "http", answer);
    }
    Refused::with_hint(
        format!(
            "it wants {} authentication ({answer})",
            schemes.join(" or ")
        ),
        "wscope knows Basic only: a proxy on this machine that knows the other can stand between",
    )
}

/// The reader of heads speaks of the server; here it is the proxy.
fn not_an_answer(error: Error) -> Refused {
    match error {
        Error::Handshake { message, .. } => Refused::with_hint(
            message,
            "is it an HTTP proxy? socks5://HOST:PORT names a SOCKS proxy",
        ),
        Error::Dropped { cause, .. } => {
            let eof = || std::io::ErrorKind::UnexpectedEof.into();
            Refused::broken(&cause.unwrap_or_else(eof))
        }
        other => Refused::new(other.to_string()),
    }
}
