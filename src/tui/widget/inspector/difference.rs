//! The comparison with the marked entry, as rows.

use super::details::{Part, Tone, Words};
use super::{Subject, size};
use crate::model::event::{Direction, What};
use crate::view::diff::{self, Sign};

pub(super) fn rows(subject: &Subject<'_>) -> Vec<Words> {
    let said = |text: &str| vec![vec![Part::new(Tone::Hint, text)]];
    let Some(marked) = subject.marked else {
        return said("mark another message first, then compare");
    };
    let (What::Message { message: new, .. }, What::Message { message: old, .. }) =
        (&subject.entry.event.what, &marked.event.what)
    else {
        return said("only messages are compared");
    };
    let diff = diff::compare(old, new);
    let (old_size, new_size) = (size(old.payload.len()), size(new.payload.len()));
    let mut rows = vec![
        vec![
            Part::new(Tone::Changed(Direction::Out), "-"),
            Part::new(Tone::Plain, format!(" #{}  {old_size}", marked.number)),
        ],
        vec![
            Part::new(Tone::Changed(Direction::In), "+"),
            Part::new(
                Tone::Plain,
                format!(" #{}  {new_size}", subject.entry.number),
            ),
        ],
        vec![Part::new(Tone::Dim, diff.note)],
        Vec::new(),
    ];
    for line in diff.lines {
        let (sign, tone, dir) = match line.sign {
            Sign::Same => ("  ", Tone::Plain, Direction::In),
            Sign::Removed => ("- ", Tone::Error, Direction::Out),
            Sign::Added => ("+ ", Tone::Good, Direction::In),
            Sign::Skipped => ("~ ", Tone::Dim, Direction::In),
        };
        let mut row = vec![Part::new(tone, sign)];
        let mut at = 0;
        for changed in line.changed {
            row.push(Part::new(tone, &line.text[at..changed.start]));
            row.push(Part::new(Tone::Changed(dir), &line.text[changed.clone()]));
            at = changed.end;
        }
        row.push(Part::new(tone, &line.text[at..]));
        rows.push(row);
    }
    rows
}
