//! What the editor's thread, the output's thread and the session share while a person types.
//!
//! Text to be printed above the edited line is laid down here and taken by the editor when it
//! paints. Whoever ends up with it shows it, so that no text is lost or shown twice however the
//! editor ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::resize::{self, Printed};

/// How long an editor may take to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// An interrupt may get lost behind another signal: the pause before the next one.
const NUDGE: Duration = Duration::from_millis(20);

#[derive(Default)]
pub(super) struct Desk {
    /// Whether typed text may be sent.
    ready: AtomicBool,
    /// The interrupt that comes asks for the full screen, not for the end.
    switch: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    phase: Phase,
    stopping: bool,
    /// What is being typed, and how much of it stands before the cursor.
    draft: String,
    cursor: usize,
    /// The columns of the terminal when it was last painted.
    columns: usize,
    /// What was shown above it.
    printed: Printed,
    /// Text to be printed above it.
    above: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// Between two lines.
    #[default]
    Idle,
    /// The editor is on screen: it can be interrupted and asked to paint.
    Editing,
    /// The editor has ended, or was given up.
    Ended,
}

impl Desk {
    pub(super) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// The next interrupt asks for the full screen.
    pub(super) fn ask_for_switch(&self) {
        self.switch.store(true, Ordering::Relaxed);
    }

    /// Whether the interrupt that came does.
    pub(super) fn takes_switch(&self) -> bool {
        self.switch.swap(false, Ordering::Relaxed)
    }

    /// The editor shows its first or its next picture, on a terminal of `columns`, behind `prompt`;
    /// returns what is to be printed above it.
    pub(super) fn paint(&self, prompt: &str, columns: usize) -> String {
        let mut state = self.lock();
        if state.phase == Phase::Ended {
            return String::new();
        }
        state.phase = Phase::Editing;
        self.changed.notify_all();
        let before = format!("{prompt}{}", &state.draft[..state.cursor]);
        let erased = resize::erased(&before, state.columns, columns);
        state.columns = columns;
        let again = match erased {
            0 => String::new(),
            rows => state.printed.again(rows, columns),
        };
        let above = std::mem::take(&mut state.above);
        state.printed.add(&above);
        again + &above
    }

    /// The edited line is now this, with the cursor at byte `cursor`.
    pub(super) fn type_in(&self, line: &str, cursor: usize) {
        let mut state = self.lock();
        state.cursor = cursor;
        state.draft.clear();
        state.draft.push_str(line);
    }

    /// The editor left the screen, where its line stays behind `prompt`; returns the line as it was
    /// last, and `None` if it is to stop.
    pub(super) fn leave(&self, prompt: &str) -> Option<String> {
        let mut state = self.lock();
        let line = format!("{prompt}{}", state.draft);
        state.printed.add(&line);
        state.cursor = 0;
        if state.phase == Phase::Editing {
            state.phase = Phase::Idle;
        }
        (!state.stopping).then(|| std::mem::take(&mut state.draft))
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    pub(super) fn end(&self) {
        self.lock().phase = Phase::Ended;
        self.changed.notify_all();
    }

    /// Lays down text and waits until it is shown; `ring` asks the editor to paint, without
    /// waiting until it does.
    ///
    /// # Errors
    /// The editor has ended: the text comes back.
    pub(super) fn print(&self, text: String, ring: impl FnOnce()) -> Result<(), String> {
        let mut state = self.lock();
        state.above = text;
        if state.phase == Phase::Editing {
            ring();
        }
        while state.phase != Phase::Ended && !state.above.is_empty() {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        match std::mem::take(&mut state.above) {
            shown if shown.is_empty() => Ok(()),
            text => Err(text),
        }
    }

    /// Asks the editor to end, by interrupts while it is on screen, and waits until it has. Says
    /// whether it did; if it did not, it is given up and shows nothing more.
    pub(super) fn stop(&self, interrupt: impl Fn()) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        state.stopping = true;
        while state.phase != Phase::Ended {
            if Instant::now() >= deadline {
                state.phase = Phase::Ended;
                self.changed.notify_all();
                return false;
            }
            if state.phase == Phase::Editing {
                interrupt();
            }
            state = self
                .changed
                .wait_timeout(state, NUDGE)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    /// What was being typed when the editor was stopped.
    pub(super) fn draft(&self) -> String {
        std::mem::take(&mut self.lock().draft)
    }

    /// The state. A thread that panicked left it whole: no call above stops halfway.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Prints, with an editor on another thread that does this when it hears the bell.
    fn print(desk: &Desk, editor: impl FnOnce() + Send) -> Result<(), String> {
        let (bell, rung) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                if rung.recv().is_ok() {
                    editor();
                }
            });
            desk.print("hi\n".into(), move || bell.send(()).unwrap())
        })
    }

    #[test]
    fn text_is_shown_by_the_next_picture() {
        let desk = Desk::default();
        assert_eq!(desk.paint("> ", 80), "");
        assert_eq!(
            print(&desk, || assert_eq!(desk.paint("> ", 80), "hi\n")),
            Ok(())
        );
    }

    #[test]
    fn messages_that_a_wider_terminal_erases_come_back() {
        let desk = Desk::default();
        desk.paint("> ", 50);
        let wide = || {
            desk.type_in(&"x".repeat(120), 120);
            assert_eq!(desk.paint("> ", 50), "hi\n");
        };
        assert_eq!(print(&desk, wide), Ok(()));
        assert_eq!(desk.paint("> ", 100), "hi\n");
        assert_eq!(desk.paint("> ", 100), "");
    }

    #[test]
    fn text_that_no_picture_shows_comes_back() {
        let desk = Desk::default();
        desk.paint("> ", 80);
        assert_eq!(print(&desk, || desk.end()), Err("hi\n".into()));
        assert_eq!(print(&desk, || panic!("it has ended")), Err("hi\n".into()));
    }

    #[test]
    fn an_editor_is_interrupted_while_it_is_on_screen_and_its_draft_is_kept() {
        let desk = Desk::default();
        desk.paint("> ", 80);
        desk.type_in("half a li", 9);
        let (interrupt, interrupted) = mpsc::channel();
        thread::scope(|scope| {
            let desk = &desk;
            scope.spawn(move || {
                interrupted.recv().unwrap();
                assert_eq!(desk.leave("> "), None);
                desk.end();
            });
            assert!(desk.stop(|| {
                let _ = interrupt.send(());
            }));
        });
        assert_eq!(desk.draft(), "half a li");
    }

    #[test]
    fn an_editor_that_does_not_end_is_given_up() {
        let desk = Desk::default();
        desk.paint("> ", 80);
        assert!(!desk.stop(|| {}));
        assert_eq!(
            desk.print("hi".into(), || panic!("nobody hears")),
            Err("hi".into())
        );
        assert_eq!(desk.paint("> ", 80), "");
    }
}
