//! The name that was probably meant.

/// The candidate with the fewest letters to change, if few enough are.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|name| (distance(typed, name), name))
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The end of a sentence about a wrong name: `: did you mean NAME?`, or nothing.
pub fn did_you_mean<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let meant = nearest(typed, candidates).filter(|name| *name != typed);
    meant.map_or_else(String::new, |name| format!(": did you mean {name}?"))
}

/// Letters to insert, delete, replace, or swap with their neighbour (optimal string alignment); at
/// least the difference of the lengths, so that long texts cost nothing.
fn distance(typed: &str, name: &str) -> usize {
    let (a, b) = (typed.as_bytes(), name.as_bytes());
    if a.len().abs_diff(b.len()) > name.len().div_ceil(3) {
        return a.len().abs_diff(b.len());
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name_and_another_word_none() {
        let names = ["connect", "listen", "serve"];
        assert_eq!(nearest("conect", names), Some("connect"));
        assert_eq!(nearest("lsiten", names), Some("listen"));
        assert_eq!(nearest("server", names), Some("serve"));
        assert_eq!(nearest("bench", names), None);
        assert_eq!(
            (distance("kitten", "sitting"), distance("pnig", "ping")),
            (3, 1)
        );
    }
}
