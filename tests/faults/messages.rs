//! Messages that are lost, late or not the same.

use std::time::{Duration, Instant};

use super::{faulty, hits, is_told};
use crate::harness::program::wscope;
use crate::harness::raw::{PING, PONG, Peer, TEXT};
use crate::harness::served::serve;

#[test]
fn messages_are_lost_and_doubled_and_corrupted_and_turned_round() {
    let texts = |fault: &str, count: usize| {
        let server = faulty(&[fault]);
        let mut client = Peer::connect_open(server.address());
        for text in ["one", "two", "three"] {
            client.send_text(text);
        }
        let texts: Vec<String> = (0..count).map(|_| client.text()).collect();
        client.send_close(1000, "");
        assert_eq!(
            client.close_frame().0,
            1000,
            "{fault}: no more than {texts:?}"
        );
        drop(client);
        hits(server);
        texts
    };
    assert_eq!(texts("lose@2msg", 2), ["one", "three"]);
    assert_eq!(texts("dup@/two/", 4), ["one", "two", "two", "three"]);
    assert_eq!(texts("reorder=3", 3), ["three", "two", "one"]);
    assert_eq!(texts("reorder=5", 3), ["three", "two", "one"]);
    assert_eq!(texts("lose:every=2", 2), ["one", "three"]);
    let corrupted = texts("corrupt@1msg", 3);
    assert_eq!(corrupted[1..], ["two", "three"]);
    assert!(
        corrupted[0] != "one" && corrupted[0].len() == 3,
        "{corrupted:?}"
    );
}

#[test]
fn messages_come_later_and_in_order() {
    for mode in ["--mode=echo", "--mode=broadcast"] {
        let server = serve(&["--fault=delay=300ms@1msg", mode]);
        let mut client = Peer::connect_open(server.address());
        let start = Instant::now();
        client.send_text("one");
        client.send_text("two");
        assert_eq!(client.text(), "one");
        assert!(start.elapsed() >= Duration::from_millis(300));
        assert_eq!(client.text(), "two");
        drop(client);
        is_told(server, "delay=300ms@1msg: message 1 by 300ms");
    }
}

#[test]
fn others_are_slow_without_slowing_anybody() {
    let server = serve(&["--fault=delay=1m:conn=1", "--mode=broadcast"]);
    let mut slow = Peer::connect_open(server.address());
    let mut quick = Peer::connect_open(server.address());
    for client in [&mut slow, &mut quick] {
        client.send_frame(PING, "");
        assert_eq!(client.frame().expect("a pong").opcode, PONG);
    }
    quick.send_text("hello");
    assert_eq!(quick.text(), "hello");
    slow.end_sending();
    assert_eq!(slow.rest(), b"", "it would come in a minute");
}

#[test]
fn the_same_seed_draws_the_same() {
    let drawn = |seed: &str| {
        let server = serve(&["--fault=lose:p=0.5", seed]);
        let mut client = Peer::connect_open(server.address());
        for number in 0..30 {
            client.send_text(&number.to_string());
        }
        client.send_close(1000, "");
        let frames = std::iter::from_fn(|| client.frame());
        let texts = frames.filter(|frame| frame.opcode == TEXT);
        let texts: Vec<String> = texts.map(|frame| frame.text()).collect();
        texts
    };
    let first = drawn("--fault-seed=3");
    assert_eq!(first, drawn("--fault-seed=3"));
    assert_ne!(first, drawn("--fault-seed=4"));
}

#[test]
fn a_seed_that_was_drawn_is_told() {
    for (fault, is_drawn) in [("lose:p=0.5", true), ("flaky", true), ("cut", false)] {
        let fault = format!("--fault={fault}");
        let output = wscope(&["serve", "0", &fault, "--duration=0.1"])
            .run()
            .code(0);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said.contains("--fault-seed "), is_drawn, "{output}");
    }
}
