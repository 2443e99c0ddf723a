//! How long to wait before the next attempt. Pure: the random number is an argument.

use std::time::Duration;

/// Delays that grow: `base`, `base * factor`, ... up to `max`, each spread by `jitter`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    pub base: Duration,
    pub factor: f64,
    pub max: Duration,
    /// The share of a delay by which it varies, both ways: 0.2 is plus or minus 20 %.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            factor: 2.0,
            max: Duration::from_secs(30),
            jitter: 0.2,
        }
    }
}

impl Backoff {
    /// A retry never comes sooner than this, whatever the jitter.
    const LEAST: Duration = Duration::from_millis(10);

    /// The delay before retry `attempt` (0 for the first), with `random` in 0..1 for the jitter.
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
        let grown = self.base.as_secs_f64() * self.factor.powi(exponent);
        let capped = grown.min(self.max.as_secs_f64());
        let spread = 1.0 + self.jitter * (2.0 * random.clamp(0.0, 1.0) - 1.0);
        Duration::try_from_secs_f64(capped * spread)
            .unwrap_or(self.max)
            .max(Self::LEAST)
    }

    /// Reads `base=1s,factor=2,max=30s,jitter=0.2`; what is left out keeps its default.
    ///
    /// # Errors
    /// A sentence that names the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        use crate::model::units::parse_duration;
        let mut backoff = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| {
                format!("\"{part}\" is not name=value (base, factor, max, jitter)")
            })?;
            let number = |least: f64, most: f64| {
                value
                    .parse::<f64>()
                    .ok()
                    .filter(|number| (least..=most).contains(number))
                    .ok_or_else(|| {
                        format!("{name} takes a number from {least} to {most}, not \"{value}\"")
                    })
            };
            match name {
                "base" => backoff.base = parse_duration(value)?,
                "factor" => backoff.factor = number(1.0, 100.0)?,
                "max" => backoff.max = parse_duration(value)?,
                "jitter" => backoff.jitter = number(0.0, 1.0)?,
                _ => {
                    return Err(format!(
                        "\"{name}\" is not one of base, factor, max, jitter"
                    ));
                }
            }
        }
        Ok(backoff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_most() {
        let backoff = Backoff::default();
        let delays: Vec<u64> = (0..9).map(|n| backoff.delay(n, 0.5).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 30, 30, 30, 30]);
        assert_eq!(backoff.delay(u32::MAX, 0.5), Duration::from_secs(30));
    }

    #[test]
    fn jitter_spreads_both_ways_and_never_to_nothing() {
        let backoff = Backoff::default();
        assert_eq!(backoff.delay(0, 0.0), Duration::from_millis(800));
        assert_eq!(backoff.delay(0, 1.0), Duration::from_millis(1200));
        let zero = Backoff::parse("base=0s,jitter=1").unwrap();
        assert_eq!(zero.delay(0, 0.0), Backoff::LEAST);
    }

    #[test]
    fn a_wrong_part_is_named() {
        assert!(Backoff::parse("base=2s,factor=1.5,max=1m,jitter=0").is_ok());
        for (text, part) in [
            ("bse=1", "bse"),
            ("factor=0", "factor"),
            ("jitter", "jitter"),
            ("max=x", "x"),
        ] {
            assert!(Backoff::parse(text).unwrap_err().contains(part), "{text}");
        }
    }
}
