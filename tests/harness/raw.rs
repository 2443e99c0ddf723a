//! Peers that are nothing but TCP: they send any bytes, right or wrong, and see every byte that
//! comes. Their frames are made and read here, apart from the program's own code.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::{ServerConfig, ServerConnection};
use sha1::{Digest, Sha1};

use super::DEADLINE;

pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;

/// What makes a request an opening handshake, beside its Host.
pub const UPGRADE: &[&str] = &[
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// A server that accepts connections one after another and hands each to the script. Its Drop fails
/// the test where the script did not run to its end on every connection that it was made for.
pub struct RawServer {
    address: SocketAddr,
    /// The address of the connection that ends the wait for more of them.
    last: Arc<Mutex<Option<SocketAddr>>>,
    thread: Option<JoinHandle<usize>>,
    expected: usize,
}

impl RawServer {
    /// One connection whose opening handshake is done rightly.
    pub fn open(script: impl FnOnce(&mut Peer) + Send + 'static) -> Self {
        Self::http(|peer| {
            peer.accept();
            script(peer);
        })
    }

    /// One connection whose request was read and waits for its answer.
    pub fn http(script: impl FnOnce(&mut Peer) + Send + 'static) -> Self {
        let mut script = Some(script);
        Self::each(1, move |_, peer| {
            peer.read_head();
            (script.take().expect("one connection"))(peer);
        })
    }

    /// Answers the request with these bytes and closes.
    pub fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::http(move |peer| peer.send(bytes))
    }

    /// `count` connections, numbered from 1, as they were accepted; a further one is a failure.
    pub fn each(count: usize, script: impl FnMut(usize, &mut Peer) + Send + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), count, script)
    }

    /// The same on a listener of the test's.
    pub fn on(
        listener: TcpListener,
        count: usize,
        mut script: impl FnMut(usize, &mut Peer) + Send + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let last = Arc::new(Mutex::new(None));
        let is_last = Arc::clone(&last);
        let thread = thread::spawn(move || {
            let mut number = 0;
            loop {
                let (stream, from) = listener.accept().unwrap();
                if *is_last.lock().unwrap() == Some(from) {
                    return number;
                }
                number += 1;
                assert!(number <= count, "connection {number} of {count}");
                script(number, &mut Peer::new(stream));
            }
        });
        Self {
            address,
            last,
            thread: Some(thread),
            expected: count,
        }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        {
            let mut last = self.last.lock().unwrap();
            // Refused where the script failed: then the listener is gone.
            let wake = TcpStream::connect(self.address);
            *last = wake.and_then(|stream| stream.local_addr()).ok();
        }
        if thread::panicking() {
            return;
        }
        let served = thread.join().expect("the raw server's script failed");
        assert_eq!(served, self.expected, "connections to the raw server");
    }
}

/// A port on which nothing listens and that nobody else can be given meanwhile: bound, no more.
pub struct QuietPort(socket2::Socket);

impl QuietPort {
    pub fn reserve() -> Self {
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.unwrap();
        socket.bind(&any.into()).unwrap();
        Self(socket)
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> String {
        self.0
            .local_addr()
            .unwrap()
            .as_socket()
            .unwrap()
            .to_string()
    }

    pub fn url(&self) -> String {
        format!("ws://{}/", self.address())
    }

    /// From now on connections are accepted.
    pub fn listen(self) -> TcpListener {
        self.0.listen(16).unwrap();
        self.0.into()
    }
}

/// One end of a TCP connection, whichever role it plays.
pub struct Peer {
    stream: TcpStream,
    /// Request or response, up to the empty line.
    pub head: String,
    /// The key with which its frames are masked: a client's are.
    mask: Option<[u8; 4]>,
    resets: bool,
    /// How many bytes of each send go one by one.
    segments: usize,
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self {
            stream,
            head: String::new(),
            mask: None,
            resets: false,
            segments: 0,
        }
    }

    /// A client that has sent nothing yet.
    pub fn dial(address: &str) -> Self {
        let mut peer = Self::new(TcpStream::connect(address).unwrap());
        peer.mask = Some([0x37, 0xfa, 0x21, 0x3d]);
        peer
    }

    /// A client that has sent `head` (lines without their CR LF) and read the answer's head.
    pub fn connect(address: &str, head: &[&str]) -> Self {
        let mut peer = Self::dial(address);
        peer.send(format!("{}\r\n\r\n", head.join("\r\n")));
        peer.read_head();
        peer
    }

    /// A client whose opening handshake is right and was accepted.
    #[track_caller]
    pub fn connect_open(address: &str) -> Self {
        let peer = Self::connect_with(address, &[]);
        assert!(peer.head.starts_with("HTTP/1.1 101"), "{}", peer.head);
        peer
    }

    /// A client that has sent a right request with more headers and read the answer's head.
    pub fn connect_with(address: &str, more: &[&str]) -> Self {
        let host = format!("Host: {address}");
        let mut lines = vec!["GET / HTTP/1.1", &host];
        lines.extend_from_slice(UPGRADE);
        lines.extend_from_slice(more);
        Self::connect(address, &lines)
    }

    /// Reads the head of a request or a response; what follows it stays for [`Self::frame`].
    pub fn read_head(&mut self) {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self.stream.read(&mut byte) {
                Ok(1) => bytes.push(byte[0]),
                _ => break,
            }
        }
        self.head = String::from_utf8_lossy(&bytes).into_owned();
    }

    /// The values of a header of the head, in order; names compare without case.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// The `Sec-WebSocket-Accept` that answers the request.
    pub fn accept_key(&self) -> String {
        let key = self.header("Sec-WebSocket-Key").concat();
        let hash = Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
        BASE64_STANDARD.encode(hash)
    }

    /// Answers with a right 101.
    pub fn accept(&mut self) {
        self.accept_with(&[]);
    }

    /// Answers with a 101 that has more headers.
    pub fn accept_with(&mut self, more: &[&str]) {
        let more: String = more.iter().map(|line| format!("{line}\r\n")).collect();
        let accept = self.accept_key();
        self.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
        ));
    }

    /// Sends bytes as they are. The other side may have left: that is for the test to judge by what
    /// the program says.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _gone = self.try_send(bytes.as_ref());
    }

    /// Sends bytes as they are; whether there was someone to send them to.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        let (segments, rest) = bytes.split_at(bytes.len().min(self.segments));
        let mut segments = segments.chunks(1);
        segments.all(|segment| self.stream.write_all(segment).is_ok())
            && self.stream.write_all(rest).is_ok()
    }

    /// From now on the first bytes of each send go one by one, in TCP segments of their own.
    pub fn send_in_segments(&mut self, most: usize) {
        self.segments = most;
    }

    pub fn send_text(&mut self, text: &str) {
        self.send_frame(TEXT, text);
    }

    /// A whole frame (FIN set, shortest length), masked where a client sends it.
    pub fn send_frame(&mut self, opcode: u8, payload: impl AsRef<[u8]>) {
        self.send(encode(0x80 | opcode, self.mask, payload.as_ref()));
    }

    /// A frame with any first byte (FIN, RSV1-3, opcode), masked where a client sends it.
    pub fn send_raw(&mut self, first: u8, payload: impl AsRef<[u8]>) {
        self.send(encode(first, self.mask, payload.as_ref()));
    }

    /// The key with which its frames are masked, if they are.
    pub fn key(&self) -> Option<[u8; 4]> {
        self.mask
    }

    /// From now on a send that finds no room for this long has failed.
    pub fn gives_up_after(&mut self, patience: Duration) {
        self.stream.set_write_timeout(Some(patience)).unwrap();
    }

    /// Ends its sending side; what comes can still be read.
    pub fn end_sending(&mut self) {
        // The other side may have left: that is for the test to judge.
        let _gone = self.stream.shutdown(Shutdown::Write);
    }

    /// The same connection once more, to read from in another thread. Only the first one ends it.
    pub fn reader(&self) -> Self {
        let mut reader = Self::new(self.stream.try_clone().unwrap());
        reader.resets = true;
        reader
    }

    pub fn send_close(&mut self, code: u16, reason: &str) {
        self.send_frame(CLOSE, close_payload(code, reason));
    }

    /// Waits for the first bytes, whatever they are, and takes what has come.
    pub fn hear(&mut self) -> Vec<u8> {
        let mut heard = vec![0; 4096];
        let count = self.stream.read(&mut heard).unwrap_or_default();
        heard.truncate(count);
        heard
    }

    /// Waits this long for something that must not come: the other side neither says anything nor
    /// leaves meanwhile.
    #[track_caller]
    pub fn hears_nothing_for(&mut self, time: Duration) {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let heard = self.stream.peek(&mut [0]);
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let is_silence = heard.as_ref().is_err_and(|error| {
            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        });
        assert!(is_silence, "not {time:?} of silence: {heard:?}");
    }

    /// Speaks TLS as a server until the other side leaves, and answers nothing.
    pub fn speak_tls(&mut self, config: ServerConfig) {
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        while matches!(tls.complete_io(&mut self.stream), Ok((1.., _))) {}
    }

    /// The next frame, unmasked; `None` at the end of the stream.
    pub fn frame(&mut self) -> Option<Frame> {
        let [first, second] = self.read_exactly()?;
        let length = match second & 0x7f {
            126 => u64::from(u16::from_be_bytes(self.read_exactly()?)),
            127 => u64::from_be_bytes(self.read_exactly()?),
            short => u64::from(short),
        };
        let mask: Option<[u8; 4]> = match second & 0x80 {
            0 => None,
            _ => Some(self.read_exactly()?),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload).ok()?;
        if let Some(key) = mask {
            apply_mask(key, &mut payload);
        }
        Some(Frame {
            fin: first & 0x80 != 0,
            compressed: first & 0x40 != 0,
            opcode: first & 0x0f,
            masked: mask.is_some(),
            payload,
        })
    }

    /// The next frame that is a message; its text.
    #[track_caller]
    pub fn text(&mut self) -> String {
        loop {
            let frame = self.frame().expect("a text frame before the end");
            if frame.opcode == TEXT {
                return frame.text();
            }
            assert_ne!(frame.opcode, CLOSE, "closed: {frame:?}");
        }
    }

    /// Reads on to the Close frame; its code (1005 without one) and reason.
    #[track_caller]
    pub fn close_frame(&mut self) -> (u16, String) {
        loop {
            let frame = self.frame().expect("a Close frame before the end");
            if frame.opcode == CLOSE {
                return frame.close();
            }
        }
    }

    /// Reads and discards to the end; whether TCP ended properly (FIN, not RST).
    pub fn drain(&mut self) -> bool {
        let mut buffer = [0; 64 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// Closes rightly after the peer's Close: sends `code` back and ends TCP.
    pub fn finish_close(&mut self) {
        let (code, _) = self.close_frame();
        match code {
            1005 => self.send_frame(CLOSE, ""),
            code => self.send_close(code, ""),
        }
    }

    /// All that comes until the peer ends the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A peer that breaks it off has said what it had to say.
        let _ended = self.stream.read_to_end(&mut rest);
        rest
    }

    /// Has the end of the script end the connection with a reset, without any closing.
    pub fn reset(&mut self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        self.resets = true;
    }

    fn read_exactly<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

impl Drop for Peer {
    /// Ends TCP in order: what was sent must arrive, and closing with unread bytes would be a reset.
    fn drop(&mut self) {
        if !self.resets && self.stream.shutdown(Shutdown::Write).is_ok() {
            self.drain();
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub fin: bool,
    /// RSV1, which says so where permessage-deflate was agreed on.
    pub compressed: bool,
    pub opcode: u8,
    pub masked: bool,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn text(&self) -> String {
        String::from_utf8(self.payload.clone()).expect("text is UTF-8")
    }

    fn close(&self) -> (u16, String) {
        match self.payload.as_slice() {
            [high, low, reason @ ..] => (
                u16::from_be_bytes([*high, *low]),
                String::from_utf8_lossy(reason).into_owned(),
            ),
            _ => (1005, String::new()),
        }
    }
}

pub fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    payload
}

/// A frame with any first byte (FIN, RSV1-3, opcode).
pub fn encode(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(masked | u8::try_from(length).unwrap()),
        length @ 126..0x1_0000 => {
            bytes.push(masked | 126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(masked | 127);
            bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    let mut payload = payload.to_vec();
    if let Some(key) = mask {
        bytes.extend(key);
        apply_mask(key, &mut payload);
    }
    bytes.extend(payload);
    bytes
}

fn apply_mask(key: [u8; 4], payload: &mut [u8]) {
    for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}
