//! What is shown of long things: the part that matters, in quotes or as hex.
//!
//! A secret that was cut or escaped is found by nobody. So all of this takes the secrets, and has
//! them out of the whole before it shows a part.

use crate::model::secret::REDACTED;
use crate::model::secret::known::Known;
use crate::text::hex;

/// Characters of a text that are shown.
const SHOWN: usize = 60;
/// Characters before the place that matters.
const BEFORE: usize = 20;

/// A text in quotes; of a long one the part around a byte.
pub fn around(text: &str, at: usize, secrets: &Known) -> String {
    let (text, at) = secrets.redacted_at(text, at);
    if text.chars().count() <= SHOWN {
        return format!("{text:?}");
    }
    let start = text[..at]
        .char_indices()
        .rev()
        .nth(BEFORE)
        .map_or(0, |(start, _)| start);
    let end = text[start..]
        .char_indices()
        .nth(SHOWN)
        .map_or(text.len(), |(end, _)| start + end);
    let dots = |cut: bool| if cut { "..." } else { "" };
    format!(
        "{}{:?}{}",
        dots(start > 0),
        &text[start..end],
        dots(end < text.len())
    )
}

/// A text in quotes, all of it.
pub fn quoted(text: &str, secrets: &Known) -> String {
    format!("{:?}", secrets.redacted(text))
}

/// The beginning of a text.
pub fn beginning(text: &str, most: usize, secrets: &Known) -> String {
    shortened(&secrets.redacted(text), most)
}

/// Bytes from a place on as hex, with `***` between them in the place of secrets.
pub fn bytes(bytes: &[u8], from: usize, most: usize, secrets: &Known) -> String {
    let mut words = Vec::new();
    let (mut at, mut left) = (from, most);
    let places = secrets.places(bytes).into_iter();
    for secret in places.filter(|secret| secret.end > from) {
        let plain = &bytes[at..secret.start.max(at)];
        if plain.len() >= left {
            break;
        }
        if !plain.is_empty() {
            words.push(hex::preview(plain, left));
        }
        words.push(REDACTED.to_owned());
        left -= plain.len();
        at = secret.end;
    }
    // What is cut at a secret has none of it, and no byte of it is among those that are left.
    if at < bytes.len() {
        words.push(hex::preview(&bytes[at..], left));
    }
    words.join(" ")
}

/// A text from which the secrets are gone, shortened.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::Secret;
    use crate::model::secret::known::Named;

    #[test]
    fn no_part_of_a_secret_is_shown() {
        let value = "s3cr\"et\u{1b}\n".repeat(15);
        let secrets = Known::new([Named::declared("k".into(), Secret::new(value.clone()))]);
        let secrets = secrets.unwrap();
        let text = format!("{}{value}after", "b".repeat(50));
        for at in [0, 50, 60, 100, text.len()] {
            let shown = around(&text, at, &secrets);
            assert!(shown.contains("b***after\""), "{shown}");
        }
        assert_eq!(
            beginning(&text, 52, &secrets),
            format!("{}**...", "b".repeat(50))
        );
        assert_eq!(
            bytes(&text.as_bytes()[49..], 0, 4, &secrets),
            "62 *** 61 66 74 ..."
        );
        assert_eq!(
            bytes(format!("bb{value}").as_bytes(), 0, 2, &secrets),
            "62 62 ..."
        );
        let json = serde_json::json!({ "k": value }).to_string();
        assert_eq!(around(&json, 40, &secrets), "\"{\\\"k\\\":\\\"***\\\"}\"");
        assert_eq!(quoted(&value, &secrets), "\"***\"");
    }
}
