//! A person at a line editor: rustyline in a thread of its own.
//!
//! The editor owns the screen below the last line of output. What is printed meanwhile goes above
//! the typed text: [`Output`] lays it on the [`Desk`] and rings; the editor takes it along when it
//! paints its prompt. (rustyline's own external printer keeps one message in a slot, which is lost
//! when the editor ends; here it serves as the bell only.)
//!
//! rustyline has no cancel. For the length of each line it handles SIGINT itself, so stopping it is
//! a SIGINT to its thread: it restores the terminal and returns. Should it not (a terminal that
//! blocks), its mode is restored from here and the thread is left behind.
//!
//! Keys: Ctrl-C clears the line, and on an empty line quits; Ctrl-D on an empty line ends the
//! input; Enter continues JSON that is not complete, and on an empty last line sends it as it is;
//! Alt-Enter begins a new line; F2 asks for the full screen; Tab completes slash commands. A paste is one text, line feeds
//! included. While the session is not ready, Enter leaves the text where it is.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Context, Editor, Event,
    EventContext, EventHandler, ExternalPrinter, KeyCode, KeyEvent, Modifiers, Movement,
    RepeatCount,
};
use tokio::sync::mpsc;

use super::desk::Desk;
use super::{Batch, Input, history, resize, slash, terminal};
use crate::error::Error;
use crate::model::control::Control;
use crate::text::output::{Borrow, Output, Printer};
use crate::text::style::{Ink, Style};
use crate::text::{json, sanitize};

const PROMPT: &str = "> ";

/// Typed lines that may wait to be taken. The output can pass the editor only while it edits, so
/// this is more than a person types while a session waits for room in the output.
const TYPED: usize = 256;

/// Milliseconds after which Esc is a key and not the beginning of one.
const ESC_TIMEOUT: u16 = 50;

/// Longer lines are typed by no hand: they get no colours and no hints, which cost time at each key.
const LONGEST_HELPED: usize = 2 * 1024;

/// A printed line that leaves no trace: one up, one down.
const BELL: &str = "\x1b[A\n";

/// How a person types.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where lines are remembered between sessions.
    pub history: Option<PathBuf>,
    pub style: Style,
}

/// A line editor on the terminal. Dropping it restores the terminal.
pub struct Readline {
    batches: mpsc::Receiver<Batch>,
    desk: Arc<Desk>,
    /// Until it was stopped.
    thread: Option<JoinHandle<()>>,
    terminal: terminal::Terminal,
    /// Given back after the editor has ended.
    borrow: Option<Borrow>,
}

impl Readline {
    /// Starts the editor on stdin and stdout, which must be a terminal that can move its cursor, with
    /// `draft` in its line. `is_ready` is what [`Self::set_ready`] would say.
    ///
    /// # Errors
    /// There is no such terminal, or the thread cannot be started.
    pub fn start(plan: Plan, draft: &str, is_ready: bool, output: &Output) -> Result<Self, Error> {
        let terminal = terminal::Terminal::save()?;
        let desk = Arc::new(Desk::default());
        desk.set_ready(is_ready);
        let mut editor = editor(&plan, &desk).map_err(terminal_error)?;
        let bell = hang_bell(editor.create_external_printer().map_err(terminal_error)?)?;
        let borrow = output.borrow(Box::new(Above {
            desk: Arc::clone(&desk),
            bell,
        }));
        let (sender, batches) = mpsc::channel(TYPED);
        let typist = Typist {
            editor,
            desk: Arc::clone(&desk),
            batches: sender,
            history: plan.history,
            initial: draft.to_owned(),
        };
        let thread = spawn("readline", move || typist.run())?;
        Ok(Self {
            batches,
            desk,
            thread: Some(thread),
            terminal,
            borrow: Some(borrow),
        })
    }

    /// The next typed text; `None` after Ctrl-D or a quit. Cancel-safe.
    pub async fn next(&mut self) -> Option<Batch> {
        self.batches.recv().await
    }

    /// Whether typed text may be sent now. While it may not, Enter leaves it in the line; slash
    /// commands that send nothing work at any time.
    pub fn set_ready(&self, ready: bool) {
        self.desk.set_ready(ready);
    }

    /// Whether somebody has put the terminal back into its usual mode, so that keys come in lines.
    pub fn has_lost_the_terminal(&self) -> bool {
        !self.desk.is_stopping() && self.terminal.is_cooked()
    }

    /// Ends the editor, restores the terminal, and returns what was typed and not sent.
    pub fn stop(mut self) -> String {
        self.end();
        self.desk.draft()
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        // A thread that waits to hand over a line gives up.
        self.batches.close();
        if self.desk.stop(|| terminal::interrupt(&thread)) {
            // It has ended but for returning; that it panicked would have been shown.
            let _ = thread.join();
        } else {
            self.terminal.restore();
        }
        self.borrow = None;
    }
}

impl Drop for Readline {
    fn drop(&mut self) {
        self.end();
    }
}

fn terminal_error(error: ReadlineError) -> Error {
    let cause = match error {
        ReadlineError::Io(cause) => cause,
        other => std::io::Error::other(other),
    };
    Error::Io {
        doing: "editing lines on this terminal".into(),
        cause,
    }
}

/// Whether the terminal is gone, which is one way to leave.
fn is_hang_up(error: &ReadlineError) -> bool {
    #[cfg(unix)]
    {
        use nix::errno::Errno;
        let gone = [Errno::EIO, Errno::ENXIO, Errno::ENOTTY, Errno::EBADF];
        let errno = match error {
            ReadlineError::Io(cause) => cause.raw_os_error().map(Errno::from_raw),
            ReadlineError::Errno(errno) => Some(Errno::from_raw(*errno as i32)),
            _ => None,
        };
        errno.is_some_and(|errno| gone.contains(&errno))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

type TypedEditor = Editor<Assistant, DefaultHistory>;

fn editor(plan: &Plan, desk: &Arc<Desk>) -> Result<TypedEditor, ReadlineError> {
    let config = Config::builder()
        .max_history_size(history::ENTRIES)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .keyseq_timeout(Some(ESC_TIMEOUT))
        .bracketed_paste(true)
        // The highlighter is needed for printing above; it decides about colours itself.
        .color_mode(ColorMode::Forced)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Assistant {
        desk: Arc::clone(desk),
        style: plan.style,
    }));
    editor.bind_sequence(
        KeyEvent::ctrl('C'),
        EventHandler::Conditional(Box::new(ClearFirst)),
    );
    for enter in [KeyEvent::new('\r', Modifiers::NONE), KeyEvent::ctrl('J')] {
        let gate = Gate(Arc::clone(desk));
        editor.bind_sequence(enter, EventHandler::Conditional(Box::new(gate)));
    }
    editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), Cmd::Newline);
    let switch = Switch(Arc::clone(desk));
    editor.bind_sequence(
        KeyEvent(KeyCode::F(2), Modifiers::NONE),
        EventHandler::Conditional(Box::new(switch)),
    );
    Ok(editor)
}

/// The thread of the editor.
struct Typist {
    editor: TypedEditor,
    desk: Arc<Desk>,
    batches: mpsc::Sender<Batch>,
    history: Option<PathBuf>,
    /// What the next line begins with.
    initial: String,
}

impl Typist {
    fn run(self) {
        // Dropped last, also in a panic: by then nobody listens to the bell.
        let _end = End(Arc::clone(&self.desk));
        let mut typist = self;
        typist.load_history();
        typist.edit();
    }

    /// Line after line, until there are no more.
    fn edit(&mut self) {
        while !self.desk.is_stopping() {
            let initial = std::mem::take(&mut self.initial);
            let read = self.editor.readline_with_initial(PROMPT, (&initial, ""));
            let Some(draft) = self.desk.leave(PROMPT) else {
                return;
            };
            let goes_on = match read {
                // The session stops this editor when it has heard it, wherever that is by then: the
                // draft stays on the desk.
                Err(ReadlineError::Interrupted) if self.desk.takes_switch() => {
                    self.desk.type_in(&draft, draft.len());
                    self.initial = draft;
                    self.send(Control::Screen.into())
                }
                Ok(line) => self.submit(&line),
                Err(ReadlineError::Interrupted) => {
                    self.send(Control::Quit.into());
                    false
                }
                Err(ReadlineError::Eof) => false,
                Err(error) if is_hang_up(&error) => {
                    self.send(Control::Quit.into());
                    false
                }
                // A byte that is not UTF-8 was typed: it is gone, the rest stays.
                Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                    self.initial = draft;
                    true
                }
                Err(error) => {
                    let _ = self.batches.blocking_send(Batch {
                        inputs: Vec::new(),
                        error: Some(terminal_error(error)),
                    });
                    false
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Sends a typed text; says whether somebody takes it.
    fn submit(&mut self, line: &str) -> bool {
        // Pasted lines end with a line feed, and so does what an empty last line sent.
        let text = line.trim_end_matches('\n');
        if text.is_empty() {
            return true;
        }
        self.remember(text) && self.send(slash::parse(text))
    }

    fn send(&self, input: Input) -> bool {
        let batch = Batch {
            inputs: vec![input],
            error: None,
        };
        self.batches.blocking_send(batch).is_ok()
    }

    fn load_history(&mut self) {
        let Some(path) = &self.history else {
            return;
        };
        let loaded = match history::make_folder(path) {
            Ok(()) => match self.editor.load_history(path) {
                Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(()),
                loaded => loaded,
            },
            Err(error) => Err(error.into()),
        };
        if let Err(error) = loaded {
            self.give_up_history(&error);
        }
    }

    /// Says whether the session goes on, which only its own end prevents.
    fn remember(&mut self, text: &str) -> bool {
        if !history::keeps(text) {
            return true;
        }
        let added = self.editor.add_history_entry(text);
        let saved = match (&self.history, added) {
            (Some(path), Ok(true)) => self.editor.append_history(path),
            (_, added) => added.map(drop),
        };
        saved.map_or_else(|error| self.give_up_history(&error), |()| true)
    }

    /// Tells once, and does not try again.
    fn give_up_history(&mut self, error: &ReadlineError) -> bool {
        match self.history.take() {
            Some(path) => self.send(Input::Wrong(format!(
                "typed lines are not remembered: {}: {error}",
                path.display()
            ))),
            None => true,
        }
    }
}

/// Tells the desk that the editor has ended.
struct End(Arc<Desk>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Prints above the edited line.
struct Above {
    desk: Arc<Desk>,
    bell: SyncSender<()>,
}

impl Printer for Above {
    fn print(&mut self, mut text: String) -> Result<(), String> {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        self.desk.print(text, || {
            // A bell that still rings is enough; one that is gone belongs to an editor that is.
            let _ = self.bell.try_send(());
        })
    }
}

/// Rings at each message, from a thread of its own: an editor that searches its history does not
/// listen, and ringing blocks meanwhile.
fn hang_bell(mut bell: impl ExternalPrinter + Send + 'static) -> Result<SyncSender<()>, Error> {
    let (sender, pulls) = std::sync::mpsc::sync_channel(1);
    spawn("bell", move || {
        while pulls.recv().is_ok() && bell.print(BELL.to_owned()).is_ok() {}
    })?;
    Ok(sender)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|cause| Error::Io {
            doing: format!("starting the {name} thread"),
            cause,
        })
}

/// Ctrl-C: clears a line that has text. An empty one is left to rustyline, which interrupts.
struct ClearFirst;

impl ConditionalEventHandler for ClearFirst {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, ctx: &EventContext<'_>) -> Option<Cmd> {
        (!ctx.line().is_empty()).then_some(Cmd::Kill(Movement::WholeBuffer))
    }
}

/// F2: asks for the full screen; the text goes along.
struct Switch(Arc<Desk>);

impl ConditionalEventHandler for Switch {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, ctx: &EventContext<'_>) -> Option<Cmd> {
        // What was typed just before may not be painted yet.
        self.0.type_in(ctx.line(), ctx.pos());
        self.0.ask_for_switch();
        Some(Cmd::Interrupt)
    }
}

/// Enter: keeps text that cannot be sent now where it is.
struct Gate(Arc<Desk>);

impl ConditionalEventHandler for Gate {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, ctx: &EventContext<'_>) -> Option<Cmd> {
        // Painting shows the hint that says why nothing happens.
        is_held(&self.0, ctx.line()).then_some(Cmd::Repaint)
    }
}

fn is_held(desk: &Desk, line: &str) -> bool {
    !desk.is_ready() && !line.trim_end_matches('\n').is_empty() && !slash::is_control(line)
}

/// What helps while typing: colours, hints, completion, continuation.
struct Assistant {
    desk: Arc<Desk>,
    style: Style,
}

impl rustyline::Helper for Assistant {}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let pairs = slash::completions(&line[..pos])
            .map(|slash| Pair {
                display: slash.name.to_owned(),
                replacement: slash.completed(),
            })
            .collect();
        Ok((0, pairs))
    }
}

/// What stands behind the typed text, and what the right arrow key takes over from it.
struct Suggestion {
    shown: String,
    taken: bool,
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.taken.then_some(&self.shown)
    }
}

impl Hinter for Assistant {
    type Hint = Suggestion;

    fn hint(&self, line: &str, pos: usize, ctx: &Context<'_>) -> Option<Suggestion> {
        self.desk.type_in(line, pos);
        if is_held(&self.desk, line) {
            return Some(Suggestion {
                shown: "  (not connected: stays here)".into(),
                taken: false,
            });
        }
        if line.len() > LONGEST_HELPED {
            return None;
        }
        let shown = HistoryHinter::new().hint(line, pos, ctx)?;
        // A history file may hold anything.
        let fits = shown.len() <= LONGEST_HELPED && !shown.chars().any(sanitize::is_hostile);
        fits.then_some(Suggestion { shown, taken: true })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if !self.style.is_colourful() || line.len() > LONGEST_HELPED {
            Cow::Borrowed(line)
        } else if line.starts_with('/') && !line.starts_with("//") {
            self.style.paint(Ink::Control, line)
        } else if line.trim_start().starts_with(['{', '[']) {
            Cow::Owned(json::highlight_draft(line, self.style))
        } else {
            Cow::Borrowed(line)
        }
    }

    /// Called for each picture, with the cursor where the prompt begins and nothing below.
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        let painted = self.style.paint(Ink::Outgoing, prompt);
        let above = self.desk.paint(PROMPT, terminal::columns());
        if above.is_empty() {
            painted
        } else {
            Cow::Owned(above + &painted)
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        self.style.paint(Ink::Dim, hint)
    }

    fn highlight_char(&self, line: &str, _: usize, kind: CmdKind) -> bool {
        // Where a row begins all of them are painted: only rows that the terminal itself has
        // wrapped stay together when it is resized. Not at each key, for a paste may be long.
        let wraps = || resize::begins_row(line, PROMPT.len(), terminal::columns());
        let has_colours =
            || self.style.is_colourful() && line.trim_start().starts_with(['{', '[', '/']);
        kind != CmdKind::MoveCursor && line.len() <= LONGEST_HELPED && (has_colours() || wraps())
    }
}

impl Validator for Assistant {
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = ctx.input();
        Ok(if text.ends_with('\n') || json::is_complete(text) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}
