//! A text of any size as rows to scroll through: JSON indented, all else by its own lines.
//!
//! Nothing is copied and nothing is laid out ahead. [`Outline::work`] reads on by as many bytes as
//! it is allowed to and keeps, every [`STRIDE`] bytes, the state that it had there; any row is found
//! again from the state before it. So the first rows of 64 MiB are there at once, each step costs
//! what it was given, and the whole costs a few megabytes. Rows are cut after [`ROW`] bytes, which
//! bounds what it costs to show one.
//!
//! JSON is read as in [`json::pretty`](super::json::pretty): numbers, order, duplicates and escapes
//! stay as they were sent. Where it stops being JSON, a row says why, and the rest comes in lines.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;

use super::json::scan::{Class, Scanner};

/// Bytes of a row, but for the rest of a character.
pub const ROW: usize = 1024;

/// Bytes between two states that are kept: short in tests, so that every text has some.
const STRIDE: usize = if cfg!(test) { 64 } else { 4 * 1024 };

/// Containers of fewer rows are not remembered: their end is found by looking.
const SMALL: usize = 8;

/// Containers that are remembered; where a text has more, the later ones cannot be folded.
const MOST_SPANS: usize = 1 << 20;

/// How a text is cut into rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Json,
    Lines,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub number: usize,
    /// How many brackets are open around it.
    pub depth: usize,
    /// Goes on with what the row above began.
    pub is_continued: bool,
    /// Why the text stops being JSON here.
    pub fault: Option<&'static str>,
    pub pieces: Vec<Piece>,
}

/// Neighbouring bytes of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// `None` outside of JSON.
    pub class: Option<Class>,
    pub bytes: Range<usize>,
}

impl Row {
    /// Whether it ends with a bracket that the rows below it close.
    pub fn opens(&self) -> bool {
        self.pieces
            .last()
            .is_some_and(|piece| piece.class == Some(Class::Open))
    }

    fn closes(&self) -> bool {
        self.pieces
            .first()
            .is_some_and(|piece| piece.class == Some(Class::Close))
    }
}

/// The rows of one text.
#[derive(Debug)]
pub struct Outline {
    text: Bytes,
    cutter: Cutter,
    /// States by position: the first at 0, then one each [`STRIDE`] bytes.
    kept: Vec<Cutter>,
    /// Rows in which the containers that are open now begin.
    open: Vec<usize>,
    /// Containers of [`SMALL`] rows and more: first row to last.
    spans: BTreeMap<usize, usize>,
}

impl Outline {
    pub fn new(text: Bytes, reading: Reading) -> Self {
        let cutter = Cutter::new(reading);
        Self {
            kept: vec![cutter.clone()],
            cutter,
            text,
            open: Vec::new(),
            spans: BTreeMap::new(),
        }
    }

    /// Reads on by so many bytes at most; says whether there is more to read.
    pub fn work(&mut self, budget: usize) -> bool {
        let end = self.text.len().min(self.cutter.at + budget);
        let text = self.text.clone();
        for byte in &text[self.cutter.at..end] {
            if self.cutter.at.is_multiple_of(STRIDE) && self.cutter.at > 0 {
                self.kept.push(self.cutter.clone());
            }
            let step = self.cutter.step(*byte);
            match step.class {
                Some(Class::Open) => self.open.push(self.cutter.row),
                Some(Class::Close) => self.close(),
                _ => {}
            }
        }
        self.cutter.at < self.text.len()
    }

    fn close(&mut self) {
        let Some(first) = self.open.pop() else {
            return;
        };
        let last = self.cutter.row;
        // Where several begin in one row, the outermost closes last and is the one that is kept.
        if last - first + 1 >= SMALL && self.spans.len() < MOST_SPANS {
            self.spans.insert(first, last);
        }
    }

    /// How many bytes have been read.
    pub const fn read(&self) -> usize {
        self.cutter.at
    }

    /// Rows that are known so far.
    pub const fn rows(&self) -> usize {
        if self.text.is_empty() {
            0
        } else {
            self.cutter.row + 1
        }
    }

    pub const fn text(&self) -> &Bytes {
        &self.text
    }

    /// So many rows from this one on, as far as they are known.
    pub fn rows_from(&self, first: usize, most: usize) -> Vec<Row> {
        let mut rows = Vec::new();
        if first >= self.rows() || most == 0 {
            return rows;
        }
        let kept = self
            .kept
            .partition_point(|cutter| cutter.row_start_known() <= first);
        let mut cutter = self.kept[kept.saturating_sub(1)].clone();
        if cutter.at == 0 && first == 0 {
            rows.push(Row::new(0, Step::default()));
        }
        for byte in &self.text[cutter.at..self.cutter.at] {
            let at = cutter.at;
            let step = cutter.step(*byte);
            if step.starts && cutter.row >= first {
                if rows.len() == most {
                    break;
                }
                rows.push(Row::new(cutter.row, step));
            }
            if let Some(row) = rows.last_mut() {
                row.add(at, *byte, step);
            }
        }
        rows
    }

    /// The row that shows this byte.
    pub fn row_at(&self, at: usize) -> usize {
        let at = at.min(self.cutter.at.saturating_sub(1));
        let kept = self.kept.partition_point(|cutter| cutter.at <= at);
        let mut cutter = self.kept[kept.saturating_sub(1)].clone();
        for byte in self.text.get(cutter.at..=at).unwrap_or_default() {
            cutter.step(*byte);
        }
        cutter.row
    }

    /// The last row of the container that this row opens; `None` where it opens none, or its end is
    /// not known.
    pub fn end_of(&self, row: usize) -> Option<usize> {
        if let Some(last) = self.spans.get(&row) {
            return Some(*last);
        }
        let rows = self.rows_from(row, SMALL);
        let (first, inner) = rows.split_first()?;
        let end = |row: &&Row| row.closes() && row.depth == first.depth;
        (first.opens())
            .then(|| inner.iter().find(end))
            .flatten()
            .map(|row| row.number)
    }

    /// The containers of [`SMALL`] rows and more: first row and last.
    pub fn spans(&self) -> impl Iterator<Item = (usize, usize)> {
        self.spans.iter().map(|(first, last)| (*first, *last))
    }
}

impl Row {
    const fn new(number: usize, step: Step) -> Self {
        Self {
            number,
            depth: step.depth,
            is_continued: step.is_continued,
            fault: step.fault,
            pieces: Vec::new(),
        }
    }

    fn add(&mut self, at: usize, byte: u8, step: Step) {
        let is_layout = match step.class {
            Some(class) => class == Class::Space,
            None => byte == b'\n',
        };
        if is_layout {
            return;
        }
        let is_bracket = matches!(step.class, Some(Class::Open | Class::Close));
        match self.pieces.last_mut() {
            Some(last) if last.class == step.class && last.bytes.end == at && !is_bracket => {
                last.bytes.end = at + 1;
            }
            _ => self.pieces.push(Piece {
                class: step.class,
                bytes: at..at + 1,
            }),
        }
    }
}

/// Cuts a text into rows, byte by byte.
#[derive(Debug, Clone)]
struct Cutter {
    /// Where the next byte is.
    at: usize,
    row: usize,
    row_start: usize,
    depth: usize,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    Json {
        scanner: Scanner,
        /// The token that the byte before belongs to.
        token: Option<Class>,
        due: Due,
    },
    Lines {
        /// The byte before ended a line.
        is_ended: bool,
    },
}

/// Whether the next token begins a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// Only if it closes a container.
    Close,
    /// Unless it closes the container that was just opened.
    Inner,
    Always,
}

/// What a byte is.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    /// It is the first of a row.
    starts: bool,
    is_continued: bool,
    depth: usize,
    class: Option<Class>,
    fault: Option<&'static str>,
}

impl Cutter {
    const fn new(reading: Reading) -> Self {
        Self {
            at: 0,
            row: 0,
            row_start: 0,
            depth: 0,
            way: match reading {
                Reading::Json => Way::Json {
                    scanner: Scanner::new(),
                    token: None,
                    due: Due::Close,
                },
                Reading::Lines => Way::Lines { is_ended: false },
            },
        }
    }

    /// The first row whose beginning is found by going on from here.
    const fn row_start_known(&self) -> usize {
        if self.at == 0 { 0 } else { self.row + 1 }
    }

    fn step(&mut self, byte: u8) -> Step {
        let mut step = match &mut self.way {
            Way::Json {
                scanner,
                token,
                due,
            } => match scanner.step(byte) {
                Ok(class) => {
                    let starts = begins_row(class, token, due);
                    if class == Class::Close {
                        self.depth -= 1;
                    }
                    Step {
                        starts,
                        class: Some(class),
                        ..Step::default()
                    }
                }
                Err(fault) => {
                    self.way = Way::Lines {
                        is_ended: byte == b'\n',
                    };
                    self.depth = 0;
                    Step {
                        starts: self.at > 0,
                        fault: Some(fault.0),
                        ..Step::default()
                    }
                }
            },
            Way::Lines { is_ended } => Step {
                starts: std::mem::replace(is_ended, byte == b'\n'),
                ..Step::default()
            },
        };
        let length = self.at - self.row_start;
        let is_inside_character = byte & 0xC0 == 0x80 && length < ROW + 4;
        if !step.starts && length >= ROW && !is_inside_character {
            step.starts = true;
            step.is_continued = true;
        }
        if step.starts {
            self.row += 1;
            self.row_start = self.at;
        }
        step.depth = self.depth;
        if step.class == Some(Class::Open) {
            self.depth += 1;
        }
        self.at += 1;
        step
    }
}

/// Whether a byte of this class begins a row; keeps what the next one depends on.
fn begins_row(class: Class, token: &mut Option<Class>, due: &mut Due) -> bool {
    if class == Class::Space {
        *token = None;
        return false;
    }
    let goes_on = *token == Some(class) && !matches!(class, Class::Open | Class::Close);
    *token = Some(class);
    if goes_on {
        return false;
    }
    let begins = match *due {
        Due::Close => class == Class::Close,
        Due::Inner => class != Class::Close,
        Due::Always => true,
    };
    *due = match class {
        Class::Open => Due::Inner,
        Class::Comma => Due::Always,
        _ => Due::Close,
    };
    begins
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::json;
    use crate::text::style::Style;

    fn outline(text: impl Into<Bytes>, reading: Reading) -> Outline {
        let mut outline = Outline::new(text.into(), reading);
        while outline.work(7) {}
        outline
    }

    /// The rows as `json::pretty` writes them.
    fn pretty(outline: &Outline) -> String {
        let text = outline.text();
        let mut lines = Vec::new();
        for row in outline.rows_from(0, usize::MAX) {
            let mut line = "  ".repeat(row.depth);
            for piece in &row.pieces {
                line.push_str(std::str::from_utf8(&text[piece.bytes.clone()]).unwrap());
                if piece.class == Some(Class::Colon) {
                    line.push(' ');
                }
            }
            lines.push(line);
        }
        lines.join("\n")
    }

    #[test]
    fn rows_are_those_of_indented_json() {
        for text in [
            r#"{"b":1.0e+2,"a":[1,-0, 12345678901234567890.10],"a":{},"e":[ ],"s":"\u00e9\n"}"#,
            r#" [[[ ]], {"a" : [ {} , [1] ] } ] "#,
            "1",
            "\"x\"",
            "[]",
        ] {
            let outline = outline(text, Reading::Json);
            assert_eq!(pretty(&outline), json::pretty(text, Style::PLAIN).unwrap());
        }
    }

    #[test]
    fn what_stops_being_json_goes_on_in_lines() {
        let outline = outline("{\"a\":1,\noops\nmore", Reading::Json);
        let rows = outline.rows_from(0, 9);
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[2].fault, Some("expected a member name in quotes"));
        assert_eq!(rows[3].pieces[0].bytes, 13..17);
    }

    #[test]
    fn a_row_has_a_longest_length_and_cuts_no_character() {
        let text = format!("[\"{}\"]", "é".repeat(2 * ROW));
        let known = outline(text.clone(), Reading::Json);
        let rows = known.rows_from(0, 99);
        assert!(rows.len() > 5);
        for row in &rows {
            for piece in &row.pieces {
                assert!(std::str::from_utf8(&text.as_bytes()[piece.bytes.clone()]).is_ok());
                assert!(piece.bytes.len() <= ROW + 4);
            }
        }
        assert!(rows[2].is_continued && rows[2].depth == 1);
        let torn = outline(vec![0x80; 3 * ROW], Reading::Lines);
        assert_eq!(torn.rows(), 3);
    }

    #[test]
    fn containers_know_their_end() {
        let long = vec!["{\"a\":[1,2]}"; 40].join(",");
        let outline = outline(format!("{{\"list\":[{long}],\"x\":1}}"), Reading::Json);
        let rows = outline.rows_from(0, usize::MAX);
        assert_eq!(outline.end_of(0), Some(rows.len() - 1));
        assert_eq!(outline.end_of(1), Some(rows.len() - 3));
        assert_eq!(outline.end_of(2), Some(7), "{:?}", rows[7]);
        assert_eq!(outline.end_of(4), None);
        assert_eq!(
            outline.spans().collect::<Vec<_>>(),
            [(0, rows.len() - 1), (1, rows.len() - 3)]
        );
    }

    #[test]
    fn a_big_text_is_read_in_steps() {
        let text = Bytes::from(format!("[{}]", vec!["12345"; 40_000].join(",")));
        let mut outline = Outline::new(text.clone(), Reading::Json);
        assert!(outline.work(STRIDE));
        assert_eq!(outline.read(), STRIDE);
        let known = outline.rows();
        assert!(outline.rows_from(known - 1, 5).len() == 1);
        while outline.work(STRIDE) {}
        assert_eq!(outline.rows(), 40_002);
        let rows = outline.rows_from(39_999, 2);
        assert_eq!((rows[0].number, rows.len()), (39_999, 2));
        assert_eq!(&text[rows[0].pieces[0].bytes.clone()], b"12345");
    }

    proptest! {
        #[test]
        fn any_part_is_the_same_as_the_whole(
            bytes in proptest::collection::vec(prop_oneof![Just(b'['), Just(b']'), Just(b','), Just(b'1'), Just(b'\n'), Just(b'"'), any::<u8>()], 0..400),
            json: bool,
            first in 0_usize..60,
        ) {
            let reading = if json { Reading::Json } else { Reading::Lines };
            let outline = outline(bytes, reading);
            let whole = outline.rows_from(0, usize::MAX);
            prop_assert_eq!(whole.len(), outline.rows());
            let part = outline.rows_from(first, 5);
            prop_assert_eq!(&part[..], whole.iter().skip(first).take(5).cloned().collect::<Vec<_>>());
            for row in &whole {
                for piece in &row.pieces {
                    prop_assert_eq!(outline.row_at(piece.bytes.start), row.number);
                }
            }
        }
    }
}
