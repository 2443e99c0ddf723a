//! Line mode on a terminal: what is typed is never trampled, what is pasted is one message, what
//! the peer sends is shown and never obeyed, and the terminal is left as it was found.

mod harness;

use std::sync::mpsc;

use harness::captured::Captured;
use harness::program::wscope;
use harness::raw::{PING, PONG, Peer, RawServer, encode};
use harness::served::serve;
use harness::terminal::{CTRL_C, CTRL_D, ENTER, TAB, Terminal, UP};
use portable_pty::CommandBuilder;

const HOSTILE: &str = "\u{1b}[2J\u{1b}[?25l\u{1b}]0;PWNED\u{7}\u{9b}31m\u{202e}evil\u{200b}\u{7f}";

#[test]
fn a_person_talks_to_a_server() {
    let server = serve(&[]);
    let mut terminal = Terminal::connected(&["connect", "--line", server.url()]);
    terminal.line("hello");
    terminal.until("the message and its echo", |screen| {
        screen.contents().matches("hello").count() >= 2
    });
    terminal.keys(CTRL_D);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn what_comes_with_the_handshake_is_shown_after_it() {
    let server = RawServer::http(|peer| {
        let accept = peer.accept_key();
        let mut bytes = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .into_bytes();
        for number in 0..5 {
            bytes.extend(encode(0x81, None, format!("early {number}").as_bytes()));
        }
        peer.send(bytes);
        peer.finish_close();
    });
    let mut terminal = Terminal::start(&["connect", &server.url()]);
    terminal.shows("early 4");
    terminal.until("the connection above its first message", |screen| {
        let contents = screen.contents();
        contents.find("connected to") < contents.find("early 0")
    });
    terminal.line("/quit");
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn without_a_url_a_person_gets_the_demo() {
    let mut terminal = Terminal::connected(&["connect", "--line"]);
    terminal.line("is anyone there");
    terminal.until("the message and its echo", |screen| {
        screen.contents().matches("is anyone there").count() >= 2
    });
    terminal.line("/quit");
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn messages_that_arrive_leave_the_typed_text_alone() {
    let (tell, typed) = mpsc::channel::<()>();
    let (say, came) = mpsc::channel::<()>();
    let server = RawServer::open(move |peer| {
        peer.send_text("before");
        typed.recv().expect("the test goes on");
        for number in 0..30 {
            peer.send_text(&format!("tick {number}"));
        }
        assert_eq!(peer.text(), "half a line and the rest");
        say.send(()).expect("the test waits");
        peer.finish_close();
    });
    let mut terminal = Terminal::connected(&["connect", "--line", &server.url()]);
    terminal.shows("before");
    terminal.keys("half a line");
    terminal.shows("half a line");
    tell.send(()).expect("the server waits");
    terminal.shows("tick 29");
    terminal.until("the typed text below the messages", |screen| {
        let contents = screen.contents();
        contents.trim_end().ends_with("half a line")
            && contents.contains("tick 28\n") | contents.contains("tick 28 ")
            && contents.matches("half a line").count() == 1
    });
    terminal.keys(" and the rest");
    terminal.keys(ENTER);
    came.recv().expect("it was sent");
    terminal.shows("half a line and the rest");
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn a_draft_that_wraps_does_not_eat_messages() {
    let (tell, typed) = mpsc::channel::<()>();
    let server = RawServer::open(move |peer| {
        peer.send_text("first message");
        typed.recv().expect("the test goes on");
        for number in 0..5 {
            peer.send_text(&format!("tick {number}"));
        }
        peer.finish_close();
    });
    let mut terminal = Terminal::connected(&["connect", "--line", &server.url()]);
    terminal.shows("first message");
    let draft = "x".repeat(150);
    terminal.keys(&draft);
    terminal.until("the draft", |screen| {
        screen.contents().matches('x').count() == 150
    });
    tell.send(()).expect("the server waits");
    terminal.shows("tick 4");
    terminal.until("all messages and the draft", |screen| {
        let contents = screen.contents();
        contents.contains("first message")
            && (0..5).all(|number| contents.contains(&format!("tick {number}")))
            && contents.matches('x').count() == 150
    });
    // The first empties the line.
    terminal.keys(CTRL_C);
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn a_pasted_json_of_several_lines_is_one_message() {
    let server = RawServer::open(|peer| {
        assert_eq!(peer.text(), "{\n  \"a\": 1,\n\n  \"b\": 2\n}");
        peer.send_text("got it");
        peer.finish_close();
    });
    let mut terminal = Terminal::connected(&["connect", "--line", &server.url()]);
    // Terminals send line ends in a paste as carriage returns.
    terminal.paste("{\r  \"a\": 1,\r\r  \"b\": 2\r}");
    terminal.keys(ENTER);
    terminal.shows("got it");
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn json_that_is_not_complete_goes_on_in_the_next_line() {
    let server = RawServer::open(|peer| {
        let value: serde_json::Value = serde_json::from_str(&peer.text()).expect("JSON");
        assert_eq!(value, serde_json::json!({"a": 1}));
        peer.send_text("got it");
        peer.finish_close();
    });
    let mut terminal = Terminal::connected(&["connect", "--line", &server.url()]);
    terminal.line("{");
    terminal.line("\"a\": 1");
    terminal.line("}");
    terminal.shows("got it");
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn a_line_of_more_than_4096_bytes_is_whole() {
    let line = "y".repeat(5000);
    let expected = line.clone();
    let server = RawServer::open(move |peer| {
        assert_eq!(peer.text().len(), expected.len());
        peer.send_text("got it");
        peer.finish_close();
    });
    let mut terminal = Terminal::connected(&["connect", "--line", &server.url()]);
    terminal.paste(&line);
    terminal.keys(ENTER);
    terminal.shows("got it");
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn hostile_bytes_are_shown_and_never_reach_the_terminal() {
    let server = RawServer::open(|peer| {
        peer.send_text(HOSTILE);
        peer.send_frame(PING, HOSTILE);
        peer.send_text("harmless");
        peer.send_close(4000, HOSTILE);
        peer.drain();
    });
    let mut terminal = Terminal::connected(&["connect", "--line", &server.url(), "-P"]);
    terminal.shows("harmless");
    terminal.shows("4000");
    let (code, raw) = terminal.exits();
    assert_eq!(code, 8);
    assert_harmless(&raw);
    let shown = String::from_utf8_lossy(&raw).matches("evil").count();
    assert!(shown >= 3, "message, ping and reason, not {shown}");
}

#[test]
fn hostile_headers_and_bodies_are_not_obeyed_either() {
    // C0 controls in a head are no HTTP at all; what is above ASCII may stand there.
    let head = "\u{9b}31m\u{202e}evil\u{200b}";
    let length = HOSTILE.len();
    let server = RawServer::answering(format!(
        "HTTP/1.1 403 {head}\r\nServer: {head}\r\nContent-Length: {length}\r\n\r\n{HOSTILE}"
    ));
    let mut terminal = Terminal::start(&["connect", "--line", &server.url(), "-v"]);
    terminal.shows("403");
    let (code, raw) = terminal.exits();
    assert_eq!(code, 5);
    assert_harmless(&raw);
}

/// None of what [`HOSTILE`] wants done reached the terminal.
#[track_caller]
fn assert_harmless(raw: &[u8]) {
    let raw = String::from_utf8_lossy(raw);
    assert!(raw.contains("evil"), "{raw:?}");
    for bytes in [
        "\u{1b}[2J",
        "\u{1b}[?25l",
        "\u{1b}]0;",
        "\u{9b}",
        "\u{202e}",
        "\u{200b}",
        "\u{7f}",
    ] {
        assert!(
            !raw.contains(bytes),
            "{bytes:?} reached the terminal: {raw:?}"
        );
    }
}

#[test]
fn the_history_lasts_and_a_leading_space_keeps_a_line_out_of_it() {
    let server = serve(&[]);
    let mut terminal = Terminal::connected(&["connect", "--line", server.url()]);
    terminal.line("remember me");
    terminal.line(" secret");
    terminal.until("both echoes", |screen| {
        screen.contents().matches("secret").count() >= 2
    });
    terminal.keys(UP);
    terminal.until("the line before the secret one", |screen| {
        screen.contents().trim_end().ends_with("remember me")
    });
    terminal.keys(CTRL_C);
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
    let file = terminal.home().join("state/wscope/history");
    let history = std::fs::read_to_string(file).expect("a history");
    assert!(
        history.contains("remember me") && !history.contains("secret"),
        "{history}"
    );
}

#[test]
fn slash_commands_are_obeyed_completed_and_never_end_the_session() {
    let server = RawServer::open(|peer| {
        let ping = peer.frame().expect("a ping");
        assert_eq!((ping.opcode, ping.text()), (PING, "abc".into()));
        peer.send_frame(PONG, "abc");
        assert_eq!(peer.text(), "/not a command");
        assert_eq!(peer.close_frame(), (4001, "enough".into()));
        peer.send_close(4001, "");
    });
    let mut terminal = Terminal::connected(&["connect", "--line", &server.url()]);
    terminal.line("/close 9");
    terminal.shows("1000-1003");
    terminal.line("/nothing");
    terminal.shows("/help");
    terminal.keys("/pin");
    terminal.keys(TAB);
    terminal.shows("/ping");
    terminal.line(" abc");
    terminal.shows("pong abc");
    terminal.line("//not a command");
    terminal.line("/close 4001 enough");
    terminal.exits();
}

#[test]
fn the_end_of_the_connection_ends_it_in_the_middle_of_a_draft() {
    let (tell, typed) = mpsc::channel::<()>();
    let server = RawServer::open(move |peer| {
        peer.send_text("hello");
        typed.recv().expect("the test goes on");
        peer.send_close(1011, "boom");
        peer.drain();
    });
    let mut terminal = Terminal::connected(&["connect", "--line", &server.url()]);
    terminal.shows("hello");
    terminal.keys("a draft");
    terminal.shows("a draft");
    tell.send(()).expect("the server waits");
    terminal.shows("1011");
    assert_eq!(terminal.exits().0, 8);
}

#[test]
fn plain_has_no_colours_and_no_editing() {
    let server = serve(&[]);
    let mut terminal = Terminal::connected(&["connect", server.url(), "--plain"]);
    terminal.line("{\"a\":1}");
    terminal.until("the message and its echo", |screen| {
        screen.contents().matches("{\"a\":1}").count() >= 2
    });
    terminal.keys(CTRL_C);
    let (code, raw) = terminal.exits();
    assert_eq!(code, 0);
    assert!(!raw.contains(&0x1b), "{:?}", String::from_utf8_lossy(&raw));
}

#[test]
fn no_color_is_honoured() {
    let server = serve(&[]);
    for (variable, flag) in [
        (Some(("NO_COLOR", "1")), "--timestamps"),
        (None, "--color=never"),
    ] {
        let args = ["connect", "--line", server.url(), flag];
        let mut terminal = Terminal::start_with(&args, variable);
        terminal.says("connected to");
        terminal.line("{\"a\":1}");
        terminal.until("the message and its echo", |screen| {
            screen.contents().matches("{\"a\":1}").count() >= 2
        });
        terminal.keys(CTRL_C);
        let (_, raw) = terminal.exits();
        let raw = String::from_utf8_lossy(&raw).into_owned();
        assert!(!has_colour(&raw), "{raw:?}");
    }
}

#[test]
fn colour_is_used_where_it_may_be() {
    let server = serve(&[]);
    let mut terminal = Terminal::connected(&["connect", "--line", server.url()]);
    terminal.line("{\"a\":1}");
    terminal.until("the message and its echo", |screen| {
        screen.contents().matches("{\"a\":1}").count() >= 2
    });
    terminal.keys(CTRL_C);
    let (_, raw) = terminal.exits();
    assert!(has_colour(&String::from_utf8_lossy(&raw)));
}

/// Whether there is an SGR sequence with a colour (3x, 9x).
fn has_colour(raw: &str) -> bool {
    raw.split("\u{1b}[").skip(1).any(|sequence| {
        let parameters = sequence
            .split_once('m')
            .map_or("", |(parameters, _)| parameters);
        parameters.split(';').any(|parameter| {
            parameter.len() == 2
                && (parameter.starts_with('3') || parameter.starts_with('9'))
                && parameter != "39"
        })
    })
}

#[test]
fn stdout_in_a_pipe_gets_data_even_when_stdin_is_a_terminal() {
    // The other half of "both are a terminal": a pipe on one side means lines on both.
    let server = serve(&[]);
    let mut running = wscope(&["connect", server.url()]).spawn();
    running.send("hello");
    assert_eq!(running.stdout.line(""), "hello");
    running.end_input();
    running.wait().code(0).stdout("hello\n").stderr("");
}

#[test]
fn two_clients_of_one_listener_are_told_apart() {
    let mut terminal = Terminal::start(&["listen", "0"]);
    terminal.shows("ws://127.0.0.1:");
    let contents = terminal.screen().contents();
    let address = contents.split("ws://").nth(1).expect("a URL");
    let address = address
        .split(['/', ' ', '\n'])
        .next()
        .expect("an address")
        .to_owned();
    let mut first = Peer::connect_open(&address);
    first.send_text("from the first");
    terminal.shows("from the first");
    let mut second = Peer::connect_open(&address);
    second.send_text("from the second");
    terminal.shows("from the second");
    terminal.line("/to 2 only you");
    terminal.line("to all");
    assert_eq!(second.text(), "only you");
    assert_eq!([first.text(), second.text()], ["to all", "to all"]);
    terminal.keys(CTRL_C);
    drop((first, second));
    assert_eq!(terminal.exits().0, 0);
}

/// What is in a file has no colours because something else is on a terminal.
#[test]
fn each_stream_has_its_own_colours() {
    for (redirect, on_screen) in [("2>talk", true), (">talk", false)] {
        let script = format!(r#""$WSCOPE" serve 0 --tls-self-signed --duration 0.1 {redirect}"#);
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", &script]);
        command.env_clear();
        let program = Some(("WSCOPE", env!("CARGO_BIN_EXE_wscope")));
        let mut terminal = Terminal::run(command, (80, 24), program, Captured::follow);
        let (code, shown) = terminal.exits();
        assert_eq!(code, 0);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        let file = std::fs::read_to_string(terminal.home().join("talk")).unwrap();
        assert!(!file.contains('\x1b'), "{file:?}");
        assert!(shown.contains('\x1b'), "{shown:?}");
        assert_eq!(shown.contains("listening on"), on_screen, "{shown:?}");
        assert_eq!(file.contains("--pin"), on_screen, "{file:?}");
    }
}
