//! JSON as text: indented and coloured without ever becoming a value, so that numbers, the order
//! of members, duplicates and escapes stay exactly as they were sent.
//!
//! A [`Scanner`] says what each byte belongs to; everything here is a loop around it. Nothing
//! recurses; depth is bounded by [`MAX_DEPTH`](scan::MAX_DEPTH).

pub mod members;
pub mod scan;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use self::scan::{Class, Fault, Scanner};
use super::sanitize;
use super::style::{Ink, Style};

/// Indentation may grow a text to this many times its size, plus [`GROWTH_FREE`] bytes; what would
/// grow more is not worth reading indented and costs memory.
const GROWTH: usize = 8;
const GROWTH_FREE: usize = 64 * 1024;

/// Indented by two spaces and coloured, without a final line feed. Hostile characters in strings
/// are shown as JSON escapes, so the text still means the same value. `None` where the text is not
/// one JSON value, or would grow out of measure.
pub fn pretty(text: &str, style: Style) -> Option<String> {
    let most = text.len() * GROWTH + GROWTH_FREE;
    let mut shown = String::with_capacity(text.len() * 2);
    let mut depth = 0;
    let mut just_opened = false;
    let whole = tokens(text, |class, piece| {
        if class == Class::Space {
            return true;
        }
        if class == Class::Close {
            depth -= 1;
        }
        // The first thing inside of brackets, or a closing bracket after something.
        if just_opened != (class == Class::Close) {
            new_line(&mut shown, depth);
        }
        just_opened = class == Class::Open;
        match class {
            Class::Open => {
                depth += 1;
                shown.push_str(piece);
            }
            Class::Comma => {
                shown.push(',');
                new_line(&mut shown, depth);
            }
            Class::Colon => shown.push_str(": "),
            _ => paint(&mut shown, class, piece, style),
        }
        shown.len() <= most
    });
    whole.then_some(shown)
}

/// Coloured on one line, white space as it was sent (line feeds are shown as `\n`). `None` where
/// the text is not one JSON value.
pub fn highlight(text: &str, style: Style) -> Option<String> {
    let mut shown = String::with_capacity(text.len() * 2);
    tokens(text, |class, piece| {
        if class == Class::Space {
            shown.push_str(&sanitize::line(piece));
        } else {
            paint(&mut shown, class, piece, style);
        }
        true
    })
    .then_some(shown)
}

/// Coloured as far as it is JSON, the rest as it is: for a text that is being typed. Only colours
/// are added.
pub fn highlight_draft(text: &str, style: Style) -> String {
    let mut shown = String::with_capacity(text.len() * 2);
    let mut done = 0;
    for (class, span) in spans(text) {
        done = span.end;
        match ink(class) {
            Some(ink) => shown.push_str(&style.paint(ink, &text[span])),
            None => shown.push_str(&text[span]),
        }
    }
    shown.push_str(&text[done..]);
    shown
}

/// The tokens of a text with their places, as far as it is JSON.
pub fn spans(text: &str) -> Vec<(Class, Range<usize>)> {
    let mut spans = Vec::new();
    let mut at = 0;
    tokens(text, |class, piece| {
        spans.push((class, at..at + piece.len()));
        at += piece.len();
        true
    });
    spans
}

/// Whether Enter should send this text. `false` only for the beginning of an object or an array
/// that more lines could complete.
pub fn is_complete(text: &str) -> bool {
    if !text.trim_start().starts_with(['{', '[']) {
        return true;
    }
    let mut scanner = Scanner::new();
    for byte in text.bytes() {
        if scanner.step(byte).is_err() {
            return true;
        }
    }
    scanner.is_whole()
}

/// At which byte and why a text is not one JSON value; `None` where it is one.
pub fn fault(text: &str) -> Option<(usize, Fault)> {
    let mut scanner = Scanner::new();
    for (at, byte) in text.bytes().enumerate() {
        if let Err(fault) = scanner.step(byte) {
            return Some((at, fault));
        }
    }
    let unfinished = Fault("the JSON is not complete");
    (!scanner.is_whole()).then_some((text.len(), unfinished))
}

/// Whether the text is one JSON value.
pub fn is_valid(text: &str) -> bool {
    tokens(text, |_, _| true)
}

fn new_line(shown: &mut String, depth: usize) {
    shown.push('\n');
    shown.extend(std::iter::repeat_n("  ", depth));
}

fn paint(shown: &mut String, class: Class, piece: &str, style: Style) {
    match ink(class) {
        Some(ink) => shown.push_str(&style.paint(ink, &escape(piece))),
        None => shown.push_str(piece),
    }
}

/// The ink of a token; `None` for what is between.
pub const fn ink(class: Class) -> Option<Ink> {
    match class {
        Class::Key => Some(Ink::Key),
        Class::String => Some(Ink::String),
        Class::Number => Some(Ink::Number),
        Class::Literal => Some(Ink::Literal),
        _ => None,
    }
}

/// Hostile characters of a JSON text as `\uXXXX`, a pair of them beyond the basic plane: inside of
/// strings, where alone they may stand, that changes no value.
pub fn escape(piece: &str) -> Cow<'_, str> {
    if !piece.chars().any(sanitize::is_hostile) {
        return Cow::Borrowed(piece);
    }
    let mut escaped = String::with_capacity(piece.len() + 16);
    for c in piece.chars() {
        if sanitize::is_hostile(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String never fails.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Hands on each token with its class until `each` returns `false`; says whether the text is
/// exactly one value and was handed on whole. The part before a fault is handed on too.
fn tokens<'a>(text: &'a str, mut each: impl FnMut(Class, &'a str) -> bool) -> bool {
    let mut scanner = Scanner::new();
    let mut start = 0;
    let mut current = None;
    for (at, byte) in text.bytes().enumerate() {
        let Ok(class) = scanner.step(byte) else {
            if let Some(class) = current {
                // Inside a character, which only a string may hold, nothing is a fault: `at` and
                // every `start` are the first byte of one.
                each(class, &text[start..at]);
            }
            return false;
        };
        let goes_on = current == Some(class) && !matches!(class, Class::Open | Class::Close);
        if !goes_on {
            if let Some(class) = current
                && !each(class, &text[start..at])
            {
                return false;
            }
            start = at;
            current = Some(class);
        }
    }
    current.is_some_and(|class| each(class, &text[start..])) && scanner.is_whole()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::scan::MAX_DEPTH;
    use super::*;

    #[test]
    fn indented_text_keeps_numbers_order_and_duplicates_as_sent() {
        let text =
            r#"{"b":1.0e+2,"a":[1,-0, 12345678901234567890.10],"a":{},"e":[ ],"s":"\u00e9\n"}"#;
        let expected = r#"{
  "b": 1.0e+2,
  "a": [
    1,
    -0,
    12345678901234567890.10
  ],
  "a": {},
  "e": [],
  "s": "\u00e9\n"
}"#;
        assert_eq!(pretty(text, Style::PLAIN).unwrap(), expected);
        for scalar in ["1", " true ", "\"x\"", "null", "[]", "{}"] {
            assert_eq!(pretty(scalar, Style::PLAIN).unwrap(), scalar.trim());
        }
    }

    #[test]
    fn hostile_characters_become_escapes_of_the_same_value() {
        let text = "{\"\u{202e}k\": \"a\u{9b}2J\u{e0041}\"}";
        let shown = pretty(text, Style::PLAIN).unwrap();
        assert_eq!(shown, "{\n  \"\\u202ek\": \"a\\u009b2J\\udb40\\udc41\"\n}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
    }

    #[test]
    fn colours_are_added_around_tokens() {
        let style = Style::colourful();
        let shown = highlight("{\"k\":\n[1,null]}", style).unwrap();
        let key = style.paint(Ink::Key, "\"k\"");
        let one = style.paint(Ink::Number, "1");
        let null = style.paint(Ink::Literal, "null");
        assert_eq!(shown, format!("{{{key}:\\n[{one},{null}]}}"));
        assert_eq!(
            highlight_draft("{\"k\" oops", style),
            format!("{{{key} oops")
        );
    }

    #[test]
    fn a_fault_has_a_place() {
        assert_eq!(fault("[1, 2]"), None);
        for (text, at, why) in [
            ("[1,]", 3, "expected a value"),
            ("{a:1}", 1, "expected a member name in quotes or }"),
            ("[1", 2, "the JSON is not complete"),
            ("", 0, "the JSON is not complete"),
        ] {
            assert_eq!(fault(text), Some((at, Fault(why))), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1",
            "[1,]",
            "{\"a\":}",
            "{\"a\" 1}",
            "{a:1}",
            "{,}",
            "01",
            "1.",
            "-",
            "1e",
            "tru",
            "nul l",
            "\"a",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "1 2",
            "{}{}",
            "[}",
            "]",
            "NaN",
            "'a'",
            "[1 2]",
            "{\"a\":1,}",
        ] {
            assert_eq!(pretty(text, Style::PLAIN), None, "{text}");
            assert!(
                serde_json::from_str::<serde_json::Value>(text).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn depth_and_growth_are_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_valid(&nested(MAX_DEPTH)));
        assert!(!is_valid(&nested(MAX_DEPTH + 1)));
        let deep = "[".repeat(100) + &"1,".repeat(100_000) + "1" + &"]".repeat(100);
        assert!(is_valid(&deep));
        assert_eq!(pretty(&deep, Style::PLAIN), None);
    }

    #[test]
    fn only_what_more_lines_could_complete_goes_on() {
        for text in [
            "{",
            "[1,",
            "{\"a\": \"b",
            " {\n \"a\": [",
            "{\"a\":1",
            "[tr",
        ] {
            assert!(!is_complete(text), "{text}");
        }
        for text in [
            "",
            "hello {",
            "{hello",
            "{}",
            "[1]",
            "[1]]",
            "\"a",
            "{\"a\":1} ",
            "[}",
        ] {
            assert!(is_complete(text), "{text}");
        }
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::vec((any::<String>(), inner), 0..6).prop_map(|members| {
                    serde_json::Value::Object(members.into_iter().collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn indented_text_means_the_same_value(value in value(), indented: bool) {
            let text = if indented {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            let shown = pretty(&text, Style::PLAIN).unwrap();
            // Parsed anew: serde's reading of a long fraction may differ in the last digit.
            let sent: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), sent);
            prop_assert!(!shown.chars().any(|c| sanitize::is_hostile(c) && c != '\n'));
            prop_assert_eq!(pretty(&shown, Style::PLAIN).unwrap(), shown);
        }

        #[test]
        fn the_scanner_agrees_with_serde(text in "[\\[\\]{}:,\"a\\\\0-9e.+ -]{0,12}") {
            let valid = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(is_valid(&text), valid);
        }
    }
}
