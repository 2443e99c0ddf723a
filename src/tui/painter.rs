//! The thread that writes to the terminal, so that a terminal that takes nothing holds up nobody
//! else.
//!
//! Whoever draws gives it one picture and waits with the next until [`Painter::is_idle`]: the screen
//! is one picture behind at most, and what happened meanwhile is in the next one.

use std::io::{self, BufWriter, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::terminal::Terminal;
use crate::error::Error;

/// How long a terminal may take for what is being written, before the rest is discarded.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the cells of a screen show.
pub(super) struct Picture {
    pub(super) buffer: Buffer,
    pub(super) cursor: Option<Position>,
}

/// What is to be done, in order.
enum Job {
    Draw(Picture),
    /// Bytes for the terminal itself: the clipboard.
    Write(Vec<u8>),
    Mouse(bool),
    /// The next picture is drawn whole.
    Forget,
}

/// A thread that draws. Dropping it gives the terminal back.
pub(super) struct Painter {
    shared: Arc<Shared>,
    terminal: Terminal,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    working: bool,
    ending: bool,
}

impl Painter {
    /// Draws on a terminal that was taken over; `done` is called after each job.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(
        terminal: &Terminal,
        done: impl Fn(io::Result<()>) + Send + 'static,
    ) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let brush = Brush {
            backend: CrosstermBackend::new(BufWriter::with_capacity(64 << 10, terminal.clone())),
            terminal: terminal.clone(),
            shown: Buffer::default(),
        };
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("painter".into())
            .spawn(move || theirs.work(brush, done))
            .map_err(|cause| Error::Io {
                doing: "starting the painter thread".into(),
                cause,
            })?;
        Ok(Self {
            shared,
            terminal: terminal.clone(),
            thread: Some(thread),
        })
    }

    /// Whether all that it was given is on the terminal.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.shared.lock();
        state.jobs.is_empty() && !state.working
    }

    /// Draws a picture. To be called when it is idle.
    pub(super) fn draw(&self, picture: Picture) {
        self.shared.give(Job::Draw(picture));
    }

    /// Writes what is no picture.
    pub(super) fn write(&self, bytes: Vec<u8>) {
        self.shared.give(Job::Write(bytes));
    }

    pub(super) fn set_mouse(&self, mouse: bool) {
        self.shared.give(Job::Mouse(mouse));
    }

    /// Draws the next picture whole: somebody else has written to the terminal.
    pub(super) fn forget(&self) {
        self.shared.give(Job::Forget);
    }

    /// Gives the terminal back when all is drawn; one that takes nothing loses what waits for it.
    pub(super) fn give_back(&self) {
        if !self.shared.wait(PATIENCE, State::is_idle) {
            self.shared.lock().jobs.clear();
        }
        self.terminal.give_back();
        self.shared.wait(PATIENCE, State::is_idle);
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        self.shared.lock().ending = true;
        self.shared.changed.notify_all();
        self.give_back();
        let Some(thread) = self.thread.take() else {
            return;
        };
        if self.is_idle() {
            // It has ended but for returning; that it panicked was said when it did.
            let _ = thread.join();
        }
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.jobs.is_empty() && !self.working
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, job: Job) {
        self.lock().jobs.push(job);
        self.changed.notify_all();
    }

    /// Waits until it is so; says whether it became so in time.
    fn wait(&self, patience: Duration, is_so: impl Fn(&State) -> bool) -> bool {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        while !is_so(&state) {
            let Some(rest) = until.checked_duration_since(Instant::now()) else {
                return false;
            };
            state = self
                .changed
                .wait_timeout(state, rest)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    fn work(&self, mut brush: Brush, done: impl Fn(io::Result<()>)) {
        // Also after a panic nobody waits for this thread.
        let _idle = Idle(self);
        while let Some(jobs) = self.next() {
            let result = jobs.into_iter().try_for_each(|job| brush.carry_out(job));
            self.lock().working = false;
            self.changed.notify_all();
            done(result);
        }
    }

    fn next(&self) -> Option<Vec<Job>> {
        let mut state = self.lock();
        loop {
            if !state.jobs.is_empty() {
                state.working = true;
                return Some(std::mem::take(&mut state.jobs));
            }
            if state.ending {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Says that the thread works no more.
struct Idle<'a>(&'a Shared);

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.working = false;
        state.jobs.clear();
        drop(state);
        self.0.changed.notify_all();
    }
}

/// What knows what the terminal shows, and writes only what is different.
struct Brush {
    backend: CrosstermBackend<BufWriter<Terminal>>,
    terminal: Terminal,
    shown: Buffer,
}

impl Brush {
    fn carry_out(&mut self, job: Job) -> io::Result<()> {
        match job {
            Job::Draw(picture) => self.draw(picture),
            Job::Write(bytes) => {
                self.backend.write_all(&bytes)?;
                io::Write::flush(&mut self.backend)
            }
            Job::Mouse(mouse) => self.terminal.set_mouse(mouse),
            Job::Forget => {
                self.shown = Buffer::default();
                Ok(())
            }
        }
    }

    fn draw(&mut self, picture: Picture) -> io::Result<()> {
        self.backend.hide_cursor()?;
        if self.shown.area != picture.buffer.area {
            self.shown = Buffer::empty(picture.buffer.area);
            self.backend.clear()?;
        }
        let updates = self.shown.diff(&picture.buffer);
        self.backend.draw(updates.into_iter())?;
        if let Some(cursor) = picture.cursor {
            self.backend.set_cursor_position(cursor)?;
            self.backend.show_cursor()?;
        }
        io::Write::flush(&mut self.backend)?;
        self.shown = picture.buffer;
        Ok(())
    }
}
