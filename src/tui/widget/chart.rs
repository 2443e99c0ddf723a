//! A line over time in few cells: two values in a column and four heights in a row where braille can
//! be drawn, and one of each and three heights where it cannot.

use crate::tui::theme::Glyphs;

/// The dots of a braille cell by column, from above.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Heights in an ASCII cell, lowest first.
const HEIGHTS: [u8; 3] = *b"_-'";

/// What a line chart shows, and between which values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// From above, each of the columns that were asked for.
    pub rows: Vec<String>,
    pub least: u64,
    pub most: u64,
}

/// Cells that a line is drawn into.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// From above.
    cells: Vec<Vec<u32>>,
    ascii: bool,
}

impl Grid {
    pub(super) fn new(columns: usize, rows: usize, glyphs: &Glyphs) -> Self {
        Self {
            cells: vec![vec![0; columns]; rows],
            ascii: glyphs.ascii,
        }
    }

    /// How many values a column shows.
    const fn across(&self) -> usize {
        if self.ascii { 1 } else { 2 }
    }

    /// How many heights a row has.
    const fn down(&self) -> usize {
        if self.ascii { HEIGHTS.len() } else { 4 }
    }

    /// How many heights there are in all.
    pub(super) const fn heights(&self) -> usize {
        self.cells.len() * self.down()
    }

    /// Draws from the left a height for each value that a column shows; nothing where there is none.
    pub(super) fn line(&mut self, heights: impl IntoIterator<Item = Option<usize>>) {
        let mut before = None;
        for (at, height) in heights.into_iter().enumerate() {
            let from = std::mem::replace(&mut before, height);
            let Some(now) = height else { continue };
            let from = from.unwrap_or(now);
            // From the height before to this one, so that the line has no gaps.
            let reach = if self.ascii {
                now..=now
            } else {
                from.min(now)..=from.max(now)
            };
            for level in reach {
                self.dot(at, level);
            }
        }
    }

    fn dot(&mut self, at: usize, level: usize) {
        let (across, down, ascii) = (self.across(), self.down(), self.ascii);
        let (row, within) = (level / down, level % down);
        let cell = self.cells.iter_mut().rev().nth(row);
        if let Some(cell) = cell.and_then(|row| row.get_mut(at / across)) {
            *cell |= if ascii {
                u32::from(HEIGHTS[within])
            } else {
                DOTS[at % across][down - 1 - within]
            };
        }
    }

    /// What is drawn in a cell, if anything is.
    pub(super) fn sign(&self, column: usize, row: usize) -> Option<char> {
        let cell = *self.cells.get(row)?.get(column)?;
        match cell {
            0 => None,
            cell if self.ascii => char::from_u32(cell),
            dots => char::from_u32(0x2800 + dots),
        }
    }

    /// Adds what another one of the same size has, where letters can be laid over each other.
    pub(super) fn lay_over(&mut self, other: &Self) {
        for (ours, theirs) in self.cells.iter_mut().zip(&other.cells) {
            for (ours, theirs) in ours.iter_mut().zip(theirs) {
                match (self.ascii, *ours) {
                    (true, cell) if cell != 0 => {}
                    _ => *ours |= theirs,
                }
            }
        }
    }

    fn rows(&self) -> Vec<String> {
        let columns = |row: &Vec<u32>| row.len();
        let row = |(at, row): (usize, &Vec<u32>)| {
            let cells = (0..columns(row)).map(|column| self.sign(column, at).unwrap_or(' '));
            cells.collect()
        };
        self.cells.iter().enumerate().map(row).collect()
    }
}

/// How many values a column shows.
pub const fn values_in_column(glyphs: &Glyphs) -> usize {
    if glyphs.ascii { 1 } else { 2 }
}

/// The newest values, as many as there is room for, the newest at the right.
pub fn line(values: &[u64], columns: usize, rows: usize, glyphs: &Glyphs) -> Chart {
    let across = values_in_column(glyphs);
    let shown = &values[values.len().saturating_sub(columns * across)..];
    let least = shown.iter().copied().min().unwrap_or(0);
    let most = shown.iter().copied().max().unwrap_or(0);
    let mut grid = Grid::new(columns, rows, glyphs);
    let top = grid.heights().saturating_sub(1) as u128;
    let height = |value: u64| {
        let span = u128::from(most - least);
        match span {
            // A line that is flat lies low.
            0 => 0,
            // At most `top`, which came from a usize.
            _ => (u128::from(value - least) * top + span / 2).div_euclid(span) as usize,
        }
    };
    let start = columns * across - shown.len();
    let gap = std::iter::repeat_n(None, start);
    grid.line(gap.chain(shown.iter().map(|value| Some(height(*value)))));
    Chart {
        rows: grid.rows(),
        least,
        most,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pictures() {
        let wave: Vec<u64> = (0_u64..60).map(|at| (at * at * 7) % 61 + 20).collect();
        let mut shown = Vec::new();
        for glyphs in [Glyphs::UNICODE, Glyphs::ASCII] {
            for (values, columns, rows) in [
                (&wave[..], 30, 3),
                (&wave[..9], 30, 2),
                (&[5; 20][..], 8, 2),
            ] {
                let chart = line(values, columns, rows, &glyphs);
                let rows: Vec<String> = chart.rows.iter().map(|row| format!("|{row}|")).collect();
                shown.push(format!(
                    "{} to {}\n{}",
                    chart.least,
                    chart.most,
                    rows.join("\n")
                ));
            }
        }
        insta::assert_snapshot!(shown.join("\n"));
    }

    proptest! {
        #[test]
        fn any_values_fit_any_room(values in proptest::collection::vec(any::<u64>(), 0..40), columns in 0_usize..20, rows in 0_usize..5, ascii: bool) {
            let glyphs = if ascii { Glyphs::ASCII } else { Glyphs::UNICODE };
            let chart = line(&values, columns, rows, &glyphs);
            prop_assert_eq!(chart.rows.len(), rows);
            for row in &chart.rows {
                prop_assert_eq!(row.chars().count(), columns);
            }
            // Every value that there is room for has its dot.
            if rows > 0 && columns > 0 && !values.is_empty() {
                prop_assert!(chart.rows.iter().any(|row| row.trim() != ""));
            }
        }
    }
}
