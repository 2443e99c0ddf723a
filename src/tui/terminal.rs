//! The terminal while a full screen is on it: taken over once, given back in any case.
//!
//! Giving back undoes raw mode, alternate screen, mouse, paste brackets and the hidden cursor. It is
//! done when the value is dropped, and by a panic in any thread, before its message is printed.

use std::fs::File;
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use crate::error::Error;
use crate::text::output;

/// Milliseconds that a terminal is given to take something, before what it was given is discarded,
/// and how often that is done: somebody may be writing more of a picture than it holds.
#[cfg(unix)]
const MOMENT: u8 = 10;
const MOST_DISCARDS: usize = 50;

/// Columns and rows of the terminal, if there is one.
pub fn size() -> Option<(u16, u16)> {
    ratatui::crossterm::terminal::size().ok()
}

/// Whether this process may read the terminal: not where a shell runs it in the background.
pub fn is_in_foreground() -> bool {
    #[cfg(unix)]
    {
        use nix::unistd::{getpgrp, tcgetpgrp};
        tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp())
    }
    #[cfg(not(unix))]
    true
}

/// A terminal that can be taken over and given back, from any thread.
#[derive(Clone)]
pub struct Terminal(Arc<Shared>);

struct Shared {
    file: File,
    taken: AtomicBool,
}

impl Terminal {
    /// The terminal that is stdout, as it is.
    ///
    /// # Errors
    /// There is no second handle to it.
    pub fn new() -> Result<Self, Error> {
        let file = output::screen().map_err(failed)?;
        Ok(Self(Arc::new(Shared {
            file,
            taken: AtomicBool::new(false),
        })))
    }

    /// Takes it over.
    ///
    /// # Errors
    /// It is none, or it is gone.
    pub fn take(&self, mouse: bool) -> Result<(), Error> {
        // It is not looked up again whether it is still raw: a shell may have used it meanwhile.
        let _ = disable_raw_mode();
        enable_raw_mode().map_err(failed)?;
        self.0.taken.store(true, Ordering::SeqCst);
        let mut out = &self.0.file;
        queue!(out, EnterAlternateScreen, EnableBracketedPaste, Hide)
            .and_then(|()| out.flush())
            .map_err(failed)?;
        self.set_mouse(mouse).map_err(failed)
    }

    /// Gives it back; what was given back already is left alone.
    pub fn give_back(&self) {
        if !self.0.taken.swap(false, Ordering::SeqCst) {
            return;
        }
        // First, for what follows may have to wait.
        let _ = disable_raw_mode();
        if !self.unblock() {
            // What would put it right cannot be told to it.
            return;
        }
        let mut out = &self.0.file;
        // Where it fails the terminal is gone.
        let _ = queue!(
            out,
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = out.flush();
    }

    /// Whether it takes what is written within a moment.
    fn takes_more(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd as _;

            use nix::poll::{PollFd, PollFlags, poll};
            let mut watched = [PollFd::new(self.0.file.as_fd(), PollFlags::POLLOUT)];
            poll(&mut watched, MOMENT).is_ok_and(|ready| ready > 0)
        }
        #[cfg(not(unix))]
        true
    }

    /// Drops what was written and not taken yet, so that a terminal that takes nothing holds up no
    /// one who writes; says whether it takes more now.
    fn unblock(&self) -> bool {
        for _ in 0..MOST_DISCARDS {
            if self.takes_more() {
                return true;
            }
            #[cfg(unix)]
            {
                use nix::sys::termios::{FlowArg, FlushArg, tcflow, tcflush};
                // Where it fails the terminal is gone. What Ctrl+S has stopped has to go on first.
                let _ = tcflow(&self.0.file, FlowArg::TCOON);
                let _ = tcflush(&self.0.file, FlushArg::TCOFLUSH);
            }
        }
        false
    }

    /// # Errors
    /// The terminal is gone.
    pub fn set_mouse(&self, mouse: bool) -> io::Result<()> {
        let mut out = &self.0.file;
        if mouse {
            queue!(out, EnableMouseCapture)?;
        } else {
            queue!(out, DisableMouseCapture)?;
        }
        out.flush()
    }

    /// Whether it may be drawn on.
    pub fn is_taken(&self) -> bool {
        self.0.taken.load(Ordering::SeqCst)
    }

    /// Gives it back when any thread panics, and tells that, until the answer is dropped.
    #[must_use]
    pub fn watch_panics(&self, tell: impl Fn() + Send + Sync + 'static) -> PanicWatch {
        let previous: Arc<Hook> = Arc::from(panic::take_hook());
        let (terminal, then) = (self.clone(), Arc::clone(&previous));
        panic::set_hook(Box::new(move |info| {
            terminal.give_back();
            then(info);
            tell();
        }));
        PanicWatch { previous }
    }
}

/// Its lines are what a screen draws: passed on as they are.
impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_taken() {
            // Given back meanwhile: whoever still draws, draws for nobody.
            return Ok(bytes.len());
        }
        (&self.0.file).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&self.0.file).flush()
    }
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// Puts the former panic hook back.
pub struct PanicWatch {
    previous: Arc<Hook>,
}

impl Drop for PanicWatch {
    fn drop(&mut self) {
        // A thread that panics may not touch the hook; the process is about to end anyway.
        if !thread::panicking() {
            let previous = Arc::clone(&self.previous);
            panic::set_hook(Box::new(move |info| previous(info)));
        }
    }
}

fn failed(cause: io::Error) -> Error {
    Error::Io {
        doing: "taking over the terminal".into(),
        cause,
    }
}
