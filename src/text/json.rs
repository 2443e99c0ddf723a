//! JSON as text: indented and coloured without ever becoming a value, so that numbers, the order
//! of members, duplicates and escapes stay exactly as they were sent.
//!
//! A [`Scanner`] is fed byte by byte and says what each byte belongs to; everything else here is
//! a loop around it. It keeps a stack of the open brackets and no text, so it can also cut a
//! stream into values. Nothing recurses; depth is bounded by [`MAX_DEPTH`].

use std::fmt::Write as _;

use super::sanitize;
use super::style::{Ink, Style};

/// Brackets that may be open at once.
pub const MAX_DEPTH: usize = 128;

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
    let whole = scan(text, |class, piece| {
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
    scan(text, |class, piece| {
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
    scan(text, |class, piece| {
        done += piece.len();
        match ink(class) {
            Some(ink) => shown.push_str(&style.paint(ink, piece)),
            None => shown.push_str(piece),
        }
        true
    });
    shown.push_str(&text[done..]);
    shown
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

/// Whether the text is one JSON value.
pub fn is_valid(text: &str) -> bool {
    scan(text, |_, _| true)
}

fn new_line(shown: &mut String, depth: usize) {
    shown.push('\n');
    shown.extend(std::iter::repeat_n("  ", depth));
}

fn paint(shown: &mut String, class: Class, piece: &str, style: Style) {
    match ink(class) {
        Some(ink) if piece.chars().any(sanitize::is_hostile) => {
            shown.push_str(&style.paint(ink, &escape(piece)));
        }
        Some(ink) => shown.push_str(&style.paint(ink, piece)),
        None => shown.push_str(piece),
    }
}

const fn ink(class: Class) -> Option<Ink> {
    match class {
        Class::Key => Some(Ink::Key),
        Class::String => Some(Ink::String),
        Class::Number => Some(Ink::Number),
        Class::Literal => Some(Ink::Literal),
        _ => None,
    }
}

/// Hostile characters as `\uXXXX`, a pair of them beyond the basic plane.
fn escape(piece: &str) -> String {
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
    escaped
}

/// Hands on each token with its class until `each` returns `false`; says whether the text is
/// exactly one value and was handed on whole. The part before a fault is handed on too.
fn scan<'a>(text: &'a str, mut each: impl FnMut(Class, &'a str) -> bool) -> bool {
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

/// What a byte of a JSON text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Space,
    Open,
    Close,
    Comma,
    Colon,
    /// The name of a member, quotes included.
    Key,
    String,
    Number,
    Literal,
}

/// Why a text is not JSON, in words: what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault(pub &'static str);

/// A validating scanner of one JSON value (RFC 8259), fed byte by byte.
#[derive(Debug)]
pub struct Scanner {
    open: Vec<Bracket>,
    expect: Expect,
    inside: Inside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Object,
    Array,
}

/// What may come next, outside of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// After `[`.
    ValueOrClose,
    /// After `{`.
    KeyOrClose,
    /// After a comma in an object.
    Key,
    Colon,
    CommaOrClose,
    /// After the whole value.
    Nothing,
}

/// The token that is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Text {
        class: Class,
        escape: Escape,
    },
    Number(Digits),
    /// What is left of `true`, `false` or `null`.
    Literal(&'static [u8]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    Backslash,
    /// This many hex digits are to come.
    Unicode(u8),
}

/// How far a number has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digits {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    Power,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    pub const fn new() -> Self {
        Self {
            open: Vec::new(),
            expect: Expect::Value,
            inside: Inside::Nothing,
        }
    }

    /// Nothing but white space has come.
    pub fn is_untouched(&self) -> bool {
        self.expect == Expect::Value && self.inside == Inside::Nothing && self.open.is_empty()
    }

    /// A whole value has come. A number may go on nevertheless: see [`Self::is_closed`].
    pub fn is_whole(&self) -> bool {
        match self.inside {
            Inside::Nothing => self.expect == Expect::Nothing,
            Inside::Number(digits) => self.open.is_empty() && digits.may_end(),
            Inside::Text { .. } | Inside::Literal(_) => false,
        }
    }

    /// A whole value has come, and only white space may follow.
    pub fn is_closed(&self) -> bool {
        self.expect == Expect::Nothing && self.inside == Inside::Nothing
    }

    /// # Errors
    /// The byte cannot stand here.
    pub fn step(&mut self, byte: u8) -> Result<Class, Fault> {
        match self.inside {
            Inside::Nothing => self.start(byte),
            Inside::Text { class, escape } => self.text(byte, class, escape),
            Inside::Number(digits) => match digits.step(byte) {
                Some(digits) => {
                    self.inside = Inside::Number(digits);
                    Ok(Class::Number)
                }
                None if digits.may_end() => {
                    self.end_value();
                    self.start(byte)
                }
                None => Err(Fault("expected a digit")),
            },
            Inside::Literal(rest) => match rest.split_first() {
                Some((expected, rest)) if *expected == byte => {
                    if rest.is_empty() {
                        self.end_value();
                    } else {
                        self.inside = Inside::Literal(rest);
                    }
                    Ok(Class::Literal)
                }
                _ => Err(Fault("expected true, false or null")),
            },
        }
    }

    /// A byte outside of a token.
    fn start(&mut self, byte: u8) -> Result<Class, Fault> {
        match (byte, self.expect) {
            (b' ' | b'\t' | b'\n' | b'\r', _) => Ok(Class::Space),
            (b'{', Expect::Value | Expect::ValueOrClose) => {
                self.open(Bracket::Object, Expect::KeyOrClose)
            }
            (b'[', Expect::Value | Expect::ValueOrClose) => {
                self.open(Bracket::Array, Expect::ValueOrClose)
            }
            (b'"', Expect::Key | Expect::KeyOrClose) => Ok(self.begin_text(Class::Key)),
            (b'"', Expect::Value | Expect::ValueOrClose) => Ok(self.begin_text(Class::String)),
            (_, Expect::Value | Expect::ValueOrClose) if self.begin_scalar(byte) => {
                Ok(match self.inside {
                    Inside::Literal(_) => Class::Literal,
                    _ => Class::Number,
                })
            }
            (b':', Expect::Colon) => {
                self.expect = Expect::Value;
                Ok(Class::Colon)
            }
            (b',', Expect::CommaOrClose) => {
                self.expect = match self.open.last() {
                    Some(Bracket::Object) => Expect::Key,
                    _ => Expect::Value,
                };
                Ok(Class::Comma)
            }
            (b'}' | b']', Expect::KeyOrClose | Expect::ValueOrClose | Expect::CommaOrClose) => {
                self.close(byte)
            }
            _ => Err(self.expected()),
        }
    }

    fn expected(&self) -> Fault {
        Fault(match (self.expect, self.open.last()) {
            (Expect::Value, _) => "expected a value",
            (Expect::ValueOrClose, _) => "expected a value or ]",
            (Expect::KeyOrClose, _) => "expected a member name in quotes or }",
            (Expect::Key, _) => "expected a member name in quotes",
            (Expect::Colon, _) => "expected :",
            (Expect::CommaOrClose, Some(Bracket::Object)) => "expected , or }",
            (Expect::CommaOrClose, _) => "expected , or ]",
            (Expect::Nothing, _) => "expected the end of the value",
        })
    }

    fn open(&mut self, bracket: Bracket, expect: Expect) -> Result<Class, Fault> {
        if self.open.len() == MAX_DEPTH {
            return Err(Fault("nested too deeply"));
        }
        self.open.push(bracket);
        self.expect = expect;
        Ok(Class::Open)
    }

    fn close(&mut self, byte: u8) -> Result<Class, Fault> {
        let fits = match self.open.last() {
            Some(Bracket::Object) => byte == b'}',
            Some(Bracket::Array) => byte == b']',
            None => false,
        };
        if !fits {
            return Err(self.expected());
        }
        self.open.pop();
        self.end_value();
        Ok(Class::Close)
    }

    fn begin_text(&mut self, class: Class) -> Class {
        self.inside = Inside::Text {
            class,
            escape: Escape::None,
        };
        class
    }

    fn begin_scalar(&mut self, byte: u8) -> bool {
        self.inside = match byte {
            b't' => Inside::Literal(b"rue"),
            b'f' => Inside::Literal(b"alse"),
            b'n' => Inside::Literal(b"ull"),
            b'-' => Inside::Number(Digits::Minus),
            b'0' => Inside::Number(Digits::Zero),
            b'1'..=b'9' => Inside::Number(Digits::Whole),
            _ => return false,
        };
        true
    }

    fn text(&mut self, byte: u8, class: Class, escape: Escape) -> Result<Class, Fault> {
        let escape = match (escape, byte) {
            (Escape::None, b'"') => {
                if class == Class::Key {
                    self.inside = Inside::Nothing;
                    self.expect = Expect::Colon;
                } else {
                    self.end_value();
                }
                return Ok(class);
            }
            (Escape::None, b'\\') => Escape::Backslash,
            (Escape::None, 0..=0x1f) => {
                return Err(Fault("a control character must be escaped in a string"));
            }
            (Escape::None, _) => Escape::None,
            (Escape::Backslash, b'u') => Escape::Unicode(4),
            (Escape::Backslash, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
            | (Escape::Unicode(1), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => Escape::None,
            (Escape::Unicode(left), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                Escape::Unicode(left - 1)
            }
            (Escape::Backslash | Escape::Unicode(_), _) => {
                return Err(Fault("a wrong escape in a string"));
            }
        };
        self.inside = Inside::Text { class, escape };
        Ok(class)
    }

    fn end_value(&mut self) {
        self.inside = Inside::Nothing;
        self.expect = if self.open.is_empty() {
            Expect::Nothing
        } else {
            Expect::CommaOrClose
        };
    }
}

impl Digits {
    const fn step(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Minus, b'0') => Some(Self::Zero),
            (Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Some(Self::Whole),
            (Self::Zero | Self::Whole, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Some(Self::Exponent),
            (Self::Exponent, b'+' | b'-') => Some(Self::ExponentSign),
            (Self::Exponent | Self::ExponentSign | Self::Power, b'0'..=b'9') => Some(Self::Power),
            _ => None,
        }
    }

    const fn may_end(self) -> bool {
        matches!(
            self,
            Self::Zero | Self::Whole | Self::Fraction | Self::Power
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
