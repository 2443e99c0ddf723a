//! `bench` through the program: what it counts against servers whose behaviour is known. Counts and
//! their order are compared, never times.

mod harness;

use harness::program::{Output, shell, wscope};
use harness::raw::{Peer, QuietPort, RawServer};
use harness::running::Signal;
use harness::served::serve;
use serde_json::Value;

/// Runs `bench URL ARGS... --report json=-`; what it ended with, and its result.
#[track_caller]
fn bench(url: &str, args: &[&str]) -> (Output, Value) {
    let mut all = vec!["bench", url, "--report", "json=-"];
    all.extend_from_slice(args);
    let output = wscope(&all).run();
    let result = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no result: {error}\n{output}"));
    (output, result)
}

#[test]
fn without_a_flag_but_the_end_it_gives_a_verdict() {
    let server = serve(&[]);
    let output = wscope(&["bench", server.url(), "-n", "500"])
        .run()
        .code(0)
        .stderr("");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("wscope bench "), "{text}");
    assert!(lines[2].starts_with("  PASS"), "{text}");
    assert!(text.contains("\nMessages      sent 500 ("), "{text}");
    assert!(text.contains("\nErrors       0\n"), "{text}");
    assert!(text.contains("\nCloses       50 x 1000 by us\n"), "{text}");
}

#[test]
fn a_result_is_what_its_schema_says() {
    let server = serve(&[]);
    let (output, result) = bench(server.url(), &["-c", "4", "-n", "2000", "--seed", "7"]);
    output.code(0).says(&["PASS"]);
    let schema = include_str!("../docs/bench-result.v1.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let wrong: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&result)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(result["schema"], "bench-result.v1");
    assert_eq!(result["messages"]["sent"], 2000);
    assert_eq!(result["messages"]["matched"], 2000);
    assert_eq!(result["latency"]["rtt"]["count"], 2000);
    assert_eq!(result["frames"]["sent"]["text"], 2000);
    assert_eq!(result["bytes"]["sent_payload"], 2000 * 128);
    // Six bytes of header and key, and two of length, which 128 bytes need.
    assert_eq!(result["bytes"]["sent_wire"], 2000 * (128 + 8));
    assert_eq!(result["connections"]["opened"], 4);
    assert_eq!(result["run"]["end_reason"], "messages");
    assert_eq!(result["run"]["seed"], "7");
}

#[test]
fn thresholds_decide_the_exit_code() {
    let server = serve(&[]);
    let url = server.url();
    let (output, result) = bench(url, &["-n", "100", "--threshold", "rtt.p50<1h"]);
    output.code(0);
    assert_eq!(result["verdict"]["passed"], true);
    let (output, result) = bench(url, &["-n", "100", "--threshold", "messages.sent>1k"]);
    output.code(4).says(&["FAIL", "0 of 1 thresholds passed"]);
    assert_eq!(result["thresholds"][0]["value"], 100.0);
    assert_eq!(result["run"]["exit_code"], 4);
    // What was not measured does not hold.
    let (output, _) = bench(url, &["-n", "10", "--threshold", "handshake.tls.p99<1s"]);
    output.code(4).says(&["not measured"]);
}

#[test]
fn a_threshold_that_is_none_is_pointed_at() {
    let wrong = |threshold: &str| {
        wscope(&["bench", "ws://127.0.0.1:1/", "--threshold", threshold])
            .run()
            .code(2)
    };
    wrong("rt.p99<1s").says(&[
        "no metric \"rt.p99\" (did you mean rtt.p99?); bench --help lists them\n  rt.p99<1s\n  ^",
    ]);
    wrong("rtt.p99<fast").says(&["\"fast\" is not a duration", "\n          ^"]);
    wrong("rtt.p99").says(&["METRIC OP LIMIT"]);
    wrong("rtt.p99<50").says(&["50 of what?", "50ms"]);
}

#[test]
fn the_first_connection_says_why_nothing_would_work() {
    let port = QuietPort::reserve();
    let url = port.url();
    wscope(&["bench", &url, "-c", "10k"])
        .run()
        .code(3)
        .stdout("")
        .says(&["connection refused"]);
    let server = serve(&["--path", "/chat"]);
    let wrong = format!("{}other", server.url());
    wscope(&["bench", &wrong]).run().code(5).says(&["404"]);
    let right = format!("{}chat", server.url());
    wscope(&["bench", &right, "-n", "1"]).run().code(0);
}

#[test]
fn a_server_that_does_not_echo_is_found_before_the_load() {
    let server = RawServer::open(|peer| {
        peer.frame();
        peer.send_text("something else");
        peer.drain();
    });
    let flags = ["bench", &server.url(), "--timeout", "300ms"];
    let output = wscope(&flags).run().code(4);
    output.says(&["none of 1 messages", "--match fifo", "--mode hold"]);
}

#[test]
fn refusals_are_counted_under_their_status() {
    let server = serve(&["--max-connections", "3"]);
    // Who is refused tries again after a second, by when the probe has left its place.
    let flags = ["--stages", "0s:5,2s:5", "--mode", "hold"];
    let (output, result) = bench(server.url(), &flags);
    output
        .code(0)
        .says(&["handshake/503", "attempts to connect failed"]);
    assert_eq!(result["connections"]["peak"], 3);
    let refused = &result["errors"][0];
    assert_eq!(
        (&refused["phase"], &refused["kind"]),
        (&"handshake".into(), &"503".into())
    );
    assert_eq!(refused["count"], result["connections"]["failed"]);
}

/// A server that answers the probe, and plays `script` with the one connection of the load.
fn with_one_connection(mut script: impl FnMut(&mut Peer) + Send + 'static) -> RawServer {
    RawServer::each(2, move |number, peer| {
        peer.read_head();
        peer.accept();
        if number == 1 {
            let first = peer.frame().expect("the message of the probe");
            peer.send_text(&first.text());
        } else {
            script(peer);
        }
        peer.drain();
    })
}

#[test]
fn lost_connections_are_counted_by_how_they_ended() {
    let server = with_one_connection(|peer| {
        peer.frame();
        peer.send_close(4001, "bad token");
    });
    let flags = ["-c", "1", "-d", "1h", "--warmup", "0"];
    let (output, result) = bench(&server.url(), &flags);
    output.code(8).says(&[
        "SUSPECT",
        "every connection was lost",
        "1 message/unanswered",
    ]);
    assert_eq!(result["run"]["end_reason"], "all_lost");
    assert_eq!(result["connections"]["lost"], 1);
    assert_eq!(result["messages"]["unanswered"], 1);
    let close = &result["closes"][0];
    assert_eq!(
        (&close["code"], &close["by"]),
        (&4001.into(), &"peer".into())
    );
    assert_eq!(close["reason"], "bad token");
}

#[test]
fn duplicates_and_overtaking_are_seen() {
    let server = with_one_connection(|peer| {
        let first = peer.frame().expect("a message");
        let second = peer.frame().expect("a second one in flight");
        for frame in [&second, &second, &first] {
            peer.send_text(&frame.text());
        }
    });
    let flags = ["-c", "1", "-n", "2", "--pipeline", "2", "--grace", "300ms"];
    let (output, result) = bench(&server.url(), &flags);
    output.code(0);
    let messages = &result["messages"];
    assert_eq!(messages["matched"], 2);
    assert_eq!(messages["out_of_order"], 1);
    assert_eq!(messages["duplicate"], 1);
}

#[test]
fn connections_come_and_go_in_churn() {
    let server = serve(&[]);
    let (output, result) = bench(server.url(), &["--mode", "churn", "-c", "3", "-n", "30"]);
    output.code(0);
    assert_eq!(result["messages"]["matched"], 30);
    assert!(
        result["connections"]["opened"].as_u64() >= Some(30),
        "{result}"
    );
    assert_eq!(result["connections"]["lost"], 0);
    assert_eq!(result["closes"][0]["code"], 1000);
}

#[test]
fn who_only_sends_goes_on_after_the_socket_was_full() {
    let server = serve(&["--mode=sink"]);
    let mut flags = vec!["--mode", "send", "-c", "2", "-n", "2000"];
    // Much more than the buffers of both systems hold.
    flags.extend(["--payload-size", "64KiB", "--max-time", "5m"]);
    let (output, result) = bench(server.url(), &flags);
    output.code(0);
    assert_eq!(result["messages"]["sent"], 2000);
    assert_eq!(result["run"]["end_reason"], "messages");
}

#[test]
fn a_schedule_that_nothing_could_keep_ends_in_time() {
    let server = serve(&["--mode=sink"]);
    let mut flags = vec!["--mode", "send", "-c", "1", "--rate", "100m", "-d", "300ms"];
    flags.extend(["--warmup", "0", "--strict"]);
    let (output, result) = bench(server.url(), &flags);
    output.code(10).says(&["SUSPECT"]);
    assert_eq!(result["run"]["end_reason"], "duration");
}

#[test]
fn flags_that_mean_nothing_are_refused() {
    for (flags, says) in [
        (&["--rate", "0"][..], "must be more than 0"),
        (&["--rate", "1000000m"], "at most 100m"),
        (&["--lifetime", "0"], "must be more than 0"),
        (&["--payload-size", "2GiB"], "at most 1GiB"),
        (
            &["--mode", "hold", "--rate", "5"],
            "--mode hold sends nothing",
        ),
        (&["--mode", "listen", "-m", "hi"], "--message has no effect"),
        (&["--stages", "1s:5", "-c", "5"], "cannot be used with"),
    ] {
        let line = [&["bench", "ws://127.0.0.1:1/"], flags].concat();
        wscope(&line).run().code(2).stdout("").says(&[says]);
    }
    #[cfg(target_os = "linux")]
    wscope(&["bench", "ws://127.0.0.1:1/", "--pid", "4194304"])
        .run()
        .code(2)
        .says(&["no such process"]);
}

#[test]
fn the_first_connection_is_like_the_others() {
    let server = RawServer::http(|peer| {
        assert_eq!(peer.header("cookie"), ["seen=ann"]);
        peer.accept();
        peer.frame();
        peer.send_close(1009, "too much");
        peer.drain();
    });
    let flags = ["--feed", "users.csv", "--cookie", "seen={{user}}"];
    wscope(&[&["bench", &server.url()][..], &flags].concat())
        .file("users.csv", "user\nann\n")
        .run()
        .code(4)
        .says(&[
            "closed the first connection with 1009 \"too much\"",
            "--feed has fewer rows (1) than there are connections (50): the rows begin again",
        ]);
    // Its answer is larger than we take.
    let server = serve(&[]);
    let flags = ["--payload-size", "2000", "--max-message-size", "1000"];
    wscope(&[&["bench", server.url()][..], &flags].concat())
        .run()
        .code(4)
        .says(&[
            "broke the protocol",
            "--max-message-size SIZE takes larger ones",
        ]);
    // No address of this machine (RFC 5737).
    wscope(&["bench", "ws://127.0.0.1:1/", "--source-ip", "192.0.2.1"])
        .run()
        .code(3)
        .says(&["cannot assign requested address"]);
}

#[test]
fn every_other_mode_does_what_it_says() {
    let server = serve(&[]);
    let run = |args: &[&str]| {
        let (output, result) = bench(server.url(), args);
        output.code(0);
        result
    };
    let hold = run(&[
        "--mode",
        "hold",
        "-c",
        "5",
        "-d",
        "400ms",
        "--heartbeat",
        "100ms/5s",
    ]);
    assert_eq!(hold["messages"]["sent"], 0);
    assert!(
        hold["latency"]["ping"]["count"].as_u64() >= Some(5),
        "{hold}"
    );
    let send = run(&["--mode", "send", "-c", "2", "-n", "200"]);
    assert_eq!(send["messages"]["sent"], 200);
    assert_eq!(send["latency"]["rtt"]["count"], 0);
    let listen = run(&["--mode", "listen", "-c", "2", "-d", "100ms", "-x", "hello"]);
    assert_eq!(listen["latency"]["first_message"]["count"], 2);
    let open = run(&["-c", "4", "-n", "100", "--rate", "2k"]);
    assert_eq!(
        (&open["workload"]["loop"], &open["messages"]["matched"]),
        (&"open".into(), &100.into())
    );
    let each = run(&["-c", "4", "-n", "20", "--rate-per-conn", "100"]);
    assert_eq!(each["messages"]["matched"], 20);
    let compressed = run(&["-c", "2", "-n", "50", "--compress", "--payload-size", "1k"]);
    let bytes = &compressed["bytes"];
    assert!(
        bytes["sent_wire"].as_u64() < bytes["sent_payload"].as_u64(),
        "{bytes}"
    );
    assert_eq!(compressed["messages"]["matched"], 50);
}

#[test]
fn tls_is_loaded_too_and_its_steps_are_timed() {
    let server = serve(&["--tls-self-signed"]);
    let (output, result) = bench(server.url(), &["-k", "-c", "3", "-n", "60"]);
    output.code(0);
    assert_eq!(result["messages"]["matched"], 60);
    assert_eq!(result["workload"]["tls"], true);
    assert_eq!(result["latency"]["handshake"]["tls"]["count"], 3);
    wscope(&["bench", server.url(), "-n", "1"])
        .run()
        .code(6)
        .says(&["-k"]);
}

#[test]
fn each_connection_has_values_of_its_own() {
    let mut server = serve(&["-v"]);
    let url = format!("{}room?token={{{{token}}}}", server.url());
    let run = wscope(&[
        "bench",
        &url,
        "--feed",
        "users.csv",
        "-H",
        "X-User: {{user}}",
        "-c",
        "2",
        "-n",
        "2",
        "-m",
        "{{user}} {{seq}}",
    ]);
    run.file("users.csv", "user,token\nann,t1\nbob,t2\n")
        .run()
        .code(0);
    // The probe is the first connection once more.
    server.running().stdout.line("\"data\":\"bob 1\"");
    server.running().stdout.line("\"data\":\"ann 1\"");
    wscope(&["bench", server.url(), "-m", "{{usr}}"])
        .run()
        .code(2)
        .says(&["{{usr}}"]);
}

#[test]
fn ctrl_c_ends_the_load_and_reports() {
    let server = serve(&[]);
    let running = wscope(&["bench", server.url(), "-d", "1h", "--live", "plain"]).spawn();
    running.stderr.line(" run ");
    running.signal(Signal::Interrupt);
    let output = running.wait().code(130);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("ended by interrupted") && text.contains("cut short"),
        "{text}"
    );
    assert!(text.contains("\nCloses       50 x 1000 by us\n"), "{text}");
}

#[test]
fn what_would_be_done_is_said_without_doing_it() {
    let output = wscope(&["bench", "ws://127.0.0.1:1/", "-c", "15k", "--dry-run"])
        .run()
        .code(0);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("connections  15,000, 1,000 new ones per second"),
        "{text}"
    );
    assert!(
        text.contains("\nsources      ") && text.contains(" connections from one, which has "),
        "{text}"
    );
    let output = wscope(&["bench", "ws://127.0.0.1:1/", "-c", "9m"])
        .run()
        .code(2);
    output.says(&["open files", "ulimit -n"]);
    let server = serve(&[]);
    let output = wscope(&["bench", server.url(), "--debug", "-m", "hello"])
        .run()
        .code(0);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("sent         5 bytes: hello"), "{text}");
}

#[test]
fn an_open_loop_that_cannot_be_kept_is_suspect() {
    // Nothing is answered, so that the bound on what is in flight drops sends.
    let server = with_one_connection(|_| {});
    let flags = [
        "-c",
        "1",
        "--rate",
        "1k",
        "--max-inflight",
        "5",
        "-n",
        "50",
        "--grace",
        "100ms",
        "--strict",
    ];
    let (output, result) = bench(&server.url(), &flags);
    output.code(10).says(&["SUSPECT", "not sent"]);
    assert_eq!(result["messages"]["sent"], 5);
    assert_eq!(result["messages"]["dropped"], 45);
    assert_eq!(result["messages"]["unanswered"], 5);
    assert_eq!(result["verdict"]["invalid_reasons"][0]["code"], "dropped");
}

#[test]
fn the_second_ctrl_c_does_not_wait_for_answers() {
    // Nothing is answered, and answers are waited for as long as it takes.
    let server = with_one_connection(|_| {});
    let flags = ["-c", "1", "-d", "1h", "--warmup", "0", "--grace", "1h"];
    let more = ["--timeout", "1h", "--live", "plain"];
    let url = server.url();
    let all = [&["bench", url.as_str()], &flags[..], &more].concat();
    let running = wscope(&all).spawn();
    running.stderr.line(" run ");
    running.signal(Signal::Interrupt);
    running.stderr.line(" drain ");
    running.signal(Signal::Interrupt);
    let output = running.wait().code(130);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("ended by interrupted"), "{text}");
    assert!(text.contains("unanswered 1 "), "{text}");
}

/// Runs a load whose report is more than a pipe takes, and whose stdout nobody reads; then `more` in
/// the shell, in which `$pid` is the program. Its exit code goes to stderr.
fn unread(flags: &str, more: &str) -> Output {
    let script = format!(
        "mkfifo over; {{ \"$WSCOPE\" bench demo --script a.wst --report json=- {flags} & pid=$!
         {more}
         wait $pid; echo \"code $?\" >&2; echo >over; }} | read line <over"
    );
    shell(&script).file("a.wst", "> x\n< x\n".repeat(400)).run()
}

#[test]
fn a_result_that_nobody_reads_is_not_waited_for() {
    let output = unread("-c 1 -n 1", "");
    output.says(&["writing to stdout: its reader takes nothing more", "code 1"]);
    let stop = "until [ -s live ]; do sleep 0.05; done; kill -TERM $pid";
    unread("-c 1 -d 1h --live plain 2>live", stop).says(&["code 143"]);
}

#[test]
fn a_server_is_started_loaded_watched_and_stopped() {
    let port = QuietPort::reserve();
    let address = port.address();
    drop(port);
    let url = format!("ws://{address}");
    let spawn = format!("{} serve {address}", env!("CARGO_BIN_EXE_wscope"));
    let run = || bench(&url, &["-c", "2", "-n", "20", "--spawn", &spawn]);
    let (output, result) = run();
    output.code(0).says(&["Server       pid "]);
    assert_eq!(result["messages"]["matched"], 20);
    assert!(
        result["target_process"]["rss_peak_bytes"].as_u64() > Some(1 << 20),
        "{result}"
    );
    // It is gone: another one finds the port free.
    run().0.code(0);
    let spawned = |command: &str| wscope(&["bench", &url, "--spawn", command]).run();
    spawned("exit 3")
        .code(3)
        .says(&["the server ended with exit status: 3"]);
    wscope(&["bench", "demo", "--spawn", "x"])
        .run()
        .code(2)
        .says(&["demo"]);
}

#[test]
fn letters_beyond_ascii_are_used_where_they_are_known() {
    let server = serve(&[]);
    let text = |locale: &str| {
        let run = wscope(&["bench", server.url(), "-n", "200"]).env("LC_ALL", locale);
        String::from_utf8(run.run().code(0).stdout).unwrap()
    };
    let (ascii, unicode) = (text("C"), text("C.UTF-8"));
    assert!(
        ascii.is_ascii() && ascii.contains("RTT distribution (ms)\n"),
        "{ascii}"
    );
    assert!(unicode.contains("│█"), "{unicode}");
}

#[test]
fn connections_come_from_the_addresses_that_are_named() {
    // The second one is opened on another path.
    for more in [&[][..], &["--compress"]] {
        let server = serve(&[]);
        let flags = [&["-c", "3", "-n", "3", "--source-ip", "127.0.0.9"], more].concat();
        bench(server.url(), &flags).0.code(0);
        let output = server.stop(Signal::Terminate).code(0);
        let opened = output.events_of("open").into_iter();
        let from = opened.filter(|open| {
            open["peer"]
                .as_str()
                .is_some_and(|peer| peer.starts_with("127.0.0.9:"))
        });
        // The first of all does too.
        assert_eq!(from.count(), 4, "{more:?} {output}");
    }
}
