//! What was said about the session, newest last.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::{Context, boxed, on_rule, pane_name};
use crate::tui::connect::row::clock;
use crate::tui::connect::scene::Weight;
use crate::tui::connect::state::Focus;

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, theme) = (context.layout.events, context.theme);
    if area.is_empty() {
        return;
    }
    boxed(area, buffer, theme, context.border(Focus::Events));
    let mut title = Line::from(vec![Span::raw(" "), pane_name("Events", 3, theme)]);
    let back = context.state.events_back;
    if back > 0 {
        title.push_span(Span::styled(format!("{back} newer "), theme.hint));
    }
    on_rule(area, buffer, &title);
    let inner = context.layout.events_inner;
    let notes = context.scene.notes.iter().rev().skip(back);
    let rows = (inner.top()..inner.bottom()).rev();
    for (y, note) in rows.zip(notes) {
        let (style, text) = match note.weight {
            Weight::Info => (theme.dim, theme.text),
            Weight::Warning => (theme.hint, theme.text),
            Weight::Error => (theme.error, theme.error),
        };
        let line = Line::from(vec![
            Span::styled(clock(note.time, &context.state.setup.zone), theme.dim),
            Span::styled(format!(" {:<5} ", note.weight.name()), style),
            Span::styled(note.text.as_str(), text),
        ]);
        buffer.set_line(inner.x, y, &line, inner.width);
    }
}
