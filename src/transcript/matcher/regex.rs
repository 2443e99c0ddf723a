//! `< /match REGEX`: a text in which the regex is found; named groups become variables.

use regex::{Regex, RegexBuilder};

use super::text::text_of;
use super::{Context, Fault, Matcher, Mismatch, Places, Test, fill, plain_template};
use crate::model::secret::REDACTED;
use crate::model::secret::known::Known;
use crate::transcript::excerpt::around;
use crate::transcript::incoming::Incoming;
use crate::transcript::json::Bound;
use crate::transcript::syntax::Text;
use crate::transcript::template::{Filling, NULL, Piece, Template};
use crate::transcript::variables::Value;

pub(super) const MATCHER: Matcher = Matcher {
    name: "/match",
    args: "REGEX",
    about: "a text in which the regex is found; named groups become variables",
    places: Places::Everywhere,
    block: false,
    compile: |text| Ok(Box::new(Match::compile(text)?)),
};

/// The most memory that a compiled regex may take, in bytes.
const MAX_REGEX: usize = 1 << 20;

#[derive(Debug)]
struct Match {
    template: Template,
    /// With null for what has to be filled in.
    compiled: Regex,
}

impl Match {
    fn compile(text: &Text) -> Result<Self, Fault> {
        let template = plain_template(text)?;
        let pattern: String = template
            .parts
            .iter()
            .map(|part| match &part.what {
                Piece::Literal(text) => text,
                Piece::Placeholder(_) => NULL,
            })
            .collect();
        let compiled =
            compile(&pattern).map_err(|message| Fault::new(0..text.raw.len(), message))?;
        Ok(Self { template, compiled })
    }

    fn look(&self, text: &str, regex: &Regex, secrets: &Known) -> Result<Bound, Mismatch> {
        let Some(groups) = regex.captures(text) else {
            let expected = format!("a match of {}", shown(regex.as_str(), secrets));
            return Err(Mismatch::new(expected, around(text, 0, secrets)));
        };
        let names = regex.capture_names().flatten();
        let value = |name| groups.name(name).map_or("", |group| group.as_str());
        Ok(names
            .map(|name| (name.to_owned(), Value::Text(value(name).into())))
            .collect())
    }
}

impl Test for Match {
    fn hold(&self, incoming: &Incoming, context: &mut Context<'_>) -> Result<Bound, Mismatch> {
        let Some(text) = text_of(incoming) else {
            let secrets = context.variables.secrets();
            return Err(Mismatch::kind("a text message", incoming, secrets));
        };
        if self.template.literal().is_some() {
            return self.look(&text, &self.compiled, context.variables.secrets());
        }
        let pattern = fill(&self.template, Filling::Regex, context.variables)?.text;
        let regex = compile(&pattern).map_err(|message| Mismatch::new("a regex", message))?;
        self.look(&text, &regex, context.variables.secrets())
    }

    fn binds(&self) -> Vec<String> {
        self.compiled
            .capture_names()
            .flatten()
            .map(Into::into)
            .collect()
    }
}

/// A pattern without the secrets that were filled in: in it they are written as a regex has them.
fn shown(pattern: &str, secrets: &Known) -> String {
    let values = secrets.values().iter().filter(|named| named.is_sought);
    let values = values.map(|named| regex::escape(named.value.reveal()));
    let shown = values
        .filter(|value| !value.is_empty())
        .fold(pattern.to_owned(), |shown, value| {
            shown.replace(&value, REDACTED)
        });
    secrets.redacted(&shown).into_owned()
}

fn compile(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(MAX_REGEX).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".into(),
        // The last line says what is wrong; those before it draw the pattern once more.
        _ => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!(
                "this is not a regular expression: {}",
                last.trim_start_matches("error: ")
            )
        }
    })
}
