//! `bench` against `serve --fault`: what is known to go wrong is found, under its name and as often
//! as it happened. Counts and their order are compared; of times only which is longer.

mod harness;

use harness::program::{Output, wscope};
use harness::running::Signal;
use harness::served::{Served, serve};
use serde_json::Value;

/// A server with faults. Its first connection is the probe's: the load begins with the second one.
fn faulty(faults: &[&str]) -> Served {
    let flags = faults.iter().map(|fault| format!("--fault={fault}"));
    let flags: Vec<String> = flags.collect();
    let mut args = vec!["--fault-seed=1", "--heartbeat=off"];
    args.extend(flags.iter().map(String::as_str));
    serve(&args)
}

#[track_caller]
fn bench(server: &Served, args: &[&str]) -> (Output, Value) {
    let all = [&["bench", server.url(), "--report", "json=-"], args].concat();
    let output = wscope(&all).run();
    let result = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no result: {error}\n{output}"));
    (output, result)
}

/// How often the server did something wrong.
#[track_caller]
fn told(server: Served) -> usize {
    let output = server.stop(Signal::Terminate).code(0);
    output.events_of("fault").len()
}

/// The entry of a list whose `key` is `wanted`.
fn entry<'a>(result: &'a Value, list: &str, key: &str, wanted: &str) -> Option<&'a Value> {
    let all = result[list].as_array().expect("a list");
    all.iter().find(|one| one[key] == wanted)
}

#[test]
fn a_delay_is_seen_in_the_median() {
    let slow = faulty(&["delay=5ms"]);
    let quick = serve(&[]);
    let flags = ["-c", "4", "-n", "400"];
    let median = |server| {
        let (output, result) = bench(server, &flags);
        output.code(0);
        result["latency"]["rtt"]["p50"].as_u64().expect("a median")
    };
    let (slow, quick) = (median(&slow), median(&quick));
    assert!(
        slow >= 5_000 && slow > quick,
        "{slow} us, without {quick} us"
    );
}

#[test]
fn what_is_lost_is_unanswered_as_often_as_it_happened() {
    let server = faulty(&["lose:p=0.1:conn=2-9"]);
    let flags = ["-c", "4", "-n", "1000", "--rate", "1k", "--grace", "1s"];
    let (output, result) = bench(&server, &flags);
    output.code(0);
    let messages = &result["messages"];
    assert_eq!(messages["sent"], 1000);
    let unanswered = messages["unanswered"].as_u64().unwrap();
    assert!((60..=140).contains(&unanswered), "{unanswered} of 1,000");
    assert_eq!(messages["matched"], 1000 - unanswered);
    assert_eq!(told(server), unanswered as usize);
}

#[test]
fn what_comes_twice_or_in_another_order_is_counted() {
    let server = faulty(&["dup:every=10:conn=2"]);
    let (_, result) = bench(&server, &["-c", "1", "-n", "100"]);
    let duplicate = result["messages"]["duplicate"].as_u64().unwrap();
    // The answer to the last message ends the load: a second one may come too late.
    let told = told(server) as u64;
    assert!(duplicate == 10 || duplicate == 9, "{duplicate}");
    assert_eq!(
        (told, result["messages"]["matched"].as_u64()),
        (10, Some(100))
    );
    let server = faulty(&["reorder=2:conn=2"]);
    let (_, result) = bench(&server, &["-c", "1", "-n", "100", "--pipeline", "2"]);
    assert_eq!(result["messages"]["matched"], 100);
    assert_eq!(result["messages"]["out_of_order"], 50);
}

#[test]
fn a_stall_is_in_the_tail_of_an_open_loop_and_not_of_a_closed_one() {
    // Answers leave in their order, so that one that is held back holds back all behind it.
    let stalling = || faulty(&["delay=1s@100msg:conn=2"]);
    let p99 = |flags: &[&str], latency: &str| {
        let server = stalling();
        let (_, result) = bench(&server, flags);
        assert_eq!(result["messages"]["matched"], 300, "{result}");
        let latency = &result["latency"][latency];
        let figure = |name: &str| latency[name].as_u64().expect("a figure");
        assert!(figure("max") >= 900_000, "{latency}");
        figure("p99")
    };
    let open = p99(&["-c", "1", "-n", "300", "--rate", "100"], "rtt");
    let closed = p99(&["-c", "1", "-n", "300"], "service");
    assert!(
        open >= 500_000,
        "{open} us: those that were due meanwhile waited"
    );
    assert!(closed < open, "{closed} us, {open} us in the open loop");
}

#[test]
fn refusals_have_their_names() {
    let server = faulty(&["refuse=503:conn=2-4"]);
    let (output, result) = bench(&server, &["-c", "3", "-n", "30"]);
    output.code(0).says(&["handshake/503"]);
    let refused = entry(&result, "errors", "kind", "503").expect("refusals");
    assert_eq!(
        (&refused["phase"], &refused["count"]),
        (&"handshake".into(), &3.into())
    );
    assert_eq!(result["connections"]["failed"], 3);
    assert_eq!(result["connections"]["opened"], 3);

    let server = faulty(&["wrong-accept:conn=2"]);
    let (_, result) = bench(&server, &["-c", "1", "-n", "3"]);
    let invalid = entry(&result, "errors", "kind", "invalid").expect("a wrong answer");
    assert_eq!(invalid["count"], 1);

    let server = faulty(&["hang:conn=2"]);
    let flags = ["-c", "1", "-n", "3", "--connect-timeout", "500ms"];
    let (_, result) = bench(&server, &flags);
    let hung = entry(&result, "errors", "kind", "timeout").expect("no answer");
    assert_eq!(
        (&hung["phase"], &hung["count"]),
        (&"handshake".into(), &1.into())
    );
}

#[test]
fn ends_have_their_codes() {
    let server = faulty(&[
        "cut@2msg:conn=2",
        "reset@2msg:conn=3",
        "close=4001,bye@2msg:conn=4",
    ]);
    let flags = [
        "-c",
        "3",
        "-d",
        "1h",
        "--warmup",
        "0",
        "--connect-rate",
        "0",
        // A message that crosses the FIN would be answered with a RST.
        "--think",
        "300ms",
    ];
    let (output, result) = bench(&server, &flags);
    output
        .code(8)
        .says(&["SUSPECT", "every connection was lost"]);
    assert_eq!(result["connections"]["lost"], 3);
    let ends = [("fin", 1006, "transport"), ("rst", 1006, "transport")];
    for (detail, code, by) in ends {
        let end = entry(&result, "closes", "detail", detail).expect(detail);
        assert_eq!(
            (&end["code"], &end["by"], &end["count"]),
            (&code.into(), &by.into(), &1.into())
        );
    }
    let closed = entry(&result, "closes", "reason", "bye").expect("a reason");
    assert_eq!(
        (&closed["code"], &closed["by"]),
        (&4001.into(), &"peer".into())
    );
    // The pings of a connection that takes no part any more are not answered.
    let server = faulty(&["no-pong:conn=2"]);
    let flags = [
        "--mode",
        "hold",
        "-c",
        "1",
        "-d",
        "1h",
        "--heartbeat",
        "100ms/300ms",
    ];
    let (_, result) = bench(&server, &flags);
    let dead = entry(&result, "closes", "detail", "timeout").expect("a timeout");
    assert_eq!((&dead["code"], &dead["count"]), (&1006.into(), &1.into()));
}

#[test]
fn checks_of_a_script_fail_as_often_as_the_server_does() {
    let server = faulty(&["lose@3msg:conn=4-6"]);
    let text = "repeat 4\n  > hi\n  < hi\n    within 300ms\nend\n";
    let flags = [
        "bench",
        server.url(),
        "--report",
        "json=-",
        "--script",
        "a.wst",
        "-c",
        "2",
        "-n",
        "10",
    ];
    let output = wscope(&flags).file("a.wst", text).run().code(0);
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["iterations"]["failed"], 3);
    let missing = entry(&result, "errors", "kind", "missing").expect("missing answers");
    assert_eq!(
        (&missing["phase"], &missing["count"]),
        (&"script".into(), &3.into())
    );
    let check = &result["checks"][0];
    assert_eq!(check["failed"], 3);
    // Two before it in each that failed, and four in each that did not.
    assert_eq!(check["passed"], 3 * 2 + 7 * 4);
    assert_eq!(told(server), 3);
}

#[test]
fn a_generator_that_cannot_keep_its_schedule_is_suspect() {
    let server = serve(&["--mode", "sink"]);
    let flags = [
        "--mode", "send", "-c", "2", "--rate", "20m", "-d", "1s", "--warmup", "0", "--grace", "0s",
        "--strict",
    ];
    let (output, result) = bench(&server, &flags);
    output.code(10).says(&["SUSPECT"]);
    assert_eq!(result["verdict"]["valid"], false);
    let reasons = result["verdict"]["invalid_reasons"].as_array().unwrap();
    for reason in reasons {
        let code = reason["code"].as_str().unwrap();
        assert!(
            ["lag", "late", "dropped", "cpu"].contains(&code),
            "{reason}"
        );
    }
}
