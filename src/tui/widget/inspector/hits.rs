//! Searching in what is inspected: a text, without regard to case, from where one is.

use std::ops::Range;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Style;
use regex::bytes::{Regex, RegexBuilder};

use super::sheet::Sheet;
use crate::tui::theme::Theme;

/// The longest text that is searched.
const LONGEST: usize = 256;

/// Bytes that one look searches.
const BUDGET: usize = 8 << 20;

/// A match is no longer than this: other cases of a letter may take more bytes.
const OVERLAP: usize = 4 * LONGEST;

#[derive(Debug, Default)]
pub(super) struct Hits {
    text: String,
    is_typing: bool,
    regex: Option<Regex>,
    /// Where the last one was found.
    found: Option<Range<usize>>,
    seeking: Option<Seek>,
    note: &'static str,
}

/// A search that goes on.
#[derive(Debug, Clone, Copy)]
struct Seek {
    forward: bool,
    /// Up to which byte, or from which one down, it has not been looked yet.
    at: usize,
    /// It went past an end and comes to where it began.
    is_second: bool,
}

impl Hits {
    pub(super) const fn is_typing(&self) -> bool {
        self.is_typing
    }

    pub(super) const fn is_shown(&self) -> bool {
        self.is_typing || !self.text.is_empty()
    }

    pub(super) fn begin(&mut self) -> bool {
        self.clear();
        self.is_typing = true;
        true
    }

    /// Ends it; says whether there was one.
    pub(super) fn clear(&mut self) -> bool {
        let was_shown = self.is_shown();
        *self = Self::default();
        was_shown
    }

    /// Something else is looked at: what was found is found no more.
    pub(super) fn restart(&mut self) {
        self.found = None;
        self.seeking = None;
        self.note = "";
        self.is_typing = false;
    }

    /// Keys while the text is typed.
    pub(super) fn handle(&mut self, key: KeyEvent, sheet: &mut Sheet) -> bool {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return self.clear(),
            KeyCode::Char('c' | 'g') if is_control => return self.clear(),
            KeyCode::Char('u') if is_control => self.text.clear(),
            KeyCode::Enter if self.text.is_empty() => return self.clear(),
            KeyCode::Enter => {
                self.is_typing = false;
                return true;
            }
            KeyCode::Backspace => _ = self.text.pop(),
            KeyCode::Char(letter)
                if !is_control && self.text.len() + letter.len_utf8() <= LONGEST =>
            {
                self.text.push(letter);
            }
            _ => return true,
        }
        // Indented JSON shows a blank behind a colon that need not be in the text.
        let pattern = regex::escape(&self.text).replace(": ", ":\\s?");
        self.regex = RegexBuilder::new(&pattern)
            .case_insensitive(true)
            .build()
            .ok()
            .filter(|_| !self.text.is_empty());
        self.found = None;
        self.note = "";
        self.start(sheet, true)
    }

    /// Goes on to the next or the one before; says whether there is a search.
    pub(super) fn seek(&mut self, sheet: &mut Sheet, forward: bool) -> bool {
        self.regex.is_some() && self.start(sheet, forward)
    }

    fn start(&mut self, sheet: &mut Sheet, forward: bool) -> bool {
        let Some(regex) = &self.regex else {
            self.seeking = None;
            return true;
        };
        if sheet.payload().is_none() {
            let rows: Vec<String> = sheet.words().collect();
            let is_hit = |row: &usize| regex.is_match(rows[*row].as_bytes());
            let cursor = sheet.cursor();
            let first = usize::from(self.found.is_some());
            let steps = first..rows.len() + first;
            let row = if forward {
                steps.map(|step| (cursor + step) % rows.len()).find(is_hit)
            } else {
                steps
                    .map(|step| (cursor + rows.len() - step) % rows.len())
                    .find(is_hit)
            };
            self.note = if row.is_some() { "" } else { "not found" };
            if let Some(row) = row {
                self.found = Some(row..row);
                sheet.reveal(row);
            }
            return true;
        }
        let at = match (&self.found, forward) {
            (Some(found), true) => found.end,
            (Some(found), false) => found.start,
            (None, _) => sheet.cursor_byte(),
        };
        self.note = "";
        self.seeking = Some(Seek {
            forward,
            at,
            is_second: false,
        });
        true
    }

    /// Searches on; says whether there is more to search.
    pub(super) fn work(&mut self, sheet: &mut Sheet) -> bool {
        let (Some(seek), Some(regex)) = (self.seeking, &self.regex) else {
            return false;
        };
        let Some(text) = sheet.payload().cloned() else {
            return false;
        };
        let found = if seek.forward {
            let end = text.len().min(seek.at + BUDGET);
            let with_overlap = text.len().min(end + OVERLAP);
            let part = &text[seek.at.min(text.len())..with_overlap];
            regex
                .find(part)
                .map(|hit| seek.at + hit.start()..seek.at + hit.end())
        } else {
            let start = seek.at.saturating_sub(BUDGET);
            let part = &text[start..text.len().min(seek.at + OVERLAP)];
            let hits = regex
                .find_iter(part)
                .map(|hit| start + hit.start()..start + hit.end());
            hits.take_while(|hit| hit.start < seek.at).last()
        };
        if let Some(found) = found {
            sheet.go_to_byte(found.start);
            self.found = Some(found);
            self.seeking = None;
            self.note = if seek.is_second {
                "from the other end"
            } else {
                ""
            };
            return false;
        }
        let (next, is_at_end) = if seek.forward {
            (seek.at + BUDGET, seek.at + BUDGET >= text.len())
        } else {
            (seek.at.saturating_sub(BUDGET), seek.at <= BUDGET)
        };
        self.seeking = match (is_at_end, seek.is_second) {
            (false, _) => Some(Seek { at: next, ..seek }),
            (true, false) => Some(Seek {
                at: if seek.forward { 0 } else { text.len() },
                is_second: true,
                ..seek
            }),
            (true, true) => {
                self.note = "not found";
                None
            }
        };
        self.seeking.is_some()
    }

    /// The hits in a row of the text.
    pub(super) fn within(&self, text: &[u8], row: Range<usize>) -> Vec<Range<usize>> {
        let Some(regex) = &self.regex else {
            return Vec::new();
        };
        // One that began in the row before belongs here too.
        let start = row.start.saturating_sub(LONGEST.min(row.start));
        let end = text.len().min(row.end + LONGEST);
        regex
            .find_iter(&text[start..end])
            .map(|hit| start + hit.start()..start + hit.end())
            .filter(|hit| hit.end > row.start && hit.start < row.end)
            .collect()
    }

    /// The row below: what is searched, and what came of it.
    pub(super) fn line(&self, theme: &Theme) -> [(String, Style); 3] {
        let end = if self.is_typing { "_" } else { "" };
        let keys = if self.is_typing {
            "  Enter keep  Esc end"
        } else {
            "  n/N next, Esc end"
        };
        let note = if self.seeking.is_some() {
            "searching"
        } else {
            self.note
        };
        let note = if note.is_empty() {
            String::new()
        } else {
            format!("  {note}")
        };
        [
            (format!("/{}{end}", self.text), theme.title),
            (note, theme.hint),
            (keys.to_owned(), theme.dim),
        ]
    }
}
