//! Mode `fanout`: what was published, and how much of it came to those who were to get it.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::{Context, pane, put, titled};
use crate::model::units::Thousands;
use crate::tui::widget::bar::Bar;
use crate::tui::widget::numbers::short;

/// Draws the pane, which has one of its own on a wide screen, and elsewhere that of the messages: what
/// those would say is here by other names.
pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let layout = context.layout;
    let area = if layout.fanout.is_empty() {
        layout.messages
    } else {
        layout.fanout
    };
    let inner = pane(
        context,
        area,
        titled(context, "Fan-out, last 1s", ""),
        buffer,
    );
    put(rows(context, inner.width, inner.height), inner, buffer);
}

/// Rates are of the last second, all else is of the whole run; what matters most comes first. Where
/// there are fewer than four rows, some share one.
pub(super) fn rows(context: &Context<'_>, width: u16, height: u16) -> Vec<Line<'static>> {
    let (theme, last) = (context.theme, context.scene.last());
    let counted = context.scene.total.fanout;
    let gap = Span::raw(" ");
    let fitting = |bar: Bar<'static>| bar.line(usize::from(width), &gap);
    let rate = |rate: f64| format!("{}/s", Thousands(rate.round() as u64));
    let dim = |text: &'static str| Line::styled(text, theme.dim);
    let way = |name: &'static str, value: f64| {
        let name = Span::styled(format!("{name:<9}"), theme.dim);
        let value = Span::styled(format!(" {:>9}", rate(value)), theme.title);
        Bar::default().with(0, Line::from(vec![name, value]))
    };
    // A number that is cut would be another one.
    let all = |count: u64| {
        let count = format!("{:>13}", Thousands(count).to_string());
        Line::styled(count, theme.dim)
    };
    // Whole only where it is whole: 99.99996% is not.
    let reach = counted.reach().map_or_else(
        || "-".to_owned(),
        |reach| format!("{:.4}%", (reach * 1e6).floor() / 1e4),
    );
    let reach = Line::from(vec![
        Span::styled(" reach ", theme.dim),
        Span::styled(reach, theme.title),
    ]);
    let published = fitting(way("published", last.published).with(0, reach));
    let mut wrong = Line::default();
    for (name, count) in [
        ("gaps ", counted.gaps()),
        ("   dup ", counted.duplicate),
        ("   reorder ", counted.out_of_order),
    ] {
        let style = if count > 0 { theme.error } else { theme.text };
        wrong.push_span(Span::styled(name, theme.dim));
        wrong.push_span(Span::styled(short(count), style));
    }
    let delivered = way("delivered", last.delivered);
    if height < 4 {
        let delivered = delivered
            .with(0, dim("of"))
            .with(0, Line::styled(rate(last.expected), theme.text))
            .with(1, dim("expected"));
        return vec![published, fitting(delivered), wrong];
    }
    let expected = way("expected", last.expected).with(1, all(counted.expected()));
    let delivered = delivered.with(1, all(counted.delivered));
    vec![published, fitting(expected), fitting(delivered), wrong]
}
