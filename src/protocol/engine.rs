//! One connection's protocol state, in either role.
//!
//! The engine is pulled: the caller reads into a buffer that many connections may share and calls
//! [`Engine::next`] until it answers `None`; then it writes what [`Engine::to_write`] shows, tells
//! [`Engine::written`], and asks [`Engine::next_sent`] until that answers `None`. Only a partial
//! frame is kept. An idle engine in the server role takes less than 300 bytes.
//!
//! The closing handshake (RFC 6455, sections 5.5.1 and 7.1): when we start it, our Close leaves
//! behind what was queued, commands are refused, and messages are still yielded until the peer's
//! Close is there. When the peer starts it, its Close is answered with the same code; a client gives up
//! data that has not begun to leave, a server sends it first. After a violation everything queued leaves before the
//! Close that names the rule.

use std::io::IoSlice;

use bytes::Bytes;

use super::deflate::Agreed;
use super::incoming::Reader;
use super::mask::Keys;
use super::outgoing::Outgoing;
use crate::model::command::Command;

pub use super::incoming::Incoming;
pub use super::outgoing::SendError;
pub use super::rules::{Role, Violation};
pub use super::sent::Sent;

/// What an engine is made for.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    pub role: Role,
    /// The largest message that is accepted, in bytes; larger ones are a violation (1009).
    pub max_message_size: usize,
    /// Answer pings (RFC 6455, section 5.5.2). A few answers wait; when more pings come than can
    /// be answered, the newest answer replaces the one before it.
    pub auto_pong: bool,
    /// Yield [`Incoming::Frame`] and [`Sent::Frame`] for every frame.
    pub report_frames: bool,
    /// The bound of the out queue in bytes, what the queue itself needs for each frame included.
    /// While the queue is below it, [`Engine::send`] takes one more message, whatever its size.
    pub max_queued: usize,
    /// What the opening handshake agreed on for permessage-deflate; `None` without it.
    pub deflate: Option<Agreed>,
}

/// A connection after its opening handshake.
#[derive(Debug)]
pub struct Engine {
    reader: Reader,
    outgoing: Outgoing,
    auto_pong: bool,
    answers_close: bool,
    close_received: bool,
}

impl Engine {
    /// `seed` feeds the masks of a client (section 10.3: unpredictable); a server ignores it.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let keys = (config.role == Role::Client).then(|| Keys::new(seed));
        Self {
            reader: Reader::new(
                config.role,
                config.report_frames,
                config.max_message_size,
                config.deflate.map(|agreed| agreed.peer),
            ),
            outgoing: Outgoing::new(
                keys,
                config.max_queued,
                config.report_frames,
                config.deflate.map(|agreed| agreed.own),
            ),
            auto_pong: config.auto_pong,
            answers_close: true,
            close_received: false,
        }
    }

    /// Consumes bytes from the front of `input` up to the next thing that happened. `None` means
    /// that all of `input` was consumed; until then there may be more, even when `input` is empty.
    /// After a peer's Close or a violation the rest is discarded.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Incoming> {
        let happened = self.reader.next(input)?;
        match &happened {
            Incoming::Ping(payload) if self.auto_pong => {
                self.outgoing.answer_ping(payload.clone());
            }
            Incoming::Close(close) => {
                self.close_received = true;
                if self.answers_close {
                    self.outgoing
                        .answer_close(close.as_ref().map(|close| close.code));
                }
            }
            Incoming::Violation(violation) => self.outgoing.close(Some(violation.close_frame())),
            _ => {}
        }
        Some(happened)
    }

    /// Queues a command.
    ///
    /// # Errors
    /// See [`SendError`]; the engine is unchanged then. A raw frame is queued as it is, in turn
    /// with the messages; a raw Close frame also moves the state.
    pub fn send(&mut self, command: Command) -> Result<(), SendError> {
        self.outgoing.send(command)
    }

    /// Queues a ping that overtakes data, so that a peer's silence can be judged by it.
    ///
    /// # Errors
    /// See [`SendError`]; the engine is unchanged then.
    pub fn heartbeat(&mut self, payload: Bytes) -> Result<(), SendError> {
        self.outgoing.heartbeat(payload)
    }

    /// Queues a frame that was encoded once for many peers (server role: unmasked), by
    /// [`encode::message`](super::encode::message).
    ///
    /// # Errors
    /// See [`SendError`]; the engine is unchanged then.
    pub fn send_encoded(&mut self, frame: Bytes) -> Result<(), SendError> {
        self.outgoing.send_encoded(frame)
    }

    /// Whether frames that were encoded for many leave as they are, and one by one are told of to nobody.
    pub fn sends_encoded_as_they_are(&self) -> bool {
        self.outgoing.sends_encoded_as_they_are()
    }

    /// Queues bytes as they are, in turn with the messages and whatever the bound; `sent` is what is
    /// told when they left. What tells a Close ends sending, and takes the place of a Close that has
    /// not begun to leave.
    ///
    /// # Errors
    /// [`SendError::Closing`]; the engine is unchanged then.
    pub fn send_bytes(&mut self, bytes: Bytes, sent: Option<Sent>) -> Result<(), SendError> {
        self.outgoing.send_bytes(bytes, sent)
    }

    /// From the next message on, the largest that is accepted, in bytes.
    pub fn set_max_message_size(&mut self, size: usize) {
        self.reader.set_max_message_size(size);
    }

    /// From now on pings are not answered.
    pub fn withhold_pongs(&mut self) {
        self.auto_pong = false;
    }

    /// From now on a Close of the peer is not answered.
    pub fn withhold_close(&mut self) {
        self.answers_close = false;
    }

    /// Whether a Close of the peer is answered.
    pub fn answers_close(&self) -> bool {
        self.answers_close
    }

    /// Fills `slices` with bytes to write, in order; how many were filled. Answers to pings
    /// and heartbeats overtake queued data at frame boundaries.
    pub fn to_write<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.outgoing.to_write(slices)
    }

    /// Whether what is to be written lies in so many small parts that [`Engine::copy_to`] is better than
    /// [`Engine::to_write`].
    pub fn is_in_small_parts(&self) -> bool {
        self.outgoing.is_in_small_parts()
    }

    /// Copies bytes to write into `piece`, as many as fit; how many.
    pub fn copy_to(&self, piece: &mut [u8]) -> usize {
        self.outgoing.copy_to(piece)
    }

    /// Says that the first `count` bytes of what [`Engine::to_write`] showed were written. Nothing
    /// may be queued or read between the two: it could change the order.
    pub fn written(&mut self, count: usize) {
        self.outgoing.written(count);
    }

    /// Gives up what is queued, where nothing can be written any more; its messages stay counted
    /// as unsent.
    pub fn give_up(&mut self) {
        self.outgoing.give_up();
    }

    /// What left whole since the last call, oldest first.
    pub fn next_sent(&mut self) -> Option<Sent> {
        self.outgoing.next_sent()
    }

    /// Whether another command is taken: the queue is below its bound.
    pub fn has_room(&self) -> bool {
        self.outgoing.has_room()
    }

    pub fn has_to_write(&self) -> bool {
        self.outgoing.has_to_write()
    }

    /// What the out queue takes in memory, in bytes: more than [`Engine::queued`] where messages
    /// were compressed, for they are kept until they left.
    pub fn held(&self) -> usize {
        self.outgoing.held()
    }

    /// Bytes queued and not yet written.
    pub fn queued(&self) -> usize {
        self.outgoing.queued()
    }

    /// Data messages that were accepted and not written whole; those that were given up when the
    /// peer closed stay counted.
    pub fn unsent(&self) -> u64 {
        self.outgoing.unsent()
    }

    /// A Close was queued by us (as the first or as the answer).
    pub fn close_queued(&self) -> bool {
        self.outgoing.close_queued()
    }

    /// The peer's Close was received.
    pub fn close_received(&self) -> bool {
        self.close_received
    }

    /// Our Close left whole; nothing more will be written.
    pub fn close_sent(&self) -> bool {
        self.outgoing.close_sent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::close::{CloseCode, CloseFrame};
    use crate::model::frame::{Opcode, RawFrame};
    use crate::model::message::Message;
    use crate::protocol::encode;
    use crate::protocol::header::Header;

    fn server() -> Engine {
        engine(Role::Server, 1 << 20)
    }

    fn engine(role: Role, max_queued: usize) -> Engine {
        let config = Config {
            role,
            max_message_size: 1 << 20,
            auto_pong: true,
            report_frames: false,
            max_queued,
            deflate: None,
        };
        Engine::new(config, [7; 32])
    }

    /// A client's frame with a key of zeroes, which changes nothing.
    fn from_client(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let key = Some([0; 4]);
        encode::frame(&Header::whole(opcode, payload.len() as u64, key), payload)
    }

    fn read(engine: &mut Engine, mut bytes: &[u8]) -> Vec<Incoming> {
        std::iter::from_fn(|| engine.next(&mut bytes)).collect()
    }

    fn text(text: &str) -> Command {
        Command::Send(Message::text(text))
    }

    /// Writes all that is queued, at most `most` bytes.
    fn write(engine: &mut Engine, most: usize) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 64];
        let filled = engine.to_write(&mut slices);
        let mut bytes: Vec<u8> = slices[..filled]
            .iter()
            .flat_map(|slice| slice.iter().copied())
            .collect();
        bytes.truncate(most);
        engine.written(bytes.len());
        bytes
    }

    fn sent(engine: &mut Engine) -> Vec<Sent> {
        std::iter::from_fn(|| engine.next_sent()).collect()
    }

    fn sent_text(text: &str) -> Sent {
        Sent::Message {
            message: Message::text(text),
            wire: 2 + text.len() as u64,
        }
    }

    #[test]
    fn an_idle_server_connection_is_small() {
        assert!(size_of::<Engine>() < 300, "{} bytes", size_of::<Engine>());
    }

    #[test]
    fn a_pong_overtakes_what_has_not_begun() {
        let mut engine = server();
        engine.send(text("one")).unwrap();
        engine.send(text("two")).unwrap();
        assert_eq!(write(&mut engine, 3), b"\x81\x03o");
        read(&mut engine, &from_client(Opcode::PING, b"?"));
        engine.heartbeat(Bytes::from_static(b"!")).unwrap();
        assert_eq!(sent(&mut engine), [], "nothing left whole");
        assert_eq!((engine.queued(), engine.unsent()), (2 + 3 + 3 + 5, 2));

        assert_eq!(
            write(&mut engine, usize::MAX),
            b"ne\x8A\x01?\x89\x01!\x81\x03two"
        );
        let pong = Sent::Pong(Bytes::from_static(b"?"));
        let ping = Sent::Ping(Bytes::from_static(b"!"));
        assert_eq!(
            sent(&mut engine),
            [sent_text("one"), pong, ping, sent_text("two")]
        );
        assert_eq!(
            (engine.queued(), engine.unsent(), engine.has_to_write()),
            (0, 0, false)
        );
    }

    #[test]
    fn pongs_that_wait_are_few_and_the_last_ping_is_answered() {
        let mut engine = server();
        for ping in 0..10_000 {
            read(
                &mut engine,
                &from_client(Opcode::PING, format!("{ping:04}").as_bytes()),
            );
        }
        assert_eq!(engine.queued(), 16 * 6);
        let bytes = write(&mut engine, usize::MAX);
        assert!(bytes.starts_with(b"\x8A\x040000\x8A\x040001"));
        assert!(bytes.ends_with(b"\x8A\x040014\x8A\x049999"));
    }

    #[test]
    fn pongs_can_be_withheld() {
        let mut engine = server();
        engine.auto_pong = false;
        assert_eq!(read(&mut engine, &from_client(Opcode::PING, b"?")).len(), 1);
        assert!(!engine.has_to_write());
    }

    #[test]
    fn our_close_leaves_behind_the_data_and_ends_sending() {
        let mut engine = server();
        engine.send(text("one")).unwrap();
        engine
            .send(Command::Close(Some(CloseFrame::bare(CloseCode::NORMAL))))
            .unwrap();
        assert_eq!(engine.send(text("two")), Err(SendError::Closing));
        assert!(engine.close_queued() && !engine.close_sent());
        assert_eq!(
            write(&mut engine, usize::MAX),
            b"\x81\x03one\x88\x02\x03\xE8"
        );
        assert!(engine.close_sent());

        let late = read(&mut engine, &from_client(Opcode::TEXT, b"late"));
        assert!(matches!(&late[..], [Incoming::Message { .. }]), "{late:?}");
        read(&mut engine, &from_client(Opcode::PING, b"?"));
        let answer = read(&mut engine, &from_client(Opcode::CLOSE, &[0x03, 0xE8]));
        assert!(
            matches!(&answer[..], [Incoming::Close(Some(_))]),
            "{answer:?}"
        );
        assert!(engine.close_received() && !engine.has_to_write());
    }

    #[test]
    fn a_close_is_answered_behind_a_servers_data_and_before_a_clients() {
        let mut engine = server();
        engine.send(text("one")).unwrap();
        engine.send(text("two")).unwrap();
        write(&mut engine, 1);
        read(&mut engine, &from_client(Opcode::CLOSE, b"\x0F\xA0bye"));
        let bytes = write(&mut engine, usize::MAX);
        assert_eq!(bytes, b"\x03one\x81\x03two\x88\x02\x0F\xA0");
        assert_eq!(engine.unsent(), 0);
        assert!(engine.close_received() && engine.close_sent());

        let mut engine = self::engine(Role::Client, 1 << 20);
        engine.send(text("one")).unwrap();
        engine.send(text("two")).unwrap();
        write(&mut engine, 1);
        read(&mut engine, b"\x88\x02\x0F\xA0");
        assert_eq!(write(&mut engine, usize::MAX).len(), (9 - 1) + 8);
        assert_eq!(engine.unsent(), 1, "given up");
        assert!(engine.close_received() && engine.close_sent());

        let mut engine = server();
        read(&mut engine, &from_client(Opcode::CLOSE, b""));
        assert_eq!(write(&mut engine, usize::MAX), b"\x88\x00");
        assert_eq!(sent(&mut engine), [Sent::Close(None)]);
    }

    #[test]
    fn answers_leave_before_the_close_of_a_violation() {
        let mut engine = server();
        let mut bytes = from_client(Opcode::PING, b"?");
        bytes.extend(from_client(Opcode::new(3), b""));
        bytes.extend(from_client(Opcode::TEXT, b"ignored"));
        engine.send(text("one")).unwrap();
        let happened = read(&mut engine, &bytes);
        assert!(matches!(
            &happened[..],
            [Incoming::Ping(_), Incoming::Violation(_)]
        ));
        assert_eq!(engine.send(text("two")), Err(SendError::Closing));
        let written = write(&mut engine, usize::MAX);
        assert!(
            written.starts_with(b"\x8A\x01?\x81\x03one\x88"),
            "{written:x?}"
        );
        assert!(written.ends_with(b"\x03\xEAreserved opcode 3 (RFC 6455, section 5.2)"));
    }

    #[test]
    fn the_queue_is_bounded_but_takes_one_message_of_any_size() {
        let mut engine = engine(Role::Server, 1_000);
        engine.send(text(&"x".repeat(5_000))).unwrap();
        assert_eq!(engine.send(text("y")), Err(SendError::Full));
        assert_eq!(
            engine.send(Command::Ping(Bytes::new())),
            Err(SendError::Full)
        );
        read(&mut engine, &from_client(Opcode::PING, b"?"));
        engine.send(Command::Close(None)).unwrap();
        write(&mut engine, usize::MAX);
        assert_eq!(engine.unsent(), 0);

        let mut engine = self::engine(Role::Server, 100_000);
        let accepted = (0..100_000)
            .take_while(|_| engine.send(text("")).is_ok())
            .count();
        assert!(
            (100..2_000).contains(&accepted),
            "{accepted} frames are far more than 2 bytes each"
        );
    }

    #[test]
    fn control_frames_are_short() {
        let mut engine = server();
        let long = Bytes::from(vec![0; 126]);
        assert_eq!(
            engine.send(Command::Ping(long.clone())),
            Err(SendError::ControlTooLong(126))
        );
        assert_eq!(
            engine.send(Command::Pong(long)),
            Err(SendError::ControlTooLong(126))
        );
        let close = CloseFrame {
            code: CloseCode::NORMAL,
            reason: "x".repeat(124),
        };
        assert_eq!(
            engine.send(Command::Close(Some(close))),
            Err(SendError::ControlTooLong(126))
        );
        assert!(!engine.has_to_write() && !engine.close_queued());
    }

    #[test]
    fn raw_frames_leave_as_they_are_spelled() {
        let raw = |fin, opcode, payload: &'static [u8]| {
            let payload = Bytes::from_static(payload);
            Command::Frame(RawFrame {
                fin,
                rsv: [true, false, true],
                opcode,
                payload,
            })
        };
        let mut engine = server();
        engine.send(raw(false, Opcode::TEXT, b"\xFF")).unwrap();
        engine.send(raw(true, Opcode::new(0xF), b"")).unwrap();
        engine
            .send(raw(false, Opcode::CLOSE, b"\x03\xEDx"))
            .unwrap();
        assert_eq!(engine.send(text("after")), Err(SendError::Closing));
        let bytes = write(&mut engine, usize::MAX);
        assert_eq!(bytes, b"\x51\x01\xFF\xDF\x00\x58\x03\x03\xEDx");
        let close = CloseFrame {
            code: CloseCode::NO_STATUS,
            reason: "x".into(),
        };
        assert_eq!(sent(&mut engine), [Sent::Close(Some(close))]);
        assert!(engine.close_sent());
    }

    #[test]
    fn a_frame_that_was_encoded_once_counts_as_its_message() {
        let mut engine = server();
        let frame = encode::message(&Message::text("all"));
        engine.send_encoded(frame.clone()).unwrap();
        assert_eq!(engine.unsent(), 1);
        assert_eq!(write(&mut engine, usize::MAX), frame);
        assert_eq!(sent(&mut engine), [sent_text("all")]);
    }

    #[test]
    fn bytes_leave_as_they_are_and_a_close_takes_the_place_of_one_that_waits() {
        let mut engine = server();
        engine.send(text("one")).unwrap();
        let bytes = Bytes::from_static(b"???");
        engine.send_bytes(bytes.clone(), None).unwrap();
        let close = Some(Sent::Close(None));
        read(&mut engine, &from_client(Opcode::CLOSE, b"\x03\xE8"));
        assert_eq!(
            engine.send_bytes(bytes.clone(), None),
            Err(SendError::Closing)
        );
        engine.send_bytes(bytes.clone(), close.clone()).unwrap();
        assert_eq!(engine.queued(), 5 + 3 + 3);
        assert_eq!(write(&mut engine, usize::MAX), b"\x81\x03one??????");
        assert_eq!(sent(&mut engine), [sent_text("one"), Sent::Close(None)]);
        assert!(engine.close_sent() && engine.send_bytes(bytes, close).is_err());
    }

    #[test]
    fn a_close_can_be_left_without_an_answer() {
        let mut engine = server();
        engine.withhold_close();
        read(&mut engine, &from_client(Opcode::CLOSE, b""));
        assert!(engine.close_received() && !engine.has_to_write());
    }

    #[test]
    fn frames_are_reported_before_what_they_complete() {
        let mut engine = server();
        engine.outgoing = Outgoing::new(Some(Keys::new([1; 32])), 1_000, true, None);
        engine.send(text("a")).unwrap();
        write(&mut engine, usize::MAX);
        let sent = sent(&mut engine);
        let [Sent::Frame(frame), Sent::Message { wire: 7, .. }] = &sent[..] else {
            panic!("{sent:?}");
        };
        assert!(frame.masked && frame.fin && frame.opcode == Opcode::TEXT && frame.wire_len == 7);
    }
}
