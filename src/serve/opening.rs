//! From a socket to an open connection: TLS, then HTTP until it is upgraded, under one deadline.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::{Shared, admission};
use crate::model::event::{Problem, TlsInfo, What};
use crate::model::handshake;
use crate::model::secret;
use crate::wire::accept::{Accepted, Ended, accept};
use crate::wire::stream::{Socket, Stream};
use crate::wire::tls::NotAccepted;

/// A client that takes longer for its handshakes, TLS and HTTP together, is dropped.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A client that came in.
pub(super) struct Entrant {
    pub(super) accepted: Accepted<Stream>,
    /// What TLS agreed on, and how long that took.
    pub(super) tls: Option<(TlsInfo, Duration)>,
    /// Its place among those of `--max-connections`, until it is dropped.
    pub(super) place: Option<OwnedSemaphorePermit>,
}

/// Serves HTTP on a socket until it is upgraded; `None` where it never was. Those who are refused
/// have been told, and the log too.
pub(super) async fn open(shared: &Arc<Shared>, socket: Socket, address: &str) -> Option<Entrant> {
    let started = Instant::now();
    let secured = timeout(HANDSHAKE_TIMEOUT, secure(shared, socket, address)).await;
    let Ok(Some(secured)) = secured else {
        return None;
    };
    let left = HANDSHAKE_TIMEOUT.saturating_sub(started.elapsed());
    let decide = Arc::clone(shared);
    // Taken with the answer, so that no more are let in than there are places.
    let place = Arc::new(OnceLock::new());
    let taken = Arc::clone(&place);
    let accepted = accept(secured.stream, left, move |request, upgrade| {
        admission::answer(&decide.plan, request, upgrade, || {
            let permit = Arc::clone(&decide.places).try_acquire_owned();
            permit.is_ok_and(|permit| taken.set(permit).is_ok())
        })
    });
    match accepted.await {
        Ok(accepted) => Some(Entrant {
            accepted,
            tls: secured.tls,
            // The closure, which shares it, is gone.
            place: Arc::into_inner(place).and_then(OnceLock::into_inner),
        }),
        Err(ended) => {
            log_ended(shared, ended, address);
            None
        }
    }
}

/// A stream to read a request from.
struct Secured {
    stream: Stream,
    /// What TLS agreed on, and how long that took.
    tls: Option<(TlsInfo, Duration)>,
}

/// The handshake of TLS where the plan asks for it. A client that complains of it is worth a
/// line; plain HTTP, which was told, and port scans are not.
async fn secure(shared: &Shared, socket: Socket, address: &str) -> Option<Secured> {
    let Some(acceptor) = &shared.acceptor else {
        return Some(Secured {
            stream: Stream::Plain(socket),
            tls: None,
        });
    };
    let started = Instant::now();
    match acceptor.accept(socket).await {
        Ok((stream, info)) => Some(Secured {
            stream,
            tls: Some((info, started.elapsed())),
        }),
        Err(NotAccepted::Tls(words)) => {
            let problem = Problem {
                kind: "tls",
                message: format!("TLS with {address} failed: {words}"),
                hint: None,
            };
            shared.log.tell(None, What::Error(Box::new(problem)));
            None
        }
        Err(NotAccepted::Plain | NotAccepted::Io(_)) => None,
    }
}

/// An upgrade that was asked for and refused is worth a line; plain HTTP and port scans are not.
fn log_ended(shared: &Shared, ended: Ended, address: &str) {
    if let Ended::Http(Some((request, status))) = ended
        && handshake::header(&request.headers, "upgrade").is_some()
    {
        let target = secret::redact_target(&request.target);
        let problem = Problem {
            kind: "refused",
            message: format!("refused {address} at {target}: HTTP {status}"),
            hint: None,
        };
        shared.log.tell(None, What::Error(Box::new(problem)));
    }
}
