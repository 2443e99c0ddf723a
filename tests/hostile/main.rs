//! Hostile peers, in both roles: what a raw socket can send after a right opening handshake.
//!
//! [`table`] holds what they do and what has to become of it. Here the same table is played to
//! `connect` (to a pipe and to a terminal) and to one `serve` that has to survive all of it. For
//! each: the Close code on the wire, read to the end of TCP without a reset; the exit code and the
//! events; an end before its deadline; less than 100 MiB more than at rest at the peak; and no control byte on a
//! terminal.

#[path = "../harness/mod.rs"]
mod harness;

mod compressed;
mod flood;
mod handshake;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use harness::program::{Output, wscope};
use harness::raw::{CLOSE, Peer, RawServer};
use harness::running::Signal;
use harness::served::serve;
use harness::terminal::Terminal;
use table::{Attack, End};

/// The most memory that a peer may cost.
const MOST_MEMORY: u64 = (100 + OWN_MEMORY) << 20;
/// MiB that the program takes of itself: the code of a debug build, above all.
const OWN_MEMORY: u64 = 28;
/// How many runs of the program there are at a time: most of their time is waiting.
const ABREAST: usize = 4;
/// Closing tak at most 3 s, and 1 s until TCP has ended; the rest is for slow machines.
const MOST_TIME: Duration = Duration::from_secs(15);
const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate";

fn table() -> Vec<Attack> {
    let mut attacks = table::breaches();
    attacks.extend(table::deflate_breaches());
    attacks.extend(table::endless());
    attacks.extend(table::in_flight());
    attacks.extend(table::ends());
    attacks
}

/// Those that need little time and memory.
fn brief() -> Vec<Attack> {
    let mut attacks = table::breaches();
    attacks.extend(table::deflate_breaches());
    attacks.extend(table::ends());
    attacks
}

#[test]
fn connect_withstands_the_table() {
    each(table(), ABREAST, |attack| attack_client("connect", attack));
}

#[test]
fn connect_withstands_the_table_byte_by_byte() {
    let mut attacks = table::breaches();
    attacks.extend(table::ends());
    each(table::in_segments(attacks, 300), ABREAST, |attack| {
        attack_client("connect", attack);
    });
}

#[test]
fn listen_withstands_the_table() {
    each(brief(), ABREAST, |attack| attack_client("listen", attack));
}

#[test]
fn ping_withstands_the_table() {
    each(brief(), ABREAST, |attack| {
        let server = RawServer::http(|peer| {
            peer.accept_with(if attack.deflate { &[DEFLATE] } else { &[] });
            (attack.act)(peer);
            judge(peer, attack.end);
        });
        let code = match exit_code(attack.end) {
            // A server that is left in order has not answered the ping.
            0 => 4,
            other => other,
        };
        harmless_ping(&server, &[]).code(code as i32);
    });
}

/// What the second implementation makes of it is its own affair, but for time and memory.
#[test]
fn ping_withstands_the_table_twice() {
    let mut attacks = brief();
    attacks.retain(|attack| !attack.deflate);
    each(attacks, ABREAST, |attack| {
        let server = RawServer::each(2, |_, peer| {
            peer.read_head();
            peer.accept();
            (attack.act)(peer);
        });
        harmless_ping(&server, &["--cross-check"]);
    });
}

#[track_caller]
fn harmless_ping(server: &RawServer, more: &[&str]) -> Output {
    let started = Instant::now();
    let url = server.url();
    let mut args = vec!["ping", "-v", "-n", "1", &url];
    args.extend_from_slice(more);
    let running = wscope(&args).spawn();
    let memory = running.watch_memory();
    let output = running.wait();
    assert!(started.elapsed() < MOST_TIME, "{:?}", started.elapsed());
    assert_small(memory.peak());
    assert_harmless(&output.stdout);
    assert_harmless(&output.stderr);
    output
}

#[test]
fn a_terminal_is_told_nothing_by_the_table() {
    let attacks = brief();
    each(attacks, ABREAST, |attack| {
        let server = server(attack);
        let url = server.url();
        let mut terminal = Terminal::start(&["connect", &url, "--plain", "-v", "-P", "-F"]);
        let (code, raw) = terminal.exits();
        assert_eq!(code, exit_code(attack.end));
        assert_harmless(&raw);
        // The script refers to the attack, so it has to be over.
        drop(server);
    });
}

#[test]
fn serve_withstands_the_table() {
    let mut attacks = table();
    let mut slow = table::breaches();
    slow.extend(table::ends());
    attacks.extend(table::in_segments(slow, 300));
    let count = attacks.len();
    let mut server = serve(&[]);
    let address = server.address().to_owned();
    // One at a time, for each may cost a whole message.
    each(attacks, 1, |attack| {
        let started = Instant::now();
        let mut peer = client(&address, attack.deflate);
        (attack.act)(&mut peer);
        judge(&mut peer, attack.end);
        assert!(started.elapsed() < MOST_TIME, "{:?}", started.elapsed());
    });
    still_serves(server.url());
    assert_small(server.running().peak_memory());
    let output = server.stop(Signal::Terminate).code(0);
    // The good client is one more.
    assert_eq!(output.events_of("close").len(), count + 1);
    let illegal = output.events_of("close");
    assert!(illegal.iter().any(|close| close["wire_code"] == 1006));
}

#[test]
fn the_terminal_of_serve_is_told_nothing_by_the_table() {
    let attacks = brief();
    let mut terminal = Terminal::start(&["serve", "0", "--color", "never", "-v", "-P", "-F"]);
    terminal.says("ws://127.0.0.1:");
    let screen = terminal.screen().contents();
    let (_, rest) = screen.split_once("ws://").expect("a URL");
    let address = rest.split('/').next().unwrap_or(rest).to_owned();
    each(attacks, ABREAST, |attack| {
        let mut peer = client(&address, attack.deflate);
        (attack.act)(&mut peer);
        judge(&mut peer, attack.end);
    });
    terminal.keys(harness::terminal::CTRL_C);
    let (code, raw) = terminal.exits();
    assert_eq!(code, 0);
    assert_harmless(&raw);
}

// --- who does not end ----------------------------------------------------------------------------

/// A server that does what `script` does and then holds TCP open until the program ends it.
fn holding(script: impl FnOnce(&mut Peer) + Send + 'static) -> RawServer {
    RawServer::open(move |peer| {
        script(peer);
        peer.drain();
    })
}

/// Runs to the end, which has to come without the peer's help.
#[track_caller]
fn ends(server: &RawServer, args: &[&str], code: i32) -> Output {
    let started = Instant::now();
    let mut all = vec!["connect", "--json"];
    let url = server.url();
    all.push(&url);
    all.extend_from_slice(args);
    let output = wscope(&all).spawn().wait().code(code);
    assert!(started.elapsed() < MOST_TIME, "{:?}", started.elapsed());
    output
}

#[test]
fn connect_waits_for_no_answer_to_its_close_for_ever() {
    let server = holding(|peer| assert_eq!(peer.close_frame().0, 1000));
    let output = ends(&server, &["--duration", "0.1"], 0);
    assert_eq!(output.events_of("close")[0]["clean"], false, "{output}");
}

#[test]
fn connect_waits_for_no_end_of_tcp_for_ever() {
    let server = holding(|peer| {
        peer.send_close(1000, "");
        assert_eq!(peer.close_frame().0, 1000);
    });
    let output = ends(&server, &[], 0);
    assert_eq!(output.events_of("close")[0]["clean"], true, "{output}");
}

#[test]
fn connect_finds_that_its_peer_is_gone() {
    let server = holding(|_| {});
    let output = ends(&server, &["--heartbeat", "0.2/0.2"], 7);
    assert_eq!(output.events_of("close")[0]["by"], "us", "{output}");
}

#[test]
fn serve_ends_tcp_whether_its_client_does_or_not() {
    let server = serve(&[]);
    let mut holding = Peer::connect_open(server.address());
    holding.send_close(1000, "");
    assert_eq!(holding.close_frame().0, 1000);
    assert!(holding.drain(), "a reset");
    // A client that only stops sending is gone too.
    let mut half = Peer::connect_open(server.address());
    half.end_sending();
    assert!(half.drain(), "a reset");
}

// --- the extension -------------------------------------------------------------------------------

#[test]
fn parameters_out_of_range_are_declined_by_serve_and_refused_by_connect() {
    const WRONG: [&str; 9] = [
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=-1",
        "server_max_window_bits=4294967304",
        "server_max_window_bits",
        "client_max_window_bits=0",
        "client_max_window_bits=256",
        "server_no_context_takeover=1",
        "unknown",
    ];
    let server = serve(&[]);
    for params in WRONG {
        let extension = format!("{DEFLATE}; {params}");
        let peer = Peer::connect_with(server.address(), &[&extension]);
        assert!(peer.head.starts_with("HTTP/1.1 101"), "{}", peer.head);
        let answered = peer.header("Sec-WebSocket-Extensions");
        assert_eq!(answered, [""; 0], "{params}");

        let refused = RawServer::http(move |peer| {
            peer.accept_with(&[&extension]);
            peer.drain();
        });
        let output = wscope(&["connect", &refused.url()]).run().code(5);
        output.stdout("").says(&["permessage-deflate"]);
    }
    for list in [
        ";",
        "permessage-deflate; =",
        "permessage-deflate, \u{1b}[2J",
    ] {
        let extension = format!("Sec-WebSocket-Extensions: {list}");
        let peer = Peer::connect_with(server.address(), &[&extension]);
        assert!(peer.head.starts_with("HTTP/1.1 400"), "{}", peer.head);
    }
}

#[test]
fn who_does_not_compress_neither_offers_nor_accepts() {
    let server = serve(&["--no-compress"]);
    let peer = client(server.address(), true);
    assert_eq!(peer.header("Sec-WebSocket-Extensions"), [""; 0]);
    let server = RawServer::http(|peer| {
        assert_eq!(peer.header("Sec-WebSocket-Extensions"), [""; 0]);
        peer.accept_with(&[DEFLATE]);
        peer.drain();
    });
    let output = wscope(&["connect", &server.url(), "--no-compress"]).run();
    output.code(5).says(&["was not offered"]);
}

// --- being hostile -------------------------------------------------------------------------------

#[test]
fn frames_are_sent_as_they_were_spelled() {
    let server = RawServer::open(|peer| {
        let mut next = || peer.frame().expect("a frame");
        let frames = [next(), next(), next(), next()];
        let seen = frames.map(|frame| (frame.fin, frame.opcode, frame.payload));
        let expected = [
            (false, 1, b"hi".to_vec()),
            (true, 0, b" there".to_vec()),
            (true, 11, Vec::new()),
            (true, CLOSE, vec![0x03, 0xee]),
        ];
        assert_eq!(seen, expected);
    });
    let output = wscope(&["connect", &server.url(), "--slash", "-i", "lines", "--json"])
        .stdin(
            "/frame op=1 fin=0 hex:6869\n/frame op=0 base64:IHRoZXJl\n/frame op=11\n\
             /frame op=close hex:03ee\n",
        )
        .run();
    let close = &output.events_of("close")[0];
    assert_eq!(close["code"], 1006, "{output}");
    assert_eq!(close["wire_code"], 1006, "{output}");
}

// --- how an attack is played ---------------------------------------------------------------------

/// Plays all of them, `abreast` at a time, and fails with the names of those that went wrong.
fn each(attacks: Vec<Attack>, abreast: usize, play: impl Fn(&'static Attack) + Sync) {
    // For the scripts, which run in threads of their own.
    let attacks: &'static [Attack] = attacks.leak();
    let next = Mutex::new(attacks.iter());
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..abreast {
            scope.spawn(|| {
                while let Some(attack) = take(&next) {
                    if catch_unwind(AssertUnwindSafe(|| play(attack))).is_err() {
                        failed.lock().unwrap().push(attack.name.as_str());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "failed, see above: {failed:#?}");
}

fn take<T>(rest: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    rest.lock().unwrap().next()
}

/// A server that attacks whoever connects.
fn server(attack: &'static Attack) -> RawServer {
    RawServer::http(|peer| {
        peer.accept_with(if attack.deflate { &[DEFLATE] } else { &[] });
        (attack.act)(peer);
        judge(peer, attack.end);
    })
}

fn client(address: &str, deflate: bool) -> Peer {
    let more: &[&str] = if deflate { &[DEFLATE] } else { &[] };
    let peer = Peer::connect_with(address, more);
    assert!(peer.head.starts_with("HTTP/1.1 101"), "{}", peer.head);
    peer
}

/// What the peer can see of the end.
#[track_caller]
fn judge(peer: &mut Peer, end: End) {
    let code = match end {
        End::Breach(code) | End::IllegalClose { code, .. } | End::Answered(code) => code,
        End::Gone => return,
    };
    assert_eq!(peer.close_frame().0, code, "the Close code on the wire");
    assert!(peer.drain(), "the Close was followed by a reset");
}

fn attack_client(command: &str, attack: &'static Attack) {
    let server = server(attack);
    let started = Instant::now();
    let running = wscope(&[command, &server.url(), "--json"]).spawn();
    let memory = running.watch_memory();
    let output = running.wait().code(exit_code(attack.end) as i32);
    assert!(started.elapsed() < MOST_TIME, "{:?}", started.elapsed());
    assert_small(memory.peak());

    let close = &output.events_of("close")[0];
    let (code, wire_code, by) = match attack.end {
        End::Breach(code) => (code, Some(code), "us"),
        End::IllegalClose { sent, code } => (code, Some(sent), "us"),
        End::Answered(1005) => (1005, None, "peer"),
        End::Answered(code) => (code, Some(code), "peer"),
        End::Gone => (1006, None, "transport"),
    };
    assert_eq!(close["code"], code, "{output}");
    assert_eq!(
        close["wire_code"],
        wire_code.map_or(serde_json::Value::Null, Into::into)
    );
    assert_eq!(close["by"], by, "{output}");
    assert_eq!(
        close["clean"],
        matches!(attack.end, End::Answered(_)),
        "{output}"
    );
}

const fn exit_code(end: End) -> u32 {
    match end {
        End::Breach(_) | End::IllegalClose { .. } => 9,
        End::Answered(1000 | 1001 | 1005) => 0,
        End::Answered(_) | End::Gone => 8,
    }
}

#[track_caller]
fn assert_small(peak: u64) {
    assert!(peak < MOST_MEMORY, "{} MiB at the peak", peak >> 20);
}

/// Nothing that a terminal obeys, but for ends of lines.
#[track_caller]
fn assert_harmless(raw: &[u8]) {
    let text = String::from_utf8_lossy(raw);
    let obeyed = |c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t') || c == '\u{202e}';
    assert!(!text.contains(obeyed), "{text:?}");
}

#[track_caller]
fn still_serves(url: &str) {
    let output = wscope(&["connect", url, "-x", "still up"]).run();
    output.code(0).stdout("still up\n").stderr("");
}
