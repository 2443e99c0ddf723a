//! Values that are known before anything is played: those from outside, and what `set` makes of them.

use std::collections::{HashMap, HashSet};

use super::syntax::Text;
use super::template::{Part, Piece, Placeholder, Template};
use super::variables::MAX_VALUE;

/// What is known at one place of a transcript; to be told of each line in its turn.
#[derive(Debug, Clone, Default)]
pub(super) struct Constants {
    values: HashMap<String, String>,
    given: HashSet<String>,
}

impl Constants {
    /// `given` are the values from outside, which go before what `set` says.
    pub(super) fn new(given: &HashMap<String, String>) -> Self {
        Self {
            values: given.clone(),
            given: given.keys().cloned().collect(),
        }
    }

    /// `set NAME = VALUE`
    pub(super) fn set(&mut self, name: &str, value: &Text) {
        if self.given.contains(name) {
            return;
        }
        match self.fill(value) {
            Some(value) => self.values.insert(name.to_owned(), value),
            None => self.values.remove(name),
        };
    }

    /// From here on the name stands for something that comes.
    pub(super) fn forget(&mut self, name: &str) {
        self.given.remove(name);
        self.values.remove(name);
    }

    /// A text with its placeholders filled in, where all of them are known.
    pub(super) fn fill(&self, text: &Text) -> Option<String> {
        let template = Template::parse(&text.raw).ok()?;
        let parts = template.parts.iter();
        let parts: Option<Vec<&str>> = parts.map(|part| self.part(part)).collect();
        joined(&parts?)
    }

    /// A text with the placeholders filled in that are known.
    pub(super) fn fill_known(&self, text: &Text) -> String {
        let template = Template::parse(&text.raw).unwrap_or_default();
        let parts = template.parts.iter();
        let parts: Vec<&str> = parts
            .map(|part| self.part(part).unwrap_or(&text.raw[part.at.clone()]))
            .collect();
        joined(&parts).unwrap_or_else(|| text.raw.clone())
    }

    fn part<'a>(&'a self, part: &'a Part) -> Option<&'a str> {
        match &part.what {
            Piece::Literal(text) => Some(text),
            Piece::Placeholder(Placeholder::Variable(name)) => {
                self.values.get(name).map(String::as_str)
            }
            Piece::Placeholder(_) => None,
        }
    }
}

/// All of them, where that is no more than a value may be.
fn joined(parts: &[&str]) -> Option<String> {
    let size: usize = parts.iter().map(|part| part.len()).sum();
    (size <= MAX_VALUE).then(|| parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_nothing_that_comes_is_known() {
        let given = HashMap::from([("url".to_owned(), "ws://h".to_owned())]);
        let mut constants = Constants::new(&given);
        constants.set("room", &Text::new("{{url}}/a"));
        constants.set("id", &Text::new("{{uuid}}"));
        constants.set("url", &Text::new("ws://other"));
        let fill = |constants: &Constants, text: &str| constants.fill(&Text::new(text));
        assert_eq!(fill(&constants, "{{room}}/b"), Some("ws://h/a/b".into()));
        assert_eq!(fill(&constants, "{{id}}"), None);
        let known = constants.fill_known(&Text::new("{{url}}/{{id}}?{{{{"));
        assert_eq!(known, "ws://h/{{id}}?{{");
        constants.forget("url");
        assert_eq!(fill(&constants, "{{url}}"), None);
    }
}
