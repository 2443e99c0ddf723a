//! The numbers of large screens, in four panels.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::header::{micros, short};
use super::strip::bars;
use super::{Context, boxed, on_rule};
use crate::model::event::{Direction, End, Traffic};
use crate::model::units::{Thousands, show_duration, show_size};
use crate::tui::connect::row::{clock, steps};
use crate::tui::widget::bar::Bar;
use crate::tui::widget::chart;
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
            1 => ("Opcodes: in, out", opcodes(context, &totals, room)),
            2 => ("Round trip", round_trip(context, &totals, room)),
            _ => ("Connection", connection(context, room)),
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
        let messages = count(traffic.messages, 10);
        let total = vec![
            Span::styled(name, style),
            Span::styled(format!(" {messages:>10}"), theme.title),
        ];
        let each = format!(" {:>7}", format!("{}/s", short(rate.messages)));
        let bytes = format!(" {:>9}", format!("{}/s", show_size(rate.bytes)));
        Bar::default()
            .with(0, total)
            .with(1, Span::styled(each, theme.text))
            .with(2, Span::styled(bytes, theme.dim))
            .line(room, &Span::raw(""))
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
    // Both are whole, or both have units.
    let half = room.saturating_sub("kept   evicted ".len()) / 2;
    let kept = format!("kept {}", count(ring.len() as u64, half));
    let gone = format!("  evicted {}", count(ring.evicted(), half));
    let most = format!("/{}", short(Ring::MOST_ENTRIES as u64));
    vec![
        way("rx", Direction::In, &totals.received, theme.incoming),
        way("tx", Direction::Out, &totals.sent, theme.outgoing),
        Line::from(vec![
            Span::styled("rate ", theme.dim),
            Span::styled(bars(series.into_iter(), room, theme), theme.chart),
        ]),
        Bar::default()
            .with(
                0,
                Span::styled(format!("wire {}", show_size(wire)), theme.text),
            )
            .with(1, Span::styled(ratio(context, payload, wire), theme.dim))
            .line(room, &Span::raw("   ")),
        Bar::default()
            .with(0, Span::styled(kept, theme.text))
            .with(2, Span::styled(most, theme.dim))
            .with(1, Span::styled(gone, evicted))
            .line(room, &Span::raw("")),
    ]
}

/// A number whole, or where it has no room with a unit.
fn count(number: u64, room: usize) -> String {
    let whole = Thousands(number).to_string();
    if whole.len() <= room {
        whole
    } else {
        short(number)
    }
}

/// What compression saved, where it was agreed on.
fn ratio(context: &Context<'_>, payload: u64, wire: u64) -> String {
    let open = context.scene.vitals.open.as_ref();
    let compresses = open.is_some_and(|open| !open.extensions.is_empty());
    if !compresses || wire == 0 {
        return String::new();
    }
    // A ratio needs no more digits than these have.
    format!("deflate {:.1}x", payload as f64 / wire as f64)
}

fn opcodes(context: &Context<'_>, totals: &End, room: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let name_width = 6;
    // Each has a space before it.
    let width = (room.saturating_sub(name_width + 2) / 2).min(9);
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
            Span::styled(format!("{name:<name_width$}"), theme.dim),
            Span::styled(
                format!(" {:>width$}", count(received, width)),
                theme.incoming,
            ),
            Span::styled(format!(" {:>width$}", count(sent, width)), theme.outgoing),
        ])
    })
    .collect()
}

/// Rows of the chart.
const CHART: usize = 3;

fn round_trip(context: &Context<'_>, totals: &End, room: usize) -> Vec<Line<'static>> {
    let (vitals, theme) = (&context.scene.vitals, context.theme);
    let (Some((newest, last)), Some(rtt)) = (vitals.round_trips.back(), &totals.rtt) else {
        let text = "no ping was answered yet";
        return vec![Line::styled(text, theme.dim)];
    };
    let fact =
        |name: &str, time| Span::styled(format!("{name} {}", show_duration(time)), theme.text);
    let last = Line::from(vec![
        Span::styled("last ", theme.dim),
        Span::styled(show_duration(*last), theme.title),
    ]);
    let mut lines = vec![
        Bar::default()
            .with(0, last)
            .with(2, fact("p50", rtt.p50))
            .with(1, fact("p99", rtt.p99))
            .with(3, fact("max", rtt.max))
            .line(room, &Span::raw("  ")),
    ];
    let trips: Vec<u64> = vitals
        .round_trips
        .iter()
        .map(|(_, rtt)| micros(*rtt))
        .collect();
    let label = LABEL.min(room / 3);
    let columns = room.saturating_sub(label + 1);
    let chart = chart::line(&trips, columns, CHART, &theme.glyphs);
    let bounds = [(0, chart.most), (CHART - 1, chart.least)];
    for (row, cells) in chart.rows.into_iter().enumerate() {
        let bound = bounds.iter().find(|(at, _)| *at == row);
        let bound = bound.map(|(_, micros)| show_duration(Duration::from_micros(*micros)));
        lines.push(Line::from(vec![
            Span::styled(format!("{:>label$} ", bound.unwrap_or_default()), theme.dim),
            Span::styled(cells, theme.chart),
        ]));
    }
    let shown = trips
        .len()
        .min(columns * chart::values_in_column(&theme.glyphs));
    let oldest = vitals.round_trips.get(trips.len() - shown);
    let span = oldest.map(|(at, _)| newest.saturating_sub(*at));
    let pings = if shown == 1 {
        "1 ping".to_owned()
    } else {
        format!("{shown} pings")
    };
    let span = span
        .filter(|span| !span.is_zero())
        .map(|span| Span::styled(format!("in {}", show_duration(span)), theme.dim));
    lines.push(
        Bar::default()
            .with(0, Span::styled(format!("{:label$} {pings}", ""), theme.dim))
            .with(1, span.unwrap_or_default())
            .line(room, &Span::raw(" ")),
    );
    lines
}

/// Columns of the numbers beside a chart.
const LABEL: usize = 6;

fn connection(context: &Context<'_>, room: usize) -> Vec<Line<'static>> {
    let (vitals, theme) = (&context.scene.vitals, context.theme);
    let state = vitals.state();
    let name_width = 11;
    let fact = |name: &str, bar: Bar<'static>, gap| {
        let mut line = Line::styled(format!("{name:<name_width$} "), theme.dim);
        let room = room.saturating_sub(name_width + 1);
        line.spans.extend(bar.line(room, &Span::raw(gap)).spans);
        line
    };
    let alone = |text: String, style| Bar::default().with(0, Span::styled(text, style));
    let text = format!(" {} {state} ", u8::from(state));
    let mut lines = vec![fact("readyState", alone(text, theme.state(state)), "")];
    if let Some(open) = &vitals.open {
        let total = show_duration(open.timings.total);
        let mut bar = alone(total, theme.text);
        for step in steps(&open.timings) {
            bar.add(1, Span::styled(step, theme.dim));
        }
        lines.push(fact("handshake", bar, " "));
    }
    let close = match &vitals.last_close {
        None => alone("none".into(), theme.dim),
        Some((time, code)) => {
            let mut time = clock(*time, &context.state.setup.zone);
            time.truncate(8);
            let style = if code.is_ordinary() {
                theme.text
            } else {
                theme.error
            };
            alone(code.to_string(), style)
                .with(1, Span::styled(code.name(), style))
                .with(2, Span::styled(time, theme.dim))
        }
    };
    lines.push(fact("last close", close, " "));
    let backoff = match &vitals.backoff {
        None => alone("none".into(), theme.dim).with(
            1,
            Span::styled(format!("(retries {})", vitals.retries), theme.dim),
        ),
        Some(backoff) => {
            let rest = backoff
                .until
                .saturating_sub(context.state.now)
                .as_secs_f64();
            let delay = show_duration(backoff.delay);
            alone(format!("#{} in {rest:.1}s", backoff.attempt), theme.hint)
                .with(1, Span::styled(format!("of {delay}"), theme.hint))
        }
    };
    lines.push(fact("backoff", backoff, " "));
    let lost = if vitals.dropped > 0 {
        theme.error
    } else {
        theme.dim
    };
    let half = room.saturating_sub(name_width + 1) / 2;
    let fragmented = alone(count(vitals.fragmented, half), theme.text).with(
        1,
        Span::styled(format!("lost {}", short(vitals.dropped)), lost),
    );
    lines.push(fact("fragmented", fragmented, "   "));
    lines
}
