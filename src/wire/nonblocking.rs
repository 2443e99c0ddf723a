//! Sockets for those who watch many of them in an event loop of their own: non-blocking, without
//! tokio. One comes from [`connect`], or from a [`Stream`] that was opened with it.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mio::event::Source;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockRef, Type};

use super::stream::{self, Stream};
use super::tls;

/// A connected socket, or one that is being connected.
#[derive(Debug)]
pub enum Socket {
    Plain(Plain),
    Tls(Box<tls::NonBlocking<Plain>>),
}

/// A socket without TLS.
#[derive(Debug)]
pub enum Plain {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Begins to connect. The socket is writable once it is connected, or has failed
/// ([`Socket::connected`]). With a `source` the local port is chosen when it connects, so that many
/// destinations can share it; `receive_buffer` is about how many bytes the system keeps of what comes.
///
/// # Errors
/// What the system says, such as that there are no more descriptors or ports.
pub fn connect(
    address: SocketAddr,
    source: Option<IpAddr>,
    receive_buffer: Option<u32>,
) -> io::Result<Socket> {
    let kind = Type::STREAM;
    let socket = socket2::Socket::new(Domain::for_address(address), kind, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes as usize)?;
    }
    if let Some(source) = source {
        let _ = choose_port_late(&socket);
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(cause) if is_under_way(&cause) => {}
        Err(cause) => return Err(cause),
    }
    let stream = TcpStream::from_std(socket.into());
    Ok(Socket::Plain(Plain::Tcp(stream)))
}

fn is_under_way(cause: &io::Error) -> bool {
    if cause.kind() == io::ErrorKind::WouldBlock {
        return true;
    }
    #[cfg(unix)]
    if cause.raw_os_error() == Some(nix::errno::Errno::EINPROGRESS as i32) {
        return true;
    }
    false
}

/// Without it a bound socket takes one of the ephemeral ports of its address for itself.
#[cfg(target_os = "linux")]
pub(super) fn choose_port_late(socket: &impl std::os::fd::AsFd) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};
    setsockopt(socket, sockopt::IpBindAddressNoPort, &true).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn choose_port_late<S>(_: &S) -> io::Result<()> {
    Ok(())
}

impl Socket {
    /// Whether a connect has come to its end: `Ok(false)` while it has not.
    ///
    /// # Errors
    /// Why it failed.
    pub fn connected(&self) -> io::Result<bool> {
        let Self::Plain(Plain::Tcp(stream)) = self else {
            return Ok(true);
        };
        if let Some(cause) = stream.take_error()? {
            return Err(cause);
        }
        match stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(cause) if cause.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(cause) => Err(cause),
        }
    }

    fn plain(&mut self) -> &mut Plain {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => tls.socket(),
        }
    }

    /// Ends TCP with a RST, as a machine does that was cut off. No port stays in TIME_WAIT for it.
    pub fn abort(mut self) {
        if let Plain::Tcp(stream) = self.plain() {
            // Where that cannot be had it ends with a FIN.
            let _ = SockRef::from(&*stream).set_linger(Some(Duration::ZERO));
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self.plain() {
            Plain::Tcp(stream) => stream,
            #[cfg(unix)]
            Plain::Unix(stream) => stream,
        }
    }
}

impl TryFrom<Stream> for Socket {
    type Error = io::Error;

    /// Takes over a stream of tokio's.
    fn try_from(stream: Stream) -> io::Result<Self> {
        match stream {
            Stream::Plain(socket) => Plain::try_from(socket).map(Self::Plain),
            Stream::Tls(tls) => {
                let (socket, connection) = tls::take_apart(*tls)?;
                let socket = Plain::try_from(socket)?;
                Ok(Self::Tls(Box::new(tls::NonBlocking::new(
                    connection, socket,
                ))))
            }
        }
    }
}

impl TryFrom<stream::Socket> for Plain {
    type Error = io::Error;

    fn try_from(socket: stream::Socket) -> io::Result<Self> {
        Ok(match socket {
            stream::Socket::Tcp(stream) => Self::Tcp(TcpStream::from_std(stream.into_std()?)),
            #[cfg(unix)]
            stream::Socket::Unix(stream) => Self::Unix(UnixStream::from_std(stream.into_std()?)),
            // Only servers have them.
            stream::Socket::Impaired(_) => return Err(io::ErrorKind::Unsupported.into()),
        })
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

impl Source for Socket {
    fn register(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        self.source().register(registry, token, on)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        self.source().reregister(registry, token, on)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }
}

impl Read for Plain {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
