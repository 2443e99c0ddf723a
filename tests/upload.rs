//! `/file PATH --chunks`: files of any size, announced and in pieces, to `serve --save-dir` and to
//! others; what is typed meanwhile; and what becomes of one that is cut off.

mod harness;

use std::fs;
use std::sync::mpsc;

use harness::program::{Output, wscope};
use harness::raw::{BINARY, Peer, RawServer, TEXT};
use harness::running::Signal;
use harness::served::{Served, serve};
use harness::terminal::Terminal;
use serde_json::{Value, json};

/// Bytes in which no piece looks like another.
fn bytes(size: usize) -> Vec<u8> {
    let words =
        (0..size.div_ceil(4) as u32).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes());
    words.take(size).collect()
}

/// Less than what waits for the reader of a server's log, of which nothing may be missing here.
const SIZE: usize = 3 << 20;

/// What the messages that a server got were, in order.
fn got(output: &Output) -> Vec<String> {
    let messages = output.events_of("message").into_iter();
    let incoming = messages.filter(|message| message["dir"] == "in");
    incoming
        .map(|message| match &message["data"] {
            Value::String(text) => text.clone(),
            _ => message["size"].to_string(),
        })
        .collect()
}

#[test]
fn a_file_from_a_pipe_is_stored_byte_for_byte_and_keeps_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let server = serve(&["--mode=sink", "--save-dir", folder]);
    let run = wscope(&["connect", server.url(), "--slash", "-n", "1"])
        .file("photos/big \u{e9}.bin", bytes(SIZE))
        .stdin("before\n/file photos/big \u{e9}.bin --chunks\nafter\n/bin hex:ff\n")
        .run()
        .code(0)
        .says(&["big \u{e9}.bin is sent: 3.1 MB in 48 chunks"]);
    let saved: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (&saved["type"], &saved["size"]),
        (&json!("file-saved"), &json!(SIZE))
    );
    let name = saved["name"].as_str().unwrap();
    assert!(
        fs::read(dir.path().join(name)).unwrap() == bytes(SIZE),
        "{name}"
    );
    let got = got(&server.stop(Signal::Terminate).code(0));
    assert_eq!(got.len(), 1 + 1 + 48 + 2, "{got:?}");
    assert_eq!(got[0], "before");
    assert!(
        got[1].starts_with(r#"{"type":"file-meta","name":"big"#),
        "{got:?}"
    );
    assert_eq!(got[2..50], ["65536"; 48]);
    assert_eq!(got[50..], ["after", "1"]);
}

#[test]
fn what_is_too_large_for_a_message_is_sent_in_little_memory() {
    const SIZE: u64 = 80 << 20;
    let server = serve(&["--mode=sink"]);
    let prepared = wscope(&["connect", server.url(), "--slash"]);
    let file = fs::File::create(prepared.home().join("big")).unwrap();
    file.set_len(SIZE).unwrap();
    let mut running = prepared.spawn();
    let memory = running.watch_memory();
    running.send("/file big");
    running.stderr.line("--chunks sends it in pieces");
    running.send("/file big --chunks");
    running.stderr.line("big is sent: 84 MB in 1,280 chunks");
    running.send("/quit");
    running.end_input();
    running.wait().code(0);
    assert!(memory.peak() < 60 << 20);
}

#[test]
fn one_that_is_cut_off_says_how_far_it_came() {
    let server = serve(&["--max-message-size=1000"]);
    let run = wscope(&["connect", server.url(), "--slash", "--json"])
        // More than the buffers of both systems hold.
        .file("big.bin", bytes(40 << 20))
        .stdin("/file big.bin --chunks\nnever\n")
        .run()
        .code(8);
    let errors = run.events_of("error");
    let cut = errors.iter().find(|error| error["kind"] == "cut").unwrap();
    let message = cut["message"].as_str().unwrap();
    assert!(message.starts_with("big.bin was cut off: "), "{message}");
    assert!(message.ends_with(" of 42 MB were sent"), "{message}");
    assert!(run.events_of("end")[0]["unsent"].as_u64() > Some(1));

    wscope(&["connect", server.url(), "--slash"])
        .stdin("/file no/such --chunks\n")
        .run()
        .code(0)
        .says(&["line 1: /file: no/such: no such file"]);
    wscope(&["connect", server.url(), "--slash", "-x", "/file a --chunks"])
        .file("a", "a")
        .run()
        .code(2)
        .says(&["pipe it in with --slash"]);
}

#[test]
fn what_is_typed_meanwhile_passes_or_waits() {
    // More than the buffers of both systems hold.
    const SIZE: usize = 24 << 20;
    let (tell, typed) = mpsc::channel::<()>();
    let server = RawServer::open(move |peer| {
        let meta = peer.text();
        assert!(meta.contains("file-meta"), "{meta}");
        typed.recv().expect("the test goes on");
        let (mut file, mut waited, mut passed) = (Vec::new(), false, false);
        while !(waited && passed) {
            let frame = peer.frame().expect("more of the file");
            match frame.opcode {
                TEXT => passed = frame.text() == "between",
                // What was typed after the file.
                BINARY if frame.payload == [0xff] => waited = true,
                opcode => {
                    assert!(opcode == BINARY && !waited, "{opcode} after the file");
                    file.extend(frame.payload);
                }
            }
        }
        assert!(file == bytes(SIZE), "{} bytes", file.len());
        peer.send_text("all is here");
        peer.finish_close();
    });
    let mut terminal = Terminal::connected(&["connect", "--line", &server.url()]);
    fs::write(terminal.home().join("big.bin"), bytes(SIZE)).unwrap();
    terminal.line("/file big.bin --chunks");
    terminal.line("/bin hex:ff");
    terminal.line("between");
    tell.send(()).expect("the server waits");
    terminal.shows("all is here");
    terminal.line("/quit");
    assert_eq!(terminal.exits().0, 0);
}

#[test]
fn who_listens_sends_it_to_everyone() {
    let running = wscope(&["listen", "0", "--json", "--slash"])
        .file("a.bin", bytes(200_000))
        .spawn();
    let mut server = Served::start(running);
    let mut peers = [(); 2].map(|()| Peer::connect_open(server.address()));
    for peer in &mut peers {
        peer.send_text("here");
    }
    for _ in 0..2 {
        server.running().stdout.wait_until("both", |bytes| {
            let text = String::from_utf8_lossy(bytes);
            (text.matches("\"here\"").count() == 2).then_some(())
        });
    }
    server.running().send("/file a.bin --chunks");
    server.running().send("after");
    for peer in &mut peers {
        let meta: Value = serde_json::from_str(&peer.text()).unwrap();
        assert_eq!(
            meta,
            json!({"type": "file-meta", "name": "a.bin", "size": 200_000})
        );
        let file: Vec<u8> = (0..4).flat_map(|_| peer.frame().unwrap().payload).collect();
        assert!(file == bytes(200_000));
        assert_eq!(peer.text(), "after");
    }
    let output = server.stop(Signal::Terminate);
    assert!(!output.events_of("message").is_empty());
}
