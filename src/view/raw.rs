//! `raw`: what came in, byte for byte, one message a line. The default in a pipe.
//!
//! Pings, pongs and frames would not be told from messages, so they go to stderr. On a terminal
//! the bytes are made safe, which leaves them readable and no longer exact.

use crate::model::event::{Direction, Event, What};
use crate::text::sanitize;
use crate::text::style::Style;

use super::prefix::Prefix;
use super::{Format, FormatEntry, LARGE, Page, Plan, line};

pub(super) const ENTRY: FormatEntry = FormatEntry {
    name: "raw",
    help: "messages as they came, one a line",
    talks: true,
    make: |plan| Box::new(Raw::new(plan)),
};

struct Raw {
    prefix: Prefix,
    is_terminal: bool,
    talk_style: Style,
    talk_prefix: Prefix,
}

impl Raw {
    fn new(plan: &Plan) -> Self {
        Self {
            prefix: Prefix::new(plan, plan.data_style),
            is_terminal: plan.data_terminal,
            talk_style: plan.talk_style,
            talk_prefix: Prefix::new(plan, plan.talk_style),
        }
    }
}

impl Format for Raw {
    fn event(&mut self, event: &Event, page: &mut Page) {
        self.talk_prefix.observe(&event.what);
        if let What::Message { dir, message, .. } = &event.what {
            if *dir == Direction::Out {
                return;
            }
            self.prefix.time(event.time, &mut page.data);
            if message.payload.len() >= LARGE {
                let (payload, is_terminal) = (message.payload.clone(), self.is_terminal);
                page.later(message, move |sink| {
                    for piece in sanitize::pieces(&payload) {
                        if is_terminal {
                            sink.write_all(sanitize::block_bytes(piece).as_bytes())?;
                        } else {
                            sink.write_all(piece)?;
                        }
                    }
                    sink.write_all(b"\n")
                });
                return;
            }
            if self.is_terminal {
                let safe = sanitize::block_bytes(&message.payload);
                page.data.extend_from_slice(safe.as_bytes());
            } else {
                page.data.extend_from_slice(&message.payload);
            }
            page.data.push(b'\n');
        } else if let Some(text) = line::control(&event.what, self.talk_style) {
            self.talk_prefix.both(event, &mut page.talk);
            page.talk.extend_from_slice(text.as_bytes());
            page.talk.push(b'\n');
        }
    }
}
