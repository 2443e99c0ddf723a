//! One level of JSON: the members of an object or the elements of an array, each as the text that
//! it is, in the order in which they were sent, duplicates included.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// One level of a value.
#[derive(Debug)]
pub enum Level<'a> {
    Object(Vec<(String, &'a RawValue)>),
    Array(Vec<&'a RawValue>),
}

impl<'a> Level<'a> {
    /// `None` for what is neither object nor array, and for what is no JSON.
    pub fn of(text: &'a str) -> Option<Self> {
        // A scalar is told from its first letter: no need to parse it.
        if !text.trim_start().starts_with(['{', '[']) {
            return None;
        }
        serde_json::from_str(text).ok()
    }
}

impl<'de> Deserialize<'de> for Level<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Level<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or an array")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Level<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Level::Object(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Level<'de>, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = seq.next_element()? {
                    elements.push(element);
                }
                Ok(Level::Array(elements))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_keeps_order_duplicates_and_numbers() {
        let Some(Level::Object(members)) = Level::of(r#" {"b":1.0e+2,"a":[1 ],"b":null}"#) else {
            panic!("an object");
        };
        let texts: Vec<_> = members
            .iter()
            .map(|(name, value)| (name.as_str(), value.get()))
            .collect();
        assert_eq!(texts, [("b", "1.0e+2"), ("a", "[1 ]"), ("b", "null")]);
        assert!(matches!(Level::of("[1,2]"), Some(Level::Array(elements)) if elements.len() == 2));
        for text in ["1", "\"{\"", "{", ""] {
            assert!(Level::of(text).is_none(), "{text}");
        }
    }
}
