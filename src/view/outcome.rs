//! The exit code of a run, from what happened in it. Pure: events and reasons in, a number out.
//!
//! In order of precedence, as the table in `error.rs` has it:
//!
//! 1. a signal, `--max-time`, a reader that left: they ended the run, whatever was on its way;
//! 2. an `error`: nothing opened, the heartbeat got no answer, the peer broke the protocol;
//! 3. what was asked for and did not happen: `-n`, `--until`, `--expect-close`;
//! 4. how the connection was closed.
//!
//! A reconnect that opens wipes out what came before it. With several targets the first that did
//! not end well decides.

use std::sync::Arc;

use crate::error::ExitCode;
use crate::model::close::CloseCode;
use crate::model::event::{Close, ClosedBy, Direction, End, Event, What};
use crate::text::predicate::Predicate;

use super::cross_check::Comparison;
use super::select::Select;
use super::totals::Totals;

/// What a run was asked for.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// `-n`: so many messages received, of those that `select` lets pass.
    pub count: Option<u64>,
    /// `--until`: seen in what comes in, unless the predicate itself names a direction.
    pub until: Option<Predicate>,
    /// `--expect-close`.
    pub expect_close: Option<CloseCode>,
    /// So many of our pings have to be answered (`ping`). A close with a code of its own says more
    /// than that, so this comes last.
    pub pongs: Option<u64>,
    /// Two implementations have to see the same (`ping --cross-check`).
    pub cross_check: bool,
    pub select: Select,
    /// A person is at it: signals are a way to leave.
    pub interactive: bool,
    /// The peers are clients of ours: how they leave says nothing, and signals are the way to end.
    pub serving: bool,
}

/// Why a run was ended from this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// All is done or enough: the end of input, `-n`, `--until`, `--duration`, `/quit`.
    OnPurpose,
    /// Nobody reads stdout any more (`| head -1`): whoever did has what it wanted.
    ReaderGone,
    /// `--max-time` has passed.
    MaxTime,
    /// One of [`ExitCode::SIGHUP`], [`ExitCode::SIGINT`], [`ExitCode::SIGTERM`].
    Signal(ExitCode),
}

/// Watches a run and knows its exit code.
#[derive(Debug)]
pub struct Outcome {
    conditions: Conditions,
    totals: Totals,
    matched: u64,
    until_met: bool,
    pongs: u64,
    comparison: Comparison,
    stop: Option<Stop>,
    /// What something beside the events decided.
    decided: Option<ExitCode>,
    /// How it stands with each target; one, without a name, but for `listen` with several URLs.
    endings: Vec<(Option<Arc<str>>, Ending)>,
}

/// How it stands with one target.
#[derive(Debug, Clone, Copy, Default)]
struct Ending {
    /// The last `error` or refusal since the last open.
    error: Option<ExitCode>,
    closed: Option<Closed>,
}

#[derive(Debug, Clone, Copy)]
struct Closed {
    code: CloseCode,
    by: ClosedBy,
}

impl Outcome {
    pub fn new(conditions: Conditions) -> Self {
        Self {
            conditions,
            totals: Totals::default(),
            matched: 0,
            until_met: false,
            pongs: 0,
            comparison: Comparison::default(),
            stop: None,
            decided: None,
            endings: Vec::new(),
        }
    }

    pub fn observe(&mut self, event: &Event) {
        self.totals.observe(event);
        self.watch_for_goal(&event.what);
        if self.conditions.cross_check {
            self.comparison.observe(event);
        }
        if self.conditions.serving && event.conn.is_some() {
            return;
        }
        match &event.what {
            What::Open(_) => *self.ending(event) = Ending::default(),
            What::Refused(_) => self.ending(event).error = Some(ExitCode::REFUSED),
            // Giving up is no failure of its own, the last one decides; a connection that broke is
            // judged by the close that follows.
            What::Error(problem) if matches!(problem.kind, "retries" | "closed") => {}
            What::Error(problem) => self.ending(event).error = Some(code_of(problem.kind)),
            What::Close(close) => self.closed(event, close),
            // With a name it is the reference's, and compared.
            What::Pong { rtt: Some(_), .. } if event.name.is_none() => self.pongs += 1,
            _ => {}
        }
    }

    /// Says why the run is ended from this side. The first reason counts, but that all was done
    /// does not outweigh a signal or `--max-time` that came while it was being ended.
    pub fn stop(&mut self, stop: Stop) {
        let outweighs = matches!(stop, Stop::Signal(_) | Stop::MaxTime);
        if self.stop.is_none() || self.stop == Some(Stop::OnPurpose) && outweighs {
            self.stop = Some(stop);
        }
    }

    /// Why the run was ended from this side, if it was.
    pub const fn stopped(&self) -> Option<Stop> {
        self.stop
    }

    /// Whether `-n` or `--until` has come true: time to close and leave.
    pub fn is_reached(&self) -> bool {
        self.until_met
            || self
                .conditions
                .count
                .is_some_and(|count| self.matched >= count)
    }

    /// Whether this signal is how such a run is ended: SIGHUP ends a server whose terminal is gone.
    fn ends_well_by(&self, signal: ExitCode) -> bool {
        self.conditions.interactive || self.conditions.serving && signal != ExitCode::SIGHUP
    }

    /// Something beside the events has failed, such as a command that was run: its code is the run's.
    pub fn decide(&mut self, code: ExitCode) {
        self.decided = Some(code);
    }

    pub fn exit_code(&self) -> ExitCode {
        if let Some(code) = self.decided {
            return code;
        }
        match self.stop {
            Some(Stop::Signal(code)) if self.ends_well_by(code) => return ExitCode::DONE,
            Some(Stop::Signal(code)) => return code,
            Some(Stop::ReaderGone) => return ExitCode::DONE,
            Some(Stop::MaxTime) => return ExitCode::TIMEOUT,
            Some(Stop::OnPurpose) | None => {}
        }
        if !self.comparison.differences().is_empty() {
            return ExitCode::NOT_MET;
        }
        let endings = || self.endings.iter().map(|(_, ending)| ending);
        if let Some(code) = endings().find_map(|ending| self.failure(ending)) {
            return code;
        }
        if !self.is_met() {
            return ExitCode::NOT_MET;
        }
        if endings().any(|ending| self.is_bad_close(ending)) {
            return ExitCode::CLOSED;
        }
        if self.misses_pongs() {
            return ExitCode::NOT_MET;
        }
        ExitCode::DONE
    }

    /// What was asked for and has not happened, as a sentence; only where that decides the exit
    /// code.
    pub fn unmet(&self) -> Option<String> {
        if self.exit_code() != ExitCode::NOT_MET {
            return None;
        }
        let differences = self.comparison.differences();
        if !differences.is_empty() {
            let what = differences.join(", ");
            return Some(format!(
                "the two implementations saw different things: {what}"
            ));
        }
        let Conditions {
            count,
            until,
            expect_close,
            pongs,
            ..
        } = &self.conditions;
        Some(match (until, count, expect_close) {
            (Some(until), _, _) if !self.until_met => format!("nothing matched --until {until}"),
            (None, Some(count), _) if self.matched < *count => {
                format!("{} of {count} messages came", self.matched)
            }
            (_, _, Some(expected)) => {
                let closed = self.endings.iter().find_map(|(_, ending)| ending.closed);
                closed.map_or_else(
                    || format!("not closed, expected {expected}"),
                    |closed| format!("closed with {}, expected {expected}", closed.code),
                )
            }
            (_, _, None) if self.misses_pongs() => {
                let all = pongs.unwrap_or_default();
                format!("closed when {} of {all} pongs had come", self.pongs)
            }
            _ => return None,
        })
    }

    /// Whether the end depends on messages that are still to come.
    pub const fn has_goal(&self) -> bool {
        self.conditions.count.is_some() || self.conditions.until.is_some()
    }

    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The `end` event's content.
    pub fn end(&self) -> End {
        self.totals.end(self.exit_code())
    }

    fn watch_for_goal(&mut self, what: &What) {
        let comes_in = match what {
            What::Message { dir, .. } | What::Ping { dir, .. } | What::Pong { dir, .. } => {
                *dir == Direction::In
            }
            What::Close(_) => true,
            _ => return,
        };
        let is_message = matches!(what, What::Message { .. });
        if comes_in && is_message && self.conditions.select.passes(what) {
            self.matched += 1;
        }
        if let Some(until) = &self.conditions.until
            && (comes_in || until.names_direction())
        {
            self.until_met |= until.matches(what);
        }
    }

    fn closed(&mut self, event: &Event, close: &Close) {
        let is_expected = self.conditions.expect_close == Some(close.code);
        let ending = self.ending(event);
        ending.closed = Some(Closed {
            code: close.code,
            by: close.by,
        });
        if is_expected {
            ending.error = None;
        }
    }

    fn ending(&mut self, event: &Event) -> &mut Ending {
        let known = self
            .endings
            .iter()
            .position(|(name, _)| *name == event.name);
        let at = known.unwrap_or_else(|| {
            self.endings.push((event.name.clone(), Ending::default()));
            self.endings.len() - 1
        });
        &mut self.endings[at].1
    }

    /// The code of an error that ended it. Once the goal was reached, only leaving is left, and
    /// how that goes does not matter.
    fn failure(&self, ending: &Ending) -> Option<ExitCode> {
        ending.error.filter(|_| !self.is_reached())
    }

    /// Whether all that was asked for has happened. With both `--until` and `-n`, the count is the
    /// most that is waited for.
    fn is_met(&self) -> bool {
        let goal = match (&self.conditions.until, self.conditions.count) {
            (Some(_), _) => self.until_met,
            (None, Some(count)) => self.matched >= count,
            (None, None) => true,
        };
        let close = self.conditions.expect_close.is_none_or(|expected| {
            self.endings
                .iter()
                .any(|(_, ending)| ending.closed.is_some_and(|closed| closed.code == expected))
        });
        goal && close
    }

    fn misses_pongs(&self) -> bool {
        self.conditions.pongs.is_some_and(|all| self.pongs < all)
    }

    /// A close that nobody wanted: not by us, not an ordinary code, and not expected.
    fn is_bad_close(&self, ending: &Ending) -> bool {
        ending.closed.is_some_and(|closed| {
            closed.by != ClosedBy::Us
                && !closed.code.is_ordinary()
                // While this side closes, how the transport ends does not matter.
                && (self.stop != Some(Stop::OnPurpose) || closed.by == ClosedBy::Peer)
                && !self.is_reached()
                && self.conditions.expect_close != Some(closed.code)
        })
    }
}

/// The exit code of an `error` event by its stable word.
pub fn code_of(kind: &str) -> ExitCode {
    match kind {
        "usage" => ExitCode::USAGE,
        "dns" | "connect" | "dropped" | "bind" | "proxy" => ExitCode::CONNECT,
        "refused" | "handshake" => ExitCode::REFUSED,
        "tls" => ExitCode::TLS,
        "timeout" => ExitCode::TIMEOUT,
        "protocol" => ExitCode::PROTOCOL,
        "unmet" => ExitCode::NOT_MET,
        "cut" => ExitCode::CLOSED,
        _ => ExitCode::INTERNAL,
    }
}

#[cfg(test)]
mod tests;
