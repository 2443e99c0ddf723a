//! `connect` and `listen URL...`: sessions, what feeds them, and what becomes of their events.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::ExitCode;
use crate::input::pipe;
use crate::input::readline;
use crate::model::close::CloseCode;
use crate::session::client;
use crate::text::predicate::Predicate;
use crate::view;

/// What `connect` and `listen URL...` do.
#[derive(Debug)]
pub struct Plan {
    /// One for `connect`, one or more for `listen`. Where `demo` is set there is one, and its
    /// target is replaced by the address of the server inside the process.
    pub clients: Vec<client::Plan>,
    /// Talk to an echo server inside the process.
    pub demo: bool,
    pub source: Source,
    pub view: view::Plan,
    pub until: Until,
    /// `--record`, NDJSON by now.
    pub record: Option<Record>,
    /// `--echo`: return every message as it came.
    pub echo: bool,
    /// `--reply PREDICATE=TEXT`: answer by rule, the first that matches.
    pub replies: Vec<(Predicate, String)>,
    pub expect_close: Option<CloseCode>,
    /// Said before anything else: dropped headers, credentials over plain ws.
    pub notes: Vec<String>,
}

/// Where Commands and Controls come from.
#[derive(Debug)]
pub enum Source {
    /// Nothing is read: `listen`, or `-x` without a terminal.
    Nothing,
    Pipe(pipe::Plan),
    /// A person at a line editor.
    Editor(readline::Plan),
}

/// When a session ends by itself.
#[derive(Debug, Clone, Default)]
pub struct Until {
    /// Close once the input has ended, replies have been waited for (`--wait`) and 500 ms have passed without one.
    pub input_end: bool,
    /// `--wait`: how long to wait for a first message after the input's end; `None` is for ever.
    pub wait: Option<Duration>,
    /// `-n`: this many messages received.
    pub count: Option<u64>,
    /// `--until`.
    pub predicate: Option<Predicate>,
    /// `--duration`: then close with 1000, exit 0.
    pub duration: Option<Duration>,
    /// `--max-time`: then exit 7.
    pub max_time: Option<Duration>,
}

#[derive(Debug, Clone)]
pub struct Record {
    pub path: PathBuf,
    /// `--force`.
    pub overwrite: bool,
}

/// Runs it to its end.
pub fn run(plan: Plan) -> ExitCode {
    todo!()
}
