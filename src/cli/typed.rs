//! From the words on the command line to a command and its arguments, whichever form was used:
//! subcommands, a bare URL (which means `connect`), or wscat's letters.

use std::ffi::{OsStr, OsString};

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches};

use super::args::{
    Bench, BenchCompare, BenchMerge, BenchReport, Connect, EXAMPLES, Listen, Ping, Serve, Test,
    Top, logging,
};
use super::wscat;
use crate::error::{Error, ExitCode};
use crate::text::nearest::nearest;

/// What was asked for.
pub(super) enum Request {
    Run(Box<Typed>),
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

/// The commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Listen,
    Serve,
    Test,
    Bench,
    Ping,
    /// The tools of `bench`.
    BenchReport,
    BenchCompare,
    BenchMerge,
}

/// A command line that clap has understood.
pub(super) struct Typed {
    pub kind: Kind,
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
    if let Some(kind) = Kind::named(first) {
        let (kind, rest) = match words.get(1).and_then(|word| kind.tool(word)) {
            Some(tool) => (tool, &words[2..]),
            None => (kind, &words[1..]),
        };
        let command = kind.command().bin_name(format!("wscope {}", kind.name()));
        return Ok(request(kind, command, rest.to_vec(), false));
    }
    if let Some((kind, command)) = wscat::command(&words) {
        return Ok(request(kind, command, words, true));
    }
    if is_for_top(first) {
        return Ok(ask_top(&words));
    }
    if let Some(word) = first.to_str() {
        check_is_target(word)?;
    }
    let command = Connect::command().bin_name("wscope");
    Ok(request(Kind::Connect, command, words, false))
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Connect,
        Self::Listen,
        Self::Serve,
        Self::Test,
        Self::Bench,
        Self::Ping,
    ];

    /// The command of a first word, by its name or its other name.
    fn named(word: &OsStr) -> Option<Self> {
        if word == "run" {
            return Some(Self::Test);
        }
        Self::ALL.into_iter().find(|kind| word == kind.name())
    }

    /// The tools of `bench`, whose names are two words. No config file counts for them.
    pub(super) const TOOLS: [Self; 3] = [Self::BenchReport, Self::BenchCompare, Self::BenchMerge];

    /// The tool of a command that its next word names.
    fn tool(self, word: &OsStr) -> Option<Self> {
        let mut tools = Self::TOOLS.into_iter();
        tools.find(|tool| {
            let (command, name) = tool.name().split_once(' ').unwrap_or_default();
            command == self.name() && word == name
        })
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::BenchReport => "bench report",
            Self::BenchCompare => "bench compare",
            Self::BenchMerge => "bench merge",
            Self::Connect => "connect",
            Self::Listen => "listen",
            Self::Serve => "serve",
            Self::Test => "test",
            Self::Bench => "bench",
            Self::Ping => "ping",
        }
    }

    pub(super) fn command(self) -> Command {
        match self {
            Self::Connect => Connect::command(),
            Self::Listen => Listen::command(),
            Self::Serve => logging(Serve::command()),
            Self::Test => Test::command(),
            Self::Bench => Bench::command(),
            Self::Ping => Ping::command(),
            Self::BenchReport => BenchReport::command(),
            Self::BenchCompare => BenchCompare::command(),
            Self::BenchMerge => BenchMerge::command(),
        }
    }
}

/// Whether the line is about wscope itself.
fn is_for_top(first: &OsStr) -> bool {
    let words = ["help", "-h", "--help", "-V", "--version", "--generate"];
    words.iter().any(|word| first == *word)
}

fn ask_top(words: &[OsString]) -> Request {
    match Top::command().try_get_matches_from(with_name(words)) {
        Err(error) => Request::Say(answer(&error)),
        Ok(matches) => {
            let what = matches.get_many::<String>("generate").unwrap_or_default();
            Request::Generate(what.cloned().collect())
        }
    }
}

/// A bare first word is a target if it looks like one: `conect` does not, `localhost` and `h:80` do.
fn check_is_target(word: &str) -> Result<(), Error> {
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_word || word.is_empty() || matches!(word, "demo" | "localhost") {
        return Ok(());
    }
    let names = Kind::ALL.map(Kind::name);
    let hint = nearest(word, names).map_or_else(
        || {
            format!(
                "subcommands are {}; a host is written ws://{word}",
                names.join(", ")
            )
        },
        |name| format!("did you mean {name}? (a host is written ws://{word})"),
    );
    let message = format!("\"{word}\" is neither a subcommand nor a URL");
    Err(Error::usage_hint(message, hint))
}

fn request(kind: Kind, command: Command, words: Vec<OsString>, wscat: bool) -> Request {
    match command.clone().try_get_matches_from(with_name(&words)) {
        Err(mut error) => {
            forget_hidden(&command, &mut error);
            point_to_port(kind, &command, &words, &mut error);
            suggest_value(&mut error);
            Request::Say(answer(&error))
        }
        Ok(matches) => Request::Run(Box::new(Typed {
            kind,
            command,
            words,
            matches,
            wscat,
        })),
    }
}

/// clap suggests flags that its help hides, too.
fn forget_hidden(command: &Command, error: &mut clap::Error) {
    let Some(ContextValue::String(suggested)) = error.get(ContextKind::SuggestedArg) else {
        return;
    };
    let is_hidden = command
        .get_arguments()
        .any(|arg| arg.is_hide_set() && arg.get_long() == Some(suggested.trim_start_matches('-')));
    if is_hidden {
        error.remove(ContextKind::SuggestedArg);
    }
}

/// Other servers take their port from a flag.
fn point_to_port(kind: Kind, command: &Command, words: &[OsString], error: &mut clap::Error) {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
        return;
    };
    let is_port = error.kind() == ErrorKind::UnknownArgument && matches!(&**flag, "--port" | "-p");
    if !is_port || !matches!(kind, Kind::Serve | Kind::Listen) {
        return;
    }
    let mut words = words.iter().filter_map(|word| word.to_str());
    let mut port = "PORT";
    while let Some(word) = words.next() {
        if let Some(rest) = word.strip_prefix(&**flag) {
            let given = rest.trim_start_matches('=');
            let given = Some(given).filter(|given| !given.is_empty());
            port = given.or_else(|| words.next()).unwrap_or(port);
            break;
        }
    }
    if port.parse::<u16>().is_err() {
        port = "PORT";
    }
    let tip = format!("the port is the argument: wscope {} {port}", kind.name());
    error.remove(ContextKind::SuggestedArg);
    let tips = vec![StyledStr::from(tip)];
    // It is about the flag that clap would have suggested.
    let usage = ContextValue::StyledStr(command.clone().render_usage());
    error.insert(ContextKind::Usage, usage);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
}

/// clap suggests only what is nearly the same.
fn suggest_value(error: &mut clap::Error) {
    if error.get(ContextKind::SuggestedValue).is_some() {
        return;
    }
    let (Some(ContextValue::String(typed)), Some(ContextValue::Strings(valid))) = (
        error.get(ContextKind::InvalidValue),
        error.get(ContextKind::ValidValue),
    ) else {
        return;
    };
    if let Some(meant) = nearest(typed, valid.iter().map(String::as_str)) {
        let meant = ContextValue::String(meant.to_owned());
        error.insert(ContextKind::SuggestedValue, meant);
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

    /// All arguments that were typed.
    pub(super) fn given(&self) -> impl Iterator<Item = &Arg> {
        let arguments = self.command.get_arguments();
        arguments.filter(|arg| self.has(arg.get_id().as_str()))
    }

    /// The values that were typed for an argument, or its default.
    pub(super) fn values<T: Clone + Send + Sync + 'static>(&self, id: &str) -> Vec<T> {
        let values = self.matches.try_get_many::<T>(id).ok().flatten();
        values.unwrap_or_default().cloned().collect()
    }

    pub(super) fn command(&self) -> &Command {
        &self.command
    }

    /// The same line with `flags` put before what was typed.
    ///
    /// # Errors
    /// [`Error::Usage`] in clap's words.
    pub(super) fn after(&self, flags: &[OsString]) -> Result<Self, Error> {
        let words = [flags, &self.words].concat();
        let command = self.command.clone();
        let matches = command
            .try_get_matches_from(with_name(&words))
            .map_err(|error| Error::usage(first_line(&error)))?;
        Ok(Self {
            kind: self.kind,
            command: self.command.clone(),
            words,
            matches,
            wscat: self.wscat,
        })
    }

    /// What clap made of it.
    pub(super) fn args<A: FromArgMatches>(&self) -> Result<A, Error> {
        A::from_arg_matches(&self.matches).map_err(|error| Error::usage(first_line(&error)))
    }
}

/// What clap says is wrong, without usage and tips.
pub(super) fn first_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}
