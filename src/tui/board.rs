//! What a session and its screen share: a scene that the one writes and the other reads, each for a
//! moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A scene between two threads; clones share it.
pub struct Board<S>(Arc<Shared<S>>);

struct Shared<S> {
    scene: Mutex<S>,
    /// Whether something was written since it was last looked at.
    changed: AtomicBool,
    /// Called when that becomes so.
    bell: Mutex<Option<Bell>>,
}

type Bell = Box<dyn Fn() + Send>;

impl<S> Clone for Board<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Default> Default for Board<S> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<S> Board<S> {
    pub fn new(scene: S) -> Self {
        Self(Arc::new(Shared {
            scene: Mutex::new(scene),
            changed: AtomicBool::default(),
            bell: Mutex::default(),
        }))
    }

    /// Writes; the screen looks soon.
    pub fn write(&self, write: impl FnOnce(&mut S)) {
        write(&mut self.read());
        if !self.0.changed.swap(true, Ordering::AcqRel)
            && let Some(bell) = &*lock(&self.0.bell)
        {
            bell();
        }
    }

    /// What is there. Whoever holds this holds up the session.
    pub fn read(&self) -> MutexGuard<'_, S> {
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
