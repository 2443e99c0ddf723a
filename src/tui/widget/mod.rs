//! The parts that screens are made of.
//!
//! A widget is a struct that holds what it has to remember between two pictures. It does no I/O and
//! knows no clock. By convention it has
//!
//! - `handle(&mut self, key: KeyEvent) -> Option<Outcome>`: keys that are its own business (letters,
//!   arrows, page keys). `None` means that the key is none of its own. `Outcome` is an enum of the
//!   widget's: what it wants done, carried out by whoever holds it. What can be bound to another key
//!   (`[keys]`: send, kind, history search, tabs ...) is not a key here but a method of its own
//!   (`next_kind()`, `show(Tab)` ...), which the screen calls.
//! - `render(&self, ..., area: Rect, buffer: &mut Buffer, theme: &Theme)`: draws into all of `area`
//!   and nothing else, at any size from 0x0 on. The screen draws the border around it. Text from the
//!   peer goes through `text::sanitize` first.
//!
//! A widget that shows an entry of the ring is given a [`Subject`] each time; it keeps none.

pub(super) mod bar;
pub mod chart;
pub mod composer;
pub mod draft;
pub mod graph;
pub mod inspector;
pub mod line;
pub(super) mod numbers;
pub(super) mod pane;
mod pen;

use std::time::Duration;

use crate::model::handshake::{RequestHead, ResponseHead};
use crate::view::ring::Entry;

/// What is looked at: one entry, and what is known around it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub entry: &'a Entry,
    /// The opening handshake of its connection.
    pub request: Option<&'a RequestHead>,
    pub response: Option<&'a ResponseHead>,
    /// The message that it answers, as far as one can tell: number, JSON pointer of the id that is
    /// the same in both, and how long after.
    pub reply: Option<(u64, &'a str, Duration)>,
    /// The entry that was marked, to be held against this one.
    pub marked: Option<&'a Entry>,
}
