//! What a published message is known by: letters and digits that come through JSON, HTML, a URL or
//! binary unchanged, found wherever a server has put them. Pure.
//!
//! `wsf`, the run (8 hexadecimal digits), the publisher (6), the sequence (10), when it was due (14,
//! nanoseconds from the start), whether it counts (1), and a check over all that (4).

use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::time::Duration;

use regex::bytes::Regex;

use super::super::payload::{digits, value};

/// The length of a marker in bytes.
pub const LEN: usize = CHECK.end;

const NAME: &str = "wsf";
const RUN: Range<usize> = after(0..NAME.len(), 8);
const PUBLISHER: Range<usize> = after(RUN, 6);
const SEQ: Range<usize> = after(PUBLISHER, 10);
const DUE: Range<usize> = after(SEQ, 14);
const COUNTS: Range<usize> = after(DUE, 1);
const CHECK: Range<usize> = after(COUNTS, 4);

const fn after(before: Range<usize>, length: usize) -> Range<usize> {
    before.end..before.end + length
}

/// A message that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Marker {
    /// From 0.
    pub publisher: usize,
    /// From 1 for each publisher.
    pub seq: u64,
    /// When it was due, from the start of the run.
    pub due: Duration,
    /// It belongs to the measured time.
    pub counts: bool,
}

/// Tells the markers of this run from those of others, and from what was changed on its way.
#[derive(Debug)]
pub struct Key {
    front: String,
    finder: Regex,
    check: RandomState,
}

impl Key {
    pub fn new(run: u32) -> Self {
        let front = format!("{NAME}{run:08x}");
        // Letters and digits are a regex that stands for itself.
        let finder = Regex::new(&front).unwrap_or_else(|_| unreachable!("{front} is a regex"));
        Self {
            front,
            finder,
            check: RandomState::new(),
        }
    }

    pub fn write(&self, marker: &Marker) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..RUN.end].copy_from_slice(self.front.as_bytes());
        bytes[PUBLISHER].copy_from_slice(&digits::<6>(marker.publisher as u64));
        bytes[SEQ].copy_from_slice(&digits::<10>(marker.seq));
        bytes[DUE].copy_from_slice(&digits::<14>(marker.due.as_nanos() as u64));
        bytes[COUNTS].copy_from_slice(&digits::<1>(marker.counts.into()));
        bytes[CHECK].copy_from_slice(&digits::<4>(self.check(marker)));
        bytes
    }

    fn check(&self, marker: &Marker) -> u64 {
        self.check.hash_one(marker) & 0xFFFF
    }

    /// The marker in a message. `place` is where it was in the message before, which is looked at first.
    pub fn find(&self, payload: &[u8], place: &mut usize) -> Option<Marker> {
        if let Some(marker) = self.read(payload, *place) {
            return Some(marker);
        }
        self.finder.find_iter(payload).find_map(|found| {
            let marker = self.read(payload, found.start())?;
            *place = found.start();
            Some(marker)
        })
    }

    fn read(&self, payload: &[u8], at: usize) -> Option<Marker> {
        let bytes = payload.get(at..at.checked_add(LEN)?)?;
        if bytes[..RUN.end] != *self.front.as_bytes() {
            return None;
        }
        let marker = Marker {
            publisher: value(&bytes[PUBLISHER])? as usize,
            seq: value(&bytes[SEQ])?,
            due: Duration::from_nanos(value(&bytes[DUE])?),
            counts: value(&bytes[COUNTS])? == 1,
        };
        (value(&bytes[CHECK])? == self.check(&marker)).then_some(marker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: Marker = Marker {
        publisher: 3,
        seq: 0xBEEF,
        due: Duration::from_nanos(1_234_567_891),
        counts: true,
    };

    #[test]
    fn a_marker_is_found_whatever_is_around_it() {
        let key = Key::new(0xAB);
        let bytes = key.write(&MARKER);
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.starts_with("wsf000000ab000003000000beef"), "{text}");
        let mut place = 0;
        let wrapped = format!("{{\"from\":\"m1\",\"text\":\"wsf000000abX {text}\"}}");
        for payload in [text, wrapped.as_str(), &format!("\0\u{1}{text}"), text] {
            assert_eq!(key.find(payload.as_bytes(), &mut place), Some(MARKER));
        }
        assert_eq!(place, 0);
    }

    #[test]
    fn what_was_changed_or_cut_or_is_of_another_run_is_no_marker() {
        let key = Key::new(1);
        let bytes = key.write(&MARKER);
        let mut place = 7;
        for at in 0..LEN {
            let mut changed = bytes;
            changed[at] ^= 1;
            // A check of 16 bits lets one in 65,536 pass; another value of it is another chance.
            let found = key.find(&changed, &mut place);
            assert!(found.is_none() || found != Some(MARKER), "byte {at}");
        }
        assert_eq!(key.find(&bytes[..LEN - 1], &mut place), None);
        assert_eq!(key.find(b"", &mut place), None);
        assert_eq!(Key::new(2).find(&bytes, &mut place), None);
    }
}
