//! The full screen of `connect`: a session, live.
//!
//! `state`, `update` and `render` are pure; `screen` holds the threads around them, and the session
//! writes to the `scene` that they look at.

pub mod farewell;
pub mod keymap;
pub mod save;
pub mod scene;
pub mod screen;
pub mod vitals;

mod action;
mod copy;
mod handshakes;
mod layout;
mod list;
mod render;
mod row;
mod search;
mod state;
mod update;

pub use state::Setup;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
