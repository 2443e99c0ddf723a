//! Which pane is where, at any size. Pure.

use ratatui::layout::{Rect, Size};

use crate::tui::widget::pane::{cut_left, cut_top, fits, inside};

/// From this width on there is a column of panes on the right.
const WIDE: u16 = 110;
/// How wide it is.
const SIDE: u16 = 44;

/// The areas; what has no room is empty. Those of panes are with their border.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) header: Rect,
    pub(super) connections: Rect,
    pub(super) rooms: Rect,
    pub(super) counts: Rect,
    /// All about the chosen connection.
    pub(super) details: Rect,
    pub(super) log: Rect,
    pub(super) footer: Rect,
}

impl Layout {
    pub(super) fn of(size: Size) -> Self {
        if !fits(size) {
            return Self::default();
        }
        let screen = Rect::new(0, 0, size.width, size.height);
        let (header, rest) = cut_top(screen, if size.height >= 16 { 2 } else { 1 });
        let (body, footer) = cut_top(rest, rest.height - 1);
        let (body, side) = if size.width >= WIDE {
            cut_left(body, body.width - SIDE)
        } else {
            (body, Rect::default())
        };
        let mut layout = Self {
            header,
            footer,
            ..Self::default()
        };
        if side.is_empty() {
            let (connections, rest) = cut_top(body, (body.height * 45 / 100).max(4));
            layout.connections = connections;
            let middle = if body.height >= 18 { 5 } else { 0 };
            let (middle, log) = cut_top(rest, middle);
            (layout.rooms, layout.counts) = cut_left(middle, middle.width / 2);
            layout.log = log;
        } else {
            (layout.connections, layout.log) = cut_top(body, body.height * 55 / 100);
            let (details, rest) = cut_top(side, side.height.saturating_sub(12).clamp(6, 17));
            layout.details = details;
            (layout.rooms, layout.counts) = cut_top(rest, rest.height * 55 / 100);
        }
        layout
    }
}

/// The rows of a list below the names of its columns.
pub(super) const fn below_names(area: Rect) -> Rect {
    let inner = inside(area);
    Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(1),
        ..inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample::panes_do_not_meet;

    #[test]
    fn every_area_is_on_the_screen_and_none_meets_another() {
        panes_do_not_meet(|size| {
            let layout = Layout::of(size);
            if fits(size) {
                assert!(below_names(layout.connections).height > 0, "{size}");
                assert!(inside(layout.log).height > 0, "{size}");
            }
            vec![
                layout.header,
                layout.connections,
                layout.rooms,
                layout.counts,
                layout.details,
                layout.log,
                layout.footer,
            ]
        });
    }
}
