//! How a run ends when somebody does not play along: a reader that reads nothing, a peer that takes
//! nothing, never pauses or never says goodbye. Every wait has an end, and every end its code.

use std::sync::mpsc;
use std::time::{Duration, Instant};

mod harness;

use harness::program::{Output, shell, wscope};
use harness::raw::{Peer, RawServer, encode};
use harness::running::Signal;
use harness::served::serve;

/// More than the output takes before it is blocked.
const MUCH: usize = 3 << 20;

/// Runs `wscope FLAGS... URL` with a stdout that nobody reads, against a server that sends [`MUCH`],
/// and then `more` in the shell, in which `$pid` is the program; its exit code goes to stderr.
fn unread(flags: &str, more: &str) -> Output {
    let server = RawServer::open(|peer| {
        peer.send_text(&"x".repeat(MUCH));
        peer.drain();
    });
    let script = format!(
        "mkfifo over; {{ \"$WSCOPE\" connect {} {flags} --record all.ndjson </dev/null & pid=$!
         until grep -qs '\"event\":\"message\"' all.ndjson; do sleep 0.05; done
         {more}
         wait $pid; echo \"code $?\" >&2; echo >over; }} | read line <over",
        server.url()
    );
    shell(&script).run()
}

#[test]
fn a_stdout_that_nobody_reads_does_not_outlast_a_signal() {
    unread("--wait -1", "kill -TERM $pid").says(&["code 143"]);
}

#[test]
fn a_stdout_that_nobody_reads_does_not_outlast_max_time() {
    unread("--wait -1 --max-time 2s", "").says(&["code 7"]);
}

#[test]
fn a_stdout_that_nobody_reads_does_not_outlast_a_duration() {
    let output = unread("--duration 1s", "");
    output.says(&["writing to stdout: its reader takes nothing more", "code 1"]);
}

#[test]
fn a_server_whose_log_nobody_reads_ends_on_a_signal() {
    // Its first line alone is read, for the address; then comes more than the output takes.
    let script = format!(
        r#"mkfifo listening over
        {{ "$WSCOPE" serve 0 --json & pid=$!
        read event <listening; url=${{event#*\"url\":\"}}
        head -c {MUCH} /dev/zero | "$WSCOPE" connect "${{url%%\"*}}" -i raw -b raw -n 1 >/dev/null
        echo "client $?" >&2
        kill -TERM $pid; wait $pid; echo "code $?" >&2; echo >over; }} |
        {{ read -r event; echo "$event" >listening; read line <over; }}"#
    );
    shell(&script).run().says(&["client 0", "code 0"]);
}

#[test]
fn a_peer_that_never_reads_is_given_up() {
    let (over, is_over) = mpsc::channel::<()>();
    let server = RawServer::open(move |_| {
        // Takes nothing until the program has left.
        let _ = is_over.recv_timeout(harness::DEADLINE);
    });
    let line = "x".repeat(1 << 20) + "\n";
    let output = wscope(&["connect", &server.url(), "-w", "1"])
        .stdin(line.repeat(24))
        .run();
    drop(over);
    output
        .code(7)
        .stdout("")
        .says(&["the peer has read nothing for 1.00s", "not sent", "--wait"]);
}

#[test]
fn a_server_that_never_pauses_is_left() {
    let server = RawServer::open(|peer| {
        assert_eq!(peer.text(), "hi");
        while peer.try_send(&encode(0x81, None, b"tick")) {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let output = wscope(&["connect", &server.url(), "-x", "hi", "-w", "0.2"]).run();
    output
        .code(0)
        .says(&["messages kept coming for 5.00s", "--duration"]);
}

/// A server that reads the Close, says so and never answers it.
fn mute() -> (RawServer, mpsc::Receiver<()>) {
    let (tell, closing) = mpsc::channel();
    let server = RawServer::open(move |peer: &mut Peer| {
        peer.send_text("ready");
        peer.close_frame();
        let _ = tell.send(());
        peer.drain();
    });
    (server, closing)
}

#[test]
fn that_our_close_got_no_answer_is_said() {
    let (server, _closing) = mute();
    let output = wscope(&["connect", &server.url(), "-n", "1"]).run();
    output
        .code(0)
        .stdout("ready\n")
        .stderr("wscope: closed 1000 (normal closure) by us: the peer did not answer our Close\n");
}

#[test]
fn a_signal_while_closing_decides_the_code() {
    let (server, closing) = mute();
    let running = wscope(&["connect", &server.url(), "-n", "1"]).spawn();
    closing.recv_timeout(harness::DEADLINE).expect("a Close");
    running.signal(Signal::Terminate);
    running.wait().code(143);
}

#[test]
fn max_time_bounds_the_closing_handshake_too() {
    let (server, _closing) = mute();
    let url = server.url();
    let started = Instant::now();
    let output = wscope(&["connect", &url, "-n", "1", "--max-time", "1s"]).run();
    output.code(7).says(&["not done after 1.00s"]);
    assert!(
        started.elapsed() < Duration::from_millis(2900),
        "it waited for the peer's Close, which takes 3 s"
    );
}

#[test]
fn max_time_leaves_little_time_for_a_goodbye() {
    let (server, _closing) = mute();
    let started = Instant::now();
    let output = wscope(&["connect", &server.url(), "--max-time", "1s"])
        .spawn()
        .wait();
    output.code(7).says(&["not done after 1.00s"]);
    assert!(
        started.elapsed() < Duration::from_millis(3500),
        "it waited for the peer's Close, which takes 3 s"
    );
}

#[test]
fn our_own_reason_for_closing_is_told() {
    let server = serve(&[]);
    let output = wscope(&["connect", server.url(), "--json", "--slash"])
        .stdin("/close 4000 enough of this\n")
        .run();
    let close = &output.events_of("close")[0];
    assert_eq!(close["reason"], "enough of this", "{output}");
}

#[test]
fn piped_slash_commands_keep_their_place_among_messages() {
    let server = serve(&[]);
    let large = "x".repeat(1 << 20);
    let output = wscope(&["connect", server.url(), "--slash"])
        .stdin(format!("{large}\n{large}\n/stats\n"))
        .run();
    output.code(0).says(&["sent 2 messages"]);
}
