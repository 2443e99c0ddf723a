//! The picture: from the state and what happened to the cells of a screen. Pure.

mod connections;
mod details;
mod header;
mod log;
mod overlay;
mod panes;

#[cfg(test)]
mod tests;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::keymap::Verb;
use super::layout::Layout;
use super::scene::Scene;
use super::state::{Focus, State};
use crate::tui::theme::Theme;
use crate::tui::widget::pane::{boxed, on_border, too_small};

/// Draws everything; returns where the terminal's cursor belongs.
pub(super) fn render(state: &State, live: &Scene, buffer: &mut Buffer) -> Option<Position> {
    let layout = state.layout();
    let theme = state.theme();
    let screen = buffer.area;
    buffer.set_style(screen, theme.text);
    if layout.header.is_empty() {
        too_small(buffer, theme);
        return None;
    }
    let (scene, now) = state.scene(live);
    let context = Context {
        state,
        scene,
        now,
        theme,
        layout: &layout,
    };
    header::render(&context, buffer);
    connections::render(&context, buffer);
    panes::rooms(&context, buffer);
    panes::counts(&context, buffer);
    details::pane(&context, buffer);
    let filter = log::render(&context, buffer);
    header::footer(&context, buffer);
    match &state.overlay {
        Some(overlay) => overlay::render(&context, overlay, buffer).or(filter),
        None => None,
    }
}

/// What all parts look at.
struct Context<'a> {
    state: &'a State,
    scene: &'a Scene,
    /// When the scene was like that.
    now: Duration,
    theme: &'a Theme,
    layout: &'a Layout,
}

impl Context<'_> {
    /// The first key of a verb, as it is shown.
    fn key(&self, verb: Verb) -> String {
        self.state.setup.keymap.key(verb).unwrap_or_default()
    }
}

/// A pane with its title, in the colours of its focus.
fn pane(
    context: &Context<'_>,
    area: Rect,
    focus: Option<Focus>,
    title: Line<'_>,
    buffer: &mut Buffer,
) {
    let Context { state, theme, .. } = context;
    if area.is_empty() {
        return;
    }
    let has_keys = focus == Some(state.focus) && state.overlay.is_none();
    let style = if has_keys { theme.focus } else { theme.border };
    boxed(area, buffer, theme, style);
    on_border(area, buffer, title);
}

/// `Connections [1]`, the name of a pane and the key that leads there.
fn pane_name(name: &str, key: u8, theme: &Theme) -> Span<'static> {
    Span::styled(format!("{name} [{key}]  "), theme.title)
}
