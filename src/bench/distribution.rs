//! How a time varies from one use to the next: `--think`, `--lifetime`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{Rng, RngExt as _};

use crate::model::units::{parse_duration, show_duration};

/// A distribution of times. Pure: the source of chance is an argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    /// `5s`: always the same.
    Constant(Duration),
    /// `1s-5s`: any time between the two, each as likely.
    Uniform(Duration, Duration),
    /// `exp:2s`: exponential with this mean, as independent arrivals are; cut at ten times the mean.
    Exponential(Duration),
}

/// An exponential time beyond this many means comes once in 22,000 draws, and would hold up a run.
const MOST_MEANS: f64 = 10.0;

impl Distribution {
    /// Draws a time.
    pub fn draw(&self, chance: &mut impl Rng) -> Duration {
        match *self {
            Self::Constant(time) => time,
            Self::Uniform(from, to) => from + (to - from).mul_f64(chance.random::<f64>()),
            Self::Exponential(mean) => {
                let uniform: f64 = chance.random();
                mean.mul_f64((-(1.0 - uniform).ln()).min(MOST_MEANS))
            }
        }
    }
}

impl FromStr for Distribution {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(mean) = text.strip_prefix("exp:") {
            return parse_duration(mean).map(Self::Exponential);
        }
        match text.split_once('-') {
            None => parse_duration(text).map(Self::Constant),
            Some((from, to)) => {
                let (from, to) = (parse_duration(from)?, parse_duration(to)?);
                if from > to {
                    return Err(format!("\"{text}\": the first time is the longer one"));
                }
                Ok(Self::Uniform(from, to))
            }
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Constant(time) => f.write_str(&show_duration(time)),
            Self::Uniform(from, to) => {
                write!(f, "{}-{}", show_duration(from), show_duration(to))
            }
            Self::Exponential(mean) => write!(f, "exp:{}", show_duration(mean)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn draws_stay_within_their_bounds_and_around_their_mean() {
        let mut chance = StdRng::seed_from_u64(7);
        let uniform: Distribution = "1s-3s".parse().unwrap();
        let exponential: Distribution = "exp:100ms".parse().unwrap();
        let mut sum = Duration::ZERO;
        for _ in 0..1000 {
            let drawn = uniform.draw(&mut chance);
            assert!((Duration::from_secs(1)..=Duration::from_secs(3)).contains(&drawn));
            let drawn = exponential.draw(&mut chance);
            assert!(drawn <= Duration::from_secs(1));
            sum += drawn;
        }
        let mean = sum / 1000;
        assert!((80..120).contains(&mean.as_millis()), "{mean:?}");
        assert_eq!(
            "250ms".parse::<Distribution>().unwrap().draw(&mut chance),
            Duration::from_millis(250)
        );
    }

    #[test]
    fn what_is_no_distribution_is_said() {
        for text in ["", "x", "5s-1s", "exp:", "1s-"] {
            assert!(text.parse::<Distribution>().is_err(), "{text}");
        }
        assert_eq!(
            "1s-5s".parse::<Distribution>().unwrap().to_string(),
            "1.00s-5.00s"
        );
    }
}
