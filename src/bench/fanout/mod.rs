//! Mode `fanout`: some connections publish, and all that are to hear it should get each message.
//!
//! A message carries a [`marker`] by which it is known again whatever a server wraps around it. The
//! [`exchange`] is what the threads share: who is there, and how many have yet to get each message
//! that is under way. A [`member`] is one connection's part in it, with a [`window`] for each
//! publisher that it hears. Publishing and coming and going take the lock of one group; receiving
//! takes none.

mod doorbell;
mod exchange;
pub mod marker;
mod member;
pub mod probe;
mod slot;
mod window;

use std::fmt;
use std::str::FromStr;

pub use self::exchange::Exchange;
pub(super) use self::member::Member;
use crate::error::Error;

/// `--publishers`, `--groups`, `--audience`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fanout {
    /// The first so many connections publish.
    pub publishers: usize,
    /// Connections are dealt into so many groups, one after another.
    pub groups: usize,
    /// Who is to get a message, beside the connections of its group that do not publish; `None` until the
    /// [`probe`] has found it out.
    pub audience: Option<Audience>,
}

/// Which of those who publish hear what is published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Audience {
    /// Who published it.
    pub sender: bool,
    /// The other publishers of the group.
    pub publishers: bool,
}

impl Audience {
    const NAMES: [(&'static str, Self); 3] = [
        (
            "subscribers",
            Self {
                sender: false,
                publishers: false,
            },
        ),
        (
            "others",
            Self {
                sender: false,
                publishers: true,
            },
        ),
        (
            "all",
            Self {
                sender: true,
                publishers: true,
            },
        ),
    ];

    /// The name in `--audience` and in results; what is found may have none.
    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(_, one)| *one == self);
        found.map_or("subscribers and the sender", |(name, _)| name)
    }
}

/// `--audience`: `None` for `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudienceChoice(pub Option<Audience>);

impl AudienceChoice {
    pub const NAMES: [&str; 4] = ["auto", "subscribers", "others", "all"];
}

impl FromStr for AudienceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == Self::NAMES[0] {
            return Ok(Self(None));
        }
        let found = Audience::NAMES.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, audience)| Self(Some(*audience)))
            .ok_or_else(|| format!("\"{text}\" is none of {}", Self::NAMES.join(", ")))
    }
}

impl fmt::Display for Fanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} publishing, {} groups, heard by {}",
            self.publishers,
            self.groups,
            self.audience
                .map_or("whom the first messages show", Audience::name)
        )
    }
}

/// Windows that receivers keep on publishers, over all: 40 bytes each, and what is missing.
const MOST_WINDOWS: usize = 4_000_000;

impl Fanout {
    /// The group of a connection, from 0; `ordinal` counts connections from 0.
    pub const fn group(&self, ordinal: usize) -> usize {
        ordinal % self.groups
    }

    /// How many publish in a group.
    pub const fn publishers_in(&self, group: usize) -> usize {
        super::shared::part(self.publishers, group, self.groups)
    }

    /// Whether so many connections are enough, and not too many.
    ///
    /// # Errors
    /// [`Error::Usage`] with what would do.
    pub fn check(&self, connections: usize) -> Result<(), Error> {
        let Self {
            publishers, groups, ..
        } = *self;
        if publishers < groups {
            return Err(Error::usage_hint(
                format!(
                    "{groups} groups with {publishers} publishing: in some of them nobody would"
                ),
                format!("--publishers {groups} has one in each group"),
            ));
        }
        let everyone_publishes = publishers == connections && connections >= 2 * groups;
        if connections < publishers + groups && !everyone_publishes {
            return Err(Error::usage_hint(
                format!(
                    "{connections} connections, of which {publishers} publish, do not leave a subscriber for each of {groups} groups"
                ),
                format!(
                    "-c {} would do; with --publishers {connections} everyone publishes and everyone hears",
                    publishers + groups
                ),
            ));
        }
        let windows = connections.saturating_mul(publishers.div_ceil(groups));
        if windows > MOST_WINDOWS {
            return Err(Error::usage_hint(
                format!(
                    "{connections} connections that each hear {} publishers are more than is kept track of ({MOST_WINDOWS} pairs)",
                    publishers.div_ceil(groups)
                ),
                "fewer --publishers, or more --groups",
            ));
        }
        Ok(())
    }

    /// How many messages of each publisher may be under way: they have a place each.
    pub fn places(&self) -> usize {
        const ALL: usize = 1 << 20;
        let each = (ALL / self.publishers).clamp(64, 1 << 16);
        1 << each.ilog2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_somebody_who_publishes_and_somebody_who_hears() {
        let check = |publishers, groups, connections| {
            let fanout = Fanout {
                publishers,
                groups,
                audience: None,
            };
            fanout.check(connections).is_ok()
        };
        assert!(check(1, 1, 2) && check(3, 3, 6) && check(4, 2, 6));
        // Everyone publishes and everyone hears.
        assert!(check(2, 1, 2) && check(6, 3, 6));
        assert!(!check(1, 1, 1) && !check(1, 2, 10) && !check(3, 3, 5));
        assert!(!check(10_000, 1, 10_000) && check(10_000, 100, 10_000));
    }
}
