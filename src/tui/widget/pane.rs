//! Panes and what stands in their place: areas, borders, windows, rows of text.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget as _};

use crate::text::glyph;
use crate::tui::theme::Theme;

/// The smallest screen that is drawn.
const LEAST: Size = Size {
    width: 40,
    height: 10,
};

/// Whether a screen is large enough to be drawn; a smaller one shows nothing but [`too_small`].
pub(in crate::tui) const fn fits(size: Size) -> bool {
    size.width >= LEAST.width && size.height >= LEAST.height
}

/// The rows from the top, and the rest.
pub(in crate::tui) fn cut_top(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let top = Rect {
        height: rows,
        ..area
    };
    let rest = Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    };
    (top, rest)
}

/// The columns from the left, and the rest.
pub(in crate::tui) fn cut_left(area: Rect, columns: u16) -> (Rect, Rect) {
    let columns = columns.min(area.width);
    let left = Rect {
        width: columns,
        ..area
    };
    let rest = Rect {
        x: area.x + columns,
        width: area.width - columns,
        ..area
    };
    (left, rest)
}

/// Without the border.
pub(in crate::tui) const fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

/// A line across.
pub(in crate::tui) fn rule(area: Rect, buffer: &mut Buffer, theme: &Theme, style: Style) {
    for x in area.left()..area.right() {
        for y in area.top()..area.bottom() {
            buffer[(x, y)]
                .set_symbol(theme.glyphs.border.horizontal_top)
                .set_style(style);
        }
    }
}

/// A box.
pub(in crate::tui) fn boxed(area: Rect, buffer: &mut Buffer, theme: &Theme, style: Style) {
    Block::bordered()
        .border_set(theme.glyphs.border)
        .border_style(style)
        .render(area, buffer);
}

/// A text on a rule or a border, from its second column on, between blanks.
pub(in crate::tui) fn on_border(area: Rect, buffer: &mut Buffer, text: Line<'_>) {
    if area.width > 4 && area.height > 0 {
        let mut padded = Line::from(" ");
        padded.extend(text.spans);
        padded.push_span(" ");
        buffer.set_line(area.x + 1, area.y, &padded, area.width - 4);
    }
}

/// An empty box in the middle of the screen for so many columns and rows; returns what is inside.
pub(in crate::tui) fn window(
    title: &str,
    (width, height): (u16, u16),
    buffer: &mut Buffer,
    theme: &Theme,
) -> Rect {
    let screen = buffer.area;
    let width = width.saturating_add(4).min(screen.width);
    let height = height
        .saturating_add(2)
        .min(screen.height.saturating_sub(1));
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 3,
        width,
        height,
    };
    Clear.render(area, buffer);
    buffer.set_style(area, theme.text);
    boxed(area, buffer, theme, theme.focus);
    let title = Span::styled(title.to_owned(), theme.title);
    on_border(area, buffer, title.into());
    Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}

/// Says that the screen is too small for anything else.
pub(in crate::tui) fn too_small(buffer: &mut Buffer, theme: &Theme) {
    let screen = buffer.area;
    if screen.is_empty() {
        return;
    }
    let text = format!(
        "needs {}x{}, has {}x{}",
        LEAST.width, LEAST.height, screen.width, screen.height
    );
    let row = screen.y + screen.height / 2;
    buffer.set_stringn(screen.x, row, text, usize::from(screen.width), theme.hint);
}

/// Rows of at most so many columns, broken between words, and in a longer one.
pub(in crate::tui) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ') {
        if glyph::width(word) > columns {
            for letter in word.chars() {
                match rows.last_mut() {
                    Some(row) if glyph::width(row) + 2 <= columns => row.push(letter),
                    _ => rows.push(letter.to_string()),
                }
            }
            continue;
        }
        match rows.last_mut() {
            Some(row) if glyph::width(row) + 1 + glyph::width(word) <= columns => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_owned()),
        }
    }
    rows
}
