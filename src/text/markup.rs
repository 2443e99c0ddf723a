//! Text made fit for XML and HTML, as content and between double quotes.

/// Only what XML 1.0 allows as a character, with its own signs escaped.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                escaped.push(c);
            }
            _ => escaped.push('\u{fffd}'),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_opens_or_ends_a_tag() {
        assert_eq!(
            escaped("<script a=\"b\">&\u{1b}\u{fffe}\n"),
            "&lt;script a=&quot;b&quot;&gt;&amp;\u{fffd}\u{fffd}\n"
        );
    }
}
