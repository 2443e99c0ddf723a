//! `--record` and `/record`: what a session leaves in a file, and what it never does.

mod harness;

use harness::program::{Output, wscope};
use harness::raw::{Peer, RawServer};
use harness::running::Signal;
use harness::served::{Served, serve};
use serde_json::Value;

/// A file that a run left in its home.
#[track_caller]
fn left(output: &Output, name: &str) -> String {
    let path = output.home.path().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}\n{output}"))
}

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

#[cfg(unix)]
#[track_caller]
fn mode_of(output: &Output, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;

    let path = output.home.path().join(name);
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

// --- secrets -------------------------------------------------------------------------------------

#[test]
fn a_recording_has_names_in_the_place_of_secrets_and_says_so() {
    let server = serve(&[]);
    let url = format!("{}?token=hunter2&room=a", server.url());
    let output = wscope(&[
        &url,
        "-x",
        "hi",
        "--record",
        "a.ndjson",
        "--bearer",
        "hunter3",
        "--cookie",
        "c=hunter4",
    ])
    .run()
    .code(0)
    .stdout("hi\n")
    .says(&[
        "a.ndjson has {{secret_token}} (query token)",
        "{{secret_authorization}} (header Authorization)",
        "{{secret_cookie}} (header Cookie)",
    ])
    .never_says(&["hunter"]);
    let recorded = left(&output, "a.ndjson");
    assert!(!recorded.contains("hunter"), "{recorded}");
    let events = lines(&recorded);
    let request = events.iter().find(|event| event["event"] == "request");
    let request = request.expect("a request");
    assert_eq!(request["path"], "/?token={{secret_token}}&room=a");
    let open = events.iter().find(|event| event["event"] == "open");
    let url = format!("{}?token={{{{secret_token}}}}&room=a", server.url());
    assert_eq!(open.expect("an open")["url"], url);
    #[cfg(unix)]
    assert_eq!(mode_of(&output, "a.ndjson"), 0o600);
}

#[test]
fn a_declared_secret_is_shown_nowhere() {
    let server = serve(&[]);
    let url = format!("{}hunter2", server.url());
    for format in ["pretty", "raw", "hex", "ndjson"] {
        let output = wscope(&[
            &url,
            "-x",
            r#"{"password":"hunter2"}"#,
            "--output",
            format,
            "-v",
            "--record",
            "a.ndjson",
            "--secret",
            "pw=env:PASSWORD",
        ])
        .env("PASSWORD", "hunter2")
        .run()
        .code(0)
        .says(&["{{secret_pw}} (--secret)"])
        .never_says(&["hunter2"]);
        let recorded = left(&output, "a.ndjson");
        assert!(!recorded.contains("hunter2"), "{recorded}");
        let sent = lines(&recorded)
            .into_iter()
            .find(|event| event["dir"] == "out" && event["event"] == "message");
        assert_eq!(
            sent.expect("a message")["data"],
            r#"{"password":"{{secret_pw}}"}"#
        );
    }
}

#[test]
fn a_declared_secret_still_counts_for_conditions() {
    let server = serve(&[]);
    wscope(&[
        server.url(),
        "-x",
        "hunter2",
        "--until",
        "\"hunter2\"",
        "--secret",
        "pw=@secret",
    ])
    .file("secret", "hunter2\n")
    .run()
    .code(0)
    .stdout("***\n")
    .stderr("");
}

#[test]
fn a_secret_without_a_name_is_not_repeated() {
    for wrong in ["hunter2", "=hunter2", "a b=hunter2", "1a=hunter2"] {
        wscope(&["ws://127.0.0.1:1", "--secret", wrong])
            .run()
            .code(2)
            .stdout("")
            .says(&["--secret takes NAME=VALUE", "@FILE"])
            .never_says(&["hunter2"]);
    }
    wscope(&["ws://127.0.0.1:1", "--secret", "a="])
        .run()
        .code(2)
        .says(&["--secret a: the secret is empty"]);
}

#[test]
fn a_server_records_its_clients_without_their_secrets() {
    let args = [
        "listen",
        "0",
        "--json",
        "--record",
        "a.ndjson",
        "-n",
        "1",
        "--secret",
        "pw=hunter9",
    ];
    let server = Served::start(wscope(&args).spawn());
    let address = server.address().to_owned();
    let host = format!("Host: {address}");
    let mut lines = vec!["GET /x?token=hunter2 HTTP/1.1", &host, "Cookie: a=hunter3"];
    lines.extend_from_slice(harness::raw::UPGRADE);
    let mut peer = Peer::connect(&address, &lines);
    peer.send_text("I am hunter9");
    let output = server.wait();
    let recorded = left(&output, "a.ndjson");
    assert!(!recorded.contains("hunter"), "{recorded}");
    assert!(recorded.contains("I am {{secret_pw}}"), "{recorded}");
    assert!(recorded.contains("/x?token={{secret_token}}"), "{recorded}");
    output
        .code(0)
        .never_says(&["hunter"])
        .says(&["{{secret_cookie}} (header Cookie)"]);
}

/// What a client sends is a secret of the handshake, and what comes back.
#[test]
fn a_secret_of_the_handshake_is_replaced_in_messages_too() {
    let server = serve(&[]);
    let url = format!("{}?token=tok%2Fen+1", server.url());
    let secrets = [
        "tok/en 1",
        "tok%2Fen+1",
        "tok%2Fen%201",
        "hunter3",
        "hunter4",
        "hunter5",
    ];
    for ending in ["wst", "har", "ndjson", "mmd"] {
        let name = format!("a.{ending}");
        let output = wscope(&[
            &url,
            "-x",
            r#"{"token":"tok\/en 1","again":"tok%2Fen%201","key":"hunter4"}"#,
            "-x",
            "you are Bearer hunter3 with sid hunter5",
            "--slash",
            "-x",
            "/bin hex:68756e74657233",
            "--record",
            &name,
            "--bearer",
            "hunter3",
            "-H",
            "X-Api-Key: hunter4",
            "--cookie",
            "sid=hunter5",
        ])
        .run()
        .code(0);
        let recorded = left(&output, &name);
        for secret in secrets {
            assert!(!recorded.contains(secret), "{secret}: {recorded}");
            let base64 = base64(secret);
            assert!(!recorded.contains(&base64), "{base64}: {recorded}");
        }
        if ending != "wst" {
            continue;
        }
        assert!(
            recorded.contains(
                "> you are Bearer {{secret_authorization}} with sid {{secret_cookie_sid}}\n"
            ),
            "{recorded}"
        );
        assert!(
            recorded.contains("header Authorization: Bearer {{secret_authorization}}\n"),
            "{recorded}"
        );
        // The same conversation with other secrets.
        wscope(&[
            "test",
            "a.wst",
            "--secret",
            "token=abc%2Fdef",
            "--secret",
            "token_2=abc/def",
            "--secret",
            "authorization=secret-3",
            "--secret",
            "cookie=sid=secret-5",
            "--secret",
            "cookie_sid=secret-5",
            "--secret",
            "x_api_key=secret-4",
        ])
        .file("a.wst", recorded)
        .run()
        .code(0);
    }
}

fn base64(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
}

// --- the file ------------------------------------------------------------------------------------

#[test]
fn a_file_that_is_there_stays_unless_forced_and_then_is_private() {
    let server = serve(&[]);
    let args = [server.url(), "-x", "hi", "--record", "a.ndjson"];
    let output = wscope(&args)
        .file("a.ndjson", "mine\n")
        .run()
        .code(2)
        .stdout("")
        .says(&["a.ndjson is there already", "--force"]);
    assert_eq!(left(&output, "a.ndjson"), "mine\n");
    let mut forced = args.to_vec();
    forced.push("--force");
    let run = wscope(&forced).file("a.ndjson", "mine\n".repeat(10_000));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let path = run.home().join("a.ndjson");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let output = run.run().code(0).stdout("hi\n");
    assert!(!left(&output, "a.ndjson").contains("mine"));
    #[cfg(unix)]
    assert_eq!(mode_of(&output, "a.ndjson"), 0o600);
}

#[test]
fn a_file_that_cannot_be_made_is_a_usage_error() {
    for (path, said) in [
        ("no/such/a.ndjson", "make the folder no/such first"),
        ("folder/a.ndjson", "name a file that you may write"),
        ("a", "end it in .ndjson"),
        ("a.txt", ".har (an HTTP archive"),
    ] {
        // A folder of the file's name: `folder/a.ndjson/x` makes it.
        wscope(&["ws://127.0.0.1:1", "--record", path, "--force"])
            .file("folder/a.ndjson/x", "")
            .run()
            .code(2)
            .stdout("")
            .says(&["cannot record to", path, said]);
    }
}

#[test]
fn what_is_shown_was_recorded_whatever_comes_next() {
    let server = RawServer::open(|peer| {
        peer.send_text("one");
        peer.drain();
    });
    let args = ["connect", &server.url(), "--record", "a.ndjson"];
    let running = wscope(&args).spawn();
    running.stdout.line("one");
    running.signal(Signal::Kill);
    let output = running.wait();
    let events = lines(&left(&output, "a.ndjson"));
    assert_eq!(events.last().expect("events")["data"], "one");
}

// --- /record -------------------------------------------------------------------------------------

#[test]
fn a_recording_that_begins_late_knows_how_the_connection_was_opened() {
    let server = serve(&[]);
    let mut running = wscope(&["connect", server.url(), "--slash"]).spawn();
    running.send("before");
    running.stdout.line("before");
    running.send("/record a.har");
    running.stderr.line("recording to a.har");
    running.send("between");
    running.stdout.line("between");
    running.send("/record a.txt");
    running.stderr.line("cannot record to a.txt");
    running.send("/record b.ndjson");
    running.stderr.line("recorded to a.har");
    running.send("after");
    running.stdout.line("after");
    running.send("/record");
    running.stderr.line("recorded to b.ndjson");
    running.end_input();
    let output = running.wait().code(0);
    let archive: Value = serde_json::from_str(&left(&output, "a.har")).unwrap();
    let entry = &archive["log"]["entries"][0];
    assert_eq!(entry["request"]["url"], server.url());
    assert_eq!(said(entry), ["send between", "receive between"]);
    let kinds: Vec<Value> = lines(&left(&output, "b.ndjson"))
        .iter()
        .map(|event| event["event"].clone())
        .collect();
    assert_eq!(kinds, ["request", "response", "open", "message", "message"],);
}

// --- .har ----------------------------------------------------------------------------------------

/// Direction and data of an archive's messages.
fn said(entry: &Value) -> Vec<String> {
    let messages = entry["_webSocketMessages"].as_array().expect("messages");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    messages
        .iter()
        .map(|message| format!("{} {}", text(&message["type"]), text(&message["data"])))
        .collect()
}

#[test]
fn an_archive_has_what_chrome_reads() {
    let server = serve(&[]);
    let url = format!("{}chat?token=hunter2", server.url());
    let output = wscope(&[
        &url,
        "-s",
        "chat",
        "-x",
        "hi",
        "-x",
        "/bin hex:00ff",
        "--slash",
        "--record",
        "a.har",
        "--json",
    ])
    .run()
    .code(0)
    .never_says(&["hunter2"]);
    let text = left(&output, "a.har");
    assert!(!text.contains("hunter2"), "{text}");
    let archive: Value = serde_json::from_str(&text).unwrap();
    let log = &archive["log"];
    assert_eq!(log["version"], "1.2");
    assert_eq!(log["creator"]["name"], "wscope");
    let entry = &log["entries"][0];
    assert_eq!(entry["_resourceType"], "websocket");
    assert_eq!(
        entry["request"]["url"],
        format!("{}chat?token=%7B%7Bsecret_token%7D%7D", server.url())
    );
    assert_eq!(entry["response"]["status"], 101);
    // Without these Chrome does not open it.
    for (of, number) in [
        (entry, "time"),
        (&entry["request"], "headersSize"),
        (&entry["request"], "bodySize"),
        (&entry["response"], "headersSize"),
        (&entry["response"], "bodySize"),
        (&entry["response"]["content"], "size"),
        (&entry["timings"], "send"),
        (&entry["timings"], "wait"),
        (&entry["timings"], "receive"),
    ] {
        assert!(of[number].is_number(), "{number} in {entry}");
    }
    assert_eq!(
        said(entry),
        [
            "send hi",
            "send AP8=",
            "receive hi",
            "receive AP8=",
            "send 1000"
        ]
    );
    let opcodes: Vec<&Value> = entry["_webSocketMessages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["opcode"])
        .collect();
    assert_eq!(opcodes, [1, 2, 1, 2, 8]);
}

/// The schema of HAR 1.2 knows nothing of WebSockets, but of everything around them.
#[test]
fn an_archive_is_one_by_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("harness/har-1.2.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let check = |output: &Output| {
        let archive: Value = serde_json::from_str(&left(output, "a.har")).unwrap();
        assert_eq!(archive["log"]["entries"].as_array().unwrap().len(), 1);
        let errors: Vec<String> = schema
            .iter_errors(&archive)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{archive:#}");
    };
    let server = serve(&["--token", "hunter2", "--auth-reject", "http"]);
    let url = format!("{}chat?token=hunter2&room=a", server.url());
    let talk = ["-s", "chat", "-x", "hi", "--cookie", "a=b"];
    for (url, code) in [(url.as_str(), 0), (server.url(), 5)] {
        let args = [&[url, "--record", "a.har"], &talk[..]].concat();
        check(&wscope(&args).run().code(code));
    }
    let listening =
        Served::start(wscope(&["listen", "0", "--json", "--record", "a.har", "-n", "1"]).spawn());
    Peer::connect_open(listening.address()).send_text("hi");
    check(&listening.wait().code(0));
}

#[test]
fn connections_that_talk_at_once_have_an_entry_each() {
    let servers = ["first", "second"].map(|text| {
        RawServer::open(move |peer| {
            for _ in 0..20 {
                peer.send_text(text);
            }
            peer.send_close(1000, "");
            peer.drain();
        })
    });
    let (first, second) = (servers[0].url(), servers[1].url());
    let output = wscope(&["listen", &first, &second, "--record", "a.har"])
        .run()
        .code(0);
    let archive: Value = serde_json::from_str(&left(&output, "a.har")).unwrap();
    let entries = archive["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    for entry in entries {
        let said = said(entry);
        let url = entry["request"]["url"].as_str().unwrap();
        let text = if url == first { "first" } else { "second" };
        assert_eq!(said.len(), 21, "{said:?}");
        assert!(
            said[..20]
                .iter()
                .all(|said| *said == format!("receive {text}"))
        );
    }
    #[cfg(unix)]
    assert_eq!(mode_of(&output, "a.har"), 0o600);
    assert_eq!(std::fs::read_dir(output.home.path()).unwrap().count(), 1);
}

#[test]
fn an_archive_is_one_whenever_the_program_dies() {
    let server = RawServer::open(|peer| {
        peer.send_text("one");
        peer.drain();
    });
    let args = ["connect", &server.url(), "--record", "a.har"];
    let running = wscope(&args).spawn();
    running.stdout.line("one");
    running.signal(Signal::Kill);
    let output = running.wait();
    let archive: Value = serde_json::from_str(&left(&output, "a.har")).unwrap();
    assert_eq!(said(&archive["log"]["entries"][0]), ["receive one"]);
}

// --- .mmd ----------------------------------------------------------------------------------------

#[test]
fn a_diagram_shows_who_said_what() {
    let server = serve(&[]);
    let output = wscope(&[
        server.url(),
        "-x",
        "%%{init: {}}%% a;b#c<b>",
        "--record",
        "a.mmd",
    ])
    .run()
    .code(0);
    let diagram = left(&output, "a.mmd").replace(server.url(), "URL");
    let message = "#37;#37;{init: {}}#37;#37; a#59;b#35;c#60;b#62;";
    assert_eq!(
        diagram,
        format!(
            "sequenceDiagram\n    \
             participant wscope\n    \
             participant peer1 as URL\n    \
             wscope->>peer1: GET /\n    \
             peer1-->>wscope: 101 Switching Protocols\n    \
             wscope->>peer1: {message}\n    \
             peer1->>wscope: {message}\n    \
             wscope-xpeer1: close 1000\n"
        )
    );
}
