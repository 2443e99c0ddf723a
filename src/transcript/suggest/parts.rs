//! Two texts that say the same but for some values: where they differ, part by part.
//!
//! They are read side by side, word by word; a word is letters and digits. Where what stands between
//! the words is not the same, they are two different texts, and nothing is said of them.

use std::ops::Range;

/// What joins words into one value: `7f3a-09`, `12:05`, `user_7`.
const JOINS: [&str; 4] = ["-", "_", ":", "."];

/// A part of the first text, and what stands in its place in the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// In bytes of the first text.
    pub at: Range<usize>,
    pub what: Difference,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    Same,
    /// The value of that number in both.
    Known(usize),
    /// Another one in the second text.
    Changed(String),
}

/// Aligns two texts; `known` are values of the first with those of the second. `None` where they do
/// not say the same.
pub(super) fn align(here: &str, there: &str, known: &[(String, String)]) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let (mut at, mut other) = (0, 0);
    while at < here.len() {
        let (mine, theirs) = (&here[at..], &there[other..]);
        let (length, other_length, what) = match longest(mine, theirs, known) {
            Some(number) => {
                let (value, their) = &known[number];
                (value.len(), their.len(), Difference::Known(number))
            }
            None => {
                let (word, their) = (word(mine), word(theirs));
                match (word.is_empty(), their.is_empty()) {
                    (false, false) if word == their => (word.len(), their.len(), Difference::Same),
                    (false, false) => {
                        let changed = Difference::Changed(their.to_owned());
                        (word.len(), their.len(), changed)
                    }
                    (true, true) => {
                        let between = mine.chars().next()?;
                        if !theirs.starts_with(between) {
                            return None;
                        }
                        (between.len_utf8(), between.len_utf8(), Difference::Same)
                    }
                    _ => return None,
                }
            }
        };
        push(&mut parts, here, at..at + length, what);
        at += length;
        other += other_length;
    }
    (other == there.len()).then_some(parts)
}

/// The longest known value that both begin with, as words of their own; the first of the same.
fn longest(here: &str, there: &str, known: &[(String, String)]) -> Option<usize> {
    let is_whole = |text: &str, value: &str| {
        text.strip_prefix(value)
            .is_some_and(|rest| word(rest).is_empty() || word(value).is_empty())
    };
    let found = known.iter().enumerate().filter(|(_, (value, other))| {
        !value.is_empty() && is_whole(here, value) && is_whole(there, other)
    });
    found
        .min_by_key(|(_, (value, _))| std::cmp::Reverse(value.len()))
        .map(|(number, _)| number)
}

/// The letters and digits at the beginning.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric());
    &text[..end.unwrap_or(text.len())]
}

/// Adds a part; what is the same becomes one part, and so do changes that only a joint parts.
fn push(parts: &mut Vec<Part>, here: &str, at: Range<usize>, what: Difference) {
    if let (Some(last), Difference::Same) = (parts.last_mut(), &what)
        && last.what == Difference::Same
    {
        last.at.end = at.end;
        return;
    }
    if let ([.., before, joint], Difference::Changed(word)) = (&mut parts[..], &what)
        && let Difference::Changed(words) = &mut before.what
        && JOINS.contains(&&here[joint.at.clone()])
    {
        *words = format!("{words}{}{word}", &here[joint.at.clone()]);
        before.at.end = at.end;
        parts.pop();
        return;
    }
    parts.push(Part { at, what });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first text with `<number>` for what is known and `[other]` for what changed.
    fn shown(here: &str, there: &str) -> Option<String> {
        let known = [("7", "9"), ("room 7f3a", "room 81cc"), ("7f3a", "81cc")];
        let known = known.map(|(here, there)| (here.to_owned(), there.to_owned()));
        let parts = align(here, there, &known)?;
        let parts = parts.into_iter().map(|part| match part.what {
            Difference::Same => here[part.at].to_owned(),
            Difference::Known(number) => format!("<{number}>"),
            Difference::Changed(word) => format!("[{word}]"),
        });
        Some(parts.collect())
    }

    #[test]
    fn texts_are_aligned_word_by_word() {
        for (here, there, parts) in [
            ("a b", "a b", Some("a b")),
            ("user 7!", "user 9!", Some("user <0>!")),
            ("/rooms/7f3a/x", "/rooms/81cc/x", Some("/rooms/<2>/x")),
            ("room 7f3a", "room 81cc", Some("<1>")),
            (
                "user-7 at 12:05",
                "user-9 at 13:06",
                Some("user-<0> at [13:06]"),
            ),
            ("id ab-cd.", "id ef-01.", Some("id [ef-01].")),
            ("é7 17 7a", "é9 19 9a", Some("[é9] [19] [9a]")),
            ("a b", "a c d", None),
            ("a", "a!", None),
            ("a, b", "a b", None),
            ("", "", Some("")),
        ] {
            assert_eq!(shown(here, there).as_deref(), parts, "{here} {there}");
        }
    }
}
