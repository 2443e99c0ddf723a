//! A line over time in few cells: two values in a column and four heights in a row where braille can
//! be drawn, and one of each and three heights where it cannot.

use crate::tui::theme::Glyphs;

/// The dots of a braille cell by column, from above.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Heights in an ASCII cell, lowest first.
const HEIGHTS: [char; 3] = ['_', '-', '\''];

/// What a line chart shows, and between which values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// From above, each of the columns that were asked for.
    pub rows: Vec<String>,
    pub least: u64,
    pub most: u64,
}

/// How many values a column shows.
pub const fn values_in_column(glyphs: &Glyphs) -> usize {
    if glyphs.ascii { 1 } else { 2 }
}

/// The newest values, as many as there is room for, the newest at the right.
pub fn line(values: &[u64], columns: usize, rows: usize, glyphs: &Glyphs) -> Chart {
    let across = values_in_column(glyphs);
    let down = if glyphs.ascii { 3 } else { 4 };
    let shown = &values[values.len().saturating_sub(columns * across)..];
    let least = shown.iter().copied().min().unwrap_or(0);
    let most = shown.iter().copied().max().unwrap_or(0);
    let heights = rows * down;
    let height = |value: u64| {
        let span = u128::from(most - least);
        let top = heights.saturating_sub(1) as u128;
        match span {
            // A line that is flat lies low.
            0 => 0,
            // At most `top`, which came from a usize.
            _ => (u128::from(value - least) * top + span / 2).div_euclid(span) as usize,
        }
    };
    let mut grid = vec![vec![0_u32; columns]; rows];
    let mut before = None;
    let start = columns * across - shown.len();
    for (at, value) in shown.iter().enumerate() {
        let now = height(*value);
        let from = before.replace(now).unwrap_or(now);
        // From the height before to this one, so that the line has no gaps.
        let reach = if glyphs.ascii {
            now..=now
        } else {
            from.min(now)..=from.max(now)
        };
        let column = start + at;
        for level in reach {
            let (row, within) = (level / down, level % down);
            if let Some(cell) = grid
                .iter_mut()
                .rev()
                .nth(row)
                .and_then(|row| row.get_mut(column / across))
            {
                *cell |= if glyphs.ascii {
                    u32::from(HEIGHTS[within])
                } else {
                    DOTS[column % across][down - 1 - within]
                };
            }
        }
    }
    let glyph = |cell: u32| match cell {
        0 => ' ',
        cell if glyphs.ascii => char::from_u32(cell).unwrap_or(' '),
        dots => char::from_u32(0x2800 + dots).unwrap_or(' '),
    };
    let rows = grid
        .into_iter()
        .map(|row| row.into_iter().map(glyph).collect());
    Chart {
        rows: rows.collect(),
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
