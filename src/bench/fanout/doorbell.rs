//! Tells the thread of a publisher that a message of it has come to its end (closed loop).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mio::Waker;

/// Of one thread. It is rung once for each message, and not for each that gets it.
#[derive(Debug, Default)]
pub(super) struct Doorbell {
    rung: AtomicBool,
    places: Mutex<Vec<usize>>,
    waker: OnceLock<Arc<Waker>>,
}

impl Doorbell {
    pub(super) fn wakes(&self, waker: Arc<Waker>) {
        // There is one thread for each.
        let _ = self.waker.set(waker);
    }

    /// The connection at this place of the thread has something to look at.
    pub(super) fn ring(&self, place: usize) {
        self.lock().push(place);
        if !self.rung.swap(true, Ordering::AcqRel)
            && let Some(waker) = self.waker.get()
        {
            // A thread that has ended is not woken.
            let _ = waker.wake();
        }
    }

    pub(super) fn take(&self) -> Vec<usize> {
        if !self.rung.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
