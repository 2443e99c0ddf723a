//! `--bless`: a file in which the expectation that failed says what came instead.
//!
//! The matcher stays what it is, and so do `let` and variables: of JSON only the value that differs
//! is replaced, or the smallest one around it that can be; and nothing that has a placeholder in it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::json::value_range;
use super::outcome::{Failure, StepOutcome};
use super::parse::parse;
use super::print::print;
use super::syntax::{Expect, Expectation, Peer, Source, Statement, Step, Text};
use super::template::{Template, escape};
use crate::model::secret::REDACTED;
use crate::text::hex::decode_hex;

/// The text of the file with one expectation rewritten.
///
/// # Errors
/// Why what came cannot be said in the same way.
pub fn blessed(text: &str, step: &StepOutcome, failure: &Failure) -> Result<String, String> {
    let Some(came) = &failure.message else {
        return Err("nothing came that could be written there".into());
    };
    let came = &came.text;
    if came.contains(REDACTED) {
        return Err("there is a secret in what came".into());
    }
    let source = Source::new(step.path.clone(), text);
    let statements = parse(text, 0).map_err(|_| "this is no transcript that parses".to_owned())?;
    let expectation = find(&statements, &|expectation| {
        source.place(expectation.span.start) == step.place
    });
    let expectation =
        expectation.ok_or("only lines that expect one message are rewritten".to_owned())?;
    let raw = argument(expectation, failure.pointer.as_deref(), came)?;
    let start = expectation.span.start;
    let end = expectation.text.span.end.max(expectation.span.end);
    let indent = source.line(step.place.line);
    let indent = &indent[..indent.len() - indent.trim_start_matches([' ', '\t']).len()];
    let written = written(expectation.matcher, raw).replace('\n', &format!("\n{indent}"));
    Ok(format!("{}{written}{}", &text[..start], &text[end..]))
}

/// What should follow the matcher's word.
fn argument(
    expectation: &Expectation,
    pointer: Option<&str>,
    came: &str,
) -> Result<String, String> {
    let raw = &expectation.text.raw;
    let other_kind = || format!("what came is something else: {}", word(came));
    let after = |word: &str| {
        let after = came.strip_prefix(word).map(str::trim_start).map(escape);
        after.ok_or_else(other_kind)
    };
    match expectation.matcher {
        "/json" | "/exactly" => json(raw, pointer, came),
        word @ ("/match" | "/contains") => {
            Err(format!("what a {word} is about is for people to say"))
        }
        "/none" => Err("something came where nothing should".into()),
        _ if !is_fixed(raw) => Err("a variable stands in it".into()),
        "" if came.starts_with("//") => Ok(escape(&came[1..])),
        "" if came.starts_with('/') => Err(other_kind()),
        "" => Ok(escape(came)),
        "/bin" => {
            let digits = came.strip_prefix("/bin hex:").ok_or_else(other_kind)?;
            let bytes = decode_hex(digits).map_err(|_| "what came is too long".to_owned())?;
            match raw.split_once(':') {
                Some(("hex" | "base64", _)) => Ok(format!("hex:{digits}")),
                Some(("sha256", _)) => Ok(format!("sha256:{}", hash(&bytes))),
                _ => Err("the bytes are those of a file".into()),
            }
        }
        word @ ("/close" | "/ping" | "/pong" | "/refused") => after(word),
        _ => Err(other_kind()),
    }
}

/// The JSON with another value where the pointer leads, or around that.
fn json(raw: &str, pointer: Option<&str>, came: &str) -> Result<String, String> {
    let json: serde_json::Value =
        serde_json::from_str(came).map_err(|_| "what came is not JSON".to_owned())?;
    let mut pointer = pointer.ok_or("a let finds nothing in what came".to_owned())?;
    loop {
        if let (Some(value), Some(range)) = (json.pointer(pointer), value_range(raw, pointer)) {
            let (before, after) = (&raw[..range.start], &raw[range.end..]);
            return if is_fixed(&raw[range]) {
                Ok(format!("{before}{}{after}", escape(&value.to_string())))
            } else {
                Err(format!("a variable stands in {}", place(pointer)))
            };
        }
        // What is missing on one of the sides is a difference of what is around it.
        let Some((around, _)) = pointer.rsplit_once('/') else {
            return Err("the JSON differs as a whole".into());
        };
        pointer = around;
    }
}

fn place(pointer: &str) -> &str {
    match pointer {
        "" => "the object that differs",
        pointer => pointer,
    }
}

fn is_fixed(raw: &str) -> bool {
    Template::parse(raw).is_ok_and(|template| template.literal().is_some())
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut digits, byte| {
            // Writing to a String never fails.
            let _ = write!(digits, "{byte:02x}");
            digits
        })
}

/// What kind of thing came.
fn word(came: &str) -> &str {
    match came.split_once(' ').map_or(came, |(word, _)| word) {
        word if word.starts_with('/') && !word.starts_with("//") => word,
        _ => "a text",
    }
}

/// An expectation as a file has it after `<` and a blank.
fn written(matcher: &'static str, raw: String) -> String {
    let expectation = Expectation {
        matcher,
        text: Text::new(raw),
        span: Default::default(),
    };
    let printed = print(&[Statement {
        span: Default::default(),
        step: Step::Expect(Expect {
            peer: Peer::UNNAMED,
            skip: false,
            expectation,
            within: None,
            captures: Vec::new(),
        }),
    }]);
    printed["<".len()..]
        .trim_start_matches(' ')
        .trim_end_matches('\n')
        .to_owned()
}

fn find<'s>(
    statements: &'s [Statement],
    wanted: &impl Fn(&Expectation) -> bool,
) -> Option<&'s Expectation> {
    statements
        .iter()
        .find_map(|statement| match &statement.step {
            Step::Expect(expect) => Some(&expect.expectation).filter(|one| wanted(one)),
            Step::Repeat { body, .. } => find(body, wanted),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::ExitCode;
    use crate::transcript::outcome::{Received, Sights, StepKind, StepResult};
    use crate::transcript::syntax::Place;

    fn bless(
        text: &str,
        place: (usize, usize),
        pointer: Option<&str>,
        came: &str,
    ) -> Result<String, String> {
        let place = Place {
            line: place.0,
            column: place.1,
        };
        let failure = Failure {
            code: ExitCode::NOT_MET,
            place,
            line: String::new(),
            pointer: pointer.map(Into::into),
            expected: String::new(),
            got: String::new(),
            message: Some(Received {
                text: came.into(),
                ordinal: None,
                after: Duration::ZERO,
            }),
            hint: None,
        };
        let step = StepOutcome {
            path: "t.wst".into(),
            place,
            peer: Peer::UNNAMED,
            line: String::new(),
            kind: StepKind::Expect,
            seen: Sights::default(),
            started: Duration::ZERO,
            latency: Duration::ZERO,
            result: StepResult::Skipped,
        };
        blessed(text, &step, &failure)
    }

    #[test]
    fn only_what_differs_is_rewritten() {
        for (text, place, pointer, came, expected) in [
            (
                "> a\n< b\n> c\n",
                (2, 3),
                None,
                "b{{x",
                "> a\n< b{{{{x\n> c\n",
            ),
            ("< b", (1, 3), None, "//x", "< //x"),
            (
                "a< /json { \"k\": 1, \"v\": \"{{*}}\" }\n  let x = /v\n",
                (1, 4),
                Some("/k"),
                "{\"k\":[2],\"v\":3}",
                "a< /json { \"k\": [2], \"v\": \"{{*}}\" }\n  let x = /v\n",
            ),
            (
                "< /close 1000",
                (1, 3),
                None,
                "/close 1011 oops",
                "< /close 1011 oops",
            ),
            (
                "repeat 2\n  < x\nend",
                (2, 5),
                None,
                "a\nb",
                "repeat 2\n  < \"\"\"\n    a\n    b\n    \"\"\"\nend",
            ),
            ("< \"\"\"\na\nb\n\"\"\"\n> x", (1, 3), None, "c", "< c\n> x"),
            (
                "< /exactly {\"a\":{\"b\":1},\"c\":{{x}}}",
                (1, 3),
                Some("/a/d"),
                "{\"a\":{\"d\":2},\"c\":1}",
                "< /exactly {\"a\":{\"d\":2},\"c\":{{x}}}",
            ),
            ("< /json {\"a\":1}", (1, 3), Some("/a"), "{}", "< /json {}"),
            (
                &format!("< /bin sha256:{}", "0".repeat(64)),
                (1, 3),
                None,
                "/bin hex:00ff",
                "< /bin sha256:06eb7d6a69ee19e5fbdf749018d3d2abfa04bcbd1365db312eb86dc7169389b8",
            ),
            (
                "< /bin base64:AA==",
                (1, 3),
                None,
                "/bin hex:00ff",
                "< /bin hex:00ff",
            ),
        ] {
            assert_eq!(
                bless(text, place, pointer, came).as_deref(),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_said_in_the_same_way_stays_and_says_why() {
        for (text, pointer, came, why) in [
            ("< a{{x}}", None, "b", "a variable stands in it"),
            ("< a", None, "/close 1000", "something else: /close"),
            (
                "< /json {\"a\":{{x}}}",
                Some("/a"),
                "{\"a\":1}",
                "a variable stands in /a",
            ),
            (
                "< /json {\"a\":1,\"b\":{{x}}}",
                Some("/a"),
                "{\"b\":1}",
                "a variable stands in the object that differs",
            ),
            ("< /json {\"a\":1}", None, "a", "not JSON"),
            ("< /json {\"a\":1}", None, "{}", "a let finds nothing"),
            ("< /match a", None, "b", "a /match is about"),
            ("< /contains a", None, "b", "a /contains is about"),
            ("< /none 1s", None, "b", "something came"),
            ("< /bin hex:00", None, "b", "something else: a text"),
            ("< /bin file:x", None, "/bin hex:00", "those of a file"),
            ("< /bin hex:00", None, "/bin hex:00...", "too long"),
            ("< a", None, "token ***", "secret"),
            ("> a", None, "b", "only lines that expect"),
        ] {
            let refused = bless(text, (1, 3), pointer, came).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
