//! When the task of a peer asks its faults again.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// A timer that is set again whenever it is looked at.
#[derive(Debug, Default)]
pub(in crate::serve) struct Clock {
    timer: Option<Pin<Box<Sleep>>>,
    /// The last deadline that came. What is still due waits for the socket, not for the time.
    came: Option<Instant>,
}

impl Clock {
    /// Whether the deadline has come; where it has not, the task is woken then.
    pub(in crate::serve) fn poll_due(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Option<Instant>,
    ) -> bool {
        let Some(instant) = deadline.filter(|_| deadline != self.came) else {
            self.timer = None;
            return false;
        };
        let deadline = instant.into();
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        let is_due = timer.as_mut().poll(cx) == Poll::Ready(());
        if is_due {
            self.timer = None;
            self.came = Some(instant);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Waker;

    use super::*;

    #[tokio::test]
    async fn a_deadline_comes_once_so_that_nothing_spins() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut clock = Clock::default();
        let past = Instant::now();
        // The timer counts in milliseconds, so that this one may be due a moment later.
        poll_fn(|cx| match clock.poll_due(cx, Some(past)) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        assert!(!clock.poll_due(&mut cx, Some(past)));
        assert!(!clock.poll_due(&mut cx, None));
        let far = past + std::time::Duration::from_secs(1000);
        assert!(!clock.poll_due(&mut cx, Some(far)));
    }
}
