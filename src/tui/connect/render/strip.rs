//! Charts of a row: bars, and when the connection was in which state.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::header::clock;
use super::{Context, on_rule_right, rule};
use crate::model::state::ReadyState;
use crate::tui::theme::Theme;

/// The longest time that the strip shows.
const LONGEST: Duration = Duration::from_secs(300);
/// The shortest, so that a young connection is no single block.
const SHORTEST: Duration = Duration::from_secs(30);
/// Columns of the strip.
const COLUMNS: u16 = 60;

/// The rule above the footer, with the state's history in it.
pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, theme) = (context.layout.strip, context.theme);
    if area.is_empty() {
        return;
    }
    rule(area, buffer, theme, theme.border);
    let columns = usize::from(COLUMNS.min(area.width / 2));
    let mut line = Line::from(Span::styled(" state ", theme.dim));
    let span = line_of(context, columns, &mut line);
    line.push_span(Span::styled(format!(" {} ", clock(span)), theme.dim));
    on_rule_right(area, buffer, &line, 0);
}

/// Adds a cell for each piece of time; returns how much time they are together.
fn line_of(context: &Context<'_>, columns: usize, line: &mut Line<'_>) -> Duration {
    let (now, changes) = (context.state.now, &context.scene.vitals.changes);
    let began = changes.front().map_or(now, |(at, _)| *at);
    let span = now.saturating_sub(began).clamp(SHORTEST, LONGEST);
    let piece = span / u32::try_from(columns.max(1)).unwrap_or(1);
    for column in 0..columns {
        let ago = piece * u32::try_from(columns - column).unwrap_or(0);
        let start = now.checked_sub(ago);
        let state = start.and_then(|start| worst(changes.iter().copied(), start, start + piece));
        line.push_span(match state {
            Some(state) => cell(state, context.theme),
            None => Span::raw(" "),
        });
    }
    span
}

/// The state that matters most in a piece of time: an outage is seen however short it was.
fn worst(
    changes: impl DoubleEndedIterator<Item = (Duration, ReadyState)>,
    start: Duration,
    end: Duration,
) -> Option<ReadyState> {
    let mut worst = None;
    for (at, state) in changes.rev() {
        if at < end {
            worst = worst.max(Some((rank(state), state)));
        }
        if at <= start {
            break;
        }
    }
    worst.map(|(_, state)| state)
}

const fn rank(state: ReadyState) -> u8 {
    match state {
        ReadyState::Open => 0,
        ReadyState::Closing => 1,
        ReadyState::Connecting => 2,
        ReadyState::Closed => 3,
    }
}

/// How high a state stands tells it too, not only its colour.
fn cell(state: ReadyState, theme: &Theme) -> Span<'static> {
    let height = match state {
        ReadyState::Open => 7,
        ReadyState::Closing => 4,
        ReadyState::Connecting => 2,
        ReadyState::Closed => 0,
    };
    let style = theme.state(state);
    let style = style.bg.map_or(style, |colour| Style::new().fg(colour));
    Span::styled(theme.glyphs.bars[height], style)
}

/// The last values as bars from nothing to the highest of them.
pub(super) fn bars(
    values: impl DoubleEndedIterator<Item = u64>,
    columns: usize,
    theme: &Theme,
) -> String {
    let mut last: Vec<u64> = values.rev().take(columns).collect();
    last.reverse();
    let most = last.iter().copied().max().unwrap_or(0).max(1);
    last.into_iter()
        .map(|value| {
            // At most 7.
            let height = (u128::from(value) * 7 / u128::from(most)) as usize;
            theme.glyphs.bars[height]
        })
        .collect()
}
