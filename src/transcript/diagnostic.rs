//! What is wrong with a file, with the line, a caret, and what is allowed there.

use std::fmt::Write as _;

use super::syntax::{Place, Source, Span};
use super::template::Fault;
use crate::model::secret::mask_passwords;
use crate::text::glyph::width as width_of;
use crate::text::sanitize;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub span: Span,
    pub message: String,
    /// What is allowed there, or what to do.
    pub hint: Option<String>,
}

/// The most that is shown of a line, in characters.
const WIDTH: usize = 100;

impl Diagnostic {
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            hint: None,
        }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A fault of a text that stands at `position` of the file.
    pub fn of_fault(fault: Fault, file: usize, position: impl Fn(usize) -> usize) -> Self {
        let range = position(fault.at.start)..position(fault.at.end);
        Self {
            span: Span::new(file, range),
            message: fault.message,
            hint: fault.hint,
        }
    }

    /// The file and where in it.
    pub fn place<'s>(&self, sources: &'s [Source]) -> Option<(&'s Source, Place)> {
        let source = sources.get(self.span.file)?;
        Some((source, source.place(self.span.start)))
    }

    /// As people read it; every line is ended.
    pub fn render(&self, sources: &[Source]) -> String {
        let mut text = String::new();
        let message = sanitize::line(&self.message);
        if let Some((source, place)) = self.place(sources) {
            let end = source.place(self.span.end);
            let width = if end.line == place.line {
                end.column.saturating_sub(place.column)
            } else {
                1
            };
            let path = sanitize::line(&source.path);
            // Writing to a String never fails.
            let _ = writeln!(text, "{path}:{place}: {message}");
            let gutter = place.line.to_string();
            let line = mask_passwords(source.line(place.line));
            let (line, caret) = underlined(&line, place.column, width);
            let _ = writeln!(text, "  {gutter} | {line}");
            let _ = writeln!(text, "  {} | {caret}", " ".repeat(gutter.len()));
            if let Some(hint) = &self.hint {
                let _ = writeln!(
                    text,
                    "  {} = {}",
                    " ".repeat(gutter.len()),
                    sanitize::line(hint)
                );
            }
        } else {
            let _ = writeln!(text, "{message}");
        }
        text
    }
}

/// A line fit for a terminal, and carets below `width` characters of it from `column` (from 1) on.
/// Of a long line the part around the caret.
pub fn underlined(line: &str, column: usize, width: usize) -> (String, String) {
    let before: String = line.chars().take(column - 1).collect();
    let rest: String = line.chars().skip(column - 1).collect();
    let marked: String = rest.chars().take(width).collect();
    let shown = |text: &str| sanitize::line(&text.replace('\t', " ")).into_owned();
    let (mut before, after) = (shown(&before), shown(&rest));
    let length = before.chars().count();
    if length + after.chars().count() > WIDTH && length > WIDTH / 2 {
        let cut = length - WIDTH / 2;
        before = format!("...{}", before.chars().skip(cut).collect::<String>());
    }
    let room = WIDTH.saturating_sub(before.chars().count());
    let mut line = before.clone();
    line.extend(after.chars().take(room));
    if after.chars().count() > room {
        line.push_str("...");
    }
    let marked: String = shown(&marked).chars().take(room).collect();
    // Some characters take two columns.
    let carets = "^".repeat(width_of(&marked).max(1));
    let caret = format!("{}{carets}", " ".repeat(width_of(&before)));
    (line, caret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_line_caret_and_what_is_allowed() {
        let source = Source::new("a.wst", "> x\nbob<\t/jsn {}\n");
        let diagnostic = Diagnostic::new(Span::new(0, 9..13), "/jsn is no way to expect something")
            .hint("did you mean /json?");
        let expected = "\
a.wst:2:6: /jsn is no way to expect something
  2 | bob< /jsn {}
    |      ^^^^
    = did you mean /json?
";
        assert_eq!(diagnostic.render(&[source]), expected);
        assert_eq!(Diagnostic::new(Span::default(), "x").render(&[]), "x\n");
    }

    #[test]
    fn of_a_long_line_the_part_around_the_caret_is_shown() {
        let line = "a".repeat(200) + "XY" + &"b".repeat(200);
        let (shown, caret) = underlined(&line, 201, 2);
        assert!(shown.chars().count() <= WIDTH + 6, "{shown}");
        let at = caret.find('^').unwrap();
        assert_eq!((&shown[at..at + 2], &caret[at..]), ("XY", "^^"));
        assert_eq!(
            underlined("> \u{65e5}\u{672c} x", 4, 1),
            ("> \u{65e5}\u{672c} x".into(), "    ^^".into())
        );
        assert_eq!(
            underlined("\x1b[2J>", 2, 1),
            ("\\x1b[2J>".into(), "    ^".into())
        );
    }
}
