//! The log: what happens, newest last.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Context, pane, pane_name};
use crate::model::units::Thousands;
use crate::tui::connect::row::{Kind, clock};
use crate::tui::connect::search::Search;
use crate::tui::serve::keymap::Verb;
use crate::tui::serve::row::row;
use crate::tui::serve::state::{Focus, Overlay};
use crate::tui::widget::pane::inside;
use crate::view::ring::Entry;

/// Draws it; returns where the cursor is while a filter is typed.
pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) -> Option<Position> {
    let area = context.layout.log;
    pane(context, area, Some(Focus::Log), title(context), buffer);
    let inner = inside(area);
    let ring = &context.scene.ring;
    let list = &context.state.log;
    let rows = list.rows(ring, usize::from(inner.height));
    if rows.is_empty() {
        let text = match &list.search {
            Some(_) => " no hits",
            None => " nothing yet",
        };
        buffer.set_stringn(
            inner.x,
            inner.y,
            text,
            usize::from(inner.width),
            context.theme.dim,
        );
    }
    for (y, entry) in (inner.top()..inner.bottom()).zip(rows) {
        let at = Rect {
            y,
            height: 1,
            ..inner
        };
        line(context, entry, at, buffer);
    }
    typing(context, buffer)
}

fn title(context: &Context<'_>) -> Line<'static> {
    let (list, theme, ring) = (&context.state.log, context.theme, &context.scene.ring);
    let mut title = Line::from(pane_name("Log", 3, theme));
    let place = if list.follows() {
        Span::styled(format!("{} following", Thousands(ring.last())), theme.dim)
    } else {
        let chosen = list.chosen(ring).map_or(0, |entry| entry.number);
        let key = context.key(Verb::Last);
        let text = format!("{chosen}/{} ({key} follow)", ring.last());
        Span::styled(text, theme.hint)
    };
    title.push_span(place);
    if list.hides_control() {
        let text = format!("  no pings ({})", context.key(Verb::Control));
        title.push_span(Span::styled(text, theme.dim));
    }
    if ring.evicted() > 0 {
        let text = format!("  {} older left", Thousands(ring.evicted()));
        title.push_span(Span::styled(text, theme.dim));
    }
    if let Some(search) = &list.search {
        title.push_span(Span::styled(
            format!("  filter: {}", search.text),
            theme.text,
        ));
        title.push_span(hits(context, search));
    }
    title
}

fn hits(context: &Context<'_>, search: &Search) -> Span<'static> {
    let theme = context.theme;
    if let Some(problem) = search.problem() {
        return Span::styled(format!("  {problem}"), theme.error);
    }
    let more = if search.is_behind(&context.scene.ring) {
        "+"
    } else {
        ""
    };
    let count = Thousands(search.count() as u64);
    Span::styled(format!("  {count}{more} hits"), theme.hit)
}

fn line(context: &Context<'_>, entry: &Entry, area: Rect, buffer: &mut Buffer) {
    let (state, theme) = (context.state, context.theme);
    let is_wide = area.width >= 90;
    let mut time = clock(entry.event.time, &state.setup.zone);
    time.truncate(if is_wide { 12 } else { 8 });
    let conn = entry.event.conn.map(|conn| format!("#{conn}"));
    let before = time.len() + 2 + 7 + 3 + 5 + 8;
    let row = row(entry, usize::from(area.width).saturating_sub(before));
    let kind = match row.kind {
        Kind::Incoming => theme.incoming,
        Kind::Outgoing => theme.outgoing,
        Kind::Control | Kind::Happening => theme.control,
        Kind::Trouble => theme.error,
    };
    let preview = match row.kind {
        Kind::Incoming | Kind::Outgoing => theme.text,
        Kind::Control | Kind::Happening => theme.dim,
        Kind::Trouble => theme.error,
    };
    let line = Line::from(vec![
        Span::styled(format!(" {time} "), theme.dim),
        Span::styled(format!("{:>6} ", conn.unwrap_or_default()), theme.title),
        Span::styled(format!("{} {:<4} ", row.sign, row.op), kind),
        Span::styled(format!("{:>6}  ", row.size), theme.dim),
        Span::styled(row.preview, preview),
    ]);
    buffer.set_line(area.x, area.y, &line, area.width);
    let chosen = state.log.chosen(&context.scene.ring);
    let is_chosen = chosen.is_some_and(|chosen| chosen.number == entry.number);
    if is_chosen && !state.log.follows() && state.focus == Focus::Log {
        buffer.set_style(area, theme.selected);
    }
}

/// The filter while it is typed, on the last row of the pane.
fn typing(context: &Context<'_>, buffer: &mut Buffer) -> Option<Position> {
    let Some(Overlay::Filter { line, .. }) = &context.state.overlay else {
        return None;
    };
    let (area, theme) = (context.layout.log, context.theme);
    let foot = Rect {
        x: area.x + 2,
        y: area.bottom().saturating_sub(1),
        width: area.width.saturating_sub(4),
        height: area.height.min(1),
    };
    let label = " filter: ";
    buffer.set_stringn(
        foot.x,
        foot.y,
        format!("{label:<width$}", width = usize::from(foot.width)),
        usize::from(foot.width),
        theme.title,
    );
    let field = Rect {
        x: foot.x + 9,
        width: foot.width.saturating_sub(10),
        ..foot
    };
    line.render(field, buffer, theme.text)
}
