//! A text that is being typed, and the place in it: moves, kills, undo. It knows no keys and no
//! picture.
//!
//! The cursor stands before a grapheme cluster, never inside of one. The text has at most [`MOST`]
//! bytes; what would make it longer is refused whole.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};

/// Bytes of a text: what is larger is no text to edit in a few rows.
pub const MOST: usize = 256 * 1024;

/// Steps that can be undone, and the bytes that they hold.
const MOST_STEPS: usize = 1_000;
const MOST_STEP_BYTES: usize = 4 * MOST;

/// Where a cursor can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    Start,
    End,
}

/// A text with a cursor.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    text: String,
    cursor: usize,
    steps: Vec<Step>,
    /// What was killed last.
    killed: String,
    /// Whether the step before can grow: a word that is typed is one step.
    is_typing: bool,
    /// Whether the step before was a kill: kills in a row are yanked together.
    is_killing: bool,
}

/// A change that can be taken back.
#[derive(Debug, Clone)]
struct Step {
    at: usize,
    removed: String,
    /// Bytes that took its place.
    inserted: usize,
    cursor: usize,
}

impl Draft {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// In bytes.
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// Another text, the cursor at its end; the former can be had back. Says whether it fits.
    pub fn set(&mut self, text: &str) -> bool {
        self.settle();
        self.replace(0..self.text.len(), text)
    }

    /// The text, which is gone then, with all that could be undone.
    pub fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        let killed = std::mem::take(&mut self.killed);
        *self = Self {
            killed,
            ..Self::default()
        };
        text
    }

    /// Types a text at the cursor. Says whether it fits.
    pub fn insert(&mut self, text: &str) -> bool {
        if text.is_empty() {
            return true;
        }
        let is_word = !text.contains(char::is_whitespace);
        let grows = self.is_typing && is_word;
        self.is_killing = false;
        if !grows {
            self.is_typing = false;
        }
        let fits = self.replace_or_grow(self.cursor..self.cursor, text, grows);
        self.is_typing = is_word;
        fits
    }

    /// Moves the cursor; says whether it moved.
    pub fn go(&mut self, motion: Motion) -> bool {
        let to = self.target(motion);
        self.place(to)
    }

    /// Puts the cursor at a byte of the text, or at the beginning of the cluster around it.
    pub fn place(&mut self, at: usize) -> bool {
        self.settle();
        let mut at = at.min(self.text.len());
        while !self.is_boundary(at) {
            at -= 1;
        }
        let moved = at != self.cursor;
        self.cursor = at;
        moved
    }

    /// Removes what a motion would pass.
    pub fn delete(&mut self, motion: Motion) {
        self.settle();
        let range = self.span(motion);
        self.replace(range, "");
    }

    /// The same, and keeps it to be yanked.
    pub fn kill(&mut self, motion: Motion) {
        let range = self.span(motion);
        if range.is_empty() {
            return;
        }
        let goes_back = range.end == self.cursor;
        let text = self.text[range.clone()].to_owned();
        self.killed = match (self.is_killing, goes_back) {
            (false, _) => text,
            (true, true) => text + &self.killed,
            (true, false) => std::mem::take(&mut self.killed) + &text,
        };
        self.settle();
        self.replace(range, "");
        self.is_killing = true;
    }

    /// Types what was killed last.
    pub fn yank(&mut self) -> bool {
        let killed = self.killed.clone();
        self.settle();
        self.insert(&killed)
    }

    /// Takes the last change back; says whether there was one.
    pub fn undo(&mut self) -> bool {
        self.settle();
        let Some(step) = self.steps.pop() else {
            return false;
        };
        self.text
            .replace_range(step.at..step.at + step.inserted, &step.removed);
        self.cursor = step.cursor;
        true
    }

    /// The line of the cursor and where in it the cursor is, in bytes.
    pub fn line(&self) -> (&str, usize) {
        let start = self.line_start();
        let end = self.line_end();
        (&self.text[start..end], self.cursor - start)
    }

    /// Moves to the line above (`-1`) or below, to the given column as `column_of` counts; says
    /// whether there is one.
    pub fn go_line(&mut self, below: bool, at_column: impl Fn(&str) -> usize) -> bool {
        let start = if below {
            match self.text[self.cursor..].find('\n') {
                Some(at) => self.cursor + at + 1,
                None => return false,
            }
        } else {
            match self.line_start().checked_sub(1) {
                Some(end) => self.text[..end].rfind('\n').map_or(0, |at| at + 1),
                None => return false,
            }
        };
        let rest = &self.text[start..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let to = start + at_column(line);
        self.place(to);
        true
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        let rest = &self.text[self.cursor..];
        rest.find('\n')
            .map_or(self.text.len(), |at| self.cursor + at)
    }

    fn target(&self, motion: Motion) -> usize {
        let (before, after) = self.text.split_at(self.cursor);
        match motion {
            Motion::Left => (before.grapheme_indices(true))
                .next_back()
                .map_or(0, |(at, _)| at),
            Motion::Right => (after.graphemes(true).next())
                .map_or(self.cursor, |cluster| self.cursor + cluster.len()),
            Motion::WordLeft => (before.unicode_word_indices())
                .next_back()
                .map_or(0, |(at, _)| at),
            Motion::WordRight => (after.unicode_word_indices())
                .next()
                .map_or(self.text.len(), |(at, word)| self.cursor + at + word.len()),
            Motion::LineStart => self.line_start(),
            Motion::LineEnd => self.line_end(),
            Motion::Start => 0,
            Motion::End => self.text.len(),
        }
    }

    /// What lies between the cursor and the target. At a line's end, killing to it takes the line
    /// feed; at its beginning, the one before.
    fn span(&self, motion: Motion) -> std::ops::Range<usize> {
        let to = match (motion, self.target(motion)) {
            (Motion::LineEnd, to) if to == self.cursor => self.target(Motion::Right),
            (Motion::LineStart, to) if to == self.cursor => self.target(Motion::Left),
            (_, to) => to,
        };
        to.min(self.cursor)..to.max(self.cursor)
    }

    fn is_boundary(&self, at: usize) -> bool {
        self.text.is_char_boundary(at)
            && GraphemeCursor::new(at, self.text.len(), true)
                .is_boundary(&self.text, 0)
                .unwrap_or(true)
    }

    /// What comes next is a step of its own.
    const fn settle(&mut self) {
        self.is_typing = false;
        self.is_killing = false;
    }

    fn replace(&mut self, range: std::ops::Range<usize>, text: &str) -> bool {
        self.replace_or_grow(range, text, false)
    }

    fn replace_or_grow(&mut self, range: std::ops::Range<usize>, text: &str, grows: bool) -> bool {
        if self.text.len() - range.len() + text.len() > MOST {
            return false;
        }
        if range.is_empty() && text.is_empty() {
            return true;
        }
        match self.steps.last_mut() {
            Some(last) if grows && last.at + last.inserted == range.start => {
                last.inserted += text.len();
            }
            _ => self.steps.push(Step {
                at: range.start,
                removed: self.text[range.clone()].to_owned(),
                inserted: text.len(),
                cursor: self.cursor,
            }),
        }
        self.text.replace_range(range.clone(), text);
        let end = range.start + text.len();
        // What was typed may have joined the cluster before or after it.
        self.cursor = (end..=self.text.len())
            .find(|at| self.is_boundary(*at))
            .unwrap_or(self.text.len());
        self.forget();
        true
    }

    /// Keeps the memory of changes within its bounds.
    fn forget(&mut self) {
        let weight = |step: &Step| step.removed.len() + size_of::<Step>();
        let mut bytes: usize = self.steps.iter().map(weight).sum();
        let mut least = self.steps.len().saturating_sub(MOST_STEPS);
        for step in &self.steps[..least] {
            bytes -= weight(step);
        }
        while bytes > MOST_STEP_BYTES && least < self.steps.len() {
            bytes -= weight(&self.steps[least]);
            least += 1;
        }
        self.steps.drain(..least);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draft(text: &str) -> Draft {
        let mut draft = Draft::default();
        assert!(draft.set(text));
        draft
    }

    #[test]
    fn the_cursor_moves_by_what_a_reader_takes_for_a_character() {
        let mut draft = draft("ae\u{301}日👩\u{200d}👧");
        let mut places = vec![draft.cursor()];
        while draft.go(Motion::Left) {
            places.push(draft.cursor());
        }
        assert_eq!(places, [18, 7, 4, 1, 0]);
        draft.place(2);
        assert_eq!(draft.cursor(), 1);
    }

    #[test]
    fn words_and_lines_are_passed_whole() {
        let mut draft = draft("one two-three\nfour");
        assert!(draft.go(Motion::WordLeft));
        assert_eq!(draft.cursor(), 14);
        draft.go(Motion::WordLeft);
        assert_eq!(draft.cursor(), 8);
        draft.go(Motion::LineStart);
        draft.go(Motion::WordRight);
        assert_eq!(draft.cursor(), 3);
        draft.go(Motion::LineEnd);
        assert_eq!(draft.line(), ("one two-three", 13));
        assert!(draft.go_line(true, |line| line.len().min(2)));
        assert_eq!(draft.line(), ("four", 2));
        assert!(!draft.go_line(true, |_| 0));
        assert!(draft.go_line(false, |_| 0));
        assert!(!draft.go_line(false, |_| 0));
    }

    #[test]
    fn what_is_killed_is_yanked() {
        let mut draft = draft("one two three");
        draft.kill(Motion::WordLeft);
        draft.kill(Motion::WordLeft);
        assert_eq!(draft.text(), "one ");
        draft.yank();
        assert_eq!(draft.text(), "one two three");
        draft.go(Motion::Start);
        draft.kill(Motion::LineEnd);
        assert_eq!(draft.text(), "");
        draft.yank();
        draft.yank();
        assert_eq!(draft.text(), "one two threeone two three");
        let mut lines = self::draft("a\nb");
        lines.go(Motion::Start);
        lines.go(Motion::LineEnd);
        lines.kill(Motion::LineEnd);
        assert_eq!(lines.text(), "ab");
    }

    #[test]
    fn changes_are_taken_back_a_word_at_a_time() {
        let mut draft = Draft::default();
        for letter in ["a", "b", " ", "c", "d"] {
            draft.insert(letter);
        }
        draft.delete(Motion::Left);
        let mut texts = Vec::new();
        while draft.undo() {
            texts.push(draft.text().to_owned());
        }
        assert_eq!(texts, ["ab cd", "ab ", "ab", ""]);
        assert!(!draft.undo());
    }

    #[test]
    fn what_is_too_long_is_refused_whole() {
        let mut draft = draft("x");
        assert!(!draft.insert(&"y".repeat(MOST)));
        assert_eq!(draft.text(), "x");
        for _ in 0..50 {
            draft.set(&"z".repeat(MOST));
            draft.set("");
        }
        let held: usize = draft.steps.iter().map(|step| step.removed.len()).sum();
        assert!(held <= MOST_STEP_BYTES);
    }

    proptest! {
        #[test]
        fn undoing_everything_leads_back(start in "[a-c \\n日e\u{301}👧]{0,12}", steps in proptest::collection::vec((0_u8..12, "[a \\n日\u{301}\u{200d}👧]{0,3}"), 0..30)) {
            let mut draft = Draft::default();
            draft.set(&start);
            let before = draft.steps.len();
            let motions = [Motion::Left, Motion::Right, Motion::WordLeft, Motion::WordRight, Motion::LineStart, Motion::LineEnd, Motion::Start, Motion::End];
            for (what, text) in &steps {
                match what {
                    0..8 => { draft.go(motions[usize::from(*what)]); }
                    8 => { draft.insert(text); }
                    9 => draft.kill(motions[text.len() % 8]),
                    10 => { draft.yank(); }
                    _ => draft.delete(motions[text.len() % 8]),
                }
                prop_assert!(draft.is_boundary(draft.cursor()));
            }
            while draft.steps.len() > before {
                draft.undo();
                prop_assert!(draft.cursor() <= draft.text().len());
            }
            prop_assert_eq!(draft.text(), start);
        }
    }
}
