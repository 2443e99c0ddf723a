//! From a socket to an open connection: TLS, then HTTP until it is upgraded, under one deadline.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::admission::{self, Doors};
use super::auth::{Identity, Rejection};
use super::fault::{Act, Course, Hit};
use super::http::{self, text, with_header};
use super::{Shared, locked};
use crate::model::event::{Problem, TlsInfo, What};
use crate::model::handshake::{self, RequestHead};
use crate::model::secret;
use crate::wire::accept::{Accepted, Answer, Asked, Ended, accept};
use crate::wire::impaired::{Impaired, Line};
use crate::wire::stream::{Socket, Stream};
use crate::wire::tls::NotAccepted;

/// A client that takes longer for its handshakes, TLS and HTTP together, is dropped.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The same where faults may make the handshake slow.
const FAULTY_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(600);

/// A client that came in.
pub(super) struct Entrant {
    pub(super) accepted: Accepted<Stream>,
    /// What TLS agreed on, and how long that took.
    pub(super) tls: Option<(TlsInfo, Duration)>,
    pub(super) pass: Pass,
    /// The way to what is below TLS, where faults act there.
    pub(super) line: Option<Line>,
}

/// What a client was given with its 101.
pub(super) struct Pass {
    /// Who it is, or why it is to be closed at once.
    pub(super) verdict: Result<Identity, Rejection>,
    /// Its place among those of `--max-connections`, until it is dropped.
    pub(super) place: OwnedSemaphorePermit,
    /// How long ago its address tried to connect before.
    pub(super) since: Option<Duration>,
    /// The faults that concern it.
    pub(super) course: Option<Box<Course>>,
}

/// Serves HTTP on a socket until it is upgraded; `None` where it never was. Those who are refused
/// have been told, and the log too.
pub(super) async fn open(shared: &Arc<Shared>, socket: Socket, address: &str) -> Option<Entrant> {
    let started = Instant::now();
    let (socket, line) = bottom(shared, socket);
    let secured = timeout(HANDSHAKE_TIMEOUT, secure(shared, socket, address)).await;
    let Ok(Some(secured)) = secured else {
        return None;
    };
    let patience = match &line {
        Some(_) => FAULTY_HANDSHAKE_TIMEOUT,
        None => HANDSHAKE_TIMEOUT,
    };
    let left = patience.saturating_sub(started.elapsed());
    let desk = Arc::new(Desk {
        shared: Arc::clone(shared),
        address: address.parse().ok().map(|address: SocketAddr| address.ip()),
        pass: OnceLock::new(),
        line: line.clone(),
    });
    let at_desk = Arc::clone(&desk);
    let accepted = accept(secured.stream, left, move |request, asked| {
        at_desk.answer(request, asked)
    });
    match accepted.await {
        Ok(accepted) => Some(Entrant {
            accepted,
            tls: secured.tls,
            // The closure, which shares it, is gone; and an upgrade is always given one.
            pass: Arc::into_inner(desk)?.pass.into_inner()?,
            line,
        }),
        Err(ended) => {
            log_ended(shared, ended, address);
            None
        }
    }
}

/// Where the requests of one client are answered.
struct Desk {
    shared: Arc<Shared>,
    /// `None` on a unix socket.
    address: Option<IpAddr>,
    pass: OnceLock<Pass>,
    line: Option<Line>,
}

/// The socket, so that faults can act below TLS where some are to.
fn bottom(shared: &Shared, socket: Socket) -> (Socket, Option<Line>) {
    let faults = shared.faults.as_ref();
    if faults.is_some_and(|faults| faults.are_below_tls()) {
        let (impaired, line) = Impaired::new(socket);
        (Socket::Impaired(Box::new(impaired)), Some(line))
    } else {
        (socket, None)
    }
}

impl Desk {
    fn answer(&self, request: &RequestHead, asked: Asked<'_>) -> Answer {
        let Shared { plan, attempts, .. } = &*self.shared;
        let since = match asked {
            Asked::Upgrade => locked(attempts).next(self.address, Instant::now()),
            Asked::Http(_) => None,
        };
        if let Some(wait) = self.over_limit() {
            let seconds = wait.as_secs_f64().ceil().max(1.0).to_string();
            let answer = text(429, "too many handshakes (--handshake-limit)\n");
            return with_header(answer, "Retry-After", &seconds);
        }
        if let Some(answer) = admission::refusal(plan, request) {
            return answer;
        }
        match asked {
            Asked::Http(body) => self.http(request, body),
            Asked::Upgrade => self.upgrade(request, since),
        }
    }

    fn over_limit(&self) -> Option<Duration> {
        let rate = self.shared.plan.limits.handshakes?;
        let mut handshakes = locked(&self.shared.handshakes);
        let wait = handshakes.take(self.address, rate, Instant::now()).err()?;
        self.shared.log.tell(
            None,
            What::Limit {
                limit: "handshakes",
                action: "refuse",
                again: false,
            },
        );
        Some(wait)
    }

    fn http(&self, head: &RequestHead, body: &[u8]) -> Answer {
        let shared = &self.shared;
        // Other pages may read what anybody may read, but do nothing in a person's name.
        let foreign = admission::foreign(&shared.plan, head).filter(|_| head.method != "GET");
        if let Some(answer) = foreign {
            return answer;
        }
        let mut scene = http::Scene {
            is_ready: !shared.is_ending.load(Ordering::Relaxed),
            metrics: &|| shared.log.metrics().text(shared.hub.gauges()),
            page: &shared.page,
            keys: &mut locked(&shared.keys),
            now: SystemTime::now(),
        };
        let request = http::Request { head, body };
        let path = admission::path_of(&head.target);
        http::answer(request, path, &mut scene)
            .unwrap_or_else(|| admission::plain(&shared.plan, head))
    }

    fn upgrade(&self, request: &RequestHead, since: Option<Duration>) -> Answer {
        let shared = &self.shared;
        let verdict = locked(&shared.keys).judge(request, SystemTime::now());
        let mut place = None;
        let mut doors = Doors {
            is_open: !shared.is_ending.load(Ordering::Relaxed),
            verdict: &verdict,
            take_place: &mut || {
                place = Arc::clone(&shared.places).try_acquire_owned().ok();
                place.is_some()
            },
        };
        let answer = admission::upgrade(&shared.plan, request, &mut doors);
        let Some(place) = place else {
            if let Err(rejection) = verdict {
                shared.log.tell(None, rejection.event());
            }
            return answer;
        };
        let (answer, course) = self.with_faults(answer, request);
        if matches!(answer, Answer::Upgrade { .. } | Answer::Spelled { .. }) {
            // A connection is upgraded once.
            let _ = self.pass.set(Pass {
                verdict,
                place,
                since,
                course,
            });
        }
        answer
    }

    /// What faults make of an answer that lets the client in.
    fn with_faults(&self, answer: Answer, request: &RequestHead) -> (Answer, Option<Box<Course>>) {
        let now = Instant::now();
        let faults = self.shared.faults.as_ref();
        let path = admission::path_of(&request.target);
        let Some(mut course) = faults.and_then(|faults| faults.attempt(path, now)) else {
            return (answer, None);
        };
        let (answer, hits) = course.answer(answer, request, now);
        for Hit { acts, told } in hits {
            for act in acts {
                // Only what is below TLS is there yet.
                if let (Act::Line(strain), Some(line)) = (act, &self.line) {
                    line.strain(strain);
                }
            }
            if let Some(told) = told {
                self.shared.log.tell(None, told);
            }
        }
        (answer, Some(Box::new(course)))
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

/// An upgrade that was asked for and refused is worth a line, and so is what was no request; plain HTTP
/// and port scans are not.
fn log_ended(shared: &Shared, ended: Ended, address: &str) {
    let message = match ended {
        Ended::Http(Some((request, status)))
            if handshake::header(&request.headers, "upgrade").is_some() =>
        {
            let target = secret::redact_target(&request.target);
            format!("refused {address} at {target}: HTTP {status}")
        }
        Ended::Unreadable(status, why) => format!("refused {address}: HTTP {status}, {why}"),
        _ => return,
    };
    let problem = Problem {
        kind: "refused",
        message,
        hint: None,
    };
    shared.log.tell(None, What::Error(Box::new(problem)));
}
