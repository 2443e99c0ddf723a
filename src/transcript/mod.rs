//! Transcripts: a conversation as a terminal shows it, as a test that runs.
//!
//! ```text
//! text --parse--> syntax --player--> what to do on the wire, and an outcome --report--> text, ...
//! ```
//!
//! Everything here is pure: files are read, connections opened and clocks looked at by whoever
//! drives it.

pub mod bless;
mod constants;
pub mod diagnostic;
pub mod excerpt;
pub mod har;
pub mod incoming;
pub mod json;
pub mod load;
pub mod matcher;
pub mod mirror;
pub mod outcome;
pub mod parse;
pub mod player;
pub mod print;
pub mod program;
pub mod record;
pub mod report;
pub mod sending;
pub mod suggest;
pub mod survey;
pub mod syntax;
pub mod template;
pub mod variables;
