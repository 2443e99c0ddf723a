//! The server's opening handshake: hyper reads the request, a function answers it, so that the
//! same port serves WebSockets and HTTP. Host, key and version are checked here, because hyper
//! takes requests without a Host and with two of them.
//!
//! The heads are shown as they were on the wire ([`Heard`]), with the Date that hyper adds to answers.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout as bounded;

use super::head::value_text;
use super::heard::{Heard, Kept};
use super::key;
use crate::model::handshake::{Headers, RequestHead, ResponseHead, has_token, header, values};

/// Bytes and fields of a request's head; hyper answers more with 431.
const MAX_HEAD: usize = 16 * 1024;
const MAX_FIELDS: usize = 100;

/// The largest body of a plain request; more is 413.
const MAX_BODY: usize = 64 * 1024;

/// What a client is told that has sent only a part of a request when its time is over (RFC 9110, section
/// 15.5.9).
const TOO_LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\n\
    Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 39\r\n\r\n\
    the request did not come whole in time\n";

/// What a client is told that speaks HTTP/2 (RFC 9110, section 15.6.6): hyper leaves that to us.
const NO_HTTP_2: &[u8] = b"HTTP/1.1 505 HTTP Version Not Supported\r\n\
    Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 42\r\n\r\n\
    this port speaks HTTP/1.1, and not HTTP/2\n";

/// How much unread data is taken off a connection that ends, and for how long.
const MAX_LINGER: u64 = 64 * 1024;
const LINGER: Duration = Duration::from_secs(1);

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    Upgrade,
    /// Plain HTTP, with this body.
    Http(&'a [u8]),
}

/// How to answer one request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 101, with this subprotocol and further headers.
    Upgrade {
        subprotocol: Option<String>,
        headers: Headers,
    },
    /// 101 with these headers, right or wrong, and bytes that leave in one write with it.
    Spelled { headers: Headers, behind: Bytes },
    /// None: the connection is held open until the client leaves, however long that takes.
    Silence,
    /// An ordinary answer; the connection stays open for further requests.
    Http {
        status: u16,
        headers: Headers,
        body: Bytes,
    },
}

/// A connection that was upgraded.
#[derive(Debug)]
pub struct Accepted<S> {
    pub stream: S,
    /// Bytes that came with the request: they go into the engine first.
    pub read_ahead: Bytes,
    pub request: RequestHead,
    pub response: ResponseHead,
}

/// Why nothing was upgraded; every one of these ended the TCP connection.
#[derive(Debug)]
pub enum Ended {
    /// Only plain HTTP was spoken; the last request and the status it got, if there was one.
    Http(Option<(RequestHead, u16)>),
    /// What came could not be read as a request; the status that said so, and why.
    Unreadable(u16, String),
    Timeout,
    /// It got no answer, as it was meant to, and left.
    Unanswered,
    Io(io::Error),
}

/// Serves requests on `stream` until one is upgraded. Heads are limited to 16 KiB and 100 fields,
/// the time to `timeout`. A request that asks for an upgrade wrongly (method, Host missing or doubled,
/// Connection, key missing, doubled or not 16 bytes, version) is answered with 400, 405 or 426 with
/// `Sec-WebSocket-Version: 13` before `answer` is asked; `answer` sees plain requests, with bodies up
/// to 64 KiB, and right upgrades; a plain request cannot be upgraded and gets 426 instead.
///
/// # Errors
/// [`Ended`] when nothing was upgraded. A connection that was answered and then stayed idle until
/// the timeout ended with [`Ended::Http`].
pub async fn accept<S, F>(stream: S, timeout: Duration, answer: F) -> Result<Accepted<S>, Ended>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(&RequestHead, Asked<'_>) -> Answer + Send + Sync + 'static,
{
    let (stream, kept) = Heard::new(stream);
    let desk = Desk {
        kept: kept.clone(),
        counter: Arc::new(Counter {
            answer,
            kept: kept.clone(),
            last: Mutex::new(Last::Nothing),
        }),
    };
    let mut connection = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        // A client that has shut down its writing side still wants its answer.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), desk);
    let served = bounded(timeout, poll_fn(|cx| connection.poll_without_shutdown(cx))).await;
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner().into_inner();
    let last = parts.service.counter.last();
    if let (Err(_), Last::Unanswered) = (&served, &last) {
        leaves(stream).await;
        return Err(Ended::Unanswered);
    }
    let is_cut = !parts.read_buf.is_empty();
    let told = match (&served, &last) {
        (Err(_), Last::Begun(_)) => Some(TOO_LATE),
        (Err(_), _) if is_cut => Some(TOO_LATE),
        (Ok(Err(error)), _) if error.is_parse_version_h2() => Some(NO_HTTP_2),
        _ => None,
    };
    if let Some(answer) = told {
        // It is told, if it listens at all.
        let _ = bounded(LINGER, stream.write_all(answer)).await;
    }
    let ended = match (served, last) {
        (Ok(Ok(())), Last::Upgraded(request, response)) => {
            return Ok(Accepted {
                stream,
                read_ahead: parts.read_buf,
                request,
                response: kept.response(response),
            });
        }
        (Ok(Err(error)), _) => unreadable(&error).unwrap_or_else(|| Ended::Io(io_error(error))),
        (Err(_), Last::Nothing) if is_cut => {
            Ended::Unreadable(408, "the request did not come in time".to_owned())
        }
        (Err(_), Last::Nothing | Last::Upgraded(..)) => Ended::Timeout,
        (_, Last::Unanswered) => Ended::Unanswered,
        (_, Last::Plain(request, status)) => Ended::Http(Some((request, status))),
        (_, Last::Begun(request)) => {
            let status = StatusCode::REQUEST_TIMEOUT;
            Ended::Http(Some((request, status.as_u16())))
        }
        (Ok(Ok(())), Last::Nothing) => Ended::Http(None),
    };
    linger(stream).await;
    Err(ended)
}

/// Where what came was no request; hyper has answered all but HTTP/2 with this status.
fn unreadable(error: &hyper::Error) -> Option<Ended> {
    let status = if error.is_parse_version_h2() {
        StatusCode::HTTP_VERSION_NOT_SUPPORTED
    } else if error.is_parse_too_large() {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    } else if error.is_parse() {
        StatusCode::BAD_REQUEST
    } else {
        return None;
    };
    Some(Ended::Unreadable(status.as_u16(), error.to_string()))
}

/// Ends a connection so that the peer can read the last answer: closing a socket with unread
/// bytes sends RST, which throws that answer away.
pub(super) async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let rest = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(MAX_LINGER), &mut tokio::io::sink()).await
    };
    // The connection is over; how it ended is known already.
    let _ = bounded(LINGER, rest).await;
}

/// Waits until the peer ends the connection.
async fn leaves<S: AsyncRead + Unpin>(mut stream: S) {
    // However it ends it, it has left.
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

/// The system's error below hyper's, or hyper's as one.
fn io_error(error: hyper::Error) -> io::Error {
    use std::error::Error as _;

    let below = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .map(|cause| (cause.kind(), cause.to_string()));
    match below {
        Some((kind, text)) => io::Error::new(kind, text),
        None if error.is_incomplete_message() => io::ErrorKind::UnexpectedEof.into(),
        None => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

/// What the last request on a connection came to.
#[derive(Debug)]
enum Last {
    Nothing,
    /// Its body is being read.
    Begun(RequestHead),
    Plain(RequestHead, u16),
    Upgraded(RequestHead, ResponseHead),
    Unanswered,
}

/// Where hyper hands in its requests.
struct Desk<F> {
    kept: Kept,
    counter: Arc<Counter<F>>,
}

struct Counter<F> {
    answer: F,
    kept: Kept,
    last: Mutex<Last>,
}

type Respond = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send>>;

impl<F> Service<Request<Incoming>> for Desk<F>
where
    F: Fn(&RequestHead, Asked<'_>) -> Answer + Send + Sync + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Respond;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let head = RequestHead {
            method: request.method().to_string(),
            target: request
                .uri()
                .path_and_query()
                .map_or_else(|| request.uri().to_string(), ToString::to_string),
            headers: self.kept.request(headers_of(request.headers())),
        };
        let counter = Arc::clone(&self.counter);
        Box::pin(async move { Ok(counter.serve(head, request).await) })
    }
}

impl<F: Fn(&RequestHead, Asked<'_>) -> Answer> Counter<F> {
    async fn serve(&self, head: RequestHead, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let framing = Framing {
            http11: request.version() == Version::HTTP_11,
            body: !request.body().is_end_stream(),
        };
        let response = match judge(&head, framing) {
            Ok(true) => match (self.answer)(&head, Asked::Upgrade) {
                Answer::Silence => {
                    *self.lock() = Last::Unanswered;
                    pending().await
                }
                answer => respond(answer, &head, &self.kept),
            },
            Ok(false) => match self.body(&head, request.into_body()).await {
                Ok(body) => match (self.answer)(&head, Asked::Http(&body)) {
                    Answer::Http {
                        status,
                        headers,
                        body,
                    } => build(status, &headers, body),
                    _ => NOT_ASKED.response(),
                },
                Err(rejection) => rejection.response(),
            },
            Err(rejection) => rejection.response(),
        };
        self.keep(head, &response);
        response
    }

    /// The body of a plain request, unless its head says already that it is too large.
    async fn body(&self, head: &RequestHead, body: Incoming) -> Result<Bytes, Rejection> {
        if body.size_hint().lower() > MAX_BODY as u64 {
            return Err(TOO_LARGE);
        }
        if !body.is_end_stream() {
            *self.lock() = Last::Begun(head.clone());
        }
        match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(TOO_LARGE),
            Err(_) => Err(BROKEN),
        }
    }

    fn keep(&self, head: RequestHead, response: &Response<Full<Bytes>>) {
        let status = response.status();
        let last = if status == StatusCode::SWITCHING_PROTOCOLS {
            let response = ResponseHead {
                is_http_1_0: false,
                status: status.as_u16(),
                reason: status.canonical_reason().unwrap_or_default().to_owned(),
                headers: headers_of(response.headers()),
            };
            Last::Upgraded(head, response)
        } else {
            Last::Plain(head, status.as_u16())
        };
        *self.lock() = last;
    }
}

impl<F> Counter<F> {
    fn last(&self) -> Last {
        std::mem::replace(&mut self.lock(), Last::Nothing)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Last> {
        // It is only ever replaced.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn headers_of(map: &HeaderMap) -> Headers {
    map.iter()
        .map(|(name, value)| (name.to_string(), value_text(value.as_bytes())))
        .collect()
}

/// What of a request is not in its head.
#[derive(Debug, Clone, Copy)]
struct Framing {
    http11: bool,
    body: bool,
}

/// Why a request is not answered by the function.
#[derive(Debug, PartialEq, Eq)]
struct Rejection {
    status: StatusCode,
    header: Option<(&'static str, &'static str)>,
    text: &'static str,
}

const NO_UPGRADE: (&str, &str) = ("upgrade", "websocket");
const RIGHT_VERSION: (&str, &str) = ("sec-websocket-version", "13");

/// To a plain request that the function would have upgraded.
const NOT_ASKED: Rejection = Rejection {
    status: StatusCode::UPGRADE_REQUIRED,
    header: Some(RIGHT_VERSION),
    text: "this path speaks WebSocket: connect to it with a WebSocket client",
};

/// To a body that broke off, or is not framed as it says.
const BROKEN: Rejection = Rejection {
    status: StatusCode::BAD_REQUEST,
    header: None,
    text: "the body did not come as its head says",
};

/// To a body that is larger than any that is asked for here.
const TOO_LARGE: Rejection = Rejection {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    header: None,
    text: "the body is too large",
};

/// Whether a request asks for an upgrade; RFC 9112, section 3.2 and RFC 6455, section 4.2.1.
fn judge(head: &RequestHead, framing: Framing) -> Result<bool, Rejection> {
    let reject = |status, header, text| {
        Err(Rejection {
            status,
            header,
            text,
        })
    };
    let bad = |text| reject(StatusCode::BAD_REQUEST, None, text);
    let headers = &head.headers;
    match values(headers, "host").count() {
        1 => {}
        0 if !framing.http11 => {}
        0 => return bad("the request has no Host header"),
        _ => return bad("the request has more than one Host header"),
    }
    let has_upgrade = has_token(headers, "upgrade", "websocket");
    if !has_upgrade && header(headers, "sec-websocket-key").is_none() {
        return Ok(false);
    }
    if head.method != "GET" {
        let allow = Some(("allow", "GET"));
        return reject(
            StatusCode::METHOD_NOT_ALLOWED,
            allow,
            "a WebSocket handshake is a GET",
        );
    }
    if !framing.http11 {
        return bad("a WebSocket handshake needs HTTP/1.1");
    }
    if framing.body {
        return bad("a WebSocket handshake has no body");
    }
    if !has_upgrade {
        return reject(
            StatusCode::UPGRADE_REQUIRED,
            Some(NO_UPGRADE),
            "there is a Sec-WebSocket-Key but no Upgrade: websocket; \
             a proxy on the way may have removed it",
        );
    }
    if !has_token(headers, "connection", "upgrade") {
        return bad("the request does not say Connection: Upgrade");
    }
    let mut versions = values(headers, "sec-websocket-version");
    if (versions.next(), versions.next()) != (Some("13"), None) {
        return reject(
            StatusCode::UPGRADE_REQUIRED,
            Some(RIGHT_VERSION),
            "the Sec-WebSocket-Version must be 13",
        );
    }
    let mut keys = values(headers, "sec-websocket-key");
    match (keys.next(), keys.next()) {
        (Some(key), None) if key::is_valid(key) => Ok(true),
        (Some(_), None) => bad("the Sec-WebSocket-Key is not 16 bytes in base64"),
        (Some(_), Some(_)) => bad("the request has more than one Sec-WebSocket-Key"),
        (None, _) => bad("the request has no Sec-WebSocket-Key"),
    }
}

impl Rejection {
    fn response(&self) -> Response<Full<Bytes>> {
        let mut headers = vec![
            ("content-type", "text/plain; charset=utf-8"),
            ("connection", "close"),
        ];
        headers.extend(self.header);
        // RFC 9110, section 15.5.22: a 426 says what to upgrade to.
        if self.status == StatusCode::UPGRADE_REQUIRED && self.header != Some(NO_UPGRADE) {
            headers.push(NO_UPGRADE);
        }
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect::<Headers>();
        build(
            self.status.as_u16(),
            &headers,
            format!("{}\n", self.text).into(),
        )
    }
}

fn respond(answer: Answer, request: &RequestHead, kept: &Kept) -> Response<Full<Bytes>> {
    let headers = match answer {
        Answer::Http {
            status,
            headers,
            body,
        } => return build(status, &headers, body),
        Answer::Upgrade {
            subprotocol,
            headers,
        } => switching(request, subprotocol, headers),
        Answer::Spelled { headers, behind } => {
            kept.leaves_behind(behind);
            headers
        }
        // Nothing is answered before one gets here.
        Answer::Silence => Headers::new(),
    };
    let status = StatusCode::SWITCHING_PROTOCOLS.as_u16();
    build(status, &headers, Bytes::new())
}

/// The headers of the 101 that answers a request rightly.
pub fn switching(request: &RequestHead, subprotocol: Option<String>, further: Headers) -> Headers {
    let key = header(&request.headers, "sec-websocket-key").unwrap_or_default();
    let ours = [
        ("upgrade", Some("websocket".to_owned())),
        ("connection", Some("Upgrade".to_owned())),
        ("sec-websocket-accept", Some(key::accept_of(key))),
        ("sec-websocket-protocol", subprotocol),
    ];
    ours.into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .chain(further)
        .collect()
}

/// The answer as hyper's type; 500 where a status or header cannot be sent.
fn build(status: u16, headers: &Headers, body: Bytes) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name.as_str(), value.as_bytes());
    }
    builder.body(Full::new(body)).unwrap_or_else(|error| {
        let mut response = Response::new(Full::new(format!("{error}\n").into()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
