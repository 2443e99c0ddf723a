//! How long a session goes on after its input has ended. Pure: time is an argument.
//!
//! End of input never cuts off replies: a first message is waited for as long as `--wait` says, then
//! until [`QUIET`] passes without one. A server that is slow to answer first is given twice the
//! time that it took, so that its second answer is not cut off either. One that never pauses is
//! left after [`NO_PAUSE`] times the wait.

use std::time::{Duration, Instant};

use super::limits::Due;

/// This long without a message means that no more replies come.
const QUIET: Duration = Duration::from_millis(500);

/// Messages that still come after so many times `--wait` are no replies: nobody knows when they
/// would end.
const NO_PAUSE: u32 = 10;

/// The end of input and the replies since the last send.
#[derive(Debug)]
pub(super) struct Patience {
    /// `--wait`; `None` is for ever.
    wait: Option<Duration>,
    /// Messages may come without a pause for so long; `None` where one of them is waited for.
    no_pause: Option<Duration>,
    /// How long to wait after each message for the next one.
    quiet: Duration,
    /// When the input had ended and everything of it was sent.
    all_sent: Option<Instant>,
    last_sent: Option<Instant>,
    /// How long the first reply to the last send took.
    first_reply: Option<Duration>,
    last_reply: Option<Instant>,
}

impl Patience {
    /// With a `goal` (`-n`, `--until`) `--wait` counts anew after each message: the next one may
    /// be the one that is wanted.
    pub(super) fn new(wait: Option<Duration>, goal: bool) -> Self {
        Self {
            wait,
            no_pause: wait
                .filter(|_| !goal)
                .map(|wait| wait.max(QUIET) * NO_PAUSE),
            quiet: wait.filter(|_| goal).unwrap_or(QUIET).max(QUIET),
            all_sent: None,
            last_sent: None,
            first_reply: None,
            last_reply: None,
        }
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.last_sent = Some(now);
        self.first_reply = None;
    }

    pub(super) fn received(&mut self, now: Instant) {
        let since = self.last_sent.unwrap_or(now);
        self.first_reply.get_or_insert(now - since);
        self.last_reply = Some(now);
    }

    /// All that there was to send has left. Called again, it changes nothing.
    pub(super) fn all_sent(&mut self, now: Instant) {
        self.all_sent.get_or_insert(now);
    }

    /// More has to be sent after all: a reconnect sends the opening messages again.
    pub(super) fn unsent(&mut self) {
        self.all_sent = None;
    }

    /// When the session is to be closed, and why; `None` while it is not known.
    pub(super) fn deadline(&self) -> Option<(Instant, Due)> {
        let all_sent = self.all_sent?;
        // Without limit means that only the peer or a person ends it.
        let wait = self.wait?;
        let (Some(first), Some(last)) = (self.first_reply, self.last_reply) else {
            return Some((all_sent + wait, Due::Quiet));
        };
        let quiet = (first * 2).max(self.quiet).min(wait.max(QUIET));
        let quiet = (last.max(all_sent) + quiet, Due::Quiet);
        let no_pause = self.no_pause;
        let no_pause = no_pause.map(|limit| (all_sent + limit, Due::NoPause(limit)));
        Some(no_pause.filter(|(at, _)| *at < quiet.0).unwrap_or(quiet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_first_reply_is_waited_for_then_half_a_second_of_quiet() {
        let start = Instant::now();
        let mut patience = Patience::new(Some(millis(5000)), false);
        patience.sent(start);
        assert_eq!(patience.deadline(), None);
        patience.all_sent(start);
        assert_eq!(
            patience.deadline(),
            Some((start + millis(5000), Due::Quiet))
        );
        patience.received(start + millis(100));
        assert_eq!(patience.deadline(), Some((start + millis(600), Due::Quiet)));
        patience.received(start + millis(550));
        assert_eq!(
            patience.deadline(),
            Some((start + millis(1050), Due::Quiet))
        );
    }

    #[test]
    fn a_slow_server_is_given_the_time_it_needs() {
        let start = Instant::now();
        let mut patience = Patience::new(Some(millis(5000)), false);
        patience.sent(start);
        patience.all_sent(start);
        patience.received(start + millis(700));
        assert_eq!(
            patience.deadline(),
            Some((start + millis(2100), Due::Quiet))
        );
        let mut hasty = Patience::new(Some(millis(1000)), false);
        hasty.sent(start);
        hasty.all_sent(start);
        hasty.received(start + millis(900));
        assert_eq!(hasty.deadline(), Some((start + millis(1900), Due::Quiet)));
    }

    #[test]
    fn replies_to_earlier_messages_do_not_answer_the_last_one() {
        let start = Instant::now();
        let mut patience = Patience::new(Some(millis(5000)), false);
        patience.sent(start);
        patience.received(start + millis(1));
        patience.sent(start + millis(1000));
        patience.all_sent(start + millis(1000));
        assert_eq!(
            patience.deadline(),
            Some((start + millis(6000), Due::Quiet))
        );
    }

    #[test]
    fn a_goal_is_waited_for_after_each_message() {
        let start = Instant::now();
        let mut patience = Patience::new(Some(millis(5000)), true);
        patience.all_sent(start);
        patience.received(start + millis(100));
        assert_eq!(
            patience.deadline(),
            Some((start + millis(5100), Due::Quiet))
        );
    }

    #[test]
    fn messages_that_never_pause_are_not_waited_for_without_end() {
        let start = Instant::now();
        let mut patience = Patience::new(Some(millis(1000)), false);
        let mut waits_for_one = Patience::new(Some(millis(1000)), true);
        for patience in [&mut patience, &mut waits_for_one] {
            patience.sent(start);
            patience.all_sent(start);
            for tick in 0..100 {
                patience.received(start + millis(tick * 100));
            }
        }
        let limit = millis(10_000);
        let end = Some((start + limit, Due::NoPause(limit)));
        assert_eq!(patience.deadline(), end);
        let goal = Some((start + millis(9_900 + 1_000), Due::Quiet));
        assert_eq!(waits_for_one.deadline(), goal);
    }

    #[test]
    fn for_ever_is_for_ever() {
        let start = Instant::now();
        let mut patience = Patience::new(None, false);
        patience.sent(start);
        patience.all_sent(start);
        patience.received(start);
        assert_eq!(patience.deadline(), None);
    }
}
