//! Opens connections that need more than TCP and one request (TLS, proxies, Unix sockets, redirects,
//! commands for secrets), on tokio, and hands them over to the event loops.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use mio::Waker;
use tokio::runtime::Handle;

use super::failure::Failure;
use super::plan::Sources;
use super::request::Request;
use crate::model::handshake::Timings;
use crate::protocol::deflate::Agreed;
use crate::session::opening;
use crate::wire::nonblocking::Socket;
use crate::wire::tls::Connector;

/// A connection that an event loop asked for.
#[derive(Debug)]
pub(super) struct Opened {
    /// Which user of the loop it is for.
    pub slot: usize,
    pub result: Result<Ready, Failure>,
}

#[derive(Debug)]
pub(super) struct Ready {
    pub socket: Socket,
    pub read_ahead: bytes::Bytes,
    pub deflate: Option<Agreed>,
    pub timings: Timings,
}

/// Opens connections for one event loop.
#[derive(Debug, Clone)]
pub(super) struct Opener {
    pub runtime: Handle,
    pub request: Arc<Request>,
    pub sources: Sources,
    /// Loaded once for all.
    pub tls: Option<Arc<Connector>>,
    pub done: Sender<Opened>,
    pub waker: Arc<Waker>,
}

impl Opener {
    /// Begins to open a connection; what comes of it is sent, and the loop woken.
    pub(super) fn open(&self, slot: usize, connection: u64, receive_buffer: Option<u32>) {
        let opener = self.clone();
        self.runtime.spawn(async move {
            let result = opener.opened(connection, receive_buffer).await;
            // A loop that has ended wants no connection any more.
            if opener.done.send(Opened { slot, result }).is_ok() {
                let _ = opener.waker.wake();
            }
        });
    }

    async fn opened(&self, connection: u64, receive_buffer: Option<u32>) -> Result<Ready, Failure> {
        let plan = self.request.of(connection);
        let mut plan = plan.map_err(|error| Failure::opening(&error, b""))?;
        if let Some(source) = self.sources.of(connection) {
            plan.to_mut().dial.source = Some(source);
        }
        if receive_buffer.is_some() {
            plan.to_mut().dial.receive_buffer = receive_buffer;
        }
        let opening = opening::open_with(&plan, self.tls.clone()).await;
        let opened = opening.result.map_err(|failure| {
            let body = failure.refused.as_ref().map(|refused| &refused.body[..]);
            Failure::opening(&failure.error, body.unwrap_or_default())
        })?;
        let socket = Socket::try_from(opened.stream)
            .map_err(|cause| Failure::new("handshake", "failed", cause.to_string()))?;
        Ok(Ready {
            socket,
            read_ahead: opened.read_ahead,
            deflate: opened.deflate,
            timings: opened.open.timings,
        })
    }
}

/// The timings of an opening, each with its step.
pub(super) fn steps(timings: &Timings) -> [Option<Duration>; 5] {
    [
        timings.dns,
        timings.tcp,
        timings.proxy,
        timings.tls,
        timings.upgrade,
    ]
}
