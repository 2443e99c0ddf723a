//! A socket that something can be wrong with: the bottom of a server's stream where faults are to be
//! injected below TLS. Whoever holds its [`Line`] says what goes wrong, and when.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::stream::Socket;

/// How long what still comes after a cut is discarded: closing with unread bytes would be a reset.
const CUT_LINGER: Duration = Duration::from_secs(1);

/// How often a stalled socket looks whether the peer has left.
const STALL_TICK: Duration = Duration::from_millis(500);

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strain {
    /// FIN: nothing more is written, and what comes is not looked at.
    Cut,
    /// RST.
    Reset,
    /// Nothing is read or written any more; TCP stays open until the peer leaves.
    Stall,
    /// At most so many bytes are written at once, and then nothing for a time.
    Pace { bytes: usize, gap: Duration },
    /// Bytes that nobody meant to send.
    Garbage(Vec<u8>),
}

impl Strain {
    /// Whether nothing that came is to be looked at any more.
    pub const fn ends_reading(&self) -> bool {
        matches!(self, Self::Cut | Self::Reset | Self::Stall)
    }
}

/// What goes wrong with one socket; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Line(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    end: Option<End>,
    stalled: bool,
    pace: Option<(usize, Duration)>,
    garbage: Vec<u8>,
    /// The task that waits for the socket.
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Cut,
    Reset,
}

/// The socket.
#[derive(Debug)]
pub struct Impaired {
    /// `None` after a reset.
    socket: Option<Socket>,
    line: Line,
    /// Nothing is written until then.
    rest: Option<Pin<Box<Sleep>>>,
    /// What may still be written of the piece that was begun.
    left: Option<usize>,
    /// The end of the linger, or the next look at a stalled peer.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Line {
    /// From now on this goes wrong too.
    pub fn strain(&self, strain: Strain) {
        let mut state = self.lock();
        match strain {
            Strain::Cut => state.end = Some(End::Cut),
            Strain::Reset => state.end = Some(End::Reset),
            Strain::Stall => state.stalled = true,
            Strain::Pace { bytes, gap } => state.pace = Some((bytes.max(1), gap)),
            Strain::Garbage(mut bytes) => state.garbage.append(&mut bytes),
        }
        let waiting = [state.reader.take(), state.writer.take()];
        waiting.into_iter().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No holder of the lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Impaired {
    /// A socket that nothing is wrong with yet, and the line to it.
    pub fn new(socket: Socket) -> (Self, Line) {
        let line = Line::default();
        let impaired = Self {
            socket: Some(socket),
            line: line.clone(),
            rest: None,
            left: None,
            timer: None,
        };
        (impaired, line)
    }

    /// The TCP connection at the bottom, if it is one.
    pub fn tcp(&self) -> Option<&TcpStream> {
        self.socket.as_ref()?.tcp()
    }

    fn socket(&mut self) -> io::Result<Pin<&mut Socket>> {
        let socket = self.socket.as_mut();
        socket.map(Pin::new).ok_or_else(|| broken(End::Reset))
    }

    /// Ends TCP and discards what still comes, for a while.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.timer.is_none() {
            self.timer = Some(Box::pin(sleep(CUT_LINGER)));
            // TCP takes the end at once; where it cannot, the peer is gone.
            let _ = self.socket()?.poll_shutdown(cx);
        }
        let mut scratch = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match self.socket()?.poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => break,
            }
        }
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(cx).map(Ok),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Waits for the peer to leave, reading nothing.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.socket()?.has_left() {
                return Poll::Ready(Ok(()));
            }
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(sleep(STALL_TICK)));
            ready!(timer.as_mut().poll(cx));
            self.timer = None;
        }
    }

    /// Writes what nobody meant to send.
    fn poll_garbage(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let garbage = std::mem::take(&mut self.line.lock().garbage);
            if garbage.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let written = self.socket()?.poll_write(cx, &garbage);
            let rest = match &written {
                Poll::Ready(Ok(count)) => &garbage[*count..],
                Poll::Ready(Err(_)) => &[],
                Poll::Pending => &garbage[..],
            };
            self.line.lock().garbage.splice(..0, rest.iter().copied());
            ready!(written)?;
        }
    }
}

fn broken(end: End) -> io::Error {
    match end {
        End::Cut => io::ErrorKind::BrokenPipe.into(),
        End::Reset => io::ErrorKind::ConnectionReset.into(),
    }
}

impl Socket {
    /// The TCP connection, if it is one.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(stream) => Some(stream),
            #[cfg(unix)]
            Self::Unix(_) => None,
            Self::Impaired(impaired) => impaired.tcp(),
        }
    }

    /// Whether the peer has ended its side, without reading what is there before that.
    fn has_left(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let ready = match self {
            Self::Tcp(stream) => std::pin::pin!(stream.ready(Interest::READABLE)).poll(&mut cx),
            #[cfg(unix)]
            Self::Unix(stream) => std::pin::pin!(stream.ready(Interest::READABLE)).poll(&mut cx),
            Self::Impaired(_) => return false,
        };
        matches!(ready, Poll::Ready(Ok(ready)) if ready.is_read_closed())
    }
}

impl AsyncRead for Impaired {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (end, stalled) = {
            let mut state = this.line.lock();
            state.reader = Some(cx.waker().clone());
            (state.end, state.stalled)
        };
        match end {
            Some(End::Cut) => return this.poll_cut(cx),
            Some(End::Reset) => {
                if let Some(tcp) = this.tcp() {
                    // Where that fails it ends with a FIN, which is no worse.
                    let _ = tcp.set_zero_linger();
                }
                this.socket = None;
                return Poll::Ready(Err(broken(End::Reset)));
            }
            None if stalled => return this.poll_stalled(cx),
            None => {}
        }
        if let Poll::Ready(Err(error)) = this.poll_garbage(cx) {
            return Poll::Ready(Err(error));
        }
        this.socket()?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Impaired {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let (end, stalled, pace) = {
            let mut state = this.line.lock();
            state.writer = Some(cx.waker().clone());
            (state.end, state.stalled, state.pace)
        };
        if let Some(end) = end {
            return Poll::Ready(Err(broken(end)));
        }
        if stalled {
            return Poll::Pending;
        }
        ready!(this.poll_garbage(cx))?;
        let Some((most, gap)) = pace else {
            return this.socket()?.poll_write(cx, bytes);
        };
        if let Some(rest) = &mut this.rest {
            ready!(rest.as_mut().poll(cx));
            this.rest = None;
        }
        // A piece may hold several small writes; the pause is behind the whole of it.
        let left = this.left.unwrap_or(most).min(most);
        let bytes = &bytes[..bytes.len().min(left)];
        let count = ready!(this.socket()?.poll_write(cx, bytes))?;
        this.left = Some(left - count).filter(|left| *left > 0);
        if this.left.is_none() {
            this.rest = Some(Box::pin(sleep(gap)));
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().socket()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (end, stalled) = {
            let mut state = this.line.lock();
            state.writer = Some(cx.waker().clone());
            (state.end, state.stalled)
        };
        match end {
            Some(_) => Poll::Ready(Ok(())),
            None if stalled => Poll::Pending,
            None => this.socket()?.poll_shutdown(cx),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixStream;

    fn pair() -> (Impaired, Line, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (impaired, line) = Impaired::new(Socket::Unix(ours));
        (impaired, line, theirs)
    }

    #[tokio::test]
    async fn garbage_goes_before_what_is_written_and_a_cut_ends_both_ways() {
        let (mut ours, line, mut theirs) = pair();
        line.strain(Strain::Garbage(b"??".to_vec()));
        ours.write_all(b"hello").await.unwrap();
        line.strain(Strain::Cut);
        assert!(ours.write_all(b"more").await.is_err());
        theirs.write_all(b"unread").await.unwrap();
        let their_end = async {
            let mut heard = Vec::new();
            theirs.read_to_end(&mut heard).await.unwrap();
            drop(theirs);
            heard
        };
        let mut byte = [0];
        let (read, heard) = tokio::join!(ours.read(&mut byte), their_end);
        assert_eq!((read.unwrap(), &heard[..]), (0, &b"??hello"[..]));
    }

    #[tokio::test]
    async fn garbage_leaves_while_there_is_nothing_to_write() {
        let (mut ours, line, mut theirs) = pair();
        let strained = async {
            line.strain(Strain::Garbage(b"?".to_vec()));
            assert_eq!(theirs.read_u8().await.unwrap(), b'?');
            theirs.write_u8(b'!').await.unwrap();
        };
        let (byte, ()) = tokio::join!(ours.read_u8(), strained);
        assert_eq!(byte.unwrap(), b'!');
    }

    #[tokio::test]
    async fn a_pace_gives_so_many_bytes_at_once() {
        let (mut ours, line, mut theirs) = pair();
        let gap = Duration::from_millis(30);
        line.strain(Strain::Pace { bytes: 2, gap });
        let start = std::time::Instant::now();
        assert_eq!(ours.write(b"hello").await.unwrap(), 2);
        ours.write_all(b"llo").await.unwrap();
        assert!(start.elapsed() >= 2 * gap);
        let mut heard = [0; 5];
        theirs.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
    }

    #[tokio::test]
    async fn who_stalls_notices_that_the_peer_left_and_reads_nothing() {
        let (mut ours, line, mut theirs) = pair();
        line.strain(Strain::Stall);
        theirs.write_all(b"hello").await.unwrap();
        drop(theirs);
        let mut bytes = [0; 5];
        assert_eq!(ours.read(&mut bytes).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_reset_is_an_error_for_both() {
        let (mut ours, line, mut theirs) = pair();
        line.strain(Strain::Reset);
        assert!(ours.read_u8().await.is_err() && ours.write_u8(1).await.is_err());
        assert!(theirs.read_u8().await.is_err());
    }
}
