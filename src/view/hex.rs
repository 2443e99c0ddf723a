//! `hex`: a header line and a dump for each message.

use crate::model::event::{Direction, Event, What};
use crate::model::units::{show_duration, show_size};
use crate::text::hex;
use crate::text::style::{Ink, Style};

use super::prefix::Prefix;
use super::{Format, FormatEntry, LARGE, Page, Plan, line};

pub(super) const ENTRY: FormatEntry = FormatEntry {
    name: "hex",
    help: "a hex dump of each message",
    talks: true,
    make: |plan| Box::new(Hex::new(plan)),
};

struct Hex {
    prefix: Prefix,
    style: Style,
    echo_sent: bool,
}

impl Hex {
    fn new(plan: &Plan) -> Self {
        Self {
            prefix: Prefix::new(plan, plan.data_style),
            style: plan.data_style,
            echo_sent: plan.echo_sent,
        }
    }

    fn dump(&self, event: &Event, dir: Direction, kind: &str, payload: &[u8], page: &mut Page) {
        self.head(event, dir, kind, payload.len(), page);
        page.data.extend_from_slice(hex::dump(payload).as_bytes());
    }

    fn head(&self, event: &Event, dir: Direction, kind: &str, size: usize, page: &mut Page) {
        self.prefix.both(event, &mut page.data);
        let size = show_size(size as u64);
        let head = self.style.paint(Ink::Control, kind);
        let head = format!("{} {head} {size}\n", line::sign(dir, self.style));
        page.data.extend_from_slice(head.as_bytes());
    }
}

impl Format for Hex {
    fn event(&mut self, event: &Event, page: &mut Page) {
        self.prefix.observe(&event.what);
        match &event.what {
            What::Message { dir, message, .. } => {
                if *dir == Direction::Out && !self.echo_sent {
                    return;
                }
                let kind = if message.is_text() { "text" } else { "binary" };
                if message.payload.len() < LARGE {
                    return self.dump(event, *dir, kind, &message.payload, page);
                }
                self.head(event, *dir, kind, message.payload.len(), page);
                let payload = message.payload.clone();
                page.later(message, move |sink| {
                    let mut rows = hex::rows(&payload);
                    rows.try_for_each(|row| sink.write_all(row.as_bytes()))
                });
            }
            What::Ping { dir, payload } => self.dump(event, *dir, "ping", payload, page),
            What::Pong { dir, payload, rtt } => {
                let kind = rtt.map_or_else(
                    || "pong".to_owned(),
                    |rtt| format!("pong ({})", show_duration(rtt)),
                );
                self.dump(event, *dir, &kind, payload, page);
            }
            what => {
                if let Some(text) = line::control(what, self.style) {
                    self.prefix.both(event, &mut page.data);
                    page.data.extend_from_slice(text.as_bytes());
                    page.data.push(b'\n');
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample::{plan, pong, received, sent};

    #[test]
    fn a_message_is_a_header_and_a_dump() {
        let mut hex = Hex::new(&plan("hex"));
        let mut page = Page::default();
        for event in [
            received("hi\x1b"),
            sent("not shown"),
            received(""),
            pong(b"", None),
        ] {
            hex.event(&event, &mut page);
        }
        assert_eq!(
            String::from_utf8(page.data).unwrap(),
            "< text 3 B\n\
             00000000  68 69 1b                                          |hi.|\n\
             < text 0 B\n\
             < pong 0 B\n"
        );
    }
}
