//! Results as people and programs read them: one file per report, all in [`REPORTS`].

mod json;
mod plot;
mod shards;
mod text;

pub use self::plot::Glyphs;
use super::result::BenchResult;

/// One form of a result.
pub struct Entry {
    /// What `--report` takes before `=`.
    pub name: &'static str,
    pub help: &'static str,
    pub write: fn(&BenchResult, Glyphs) -> Vec<u8>,
}

/// The reports of `--report NAME=FILE`.
pub const REPORTS: &[Entry] = &[json::ENTRY, text::ENTRY];

/// The summary that is printed after every run.
pub fn summary(result: &BenchResult, glyphs: Glyphs) -> String {
    text::summary(result, glyphs)
}
