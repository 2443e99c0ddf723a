//! wscope: see, test and load WebSockets from a terminal.
//!
//! ```text
//! argv --cli::args--> Args --cli::config--> plans --command::*--> wiring
//!
//!   socket == wire ==> bytes =protocol=> Event ---> view      line, ndjson, raw, hex, the exit code
//!              ^                   ^
//!              |                Command <---------- input     keyboard, pipe, serve mode
//! ```
//!
//! Two enums carry everything: [`model::event::Event`] tells what happened, outward, and
//! [`model::command::Command`] what to do on the wire, inward. A third,
//! [`model::control::Control`], is what a person asks of the program itself. Every feature is a
//! producer of commands or a consumer of events. `ARCHITECTURE.md` has the whole picture.

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
