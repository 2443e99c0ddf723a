//! Values that changed between two recordings of the same conversation, as suggestions: what is used
//! again becomes a capture, what is not is accepted whatever it is.
//!
//! The two are read side by side, step by step: values in the JSON of messages, parts of its strings,
//! and parts of other texts and of URLs ([`parts`]). Only what both recordings confirm is suggested:
//! a value that has the one form here and the other there in each of its places.

mod parts;

use std::collections::BTreeSet;
use std::ops::Range;

use regex::escape as escape_regex;
use serde_json::Value;

use self::parts::{Difference, Part, align};
use super::json::{push_token, value_range};
use super::syntax::{Sending, Source, Statement, Step, Text, Transcript};
use super::template::{self, Template, check_new_name, escape};

/// The first recording with the suggestions in it, and what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestions {
    pub text: String,
    /// A sentence each, in the order of the lines.
    pub notes: Vec<String>,
    /// Whether the two part: they are not the same conversation.
    pub parted: bool,
}

/// A text of one recording and the one in its place in the other.
struct Pair<'t> {
    text: &'t Text,
    other: &'t Text,
    role: Role,
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The URL of a connect.
    Url,
    Sent,
    /// What is expected; where its matcher's word begins, and whether it is a text as it stands.
    Expected {
        start: usize,
        is_text: bool,
    },
}

impl Role {
    const fn is_expected(self) -> bool {
        matches!(self, Self::Expected { .. })
    }

    fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::Expected { is_text, .. }, Self::Expected { is_text: text, .. }) => {
                is_text == text
            }
            _ => self == other,
        }
    }
}

/// A value that changed, where it was seen first.
struct Changed {
    here: Value,
    there: Value,
    /// What it would be called.
    base: String,
    /// The variable that stands for it, once it was seen again.
    name: Option<String>,
    /// The message that it comes with, by its number; before that the variable has no value.
    message: usize,
    line: usize,
    place: Place,
}

/// Where a value is found in what comes.
enum Place {
    /// In JSON: the value in the source, and where `let` would stand.
    Json {
        at: Range<usize>,
        let_at: usize,
        pointer: String,
    },
    /// In a text, of [`Suggester::texts`].
    Text,
}

/// A text that is expected and has values in it that changed.
struct Changing {
    /// In the source, with the matcher's word.
    at: Range<usize>,
    line: usize,
    pieces: Vec<Piece>,
}

enum Piece {
    Literal(String),
    /// The name of a value that was seen before.
    Known(String),
    /// A value that is seen here first.
    New(usize),
}

/// Something to be written instead of a part of the source.
struct Edit {
    at: Range<usize>,
    text: String,
}

/// Reads two recordings side by side; both without what they include.
pub fn suggest(first: &Transcript, second: &Transcript) -> Suggestions {
    let source = first
        .sources
        .first()
        .cloned()
        .unwrap_or_else(|| Source::new("", ""));
    let mut suggester = Suggester {
        source: &source,
        changed: Vec::new(),
        texts: Vec::new(),
        message: 0,
        names: BTreeSet::new(),
        edits: Vec::new(),
        notes: Vec::new(),
        parted: false,
    };
    let (here, there) = (texts(&first.statements), texts(&second.statements));
    for ((role, text), (same, other)) in here.iter().zip(&there) {
        if !role.is_like(*same) {
            let line = source.place(text.span.start).line;
            let note = format!("from line {line} on the recordings have different steps");
            suggester.notes.push(note);
            suggester.parted = true;
            break;
        }
        suggester.message += 1;
        suggester.pair(&Pair {
            text,
            other,
            role: *role,
        });
    }
    suggester.finish()
}

/// The URLs and the texts of messages.
fn texts(statements: &[Statement]) -> Vec<(Role, &Text)> {
    let texts = statements
        .iter()
        .filter_map(|statement| match &statement.step {
            Step::Connect(connect) => Some((Role::Url, &connect.url)),
            Step::Send(send) => match &send.sending {
                Sending::Text(text) | Sending::Json(text) => Some((Role::Sent, text)),
                Sending::Wire { .. } | Sending::File { .. } => None,
            },
            Step::Expect(expect) => {
                let expectation = &expect.expectation;
                let role = Role::Expected {
                    start: expectation.span.start,
                    is_text: expectation.matcher.is_empty(),
                };
                match expectation.matcher {
                    "" | "/json" | "/exactly" => Some((role, &expectation.text)),
                    _ => None,
                }
            }
            _ => None,
        });
    texts.collect()
}

struct Suggester<'s> {
    source: &'s Source,
    changed: Vec<Changed>,
    texts: Vec<Changing>,
    /// The number of the one that is looked at.
    message: usize,
    names: BTreeSet<String>,
    edits: Vec<Edit>,
    notes: Vec<String>,
    parted: bool,
}

impl Suggester<'_> {
    fn pair(&mut self, pair: &Pair<'_>) {
        if pair.text.raw == pair.other.raw {
            return;
        }
        if pair.text.lines.is_empty() || pair.other.lines.is_empty() {
            // A /text: its parts stand nowhere as they are.
            let line = self.line(pair.text);
            self.notes.push(format!("line {line}: the text changed"));
            return;
        }
        let parse = |text: &Text| {
            let value = serde_json::from_str::<Value>(&text.raw).ok();
            // A number or a word alone is a text like others.
            value.filter(|value| value.is_object() || value.is_array())
        };
        match (parse(pair.text), parse(pair.other)) {
            (Some(here), Some(there)) => self.values(pair, &here, &there, &mut String::new()),
            _ => self.text(pair),
        }
    }

    // --- JSON ----------------------------------------------------------------------------------

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
        let at = self.place(pair.text, &range);
        let line = self.line(pair.text);
        let is_known = |changed: &Changed| {
            changed.here == *here && changed.there == *there && changed.message < self.message
        };
        if let Some(known) = self.changed.iter().position(is_known)
            && is_telling(here)
        {
            let name = self.name(known);
            let text = if pair.role.is_expected() {
                format!("\"{{{{{name}}}}}\"")
            } else {
                format!("{{{{{name}}}}}")
            };
            self.notes
                .push(format!("line {line}: {pointer} is {{{{{name}}}}}"));
            self.edits.push(Edit { at, text });
        } else if here.is_string() && there.is_string() && self.string(pair, pointer, range) {
            // It is made of values that are known.
        } else if pair.role.is_expected() {
            let last = pointer.rsplit('/').next().unwrap_or_default();
            self.changed.push(Changed {
                here: here.clone(),
                there: there.clone(),
                base: last.to_owned(),
                name: None,
                message: self.message,
                line,
                place: Place::Json {
                    at,
                    let_at: self.after(pair.text),
                    pointer: pointer.to_owned(),
                },
            });
        } else {
            self.notes.push(format!(
                "line {line}: {pointer} was sent as {here} and as {there}"
            ));
        }
    }

    /// A string of JSON that differs only in values that are known, as it is written.
    fn string(&mut self, pair: &Pair<'_>, pointer: &str, range: Range<usize>) -> bool {
        let Some(other) = value_range(&pair.other.raw, pointer) else {
            return false;
        };
        let inside = |range: Range<usize>| range.start + 1..range.end - 1;
        let (range, other) = (inside(range), inside(other));
        let known = self.known(|text| {
            let quoted = Value::from(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        });
        let (here, there) = (&pair.text.raw[range.clone()], &pair.other.raw[other]);
        let Some(parts) = align(here, there, &known) else {
            return false;
        };
        if parts
            .iter()
            .any(|part| matches!(part.what, Difference::Changed(_)))
        {
            return false;
        }
        self.name_parts(pair.text, range.start, &parts, pointer);
        true
    }

    // --- other texts ---------------------------------------------------------------------------

    fn text(&mut self, pair: &Pair<'_>) {
        let line = self.line(pair.text);
        let raw = &pair.text.raw;
        let known = self.known(str::to_owned);
        let Some(parts) = align(raw, &pair.other.raw, &known) else {
            let advice = match pair.role {
                Role::Expected { .. } => ": /match or /contains says what matters",
                Role::Sent | Role::Url => "",
            };
            self.notes
                .push(format!("line {line}: the text changed{advice}"));
            return;
        };
        let is_new = |part: &Part| matches!(part.what, Difference::Changed(_));
        match pair.role {
            Role::Expected {
                start,
                is_text: true,
            } if parts.iter().any(is_new) => self.changing(pair.text, start, &parts),
            _ => self.name_parts(pair.text, 0, &parts, "the text"),
        }
    }

    /// Puts names in the place of values that are known, and tells of those that are not.
    fn name_parts(&mut self, text: &Text, start: usize, parts: &[Part], what: &str) {
        let line = self.line(text);
        for part in parts {
            let range = start + part.at.start..start + part.at.end;
            match &part.what {
                Difference::Same => {}
                Difference::Known(known) => {
                    let name = self.name(*known);
                    self.notes
                        .push(format!("line {line}: a part of {what} is {{{{{name}}}}}"));
                    self.edits.push(Edit {
                        at: self.place(text, &range),
                        text: format!("{{{{{name}}}}}"),
                    });
                }
                Difference::Changed(there) => {
                    let here = &text.raw[range];
                    self.notes.push(format!(
                        "line {line}: a part of {what} was {here} and {there}"
                    ));
                }
            }
        }
    }

    /// A text that is expected, with values that are new in it.
    fn changing(&mut self, text: &Text, start: usize, parts: &[Part]) {
        let at = start..self.place(text, &(text.raw.len()..text.raw.len())).end;
        let line = self.line(text);
        // A /match stands on one line.
        if self.source.text[at.clone()].contains('\n') {
            self.notes.push(format!(
                "line {line}: the text changed: /match or /contains says what matters"
            ));
            return;
        }
        let mut pieces = Vec::with_capacity(parts.len());
        let mut before = "";
        for part in parts {
            let here = &text.raw[part.at.clone()];
            pieces.push(match &part.what {
                Difference::Same => {
                    before = here;
                    Piece::Literal(here.to_owned())
                }
                Difference::Known(known) => Piece::Known(self.name(*known)),
                Difference::Changed(there) => {
                    self.changed.push(Changed {
                        here: here.into(),
                        there: there.as_str().into(),
                        base: label(before).to_owned(),
                        name: None,
                        message: self.message,
                        line,
                        place: Place::Text,
                    });
                    Piece::New(self.changed.len() - 1)
                }
            });
        }
        self.texts.push(Changing { at, line, pieces });
    }

    // --- values --------------------------------------------------------------------------------

    /// The values of earlier messages, in both forms, as texts; an empty one stands for what is no id.
    fn known(&self, written: impl Fn(&str) -> String) -> Vec<(String, String)> {
        let text = |value: &Value| match value {
            Value::String(text) => escape(&written(text)),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        self.changed
            .iter()
            .map(|changed| {
                if changed.message < self.message {
                    (text(&changed.here), text(&changed.there))
                } else {
                    (String::new(), String::new())
                }
            })
            .collect()
    }

    /// The name of a value that is used again; it gets one where it has none.
    fn name(&mut self, at: usize) -> String {
        if let Some(name) = self.changed[at].name.clone() {
            return name;
        }
        let base = Some(self.changed[at].base.as_str())
            .filter(|base| check_new_name(base).is_ok())
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

    // --- the source ----------------------------------------------------------------------------

    fn line(&self, text: &Text) -> usize {
        self.source.place(text.span.start).line
    }

    /// Where in the source a part of a text stands that is on one line.
    fn place(&self, text: &Text, range: &Range<usize>) -> Range<usize> {
        let start = text.position(range.start);
        start..start + range.len()
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
        for changing in std::mem::take(&mut self.texts) {
            self.match_text(&changing);
        }
        for changed in std::mem::take(&mut self.changed) {
            self.capture(changed);
        }
        let number = |note: &String| {
            let digits = note.trim_start_matches("line ").split(':').next();
            digits.and_then(|digits| digits.parse::<usize>().ok())
        };
        self.notes
            .sort_by_key(|note| number(note).unwrap_or(usize::MAX));
        let mut text = self.source.text.clone();
        self.edits.sort_by_key(|edit| edit.at.start);
        for edit in self.edits.iter().rev() {
            if text.is_char_boundary(edit.at.start) && text.is_char_boundary(edit.at.end) {
                text.replace_range(edit.at.clone(), &edit.text);
            }
        }
        Suggestions {
            text,
            notes: self.notes,
            parted: self.parted,
        }
    }

    /// `/match`, with a group for each value that changed: named, where it is used again.
    fn match_text(&mut self, changing: &Changing) {
        let mut pattern = "/match ^".to_owned();
        for piece in &changing.pieces {
            match piece {
                Piece::Literal(text) => pattern.push_str(&in_regex(text)),
                Piece::Known(name) => pattern.push_str(&format!("{{{{{name}}}}}")),
                Piece::New(new) => pattern.push_str(&match &self.changed[*new].name {
                    Some(name) => format!(r"(?<{name}>\S+)"),
                    None => r"\S+".to_owned(),
                }),
            }
        }
        pattern.push('$');
        let line = changing.line;
        self.notes.push(format!(
            "line {line}: the text changed: /match accepts both"
        ));
        self.edits.push(Edit {
            at: changing.at.clone(),
            text: pattern,
        });
    }

    fn capture(&mut self, changed: Changed) {
        let line = changed.line;
        let (here, there) = (&changed.here, &changed.there);
        match (changed.place, changed.name) {
            (Place::Text, None) => {}
            (Place::Text, Some(name)) => self.notes.push(format!(
                "line {line}: {here} was {there}, and it is used again: /match names it {{{{{name}}}}}"
            )),
            (
                Place::Json {
                    at,
                    let_at,
                    pointer,
                },
                name,
            ) => {
                let what = format!("line {line}: {pointer} was {here} and {there}");
                self.edits.push(Edit {
                    at,
                    text: "\"{{*}}\"".to_owned(),
                });
                let Some(name) = name else {
                    self.notes
                        .push(format!("{what}: \"{{{{*}}}}\" accepts both"));
                    return;
                };
                self.notes.push(format!(
                    "{what}, and it is used again: let {name} = {pointer}"
                ));
                let pointer = escape(&pointer);
                self.edits.push(Edit {
                    at: let_at..let_at,
                    text: format!("  let {name} = {pointer}\n"),
                });
            }
        }
    }
}

/// Text as a regular expression that matches it; what stands for a value goes on to do so.
fn in_regex(raw: &str) -> String {
    let Ok(template) = Template::parse(raw) else {
        return escape_regex(raw);
    };
    let parts = template.parts.iter().map(|part| match &part.what {
        template::Piece::Literal(text) => escape(&escape_regex(text)),
        template::Piece::Placeholder(_) => raw[part.at.clone()].to_owned(),
    });
    parts.collect()
}

/// Whether a value says by itself where it comes from: true and null do not.
const fn is_telling(value: &Value) -> bool {
    !matches!(value, Value::Bool(_) | Value::Null)
}

/// What a value is called by the text before it: `room` of `the room: `, nothing of `it is `.
fn label(before: &str) -> &str {
    let text = before.trim_end();
    let text = match text.strip_suffix(['=', ':', '/', '#']) {
        Some(text) => text.trim_end(),
        None => return "",
    };
    let start = text.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[start.map_or(0, |at| at + 1)..]
}

#[cfg(test)]
mod tests;
