//! Around the transcript language: what was recorded is played, what a browser recorded is played and
//! converted, reports, `--check` and `--suggest`.

mod harness;

use harness::junit;
use harness::peers::Implementation;
use harness::program::{Output, wscope};
use harness::raw::RawServer;
use harness::running::Signal;
use harness::served::{Served, serve};
use proptest::prelude::*;
use serde_json::Value;
use wscope::transcript::parse::parse;
use wscope::transcript::print::print;
use wscope::transcript::syntax::Source;

#[track_caller]
fn left(output: &Output, name: &str) -> String {
    let path = output.home.path().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}\n{output}"))
}

// --- recorded and played -------------------------------------------------------------------------

#[test]
fn what_was_recorded_is_green_against_the_same_server_at_once() {
    for server in [Implementation::NodeWs, Implementation::PythonWebsockets] {
        let Some(server) = server.serve() else {
            continue;
        };
        let url = server.url("/echo?token=hunter2");
        let lines = "{\"type\":\"join\",\"room\":\"a b\"}\n{{not a placeholder}}\n//x\n/bin hex:00ff\n\
                     /ping hi\n\"quoted\"\n/close 4000 bye\n";
        let output = wscope(&[
            "connect", &url, "--slash", "--record", "chat.wst", "-H", "X-Own: 1", "--bearer",
            "hunter3",
        ])
        .stdin(lines)
        .run()
        .says(&["chat.wst has {{secret_token}} (query token), {{secret_authorization}}"]);
        let recorded = left(&output, "chat.wst");
        assert!(!recorded.contains("hunter"), "{recorded}");
        let played = wscope(&[
            "test",
            "chat.wst",
            "--secret",
            "token=hunter2",
            "--secret",
            "authorization=Bearer hunter3",
        ])
        .file("chat.wst", &recorded)
        .run()
        .never_says(&["hunter"]);
        assert_eq!(played.exit(), 0, "{recorded}\n{played}");
        // Without the secret nothing is sent.
        wscope(&["test", "chat.wst"])
            .file("chat.wst", &recorded)
            .run()
            .code(2)
            .says(&[]);
    }
}

#[test]
fn a_server_that_breaks_is_understood_from_the_text_alone() {
    let good = RawServer::open(|peer| {
        peer.text();
        peer.send_text(r#"{"type":"joined","member":{"id":7}}"#);
        peer.drain();
    });
    let output = wscope(&[&good.url(), "-x", r#"{"type":"join"}"#, "--record", "a.wst"])
        .run()
        .code(0);
    let recorded = left(&output, "a.wst");
    let bad = RawServer::open(|peer| {
        peer.text();
        peer.send_text(r#"{"type":"joined","member":{"id":8}}"#);
        peer.drain();
    });
    let output = wscope(&["test", "a.wst"])
        .file("a.wst", recorded.replace(&good.url(), &bad.url()))
        .run()
        .code(4);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in ["a.wst:", "/member/id", "expected 7, got 8", "^"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn several_peers_and_a_refusal_are_recorded() {
    let (first, second) = (serve(&[]), serve(&["--path", "/only"]));
    let refused = format!("{}other", second.url());
    let running = wscope(&[
        "listen",
        first.url(),
        &refused,
        "-x",
        "hi",
        "--record",
        "a.wst",
    ])
    .spawn();
    // Either may come first.
    running.stdout.line("hi");
    running.stderr.line("404");
    running.signal(Signal::Terminate);
    let output = running.wait();
    let recorded = left(&output, "a.wst");
    assert!(
        recorded.contains("other< /refused 404"),
        "{recorded}\n{output}"
    );
    wscope(&["test", "a.wst"])
        .file("a.wst", &recorded)
        .run()
        .code(0);
    // The second server has to be talked to.
    wscope(&[&format!("{}only", second.url()), "-x", "hi"])
        .run()
        .code(0);
}

// --- a browser's recording -----------------------------------------------------------------------

fn archive(url: &str, answer: &str) -> String {
    format!(
        r#"{{"log":{{"version":"1.2","creator":{{"name":"WebInspector","version":"537.36"}},"pages":[],"entries":[
        {{"_resourceType":"script","startedDateTime":"2026-11-27T20:00:00.000Z","time":1,
          "request":{{"method":"GET","url":"http://h/a.js","headers":[]}},"response":{{"status":200,"statusText":""}}}},
        {{"_resourceType":"websocket","startedDateTime":"2026-11-27T20:00:01.000Z","time":700,
          "_webSocketMessages":[
           {{"type":"send","time":1795809601.5,"opcode":1,"data":"{{\"type\":\"join\"}}"}},
           {{"type":"receive","time":1795809601.6,"opcode":1,"data":{answer}}},
           {{"type":"send","time":1795809601.7,"opcode":2,"data":"AP8="}},
           {{"type":"receive","time":1795809601.8,"opcode":2,"data":"AP8="}}],
          "request":{{"method":"GET","url":"{url}?token=hunter2","headers":[
           {{"name":"User-Agent","value":"Mozilla/5.0"}},{{"name":"Cookie","value":"sid=hunter3"}},
           {{"name":"Sec-WebSocket-Extensions","value":"permessage-deflate"}}]}},
          "response":{{"status":101,"statusText":"Switching Protocols"}}}}]}}}}"#
    )
}

#[test]
fn a_browsers_recording_is_played_and_converted() {
    let server = serve(&[]);
    let page = archive(server.url(), r#""{\"type\":\"join\"}""#);
    wscope(&["test", "page.har"])
        .file("page.har", &page)
        .run()
        .code(0);
    let broken = archive(server.url(), r#""{\"type\":\"joined\"}""#);
    let output = wscope(&["test", "page.har"])
        .file("page.har", broken)
        .run()
        .code(4);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("expected \"joined\", got \"join\""), "{text}");

    let output = wscope(&["test", "--convert", "page.har"])
        .file("page.har", &page)
        .run()
        .code(0)
        .never_says(&["hunter"]);
    let converted = String::from_utf8(output.stdout).unwrap();
    assert!(converted.contains("> {\"type\":\"join\"}\n"), "{converted}");
    let args = [
        "test",
        "page.wst",
        "--secret",
        "token=a",
        "--secret",
        "cookie=sid=b",
    ];
    wscope(&args).file("page.wst", &converted).run().code(0);
    for (name, text) in [
        ("page.har", "{}"),
        ("empty.har", r#"{"log":{"entries":[]}}"#),
    ] {
        for flag in [&[][..], &["--convert"]] {
            let args = [&["test", name], flag].concat();
            let output = wscope(&args).file(name, text).run().code(2);
            let shown = format!("{output}");
            assert!(shown.contains(name), "{shown}");
        }
    }
}

#[test]
fn what_we_record_as_an_archive_is_played_too() {
    let server = serve(&[]);
    let output = wscope(&[
        server.url(),
        "-x",
        "hi",
        "-x",
        "/bin hex:00ff",
        "--slash",
        "--record",
        "a.har",
    ])
    .run()
    .code(0);
    wscope(&["test", "a.har"])
        .file("a.har", left(&output, "a.har"))
        .run()
        .code(0);
}

// --- reports -------------------------------------------------------------------------------------

const CHAT: &str = "connect {{url}}\n> <&\"]]>\u{1}\n< <&\"]]>\n> b\n< b\n";

#[test]
fn reports_go_where_they_are_asked_to() {
    let server = serve(&[]);
    let output = wscope(&[
        "test",
        "fine.wst",
        "chat.wst",
        "--url",
        server.url(),
        "--report",
        "junit=out.xml",
        "--report",
        "json=out.json",
        "--report",
        "tap=-",
    ])
    .file("fine.wst", "connect {{url}}\n> a\n< a\n")
    .file("chat.wst", CHAT)
    .run()
    .code(4)
    .says(&["fine.wst", "chat.wst:3"]);
    let tap = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(tap.starts_with("TAP version 14\n1..2\n"), "{tap}");
    assert!(
        tap.contains("\nok 1 - fine.wst") && tap.contains("\nnot ok 2 - chat.wst"),
        "{tap}"
    );
    let report: Value = serde_json::from_str(&left(&output, "out.json")).unwrap();
    assert_eq!(report["exit"], 4);
    let steps = report["files"][1]["steps"].as_array().unwrap();
    let results: Vec<&Value> = steps.iter().map(|step| &step["result"]).collect();
    assert_eq!(
        results,
        ["passed", "passed", "failed", "skipped", "skipped"]
    );
    assert!(steps[..3].iter().all(|step| step["latency_ms"].is_number()));
    junit::is_valid(&output, "out.xml");

    let output = wscope(&[
        "test",
        "chat.wst",
        "--url",
        server.url(),
        "--report",
        "github",
    ])
    .file("chat.wst", CHAT)
    .run()
    .code(4);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("::error file=chat.wst,line=3,"), "{text}");
}

#[test]
fn a_wrong_report_is_told_before_anything_is_played() {
    for (report, said) in [
        ("xml", "takes json, junit, tap, github"),
        ("junit=no/such/out.xml", "no/such/out.xml"),
    ] {
        wscope(&["test", "a.wst", "--report", report])
            .file("a.wst", "connect ws://127.0.0.1:1\n")
            .run()
            .code(2)
            .stdout("")
            .says(&[said]);
    }
}

// --- without playing -----------------------------------------------------------------------------

#[test]
fn a_check_lists_what_would_be_used_and_what_is_wrong() {
    let text = "alice: connect {{url}}/chat?token={{secret_token}}\nalice> {\"room\":\"{{room}}\"}\n\
                alice< /json {\"id\":\"{{id:=}}\"}\nalice> {{id}}\nalice> /file a.bin\n";
    let check = |text: &str, more: &[&str]| {
        let args = [&["test", "--check", "a.wst"], more].concat();
        wscope(&args).file("a.wst", text).file("a.bin", "").run()
    };
    check(text, &[]).code(0).stderr("").stdout(
        "a.wst: fine\n  connects to  {{url}}\n  variables    room, url\n  secrets      secret_token\n  \
         files        a.bin\n",
    );
    // What is known is said, but for passwords.
    check(text, &["--url", "ws://ann:hunter2@h:1/x"])
        .code(0)
        .never_says(&["hunter2"])
        .stdout(
            "a.wst: fine\n  connects to  ws://h:1\n  variables    room, url\n  secrets      \
             secret_token\n  files        a.bin\n",
        );
    let implied = "set url = ws://ann:hunter2@h:2/\n> hi\n";
    check(implied, &[])
        .code(0)
        .never_says(&["hunter2"])
        .stdout("a.wst: fine\n  connects to  ws://h:2\n");
    // Files are looked for, and where they may not be read that is told.
    for path in ["none.bin", "../../../etc/passwd"] {
        let output = check(&text.replace("a.bin", path), &[]).code(2);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            shown.starts_with("a.wst:5:14: ") && shown.contains("^^^"),
            "{shown}"
        );
    }
    let output = check(text, &["--json"]).code(0);
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["ok"], true);
    assert_eq!(line["variables"], serde_json::json!(["room", "url"]));

    let wrong = "connect ws://h/\n< /jsn {}\n";
    let output = check(wrong, &[]).code(2);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        shown.contains("a.wst:2:3") && shown.contains('^'),
        "{shown}"
    );
    let output = check(wrong, &["--json"]).code(2);
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&line["ok"], &line["diagnostics"][0]["line"]),
        (&false.into(), &2.into())
    );
    assert!(line["diagnostics"][0]["hint"].is_string(), "{line}");
}

#[test]
fn what_changed_between_two_recordings_is_captured() {
    let recording = |id: u32, time: &str| {
        format!(
            "connect {{{{url}}}}\n> {{\"id\":{id},\"time\":\"{time}\"}}\n\
             < /json {{\"id\":{id},\"time\":\"{time}\"}}\n> {{\"to\":{id}}}\n< /json {{\"to\":{id}}}\n"
        )
    };
    let output = wscope(&["test", "--suggest", "a.wst", "b.wst"])
        .file("a.wst", recording(7, "12:00"))
        .file("b.wst", recording(9, "12:05"))
        .run()
        .code(0)
        .says(&["line 3: /id was 7 and 9, and it is used again: let id = /id"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("  let id = /id\n> {\"to\":{{id}}}\n"),
        "{text}"
    );
    let server = serve(&[]);
    wscope(&["test", "c.wst", "--url", server.url()])
        .file("c.wst", text)
        .run()
        .code(0);
    let unrelated = wscope(&["test", "--suggest", "a.wst", "b.wst"])
        .file("a.wst", "connect {{url}}\n> a\n")
        .file("b.wst", "connect {{url}}\n< a\n")
        .run()
        .code(2)
        .says(&["from line 2 on the recordings have different steps"]);
    assert!(unrelated.stdout.is_empty());
    wscope(&["test", "--suggest", "a.wst"])
        .file("a.wst", "connect {{url}}\n")
        .run()
        .code(2)
        .says(&["takes two recordings"]);
}

// --- serve --script ------------------------------------------------------------------------------

const MIRRORED: &str = "\
connect ws://h/chat
> {\"type\":\"join\"}
< /json {\"type\":\"joined\",\"id\":7}
  let id = /id
< /bin hex:00ff
> /ping x
< before its pong
< /pong x
> bye
< /close 4000 done
";

/// The client closes; the Close that it expects is the answer.
const CLOSED_BY_CLIENT: &str = "\
connect ws://h/
> hi
< hello
> /close 1000 bye
< /close 1000
";

#[test]
fn a_transcript_is_played_against_its_own_mirror_by_every_client() {
    let mut server = Served::start(
        wscope(&["serve", "0", "--json", "--script", "chat.wst"])
            .file("chat.wst", MIRRORED)
            .spawn(),
    );
    let played = MIRRORED.replace("ws://h/", server.url());
    for _ in 0..2 {
        wscope(&["test", "chat.wst"])
            .file("chat.wst", &played)
            .run()
            .code(0);
    }
    // JSON is compared as a value; what is something else is told to both sides.
    let url = format!("{}chat", server.url());
    let output = wscope(&[&url, "-x", "{\"type\": \"leave\"}"]).run().code(8);
    output.says(&["1008", "chat.wst:2: expected"]);
    server.running().stdout.line("\"script\"");
    wscope(&[&format!("{}other", server.url())])
        .run()
        .code(8)
        .says(&["1008", "no client at /other"]);
}

#[test]
fn a_client_that_did_as_written_is_told_nothing() {
    let mut server = Served::start(
        wscope(&["serve", "0", "--json", "--script", "chat.wst"])
            .file("chat.wst", CLOSED_BY_CLIENT)
            .spawn(),
    );
    let play = |text: &str| {
        let text = text.replace("ws://h/", server.url());
        wscope(&["test", "chat.wst"])
            .file("chat.wst", text)
            .run()
            .code(0);
    };
    play(CLOSED_BY_CLIENT);
    // The first that does something else is the first that is told of.
    play(&CLOSED_BY_CLIENT.replace("1000", "4000"));
    let line = server.running().stdout.line("\"script\"");
    assert!(
        line.contains(
            "chat.wst:4: expected a Close with code 1000 \\\"bye\\\", got a Close with code 4000"
        ),
        "{line}"
    );
}

#[test]
fn several_peers_are_several_clients() {
    let text = "alice: connect ws://h/a\nbob: connect ws://h/b\nalice> hi\nbob< hi from alice\n\
                bob> hello\nalice< hello from bob\n";
    let server = Served::start(
        wscope(&["serve", "0", "--json", "--script", "chat.wst"])
            .file("chat.wst", text)
            .spawn(),
    );
    wscope(&["test", "chat.wst"])
        .file("chat.wst", text.replace("ws://h/", server.url()))
        .run()
        .code(0);
}

#[test]
fn what_cannot_be_mirrored_is_refused_at_start() {
    for (text, place) in [
        ("connect ws://h/\n< /any\n", "chat.wst:2:"),
        ("connect ws://h/\n> {{uuid}}\n", "chat.wst:2:3"),
        ("connect ws://h/\n< /jsn 1\n", "chat.wst:2:3"),
        ("connect ws://h/\n<~ hi\n", "chat.wst:2:1"),
        ("connect ws://h/\n< /all\n  hi\nend\n", "chat.wst:2:1"),
        ("connect ws://h/\n> /close 4000\n< hi\n", "chat.wst:3:1"),
    ] {
        wscope(&["serve", "0", "--script", "chat.wst"])
            .file("chat.wst", text)
            .run()
            .code(2)
            .stdout("")
            .says(&[place, "^"]);
    }
}

#[test]
fn a_secret_of_a_script_is_told_to_nobody() {
    let mut server = Served::start(
        wscope(&["serve", "0", "--json", "--script", "chat.wst"])
            .file("chat.wst", "connect ws://h/\n> {{secret_t}}\n< ok\n")
            .env("WSCOPE_SECRET_t", "HiddenTok77")
            .spawn(),
    );
    wscope(&[server.url(), "-x", "HiddenTok77", "-n", "1"])
        .run()
        .code(0)
        .prints(&["ok"]);
    let guessed = wscope(&[server.url(), "-x", "guess"]).run().code(8);
    let guessed = guessed.says(&["expected \"***\", got \"guess\""]);
    guessed.never_says(&["HiddenTok"]);
    let log = &server.running().stdout;
    log.line("\"script\"");
    let log = String::from_utf8_lossy(&log.so_far()).into_owned();
    assert!(log.contains("***") && !log.contains("HiddenTok"), "{log}");
}

// --- any text ------------------------------------------------------------------------------------

/// Lines of a transcript and pieces of them, in any order.
fn any_text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "> ",
        "< ",
        "<~ ",
        "a> ",
        "a< ",
        "a: ",
        "connect ws://h/ ",
        "/json ",
        "/exactly ",
        "/match ",
        "/contains ",
        "/any",
        "/bin ",
        "hex:00ff",
        "sha256:",
        "/file x text",
        "/ping ",
        "/close 1000 ",
        "/none 200ms",
        "/refused 401",
        "/frame op=1 hex:00",
        "/all",
        "end",
        "repeat 2",
        "wait 1ms",
        "set x = ",
        "ignore ",
        "include x.wst",
        "within 2s",
        "let x = /a",
        "let x = whole",
        "header A: b",
        "subprotocol c",
        "origin o",
        "timeout 1s",
        "compress off",
        "insecure",
        "{{x}}",
        "{{*}}",
        "{{x:=}}",
        "{{{{",
        "{{",
        "}}",
        "{{random:1..2}}",
        "\"\"\"",
        "\"\"\"\"",
        "{\"a\":1}",
        "[1,\"...\"]",
        "\"",
        "{",
        "}",
        "//",
        "/",
        "#",
        " ",
        "  ",
        "\t",
        "\r",
        "é",
        "\u{0}",
    ];
    let piece = prop_oneof![
        6 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        4 => Just("\n".to_owned()),
        1 => "\\PC{0,3}",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// What the fuzz target `transcript` asks of what it makes up.
    #[test]
    fn any_text_is_a_transcript_that_prints_as_itself_or_is_refused_at_a_place(text in any_text()) {
        match parse(&text, 0) {
            Ok(statements) => {
                let printed = print(&statements);
                prop_assert_eq!(parse(&printed, 0), Ok(statements), "{}", printed);
            }
            Err(wrong) => {
                let source = Source::new("a.wst", text);
                prop_assert!(!wrong.is_empty());
                for one in wrong {
                    let told = one.render(std::slice::from_ref(&source));
                    prop_assert!(told.contains('^'), "{told}");
                }
            }
        }
    }
}
