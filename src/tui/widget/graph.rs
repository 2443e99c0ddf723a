//! Lines over time with their axes: values at the left, seconds below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::chart::{Grid, values_in_column};
use crate::text::glyph;
use crate::tui::theme::Theme;

/// Columns left of the axis.
const LABEL: u16 = 7;
/// A value counts until the next one comes, but no longer than this.
const STALE: f64 = 1.6;
/// Rows from one label to the next.
const STEP: u16 = 2;

/// Columns from one dot to the next of a line that is dotted.
const DOTS: usize = 2;

/// A line: seconds and values, in the order of time.
#[derive(Debug, Clone)]
pub struct Series {
    pub points: Vec<(f64, f64)>,
    pub style: Style,
    /// Dots with gaps between, so that it is told from the others without a colour.
    pub dotted: bool,
}

/// Several lines between the same axes; the first lies above the others.
#[derive(Debug, Clone)]
pub struct Graph {
    pub series: Vec<Series>,
    /// The seconds at the left and at the right.
    pub span: (f64, f64),
    pub logarithmic: bool,
    /// How a value is shown, in few letters.
    pub show: fn(f64) -> String,
}

/// Between which values a graph is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Scale {
    fn of(graph: &Graph) -> Self {
        let values = graph.series.iter().flat_map(|series| &series.points);
        let values = values
            .filter(|(at, _)| (graph.span.0..=graph.span.1).contains(at))
            .map(|(_, value)| *value);
        let high = values.clone().fold(0.0, f64::max);
        let low = values.filter(|value| *value > 0.0).fold(high, f64::min);
        // Without a value there is no logarithm.
        if graph.logarithmic && high > 0.0 {
            let high = round(high, true);
            let low = round(low, false);
            Self {
                low: if low < high { low } else { high / 10.0 },
                high,
                logarithmic: true,
            }
        } else {
            Self {
                low: 0.0,
                high: if high > 0.0 { round(high, true) } else { 1.0 },
                logarithmic: false,
            }
        }
    }

    /// From 0 at the lowest to 1 at the highest.
    fn part(self, value: f64) -> f64 {
        let part = if self.logarithmic {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            value / self.high
        };
        part.clamp(0.0, 1.0)
    }

    /// What stands at a part of the height.
    fn value(self, part: f64) -> f64 {
        if self.logarithmic {
            self.low * (self.high / self.low).powf(part)
        } else {
            self.high * part
        }
    }
}

/// The next number of few digits, above or below.
fn round(value: f64, up: bool) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0];
    // A value that is a step is not moved by what a logarithm rounds.
    let digit = value / power;
    let step = if up {
        steps.into_iter().find(|step| *step >= digit * (1.0 - 1e-9))
    } else {
        steps
            .into_iter()
            .rev()
            .find(|step| *step <= digit * (1.0 + 1e-9))
    };
    step.unwrap_or(if up { 10.0 } else { 1.0 }) * power
}

impl Graph {
    /// Draws it, at any size.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        if area.width <= LABEL + 1 || area.height < 2 {
            return;
        }
        let scale = Scale::of(self);
        let plot = Rect {
            x: area.x + LABEL + 1,
            width: area.width - LABEL - 1,
            height: area.height - 1,
            ..area
        };
        self.lines(scale, plot, buffer, theme);
        self.values(scale, area, buffer, theme);
        self.seconds(area, plot, buffer, theme);
    }

    fn lines(&self, scale: Scale, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let (columns, rows) = (usize::from(plot.width), usize::from(plot.height));
        let across = columns * values_in_column(&theme.glyphs);
        let grids: Vec<(Grid, Style)> = self
            .series
            .iter()
            .map(|series| {
                let mut grid = Grid::new(columns, rows, &theme.glyphs);
                let top = grid.heights().saturating_sub(1) as f64;
                let mut values = sampled(&series.points, self.span, across);
                if series.dotted {
                    let apart = DOTS * values_in_column(&theme.glyphs);
                    let places = values.iter_mut().enumerate();
                    let gaps = places.filter(|(at, _)| at % apart != 0);
                    gaps.for_each(|(_, value)| *value = None);
                }
                let height = |value: f64| (scale.part(value) * top).round() as usize;
                grid.line(values.into_iter().map(|value| value.map(height)));
                (grid, series.style)
            })
            .collect();
        let Some(mut all) = grids.first().map(|(grid, _)| grid.clone()) else {
            return;
        };
        for (grid, _) in &grids {
            all.lay_over(grid);
        }
        for (y, row) in (plot.top()..plot.bottom()).zip(0..) {
            for (x, column) in (plot.left()..plot.right()).zip(0..) {
                let mut above = grids.iter();
                let style = above.find(|(grid, _)| grid.sign(column, row).is_some());
                if let (Some(sign), Some((_, style))) = (all.sign(column, row), style) {
                    buffer[(x, y)].set_char(sign).set_style(*style);
                }
            }
        }
    }

    fn values(&self, scale: Scale, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let rows = area.height - 1;
        let is_empty = self.series.iter().all(|series| series.points.is_empty());
        if is_empty {
            let room = usize::from(area.width - LABEL - 1).saturating_sub(2);
            let text = "nothing measured yet";
            buffer.set_stringn(area.x + LABEL + 2, area.y, text, room, theme.dim);
        }
        for row in 0..rows {
            let y = area.y + row;
            // From above; the lowest and the highest have one in any case.
            let has_label = row.is_multiple_of(STEP) && row + 1 < rows || row + 1 == rows;
            let has_label = has_label && !is_empty;
            if has_label {
                let part = f64::from(rows - 1 - row) / f64::from((rows - 1).max(1));
                let part = if rows == 1 { 1.0 } else { part };
                let label = (self.show)(scale.value(part));
                let gap = usize::from(LABEL).saturating_sub(glyph::width(&label));
                let text = format!("{:gap$}{label}", "");
                buffer.set_stringn(area.x, y, text, usize::from(LABEL), theme.dim);
            }
            let axis = theme.glyphs.border.vertical_left;
            buffer.set_string(area.x + LABEL, y, axis, theme.border);
        }
    }

    fn seconds(&self, area: Rect, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let y = area.bottom() - 1;
        let glyphs = &theme.glyphs;
        buffer.set_string(area.x + LABEL, y, glyphs.border.bottom_left, theme.border);
        for x in plot.left()..plot.right() {
            buffer.set_string(x, y, glyphs.border.horizontal_bottom, theme.border);
        }
        let (from, to) = self.span;
        let mut free = plot.x;
        let parts = [0.0, 0.25, 0.5, 0.75, 1.0];
        for part in parts {
            let label = clock(from + (to - from) * part);
            let width = u16::try_from(label.len()).unwrap_or(0);
            // At the right end it ends there.
            let x = plot.x + (f64::from(plot.width) * part) as u16;
            let x = x.min(plot.right().saturating_sub(width));
            if x >= free && x + width <= plot.right() {
                buffer.set_string(x, y, &label, theme.dim);
                free = x + width + 2;
            }
        }
    }
}

/// `45s`, `2m30`, `1h05`.
fn clock(seconds: f64) -> String {
    // It began when it began.
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..100 => format!("{seconds}s"),
        100..3600 => format!("{}m{:02}", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}", seconds / 3600, seconds / 60 % 60),
    }
}

/// A value for each place: the highest of those that fall there, or the last one before.
fn sampled(points: &[(f64, f64)], span: (f64, f64), places: usize) -> Vec<Option<f64>> {
    let each = (span.1 - span.0) / places.max(1) as f64;
    let mut next = points.partition_point(|(at, _)| *at < span.0);
    let mut last = None;
    let place = |place: usize| {
        let end = span.0 + each * (place + 1) as f64;
        let begun = next;
        while points.get(next).is_some_and(|(at, _)| *at <= end) {
            next += 1;
        }
        let here = points[begun..next].iter().map(|(_, value)| *value);
        let highest = here.fold(None, |most: Option<f64>, value| {
            Some(most.map_or(value, |most| most.max(value)))
        });
        if let Some(value) = highest {
            last = Some((points[next - 1].0, value));
            return highest;
        }
        // A point is about the second before it: the line leads to the next one.
        match (last, points.get(next)) {
            (_, Some((at, value))) if at - end < 1.0 => Some(*value),
            (Some((at, value)), _) if end - at < STALE && next < points.len() => Some(value),
            _ => None,
        }
    };
    (0..places).map(place).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::theme::Theme;

    fn graph(values: &[f64], logarithmic: bool) -> Graph {
        let points = (1..).zip(values);
        let points = points.map(|(at, value)| (f64::from(at), *value)).collect();
        Graph {
            series: vec![Series {
                points,
                style: Style::new(),
                dotted: false,
            }],
            span: (0.0, 60.0),
            logarithmic,
            show: |value| format!("{value:.1}"),
        }
    }

    fn picture(graph: &Graph, size: (u16, u16), theme: &Theme) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        let area = buffer.area;
        graph.render(area, &mut buffer, theme);
        let row = |y| {
            let cells = (0..size.0).map(|x| buffer[(x, y)].symbol());
            cells.collect::<String>().trim_end().to_owned()
        };
        let rows = (0..size.1).map(row);
        rows.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn pictures() {
        let stall: Vec<f64> = (0..40)
            .map(|at| match at {
                20..23 => 180.0,
                at => 2.0 + f64::from(at % 3),
            })
            .collect();
        let mut shown = Vec::new();
        for (logarithmic, theme) in [
            (true, Theme::MONO),
            (false, Theme::MONO),
            (true, Theme::MONO.ascii()),
        ] {
            shown.push(picture(&graph(&stall, logarithmic), (60, 7), &theme));
        }
        shown.push(picture(&graph(&[], true), (40, 4), &Theme::MONO));
        insta::assert_snapshot!(shown.join("\n\n"));
    }

    #[test]
    fn scales_end_at_numbers_of_few_digits() {
        for (value, up, down) in [(212.4, 300.0, 200.0), (0.81, 1.0, 0.7), (50.0, 50.0, 50.0)] {
            assert!((round(value, true) - up).abs() < 1e-9, "{value}");
            assert!((round(value, false) - down).abs() < 1e-9, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_values_fit_any_room(
            values in proptest::collection::vec(prop_oneof![Just(0.0), 0.0..1e12_f64], 0..80),
            width in 0_u16..90, height in 0_u16..20, logarithmic: bool, from in 0.0..70.0_f64,
        ) {
            let mut graph = graph(&values, logarithmic);
            graph.span.0 = from.min(59.0);
            picture(&graph, (width, height), &Theme::MONO);
        }
    }
}
