//! The full screen on a terminal that is slow, or takes nothing at all: it holds up neither keys nor the
//! socket, and does not keep anyone from leaving.

mod harness;

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;

use harness::DEADLINE;
use harness::captured::Captured;
use harness::raw::RawServer;
use harness::running::peak_memory;
use harness::terminal::{CTRL_C, ESC, SIZE, Terminal};
use portable_pty::CommandBuilder;

/// Reads a terminal only while the gate is open.
struct Gated {
    source: Box<dyn Read + Send>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Read for Gated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (open, changed) = &*self.gate;
        let guard = open.lock().unwrap();
        drop(changed.wait_while(guard, |open| !*open).unwrap());
        self.source.read(buffer)
    }
}

#[test]
fn a_terminal_that_takes_nothing_holds_up_neither_keys_nor_the_socket() {
    const FLOOD: usize = 300_000;
    let (tell, stuck) = mpsc::channel::<()>();
    let (finished, flooded) = mpsc::channel::<()>();
    let server = RawServer::open(move |peer| {
        peer.send_text("before");
        stuck.recv().expect("the test goes on");
        // 200 messages at a time, 32 bytes each.
        let frame = [&[0x81, 32][..], &[b'x'; 32]].concat();
        let many = frame.repeat(200);
        for _ in 0..FLOOD / 200 {
            peer.send(&many);
        }
        finished.send(()).expect("the test goes on");
        // Typed while the terminal took nothing.
        assert_eq!(peer.text(), "typed into the dark");
        peer.send_text("heard");
        peer.finish_close();
    });
    let gate = Arc::new((Mutex::new(true), Condvar::new()));
    let theirs = Arc::clone(&gate);
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wscope"));
    command.args(["connect", &server.url()]);
    let follow = |source| {
        Captured::follow(Gated {
            source,
            gate: theirs,
        })
    };
    let mut terminal = Terminal::run(command, SIZE, None, follow);
    terminal.shows("before");
    *gate.0.lock().unwrap() = false;
    tell.send(()).expect("the server waits");
    flooded
        .recv_timeout(DEADLINE)
        .expect("the socket is read although the terminal takes nothing");
    terminal.line("typed into the dark");
    #[cfg(target_os = "linux")]
    assert!(peak_memory(terminal.process()) < 300 << 20);
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    terminal.until("the answer, and what was dropped", |screen| {
        let contents = screen.contents();
        contents.contains("heard") && contents.contains("evicted 200k")
    });
    terminal.keys(CTRL_C);
    assert_eq!(terminal.exits().0, 0);
}

/// The ways to leave.
#[derive(Debug, Clone, Copy)]
enum Leave {
    Key,
    Signal,
    /// Twice, to a server that does not answer.
    Signals,
}

#[test]
fn a_terminal_that_takes_nothing_does_not_keep_one_from_leaving() {
    for leave in [Leave::Key, Leave::Signal, Leave::Signals] {
        let server = RawServer::open(move |peer| {
            peer.frame();
            if !matches!(leave, Leave::Signals) {
                peer.send_close(1000, "");
            }
            peer.drain();
        });
        let gate = Arc::new((Mutex::new(true), Condvar::new()));
        let theirs = Arc::clone(&gate);
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wscope"));
        command.args(["connect", &server.url(), "--heartbeat", "off"]);
        let follow = |source| {
            Captured::follow(Gated {
                source,
                gate: theirs,
            })
        };
        let mut terminal = Terminal::run(command, (200, 60), None, follow);
        terminal.shows("1 OPEN");
        terminal.keys(ESC);
        terminal.shows("? help");
        *gate.0.lock().unwrap() = false;
        // More than a pseudo-terminal holds is drawn.
        for _ in 0..10 {
            terminal.keys("\x0c");
        }
        match leave {
            Leave::Key => terminal.keys("q"),
            Leave::Signal => terminal.signal("TERM"),
            Leave::Signals => {
                terminal.signal("TERM");
                terminal.signal("TERM");
            }
        }
        terminal.is_given_back();
        assert_eq!(terminal.ends(), 0, "{leave:?}");
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
    }
}

/// Reads a kilobyte of a terminal for each tick.
struct Slow {
    source: Box<dyn Read + Send>,
    ticks: mpsc::Receiver<()>,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // Read at leisure where nobody ticks any more.
        let _over = self.ticks.recv();
        let most = buffer.len().min(1024);
        self.source.read(&mut buffer[..most])
    }
}

#[test]
fn keys_are_obeyed_in_order_while_a_flood_goes_to_a_slow_terminal() {
    /// Of 200 messages each: a kilobyte of the terminal for 40,000 messages that came.
    const BATCHES_A_TICK: usize = 200;
    let (tell, told) = mpsc::channel::<Vec<String>>();
    let (tick, ticks) = mpsc::channel();
    let flood_ticks = tick.clone();
    let server = RawServer::open(move |peer| {
        let mut reader = peer.reader();
        let (hear, texts) = mpsc::channel();
        thread::spawn(move || {
            while let Some(frame) = reader.frame().filter(|frame| frame.opcode == 1) {
                if hear.send(frame.text()).is_err() {
                    return;
                }
            }
        });
        let many = [&[0x81, 32][..], &[b'x'; 32]].concat().repeat(200);
        let mut heard = Vec::new();
        while heard.len() < 3 {
            for _ in 0..BATCHES_A_TICK {
                peer.send(&many);
                heard.extend(texts.try_iter());
            }
            flood_ticks.send(()).expect("the test goes on");
        }
        tell.send(heard).expect("the test goes on");
        peer.send_close(1000, "");
        peer.drain();
    });
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_wscope"));
    command.args(["connect", &server.url(), "--heartbeat", "off"]);
    let follow = |source| Captured::follow(Slow { source, ticks });
    let mut terminal = Terminal::run(command, SIZE, None, follow);
    terminal.says("OPEN");
    for text in ["one", "two", "three"] {
        terminal.line(text);
    }
    let heard = told.recv_timeout(DEADLINE).expect("what was typed");
    assert_eq!(heard, ["one", "two", "three"]);
    #[cfg(target_os = "linux")]
    assert!(peak_memory(terminal.process()) < 300 << 20);
    terminal.keys(CTRL_C);
    assert_eq!(terminal.ends(), 0);
    // Nothing of the terminal was read after the flood.
    drop(tick);
}
