//! What clients do about the faults of `serve`: the table in `docs/serve.md` is what node `ws`, undici
//! and wscope do.

mod harness;

use harness::peers::fault_client;
use harness::program::{Output, wscope};
use harness::running::Signal;
use harness::served::serve;
use serde_json::Value;
use wscope::serve::fault::{FAULTS, Fault};

/// The rows of the table: the fault, and what each client does.
fn table() -> Vec<Vec<&'static str>> {
    let page = include_str!("../docs/serve.md");
    let (_, rest) = page
        .split_once("| fault | node ws | undici | wscope |\n|---|---|---|---|\n")
        .expect("the table");
    let rows = rest.lines().take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// Compares a column with what the client does; `None` says that there is no such client here.
#[track_caller]
fn compare(column: usize, client: impl Fn(&str, bool) -> Option<Seen>) {
    let rows = table();
    assert!(rows.len() > 20, "{rows:?}");
    let mut wrong = Vec::new();
    for row in rows {
        let fault = row[0].trim_matches('`');
        let Some(mut done) = reaction(fault, &client) else {
            return;
        };
        // What undici tells of its own Close depends on whether the server's meets it on the way.
        for _ in 0..2 {
            if column == 2 && fault.starts_with("bad-utf8") && done != row[column] {
                done = reaction(fault, &client).unwrap_or(done);
            }
        }
        if done != row[column] {
            wrong.push(format!("{fault}: {done}, not {}", row[column]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a client told of a connection.
#[derive(Debug, Default)]
struct Seen {
    opened: bool,
    heard: Vec<String>,
    told: Option<u64>,
}

/// What a client does about a fault, in words. It says hello, and again; then the server closes with
/// 4000, unless the fault is that too little happens. Where it is about the answer to the client's
/// Close, that closes when hello has come back.
fn reaction(fault: &str, client: impl Fn(&str, bool) -> Option<Seen>) -> Option<String> {
    reaction_with(fault, &["--no-compress"], client)
}

/// The same, of a server with these flags.
fn reaction_with(
    fault: &str,
    flags: &[&str],
    client: impl Fn(&str, bool) -> Option<Seen>,
) -> Option<String> {
    let is_one_of = |names: &[&str]| names.iter().any(|name| fault.starts_with(name));
    let closes = is_one_of(&["no-close-reply", "data-after-close", "slow-close"]);
    let waits = is_one_of(&["stall", "no-pong", "wrong-pong", "idle-cut"]);
    let flag = format!("--fault={fault}");
    let mut args = vec!["--heartbeat=off", "--fault-seed=1", &flag];
    args.extend(flags);
    if !closes && !waits {
        args.push("--fault=close=4000@2msg");
    }
    let server = serve(&args);
    let Some(seen) = client(server.url(), closes) else {
        // Otherwise the server complains that nobody came.
        drop(harness::raw::Peer::connect_with(server.address(), &[]));
        let _ended = server.stop(Signal::Terminate);
        return None;
    };
    let log = server.stop(Signal::Terminate).code(0);
    Some(in_words(&seen, closed_with(&log)))
}

/// The code of the client's Close, where it sent one; the server's own are 4000, and 1001 at its end.
fn closed_with(log: &Output) -> Option<u64> {
    let closes = log.events_of("close");
    let close = closes.first()?;
    let code = close["code"].as_u64().filter(|code| *code != 1006)?;
    let is_theirs = ![1001, 4000].contains(&code) || close["clean"] == true;
    is_theirs.then_some(code)
}

fn in_words(seen: &Seen, closed: Option<u64>) -> String {
    if !seen.opened {
        return match seen.told {
            Some(_) => "never opens".to_owned(),
            None => "waits".to_owned(),
        };
    }
    let mut words: Vec<String> = seen
        .heard
        .iter()
        .filter(|text| !["hello", "again"].contains(&text.as_str()))
        .map(|text| format!("hears {text}"))
        .collect();
    match (closed, seen.told) {
        (Some(4000), Some(4000)) => words.push("goes on".to_owned()),
        (Some(code), Some(told)) if code == told => words.push(format!("closes with {code}")),
        (Some(code), Some(told)) => words.push(format!("closes with {code}, tells {told}")),
        (None, Some(told)) => words.push(format!("tells {told}")),
        (_, None) => words.push("waits".to_owned()),
    }
    words.join(", ")
}

/// What a client of node's printed.
fn node(package: &str, url: &str, closes: bool) -> Option<Seen> {
    node_with(package, url, closes.then_some("close"))
}

fn node_with(package: &str, url: &str, then: Option<&str>) -> Option<Seen> {
    let mut args = vec![url];
    args.extend(then);
    let output = fault_client(package, &args)?.code(0).stderr("");
    let mut seen = Seen::default();
    for event in output.events() {
        seen.opened |= event["opened"] == true;
        seen.heard
            .extend(event["heard"].as_str().map(str::to_owned));
        seen.told = seen.told.or(event["told"].as_u64());
    }
    Some(seen)
}

#[test]
fn the_table_has_every_fault() {
    let rows = table();
    for entry in FAULTS.iter().flat_map(|family| family.faults) {
        let is_it = |row: &&Vec<&str>| {
            let text = row[0].trim_matches('`');
            let fault: Fault = text.parse().expect("a fault");
            assert_eq!(fault.to_string(), text);
            fault.name() == entry.name
        };
        assert_eq!(rows.iter().filter(is_it).count(), 1, "{}", entry.name);
    }
}

#[test]
fn node_ws() {
    compare(1, |url, closes| node("ws", url, closes));
}

#[test]
fn undici() {
    compare(2, |url, closes| node("undici", url, closes));
}

#[test]
fn wscope_itself() {
    compare(3, itself);
}

/// Where compression was agreed on, RSV1 says that the message is compressed: it is another fault.
#[test]
fn rsv1_where_messages_may_be_compressed() {
    let page = include_str!("../docs/serve.md");
    let says = "Where that is agreed on, `rsv1` is a message that does not inflate: `ws`, undici and wscope close with 1007";
    assert!(page.replace('\n', " ").contains(says));
    let (fault, flags) = ("rsv1@1msg", &[][..]);
    let node = |package| {
        reaction_with(fault, flags, |url, _| {
            node_with(package, url, Some("deflate"))
        })
    };
    let done = [
        node("ws"),
        node("undici"),
        reaction_with(fault, flags, itself),
    ];
    let done: Vec<String> = done.into_iter().flatten().collect();
    let fine = |done: &String| done.starts_with("closes with 1007");
    assert!(done.iter().all(fine), "{done:?}");
}

/// What wscope told.
fn itself(url: &str, closes: bool) -> Option<Seen> {
    // connect closes when it has nothing more to say, listen never does.
    let command = if closes { "connect" } else { "listen" };
    let mut args = vec![command, url, "--json", "-x", "hello"];
    args.extend(["--connect-timeout=3", "--heartbeat=2/2"]);
    if !closes {
        args.extend(["-x", "again"]);
    }
    let output = wscope(&args).run();
    let heard = output.events_of("message").into_iter();
    let heard = heard.filter(|event| event["dir"] == "in");
    let text = |event: Value| event["data"].as_str().unwrap_or("binary").to_owned();
    let opened = !output.events_of("open").is_empty();
    let closes = output.events_of("close");
    let told = closes.first().and_then(|close| close["code"].as_u64());
    Some(Seen {
        opened,
        heard: heard.map(text).collect(),
        // It ends by itself where it never opened.
        told: told.or((!opened).then_some(1006)),
    })
}
