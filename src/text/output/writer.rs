//! The thread that writes: takes from the queue, in order, and waits for whoever reads.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Printer;
use super::queue::{Content, Piece, Queue, Shared, Stream};

/// What is printed above an editor's line at once, at most (a larger single piece stays whole).
const PRINT: usize = 64 * 1024;

/// The least time between two of those.
const PRINT_EVERY: Duration = Duration::from_millis(33);

/// What is made later is written in pieces of this size.
const PIECE: usize = 64 * 1024;

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
        /// What that counted for in the queue.
        taken: usize,
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
                    let taken = piece.len();
                    self.write(piece);
                    taken
                }
                Work::Print {
                    text,
                    taken,
                    printer,
                    borrower,
                } => {
                    self.print(&text, printer, borrower);
                    taken
                }
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
            let (text, taken) = self.sinks.take_text(&mut queue);
            return Some(Work::Print {
                text,
                taken,
                printer,
                borrower: queue.borrower,
            });
        }
    }

    fn print(&mut self, text: &[u8], mut printer: Box<dyn Printer>, borrower: u64) {
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
                self.write(Piece {
                    stream: Stream::Data,
                    content: Content::Bytes(text.into_bytes()),
                });
                self.shared.lock().printer = None;
            }
        }
    }

    fn write(&mut self, piece: Piece) {
        match piece.stream {
            Stream::Data if !self.shared.status.borrow().open => {}
            Stream::Data => {
                if let Err(cause) = write_to(&mut self.sinks.data, piece.content) {
                    let failure = (!self.is_gone(&cause)).then_some(cause);
                    self.shared.close(failure);
                }
            }
            Stream::Talk => {
                // Nobody is left to be told.
                let _ = write_to(&mut self.sinks.talk, piece.content);
            }
        }
    }

    /// Whether the reader went away: of a pipe, or of a terminal that hung up.
    fn is_gone(&self, cause: &io::Error) -> bool {
        #[cfg(unix)]
        let hung_up = cause.raw_os_error() == Some(nix::errno::Errno::EIO as i32);
        #[cfg(not(unix))]
        let hung_up = false;
        cause.kind() == ErrorKind::BrokenPipe || hung_up && !self.shared.watch_stdout
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

    /// The first pieces, as far as they go to the terminal, and what they counted for.
    fn take_text(&self, queue: &mut Queue) -> (Vec<u8>, usize) {
        let mut text = Vec::new();
        let mut taken = 0;
        while let Some(piece) = queue.pieces.front()
            && self.is_terminal(piece.stream)
            && (taken == 0 || taken + piece.len() <= PRINT)
            && let Some(piece) = queue.pieces.pop_front()
        {
            taken += piece.len();
            // Writing to memory does not fail.
            let _ = write_to(&mut text, piece.content);
        }
        (text, taken)
    }
}

fn write_to(sink: &mut (impl Write + ?Sized), content: Content) -> io::Result<()> {
    match content {
        Content::Bytes(bytes) => write_whole(sink, &bytes),
        Content::Later { make, .. } => {
            let mut pieces = BufWriter::with_capacity(PIECE, Patient(sink));
            make(&mut pieces)?;
            pieces.flush()
        }
    }
}

/// A sink that takes all it is given, however often it has to be asked.
struct Patient<'a, W: ?Sized>(&'a mut W);

impl<W: Write + ?Sized> Write for Patient<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_whole(self.0, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        write_whole(self.0, &[])
    }
}

/// `write_all` and `flush`, with patience for a stream that is non-blocking.
fn write_whole(sink: &mut (impl Write + ?Sized), mut bytes: &[u8]) -> io::Result<()> {
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
