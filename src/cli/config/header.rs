//! `-H`: a header as it is typed, or a file of them.

use crate::cli::args::value::{field, token};
use crate::error::Error;
use crate::model::handshake::Headers;
use crate::model::secret::is_secret_header;
use crate::wire::upgrade::is_ours;

/// The header that `--auth` and `--bearer` write.
pub(super) const AUTHORIZATION: &str = "Authorization";

/// Bytes of a file of headers: more than any server takes.
const MOST: u64 = 1 << 20;

/// Reads every `-H` in order; those that belong to the handshake are left out, with a note each.
pub(super) fn read(typed: &[String], notes: &mut Vec<String>) -> Result<Headers, Error> {
    let mut headers = Headers::new();
    for text in typed {
        match text.strip_prefix('@') {
            Some(path) => read_file(path, &mut headers)?,
            None => headers.push(parse(text).map_err(|problem| wrong("-H", &problem))?),
        }
    }
    headers.retain(|(name, _)| {
        let ours = is_ours(name);
        if ours {
            notes.push(format!(
                "header {name} dropped: it belongs to the handshake itself"
            ));
        }
        !ours
    });
    Ok(headers)
}

fn read_file(path: &str, headers: &mut Headers) -> Result<(), Error> {
    let text = String::from_utf8(super::read(path.as_ref(), "-H", MOST)?)
        .map_err(|_| wrong("-H", &format!("{path} is not UTF-8")))?;
    for (at, line) in text.lines().enumerate() {
        if !line.trim().is_empty() {
            let header = parse(line);
            headers.push(
                header.map_err(|problem| wrong(&format!("{path}, line {}", at + 1), &problem))?,
            );
        }
    }
    Ok(())
}

fn wrong(place: &str, problem: &str) -> Error {
    Error::usage_hint(format!("{place}: {problem}"), "write it as 'Name: value'")
}

/// `Name: value`. The value is not repeated in an error where the name says that it is secret.
fn parse(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once(':') else {
        return Err(match text.split_whitespace().next() {
            Some(word) if is_secret_header(word) => format!("the header {word} has no colon"),
            _ => format!("the header {text:?} has no colon"),
        });
    };
    let name = token(name).map_err(|problem| format!("header name {name:?}: {problem}"))?;
    let value = field(value).map_err(|problem| format!("header {name}: {problem}"))?;
    Ok((name, value))
}

/// The name of a header as typed; `None` for a file of headers.
pub(super) fn name(text: &str) -> Option<&str> {
    text.split_once(':').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(typed: &[&str]) -> (Result<Headers, Error>, Vec<String>) {
        let typed: Vec<String> = typed.iter().map(|text| (*text).to_owned()).collect();
        let mut notes = Vec::new();
        (read(&typed, &mut notes), notes)
    }

    #[test]
    fn order_case_and_duplicates_are_kept() {
        let (headers, notes) = of(&["X-Dup: 1", "x-dup:2", "Empty:", "Time: 12:30"]);
        let expected = [
            ("X-Dup", "1"),
            ("x-dup", "2"),
            ("Empty", ""),
            ("Time", "12:30"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(headers.unwrap(), expected);
        assert_eq!(notes, Vec::<String>::new());
    }

    #[test]
    fn headers_of_the_handshake_are_dropped_with_a_note() {
        let (headers, notes) = of(&["upgrade: x", "Sec-WebSocket-Key: x", "A: b"]);
        assert_eq!(headers.unwrap().len(), 1);
        assert!(notes[0].contains("upgrade") && notes[1].contains("Sec-WebSocket-Key"));
    }

    #[test]
    fn a_wrong_header_is_named_and_a_secret_one_is_not_shown() {
        for (text, said) in [
            ("nocolon", "nocolon"),
            ("A b: c", "' '"),
            (": c", "empty"),
            ("A: b\r\nC: d", "'\\r'"),
        ] {
            let error = of(&[text]).0.unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let error = of(&["Authorization Bearer hunter2"]).0.unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn a_file_holds_one_header_per_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = format!("@{}", file.path().display());
        std::fs::write(file.path(), "A: b\r\n\nC: d\n").unwrap();
        assert_eq!(of(&[&path]).0.unwrap().len(), 2);
        std::fs::write(file.path(), "A: b\nwrong\n").unwrap();
        let error = of(&[&path]).0.unwrap_err().to_string();
        assert!(error.contains(", line 2: "), "{error}");
        assert!(
            of(&["@/no/such"])
                .0
                .unwrap_err()
                .to_string()
                .contains("/no/such")
        );
    }
}
