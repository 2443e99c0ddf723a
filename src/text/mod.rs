//! Bytes made fit for people, and the one owner of stdout and stderr.

pub mod bounded;
pub mod command;
pub mod exposition;
pub mod glyph;
pub mod hex;
pub mod json;
pub mod junit;
pub mod markup;
pub mod nearest;
pub mod outline;
pub mod output;
pub mod predicate;
pub mod sanitize;
pub mod style;
