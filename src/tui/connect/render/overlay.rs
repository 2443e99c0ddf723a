//! What lies over the panes: help, palette, questions.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Context, events, help};
use crate::text::{glyph, sanitize};
use crate::tui::connect::copy::Form;
use crate::tui::connect::keymap::{Entry, TABLE, Verb};
use crate::tui::connect::state::{Overlay, palette};
use crate::tui::widget::pane::window;

pub(super) fn render(
    context: &Context<'_>,
    overlay: &Overlay,
    buffer: &mut Buffer,
) -> Option<Position> {
    match overlay {
        // It is typed where it stands.
        Overlay::Filter { .. } => None,
        Overlay::Help(at) => {
            help::render(context, *at, buffer);
            None
        }
        Overlay::Palette { line, chosen } => {
            let verbs = palette(line.text());
            let rows = u16::try_from(verbs.len()).unwrap_or(u16::MAX).clamp(1, 12);
            let inner = window("Do", (70, rows + 1), buffer, context.theme);
            let top = Rect {
                height: inner.height.min(1),
                ..inner
            };
            let cursor = line.render(top, buffer, context.theme.text);
            let room = usize::from(inner.height.saturating_sub(1));
            let chosen = (*chosen).min(verbs.len().saturating_sub(1));
            let first = (chosen + 1).saturating_sub(room);
            for (at, verb) in verbs.iter().enumerate().skip(first).take(room) {
                let area = Rect {
                    y: inner.y + 1 + u16::try_from(at - first).unwrap_or(0),
                    height: 1,
                    ..inner
                };
                if let Some(entry) = TABLE.iter().find(|entry| entry.verb == *verb) {
                    buffer.set_line(area.x, area.y, &entry_line(context, entry), area.width);
                }
                if at == chosen {
                    buffer.set_style(area, context.theme.selected);
                }
            }
            cursor
        }
        Overlay::Close(line) => {
            let inner = window("Close with code and reason", (60, 1), buffer, context.theme);
            line.render(inner, buffer, context.theme.text)
        }
        Overlay::Events(back) => {
            let inner = window("Events", (200, 14), buffer, context.theme);
            events::notes(context, inner, *back, buffer);
            None
        }
        Overlay::CopyAs(chosen) => {
            let rows = u16::try_from(Form::all().count()).unwrap_or(u16::MAX);
            let inner = window("Copy as", (60, rows), buffer, context.theme);
            for ((at, form), y) in Form::all().enumerate().zip(inner.top()..inner.bottom()) {
                let line = Line::from(vec![
                    Span::styled(format!(" {:<15} ", form.name()), context.theme.key),
                    Span::styled(form.about(), context.theme.text),
                ]);
                buffer.set_line(inner.x, y, &line, inner.width);
                if at == *chosen {
                    let row = Rect {
                        y,
                        height: 1,
                        ..inner
                    };
                    buffer.set_style(row, context.theme.selected);
                }
            }
            None
        }
        Overlay::Save { line, is_list } => {
            let title = if *is_list {
                "Save the list to .ndjson .har .wst"
            } else {
                "Save the payload to"
            };
            let inner = window(title, (60, 1), buffer, context.theme);
            line.render(inner, buffer, context.theme.text)
        }
        Overlay::Overwrite(save) => {
            let path = save.path.to_string_lossy();
            let text = format!(
                "{} is there already. Replace it? (y)",
                sanitize::line(&path)
            );
            question(context, "Save", &text, buffer);
            None
        }
        Overlay::Quit { .. } => {
            let text = "What you typed was not sent. Quit? (y)";
            question(context, "Quit", text, buffer);
            None
        }
    }
}

/// A sentence that waits for a yes.
fn question(context: &Context<'_>, title: &str, text: &str, buffer: &mut Buffer) {
    let inner = window(title, (60, 1), buffer, context.theme);
    let room = usize::from(inner.width);
    let text = glyph::fit(text, room, context.theme.glyphs.ascii);
    buffer.set_stringn(inner.x, inner.y, text, room, context.theme.hint);
}

fn entry_line(context: &Context<'_>, entry: &Entry<Verb>) -> Line<'static> {
    let keys = context.state.setup.keymap.keys(entry.verb);
    Line::from(vec![
        Span::styled(format!(" {keys:<15} "), context.theme.key),
        Span::styled(entry.about, context.theme.text),
    ])
}
