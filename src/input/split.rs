//! A stream of bytes cut into records: pure, fed with chunks of any size.
//!
//! A record lies in the chunk it came in, without a copy, unless it crosses into the next one.

use bytes::{Buf as _, Bytes, BytesMut};

use crate::text::json::scan::Scanner;

/// The bytes of one message as they were given, and where they began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// From 1; counted by line feeds.
    pub(super) line: u64,
    pub(super) bytes: Bytes,
}

/// Why a stream cannot be cut any further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SplitError {
    pub(super) line: u64,
    pub(super) problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    TooLong,
    /// Not JSON at this column (from 1, in bytes), and what was expected.
    Json {
        column: usize,
        expected: &'static str,
    },
}

/// How records are told apart.
#[derive(Debug)]
enum Cut {
    /// Each ends with this byte; the last one may lack it.
    At(u8),
    /// By the end of each JSON value; white space between them is nothing.
    Json(Scanner),
    /// Everything is one.
    Never,
}

#[derive(Debug)]
pub(super) struct Splitter {
    cut: Cut,
    /// The longest record.
    most: usize,
    /// The beginning of a record whose end has not come.
    partial: BytesMut,
    partial_line: u64,
    line: u64,
    /// Bytes on the current line so far.
    column: usize,
}

impl Splitter {
    /// Records that end with a line feed, which does not belong to them. All other bytes do, a
    /// carriage return too.
    pub(super) fn lines(most: usize) -> Self {
        Self::new(Cut::At(b'\n'), most)
    }

    /// Records that end with NUL.
    pub(super) fn null(most: usize) -> Self {
        Self::new(Cut::At(0), most)
    }

    /// One record for each JSON value, exactly as it is written, over as many lines as it has.
    pub(super) fn json(most: usize) -> Self {
        Self::new(Cut::Json(Scanner::new()), most)
    }

    /// One record for everything.
    pub(super) fn whole(most: usize) -> Self {
        Self::new(Cut::Never, most)
    }

    fn new(cut: Cut, most: usize) -> Self {
        Self {
            cut,
            most,
            partial: BytesMut::new(),
            partial_line: 1,
            line: 1,
            column: 0,
        }
    }

    /// Appends the records that end in this chunk.
    ///
    /// # Errors
    /// The stream cannot be cut any further; what came before is in `records`.
    pub(super) fn feed(
        &mut self,
        mut chunk: Bytes,
        records: &mut Vec<Record>,
    ) -> Result<(), SplitError> {
        match self.cut {
            Cut::Never => {}
            Cut::At(end) => {
                while let Some(at) = chunk.iter().position(|byte| *byte == end) {
                    let last = chunk.split_to(at);
                    chunk.advance(1);
                    self.count(&last);
                    let record = self.take(last)?;
                    records.push(record);
                    self.count(&[end]);
                    self.partial_line = self.line;
                }
            }
            Cut::Json(_) => chunk = self.feed_json(chunk, records)?,
        }
        if !matches!(self.cut, Cut::Json(_)) {
            self.count(&chunk);
        }
        self.keep(&chunk)
    }

    /// Appends the record that only the end of the stream ends.
    ///
    /// # Errors
    /// The stream ends within a JSON value.
    pub(super) fn finish(&mut self, records: &mut Vec<Record>) -> Result<(), SplitError> {
        if let Cut::Json(scanner) = &self.cut {
            if scanner.is_untouched() {
                return Ok(());
            }
            if !scanner.is_whole() {
                return Err(self.fault("the rest of the value, but the input ends"));
            }
        }
        if !self.partial.is_empty() {
            let record = self.take(Bytes::new())?;
            records.push(record);
        }
        Ok(())
    }

    /// Returns the part of the chunk that belongs to a value whose end has not come.
    fn feed_json(
        &mut self,
        mut chunk: Bytes,
        records: &mut Vec<Record>,
    ) -> Result<Bytes, SplitError> {
        let mut at = 0;
        while at < chunk.len() {
            let Cut::Json(scanner) = &mut self.cut else {
                break;
            };
            let byte = chunk[at];
            let stepped = scanner.step(byte);
            let (begins, ends) = (scanner.is_untouched(), scanner.is_closed());
            if let Err(fault) = stepped {
                return Err(self.fault(fault.0));
            }
            self.count(&[byte]);
            at += 1;
            if begins {
                chunk.advance(at);
                at = 0;
                self.partial_line = self.line;
            } else if ends {
                let mut record = self.take(chunk.split_to(at))?;
                // A number is ended by the white space after it.
                record.bytes.truncate(record.bytes.trim_ascii_end().len());
                records.push(record);
                at = 0;
                self.partial_line = self.line;
                self.cut = Cut::Json(Scanner::new());
            } else {
                self.check(self.partial.len() + at)?;
            }
        }
        Ok(chunk)
    }

    /// Moves line and column past these bytes.
    fn count(&mut self, bytes: &[u8]) {
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            None => self.column += bytes.len(),
            Some(last) => {
                let feeds = bytes[..=last].iter().filter(|byte| **byte == b'\n').count();
                self.line += feeds as u64;
                self.column = bytes.len() - last - 1;
            }
        }
    }

    /// The record that ends with these bytes.
    fn take(&mut self, last: Bytes) -> Result<Record, SplitError> {
        let bytes = if self.partial.is_empty() {
            self.check(last.len())?;
            last
        } else {
            self.keep(&last)?;
            std::mem::take(&mut self.partial).freeze()
        };
        Ok(Record {
            line: self.partial_line,
            bytes,
        })
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), SplitError> {
        self.check(self.partial.len() + bytes.len())?;
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    fn check(&self, length: usize) -> Result<(), SplitError> {
        if length <= self.most {
            return Ok(());
        }
        Err(SplitError {
            line: self.partial_line,
            problem: Problem::TooLong,
        })
    }

    fn fault(&self, expected: &'static str) -> SplitError {
        let problem = Problem::Json {
            column: self.column + 1,
            expected,
        };
        SplitError {
            line: self.line,
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Outcome = (Vec<(u64, Vec<u8>)>, Option<SplitError>);

    fn split(mut splitter: Splitter, chunks: &[&[u8]]) -> Outcome {
        let mut records = Vec::new();
        let mut run = || {
            for chunk in chunks {
                splitter.feed(Bytes::copy_from_slice(chunk), &mut records)?;
            }
            splitter.finish(&mut records)
        };
        let error = run().err();
        let records = records.into_iter().map(|r| (r.line, r.bytes.to_vec()));
        (records.collect(), error)
    }

    fn texts(splitter: Splitter, input: &str) -> Vec<(u64, String)> {
        let (records, error) = split(splitter, &[input.as_bytes()]);
        assert_eq!(error, None, "{input}");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        records.into_iter().map(|(n, b)| (n, text(b))).collect()
    }

    fn expect(splitter: Splitter, input: &str, expected: &[(u64, &str)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(n, t)| (*n, (*t).to_owned()))
            .collect();
        assert_eq!(texts(splitter, input), expected, "{input:?}");
    }

    #[test]
    fn lines_are_kept_byte_for_byte() {
        expect(
            Splitter::lines(99),
            "a\r\n\n b \nlast",
            &[(1, "a\r"), (2, ""), (3, " b "), (4, "last")],
        );
        expect(Splitter::lines(99), "", &[]);
        expect(Splitter::lines(99), "\n", &[(1, "")]);
        expect(
            Splitter::null(99),
            "a\nb\0\0c",
            &[(1, "a\nb"), (2, ""), (2, "c")],
        );
        expect(Splitter::whole(99), "a\n\0b\n", &[(1, "a\n\0b\n")]);
        expect(Splitter::whole(99), "", &[]);
    }

    #[test]
    fn json_values_are_cut_where_they_end() {
        expect(
            Splitter::json(99),
            "\n {\"a\":\n [1, 2]}\n1.50 true\"x\"[]{}\n\n-2",
            &[
                (2, "{\"a\":\n [1, 2]}"),
                (4, "1.50"),
                (4, "true"),
                (4, "\"x\""),
                (4, "[]"),
                (4, "{}"),
                (6, "-2"),
            ],
        );
        expect(Splitter::json(99), " \n", &[]);
    }

    #[test]
    fn a_fault_has_line_and_column() {
        for (input, good, line, column) in [
            ("{\"a\":1}\n{\"b\" 2}", 1, 2, 6),
            ("{\n\n  a", 0, 3, 3),
            ("[1", 0, 1, 3),
            ("1\n1{}", 1, 2, 2),
            ("\"a\nb\"", 0, 1, 3),
            ("}", 0, 1, 1),
        ] {
            let (records, error) = split(Splitter::json(99), &[input.as_bytes()]);
            let error = error.unwrap();
            assert_eq!(records.len(), good, "{input}");
            assert_eq!(error.line, line, "{input}");
            assert!(
                matches!(error.problem, Problem::Json { column: at, .. } if at == column),
                "{input}: {error:?}"
            );
        }
    }

    #[test]
    fn a_record_has_a_bound() {
        for splitter in [Splitter::lines, Splitter::json, Splitter::whole] {
            let (records, error) = split(splitter(4), &[b"[12", b"34]"]);
            assert_eq!(records, []);
            assert_eq!(error.unwrap().problem, Problem::TooLong);
        }
        let (records, error) = split(Splitter::lines(4), &[b"1234\n12345\n"]);
        assert_eq!(records, [(1, b"1234".to_vec())]);
        assert_eq!(error.unwrap().line, 2);
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_records(
            input in "[\\[\\]{}:,\"a1 \n\0]{0,40}",
            sizes in proptest::collection::vec(1usize..6, 40),
        ) {
            let mut chunks = Vec::new();
            let mut rest = input.as_bytes();
            for size in sizes {
                let (chunk, after) = rest.split_at(size.min(rest.len()));
                chunks.push(chunk);
                rest = after;
            }
            chunks.push(rest);
            for splitter in [Splitter::lines, Splitter::null, Splitter::json, Splitter::whole] {
                let whole = split(splitter(12), &[input.as_bytes()]);
                let cut = split(splitter(12), &chunks);
                prop_assert_eq!(&cut.0, &whole.0);
                prop_assert_eq!(cut.1.map(|e| e.line), whole.1.map(|e| e.line));
            }
        }
    }
}
