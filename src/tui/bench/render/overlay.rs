//! What lies over the panes: the keys, every error, what happened.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Context;
use crate::bench::figures::{Close, Closes};
use crate::model::ndjson;
use crate::model::units::Thousands;
use crate::text::sanitize;
use crate::tui::bench::events::clock;
use crate::tui::bench::keymap::TABLE;
use crate::tui::bench::scene::Scene;
use crate::tui::bench::state::{Overlay, What};
use crate::tui::theme::Theme;
use crate::tui::widget::pane::{on_border, window, wrap};

/// Columns of a window, at most.
const WIDTH: u16 = 120;
/// Columns of the help.
const HELP: u16 = 76;
/// Columns of the keys.
const KEYS: usize = 13;

/// How many rows there are at the least, whatever the width: more come from what is wrapped.
pub(super) fn rows_of(what: What, scene: &Scene) -> usize {
    match what {
        What::Help => TABLE.len() + NOTES.len() + 1,
        What::Errors => 2 * scene.total.errors.len() + scene.total.closes.len() + 2,
        What::Log => scene.events.len(),
    }
}

pub(super) fn render(context: &Context<'_>, overlay: Overlay, buffer: &mut Buffer) {
    let (title, width) = match overlay.what {
        What::Help => ("Keys", HELP),
        What::Errors => ("Errors and closes", WIDTH),
        What::Log => ("What happened", WIDTH),
    };
    let room = usize::from(width.min(buffer.area.width.saturating_sub(4)));
    let lines = match overlay.what {
        What::Help => help(context),
        What::Errors => errors(context, room),
        What::Log => log(context, room),
    };
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let inner = window(title, (width, height), buffer, context.theme);
    let most = lines.len().saturating_sub(usize::from(inner.height));
    let first = overlay.top.min(most);
    for (y, line) in (inner.top()..inner.bottom()).zip(&lines[first..]) {
        buffer.set_line(inner.x, y, line, inner.width);
    }
    if first < most {
        let more = Span::styled(format!("{} more below", most - first), context.theme.hint);
        let foot = Rect {
            x: inner.x.saturating_sub(2),
            y: inner.bottom(),
            width: inner.width + 4,
            height: 1,
        };
        on_border(foot.intersection(buffer.area), buffer, more.into());
    }
}

/// What the words on the screen mean.
const NOTES: [(&str, &str); 6] = [
    ("late", "sent more than 1 ms after it was due: this machine"),
    (
        "lost",
        "connections that ended, messages that were not answered",
    ),
    ("dropped", "due and not sent: too many were in flight"),
    (
        "lag",
        "how much later than due something is sent: this machine",
    ),
    (
        "reach",
        "of those who were to get a message the part that has it",
    ),
    (
        "-",
        "not samples enough: 1,000 for p99.9, 10,000 for p99.99",
    ),
];

fn help(context: &Context<'_>) -> Vec<Line<'static>> {
    let theme = context.theme;
    let row = |lead: String, about: &'static str| {
        Line::from(vec![
            Span::styled(format!(" {lead:<KEYS$} "), theme.key),
            Span::styled(about, theme.text),
        ])
    };
    let keys = TABLE
        .iter()
        .map(|entry| row(context.state.setup.keymap.keys(entry.verb), entry.about));
    let notes = NOTES
        .iter()
        .map(|(word, about)| row((*word).to_owned(), about));
    keys.chain([Line::default()]).chain(notes).collect()
}

fn errors(context: &Context<'_>, room: usize) -> Vec<Line<'static>> {
    let (theme, scene) = (context.theme, context.scene);
    let mut lines = Vec::new();
    for (name, seen) in &scene.total.errors {
        let time = ndjson::rfc3339(seen.first_at);
        lines.push(Line::from(vec![
            Span::styled(
                format!("{:>9} ", Thousands(seen.count).to_string()),
                theme.error,
            ),
            Span::styled(sanitize::line(&name.to_string()).into_owned(), theme.title),
            Span::styled(
                format!(
                    "   first {} connection {}",
                    time.get(11..23).unwrap_or_default(),
                    seen.connection
                ),
                theme.dim,
            ),
        ]));
        said(&seen.sample, room, theme, &mut lines);
    }
    if !scene.total.errors.is_empty() && !scene.total.closes.is_empty() {
        lines.push(Line::default());
    }
    for (close, closes) in &scene.total.closes {
        lines.push(closed(*close, closes, theme));
        said(
            closes.reason.as_deref().unwrap_or_default(),
            room,
            theme,
            &mut lines,
        );
    }
    if lines.is_empty() {
        lines.push(Line::styled(
            " nothing went wrong, and nobody closed",
            theme.dim,
        ));
    }
    lines
}

fn closed(close: Close, closes: &Closes, theme: &Theme) -> Line<'static> {
    let detail = close
        .detail
        .map_or_else(String::new, |detail| format!(" ({detail})"));
    Line::from(vec![
        Span::styled(
            format!("{:>9} ", Thousands(closes.count).to_string()),
            theme.title,
        ),
        Span::styled(
            format!("close {} by {}{detail}", close.code, close.by.name()),
            theme.text,
        ),
    ])
}

/// What a peer or the system said, below what it was about.
fn said(text: &str, room: usize, theme: &Theme, lines: &mut Vec<Line<'static>>) {
    if text.is_empty() {
        return;
    }
    let rows = wrap(&sanitize::line(text), room.saturating_sub(11));
    lines.extend(
        rows.into_iter()
            .map(|row| Line::styled(format!("          {row}"), theme.dim)),
    );
}

/// The newest first.
fn log(context: &Context<'_>, room: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = Vec::new();
    for event in context.scene.events.newest() {
        let style = if event.is_bad {
            theme.error
        } else {
            theme.text
        };
        let mut lead = format!("{:>8} ", clock(event.at));
        for row in wrap(&event.text, room.saturating_sub(9)) {
            lines.push(Line::from(vec![
                Span::styled(lead.clone(), theme.dim),
                Span::styled(row, style),
            ]));
            lead = " ".repeat(9);
        }
    }
    if lines.is_empty() {
        lines.push(Line::styled(" nothing yet", theme.dim));
    }
    lines
}
