//! Output flags as the plan of a view.

use super::Setup;
use super::environment::Environment;
use crate::cli::args::{Output, Recording};
use crate::cli::wscat;
use crate::command::recording;
use crate::error::Error;
use crate::session::secret_source::NamedSecret;
use crate::text::style::{ColorChoice, Style};
use crate::view::{self, select::Only, select::Select};

/// What a format is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Messages are the point: a pipe gets them byte for byte.
    Messages,
    /// Lines that tell what happens are the point.
    Log,
}

pub(super) fn view(
    setup: &Setup<'_>,
    args: &Output,
    purpose: Purpose,
    plain: bool,
) -> Result<view::Plan, Error> {
    let environment = setup.environment;
    let format = format(
        args,
        purpose == Purpose::Log || environment.stdout_is_terminal,
    )?;
    let color = if plain || setup.typed.has(wscat::NO_COLOR) {
        ColorChoice::Never
    } else {
        args.color.unwrap_or_default()
    };
    let style = |is_terminal| Style::decide(color, is_terminal, |name| environment.get(name));
    Ok(view::Plan {
        format,
        interactive: environment.is_watched(),
        talk_is_data: purpose == Purpose::Log,
        data_terminal: environment.stdout_is_terminal,
        echo_sent: false,
        parse: args.parse,
        ping_pong: args.show_ping_pong,
        frames: args.frames,
        verbose: args.verbose,
        timestamps: args.timestamps,
        data_style: style(environment.stdout_is_terminal),
        talk_style: style(environment.stderr_is_terminal),
        select: Select {
            only: args.only.iter().copied().reduce(Only::or),
            filter: args.filter.clone(),
            exclude: args.exclude.clone(),
        },
    })
}

fn format(args: &Output, pretty: bool) -> Result<&'static str, Error> {
    let asked = match &args.output {
        Some(_) if args.parse && args.output.as_deref() != Some("ndjson") => {
            return Err(Error::usage_hint(
                "--parse adds to JSON output",
                "use it with --json",
            ));
        }
        Some(name) => name,
        None if args.json || args.parse => "ndjson",
        None => view::FORMATS[usize::from(!pretty)].name,
    };
    view::FORMATS
        .iter()
        .map(|format| format.name)
        .find(|name| *name == asked)
        .ok_or_else(|| Error::Internal(format!("there is no output format {asked}")))
}

/// `--record`: what it is to hold is said by the name.
pub(super) fn recording(args: &Recording) -> Result<Option<recording::Plan>, Error> {
    let path = args.record.clone();
    path.map(|path| recording::Plan::new(path, args.force))
        .transpose()
}

/// `--secret NAME=VALUE`
pub(super) fn secrets(
    typed: &[String],
    environment: &Environment,
) -> Result<Vec<NamedSecret>, Error> {
    typed
        .iter()
        .map(|typed| NamedSecret::parse(typed, |name| environment.get(name)?.into_string().ok()))
        .collect()
}
