//! `--expect`: what clients have to have done by the end, such as `connections>=3`. Pure.

use std::fmt;
use std::str::FromStr;

use crate::text::nearest::did_you_mean;

/// What a server has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Connections that were opened.
    pub connections: u64,
    /// Messages.
    pub received: u64,
    pub sent: u64,
}

type Figure = fn(&Figures) -> u64;
type Holds = fn(u64, u64) -> bool;

/// What can be expected of.
const NAMES: [(&str, Figure); 3] = [
    ("connections", |figures| figures.connections),
    ("received", |figures| figures.received),
    ("sent", |figures| figures.sent),
];

/// Longer ones first, for they begin with shorter ones.
const OPERATORS: [(&str, Holds); 6] = [
    (">=", |found, wanted| found >= wanted),
    ("<=", |found, wanted| found <= wanted),
    ("==", |found, wanted| found == wanted),
    (">", |found, wanted| found > wanted),
    ("<", |found, wanted| found < wanted),
    ("=", |found, wanted| found == wanted),
];

/// One expectation.
#[derive(Debug, Clone)]
pub struct Expectation {
    name: &'static str,
    figure: Figure,
    operator: &'static str,
    holds: Holds,
    wanted: u64,
}

impl Expectation {
    /// What is wrong, where it does not hold: a sentence.
    pub fn unmet(&self, figures: &Figures) -> Option<String> {
        let found = (self.figure)(figures);
        let is_met = (self.holds)(found, self.wanted);
        (!is_met).then(|| format!("expected {self}, but {} is {found}", self.name))
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.name, self.operator, self.wanted)
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = NAMES.map(|(name, _)| name).join(", ");
        let word = text.trim_start();
        let word = word.split(|c: char| !c.is_ascii_alphabetic()).next();
        let wrong = || {
            let meant = did_you_mean(word.unwrap_or_default(), NAMES.map(|(name, _)| name));
            format!(
                "\"{text}\" is no expectation: it takes one of {names}, then >=, <=, =, > or <, then a number{meant}"
            )
        };
        let (name, figure) = NAMES
            .into_iter()
            .find(|(name, _)| text.trim_start().starts_with(name))
            .ok_or_else(wrong)?;
        let rest = text.trim_start()[name.len()..].trim_start();
        let (operator, holds) = OPERATORS
            .into_iter()
            .find(|(operator, _)| rest.starts_with(operator))
            .ok_or_else(wrong)?;
        let wanted = rest[operator.len()..].trim().parse().map_err(|_| wrong())?;
        Ok(Self {
            name,
            figure,
            operator,
            holds,
            wanted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_held_against_figures() {
        let figures = Figures {
            connections: 3,
            received: 10,
            sent: 0,
        };
        for (text, is_met) in [
            ("connections>=3", true),
            ("connections > 3", false),
            ("received=10", true),
            (" received == 11", false),
            ("sent<1", true),
            ("sent<=0", true),
        ] {
            let expectation: Expectation = text.parse().unwrap();
            assert_eq!(expectation.unmet(&figures).is_none(), is_met, "{text}");
        }
        let unmet = "connections>=4"
            .parse::<Expectation>()
            .unwrap()
            .unmet(&figures);
        assert_eq!(
            unmet.unwrap(),
            "expected connections>=4, but connections is 3"
        );
        for text in [
            "",
            "clients>1",
            "connections",
            "connections>=",
            "connections>=x",
            "sent!1",
            "sent>-1",
        ] {
            assert!(text.parse::<Expectation>().is_err(), "{text}");
        }
    }
}
