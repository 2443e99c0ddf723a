//! How many connections there should be at which time: `--stages 30s:1k,2m:10k,30s:0`.

use std::str::FromStr;
use std::time::Duration;

use crate::model::units::{parse_count, parse_duration};

/// One stage: within `time` the number of connections goes in a straight line from where the stage
/// before left it to `connections`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    pub time: Duration,
    pub connections: usize,
}

/// All stages, in order; the first begins at no connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stages(pub Vec<Stage>);

impl Stages {
    /// How many connections there should be after so long.
    pub fn target(&self, elapsed: Duration) -> usize {
        let mut begun = Duration::ZERO;
        let mut before = 0;
        for stage in &self.0 {
            let passed = elapsed.saturating_sub(begun);
            if passed < stage.time {
                let share = passed.as_secs_f64() / stage.time.as_secs_f64();
                let way = stage.connections as f64 - before as f64;
                return (before as f64 + way * share).round() as usize;
            }
            begun += stage.time;
            before = stage.connections;
        }
        before
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
            before = stage.connections;
        }
        None
    }

    /// How long all of them take.
    pub fn total(&self) -> Duration {
        self.0.iter().map(|stage| stage.time).sum()
    }

    /// The most connections that are asked for at any time.
    pub fn peak(&self) -> usize {
        self.0
            .iter()
            .map(|stage| stage.connections)
            .max()
            .unwrap_or(0)
    }
}

impl FromStr for Stages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let stage = |part: &str| {
            let (time, connections) = part.split_once(':').ok_or_else(|| {
                format!("\"{part}\" is not a stage (try 30s:1k: within 30 s to 1,000 connections)")
            })?;
            Ok(Stage {
                time: parse_duration(time)?,
                connections: parse_count(connections)?,
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
    fn what_is_no_stage_is_said() {
        for text in ["", "10s", "x:1", "1s:x", "1s:1,"] {
            assert!(text.parse::<Stages>().is_err(), "{text}");
        }
    }
}
