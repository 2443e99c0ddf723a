//! From the words on the command line to a command and its arguments, whichever form was used:
//! subcommands, a bare URL (which means `connect`), or wscat's letters.

use std::ffi::{OsStr, OsString};

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::args::{Connect, EXAMPLES, Listen, Serve, Subcommand, Top};
use super::nearest::nearest;
use super::wscat;
use crate::error::{Error, ExitCode};

/// What was asked for.
pub(super) enum Request {
    Run(Typed),
    /// `--generate`.
    Generate(Vec<String>),
    /// Help, the version, or what is wrong with the line.
    Say(Answer),
}

/// A text that ends the program.
#[derive(Debug)]
pub(super) struct Answer {
    pub text: String,
    /// On stderr, and as an error; else on stdout.
    pub wrong: bool,
}

/// A command line that clap has understood.
pub(super) struct Typed {
    command: Command,
    /// The words, after the name of the command.
    words: Vec<OsString>,
    matches: ArgMatches,
    /// It was in wscat's form.
    pub wscat: bool,
}

/// Understands the words after the program's name.
///
/// # Errors
/// [`Error::Usage`] for a word that is neither a subcommand nor a URL.
pub(super) fn parse(words: Vec<OsString>) -> Result<Request, Error> {
    let Some(first) = words.first() else {
        return Ok(Request::Say(Answer {
            text: format!("{EXAMPLES}\n\nwscope --help tells more.\n"),
            wrong: true,
        }));
    };
    let top = Top::command();
    if let Some(command) = first.to_str().and_then(|name| top.find_subcommand(name)) {
        let command = command.clone();
        let name = format!("wscope {}", command.get_name());
        return Ok(request(command.bin_name(name), words[1..].to_vec(), false));
    }
    if let Some(command) = wscat::command(&words) {
        return Ok(request(command, words, true));
    }
    if is_for_top(first) {
        return Ok(ask_top(top, &words));
    }
    if let Some(word) = first.to_str() {
        check_is_target(word, &top)?;
    }
    Ok(request(Connect::command().bin_name("wscope"), words, false))
}

/// Whether the line is about wscope itself.
fn is_for_top(first: &OsStr) -> bool {
    let words = ["help", "-h", "--help", "-V", "--version", "--generate"];
    words.iter().any(|word| first == *word)
}

fn ask_top(top: Command, words: &[OsString]) -> Request {
    match top.try_get_matches_from(with_name(words)) {
        Err(error) => Request::Say(answer(&error)),
        Ok(matches) => {
            let what = matches.get_many::<String>("generate").unwrap_or_default();
            Request::Generate(what.cloned().collect())
        }
    }
}

/// A bare first word is a target if it looks like one: `conect` does not, `localhost` and `h:80` do.
fn check_is_target(word: &str, top: &Command) -> Result<(), Error> {
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_word || word.is_empty() || matches!(word, "demo" | "localhost") {
        return Ok(());
    }
    let names: Vec<&str> = top.get_subcommands().map(Command::get_name).collect();
    let hint = nearest(word, names.iter().copied()).map_or_else(
        || format!("subcommands are {}; a host is written ws://{word}", names.join(", ")),
        |name| format!("did you mean {name}? (a host is written ws://{word})"),
    );
    let message = format!("\"{word}\" is neither a subcommand nor a URL");
    Err(Error::usage_hint(message, hint))
}

fn request(command: Command, words: Vec<OsString>, wscat: bool) -> Request {
    match command.clone().try_get_matches_from(with_name(&words)) {
        Err(error) => Request::Say(answer(&error)),
        Ok(matches) => Request::Run(Typed {
            command,
            words,
            matches,
            wscat,
        }),
    }
}

/// clap expects the program's name first.
fn with_name(words: &[OsString]) -> impl Iterator<Item = OsString> {
    std::iter::once(OsString::from("wscope")).chain(words.iter().cloned())
}

fn answer(error: &clap::Error) -> Answer {
    let text = error.render().to_string();
    Answer {
        text: text
            .strip_prefix("error: ")
            .map_or_else(|| text.clone(), |message| format!("wscope: {message}")),
        wrong: error.use_stderr(),
    }
}

impl Answer {
    pub(super) fn exit_code(&self) -> ExitCode {
        if self.wrong {
            ExitCode::USAGE
        } else {
            ExitCode::DONE
        }
    }
}

impl Typed {
    /// Whether an argument was typed, by its id (the name of its field).
    pub(super) fn has(&self, id: &str) -> bool {
        // `value_source` panics for an id that the command does not have.
        self.command.get_arguments().any(|arg| arg.get_id() == id)
            && self.matches.value_source(id) == Some(ValueSource::CommandLine)
    }

    /// The ids of all arguments that were typed.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.command
            .get_arguments()
            .map(|arg| arg.get_id().as_str())
            .filter(|id| self.has(id))
    }
}
