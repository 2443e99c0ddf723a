//! What `bench` says of servers that do not do what a load asks of them, and of runs that were cut
//! short: nothing that went wrong may pass for something else. Counts and words are compared, never times.

mod harness;

use harness::program::{Output, wscope};
use harness::raw::QuietPort;
use harness::running::Signal;
use harness::served::serve;
use serde_json::Value;

/// Runs `bench URL ARGS... --report json=-`; what it ended with, and its result.
#[track_caller]
fn bench(url: &str, args: &[&str]) -> (Output, Value) {
    let all = [&["bench", url, "--report", "json=-"], args].concat();
    let output = wscope(&all).run();
    let result = result_of(&output);
    (output, result)
}

#[track_caller]
fn result_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no result: {error}\n{output}"))
}

/// A column of the series.
fn column(result: &Value, name: &str) -> Vec<f64> {
    let series = &result["series"];
    let columns = series["columns"].as_array().unwrap();
    let place = columns.iter().position(|column| column == name).unwrap();
    let rows = series["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| row[place].as_f64().unwrap())
        .collect()
}

fn codes(remarks: &Value) -> Vec<&str> {
    let remarks = remarks.as_array().unwrap();
    remarks
        .iter()
        .map(|remark| remark["code"].as_str().unwrap())
        .collect()
}

#[test]
fn a_row_holds_what_happened_in_its_second() {
    let server = serve(&[]);
    for load in [["-c", "4", "-d", "2s"], ["--stages", "2s:4", "--seed", "1"]] {
        let flags = [&load[..], &["--rate", "200", "--warmup", "0"]].concat();
        let (output, result) = bench(server.url(), &flags);
        output.code(0);
        let (times, sent) = (column(&result, "t"), column(&result, "sent"));
        assert_eq!(times[0], 1.0, "{times:?}");
        assert!((1.8..=2.3).contains(&times[1]), "{times:?}");
        assert_eq!(
            sent.iter().sum::<f64>(),
            result["messages"]["sent"],
            "{sent:?}"
        );
        for (time, sent) in times.iter().zip(&sent).take(2) {
            assert!(*sent > 0.0, "{sent} until {time}");
        }
        assert!(column(&result, "open").iter().all(|open| *open > 0.0));
    }
}

#[test]
fn a_server_that_answers_nothing_does_not_pass() {
    // The probe alone is answered.
    let mute = || serve(&["--fault", "lose:p=1:conn=2-"]);
    let mut flags = vec!["-c", "3", "-d", "300ms", "--warmup", "0"];
    flags.extend(["--timeout", "200ms", "--grace", "300ms"]);
    for more in [&[][..], &["--strict"]] {
        let flags = [&flags, more].concat();
        let (output, result) = bench(mute().url(), &flags);
        output
            .code(4)
            .says(&["  FAIL   none of ", "messages was answered"]);
        assert_eq!(result["messages"]["matched"], 0);
        assert_eq!(codes(&result["verdict"]["invalid_reasons"]), ["no_answers"]);
        assert_eq!(result["verdict"]["passed"], false);
    }
    flags.extend(["--save-baseline", "none.json"]);
    let (output, _) = bench(mute().url(), &flags);
    output.code(4).says(&["was not saved"]);
}

#[test]
fn a_search_that_was_cut_short_says_so() {
    let server = serve(&[]);
    let flags = [
        "bench",
        server.url(),
        "-c",
        "1000",
        "--mode",
        "hold",
        "-d",
        "500ms",
        "--find-max",
        "connections:connections.failed<1",
        "--live",
        "none",
        "--report",
        "json=-",
    ];
    let running = wscope(&flags).spawn();
    running.stderr.line("31 connections");
    running.signal(Signal::Interrupt);
    let output = running.wait();
    let result = result_of(&output);
    output.code(130).says(&[
        "the search was stopped before more was known",
        "the search was cut short",
    ]);
    // The next step may have been over before the signal came.
    assert!(result["find_max"]["found"].as_u64() >= Some(31));
    assert_eq!(result["find_max"]["limited_by"], "stopped");
    assert_eq!(result["run"]["end_reason"], "interrupted");
    assert_eq!(result["verdict"]["partial"], true);
}

#[test]
fn what_others_sent_is_no_answer() {
    // Each message comes to its sender, and to the two others.
    let server = serve(&["--mode", "broadcast"]);
    let (output, result) = bench(server.url(), &["-c", "3", "-n", "300"]);
    output.code(0).says(&["were no answers", "--mode fanout"]);
    let messages = &result["messages"];
    assert_eq!(messages["matched"], 300);
    assert_eq!(messages["duplicate"], 0);
    let unexpected = messages["unexpected"].as_u64().unwrap();
    assert!(unexpected > 300, "{messages}");
    assert!(codes(&result["verdict"]["warnings"]).contains(&"unexpected"));
}

#[cfg(unix)]
#[test]
fn a_reset_is_not_taken_for_an_end() {
    let server = serve(&["--fault", "reset@3msg:conn=2-"]);
    let flags = ["-c", "50", "-d", "1h", "--warmup", "0"];
    let (output, result) = bench(server.url(), &flags);
    output.code(8).says(&["50 x 1006 by transport (rst)"]);
    let closes = result["closes"].as_array().unwrap();
    assert_eq!(closes.len(), 1, "{closes:?}");
    assert_eq!(
        (&closes[0]["detail"], &closes[0]["count"]),
        (&"rst".into(), &50.into())
    );
}

#[test]
fn what_thresholds_count_as_errors_is_listed() {
    let counted = |result: &Value| {
        let errors = result["errors"].as_array().unwrap().iter();
        errors
            .map(|error| error["count"].as_u64().unwrap())
            .sum::<u64>()
    };
    let flags = ["--warmup", "0", "--threshold", "errors.count==0"];
    let server = serve(&["--fault", "close=4002@3msg:conn=2-4"]);
    let flags_of = [&["-c", "10", "-d", "500ms", "--rate", "200"][..], &flags].concat();
    let (output, result) = bench(server.url(), &flags_of);
    output
        .code(4)
        .says(&["3 connection/lost", "closed it with 4002"]);
    assert_eq!(result["connections"]["lost"], 3);
    assert_eq!(result["thresholds"][0]["value"], counted(&result) as f64);
    // What was due but not sent is an error too.
    let server = serve(&["--fault", "stall@1msg:conn=2-"]);
    let flags_of = [
        &[
            "-c",
            "2",
            "-d",
            "300ms",
            "--rate",
            "200",
            "--max-inflight",
            "4",
        ][..],
        &["--grace", "100ms", "--timeout", "10s"],
        &flags,
    ];
    let (output, result) = bench(server.url(), &flags_of.concat());
    output.code(4).says(&["message/dropped"]);
    assert!(result["messages"]["dropped"].as_u64() > Some(0));
    assert_eq!(result["thresholds"][0]["value"], counted(&result) as f64);
}

#[test]
fn an_answer_that_comes_in_the_drain_brings_its_bytes() {
    let server = serve(&["--fault", "delay=100ms"]);
    for how in ["echo", "fifo"] {
        let flags = ["-c", "3", "-n", "7", "--warmup", "0", "--match", how];
        let (output, result) = bench(server.url(), &flags);
        output.code(0);
        assert_eq!(result["messages"]["received"], 7);
        assert_eq!(result["frames"]["received"]["text"], 7);
        assert_eq!(result["bytes"]["received_payload"], 7 * 128);
        assert_eq!(result["bytes"]["received_wire"], 7 * (128 + 4));
    }
}

#[test]
fn connections_that_never_were_are_not_lost() {
    let server = serve(&["--fault", "hang:conn=2-"]);
    let flags = ["-c", "2", "-d", "1h", "--connect-timeout", "1s"];
    let (output, result) = bench(server.url(), &flags);
    output
        .code(7)
        .says(&["no connection could be opened", "ended by none_opened"]);
    assert_eq!(result["run"]["end_reason"], "none_opened");
    let reasons = codes(&result["verdict"]["invalid_reasons"]);
    assert_eq!(reasons, ["silent", "none_opened"]);
}

#[test]
fn the_end_of_max_time_is_not_an_interruption() {
    let server = serve(&[]);
    let (output, result) = bench(server.url(), &["-c", "2", "-d", "1h", "--max-time", "3s"]);
    output.code(7).says(&["ended by max_time"]);
    assert_eq!(result["run"]["end_reason"], "max_time");
    assert_eq!(result["verdict"]["partial"], true);
}

#[cfg(unix)]
#[test]
fn a_started_server_that_ends_is_told_of() {
    let port = QuietPort::reserve();
    let (url, address) = (port.url(), port.address());
    drop(port);
    // It is gone once the probe and the two of the load are there.
    let server = env!("CARGO_BIN_EXE_wscope");
    let command = format!(
        "{server} serve {address} --json >log & server=$!; \
         until grep -q '\"conn\":3' log; do sleep 0.05; done; kill -9 $server; exit 7"
    );
    let flags = ["-c", "2", "-d", "1h", "--warmup", "0", "--spawn", &command];
    let (output, result) = bench(&url, &flags);
    output
        .code(8)
        .says(&["--spawn started ended meanwhile, with exit status: 7"]);
    assert_eq!(result["run"]["end_reason"], "all_lost");
}
