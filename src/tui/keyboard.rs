//! The thread that reads keys, pastes, the mouse and changes of size.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::error::Error;

/// How often it looks whether it is wanted elsewhere. Keys do not wait for this.
const GLANCE: Duration = Duration::from_millis(50);

/// A reader of the terminal. Dropping it ends the reading.
pub(super) struct Keyboard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Somebody else reads the terminal.
    pausing: bool,
    paused: bool,
    ending: bool,
}

impl Keyboard {
    /// Reads until `tell` says that nobody wants to know any more, or the terminal is gone, which it
    /// is told too.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(
        tell: impl Fn(io::Result<Event>) -> bool + Send + 'static,
    ) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("keyboard".into())
            .spawn(move || theirs.read(tell))
            .map_err(|cause| Error::Io {
                doing: "starting the keyboard thread".into(),
                cause,
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Leaves the terminal to somebody else; returns when it does not read any more.
    pub(super) fn pause(&self) {
        let mut state = self.shared.lock();
        state.pausing = true;
        while !state.paused && !state.ending {
            state = self.shared.wait(state);
        }
    }

    pub(super) fn resume(&self) {
        self.shared.lock().pausing = false;
        self.shared.changed.notify_all();
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.shared.lock().ending = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // That it panicked was said when it did.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, tell: impl Fn(io::Result<Event>) -> bool) {
        // Also after a panic nobody waits for this thread.
        let _end = End(self);
        while self.may_read() {
            let read = match next() {
                Ok(None) => continue,
                Ok(Some(event)) => Ok(event),
                Err(error) => Err(error),
            };
            let failed = read.is_err();
            let is_release =
                matches!(&read, Ok(Event::Key(key)) if key.kind == KeyEventKind::Release);
            if !is_release && !tell(read) || failed {
                return;
            }
        }
    }

    /// Waits out a pause; says whether there is more to read.
    fn may_read(&self) -> bool {
        let mut state = self.lock();
        while state.pausing && !state.ending {
            state.paused = true;
            self.changed.notify_all();
            state = self.wait(state);
        }
        state.paused = false;
        !state.ending
    }
}

/// What comes within a glance, if something does.
///
/// # Errors
/// The terminal is gone. crossterm would read one that hung up for ever, so it is asked only after
/// the system was.
fn next() -> io::Result<Option<Event>> {
    if event::poll(Duration::ZERO)? {
        return event::read().map(Some);
    }
    if is_readable(GLANCE)? && event::poll(GLANCE)? {
        return event::read().map(Some);
    }
    Ok(None)
}

/// Whether there is something to read within so long.
#[cfg(unix)]
fn is_readable(within: Duration) -> io::Result<bool> {
    use std::os::fd::AsFd as _;

    use nix::errno::Errno;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    let stdin = io::stdin();
    let mut watched = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let within = PollTimeout::try_from(within).unwrap_or(PollTimeout::ZERO);
    match poll(&mut watched, within) {
        // A signal, such as that of another size.
        Err(Errno::EINTR) => return Ok(false),
        polled => polled?,
    };
    let seen = watched[0].revents().unwrap_or(PollFlags::empty());
    if seen.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(seen.contains(PollFlags::POLLIN))
}

#[cfg(not(unix))]
fn is_readable(_: Duration) -> io::Result<bool> {
    Ok(true)
}

struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.lock().ending = true;
        self.0.changed.notify_all();
    }
}
