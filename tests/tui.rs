//! The full screen on a terminal: when it opens, that one can talk in it, that the terminal is given
//! back in any case, that lines and screen change places, and that a hostile peer does no harm.

mod harness;

use std::io::{Read as _, Write as _};
use std::sync::mpsc;
use std::thread;

use harness::DEADLINE;
use harness::captured::Captured;
use harness::program::{clean_environment, wscope};
use harness::raw::{PING, QuietPort, RawServer};
use harness::served::serve;
use harness::terminal::{CTRL_C, CTRL_Z, ENTER, ESC, F2, SIZE, Terminal};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// Whether the screen is open and says so.
fn opens(terminal: &Terminal) {
    terminal.until("an open connection on the screen", |screen| {
        screen.alternate_screen() && screen.contents().contains("1 OPEN")
    });
}

#[test]
fn a_person_talks_and_leaves_a_clean_terminal_with_three_lines() {
    let server = serve(&[]);
    let mut terminal = Terminal::start(&["connect", server.url()]);
    opens(&terminal);
    terminal.line("hello there");
    terminal.until("the message and its echo", |screen| {
        let contents = screen.contents();
        contents.contains("> TXT     11B  hello there")
            && contents.contains("< TXT     11B  hello there")
    });
    terminal.keys(CTRL_C);
    let (code, _) = terminal.exits();
    assert_eq!(code, 0);
    let left = terminal.screen().contents();
    let lines: Vec<&str> = left.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 3, "{left}");
    assert!(lines[0].starts_with(server.url()), "{left}");
    assert!(lines[0].contains("closed 1000 (normal closure)"), "{left}");
    assert!(lines[1].starts_with("received 1 message, 11 B"), "{left}");
    assert!(lines[2].starts_with("sent 1 message, 11 B"), "{left}");
}

#[test]
fn it_opens_only_where_nothing_asks_for_lines() {
    let server = serve(&[]);
    let url = server.url();
    let opened = |args: &[&str], size, variable| {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wscope"));
        command.args(args);
        let mut terminal = Terminal::run(command, size, variable, Captured::follow);
        terminal.until("either", |screen| {
            let contents = screen.contents();
            contents.contains("1 OPEN")
                || contents.contains("connected to")
                || contents.contains("\"open\"")
        });
        let opened = terminal.screen().alternate_screen();
        terminal.keys(CTRL_C);
        terminal.exits();
        opened
    };
    for args in [&["connect", url][..], &[url], &["connect", url, "-r", "-P"]] {
        assert!(opened(args, SIZE, None), "{args:?}");
    }
    assert!(opened(&[url], (60, 15), None));
    for args in [
        &["connect", url, "--line"][..],
        &["connect", url, "--plain"],
        &["connect", url, "--json"],
        &["connect", url, "--output", "hex"],
        &["connect", url, "--until", "\"x\""],
        &["-c", url],
        &["connect", url, "-n", "3"],
    ] {
        assert!(!opened(args, SIZE, None), "{args:?}");
    }
    assert!(!opened(&[url], (59, 15), None));
    assert!(!opened(&[url], (60, 14), None));
    assert!(!opened(&[url], SIZE, Some(("CI", "1"))));
    assert!(!opened(&[url], SIZE, Some(("TERM", "dumb"))));
    assert!(opened(&[url, "--tui"], SIZE, Some(("CI", "1"))));
    assert!(opened(&["listen", "--tui", url], SIZE, None));
}

#[test]
fn without_a_terminal_it_cannot_be_had() {
    let run = wscope(&["connect", "--tui", "ws://127.0.0.1:9/"])
        .spawn()
        .wait();
    run.code(2);
}

#[test]
fn a_port_is_listened_on_in_lines() {
    let run = wscope(&["listen", "0", "--tui"]).spawn().wait();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(said.contains("--tui has no meaning for listen 0"), "{said}");
    run.code(2);
}

#[test]
fn what_was_never_open_is_said_on_the_terminal_that_was_there_before() {
    let port = QuietPort::reserve();
    let mut terminal = Terminal::start(&["connect", &port.url()]);
    let (code, _) = terminal.exits();
    assert_eq!(code, 3);
    let left = terminal.screen().contents();
    assert!(left.contains("could not connect to 127.0.0.1"), "{left}");
}

#[test]
fn the_end_of_the_connection_leaves_everything_to_be_looked_at() {
    let server = RawServer::open(|peer| {
        peer.send_text("the last words");
        peer.send_close(1011, "boom");
        peer.drain();
    });
    let mut terminal = Terminal::sized(&["connect", &server.url()], (140, 40));
    terminal.until("the close, and what came before it", |screen| {
        let contents = screen.contents();
        contents.contains("3 CLOSED")
            && contents.contains("the connection has ended")
            && contents.contains("the last words")
            && contents.contains("1011 internal error: boom")
    });
    terminal.keys(ESC);
    terminal.shows("? help");
    terminal.keys("q");
    assert_eq!(terminal.exits().0, 8);
}

#[test]
fn a_reconnect_is_counted_down_and_what_is_typed_stays() {
    let server = RawServer::each(2, |number, peer| {
        peer.read_head();
        peer.accept();
        if number == 1 {
            peer.send_text("one");
            return peer.reset();
        }
        assert_eq!(peer.text(), "typed while it was closed");
        peer.send_text("two");
        peer.finish_close();
    });
    let args = [
        "connect",
        &server.url(),
        "-r",
        "--backoff",
        "base=3s,jitter=0",
    ];
    let mut terminal = Terminal::start(&args);
    terminal.shows("retry 1 of 8 in");
    terminal.line("typed while it was closed");
    terminal.shows("not connected: it stays here");
    opens(&terminal);
    terminal.until("that it is connected again", |screen| {
        !screen.contents().contains("not connected")
    });
    terminal.keys(ENTER);
    terminal.until("both connections", |screen| {
        let contents = screen.contents();
        contents.contains("retries 1") && contents.contains("two")
    });
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn a_message_is_found_chosen_and_sent_again() {
    let server = serve(&[]);
    let mut terminal = Terminal::start(&["connect", server.url()]);
    opens(&terminal);
    for number in 0..30 {
        terminal.line(&format!("{{\"n\":{number}}}"));
    }
    terminal.shows("{\"n\":29}");
    terminal.keys(ESC);
    terminal.shows("/ filter");
    terminal.keys("/json:/n=7");
    terminal.shows("2 hits");
    terminal.keys(ENTER);
    terminal.until("the hit is chosen", |screen| {
        screen
            .contents()
            .lines()
            .any(|line| line.starts_with('>') && line.contains("{\"n\":7}"))
    });
    terminal.keys("e");
    terminal.shows("txt> {\"n\":7}");
    terminal.keys("\x7f00}");
    terminal.keys(ENTER);
    terminal.keys(ESC);
    terminal.shows("? help");
    terminal.keys("f");
    terminal.until("the message and its echo", |screen| {
        screen.contents().matches("{\"n\":700}").count() >= 2
    });
    terminal.keys("q");
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn quitting_asks_where_something_was_typed_and_ctrl_c_clears_it_first() {
    let server = serve(&[]);
    let mut terminal = Terminal::start(&["connect", server.url()]);
    opens(&terminal);
    terminal.keys("unsent");
    terminal.shows("txt> unsent");
    terminal.keys(ESC);
    terminal.shows("? help");
    terminal.keys("q");
    terminal.shows("Quit? (y)");
    terminal.keys(ESC);
    terminal.until("the question is gone", |screen| {
        !screen.contents().contains("Quit?")
    });
    terminal.keys(CTRL_C);
    terminal.shows("cleared; Ctrl+C again quits");
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn signals_leave_a_clean_terminal() {
    for signal in ["TERM", "HUP", "INT"] {
        let server = serve(&[]);
        let mut terminal = Terminal::start(&["connect", "--mouse", server.url()]);
        opens(&terminal);
        terminal.signal(signal);
        // A person is at it: signals are a way to leave.
        assert_eq!(terminal.exits().0, 0, "{signal}");
    }
}

#[test]
fn a_terminal_that_is_gone_ends_the_program() {
    for face in ["--tui", "--line"] {
        assert_eq!(code_without_terminal(face), 0, "{face}");
    }
}

/// How the program ends when its terminal hangs up.
fn code_without_terminal(face: &str) -> u32 {
    let server = serve(&[]);
    let home = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wscope"));
    command.args(["connect", face, server.url()]);
    command.cwd(home.path());
    command.env_clear();
    command.env("TERM", "xterm-256color");
    for (name, value) in clean_environment(home.path()) {
        command.env(name, value);
    }
    let (columns, rows) = SIZE;
    let size = PtySize {
        rows,
        cols: columns,
        ..PtySize::default()
    };
    let pty = native_pty_system().openpty(size).unwrap();
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut screen = pty.master.try_clone_reader().unwrap();
    let (tell, told) = mpsc::channel();
    let (tell_end, ended) = (tell.clone(), &told);
    // The reader ends with its thread: nobody may hold the terminal any more.
    let reading = thread::spawn(move || {
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        let is_open = |seen: &[u8]| {
            let seen = String::from_utf8_lossy(seen);
            seen.contains("OPEN") || seen.contains("connected to")
        };
        while !is_open(&seen) {
            let count = screen.read(&mut buffer).unwrap();
            seen.extend_from_slice(&buffer[..count]);
        }
        tell.send(None).unwrap();
    });
    let opened = ended.recv_timeout(DEADLINE);
    assert!(matches!(opened, Ok(None)), "{opened:?}");
    reading.join().unwrap();
    drop(pty.master);
    thread::spawn(move || tell_end.send(Some(child.wait().unwrap())));
    let status = ended.recv_timeout(DEADLINE).expect("an end");
    status.expect("a status").exit_code()
}

#[test]
fn what_a_shell_did_to_the_terminal_is_undone() {
    let server = serve(&[]);
    for face in ["--tui", "--line"] {
        let mut terminal = Terminal::start(&["connect", face, server.url()]);
        terminal.until("an open connection", |screen| {
            let contents = screen.contents();
            contents.contains("1 OPEN") || contents.contains("connected to")
        });
        terminal.keys("half");
        terminal.shows("> half");
        let modes = terminal.modes();
        terminal.signal("STOP");
        terminal.is_stopped();
        terminal.is_used_by_a_shell();
        assert_ne!(terminal.modes(), modes);
        terminal.signal("CONT");
        terminal.has_modes(&modes);
        terminal.keys(" and half");
        terminal.keys(ENTER);
        terminal.until("the message and its echo", |screen| {
            screen.contents().matches("half and half").count() >= 2
        });
        terminal.keys(CTRL_C);
        assert_eq!(terminal.exits().0, 0, "{face}");
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_until_the_program_goes_on() {
    let server = serve(&[]);
    let mut terminal = Terminal::start(&["connect", server.url()]);
    opens(&terminal);
    terminal.keys("half");
    terminal.shows("txt> half");
    terminal.keys(CTRL_Z);
    terminal.until("the terminal that was there before", |screen| {
        !screen.alternate_screen() && !screen.bracketed_paste() && !screen.hide_cursor()
    });
    terminal.is_given_back();
    terminal.signal("CONT");
    terminal.until("the screen, whole", |screen| {
        screen.alternate_screen() && screen.contents().contains("txt> half")
    });
    terminal.keys(" and half");
    terminal.keys(ENTER);
    terminal.shows("half and half");
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

/// Set where this file runs itself on a terminal, to panic there.
const PANICS: &str = "WSCOPE_TEST_PANICS";

#[test]
fn a_panic_in_any_thread_gives_the_terminal_back_first() {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "this_test_panics_where_it_is_told_to",
        "--nocapture",
    ]);
    command.env("RUST_BACKTRACE", "0");
    let mut terminal = Terminal::run(command, SIZE, Some((PANICS, "1")), Captured::follow);
    opens(&terminal);
    terminal.line("now");
    terminal.says("this panic is part of a test");
    terminal.exits();
    let left = terminal.screen().contents();
    assert!(left.contains("this panic is part of a test"), "{left}");
    assert!(left.contains("the session heard of it"), "{left}");
}

#[test]
fn this_test_panics_where_it_is_told_to() {
    if std::env::var_os(PANICS).is_none() {
        return;
    }
    // A thread of this process, which the screen knows nothing of.
    let server = RawServer::open(|peer| {
        assert_ne!(peer.text(), "now", "this panic is part of a test");
    });
    let args = ["wscope", "connect", "--tui", &server.url()].map(Into::into);
    // That its thread panicked is what is wanted.
    std::mem::forget(server);
    let code = wscope::run(args);
    assert_eq!(code.0, 1);
    writeln!(std::io::stderr(), "the session heard of it").unwrap();
}

#[test]
fn lines_and_screen_change_places_while_messages_flow() {
    let (tell, told) = mpsc::channel::<()>();
    let server = RawServer::open(move |peer| {
        for number in 0.. {
            peer.send_text(&format!("tick {number}"));
            if told
                .recv_timeout(std::time::Duration::from_millis(1))
                .is_ok()
            {
                break;
            }
        }
        assert_eq!(peer.text(), "a draft and its end");
        peer.send_text("all of it came");
        peer.finish_close();
    });
    let mut terminal = Terminal::start(&["connect", &server.url()]);
    opens(&terminal);
    terminal.keys("a draft");
    for _ in 0..3 {
        terminal.shows("txt> a draft");
        terminal.keys(F2);
        terminal.until("lines, with the draft", |screen| {
            !screen.alternate_screen() && screen.contents().contains("> a draft")
        });
        terminal.until("messages in lines", |screen| {
            screen.contents().contains("< tick")
        });
        terminal.keys(F2);
        terminal.until("the screen", |screen| {
            screen.alternate_screen() && screen.contents().contains("TXT")
        });
    }
    tell.send(()).expect("the server still sends");
    terminal.keys(" and its end");
    terminal.keys(ENTER);
    terminal.shows("all of it came");
    terminal.line("/line");
    terminal.until("lines", |screen| !screen.alternate_screen());
    terminal.line("/tui");
    terminal.until("the messages are still there", |screen| {
        screen.alternate_screen() && screen.contents().contains("all of it came")
    });
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn a_draft_goes_along_from_lines_to_the_screen_and_back() {
    let server = serve(&[]);
    let mut terminal = Terminal::connected(&["connect", "--line", server.url()]);
    let mut draft = String::new();
    for word in [
        "one", "two", "three", "four", "five", "six", "seven", "eight",
    ] {
        draft += word;
        // In one piece: the editor has painted nothing of it when it comes to F2.
        terminal.keys(&format!("{word}{F2}"));
        terminal.until("the screen, with the draft", |screen| {
            screen.alternate_screen() && screen.contents().contains(&format!("txt> {draft} "))
        });
        terminal.keys(F2);
        terminal.until("lines, with the draft", |screen| {
            !screen.alternate_screen() && screen.contents().trim_end().ends_with(&draft)
        });
    }
    terminal.keys(CTRL_C);
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn whoever_quits_a_connection_that_ends_badly_hears_how() {
    let server = RawServer::open(|peer| {
        peer.send_close(1011, "boom");
        // TCP stays open: the client waits for its end.
        peer.drain();
    });
    let mut terminal = Terminal::start(&["connect", &server.url()]);
    terminal.until("the end, or what comes before it", |screen| {
        let contents = screen.contents();
        contents.contains("2 CLOSING") || contents.contains("3 CLOSED")
    });
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 8);
}

/// What a peer may send to do something to the terminal.
const HOSTILE: [&str; 9] = [
    "\u{1b}]52;c;aGFja2Vk\u{7}",
    "\u{1b}]8;;http://evil.example/\u{1b}\\link\u{1b}]8;;\u{1b}\\",
    "\u{1b}]0;PWNED\u{7}",
    "\u{1b}[2J\u{1b}[H\u{1b}[31mred",
    "\u{1b}P+q544e\u{1b}\\",
    "\u{9b}31m\u{90}q\u{9c}\u{9d}0;x\u{9c}",
    "\u{202e}gnirts\u{2066}x\u{2069}",
    "a\u{200b}b\u{feff}c\u{e0041}",
    "\u{7f}\u{8}\u{c}\u{5}\u{e}",
];

/// The number of the entry that is chosen.
fn chosen(screen: &vt100::Screen) -> Option<u64> {
    let contents = screen.contents();
    let (_, after) = contents.split_once("│>")?;
    after.split_whitespace().next()?.parse().ok()
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let server = RawServer::open(|peer| {
        for text in HOSTILE {
            peer.send_text(text);
            peer.send_text(&serde_json::json!({ "id": text, text: [text] }).to_string());
            peer.send_frame(PING, text);
        }
        peer.send_text("harmless");
        assert_eq!(peer.text(), "seen");
        peer.send_close(4000, HOSTILE[0]);
        peer.drain();
    });
    let mut terminal = Terminal::sized(&["connect", &server.url()], (140, 40));
    terminal.shows("harmless");
    terminal.keys(ESC);
    terminal.shows("q quit");
    // Every message, in every way to look at it.
    for look in ["J", "x", "R", "H"] {
        terminal.keys(look);
        terminal.keys("g");
        terminal.until("the oldest", |screen| chosen(screen) == Some(1));
        for number in 2..=4 * HOSTILE.len() as u64 + 2 {
            terminal.keys("j");
            terminal.until("the next", |screen| chosen(screen) == Some(number));
        }
    }
    terminal.keys("i");
    terminal.line("seen");
    terminal.shows("the connection has ended");
    terminal.keys(CTRL_C);
    let (code, raw) = terminal.exits();
    assert_eq!(code, 8);
    let raw = String::from_utf8_lossy(&raw);
    assert!(raw.contains("\\x1b]52;c;"), "the attack is shown");
    // What the screen itself writes has none of these.
    for bytes in [
        "\u{1b}]",
        "\u{1b}P",
        "\u{7}",
        "\u{8}",
        "\u{c}",
        "\u{5}",
        "\u{e}",
        "\u{7f}",
        "\u{90}",
        "\u{9b}",
        "\u{9c}",
        "\u{9d}",
        "\u{200b}",
        "\u{202e}",
        "\u{2066}",
        "\u{2069}",
        "\u{feff}",
        "\u{e0041}",
    ] {
        assert!(!raw.contains(bytes), "{bytes:?} reached the terminal");
    }
}

#[test]
fn any_size_is_survived() {
    let server = serve(&[]);
    let mut terminal = Terminal::start(&["connect", server.url()]);
    opens(&terminal);
    for (size, shown) in [
        ((30, 5), "needs 40x10"),
        ((200, 60), "Round trip"),
        ((40, 10), "1 OPEN"),
        ((1, 1), "n"),
        ((140, 40), "Round trip"),
        ((80, 24), "1 OPEN"),
    ] {
        terminal.resize(size);
        terminal.shows(shown);
    }
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn keys_can_be_bound_in_the_config() {
    let server = serve(&[]);
    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(config.path(), "[keys]\nquit = 'ctrl+q'\nfilter = '#'\n").unwrap();
    let path = config.path().to_str().unwrap();
    let mut terminal = Terminal::start(&["connect", "--config", path, server.url()]);
    opens(&terminal);
    terminal.keys(ESC);
    terminal.shows("# filter");
    terminal.keys("#");
    terminal.shows("filter: ");
    terminal.keys(ESC);
    terminal.shows("# filter");
    terminal.keys("\x11");
    assert_eq!(terminal.exits().0, 0);
}
