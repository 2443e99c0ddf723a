//! `listen` prints what arrives: from servers that it subscribes to, or on a port that others
//! connect to.

mod harness;

use harness::program::wscope;
use harness::raw::{CLOSE, Peer, RawServer};
use harness::running::{Running, Signal};
use harness::served::Served;

// --- listen URL ----------------------------------------------------------------------------------

#[test]
fn a_subscription_prints_messages_and_leaves_stdin_alone() {
    let server = RawServer::open(|peer| {
        peer.send_text("one");
        peer.send_text("two");
        peer.send_close(1000, "");
        let frame = peer.frame().expect("the answer to the Close");
        assert_eq!(frame.opcode, CLOSE, "stdin was sent: {frame:?}");
    });
    let output = wscope(&["listen", &server.url()])
        .stdin("not for the server\n")
        .run();
    output.code(0).stdout("one\ntwo\n").stderr("");
}

#[test]
fn stdin_is_sent_when_asked_for() {
    let server = RawServer::open(|peer| {
        assert_eq!(peer.text(), "subscribe");
        peer.send_text("subscribed");
        peer.send_close(1000, "");
        peer.drain();
    });
    let output = wscope(&["listen", &server.url(), "--stdin"])
        .stdin("subscribe\n")
        .run();
    output.code(0).stdout("subscribed\n").stderr("");
}

#[test]
fn events_of_several_servers_carry_their_names() {
    let servers = ["first", "second"].map(|text| {
        RawServer::open(move |peer| {
            peer.send_text(text);
            peer.send_close(1000, "");
            peer.drain();
        })
    });
    let urls = [servers[0].url(), servers[1].url()];
    let output = wscope(&["listen", &urls[0], &urls[1], "--json"]).run();
    let messages = output.events_of("message");
    assert_eq!(messages.len(), 2, "{output}");
    for (text, server) in ["first", "second"].iter().zip(&servers) {
        let message = messages
            .iter()
            .find(|message| message["data"] == *text)
            .expect("a message");
        let name = message["name"].as_str().expect("a name");
        assert!(name.contains(&server.port().to_string()), "{name}");
    }
    output.code(0);
}

#[test]
fn it_ends_after_as_many_messages_as_asked_for() {
    let server = RawServer::open(|peer| {
        for text in ["one", "two", "three"] {
            peer.send_text(text);
        }
        assert_eq!(peer.close_frame().0, 1000);
        peer.send_close(1000, "");
    });
    let output = wscope(&["listen", &server.url(), "-n", "2"]).run();
    output.code(0).stdout("one\ntwo\n").stderr("");
}

#[test]
fn execute_messages_open_a_subscription() {
    let server = RawServer::open(|peer| {
        assert_eq!(peer.text(), r#"{"subscribe":"prices"}"#);
        peer.send_text("42");
        peer.send_close(1000, "");
        peer.drain();
    });
    let args = ["listen", &server.url(), "-x", r#"{"subscribe":"prices"}"#];
    wscope(&args).run().code(0).stdout("42\n").stderr("");
}

// --- listen PORT ---------------------------------------------------------------------------------

fn listen(target: &str) -> Served {
    Served::start(wscope(&["listen", target, "--json"]).spawn())
}

/// Waits until the listener has told of this many open connections.
#[track_caller]
fn wait_for_clients(running: &Running, count: usize) {
    running.stdout.wait_until("open events", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        (text.matches(r#""event":"open""#).count() >= count).then_some(())
    });
}

#[test]
fn a_port_says_which_it_is_and_prints_what_clients_send() {
    for target in ["0", ":0", "127.0.0.1:0"] {
        let server = listen(target);
        assert!(
            server.address().starts_with("127.0.0.1:"),
            "{}",
            server.url()
        );
        assert!(!server.address().ends_with(":0"), "{}", server.url());
        let mut client = Peer::connect_open(server.address());
        client.send_text("hello");
        client.send_close(1000, "");
        assert_eq!(client.close_frame().0, 1000);
        let output = server.stop(Signal::Interrupt).code(0);
        let messages = output.events_of("message");
        assert_eq!(messages.len(), 1, "{output}");
        assert_eq!(messages[0]["data"], "hello");
        assert_eq!(messages[0]["dir"], "in");
    }
}

#[test]
fn lines_go_to_every_client_and_to_one() {
    let slash = wscope(&["listen", "0", "--json", "--slash"]);
    let mut server = Served::start(slash.spawn());
    let mut first = Peer::connect_open(server.address());
    wait_for_clients(server.running(), 1);
    let mut second = Peer::connect_open(server.address());
    wait_for_clients(server.running(), 2);
    server.running().send("to all");
    server.running().send("/to 2 only you");
    server.running().send("to all again");
    assert_eq!([first.text(), first.text()], ["to all", "to all again"]);
    assert_eq!(
        [second.text(), second.text(), second.text()],
        ["to all", "only you", "to all again"]
    );
    server.stop(Signal::Interrupt).code(0);
}

#[test]
fn a_line_waits_for_somebody_to_read_it() {
    let mut server = listen("0");
    server.running().send("hello?");
    let mut client = Peer::connect_open(server.address());
    assert_eq!(client.text(), "hello?");
    server.stop(Signal::Interrupt).code(0);
}

#[test]
fn an_ipv6_address_may_be_listened_on() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        harness::peers::skip("this machine has no IPv6 loopback");
        return;
    }
    let server = listen("[::1]:0");
    assert!(server.address().starts_with("[::1]:"), "{}", server.url());
    let _client = Peer::connect_open(server.address());
    server.stop(Signal::Interrupt).code(0);
}

#[test]
fn a_unix_socket_may_be_listened_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket").display().to_string();
    let server = wscope(&["listen", &format!("unix:{path}"), "--json"]).spawn();
    server.stdout.line("listening");
    let output = wscope(&[
        "connect",
        &format!("ws+unix:{path}:/"),
        "-x",
        "hello",
        "-w",
        "0",
    ])
    .run();
    output.code(0).stdout("").stderr("");
    server.stdout.line("\"hello\"");
    server.signal(Signal::Interrupt);
    server.wait().code(0);
    assert!(
        !std::path::Path::new(&path).exists(),
        "the socket file is left behind"
    );
}

#[test]
fn a_target_that_is_neither_names_both_spellings() {
    for target in ["somewhere", "70000", "127.0.0.1", ""] {
        let output = wscope(&["listen", target]).run();
        output.code(2).stdout("").says(&["ws://", "PORT"]);
    }
}

#[test]
fn a_page_from_elsewhere_may_not_connect() {
    let server = listen("0");
    let stranger = Peer::connect_with(server.address(), &["Origin: http://evil.example"]);
    assert!(
        stranger.head.starts_with("HTTP/1.1 403"),
        "{}",
        stranger.head
    );
    let friend = Peer::connect_with(server.address(), &["Origin: http://localhost:3000"]);
    assert!(friend.head.starts_with("HTTP/1.1 101"), "{}", friend.head);
    drop((stranger, friend));
}

#[test]
fn everyone_is_told_at_the_end() {
    for signal in [Signal::Interrupt, Signal::Terminate] {
        let server = listen("0");
        let mut client = Peer::connect_open(server.address());
        client.send_text("hello");
        let ending = std::thread::spawn(move || {
            let close = client.close_frame();
            client.send_close(close.0, "");
            close.0
        });
        server.stop(signal).code(0);
        assert_eq!(ending.join().expect("the client was told"), 1001);
    }
}

#[test]
fn the_wscat_spelling_listens_too() {
    let running = wscope(&["-l", "0"]).spawn();
    let line = running.stderr.line("ws://127.0.0.1:");
    let address = line
        .split("ws://")
        .nth(1)
        .expect("a URL")
        .split('/')
        .next()
        .expect("an address");
    let mut client = Peer::connect_open(address);
    client.send_text("hello");
    running.stdout.line("hello");
    running.signal(Signal::Interrupt);
    running.wait().code(0).stdout("hello\n");
}
