//! `--reconnect`: when it tries again, when it does not, and what it sends again. Delays are made
//! short by `--backoff`; the default ones are tested in the library.

mod harness;

use harness::program::wscope;
use harness::raw::{Peer, QuietPort, RawServer};

const FAST: &str = "base=20ms,jitter=0";

#[test]
fn a_lost_connection_is_opened_again_and_the_first_messages_are_sent_again() {
    let server = RawServer::each(2, |number, peer| {
        peer.read_head();
        peer.accept();
        assert_eq!([peer.text(), peer.text()], ["login", "subscribe"]);
        peer.send_text(&format!("connection {number}"));
        if number == 2 {
            peer.send_close(1000, "");
        }
    });
    let args = [
        "connect",
        &server.url(),
        "-x",
        "login",
        "-x",
        "subscribe",
        "-r",
        "--backoff",
        FAST,
        "--stay",
    ];
    let output = wscope(&args).spawn().wait();
    output
        .code(0)
        .stdout("connection 1\nconnection 2\n")
        .says(&["1006"]);
}

#[test]
fn each_try_is_an_event_and_each_connection_has_its_number() {
    let server = RawServer::each(3, |number, peer| {
        peer.read_head();
        if number == 2 {
            return;
        }
        peer.accept();
        if number == 3 {
            peer.send_close(1000, "");
        }
    });
    let output = wscope(&["connect", &server.url(), "--json", "-r", "--backoff", FAST])
        .spawn()
        .wait();
    let retries = output.events_of("retry");
    let attempts: Vec<_> = retries
        .iter()
        .map(|retry| retry["attempt"].clone())
        .collect();
    let delays: Vec<_> = retries
        .iter()
        .map(|retry| retry["delay_ms"].as_f64())
        .collect();
    assert_eq!(attempts, [1, 2], "{output}");
    assert_eq!(delays, [Some(20.0), Some(40.0)], "{output}");
    let opened: Vec<_> = output
        .events_of("open")
        .iter()
        .map(|open| open["conn"].clone())
        .collect();
    assert_eq!(opened, [1, 3], "{output}");
    output.code(0);
}

#[test]
fn what_will_not_change_is_not_tried_again() {
    for code in [1000, 1008, 4001, 4003] {
        let server = RawServer::each(1, move |_, peer| {
            peer.read_head();
            peer.accept();
            peer.send_close(code, "");
        });
        let output = wscope(&["connect", &server.url(), "-r", "--backoff", FAST])
            .spawn()
            .wait();
        output.code(if code == 1000 { 0 } else { 8 }).stdout("");
    }
    for status in [400, 401, 403, 404, 426] {
        let server =
            RawServer::answering(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"));
        let output = wscope(&["connect", &server.url(), "-r", "--backoff", FAST]).run();
        output.code(5).stdout("").says(&[&status.to_string()]);
    }
}

#[test]
fn what_may_pass_is_tried_again() {
    for first in [1001, 1011, 1012, 4000] {
        let server = RawServer::each(2, move |number, peer| {
            peer.read_head();
            peer.accept();
            peer.send_close(if number == 1 { first } else { 1000 }, "");
        });
        let output = wscope(&["connect", &server.url(), "-r", "--backoff", FAST])
            .spawn()
            .wait();
        output.code(0).stdout("");
    }
}

#[test]
fn retry_after_is_honoured() {
    let server = RawServer::each(2, |number, peer| {
        peer.read_head();
        if number == 1 {
            peer.send("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
        } else {
            peer.accept();
            peer.send_close(1000, "");
        }
    });
    let output = wscope(&["connect", &server.url(), "--json", "-r", "--backoff", FAST])
        .spawn()
        .wait();
    let delay = output.events_of("retry")[0]["delay_ms"].as_f64();
    assert!(delay >= Some(1000.0), "{delay:?}\n{output}");
    output.code(0);
}

#[test]
fn when_all_tries_failed_the_last_failure_decides() {
    let port = QuietPort::reserve();
    let url = port.url();
    let args = [
        "connect",
        &url,
        "--json",
        "-r",
        "--backoff",
        FAST,
        "--max-retries",
        "2",
    ];
    let output = wscope(&args).run();
    assert_eq!(output.events_of("retry").len(), 2, "{output}");
    assert_eq!(output.events_of("end")[0]["exit"], 3);
    output.code(3);
}

#[test]
fn input_is_kept_while_there_is_no_connection() {
    let server = RawServer::each(2, |number, peer| {
        peer.read_head();
        peer.accept();
        if number == 1 {
            assert_eq!(peer.text(), "one");
            return;
        }
        assert_eq!(peer.text(), "two");
        peer.finish_close();
    });
    let args = [
        "connect",
        &server.url(),
        "--json",
        "-r",
        "--backoff",
        FAST,
        "-w",
        "0",
    ];
    let mut running = wscope(&args).spawn();
    running.send("one");
    running.stdout.line(r#""event":"retry""#);
    running.send("two");
    running.end_input();
    let output = running.wait().code(0);
    let sent: Vec<_> = output
        .events_of("message")
        .iter()
        .map(|message| message["data"].clone())
        .collect();
    assert_eq!(sent, ["one", "two"], "{output}");
}

#[test]
fn without_the_flag_nothing_is_tried_again() {
    let server = RawServer::open(|_| ());
    let output = wscope(&["connect", &server.url()]).spawn().wait();
    output.code(8).stdout("").says(&["1006"]);
}

#[test]
fn a_server_that_is_still_starting_is_waited_for() {
    let port = QuietPort::reserve();
    let url = port.url();
    let running = wscope(&[
        "connect",
        &url,
        "--json",
        "--wait-for-server",
        "20s",
        "-x",
        "hi",
    ])
    .spawn();
    running.stdout.line("CONNECTING");
    let server = RawServer::on(port.listen(), 1, |_, peer| {
        peer.read_head();
        peer.accept();
        assert_eq!(peer.text(), "hi");
        peer.send_text("hello");
        Peer::finish_close(peer);
    });
    running.stdout.line(r#""data":"hello""#);
    running.wait().code(0);
    drop(server);
}

#[test]
fn waiting_for_a_server_has_an_end() {
    let port = QuietPort::reserve();
    let url = port.url();
    let output = wscope(&["connect", &url, "--wait-for-server", "0.3"]).run();
    output.code(3).stdout("").says(&["refused"]);
}
