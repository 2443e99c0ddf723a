//! `"""` lines: exact blanks, and several lines.

use super::{Line, Parsed, Parser, Wrong};
use crate::transcript::syntax::{Span, Text};

/// The fewest quotes that open a block.
const QUOTES: usize = 3;

/// An opening line: so many quotes close it too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    quotes: usize,
}

impl Block {
    /// A block, if the text is quotes and nothing else.
    pub(super) fn opened_by(text: &str) -> Option<Self> {
        let is_opening = text.len() >= QUOTES && text.bytes().all(|byte| byte == b'"');
        is_opening.then_some(Self { quotes: text.len() })
    }

    fn is_closed_by(self, text: &str) -> bool {
        text.len() == self.quotes && Self::opened_by(text).is_some()
    }
}

impl<'t> Parser<'t> {
    /// The lines up to the closing one, without its indentation.
    pub(super) fn block(&mut self, block: Block, opening: Line<'t>) -> Parsed<Text> {
        // A file with CRLF has it in its blocks too, where it ends lines as well.
        let crlf = self.lines[self.at - 1].1.ends_with('\r');
        let first = self.at;
        let closing = (first..self.lines.len()).find(|number| {
            self.line(*number)
                .is_some_and(|line| block.is_closed_by(line.text))
        });
        let Some(closing) = closing else {
            self.at = self.lines.len();
            let quotes = "\"".repeat(block.quotes);
            let hint = format!("a line that is only {quotes} closes it");
            return Err(self.wrong(opening.span(self.file), "this block has no end", hint));
        };
        self.at = closing + 1;
        let (closing_start, closing_line) = self.lines[closing];
        let indent = closing_line.len() - closing_line.trim_start_matches([' ', '\t']).len();
        let indent = &closing_line[..indent];
        let mut raw: Vec<&str> = Vec::new();
        let mut starts = Vec::new();
        for number in first..closing {
            let (start, line) = self.lines[number];
            let line = if crlf {
                line.strip_suffix('\r').unwrap_or(line)
            } else {
                line
            };
            let content = match line.strip_prefix(indent) {
                Some(content) => content,
                None if line.trim_matches([' ', '\t']).is_empty() => "",
                None => return Err(self.less_indented(start, line)),
            };
            raw.push(content);
            starts.push(start + line.len() - content.len());
        }
        Ok(Text {
            raw: raw.join("\n"),
            span: Span::new(self.file, opening.start..closing_start + closing_line.len()),
            lines: starts,
        })
    }

    fn less_indented(&mut self, start: usize, line: &str) -> Wrong {
        let span = Span::new(self.file, start..start + line.len().min(1));
        let hint = "the indentation of the closing quotes is taken off every line";
        self.wrong(
            span,
            "this line is less indented than the quotes that close it",
            hint,
        )
    }
}
