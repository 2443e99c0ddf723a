//! wscope: see, test and load WebSockets from a terminal.

pub mod error;
pub mod input;
pub mod model;
pub mod protocol;
pub mod text;
pub mod view;
pub mod wire;
