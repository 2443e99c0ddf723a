//! `{{placeholders}}` in text, and what is put in their place.
//!
//! How a value is put in depends on where: into plain text as it is; into JSON as JSON, or escaped
//! where it stands inside of a string; into a regular expression so that it matches itself. A
//! literal `{{` is written `{{{{`.

use std::ops::Range;

use regex::escape as escape_regex;
use serde_json::Value as Json;

use super::variables::{Unfilled, Variables};
use crate::text::json::scan::Scanner;

/// Text in parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it is written, in bytes of the raw text.
    pub at: Range<usize>,
    pub what: Piece,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    Placeholder(Placeholder),
}

/// What stands between `{{` and `}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placeholder {
    Variable(String),
    /// `{{uuid}}`
    Uuid,
    /// `{{now}}`
    Now,
    /// `{{seq}}`
    Seq,
    /// `{{random:1..100}}`, both ends included.
    Random(i64, i64),
    /// `{{*}}`: anything, in an expectation.
    Anything,
    /// `{{x:=}}`: anything, and x is that from here on.
    Bind(String),
}

/// What is wrong with a text, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// In bytes of the raw text.
    pub at: Range<usize>,
    pub message: String,
    /// What is allowed there.
    pub hint: Option<String>,
}

impl Fault {
    pub fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            hint: None,
        }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// How values are put into text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    Plain,
    Json,
    Regex,
}

/// A text with its placeholders filled in, and where its bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    /// Where each part begins in `text`, and what it was.
    parts: Vec<(usize, Range<usize>, bool)>,
}

impl Rendered {
    /// Where in the raw text the byte `at` was written; for what was put in, its placeholder.
    pub fn origin(&self, at: usize) -> usize {
        let part = self.parts.iter().rev().find(|(start, ..)| *start <= at);
        part.map_or(0, |(start, raw, is_literal)| {
            if *is_literal {
                (raw.start + at - start).min(raw.end)
            } else {
                raw.start
            }
        })
    }
}

/// Names that always have a value, anew each time.
pub(super) const BUILT_IN: [&str; 4] = ["uuid", "now", "seq", "random"];

/// What a text may become once its values are in place, but for the last of them; in bytes.
const MAX_TEXT: usize = 64 << 20;
const OPEN: &str = "{{";
const CLOSE: &str = "}}";
/// What `{{{{` stands for.
const ESCAPED: &str = "{{{{";
/// What a placeholder is taken for while JSON is checked.
pub(super) const NULL: &str = "null";

/// Text that is to be taken literally, as it is written in a transcript.
pub fn escape(text: &str) -> String {
    text.replace(OPEN, ESCAPED)
}

impl Template {
    /// A text without placeholders, whatever it looks like.
    pub fn of_literal(text: &str) -> Self {
        let part = Part {
            at: 0..text.len(),
            what: Piece::Literal(text.into()),
        };
        Self { parts: vec![part] }
    }

    /// # Errors
    /// A placeholder that does not end, or that nothing stands for.
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut literal_start = 0;
        let mut at = 0;
        while let Some(found) = raw[at..].find(OPEN) {
            let open = at + found;
            literal.push_str(&raw[at..open]);
            if raw[open..].starts_with(ESCAPED) {
                literal.push_str(OPEN);
                at = open + ESCAPED.len();
                continue;
            }
            // Of three braces the first is literal: `{{{x}}` is a brace and a placeholder.
            let open = if raw[open..].starts_with("{{{") {
                literal.push('{');
                open + 1
            } else {
                open
            };
            let inside = open + OPEN.len();
            let Some(length) = raw[inside..].find(CLOSE) else {
                return Err(Fault::new(open..raw.len(), "this placeholder has no }}")
                    .hint("a literal {{ is written {{{{"));
            };
            let end = inside + length + CLOSE.len();
            let what = placeholder(raw[inside..inside + length].trim()).map_err(|fault| Fault {
                at: open..end,
                ..fault
            })?;
            if !literal.is_empty() {
                parts.push(Part {
                    at: literal_start..open,
                    what: Piece::Literal(std::mem::take(&mut literal)),
                });
            }
            parts.push(Part {
                at: open..end,
                what: Piece::Placeholder(what),
            });
            at = end;
            literal_start = end;
        }
        literal.push_str(&raw[at..]);
        if !literal.is_empty() {
            parts.push(Part {
                at: literal_start..raw.len(),
                what: Piece::Literal(literal),
            });
        }
        Ok(Self { parts })
    }

    pub fn placeholders(&self) -> impl Iterator<Item = (&Placeholder, &Range<usize>)> {
        self.parts.iter().filter_map(|part| match &part.what {
            Piece::Placeholder(placeholder) => Some((placeholder, &part.at)),
            Piece::Literal(_) => None,
        })
    }

    /// The text where there is nothing to fill in.
    pub fn literal(&self) -> Option<&str> {
        match &self.parts[..] {
            [] => Some(""),
            [
                Part {
                    what: Piece::Literal(text),
                    ..
                },
            ] => Some(text),
            _ => None,
        }
    }

    /// The placeholder that the whole text is.
    pub fn whole(&self) -> Option<&Placeholder> {
        match &self.parts[..] {
            [
                Part {
                    what: Piece::Placeholder(placeholder),
                    ..
                },
            ] => Some(placeholder),
            _ => None,
        }
    }

    /// # Errors
    /// A placeholder that stands for no value: those belong into expected JSON.
    pub fn check_values(&self) -> Result<(), Fault> {
        let is_wild =
            |one: &Placeholder| matches!(one, Placeholder::Anything | Placeholder::Bind(_));
        match self.placeholders().find(|(one, _)| is_wild(one)) {
            None => Ok(()),
            Some((_, at)) => Err(
                Fault::new(at.clone(), "this stands for anything that comes")
                    .hint("{{*}} and {{x:=}} belong into the JSON of < /json or < /exactly"),
            ),
        }
    }

    /// Whether the text is a JSON object or array, its placeholders taken for null.
    pub fn is_json(&self) -> bool {
        let first = self.parts.first().map(|part| &part.what);
        let opens = matches!(first, Some(Piece::Literal(text)) if text.trim_start().starts_with(['{', '[']));
        opens && self.check_json().is_ok()
    }

    /// # Errors
    /// Where the text, its placeholders taken for null, stops being JSON.
    pub fn check_json(&self) -> Result<(), Fault> {
        let mut scanner = Scanner::new();
        let mut end = 0;
        for part in &self.parts {
            end = part.at.end;
            match &part.what {
                Piece::Literal(text) => {
                    for (offset, byte) in text.bytes().enumerate() {
                        // What was escaped is inside of strings, and shifts what follows it a little.
                        let at = (part.at.start + offset).min(end.saturating_sub(1));
                        step(&mut scanner, byte, at..at + 1)?;
                    }
                }
                Piece::Placeholder(_) if scanner.is_in_string() => {}
                Piece::Placeholder(_) => {
                    for byte in NULL.bytes() {
                        step(&mut scanner, byte, part.at.clone())?;
                    }
                }
            }
        }
        if scanner.is_whole() {
            Ok(())
        } else {
            let message = "this JSON is not complete";
            Err(Fault::new(end.saturating_sub(1)..end, message).hint(scanner.expectation()))
        }
    }

    /// Fills in the placeholders.
    ///
    /// # Errors
    /// A variable that has no value, or a text that is larger than [`MAX_TEXT`].
    pub fn render(&self, how: Filling, variables: &mut Variables) -> Result<Rendered, Unfilled> {
        let mut text = String::new();
        let mut parts = Vec::with_capacity(self.parts.len());
        let mut scanner = Scanner::new();
        for part in &self.parts {
            let start = text.len();
            if start > MAX_TEXT {
                return Err(Unfilled::Large(
                    "with its values in place this is larger than 64 MiB",
                ));
            }
            match &part.what {
                Piece::Literal(literal) => {
                    if how == Filling::Json {
                        feed(&mut scanner, literal);
                    }
                    text.push_str(literal);
                }
                Piece::Placeholder(placeholder) => {
                    let value = variables.value(placeholder)?;
                    match how {
                        Filling::Plain => text.push_str(&value.to_text()),
                        Filling::Regex => text.push_str(&escape_regex(&value.to_text())),
                        Filling::Json if scanner.is_in_string() => {
                            let quoted = Json::String(value.to_text().into_owned()).to_string();
                            text.push_str(&quoted[1..quoted.len() - 1]);
                        }
                        Filling::Json => {
                            feed(&mut scanner, NULL);
                            text.push_str(&value.to_json().to_string());
                        }
                    }
                }
            }
            let is_literal = matches!(part.what, Piece::Literal(_));
            parts.push((start, part.at.clone(), is_literal));
        }
        Ok(Rendered { text, parts })
    }
}

/// Goes on with JSON that was checked when the file was read.
pub(super) fn feed(scanner: &mut Scanner, text: &str) {
    for byte in text.bytes() {
        let _ = scanner.step(byte);
    }
}

fn step(scanner: &mut Scanner, byte: u8, at: Range<usize>) -> Result<(), Fault> {
    match scanner.step(byte) {
        Ok(_) => Ok(()),
        Err(fault) => Err(Fault::new(at, format!("this is not JSON: {}", fault.0))),
    }
}

/// What the text between the braces means; where it stands is the caller's to say.
fn placeholder(text: &str) -> Result<Placeholder, Fault> {
    let wrong = |message: String| Fault::new(0..0, message);
    Ok(match text {
        "*" => Placeholder::Anything,
        "uuid" => Placeholder::Uuid,
        "now" => Placeholder::Now,
        "seq" => Placeholder::Seq,
        _ => {
            if let Some(range) = text.strip_prefix("random:") {
                return random(range).ok_or_else(|| {
                    wrong(format!("\"{range}\" is not a range of whole numbers"))
                        .hint("write {{random:1..100}}; both ends are included")
                });
            }
            let (name, binds) = match text.strip_suffix(":=") {
                Some(name) => (name.trim_end(), true),
                None => (text, false),
            };
            if !is_name(name) {
                return Err(wrong(format!("\"{text}\" is not the name of a variable"))
                    .hint("letters, digits, _ and - make a name; a literal {{ is written {{{{"));
            }
            if binds {
                check_new_name(name).map_err(wrong)?;
                Placeholder::Bind(name.into())
            } else {
                Placeholder::Variable(name.into())
            }
        }
    })
}

fn random(range: &str) -> Option<Placeholder> {
    let (low, high) = range.split_once("..")?;
    let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    (low <= high).then_some(Placeholder::Random(low, high))
}

/// Names of variables and of peers: `[A-Za-z][A-Za-z0-9_-]*`.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Whether a transcript may give this name to a value of its own.
///
/// # Errors
/// A sentence that says why not.
pub fn check_new_name(name: &str) -> Result<(), String> {
    if !is_name(name) {
        return Err(format!(
            "\"{name}\" is not a name (letters, digits, _ and -, a letter first)"
        ));
    }
    if BUILT_IN.contains(&name) {
        return Err(format!("{{{{{name}}}}} is built in and cannot be set"));
    }
    if name.starts_with("secret_") {
        return Err(format!(
            "{name}: secrets come from outside only (--secret, WSCOPE_SECRET_name)"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::transcript::variables::Value;

    fn variables() -> Variables {
        let mut variables = Variables::fixed();
        variables
            .set("name", Value::Text("A \"b\"".into()))
            .unwrap();
        variables.set("n", Value::Json(json!(7))).unwrap();
        variables.set("o", Value::Json(json!({"a": [1]}))).unwrap();
        variables.set("digits", Value::Text("12".into())).unwrap();
        variables
    }

    fn render(raw: &str, how: Filling) -> String {
        let template = Template::parse(raw).unwrap();
        template.render(how, &mut variables()).unwrap().text
    }

    #[test]
    fn values_go_in_as_the_place_demands() {
        for (raw, how, expected) in [
            ("hi {{name}}!", Filling::Plain, "hi A \"b\"!"),
            ("{{ n }}{{o}}", Filling::Plain, "7{\"a\":[1]}"),
            ("a{{{{b}}", Filling::Plain, "a{{b}}"),
            ("{{{n}}}", Filling::Plain, "{7}"),
            ("{{{{{{n}}", Filling::Plain, "{{7"),
            (
                r#"{"a":{{n}},"b":{{o}}}"#,
                Filling::Json,
                r#"{"a":7,"b":{"a":[1]}}"#,
            ),
            (r#"{"a":{{name}}}"#, Filling::Json, r#"{"a":"A \"b\""}"#),
            (
                r#"{"a":"<{{name}}>"}"#,
                Filling::Json,
                r#"{"a":"<A \"b\">"}"#,
            ),
            (
                r#"{"a":"{{n}}","b":{{digits}}}"#,
                Filling::Json,
                r#"{"a":"7","b":12}"#,
            ),
            ("^{{name}}.$", Filling::Regex, "^A \"b\".$"),
            ("{{digits}}+{{o}}", Filling::Regex, "12+\\{\"a\":\\[1\\]\\}"),
        ] {
            assert_eq!(render(raw, how), expected, "{raw}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (raw, at, part) in [
            ("ab {{x", 3..6, "no }}"),
            ("a {{}} b", 2..6, "not the name"),
            ("{{a b}}", 0..7, "not the name"),
            ("{{random:9..1}}", 0..15, "range"),
            ("{{uuid:=}}", 0..10, "built in"),
            ("{{secret_x:=}}", 0..14, "from outside"),
        ] {
            let fault = Template::parse(raw).unwrap_err();
            assert_eq!(fault.at, at, "{raw}");
            assert!(fault.message.contains(part), "{raw}: {}", fault.message);
        }
    }

    #[test]
    fn json_is_checked_with_null_for_placeholders() {
        for raw in [
            r#"{"a":{{x}},"b":"{{y}} z"}"#,
            "[{{x}}, {{*}}]",
            "{{x}}",
            "7",
        ] {
            assert_eq!(Template::parse(raw).unwrap().check_json(), Ok(()), "{raw}");
        }
        for (raw, at) in [
            (r#"{"a":1,}"#, 7..8),
            (r#"{"a":{{x}}{{y}}}"#, 10..15),
            (r#"{"a":1"#, 5..6),
            ("{a:1}", 1..2),
        ] {
            let fault = Template::parse(raw).unwrap().check_json().unwrap_err();
            assert_eq!(fault.at, at, "{raw}: {}", fault.message);
        }
        assert!(!Template::parse("7").unwrap().is_json());
        assert!(Template::parse(" [{{x}}]").unwrap().is_json());
        assert!(!Template::parse("{hello} {{x}}").unwrap().is_json());
    }

    #[test]
    fn what_was_put_in_is_traced_to_its_placeholder() {
        let template = Template::parse("ab{{name}}cd").unwrap();
        let rendered = template.render(Filling::Plain, &mut variables()).unwrap();
        assert_eq!(rendered.text, "abA \"b\"cd");
        for (at, origin) in [(0, 0), (1, 1), (2, 2), (4, 2), (7, 10), (8, 11), (9, 12)] {
            assert_eq!(rendered.origin(at), origin, "{at}");
        }
    }

    proptest! {
        #[test]
        fn escaped_text_is_itself_again(text in "[a{}]{0,12}") {
            prop_assert_eq!(render(&escape(&text), Filling::Plain), text);
        }

        #[test]
        fn no_text_breaks_the_parser(text in "[a{}:=*. ]{0,16}") {
            let _ = Template::parse(&text).map(|template| template.check_json());
        }
    }
}
