//! Writes text into a row of a buffer, glyph by glyph: nothing is obeyed, nothing leaves the row.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::text::glyph::{Glyph, glyphs};
use crate::text::sanitize::Layout;

/// A place in a row, moving right.
pub(super) struct Pen<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    y: u16,
    /// The column after the last of the row.
    end: u16,
}

impl<'a> Pen<'a> {
    /// At the beginning of the first row of an area. An area without rows has no room.
    pub(super) fn new(buffer: &'a mut Buffer, area: Rect) -> Self {
        let row = area.intersection(buffer.area);
        Self {
            buffer,
            x: row.x,
            y: row.y,
            end: if row.height == 0 { row.x } else { row.right() },
        }
    }

    /// At the beginning of a row of an area, counted from 0. A row that is not there has no room.
    pub(super) fn row(buffer: &'a mut Buffer, area: Rect, row: usize) -> Self {
        Self::new(buffer, row_of(area, row))
    }

    /// Columns that are left.
    pub(super) fn room(&self) -> usize {
        usize::from(self.end - self.x)
    }

    pub(super) const fn column(&self) -> u16 {
        self.x
    }

    /// Writes as much as there is room for.
    pub(super) fn put(&mut self, text: &str, style: Style) {
        for glyph in glyphs(text.as_bytes(), Layout::Line) {
            if !self.put_glyph(&glyph, style) {
                break;
            }
        }
    }

    /// Writes a glyph whole or not at all; says whether it was written.
    pub(super) fn put_glyph(&mut self, glyph: &Glyph<'_>, style: Style) -> bool {
        if glyph.width > self.room() {
            self.end = self.x;
            return false;
        }
        let (x, _) = self
            .buffer
            .set_stringn(self.x, self.y, &glyph.shown, glyph.width, style);
        self.x = x;
        true
    }

    /// Leaves columns as they are.
    pub(super) fn skip(&mut self, columns: usize) {
        self.x += u16::try_from(columns.min(self.room())).unwrap_or_default();
    }
}

/// The row of an area, counted from 0; empty where there is none.
pub(super) fn row_of(area: Rect, row: usize) -> Rect {
    match u16::try_from(row) {
        Ok(row) if row < area.height => Rect::new(area.x, area.y + row, area.width, 1),
        _ => Rect::new(area.x, area.y, 0, 0),
    }
}
