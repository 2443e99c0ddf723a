//! `bench --mode fanout` through the program: who gets what is published, counted exactly, and held
//! against what the server says it lost or sent twice.

mod harness;

use harness::program::{Output, wscope};
use harness::running::Signal;
use harness::served::{Served, serve};
use serde_json::Value;

/// A server whose faults concern the connections of the load: two come before, to see whether it works.
fn broadcast(faults: &[&str]) -> Served {
    let flags: Vec<String> = faults
        .iter()
        .map(|fault| format!("--fault={fault}"))
        .collect();
    let mut args = vec!["--mode", "broadcast", "--heartbeat=off"];
    if !faults.is_empty() {
        args.push("--fault-seed=7");
    }
    args.extend(flags.iter().map(String::as_str));
    serve(&args)
}

#[track_caller]
fn fanout(server: &Served, args: &[&str]) -> (Output, Value) {
    let start = [
        "bench",
        server.url(),
        "--mode",
        "fanout",
        "--report",
        "json=-",
    ];
    let output = wscope(&[&start[..], args].concat()).run();
    let result = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no result: {error}\n{output}"));
    (output, result)
}

/// Expected, delivered, gaps, duplicates, out of order.
#[track_caller]
fn counts(result: &Value) -> [u64; 5] {
    let names = ["expected", "delivered", "gaps", "duplicate", "out_of_order"];
    names.map(|name| {
        let count = result["fanout"][name].as_u64();
        count.unwrap_or_else(|| panic!("{name}: {}", result["fanout"]))
    })
}

/// How often the server did something wrong.
#[track_caller]
fn told(server: Served) -> u64 {
    let output = server.stop(Signal::Terminate).code(0);
    output.events_of("fault").len() as u64
}

#[test]
fn each_message_gets_to_everyone_and_leads_to_the_next() {
    let server = broadcast(&[]);
    let flags = [
        "-c",
        "5",
        "-n",
        "60",
        "--threads",
        "2",
        "--threshold",
        "fanout.reach==100%",
        "--threshold",
        "delivery.p99<1m",
        "--threshold",
        "last_subscriber.p99<1m",
        "--threshold",
        "fanout.gaps==0",
        "--threshold",
        "fanout.duplicates==0",
    ];
    let (output, result) = fanout(&server, &flags);
    output.code(0).says(&[
        "5 of 5 thresholds passed",
        "published 60   reach 100.0000% (300 of 300)",
        "1 publishing in 1 groups, heard by all",
    ]);
    assert_eq!(counts(&result), [300, 300, 0, 0, 0]);
    assert_eq!(result["fanout"]["reach"], 1.0);
    assert_eq!(result["fanout"]["audience"], "all");
    let latency = &result["latency"];
    assert_eq!(latency["delivery"]["count"], 300);
    assert_eq!(latency["last_subscriber"]["count"], 60);
    assert_eq!(latency["rtt"]["count"], 0);
    let messages = &result["messages"];
    assert_eq!(
        (&messages["sent"], &messages["matched"]),
        (&60.into(), &60.into())
    );
    assert_eq!(
        (&messages["received"], &messages["unanswered"]),
        (&300.into(), &0.into())
    );
}

#[test]
fn everyone_may_publish_and_several_messages_be_under_way() {
    let server = broadcast(&[]);
    let flags = [
        "-c",
        "6",
        "--publishers",
        "6",
        "--pipeline",
        "3",
        "-n",
        "90",
        "--threads",
        "2",
        "--binary",
    ];
    let (output, result) = fanout(&server, &flags);
    output.code(0);
    assert_eq!(counts(&result), [540, 540, 0, 0, 0]);
    assert_eq!(result["fanout"]["publishers"], 6);
}

#[test]
fn a_sender_that_is_left_out_is_not_waited_for() {
    let server = serve(&["--mode", "broadcast", "--exclude-sender"]);
    let (output, result) = fanout(&server, &["-c", "4", "--publishers", "2", "-n", "20"]);
    output.code(0).says(&["heard by others"]);
    assert_eq!(counts(&result), [60, 60, 0, 0, 0]);
    // Who is to hear may be said; what others get is then not counted.
    let flags = [
        "-c",
        "4",
        "--publishers",
        "2",
        "-n",
        "20",
        "--audience",
        "subscribers",
    ];
    let (_, result) = fanout(&server, &flags);
    assert_eq!(counts(&result), [40, 40, 0, 0, 0]);
}

#[test]
fn reach_is_what_the_server_did_not_lose() {
    let server = broadcast(&["lose:p=0.05:conn=3-"]);
    let flags = ["-c", "5", "-n", "400", "--rate", "400", "--grace", "1s"];
    let (output, result) = fanout(&server, &flags);
    output.code(0);
    let [expected, delivered, gaps, duplicate, _] = counts(&result);
    let lost = told(server);
    assert_eq!((expected, expected - delivered, duplicate), (2000, lost, 0));
    assert!((50..=150).contains(&lost), "{lost} of 2,000");
    // What is lost at the end is no gap: nothing came after it.
    assert!(gaps <= lost && lost - gaps < 25, "{gaps} gaps, {lost} lost");
    let unfinished = result["messages"]["unanswered"].as_u64().unwrap();
    assert!(unfinished > 0 && unfinished <= lost, "{unfinished}");
    assert_eq!(
        result["latency"]["last_subscriber"]["count"],
        400 - unfinished
    );
}

#[test]
fn duplicates_are_those_that_the_server_sent_twice() {
    let server = broadcast(&["dup:every=10:conn=3-"]);
    let (_, result) = fanout(&server, &["-c", "4", "-n", "200", "--rate", "400"]);
    let duplicates = told(server);
    assert_eq!(counts(&result), [800, 800, 0, duplicates, 0]);
    assert_eq!(duplicates, 80);
}

#[test]
fn what_comes_in_another_order_is_no_gap() {
    let server = broadcast(&["reorder=2:conn=3-"]);
    let (_, result) = fanout(&server, &["-c", "3", "-n", "100", "--rate", "400"]);
    assert_eq!(counts(&result), [300, 300, 0, 0, 150]);
}

#[test]
fn what_is_changed_on_its_way_is_not_taken_for_another() {
    let server = broadcast(&["corrupt:every=5:conn=3"]);
    let flags = [
        "-c",
        "2",
        "-n",
        "50",
        "--rate",
        "400",
        "--grace",
        "1s",
        "--payload-size",
        "46",
    ];
    let (_, result) = fanout(&server, &flags);
    assert_eq!(told(server), 10);
    let [expected, delivered, ..] = counts(&result);
    assert_eq!((expected, delivered), (100, 90));
    assert_eq!(result["messages"]["unexpected"], 10);
}

#[test]
fn rooms_are_groups() {
    let server = serve(&["--mode", "rooms", "--heartbeat=off"]);
    let join = r#"{"type":"join","room":"r{{group}}"}"#;
    let message = r#"{"type":"message","room":"r{{group}}","text":"{{marker}}","n":{{seq}}}"#;
    let flags = [
        "-c", "12", "--groups", "3", "-n", "60", "-x", join, "-m", message,
    ];
    let (output, result) = fanout(&server, &flags);
    output
        .code(0)
        .says(&["3 publishing in 3 groups, heard by others"]);
    assert_eq!(counts(&result), [180, 180, 0, 0, 0]);
    assert_eq!(result["messages"]["unexpected"], 0);
    // Groups that the server does not keep apart are heard.
    let one = r#"{"type":"join","room":"one"}"#;
    let message = r#"{"type":"message","room":"one","text":"{{marker}}"}"#;
    let flags = [
        "-c", "4", "--groups", "2", "-n", "10", "-x", one, "-m", message,
    ];
    let (_, result) = fanout(&server, &flags);
    assert_eq!(counts(&result), [10, 10, 0, 0, 0]);
    assert_eq!(result["messages"]["unexpected"], 20);
}

#[test]
fn who_is_lost_is_not_waited_for() {
    // They come one after another: the third one publishes, after those that see whether it works.
    let flags = [
        "--threads",
        "1",
        "-c",
        "4",
        "-n",
        "200",
        "--think",
        "5ms",
        "--timeout",
        "1h",
        "--connect-rate",
        "20",
        "--threads",
        "1",
    ];
    let server = broadcast(&["cut@1500ms:conn=4"]);
    let (output, result) = fanout(&server, &flags);
    output.code(0);
    assert_eq!(result["connections"]["lost"], 1);
    assert_eq!(result["fanout"]["published"], 200);
    let [expected, delivered, gaps, duplicate, _] = counts(&result);
    assert!(expected > 600 && expected < 800, "{expected}");
    assert!(expected - delivered <= 1, "{expected} - {delivered}");
    assert_eq!((gaps, duplicate), (0, 0));
    let server = broadcast(&["cut@1500ms:conn=3"]);
    let (output, result) = fanout(&server, &flags);
    output
        .code(0)
        .says(&["every connection that publishes was lost"]);
    assert_eq!(result["run"]["end_reason"], "all_lost");
}

#[test]
fn who_comes_and_goes_is_expected_while_it_is_there() {
    let server = broadcast(&[]);
    let flags = [
        "-c",
        "8",
        "-d",
        "2s",
        "--rate",
        "500",
        "--lifetime",
        "300ms-600ms",
        "--threads",
        "2",
    ];
    let (output, result) = fanout(&server, &flags);
    output.code(0);
    let [expected, delivered, _, duplicate, _] = counts(&result);
    assert!(result["connections"]["opened"].as_u64().unwrap() > 20);
    assert_eq!(duplicate, 0);
    // Those who left were not waited for, and not missed; what a publisher had under way when it left is lost.
    assert!(
        result["latency"]["last_subscriber"]["count"]
            .as_u64()
            .unwrap()
            > 900
    );
    // A connection that has just opened may not be known to the server yet.
    assert!(
        delivered <= expected && delivered * 100 >= expected * 95,
        "{delivered} of {expected}"
    );
}

#[test]
fn what_cannot_work_is_said_before_the_load() {
    let wrong = |flags: &[&str]| {
        let all = [&["bench", "ws://127.0.0.1:1/"], flags].concat();
        wscope(&all).run().code(2)
    };
    wrong(&["--publishers", "2"]).says(&["--publishers is for --mode fanout"]);
    let fanout = |flags: &[&str]| wrong(&[&["--mode", "fanout"], flags].concat());
    fanout(&["-c", "1"]).says(&["do not leave a subscriber", "-c 2 would do"]);
    fanout(&["--groups", "3", "--publishers", "2"]).says(&["--publishers 3 has one in each"]);
    fanout(&["-m", "hi"]).says(&[
        "{{marker}} has to be in it once",
        "-m '{\"id\":\"{{marker}}\"}'",
    ]);
    fanout(&["--match", "fifo"]).says(&["known again by its marker"]);
    fanout(&["--payload-size", "20"]).says(&["a marker, of 46 bytes"]);
    fanout(&["--audience", "everyone"]).says(&["subscribers"]);
    wrong(&["-m", "{{marker}}"]).says(&["only for the messages that --mode fanout publishes"]);
    wrong(&["--threshold", "fanout.reach>=1"]).says(&["only --mode fanout measures fanout.reach"]);
    fanout(&["--threshold", "fanout.duplicate==0"]).says(&["did you mean fanout.duplicates?"]);
}

#[test]
fn a_server_that_passes_nothing_on_is_found_before_the_load() {
    let server = serve(&["--mode", "echo"]);
    let flags = [
        "bench",
        server.url(),
        "--mode",
        "fanout",
        "--timeout",
        "300ms",
    ];
    let output = wscope(&flags).run().code(4);
    output.says(&["did not get to connection 2", "{{marker}} in it"]);
    let debug = broadcast(&[]);
    let flags = ["bench", debug.url(), "--mode", "fanout", "--debug"];
    let shown = ["sent         128 bytes: wsf", "received     128 bytes: wsf"];
    wscope(&flags).run().code(0).prints(&shown);
}
