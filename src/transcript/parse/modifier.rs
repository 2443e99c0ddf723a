//! The lines below a step that say more about it.

use super::{Line, Parsed, Parser, Wrong};
use crate::transcript::syntax::{Capture, CaptureFrom, ConnectModifiers, Span, Text};

const CONNECT: &str =
    "header, subprotocol, origin, timeout, compress and insecure belong below connect";
const EXPECT: &str = "within and let belong below an expectation (<)";
const AFTER_END: &str = "within of an /all stands right below the line with /all, before what it \
                         expects; let stands below one of its expectations";

/// What stands below an expectation.
#[derive(Debug, Default)]
pub(super) struct ExpectModifiers {
    pub within: Option<std::time::Duration>,
    pub captures: Vec<Capture>,
}

impl<'t> Parser<'t> {
    pub(super) fn connect_modifiers(&mut self) -> Parsed<ConnectModifiers> {
        let mut modifiers = ConnectModifiers::default();
        let mut result = Ok(());
        while let Some((word, line)) = self.next_modifier() {
            let parsed = self.connect_modifier(word, line, &mut modifiers);
            result = result.and(parsed);
        }
        result.map(|()| modifiers)
    }

    fn connect_modifier(
        &mut self,
        word: &str,
        line: Line<'t>,
        modifiers: &mut ConnectModifiers,
    ) -> Parsed<()> {
        let rest = line.split_word().1;
        match word {
            "header" => {
                let text = self.argument(line, "header NAME: VALUE")?;
                if !rest
                    .text
                    .split("{{")
                    .next()
                    .is_some_and(|name| name.contains(':'))
                {
                    let message = "this header has no colon";
                    return Err(self.wrong(rest.span(self.file), message, "header NAME: VALUE"));
                }
                modifiers.headers.push(text);
            }
            "subprotocol" => {
                let text = self.argument(line, "subprotocol NAME")?;
                modifiers.subprotocols.push(text);
            }
            "origin" => {
                let text = self.argument(line, "origin https://example.com")?;
                self.once(line, &mut modifiers.origin, text)?;
            }
            "timeout" => {
                let time = self.duration(rest, "timeout 2s")?;
                self.once(line, &mut modifiers.timeout, time)?;
            }
            "compress" => {
                let on = match rest.text {
                    "" | "on" => true,
                    "off" => false,
                    _ => {
                        return Err(self.wrong(
                            rest.span(self.file),
                            "compress is on or off",
                            "compress off",
                        ));
                    }
                };
                self.once(line, &mut modifiers.compress, on)?;
            }
            "insecure" => {
                self.nothing_follows(rest, word)?;
                modifiers.insecure = true;
            }
            _ => {
                let hint = if word == "within" {
                    "timeout 2s limits a connect"
                } else {
                    EXPECT
                };
                return Err(self.wrong(
                    word_span(self.file, line, word),
                    format!("{word} does not belong below connect"),
                    hint,
                ));
            }
        }
        Ok(())
    }

    pub(super) fn expect_modifiers(&mut self) -> Parsed<ExpectModifiers> {
        let mut modifiers = ExpectModifiers::default();
        let mut result = Ok(());
        while let Some((word, line)) = self.next_modifier() {
            let parsed = self.expect_modifier(word, line, &mut modifiers);
            result = result.and(parsed);
        }
        result.map(|()| modifiers)
    }

    fn expect_modifier(
        &mut self,
        word: &str,
        line: Line<'t>,
        modifiers: &mut ExpectModifiers,
    ) -> Parsed<()> {
        let rest = line.split_word().1;
        match word {
            "within" => {
                let time = self.duration(rest, "within 500ms")?;
                self.once(line, &mut modifiers.within, time)
            }
            "let" => {
                modifiers.captures.push(self.capture(line, rest)?);
                Ok(())
            }
            _ => {
                let message = format!("{word} does not belong below an expectation");
                Err(self.wrong(word_span(self.file, line, word), message, CONNECT))
            }
        }
    }

    /// `let NAME = /json/pointer`, `let NAME = whole`
    fn capture(&mut self, line: Line<'t>, rest: Line<'t>) -> Parsed<Capture> {
        const FORM: &str = "let NAME = /json/pointer, or let NAME = whole";
        let (name, from) = self.assignment(rest, FORM)?;
        let escapes = |text: &str| {
            text.split('~')
                .skip(1)
                .all(|part| part.starts_with(['0', '1']))
        };
        let from = match from.text {
            "whole" => CaptureFrom::Whole,
            pointer if pointer.starts_with('/') && escapes(pointer) => {
                CaptureFrom::Pointer(pointer.to_owned())
            }
            _ => {
                let span = from.or(line).span(self.file);
                return Err(self.wrong(span, "this is not a JSON pointer", FORM));
            }
        };
        Ok(Capture {
            span: line.span(self.file),
            name,
            from,
        })
    }

    /// What has to follow the word of a modifier.
    fn argument(&mut self, line: Line<'t>, form: &str) -> Parsed<Text> {
        let rest = line.split_word().1;
        if rest.text.is_empty() {
            return Err(self.wrong(line.span(self.file), "something is missing here", form));
        }
        let text = self.text_of(rest);
        self.check_template(&text)?;
        Ok(text)
    }

    fn once<T>(&mut self, line: Line<'t>, slot: &mut Option<T>, value: T) -> Parsed<()> {
        if slot.replace(value).is_some() {
            let message = "this was said already";
            return Err(self.wrong(
                line.span(self.file),
                message,
                "it may stand once below a step",
            ));
        }
        Ok(())
    }

    pub(super) fn nothing_follows(&mut self, rest: Line<'t>, word: &str) -> Parsed<()> {
        if rest.text.is_empty() {
            return Ok(());
        }
        let message = format!("nothing may follow {word}");
        Err(self.wrong(
            rest.span(self.file),
            message,
            format!("a line that is only: {word}"),
        ))
    }

    /// Whether the line before the one that was read is an `end`.
    fn follows_end(&self) -> bool {
        let before = (0..self.at.saturating_sub(1)).rev();
        let said = before.filter_map(|number| self.line(number));
        let mut said = said.filter(|line| !line.is_comment());
        said.next().is_some_and(|line| line.text == "end")
    }

    pub(super) fn misplaced_modifier(&mut self, line: Line<'t>, word: &str) -> Wrong {
        let hint = match word {
            "within" | "let" if self.follows_end() => AFTER_END,
            "within" | "let" => EXPECT,
            _ => CONNECT,
        };
        let message = format!("{word} does not belong to the step above");
        self.wrong(word_span(self.file, line, word), message, hint)
    }
}

fn word_span(file: usize, line: Line<'_>, word: &str) -> Span {
    Span::new(file, line.start..line.start + word.len())
}
