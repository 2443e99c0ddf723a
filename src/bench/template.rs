//! Texts with `{{variables}}` for each connection and message: `{{seq}}` (1, 2, ... per connection),
//! `{{conn}}` (the connection's number), `{{group}}` (that of its group), `{{now}}` (microseconds since
//! 1970) and the columns of `--feed`; `{{marker}}` in the messages of mode `fanout`. `{{{{` is a literal
//! `{{`.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use super::feed::Feed;

/// A text in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Seq,
    Conn,
    Group,
    Now,
    Column(usize),
    Marker,
}

const BUILT_IN: [&str; 4] = ["seq", "conn", "group", "now"];
const MARKER: &str = "marker";

impl Template {
    /// # Errors
    /// A sentence that names the unknown variable and those that there are.
    pub fn parse(text: &str, feed: &Feed) -> Result<Self, String> {
        let pieces = pieces(text, feed)?;
        if pieces.contains(&Piece::Marker) {
            return Err(format!(
                "{{{{{MARKER}}}}} is only for the messages that --mode fanout publishes"
            ));
        }
        Ok(Self { pieces })
    }

    /// What stands before and after the `{{marker}}` of a message.
    ///
    /// # Errors
    /// As for [`Self::parse`]; there is no marker, or more than one.
    pub fn parse_around_marker(text: &str, feed: &Feed) -> Result<(Self, Self), String> {
        let mut before = pieces(text, feed)?;
        let places = before.iter().filter(|piece| **piece == Piece::Marker);
        let (count, at) = (
            places.count(),
            before.iter().position(|piece| *piece == Piece::Marker),
        );
        match at.filter(|_| count == 1) {
            Some(at) => {
                let after = before.split_off(at + 1);
                before.truncate(at);
                Ok((Self { pieces: before }, Self { pieces: after }))
            }
            None => Err(format!(
                "{{{{{MARKER}}}}} has to be in it once, and is in it {count} times"
            )),
        }
    }

    /// The text where it is the same each time.
    pub fn constant(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Writes the text for the message `seq` of a connection.
    pub fn render(&self, feed: &Feed, connection: u64, seq: u64, out: &mut String) {
        for piece in &self.pieces {
            // Writing to a String cannot fail.
            let _ = match piece {
                Piece::Text(text) => out.write_str(text),
                Piece::Seq => write!(out, "{seq}"),
                Piece::Conn => write!(out, "{connection}"),
                Piece::Group => write!(out, "{}", feed.group(connection)),
                Piece::Now => write!(out, "{}", micros_since_1970()),
                Piece::Column(column) => out.write_str(feed.value(connection, *column)),
                Piece::Marker => Ok(()),
            };
        }
    }
}

fn pieces(text: &str, feed: &Feed) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        literal.push_str(&rest[..at]);
        rest = &rest[at + 2..];
        if let Some(after) = rest.strip_prefix("{{") {
            literal.push_str("{{");
            rest = after;
            continue;
        }
        let (name, after) = rest
            .split_once("}}")
            .ok_or_else(|| format!("\"{text}\": {{{{ without }}}}"))?;
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        pieces.push(variable(name.trim(), feed)?);
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

fn variable(name: &str, feed: &Feed) -> Result<Piece, String> {
    match name {
        "seq" => Ok(Piece::Seq),
        "conn" => Ok(Piece::Conn),
        "group" => Ok(Piece::Group),
        MARKER => Ok(Piece::Marker),
        "now" => Ok(Piece::Now),
        other => feed.column(other).map(Piece::Column).ok_or_else(|| {
            let known: Vec<&str> = BUILT_IN.into_iter().chain(feed.columns()).collect();
            format!(
                "there is no variable {{{{{other}}}}}; there are {}, and the columns of --feed",
                known.join(", ")
            )
        }),
    }
}

fn micros_since_1970() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> String {
        let feed = Feed::default();
        let mut out = String::new();
        Template::parse(text, &feed)
            .unwrap()
            .render(&feed, 7, 3, &mut out);
        out
    }

    #[test]
    fn variables_are_filled_in() {
        assert_eq!(
            render(r#"{"id":{{seq}},"from":{{ conn }}}"#),
            r#"{"id":3,"from":7}"#
        );
        assert_eq!(render("{{{{seq}}"), "{{seq}}");
        assert_eq!(render("plain { text }"), "plain { text }");
    }

    #[test]
    fn a_marker_has_its_place_once() {
        let feed = Feed::default();
        let (before, after) =
            Template::parse_around_marker(r#"{"id":"{{ marker }}","n":{{seq}}}"#, &feed).unwrap();
        assert_eq!(before.constant(), Some(r#"{"id":""#));
        let mut out = String::new();
        after.render(&feed, 1, 5, &mut out);
        assert_eq!(out, r#"","n":5}"#);
        for text in ["hi", "{{marker}}{{marker}}", "{{{{marker}}"] {
            let wrong = Template::parse_around_marker(text, &feed).unwrap_err();
            assert!(wrong.contains("once"), "{wrong}");
        }
        let wrong = Template::parse("{{marker}}", &feed).unwrap_err();
        assert!(wrong.contains("--mode fanout"), "{wrong}");
    }

    #[test]
    fn constants_are_known_and_mistakes_named() {
        let feed = Feed::default();
        assert_eq!(Template::parse("hi", &feed).unwrap().constant(), Some("hi"));
        assert_eq!(Template::parse("{{seq}}", &feed).unwrap().constant(), None);
        let error = Template::parse("{{sequence}}", &feed).unwrap_err();
        assert!(
            error.contains("{{sequence}}") && error.contains("seq, conn, group, now"),
            "{error}"
        );
        assert!(Template::parse("{{seq", &feed).is_err());
    }
}
