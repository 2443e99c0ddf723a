//! `serve --tui` on a terminal: it shows who is there and what happens, closes a client, and gives the
//! terminal back however it ends.

mod harness;

use harness::program::wscope;
use harness::raw::Peer;
use harness::terminal::{CTRL_C, ENTER, Terminal};

/// A server with a screen, and where it listens.
fn serve(args: &[&str]) -> (Terminal, String) {
    let mut all = vec!["serve", "0", "--tui"];
    all.extend_from_slice(args);
    let terminal = Terminal::start(&all);
    terminal.until("the screen", |screen| {
        screen.alternate_screen() && screen.contents().contains("Connections [1]")
    });
    let shown = terminal.screen().contents();
    let url = shown
        .split_whitespace()
        .find(|word| word.starts_with("ws://"));
    let url = url.expect("the URL is on the first row");
    let address = url.trim_start_matches("ws://").trim_end_matches('/');
    (terminal, address.to_owned())
}

#[test]
fn who_is_there_and_what_happens_is_seen_and_a_client_is_closed() {
    let (mut terminal, address) = serve(&["--mode=rooms", "--overflow=drop-newest"]);
    terminal.shows("nobody is connected");
    let mut client = Peer::connect_open(&address);
    client.send_text(r#"{"type":"join","room":"match:7"}"#);
    client.text();
    client.send_text(r#"{"type":"move","x":17}"#);
    terminal.until("the room and the message", |screen| {
        let contents = screen.contents();
        contents.contains("/ match:7") && contents.contains(r#"{"type":"move","x":17}"#)
    });
    terminal.keys("/json:/x=17");
    terminal.shows("1 hits");
    terminal.keys(&format!("{ENTER}1{ENTER}"));
    terminal.shows("2 messages");
    terminal.keys("c");
    terminal.shows("Close connection 1");
    terminal.keys(&format!("\x7f\x7f\x7f\x7f4000 enough{ENTER}"));
    assert_eq!(client.close_frame(), (4000, "enough".into()));
    client.send_close(4000, "");
    terminal.shows("0 open of 1");
    terminal.keys("q");
    let (code, _) = terminal.exits();
    assert_eq!(code, 0);
    let left = terminal.screen().contents();
    assert!(
        left.contains(&format!("ws://{address}/, 1 connections")),
        "{left}"
    );
    assert!(left.contains("received 2 messages"), "{left}");
}

#[test]
fn what_a_limit_drops_is_counted_and_was_said_in_no_room() {
    let (terminal, address) = serve(&["--mode=rooms", "--rate-limit=1/m", "--on-limit=drop"]);
    let mut client = Peer::connect_open(&address);
    client.send_text(r#"{"type":"join","room":"r"}"#);
    client.text();
    for _ in 0..7 {
        client.send_text(r#"{"type":"move"}"#);
    }
    terminal.until(
        "7 that were dropped, and a room without messages",
        |screen| {
            let contents = screen.contents();
            let mut lines = contents.lines();
            let room = lines.find(|line| line.contains(" / r "));
            contents.contains("7 rate: drop") && room.is_some_and(|room| room.contains(" 1      0"))
        },
    );
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    let (mut terminal, address) = serve(&[]);
    let mut client = Peer::connect_open(&address);
    terminal.shows("1 open");
    terminal.signal("TERM");
    assert_eq!(client.close_frame().0, 1001, "it drains");
    assert!(terminal.screen().alternate_screen(), "it still waits");
    client.send_close(1001, "");
    assert_eq!(terminal.exits().0, 0);

    let (mut terminal, _) = serve(&[]);
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);

    let (mut terminal, _) = serve(&["--duration=1"]);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn a_screen_needs_a_terminal_of_its_own() {
    wscope(&["serve", "0", "--tui"])
        .run()
        .code(2)
        .says(&["--tui needs a terminal"]);
    for other in ["--json", "--exec=true"] {
        wscope(&["serve", "0", "--tui", other])
            .run()
            .code(2)
            .says(&["--tui", "cannot be used with"]);
    }
}
