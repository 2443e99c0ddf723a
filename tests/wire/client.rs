//! Our client against servers.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;
use wscope::error::Error;
use wscope::model::handshake::{MAX_REFUSAL_BODY, ResponseHead};
use wscope::wire::refusal::refusal_hint;
use wscope::wire::target::Target;
use wscope::wire::upgrade::{Answer, Plan, Upgraded, upgrade};

use super::{FRAMES, RIGHT, opening, soon};

/// What a server does after its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Close,
    Hold,
}

/// A server that reads a request and answers in `pieces`, each of which arrives alone.
async fn serve(mut stream: DuplexStream, pieces: Vec<Vec<u8>>, then: Then) {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    }
    for piece in pieces {
        // The client may have heard enough.
        if stream.write_all(&piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    if then == Then::Hold {
        let _ = stream.read_u8().await;
    }
}

/// What the client makes of an answer: the heads it saw, and the result. The rest of the
/// stream is joined to `read_ahead`, for how much is read ahead is not part of the contract.
async fn shake(
    plan: &Plan,
    pieces: Vec<Vec<u8>>,
    then: Then,
) -> (Vec<ResponseHead>, Result<Answer, Error>) {
    let (mut near, far) = duplex(64 * 1024);
    let server = tokio::spawn(serve(far, pieces, then));
    let mut heads = Vec::new();
    let request = opening(plan);
    let mut seen = |head: &ResponseHead| heads.push(head.clone());
    let mut buffer = BytesMut::new();
    let mut result = soon(upgrade(&mut near, &request, &mut buffer, &mut seen)).await;
    if let Ok(Answer::Upgraded(upgraded)) = &mut result
        && then == Then::Close
    {
        let mut frames = upgraded.read_ahead.to_vec();
        soon(near.read_to_end(&mut frames)).await.unwrap();
        upgraded.read_ahead = frames.into();
    }
    drop(near);
    soon(server).await.unwrap();
    (heads, result)
}

async fn answered(bytes: impl AsRef<[u8]>, then: Then) -> Result<Answer, Error> {
    shake(&Plan::default(), vec![bytes.as_ref().to_vec()], then)
        .await
        .1
}

async fn upgraded(bytes: impl AsRef<[u8]>) -> Upgraded {
    match answered(bytes, Then::Close).await {
        Ok(Answer::Upgraded(upgraded)) => upgraded,
        other => panic!("{other:?}"),
    }
}

async fn refused(bytes: impl AsRef<[u8]>, then: Then) -> (ResponseHead, Bytes) {
    match answered(bytes, then).await {
        Ok(Answer::Refused(refusal)) => (refusal.head, refusal.body),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn frames_that_ride_with_the_101_are_kept() {
    let upgraded = upgraded([RIGHT.as_bytes(), FRAMES].concat()).await;
    assert_eq!(upgraded.read_ahead, FRAMES);
    assert_eq!(upgraded.head.status, 101);
    assert_eq!(upgraded.head.reason, "Switching Protocols");
    assert_eq!((upgraded.subprotocol, upgraded.extensions.len()), (None, 0));
}

#[tokio::test]
async fn a_drip_that_is_whole_is_fine() {
    let pieces = RIGHT.bytes().map(|byte| vec![byte]).collect();
    let (_, result) = shake(&Plan::default(), pieces, Then::Hold).await;
    assert!(matches!(result, Ok(Answer::Upgraded(_))), "{result:?}");
}

#[tokio::test]
async fn interim_answers_are_seen_and_skipped() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let bytes = format!("{}{RIGHT}", hints.repeat(16));
    let (heads, result) = shake(&Plan::default(), vec![bytes.into_bytes()], Then::Hold).await;
    assert!(matches!(result, Ok(Answer::Upgraded(_))), "{result:?}");
    let statuses: Vec<u16> = heads.iter().map(|head| head.status).collect();
    assert_eq!(statuses, [vec![103; 16], vec![101]].concat());

    let error = answered(hints.repeat(17), Then::Hold).await.unwrap_err();
    assert!(error.to_string().contains("interim"), "{error}");
}

#[tokio::test]
async fn silence_waits_for_the_callers_deadline() {
    for bytes in ["", "HTT", "HTTP/1.1 101 Switching Protocols\r\nUpgrade"] {
        let waiting = answered(bytes, Then::Hold);
        let waited = timeout(Duration::from_millis(50), waiting).await;
        assert!(waited.is_err(), "{bytes}: {waited:?}");
    }
}

#[tokio::test]
async fn an_end_says_where_it_came() {
    for (bytes, place) in [
        ("", "while waiting for the answer"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: w",
            "in the middle of its answer",
        ),
        (
            "HTTP/1.1 103 Early Hints\r\n\r\n",
            "while waiting for the answer",
        ),
    ] {
        let error = answered(bytes, Then::Close).await.unwrap_err();
        assert_eq!(error.kind(), "dropped");
        let text = error.to_string();
        assert!(
            text.starts_with("example.test:8080 closed") && text.contains(place),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_is_not_http_is_shown_with_a_guess() {
    let tls_alert = b"\x15\x03\x03\x00\x02\x02\x0a".to_vec();
    let http2 = b"\x00\x00\x12\x04\x00\x00\x00\x00\x00".to_vec();
    let rows = [
        (
            b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec(),
            "\"SSH-2.0-OpenSSH_9.2p1\\x0d\\x0a\"",
            "SSH server",
        ),
        (
            tls_alert,
            "\"\\x15\\x03\\x03",
            "try wss://example.test:8080",
        ),
        (http2, "\"\\x00\\x00\\x12\\x04", "HTTP/2"),
        (
            b"\x1b]0;owned\x07\xff".to_vec(),
            "\"\\x1b]0;owned\\x07\\xff\"",
            "port right",
        ),
        (vec![b'x'; 4096], &"x".repeat(64), "port right"),
    ];
    for (bytes, shown, hint) in rows {
        for then in [Then::Close, Then::Hold] {
            let error = answered(&bytes, then).await.unwrap_err();
            assert_eq!(error.kind(), "handshake");
            assert!(error.to_string().contains(shown), "{error}");
            assert!(error.hint().unwrap().contains(hint), "{:?}", error.hint());
        }
    }
    let error = answered([b'x'; 4096], Then::Hold).await.unwrap_err();
    assert!(!error.to_string().contains(&"x".repeat(65)), "{error}");
}

#[tokio::test]
async fn heads_have_limits() {
    let start = "HTTP/1.1 101 Switching Protocols\r\n";
    let rows = [
        (
            format!("{start}X: {}\r\n\r\n", "a".repeat(1 << 20)),
            "longer than 65536",
        ),
        (
            format!("{start}{}", "X: a\r\n".repeat(1 << 18)),
            "longer than 65536",
        ),
        (
            format!("{start}{}\r\n", "X: a\r\n".repeat(257)),
            "more than 256 header fields",
        ),
        (format!("{start}no colon\r\n\r\n"), "not valid HTTP"),
        ("HTTP/1.1 abc\r\n\r\n".to_owned(), "not valid HTTP"),
    ];
    for (bytes, want) in rows {
        let error = answered(bytes, Then::Hold).await.unwrap_err();
        assert_eq!(error.kind(), "handshake");
        assert!(error.to_string().contains(want), "{error}");
    }
    let most = format!("{}{}\r\n", RIGHT.trim_end(), "\r\nX: a".repeat(253));
    upgraded(format!("{most}\r\n")).await;
}

#[tokio::test]
async fn a_head_may_have_64_kib_and_not_a_byte_more() {
    let room = 64 * 1024 - "HTTP/1.1 204 None\r\nX: \r\n\r\n".len();
    let sized = |room| format!("HTTP/1.1 204 None\r\nX: {}\r\n\r\n", "a".repeat(room));
    assert_eq!(refused(sized(room), Then::Hold).await.0.status, 204);
    let error = answered(sized(room + 1), Then::Hold).await.unwrap_err();
    assert!(error.to_string().contains("longer than 65536"), "{error}");
}

#[tokio::test]
async fn a_wrong_101_is_an_error() {
    let rows = [
        (RIGHT.replace("s3pP", "AAAA"), "Sec-WebSocket-Accept is"),
        (
            RIGHT.replace("Sec-WebSocket-Accept", "X"),
            "no Sec-WebSocket-Accept",
        ),
        (
            RIGHT.replace("Upgrade: websocket", "Upgrade: h2c"),
            "Upgrade: websocket",
        ),
        (RIGHT.replace(", Upgrade", ""), "Connection: Upgrade"),
        (
            RIGHT.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: x\r\n\r\n"),
            "subprotocol \"x\", which was not offered",
        ),
        (
            RIGHT.replace(
                "\r\n\r\n",
                "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            ),
            "extension \"permessage-deflate\", which was not offered",
        ),
    ];
    for (bytes, want) in rows {
        let error = answered(bytes, Then::Hold).await.unwrap_err();
        assert_eq!((error.kind(), error.exit_code().0), ("handshake", 5));
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[tokio::test]
async fn a_subprotocol_that_was_asked_for_must_be_chosen() {
    let plan = Plan {
        subprotocols: vec!["a".into(), "b".into()],
        ..Plan::default()
    };
    let chosen = RIGHT.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: b\r\n\r\n");
    let (_, result) = shake(&plan, vec![chosen.into_bytes()], Then::Hold).await;
    let Ok(Answer::Upgraded(upgraded)) = result else {
        panic!("{result:?}");
    };
    assert_eq!(upgraded.subprotocol.as_deref(), Some("b"));

    let (_, result) = shake(&plan, vec![RIGHT.into()], Then::Hold).await;
    assert_eq!(result.unwrap_err().exit_code().0, 5);
}

#[tokio::test]
async fn each_status_comes_with_its_body() {
    for status in [200, 204, 301, 400, 401, 403, 404, 426, 429, 500, 503] {
        let head = format!("HTTP/1.1 {status} Odd\r\nx-Why: é\r\n");
        let (empty, body) = refused(format!("{head}Content-Length: 0\r\n\r\n"), Then::Hold).await;
        assert_eq!((empty.status, empty.reason.as_str()), (status, "Odd"));
        assert_eq!(body, "");
        let (_, body) = refused(format!("{head}content-length: 3\r\n\r\nabcd"), Then::Hold).await;
        assert_eq!(body, if status == 204 { "" } else { "abc" });
    }
}

#[tokio::test]
async fn bodies_end_as_their_framing_says() {
    let head = "HTTP/1.1 400 Bad Request\r\n";
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n");
    assert_eq!(refused(chunked, Then::Hold).await.1, "abc");
    // Without a length: the end of the stream, or else a second.
    for then in [Then::Close, Then::Hold] {
        assert_eq!(refused(format!("{head}\r\nabc"), then).await.1, "abc");
    }
    let short = format!("{head}Content-Length: 9\r\n\r\nabc");
    assert_eq!(refused(short, Then::Close).await.1, "abc");
    let long = format!("{head}\r\n{}", "x".repeat(1 << 20));
    assert_eq!(refused(long, Then::Hold).await.1.len(), MAX_REFUSAL_BODY);
}

#[tokio::test]
async fn a_refusal_has_a_hint() {
    let (head, _) = refused(
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        Then::Hold,
    )
    .await;
    assert_eq!(
        refusal_hint(
            &head,
            &opening(&Plan::default()),
            &Target::parse("wss://example.test:8080/").unwrap()
        )
        .as_deref(),
        Some("the server may want -o https://example.test:8080")
    );
}

/// Answers of every kind; each ends with the connection.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let chunked = "HTTP/1.1 401 No\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    prop_oneof![
        Just([RIGHT.as_bytes(), FRAMES].concat()),
        Just([b"HTTP/1.1 102 Processing\r\n\r\n", RIGHT.as_bytes(), FRAMES].concat()),
        Just(RIGHT.replace("s3pP", "AAAA").into_bytes()),
        Just(chunked.as_bytes().to_vec()),
        Just(b"HTTP/1.1 404 Not Found\r\nX-A: \xff\r\nContent-Length: 5\r\n\r\nhello".to_vec()),
        Just(b"HTTP/1.0 200 OK\r\n\r\nhello\r\n\r\nyou".to_vec()),
        Just(b"HTTP/1.1 101 Switching".to_vec()),
        Just(b"HTTP/1.1 1\r\n\r\n".to_vec()),
        Just(b"SSH-2.0-x\r\n".to_vec()),
        Just(b"HTTPS? no".to_vec()),
        prop::collection::vec(any::<u8>(), 1..100),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_split_gives_the_same_result(
        bytes in answers(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|ends| bytes[ends[0]..ends[1]].to_vec()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let plan = Plan::default();
        let whole = runtime.block_on(shake(&plan, vec![bytes], Then::Close));
        let split = runtime.block_on(shake(&plan, pieces, Then::Close));
        prop_assert_eq!(format!("{split:?}"), format!("{whole:?}"));
    }
}
