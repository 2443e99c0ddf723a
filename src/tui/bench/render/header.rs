//! The first rows and the last: what the load is, how far it is, and the keys that matter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Context;
use crate::bench::plan::{Pace, Rate};
use crate::bench::shared::Phase;
use crate::model::units::Thousands;
use crate::text::{glyph, sanitize};
use crate::tui::bench::events::clock;
use crate::tui::bench::keymap::{TABLE, Verb};
use crate::tui::widget::bar::Bar;
use crate::tui::widget::numbers::short;
use crate::tui::widget::pane::cut_top;

/// Columns that the bar of the progress has at least.
const LEAST_BAR: u16 = 8;

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let (first, second) = cut_top(context.layout.header, 1);
    let right = run(context);
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX);
    let x = first.right().saturating_sub(width.saturating_add(1));
    buffer.set_line(x.max(first.x), first.y, &right, width);
    let left = Rect {
        x: first.x + 1,
        width: x.saturating_sub(first.x + 3),
        ..first
    };
    let (theme, scene) = (context.theme, context.scene);
    let mode = Line::from(vec![
        Span::styled("bench ", theme.dim),
        Span::styled(scene.about.workload.mode.name, theme.title),
    ]);
    let url = sanitize::line(&scene.about.url).into_owned();
    let room = usize::from(left.width).saturating_sub(mode.width() + 2);
    let url = glyph::ends(&url, room.max(12), theme.glyphs.ascii);
    let bar = Bar::default()
        .with(0, mode)
        .with(1, Line::styled(url, theme.text))
        .with(2, Line::styled(pace(context), theme.dim));
    bar.render(left, buffer, &Span::raw("  "));
    if !second.is_empty() {
        progress(context, second, buffer);
    }
}

/// What is sent when.
fn pace(context: &Context<'_>) -> String {
    let workload = &context.scene.about.workload;
    let what = if workload.script.is_some() || !context.scene.about.steps.is_empty() {
        "script"
    } else {
        "msg"
    };
    match workload.pace {
        Pace::Open { rate, .. } => match rate {
            Rate::Total(rate) => format!("open loop {} {what}/s", short(rate.round() as u64)),
            Rate::PerConnection(rate) => format!("open loop {rate} {what}/s each"),
        },
        Pace::Closed { .. } if !workload.mode.sends => String::new(),
        Pace::Closed { pipeline: 1, .. } => "closed loop".to_owned(),
        Pace::Closed { pipeline, .. } => format!("closed loop, {pipeline} in flight each"),
    }
}

/// What it does just now, and for how long.
fn run(context: &Context<'_>) -> Line<'static> {
    let (theme, scene) = (context.theme, context.scene);
    let now = scene.now;
    let (word, style) = match now.phase {
        _ if scene.end.is_some() => ("DONE", theme.states[3]),
        _ if now.held => ("HELD", theme.states[0]),
        Phase::Ramp => ("RAMP", theme.states[0]),
        Phase::WarmUp => ("WARM-UP", theme.states[0]),
        Phase::Measure => ("RUN", theme.states[1]),
        Phase::Drain => ("DRAIN", theme.states[2]),
        Phase::Close | Phase::Stop => ("CLOSE", theme.states[2]),
    };
    let time = match (now.phase, scene.about.workload.end.duration) {
        (Phase::Measure, Some(duration)) => {
            format!("{} / {}", clock(scene.course()), clock(duration))
        }
        (Phase::Measure, None) => clock(scene.course()),
        _ => clock(now.at),
    };
    let mut line = Line::from(vec![
        Span::styled(format!(" {word} "), style),
        Span::styled(format!(" {time}"), theme.text),
    ]);
    if !now.lost.is_zero() {
        // As much later it ends.
        line.push_span(Span::styled(format!(" +{}", clock(now.lost)), theme.hint));
    }
    line
}

/// How much is done, and which stage it is.
fn progress(context: &Context<'_>, area: Rect, buffer: &mut Buffer) {
    let (theme, scene) = (context.theme, context.scene);
    let done = scene.progress();
    let percent = done.map_or_else(
        || "   -".to_owned(),
        |done| format!("{:>3.0}%", (done * 100.0).floor()),
    );
    let mut text = Line::from(Span::styled(percent, theme.title));
    if let Some((at, from, to)) = scene.stage() {
        let stages = scene.about.workload.ramp.stages.as_ref();
        let all = stages.map_or(0, |stages| stages.0.len());
        text.push_span(Span::styled(
            format!("   stage {}/{all}   ", at + 1),
            theme.text,
        ));
        let arrow = if theme.glyphs.ascii { "->" } else { "→" };
        let (from, to) = (Thousands(from as u64), Thousands(to as u64));
        text.push_span(Span::styled(
            format!("{from} {arrow} {to} conns"),
            theme.dim,
        ));
    }
    if let Some(seeking) = &scene.seeking {
        for (text_of, style) in [
            (seeking.under_way(), theme.text),
            (seeking.known(), theme.dim),
        ] {
            text.push_span(Span::styled(format!("   {text_of}"), style));
        }
    }
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX);
    let bar = area.width.saturating_sub(width.saturating_add(5));
    let mut x = area.x + 1;
    if bar >= LEAST_BAR {
        gauge(
            done.unwrap_or(0.0),
            Rect {
                x,
                width: bar,
                ..area
            },
            context,
            buffer,
        );
        x += bar + 2;
    }
    buffer.set_line(x, area.y, &text, area.right().saturating_sub(x));
}

fn gauge(done: f64, area: Rect, context: &Context<'_>, buffer: &mut Buffer) {
    let glyphs = &context.theme.glyphs;
    let full = (f64::from(area.width) * done).round() as u16;
    for column in 0..area.width {
        let (sign, style) = if column < full {
            (glyphs.fill, context.theme.chart)
        } else if glyphs.ascii {
            ("-", context.theme.border)
        } else {
            ("░", context.theme.border)
        };
        buffer.set_string(area.x + column, area.y, sign, style);
    }
}

pub(super) fn footer(context: &Context<'_>, buffer: &mut Buffer) {
    let Context { state, theme, .. } = context;
    let area = context.layout.footer;
    if let Some(said) = state.said() {
        return sentence(context, area, said, theme.hint, buffer);
    }
    if !state.begun.is_empty() {
        let keys: Vec<String> = state.begun.iter().map(ToString::to_string).collect();
        let text = format!("{} ...", keys.join(" "));
        return sentence(context, area, &text, theme.hint, buffer);
    }
    let mut bar = Bar::default();
    let pair = |key: String, word: &'static str| {
        Line::from(vec![
            Span::styled(key, theme.key),
            Span::styled(format!(" {word}"), theme.dim),
        ])
    };
    if state.overlay.is_some() {
        bar.add(1, pair("Up Down".into(), "scroll"));
        bar.add(0, pair("Esc".into(), "back"));
    } else if context.scene.end.is_some() {
        bar.add(0, pair(context.key(Verb::Stop), "leave"));
    }
    let is_over = context.scene.end.is_some();
    let entries = TABLE.iter().filter(|entry| !entry.footer.is_empty());
    for (at, entry) in entries.enumerate().filter(|_| state.overlay.is_none()) {
        let ends = matches!(entry.verb, Verb::Stop | Verb::Abort | Verb::Hold);
        if is_over && ends {
            continue;
        }
        if entry.verb == Verb::Baseline && context.scene.about.past.is_none() {
            continue;
        }
        let key = match entry.verb {
            Verb::NextMetric => both(context, Verb::PreviousMetric, Verb::NextMetric),
            Verb::Longer => both(context, Verb::Closer, Verb::Longer),
            verb => context.key(verb),
        };
        let word = match entry.verb {
            Verb::Scale if !state.linear => "linear",
            Verb::Hold if context.scene.now.held => "go on",
            _ => entry.footer,
        };
        // The end and the help stay.
        let rank = match entry.verb {
            Verb::Stop | Verb::Help => 0,
            _ => u8::try_from(at + 1).unwrap_or(u8::MAX),
        };
        if !key.is_empty() {
            bar.add(rank, pair(key, word));
        }
    }
    let area = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    bar.render(area, buffer, &Span::raw("  "));
}

fn both(context: &Context<'_>, one: Verb, other: Verb) -> String {
    let keys = [context.key(one), context.key(other)];
    let there: Vec<String> = keys.into_iter().filter(|key| !key.is_empty()).collect();
    there.join(" ")
}

/// A sentence on one row, cut where it has to be.
fn sentence(context: &Context<'_>, area: Rect, text: &str, style: Style, buffer: &mut Buffer) {
    let room = usize::from(area.width).saturating_sub(2);
    let text = glyph::fit(&sanitize::line(text), room, context.theme.glyphs.ascii);
    buffer.set_stringn(area.x + 1, area.y, text, room, style);
}
