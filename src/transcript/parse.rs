//! From text to a tree of [`Statement`]s, line by line.
//!
//! A line is a statement word (`set`, `wait`, ...) or a peer and a marker: `alice> text`,
//! `bob< /json {...}`, `alice: connect URL`. Lines that begin with a modifier word (`within`, `let`,
//! `header`, ...) belong to the step above them. Everything that can be checked without a server and
//! without variables is checked here; each wrong line is told of, up to [`MAX_DIAGNOSTICS`].

mod block;
mod modifier;
mod step;

use std::time::Duration;

use self::block::Block;
pub(super) use self::step::marker_of;
use super::diagnostic::Diagnostic;
use super::syntax::{Peer, Span, Statement, Step, Text};
use super::template::{Fault, is_name};
use crate::model::units::parse_duration;
use crate::text::nearest::nearest;

/// The largest file, in bytes.
pub const MAX_FILE: usize = 4 << 20;
/// Blocks that may be open at once.
const MAX_DEPTH: usize = 16;
/// More that is wrong than anybody reads.
const MAX_DIAGNOSTICS: usize = 20;

/// Words that begin a statement.
pub const STATEMENTS: [&str; 7] = [
    "connect", "set", "ignore", "wait", "repeat", "include", "end",
];
/// Words that begin a modifier of the step above.
pub const MODIFIERS: [&str; 8] = [
    "within",
    "let",
    "header",
    "subprotocol",
    "origin",
    "timeout",
    "compress",
    "insecure",
];
const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// Whether a line that begins with this word is no text.
pub fn is_reserved(word: &str) -> bool {
    STATEMENTS.contains(&word) || MODIFIERS.contains(&word)
}

/// Reads one file; `file` is its number among the sources. Files that it includes are not read:
/// their statements are empty.
///
/// # Errors
/// Everything that is wrong, in the order of the lines.
pub fn parse(text: &str, file: usize) -> Result<Vec<Statement>, Vec<Diagnostic>> {
    let mut parser = Parser::new(text, file);
    let statements = parser.statements();
    if parser.diagnostics.is_empty() {
        Ok(statements)
    } else {
        Err(parser.diagnostics)
    }
}

/// A line without its indentation, its end, and the blanks before that.
#[derive(Debug, Clone, Copy)]
struct Line<'t> {
    text: &'t str,
    /// Where `text` begins in the file.
    start: usize,
}

impl<'t> Line<'t> {
    /// The first word, and the rest of the line without the blanks between.
    fn split_word(self) -> (&'t str, Self) {
        let end = self.text.find(BLANKS).unwrap_or(self.text.len());
        (&self.text[..end], self.skip(end))
    }

    /// The line from a byte on, without blanks at its beginning.
    fn skip(self, bytes: usize) -> Self {
        let rest = &self.text[bytes..];
        let trimmed = rest.trim_start_matches(BLANKS);
        Self {
            text: trimmed,
            start: self.start + bytes + rest.len() - trimmed.len(),
        }
    }

    const fn end(self) -> usize {
        self.start + self.text.len()
    }

    fn is_comment(self) -> bool {
        self.text.is_empty() || self.text.starts_with('#')
    }
}

struct Parser<'t> {
    file: usize,
    /// Every line as it is written, with where it begins.
    lines: Vec<(usize, &'t str)>,
    /// The next line.
    at: usize,
    diagnostics: Vec<Diagnostic>,
    /// The repeats that are open.
    depth: usize,
}

/// The rest of a line cannot be understood: it was told of.
struct Wrong;

type Parsed<T> = Result<T, Wrong>;

impl<'t> Parser<'t> {
    fn new(text: &'t str, file: usize) -> Self {
        let mut start = if text.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        let mut lines = Vec::new();
        for line in text[start..].split('\n') {
            lines.push((start, line));
            start += line.len() + 1;
        }
        Self {
            file,
            lines,
            at: 0,
            diagnostics: Vec::new(),
            depth: 0,
        }
    }

    fn statements(&mut self) -> Vec<Statement> {
        let mut statements = Vec::new();
        while let Some(line) = self.next_line() {
            if line.split_word().0 == "end" {
                self.wrong(
                    line.span(self.file),
                    "there is nothing to end here",
                    "end closes repeat and /all",
                );
                continue;
            }
            self.statement(line, &mut statements);
        }
        statements
    }

    fn statement(&mut self, line: Line<'t>, into: &mut Vec<Statement>) {
        if self.diagnostics.len() >= MAX_DIAGNOSTICS {
            self.at = self.lines.len();
            return;
        }
        if let Ok(step) = self.step(line) {
            into.push(Statement {
                span: line.span(self.file),
                step,
            });
        }
    }

    fn step(&mut self, line: Line<'t>) -> Parsed<Step> {
        if let Some(marked) = self.marked(line)? {
            return self.peer_step(line, marked);
        }
        let (word, rest) = line.split_word();
        match word {
            "connect" => self.connect(Peer::UNNAMED, rest),
            "set" => self.set(rest),
            "ignore" => self.ignore(None, rest),
            "wait" => self.duration(rest, "wait 200ms").map(Step::Wait),
            "repeat" => self.repeat(line, rest),
            "include" => self.include(line, rest),
            _ if MODIFIERS.contains(&word) => Err(self.misplaced_modifier(line, word)),
            _ => Err(self.unknown_statement(line, word)),
        }
    }

    fn set(&mut self, rest: Line<'t>) -> Parsed<Step> {
        let (name, value) = self.assignment(rest, "set NAME = VALUE")?;
        let value = self.text_of(value);
        self.check_template(&value)?;
        Ok(Step::Set { name, value })
    }

    fn include(&mut self, line: Line<'t>, rest: Line<'t>) -> Parsed<Step> {
        if rest.text.is_empty() {
            return Err(self.wrong(
                line.span(self.file),
                "include needs a file",
                "include other.wst",
            ));
        }
        Ok(Step::Include {
            path: rest.text.to_owned(),
            body: Vec::new(),
        })
    }

    fn repeat(&mut self, line: Line<'t>, rest: Line<'t>) -> Parsed<Step> {
        let count = rest.text.parse().ok().filter(|count| *count > 0);
        if count.is_none() {
            self.wrong(
                rest.or(line).span(self.file),
                "repeat needs a whole number from 1",
                "repeat 3",
            );
        }
        if self.depth == MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} blocks are open");
            return Err(self.wrong(line.span(self.file), message, "include makes them readable"));
        }
        self.depth += 1;
        let mut body = Vec::new();
        let ended = loop {
            match self.next_line() {
                None => break false,
                Some(line) if line.text == "end" => break true,
                Some(line) => self.statement(line, &mut body),
            }
        };
        self.depth -= 1;
        if !ended {
            return Err(self.wrong(
                line.span(self.file),
                "this repeat has no end",
                "a line that is only: end",
            ));
        }
        let count = count.ok_or(Wrong)?;
        Ok(Step::Repeat { count, body })
    }

    /// `NAME = ...`
    fn assignment(&mut self, line: Line<'t>, form: &str) -> Parsed<(String, Line<'t>)> {
        let Some(equals) = line.text.find('=') else {
            return Err(self.wrong(
                line.span(self.file),
                "this needs a name, = and a value",
                form,
            ));
        };
        let name = line.text[..equals].trim_end_matches(BLANKS);
        if let Err(message) = super::template::check_new_name(name) {
            let span = Span::new(self.file, line.start..line.start + name.len().max(1));
            return Err(self.wrong(span, message, form));
        }
        Ok((name.to_owned(), line.skip(equals + 1)))
    }

    fn duration(&mut self, line: Line<'t>, form: &str) -> Parsed<Duration> {
        parse_duration(line.text).map_err(|message| self.wrong(line.span(self.file), message, form))
    }

    fn unknown_statement(&mut self, line: Line<'t>, word: &str) -> Wrong {
        let span = Span::new(self.file, line.start..line.start + word.len());
        // `alice > hi`: the name has to touch its marker.
        let marker = line.split_word().1.text.chars().next();
        if is_name(word) && matches!(marker, Some('>' | '<' | ':')) {
            let marker = marker.unwrap_or_default();
            let hint = format!("{word}{marker} without a blank between");
            return self.wrong(span, "a peer's name touches its marker", hint);
        }
        let words = STATEMENTS.iter().chain(&MODIFIERS).copied();
        let hint = match nearest(word, words) {
            Some(meant) => format!("did you mean {meant}?"),
            None => {
                "a line sends (>), expects (<), or is one of connect, set, ignore, wait, repeat, \
                     include; # begins a comment"
                    .into()
            }
        };
        self.wrong(span, "this is no statement", hint)
    }

    // --- lines and texts -------------------------------------------------------------------

    /// The next line that says something.
    fn next_line(&mut self) -> Option<Line<'t>> {
        loop {
            let line = self.line(self.at)?;
            self.at += 1;
            if !line.is_comment() {
                return Some(line);
            }
        }
    }

    /// The next line that says something, if it begins with a modifier word.
    fn next_modifier(&mut self) -> Option<(&'t str, Line<'t>)> {
        let before = self.at;
        if let Some(line) = self.next_line() {
            let word = line.split_word().0;
            if MODIFIERS.contains(&word) {
                return Some((word, line));
            }
        }
        self.at = before;
        None
    }

    fn line(&self, number: usize) -> Option<Line<'t>> {
        let &(start, text) = self.lines.get(number)?;
        let line = Line { text, start }.skip(0);
        Some(Line {
            text: line.text.trim_end_matches(BLANKS),
            ..line
        })
    }

    /// What is left of a line, as a text.
    fn text_of(&self, line: Line<'t>) -> Text {
        Text {
            raw: line.text.to_owned(),
            span: line.span(self.file),
            lines: vec![line.start],
        }
    }

    /// What is left of a line, or the block that it opens.
    fn text_or_block(&mut self, line: Line<'t>) -> Parsed<Text> {
        match Block::opened_by(line.text) {
            None => Ok(self.text_of(line)),
            Some(block) => self.block(block, line),
        }
    }

    // --- what is wrong ---------------------------------------------------------------------

    fn wrong(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) -> Wrong {
        self.diagnostics
            .push(Diagnostic::new(span, message).hint(hint));
        Wrong
    }

    fn fault(&mut self, text: &Text, fault: Fault) -> Wrong {
        let diagnostic = Diagnostic::of_fault(fault, self.file, |at| text.position(at));
        self.diagnostics.push(diagnostic);
        Wrong
    }

    /// A text of which `{{*}}` is no part.
    fn check_template(&mut self, text: &Text) -> Parsed<()> {
        let checked = super::template::Template::parse(&text.raw)
            .and_then(|template| template.check_values());
        checked.map_err(|fault| self.fault(text, fault))
    }
}

impl<'t> Line<'t> {
    fn span(self, file: usize) -> Span {
        Span::new(file, self.start..self.end())
    }

    /// This line, or another one where it is empty.
    fn or(self, other: Self) -> Self {
        if self.text.is_empty() { other } else { self }
    }
}

#[cfg(test)]
mod tests;
