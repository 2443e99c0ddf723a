//! The exit code says how it went. One test for each row of the table that `--help` prints.

mod harness;

use harness::program::wscope;
use harness::raw::{Peer, QuietPort, RawServer, TEXT, encode};
use harness::running::Signal;
use harness::served::serve;
use harness::terminal::{CTRL_C, Terminal};

#[test]
fn the_help_has_the_table() {
    let output = wscope(&["connect", "--help"]).run().code(0).stderr("");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for (code, meaning) in wscope::error::ExitCode::TABLE {
        let row = help
            .lines()
            .find(|line| line.trim_start().starts_with(&format!("{code} ")));
        let row = row.unwrap_or_else(|| panic!("no row for {code}: {help}"));
        let word = meaning.split([' ', ',', ':']).next().unwrap_or(meaning);
        assert!(row.contains(word), "{row}");
    }
}

#[test]
fn done_is_0() {
    let server = serve(&[]);
    let url = server.url();
    wscope(&["connect", url, "-x", "a"])
        .run()
        .code(0)
        .stdout("a\n");
    wscope(&["connect", url, "-x", "a", "-n", "1"])
        .run()
        .code(0)
        .stdout("a\n");
    wscope(&["connect", url, "-x", "a", "--until", "\"a\""])
        .run()
        .code(0)
        .stdout("a\n");
    wscope(&["connect", url, "--duration", "0.1"])
        .spawn()
        .wait()
        .code(0)
        .stdout("");
    wscope(&["--version"]).run().code(0);
    server.stop(Signal::Interrupt).code(0);
}

#[test]
fn ctrl_c_on_a_terminal_is_0() {
    let server = serve(&[]);
    let mut terminal = Terminal::connected(&["connect", "--line", server.url()]);
    terminal.line("hello");
    terminal.shows("hello");
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn wrong_usage_is_2() {
    wscope(&["connect", "no-scheme://x/"])
        .run()
        .code(2)
        .stdout("");
    wscope(&["connect", "ws://127.0.0.1:1/", "--what"])
        .run()
        .code(2)
        .stdout("");
    let broken =
        wscope(&["connect", "ws://127.0.0.1:1/"]).file("config/wscope/config.toml", "not toml =");
    broken
        .run()
        .code(2)
        .stdout("")
        .says(&["config.toml, line 1"]);
}

#[test]
fn no_connection_is_3() {
    let port = QuietPort::reserve();
    let url = port.url();
    wscope(&["connect", &url]).run().code(3).stdout("");
    wscope(&["connect", "ws://unknown.invalid/"])
        .run()
        .code(3)
        .stdout("");
}

#[test]
fn an_expectation_that_is_not_met_is_4() {
    let closing = || {
        RawServer::open(|peer| {
            peer.send_text("only one");
            peer.send_close(1000, "");
            peer.drain();
        })
    };
    for (flag, value, word) in [
        ("-n", "2", "1 of 2"),
        ("--until", "\"never\"", "never"),
        ("--expect-close", "4000", "1000"),
    ] {
        let server = closing();
        let output = wscope(&["connect", &server.url(), flag, value])
            .spawn()
            .wait();
        output.code(4).stdout("only one\n").says(&[word]);
    }
}

#[test]
fn a_close_that_was_expected_is_0_whatever_its_code() {
    let server = RawServer::open(|peer| {
        peer.send_close(4000, "as agreed");
        peer.drain();
    });
    let output = wscope(&["connect", &server.url(), "--expect-close", "4000"])
        .spawn()
        .wait();
    output.code(0).stdout("");
}

#[test]
fn a_refused_handshake_is_5() {
    let server = RawServer::answering("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
    wscope(&["connect", &server.url()]).run().code(5).stdout("");
}

#[test]
fn a_timeout_is_7() {
    let silent = || {
        RawServer::open(|peer| {
            peer.drain();
        })
    };
    let server = silent();
    let output = wscope(&["connect", &server.url(), "--max-time", "0.2"])
        .spawn()
        .wait();
    output.code(7).stdout("").says(&["--max-time"]);

    let server = silent();
    let output = wscope(&["connect", &server.url(), "--heartbeat", "0.1/0.1"])
        .spawn()
        .wait();
    output.code(7).stdout("").says(&["heartbeat"]);

    let server = RawServer::http(|peer| {
        peer.drain();
    });
    let output = wscope(&["connect", &server.url(), "--connect-timeout", "0.2"]).run();
    output.code(7).stdout("");
}

#[test]
fn any_other_close_is_8() {
    let server = RawServer::open(|peer| {
        peer.send_close(1011, "boom");
        peer.drain();
    });
    let output = wscope(&["connect", &server.url()]).spawn().wait();
    output.code(8).stdout("").says(&["1011", "boom"]);

    let server = RawServer::open(Peer::reset);
    let output = wscope(&["connect", &server.url()]).spawn().wait();
    output.code(8).stdout("").says(&["1006"]);
}

#[test]
fn a_peer_that_breaks_the_protocol_is_9() {
    let server = RawServer::open(|peer| {
        peer.send(encode(0x80 | TEXT, None, b"\xff"));
        peer.drain();
    });
    wscope(&["connect", &server.url()])
        .spawn()
        .wait()
        .code(9)
        .stdout("");
}

#[test]
fn the_last_event_tells_the_code_too() {
    for (code, exit) in [(1000, 0), (1011, 8)] {
        let server = RawServer::open(move |peer| {
            peer.send_close(code, "");
            peer.drain();
        });
        let output = wscope(&["connect", &server.url(), "--json"]).spawn().wait();
        let events = output.events();
        let last = events.last().expect("events");
        assert_eq!(last["event"], "end");
        assert_eq!(last["exit"], exit);
        output.code(exit);
    }
}
