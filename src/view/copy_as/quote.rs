//! Text as a word of a shell, and as a string of JavaScript or JSON.

use std::borrow::Cow;

use crate::text::json;

/// A word of a POSIX shell. A NUL cannot be in one and is left out.
pub(super) fn shell(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    // A bare `=` or a leading `~` means something to some shells, and so may a leading dash.
    let is_bare =
        text.chars().all(is_plain) && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if is_bare {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
}

/// A JSON string, which is one of JavaScript too: hostile characters and line separators escaped.
pub(super) fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    match json::escape(&quoted) {
        Cow::Borrowed(_) => quoted,
        Cow::Owned(escaped) => escaped,
    }
}
