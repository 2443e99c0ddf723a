//! `test`: several files, values from outside, servers that it starts, files that it rewrites; and
//! conversations with a server that is not ours. What single lines mean is in `cases.rs`.

mod harness;

use std::fs;
use std::time::{Duration, Instant};

use harness::peers::Implementation;
use harness::program::wscope;
use harness::raw::QuietPort;
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
