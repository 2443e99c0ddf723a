//! TLS from both sides: what is trusted, what is said about what is not, and how it ends. All
//! certificates are made here. What is said of each fault is in `tests/errors.rs`.

mod harness;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use harness::certificates::{Ca, Pair, builder, config, file, local, mutual, named, path};
use rcgen::{BasicConstraints, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use wscope::error::Error;
use wscope::model::close::CloseCode;
use wscope::model::command::Command;
use wscope::model::event::{Direction, Event, What};
use wscope::model::handshake::RequestHead;
use wscope::model::message::Message;
use wscope::model::secret::Secret;
use wscope::serve::log::LogReader;
use wscope::serve::{self, Server, mode};
use wscope::session::client::{self, Client};
use wscope::session::opening::{Opened, open};
use wscope::session::secret_source::SecretSource;
use wscope::session::stamp::Stamp;
use wscope::wire::accept::{self, accept};
use wscope::wire::stream::Stream;
use wscope::wire::target::Target;
use wscope::wire::tls::{Identity, Pin, ServerPlan};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Longer than anything here takes; a test that reaches it hangs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future)
        .await
        .expect("this hangs")
}

// --- servers ---------------------------------------------------------------------------------

/// Serves one connection: TLS, then an upgrade whatever is asked for. What it gives is the name
/// that was sent as SNI.
async fn serve(config: ServerConfig) -> (u16, JoinHandle<Option<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let stream = TlsAcceptor::from(Arc::new(config))
            .accept(socket)
            .await
            .ok()?;
        let sni = stream.get_ref().1.server_name().map(str::to_owned);
        let answer = |_: &RequestHead, _: accept::Asked<'_>| accept::Answer::Upgrade {
            subprotocol: None,
            headers: Vec::new(),
        };
        accept(stream, Duration::from_secs(10), answer).await.ok()?;
        sni
    });
    (port, server)
}

fn plan(url: &str) -> client::Plan {
    client::Plan::new(Target::parse(url).unwrap())
}

async fn opened(plan: &client::Plan) -> Opened {
    match soon(open(plan)).await.result {
        Ok(opened) => opened,
        Err(failure) => panic!("{} {:?}", failure.error, failure.error.hint()),
    }
}

async fn failed(plan: &client::Plan) -> Error {
    soon(open(plan)).await.result.expect_err("it opened").error
}

/// The whole of what a user is told.
fn told(error: &Error) -> String {
    format!(
        "{} {error}\n{}",
        error.exit_code().0,
        error.hint().unwrap_or_default()
    )
}

// --- what is trusted -------------------------------------------------------------------------

#[tokio::test]
async fn a_private_ca_is_trusted_when_it_is_named() {
    let ca = Ca::new();
    let mut params = local();
    params.not_after = (SystemTime::now() + 10 * DAY).into();
    let (port, server) = serve(config(&ca.issue(&params))).await;
    let root = ca.file();
    let mut plan = plan(&format!("wss://localhost:{port}/"));
    plan.tls.ca = vec![path(&root)];
    let opened = opened(&plan).await;
    let tls = opened.open.tls.unwrap();
    assert_eq!((tls.version.as_str(), tls.checked), ("TLSv1.3", true));
    assert!(tls.cipher.starts_with("TLS_"), "{}", tls.cipher);
    assert_eq!(tls.subject.as_deref(), Some("CN=server"));
    let left = tls
        .expires
        .unwrap()
        .duration_since(SystemTime::now())
        .unwrap();
    assert!((9 * DAY..=10 * DAY).contains(&left), "{left:?}");
    assert!(opened.open.timings.tls.is_some());
    assert_eq!(soon(server).await.unwrap().as_deref(), Some("localhost"));
}

#[tokio::test]
async fn tls_1_2_and_addresses_work_too() {
    let ca = Ca::new();
    let pair = ca.issue(&local());
    let config = builder(&[&rustls::version::TLS12])
        .with_no_client_auth()
        .with_single_cert(pair.chain(), pair.key().into())
        .unwrap();
    let (port, server) = serve(config).await;
    let root = ca.file();
    let mut plan = plan(&format!("wss://127.0.0.1:{port}/"));
    plan.tls.ca = vec![path(&root)];
    let tls = opened(&plan).await.open.tls.unwrap();
    assert_eq!(tls.version, "TLSv1.2");
    // No SNI is sent for an address (RFC 6066, section 3).
    assert_eq!(soon(server).await.unwrap(), None);
}

#[tokio::test]
async fn sni_changes_what_is_sent_and_not_what_is_checked() {
    let ca = Ca::new();
    let root = ca.file();
    let (port, server) = serve(config(&ca.issue(&local()))).await;
    let mut plan = plan(&format!("wss://localhost:{port}/"));
    plan.tls.ca = vec![path(&root)];
    plan.tls.sni = Some("other.test".into());
    opened(&plan).await;
    assert_eq!(soon(server).await.unwrap().as_deref(), Some("other.test"));

    plan.tls.sni = Some("not a name".into());
    assert_eq!(
        told(&failed(&plan).await),
        "2 --sni: \"not a name\" is not a name that TLS can ask for\n"
    );
}

/// `openssl req -x509` makes such certificates: self-signed, for a server, and a CA's.
#[tokio::test]
async fn a_self_signed_certificate_can_be_its_own_ca() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut params = local();
        params.is_ca = is_ca;
        let pair = Pair::self_signed(&params);
        let root = file(&pair.certificate.pem());
        let (port, _server) = serve(config(&pair)).await;
        let mut good = plan(&format!("wss://localhost:{port}/"));
        good.tls.ca = vec![path(&root)];
        opened(&good).await;

        let mut params = params.clone();
        params.subject_alt_names = vec![];
        let pair = Pair::self_signed(&params);
        let root = file(&pair.certificate.pem());
        let (port, _server) = serve(config(&pair)).await;
        let mut wrong = plan(&format!("wss://localhost:{port}/"));
        wrong.tls.ca = vec![path(&root)];
        assert_eq!(failed(&wrong).await.kind(), "tls");
    }
}

#[tokio::test]
async fn a_pin_replaces_every_other_check() {
    let mut params = named("nobody", &["elsewhere.test"]);
    params.not_after = (SystemTime::now() - DAY).into();
    let pair = Pair::self_signed(&params);
    let (port, _server) = serve(config(&pair)).await;
    let mut good = plan(&format!("wss://localhost:{port}/"));
    let other: Pin = format!("sha256/{}=", "A".repeat(43)).parse().unwrap();
    good.tls.pins = vec![other, pair.pin().parse().unwrap()];
    assert!(opened(&good).await.open.tls.unwrap().checked);

    let (port, _server) = serve(config(&pair)).await;
    let mut wrong = plan(&format!("wss://localhost:{port}/"));
    wrong.tls.pins = vec![other];
    let pin = pair.pin();
    assert_eq!(
        told(&failed(&wrong).await),
        format!(
            "6 TLS with localhost:{port} failed: the server's key is {pin} and not the one of --pin\n\
             if its key was changed on purpose, --pin {pin} trusts the new one"
        )
    );
}

#[tokio::test]
async fn insecure_takes_anyone_and_says_so() {
    let mut params = named("nobody", &["elsewhere.test"]);
    params.not_after = (SystemTime::now() - DAY).into();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let pair = Pair::self_signed(&params);
        let config = builder(&[version])
            .with_no_client_auth()
            .with_single_cert(pair.chain(), pair.key().into())
            .unwrap();
        let (port, _server) = serve(config).await;
        let mut plan = plan(&format!("wss://localhost:{port}/"));
        plan.tls.insecure = true;
        assert!(!opened(&plan).await.open.tls.unwrap().checked);
    }
}

// --- who the client is -----------------------------------------------------------------------

#[tokio::test]
async fn client_certificates_open_and_their_lack_is_named() {
    let ca = Ca::new();
    let root = ca.file();
    let server = ca.issue(&local());
    let user = ca.issue(&named("ann", &[]));
    let both = file(&format!(
        "{}{}",
        user.certificate.pem(),
        user.key.serialize_pem()
    ));
    let stranger = Ca::new();
    let stranger = stranger.issue(&named("eve", &[]));
    let strange = file(&format!(
        "{}{}",
        stranger.certificate.pem(),
        stranger.key.serialize_pem()
    ));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let plan = |port, identity: Option<&NamedTempFile>| {
            let mut plan = plan(&format!("wss://localhost:{port}/"));
            plan.tls.ca = vec![path(&root)];
            plan.tls.identity = identity.map(|file| Identity {
                certificate: path(file),
                key: None,
                passphrase: None,
            });
            plan
        };
        let (port, _server) = serve(mutual(&server, &ca, &[version])).await;
        opened(&plan(port, Some(&both))).await;

        let (port, _server) = serve(mutual(&server, &ca, &[version])).await;
        assert_eq!(
            told(&failed(&plan(port, None)).await),
            format!(
                "6 TLS with localhost:{port} failed: the server wants a client certificate\n\
                 --cert FILE and --key FILE give one"
            )
        );

        let (port, _server) = serve(mutual(&server, &ca, &[version])).await;
        let error = told(&failed(&plan(port, Some(&strange))).await);
        assert!(
            error.contains("the server does not accept the client certificate (alert "),
            "{error}"
        );
    }
}

/// A key for this test only, made by OpenSSL: plain, as PKCS#8 with AES-256 and the passphrase
/// `sesame`, and in OpenSSL's own old way.
const PLAIN_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzWsZxr/GHsJWXJbJ
4SbeU10mJyJcKZZq+YAL3h0opouhRANCAAQ0L/1SGQ1TfaJ4IIzWvgZNWn2uZ2Sg
CK/f+lDPXQeVEKcJkwhBFsqd1AQ6ULE0Zso/1d3g3xaOq4cvEiz3iuBt
-----END PRIVATE KEY-----";
const ENCRYPTED_KEY: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjnKOvgwu/ufAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEELrIutOA31DfsX3UR1BXeyQEgZCc
mT1RYcsrNp98VFZj5om0QbknZ6CXyKZ5Yyw8mMSN3bsql7t9CiI5kyRYPy9zpk/S
U3mLC4QRwnTSzskrfHIQQsOr+oWnIN9erZuWRQAPs5gpRVRO3LvzQSYCnsZCXSe5
U3ZM355LagFvroNdsAUTtkB1pIbDZSBxGDQFLs/dE1IP3Bh70hPKav0o9n9JERI=
-----END ENCRYPTED PRIVATE KEY-----";
const LEGACY_KEY: &str = "-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,F7F7694A5D8E72D1B57405D9134D6762

+2Q/Z0Jl+Q6zmwfxZe/kXfN8Blzt++pvQhyLa28PqL7RHarxswPXL2aUcytEH9Ph
aVJbZ6qR7zZ7I9PbfXjWXJ1zWj+xBtbegy4jr0xnWZMlBXvMedvh/B29qORHmwVQ
dlThHz/F8a1kRy4kQCliiVqlsAFlatuRdsi6HFxf9HE=
-----END EC PRIVATE KEY-----";

#[tokio::test]
async fn encrypted_keys_open_with_their_passphrase() {
    let ca = Ca::new();
    let root = ca.file();
    let key = KeyPair::from_pem(PLAIN_KEY).unwrap();
    let issuer = Issuer::from_params(&ca.params, &ca.pair.key);
    let certificate = named("ann", &[]).signed_by(&key, &issuer).unwrap();
    let certificate = file(&certificate.pem());
    let (port, _server) = serve(mutual(&ca.issue(&local()), &ca, rustls::ALL_VERSIONS)).await;
    let plan = |key: &NamedTempFile, passphrase: Option<&str>| {
        let mut plan = plan(&format!("wss://localhost:{port}/"));
        plan.tls.ca = vec![path(&root)];
        plan.tls.identity = Some(Identity {
            certificate: path(&certificate),
            key: Some(path(key)),
            passphrase: None,
        });
        plan.secrets.passphrase =
            passphrase.map(|text| SecretSource::Literal(Secret::new(text.to_owned())));
        plan
    };
    let (encrypted, legacy) = (file(ENCRYPTED_KEY), file(LEGACY_KEY));
    let other = file(&KeyPair::generate().unwrap().serialize_pem());
    for (key, passphrase, want) in [
        (
            &encrypted,
            None,
            "2 --key FILE: the key is encrypted\n--passphrase opens it",
        ),
        (
            &encrypted,
            Some("hunter2"),
            "2 --key FILE: the passphrase does not open the key\n\
             is the passphrase right? openssl pkcs8 -topk8 -v2 aes-256-cbc writes keys that work",
        ),
        (
            &legacy,
            Some("sesame"),
            "2 --key FILE: the key is encrypted in the old way of OpenSSL\n\
             openssl pkcs8 -topk8 -in KEY -out NEW converts it",
        ),
        (
            &certificate,
            None,
            "2 --key FILE: there is no private key in it\n\
             it should hold -----BEGIN PRIVATE KEY-----; --key names another file",
        ),
        (
            &other,
            None,
            "2 the key in FILE does not belong to the certificate in CERT\n",
        ),
    ] {
        let want = want
            .replace("FILE", &key.path().display().to_string())
            .replace("CERT", &certificate.path().display().to_string());
        assert_eq!(told(&failed(&plan(key, passphrase)).await), want);
    }
    opened(&plan(&encrypted, Some("sesame"))).await;
}

#[tokio::test]
async fn a_key_log_is_written_for_wireshark() {
    let pair = Pair::self_signed(&local());
    let (port, _server) = serve(config(&pair)).await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("keys.log");
    let mut plan = plan(&format!("wss://localhost:{port}/"));
    plan.tls.insecure = true;
    plan.tls.key_log = Some(log.clone());
    opened(&plan).await;
    let text = std::fs::read_to_string(&log).unwrap();
    let first = text.lines().next().unwrap();
    let words: Vec<&str> = first.split(' ').collect();
    assert_eq!((words.len(), words[1].len()), (3, 64), "{first}");
    assert!(text.contains("CLIENT_TRAFFIC_SECRET_0 "), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&log).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

// --- our server ------------------------------------------------------------------------------

/// A server of ours; it ends with the test.
async fn our_server(tls: ServerPlan) -> (String, Option<Pin>, LogReader) {
    let mut plan = serve::Plan::new(mode::Plan::of(&mode::MODES[0]));
    plan.tls = Some(tls);
    plan.log.traffic = false;
    let (server, log) = Server::bind(plan, Stamp::start()).await.unwrap();
    let (url, pin) = (server.url().to_owned(), server.pin());
    tokio::spawn(server.run(std::future::pending()));
    (url, pin, log)
}

async fn next(client: &mut Client) -> Option<Event> {
    soon(poll_fn(|cx| client.poll_next(cx))).await
}

#[tokio::test]
async fn a_self_signed_server_is_reached_with_the_pin_that_it_gives() {
    let (url, pin, _log) = our_server(ServerPlan::SelfSigned).await;
    assert!(url.starts_with("wss://127.0.0.1:"), "{url}");
    let port = Target::parse(&url).unwrap().port();
    for host in ["localhost", "127.0.0.1"] {
        let mut plan = plan(&format!("wss://{host}:{port}/"));
        plan.tls.pins = vec![pin.unwrap()];
        let tls = opened(&plan).await.open.tls.unwrap();
        assert_eq!(tls.subject.as_deref(), Some("O=wscope serve,CN=localhost"));
        let left = tls
            .expires
            .unwrap()
            .duration_since(SystemTime::now())
            .unwrap();
        assert!((89 * DAY..=90 * DAY).contains(&left), "{left:?}");
    }
    let error = failed(&plan(&url)).await.to_string();
    assert!(error.ends_with("the certificate is self-signed"), "{error}");
}

/// Far more than the buffers of TLS and TCP: what was taken by TLS must be flushed.
#[tokio::test]
async fn large_messages_and_the_closing_handshake_go_through_tls() {
    let (url, pin, _log) = our_server(ServerPlan::SelfSigned).await;
    let mut plan = plan(&url);
    plan.tls.pins = vec![pin.unwrap()];
    let payload = "x".repeat(8 << 20);
    plan.on_open = vec![Command::Send(Message::text(payload.clone()))];
    let mut client = Client::new(plan, Stamp::start());
    let mut closed = None;
    while let Some(event) = next(&mut client).await {
        match event.what {
            What::Message {
                dir: Direction::In,
                message,
                ..
            } => {
                assert!(message.payload == payload, "it was changed");
                client.finish();
            }
            What::Close(close) => closed = Some(close),
            What::Error(problem) => panic!("{problem:?}"),
            _ => {}
        }
    }
    let close = closed.unwrap();
    assert_eq!((close.code, close.clean), (CloseCode::NORMAL, true));
}

#[tokio::test]
async fn our_server_ends_tls_with_an_alert() {
    let (url, _, _log) = our_server(ServerPlan::SelfSigned).await;
    let mut plan = plan(&url);
    plan.tls.insecure = true;
    let Stream::Tls(mut stream) = opened(&plan).await.stream else {
        panic!("not TLS");
    };
    // A Close frame of a client, masked with zeros.
    stream.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
    let mut rest = Vec::new();
    // Without a close_notify this is UnexpectedEof.
    soon(stream.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, [0x88, 0]);
}

#[tokio::test]
async fn a_client_that_distrusts_our_server_is_logged() {
    let (url, _, mut log) = our_server(ServerPlan::SelfSigned).await;
    failed(&plan(&url)).await;
    let event = soon(log.next()).await.unwrap();
    let What::Error(problem) = event.what else {
        panic!("{event:?}");
    };
    assert_eq!(problem.kind, "tls");
    assert!(
        problem
            .message
            .ends_with("failed: it does not trust the certificate (alert unknown_ca, 48)"),
        "{}",
        problem.message
    );
}

#[tokio::test]
async fn plain_http_to_our_tls_port_is_told() {
    let (url, _, _log) = our_server(ServerPlan::SelfSigned).await;
    let port = Target::parse(&url).unwrap().port();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    soon(socket.read_to_string(&mut answer)).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    assert!(
        answer.ends_with("\r\n\r\nThis port speaks TLS: use wss:// or https://.\n"),
        "{answer}"
    );

    assert_eq!(
        told(&failed(&plan(&format!("ws://localhost:{port}/"))).await),
        format!(
            "5 ws://localhost:{port}/ refused the handshake: HTTP 400 Bad Request\n\
             this is a TLS port: try wss://localhost:{port}"
        )
    );
}

#[tokio::test]
async fn our_server_takes_certificates_from_files() {
    let ca = Ca::new();
    let pair = ca.issue(&local());
    let (root, certificate) = (ca.file(), file(&pair.certificate.pem()));
    let key = file(&pair.key.serialize_pem());
    let files = |key: &NamedTempFile| ServerPlan::Files {
        certificate: path(&certificate),
        key: Some(path(key)),
        passphrase: None,
    };
    let (url, pin, _log) = our_server(files(&key)).await;
    assert_eq!(pin.unwrap().to_string(), pair.pin());
    let mut plan = plan(&url);
    plan.tls.ca = vec![path(&root)];
    opened(&plan).await;

    let other = file(&KeyPair::generate().unwrap().serialize_pem());
    let mut plan = serve::Plan::new(mode::Plan::of(&mode::MODES[0]));
    plan.tls = Some(files(&other));
    let error = Server::bind(plan, Stamp::start()).await.err().unwrap();
    assert_eq!(
        told(&error),
        "2 --tls-key: the key does not belong to the certificate of --tls-cert\n"
    );
}

// --- after the 101 ---------------------------------------------------------------------------

#[tokio::test]
async fn an_http_answer_after_the_101_is_recognised() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let answer = |_: &RequestHead, _: accept::Asked<'_>| accept::Answer::Upgrade {
            subprotocol: None,
            headers: Vec::new(),
        };
        let accepted = accept(socket, Duration::from_secs(10), answer).await;
        let late = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n\
                    {\"code\":5,\"message\":\"Unsupported protocol version\"}";
        accepted
            .unwrap()
            .stream
            .write_all(late.as_bytes())
            .await
            .unwrap();
    });
    let mut client = Client::new(plan(&format!("ws://localhost:{port}/")), Stamp::start());
    let mut problems = Vec::new();
    while let Some(event) = next(&mut client).await {
        if let What::Error(problem) = event.what {
            problems.push(format!("{}: {}", problem.kind, problem.message));
        }
    }
    assert_eq!(
        problems,
        [
            "handshake: after the 101 the server answered HTTP 400 Bad Request: \
          {\"code\":5,\"message\":\"Unsupported protocol version\"}"
        ]
    );
}
