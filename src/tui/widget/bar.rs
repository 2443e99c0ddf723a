//! A row of facts, of which the least important give way where there is no room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Facts side by side.
#[derive(Default)]
pub(in crate::tui) struct Bar<'a> {
    facts: Vec<(u8, Line<'a>)>,
}

impl<'a> Bar<'a> {
    /// Adds a fact; the highest ranks go first when room is short, 0 stays.
    pub(in crate::tui) fn add(&mut self, rank: u8, fact: impl Into<Line<'a>>) {
        let fact = fact.into();
        if fact.width() > 0 {
            self.facts.push((rank, fact));
        }
    }

    /// The same, as one that is added in a chain.
    #[must_use]
    pub(in crate::tui) fn with(mut self, rank: u8, fact: impl Into<Line<'a>>) -> Self {
        self.add(rank, fact);
        self
    }

    /// Draws what fits, with `gap` between.
    pub(in crate::tui) fn render(self, area: Rect, buffer: &mut Buffer, gap: &Span<'a>) {
        if !area.is_empty() {
            let line = self.line(usize::from(area.width), gap);
            buffer.set_line(area.x, area.y, &line, area.width);
        }
    }

    /// What fits into so many columns, with `gap` between.
    pub(in crate::tui) fn line(mut self, room: usize, gap: &Span<'a>) -> Line<'a> {
        while self.width(gap.width()) > room {
            let ranks = self.facts.iter().map(|(rank, _)| *rank);
            match ranks.max().filter(|rank| *rank > 0) {
                // Of equals the last gives way.
                Some(most) => {
                    let at = self.facts.iter().rposition(|(rank, _)| *rank == most);
                    at.map(|at| self.facts.remove(at));
                }
                None => break,
            }
        }
        let mut line = Line::default();
        for (at, (_, fact)) in self.facts.into_iter().enumerate() {
            if at > 0 {
                line.push_span(gap.clone());
            }
            line.spans.extend(
                fact.spans
                    .into_iter()
                    .map(|span| span.patch_style(fact.style)),
            );
        }
        line
    }

    fn width(&self, gap: usize) -> usize {
        let facts: usize = self.facts.iter().map(|(_, fact)| fact.width()).sum();
        facts + gap * self.facts.len().saturating_sub(1)
    }
}
