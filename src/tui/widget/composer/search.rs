//! Ctrl+R: the newest line of the history that holds what is typed, and older ones.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::text::{Line, Span};

use super::{Composer, is_control};
use crate::text::sanitize;
use crate::tui::theme::Theme;

/// A search that goes on.
#[derive(Debug, Default)]
pub(super) struct Search {
    query: String,
    /// The entry that is shown.
    found: Option<usize>,
    /// Nothing holds the query.
    is_lost: bool,
    /// What was typed before.
    before: String,
}

impl Search {
    pub(super) fn heading(&self, theme: &Theme) -> Line<'static> {
        let style = if self.is_lost {
            theme.error
        } else {
            theme.hint
        };
        let word = if self.is_lost {
            "nothing has "
        } else {
            "search: "
        };
        let query = sanitize::line(&self.query).into_owned();
        Line::from(vec![
            Span::styled(word, style),
            Span::styled(query, theme.title),
            Span::styled("  Enter take  Ctrl+R older  Esc back", theme.dim),
        ])
    }
}

impl Composer {
    /// Begins a search of the history; in one, goes on to an older line.
    pub fn search(&mut self) {
        self.settle();
        let Some(search) = &self.search else {
            self.search = Some(Search {
                before: self.text().to_owned(),
                ..Search::default()
            });
            return;
        };
        self.find(search.found.unwrap_or(self.history.len()));
    }

    /// Shows the newest line before this one that holds the query.
    fn find(&mut self, before: usize) {
        let Some(search) = &mut self.search else {
            return;
        };
        let older = &self.history[..before.min(self.history.len())];
        let found = older.iter().rposition(|line| line.contains(&search.query));
        search.is_lost = found.is_none();
        if found.is_some() {
            search.found = found;
        }
        if let Some(line) = found.map(|at| &self.history[at]) {
            self.draft.set(line);
        }
    }

    /// Whether the key belongs to the search.
    pub(super) fn handle_in_search(&mut self, key: KeyEvent) -> bool {
        let Some(search) = &mut self.search else {
            return false;
        };
        match key.code {
            KeyCode::Char('g') if is_control(key) => self.cancel_search(),
            KeyCode::Esc => self.cancel_search(),
            KeyCode::Char(letter) if (key.modifiers - KeyModifiers::SHIFT).is_empty() => {
                search.query.push(letter);
                // The line that is shown may do.
                let from = search.found.map_or(usize::MAX, |at| at + 1);
                self.find(from);
            }
            KeyCode::Backspace => {
                search.query.pop();
                self.find(usize::MAX);
            }
            _ => return false,
        }
        true
    }

    /// Ends a search with the line that is shown.
    pub(super) fn accept_search(&mut self) {
        if self.search.take().is_some() {
            self.read_as_line();
        }
    }

    pub(super) fn cancel_search(&mut self) {
        if let Some(search) = self.search.take() {
            self.draft.set(&search.before);
        }
    }
}
