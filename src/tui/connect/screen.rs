//! The full screen as a source of input: the threads around the pure parts.
//!
//! ```text
//! keyboard thread --events--> screen thread: update, render --pictures--> painter thread --> terminal
//!                                  ^   |
//!                 session --Board--+   +--batches--> session
//! ```
//!
//! The screen thread waits for nothing but messages: a terminal that takes nothing holds up the
//! painter only, and the next picture is made when the painter has finished the last one. It draws
//! at most [`EVERY`] so often, and only when something changed.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::Event;
use ratatui::layout::{Rect, Size};
use tokio::sync::mpsc as queue;

use super::action::{Action, Copy, Effect};
use super::render::render;
use super::save::{NotSaved, Save, Saver};
use super::scene::{Board, Note, Weight};
use super::state::{Setup, State};
use super::update::update;
use crate::error::Error;
use crate::input::history::History;
use crate::input::{Batch, Input};
use crate::model::control::Control;
use crate::session::stamp::Stamp;
use crate::text::output::{Borrow, Output, Printer};
use crate::text::sanitize;
use crate::tui::keyboard::Keyboard;
use crate::tui::painter::{Painter, Picture};
use crate::tui::terminal::{self, PanicWatch, Terminal};
use crate::tui::widget::composer::Composer;
use crate::tui::{clipboard, editor};

/// The least time between two pictures.
const EVERY: Duration = Duration::from_millis(33);
/// How often the picture is made anew where only time passes.
const TICK: Duration = Duration::from_secs(1);
/// The same while a countdown runs.
const COUNTDOWN: Duration = Duration::from_millis(100);
/// Messages that may wait for the screen thread, which never waits itself.
const MESSAGES: usize = 1_024;
/// What was typed and waits for the session.
const TYPED: usize = 256;

/// How the full screen is made.
#[derive(Debug, Clone)]
pub struct Plan {
    pub setup: Setup,
    /// Where lines are remembered between sessions.
    pub history: Option<PathBuf>,
    /// The person's editor, with its arguments, as a shell reads it.
    pub editor: OsString,
    /// The terminal is tmux's, which has to be asked to pass the clipboard on.
    pub is_tmux: bool,
    /// Writes what a person saves.
    pub saver: Saver,
}

/// A full screen on the terminal. Dropping it gives the terminal back.
pub struct Screen {
    batches: queue::Receiver<Batch>,
    messages: SyncSender<Message>,
    thread: Option<JoinHandle<Left>>,
    board: Board,
    /// Given back after the terminal.
    borrow: Option<Borrow>,
}

/// What is left of a screen.
#[derive(Debug, Default)]
pub struct Left {
    /// What was typed and not sent.
    pub draft: String,
    /// The last picture as text, if it was to be kept.
    pub picture: Option<String>,
}

enum Message {
    Terminal(io::Result<Event>),
    Changed,
    Painted(io::Result<()>),
    Saved(Box<Save>, Result<(), NotSaved>),
    /// What tmux said to a text for its buffer.
    Loaded(Copy, Result<(), String>),
    /// The program was stopped, and somebody else has used the terminal.
    Continued,
    Stop,
}

impl Screen {
    /// Takes the terminal over, with this text in the composer.
    ///
    /// # Errors
    /// There is no terminal, or a thread cannot be started.
    pub fn start(
        plan: Plan,
        draft: &str,
        board: &Board,
        stamp: Stamp,
        output: &Output,
    ) -> Result<Self, Error> {
        let (sender, batches) = queue::channel(TYPED);
        let (messages, received) = mpsc::sync_channel(MESSAGES);
        let terminal = Terminal::new()?;
        let tell = sender.clone();
        let panics = terminal.watch_panics(move || {
            // Where it is full, what is in it is carried out first.
            let _ = tell.try_send(Batch {
                inputs: Vec::new(),
                error: Some(Error::Internal("a thread panicked".into())),
            });
        });
        let borrow = output.borrow(Box::new(Notes(board.clone())));
        terminal.take(plan.setup.mouse)?;
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
        let (history, problem) = History::load(plan.history.clone());
        let mut composer = Composer::new(history.lines().cloned().collect());
        composer.replace(draft);
        let size = terminal::size().map_or(Size::new(80, 24), Size::from);
        let mut state = State::new(plan.setup.clone(), composer, size);
        if let Some(problem) = problem {
            state.say(problem);
        }
        let stage = Stage {
            state,
            history,
            plan,
            board: board.clone(),
            stamp,
            keyboard,
            painter,
            terminal,
            messages: received,
            bell: messages.clone(),
            batches: sender,
            drawn: None,
            dirty: true,
            keep: false,
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
            batches,
            messages,
            thread: Some(thread),
            board: board.clone(),
            borrow: Some(borrow),
        })
    }

    /// What was asked for next; `None` when the screen is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Batch> {
        self.batches.recv().await
    }

    /// The program goes on after it was stopped: takes the terminal over again.
    pub fn refresh(&self) {
        // It has ended where it takes no message.
        let _ = self.messages.try_send(Message::Continued);
    }

    /// Gives the terminal back.
    pub fn stop(mut self) -> Left {
        self.end()
    }

    fn end(&mut self) -> Left {
        let Some(thread) = self.thread.take() else {
            return Left::default();
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

impl Drop for Screen {
    fn drop(&mut self) {
        self.end();
    }
}

/// What others print while the screen is there becomes a note.
struct Notes(Board);

impl Printer for Notes {
    fn print(&mut self, text: String) -> Result<(), String> {
        self.0.write(|scene| {
            for line in text.lines() {
                scene.note(Note {
                    time: SystemTime::now(),
                    weight: Weight::Info,
                    text: sanitize::line(line).into_owned(),
                });
            }
        });
        Ok(())
    }
}

/// The screen thread.
struct Stage {
    state: State,
    history: History,
    plan: Plan,
    board: Board,
    stamp: Stamp,
    // Dropped in this order: nobody waits to tell something, and nobody reads the terminal when it
    // is given back.
    messages: Receiver<Message>,
    keyboard: Keyboard,
    painter: Painter,
    terminal: Terminal,
    /// For threads that have something to tell it.
    bell: SyncSender<Message>,
    batches: queue::Sender<Batch>,
    /// When the last picture was made.
    drawn: Option<Instant>,
    dirty: bool,
    keep: bool,
    _panics: PanicWatch,
}

impl Stage {
    fn run(mut self) -> Left {
        self.update(Action::Look);
        let mut ticked = Instant::now();
        loop {
            let scanning = self.scan();
            match self.messages.recv_timeout(self.patience(scanning, ticked)) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.board.has_changed() || ticked.elapsed() >= self.tick() {
                ticked = Instant::now();
                self.look();
            }
            if self.dirty && self.rest().is_zero() && self.painter.is_idle() {
                self.draw();
            }
        }
        self.leave()
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Terminal(Ok(Event::Key(key))) => self.update(Action::Key(key)),
            Message::Terminal(Ok(Event::Paste(text))) => self.update(Action::Paste(text)),
            Message::Terminal(Ok(Event::Mouse(mouse))) => self.update(Action::Mouse(mouse)),
            Message::Terminal(Ok(Event::Resize(..))) => self.look(),
            Message::Terminal(Ok(Event::FocusGained | Event::FocusLost)) => {}
            Message::Saved(save, outcome) => self.update(Action::Saved(save, outcome)),
            Message::Loaded(copy, outcome) => self.loaded(&copy, outcome.is_ok()),
            Message::Continued => self.take_back(),
            Message::Terminal(Err(_)) | Message::Painted(Err(_)) => self.fail(),
            Message::Painted(Ok(())) | Message::Changed | Message::Stop => {}
        }
    }

    /// The terminal is gone, which is one way to leave. Where it is full, what is in it is carried out
    /// first, and the next failure tells again.
    fn fail(&self) {
        let _ = self.batches.try_send(Batch {
            inputs: vec![Control::Quit.into()],
            error: None,
        });
    }

    /// How long there is nothing to do.
    fn patience(&self, scanning: bool, ticked: Instant) -> Duration {
        if scanning {
            return Duration::ZERO;
        }
        let tick = self.tick().saturating_sub(ticked.elapsed());
        if self.dirty && self.painter.is_idle() {
            tick.min(self.rest())
        } else {
            tick
        }
    }

    fn tick(&self) -> Duration {
        if self.board.read().vitals.backoff.is_some() {
            COUNTDOWN
        } else {
            TICK
        }
    }

    /// How long it is until the next picture may be made.
    fn rest(&self) -> Duration {
        self.drawn.map_or(Duration::ZERO, |drawn| {
            EVERY.saturating_sub(drawn.elapsed())
        })
    }

    /// Reads on in what takes longer than a moment; says whether there is more.
    fn scan(&mut self) -> bool {
        let more = self.state.read_on(&self.board.read());
        self.dirty |= more;
        more
    }

    /// Takes in what the session wrote, the time, and the size, which some terminals do not tell.
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
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Input { input, line } => self.submit(input, line),
            Effect::Copy(copy) if self.plan.is_tmux => self.load_tmux(copy),
            Effect::Copy(copy) => self.offer(&copy),
            Effect::Save(save) => self.save(save),
            Effect::Edit(text) => self.edit(&text),
            Effect::Mouse(mouse) => self.painter.set_mouse(mouse),
            Effect::Redraw => self.painter.forget(),
            Effect::Suspend => self.suspend(),
            Effect::Keep => self.keep = true,
        }
    }

    fn submit(&mut self, input: Input, line: Option<String>) {
        let batch = Batch {
            inputs: vec![input],
            error: None,
        };
        if self.batches.try_send(batch).is_err() {
            if let Some(line) = line {
                self.state.composer.replace(&line);
            }
            self.state.say("the connection takes no more just now");
            return;
        }
        let remembered = line.map(|line| self.history.remember(&line));
        if let Some(Err(problem)) = remembered {
            self.state.say(problem);
        }
    }

    /// Asks the terminal to copy, which does not say whether it does.
    fn offer(&mut self, copy: &Copy) {
        match clipboard::sequence(copy.text.as_bytes(), self.plan.is_tmux) {
            Ok(sequence) => {
                self.painter.write(sequence.into_bytes());
                self.state
                    .say(copy.said("given to the terminal's clipboard"));
            }
            Err(problem) => self.state.say(problem),
        }
    }

    fn load_tmux(&self, copy: Copy) {
        let bell = self.bell.clone();
        thread::spawn(move || {
            let passes_on = copy.text.len() <= clipboard::MOST;
            let outcome = clipboard::load_tmux(copy.text.as_bytes(), passes_on);
            // Nobody asks any more where the screen has ended meanwhile.
            let _ = bell.send(Message::Loaded(copy, outcome));
        });
    }

    fn loaded(&mut self, copy: &Copy, is_loaded: bool) {
        if !is_loaded {
            self.offer(copy);
        } else if copy.text.len() <= clipboard::MOST {
            self.state
                .say(copy.said("in tmux's buffer, and offered to the clipboard"));
        } else {
            self.state
                .say(copy.said("in tmux's buffer, too large for the clipboard"));
        }
        self.dirty = true;
    }

    /// On a thread of its own: a disk may be slow, and a name may be a pipe that nobody reads.
    fn save(&self, save: Box<Save>) {
        let (saver, bell) = (self.plan.saver, self.bell.clone());
        thread::spawn(move || {
            let outcome = saver(&save);
            // Nobody asks any more where the screen has ended meanwhile.
            let _ = bell.send(Message::Saved(save, outcome));
        });
    }

    fn edit(&mut self, text: &str) {
        self.hand_over();
        let (sender, edited) = mpsc::sync_channel(1);
        let (text, command) = (text.to_owned(), self.plan.editor.clone());
        thread::spawn(move || {
            // Nobody waits for it where the session has ended meanwhile.
            let _ = sender.send(editor::edit(&text, "txt", &command));
        });
        let edited = loop {
            match edited.recv_timeout(COUNTDOWN) {
                Ok(edited) => break edited,
                Err(_) if self.is_stopped() => break Err("the session has ended".into()),
                Err(_) => {}
            }
        };
        self.take_back();
        self.update(Action::Edited(edited));
    }

    /// Whether it is to end; what else was said meanwhile is seen when it looks again.
    fn is_stopped(&self) -> bool {
        self.messages
            .try_iter()
            .any(|message| matches!(message, Message::Stop))
    }

    /// Stops the process until the shell continues it.
    fn suspend(&mut self) {
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
        if let Err(error) = self.terminal.take(self.state.setup.mouse) {
            let _ = self.batches.try_send(Batch {
                inputs: Vec::new(),
                error: Some(error),
            });
        }
        self.painter.forget();
        self.keyboard.resume();
        self.look();
    }

    fn picture(&self) -> Picture {
        let size = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        let cursor = render(&self.state, &self.board.read(), &mut buffer);
        Picture { buffer, cursor }
    }

    fn draw(&mut self) {
        self.painter.draw(self.picture());
        self.drawn = Some(Instant::now());
        self.dirty = false;
    }

    fn leave(self) -> Left {
        Left {
            draft: self.state.composer.text().to_owned(),
            picture: self.keep.then(|| text_of(&self.picture().buffer)),
        }
    }
}

/// The letters of a picture, line by line.
fn text_of(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        for x in buffer.area.left()..buffer.area.right() {
            line.push_str(buffer[(x, y)].symbol());
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
