//! How a connection ends (RFC 6455, section 7): the phases and the account of it. Pure.
//!
//! Once both Close frames went, or ours after a violation, what happened is told at once; the socket
//! lingers silently so that the peer can read our Close (closing with unread data would turn it
//! into a RST).

use std::time::{Duration, Instant};

use crate::model::close::{CloseCode, CloseFrame};
use crate::model::event::{Close, ClosedBy};
use crate::protocol::engine::Role;

/// How long a closing handshake may take.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a peer may take to end TCP where its Close is not answered on purpose.
pub(super) const WITHHELD_CLOSE_TIMEOUT: Duration = Duration::from_secs(600);
/// A closing handshake that a ghost is offered before it is dropped.
pub(super) const GHOST_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a client waits for the server to end TCP after the closing handshake.
const CLIENT_LINGER: Duration = Duration::from_millis(500);
/// How long and how much is discarded after our last Close before the socket is closed. The bytes
/// are more than the buffers of both systems hold between a peer that writes without looking and
/// us (on Linux up to 4 MiB on its side and 6 MiB on ours), so that it comes to look.
const DRAIN_TIME: Duration = Duration::from_secs(1);
const DRAIN_BYTES: usize = 16 << 20;

/// Where a connection stands between OPEN and the end of its socket.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Open,
    Closing {
        deadline: Instant,
        end: Ending,
    },
    /// All is told; bytes are discarded until the peer ends TCP.
    Draining {
        deadline: Instant,
        left: usize,
    },
    Ended,
}

impl Phase {
    /// Discards `count` bytes that came after the end.
    pub(super) fn discard(&mut self, count: usize) {
        if let Self::Draining { left, .. } = self {
            *left = left.saturating_sub(count);
            if *left == 0 {
                *self = Self::Ended;
            }
        }
    }
}

/// How the connection is about to end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ending {
    pub(super) by: ClosedBy,
    /// The Close frame that decides the code: the first one, whoever sent it, until the peer's
    /// answer carries the code that both agree on.
    pub(super) frame: Option<CloseFrame>,
    /// The code in the peer's Close frame where that frame broke the protocol.
    pub(super) illegal: Option<CloseCode>,
    /// The peer broke the protocol: its answer is not waited for.
    pub(super) one_sided: bool,
}

impl Ending {
    /// The peer's Close came. An answer repeats the code of ours and rarely its reason, which then
    /// is the only one that there is.
    pub(super) fn answered_with(&mut self, frame: Option<CloseFrame>) {
        let repeats = match (&self.frame, &frame) {
            (Some(ours), Some(theirs)) => ours.code == theirs.code && theirs.reason.is_empty(),
            _ => false,
        };
        if !repeats {
            self.frame = frame;
        }
    }

    /// The linger that follows once all Close frames went: the server ends TCP first
    /// (section 7.1.1); after a violation, who found it does.
    pub(super) fn linger(&self, role: Role, now: Instant) -> Phase {
        let linger = if self.waits_for_server(role) {
            CLIENT_LINGER
        } else {
            DRAIN_TIME
        };
        Phase::Draining {
            deadline: now + linger,
            left: DRAIN_BYTES,
        }
    }

    pub(super) fn waits_for_server(&self, role: Role) -> bool {
        role == Role::Client && !self.one_sided
    }

    /// The account of it. `answered` says that Close frames went both ways.
    pub(super) fn account(&self, answered: bool, idle: Duration, unsent: u64) -> Close {
        let code = self.frame.as_ref().map(|frame| frame.code);
        let reason = self.frame.as_ref().map(|frame| frame.reason.clone());
        Close {
            code: code.unwrap_or(CloseCode::NO_STATUS),
            reason: reason.unwrap_or_default(),
            clean: answered && !self.one_sided,
            by: self.by,
            wire_code: self.illegal.or(code),
            idle,
            unsent,
        }
    }
}

/// The account of a TCP connection that ended without a closing handshake.
pub(super) const fn dropped(idle: Duration, unsent: u64) -> Close {
    Close {
        code: CloseCode::ABNORMAL,
        reason: String::new(),
        clean: false,
        by: ClosedBy::Transport,
        wire_code: None,
        idle,
        unsent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(code: Option<u16>, one_sided: bool) -> Ending {
        Ending {
            by: ClosedBy::Us,
            frame: code.map(|code| CloseFrame::bare(CloseCode(code))),
            illegal: None,
            one_sided,
        }
    }

    #[test]
    fn no_code_is_told_as_1005_and_only_an_answered_close_is_clean() {
        let none = ending(None, false).account(true, Duration::ZERO, 0);
        assert_eq!(
            (none.code, none.wire_code, none.clean),
            (CloseCode::NO_STATUS, None, true)
        );
        let violation = ending(Some(1002), true).account(true, Duration::ZERO, 3);
        assert_eq!(
            (violation.code.0, violation.clean, violation.unsent),
            (1002, false, 3)
        );
        assert!(
            !ending(Some(1000), false)
                .account(false, Duration::ZERO, 0)
                .clean
        );
    }

    #[test]
    fn our_reason_stays_where_the_answer_gives_none() {
        let told = |code, reason: &str| {
            let frame = |code, reason: &str| {
                Some(CloseFrame {
                    code: CloseCode(code),
                    reason: reason.to_owned(),
                })
            };
            let mut end = ending(None, false);
            end.frame = frame(4000, "enough");
            end.answered_with(frame(code, reason));
            let close = end.account(true, Duration::ZERO, 0);
            (close.code.0, close.reason)
        };
        assert_eq!(told(4000, ""), (4000, "enough".to_owned()));
        assert_eq!(told(4000, "yes"), (4000, "yes".to_owned()));
        assert_eq!(told(4001, ""), (4001, String::new()));
    }

    #[test]
    fn only_a_client_that_closed_in_order_waits_for_the_server() {
        for (role, one_sided, waits) in [
            (Role::Client, false, true),
            (Role::Client, true, false),
            (Role::Server, false, false),
        ] {
            assert_eq!(
                ending(None, one_sided).waits_for_server(role),
                waits,
                "{role:?}"
            );
        }
    }

    #[test]
    fn what_comes_after_the_end_is_bounded() {
        let mut phase = ending(None, true).linger(Role::Server, Instant::now());
        phase.discard(DRAIN_BYTES - 1);
        assert_ne!(phase, Phase::Ended);
        phase.discard(1);
        assert_eq!(phase, Phase::Ended);
    }
}
