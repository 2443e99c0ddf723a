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

pub mod bench;
mod cli;
pub mod command;
pub mod error;
pub mod input;
pub mod model;
pub mod play;
pub mod protocol;
pub mod serve;
pub mod session;
pub mod text;
pub mod transcript;
pub mod tui;
pub mod view;
pub mod wire;

use std::ffi::OsString;

use cli::{Order, Plan};
use error::{Error, ExitCode};
use text::output::{self, Output};
use text::sanitize;

/// Does what a command line asks for; the first of `args` is the program's name. Everything that
/// can be said about it has been said when it returns.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = match cli::order(args) {
        Ok(Order::Run(plan)) => carry_out(plan),
        Ok(Order::Say { text, code }) if code == ExitCode::DONE => {
            output::print(&text).map(|()| code)
        }
        Ok(Order::Say { text, code }) => {
            output::complain(&text);
            Ok(code)
        }
        Err(error) => Err(error),
    };
    done.unwrap_or_else(|error| {
        output::complain(&report(&error));
        error.exit_code()
    })
}

fn carry_out(plan: Plan) -> Result<ExitCode, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::Io {
            doing: "starting the runtime".into(),
            cause,
        })?;
    let output = Output::stdio()?;
    let done = runtime.block_on(async {
        match plan {
            Plan::Connect(plan) => command::connect::run(*plan, output).await,
            Plan::Listen(plan) => command::listen::run(*plan, output).await,
            Plan::Bench(plan) => command::bench::run(*plan, output).await,
            Plan::BenchTool(plan) => command::bench::tool::run(*plan, output).await,
            Plan::Ping(plan) => command::ping::run(*plan, output).await,
            Plan::Test(plan) => command::test::run(*plan, output).await,
            Plan::Inspect(plan) => command::test::inspect::run(*plan, output).await,
            Plan::Serve(plan) => command::serve::run(*plan, output).await,
        }
    });
    // A DNS lookup that nobody waits for any more may still be running.
    runtime.shutdown_background();
    done
}

/// An error for people: what went wrong, and what to try.
fn report(error: &Error) -> String {
    let hint = error.hint().map(|hint| format!("  hint: {hint}\n"));
    let text = format!("wscope: {error}\n{}", hint.unwrap_or_default());
    // Names of files and what a server said are in it.
    sanitize::block(&text).into_owned()
}
