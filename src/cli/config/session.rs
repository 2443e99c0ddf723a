//! Session flags as plans: what is sent at first, what feeds the session, when it ends.

use std::path::Path;

use super::Setup;
use super::environment::HISTORY;
use crate::cli::args::{Connect, Connection, Screen, Session};
use crate::command::limits::Limits;
use crate::command::source::{Person, Source};
use crate::error::Error;
use crate::input::{Input, pipe, readline, slash};
use crate::model::command::Command;
use crate::model::message::Message;
use crate::session::client::Reconnect;
use crate::text::hex;
use crate::view;
use crate::view::outcome::Conditions;

/// What is sent after each open: `on_open` of an endpoint, then `-x`, then `--execute-file`.
pub(super) fn opening(args: &Session) -> Result<Vec<Command>, Error> {
    let texts = args.on_open.iter().chain(&args.execute);
    let mut commands = texts
        .map(|text| command(args, text, "--execute"))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(path) = &args.execute_file {
        for (at, line) in lines(path)?.iter().enumerate() {
            let place = format!("{}, line {}", path.display(), at + 1);
            let line = std::str::from_utf8(line)
                .map_err(|_| Error::usage(format!("{place}: the line is not UTF-8")))?;
            commands.push(command(args, line, &place)?);
        }
    }
    Ok(commands)
}

/// The lines of a file as a pipe would deliver them: only the line feed is not part of one.
fn lines(path: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let mut bytes = super::read(path, "--execute-file", 64 << 20)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.is_empty() {
        return Ok(Vec::new());
    }
    Ok(bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect())
}

fn command(args: &Session, text: &str, place: &str) -> Result<Command, Error> {
    let wrong = |problem: String| Error::usage(format!("{place}: {problem}"));
    if args.slash && text.starts_with('/') {
        return match slash::parse(text) {
            Input::Command(command) => Ok(command),
            Input::Control(_) => Err(wrong(format!(
                "{text} is for people, not for the connection"
            ))),
            Input::File(_) => Err(wrong(format!(
                "{text} takes a while: type it, or pipe it in with --slash"
            ))),
            Input::Wrong(problem) => Err(wrong(problem)),
        };
    }
    let bytes = match args.binary {
        None => return Ok(Command::Send(Message::text(text))),
        Some(pipe::Binary::Raw) => text.as_bytes().to_vec(),
        Some(pipe::Binary::Hex) => {
            hex::decode_hex(text).map_err(|error| wrong(error.to_string()))?
        }
        Some(pipe::Binary::Base64) => {
            hex::decode_base64(text).map_err(|error| wrong(error.to_string()))?
        }
    };
    Ok(Command::Send(Message::binary(bytes)))
}

/// What feeds `connect`, and when it ends.
pub(super) fn conversation(
    setup: &Setup<'_>,
    connect: &Connect,
    view: &view::Plan,
    on_screen: bool,
) -> Result<(Source, Limits), Error> {
    let (args, conversation) = (&connect.session, &connect.conversation);
    let executes = !args.execute.is_empty() || args.execute_file.is_some();
    // Asked for by name, the input is read whatever else was said.
    let asked = args.input.is_some();
    let one_shot = executes && !conversation.stay && !asked;
    let answers = (args.echo || !args.reply.is_empty()) && !asked;

    let mut limits = limits(args, &connect.connection);
    limits.wait = conversation.wait.0;
    // Whoever gave a duration wants all of it.
    limits.input_end = args.duration.is_none() || setup.typed.has("wait");
    let source = if one_shot {
        if setup.typed.wscat {
            // wscat waits this long whatever comes.
            limits.duration = args.duration.or(conversation.wait.0);
            limits.input_end = false;
        }
        Source::Nothing
    } else if answers && !setup.environment.stdin_is_terminal {
        // It is the peer that is answered, until the peer ends it.
        limits.input_end = false;
        Source::Nothing
    } else {
        let person = person(setup, &connect.screen, view, on_screen);
        let size = connect.upkeep.max_message_size;
        input(setup, args, conversation.plain, person, size)?
    };
    Ok((source, limits))
}

/// What ends a session, whatever feeds it.
pub(super) fn limits(args: &Session, connection: &Connection) -> Limits {
    Limits {
        input_end: false,
        wait: None,
        duration: args.duration,
        max_time: connection.max_time,
    }
}

pub(super) fn conditions(setup: &Setup<'_>, args: &Session, view: &view::Plan) -> Conditions {
    Conditions {
        count: args.count,
        until: args.until.clone(),
        expect_close: args.expect_close,
        pongs: None,
        cross_check: false,
        select: view.select.clone(),
        interactive: setup.environment.is_conversation(),
        serving: false,
    }
}

/// Whether messages that go out are printed: for people who did not just type them.
pub(super) fn is_echoed(setup: &Setup<'_>, source: &Source, view: &view::Plan) -> bool {
    let typed = setup.environment.stdin_is_terminal && !matches!(source, Source::Nothing);
    view.data_terminal && !typed
}

/// A person at the terminal, in lines or on the screen.
pub(super) fn person(
    setup: &Setup<'_>,
    screen: &Screen,
    view: &view::Plan,
    on_screen: bool,
) -> Person {
    Person {
        editor: readline::Plan {
            history: setup
                .environment
                .state_folder()
                .map(|folder| folder.join(HISTORY)),
            style: view.data_style,
        },
        screen: super::screen::plan(setup, screen, view),
        begins_on_screen: on_screen,
    }
}

/// stdin: a person at a line editor where there is a terminal both ways, a pipe otherwise.
pub(super) fn input(
    setup: &Setup<'_>,
    args: &Session,
    plain: bool,
    person: Person,
    max_message_size: usize,
) -> Result<Source, Error> {
    let environment = setup.environment;
    let types = environment.stdin_is_terminal;
    let slash = args.slash || types;
    let dumb = environment.get("TERM").is_some_and(|term| term == "dumb");
    let encoded = args.input.is_some() || args.binary.is_some();
    if types && environment.stdout_is_terminal && !plain && !dumb && !encoded {
        return Ok(Source::Person(Box::new(person)));
    }
    let format = args.input.unwrap_or_default();
    if format == pipe::Format::Ndjson && args.binary.is_some() {
        return Err(Error::usage_hint(
            "--binary contradicts --input ndjson",
            "each event says whether it is binary: {\"base64\":\"AP8=\"}",
        ));
    }
    Ok(Source::Pipe(pipe::Plan {
        format,
        binary: args.binary,
        slash,
        max_message_size,
    }))
}

pub(super) fn reconnect(args: &Session) -> Option<Reconnect> {
    args.reconnect.then_some(Reconnect {
        max_retries: args.max_retries,
        backoff: args.backoff,
    })
}
