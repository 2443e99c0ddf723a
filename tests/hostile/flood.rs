//! Much of what is legal, as fast as it goes, by peers that read and by peers that never do.

use std::thread;
use std::time::Duration;

use super::compressed::bomb;
use super::harness::program::{shell, wscope};
use super::harness::raw::{BINARY, PING, PONG, Peer, RawServer, TEXT, encode};
use super::harness::running::Signal;
use super::harness::served::serve;
use super::{DEFLATE, MOST_MEMORY, still_serves};

/// What is sent: the bytes of one batch, and how often.
struct Flood {
    name: &'static str,
    batch: fn(Option<[u8; 4]>) -> Vec<u8>,
    times: usize,
}

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;

const FLOODS: &[Flood] = &[
    Flood {
        name: "empty messages",
        batch: |key| encode(FIN | BINARY, key, b"").repeat(1000),
        times: 50,
    },
    Flood {
        name: "empty pings",
        batch: |key| encode(FIN | PING, key, b"").repeat(1000),
        times: 100,
    },
    Flood {
        name: "full pings",
        batch: |key| encode(FIN | PING, key, &[b'p'; 125]).repeat(1000),
        times: 100,
    },
    Flood {
        name: "pongs that nobody asked for",
        batch: |key| encode(FIN | PONG, key, b"?").repeat(1000),
        times: 100,
    },
    Flood {
        name: "messages in tiny fragments",
        batch: |key| {
            let fragments = encode(0, key, b"x").repeat(9998);
            let last = encode(FIN, key, b"x");
            [encode(BINARY, key, b"x"), fragments, last].concat()
        },
        times: 50,
    },
    Flood {
        name: "messages in empty fragments",
        batch: |key| {
            let fragments = encode(0, key, b"").repeat(9998);
            [encode(BINARY, key, b""), fragments, encode(FIN, key, b"")].concat()
        },
        times: 50,
    },
    Flood {
        name: "messages of 64 KiB",
        batch: |key| encode(FIN | BINARY, key, &[b'x'; 64 << 10]),
        times: 500,
    },
    Flood {
        name: "bombs just below the limit",
        batch: |key| encode(FIN | RSV1 | BINARY, key, &bomb(64)),
        times: 6,
    },
];

/// How long a peer that does not read tries to get rid of more.
const PATIENCE: Duration = Duration::from_millis(500);

impl Flood {
    /// Sends all of it while everything that comes is read, up to the pong that says that all was
    /// taken.
    fn read(&self, peer: &mut Peer) {
        let mut reader = peer.reader();
        thread::scope(|scope| {
            scope.spawn(move || {
                loop {
                    let frame = reader.frame().expect("frames up to the last pong");
                    if frame.opcode == PONG && frame.payload == b"the last" {
                        break;
                    }
                }
            });
            self.send(peer);
            peer.send_raw(FIN | PING, "the last");
        });
    }

    /// Sends as much as is taken and reads nothing.
    fn never_read(&self, peer: &mut Peer) {
        peer.gives_up_after(PATIENCE);
        self.send(peer);
    }

    fn send(&self, peer: &mut Peer) {
        let batch = (self.batch)(peer.key());
        for _ in 0..self.times {
            if !peer.try_send(&batch) {
                break;
            }
        }
    }
}

/// What has to hold messages of 64 MiB is given more room than what holds nothing large.
#[track_caller]
fn assert_small(flood: &Flood, peak: u64) {
    let most = if flood.name.contains("bombs") {
        MOST_MEMORY
    } else {
        MOST_MEMORY / 2
    };
    assert!(
        peak < most,
        "{}: {} MiB at the peak",
        flood.name,
        peak >> 20
    );
}

#[test]
fn serve_withstands_floods() {
    let mut server = serve(&["-P"]);
    for flood in FLOODS {
        let mut peer = Peer::connect_with(server.address(), &[DEFLATE]);
        flood.read(&mut peer);
        peer.send_close(1000, "");
        assert_eq!(peer.close_frame().0, 1000, "{}", flood.name);
        let peak = server.running().peak_memory();
        assert_small(flood, peak);
    }
    server.stop(Signal::Terminate).code(0);
}

#[test]
fn serve_withstands_floods_of_who_never_reads() {
    let mut server = serve(&["-P"]);
    for flood in FLOODS {
        let mut peer = Peer::connect_with(server.address(), &[DEFLATE]);
        flood.never_read(&mut peer);
        peer.reset();
        drop(peer);
        still_serves(server.url());
        let peak = server.running().peak_memory();
        assert_small(flood, peak);
    }
    server.stop(Signal::Terminate).code(0);
}

#[test]
fn connect_withstands_floods() {
    for flood in FLOODS {
        for echo in [true, false] {
            let server = RawServer::http(|peer| {
                peer.accept_with(&[DEFLATE]);
                flood.read(peer);
                peer.send_close(1000, "");
                assert_eq!(peer.close_frame().0, 1000);
                peer.drain();
            });
            play(&server, flood, echo, 0);
        }
    }
}

#[test]
fn connect_withstands_floods_of_who_never_reads() {
    for flood in FLOODS {
        let server = RawServer::http(|peer| {
            peer.accept_with(&[DEFLATE]);
            flood.never_read(peer);
            peer.reset();
        });
        play(&server, flood, true, 8);
    }
}

/// Zeroes are six times as much as JSON, and five times in a dump.
#[test]
fn a_bomb_below_the_limit_is_written_while_it_is_made() {
    let text = encode(FIN | RSV1 | TEXT, None, &bomb(8));
    let binary = encode(FIN | RSV1 | BINARY, None, &bomb(8));
    for (bomb, format) in [
        (&text, "raw"),
        (&text, "ndjson"),
        (&text, "hex"),
        (&text, "pretty"),
        (&binary, "ndjson"),
    ] {
        let bomb = bomb.clone();
        let server = RawServer::http(|peer| {
            peer.accept_with(&[DEFLATE]);
            peer.send(bomb);
            peer.send_close(1000, "");
            peer.close_frame();
        });
        let run = format!(
            "exec \"$WSCOPE\" connect {} --output {format} >/dev/null",
            server.url()
        );
        let running = shell(&run).spawn();
        let memory = running.watch_memory();
        running.wait().code(0);
        let peak = memory.peak();
        // The message itself, and what any run takes; made whole it would be 73 MiB and more.
        assert!(peak < 56 << 20, "{format}: {} MiB at the peak", peak >> 20);
    }
}

#[track_caller]
fn play(server: &RawServer, flood: &Flood, echo: bool, code: i32) {
    let url = server.url();
    let mut args = vec!["connect", &url, "-P"];
    if flood.name.contains("bombs") {
        // Each would be printed.
        args.extend(["--only", "close"]);
    }
    if echo {
        args.push("--echo");
    }
    let running = wscope(&args).spawn();
    let memory = running.watch_memory();
    running.wait().code(code);
    let peak = memory.peak();
    assert_small(flood, peak);
}
