//! The signals that ask a program to end.

use std::io;

use crate::error::{Error, ExitCode};

/// SIGINT, SIGTERM and SIGHUP; on Windows Ctrl-C.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

/// A signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Interrupt,
    Terminate,
    Hangup,
}

impl Signal {
    /// 128 and the number of the signal, as shells show it.
    pub(super) const fn exit_code(self) -> ExitCode {
        match self {
            Self::Interrupt => ExitCode::SIGINT,
            Self::Terminate => ExitCode::SIGTERM,
            Self::Hangup => ExitCode::SIGHUP,
        }
    }
}

#[cfg(unix)]
impl Signals {
    /// Takes the signals over. To be called within a runtime.
    ///
    /// # Errors
    /// [`Error::Io`] where the system refuses.
    pub(super) fn listen() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let on = |kind| signal(kind).map_err(failed);
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            hangup: on(SignalKind::hangup())?,
        })
    }

    /// The next signal. Cancel-safe.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.hangup.recv() => Signal::Hangup,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Takes Ctrl-C over.
    ///
    /// # Errors
    /// None; the signature is that of Unix.
    pub(super) fn listen() -> Result<Self, Error> {
        Ok(Self {})
    }

    /// The next signal. Cancel-safe.
    pub(super) async fn next(&mut self) -> Signal {
        if let Err(cause) = tokio::signal::ctrl_c().await {
            let _ = failed(cause);
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}

/// SIGCONT: the program goes on after it was stopped, and a shell has used its terminal meanwhile.
pub(super) struct Continuations {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Continuations {
    /// To be called within a runtime.
    ///
    /// # Errors
    /// [`Error::Io`] where the system refuses.
    pub(super) fn listen() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let number = nix::sys::signal::Signal::SIGCONT as i32;
        let signal = signal(SignalKind::from_raw(number)).map_err(failed)?;
        Ok(Self { signal })
    }

    /// Returns when it goes on. Cancel-safe.
    pub(super) async fn next(&mut self) {
        self.signal.recv().await;
    }
}

#[cfg(not(unix))]
impl Continuations {
    /// # Errors
    /// None; the signature is that of Unix.
    pub(super) fn listen() -> Result<Self, Error> {
        Ok(Self {})
    }

    /// Never returns: nothing stops a program here.
    pub(super) async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

fn failed(cause: io::Error) -> Error {
    Error::Io {
        doing: "listening for signals".into(),
        cause,
    }
}
