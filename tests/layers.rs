//! The folders of `src/` stand on floors. A module uses its own folder and lower floors, never
//! another folder of its floor and never a higher one; some crates are used in one place only.
//! This test reads every path in the sources, so that the rule of ARCHITECTURE.md lasts.

use std::fs;
use std::path::{Path, PathBuf};

/// Which folder stands on which floor.
const FLOORS: &[(&str, u8)] = &[
    ("model", 0),
    ("text", 1),
    ("protocol", 1),
    ("wire", 2),
    ("session", 3),
    ("view", 4),
    ("transcript", 4),
    ("input", 4),
    ("serve", 5),
    ("play", 5),
    ("bench", 6),
    ("tui", 7),
    ("command", 8),
    ("cli", 9),
];

/// Everything may use it; it may use the vocabulary only.
const ERROR: &str = "error";

/// They wire everything together.
const FREE: &[&str] = &["lib.rs", "main.rs"];

/// Paths that may be used below these places only.
const CONFINED: &[(&str, &[&str])] = &[
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("rustyline", &["input/"]),
    ("hyper", &["wire/accept"]),
    ("hyper_util", &["wire/accept"]),
    ("http_body_util", &["wire/accept"]),
    ("tokio_tungstenite", &["wire/reference"]),
    ("jsonwebtoken", &["serve/auth/"]),
    ("subtle", &["serve/auth/"]),
    ("infer", &["serve/files"]),
    ("aho_corasick", &["model/secret/known"]),
    ("colored", &["text/style"]),
    ("zlib_rs", &["protocol/deflate/", "bench/result/hdr"]),
    ("rustls", &["wire/tls/"]),
    ("tokio_rustls", &["wire/tls/", "wire/stream"]),
    ("rcgen", &["wire/tls/"]),
    ("x509_cert", &["wire/tls/"]),
    ("pkcs8", &["wire/tls/"]),
    ("similar", &["view/diff"]),
    ("unicode_segmentation", &["text/glyph", "tui/widget/draft"]),
    ("unicode_width", &["text/glyph", "input/resize"]),
    ("mio", &["wire/nonblocking", "bench/"]),
    ("socket2", &["wire/nonblocking"]),
    ("hdrhistogram", &["bench/"]),
    ("csv", &["bench/feed", "bench/report/"]),
    ("ratatui", &["tui/"]),
    ("crossterm", &["tui/"]),
    // Elsewhere they are only asked whether they are terminals.
    ("stdout", &["text/output", "text/style", "cli/config"]),
    ("stderr", &["text/output", "text/style", "cli/config"]),
];

/// Paths that may not be used below these places: values and the engine know no I/O and no clock.
const BANNED: &[(&str, &[&str])] = &[
    ("tokio", &["model/", "protocol/"]),
    ("net", &["model/", "protocol/"]),
    ("Instant", &["model/", "protocol/"]),
];

#[test]
fn every_module_uses_lower_floors_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut breaches = Vec::new();
    let mut files = 0;
    for path in rust_files(&root) {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let source = fs::read_to_string(&path).unwrap();
        breaches.extend(breaches_of(&name.replace('\\', "/"), &source));
        files += 1;
    }
    assert!(files > 10, "only {files} files in {}", root.display());
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// What a file does against the rules; `name` is its path below `src/`.
fn breaches_of(name: &str, source: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    // Documentation may point anywhere.
    let code: String = source
        .lines()
        .map(|line| {
            if line.trim_start().starts_with("//") {
                ""
            } else {
                line
            }
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut breach = |at: usize, what: String| {
        let line = code[..at].matches('\n').count() + 1;
        breaches.push(format!("src/{name}:{line}: {what}"));
    };

    for (at, folder) in folders_used(name, &code) {
        if let Err(why) = may_use(name, folder) {
            breach(at, why);
        }
    }
    for &(path, places) in CONFINED {
        if !places.iter().any(|place| name.starts_with(place)) {
            for at in path_uses(&code, path) {
                breach(at, format!("{path} is confined to {}", places.join(", ")));
            }
        }
    }
    for &(path, places) in BANNED {
        if places.iter().any(|place| name.starts_with(place)) {
            for at in path_uses(&code, path) {
                breach(
                    at,
                    format!("{path} may not be used in {}", places.join(", ")),
                );
            }
        }
    }
    breaches
}

fn may_use(name: &str, used: &str) -> Result<(), String> {
    let from = name.split('/').next().unwrap_or(name);
    let from = from.strip_suffix(".rs").unwrap_or(from);
    if FREE.contains(&name) || used == from || used == ERROR {
        return Ok(());
    }
    let Some(used_floor) = floor(used) else {
        return Err(format!("crate::{used} stands on no floor"));
    };
    if from == ERROR {
        return match used_floor {
            0 => Ok(()),
            _ => Err(format!("error.rs uses crate::{used}, not the vocabulary")),
        };
    }
    let Some(from_floor) = floor(from) else {
        return Err(format!("{from} stands on no floor"));
    };
    if used_floor < from_floor {
        Ok(())
    } else {
        Err(format!(
            "{from} (floor {from_floor}) uses crate::{used} (floor {used_floor})"
        ))
    }
}

fn floor(folder: &str) -> Option<u8> {
    let (_, floor) = FLOORS.iter().find(|(name, _)| *name == folder)?;
    Some(*floor)
}

/// The folders (first segments) of all paths from the crate's root, with where they stand.
fn folders_used<'a>(name: &str, code: &'a str) -> Vec<(usize, &'a str)> {
    let mut used = Vec::new();
    for at in starts_of(code, "crate::") {
        used.extend(first_segments(code, at + "crate::".len()));
    }
    // A chain of `super` may lead to the root too: from a/b.rs it takes two, in a test module three.
    let depth = name.matches('/').count() + usize::from(!name.ends_with("mod.rs"));
    let chain = "super::".repeat(depth.max(1));
    for at in starts_of(code, &chain) {
        let mut after = at + chain.len();
        if code[after..].starts_with("super::") {
            after += "super::".len();
        }
        let root_folder = |(_, segment): &(usize, &str)| floor(segment).is_some();
        used.extend(first_segments(code, after).into_iter().filter(root_folder));
    }
    used
}

/// The first segments of the path, or of each path of the group, that begins at `at`.
fn first_segments(code: &str, at: usize) -> Vec<(usize, &str)> {
    if !code[at..].starts_with('{') {
        return vec![(at, identifier(&code[at..]))];
    }
    let mut segments = Vec::new();
    let mut depth = 0;
    let mut begins = false;
    for (offset, letter) in code[at..].char_indices() {
        match letter {
            '{' => {
                depth += 1;
                begins = depth == 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            ',' => begins = depth == 1,
            _ if letter.is_whitespace() => {}
            _ => {
                if begins && depth == 1 {
                    segments.push((at + offset, identifier(&code[at + offset..])));
                }
                begins = false;
            }
        }
    }
    segments
}

/// Where `path` is a segment of a path: followed by `::`, called, imported by name.
fn path_uses(code: &str, path: &str) -> Vec<usize> {
    let whole = |&at: &usize| identifier(&code[at..]) == path;
    let in_path = |&at: &usize| {
        let after = &code[at + path.len()..];
        let before = &code[..at];
        after.starts_with("::") && !before.ends_with('.')
            || before.ends_with("::")
            || (before.ends_with("{") || before.ends_with(", ")) && in_use_group(before)
    };
    starts_of(code, path)
        .into_iter()
        .filter(whole)
        .filter(in_path)
        .collect()
}

/// Whether the code before a name is an unfinished `use ...{`.
fn in_use_group(before: &str) -> bool {
    let statement = before.rsplit(';').next().unwrap_or(before);
    let statement = statement.trim_start();
    statement.starts_with("use ") || statement.starts_with("pub use ")
}

/// Where `text` stands as the beginning of a word.
fn starts_of(code: &str, text: &str) -> Vec<usize> {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.match_indices(text)
        .map(|(at, _)| at)
        .filter(|&at| !code[..at].ends_with(word))
        .collect()
}

fn identifier(code: &str) -> &str {
    let end = code.find(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    &code[..end.unwrap_or(code.len())]
}

#[test]
fn a_breach_is_found() {
    let found = |name: &str, code: &str| breaches_of(name, code);
    for (name, code) in [
        // Up, sideways, inside a group, inside a body, by way of `super`.
        ("model/event.rs", "use crate::wire::dial::dial;"),
        ("text/json.rs", "use crate::protocol::scan;"),
        (
            "view/line.rs",
            "use crate::{error::Error, model::{event::Event, state}, input::slash};",
        ),
        (
            "session/client.rs",
            "fn f() { let plan = crate::cli::config(); }",
        ),
        ("wire/dial.rs", "use super::super::session::Client;"),
        ("wire/mod.rs", "use super::session::Client;"),
        (
            "wire/dial.rs",
            "mod tests { use super::super::super::session::Client; }",
        ),
        ("error.rs", "use crate::wire::dial;"),
        ("model/event.rs", "use crate::surprise::Thing;"),
        ("misc.rs", "use crate::model::event;"),
        // Crates out of their place.
        ("session/client.rs", "use clap::Parser;"),
        ("input/pipe.rs", "use std::io::{self, stdout};"),
        ("input/pipe.rs", "fn f() { std::io::stderr().flush(); }"),
        ("view/line.rs", "use colored::Colorize;"),
        ("protocol/engine.rs", "use tokio::time::sleep;"),
        ("protocol/engine.rs", "fn f() { Instant::now(); }"),
    ] {
        assert_eq!(
            found(name, code).len(),
            1,
            "{name}: {code}: {:?}",
            found(name, code)
        );
    }
    assert_eq!(
        found("text/json.rs", "\n\nuse crate::cli::args;"),
        ["src/text/json.rs:3: text (floor 1) uses crate::cli (floor 9)"]
    );
}

#[test]
fn what_is_allowed_is_no_breach() {
    for (name, code) in [
        (
            "wire/dial.rs",
            "use crate::{error::Error, model::event::Event, text::hex};",
        ),
        (
            "wire/dial.rs",
            "use crate::wire::tls; use super::tls; pub(crate) struct Dial;",
        ),
        ("wire/dial.rs", "mod tests { use super::super::tls; }"),
        ("error.rs", "use crate::model::event::Problem;"),
        ("lib.rs", "pub use crate::cli::run;"),
        (
            "model/event.rs",
            "//! Printed by [`crate::view::line`].\n// see crate::cli",
        ),
        ("cli/args.rs", "use clap::Parser;"),
        ("text/output.rs", "fn f() { std::io::stdout().lock(); }"),
        (
            "serve/peer.rs",
            "fn f(child: Child) { child.stderr.take(); }",
        ),
        (
            "session/client.rs",
            "struct Plan { stdout: bool } use tokio::time::Instant;",
        ),
    ] {
        assert_eq!(
            breaches_of(name, code),
            Vec::<String>::new(),
            "{name}: {code}"
        );
    }
}
