//! One opening: dial, handshake, redirects, all under one deadline.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::timeout;

use super::client::Plan;
use crate::error::Error;
use crate::model::event::{Open, Refused, What};
use crate::model::handshake::{self, Refusal, RequestHead, ResponseHead, Timings};
use crate::model::secret::is_secret_header;
use crate::protocol::deflate;
use crate::wire::dial;
use crate::wire::refusal::refusal_hint;
use crate::wire::stream::Stream;
use crate::wire::target::Target;
use crate::wire::upgrade::{self, Answer};

/// What came of an opening, and the heads that were exchanged on the way.
#[derive(Debug)]
pub struct Opening {
    /// [`What::Request`] and [`What::Response`], in order.
    pub heads: Vec<What>,
    pub result: Result<Opened, Failure>,
}

#[derive(Debug)]
pub struct Opened {
    pub stream: Stream,
    pub read_ahead: Bytes,
    /// What was agreed on for permessage-deflate.
    pub deflate: Option<deflate::Agreed>,
    pub open: Open,
}

/// Why there is no connection.
#[derive(Debug)]
pub struct Failure {
    pub error: Error,
    /// The answer, where there was one that was not 101.
    pub refused: Option<Refused>,
}

impl Failure {
    /// How long the server asked to be left alone (RFC 9110, section 10.2.3), in seconds only.
    pub fn retry_after(&self) -> Option<Duration> {
        let headers = &self.refused.as_ref()?.headers;
        let seconds = handshake::header(headers, "retry-after")?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
}

/// Opens a connection as the plan says.
pub async fn open(plan: &Plan) -> Opening {
    let mut attempt = Attempt {
        heads: Vec::new(),
        doing: String::new(),
        started: Instant::now(),
    };
    let result = timeout(plan.connect_timeout, attempt.follow(plan)).await;
    let result = result.unwrap_or_else(|_| {
        Err(Failure {
            error: Error::Timeout {
                doing: std::mem::take(&mut attempt.doing),
                after: plan.connect_timeout,
            },
            refused: None,
        })
    });
    Opening {
        heads: attempt.heads,
        result,
    }
}

/// An opening under way: what a timeout has to tell.
struct Attempt {
    heads: Vec<What>,
    /// The step that is being taken, in words.
    doing: String,
    started: Instant,
}

impl Attempt {
    async fn follow(&mut self, plan: &Plan) -> Result<Opened, Failure> {
        let mut target = plan.target.clone();
        let mut request = plan.request.clone();
        let mut followed = 0;
        loop {
            let (sent, refusal, timings) = match self.exchange(&target, plan, &request).await {
                Ok(Exchange::Opened(opened)) => return Ok(*opened),
                Ok(Exchange::Refused(sent, refusal, timings)) => (sent, refusal, timings),
                Err(error) => {
                    return Err(Failure {
                        error,
                        refused: None,
                    });
                }
            };
            let Some(location) = redirect(&refusal.head).filter(|_| plan.redirects.is_some())
            else {
                return Err(failure(&target, &sent, refusal, timings));
            };
            if Some(followed) == plan.redirects {
                let mut failure = failure(&target, &sent, refusal, timings);
                failure.error = Error::Handshake {
                    address: target.redacted(),
                    message: format!("more than {followed} redirects"),
                    hint: Some("--max-redirects allows more".into()),
                };
                return Err(failure);
            }
            followed += 1;
            let next = target.join(location).map_err(|error| Failure {
                error,
                refused: None,
            })?;
            if leaves_trust(&target, &next) {
                drop_credentials(&mut request);
            }
            target = next;
        }
    }

    async fn exchange(
        &mut self,
        target: &Target,
        plan: &Plan,
        request: &upgrade::Plan,
    ) -> Result<Exchange, Error> {
        self.doing = format!("connecting to {}", target.redacted());
        let dialed = dial::dial(target, &plan.dial).await?;
        let mut stream = dialed.stream;
        self.doing = format!("waiting for {} to answer the handshake", dialed.peer);
        let head = upgrade::request(target, request, &upgrade::new_key());
        self.heads.push(What::Request(Box::new(head.clone())));
        let upgrade_started = Instant::now();
        let heads = &mut self.heads;
        let mut seen = |head: &ResponseHead| heads.push(What::Response(Box::new(head.clone())));
        let answer = upgrade::upgrade(&mut stream, &head, &mut seen).await?;
        let timings = Timings {
            dns: dialed.dns,
            tcp: Some(dialed.tcp),
            upgrade: Some(upgrade_started.elapsed()),
            total: self.started.elapsed(),
            ..Timings::default()
        };
        Ok(match answer {
            Answer::Refused(refusal) => Exchange::Refused(Box::new(head), refusal, timings),
            Answer::Upgraded(upgraded) => Exchange::Opened(Box::new(Opened {
                stream,
                read_ahead: upgraded.read_ahead,
                deflate: upgraded.deflate,
                open: Open {
                    url: target.redacted(),
                    subprotocol: upgraded.subprotocol,
                    extensions: upgraded.extensions,
                    peer: dialed.peer,
                    timings,
                },
            })),
        })
    }
}

enum Exchange {
    Opened(Box<Opened>),
    Refused(Box<RequestHead>, Refusal, Timings),
}

fn failure(target: &Target, request: &RequestHead, refusal: Refusal, timings: Timings) -> Failure {
    let head = refusal.head;
    Failure {
        error: Error::Refused {
            address: target.redacted(),
            status: head.status,
            reason: head.reason.clone(),
            hint: refusal_hint(&head, request),
        },
        refused: Some(Refused {
            url: target.redacted(),
            status: head.status,
            reason: head.reason,
            headers: head.headers,
            body: refusal.body,
            timings,
        }),
    }
}

fn redirect(head: &ResponseHead) -> Option<&str> {
    matches!(head.status, 301 | 302 | 303 | 307 | 308)
        .then(|| handshake::header(&head.headers, "location"))?
}

/// Whether credentials for `from` must not be sent to `to`: another host or port, or no TLS any more.
fn leaves_trust(from: &Target, to: &Target) -> bool {
    let moved = (from.host(), from.port()) != (to.host(), to.port());
    moved && !(from.host() == to.host() && to.is_tls()) || from.is_tls() && !to.is_tls()
}

fn drop_credentials(request: &mut upgrade::Plan) {
    request.authorization = None;
    request.cookies.retain(|cookie| cookie.domain.is_some());
    request.headers.retain(|(name, _)| !is_secret_header(name));
}
