//! `bench --find-max`, `--rate-stages`, `--storm` and `--slow` through the program, against servers whose
//! limits are known. Counts are compared, never times.

mod harness;

use harness::program::{Output, wscope};
use harness::served::{Served, serve};
use serde_json::Value;

#[track_caller]
fn bench(server: &Served, args: &[&str]) -> (Output, Value) {
    let all = [&["bench", server.url(), "--report", "json=-"], args].concat();
    let output = wscope(&all).run();
    let result = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no result: {error}\n{output}"));
    (output, result)
}

#[track_caller]
fn count(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no count"))
}

#[test]
fn the_connections_that_a_server_takes_are_found() {
    let server = serve(&["--max-connections", "37", "--heartbeat=off"]);
    let home = tempfile::tempdir().unwrap();
    let [page, comment] = ["page.html", "comment.md"].map(|name| home.path().join(name));
    let [html, md] = [("html", &page), ("md", &comment)]
        .map(|(name, path)| format!("{name}={}", path.display()));
    let flags = [
        "--report",
        &html,
        "--report",
        &md,
        "--mode",
        "hold",
        "-c",
        "200",
        "-d",
        "200ms",
        "--warmup",
        "0",
        "--heartbeat",
        "50ms/10s",
        "--find-max",
        "connections:ping.p99<10s",
    ];
    let (output, result) = bench(&server, &flags);
    output.code(0).says(&[
        "connections: ping.p99",
        "Find max      37 connections hold ping.p99<10s: more do not",
    ]);
    for report in [page, comment] {
        let report = std::fs::read_to_string(report).unwrap();
        let found = "37 connections hold ping.p99";
        assert!(report.contains(found), "{report}");
        assert!(report.contains("reasons"), "{report}");
    }
    let found = &result["find_max"];
    assert_eq!(
        (&found["found"], &found["limited_by"]),
        (&37.into(), &"condition".into())
    );
    assert_eq!(found["what"], "connections");
    let steps = found["steps"].as_array().unwrap();
    assert_eq!(steps[0]["value"], 6);
    for step in steps {
        let held = count(&step["value"]) <= 37;
        assert_eq!(
            step["judged"],
            if held { "held" } else { "failed" },
            "{step}"
        );
        assert_eq!(count(&step["failed"]) > 0, !held, "{step}");
    }
    // Everything else is of the step that held.
    assert_eq!(result["workload"]["connections"], 37);
    assert_eq!(result["connections"]["opened"], 37);
}

#[test]
fn the_rate_that_a_server_bears_is_found() {
    // Each of the two connections is sent 6,500 bytes in a second, 50 frames of 130: 100 answers in all.
    let server = serve(&["--fault", "rate=6500"]);
    let flags = [
        "-c",
        "2",
        "--rate",
        "800",
        "-d",
        "1500ms",
        "--warmup",
        "0",
        "--payload-size",
        "128",
        "--grace",
        "0s",
        "--find-max",
        "rate:rtt.p99<400ms",
    ];
    let (output, result) = bench(&server, &flags);
    output.says(&["Find max"]);
    let search = &result["find_max"];
    for step in search["steps"].as_array().unwrap() {
        let is_too_much = count(&step["value"]) > 200;
        assert!(!is_too_much || step["judged"] != "held", "{search}");
    }
    // A machine that is busy with other tests may be found to be the limit, which is no false figure.
    if search["limited_by"] == "condition" {
        let found = count(&search["found"]);
        assert!((25..=200).contains(&found), "{search}");
        assert_eq!(result["workload"]["rate"], found as f64);
    } else {
        assert_eq!(search["limited_by"], "generator");
    }
}

#[test]
fn what_never_holds_and_what_always_holds_is_said() {
    let server = serve(&[]);
    let flags = ["-c", "3", "-d", "200ms", "--warmup", "0"];
    let all = [&flags[..], &["--find-max", "connections:rtt.p99<1h"]].concat();
    let (output, result) = bench(&server, &all);
    output.code(0).says(&["as many as were asked for"]);
    let found = &result["find_max"];
    assert_eq!(
        (&found["found"], &found["limited_by"]),
        (&3.into(), &"most".into())
    );
    let none = [&flags[..], &["--find-max", "connections:messages.rate<1"]].concat();
    let (output, result) = bench(&server, &none);
    output.code(4).says(&["no connections hold"]);
    assert_eq!(result["find_max"]["found"], Value::Null);
}

#[test]
fn a_generator_at_its_limit_is_not_taken_for_the_server() {
    let server = serve(&["--mode", "sink"]);
    let flags = [
        "--mode",
        "send",
        "-c",
        "2",
        "--rate",
        "40m",
        "-d",
        "500ms",
        "--warmup",
        "0",
        "--grace",
        "0s",
        "--strict",
        "--find-max",
        "rate:messages.unanswered==0",
    ];
    let (output, result) = bench(&server, &flags);
    assert_eq!(result["find_max"]["limited_by"], "generator", "{output}");
    let code = if result["find_max"]["found"].is_null() {
        4
    } else {
        10
    };
    output.code(code).says(&["this machine was the limit"]);
}

#[test]
fn a_rate_goes_through_its_stages() {
    let server = serve(&[]);
    let flags = [
        "-c",
        "4",
        "--rate-stages",
        "1s:400,500ms:400,500ms:0",
        "--threads",
        "2",
    ];
    let (output, result) = bench(&server, &flags);
    output.code(0);
    // 200, 200 and 100 are due, each thread's last one a moment too late, it may be.
    let sent = count(&result["messages"]["sent"]);
    assert!((496..=500).contains(&sent), "{sent}");
    assert_eq!(result["messages"]["matched"], sent);
    assert_eq!(result["workload"]["loop"], "open");
    assert_eq!(result["workload"]["rate_stages"][1]["rate"], 400.0);
    assert_eq!(result["workload"]["duration_s"], 2.0);
    // The first half of a ramp has a quarter of it, roughly: less is due there than later.
    let rows = result["series"]["rows"].as_array().unwrap();
    let place = result["series"]["columns"].as_array().unwrap();
    let place = place.iter().position(|name| name == "sent").unwrap();
    let first = rows[0][place].as_f64().unwrap();
    assert!(first < 300.0, "{first} in the first second");
}

#[test]
fn after_a_storm_all_are_back() {
    let server = serve(&["--heartbeat=off"]);
    let flags = [
        "-c",
        "20",
        "-d",
        "2900ms",
        "--storm",
        "1s",
        "--warmup",
        "0",
        "--threads",
        "2",
        "--threshold",
        "storm.recovery.p99<10s",
        "--threshold",
        "storms.recovered==2",
    ];
    let (output, result) = bench(&server, &flags);
    output
        .code(0)
        .says(&["Storms        2 every 1 s   recovered 2   connections dropped 40"]);
    let storms = &result["storms"];
    assert_eq!(
        (&storms["begun"], &storms["recovered"]),
        (&2.into(), &2.into())
    );
    let connections = &result["connections"];
    assert_eq!(
        (&connections["opened"], &connections["reconnected"]),
        (&60.into(), &40.into())
    );
    assert_eq!(
        (&connections["lost"], &connections["failed"]),
        (&0.into(), &0.into())
    );
    assert_eq!(result["latency"]["storm"]["recovery"]["count"], 2);
    assert_eq!(result["latency"]["storm"]["handshake"]["count"], 40);
    assert_eq!(result["messages"]["unanswered"], 0);
    let closes = result["closes"].as_array().unwrap();
    let dropped = closes
        .iter()
        .find(|close| close["detail"] == "storm")
        .unwrap();
    assert_eq!(
        (&dropped["count"], &dropped["by"]),
        (&40.into(), &"us".into())
    );
}

#[test]
fn slow_readers_are_left_out_and_the_others_are_not_held_up() {
    let server = serve(&["--mode", "broadcast", "--heartbeat=off"]);
    let flags = [
        "--mode",
        "fanout",
        "-c",
        "11",
        "--slow",
        "20%:2kB/s",
        "-n",
        "200",
        "--rate",
        "200",
        "--payload-size",
        "1000",
    ];
    let (output, result) = bench(&server, &flags);
    output
        .code(0)
        .says(&["Slow          2 connections read 2.0 kB/s each"]);
    let fanout = &result["fanout"];
    assert_eq!(
        (&fanout["expected"], &fanout["delivered"]),
        (&1800.into(), &1800.into())
    );
    let slow = &result["slow"];
    assert_eq!(slow["connections"], 2);
    // They were sent 400 kB within a second.
    let read = count(&slow["received_bytes"]);
    assert!(read > 0 && read < 20_000, "{read}");
}

#[test]
fn who_closes_slow_readers_is_seen() {
    let server = serve(&[
        "--mode",
        "broadcast",
        "--queue-bytes",
        "256k",
        "--overflow",
        "close",
        "--heartbeat=off",
    ]);
    // 13 MB in two seconds: more than the system keeps for anybody.
    let flags = [
        "--mode",
        "fanout",
        "-c",
        "5",
        "--slow",
        "25%:100B/s",
        "-n",
        "200",
        "--rate",
        "100",
        "--payload-size",
        "64k",
    ];
    let (output, result) = bench(&server, &flags);
    output.code(0);
    assert_eq!(result["slow"]["connections"], 1);
    assert_eq!(result["slow"]["lost"], 1, "{}", result["slow"]);
    assert_eq!(result["fanout"]["reach"], 1.0);
}

#[test]
fn what_cannot_be_disturbed_is_said() {
    let wrong = |flags: &[&str]| {
        let all = [&["bench", "ws://127.0.0.1:1/"], flags].concat();
        wscope(&all).run().code(2)
    };
    wrong(&["--storm", "10s"]).says(&["there is none within the 10.0s"]);
    wrong(&["--storm", "1s", "--mode", "churn"]).says(&["does not belong to --mode churn"]);
    wrong(&["--slow", "1%:1kB/s"]).says(&["that is none of 50 connections"]);
    wrong(&["--slow", "1%"]).says(&["try 5%:1kB/s"]);
    wrong(&["--rate-stages", "1s:1k", "--rate", "5"]).says(&["cannot be used with"]);
    wrong(&["--find-max", "rate:rtt.p99<1s"]).says(&["--rate says up to how many"]);
    wrong(&["--find-max", "conections:rtt.p99<1s"]).says(&["did you mean connections?"]);
    wrong(&["--find-max", "connections:delivery.p99<1s"]).says(&["only --mode fanout measures"]);
    wrong(&["--find-max", "connections:rtt.p99<1s", "-n", "5"]).says(&["cannot be used with"]);
    wrong(&["--threshold", "storm.recovery.max<1s"]).says(&["only --storm measures"]);
}
