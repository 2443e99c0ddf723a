//! What was asked for and whether it holds, what went wrong, what happened, and whether all that may be
//! believed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Context, pane, put, titled};
use crate::bench::threshold::Threshold;
use crate::model::units::Thousands;
use crate::text::{glyph, sanitize};
use crate::tui::bench::events::clock;
use crate::tui::bench::keymap::Verb;
use crate::tui::bench::seeking::Seeking;

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let (layout, scene) = (context.layout, context.scene);
    // Where only one has room, it is the one that has something to say.
    let is_single = !layout.thresholds.is_empty() && layout.errors.is_empty();
    match &scene.seeking {
        Some(seeking) => {
            search(context, seeking, buffer);
            errors(context, layout.errors, buffer);
        }
        None if is_single && scene.about.thresholds.is_empty() => {
            errors(context, layout.thresholds, buffer);
        }
        None => {
            thresholds(context, layout.thresholds, buffer);
            errors(context, layout.errors, buffer);
        }
    }
    events(context, buffer);
    verdict(context, buffer);
}

fn thresholds(context: &Context<'_>, area: Rect, buffer: &mut Buffer) {
    let (theme, scene) = (context.theme, context.scene);
    if area.is_empty() {
        return;
    }
    let all = scene.about.thresholds.iter().zip(&scene.judged);
    let failing = all.clone().filter(|(_, judged)| fails(judged)).count();
    let note = match failing {
        0 => String::new(),
        count => format!("{count} failing"),
    };
    let inner = pane(context, area, titled(context, "Thresholds", &note), buffer);
    if scene.about.thresholds.is_empty() {
        let flag = format!("--threshold '{}.p99<50ms'", scene.main().path());
        let text = format!("none: {flag}");
        let fits = text.len() <= usize::from(inner.width);
        let text = if fits { text } else { flag };
        return put([Line::styled(text, theme.dim)], inner, buffer);
    }
    // What fails comes first: it may be all there is room for.
    let (bad, good): (Vec<_>, Vec<_>) = all.partition(|(_, judged)| fails(judged));
    let rows = bad.into_iter().chain(good);
    let rows: Vec<Judged> = rows.map(|(one, judged)| Judged::of(one, *judged)).collect();
    let widest = |text: fn(&Judged) -> &str| rows.iter().map(|row| text(row).len()).max();
    let limit = widest(|row| &row.limit).unwrap_or(0);
    let value = widest(|row| &row.value).unwrap_or(0);
    let room = usize::from(inner.width).saturating_sub(5 + limit + value + 3);
    let rows = rows.iter().map(|row| {
        let name = glyph::fit(&row.name, room, theme.glyphs.ascii);
        let gap = " ".repeat(room.saturating_sub(glyph::width(&name)));
        let (word, style) = match row.judged {
            (true, _) => ("ok  ", theme.good),
            (false, Some(_)) => ("FAIL", theme.error),
            (false, None) => ("-   ", theme.dim),
        };
        let of_value = if fails(&row.judged) {
            theme.error
        } else {
            theme.text
        };
        Line::from(vec![
            Span::styled(format!("{word} "), style),
            Span::styled(format!("{name}{gap}"), theme.text),
            Span::styled(format!(" {:<limit$}", row.limit), theme.dim),
            Span::styled(format!("  {:>value$}", row.value), of_value),
        ])
    });
    put(rows, inner, buffer);
}

/// The loads of a search, the newest first.
fn search(context: &Context<'_>, seeking: &Seeking, buffer: &mut Buffer) {
    let (area, theme) = (context.layout.thresholds, context.theme);
    if area.is_empty() {
        return;
    }
    let sought = &seeking.sought;
    let condition = sanitize::line(&sought.condition.text);
    let title = titled(context, "Search", &condition);
    let inner = pane(context, area, title, buffer);
    let unit = sought.condition.metric.unit();
    let numbers = seeking.steps.iter().map(|step| step.value);
    let most = numbers.chain([seeking.number]).max().unwrap_or(0);
    let width = Thousands(most as u64).to_string().len();
    let row = |word: &'static str, style, number: usize, about: String| {
        let number = Thousands(number as u64).to_string();
        Line::from(vec![
            Span::styled(format!("{word:<4} "), style),
            Span::styled(format!("{number:>width$}  "), theme.text),
            Span::styled(about, theme.dim),
        ])
    };
    let over = seeking.steps.iter().rev().map(|step| {
        let (word, style) = match step.judged.as_str() {
            "held" => ("ok", theme.good),
            "failed" => ("FAIL", theme.error),
            _ => ("-", theme.hint),
        };
        let measured = step.measured.map(|value| unit.show(value));
        let mut about = measured.unwrap_or_else(|| "not measured".to_owned());
        if step.failed + step.lost > 0 {
            about += &format!("  failed {}  lost {}", step.failed, step.lost);
        } else if word == "-" {
            about += &format!("  this machine: {}", step.reasons.join(", "));
        }
        row(word, style, step.value, about)
    });
    let is_over = context.scene.end.is_some();
    let now = (!is_over).then(|| row("...", theme.dim, seeking.number, String::new()));
    put(now.into_iter().chain(over), inner, buffer);
}

/// A threshold in words.
struct Judged {
    name: String,
    limit: String,
    value: String,
    judged: (bool, Option<f64>),
}

impl Judged {
    fn of(threshold: &Threshold, judged: (bool, Option<f64>)) -> Self {
        let unit = threshold.metric.unit();
        let (sign, limit) = (threshold.comparison.sign(), unit.show(threshold.limit));
        Self {
            name: threshold.metric.to_string(),
            limit: format!("{sign} {limit}"),
            value: judged
                .1
                .map_or_else(|| "-".to_owned(), |value| unit.show(value)),
            judged,
        }
    }
}

/// Whether a threshold is known not to hold; what was not measured yet may still come.
const fn fails((holds, value): &(bool, Option<f64>)) -> bool {
    !*holds && value.is_some()
}

fn errors(context: &Context<'_>, area: Rect, buffer: &mut Buffer) {
    let (theme, scene) = (context.theme, context.scene);
    if area.is_empty() {
        return;
    }
    let title = titled(context, "Errors and closes", "");
    let inner = pane(context, area, title, buffer);
    let mut counts: Vec<(u64, String, bool)> = scene
        .total
        .errors
        .iter()
        .map(|(name, seen)| (seen.count, name.to_string(), true))
        .collect();
    counts.extend(scene.total.closes.iter().map(|(close, closes)| {
        let text = format!("close {} by {}", close.code, close.by.name());
        (closes.count, text, close.code == 1006)
    }));
    counts.sort_by_key(|(count, ..)| std::cmp::Reverse(*count));
    if counts.is_empty() {
        return put([Line::styled("none", theme.dim)], inner, buffer);
    }
    let more = counts.len().saturating_sub(usize::from(inner.height));
    let room = usize::from(inner.width).saturating_sub(8);
    let rows = counts.iter().map(|(count, text, is_bad)| {
        let style = if *is_bad { theme.error } else { theme.text };
        let text = glyph::fit(&sanitize::line(text), room, theme.glyphs.ascii);
        Line::from(vec![
            Span::styled(format!("{:>7} ", Thousands(*count).to_string()), style),
            Span::styled(text, theme.text),
        ])
    });
    put(rows, inner, buffer);
    if more > 0 && inner.height > 0 {
        let text = format!(" {more} more ({}) ", context.key(Verb::Errors));
        let width = u16::try_from(text.len()).unwrap_or(0);
        if width + 2 < inner.width {
            let x = inner.right() - width;
            buffer.set_string(x, inner.bottom() - 1, text, theme.hint);
        }
    }
}

fn events(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, theme) = (context.layout.events, context.theme);
    if area.is_empty() {
        return;
    }
    let inner = pane(context, area, titled(context, "Events", ""), buffer);
    let room = usize::from(inner.width).saturating_sub(7);
    let newest = context.scene.events.newest();
    let mut rows: Vec<Line<'_>> = newest
        .take(usize::from(inner.height))
        .map(|event| {
            let style = if event.is_bad {
                theme.error
            } else {
                theme.text
            };
            let text = glyph::fit(&event.text, room, theme.glyphs.ascii);
            Line::from(vec![
                Span::styled(format!("{:<6} ", clock(event.at)), theme.dim),
                Span::styled(text, style),
            ])
        })
        .collect();
    rows.reverse();
    put(rows, inner, buffer);
}

/// One line: what the result would be if it ended now.
fn verdict(context: &Context<'_>, buffer: &mut Buffer) {
    let (area, theme, scene) = (context.layout.verdict, context.theme, context.scene);
    if area.is_empty() {
        return;
    }
    let failing = scene.judged.iter().filter(|judged| fails(judged)).count();
    let (word, style) = match (&scene.end, failing, scene.verdict.is_valid()) {
        (Some(end), ..) => (end.clone(), theme.title),
        (None, 0, true) => ("so far: ok".to_owned(), theme.good),
        (None, 0, false) => ("so far: not to be believed".to_owned(), theme.error),
        (None, 1, _) => ("so far: FAIL (1 threshold)".to_owned(), theme.error),
        (None, count, _) => (format!("so far: FAIL ({count} thresholds)"), theme.error),
    };
    let mut line = Line::from(Span::styled(format!(" {word}"), style));
    let remarks = scene.verdict.invalid.iter().chain(&scene.verdict.warnings);
    for remark in remarks {
        line.push_span(Span::styled(format!("   {}", remark.text), theme.hint));
    }
    let room = usize::from(area.width).saturating_sub(1);
    let text: String = line.spans.iter().map(|span| &*span.content).collect();
    if glyph::width(&text) > room {
        // Cut in the style of its end.
        let head = Span::styled(format!(" {word}"), style);
        let left = room.saturating_sub(head.width());
        let rest: String = text.chars().skip(word.chars().count() + 1).collect();
        let rest = glyph::fit(&rest, left, theme.glyphs.ascii);
        line = Line::from(vec![head, Span::styled(rest, theme.hint)]);
    }
    buffer.set_line(area.x, area.y, &line, area.width);
}
