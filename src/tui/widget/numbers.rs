//! Numbers where there is little room.

use crate::model::units::show_size;

/// `950`, `12.3k`, `4.1M`: five letters at most.
pub(in crate::tui) fn short(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let unit = UNITS.iter().find(|(unit, _)| count >= *unit);
    match unit.filter(|_| count >= 10_000) {
        Some((unit, name)) => {
            let digits = usize::from(count < unit * 100);
            format!("{:.digits$}{name}", count as f64 / *unit as f64)
        }
        None => count.to_string(),
    }
}

/// `212B`, `4.1kB`.
pub(in crate::tui) fn compact(bytes: u64) -> String {
    show_size(bytes).replace(' ', "")
}
