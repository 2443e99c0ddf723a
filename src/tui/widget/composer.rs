//! Where one types what is sent: text, JSON, hex, pings, closes and slash commands, over as many
//! lines as it takes.
//!
//! Editing is that of a shell: Ctrl+A E B F, Alt+B F, Ctrl+W K U Y, Alt+D, Ctrl+_ (undo), Up and
//! Down through the history, Tab completes a slash command, Ctrl+J and Alt+Enter begin a line,
//! Ctrl+X Ctrl+E asks for an editor. What the screen binds are methods: [`Composer::submit`],
//! [`Composer::next_kind`], [`Composer::search`], [`Composer::clear`].

mod layout;
mod search;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::draft::{Draft, Motion};
use super::pen::Pen;
use crate::input::compose::{Kind, MAX_CONTROL, Problem, Verdict};
use crate::input::{Input, slash};
use crate::model::units::show_size;
use crate::text::{glyph, json, sanitize};
use crate::tui::theme::Theme;

use self::layout::Rows;
use self::search::Search;

/// Longer texts get no colours and no suggestions, which cost time at each key.
const LONGEST_HELPED: usize = 4 * 1024;

/// Below this width the status gives way to the text.
const NARROW: u16 = 50;

/// What a key asks the screen to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The composer looks different now; no more.
    Changed,
    /// Carry this out, and remember the line.
    Submit { input: Input, line: String },
    /// Let the person edit the text in `$EDITOR`; [`Composer::replace`] takes the result.
    Edit,
}

/// A text on its way to the wire.
#[derive(Debug, Default)]
pub struct Composer {
    draft: Draft,
    kind: Kind,
    /// Oldest first.
    history: Vec<String>,
    /// The entry that is shown, and what was typed before.
    recalled: Option<(usize, String)>,
    search: Option<Search>,
    /// What Tab completes: the typed part, and which candidate is shown.
    completing: Option<(String, usize)>,
    /// Ctrl+X was typed.
    is_chord: bool,
    /// Why the last key did not do what it should.
    note: Option<String>,
}

impl Composer {
    /// With the lines of former sessions, oldest first.
    pub fn new(history: Vec<String>) -> Self {
        Self {
            history,
            ..Self::default()
        }
    }

    pub fn text(&self) -> &str {
        self.draft.text()
    }

    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Another text of a kind, such as a message to be sent again.
    pub fn edit(&mut self, kind: Kind, text: &str) {
        self.kind = kind;
        self.replace(text);
    }

    /// Another text, which an editor returned; the former comes back with undo.
    pub fn replace(&mut self, text: &str) {
        self.settle();
        self.search = None;
        if !self.draft.set(text) {
            self.too_long();
        }
    }

    /// Goes on to the next kind.
    pub fn next_kind(&mut self) {
        self.settle();
        self.kind = self.kind.next();
    }

    /// Empties it, or ends a search; says whether there was anything.
    pub fn clear(&mut self) -> bool {
        self.settle();
        if self.search.is_some() {
            self.cancel_search();
            return true;
        }
        let had_text = !self.draft.is_empty();
        self.draft.set("");
        had_text
    }

    /// Sends the text. JSON that more lines could complete gets a new line instead, and text that
    /// cannot be sent, or not now, stays where it is.
    pub fn submit(&mut self, is_connected: bool) -> Option<Outcome> {
        self.settle();
        if self.search.is_some() {
            self.accept_search();
            return Some(Outcome::Changed);
        }
        let is_prose = matches!(self.kind, Kind::Text | Kind::Json);
        if is_prose && !self.text().ends_with('\n') && !json::is_complete(self.text()) {
            self.newline();
            return Some(Outcome::Changed);
        }
        let text = self.text().trim_end_matches('\n').to_owned();
        if text.is_empty() && matches!(self.kind, Kind::Text | Kind::Json | Kind::Binary) {
            return None;
        }
        match self.kind.read(&text) {
            Err(problem) => {
                if let Some(at) = problem.at {
                    self.draft.place(at);
                }
                self.note = Some(self.sentence(&problem));
                Some(Outcome::Changed)
            }
            Ok(input) if !is_connected && needs_connection(&input) => {
                self.note = Some("not connected: it stays here".into());
                Some(Outcome::Changed)
            }
            Ok(input) => {
                self.draft.take();
                let line = self.as_line(&text);
                if self.history.last() != Some(&line) {
                    self.history.push(line.clone());
                }
                Some(Outcome::Submit { input, line })
            }
        }
    }

    /// The line that asks for the same in any kind: what the history keeps.
    fn as_line(&self, text: &str) -> String {
        match self.kind {
            Kind::Binary if text.starts_with('/') || text.contains(':') => format!("/bin {text}"),
            Kind::Binary => format!("/bin hex:{text}"),
            Kind::Ping => format!("/ping {text}"),
            Kind::Close => format!("/close {text}").trim_end().to_owned(),
            Kind::Text | Kind::Json => text.to_owned(),
        }
    }

    /// Begins a line.
    pub fn newline(&mut self) {
        self.type_in("\n");
    }

    /// What a terminal pastes is one text, line ends included.
    pub fn paste(&mut self, text: &str) {
        self.settle();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.accept_search();
        self.type_in(&text);
    }

    /// Takes a key; `None` where it means nothing here.
    pub fn handle(&mut self, key: KeyEvent) -> Option<Outcome> {
        if std::mem::take(&mut self.is_chord)
            && let Some(outcome) = self.chord(key)
        {
            return Some(outcome);
        }
        if key.code == KeyCode::Tab {
            return self.complete().then_some(Outcome::Changed);
        }
        self.settle();
        if self.search.is_some() {
            if self.handle_in_search(key) {
                return Some(Outcome::Changed);
            }
            self.accept_search();
        }
        self.edit_by(key).then_some(Outcome::Changed)
    }

    /// The key after Ctrl+X.
    fn chord(&mut self, key: KeyEvent) -> Option<Outcome> {
        match (key.code, is_control(key)) {
            (KeyCode::Char('e'), true) => Some(Outcome::Edit),
            (KeyCode::Char('u'), true) => {
                self.draft.undo();
                Some(Outcome::Changed)
            }
            _ => None,
        }
    }

    fn edit_by(&mut self, key: KeyEvent) -> bool {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let control = is_control(key);
        let word = alt || control;
        match key.code {
            KeyCode::Left if word => _ = self.draft.go(Motion::WordLeft),
            KeyCode::Right if word => _ = self.draft.go(Motion::WordRight),
            KeyCode::Home if control => _ = self.draft.go(Motion::Start),
            KeyCode::End if control => _ = self.draft.go(Motion::End),
            KeyCode::Left => _ = self.draft.go(Motion::Left),
            KeyCode::Right => self.right(),
            KeyCode::Home => _ = self.draft.go(Motion::LineStart),
            KeyCode::End => _ = self.draft.go(Motion::LineEnd),
            KeyCode::Up => return self.up(),
            KeyCode::Down => return self.down(),
            KeyCode::Backspace if word => self.draft.kill(Motion::WordLeft),
            KeyCode::Backspace => self.draft.delete(Motion::Left),
            KeyCode::Delete if word => self.draft.kill(Motion::WordRight),
            KeyCode::Delete => self.draft.delete(Motion::Right),
            KeyCode::Enter if alt || key.modifiers.contains(KeyModifiers::SHIFT) => self.newline(),
            KeyCode::Char(letter) if control && !alt => return self.control(letter),
            KeyCode::Char('b') if alt => _ = self.draft.go(Motion::WordLeft),
            KeyCode::Char('f') if alt => _ = self.draft.go(Motion::WordRight),
            KeyCode::Char('d') if alt => self.draft.kill(Motion::WordRight),
            // AltGr is Ctrl and Alt on some keyboards: the letter is what was meant.
            KeyCode::Char(letter) if !alt || control => {
                self.type_in(letter.encode_utf8(&mut [0; 4]));
            }
            _ => return false,
        }
        true
    }

    fn control(&mut self, letter: char) -> bool {
        match letter {
            'a' => _ = self.draft.go(Motion::LineStart),
            'e' => _ = self.draft.go(Motion::LineEnd),
            'b' => _ = self.draft.go(Motion::Left),
            'f' => self.right(),
            'p' => return self.up(),
            'n' => return self.down(),
            'h' => self.draft.delete(Motion::Left),
            'd' if !self.draft.is_empty() => self.draft.delete(Motion::Right),
            'w' => self.draft.kill(Motion::WordLeft),
            'k' => self.draft.kill(Motion::LineEnd),
            'u' => self.draft.kill(Motion::LineStart),
            'y' => {
                if !self.draft.yank() {
                    self.too_long();
                }
            }
            'j' => self.newline(),
            'x' => self.is_chord = true,
            // Terminals spell Ctrl+_ in these ways.
            '_' | '7' | '/' | '-' => _ = self.draft.undo(),
            _ => return false,
        }
        true
    }

    /// Right, or at the end takes over what the history suggests.
    fn right(&mut self) {
        if !self.draft.go(Motion::Right)
            && let Some(rest) = self.suggestion().map(str::to_owned)
        {
            self.draft.insert(&rest);
        }
    }

    fn type_in(&mut self, text: &str) {
        if !self.draft.insert(text) {
            self.too_long();
        }
    }

    fn too_long(&mut self) {
        self.note = Some(format!(
            "more than {} do not fit here: /file PATH sends a file",
            show_size(super::draft::MOST as u64)
        ));
    }

    /// A line up, and above the first line an entry back in the history.
    fn up(&mut self) -> bool {
        let column = self.column();
        if self
            .draft
            .go_line(false, |line| layout::at_column(line, column))
        {
            return true;
        }
        let at = self
            .recalled
            .as_ref()
            .map_or(self.history.len(), |(at, _)| *at);
        at.checked_sub(1).is_some_and(|at| self.recall(at))
    }

    fn down(&mut self) -> bool {
        let column = self.column();
        if self
            .draft
            .go_line(true, |line| layout::at_column(line, column))
        {
            return true;
        }
        let Some((at, typed)) = self.recalled.clone() else {
            return false;
        };
        if at + 1 < self.history.len() {
            return self.recall(at + 1);
        }
        self.recalled = None;
        self.draft.set(&typed);
        true
    }

    fn recall(&mut self, at: usize) -> bool {
        let Some(line) = self.history.get(at) else {
            return false;
        };
        let typed = match self.recalled.take() {
            Some((_, typed)) => typed,
            None => self.draft.text().to_owned(),
        };
        self.draft.set(line);
        self.recalled = Some((at, typed));
        self.read_as_line();
        true
    }

    /// Lines of the history say themselves what they are.
    const fn read_as_line(&mut self) {
        if !matches!(self.kind, Kind::Json) {
            self.kind = Kind::Text;
        }
    }

    fn column(&self) -> usize {
        let (line, at) = self.draft.line();
        glyph::width(&line[..at])
    }

    /// Tab: the next slash command that begins like this. Says whether there is one.
    fn complete(&mut self) -> bool {
        let typed = match &self.completing {
            Some((typed, _)) => typed.clone(),
            None if self.draft.cursor() == self.text().len() => self.text().to_owned(),
            None => return false,
        };
        let candidates: Vec<_> = slash::completions(&typed).collect();
        let Some(last) = candidates.len().checked_sub(1) else {
            return false;
        };
        let at = match &self.completing {
            Some((_, at)) if *at < last => at + 1,
            _ => 0,
        };
        self.draft.set(&candidates[at].completed());
        self.completing = Some((typed, at));
        true
    }

    /// Forgets what only the key before was about.
    fn settle(&mut self) {
        self.note = None;
        self.completing = None;
        self.is_chord = false;
    }

    /// What the newest line of the history that begins like this has more.
    fn suggestion(&self) -> Option<&str> {
        let text = self.text();
        let is_asked = !text.is_empty()
            && text.len() <= LONGEST_HELPED
            && self.draft.cursor() == text.len()
            && matches!(self.kind, Kind::Text | Kind::Json);
        let mut lines = self.history.iter().rev();
        let rest = lines.find_map(|line| line.strip_prefix(text).filter(|rest| !rest.is_empty()));
        rest.filter(|rest| is_asked && rest.len() <= LONGEST_HELPED)
    }

    fn sentence(&self, problem: &Problem) -> String {
        let Some(at) = problem.at else {
            return problem.message.clone();
        };
        let before = &self.text()[..at.min(self.text().len())];
        let line = before.matches('\n').count() + 1;
        let column = glyph::width(before.rsplit('\n').next().unwrap_or_default()) + 1;
        if line > 1 {
            format!("{} at line {line}, column {column}", problem.message)
        } else {
            format!("{} at column {column}", problem.message)
        }
    }

    /// Rows that the text would take in an area of this width.
    pub fn wanted_rows(&self, width: u16) -> usize {
        Rows::of(self.text(), self.columns(width)).count()
    }

    /// Columns of text: the prompt, the status and a place for the cursor are apart.
    fn columns(&self, width: u16) -> usize {
        let status = if width < NARROW {
            0
        } else {
            glyph::width(&self.status()) + 2
        };
        usize::from(width).saturating_sub(self.prompt().len() + status + 1)
    }

    fn prompt(&self) -> String {
        format!("{}> ", self.kind.short())
    }

    /// How it stands with the text, in a few words.
    fn status(&self) -> String {
        let size = self.kind.size(self.text());
        let size = match self.kind {
            Kind::Ping | Kind::Close => format!("{size} of {MAX_CONTROL} B"),
            _ => show_size(size as u64),
        };
        let verdict = match self.kind.check(self.text()) {
            Verdict::Good(word) => word,
            Verdict::Doubtful(_) => "not json",
            Verdict::Bad(_) => "wrong",
            Verdict::Plain | Verdict::Command { .. } => "",
        };
        let lines = self.text().matches('\n').count() + 1;
        let line = if lines > 1 {
            format!("  {lines} lines")
        } else {
            String::new()
        };
        format!("{verdict:>8} {size:>7}{line}")
    }

    /// What stands in the border above: what is wrong, what can be completed, what is searched, or
    /// the kinds.
    pub fn heading(&self, theme: &Theme) -> Line<'static> {
        if let Some(search) = &self.search {
            return search.heading(theme);
        }
        if let Some(note) = &self.note {
            return Line::styled(sanitize::line(note).into_owned(), theme.error);
        }
        let candidates: Vec<_> = slash::completions(self.text())
            .map(|slash| slash.name)
            .collect();
        if candidates.len() > 1 || candidates.first().is_some_and(|name| *name != self.text()) {
            let names = format!("Tab: {}", candidates.join(" "));
            return Line::styled(names, theme.hint);
        }
        match self.kind.check(self.text()) {
            Verdict::Command { usage, about } => Line::from(vec![
                Span::styled(usage.trim_end().to_owned(), theme.key),
                Span::styled(format!(": {about}"), theme.dim),
            ]),
            Verdict::Bad(problem) => {
                let sentence = self.sentence(&problem);
                Line::styled(sanitize::line(&sentence).into_owned(), theme.error)
            }
            Verdict::Doubtful(problem) => {
                let sentence = format!("not JSON: {}", self.sentence(&problem));
                Line::styled(sanitize::line(&sentence).into_owned(), theme.hint)
            }
            Verdict::Plain | Verdict::Good(_) => self.kinds(theme),
        }
    }

    fn kinds(&self, theme: &Theme) -> Line<'static> {
        let mut spans = Vec::new();
        for kind in Kind::ALL {
            let style = if kind == self.kind {
                theme.title
            } else {
                theme.dim
            };
            // Colour is not all that tells which one it is.
            let name = if kind == self.kind {
                format!("[{}]", kind.name())
            } else {
                kind.name().to_owned()
            };
            let gap = if spans.is_empty() { "" } else { " " };
            spans.push(Span::styled(format!("{gap}{name}"), style));
        }
        Line::from(spans)
    }

    /// Draws it; returns where the terminal's cursor belongs.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) -> Option<Position> {
        let columns = self.columns(area.width);
        let prompt = self.prompt();
        let rows: Vec<_> = Rows::of(self.text(), columns).collect();
        let cursor = self.draft.cursor();
        // The last row that begins at or before the cursor: at a soft end the next one has it.
        let cursor_row = rows
            .iter()
            .rposition(|row| row.start <= cursor)
            .unwrap_or(0);
        let height = usize::from(area.height);
        let first = (cursor_row.saturating_sub(height / 2)).min(rows.len().saturating_sub(height));
        let styles = Styles::of(self, theme);
        let mut place = None;
        for (at, row) in rows.iter().enumerate().skip(first).take(height) {
            let mut pen = Pen::row(buffer, area, at - first);
            let lead = if at == 0 {
                prompt.clone()
            } else {
                " ".repeat(prompt.len())
            };
            pen.put(&lead, theme.outgoing);
            let after_lead = pen.column();
            for glyph in layout::row_glyphs(self.text(), row) {
                if !pen.put_glyph(&glyph, styles.at(glyph.at)) {
                    break;
                }
            }
            if at == cursor_row {
                let before = glyph::width(&self.text()[row.start..cursor.min(row.end)]);
                let x = usize::from(after_lead) + before;
                let x = x.min(usize::from(area.right().saturating_sub(1)));
                let y = area.y + u16::try_from(at - first).unwrap_or_default();
                place = u16::try_from(x).ok().map(|x| Position::new(x, y));
            }
            if at + 1 == rows.len()
                && let Some(rest) = self.suggestion()
            {
                pen.put(rest, theme.dim);
            }
        }
        self.render_status(area, buffer, theme);
        place.filter(|place| area.contains(*place))
    }

    /// At the right of the last row.
    fn render_status(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        if area.width < NARROW || area.height == 0 {
            return;
        }
        let status = self.status();
        let style = match self.kind.check(self.text()) {
            Verdict::Good(_) => theme.good,
            Verdict::Bad(_) => theme.error,
            Verdict::Doubtful(_) => theme.hint,
            Verdict::Plain | Verdict::Command { .. } => theme.dim,
        };
        let mut pen = Pen::row(buffer, area, usize::from(area.height - 1));
        pen.skip(usize::from(area.width).saturating_sub(status.len()));
        pen.put(&status, style);
    }
}

/// How each byte of the text is drawn.
struct Styles {
    plain: Style,
    /// Ends of spans and their styles, in order.
    spans: Vec<(usize, Style)>,
    fault: Option<(usize, Style)>,
}

impl Styles {
    fn of(composer: &Composer, theme: &Theme) -> Self {
        let text = composer.text();
        let is_slash = text.starts_with('/') && !text.starts_with("//");
        let is_helped = text.len() <= LONGEST_HELPED;
        let spans = if is_helped && text.trim_start().starts_with(['{', '[']) {
            let style = |class| json::ink(class).map_or(theme.text, |ink| theme.ink(ink));
            let spans = json::spans(text).into_iter();
            spans
                .map(|(class, span)| (span.end, style(class)))
                .collect()
        } else {
            Vec::new()
        };
        let fault = match composer.kind.check(text) {
            Verdict::Bad(problem) | Verdict::Doubtful(problem) => problem.at,
            _ => None,
        };
        Self {
            plain: if is_slash { theme.control } else { theme.text },
            spans,
            fault: fault.map(|at| (at, theme.error.add_modifier(Modifier::UNDERLINED))),
        }
    }

    fn at(&self, byte: usize) -> Style {
        if let Some((at, style)) = self.fault
            && at == byte
        {
            return style;
        }
        let span = self.spans.partition_point(|(end, _)| *end <= byte);
        self.spans.get(span).map_or(self.plain, |(_, style)| *style)
    }
}

fn is_control(key: KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL)
}

const fn needs_connection(input: &Input) -> bool {
    use crate::model::control::Control;
    matches!(input, Input::Command(_) | Input::Control(Control::To(..)))
}

#[cfg(test)]
mod tests;
