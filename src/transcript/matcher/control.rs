//! `< /ping [TEXT]`, `< /pong [TEXT]`: control frames, which everything else passes over.

use bytes::Bytes;

use super::{Context, Matcher, Mismatch, Places, Test, fill, plain_template};
use crate::transcript::excerpt::quoted;
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;
use crate::transcript::template::{Filling, Template};

pub(super) const PING: Matcher = Matcher {
    name: "/ping",
    args: "[TEXT]",
    about: "a ping; with TEXT, one with this payload",
    places: Places::Several,
    block: false,
    compile: |text| {
        Ok(Box::new(Control {
            name: "a ping",
            payload: plain_template(text)?,
            of: |incoming| match incoming {
                Incoming::Ping(payload) => Some(payload),
                _ => None,
            },
        }))
    },
};

pub(super) const PONG: Matcher = Matcher {
    name: "/pong",
    args: "[TEXT]",
    about: "a pong; with TEXT, one with this payload",
    places: Places::Several,
    block: false,
    compile: |text| {
        Ok(Box::new(Control {
            name: "a pong",
            payload: plain_template(text)?,
            of: |incoming| match incoming {
                Incoming::Pong(payload) => Some(payload),
                _ => None,
            },
        }))
    },
};

#[derive(Debug)]
struct Control {
    name: &'static str,
    /// Nothing is any.
    payload: Template,
    of: fn(&Incoming) -> Option<&Bytes>,
}

impl Test for Control {
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch> {
        let Some(got) = (self.of)(incoming) else {
            let secrets = context.variables.secrets();
            return Err(Mismatch::kind(self.name, incoming, secrets));
        };
        let expected = fill(&self.payload, Filling::Plain, context.variables)?.text;
        if expected.is_empty() || expected.as_bytes() == got {
            return Ok(Vec::new());
        }
        let got = String::from_utf8_lossy(got);
        let secrets = context.variables.secrets();
        Err(Mismatch::new(
            format!("the payload {}", quoted(&expected, secrets)),
            quoted(&got, secrets),
        ))
    }

    fn sees(&self, incoming: &Incoming) -> bool {
        !incoming.is_control() || (self.of)(incoming).is_some()
    }

    fn wanted(&self) -> &'static str {
        self.name
    }
}
