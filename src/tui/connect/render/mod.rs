//! The picture: from the state and what the session wrote to the cells of a screen. Pure.

mod events;
mod footer;
mod frames;
mod header;
pub(super) mod help;
mod inspect;
mod overlay;
mod panels;
mod strip;

#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line;

use super::layout::Layout;
use super::scene::Scene;
use super::state::{Focus, State};
use crate::tui::theme::Theme;
use crate::tui::widget::pane::{boxed, rule, too_small};

/// Draws everything; returns where the terminal's cursor belongs.
pub(super) fn render(state: &State, scene: &Scene, buffer: &mut Buffer) -> Option<Position> {
    let layout = state.layout();
    let screen = buffer.area;
    buffer.set_style(screen, state.theme().text);
    if layout.header.is_empty() {
        too_small(buffer, state.theme());
        return None;
    }
    let context = Context {
        state,
        scene,
        theme: state.theme(),
        layout: &layout,
    };
    header::render(&context, buffer);
    panels::render(&context, buffer);
    let filter = frames::render(&context, buffer);
    inspect::render(&context, buffer);
    events::render(&context, buffer);
    let composer = composer(&context, buffer);
    strip::render(&context, buffer);
    footer::render(&context, buffer);
    match &state.overlay {
        Some(overlay) => overlay::render(&context, overlay, buffer).or(filter),
        None => composer.filter(|_| state.focus == Focus::Composer && !state.zoomed),
    }
}

/// What all parts look at.
struct Context<'a> {
    state: &'a State,
    scene: &'a Scene,
    theme: &'a Theme,
    layout: &'a Layout,
}

impl Context<'_> {
    /// How the border of a pane looks.
    fn border(&self, focus: Focus) -> Style {
        if self.state.focus == focus && self.state.overlay.is_none() {
            self.theme.focus
        } else {
            self.theme.border
        }
    }
}

fn composer(context: &Context<'_>, buffer: &mut Buffer) -> Option<Position> {
    let Context {
        state,
        theme,
        layout,
        ..
    } = context;
    let style = context.border(Focus::Composer);
    let heading = state.composer.heading(theme);
    if layout.panels.is_empty() {
        rule(layout.composer_head, buffer, theme, style);
    } else {
        boxed(layout.composer_box(), buffer, theme, style);
    }
    let mut title = Line::from(" ");
    if !layout.panels.is_empty() {
        title.push_span(pane_name("Send", 4, theme));
    }
    title.extend(
        heading
            .spans
            .into_iter()
            .map(|span| span.patch_style(heading.style)),
    );
    title.push_span(" ");
    on_rule(layout.composer_head, buffer, &title);
    state.composer.render(layout.composer, buffer, theme)
}

/// `Frames [1]  `, the name of a pane and the key that leads there.
fn pane_name(name: &str, key: u8, theme: &Theme) -> ratatui::text::Span<'static> {
    ratatui::text::Span::styled(format!("{name} [{key}]  "), theme.title)
}

/// A text on a rule or a border, from its second column on.
fn on_rule(area: Rect, buffer: &mut Buffer, text: &Line<'_>) {
    if area.width > 4 && area.height > 0 {
        buffer.set_line(area.x + 1, area.y, text, area.width - 3);
    }
}

/// The same at its right end, where there is room left of it for `kept` columns.
fn on_rule_right(area: Rect, buffer: &mut Buffer, text: &Line<'_>, kept: usize) {
    let width = text.width();
    if area.height > 0 && width + kept + 3 <= usize::from(area.width) {
        // It is narrower than the area.
        let x = area.right() - 1 - u16::try_from(width).unwrap_or(0);
        buffer.set_line(x, area.y, text, area.width);
    }
}
