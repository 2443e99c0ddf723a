//! The server's opening handshake: hyper reads the request, a function answers it, so that the
//! same port serves WebSockets and HTTP. Host, key and version are checked here.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::model::handshake::{Headers, RequestHead, ResponseHead};

/// How to answer one request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 101, with this subprotocol and further headers.
    Upgrade {
        subprotocol: Option<String>,
        headers: Headers,
    },
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
    Timeout,
    Io(std::io::Error),
}

/// Serves requests on `stream` until one is upgraded. Heads are limited to 16 KiB and 100 fields,
/// the time to `timeout`. A request that asks for an upgrade wrongly (method, Host missing or doubled,
/// Connection, key missing, doubled or not 16 bytes, version) is answered with 400, 405 or 426 with
/// `Sec-WebSocket-Version: 13` before `answer` is asked; `answer` sees plain requests and right upgrades
/// and is told which it is.
pub async fn accept<S, F>(stream: S, timeout: Duration, answer: F) -> Result<Accepted<S>, Ended>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(&RequestHead, bool) -> Answer + Send + Sync + 'static,
{
    todo!()
}
