//! From text to tree: recursive descent, one function for each level of precedence.

use std::fmt;

use regex::bytes::Regex;
use serde_json::Value;

use super::{Compare, Node, Op, Pattern, Test, Wanted};
use crate::model::close::CloseCode;
use crate::model::event::Direction;
use crate::model::units::parse_size;
use crate::text::sanitize;

/// How deep `!` and parentheses may nest; parsing and matching recurse that far.
const MAX_DEPTH: usize = 64;

/// What may stand where a test is expected.
const ALLOWED: &str = "\"text\", /regex/, json:/pointer=value, op:text, dir:in, size>1k, code:1006; \
                       combined with !, &, | and parentheses";

/// Why a text is not a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    source: String,
    /// Byte offset into `source`, on a character boundary.
    at: usize,
    message: String,
}

impl ParseError {
    /// What is wrong and where, without the text itself: for who sees that anyway.
    pub fn sentence(&self) -> String {
        let column = self.source[..self.at].chars().count() + 1;
        format!("{}, at column {column}", self.message)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = self.source.split_at(self.at);
        let before = sanitize::line(before);
        writeln!(f, "wrong filter: {}", self.message)?;
        writeln!(f, "  {before}{}", sanitize::line(after))?;
        writeln!(f, "  {:width$}^", "", width = before.chars().count())?;
        write!(f, "allowed are {ALLOWED}")
    }
}

impl std::error::Error for ParseError {}

pub(super) fn whole(text: &str) -> Result<Node, ParseError> {
    let mut parser = Parser::new(text);
    let root = parser.or()?;
    match parser.rest().chars().next() {
        None => Ok(root),
        Some(')') => Err(parser.error("this parenthesis was never opened")),
        Some(_) => Err(parser.error("& or | is expected here (text with blanks needs quotes)")),
    }
}

/// What a word without quotes ends at.
pub(super) fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '&' | '|' | '(' | ')')
}

struct Parser<'a> {
    source: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    const fn new(source: &'a str) -> Self {
        Self {
            source,
            at: 0,
            depth: 0,
        }
    }

    fn or(&mut self) -> Result<Node, ParseError> {
        self.chain('|', Self::and, Node::Or)
    }

    fn and(&mut self) -> Result<Node, ParseError> {
        self.chain('&', Self::unary, Node::And)
    }

    /// One or more of the level above, with `sign` between them.
    fn chain(
        &mut self,
        sign: char,
        level: fn(&mut Self) -> Result<Node, ParseError>,
        joined: fn(Vec<Node>) -> Node,
    ) -> Result<Node, ParseError> {
        let first = level(self)?;
        if !self.takes(sign) {
            return Ok(first);
        }
        let mut nodes = vec![first, level(self)?];
        while self.takes(sign) {
            nodes.push(level(self)?);
        }
        Ok(joined(nodes))
    }

    fn unary(&mut self) -> Result<Node, ParseError> {
        self.skip_blanks();
        let start = self.at;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("nested more than {MAX_DEPTH} deep")));
        }
        let node = if self.takes('!') {
            Node::Not(Box::new(self.unary()?))
        } else if self.takes('(') {
            let node = self.or()?;
            if !self.takes(')') {
                return Err(self.error_at(start, "this parenthesis is never closed"));
            }
            node
        } else {
            Node::Test(self.test()?)
        };
        self.depth -= 1;
        Ok(node)
    }

    fn test(&mut self) -> Result<Test, ParseError> {
        let start = self.at;
        let rest = self.rest();
        if rest.starts_with('"') {
            let text = self.string()?;
            return self.contains(start, text);
        }
        if rest.starts_with('/') {
            return self.regex();
        }
        if self.takes_word("json:") {
            return self.json();
        }
        if self.takes_word("op:") {
            let name = self.word();
            return Op::ALL
                .into_iter()
                .find(|op| op.name() == name)
                .map(Test::Op)
                .ok_or_else(|| {
                    self.error_at(start, "op: takes text, binary, ping, pong or close")
                });
        }
        if self.takes_word("dir:") {
            return match self.word() {
                "in" => Ok(Test::Dir(Direction::In)),
                "out" => Ok(Test::Dir(Direction::Out)),
                _ => Err(self.error_at(start, "dir: takes in or out")),
            };
        }
        if self.takes_word("code:") {
            return self
                .word()
                .parse()
                .map(|code| Test::Code(CloseCode(code)))
                .map_err(|_| self.error_at(start, "code: takes a close code such as 1006"));
        }
        if let Some(compare) = size_sign(rest) {
            self.at += "size".len() + compare.sign().len();
            return parse_size(self.word())
                .map(|bound| Test::Size(compare, bound))
                .map_err(|wrong| self.error_at(start, wrong));
        }
        match self.word() {
            "" => Err(self.error(if self.source.trim().is_empty() {
                "it is empty"
            } else {
                "a test is expected here"
            })),
            word => self.contains(start, word.to_owned()),
        }
    }

    /// A search for bytes is a regular expression without anything special: it brings the fast
    /// substring search with it.
    fn contains(&self, start: usize, source: String) -> Result<Test, ParseError> {
        let regex = Regex::new(&regex::escape(&source))
            .map_err(|_| self.error_at(start, "this text is too long"))?;
        Ok(Test::Contains(Pattern { source, regex }))
    }

    fn regex(&mut self) -> Result<Test, ParseError> {
        let start = self.at;
        let body = &self.rest()[1..];
        let length = unescaped_slash(body)
            .ok_or_else(|| self.error_at(start, "this regular expression has no / at its end"))?;
        let source = &body[..length];
        self.at += length + 2;
        if self.rest().starts_with(|c: char| c.is_alphanumeric()) {
            return Err(self.error("nothing may follow the / (without case: /(?i)text/)"));
        }
        let regex = Regex::new(source).map_err(|wrong| {
            let wrong = wrong.to_string();
            // The crate draws the expression with a caret of its own; its last line says why.
            let why = wrong.lines().last().unwrap_or_default();
            let why = why.trim_start_matches("error: ");
            self.error_at(start, format!("wrong regular expression: {why}"))
        })?;
        Ok(Test::Matches(Pattern {
            source: source.to_owned(),
            regex,
        }))
    }

    fn json(&mut self) -> Result<Test, ParseError> {
        let start = self.at;
        let pointer = if self.rest().starts_with('"') {
            self.string()?
        } else {
            self.until(|c| c == '=' || ends_word(c)).to_owned()
        };
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(self.error_at(start, "a JSON pointer begins with / (json:/user/name)"));
        }
        let value = if self.rest().starts_with('=') {
            self.at += 1;
            Some(self.wanted()?)
        } else {
            None
        };
        Ok(Test::Json { pointer, value })
    }

    fn wanted(&mut self) -> Result<Wanted, ParseError> {
        if self.rest().starts_with(['"', '{', '[']) {
            let start = self.at;
            let value = self.value()?;
            let source = self.source[start..self.at].to_owned();
            return Ok(Wanted::Exact { source, value });
        }
        match self.word() {
            "" => Err(self.error("a value is expected here (the empty string is \"\")")),
            word => Ok(Wanted::Bare(word.to_owned())),
        }
    }

    fn string(&mut self) -> Result<String, ParseError> {
        let start = self.at;
        match self.value()? {
            Value::String(text) => Ok(text),
            // Only called at a quotation mark: JSON that begins so is a string.
            _ => Err(self.error_at(start, "a text in quotes is expected here")),
        }
    }

    /// One JSON value from here on.
    fn value(&mut self) -> Result<Value, ParseError> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                Ok(value)
            }
            Some(Err(wrong)) if wrong.is_eof() => {
                Err(self.error("what begins here has no end (quotes or brackets)"))
            }
            _ => {
                Err(self.error("this is not JSON (\\ and \" inside quotes need a \\ before them)"))
            }
        }
    }

    fn word(&mut self) -> &'a str {
        self.until(ends_word)
    }

    fn until(&mut self, end: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let word = &rest[..rest.find(end).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.until(|c| !c.is_whitespace());
    }

    /// Skips blanks, then `sign` if it is there.
    fn takes(&mut self, sign: char) -> bool {
        self.skip_blanks();
        let is_there = self.rest().starts_with(sign);
        if is_there {
            self.at += sign.len_utf8();
        }
        is_there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_there = self.rest().starts_with(word);
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    fn error(&self, message: impl Into<String>) -> ParseError {
        self.error_at(self.at, message)
    }

    fn error_at(&self, at: usize, message: impl Into<String>) -> ParseError {
        ParseError {
            source: self.source.to_owned(),
            at,
            message: message.into(),
        }
    }
}

/// The sign after `size`; `None` for a word that only begins like it.
fn size_sign(rest: &str) -> Option<Compare> {
    let after = rest.strip_prefix("size")?;
    Compare::ALL
        .into_iter()
        .find(|compare| after.starts_with(compare.sign()))
}

/// The length of what comes before the first `/` without a `\` before it.
fn unescaped_slash(body: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            b'/' if !escaped => return Some(at),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}
