//! The picture at the top of the README: the real program on a pseudo-terminal, as an SVG.
//!
//! `BLESS=1 cargo test --test picture` draws `docs/screen.svg` anew.

#[path = "../harness/mod.rs"]
mod harness;
mod svg;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use harness::raw::{Frame, PING, PONG, Peer, RawServer};
use harness::terminal::{CTRL_C, ENTER, ESC, Terminal};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/screen.svg");

/// Room for everything that the screen shows.
const SIZE: (u16, u16) = (132, 36);

/// The pause between two ticks of a price.
const TICK: Duration = Duration::from_millis(37);
/// How long the first connection lasts.
const FIRST: Duration = Duration::from_millis(2_500);

const QUESTION: &str = r#"{"op":"sub","ch":"trades","id":7}"#;
const ANSWER: &str =
    r#"{"id":7,"ok":true,"ch":"trades","server":{"node":"eu-3","epoch":1795183331}}"#;

/// A feed of prices that answers, after the time that a network takes.
fn feed(number: usize, peer: &mut Peer) {
    peer.read_head();
    peer.accept_with(&["Sec-WebSocket-Protocol: json.v2"]);
    let mut reader = peer.reader();
    let (tell, frames) = mpsc::channel::<Frame>();
    thread::spawn(move || {
        while let Some(frame) = reader.frame() {
            let is_close = frame.opcode == 8;
            if tell.send(frame).is_err() || is_close {
                return;
            }
        }
    });
    let until = (number == 1).then(|| Instant::now() + FIRST);
    for tick in 0_u64.. {
        if until.is_some_and(|until| Instant::now() >= until) {
            return peer.reset();
        }
        match frames.recv_timeout(TICK) {
            Ok(frame) if frame.opcode == PING => {
                thread::sleep(Duration::from_millis(18 + tick * 7 % 23));
                peer.send_frame(PONG, &frame.payload);
            }
            Ok(frame) if frame.payload == QUESTION.as_bytes() => {
                thread::sleep(Duration::from_millis(23));
                peer.send_text(ANSWER);
            }
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                peer.send_close(1000, "");
                peer.drain();
                return;
            }
            Err(RecvTimeoutError::Timeout) => {
                let symbol = ["EURUSD", "GBPUSD", "USDJPY"][tick as usize % 3];
                let bid = 1_080 + tick * 7 % 40;
                peer.send_text(&format!(
                    r#"{{"type":"tick","sym":"{symbol}","bid":1.{bid},"seq":{tick}}}"#
                ));
            }
        }
    }
}

#[test]
fn the_picture_of_the_readme_is_of_the_real_program() {
    let server = RawServer::each(2, feed);
    let args = [
        "connect",
        &server.url().replace("127.0.0.1", "localhost"),
        "-s",
        "json.v2",
        "-r",
        "--backoff",
        "base=700ms,jitter=0",
        "--heartbeat",
        "150ms/9s",
    ];
    let mut terminal = Terminal::sized(&args, SIZE);
    terminal.until("the second connection, and what came before it", |screen| {
        let contents = screen.contents();
        contents.contains("1 OPEN") && contents.contains("retries 1")
    });
    terminal.line(QUESTION);
    terminal.shows(r#"{"id":7,"ok":true"#);
    terminal.keys(ESC);
    terminal.shows("? help");
    terminal.keys("/json:/id=7");
    terminal.shows("2 hits");
    terminal.keys(ENTER);
    terminal.until("the answer, inspected", |screen| {
        screen.contents().contains("reply to #")
    });
    terminal.keys("i");
    terminal.paste(r#"{"op":"unsub","ch":"trades","id":8}"#);
    terminal.until("everything that the picture is to show", |screen| {
        let contents = screen.contents();
        contents.contains("json ok") && contents.contains("new  (f follow)")
    });
    let picture = svg::of(&terminal.screen());
    terminal.keys(CTRL_C);
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
    for text in ["OPEN", "Frames", "Round", "json:/id=7", "eu-3", "unsub"] {
        assert!(picture.contains(text), "{text} is not in {picture}");
    }
    if env::var_os("BLESS").is_some() {
        fs::write(FILE, picture).unwrap();
    }
    let readme = include_str!("../../README.md");
    assert!(readme.contains("(docs/screen.svg)") && fs::exists(FILE).unwrap());
}
