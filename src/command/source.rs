//! Where Commands and Controls come from, behind one face.

use crate::error::Error;
use crate::input::Batch;
use crate::input::pipe::{self, Pipe};
use crate::input::readline::{self, Readline};
use crate::text::output::Output;

/// What to read.
#[derive(Debug)]
pub enum Source {
    /// Nothing is read: `listen`, or `-x` without a terminal.
    Nothing,
    Pipe(pipe::Plan),
    /// A person at a line editor.
    Editor(readline::Plan),
}

/// A source that is being read.
pub struct Feed {
    reader: Option<Reader>,
    is_editor: bool,
}

enum Reader {
    Pipe(Pipe),
    Editor(Readline),
}

impl Feed {
    /// # Errors
    /// The terminal cannot be edited on, or no thread can be started.
    pub fn start(source: Source, output: &Output) -> Result<Self, Error> {
        let reader = match source {
            Source::Nothing => None,
            Source::Pipe(plan) => Some(Reader::Pipe(Pipe::stdin(plan)?)),
            Source::Editor(plan) => Some(Reader::Editor(Readline::start(plan, output)?)),
        };
        Ok(Self {
            is_editor: matches!(reader, Some(Reader::Editor(_))),
            reader,
        })
    }

    /// The next batch; `None` at the end of input. Cancel-safe.
    pub async fn next(&mut self) -> Option<Batch> {
        let batch = match &mut self.reader {
            Some(Reader::Pipe(pipe)) => pipe.next().await,
            Some(Reader::Editor(editor)) => editor.next().await,
            None => None,
        };
        if batch.is_none() {
            self.reader = None;
        }
        batch
    }

    /// Says whether there is someone to send to. Where there is not, an editor keeps what is typed.
    pub fn set_ready(&mut self, ready: bool) {
        if let Some(Reader::Editor(editor)) = &mut self.reader {
            editor.set_ready(ready);
        }
    }

    pub fn has_ended(&self) -> bool {
        self.reader.is_none()
    }

    pub fn is_editor(&self) -> bool {
        self.is_editor
    }
}
