//! Full screens.
//!
//! A screen is a state, a pure `update(state, action)` and a `render` into a buffer; a terminal is
//! touched by `terminal.rs` only. [`widget`] holds the parts that screens are made of, [`theme`] the
//! colours and signs in which everything is drawn, `stage` the threads around a screen, `update` what each
//! does with an action.

pub mod bench;
pub mod board;
pub mod chord;
pub mod clipboard;
pub mod connect;
pub mod editor;
pub mod keymap;
pub mod serve;
pub mod terminal;
pub mod theme;
pub mod widget;

mod keyboard;
mod painter;
mod stage;
mod update;

#[cfg(test)]
mod sample;
