//! The full screen of `serve --tui`: who is connected, rooms, traffic, queues, faults and the log,
//! live.
//!
//! As in [`connect`](super::connect), `state`, `update` and `render` are pure; `screen` holds the
//! threads around them, and the server's log writes to the `scene` that they look at.

pub mod keymap;
pub mod scene;
pub mod screen;

mod layout;
mod order;
mod render;
mod row;
mod state;
mod update;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
