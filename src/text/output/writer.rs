//! The thread that writes: takes from the queue, in order, and waits for whoever reads.

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Piece, Printer, Queue, Shared, Stream};

/// What is printed above an editor's line at once, at most (a larger single piece stays whole).
const PRINT: usize = 64 * 1024;

/// The least time between two of those.
const PRINT_EVERY: Duration = Duration::from_millis(33);

/// A pause before writing again to a stream that somebody else made non-blocking.
const BUSY: Duration = Duration::from_millis(1);

/// The thread that writes.
pub(super) struct Writer {
    shared: Arc<Shared>,
    sinks: Sinks,
    /// When something was last printed above an editor's line.
    printed: Option<Instant>,
}

pub(super) struct Sinks {
    pub(super) data: Box<dyn Write + Send>,
    pub(super) talk: Box<dyn Write + Send>,
    pub(super) talk_is_terminal: bool,
}

/// What the writer took from the queue.
enum Work {
    Write(Piece),
    Print {
        text: Vec<u8>,
        printer: Box<dyn Printer>,
        borrower: u64,
    },
}

impl Writer {
    pub(super) const fn new(shared: Arc<Shared>, sinks: Sinks) -> Self {
        let printed = None;
        Self {
            shared,
            sinks,
            printed,
        }
    }

    /// Writes until all is written and nothing more is to come.
    pub(super) fn run(mut self) {
        while let Some(work) = self.next() {
            let written = match work {
                Work::Write(piece) => {
                    self.write(piece.stream, &piece.bytes);
                    piece.bytes.len()
                }
                Work::Print {
                    text,
                    printer,
                    borrower,
                } => self.print(&text, printer, borrower),
            };
            let mut queue = self.shared.lock();
            queue.bytes -= written;
            self.shared.update_room(&queue);
        }
        self.shared.status.send_modify(|status| status.done = true);
    }

    /// Waits for something to do; `None` when all is done.
    fn next(&mut self) -> Option<Work> {
        let mut queue = self.shared.lock();
        loop {
            let Some(first) = queue.pieces.front() else {
                if queue.ending {
                    return None;
                }
                queue = self
                    .shared
                    .work
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if queue.printer.is_none() || !self.sinks.is_terminal(first.stream) {
                return queue.pieces.pop_front().map(Work::Write);
            }
            let rest = self
                .printed
                .and_then(|printed| (printed + PRINT_EVERY).checked_duration_since(Instant::now()))
                .filter(|rest| !rest.is_zero() && !queue.ending);
            if let Some(rest) = rest {
                queue = self
                    .shared
                    .work
                    .wait_timeout(queue, rest)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
                continue;
            }
            let printer = queue.printer.take()?;
            return Some(Work::Print {
                text: self.sinks.take_text(&mut queue),
                printer,
                borrower: queue.borrower,
            });
        }
    }

    fn print(&mut self, text: &[u8], mut printer: Box<dyn Printer>, borrower: u64) -> usize {
        // A view that writes to a terminal writes text; a raw one may not.
        let printed = printer.print(String::from_utf8_lossy(text).into_owned());
        self.printed = Some(Instant::now());
        match printed {
            Ok(()) => {
                let mut queue = self.shared.lock();
                if queue.borrower == borrower {
                    queue.printer = Some(printer);
                }
            }
            // The editor has ended; its loan is about to.
            Err(text) => {
                self.write(Stream::Data, text.as_bytes());
                self.shared.lock().printer = None;
            }
        }
        text.len()
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) {
        match stream {
            Stream::Data if !self.shared.status.borrow().open => {}
            Stream::Data => {
                if let Err(cause) = write_whole(&mut self.sinks.data, bytes) {
                    let failure = (cause.kind() != ErrorKind::BrokenPipe).then_some(cause);
                    self.shared.close(failure);
                }
            }
            Stream::Talk => {
                // Nobody is left to be told.
                let _ = write_whole(&mut self.sinks.talk, bytes);
            }
        }
    }
}

impl Sinks {
    const fn is_terminal(&self, stream: Stream) -> bool {
        match stream {
            // A line editor runs only where stdout is one.
            Stream::Data => true,
            Stream::Talk => self.talk_is_terminal,
        }
    }

    /// The first pieces, as far as they go to the terminal.
    fn take_text(&self, queue: &mut Queue) -> Vec<u8> {
        let mut text = Vec::new();
        while let Some(piece) = queue.pieces.front()
            && self.is_terminal(piece.stream)
            && (text.is_empty() || text.len() + piece.bytes.len() <= PRINT)
        {
            text.extend_from_slice(&piece.bytes);
            queue.pieces.pop_front();
        }
        text
    }
}

/// `write_all` and `flush`, with patience for a stream that is non-blocking.
fn write_whole(sink: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    loop {
        let result = if bytes.is_empty() {
            sink.flush().map(|()| None)
        } else {
            sink.write(bytes).map(Some)
        };
        match result {
            Ok(None) => return Ok(()),
            Ok(Some(0)) => return Err(ErrorKind::WriteZero.into()),
            Ok(Some(count)) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(BUSY),
            Err(error) => return Err(error),
        }
    }
}
