//! `--generate`: man pages, shell completions and the README's list of flags, all from the
//! declarations in `args`. The repository holds what it writes; a test compares them.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::args::{EXAMPLES, Top, logging};
use crate::error::{Error, ExitCode};
use crate::text::nearest::nearest;

const KINDS: [&str; 3] = ["man", "completions", "readme-flags"];

const FILES: &[(&str, &str)] = &[
    (
        "$XDG_CONFIG_HOME/wscope/config.toml",
        "Flags by their long names, in [defaults] for every run and in [endpoint.NAME], with a url, for the target @NAME. What is typed beats the environment, which beats the file.",
    ),
    (
        "$XDG_STATE_HOME/wscope/history",
        "What was typed. A line that begins with a space is not kept.",
    ),
    (
        "$XDG_STATE_HOME/wscope/baselines/NAME.json",
        "Results that bench --save-baseline has kept.",
    ),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("NO_COLOR", "No colours, unless --color asks for them."),
    (
        "CI",
        "The config file is ignored, unless --config names one.",
    ),
    (
        "http_proxy, https_proxy, all_proxy, no_proxy",
        "The proxy for ws, for wss, for both, and the hosts that are reached without one, unless --proxy or --no-proxy is given. In capitals too, but for HTTP_PROXY.",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "The certificates that are trusted instead of the system's.",
    ),
    (
        "SSLKEYLOGFILE",
        "The secrets of TLS connections are appended to this file, for Wireshark.",
    ),
];

/// A file to be written: its name and its contents.
type File = (String, Vec<u8>);

/// Carries out `--generate WHAT [DIR]`; the answer goes to stdout.
///
/// # Errors
/// [`Error::Usage`] for another word, [`Error::Io`] where a file cannot be written.
pub(super) fn generate(words: &[String]) -> Result<String, Error> {
    let kind = words.first().map(String::as_str).unwrap_or_default();
    let files = match kind {
        "man" => man()?,
        "completions" => completions(),
        "readme-flags" => return Ok(readme_flags()),
        _ => {
            let meant = nearest(kind, KINDS).map(|name| format!("did you mean {name}?"));
            return Err(Error::Usage {
                message: format!("--generate takes {}, not \"{kind}\"", KINDS.join(", ")),
                hint: meant,
            });
        }
    };
    let directory = Path::new(words.get(1).map_or(kind, String::as_str));
    let mut said = String::new();
    for (name, contents) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(directory)
            .and_then(|()| std::fs::write(&path, contents))
            .map_err(|cause| Error::Io {
                doing: format!("writing {}", path.display()),
                cause,
            })?;
        let _ = writeln!(said, "{}", path.display());
    }
    Ok(said)
}

/// Every command and every tool of one, with its name.
fn commands(top: &Command) -> impl Iterator<Item = (String, &Command)> {
    top.get_subcommands().flat_map(|command| {
        let own = (command.get_name().to_owned(), command);
        let tools = command.get_subcommands().map(move |tool| {
            let name = format!("{} {}", command.get_name(), tool.get_name());
            (name, tool)
        });
        std::iter::once(own).chain(tools)
    })
}

/// `wscope.1`, and one page for each subcommand.
fn man() -> Result<Vec<File>, Error> {
    let top = built();
    let mut files = vec![page(&top, "wscope")?];
    for (name, command) in commands(&top) {
        files.push(page(
            command,
            &format!("wscope-{}", name.replace(' ', "-")),
        )?);
    }
    Ok(files)
}

fn page(command: &Command, name: &str) -> Result<File, Error> {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    // What ends a long help is laid out for a terminal; here it becomes sections.
    let command = command
        .clone()
        .display_name(name.to_owned())
        .override_usage(usage)
        .after_help(None)
        .after_long_help(None);
    let man = Man::new(command.clone()).date("").source(version());
    let mut text = Vec::new();
    render(&man, &command, &mut text).map_err(|cause| Error::Io {
        doing: format!("rendering {name}.1"),
        cause,
    })?;
    Ok((format!("{name}.1"), text))
}

fn render(man: &Man, command: &Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    man.render_title(text)?;
    man.render_name_section(text)?;
    man.render_synopsis_section(text)?;
    man.render_description_section(text)?;
    man.render_options_section(text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(text)?;
    }
    if command.get_name() == "wscope" {
        examples().to_writer(text)?;
        surroundings().to_writer(text)?;
    }
    exit_status().to_writer(text)
}

fn examples() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in EXAMPLES.lines().skip(1) {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff
}

fn surroundings() -> Roff {
    let mut roff = Roff::new();
    let sections = [("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT)];
    for (section, items) in sections {
        roff.control("SH", [section]);
        for (name, meaning) in items {
            roff.control("TP", []);
            roff.text([bold(*name)]);
            roff.text([roman(*meaning)]);
        }
    }
    roff
}

fn exit_status() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in ExitCode::TABLE {
        roff.control("TP", []);
        roff.text([bold(*code)]);
        roff.text([roman(*meaning)]);
    }
    roff
}

fn completions() -> Vec<File> {
    let shells = [
        (Shell::Bash, "wscope.bash"),
        (Shell::Zsh, "_wscope"),
        (Shell::Fish, "wscope.fish"),
    ];
    shells
        .map(|(shell, name)| {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Top::command(), "wscope", &mut script);
            (name.to_owned(), script)
        })
        .into()
}

/// A Markdown list of each subcommand's flags, one line per heading.
fn readme_flags() -> String {
    let top = built();
    let mut text = String::new();
    for (name, command) in commands(&top) {
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        let _ = writeln!(text, "**`wscope {name}`**: {about}\n");
        let mut headings: Vec<&str> = Vec::new();
        for arg in shown(command) {
            let heading = arg.get_help_heading().unwrap_or_default();
            if !headings.contains(&heading) {
                headings.push(heading);
            }
        }
        for heading in headings {
            let flags = shown(command)
                .filter(|arg| arg.get_help_heading().unwrap_or_default() == heading)
                .map(spelling)
                .collect::<Vec<_>>();
            let _ = writeln!(text, "- {heading}: {}", flags.join(" · "));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The flags of a command that help shows, without `--help` itself.
fn shown(command: &Command) -> impl Iterator<Item = &Arg> {
    command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && arg.get_long().is_some_and(|long| long != "help"))
}

/// "`-n, --count N`".
fn spelling(arg: &Arg) -> String {
    let mut text = String::from("`");
    if let Some(short) = arg.get_short() {
        let _ = write!(text, "-{short}, ");
    }
    let _ = write!(text, "--{}", arg.get_long().unwrap_or_default());
    if arg.get_action().takes_values() {
        let _ = write!(
            text,
            " {}",
            arg.get_value_names().unwrap_or_default().join(" ")
        );
    }
    text.push('`');
    text
}

/// The whole command with what clap adds when it is used, but for `help`, which needs no page.
fn built() -> Command {
    let mut top = Top::command()
        .disable_help_subcommand(true)
        .mut_subcommands(logging);
    top.build();
    top
}

fn version() -> String {
    format!("wscope {}", env!("CARGO_PKG_VERSION"))
}
