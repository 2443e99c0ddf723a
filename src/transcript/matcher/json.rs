//! `< /json {...}`: JSON that has at least these members with these values.

use super::text::text_of;
use super::{Context, Matcher, Mismatch, Places, Test};
use crate::transcript::excerpt::around;
use crate::transcript::incoming::Incoming;
use crate::transcript::json::{Bound, Pattern, locate};
use crate::transcript::syntax::Text;
use crate::transcript::template::Fault;

pub(super) const MATCHER: Matcher = Matcher {
    name: "/json",
    args: "{...}",
    about: "JSON with at least these members; a final \"...\" in an array allows more",
    places: Places::Everywhere,
    block: true,
    compile: |text| Ok(Box::new(Json::compile(text, true)?)),
};

/// `/json` and `/exactly`.
#[derive(Debug)]
pub(super) struct Json {
    raw: String,
    pattern: Pattern,
}

impl Json {
    pub(super) fn compile(text: &Text, partial: bool) -> Result<Self, Fault> {
        Ok(Self {
            raw: text.raw.clone(),
            pattern: Pattern::parse(&text.raw, partial)?,
        })
    }
}

impl Test for Json {
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch> {
        let Some(text) = text_of(incoming) else {
            return Err(Mismatch::kind(
                "JSON",
                incoming,
                context.variables.secrets(),
            ));
        };
        let Ok(got) = serde_json::from_str(&text) else {
            return Err(Mismatch::new(
                "JSON",
                around(&text, 0, context.variables.secrets()),
            ));
        };
        let held = self.pattern.hold(&got, context.variables)?;
        held.map_err(|difference| Mismatch {
            at: locate(&self.raw, &difference.pointer),
            pointer: Some(difference.pointer),
            ..Mismatch::new(difference.expected, difference.got)
        })
    }

    fn binds(&self) -> Vec<String> {
        self.pattern.binds()
    }
}
