//! The top: what is connected to what, how, for how long, and the numbers that matter most.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Context;
use super::strip::bars;
use crate::model::event::Direction;
use crate::model::state::ReadyState;
use crate::model::units::{Thousands, show_duration};
use crate::text::{glyph, sanitize};
use crate::tui::connect::row::compact_size;
use crate::tui::widget::bar::Bar;

/// An address of fewer columns tells nothing.
const LEAST_URL: usize = 6;

/// Columns of the round trips' chart.
const CHART: usize = 8;

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let area = context.layout.header;
    let row = |at: u16| Rect {
        y: area.y + at,
        height: 1,
        ..area
    };
    connection(context, row(0), buffer);
    if area.height > 1 {
        if context.layout.panels.is_empty() {
            numbers(context, row(1), buffer);
        } else {
            setup(context, row(1), buffer);
        }
    }
}

fn connection(context: &Context<'_>, area: Rect, buffer: &mut Buffer) {
    let (vitals, theme) = (&context.scene.vitals, context.theme);
    let state = vitals.state();
    let mut bar = Bar::default();
    let name = format!(" {} {state} ", u8::from(state));
    let open = vitals.open.as_ref();
    // What is waited for says more than the end of an address: that is cut first.
    let of = vitals
        .open_of()
        .map(|(open, all)| Span::styled(format!("{open} of {all} open"), theme.text));
    let wait = waiting(context).map(|wait| Span::styled(wait, theme.hint));
    let paused = context.state.list.is_paused();
    let paused = paused.then(|| Span::styled("paused", theme.hint));
    let urgent: Vec<Span<'_>> = wait.into_iter().chain(of).chain(paused).collect();
    let taken: usize = urgent.iter().map(|fact| fact.width() + 2).sum();
    let width = usize::from(area.width);
    let room = width.saturating_sub(name.len() + 1 + taken).min(width / 2);
    let mut first = Line::from(Span::styled(name, theme.state(state)));
    if room >= LEAST_URL {
        let url = glyph::ends(context.scene.url(), room, theme.glyphs.ascii);
        first.push_span(Span::styled(format!(" {url}"), theme.title));
    }
    bar.add(0, first);
    for fact in urgent {
        bar.add(1, fact);
    }
    if let Some(open) = open.filter(|_| vitals.open_of().is_none()) {
        if let Some(subprotocol) = &open.subprotocol {
            let text = format!("sub {}", sanitize::line(subprotocol));
            bar.add(5, Span::styled(text, theme.text));
        }
        for extension in &open.extensions {
            let name = extension.split(';').next().unwrap_or_default();
            bar.add(
                6,
                Span::styled(sanitize::line(name).into_owned(), theme.text),
            );
        }
        match &open.tls {
            Some(tls) if tls.checked => bar.add(4, Span::styled(tls.version.clone(), theme.good)),
            Some(tls) => {
                let text = format!("{} NOT checked", tls.version);
                bar.add(2, Span::styled(text, theme.error));
            }
            None => bar.add(8, Span::styled("no TLS", theme.dim)),
        }
        let peer = format!("peer {}", sanitize::line(&open.peer));
        bar.add(7, Span::styled(peer, theme.dim));
    }
    if let Some(up) = vitals.uptime(context.state.now) {
        bar.add(2, Span::styled(format!("up {}", clock(up)), theme.text));
    }
    if vitals.retries > 0 {
        bar.add(
            3,
            Span::styled(format!("retries {}", vitals.retries), theme.hint),
        );
    }
    bar.render(area, buffer, &Span::raw("  "));
}

/// What is waited for while it is not open.
fn waiting(context: &Context<'_>) -> Option<String> {
    let vitals = &context.scene.vitals;
    if let Some(backoff) = &vitals.backoff {
        let rest = backoff.until.saturating_sub(context.state.now);
        let of = match backoff.max {
            u32::MAX => String::new(),
            max => format!(" of {max}"),
        };
        return Some(format!(
            "retry {}{of} in {:.1}s",
            backoff.attempt,
            rest.as_secs_f64()
        ));
    }
    match vitals.state() {
        ReadyState::Connecting if vitals.retries > 0 => {
            Some(format!("attempt {}", vitals.retries + 1))
        }
        ReadyState::Closed => {
            let key = context
                .state
                .setup
                .keymap
                .keys(crate::tui::connect::keymap::Verb::Reconnect);
            vitals.opened.map(|_| format!("{key} reconnects"))
        }
        _ => None,
    }
}

fn numbers(context: &Context<'_>, area: Rect, buffer: &mut Buffer) {
    let (vitals, theme, now) = (&context.scene.vitals, context.theme, context.state.now);
    let totals = vitals.totals();
    let mut bar = Bar::default();
    for (name, dir, traffic, style, rank) in [
        (" rx", Direction::In, &totals.received, theme.incoming, 0),
        ("tx", Direction::Out, &totals.sent, theme.outgoing, 1),
    ] {
        let rate = vitals.rates.current(now, dir);
        let mut spans = vec![
            Span::styled(name, style),
            Span::styled(format!(" {}", Thousands(traffic.messages)), theme.title),
            Span::styled(format!(" {}/s", short(rate.messages)), theme.text),
        ];
        if rate.bytes > 0 {
            let bytes = usize::try_from(rate.bytes).unwrap_or(usize::MAX);
            spans.push(Span::styled(
                format!(" {}/s", compact_size(bytes)),
                theme.dim,
            ));
        }
        bar.add(rank, Line::from(spans));
    }
    if let (Some((_, last)), Some(rtt)) = (vitals.round_trips.back(), &totals.rtt) {
        let chart = bars(
            vitals.round_trips.iter().map(|(_, rtt)| micros(*rtt)),
            CHART,
            theme,
        );
        bar.add(
            3,
            Line::from(vec![
                Span::styled("rtt ", theme.control),
                Span::styled(show_duration(*last), theme.title),
                Span::styled(format!(" p99 {} ", show_duration(rtt.p99)), theme.text),
                Span::styled(chart, theme.chart),
            ]),
        );
    }
    let ring = &context.scene.ring;
    bar.add(
        4,
        Span::styled(format!("keep {}", Thousands(ring.len() as u64)), theme.dim),
    );
    if ring.evicted() > 0 {
        let text = format!("evicted {}", short(ring.evicted()));
        bar.add(2, Span::styled(text, theme.hint));
    }
    bar.render(area, buffer, &Span::styled(" | ", theme.dim));
}

fn setup(context: &Context<'_>, area: Rect, buffer: &mut Buffer) {
    let mut bar = Bar::default();
    for (at, sentence) in context.scene.setup.iter().enumerate() {
        let rank = u8::try_from(at + 1).unwrap_or(u8::MAX);
        let lead = if at == 0 { " " } else { "" };
        let text = format!("{lead}{}", sanitize::line(sentence));
        bar.add(rank, Span::styled(text, context.theme.dim));
    }
    bar.render(area, buffer, &Span::styled(" | ", context.theme.dim));
}

/// `12:41`, `1:12:41`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// `312`, `1.2k`, `49k`, `3.4M`.
pub(super) fn short(number: u64) -> String {
    const UNITS: [&str; 4] = ["k", "M", "G", "T"];
    if number < 1_000 {
        return number.to_string();
    }
    let mut value = number as f64 / 1e3;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    if value < 9.95 {
        format!("{value:.1}{}", UNITS[unit])
    } else {
        format!("{value:.0}{}", UNITS[unit])
    }
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
