//! Input that is not typed: stdin read by a thread of its own, in bounded batches.
//!
//! What is not taken is not read: besides the batch that is being cut, [`QUEUE`] of them wait. The
//! thread is never joined; one that is blocked in a read does not keep the program from ending.

use std::io::{ErrorKind, Read};
use std::str::FromStr;
use std::thread;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Batch, QUEUE, decode};
use crate::error::Error;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// `-i`: how messages are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// One a line, byte for byte; only the line feed, or carriage return and line feed, is not part
    /// of it (with `-b raw` the carriage return is). An empty line is an empty message.
    #[default]
    Lines,
    /// One for each JSON value, exactly as written, over as many lines as it has.
    Json,
    /// Events, one a line, as `--json` prints them.
    Ndjson,
    /// Separated by NUL.
    Null,
    /// Everything to the end of the input is one.
    Raw,
}

impl Format {
    /// What may be typed.
    pub const NAMES: [&str; 5] = ["lines", "json", "ndjson", "null", "raw"];
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "lines" => Ok(Self::Lines),
            "json" => Ok(Self::Json),
            "ndjson" => Ok(Self::Ndjson),
            "null" => Ok(Self::Null),
            "raw" => Ok(Self::Raw),
            _ => Err(format!(
                "\"{text}\" is not one of lines, json, ndjson, null, raw"
            )),
        }
    }
}

/// `-b`: messages are binary, and how their bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    Hex,
    Base64,
    /// As they are.
    Raw,
}

impl Binary {
    /// What may be typed.
    pub const NAMES: [&str; 3] = ["hex", "base64", "raw"];
}

impl FromStr for Binary {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            "raw" => Ok(Self::Raw),
            _ => Err(format!("\"{text}\" is not one of hex, base64, raw")),
        }
    }
}

/// How to read a pipe.
#[derive(Debug, Clone)]
pub struct Plan {
    pub format: Format,
    /// `None`: messages are text. NDJSON says it line by line.
    pub binary: Option<Binary>,
    /// Lines that begin with `/` are slash commands.
    pub slash: bool,
    pub max_message_size: usize,
}

/// A pipe that is being read.
pub struct Pipe {
    batches: mpsc::Receiver<Batch>,
}

impl Pipe {
    /// Reads the stdin of the process.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn stdin(plan: Plan) -> Result<Self, Error> {
        Self::start(plan, std::io::stdin())
    }

    /// Reads anything.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(plan: Plan, reader: impl Read + Send + 'static) -> Result<Self, Error> {
        let (sender, batches) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("input".into())
            .spawn(move || read(&plan, reader, &sender))
            .map_err(|cause| Error::Io {
                doing: "starting the input thread".into(),
                cause,
            })?;
        Ok(Self { batches })
    }

    /// The next inputs; `None` at the end of the input. Cancel-safe.
    pub async fn next(&mut self) -> Option<Batch> {
        self.batches.recv().await
    }
}

/// Reads to the end, to an error, or until nobody takes batches any more.
fn read(plan: &Plan, mut reader: impl Read, batches: &mpsc::Sender<Batch>) {
    let mut splitter = decode::splitter(plan);
    let mut chunk = vec![0; CHUNK];
    loop {
        let mut records = Vec::new();
        let (split, at_end) = match read_some(&mut reader, &mut chunk) {
            Ok([]) => (splitter.finish(&mut records), true),
            Ok(bytes) => {
                let bytes = Bytes::copy_from_slice(bytes);
                (splitter.feed(bytes, &mut records), false)
            }
            Err(error) => {
                let _ = batches.blocking_send(Batch {
                    inputs: Vec::new(),
                    error: Some(error),
                });
                return;
            }
        };
        let batch = decode::batch(plan, records, split.err());
        let failed = batch.error.is_some();
        let unwanted = !batch.is_empty() && batches.blocking_send(batch).is_err();
        if at_end || failed || unwanted {
            return;
        }
    }
}

fn read_some<'a>(reader: &mut impl Read, chunk: &'a mut [u8]) -> Result<&'a [u8], Error> {
    loop {
        match reader.read(chunk) {
            Ok(count) => return Ok(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::IsADirectory => {
                return Err(Error::Usage {
                    message: "the input is a directory".into(),
                    hint: Some("give the lines of a file: < messages.txt".into()),
                });
            }
            Err(cause) => {
                return Err(Error::Io {
                    doing: "reading the input".into(),
                    cause,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc as std_mpsc;

    use super::*;
    use crate::input::Input;
    use crate::model::command::Command;
    use crate::model::control::Control;
    use crate::model::message::Message;

    fn plan(format: Format) -> Plan {
        Plan {
            format,
            binary: None,
            slash: false,
            max_message_size: 1 << 20,
        }
    }

    async fn all(plan: Plan, input: impl Into<Vec<u8>>) -> (Vec<Input>, Option<String>) {
        let reader = io::Cursor::new(input.into());
        let mut pipe = Pipe::start(plan, reader).unwrap();
        let mut inputs = Vec::new();
        let mut error = None;
        while let Some(batch) = pipe.next().await {
            assert!(error.is_none(), "nothing comes after an error");
            inputs.extend(batch.inputs);
            error = batch.error.map(|error| error.to_string());
        }
        (inputs, error)
    }

    fn text(text: &str) -> Input {
        Command::Send(Message::text(text)).into()
    }

    fn binary(bytes: &'static [u8]) -> Input {
        Command::Send(Message::binary(bytes)).into()
    }

    #[tokio::test]
    async fn each_format_makes_its_messages() {
        for (format, input, expected) in [
            (
                Format::Lines,
                "a\n\n/b\r\n",
                vec![text("a"), text(""), text("/b")],
            ),
            (
                Format::Json,
                "{\"a\":\n1}2",
                vec![text("{\"a\":\n1}"), text("2")],
            ),
            (
                Format::Ndjson,
                "\n{\"data\":\"x\\ny\"}\n{\"event\":\"state\"}",
                vec![text("x\ny")],
            ),
            (Format::Null, "a\nb\0c", vec![text("a\nb"), text("c")]),
            (Format::Raw, "a\n\0b\n", vec![text("a\n\0b\n")]),
        ] {
            let (inputs, error) = all(plan(format), input).await;
            assert_eq!(error, None, "{format:?}");
            assert_eq!(inputs, expected, "{format:?}");
        }
    }

    #[tokio::test]
    async fn binary_messages_are_written_in_three_ways() {
        for (encoding, input) in [
            (Binary::Hex, &b"00 ff\n0x0a\n"[..]),
            (Binary::Base64, b"AP8=\nCg\n"),
        ] {
            let binary_plan = Plan {
                binary: Some(encoding),
                ..plan(Format::Lines)
            };
            let (inputs, error) = all(binary_plan, input).await;
            assert_eq!(error, None);
            assert_eq!(inputs, [binary(b"\0\xff"), binary(b"\n")]);
        }
        let raw = Plan {
            binary: Some(Binary::Raw),
            ..plan(Format::Raw)
        };
        assert_eq!(all(raw, &b"\xff\n"[..]).await.0, [binary(b"\xff\n")]);
    }

    #[tokio::test]
    async fn slash_commands_work_where_they_are_asked_for() {
        let slash = Plan {
            slash: true,
            ..plan(Format::Lines)
        };
        let (inputs, error) = all(slash, "/stats\n//x\n/nope\nhi\n").await;
        assert_eq!(error, None);
        assert_eq!(inputs[..2], [Control::Stats.into(), text("/x")]);
        assert!(matches!(&inputs[2], Input::Wrong(text) if text.starts_with("line 3: /nope")));
        assert_eq!(inputs[3], text("hi"));
    }

    #[tokio::test]
    async fn an_error_names_the_line_after_all_that_came_before_it() {
        let hex = Plan {
            binary: Some(Binary::Hex),
            ..plan(Format::Lines)
        };
        let small = Plan {
            max_message_size: 3,
            ..plan(Format::Lines)
        };
        let small_hex = Plan {
            max_message_size: 3,
            ..hex.clone()
        };
        for (plan, input, good, part) in [
            (
                plan(Format::Lines),
                &b"a\nb\xffc\nd"[..],
                1,
                "line 2, column 2 of the input is not UTF-8 (byte 0xff)",
            ),
            (plan(Format::Raw), b"a\nbc\xff", 0, "line 2, column 3"),
            (
                plan(Format::Json),
                b"1\n{]",
                1,
                "line 2, column 2 of the input is not JSON",
            ),
            (plan(Format::Json), b"[1,\n", 0, "but the input ends"),
            (plan(Format::Ndjson), b"{\"data\":\"\"}\n\n{x", 1, "line 3"),
            (
                hex,
                b"00\n0g",
                1,
                "line 2, column 2 of the input is not hex",
            ),
            (
                small,
                b"abc\nabcd",
                1,
                "line 2 of the input is larger than 3 B",
            ),
            (small_hex, b"000000\n00000000", 1, "larger than 3 B"),
        ] {
            let (inputs, error) = all(plan, input).await;
            let error = error.unwrap();
            assert!(error.contains(part), "{error}");
            assert_eq!(inputs.len(), good, "{error}");
        }
    }

    /// Gives one byte for each permit and says when it was asked for one.
    struct Slow {
        asked: std_mpsc::Sender<()>,
        bytes: std_mpsc::Receiver<u8>,
    }

    impl Read for Slow {
        fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
            let _ = self.asked.send(());
            Ok(self.bytes.recv().map_or(0, |byte| {
                chunk[0] = byte;
                1
            }))
        }
    }

    #[tokio::test]
    async fn what_is_not_taken_is_not_read() {
        let (asked, asks) = std_mpsc::channel();
        let (byte, bytes) = std_mpsc::channel();
        let reader = Slow { asked, bytes };
        let mut pipe = Pipe::start(plan(Format::Lines), reader).unwrap();
        for _ in 0..20 {
            byte.send(b'\n').unwrap();
        }
        // One batch is held by the thread, the others wait in the queue.
        for _ in 0..=QUEUE {
            asks.recv().unwrap();
        }
        assert!(asks.try_recv().is_err());
        for _ in 0..20 {
            assert_eq!(pipe.next().await.unwrap().inputs, [text("")]);
        }
        drop(byte);
        assert!(pipe.next().await.is_none());
    }
}
