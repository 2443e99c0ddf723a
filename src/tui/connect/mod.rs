//! The full screen of `connect`: a session, live.

pub mod keymap;
pub mod scene;
pub mod vitals;

mod row;
mod search;
