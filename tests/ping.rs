//! `wscope ping` end to end: what it says of a good server, in one line of each bad one, and what
//! a second implementation has to say.

mod harness;

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use harness::program::{Output, wscope};
use harness::raw::{CLOSE, PING, PONG, Peer, QuietPort, RawServer};
use harness::running::Signal;
use harness::served::{Served, serve};
use rcgen::{CertificateParams, KeyPair};

/// `wscope ping URL ARGS...`, without a pause between pings.
#[track_caller]
fn ping(url: &str, args: &[&str]) -> Output {
    let all = [&["ping", url, "--interval", "0"], args].concat();
    wscope(&all).run()
}

/// The lines of stdout, with `~` in place of each duration.
fn lines(output: &Output) -> Vec<String> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let time = regex::Regex::new(r"\b\d+(\.\d+)?(us|ms|s)\b").unwrap();
    text.lines()
        .map(|line| time.replace_all(line, "~").into_owned())
        .collect()
}

const ROUND_TRIPS: &str = "round trip min ~, avg ~, p50 ~, max ~";

// --- a good server -----------------------------------------------------------------------------

#[test]
fn a_good_server_is_up_and_each_step_is_shown() {
    let server = serve(&[]);
    let output = ping(server.url(), &[]).code(0).stderr("");
    let verdict = format!("up: 3 pings, 0 lost; {ROUND_TRIPS}; closed cleanly with 1000");
    let expected = [
        &format!("url          {}", server.url()),
        &format!("peer         {}", server.address()),
        "phases       tcp ~, upgrade ~, total ~",
        "extensions   permessage-deflate",
        "pong 1       ~",
        "pong 2       ~",
        "pong 3       ~",
        &verdict,
    ];
    assert_eq!(lines(&output), expected);
}

#[test]
fn the_server_sees_pings_and_a_clean_close() {
    let server = RawServer::open(|peer| {
        for number in ["1", "2"] {
            let frame = peer.frame().unwrap();
            assert_eq!((frame.opcode, frame.text().as_str()), (PING, number));
            peer.send_frame(PONG, number);
        }
        assert_eq!(peer.close_frame(), (1000, String::new()));
        peer.send_close(1000, "");
    });
    let output = ping(&server.url(), &["-n", "2"]).code(0).stderr("");
    assert_eq!(lines(&output)[3..5], ["pong 1       ~", "pong 2       ~"]);
}

#[test]
fn a_health_check_is_quiet() {
    let server = serve(&[]);
    ping(server.url(), &["-q", "-n", "1"])
        .code(0)
        .stdout("")
        .stderr("");
    let quiet = QuietPort::reserve();
    ping(&quiet.url(), &["-q"])
        .code(3)
        .stdout("")
        .says(&["could not connect", "connection refused"]);
}

#[test]
fn json_has_every_event_pings_too() {
    let server = serve(&[]);
    let output = ping(server.url(), &["--json", "-n", "2"])
        .code(0)
        .stderr("");
    let names: Vec<_> = output
        .events()
        .iter()
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .collect();
    let expected = "state state open ping pong ping pong state state close end";
    assert_eq!(names.join(" "), expected);
    let pongs = output.events_of("pong");
    assert!(pongs.iter().all(|pong| pong["rtt_ms"].is_f64()));
    let end = &output.events_of("end")[0];
    assert_eq!(end["exit"], 0);
    assert_eq!(end["by_opcode"]["sent"]["ping"], 2);
    assert_eq!(end["by_opcode"]["received"]["pong"], 2);
}

#[test]
fn demo_is_a_target_and_pnig_a_typo() {
    ping("demo", &["-n", "1", "-q"])
        .code(0)
        .stdout("")
        .stderr("");
    wscope(&["pnig", "ws://localhost/"])
        .run()
        .code(2)
        .stdout("")
        .says(&["did you mean ping?"]);
    wscope(&["ping"]).run().code(2).stdout("").says(&["<URL>"]);
}

// --- TLS -----------------------------------------------------------------------------------------

/// `serve` with a certificate for localhost that expires at that time.
fn expiring(at: SystemTime) -> Served {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = at.into();
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let args = [
        "serve",
        "0",
        "--json",
        "--tls-cert",
        "c.pem",
        "--tls-key",
        "k.pem",
    ];
    let serve = wscope(&args)
        .file("c.pem", certificate.pem())
        .file("k.pem", key.serialize_pem());
    Served::start(serve.spawn())
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn the_days_that_a_certificate_has_left_are_counted() {
    let server = expiring(SystemTime::now() + 250 * HOUR);
    let output = ping(server.url(), &["-n", "1", "-k"]).code(0);
    let lines = lines(&output);
    assert_eq!(lines[2], "phases       tcp ~, tls ~, upgrade ~, total ~");
    assert!(
        lines[4].starts_with("tls          TLSv1.3, TLS_"),
        "{lines:?}"
    );
    let certificate = &lines[5];
    assert!(
        certificate.starts_with("certificate  CN=rcgen self signed cert, 10 days left (until 2"),
        "{certificate}"
    );
    assert!(certificate.ends_with("), NOT checked"), "{certificate}");
    output.says(&["certificate NOT checked"]);
}

#[test]
fn an_expired_certificate_says_since_when() {
    let server = expiring(SystemTime::now() - 250 * HOUR);
    let output = ping(server.url(), &["-n", "1", "-k"]).code(0);
    let certificate = &lines(&output)[5];
    assert!(
        certificate.contains(", expired 10 days ago (on 2"),
        "{certificate}"
    );
    ping(&server.url().replace("127.0.0.1", "localhost"), &[])
        .code(6)
        .stdout("")
        .says(&[
            "the certificate expired on 2",
            ", 10 days ago\n",
            "-k connects",
        ]);
}

// --- bad servers ---------------------------------------------------------------------------------

/// The first line of stderr; nothing may be on stdout, because nothing was opened.
#[track_caller]
fn complaint(output: Output, code: i32) -> String {
    let output = output.code(code).stdout("");
    let text = String::from_utf8(output.stderr).unwrap();
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn each_refusal_is_one_line_and_its_code() {
    let status =
        |line: &str, more: &str| format!("HTTP/1.1 {line}\r\n{more}Content-Length: 0\r\n\r\n");
    for (answer, line, hint) in [
        (
            status("401 Unauthorized", "WWW-Authenticate: Bearer\r\n"),
            "refused the handshake: HTTP 401 Unauthorized",
            "--bearer TOKEN",
        ),
        (
            status("403 Forbidden", ""),
            "refused the handshake: HTTP 403 Forbidden",
            "-o http://127.0.0.1:",
        ),
        (
            status("404 Not Found", ""),
            "refused the handshake: HTTP 404 Not Found",
            "is the path right?",
        ),
        (
            status("426 Upgrade Required", "Sec-WebSocket-Version: 8\r\n"),
            "refused the handshake: HTTP 426 Upgrade Required",
            "version 8",
        ),
        (
            status("429 Too Many Requests", "Retry-After: 30\r\n"),
            "refused the handshake: HTTP 429 Too Many Requests",
            "after 30 s",
        ),
        (
            status("503 Service Unavailable", ""),
            "refused the handshake: HTTP 503 Service Unavailable",
            "try again later",
        ),
    ] {
        let server = RawServer::answering(answer);
        let output = ping(&server.url(), &[]).says(&[hint]);
        let expected = format!("wscope: {} {line}", server.url());
        assert_eq!(complaint(output, 5), expected);
    }
    let server = RawServer::answering("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    let line = complaint(ping(&server.url(), &[]), 5);
    assert!(line.contains("SSH"), "{line}");
}

#[test]
fn the_wrong_scheme_is_known() {
    let tls = expiring(SystemTime::now() + 250 * HOUR);
    let plain = tls.url().replace("wss:", "ws:");
    let output = ping(&plain, &[]).says(&["try wss://"]);
    complaint(output, 5);
    ping(tls.url(), &["-k", "-n", "1", "-q"]).code(0);

    // It has not understood a word, but says so.
    let server = RawServer::each(1, |_, peer| {
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let output = ping(&server.url().replace("ws:", "wss:"), &[]).says(&["try ws://"]);
    let line = complaint(output, 6);
    assert!(line.ends_with("the answer is not TLS"), "{line}");
}

#[test]
fn no_server_is_3_and_no_answer_is_7() {
    let quiet = QuietPort::reserve();
    let expected = format!(
        "wscope: could not connect to {}: connection refused",
        quiet.address()
    );
    assert_eq!(complaint(ping(&quiet.url(), &[]), 3), expected);

    // Nobody accepts: the kernel does.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let output = ping(&format!("ws://{address}/"), &["--connect-timeout", "1"]);
    let expected = format!(
        "wscope: timed out after 1.00s while waiting for {address} to answer the handshake"
    );
    assert_eq!(complaint(output, 7), expected);
}

#[test]
fn a_server_without_pongs_is_7() {
    let server = RawServer::open(Peer::finish_close);
    let output = ping(&server.url(), &["-n", "2", "--timeout", "0.1"])
        .code(7)
        .stderr(
            "wscope: 2 of 2 pings had no pong within 100ms\n  hint: --timeout allows more time\n",
        );
    assert_eq!(
        lines(&output)[3..],
        [
            "ping 1       no pong",
            "ping 2       no pong",
            "failing: 2 pings, 2 lost; closed cleanly with 1000"
        ]
    );
}

#[test]
fn max_time_bounds_all_of_it() {
    let server = RawServer::open(Peer::finish_close);
    ping(&server.url(), &["--max-time", "1"])
        .code(7)
        .says(&["not done after 1.00s"]);
}

#[test]
fn how_a_server_leaves_is_told() {
    let leaving = |code: u16, reason: &'static str| {
        RawServer::open(move |peer| {
            peer.frame();
            peer.send_close(code, reason);
        })
    };
    let server = leaving(1011, "boom");
    let output = ping(&server.url(), &[]).code(8);
    let verdict = "failing: 1 ping, 1 lost; closed 1011 (internal error) by the peer: \"boom\": \
                   the server failed, its log may say how";
    assert_eq!(lines(&output).last().unwrap(), verdict);

    let server = leaving(1000, "");
    ping(&server.url(), &[])
        .code(4)
        .stderr("wscope: closed when 0 of 3 pongs had come\n");

    let server = RawServer::open(|_| {});
    ping(&server.url(), &[])
        .code(8)
        .says(&["1006 (abnormal closure)"]);

    let server = RawServer::open(|peer| peer.send([0xc1, 0]));
    ping(&server.url(), &[])
        .code(9)
        .says(&["the peer broke the protocol"]);
}

#[test]
fn a_server_that_never_closes_is_up_all_the_same() {
    let server = RawServer::open(|peer| {
        peer.frame();
        peer.send_frame(PONG, "1");
        assert_eq!(peer.frame().unwrap().opcode, CLOSE);
        // TCP ends instead.
    });
    let output = ping(&server.url(), &["-n", "1"]).code(0);
    let lines = lines(&output);
    let verdict = lines.last().unwrap();
    assert!(verdict.starts_with("up: 1 ping, 0 lost; "), "{verdict}");
    assert!(
        verdict.ends_with(": the peer did not answer our Close"),
        "{verdict}"
    );
}

#[test]
fn ctrl_c_ends_with_what_is_known() {
    let server = serve(&[]);
    let running = wscope(&["ping", server.url(), "-n", "1000", "--interval", "60"]).spawn();
    running.stdout.line("pong 1");
    running.signal(Signal::Interrupt);
    let output = running.wait().code(130).stderr("");
    let lines = lines(&output);
    let verdict = lines.last().unwrap();
    assert!(
        verdict.starts_with("interrupted: 1 ping, 0 lost; "),
        "{verdict}"
    );
    assert!(verdict.ends_with("closed cleanly with 1000"), "{verdict}");
}

// --- a second opinion ----------------------------------------------------------------------------

const CROSS: &[&str] = &["--cross-check", "-n", "1"];

/// A server of two connections, one for each implementation.
fn twice(script: impl Fn(&mut Peer) + Send + 'static) -> RawServer {
    RawServer::each(2, move |_, peer| {
        peer.read_head();
        script(peer);
    })
}

/// Accepts, answers one ping and closes as it is asked to.
fn answer_all(peer: &mut Peer) {
    let frame = peer.frame().unwrap();
    assert_eq!(frame.opcode, PING);
    peer.send_frame(PONG, &frame.payload);
    peer.finish_close();
}

#[test]
fn both_see_a_good_server() {
    let server = serve(&["-s", "chat"]);
    let args = [CROSS, &["-s", "chat"]].concat();
    let output = ping(server.url(), &args).code(0).stderr("");
    output.stdout(
        "handshake    101\n\
         subprotocol  chat\n\
         extensions   none\n\
         pongs        1 of 1\n\
         close        1000 (normal closure) by us, clean\n\
         same: both saw the same, and all went well\n",
    );
}

#[test]
fn both_see_tls_and_first_messages() {
    let server = expiring(SystemTime::now() + 250 * HOUR);
    let args = [CROSS, &["-k"]].concat();
    let output = ping(server.url(), &args).code(0);
    assert!(lines(&output).last().unwrap().starts_with("same: "));

    let server = twice(|peer| {
        peer.accept();
        peer.send_text("hello");
        answer_all(peer);
    });
    let output = ping(&server.url(), CROSS).code(0).stderr("");
    assert!(lines(&output).contains(&"message      first one text, 5 B".to_owned()));
}

#[test]
fn both_are_refused_with_the_servers_code() {
    let server = twice(|peer| peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
    ping(&server.url(), CROSS).code(5).stdout(
        "handshake    HTTP 403\n\
         same: both failed in the same way, so it is the server and not wscope\n",
    );
    let quiet = QuietPort::reserve();
    let output = ping(&quiet.url(), CROSS).code(3);
    let verdict = "same: neither got as far as the handshake, and the way there is one for both";
    assert_eq!(lines(&output).last().unwrap(), verdict);
}

#[test]
fn a_header_that_only_one_understands_is_a_difference() {
    let server = twice(|peer| {
        let accept = peer.accept_key();
        peer.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
             Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        ));
        if peer.try_send(b"") && peer.frame().is_some_and(|frame| frame.opcode == PING) {
            peer.send_frame(PONG, "1");
            peer.finish_close();
        }
    });
    let output = ping(&server.url(), CROSS)
        .code(4)
        .says(&["wscope: the two implementations saw different things: handshake"]);
    let address = server.address();
    output.stdout(format!(
        "handshake    wscope:            101\n\
        \x20            tokio-tungstenite: handshake with {address} failed: WebSocket protocol \
         error: No \"Connection: upgrade\" header\n\
         different (handshake): only tokio-tungstenite failed: it is not wscope, but other clients \
         may fail here too\n"
    ));
}

#[test]
fn a_close_code_that_only_one_lets_pass_is_a_difference() {
    let server = twice(|peer| {
        peer.accept();
        peer.frame();
        peer.send_close(1016, "");
    });
    let output = ping(&server.url(), CROSS).code(4);
    let lines = lines(&output);
    let rows = lines[lines.len() - 5..].join("\n");
    assert!(
        rows.contains("wscope:            1002 (protocol error) by us, not clean"),
        "{rows}"
    );
    assert!(
        rows.contains("tokio-tungstenite: 1002 (protocol error) by the peer"),
        "{rows}"
    );
    assert!(rows.contains("\ndifferent (close, error): "), "{rows}");
}

#[test]
fn json_tells_the_two_apart_by_name() {
    let server = serve(&[]);
    let output = ping(server.url(), &[CROSS, &["--json"]].concat()).code(0);
    let pongs = output.events_of("pong");
    assert_eq!(pongs.len(), 2);
    assert!(pongs[0]["name"].is_null());
    assert_eq!(pongs[1]["name"], "tokio-tungstenite");
    assert_eq!(output.events_of("end").len(), 1);
}
