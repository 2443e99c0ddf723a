//! Bytes made fit for people, and the one owner of stdout and stderr.

pub mod command;
pub mod hex;
pub mod json;
pub mod nearest;
pub mod output;
pub mod predicate;
pub mod sanitize;
pub mod style;
