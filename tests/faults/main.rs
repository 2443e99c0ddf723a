//! `serve --fault`: each fault as a client that is nothing but TCP sees it.

#[path = "../harness/mod.rs"]
mod harness;

mod close;
mod frames;
mod handshake;
mod heartbeat;
mod messages;
mod tcp;

use harness::program::{Output, wscope};
use harness::raw::Peer;
use harness::running::Signal;
use harness::served::{Served, serve};

fn faulty(faults: &[&str]) -> Served {
    let flags: Vec<String> = faults
        .iter()
        .map(|fault| format!("--fault={fault}"))
        .collect();
    let mut args = vec!["--fault-seed=1"];
    args.extend(flags.iter().map(String::as_str));
    serve(&args)
}

/// The server's log, and the `detail` of each `fault` in it.
#[track_caller]
fn hits(server: Served) -> (Output, Vec<String>) {
    let output = server.stop(Signal::Terminate).code(0);
    let details = output.events_of("fault").into_iter().map(|event| {
        let detail = event["detail"].as_str().expect("a detail").to_owned();
        let action = event["action"].as_str().expect("an action");
        assert!(detail.starts_with(action), "{event}");
        detail
    });
    let details = details.collect();
    (output, details)
}

/// What a fault is told as when it has struck once.
#[track_caller]
fn is_told(server: Served, detail: &str) -> Output {
    let (output, hits) = hits(server);
    assert_eq!(hits, [detail], "{output}");
    output
}

#[track_caller]
fn status(peer: &Peer) -> &str {
    peer.head.split(' ').nth(1).unwrap_or("nothing")
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    harness::raw::encode(first, None, payload)
}

#[test]
fn faults_go_with_every_mode() {
    for mode in ["echo", "broadcast", "rooms", "sink", "flood=1/m"] {
        let server = serve(&["--mode", mode, "--fault=close=4000@1msg"]);
        let mut client = Peer::connect_open(server.address());
        client.send_text("{\"type\":\"join\",\"room\":\"a\"}");
        assert_eq!(client.close_frame().0, 4000, "{mode}");
        client.send_close(4000, "");
    }
}

#[test]
fn presets_are_what_they_stand_for() {
    let server = faulty(&["alb:path=/other", "deploy"]);
    let mut client = Peer::connect_open(server.address());
    for _ in 0..2 {
        assert_eq!(status(&Peer::connect_with(server.address(), &[])), "503");
    }
    client.send_text("hello");
    assert_eq!(client.text(), "hello");
    drop(client);
    let (_, hits) = hits(server);
    let refused = |number| format!("refuse=503:conn=2-3: attempt {number} was refused");
    assert_eq!(hits, [refused(2), refused(3)]);
}

#[test]
fn what_is_no_fault_is_exit_2_with_the_nearest_name_and_a_caret() {
    for (fault, caret, part) in [
        ("dleay=1s", "  ^", "did you mean delay?"),
        ("delay=soon", "        ^", "is not a duration"),
        ("cut@never", "      ^", "open, close, 3msg, 5s or /regex/"),
    ] {
        let output = wscope(&["serve", "0", "--fault", fault])
            .run()
            .code(2)
            .stdout("");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        let at = lines.iter().position(|line| *line == format!("  {fault}"));
        assert_eq!(
            lines[at.expect("the fault as it was typed") + 1],
            caret,
            "{said}"
        );
        assert!(
            said.contains(part) && said.contains("--list-faults"),
            "{said}"
        );
    }
    wscope(&["serve", "0", "--fault-seed", "1"])
        .run()
        .code(2)
        .says(&["--fault"]);
}

#[test]
fn a_fault_is_a_line_for_people() {
    let running = wscope(&["serve", "0", "--fault=close=4000@open"]).spawn();
    let line = running.stdout.line("listening on");
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("ws://"));
    wscope(&["connect", url.expect("a URL"), "-x", "hi"])
        .run()
        .code(8);
    let line = running.stdout.line("fault");
    assert!(line.ends_with("fault close=4000@open"), "{line}");
    running.signal(Signal::Terminate);
    running.wait().code(0);
}
