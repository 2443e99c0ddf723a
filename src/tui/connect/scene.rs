//! What the session shares with the screen: everything that happened, as far as it is remembered.
//!
//! The session writes, the screen reads, each for a moment. The session is never made to wait for
//! a terminal here: what it writes replaces what is oldest.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::handshakes::Handshakes;
use super::vitals::{Vitals, push};
use crate::model::event::{Event, What};
use crate::view::ring::Ring;

/// Sentences that are remembered.
const MOST_NOTES: usize = 500;

/// The session as the screen sees it.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    pub ring: Ring,
    pub vitals: Vitals,
    pub handshakes: Handshakes,
    pub notes: VecDeque<Note>,
    /// All notes that there ever were.
    pub noted: u64,
    /// The target, redacted, until an opening tells more.
    pub url: String,
    /// What the command line set up, one sentence each: rules, recording, limits.
    pub setup: Vec<String>,
}

/// A sentence about the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub time: SystemTime,
    pub weight: Weight,
    /// Safe to be shown, on one line.
    pub text: String,
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Info,
    Warning,
    Error,
}

impl Weight {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warn",
            Self::Error => "error",
        }
    }

    /// Of what is said about an event.
    pub fn of(what: &What) -> Self {
        match what {
            What::Error(_) | What::Refused(_) => Self::Error,
            What::Retry { .. } | What::Dropped { .. } => Self::Warning,
            What::Close(close) if !close.code.is_ordinary() || close.unsent > 0 => Self::Warning,
            _ => Self::Info,
        }
    }
}

impl Scene {
    /// Where it is connected to, or tries to be; redacted.
    pub fn url(&self) -> &str {
        // Of several targets none is the one.
        let open = self
            .vitals
            .open
            .as_ref()
            .filter(|_| self.vitals.targets.len() < 2);
        open.map_or(self.url.as_str(), |open| open.url.as_str())
    }

    pub fn hear(&mut self, event: Event) {
        self.vitals.observe(&event);
        self.handshakes.observe(&event);
        self.ring.push(event);
    }

    pub fn note(&mut self, note: Note) {
        self.noted += 1;
        push(&mut self.notes, note, MOST_NOTES);
    }
}

/// The scene between the session, which writes it, and the screen, which reads it.
#[derive(Clone, Default)]
pub struct Board(Arc<Shared>);

#[derive(Default)]
struct Shared {
    scene: Mutex<Scene>,
    /// Whether something was written since it was last looked at.
    changed: AtomicBool,
    /// Called when that becomes so.
    bell: Mutex<Option<Bell>>,
}

type Bell = Box<dyn Fn() + Send>;

impl Board {
    /// Writes; the screen looks soon.
    pub fn write(&self, write: impl FnOnce(&mut Scene)) {
        write(&mut self.read());
        if !self.0.changed.swap(true, Ordering::AcqRel)
            && let Some(bell) = &*lock(&self.0.bell)
        {
            bell();
        }
    }

    /// What is there. Whoever holds this holds up the session.
    pub fn read(&self) -> MutexGuard<'_, Scene> {
        lock(&self.0.scene)
    }

    /// Whether something was written since this was asked last.
    pub(super) fn has_changed(&self) -> bool {
        self.0.changed.swap(false, Ordering::AcqRel)
    }

    /// Rings this bell at the first change after each look; `None` rings none.
    pub(super) fn hang(&self, bell: Option<Bell>) {
        *lock(&self.0.bell) = bell;
    }
}

/// A thread that panicked while it wrote left a scene that can be shown all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
