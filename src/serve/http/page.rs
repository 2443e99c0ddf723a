//! The test page: one file without anything to load, and the policy that lets it run its own
//! script and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::model::handshake::Headers;

const PAGE: &str = include_str!("page.html");

/// The page and the headers that go with it.
#[derive(Debug)]
pub(in crate::serve) struct Page {
    pub(super) headers: Headers,
    pub(super) body: Bytes,
}

impl Default for Page {
    fn default() -> Self {
        let script = hash(between("<script>", "</script>"));
        let style = hash(between("<style>", "</style>"));
        let policy = format!(
            "default-src 'none'; script-src '{script}'; style-src '{style}'; \
             connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", &policy),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
        ];
        Self {
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: Bytes::from_static(PAGE.as_bytes()),
        }
    }
}

/// What of the page stands between two tags.
fn between(start: &str, end: &str) -> &'static str {
    let rest = PAGE.split_once(start).map_or("", |(_, rest)| rest);
    rest.split_once(end).map_or("", |(inside, _)| inside)
}

fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_and_shows_nothing_as_html() {
        for word in [
            "<link",
            "src=",
            "@import",
            "url(",
            "innerHTML",
            "insertAdjacent",
            "eval(",
            "onclick=\"",
            "style=\"",
        ] {
            assert!(!PAGE.contains(word), "{word}");
        }
        for tag in ["<script>", "</script>", "<style>", "</style>"] {
            assert_eq!(PAGE.matches(tag).count(), 1, "{tag}");
        }
    }
}
