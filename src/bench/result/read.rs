//! A result is read again. What a newer version has added is ignored; what an older one did not have yet
//! has its default, so that every `v1` stays readable.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::{BenchResult, SCHEMA};

/// Why bytes are no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// With the parser's words, which say where.
    NotJson(String),
    /// JSON of something else.
    NotAResult,
    /// The schema of a version to come.
    Newer(String),
    /// It says that it is one, but something is missing or wrong.
    Broken(String),
}

/// What every version says of itself.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    schema: Value,
}

/// The part of [`SCHEMA`] that all versions share.
const KIND: &str = "bench-result.v";

/// Reads the JSON of a result.
///
/// # Errors
/// [`Unreadable`].
pub fn read(bytes: &[u8]) -> Result<BenchResult, Unreadable> {
    let head: Head = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            Unreadable::NotAResult
        } else {
            Unreadable::NotJson(error.to_string())
        }
    })?;
    let schema = head.schema.as_str().unwrap_or_default();
    match schema.strip_prefix(KIND).map(str::parse::<u32>) {
        _ if schema == SCHEMA => {}
        Some(Ok(version)) if version > 1 => return Err(Unreadable::Newer(schema.to_owned())),
        _ => return Err(Unreadable::NotAResult),
    }
    serde_json::from_slice(bytes).map_err(|error| Unreadable::Broken(error.to_string()))
}

impl fmt::Display for Unreadable {
    /// What follows the name of a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(why) => write!(f, "is not JSON: {why}"),
            Self::NotAResult => write!(f, "is not a result of bench: its schema is not {SCHEMA}"),
            Self::Newer(schema) => write!(f, "is a {schema}, and this version reads {SCHEMA}"),
            Self::Broken(why) => write!(f, "is not a whole result of bench: {why}"),
        }
    }
}

impl Unreadable {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Newer(_) => {
                "a newer version of wscope has written it, and can read it".to_owned()
            }
            _ => "bench URL --report json=FILE writes a result".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A result as the first version wrote it. It is never written anew.
    const FIRST: &str = include_str!("../../../tests/cases/bench/first.v1.json");

    #[test]
    fn the_first_version_stays_readable() {
        let result = read(FIRST.as_bytes()).unwrap();
        assert_eq!(result.messages.sent, 400);
        let samples = result.latency.rtt.hdr.decoded().unwrap();
        assert_eq!(samples.len(), 400);
        // And what is written of it is read as the same.
        let again = serde_json::to_vec(&result).unwrap();
        assert_eq!(read(&again), Ok(result));
    }

    #[test]
    fn what_a_newer_one_adds_is_ignored() {
        let mut newer: Value = serde_json::from_str(FIRST).unwrap();
        newer["surprise"] = Value::from(1);
        newer["latency"]["rtt"]["p42"] = Value::from(1);
        newer["series"]["surprise"] = Value::from("x");
        let read_one = read(newer.to_string().as_bytes()).unwrap();
        assert_eq!(read_one, read(FIRST.as_bytes()).unwrap());
    }

    #[test]
    fn what_is_no_result_is_told_apart() {
        let wrong = |text: &str| read(text.as_bytes()).unwrap_err();
        for text in ["", "{", "hello", "{\"schema\": \"bench-result.v1\""] {
            assert!(matches!(wrong(text), Unreadable::NotJson(_)), "{text}");
        }
        for text in [
            "[1]",
            "3",
            "{}",
            r#"{"schema": "bench-result.v0"}"#,
            r#"{"schema": "bench-result.vx"}"#,
            r#"{"schema": 7}"#,
        ] {
            assert_eq!(wrong(text), Unreadable::NotAResult, "{text}");
        }
        let newer = wrong(r#"{"schema": "bench-result.v2"}"#);
        assert_eq!(newer, Unreadable::Newer("bench-result.v2".into()));
        assert!(
            newer
                .to_string()
                .contains("this version reads bench-result.v1")
        );
        let broken = wrong(r#"{"schema": "bench-result.v1"}"#);
        assert!(broken.to_string().contains("missing field"), "{broken}");
    }
}
