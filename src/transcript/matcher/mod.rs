//! What can be expected after `<`: one file for each, and [`MATCHERS`], the registry.
//!
//! A matcher compiles what is written after its word into a [`Test`], which is then held against
//! one message after the other. Values come in only then.

mod any;
mod bin;
mod close;
mod contains;
mod control;
mod exactly;
mod json;
mod none;
mod refused;
mod regex;
mod text;

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;

use super::incoming::Incoming;
use super::json::Bound;
use super::load::beside;
use super::syntax::{Capture, CaptureFrom, Span, Text};
use super::template::{Fault, Filling, Rendered, Template};
use super::variables::{Unfilled, Variables};
use crate::model::secret::known::Known;

/// One way to expect something.
pub struct Matcher {
    /// With its slash; `""` for a text as it stands.
    pub name: &'static str,
    pub args: &'static str,
    pub about: &'static str,
    pub places: Places,
    /// Whether a `"""` block may follow.
    pub block: bool,
    compile: fn(&Text) -> Result<Box<dyn Test>, Fault>,
}

/// Where a matcher may stand besides after `<`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// Nowhere: it is about more than one message, or about none.
    Alone,
    /// Inside of `/all`, after `<~`.
    Several,
    /// There, and after `ignore`.
    Everywhere,
}

/// All of them; a text as it stands is the first.
pub const MATCHERS: &[Matcher] = &[
    text::MATCHER,
    text::QUOTED,
    json::MATCHER,
    exactly::MATCHER,
    regex::MATCHER,
    contains::MATCHER,
    any::MATCHER,
    bin::MATCHER,
    control::PING,
    control::PONG,
    close::MATCHER,
    none::MATCHER,
    refused::MATCHER,
];

pub(super) use self::text::{filling, first_difference, unquoted};

/// `/all` is a block of them.
pub const ALL: &str = "/all";

/// An expectation that is ready to be held against messages.
pub trait Test: Debug + Send + Sync {
    /// Holds one message against it.
    ///
    /// # Errors
    /// In what way it differs.
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch>;

    /// Whether it looks at this at all. Pings and pongs are passed over unless they are asked for.
    fn sees(&self, incoming: &Incoming) -> bool {
        !incoming.is_control()
    }

    /// `/none`: holds when for so long nothing came that it sees.
    fn silence(&self) -> Option<Duration> {
        None
    }

    /// Whether it is about the answer to the handshake.
    fn is_about_handshake(&self) -> bool {
        false
    }

    /// The variables that have a value once it held.
    fn binds(&self) -> Vec<String> {
        Vec::new()
    }

    /// What is waited for, in words.
    fn wanted(&self) -> &'static str {
        "a message"
    }
}

/// What a test may look at besides the message.
pub struct Context<'a> {
    pub variables: &'a mut Variables,
    pub files: &'a dyn Files,
    /// The transcript in which the text stands that names a file.
    pub from: &'a str,
}

impl Context<'_> {
    /// A file that a transcript names: from its own folder.
    ///
    /// # Errors
    /// Why not, as a sentence that names the file.
    pub fn read(&self, named: &str) -> Result<Bytes, String> {
        self.files.read(&beside(self.from, named))
    }
}

/// The files that a transcript may read, by paths as the transcript's own is named.
pub trait Files: Send + Sync {
    /// # Errors
    /// Why not, as a sentence that names the file.
    fn read(&self, path: &str) -> Result<Bytes, String>;

    /// Whether [`Self::read`] would read it.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, path: &str) -> Result<(), String> {
        self.read(path).map(drop)
    }
}

/// Why a message does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where in the raw text of the expectation.
    pub at: usize,
    /// Where in the JSON, if it is JSON.
    pub pointer: Option<String>,
    pub expected: String,
    pub got: String,
    /// The `let` that found nothing, where the message itself holds.
    pub capture: Option<Span>,
}

impl Mismatch {
    fn new(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self {
            at: 0,
            pointer: None,
            expected: expected.into(),
            got: got.into(),
            capture: None,
        }
    }

    /// What came is of another kind.
    pub(super) fn kind(expected: &str, incoming: &Incoming, secrets: &Known) -> Self {
        Self::new(expected, incoming.words(secrets))
    }

    /// A `let` finds nothing in what came.
    pub(super) fn no_capture(capture: &Capture, got: &str) -> Self {
        let from = match &capture.from {
            CaptureFrom::Pointer(pointer) => format!("a value at {pointer} for {}", capture.name),
            CaptureFrom::Whole => format!("a text for {}", capture.name),
        };
        Self {
            capture: Some(capture.span),
            ..Self::new(from, got)
        }
    }
}

impl From<Unfilled> for Mismatch {
    fn from(why: Unfilled) -> Self {
        match why {
            Unfilled::Unknown(name) => Self::new(format!("a value for {{{{{name}}}}}"), "none"),
            Unfilled::Large(why) => Self::new("", why),
        }
    }
}

impl Matcher {
    /// The matcher of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        MATCHERS.iter().find(|matcher| matcher.name == name)
    }

    /// # Errors
    /// What follows the matcher's word does not parse.
    pub fn compile(&self, text: &Text) -> Result<Box<dyn Test>, Fault> {
        (self.compile)(text)
    }
}

/// What follows a matcher's word, checked now where nothing has to be filled in, and else when it
/// is needed.
#[derive(Debug)]
struct Arguments<T> {
    template: Template,
    parse: fn(&str) -> Result<T, String>,
}

impl<T> Arguments<T> {
    fn new(text: &Text, parse: fn(&str) -> Result<T, String>) -> Result<Self, Fault> {
        let template = Template::parse(&text.raw)?;
        if let Some(literal) = template.literal() {
            parse(literal).map_err(|message| Fault::new(0..text.raw.len(), message))?;
        }
        Ok(Self { template, parse })
    }

    fn value(&self, variables: &mut Variables) -> Result<T, Mismatch> {
        let text = fill(&self.template, Filling::Plain, variables)?.text;
        (self.parse)(&text).map_err(|message| Mismatch::new("something else", message))
    }
}

fn fill(
    template: &Template,
    how: Filling,
    variables: &mut Variables,
) -> Result<Rendered, Mismatch> {
    Ok(template.render(how, variables)?)
}

/// A template of which `{{*}}` and `{{x:=}}` are no part.
fn plain_template(text: &Text) -> Result<Template, Fault> {
    let template = Template::parse(&text.raw)?;
    template.check_values()?;
    Ok(template)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::close::CloseCode;
    use crate::model::message::Message;
    use crate::transcript::variables::Value;

    /// No files.
    #[derive(Debug)]
    pub(super) struct Nothing;

    impl Files for Nothing {
        fn read(&self, path: &str) -> Result<Bytes, String> {
            if path == "two.bin" {
                return Ok(Bytes::from_static(&[0, 0xff]));
            }
            Err(format!("{path}: no such file"))
        }
    }

    fn test(name: &str, raw: &str) -> Box<dyn Test> {
        Matcher::named(name)
            .unwrap()
            .compile(&Text::new(raw))
            .unwrap()
    }

    fn hold(name: &str, raw: &str, incoming: &Incoming) -> Result<Bound, Mismatch> {
        let mut variables = Variables::fixed();
        variables.set("x", Value::Text("a.b".into())).unwrap();
        variables.set("n", Value::Json(json!(1000))).unwrap();
        let mut context = Context {
            variables: &mut variables,
            files: &Nothing,
            from: "t.wst",
        };
        test(name, raw).hold(incoming, &mut context)
    }

    fn text(text: &str) -> Incoming {
        Incoming::Message(Message::text(text))
    }

    fn binary(bytes: &'static [u8]) -> Incoming {
        Incoming::Message(Message::binary(bytes))
    }

    fn close(code: u16, reason: &str) -> Incoming {
        Incoming::Close {
            code: CloseCode(code),
            reason: reason.into(),
        }
    }

    #[test]
    fn what_should_hold_does() {
        let sha = "sha256:06eb7d6a69ee19e5fbdf749018d3d2abfa04bcbd1365db312eb86dc7169389b8";
        for (name, raw, incoming) in [
            ("", "hello", text("hello")),
            ("", "", text("")),
            ("/text", r#""a\u001b{{x}}\n""#, text("a\u{1b}a.b\n")),
            ("", "a{{x}}", text("aa.b")),
            ("", "{\"k\":{{n}}}", text("{\"k\":1000}")),
            ("/json", "{\"k\":{{n}}}", text("{\"k\":1000,\"z\":0}")),
            ("/exactly", "{\"k\":1}", text(" {\"k\" : 1.0}")),
            ("/match", "^{{x}}$", text("a.b")),
            ("/contains", "ell", text("hello")),
            ("/any", "", text("x")),
            ("/any", "", binary(b"x")),
            ("/bin", "hex:00ff", binary(&[0, 0xff])),
            ("/bin", "base64:AP8=", binary(&[0, 0xff])),
            ("/bin", "file:two.bin", binary(&[0, 0xff])),
            ("/bin", sha, binary(&[0, 0xff])),
            ("/bin", "", binary(b"")),
            ("/ping", "", Incoming::Ping("x".into())),
            ("/pong", "x", Incoming::Pong("x".into())),
            ("/close", "", close(1011, "sorry")),
            ("/close", "{{n}}", close(1000, "bye")),
            ("/close", "1000 bye", close(1000, "bye")),
            ("/close", "1005", close(1005, "")),
            ("/close", "1006", close(1006, "")),
            (
                "/refused",
                "401",
                Incoming::Refused {
                    status: 401,
                    reason: String::new(),
                },
            ),
        ] {
            assert!(
                hold(name, raw, &incoming).is_ok(),
                "{name} {raw}: {:?}",
                hold(name, raw, &incoming)
            );
        }
    }

    #[test]
    fn what_differs_is_said() {
        for (name, raw, incoming, at, expected, got) in [
            ("", "hello", text("help"), 3, "\"hello\"", "\"help\""),
            ("", "a{{x}}c", text("aa.bd"), 6, "\"aa.bc\"", "\"aa.bd\""),
            ("", "hello", text("hello!"), 5, "\"hello\"", "\"hello!\""),
            (
                "",
                "x",
                binary(b"x"),
                0,
                "the text \"x\"",
                "a binary message: 78",
            ),
            ("/json", "{\"k\":1}", text("{\"k\":2}"), 1, "1", "2"),
            ("/json", "{}", text("hello"), 0, "JSON", "\"hello\""),
            (
                "/json",
                "{}",
                close(1000, ""),
                0,
                "JSON",
                "a Close with code 1000 (normal closure)",
            ),
            ("/match", "^b", text("abc"), 0, "a match of ^b", "\"abc\""),
            (
                "/contains",
                "x",
                text("abc"),
                0,
                "a text with \"x\"",
                "\"abc\"",
            ),
            (
                "/any",
                "",
                close(1006, ""),
                0,
                "a message",
                "the end of the connection, without a Close",
            ),
            (
                "/bin",
                "hex:00",
                binary(&[0, 1]),
                0,
                "1 byte: 00",
                "2 bytes: 00 01",
            ),
            (
                "/bin",
                "hex:00",
                text("a"),
                0,
                "a binary message",
                "a text message",
            ),
            (
                "/bin",
                "file:no",
                binary(&[0, 1]),
                0,
                "a file to compare with",
                "no: no such file",
            ),
            (
                "/ping",
                "a",
                Incoming::Ping("b".into()),
                0,
                "the payload \"a\"",
                "\"b\"",
            ),
            ("/ping", "a", text("b"), 0, "a ping", "a text message"),
            (
                "/close",
                "1000",
                close(1001, ""),
                0,
                "a Close with code 1000 (normal closure)",
                "a Close with code 1001 (going away)",
            ),
            (
                "/close",
                "1000 a",
                close(1000, "b"),
                0,
                "the reason \"a\"",
                "\"b\"",
            ),
            (
                "/refused",
                "401",
                Incoming::Opened,
                0,
                "HTTP 401",
                "101: the connection is open",
            ),
            (
                "/refused",
                "401",
                Incoming::Refused {
                    status: 403,
                    reason: "Forbidden".into(),
                },
                0,
                "HTTP 401",
                "HTTP 403 Forbidden",
            ),
        ] {
            let mismatch = hold(name, raw, &incoming).unwrap_err();
            assert_eq!(
                (mismatch.expected.as_str(), mismatch.got.as_str()),
                (expected, got),
                "{name} {raw}"
            );
            assert_eq!(mismatch.at, at, "{name} {raw}");
        }
    }

    #[test]
    fn what_does_not_parse_is_said() {
        for (name, raw, part) in [
            ("", "{{*}}", "/json"),
            ("/text", "a", "string of JSON"),
            ("/json", "{\"a\"}", "not JSON"),
            ("/match", "a(", "regular expression"),
            ("/match", "(a{1000}){1000}", "too large"),
            ("/any", "x", "nothing"),
            ("/bin", "00", "hex:"),
            ("/bin", "hex:0", "second"),
            ("/bin", "sha256:00", "64"),
            ("/close", "x", "close code"),
            ("/close", "10000", "close code"),
            ("/none", "", "duration"),
            ("/refused", "9", "status"),
        ] {
            let fault = Matcher::named(name)
                .unwrap()
                .compile(&Text::new(raw))
                .unwrap_err();
            let said = format!("{} {}", fault.message, fault.hint.unwrap_or_default());
            assert!(said.contains(part), "{name} {raw}: {said}");
        }
    }

    #[test]
    fn groups_and_wildcards_give_values() {
        let bound = hold("/match", "id=(?<id>[0-9]+)(?<rest>x)?", &text("id=12")).unwrap();
        let text_value = |name: &str, value: &str| (name.to_owned(), Value::Text(value.into()));
        assert_eq!(bound, [text_value("id", "12"), text_value("rest", "")]);
        assert_eq!(test("/match", "(?<id>a)(b)").binds(), ["id"]);
        assert_eq!(test("/json", "{\"a\":{{id:=}}}").binds(), ["id"]);
    }

    #[test]
    fn pings_are_passed_over_unless_expected() {
        let ping = Incoming::Ping(Bytes::new());
        assert!(!test("/any", "").sees(&ping) && !test("/pong", "").sees(&ping));
        assert!(test("/ping", "").sees(&ping) && test("/ping", "").sees(&text("x")));
    }

    #[test]
    fn the_registry_has_no_doubles() {
        for (at, matcher) in MATCHERS.iter().enumerate() {
            assert!(matcher.name.is_empty() || matcher.name.starts_with('/'));
            assert!(
                MATCHERS[..at]
                    .iter()
                    .all(|other| other.name != matcher.name)
            );
        }
    }
}
