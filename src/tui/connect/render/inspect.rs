//! The pane of the inspector.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Context, boxed, on_rule, pane_name, rule};
use crate::tui::connect::state::Focus;

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
        let top = Rect { height: 1, ..area };
        rule(top, buffer, theme, style);
    }
    let Some(subject) = context.state.subject(context.scene) else {
        return on_rule(area, buffer, &Line::from(pane_name("Inspect", 2, theme)));
    };
    let inspector = &context.state.inspector;
    let mut title = Line::from(vec![Span::raw(" "), pane_name("Inspect", 2, theme)]);
    title.extend(inspector.heading(&subject, theme).spans);
    on_rule(area, buffer, &title);
    let has_keys = context.state.focus == Focus::Inspector && context.state.overlay.is_none();
    inspector.render(&subject, has_keys, layout.inspector_inner, buffer, theme);
}
