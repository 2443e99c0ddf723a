//! `< TEXT`: a text message, exactly this.

use super::{Context, Fault, Matcher, Mismatch, Places, Test, fill, plain_template};
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
            Some(got) => Err(differs(&expected, &got)),
            None => {
                let expected = format!("the text {:?}", expected.text);
                Err(Mismatch::kind(&expected, incoming))
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

fn differs(expected: &Rendered, got: &str) -> Mismatch {
    let same = expected
        .text
        .chars()
        .zip(got.chars())
        .take_while(|(a, b)| a == b);
    let first: usize = same.map(|(a, _)| a.len_utf8()).sum();
    Mismatch {
        at: expected.origin(first),
        ..Mismatch::new(around(&expected.text, first), around(got, first))
    }
}

/// A text in quotes; of a long one the part around a byte.
pub(super) fn around(text: &str, at: usize) -> String {
    const BEFORE: usize = 20;
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        return format!("{text:?}");
    }
    let start = text[..at]
        .char_indices()
        .rev()
        .nth(BEFORE)
        .map_or(0, |(start, _)| start);
    let end = text[start..]
        .char_indices()
        .nth(SHOWN)
        .map_or(text.len(), |(end, _)| start + end);
    let dots = |cut: bool| if cut { "..." } else { "" };
    format!(
        "{}{:?}{}",
        dots(start > 0),
        &text[start..end],
        dots(end < text.len())
    )
}
