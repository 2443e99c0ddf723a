//! `/file PATH --chunks`: a file on its way. Pure but for the reading of the file: what is written
//! and the time go in, sentences come out.
//!
//! Binary messages between its pieces would become part of the file, so they wait; texts pass.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::input::Input;
use crate::input::file::{CHUNK, Pieces};
use crate::model::command::Command;
use crate::model::event::Problem;
use crate::model::message::Message;
use crate::model::units::{Thousands, show_size};

/// Between two sentences about how far it is.
const EVERY: Duration = Duration::from_secs(1);
/// And at least so much of the file, so that a slow one is not told for ever.
const STEP: u64 = 10;

/// What a person typed that waits for the end of a file.
const MOST_HELD: usize = 256;

/// A file that is being sent.
pub(super) struct Upload {
    pieces: Pieces,
    /// Bytes of it that were written to each client.
    written: Vec<u64>,
    told: Told,
    held: VecDeque<Input>,
}

/// What was said last of how far it is.
struct Told {
    at: Instant,
    percent: u64,
}

impl Upload {
    /// # Errors
    /// A sentence: the file cannot be read.
    pub(super) fn begin(path: &Path, now: Instant) -> Result<Self, String> {
        Ok(Self {
            pieces: Pieces::open(path)?,
            written: Vec::new(),
            told: Told {
                at: now,
                percent: 0,
            },
            held: VecDeque::new(),
        })
    }

    /// What is to be sent next; `None` when all has been handed over.
    ///
    /// # Errors
    /// A sentence: the file cannot be read any more.
    pub(super) fn next(&mut self) -> Result<Option<Command>, String> {
        self.pieces.take_next()
    }

    /// Whether all of it has been handed over.
    pub(super) const fn is_handed_over(&self) -> bool {
        self.pieces.left() == 0
    }

    /// Messages that were not handed over.
    pub(super) const fn left(&self) -> u64 {
        self.pieces.left()
    }

    /// A message was written to client `at`; what is to be said now of how far it is.
    pub(super) fn wrote(&mut self, at: usize, message: &Message, now: Instant) -> Option<String> {
        if message.is_text() {
            return None;
        }
        if self.written.len() <= at {
            self.written.resize(at + 1, 0);
        }
        self.written[at] += message.payload.len() as u64;
        let (done, size) = (self.done(), self.pieces.size());
        let percent = done * 100 / size.max(1);
        let is_news = now - self.told.at >= EVERY && percent >= self.told.percent + STEP;
        if !is_news || done >= size {
            return None;
        }
        self.told = Told { at: now, percent };
        let (name, done, size) = (self.pieces.name(), show_size(done), show_size(size));
        Some(format!("{name}: {percent} %, {done} of {size}"))
    }

    /// The bytes that came furthest.
    fn done(&self) -> u64 {
        let most = self.written.iter().copied().max();
        most.unwrap_or_default().min(self.pieces.size())
    }

    /// All of it is written.
    pub(super) fn sent(&self) -> String {
        let (name, size) = (self.pieces.name(), self.pieces.size());
        let chunks = size.div_ceil(CHUNK as u64);
        let plural = if chunks == 1 { "" } else { "s" };
        let (size, chunks) = (show_size(size), Thousands(chunks));
        format!("{name} is sent: {size} in {chunks} chunk{plural}")
    }

    /// It ends before all of it is written.
    pub(super) fn cut(&self) -> Problem {
        let (name, size) = (self.pieces.name(), self.pieces.size());
        let (done, size) = (show_size(self.done()), show_size(size));
        Problem {
            kind: "cut",
            message: format!("{name} was cut off: {done} of {size} were sent"),
            hint: Some("it has to be sent again from its beginning".into()),
        }
    }

    /// Whether an input would become part of the file, or break its shape.
    pub(super) fn keeps_out(input: &Input) -> bool {
        match input {
            Input::Command(Command::Send(message)) => !message.is_text(),
            Input::Command(Command::Frame(_)) | Input::File(_) => true,
            Input::Command(_) | Input::Control(_) | Input::Wrong(_) => false,
        }
    }

    /// Keeps an input for later.
    pub(super) fn hold(&mut self, input: Input) {
        self.held.push_back(input);
    }

    /// Whether more may be typed.
    pub(super) fn has_room(&self) -> bool {
        self.held.len() < MOST_HELD
    }

    /// What waited for its end.
    pub(super) fn into_held(self) -> VecDeque<Input> {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(size: usize, now: Instant) -> (tempfile::TempDir, Upload) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.bin");
        std::fs::write(&path, vec![7; size]).unwrap();
        let upload = Upload::begin(&path, now).unwrap();
        (dir, upload)
    }

    #[test]
    fn how_far_it_is_is_said_from_time_to_time() {
        let start = Instant::now();
        let (_dir, mut upload) = upload(100 * 1000, start);
        let piece = Message::binary(vec![7; 10 * 1000]);
        let later = |seconds| start + EVERY * seconds;
        assert_eq!(upload.wrote(0, &piece, start), None, "too early");
        let said = upload.wrote(0, &piece, later(1));
        assert_eq!(said.unwrap(), "a.bin: 20 %, 20 kB of 100 kB");
        assert_eq!(upload.wrote(1, &piece, later(9)), None, "no further");
        assert_eq!(upload.wrote(0, &Message::text("hi"), later(9)), None);
        assert!(upload.cut().message.contains("20 kB of 100 kB"));
        assert_eq!(upload.sent(), "a.bin is sent: 100 kB in 2 chunks");
    }

    #[test]
    fn texts_pass_and_what_would_be_part_of_it_waits() {
        let waits = |input: &Input| Upload::keeps_out(input);
        let binary = Command::Send(Message::binary(&b"x"[..])).into();
        assert!(waits(&binary) && waits(&Input::File("b".into())));
        assert!(!waits(&Command::Send(Message::text("x")).into()));
        assert!(!waits(&Command::Close(None).into()));
        let (_dir, mut upload) = upload(1, Instant::now());
        for _ in 0..MOST_HELD {
            assert!(upload.has_room());
            upload.hold(binary.clone());
        }
        assert!(!upload.has_room());
        assert_eq!(upload.into_held().len(), MOST_HELD);
    }
}
