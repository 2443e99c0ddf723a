//! TLS over a socket that somebody else watches.

use std::io::{self, Read, Write};

use rustls::ClientConnection;
use tokio_rustls::TlsStream;

/// TLS after its handshake, over a non-blocking socket. What it took to write may wait in its buffer
/// until it is flushed.
#[derive(Debug)]
pub struct NonBlocking<S> {
    connection: ClientConnection,
    socket: S,
}

impl<S: Read + Write> NonBlocking<S> {
    pub const fn new(connection: ClientConnection, socket: S) -> Self {
        Self { connection, socket }
    }

    pub const fn socket(&mut self) -> &mut S {
        &mut self.socket
    }
}

/// The socket below a client's TLS stream, and the state of its connection.
///
/// # Errors
/// The stream is a server's.
pub fn take_apart<B>(stream: TlsStream<B>) -> io::Result<(B, ClientConnection)> {
    match stream {
        TlsStream::Client(stream) => Ok(stream.into_inner()),
        TlsStream::Server(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

impl<S: Read + Write> Read for NonBlocking<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match rustls::Stream::new(&mut self.connection, &mut self.socket).read(buffer) {
            // The end of TCP without a close_notify is an end like any other (see `stream.rs`).
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            read => read,
        }
    }
}

impl<S: Read + Write> Write for NonBlocking<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        rustls::Stream::new(&mut self.connection, &mut self.socket).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        rustls::Stream::new(&mut self.connection, &mut self.socket).flush()
    }
}
