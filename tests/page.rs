//! A browser: headless Chromium, driven by playwright-core. The test page of `serve` in it, and its
//! network panel with HTTP archives.

mod harness;

use std::sync::{Mutex, MutexGuard, PoisonError};

use harness::peers::{page, panel, report as report_in_browser};
use harness::program::wscope;
use harness::raw::{Peer, RawServer};
use harness::running::Signal;
use harness::served::serve;
use serde_json::{Value, json};

/// Browsers take turns: several at once keep a small machine busy for longer than is waited for one.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // Who failed has left too.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn the_page_talks_with_a_client_that_is_not_a_page() {
    let _turn = turn();
    let server = serve(&["--mode=rooms"]);
    let mut other = Peer::connect_open(server.address());
    other.send_text(r#"{"type":"join","room":"lobby"}"#);
    let hear = |peer: &mut Peer| -> Value { serde_json::from_str(&peer.text()).unwrap() };
    assert_eq!(hear(&mut other)["type"], "joined");
    let url = server.url().replace("ws://", "http://");
    let Some(browser) = page(&url) else {
        return;
    };
    let seen = |text: &str| -> Value { serde_json::from_str(&browser.log.line(text)).unwrap() };
    assert_eq!(
        seen("title"),
        json!({"title": "wscope: test page", "state": "3 CLOSED"})
    );
    seen("1 OPEN");
    assert_eq!(seen("rooms")["rooms"], "lobby");
    assert_eq!(hear(&mut other)["state"], "joined");
    let message = hear(&mut other);
    assert_eq!(message["text"], "from the page", "{message}");
    assert!(
        seen("refused")["refused"]
            .as_str()
            .unwrap()
            .contains("JSON")
    );

    let binary = other.frame().unwrap();
    assert_eq!(binary.payload, [0, 0xff, 0x7f]);
    let meta = hear(&mut other);
    assert_eq!(
        (&meta["type"], &meta["name"], &meta["size"]),
        (&json!("file-meta"), &json!("notes.txt"), &json!(150_000))
    );
    let chunks = [(); 3].map(|()| other.frame().unwrap().payload.len());
    assert_eq!(chunks, [65_536, 65_536, 150_000 - 2 * 65_536]);

    let html = json!({"type": "message", "room": "lobby", "text": "<img src=x onerror=alert(1)>"});
    other.send_text(&html.to_string());
    assert_eq!(seen("images"), json!({"images": 0}));
    seen("ready");
    server.stop(Signal::Terminate).code(0);
    assert_eq!(seen("retry")["state"], "3 CLOSED");
    let log = String::from_utf8_lossy(&browser.log.so_far()).into_owned();
    for trouble in ["\"error\"", "\"console\"", "\"request\""] {
        let known = log.lines().filter(|line| line.contains(trouble));
        // Chromium says itself that a connection was refused.
        let unknown = known.filter(|line| !line.contains("WebSocket connection to"));
        assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&str>::new());
    }
}

/// A server that answers the probe, and sends the one connection of the load away with a reason that is
/// markup.
fn hostile() -> RawServer {
    RawServer::each(2, |number, peer| {
        peer.read_head();
        peer.accept();
        let first = peer.frame().expect("a message");
        peer.send_text(&first.text());
        if number == 2 {
            peer.frame();
            peer.send_close(4001, "<script>alert(1)</script>");
        }
        peer.drain();
    })
}

#[test]
fn a_report_is_a_page_that_loads_nothing_and_obeys_nobody() {
    let _turn = turn();
    let server = hostile();
    let url = server.url();
    let flags = [
        "bench",
        &url,
        "-c",
        "1",
        "-d",
        "10s",
        "--warmup",
        "0",
        "--heartbeat",
        "off",
    ];
    let report = ["--report", "html=page.html", "--threshold", "rtt.p99<1h"];
    let output = wscope(&[&flags[..], &report].concat()).run();
    let Some(browser) = report_in_browser(&output.home.path().join("page.html")) else {
        return;
    };
    browser.log.line("done");
    let log = String::from_utf8_lossy(&browser.log.so_far()).into_owned();
    let seen: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (done, pages) = seen.split_last().unwrap();
    assert_eq!(*done, json!({"done": true}));
    assert_eq!(
        pages.len(),
        4,
        "a console message, an error or a request: {log}"
    );
    for page in pages {
        assert_eq!(page["scripts"], 0, "{page}");
        assert_eq!(page["overflow"], false, "{page}");
        let text = page["text"].as_str().unwrap();
        assert!(text.contains("<script>alert(1)</script>"), "{text}");
    }
    assert_ne!(pages[0]["background"], pages[1]["background"]);
}

#[test]
fn the_network_panel_opens_our_archives_and_we_play_its_own() {
    let _turn = turn();
    let server = serve(&[]);
    let url = format!("{}?token=hunter2", server.url());
    let recorded = wscope(&[
        &url,
        "-x",
        "hi",
        "-x",
        "/bin hex:00ff",
        "--slash",
        "--record",
        "ours.har",
    ])
    .run()
    .code(0);
    let home = recorded.home.path();
    let saved = home.join("page.har");
    let Some(browser) = panel(&url, &saved, &home.join("ours.har")) else {
        return;
    };
    browser.log.line("done");
    let log = String::from_utf8_lossy(&browser.log.so_far()).into_owned();
    let shown: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    let shown_url = format!("{}?token=%7B%7Bsecret_token%7D%7D", server.url());
    assert_eq!(
        (&shown["url"], &shown["type"], &shown["status"]),
        (&shown_url.into(), &"websocket".into(), &101.into())
    );
    let frames = [
        "send 1 hi",
        "send 2 AP8=",
        "receive 1 hi",
        "receive 2 AP8=",
        "send 8 1000",
    ];
    assert_eq!(shown["frames"], json!(frames));

    wscope(&["test", "page.har", "-v"])
        .file("page.har", std::fs::read(&saved).unwrap())
        .run()
        .code(0)
        .prints(&[r#"> {"type":"hi","token":"***"}"#, "< /bin hex:00ff"])
        .never_says(&["hunter2"]);
}
