//! The values that `{{names}}` stand for: given from outside, set and captured by the transcript,
//! or built in.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value as Json;

use super::template::Placeholder;
use crate::model::secret::known::{Known, Named};

/// The value of a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Typed by someone, or found in a text. In JSON it is the JSON that it spells, or else a
    /// string.
    Text(String),
    /// Captured from JSON: it stays what it is.
    Json(Json),
}

impl Value {
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) | Self::Json(Json::String(text)) => Cow::Borrowed(text),
            Self::Json(json) => Cow::Owned(json.to_string()),
        }
    }

    pub fn to_json(&self) -> Json {
        match self {
            Self::Json(json) => json.clone(),
            Self::Text(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()))
            }
        }
    }

    /// How long its text is, in bytes.
    fn size(&self) -> usize {
        self.to_text().len()
    }

    /// Whether a JSON value is this: a text is the string of its letters, and what they spell.
    pub fn is(&self, json: &Json) -> bool {
        match self {
            Self::Text(text) if json.as_str() == Some(text) => true,
            _ => super::json::equal(&self.to_json(), json),
        }
    }
}

/// What a transcript gets from outside.
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub variables: HashMap<String, String>,
    /// By the name without `secret_`.
    pub secrets: Known,
    /// What is not shown either, though no name stands for it: the token of `--bearer`.
    pub hidden: Vec<Named>,
}

impl Given {
    /// The same and these secrets; what is here already counts where both have a name.
    ///
    /// # Errors
    /// All of them together are too long to be looked for.
    pub fn with(&self, secrets: Vec<Named>) -> Result<Self, String> {
        let given = self.secrets.values().iter().cloned();
        Ok(Self {
            variables: self.variables.clone(),
            secrets: Known::new(secrets.into_iter().chain(given))?,
            hidden: self.hidden.clone(),
        })
    }

    /// All that is looked for in what is shown.
    fn never_shown(&self) -> Known {
        if self.hidden.is_empty() {
            return self.secrets.clone();
        }
        let all = self.secrets.values().iter().chain(&self.hidden).cloned();
        // What is hidden is bounded, so that only the secrets can be too long: those are not.
        Known::new(all).unwrap_or_else(|_| self.secrets.clone())
    }

    /// The names as a transcript writes them.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let secrets = self.secrets.values().iter();
        let secrets = secrets.map(|secret| format!("secret_{}", secret.name));
        self.variables.keys().cloned().chain(secrets)
    }
}

/// Why a text cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfilled {
    /// A name that stands for nothing.
    Unknown(String),
    /// What is larger than its bound, in a sentence.
    Large(&'static str),
}

impl fmt::Display for Unfilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "{{{{{name}}}}} has no value"),
            Self::Large(why) => f.write_str(why),
        }
    }
}

/// The largest value that a transcript keeps, and all of them together, in bytes.
pub(super) const MAX_VALUE: usize = 1 << 20;
const MAX_VALUES: usize = 64 << 20;
pub(super) const LARGE_VALUE: &str = "this value is larger than 1 MiB";

/// All values of one run of one file.
#[derive(Debug, Clone)]
pub struct Variables {
    values: HashMap<String, Value>,
    /// The size of all of them.
    size: usize,
    /// The names whose values came from outside.
    given: HashSet<String>,
    /// What must never be shown.
    secrets: Known,
    sequence: u64,
    random: SmallRng,
    /// The wall clock when the run began, and how long ago that is.
    began: SystemTime,
    elapsed: Duration,
}

impl Variables {
    /// `seed` makes what is random, `began` is the wall clock now.
    pub fn new(given: &Given, seed: u64, began: SystemTime) -> Self {
        let text = |(name, value): (&String, &String)| (name.clone(), Value::Text(value.clone()));
        let mut values: HashMap<String, Value> = given.variables.iter().map(text).collect();
        for secret in given.secrets.values() {
            let value = Value::Text(secret.value.reveal().clone());
            values.insert(format!("secret_{}", secret.name), value);
        }
        Self {
            size: values.values().map(Value::size).sum(),
            values,
            given: given.variables.keys().cloned().collect(),
            secrets: given.never_shown(),
            sequence: 0,
            random: SmallRng::seed_from_u64(seed),
            began,
            elapsed: Duration::ZERO,
        }
    }

    /// Tells how long the run has gone on.
    pub fn set_elapsed(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
    }

    /// A value that was found in what came.
    ///
    /// # Errors
    /// [`Unfilled::Large`]: the value, or all of them together.
    pub fn set(&mut self, name: impl Into<String>, value: Value) -> Result<(), Unfilled> {
        let name = name.into();
        self.given.remove(&name);
        self.keep(name, value)
    }

    /// A value that the transcript says: one that was given from outside goes before it.
    ///
    /// # Errors
    /// As of [`Variables::set`].
    pub fn set_unless_given(&mut self, name: &str, value: Value) -> Result<(), Unfilled> {
        if self.given.contains(name) {
            return Ok(());
        }
        self.keep(name.to_owned(), value)
    }

    fn keep(&mut self, name: String, value: Value) -> Result<(), Unfilled> {
        let size = value.size();
        if size > MAX_VALUE {
            return Err(Unfilled::Large(LARGE_VALUE));
        }
        let before = self.values.get(&name).map_or(0, Value::size);
        let all = self.size - before + size;
        if all > MAX_VALUES {
            return Err(Unfilled::Large(
                "all values together are larger than 64 MiB",
            ));
        }
        self.size = all;
        self.values.insert(name, value);
        Ok(())
    }

    /// What a placeholder stands for now. `{{*}}` and `{{x:=}}` stand for nothing of their own.
    ///
    /// # Errors
    /// A name without a value.
    pub fn value(&mut self, placeholder: &Placeholder) -> Result<Value, Unfilled> {
        Ok(match placeholder {
            Placeholder::Variable(name) => {
                let value = self.values.get(name);
                return value
                    .cloned()
                    .ok_or_else(|| Unfilled::Unknown(name.clone()));
            }
            Placeholder::Uuid => Value::Text(uuid(self.random.random())),
            Placeholder::Now => Value::Text(self.now()),
            Placeholder::Seq => {
                self.sequence += 1;
                Value::Json(self.sequence.into())
            }
            Placeholder::Random(low, high) => {
                Value::Json(self.random.random_range(*low..=*high).into())
            }
            Placeholder::Anything => return Err(Unfilled::Unknown("*".into())),
            Placeholder::Bind(name) => return Err(Unfilled::Unknown(name.clone())),
        })
    }

    /// RFC 3339 in UTC with milliseconds.
    fn now(&self) -> String {
        // Only a clock beyond the year 9999 is no timestamp.
        let now = Timestamp::try_from(self.began + self.elapsed).unwrap_or_default();
        format!("{now:.3}")
    }

    /// What no excerpt may have in it.
    pub const fn secrets(&self) -> &Known {
        &self.secrets
    }

    /// The text without the secrets that are in it.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.secrets.redacted(text)
    }

    /// Nothing given, and the same chance and time in every test.
    #[cfg(test)]
    pub fn fixed() -> Self {
        Self::new(&Given::default(), 1, SystemTime::UNIX_EPOCH)
    }
}

/// A random UUID (RFC 9562, section 5.4) from 128 random bits.
fn uuid(bits: u128) -> String {
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let groups = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::secret::Secret;

    #[test]
    fn built_in_values_are_made_anew_each_time() {
        let mut variables = Variables::fixed();
        variables.set_elapsed(Duration::from_millis(1500));
        let mut text = |placeholder| {
            variables
                .value(&placeholder)
                .unwrap()
                .to_text()
                .into_owned()
        };
        assert_eq!(
            (text(Placeholder::Seq), text(Placeholder::Seq)),
            ("1".into(), "2".into())
        );
        assert_eq!(text(Placeholder::Now), "1970-01-01T00:00:01.500Z");
        let (one, two) = (text(Placeholder::Uuid), text(Placeholder::Uuid));
        assert_ne!(one, two);
        assert!(
            one.len() == 36 && &one[14..15] == "4" && "89ab".contains(&one[19..20]),
            "{one}"
        );
        for _ in 0..100 {
            let number: i64 = text(Placeholder::Random(-1, 1)).parse().unwrap();
            assert!((-1..=1).contains(&number));
        }
        assert_eq!(text(Placeholder::Random(5, 5)), "5");
    }

    #[test]
    fn values_are_bounded_alone_and_together() {
        let mut variables = Variables::fixed();
        let text = |size| Value::Text("x".repeat(size));
        assert!(variables.set("a", text(MAX_VALUE + 1)).is_err());
        for _ in 0..2 {
            for name in 0..64 {
                variables.set(name.to_string(), text(MAX_VALUE)).unwrap();
            }
        }
        assert!(variables.set("a", text(1)).is_err());
        variables.set("0", text(1)).unwrap();
        variables.set("a", text(1)).unwrap();
    }

    #[test]
    fn a_text_is_a_string_and_what_it_spells() {
        let text = Value::Text("5".into());
        assert!(text.is(&json!(5)) && text.is(&json!("5")) && !text.is(&json!(6)));
        let number = Value::Json(json!(5));
        assert!(number.is(&json!(5)) && !number.is(&json!("5")) && number.is(&json!(5.0)));
    }

    #[test]
    fn secrets_are_shown_nowhere() {
        let token = Named::declared("token".to_owned(), Secret::new("a\"b".to_owned()));
        let given = Given {
            secrets: Known::new([token]).unwrap(),
            ..Given::default()
        };
        let mut variables = Variables::new(&given, 1, SystemTime::UNIX_EPOCH);
        let name = Placeholder::Variable("secret_token".into());
        assert_eq!(variables.value(&name).unwrap().to_text(), "a\"b");
        assert_eq!(
            variables.redact(r#"x a"b {"t":"a\"b"}"#),
            r#"x *** {"t":"***"}"#
        );
        assert_eq!(
            variables.value(&Placeholder::Variable("x".into())),
            Err(Unfilled::Unknown("x".into()))
        );
    }
}
