//! The opening handshake against servers that do everything with it: `ping` ends in time, with the
//! right exit code, and says in one line what happened. What it says is in
//! `tests/snapshots/handshake.snap`, and what `connect` says where that differs.

mod harness;

use std::sync::Mutex;
use std::thread;

use harness::golden::{Golden, printed};
use harness::handshakes::{Behaviour, Ends, behaviours};
use harness::program::{Output, wscope};
use harness::raw::RawServer;

/// Who waits for this fails the test: the harness does not wait so long.
const NEVER: &str = "1h";
/// More than the row takes that is slow but whole, on a slow machine too.
const SOON: &str = "2s";
/// How many rows are played at a time: most of them wait for processes and for time.
const PLAYERS: usize = 8;

#[test]
fn ping_says_the_right_thing_of_each() {
    let rows = Mutex::new(behaviours().into_iter().enumerate());
    let played = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..PLAYERS {
            scope.spawn(|| {
                loop {
                    let row = rows.lock().unwrap().next();
                    let Some((number, behaviour)) = row else {
                        return;
                    };
                    let outcome = play(behaviour);
                    played.lock().unwrap().push((number, outcome));
                }
            });
        }
    });
    let mut played = played.into_inner().unwrap();
    played.sort_by_key(|(number, _)| *number);
    let mut golden = Golden::default();
    for (
        _,
        Played {
            name,
            ping,
            connect,
        },
    ) in &played
    {
        golden.add(name, ping);
        if ping.exit() != 0 && printed(connect) != printed(ping) {
            golden.add_remark("connect says", connect);
        }
    }
    golden.check("handshake");
}

struct Played {
    name: String,
    ping: Output,
    connect: Output,
}

fn play(behaviour: Behaviour) -> Played {
    let Behaviour {
        name,
        exit,
        ends,
        mut act,
    } = behaviour;
    let server = RawServer::each(2, move |_, peer| act(peer));
    let url = server.url();
    let patience = match ends {
        Ends::Server => NEVER,
        Ends::Deadline => SOON,
    };
    let run = |args: &[&str]| {
        let common: &[&str] = &[&url, "--connect-timeout", patience];
        wscope(&[args, common].concat()).run()
    };
    let ping = run(&["ping", "-n", "1"]);
    assert_eq!(ping.exit(), exit, "{name}\n{ping}");
    // Where the server ends it, connect may not be the first to close.
    let ending: &[&str] = if exit == 0 { &["-w", "0"] } else { &["--stay"] };
    let connect = run(&[&["connect", "-x", "hello"], ending].concat());
    assert_eq!(connect.exit(), exit, "{name}\n{connect}");
    Played {
        name,
        ping,
        connect,
    }
}

/// The body is waited for as long as a second, and the whole for less.
#[test]
fn a_refusal_stays_one_when_its_body_is_late() {
    let server = RawServer::http(|peer| {
        peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nhalf");
        peer.drain();
    });
    let output = wscope(&["ping", &server.url(), "--connect-timeout", "0.9"]).run();
    output.code(5).says(&["HTTP 403 Forbidden", "-o http://"]);
}
