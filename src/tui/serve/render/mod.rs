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
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget as _};

use super::layout::{LEAST, Layout};
use super::scene::Scene;
use super::state::{Focus, State};
use crate::model::units::show_size;
use crate::tui::theme::Theme;

/// Draws everything; returns where the terminal's cursor belongs.
pub(super) fn render(state: &State, live: &Scene, buffer: &mut Buffer) -> Option<Position> {
    let layout = state.layout();
    let theme = state.theme();
    let screen = buffer.area;
    buffer.set_style(screen, theme.text);
    if layout.header.is_empty() {
        too_small(screen, buffer, theme);
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

fn too_small(screen: Rect, buffer: &mut Buffer, theme: &Theme) {
    if screen.is_empty() {
        return;
    }
    let text = format!(
        "needs {}x{}, has {}x{}",
        LEAST.width, LEAST.height, screen.width, screen.height
    );
    let row = screen.y + screen.height / 2;
    buffer.set_stringn(screen.x, row, text, usize::from(screen.width), theme.hint);
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
    boxed(context, area, style, title, buffer);
}

fn boxed(context: &Context<'_>, area: Rect, style: Style, title: Line<'_>, buffer: &mut Buffer) {
    Block::bordered()
        .border_set(context.theme.glyphs.border)
        .border_style(style)
        .render(area, buffer);
    let mut padded = Line::from(" ");
    padded.extend(title.spans);
    padded.push_span(" ");
    let room = area.width.saturating_sub(4);
    buffer.set_line(area.x + 1, area.y, &padded, room);
}

/// `Connections [1]`, the name of a pane and the key that leads there.
fn pane_name(name: &str, key: u8, theme: &Theme) -> Span<'static> {
    Span::styled(format!("{name} [{key}]  "), theme.title)
}

/// `950`, `12.3k`, `4.1M`: five letters at most.
fn short(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let unit = UNITS.iter().find(|(unit, _)| count >= *unit);
    match unit.filter(|_| count >= 10_000) {
        Some((unit, name)) => {
            let digits = usize::from(count < unit * 100);
            format!("{:.digits$}{name}", count as f64 / *unit as f64)
        }
        None => count.to_string(),
    }
}

/// `212B`, `4.1kB`.
fn compact(bytes: u64) -> String {
    show_size(bytes).replace(' ', "")
}
