//! From a tree to text. What is printed parses to the same tree.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::matcher::ALL;
use super::parse::{is_reserved, marker_of};
use super::syntax::{
    All, Capture, CaptureFrom, Connect, Expect, Expectation, Peer, Sending, Statement, Step, Text,
};
use crate::model::units::exact_duration;

const INDENT: &str = "  ";
const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// The statements, one a line; the last line is ended.
pub fn print(statements: &[Statement]) -> String {
    let mut printer = Printer::default();
    printer.statements(statements);
    printer.text
}

#[derive(Default)]
struct Printer {
    text: String,
    depth: usize,
}

impl Printer {
    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.step(&statement.step);
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Connect(connect) => self.connect(connect),
            Step::Send(send) => self.send(&send.peer, &send.sending),
            Step::Expect(expect) => self.expect(expect),
            Step::All(all) => self.all(all),
            Step::Wait(time) => self.line(&format!("wait {}", exact_duration(*time))),
            Step::Set { name, value } => self.line(&format!("set {name} = {}", value.raw)),
            Step::Ignore { peer, expectation } => {
                let who = peer
                    .as_ref()
                    .map_or_else(String::new, |peer| format!("{peer}: "));
                self.expectation(&format!("{who}ignore "), expectation, true);
            }
            Step::Repeat { count, body } => {
                self.line(&format!("repeat {count}"));
                self.deeper(|this| this.statements(body));
                self.line("end");
            }
            Step::Include { path, .. } => self.line(&format!("include {path}")),
        }
    }

    fn connect(&mut self, connect: &Connect) {
        let who = match connect.peer.name() {
            Some(name) => format!("{name}: "),
            None => String::new(),
        };
        self.line(&format!("{who}connect {}", connect.url.raw));
        let modifiers = &connect.modifiers;
        self.deeper(|this| {
            for header in &modifiers.headers {
                this.line(&format!("header {}", header.raw));
            }
            for name in &modifiers.subprotocols {
                this.line(&format!("subprotocol {}", name.raw));
            }
            if let Some(origin) = &modifiers.origin {
                this.line(&format!("origin {}", origin.raw));
            }
            if let Some(time) = modifiers.timeout {
                this.line(&format!("timeout {}", exact_duration(time)));
            }
            match modifiers.compress {
                Some(true) => this.line("compress"),
                Some(false) => this.line("compress off"),
                None => {}
            }
            if modifiers.insecure {
                this.line("insecure");
            }
        });
    }

    fn send(&mut self, peer: &Peer, sending: &Sending) {
        let marker = format!("{peer}> ");
        match sending {
            Sending::Text(text) => self.text(&marker, text, false),
            Sending::Json(text) => {
                let raw = writable_json(&text.raw);
                let before = format!("{marker}/json ");
                self.block_or_line(&before, &raw, &raw, is_plain(&raw));
            }
            Sending::File { path, text } => {
                let kind = if *text { " text" } else { "" };
                self.line(&format!("{marker}/file {}{kind}", path.raw));
            }
            Sending::Wire { verb, args } => self.line(&format!("{marker}{verb} {}", args.raw)),
        }
    }

    fn expect(&mut self, expect: &Expect) {
        let marker = if expect.skip { "<~" } else { "<" };
        self.expectation(
            &format!("{}{marker} ", expect.peer),
            &expect.expectation,
            false,
        );
        self.deeper(|this| {
            if let Some(time) = expect.within {
                this.line(&format!("within {}", exact_duration(time)));
            }
            this.captures(&expect.captures);
        });
    }

    fn all(&mut self, all: &All) {
        self.line(&format!("{}< {ALL}", all.peer));
        self.deeper(|this| {
            if let Some(time) = all.within {
                this.line(&format!("within {}", exact_duration(time)));
            }
            for item in &all.items {
                this.expectation("", &item.expectation, true);
                this.deeper(|this| this.captures(&item.captures));
            }
        });
        self.line("end");
    }

    fn captures(&mut self, captures: &[Capture]) {
        for capture in captures {
            let from = match &capture.from {
                CaptureFrom::Whole => "whole",
                CaptureFrom::Pointer(pointer) => pointer,
            };
            self.line(&format!("let {} = {from}", capture.name));
        }
    }

    fn expectation(&mut self, before: &str, expectation: &Expectation, alone: bool) {
        let raw = &expectation.text.raw;
        match expectation.matcher {
            "" => self.text(before, &expectation.text, alone),
            matcher => {
                let raw = &match matcher {
                    "/json" | "/exactly" => writable_json(raw),
                    _ => raw.into(),
                };
                self.block_or_line(&format!("{before}{matcher} "), raw, raw, is_plain(raw));
            }
        }
    }

    /// A text as it stands. `alone` is a line without marker, where a first word may mean something.
    fn text(&mut self, before: &str, text: &Text, alone: bool) {
        let raw = &text.raw;
        if !is_writable(raw) {
            return self.line(&format!("{before}/text {}", quoted(raw)));
        }
        let first = raw.split(BLANKS).next().unwrap_or_default();
        let means_something = alone
            && (first.is_empty()
                || first.starts_with('#')
                || is_reserved(first)
                || marker_of(raw).is_some());
        let slash = if raw.starts_with('/') { "/" } else { "" };
        let line = format!("{slash}{raw}");
        self.block_or_line(before, &line, raw, is_plain(raw) && !means_something);
    }

    fn block_or_line(&mut self, before: &str, line: &str, raw: &str, plain: bool) {
        if plain {
            return self.line(&format!("{before}{line}"));
        }
        let quotes = |line: &str| {
            let line = line.trim_matches(BLANKS);
            if line.bytes().all(|byte| byte == b'"') {
                line.len()
            } else {
                0
            }
        };
        let longest = raw.split('\n').map(quotes).max().unwrap_or_default();
        let fence = "\"".repeat((longest + 1).max(3));
        self.line(&format!("{before}{fence}"));
        self.deeper(|this| {
            // No line at all is the empty text.
            for line in raw.split('\n').filter(|_| !raw.is_empty()) {
                this.text.push_str(&INDENT.repeat(this.depth));
                this.text.push_str(line);
                this.text.push('\n');
            }
            this.line(&fence);
        });
    }

    fn line(&mut self, text: &str) {
        let text = text.trim_end_matches(BLANKS);
        // Writing to a String never fails.
        let _ = writeln!(self.text, "{}{text}", INDENT.repeat(self.depth));
    }

    fn deeper(&mut self, print: impl FnOnce(&mut Self)) {
        self.depth += 1;
        print(self);
        self.depth -= 1;
    }
}

/// Whether a character may not stand in a transcript as it is: a terminal would obey it, it would end
/// the line, or it would show the text in another order than it is read.
pub(super) const fn is_unwritable(c: char) -> bool {
    c != '\t' && (c.is_ascii_control() || is_other_control(c))
}

/// C1 controls, line separators, bidirectional controls and the byte order mark.
const fn is_other_control(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

fn is_writable(raw: &str) -> bool {
    !raw.contains(|c| c != '\n' && is_unwritable(c))
}

/// As a string of JSON, in ASCII where it has to be.
fn quoted(raw: &str) -> String {
    let string = serde_json::Value::from(raw).to_string();
    escaped_json(&string)
}

/// JSON that means the same: what may not stand in it as it is can only be in its strings, or a
/// blank between them.
fn writable_json(raw: &str) -> Cow<'_, str> {
    if is_writable(raw) {
        return raw.into();
    }
    escaped_json(&raw.replace('\r', " ")).into()
}

fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if c != '\n' && is_unwritable(c) {
            // None of them is beyond the first plane. Writing to a String never fails.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Whether a text stays what it is on one line.
fn is_plain(raw: &str) -> bool {
    let is_fence = raw.len() >= 3 && raw.bytes().all(|byte| byte == b'"');
    !raw.contains('\n') && raw.trim_matches(BLANKS) == raw && !is_fence
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::transcript::parse::parse;
    use crate::transcript::syntax::{ConnectModifiers, Item, Send, Span};
    use crate::transcript::template::escape;

    #[test]
    fn what_is_printed_is_how_people_write() {
        let text = "\
alice: connect {{url}}/chat?x=1
  header X-Trace: {{uuid}}
  subprotocol chat.v2
  origin https://a
  timeout 1.5s
  compress off
  insecure
set room = general
ignore /json {\"type\":\"presence\"}
bob: ignore //x
repeat 3
  alice> /json \"\"\"
    {
      \"a\": 1
    }
    \"\"\"
  alice<~ /json {\"a\":1}
    within 500ms
    let id = /a
    let all = whole
end
alice< /all
  within 2s
  /match ^a
    let w = whole
  \"\"\"
    let it be
    \"\"\"
  plain
end
alice> /close 1000 bye
alice< /close 1000
alice< /none 200ms
> /file a.bin
> /file a.txt text
wait 1ms
include other.wst
";
        assert_eq!(print(&parse(text, 0).unwrap()), text);
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        for (text, printed) in [
            ("> a\u{1b}]52;c;\u{7}\n", r#"> /text "a\u001b]52;c;\u0007""#),
            ("a< b\u{202e}{{x}}\n", r#"a< /text "b\u202e{{x}}""#),
            (
                "< /json {\"a\":\"\u{9b}2J\"}\n",
                r#"< /json {"a":"\u009b2J"}"#,
            ),
            ("> /json [\"\u{7f}\"]\n", r#"> /json ["\u007f"]"#),
        ] {
            let tree = parse(text, 0).unwrap();
            assert_eq!(print(&tree), format!("{printed}\n"));
        }
    }

    fn text() -> impl Strategy<Value = Text> {
        let pieces = prop_oneof![
            4 => "[a-z \t\"/#é]{0,6}",
            1 => Just("\n".to_owned()),
            1 => Just("{{x}}".to_owned()),
            1 => Just("\"\"\"\"".to_owned()),
            1 => Just("let it".to_owned()),
            1 => "[\u{1b}\u{7}\u{7f}\u{9b}\u{202e}\u{2028}\\\\]{1,2}",
            1 => Just("end".to_owned()),
            1 => prop_oneof![Just("<"), Just("bob> "), Just("a: connect"), Just("wait 1s")]
                .prop_map(str::to_owned),
            1 => "[{}\r]{0,4}".prop_map(|text| escape(&text)),
        ];
        vec(pieces, 0..5).prop_map(|pieces| Text::new(join(&pieces)))
    }

    /// Braces of neighbours do not become a placeholder.
    fn join(pieces: &[String]) -> String {
        let joined = pieces.join("");
        if crate::transcript::template::Template::parse(&joined).is_ok() {
            joined
        } else {
            joined.replace(['{', '}'], "")
        }
    }

    fn line() -> impl Strategy<Value = Text> {
        "[a-z/:.]{1,8}".prop_map(Text::new)
    }

    fn json() -> impl Strategy<Value = Text> {
        prop_oneof![
            Just("{\"a\":{{x}},\"b\":\"{{x}}!\"}"),
            Just("[1, \"...\"]"),
            Just("{\n  \"a\": 1\n}"),
            Just("7"),
        ]
        .prop_map(Text::new)
    }

    fn peer() -> impl Strategy<Value = Peer> {
        prop_oneof![
            Just(Peer::UNNAMED),
            "[a-z]{1,3}[0-9_-]?x".prop_map(|name| Peer::named(&name))
        ]
    }

    fn expecting(matcher: &'static str, text: Text) -> Expectation {
        Expectation {
            matcher,
            text,
            span: Span::default(),
        }
    }

    fn expectation(alone: bool) -> impl Strategy<Value = Expectation> {
        let of = |matcher| move |text| expecting(matcher, text);
        let fixed = |matcher, raw: &'static str| Just(expecting(matcher, Text::new(raw)));
        let several = prop_oneof![
            text().prop_map(of("")),
            json().prop_map(of("/json")),
            json().prop_map(of("/exactly")),
            line().prop_map(of("/contains")),
            fixed("/match", "^a.b$"),
            fixed("/any", ""),
            fixed("/bin", "hex:00ff"),
            fixed("/bin", ""),
        ];
        let controls = prop_oneof![
            fixed("/ping", ""),
            fixed("/pong", "x y"),
            fixed("/close", "1000 bye now"),
            fixed("/close", ""),
        ];
        if alone {
            prop_oneof![3 => several, 1 => controls].boxed()
        } else {
            several.boxed()
        }
    }

    fn captures() -> impl Strategy<Value = Vec<Capture>> {
        let from = prop_oneof![
            Just(CaptureFrom::Whole),
            "(/[a-z0-9]{0,3}){1,2}".prop_map(CaptureFrom::Pointer),
        ];
        let capture = ("x[a-z]{0,3}", from).prop_map(|(name, from)| Capture {
            span: Span::default(),
            name,
            from,
        });
        vec(capture, 0..3)
    }

    fn time() -> impl Strategy<Value = std::time::Duration> {
        (1u64..10_000_000).prop_map(std::time::Duration::from_micros)
    }

    fn connect() -> impl Strategy<Value = Step> {
        let modifiers = (
            vec("[A-Z]{1,3}: [a-z{]{0,3}".prop_map(Text::new), 0..2),
            vec(line(), 0..2),
            option::of(line()),
            option::of(time()),
            option::of(any::<bool>()),
            any::<bool>(),
        )
            .prop_map(
                |(headers, subprotocols, origin, timeout, compress, insecure)| ConnectModifiers {
                    headers: headers
                        .into_iter()
                        .map(|text| Text::new(escape(&text.raw).trim_end().to_owned()))
                        .collect(),
                    subprotocols,
                    origin,
                    timeout,
                    compress,
                    insecure,
                },
            );
        (peer(), line(), modifiers).prop_map(|(peer, url, modifiers)| {
            Step::Connect(Connect {
                peer,
                url,
                modifiers,
            })
        })
    }

    fn step() -> impl Strategy<Value = Step> {
        let sending = prop_oneof![
            text().prop_map(Sending::Text),
            text().prop_map(Sending::Text),
            json().prop_map(Sending::Json),
            (line(), any::<bool>()).prop_map(|(path, text)| Sending::File { path, text }),
            Just(Sending::Wire {
                verb: "/close",
                args: Text::new("1000 bye")
            }),
            Just(Sending::Wire {
                verb: "/frame",
                args: Text::new("op=1 fin=0 hex:00")
            }),
            Just(Sending::Wire {
                verb: "/ping",
                args: Text::new("")
            }),
        ];
        let item = (expectation(true), captures()).prop_map(|(expectation, captures)| Item {
            span: Span::default(),
            expectation,
            captures,
        });
        let one = prop_oneof![
            connect(),
            (peer(), sending).prop_map(|(peer, sending)| Step::Send(Send { peer, sending })),
            (
                peer(),
                any::<bool>(),
                expectation(true),
                option::of(time()),
                captures()
            )
                .prop_map(|(peer, skip, expectation, within, captures)| Step::Expect(
                    Expect {
                        peer,
                        skip,
                        expectation,
                        within,
                        captures,
                    }
                )),
            (peer(), option::of(time()), vec(item, 1..4)).prop_map(|(peer, within, items)| {
                Step::All(All {
                    peer,
                    within,
                    items,
                })
            }),
            time().prop_map(Step::Wait),
            line().prop_map(|value| Step::Set {
                name: "x".into(),
                value
            }),
            (option::of(peer()), expectation(false)).prop_map(|(peer, expectation)| Step::Ignore {
                peer: peer.filter(|peer| peer.name().is_some()),
                expectation,
            }),
            line().prop_map(|path| Step::Include {
                path: path.raw,
                body: Vec::new()
            }),
        ];
        one.prop_recursive(3, 12, 4, |inner| {
            let body = vec(inner.prop_map(statement), 0..4);
            (1u32..9, body).prop_map(|(count, body)| Step::Repeat { count, body })
        })
    }

    fn statement(step: Step) -> Statement {
        Statement {
            span: Span::default(),
            step,
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same_tree(steps in vec(step(), 0..6)) {
            let tree: Vec<Statement> = steps.into_iter().map(statement).collect();
            let printed = print(&tree);
            prop_assert!(is_writable(&printed), "{printed:?}");
            prop_assert_eq!(parse(&printed, 0), Ok(tree), "{}", printed);
        }

        #[test]
        fn no_text_breaks_the_parser(text in "([a-z]{0,2}[<>:~]{0,2} ?(/json|/any|/bin|connect|let|end|\"\"\")?[ {}a-z0-9:=]{0,6}\r?\n?){0,5}") {
            if let Ok(tree) = parse(&text, 0) {
                prop_assert_eq!(parse(&print(&tree), 0), Ok(tree));
            }
        }
    }
}
