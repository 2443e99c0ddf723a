//! Opening handshakes that are endless, oversized or full of what a terminal obeys, in both roles.

use std::thread;
use std::time::{Duration, Instant};

use super::harness::program::wscope;
use super::harness::raw::{Peer, RawServer};
use super::harness::running::Signal;
use super::harness::served::serve;
use super::harness::terminal::{CTRL_C, Terminal};
use super::{MOST_MEMORY, MOST_TIME, assert_harmless, assert_small, still_serves};

/// Bytes that are no text, and text that a terminal obeys.
const FILTH: &[u8] = b"\x1b]0;PWNED\x07\x1b[2J\xc2\x9b31m\xe2\x80\xae\x7f\xff\xfe";

/// How a server answers a request: the bytes that it sends once, and those that it sends until
/// nobody takes them any more.
struct Answer {
    name: &'static str,
    once: fn(&Peer) -> Vec<u8>,
    endless: &'static [u8],
    exit: i32,
}

const ANSWERS: &[Answer] = &[
    Answer {
        name: "one field without end",
        once: |_| b"HTTP/1.1 101 Switching Protocols\r\nX: ".to_vec(),
        endless: b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        exit: 5,
    },
    Answer {
        name: "fields without end",
        once: |_| b"HTTP/1.1 101 Switching Protocols\r\n".to_vec(),
        endless: b"X: y\r\n",
        exit: 5,
    },
    Answer {
        name: "a status line without end",
        once: |_| b"HTTP/1.1 101 ".to_vec(),
        endless: b"Switching ",
        exit: 5,
    },
    Answer {
        name: "2,000 fields",
        once: |peer| right(peer, &b"X: y\r\n".repeat(2_000)),
        endless: b"",
        exit: 5,
    },
    Answer {
        name: "interim answers without end",
        once: |_| Vec::new(),
        endless: b"HTTP/1.1 102 Processing\r\n\r\n",
        exit: 5,
    },
    Answer {
        name: "a body without end",
        once: |_| b"HTTP/1.1 403 Forbidden\r\n\r\n".to_vec(),
        endless: b"<p>no</p>",
        exit: 5,
    },
    Answer {
        name: "a body in chunks without end",
        once: |_| b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
        endless: b"1\r\nx\r\n",
        exit: 5,
    },
    Answer {
        name: "a chunk of 2^64 bytes",
        once: |_| {
            let head = "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n";
            format!("{head}ffffffffffffffff\r\nx").into()
        },
        endless: b"x",
        exit: 5,
    },
    Answer {
        name: "a body of 2^64 bytes",
        once: |_| {
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 18446744073709551615\r\n\r\n".to_vec()
        },
        endless: b"x",
        exit: 5,
    },
    Answer {
        name: "no HTTP, without a line",
        once: |_| FILTH.to_vec(),
        endless: FILTH,
        exit: 5,
    },
    Answer {
        name: "filth in a 101 that is wrong",
        once: |_| {
            let head = b"HTTP/1.1 101 ".to_vec();
            [
                &head,
                FILTH,
                b"\r\nSec-WebSocket-Accept: ",
                FILTH,
                b"\r\nX: ",
                FILTH,
                b"\r\n\r\n",
            ]
            .concat()
        },
        endless: b"",
        exit: 5,
    },
    Answer {
        name: "filth in a refusal",
        once: |_| {
            let head = b"HTTP/1.1 403 ".to_vec();
            [
                &head,
                FILTH,
                b"\r\nX: ",
                FILTH,
                b"\r\nServer: ",
                FILTH,
                b"\r\n\r\n",
                FILTH,
            ]
            .concat()
        },
        endless: b"",
        exit: 5,
    },
    Answer {
        name: "filth in a subprotocol and an extension",
        once: |peer| {
            let fields = [b"Sec-WebSocket-Protocol: ", FILTH, b"\r\n"].concat();
            right(
                peer,
                &[&fields[..], b"Sec-WebSocket-Extensions: ", FILTH, b"\r\n"].concat(),
            )
        },
        endless: b"",
        exit: 5,
    },
    Answer {
        name: "filth beside a right handshake",
        once: |peer| {
            let fields = [b"Set-Cookie: ", FILTH, b"\r\nX: ", FILTH, b"\r\n"].concat();
            [right(peer, &fields), b"\x88\x02\x03\xf3".to_vec()].concat()
        },
        endless: b"",
        exit: 8,
    },
];

/// A right 101 with these fields more.
fn right(peer: &Peer, fields: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n",
        peer.accept_key()
    );
    [head.as_bytes(), fields, b"\r\n"].concat()
}

fn answering(answer: &'static Answer) -> RawServer {
    RawServer::http(|peer| {
        peer.send((answer.once)(peer));
        if !answer.endless.is_empty() {
            let batch = answer.endless.repeat(1 + 10_000 / answer.endless.len());
            while peer.try_send(&batch) {}
        }
    })
}

#[test]
fn connect_listen_and_ping_withstand_every_answer() {
    for answer in ANSWERS {
        for command in ["connect", "listen", "ping"] {
            let server = answering(answer);
            let started = Instant::now();
            let running = wscope(&[command, &server.url(), "-v"]).spawn();
            let memory = running.watch_memory();
            let output = running.wait();
            assert_harmless(&output.stdout);
            assert_harmless(&output.stderr);
            output.code(answer.exit);
            assert!(started.elapsed() < MOST_TIME, "{:?}", started.elapsed());
            assert_small(memory.peak());
        }
    }
}

#[test]
fn a_terminal_is_told_nothing_by_any_answer() {
    for answer in ANSWERS {
        let server = answering(answer);
        let url = server.url();
        let mut terminal = Terminal::start(&["connect", &url, "--plain", "-v"]);
        let (code, raw) = terminal.exits();
        assert_eq!(code, u32::try_from(answer.exit).unwrap(), "{}", answer.name);
        assert_harmless(&raw);
    }
}

/// What a client sends in place of a request, once and without end.
const REQUESTS: &[(&str, &[u8], &[u8])] = &[
    ("a target without end", b"GET /", b"chat"),
    ("a field without end", b"GET / HTTP/1.1\r\nX: ", b"x"),
    ("fields without end", b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
    (
        "requests without end",
        b"",
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    ),
    (
        "a body without end",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\nx\r\n",
    ),
    ("no HTTP at all", FILTH, FILTH),
    ("half a request", b"GET / HTTP/1.1\r\nHost: h\r\nUpgra", b""),
    ("nothing", b"", b""),
];

#[test]
fn serve_withstands_every_request() {
    let mut server = serve(&["-v"]);
    let address = server.address().to_owned();
    // All at a time, for some are ended only by the deadline of a handshake.
    thread::scope(|scope| {
        for (name, once, endless) in REQUESTS {
            let address = &address;
            scope.spawn(move || {
                let started = Instant::now();
                let mut peer = Peer::dial(address);
                peer.gives_up_after(Duration::from_secs(1));
                peer.send(once);
                let batch = endless.repeat(10_000 / endless.len().max(1));
                while !endless.is_empty() && started.elapsed() < MOST_TIME && peer.try_send(&batch)
                {
                }
                peer.drain();
                assert!(
                    started.elapsed() < MOST_TIME,
                    "{name}: {:?}",
                    started.elapsed()
                );
            });
        }
    });
    still_serves(server.url());
    assert!(server.running().peak_memory() < MOST_MEMORY / 2);
    server.stop(Signal::Terminate).code(0);
}

#[test]
fn the_terminal_of_serve_is_told_nothing_by_any_request() {
    let mut terminal = Terminal::start(&[
        "serve",
        "0",
        "--color",
        "never",
        "-v",
        "--allow-origin",
        "*",
    ]);
    terminal.says("ws://127.0.0.1:");
    let screen = terminal.screen().contents();
    let (_, rest) = screen.split_once("ws://").expect("a URL");
    let address = rest.split('/').next().unwrap_or(rest).to_owned();
    for field in [
        "Origin",
        "X",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Upgrade",
    ] {
        let mut peer = Peer::dial(&address);
        let head = format!("GET /%1b%5b2J HTTP/1.1\r\nHost: {address}\r\n");
        peer.send(head);
        peer.send([field.as_bytes(), b": ", FILTH, b"\r\n"].concat());
        peer.send("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
        peer.send("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        peer.read_head();
        assert!(peer.head.starts_with("HTTP/1.1 "), "{field}: {}", peer.head);
    }
    terminal.keys(CTRL_C);
    let (code, raw) = terminal.exits();
    assert_eq!(code, 0);
    assert_harmless(&raw);
}
