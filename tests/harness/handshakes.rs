//! What a server can do with an opening handshake, as a table: right, wrong, slow, rude, or another
//! protocol altogether. `tests/handshake.rs` plays each row to the program.

use std::thread::sleep;
use std::time::Duration;

use super::raw::{CLOSE, PING, PONG, Peer, TEXT, encode};

/// One way to answer the client that has just connected.
pub struct Behaviour {
    /// What it does; the name of its place in the golden file.
    pub name: String,
    /// The exit code of `wscope ping`.
    pub exit: i32,
    pub ends: Ends,
    pub act: Box<dyn FnMut(&mut Peer) + Send>,
}

/// What ends the opening handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// What the server did: nothing more is waited for.
    Server,
    /// Our patience.
    Deadline,
}

/// What no terminal may be told.
pub const ESCAPES: &str = "\u{1b}]0;PWNED\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{7f}";

/// From drop to drop. A head has some 130 of them.
const DRIP: Duration = Duration::from_millis(2);

const PLAIN_101: &str = "HTTP/1.1 101 Switching Protocols\r\n";

/// Every row.
pub fn behaviours() -> Vec<Behaviour> {
    let groups = [
        good(),
        slow(),
        ends(),
        other_protocols(),
        malformed(),
        statuses(),
        bodies(),
        wrong_101(),
        after_the_101(),
    ];
    groups.into_iter().flatten().collect()
}

fn row(
    name: impl Into<String>,
    exit: i32,
    ends: Ends,
    act: impl FnMut(&mut Peer) + Send + 'static,
) -> Behaviour {
    Behaviour {
        name: name.into(),
        exit,
        ends,
        act: Box::new(act),
    }
}

/// Reads the request and answers with these bytes; then the connection stays, so that whoever waits
/// for its end waits for ever.
fn answer(name: impl Into<String>, exit: i32, bytes: impl Into<Vec<u8>>) -> Behaviour {
    let bytes = bytes.into();
    row(name, exit, Ends::Server, move |peer| {
        peer.read_head();
        peer.send(&bytes);
        peer.drain();
    })
}

/// One ping and the closing handshake.
fn converse(peer: &mut Peer) {
    while let Some(frame) = peer.frame() {
        match frame.opcode {
            PING => peer.send_frame(PONG, &frame.payload),
            CLOSE => return peer.send_frame(CLOSE, &frame.payload),
            _ => {}
        }
    }
}

fn good() -> Vec<Behaviour> {
    let mut rows = vec![
        row("103 first", 0, Ends::Server, |peer| {
            peer.read_head();
            peer.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n");
            peer.accept();
            converse(peer);
        }),
        row(
            "frames in the segment of the 101",
            0,
            Ends::Server,
            |peer| {
                peer.read_head();
                let accept = peer.accept_key();
                let head = format!(
                    "{PLAIN_101}Upgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                let text = encode(0x80 | TEXT, None, b"hello");
                peer.send([head.as_bytes(), &text].concat());
                converse(peer);
            },
        ),
        row("a drip that is slow but whole", 0, Ends::Server, |peer| {
            peer.read_head();
            let accept = peer.accept_key();
            let head = format!(
                "{PLAIN_101}Upgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            for byte in head.bytes() {
                peer.send([byte]);
                sleep(DRIP);
            }
            converse(peer);
        }),
    ];
    for (name, lines) in [
        (
            "names in capitals, and tokens in lists",
            "UPGRADE: h2c, WebSocket\r\nCONNECTION: keep-alive, UPGRADE\r\nSEC-WEBSOCKET-ACCEPT: KEY\r\n\r\n",
        ),
        (
            "lines that end in a bare LF",
            "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: KEY\n\n",
        ),
        (
            "Connection twice",
            "Upgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: KEY\r\n\r\n",
        ),
    ] {
        rows.push(row(name, 0, Ends::Server, move |peer| {
            peer.read_head();
            let lines = lines.replace("KEY", &peer.accept_key());
            peer.send(format!("{PLAIN_101}{lines}"));
            converse(peer);
        }));
    }
    rows
}

fn slow() -> Vec<Behaviour> {
    vec![
        row("silence", 7, Ends::Deadline, |peer| {
            peer.drain();
        }),
        row("half a head", 7, Ends::Deadline, |peer| {
            peer.read_head();
            peer.send(format!("{PLAIN_101}Upgrade: web"));
            peer.drain();
        }),
        row("a drip for ever", 7, Ends::Deadline, |peer| {
            peer.read_head();
            peer.send(format!("{PLAIN_101}X-Drip: "));
            while peer.try_send(b"a") {
                sleep(DRIP);
            }
        }),
        row("1xx and then silence", 7, Ends::Deadline, |peer| {
            peer.read_head();
            peer.send("HTTP/1.1 102 Processing\r\n\r\n");
            peer.drain();
        }),
    ]
}

fn ends() -> Vec<Behaviour> {
    vec![
        row("FIN at once", 3, Ends::Server, |_| {}),
        row("FIN instead of an answer", 3, Ends::Server, |peer| {
            peer.read_head();
        }),
        row("FIN in the middle of the head", 3, Ends::Server, |peer| {
            peer.read_head();
            peer.send(format!("{PLAIN_101}Upgrade: web"));
        }),
        row("RST instead of an answer", 3, Ends::Server, |peer| {
            peer.read_head();
            peer.reset();
        }),
    ]
}

fn other_protocols() -> Vec<Behaviour> {
    let speaks_first = |name: &str, bytes: &'static [u8]| {
        row(name, 5, Ends::Server, move |peer| {
            peer.send(bytes);
            peer.drain();
        })
    };
    vec![
        speaks_first(
            "an SSH banner",
            b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
        ),
        speaks_first("an SMTP banner", b"220 mail.test ESMTP Postfix\r\n"),
        speaks_first(
            "a MySQL greeting",
            b"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00",
        ),
        answer("a TLS alert", 5, *b"\x15\x03\x01\x00\x02\x02\x32"),
        answer(
            "an HTTP/2 server",
            5,
            *b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80",
        ),
        answer("garbage", 5, *b"\x1b]0;PWNED\x07\xff\xfe\x00\x01\r\n"),
        answer("garbage without an end", 5, vec![b'x'; 100_000]),
        answer("HTTP/0.9", 5, "<html>\nhello\n</html>\n"),
        answer("HTTP/2 by name", 5, "HTTP/2 200 OK\r\n\r\n"),
    ]
}

fn malformed() -> Vec<Behaviour> {
    let mut rows = vec![
        answer(
            "a header of 1 MiB",
            5,
            format!("{PLAIN_101}X-Long: {}\r\n\r\n", "a".repeat(1 << 20)),
        ),
        row("a header without an end", 5, Ends::Server, |peer| {
            peer.read_head();
            peer.send(format!("{PLAIN_101}X-Long: "));
            while peer.try_send(&[b'a'; 4096]) {}
        }),
        row("headers without an end", 5, Ends::Server, |peer| {
            peer.read_head();
            peer.send(PLAIN_101);
            while peer.try_send(b"X-More: of the same\r\n") {}
        }),
        row("interim answers without an end", 5, Ends::Server, |peer| {
            peer.read_head();
            while peer.try_send(b"HTTP/1.1 100 Continue\r\n\r\n") {}
        }),
    ];
    for (name, bytes) in [
        ("a status that is no number", "HTTP/1.1 abc OK\r\n\r\n"),
        ("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"),
        (
            "a line without a colon",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ),
        (
            "a blank before the colon",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        ),
        ("a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"),
        ("a NUL in a value", "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n"),
    ] {
        rows.push(answer(name, 5, bytes));
    }
    rows
}

/// Each status with and without a body.
fn statuses() -> Vec<Behaviour> {
    let mut rows = Vec::new();
    for (status, more) in [
        ("200 OK", ""),
        ("204 No Content", ""),
        (
            "301 Moved Permanently",
            "Location: https://other.test/chat\r\n",
        ),
        ("302 Found", "Location: /login?token=hunter2\r\n"),
        ("304 Not Modified", ""),
        ("307 Temporary Redirect", ""),
        ("400 Bad Request", ""),
        (
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=\"vault\"\r\n",
        ),
        ("401 Unauthorized", "WWW-Authenticate: Bearer\r\n"),
        ("402 Payment Required", ""),
        ("403 Forbidden", ""),
        ("404 Not Found", ""),
        ("405 Method Not Allowed", "Allow: POST\r\n"),
        (
            "407 Proxy Authentication Required",
            "Proxy-Authenticate: Basic\r\n",
        ),
        ("408 Request Timeout", ""),
        ("410 Gone", ""),
        ("413 Content Too Large", ""),
        ("421 Misdirected Request", ""),
        ("426 Upgrade Required", "Sec-WebSocket-Version: 8, 7\r\n"),
        ("426 Upgrade Required", "Upgrade: h2c\r\n"),
        ("429 Too Many Requests", "Retry-After: 30\r\n"),
        ("431 Request Header Fields Too Large", ""),
        ("500 Internal Server Error", ""),
        ("502 Bad Gateway", "Server: nginx\r\n"),
        (
            "503 Service Unavailable",
            "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n",
        ),
        ("504 Gateway Timeout", ""),
        ("505 HTTP Version Not Supported", ""),
        ("599", ""),
        ("999 Request Denied", ""),
    ] {
        let head = format!("HTTP/1.1 {status}\r\n{more}");
        rows.push(answer(
            status,
            5,
            format!("{head}Content-Length: 0\r\n\r\n"),
        ));
        rows.push(answer(
            format!("{status}, with a body"),
            5,
            format!("{head}Content-Length: 15\r\n\r\nthis says why\r\n"),
        ));
    }
    rows
}

/// How a body can end, and what it can hold.
fn bodies() -> Vec<Behaviour> {
    let head = "HTTP/1.1 400 Bad Request\r\n";
    let html = "<html>\r\n<head><title>400</title></head>\r\n<body>\r\n\r\n<h1>Bad</h1>\r\n1\r\n2\r\n3\r\n4\r\n5\r\n";
    let mut rows = vec![
        answer(
            "a chunked body",
            5,
            format!(
                "{head}Transfer-Encoding: chunked\r\n\r\n6\r\nchunk \r\n3;a=b\r\ned!\r\n0\r\n\r\n"
            ),
        ),
        answer(
            "broken chunks",
            5,
            format!("{head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n"),
        ),
        answer(
            "a body without a length, and no end",
            5,
            format!("{head}\r\nno length\n"),
        ),
        answer(
            "a body that is shorter than it says",
            5,
            format!("{head}Content-Length: 100\r\n\r\nshort\n"),
        ),
        answer(
            "a body of many lines",
            5,
            format!("{head}Content-Length: {}\r\n\r\n{html}", html.len()),
        ),
        answer(
            "a body of 1 MiB",
            5,
            format!(
                "{head}Content-Length: 1048576\r\n\r\n{}",
                "x".repeat(1 << 20)
            ),
        ),
        answer(
            "a body of bytes",
            5,
            [
                head.as_bytes(),
                b"Content-Length: 6\r\n\r\n\x1f\x8b\x08\x00\xff\xfe",
            ]
            .concat(),
        ),
        answer(
            "escapes in reason, headers and body",
            5,
            format!(
                "HTTP/1.1 403 No{ESCAPES}\r\nServer: x\u{9b}31m\u{202e}\r\n\
                 Content-Length: {}\r\n\r\n{ESCAPES}",
                ESCAPES.len()
            ),
        ),
        answer(
            "a TLS port that says so",
            5,
            format!(
                "{head}Content-Length: 48\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
            ),
        ),
    ];
    rows.push(row("a body until the end", 5, Ends::Server, move |peer| {
        peer.read_head();
        peer.send(format!("{head}Connection: close\r\n\r\nuntil the end\n"));
    }));
    rows.push(row("a body without an end", 5, Ends::Server, move |peer| {
        peer.read_head();
        peer.send(format!("{head}\r\n"));
        while peer.try_send(&[b'x'; 4096]) {}
    }));
    rows
}

/// A 101 that does not hold what was asked for.
fn wrong_101() -> Vec<Behaviour> {
    let right = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: KEY",
    ];
    let mut rows = Vec::new();
    for (name, lines) in [
        ("a 101 without a header", vec![]),
        ("a 101 without Upgrade", vec![right[1], right[2]]),
        (
            "a 101 with another Upgrade",
            vec!["Upgrade: h2c", right[1], right[2]],
        ),
        ("a 101 without Connection", vec![right[0], right[2]]),
        (
            "a 101 whose Connection only looks like it",
            vec![right[0], "Connection: Upgraded", right[2]],
        ),
        ("a 101 without Accept", vec![right[0], right[1]]),
        (
            "a 101 with a wrong Accept",
            vec![
                right[0],
                right[1],
                "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            ],
        ),
        (
            "a 101 with Accept twice",
            vec![right[0], right[1], right[2], right[2]],
        ),
        (
            "a subprotocol that was not offered",
            vec![right[0], right[1], right[2], "Sec-WebSocket-Protocol: soap"],
        ),
        (
            "an extension that was not offered",
            vec![
                right[0],
                right[1],
                right[2],
                "Sec-WebSocket-Extensions: x-webkit-deflate-frame",
            ],
        ),
        (
            "permessage-deflate with a wrong parameter",
            vec![
                right[0],
                right[1],
                right[2],
                "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
            ],
        ),
    ] {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        rows.push(row(name, 5, Ends::Server, move |peer| {
            peer.read_head();
            let lines = lines.replace("KEY", &peer.accept_key());
            peer.send(format!("{PLAIN_101}{lines}\r\n"));
            peer.drain();
        }));
    }
    rows
}

fn after_the_101() -> Vec<Behaviour> {
    let opened = |name: &str, exit, bytes: &'static [u8]| {
        row(name, exit, Ends::Server, move |peer| {
            peer.read_head();
            peer.accept();
            // The ping or the message, so that each run has the same order.
            peer.frame();
            peer.send(bytes);
        })
    };
    vec![
        opened(
            "an HTTP answer after the 101 (Engine.IO)",
            5,
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n\
              {\"code\":5,\"message\":\"Unsupported protocol version\"}",
        ),
        opened("FIN after the 101", 8, b""),
        opened("no frames after the 101", 9, b"hello, this is not a frame"),
    ]
}
