//! How a sheet looks: its rows as glyphs, cut or wrapped, and dumps.

use std::ops::Range;

use bytes::Bytes;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{LEAD, Sheet, Source};
use crate::text::glyph::{Glyph, glyphs};
use crate::text::json;
use crate::text::json::scan::Class;
use crate::text::outline::Row;
use crate::text::sanitize::Layout;
use crate::tui::theme::Theme;
use crate::tui::widget::inspector::hits::Hits;
use crate::tui::widget::pen::Pen;

/// A glyph of a row with how it looks.
struct Cell<'a> {
    glyph: Glyph<'a>,
    style: Style,
}

impl Sheet {
    pub(in crate::tui::widget::inspector) fn render(
        &self,
        is_cut: bool,
        is_focused: bool,
        hits: &Hits,
        area: Rect,
        buffer: &mut Buffer,
        theme: &Theme,
    ) {
        if let Source::Hex(bytes) = &self.source {
            return self.render_hex(bytes, is_focused, hits, area, buffer, theme);
        }
        let height = usize::from(area.height);
        let mut line = 0;
        let mut row = self.top;
        while line < height && row < self.rows() {
            let fold = self.folds.at(row);
            let (sign, cells) = self.row(row, fold, hits, theme);
            let at_cursor = is_focused && row == self.cursor;
            let mut cells = cells.into_iter().peekable();
            let mut skipped = if is_cut { self.left } else { 0 };
            let first = line;
            while line < height && (line == first || cells.peek().is_some()) {
                let mut pen = Pen::row(buffer, area, line);
                let lead = if at_cursor && line == first { ">" } else { " " };
                pen.put(lead, theme.focus);
                pen.put(if line == first { sign } else { " " }, theme.dim);
                while let Some(cell) = cells.peek() {
                    if skipped > 0 {
                        skipped = skipped.saturating_sub(cell.glyph.width);
                    } else if cell.glyph.width > pen.room() {
                        break;
                    } else {
                        pen.put_glyph(&cell.glyph, cell.style);
                    }
                    cells.next();
                }
                // A glyph that is wider than the area would never be passed.
                if cells
                    .peek()
                    .is_some_and(|cell| cell.glyph.width + LEAD > self.width)
                {
                    cells.next();
                }
                line += 1;
                if is_cut {
                    break;
                }
            }
            row = self.folds.below(row);
        }
        if self.rows() == 0 {
            Pen::new(buffer, area).put("  (empty)", theme.dim);
        }
    }

    /// The sign before a row, and what it is made of.
    fn row(
        &self,
        row: usize,
        fold: Option<usize>,
        hits: &Hits,
        theme: &Theme,
    ) -> (&'static str, Vec<Cell<'_>>) {
        match &self.source {
            Source::Outline(outline) => {
                let rows = outline.rows_from(row, 1);
                let Some(row) = rows.first() else {
                    return (" ", Vec::new());
                };
                let sign = match (row.opens(), fold, theme.glyphs.ascii) {
                    (false, ..) => " ",
                    (true, None, false) => "▾",
                    (true, None, true) => "-",
                    (true, Some(_), false) => "▸",
                    (true, Some(_), true) => "+",
                };
                let mut cells = cells(outline.text(), row, hits, theme);
                if let Some(last) = fold {
                    let closing = match outline
                        .text()
                        .get(row.pieces.last().map_or(0, |piece| piece.bytes.start))
                    {
                        Some(b'[') => ']',
                        _ => '}',
                    };
                    let text = format!(" {} rows {closing}", last - row.number - 1);
                    cells.extend(own(text, theme.dim));
                }
                (sign, cells)
            }
            Source::Words(rows) => {
                let parts = rows.get(row).map_or(&[][..], Vec::as_slice);
                let cells = parts.iter().flat_map(|part| {
                    let style = part.tone.style(theme);
                    glyphs(part.text.as_bytes(), Layout::Line)
                        .map(move |glyph| Cell { glyph, style })
                });
                (" ", cells.collect())
            }
            Source::Hex(_) => (" ", Vec::new()),
        }
    }

    fn render_hex(
        &self,
        bytes: &Bytes,
        is_focused: bool,
        hits: &Hits,
        area: Rect,
        buffer: &mut Buffer,
        theme: &Theme,
    ) {
        let (per_row, group) = self.dump_row();
        for line in 0..usize::from(area.height) {
            let row = self.top + line;
            let start = row * per_row;
            if start >= bytes.len() {
                break;
            }
            let chunk = &bytes[start..bytes.len().min(start + per_row)];
            let mut pen = Pen::row(buffer, area, line);
            let lead = if is_focused && row == self.cursor {
                ">"
            } else {
                " "
            };
            pen.put(lead, theme.focus);
            pen.put(&format!("{start:07x}"), theme.dim);
            let found = hits.within(bytes, start..start + chunk.len());
            let style = |at: usize, base: Style| {
                if found.iter().any(|hit| hit.contains(&(start + at))) {
                    base.patch(hit_style(theme))
                } else {
                    base
                }
            };
            for at in 0..per_row {
                if at % group == 0 {
                    pen.put(" ", theme.text);
                }
                match chunk.get(at) {
                    Some(byte) => pen.put(&format!("{byte:02x}"), style(at, theme.text)),
                    None => pen.put("  ", theme.text),
                }
            }
            pen.put("  ", theme.text);
            for (at, byte) in chunk.iter().enumerate() {
                let (letter, base) = match byte {
                    b' '..=b'~' => (char::from(*byte), theme.json_string),
                    _ => ('.', theme.dim),
                };
                pen.put(letter.encode_utf8(&mut [0; 4]), style(at, base));
            }
        }
        if bytes.is_empty() {
            Pen::new(buffer, area).put("  (empty)", theme.dim);
        }
    }
}

/// Reversed too: among the colours of JSON one more would not be seen.
const fn hit_style(theme: &Theme) -> Style {
    theme.hit.add_modifier(Modifier::REVERSED)
}

fn cells<'a>(text: &'a [u8], row: &Row, hits: &Hits, theme: &Theme) -> Vec<Cell<'a>> {
    let mut cells: Vec<Cell<'a>> = own(" ".repeat(row.depth * 2), theme.text).collect();
    if let Some(fault) = row.fault {
        cells.extend(own(fault_text(fault), theme.error));
    }
    let bytes = match (row.pieces.first(), row.pieces.last()) {
        (Some(first), Some(last)) => first.bytes.start..last.bytes.end,
        _ => 0..0,
    };
    let found: Vec<Range<usize>> = hits.within(text, bytes);
    for piece in &row.pieces {
        let ink = piece.class.and_then(json::ink);
        let style = ink.map_or(theme.text, |ink| theme.ink(ink));
        let start = piece.bytes.start;
        for mut glyph in glyphs(&text[piece.bytes.clone()], Layout::Block) {
            glyph.at += start;
            let is_hit = found.iter().any(|hit| hit.contains(&glyph.at));
            cells.push(Cell {
                style: if is_hit {
                    style.patch(hit_style(theme))
                } else {
                    style
                },
                glyph,
            });
        }
        if piece.class == Some(Class::Colon) {
            cells.extend(own(" ".into(), theme.text));
        }
    }
    cells
}

pub(super) fn fault_text(fault: &str) -> String {
    format!("(not JSON from here: {fault}) ")
}

/// Text of our own, in ASCII, as cells.
fn own<'a>(text: String, style: Style) -> impl Iterator<Item = Cell<'a>> {
    text.into_bytes().into_iter().map(move |byte| Cell {
        glyph: Glyph {
            at: 0,
            len: 0,
            shown: char::from(byte).to_string().into(),
            width: 1,
        },
        style,
    })
}
