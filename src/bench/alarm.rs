//! Wakes an event loop in time for its next message. Polling alone waits in whole milliseconds,
//! which would be the latency of everything.

use std::io;
use std::time::{Duration, Instant};

use mio::{Registry, Token};

/// Messages that fall due this close together leave in one go.
const GRAIN: Duration = Duration::from_micros(50);

/// A timer of the system with microseconds.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub(super) struct Alarm {
    timer: nix::sys::timerfd::TimerFd,
    set_for: Option<Instant>,
}

#[cfg(target_os = "linux")]
impl Alarm {
    /// # Errors
    /// The system gives none.
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        use std::os::fd::{AsFd as _, AsRawFd as _};

        use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};

        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        let descriptor = timer.as_fd().as_raw_fd();
        let mut source = mio::unix::SourceFd(&descriptor);
        registry.register(&mut source, token, mio::Interest::READABLE)?;
        let set_for = None;
        Ok(Self { timer, set_for })
    }

    /// Rings at `due`; how long to poll at most.
    pub(super) fn set(&mut self, due: Instant, now: Instant) -> Duration {
        use nix::sys::time::TimeSpec;
        use nix::sys::timerfd::{Expiration, TimerSetTimeFlags};

        if self.set_for == Some(due) {
            return LONG;
        }
        let wait = due.saturating_duration_since(now).max(GRAIN);
        let expiration = Expiration::OneShot(TimeSpec::from_duration(wait));
        match self.timer.set(expiration, TimerSetTimeFlags::empty()) {
            Ok(()) => {
                self.set_for = Some(due);
                LONG
            }
            Err(_) => wait,
        }
    }
}

/// Without such a timer a loop that waits for less than a millisecond does not wait.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(super) struct Alarm;

#[cfg(not(target_os = "linux"))]
impl Alarm {
    /// # Errors
    /// None; the signature is that of Linux.
    pub(super) fn new(_: &Registry, _: Token) -> io::Result<Self> {
        Ok(Self)
    }

    /// How long to poll at most, so as not to miss `due`.
    pub(super) fn set(&mut self, due: Instant, now: Instant) -> Duration {
        let wait = due.saturating_duration_since(now);
        if wait < Duration::from_millis(2) {
            Duration::ZERO
        } else {
            (wait - Duration::from_millis(1)).max(GRAIN)
        }
    }
}

#[cfg(target_os = "linux")]
const LONG: Duration = Duration::from_secs(1);
