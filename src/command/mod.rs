//! The subcommands: wiring only. Each takes a plan and runs it to an exit code.

mod audience;
pub mod connect;
pub mod demo;
pub mod listen;
mod patience;
pub mod ping;
mod prologue;
pub mod recording;
pub mod serve;
mod signals;
pub mod source;
pub mod test;
pub mod volley;
