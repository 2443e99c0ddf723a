//! What was said about the session, newest last.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
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
    notes(context, context.layout.events_inner, back, buffer);
}

/// The newest notes at the bottom; so many of them are scrolled away.
pub(super) fn notes(context: &Context<'_>, area: Rect, back: usize, buffer: &mut Buffer) {
    let theme = context.theme;
    let notes = context.scene.notes.iter();
    let back = back.min(notes.len().saturating_sub(1));
    let rows = (area.top()..area.bottom()).rev();
    for (y, note) in rows.zip(notes.rev().skip(back)) {
        let (style, text) = match note.weight {
            Weight::Info => (theme.dim, theme.text),
            Weight::Warning => (theme.hint, theme.text),
            Weight::Error => (theme.error, theme.error),
        };
        let line = Line::from(vec![
            Span::styled(clock(note.time, &context.state.setup.zone), theme.dim),
            Span::styled(format!(" {:<5} ", note.weight.name()), style),
            Span::styled(without(&note.text, note.weight), text),
        ]);
        buffer.set_line(area.x, y, &line, area.width);
    }
}

/// The text of a note without the word that its weight says already.
fn without(text: &str, weight: Weight) -> &str {
    match weight {
        Weight::Error => text.strip_prefix("error: ").unwrap_or(text),
        Weight::Info | Weight::Warning => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_called_one_once() {
        let text = "error: could not connect";
        assert_eq!(without(text, Weight::Error), "could not connect");
        assert_eq!(without(text, Weight::Info), text);
    }
}
