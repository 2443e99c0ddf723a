//! The picture: from the state and the load to the cells of a screen. Pure.

mod charts;
mod fanout;
mod header;
mod latency;
mod lists;
mod overlay;
mod panels;

#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::keymap::Verb;
use super::layout::Layout;
use super::past::Past;
use super::scene::Scene;
use super::state::{State, What};
use crate::tui::theme::Theme;
use crate::tui::widget::pane::{boxed, cut_top, on_border, rule, too_small};

/// Draws everything.
pub(super) fn render(state: &State, scene: &Scene, buffer: &mut Buffer) {
    let layout = Layout::of(state.size, scene.fans_out());
    let theme = state.theme();
    let screen = buffer.area;
    buffer.set_style(screen, theme.text);
    if layout.header.is_empty() {
        return too_small(buffer, theme);
    }
    let context = Context {
        state,
        scene,
        theme,
        layout: &layout,
    };
    header::render(&context, buffer);
    panels::render(&context, buffer);
    latency::render(&context, buffer);
    charts::render(&context, buffer);
    lists::render(&context, buffer);
    header::footer(&context, buffer);
    if let Some(overlay) = state.overlay {
        overlay::render(&context, overlay, buffer);
    }
}

/// How many rows a list has.
pub(super) fn rows_of(what: What, scene: &Scene) -> usize {
    overlay::rows_of(what, scene)
}

/// What all parts look at.
struct Context<'a> {
    state: &'a State,
    scene: &'a Scene,
    theme: &'a Theme,
    layout: &'a Layout,
}

impl Context<'_> {
    /// The baseline, where it is to be shown and can be compared.
    fn past(&self) -> Option<&Past> {
        let past = self.scene.about.past.as_deref();
        past.filter(|_| self.state.past && self.scene.not_compared().is_none())
    }

    /// The first key of a verb, as it is shown.
    fn key(&self, verb: Verb) -> String {
        self.state.setup.keymap.key(verb).unwrap_or_default()
    }
}

/// A pane with its title; returns what is inside, a column away from what is beside it.
fn pane(context: &Context<'_>, area: Rect, title: Line<'_>, buffer: &mut Buffer) -> Rect {
    let theme = context.theme;
    if area.is_empty() {
        return area;
    }
    let (top, below) = cut_top(area, 1);
    let rows = if context.layout.boxed {
        boxed(area, buffer, theme, theme.border);
        below.height.saturating_sub(1)
    } else {
        rule(top, buffer, theme, theme.border);
        if area.x > 0 {
            for y in below.top()..below.bottom() {
                let line = theme.glyphs.border.vertical_left;
                buffer.set_string(area.x, y, line, theme.border);
            }
        }
        below.height
    };
    on_border(area, buffer, title);
    Rect {
        x: below.x + 2,
        width: below.width.saturating_sub(3),
        height: rows,
        ..below
    }
}

/// The name of a pane, and what is to be said of it.
fn titled(context: &Context<'_>, name: impl Into<String>, note: &str) -> Line<'static> {
    let mut title = Line::from(Span::styled(name.into(), context.theme.title));
    if !note.is_empty() {
        title.push_span(Span::styled(format!("  {note}"), context.theme.dim));
    }
    title
}

/// Lines from above, as many as there is room for.
fn put<'a>(lines: impl IntoIterator<Item = Line<'a>>, area: Rect, buffer: &mut Buffer) {
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        buffer.set_line(area.x, y, &line, area.width);
    }
}
