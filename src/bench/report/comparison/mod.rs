//! Two sides beside each other, as people and programs read them: one file per report, all in
//! [`COMPARISONS`].

mod json;
pub(super) mod md;
pub(super) mod text;

use super::{Entry, html};
use crate::bench::compare::Comparison;

/// The reports of `bench compare --report NAME=FILE`.
pub const COMPARISONS: &[Entry<Comparison>] =
    &[html::COMPARISON, json::ENTRY, md::ENTRY, text::ENTRY];
