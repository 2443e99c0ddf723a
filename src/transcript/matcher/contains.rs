//! `< /contains TEXT`: a text message that has TEXT somewhere.

use super::text::text_of;
use super::{Context, Matcher, Mismatch, Places, Test, fill, plain_template};
use crate::transcript::excerpt::{around, quoted};
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;
use crate::transcript::template::{Fault, Filling, Template};

pub(super) const MATCHER: Matcher = Matcher {
    name: "/contains",
    args: "TEXT",
    about: "a text message that has TEXT in it",
    places: Places::Everywhere,
    block: false,
    compile: |text| {
        if text.raw.is_empty() {
            return Err(Fault::new(0..0, "/contains needs a text").hint("/any is any message"));
        }
        Ok(Box::new(Contains(plain_template(text)?)))
    },
};

#[derive(Debug)]
struct Contains(Template);

impl Test for Contains {
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch> {
        let wanted = fill(&self.0, Filling::Plain, context.variables)?.text;
        let text = text_of(incoming);
        if text.as_ref().is_some_and(|text| text.contains(&wanted)) {
            return Ok(Vec::new());
        }
        let secrets = context.variables.secrets();
        let expected = format!("a text with {}", quoted(&wanted, secrets));
        Err(match text {
            Some(text) => Mismatch::new(expected, around(&text, 0, secrets)),
            None => Mismatch::kind(&expected, incoming, secrets),
        })
    }
}
