//! One connection before the many: it finds out why nothing would work, and says so at once.

use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout_at;

use super::codec::Codec;
use super::figures::Figures;
use super::plan::Workload;
use super::user::{Ended, Scene, User};
use crate::error::Error;
use crate::model::close::CloseFrame;
use crate::model::event::Open;
use crate::model::units::show_duration;
use crate::protocol::mask::Keys;
use crate::session::client;
use crate::session::opening::{self, Opened};
use crate::text::sanitize;
use crate::wire::stream::Stream;
use crate::wire::tls::Connector;

/// What a server's address, handshake and answer look like.
#[derive(Debug)]
pub struct Probed {
    pub open: Open,
    /// What was sent and what came first, for `--debug`.
    pub exchange: Vec<(&'static str, Vec<u8>)>,
}

/// Opens a connection, exchanges one message where the load expects answers, and closes.
///
/// # Errors
/// Why it cannot be opened; [`Error::Unmet`] where the answer does not come.
pub async fn probe(
    plan: &client::Plan,
    connector: Option<Arc<Connector>>,
    workload: &Workload,
) -> Result<Probed, Error> {
    let opening = opening::open_with(plan, connector).await;
    let opened = opening.result.map_err(|failure| failure.error)?;
    let Opened {
        mut stream,
        read_ahead,
        deflate,
        open,
    } = opened;
    let codec = Codec::new(deflate, plan.connection.max_message_size);
    let mut probe = Probe {
        user: User::new(workload.first, codec, workload, 1.0, Instant::now()),
        workload,
        figures: Figures::default(),
        keys: Keys::new(rand::random()),
        out: Vec::new(),
        scratch: Vec::new(),
    };
    probe.act(User::open);
    let answered = if workload.mode.sends {
        probe.exchange(&mut stream, &read_ahead).await
    } else {
        Ok(Vec::new())
    };
    probe.act(|user, scene| user.close(1000, scene));
    // A server that is gone already is found by the load.
    let _ = stream.write_all(&probe.out).await;
    let _ = stream.shutdown().await;
    Ok(Probed {
        open,
        exchange: answered?,
    })
}

struct Probe<'a> {
    user: User,
    workload: &'a Workload,
    figures: Figures,
    keys: Keys,
    out: Vec<u8>,
    scratch: Vec<u8>,
}

impl Probe<'_> {
    fn act<T>(&mut self, act: impl FnOnce(&mut User, &mut Scene<'_>) -> T) -> T {
        let mut scene = Scene {
            workload: self.workload,
            figures: &mut self.figures,
            exchange: None,
            keys: &mut self.keys,
            out: &mut self.out,
            scratch: &mut self.scratch,
            measured: true,
            slow: false,
        };
        act(&mut self.user, &mut scene)
    }

    async fn exchange(
        &mut self,
        stream: &mut Stream,
        read_ahead: &[u8],
    ) -> Result<Vec<(&'static str, Vec<u8>)>, Error> {
        let now = Instant::now();
        self.act(|user, scene| user.send(now, now, scene));
        let mut seen = vec![("sent", self.scratch.clone())];
        // A server that refuses the message may close before it has read all of it, and says why.
        let written = self.write(stream).await;
        if written.is_ok() && !self.workload.expects() {
            return Ok(seen);
        }
        let patience = self.workload.patience;
        let deadline = tokio::time::Instant::now() + patience;
        let mut buffer = vec![0; 64 * 1024];
        let mut came = read_ahead.to_vec();
        loop {
            if !came.is_empty() {
                let received = self.act(|user, scene| user.receive(&came, Instant::now(), scene));
                seen.push(("received", std::mem::take(&mut came)));
                self.write(stream).await?;
                if received.answers > 0 {
                    return Ok(seen);
                }
                if let Some(end) = received.end {
                    return Err(ended(&end));
                }
            }
            match timeout_at(deadline, stream.read(&mut buffer)).await {
                Ok(Ok(count @ 1..)) => came.extend_from_slice(&buffer[..count]),
                Ok(_) => {
                    written?;
                    return Err(unmet(
                        "the server dropped the first connection instead of answering",
                    ));
                }
                Err(_) => {
                    let others = self.figures.messages.unexpected;
                    let waited = show_duration(patience);
                    return Err(unmet(&if others == 0 {
                        format!("the first message was not answered within {waited}")
                    } else {
                        format!(
                            "none of {others} messages within {waited} was the answer to the first one"
                        )
                    }));
                }
            }
        }
    }

    async fn write(&mut self, stream: &mut Stream) -> Result<(), Error> {
        let written = async {
            stream.write_all(&self.out).await?;
            stream.flush().await
        };
        let written = written.await;
        self.out.clear();
        written.map_err(|cause| Error::Io {
            doing: "sending the first message".into(),
            cause,
        })
    }
}

/// What the server's end of the first connection is to say.
fn ended(end: &Ended) -> Error {
    let why = match end {
        Ended::Close(Some(CloseFrame { code, reason })) if reason.is_empty() => {
            format!("closed the first connection with {}", code.0)
        }
        Ended::Close(Some(CloseFrame { code, reason })) => {
            let reason = sanitize::line(reason);
            format!("closed the first connection with {} \"{reason}\"", code.0)
        }
        Ended::Close(None) => "closed the first connection".to_owned(),
        Ended::Violation(rule) => format!("broke the protocol ({rule})"),
    };
    let message = format!("the server {why} instead of answering");
    match end {
        Ended::Violation(rule) if rule.contains(LIMIT) => Error::Unmet {
            message,
            hint: Some(format!("{LIMIT} SIZE takes larger ones")),
        },
        _ => unmet(&message),
    }
}

/// The flag that a message can be too large for.
const LIMIT: &str = "--max-message-size";

fn unmet(message: &str) -> Error {
    Error::Unmet {
        message: message.to_owned(),
        hint: Some(
            "if it does not echo: --match fifo takes any answer, --mode send expects none, --mode hold only connects; if it is slow: --timeout"
                .into(),
        ),
    }
}
