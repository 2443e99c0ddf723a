//! What was typed and waits: for room, or for the end of a file that is sent in pieces (`/file PATH
//! --chunks`). What becomes of the file is told here.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use super::audience::Audience;
use super::upload::Upload;
use crate::input::Input;
use crate::model::command::Command;
use crate::model::event::{Problem, What};
use crate::model::message::Message;

/// Inputs in their order, and the file that goes before them.
#[derive(Default)]
pub(super) struct Inputs {
    waiting: VecDeque<Input>,
    upload: Option<Upload>,
    /// Messages of files that were cut off.
    cut_off: u64,
}

impl Inputs {
    pub(super) fn extend(&mut self, more: Vec<Input>) {
        self.waiting.extend(more);
    }

    /// Whether none waits; one that waits for the end of a file does not count.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn front(&self) -> Option<&Input> {
        self.waiting.front()
    }

    /// Takes the next one; `None` too where it has to wait for the end of a file.
    pub(super) fn take_next(&mut self) -> Option<Input> {
        let input = self.waiting.pop_front()?;
        match &mut self.upload {
            Some(upload) if Upload::keeps_out(&input) => {
                upload.hold(input);
                None
            }
            _ => Some(input),
        }
    }

    /// The file that is being sent.
    pub(super) const fn upload(&self) -> Option<&Upload> {
        self.upload.as_ref()
    }

    /// Begins to send a file, or says why not.
    pub(super) fn begin_upload(&mut self, path: &Path, audience: &mut Audience) {
        match Upload::begin(path, Instant::now()) {
            Ok(upload) => self.upload = Some(upload),
            Err(sentence) => file_failed(sentence, audience),
        }
    }

    /// More of the file; `None` where all of it has been handed over, or it cannot be read any more,
    /// which ends it.
    pub(super) fn next_piece(&mut self, audience: &mut Audience) -> Option<Command> {
        match self.upload.as_mut()?.next() {
            Ok(piece) => piece,
            Err(sentence) => {
                self.end_upload();
                file_failed(sentence, audience);
                None
            }
        }
    }

    /// A message was written to client `at`: says from time to time how far the file is.
    pub(super) fn wrote(&mut self, at: usize, message: &Message, audience: &mut Audience) {
        if let Some(upload) = &mut self.upload
            && let Some(progress) = upload.wrote(at, message, Instant::now())
        {
            audience.note(&progress);
        }
    }

    /// All of the file is written.
    pub(super) fn sent(&mut self, audience: &mut Audience) {
        if let Some(upload) = &self.upload {
            audience.note(&upload.sent());
        }
        self.end_upload();
    }

    /// Gives up a file of which not all is sent.
    pub(super) fn cut(&mut self, is_failure: bool, audience: &mut Audience) {
        if let Some(upload) = &self.upload {
            let cut = upload.cut();
            if is_failure {
                audience.tell(What::Error(Box::new(cut)));
            } else {
                audience.note(&cut.message);
            }
        }
        self.end_upload();
    }

    /// What waited for its end goes on.
    fn end_upload(&mut self) {
        if let Some(upload) = self.upload.take() {
            self.cut_off += upload.left();
            for input in upload.into_held().into_iter().rev() {
                self.waiting.push_front(input);
            }
        }
    }

    /// Messages of files that were cut off.
    pub(super) const fn cut_off(&self) -> u64 {
        self.cut_off
    }

    /// Messages that wait.
    pub(super) fn messages(&self) -> u64 {
        let messages = self.waiting.iter();
        let messages = messages.filter(|input| matches!(input, Input::Command(Command::Send(_))));
        messages.count() as u64
    }
}

fn file_failed(message: String, audience: &mut Audience) {
    audience.tell(What::Error(Box::new(Problem {
        kind: "file",
        message,
        hint: None,
    })));
}
