//! `--bless`: what came is written into the lines that failed.

use crate::transcript::bless::blessed;
use crate::transcript::outcome::FileOutcome;

/// The most lines that are rewritten in one file: each takes a run of its own.
const MAX_REWRITES: u32 = 200;

/// A file that is being rewritten.
#[derive(Debug, Default)]
pub(super) struct Blessing {
    rewrites: u32,
}

impl Blessing {
    /// Rewrites the line that failed; whether there is something new to play.
    pub(super) fn write(&mut self, outcome: &FileOutcome) -> bool {
        if self.rewrites == MAX_REWRITES {
            return false;
        }
        let Some((step, failure)) = outcome.failures().next() else {
            return false;
        };
        let Ok(text) = std::fs::read_to_string(&step.path) else {
            return false;
        };
        let Some(text) = blessed(&text, step, failure) else {
            return false;
        };
        // Where it cannot be written, the failure stands as it is.
        self.rewrites += 1;
        std::fs::write(&step.path, text).is_ok()
    }
}
