//! `test`: several files, values from outside, servers that it starts, files that it rewrites; and
//! conversations with a server that is not ours. What single lines mean is in `cases.rs`.

mod harness;

use std::fs;
use std::time::{Duration, Instant};

use harness::peers::Implementation;
use harness::program::wscope;
use harness::raw::{QuietPort, RawServer};
use harness::running::Signal;
use harness::served::serve;

const GOOD: &str = "> hello\n< hello\n";
const BAD: &str = "> hello\n< help\n";
const BROKEN: &str = "hello\n";

#[test]
fn several_files_are_summed_up_and_the_gravest_code_counts() {
    let server = serve(&[]);
    let mut output = wscope(&["test", "t", "--url", server.url()])
        .file("t/a.wst", GOOD)
        .file("t/b/bad.wst", BAD)
        .file("t/c.wst", BROKEN)
        .file("t/notes.txt", "no transcript")
        .run()
        .code(2);
    let text = String::from_utf8(std::mem::take(&mut output.stdout)).unwrap();
    let heads: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("ok") || line.starts_with("FAIL"))
        .collect();
    assert_eq!(heads.len(), 3, "{text}");
    assert!(heads[0].starts_with("ok    t/a.wst (3 steps, "), "{text}");
    assert!(
        heads[1].starts_with("FAIL  t/b/bad.wst (step 3 of 3, "),
        "{text}"
    );
    assert_eq!(heads[2], "FAIL  t/c.wst (nothing was sent)");
    assert!(
        text.contains("\n3 files: 1 passed, 2 failed (6 steps in "),
        "{text}"
    );
}

#[test]
fn a_folder_can_be_narrowed_and_a_run_cut_short() {
    let server = serve(&[]);
    let run = |args: &[&str]| {
        let mut words = vec!["run", ".", "--url", server.url()];
        words.extend(args);
        let output = wscope(&words)
            .file("a.wst", BAD)
            .file("b.wst", GOOD)
            .file("c.wst", GOOD)
            .run();
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        (output.exit(), text.matches(".wst (").count())
    };
    assert_eq!(run(&[]), (4, 3));
    assert_eq!(run(&["--only", "b."]), (0, 1));
    assert_eq!(run(&["--fail-fast"]), (4, 1));
    assert_eq!(run(&["--jobs", "3"]), (4, 3));
    wscope(&["test", ".", "--only", "z", "--url", "x"])
        .file("a.wst", GOOD)
        .run()
        .code(2)
        .stdout("")
        .says(&["none of 1 files has \"z\""]);
    wscope(&["test", "none.wst"])
        .run()
        .code(2)
        .says(&["none.wst: no such file"]);
}

#[test]
fn what_a_file_of_a_folder_includes_is_no_test_of_its_own() {
    let server = serve(&[]);
    let run = |args: &[&str]| {
        let words = [&["test"], args, &["--url", server.url()]].concat();
        let output = wscope(&words)
            .file("t/chat.wst", "include part.wst\nalice> hi\nalice< hi\n")
            .file("t/part.wst", "alice: connect {{url}}\n")
            .run()
            .code(0);
        String::from_utf8(output.stdout).unwrap()
    };
    let folder = run(&["t"]);
    assert!(folder.starts_with("ok    t/chat.wst (3 steps"), "{folder}");
    assert_eq!(folder.lines().count(), 1, "{folder}");
    let named = run(&["t/part.wst"]);
    assert!(named.starts_with("ok    t/part.wst (1 step"), "{named}");
    let checked = run(&["--check", "t"]);
    assert_eq!(checked.matches(": fine").count(), 1, "{checked}");
}

#[test]
fn files_run_beside_each_other() {
    let server = serve(&[]);
    let slow = "connect {{url}}\nwait 1s\n> x\n< x\n";
    let began = Instant::now();
    wscope(&["test", ".", "--jobs", "8", "--url", server.url()])
        .file("a.wst", slow)
        .file("b.wst", slow)
        .file("c.wst", slow)
        .file("d.wst", slow)
        .file("e.wst", slow)
        .file("f.wst", slow)
        .file("g.wst", slow)
        .file("h.wst", slow)
        .run()
        .code(0);
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_file_that_failed_is_played_again() {
    // Half of the attempts are right: that sixty-one in a row are not is left to chance.
    let server = serve(&[]);
    let text = "connect {{url}}\n> {{random:1..2}}\n< 2\n";
    let output = wscope(&["test", "a.wst", "--retry", "60", "--url", server.url()])
        .file("a.wst", text)
        .run()
        .code(0);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("ok    a.wst (3 steps, "), "{text}");
}

#[test]
fn blessing_writes_what_came() {
    let server = serve(&[]);
    let file = "\
# Kept as it is.
connect {{url}}
> {\"id\": 7, \"list\": [1, 2], \"name\": \"Ann\"}
< /json {\"id\": 8, \"list\": [1], \"name\": \"{{name:=}}\"}
  let id = /id
> {{name}} {{id}}
<   Bob 8   
> /close 4000 done
< /close 1000
";
    let blessed = "\
# Kept as it is.
connect {{url}}
> {\"id\": 7, \"list\": [1, 2], \"name\": \"Ann\"}
< /json {\"id\": 7, \"list\": [1,2], \"name\": \"{{name:=}}\"}
  let id = /id
> {{name}} {{id}}
<   Ann 7   
> /close 4000 done
< /close 4000 done
";
    let bless = || wscope(&["test", "a.wst", "--bless", "--url", server.url()]).file("a.wst", file);
    let output = bless().run().code(0);
    assert_eq!(
        fs::read_to_string(output.home.path().join("a.wst")).unwrap(),
        blessed
    );
    let refused = bless()
        .env("CI", "true")
        .run()
        .code(2)
        .says(&["--bless", "CI"]);
    assert_eq!(
        fs::read_to_string(refused.home.path().join("a.wst")).unwrap(),
        file
    );
}

#[test]
fn what_cannot_be_blessed_is_said_with_its_place() {
    let server = serve(&[]);
    for (file, rewritten, said) in [
        // The echo is another one each time.
        (
            "connect {{url}}\n> {\"now\":\"{{uuid}}\"}\n< /json {\"now\":\"\"}\n",
            false,
            &[
                "a.wst:3 is not blessed: /now is different each time",
                "\"{{*}}\"",
            ][..],
        ),
        (
            "connect {{url}}\n> {{uuid}}\n< x\n",
            false,
            &[
                "a.wst:3 is not blessed: what comes is different each time",
                "/match",
            ],
        ),
        (
            "connect {{url}}\n> a\n< b\n> c\n< /match d\n",
            true,
            &[
                "blessed a.wst:3",
                "a.wst:5 is not blessed: what a /match is about is for people to say",
            ],
        ),
        (
            "connect {{url}}\n> a\n< /none 1s\n",
            false,
            &["a.wst:3 is not blessed: something came where nothing should"],
        ),
        (
            "connect {{url}}\n> a\n< a\n< b\n",
            false,
            &["a.wst:4 is not blessed: nothing came"],
        ),
    ] {
        let output = wscope(&[
            "test",
            "a.wst",
            "--bless",
            "--timeout",
            "300ms",
            "--url",
            server.url(),
        ])
        .file("a.wst", file)
        .run()
        .code(4)
        .says(said);
        let after = fs::read_to_string(output.home.path().join("a.wst")).unwrap();
        assert_eq!(after != file, rewritten, "{after}");
    }
    let hash = "0".repeat(64);
    let file = format!(
        "connect {{{{url}}}}\n> {{\"a\":1,\"b\":2}}\n< /exactly {{\"a\":1}}\n> /bin hex:00ff\n< /bin sha256:{hash}\n"
    );
    let output = wscope(&["test", "a.wst", "--bless", "--url", server.url()])
        .file("a.wst", file)
        .run()
        .code(0)
        .says(&["blessed a.wst:3 /b, a.wst:5"]);
    let after = fs::read_to_string(output.home.path().join("a.wst")).unwrap();
    assert!(after.contains("< /exactly {\"a\":1,\"b\":2}\n"), "{after}");
    assert!(after.contains("< /bin sha256:06eb7d6a"), "{after}");
}

#[test]
fn what_breaks_the_protocol_is_recorded_as_an_end_without_a_close() {
    let broken = || {
        RawServer::open(|peer| {
            peer.send_text("hello");
            // RSV1, which nothing gives a meaning.
            peer.send([0xc1, 0x01, b'x']);
            peer.drain();
        })
    };
    let good = || {
        RawServer::open(|peer| {
            peer.send_text("hello");
            peer.drain();
        })
    };
    for name in ["a.wst", "a.har"] {
        let (server, same, better) = (broken(), broken(), good());
        let recorded = wscope(&["connect", &server.url(), "--record", name]).run();
        let text = fs::read_to_string(recorded.home.path().join(name)).unwrap();
        let play = |url: &str| {
            let text = text.replace(&server.url(), url);
            wscope(&["test", name, "--timeout", "1s"])
                .file(name, text)
                .run()
        };
        play(&same.url()).code(0);
        play(&better.url())
            .code(4)
            .prints(&["expected a Close, got none within 1s"]);
    }
}

/// As Chrome writes them.
fn archive(url: &str, query: &str, messages: &str) -> String {
    format!(
        r#"{{"log":{{"version":"1.2","creator":{{"name":"WebInspector","version":"537.36"}},"entries":[
        {{"_resourceType":"websocket","startedDateTime":"2026-11-27T20:00:01.000Z","time":1,
          "request":{{"method":"GET","url":"{url}{query}","headers":[{{"name":"Cookie","value":"sid=s3ss10n"}}]}},
          "response":{{"status":101,"statusText":"Switching Protocols","headers":[]}},
          "_webSocketMessages":[{messages}]}}]}}}}"#
    )
}

fn frame(kind: &str, data: &str) -> String {
    let data = serde_json::Value::from(data);
    format!(r#"{{"type":"{kind}","time":1795809602,"opcode":1,"data":{data}}}"#)
}

#[test]
fn the_secrets_of_a_page_are_shown_nowhere() {
    let server = serve(&[]);
    let same = archive(
        server.url(),
        "?token=hunter2",
        &[
            frame("send", "I am hunter2 s3ss10n"),
            frame("receive", "I am hunter2 s3ss10n"),
        ]
        .join(","),
    );
    let output = wscope(&["test", "page.har", "-v", "--report", "json=out.json"])
        .file("page.har", &same)
        .run()
        .code(0)
        .never_says(&["hunter2", "s3ss10n"]);
    let report = fs::read_to_string(output.home.path().join("out.json")).unwrap();
    assert!(
        !report.contains("hunter2") && report.contains("I am ***"),
        "{report}"
    );
    // What was given counts.
    wscope(&["test", "page.har", "-v", "--secret", "token=hunter3"])
        .file("page.har", &same)
        .run()
        .code(0)
        .never_says(&["hunter"]);
    let other = same.replace(
        "\"receive\",\"time\":1795809602,\"opcode\":1,\"data\":\"I am",
        "\"receive\",\"time\":1795809602,\"opcode\":1,\"data\":\"You are",
    );
    wscope(&["test", "page.har", "-v"])
        .file("page.har", &other)
        .run()
        .code(4)
        .prints(&[
            "page.har:10:3",
            "wscope test --convert page.har shows its lines",
        ])
        .never_says(&["hunter2", "s3ss10n"]);
    wscope(&["test", "--convert", "page.har", "--secret", "who=I am"])
        .file("page.har", &same)
        .run()
        .code(0)
        .prints(&["> {{secret_who}} {{secret_token}} {{secret_cookie_sid}}"]);
    wscope(&["test", "page.har", "--bless"])
        .file("page.har", &other)
        .run()
        .code(4)
        .says(&["page.har:10 is not blessed: a browser's recording stays as it is"]);
}

#[test]
fn a_page_without_messages_does_not_pass_for_a_test() {
    wscope(&["test", "page.har"])
        .file("page.har", archive("ws://127.0.0.1:1/", "", ""))
        .run()
        .code(2)
        .prints(&["have no messages", "open before the page connects"]);
}

#[test]
fn the_secrets_of_flags_are_shown_in_no_report() {
    let server = serve(&[]);
    let url = format!("{}?token=urlSECRET99", server.url());
    let said = "urlSECRET99 bearSECRET99 cookSECRET99 headSECRET99";
    for report in ["junit", "tap", "json", "github"] {
        let mut args = vec!["test", "a.wst", "-v", "--url", &url, "--report", report];
        args.extend(["--bearer", "bearSECRET99", "--cookie", "sid=cookSECRET99"]);
        args.extend(["-H", "X-Api-Key: headSECRET99"]);
        wscope(&args)
            .file("a.wst", format!("connect {{{{url}}}}\n> {said}\n< nope\n"))
            .run()
            .code(4)
            .prints(&["*** *** *** ***"])
            .never_says(&["SECRET99"]);
    }
}

#[test]
fn a_variable_is_no_secret() {
    let hint = &["--secret k=", "WSCOPE_SECRET_k"];
    let test = |args: &[&str]| {
        let args = [&["test", "a.wst"], args].concat();
        wscope(&args)
            .file("a.wst", "connect ws://h/\n")
            .file("vars", "secret_k=foo\n")
    };
    test(&["--var", "secret_k=foo"]).run().code(2).says(hint);
    test(&["--var-file", "vars"]).run().code(2).says(hint);
    let environment = test(&[]).env("WSCOPE_VAR_secret_k", "foo").run();
    environment.code(2).says(hint);
}

#[test]
fn an_archive_of_our_own_asks_for_its_secrets() {
    let server = serve(&[]);
    let url = format!("{}?token=hunter2", server.url());
    let recorded = wscope(&[
        &url,
        "-x",
        "hunter2 in r42 {{x}}",
        "--secret",
        "room=r42",
        "--record",
        "a.har",
    ])
    .run()
    .code(0);
    let text = fs::read(recorded.home.path().join("a.har")).unwrap();
    wscope(&["test", "--convert", "a.har"])
        .file("a.har", &text)
        .run()
        .code(0)
        .prints(&["\n> {{secret_token}} in {{secret_room}} {{{{x}}\n"]);
    wscope(&["test", "a.har"])
        .file("a.har", &text)
        .run()
        .code(2)
        .prints(&["secret_token"]);
    wscope(&["test", "a.har", "--secret", "token=t", "--secret", "room=r"])
        .file("a.har", &text)
        .run()
        .code(0);
}

#[test]
fn a_signal_or_the_longest_time_ends_a_run_in_order() {
    let server = serve(&[]);
    let endless = "connect {{url}}\n> hi\n< hi\n< /none 1h\n> never\n";
    wscope(&[
        "test",
        "a.wst",
        "--max-time",
        "300ms",
        "--url",
        server.url(),
    ])
    .file("a.wst", endless)
    .run()
    .code(7);
    let running = wscope(&["test", "a.wst", "--url", server.url()])
        .file("a.wst", endless)
        .spawn();
    // The server tells when the echo has gone out.
    let mut server = server;
    server
        .running()
        .stdout
        .wait_until("two connections", |bytes| {
            (String::from_utf8_lossy(bytes)
                .matches("\"event\":\"open\"")
                .count()
                >= 2)
                .then_some(())
        });
    running.signal(Signal::Interrupt);
    let output = running.wait().code(130);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("interrupted"), "{text}");
}

#[test]
fn a_peer_that_ignores_the_close_does_not_outlast_the_longest_time() {
    let server = RawServer::open(|peer| while peer.frame().is_some() {});
    let started = Instant::now();
    wscope(&["test", ".", "--max-time", "1s", "--url", &server.url()])
        .file("a.wst", "connect {{url}}\n")
        .file("b.wst", GOOD)
        .run()
        .code(7)
        .prints(&[
            "--max-time has passed before the peer answered",
            ", 1 not run (",
        ]);
    assert!(
        started.elapsed() < Duration::from_millis(2900),
        "it waited for the peer's Close, which takes 3 s"
    );
}

#[test]
fn a_server_that_never_listens_is_not_waited_for_beyond_what_was_said() {
    let port = QuietPort::reserve();
    let url = port.url();
    for (flag, code) in [("--max-time", 7), ("--wait-for-server", 3)] {
        let started = Instant::now();
        wscope(&[
            "test",
            "a.wst",
            "--url",
            &url,
            "--spawn",
            "sleep 100",
            flag,
            "300ms",
        ])
        .file("a.wst", GOOD)
        .run()
        .code(code);
        assert!(started.elapsed() < Duration::from_secs(20), "{flag}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_leaves_the_tests_their_code() {
    let server = serve(&[]);
    for (text, code) in [(BAD, 4), (GOOD, 1)] {
        wscope(&[
            "test",
            "a.wst",
            "--url",
            server.url(),
            "--report",
            "junit=/dev/full",
        ])
        .file("a.wst", text)
        .run()
        .code(code)
        .says(&["writing the junit report"]);
    }
}

#[test]
fn a_server_is_started_and_stopped() {
    let port = QuietPort::reserve();
    let address = port.address();
    drop(port);
    let url = format!("ws://{address}");
    let spawn = format!("{} serve {address}", env!("CARGO_BIN_EXE_wscope"));
    let run = || {
        wscope(&["test", "a.wst", "--url", &url, "--spawn", &spawn])
            .file("a.wst", GOOD)
            .run()
    };
    run().code(0);
    // It is gone: another one finds the port free.
    run().code(0);
    wscope(&["test", "a.wst", "--url", &url, "--spawn", "exit 3"])
        .file("a.wst", GOOD)
        .run()
        .code(3)
        .says(&["the server ended with exit status: 3"]);
}

#[test]
fn demo_needs_no_server() {
    wscope(&["test", "a.wst", "--url", "demo"])
        .file("a.wst", GOOD)
        .run()
        .code(0);
}

const CHAT: &str = include_str!("harness/peers/chat.wst");

#[test]
fn three_people_chat_on_a_server_that_is_not_ours() {
    let Some(chat) = Implementation::NodeWs.chat(&[]) else {
        return;
    };
    let url = chat.url("");
    wscope(&[
        "test",
        "chat.wst",
        "--url",
        &url,
        "--secret",
        "token=sesame",
    ])
    .file("chat.wst", CHAT)
    .run()
    .code(0);
    wscope(&["test", "refused.wst", "--url", &url])
        .file(
            "refused.wst",
            "connect {{url}}/chat?token=wrong\n< /refused 401\nconnect {{url}}/none\n< /refused\n",
        )
        .run()
        .code(0);
    let mebibyte: Vec<u8> = (0..1 << 20).map(|at: u32| (at % 251) as u8).collect();
    let big = "connect {{url}}/chat\n> /file big.bin\n< /bin sha256:SHA\n";
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&mebibyte);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    wscope(&["test", "big.wst", "--url", &url])
        .file("big.bin", &mebibyte)
        .file("big.wst", big.replace("SHA", &hash))
        .run()
        .code(0);
}

#[test]
fn a_broken_server_is_understood_from_the_text_alone() {
    let Some(chat) = Implementation::NodeWs.chat(&[("BROKEN", "1")]) else {
        return;
    };
    let output = wscope(&[
        "test",
        "chat.wst",
        "--url",
        &chat.url(""),
        "--secret",
        "token=sesame",
    ])
    .file("chat.wst", CHAT)
    .run()
    .code(4)
    .never_says(&["sesame"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[1],
        "chat.wst:19:8  bob<   /json {\"text\":\"Hello!\",\"from\":\"{{id}}\"}"
    );
    assert_eq!(
        lines[2].trim_start(),
        "^ /from: expected \"m1\", got no such member"
    );
    assert_eq!(
        lines[2].find('^').map(|at| &lines[1][at..at + 6]),
        Some("\"from\"")
    );
    assert!(
        lines[3].contains("message 2 from bob:  {\"type\":\"message\",\"text\":\"Hello!\"}"),
        "{text}"
    );
    assert!(
        lines[4].starts_with(
            "   conversation so far:  alice> join … bob> join … carol> join … alice> message"
        ),
        "{text}"
    );
}
