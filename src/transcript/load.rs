//! A transcript with the files that it includes. Reading is the caller's.

use super::diagnostic::Diagnostic;
use super::parse::{MAX_FILE, parse};
use super::syntax::{Source, Span, Statement, Step, Transcript};

/// How deep files may include each other.
const MAX_DEPTH: usize = 16;
/// All files of a transcript together, in bytes, and how many they are.
const MAX_ALL: usize = 4 * MAX_FILE;
const MAX_FILES: usize = 1000;

/// What is wrong, and the files that it is in.
#[derive(Debug)]
pub struct Wrong {
    pub sources: Vec<Source>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file and what it includes. `read` gets paths as they are named: an included one is below
/// the folder of the file that includes it.
///
/// # Errors
/// What does not parse or cannot be read.
pub fn load(
    path: &str,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Transcript, Wrong> {
    let mut loader = Loader {
        read,
        sources: Vec::new(),
        open: Vec::new(),
        diagnostics: Vec::new(),
    };
    let statements = match read(path) {
        Ok(text) => loader.file(path.to_owned(), text),
        Err(why) => {
            loader.diagnostics.push(Diagnostic::new(
                Span {
                    file: usize::MAX,
                    ..Span::default()
                },
                why,
            ));
            Vec::new()
        }
    };
    if loader.diagnostics.is_empty() {
        Ok(Transcript {
            sources: loader.sources,
            statements,
        })
    } else {
        Err(Wrong {
            sources: loader.sources,
            diagnostics: loader.diagnostics,
        })
    }
}

/// The files that a file includes by itself, as they would be named to read them; none of one that
/// does not parse.
pub fn includes(path: &str, text: &str) -> Vec<String> {
    fn collect(statements: &[Statement], from: &str, into: &mut Vec<String>) {
        for statement in statements {
            match &statement.step {
                Step::Include { path, .. } => into.push(beside(from, path)),
                Step::Repeat { body, .. } => collect(body, from, into),
                _ => {}
            }
        }
    }
    let mut paths = Vec::new();
    collect(&parse(text, 0).unwrap_or_default(), path, &mut paths);
    paths
}

struct Loader<'r> {
    read: &'r dyn Fn(&str) -> Result<String, String>,
    sources: Vec<Source>,
    /// The files that are being read, each included by the one before.
    open: Vec<String>,
    diagnostics: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn file(&mut self, path: String, text: String) -> Vec<Statement> {
        let number = self.sources.len();
        let parsed = parse(&text, number);
        self.sources.push(Source::new(path.clone(), text));
        match parsed {
            Ok(mut statements) => {
                self.open.push(path);
                self.includes(&mut statements);
                self.open.pop();
                statements
            }
            Err(diagnostics) => {
                self.diagnostics.extend(diagnostics);
                Vec::new()
            }
        }
    }

    fn includes(&mut self, statements: &mut [Statement]) {
        for statement in statements {
            match &mut statement.step {
                Step::Include { path, body } => match self.include(path) {
                    Ok(statements) => *body = statements,
                    Err(why) => self.diagnostics.push(Diagnostic::new(statement.span, why)),
                },
                Step::Repeat { body, .. } => self.includes(body),
                _ => {}
            }
        }
    }

    fn include(&mut self, named: &str) -> Result<Vec<Statement>, String> {
        let path = beside(self.open.last().map_or("", String::as_str), named);
        if self.open.contains(&path) {
            return Err(format!("{path} includes itself"));
        }
        if self.open.len() > MAX_DEPTH {
            return Err(format!(
                "files include each other more than {MAX_DEPTH} deep"
            ));
        }
        let text = (self.read)(&path)?;
        let all: usize = self.sources.iter().map(|source| source.text.len()).sum();
        if all + text.len() > MAX_ALL || self.sources.len() >= MAX_FILES {
            return Err(format!(
                "more than {MAX_FILES} files or {MAX_ALL} bytes are included"
            ));
        }
        Ok(self.file(path, text))
    }
}

/// The path of a file that `from` names, without `.` and `..` in it where that is possible.
pub(super) fn beside(from: &str, named: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    let joined = format!("{folder}/{named}");
    let whole = if named.starts_with('/') || folder.is_empty() && !from.starts_with('/') {
        named
    } else {
        &joined
    };
    for part in whole.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(files: &[(&str, &str)]) -> String {
        let read = |path: &str| {
            let file = files.iter().find(|(name, _)| *name == path);
            file.map(|(_, text)| (*text).to_owned())
                .ok_or_else(|| format!("{path}: no such file"))
        };
        match load(files[0].0, &read) {
            Ok(transcript) => super::super::print::print(&transcript.statements),
            Err(wrong) => wrong
                .diagnostics
                .iter()
                .map(|one| one.render(&wrong.sources))
                .collect(),
        }
    }

    #[test]
    fn files_include_each_other_from_where_they_are() {
        for (from, named, path) in [
            ("a.wst", "b.wst", "b.wst"),
            ("x/a.wst", "b.wst", "x/b.wst"),
            ("x/a.wst", "../b.wst", "b.wst"),
            ("/x/a.wst", "./y/../b.wst", "/x/b.wst"),
            ("/a.wst", "b.wst", "/b.wst"),
            ("a.wst", "../b.wst", "../b.wst"),
            ("x/a.wst", "/b.wst", "/b.wst"),
        ] {
            assert_eq!(beside(from, named), path, "{from} {named}");
        }
        let all = wrong(&[
            ("x/a.wst", "include y/b.wst\ninclude y/b.wst"),
            ("x/y/b.wst", "> hi"),
        ]);
        assert_eq!(all, "include y/b.wst\ninclude y/b.wst\n");
    }

    #[test]
    fn what_cannot_be_included_is_said_at_its_line() {
        let cycle = wrong(&[
            ("a.wst", "> x\ninclude b.wst"),
            ("b.wst", "repeat 2\ninclude a.wst\nend"),
        ]);
        assert!(
            cycle.starts_with("b.wst:2:1: a.wst includes itself\n"),
            "{cycle}"
        );
        let missing = wrong(&[("a.wst", "include b.wst")]);
        assert!(
            missing.starts_with("a.wst:1:1: b.wst: no such file\n"),
            "{missing}"
        );
        let broken = wrong(&[("a.wst", "include b.wst"), ("b.wst", "\nhello")]);
        assert!(
            broken.starts_with("b.wst:2:1: this is no statement\n"),
            "{broken}"
        );
        let names: Vec<String> = (0..20).map(|n| format!("{n}.wst")).collect();
        let texts: Vec<String> = (0..20).map(|n| format!("include {}.wst", n + 1)).collect();
        let deep: Vec<(&str, &str)> = names
            .iter()
            .map(String::as_str)
            .zip(texts.iter().map(String::as_str))
            .collect();
        assert!(wrong(&deep).contains("more than 16 deep"));
    }
}
