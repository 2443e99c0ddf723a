//! Reads Sec-WebSocket-Extensions (RFC 6455, section 9.1): a list of names with parameters, whose
//! values may be quoted.

use super::Wrong;

/// One element of the list, as it was written but for quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) name: String,
    pub(super) params: Vec<(String, Option<String>)>,
}

/// All extensions in the values of a header that may be there more than once.
pub(super) fn parse<'a>(
    values: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Extension>, Wrong> {
    let mut extensions = Vec::new();
    for value in values {
        parse_list(value, &mut extensions)?;
    }
    Ok(extensions)
}

fn parse_list(value: &str, extensions: &mut Vec<Extension>) -> Result<(), Wrong> {
    let mut cursor = Cursor { rest: value };
    loop {
        // A list may have empty elements (RFC 9110, section 5.6.1).
        while cursor.take(',') {}
        if cursor.at_end() {
            return Ok(());
        }
        extensions.push(cursor.extension()?);
        if !cursor.at_end() && !cursor.take(',') {
            return Err(cursor.unexpected());
        }
    }
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn extension(&mut self) -> Result<Extension, Wrong> {
        let name = self.token()?.to_owned();
        let mut params = Vec::new();
        while self.take(';') {
            let param = self.token()?.to_owned();
            let value = if self.take('=') {
                Some(self.value()?)
            } else {
                None
            };
            params.push((param, value));
        }
        Ok(Extension { name, params })
    }

    fn value(&mut self) -> Result<String, Wrong> {
        if self.take('"') {
            self.quoted()
        } else {
            self.token().map(str::to_owned)
        }
    }

    /// The rest of a quoted string. Without its quotes and backslashes it must be a token.
    fn quoted(&mut self) -> Result<String, Wrong> {
        let mut value = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' if !value.is_empty() => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(value);
                }
                '\\' => match chars.next() {
                    Some((_, escaped)) if is_token(escaped) => value.push(escaped),
                    _ => break,
                },
                _ if is_token(char) => value.push(char),
                _ => break,
            }
        }
        Err(self.unexpected())
    }

    fn token(&mut self) -> Result<&'a str, Wrong> {
        self.skip_blanks();
        let end = self.rest.find(|char| !is_token(char));
        let (token, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if token.is_empty() {
            return Err(self.unexpected());
        }
        self.rest = rest;
        Ok(token)
    }

    /// Takes one character, if it is the next but for blanks.
    fn take(&mut self, char: char) -> bool {
        self.skip_blanks();
        let rest = self.rest.strip_prefix(char);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn at_end(&mut self) -> bool {
        self.skip_blanks();
        self.rest.is_empty()
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn unexpected(&self) -> Wrong {
        const SHOWN: usize = 40;
        let place = match self.rest {
            "" => "its end".to_owned(),
            rest => format!("{:?}", rest.chars().take(SHOWN).collect::<String>()),
        };
        Wrong(format!(
            "Sec-WebSocket-Extensions is not a list of extensions at {place} (RFC 6455, section 9.1)"
        ))
    }
}

/// Whether a character may be in a token (RFC 9110, section 5.6.2).
fn is_token(char: char) -> bool {
    char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows what was parsed: names and parameters, every value in brackets.
    fn show(values: &[&str]) -> String {
        let extensions = match parse(values.iter().copied()) {
            Ok(extensions) => extensions,
            Err(wrong) => return wrong.to_string(),
        };
        let shown = extensions.iter().map(|extension| {
            let params = extension.params.iter().map(|(name, value)| match value {
                Some(value) => format!(" {name}<{value}>"),
                None => format!(" {name}"),
            });
            extension.name.clone() + &params.collect::<String>()
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn lists_may_be_quoted_spaced_and_spread_over_headers() {
        for (values, expected) in [
            (&[][..], ""),
            (&[" , ,"], ""),
            (&["a"], "a"),
            (&["a; b=1 ;c , d"], "a b<1> c, d"),
            (&["a;b=\"1\\0\",c", "\td ; e = f"], "a b<10>, c, d e<f>"),
            (&["a;b;b=2"], "a b b<2>"),
        ] {
            assert_eq!(show(values), expected, "{values:?}");
        }
    }

    #[test]
    fn what_is_no_list_is_shown_where_it_breaks() {
        for (value, place) in [
            ("a b", "\"b\""),
            ("a;", "its end"),
            ("a;=1", "\"=1\""),
            ("a;b=", "its end"),
            ("a;b=\"\"", "\"\\\"\""),
            ("a;b=\"1", "\"1\""),
            ("a;b=\"x y\"", "\"x y\\\"\""),
            ("a;b=\"x\\", "\"x\\\\\""),
            ("a;b=\"x\"y", "\"y\""),
            ("a\u{1b}[2J", "\"\\u{1b}[2J\""),
            ("ä", "\"ä\""),
        ] {
            let expected = format!(
                "Sec-WebSocket-Extensions is not a list of extensions at {place} (RFC 6455, section 9.1)"
            );
            assert_eq!(show(&[value]), expected, "{value}");
        }
    }
}
