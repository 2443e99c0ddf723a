//! The screen of a server on a terminal: the threads around the pure parts, as in
//! [`connect`](crate::tui::connect::screen).

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::Event;
use ratatui::layout::{Rect, Size};
use tokio::sync::mpsc as queue;

use super::render::render;
use super::scene::Board;
use super::state::State;
use super::update::{Action, Effect, update};
use crate::error::Error;
use crate::model::command::Command;
use crate::model::event::ConnId;
use crate::session::stamp::Stamp;
use crate::text::output::{Borrow, Output, Printer};
use crate::text::sanitize;
use crate::tui::keyboard::Keyboard;
use crate::tui::painter::{Painter, Picture};
use crate::tui::terminal::{self, PanicWatch, Terminal};

pub use super::state::Setup;

/// The least time between two pictures.
const EVERY: Duration = Duration::from_millis(33);
/// How often the picture is made anew where only time passes.
const TICK: Duration = Duration::from_secs(1);
/// Messages that may wait for the screen thread, which never waits itself.
const MESSAGES: usize = 1_024;
/// Requests that may wait for the server.
const REQUESTS: usize = 64;

/// What a person asks of the server.
#[derive(Debug)]
pub enum Request {
    Close(ConnId, Command),
    Quit,
    /// The screen cannot go on.
    Failed(Error),
}

/// A full screen on the terminal. Dropping it gives the terminal back.
pub struct Screen {
    requests: queue::Receiver<Request>,
    messages: SyncSender<Message>,
    thread: Option<JoinHandle<()>>,
    board: Board,
    /// Given back after the terminal.
    borrow: Option<Borrow>,
}

enum Message {
    Terminal(io::Result<Event>),
    Changed,
    Painted(io::Result<()>),
    Stop,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// There is no terminal, or a thread cannot be started.
    pub fn start(
        setup: Setup,
        board: &Board,
        stamp: Stamp,
        output: &Output,
    ) -> Result<Self, Error> {
        let (sender, requests) = queue::channel(REQUESTS);
        let (messages, received) = mpsc::sync_channel(MESSAGES);
        let terminal = Terminal::new()?;
        let tell = sender.clone();
        let panics = terminal.watch_panics(move || {
            // Where it is full, what is in it is carried out first.
            let failed = Error::Internal("a thread panicked".into());
            let _ = tell.try_send(Request::Failed(failed));
        });
        let borrow = output.borrow(Box::new(Notes(board.clone())));
        terminal.take(setup.mouse)?;
        let bell = messages.clone();
        let painter = Painter::start(&terminal, move |painted| {
            // The screen thread has ended where it takes no message.
            let _ = bell.send(Message::Painted(painted));
        })?;
        let bell = messages.clone();
        let keyboard = Keyboard::start(move |event| bell.send(Message::Terminal(event)).is_ok())?;
        let bell = messages.clone();
        board.hang(Some(Box::new(move || {
            // A full queue is looked through anyway.
            let _ = bell.try_send(Message::Changed);
        })));
        let size = terminal::size().map_or(Size::new(80, 24), Size::from);
        let stage = Stage {
            state: State::new(setup, size),
            board: board.clone(),
            stamp,
            messages: received,
            keyboard,
            painter,
            terminal,
            requests: sender,
            drawn: None,
            dirty: true,
            _panics: panics,
        };
        let thread = thread::Builder::new()
            .name("screen".into())
            .spawn(move || stage.run())
            .map_err(|cause| Error::Io {
                doing: "starting the screen thread".into(),
                cause,
            })?;
        Ok(Self {
            requests,
            messages,
            thread: Some(thread),
            board: board.clone(),
            borrow: Some(borrow),
        })
    }

    /// What was asked for next; `None` when the screen is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Request> {
        self.requests.recv().await
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        self.board.hang(None);
        // It has ended where it takes no message; that it panicked was said when it did.
        let _ = self.messages.send(Message::Stop);
        let _ = thread.join();
        self.borrow = None;
    }
}

/// What others print while the screen is there becomes a note.
struct Notes(Board);

impl Printer for Notes {
    fn print(&mut self, text: String) -> Result<(), String> {
        self.0.write(|scene| {
            for line in text.lines() {
                scene.note(&sanitize::line(line));
            }
        });
        Ok(())
    }
}

/// The screen thread.
struct Stage {
    state: State,
    board: Board,
    stamp: Stamp,
    // Dropped in this order: nobody waits to tell something, and nobody reads the terminal when it
    // is given back.
    messages: Receiver<Message>,
    keyboard: Keyboard,
    painter: Painter,
    terminal: Terminal,
    requests: queue::Sender<Request>,
    /// When the last picture was made.
    drawn: Option<Instant>,
    dirty: bool,
    _panics: PanicWatch,
}

impl Stage {
    fn run(mut self) {
        self.update(Action::Look);
        let mut ticked = Instant::now();
        loop {
            let scanning = self.state.read_on(&self.board.read());
            self.dirty |= scanning;
            match self.messages.recv_timeout(self.patience(scanning, ticked)) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // A busy server writes all the time: it is looked at for a picture, not for each event.
            let is_time = self.rest().is_zero() && self.painter.is_idle();
            if is_time && (self.board.has_changed() || ticked.elapsed() >= TICK) {
                ticked = Instant::now();
                self.look();
            }
            if self.dirty && is_time {
                self.draw();
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Terminal(Ok(Event::Key(key))) => self.update(Action::Key(key)),
            Message::Terminal(Ok(Event::Paste(text))) => self.update(Action::Paste(text)),
            Message::Terminal(Ok(Event::Mouse(mouse))) => self.update(Action::Mouse(mouse)),
            Message::Terminal(Ok(Event::Resize(..))) => self.look(),
            Message::Terminal(Ok(Event::FocusGained | Event::FocusLost)) => {}
            // The terminal is gone, which is one way to leave.
            Message::Terminal(Err(_)) | Message::Painted(Err(_)) => self.request(Request::Quit),
            Message::Painted(Ok(())) | Message::Changed | Message::Stop => {}
        }
    }

    /// How long there is nothing to do.
    fn patience(&self, scanning: bool, ticked: Instant) -> Duration {
        if scanning {
            return Duration::ZERO;
        }
        let tick = TICK.saturating_sub(ticked.elapsed());
        if self.painter.is_idle() && !self.rest().is_zero() {
            tick.min(self.rest())
        } else {
            tick
        }
    }

    /// How long it is until the next picture may be made.
    fn rest(&self) -> Duration {
        self.drawn.map_or(Duration::ZERO, |drawn| {
            EVERY.saturating_sub(drawn.elapsed())
        })
    }

    /// Takes in what happened, the time, and the size, which some terminals do not tell.
    fn look(&mut self) {
        match terminal::size().map(Size::from) {
            Some(size) if size != self.state.size => {
                self.update(Action::Resize(size.width, size.height));
            }
            _ => self.update(Action::Look),
        }
    }

    fn update(&mut self, action: Action) {
        let now = self.stamp.now();
        let effects = update(&mut self.state, &self.board.read(), now, action);
        self.dirty = true;
        for effect in effects {
            match effect {
                Effect::Close(conn, command) => self.request(Request::Close(conn, command)),
                Effect::Quit => self.request(Request::Quit),
                Effect::Redraw => self.painter.forget(),
                Effect::Suspend => self.suspend(),
            }
        }
    }

    fn request(&mut self, request: Request) {
        if self.requests.try_send(request).is_err() {
            self.state.say("the server takes no more just now");
        }
    }

    /// Stops the process until the shell continues it.
    fn suspend(&mut self) {
        self.keyboard.pause();
        self.painter.give_back();
        #[cfg(unix)]
        {
            // Where it fails there is no shell that could continue it.
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP);
        }
        if let Err(error) = self.terminal.take(self.state.setup.mouse) {
            self.request(Request::Failed(error));
        }
        self.painter.forget();
        self.keyboard.resume();
        self.look();
    }

    fn draw(&mut self) {
        let size = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        let cursor = render(&self.state, &self.board.read(), &mut buffer);
        self.painter.draw(Picture { buffer, cursor });
        self.drawn = Some(Instant::now());
        self.dirty = false;
    }
}
