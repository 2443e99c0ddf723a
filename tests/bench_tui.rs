//! `bench` on a terminal: it shows how the load goes, hears keys, ends as it is told to, and gives the
//! terminal back however it ends.

mod harness;

use std::fs;
use std::io::Write;
use std::path::Path;

use harness::program::wscope;
use harness::served::{Served, serve};
use harness::terminal::{CTRL_C, CTRL_Z, Terminal};
use serde_json::Value;
use vt100::Screen;

/// A load on a terminal of this size, with its screen open.
fn bench(server: &Served, size: (u16, u16), args: &[&str]) -> Terminal {
    let mut all = vec!["bench", server.url(), "--threads", "1"];
    if !args.contains(&"--stages") {
        all.extend(["-c", "4"]);
    }
    all.extend_from_slice(args);
    let terminal = Terminal::sized(&all, size);
    terminal.until("the screen", |screen| {
        screen.alternate_screen() && screen.contents().contains("bench ")
    });
    terminal
}

/// A server that answers the first connection, and no other one.
const SILENT: &[&str] = &["--fault", "lose:conn=2-"];

const SIZE: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (140, 40);

#[test]
fn it_opens_by_itself_shows_the_load_and_q_reports() {
    let server = serve(&[]);
    let args = ["-d", "1h", "--rate", "200", "--threshold", "rtt.p99<20s"];
    let mut terminal = bench(&server, SIZE, &args);
    terminal.until("messages and a threshold that holds", |screen| {
        let contents = screen.contents();
        contents.contains("RUN")
            && contents.contains("4 of 4")
            && contents.contains("ok   rtt.p99")
            && contents.contains("open loop 200 msg/s")
    });
    terminal.keys("q");
    let (code, raw) = terminal.exits();
    assert_eq!(code, 0);
    let left = String::from_utf8_lossy(&raw);
    assert!(left.contains("1 of 1 thresholds passed"), "{left}");
}

#[test]
fn a_run_that_comes_to_its_end_leaves_its_summary() {
    let server = serve(&[]);
    let mut terminal = bench(&server, SIZE, &["--warmup", "0", "-d", "1500ms"]);
    assert_eq!(terminal.exits().0, 0);
    let left = terminal.screen().contents();
    assert!(left.contains("Generator    cpu"), "{left}");
}

#[test]
fn ctrl_c_reports_and_twice_leaves_at_once() {
    let server = serve(&[]);
    let mut terminal = bench(&server, SIZE, &["-d", "1h"]);
    terminal.shows("RUN");
    terminal.keys(CTRL_C);
    let (code, _) = terminal.exits();
    assert_eq!(code, 130);
    assert!(terminal.screen().contents().contains("Generator"));

    // Answers would be waited for.
    let silent = serve(SILENT);
    let args = [
        "-d",
        "1h",
        "--rate",
        "50",
        "--grace",
        "1h",
        "--timeout",
        "2h",
    ];
    let mut terminal = bench(&silent, SIZE, &args);
    terminal.shows("RUN");
    terminal.keys(CTRL_C);
    terminal.shows("DRAIN");
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 130);
}

#[test]
fn q_waits_for_answers_and_shift_q_does_not() {
    let silent = serve(SILENT);
    let args = [
        "-d",
        "1h",
        "--rate",
        "50",
        "--grace",
        "1h",
        "--timeout",
        "2h",
    ];
    let mut terminal = bench(&silent, SIZE, &args);
    terminal.shows("RUN");
    terminal.keys("q");
    terminal.shows("DRAIN");
    terminal.keys("q");
    terminal.shows("Q does not wait");
    terminal.keys("Q");
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn signals_end_it_and_the_terminal_is_given_back() {
    let server = serve(&[]);
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let mut terminal = bench(&server, SIZE, &["-d", "1h"]);
        terminal.shows("RUN");
        terminal.signal(signal);
        assert_eq!(terminal.exits().0, code, "{signal}");
    }
}

#[test]
fn it_is_suspended_and_comes_back_whatever_size_the_terminal_has_then() {
    let server = serve(&[]);
    let mut terminal = bench(&server, SIZE, &["-d", "1h"]);
    terminal.shows("RUN");
    terminal.keys(CTRL_Z);
    terminal.is_stopped();
    terminal.is_given_back();
    terminal.resize(LARGE);
    terminal.signal("CONT");
    terminal.until("the large screen", |screen| {
        screen.alternate_screen() && screen.contents().contains("Events")
    });
    terminal.keys("q");
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn keys_change_what_is_shown() {
    let server = serve(&[]);
    let mut terminal = bench(&server, LARGE, &["-d", "1h", "--rate", "100"]);
    terminal.shows("measured from here");
    terminal.keys("?");
    terminal.shows("hold the course: stages");
    terminal.keys("\x1b");
    terminal.keys("e");
    terminal.shows("nothing went wrong");
    terminal.keys("e");
    terminal.keys("g");
    terminal.shows("times are linear");
    terminal.keys("[");
    terminal.shows("cpu of the load");
    terminal.keys("p");
    terminal.shows("HELD");
    terminal.keys("p");
    terminal.shows("goes on after");
    terminal.keys("q");
    terminal.exits();
    let left = String::from_utf8(terminal.raw()).unwrap();
    assert!(left.contains("held by hand"), "{left}");
}

#[test]
fn held_stages_stay_where_they_are() {
    let server = serve(&[]);
    let args = ["--stages", "1s:4,6s:4,1s:0"];
    let mut terminal = bench(&server, LARGE, &args);
    terminal.shows("stage 2");
    terminal.keys("p");
    terminal.shows("HELD");
    // By then this stage would be over.
    terminal.shows("+00:07");
    let shown = terminal.screen().contents();
    assert!(shown.contains("4 of 4"), "{shown}");
    terminal.keys("p");
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn a_snapshot_is_a_result() {
    let server = serve(&[]);
    let mut terminal = bench(&server, LARGE, &["-d", "1h", "--rate", "100"]);
    terminal.shows("RUN");
    terminal.keys("s");
    terminal.shows("the result so far is in");
    terminal.keys("q");
    assert_eq!(terminal.exits().0, 0);
    let files = fs::read_dir(terminal.home()).unwrap().flatten();
    let names = files.map(|file| file.path());
    let snapshot = names
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "json"))
        .expect("a file");
    let result: Value = serde_json::from_slice(&fs::read(snapshot).unwrap()).unwrap();
    assert_eq!(result["schema"], "bench-result.v1");
    assert_eq!(result["run"]["end_reason"], "running");
    assert_eq!(result["verdict"]["partial"], true);
}

/// The result of a short load of four connections, which may be believed whatever this machine was doing
/// meanwhile.
fn baseline(server: &Served, folder: &Path, args: &[&str]) -> String {
    let path = folder.join("before\u{1b}[2J.json");
    let report = format!("json={}", path.display());
    let fixed = ["-c", "4", "--threads", "1", "-d", "1s", "--warmup", "0"];
    let all = [
        &["bench", server.url(), "--report", &report],
        &fixed[..],
        args,
    ]
    .concat();
    wscope(&all).run().code(0);
    let mut result: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    result["verdict"]["valid"] = true.into();
    result["verdict"]["invalid_reasons"] = Value::Array(Vec::new());
    fs::write(&path, result.to_string()).unwrap();
    path.display().to_string()
}

#[test]
fn b_shows_the_baseline_beside_the_run() {
    let server = serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let think = ["--think", "10ms"];
    let path = baseline(&server, folder.path(), &think);
    let args = [&think[..], &["-d", "1h", "--baseline", &path]].concat();
    for size in [SIZE, LARGE] {
        let mut terminal = bench(&server, size, &args);
        terminal.until("answers", |screen| {
            let contents = screen.contents();
            contents.contains("RUN") && !contents.contains("nothing measured yet")
        });
        terminal.keys("b");
        terminal.until("the baseline", |screen| {
            let contents = screen.contents();
            [
                "dotted: ",
                "  baseline      total",
                "[2J.json",
                ": rtt p",
                "now ",
            ]
            .iter()
            .all(|text| contents.contains(text))
        });
        terminal.keys("b");
        terminal.until("the run alone", |screen| {
            let contents = screen.contents();
            contents.contains("is not shown any more") && !contents.contains("dotted: ")
        });
        terminal.keys("q");
        terminal.exits();
    }
}

#[test]
fn b_says_why_there_is_no_baseline_to_be_shown() {
    let server = serve(&[]);
    let mut terminal = bench(&server, SIZE, &["-d", "1h", "--rate", "100"]);
    terminal.shows("RUN");
    terminal.keys("b");
    terminal.shows("no --baseline was given");
    terminal.keys("q");
    terminal.exits();

    let folder = tempfile::tempdir().unwrap();
    let path = baseline(&server, folder.path(), &["--rate", "200"]);
    // Whose messages are answered by nobody, so that few of them are sent.
    let silent = serve(SILENT);
    let args = [
        "-d",
        "1h",
        "--rate",
        "200",
        "--max-inflight",
        "1",
        "--timeout",
        "2h",
    ];
    let args = [&args[..], &["--baseline", &path]].concat();
    let mut terminal = bench(&silent, LARGE, &args);
    terminal.shows("were due but not sent");
    terminal.keys("b");
    terminal.until("why", |screen| {
        let why = "not compared: this run is suspect: ";
        screen.contents().contains(why)
    });
    terminal.keys("Q");
    terminal.exits();
}

#[test]
fn who_gets_what_is_published_is_shown() {
    let server = serve(&["--mode", "broadcast"]);
    let args = ["--mode", "fanout", "--rate", "50", "-d", "1h"];
    for size in [SIZE, LARGE] {
        let mut terminal = bench(&server, size, &args);
        terminal.until(
            "a reach, and the last of those who get a message",
            |screen| {
                let contents = screen.contents();
                let texts = [
                    "Fan-out, last 1s",
                    "reach 1",
                    "delivered",
                    "expected",
                    "reorder 0",
                ];
                texts.iter().all(|text| contents.contains(text))
                    && contents.contains("last subscriber")
            },
        );
        terminal.keys("q");
        assert_eq!(terminal.exits().0, 0);
    }
}

#[test]
fn a_search_shows_its_steps_and_ends_where_it_is_told_to() {
    let server = serve(&[]);
    let sought = ["--find-max", "connections:rtt.p99<1h", "--warmup", "0"];
    // Four connections are found in three steps.
    let args = [&sought[..], &["-d", "400ms", "--stay"]].concat();
    let mut terminal = bench(&server, LARGE, &args);
    terminal.until("all steps", |screen| {
        let contents = screen.contents();
        let texts = [
            "DONE",
            "Search  rtt.p99<1h",
            "step 3: 4 connections",
            "4 hold",
        ];
        texts.iter().all(|text| contents.contains(text))
    });
    terminal.keys("q");
    let (code, raw) = terminal.exits();
    assert_eq!(code, 0);
    let left = String::from_utf8_lossy(&raw);
    assert!(left.contains("as many as were asked for"), "{left}");

    // A step that is ended is not judged, and no other one follows.
    let args = [&sought[..], &["-d", "1h"]].concat();
    let mut terminal = bench(&server, SIZE, &args);
    terminal.shows("step 1: 1 connections");
    terminal.shows("RUN");
    terminal.keys("q");
    let (code, raw) = terminal.exits();
    assert_eq!(code, 0);
    let left = String::from_utf8_lossy(&raw);
    assert!(left.contains("the search was stopped"), "{left}");
    assert!(!left.contains("step 2"), "{left}");
}

#[test]
fn what_a_server_says_is_an_event_and_cannot_move_the_cursor() {
    let probe = serve(&[]);
    let port = probe.address().rsplit(':').next().unwrap().to_owned();
    drop(wscope(&["ping", probe.url(), "-n", "1"]).run());
    drop(probe);
    let url = format!("ws://127.0.0.1:{port}/");
    let program = env!("CARGO_BIN_EXE_wscope");
    let command = format!(
        "mkfifo go; {program} serve {port} >&2 & read line <go; printf 'hello\\033[2Jthere\\n' >&2; wait"
    );
    let args = ["bench", &url, "-c", "2", "-d", "1h", "--spawn", &command];
    let mut terminal = Terminal::sized(&args, LARGE);
    terminal.until("the screen", Screen::alternate_screen);
    // Open for both, so that it waits for no reader.
    let fifo = terminal.home().join("go");
    let mut go = fs::File::options()
        .read(true)
        .write(true)
        .open(fifo)
        .unwrap();
    go.write_all(b"\n").unwrap();
    terminal.until("what the server said", |screen| {
        screen.alternate_screen() && screen.contents().contains("hello")
    });
    terminal.keys("q");
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn what_a_peer_says_is_shown_and_not_obeyed() {
    let server = serve(&["--fault", "close=4001,\"bye\u{1b}[2J\"@3msg:conn=2-"]);
    let mut terminal = bench(&server, LARGE, &["-d", "1h", "--reconnect"]);
    terminal.shows("close 4001 by peer");
    terminal.keys("e");
    terminal.shows("bye");
    assert!(
        terminal.screen().contents().contains("bench "),
        "it was not cleared"
    );
    terminal.keys("\x1bq");
    terminal.exits();
}

#[test]
fn it_stays_after_the_end_where_that_is_asked_for() {
    let server = serve(&[]);
    let args = ["--warmup", "0", "-d", "1s", "--stay"];
    let mut terminal = bench(&server, LARGE, &args);
    terminal.shows("DONE");
    assert!(terminal.screen().alternate_screen());
    terminal.keys("q");
    assert_eq!(terminal.exits().0, 0);
    assert!(terminal.screen().contents().contains("Generator"));
}

#[test]
fn lines_are_printed_where_they_are_asked_for() {
    let server = serve(&[]);
    let common = [
        "bench",
        server.url(),
        "-c",
        "2",
        "--warmup",
        "0",
        "-d",
        "2s",
    ];
    let with = |more: &[&'static str]| {
        let mut all = common.to_vec();
        all.extend_from_slice(more);
        Terminal::start(&all)
    };
    let mut terminal = with(&["--live", "plain"]);
    assert_eq!(terminal.exits().0, 0);
    let raw = String::from_utf8(terminal.raw()).unwrap();
    assert!(raw.contains("run      open 2   sent"), "{raw}");
    assert!(!raw.contains("\u{1b}[?1049h"), "no screen: {raw}");

    let mut terminal = with(&["--live", "none"]);
    assert_eq!(terminal.exits().0, 0);
    let raw = String::from_utf8(terminal.raw()).unwrap();
    assert!(
        !raw.contains("open 2   sent") && !raw.contains("\u{1b}[?1049h"),
        "{raw}"
    );

    // As in CI.
    let all = [
        "bench",
        server.url(),
        "-c",
        "2",
        "--warmup",
        "0",
        "-d",
        "2s",
    ];
    let mut terminal = Terminal::start_with(&all, Some(("CI", "true")));
    assert_eq!(terminal.exits().0, 0);
    let raw = String::from_utf8(terminal.raw()).unwrap();
    assert!(raw.contains("run      open 2   sent"), "{raw}");
}

#[test]
fn a_screen_needs_a_terminal() {
    wscope(&["bench", "ws://127.0.0.1:1/", "--live", "tui"])
        .run()
        .code(2)
        .says(&["--live tui needs a terminal"]);
    wscope(&["bench", "ws://127.0.0.1:1/", "--stay"])
        .run()
        .code(2)
        .says(&["--stay keeps the full screen", "--live tui"]);
    wscope(&["bench", "ws://127.0.0.1:1/", "--live", "tiu"])
        .run()
        .code(2)
        .says(&["tui"]);
}
