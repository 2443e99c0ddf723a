//! JSON that is expected: values with placeholders, held against values that came.
//!
//! A bare `{{x}}` in an expected JSON means the same as a string that is only `{{x}}`: so a pattern
//! is a JSON value whose strings are templates.

use std::ops::Range;

use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::excerpt::{around, beginning};
use super::matcher::first_difference;
use super::template::{Fault, Filling, NULL, Piece, Placeholder, Template, feed};
use super::variables::{self, Unfilled, Variables};
use crate::text::json::scan::Scanner;

/// At the end of an expected array: more elements may follow.
pub(super) const MORE: &str = "...";
/// The most that is shown of a value, in characters.
const SHOWN: usize = 60;

/// What JSON is expected.
#[derive(Debug, Clone)]
pub struct Pattern {
    value: Value,
    /// Members and elements that are not named are allowed.
    partial: bool,
}

/// The first difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// RFC 6901.
    pub pointer: String,
    pub expected: String,
    pub got: String,
}

/// The values that `{{x:=}}` found.
pub type Bound = Vec<(String, variables::Value)>;

impl Pattern {
    /// Understands what is written; `partial` for `/json`, else for `/exactly`.
    ///
    /// # Errors
    /// It is not JSON with placeholders.
    pub fn parse(raw: &str, partial: bool) -> Result<Self, Fault> {
        let template = Template::parse(raw)?;
        template.check_json()?;
        let quoted = Quoted::new(raw, &template);
        let value = serde_json::from_str(&quoted.text)
            .map_err(|error| Fault::new(0..raw.len(), format!("this is not JSON: {error}")))?;
        check(&value).map_err(|message| Fault::new(0..raw.len(), message))?;
        Ok(Self { value, partial })
    }

    /// Holds a value against it.
    ///
    /// # Errors
    /// The first difference, in the order of what is expected.
    pub fn hold(
        &self,
        got: &Value,
        variables: &mut Variables,
    ) -> Result<Result<Bound, Difference>, Unfilled> {
        let mut comparison = Comparison {
            partial: self.partial,
            variables,
            pointer: String::new(),
            bound: Vec::new(),
        };
        let difference = comparison.value(&self.value, got)?;
        Ok(match difference {
            None => Ok(comparison.bound),
            Some(difference) => Err(difference),
        })
    }

    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The names that `{{x:=}}` gives values.
    pub fn binds(&self) -> Vec<String> {
        let mut names = Vec::new();
        each_string(&self.value, &mut |text| {
            if let Some(Placeholder::Bind(name)) = template(text).whole() {
                names.push(name.clone());
            }
        });
        names
    }
}

/// Numbers are equal where they mean the same, however they are written.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
}

/// A pointer with one more token.
pub fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}

/// Where the member or element that a pointer leads to is written: the name of a member, the
/// element itself; the last one on the way where there is none such.
pub fn locate(raw: &str, pointer: &str) -> usize {
    follow(raw, pointer).map_or(0, |found| found.start)
}

/// Where the value that a pointer leads to is written.
pub fn value_range(raw: &str, pointer: &str) -> Option<Range<usize>> {
    follow(raw, pointer)
        .filter(|found| found.whole)
        .map(|found| found.value)
}

/// How far a pointer leads.
struct Found {
    start: usize,
    value: Range<usize>,
    /// To its end.
    whole: bool,
}

fn follow(raw: &str, pointer: &str) -> Option<Found> {
    let quoted = Quoted::new(raw, &Template::parse(raw).ok()?);
    let mut value: &RawValue = serde_json::from_str(&quoted.text).ok()?;
    let start = |part: &str| part.as_ptr() as usize - quoted.text.as_ptr() as usize;
    let mut at = start(value.get());
    let mut whole = true;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let inner = match value.get().as_bytes().first() {
            Some(b'[') => element(value, &token).map(|value| (start(value.get()), value)),
            Some(b'{') => member(value, &token).map(|(key, value)| (start(key.get()), value)),
            _ => None,
        };
        let Some((place, inner)) = inner else {
            whole = false;
            break;
        };
        (at, value) = (place, inner);
    }
    let (begin, length) = (start(value.get()), value.get().len());
    Some(Found {
        start: quoted.origin(at),
        value: quoted.origin(begin)..quoted.origin(begin + length),
        whole,
    })
}

fn element<'v>(array: &'v RawValue, token: &str) -> Option<&'v RawValue> {
    let elements: Vec<&RawValue> = serde_json::from_str(array.get()).ok()?;
    elements.get(token.parse::<usize>().ok()?).copied()
}

/// The name and the value of a member; of the last one, where there are several.
fn member<'v>(object: &'v RawValue, name: &str) -> Option<(&'v RawValue, &'v RawValue)> {
    let members: Members<'v> = serde_json::from_str(object.get()).ok()?;
    let is_it = |(key, _): &&(&RawValue, &RawValue)| {
        serde_json::from_str::<String>(key.get()).is_ok_and(|key| key == name)
    };
    members.0.iter().rev().find(is_it).copied()
}

/// The members of an object as they are written.
struct Members<'v>(Vec<(&'v RawValue, &'v RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// A JSON text whose bare placeholders were put into quotes.
struct Quoted {
    text: String,
    /// Where quotes were put in, in bytes of `text`.
    quotes: Vec<usize>,
}

impl Quoted {
    fn new(raw: &str, template: &Template) -> Self {
        let mut text = String::with_capacity(raw.len() + 8);
        let mut quotes = Vec::new();
        let mut scanner = Scanner::new();
        for part in &template.parts {
            let written = &raw[part.at.clone()];
            match &part.what {
                Piece::Placeholder(_) if !scanner.is_in_string() => {
                    quotes.extend([text.len(), text.len() + 1 + written.len()]);
                    text.push('"');
                    text.push_str(written);
                    text.push('"');
                    feed(&mut scanner, NULL);
                }
                Piece::Placeholder(_) => text.push_str(written),
                Piece::Literal(literal) => {
                    text.push_str(written);
                    feed(&mut scanner, literal);
                }
            }
        }
        Self { text, quotes }
    }

    fn origin(&self, at: usize) -> usize {
        at - self.quotes.iter().filter(|quote| **quote < at).count()
    }
}

/// What cannot be known from the text alone: where wildcards stand.
fn check(value: &Value) -> Result<(), String> {
    let mut wrong = Ok(());
    each_string(value, &mut |text| {
        let template = template(text);
        let wild = |placeholder: &Placeholder| {
            matches!(placeholder, Placeholder::Anything | Placeholder::Bind(_))
        };
        if template.whole().is_none() && template.placeholders().any(|(one, _)| wild(one)) {
            wrong = Err(format!(
                "{{{{*}}}} and {{{{x:=}}}} stand for a whole value, not for a part of \"{text}\""
            ));
        }
    });
    wrong
}

fn each_string(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| each_string(item, each)),
        Value::Object(members) => members
            .values()
            .for_each(|member| each_string(member, each)),
        _ => {}
    }
}

/// A string of a pattern. What could be wrong with it was found in the text around it; escapes of
/// JSON can spell a brace, which then is one.
fn template(text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|_| Template::of_literal(text))
}

struct Comparison<'a> {
    partial: bool,
    variables: &'a mut Variables,
    pointer: String,
    bound: Bound,
}

impl Comparison<'_> {
    fn value(&mut self, expected: &Value, got: &Value) -> Result<Option<Difference>, Unfilled> {
        match (expected, got) {
            (Value::String(text), _) => self.string(text, got),
            (Value::Array(expected), Value::Array(got)) => self.array(expected, got),
            (Value::Object(expected), Value::Object(got)) => self.object(expected, got),
            _ if equal(expected, got) => Ok(None),
            _ => {
                let expected = self.words(expected)?;
                Ok(self.differs(expected, got))
            }
        }
    }

    fn string(&mut self, text: &str, got: &Value) -> Result<Option<Difference>, Unfilled> {
        let template = template(text);
        let mut wanted = None;
        let holds = match template.whole() {
            Some(Placeholder::Anything) => true,
            Some(Placeholder::Bind(name)) => {
                self.bound
                    .push((name.clone(), variables::Value::Json(got.clone())));
                true
            }
            Some(placeholder) => self.variables.value(placeholder)?.is(got),
            None => {
                let rendered = template.render(Filling::Plain, self.variables)?.text;
                let is_it = got.as_str() == Some(&rendered);
                wanted = Some(rendered);
                is_it
            }
        };
        if holds {
            return Ok(None);
        }
        if let (Some(wanted), Some(came)) = (wanted, got.as_str())
            && (wanted.chars().count() > SHOWN || came.chars().count() > SHOWN)
        {
            // What is cut off has to be what is the same.
            let first = first_difference(&wanted, came);
            return Ok(Some(Difference {
                pointer: self.pointer.clone(),
                expected: around(&wanted, first, self.variables.secrets()),
                got: around(came, first, self.variables.secrets()),
            }));
        }
        let expected = self.words(&Value::String(text.into()))?;
        Ok(self.differs(expected, got))
    }

    fn array(&mut self, expected: &[Value], got: &[Value]) -> Result<Option<Difference>, Unfilled> {
        let (expected, more) = match expected {
            [first @ .., Value::String(last)] if self.partial && last == MORE => (first, true),
            all => (all, false),
        };
        for (index, one) in expected.iter().enumerate() {
            let Some(came) = got.get(index) else {
                return self.inside(&index.to_string(), |this| {
                    this.missing(one, "no such element")
                });
            };
            let difference = self.inside(&index.to_string(), |this| this.value(one, came))?;
            if difference.is_some() {
                return Ok(difference);
            }
        }
        if more || got.len() == expected.len() {
            return Ok(None);
        }
        Ok(Some(Difference {
            pointer: self.pointer.clone(),
            expected: elements(expected.len()),
            got: elements(got.len()),
        }))
    }

    fn object(
        &mut self,
        expected: &Map<String, Value>,
        got: &Map<String, Value>,
    ) -> Result<Option<Difference>, Unfilled> {
        for (name, one) in expected {
            let name = template(name).render(Filling::Plain, self.variables)?.text;
            let difference = self.inside(&name, |this| match got.get(&name) {
                Some(came) => this.value(one, came),
                None => this.missing(one, "no such member"),
            })?;
            if difference.is_some() {
                return Ok(difference);
            }
        }
        if self.partial || got.len() == expected.len() {
            return Ok(None);
        }
        let more = got.iter().find(|(name, _)| !expected.contains_key(*name));
        Ok(more.map(|(name, came)| {
            let mut pointer = self.pointer.clone();
            push_token(&mut pointer, &self.variables.redact(name));
            Difference {
                pointer,
                expected: "no such member".into(),
                got: self.shown(came),
            }
        }))
    }

    /// One step down, and back.
    fn inside<T>(
        &mut self,
        token: &str,
        look: impl FnOnce(&mut Self) -> Result<T, Unfilled>,
    ) -> Result<T, Unfilled> {
        let length = self.pointer.len();
        push_token(&mut self.pointer, &self.variables.redact(token));
        let looked = look(self);
        self.pointer.truncate(length);
        looked
    }

    fn missing(&mut self, expected: &Value, got: &str) -> Result<Option<Difference>, Unfilled> {
        Ok(Some(Difference {
            pointer: self.pointer.clone(),
            expected: self.words(expected)?,
            got: got.into(),
        }))
    }

    /// An expected value in words: whoever gets something of another type needs no details.
    fn words(&mut self, expected: &Value) -> Result<String, Unfilled> {
        Ok(match expected {
            Value::Object(_) => format!("an object such as {}", self.shown(expected)),
            Value::Array(_) => format!("an array such as {}", self.shown(expected)),
            Value::String(text) => {
                let template = template(text);
                match template.whole() {
                    Some(Placeholder::Anything | Placeholder::Bind(_)) => "a value".into(),
                    Some(placeholder) => {
                        let value = self.variables.value(placeholder)?.to_json();
                        self.shown(&value)
                    }
                    None => {
                        let rendered = template.render(Filling::Plain, self.variables)?.text;
                        self.shown(&Value::String(rendered))
                    }
                }
            }
            _ => self.shown(expected),
        })
    }

    /// A value on one line, shortened where it is long.
    fn shown(&self, value: &Value) -> String {
        beginning(&value.to_string(), SHOWN, self.variables.secrets())
    }

    fn differs(&self, expected: String, got: &Value) -> Option<Difference> {
        Some(Difference {
            pointer: self.pointer.clone(),
            expected,
            got: self.shown(got),
        })
    }
}

fn elements(count: usize) -> String {
    match count {
        0 => "no elements".into(),
        1 => "1 element".into(),
        _ => format!("{count} elements"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn of_long_strings_the_part_that_differs_is_shown() {
        let text = |end: &str| format!("{}{end}", "lorem ipsum ".repeat(20));
        let raw = json!({"a": text("AAA")}).to_string();
        let difference = hold(&raw, &json!({"a": text("BBB")}), true).unwrap_err();
        assert_eq!(difference.pointer, "/a");
        assert!(
            difference.expected.ends_with("ipsum AAA\"") && difference.got.ends_with("ipsum BBB\""),
            "{difference:?}"
        );
    }

    fn hold(raw: &str, got: &Value, partial: bool) -> Result<Bound, Difference> {
        let mut variables = Variables::fixed();
        variables
            .set("n", variables::Value::Json(json!(7)))
            .unwrap();
        variables
            .set("t", variables::Value::Text("a".into()))
            .unwrap();
        Pattern::parse(raw, partial)
            .unwrap()
            .hold(got, &mut variables)
            .unwrap()
    }

    #[test]
    fn what_is_named_has_to_be_there_and_more_may_be() {
        for (raw, got) in [
            (r#"{"a":1}"#, json!({"b": 2, "a": 1.0})),
            (r#"{"a":[1,"..."]}"#, json!({"a": [1, 2, 3]})),
            (r#"{"a":[1,"..."]}"#, json!({"a": [1]})),
            (
                r#"{"a":{{n}},"b":"{{n}}","c":"x{{n}}{{t}}"}"#,
                json!({"a": 7, "b": 7, "c": "x7a"}),
            ),
            (r#"{"a":"{{*}}","b":{{*}}}"#, json!({"a": [], "b": null})),
            (r#"[{"k":"{{t}}"}]"#, json!([{"k": "a", "more": 1}])),
            (r#"{"{{t}}":1}"#, json!({"a": 1})),
            ("\"{{{{\"", json!("{{")),
            ("null", json!(null)),
        ] {
            assert_eq!(hold(raw, &got, true), Ok(Vec::new()), "{raw}");
        }
    }

    #[test]
    fn the_first_difference_is_pointed_at() {
        for (raw, got, partial, pointer, expected, came) in [
            (
                r#"{"a":"x"}"#,
                json!({"a": "y"}),
                true,
                "/a",
                "\"x\"",
                "\"y\"",
            ),
            (
                r#"{"a":{"b/c":1}}"#,
                json!({"a": {}}),
                true,
                "/a/b~1c",
                "1",
                "no such member",
            ),
            (r#"[1,[2]]"#, json!([1, [3]]), true, "/1/0", "2", "3"),
            ("[1,2]", json!([1]), true, "/1", "2", "no such element"),
            ("[1]", json!([1, 2]), true, "", "1 element", "2 elements"),
            (r#"[1,"..."]"#, json!([1, 2]), false, "/1", "\"...\"", "2"),
            (
                r#"{"a":1}"#,
                json!({"a": 1, "b": [2]}),
                false,
                "/b",
                "no such member",
                "[2]",
            ),
            ("{}", json!(5), true, "", "an object such as {}", "5"),
            ("{{n}}", json!("7"), true, "", "7", "\"7\""),
            ("\"v{{n}}\"", json!(7), true, "", "\"v7\"", "7"),
            ("1", json!("1"), true, "", "1", "\"1\""),
        ] {
            let difference = Difference {
                pointer: pointer.into(),
                expected: expected.into(),
                got: came.into(),
            };
            assert_eq!(hold(raw, &got, partial), Err(difference), "{raw}");
        }
    }

    #[test]
    fn wildcards_bind_what_came() {
        let bound = hold(
            r#"{"a":"{{x:=}}","b":[{{y:=}}]}"#,
            &json!({"a": {"k": 1}, "b": [2]}),
            true,
        );
        let json = |name: &str, value| (name.to_owned(), variables::Value::Json(value));
        assert_eq!(
            bound,
            Ok(vec![json("x", json!({"k": 1})), json("y", json!(2))])
        );
        let error = Pattern::parse(r#"{"a":"id-{{*}}"}"#, true).unwrap_err();
        assert!(error.message.contains("whole value"), "{}", error.message);
    }

    #[test]
    fn a_pointer_leads_to_what_is_written() {
        let raw = r#"{ "a": {{n}}, "b/c": [1, {"k": "{{t}}"}], "d": 1 }"#;
        for (pointer, written) in [
            ("", "{ \"a\""),
            ("/a", "\"a\""),
            ("/b~1c", "\"b/c\""),
            ("/b~1c/0", "1,"),
            ("/b~1c/1/k", "\"k\""),
            ("/d", "\"d\""),
            ("/b~1c/1/none", "{\"k\""),
        ] {
            let at = locate(raw, pointer);
            assert!(raw[at..].starts_with(written), "{pointer}: {}", &raw[at..]);
        }
    }

    proptest! {
        #[test]
        fn a_value_holds_against_itself(numbers in proptest::collection::vec(any::<i32>(), 0..5), text: String) {
            let value = json!({"n": numbers, text: [1.5, null, true]});
            let raw = super::super::template::escape(&value.to_string());
            for partial in [true, false] {
                prop_assert_eq!(hold(&raw, &value, partial), Ok(Vec::new()));
            }
        }
    }
}
