//! `--fault`: what goes wrong on purpose, so that clients can be tried with it.
//!
//! `syntax` is the text, one file per family holds the faults ([`FAULTS`]), and `course` is what
//! becomes of those that concern one connection: events and the time in, actions out. All of that is
//! pure. Actions are carried out where they belong: below TLS by [`wire::impaired`](crate::wire::impaired),
//! in the opening handshake as its answer's value, elsewhere in the connection's out queue.

mod args;
mod clock;
mod close;
mod course;
mod frames;
mod handshake;
mod heartbeat;
mod list;
mod messages;
mod presets;
mod syntax;
mod tamper;
mod tcp;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

pub(super) use clock::Clock;
pub(super) use course::{Course, Hit};
pub use list::list;
pub use syntax::{Keys, Spec, When, Wrong};

use self::args::Args;
use self::handshake::Answering;
use self::messages::Tampering;
use self::syntax::Places;
use crate::model::close::CloseFrame;
use crate::model::command::Command;
use crate::model::units::Rate;
use crate::text::nearest::did_you_mean;
use crate::wire::impaired::Strain;

/// One fault as help and command line know it.
#[derive(Debug)]
pub struct Entry {
    pub name: &'static str,
    /// What follows the `=`, as help shows it; empty where nothing may.
    pub args: &'static str,
    /// What it does.
    pub help: &'static str,
    /// What a correct client does.
    pub client: &'static str,
    moment: Moment,
    make: fn(&mut Args<'_>) -> Result<Effect, Wrong>,
}

/// Faults that act in one place.
#[derive(Debug)]
pub struct Family {
    pub name: &'static str,
    pub faults: &'static [Entry],
}

/// Every fault that there is.
pub const FAULTS: &[Family] = &[
    tcp::FAMILY,
    handshake::FAMILY,
    frames::FAMILY,
    close::FAMILY,
    messages::FAMILY,
    heartbeat::FAMILY,
    presets::FAMILY,
];

/// When a fault acts unless WHEN says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// When the opening handshake is answered; it takes no WHEN.
    Answer,
    /// From before that answer on.
    Start,
    Open,
    Close,
    /// At each message that is sent.
    Message,
    /// It stands for others; it takes no WHEN.
    Preset,
}

/// What a fault does.
#[derive(Debug, Clone)]
enum Effect {
    Answer(Answering),
    /// Done when its time has come.
    Do(Vec<Act>),
    Tamper(Tampering),
    /// Pings at a rate from then on.
    PingFlood(Rate),
    /// Pings are answered wrongly from then on.
    WrongPong,
    /// TCP is ended when there was no traffic for so long.
    IdleCut(Duration),
    /// So many random bytes, below TLS.
    Garbage(usize),
    Preset(&'static [&'static str]),
}

/// One thing to do to a connection.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    Command(Command),
    /// Bytes in the place of a frame.
    Bytes(Bytes),
    /// A Close frame, right or wrong, and what leaves in one go with it.
    LastBytes {
        bytes: Bytes,
        /// What the frame says.
        close: Option<CloseFrame>,
    },
    /// Below TLS.
    Line(Strain),
    /// Pings are not answered any more.
    WithholdPongs,
    /// No heartbeat any more.
    WithholdPings,
    /// The peer's Close is not answered.
    WithholdClose,
    /// TCP stays open so long after both Close frames.
    HoldEnd(Duration),
}

/// One `--fault`.
#[derive(Debug, Clone)]
pub struct Fault {
    spec: Spec,
    entry: &'static Entry,
    effect: Effect,
}

/// `--fault` and `--fault-seed`.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub faults: Vec<Fault>,
    pub seed: u64,
}

/// Why a text is no fault: a sentence, the text with a caret, and what to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAFault {
    text: String,
    wrong: Wrong,
}

impl fmt::Display for NotAFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.wrong.show(&self.text))?;
        f.write_str("wscope serve --list-faults tells them all")
    }
}

impl std::error::Error for NotAFault {}

impl FromStr for Fault {
    type Err = NotAFault;

    fn from_str(text: &str) -> Result<Self, NotAFault> {
        let read = Spec::parse_with_places(text).and_then(|(spec, places)| Self::of(spec, &places));
        read.map_err(|wrong| NotAFault {
            text: text.to_owned(),
            wrong,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    FAULTS.iter().flat_map(|family| family.faults)
}

impl Fault {
    fn of(spec: Spec, places: &Places) -> Result<Self, Wrong> {
        let name = spec.action.as_str();
        let Some(entry) = entries().find(|entry| entry.name == name) else {
            let meant = did_you_mean(name, entries().map(|entry| entry.name));
            let why = format!("there is no fault \"{name}\"{meant}");
            return Err(Wrong::new(0, why));
        };
        if spec.when.is_some() {
            entry.check_when(spec.when.as_ref(), places)?;
        }
        if entry.moment == Moment::Preset {
            let path = spec.keys.path.clone();
            if spec.keys
                != (Keys {
                    path,
                    ..Keys::default()
                })
            {
                let why = format!("{name} takes no key but path=");
                return Err(Wrong::new(places.keys, why));
            }
        }
        let mut args = Args::new(&spec, places);
        let effect = (entry.make)(&mut args)?;
        args.finish()?;
        Ok(Self {
            spec,
            entry,
            effect,
        })
    }

    /// The name of its entry in [`FAULTS`].
    pub const fn name(&self) -> &'static str {
        self.entry.name
    }

    /// What it stands for: itself, or the faults of a preset, on the same path.
    fn expanded(&self) -> Vec<Self> {
        let Effect::Preset(faults) = self.effect else {
            return vec![self.clone()];
        };
        let faults = faults.iter().filter_map(|text| text.parse::<Self>().ok());
        faults
            .map(|mut fault| {
                fault.spec.keys.path.clone_from(&self.spec.keys.path);
                fault
            })
            .collect()
    }

    fn is_below_tls(&self) -> bool {
        match &self.effect {
            Effect::Do(acts) => acts.iter().any(|act| matches!(act, Act::Line(_))),
            Effect::IdleCut(_) | Effect::Garbage(_) => true,
            _ => false,
        }
    }

    /// Whether a seed makes a difference.
    fn is_drawn(&self) -> bool {
        let is_random = match &self.effect {
            Effect::Tamper(tampering) => tampering.is_drawn(),
            Effect::Garbage(_) => true,
            _ => false,
        };
        is_random || self.spec.keys.p.is_some()
    }
}

impl Entry {
    fn check_when(&self, when: Option<&When>, places: &Places) -> Result<(), Wrong> {
        let name = self.name;
        let why = match (self.moment, when) {
            (Moment::Answer, _) => {
                format!("{name} is about the opening handshake and takes no @WHEN")
            }
            (Moment::Preset, _) => format!("{name} stands for several faults and takes no @WHEN"),
            (Moment::Message, Some(When::Close)) => {
                format!("{name} is about messages, and none are sent after a Close")
            }
            _ => return Ok(()),
        };
        Err(Wrong::new(places.when, why))
    }
}

impl Plan {
    /// Whether it depends on the seed.
    pub fn is_drawn(&self) -> bool {
        let mut all = self.faults.iter().flat_map(Fault::expanded);
        all.any(|fault| fault.is_drawn())
    }
}

/// The faults of a server, and what has become of them.
#[derive(Debug)]
pub(super) struct Faults {
    /// Presets are replaced by what they stand for.
    faults: Vec<Fault>,
    seed: u64,
    /// How often each has struck, on all connections.
    hits: Vec<AtomicU64>,
    /// Attempts to open that would have succeeded.
    attempts: AtomicU64,
}

impl Faults {
    /// `None` where there are none: then nothing is to be looked at.
    pub(super) fn new(plan: &Plan) -> Option<Arc<Self>> {
        let faults: Vec<Fault> = plan.faults.iter().flat_map(Fault::expanded).collect();
        (!faults.is_empty()).then(|| {
            Arc::new(Self {
                hits: faults.iter().map(|_| AtomicU64::new(0)).collect(),
                faults,
                seed: plan.seed,
                attempts: AtomicU64::new(0),
            })
        })
    }

    /// Whether there is one that acts below TLS.
    pub(super) fn are_below_tls(&self) -> bool {
        self.faults.iter().any(Fault::is_below_tls)
    }

    /// One more attempt to open a connection, which would succeed; `None` where no fault concerns it.
    pub(super) fn attempt(self: &Arc<Self>, path: &str, now: Instant) -> Option<Course> {
        let number = self.attempts.fetch_add(1, Ordering::Relaxed) + 1;
        Course::new(self, number, path, now)
    }

    /// Takes one of the times that a fault may strike, if there is one left.
    fn take_time(&self, index: usize) -> bool {
        let most = self.faults[index].spec.keys.times.unwrap_or(u64::MAX);
        let one_more = |hits| (hits < most).then_some(hits + 1);
        self.hits[index]
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_ok()
    }
}
