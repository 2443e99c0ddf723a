//! What every full screen runs on: the threads around the pure parts.
//!
//! ```text
//! keyboard thread --events--> screen thread: update, render --pictures--> painter thread --> terminal
//!                                  ^   |
//!                 program --Board--+   +--requests--> program
//! ```
//!
//! The screen thread waits for nothing but messages: a terminal that takes nothing holds up the
//! painter only, and the next picture is made when the painter has finished the last one. It draws
//! at most [`Play::EVERY`] so often, and only when something changed. A program that writes all the
//! time is looked at for a picture, and not for each thing that happened.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::Event;
use ratatui::layout::{Position, Rect, Size};
use tokio::sync::mpsc as queue;

use super::board::Board;
use super::keyboard::Keyboard;
use super::painter::{Painter, Picture};
use super::terminal::{self, PanicWatch, Terminal};
use super::update::Action;
use crate::error::Error;
use crate::session::stamp::Stamp;
use crate::text::output::{Borrow, Output, Printer};
use crate::text::sanitize;

/// Messages that may wait for the screen thread, which never waits itself.
const MESSAGES: usize = 1_024;
/// What a screen has unless the terminal tells.
const SIZE: Size = Size::new(80, 24);

/// A screen: what it remembers, how that changes, how it looks, and what it asks of the world.
pub(super) trait Play: Send + Sized + 'static {
    /// What the program writes and the screen shows.
    type Scene: Send + 'static;
    /// Actions that only this screen has.
    type Own;
    /// What an update asks of the world.
    type Effect;
    /// What other threads tell it.
    type Told: Send + 'static;
    /// What is asked of the program.
    type Request: Send + 'static;
    /// What is left of it in the end.
    type Left: Default + Send + 'static;

    /// Requests that may wait for the program.
    const REQUESTS: usize;
    /// The least time between two pictures.
    const EVERY: Duration = Duration::from_millis(33);

    /// The request to end, because there is no terminal any more.
    fn gone() -> Self::Request;
    /// The request of a screen that cannot go on.
    fn failed(error: Error) -> Self::Request;
    /// Writes down a line that somebody else prints while the screen is there; it is safe to be shown.
    fn note(scene: &mut Self::Scene, line: &str);

    fn size(&self) -> Size;
    /// Whether the mouse is wanted.
    fn mouse(&self) -> bool;
    fn update(
        &mut self,
        scene: &Self::Scene,
        now: Duration,
        action: Action<Self::Own>,
    ) -> Vec<Self::Effect>;
    /// Draws everything; returns where the terminal's cursor belongs.
    fn render(&self, scene: &Self::Scene, buffer: &mut Buffer) -> Option<Position>;
    /// Reads on in what takes longer than a moment; says whether there is more.
    fn read_on(&mut self, _scene: &Self::Scene) -> bool {
        false
    }
    /// How often the picture is made anew where only time passes.
    fn tick(&self, _scene: &Self::Scene) -> Duration {
        Duration::from_secs(1)
    }
    fn carry_out(stage: &mut Stage<Self>, effect: Self::Effect);
    fn told(stage: &mut Stage<Self>, told: Self::Told);
    fn left(stage: &Stage<Self>) -> Self::Left;
}

/// A message to the screen thread.
enum Message<T> {
    Terminal(io::Result<Event>),
    Changed,
    Painted(io::Result<()>),
    Told(T),
    /// The program was stopped, and somebody else has used the terminal.
    Continued,
    Stop,
}

/// For threads that have something to tell a screen.
pub(super) struct Bell<P: Play>(SyncSender<Message<P::Told>>);

impl<P: Play> Bell<P> {
    pub(super) fn tell(&self, told: P::Told) {
        // Nobody asks any more where the screen has ended meanwhile.
        let _ = self.0.send(Message::Told(told));
    }
}

/// A full screen on the terminal. Dropping it gives the terminal back.
pub(super) struct Running<P: Play> {
    requests: queue::Receiver<P::Request>,
    messages: SyncSender<Message<P::Told>>,
    thread: Option<JoinHandle<P::Left>>,
    board: Board<P::Scene>,
    /// Given back after the terminal.
    borrow: Option<Borrow>,
}

impl<P: Play> Running<P> {
    /// Takes the terminal over; `play` is made for its size.
    ///
    /// # Errors
    /// There is no terminal, or a thread cannot be started.
    pub(super) fn start(
        play: impl FnOnce(Size) -> P,
        board: &Board<P::Scene>,
        stamp: Stamp,
        output: &Output,
    ) -> Result<Self, Error> {
        let (sender, requests) = queue::channel(P::REQUESTS);
        let (messages, received) = mpsc::sync_channel(MESSAGES);
        let terminal = Terminal::new()?;
        let tell = sender.clone();
        let panics = terminal.watch_panics(move || {
            // Where it is full, what is in it is carried out first.
            let failed = Error::Internal("a thread panicked".into());
            let _ = tell.try_send(P::failed(failed));
        });
        let borrow = output.borrow(Box::new(Notes::<P>(board.clone())));
        let play = play(terminal::size().map_or(SIZE, Size::from));
        terminal.take(play.mouse())?;
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
        let stage = Stage {
            play,
            board: board.clone(),
            stamp,
            messages: received,
            keyboard,
            painter,
            terminal,
            bell: messages.clone(),
            requests: sender,
            drawn: None,
            dirty: true,
            stopped: false,
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
    pub(super) async fn next(&mut self) -> Option<P::Request> {
        self.requests.recv().await
    }

    /// The program goes on after it was stopped: takes the terminal over again.
    pub(super) fn refresh(&self) {
        // It has ended where it takes no message.
        let _ = self.messages.try_send(Message::Continued);
    }

    /// Gives the terminal back.
    pub(super) fn end(&mut self) -> P::Left {
        let Some(thread) = self.thread.take() else {
            return P::Left::default();
        };
        self.board.hang(None);
        // It has ended where it takes no message.
        let _ = self.messages.send(Message::Stop);
        // That it panicked was said when it did.
        let left = thread.join().unwrap_or_default();
        self.borrow = None;
        left
    }
}

impl<P: Play> Drop for Running<P> {
    fn drop(&mut self) {
        self.end();
    }
}

/// What others print while the screen is there becomes a note.
struct Notes<P: Play>(Board<P::Scene>);

impl<P: Play> Printer for Notes<P> {
    fn print(&mut self, text: String) -> Result<(), String> {
        self.0.write(|scene| {
            for line in text.lines() {
                P::note(scene, &sanitize::line(line));
            }
        });
        Ok(())
    }
}

/// The screen thread.
pub(super) struct Stage<P: Play> {
    pub(super) play: P,
    board: Board<P::Scene>,
    stamp: Stamp,
    // Dropped in this order: nobody waits to tell something, and nobody reads the terminal when it
    // is given back.
    messages: Receiver<Message<P::Told>>,
    keyboard: Keyboard,
    pub(super) painter: Painter,
    terminal: Terminal,
    bell: SyncSender<Message<P::Told>>,
    requests: queue::Sender<P::Request>,
    /// When the last picture was made.
    drawn: Option<Instant>,
    dirty: bool,
    /// It was told to end while somebody else had the terminal.
    stopped: bool,
    _panics: PanicWatch,
}

impl<P: Play> Stage<P> {
    fn run(mut self) -> P::Left {
        self.update(Action::Look);
        let mut ticked = Instant::now();
        while !self.stopped {
            let reads = self.play.read_on(&self.board.read());
            self.dirty |= reads;
            match self.messages.recv_timeout(self.patience(reads, ticked)) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let is_time = self.rest().is_zero() && self.painter.is_idle();
            if is_time && (self.board.has_changed() || ticked.elapsed() >= self.tick()) {
                ticked = Instant::now();
                self.look();
            }
            if self.dirty && is_time {
                self.draw();
            }
        }
        P::left(&self)
    }

    fn take(&mut self, message: Message<P::Told>) {
        match message {
            Message::Terminal(Ok(Event::Key(key))) => self.update(Action::Key(key)),
            Message::Terminal(Ok(Event::Paste(text))) => self.update(Action::Paste(text)),
            Message::Terminal(Ok(Event::Mouse(mouse))) => self.update(Action::Mouse(mouse)),
            Message::Terminal(Ok(Event::Resize(..))) => self.look(),
            Message::Terminal(Ok(Event::FocusGained | Event::FocusLost)) => {}
            Message::Told(told) => P::told(self, told),
            Message::Continued => self.take_back(),
            // The terminal is gone, which is one way to leave. Where the queue is full, what is in it
            // is carried out first, and the next failure tells again.
            Message::Terminal(Err(_)) | Message::Painted(Err(_)) => {
                self.request(P::gone());
            }
            Message::Painted(Ok(())) | Message::Changed | Message::Stop => {}
        }
    }

    /// How long there is nothing to do.
    fn patience(&self, reads: bool, ticked: Instant) -> Duration {
        if reads {
            return Duration::ZERO;
        }
        let tick = self.tick().saturating_sub(ticked.elapsed());
        if self.painter.is_idle() && !self.rest().is_zero() {
            tick.min(self.rest())
        } else {
            tick
        }
    }

    fn tick(&self) -> Duration {
        self.play.tick(&self.board.read())
    }

    /// How long it is until the next picture may be made.
    fn rest(&self) -> Duration {
        self.drawn.map_or(Duration::ZERO, |drawn| {
            P::EVERY.saturating_sub(drawn.elapsed())
        })
    }

    /// Takes in what happened, the time, and the size, which some terminals do not tell.
    fn look(&mut self) {
        match terminal::size().map(Size::from) {
            Some(size) if size != self.play.size() => {
                self.update(Action::Resize(size.width, size.height));
            }
            _ => self.update(Action::Look),
        }
    }

    pub(super) fn update(&mut self, action: Action<P::Own>) {
        let now = self.stamp.now();
        let effects = self.play.update(&self.board.read(), now, action);
        self.dirty = true;
        for effect in effects {
            P::carry_out(self, effect);
        }
    }

    /// Something to be drawn was said outside of an update.
    pub(super) const fn changed(&mut self) {
        self.dirty = true;
    }

    /// Asks the program; false where it takes no more just now.
    pub(super) fn request(&self, request: P::Request) -> bool {
        self.requests.try_send(request).is_ok()
    }

    pub(super) fn bell(&self) -> Bell<P> {
        Bell(self.bell.clone())
    }

    /// Lets somebody else have the terminal; `None` where the screen is to end meanwhile.
    pub(super) fn lend<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        /// How often it is looked whether the screen is to end.
        const GLANCE: Duration = Duration::from_millis(100);
        self.hand_over();
        let (sender, done) = mpsc::sync_channel(1);
        thread::spawn(move || {
            // Nobody waits for it where the program has ended meanwhile.
            let _ = sender.send(work());
        });
        let done = loop {
            match done.recv_timeout(GLANCE) {
                Ok(done) => break Some(done),
                // It panicked, and has said so.
                Err(RecvTimeoutError::Disconnected) => break None,
                Err(RecvTimeoutError::Timeout) if self.is_stopped() => break None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        self.take_back();
        done
    }

    /// Whether it is to end; what else was said meanwhile is seen when it looks again.
    fn is_stopped(&mut self) -> bool {
        let mut waiting = self.messages.try_iter();
        self.stopped |= waiting.any(|message| matches!(message, Message::Stop));
        self.stopped
    }

    /// Stops the process until the shell continues it.
    pub(super) fn suspend(&mut self) {
        self.hand_over();
        #[cfg(unix)]
        {
            // Where it fails there is no shell that could continue it.
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP);
        }
        self.take_back();
    }

    /// Leaves the terminal to somebody else.
    fn hand_over(&self) {
        self.keyboard.pause();
        self.painter.give_back();
    }

    fn take_back(&mut self) {
        if let Err(error) = self.terminal.take(self.play.mouse()) {
            self.request(P::failed(error));
        }
        self.painter.forget();
        self.keyboard.resume();
        self.look();
    }

    pub(super) fn picture(&self) -> Picture {
        let size = self.play.size();
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        let cursor = self.play.render(&self.board.read(), &mut buffer);
        Picture { buffer, cursor }
    }

    fn draw(&mut self) {
        self.painter.draw(self.picture());
        self.drawn = Some(Instant::now());
        self.dirty = false;
    }
}
