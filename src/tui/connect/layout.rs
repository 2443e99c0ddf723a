//! Where everything stands, for every size: pure arithmetic that drawing and the mouse share.

use ratatui::layout::{Rect, Size};

use crate::tui::widget::pane::{fits, inside};

/// From here on there are panels around everything, and more of them.
const ROOMY: Size = Size {
    width: 110,
    height: 30,
};

/// The areas of a screen; an empty one is not shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Panes have borders, and the events and the numbers a pane of their own.
    pub(super) is_roomy: bool,
    /// What is connected, and how it is; one or two rows.
    pub(super) header: Rect,
    /// The numbers in panels, borders included.
    pub(super) panels: Rect,
    /// The rule above the list, or the border of its pane.
    pub(super) frames_head: Rect,
    /// The names of the columns.
    pub(super) column_names: Rect,
    /// The rows of the list.
    pub(super) rows: Rect,
    /// The line below the list: pause, filter, hits.
    pub(super) frames_foot: Rect,
    /// The whole pane of the inspector, and what is in it.
    pub(super) inspector: Rect,
    pub(super) inspector_inner: Rect,
    /// The whole pane of the events, and what is in it.
    pub(super) events: Rect,
    pub(super) events_inner: Rect,
    /// The line above the composer: its kind, or what is wrong.
    pub(super) composer_head: Rect,
    pub(super) composer: Rect,
    /// A rule with the state's history.
    pub(super) strip: Rect,
    pub(super) footer: Rect,
}

/// What the layout depends on besides the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wants {
    /// Rows that the composer's text takes.
    pub(super) composer: u16,
    /// Something is chosen to be inspected.
    pub(super) inspector: bool,
    /// The inspector has the whole screen.
    pub(super) zoomed: bool,
}

impl Layout {
    pub(super) fn of(size: Size, wants: Wants) -> Self {
        if !fits(size) {
            Self::default()
        } else if wants.zoomed {
            Self::zoomed(size)
        } else if size.width >= ROOMY.width && size.height >= ROOMY.height {
            Self::roomy(size, wants)
        } else {
            Self::compact(size, wants)
        }
    }

    fn zoomed(size: Size) -> Self {
        let mut rest = Cut::new(size);
        let footer = rest.bottom(1);
        let header = rest.top(1);
        let inspector = rest.all();
        Self {
            is_roomy: true,
            header,
            footer,
            inspector,
            inspector_inner: inside(inspector),
            ..Self::default()
        }
    }

    fn compact(size: Size, wants: Wants) -> Self {
        let height = size.height;
        let mut rest = Cut::new(size);
        let header = rest.top(if height >= 14 { 2 } else { 1 });
        let footer = rest.bottom(1);
        let strip = rest.bottom(u16::from(height >= 16));
        let composer = rest.bottom(wants.composer.clamp(1, (height / 5).max(1)));
        let composer_head = rest.bottom(u16::from(height >= 14));
        let inspector = match height {
            _ if !wants.inspector => 0,
            0..18 => 0,
            18..22 => 5,
            22..30 => 6,
            _ => height / 3,
        };
        let inspector = rest.bottom(inspector);
        let frames_head = rest.top(u16::from(height >= 12));
        let frames_foot = rest.bottom(1);
        Self {
            is_roomy: false,
            header,
            frames_head,
            column_names: frames_head,
            rows: rest.all(),
            frames_foot,
            inspector,
            inspector_inner: below_first(inspector),
            composer_head,
            composer,
            strip,
            footer,
            ..Self::default()
        }
    }

    fn roomy(size: Size, wants: Wants) -> Self {
        let mut rest = Cut::new(size);
        let header = rest.top(2);
        let panels = rest.top(7);
        let footer = rest.bottom(1);
        let strip = rest.bottom(1);
        let text = wants.composer.clamp(1, size.height / 5);
        let composer_box = rest.bottom(text + 2);
        let events = rest.bottom(size.height / 12 + 2);
        let middle = rest.all();
        // The list needs 45 columns before its preview, the inspector 48 for a row of hex.
        let left = (size.width * 13 / 25).max(70).min(size.width - 40);
        let frames = Rect {
            width: left,
            ..middle
        };
        let inspector = Rect {
            x: middle.x + left,
            width: middle.width - left,
            ..middle
        };
        Self {
            is_roomy: true,
            header,
            panels,
            frames_head: Rect {
                height: frames.height.min(1),
                ..frames
            },
            column_names: Rect {
                height: 1,
                ..inside(frames)
            },
            rows: below_first(inside(frames)),
            frames_foot: Rect {
                y: frames.bottom().saturating_sub(1),
                height: frames.height.min(1),
                ..frames
            },
            inspector,
            inspector_inner: inside(inspector),
            events,
            events_inner: padded(inside(events)),
            composer_head: Rect {
                height: 1,
                ..composer_box
            },
            composer: inside(composer_box),
            strip,
            footer,
        }
    }

    /// The box around the composer, where there is one.
    pub(super) fn composer_box(&self) -> Rect {
        self.composer_head.union(around(self.composer))
    }

    /// The box around the list, where there is one.
    pub(super) fn frames_box(&self) -> Rect {
        self.frames_head.union(self.frames_foot)
    }
}

/// What is left of a screen while pieces are cut off it.
struct Cut(Rect);

impl Cut {
    const fn new(size: Size) -> Self {
        Self(Rect::new(0, 0, size.width, size.height))
    }

    fn top(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.0.height);
        let piece = Rect {
            height: rows,
            ..self.0
        };
        self.0.y += rows;
        self.0.height -= rows;
        piece
    }

    fn bottom(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.0.height);
        self.0.height -= rows;
        Rect {
            y: self.0.bottom(),
            height: rows,
            ..self.0
        }
    }

    const fn all(self) -> Rect {
        self.0
    }
}

/// Without a column at both sides.
const fn padded(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    }
}

/// With a border.
const fn around(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_sub(1),
        y: area.y.saturating_sub(1),
        width: area.width + 2,
        height: area.height + 2,
    }
}

/// Without the first row, which is a rule.
const fn below_first(area: Rect) -> Rect {
    Rect {
        y: area.y + if area.height > 0 { 1 } else { 0 },
        height: area.height.saturating_sub(1),
        ..area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas(layout: &Layout) -> [Rect; 12] {
        [
            layout.header,
            layout.panels,
            layout.frames_head,
            layout.rows,
            layout.frames_foot,
            layout.inspector,
            layout.events,
            layout.composer_head,
            layout.composer,
            layout.strip,
            layout.footer,
            layout.inspector_inner,
        ]
    }

    #[test]
    fn every_area_is_on_the_screen_and_the_list_has_room() {
        for width in [0, 1, 39, 40, 60, 80, 109, 110, 140, 200, 1000] {
            for height in [0, 1, 9, 10, 12, 14, 16, 18, 24, 29, 30, 40, 60, 200] {
                for composer in [0, 1, 3, 500] {
                    for (inspector, zoomed) in [(false, false), (true, false), (true, true)] {
                        let size = Size { width, height };
                        let wants = Wants {
                            composer,
                            inspector,
                            zoomed,
                        };
                        let layout = Layout::of(size, wants);
                        let screen = Rect::new(0, 0, width, height);
                        for area in areas(&layout) {
                            assert!(
                                area.is_empty() || screen.intersection(area) == area,
                                "{size:?} {wants:?} {layout:?}"
                            );
                        }
                        if fits(size) && !zoomed {
                            assert!(layout.rows.height >= 3, "{size:?} {wants:?}");
                            assert!(layout.composer.height >= 1, "{size:?} {wants:?}");
                        }
                    }
                }
            }
        }
    }
}
