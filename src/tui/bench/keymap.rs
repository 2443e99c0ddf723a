//! The keys: one table, which the help and the footer are made of, and which `[keys.bench]` of the config
//! file changes.

use crate::tui::keymap::{self, Entry, Place, entry};

/// Which key does what.
pub type Keymap = keymap::Keymap<Verb>;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Stop,
    Abort,
    Hold,
    PreviousMetric,
    NextMetric,
    Closer,
    Longer,
    Whole,
    Scale,
    Baseline,
    Errors,
    Log,
    Snapshot,
    Up,
    Down,
    PageUp,
    PageDown,
    Back,
    Theme,
    Redraw,
    Suspend,
    Help,
    Interrupt,
}

impl keymap::Verb for Verb {
    const TABLE: &'static [Entry<Self>] = TABLE;

    fn is_needed(self) -> bool {
        matches!(self, Self::Stop)
    }
}

/// Every key, in the order of the help and of the footer.
#[rustfmt::skip]
pub const TABLE: &[Entry<Verb>] = &[
    entry(Verb::Stop, "stop", Place::Panes, &["q"], "stop sending, wait for answers, report", "stop+report"),
    entry(Verb::Abort, "abort", Place::Panes, &["Q"], "report at once, without waiting for answers", "abort"),
    entry(Verb::Hold, "hold", Place::Panes, &["p"], "hold the course: stages stand still, the end waits", "hold"),
    entry(Verb::PreviousMetric, "previous-metric", Place::Panes, &["["], "the chart shows the metric before", ""),
    entry(Verb::NextMetric, "next-metric", Place::Panes, &["]"], "the chart shows the next metric", "metric"),
    entry(Verb::Closer, "closer", Place::Panes, &["+", "="], "charts of a shorter time", ""),
    entry(Verb::Longer, "longer", Place::Panes, &["-"], "charts of a longer time", "window"),
    entry(Verb::Whole, "whole", Place::Panes, &["a"], "charts of the whole run", ""),
    entry(Verb::Scale, "scale", Place::Panes, &["g"], "linear or logarithmic", "log"),
    entry(Verb::Baseline, "baseline", Place::Panes, &["b"], "the baseline beside this run", "baseline"),
    entry(Verb::Errors, "errors", Place::Panes, &["e"], "every error and close, with what was said first", "errors"),
    entry(Verb::Log, "log", Place::Panes, &["l"], "what happened when", ""),
    entry(Verb::Snapshot, "snapshot", Place::Panes, &["s"], "save the result so far as JSON", ""),
    entry(Verb::Up, "up", Place::Panes, &["k", "up"], "up, in a list", ""),
    entry(Verb::Down, "down", Place::Panes, &["j", "down"], "down, in a list", ""),
    entry(Verb::PageUp, "page-up", Place::Panes, &["pgup", "ctrl+b"], "a page up", ""),
    entry(Verb::PageDown, "page-down", Place::Panes, &["pgdn", "ctrl+f"], "a page down", ""),
    entry(Verb::Back, "back", Place::Panes, &["esc"], "back to the picture", ""),
    entry(Verb::Theme, "theme", Place::Panes, &["t"], "next theme", ""),
    entry(Verb::Redraw, "redraw", Place::Panes, &["ctrl+l"], "draw everything anew", ""),
    entry(Verb::Suspend, "suspend", Place::Panes, &["ctrl+z"], "to the shell; the load stands still until fg", ""),
    entry(Verb::Interrupt, "interrupt", Place::Panes, &["ctrl+c"], "as q, with exit code 130; again: leave at once", ""),
    entry(Verb::Help, "help", Place::Panes, &["?", "f1"], "this list", "help"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_a_key_and_means_one_thing() {
        keymap::every_key_means_one_thing::<Verb>();
    }
}
