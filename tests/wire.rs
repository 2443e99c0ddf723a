//! The opening handshake against peers that behave in every way, both as client and as server.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use wscope::error::Error;
use wscope::model::handshake::{MAX_REFUSAL_BODY, RequestHead, ResponseHead, header};
use wscope::wire::accept::{self, Accepted, Ended, accept};
use wscope::wire::dial::{self, Family, dial};
use wscope::wire::refusal::refusal_hint;
use wscope::wire::target::Target;
use wscope::wire::upgrade::{Answer, Plan, Upgraded, request, upgrade};

/// The key and the accept of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const RIGHT: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const FRAMES: &[u8] = b"\x81\x02hi\x89\x00";

/// Longer than anything here takes; a test that reaches it hangs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future)
        .await
        .expect("this hangs")
}

fn opening(plan: &Plan) -> RequestHead {
    let target = Target::parse("ws://example.test:8080/chat?x").unwrap();
    request(&target, plan, KEY)
}

mod client {
    use super::*;

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
            let (empty, body) =
                refused(format!("{head}Content-Length: 0\r\n\r\n"), Then::Hold).await;
            assert_eq!((empty.status, empty.reason.as_str()), (status, "Odd"));
            assert_eq!(body, "");
            let (_, body) =
                refused(format!("{head}content-length: 3\r\n\r\nabcd"), Then::Hold).await;
            assert_eq!(body, if status == 204 { "" } else { "abc" });
        }
    }

    #[tokio::test]
    async fn bodies_end_as_their_framing_says() {
        let head = "HTTP/1.1 400 Bad Request\r\n";
        let chunked =
            format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n");
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
        let chunked =
            "HTTP/1.1 401 No\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
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
}

mod server {
    use super::*;

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
}

mod dialing {
    use super::*;

    fn plan(port: u16, ips: &[&str]) -> dial::Plan {
        dial::Plan {
            resolve: ips
                .iter()
                .map(|ip| ("name.test".to_owned(), port, ip.parse().unwrap()))
                .collect(),
            ..dial::Plan::default()
        }
    }

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    #[tokio::test]
    async fn a_failed_address_gives_way_to_the_next() {
        let (_listener, port) = listener().await;
        let target = Target::parse(&format!("name.test:{port}/")).unwrap();
        // Nobody listens on 127.0.0.2 at that port.
        let plan = plan(port, &["127.0.0.2", "127.0.0.1"]);
        let dialed = soon(dial(&target, &plan)).await.unwrap();
        assert_eq!(dialed.peer, format!("127.0.0.1:{port}"));
        assert_eq!(dialed.dns, None);
    }

    #[tokio::test]
    async fn the_error_names_the_last_address() {
        let (listener, port) = listener().await;
        drop(listener);
        let target = Target::parse(&format!("name.test:{port}/")).unwrap();
        let plan = plan(port, &["127.0.0.2", "127.0.0.1"]);
        let error = soon(dial(&target, &plan)).await.unwrap_err();
        assert_eq!((error.kind(), error.exit_code().0), ("connect", 3));
        assert!(
            error
                .to_string()
                .contains(&format!("127.0.0.1:{port}: connection refused")),
            "{error}"
        );
    }

    #[tokio::test]
    async fn names_are_looked_up_and_measured() {
        let (_listener, port) = listener().await;
        let target = Target::parse(&format!("localhost:{port}/")).unwrap();
        let plan = dial::Plan {
            family: Some(Family::V4),
            ..dial::Plan::default()
        };
        let dialed = soon(dial(&target, &plan)).await.unwrap();
        assert!(dialed.dns.is_some());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn unix_sockets_by_url_and_by_plan() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.sock");
        let _listener = tokio::net::UnixListener::bind(&path).unwrap();
        let by_url = Target::parse(&format!("ws+unix:{}:/uri", path.display())).unwrap();
        let dialed = soon(dial(&by_url, &dial::Plan::default())).await.unwrap();
        assert_eq!(dialed.peer, path.display().to_string());

        let by_plan = dial::Plan {
            unix_socket: Some(path.clone()),
            ..dial::Plan::default()
        };
        let target = Target::parse("ws://unresolvable.test/").unwrap();
        assert!(soon(dial(&target, &by_plan)).await.is_ok());

        let missing = dial::Plan {
            unix_socket: Some(path.with_extension("no")),
            ..dial::Plan::default()
        };
        let error = soon(dial(&target, &missing)).await.unwrap_err();
        assert!(error.to_string().contains("s.no"), "{error}");
    }
}
