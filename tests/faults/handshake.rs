//! Faults of the opening handshake.

use super::{faulty, hits, is_told, status};
use crate::harness::program::wscope;
use crate::harness::raw::{PING, PONG, Peer};

#[test]
fn attempts_are_refused_and_others_are_not() {
    let server = faulty(&["refuse=503:conn=1-2", "redirect=\"ws://elsewhere/\":conn=3"]);
    let address = server.address().to_owned();
    let refused = Peer::connect_with(&address, &[]);
    assert_eq!(
        (status(&refused), refused.header("Retry-After")),
        ("503", vec!["1"])
    );
    assert_eq!(status(&Peer::connect_with(&address, &[])), "503");
    let moved = Peer::connect_with(&address, &[]);
    assert_eq!(
        (status(&moved), moved.header("Location")),
        ("302", vec!["ws://elsewhere/"])
    );
    // Plain HTTP is no attempt.
    let metrics = Peer::connect(&address, &["GET /metrics HTTP/1.1", "Host: localhost"]);
    assert_eq!(status(&metrics), "200");
    let mut open = Peer::connect_open(&address);
    open.send_text("hello");
    assert_eq!(open.text(), "hello");
    let (_, hits) = hits(server);
    assert_eq!(
        hits,
        [
            "refuse=503:conn=1-2: attempt 1 was refused",
            "refuse=503:conn=1-2: attempt 2 was refused",
            "redirect=\"ws://elsewhere/\":conn=3: attempt 3 was refused",
        ]
    );
}

#[test]
fn hits_are_counted() {
    let server = faulty(&["lose", "dup"]);
    let mut client = Peer::connect_open(server.address());
    client.send_text("one");
    client.send_text("two");
    client.send_frame(PING, "");
    assert_eq!(client.frame().expect("a pong").opcode, PONG);
    let mut metrics = Peer::connect(
        server.address(),
        &[
            "GET /metrics HTTP/1.1",
            "Host: localhost",
            "Connection: close",
        ],
    );
    let page = String::from_utf8(metrics.rest()).unwrap();
    assert!(
        page.contains("wscope_faults_total{action=\"lose\"} 2\n"),
        "{page}"
    );
    assert!(
        !page.contains("action=\"dup\""),
        "what is lost is not sent twice: {page}"
    );
}

#[test]
fn a_hang_lasts_until_the_client_leaves() {
    let server = faulty(&["hang:conn=1"]);
    let output = wscope(&["connect", server.url(), "--connect-timeout", "0.3"]).run();
    output.code(7);
    let _open = Peer::connect_open(server.address());
    is_told(server, "hang:conn=1: attempt 1 was not answered");
}

#[test]
fn the_answer_is_wrong() {
    for (fault, header, values) in [
        (
            "wrong-accept",
            "Sec-WebSocket-Accept",
            &["ACX+Yqv66kxgM0FcWaLWlFLwTAI="][..],
        ),
        ("no-upgrade", "Upgrade", &[]),
        ("add-protocol", "Sec-WebSocket-Protocol", &["unasked"]),
        (
            "add-extension=x-other",
            "Sec-WebSocket-Extensions",
            &["x-other"],
        ),
    ] {
        let server = faulty(&[fault]);
        let host = format!("Host: {}", server.address());
        let head = [
            "GET / HTTP/1.1",
            &host,
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ];
        let client = Peer::connect(server.address(), &head);
        assert_eq!(status(&client), "101");
        assert_eq!(client.header(header), values, "{fault}");
        drop(client);
        is_told(server, &format!("{fault}: attempt 1 was answered"));
    }
}

#[test]
fn something_leaves_with_the_101() {
    for (fault, behind) in [
        ("early-frame", &b"\x81\x05early"[..]),
        ("early-frame=hi", b"\x81\x02hi"),
        ("http-after-101", b"HTTP/1.1 200 OK\r\n"),
    ] {
        let server = faulty(&[fault]);
        let mut client = Peer::dial(server.address());
        let lines = crate::harness::raw::UPGRADE.join("\r\n");
        client.send(format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\n"
        ));
        // One write is one segment, and one read.
        let heard = client.hear();
        let end = heard.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let rest = &heard[end.expect("a head") + 4..];
        assert!(rest.starts_with(behind), "{fault}: {rest:?}");
    }
}
