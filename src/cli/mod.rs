//! The command line: what can be typed (`args`, `wscat`), what was typed (`typed`), and the plans
//! that follow from it (`config`). clap is known here only.

mod args;
mod config;
mod generate;
mod nearest;
mod typed;
mod wscat;
