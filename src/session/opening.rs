//! One opening: secrets, then dial, proxy, TLS, handshake and redirects, all under one deadline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::time::timeout;

use super::plan::Plan;
use crate::error::Error;
use crate::model::event::{Open, Refused, TlsInfo, What};
use crate::model::handshake::{self, Refusal, RequestHead, ResponseHead, Timings};
use crate::model::secret::is_secret_header;
use crate::model::units::show_size;
use crate::protocol::deflate;
use crate::wire::dial;
use crate::wire::proxy::{Destination, Proxy};
use crate::wire::refusal::{hint_at_tls, refusal_hint, tls_port_hint};
use crate::wire::stream::{Socket, Stream};
use crate::wire::target::Target;
use crate::wire::tls::{self, Connected, Connector};
use crate::wire::upgrade::{self, Answer};

/// What came of an opening, and the heads that were exchanged on the way.
#[derive(Debug)]
pub struct Opening {
    /// [`What::Request`] and [`What::Response`], in order, those of an HTTP proxy too.
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

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            refused: None,
        }
    }
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
    open_with(plan, None).await
}

/// Opens a connection with what was loaded for the plan's TLS before: for those who open many.
pub async fn open_with(plan: &Plan, connector: Option<Arc<Connector>>) -> Opening {
    let mut attempt = Attempt::begin();
    attempt.connector = connector;
    let result = attempt.run(plan).await;
    Opening {
        heads: attempt.heads,
        result,
    }
}

/// An opening under way: what a timeout has to tell.
pub(super) struct Attempt {
    heads: Vec<What>,
    /// The step that is being taken, in words.
    doing: String,
    /// The proxy that led to the target, as errors name it.
    via: Option<String>,
    /// A refusal whose body is being read, with what it answers.
    refused: Option<(Target, RequestHead, ResponseHead)>,
    /// What has come of an answer whose head is not whole yet.
    answer: BytesMut,
    started: Instant,
    /// What was loaded for TLS already.
    connector: Option<Arc<Connector>>,
}

impl Attempt {
    pub(super) fn begin() -> Self {
        Self {
            heads: Vec::new(),
            doing: String::new(),
            via: None,
            refused: None,
            answer: BytesMut::new(),
            started: Instant::now(),
            connector: None,
        }
    }

    async fn run(&mut self, plan: &Plan) -> Result<Opened, Failure> {
        // The commands that give secrets have a limit of their own, and may ask a person.
        let (request, tls) = plan.secrets.fill(&plan.request, &plan.tls).await?;
        self.started = Instant::now();
        match timeout(plan.connect_timeout, self.follow(plan, request, &tls)).await {
            Ok(opened) => opened,
            // Late is only the body, and that is not what was asked for.
            Err(_) if let Some((target, sent, head)) = self.refused.take() => {
                let body = Bytes::new();
                Err(failure(
                    &target,
                    &sent,
                    Refusal { head, body },
                    self.timings(),
                ))
            }
            Err(_) => Err(self.timed_out(plan.connect_timeout).into()),
        }
    }

    fn timings(&self) -> Timings {
        Timings {
            total: self.started.elapsed(),
            ..Timings::default()
        }
    }

    pub(super) fn timed_out(&mut self, after: Duration) -> Error {
        let mut doing = std::mem::take(&mut self.doing);
        if !self.answer.is_empty() {
            let came = show_size(self.answer.len() as u64);
            doing.push_str(&format!(": {came} came, and no whole head"));
        }
        Error::Timeout { doing, after }
    }

    async fn follow(
        &mut self,
        plan: &Plan,
        mut request: upgrade::Plan,
        tls: &tls::Plan,
    ) -> Result<Opened, Failure> {
        let mut target = plan.target.clone();
        let mut followed = 0;
        loop {
            let exchange = self.exchange(&target, plan, &request, tls).await?;
            let (sent, refusal, timings) = match exchange {
                Exchange::Opened(opened) => return Ok(*opened),
                Exchange::Refused(sent, refusal, timings) => (sent, refusal, timings),
            };
            let Some(location) = redirect(&refusal.head).filter(|_| plan.redirects.is_some())
            else {
                return Err(failure(&target, &sent, refusal, timings));
            };
            let next = target.join(location)?;
            if Some(followed) == plan.redirects {
                return Err(Failure::from(Error::Handshake {
                    address: target.redacted(),
                    message: format!(
                        "more than {followed} redirects, the next one to {}",
                        next.redacted()
                    ),
                    hint: Some("--max-redirects allows more, -v shows them".into()),
                }));
            }
            followed += 1;
            if target.host() != next.host() {
                forget_host(&mut request);
            }
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
        tls: &tls::Plan,
    ) -> Result<Exchange, Error> {
        let (mut secured, peer, mut timings) = self.secure(target, plan, tls).await?;
        let head = upgrade::request(target, request, &upgrade::new_key());
        self.heads.push(What::Request(Box::new(head.clone())));
        let started = Instant::now();
        let (heads, refused, doing) = (&mut self.heads, &mut self.refused, &mut self.doing);
        let mut seen = |answer: &ResponseHead| {
            heads.push(What::Response(Box::new(answer.clone())));
            match answer.status {
                101 => {}
                100..200 => {
                    *doing = format!("waiting for {peer} to go on after HTTP {}", answer.status);
                }
                _ => *refused = Some((target.clone(), head.clone(), answer.clone())),
            }
        };
        let answer =
            upgrade::upgrade(&mut secured.stream, &head, &mut self.answer, &mut seen).await;
        self.refused = None;
        let answer = answer.map_err(|error| {
            self.led_by_proxy(explained(error, target, secured.wanted_identity))
        })?;
        timings.upgrade = Some(started.elapsed());
        timings.total = self.started.elapsed();
        Ok(match answer {
            Answer::Refused(refusal) => Exchange::Refused(Box::new(head), refusal, timings),
            Answer::Upgraded(upgraded) => Exchange::Opened(Box::new(Opened {
                stream: secured.stream,
                read_ahead: upgraded.read_ahead,
                deflate: upgraded.deflate,
                open: Open {
                    url: target.redacted(),
                    subprotocol: upgraded.subprotocol,
                    extensions: upgraded.extensions,
                    peer,
                    tls: secured.info,
                    timings,
                },
            })),
        })
    }

    /// A stream to send the handshake on, the peer's address, and how long it took to get there.
    pub(super) async fn secure(
        &mut self,
        target: &Target,
        plan: &Plan,
        tls: &tls::Plan,
    ) -> Result<(Secured, String, Timings), Error> {
        // First, so that a file that cannot be read costs nobody a connection.
        let connector = match &self.connector {
            _ if !target.is_tls() => None,
            Some(loaded) => Some(Arc::clone(loaded)),
            None => Some(Arc::new(load(tls.clone()).await?)),
        };
        let reached = self.reach(target, plan).await?;
        let (peer, mut timings) = (reached.peer, reached.timings);
        let secured = match connector {
            Some(connector) => {
                self.doing = format!("agreeing on TLS with {peer}");
                let started = Instant::now();
                let secured = connector.connect(reached.socket, target).await;
                let secured = secured.map_err(|error| self.led_by_proxy(error))?;
                timings.tls = Some(started.elapsed());
                Secured::from(secured)
            }
            None => Secured::plain(reached.socket),
        };
        self.doing = format!("waiting for {peer} to answer the handshake");
        Ok((secured, peer, timings))
    }

    /// Where a proxy led to the target, it may be the proxy that ended the connection.
    fn led_by_proxy(&self, mut error: Error) -> Error {
        if let (Error::Dropped { address, hint, .. }, Some(via)) = (&mut error, &self.via) {
            address.push_str(&format!(" (by way of the proxy {via})"));
            *hint = Some(format!(
                "the proxy may not let this through, or {}",
                hint.as_deref().unwrap_or("the server ended it")
            ));
        }
        error
    }

    /// A socket that leads to the target, straight or through a proxy.
    async fn reach(&mut self, target: &Target, plan: &Plan) -> Result<Reached, Error> {
        self.via = None;
        let by_socket = dial::unix_socket(target, &plan.dial).is_some();
        if !by_socket && let Some(proxy) = plan.proxy.choose(target)? {
            return self.reach_through(&proxy, target, plan).await;
        }
        self.doing = format!("connecting to {}", target.redacted());
        let dialed = dial::dial(target, &plan.dial).await?;
        Ok(Reached {
            socket: dialed.socket,
            peer: dialed.peer,
            timings: Timings {
                dns: dialed.dns,
                tcp: Some(dialed.tcp),
                ..Timings::default()
            },
        })
    }

    async fn reach_through(
        &mut self,
        proxy: &Proxy,
        target: &Target,
        plan: &Plan,
    ) -> Result<Reached, Error> {
        let (host, port) = (target.host(), target.port());
        self.doing = format!("connecting to the proxy {}", proxy.address());
        let mut destination = Destination::Name(host, port);
        let mut resolving = None;
        if proxy.resolves_here() {
            let resolved = dial::resolve(host, port, &plan.dial).await?;
            resolving = resolved.took;
            if let Some(&first) = resolved.addresses.front() {
                destination = Destination::Address(first);
            }
        }
        let dialed = dial::dial_host(proxy.host(), proxy.port(), &plan.dial)
            .await
            .map_err(|error| proxy.unreachable(error))?;
        self.doing = format!(
            "waiting for the proxy {} to reach {}",
            proxy.address(),
            target.address()
        );
        let started = Instant::now();
        let mut socket = dialed.socket;
        self.via = Some(proxy.address());
        proxy
            .connect(&mut socket, destination, &mut self.heads)
            .await?;
        let dns = [resolving, dialed.dns]
            .into_iter()
            .flatten()
            .reduce(|a, b| a + b);
        Ok(Reached {
            socket,
            peer: format!("{} via {}", target.address(), dialed.peer),
            timings: Timings {
                dns,
                tcp: Some(dialed.tcp),
                proxy: Some(started.elapsed()),
                ..Timings::default()
            },
        })
    }
}

/// Reads the files of a plan, off the thread that runs the connections.
///
/// # Errors
/// Those of [`Connector::new`].
pub async fn load(plan: tls::Plan) -> Result<Connector, Error> {
    tokio::task::spawn_blocking(move || Connector::new(&plan))
        .await
        .map_err(|error| Error::Internal(error.to_string()))?
}

/// A socket that leads to the target.
struct Reached {
    socket: Socket,
    peer: String,
    /// Of the steps until here.
    timings: Timings,
}

/// A stream to send the handshake on.
pub(super) struct Secured {
    pub stream: Stream,
    pub info: Option<TlsInfo>,
    pub wanted_identity: bool,
}

impl Secured {
    fn plain(socket: Socket) -> Self {
        Self {
            stream: Stream::Plain(socket),
            info: None,
            wanted_identity: false,
        }
    }
}

impl From<Connected<Socket>> for Secured {
    fn from(connected: Connected<Socket>) -> Self {
        Self {
            stream: connected.stream,
            info: Some(connected.info),
            wanted_identity: connected.wanted_identity,
        }
    }
}

enum Exchange {
    Opened(Box<Opened>),
    Refused(Box<RequestHead>, Refusal, Timings),
}

/// Why a handshake got no answer: what TLS knows of it, and what the scheme has to do with it.
pub(super) fn explained(error: Error, target: &Target, wanted_identity: bool) -> Error {
    hint_at_tls(tls::explain_end(error, target, wanted_identity), target)
}

pub(super) fn failure(
    target: &Target,
    request: &RequestHead,
    refusal: Refusal,
    timings: Timings,
) -> Failure {
    let hint =
        tls_port_hint(&refusal, target).or_else(|| refusal_hint(&refusal.head, request, target));
    let head = refusal.head;
    Failure {
        error: Error::Refused {
            address: target.redacted(),
            status: head.status,
            reason: head.reason.clone(),
            hint,
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

/// Whether credentials for `from` must not be sent to `to`: another host or port, or no TLS any
/// more. From ws to wss the port changes too, and the host is the one that was meant.
fn leaves_trust(from: &Target, to: &Target) -> bool {
    let gains_tls = !from.is_tls() && to.is_tls();
    let loses_tls = from.is_tls() && !to.is_tls();
    from.host() != to.host() || loses_tls || from.port() != to.port() && !gains_tls
}

/// `--host` was meant for the host that was typed.
fn forget_host(request: &mut upgrade::Plan) {
    request.host = None;
    request
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("host"));
}

fn drop_credentials(request: &mut upgrade::Plan) {
    request.authorization = None;
    request.cookies.retain(|cookie| cookie.domain.is_some());
    request.headers.retain(|(name, _)| !is_secret_header(name));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_with_their_host_and_with_tls() {
        for (from, to, leaves) in [
            ("ws://h/", "ws://h/x", false),
            ("wss://h/", "wss://h:443/x", false),
            ("ws://h/", "wss://h/", false),
            ("ws://h:8080/", "wss://h:8443/", false),
            ("wss://h/", "ws://h/", true),
            ("wss://h:8443/", "ws://h:8443/", true),
            ("wss://h/", "wss://h:8443/", true),
            ("ws://h/", "ws://h:8080/", true),
            ("ws://h/", "ws://i/", true),
            ("ws://h/", "wss://i/", true),
        ] {
            let parse = |url| Target::parse(url).unwrap();
            assert_eq!(
                leaves_trust(&parse(from), &parse(to)),
                leaves,
                "{from} {to}"
            );
        }
    }
}
