//! wscope: see, test and load WebSockets from a terminal.

mod cli;
pub mod command;
pub mod error;
pub mod input;
pub mod model;
pub mod protocol;
pub mod serve;
pub mod session;
pub mod text;
pub mod view;
pub mod wire;
