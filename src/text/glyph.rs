//! Text as a terminal lays it out: glyphs with their width in columns and the bytes that they stand
//! for.
//!
//! A glyph is one grapheme cluster, made safe as in [`sanitize`]: what would be obeyed or not be
//! seen is shown in its escaped form. A cluster that is nothing but combining marks is escaped too,
//! for it would sit on whatever stands left of it, and one that piles up more than [`MOST_MARKS`]
//! is cut there. So every glyph has one column at least, and text of any kind can be laid out by
//! adding widths.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::sanitize::{self, Layout};

/// Characters of one cluster: no language needs more, and towers of marks reach into other lines.
const MOST_MARKS: usize = 8;

/// What stands for a tab where tabs are obeyed.
const TAB: &str = "    ";

/// One grapheme cluster as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glyph<'a> {
    /// Where its bytes begin.
    pub at: usize,
    /// How many bytes it stands for.
    pub len: usize,
    pub shown: Cow<'a, str>,
    /// Columns; never 0.
    pub width: usize,
}

impl Glyph<'_> {
    pub const fn bytes(&self) -> Range<usize> {
        self.at..self.at + self.len
    }
}

/// The glyphs of bytes that should be UTF-8; each that is not is shown as `\xNN`.
pub fn glyphs(bytes: &[u8], layout: Layout) -> impl Iterator<Item = Glyph<'_>> {
    let mut start = 0;
    bytes.utf8_chunks().flat_map(move |chunk| {
        let at = start;
        let after = at + chunk.valid().len();
        start = after + chunk.invalid().len();
        let invalid = (chunk.invalid().iter().enumerate()).map(move |(offset, byte)| {
            let shown = format!("\\x{byte:02x}");
            Glyph {
                at: after + offset,
                len: 1,
                width: shown.len(),
                shown: Cow::Owned(shown),
            }
        });
        of_text(chunk.valid(), at, layout).chain(invalid)
    })
}

fn of_text(text: &str, start: usize, layout: Layout) -> impl Iterator<Item = Glyph<'_>> {
    (text.grapheme_indices(true)).flat_map(move |(at, cluster)| {
        pieces(cluster).map(move |(offset, piece)| glyph(start + at + offset, piece, layout))
    })
}

/// The cluster itself, or where it is a tower of marks, parts of it.
fn pieces(cluster: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = cluster;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = (rest.char_indices().nth(MOST_MARKS)).map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        let at = cluster.len() - rest.len();
        rest = after;
        Some((at, piece))
    })
}

fn glyph(at: usize, cluster: &str, layout: Layout) -> Glyph<'_> {
    let shown = match (cluster, layout) {
        ("\t", Layout::Block) => Cow::Borrowed(TAB),
        _ => sanitize::line(cluster),
    };
    let width = shown.width();
    let (shown, width) = if width == 0 {
        let escaped: String = cluster
            .chars()
            .map(|c| c.escape_unicode().to_string())
            .collect();
        let width = escaped.len();
        (Cow::Owned(escaped), width)
    } else {
        (shown, width)
    };
    Glyph {
        at,
        len: cluster.len(),
        shown,
        width,
    }
}

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    glyphs(text.as_bytes(), Layout::Line)
        .map(|glyph| glyph.width)
        .sum()
}

/// The beginning of a text that fits into so many columns, with `…` or `...` where it was cut.
pub fn fit(text: &str, columns: usize, ascii: bool) -> String {
    let mark = if ascii { "..." } else { "…" };
    let mark_width = if ascii { 3 } else { 1 };
    let mut shown = String::new();
    let mut used = 0;
    // Where the text would be cut, if it has to be.
    let mut cut = 0;
    for glyph in glyphs(text.as_bytes(), Layout::Line) {
        if used + glyph.width > columns {
            shown.truncate(cut);
            if columns >= mark_width {
                shown.push_str(mark);
            }
            return shown;
        }
        used += glyph.width;
        shown.push_str(&glyph.shown);
        if used + mark_width <= columns {
            cut = shown.len();
        }
    }
    shown
}

/// Both ends of a text that is too long for so many columns, with `…` or `...` between: those of an
/// address tell what it is.
pub fn ends(text: &str, columns: usize, ascii: bool) -> String {
    let mark = if ascii { "..." } else { "…" };
    let all: Vec<Glyph<'_>> = glyphs(text.as_bytes(), Layout::Line).collect();
    if all.iter().map(|glyph| glyph.width).sum::<usize>() <= columns {
        return joined(&all);
    }
    let Some(room) = columns.checked_sub(width(mark)) else {
        return String::new();
    };
    let end = fitting(all.iter().rev(), room / 2);
    let start = fitting(all.iter(), room - room / 2);
    joined(&all[..start]) + mark + &joined(&all[all.len() - end..])
}

/// How many of these glyphs fit into so many columns.
fn fitting<'a>(glyphs: impl Iterator<Item = &'a Glyph<'a>>, columns: usize) -> usize {
    let widths = glyphs.scan(0, |used, glyph| {
        *used += glyph.width;
        Some(*used)
    });
    widths.take_while(|used| *used <= columns).count()
}

fn joined(glyphs: &[Glyph<'_>]) -> String {
    glyphs.iter().map(|glyph| &*glyph.shown).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Vec<(String, usize)> {
        glyphs(text.as_bytes(), Layout::Line)
            .map(|glyph| (glyph.shown.into_owned(), glyph.width))
            .collect()
    }

    #[test]
    fn a_glyph_is_what_a_reader_takes_for_one_character() {
        let expect = |pairs: &[(&str, usize)]| {
            pairs
                .iter()
                .map(|(text, width)| ((*text).to_owned(), *width))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown("aé"), expect(&[("a", 1), ("é", 1)]));
        assert_eq!(shown("e\u{301}x"), expect(&[("e\u{301}", 1), ("x", 1)]));
        assert_eq!(shown("日本"), expect(&[("日", 2), ("本", 2)]));
        assert_eq!(shown("שלום").len(), 4);
        assert_eq!(shown("\u{1b}[2J")[0], ("\\x1b".to_owned(), 4));
        assert_eq!(shown("\u{202e}"), expect(&[("\\u{202e}", 8)]));
        assert_eq!(shown("\u{301}"), expect(&[("\\u{301}", 7)]));
    }

    #[test]
    fn a_tower_of_marks_is_cut() {
        let tower = format!("a{}", "\u{301}".repeat(40));
        let parts = shown(&tower);
        assert!(parts.len() > 1);
        assert!(parts.iter().all(|(_, width)| *width > 0));
    }

    #[test]
    fn a_text_is_cut_between_glyphs() {
        assert_eq!(fit("hello", 5, false), "hello");
        assert_eq!(fit("hello", 4, false), "hel…");
        assert_eq!(fit("hello", 4, true), "h...");
        assert_eq!(fit("日本語", 5, false), "日本…");
        assert_eq!(fit("日本語", 4, false), "日…");
        assert_eq!(fit("x", 0, false), "");
        assert_eq!(width("日\u{1b}"), 6);
        assert_eq!(ends("hello", 5, false), "hello");
        assert_eq!(ends("hello there", 6, false), "hel…re");
        assert_eq!(ends("hello there", 6, true), "he...e");
        assert_eq!(ends("日本語日本語", 7, false), "日…語");
        assert_eq!(ends("hello", 0, false), "");
    }

    proptest! {
        #[test]
        fn glyphs_cover_the_bytes_in_order(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in "\\PC{0,24}") {
            for bytes in [bytes.as_slice(), text.as_bytes()] {
                let mut at = 0;
                for glyph in glyphs(bytes, Layout::Block) {
                    prop_assert_eq!(glyph.at, at);
                    prop_assert!(glyph.len > 0 && glyph.width > 0);
                    prop_assert!(!glyph.shown.chars().any(sanitize::is_hostile));
                    at += glyph.len;
                }
                prop_assert_eq!(at, bytes.len());
            }
        }

        #[test]
        fn what_is_fitted_fits(text in "\\PC{0,24}", columns in 0_usize..20, ascii: bool) {
            prop_assert!(width(&fit(&text, columns, ascii)) <= columns);
            prop_assert!(width(&ends(&text, columns, ascii)) <= columns);
        }
    }
}
