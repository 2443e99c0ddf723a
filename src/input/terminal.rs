//! The terminal's mode, and the interrupt that ends an editor: what rustyline leaves to be done.

/// The columns of the terminal; 0 where it does not tell.
pub(super) fn columns() -> usize {
    let size = terminal_size::terminal_size();
    size.map_or(0, |(width, _)| width.0.into())
}

#[cfg(not(unix))]
pub(super) use elsewhere::{Terminal, interrupt};
#[cfg(unix)]
pub(super) use unix::{Terminal, interrupt};

#[cfg(unix)]
mod unix {
    use std::os::unix::thread::JoinHandleExt as _;
    use std::thread::JoinHandle;

    use nix::sys::pthread::pthread_kill;
    use nix::sys::signal::Signal;
    use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
    use tokio::signal::unix::{SignalKind, signal};

    use crate::error::Error;

    /// The mode of the terminal before the editor changed it.
    pub(in crate::input) struct Terminal(Termios);

    impl Terminal {
        pub(in crate::input) fn save() -> Result<Self, Error> {
            let fail = |cause| Error::Io {
                doing: "reading the mode of the terminal".into(),
                cause,
            };
            // rustyline puts the former handler of SIGINT back after each line. An interrupt that
            // comes just then must find one that does not kill: tokio's, which stays for good.
            drop(signal(SignalKind::interrupt()).map_err(fail)?);
            let mode = tcgetattr(std::io::stdin()).map_err(|errno| fail(errno.into()))?;
            Ok(Self(mode))
        }

        /// Whether it hands over lines, as it does for shells, and not keys.
        #[expect(clippy::unused_self, reason = "it is this terminal")]
        pub(in crate::input) fn is_cooked(&self) -> bool {
            let mode = tcgetattr(std::io::stdin());
            mode.is_ok_and(|mode| mode.local_flags.contains(LocalFlags::ICANON))
        }

        pub(in crate::input) fn restore(&self) {
            // Now, not when the terminal has taken its output: it may be blocked. If it cannot be
            // set, it is gone.
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, &self.0);
        }
    }

    /// Makes rustyline return. The signal goes to its thread because that may be in a read, which
    /// nothing else ends.
    pub(in crate::input) fn interrupt(thread: &JoinHandle<()>) {
        // It fails for a thread that has ended, which is what is wanted.
        let _ = pthread_kill(thread.as_pthread_t(), Signal::SIGINT);
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::thread::JoinHandle;

    use crate::error::Error;

    pub(in crate::input) struct Terminal;

    impl Terminal {
        pub(in crate::input) const fn save() -> Result<Self, Error> {
            Ok(Self)
        }

        pub(in crate::input) const fn is_cooked(&self) -> bool {
            false
        }

        pub(in crate::input) const fn restore(&self) {}
    }

    pub(in crate::input) const fn interrupt(_: &JoinHandle<()>) {}
}
