//! The numbers of large screens, in four panels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::header::{micros, short};
use super::strip::bars;
use super::{Context, boxed, on_rule};
use crate::model::event::{Direction, End, Traffic};
use crate::model::units::{Thousands, show_duration, show_size};
use crate::tui::connect::row::{clock, steps};
use crate::view::ring::Ring;

/// Shares of the width, in percent.
const SHARES: [u16; 4] = [26, 20, 26, 28];

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let area = context.layout.panels;
    if area.is_empty() {
        return;
    }
    let totals = context.scene.vitals.totals();
    let mut rest = area;
    for (at, share) in SHARES.into_iter().enumerate() {
        let is_last = at + 1 == SHARES.len();
        let width = if is_last {
            rest.width
        } else {
            area.width * share / 100
        };
        let panel = Rect { width, ..rest };
        rest.x += width;
        rest.width -= width;
        boxed(panel, buffer, context.theme, context.theme.border);
        // The width of a panel is far from any limit.
        let room = usize::from(panel.width.saturating_sub(4));
        let (title, lines) = match at {
            0 => ("Traffic", traffic(context, &totals, room)),
            1 => ("Opcodes, in and out", opcodes(context, &totals)),
            2 => ("Round trip", round_trip(context, &totals, room)),
            _ => ("Connection", connection(context)),
        };
        let title = Line::styled(format!(" {title} "), context.theme.title);
        on_rule(panel, buffer, &title);
        for (y, line) in (panel.y + 1..panel.bottom().saturating_sub(1)).zip(lines) {
            buffer.set_line(panel.x + 2, y, &line, panel.width.saturating_sub(4));
        }
    }
}

fn traffic(context: &Context<'_>, totals: &End, room: usize) -> Vec<Line<'static>> {
    let (vitals, theme, now) = (&context.scene.vitals, context.theme, context.state.now);
    let way = |name, dir, traffic: &Traffic, style| {
        let rate = vitals.rates.current(now, dir);
        Line::from(vec![
            Span::styled(name, style),
            Span::styled(
                format!(" {:>10}", Thousands(traffic.messages).to_string()),
                theme.title,
            ),
            Span::styled(
                format!(" {:>7}", format!("{}/s", short(rate.messages))),
                theme.text,
            ),
            Span::styled(
                format!(" {:>9}", format!("{}/s", show_size(rate.bytes))),
                theme.dim,
            ),
        ])
    };
    let series: Vec<u64> = vitals.rates.series(now, room.saturating_sub(5)).collect();
    let wire = totals.received.wire + totals.sent.wire;
    let payload = totals.received.payload + totals.sent.payload;
    let ring = &context.scene.ring;
    let evicted = if ring.evicted() > 0 {
        theme.hint
    } else {
        theme.dim
    };
    vec![
        way("rx", Direction::In, &totals.received, theme.incoming),
        way("tx", Direction::Out, &totals.sent, theme.outgoing),
        Line::from(vec![
            Span::styled("rate ", theme.dim),
            Span::styled(bars(series.into_iter(), room, theme), theme.chart),
        ]),
        Line::from(vec![
            Span::styled("wire ", theme.dim),
            Span::styled(show_size(wire), theme.text),
            Span::styled(ratio(context, payload, wire), theme.dim),
        ]),
        Line::from(vec![
            Span::styled("kept ", theme.dim),
            Span::styled(
                format!(
                    "{}/{}",
                    Thousands(ring.len() as u64),
                    short(Ring::MOST_ENTRIES as u64)
                ),
                theme.text,
            ),
            Span::styled(format!("  evicted {}", Thousands(ring.evicted())), evicted),
        ]),
    ]
}

/// What compression saved, where it was agreed on.
fn ratio(context: &Context<'_>, payload: u64, wire: u64) -> String {
    let open = context.scene.vitals.open.as_ref();
    let compresses = open.is_some_and(|open| !open.extensions.is_empty());
    if !compresses || wire == 0 {
        return String::new();
    }
    // A ratio needs no more digits than these have.
    format!("   deflate {:.1}x", payload as f64 / wire as f64)
}

fn opcodes(context: &Context<'_>, totals: &End) -> Vec<Line<'static>> {
    let theme = context.theme;
    let (received, sent) = (&totals.received, &totals.sent);
    [
        ("text", received.text, sent.text),
        ("binary", received.binary, sent.binary),
        ("ping", received.ping, sent.ping),
        ("pong", received.pong, sent.pong),
        ("close", received.close, sent.close),
    ]
    .into_iter()
    .map(|(name, received, sent)| {
        Line::from(vec![
            Span::styled(format!("{name:<6}"), theme.dim),
            Span::styled(
                format!(" {:>9}", Thousands(received).to_string()),
                theme.incoming,
            ),
            Span::styled(
                format!(" {:>7}", Thousands(sent).to_string()),
                theme.outgoing,
            ),
        ])
    })
    .collect()
}

/// Rows of the chart.
const CHART: usize = 3;

fn round_trip(context: &Context<'_>, totals: &End, room: usize) -> Vec<Line<'static>> {
    let (vitals, theme) = (&context.scene.vitals, context.theme);
    let (Some((_, last)), Some(rtt)) = (vitals.round_trips.back(), &totals.rtt) else {
        let text = "no ping was answered yet";
        return vec![Line::styled(text, theme.dim)];
    };
    let mut lines = vec![Line::from(vec![
        Span::styled("last ", theme.dim),
        Span::styled(show_duration(*last), theme.title),
        Span::styled(
            format!(
                "  p50 {}  p99 {}",
                show_duration(rtt.p50),
                show_duration(rtt.p99)
            ),
            theme.text,
        ),
    ])];
    let trips: Vec<u64> = vitals
        .round_trips
        .iter()
        .map(|(_, rtt)| micros(*rtt))
        .collect();
    let shown = &trips[trips.len().saturating_sub(room)..];
    let most = shown.iter().copied().max().unwrap_or(0).max(1);
    for row in (0..CHART).rev() {
        let cells: String = shown
            .iter()
            .map(|value| bar_cell(*value, most, row, context))
            .collect();
        lines.push(Line::styled(cells, theme.chart));
    }
    let text = format!(
        "the last {}, at most {}",
        shown.len(),
        show_duration(rtt.max)
    );
    lines.push(Line::styled(text, theme.dim));
    lines
}

/// The part of a bar that is in this row, counted from below.
fn bar_cell(value: u64, most: u64, row: usize, context: &Context<'_>) -> &'static str {
    let eighths = (u128::from(value) * (8 * CHART as u128)).div_ceil(u128::from(most)) as usize;
    match eighths.saturating_sub(8 * row) {
        0 => " ",
        part => context.theme.glyphs.bars[part.min(8) - 1],
    }
}

fn connection(context: &Context<'_>) -> Vec<Line<'static>> {
    let (vitals, theme) = (&context.scene.vitals, context.theme);
    let state = vitals.state();
    let fact = |name: &str, text: String, style| {
        Line::from(vec![
            Span::styled(format!("{name:<11} "), theme.dim),
            Span::styled(text, style),
        ])
    };
    let text = format!(" {} {state} ", u8::from(state));
    let mut lines = vec![fact("readyState", text, theme.state(state))];
    if let Some(open) = &vitals.open {
        let total = show_duration(open.timings.total);
        let steps = steps(&open.timings).join(" ");
        lines.push(fact("handshake", format!("{total}: {steps}"), theme.text));
    }
    lines.push(match &vitals.last_close {
        None => fact("last close", "none".into(), theme.dim),
        Some((time, code)) => {
            let mut time = clock(*time, &context.state.setup.zone);
            time.truncate(8);
            let style = if code.is_ordinary() {
                theme.text
            } else {
                theme.error
            };
            fact(
                "last close",
                format!("{code} at {time}, {}", code.name()),
                style,
            )
        }
    });
    lines.push(match &vitals.backoff {
        None => fact(
            "backoff",
            format!("none, {} retries", vitals.retries),
            theme.dim,
        ),
        Some(backoff) => {
            let rest = backoff
                .until
                .saturating_sub(context.state.now)
                .as_secs_f64();
            let delay = show_duration(backoff.delay);
            let text = format!("#{} in {rest:.1}s of {delay}", backoff.attempt);
            fact("backoff", text, theme.hint)
        }
    });
    let lost = if vitals.dropped > 0 {
        theme.error
    } else {
        theme.dim
    };
    let text = format!(
        "{}   lost {}",
        Thousands(vitals.fragmented),
        Thousands(vitals.dropped)
    );
    lines.push(fact("fragmented", text, lost));
    lines
}
