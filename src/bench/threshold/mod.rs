//! `--threshold 'rtt.p99<250ms'`: what a result must be like. Pure.
//!
//! `METRIC OP LIMIT[!]`. A metric is a latency and a statistic (`rtt.p99`, `handshake.tls.max`, and
//! `step.17.p99` for a step of a script) or one of [`SCALARS`]; with `!` the run is aborted as soon
//! as it does not hold.

mod metric;

use std::time::Duration;

use self::metric::STEP;
pub use self::metric::{Metric, SCALARS, Statistic, Unit, checks, errors, known};
use super::figures::Figures;
use super::script::Step;

/// Those that only a script has, by how their names begin.
const OF_SCRIPTS: [&str; 3] = ["checks.", "iterations.", STEP];
/// Those that only mode `fanout` has.
const OF_FANOUT: [&str; 3] = ["fanout.", "delivery.", "last_subscriber."];
/// Those that there are only with `--storm`.
const OF_STORMS: [&str; 2] = ["storm.", "storms."];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
}

/// The longer ones first, so that `<=` is not read as `<`.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// As it was typed, without blanks.
    pub text: String,
    pub metric: Metric,
    pub comparison: Comparison,
    /// In the metric's unit.
    pub limit: f64,
    /// `!`: do not go on once it fails.
    pub aborts: bool,
}

/// What thresholds are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    pub figures: &'a Figures,
    /// Of the script that is played.
    pub steps: &'a [Step],
    pub open: usize,
    /// How long was measured.
    pub time: Duration,
    /// How long connections were opened.
    pub opening: Duration,
}

/// What is wrong with a threshold, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub message: String,
    pub at: usize,
}

impl Wrong {
    /// The text, a caret below the place, and the message.
    pub fn show(&self, text: &str) -> String {
        let before = text.get(..self.at).unwrap_or(text).chars().count();
        format!("{}\n  {text}\n  {:before$}^", self.message, "")
    }
}

impl Threshold {
    /// # Errors
    /// [`Wrong`].
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let (at, sign, comparison) = COMPARISONS
            .iter()
            .filter_map(|&(sign, comparison)| Some((text.find(sign)?, sign, comparison)))
            .min_by_key(|&(at, sign, _)| (at, usize::MAX - sign.len()))
            .ok_or_else(|| Wrong {
                message: "a threshold is METRIC OP LIMIT, such as rtt.p99<250ms".into(),
                at: text.len(),
            })?;
        let metric =
            Metric::parse(text[..at].trim()).map_err(|message| Wrong { message, at: 0 })?;
        let rest = &text[at + sign.len()..];
        let (limit, aborts) = match rest.trim_end().strip_suffix('!') {
            Some(limit) => (limit, true),
            None => (rest, false),
        };
        let blanks = limit.len() - limit.trim_start().len();
        let limit = metric.unit().parse(limit.trim()).map_err(|message| Wrong {
            message,
            at: at + sign.len() + blanks,
        })?;
        Ok(Self {
            text: text.split_whitespace().collect(),
            metric,
            comparison,
            limit,
            aborts,
        })
    }

    /// Whether a run with such steps measures it; `None` is one without a script.
    ///
    /// # Errors
    /// What there is instead.
    pub fn check(&self, steps: Option<&[Step]>) -> Result<(), Wrong> {
        let name = self.metric.to_string();
        let wrong = |message| Err(Wrong { message, at: 0 });
        let Some(steps) = steps else {
            return match OF_SCRIPTS.iter().any(|prefix| name.starts_with(prefix)) {
                true => wrong(format!("only a --script has {name}")),
                false => Ok(()),
            };
        };
        match &self.metric {
            Metric::Step(wanted, _) if steps.iter().all(|step| step.name != *wanted) => {
                let there: Vec<String> = steps.iter().map(|step| step.name.clone()).collect();
                wrong(format!(
                    "the script has no step \"{wanted}\"; they are named by their lines: {}",
                    there.join(", ")
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether a run measures it, apart from what only a script has.
    ///
    /// # Errors
    /// What would.
    pub fn check_flags(&self, fanout: bool, storm: bool) -> Result<(), Wrong> {
        let name = self.metric.to_string();
        let flags = [
            (&OF_FANOUT[..], "--mode fanout", fanout),
            (&OF_STORMS[..], "--storm", storm),
        ];
        let wrong = flags.iter().find(|(prefixes, _, given)| {
            !given && prefixes.iter().any(|prefix| name.starts_with(prefix))
        });
        match wrong {
            None => Ok(()),
            Some((_, flag, _)) => Err(Wrong {
                message: format!("only {flag} measures {name}"),
                at: 0,
            }),
        }
    }

    /// The limit as it was asked for.
    pub fn asked(&self) -> &str {
        let at = self.text.rfind(['<', '>', '=']).map_or(0, |at| at + 1);
        self.text[at..].trim_end_matches('!')
    }

    /// How many samples there were, and how many a percentile so far up takes, where there are fewer:
    /// there must be one beyond it.
    pub fn few_samples(&self, measured: &Measured<'_>) -> Option<(u64, u64)> {
        let (percentile, count) = self.metric.percentile(measured)?;
        // Up to here they are shown whatever they are made of.
        if percentile <= 99.0 || percentile >= 100.0 {
            return None;
        }
        let least = (100.0 / (100.0 - percentile)).round() as u64;
        (count > 0 && count < least).then_some((count, least))
    }

    /// Whether it holds, and the value it was judged by; `None` where nothing was measured.
    pub fn judge(&self, measured: &Measured<'_>) -> (bool, Option<f64>) {
        let value = self.metric.value(measured);
        (
            value.is_some_and(|value| self.comparison.holds(value, self.limit)),
            value,
        )
    }
}

impl Comparison {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
            Self::Greater => value > limit,
            Self::AtLeast => value >= limit,
            Self::Equal => value == limit,
        }
    }

    pub const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::Latency;
    use super::*;
    use crate::transcript::outcome::StepKind;

    fn measured(figures: &Figures) -> Measured<'_> {
        Measured {
            figures,
            steps: &[],
            open: 10,
            time: Duration::from_secs(10),
            opening: Duration::from_secs(2),
        }
    }

    fn judge(text: &str, figures: &Figures) -> (bool, Option<f64>) {
        Threshold::parse(text).unwrap().judge(&measured(figures))
    }

    #[test]
    fn thresholds_are_judged_in_their_unit() {
        let mut figures = Figures::default();
        for millis in 1..=100 {
            figures.record(Latency::Rtt, Duration::from_millis(millis));
        }
        figures.messages.sent = 100;
        figures.messages.unanswered = 1;
        figures.connections.attempted = 100;
        let rows = [
            ("rtt.p50<51ms", true),
            ("rtt.p50 < 10ms", false),
            ("rtt.p99.9 >= 99ms!", true),
            ("rtt.p99_9>=0.2s", false),
            ("rtt.count==100", true),
            ("errors.rate<=0.5%", true),
            ("errors.rate<0.005", false),
            ("messages.rate>=10/s", true),
            ("connections.open>=1k", false),
        ];
        for (text, holds) in rows {
            assert_eq!(judge(text, &figures).0, holds, "{text}");
        }
        assert!(Threshold::parse("rtt.max<1s!").unwrap().aborts);
    }

    #[test]
    fn a_percentile_takes_samples_and_a_limit_stays_as_it_was_typed() {
        let mut figures = Figures::default();
        let few = |text: &str, figures: &Figures| {
            Threshold::parse(text)
                .unwrap()
                .few_samples(&measured(figures))
        };
        assert_eq!(few("rtt.p99.9<10ms", &figures), None);
        for _ in 0..50 {
            figures.record(Latency::Rtt, Duration::from_millis(1));
        }
        assert_eq!(few("rtt.p99.9<10ms", &figures), Some((50, 1_000)));
        assert_eq!(few("rtt.p99_99<10ms", &figures), Some((50, 10_000)));
        for text in [
            "rtt.p99<10ms",
            "rtt.max<10ms",
            "rtt.p100<10ms",
            "rtt.count>1",
        ] {
            assert_eq!(few(text, &figures), None, "{text}");
        }
        for (text, asked) in [
            ("errors.rate < 0.0001%", "0.0001%"),
            ("rtt.p99_9<=10ms!", "10ms"),
            ("errors.count=0", "0"),
        ] {
            assert_eq!(Threshold::parse(text).unwrap().asked(), asked);
        }
    }

    #[test]
    fn a_value_has_the_digits_that_tell_it_from_its_limit() {
        for (unit, value, limit, shown) in [
            (Unit::Share, 0.000_4, 0.000_001, "0.04%"),
            (Unit::Share, 0.000_204, 0.000_2, "0.0204%"),
            (Unit::Share, 0.000_2, 0.000_2, "0.02%"),
            (Unit::Share, 0.000_21, 0.000_21, "0.021%"),
            (Unit::Rate, 999.97, 1_000.0, "999.97/s"),
            (Unit::Rate, 1_000.0, 1_000.0, "1000.0/s"),
            (Unit::Time, 50_040.0, 50_000.0, "0.05004s"),
            (Unit::Time, 51_040.0, 50_000.0, "51ms"),
            (Unit::Count, 3.0, 2.0, "3"),
        ] {
            assert_eq!(unit.show_beside(value, limit), shown);
        }
    }

    #[test]
    fn what_was_not_measured_does_not_hold() {
        assert_eq!(judge("ping.p99<1s", &Figures::default()), (false, None));
        assert_eq!(
            judge("ping.count==0", &Figures::default()),
            (true, Some(0.0))
        );
    }

    #[test]
    fn steps_of_a_script_are_judged_by_their_names() {
        let step = |name: &str, kind| Step {
            name: name.into(),
            text: String::new(),
            kind,
        };
        let steps = [step("1", StepKind::Send), step("a.wst:2", StepKind::Expect)];
        let mut figures = Figures::default();
        for took in 1..=4 {
            figures.step(0).ended(true, None);
            let held = took < 4;
            let took = Duration::from_millis(took);
            figures.step(1).ended(held, held.then_some(took));
        }
        let measured = Measured {
            steps: &steps,
            ..measured(&figures)
        };
        let judge = |text: &str| Threshold::parse(text).unwrap().judge(&measured);
        assert!(judge("step.a.wst:2.p99.9<4ms").0);
        assert_eq!(judge("step.a.wst:2.count==3").1, Some(3.0));
        assert_eq!(judge("step.1.p50<1s"), (false, None));
        // A send is no check.
        assert_eq!(judge("checks.rate>=75%"), (true, Some(0.75)));
        let check = |text: &str, steps| Threshold::parse(text).unwrap().check(steps);
        assert_eq!(check("step.1.p50<1s", Some(&steps[..])), Ok(()));
        let unknown = check("step.3.p50<1s", Some(&steps[..])).unwrap_err();
        assert!(unknown.message.contains("1, a.wst:2"), "{unknown:?}");
        for text in ["step.1.p50<1s", "checks.rate>0", "iterations.failed==0"] {
            assert!(check(text, None).is_err(), "{text}");
        }
        assert_eq!(check("rtt.p50<1s", None), Ok(()));
    }

    #[test]
    fn mistakes_are_pointed_at() {
        let wrong = |text: &str| Threshold::parse(text).unwrap_err().show(text);
        assert!(
            wrong("rtt.p99").ends_with("\n  rtt.p99\n         ^"),
            "{}",
            wrong("rtt.p99")
        );
        assert!(
            wrong("rtt.p99 < fast").ends_with("\n            ^"),
            "{}",
            wrong("rtt.p99 < fast")
        );
        let unknown = wrong("rt.p99<1s");
        assert!(
            unknown.contains("no metric \"rt.p99\" (did you mean rtt.p99?)")
                && unknown.lines().count() == 3,
            "{unknown}"
        );
        assert!(Threshold::parse("rtt.p101<1s").is_err());
    }
}
