//! How many connections there should be at which time: `--stages 30s:1k,2m:10k,30s:0`; or messages per
//! second: `--rate-stages 10s:1k,30s:5k`.

use std::str::FromStr;
use std::time::Duration;

use crate::model::units::{parse_count, parse_duration};

/// One stage: within `time` the number goes in a straight line from where the stage before left it to
/// `level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    pub time: Duration,
    /// Connections, or messages per second.
    pub level: usize,
}

/// All stages, in order; the first begins at 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stages(pub Vec<Stage>);

impl Stages {
    /// The level after so long.
    pub fn target(&self, elapsed: Duration) -> usize {
        let mut begun = Duration::ZERO;
        let mut before = 0;
        for stage in &self.0 {
            let passed = elapsed.saturating_sub(begun);
            if passed < stage.time {
                let share = passed.as_secs_f64() / stage.time.as_secs_f64();
                let way = stage.level as f64 - before as f64;
                return (before as f64 + way * share).round() as usize;
            }
            begun += stage.time;
            before = stage.level;
        }
        before
    }

    /// When as many messages are due as `count` says, if the levels are messages per second; `None`
    /// where it never comes to that. It is exact, so that a schedule is fixed in advance.
    pub fn when(&self, count: f64) -> Option<Duration> {
        let mut begun = Duration::ZERO;
        let (mut before, mut left) = (0.0, count);
        for stage in &self.0 {
            let (time, level) = (stage.time.as_secs_f64(), stage.level as f64);
            let within = (before + level) / 2.0 * time;
            if left <= within && within > 0.0 {
                // before * t + slope / 2 * t^2 = left, solved so that no digits are lost.
                let slope = (level - before) / time;
                let root = (before * before + 2.0 * slope * left).max(0.0).sqrt();
                let seconds = if left > 0.0 {
                    2.0 * left / (before + root)
                } else {
                    0.0
                };
                return Some(begun + Duration::from_secs_f64(seconds.min(time)));
            }
            left -= within;
            begun += stage.time;
            before = level;
        }
        None
    }

    /// Which stage it is after so long, counted from 0, and how many connections there were before
    /// it; `None` after the last one.
    pub fn stage(&self, elapsed: Duration) -> Option<(usize, usize)> {
        let mut end = Duration::ZERO;
        let mut before = 0;
        for (at, stage) in self.0.iter().enumerate() {
            end += stage.time;
            if elapsed < end {
                return Some((at, before));
            }
            before = stage.level;
        }
        None
    }

    /// How long all of them take.
    pub fn total(&self) -> Duration {
        self.0.iter().map(|stage| stage.time).sum()
    }

    /// The highest level.
    pub fn peak(&self) -> usize {
        self.0.iter().map(|stage| stage.level).max().unwrap_or(0)
    }
}

impl FromStr for Stages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let stage = |part: &str| {
            let (time, level) = part.split_once(':').ok_or_else(|| {
                format!("\"{part}\" is not a stage (try 30s:1k: within 30 s to 1,000)")
            })?;
            Ok(Stage {
                time: parse_duration(time)?,
                level: parse_count(level.trim_end_matches("/s"))?,
            })
        };
        text.split(',')
            .map(stage)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_goes_in_straight_lines() {
        let stages: Stages = "10s:100,20s:100,10s:0".parse().unwrap();
        let at = |seconds| stages.target(Duration::from_secs(seconds));
        assert_eq!([at(0), at(5), at(10), at(29)], [0, 50, 100, 100]);
        assert_eq!([at(35), at(40), at(99)], [50, 0, 0]);
        let stage = |seconds| stages.stage(Duration::from_secs(seconds));
        assert_eq!([stage(9), stage(10)], [Some((0, 0)), Some((1, 100))]);
        assert_eq!([stage(39), stage(40)], [Some((2, 100)), None]);
        assert_eq!(
            (stages.total(), stages.peak()),
            (Duration::from_secs(40), 100)
        );
    }

    #[test]
    fn a_stage_without_time_is_a_step() {
        let stages: Stages = "0s:50,10s:50".parse().unwrap();
        assert_eq!(stages.target(Duration::ZERO), 50);
    }

    #[test]
    fn messages_are_due_when_the_rates_come_to_their_number() {
        let stages: Stages = "2s:100,1s:100,2s:0".parse().unwrap();
        let at = |count| stages.when(count).map(|time| time.as_millis());
        // 100 in the first two seconds, a quarter of them in the first.
        assert_eq!(at(0.0), Some(0));
        assert_eq!(
            [at(25.0), at(100.0), at(150.0)],
            [Some(1000), Some(2000), Some(2500)]
        );
        assert_eq!(
            [at(275.0), at(300.0), at(300.1)],
            [Some(4000), Some(5000), None]
        );
        let step: Stages = "0s:10,1s:10".parse().unwrap();
        assert_eq!(step.when(5.0), Some(Duration::from_millis(500)));
        let none: Stages = "1s:0".parse().unwrap();
        assert_eq!(none.when(1.0), None);
    }

    #[test]
    fn what_is_no_stage_is_said() {
        for text in ["", "10s", "x:1", "1s:x", "1s:1,"] {
            assert!(text.parse::<Stages>().is_err(), "{text}");
        }
    }
}
