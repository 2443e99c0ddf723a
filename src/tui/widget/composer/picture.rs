//! How it looks: the text in its colours, how it stands with it, and what is said in the border.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::layout::{self, Rows};
use super::{Composer, LONGEST_HELPED};
use crate::input::compose::{Kind, MAX_CONTROL, Verdict};
use crate::input::slash;
use crate::model::units::show_size;
use crate::text::{glyph, json, sanitize};
use crate::tui::theme::Theme;
use crate::tui::widget::pen::Pen;

/// Below this width the status gives way to the text.
const NARROW: u16 = 50;

impl Composer {
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
        if self.is_held {
            return Line::styled("not connected: it stays here", theme.error);
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
