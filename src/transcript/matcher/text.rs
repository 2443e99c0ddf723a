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

/// A text as JSON writes strings, for what cannot stand in a line as it is. It is only another way to
/// write the text: what is parsed is the text itself.
pub(super) const QUOTED: Matcher = Matcher {
    name: "/text",
    args: "\"TEXT\"",
    about: "a text message, written as a string of JSON: \\u001b, \\n",
    places: Places::Everywhere,
    block: false,
    compile: |text| Ok(Box::new(Text::compile(&unquoted(text)?)?)),
};

/// What a string of JSON spells.
///
/// # Errors
/// It is none.
pub(in crate::transcript) fn unquoted(text: &syntax::Text) -> Result<syntax::Text, Fault> {
    let raw = serde_json::from_str(&text.raw).map_err(|_| {
        Fault::new(0..text.raw.len(), "this is not a string of JSON")
            .hint("/text \"a line\\nand another, \\u001b[1m\"")
    })?;
    Ok(syntax::Text {
        raw,
        span: text.span,
        // Bytes of the one are not bytes of the other.
        lines: Vec::new(),
    })
}

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
    let first = first_difference(&expected.text, got);
    Mismatch {
        at: expected.origin(first),
        ..Mismatch::new(
            around(&expected.text, first, secrets),
            around(got, first, secrets),
        )
    }
}

/// The byte at which two texts begin to differ.
pub(in crate::transcript) fn first_difference(one: &str, other: &str) -> usize {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    same.map(|(a, _)| a.len_utf8()).sum()
}
