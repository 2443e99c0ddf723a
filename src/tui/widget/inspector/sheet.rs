//! One way to look at one entry: rows of some source, a cursor in them, and where the window is.

mod picture;

use bytes::Bytes;
use ratatui::layout::Size;

use super::details::{self, Words};
use super::difference;
use super::folds::Folds;
use super::{Subject, Tab};
use crate::text::glyph::{self, glyphs};
use crate::text::json::scan::Class;
use crate::text::outline::{Outline, Reading, Row};
use crate::text::sanitize::Layout;

use self::picture::fault_text;

/// Columns before a row: whether the cursor is there, and whether it can be unfolded.
const LEAD: usize = 2;

/// Columns of a dump that are no bytes: the cursor, the offset, and the gap before the letters.
const DUMP: usize = 10;

pub(super) struct Sheet {
    source: Source,
    folds: Folds,
    /// The first row of the window, and the row of the cursor.
    top: usize,
    cursor: usize,
    /// Columns that are scrolled away to the left.
    left: usize,
    /// A byte to go to as soon as its row is known.
    wanted: Option<usize>,
    width: usize,
}

enum Source {
    Outline(Outline),
    Hex(Bytes),
    Words(Vec<Words>),
}

impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sheet(row {})", self.cursor)
    }
}

impl Sheet {
    pub(super) fn open(tab: Tab, subject: &Subject<'_>) -> Self {
        let what = &subject.entry.event.what;
        let payload = details::payload(what);
        let source = match (tab, payload) {
            (Tab::Headers, _) => Source::Words(details::headers(subject)),
            (Tab::Diff, _) => Source::Words(difference::rows(subject)),
            (Tab::Json, Some(payload)) => Source::Outline(Outline::new(payload, Reading::Json)),
            (Tab::Hex, Some(payload)) => Source::Hex(payload),
            (_, Some(payload)) => Source::Outline(Outline::new(payload, Reading::Lines)),
            (_, None) => Source::Words(details::happening(what)),
        };
        Self {
            source,
            folds: Folds::default(),
            top: 0,
            cursor: 0,
            left: 0,
            wanted: None,
            width: 80,
        }
    }

    /// Reads on; says whether there is more to read.
    pub(super) fn work(&mut self, budget: usize) -> bool {
        let Source::Outline(outline) = &mut self.source else {
            return false;
        };
        let more = outline.work(budget);
        if let Some(at) = self.wanted
            && (at < outline.read() || !more)
        {
            self.wanted = None;
            let row = outline.row_at(at);
            self.reveal(row);
        }
        more
    }

    /// How much is read, in percent, where that is not all.
    pub(super) fn progress(&self) -> Option<usize> {
        let Source::Outline(outline) = &self.source else {
            return None;
        };
        let (read, all) = (outline.read(), outline.text().len());
        (read < all).then(|| read * 100 / all)
    }

    /// The payload, where rows are made of it.
    pub(super) const fn payload(&self) -> Option<&Bytes> {
        match &self.source {
            Source::Outline(outline) => Some(outline.text()),
            Source::Hex(bytes) => Some(bytes),
            Source::Words(_) => None,
        }
    }

    /// The rows of a sheet without a payload, as text.
    pub(super) fn words(&self) -> impl Iterator<Item = String> {
        let rows: &[Words] = match &self.source {
            Source::Words(rows) => rows,
            _ => &[],
        };
        rows.iter()
            .map(|row| row.iter().map(|part| part.text.as_str()).collect())
    }

    pub(super) const fn cursor(&self) -> usize {
        self.cursor
    }

    /// The byte at which the row of the cursor begins.
    pub(super) fn cursor_byte(&self) -> usize {
        match &self.source {
            Source::Outline(outline) => (outline.rows_from(self.cursor, 1).first())
                .and_then(|row| row.pieces.first())
                .map_or(0, |piece| piece.bytes.start),
            Source::Hex(_) => self.cursor * self.hex_row(),
            Source::Words(_) => 0,
        }
    }

    /// Moves the cursor to the row of a byte, as soon as that is known.
    pub(super) fn go_to_byte(&mut self, at: usize) {
        match &self.source {
            Source::Outline(_) => self.wanted = Some(at),
            Source::Hex(_) => self.reveal(at / self.hex_row()),
            Source::Words(_) => {}
        }
        self.work(0);
    }

    /// Moves the cursor to a row, out of whatever fold it is in.
    pub(super) fn reveal(&mut self, row: usize) {
        while let Some((first, _)) = self.folds.around(row)
            && first < row
        {
            self.folds.unfold(first);
        }
        self.cursor = row;
    }

    fn rows(&self) -> usize {
        match &self.source {
            Source::Outline(outline) => outline.rows(),
            Source::Hex(bytes) => bytes.len().div_ceil(self.hex_row()),
            Source::Words(rows) => rows.len(),
        }
    }

    /// Bytes in a row of a dump of this width, and how many of them stand without a gap.
    const fn dump_row(&self) -> (usize, usize) {
        // Each byte takes two digits and a letter, and each group a gap.
        match self.width.saturating_sub(DUMP) {
            64.. => (16, 1),
            56..64 => (16, 2),
            32..56 => (8, 1),
            _ => (4, 1),
        }
    }

    const fn hex_row(&self) -> usize {
        self.dump_row().0
    }

    pub(super) fn go_up(&mut self, rows: usize) -> bool {
        for _ in 0..rows {
            match self.folds.above(self.cursor) {
                Some(row) => self.cursor = row,
                None => break,
            }
        }
        true
    }

    pub(super) fn go_down(&mut self, rows: usize) -> bool {
        for _ in 0..rows {
            let below = self.folds.below(self.cursor);
            if below >= self.rows() {
                break;
            }
            self.cursor = below;
        }
        true
    }

    /// To a row, or the last one where there are fewer.
    pub(super) fn go_to(&mut self, row: usize) -> bool {
        let row = row.min(self.rows().saturating_sub(1));
        self.cursor = self.folds.around(row).map_or(row, |(first, _)| first);
        true
    }

    /// Folds or unfolds the container that the cursor's row opens; says whether it opens one.
    pub(super) fn fold(&mut self, folded: bool) -> bool {
        if !folded {
            return self.folds.unfold(self.cursor);
        }
        let Source::Outline(outline) = &self.source else {
            return false;
        };
        match outline.end_of(self.cursor) {
            Some(last) if self.folds.at(self.cursor).is_none() => {
                self.folds.fold(self.cursor, last);
                true
            }
            _ => false,
        }
    }

    pub(super) fn toggle(&mut self) -> bool {
        self.fold(false) || self.fold(true)
    }

    /// Folds everything big inside of the outermost container.
    pub(super) fn fold_all(&mut self) -> bool {
        let Source::Outline(outline) = &self.source else {
            return false;
        };
        for (first, last) in outline.spans().filter(|(first, _)| *first > 0) {
            self.folds.fold(first, last);
        }
        self.go_to(self.cursor)
    }

    pub(super) fn unfold_all(&mut self) -> bool {
        self.folds.clear();
        matches!(self.source, Source::Outline(_))
    }

    pub(super) const fn move_right(&mut self, columns: usize) -> bool {
        self.left += columns;
        true
    }

    pub(super) const fn move_left(&mut self, columns: usize) -> bool {
        self.left = self.left.saturating_sub(columns);
        true
    }

    /// Keeps the cursor in the rows and the window around the cursor.
    pub(super) fn settle(&mut self, size: Size, is_cut: bool) {
        let width = usize::from(size.width);
        if width != self.width && matches!(self.source, Source::Hex(_)) {
            let at = self.cursor_byte();
            self.width = width;
            self.cursor = at / self.hex_row();
        }
        self.width = width;
        self.cursor = self.cursor.min(self.rows().saturating_sub(1));
        if !is_cut {
            self.left = 0;
        }
        self.top = self.top.min(self.cursor);
        if let Some((first, _)) = self.folds.around(self.top) {
            self.top = first;
        }
        // The first row from which on everything to the cursor fits.
        let height = usize::from(size.height);
        let mut first = self.cursor;
        let mut lines = self.lines_of(first, is_cut);
        while first > self.top
            && let Some(above) = self.folds.above(first)
        {
            lines += self.lines_of(above, is_cut);
            if lines > height {
                break;
            }
            first = above;
        }
        self.top = self.top.max(first);
    }

    /// Lines that a row takes.
    fn lines_of(&self, row: usize, is_cut: bool) -> usize {
        if is_cut || matches!(self.source, Source::Hex(_)) {
            return 1;
        }
        let room = self.width.saturating_sub(LEAD).max(1);
        let columns = match &self.source {
            Source::Outline(outline) => {
                (outline.rows_from(row, 1).first()).map_or(0, |row| columns(outline.text(), row))
            }
            Source::Words(rows) => rows.get(row).map_or(0, |parts| {
                parts.iter().map(|part| glyph::width(&part.text)).sum()
            }),
            Source::Hex(_) => 0,
        };
        // A wide glyph may leave a column empty at each end of a line.
        columns.div_ceil(room.saturating_sub(1).max(1)).max(1)
    }
}

/// Columns that a row takes without wrapping.
fn columns(text: &[u8], row: &Row) -> usize {
    let pieces = row.pieces.iter().map(|piece| {
        let glyphs = glyphs(&text[piece.bytes.clone()], Layout::Block);
        let gap = usize::from(piece.class == Some(Class::Colon));
        glyphs.map(|glyph| glyph.width).sum::<usize>() + gap
    });
    let fault = row.fault.map_or(0, |fault| fault_text(fault).len());
    row.depth * 2 + fault + pieces.sum::<usize>()
}
