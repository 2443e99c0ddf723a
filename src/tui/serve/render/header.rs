//! The first rows and the last: how the server is, and the keys that matter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Context;
use crate::model::event::Direction;
use crate::model::units::Thousands;
use crate::text::sanitize;
use crate::tui::serve::keymap::{TABLE, Verb};
use crate::tui::serve::state::Overlay;
use crate::tui::widget::numbers::{compact, short};

/// Seconds of the chart.
const SECONDS: usize = 60;

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let area = context.layout.header;
    facts(row_of(area, 0), buffer, server(context));
    facts(row_of(area, 1), buffer, traffic(context));
}

fn server(context: &Context<'_>) -> Vec<Line<'static>> {
    let Context { scene, theme, .. } = context;
    let mut row = Vec::new();
    if context.state.frozen.is_some() {
        let text = format!("PAUSED ({} goes on)", context.key(Verb::Pause));
        row.push(Line::styled(text, theme.hint));
    }
    row.push(Line::from(vec![
        Span::styled("serve ", theme.dim),
        Span::styled(scene.mode, theme.title),
    ]));
    row.push(Line::styled(scene.url.clone(), theme.text));
    row.push(Line::from(vec![
        Span::styled(
            Thousands(scene.connections.len() as u64).to_string(),
            theme.title,
        ),
        Span::styled(" open", theme.text),
        Span::styled(format!(" of {}", Thousands(scene.opened)), theme.dim),
    ]));
    let seconds = context.now.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let clock = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    row.push(Line::styled(clock, theme.dim));
    for (count, name) in [(scene.lost, "lost"), (scene.refused, "refused")] {
        if count > 0 {
            let text = format!("{} {name}", Thousands(count));
            row.push(Line::styled(text, theme.hint));
        }
    }
    row
}

fn traffic(context: &Context<'_>) -> Vec<Line<'static>> {
    let Context { scene, theme, .. } = context;
    let totals = scene.totals();
    let way = |name, dir, messages, style| {
        let rate = scene.rates.current(context.now, dir);
        Line::from(vec![
            Span::styled(name, style),
            Span::styled(
                format!(" {:>7}", format!("{}/s", short(rate.messages))),
                theme.title,
            ),
            Span::styled(
                format!(" {:>8}", format!("{}/s", compact(rate.bytes))),
                theme.text,
            ),
            Span::styled(format!(" {:>5}", short(messages)), theme.dim),
        ])
    };
    let mut row = vec![
        way(
            "rx",
            Direction::In,
            totals.received.messages,
            theme.incoming,
        ),
        way("tx", Direction::Out, totals.sent.messages, theme.outgoing),
        Line::from(vec![
            Span::styled("queued ", theme.dim),
            Span::styled(compact(scene.queued() as u64), theme.text),
        ]),
    ];
    if scene.dropped > 0 {
        let text = format!("dropped {}", Thousands(scene.dropped));
        row.push(Line::styled(text, theme.error));
    }
    row.push(chart(context));
    row
}

/// Messages of the last seconds.
fn chart(context: &Context<'_>) -> Line<'static> {
    let theme = context.theme;
    let series: Vec<u64> = context.scene.rates.series(context.now, SECONDS).collect();
    let most = series.iter().copied().max().unwrap_or_default().max(1);
    let bar = |count: u64| match (count, (count * 8).div_ceil(most)) {
        (0, _) => " ",
        (_, eighths) => theme.glyphs.bars[usize::try_from(eighths).unwrap_or(8).clamp(1, 8) - 1],
    };
    let bars: String = series.into_iter().map(bar).collect();
    Line::styled(bars, theme.chart)
}

pub(super) fn footer(context: &Context<'_>, buffer: &mut Buffer) {
    let Context { state, theme, .. } = context;
    let area = context.layout.footer;
    if let Some(said) = state.said() {
        let said = Line::styled(sanitize::line(said).into_owned(), theme.hint);
        return facts(area, buffer, vec![said]);
    }
    let pair = |key: String, word: &'static str| {
        Line::from(vec![
            Span::styled(key, theme.key),
            Span::styled(format!(" {word}"), theme.dim),
        ])
    };
    let keys = match &state.overlay {
        Some(overlay) => {
            let fixed = keys_of(overlay).iter();
            fixed
                .map(|(key, word)| pair((*key).to_owned(), word))
                .collect()
        }
        None => {
            let shown = TABLE.iter().filter(|entry| !entry.footer.is_empty());
            shown
                .map(|entry| pair(context.key(entry.verb), entry.footer))
                .collect()
        }
    };
    facts(area, buffer, keys);
}

/// The keys of what lies over the panes.
const fn keys_of(overlay: &Overlay) -> &'static [(&'static str, &'static str)] {
    match overlay {
        Overlay::Help(_) => &[("Up Down", "scroll"), ("Esc", "back")],
        Overlay::Details(_) => &[("Up Down", "another"), ("c", "close it"), ("Esc", "back")],
        Overlay::Filter { .. } => &[("Enter", "keep it"), ("Esc", "as before")],
        Overlay::Close(..) => &[("Enter", "close it"), ("Esc", "back")],
    }
}

/// Facts side by side, as many as fit.
fn facts(area: Rect, buffer: &mut Buffer, facts: Vec<Line<'_>>) {
    let mut x = area.x.saturating_add(1);
    for fact in facts {
        // What does not fit into a column number does not fit anywhere.
        let width = u16::try_from(fact.width()).unwrap_or(u16::MAX);
        if x.saturating_add(width) < area.right() && area.height > 0 {
            buffer.set_line(x, area.y, &fact, width);
            x += width + 2;
        }
    }
}

/// One row of an area; empty where there is none.
fn row_of(area: Rect, row: u16) -> Rect {
    Rect {
        y: area.y + row.min(area.height),
        height: u16::from(row < area.height),
        ..area
    }
}
