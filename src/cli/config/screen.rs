//! Whether the full screen opens, and how it looks and listens.

use std::ffi::OsStr;

use jiff::tz::TimeZone;

use super::Setup;
use super::environment::{Environment, HISTORY};
use super::file::Keys;
use crate::cli::args::{Bench, Connect, Look, Screen, ServeScreen};
use crate::command::bench::live::Live;
use crate::command::saving;
use crate::error::Error;
use crate::model::units::{show_duration, show_size};
use crate::session::connection;
use crate::text::style::Style;
use crate::tui::bench::screen as bench;
use crate::tui::connect::Setup as ConnectSetup;
use crate::tui::connect::screen;
use crate::tui::editor;
use crate::tui::serve::screen as serve;
use crate::tui::theme::{self, Colours};
use crate::view;

/// The smallest terminal, columns and rows, on which the screen opens by itself.
const ROOM: (u16, u16) = (60, 15);

/// Whether `connect` opens it: where a person sits at a terminal that has room for it, and nothing
/// asks for lines.
pub(super) fn opens(setup: &Setup<'_>, args: &Connect) -> Result<bool, Error> {
    if args.screen.tui {
        return forced(setup.environment, "--tui").map(|()| true);
    }
    let (session, conversation, output) = (&args.session, &args.conversation, &args.output);
    let asks_for_lines = conversation.line
        || conversation.plain
        || output.json
        || output.parse
        || output.output.is_some()
        || !session.execute.is_empty()
        || session.execute_file.is_some()
        || session.count.is_some()
        || session.until.is_some()
        || session.input.is_some()
        || session.binary.is_some()
        || setup.typed.wscat;
    Ok(!asks_for_lines && suits(setup.environment))
}

/// Whether the terminal is one that a full screen suits.
fn suits(environment: &Environment) -> bool {
    let has_room = environment
        .terminal_size
        .is_some_and(|(width, height)| width >= ROOM.0 && height >= ROOM.1);
    is_possible(environment)
        && has_room
        && environment.in_foreground
        && environment.get("CI").is_none()
}

fn is_possible(environment: &Environment) -> bool {
    environment.is_conversation() && environment.get("TERM").is_none_or(|term| term != "dumb")
}

/// `--tui` and `--live tui` open it wherever that is possible.
pub(super) fn forced(environment: &Environment, flag: &str) -> Result<(), Error> {
    if is_possible(environment) {
        return Ok(());
    }
    Err(Error::usage_hint(
        format!("{flag} needs a terminal for input and output"),
        "without it messages are printed in lines",
    ))
}

pub(super) fn plan(setup: &Setup<'_>, args: &Screen, view: &view::Plan) -> screen::Plan {
    let environment = setup.environment;
    let look = look(setup, &args.look, view);
    screen::Plan {
        setup: ConnectSetup {
            theme: look.theme,
            colours: look.colours,
            ascii: look.ascii,
            mouse: look.mouse,
            keymap: keys(setup).connect,
            zone: look.zone,
            filter: look.filter,
        },
        history: environment
            .state_folder()
            .map(|folder| folder.join(HISTORY)),
        editor: editor::command(|name| environment.get(name)),
        is_tmux: environment.get("TMUX").is_some(),
        saver: saving::save,
    }
}

/// That of a server, if it was asked for.
pub(super) fn of_server(
    setup: &Setup<'_>,
    args: &ServeScreen,
    view: &view::Plan,
) -> Result<Option<serve::Setup>, Error> {
    if !args.tui {
        return Ok(None);
    }
    forced(setup.environment, "--tui")?;
    Ok(Some(look(setup, &args.look, view)))
}

/// The keys of all screens.
fn keys(setup: &Setup<'_>) -> Keys {
    let file = setup.file.as_ref();
    file.map_or_else(Keys::default, |file| file.keys.clone())
}

/// What is shown of a load.
pub(super) fn of_bench(setup: &Setup<'_>, args: &Bench) -> Result<Live, Error> {
    let environment = setup.environment;
    let live = match args.results.live.as_str() {
        "tui" => {
            forced(environment, "--live tui")?;
            None
        }
        "auto" if suits(environment) && environment.stderr_is_terminal => None,
        "auto" if !environment.stderr_is_terminal => Some(Live::Nothing),
        "none" => Some(Live::Nothing),
        _ => Some(Live::Lines),
    };
    match live {
        Some(_) if args.screen.stay => Err(Error::usage_hint(
            "--stay keeps the full screen, and none opens here",
            "--live tui opens it wherever there is a terminal",
        )),
        Some(live) => Ok(live),
        None => {
            let choice = args.results.color.unwrap_or_default();
            let style = Style::decide(choice, true, |name| environment.get(name));
            let (colours, ascii) = (colours(setup), is_ascii(environment, &args.screen.look));
            let theme = theme(environment, &args.screen.look, style.is_colourful());
            Ok(Live::Screen(Box::new(bench::Setup {
                theme: ConnectSetup::theme(theme, &colours, ascii),
                colours,
                ascii,
                mouse: args.screen.look.mouse,
                keymap: keys(setup).bench,
                stay: args.screen.stay,
            })))
        }
    }
}

fn colours(setup: &Setup<'_>) -> Colours {
    let file = setup.file.as_ref();
    file.map_or_else(Colours::default, |file| file.colours.clone())
}

fn is_ascii(environment: &Environment, args: &Look) -> bool {
    args.ascii || !is_utf8(environment)
}

fn look(setup: &Setup<'_>, args: &Look, view: &view::Plan) -> serve::Setup {
    let environment = setup.environment;
    let (colours, ascii) = (colours(setup), is_ascii(environment, args));
    let theme = theme(environment, args, view.data_style.is_colourful());
    serve::Setup {
        theme: ConnectSetup::theme(theme, &colours, ascii),
        colours,
        ascii,
        mouse: args.mouse,
        keymap: keys(setup).serve,
        zone: TimeZone::system(),
        filter: view.select.as_filter(),
    }
}

/// `--theme` beats the absence of colours, which beats what the terminal tells of its background.
fn theme<'a>(environment: &Environment, args: &'a Look, is_colourful: bool) -> &'a str {
    match args.theme.as_deref() {
        Some(name) if name != theme::AUTO => name,
        _ if !is_colourful => theme::MONO,
        _ => {
            let colours = environment.get("COLORFGBG");
            theme::auto(colours.as_deref().and_then(OsStr::to_str))
        }
    }
}

/// Whether the locale is UTF-8, as POSIX names it; a system without a locale is taken for a modern
/// one.
pub(super) fn is_utf8(environment: &Environment) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| environment.get(name));
    locale.is_none_or(|locale| {
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// What was set up, in a few words each: the second line of a large screen.
pub(super) fn words(args: &Connect, connection: &connection::Plan) -> Vec<String> {
    let session = &args.session;
    let mut words = Vec::new();
    match session.on_open.len() + session.execute.len() {
        0 => {}
        1 => words.push("on open 1 message".to_owned()),
        count => words.push(format!("on open {count} messages")),
    }
    match session.reply.len() {
        _ if session.echo => words.push("echo".to_owned()),
        0 => {}
        1 => words.push("1 rule replies".to_owned()),
        count => words.push(format!("{count} rules reply")),
    }
    words.push(match &connection.heartbeat {
        None => "no heartbeat".to_owned(),
        Some(heartbeat) => format!("heartbeat {}", show_duration(heartbeat.interval)),
    });
    if !connection.auto_pong {
        words.push("pings are not answered".to_owned());
    }
    words.push(if session.reconnect {
        format!("reconnects, {} retries", session.max_retries)
    } else {
        "does not reconnect".to_owned()
    });
    if let Some(path) = &args.recording.record {
        words.push(format!("records to {}", path.display()));
    }
    words.push(format!(
        "messages up to {}",
        show_size(connection.max_message_size as u64)
    ));
    words
}
