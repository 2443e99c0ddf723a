//! The charts: the chosen metric over time, and on a large screen another one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Context, pane};
use crate::tui::bench::metric::{BESIDE, METRICS, Metric};
use crate::tui::widget::graph::Graph;

/// Charts show this many seconds at least.
const LEAST: f64 = 10.0;
/// A run that ends by then has its end on the chart from the beginning.
const SOON: f64 = 90.0;

pub(super) fn render(context: &Context<'_>, buffer: &mut Buffer) {
    let layout = context.layout;
    let chosen = context.state.metric;
    if let Some(metric) = METRICS.get(chosen) {
        chart(context, metric, layout.chart, buffer);
    }
    // The same twice would say nothing.
    let beside = if chosen == BESIDE { 0 } else { BESIDE };
    if let Some(metric) = METRICS.get(beside) {
        chart(context, metric, layout.beside, buffer);
    }
}

fn chart(context: &Context<'_>, metric: &Metric, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let inner = pane(context, area, title(context, metric), buffer);
    let plot = Rect {
        x: inner.x.saturating_sub(1),
        width: inner.width + 2,
        ..inner
    };
    let scene = context.scene;
    // Not the present moment: the chart would move with every picture.
    let now = scene.last().at;
    let span = match context.state.window() {
        Some(seconds) => ((now - seconds).max(0.0), now.max(seconds)),
        None => {
            let first = scene.points.front().map_or(0.0, |point| point.at - 1.0);
            // What is still to come has its place, but not more than what there is.
            let end = scene.end_at().unwrap_or(now).min((2.0 * now).max(SOON));
            (first.max(0.0), end.max(now).max(first + LEAST))
        }
    };
    let graph = Graph {
        series: metric.series(scene, context.past(), context.theme),
        span,
        logarithmic: metric.is_time() && !context.state.linear,
        show: metric.show,
    };
    graph.render(plot, buffer, context.theme);
}

/// `rtt, ms (log)  p50 p99 max`, each in the colour of its line.
fn title(context: &Context<'_>, metric: &Metric) -> Line<'static> {
    let theme = context.theme;
    let mut title = Line::from(Span::styled(metric.name(context.scene), theme.title));
    let scale = match (metric.is_time(), context.state.linear) {
        (true, false) => " (log)",
        _ => "",
    };
    let unit = match metric.unit {
        "" => String::new(),
        unit => format!(", {unit}"),
    };
    title.push_span(Span::styled(format!("{unit}{scale}"), theme.dim));
    if metric.lines.len() > 1 {
        for line in metric.lines.iter().rev() {
            title.push_span(Span::raw("  "));
            title.push_span(Span::styled(line.name, (line.style)(theme)));
        }
    }
    if let Some(seconds) = context.state.window() {
        title.push_span(Span::styled(format!("  last {seconds:.0} s"), theme.dim));
    }
    if let Some(note) = beside(context, metric) {
        title.push_span(Span::styled(format!("  {note}"), theme.hint));
    }
    title
}

/// What there is of the baseline in a chart, once it is asked for.
fn beside(context: &Context<'_>, metric: &Metric) -> Option<String> {
    let past = context.scene.about.past.as_ref();
    let past = past.filter(|_| context.state.past)?;
    let name = past.name();
    Some(if context.past().is_none() {
        "not compared: suspect".to_owned()
    } else if metric.lines.iter().any(|line| past.has(line.before)) {
        format!("dotted: {name}")
    } else {
        format!("not in {name}")
    })
}
