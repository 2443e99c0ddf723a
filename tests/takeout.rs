//! What a person takes out of the full screen and puts into it: copies, files, an editor's text, the
//! mouse, colours and keys of one's own.

mod harness;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::captured::Captured;
use harness::program::wscope;
use harness::raw::RawServer;
use harness::served::serve;
use harness::terminal::{CTRL_C, ENTER, ESC, SIZE, Terminal};
use portable_pty::CommandBuilder;
use serde_json::Value;
use tempfile::TempDir;

const DOWN: &str = "\x1b[B";
const CTRL_U: &str = "\x15";
const CTRL_X_CTRL_E: &str = "\x18\x05";

/// A screen on an echo server that was told this, with the keys in the list.
#[track_caller]
fn told(mut terminal: Terminal, text: &str) -> Terminal {
    terminal.shows("1 OPEN");
    terminal.line(text);
    terminal.until("the message and its echo", |screen| {
        screen.contents().matches(text).count() == 2
    });
    terminal.keys(ESC);
    terminal.shows("? help");
    terminal
}

#[track_caller]
fn quits(mut terminal: Terminal) -> Vec<u8> {
    terminal.keys("q");
    let (code, raw) = terminal.exits();
    assert_eq!(code, 0);
    raw
}

/// The text that the terminal was asked to put into the clipboard.
fn copied(raw: &[u8]) -> Option<String> {
    let raw = String::from_utf8_lossy(raw);
    let (_, rest) = raw.rsplit_once("\x1b]52;c;")?;
    let bytes = BASE64.decode(rest.split('\x07').next()?).ok()?;
    String::from_utf8(bytes).ok()
}

/// An executable file with a shell script.
fn script(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The screen on a URL in what looks like tmux, with this in the place of its program.
fn in_tmux(folder: &TempDir, url: &str, tmux: &str) -> Terminal {
    script(folder, "tmux", tmux);
    let mut command = CommandBuilder::new("/bin/sh");
    command.args([
        "-c",
        "PATH=$1:$PATH TMUX=/tmp/tmux,1,0 exec \"$2\" connect \"$3\"",
        "sh",
        folder.path().to_str().unwrap(),
        env!("CARGO_BIN_EXE_wscope"),
        url,
    ]);
    Terminal::run(command, SIZE, None, Captured::follow)
}

#[test]
fn a_payload_is_given_to_the_terminals_clipboard() {
    let server = serve(&[]);
    let start = Terminal::start(&["connect", server.url()]);
    let mut terminal = told(start, "copy me");
    terminal.keys("y");
    terminal.shows("7 B are given to the terminal's clipboard");
    assert_eq!(copied(&quits(terminal)).as_deref(), Some("copy me"));
}

#[test]
fn in_tmux_a_copy_goes_into_its_buffer() {
    let server = serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let (buffer, args) = (folder.path().join("buffer"), folder.path().join("args"));
    let tmux = format!(
        "echo \"$*\" > {}; cat > {}",
        args.display(),
        buffer.display()
    );
    let mut terminal = told(in_tmux(&folder, server.url(), &tmux), "copy me");
    terminal.keys("y");
    terminal.shows("7 B are in tmux's buffer");
    assert_eq!(copied(&quits(terminal)), None);
    assert_eq!(fs::read_to_string(buffer).unwrap(), "copy me");
    assert_eq!(fs::read_to_string(args).unwrap(), "load-buffer -w -\n");
}

#[test]
fn where_tmux_takes_nothing_the_terminal_is_asked() {
    let server = serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let tmux = "echo \"unknown flag -w\" >&2; exit 1";
    let mut terminal = told(in_tmux(&folder, server.url(), tmux), "copy me");
    terminal.keys("y");
    terminal.shows("7 B are given to the terminal's clipboard");
    let raw = quits(terminal);
    assert!(String::from_utf8_lossy(&raw).contains("\x1bPtmux;\x1b\x1b]52;c;"));
    assert_eq!(copied(&raw).as_deref(), Some("copy me"));
}

#[test]
fn a_conversation_is_copied_as_a_transcript_that_runs() {
    let server = serve(&[]);
    let start = Terminal::start(&["connect", server.url()]);
    let mut terminal = told(start, "{\"id\":1}");
    terminal.keys("Y");
    terminal.shows("transcript lines");
    for _ in 0..9 {
        terminal.keys(DOWN);
    }
    terminal.keys(ENTER);
    terminal.shows("given to the terminal's clipboard");
    let line = copied(&terminal.raw()).expect("a copy");
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.starts_with("< "), "{line}");
    terminal.keys("Y");
    terminal.shows("transcript lines");
    for _ in 0..9 {
        terminal.keys(DOWN);
    }
    terminal.keys("a");
    terminal.until("the list again", |screen| {
        !screen.contents().contains("transcript lines")
    });
    let transcript = copied(&quits(terminal)).expect("a copy");
    assert!(transcript.contains("connect "), "{transcript}");
    assert!(transcript.contains("> {\"id\":1}"), "{transcript}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copied.wst");
    fs::write(&file, &transcript).unwrap();
    wscope(&["test", file.to_str().unwrap()])
        .spawn()
        .wait()
        .code(0);
}

/// Saves the list under a name, and reads what was written.
#[track_caller]
fn saved(terminal: &mut Terminal, name: &str) -> String {
    terminal.keys("S");
    terminal.shows("Save the list to");
    terminal.keys(CTRL_U);
    terminal.line(name);
    terminal.shows(&format!("saved to {name}"));
    fs::read_to_string(terminal.home().join(name)).unwrap()
}

#[test]
fn a_list_is_saved_with_the_handshake() {
    let server = serve(&[]);
    let start = Terminal::start(&["connect", server.url(), "-H", "X-Team: blue"]);
    let mut terminal = told(start, "hello");
    let archive: Value = serde_json::from_str(&saved(&mut terminal, "list.har")).unwrap();
    let entry = &archive["log"]["entries"][0];
    let headers = entry["request"]["headers"].as_array().expect("headers");
    assert!(
        headers.iter().any(|header| header["name"] == "X-Team"),
        "{headers:?}"
    );
    assert_eq!(entry["response"]["status"], 101, "{entry}");
    assert_eq!(
        entry["_webSocketMessages"].as_array().map(Vec::len),
        Some(2)
    );
    let transcript = saved(&mut terminal, "list.wst");
    assert!(transcript.contains("X-Team: blue"), "{transcript}");
    quits(terminal);
}

#[test]
fn a_message_is_written_in_an_editor() {
    let server = serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let editor = script(&folder, "editor", "printf ' and more' >> \"$1\"");
    let variable = Some(("EDITOR", editor.to_str().unwrap()));
    let mut terminal = Terminal::start_with(&["connect", server.url()], variable);
    terminal.shows("1 OPEN");
    terminal.keys("some");
    terminal.shows("txt> some");
    terminal.keys(CTRL_X_CTRL_E);
    terminal.until("the screen with what the editor wrote", |screen| {
        screen.alternate_screen() && screen.contents().contains("txt> some and more")
    });
    terminal.keys(ENTER);
    terminal.until("the message and its echo", |screen| {
        screen.contents().matches("13B  some and more").count() == 2
    });
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn the_mouse_chooses_where_it_may() {
    use vt100::MouseProtocolMode;

    let server = serve(&[]);
    let mut terminal = told(Terminal::start(&["connect", server.url()]), "first");
    assert_eq!(
        terminal.screen().mouse_protocol_mode(),
        MouseProtocolMode::None
    );
    terminal.keys("m");
    terminal.until("the mouse", |screen| {
        screen.mouse_protocol_mode() != MouseProtocolMode::None
    });
    let contents = terminal.screen().contents();
    let row = contents.lines().position(|line| line.contains("> TXT"));
    let row = row.expect("what was sent") + 1;
    terminal.keys(&format!("\x1b[<0;30;{row}M\x1b[<0;30;{row}m"));
    terminal.until("the row is chosen", |screen| {
        let contents = screen.contents();
        let line = contents.lines().nth(row - 1).unwrap_or_default();
        line.starts_with('>') && line.contains("> TXT")
    });
    terminal.keys("m");
    terminal.until("no mouse", |screen| {
        screen.mouse_protocol_mode() == MouseProtocolMode::None
    });
    quits(terminal);
}

#[test]
fn a_screen_that_is_kept_stays_above_the_summary() {
    let server = serve(&[]);
    let mut terminal = told(Terminal::start(&["connect", server.url()]), "keep me");
    terminal.keys("Q");
    terminal.says("sent 1 message");
    let (code, raw) = terminal.exits();
    assert_eq!(code, 0);
    let raw = String::from_utf8_lossy(&raw);
    let (_, after) = raw.rsplit_once("\x1b[?1049l").expect("the screen was left");
    let (picture, summary) = (after.find("< TXT"), after.find("received 1 message"));
    assert!(picture.is_some() && picture < summary, "{after}");
}

#[test]
fn each_row_says_which_target_it_belongs_to() {
    let peer = |text: &'static str| {
        RawServer::open(move |peer| {
            peer.send_text(text);
            peer.finish_close();
        })
    };
    let (one, two) = (peer("from one"), peer("from two"));
    let args = ["listen", "--tui", &one.url(), &two.url()];
    let mut terminal = Terminal::sized(&args, (110, 24));
    terminal.until("both messages, with where they come from", |screen| {
        let contents = screen.contents();
        let says = |text: &str, address: String| {
            contents
                .lines()
                .any(|line| line.contains(text) && line.contains(&address))
        };
        contents.contains("2 of 2 open")
            && says("from one", one.address())
            && says("from two", two.address())
    });
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

fn config(folder: &TempDir, text: &str) -> String {
    let path: &Path = folder.path();
    let path = path.join("config.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn colours_are_ones_own_where_there_are_any() {
    let server = serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder, "[theme]\nincoming = '#010203'\n");
    let args = ["connect", "--config", &path, server.url()];
    let shown = |terminal| {
        let raw = quits(told(terminal, "hello"));
        String::from_utf8_lossy(&raw).contains("38;2;1;2;3")
    };
    assert!(shown(Terminal::start(&args)));
    assert!(!shown(Terminal::start_with(&args, Some(("NO_COLOR", "1")))));
}

#[test]
fn keys_that_mean_two_things_are_an_error_that_names_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder, "[keys]\npause = 'f'\n");
    let run = wscope(&["connect", "demo", "--config", &path])
        .spawn()
        .wait();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    let both = "line 2: f means both follow and pause";
    assert!(said.contains(both), "{said}");
    run.code(2);
}

#[test]
fn a_letter_soon_after_esc_is_no_alt() {
    let server = serve(&[]);
    let mut terminal = Terminal::start(&["connect", server.url()]);
    terminal.shows("1 OPEN");
    terminal.keys("\x1b?");
    terminal.shows("While you type");
    terminal.keys("\x1bq");
    assert_eq!(terminal.exits().0, 0);
}
