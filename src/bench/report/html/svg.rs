//! A chart as SVG: lines and bars between two axes. Its colours are classes of the style sheet; what a
//! point is, is told by its title, which browsers show without a script.

use std::fmt::Write as _;

use super::axis::Axis;
use super::text;

/// Units of the picture; it is drawn as wide as there is room.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 274.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;
/// Right of a chart with and without a second axis.
const RIGHT: f64 = 62.0;
const NARROW: f64 = 26.0;

/// An axis with the names of its ticks.
#[derive(Debug)]
pub(super) struct Scale {
    pub(super) axis: Axis,
    pub(super) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Ticks at round numbers, each named by `name`.
    pub(super) fn new(axis: Axis, name: impl Fn(f64) -> String) -> Self {
        let ticks = axis.ticks().into_iter().map(|tick| (tick, name(tick)));
        Self {
            axis,
            ticks: ticks.collect(),
        }
    }
}

/// Values that belong together.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// Of the style sheet.
    pub(super) class: &'static str,
    /// `None` interrupts it.
    pub(super) points: Vec<Option<(f64, f64)>>,
    /// Its values are those of the second axis.
    pub(super) right: bool,
}

/// A part of the horizontal axis with a title; drawn with a bar where it has a value.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) title: String,
    pub(super) bar: Option<f64>,
}

#[derive(Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) unit: String,
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) right: Option<Scale>,
    pub(super) lines: Vec<Line>,
    pub(super) spans: Vec<Span>,
    /// Until here nothing was measured yet.
    pub(super) before: f64,
}

/// Writing to a String never fails.
impl Chart {
    /// The chart below its title, with a legend.
    pub(super) fn figure(&self) -> String {
        let mut html = format!(
            "<figure><figcaption>{} <small>{}</small></figcaption>\n",
            text(&self.title),
            text(&self.unit)
        );
        let _ = writeln!(
            html,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            text(&self.title)
        );
        self.grid(&mut html);
        self.spans(&mut html);
        for line in &self.lines {
            self.line(line, &mut html);
        }
        html.push_str("</svg>\n");
        if self.lines.len() > 1 {
            html.push_str("<ul class=\"legend\">");
            for line in &self.lines {
                let _ = write!(
                    html,
                    "<li class=\"{}\">{}</li>",
                    line.class,
                    text(&line.name)
                );
            }
            html.push_str("</ul>\n");
        }
        html.push_str("</figure>\n");
        html
    }

    fn end(&self) -> f64 {
        WIDTH - if self.right.is_some() { RIGHT } else { NARROW }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.axis.place(value) * (self.end() - LEFT)
    }

    fn y(&self, value: f64, right: bool) -> f64 {
        let scale = self.right.as_ref().filter(|_| right).unwrap_or(&self.y);
        let bottom = HEIGHT - BOTTOM;
        bottom - scale.axis.place(value) * (bottom - TOP)
    }

    fn grid(&self, html: &mut String) {
        let (end, bottom) = (self.end(), HEIGHT - BOTTOM);
        if self.before > 0.0 {
            let _ = writeln!(
                html,
                "<rect class=\"before\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\"><title>ramp and warm-up: not measured</title></rect>",
                self.x(self.before) - LEFT,
                bottom - TOP
            );
        }
        for (value, name) in &self.y.ticks {
            let y = self.y(*value, false);
            let _ = writeln!(
                html,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{end}\"/><text class=\"left\" x=\"{}\" y=\"{:.1}\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                text(name)
            );
        }
        for (value, name) in self.right.iter().flat_map(|scale| &scale.ticks) {
            let _ = writeln!(
                html,
                "<text class=\"right\" x=\"{}\" y=\"{:.1}\">{}</text>",
                end + 8.0,
                self.y(*value, true) + 4.0,
                text(name)
            );
        }
        for (value, name) in &self.x.ticks {
            let x = self.x(*value);
            let _ = writeln!(
                html,
                "<path class=\"tick\" d=\"M{x:.1} {bottom}v5\"/><text class=\"below\" x=\"{x:.1}\" y=\"{}\">{}</text>",
                bottom + 24.0,
                text(name)
            );
        }
        let _ = writeln!(html, "<path class=\"axis\" d=\"M{LEFT} {bottom}H{end}\"/>");
    }

    fn spans(&self, html: &mut String) {
        let bottom = HEIGHT - BOTTOM;
        for span in &self.spans {
            let (from, to) = (self.x(span.from), self.x(span.to));
            html.push_str("<g class=\"span\">");
            if let Some(value) = span.bar {
                let top = self.y(value, false);
                // A bar that is there can be seen.
                let height = (bottom - top).max(if value > 0.0 { 2.0 } else { 0.0 });
                let _ = write!(
                    html,
                    "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
                    from + 0.5,
                    bottom - height,
                    (to - from - 1.0).max(1.0),
                );
            }
            let _ = writeln!(
                html,
                "<rect class=\"hit\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\"/><title>{}</title></g>",
                (to - from).max(1.0),
                bottom - TOP,
                super::lines(&span.title)
            );
        }
    }

    /// One path for each part without a gap; a part of one point is a dot.
    fn line(&self, line: &Line, html: &mut String) {
        for part in line.points.split(Option::is_none) {
            let mut points = part.iter().flatten();
            let place = |(x, y): &(f64, f64)| (self.x(*x), self.y(*y, line.right));
            let Some((x, y)) = points.next().map(place) else {
                continue;
            };
            if part.len() == 1 {
                let _ = writeln!(
                    html,
                    "<circle class=\"{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>",
                    line.class
                );
                continue;
            }
            let _ = write!(
                html,
                "<path class=\"line {}\" d=\"M{x:.1} {y:.1}",
                line.class
            );
            for (x, y) in points.map(place) {
                let _ = write!(html, "L{x:.1} {y:.1}");
            }
            html.push_str("\"/>\n");
        }
    }
}
