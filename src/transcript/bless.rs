//! `--bless`: a file in which the expectation that failed says what came instead.
//!
//! The matcher stays what it is, and so do `let` and variables: of JSON only the value that differs
//! is replaced, and nothing that has a placeholder in it.

use super::json::value_range;
use super::outcome::{Failure, StepOutcome};
use super::parse::parse;
use super::print::print;
use super::syntax::{Expect, Expectation, Peer, Source, Statement, Step, Text};
use super::template::{Template, escape};
use crate::model::secret::REDACTED;

/// The text of the file with one expectation rewritten; `None` where what came cannot be said in
/// the same way.
pub fn blessed(text: &str, step: &StepOutcome, failure: &Failure) -> Option<String> {
    let came = &failure.message.as_ref()?.text;
    if came.contains(REDACTED) {
        return None;
    }
    let source = Source {
        path: step.path.clone(),
        text: text.to_owned(),
    };
    let statements = parse(text, 0).ok()?;
    let expectation = find(&statements, &|expectation| {
        source.place(expectation.span.start) == step.place
    })?;
    let raw = argument(expectation, failure.pointer.as_deref(), came)?;
    let start = expectation.span.start;
    let end = expectation.text.span.end.max(expectation.span.end);
    let indent = source.line(step.place.line);
    let indent = &indent[..indent.len() - indent.trim_start_matches([' ', '\t']).len()];
    let written = written(expectation.matcher, raw).replace('\n', &format!("\n{indent}"));
    Some(format!("{}{written}{}", &text[..start], &text[end..]))
}

/// What should follow the matcher's word.
fn argument(expectation: &Expectation, pointer: Option<&str>, came: &str) -> Option<String> {
    let raw = &expectation.text.raw;
    let is_fixed =
        |raw: &str| Template::parse(raw).is_ok_and(|template| template.literal().is_some());
    let after = |word: &str| came.strip_prefix(word).map(str::trim_start).map(escape);
    match expectation.matcher {
        "/json" | "/exactly" => {
            let json: serde_json::Value = serde_json::from_str(came).ok()?;
            let value = json.pointer(pointer?)?.to_string();
            let range = value_range(raw, pointer?)?;
            is_fixed(&raw[range.clone()]).then(|| {
                format!(
                    "{}{}{}",
                    &raw[..range.start],
                    escape(&value),
                    &raw[range.end..]
                )
            })
        }
        _ if !is_fixed(raw) => None,
        "" if came.starts_with("//") => Some(escape(&came[1..])),
        "" if came.starts_with('/') => None,
        "" => Some(escape(came)),
        "/bin" if raw.starts_with("hex:") => after("/bin "),
        word @ ("/close" | "/ping" | "/pong" | "/refused") => after(word),
        _ => None,
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
    ) -> Option<String> {
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
        ] {
            assert_eq!(
                bless(text, place, pointer, came).as_deref(),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_said_in_the_same_way_stays() {
        for (text, pointer, came) in [
            ("< a{{x}}", None, "b"),
            ("< a", None, "/close 1000"),
            ("< /json {\"a\":{{x}}}", Some("/a"), "{\"a\":1}"),
            ("< /json {\"a\":1}", Some("/a"), "{}"),
            ("< /match a", None, "b"),
            ("< a", None, "token ***"),
        ] {
            assert_eq!(bless(text, (1, 3), pointer, came), None, "{text}");
        }
    }
}
