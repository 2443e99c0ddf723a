//! Why an endpoint was not reached: each cause on the way to it, and what `ping` says of it. The
//! words are golden files in `tests/snapshots/`; those of the opening handshake are in `handshake.rs`.

mod harness;

use std::net::TcpListener;
use std::time::SystemTime;

use harness::certificates::{Ca, Pair, config, local, mutual, named};
use harness::golden::Golden;
use harness::program::{Output, wscope};
use harness::raw::{Peer, QuietPort, RawServer};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa};

/// One run of `wscope ping URL ARGS...`, in a directory with these files.
fn ping(url: &str, args: &[&str], files: &[(&str, &str)]) -> Output {
    let all = [&["ping", url, "-n", "1"], args].concat();
    let prepared = wscope(&all);
    let prepared = files
        .iter()
        .fold(prepared, |run, (name, text)| run.file(name, text));
    prepared.run()
}

/// The run has this code and opened nothing.
#[track_caller]
fn fails(case: &str, code: i32, output: &Output) {
    assert_eq!(output.exit(), code, "{case}\n{output}");
    assert!(output.stdout.is_empty(), "{case}\n{output}");
}

/// Answers the first bytes of one connection with these, and ends.
fn answering(bytes: impl Into<Vec<u8>>) -> RawServer {
    let bytes = bytes.into();
    RawServer::each(1, move |_, peer| {
        peer.hear();
        peer.send(&bytes);
    })
}

fn of_localhost(server: &RawServer, scheme: &str) -> String {
    format!("{scheme}://localhost:{}/", server.port())
}

// --- TLS -----------------------------------------------------------------------------------------

fn at(day: &str) -> SystemTime {
    let at: jiff::Timestamp = format!("{day}T12:00:00Z").parse().unwrap();
    at.into()
}

/// Certificates that are not trusted where `ca` is.
fn bad_certificates(ca: &Ca) -> Vec<(&'static str, Vec<Pair>)> {
    let changed = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = local();
        change(&mut params);
        params
    };
    let expired = changed(&|params| {
        params.not_before = at("2019-01-02").into();
        params.not_after = at("2020-01-02").into();
    });
    let early = changed(&|params| {
        params.not_before = at("2190-01-02").into();
        params.not_after = at("2191-01-02").into();
    });
    let is_ca = changed(&|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let many: Vec<String> = (1..=7).map(|n| format!("h{n}.test")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut other = Ca::new();
    let name = &mut other.params.distinguished_name;
    name.push(DnType::CommonName, "Other CA");
    let between = other.between("Other Intermediate");
    vec![
        ("expired", vec![ca.issue(&expired)]),
        ("not valid yet", vec![ca.issue(&early)]),
        (
            "for other hosts",
            vec![ca.issue(&named("x", &["a.test", "*.b.test", "::1"]))],
        ),
        ("for many other hosts", vec![ca.issue(&named("x", &many))]),
        (
            "with a common name only",
            vec![ca.issue(&named("localhost", &[]))],
        ),
        (
            "of a CA that only has the name",
            vec![Ca::new().issue(&local())],
        ),
        ("of another CA", vec![other.issue(&local())]),
        (
            "of another CA, with its chain",
            vec![between.issue(&local()), between.pair],
        ),
        ("self-signed", vec![Pair::self_signed(&local())]),
        ("self-signed, a CA's", vec![Pair::self_signed(&is_ca)]),
    ]
}

#[test]
fn each_fault_of_tls_is_named_with_the_flag_that_helps() {
    let mut golden = Golden::default();
    let ca = Ca::new();
    let root = ca.pair.certificate.pem();
    let trusting = ["--ca", "ca.pem"];
    for (case, pairs) in bad_certificates(&ca) {
        let config = config_of_chain(&pairs);
        let server = RawServer::each(1, move |_, peer| peer.speak_tls(config.clone()));
        let output = ping(
            &of_localhost(&server, "wss"),
            &trusting,
            &[("ca.pem", &root)],
        );
        fails(case, 6, &output);
        golden.add(&format!("a certificate {case}"), &output);
    }

    let good = ca.issue(&local());
    let pin = format!("sha256/{}=", "A".repeat(43));
    let with_good = config(&good);
    let server = RawServer::each(1, move |_, peer| peer.speak_tls(with_good.clone()));
    let output = ping(&of_localhost(&server, "wss"), &["--pin", &pin], &[]);
    fails("another key than the pin", 6, &output);
    golden.add("another key than that of --pin", &output);

    let eve = Ca::new().issue(&named("eve", &[]));
    let eve = format!("{}{}", eve.certificate.pem(), eve.key.serialize_pem());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (case, args) in [
            ("no client certificate", &["--ca", "ca.pem"][..]),
            (
                "a wrong client certificate",
                &["--ca", "ca.pem", "--cert", "eve.pem"],
            ),
        ] {
            let config = mutual(&good, &ca, &[version]);
            let server = RawServer::each(1, move |_, peer| peer.speak_tls(config.clone()));
            let files = [("ca.pem", root.as_str()), ("eve.pem", &eve)];
            let output = ping(&of_localhost(&server, "wss"), args, &files);
            fails(case, 6, &output);
            golden.add(&format!("{case}, {:?}", version.version), &output);
        }
    }

    for alert in [40, 42, 48, 70, 80, 112, 116, 120] {
        let server = answering([0x15, 3, 3, 0, 2, 2, alert]);
        let output = ping(&of_localhost(&server, "wss"), &[], &[]);
        fails("an alert", 6, &output);
        golden.add(&format!("alert {alert}"), &output);
    }

    for (case, code, bytes) in [
        (
            "HTTP on the port",
            6,
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        ),
        ("SSH on the port", 6, b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        ("FIN instead of TLS", 3, b""),
    ] {
        let server = answering(bytes);
        let output = ping(&of_localhost(&server, "wss"), &[], &[]);
        fails(case, code, &output);
        golden.add(case, &output);
    }
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("wss://{}/", silent.local_addr().unwrap());
    let output = ping(&url, &["--connect-timeout", "1"], &[]);
    fails("silence", 7, &output);
    golden.add("silence instead of TLS", &output);
    golden.check("tls");
}

fn config_of_chain(pairs: &[Pair]) -> rustls::ServerConfig {
    let chain = pairs.iter().flat_map(Pair::chain).collect();
    harness::certificates::builder(rustls::ALL_VERSIONS)
        .with_no_client_auth()
        .with_single_cert(chain, pairs[0].key().into())
        .unwrap()
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let mut golden = Golden::default();
    let pair = Pair::self_signed(&local());
    let certificate = pair.certificate.pem();
    let other = Pair::self_signed(&local()).key.serialize_pem();
    let pin = pair.pin();
    let files = [
        ("empty.pem", ""),
        ("c.pem", certificate.as_str()),
        ("other.pem", other.as_str()),
        (
            "broken.pem",
            "-----BEGIN CERTIFICATE-----\n####\n-----END CERTIFICATE-----\n",
        ),
    ];
    for (case, args) in [
        (
            "a CA's file that is not there",
            &["--ca", "/no/such/file"][..],
        ),
        ("a CA's file without a certificate", &["--ca", "empty.pem"]),
        ("a CA's file that is broken", &["--ca", "broken.pem"]),
        ("a certificate without its key", &["--cert", "c.pem"]),
        (
            "a key of another certificate",
            &["--cert", "c.pem", "--key", "other.pem"],
        ),
        ("a key without a certificate", &["--key", "other.pem"]),
        ("an SNI that is no name", &["--sni", "not a name"]),
        ("a pin that is none", &["--pin", "sha256/abc"]),
        ("a CA and a pin", &["--ca", "c.pem", "--pin", &pin]),
        (
            "a secret's file that is not there",
            &["--bearer", "@/no/such/file"],
        ),
        (
            "a secret's variable that is not set",
            &["--bearer", "env:NOT_SET"],
        ),
        (
            "a secret's command that fails",
            &["--bearer", "cmd:echo sealed >&2; exit 3"],
        ),
    ] {
        let output = ping("wss://127.0.0.1:1/", args, &files);
        fails(case, 2, &output);
        golden.add(case, &output);
    }
    golden.check("files");
}

// --- proxies -------------------------------------------------------------------------------------

/// What a SOCKS proxy does, the user and password that it is given, and its answers in turn.
const SOCKS_ANSWERS: &[(&str, &str, &[&[u8]])] = &[
    ("wants a password", "", &[b"\x05\xff"]),
    (
        "does not take the password",
        "ann:hunter2@",
        &[b"\x05\x02", b"\x01\x01"],
    ),
    ("chose what was not offered", "", &[b"\x05\x01"]),
    (
        "is an HTTP proxy",
        "",
        &[b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    ),
    ("reply 1", "", &[b"\x05\x00", b"\x05\x01\x00\x01"]),
    ("reply 2", "", &[b"\x05\x00", b"\x05\x02\x00\x01"]),
    ("reply 5", "", &[b"\x05\x00", b"\x05\x05\x00\x01"]),
    ("reply 99", "", &[b"\x05\x00", b"\x05\x63\x00\x01"]),
    (
        "an address of kind 9",
        "",
        &[b"\x05\x00", b"\x05\x00\x00\x09"],
    ),
    (
        "half an address",
        "",
        &[b"\x05\x00", b"\x05\x00\x00\x01\x7f"],
    ),
    ("FIN", "", &[]),
];

#[test]
fn each_answer_of_a_proxy_is_told() {
    let mut golden = Golden::default();
    for (case, login, answer) in [
        (
            "407",
            "",
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n<h1>No</h1>",
        ),
        ("407 to a password", "ann:hunter2@", "HTTP/1.1 407 \r\n\r\n"),
        (
            "407 that wants NTLM",
            "",
            "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM x\r\n\r\n",
        ),
        ("403", "", "HTTP/1.1 403 Forbidden\r\n\r\n"),
        ("502", "", "HTTP/1.0 502 Bad Gateway\r\n\r\n"),
        ("418", "", "HTTP/1.1 418 Tea\u{1b}[2Jpot\r\n\r\n"),
        ("200 and more", "", "HTTP/1.1 200 OK\r\n\r\nhello"),
        ("an SSH server", "", "SSH-2.0-x\r\n"),
        ("FIN", "", ""),
    ] {
        let proxy = answering(answer);
        let url = format!("{login}127.0.0.1:{}", proxy.port());
        let output = ping("ws://x.test/", &["--proxy", &url], &[]).never_says(&["hunter2"]);
        fails(case, 3, &output);
        golden.add(&format!("HTTP: {case}"), &output);
    }
    let ended = |scheme: &str| {
        let proxy = RawServer::http(|peer| {
            peer.send("HTTP/1.1 200 OK\r\n\r\n");
            peer.hear();
        });
        let url = format!("{scheme}://x.test/");
        let address = proxy.address();
        ping(&url, &["--proxy", &address], &[])
    };
    for scheme in ["ws", "wss"] {
        let output = ended(scheme);
        fails(scheme, 3, &output);
        golden.add(&format!("HTTP: 200 and then FIN, {scheme}"), &output);
    }

    for (case, login, answers) in SOCKS_ANSWERS {
        let proxy = RawServer::each(1, move |_, peer| {
            for answer in *answers {
                peer.hear();
                peer.send(answer);
            }
            if answers.is_empty() {
                peer.hear();
            }
        });
        let url = format!("socks5h://{login}127.0.0.1:{}", proxy.port());
        let output = ping("ws://x.test/", &["--proxy", &url], &[]).never_says(&["hunter2"]);
        fails(case, 3, &output);
        golden.add(&format!("SOCKS5: {case}"), &output);
    }

    let quiet = QuietPort::reserve();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    for (case, code, proxy) in [
        ("nobody listens", 3, quiet.address().as_str()),
        ("silence", 7, &silent),
        ("TLS to the proxy", 2, "https://h:1"),
        ("SOCKS4", 2, "socks4://h:1"),
        ("another scheme", 2, "ftp://ann:hunter2@h"),
        ("no port", 2, "http://ann:hunter2@h:99999"),
    ] {
        let args = ["--proxy", proxy, "--connect-timeout", "1"];
        let output = ping("ws://x.test/", &args, &[]).never_says(&["hunter2"]);
        fails(case, code, &output);
        golden.add(case, &output);
    }
    golden.check("proxy");
}

// --- the way -------------------------------------------------------------------------------------

#[test]
fn each_way_that_leads_nowhere_is_told() {
    let mut golden = Golden::default();
    let quiet = QuietPort::reserve();
    let one = QuietPort::reserve().address();
    let port = one.rsplit(':').next().unwrap();
    let resolve = format!("name.test:{port}:127.0.0.1");
    for (case, code, url, args) in [
        ("nobody listens", 3, quiet.url().as_str(), &[][..]),
        ("no such name", 3, "ws://name.invalid/", &[]),
        (
            "a name of --resolve",
            3,
            &format!("ws://name.test:{port}/"),
            &["--resolve", &resolve],
        ),
        (
            "the wrong family",
            3,
            &format!("ws://name.test:{port}/"),
            &["-6", "--resolve", &resolve],
        ),
        ("no such unix socket", 3, "ws+unix:/no/such.sock:/", &[]),
        ("no URL", 2, "", &[]),
        ("no host", 2, "ws:///chat", &[]),
        ("a port alone", 2, "ws://8080", &[]),
        ("no such port", 2, "ws://h:70000/", &[]),
        ("another scheme", 2, "wws://h/", &[]),
        ("a missing slash", 2, "ws:/h/", &[]),
        ("a blank in the host", 2, "ws://a b/", &[]),
        ("an address without brackets", 2, "ws://fe80::1/", &[]),
        ("a zone that is empty", 2, "ws://[fe80::1%25]/", &[]),
        ("no host name", 2, "ws://a<b>/", &[]),
    ] {
        let output = ping(url, args, &[]);
        fails(case, code, &output);
        golden.add(case, &output);
    }
    golden.check("way");
}

// --- redirects -----------------------------------------------------------------------------------

#[test]
fn redirects_that_lead_nowhere_are_told() {
    let mut golden = Golden::default();
    let moved = |location: &str| {
        format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
    };
    let each = |count, location: &str| {
        let answer = moved(location);
        RawServer::each(count, move |_, peer: &mut Peer| {
            peer.read_head();
            peer.send(&answer);
        })
    };
    for (case, count, location, args) in [
        (
            "in a circle",
            4,
            "/again?token=hunter2",
            &["-L", "--max-redirects", "3"][..],
        ),
        ("not followed", 1, "again", &[]),
        ("to a web page", 1, "ftp://other.test/", &["-L"]),
        ("to no URL", 1, "http://[", &["-L"]),
        ("to an empty place", 1, "", &["-L", "--max-redirects", "0"]),
    ] {
        let server = each(count, location);
        let output = ping(&server.url(), args, &[]).never_says(&["hunter2"]);
        fails(case, 5, &output);
        golden.add(case, &output);
    }
    golden.check("redirects");
}
