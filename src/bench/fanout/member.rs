//! One connection's part in a fan-out: what it publishes and what it gets.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::exchange::Exchange;
use super::marker;
use super::slot::Progress;
use super::window::{Came, Window};
use crate::bench::figures::{Figures, Latency};

/// A connection of a group, from its 101 to its end.
#[derive(Debug)]
pub(in crate::bench) struct Member {
    group: usize,
    /// Which publisher it is, if it is one.
    publisher: Option<usize>,
    /// What it has had of each publisher of its group; of none where it is not to hear them.
    windows: Vec<Window>,
    /// What it has published and others have yet to get.
    under_way: VecDeque<UnderWay>,
    /// Where the marker was in the last message.
    place: usize,
    /// Nothing is expected of it any more.
    left: bool,
}

#[derive(Debug, Clone, Copy)]
struct UnderWay {
    seq: u64,
    written: Instant,
    counts: bool,
}

/// Messages of a publisher that are over.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) struct Over {
    pub all: usize,
    /// Those of the measured time that all got, and those that somebody did not get.
    pub reached: u64,
    pub unfinished: u64,
}

impl Member {
    /// `ordinal` counts the connections of the run from 0: the first ones publish.
    pub(in crate::bench) fn join(exchange: &Exchange, ordinal: usize) -> Self {
        let group = exchange.fanout.group(ordinal);
        let publisher = (ordinal < exchange.fanout.publishers).then_some(ordinal);
        Self {
            group,
            publisher,
            windows: exchange.join(group, publisher.is_some()),
            under_way: VecDeque::new(),
            place: 0,
            left: false,
        }
    }

    pub(in crate::bench) const fn publishes(&self) -> bool {
        self.publisher.is_some()
    }

    pub(in crate::bench) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Whether there is a place for one more message that is under way.
    pub(in crate::bench) fn may_publish(&self, exchange: &Exchange) -> bool {
        let places = exchange.fanout.places() as u64;
        match (self.under_way.front(), self.under_way.back()) {
            (Some(first), Some(last)) => last.seq + 1 - first.seq < places,
            _ => true,
        }
    }

    /// Publishes the next message; `None` where it is not one that publishes.
    pub(in crate::bench) fn publish(
        &mut self,
        exchange: &Exchange,
        due: Instant,
        now: Instant,
        counts: bool,
        figures: &mut Figures,
    ) -> Option<[u8; marker::LEN]> {
        let published = exchange.publish(self.publisher?, due, counts);
        if counts {
            figures.fanout.published += 1;
            figures.fanout.expected += published.receivers as u64;
        }
        self.under_way.push_back(UnderWay {
            seq: published.marker.seq,
            written: now,
            counts,
        });
        Some(exchange.key.write(&published.marker))
    }

    /// Takes a message that came; whether it belongs to the measured time.
    pub(in crate::bench) fn came(
        &mut self,
        exchange: &Exchange,
        payload: &[u8],
        now: Instant,
        measured: bool,
        figures: &mut Figures,
    ) -> bool {
        if self.left {
            return false;
        }
        let found = exchange.key.find(payload, &mut self.place);
        let sent = found.filter(|marker| exchange.has_published(marker.publisher, marker.seq));
        let Some(marker) = sent else {
            figures.messages.received += u64::from(measured);
            figures.messages.unexpected += u64::from(measured);
            return measured;
        };
        figures.messages.received += u64::from(marker.counts);
        let groups = exchange.fanout.groups;
        if marker.publisher % groups != self.group {
            figures.messages.unexpected += u64::from(marker.counts);
            return marker.counts;
        }
        if !self.is_to_hear(exchange, marker.publisher) {
            return marker.counts;
        }
        let Some(window) = self.windows.get_mut(marker.publisher / groups) else {
            return marker.counts;
        };
        let came = window.came(marker.seq, exchange.counts_from(marker.publisher));
        if marker.counts {
            let fanout = &mut figures.fanout;
            match came {
                Came::Next { skipped } => fanout.skipped += skipped,
                Came::Late => fanout.out_of_order += 1,
                Came::Duplicate => fanout.duplicate += 1,
                Came::Unasked => {}
            }
        }
        if matches!(came, Came::Next { .. } | Came::Late) {
            let all_have_it = exchange.got(marker.publisher, marker.seq);
            if marker.counts {
                let took = exchange.since(marker.due, now);
                figures.fanout.delivered += 1;
                figures.record(Latency::Delivery, took);
                if all_have_it {
                    figures.record(Latency::LastSubscriber, took);
                }
            }
        }
        marker.counts
    }

    fn is_to_hear(&self, exchange: &Exchange, publisher: usize) -> bool {
        let audience = exchange.audience;
        match self.publisher {
            None => true,
            Some(own) if own == publisher => audience.sender,
            Some(_) => audience.publishers,
        }
    }

    /// What is over of what it has published.
    pub(in crate::bench) fn take_over(&mut self, exchange: &Exchange) -> Over {
        let mut over = Over::default();
        let Some(publisher) = self.publisher else {
            return over;
        };
        self.under_way
            .retain(|one| match exchange.progress(publisher, one.seq) {
                Progress::UnderWay => true,
                Progress::Over { all } => {
                    over.all += 1;
                    over.reached += u64::from(one.counts && all);
                    over.unfinished += u64::from(one.counts && !all);
                    false
                }
            });
        over
    }

    /// Gives up what was written before `since`.
    pub(in crate::bench) fn give_up_before(&mut self, exchange: &Exchange, since: Instant) -> Over {
        let mut over = Over::default();
        let Some(publisher) = self.publisher else {
            return over;
        };
        while let Some(one) = self.under_way.front().filter(|one| one.written < since) {
            exchange.retire(publisher, one.seq);
            over.all += 1;
            over.unfinished += u64::from(one.counts);
            self.under_way.pop_front();
        }
        over
    }

    /// The connection is gone. What it did not get is not the server's fault where we closed it.
    pub(in crate::bench) fn leave(
        &mut self,
        exchange: &Exchange,
        by_us: bool,
        figures: &mut Figures,
    ) {
        if std::mem::replace(&mut self.left, true) {
            return;
        }
        let windows = std::mem::take(&mut self.windows);
        let (group, publishes) = (self.group, self.publishes());
        exchange.leave(group, publishes, &windows, |publisher, seq, passed_over| {
            if !self.is_to_hear(exchange, publisher) {
                return;
            }
            let is_excused = by_us && !passed_over;
            exchange.gone_without(publisher, seq, !is_excused);
            if is_excused && seq >= exchange.counts_from(publisher) {
                figures.fanout.excused += 1;
            }
        });
    }

    /// The run is over for it: what others did not get by now they will not.
    pub(in crate::bench) fn end(&mut self, exchange: &Exchange) -> Over {
        let over = self.take_over(exchange);
        let left = self.give_up_before(exchange, Instant::now() + Duration::from_secs(1));
        Over {
            all: over.all + left.all,
            reached: over.reached,
            unfinished: over.unfinished + left.unfinished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Audience, Fanout};
    use super::*;

    struct Crowd {
        exchange: Exchange,
        members: Vec<Member>,
        figures: Figures,
        now: Instant,
    }

    fn crowd(publishers: usize, groups: usize, count: usize, audience: &str) -> Crowd {
        let audience: super::super::AudienceChoice = audience.parse().unwrap();
        let fanout = Fanout {
            publishers,
            groups,
            audience: audience.0.or(Some(Audience::default())),
        };
        let now = Instant::now();
        let exchange = Exchange::new(fanout, 2, false, now);
        let members = (0..count).map(|at| Member::join(&exchange, at)).collect();
        Crowd {
            exchange,
            members,
            figures: Figures::default(),
            now,
        }
    }

    impl Crowd {
        fn publish(&mut self, who: usize) -> Vec<u8> {
            let (member, now) = (&mut self.members[who], self.now);
            let marker = member.publish(&self.exchange, now, now, true, &mut self.figures);
            marker.expect("a publisher").to_vec()
        }

        fn came(&mut self, who: usize, payload: &[u8]) {
            let later = self.now + Duration::from_millis(5);
            self.members[who].came(&self.exchange, payload, later, true, &mut self.figures);
        }

        /// Expected, delivered, duplicate, gaps, out of order.
        fn counts(&self) -> [u64; 5] {
            let fanout = &self.figures.fanout;
            [
                fanout.expected(),
                fanout.delivered,
                fanout.duplicate,
                fanout.gaps(),
                fanout.out_of_order,
            ]
        }
    }

    #[test]
    fn each_receiver_is_counted_once_and_the_last_one_ends_the_message() {
        let mut crowd = crowd(1, 1, 4, "subscribers");
        let first = crowd.publish(0);
        let second = crowd.publish(0);
        crowd.came(1, &first);
        crowd.came(2, &second);
        crowd.came(2, &first);
        crowd.came(3, &second);
        crowd.came(3, &second);
        // The publisher is not one of those who are to hear it.
        crowd.came(0, &first);
        assert_eq!(crowd.counts(), [6, 4, 1, 1, 1]);
        assert_eq!(crowd.members[0].take_over(&crowd.exchange), Over::default());
        crowd.came(1, &second);
        assert_eq!(crowd.members[0].take_over(&crowd.exchange).all, 1);
        let count = |latency| crowd.figures.latency(latency).len();
        assert_eq!(
            (count(Latency::Delivery), count(Latency::LastSubscriber)),
            (5, 1)
        );
    }

    #[test]
    fn groups_do_not_hear_each_other_and_publishers_do_where_they_should() {
        let mut crowd = crowd(4, 2, 6, "others");
        let message = crowd.publish(0);
        // 0, 2 and 4 are a group: two of them are to hear it.
        assert_eq!(crowd.counts()[0], 2);
        for who in 0..6 {
            crowd.came(who, &message);
        }
        assert_eq!(crowd.counts(), [2, 2, 0, 0, 0]);
        assert_eq!(crowd.figures.messages.unexpected, 3);
        crowd.came(4, b"no marker");
        assert_eq!(crowd.figures.messages.unexpected, 4);
        let over = crowd.members[0].end(&crowd.exchange);
        assert_eq!((over.reached, over.unfinished), (1, 0));
    }

    #[test]
    fn who_leaves_is_not_waited_for_and_who_comes_later_is_not_expected() {
        let mut crowd = crowd(1, 1, 3, "all");
        let first = crowd.publish(0);
        crowd.came(0, &first);
        crowd.came(1, &first);
        crowd.members[2].leave(&crowd.exchange, true, &mut crowd.figures);
        assert_eq!(crowd.counts(), [2, 2, 0, 0, 0]);
        let over = crowd.members[0].take_over(&crowd.exchange);
        assert_eq!((over.all, over.reached, over.unfinished), (1, 1, 0));
        crowd.members[2] = Member::join(&crowd.exchange, 2);
        crowd.came(2, &first);
        assert_eq!(crowd.counts(), [2, 2, 0, 0, 0]);
        // One that is lost leaves its share undelivered.
        crowd.publish(0);
        crowd.members[1].leave(&crowd.exchange, false, &mut crowd.figures);
        assert_eq!(crowd.counts()[0], 5);
        let given = crowd.members[0].give_up_before(&crowd.exchange, crowd.now);
        assert_eq!(given, Over::default());
        assert_eq!(crowd.members[0].end(&crowd.exchange).unfinished, 1);
    }

    #[test]
    fn what_is_under_way_is_bounded() {
        let mut crowd = crowd(20_000, 10_000, 40_000, "subscribers");
        let places = crowd.exchange.fanout.places();
        assert_eq!(places, 64);
        for _ in 0..places {
            assert!(crowd.members[0].may_publish(&crowd.exchange));
            crowd.publish(0);
        }
        assert!(!crowd.members[0].may_publish(&crowd.exchange));
    }
}
