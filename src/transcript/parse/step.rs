//! Lines with a marker: what a peer sends (`>`), expects (`<`), or does (`:`).

use super::{BLANKS, Line, MAX_DIAGNOSTICS, Parsed, Parser, STATEMENTS, Wrong, is_reserved};
use crate::text::nearest::nearest;
use crate::transcript::matcher::{self, MATCHERS, Matcher, Places, Test, unquoted};
use crate::transcript::sending::Verb;
use crate::transcript::syntax::{
    All, Connect, Expect, Expectation, Item, Peer, Send, Sending, Span, Step, Text,
};
use crate::transcript::template::{Fault, Template, is_name};

/// What may be sent besides text, with its slash.
const SENDINGS: [&str; 8] = [
    "/text", "/json", "/bin", "/file", "/ping", "/pong", "/close", "/frame",
];

/// A line that begins with a peer and a marker.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marked<'t> {
    name: &'t str,
    marker: Marker,
    rest: Line<'t>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    Send,
    Expect,
    /// `<~`
    Skip,
    Does,
}

/// Where an expectation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Situation {
    Step,
    Skip,
    InAll,
    Ignore,
}

impl<'t> Parser<'t> {
    /// The peer and the marker that a line begins with, if it does.
    pub(super) fn marked(&mut self, line: Line<'t>) -> Parsed<Option<Marked<'t>>> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let end = line.text.find(|c| !is_part(c)).unwrap_or(line.text.len());
        let (name, rest) = line.text.split_at(end);
        let (marker, length) = match rest.as_bytes() {
            [b'>', ..] => (Marker::Send, 1),
            [b'<', b'~', ..] => (Marker::Skip, 2),
            [b'<', ..] => (Marker::Expect, 1),
            [b':', ..] if !name.is_empty() => (Marker::Does, 1),
            _ => return Ok(None),
        };
        let span = Span::new(self.file, line.start..line.start + name.len());
        if !name.is_empty() && !is_name(name) {
            let message = format!("\"{name}\" cannot be the name of a peer");
            return Err(self.wrong(span, message, "a letter, then letters, digits, _ and -"));
        }
        if is_reserved(name) {
            let message = format!("{name} is a word of the language and names no peer");
            return Err(self.wrong(span, message, "use another name"));
        }
        Ok(Some(Marked {
            name,
            marker,
            rest: line.skip(end + length),
        }))
    }

    pub(super) fn peer_step(&mut self, line: Line<'t>, marked: Marked<'t>) -> Parsed<Step> {
        let peer = match marked.name {
            "" => Peer::UNNAMED,
            name => Peer::named(name),
        };
        match marked.marker {
            Marker::Send => self.send(peer, marked.rest),
            Marker::Expect if marked.rest.split_word().0 == matcher::ALL => {
                self.all(peer, line, marked.rest)
            }
            Marker::Expect => self.expect(peer, Situation::Step, marked.rest),
            Marker::Skip => self.expect(peer, Situation::Skip, marked.rest),
            Marker::Does => {
                let (word, rest) = marked.rest.split_word();
                match word {
                    "connect" => self.connect(peer, rest),
                    "ignore" => self.ignore(Some(peer), rest),
                    _ => {
                        let span = marked.rest.or(line).span(self.file);
                        let hint = format!("{peer}: connect URL, or {peer}: ignore EXPECTATION");
                        Err(self.wrong(span, "a colon is followed by connect or ignore", hint))
                    }
                }
            }
        }
    }

    pub(super) fn connect(&mut self, peer: Peer, rest: Line<'t>) -> Parsed<Step> {
        let url = self.text_of(rest);
        let checked = if rest.text.is_empty() {
            let at = Span::new(self.file, rest.start.saturating_sub(1)..rest.start);
            Err(self.wrong(
                at,
                "connect needs a URL",
                "connect ws://localhost:8080/, or connect {{url}}",
            ))
        } else if rest.text.contains(BLANKS) && !rest.text.contains("{{") {
            let hint =
                "what else there is to say stands on lines of its own: header, subprotocol, ...";
            Err(self.wrong(rest.span(self.file), "a URL has no blanks", hint))
        } else {
            self.check_template(&url)
        };
        // The lines below it are looked at in any case.
        let modifiers = self.connect_modifiers();
        checked?;
        Ok(Step::Connect(Connect {
            peer,
            url,
            modifiers: modifiers?,
        }))
    }

    fn send(&mut self, peer: Peer, rest: Line<'t>) -> Parsed<Step> {
        let sending = self.sending(rest)?;
        Ok(Step::Send(Send { peer, sending }))
    }

    fn sending(&mut self, rest: Line<'t>) -> Parsed<Sending> {
        let Some(word) = slash_word(rest) else {
            let text = self.unslashed(rest)?;
            self.check_template(&text)?;
            return Ok(Sending::Text(text));
        };
        let args = rest.split_word().1;
        if word == "/json" {
            let text = self.text_or_block(args)?;
            let checked = Template::parse(&text.raw).and_then(|template| {
                template.check_values()?;
                template.check_json()
            });
            checked.map_err(|fault| self.fault(&text, fault))?;
            return Ok(Sending::Json(text));
        }
        if word == "/text" {
            let text = self.text_of(args);
            let text = unquoted(&text).map_err(|fault| self.fault(&text, fault))?;
            self.check_template(&text)?;
            return Ok(Sending::Text(text));
        }
        if word == "/file" {
            return self.file(rest, args);
        }
        let Some(verb) = Verb::named(word) else {
            let span = Span::new(self.file, rest.start..rest.start + word.len());
            let known = SENDINGS.join(" ");
            return Err(self.unknown_word(span, word, &SENDINGS, &known, "sends"));
        };
        let text = self.text_of(args);
        self.check_template(&text)?;
        if !text.raw.contains("{{")
            && let Err(message) = (verb.parse)(&text.raw)
        {
            let span = args.or(rest).span(self.file);
            let usage = format!("{} {}", verb.name, verb.args);
            return Err(self.wrong(span, message, usage));
        }
        Ok(Sending::Wire {
            verb: verb.name,
            args: text,
        })
    }

    /// `/file PATH [text]`
    fn file(&mut self, rest: Line<'t>, args: Line<'t>) -> Parsed<Sending> {
        let (path, text) = match args.text.strip_suffix("text") {
            Some(path) if path.ends_with(BLANKS) => (path.trim_end_matches(BLANKS), true),
            _ => (args.text, false),
        };
        if path.is_empty() {
            let span = rest.span(self.file);
            return Err(self.wrong(
                span,
                "/file needs a path",
                "/file photo.png, or /file letter.txt text",
            ));
        }
        let path = self.text_of(Line { text: path, ..args });
        self.check_template(&path)?;
        Ok(Sending::File { path, text })
    }

    fn expect(&mut self, peer: Peer, situation: Situation, rest: Line<'t>) -> Parsed<Step> {
        let expectation = self.expectation(situation, rest);
        let modifiers = self.expect_modifiers();
        let ((expectation, test), modifiers) = (expectation?, modifiers?);
        if test.silence().is_some()
            && (modifiers.within.is_some() || !modifiers.captures.is_empty())
        {
            let message = "/none has its time already, and nothing to look at";
            return Err(self.wrong(
                rest.span(self.file),
                message,
                "no within and no let below /none",
            ));
        }
        Ok(Step::Expect(Expect {
            peer,
            skip: situation == Situation::Skip,
            expectation,
            within: modifiers.within,
            captures: modifiers.captures,
        }))
    }

    pub(super) fn ignore(&mut self, peer: Option<Peer>, rest: Line<'t>) -> Parsed<Step> {
        if rest.text.is_empty() {
            let span = Span::new(self.file, rest.start.saturating_sub(1)..rest.start);
            return Err(self.wrong(
                span,
                "ignore needs an expectation",
                "ignore /json {\"type\":\"presence\"}",
            ));
        }
        let (expectation, _) = self.expectation(Situation::Ignore, rest)?;
        Ok(Step::Ignore { peer, expectation })
    }

    fn all(&mut self, peer: Peer, line: Line<'t>, rest: Line<'t>) -> Parsed<Step> {
        let mut result = self.nothing_follows(rest.split_word().1, matcher::ALL);
        let header = self.expect_modifiers();
        if let Ok(modifiers) = &header
            && let Some(capture) = modifiers.captures.first()
        {
            let hint = "let belongs below one of the expectations inside";
            result = Err(self.wrong(capture.span, "/all itself has nothing to look at", hint));
        }
        let mut items = Vec::new();
        loop {
            let Some(inner) = self.next_line() else {
                let hint = "a line that is only: end";
                return Err(self.wrong(line.span(self.file), "this /all has no end", hint));
            };
            if inner.text == "end" {
                break;
            }
            match self.item(inner) {
                Ok(item) => items.push(item),
                Err(Wrong) if self.diagnostics.len() >= MAX_DIAGNOSTICS => return Err(Wrong),
                Err(Wrong) => result = Err(Wrong),
            }
        }
        if items.is_empty() && result.is_ok() {
            let hint = "one expectation a line, without marker, then: end";
            return Err(self.wrong(line.span(self.file), "this /all expects nothing", hint));
        }
        result?;
        Ok(Step::All(All {
            peer,
            within: header?.within,
            items,
        }))
    }

    fn item(&mut self, line: Line<'t>) -> Parsed<Item> {
        let expectation = self.expectation(Situation::InAll, line);
        let modifiers = self.expect_modifiers();
        let ((expectation, _), modifiers) = (expectation?, modifiers?);
        if modifiers.within.is_some() {
            let hint = "within below the /all line holds for all of it";
            return Err(self.wrong(
                line.span(self.file),
                "within does not belong inside of /all",
                hint,
            ));
        }
        Ok(Item {
            span: line.span(self.file),
            expectation,
            captures: modifiers.captures,
        })
    }

    /// What stands after `<`, after `ignore`, or on a line inside of `/all`.
    fn expectation(
        &mut self,
        situation: Situation,
        rest: Line<'t>,
    ) -> Parsed<(Expectation, Box<dyn Test>)> {
        let (matcher, text) = match slash_word(rest) {
            None => {
                self.no_statement(situation, rest)?;
                (&MATCHERS[0], self.unslashed(rest)?)
            }
            Some(word) => {
                let matcher = self.matcher(situation, rest, word)?;
                let args = rest.split_word().1;
                let text = if matcher.block {
                    self.text_or_block(args)?
                } else {
                    self.text_of(args)
                };
                if matcher.name == "/text" {
                    let text = unquoted(&text)
                        .map_err(|fault| self.argument_fault(matcher, rest, &text, fault))?;
                    (&MATCHERS[0], text)
                } else {
                    (matcher, text)
                }
            }
        };
        let test = matcher.compile(&text);
        let test = test.map_err(|fault| self.argument_fault(matcher, rest, &text, fault))?;
        let expectation = Expectation {
            matcher: matcher.name,
            text,
            span: rest.span(self.file),
        };
        Ok((expectation, test))
    }

    /// Where an expectation has no marker of its own, a line that begins as a statement does is
    /// hardly meant as a text.
    fn no_statement(&mut self, situation: Situation, line: Line<'t>) -> Parsed<()> {
        let (place, and_end) = match situation {
            Situation::Step | Situation::Skip => return Ok(()),
            Situation::InAll => ("inside of /all", "; a line that is only end closes it"),
            Situation::Ignore => ("after ignore", ""),
        };
        let hint = |example: &str| {
            format!(
                "{example}; a text that begins like this stands between lines of \"\"\"{and_end}"
            )
        };
        if let Some(length) = marker_of(line.text) {
            let span = Span::new(self.file, line.start..line.start + length);
            let bare = line.skip(length).text;
            let hint = match bare {
                "" => hint("an expectation stands there, such as /any"),
                bare => hint(&format!("write it without: {bare}")),
            };
            return Err(self.wrong(span, format!("no marker may stand {place}"), hint));
        }
        let word = line.split_word().0;
        if situation == Situation::InAll && STATEMENTS.contains(&word) {
            let span = Span::new(self.file, line.start..line.start + word.len());
            let message = format!("the statement {word} may not stand {place}");
            return Err(self.wrong(span, message, hint("there stand expectations only")));
        }
        Ok(())
    }

    fn matcher(
        &mut self,
        situation: Situation,
        rest: Line<'t>,
        word: &str,
    ) -> Parsed<&'static Matcher> {
        let span = Span::new(self.file, rest.start..rest.start + word.len());
        let allowed = |matcher: &&Matcher| match situation {
            Situation::Step => true,
            Situation::Skip | Situation::InAll => matcher.places != Places::Alone,
            Situation::Ignore => matcher.places == Places::Everywhere,
        };
        let names: Vec<&str> = MATCHERS[1..]
            .iter()
            .filter(|one| allowed(one))
            .map(|one| one.name)
            .collect();
        match MATCHERS[1..].iter().find(|matcher| matcher.name == word) {
            Some(matcher) if allowed(&matcher) => Ok(matcher),
            Some(_) => {
                let place = match situation {
                    Situation::Step | Situation::Skip => "after <~",
                    Situation::InAll => "inside of /all",
                    Situation::Ignore => "after ignore",
                };
                let hint = format!("there may stand a text, or {}", names.join(" "));
                Err(self.wrong(span, format!("{word} may not stand {place}"), hint))
            }
            None => {
                let known = format!("{} {}", names.join(" "), matcher::ALL);
                Err(self.unknown_word(span, word, &names, &known, "expects"))
            }
        }
    }

    fn unknown_word(
        &mut self,
        span: Span,
        word: &str,
        names: &[&str],
        known: &str,
        does: &str,
    ) -> Wrong {
        let meant = match nearest(word, names.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("there are {known}"),
        };
        let message = format!("{word} {does} nothing that is known");
        self.wrong(
            span,
            message,
            format!("{meant} (a text that begins with / is written //)"),
        )
    }

    /// A fault of what follows a matcher's word, and how that is written.
    fn argument_fault(
        &mut self,
        matcher: &Matcher,
        rest: Line<'t>,
        text: &Text,
        fault: Fault,
    ) -> Wrong {
        let usage = format!("{} {}: {}", matcher.name, matcher.args, matcher.about);
        let hint = fault
            .hint
            .clone()
            .unwrap_or_else(|| usage.trim_start().to_owned());
        if text.raw.is_empty() {
            return self.wrong(rest.span(self.file), fault.message, hint);
        }
        self.fault(text, fault.hint(hint))
    }

    /// A text, of which `//` at the beginning stands for one slash.
    fn unslashed(&mut self, line: Line<'t>) -> Parsed<Text> {
        if line.text.starts_with("//") {
            return Ok(self.text_of(Line {
                text: &line.text[1..],
                start: line.start + 1,
            }));
        }
        self.text_or_block(line)
    }
}

/// How long the peer and the marker are that a text begins with, if it does.
pub(in crate::transcript) fn marker_of(text: &str) -> Option<usize> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let length = match rest.as_bytes() {
        [b'<', b'~', ..] => 2,
        [b'>' | b'<', ..] => 1,
        [b':', ..] => {
            let word = rest[1..].split_whitespace().next();
            return matches!(word, Some("connect" | "ignore"))
                .then_some(end + 1)
                .filter(|_| is_name(name));
        }
        _ => return None,
    };
    (name.is_empty() || is_name(name)).then_some(end + length)
}

/// The word with a slash that a line begins with; not `//`, which is a text.
fn slash_word(line: Line<'_>) -> Option<&str> {
    let word = line.split_word().0;
    (word.starts_with('/') && !word.starts_with("//")).then_some(word)
}
