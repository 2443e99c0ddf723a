//! The grammars in `editors/` know every word of the language.

use std::path::Path;

use wscope::transcript::matcher::{ALL, MATCHERS};
use wscope::transcript::parse::{MODIFIERS, STATEMENTS};
use wscope::transcript::sending::VERBS;

/// What stands for one of some words: `\%(a\|b\)` for Vim, `(?:a|b)` or `(a|b)` for TextMate.
fn alternatives(text: &str, before: &str, between: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for (at, _) in text.match_indices(before) {
        let rest = &text[at + before.len()..];
        let end = rest.find([')', ']']).unwrap_or(rest.len());
        let words = rest[..end].trim_end_matches('\\').split(between);
        all.push(words.map(str::to_owned).collect());
    }
    all
}

fn slash(words: impl Iterator<Item = &'static str>) -> Vec<String> {
    let words = words.filter(|word| !word.is_empty());
    words
        .map(|word| word.trim_start_matches('/').to_owned())
        .collect()
}

fn has_all(groups: &[Vec<String>], words: &[String], what: &str) {
    let covered = |group: &Vec<String>| words.iter().all(|word| group.contains(word));
    assert!(
        groups.iter().any(covered),
        "no group of {what} has all of {words:?}: {groups:#?}"
    );
}

#[test]
fn every_statement_modifier_and_slash_word_is_in_both_grammars() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let owned = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let sends = slash(
        VERBS
            .iter()
            .map(|verb| verb.name)
            .chain(["/text", "/json", "/file"]),
    );
    let expects = slash(MATCHERS.iter().map(|matcher| matcher.name).chain([ALL]));

    let vim = read("vim/syntax/wst.vim");
    let groups = alternatives(&vim, "\\%(", "\\|");
    // Those that may follow a peer's name stand apart.
    let (peers, others): (Vec<String>, Vec<String>) = owned(&STATEMENTS)
        .into_iter()
        .partition(|word| word == "connect" || word == "ignore");
    for words in [
        peers,
        others,
        owned(&MODIFIERS),
        sends.clone(),
        expects.clone(),
    ] {
        has_all(&groups, &words, "wst.vim");
    }

    let json = read("wst.tmLanguage.json");
    let grammar: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(grammar["scopeName"], "source.wst");
    let mut groups = alternatives(&json, "(?:", "|");
    groups.extend(alternatives(&json, "(", "|"));
    for words in [owned(&STATEMENTS), owned(&MODIFIERS), sends, expects] {
        has_all(&groups, &words, "wst.tmLanguage.json");
    }
}
