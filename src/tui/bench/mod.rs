//! The full screen of `bench`: how a load goes, live.
//!
//! As in [`connect`](super::connect), `state`, `update` and `render` are pure. The scene is told of
//! every second of the run when it is over, and ten times a second of what moves between; the
//! threads of the load know nothing of it.

pub mod keymap;
pub mod past;
pub mod scene;
pub mod screen;

mod events;
mod layout;
mod metric;
mod render;
mod seeking;
mod state;
mod update;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
