//! The end of a run: what was said is read, or whoever should read it is given up.
//!
//! A reader that takes its time (`| less`) is waited for as long as it likes. Not so where the run
//! was ended from outside (a signal, `--max-time`) or was given a time (`--duration`).

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::audience::Audience;
use super::signals::{Signal, Signals};
use crate::error::{Error, ExitCode};
use crate::text::output::Output;
use crate::view::outcome::Stop;

/// How long output may take to leave after a signal or `--max-time`.
const BRIEFLY: Duration = Duration::from_secs(1);

/// The same where the run was asked twice to end.
const AT_ONCE: Duration = Duration::from_millis(100);

/// A reader that takes nothing for so long is given up where the run was given a time.
const STALLED: Duration = Duration::from_secs(3);

/// What bounds the wait for readers, beside signals.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bounds {
    pub(super) max_time: Option<Instant>,
    /// The run was given a `--duration`.
    pub(super) timed: bool,
    /// A person has left the full screen: a terminal that takes nothing is given up.
    pub(super) leaves_screen: bool,
    /// It was asked twice to end.
    pub(super) at_once: bool,
}

/// Why readers are not waited for any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// They have read everything, or what was ended from outside had its moment.
    Read,
    Signal(Signal),
    MaxTime,
}

/// Waits until all that the audience wrote has been read, and tells the exit code of the run.
///
/// # Errors
/// stdout failed, or its reader took nothing more within the time that was given.
pub(super) async fn leave(
    audience: &mut Audience,
    signals: &mut Signals,
    bounds: Bounds,
) -> Result<ExitCode, Error> {
    let output = audience.output.clone();
    let stopped = audience.outcome.stopped();
    let is_urgent = matches!(stopped, Some(Stop::Signal(_) | Stop::MaxTime));
    match read(&output, signals, bounds, is_urgent).await? {
        Left::Read => {}
        Left::Signal(signal) => audience.stop(Stop::Signal(signal.exit_code())),
        Left::MaxTime => audience.stop(Stop::MaxTime),
    }
    Ok(audience.outcome.exit_code())
}

/// Waits until all that was written has been read; only briefly where that is urgent, because the run
/// was ended by a signal or `--max-time`.
///
/// # Errors
/// stdout failed, or its reader took nothing more within the time that was given.
pub(super) async fn read(
    output: &Output,
    signals: &mut Signals,
    bounds: Bounds,
    is_urgent: bool,
) -> Result<Left, Error> {
    let max_time = bounds.max_time.filter(|_| !is_urgent);
    let briefly = if bounds.at_once { AT_ONCE } else { BRIEFLY };
    tokio::select! {
        written = output.finish() => written.map(|()| Left::Read),
        signal = signals.next() => Ok(Left::Signal(signal)),
        () = sleep(briefly), if is_urgent || bounds.at_once => Ok(Left::Read),
        () = super::at(max_time) => Ok(Left::MaxTime),
        () = output.stalled(STALLED), if bounds.leaves_screen => Ok(Left::Read),
        () = output.stalled(STALLED), if bounds.timed && !is_urgent => Err(Error::Io {
            doing: "writing to stdout".into(),
            cause: std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                "its reader takes nothing more",
            ),
        }),
    }
}
