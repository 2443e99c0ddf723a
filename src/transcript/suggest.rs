//! Values that changed between two recordings of the same conversation, as suggestions: what is used
//! again becomes a capture, what is not is accepted whatever it is.
//!
//! The two are read side by side, step by step. Values are compared in the JSON of messages; a text
//! that differs otherwise is only told of.

use std::collections::BTreeSet;

use serde_json::Value;

use super::json::{push_token, value_range};
use super::syntax::{Sending, Source, Statement, Step, Text, Transcript};
use super::template::{check_new_name, escape};

/// The first recording with the suggestions in it, and what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestions {
    pub text: String,
    /// A sentence each, in the order of the lines.
    pub notes: Vec<String>,
}

/// A message of one recording and the one in its place in the other.
struct Pair<'t> {
    text: &'t Text,
    other: &'t Text,
    is_expected: bool,
}

/// A value that changed, where it was seen first.
struct Changed {
    here: Value,
    there: Value,
    /// The variable that stands for it, once it was seen again.
    name: Option<String>,
    /// The place in the source of the value, and where `let` would stand.
    at: (usize, usize),
    let_at: usize,
    pointer: String,
    line: usize,
}

/// Something to be written instead of a part of the source.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

/// Reads two recordings side by side; both without what they include.
pub fn suggest(first: &Transcript, second: &Transcript) -> Suggestions {
    let source = first.sources.first().cloned().unwrap_or(Source {
        path: String::new(),
        text: String::new(),
    });
    let mut suggester = Suggester {
        source: &source,
        changed: Vec::new(),
        names: BTreeSet::new(),
        edits: Vec::new(),
        notes: Vec::new(),
    };
    let (here, there) = (messages(&first.statements), messages(&second.statements));
    for ((is_expected, text), (same, other)) in here.iter().zip(&there) {
        if is_expected != same {
            let line = source.place(text.span.start).line;
            let note = format!("from line {line} on the recordings have different steps");
            suggester.notes.push(note);
            break;
        }
        suggester.pair(&Pair {
            text,
            other,
            is_expected: *is_expected,
        });
    }
    suggester.finish()
}

/// The texts of messages, and whether they are expected.
fn messages(statements: &[Statement]) -> Vec<(bool, &Text)> {
    let texts = statements
        .iter()
        .filter_map(|statement| match &statement.step {
            Step::Send(send) => match &send.sending {
                Sending::Text(text) | Sending::Json(text) => Some((false, text)),
                Sending::Wire { .. } | Sending::File { .. } => None,
            },
            Step::Expect(expect) => match expect.expectation.matcher {
                "" | "/json" | "/exactly" => Some((true, &expect.expectation.text)),
                _ => None,
            },
            _ => None,
        });
    texts.collect()
}

struct Suggester<'s> {
    source: &'s Source,
    changed: Vec<Changed>,
    names: BTreeSet<String>,
    edits: Vec<Edit>,
    notes: Vec<String>,
}

impl Suggester<'_> {
    fn pair(&mut self, pair: &Pair<'_>) {
        if pair.text.raw == pair.other.raw {
            return;
        }
        let parse = |text: &Text| serde_json::from_str::<Value>(&text.raw).ok();
        match (parse(pair.text), parse(pair.other)) {
            (Some(here), Some(there)) => self.values(pair, &here, &there, &mut String::new()),
            _ => {
                let line = self.line(pair.text);
                let advice = if pair.is_expected {
                    ": /match or /contains says what matters"
                } else {
                    ""
                };
                self.notes
                    .push(format!("line {line}: the text changed{advice}"));
            }
        }
    }

    fn values(&mut self, pair: &Pair<'_>, here: &Value, there: &Value, pointer: &mut String) {
        match (here, there) {
            _ if here == there => {}
            (Value::Object(here), Value::Object(there)) => {
                for (name, value) in here {
                    if let Some(other) = there.get(name) {
                        self.deeper(pair, name, (value, other), pointer);
                    }
                }
            }
            (Value::Array(here), Value::Array(there)) if here.len() == there.len() => {
                for (at, pair_of) in here.iter().zip(there).enumerate() {
                    self.deeper(pair, &at.to_string(), pair_of, pointer);
                }
            }
            _ => self.value(pair, here, there, pointer),
        }
    }

    fn deeper(
        &mut self,
        pair: &Pair<'_>,
        token: &str,
        (here, there): (&Value, &Value),
        pointer: &mut String,
    ) {
        let length = pointer.len();
        push_token(pointer, token);
        self.values(pair, here, there, pointer);
        pointer.truncate(length);
    }

    /// A value that is not the same in both.
    fn value(&mut self, pair: &Pair<'_>, here: &Value, there: &Value, pointer: &str) {
        let Some(range) = value_range(&pair.text.raw, pointer) else {
            return;
        };
        let start = pair.text.position(range.start);
        let end = start + range.len();
        let line = self.line(pair.text);
        let known = self
            .changed
            .iter()
            .position(|changed| changed.here == *here && changed.there == *there);
        if let Some(known) = known {
            let name = self.name(known);
            let text = if pair.is_expected {
                format!("\"{{{{{name}}}}}\"")
            } else {
                format!("{{{{{name}}}}}")
            };
            self.notes
                .push(format!("line {line}: {pointer} is {{{{{name}}}}}"));
            self.edits.push(Edit { start, end, text });
        } else if pair.is_expected {
            self.changed.push(Changed {
                here: here.clone(),
                there: there.clone(),
                name: None,
                at: (start, end),
                let_at: self.after(pair.text),
                pointer: pointer.to_owned(),
                line,
            });
        } else {
            self.notes.push(format!(
                "line {line}: {pointer} was sent as {here} and as {there}"
            ));
        }
    }

    /// The name of a value that is used again; it gets one where it has none.
    fn name(&mut self, at: usize) -> String {
        if let Some(name) = self.changed[at].name.clone() {
            return name;
        }
        let last = self.changed[at].pointer.rsplit('/').next();
        let base = last
            .filter(|token| check_new_name(token).is_ok())
            .unwrap_or("value");
        let numbered = (2..).map(|number| format!("{base}{number}"));
        let name = std::iter::once(base.to_owned())
            .chain(numbered)
            .find(|name| !self.names.contains(name))
            .unwrap_or_else(|| base.to_owned());
        self.names.insert(name.clone());
        self.changed[at].name = Some(name.clone());
        name
    }

    fn line(&self, text: &Text) -> usize {
        self.source.place(text.span.start).line
    }

    /// Where the line after a text begins, its closing quotes passed over.
    fn after(&self, text: &Text) -> usize {
        let source = &self.source.text;
        let next = |from: usize| {
            source[from..]
                .find('\n')
                .map_or(source.len(), |at| from + at + 1)
        };
        let end = next(text.position(text.raw.len()).min(source.len()));
        let line = source[end..].lines().next().unwrap_or_default().trim();
        if line.len() >= 3 && line.bytes().all(|byte| byte == b'"') {
            next(end)
        } else {
            end
        }
    }

    fn finish(mut self) -> Suggestions {
        for changed in std::mem::take(&mut self.changed) {
            let (pointer, line) = (&changed.pointer, changed.line);
            let (here, there) = (&changed.here, &changed.there);
            let what = format!("line {line}: {pointer} was {here} and {there}");
            self.edits.push(Edit {
                start: changed.at.0,
                end: changed.at.1,
                text: "\"{{*}}\"".to_owned(),
            });
            let Some(name) = changed.name else {
                self.notes
                    .push(format!("{what}: \"{{{{*}}}}\" accepts both"));
                continue;
            };
            self.notes.push(format!(
                "{what}, and it is used again: let {name} = {pointer}"
            ));
            let pointer = escape(pointer);
            self.edits.push(Edit {
                start: changed.let_at,
                end: changed.let_at,
                text: format!("  let {name} = {pointer}\n"),
            });
        }
        let number = |note: &String| {
            let digits = note.trim_start_matches("line ").split(':').next();
            digits.and_then(|digits| digits.parse::<usize>().ok())
        };
        self.notes
            .sort_by_key(|note| number(note).unwrap_or(usize::MAX));
        let mut text = self.source.text.clone();
        self.edits.sort_by_key(|edit| edit.start);
        for edit in self.edits.iter().rev() {
            if text.is_char_boundary(edit.start) && text.is_char_boundary(edit.end) {
                text.replace_range(edit.start..edit.end, &edit.text);
            }
        }
        Suggestions {
            text,
            notes: self.notes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::parse::parse;

    fn transcript(text: &str) -> Transcript {
        Transcript {
            sources: vec![Source {
                path: "a.wst".into(),
                text: text.into(),
            }],
            statements: parse(text, 0).unwrap(),
        }
    }

    #[test]
    fn what_is_used_again_is_captured_and_what_is_not_is_accepted() {
        let recording = |id: u32, time: &str, session: &str| {
            format!(
                "# kept\nconnect ws://h/\n> {{\"type\":\"join\"}}\n\
                 < /json {{\"member\":{{\"id\":{id}}},\"time\":\"{time}\",\"room\":\"a\"}}\n\
                 > {{\"to\":{id},\"text\":\"hi\"}}\n\
                 < /json \"\"\"\n  {{\n    \"from\": {id}, \"session\": \"{session}\"\n  }}\n  \"\"\"\n\
                 > {{\"session\":\"{session}\"}}\n"
            )
        };
        let first = transcript(&recording(7, "12:00", "s-1"));
        let second = transcript(&recording(9, "12:05", "s-2"));
        let suggestions = suggest(&first, &second);
        assert_eq!(
            suggestions.text,
            "# kept\nconnect ws://h/\n> {\"type\":\"join\"}\n\
             < /json {\"member\":{\"id\":\"{{*}}\"},\"time\":\"{{*}}\",\"room\":\"a\"}\n\
             \u{20} let id = /member/id\n\
             > {\"to\":{{id}},\"text\":\"hi\"}\n\
             < /json \"\"\"\n  {\n    \"from\": \"{{id}}\", \"session\": \"{{*}}\"\n  }\n  \"\"\"\n\
             \u{20} let session = /session\n\
             > {\"session\":{{session}}}\n"
        );
        assert!(parse(&suggestions.text, 0).is_ok());
        assert!(
            suggestions.notes[0]
                .starts_with("line 4: /member/id was 7 and 9, and it is used again"),
            "{:#?}",
            suggestions.notes
        );
    }

    #[test]
    fn what_cannot_be_suggested_is_told_of() {
        let first = transcript("connect ws://h/\n< hello 1\n> {\"n\":1}\n< a\n> b\n");
        let second = transcript("connect ws://h/\n< hello 2\n> {\"n\":2}\n> b\n");
        let suggestions = suggest(&first, &second);
        assert_eq!(suggestions.text, first.sources[0].text);
        assert_eq!(
            suggestions.notes,
            [
                "line 2: the text changed: /match or /contains says what matters",
                "line 3: /n was sent as 1 and as 2",
                "from line 4 on the recordings have different steps",
            ]
        );
    }
}
