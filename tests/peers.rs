//! Conversations with node `ws` and python `websockets`, as servers and as clients: two
//! implementations of the protocol that share no code with this one.

mod harness;

use harness::peers::Implementation::{self, NodeWs, PythonWebsockets};
use harness::program::wscope;
use harness::running::Signal;
use harness::served::serve;

/// One test for each implementation.
macro_rules! with_each {
    ($($name:ident: $conversation:path;)*) => {
        mod node_ws {
            $(#[test] fn $name() { $conversation(super::NodeWs); })*
        }
        mod python_websockets {
            $(#[test] fn $name() { $conversation(super::PythonWebsockets); })*
        }
    };
}

with_each! {
    echoes_what_is_piped: super::echoes_what_is_piped;
    echoes_binary: super::echoes_binary;
    sends_messages_of_every_shape: super::sends_messages_of_every_shape;
    sends_ten_megabytes: super::sends_ten_megabytes;
    sends_many_messages: super::sends_many_messages;
    closes_with_a_code: super::closes_with_a_code;
    breaks_off: super::breaks_off;
    answers_pings: super::answers_pings;
    refuses: super::refuses;
    sees_headers_as_they_were_typed: super::sees_headers_as_they_were_typed;
    is_echoed_by_serve: super::is_echoed_by_serve;
    is_closed_by_serve: super::is_closed_by_serve;
    talks_to_listen: super::talks_to_listen;
}

fn echoes_what_is_piped(implementation: Implementation) {
    let Some(server) = implementation.serve() else {
        return;
    };
    let output = wscope(&["connect", &server.url("/echo")])
        .stdin("one\n\nGrüße\n")
        .run();
    output.code(0).stdout("one\n\nGrüße\n").stderr("");
    server.log.line(r#"text "one""#);
    server.log.line(r#"text """#);
    server.log.line("close 1000");
}

fn echoes_binary(implementation: Implementation) {
    let Some(server) = implementation.serve() else {
        return;
    };
    let args = [
        "connect",
        &server.url("/echo"),
        "-b",
        "hex",
        "--output",
        "hex",
    ];
    let output = wscope(&args).stdin("00ff0a\n").run();
    server.log.line("binary 00ff0a");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("00 ff 0a") || text.contains("00ff0a") || text.contains("00ff 0a"),
        "{output}"
    );
    output.code(0).stderr("");
}

fn sends_messages_of_every_shape(implementation: Implementation) {
    let Some(server) = implementation.serve() else {
        return;
    };
    let output = wscope(&["connect", &server.url("/multiline")])
        .spawn()
        .wait();
    output
        .code(0)
        .stdout("line1\nline2\nline3\nsecond message\n\nafter empty\n")
        .stderr("");
    let output = wscope(&["connect", &server.url("/binary"), "-n", "1"]).run();
    output.code(0).stdout(b"\xff\xfe\x00\n\n").stderr("");
}

fn sends_ten_megabytes(implementation: Implementation) {
    let Some(server) = implementation.serve() else {
        return;
    };
    let output = wscope(&["connect", &server.url("/big?n=10485760"), "-n", "1"]).run();
    output
        .code(0)
        .stdout("x".repeat(10 << 20) + "\n")
        .stderr("");
}

fn sends_many_messages(implementation: Implementation) {
    let Some(server) = implementation.serve() else {
        return;
    };
    let expected: String = (0..5000)
        .map(|number| format!("message {number}\n"))
        .collect();
    let output = wscope(&["connect", &server.url("/flood?n=5000")])
        .spawn()
        .wait();
    output.code(0).stdout(expected).stderr("");
}

fn closes_with_a_code(implementation: Implementation) {
    let Some(server) = implementation.serve() else {
        return;
    };
    for (path, code) in [
        ("/close?code=4001&reason=go-away", 8),
        ("/close?code=1000&reason=go-away", 0),
    ] {
        let output = wscope(&["connect", &server.url(path), "--json"])
            .spawn()
            .wait();
        let close = &output.events_of("close")[0];
        assert_eq!(close["reason"], "go-away", "{output}");
        assert_eq!(close["by"], "peer");
        assert_eq!(close["clean"], true);
        output.code(code);
    }
}

fn breaks_off(implementation: Implementation) {
    let Some(server) = implementation.serve() else {
        return;
    };
    let output = wscope(&["connect", &server.url("/abort")]).spawn().wait();
    output.code(8).stdout("").says(&["1006"]);
}

fn answers_pings(implementation: Implementation) {
    let Some(server) = implementation.serve() else {
        return;
    };
    let url = server.url("/silent");
    let args = [
        "connect",
        &url,
        "--json",
        "-P",
        "--slash",
        "-x",
        "/ping abc",
        "--until",
        "op:pong",
    ];
    let output = wscope(&args).run();
    let pongs = output.events_of("pong");
    assert_eq!(pongs.len(), 1, "{output}");
    assert_eq!(pongs[0]["data"], "abc");
    assert!(pongs[0]["rtt_ms"].as_f64() > Some(0.0), "{output}");
    output.code(0);
}

fn refuses(implementation: Implementation) {
    let Some(server) = implementation.serve() else {
        return;
    };
    // Someone must talk to it in earnest: a refusal is no conversation.
    wscope(&["connect", &server.url("/flood?n=1")])
        .run()
        .code(0)
        .stdout("message 0\n");
    let output = wscope(&["connect", &server.url("/401")]).run();
    output
        .code(5)
        .stdout("")
        .says(&["401", "status 401", "--auth"]);
    let output = wscope(&["connect", &server.url("/nowhere")]).run();
    output.code(5).stdout("").says(&["404"]);
}

fn sees_headers_as_they_were_typed(implementation: Implementation) {
    let Some(server) = implementation.serve() else {
        return;
    };
    let url = server.url("/hdr");
    let args = [
        "connect",
        &url,
        "-H",
        "X-Dup: 1",
        "-H",
        "x-dup: 2",
        "--auth",
        "user:pass",
        "-o",
        "http://here",
    ];
    let output = wscope(&args).spawn().wait().code(0).stderr("");
    let headers: Vec<(String, String)> = serde_json::from_slice(&output.stdout).expect("pairs");
    let has = |name: &str, value: &str| headers.contains(&(name.to_owned(), value.to_owned()));
    assert!(has("X-Dup", "1") && has("x-dup", "2"), "{headers:?}");
    assert!(has("Authorization", "Basic dXNlcjpwYXNz"), "{headers:?}");
    assert!(has("Origin", "http://here"), "{headers:?}");
}

fn is_echoed_by_serve(implementation: Implementation) {
    let server = serve(&[]);
    let Some(output) = implementation.client(&["check", server.url()]) else {
        // Otherwise the server complains that nobody came.
        wscope(&["connect", server.url(), "-x", "x"])
            .run()
            .code(0)
            .stdout("x\n");
        return;
    };
    let sizes = [(5, false), (0, false), (4, true), (1 << 20, false)];
    let mut expected: String = sizes
        .iter()
        .map(|(size, binary)| format!("{{\"size\":{size},\"binary\":{binary},\"same\":true}}\n"))
        .collect();
    expected += "{\"pong\":\"are you there\"}\n{\"closed\":4321,\"reason\":\"\"}\n";
    output.code(0).stdout(expected).stderr("");
    let log = server.stop(Signal::Terminate).code(0);
    let close = &log.events_of("close")[0];
    assert_eq!(close["code"], 4321, "{log}");
    assert_eq!(close["reason"], "done");
}

fn is_closed_by_serve(implementation: Implementation) {
    let server = serve(&["--max-message-size", "10"]);
    let Some(output) = implementation.client(&["say", server.url(), "more than ten bytes"]) else {
        wscope(&["connect", server.url(), "-x", "x"])
            .run()
            .code(0)
            .stdout("x\n");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("\"closed\":1009"), "{output}");
    output.code(0);
}

fn talks_to_listen(implementation: Implementation) {
    let running = wscope(&["listen", "0", "-n", "1"]).spawn();
    let line = running.stderr.line("ws://127.0.0.1:");
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("ws://"))
        .expect("a URL");
    let Some(output) = implementation.client(&["say", url, "hello"]) else {
        return;
    };
    running.wait().code(0).stdout("hello\n");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("\"closed\":1001") || text.contains("\"closed\":1000"),
        "{output}"
    );
    output.code(0).stderr("");
}
