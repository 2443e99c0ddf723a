//! `listen PORT`: a server whose clients one reads and talks to from a terminal or a pipe.

use crate::error::ExitCode;
use crate::serve;
use crate::view;

use super::connect::Source;

/// What `listen PORT` (and `-l PORT`) does.
#[derive(Debug)]
pub struct Plan {
    pub server: serve::Plan,
    /// Lines go to every client, `/to ID text` to one.
    pub source: Source,
    pub view: view::Plan,
    pub count: Option<u64>,
    pub duration: Option<std::time::Duration>,
    pub record: Option<super::connect::Record>,
    pub notes: Vec<String>,
}

/// Runs it to its end.
pub fn run(plan: Plan) -> ExitCode {
    todo!()
}
