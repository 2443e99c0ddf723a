//! The owner of stdout and stderr.
//!
//! What is to be written goes into one queue, in order, and a thread of its own writes it: a
//! terminal or a pipe that blocks never blocks the caller. Callers render many messages into one
//! buffer and hand it over; neighbours for the same stream are joined and written as one.
//!
//! The queue has a soft bound of [`BOUND`] bytes: whoever produces without end waits for
//! [`Output::room`] first, so that it is exceeded by one buffer of each producer at most. What would
//! take many times the memory of what it shows is queued as a [`Later`], which is made while it is written.
//!
//! stdout is data: when its reader goes away (`| head -1`), what is queued for it is dropped,
//! quietly, and [`Output::closed`] returns. Other failures (a full disk) do the same and are
//! reported by [`Output::finish`]. stderr is talk: where it fails there is nobody left to tell.
//!
//! A line editor draws on the same terminal. While it does, it lends a [`Printer`]
//! ([`Output::borrow`]), and what goes to the terminal passes through that, in batches, because
//! after each the editor draws its line anew.

mod progress;
mod queue;
mod writer;

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use self::progress::Progress;
use self::queue::{Content, Piece, Shared, Stream};
use self::writer::{Sinks, Writer};
use crate::error::Error;

/// Bytes that may be queued before [`Output::room`] waits.
pub const BOUND: usize = 1 << 20;

/// Writes its text piece by piece, in the writing thread, when its turn has come.
pub type Later = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// Prints above the line that is being edited.
pub trait Printer: Send {
    /// Prints whole lines; may block.
    ///
    /// # Errors
    /// Gives the text back if nobody edits any more; it was not printed.
    fn print(&mut self, text: String) -> Result<(), String>;
}

/// Writes to stdout at once: what is said instead of a run, such as help. That nobody reads it is
/// no error.
///
/// # Errors
/// stdout failed in another way.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(Error::Io {
            doing: "writing to stdout".into(),
            cause,
        }),
        _ => Ok(()),
    }
}

/// A handle of its own to the terminal that is stdout, for a screen that has borrowed it
/// ([`Output::borrow`]): what is written there passes no lock that a blocked write could hold.
///
/// # Errors
/// The system gives no second handle.
#[cfg(unix)]
pub fn screen() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd as _;

    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// The same where a console is no file.
///
/// # Errors
/// The system gives no second handle.
#[cfg(windows)]
pub fn screen() -> io::Result<std::fs::File> {
    use std::os::windows::io::AsHandle as _;

    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}

/// How long a complaint may take: stderr may be the very pipe that nobody reads.
const COMPLAINT: Duration = Duration::from_secs(1);

/// Writes to stderr at once: why there is no run, or how it failed.
pub fn complain(text: &str) {
    let text = text.to_owned();
    let (done, is_done) = mpsc::channel();
    let complaint = thread::Builder::new().spawn(move || {
        // Where it fails there is nobody left to tell.
        let _ = io::stderr().write_all(text.as_bytes());
        let _ = done.send(());
    });
    if complaint.is_ok() {
        let _ = is_done.recv_timeout(COMPLAINT);
    }
}

/// A handle to stdout and stderr. Clones share the queue.
#[derive(Clone)]
pub struct Output {
    shared: Arc<Shared>,
}

impl Output {
    /// The stdout and stderr of the process.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn stdio() -> Result<Self, Error> {
        let progress = Progress::default();
        let sinks = Sinks {
            data: progress.of(io::stdout()),
            talk: progress.of(io::stderr()),
            talk_is_terminal: io::stderr().is_terminal(),
        };
        Self::start(sinks, progress, !io::stdout().is_terminal())
    }

    /// Writes to anything else, for tests.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn to(
        data: impl Write + Send + 'static,
        talk: impl Write + Send + 'static,
    ) -> Result<Self, Error> {
        let progress = Progress::default();
        let sinks = Sinks {
            data: progress.of(data),
            talk: progress.of(talk),
            talk_is_terminal: true,
        };
        Self::start(sinks, progress, false)
    }

    fn start(sinks: Sinks, progress: Progress, watch_stdout: bool) -> Result<Self, Error> {
        let shared = Arc::new(Shared::new(progress, watch_stdout));
        let writer = Writer::new(Arc::clone(&shared), sinks);
        thread::Builder::new()
            .name("output".into())
            .spawn(move || writer.run())
            .map_err(|cause| Error::Io {
                doing: "starting the output thread".into(),
                cause,
            })?;
        Ok(Self { shared })
    }

    /// Queues data for stdout. Dropped once stdout is closed.
    pub fn data(&self, bytes: &[u8]) {
        if !self.is_closed() {
            self.shared.push(Stream::Data, bytes);
        }
    }

    /// Queues data for stdout that is made while it is written and holds `bytes` of memory until
    /// then. Dropped once stdout is closed.
    pub fn data_later(&self, bytes: usize, make: Later) {
        if !self.is_closed() {
            self.shared.enqueue(Piece {
                stream: Stream::Data,
                content: Content::Later { bytes, make },
            });
        }
    }

    /// Queues talk for stderr.
    pub fn talk(&self, bytes: &[u8]) {
        self.shared.push(Stream::Talk, bytes);
    }

    /// Whether less than [`BOUND`] bytes are queued.
    pub fn has_room(&self) -> bool {
        self.shared.status.borrow().room
    }

    /// Returns when there is room. Cancel-safe.
    pub async fn room(&self) {
        self.shared.wait_for(|status| status.room).await;
    }

    /// Whether nobody reads stdout any more, or it failed.
    pub fn is_closed(&self) -> bool {
        !self.shared.status.borrow().open
    }

    /// Returns when nobody reads stdout any more, or it failed; where the system tells, also while
    /// nothing is being written. Cancel-safe, but not free: make it once for a loop, and pin it.
    pub async fn closed(&self) {
        tokio::select! {
            () = self.shared.wait_for(|status| !status.open) => {}
            () = reader_gone(), if self.shared.watch_stdout => self.shared.close(None),
        }
    }

    /// Returns when nothing is queued and nothing is being written. Takes as long as a blocked reader
    /// takes. Cancel-safe.
    pub async fn settled(&self) {
        self.shared.wait_for(|status| status.idle).await;
    }

    /// Passes on what goes to the terminal through a line editor until the answer is dropped.
    #[must_use]
    pub fn borrow(&self, printer: Box<dyn Printer>) -> Borrow {
        let mut queue = self.shared.lock();
        queue.printer = Some(printer);
        queue.borrower += 1;
        Borrow {
            shared: Arc::clone(&self.shared),
            borrower: queue.borrower,
        }
    }

    /// Returns when nothing was taken from the queue for so long, though something waits in it.
    pub async fn stalled(&self, patience: Duration) {
        let mut before = None;
        loop {
            let waits = self.shared.lock().bytes > 0;
            let written = waits.then(|| self.shared.progress.count());
            if waits && written == before {
                return;
            }
            before = written;
            tokio::time::sleep(patience).await;
        }
    }

    /// Returns when all that was queued is written; nothing can be written afterwards. Takes as
    /// long as a blocked reader takes: race it against whatever ends the patience.
    ///
    /// # Errors
    /// stdout failed in another way than that its reader went away.
    pub async fn finish(&self) -> Result<(), Error> {
        self.shared.lock().ending = true;
        self.shared.work.notify_one();
        self.shared.wait_for(|status| status.done).await;
        match self.shared.lock().failure.take() {
            None => Ok(()),
            Some(cause) => Err(Error::Io {
                doing: "writing to stdout".into(),
                cause,
            }),
        }
    }
}

/// A terminal lent to a line editor; dropping it ends the loan.
pub struct Borrow {
    shared: Arc<Shared>,
    borrower: u64,
}

impl Drop for Borrow {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        if queue.borrower == self.borrower {
            queue.printer = None;
            queue.borrower += 1;
        }
        drop(queue);
        self.shared.work.notify_one();
    }
}

/// Returns when the reader of stdout has gone, if that is a pipe.
#[cfg(unix)]
async fn reader_gone() {
    if let Ok(Some(stdout)) = stdout_pipe()
        && stdout.ready(tokio::io::Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// A second handle to stdout, to wait on and never to write to.
#[cfg(unix)]
fn stdout_pipe() -> io::Result<Option<tokio::net::unix::pipe::Sender>> {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;

    let stdout = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?);
    if !stdout.metadata()?.file_type().is_fifo() {
        return Ok(None);
    }
    // Not the checked way: that makes the pipe non-blocking, for everybody who shares it.
    tokio::net::unix::pipe::Sender::from_file_unchecked(stdout).map(Some)
}

#[cfg(not(unix))]
async fn reader_gone() {
    std::future::pending::<()>().await;
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::sync::mpsc;

    use super::*;

    /// Hands on what is written, and fails on demand.
    struct Sink {
        written: mpsc::Sender<Vec<u8>>,
        /// A write waits for one of these: `Err` is its result.
        permits: Option<mpsc::Receiver<io::Result<()>>>,
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(permits) = &self.permits {
                permits.recv().unwrap_or(Ok(()))?;
            }
            let _ = self.written.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn sink() -> (Sink, mpsc::Receiver<Vec<u8>>) {
        let (written, receiver) = mpsc::channel();
        let permits = None;
        (Sink { written, permits }, receiver)
    }

    fn gated_sink() -> (Sink, mpsc::Sender<io::Result<()>>, mpsc::Receiver<Vec<u8>>) {
        let (mut sink, receiver) = sink();
        let (permit, permits) = mpsc::channel();
        sink.permits = Some(permits);
        (sink, permit, receiver)
    }

    #[tokio::test]
    async fn both_streams_are_written_in_order() {
        let (data, written) = sink();
        let talk = Sink {
            written: data.written.clone(),
            permits: None,
        };
        let output = Output::to(data, talk).unwrap();
        output.talk(b"1\n");
        output.data(b"2\n");
        output.data(b"");
        output.talk(b"3\n");
        output.finish().await.unwrap();
        drop(output);
        let all: Vec<u8> = written.into_iter().flatten().collect();
        assert_eq!(all, b"1\n2\n3\n");
    }

    #[tokio::test]
    async fn what_is_made_later_keeps_its_place_and_counts_for_what_it_holds() {
        let (data, permit, written) = gated_sink();
        let output = Output::to(data, io::sink()).unwrap();
        output.data(b"1");
        output.data_later(BOUND, Box::new(|sink| sink.write_all(b"2")));
        output.data(b"3");
        assert!(!output.has_room());
        drop(permit);
        output.room().await;
        output.finish().await.unwrap();
        let all: Vec<u8> = written.try_iter().flatten().collect();
        assert_eq!(all, b"123");
    }

    #[tokio::test]
    async fn a_blocked_stdout_blocks_nobody_and_says_when_there_is_room() {
        let (data, permit, written) = gated_sink();
        let output = Output::to(data, io::sink()).unwrap();
        assert!(output.has_room());
        output.data(&vec![b'x'; BOUND]);
        assert!(!output.has_room());
        output.data(b"more");
        let room = output.room();
        tokio::pin!(room);
        tokio::select! {
            biased;
            () = &mut room => panic!("there is no room"),
            () = tokio::task::yield_now() => {}
        }
        drop(permit);
        room.await;
        output.finish().await.unwrap();
        let count: usize = written.try_iter().map(|bytes| bytes.len()).sum();
        assert_eq!(count, BOUND + 4);
    }

    #[tokio::test]
    async fn a_reader_that_goes_away_is_no_failure() {
        let (data, permit, written) = gated_sink();
        let (talk, said) = sink();
        let output = Output::to(data, talk).unwrap();
        permit.send(Err(ErrorKind::BrokenPipe.into())).unwrap();
        output.data(b"lost");
        output.closed().await;
        assert!(output.is_closed());
        output.data(b"dropped");
        output.talk(b"bye");
        output.finish().await.unwrap();
        assert!(output.has_room());
        assert_eq!(written.try_iter().count(), 0);
        assert_eq!(said.recv().unwrap(), b"bye");
    }

    #[tokio::test]
    async fn a_full_disk_is_reported() {
        let (data, permit, _written) = gated_sink();
        let output = Output::to(data, io::sink()).unwrap();
        permit.send(Err(ErrorKind::WouldBlock.into())).unwrap();
        permit.send(Err(ErrorKind::StorageFull.into())).unwrap();
        output.data(b"x");
        output.closed().await;
        let error = output.finish().await.unwrap_err();
        assert!(error.to_string().starts_with("writing to stdout: "));
    }

    /// Prints into a channel until `left` is used up.
    struct Editor {
        printed: mpsc::Sender<String>,
        left: usize,
    }

    impl Printer for Editor {
        fn print(&mut self, text: String) -> Result<(), String> {
            if self.left == 0 {
                return Err(text);
            }
            self.left -= 1;
            let _ = self.printed.send(text);
            Ok(())
        }
    }

    #[tokio::test]
    async fn an_editor_prints_until_it_ends_and_nothing_is_lost() {
        let (data, written) = sink();
        let output = Output::to(data, io::sink()).unwrap();
        let (printed, prints) = mpsc::channel();
        let borrow = output.borrow(Box::new(Editor { printed, left: 2 }));
        output.data(b"first\n");
        assert_eq!(prints.recv().unwrap(), "first\n");
        // Within the same interval: these are joined, and talk keeps its place among data.
        output.data(b"a\n");
        output.talk(b"b\n");
        output.data(b"c\n");
        let joined: String = prints.recv().unwrap();
        assert!(joined.starts_with("a\n"));
        output.data(b"after\n");
        output.finish().await.unwrap();
        drop(borrow);
        let rest: Vec<u8> = written.try_iter().flatten().collect();
        let all = joined + &String::from_utf8(rest).unwrap();
        assert!(
            all == "a\nb\nc\nafter\n" || all == "a\nc\nafter\n",
            "{all:?}"
        );
    }

    #[tokio::test]
    async fn a_terminal_that_was_given_back_is_written_directly() {
        let (data, written) = sink();
        let output = Output::to(data, io::sink()).unwrap();
        let (printed, prints) = mpsc::channel();
        drop(output.borrow(Box::new(Editor { printed, left: 9 })));
        output.data(b"x\n");
        output.finish().await.unwrap();
        assert_eq!(prints.try_iter().count(), 0);
        assert_eq!(written.recv().unwrap(), b"x\n");
    }
}
