//! `< TEXT`: a text message, exactly this.

use super::{Context, Fault, Matcher, Mismatch, Places, Test, fill, plain_template};
use crate::model::secret::known::Known;
use crate::transcript::excerpt::{around, quoted};
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;
use crate::transcript::syntax;
use crate::transcript::template::{Filling, Rendered, Template};

pub(super) const MATCHER: Matcher = Matcher {
    name: "",
    args: "TEXT",
    about: "a text message, exactly TEXT",
    places: Places::Everywhere,
    block: true,
    compile: |text| Ok(Box::new(Text::compile(text)?)),
};

#[derive(Debug)]
struct Text {
    template: Template,
    how: Filling,
}

impl Text {
    fn compile(text: &syntax::Text) -> Result<Self, Fault> {
        let template = plain_template(text)?;
        let how = filling(&template);
        Ok(Self { template, how })
    }
}

/// Text that is JSON is filled as JSON, so that a value with quotes does not break it.
pub(in crate::transcript) fn filling(template: &Template) -> Filling {
    if template.is_json() {
        Filling::Json
    } else {
        Filling::Plain
    }
}

impl Test for Text {
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch> {
        let expected = fill(&self.template, self.how, context.variables)?;
        match text_of(incoming) {
            Some(got) if got == expected.text => Ok(Vec::new()),
            Some(got) => Err(differs(&expected, &got, context.variables.secrets())),
            None => {
                let secrets = context.variables.secrets();
                let expected = format!("the text {}", quoted(&expected.text, secrets));
                Err(Mismatch::kind(&expected, incoming, secrets))
            }
        }
    }
}

/// The text of a text message.
pub(super) fn text_of(incoming: &Incoming) -> Option<String> {
    match incoming {
        Incoming::Message(message) => message.as_text().map(Into::into),
        _ => None,
    }
}

fn differs(expected: &Rendered, got: &str, secrets: &Known) -> Mismatch {
    let same = expected
        .text
        .chars()
        .zip(got.chars())
        .take_while(|(a, b)| a == b);
    let first: usize = same.map(|(a, _)| a.len_utf8()).sum();
    Mismatch {
        at: expected.origin(first),
        ..Mismatch::new(
            around(&expected.text, first, secrets),
            around(got, first, secrets),
        )
    }
}
