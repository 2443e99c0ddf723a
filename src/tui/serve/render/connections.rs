//! The list of connections.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Context, pane, pane_name};
use crate::model::event::ConnId;
use crate::model::units::{Thousands, show_duration};
use crate::text::{glyph, sanitize};
use crate::tui::serve::layout::below_names;
use crate::tui::serve::order::Column;
use crate::tui::serve::scene::Connection;
use crate::tui::serve::state::Focus;
use crate::tui::widget::numbers::{compact, short};
use crate::tui::widget::pane::inside;

/// A column of the list: how wide it is, and how soon it gives way where there is no room.
struct Shown {
    column: Column,
    width: usize,
    rank: u8,
}

/// How narrow paths are shown at least.
const PATH: usize = 8;
/// Columns of the time since it opened.
const AGE: usize = 6;

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let (state, theme, area) = (context.state, context.theme, context.layout.connections);
    let direction = match (state.is_descending, theme.glyphs.ascii) {
        (true, true) => "v",
        (true, false) => "▾",
        (false, true) => "^",
        (false, false) => "▴",
    };
    let count = Thousands(state.rows.len() as u64);
    let title = Line::from(vec![
        pane_name("Connections", 1, theme),
        Span::styled(
            format!("{count}  by {} {direction}", state.sort.name()),
            theme.dim,
        ),
    ]);
    pane(context, area, Some(Focus::Connections), title, buffer);
    let inner = inside(area);
    let columns = columns(context, usize::from(inner.width));
    names(context, &columns, inner, buffer);
    let rows = below_names(area);
    if state.rows.is_empty() {
        let text = format!("nobody is connected yet: wscope {}", context.scene.url);
        let room = usize::from(rows.width).saturating_sub(1);
        buffer.set_stringn(rows.x + 1, rows.y, text, room, theme.dim);
    }
    let shown = state.rows.iter().skip(state.top);
    for (y, id) in (rows.top()..rows.bottom()).zip(shown) {
        let row = Rect {
            y,
            height: 1,
            ..rows
        };
        if let Some(connection) = context.scene.connections.get(id) {
            line(context, &columns, *id, connection, row, buffer);
        }
    }
}

/// The columns that fit into so many, the path as wide as the others let it be.
fn columns(context: &Context<'_>, room: usize) -> Vec<Shown> {
    let scene = context.scene;
    let has_users = scene
        .connections
        .values()
        .any(|connection| connection.user.is_some());
    let wide = room >= 90;
    let shown = |column, width, rank| Shown {
        column,
        width,
        rank,
    };
    let mut columns = vec![
        shown(Column::Number, 5, 0),
        shown(Column::Address, if wide { 21 } else { 15 }, 1),
        shown(Column::Path, PATH, 0),
    ];
    if has_users {
        columns.push(shown(Column::User, if wide { 14 } else { 9 }, 4));
    }
    if !scene.rooms.is_empty() {
        columns.push(shown(Column::Rooms, 5, 5));
    }
    columns.extend([
        shown(Column::Received, 5, 0),
        shown(Column::Sent, 5, 0),
        shown(Column::Queue, 6, 0),
        shown(Column::RoundTrip, 7, 2),
    ]);
    let total = |columns: &[Shown]| columns.iter().map(|shown| shown.width + 1).sum::<usize>();
    // The marker and the age stand around them.
    let room = room.saturating_sub(1 + AGE);
    while total(&columns) > room {
        let most = columns.iter().map(|shown| shown.rank).max().unwrap_or(0);
        if most == 0 {
            break;
        }
        columns.retain(|shown| shown.rank != most);
    }
    let rest = room.saturating_sub(total(&columns));
    let path = columns
        .iter_mut()
        .find(|shown| shown.column == Column::Path);
    if let Some(path) = path {
        path.width += rest;
    }
    columns
}

fn names(context: &Context<'_>, columns: &[Shown], area: Rect, buffer: &mut Buffer) {
    let (state, theme) = (context.state, context.theme);
    let mut line = Line::from(" ");
    for shown in columns {
        let style = if shown.column == state.sort {
            theme.title
        } else {
            theme.dim
        };
        let text = padded(context, shown, shown.column.name());
        line.push_span(Span::styled(text, style));
    }
    line.push_span(Span::styled(format!("{:>AGE$}", "age"), theme.dim));
    if area.height > 0 {
        buffer.set_line(area.x, area.y, &line, area.width);
    }
}

fn line(
    context: &Context<'_>,
    columns: &[Shown],
    id: ConnId,
    connection: &Connection,
    area: Rect,
    buffer: &mut Buffer,
) {
    let is_chosen = context.state.chosen == Some(id);
    let mut line = Line::from(if is_chosen { ">" } else { " " });
    for shown in columns {
        let (text, style) = cell(context, shown.column, id, connection);
        line.push_span(Span::styled(padded(context, shown, &text), style));
    }
    let age = age(context.now.saturating_sub(connection.since).as_secs());
    line.push_span(Span::styled(format!("{age:>AGE$}"), context.theme.dim));
    buffer.set_line(area.x, area.y, &line, area.width);
    if is_chosen {
        buffer.set_style(area, context.theme.selected);
    }
}

fn cell(
    context: &Context<'_>,
    column: Column,
    id: ConnId,
    connection: &Connection,
) -> (String, Style) {
    let theme = context.theme;
    let queued = compact(connection.queued as u64);
    match column {
        Column::Number => (id.to_string(), theme.dim),
        Column::Address => (connection.open.peer.clone(), theme.text),
        Column::Path => (connection.path.to_string(), theme.text),
        Column::User => (connection.user.clone().unwrap_or_default(), theme.text),
        Column::Rooms => (connection.places.len().to_string(), theme.text),
        Column::Received => (short(connection.received.messages), theme.incoming),
        Column::Sent => (short(connection.sent.messages), theme.outgoing),
        Column::Queue if connection.dropped > 0 => (format!("!{queued}"), theme.error),
        Column::Queue if connection.queued > 0 => (queued, theme.hint),
        Column::Queue => ("0".to_owned(), theme.dim),
        Column::RoundTrip => {
            let rtt = connection.rtt.map(show_duration);
            (rtt.unwrap_or_else(|| "-".to_owned()), theme.text)
        }
    }
}

/// As wide as its column, and a space: words on the left of it, numbers on the right.
fn padded(context: &Context<'_>, shown: &Shown, text: &str) -> String {
    let is_word = matches!(shown.column, Column::Address | Column::Path | Column::User);
    let ascii = context.theme.glyphs.ascii;
    let text = glyph::fit(&sanitize::line(text), shown.width, ascii);
    let gap = " ".repeat(shown.width.saturating_sub(glyph::width(&text)));
    if is_word {
        format!("{text}{gap} ")
    } else {
        format!("{gap}{text} ")
    }
}

/// `12s`, `3m12s`, `4h07m`, `12d`.
pub(super) fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..360_000 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d", seconds / 86_400),
    }
}
