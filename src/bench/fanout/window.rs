//! What one receiver has had of one publisher: what is missing, came twice or in another order. Pure.

/// Runs of missing messages that are remembered; of older ones nothing is known any more.
const MOST_RUNS: usize = 256;

/// The sequence numbers of one publisher, as one receiver sees them.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Up to here nothing is expected: it was published before the receiver was there, or is forgotten.
    start: u64,
    highest: u64,
    /// What has been passed over, from and to, ascending.
    missing: Vec<(u64, u64)>,
}

/// What a message that came is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// The next one, or one that passes over so many before it.
    Next {
        skipped: u64,
    },
    /// One that had been passed over.
    Late,
    Duplicate,
    /// Not one that is expected of this receiver, or too old to say.
    Unasked,
}

impl Window {
    /// A receiver that is there from the message after `start` on.
    pub(super) const fn new(start: u64) -> Self {
        Self {
            start,
            highest: start,
            missing: Vec::new(),
        }
    }

    /// Takes a message; those that are passed over count from `since` on.
    pub(super) fn came(&mut self, seq: u64, since: u64) -> Came {
        if seq <= self.start {
            return Came::Unasked;
        }
        if seq > self.highest {
            let from = self.highest + 1;
            self.highest = seq;
            if from == seq {
                return Came::Next { skipped: 0 };
            }
            self.missing.push((from, seq - 1));
            if self.missing.len() > MOST_RUNS {
                let (_, to) = self.missing.remove(0);
                self.start = to;
            }
            let skipped = seq.saturating_sub(from.max(since));
            return Came::Next { skipped };
        }
        let at = self.missing.partition_point(|(_, to)| *to < seq);
        match self.missing.get(at) {
            Some(&(from, to)) if from <= seq => {
                self.missing.remove(at);
                if seq < to {
                    self.missing.insert(at, (seq + 1, to));
                }
                if from < seq {
                    self.missing.insert(at, (from, seq - 1));
                }
                Came::Late
            }
            _ => Came::Duplicate,
        }
    }

    /// Whether a later one has come.
    pub(super) const fn passed_over(&self, seq: u64) -> bool {
        seq < self.highest
    }

    /// What has not come, of all that were published up to `last`.
    pub(super) fn outstanding(&self, last: u64) -> impl Iterator<Item = u64> + '_ {
        let passed_over = self.missing.iter().flat_map(|&(from, to)| from..=to);
        passed_over.chain(self.highest + 1..=last)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const NEXT: Came = Came::Next { skipped: 0 };

    #[test]
    fn each_message_is_what_it_is() {
        let mut window = Window::new(10);
        let rows = [
            (10, Came::Unasked),
            (11, NEXT),
            (14, Came::Next { skipped: 2 }),
            (13, Came::Late),
            (13, Came::Duplicate),
            (14, Came::Duplicate),
            (15, NEXT),
        ];
        for (seq, came) in rows {
            assert_eq!(window.came(seq, 0), came, "{seq}");
        }
        assert_eq!(window.outstanding(17).collect::<Vec<_>>(), [12, 16, 17]);
        // Those of the warm-up do not count.
        assert_eq!(window.came(20, 18), Came::Next { skipped: 2 });
        assert_eq!(window.came(22, 30), Came::Next { skipped: 0 });
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut window = Window::new(0);
        for seq in (2..=4000).step_by(2) {
            assert_eq!(window.came(seq, 0), Came::Next { skipped: 1 });
        }
        assert_eq!(window.missing.len(), MOST_RUNS);
        assert_eq!(window.came(1, 0), Came::Unasked);
        assert_eq!(window.came(3999, 0), Came::Late);
    }

    proptest! {
        #[test]
        fn it_is_what_a_set_of_all_that_came_would_say(
            seqs in prop::collection::vec(1_u64..60, 0..120),
        ) {
            let mut window = Window::new(0);
            let mut all = BTreeSet::new();
            let (mut skipped, mut late) = (0, 0);
            for seq in seqs {
                let highest = all.last().copied().unwrap_or(0);
                let is_new = all.insert(seq);
                let came = window.came(seq, 0);
                match came {
                    Came::Next { skipped: more } => {
                        prop_assert!(seq > highest);
                        skipped += more;
                    }
                    Came::Late => {
                        prop_assert!(is_new && seq < highest);
                        late += 1;
                    }
                    Came::Duplicate => prop_assert!(!is_new),
                    Came::Unasked => prop_assert!(false, "nothing is unasked"),
                }
            }
            let highest = all.last().copied().unwrap_or(0);
            prop_assert_eq!(skipped - late, highest - all.len() as u64);
            let outstanding: Vec<u64> = window.outstanding(60).collect();
            let missing: Vec<u64> = (1..=60).filter(|seq| !all.contains(seq)).collect();
            prop_assert_eq!(outstanding, missing);
        }
    }
}
