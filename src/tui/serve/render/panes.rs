//! The rooms, and what went wrong.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::{Context, pane, pane_name};
use crate::model::units::Thousands;
use crate::text::{glyph, sanitize};
use crate::tui::serve::state::Focus;
use crate::tui::widget::numbers::short;
use crate::tui::widget::pane::{inside, wrap};

/// Columns of the numbers behind a name.
const NUMBERS: usize = 15;

pub(super) fn rooms(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, theme, scene) = (context.layout.rooms, context.theme, context.scene);
    if area.is_empty() {
        return;
    }
    let title = Line::from(vec![
        pane_name("Rooms", 2, theme),
        Span::styled(
            format!("{}  members, messages", Thousands(scene.rooms.len() as u64)),
            theme.dim,
        ),
    ]);
    pane(context, area, Some(Focus::Rooms), title, buffer);
    let inner = inside(area);
    if scene.rooms.is_empty() {
        let text = if scene.mode == "rooms" {
            " nobody is in a room"
        } else {
            " rooms are of --mode rooms"
        };
        buffer.set_stringn(inner.x, inner.y, text, usize::from(inner.width), theme.dim);
    }
    let room = usize::from(inner.width).saturating_sub(1 + NUMBERS);
    let shown = scene.rooms.iter().skip(context.state.rooms_top);
    for (y, (place, counts)) in (inner.top()..inner.bottom()).zip(shown) {
        let sign = if place.is_topic { "~" } else { "" };
        let name = format!("{} {sign}{}", place.path, place.name);
        let name = glyph::fit(&sanitize::line(&name), room, theme.glyphs.ascii);
        let gap = " ".repeat(room.saturating_sub(glyph::width(&name)));
        let line = Line::from(vec![
            Span::styled(format!(" {name}{gap}"), theme.text),
            Span::styled(format!(" {:>6}", short(counts.members as u64)), theme.title),
            Span::styled(format!(" {:>6}", short(counts.messages)), theme.dim),
        ]);
        buffer.set_line(inner.x, y, &line, inner.width);
    }
}

/// Faults, limits, and what was said at the start.
pub(super) fn counts(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, theme, scene) = (context.layout.counts, context.theme, context.scene);
    if area.is_empty() {
        return;
    }
    let title = Line::from(Span::styled("Faults and limits", theme.title));
    pane(context, area, None, title, buffer);
    let row = |name: String, count: u64| {
        Line::from(vec![
            Span::styled(format!(" {:>6} ", short(count)), theme.hint),
            Span::styled(name, theme.text),
        ])
    };
    let faults = scene.faults.iter();
    let faults = faults.map(|(name, count)| row(format!("fault {name}"), *count));
    let limits = scene.limits.iter();
    let limits = limits.map(|((limit, action), count)| row(format!("{limit}: {action}"), *count));
    let inner = inside(area);
    let room = usize::from(inner.width).saturating_sub(2);
    let notes = scene.notes.iter().rev().flat_map(|note| wrap(note, room));
    let notes = notes.map(|note| Line::styled(format!(" {note}"), theme.dim));
    let mut lines = faults.chain(limits).chain(notes).peekable();
    if lines.peek().is_none() {
        buffer.set_stringn(
            inner.x,
            inner.y,
            " none",
            usize::from(inner.width),
            theme.dim,
        );
    }
    for (y, line) in (inner.top()..inner.bottom()).zip(lines) {
        buffer.set_line(inner.x, y, &line, inner.width);
    }
}
