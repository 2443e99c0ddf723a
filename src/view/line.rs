//! `pretty`: one line for each message, with a sign for its direction. The default on a terminal.
//!
//! `<` came in, `>` went out. Text is made safe and stays on its line; JSON is coloured and, after
//! `/json`, indented; binary is a preview in hex with its size.

use std::borrow::Cow;

use crate::model::event::{Direction, Event, What};
use crate::model::message::Message;
use crate::model::units::{show_duration, show_size};
use crate::text::style::{Ink, Style};
use crate::text::{hex, json, sanitize};

use super::prefix::Prefix;
use super::{Format, FormatEntry, Page, Plan};

pub(super) const ENTRY: FormatEntry = FormatEntry {
    name: "pretty",
    help: "a line for each message, for people",
    talks: true,
    make: |plan| Box::new(Pretty::new(plan)),
};

/// Bytes of a binary message that are shown.
const PREVIEW: usize = 32;
/// Bytes of a text that are shown: more than anybody reads on one line.
const MOST_SHOWN: usize = 1 << 20;

struct Pretty {
    prefix: Prefix,
    style: Style,
    echo_sent: bool,
    json_indented: bool,
}

impl Pretty {
    fn new(plan: &Plan) -> Self {
        Self {
            prefix: Prefix::new(plan, plan.data_style),
            style: plan.data_style,
            echo_sent: plan.echo_sent,
            json_indented: false,
        }
    }

    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        // A bare number or word is JSON too, but nothing that colours or indentation would help.
        let may_be_json = text.trim_start().starts_with(['{', '[']);
        let shown = match (may_be_json, self.json_indented) {
            (true, true) => json::pretty(text, self.style).map(|shown| shown.replace('\n', "\n  ")),
            (true, false) if self.style.is_colourful() => json::highlight(text, self.style),
            _ => None,
        };
        shown.map_or_else(|| sanitize::line(text), Cow::Owned)
    }

    fn message<'a>(&self, message: &'a Message) -> Cow<'a, str> {
        match std::str::from_utf8(&message.payload) {
            Ok(text) if message.is_text() && text.len() > MOST_SHOWN => {
                let end = (0..=MOST_SHOWN).rev().find(|at| text.is_char_boundary(*at));
                let start = &text[..end.unwrap_or(0)];
                let size = format!(" ... ({} in all)", show_size(text.len() as u64));
                let size = self.style.paint(Ink::Dim, &size);
                Cow::Owned(format!("{}{size}", sanitize::line(start)))
            }
            Ok(text) if message.is_text() => self.text(text),
            _ => {
                let size = format!("binary {}:", show_size(message.payload.len() as u64));
                let bytes = hex::preview(&message.payload, PREVIEW);
                Cow::Owned(format!("{} {bytes}", self.style.paint(Ink::Dim, &size)))
            }
        }
    }
}

impl Format for Pretty {
    fn event(&mut self, event: &Event, page: &mut Page) {
        self.prefix.observe(&event.what);
        let text = match &event.what {
            What::Message { dir, message, .. } => {
                if *dir == Direction::Out && !self.echo_sent {
                    return;
                }
                format!("{} {}", sign(*dir, self.style), self.message(message))
            }
            what => match control(what, self.style) {
                Some(text) => text,
                None => return,
            },
        };
        self.prefix.both(event, &mut page.data);
        page.data.extend_from_slice(text.as_bytes());
        page.data.push(b'\n');
    }

    fn indent_json(&mut self, indented: bool) {
        self.json_indented = indented;
    }
}

/// A ping, a pong or a frame on one line; `None` for all else.
pub(super) fn control(what: &What, style: Style) -> Option<String> {
    let (dir, text) = match what {
        What::Ping { dir, payload } => (*dir, format!("ping{}", control_payload(payload))),
        What::Pong { dir, payload, rtt } => {
            let rtt = rtt.map_or_else(String::new, |rtt| format!(" ({})", show_duration(rtt)));
            (*dir, format!("pong{}{rtt}", control_payload(payload)))
        }
        What::Frame { dir, frame } => {
            let [rsv1, rsv2, rsv3] = frame.rsv.map(u8::from);
            let text = format!(
                "frame {} fin={} rsv={rsv1}{rsv2}{rsv3} {} {}, {} on the wire",
                frame.opcode,
                u8::from(frame.fin),
                if frame.masked { "masked" } else { "unmasked" },
                show_size(frame.payload_len),
                show_size(frame.wire_len),
            );
            (*dir, text)
        }
        _ => return None,
    };
    Some(format!(
        "{} {}",
        sign(dir, style),
        style.paint(Ink::Control, &text)
    ))
}

pub(super) fn sign(dir: Direction, style: Style) -> Cow<'static, str> {
    match dir {
        Direction::In => style.paint(Ink::Incoming, "<"),
        Direction::Out => style.paint(Ink::Outgoing, ">"),
    }
}

/// The payload of a control frame after a blank; it is at most 125 bytes and seldom text.
fn control_payload(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok("") => String::new(),
        Ok(text) => format!(" {}", sanitize::line(text)),
        Err(_) => format!(" {}", hex::preview(payload, PREVIEW)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::frame::{FrameInfo, Opcode};
    use crate::view::sample::{event, message, ping, pong, received, sent};

    fn shown(style: Style, json_indented: bool, event: &Event) -> String {
        let mut plan = crate::view::sample::plan("pretty");
        plan.data_style = style;
        plan.echo_sent = true;
        let mut pretty = Pretty::new(&plan);
        pretty.indent_json(json_indented);
        let mut page = Page::default();
        pretty.event(event, &mut page);
        assert!(page.talk.is_empty());
        String::from_utf8(page.data).unwrap()
    }

    #[test]
    fn each_kind_of_traffic_is_one_line() {
        let binary = |bytes: &'static [u8]| event(message(Direction::In, Message::binary(bytes)));
        let frame = event(What::Frame {
            dir: Direction::Out,
            frame: FrameInfo {
                fin: true,
                rsv: [true, false, false],
                opcode: Opcode::TEXT,
                masked: true,
                payload_len: 5,
                wire_len: 11,
            },
        });
        for (event, line) in [
            (received("hello"), "< hello\n"),
            (sent("hello"), "> hello\n"),
            (received(""), "< \n"),
            (received("two\nlines\t"), "< two\\nlines\\t\n"),
            (received(r#"{"a": 1}"#), "< {\"a\": 1}\n"),
            (binary(b"\x08\x96\x01"), "< binary 3 B: 08 96 01\n"),
            (ping(Direction::In, b""), "< ping\n"),
            (ping(Direction::Out, b"id 1"), "> ping id 1\n"),
            (ping(Direction::In, b"\xff\x1b"), "< ping ff 1b\n"),
            (
                pong(b"x", Some(Duration::from_micros(2345))),
                "< pong x (2.3ms)\n",
            ),
            (pong(b"", None), "< pong\n"),
            (
                frame,
                "> frame text fin=1 rsv=100 masked 5 B, 11 B on the wire\n",
            ),
        ] {
            assert_eq!(shown(Style::PLAIN, false, &event), line);
        }
    }

    #[test]
    fn a_long_binary_message_is_a_preview() {
        let long = event(message(Direction::In, Message::binary(vec![0; 4_096])));
        let line = shown(Style::PLAIN, false, &long);
        assert!(line.starts_with("< binary 4.1 kB: 00 00 ") && line.ends_with(" 00 ...\n"));
        assert!(line.len() < 150);
    }

    #[test]
    fn a_long_text_is_cut() {
        let line = shown(Style::PLAIN, false, &received(&"ß".repeat(MOST_SHOWN)));
        assert_eq!(line.matches('ß').count(), MOST_SHOWN / 2);
        assert!(line.ends_with("ß ... (2.1 MB in all)\n"));
    }

    #[test]
    fn json_is_indented_under_its_sign() {
        let event = received(r#"{"a":[1],"b":{}}"#);
        assert_eq!(
            shown(Style::PLAIN, true, &event),
            "< {\n    \"a\": [\n      1\n    ],\n    \"b\": {}\n  }\n"
        );
        assert_eq!(shown(Style::PLAIN, true, &received("{no")), "< {no\n");
    }

    #[test]
    fn json_is_coloured_where_colours_are() {
        let line = shown(Style::colourful(), false, &received(r#"{"a":1}"#));
        assert!(line.matches('\x1b').count() > 4, "{line:?}");
    }
}
