//! Two or three connections before the many: whether what one publishes gets to another, and who else
//! hears it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout_at;

use super::marker::{Key, Marker};
use super::{Audience, Fanout};
use crate::bench::codec::{Codec, Heard};
use crate::bench::plan::Workload;
use crate::bench::probe::Probed;
use crate::bench::request::Request;
use crate::error::Error;
use crate::model::event::Open;
use crate::model::units::show_duration;
use crate::protocol::mask::Keys;
use crate::session::opening::{self, Opened};
use crate::wire::stream::Stream;
use crate::wire::tls::Connector;

/// A message is published again after so long, for a subscriber that has not joined yet.
const AGAIN: Duration = Duration::from_millis(100);
/// How much longer than for the first receiver is waited for others, at least.
const ALSO: Duration = Duration::from_millis(200);

/// How long after its time is over what comes without a pause is still read.
const FLOOD: Duration = Duration::from_secs(1);

/// Publishes until a receiver gets it, and finds out who else does.
///
/// # Errors
/// Why a connection cannot be opened; [`Error::Unmet`] where nobody gets what is published.
pub async fn probe(
    request: &Request,
    tls: Option<Arc<Connector>>,
    workload: &Workload,
    fanout: Fanout,
) -> Result<(Probed, Audience), Error> {
    let key = Key::new(rand::random());
    let connect = |ordinal| Probe::connect(request, tls.clone(), workload, ordinal);
    let (mut sender, open) = connect(0).await?;
    let Fanout {
        publishers, groups, ..
    } = fanout;
    let fellow = (groups < publishers).then_some(groups);
    let subscriber = publishers.div_ceil(groups) * groups;
    let subscriber = (subscriber < workload.peak()).then_some(subscriber);
    let mut fellow = match fellow {
        Some(ordinal) => Some(connect(ordinal).await?.0),
        None => None,
    };
    let mut subscriber = match subscriber {
        Some(ordinal) => Some(connect(ordinal).await?.0),
        None => None,
    };
    let receiver = subscriber.as_mut().or(fellow.as_mut());
    let Some(receiver) = receiver else {
        return Err(Error::usage("--mode fanout needs somebody who hears"));
    };
    let begun = Instant::now();
    let patience = workload.patience;
    let mut seq = 0;
    while receiver.heard == 0 {
        if begun.elapsed() > patience {
            return Err(unheard(receiver, patience));
        }
        seq += 1;
        sender.publish(&key, seq).await?;
        receiver.listen(&key, 1, Instant::now() + AGAIN).await?;
    }
    let seen = receiver.seen.take();
    let wanted = receiver.heard;
    let until = Instant::now() + ALSO.max(begun.elapsed() * 2);
    let mut found = Audience {
        sender: sender.hears(&key, wanted, until).await?,
        publishers: false,
    };
    found.publishers = match &mut fellow {
        Some(fellow) => fellow.hears(&key, wanted, until).await?,
        // There is no other publisher in a group.
        None => true,
    };
    let exchange = sender.sent.take().map(|sent| ("sent", sent));
    let exchange = exchange
        .into_iter()
        .chain(seen.map(|seen| ("received", seen)));
    let exchange = exchange.collect();
    for one in [Some(sender), fellow, subscriber].into_iter().flatten() {
        one.close().await;
    }
    Ok((Probed { open, exchange }, found))
}

/// One of the connections.
struct Probe<'a> {
    workload: &'a Workload,
    number: u64,
    stream: Stream,
    codec: Codec,
    keys: Keys,
    out: Vec<u8>,
    /// What came with the handshake.
    ahead: Vec<u8>,
    /// The highest sequence that came, and how many messages that had no marker.
    heard: u64,
    unmarked: u64,
    place: usize,
    sent: Option<Vec<u8>>,
    seen: Option<Vec<u8>>,
}

impl<'a> Probe<'a> {
    async fn connect(
        request: &Request,
        tls: Option<Arc<Connector>>,
        workload: &'a Workload,
        ordinal: usize,
    ) -> Result<(Self, Open), Error> {
        let number = ordinal as u64 + 1;
        let plan = request.of(number)?;
        let opening = opening::open_with(&plan, tls).await;
        let Opened {
            stream,
            read_ahead,
            deflate,
            open,
        } = opening.result.map_err(|failure| failure.error)?;
        let mut probe = Self {
            workload,
            number,
            stream,
            codec: Codec::new(deflate, plan.connection.max_message_size),
            keys: Keys::new(rand::random()),
            out: Vec::new(),
            ahead: read_ahead.to_vec(),
            heard: 0,
            unmarked: 0,
            place: 0,
            sent: None,
            seen: None,
        };
        for template in &workload.opening {
            let mut text = String::new();
            template.render(&workload.feed, number, 0, &mut text);
            probe.send(text.as_bytes());
        }
        probe.write().await?;
        Ok((probe, open))
    }

    fn send(&mut self, payload: &[u8]) {
        let kind = self.workload.payload.kind;
        self.codec
            .message(kind, &mut self.keys, &mut self.out, payload);
    }

    async fn publish(&mut self, key: &Key, seq: u64) -> Result<(), Error> {
        let marker = key.write(&Marker {
            publisher: 0,
            seq,
            due: Duration::ZERO,
            counts: false,
        });
        let Workload { payload, feed, .. } = self.workload;
        let mut bytes = Vec::new();
        payload.write(feed, self.number, seq, &marker, &mut bytes);
        self.send(&bytes);
        self.sent.get_or_insert(bytes);
        self.write().await
    }

    /// Whether a message comes in time.
    async fn hears(&mut self, key: &Key, seq: u64, until: Instant) -> Result<bool, Error> {
        self.listen(key, seq, until).await?;
        Ok(self.heard >= seq)
    }

    /// Reads until a message with this sequence or a later one has come, or the time is over.
    async fn listen(&mut self, key: &Key, seq: u64, until: Instant) -> Result<(), Error> {
        let mut came = std::mem::take(&mut self.ahead);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            self.take(key, &came)?;
            self.write().await?;
            // What has come by then is taken, but not what a peer goes on to flood.
            if self.heard >= seq || until + FLOOD < Instant::now() {
                return Ok(());
            }
            match timeout_at(until.into(), self.stream.read(&mut buffer)).await {
                Err(_) => return Ok(()),
                Ok(Ok(count @ 1..)) => came = buffer[..count].to_vec(),
                Ok(_) => return Err(unmet("the server dropped one of the first connections")),
            }
        }
    }

    fn take(&mut self, key: &Key, mut input: &[u8]) -> Result<(), Error> {
        let mut pongs = Vec::new();
        while let Some(heard) = self.codec.next(&mut input) {
            match heard {
                Heard::Message { payload, .. } => match key.find(&payload, &mut self.place) {
                    Some(marker) => {
                        self.heard = self.heard.max(marker.seq);
                        self.seen.get_or_insert_with(|| payload.to_vec());
                    }
                    None => self.unmarked += 1,
                },
                Heard::Ping(payload) => pongs.push(payload.to_vec()),
                Heard::Pong(_) => {}
                Heard::Close(_) => {
                    return Err(unmet("the server closed one of the first connections"));
                }
                Heard::Violation(_, rule) => {
                    return Err(unmet(&format!("the server broke a rule: {rule}")));
                }
            }
        }
        for pong in pongs {
            self.codec.pong(&pong, &mut self.keys, &mut self.out);
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), Error> {
        let written = async {
            self.stream.write_all(&self.out).await?;
            self.stream.flush().await
        };
        let written = written.await;
        self.out.clear();
        written.map_err(|cause| Error::Io {
            doing: "sending the first messages".into(),
            cause,
        })
    }

    async fn close(mut self) {
        self.codec.close(Some(1000), &mut self.keys, &mut self.out);
        // A server that is gone already is found by the load.
        let _ = self.write().await;
        let _ = self.stream.shutdown().await;
    }
}

fn unheard(receiver: &Probe<'_>, patience: Duration) -> Error {
    let waited = show_duration(patience);
    match receiver.unmarked {
        0 => unmet(&format!(
            "what the first connection published did not get to connection {} within {waited}",
            receiver.number
        )),
        others => unmet(&format!(
            "connection {} got {others} messages within {waited}, and none of them has the marker of what was published",
            receiver.number
        )),
    }
}

fn unmet(message: &str) -> Error {
    Error::Unmet {
        message: message.to_owned(),
        hint: Some(
            "-x joins or subscribes after each open, -m has the form of what is published ({{marker}} in it); --debug shows both"
                .into(),
        ),
    }
}
