//! One load from many processes: which part of it falls to one of them (`--shard 2/4`). Pure.
//!
//! The parts are exact: together the shards open the connections, send the messages and keep the
//! rates of the one run, each with a range of connection numbers of its own, so that `{{conn}}`, the
//! rows of `--feed` and source addresses do not overlap. [`merge`](super::merge) makes one result of
//! theirs.

use std::fmt;
use std::str::FromStr;

use super::plan::{Pace, Rate, Workload};
use super::shared::part;

/// One of `count` processes that are one load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0; people write it from 1.
    pub index: usize,
    pub count: usize,
}

/// More processes than this are a slip of the fingers.
const MOST: usize = 10_000;

impl Shard {
    /// A load that one process makes alone.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// `number` is from 1.
    ///
    /// # Errors
    /// A sentence about what is not possible.
    pub fn new(number: usize, count: usize) -> Result<Self, String> {
        if count == 0 || count > MOST {
            return Err(format!("there can be 1 to {MOST} shards, not {count}"));
        }
        match number {
            0 => Err("shards are numbered from 1".to_owned()),
            _ if number > count => Err(format!(
                "there is no shard {number}: {count} of them are numbered from 1 to {count}"
            )),
            _ => Ok(Self {
                index: number - 1,
                count,
            }),
        }
    }

    pub const fn is_whole(self) -> bool {
        self.count == 1
    }

    /// Its part of so many.
    pub const fn of(self, total: usize) -> usize {
        part(total, self.index, self.count)
    }

    /// What of so many the shards before it take.
    const fn before(self, total: usize) -> usize {
        let rest = total % self.count;
        let more = if self.index < rest { self.index } else { rest };
        total / self.count * self.index + more
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(one, all)| Some((one.parse().ok()?, all.parse().ok()?)));
        let (number, count) =
            numbers.ok_or_else(|| format!("\"{text}\" is not a shard (try 1/4, or auto)"))?;
        Self::new(number, count)
    }
}

/// What `--shard` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Given(Shard),
    /// `auto`: the scheduler's variables tell, and `auto/4` how many there are.
    Auto(Option<usize>),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto(None));
        }
        match text.strip_prefix("auto/") {
            None => text.parse().map(Self::Given),
            Some(count) => {
                let parsed = count
                    .parse()
                    .ok()
                    .filter(|count| (1..=MOST).contains(count));
                let count = parsed.ok_or_else(|| {
                    format!("auto/{count}: after the slash stands how many shards there are")
                })?;
                Ok(Self::Auto(Some(count)))
            }
        }
    }
}

/// Whoever starts many processes, and the variables in which it says which one this is.
struct Scheduler {
    name: &'static str,
    index: &'static str,
    /// The first one's number.
    first: usize,
    count: Option<&'static str>,
}

/// How many shards there are, where the scheduler does not say it.
const COUNT: &str = "WSCOPE_SHARDS";

/// In the order in which they are asked.
const SCHEDULERS: &[Scheduler] = &[
    Scheduler {
        name: "a Kubernetes Indexed Job",
        index: "JOB_COMPLETION_INDEX",
        first: 0,
        count: None,
    },
    Scheduler {
        name: "GitLab",
        index: "CI_NODE_INDEX",
        first: 1,
        count: Some("CI_NODE_TOTAL"),
    },
    Scheduler {
        name: "Buildkite",
        index: "BUILDKITE_PARALLEL_JOB",
        first: 0,
        count: Some("BUILDKITE_PARALLEL_JOB_COUNT"),
    },
    Scheduler {
        name: "Slurm",
        index: "SLURM_PROCID",
        first: 0,
        count: Some("SLURM_NTASKS"),
    },
    Scheduler {
        name: "GNU parallel",
        index: "PARALLEL_SEQ",
        first: 1,
        count: None,
    },
];

/// A shard that the surroundings tell, and how: `GitLab: CI_NODE_INDEX=2, CI_NODE_TOTAL=4`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub shard: Shard,
    pub by: String,
}

/// Reads the number of this shard from what the first scheduler with a number has set; `count` is
/// what `auto/COUNT` says.
///
/// # Errors
/// No scheduler tells it, or what one tells is not whole or contradicts `count`.
pub fn detect(
    count: Option<usize>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Found, String> {
    let found = SCHEDULERS
        .iter()
        .find_map(|scheduler| Some((scheduler, variable(scheduler.index)?)));
    let Some((scheduler, index)) = found else {
        let names: Vec<&str> = SCHEDULERS.iter().map(|one| one.index).collect();
        return Err(format!(
            "no variable says which shard this is: none of {} is set",
            names.join(", ")
        ));
    };
    let Scheduler { name, first, .. } = scheduler;
    let number_of = |variable: &str, text: &str| -> Result<usize, String> {
        let number = text.trim().parse().ok().filter(|number| *number <= MOST);
        number.ok_or_else(|| format!("{variable}={text} ({name}) is not a number of a shard"))
    };
    let number = number_of(scheduler.index, &index)?;
    let mut by = format!("{name}: {}={}", scheduler.index, index.trim());
    let named = scheduler.count.unwrap_or(COUNT);
    let told = variable(named).map(|text| number_of(named, &text));
    let count = match (count, told.transpose()?) {
        (Some(count), Some(told)) if count != told => {
            return Err(format!(
                "auto/{count} says {count} shards, and {named} {told}"
            ));
        }
        (_, Some(told)) => {
            by.push_str(&format!(", {named}={told}"));
            told
        }
        (Some(count), None) => count,
        (None, None) => {
            return Err(format!(
                "{by}, but how many shards there are is not said: set {named}, or write --shard auto/N"
            ));
        }
    };
    let shard = Shard::new(number + 1 - first, count);
    let shard = shard.map_err(|wrong| format!("{by}: {wrong}"))?;
    Ok(Found { shard, by })
}

/// The part of a load that falls to a shard.
///
/// # Errors
/// What there is too little of to be divided.
pub fn divide(whole: &Workload, shard: Shard) -> Result<Workload, String> {
    let Shard { count, .. } = shard;
    let enough = |there: usize, what: &str| match there < count {
        true => Err(format!(
            "{there} {what} cannot be divided among {count} shards: each needs one at least"
        )),
        false => Ok(()),
    };
    enough(whole.peak(), "connections")?;
    if let Some(messages) = whole.end.messages {
        enough(messages as usize, "messages")?;
    }
    let mut own = whole.clone();
    own.shard = shard;
    own.first = 1 + shard.before(whole.peak()) as u64;
    own.connections = shard.of(whole.connections);
    own.threads = whole.threads.min(own.peak());
    own.end.messages = whole.end.messages.map(|all| shard.of(all as usize) as u64);
    own.ramp.rate = whole.ramp.rate.map(|rate| rate / count as f64);
    own.ramp.concurrency = shard.of(whole.ramp.concurrency).max(1);
    if let Pace::Open { rate, max_inflight } = &mut own.pace {
        if let Rate::Total(rate) = rate {
            *rate /= count as f64;
        }
        *max_inflight = shard.of(*max_inflight).max(1);
    }
    Ok(own)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Variables that are set, what `auto/N` says, and what is expected of that.
    type Row = (
        &'static [(&'static str, &'static str)],
        Option<usize>,
        &'static str,
    );

    fn found(set: &[(&str, &str)], count: Option<usize>) -> Result<Found, String> {
        let set: HashMap<&str, &str> = set.iter().copied().collect();
        detect(count, |name| set.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn each_scheduler_says_which_shard_this_is_in_its_own_way() {
        let rows: &[Row] = &[
            (
                &[("JOB_COMPLETION_INDEX", "0"), ("WSCOPE_SHARDS", "3")],
                None,
                "1/3",
            ),
            (&[("JOB_COMPLETION_INDEX", "2")], Some(3), "3/3"),
            (
                &[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "4")],
                None,
                "2/4",
            ),
            (
                &[
                    ("BUILDKITE_PARALLEL_JOB", "1"),
                    ("BUILDKITE_PARALLEL_JOB_COUNT", "2"),
                ],
                None,
                "2/2",
            ),
            (
                &[("SLURM_PROCID", "5"), ("SLURM_NTASKS", "8")],
                Some(8),
                "6/8",
            ),
            (&[("PARALLEL_SEQ", "1")], Some(4), "1/4"),
            (
                &[("PARALLEL_SEQ", "4"), ("WSCOPE_SHARDS", "4")],
                None,
                "4/4",
            ),
            // The first of the list is asked first.
            (
                &[
                    ("CI_NODE_INDEX", "1"),
                    ("CI_NODE_TOTAL", "9"),
                    ("JOB_COMPLETION_INDEX", "1"),
                ],
                Some(2),
                "2/2",
            ),
        ];
        for (set, count, shard) in rows {
            let found = found(set, *count).unwrap();
            assert_eq!(found.shard.to_string(), *shard, "{set:?}");
            assert!(
                found.by.contains(set[0].0) || found.by.contains("JOB_"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn what_is_not_whole_or_contradicts_itself_is_said() {
        let rows: &[Row] = &[
            (&[], None, "none of JOB_COMPLETION_INDEX, CI_NODE_INDEX"),
            (
                &[("JOB_COMPLETION_INDEX", "0")],
                None,
                "set WSCOPE_SHARDS, or write --shard auto/N",
            ),
            (&[("CI_NODE_INDEX", "1")], None, "set CI_NODE_TOTAL"),
            (
                &[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "3")],
                Some(4),
                "auto/4 says 4 shards, and CI_NODE_TOTAL 3",
            ),
            (
                &[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "3")],
                None,
                "shards are numbered from 1",
            ),
            (
                &[("SLURM_PROCID", "x"), ("SLURM_NTASKS", "3")],
                None,
                "SLURM_PROCID=x (Slurm) is not a number",
            ),
            (&[("PARALLEL_SEQ", "5")], Some(4), "there is no shard 5"),
            (
                &[("JOB_COMPLETION_INDEX", "18446744073709551615")],
                Some(4),
                "is not a number",
            ),
        ];
        for (set, count, why) in rows {
            let wrong = found(set, *count).unwrap_err();
            assert!(wrong.contains(why), "{set:?}: {wrong}");
        }
    }

    #[test]
    fn what_is_no_shard_is_said() {
        assert_eq!(
            "3/3".parse(),
            Ok(Choice::Given(Shard { index: 2, count: 3 }))
        );
        assert_eq!("auto".parse(), Ok(Choice::Auto(None)));
        assert_eq!("auto/7".parse(), Ok(Choice::Auto(Some(7))));
        for (text, why) in [
            ("0/3", "numbered from 1"),
            ("4/3", "no shard 4"),
            ("1/0", "1 to 10000 shards"),
            ("x", "try 1/4, or auto"),
            ("auto/0", "how many shards"),
        ] {
            let wrong = text.parse::<Choice>().unwrap_err();
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
    }
}
