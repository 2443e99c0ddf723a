//! wscat's command lines: `wscope -c URL -x hi -w 1`, `wscope -l 8080`.
//!
//! They are the commands `connect` and `listen` with wscat's letters: `-c` and `-l` name the target,
//! `-n` is `--no-check` and not `--count`, `-p` the protocol version, and `-w` is 2 seconds unless
//! told. Everything else is parsed into the same arguments, so that flags of ours work here too.

use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::args::{Connect, Listen};
use super::typed::Kind;

/// The id of `-n` for `-l`, where there is no certificate to check.
const NO_CHECK: &str = "no_check";
/// The id of `--no-color`.
pub(super) const NO_COLOR: &str = "no_color";

/// Which command a line without a subcommand means, if it is one of wscat's.
pub(super) fn command(words: &[OsString]) -> Option<(Kind, Command)> {
    words
        .iter()
        .take_while(|word| *word != "--")
        .find_map(|word| match target_letter(word)? {
            'c' => Some((Kind::Connect, connect())),
            _ => Some((Kind::Listen, listen())),
        })
}

/// `c` or `l` where a word is `-c`, `--connect`, `-l` or `--listen`, alone, with its value, or after
/// letters that take none (`-nPc URL`).
fn target_letter(word: &OsStr) -> Option<char> {
    let word = word.to_str()?;
    if let Some(long) = word.strip_prefix("--") {
        return match long.split('=').next()? {
            "connect" => Some('c'),
            "listen" => Some('l'),
            _ => None,
        };
    }
    let letters = word.strip_prefix('-')?;
    letters
        .trim_start_matches(['n', 'L', 'P'])
        .chars()
        .next()
        .filter(|letter| matches!(letter, 'c' | 'l'))
}

fn connect() -> Command {
    letters(Connect::command())
        .override_usage("wscope -c URL [OPTIONS]")
        .mut_arg("url", |url| url.short('c').long("connect").required(true))
        .mut_arg("insecure", |insecure| {
            insecure
                .short('n')
                .short_alias('k')
                .long("no-check")
                .alias("insecure")
        })
        .mut_arg("wait", |wait| {
            wait.default_value("2")
                .help("Wait this long after --execute, then end (-1: for ever)")
                .long_help(None)
        })
}

fn listen() -> Command {
    letters(Listen::command())
        .override_usage("wscope -l PORT [OPTIONS]")
        .mut_arg("targets", |port| {
            port.short('l')
                .long("listen")
                .value_name("PORT")
                .num_args(1)
                .action(ArgAction::Append)
        })
        .arg(
            Arg::new(NO_CHECK)
                .short('n')
                .long("no-check")
                .help("Do not check certificates: changes nothing where others connect")
                .action(ArgAction::SetTrue),
        )
}

/// What is the same for both.
fn letters(command: Command) -> Command {
    command
        .name("wscope")
        .version(env!("CARGO_PKG_VERSION"))
        .mut_arg("count", |count| count.short(None))
        .mut_arg("protocol", |version| version.short('p'))
        .arg(
            Arg::new(NO_COLOR)
                .long("no-color")
                .help("Print without colours (--color never)")
                .conflicts_with("color")
                .action(ArgAction::SetTrue),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn wscat_lines_are_known_by_their_target() {
        for line in [
            "-c ws://h",
            "-x hi -c ws://h",
            "--connect=ws://h",
            "-nPc ws://h",
            "-cws://h",
        ] {
            assert!(
                command(&words(line)).is_some_and(|(kind, _)| kind == Kind::Connect),
                "{line}"
            );
        }
        for line in ["-l 8080", "--listen 8080", "-Pl 8080"] {
            assert!(
                command(&words(line)).is_some_and(|(kind, _)| kind == Kind::Listen),
                "{line}"
            );
        }
        for line in [
            "ws://h",
            "-x hi ws://h",
            "ws://h -- -c x",
            "--count 3 ws://h",
            "-n 3 ws://h",
        ] {
            assert!(command(&words(line)).is_none(), "{line}");
        }
    }

    #[test]
    fn the_changed_commands_are_sound() {
        connect().debug_assert();
        listen().debug_assert();
    }
}
