//! Two messages held against each other, line by line.
//!
//! Where both are JSON, they are compared as JSON: indented alike, members in the order of the first,
//! strings by value, numbers as they were written, and without the commas that say nothing. All other
//! text is compared by its lines, and bytes by the lines of their dumps. The first [`MOST_BYTES`] of
//! each are compared, and no longer than [`PATIENCE`]: then the difference is coarser, and still true.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{Algorithm, ChangeTag, DiffOp, TextDiff};

use crate::model::message::Message;
use crate::text::json::members::Level;
use crate::text::json::scan::MAX_DEPTH;
use crate::text::{hex, sanitize};

const MOST_BYTES: usize = 256 * 1024;
const PATIENCE: Duration = Duration::from_millis(200);

/// Equal lines that are shown around a difference.
const CONTEXT: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Same,
    Removed,
    Added,
    /// Stands for equal lines that are left out.
    Skipped,
}

/// One line, harmless to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub sign: Sign,
    pub text: String,
    /// The bytes of the text that make the difference, where only a part does.
    pub changed: Vec<Range<usize>>,
}

/// What is different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// No lines where nothing is.
    pub lines: Vec<Line>,
    /// How the two were compared, and what was left out.
    pub note: String,
}

/// What makes the second message another than the first.
pub fn compare(old: &Message, new: &Message) -> Diff {
    let is_cut = old.payload.len().max(new.payload.len()) > MOST_BYTES;
    let head = |message: &Message| {
        message
            .payload
            .slice(..message.payload.len().min(MOST_BYTES))
    };
    let (old_bytes, new_bytes) = (head(old), head(new));
    let json = || {
        let old = std::str::from_utf8(&old_bytes).ok()?;
        let new = std::str::from_utf8(&new_bytes).ok()?;
        json_lines(old, new)
    };
    let (old_lines, new_lines, how) = match json() {
        Some((old, new)) => (old, new, "as JSON"),
        None if old.is_text() && new.is_text() => {
            (text_lines(&old_bytes), text_lines(&new_bytes), "by line")
        }
        None => (dump_lines(&old_bytes), dump_lines(&new_bytes), "by bytes"),
    };
    let lines = different(&old_lines, &new_lines);
    let verdict = match (lines.is_empty(), old.payload == new.payload) {
        (true, true) => "no difference",
        (true, false) if !is_cut => "no difference as JSON; the bytes differ",
        (true, false) => "no difference in the part that was compared",
        (false, _) => "compared",
    };
    let mut note = match lines.is_empty() {
        true => verdict.to_owned(),
        false => format!("{verdict} {how}"),
    };
    if is_cut {
        note.push_str(", the first 262 kB of each");
    }
    Diff { lines, note }
}

fn different(old: &[String], new: &[String]) -> Vec<Line> {
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    let deadline = Instant::now() + PATIENCE;
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Patience)
        .deadline(deadline)
        .diff_slices(&old, &new);
    let mut lines = Vec::new();
    let mut shown = 0;
    for group in diff.grouped_ops(CONTEXT) {
        let Some(first) = group.first() else {
            continue;
        };
        skip(&mut lines, first.old_range().start - shown);
        for op in &group {
            shown = op.old_range().end;
            lines.extend(lines_of(&diff, op, deadline));
        }
    }
    if !lines.is_empty() {
        skip(&mut lines, old.len() - shown);
    }
    lines
}

fn skip(lines: &mut Vec<Line>, count: usize) {
    if count > 0 {
        let lines_word = if count == 1 { "line" } else { "lines" };
        lines.push(Line {
            sign: Sign::Skipped,
            text: format!("{count} equal {lines_word}"),
            changed: Vec::new(),
        });
    }
}

fn lines_of<'a>(diff: &'a TextDiff<'a, 'a, 'a, str>, op: &DiffOp, deadline: Instant) -> Vec<Line> {
    diff.iter_inline_changes_deadline(op, Some(deadline))
        .map(|change| {
            let mut line = Line {
                sign: match change.tag() {
                    ChangeTag::Equal => Sign::Same,
                    ChangeTag::Delete => Sign::Removed,
                    ChangeTag::Insert => Sign::Added,
                },
                text: String::new(),
                changed: Vec::new(),
            };
            for (is_changed, part) in change.iter_strings_lossy() {
                let start = line.text.len();
                line.text.push_str(part.trim_end_matches('\n'));
                if is_changed {
                    line.changed.push(start..line.text.len());
                }
            }
            line
        })
        .collect()
}

fn text_lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .map(|line| sanitize::line(line).into_owned())
        .collect()
}

fn dump_lines(bytes: &[u8]) -> Vec<String> {
    hex::dump(bytes).lines().map(str::to_owned).collect()
}

/// Both as lines of indented JSON; `None` unless both are objects or arrays.
fn json_lines(old: &str, new: &str) -> Option<(Vec<String>, Vec<String>)> {
    let mut lines = (Vec::new(), Vec::new());
    Level::of(old)?;
    Level::of(new)?;
    write(&mut lines.0, "", old, None, 0);
    write(&mut lines.1, "", new, Some(old), 0);
    Some(lines)
}

/// Adds the lines of a value; its members come in the order of `like`, where that has them too.
fn write(lines: &mut Vec<String>, lead: &str, value: &str, like: Option<&str>, depth: usize) {
    let indent = "  ".repeat(depth);
    let level = if depth < MAX_DEPTH {
        Level::of(value)
    } else {
        None
    };
    let like = like.and_then(Level::of);
    match level {
        Some(Level::Object(members)) if !members.is_empty() => {
            lines.push(format!("{indent}{lead}{{"));
            let model = match &like {
                Some(Level::Object(model)) => model.as_slice(),
                _ => &[],
            };
            let places: HashMap<&str, usize> = model
                .iter()
                .enumerate()
                .map(|(at, (name, _))| (name.as_str(), at))
                .collect();
            let place = |name: &str| places.get(name).copied().unwrap_or(usize::MAX);
            let mut members = members;
            members.sort_by_key(|(name, _)| place(name));
            for (name, value) in &members {
                let like = model.get(place(name)).map(|(_, value)| value.get());
                let lead = format!("{}: ", quoted(name));
                write(lines, &lead, value.get(), like, depth + 1);
            }
            lines.push(format!("{indent}}}"));
        }
        Some(Level::Array(elements)) if !elements.is_empty() => {
            lines.push(format!("{indent}{lead}["));
            let model = match &like {
                Some(Level::Array(model)) => model.as_slice(),
                _ => &[],
            };
            for (at, element) in elements.iter().enumerate() {
                let like = model.get(at).map(|element| element.get());
                write(lines, "", element.get(), like, depth + 1);
            }
            lines.push(format!("{indent}]"));
        }
        Some(Level::Object(_)) => lines.push(format!("{indent}{lead}{{}}")),
        Some(Level::Array(_)) => lines.push(format!("{indent}{lead}[]")),
        None => {
            let scalar = match serde_json::from_str::<String>(value) {
                Ok(text) => quoted(&text),
                Err(_) => sanitize::line(value.trim()).into_owned(),
            };
            lines.push(format!("{indent}{lead}{scalar}"));
        }
    }
}

/// As a JSON string, harmless to show.
fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    sanitize::line(&quoted).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(old: &str, new: &str) -> (String, String) {
        let diff = compare(&Message::text(old), &Message::text(new));
        let lines: Vec<String> = diff
            .lines
            .iter()
            .map(|line| {
                let sign = match line.sign {
                    Sign::Same => ' ',
                    Sign::Removed => '-',
                    Sign::Added => '+',
                    Sign::Skipped => '~',
                };
                format!("{sign}{}", line.text)
            })
            .collect();
        (lines.join("\n"), diff.note)
    }

    #[test]
    fn json_is_compared_as_json() {
        let (lines, note) = shown(
            r#"{"id":7,"ok":true,"list":[1,2],"s":"\u00e9"}"#,
            r#"{"ok": false, "id": 7, "list":[1,2,3], "s":"é", "new":{}}"#,
        );
        assert_eq!(note, "compared as JSON");
        assert_eq!(
            lines,
            " {\n   \"id\": 7\n-  \"ok\": true\n+  \"ok\": false\n   \"list\": [\n     1\n     2\n+    3\n   ]\n   \"s\": \"é\"\n+  \"new\": {}\n }"
        );
    }

    #[test]
    fn the_part_that_changed_is_told() {
        let diff = compare(&Message::text("a one b"), &Message::text("a two b"));
        let removed = &diff.lines[0];
        assert_eq!(&removed.text[removed.changed[0].clone()], "one");
    }

    #[test]
    fn what_is_equal_says_so() {
        assert_eq!(shown("x", "x"), (String::new(), "no difference".into()));
        assert_eq!(
            shown(r#"{"a":1,"b":2}"#, r#"{ "b":2, "a":1}"#).1,
            "no difference as JSON; the bytes differ"
        );
    }

    #[test]
    fn equal_lines_far_away_are_left_out() {
        let long: Vec<String> = (0..40).map(|line| line.to_string()).collect();
        let mut other = long.clone();
        other[20] = "x".into();
        let (lines, _) = shown(&long.join("\n"), &other.join("\n"));
        assert!(lines.starts_with("~17 equal lines\n 17"), "{lines}");
        assert!(lines.ends_with(" 23\n~16 equal lines"), "{lines}");
    }

    #[test]
    fn bytes_are_compared_by_their_dumps_and_big_ones_in_part() {
        let diff = compare(
            &Message::binary(vec![0; MOST_BYTES + 1]),
            &Message::binary(vec![0; MOST_BYTES + 2]),
        );
        assert!(diff.note.contains("the first 262 kB"), "{}", diff.note);
        let diff = compare(&Message::binary(vec![0, 1]), &Message::binary(vec![0, 2]));
        assert!(diff.lines[0].text.starts_with("00000000  00 01"));
    }

    proptest! {
        #[test]
        fn any_two_texts_can_be_compared(old in "[\\[\\]{}\",:0-9a\\n\u{1b}é]{0,60}", new in "[\\[\\]{}\",:0-9a\\n\u{1b}é]{0,60}") {
            let diff = compare(&Message::text(old.clone()), &Message::text(new.clone()));
            for line in &diff.lines {
                prop_assert!(!line.text.chars().any(sanitize::is_hostile));
                for range in &line.changed {
                    prop_assert!(line.text.get(range.clone()).is_some());
                }
            }
            if old == new {
                prop_assert!(diff.lines.is_empty());
            }
        }
    }
}
