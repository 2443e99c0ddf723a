//! What becomes of the result of `bench`: reports, the tools that read a result again, baselines.

mod harness;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use harness::junit;
use harness::program::{Output, shell, wscope};
use harness::raw::{QuietPort, RawServer};
use harness::running::Signal;
use harness::served::{Served, serve};
use serde_json::{Value, json};

/// A load whose counts are known.
const LOAD: [&str; 6] = ["-c", "4", "-n", "400", "--warmup", "0"];

#[track_caller]
fn bench(server: &Served, args: &[&str]) -> Output {
    let all = [&["bench", server.url()], &LOAD[..], args].concat();
    wscope(&all).run()
}

/// The result of a load, as text.
#[track_caller]
fn result(server: &Served) -> String {
    let output = bench(server, &["--report", "json=-"]).code(0);
    String::from_utf8(output.stdout).unwrap()
}

fn read(output: &Output, name: &str) -> String {
    fs::read_to_string(output.home.path().join(name)).unwrap()
}

#[test]
fn every_report_is_written_and_said() {
    let server = serve(&[]);
    let names = ["html", "json", "text", "csv", "hdr", "md", "junit"];
    let places = names.map(|name| format!("{name}=out.{name}"));
    let mut flags = vec!["--threshold", "messages.sent==400"];
    flags.extend(places.iter().flat_map(|place| ["--report", place]));
    let output = bench(&server, &flags).code(0).stderr("");
    let summary = String::from_utf8_lossy(&output.stdout).into_owned();
    for name in names {
        assert!(
            summary.contains(&format!("Saved        out.{name}\n")),
            "{summary}"
        );
        assert!(!read(&output, &format!("out.{name}")).is_empty(), "{name}");
    }
    let result: Value = serde_json::from_str(&read(&output, "out.json")).unwrap();
    assert_eq!(result["messages"]["matched"], 400);
    // A row of the series for each second, with a histogram.
    let rows = result["series"]["rows"].as_array().unwrap();
    let histograms = &result["series"]["histograms"][0];
    assert_eq!(histograms["metric"], "rtt");
    assert_eq!(histograms["data"].as_array().unwrap().len(), rows.len());
    let csv = read(&output, "out.csv");
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), rows.len() + 1, "{csv}");
    assert!(lines[0].starts_with("t,open,"), "{csv}");
    let intervals = read(&output, "out.hdr");
    let intervals = intervals
        .lines()
        .filter(|line| line.starts_with("Tag=rtt,"));
    assert_eq!(intervals.count(), rows.len());
    assert!(read(&output, "out.md").starts_with("### wscope bench: PASS"));
    assert!(read(&output, "out.text").starts_with("wscope bench "));
    assert!(read(&output, "out.html").starts_with("<!DOCTYPE html>"));
    let xml = read(&output, "out.junit");
    assert!(
        xml.contains("tests=\"2\" failures=\"0\" errors=\"0\""),
        "{xml}"
    );
    junit::is_valid(&output, "out.junit");
}

#[test]
fn a_threshold_that_fails_is_a_case_that_fails() {
    let server = serve(&[]);
    let flags = [
        "--threshold",
        "messages.sent>1k",
        "--report",
        "junit=out.junit",
    ];
    let output = bench(&server, &flags).code(4);
    let xml = read(&output, "out.junit");
    assert!(
        xml.contains(
            "<failure message=\"messages.sent should be &gt; 1k, and is 400\" type=\"exit 4\">"
        ),
        "{xml}"
    );
    junit::is_valid(&output, "out.junit");
}

#[test]
fn a_report_on_stdout_has_it_for_itself() {
    let server = serve(&[]);
    let flags = ["--report", "csv=-", "--report", "json=r.json"];
    let output = bench(&server, &flags)
        .code(0)
        .says(&["PASS", "Saved        r.json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("t,open,") && !text.contains("Saved"),
        "{text}"
    );
    bench(&server, &["--report", "csv=-", "--report", "md=-"])
        .code(2)
        .says(&["another report goes there too"]);
}

#[test]
fn what_cannot_be_written_is_known_before_the_load() {
    let port = QuietPort::reserve();
    let url = port.url();
    let wrong = |args: &[&str]| wscope(&[&["bench", &url], args].concat()).run().code(2);
    for (report, says) in [
        ("json=nowhere/r.json", "no such file"),
        ("jsn=r", "did you mean json?"),
        ("json=", "needs a file"),
        ("prom=host:1", "takes :PORT"),
    ] {
        wrong(&["--report", report]).says(&[says]);
    }
    wrong(&["--baseline", "nothing"]).says(&["no baseline of that name"]);
    for name in ["../x", "a/b", ".x", ""] {
        wrong(&["--save-baseline", name]);
    }
}

#[test]
fn a_result_is_shown_again() {
    let server = serve(&[]);
    let first = bench(&server, &["--report", "json=r.json"]).code(0);
    let json = read(&first, "r.json");
    let summary = String::from_utf8_lossy(&first.stdout);
    let summary = summary.strip_suffix("Saved        r.json\n").unwrap();
    let again = |args: &[&str]| {
        let all = [&["bench", "report"], args].concat();
        wscope(&all)
            .file("r.json", &json)
            .stdin(json.as_bytes())
            .run()
            .code(0)
            .stderr("")
    };
    again(&["r.json"]).stdout(summary);
    again(&["-"]).stdout(summary);
    again(&["r.json", "--report", "json=-"]).stdout(&json);
    let written = again(&["r.json", "--report", "html=a.html", "--report", "csv=a.csv"]);
    assert_eq!(written.stdout, b"Saved        a.html\nSaved        a.csv\n");
}

/// A limit on the size of files stands for a disk that is full.
#[cfg(unix)]
#[test]
fn a_report_that_cannot_be_written_leaves_what_was_there() {
    let server = serve(&[]);
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$WSCOPE\" bench report a.json --report json=old.json --report text=-";
    let output = shell(script)
        .file("a.json", result(&server))
        .file("old.json", "as it was")
        .run()
        .code(1);
    assert_eq!(read(&output, "old.json"), "as it was");
    let entries = fs::read_dir(output.home.path()).unwrap().flatten();
    let hidden = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".old"));
    assert_eq!(hidden.count(), 0);
}

/// What was asked is printed as it was asked, and the value so that the verdict can be seen.
#[test]
fn thresholds_are_printed_as_they_were_asked() {
    let server = serve(&[]);
    let flags = [
        "--threshold",
        "errors.rate<0.0001%",
        "--threshold",
        "rtt.p99.9 < 1h",
        "--report",
        "json=-",
    ];
    let output = bench(&server, &flags).code(0);
    output.says(&[
        "< 0.0001%",
        "< 1h",
        "rtt.p99.9<1h was judged by 400 samples: such a percentile takes 1,000",
    ]);
}

/// The first message that comes is the answer to the first that was sent: it is waited for from then on,
/// and not from when the connection was opened, long before the load began.
#[test]
fn the_first_message_is_waited_for_since_ours() {
    let server = serve(&[]);
    let flags = [
        "-c",
        "4",
        "-n",
        "40",
        "--warmup",
        "0",
        "--connect-rate",
        "20",
        "--report",
        "json=-",
    ];
    let output = wscope(&[&["bench", server.url()], &flags[..]].concat()).run();
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str, figure: &str| result["latency"][name][figure].as_u64().unwrap();
    assert!(
        of("first_message", "max") <= of("service", "max"),
        "{result}"
    );
    // The only row of the series is of what was open.
    let series = &result["series"];
    let columns = series["columns"].as_array().unwrap();
    let open = columns.iter().position(|name| name == "open").unwrap();
    assert_eq!(series["rows"][0][open], 4.0);
}

/// A socket of this machine is no other machine, and rows for what there is not are left out.
#[cfg(unix)]
#[test]
fn a_unix_socket_is_this_machine() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("s").display().to_string();
    let server = wscope(&["serve", &format!("unix:{socket}")]).spawn();
    server.stdout.line("listening on");
    let url = format!("ws+unix:{socket}:/");
    let flags = [
        "--mode", "listen", "-c", "2", "-d", "300ms", "--warmup", "0",
    ];
    let output = wscope(&[&["bench", &url], &flags[..]].concat())
        .run()
        .code(0);
    let output = output.prints(&[
        "the target is this machine",
        "nothing was received while it was measured",
    ]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(!told.contains("\n  rtt "), "{told}");
}

#[test]
fn what_is_no_result_is_said() {
    let report = |text: &str| {
        wscope(&["bench", "report", "r.json"])
            .file("r.json", text)
            .run()
            .code(2)
            .stdout("")
    };
    report("hello").says(&["r.json is not JSON", "line 1 column 1"]);
    report("[]").says(&["r.json is not a result of bench"]);
    report(r#"{"schema": "bench-result.v2"}"#).says(&["newer version"]);
    report(r#"{"schema": "bench-result.v1"}"#).says(&["missing field"]);
    wscope(&["bench", "report", "none.json"])
        .run()
        .code(2)
        .says(&["there is no file none.json"]);
    wscope(&["bench", "report"]).run().code(2).says(&["RESULT"]);
    wscope(&["bench", "report", "r.json", "--report", "prom=:0"])
        .run()
        .code(2)
        .says(&["there is no report \"prom\""]);
}

#[test]
fn a_host_with_the_name_of_a_tool_is_a_url() {
    for name in ["report", "compare"] {
        let output = wscope(&["bench", &format!("ws://{name}"), "--dry-run"])
            .run()
            .code(0);
        output.prints(&[&format!("target       ws://{name}/")]);
    }
    let help = wscope(&["bench", "--help"]).run().code(0);
    help.prints(&["report ", "compare ", "ws://NAME"]);
    wscope(&["bench", "report", "--help"])
        .run()
        .code(0)
        .prints(&["wscope bench report", "html=FILE"]);
}

/// A result with other figures.
fn changed(json: &str, change: impl Fn(&mut Value)) -> String {
    let mut result: Value = serde_json::from_str(json).unwrap();
    result["verdict"]["valid"] = true.into();
    result["verdict"]["invalid_reasons"] = json!([]);
    change(&mut result);
    result.to_string()
}

#[track_caller]
fn compare(one: &str, other: &str, args: &[&str]) -> Output {
    let all = [&["bench", "compare", "a.json", "b.json"], args].concat();
    wscope(&all).file("a.json", one).file("b.json", other).run()
}

#[test]
fn runs_are_compared_and_the_exit_code_says_which_is_worse() {
    let server = serve(&[]);
    let json = result(&server);
    let same = changed(&json, |_| {});
    let slower = changed(&json, |run| {
        let rate = &mut run["messages"]["received_rate"];
        *rate = (rate.as_f64().unwrap() * 0.8).into();
    });
    compare(&same, &same, &[])
        .code(0)
        .prints(&["SAME", "rtt.p99", "messages.received_rate"]);
    compare(&same, &slower, &[])
        .code(4)
        .prints(&["WORSE   1 of ", "-20.0%"]);
    compare(&slower, &same, &[]).code(0).prints(&["BETTER"]);
    compare(&same, &slower, &["--noise", "30%"])
        .code(0)
        .prints(&["SAME"]);
    let written = compare(
        &same,
        &slower,
        &["--report", "html=c.html", "--report", "json=-"],
    )
    .code(4);
    let told: Value = serde_json::from_slice(&written.stdout).unwrap();
    assert_eq!(
        (&told["worse"], &told["figures_worse"]),
        (&true.into(), &1.into())
    );
    assert!(read(&written, "c.html").contains("class=\"line b\""));
    // What is written elsewhere too is said to people.
    written.says(&["WORSE   1 of ", "-20.0%"]);
    compare(&same, &slower, &["--report", "md=c.md"])
        .code(4)
        .prints(&["WORSE   1 of ", "-20.0%", "c.md"]);
    // Three runs of each side.
    let all = [
        "bench",
        "compare",
        "a.json,a.json,a.json",
        "b.json,b.json,b.json",
    ];
    wscope(&all)
        .file("a.json", &same)
        .file("b.json", &slower)
        .run()
        .code(4)
        .prints(&["1%"]);
}

#[test]
fn runs_that_cannot_be_compared_are_refused_with_every_reason() {
    let server = serve(&[]);
    let json = result(&server);
    let one = changed(&json, |_| {});
    let other = changed(&json, |run| {
        run["workload"]["mode"] = "send".into();
        run["workload"]["connections"] = 5.into();
        run["workload"]["tls"] = true.into();
        run["verdict"]["valid"] = false.into();
        run["verdict"]["invalid_reasons"] = json!([{"code": "cpu", "text": "it was busy"}]);
    });
    compare(&one, &other, &[]).code(2).stdout("").says(&[
        "mode: echo in a.json, send in b.json",
        "connections: 4 in a.json, 5 in b.json",
        "tls: false in a.json, true in b.json",
        "b.json is suspect: it was busy",
    ]);
}

/// `bench` with a home that stays.
#[track_caller]
fn bench_at(state: &Path, server: &Served, args: &[&str]) -> Output {
    let all = [&["bench", server.url()], &LOAD[..], args].concat();
    wscope(&all)
        .env("XDG_STATE_HOME", state.to_str().unwrap())
        .run()
}

#[test]
fn a_baseline_is_saved_and_compared_with() {
    let server = serve(&[]);
    let home = tempfile::tempdir().unwrap();
    let state = home.path();
    bench_at(state, &server, &["--save-baseline", "main"])
        .code(0)
        .prints(&["Saved        baseline main ("]);
    let path = state.join("wscope/baselines/main.json");
    let saved = fs::read_to_string(&path).unwrap();
    // Whether this machine is as fast as it was is not the question here.
    let with = |file: &str, args: &[&str]| {
        fs::write(&path, file).unwrap();
        let report = ["--baseline", "main", "--report", "json=-"];
        let output = bench_at(state, &server, &[&report, args].concat());
        let result: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output, result)
    };
    let far_worse = changed(&saved, |run| {
        for name in ["sent_rate", "received_rate"] {
            run["messages"][name] = 1.into();
        }
        for name in ["rtt", "service", "first_message", "ping", "handshake"] {
            run["latency"][name]["count"] = 0.into();
            run["latency"][name]["hdr"]["data"] = "".into();
        }
    });
    let (output, result) = with(&far_worse, &[]);
    output
        .code(0)
        .says(&["Baseline     main", "not worse than the baseline", "better"]);
    assert_eq!(result["baseline"]["worse"], false);
    assert_eq!(result["baseline"]["name"], "main");
    let far_better = changed(&far_worse, |run| run["messages"]["sent_rate"] = 1e9.into());
    let (output, result) = with(&far_better, &["--save-baseline", "next"]);
    output.code(4).says(&[
        "FAIL",
        "worse than the baseline",
        "the baseline next was not saved",
    ]);
    assert_eq!(
        (&result["baseline"]["worse"], &result["verdict"]["passed"]),
        (&true.into(), &false.into())
    );
    assert_eq!(result["run"]["exit_code"], 4);
    assert!(!state.join("wscope/baselines/next.json").exists());
    // What differs in kind is known before the load.
    let other = changed(&saved, |run| run["workload"]["connections"] = 9.into());
    let (output, _) = with(&other, &["-d", "1h"]);
    output
        .code(2)
        .says(&["connections: 9 in main, 4 in this run"]);
    // The tools know baselines too.
    let missing = bench_at(state, &server, &["--baseline", "mian"]).code(2);
    missing.says(&["did you mean main?"]);
}

#[test]
fn a_server_that_became_slower_is_found() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().to_str().unwrap();
    let load = |server: &Served, with: [&str; 2]| {
        let flags = [
            "bench",
            server.url(),
            "-c",
            "20",
            "-n",
            "400",
            "--warmup",
            "0",
        ];
        wscope(&[&flags[..], &with].concat())
            .env("XDG_STATE_HOME", state)
            .run()
    };
    load(&serve(&[]), ["--save-baseline", "main"]).code(0);
    // Far more than a busy machine makes of an answer that takes no time.
    let slow = serve(&["--fault", "delay=200ms"]);
    let output = load(&slow, ["--baseline", "main"]).code(4);
    let summary = String::from_utf8(output.stdout).unwrap();
    let worse = |metric: &str| {
        let mut lines = summary.lines();
        lines.any(|line| line.trim_start().starts_with(metric) && line.ends_with("WORSE"))
    };
    assert!(
        worse("rtt.p50 ") && worse("messages.received_rate "),
        "{summary}"
    );
}

#[test]
fn a_run_that_was_to_be_compared_and_is_suspect_is_no_success() {
    let server = serve(&[]);
    let home = tempfile::tempdir().unwrap();
    bench_at(home.path(), &server, &["--save-baseline", "main"]).code(0);
    let closing = RawServer::each(5, |number, peer| {
        peer.read_head();
        peer.accept();
        if number == 1 {
            let first = peer.frame().expect("the message of the probe");
            peer.send_text(&first.text());
        }
        peer.send_close(1011, "no");
        peer.drain();
    });
    let url = closing.url();
    let flags = [&["bench", &url], &LOAD[..], &["--baseline", "main"]].concat();
    let state = home.path().to_str().unwrap().to_owned();
    let output = wscope(&flags).env("XDG_STATE_HOME", &state).run();
    output.code(10).says(&["not compared with main: this run"]);
}

/// What a server answers to one plain request.
fn http(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn prometheus_reads_a_load_while_it_runs() {
    let server = serve(&[]);
    let flags = [
        "bench",
        server.url(),
        "-c",
        "3",
        "-d",
        "1h",
        "--report",
        "prom=:0",
        "--live",
        "plain",
    ];
    let running = wscope(&flags).spawn();
    let said = running.stderr.line("metrics are on http://");
    let address = said
        .split("http://")
        .nth(1)
        .unwrap()
        .trim_end_matches("/metrics")
        .to_owned();
    running.stderr.line(" run ");
    let page = http(&address, "GET /metrics");
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains("text/plain; version=0.0.4"),
        "{page}"
    );
    for line in [
        "wscope_bench_connections 3",
        "wscope_bench_connections_total{result=\"opened\"} 3",
        "wscope_bench_phase{phase=\"measure\"} 1",
        "# TYPE wscope_bench_latency_seconds histogram",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    assert!(http(&address, "POST /metrics").starts_with("HTTP/1.1 405"));
    assert!(http(&address, "GET /").starts_with("HTTP/1.1 404"));
    running.signal(Signal::Interrupt);
    running.wait().code(130);
    assert!(TcpStream::connect(&address).is_err());
}
