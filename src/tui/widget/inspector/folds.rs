//! What is folded: ranges of rows, of which only the first is shown. None overlaps another.

use std::collections::BTreeMap;

/// First rows and last rows.
#[derive(Debug, Default)]
pub(super) struct Folds(BTreeMap<usize, usize>);

impl Folds {
    /// The last row of the fold that this row stands for.
    pub(super) fn at(&self, first: usize) -> Option<usize> {
        self.0.get(&first).copied()
    }

    /// The fold that a row is in.
    pub(super) fn around(&self, row: usize) -> Option<(usize, usize)> {
        let (first, last) = self.0.range(..=row).next_back()?;
        (*last >= row).then_some((*first, *last))
    }

    /// Folds rows, and with them what is folded inside.
    pub(super) fn fold(&mut self, first: usize, last: usize) {
        if self.around(first).is_some_and(|(outer, _)| outer < first) {
            return;
        }
        let inner: Vec<usize> = self
            .0
            .range(first..=last)
            .map(|(first, _)| *first)
            .collect();
        for row in inner {
            self.0.remove(&row);
        }
        self.0.insert(first, last);
    }

    pub(super) fn unfold(&mut self, first: usize) -> bool {
        self.0.remove(&first).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The row that is shown below this one.
    pub(super) fn below(&self, row: usize) -> usize {
        self.at(row).unwrap_or(row) + 1
    }

    /// The row that is shown above this one.
    pub(super) fn above(&self, row: usize) -> Option<usize> {
        let row = row.checked_sub(1)?;
        Some(self.around(row).map_or(row, |(first, _)| first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_inside_are_passed() {
        let mut folds = Folds::default();
        folds.fold(12, 14);
        folds.fold(10, 20);
        folds.fold(15, 17);
        assert_eq!(folds.below(9), 10);
        assert_eq!(folds.below(10), 21);
        assert_eq!(folds.above(21), Some(10));
        assert_eq!(folds.above(10), Some(9));
        assert_eq!(folds.above(0), None);
        assert_eq!(folds.around(15), Some((10, 20)));
        assert!(folds.unfold(10) && !folds.unfold(12));
        assert_eq!(folds.around(15), None);
    }
}
