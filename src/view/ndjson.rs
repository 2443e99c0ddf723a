//! `ndjson`: every event as one JSON object on a line (`--json`).
//!
//! In a pipe it is the serde form of the event. On a terminal the characters that it would obey,
//! and that JSON allows inside of strings, are written as `\u` escapes: the value is the same.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::model::event::{Event, What};
use crate::text::sanitize;

use super::{Format, FormatEntry, LARGE, Page, Plan};

pub(super) const ENTRY: FormatEntry = FormatEntry {
    name: "ndjson",
    help: "every event as one JSON object on a line (--json)",
    talks: false,
    make: |plan| Box::new(Ndjson::new(plan)),
};

struct Ndjson {
    is_terminal: bool,
}

impl Ndjson {
    const fn new(plan: &Plan) -> Self {
        Self {
            is_terminal: plan.data_terminal,
        }
    }
}

impl Format for Ndjson {
    fn event(&mut self, event: &Event, page: &mut Page) {
        // What was parsed is no smaller than what it is written as.
        if let What::Message {
            message,
            json: None,
            ..
        } = &event.what
            && message.payload.len() >= LARGE
        {
            let (event, is_terminal) = (event.clone(), self.is_terminal);
            page.later(message, move |sink| write_line(&event, is_terminal, sink));
            return;
        }
        let start = page.data.len();
        if write_line(event, self.is_terminal, &mut page.data).is_err() {
            // Neither the writer nor the event can fail; half a line would be worse than none.
            page.data.truncate(start);
        }
    }
}

fn write_line(event: &Event, is_terminal: bool, mut sink: &mut dyn Write) -> io::Result<()> {
    if is_terminal {
        event.serialize(&mut Serializer::with_formatter(&mut sink, Safe))?;
    } else {
        serde_json::to_writer(&mut sink, event)?;
    }
    sink.write_all(b"\n")
}

/// [`CompactFormatter`], with hostile characters escaped.
struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| sanitize::is_hostile(*c)) {
            CompactFormatter.write_string_fragment(writer, &rest[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::view::sample::{plan, received};

    const HOSTILE: &str = "a\x1b]52;c;x\x07\u{9b}b\u{202e}\u{e0041}\u{7f}\n";

    fn written(plan: &Plan, text: &str) -> String {
        let mut page = Page::default();
        Ndjson::new(plan).event(&received(text), &mut page);
        String::from_utf8(page.data).unwrap()
    }

    #[test]
    fn on_a_terminal_the_value_is_the_same_and_harmless() {
        let mut plan = plan("ndjson");
        plan.data_terminal = true;
        let line = written(&plan, HOSTILE);
        assert!(!line.trim_end().chars().any(sanitize::is_hostile), "{line}");
        assert!(
            line.contains("\\u009bb\\u202e\\udb40\\udc41\\u007f"),
            "{line}"
        );
        for line in [line, written(&self::plan("ndjson"), HOSTILE)] {
            let value: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(value["data"], HOSTILE);
            assert_eq!(line.lines().count(), 1);
        }
    }
}
