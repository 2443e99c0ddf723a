//! Which pane is where, at any size. Pure.

use ratatui::layout::{Rect, Size};

use crate::tui::widget::pane::{cut_left, cut_top, fits};

/// From here on panes have borders, and there are more of them.
const ROOMY: Size = Size {
    width: 110,
    height: 32,
};

/// From this width on a fan-out has a pane of its own; below it takes that of the messages.
const WIDE: u16 = 140;

/// What the counts of connections take.
const CONNECTIONS: u16 = 37;

/// From this width on two panes stand side by side.
const PAIR: u16 = 70;

/// The areas; what has no room is empty. Those of panes are with their border, or the line that
/// stands above them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Panes have borders all around.
    pub(super) boxed: bool,
    pub(super) header: Rect,
    pub(super) connections: Rect,
    pub(super) messages: Rect,
    pub(super) fanout: Rect,
    pub(super) generator: Rect,
    pub(super) latency: Rect,
    pub(super) distribution: Rect,
    /// The chosen metric, and another one.
    pub(super) chart: Rect,
    pub(super) beside: Rect,
    pub(super) thresholds: Rect,
    pub(super) errors: Rect,
    pub(super) events: Rect,
    pub(super) verdict: Rect,
    pub(super) footer: Rect,
}

impl Layout {
    /// `fans_out`: the load is a fan-out.
    pub(super) fn of(size: Size, fans_out: bool) -> Self {
        if !fits(size) {
            return Self::default();
        }
        let screen = Rect::new(0, 0, size.width, size.height);
        if size.width >= ROOMY.width && size.height >= ROOMY.height {
            Self::roomy(screen, fans_out)
        } else {
            Self::dense(screen)
        }
    }

    fn roomy(screen: Rect, fans_out: bool) -> Self {
        let width = screen.width;
        let (header, rest) = cut_top(screen, 2);
        let (counts, rest) = cut_top(rest, 6);
        let (connections, messages, fanout, generator) = if fans_out && width >= WIDE {
            let more = width - WIDE;
            let (connections, counts) = cut_left(counts, CONNECTIONS);
            let (messages, counts) = cut_left(counts, 33 + more / 4);
            let (fanout, generator) = cut_left(counts, 39 + more / 2);
            (connections, messages, fanout, generator)
        } else {
            let (connections, counts) = cut_left(counts, (width * 28 / 100).max(CONNECTIONS));
            let (messages, generator) = cut_left(counts, width * 38 / 100);
            (connections, messages, Rect::default(), generator)
        };
        let (body, last) = cut_top(rest, rest.height - 2);
        let (verdict, footer) = cut_top(last, 1);
        // The table and the lists take what they have to say, the charts all the rest.
        let more = body.height.saturating_sub(26);
        let (table, body) = cut_top(body, (9 + more / 4).min(16));
        let (latency, distribution) = cut_left(table, width - (width / 4).clamp(28, 46));
        let (charts, lists) = cut_top(body, body.height - (6 + more / 4).min(14));
        let (chart, beside) = cut_left(charts, width / 2);
        let (thresholds, lists) = cut_left(lists, width * 36 / 100);
        let (errors, events) = cut_left(lists, lists.width / 2);
        Self {
            boxed: true,
            header,
            connections,
            messages,
            fanout,
            generator,
            latency,
            distribution,
            chart,
            beside,
            thresholds,
            errors,
            events,
            verdict,
            footer,
        }
    }

    fn dense(screen: Rect) -> Self {
        let header = if screen.height >= 12 { 2 } else { 1 };
        let (header, rest) = cut_top(screen, header);
        let (mut body, footer) = cut_top(rest, rest.height - 1);
        let mut room = body.height;
        // In the order of what matters most.
        let mut take = |rows: u16| {
            let rows = if room >= rows { rows } else { 0 };
            room -= rows;
            rows
        };
        let mut latency = take(3);
        let counts = take(4);
        let mut chart = take(5);
        let mut lists = take(4);
        let generator = take(2);
        let more = take(2.min(room_for(chart, latency)));
        latency += more;
        // What is left over goes to the chart and the lists in turn.
        let left = room;
        if chart == 0 {
            latency += left;
        } else {
            let part = if lists == 0 { 0 } else { (left / 4).min(6) };
            let table = (left / 4).min(6);
            lists += part;
            latency += table;
            chart += left - part - table;
        }
        let mut next = |rows: u16| {
            let (area, rest) = cut_top(body, rows);
            body = rest;
            area
        };
        let counts = next(counts);
        let latency = next(latency);
        let chart = next(chart);
        let lists = next(lists);
        let generator = next(generator);
        let half = |area: Rect| {
            if area.width >= PAIR {
                cut_left(area, area.width * 44 / 100)
            } else {
                (area, Rect::default())
            }
        };
        let (connections, messages) = half(counts);
        let (thresholds, errors) = half(lists);
        Self {
            header,
            connections,
            messages,
            generator,
            latency,
            chart,
            thresholds,
            errors,
            footer,
            ..Self::default()
        }
    }
}

/// Rows that a table may have more before anything else grows.
const fn room_for(chart: u16, latency: u16) -> u16 {
    if chart > 0 || latency == 3 { 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample::panes_do_not_meet;

    #[test]
    fn every_area_is_on_the_screen_and_none_meets_another() {
        panes_do_not_meet(|size| {
            let layout = Layout::of(size, size.height % 2 == 0);
            let areas = vec![
                layout.header,
                layout.connections,
                layout.messages,
                layout.fanout,
                layout.generator,
                layout.latency,
                layout.distribution,
                layout.chart,
                layout.beside,
                layout.thresholds,
                layout.errors,
                layout.events,
                layout.verdict,
                layout.footer,
            ];
            if fits(size) {
                let rows: u32 = areas.iter().map(|area| area.area()).sum();
                let all = u32::from(size.width) * u32::from(size.height);
                assert_eq!(rows, all, "{size} is filled");
                assert!(layout.latency.height >= 3, "{size}");
                assert!(!layout.footer.is_empty(), "{size}");
            }
            areas
        });
    }
}
