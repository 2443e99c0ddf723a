//! Our server against clients, ours too.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use wscope::model::handshake::{RequestHead, header};
use wscope::wire::accept::{self, Accepted, Ended, accept};
use wscope::wire::upgrade::{Answer, Plan, upgrade};

use super::{FRAMES, opening, soon};

const DEADLINE: Duration = Duration::from_secs(20);

const UPGRADE: &str = "GET /chat?x HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\n\
    Connection: keep-alive, upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Dup: 1\r\nx-dup: 2\r\n\r\n";

fn answer(request: &RequestHead, asked: accept::Asked<'_>) -> accept::Answer {
    let upgrade = asked == accept::Asked::Upgrade;
    if upgrade && request.target != "/forbidden" {
        accept::Answer::Upgrade {
            subprotocol: Some("p".into()),
            headers: vec![("X-Extra".into(), "e".into())],
        }
    } else {
        accept::Answer::Http {
            status: if upgrade { 403 } else { 200 },
            headers: vec![("Content-Type".into(), "text/plain".into())],
            body: format!("{} {}", request.method, request.target).into(),
        }
    }
}

type Outcome = Result<Accepted<DuplexStream>, Ended>;

/// All that a client receives that sends `bytes` and shuts down its side; and how it ended.
async fn exchange(bytes: impl AsRef<[u8]>) -> (String, Result<(RequestHead, Bytes), Ended>) {
    let (mut near, far) = duplex(256);
    let server = tokio::spawn(async move {
        let outcome: Outcome = accept(far, DEADLINE, answer).await;
        // The stream is dropped here, so that the client sees the end.
        outcome.map(|accepted| (accepted.request, accepted.read_ahead))
    });
    let client = async {
        near.write_all(bytes.as_ref()).await.unwrap();
        near.shutdown().await.unwrap();
        let mut received = String::new();
        near.read_to_string(&mut received).await.unwrap();
        received
    };
    let received = soon(client).await;
    (received, soon(server).await.unwrap())
}

#[tokio::test]
async fn a_right_request_is_upgraded_and_its_frames_are_kept() {
    let (received, outcome) = exchange([UPGRADE.as_bytes(), FRAMES].concat()).await;
    assert!(
        received.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
        "{received}"
    );
    for line in [
        "upgrade: websocket\r\n",
        "connection: Upgrade\r\n",
        "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
        "sec-websocket-protocol: p\r\n",
        "x-extra: e\r\n",
    ] {
        assert!(received.contains(line), "{line} in {received}");
    }
    let (request, read_ahead) = outcome.unwrap();
    assert_eq!(read_ahead, FRAMES);
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("GET", "/chat?x")
    );
    let dups: Vec<&str> = wscope::model::handshake::values(&request.headers, "X-Dup").collect();
    assert_eq!(dups, ["1", "2"]);
}

#[tokio::test]
async fn our_client_and_our_server_agree() {
    let (mut near, far) = duplex(64);
    let server = tokio::spawn(accept(far, DEADLINE, answer));
    let plan = Plan {
        subprotocols: vec!["p".into()],
        ..Plan::default()
    };
    let request = opening(&plan);
    let sent = request.clone();
    // In a task of its own: both futures must be Send.
    let client = tokio::spawn(async move {
        let answer = upgrade(&mut near, &sent, &mut BytesMut::new(), &mut |_| {}).await;
        (near, answer.unwrap())
    });
    let (mut near, answer) = soon(client).await.unwrap();
    let Answer::Upgraded(upgraded) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(upgraded.subprotocol.as_deref(), Some("p"));
    let mut accepted = soon(server).await.unwrap().unwrap();
    assert_eq!(accepted.request.target, request.target);
    assert_eq!(accepted.request.headers.len(), request.headers.len());
    assert_eq!(accepted.response.status, 101);
    assert_eq!(header(&accepted.response.headers, "x-extra"), Some("e"));
    // The stream is whole in both directions.
    near.write_all(b"up").await.unwrap();
    accepted.stream.write_all(b"down").await.unwrap();
    let (mut up, mut down) = ([0; 2], [0; 4]);
    soon(accepted.stream.read_exact(&mut up)).await.unwrap();
    soon(near.read_exact(&mut down)).await.unwrap();
    assert_eq!((&up, &down), (b"up", b"down"));
}

#[tokio::test]
async fn wrong_upgrades_are_told_what_is_wrong() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let no_body = UPGRADE.trim_end();
    let rows = [
        (UPGRADE.replace("GET", "POST"), 405, "allow: GET"),
        (UPGRADE.replace("HTTP/1.1", "HTTP/1.0"), 400, "HTTP/1.1"),
        (UPGRADE.replace("Host: h\r\n", ""), 400, "no Host"),
        (
            UPGRADE.replace("Host: h", "Host: h\r\nHost: i"),
            400,
            "more than one Host",
        ),
        (
            UPGRADE.replace("Upgrade: WebSocket\r\n", ""),
            426,
            "upgrade: websocket",
        ),
        (
            UPGRADE.replace("keep-alive, upgrade", "close"),
            400,
            "Connection: Upgrade",
        ),
        (
            UPGRADE.replace("Version: 13", "Version: 8"),
            426,
            "sec-websocket-version: 13",
        ),
        (
            UPGRADE.replace("Sec-WebSocket-Version: 13\r\n", ""),
            426,
            "sec-websocket-version: 13",
        ),
        (UPGRADE.replace(key, ""), 400, "no Sec-WebSocket-Key"),
        (
            UPGRADE.replace(key, &key.repeat(2)),
            400,
            "more than one Sec-WebSocket-Key",
        ),
        (UPGRADE.replace("dGhl", "####"), 400, "16 bytes"),
        (UPGRADE.replace("dGhl", ""), 400, "16 bytes"),
        (
            format!("{no_body}\r\nContent-Length: 2\r\n\r\nab"),
            400,
            "no body",
        ),
    ];
    for (bytes, status, want) in rows {
        let (received, outcome) = exchange(&bytes).await;
        assert!(
            received.starts_with(&format!("HTTP/1.1 {status} "))
                || received.starts_with(&format!("HTTP/1.0 {status} ")),
            "{bytes}{received}"
        );
        assert!(received.contains(want), "{want} in {received}");
        assert!(
            matches!(&outcome, Err(Ended::Http(Some((_, got)))) if *got == status),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn plain_http_is_answered_on_one_connection_until_an_upgrade() {
    let get = "GET /page HTTP/1.1\r\nHost: h\r\n\r\n";
    let (received, outcome) = exchange(get.repeat(2)).await;
    assert_eq!(received.matches("HTTP/1.1 200 OK").count(), 2, "{received}");
    assert!(received.ends_with("GET /page"), "{received}");
    assert!(
        matches!(outcome, Err(Ended::Http(Some((_, 200))))),
        "{outcome:?}"
    );

    let (received, outcome) = exchange(format!("{get}{UPGRADE}")).await;
    assert!(
        received.contains("200 OK") && received.contains("101 Switching"),
        "{received}"
    );
    assert!(outcome.is_ok(), "{outcome:?}");

    let forbidden = UPGRADE.replace("/chat?x", "/forbidden");
    let (received, outcome) = exchange(forbidden).await;
    assert!(received.starts_with("HTTP/1.1 403 Forbidden"), "{received}");
    assert!(
        matches!(outcome, Err(Ended::Http(Some((_, 403))))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn methods_without_bodies_and_with_them() {
    let (received, _) = exchange("HEAD /page HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(received.contains("content-length: 10\r\n"), "{received}");
    assert!(received.ends_with("\r\n\r\n"), "{received}");

    let post =
        "POST /page HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody";
    let (received, _) = exchange(post).await;
    assert!(
        received.contains("connection: close") && received.ends_with("POST /page"),
        "{received}"
    );

    let (received, outcome) = exchange("GET / HTTP/1.1\r\n\r\n").await;
    assert!(received.starts_with("HTTP/1.1 400"), "{received}");
    assert!(
        matches!(outcome, Err(Ended::Http(Some((_, 400))))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_function_cannot_upgrade_a_plain_request() {
    let (mut near, far) = duplex(4096);
    let server = tokio::spawn(accept(far, DEADLINE, |_: &RequestHead, _| {
        accept::Answer::Upgrade {
            subprotocol: None,
            headers: Vec::new(),
        }
    }));
    near.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    let mut received = String::new();
    soon(near.read_to_string(&mut received)).await.unwrap();
    assert!(received.starts_with("HTTP/1.1 426 "), "{received}");
    drop(near);
    assert!(matches!(
        soon(server).await.unwrap(),
        Err(Ended::Http(Some((_, 426))))
    ));
}

#[tokio::test]
async fn an_answer_that_cannot_be_sent_is_500() {
    let (mut near, far) = duplex(4096);
    tokio::spawn(accept(far, DEADLINE, |_: &RequestHead, _| {
        accept::Answer::Upgrade {
            subprotocol: Some("a\r\nb".into()),
            headers: Vec::new(),
        }
    }));
    near.write_all(UPGRADE.as_bytes()).await.unwrap();
    near.shutdown().await.unwrap();
    let mut received = String::new();
    soon(near.read_to_string(&mut received)).await.unwrap();
    assert!(received.starts_with("HTTP/1.1 500 "), "{received}");
}

#[tokio::test]
async fn heads_have_limits_and_the_client_reads_why() {
    let start = "GET / HTTP/1.1\r\nHost: h\r\n";
    for bytes in [
        format!("{start}X: {}\r\n\r\n", "a".repeat(40 * 1024)),
        format!("{start}{}\r\n", "X: a\r\n".repeat(200)),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let far = listener.accept().await.unwrap().0;
        let server = tokio::spawn(accept(far, DEADLINE, answer));
        near.write_all(bytes.as_bytes()).await.unwrap();
        let mut received = String::new();
        soon(near.read_to_string(&mut received)).await.unwrap();
        assert!(received.starts_with("HTTP/1.1 431 "), "{received}");
        drop(near);
        let ended = soon(server).await.unwrap();
        assert!(matches!(ended, Err(Ended::Unreadable(431, _))), "{ended:?}");
    }
}

#[tokio::test]
async fn garbage_and_ends_are_told_apart() {
    let (received, outcome) = exchange("\x16\x03\x01 nonsense\r\n\r\n").await;
    assert!(received.starts_with("HTTP/1.1 400"), "{received}");
    assert!(
        matches!(outcome, Err(Ended::Unreadable(400, _))),
        "{outcome:?}"
    );
    let (received, outcome) = exchange("").await;
    assert!(
        received.is_empty() && matches!(outcome, Err(Ended::Http(None))),
        "{outcome:?}"
    );
    let (_, outcome) = exchange("GET / HTTP/1.1\r\nHos").await;
    assert!(
        matches!(&outcome, Err(Ended::Io(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn silence_and_drips_are_cut() {
    let limit = Duration::from_millis(50);
    let (near, far) = duplex(64);
    assert!(matches!(
        soon(accept(far, limit, answer)).await,
        Err(Ended::Timeout)
    ));
    drop(near);

    let (mut near, far) = duplex(64);
    let server = tokio::spawn(accept(far, limit, answer));
    let drip = async {
        near.write_all(b"GET / HTTP/1.1\r\nX: ").await?;
        loop {
            near.write_all(b"a").await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let dripped: std::io::Result<()> = soon(drip).await;
    assert!(dripped.is_err());
    let ended = soon(server).await.unwrap();
    assert!(matches!(ended, Err(Ended::Unreadable(408, _))), "{ended:?}");
}

#[tokio::test]
async fn a_part_of_a_request_is_told_that_it_is_too_late() {
    for (part, is_head) in [
        ("GET / HTTP/1.1\r\nHost: h\r\n", true),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
            false,
        ),
    ] {
        let (mut near, far) = duplex(4096);
        near.write_all(part.as_bytes()).await.unwrap();
        let server = tokio::spawn(accept(far, Duration::from_millis(50), answer));
        let mut received = String::new();
        soon(near.read_to_string(&mut received)).await.unwrap();
        let begin = "HTTP/1.1 408 Request Timeout\r\n";
        assert!(received.starts_with(begin), "{part}: {received}");
        let (head, body) = received.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        drop(near);
        let ended = soon(server).await.unwrap();
        match ended {
            Err(Ended::Unreadable(408, _)) => assert!(is_head),
            Err(Ended::Http(Some((_, 408)))) => assert!(!is_head),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_idle_connection_ends_as_plain_http() {
    let (mut near, far) = duplex(4096);
    near.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    // The request is there before the clock starts.
    let server = tokio::spawn(accept(far, Duration::from_millis(50), answer));
    let mut received = String::new();
    soon(near.read_to_string(&mut received)).await.unwrap();
    assert!(received.starts_with("HTTP/1.1 200"), "{received}");
    drop(near);
    let outcome = soon(server).await.unwrap();
    assert!(matches!(outcome, Err(Ended::Http(Some((_, 200))))));
}

/// Requests of every kind, but for two of which hyper makes what depends on how much has come:
/// those with a body, and garbage.
fn requests() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just([UPGRADE.as_bytes(), FRAMES].concat()),
        Just(UPGRADE.replace("/chat", "/forbidden").into_bytes()),
        Just(UPGRADE.replace("13", "12").into_bytes()),
        Just(
            UPGRADE
                .replace("Host: h", "Host: h\r\nHost: i")
                .into_bytes()
        ),
        Just(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_vec()),
        Just(b"GET / HTTP/1.1\r\nHost".to_vec()),
    ]
}

/// What is answered, but for its date.
async fn answered_to(pieces: Vec<Vec<u8>>) -> String {
    let (mut near, far) = duplex(4096);
    let server = tokio::spawn(async move {
        let outcome: Outcome = accept(far, DEADLINE, answer).await;
        match outcome {
            Ok(mut accepted) => {
                let mut frames = accepted.read_ahead.to_vec();
                accepted.stream.read_to_end(&mut frames).await.unwrap();
                format!("{:?} {frames:?}", accepted.request)
            }
            Err(ended) => format!("{ended:?}"),
        }
    });
    let client = async {
        for piece in pieces {
            // A server that has answered may have left.
            let _gone = near.write_all(&piece).await;
            tokio::task::yield_now().await;
        }
        let _gone = near.shutdown().await;
        let mut received = String::new();
        near.read_to_string(&mut received).await.unwrap();
        received
    };
    let received = soon(client).await;
    let lines = received.lines().filter(|line| !line.starts_with("date:"));
    let received: String = lines.collect();
    format!("{received} {}", soon(server).await.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_split_of_a_request_gives_the_same_answer(
        bytes in requests(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|ends| bytes[ends[0]..ends[1]].to_vec()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let whole = runtime.block_on(answered_to(vec![bytes]));
        let split = runtime.block_on(answered_to(pieces));
        prop_assert_eq!(split, whole);
    }
}
