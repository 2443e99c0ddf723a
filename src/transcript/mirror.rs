//! The server's side of a transcript: what its client expects is sent, what its client sends is
//! expected. What cannot be turned round is found before anybody is served.
//!
//! Everything is filled in when the file is read. `none`, `let`, `within` and `ignore` are the
//! client's and mean nothing here; `wait` is waited on this side too. A ping is answered where its
//! `< /pong` stands, at once where none does. A Close is answered by the connection itself.

use std::time::Duration;

use bytes::Bytes;

use super::diagnostic::Diagnostic;
use super::json::equal;
use super::matcher::{Context, Files};
use super::program::URL;
use super::sending;
use super::syntax::{Expectation, Peer, Sending, Source, Span, Statement, Step, Text, Transcript};
use super::template::{Fault, Filling, Placeholder, Template};
use super::variables::{Unfilled, Value, Variables};
use crate::model::close::CloseFrame;
use crate::model::command::Command;
use crate::model::message::Message;
use crate::model::secret::known::Known;

/// The most steps of a mirror, repeats counted out.
const MOST_STEPS: usize = 100_000;

const VAGUE: &str = "this does not say what to send, so it cannot be mirrored";

/// The server's side, ready to be played.
#[derive(Debug, Clone, Default)]
pub struct Mirror {
    /// For each `connect` the path at which its client arrives; `None` is any.
    pub clients: Vec<Option<String>>,
    pub steps: Vec<Turn>,
    /// Pings and pongs of clients are steps: nobody else may answer them.
    pub hears_control: bool,
    /// What is filled in but never told.
    pub secrets: Known,
}

/// One step, and the client that it is about: a place in [`Mirror::clients`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub client: usize,
    pub act: Act,
    /// The file and line where it is written, for people.
    pub place: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The client has to be there.
    Connect,
    Send(Command),
    Expect(Said),
    /// The client closes in this way.
    ExpectClose(Option<CloseFrame>),
    Wait(Duration),
}

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Message(Message),
    Ping(Bytes),
    Pong(Bytes),
}

impl Mirror {
    /// # Errors
    /// Everything that cannot be mirrored.
    pub fn of(
        transcript: &Transcript,
        variables: Variables,
        files: &dyn Files,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut turner = Turner {
            sources: &transcript.sources,
            mirror: Self {
                secrets: variables.secrets().clone(),
                ..Self::default()
            },
            variables,
            files,
            peers: Vec::new(),
            pings: Vec::new(),
            closing: Vec::new(),
            wrong: Vec::new(),
        };
        turner.statements(&transcript.statements);
        turner.answer_pings();
        if turner.wrong.is_empty() {
            Ok(turner.mirror)
        } else {
            Err(turner.wrong)
        }
    }
}

/// Whether something is what its client's line says: JSON is compared as a value.
pub fn is_same(expected: &Said, got: &Said) -> bool {
    let json = |message: &Message| serde_json::from_slice(&message.payload).ok();
    let (Said::Message(a), Said::Message(b)) = (expected, got) else {
        return expected == got;
    };
    a == b
        || a.is_text()
            && b.is_text()
            && matches!((json(a), json(b)), (Some(a), Some(b)) if equal(&a, &b))
}

struct Turner<'t> {
    sources: &'t [Source],
    variables: Variables,
    files: &'t dyn Files,
    /// The client that a peer is at this point.
    peers: Vec<(Peer, usize)>,
    mirror: Mirror,
    /// Pings that no `< /pong` has answered yet: of which client, at which step, with what.
    pings: Vec<(usize, usize, Bytes)>,
    /// The clients that have closed, and how.
    closing: Vec<(usize, Option<CloseFrame>)>,
    wrong: Vec<Diagnostic>,
}

/// It was told of.
struct Wrong;

impl Turner<'_> {
    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            if self.mirror.steps.len() > MOST_STEPS {
                let message = format!("a mirror has at most {MOST_STEPS} steps");
                self.wrong.push(Diagnostic::new(statement.span, message));
                return;
            }
            // What is wrong was told of; what follows is looked at too.
            let _ = self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), Wrong> {
        let span = statement.span;
        match &statement.step {
            Step::Connect(connect) => {
                let path = self.path(&connect.url)?;
                let client = self.mirror.clients.len();
                self.mirror.clients.push(path);
                self.peers.retain(|(peer, _)| *peer != connect.peer);
                self.peers.push((connect.peer.clone(), client));
                self.push(client, Act::Connect, span);
            }
            Step::Send(send) => {
                let client = self.client(&send.peer);
                self.sent(client, &send.sending, span)?;
            }
            // The end that follows a Close of the client comes by itself.
            Step::Expect(expect)
                if expect.skip
                    && expect.expectation.matcher == "/close"
                    && self.is_closing(&expect.peer) => {}
            Step::Expect(expect) if expect.skip => {
                let why = "<~ does not say what comes before it, so it cannot be mirrored";
                return self.refuse(span, why);
            }
            Step::Expect(expect) => {
                let client = self.client(&expect.peer);
                self.expected(client, &expect.expectation, span)?;
            }
            Step::All(_) => {
                let why = "/all does not say in which order to send, so it cannot be mirrored";
                return self.refuse(span, why);
            }
            Step::Wait(time) => {
                let client = self.mirror.clients.len().saturating_sub(1);
                self.push(client, Act::Wait(*time), span);
            }
            Step::Set { name, value } => {
                self.check(value)?;
                let template = Template::parse(&value.raw).unwrap_or_default();
                let rendered = template.render(Filling::Plain, &mut self.variables);
                let set = rendered.and_then(|rendered| {
                    let value = Value::Text(rendered.text);
                    self.variables.set_unless_given(name, value)
                });
                if let Err(Unfilled::Large(why)) = set {
                    return self.refuse(span, why);
                }
            }
            Step::Ignore { .. } => {}
            Step::Repeat { count, body } => {
                for _ in 0..*count {
                    let wrong = self.wrong.len();
                    self.statements(body);
                    // The same would be told of again.
                    if self.wrong.len() > wrong {
                        break;
                    }
                }
            }
            Step::Include { body, .. } => self.statements(body),
        }
        Ok(())
    }

    /// The client that a peer is; a peer that never connects is one that comes anywhere.
    fn client(&mut self, peer: &Peer) -> usize {
        let known = self.peers.iter().find(|(known, _)| known == peer);
        if let Some((_, client)) = known {
            return *client;
        }
        let client = self.mirror.clients.len();
        self.mirror.clients.push(None);
        self.peers.push((peer.clone(), client));
        self.push(client, Act::Connect, Span::default());
        client
    }

    fn push(&mut self, client: usize, act: Act, span: Span) {
        let place = self
            .sources
            .get(span.file)
            .map_or_else(String::new, |source| {
                format!("{}:{}", source.path, source.place(span.start).line)
            });
        self.mirror.steps.push(Turn { client, act, place });
    }

    /// What is expected where a client sends this.
    fn sent(&mut self, client: usize, sending: &Sending, span: Span) -> Result<(), Wrong> {
        let act = match self.command(sending, span)? {
            Command::Send(message) => Act::Expect(Said::Message(message)),
            Command::Close(frame) => {
                self.closing.push((client, frame.clone()));
                Act::ExpectClose(frame)
            }
            Command::Ping(payload) => {
                self.mirror.hears_control = true;
                let step = self.mirror.steps.len();
                self.pings.push((client, step, payload.clone()));
                Act::Expect(Said::Ping(payload))
            }
            Command::Pong(payload) => {
                self.mirror.hears_control = true;
                Act::Expect(Said::Pong(payload))
            }
            Command::Frame(_) => {
                return self.refuse(span, "a raw frame cannot be mirrored: it is no message");
            }
        };
        self.push(client, act, span);
        Ok(())
    }

    fn is_closing(&mut self, peer: &Peer) -> bool {
        let client = self.client(peer);
        self.closing.iter().any(|(closing, _)| *closing == client)
    }

    /// What is sent where a client expects this.
    fn expected(
        &mut self,
        client: usize,
        expectation: &Expectation,
        span: Span,
    ) -> Result<(), Wrong> {
        let text = &expectation.text;
        let wire = |verb, args: &str| Sending::Wire {
            verb,
            args: Text {
                raw: args.to_owned(),
                ..text.clone()
            },
        };
        let raw = text.raw.as_str();
        let sending = match expectation.matcher {
            "" => Sending::Text(text.clone()),
            "/json" if raw.contains("\"...\"") => return self.refuse(span, VAGUE),
            "/json" | "/exactly" => Sending::Json(text.clone()),
            "/bin" if raw.starts_with("hex:") || raw.starts_with("base64:") => wire("/bin", raw),
            "/bin" => match text.after("file:") {
                Some(path) => Sending::File { path, text: false },
                None => return self.refuse(span, VAGUE),
            },
            "/close" => wire("/close", if raw == "1005" { "" } else { raw }),
            "/ping" => wire("/ping", raw),
            "/pong" => wire("/pong", raw),
            // The absence of something needs nothing.
            "/none" => return Ok(()),
            _ => return self.refuse(span, VAGUE),
        };
        let command = self.command(&sending, span)?;
        let closed = self.closing.iter().find(|(closed, _)| *closed == client);
        let command = match (command, closed) {
            (Command::Close(frame), Some((_, theirs))) => {
                let code = |frame: &Option<CloseFrame>| frame.as_ref().map(|frame| frame.code);
                let reason = frame.as_ref().map_or("", |frame| &frame.reason);
                let own_reason = theirs.as_ref().map_or("", |frame| &frame.reason);
                let repeats = code(&frame) == code(theirs) && ["", own_reason].contains(&reason);
                if raw.is_empty() || repeats {
                    return Ok(());
                }
                let why = "the answer to a Close repeats its code, so this cannot be mirrored";
                return self.refuse(span, why);
            }
            (_, Some(_)) => {
                let why = "a Close is answered at once, so nothing can be sent after it";
                return self.refuse(span, why);
            }
            (Command::Pong(payload), None) => Command::Pong(self.pong(client, payload)),
            (command, None) => command,
        };
        self.push(client, Act::Send(command), span);
        Ok(())
    }

    /// What a pong has in it: what it answers, where nothing else is written.
    fn pong(&mut self, client: usize, written: Bytes) -> Bytes {
        self.mirror.hears_control = true;
        let mut pings = self.pings.iter();
        match pings.position(|(by, ..)| *by == client) {
            Some(at) => {
                let (.., sent) = self.pings.remove(at);
                if written.is_empty() { sent } else { written }
            }
            None => written,
        }
    }

    /// Pings that no line answers are answered at once.
    fn answer_pings(&mut self) {
        let pings = std::mem::take(&mut self.pings).into_iter();
        let mut pings = pings.map(|(_, step, payload)| (step, payload)).peekable();
        let steps = std::mem::take(&mut self.mirror.steps);
        for (at, turn) in steps.into_iter().enumerate() {
            let (client, place) = (turn.client, turn.place.clone());
            self.mirror.steps.push(turn);
            if let Some((_, payload)) = pings.next_if(|(step, _)| *step == at) {
                let act = Act::Send(Command::Pong(payload));
                self.mirror.steps.push(Turn { client, act, place });
            }
        }
    }

    /// The path at which a client arrives, where the file says it.
    fn path(&mut self, url: &Text) -> Result<Option<String>, Wrong> {
        // Nothing in a query or before the path matters.
        let url_is_known = self
            .variables
            .value(&Placeholder::Variable("url".into()))
            .is_ok();
        let rest = match url.raw.strip_prefix(URL) {
            Some("") if !url_is_known => return Ok(None),
            Some(rest) if !url_is_known => rest,
            _ => &url.raw,
        };
        let begin = url.raw.len() - rest.len();
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        let written = url.part(begin..begin + end);
        self.check(&written)?;
        let template = Template::parse(&written.raw).unwrap_or_default();
        let filled = template.render(Filling::Plain, &mut self.variables);
        let filled = filled.map_or_else(|_| written.raw.clone(), |rendered| rendered.text);
        Ok(Some(path(&filled)))
    }

    /// A line as a command, with the values that are set in the file or given from outside.
    fn command(&mut self, sending: &Sending, span: Span) -> Result<Command, Wrong> {
        match sending {
            Sending::Text(text) | Sending::Json(text) => self.check(text)?,
            Sending::File { path, .. } => self.check(path)?,
            Sending::Wire { args, .. } => self.check(args)?,
        }
        let mut context = Context {
            variables: &mut self.variables,
            files: self.files,
            from: self.sources.get(span.file).map_or("", |file| &file.path),
        };
        sending::command(sending, &mut context).map_err(|why| self.tell(span, &why))
    }

    /// Only what has one value can be sent or expected.
    fn check(&mut self, text: &Text) -> Result<(), Wrong> {
        let template = match Template::parse(&text.raw) {
            Ok(template) => template,
            Err(fault) => return Err(self.fault(fault, text)),
        };
        for (placeholder, at) in template.placeholders() {
            let fault = match placeholder {
                Placeholder::Variable(_) if self.variables.value(placeholder).is_ok() => continue,
                Placeholder::Variable(name) => Fault::new(
                    at.clone(),
                    format!("{{{{{name}}}}} has no value, so this cannot be mirrored"),
                )
                .hint(
                    "what a client captures is not known to its server; values come from set, \
                     WSCOPE_VAR_name and WSCOPE_SECRET_name",
                ),
                _ => Fault::new(
                    at.clone(),
                    "this has no one value, so it cannot be mirrored",
                )
                .hint("write what the server is to send or to get"),
            };
            return Err(self.fault(fault, text));
        }
        Ok(())
    }

    fn fault(&mut self, fault: Fault, text: &Text) -> Wrong {
        let diagnostic = Diagnostic::of_fault(fault, text.span.file, |at| text.position(at));
        self.wrong.push(diagnostic);
        Wrong
    }

    fn tell(&mut self, span: Span, why: &str) -> Wrong {
        let hint = "a text, /json, /exactly, /bin with its bytes, /ping, /pong and /close can be \
                    mirrored";
        self.wrong.push(Diagnostic::new(span, why).hint(hint));
        Wrong
    }

    fn refuse<T>(&mut self, span: Span, why: &str) -> Result<T, Wrong> {
        Err(self.tell(span, why))
    }
}

/// The path of a URL, or of what follows its host.
fn path(url: &str) -> String {
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::close::CloseCode;
    use crate::transcript::parse::parse;

    struct NoFiles;

    impl Files for NoFiles {
        fn read(&self, path: &str) -> Result<Bytes, String> {
            Err(format!("{path}: no such file"))
        }
    }

    fn mirror(text: &str) -> Result<Mirror, Vec<Diagnostic>> {
        let transcript = Transcript {
            sources: vec![Source::new("t.wst", text)],
            statements: parse(text, 0).unwrap(),
        };
        Mirror::of(&transcript, Variables::fixed(), &NoFiles)
    }

    #[test]
    fn what_one_side_expects_the_other_sends() {
        let text = "\
set room = general
alice: connect {{url}}/chat?token={{secret_token}}
alice> {\"room\":\"{{room}}\"}
alice< /json {\"ok\":true}
  let ok = /ok
  within 1s
alice> /ping x
alice< /pong
alice< /none 100ms
alice> /ping y
alice< /ping z
alice> /pong
wait 5ms
bob: connect wss://h:1/
bob< /bin hex:00ff
alice> /close 1000 bye
bob< /close 1001
";
        let mirror = mirror(text).unwrap();
        assert_eq!(mirror.clients, [Some("/chat".into()), Some("/".into())]);
        assert!(mirror.hears_control);
        let turn = |client, line: usize, act| Turn {
            client,
            act,
            place: format!("t.wst:{line}"),
        };
        let close = crate::text::command::close("1001").unwrap();
        let bye = CloseFrame {
            code: CloseCode::NORMAL,
            reason: "bye".into(),
        };
        assert_eq!(
            mirror.steps,
            [
                turn(0, 2, Act::Connect),
                turn(
                    0,
                    3,
                    Act::Expect(Said::Message(Message::text("{\"room\":\"general\"}")))
                ),
                turn(
                    0,
                    4,
                    Act::Send(Command::Send(Message::text("{\"ok\":true}")))
                ),
                turn(0, 7, Act::Expect(Said::Ping("x".into()))),
                turn(0, 8, Act::Send(Command::Pong("x".into()))),
                turn(0, 10, Act::Expect(Said::Ping("y".into()))),
                // Nothing answers it.
                turn(0, 10, Act::Send(Command::Pong("y".into()))),
                turn(0, 11, Act::Send(Command::Ping("z".into()))),
                turn(0, 12, Act::Expect(Said::Pong(Bytes::new()))),
                turn(0, 13, Act::Wait(Duration::from_millis(5))),
                turn(1, 14, Act::Connect),
                turn(
                    1,
                    15,
                    Act::Send(Command::Send(Message::binary(vec![0, 0xff])))
                ),
                turn(0, 16, Act::ExpectClose(Some(bye))),
                turn(1, 17, Act::Send(close)),
            ]
        );
    }

    #[test]
    fn what_cannot_be_mirrored_is_told_with_its_place() {
        for (line, part) in [
            ("< /any", "does not say what to send"),
            ("< /match a", "does not say what to send"),
            ("< /contains a", "does not say what to send"),
            ("< /json [1,\"...\"]", "does not say what to send"),
            ("< /json {\"a\":\"{{*}}\"}", "no one value"),
            ("< /bin sha256:00", "does not say what to send"),
            ("> {{uuid}}", "no one value"),
            ("> {{id}}", "{{id}} has no value"),
            ("> /frame op=1 x", "raw frame"),
            ("> /file a.bin", "no such file"),
            ("<~ hi", "<~ does not say what comes before it"),
            ("< /all\n  hi\nend", "in which order"),
            ("> /close 4000\n< /close 1000", "repeats its code"),
            ("> /close 4000\n< hi", "nothing can be sent after it"),
            ("connect {{url}}/{{room}}", "{{room}} has no value"),
        ] {
            let text = format!("connect ws://h/\n{line}\n");
            let Ok(_) = parse(&text, 0) else { continue };
            let wrong = mirror(&text).unwrap_err();
            assert_eq!(wrong.len(), 1, "{line}");
            assert!(wrong[0].message.contains(part), "{line}: {wrong:?}");
            assert!(wrong[0].span.start >= "connect ws://h/\n".len(), "{line}");
        }
    }

    #[test]
    fn the_answer_to_a_close_is_the_connections_and_paths_are_filled_in() {
        for (text, clients, steps) in [
            ("connect x\n> /close 1000 bye\n< /close 1000", "/x", 2),
            ("connect x\n> /close\n< /close 1005", "/x", 2),
            ("connect x\n> /close 4000 a\n< /close 4000 a", "/x", 2),
            ("connect x\n< /close 4000\n", "/x", 2),
            (
                "set room = a b\nconnect ws://h/{{room}}?{{token}}",
                "/a b",
                1,
            ),
            ("connect {{url}}/x?a#b", "/x", 1),
        ] {
            let mirror = mirror(text).unwrap();
            assert_eq!(mirror.clients, [Some(clients.to_owned())], "{text}");
            assert_eq!(mirror.steps.len(), steps, "{text}");
        }
        for text in ["connect {{url}}\n> hi", "> hi"] {
            assert_eq!(mirror(text).unwrap().clients, [None], "{text}");
        }
    }

    #[test]
    fn json_is_compared_as_a_value() {
        let text = |text: &str| Said::Message(Message::text(text));
        assert!(is_same(
            &text("{\"a\":1,\"b\":2}"),
            &text("{ \"b\": 2.0, \"a\": 1 }")
        ));
        assert!(!is_same(&text("{\"a\":1}"), &text("{\"a\":2}")));
        assert!(is_same(&text("hi"), &text("hi")) && !is_same(&text("hi"), &text("hi ")));
    }
}
