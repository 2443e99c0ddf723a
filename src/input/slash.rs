//! Slash commands: what a typed line that begins with `/` asks for. `//` sends a slash.
//!
//! [`SLASH`] is the registry; help and completion read it.

use std::path::{Path, PathBuf};

use super::Input;
use super::file::{self, Pieces};
use crate::model::command::Command;
use crate::model::control::Control;
use crate::model::message::Message;
use crate::text::command::{self, split_word};
use crate::text::nearest::nearest;
use crate::text::sanitize;

/// One slash command.
pub struct Slash {
    /// With its slash.
    pub name: &'static str,
    pub args: &'static str,
    pub about: &'static str,
    parse: fn(&str) -> Result<Input, String>,
}

/// All of them, in the order of the help.
pub const SLASH: &[Slash] = &[
    Slash {
        name: "/ping",
        args: "[text]",
        about: "send a ping",
        parse: |args| command::ping(args).map(Input::from),
    },
    Slash {
        name: "/pong",
        args: "[text]",
        about: "send a pong that nobody asked for",
        parse: |args| command::pong(args).map(Input::from),
    },
    Slash {
        name: "/close",
        args: "[code] [reason]",
        about: "send a Close frame, without a code if none is given",
        parse: |args| command::close(args).map(Input::from),
    },
    Slash {
        name: "/bin",
        args: "hex:..|base64:..",
        about: "send a binary message",
        parse: |args| command::binary(args).map(Input::from),
    },
    Slash {
        name: "/frame",
        args: "op=N [fin=0] ..",
        about: "send a raw frame, legal or not: [rsv=100], then hex:.., base64:.. or text",
        parse: |args| command::frame(args).map(Input::from),
    },
    Slash {
        name: "/file",
        args: "PATH [--chunks]",
        about: "send a file as one binary message, or announced and in chunks of 64 KiB",
        parse: send_file,
    },
    Slash {
        name: "/json",
        args: "",
        about: "indent JSON messages, or stop it",
        parse: |args| bare(args, Control::Json),
    },
    Slash {
        name: "/headers",
        args: "",
        about: "show the opening handshake, both ways",
        parse: |args| bare(args, Control::Headers),
    },
    Slash {
        name: "/stats",
        args: "",
        about: "show counters and round trips",
        parse: |args| bare(args, Control::Stats),
    },
    Slash {
        name: "/state",
        args: "",
        about: "show the state of the connection",
        parse: |args| bare(args, Control::State),
    },
    Slash {
        name: "/reconnect",
        args: "",
        about: "close and connect again",
        parse: |args| bare(args, Control::Reconnect),
    },
    Slash {
        name: "/record",
        args: "[FILE]",
        about: "record to a file; without one, stop recording",
        parse: |args| Ok(Control::Record((!args.is_empty()).then(|| args.into())).into()),
    },
    Slash {
        name: "/to",
        args: "ID text",
        about: "send to one client only (listen)",
        parse: to,
    },
    Slash {
        name: "/tui",
        args: "",
        about: "go on in the full screen (F2)",
        parse: |args| bare(args, Control::Screen),
    },
    Slash {
        name: "/line",
        args: "",
        about: "go on in lines (F2)",
        parse: |args| bare(args, Control::Line),
    },
    Slash {
        name: "/help",
        args: "",
        about: "show this list",
        parse: |args| bare(args, Control::Help),
    },
    Slash {
        name: "/quit",
        args: "",
        about: "close the connection and leave",
        parse: |args| bare(args, Control::Quit),
    },
];

/// The list that `/help` shows, a line for each.
pub fn help() -> impl Iterator<Item = String> {
    let slashes = SLASH.iter().map(|slash| {
        let usage = format!("{} {}", slash.name, slash.args);
        format!("{usage:<24} {}", slash.about)
    });
    slashes.chain([format!("{:<24} send /text", "//text")])
}

/// The commands that a line may become when more of its name is typed, or that it names.
pub fn completions(line: &str) -> impl Iterator<Item = &'static Slash> {
    let is_name = line.starts_with('/') && !line.contains(char::is_whitespace);
    SLASH
        .iter()
        .filter(move |slash| is_name && slash.name.starts_with(line))
}

/// The command that a line begins with.
pub fn named(line: &str) -> Option<&'static Slash> {
    let (name, _) = split_word(line);
    SLASH.iter().find(|slash| slash.name == name)
}

impl Slash {
    /// The name as completion types it: with a blank where arguments follow.
    pub fn completed(&self) -> String {
        let gap = if self.args.is_empty() { "" } else { " " };
        format!("{}{gap}", self.name)
    }
}

/// What a line asks for: a slash command, or to be sent as text.
pub fn parse(line: &str) -> Input {
    let Some(rest) = line.strip_prefix('/') else {
        return Command::Send(Message::text(line)).into();
    };
    if rest.starts_with('/') {
        return Command::Send(Message::text(rest)).into();
    }
    let (name, args) = split_word(line);
    let Some(slash) = named(line) else {
        return Input::Wrong(unknown(name));
    };
    (slash.parse)(args).unwrap_or_else(|problem| Input::Wrong(format!("{name}: {problem}")))
}

/// Whether a line asks something of the program itself, which needs no connection.
pub fn is_control(line: &str) -> bool {
    !line.starts_with("//")
        && line.starts_with('/')
        // `/file` would be read for nothing.
        && split_word(line).0 != "/file"
        && !matches!(parse(line), Input::Command(_) | Input::Control(Control::To(..)))
}

impl From<Command> for Input {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

impl From<Control> for Input {
    fn from(control: Control) -> Self {
        Self::Control(control)
    }
}

fn bare(args: &str, control: Control) -> Result<Input, String> {
    if args.is_empty() {
        Ok(control.into())
    } else {
        Err("takes no arguments".into())
    }
}

fn send_file(args: &str) -> Result<Input, String> {
    let in_pieces = args.strip_suffix("--chunks").map(str::trim_end);
    let path = in_pieces.unwrap_or(args);
    if path.is_empty() {
        return Err("give the path of a file".into());
    }
    if in_pieces.is_none() {
        return file::whole(path).map(|message| Command::Send(message).into());
    }
    // Opened again when its turn comes; what is wrong with it is said here.
    Pieces::open(Path::new(path))?;
    Ok(Input::File(PathBuf::from(path)))
}

fn to(args: &str) -> Result<Input, String> {
    let (id, rest) = split_word(args);
    let id = id
        .parse()
        .map_err(|_| "give the number of a client, then what to send".to_owned())?;
    if rest.is_empty() {
        return Err(format!("nothing to send to client {id}"));
    }
    match parse(rest) {
        Input::Command(command) => Ok(Control::To(id, command).into()),
        Input::Control(_) => Err("only what is sent can be sent to one client".into()),
        Input::File(_) => Err("a file in chunks goes to everyone: /file without /to".into()),
        Input::Wrong(problem) => Err(problem),
    }
}

fn unknown(name: &str) -> String {
    let shown = sanitize::line(name);
    let nearest = nearest(name, SLASH.iter().map(|slash| slash.name))
        .map(|nearest| format!("did you mean {nearest}?"));
    let advice = nearest.unwrap_or_else(|| "/help lists them".into());
    format!("{shown} is not a command: {advice} (// sends a slash)")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bytes::Bytes;

    use super::*;
    use crate::model::close::{CloseCode, CloseFrame};

    fn wrong(line: &str) -> String {
        match parse(line) {
            Input::Wrong(problem) => problem,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn lines_are_sent_and_commands_are_carried_out() {
        let text = |text: &str| Input::from(Command::Send(Message::text(text)));
        let close = |code, reason: &str| {
            let frame = CloseFrame::new(CloseCode(code), reason).unwrap();
            Input::from(Command::Close(Some(frame)))
        };
        for (line, input) in [
            ("hello", text("hello")),
            ("", text("")),
            (" /ping", text(" /ping")),
            ("//x y", text("/x y")),
            ("///", text("//")),
            ("/ping", Command::Ping(Bytes::new()).into()),
            ("/ping a  b ", Command::Ping("a  b".into()).into()),
            ("/pong x", Command::Pong("x".into()).into()),
            ("/close", Command::Close(None).into()),
            ("/close 4001", close(4001, "")),
            ("/close 1000 see you", close(1000, "see you")),
            (
                "/bin hex:00 ff",
                Command::Send(Message::binary(vec![0, 0xff])).into(),
            ),
            (
                "/bin base64:AP8=",
                Command::Send(Message::binary(vec![0, 0xff])).into(),
            ),
            ("/stats", Control::Stats.into()),
            ("/quit", Control::Quit.into()),
            (
                "/record a b.wst",
                Control::Record(Some("a b.wst".into())).into(),
            ),
            ("/record", Control::Record(None).into()),
            (
                "/to 3 hi there",
                Control::To(3, Command::Send(Message::text("hi there"))).into(),
            ),
            (
                "/to 3 /ping x",
                Control::To(3, Command::Ping("x".into())).into(),
            ),
        ] {
            assert_eq!(parse(line), input, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_what_to_try() {
        assert_eq!(
            wrong("/pnig"),
            "/pnig is not a command: did you mean /ping? (// sends a slash)"
        );
        for (line, part) in [
            ("/", "is not a command"),
            ("/etc/passwd", "/help lists them"),
            ("/recnnect", "/reconnect"),
            ("/\x1b[2J", "\\x1b[2J"),
            ("/close 9", "1000-1003"),
            ("/close 1006", "may not be sent"),
            ("/close abc", "try /close 1000 abc"),
            ("/close 70000", "is not a close code"),
            ("/bin ff", "hex:"),
            ("/bin hex:f", "without its second"),
            ("/bin base64:*", "character 1"),
            ("/file", "path"),
            ("/file /", "not a regular file"),
            (
                "/file no/such/file",
                "no/such/file: no such file or directory",
            ),
            ("/file no/such/file --chunks", "no such file"),
            ("/file --chunks", "path"),
            ("/to 3 /file Cargo.toml --chunks", "everyone"),
            ("/stats now", "no arguments"),
            ("/to x hi", "number of a client"),
            ("/to 3", "nothing to send"),
            ("/to 3 /stats", "only what is sent"),
            ("/to 3 /close 9", "/close: close code 9"),
        ] {
            assert!(wrong(line).contains(part), "{line}: {}", wrong(line));
        }
    }

    #[test]
    fn control_frames_carry_125_bytes_at_most() {
        let fits = "é".repeat(62);
        assert!(matches!(parse(&format!("/ping {fits}")), Input::Command(_)));
        assert!(wrong(&format!("/pong {fits}éé")).contains("128 bytes"));
        assert!(wrong(&format!("/close 1000 {fits}")).contains("124 bytes"));
    }

    #[test]
    fn a_file_is_one_binary_message() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"\0\n\xff").unwrap();
        let line = format!("/file {}", file.path().display());
        assert_eq!(
            parse(&line),
            Command::Send(Message::binary(&b"\0\n\xff"[..])).into()
        );
        assert_eq!(
            parse(&format!("{line}  --chunks")),
            Input::File(file.path().to_owned())
        );
    }

    #[test]
    fn only_what_is_not_sent_needs_no_connection() {
        for line in ["/quit", "/help", "/pnig", "/close 9"] {
            assert!(is_control(line), "{line}");
        }
        for line in ["hi", "//x", "/ping", "/to 1 x", "/file x", "/close"] {
            assert!(!is_control(line), "{line}");
        }
    }

    #[test]
    fn the_help_lists_every_command() {
        let lines: Vec<String> = help().collect();
        assert_eq!(lines.len(), SLASH.len() + 1);
        assert_eq!(lines[0], "/ping [text]             send a ping");
        let column = |line: &String| line.as_bytes()[24] == b' ' && line.as_bytes()[25] != b' ';
        assert!(lines.iter().all(column), "{lines:#?}");
    }

    #[test]
    fn the_registry_has_no_doubles() {
        for (at, slash) in SLASH.iter().enumerate() {
            assert!(slash.name.starts_with('/') && !slash.about.is_empty());
            assert!(SLASH[..at].iter().all(|other| other.name != slash.name));
        }
    }
}
