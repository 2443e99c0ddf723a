//! `ACTION[=ARGS][@WHEN][:KEY=VALUE]...` as text and as a value. What an action takes is not known
//! here. Printing and parsing is the identity.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use regex::bytes::Regex;

use crate::model::units::{exact_duration, parse_duration};
use crate::text::nearest::did_you_mean;
use crate::text::sanitize;

/// One fault as it was typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub action: String,
    pub args: Vec<String>,
    pub when: Option<When>,
    pub keys: Keys,
}

/// `@WHEN`
#[derive(Debug, Clone)]
pub enum When {
    /// The connection has opened.
    Open,
    /// The closing handshake begins, whoever begins it.
    Close,
    /// `3msg`: the third message, from 1.
    Message(u64),
    /// `5s`: so long after the opening.
    After(Duration),
    /// `/regex/`: each message that matches.
    Matching(Regex),
}

/// `:KEY=VALUE`
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keys {
    /// `conn=1-3`: the numbers of the attempts to open that it concerns, from 1.
    pub conn: Option<RangeInclusive<u64>>,
    /// `p=0.1`, `p=10%`: how likely it is, from 0 to 1.
    pub p: Option<f64>,
    /// `times=N`: so often at most, on all connections together.
    pub times: Option<u64>,
    /// `every=N`: every Nth time that it could be.
    pub every: Option<u64>,
    /// `path=/chat`: only connections of this path.
    pub path: Option<String>,
}

/// What is wrong with a fault, where in its text, and what to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub message: String,
    /// Byte offset.
    pub at: usize,
}

/// Where the parts of a text begin, for what is found wrong later.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    pub(super) args: Vec<usize>,
    pub(super) end_of_args: usize,
    pub(super) when: usize,
    pub(super) keys: usize,
}

/// What ends a part that is not in quotes.
const ENDS: [char; 4] = [':', '@', ',', '"'];

const KEYS: [&str; 5] = ["conn", "p", "times", "every", "path"];

impl Wrong {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at,
        }
    }

    /// The message, and the text with a caret below the place.
    pub fn show(&self, text: &str) -> String {
        let (before, after) = text.split_at_checked(self.at).unwrap_or((text, ""));
        let before = sanitize::line(before);
        let width = before.chars().count();
        let after = sanitize::line(after);
        format!("{}\n  {before}{after}\n  {:width$}^", self.message, "")
    }
}

impl Spec {
    /// # Errors
    /// [`Wrong`].
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        Self::parse_with_places(text).map(|(spec, _)| spec)
    }

    pub(super) fn parse_with_places(text: &str) -> Result<(Self, Places), Wrong> {
        let mut reader = Reader { text, at: 0 };
        let mut places = Places::default();
        let action = reader.until(|c| c == '=' || ENDS.contains(&c)).to_owned();
        if action.is_empty() {
            return Err(Wrong::new(
                0,
                "a fault begins with its action, such as close or cut",
            ));
        }
        let mut args = Vec::new();
        if reader.takes('=') {
            loop {
                places.args.push(reader.at);
                args.push(reader.part()?);
                if !reader.takes(',') {
                    break;
                }
            }
        }
        places.end_of_args = reader.at;
        let mut when = None;
        if reader.takes('@') {
            places.when = reader.at;
            when = Some(reader.when()?);
        }
        places.keys = reader.at;
        let mut keys = Keys::default();
        while reader.takes(':') {
            keys.read(&mut reader)?;
        }
        if !reader.rest().is_empty() {
            let why = "nothing may follow here but @WHEN, then :KEY=VALUE \
                       (what has : @ , or blanks in it is written in double quotes)";
            return Err(Wrong::new(reader.at, why));
        }
        let spec = Self {
            action,
            args,
            when,
            keys,
        };
        Ok((spec, places))
    }
}

impl Keys {
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Wrong> {
        let start = reader.at;
        let key = reader.until(|c| c == '=' || ENDS.contains(&c));
        if !KEYS.contains(&key) {
            let why = format!(
                "the keys are {}= (a value with a : in it is written in double quotes){}",
                KEYS.join("=, "),
                did_you_mean(key, KEYS)
            );
            return Err(Wrong::new(start, why));
        }
        if !reader.takes('=') {
            return Err(Wrong::new(
                reader.at,
                format!("{key} takes a value: {key}="),
            ));
        }
        let at = reader.at;
        let value = reader.part()?;
        let wrong = |why: &str| Wrong::new(at, why);
        let is_new = match key {
            "conn" => {
                let range = range(&value).ok_or_else(|| {
                    wrong("conn takes the number of a connection, or of several: 2, 1-3, 4-")
                })?;
                self.conn.replace(range).is_none()
            }
            "p" => {
                let p = probability(&value)
                    .ok_or_else(|| wrong("p takes a probability from 0 to 1: 0.1 or 10%"))?;
                self.p.replace(p).is_none()
            }
            "times" => {
                let times = positive(&value).ok_or_else(|| wrong("times takes a number from 1"))?;
                self.times.replace(times).is_none()
            }
            "every" => {
                let every = positive(&value).ok_or_else(|| wrong("every takes a number from 1"))?;
                self.every.replace(every).is_none()
            }
            _ => {
                if !value.starts_with('/') {
                    return Err(wrong("path takes a path, which begins with a slash"));
                }
                self.path.replace(value).is_none()
            }
        };
        if is_new {
            Ok(())
        } else {
            Err(Wrong::new(start, format!("{key} is given twice")))
        }
    }
}

fn range(text: &str) -> Option<RangeInclusive<u64>> {
    let (first, last) = match text.split_once('-') {
        None => (text, text),
        Some((first, "")) => return Some(positive(first)?..=u64::MAX),
        Some(both) => both,
    };
    let (first, last) = (positive(first)?, positive(last)?);
    (first <= last).then_some(first..=last)
}

fn positive(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| *number > 0);
    number.filter(|_| is_number)
}

fn probability(text: &str) -> Option<f64> {
    let p = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..=1.0).contains(&p).then_some(p)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let part = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.at += part.len();
        part
    }

    fn takes(&mut self, sign: char) -> bool {
        let is_there = self.rest().starts_with(sign);
        self.at += usize::from(is_there);
        is_there
    }

    /// A part as it is, up to one of [`ENDS`], or in quotes, where `""` stands for `"`.
    fn part(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        if !self.takes('"') {
            let part = self.until(|c| ENDS.contains(&c) || c.is_whitespace());
            return match part {
                "" => Err(Wrong::new(
                    start,
                    "something is expected here (nothing is \"\")",
                )),
                part => Ok(part.to_owned()),
            };
        }
        let mut part = String::new();
        loop {
            part += self.until(|c| c == '"');
            if !self.takes('"') {
                return Err(Wrong::new(start, "these quotes are never closed"));
            }
            if !self.takes('"') {
                return Ok(part);
            }
            part.push('"');
        }
    }

    fn when(&mut self) -> Result<When, Wrong> {
        let at = self.at;
        let text = self.part()?;
        When::parse(&text).map_err(|why| Wrong::new(at, why))
    }
}

impl When {
    fn parse(text: &str) -> Result<Self, String> {
        let source = text.strip_prefix('/').map(|rest| rest.strip_suffix('/'));
        match (text, source) {
            ("open", _) => return Ok(Self::Open),
            ("close", _) => return Ok(Self::Close),
            (_, Some(Some(source))) => {
                let regex = Regex::new(source).map_err(|wrong| {
                    let wrong = wrong.to_string();
                    // The crate draws the expression with a caret of its own; its last line says why.
                    let why = wrong.lines().last().unwrap_or_default();
                    let why = why.trim_start_matches("error: ");
                    format!("wrong regular expression: {why}")
                })?;
                return Ok(Self::Matching(regex));
            }
            (_, Some(None)) => return Err("this regular expression has no / at its end".to_owned()),
            (_, None) => {}
        }
        if let Some(number) = text.strip_suffix("msg").and_then(positive) {
            return Ok(Self::Message(number));
        }
        match parse_duration(text) {
            // What is printed is exact to the microsecond.
            Ok(time) => Ok(Self::After(micros(time))),
            Err(_) => Err("WHEN is open, close, 3msg, 5s or /regex/".to_owned()),
        }
    }
}

/// Without what is less than a microsecond.
pub(super) fn micros(time: Duration) -> Duration {
    let rest = time.subsec_nanos() % 1000;
    time.saturating_sub(Duration::from_nanos(rest.into()))
}

impl PartialEq for When {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Open, Self::Open) | (Self::Close, Self::Close) => true,
            (Self::Message(one), Self::Message(two)) => one == two,
            (Self::After(one), Self::After(two)) => one == two,
            (Self::Matching(one), Self::Matching(two)) => one.as_str() == two.as_str(),
            _ => false,
        }
    }
}

/// A part in quotes where it needs them.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needs = |c: char| ENDS.contains(&c) || c.is_whitespace();
        if self.0.is_empty() || self.0.contains(needs) {
            write!(f, "\"{}\"", self.0.replace('"', "\"\""))
        } else {
            f.write_str(self.0)
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Close => f.write_str("close"),
            Self::Message(number) => write!(f, "{number}msg"),
            Self::After(time) => f.write_str(&exact_duration(*time)),
            Self::Matching(regex) => Quoted(&format!("/{regex}/")).fmt(f),
        }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(conn) = &self.conn {
            match (*conn.start(), *conn.end()) {
                (first, u64::MAX) => write!(f, ":conn={first}-")?,
                (first, last) if first == last => write!(f, ":conn={first}")?,
                (first, last) => write!(f, ":conn={first}-{last}")?,
            }
        }
        if let Some(p) = self.p {
            write!(f, ":p={p}")?;
        }
        if let Some(times) = self.times {
            write!(f, ":times={times}")?;
        }
        if let Some(every) = self.every {
            write!(f, ":every={every}")?;
        }
        if let Some(path) = &self.path {
            write!(f, ":path={}", Quoted(path))?;
        }
        Ok(())
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        for (at, arg) in self.args.iter().enumerate() {
            f.write_str(if at == 0 { "=" } else { "," })?;
            Quoted(arg).fmt(f)?;
        }
        if let Some(when) = &self.when {
            write!(f, "@{when}")?;
        }
        self.keys.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn when() -> impl Strategy<Value = Option<When>> {
        let regex = prop_oneof![Just("a.*b"), Just("x:\"@,y"), Just(""), Just("a/b c\\d")];
        prop_oneof![
            Just(None),
            Just(Some(When::Open)),
            Just(Some(When::Close)),
            (1..u64::MAX).prop_map(|number| Some(When::Message(number))),
            (0..u64::from(u32::MAX))
                .prop_map(|micros| Some(When::After(Duration::from_micros(micros)))),
            regex.prop_map(|regex| Some(When::Matching(Regex::new(regex).unwrap()))),
        ]
    }

    fn keys() -> impl Strategy<Value = Keys> {
        (
            proptest::option::of((1..9_u64, 0..9_u64)),
            proptest::option::of(0.0..=1.0),
            proptest::option::of(1..u64::MAX),
            proptest::option::of(1..u64::MAX),
            proptest::option::of("/\\PC*"),
            any::<bool>(),
        )
            .prop_map(|(conn, p, times, every, path, is_open)| Keys {
                conn: conn.map(|(first, more)| match is_open {
                    true => first..=u64::MAX,
                    false => first..=first + more,
                }),
                p,
                times,
                every,
                path,
            })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_parsed_as_it_was(
            action in "[a-z0-9][a-z0-9-]{0,12}",
            args in prop::collection::vec("(?s).{0,12}", 0..3),
            when in when(),
            keys in keys(),
        ) {
            let spec = Spec { action, args, when, keys };
            let text = spec.to_string();
            prop_assert_eq!(Spec::parse(&text), Ok(spec), "{}", text);
        }

        #[test]
        fn whatever_is_typed_is_a_fault_or_has_a_place_that_is_wrong(text in "(?s)[a-z=@:,\"/0-9 é]{0,30}") {
            match Spec::parse(&text) {
                Ok(spec) => prop_assert_eq!(Spec::parse(&spec.to_string()), Ok(spec)),
                Err(wrong) => prop_assert!(wrong.show(&text).contains('^')),
            }
        }
    }

    #[test]
    fn what_is_typed_is_printed_without_needless_quotes() {
        for (typed, printed) in [
            ("cut", "cut"),
            ("close=4002@3msg", "close=4002@3msg"),
            ("close=4000,\"a, b\":p=10%", "close=4000,\"a, b\":p=0.1"),
            ("redirect=\"ws://h/\"", "redirect=\"ws://h/\""),
            ("cut@1500ms:path=/a:conn=3-", "cut@1.5s:conn=3-:path=/a"),
            ("lose@/a|b/:times=2", "lose@/a|b/:times=2"),
            ("lose@\"/\"\":/\"", "lose@\"/\"\":/\""),
        ] {
            assert_eq!(Spec::parse(typed).unwrap().to_string(), printed);
        }
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (text, at, part) in [
            ("", 0, "begins with its action"),
            ("close=", 6, "something is expected"),
            ("close=\"a", 6, "never closed"),
            ("cut@soon", 4, "WHEN is open"),
            ("cut@/a", 4, "no / at its end"),
            ("cut@/(/", 4, "wrong regular expression"),
            ("cut@0msg", 4, "WHEN is open"),
            (
                "cut:con=1",
                4,
                "the keys are conn=, p=, times=, every=, path=",
            ),
            ("cut:conn=3-1", 9, "1-3"),
            ("cut:p=2", 6, "from 0 to 1"),
            ("cut:times=0", 10, "from 1"),
            ("cut:every", 9, "every="),
            ("cut:path=a", 9, "a slash"),
            ("cut:p=1:p=1", 8, "given twice"),
            ("redirect=ws://h", 12, "the keys are"),
            ("close=1000,a b", 12, "double quotes"),
        ] {
            let wrong = Spec::parse(text).unwrap_err();
            assert_eq!(wrong.at, at, "{text}: {wrong:?}");
            assert!(wrong.message.contains(part), "{text}: {wrong:?}");
        }
        let wrong = Spec::parse("cut@soon").unwrap_err();
        assert!(wrong.show("cut@soon").ends_with("\n  cut@soon\n      ^"));
    }
}
