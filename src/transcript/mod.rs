//! Transcripts: a conversation as a terminal shows it, as a test that runs.
//!
//! ```text
//! text --parse--> syntax --player--> what to do on the wire, and an outcome --report--> text, ...
//! ```
//!
//! Everything here is pure: files are read, connections opened and clocks looked at by whoever
//! drives it.

pub mod outcome;
pub mod syntax;
