//! What a wider terminal takes away, and how it is given back. Pure.
//!
//! Before rustyline paints a draft anew it erases as many rows as the draft had. A terminal that
//! became wider has moved the draft to fewer rows by then, so that the rest of what is erased are
//! messages above it. The last lines that were printed are remembered, and those are printed again.

use std::collections::VecDeque;

use unicode_width::UnicodeWidthChar as _;

/// Lines that are remembered, and bytes of one: no draft has more rows than fit on a screen.
const MOST_LINES: usize = 64;
const LONGEST_LINE: usize = 4 * 1024;

/// The last lines above the draft.
#[derive(Debug, Default)]
pub(super) struct Printed(VecDeque<String>);

impl Printed {
    /// Remembers whole lines.
    pub(super) fn add(&mut self, text: &str) {
        for line in text.lines() {
            if self.0.len() == MOST_LINES {
                self.0.pop_front();
            }
            let mut end = line.len().min(LONGEST_LINE);
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            self.0.push_back(line[..end].to_owned());
        }
    }

    /// What brings `erased` rows back on a terminal of `columns`, with the cursor where the first
    /// of them was. Lines that were erased in part are cleared and printed whole.
    pub(super) fn again(&self, erased: usize, columns: usize) -> String {
        let mut rows = 0;
        let mut first = self.0.len();
        while rows < erased && first > 0 {
            first -= 1;
            rows += rows_of(&self.0[first], columns).max(1);
        }
        let mut text = String::new();
        if rows > erased {
            text.push_str(&format!("\x1b[{}A\r\x1b[J", rows - erased));
        }
        for line in self.0.range(first..) {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// How many of the rows above a draft are erased once the terminal has other columns; `before` is
/// what stands before the cursor, prompt included.
pub(super) fn erased(before: &str, columns: usize, now: usize) -> usize {
    if columns == 0 || now == 0 {
        return 0;
    }
    // Behind a full row the cursor stands in the next one, before as after.
    let row = |columns| end_of(before, columns).0;
    row(columns).saturating_sub(row(now))
}

/// Whether a text behind a prompt of so many columns has just begun another row.
pub(super) fn begins_row(text: &str, prompt: usize, columns: usize) -> bool {
    // Without line feeds and wide letters, which are rare, its length tells.
    let letters = prompt + text.chars().count();
    columns > 0 && letters > columns && letters % columns <= 1
}

/// The rows that a line takes.
fn rows_of(line: &str, columns: usize) -> usize {
    end_of(line, columns).0 + 1
}

/// Row and column behind a text. Escape sequences, which end with a letter, take no room.
fn end_of(text: &str, columns: usize) -> (usize, usize) {
    let (mut row, mut column) = (0, 0);
    let mut in_escape = false;
    for letter in text.chars() {
        if in_escape {
            in_escape = !letter.is_ascii_alphabetic();
        } else if letter == '\x1b' {
            in_escape = true;
        } else if letter == '\n' {
            (row, column) = (row + 1, 0);
        } else {
            let width = letter.width().unwrap_or(0);
            column += width;
            if column > columns {
                (row, column) = (row + 1, width);
            }
        }
    }
    (row, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_terminal_erases_what_a_draft_gives_up() {
        let draft = "x".repeat(150);
        assert_eq!(erased(&draft, 50, 100), 1);
        assert_eq!(erased(&format!("> {draft}"), 50, 100), 2);
        assert_eq!(erased(&draft, 100, 50), 0);
        assert_eq!(erased(&draft, 160, 200), 0);
        assert_eq!(erased("{\n  \"a\": 1", 40, 80), 0);
        assert_eq!(erased(&"\u{4f60}".repeat(30), 40, 80), 1);
        assert_eq!(erased(&draft, 0, 80), 0);
    }

    #[test]
    fn a_row_begins_once() {
        let begins = |letters| begins_row(&"x".repeat(letters), 2, 10);
        let all: Vec<usize> = (0..30).filter(|letters| begins(*letters)).collect();
        assert_eq!(all, [9, 18, 19, 28, 29]);
    }

    #[test]
    fn erased_lines_are_printed_again_and_no_others() {
        let mut printed = Printed::default();
        printed.add("one\ntwo\n\x1b[36mthree\x1b[0m\n");
        assert_eq!(printed.again(2, 80), "two\n\x1b[36mthree\x1b[0m\n");
        assert_eq!(printed.again(9, 80), "one\ntwo\n\x1b[36mthree\x1b[0m\n");
        // The second row of a line of two was erased: the first goes too, and both come back.
        printed.add(&"y".repeat(120));
        let again = format!("\x1b[1A\r\x1b[J{}\n", "y".repeat(120));
        assert_eq!(printed.again(1, 80), again);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut printed = Printed::default();
        printed.add(&"\u{e9}".repeat(LONGEST_LINE));
        printed.add(&"z\n".repeat(MOST_LINES - 1));
        assert_eq!(printed.0.len(), MOST_LINES);
        assert_eq!(printed.0[0].len(), LONGEST_LINE);
        printed.add("z\n");
        assert_eq!(printed.0[0], "z");
    }
}
