//! One load from many processes through the program: parts that make the whole, one start for all, and
//! one result. Counts are compared, never times.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use harness::program::{Output, wscope};
use harness::running::Signal;
use harness::served::{Served, serve};
use serde_json::Value;

/// Runs `bench URL --shard SHARD ARGS... --report json=-`; what it ended with, and its result.
#[track_caller]
fn shard(url: &str, shard: &str, args: &[&str]) -> (Output, Value) {
    let mut all = vec!["bench", url, "--report", "json=-", "--shard", shard];
    all.extend_from_slice(args);
    let output = wscope(&all).run();
    let result = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no result: {error}\n{output}"));
    (output, result)
}

/// How often the server got each text that begins with `load `.
fn texts(server: Served) -> BTreeMap<String, usize> {
    let output = server.stop(Signal::Terminate).code(0);
    let mut texts = BTreeMap::new();
    for event in output.events_of("message") {
        let text = event["data"].as_str().unwrap_or_default();
        if event["dir"] == "in" && text.starts_with("load ") {
            *texts.entry(text.to_owned()).or_default() += 1;
        }
    }
    texts
}

#[test]
fn shards_take_their_parts_and_no_number_twice() {
    let server = serve(&["-v"]);
    let load = [
        "-c",
        "7",
        "-n",
        "14",
        "--threads",
        "2",
        "-x",
        "load {{conn}} {{user}}",
        "--feed",
        "users.csv",
    ];
    let url = server.url().to_owned();
    let feed: String = std::iter::once("user\n".to_owned())
        .chain((1..=7).map(|number| format!("u{number}\n")))
        .collect();
    let results: Vec<Value> = ["1/3", "2/3", "3/3"]
        .iter()
        .map(|name| {
            let mut all = vec!["bench", &url, "--report", "json=-", "--shard", name];
            all.extend_from_slice(&load);
            let output = wscope(&all).file("users.csv", &feed).run().code(0);
            let result = serde_json::from_slice(&output.stdout).unwrap();
            output.says(&[&format!("shard {name}")]);
            result
        })
        .collect();
    let of = |pointer: &str| -> Vec<Value> {
        let values = results.iter().map(|result| result.pointer(pointer));
        values
            .map(|value| value.cloned().unwrap_or_default())
            .collect()
    };
    assert_eq!(of("/shard/index"), [0, 1, 2]);
    assert_eq!(of("/shard/count"), [3, 3, 3]);
    assert_eq!(of("/connections/target"), [3, 2, 2]);
    assert_eq!(of("/messages/sent"), [5, 5, 4]);
    // All of them say what the whole load is.
    assert_eq!(of("/workload/connections"), [7, 7, 7]);
    assert_eq!(of("/workload/messages"), [14, 14, 14]);
    assert_eq!(of("/run/seed"), ["0", "0", "0"]);
    let hashes = of("/workload/hash");
    assert!(
        hashes[0].as_str().unwrap().starts_with("sha256:"),
        "{hashes:?}"
    );
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
    // Each connection said who it is, with its own row; that of each probe comes once more.
    let texts = texts(server);
    let said: Vec<&String> = texts.keys().collect();
    let wanted: Vec<String> = (1..=7).map(|one| format!("load {one} u{one}")).collect();
    assert_eq!(said, wanted.iter().collect::<Vec<_>>());
    let probes: Vec<&String> = wanted.iter().filter(|text| texts[*text] == 2).collect();
    assert_eq!(probes, ["load 1 u1", "load 4 u4", "load 6 u6"]);
}

#[test]
fn users_of_a_script_have_numbers_of_their_own_too() {
    let server = serve(&["-v"]);
    for name in ["1/2", "2/2"] {
        let all = [
            "bench",
            server.url(),
            "--shard",
            name,
            "-c",
            "4",
            "-n",
            "4",
            "--script",
            "a.wst",
        ];
        let script = "> load {{conn}}\n< load {{conn}}\n";
        wscope(&all).file("a.wst", script).run().code(0);
    }
    let texts = texts(server);
    let users: Vec<&String> = texts.keys().collect();
    assert_eq!(users, ["load 1", "load 2", "load 3", "load 4"]);
}

#[test]
fn the_scheduler_says_which_shard_it_is() {
    let server = serve(&[]);
    let flags = [
        "bench",
        server.url(),
        "-c",
        "4",
        "-n",
        "8",
        "--shard",
        "auto",
    ];
    wscope(&flags)
        .env("JOB_COMPLETION_INDEX", "1")
        .env("WSCOPE_SHARDS", "2")
        .env("CI_NODE_INDEX", "1")
        .run()
        .code(0)
        .says(&[
            "note: shard 2/2 (a Kubernetes Indexed Job: JOB_COMPLETION_INDEX=1, WSCOPE_SHARDS=2)",
        ])
        .prints(&["shard 2/2", "held 2 of 2"]);
    wscope(&flags)
        .run()
        .code(2)
        .stdout("")
        .says(&["none of JOB_COMPLETION_INDEX", "--shard 1/4 says it itself"]);
    wscope(&flags)
        .env("JOB_COMPLETION_INDEX", "1")
        .run()
        .code(2)
        .says(&["set WSCOPE_SHARDS, or write --shard auto/N"]);
}

#[test]
fn what_cannot_be_divided_is_said() {
    let wrong = |args: &[&str]| {
        let mut all = vec!["bench", "ws://127.0.0.1:1/", "--shard", "2/3"];
        all.extend_from_slice(args);
        wscope(&all).run().code(2).stdout("")
    };
    wrong(&["-c", "2"]).says(&["--shard 2/3: 2 connections cannot be divided among 3 shards"]);
    wrong(&["-n", "2"]).says(&["2 messages cannot be divided among 3 shards"]);
    wrong(&["--stages", "1s:2"]).says(&["2 connections cannot be divided"]);
    wrong(&["--mode", "fanout"]).says(&["--mode fanout cannot be divided into shards"]);
    wrong(&["--storm", "2s"]).says(&["--storm cannot be divided into shards"]);
    wrong(&["--slow", "10%:1k/s"]).says(&["--slow cannot be divided into shards"]);
    wrong(&["--find-max", "connections:ping.p99<100ms"])
        .says(&["--find-max cannot be divided into shards"]);
    wrong(&["--threshold", "messages.sent>1!"])
        .says(&["a shard has only its part", "without the !"]);
    wscope(&["bench", "ws://127.0.0.1:1/", "--shard", "4/3"])
        .run()
        .code(2)
        .says(&["there is no shard 4: 3 of them are numbered from 1 to 3"]);
}

#[test]
fn thresholds_are_left_to_the_merge() {
    let server = serve(&[]);
    let flags = [
        "-c",
        "4",
        "-n",
        "8",
        "--threshold",
        "messages.sent==8",
        "--threshold",
        "rtt.p99<1h!",
    ];
    let (output, result) = shard(server.url(), "1/2", &flags);
    output.code(0).says(&[
        "1 of 1 thresholds passed, 1 left to the merge",
        "left  messages.sent",
    ]);
    assert_eq!(result["thresholds"][0]["left_to_merge"], true);
    assert_eq!(result["thresholds"][1]["left_to_merge"], false);
    assert_eq!(result["verdict"]["passed"], true);
}

#[test]
fn the_load_begins_when_it_should() {
    let server = serve(&[]);
    let flags = ["-c", "2", "-n", "4", "--start-at", "+3s"];
    let (output, result) = shard(server.url(), "1/2", &flags);
    output
        .code(0)
        .says(&["note: the load begins at 20", "after --start-at"]);
    let lag = result["shard"]["start_lag_us"].as_i64();
    assert!(lag >= Some(0), "{result}");
    wscope(&["bench", server.url(), "--start-at", "2020-01-01T00:00:00Z"])
        .run()
        .code(2)
        .says(&["--start-at: 2020-01-01T00:00:00", " ago"]);
    wscope(&["bench", server.url(), "--start-at", "noon"])
        .run()
        .code(2)
        .says(&["\"noon\" is not a time"]);
    let running = wscope(&["bench", server.url(), "--start-at", "+1h"]).spawn();
    running.stderr.line("note: the load begins at");
    running.signal(Signal::Interrupt);
    running.wait().code(130).stdout("");
}

/// Runs the shards of a load together; the files that they leave below `home`, and their results.
#[track_caller]
fn shards(home: &Path, url: &str, count: usize, args: &[&str]) -> (Vec<String>, Vec<Value>) {
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(2);
    let start = format!("{:.3}", start.as_secs_f64());
    let paths: Vec<String> = (1..=count)
        .map(|number| home.join(format!("{number}.json")).display().to_string())
        .collect();
    let running: Vec<_> = paths
        .iter()
        .enumerate()
        .map(|(at, path)| {
            let (name, report) = (format!("{}/{count}", at + 1), format!("json={path}"));
            let mut all = vec!["bench", url, "--shard", &name, "--start-at", &start];
            all.extend_from_slice(&["--report", &report]);
            all.extend_from_slice(args);
            wscope(&all).spawn()
        })
        .collect();
    for one in running {
        one.wait().code(0);
    }
    let results = paths.iter().map(|path| read(path)).collect();
    (paths, results)
}

#[track_caller]
fn read(path: &str) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn three_shards_and_a_merge_are_one_result() {
    let server = serve(&[]);
    let home = tempfile::tempdir().unwrap();
    let load = [
        "-c",
        "7",
        "-n",
        "1000",
        "--threads",
        "1",
        "--threshold",
        "messages.sent==1000",
        "--threshold",
        "connections.open==7",
    ];
    let (paths, results) = shards(home.path(), server.url(), 3, &load);
    let merge = |paths: &[&str], more: &[&str]| {
        let mut all = vec!["bench", "merge", "--report", "json=-"];
        all.extend_from_slice(paths);
        all.extend_from_slice(more);
        wscope(&all).run()
    };
    let [a, b, c] = [&paths[0], &paths[1], &paths[2]].map(String::as_str);
    let output = merge(&[a, b, c], &["--threshold", "rtt.count==1k"]).code(0);
    let whole: Value = serde_json::from_slice(&output.stdout).unwrap();
    output.says(&[
        "3 shards",
        "held 7 of 7",
        "3 of 3 thresholds passed, result",
        "\nShards   ",
    ]);
    let schema = include_str!("../docs/bench-result.v1.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let wrong: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&whole)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (pointer, wanted) in [
        ("/connections/target", 7),
        ("/connections/opened", 7),
        ("/connections/peak", 7),
        ("/messages/sent", 1000),
        ("/messages/matched", 1000),
        ("/latency/rtt/count", 1000),
        ("/latency/handshake/count", 7),
        ("/frames/sent/text", 1000),
        ("/bytes/sent_payload", 128_000),
        ("/closes/0/count", 7),
        ("/shard/count", 3),
    ] {
        assert_eq!(whole.pointer(pointer), Some(&wanted.into()), "{pointer}");
    }
    let maxima = results
        .iter()
        .map(|result| result["latency"]["rtt"]["max"].as_u64());
    assert_eq!(
        whole["latency"]["rtt"]["max"].as_u64(),
        maxima.max().unwrap()
    );
    let entries = whole["shards"].as_array().unwrap().iter();
    let sent: Vec<&Value> = entries.map(|shard| &shard["sent"]).collect();
    assert_eq!(sent, [334, 333, 333]);

    // Merged in another way it is the same to a byte.
    let two = home.path().join("two.json").display().to_string();
    let first = merge(&[c, a], &["--partial"]).code(4);
    fs::write(&two, &first.stdout).unwrap();
    let partial = read(&two);
    assert_eq!(partial["verdict"]["partial"], true);
    let [page, comment] = ["page.html", "comment.md"].map(|name| home.path().join(name));
    let [html, md] = [("html", &page), ("md", &comment)]
        .map(|(name, path)| format!("{name}={}", path.display()));
    let at_once = merge(&[a, b, c], &["--report", &html, "--report", &md]).code(0);
    // Every report has the table of the shards.
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<h2>Shards</h2>"), "{page}");
    let comment = fs::read_to_string(comment).unwrap();
    let (_, table) = comment.split_once("| shard | host | held |").unwrap();
    for shard in ["\n| 1 | ", "\n| 2 | ", "\n| 3 | "] {
        assert!(table.contains(shard), "{comment}");
    }
    let nested = merge(&[&two, b], &[]).code(0);
    assert_eq!(
        String::from_utf8_lossy(&nested.stdout),
        String::from_utf8_lossy(&at_once.stdout)
    );

    // What does not belong together is refused with every reason.
    merge(&[a, b], &[])
        .code(2)
        .stdout("")
        .says(&["1 of 3 shards are missing: 3 (--partial"]);
    merge(&[a, b, c, b], &[])
        .code(2)
        .says(&["have the same run"]);
    merge(&[a, b, c], &["--threshold", "messages.sent>1k"])
        .code(4)
        .says(&["FAIL"]);
    merge(&[a, b, c], &["--threshold", "checks.rate>1%"])
        .code(2)
        .says(&["only a --script has"]);
    let other = home.path().join("other.json").display().to_string();
    let report = format!("json={other}");
    let flags = ["-c", "9", "-n", "9", "--report", &report];
    let (_, _) = shard(server.url(), "3/3", &flags);
    merge(&[a, b, &other], &[]).code(2).says(&[
        "are of different loads: connections 7 and 9, messages 1000 and 9",
        "have different thresholds",
    ]);
    merge(&["missing.json"], &[])
        .code(2)
        .says(&["missing.json"]);
    wscope(&["bench", "merge"]).run().code(2);
}

#[test]
fn rates_over_time_are_divided_too() {
    let server = serve(&[]);
    let home = tempfile::tempdir().unwrap();
    let load = ["-c", "4", "--threads", "2", "--rate-stages", "1s:200,1s:0"];
    let (_, results) = shards(home.path(), server.url(), 2, &load);
    for result in &results {
        // 200 messages are due in all; the four schedules may be one apart.
        let due = &result["messages"];
        let due = due["sent"].as_u64().unwrap() + due["dropped"].as_u64().unwrap();
        assert!(due.abs_diff(100) <= 2, "{due}");
        assert_eq!(result["workload"]["rate"], 200.0);
    }
    assert_eq!(
        results[0]["workload"]["hash"],
        results[1]["workload"]["hash"]
    );
}

#[test]
fn a_shard_is_no_baseline() {
    let flags = ["--shard", "1/2", "--save-baseline", "main"];
    let mut all = vec!["bench", "ws://127.0.0.1:1/"];
    all.extend_from_slice(&flags);
    wscope(&all)
        .run()
        .code(2)
        .says(&["a shard is only a part", "bench merge makes the whole"]);
}
