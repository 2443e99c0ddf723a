//! The pane of the inspector.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::{Context, boxed, on_rule, pane_name, rule};
use crate::tui::connect::row::{Row, compact_size};
use crate::tui::connect::state::Focus;
use crate::tui::widget::Subject;

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let (layout, theme) = (context.layout, context.theme);
    let area = layout.inspector;
    if area.is_empty() {
        return;
    }
    let style = context.border(Focus::Inspector);
    if layout.is_roomy {
        boxed(area, buffer, theme, style);
    } else {
        rule(area_top(area), buffer, theme, style);
    }
    let subject = context.state.subject(context.scene);
    let mut title = Line::from(vec![Span::raw(" "), pane_name("Inspect", 2, theme)]);
    if let Some(subject) = &subject {
        title.push_span(Span::styled(name(subject), theme.text));
    }
    title.push_span(" ");
    on_rule(area, buffer, &title);
    if let Some(subject) = &subject {
        context
            .state
            .inspector
            .render(subject, layout.inspector_inner, buffer, theme);
    }
}

const fn area_top(area: ratatui::layout::Rect) -> ratatui::layout::Rect {
    ratatui::layout::Rect { height: 1, ..area }
}

/// `#18501 < TXT 61B`.
fn name(subject: &Subject<'_>) -> String {
    let row = Row::of(subject.entry, 0);
    let _ = compact_size;
    format!(
        "#{} {} {} {}",
        subject.entry.number, row.sign, row.op, row.size
    )
}
