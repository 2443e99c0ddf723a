//! What a transcript would use if it were played: where it connects to, which values it needs from
//! outside, which files it reads.

use std::collections::BTreeSet;

use super::matcher::Matcher;
use super::syntax::{Expectation, Sending, Statement, Step, Text, Transcript};
use super::template::{Placeholder, Template};

/// What it would use; each thing once, in the order of the alphabet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Scheme, host and port of the URLs, as they are written: `{{url}}` stays that.
    pub hosts: BTreeSet<String>,
    /// Variables that the transcript does not set itself.
    pub variables: BTreeSet<String>,
    /// Variables that are secret, with their `secret_`.
    pub secrets: BTreeSet<String>,
    /// As they are named: from the folder of the file that names them.
    pub files: BTreeSet<String>,
}

/// Looks through a transcript and what it includes.
pub fn survey(transcript: &Transcript) -> Survey {
    let mut surveyor = Surveyor::default();
    surveyor.statements(&transcript.statements);
    let Surveyor {
        mut survey,
        used,
        set,
    } = surveyor;
    for name in used {
        if name.starts_with("secret_") {
            survey.secrets.insert(name);
        } else if !set.contains(&name) {
            survey.variables.insert(name);
        }
    }
    survey
}

#[derive(Default)]
struct Surveyor {
    survey: Survey,
    used: BTreeSet<String>,
    set: BTreeSet<String>,
}

impl Surveyor {
    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.step(&statement.step);
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Connect(connect) => {
                self.survey.hosts.insert(host(&connect.url.raw).to_owned());
                let modifiers = &connect.modifiers;
                let texts = modifiers.headers.iter().chain(&modifiers.subprotocols);
                texts
                    .chain(&modifiers.origin)
                    .for_each(|text| self.text(text));
                self.text(&connect.url);
            }
            Step::Send(send) => match &send.sending {
                Sending::Text(text) | Sending::Json(text) => self.text(text),
                Sending::Wire { args, .. } => self.text(args),
                Sending::File { path, .. } => {
                    self.survey.files.insert(path.raw.clone());
                    self.text(path);
                }
            },
            Step::Expect(expect) => {
                self.expectation(&expect.expectation);
                let captures = expect.captures.iter();
                self.set
                    .extend(captures.map(|capture| capture.name.clone()));
            }
            Step::All(all) => {
                for item in &all.items {
                    self.expectation(&item.expectation);
                    let captures = item.captures.iter();
                    self.set
                        .extend(captures.map(|capture| capture.name.clone()));
                }
            }
            Step::Set { name, value } => {
                self.text(value);
                self.set.insert(name.clone());
            }
            Step::Ignore { expectation, .. } => self.expectation(expectation),
            Step::Repeat { body, .. } => self.statements(body),
            Step::Include { path, body } => {
                self.survey.files.insert(path.clone());
                self.statements(body);
            }
            Step::Wait(_) => {}
        }
    }

    fn expectation(&mut self, expectation: &Expectation) {
        if let Some(path) = expectation.text.raw.strip_prefix("file:")
            && expectation.matcher == "/bin"
        {
            self.survey.files.insert(path.trim().to_owned());
        }
        self.text(&expectation.text);
        // A regex gives names to its groups.
        if let Some(matcher) = Matcher::named(expectation.matcher)
            && let Ok(test) = matcher.compile(&expectation.text)
        {
            self.set.extend(test.binds());
        }
    }

    fn text(&mut self, text: &Text) {
        let Ok(template) = Template::parse(&text.raw) else {
            return;
        };
        for (placeholder, _) in template.placeholders() {
            match placeholder {
                Placeholder::Variable(name) => self.used.insert(name.clone()),
                Placeholder::Bind(name) => self.set.insert(name.clone()),
                _ => false,
            };
        }
    }
}

/// What of a URL says where it leads.
fn host(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']);
    &url[..end.map_or(url.len(), |end| start + end)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::parse::parse;

    #[test]
    fn everything_that_comes_from_outside_is_found() {
        let text = "\
set room = general
alice: connect {{url}}/chat?token={{secret_token}}
  header X: {{trace}}
bob: connect wss://h:1/a
alice> {\"room\":\"{{room}}\",\"n\":{{n}}}
alice< /json {\"id\":\"{{id:=}}\"}
  let all = whole
alice< /match (?P<word>a)
alice> {{id}} {{all}} {{uuid}} {{word}}
alice> /file a.bin
repeat 2
  bob< /bin file:b.bin
end
include other.wst
";
        let transcript = Transcript {
            sources: Vec::new(),
            statements: parse(text, 0).unwrap(),
        };
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            survey(&transcript),
            Survey {
                hosts: set(&["wss://h:1", "{{url}}"]),
                variables: set(&["n", "trace", "url"]),
                secrets: set(&["secret_token"]),
                files: set(&["a.bin", "b.bin", "other.wst"]),
            }
        );
    }
}
