//! A transcript as values: what its lines say, and where they stand.
//!
//! Trees are compared by what they say: two [`Span`]s are always equal, so that a tree equals the
//! one that is parsed from its own print.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// A stretch of one of the files of a transcript, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    /// Which of [`Transcript::sources`]; 0 is the file that was named, others were included.
    pub file: usize,
    pub start: usize,
    pub end: usize,
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

impl Span {
    pub const fn new(file: usize, range: Range<usize>) -> Self {
        Self {
            file,
            start: range.start,
            end: range.end,
        }
    }
}

/// A file and the files that it includes, all of them read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    pub sources: Vec<Source>,
    pub statements: Vec<Statement>,
}

/// The text of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As people name it.
    pub path: String,
    pub text: String,
    /// Where its lines begin.
    lines: Vec<usize>,
}

/// Where in a file: both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Source {
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            path: path.into(),
            lines: std::iter::once(0).chain(ends).collect(),
            text,
        }
    }

    /// The place of a byte; of the end for one that is past it.
    pub fn place(&self, at: usize) -> Place {
        let before = up_to(&self.text, at);
        let line = self.lines.partition_point(|start| *start <= before.len());
        let start = self.lines[line - 1];
        Place {
            line,
            column: before[start..].chars().count() + 1,
        }
    }

    /// A line, from 1, without what ends it.
    pub fn line(&self, number: usize) -> &str {
        let at = number.saturating_sub(1);
        let Some(start) = self.lines.get(at) else {
            return "";
        };
        let end = self
            .lines
            .get(at + 1)
            .map_or(self.text.len(), |next| next - 1);
        let line = &self.text[*start..end];
        line.strip_suffix('\r').unwrap_or(line)
    }
}

/// Who talks to the server: a name of `[A-Za-z][A-Za-z0-9_-]*`, or none where there is one only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Peer(Option<Arc<str>>);

impl Peer {
    /// The one without a name.
    pub const UNNAMED: Self = Self(None);

    pub fn named(name: &str) -> Self {
        Self(Some(name.into()))
    }

    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name().unwrap_or_default())
    }
}

/// One statement: a line with its modifiers, or a block up to its `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Of its first line, from the peer's name or the first word to the last character.
    pub span: Span,
    pub step: Step,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `PEER: connect URL`
    Connect(Connect),
    /// `PEER> ...`
    Send(Send),
    /// `PEER< ...`
    Expect(Expect),
    /// `PEER< /all` ... `end`
    All(All),
    /// `wait 200ms`
    Wait(Duration),
    /// `set NAME = VALUE`
    Set { name: String, value: Text },
    /// `ignore EXPECTATION`, or `PEER: ignore ...`
    Ignore {
        /// `None` is every peer.
        peer: Option<Peer>,
        expectation: Expectation,
    },
    /// `repeat N` ... `end`
    Repeat { count: u32, body: Vec<Statement> },
    /// `include FILE`
    Include {
        path: String,
        /// Filled when the file was read.
        body: Vec<Statement>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    pub peer: Peer,
    pub url: Text,
    pub modifiers: ConnectModifiers,
}

/// What stands below a `connect`. Flags of the command line hold where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectModifiers {
    /// `header NAME: VALUE`, the whole of it.
    pub headers: Vec<Text>,
    /// `subprotocol NAME`
    pub subprotocols: Vec<Text>,
    /// `origin ORIGIN`
    pub origin: Option<Text>,
    /// `timeout 2s`: from DNS to 101.
    pub timeout: Option<Duration>,
    /// `compress`, `compress off`
    pub compress: Option<bool>,
    /// `insecure`
    pub insecure: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    pub peer: Peer,
    pub sending: Sending,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// `> TEXT`
    Text(Text),
    /// `> /json {...}`
    Json(Text),
    /// `> /file PATH [text]`
    File { path: Text, text: bool },
    /// `> /bin ..`, `/ping ..`, `/pong ..`, `/close ..`, `/frame ..`: the words after the verb mean
    /// what they mean in `connect`.
    Wire { verb: &'static str, args: Text },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    pub peer: Peer,
    /// `<~`: messages before the one that holds are skipped.
    pub skip: bool,
    pub expectation: Expectation,
    /// `within 2s`
    pub within: Option<Duration>,
    /// `let NAME = ...`
    pub captures: Vec<Capture>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct All {
    pub peer: Peer,
    pub within: Option<Duration>,
    pub items: Vec<Item>,
}

/// One of the expectations of an `/all`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub span: Span,
    pub expectation: Expectation,
    pub captures: Vec<Capture>,
}

/// `let NAME = /json/pointer`, `let NAME = whole`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    pub span: Span,
    pub name: String,
    pub from: CaptureFrom,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureFrom {
    /// A JSON pointer (RFC 6901).
    Pointer(String),
    Whole,
}

/// What is held against one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The name of the matcher with its slash: `/json`; `""` for a text as it stands.
    pub matcher: &'static str,
    /// What follows it.
    pub text: Text,
    /// Of the matcher's word and what follows on its line.
    pub span: Span,
}

/// Text as it is written in the file, with its `{{placeholders}}`; without the marker, the slash
/// word, the `"""` lines and the indentation of a block.
#[derive(Debug, Clone, Default)]
pub struct Text {
    pub raw: String,
    pub span: Span,
    /// Where in the file each line of `raw` begins.
    pub lines: Vec<usize>,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl Eq for Text {}

impl Text {
    /// A text that stands in no file.
    pub fn new(raw: impl Into<String>) -> Self {
        Self {
            raw: raw.into(),
            ..Self::default()
        }
    }

    /// Part of a text of one line.
    pub fn part(&self, range: Range<usize>) -> Self {
        let start = self.position(range.start);
        Self {
            raw: self.raw[range.clone()].to_owned(),
            span: Span::new(self.span.file, start..start + range.len()),
            lines: vec![start],
        }
    }

    /// What follows a beginning, without the blanks around it.
    pub fn after(&self, beginning: &str) -> Option<Self> {
        let rest = self.raw.strip_prefix(beginning)?;
        let start = self.raw.len() - rest.trim_start().len();
        Some(self.part(start..start + rest.trim().len()))
    }

    /// Where in the file the byte `at` of [`Self::raw`] stands.
    pub fn position(&self, at: usize) -> usize {
        let before = up_to(&self.raw, at);
        let line = before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        self.lines
            .get(line)
            .map_or(self.span.start, |start| start + column)
    }
}

/// The text before the byte `at`, which may be past its end or inside of a character.
fn up_to(text: &str, at: usize) -> &str {
    let mut end = at.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_from_one_and_in_characters() {
        let source = Source::new("a.wst", "é> x\r\nlast");
        let place = |line, column| Place { line, column };
        for (at, expected) in [
            (0, place(1, 1)),
            (2, place(1, 2)),
            (1, place(1, 1)),
            (7, place(2, 1)),
            (99, place(2, 5)),
        ] {
            assert_eq!(source.place(at), expected, "{at}");
        }
        assert_eq!(
            (source.line(1), source.line(2), source.line(3)),
            ("é> x", "last", "")
        );
    }

    #[test]
    fn a_byte_of_a_block_is_found_in_the_file() {
        let text = Text {
            raw: "one\ntwo".into(),
            span: Span::new(0, 5..30),
            lines: vec![12, 20],
        };
        assert_eq!(
            (text.position(0), text.position(2), text.position(5)),
            (12, 14, 21)
        );
        assert_eq!(Text::new("x").position(1), 0);
    }
}
