//! `bench --script` through the program: transcripts as virtual users, their steps and checks.
//! Counts are compared, never times.

mod harness;

use harness::program::{Output, Wscope, wscope};
use harness::raw::{QuietPort, RawServer};
use harness::running::Signal;
use harness::served::serve;
use serde_json::Value;

/// Two peers, a check for each, and a step that is played three times.
const CHAT: &str = "\
alice: connect {{url}}
bob: connect {{url}}/
alice> hello {{conn}}
alice< hello {{conn}}
repeat 3
  bob> {\"n\":{{seq}}}
  bob< /json {\"n\":\"{{*}}\"}
end
alice> /close 1000
alice< /close
";

/// What the echo of each user's word is compared with is the same for all.
const WORD: &str = "\
connect {{url}}
> {{word}}
< good
";

fn script(url: &str, text: &str, args: &[&str]) -> Wscope {
    let mut all = vec!["bench", url, "--script", "a.wst", "--report", "json=-"];
    all.extend_from_slice(args);
    wscope(&all).file("a.wst", text)
}

#[track_caller]
fn result(output: Output) -> (Output, Value) {
    let result = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no result: {error}\n{output}"));
    (output, result)
}

#[test]
fn each_user_plays_all_peers_and_every_step_is_counted() {
    let server = serve(&[]);
    let thresholds = [
        "--threshold",
        "step.4.p99<1h",
        "--threshold",
        "checks.rate>=100%",
        "--threshold",
        "iterations.passed==12",
    ];
    let flags = [&["-c", "3", "-n", "12"], &thresholds[..]].concat();
    let (output, result) = result(script(server.url(), CHAT, &flags).run());
    output.code(0).says(&[
        "3 of 3 thresholds passed",
        "alice< hello {{conn}}",
        "(script)",
    ]);
    let schema = include_str!("../docs/bench-result.v1.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(&result)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let played = &result["iterations"];
    assert_eq!(
        (&played["started"], &played["passed"]),
        (&12.into(), &12.into())
    );
    assert_eq!(
        (&played["failed"], &played["unfinished"]),
        (&0.into(), &0.into())
    );
    assert_eq!(result["connections"]["attempted"], 24);
    assert_eq!(result["connections"]["opened"], 24);
    assert_eq!(result["messages"]["sent"], 12 * 4);
    assert_eq!(result["messages"]["received"], 12 * 4);
    assert_eq!(result["latency"]["session"]["count"], 12);
    assert_eq!(result["latency"]["step"]["4"]["count"], 12);
    assert_eq!(result["latency"]["step"]["7"]["count"], 36);
    assert_eq!(result["latency"]["handshake"]["count"], 24);
    let check = |line: &str| {
        let checks = result["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["name"] == line).unwrap();
        (found["passed"].clone(), found["failed"].clone())
    };
    assert_eq!(check("4"), (12.into(), 0.into()));
    assert_eq!(check("7"), (36.into(), 0.into()));
    assert_eq!(check("10"), (12.into(), 0.into()));
    assert_eq!(result["checks"].as_array().unwrap().len(), 3);
    assert_eq!(result["closes"][0]["code"], 1000);
    assert_eq!(result["closes"][0]["count"], 24);
    assert_eq!(result["workload"]["path"], "script");
    assert_eq!(result["run"]["end_reason"], "messages");
}

#[test]
fn a_check_that_does_not_hold_is_an_error_of_its_own() {
    let server = serve(&[]);
    // The first user is well; a thread for each, so that both play as often.
    let flags = [
        "--feed",
        "words.csv",
        "-c",
        "2",
        "--threads",
        "2",
        "-n",
        "10",
        "--threshold",
        "checks.rate>=50%",
        "--threshold",
        "iterations.failed==0",
    ];
    let run = script(server.url(), WORD, &flags).file("words.csv", "word\ngood\nbad\n");
    let (output, result) = result(run.run());
    output.code(4).says(&[
        "FAIL",
        "1 of 2 thresholds passed",
        "5 of 10 held (50.00%)",
        "FAIL  step 3      5 of 10 held   < good",
        "script/differs",
        "line 3: ",
        "\"bad\"",
    ]);
    assert_eq!(result["iterations"]["passed"], 5);
    assert_eq!(result["iterations"]["failed"], 5);
    let error = &result["errors"][0];
    assert_eq!(
        (&error["phase"], &error["kind"]),
        (&"script".into(), &"differs".into())
    );
    assert_eq!(
        (&error["count"], &error["connection"]),
        (&5.into(), &2.into())
    );
    assert_eq!(result["thresholds"][0]["value"], 0.5);
    assert_eq!(result["connections"]["failed"], 0);
    assert_eq!(result["connections"]["lost"], 0);
}

#[test]
fn a_script_that_fails_for_one_is_not_played_by_many() {
    let server = serve(&[]);
    let output = script(server.url(), "> hi\n< ho\n", &["-c", "1k"]).run();
    output.code(4).stdout("").says(&[
        "the first user did not come to the end of the script:",
        "a.wst:2:3",
        "expected \"ho\", got \"hi\"",
    ]);
    let port = QuietPort::reserve();
    let output = script(&port.url(), CHAT, &["-c", "1k"]).run();
    output.code(3).stdout("").says(&["connection refused"]);
    let output = script("ws://127.0.0.1:1/", "> hi\n< /jsn {}\n", &[]).run();
    output.code(2).stdout("").says(&["a.wst:2:3", "/json"]);
}

#[test]
fn connections_that_are_lost_or_refused_are_counted_as_such() {
    // The first user is the rehearsal; the second one is thrown out, the third one not let in.
    let server = RawServer::each(3, |number, peer| {
        peer.read_head();
        if number == 3 {
            peer.send("HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\noverloaded");
            peer.drain();
            return;
        }
        peer.accept();
        let text = peer.text();
        if number == 1 {
            peer.send_text(&text);
        } else {
            peer.send_close(4001, "bad token");
        }
        peer.drain();
    });
    let flags = ["-c", "1", "-n", "2"];
    let (output, result) = result(script(&server.url(), "> hi\n< hi\n", &flags).run());
    output
        .code(0)
        .says(&["script/closed", "handshake/503", "overloaded"]);
    assert_eq!(result["iterations"]["failed"], 2);
    assert_eq!(result["connections"]["lost"], 1);
    assert_eq!(result["connections"]["failed"], 1);
    let close = &result["closes"][0];
    assert_eq!(
        (&close["code"], &close["by"]),
        (&4001.into(), &"peer".into())
    );
    assert_eq!(close["reason"], "bad token");
}

#[test]
fn a_schedule_that_finds_every_user_busy_drops_and_says_so() {
    let server = serve(&[]);
    // Nobody but the first gets a turn: one user, and a script that takes longer than all are due in.
    let text = "> hi\n< hi\nwait 1s\n";
    let flags = ["-c", "1", "--rate", "50", "-n", "10", "--strict"];
    let (output, result) = result(script(server.url(), text, &flags).run());
    output.code(10).says(&["SUSPECT", "every user was busy"]);
    let count = |name: &str| result["iterations"][name].as_u64().unwrap();
    assert_eq!(count("started") + count("dropped"), 10, "{result}");
    assert!(
        count("dropped") > 0 && count("passed") == count("started"),
        "{result}"
    );
    assert_eq!(result["workload"]["loop"], "open");
    let script = script(
        server.url(),
        "> hi\n< hi\n",
        &["--rate", "100", "-d", "500ms"],
    );
    let (output, result) = self::result(script.run());
    output.code(0);
    assert!(
        result["iterations"]["passed"].as_u64() > Some(1),
        "{result}"
    );
}

#[test]
fn users_come_in_stages() {
    let server = serve(&[]);
    let flags = ["--stages", "0s:2,1s:2", "--think", "50ms"];
    let (output, result) = result(script(server.url(), "> hi\n< hi\n", &flags).run());
    output.code(0);
    assert_eq!(result["workload"]["connections"], 2);
    assert!(
        result["iterations"]["passed"].as_u64() >= Some(2),
        "{result}"
    );
    assert_eq!(result["iterations"]["failed"], 0);
}

#[test]
fn what_is_no_load_by_script_is_said() {
    let wrong = |args: &[&str]| {
        let all = [&["bench", "ws://127.0.0.1:1/"], args].concat();
        wscope(&all).file("a.wst", CHAT).run().code(2)
    };
    wrong(&["--mode", "script"]).says(&["--script FILE"]);
    wrong(&["--mode", "hold", "--script", "a.wst"]).says(&["--mode hold", "--script"]);
    wrong(&["--script", "a.wst", "-m", "hi"]).says(&["--script", "--message"]);
    wrong(&["--script", "none.wst"]).says(&["none.wst: no such file"]);
    wrong(&["--threshold", "step.4.p99<1s"]).says(&["only a --script has step.4.p99"]);
    let unknown = ["--script", "a.wst", "--threshold", "step.5.p99<1s"];
    wrong(&unknown).says(&[
        "no step \"5\"",
        "1, 2, 3, 4, 6, 7, 9, 10",
        "\n  step.5.p99<1s\n  ^",
    ]);
}

#[test]
fn values_come_from_the_command_line_and_the_environment() {
    let server = serve(&[]);
    let text = "> {{greeting}} {{secret_token}}\n< hello {{secret_token}}\n";
    let flags = ["-n", "2", "--var", "greeting=hello"];
    let run = script(server.url(), text, &flags).env("WSCOPE_SECRET_token", "t0p");
    let (output, result) = result(run.run());
    output.code(0).never_says(&["t0p"]);
    assert_eq!(result["iterations"]["passed"], 2);
}

#[test]
fn debug_shows_the_conversation() {
    let server = serve(&[]);
    let all = ["bench", server.url(), "--script", "a.wst", "--debug"];
    let output = wscope(&all).file("a.wst", CHAT).run().code(0);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("hello 1") && text.contains("{\"n\":3}"),
        "{text}"
    );
}

#[test]
fn ctrl_c_lets_users_come_to_their_end() {
    let server = serve(&[]);
    let text = "connect {{url}}\n> hi\n< hi\nwait 1h\n";
    let flags = ["-c", "4", "-d", "1h", "--grace", "200ms", "--live", "plain"];
    let running = script(server.url(), text, &flags).spawn();
    running.stderr.line("open 4 ");
    running.signal(Signal::Interrupt);
    let (output, result) = result(running.wait());
    output.code(130).says(&["ended by interrupted"]);
    assert_eq!(result["iterations"]["started"], 4);
    assert_eq!(result["iterations"]["unfinished"], 4);
    assert_eq!(result["iterations"]["failed"], 0);
    assert_eq!(result["closes"][0]["code"], 1000);
    assert_eq!(result["closes"][0]["count"], 4);
}
