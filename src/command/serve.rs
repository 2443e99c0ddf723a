//! `serve`: a test server, its ready line, one line per event, and its end on a signal.

use crate::error::ExitCode;
use crate::serve;
use crate::view;

/// What `serve` does.
#[derive(Debug)]
pub struct Plan {
    pub server: serve::Plan,
    pub view: view::Plan,
    pub notes: Vec<String>,
}

/// Runs it to its end.
pub fn run(plan: Plan) -> ExitCode {
    todo!()
}
