//! A text in rows of a width: its own lines, and long ones cut between glyphs.

use std::ops::Range;

use crate::text::glyph::{Glyph, glyphs};
use crate::text::sanitize::Layout;

/// The rows of a text, as ranges of its bytes without line feeds.
pub(super) struct Rows<'a> {
    text: &'a str,
    columns: usize,
    /// Where the next row begins; `None` after the last.
    next: Option<usize>,
}

impl<'a> Rows<'a> {
    pub(super) const fn of(text: &'a str, columns: usize) -> Self {
        Self {
            text,
            columns,
            next: Some(0),
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.next?;
        let rest = &self.text[start..];
        let line_end = rest.find('\n').map_or(self.text.len(), |at| start + at);
        let mut used = 0;
        for glyph in glyphs(&self.text.as_bytes()[start..line_end], Layout::Line) {
            if used > 0 && used + glyph.width > self.columns {
                self.next = Some(start + glyph.at);
                return Some(start..start + glyph.at);
            }
            used += glyph.width;
        }
        self.next = (line_end < self.text.len()).then_some(line_end + 1);
        Some(start..line_end)
    }
}

/// The glyphs of a row, their places counted in the whole text.
pub(super) fn row_glyphs<'a>(text: &'a str, row: &Range<usize>) -> impl Iterator<Item = Glyph<'a>> {
    let start = row.start;
    glyphs(&text.as_bytes()[row.clone()], Layout::Line).map(move |glyph| Glyph {
        at: start + glyph.at,
        ..glyph
    })
}

/// The byte of a line that is shown in a column, or its end.
pub(super) fn at_column(line: &str, column: usize) -> usize {
    let mut used = 0;
    for glyph in glyphs(line.as_bytes(), Layout::Line) {
        if used + glyph.width > column {
            return glyph.at;
        }
        used += glyph.width;
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, columns: usize) -> Vec<&str> {
        Rows::of(text, columns).map(|row| &text[row]).collect()
    }

    #[test]
    fn rows_end_at_line_feeds_and_where_the_width_does() {
        assert_eq!(rows("", 5), [""]);
        assert_eq!(rows("hello world", 5), ["hello", " worl", "d"]);
        assert_eq!(rows("a\n\nb\n", 5), ["a", "", "b", ""]);
        assert_eq!(rows("日本語", 5), ["日本", "語"]);
        assert_eq!(rows("ab", 0), ["a", "b"]);
    }

    #[test]
    fn a_column_is_found_in_any_line() {
        assert_eq!(at_column("日本語", 3), 3);
        assert_eq!(at_column("ab", 7), 2);
        assert_eq!(at_column("", 3), 0);
    }
}
