//! The client's opening handshake (RFC 6455, section 4.1): httparse with our own writer, so that
//! header order, case and duplicates are sent and shown as they are.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::body::read_body;
use super::head::{may_be_http, no_http, read_head, take_head};
use super::key::accept_of;
pub use super::key::new_key;
use super::request::encode;
pub use super::request::{Plan, is_ours, request};
use crate::error::Error;
use crate::model::handshake::{
    Headers, Refusal, RequestHead, ResponseHead, has_token, header, values,
};
use crate::protocol::deflate;

/// Interim answers (1xx) that are skipped before one is too many.
const MAX_INTERIM: usize = 16;

const PROTOCOL: &str = "Sec-WebSocket-Protocol";
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// How the server answered.
#[derive(Debug)]
pub enum Answer {
    Upgraded(Upgraded),
    /// Any status but 101.
    Refused(Refusal),
}

#[derive(Debug)]
pub struct Upgraded {
    pub head: ResponseHead,
    pub subprotocol: Option<String>,
    /// Each with its parameters, as the server wrote them.
    pub extensions: Vec<String>,
    /// What they mean for permessage-deflate.
    pub deflate: Option<deflate::Agreed>,
    /// Bytes after the head: the first frames. They go into the engine first.
    pub read_ahead: Bytes,
}

/// Sends the request and reads the answer. 1xx answers are skipped, a refused body is read
/// (dechunked, 64 KiB, bounded wait, never waits for EOF). `seen` is shown every response head, 1xx too.
/// The caller bounds the time; one that gives up finds in `buffer` what had come of the next head.
///
/// # Errors
/// [`Error::Handshake`] for a wrong 101 (accept, token, subprotocol or extension not offered) or
/// an answer that is not HTTP, [`Error::Dropped`] when the connection ends inside it,
/// [`Error::Usage`] for a header with a line break.
pub async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &RequestHead,
    buffer: &mut BytesMut,
    seen: &mut (dyn FnMut(&ResponseHead) + Send),
) -> Result<Answer, Error> {
    let address = header(&request.headers, "Host").unwrap_or_default();
    send(stream, &encode(request)?, address).await?;
    let head = final_head(stream, buffer, address, seen).await?;
    if head.status != 101 {
        let body = read_body(stream, &head, buffer.split()).await;
        return Ok(Answer::Refused(Refusal { head, body }));
    }
    upgraded(head, request, buffer.split()).map(Answer::Upgraded)
}

/// An opening handshake whose bytes the caller moves: for those who drive many sockets themselves.
#[derive(Debug)]
pub struct Handshake {
    request: RequestHead,
    buffer: BytesMut,
    searched: usize,
    interim: usize,
}

impl Handshake {
    pub fn new(request: RequestHead) -> Self {
        Self {
            request,
            buffer: BytesMut::new(),
            searched: 0,
            interim: 0,
        }
    }

    /// What is to be sent.
    ///
    /// # Errors
    /// [`Error::Usage`] for a header with a line break.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        encode(&self.request)
    }

    /// Takes what has come; the answer once its head is whole. A refused body is what came with it.
    ///
    /// # Errors
    /// Those of [`upgrade`].
    pub fn take(&mut self, bytes: &[u8]) -> Result<Option<Answer>, Error> {
        let address = header(&self.request.headers, "Host").unwrap_or_default();
        self.buffer.extend_from_slice(bytes);
        loop {
            if !may_be_http(&self.buffer) {
                return Err(no_http(&self.buffer, address));
            }
            let wrong = |message: String| invalid(address, Wrong::new(message));
            let Some(head) = take_head(&mut self.buffer, self.searched).map_err(wrong)? else {
                self.searched = self.buffer.len().saturating_sub(2);
                return Ok(None);
            };
            self.searched = 0;
            let buffer = std::mem::take(&mut self.buffer);
            match head.status {
                101 => {
                    return upgraded(head, &self.request, buffer)
                        .map(|upgraded| Some(Answer::Upgraded(upgraded)));
                }
                100..200 if self.interim < MAX_INTERIM => {
                    self.interim += 1;
                    self.buffer = buffer;
                }
                _ => {
                    let body = buffer.freeze();
                    return Ok(Some(Answer::Refused(Refusal { head, body })));
                }
            }
        }
    }
}

/// What a 101 agrees on; `rest` came behind it.
fn upgraded(head: ResponseHead, request: &RequestHead, rest: BytesMut) -> Result<Upgraded, Error> {
    let address = header(&request.headers, "Host").unwrap_or_default();
    let agreed = check(&head.headers, &request.headers);
    let agreed = agreed.map_err(|wrong| invalid(address, wrong))?;
    Ok(Upgraded {
        head,
        subprotocol: agreed.subprotocol,
        extensions: agreed.extensions,
        deflate: agreed.deflate,
        read_ahead: rest.freeze(),
    })
}

fn invalid(address: &str, Wrong { message, hint }: Wrong) -> Error {
    Error::Handshake {
        address: address.to_owned(),
        message,
        hint: hint.map(str::to_owned),
    }
}

async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    bytes: &[u8],
    address: &str,
) -> Result<(), Error> {
    let sent = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    sent.await.map_err(|cause| Error::Dropped {
        address: address.to_owned(),
        doing: "the handshake was sent to it",
        cause: Some(cause),
        hint: None,
    })
}

/// The first head that is not interim (RFC 9110, section 15.2); 101 is final here.
async fn final_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    address: &str,
    seen: &mut (dyn FnMut(&ResponseHead) + Send),
) -> Result<ResponseHead, Error> {
    for _ in 0..=MAX_INTERIM {
        let head = read_head(stream, buffer, address).await?;
        seen(&head);
        if head.status == 101 || !(100..200).contains(&head.status) {
            return Ok(head);
        }
    }
    Err(Error::Handshake {
        address: address.to_owned(),
        message: format!("more than {MAX_INTERIM} interim answers (1xx) and no final one"),
        hint: None,
    })
}

/// What is wrong with a 101.
#[derive(Debug)]
struct Wrong {
    message: String,
    hint: Option<&'static str>,
}

impl Wrong {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }
}

/// What both sides agree on with a 101.
#[derive(Debug)]
struct Agreed {
    subprotocol: Option<String>,
    extensions: Vec<String>,
    deflate: Option<deflate::Agreed>,
}

/// The checks of RFC 6455, section 4.1 on the fields of a 101.
fn check(answered: &Headers, offered: &Headers) -> Result<Agreed, Wrong> {
    for (name, token) in [("Upgrade", "websocket"), ("Connection", "Upgrade")] {
        if !has_token(answered, name, token) {
            return Err(Wrong::new(format!("the 101 does not say {name}: {token}")));
        }
    }
    check_accept(answered, offered)?;
    let deflate = deflate::check(values(offered, EXTENSIONS), values(answered, EXTENSIONS));
    Ok(Agreed {
        subprotocol: chosen_subprotocol(answered, offered)?,
        extensions: chosen_extensions(answered, offered)?,
        deflate: deflate.map_err(|wrong| Wrong::new(wrong.to_string()))?,
    })
}

fn check_accept(answered: &Headers, offered: &Headers) -> Result<(), Wrong> {
    let expected = accept_of(header(offered, "Sec-WebSocket-Key").unwrap_or_default());
    let mut accepts = values(answered, "Sec-WebSocket-Accept");
    match (accepts.next(), accepts.next()) {
        (Some(accept), None) if accept == expected => Ok(()),
        (Some(accept), None) => Err(Wrong {
            message: format!("Sec-WebSocket-Accept is {accept:?} and not {expected:?}"),
            hint: Some(
                "the answer belongs to another request, or the server does not hash the key",
            ),
        }),
        (Some(_), Some(_)) => Err(Wrong::new("the 101 has Sec-WebSocket-Accept twice")),
        (None, _) => Err(Wrong::new("the 101 has no Sec-WebSocket-Accept")),
    }
}

fn chosen_subprotocol(answered: &Headers, offered: &Headers) -> Result<Option<String>, Wrong> {
    let offers: Vec<&str> = elements(offered, PROTOCOL).collect();
    let mut chosen = values(answered, PROTOCOL);
    match (chosen.next(), chosen.next()) {
        (None, _) if offers.is_empty() => Ok(None),
        (None, _) => Err(Wrong {
            message: format!(
                "the server chose none of the subprotocols offered: {}",
                offers.join(", ")
            ),
            hint: Some("it may know another name; without -s none is asked for"),
        }),
        (Some(one), None) if offers.contains(&one) => Ok(Some(one.to_owned())),
        (Some(one), None) => Err(Wrong::new(format!(
            "the server chose the subprotocol {one:?}, which was not offered"
        ))),
        (Some(_), Some(_)) => Err(Wrong::new("the server chose more than one subprotocol")),
    }
}

fn chosen_extensions(answered: &Headers, offered: &Headers) -> Result<Vec<String>, Wrong> {
    let chosen: Vec<&str> = elements(answered, EXTENSIONS).collect();
    let unknown = chosen.iter().find(|extension| {
        !elements(offered, EXTENSIONS)
            .any(|offer| extension_name(offer).eq_ignore_ascii_case(extension_name(extension)))
    });
    match unknown {
        Some(extension) => Err(Wrong::new(format!(
            "the server chose the extension {extension:?}, which was not offered"
        ))),
        None => Ok(chosen.into_iter().map(str::to_owned).collect()),
    }
}

/// The elements of a list header; commas in quoted strings do not separate (RFC 9110, section 5.6).
fn elements<'a>(headers: &'a Headers, name: &str) -> impl Iterator<Item = &'a str> {
    values(headers, name)
        .flat_map(|value| {
            let mut quoted = false;
            value.split(move |c| {
                quoted ^= c == '"';
                c == ',' && !quoted
            })
        })
        .map(str::trim)
        .filter(|element| !element.is_empty())
}

fn extension_name(extension: &str) -> &str {
    extension.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    const KEY: (&str, &str) = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    const ACCEPT: (&str, &str) = ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    const UPGRADE: (&str, &str) = ("upgrade", "h2c, WebSocket");
    const CONNECTION: (&str, &str) = ("connection", "keep-alive, upgrade");

    #[test]
    fn tokens_are_found_in_lists_and_parameters_stay() {
        let deflate = "permessage-deflate; server_max_window_bits=\"10\"";
        let offered = headers(&[
            KEY,
            (PROTOCOL, "a, b"),
            (EXTENSIONS, "x, permessage-deflate"),
        ]);
        let answered = headers(&[
            UPGRADE,
            CONNECTION,
            ACCEPT,
            (PROTOCOL, "b"),
            (EXTENSIONS, deflate),
        ]);
        let agreed = check(&answered, &offered).unwrap();
        assert_eq!(agreed.subprotocol.as_deref(), Some("b"));
        assert_eq!(agreed.extensions, [deflate]);
        assert_eq!(agreed.deflate.unwrap().peer.window_bits, 10);
    }

    #[test]
    fn each_wrong_101_is_named() {
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        let rows: &[(Pairs<'_>, Pairs<'_>, &str)] = &[
            (&[CONNECTION, ACCEPT], &[], "does not say Upgrade"),
            (&[UPGRADE, ACCEPT], &[], "does not say Connection"),
            (
                &[UPGRADE, ("Connection", "upgraded"), ACCEPT],
                &[],
                "does not say Connection",
            ),
            (&[UPGRADE, CONNECTION], &[], "no Sec-WebSocket-Accept"),
            (&[UPGRADE, CONNECTION, ACCEPT, ACCEPT], &[], "twice"),
            (
                &[UPGRADE, CONNECTION, ("Sec-WebSocket-Accept", "x")],
                &[],
                "is \"x\" and not",
            ),
            (
                &[UPGRADE, CONNECTION, ACCEPT, (PROTOCOL, "a")],
                &[],
                "\"a\", which was not offered",
            ),
            (
                &[UPGRADE, CONNECTION, ACCEPT, (PROTOCOL, "A")],
                &[(PROTOCOL, "a")],
                "not offered",
            ),
            (
                &[UPGRADE, CONNECTION, ACCEPT],
                &[(PROTOCOL, "a, b")],
                "none of the subprotocols offered: a, b",
            ),
            (
                &[
                    UPGRADE,
                    CONNECTION,
                    ACCEPT,
                    (PROTOCOL, "a"),
                    (PROTOCOL, "a"),
                ],
                &[(PROTOCOL, "a")],
                "more than one",
            ),
            (
                &[UPGRADE, CONNECTION, ACCEPT, (EXTENSIONS, "foo; a=1")],
                &[(EXTENSIONS, "bar")],
                "\"foo; a=1\"",
            ),
        ];
        for (answered, extra, want) in rows {
            let offered = headers(&[&[KEY], *extra].concat());
            let wrong = check(&headers(answered), &offered).unwrap_err();
            assert!(wrong.message.contains(want), "{want}: {}", wrong.message);
        }
    }
}
