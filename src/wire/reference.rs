//! A client's connection on tokio-tungstenite, an implementation of RFC 6455 that shares no code
//! with ours from the opening handshake on: what it makes of a server tells whether the server is
//! to blame or this program. It tells what happened in the same words as a connection of ours.
//!
//! It knows no compression, so none may be offered to the server.

use std::collections::VecDeque;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, http};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::head::{WAITING, value_text};
use crate::error::Error;
use crate::model::close::CloseCode;
use crate::model::event::{Close, ClosedBy, Direction, Problem, What};
use crate::model::handshake::{Headers, Refusal, RequestHead, ResponseHead, header, values};
use crate::model::message::Message;
use crate::model::state::ReadyState;

/// What stands in the `name` of its events.
pub const NAME: &str = "tokio-tungstenite";

/// As a connection of ours has them.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
const LINGER: Duration = Duration::from_millis(500);
const OUT_QUEUE: usize = 1 << 20;

/// How the server answered.
pub enum Answer<S> {
    Upgraded(Box<Upgraded<S>>),
    /// Any status but 101.
    Refused(Refusal),
}

pub struct Upgraded<S> {
    pub connection: Connection<S>,
    pub subprotocol: Option<String>,
    pub extensions: Vec<String>,
}

/// Sends the request and reads the answer. The caller bounds the time.
///
/// # Errors
/// [`Error::Handshake`] for an answer that the reference does not take, [`Error::Dropped`] when the
/// connection ends inside it.
pub async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: &RequestHead,
    max_message_size: usize,
) -> Result<Answer<S>, Error> {
    let address = header(&request.headers, "Host").unwrap_or_default();
    let wrong = |message: String| Error::Handshake {
        address: address.to_owned(),
        message,
        hint: None,
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(max_message_size))
        .max_frame_size(Some(max_message_size))
        .max_write_buffer_size(OUT_QUEUE);
    let request = converted(request).map_err(|error| wrong(error.to_string()))?;
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, response)) => {
            let headers = headers(response.headers());
            Ok(Answer::Upgraded(Box::new(Upgraded {
                connection: Connection::new(socket),
                subprotocol: header(&headers, "Sec-WebSocket-Protocol").map(str::to_owned),
                extensions: values(&headers, "Sec-WebSocket-Extensions")
                    .map(str::to_owned)
                    .collect(),
            })))
        }
        Err(tungstenite::Error::Http(response)) => Ok(Answer::Refused(refusal(&response))),
        Err(tungstenite::Error::Protocol(ProtocolError::HandshakeIncomplete)) => {
            Err(dropped(address, None))
        }
        Err(tungstenite::Error::Io(cause)) => Err(dropped(address, Some(cause))),
        Err(error) => Err(wrong(error.to_string())),
    }
}

fn dropped(address: &str, cause: Option<io::Error>) -> Error {
    Error::Dropped {
        address: address.to_owned(),
        doing: WAITING,
        cause,
        hint: None,
    }
}

/// The reference wants a whole URI, of which it sends path and query only.
fn converted(request: &RequestHead) -> Result<http::Request<()>, http::Error> {
    let uri = format!("ws://reference{}", request.target);
    let mut builder = http::Request::builder().uri(uri);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    builder.body(())
}

fn headers(map: &http::HeaderMap) -> Headers {
    map.iter()
        .map(|(name, value)| (name.to_string(), value_text(value.as_bytes())))
        .collect()
}

fn refusal(response: &http::Response<Option<Vec<u8>>>) -> Refusal {
    let status = response.status();
    Refusal {
        head: ResponseHead {
            is_http_1_0: response.version() == http::Version::HTTP_10,
            status: status.as_u16(),
            // It does not keep what the server wrote here.
            reason: status.canonical_reason().unwrap_or_default().to_owned(),
            headers: headers(response.headers()),
        },
        body: response.body().clone().unwrap_or_default().into(),
    }
}

/// An open connection. Like one of ours it is pulled.
pub struct Connection<S> {
    socket: WebSocketStream<S>,
    pending: VecDeque<What>,
    /// Pings without a pong: as many as the caller lets wait.
    pings: VecDeque<(Bytes, Instant)>,
    last_traffic: Instant,
    ending: Option<Ending>,
    /// When the end is not waited for any longer.
    timer: Option<Pin<Box<Sleep>>>,
    unflushed: bool,
    reading: bool,
    ended: bool,
}

/// How it is about to end.
struct Ending {
    by: ClosedBy,
    code: Option<CloseCode>,
    reason: String,
    /// Whether the peer's Close came.
    answered: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(socket: WebSocketStream<S>) -> Self {
        Self {
            socket,
            pending: VecDeque::new(),
            pings: VecDeque::new(),
            last_traffic: Instant::now(),
            ending: None,
            timer: None,
            unflushed: false,
            reading: true,
            ended: false,
        }
    }

    /// The next thing that happened; `None` after it has ended.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<What>> {
        loop {
            if let Some(what) = self.pending.pop_front() {
                return Poll::Ready(Some(what));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            if self.unflushed {
                // Where it fails, reading tells how.
                self.unflushed = Pin::new(&mut self.socket).poll_flush(cx).is_pending();
            }
            if self.reading
                && let Poll::Ready(read) = Pin::new(&mut self.socket).poll_next(cx)
            {
                match read {
                    Some(Ok(message)) => self.came(message),
                    Some(Err(error)) => self.broke(&error),
                    None => self.end(),
                }
            } else if let Some(timer) = &mut self.timer
                && timer.as_mut().poll(cx).is_ready()
            {
                self.end();
            } else {
                return Poll::Pending;
            }
        }
    }

    pub fn ping(&mut self, payload: Bytes) {
        self.pings.push_back((payload.clone(), Instant::now()));
        if self.send(tungstenite::Message::Ping(payload.clone())) {
            self.pending.push_back(What::Ping {
                dir: Direction::Out,
                payload,
            });
        }
    }

    /// Closes with 1000.
    pub fn close(&mut self) {
        if self.ending.is_some() {
            return;
        }
        self.send(tungstenite::Message::Close(Some(
            tungstenite::protocol::CloseFrame {
                code: CloseCode::NORMAL.0.into(),
                reason: "".into(),
            },
        )));
        self.begin_ending(ClosedBy::Us, Some(CloseCode::NORMAL), String::new());
        self.wait(CLOSE_TIMEOUT);
    }

    /// Stops or resumes reading from the peer.
    pub fn set_reading(&mut self, reading: bool) {
        self.reading = reading;
    }

    /// It is queued below, so there is no need to wait until the socket is ready.
    fn send(&mut self, message: tungstenite::Message) -> bool {
        self.unflushed = true;
        Pin::new(&mut self.socket).start_send(message).is_ok()
    }

    fn came(&mut self, message: tungstenite::Message) {
        // A reply may have been queued.
        self.unflushed = true;
        let now = Instant::now();
        let what = match message {
            tungstenite::Message::Text(text) => message_in(Message::text(text.as_str())),
            tungstenite::Message::Binary(bytes) => message_in(Message::binary(bytes)),
            tungstenite::Message::Ping(payload) => What::Ping {
                dir: Direction::In,
                payload,
            },
            tungstenite::Message::Pong(payload) => {
                let at = self.pings.iter().position(|(sent, _)| *sent == payload);
                let answered = at.and_then(|at| self.pings.drain(..=at).next_back());
                What::Pong {
                    dir: Direction::In,
                    payload,
                    rtt: answered.map(|(_, sent)| now.saturating_duration_since(sent)),
                }
            }
            tungstenite::Message::Close(frame) => return self.peer_closed(frame),
            // It reads none of these.
            tungstenite::Message::Frame(_) => return,
        };
        self.last_traffic = now;
        self.pending.push_back(what);
    }

    fn peer_closed(&mut self, frame: Option<tungstenite::protocol::CloseFrame>) {
        let (code, reason) = match frame {
            Some(frame) => (
                Some(CloseCode(frame.code.into())),
                frame.reason.as_str().to_owned(),
            ),
            None => (None, String::new()),
        };
        match &mut self.ending {
            Some(ending) => {
                ending.code = code;
                ending.reason = reason;
            }
            None => self.begin_ending(ClosedBy::Peer, code, reason),
        }
        if let Some(ending) = &mut self.ending {
            ending.answered = true;
        }
        self.wait(LINGER);
    }

    fn broke(&mut self, error: &tungstenite::Error) {
        let code = match error {
            tungstenite::Error::Io(_)
            | tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                return self.end();
            }
            tungstenite::Error::Utf8(_) => CloseCode::INVALID_PAYLOAD,
            tungstenite::Error::Capacity(_) => CloseCode::TOO_BIG,
            _ => CloseCode::PROTOCOL_ERROR,
        };
        self.pending.push_back(What::Error(Box::new(Problem {
            kind: "protocol",
            message: format!("the peer broke the protocol: {error}"),
            hint: None,
        })));
        if self.ending.is_none() {
            self.begin_ending(ClosedBy::Us, None, String::new());
        }
        if let Some(ending) = &mut self.ending {
            ending.code = Some(code);
            ending.answered = false;
        }
        self.end();
    }

    fn begin_ending(&mut self, by: ClosedBy, code: Option<CloseCode>, reason: String) {
        self.pending.push_back(What::State(ReadyState::Closing));
        self.ending = Some(Ending {
            by,
            code,
            reason,
            answered: false,
        });
    }

    fn wait(&mut self, time: Duration) {
        self.timer = Some(Box::pin(tokio::time::sleep(time)));
    }

    fn end(&mut self) {
        self.ended = true;
        let idle = self.last_traffic.elapsed();
        let close = match self.ending.take() {
            Some(ending) => Close {
                code: ending.code.unwrap_or(CloseCode::NO_STATUS),
                reason: ending.reason,
                clean: ending.answered,
                by: ending.by,
                wire_code: ending.code,
                idle,
                unsent: 0,
            },
            None => Close {
                code: CloseCode::ABNORMAL,
                reason: String::new(),
                clean: false,
                by: ClosedBy::Transport,
                wire_code: None,
                idle,
                unsent: 0,
            },
        };
        self.pending.push_back(What::State(ReadyState::Closed));
        self.pending.push_back(What::Close(Box::new(close)));
    }
}

/// Frames and their headers are not to be seen here: the payload is all there is to count.
fn message_in(message: Message) -> What {
    What::Message {
        dir: Direction::In,
        frames: 1,
        wire: message.payload.len() as u64,
        message,
        json: None,
    }
}
