//! Events as people and programs read them.
//!
//! A [`View`] takes each event in order and writes a [`Page`]: data for stdout by one of the
//! [`FORMATS`], talk for stderr by `talk.rs`. Which traffic becomes data is chosen here, for all
//! formats alike; the talk about a connection is never filtered. NDJSON has no talk: its events
//! say everything.
//!
//! Recordings have views of their own: [`har`] and [`mermaid`].
//!
//! Two more views make nothing to read: [`outcome::Outcome`] the exit code, [`totals::Totals`] the
//! numbers of the `end` event.

pub mod copy_as;
pub mod diff;
pub mod har;
pub mod mermaid;
pub mod outcome;
pub mod reply;
pub mod ring;
pub mod select;
pub mod totals;

mod closing;
mod cross_check;
mod hex;
mod line;
mod ndjson;
mod ping;
mod prefix;
mod raw;
mod talk;

#[cfg(test)]
mod sample;

use std::collections::VecDeque;
use std::io::{self, Write};

use bytes::Bytes;

use crate::model::event::{End, Event, What};
use crate::model::message::Message;
use crate::text::output::Later;
use crate::text::style::Style;

use self::talk::Talk;
pub use self::talk::stats;

/// A message of this size is made into data only while it is written: what it becomes may take
/// many times its memory.
const LARGE: usize = 1 << 20;

/// What a format wrote: data for stdout, talk for stderr, each in order.
#[derive(Default)]
pub struct Page {
    pub data: Vec<u8>,
    pub talk: Vec<u8>,
    /// The rest of a large message, which stands behind `data`, and the memory that it holds. A page
    /// that has one is to be handed over before more is written to it.
    pub rest: Option<(usize, Later)>,
}

impl Page {
    pub const fn is_empty(&self) -> bool {
        self.data.is_empty() && self.talk.is_empty() && self.rest.is_none()
    }

    /// Has what shows a large message made while it is written.
    fn later(
        &mut self,
        message: &Message,
        make: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) {
        self.rest = Some((message.payload.len(), Box::new(make)));
    }

    /// Empties both and keeps the memory.
    pub fn clear(&mut self) {
        self.data.clear();
        self.talk.clear();
        self.rest = None;
    }
}

/// What to show, whatever the format.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name of an entry of [`FORMATS`] or [`REPORTS`].
    pub format: &'static str,
    /// Someone reads along on a terminal: say what goes on, not only what went wrong.
    pub interactive: bool,
    /// stdout is a terminal, in colour or not: nothing from the peer may reach it raw.
    pub data_terminal: bool,
    /// Show messages that go out. Off where an editor has shown them when they were typed, and in a
    /// pipe, which is for what comes in. NDJSON shows them anyway.
    pub echo_sent: bool,
    /// What happens to connections is what is asked for (`serve`): it goes to stdout.
    pub talk_is_data: bool,
    /// `--parse`: whoever makes the events fills their `json` member.
    pub parse: bool,
    /// `-P`.
    pub ping_pong: bool,
    /// `-F`.
    pub frames: bool,
    /// `-v`: the opening handshake both ways.
    pub verbose: bool,
    /// `--timestamps`.
    pub timestamps: bool,
    /// Styles of stdout and of stderr.
    pub data_style: Style,
    pub talk_style: Style,
    pub select: select::Select,
}

/// One way to write events as data.
trait Format: Send {
    /// Writes an event that is to be shown.
    fn event(&mut self, event: &Event, page: &mut Page);

    /// `/json`: whether JSON is indented from now on. Formats without such a choice ignore it.
    fn indent_json(&mut self, _indented: bool) {}
}

/// An entry of [`FORMATS`].
pub struct FormatEntry {
    /// What `--output` takes.
    pub name: &'static str,
    pub help: &'static str,
    /// Whether stderr tells people what its data does not.
    talks: bool,
    make: fn(&Plan) -> Box<dyn Format>,
}

/// Every format of `--output`; the first is the default on a terminal, the second in a pipe.
pub const FORMATS: &[FormatEntry] = &[line::ENTRY, raw::ENTRY, hex::ENTRY, ndjson::ENTRY];

/// What `ping` prints instead of messages; no choices of `--output`.
pub const REPORTS: &[FormatEntry] = &[ping::REPORT, ping::QUIET, cross_check::ENTRY];

/// Shows a run.
pub struct View {
    plan: Plan,
    format: Box<dyn Format>,
    talk: Option<Talk>,
    /// What is said is shown elsewhere, in colours of its own.
    on_screen: bool,
    json_indented: bool,
    /// Payloads of pings that a person sent: their pongs are shown even without `-P`.
    asked: VecDeque<Bytes>,
}

/// Pings whose pongs are awaited at most; older ones are forgotten first.
const MOST_ASKED: usize = 64;

impl View {
    pub fn new(plan: Plan) -> Self {
        let mut entries = FORMATS.iter().chain(REPORTS);
        let named = entries.find(|entry| entry.name == plan.format);
        let entry = named.unwrap_or(&FORMATS[0]);
        let mut view = Self {
            format: (entry.make)(&plan),
            talk: entry.talks.then(|| Talk::new(&plan)),
            on_screen: false,
            json_indented: false,
            asked: VecDeque::new(),
            plan,
        };
        view.set_on_screen(false);
        view
    }

    /// Adds what is to be shown of an event.
    pub fn event(&mut self, event: &Event, page: &mut Page) {
        if let Some(talk) = &mut self.talk {
            let page = if self.plan.talk_is_data {
                &mut page.data
            } else {
                &mut page.talk
            };
            talk.event(event, page);
        }
        if self.shows(&event.what) || self.is_asked_for(&event.what) {
            self.format.event(event, page);
        }
    }

    /// Takes an event in that is shown elsewhere: adds what is said about it, and no data.
    pub fn watch(&mut self, event: &Event, page: &mut Page) {
        if let Some(talk) = &mut self.talk {
            talk.event(event, &mut page.talk);
        }
    }

    /// Whether what is said is shown elsewhere from now on, and without colours.
    pub const fn set_on_screen(&mut self, on_screen: bool) {
        self.on_screen = on_screen;
        let style = if self.plan.talk_is_data {
            self.plan.data_style
        } else {
            self.plan.talk_style
        };
        if let Some(talk) = &mut self.talk {
            talk.set_style(if on_screen { Style::PLAIN } else { style });
        }
    }

    /// Adds a sentence of the program's own, such as a warning or the answer to `/state`. It may
    /// quote the peer. With NDJSON it is said too: it is no event.
    pub fn note(&mut self, text: &str, page: &mut Page) {
        let mut own = Talk::new(&self.plan);
        if self.on_screen {
            own.set_style(Style::PLAIN);
        }
        own.note(text, &mut page.talk);
    }

    /// A person sent a ping with this payload and wants to see its pong.
    pub fn ask_for_pong(&mut self, payload: Bytes) {
        if self.asked.len() == MOST_ASKED {
            self.asked.pop_front();
        }
        self.asked.push_back(payload);
    }

    /// `/json`: whether JSON is indented from now on.
    pub fn toggle_json(&mut self) -> bool {
        self.json_indented = !self.json_indented;
        self.format.indent_json(self.json_indented);
        self.json_indented
    }

    /// Nobody reads the data any more (`| head -1`): how the connection ends from now on is no news.
    pub fn hush(&mut self) {
        if let Some(talk) = &mut self.talk {
            talk.hush();
        }
    }

    /// `/headers`: the last opening handshake, both ways.
    pub fn headers(&mut self, page: &mut Page) {
        if let Some(talk) = &mut self.talk {
            talk.headers(&mut page.talk);
        }
    }

    /// `/stats`.
    pub fn stats(&mut self, end: &End, page: &mut Page) {
        for line in stats(end) {
            self.note(&line, page);
        }
    }

    fn is_asked_for(&mut self, what: &What) -> bool {
        let What::Pong {
            payload,
            rtt: Some(_),
            ..
        } = what
        else {
            return false;
        };
        let at = self.asked.iter().position(|asked| asked == payload);
        at.and_then(|at| self.asked.remove(at)).is_some()
    }

    fn shows(&self, what: &What) -> bool {
        let select = &self.plan.select;
        match what {
            What::Ping { .. } | What::Pong { .. } => {
                (self.plan.ping_pong || select.asks_for(what)) && select.passes(what)
            }
            What::Frame { .. } => self.plan.frames,
            What::Request(_) | What::Response(_) => self.plan.verbose,
            _ => select.passes(what),
        }
    }
}
