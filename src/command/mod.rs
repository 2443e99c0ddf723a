//! The subcommands: wiring only. Each takes a plan and runs it to an exit code.

pub mod connect;
pub mod listen;
pub mod serve;
