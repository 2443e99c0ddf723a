//! What a transcript would use if it were played: where it connects to, which values it needs from
//! outside, which files it reads.

use std::collections::{BTreeSet, HashMap};
use std::ptr;

use super::constants::Constants;
use super::diagnostic::Diagnostic;
use super::load::beside;
use super::matcher::{Files, Matcher};
use super::program::{URL, needs_connect};
use super::sending::not_text;
use super::syntax::{
    Capture, Expectation, Sending, Source, Span, Statement, Step, Text, Transcript,
};
use super::template::{Placeholder, Template};
use crate::wire::target::Target;

/// What it would use; each thing once, in the order of the alphabet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Scheme, host and port of the URLs, as they are written: `{{url}}` stays that.
    pub hosts: BTreeSet<String>,
    /// Variables that the transcript does not set itself.
    pub variables: BTreeSet<String>,
    /// Variables that are secret, with their `secret_`.
    pub secrets: BTreeSet<String>,
    /// As the transcript itself is named; with their placeholders where those are not known.
    pub files: BTreeSet<String>,
    /// Those of the files that messages are made of or compared with, where their names are known.
    reads: Vec<Read>,
    /// The URLs that are known, and where they stand.
    urls: Vec<(String, Span)>,
}

/// A file that a line reads.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Read {
    path: String,
    /// Where it is named.
    span: Span,
    /// It has to be UTF-8.
    is_text: bool,
}

impl Survey {
    /// What is wrong with the files that are read when it is played, and with its URLs.
    pub fn check(&self, files: &dyn Files) -> Vec<Diagnostic> {
        let wrong = |read: &Read| {
            let why = if read.is_text {
                files.read(&read.path).and_then(|bytes| {
                    let text = std::str::from_utf8(&bytes).map(drop);
                    text.map_err(|_| not_text(&read.path))
                })
            } else {
                files.check(&read.path)
            };
            why.err().map(|why| Diagnostic::new(read.span, why))
        };
        let urls = self.urls.iter().filter_map(|(url, span)| {
            let error = Target::parse(url).err()?;
            let mut diagnostic = Diagnostic::new(*span, error.to_string());
            diagnostic.hint = error.hint();
            Some(diagnostic)
        });
        let mut all: Vec<Diagnostic> = self.reads.iter().filter_map(wrong).chain(urls).collect();
        all.sort_by_key(|one| (one.span.file, one.span.start));
        all
    }
}

/// Looks through a transcript and what it includes; `given` are the values from outside.
pub fn survey(transcript: &Transcript, given: &HashMap<String, String>) -> Survey {
    let mut surveyor = Surveyor {
        sources: &transcript.sources,
        needs_connect: needs_connect(&transcript.statements),
        constants: Constants::new(given),
        survey: Survey::default(),
        used: BTreeSet::new(),
        set: BTreeSet::new(),
    };
    surveyor.statements(&transcript.statements);
    let Surveyor {
        mut survey,
        used,
        set,
        ..
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

struct Surveyor<'t> {
    /// Before this the peer without a name connects, though no line says so.
    needs_connect: Option<&'t Statement>,
    sources: &'t [Source],
    constants: Constants,
    survey: Survey,
    used: BTreeSet<String>,
    set: BTreeSet<String>,
}

impl Surveyor<'_> {
    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            if self
                .needs_connect
                .is_some_and(|one| ptr::eq(one, statement))
            {
                self.url(&Text::new(URL));
            }
            self.step(&statement.step, statement.span);
        }
    }

    fn step(&mut self, step: &Step, span: Span) {
        match step {
            Step::Connect(connect) => {
                let modifiers = &connect.modifiers;
                let texts = modifiers.headers.iter().chain(&modifiers.subprotocols);
                texts
                    .chain(&modifiers.origin)
                    .for_each(|text| self.text(text));
                self.url(&connect.url);
            }
            Step::Send(send) => match &send.sending {
                Sending::Text(text) | Sending::Json(text) => self.text(text),
                Sending::Wire { args, .. } => self.text(args),
                Sending::File { path, text } => {
                    self.file(path, *text);
                    self.text(path);
                }
            },
            Step::Expect(expect) => {
                self.expectation(&expect.expectation);
                self.captures(&expect.captures);
            }
            Step::All(all) => {
                for item in &all.items {
                    self.expectation(&item.expectation);
                    self.captures(&item.captures);
                }
            }
            Step::Set { name, value } => {
                self.text(value);
                self.constants.set(name, value);
                self.set.insert(name.clone());
            }
            Step::Ignore { expectation, .. } => self.expectation(expectation),
            Step::Repeat { body, .. } => self.statements(body),
            Step::Include { path, body } => {
                let from = span.file;
                self.survey.files.insert(self.beside(from, path));
                self.statements(body);
            }
            Step::Wait(_) => {}
        }
    }

    fn expectation(&mut self, expectation: &Expectation) {
        if expectation.matcher == "/bin"
            && let Some(path) = expectation.text.after("file:")
        {
            self.file(&path, false);
        }
        self.text(&expectation.text);
        // A regex gives names to its groups.
        if let Some(matcher) = Matcher::named(expectation.matcher)
            && let Ok(test) = matcher.compile(&expectation.text)
        {
            self.bound(test.binds());
        }
    }

    fn captures(&mut self, captures: &[Capture]) {
        self.bound(captures.iter().map(|capture| capture.name.clone()));
    }

    /// Names that stand for something that comes.
    fn bound(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            self.constants.forget(&name);
            self.set.insert(name);
        }
    }

    fn url(&mut self, url: &Text) {
        let known = self.constants.fill_known(url);
        self.survey.hosts.insert(host(&known));
        if self.constants.fill(url).is_some() && !url.lines.is_empty() {
            self.survey.urls.push((known, url.span));
        }
        self.text(url);
    }

    fn file(&mut self, path: &Text, is_text: bool) {
        let from = path.span.file;
        let named = self.beside(from, &self.constants.fill_known(path));
        if self.constants.fill(path).is_some() {
            self.survey.reads.push(Read {
                path: named.clone(),
                span: path.span,
                is_text,
            });
        }
        self.survey.files.insert(named);
    }

    /// The path of a file that one of the sources names.
    fn beside(&self, from: usize, named: &str) -> String {
        let from = self.sources.get(from).map_or("", |source| &source.path);
        beside(from, named)
    }

    fn text(&mut self, text: &Text) {
        let Ok(template) = Template::parse(&text.raw) else {
            return;
        };
        for (placeholder, _) in template.placeholders() {
            match placeholder {
                Placeholder::Variable(name) => self.used.insert(name.clone()),
                _ => false,
            };
        }
    }
}

/// What of a URL says where it leads: no password, no path.
fn host(url: &str) -> String {
    // It leads to a path, and its second colon to what is asked for there.
    if let Some(socket) = url.strip_prefix("ws+unix:") {
        let end = socket.find([':', '?']).unwrap_or(socket.len());
        return format!("ws+unix:{}", &socket[..end]);
    }
    let (scheme, rest) = match url.find("://") {
        Some(at) => url.split_at(at + "://".len()),
        None => ("", url),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}{host}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::parse::parse;

    #[test]
    fn everything_that_comes_from_outside_is_found() {
        let text = "\
set host = wss://ann:hunter2@known:1
set room = general
alice: connect {{url}}/chat?token={{secret_token}}
  header X: {{trace}}
bob: connect wss://h:1/a
carol: connect {{host}}/b
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
alice> /file {{room}}.bin
alice> /file {{id}}.bin
";
        let transcript = Transcript {
            sources: vec![Source::new("t/a.wst", text)],
            statements: parse(text, 0).unwrap(),
        };
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let found = survey(&transcript, &HashMap::new());
        assert_eq!(found.hosts, set(&["wss://h:1", "wss://known:1", "{{url}}"]));
        assert_eq!(found.variables, set(&["n", "trace", "url"]));
        assert_eq!(found.secrets, set(&["secret_token"]));
        let files = [
            "t/a.bin",
            "t/b.bin",
            "t/general.bin",
            "t/other.wst",
            "t/{{id}}.bin",
        ];
        assert_eq!(found.files, set(&files));
        let reads: Vec<&str> = found.reads.iter().map(|read| read.path.as_str()).collect();
        assert_eq!(reads, ["t/a.bin", "t/b.bin", "t/general.bin"]);
        let given = HashMap::from([("url".to_owned(), "ws://given:2/x".to_owned())]);
        assert!(survey(&transcript, &given).hosts.contains("ws://given:2"));
    }

    #[test]
    fn a_host_has_no_password_and_no_path() {
        for (url, expected) in [
            ("wss://a:b@h:1/x@y", "wss://h:1"),
            ("{{url}}/x", "{{url}}"),
            ("h:80?x", "h:80"),
            ("ws+unix:/run/a.sock:/chat?t=1", "ws+unix:/run/a.sock"),
        ] {
            assert_eq!(host(url), expected);
        }
    }

    #[test]
    fn without_a_connect_it_connects_to_the_url() {
        let transcript = Transcript {
            sources: Vec::new(),
            statements: parse("> hi", 0).unwrap(),
        };
        let found = survey(&transcript, &HashMap::new());
        assert!(found.hosts.contains("{{url}}") && found.variables.contains("url"));
    }
}
