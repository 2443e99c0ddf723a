//! Where Commands and Controls come from, behind one face.

use std::time::Duration;

use crate::error::Error;
use crate::input::Batch;
use crate::input::pipe::{self, Pipe};
use crate::input::readline::{self, Readline};
use crate::session::stamp::Stamp;
use crate::text::output::Output;
use crate::tui::connect::scene::Board;
use crate::tui::connect::screen::{self, Screen};

/// The time in which an editor that goes on has taken the terminal over again.
const ITSELF: Duration = Duration::from_millis(50);

/// What to read.
#[derive(Debug)]
pub enum Source {
    /// Nothing is read: `listen`, or `-x` without a terminal.
    Nothing,
    Pipe(pipe::Plan),
    Person(Box<Person>),
}

/// A person at a terminal: in lines or in the full screen, and back.
#[derive(Debug)]
pub struct Person {
    pub editor: readline::Plan,
    pub screen: screen::Plan,
    /// Begin in the full screen.
    pub begins_on_screen: bool,
}

/// Where a person types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    Lines,
    Screen,
}

/// A source that is being read.
pub struct Feed {
    reader: Option<Reader>,
    person: Option<Box<Person>>,
    is_ready: bool,
}

enum Reader {
    Pipe(Pipe),
    Editor(Readline),
    Screen(Screen),
}

/// What the session shows on a screen.
pub struct Stage<'a> {
    pub board: &'a Board,
    pub stamp: &'a Stamp,
    pub output: &'a Output,
}

impl Feed {
    /// # Errors
    /// The terminal cannot be edited on, or no thread can be started.
    pub async fn start(source: Source, stage: &Stage<'_>) -> Result<Self, Error> {
        let mut feed = Self {
            reader: None,
            person: None,
            is_ready: false,
        };
        match source {
            Source::Nothing => {}
            Source::Pipe(plan) => feed.reader = Some(Reader::Pipe(Pipe::stdin(plan)?)),
            Source::Person(person) => {
                let face = if person.begins_on_screen {
                    Face::Screen
                } else {
                    Face::Lines
                };
                feed.person = Some(person);
                feed.open(face, "", stage).await?;
            }
        }
        Ok(feed)
    }

    async fn open(&mut self, face: Face, draft: &str, stage: &Stage<'_>) -> Result<(), Error> {
        let Some(person) = &self.person else {
            return Ok(());
        };
        self.reader = Some(match face {
            Face::Lines => {
                let plan = person.editor.clone();
                Reader::Editor(Readline::start(plan, draft, self.is_ready, stage.output)?)
            }
            Face::Screen => {
                // What is being written would end up on the screen.
                stage.output.settled().await;
                let plan = person.screen.clone();
                let (board, stamp) = (stage.board, stage.stamp.clone());
                Reader::Screen(Screen::start(plan, draft, board, stamp, stage.output)?)
            }
        });
        Ok(())
    }

    /// Goes on where a person wants it, with what was typed so far.
    ///
    /// # Errors
    /// The terminal cannot be used in that way.
    pub async fn switch(&mut self, face: Face, stage: &Stage<'_>) -> Result<(), Error> {
        if self.face() == Some(face) || self.person.is_none() {
            return Ok(());
        }
        let draft = match self.reader.take() {
            Some(Reader::Editor(editor)) => editor.stop(),
            Some(Reader::Screen(screen)) => screen.stop().draft,
            Some(Reader::Pipe(_)) | None => String::new(),
        };
        self.open(face, &draft, stage).await
    }

    /// The program goes on after it was stopped: takes over again what a shell has done to the
    /// terminal.
    ///
    /// # Errors
    /// The terminal cannot be used any more.
    pub async fn refresh(&mut self, stage: &Stage<'_>) -> Result<(), Error> {
        match &self.reader {
            Some(Reader::Screen(screen)) => screen.refresh(),
            Some(Reader::Editor(_)) => {
                // An editor that stopped by itself (Ctrl+Z) takes the terminal over by itself.
                tokio::time::sleep(ITSELF).await;
                if let Some(Reader::Editor(editor)) = &self.reader
                    && editor.has_lost_the_terminal()
                    && let Some(Reader::Editor(editor)) = self.reader.take()
                {
                    let draft = editor.stop();
                    self.open(Face::Lines, &draft, stage).await?;
                }
            }
            Some(Reader::Pipe(_)) | None => {}
        }
        Ok(())
    }

    /// Leaves the terminal; what a screen leaves behind is returned.
    pub fn leave(&mut self) -> Option<String> {
        match self.reader.take() {
            Some(Reader::Screen(screen)) => screen.stop().picture,
            _ => None,
        }
    }

    /// The next batch; `None` at the end of input. Cancel-safe.
    pub async fn next(&mut self) -> Option<Batch> {
        let batch = match &mut self.reader {
            Some(Reader::Pipe(pipe)) => pipe.next().await,
            Some(Reader::Editor(editor)) => editor.next().await,
            Some(Reader::Screen(screen)) => screen.next().await,
            None => None,
        };
        if batch.is_none() {
            self.reader = None;
        }
        batch
    }

    /// Says whether there is someone to send to. Where there is not, an editor keeps what is typed;
    /// the full screen sees it for itself.
    pub fn set_ready(&mut self, ready: bool) {
        self.is_ready = ready;
        if let Some(Reader::Editor(editor)) = &mut self.reader {
            editor.set_ready(ready);
        }
    }

    pub fn has_ended(&self) -> bool {
        self.reader.is_none()
    }

    /// Whether a person types, or did before the end.
    pub fn is_person(&self) -> bool {
        self.person.is_some()
    }

    /// Where a person types just now.
    pub fn face(&self) -> Option<Face> {
        match &self.reader {
            Some(Reader::Editor(_)) => Some(Face::Lines),
            Some(Reader::Screen(_)) => Some(Face::Screen),
            Some(Reader::Pipe(_)) | None => None,
        }
    }
}
