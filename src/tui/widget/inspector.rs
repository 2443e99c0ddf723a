//! One entry, whole: as JSON with folds, as it came, as hex, with the opening handshake, or held
//! against the one that is marked; below it the frames that carried it and what it answers.
//!
//! Before each picture [`Inspector::look`] is shown what is inspected. It works off a bounded piece
//! of what is still to be read or searched and says whether there is more, so that 64 MiB of JSON
//! cost no more per picture than 1 MiB, and the first rows are there at once.
//!
//! Keys: arrows, page keys, Home and End move; Left and Right (or Enter, Space) fold and unfold, `-` and
//! `+` all; `<` and `>` move sideways where lines are not wrapped; `/` searches, `n` and `N` go on.

mod details;
mod difference;
mod folds;
mod hits;
mod sheet;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use super::Subject;
use super::pen::{Pen, row_of};
use crate::model::event::What;
use crate::model::units::show_size;
use crate::text::sanitize;
use crate::tui::theme::Theme;

use self::details::{Part, Tone};
use self::hits::Hits;
use self::sheet::Sheet;

/// Bytes of a text that one look reads on.
const BUDGET: usize = 1 << 20;

/// From this height on the facts have rows of their own.
const TALL: u16 = 8;

/// Columns that a key moves sideways.
const SIDESTEP: usize = 8;

/// The ways to look at an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    #[default]
    Json,
    Raw,
    Hex,
    Headers,
    Diff,
}

impl Tab {
    pub const ALL: [Self; 5] = [Self::Json, Self::Raw, Self::Hex, Self::Headers, Self::Diff];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Raw => "raw",
            Self::Hex => "hex",
            Self::Headers => "headers",
            Self::Diff => "diff",
        }
    }
}

/// What a key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The inspector looks different now.
    Changed,
}

/// The places in one entry, and what is being read of it.
#[derive(Debug, Default)]
pub struct Inspector {
    /// What was asked for; what is shown is what the entry has of it.
    tab: Tab,
    is_cut: bool,
    size: Size,
    /// The entry, and the one that it is held against.
    shown: Option<(u64, Option<u64>)>,
    /// The tab that is shown.
    open: Tab,
    /// What was looked at of it, by tab.
    sheets: [Option<Sheet>; 5],
    hits: Hits,
}

impl Inspector {
    /// Another way to look.
    pub const fn show(&mut self, tab: Tab) {
        self.tab = tab;
    }

    /// Whether long lines are wrapped, or cut and moved sideways.
    pub const fn toggle_wrap(&mut self) {
        self.is_cut = !self.is_cut;
    }

    /// Whether a search is being typed, which all keys belong to.
    pub const fn is_typing(&self) -> bool {
        self.hits.is_typing()
    }

    /// Prepares the next picture; says whether there is more to do for one after it.
    pub fn look(&mut self, subject: &Subject<'_>, area: Rect) -> bool {
        let number = subject.entry.number;
        let marked = subject.marked.map(|entry| entry.number);
        if self.shown.map(|(shown, _)| shown) != Some(number) {
            self.sheets = Default::default();
            self.hits.restart();
        } else if self.shown != Some((number, marked)) {
            self.sheets[Tab::Diff as usize] = None;
        }
        self.shown = Some((number, marked));
        let open = self.tab_of(subject);
        if open != self.open {
            self.open = open;
            self.hits.restart();
        }
        let body = split(area, subject, &self.hits).0;
        self.size = body.as_size();
        let sheet = self.sheets[open as usize].get_or_insert_with(|| Sheet::open(open, subject));
        let reads = sheet.work(BUDGET);
        let seeks = self.hits.work(sheet);
        sheet.settle(self.size, self.is_cut);
        reads || seeks
    }

    /// What the entry has of what was asked for.
    fn tab_of(&self, subject: &Subject<'_>) -> Tab {
        match (self.tab, &subject.entry.event.what) {
            (Tab::Headers, _) => Tab::Headers,
            (Tab::Diff, _) => Tab::Diff,
            (Tab::Json, What::Message { message, .. }) if !details::looks_like_json(message) => {
                if message.is_text() {
                    Tab::Raw
                } else {
                    Tab::Hex
                }
            }
            (tab, What::Message { .. }) => tab,
            (Tab::Hex, What::Ping { .. } | What::Pong { .. }) => Tab::Hex,
            _ => Tab::Raw,
        }
    }

    /// Takes a key; `None` where it means nothing here.
    pub fn handle(&mut self, key: KeyEvent) -> Option<Outcome> {
        let sheet = self.sheets[self.open as usize].as_mut()?;
        if self.hits.is_typing() {
            return self.hits.handle(key, sheet).then_some(Outcome::Changed);
        }
        if !(key.modifiers - KeyModifiers::SHIFT).is_empty() {
            return None;
        }
        let page = usize::from(self.size.height).saturating_sub(1).max(1);
        let is_done = match key.code {
            KeyCode::Up | KeyCode::Char('k') => sheet.go_up(1),
            KeyCode::Down | KeyCode::Char('j') => sheet.go_down(1),
            KeyCode::PageUp => sheet.go_up(page),
            KeyCode::PageDown => sheet.go_down(page),
            KeyCode::Home | KeyCode::Char('g') => sheet.go_to(0),
            KeyCode::End | KeyCode::Char('G') => sheet.go_to(usize::MAX),
            KeyCode::Left => sheet.fold(true),
            KeyCode::Right => sheet.fold(false),
            KeyCode::Enter | KeyCode::Char(' ') => sheet.toggle(),
            KeyCode::Char('-') => sheet.fold_all(),
            KeyCode::Char('+') => sheet.unfold_all(),
            KeyCode::Char('>') if self.is_cut => sheet.move_right(SIDESTEP),
            KeyCode::Char('<') if self.is_cut => sheet.move_left(SIDESTEP),
            KeyCode::Char('/') => self.hits.begin(),
            KeyCode::Char('n') => self.hits.seek(sheet, true),
            KeyCode::Char('N') => self.hits.seek(sheet, false),
            KeyCode::Esc => self.hits.clear(),
            _ => false,
        };
        is_done.then_some(Outcome::Changed)
    }

    /// What stands in the border above: the entry, and the tabs.
    pub fn heading(&self, subject: &Subject<'_>, theme: &Theme) -> Line<'static> {
        let mut line = details::title(subject, theme);
        line.push_span("  ");
        let open = self.tab_of(subject);
        for tab in Tab::ALL {
            // Colour is not all that tells which one it is.
            let (text, style) = if tab == open {
                (format!("[{}] ", tab.name()), theme.title)
            } else {
                (format!("{} ", tab.name()), theme.dim)
            };
            line.push_span(Span::styled(text, style));
        }
        line
    }

    /// Draws what the last look prepared.
    pub fn render(
        &self,
        subject: &Subject<'_>,
        is_focused: bool,
        area: Rect,
        buffer: &mut Buffer,
        theme: &Theme,
    ) {
        let is_known = self.shown.map(|(shown, _)| shown) == Some(subject.entry.number);
        let (Some(sheet), true) = (&self.sheets[self.open as usize], is_known) else {
            return;
        };
        let (body, facts, prompt) = split(area, subject, &self.hits);
        sheet.render(self.is_cut, is_focused, &self.hits, body, buffer, theme);
        render_facts(subject, facts, buffer, theme);
        if prompt.height > 0 {
            let mut pen = Pen::new(buffer, prompt);
            for (text, style) in self.hits.line(theme) {
                pen.put(&text, style);
            }
        }
        if let Some(percent) = sheet.progress() {
            let text = format!(" reading {percent} % ");
            let mut pen = Pen::row(buffer, body, usize::from(body.height.saturating_sub(1)));
            pen.skip(usize::from(body.width).saturating_sub(text.len()));
            pen.put(&text, theme.hint);
        }
    }
}

/// Where the entry, its facts and the search go.
fn split(area: Rect, subject: &Subject<'_>, hits: &Hits) -> (Rect, Rect, Rect) {
    let facts = details::facts(subject).len();
    let rows = match area.height {
        0..4 => 0,
        4..TALL => usize::from(facts > 0),
        _ if facts > 0 => facts + 1,
        _ => 0,
    };
    let rows = u16::try_from(rows).unwrap_or_default();
    let prompt = u16::from(hits.is_shown() && area.height > 1);
    let height = area.height - rows - prompt;
    let body = Rect { height, ..area };
    let facts = Rect {
        y: area.y + height,
        height: rows,
        ..area
    };
    let prompt = Rect {
        y: area.y + height + rows,
        height: prompt,
        ..area
    };
    (body, facts, prompt)
}

fn render_facts(subject: &Subject<'_>, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let facts = details::facts(subject);
    let rows = if area.height > 1 || facts.len() < 2 {
        facts
    } else {
        // One row for all: what it answers is worth most.
        let mut rows = facts;
        rows.rotate_right(1);
        vec![rows.join(&Part::new(Tone::Plain, "  "))]
    };
    let mut at = 0;
    if area.height > 1 {
        let mut pen = Pen::new(buffer, area);
        let line = theme.glyphs.border.horizontal_top;
        pen.put(&line.repeat(2), theme.border);
        pen.put(" frame ", theme.dim);
        let rest = pen.room();
        pen.put(&line.repeat(rest), theme.border);
        at = 1;
    }
    for (offset, parts) in rows.iter().enumerate() {
        let mut pen = Pen::new(buffer, row_of(area, at + offset));
        for part in parts {
            pen.put(&part.text, part.tone.style(theme));
        }
    }
}

/// A size with the number of bytes, where that says more.
fn size(bytes: usize) -> String {
    let short = show_size(bytes as u64);
    if bytes < 1_000 {
        short
    } else {
        format!(
            "{short} ({} B)",
            crate::model::units::Thousands(bytes as u64)
        )
    }
}

/// Text of the peer's in a part.
fn safe(text: &str) -> String {
    sanitize::line(text).into_owned()
}

#[cfg(test)]
mod tests;
