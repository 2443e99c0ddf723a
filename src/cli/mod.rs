//! The command line: what can be typed (`args`, `wscat`), what was typed (`typed`), and the plans
//! that follow from it (`config`). clap is known here only.

mod args;
mod config;
mod generate;
mod typed;
mod wscat;

use std::ffi::OsString;

use config::Environment;
pub(crate) use config::Plan;
use typed::Request;

use crate::error::{Error, ExitCode};
use crate::serve::fault;

/// What a command line asks for.
pub(crate) enum Order {
    /// To run a command.
    Run(Plan),
    /// To print a text and end: help, the version, a usage error in clap's words.
    Say { text: String, code: ExitCode },
}

/// Understands a command line; the first of `args` is the program's name.
///
/// # Errors
/// What cannot be, where it was said, and what to try.
pub(crate) fn order(args: impl IntoIterator<Item = OsString>) -> Result<Order, Error> {
    let words = args.into_iter().skip(1).collect();
    match typed::parse(words)? {
        Request::Run(typed) if typed.has("list_faults") => Ok(Order::Say {
            text: fault::list(),
            code: ExitCode::DONE,
        }),
        Request::Run(typed) => config::plan(&typed, &Environment::of_process()).map(Order::Run),
        Request::Generate(words) => Ok(Order::Say {
            text: generate::generate(&words)?,
            code: ExitCode::DONE,
        }),
        Request::Say(answer) => Ok(Order::Say {
            code: answer.exit_code(),
            text: answer.text,
        }),
    }
}
