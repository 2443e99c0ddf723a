//! What can be typed: clap's declarations and nothing else. What it leads to is decided in
//! `config`, which also sees the terminal, the environment and the config file.
//!
//! A new flag is one field here and one line in `config`; help, man pages, completions, the README's
//! list and the config file follow from the field.

mod auth;
mod bench;
mod bench_tool;
mod connection;
mod output;
mod ping;
mod reach;
mod screen;
mod serve;
mod session;
mod shards;
mod test;
mod upkeep;
pub(super) mod value;

use std::path::PathBuf;

use clap::Command;

pub(super) use auth::Auth;
pub(super) use bench::{Load, Messages, Results};
pub(super) use bench_tool::{BenchCompare, BenchMerge, BenchReport, BenchTool};
pub(super) use connection::Connection;
pub(super) use output::{Output, Recording, Secrets};
pub(super) use ping::{PingOutput, Pings};
pub(super) use reach::Reach;
pub(super) use screen::{BenchScreen, Look, Screen, ServeScreen};
pub(super) use serve::{Origins, Server};
pub(super) use session::{Conversation, Session};
pub(super) use shards::Shards;
pub(super) use test::{Inspection, TestOutput, Tests};
pub(super) use upkeep::Upkeep;

use crate::error::ExitCode;

/// Five command lines to begin with.
pub(super) const EXAMPLES: &str = "\
Examples:
  wscope connect demo                          talk to an echo server inside wscope
  wscope ws://localhost:8080/chat              talk to your server
  echo hi | wscope ws://localhost:8080 --json  send, print the replies as JSON, end
  wscope listen ws://localhost:8080/prices     print what arrives
  wscope serve --mode broadcast                a server to test clients against";

/// See, test and talk to WebSockets from a terminal
#[derive(Debug, clap::Parser)]
#[command(
    name = "wscope",
    version,
    override_usage = "wscope [connect] URL [OPTIONS]\n       wscope COMMAND [OPTIONS]\n       wscope -c URL | -l PORT [OPTIONS]   (wscat command lines)",
    after_help = EXAMPLES,
    after_long_help = epilogue(),
    max_term_width = 100,
)]
pub(super) struct Top {
    #[command(subcommand)]
    pub command: Option<Subcommand>,

    /// Write generated files: man DIR, completions DIR, readme-flags
    #[arg(long, hide = true, num_args = 1..=2, value_names = ["WHAT", "DIR"])]
    pub generate: Vec<String>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Subcommand {
    Connect(Connect),
    Listen(Listen),
    Serve(Serve),
    Test(Test),
    Bench(Box<Bench>),
    Ping(Ping),
}

/// Talk to an endpoint: full screen on a terminal, in lines with --line or in a pipe
///
/// What you type, or what comes from standard input, is sent, and what arrives is printed. When the
/// input has ended, connect waits for replies (--wait), closes with code 1000 and ends.
#[derive(Debug, clap::Parser)]
#[command(name = "connect", after_long_help = exit_codes(), max_term_width = 100)]
pub(super) struct Connect {
    /// ws://HOST:PORT/PATH, HOST:PORT, ws+unix:/PATH:/URI, @NAME of the config file, or demo
    ///
    /// Without it connect talks to demo, an echo server inside wscope, if you are on a terminal.
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub upkeep: Upkeep,
    #[command(flatten)]
    pub session: Session,
    #[command(flatten)]
    pub conversation: Conversation,
    #[command(flatten)]
    pub screen: Screen,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub recording: Recording,
    #[command(flatten)]
    pub secrets: Secrets,
    #[command(flatten)]
    pub config: ConfigFile,
}

/// Print what arrives: from URLs, or on a port that others connect to
///
/// URLs are subscribed to; standard input is not read unless --stdin is given. With a port, clients
/// connect to wscope: lines from standard input go to all of them, `/to ID text` to one.
#[derive(Debug, clap::Parser)]
#[command(name = "listen", after_long_help = exit_codes(), max_term_width = 100)]
pub(super) struct Listen {
    /// URLs to subscribe to; or PORT, IP:PORT or unix:PATH to accept connections on
    ///
    /// PORT alone binds 127.0.0.1; port 0 picks a free one and says which.
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,

    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub upkeep: Upkeep,
    #[command(flatten)]
    pub session: Session,
    /// Read standard input too, and send it
    #[arg(long, help_heading = "Session")]
    pub stdin: bool,
    #[command(flatten)]
    pub screen: Screen,

    #[command(flatten)]
    pub origins: Origins,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub recording: Recording,
    #[command(flatten)]
    pub secrets: Secrets,
    #[command(flatten)]
    pub config: ConfigFile,
}

/// What `--output` says for `serve`, whose messages are not its point.
const SERVE_OUTPUT: &str = "\
How messages are printed

The default is pretty. Messages are printed on a terminal, and elsewhere where --json, --parse, --output, \
--filter, --exclude, -P, -F, -v or --only text, binary, ping or pong asks for them: to log each costs a \
busy server. What else happens is always told, one line each.";

/// The command `serve` with its own words for `--output`; any other as it is.
pub(super) fn logging(command: Command) -> Command {
    if command.get_name() != "serve" {
        return command;
    }
    command.mut_args(|arg| match arg.get_id().as_str() {
        "output" => arg.long_help(SERVE_OUTPUT),
        _ => arg,
    })
}

/// Run a server to test clients against
///
/// It runs until Ctrl-C or SIGTERM, then closes every connection with code 1001. It goes on where nobody
/// reads its log any more.
#[derive(Debug, clap::Parser)]
#[command(name = "serve", after_long_help = exit_codes(), max_term_width = 100)]
pub(super) struct Serve {
    /// PORT, :PORT, IP:PORT, [IPV6]:PORT or unix:PATH
    ///
    /// PORT alone binds 127.0.0.1; port 0 picks a free one and says which.
    #[arg(value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub address: String,

    #[command(flatten)]
    pub server: Server,
    #[command(flatten)]
    pub origins: Origins,
    #[command(flatten)]
    pub auth: Auth,
    #[command(flatten)]
    pub upkeep: Upkeep,
    #[command(flatten)]
    pub screen: ServeScreen,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub config: ConfigFile,
}

/// Play transcripts against a server and check its answers
///
/// A transcript is a conversation as a terminal shows it: what follows > is sent, what follows < is
/// expected. Folders are looked into for names that end in .wst, but for files that others of them
/// include. Also called run. Exit code 4 where an answer differs or does not come in time, 2 where a
/// file does not parse: then nothing is sent.
#[derive(Debug, clap::Parser)]
#[command(name = "test", after_long_help = exit_codes(), max_term_width = 100)]
pub(super) struct Test {
    /// Transcripts, and folders of them; page.har plays a browser's recording
    #[arg(value_name = "FILE|FOLDER", required = true)]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub inspection: Inspection,
    #[command(flatten)]
    pub tests: Tests,
    /// Give {{secret_NAME}} a value that is never shown; may be repeated
    ///
    /// NAME=@FILE reads it from a file, NAME=env:VARIABLE from the environment, NAME=cmd:COMMAND
    /// from what a command prints. WSCOPE_SECRET_name in the environment gives one too.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Test")]
    pub secret: Vec<String>,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub upkeep: Upkeep,
    #[command(flatten)]
    pub output: TestOutput,
    #[command(flatten)]
    pub config: ConfigFile,
}

/// Load a server with many connections, and say how it bore that
///
/// The first connection finds out whether anything works at all. Then all are opened, the load runs,
/// and a summary tells rates, latencies and whether they may be believed. A result that fails a
/// --threshold is exit code 4.
#[derive(Debug, clap::Parser)]
#[command(
    name = "bench",
    after_long_help = exit_codes(),
    max_term_width = 100,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    subcommand_help_heading = "Tools (a host with such a name is written ws://NAME)",
    subcommand_value_name = "TOOL"
)]
pub(super) struct Bench {
    #[command(subcommand)]
    pub tool: Option<BenchTool>,

    /// ws://HOST:PORT/PATH, HOST:PORT, ws+unix:/PATH:/URI, @NAME of the config file, or demo
    ///
    /// {{conn}} and the columns of --feed are filled in for each connection.
    #[arg(value_name = "URL")]
    pub url: String,

    #[command(flatten)]
    pub load: Load,
    #[command(flatten)]
    pub messages: Messages,
    #[command(flatten)]
    pub shards: Shards,
    #[command(flatten)]
    pub results: Results,
    #[command(flatten)]
    pub screen: BenchScreen,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub config: ConfigFile,
}

/// Is it up, how long does each step take, when does the certificate expire
///
/// Opens a connection, shows the steps that led there (dns, tcp, proxy, tls, upgrade), sends pings
/// and closes with code 1000. The last line begins with "up:" or "failing:". As a health check of a
/// container: wscope ping -q -n 1 ws://localhost:8080/
#[derive(Debug, clap::Parser)]
#[command(name = "ping", after_long_help = exit_codes(), max_term_width = 100)]
pub(super) struct Ping {
    /// ws://HOST:PORT/PATH, HOST:PORT, ws+unix:/PATH:/URI, @NAME of the config file, or demo
    #[arg(value_name = "URL")]
    pub url: String,

    #[command(flatten)]
    pub pings: Pings,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub output: PingOutput,
    #[command(flatten)]
    pub config: ConfigFile,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Config file")]
pub(super) struct ConfigFile {
    /// Read this config file
    ///
    /// The default is $XDG_CONFIG_HOME/wscope/config.toml, which is ignored when CI is set. It holds
    /// [defaults], named like the flags, and endpoints: [endpoint.NAME] with a url and flags.
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,

    /// Read no config file
    #[arg(long)]
    pub no_config: bool,
}

fn epilogue() -> String {
    format!("{EXAMPLES}\n\n{}", exit_codes())
}

/// The table of exit codes for the end of a long help.
fn exit_codes() -> String {
    let mut table = String::from("Exit codes:");
    for (code, meaning) in ExitCode::TABLE {
        for (at, line) in wrapped(meaning, 61).iter().enumerate() {
            let code = if at == 0 { code } else { "" };
            table.push_str(&format!("\n  {code:<13}  {line}"));
        }
    }
    table
}

/// Lines of at most `width` bytes; clap would wrap them too, but not below the second column.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
